/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QKeras's layers that are more than Keras's with quantisers. Source: google/qkeras 0.9, qpooling.py. */

#include "nn-keras.h"

#include "nn-quant.h"

/* Average pooling whose division by the window's size is a product with a quantised 1 / size, its activation after it. */
gboolean
nn_keras_read_quantized_pool (NnKerasLayer  *layer,
                              GError       **error)
{
  NnGraphBuilder *builder = layer->keras->builder;
  gboolean global = g_str_has_prefix (layer->class_name, "QGlobal");
  JsonNode *activation = nn_json_get (layer->config, "activation");
  g_autofree char *pooled = g_strdup_printf ("%s__pooled", layer->node_name), *scaled = g_strdup_printf ("%s__scaled", layer->node_name);
  NnQuantizer *quantizer = NULL;
  NnTensor *factor;
  double size, inverse;
  guint input;
  NnNode *node;

  if (!nn_keras_quantizer (layer, nn_json_get (layer->config, "average_quantizer"), &quantizer, error))
    return FALSE;
  layer->node = nn_keras_add_node (layer, global ? NN_OP_GLOBAL_AVG_POOL : NN_OP_AVG_POOL2D,
                                   quantizer == NULL && activation == NULL ? layer->node_name : pooled, layer->inputs, 1);
  if (!(global ? nn_keras_read_global_pool : nn_keras_read_pool) (layer, error) || !nn_keras_shape (layer->keras, layer->node, error))
    return FALSE;
  node = layer->node;
  layer->node = NULL;
  if (quantizer != NULL)
    {
      if (global && (layer->in->rank != 3 || layer->in->dims[0] < 1 || layer->in->dims[1] < 1))
        return nn_keras_unsupported (layer, error, "with \"average_quantizer\" its input must be a map of known size");
      size = global ? (double) layer->in->dims[0] * (double) layer->in->dims[1]
                    : (double) node->attrs.kernel[0] * (double) node->attrs.kernel[1];
      inverse = 1 / size;
      nn_quantize (quantizer, &(NnShape){ 0 }, &inverse);
      input = nn_graph_builder_n_nodes (builder) - 1;
      factor = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (MAX (nn_shape_last (&node->shape), 1)));
      for (gsize i = 0; i < factor->n; i++)
        nn_tensor_f32 (factor)[i] = (float) (size * inverse);
      node = nn_keras_add_node (layer, NN_OP_SCALE, activation == NULL ? layer->node_name : scaled, &input, 1);
      if (!nn_keras_give (layer, node, NN_ROLE_SCALE, factor, error) || !nn_keras_shape (layer->keras, node, error))
        return FALSE;
    }
  if (activation == NULL)
    return TRUE;
  input = nn_graph_builder_n_nodes (builder) - 1;
  node = nn_keras_add_node (layer, NN_OP_ACTIVATION, layer->node_name, &input, 1);
  return nn_keras_activation (layer, activation, &node->attrs, error) && nn_keras_shape (layer->keras, node, error);
}

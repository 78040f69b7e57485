/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A layer's configuration as Keras 2 writes it, which Keras 3 reads too: made anew, from operator and attributes. */

#include "nn-save-keras-config.h"

#include "nn-error.h"

JsonObject *
nn_keras_cannot (const NnNode  *node,
                 const char    *what,
                 GError       **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s): Keras files cannot hold it: %s", node->name,
               node->class_name, what);
  return NULL;
}

static void
set_pair (JsonObject   *config,
          const char   *name,
          const gint64 *values,
          guint         n)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < n; i++)
    json_array_add_int_element (array, values[i]);
  json_object_set_array_member (config, name, array);
}

static const char *
dimensional (const char *stem,
             guint       n)
{
  g_autofree char *name = g_strdup_printf ("%s%uD", stem, n);

  return g_intern_string (name);
}

static gboolean
set_window (const NnNode  *node,
            JsonObject    *config,
            const char    *size,
            guint          n,
            GError       **error)
{
  static const char *const names[] = { "valid", "same", "causal", "valid" };
  const NnAttrs *a = &node->attrs;

  for (guint i = 0; a->padding == NN_PADDING_EXPLICIT && i < n; i++)
    if (a->pad[i][0] != 0 || a->pad[i][1] != 0)
      {
        nn_keras_cannot (node, "its padding is told in numbers", error);
        return FALSE;
      }
  set_pair (config, size, a->kernel, n);
  set_pair (config, "strides", a->stride, n);
  json_object_set_string_member (config, "padding", names[a->padding]);
  json_object_set_string_member (config, "data_format", "channels_last");
  return TRUE;
}

static gboolean
multiply_config (const NnNode  *node,
                 JsonObject    *config,
                 const char   **class_name,
                 GError       **error)
{
  const NnAttrs *a = &node->attrs;
  const gint64 ones[2] = { 1, 1 }, dilation[2] = { MAX (a->dilation[0], 1), MAX (a->dilation[1], 1) };
  gboolean quantized = FALSE;
  guint n = 0;

  switch (node->op)
    {
    case NN_OP_CONV1D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_SEPARABLE_CONV1D:
      n = 1;
      break;
    case NN_OP_CONV2D:
    case NN_OP_CONV2D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV2D:
      n = 2;
      break;
    default:
      break;
    }
  if (n == 0)
    json_object_set_int_member (config, "units", a->units);
  else
    {
      if (!set_window (node, config, "kernel_size", n, error))
        return FALSE;
      set_pair (config, "dilation_rate", a->dilation[0] > 0 ? dilation : ones, n);
      if (node->op == NN_OP_DEPTHWISE_CONV1D || node->op == NN_OP_DEPTHWISE_CONV2D)
        json_object_set_int_member (config, "depth_multiplier", MAX (a->depth_multiplier, 1));
      else
        json_object_set_int_member (config, "filters", a->units);
      if (node->op == NN_OP_SEPARABLE_CONV1D || node->op == NN_OP_SEPARABLE_CONV2D)
        json_object_set_int_member (config, "depth_multiplier", MAX (a->depth_multiplier, 1));
      if (a->groups > 1 && (node->op == NN_OP_CONV1D || node->op == NN_OP_CONV2D))
        json_object_set_int_member (config, "groups", a->groups);
    }
  json_object_set_boolean_member (config, "use_bias", a->use_bias);
  if (!nn_keras_set_activation (node, config, &quantized, error) || !nn_keras_set_role_quantizers (node, config, &quantized, error))
    return FALSE;
  *class_name = nn_op_info (node->op)->name;
  if (quantized)
    {
      g_autofree char *name = g_strdup_printf ("Q%s", *class_name);

      *class_name = g_intern_string (name);
    }
  return TRUE;
}

static gboolean
norm_config (const NnModel *model,
             const NnNode  *node,
             JsonObject    *config,
             const char   **class_name)
{
  const NnAttrs *a = &node->attrs;

  /* x * scale + bias is a batch norm of mean 0 and variance 1 */
  *class_name = node->op == NN_OP_LAYER_NORM ? "LayerNormalization" : "BatchNormalization";
  json_object_set_int_member (config, "axis", a->axis >= 0 && node->op == NN_OP_BATCH_NORM ? a->axis + 1 : -1);
  json_object_set_double_member (config, "epsilon", node->op == NN_OP_SCALE ? 0 : a->epsilon);
  json_object_set_boolean_member (config, "center",
                                  node->op == NN_OP_SCALE || nn_model_node_weight (model, node, NN_ROLE_BETA) != NULL);
  json_object_set_boolean_member (config, "scale",
                                  node->op == NN_OP_SCALE || nn_model_node_weight (model, node, NN_ROLE_GAMMA) != NULL);
  if (node->op != NN_OP_LAYER_NORM)
    json_object_set_double_member (config, "momentum", a->momentum > 0 ? a->momentum : 0.99);
  return TRUE;
}

static gboolean
recurrent_config (const NnNode  *node,
                  JsonObject    *config,
                  const char   **class_name,
                  GError       **error)
{
  const NnAttrs *a = &node->attrs;
  const NnAttrs gate = { .act = a->recurrent_act, .slope = a->recurrent_slope, .shift = a->recurrent_shift };
  const char *recurrent = nn_keras_plain_activation (&gate);
  gboolean quantized = FALSE;

  *class_name = nn_op_info (node->op)->name;
  json_object_set_int_member (config, "units", a->units);
  json_object_set_boolean_member (config, "use_bias", a->use_bias);
  json_object_set_boolean_member (config, "return_sequences", a->return_sequences);
  json_object_set_boolean_member (config, "go_backwards", a->go_backwards);
  if (node->op == NN_OP_GRU)
    json_object_set_boolean_member (config, "reset_after", a->reset_after);
  if (!nn_keras_set_activation (node, config, &quantized, error))
    return FALSE;
  if (quantized || (node->op != NN_OP_SIMPLE_RNN && recurrent == NULL))
    {
      nn_keras_cannot (node, "its activations are not Keras's", error);
      return FALSE;
    }
  if (node->op != NN_OP_SIMPLE_RNN)
    json_object_set_string_member (config, "recurrent_activation", recurrent);
  return TRUE;
}

/* Before and after each of @n axes. */
static void
set_edges (JsonObject   *config,
           const char   *name,
           const gint64  edges[2][2],
           guint         n)
{
  JsonArray *pairs;

  if (n == 1)
    {
      set_pair (config, name, edges[0], 2);
      return;
    }
  pairs = json_array_new ();
  for (guint i = 0; i < n; i++)
    {
      JsonArray *pair = json_array_new ();

      json_array_add_int_element (pair, edges[i][0]);
      json_array_add_int_element (pair, edges[i][1]);
      json_array_add_array_element (pairs, pair);
    }
  json_object_set_array_member (config, name, pairs);
}

/* A part of one axis that is not the channels', without gaps, is what a cropping layer leaves. */
static gboolean
slice_config (const NnNode  *node,
              const NnShape *in,
              JsonObject    *config,
              const char   **class_name,
              GError       **error)
{
  const NnAttrs *a = &node->attrs;
  guint n = in->rank - 1;
  gint axis = a->axis < 0 ? a->axis + (gint) in->rank : a->axis;
  gint64 cut[2][2] = { { 0 } };

  if (n < 1 || n > 2 || axis >= (gint) n || a->step != 1 || in->dims[axis] < 1)
    return nn_keras_cannot (node, "Keras has no layer that takes such a part", error) != NULL;
  cut[axis][0] = a->begin;
  cut[axis][1] = in->dims[axis] - a->end;
  *class_name = dimensional ("Cropping", n);
  set_edges (config, "cropping", cut, n);
  return TRUE;
}

static gboolean
shape_config (const NnNode  *node,
              guint          rank, /* of the input */
              JsonObject    *config,
              const char   **class_name)
{
  const NnAttrs *a = &node->attrs;
  guint n = rank >= 3 ? 2 : 1;
  gint64 dims[NN_MAX_RANK];

  switch (node->op)
    {
    case NN_OP_RESHAPE:
      set_pair (config, "target_shape", a->target.dims, a->target.rank);
      return TRUE;
    case NN_OP_PERMUTE:
      for (guint i = 0; i < rank; i++)
        dims[i] = a->perm[i] + 1;
      set_pair (config, "dims", dims, rank);
      return TRUE;
    case NN_OP_REPEAT_VECTOR:
      json_object_set_int_member (config, "n", a->target.dims[0]);
      return TRUE;
    case NN_OP_UPSAMPLE:
      *class_name = dimensional ("UpSampling", n);
      if (n == 1)
        json_object_set_int_member (config, "size", a->size[0]);
      else
        {
          set_pair (config, "size", a->size, 2);
          json_object_set_string_member (config, "interpolation",
                                         a->interpolation == NN_INTERPOLATION_BILINEAR ? "bilinear" : "nearest");
        }
      return TRUE;
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      *class_name = dimensional (node->op == NN_OP_CROP ? "Cropping" : "ZeroPadding", n);
      set_edges (config, node->op == NN_OP_CROP ? "cropping" : "padding", a->pad, n);
      return TRUE;
    default:
      return TRUE;
    }
}

/* From operator and attributes. */
static gboolean
make_config (const NnModel *model,
             const NnNode  *node,
             JsonObject    *config,
             const char   **class_name,
             GError       **error)
{
  const NnNode *input = node->n_inputs > 0 ? nn_graph_node (nn_model_graph (model), node->inputs[0]) : NULL;
  guint rank = input != NULL ? input->shape.rank : 0;

  *class_name = nn_op_info (node->op)->name;
  switch (node->op)
    {
    case NN_OP_DENSE:
    case NN_OP_CONV1D:
    case NN_OP_CONV2D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_SEPARABLE_CONV2D:
      return multiply_config (node, config, class_name, error);
    case NN_OP_BATCH_NORM:
    case NN_OP_LAYER_NORM:
    case NN_OP_SCALE:
      return norm_config (model, node, config, class_name);
    case NN_OP_ACTIVATION:
      return nn_keras_activation_config (node, config, class_name, error);
    case NN_OP_QUANTIZE:
      {
        JsonNode *q = node->attrs.quantizer != NULL ? nn_keras_quantizer_node (node->attrs.quantizer) : NULL;

        *class_name = "QActivation";
        if (q == NULL)
          return nn_keras_cannot (node, "QKeras has no such quantiser", error) != NULL;
        json_object_set_member (config, "activation", q);
        return TRUE;
      }
    case NN_OP_DROPOUT:
      json_object_set_double_member (config, "rate", node->attrs.rate);
      return TRUE;
    case NN_OP_MAX_POOL1D:
    case NN_OP_AVG_POOL1D:
      return set_window (node, config, "pool_size", 1, error);
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL2D:
      return set_window (node, config, "pool_size", 2, error);
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      *class_name = dimensional (node->op == NN_OP_GLOBAL_MAX_POOL ? "GlobalMaxPooling" : "GlobalAveragePooling",
                                 rank >= 3 ? 2 : 1);
      json_object_set_boolean_member (config, "keepdims", node->attrs.keep_dims);
      return TRUE;
    case NN_OP_ADD:
    case NN_OP_SUBTRACT:
    case NN_OP_MULTIPLY:
    case NN_OP_AVERAGE:
    case NN_OP_MAXIMUM:
    case NN_OP_MINIMUM:
    case NN_OP_FLATTEN:
      return TRUE;
    case NN_OP_CONCATENATE:
      json_object_set_int_member (config, "axis", node->attrs.axis < 0 ? node->attrs.axis : node->attrs.axis + 1);
      return TRUE;
    case NN_OP_RESHAPE:
    case NN_OP_PERMUTE:
    case NN_OP_REPEAT_VECTOR:
    case NN_OP_UPSAMPLE:
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      return shape_config (node, rank, config, class_name);
    case NN_OP_SLICE:
      return slice_config (node, &input->shape, config, class_name, error);
    case NN_OP_MATMUL:
      /* of two matrices a sample */
      if (rank != 2 || nn_graph_node (nn_model_graph (model), node->inputs[1])->shape.rank != 2)
        return nn_keras_cannot (node, "Keras has a product of two matrices only", error) != NULL;
      *class_name = "Dot";
      set_pair (config, "axes", (const gint64[]){ 2, 1 }, 2);
      json_object_set_boolean_member (config, "normalize", FALSE);
      return TRUE;
    case NN_OP_EMBEDDING:
      json_object_set_int_member (config, "input_dim",
                                  nn_model_node_weight (model, node, NN_ROLE_EMBEDDINGS)->values->shape.dims[0]);
      json_object_set_int_member (config, "output_dim", node->attrs.units);
      return TRUE;
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      return recurrent_config (node, config, class_name, error);
    default:
      return nn_keras_cannot (node, "Keras has no such layer", error) != NULL;
    }
}

JsonObject *
nn_save_keras_config (const NnModel  *model,
                      const NnNode   *node,
                      const char     *name,
                      gboolean        keras3,
                      const char    **class_name,
                      GError        **error)
{
  g_autoptr (JsonObject) config = NULL;

  if (node->source != NULL)
    return nn_keras_config_of_source (node, name, keras3, class_name, error);
  config = json_object_new ();
  json_object_set_string_member (config, "name", name);
  json_object_set_boolean_member (config, "trainable", TRUE);
  json_object_set_string_member (config, "dtype", "float32");
  /* the name means another curve there */
  if (keras3 && (node->attrs.act == NN_ACT_HARD_SIGMOID || node->attrs.recurrent_act == NN_ACT_HARD_SIGMOID))
    return nn_keras_cannot (node, "its hard sigmoid is Keras 2's, x / 5 + 1/2, which a .keras file has no name for", error);
  if (!make_config (model, node, config, class_name, error))
    return NULL;
  return g_steal_pointer (&config);
}

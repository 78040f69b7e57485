/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators of our own domain: what nn_save_onnx() writes where neither ONNX nor QONNX has words. */

#include "nn-onnx.h"

#include "nn-quant-json.h"
#include "onnx.pb-c.h"

/* The quantiser that the operator's attribute tells. */
static NnQuantizer *
own_quantizer (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               GError          **error)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "quantizer");
  g_autofree char *text = a != NULL && a->has_s ? g_strndup ((const char *) a->s.data, a->s.len) : NULL;
  NnQuantizer *quantizer = text != NULL ? nn_quantizer_from_json (onnx->builder, text) : NULL;

  if (quantizer == NULL)
    nn_load_unsupported (error, "its attribute \"quantizer\" is missing or damaged");
  return quantizer;
}

/* A weight as trained, and as its quantiser leaves it. */
static gboolean
read_weight (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             GError          **error)
{
  NnOnnxValue *trained = nn_onnx_input (onnx, op, 0), *used = nn_onnx_input (onnx, op, 1);
  NnQuantizer *quantizer = own_quantizer (onnx, op, error);
  NnOnnxQuant *quant;

  if (quantizer == NULL)
    return FALSE;
  if (trained == NULL || used == NULL || trained->constant == NULL || used->constant == NULL ||
      trained->constant->dtype != NN_DTYPE_F32 || used->constant->dtype != NN_DTYPE_F32 ||
      !nn_shape_equal (&trained->constant->shape, &used->constant->shape))
    return nn_load_unsupported (error, "its two inputs must be constants of one shape");
  quant = g_new0 (NnOnnxQuant, 1);
  quant->own = quantizer;
  quant->frozen = nn_tensor_ref (used->constant);
  onnx->quantized = TRUE;
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), nn_tensor_ref (trained->constant));
  ((NnOnnxValue *) g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0)))->quant = quant;
  return TRUE;
}

/* GarNet: data, number of vertices, and six constants. */
static gboolean
read_garnet (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             GError          **error)
{
  static const char *const names[] = { "FLR_kernel", "FLR_bias", "S_kernel", "S_bias", "Fout_kernel", "Fout_bias" };
  NnGarnet *g = nn_graph_builder_alloc (onnx->builder, sizeof *g);
  NnOnnxValue *data = nn_onnx_input (onnx, op, 0), *count = nn_onnx_input (onnx, op, 1), *result;
  guint inputs[2];
  NnNode *node;

  *g = (NnGarnet){ .part = "", .n_aggregators = nn_onnx_int (op, "n_aggregators", 0), .n_filters = nn_onnx_int (op, "n_filters", 0),
                   .n_propagate = nn_onnx_int (op, "n_propagate", 0), .simplified = nn_onnx_int (op, "simplified", 0) != 0,
                   .mean_by_nvert = nn_onnx_int (op, "mean_by_nvert", 0) != 0,
                   .collapse = (NnCollapse) CLAMP (nn_onnx_int (op, "collapse", 0), NN_COLLAPSE_NONE, NN_COLLAPSE_MAX) };
  if (op->n_input != 8 || data == NULL || count == NULL || data->constant != NULL || count->constant != NULL || data->rank != 3 ||
      data->batch != 0 || count->batch != 0 || data->dims[1] < 1 || g->n_aggregators < 1 || g->n_aggregators > G_MAXINT16 ||
      g->n_filters < 1 || g->n_filters > G_MAXINT16 || g->n_propagate < 1 || g->n_propagate > G_MAXINT16)
    return nn_load_unsupported (error, "its inputs or sizes are not those of a GarNet layer");
  if (!nn_onnx_natural (onnx, data, error))
    return FALSE;
  inputs[0] = data->node;
  inputs[1] = count->node;
  node = nn_onnx_node (onnx, NN_OP_GARNET, nn_onnx_out (op, 0), "GarNet", inputs, 2);
  if (!nn_act_find (nn_onnx_string (onnx, op, "activation", "linear"), &node->attrs.act))
    return nn_load_unsupported (error, "its activation is not known");
  node->attrs.extra = g;
  node->attrs.units = g->n_filters;
  node->shape = g->collapse == NN_COLLAPSE_NONE ? NN_SHAPE (data->dims[1], g->n_filters) : NN_SHAPE (g->n_filters);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const NnOnnxValue *value = nn_onnx_input (onnx, op, i + 2);

      if (value == NULL || value->constant == NULL || value->constant->dtype != NN_DTYPE_F32)
        return nn_load_unsupported (error, "its weights must be constant");
      nn_onnx_weight (onnx, node, NN_ROLE_OTHER, names[i], nn_tensor_ref (value->constant));
    }
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), data);
  result->rank = node->shape.rank + 1;
  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[i];
  return TRUE;
}

gboolean
nn_onnx_read_own (NnOnnx           *onnx,
                  Onnx__NodeProto  *op,
                  GError          **error)
{
  NnOnnxValue *value;
  NnQuantizer *quantizer = NULL;
  NnNode *node;

  if (g_str_equal (op->op_type, "QuantizedWeight"))
    return read_weight (onnx, op, error);
  if (g_str_has_prefix (op->op_type, "GarNet_"))
    return read_garnet (onnx, op, error);
  value = nn_onnx_data (onnx, op, error);
  if (value == NULL)
    return FALSE;
  if (g_str_equal (op->op_type, "BinaryTanh") || g_str_equal (op->op_type, "TernaryTanh") || g_str_equal (op->op_type, "GeluTanh"))
    {
      node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
      node->attrs.act = op->op_type[0] == 'B' ? NN_ACT_BINARY_TANH : op->op_type[0] == 'T' ? NN_ACT_TERNARY_TANH : NN_ACT_GELU_TANH;
      return nn_onnx_finish (onnx, node, error);
    }
  if (!g_str_has_prefix (op->op_type, "Quantizer_"))
    return nn_load_unsupported (error, "Espalier has no operator \"%s\"", op->op_type);
  quantizer = own_quantizer (onnx, op, error);
  if (quantizer == NULL || ((quantizer->n_alpha > 1 || quantizer->n_elements > 1) && !nn_onnx_natural (onnx, value, error)))
    return FALSE;
  onnx->quantized = TRUE;
  node = nn_onnx_like (onnx, op, NN_OP_QUANTIZE, value);
  node->attrs.quantizer = quantizer;
  return nn_onnx_finish (onnx, node, error);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantisers and weights in an ONNX file. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* A weight with what is pruned at 0. (transfer full) */
NnTensor *
nn_onnx_weight_values (const NnWeight *weight)
{
  NnTensor *values;

  if (weight->mask == NULL)
    return nn_tensor_ref (weight->values);
  values = nn_tensor_copy (weight->values);
  for (gsize i = 0; i < values->n; i++)
    if (nn_tensor_u8 (weight->mask)[i] == 0 && nn_tensor_f32 (values)[i] != 0)
      nn_tensor_f32 (values)[i] = 0;
  return values;
}

/* Quant of qonnx.custom_op.general: what the community's tools read. */
const char *
nn_onnx_put_quant (NnOnnxWriter       *w,
                   const NnNode       *node,
                   const NnQuantizer  *q,
                   const char         *input,
                   const char         *output,
                   GError            **error)
{
  gboolean plain = q->kind == NN_QUANT_FIXED || (q->kind == NN_QUANT_RELU && q->negative_slope == 0 && !q->use_sigmoid &&
                                                 q->max_value == 0);
  gboolean binary = q->kind == NN_QUANT_BINARY && q->type.kind == NN_TYPE_BINARY;
  static const char *const modes[] = { "FLOOR", "ROUND_TO_ZERO", NULL, NULL, "HALF_UP", NULL, "ROUND" };
  double lsb = binary ? 1 : ldexp (1, q->type.integer - q->type.width);
  const char *scale;
  Onnx__NodeProto *op;

  if ((!plain && !binary) || q->per_element != NULL || (plain && q->type.kind != NN_TYPE_FIXED) ||
      q->alpha_mode == NN_ALPHA_AUTO || q->alpha_mode == NN_ALPHA_AUTO_PO2 ||
      (q->alpha_mode == NN_ALPHA_FIXED && !q->alpha_divides && !binary) ||
      (plain && (modes[q->type.rounding] == NULL ||
                 (q->type.overflow != NN_OVERFLOW_SAT && q->type.overflow != NN_OVERFLOW_SAT_SYM))))
    {
      nn_onnx_fail (node, "QONNX has no such quantiser", error);
      return NULL;
    }
  w->quantized = TRUE;
  if (q->alpha_mode == NN_ALPHA_FIXED)
    {
      g_autoptr (NnTensor) alpha = q->n_alpha == 1 ? nn_tensor_new (NN_DTYPE_F32, &(NnShape){ 0 })
                                                   : nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (q->n_alpha));

      for (guint i = 0; i < q->n_alpha; i++)
        nn_tensor_f32 (alpha)[i] = (float) (q->alpha[i] * lsb);
      scale = nn_onnx_put (w, nn_onnx_text (w, "%s__scale", output), alpha);
    }
  else
    scale = nn_onnx_put_real (w, nn_onnx_text (w, "%s__scale", output), lsb);
  if (binary)
    op = nn_onnx_op (w, "BipolarQuant", output, input, scale, NULL);
  else
    {
      op = nn_onnx_op (w, "Quant", output, input, scale,
                       nn_onnx_put_real (w, nn_onnx_text (w, "%s__zero", output), q->zero_point),
                       nn_onnx_put_real (w, nn_onnx_text (w, "%s__bits", output), q->type.width), NULL);
      nn_onnx_set_int (w, op, "signed", q->type.is_signed);
      nn_onnx_set_int (w, op, "narrow", q->symmetric && q->type.is_signed);
      nn_onnx_set_text (w, op, "rounding_mode", modes[q->type.rounding]);
    }
  op->domain = (char *) "qonnx.custom_op.general";
  return output;
}

/* The initialiser of a weight, permuted, its quantiser behind it. */
const char *
nn_onnx_put_weight (NnOnnxWriter  *w,
                    const NnNode  *node,
                    NnRole         role,
                    const guint   *axes,
                    const NnShape *shape,
                    GError       **error)
{
  const NnWeight *weight = nn_model_node_weight (w->model, node, role);
  const NnQuantizer *q = node->attrs.role_quantizer[role];
  const char *name = nn_onnx_text (w, "%s__%s", node->name, nn_role_name (role));
  g_autoptr (NnTensor) values = NULL;

  if (weight == NULL)
    {
      nn_onnx_fail (node, "a weight is missing", error);
      return NULL;
    }
  values = nn_onnx_weight_values (weight);
  if (shape != NULL)
    {
      NnTensor *shaped = nn_tensor_new (NN_DTYPE_F32, shape);

      memcpy (shaped->data, values->data, values->n * sizeof (float));
      nn_tensor_unref (values);
      values = shaped;
    }
  if (axes != NULL)
    {
      NnTensor *turned = nn_tensor_transpose (values, axes);

      nn_tensor_unref (values);
      values = turned;
    }
  if (q == NULL)
    return nn_onnx_put (w, name, values);
  if (q->n_alpha > 1 && axes != NULL)
    {
      nn_onnx_fail (node, "a scale for each channel of a kernel that is permuted is not supported", error);
      return NULL;
    }
  return nn_onnx_put_quant (w, node, q, nn_onnx_put (w, nn_onnx_text (w, "%s__float", name), values), name, error);
}

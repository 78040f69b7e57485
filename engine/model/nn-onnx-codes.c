/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codes between QuantizeLinear and DequantizeLinear: what may stand between the two, and codes as data. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

/* Operators that move codes, or choose among them: the same as of the reals. */
static gboolean
moves_codes (const char *type)
{
  static const char *const types[] = { "MaxPool", "GlobalMaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice",
                                       "Split", "Gather", "Identity", "Dropout", "Tile", "Expand", "Concat", NULL };

  return g_strv_contains (types, type);
}

static gboolean
same_codes (const NnOnnxQuant *a,
            const NnOnnxQuant *b)
{
  return a->bits == b->bits && a->is_signed == b->is_signed && a->zero_point == b->zero_point && a->scale->n == 1 && b->scale->n == 1 &&
         nn_tensor_f32 (a->scale)[0] == nn_tensor_f32 (b->scale)[0];
}

/**
 * nn_onnx_check_codes:
 *
 * Errors: %NN_ERROR_UNSUPPORTED where @op would compute with codes, which stand as reals here
 */
gboolean
nn_onnx_check_codes (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  static const char *const readers[] = { "DequantizeLinear", "Clip", "Shape", NULL };
  gboolean on_codes = g_str_has_prefix (op->op_type, "QLinear");
  const NnOnnxValue *first = nn_onnx_input (onnx, op, 0);
  gboolean any = FALSE;

  for (guint i = 0; i < op->n_input; i++)
    {
      const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

      any |= value != NULL && value->codes != NULL;
      if (value != NULL && value->codes != NULL && i > 0 && !on_codes && !g_str_equal (op->op_type, "Concat"))
        return nn_load_unsupported (error, "\"%s\" holds codes of QuantizeLinear, which only DequantizeLinear turns into numbers", op->input[i]);
    }
  if (!any || on_codes || g_strv_contains (readers, op->op_type))
    return TRUE;
  if (!moves_codes (op->op_type))
    return nn_load_unsupported (error, "it computes with codes of QuantizeLinear; a DequantizeLinear must stand before it");
  if (first == NULL || first->codes == NULL || first->codes->scale->n != 1)
    return nn_load_unsupported (error, "codes with a scale for each channel can only be turned back where they were made");
  for (guint i = 1; g_str_equal (op->op_type, "Concat") && i < op->n_input; i++)
    {
      const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

      if (value == NULL || value->codes == NULL || !same_codes (first->codes, value->codes))
        return nn_load_unsupported (error, "codes of different scales cannot be put together");
    }
  return TRUE;
}

/* What is noted of the codes goes along to the results of an operator that moved them. */
void
nn_onnx_move_codes (NnOnnx          *onnx,
                    Onnx__NodeProto *op)
{
  const NnOnnxValue *from = nn_onnx_input (onnx, op, 0);

  if (from == NULL || from->codes == NULL || !moves_codes (op->op_type))
    return;
  for (guint k = 0; k < op->n_output; k++)
    {
      NnOnnxValue *to = g_hash_table_lookup (onnx->values, op->output[k]);

      if (to == NULL || to == from || to->codes != NULL)
        continue;
      to->codes = nn_onnx_quant_copy (from->codes, NULL, 0);
      to->code_min = from->code_min;
      to->code_max = from->code_max;
    }
}

/* Codes that come from outside: (code - zero point) * scale. */
gboolean
nn_onnx_decode (NnOnnx           *onnx,
                Onnx__NodeProto  *op,
                double            zero,
                GError          **error)
{
  const char *number = nn_onnx_middle (onnx, op, "zero"), *centred = zero != 0 ? nn_onnx_middle (onnx, op, "centred") : op->input[0];

  if (zero != 0)
    {
      nn_onnx_number (onnx, number, zero);
      if (!nn_onnx_run (onnx, "Sub", centred, op->input[0], number, error))
        return FALSE;
    }
  return nn_onnx_run (onnx, "Mul", nn_onnx_out (op, 0), centred, op->input[1], error);
}

/**
 * nn_onnx_encode:
 * @value: one that holds codes, an output of the network
 *
 * Makes of the reals that stand for them the codes themselves: quantised, divided by the scale, the zero point added.
 */
NnOnnxValue *
nn_onnx_encode (NnOnnx       *onnx,
                NnOnnxValue  *value,
                GError      **error)
{
  g_autofree char *reals = g_strdup_printf ("%s__reals", value->name), *whole = g_strdup_printf ("%s__whole", value->name);
  g_autofree char *scale = g_strdup_printf ("%s__scale", value->name), *zero = g_strdup_printf ("%s__zero", value->name);
  g_autofree char *codes = g_strdup_printf ("%s__codes", value->name);
  double shift = value->codes->zero_point;

  if (value->codes->scale->n != 1)
    {
      nn_load_unsupported (error, "\"%s\" holds codes with a scale for each channel", value->name);
      return NULL;
    }
  nn_onnx_number (onnx, scale, nn_tensor_f32 (value->codes->scale)[0]);
  nn_onnx_number (onnx, zero, shift);
  if (!nn_onnx_run (onnx, "DequantizeLinear", reals, value->name, scale, error) || !nn_onnx_run (onnx, "Div", whole, reals, scale, error) ||
      (shift != 0 && !nn_onnx_run (onnx, "Add", codes, whole, zero, error)))
    return NULL;
  return g_hash_table_lookup (onnx->values, shift != 0 ? codes : whole);
}

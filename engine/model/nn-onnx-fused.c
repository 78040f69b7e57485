/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators that runtimes put together out of several of ONNX's: with an activation, or on the codes of quantised tensors. Each is
 * read as what it is made of. Source: ONNX, QLinearConv and QLinearMatMul; onnxruntime, docs/ContribOperators. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

#define MAX_INPUTS 64
#define MAX_ATTRIBUTES 16

/* An operator that the file does not hold. Its names and attributes are others'. */
typedef struct {
  Onnx__NodeProto       op;
  char                 *inputs[MAX_INPUTS];
  char                 *outputs[1];
  Onnx__AttributeProto *attributes[MAX_ATTRIBUTES];
} Made;

static void
make (Made       *made,
      const char *type,
      const char *output)
{
  onnx__node_proto__init (&made->op);
  made->op.op_type = (char *) type;
  made->op.input = made->inputs;
  made->op.output = made->outputs;
  made->outputs[0] = (char *) output;
  made->op.n_output = 1;
  made->op.attribute = made->attributes;
}

static void
give (Made       *made,
      const char *input)
{
  if (made->op.n_input < MAX_INPUTS)
    made->inputs[made->op.n_input++] = (char *) input;
}

static void
give_attribute (Made                 *made,
                Onnx__AttributeProto *attribute)
{
  if (made->op.n_attribute < MAX_ATTRIBUTES)
    made->attributes[made->op.n_attribute++] = attribute;
}

static void
give_all_attributes (Made            *made,
                     Onnx__NodeProto *op)
{
  for (gsize i = 0; i < op->n_attribute; i++)
    give_attribute (made, op->attribute[i]);
}

static const char *
input_name (Onnx__NodeProto *op,
            guint            i)
{
  return i < op->n_input ? op->input[i] : "";
}

/* The attribute "activation" of @op from @input to its output. Its parameters stand in a list, or by their names. */
static gboolean
activate (NnOnnx           *onnx,
          Onnx__NodeProto  *op,
          const char       *input,
          GError          **error)
{
  static const char *const names[] = { "alpha", "beta" }, *const bounds[] = { "min", "max" }, *const own[] = { "activation_alpha", "activation_beta" };
  const char *type = nn_onnx_string (onnx, op, "activation", "");
  const Onnx__AttributeProto *list = nn_onnx_attribute (op, "activation_params");
  Onnx__AttributeProto attributes[2];
  Made made;

  make (&made, type, nn_onnx_out (op, 0));
  give (&made, input);
  for (guint i = 0; i < 2; i++)
    {
      const Onnx__AttributeProto *named = nn_onnx_attribute (op, own[i]);

      onnx__attribute_proto__init (&attributes[i]);
      attributes[i].name = (char *) (g_str_equal (type, "Clip") ? bounds[i] : names[i]);
      attributes[i].has_f = TRUE;
      if (list != NULL && i < list->n_floats)
        attributes[i].f = list->floats[i];
      else if (named != NULL && named->has_f)
        attributes[i].f = named->f;
      else
        continue;
      give_attribute (&made, &attributes[i]);
    }
  if (nn_onnx_find_reader (NULL, type) == NULL)
    return nn_load_unsupported (error, "its activation \"%s\" is not known", type);
  return nn_onnx_run_op (onnx, &made.op, error);
}

/* A matrix with its last two axes turned, where the attribute says so; the name of what serves. (nullable): %NULL with @error */
static const char *
turned (NnOnnx           *onnx,
        Onnx__NodeProto  *op,
        guint             i,
        const char       *attribute,
        GError          **error)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);
  const char *name = nn_onnx_middle (onnx, op, i == 0 ? "a_turned" : "b_turned");
  gint64 perm[NN_MAX_RANK + 1];
  Onnx__AttributeProto order;
  Made made;

  if (nn_onnx_int (op, attribute, 0) == 0)
    return op->input[i];
  if (value == NULL || value->rank < 2 || value->rank > NN_MAX_RANK)
    {
      nn_load_unsupported (error, "its factors must be matrices");
      return NULL;
    }
  for (guint k = 0; k < value->rank; k++)
    perm[k] = k + 2 < value->rank ? k : k + 2 == value->rank ? value->rank - 1 : value->rank - 2;
  onnx__attribute_proto__init (&order);
  order.name = (char *) "perm";
  order.ints = perm;
  order.n_ints = value->rank;
  make (&made, "Transpose", name);
  give (&made, op->input[i]);
  give_attribute (&made, &order);
  return nn_onnx_run_op (onnx, &made.op, error) ? name : NULL;
}

static gboolean
read_fused_matmul (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  double alpha = nn_onnx_float (op, "alpha", 1);
  const char *product = alpha != 1 ? nn_onnx_middle (onnx, op, "product") : nn_onnx_out (op, 0), *factor = nn_onnx_middle (onnx, op, "alpha");
  const char *a, *b;

  if (op->n_input != 2 || nn_onnx_int (op, "transBatchA", 0) != 0 || nn_onnx_int (op, "transBatchB", 0) != 0)
    return nn_load_unsupported (error, "transBatchA and transBatchB are not supported");
  a = turned (onnx, op, 0, "transA", error);
  b = a != NULL ? turned (onnx, op, 1, "transB", error) : NULL;
  if (b == NULL || !nn_onnx_run (onnx, "MatMul", product, a, b, error))
    return FALSE;
  if (alpha == 1)
    return TRUE;
  nn_onnx_number (onnx, factor, alpha);
  return nn_onnx_run (onnx, "Mul", nn_onnx_out (op, 0), product, factor, error);
}

/* FusedConv, FusedGemm, FusedMatMul: Conv may have a fourth input, which is added before the activation. */
gboolean
nn_onnx_read_fused (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  gboolean conv = g_str_equal (op->op_type, "FusedConv"), active = nn_onnx_string (onnx, op, "activation", "")[0] != '\0';
  gboolean added = conv && input_name (op, 3)[0] != '\0';
  const char *sum = active || added ? nn_onnx_middle (onnx, op, "sum") : nn_onnx_out (op, 0);
  const char *both = active ? nn_onnx_middle (onnx, op, "added") : nn_onnx_out (op, 0);
  Made made;

  if (g_str_equal (op->op_type, "FusedMatMul"))
    return read_fused_matmul (onnx, op, error);
  make (&made, conv ? "Conv" : "Gemm", sum);
  for (guint i = 0; i < MIN (op->n_input, 3); i++)
    if (i < 2 || op->input[i][0] != '\0') /* the bias may be left out before what is added */
      give (&made, op->input[i]);
  give_all_attributes (&made, op);
  if (!nn_onnx_run_op (onnx, &made.op, error) || (added && !nn_onnx_run (onnx, "Add", both, sum, op->input[3], error)))
    return FALSE;
  return !active || activate (onnx, op, added ? both : sum, error);
}

/* The reals of codes. @axis: along which several scales lie */
static gboolean
to_reals (NnOnnx      *onnx,
          const char  *name,
          const char  *codes,
          const char  *scale,
          const char  *zero,
          gint64       axis,
          GError     **error)
{
  Onnx__AttributeProto along;
  Made made;

  onnx__attribute_proto__init (&along);
  along.name = (char *) "axis";
  along.has_i = TRUE;
  along.i = axis;
  make (&made, "DequantizeLinear", name);
  give (&made, codes);
  give (&made, scale);
  if (zero[0] != '\0')
    give (&made, zero);
  give_attribute (&made, &along);
  return nn_onnx_run_op (onnx, &made.op, error);
}

static gboolean
to_codes (NnOnnx      *onnx,
          const char  *name,
          const char  *reals,
          const char  *scale,
          const char  *zero,
          GError     **error)
{
  Made made;

  make (&made, "QuantizeLinear", name);
  give (&made, reals);
  give (&made, scale);
  if (zero[0] != '\0')
    give (&made, zero);
  return nn_onnx_run_op (onnx, &made.op, error);
}

/* A bias lies in 32 bits on the grid of the products: the scale of the data times that of the kernel. */
static gboolean
bias_to_reals (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               const char       *name,
               GError          **error)
{
  const char *scale = nn_onnx_middle (onnx, op, "bias_scale");

  return nn_onnx_run (onnx, "Mul", scale, op->input[1], op->input[4], error) && to_reals (onnx, name, op->input[8], scale, "", 0, error);
}

static const struct {
  const char *type;
  const char *plain;
  guint       n_data;     /* operands, each of codes, scale, zero point */
  gint64      axis;       /* of the second one's scales */
} on_codes[] = {
  { "QLinearConv", "Conv", 2, 0 },           { "QLinearMatMul", "MatMul", 2, -1 },
  { "QLinearAdd", "Add", 2, -1 },            { "QLinearMul", "Mul", 2, -1 },
  { "QLinearSigmoid", "Sigmoid", 1, 0 },     { "QLinearLeakyRelu", "LeakyRelu", 1, 0 },
  { "QLinearSoftmax", "Softmax", 1, 0 },     { "QLinearAveragePool", "AveragePool", 1, 0 },
  { "QLinearGlobalAveragePool", "GlobalAveragePool", 1, 0 },
};

/* An operator on codes: their reals, the plain operator, and codes of what that answers. */
gboolean
nn_onnx_read_on_codes (NnOnnx           *onnx,
                       Onnx__NodeProto  *op,
                       GError          **error)
{
  const char *sum = nn_onnx_middle (onnx, op, "reals"), *reals[2] = { nn_onnx_middle (onnx, op, "a_reals"), nn_onnx_middle (onnx, op, "b_reals") };
  const char *bias = nn_onnx_middle (onnx, op, "bias_reals");
  Made made;

  for (guint i = 0; i < G_N_ELEMENTS (on_codes); i++)
    {
      guint n = on_codes[i].n_data;

      if (!g_str_equal (on_codes[i].type, op->op_type))
        continue;
      if (op->n_input < 3 * n + 1)
        return nn_load_unsupported (error, "it needs codes, scale and zero point of each operand, and the result's scale");
      make (&made, on_codes[i].plain, sum);
      if (nn_onnx_int (op, "channels_last", 0) != 0)
        made.op.domain = (char *) "qonnx.custom_op.channels_last";
      for (guint k = 0; k < n; k++)
        {
          if (!to_reals (onnx, reals[k], op->input[3 * k], op->input[3 * k + 1], op->input[3 * k + 2], k == 1 ? on_codes[i].axis : 1, error))
            return FALSE;
          give (&made, reals[k]);
        }
      if (input_name (op, 8)[0] != '\0' && g_str_equal (on_codes[i].plain, "Conv"))
        {
          if (!bias_to_reals (onnx, op, bias, error))
            return FALSE;
          give (&made, bias);
        }
      give_all_attributes (&made, op);
      return nn_onnx_run_op (onnx, &made.op, error) &&
             to_codes (onnx, nn_onnx_out (op, 0), sum, op->input[3 * n], input_name (op, 3 * n + 1), error);
    }
  return nn_load_unsupported (error, "Espalier has no operator \"%s\"", op->op_type);
}

/* QLinearConcat: the result's scale and zero point, then three inputs for each part. */
gboolean
nn_onnx_read_codes_concat (NnOnnx           *onnx,
                           Onnx__NodeProto  *op,
                           GError          **error)
{
  const char *joined = nn_onnx_middle (onnx, op, "reals");
  Made made;

  if (op->n_input < 5 || (op->n_input - 2) % 3 != 0 || op->n_input / 3 > MAX_INPUTS)
    return nn_load_unsupported (error, "it needs codes, scale and zero point of each of at most %d parts", MAX_INPUTS);
  make (&made, "Concat", joined);
  give_all_attributes (&made, op);
  for (guint i = 2; i < op->n_input; i += 3)
    {
      g_autofree char *suffix = g_strdup_printf ("reals_%u", i / 3);
      const char *part = nn_onnx_middle (onnx, op, suffix);

      if (!to_reals (onnx, part, op->input[i], op->input[i + 1], op->input[i + 2], 1, error))
        return FALSE;
      give (&made, part);
    }
  return nn_onnx_run_op (onnx, &made.op, error) && to_codes (onnx, nn_onnx_out (op, 0), joined, op->input[0], op->input[1], error);
}

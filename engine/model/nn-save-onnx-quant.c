/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantisers and weights in an ONNX file: QONNX's operators where they say it, ours where they do not. */

#include "nn-save-onnx.h"

#include "nn-quant.h"
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

/* QONNX's word for a rounding; %NULL where it has none. */
static const char *
rounding_mode (NnRounding rounding)
{
  static const char *const modes[] = { "FLOOR", "ROUND_TO_ZERO", NULL, "HALF_DOWN", "HALF_UP", NULL, "ROUND" };

  return modes[rounding];
}

static gboolean
is_bipolar (const NnQuantizer *q)
{
  return q->kind == NN_QUANT_BINARY && q->type.kind == NN_TYPE_BINARY && q->alpha_mode <= NN_ALPHA_FIXED;
}

/* Whether Quant says all of @q; one rounding serves a whole file, as its function is written for one. */
static gboolean
fits_qonnx (const NnOnnxWriter *w,
            const NnQuantizer  *q)
{
  gboolean plain = q->kind == NN_QUANT_FIXED ||
                   (q->kind == NN_QUANT_RELU && q->negative_slope == 0 && !q->use_sigmoid && q->max_value == 0);

  if (is_bipolar (q))
    return q->per_element == NULL;
  return plain && q->per_element == NULL && q->type.kind == NN_TYPE_FIXED && q->type.width > 0 &&
         (q->alpha_mode == NN_ALPHA_ONE || (q->alpha_mode == NN_ALPHA_FIXED && q->alpha_divides)) && !q->rounds_first &&
         rounding_mode (q->type.rounding) != NULL &&
         (q->type.overflow == NN_OVERFLOW_SAT || (q->type.overflow == NN_OVERFLOW_SAT_SYM && q->symmetric)) &&
         (!w->quantized || w->quant_rounding == q->type.rounding);
}

/* @scale: the name of the scale, which is not put there yet */
static void
put_qonnx (NnOnnxWriter      *w,
           const NnQuantizer *q,
           const NnShape     *scale_shape,
           const char        *input,
           const char        *output)
{
  gboolean bipolar = is_bipolar (q);
  double lsb = bipolar ? 1 : ldexp (1, q->type.integer - q->type.width);
  const char *scale = nn_onnx_text (w, "%s__scale", output);
  Onnx__NodeProto *op;

  if (q->alpha_mode == NN_ALPHA_FIXED)
    {
      g_autoptr (NnTensor) alpha = nn_tensor_new (NN_DTYPE_F32, q->n_alpha == 1 ? &(NnShape){ 0 } : scale_shape);

      for (guint i = 0; i < q->n_alpha; i++)
        nn_tensor_f32 (alpha)[i] = (float) (q->alpha[i] * lsb);
      nn_onnx_put (w, scale, alpha);
    }
  else
    nn_onnx_put_real (w, scale, lsb);
  if (bipolar)
    {
      op = nn_onnx_op (w, "BipolarQuant", output, input, scale, NULL);
      if (!w->bipolar)
        nn_onnx_put_qonnx_function (w, TRUE, NN_ROUND_RND_CONV);
      w->bipolar = TRUE;
    }
  else
    {
      op = nn_onnx_op (w, "Quant", output, input, scale,
                       nn_onnx_put_real (w, nn_onnx_text (w, "%s__zero", output), q->zero_point),
                       nn_onnx_put_real (w, nn_onnx_text (w, "%s__bits", output), q->type.width), NULL);
      nn_onnx_set_int (w, op, "signed", q->type.is_signed);
      nn_onnx_set_int (w, op, "narrow", q->symmetric && q->type.is_signed);
      nn_onnx_set_text (w, op, "rounding_mode", rounding_mode (q->type.rounding));
      if (!w->quantized)
        nn_onnx_put_qonnx_function (w, FALSE, q->type.rounding);
      w->quantized = TRUE;
      w->quant_rounding = q->type.rounding;
    }
  op->domain = (char *) NN_ONNX_QONNX_DOMAIN;
}

/* Scales and types that go by the last axis want a value that has its channels there. */
NnOnnxLayout
nn_onnx_quant_layout (const NnQuantizer *q,
                      NnOnnxLayout       wanted)
{
  return q != NULL && (q->n_alpha > 1 || q->n_elements > 1) ? NN_ONNX_LAST : wanted;
}

/**
 * nn_onnx_put_quant:
 * @shape: of the sample
 *
 * A quantiser of an activation, in the layout of nn_onnx_quant_layout().
 *
 * Returns: @output; %NULL with @error where ONNX cannot hold it
 */
const char *
nn_onnx_put_quant (NnOnnxWriter       *w,
                   const NnNode       *node,
                   const NnQuantizer  *q,
                   const NnShape      *shape,
                   const char         *input,
                   const char         *output,
                   GError            **error)
{
  if (q->kind == NN_QUANT_NONE)
    nn_onnx_op (w, "Identity", output, input, NULL);
  else if (fits_qonnx (w, q))
    put_qonnx (w, q, &NN_SHAPE (MAX (q->n_alpha, 1)), input, output);
  else if (nn_onnx_put_own_quant (w, q, shape, input, output) == NULL)
    {
      nn_onnx_fail (node, "its quantiser's scale depends on the data", error);
      return NULL;
    }
  return output;
}

/* What the quantiser makes of a weight, in double precision, rounded once. (transfer full) */
static NnTensor *
quantized_values (const NnQuantizer *q,
                  const NnTensor    *values)
{
  g_autoptr (NnTensor) real = nn_tensor_convert (values, NN_DTYPE_F64);

  nn_quantize (q, &values->shape, nn_tensor_f64 (real));
  return nn_tensor_convert (real, NN_DTYPE_F32);
}

/* @values seen as @shape, then with its axes turned. (transfer full) */
static NnTensor *
arranged (NnTensor      *values,
          const guint   *axes,
          const NnShape *shape)
{
  g_autoptr (NnTensor) shaped = nn_tensor_ref (values);

  if (shape != NULL)
    {
      nn_tensor_unref (shaped);
      shaped = nn_tensor_new (NN_DTYPE_F32, shape);
      memcpy (shaped->data, values->data, values->n * sizeof (float));
    }
  return axes != NULL ? nn_tensor_transpose (shaped, axes) : g_steal_pointer (&shaped);
}

/**
 * nn_onnx_put_values:
 * @name: of the result
 * @values: as Keras lays them
 * @q: (nullable): theirs
 * @axes: (nullable): how the file lays them
 * @shape: (nullable): as which they are seen before
 *
 * Returns: @name
 */
const char *
nn_onnx_put_values (NnOnnxWriter      *w,
                    const char        *name,
                    NnTensor          *values,
                    const NnQuantizer *q,
                    const guint       *axes,
                    const NnShape     *shape)
{
  g_autoptr (NnTensor) turned = arranged (values, axes, shape);
  g_autoptr (NnTensor) used = NULL, used_turned = NULL;

  if (q == NULL || q->kind == NN_QUANT_NONE)
    return nn_onnx_put (w, name, turned);
  if (fits_qonnx (w, q) && (q->n_alpha <= 1 || (shape == NULL && q->n_alpha == (guint) nn_shape_last (&values->shape))))
    {
      NnShape scale = { .rank = values->shape.rank };

      /* the last of Keras's axes, wherever it goes */
      for (guint i = 0; i < scale.rank; i++)
        scale.dims[i] = (axes != NULL ? axes[i] : i) + 1 == scale.rank ? (gint64) MAX (q->n_alpha, 1) : 1;
      put_qonnx (w, q, &scale, nn_onnx_put (w, nn_onnx_text (w, "%s__float", name), turned), name);
      return name;
    }
  used = quantized_values (q, values);
  used_turned = arranged (used, axes, shape);
  nn_onnx_put_frozen (w, q, turned, used_turned, name);
  return name;
}

/* gamma / sqrt (variance + epsilon) of a layer that folds a batch norm into its kernel. */
static double
folded_factor (const NnWeight *gamma,
               const NnWeight *variance,
               double          epsilon,
               gsize           c)
{
  return (gamma != NULL ? nn_tensor_f32 (gamma->values)[c] : 1) / sqrt (nn_tensor_f32 (variance->values)[c] + epsilon);
}

/* The kernel or the bias with the batch norm in it. (transfer full); %NULL where the layer has none */
static NnTensor *
folded (NnOnnxWriter *w,
        const NnNode *node,
        NnRole        role)
{
  const NnWeight *variance = nn_model_node_weight (w->model, node, NN_ROLE_VARIANCE);
  const NnWeight *mean = nn_model_node_weight (w->model, node, NN_ROLE_MEAN);
  const NnWeight *gamma = nn_model_node_weight (w->model, node, NN_ROLE_GAMMA);
  const NnWeight *beta = nn_model_node_weight (w->model, node, NN_ROLE_BETA);
  const NnWeight *weight = nn_model_node_weight (w->model, node, role);
  g_autoptr (NnTensor) values = weight != NULL ? nn_onnx_weight_values (weight) : NULL;
  gsize n;
  NnTensor *result;

  if (variance == NULL || mean == NULL || (role != NN_ROLE_KERNEL && role != NN_ROLE_BIAS) || (role == NN_ROLE_KERNEL && values == NULL))
    return NULL;
  n = variance->values->n;
  if (role == NN_ROLE_KERNEL)
    {
      result = nn_tensor_copy (values);
      for (gsize i = 0; i < result->n; i++)
        nn_tensor_f32 (result)[i] = (float) (nn_tensor_f32 (values)[i] * folded_factor (gamma, variance, node->attrs.epsilon, i % n));
      return result;
    }
  result = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));
  for (gsize c = 0; c < n; c++)
    nn_tensor_f32 (result)[c] =
        (float) (folded_factor (gamma, variance, node->attrs.epsilon, c) *
                     ((values != NULL ? nn_tensor_f32 (values)[c] : 0.0) - nn_tensor_f32 (mean->values)[c]) +
                 (beta != NULL ? nn_tensor_f32 (beta->values)[c] : 0));
  return result;
}

/* Whether the layer adds something to its sum: its bias, or what a batch norm folded into it leaves. */
gboolean
nn_onnx_has_bias (NnOnnxWriter *w,
                  const NnNode *node)
{
  return node->attrs.use_bias || nn_model_node_weight (w->model, node, NN_ROLE_VARIANCE) != NULL;
}

/* A weight as its quantiser leaves it, in Keras's layout. (transfer full) */
NnTensor *
nn_onnx_used_weight (NnOnnxWriter *w,
                     const NnNode *node,
                     NnRole        role)
{
  g_autoptr (NnTensor) values = nn_onnx_weight_values (nn_model_node_weight (w->model, node, role));

  return node->attrs.role_quantizer[role] != NULL ? quantized_values (node->attrs.role_quantizer[role], values)
                                                  : g_steal_pointer (&values);
}

/* A weight by its role, a folded batch norm within it, its quantiser behind it. */
const char *
nn_onnx_put_weight (NnOnnxWriter  *w,
                    const NnNode  *node,
                    NnRole         role,
                    const guint   *axes,
                    const NnShape *shape,
                    GError       **error)
{
  const NnWeight *weight = nn_model_node_weight (w->model, node, role);
  gboolean folds = nn_op_info (node->op)->op_class == NN_OP_CLASS_MULTIPLY;
  g_autoptr (NnTensor) values = folds ? folded (w, node, role) : NULL;

  if (values == NULL && weight != NULL)
    values = nn_onnx_weight_values (weight);
  if (values == NULL)
    {
      nn_onnx_fail (node, "a weight is missing", error);
      return NULL;
    }
  return nn_onnx_put_values (w, nn_onnx_text (w, "%s__%s", node->name, nn_role_name (role)), values,
                             node->attrs.role_quantizer[role], axes, shape);
}

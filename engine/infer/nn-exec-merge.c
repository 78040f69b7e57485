/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators of several activations: merges with broadcasting, products, Einstein sums. */

#include "nn-exec-private.h"

#include "nn-einsum.h"

#include <math.h>
#include <string.h>

/* Steps through @from while @to is walked in order; a broadcast axis has step 0. Axes are aligned at the end. */
static gboolean
broadcast_strides (const NnShape *from,
                   const NnShape *to,
                   gsize         *strides)
{
  gsize size = 1;

  if (from->rank > to->rank)
    return FALSE;
  for (guint i = 0; i < to->rank; i++)
    strides[i] = 0;
  for (guint i = from->rank; i-- > 0;)
    {
      guint d = to->rank - from->rank + i;

      if (from->dims[i] != 1 && from->dims[i] != to->dims[d])
        return FALSE;
      strides[d] = from->dims[i] == 1 ? 0 : size;
      size *= from->dims[i];
    }
  return TRUE;
}

static gsize
broadcast_index (const NnShape *to,
                 const gsize   *strides,
                 gsize          i)
{
  gsize at = 0;

  for (guint d = to->rank; d-- > 0;)
    {
      at += i % (gsize) to->dims[d] * strides[d];
      i /= (gsize) to->dims[d];
    }
  return at;
}

gboolean
nn_prepare_merge (NnStep  *step,
                  GError **error)
{
  gsize strides[NN_MAX_RANK];

  for (guint k = 0; k < step->node->n_inputs; k++)
    if (!broadcast_strides (&step->in_shape[k], &step->shape, strides))
      return nn_step_fail (step, "its inputs differ in shape", error);
  return TRUE;
}

static double
merge (NnOp   op,
       double a,
       double b)
{
  switch (op)
    {
    case NN_OP_SUBTRACT:
      return a - b;
    case NN_OP_MULTIPLY:
      return a * b;
    case NN_OP_DIVIDE:
      return a / b;
    case NN_OP_MAXIMUM:
      return fmax (a, b);
    case NN_OP_MINIMUM:
      return fmin (a, b);
    case NN_OP_ADD:
    case NN_OP_AVERAGE:
    default:
      return a + b;
    }
}

void
nn_step_merge (const NnStep        *step,
               const double *const *in,
               double              *out,
               double              *scratch)
{
  gsize strides[NN_MAX_RANK];

  for (guint k = 0; k < step->node->n_inputs; k++)
    {
      gboolean same = step->in_n[k] == step->n;

      broadcast_strides (&step->in_shape[k], &step->shape, strides);
      for (gsize i = 0; i < step->n; i++)
        {
          double v = in[k][same ? i : broadcast_index (&step->shape, strides, i)];

          out[i] = k == 0 ? v : merge (step->node->op, out[i], v);
        }
    }
  for (gsize i = 0; step->node->op == NN_OP_AVERAGE && i < step->n; i++)
    out[i] /= step->node->n_inputs;
}

gboolean
nn_prepare_dot (NnStep  *step,
                GError **error)
{
  return (step->in_n[0] == step->in_n[1] && step->n == 1) ||
         nn_step_fail (step, "only the product of two vectors of one length is supported", error);
}

void
nn_step_dot (const NnStep        *step,
             const double *const *in,
             double              *out,
             double              *scratch)
{
  double sum = 0, aa = 0, bb = 0;

  for (gsize i = 0; i < step->in_n[0]; i++)
    {
      sum += in[0][i] * in[1][i];
      aa += in[0][i] * in[0][i];
      bb += in[1][i] * in[1][i];
    }
  /* Keras's l2_normalize divides by sqrt (max (sum of squares, 1e-12)) */
  *out = step->node->attrs.normalize ? sum / sqrt (fmax (aa, 1e-12) * fmax (bb, 1e-12)) : sum;
}

gboolean
nn_prepare_matmul (NnStep  *step,
                   GError **error)
{
  NnShape a = step->in_shape[0], b = step->in_shape[1], to = step->shape;
  gsize strides[NN_MAX_RANK];

  if (a.rank < 2 || b.rank < 2 || a.dims[a.rank - 1] != b.dims[b.rank - 2])
    return nn_step_fail (step, "its inputs' inner axes differ", error);
  a.rank -= 2;
  b.rank -= 2;
  to.rank -= 2;
  return (broadcast_strides (&a, &to, strides) && broadcast_strides (&b, &to, strides)) ||
         nn_step_fail (step, "its inputs differ in shape", error);
}

void
nn_step_matmul (const NnStep        *step,
                const double *const *in,
                double              *out,
                double              *scratch)
{
  NnShape a = step->in_shape[0], b = step->in_shape[1], to = step->shape;
  gsize sa[NN_MAX_RANK], sb[NN_MAX_RANK];
  gsize n = a.dims[a.rank - 2], inner = a.dims[a.rank - 1], m = b.dims[b.rank - 1], batches = step->n / MAX (n * m, 1);

  a.rank -= 2;
  b.rank -= 2;
  to.rank -= 2;
  broadcast_strides (&a, &to, sa);
  broadcast_strides (&b, &to, sb);
  for (gsize k = 0; k < batches; k++, out += n * m)
    {
      const double *x = in[0] + broadcast_index (&to, sa, k) * n * inner;
      const double *y = in[1] + broadcast_index (&to, sb, k) * inner * m;

      memset (out, 0, n * m * sizeof *out);
      for (gsize i = 0; i < n; i++)
        for (gsize l = 0; l < inner; l++)
          for (gsize j = 0; j < m; j++)
            out[i * m + j] += x[i * inner + l] * y[l * m + j];
    }
}

/* Shapes are without the batch, but that of a kernel. */
static gboolean
einsum_parse (NnStep        *step,
              const NnShape *shapes,
              guint          n)
{
  NnShape to = nn_einsum_batched (&step->shape);
  NnEinsum *sum = g_new0 (NnEinsum, 1);

  step->plan = sum;
  return nn_einsum_init (sum, step->node->attrs.equation, shapes, n, &to);
}

gboolean
nn_prepare_einsum (NnStep  *step,
                   GError **error)
{
  NnShape shapes[NN_EINSUM_OPERANDS];
  guint n = step->node->n_inputs;

  if (n > NN_EINSUM_OPERANDS || step->shape.rank >= NN_MAX_RANK)
    return nn_step_fail (step, "it has too many inputs or axes", error);
  for (guint k = 0; k < n; k++)
    {
      if (step->in_shape[k].rank >= NN_MAX_RANK)
        return nn_step_fail (step, "an input has too many axes", error);
      shapes[k] = nn_einsum_batched (&step->in_shape[k]);
    }
  return einsum_parse (step, shapes, n) ||
         nn_step_fail (step, "its equation does not fit its inputs", error);
}

gboolean
nn_prepare_einsum_dense (NnStep  *step,
                         GError **error)
{
  NnShape shapes[2];
  gsize strides[NN_MAX_RANK];

  if (step->in_shape[0].rank >= NN_MAX_RANK || step->shape.rank >= NN_MAX_RANK)
    return nn_step_fail (step, "it has too many axes", error);
  if (step->w[NN_ROLE_KERNEL] == NULL)
    return nn_step_fail (step, "its kernel is missing", error);
  shapes[0] = nn_einsum_batched (&step->in_shape[0]);
  shapes[1] = step->w_shape[NN_ROLE_KERNEL];
  if (!einsum_parse (step, shapes, 2))
    return nn_step_fail (step, "its equation does not fit its input and kernel", error);
  return step->w_n[NN_ROLE_BIAS] == 0 || broadcast_strides (&step->w_shape[NN_ROLE_BIAS], &step->shape, strides) ||
         nn_step_fail (step, "its bias does not fit its output", error);
}

/* Sums over the letters from @letter on; @at are the operands' positions. */
static double
einsum_sum (const NnEinsum      *sum,
            const double *const *in,
            guint                letter,
            gsize               *at)
{
  double result = 0;

  if (letter == sum->n_letters)
    {
      result = 1;
      for (guint k = 0; k < sum->n_operands; k++)
        result *= in[k][at[k]];
      return result;
    }
  for (gsize i = 0; i < sum->extent[letter]; i++)
    {
      result += einsum_sum (sum, in, letter + 1, at);
      for (guint k = 0; k < sum->n_operands; k++)
        at[k] += sum->stride[k][letter];
    }
  for (guint k = 0; k < sum->n_operands; k++)
    at[k] -= sum->extent[letter] * sum->stride[k][letter];
  return result;
}

static void
einsum_run (const NnStep        *step,
            const double *const *in,
            double              *out)
{
  const NnEinsum *sum = step->plan;

  for (gsize i = 0; i < step->n; i++)
    {
      gsize at[NN_EINSUM_OPERANDS] = { 0 }, rest = i;

      for (guint l = sum->n_outer; l-- > 0;)
        {
          gsize index = rest % sum->extent[l];

          rest /= sum->extent[l];
          for (guint k = 0; k < sum->n_operands; k++)
            at[k] += index * sum->stride[k][l];
        }
      out[i] = einsum_sum (sum, in, sum->n_outer, at);
    }
}

void
nn_step_einsum (const NnStep        *step,
                const double *const *in,
                double              *out,
                double              *scratch)
{
  einsum_run (step, in, out);
}

void
nn_step_einsum_dense (const NnStep        *step,
                      const double *const *in,
                      double              *out,
                      double              *scratch)
{
  const double *operands[2] = { in[0], step->w[NN_ROLE_KERNEL] };
  gsize strides[NN_MAX_RANK];

  einsum_run (step, operands, out);
  if (step->w_n[NN_ROLE_BIAS] == 0)
    return;
  broadcast_strides (&step->w_shape[NN_ROLE_BIAS], &step->shape, strides);
  for (gsize i = 0; i < step->n; i++)
    out[i] += step->w[NN_ROLE_BIAS][broadcast_index (&step->shape, strides, i)];
}

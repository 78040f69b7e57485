/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers, normalisation and look-ups in double precision. */

#include "nn-exec-private.h"

#include <math.h>
#include <string.h>

void
nn_step_copy (const NnStep        *step,
              const double *const *in,
              double              *out,
              double              *scratch)
{
  memcpy (out, in[0], step->n * sizeof *out);
}

gboolean
nn_prepare_constant (NnStep  *step,
                     GError **error)
{
  return nn_step_need (step, NN_ROLE_VALUE, step->n, error);
}

void
nn_step_constant (const NnStep        *step,
                  const double *const *in,
                  double              *out,
                  double              *scratch)
{
  memcpy (out, step->w[NN_ROLE_VALUE], step->n * sizeof *out);
}

gboolean
nn_prepare_dense (NnStep  *step,
                  GError **error)
{
  gsize in = nn_shape_last (&step->in_shape[0]), out = nn_shape_last (&step->shape);

  return nn_step_need (step, NN_ROLE_KERNEL, in * out, error) &&
         (step->w_n[NN_ROLE_BIAS] == 0 || nn_step_need (step, NN_ROLE_BIAS, out, error));
}

/* On the last axis, for any number of axes before it. */
void
nn_step_dense (const NnStep        *step,
               const double *const *in,
               double              *out,
               double              *scratch)
{
  gsize n_in = nn_shape_last (&step->in_shape[0]), n_out = nn_shape_last (&step->shape);
  gsize rows = n_out > 0 ? step->n / n_out : 0;
  const double *kernel = step->w[NN_ROLE_KERNEL], *bias = step->w[NN_ROLE_BIAS];

  for (gsize r = 0; r < rows; r++)
    {
      const double *x = in[0] + r * n_in;
      double *y = out + r * n_out;

      for (gsize o = 0; o < n_out; o++)
        y[o] = bias != NULL ? bias[o] : 0;
      for (gsize i = 0; i < n_in; i++)
        for (gsize o = 0; o < n_out; o++)
          y[o] += x[i] * kernel[i * n_out + o];
    }
}

/* A factor and a shift for each channel: normalisation as it is at inference, and ApplyAlpha. */
typedef struct {
  gsize   inner;    /* numbers after the channel axis */
  gsize   channels;
  double *factor;   /* in the same block */
  double *shift;
} Affine;

static Affine *
affine_new (NnStep *step,
            gsize   channels)
{
  Affine *affine = g_malloc0 (sizeof *affine + 2 * channels * sizeof (double));
  guint rank = step->shape.rank;
  gsize axis = nn_step_axis (step->node->attrs.axis, rank);

  /* an axis that was left at its default, or counts wrong, is the channels'; only a batch norm tells the first one */
  if (rank == 0 || (gsize) step->shape.dims[axis] != channels || (step->node->attrs.axis == 0 && step->node->op != NN_OP_BATCH_NORM))
    axis = rank > 0 ? rank - 1 : 0;
  affine->inner = 1;
  for (guint i = axis + 1; i < rank; i++)
    affine->inner *= step->shape.dims[i];
  affine->channels = channels;
  affine->factor = (double *) (affine + 1);
  affine->shift = affine->factor + channels;
  step->plan = affine;
  return affine;
}

static gboolean
fits_axis (const NnStep *step,
           gsize         channels,
           GError      **error)
{
  for (guint i = 0; i < step->shape.rank; i++)
    if ((gsize) step->shape.dims[i] == channels)
      return TRUE;
  return channels == 1 || nn_step_fail (step, "its weights do not fit its input", error);
}

gboolean
nn_prepare_batch_norm (NnStep  *step,
                       GError **error)
{
  gsize n = step->w_n[NN_ROLE_MEAN];
  Affine *affine;

  if (n == 0 || !nn_step_need (step, NN_ROLE_VARIANCE, n, error))
    return n > 0 ? FALSE : nn_step_fail (step, "its moving mean is missing", error);
  if ((step->w_n[NN_ROLE_GAMMA] > 0 && !nn_step_need (step, NN_ROLE_GAMMA, n, error)) ||
      (step->w_n[NN_ROLE_BETA] > 0 && !nn_step_need (step, NN_ROLE_BETA, n, error)) || !fits_axis (step, n, error))
    return FALSE;
  affine = affine_new (step, n);
  for (gsize c = 0; c < n; c++)
    {
      double gamma = step->w_n[NN_ROLE_GAMMA] > 0 ? step->w[NN_ROLE_GAMMA][c] : 1;
      double beta = step->w_n[NN_ROLE_BETA] > 0 ? step->w[NN_ROLE_BETA][c] : 0;

      affine->factor[c] = gamma / sqrt (step->w[NN_ROLE_VARIANCE][c] + step->node->attrs.epsilon);
      affine->shift[c] = beta - step->w[NN_ROLE_MEAN][c] * affine->factor[c];
    }
  return TRUE;
}

gboolean
nn_prepare_scale (NnStep  *step,
                  GError **error)
{
  gsize n = MAX (step->w_n[NN_ROLE_SCALE], step->w_n[NN_ROLE_BIAS]);
  Affine *affine;

  for (NnRole role = 0; role < NN_N_ROLES; role++)
    if ((role == NN_ROLE_SCALE || role == NN_ROLE_BIAS) && step->w_n[role] > 1 && step->w_n[role] != n)
      return nn_step_fail (step, "its scale and bias differ in size", error);
  if (n == 0)
    return nn_step_fail (step, "its scale is missing", error);
  if (n != step->n && !fits_axis (step, n, error))
    return FALSE;
  affine = affine_new (step, n);
  affine->inner = n == step->n ? 1 : affine->inner;
  for (gsize c = 0; c < n; c++)
    {
      gsize n_scale = step->w_n[NN_ROLE_SCALE], n_bias = step->w_n[NN_ROLE_BIAS];

      affine->factor[c] = n_scale > 0 ? step->w[NN_ROLE_SCALE][c % n_scale] : 1;
      affine->shift[c] = n_bias > 0 ? step->w[NN_ROLE_BIAS][c % n_bias] : 0;
    }
  return TRUE;
}

void
nn_step_affine (const NnStep        *step,
                const double *const *in,
                double              *out,
                double              *scratch)
{
  const Affine *affine = step->plan;

  for (gsize i = 0; i < step->n; i++)
    {
      gsize c = i / affine->inner % affine->channels;

      out[i] = in[0][i] * affine->factor[c] + affine->shift[c];
    }
}

gboolean
nn_prepare_layer_norm (NnStep  *step,
                       GError **error)
{
  gsize n = 1, axis = nn_step_axis (step->node->attrs.axis != 0 ? step->node->attrs.axis : -1, step->shape.rank);
  gsize *size = g_new (gsize, 1);

  step->plan = size;
  for (guint i = axis; i < step->shape.rank; i++)
    n *= step->shape.dims[i];
  *size = n;
  return (step->w_n[NN_ROLE_GAMMA] == 0 || nn_step_need (step, NN_ROLE_GAMMA, n, error)) &&
         (step->w_n[NN_ROLE_BETA] == 0 || nn_step_need (step, NN_ROLE_BETA, n, error));
}

/* Over the axes from `axis` to the last. Source: Keras LayerNormalization: (x - mean) / sqrt (variance + epsilon). */
void
nn_step_layer_norm (const NnStep        *step,
                    const double *const *in,
                    double              *out,
                    double              *scratch)
{
  gsize n = *(gsize *) step->plan;
  const double *gamma = step->w[NN_ROLE_GAMMA], *beta = step->w[NN_ROLE_BETA];

  for (gsize first = 0; first < step->n; first += n)
    {
      double mean = 0, variance = 0;

      for (gsize i = 0; i < n; i++)
        mean += in[0][first + i];
      mean /= n;
      for (gsize i = 0; i < n; i++)
        variance += (in[0][first + i] - mean) * (in[0][first + i] - mean);
      variance /= n;
      for (gsize i = 0; i < n; i++)
        out[first + i] = (in[0][first + i] - mean) / sqrt (variance + step->node->attrs.epsilon) *
                           (gamma != NULL ? gamma[i] : 1) + (beta != NULL ? beta[i] : 0);
    }
}

gboolean
nn_prepare_embedding (NnStep  *step,
                      GError **error)
{
  gsize out = nn_shape_last (&step->shape), n = step->w_n[NN_ROLE_EMBEDDINGS];

  return (n > 0 && out > 0 && n % out == 0) || nn_step_fail (step, "its table is missing or does not fit", error);
}

/* An index outside the table reads the nearest row. */
void
nn_step_embedding (const NnStep        *step,
                   const double *const *in,
                   double              *out,
                   double              *scratch)
{
  gsize width = nn_shape_last (&step->shape), rows = step->w_n[NN_ROLE_EMBEDDINGS] / width;

  for (gsize i = 0; i < step->in_n[0]; i++)
    {
      double v = in[0][i];
      gsize row = v > 0 ? MIN ((gsize) MIN (v, 1e15), rows - 1) : 0;

      memcpy (out + i * width, step->w[NN_ROLE_EMBEDDINGS] + row * width, width * sizeof *out);
    }
}

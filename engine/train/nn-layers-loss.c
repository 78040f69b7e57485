/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses with their gradients, and the step of the optimisers. */

#include "nn-real.h"
#include "nn-trainer.h"

/* Keras clips probabilities here. */
#define CLIP ((real) 1e-7)

/* Sets gradients and returns the loss of one position of one sample; outputs lie `lanes` apart. */
static double
term_softmax (const NnLossCall *q,
              gsize             at,
              real              weight)
{
  const real *z = (const real *) q->logits + at, *y = (const real *) q->y + at, *t = (const real *) q->t + at;
  real *g = q->g != NULL ? (real *) q->g + at : NULL, top = z[0], sum = 0, total = 0, dot = 0;

  for (gsize c = 0; c < q->classes; c++)
    top = MAX (top, z[c * q->lanes]);
  for (gsize c = 0; c < q->classes; c++)
    {
      sum += real_exp (z[c * q->lanes] - top);
      total += t[c * q->lanes];
      dot += t[c * q->lanes] * (z[c * q->lanes] - top);
    }
  if (g != NULL)
    for (gsize c = 0; c < q->classes; c++)
      g[c * q->lanes] = weight * (total * y[c * q->lanes] - t[c * q->lanes]);
  return (double) weight * (total * real_log (sum) - dot);
}

static double
term_cross_entropy (const NnLossCall *q,
                    gsize             at,
                    real              weight)
{
  const real *y = (const real *) q->y + at, *t = (const real *) q->t + at;
  real *g = q->g != NULL ? (real *) q->g + at : NULL, sum = 0, total = 0;
  double loss = 0;

  for (gsize c = 0; c < q->classes; c++)
    sum += y[c * q->lanes], total += t[c * q->lanes];
  for (gsize c = 0; c < q->classes; c++)
    {
      const gsize i = c * q->lanes;
      real p = y[i] / sum;

      p = p < CLIP ? CLIP : p > 1 - CLIP ? 1 - CLIP : p;
      loss -= t[i] * real_log (p);
      if (g != NULL)
        g[i] = weight * (total / sum - t[i] / (p * sum));
    }
  return weight * loss;
}

/* Elementwise losses: of one output, given its share of the mean. */
static inline real
element_loss (NnCriterion criterion,
              real        y,
              real        z,
              real        t,
              real       *g)
{
  real d = y - t, a = real_abs (d), p;

  switch (criterion)
    {
    case NN_CRITERION_SIGMOID_CE:
      *g = d;
      return (z > 0 ? z : 0) - z * t + real_log1p (real_exp (-real_abs (z)));
    case NN_CRITERION_BCE:
      p = y < CLIP ? CLIP : y > 1 - CLIP ? 1 - CLIP : y;
      *g = (p - t) / (p * (1 - p));
      return -(t * real_log (p) + (1 - t) * real_log (1 - p));
    case NN_CRITERION_MAE:
      *g = d > 0 ? 1 : d < 0 ? -1 : 0;
      return a;
    case NN_CRITERION_HUBER: /* delta 1 */
      *g = d > 1 ? 1 : d < -1 ? -1 : d;
      return a <= 1 ? d * d / 2 : a - (real) 0.5;
    default:
      *g = 2 * d;
      return d * d;
    }
}

static double
term_elements (const NnLossCall *q,
               gsize             at,
               real              weight)
{
  double loss = 0;

  for (gsize c = 0; c < q->classes; c++)
    {
      const gsize i = at + c * q->lanes;
      real g, e = element_loss (q->criterion, ((const real *) q->y)[i], q->logits != NULL ? ((const real *) q->logits)[i] : 0,
                                ((const real *) q->t)[i], &g);

      loss += e;
      if (q->g != NULL)
        ((real *) q->g)[i] = weight * g / q->classes;
    }
  return weight * loss / q->classes;
}

static gboolean
is_correct (const NnLossCall *q,
            gsize             at)
{
  const real *y = (const real *) q->y + at, *t = (const real *) q->t + at;
  guint best = 0, label = 0;

  if (q->classes == 1)
    return (y[0] > (real) 0.5) == (t[0] > (real) 0.5);
  for (guint c = 1; c < q->classes; c++)
    {
      best = y[c * q->lanes] > y[best * q->lanes] ? c : best;
      label = t[c * q->lanes] > t[label * q->lanes] ? c : label;
    }
  return best == label;
}

void
CLASSED (nn_loss) (const NnLossCall *q,
                   NnLossSums       *sums)
{
  const real *weight = q->weight, *y = q->y, *t = q->t;

  for (gsize p = 0; p < q->n / q->classes; p++)
    for (guint lane = 0; lane < q->lanes; lane++)
      {
        const gsize at = p * q->classes * q->lanes + lane;
        const real w = weight[lane] * (real) q->scale;
        double loss = q->criterion == NN_CRITERION_SOFTMAX_CE ? term_softmax (q, at, w)
                      : q->criterion == NN_CRITERION_CE       ? term_cross_entropy (q, at, w)
                                                              : term_elements (q, at, w);

        if (lane >= q->valid)
          continue;
        sums->loss += loss;
        sums->correct += is_correct (q, at);
        sums->n++;
        for (guint c = 0; c < q->classes; c++)
          {
            double d = y[at + c * q->lanes] - t[at + c * q->lanes];

            sums->squared += d * d / q->classes;
          }
      }
}

/*
 * One step of the optimiser over a run of parameters. Gradients of the shards' groups are added up in their order.
 * `live` is 0 for what is pruned or not trained: its gradient vanishes, so m and v stay 0 and the value stays as it is.
 * Adam: D. Kingma, J. Ba 2015, in Keras's form; AdamW: I. Loshchilov, F. Hutter 2019; Nadam: T. Dozat 2016.
 */
void
CLASSED (nn_update) (const NnUpdate *u,
                     gsize           n,
                     gpointer        values,
                     gpointer       *grads,
                     guint           n_grads,
                     gconstpointer   live_,
                     gpointer        m_,
                     gpointer        v_)
{
  real *restrict w = values, *restrict m = m_, *restrict v = v_, *restrict g = grads[0];
  const real *restrict live = live_;
  const real rate = u->rate, b1 = u->beta1, b2 = u->beta2, eps = u->epsilon, momentum = u->momentum;
  const real coupled = u->kind == NN_OPTIMIZER_ADAMW ? 0 : u->decay, decoupled = u->kind == NN_OPTIMIZER_ADAMW ? rate * u->decay : 0;
  const real step = rate * sqrt (u->correction2) / u->correction1;

  for (guint k = 1; k < n_grads; k++)
    {
      const real *restrict more = grads[k];

      for (gsize i = 0; i < n; i++)
        g[i] += more[i];
    }
  for (gsize i = 0; i < n; i++)
    g[i] = (g[i] + coupled * w[i]) * live[i];
  switch (u->kind)
    {
    case NN_OPTIMIZER_SGD:
      for (gsize i = 0; i < n; i++)
        {
          real d = momentum * m[i] - rate * g[i];

          m[i] = d;
          w[i] += u->nesterov ? momentum * d - rate * g[i] : d;
        }
      break;
    case NN_OPTIMIZER_NADAM:
      for (gsize i = 0; i < n; i++)
        {
          real hat;

          m[i] = b1 * m[i] + (1 - b1) * g[i];
          v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
          hat = (real) (u->nadam_next / (1 - u->nadam_product_next)) * m[i] +
                (real) ((1 - u->nadam_now) / (1 - u->nadam_product)) * g[i];
          w[i] -= rate * hat / (real_sqrt (v[i] / (real) u->correction2) + eps);
        }
      break;
    default:
      for (gsize i = 0; i < n; i++)
        {
          m[i] = b1 * m[i] + (1 - b1) * g[i];
          v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
          w[i] -= decoupled * w[i] * live[i];
          w[i] -= step * m[i] / (real_sqrt (v[i]) + eps);
        }
      break;
    }
}

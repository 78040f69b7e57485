/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses with their gradients, and the step of the optimisers. */

#include "nn-real.h"
#include "nn-trainer.h"

/* Keras clips probabilities here. */
#define CLIP ((real) 1e-7)

/* All of this works on NN_LANES samples at once; outputs of a sample lie `lanes` apart. */
typedef struct {
  real loss[NN_LANES], squared[NN_LANES], correct[NN_LANES];
} Terms;

/*
 * From logits. The largest probability is 1 / sum of exp (z - largest z), so that the sum's logarithm needs no exponential.
 */
static void
softmax_terms (const NnLossCall *q,
               gsize             at,
               const real       *weight,
               Terms            *terms)
{
  const real *z = (const real *) q->logits + at, *y = (const real *) q->y + at, *t = (const real *) q->t + at;
  real *g = q->g != NULL ? (real *) q->g + at : NULL;
  real top[NN_LANES], most[NN_LANES], total[NN_LANES] = { 0 }, dot[NN_LANES] = { 0 };

  for (int k = 0; k < NN_LANES; k++)
    top[k] = z[k], most[k] = y[k];
  for (gsize c = 0, i = 0; c < q->classes; c++, i += q->lanes)
    for (int k = 0; k < NN_LANES; k++)
      {
        top[k] = z[i + k] > top[k] ? z[i + k] : top[k];
        most[k] = y[i + k] > most[k] ? y[i + k] : most[k];
        total[k] += t[i + k];
        dot[k] += t[i + k] * z[i + k];
      }
  for (int k = 0; k < NN_LANES; k++)
    terms->loss[k] = weight[k] * (total[k] * (top[k] - real_log (most[k])) - dot[k]);
  for (gsize c = 0, i = 0; g != NULL && c < q->classes; c++, i += q->lanes)
    for (int k = 0; k < NN_LANES; k++)
      g[i + k] = weight[k] * (total[k] * y[i + k] - t[i + k]);
}

/* From what the network calls probabilities: scaled to a sum of 1 and clipped, as Keras does. */
static void
cross_entropy_terms (const NnLossCall *q,
                     gsize             at,
                     const real       *weight,
                     Terms            *terms)
{
  const real *y = (const real *) q->y + at, *t = (const real *) q->t + at;
  real *g = q->g != NULL ? (real *) q->g + at : NULL, sum[NN_LANES] = { 0 }, total[NN_LANES] = { 0 };

  for (gsize c = 0, i = 0; c < q->classes; c++, i += q->lanes)
    for (int k = 0; k < NN_LANES; k++)
      sum[k] += y[i + k], total[k] += t[i + k];
  for (int k = 0; k < NN_LANES; k++)
    terms->loss[k] = 0;
  for (gsize c = 0, i = 0; c < q->classes; c++, i += q->lanes)
    for (int k = 0; k < NN_LANES; k++)
      {
        real p = y[i + k] / sum[k];

        p = p < CLIP ? CLIP : p;
        p = p > 1 - CLIP ? 1 - CLIP : p;
        terms->loss[k] -= weight[k] * t[i + k] * real_log (p);
        if (g != NULL)
          g[i + k] = weight[k] * (total[k] / sum[k] - t[i + k] / (p * sum[k]));
      }
}

/* Elementwise losses: of one output and its slope. */
static inline __attribute__ ((always_inline)) real
element_loss (const NnCriterion criterion,
              real              y,
              real              z,
              real              t,
              real             *g)
{
  real d = y - t, a = real_abs (d), p;

  switch (criterion)
    {
    case NN_CRITERION_SIGMOID_CE:
      *g = d;
      return (z > 0 ? z : 0) - z * t + real_log1p (real_exp (-real_abs (z)));
    case NN_CRITERION_BCE:
      p = y < CLIP ? CLIP : y;
      p = p > 1 - CLIP ? 1 - CLIP : p;
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

static inline __attribute__ ((always_inline)) void
element_terms (const NnLossCall *q,
               const NnCriterion criterion,
               gsize             at,
               const real       *weight,
               Terms            *terms)
{
  const real *y = (const real *) q->y + at, *t = (const real *) q->t + at;
  const real *z = q->logits != NULL ? (const real *) q->logits + at : y;
  const real share = (real) 1 / q->classes;
  real *out = q->g != NULL ? (real *) q->g + at : NULL;

  for (int k = 0; k < NN_LANES; k++)
    terms->loss[k] = 0;
  for (gsize c = 0, i = 0; c < q->classes; c++, i += q->lanes)
    for (int k = 0; k < NN_LANES; k++)
      {
        real g, e = element_loss (criterion, y[i + k], z[i + k], t[i + k], &g);

        terms->loss[k] += weight[k] * share * e;
        if (out != NULL)
          out[i + k] = weight[k] * share * g;
      }
}

/* Whether the largest output is the target's, and squared errors. */
static void
score_terms (const NnLossCall *q,
             gsize             at,
             Terms            *terms)
{
  const real *y = (const real *) q->y + at, *t = (const real *) q->t + at, half = 0.5;
  real best[NN_LANES], want[NN_LANES], best_at[NN_LANES] = { 0 }, want_at[NN_LANES] = { 0 };

  for (int k = 0; k < NN_LANES; k++)
    best[k] = y[k], want[k] = t[k], terms->squared[k] = 0;
  for (gsize c = 0, i = 0; c < q->classes; c++, i += q->lanes)
    for (int k = 0; k < NN_LANES; k++)
      {
        const real here = c, d = y[i + k] - t[i + k];

        best_at[k] = y[i + k] > best[k] ? here : best_at[k];
        best[k] = y[i + k] > best[k] ? y[i + k] : best[k];
        want_at[k] = t[i + k] > want[k] ? here : want_at[k];
        want[k] = t[i + k] > want[k] ? t[i + k] : want[k];
        terms->squared[k] += d * d / q->classes;
      }
  for (int k = 0; k < NN_LANES; k++)
    terms->correct[k] = q->classes == 1 ? (y[k] > half) == (t[k] > half) : best_at[k] == want_at[k];
}

#define ELEMENTS(CRITERION) case CRITERION: element_terms (q, CRITERION, at, weight, &terms); break;

void
CLASSED (nn_loss) (const NnLossCall *q,
                   NnLossSums       *sums)
{
  for (gsize p = 0; p < q->n / q->classes; p++)
    for (guint lane = 0; lane < q->valid; lane += NN_LANES)
      {
        const gsize at = p * q->classes * q->lanes + lane;
        const guint valid = MIN (q->valid - lane, NN_LANES);
        real weight[NN_LANES];
        Terms terms;

        for (int k = 0; k < NN_LANES; k++)
          weight[k] = ((const real *) q->weight)[lane + k] * (real) q->scale;
        switch (q->criterion)
          {
          case NN_CRITERION_SOFTMAX_CE:
            softmax_terms (q, at, weight, &terms);
            break;
          case NN_CRITERION_CE:
            cross_entropy_terms (q, at, weight, &terms);
            break;
          ELEMENTS (NN_CRITERION_SIGMOID_CE)
          ELEMENTS (NN_CRITERION_BCE)
          ELEMENTS (NN_CRITERION_MAE)
          ELEMENTS (NN_CRITERION_HUBER)
          ELEMENTS (NN_CRITERION_MSE)
          }
        score_terms (q, at, &terms);
        for (guint k = 0; k < valid; k++)
          {
            sums->loss += terms.loss[k];
            sums->correct += terms.correct[k];
            sums->squared += terms.squared[k];
          }
        sums->n += valid;
      }
  /* whole registers of lanes without a sample */
  for (gsize i = 0; q->g != NULL && i < q->n; i++)
    for (guint k = (q->valid + NN_LANES - 1) / NN_LANES * NN_LANES; k < q->lanes; k++)
      ((real *) q->g)[i * q->lanes + k] = 0;
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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums of products that need more than 64 bits on their way. */

#include "nn-fixed-kernels.h"

#define INLINE static inline __attribute__ ((always_inline))

/* Rounded to @shift bits less. The bits above the lowest 64 go to @high: without them nothing is known about overflow. */
INLINE guint64
round_product (NnWide      p,
               NnWide      bias,
               int         shift,
               NnRounding  rounding,
               gint64     *high)
{
  NnWide t = p + bias;

  if (rounding == NN_ROUND_TRN_ZERO)
    t = p < 0 ? t : p;
  else if (rounding == NN_ROUND_RND_ZERO)
    t += p < 0;
  else if (rounding == NN_ROUND_RND_INF)
    t -= p < 0;
  else if (rounding == NN_ROUND_RND_CONV)
    t += (p >> shift) & 1;
  *high = (gint64) (t >> 64) >> shift;
  return (guint64) t >> shift | (guint64) (t >> 64) << 1 << (63 - shift);
}

INLINE NnWide
limit_wide (const NnWideSteps *s,
            NnWide             v,
            NnLimit            limit)
{
  if (limit == NN_LIMIT_ZERO)
    return v < s->min || v > s->max ? 0 : v;
  return v < s->min ? s->min : v > s->max ? s->max : v;
}

INLINE void
row (gint64            *acc,
     const gint64      *x,
     gint64             w,
     const NnWideSteps *s,
     gsize              lanes,
     NnRounding         rounding,
     NnLimit            limit)
{
  for (gsize b = 0; b < lanes; b++)
    {
      NnWide p = (NnWide) x[b] * w;
      gint64 high;
      guint64 low = round_product (p, s->bias, s->shift, rounding, &high);
      NnWide sum;

      if (limit == NN_LIMIT_NONE)
        {
          acc[b] = (gint64) ((guint64) acc[b] + low);
          continue;
        }
      sum = (NnWide) ((NnUWide) (NnWide) high << 64 | low);
      if (limit != NN_LIMIT_SUM)
        sum = limit_wide (s, sum, limit);
      sum += s->is_unsigned ? (NnWide) (guint64) acc[b] : acc[b];
      acc[b] = (gint64) limit_wide (s, sum, limit);
    }
}

#define ROWS(rounding, limit)                                                                                         \
  NN_STEPS_CASE (rounding, limit):                                                                                    \
    for (gsize i = 0; i < n; i++)                                                                                     \
      row (acc, x[at[i]], w[i], s, lanes, rounding, limit);                                                           \
    break;

#define STEPS_WIDE(suffix, attributes)                                                                                \
  attributes static void steps_wide_##suffix (gint64 *acc, const gint64 *const *x, const guint32 *at,                 \
                                              const gint64 *w, gsize n, const NnWideSteps *s, gsize lanes)            \
  {                                                                                                                   \
    NN_SWITCH_STEPS (s->rounding, s->limit, ROWS)                                                                     \
  }

STEPS_WIDE (plain, )
#if defined(__x86_64__)
STEPS_WIDE (bmi2, __attribute__ ((target ("bmi2"))))
#endif

/**
 * nn_wide_steps_init:
 * @cast: of a product to the accumulator
 *
 * Returns: whether the kernel can do it: a shift of 0 to 63 bits
 */
gboolean
nn_wide_steps_init (NnWideSteps  *steps,
                    const NnCast *cast,
                    NnLimit       limit)
{
  NnWide max = cast->is_signed ? (NnWide) cast->max : ((NnWide) 1 << cast->width) - 1;

  *steps = (NnWideSteps){ .shift = cast->shift, .rounding = cast->shift > 0 ? cast->rounding : NN_ROUND_TRN, .limit = limit,
                          .max = max, .min = cast->overflow == NN_OVERFLOW_SAT_SYM && cast->is_signed ? -max : cast->min,
                          .is_unsigned = !cast->is_signed };
  if (cast->shift < 0 || cast->shift > 63)
    return FALSE;
  steps->bias = steps->rounding == NN_ROUND_TRN_ZERO ? ((NnWide) 1 << cast->shift) - 1 : nn_rounding_bias (steps->rounding, cast->shift);
  return TRUE;
}

void
nn_steps_wide (gint64              *acc,
               const gint64 *const *x,
               const guint32       *at,
               const gint64        *w,
               gsize                n,
               const NnWideSteps   *steps,
               gsize                lanes)
{
#if defined(__x86_64__)
  if (__builtin_cpu_supports ("bmi2"))
    {
      steps_wide_bmi2 (acc, x, at, w, n, steps, lanes);
      return;
    }
#endif
  steps_wide_plain (acc, x, at, w, n, steps, lanes);
}

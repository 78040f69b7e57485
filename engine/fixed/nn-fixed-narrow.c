/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums of products in 16 bits, and sums whose every step is rounded and clipped: AVX2, and the twins that every CPU runs. */

#include "nn-fixed-kernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__ ((always_inline))

/* The naive twins. */

void
nn_low16_naive (gint16              *acc,
                const gint16 *const *x,
                const guint32       *at,
                const gint16        *w,
                gsize                n,
                gsize                lanes)
{
  for (gsize i = 0; i < n; i++)
    for (gsize b = 0; b < lanes; b++)
      acc[b] = (gint16) ((guint16) acc[b] + (guint16) (x[at[i]][b] * w[i]));
}

void
nn_high16_naive (gint16              *acc,
                 const gint16 *const *x,
                 const guint32       *at,
                 const gint16        *w,
                 gsize                n,
                 gsize                lanes)
{
  for (gsize i = 0; i < n; i++)
    for (gsize b = 0; b < lanes; b++)
      acc[b] = (gint16) ((guint16) acc[b] + (guint16) ((x[at[i]][b] * w[i]) >> 16));
}

void
nn_pair16_naive (gint32              *acc,
                 const gint16 *const *x,
                 const guint32       *at,
                 const gint16        *w,
                 gsize                n,
                 gsize                lanes)
{
  for (gsize i = 0; i < n; i++)
    for (gsize b = 0; b < lanes; b++)
      {
        const gint16 *xi = x[at[i]] + 2 * b;

        acc[b] = (gint32) ((guint32) acc[b] + (guint32) (xi[0] * w[2 * i]) + (guint32) (xi[1] * w[2 * i + 1]));
      }
}

INLINE gint64
limit_one (const NnSteps *s,
           gint64         v)
{
  switch (s->limit)
    {
    case NN_LIMIT_SUM:
    case NN_LIMIT_BOTH:
      return v < s->min ? s->min : v > s->max ? s->max : v;
    case NN_LIMIT_ZERO:
      return v < s->min || v > s->max ? 0 : v;
    case NN_LIMIT_NONE:
    default:
      return v;
    }
}

INLINE gint64
step_one (const NnSteps *s,
          gint64         acc,
          gint64         product)
{
  product = s->shift > 0 ? nn_round_one (product, s->shift, s->rounding) : product;
  if (s->limit != NN_LIMIT_SUM)
    product = limit_one (s, product);
  return limit_one (s, (gint64) ((guint64) acc + (guint64) product));
}

void
nn_steps32_naive (gint32              *acc,
                  const gint32 *const *x,
                  const guint32       *at,
                  const gint32        *w,
                  gsize                n,
                  const NnSteps       *s,
                  gsize                lanes)
{
  for (gsize i = 0; i < n; i++)
    for (gsize b = 0; b < lanes; b++)
      acc[b] = (gint32) (guint32) step_one (s, acc[b], (gint64) x[at[i]][b] * w[i]);
}

void
nn_steps64_naive (gint64              *acc,
                  const gint64 *const *x,
                  const guint32       *at,
                  const gint64        *w,
                  gsize                n,
                  const NnSteps       *s,
                  gsize                lanes)
{
  for (gsize i = 0; i < n; i++)
    for (gsize b = 0; b < lanes; b++)
      acc[b] = step_one (s, acc[b], x[at[i]][b] * w[i]);
}

#if defined(__x86_64__)

#define AVX2 __attribute__ ((target ("avx2")))
#define VECTOR_BYTES 32

/* A full block of samples stays in four registers over the whole row of weights. */
#define SUM_16(name, multiply, multiply_few)                                                                                        \
  AVX2 void name##_avx2 (gint16 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n,            \
                         gsize lanes)                                                                                 \
  {                                                                                                                   \
    enum { VECTORS = NN_FIXED_LANES * sizeof (gint16) / VECTOR_BYTES };                                               \
    __m256i a[VECTORS];                                                                                               \
                                                                                                                      \
    if (lanes != NN_FIXED_LANES)                                                                                      \
      {                                                                                                               \
        __m128i few = _mm_loadu_si128 ((const __m128i *) acc);                                                        \
                                                                                                                      \
        G_STATIC_ASSERT (NN_FIXED_FEW_LANES * sizeof (gint16) == sizeof few);                                          \
        for (gsize i = 0; i < n; i++)                                                                                 \
          few = _mm_add_epi16 (few, multiply_few (_mm_loadu_si128 ((const __m128i *) x[at[i]]), _mm_set1_epi16 (w[i]))); \
        _mm_storeu_si128 ((__m128i *) acc, few);                                                                      \
        return;                                                                                                       \
      }                                                                                                               \
    for (int v = 0; v < VECTORS; v++)                                                                                 \
      a[v] = _mm256_loadu_si256 ((const __m256i *) acc + v);                                                          \
    for (gsize i = 0; i < n; i++)                                                                                     \
      {                                                                                                               \
        const __m256i *xi = (const __m256i *) x[at[i]];                                                               \
        __m256i wi = _mm256_set1_epi16 (w[i]);                                                                        \
                                                                                                                      \
        for (int v = 0; v < VECTORS; v++)                                                                             \
          a[v] = _mm256_add_epi16 (a[v], multiply (_mm256_loadu_si256 (xi + v), wi));                                 \
      }                                                                                                               \
    for (int v = 0; v < VECTORS; v++)                                                                                 \
      _mm256_storeu_si256 ((__m256i *) acc + v, a[v]);                                                                \
  }

SUM_16 (nn_low16, _mm256_mullo_epi16, _mm_mullo_epi16)
SUM_16 (nn_high16, _mm256_mulhi_epi16, _mm_mulhi_epi16)

INLINE AVX2 void
pair16 (gint32              *acc,
        const gint16 *const *x,
        const guint32       *at,
        const gint16        *w,
        gsize                n,
        const int            vectors)
{
  __m256i a[8];

  for (int v = 0; v < vectors; v++)
    a[v] = _mm256_loadu_si256 ((const __m256i *) acc + v);
  for (gsize i = 0; i < n; i++)
    {
      const __m256i *xi = (const __m256i *) x[at[i]];
      gint32 both;
      __m256i wi;

      memcpy (&both, w + 2 * i, sizeof both);
      wi = _mm256_set1_epi32 (both);
      for (int v = 0; v < vectors; v++)
        a[v] = _mm256_add_epi32 (a[v], _mm256_madd_epi16 (_mm256_loadu_si256 (xi + v), wi));
    }
  for (int v = 0; v < vectors; v++)
    _mm256_storeu_si256 ((__m256i *) acc + v, a[v]);
}

AVX2 void
nn_pair16_avx2 (gint32              *acc,
                const gint16 *const *x,
                const guint32       *at,
                const gint16        *w,
                gsize                n,
                gsize                lanes)
{
  if (lanes == NN_FIXED_LANES)
    pair16 (acc, x, at, w, n, NN_FIXED_LANES * sizeof (gint32) / VECTOR_BYTES);
  else
    pair16 (acc, x, at, w, n, NN_FIXED_FEW_LANES * sizeof (gint32) / VECTOR_BYTES);
}

typedef struct {
  __m256i bias, mask, one, min, max, offset;
  __m128i shift;
} Constants;

INLINE AVX2 __m256i
round32 (__m256i          p,
         const Constants *c,
         NnRounding       rounding)
{
  __m256i t = rounding == NN_ROUND_TRN || rounding == NN_ROUND_TRN_ZERO ? p : _mm256_add_epi32 (p, c->bias);

  if (rounding == NN_ROUND_TRN_ZERO)
    t = _mm256_add_epi32 (t, _mm256_and_si256 (_mm256_srai_epi32 (p, 31), c->mask));
  else if (rounding == NN_ROUND_RND_ZERO)
    t = _mm256_sub_epi32 (t, _mm256_srai_epi32 (p, 31));
  else if (rounding == NN_ROUND_RND_INF)
    t = _mm256_add_epi32 (t, _mm256_srai_epi32 (p, 31));
  else if (rounding == NN_ROUND_RND_CONV)
    t = _mm256_add_epi32 (t, _mm256_and_si256 (_mm256_sra_epi32 (p, c->shift), c->one));
  return _mm256_sra_epi32 (t, c->shift);
}

INLINE AVX2 __m256i
limit32 (__m256i          v,
         const Constants *c,
         NnLimit          limit)
{
  __m256i inside = _mm256_min_epi32 (_mm256_max_epi32 (v, c->min), c->max);

  return limit == NN_LIMIT_ZERO ? _mm256_and_si256 (v, _mm256_cmpeq_epi32 (v, inside)) : inside;
}

INLINE AVX2 void
steps32 (gint32              *acc,
         const gint32 *const *x,
         const guint32       *at,
         const gint32        *w,
         gsize                n,
         const Constants     *c,
         gsize                first,
         const int            vectors,
         const NnRounding     rounding,
         const NnLimit        limit)
{
  __m256i a[4];

  for (int v = 0; v < vectors; v++)
    a[v] = _mm256_loadu_si256 ((const __m256i *) (acc + first) + v);
  for (gsize i = 0; i < n; i++)
    {
      const __m256i *xi = (const __m256i *) (x[at[i]] + first);
      __m256i wi = _mm256_set1_epi32 (w[i]);

      for (int v = 0; v < vectors; v++)
        {
          __m256i p = round32 (_mm256_mullo_epi32 (_mm256_loadu_si256 (xi + v), wi), c, rounding);

          if (limit == NN_LIMIT_BOTH || limit == NN_LIMIT_ZERO)
            p = limit32 (p, c, limit);
          a[v] = _mm256_add_epi32 (a[v], p);
          if (limit != NN_LIMIT_NONE)
            a[v] = limit32 (a[v], c, limit);
        }
    }
  for (int v = 0; v < vectors; v++)
    _mm256_storeu_si256 ((__m256i *) (acc + first) + v, a[v]);
}

/* Arithmetic shifts of 64 bits there are none: the number is moved above zero and back. */
#define OFFSET_BITS 62

INLINE AVX2 __m256i
round64 (__m256i          p,
         const Constants *c,
         NnRounding       rounding)
{
  __m256i zero = _mm256_setzero_si256 (), t = _mm256_add_epi64 (p, c->bias);

  if (rounding == NN_ROUND_TRN_ZERO)
    t = _mm256_add_epi64 (t, _mm256_and_si256 (_mm256_cmpgt_epi64 (zero, p), c->mask));
  else if (rounding == NN_ROUND_RND_ZERO)
    t = _mm256_sub_epi64 (t, _mm256_cmpgt_epi64 (zero, p));
  else if (rounding == NN_ROUND_RND_INF)
    t = _mm256_add_epi64 (t, _mm256_cmpgt_epi64 (zero, p));
  else if (rounding == NN_ROUND_RND_CONV)
    t = _mm256_add_epi64 (t, _mm256_and_si256 (_mm256_srl_epi64 (p, c->shift), c->one));
  return _mm256_sub_epi64 (_mm256_srl_epi64 (t, c->shift), c->offset);
}

INLINE AVX2 __m256i
limit64 (__m256i          v,
         const Constants *c,
         NnLimit          limit)
{
  __m256i below = _mm256_cmpgt_epi64 (c->min, v), above = _mm256_cmpgt_epi64 (v, c->max);

  if (limit == NN_LIMIT_ZERO)
    return _mm256_andnot_si256 (_mm256_or_si256 (below, above), v);
  return _mm256_blendv_epi8 (_mm256_blendv_epi8 (v, c->min, below), c->max, above);
}

INLINE AVX2 __m256i
multiply64 (__m256i       x,
            __m256i       w,
            const gboolean narrow)
{
  __m256i cross;

  if (narrow)
    return _mm256_mul_epi32 (x, w);
  cross = _mm256_add_epi64 (_mm256_mul_epu32 (x, _mm256_srli_epi64 (w, 32)), _mm256_mul_epu32 (_mm256_srli_epi64 (x, 32), w));
  return _mm256_add_epi64 (_mm256_mul_epu32 (x, w), _mm256_slli_epi64 (cross, 32));
}

INLINE AVX2 void
steps64 (gint64              *acc,
         const gint64 *const *x,
         const guint32       *at,
         const gint64        *w,
         gsize                n,
         const Constants     *c,
         gsize                first,
         const int            vectors,
         const gboolean       narrow,
         const NnRounding     rounding,
         const NnLimit        limit)
{
  __m256i a[4];

  for (int v = 0; v < vectors; v++)
    a[v] = _mm256_loadu_si256 ((const __m256i *) (acc + first) + v);
  for (gsize i = 0; i < n; i++)
    {
      const __m256i *xi = (const __m256i *) (x[at[i]] + first);
      __m256i wi = _mm256_set1_epi64x (w[i]);

      for (int v = 0; v < vectors; v++)
        {
          __m256i p = round64 (multiply64 (_mm256_loadu_si256 (xi + v), wi, narrow), c, rounding);

          if (limit == NN_LIMIT_BOTH || limit == NN_LIMIT_ZERO)
            p = limit64 (p, c, limit);
          a[v] = _mm256_add_epi64 (a[v], p);
          if (limit != NN_LIMIT_NONE)
            a[v] = limit64 (a[v], c, limit);
        }
    }
  for (int v = 0; v < vectors; v++)
    _mm256_storeu_si256 ((__m256i *) (acc + first) + v, a[v]);
}

#define PASSES32(rounding, limit)                                                                                     \
  NN_STEPS_CASE (rounding, limit):                                                                                    \
    if (lanes == NN_FIXED_LANES)                                                                                      \
      for (gsize first = 0; first < NN_FIXED_LANES; first += 32)                                                      \
        steps32 (acc, x, at, w, n, &c, first, 4, rounding, limit);                                                    \
    else                                                                                                              \
      steps32 (acc, x, at, w, n, &c, 0, 1, rounding, limit);                                                          \
    break;

#define PASSES64(rounding, limit)                                                                                     \
  NN_STEPS_CASE (rounding, limit):                                                                                    \
    if (lanes != NN_FIXED_LANES)                                                                                      \
      steps64 (acc, x, at, w, n, &c, 0, 2, FALSE, rounding, limit);                                                   \
    else if (s->narrow)                                                                                               \
      for (gsize first = 0; first < NN_FIXED_LANES; first += 16)                                                      \
        steps64 (acc, x, at, w, n, &c, first, 4, TRUE, rounding, limit);                                              \
    else                                                                                                              \
      for (gsize first = 0; first < NN_FIXED_LANES; first += 16)                                                      \
        steps64 (acc, x, at, w, n, &c, first, 4, FALSE, rounding, limit);                                             \
    break;

AVX2 void
nn_steps32_avx2 (gint32              *acc,
                 const gint32 *const *x,
                 const guint32       *at,
                 const gint32        *w,
                 gsize                n,
                 const NnSteps       *s,
                 gsize                lanes)
{
  Constants c = { .bias = _mm256_set1_epi32 ((gint32) nn_rounding_bias (s->rounding, s->shift)),
                  .mask = _mm256_set1_epi32 ((gint32) (((gint64) 1 << s->shift) - 1)),
                  .one = _mm256_set1_epi32 (1),
                  .min = _mm256_set1_epi32 ((gint32) s->min),
                  .max = _mm256_set1_epi32 ((gint32) s->max),
                  .shift = _mm_cvtsi32_si128 (s->shift) };

  NN_SWITCH_STEPS (s->shift > 0 ? s->rounding : NN_ROUND_TRN, s->limit, PASSES32)
}

AVX2 void
nn_steps64_avx2 (gint64              *acc,
                 const gint64 *const *x,
                 const guint32       *at,
                 const gint64        *w,
                 gsize                n,
                 const NnSteps       *s,
                 gsize                lanes)
{
  Constants c = { .bias = _mm256_set1_epi64x ((gint64) nn_rounding_bias (s->rounding, s->shift) + ((gint64) 1 << OFFSET_BITS)),
                  .offset = _mm256_set1_epi64x ((gint64) 1 << OFFSET_BITS >> s->shift),
                  .mask = _mm256_set1_epi64x (((gint64) 1 << s->shift) - 1),
                  .one = _mm256_set1_epi64x (1),
                  .min = _mm256_set1_epi64x (s->min),
                  .max = _mm256_set1_epi64x (s->max),
                  .shift = _mm_cvtsi32_si128 (s->shift) };

  NN_SWITCH_STEPS (s->shift > 0 ? s->rounding : NN_ROUND_TRN, s->limit, PASSES64)
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner loops of the bit-accurate engine. */

#include "nn-fixed-kernels.h"

#include <stdatomic.h>

/*
 * Two's complement throughout: sums wrap, so that they are done without a sign. Vectors are as wide as the CPU's
 * registers, for wider ones go through memory. The sums of PASS_VECTORS registers stay in them over the whole row of
 * weights; a full block takes one pass or several.
 */
#define PASS_VECTORS 8

#define SUM_FULL(name, Type, UType, bytes)                                                                            \
  typedef Type name##_vector_##bytes __attribute__ ((vector_size (bytes), aligned (sizeof (Type)), may_alias));       \
  typedef UType name##_uvector_##bytes __attribute__ ((vector_size (bytes), aligned (sizeof (Type)), may_alias));     \
                                                                                                                      \
  static inline __attribute__ ((always_inline)) void name##_pass_##bytes (Type *acc, const Type *const *x,            \
                                                                          const Type *w, gsize n, int shift,          \
                                                                          gsize first)                                \
  {                                                                                                                   \
    name##_uvector_##bytes a[PASS_VECTORS];                                                                           \
                                                                                                                      \
    for (int v = 0; v < PASS_VECTORS; v++)                                                                            \
      a[v] = ((name##_uvector_##bytes *) (acc + first))[v];                                                           \
    for (gsize i = 0; i < n; i++)                                                                                     \
      {                                                                                                               \
        const name##_uvector_##bytes *xi = (const name##_uvector_##bytes *) (x[i] + first);                           \
        UType wi = (UType) w[i];                                                                                      \
                                                                                                                      \
        if (shift == 0)                                                                                               \
          for (int v = 0; v < PASS_VECTORS; v++)                                                                      \
            a[v] += xi[v] * wi;                                                                                       \
        else                                                                                                          \
          for (int v = 0; v < PASS_VECTORS; v++)                                                                      \
            a[v] += (name##_uvector_##bytes) ((name##_vector_##bytes) (xi[v] * wi) >> shift);                         \
      }                                                                                                               \
    for (int v = 0; v < PASS_VECTORS; v++)                                                                            \
      ((name##_uvector_##bytes *) (acc + first))[v] = a[v];                                                           \
  }                                                                                                                   \
                                                                                                                      \
  static inline __attribute__ ((always_inline)) void name##_full_##bytes (Type *acc, const Type *const *x,            \
                                                                          const Type *w, gsize n, int shift)          \
  {                                                                                                                   \
    enum { IN_PASS = PASS_VECTORS * bytes / sizeof (Type) };                                                          \
                                                                                                                      \
    G_STATIC_ASSERT (NN_FIXED_LANES % IN_PASS == 0);                                                                   \
    for (gsize first = 0; first < NN_FIXED_LANES; first += IN_PASS)                                                   \
      name##_pass_##bytes (acc, x, w, n, shift, first);                                                               \
  }

#define SUM_FEW(name, Type, UType)                                                                                    \
  static inline __attribute__ ((always_inline)) void name##_few (Type *acc, const Type *const *x, const Type *w,      \
                                                                 gsize n, int shift, gsize lanes)                     \
  {                                                                                                                   \
    for (gsize i = 0; i < n; i++)                                                                                     \
      for (gsize b = 0; b < lanes; b++)                                                                               \
        acc[b] = (Type) ((UType) acc[b] + (UType) ((Type) ((UType) x[i][b] * (UType) w[i]) >> shift));                \
  }

/* The plain twin walks lane by lane. */
#define sum32_full_plain(acc, x, w, n, shift) sum32_few (acc, x, w, n, shift, NN_FIXED_LANES)
#define sum64_full_plain(acc, x, w, n, shift) sum64_few (acc, x, w, n, shift, NN_FIXED_LANES)

SUM_FEW (sum32, gint32, guint32)
SUM_FEW (sum64, gint64, guint64)
#if defined(__x86_64__)
SUM_FULL (sum32, gint32, guint32, 32)
SUM_FULL (sum64, gint64, guint64, 32)
SUM_FULL (sum64, gint64, guint64, 64)
#define sum32_full_avx2 sum32_full_32
#define sum64_full_avx2 sum64_full_32
#define sum32_full_avx512 sum32_full_32 /* 64 lanes of 32 bits would leave half of a pass of 64 bytes empty */
#define sum64_full_avx512 sum64_full_64
#endif

#define BODY(name, suffix)                                                                                            \
  if (lanes == NN_FIXED_LANES && shift == 0)                                                                          \
    name##_full_##suffix (acc, x, w, n, 0);                                                                           \
  else if (lanes == NN_FIXED_LANES)                                                                                   \
    name##_full_##suffix (acc, x, w, n, shift);                                                                       \
  else                                                                                                                \
    name##_few (acc, x, w, n, shift, lanes)

static inline __attribute__ ((always_inline)) gint64
round_one (gint64     v,
           int        shift,
           NnRounding mode)
{
  gint64 q = v >> shift, mask = ((gint64) 1 << shift) - 1, rest = v & mask, half = (gint64) 1 << (shift - 1);

  switch (mode)
    {
    case NN_ROUND_TRN_ZERO:
      return q + (v < 0 && rest != 0);
    case NN_ROUND_RND:
      return q + (rest >= half);
    case NN_ROUND_RND_ZERO:
      return q + (rest > half || (rest == half && v < 0));
    case NN_ROUND_RND_INF:
      return q + (rest > half || (rest == half && v >= 0));
    case NN_ROUND_RND_MIN_INF:
      return q + (rest > half);
    case NN_ROUND_RND_CONV:
      return q + (rest > half || (rest == half && (q & 1)));
    case NN_ROUND_TRN:
    default:
      return q;
    }
}

#define ROUND_LOOP(mode)                                                                                              \
  case mode:                                                                                                          \
    for (gsize k = 0; k < n; k++)                                                                                     \
      out[k] = round_one (in[k], shift, mode);                                                                        \
    break

static inline __attribute__ ((always_inline)) void
round_column (gint64       *out,
              const gint64 *in,
              gsize         n,
              int           shift,
              NnRounding    mode)
{
  switch (mode)
    {
      ROUND_LOOP (NN_ROUND_TRN);
      ROUND_LOOP (NN_ROUND_TRN_ZERO);
      ROUND_LOOP (NN_ROUND_RND);
      ROUND_LOOP (NN_ROUND_RND_ZERO);
      ROUND_LOOP (NN_ROUND_RND_INF);
      ROUND_LOOP (NN_ROUND_RND_MIN_INF);
      ROUND_LOOP (NN_ROUND_RND_CONV);
    default:
      g_assert_not_reached ();
    }
}

static inline __attribute__ ((always_inline)) void
overflow_column (const NnCast *cast,
                 gint64       *v,
                 gsize         n)
{
  gint64 min = cast->min, max = cast->max, low = cast->is_signed ? -max : 0;
  int up = 64 - cast->width;

  switch (cast->overflow)
    {
    case NN_OVERFLOW_WRAP:
      if (cast->is_signed)
        for (gsize k = 0; k < n; k++)
          v[k] = (gint64) ((guint64) v[k] << up) >> up;
      else
        for (gsize k = 0; k < n; k++)
          v[k] = (gint64) ((guint64) v[k] << up >> up);
      break;
    case NN_OVERFLOW_SAT:
      for (gsize k = 0; k < n; k++)
        v[k] = v[k] < min ? min : v[k] > max ? max : v[k];
      break;
    case NN_OVERFLOW_SAT_ZERO:
      for (gsize k = 0; k < n; k++)
        v[k] = v[k] < min || v[k] > max ? 0 : v[k];
      break;
    case NN_OVERFLOW_SAT_SYM:
      for (gsize k = 0; k < n; k++)
        v[k] = v[k] < low ? low : v[k] > max ? max : v[k];
      break;
    default:
      g_assert_not_reached ();
    }
}

/* Sets what is below zero to zero, and what is above @ceiling to it. */
static inline __attribute__ ((always_inline)) void
clip_column (gint64       *out,
             const gint64 *in,
             gint64        ceiling,
             gsize         n)
{
  for (gsize k = 0; k < n; k++)
    {
      gint64 v = in[k] < 0 ? 0 : in[k];

      out[k] = v > ceiling ? ceiling : v;
    }
}

static inline __attribute__ ((always_inline)) gint64
overflow_one (gint64     v,
              gint64     min,
              gint64     max,
              int        up,
              NnOverflow mode)
{
  switch (mode)
    {
    case NN_OVERFLOW_SAT:
    case NN_OVERFLOW_SAT_SYM: /* min is -max then */
      return v < min ? min : v > max ? max : v;
    case NN_OVERFLOW_SAT_ZERO:
      return v < min || v > max ? 0 : v;
    case NN_OVERFLOW_WRAP:
    default:
      return (gint64) ((guint64) v << up) >> up;
    }
}

/* acc = (T) (acc + (T) (x * w)) for all i in order, T being signed or saturating. */
static inline __attribute__ ((always_inline)) void
steps_in_order (gint64              *restrict acc,
                const gint64 *const *x,
                const gint64        *w,
                gsize                n,
                const NnCast        *cast,
                gsize                lanes,
                NnRounding           rounding,
                NnOverflow           overflow)
{
  gint64 max = cast->max, min = overflow == NN_OVERFLOW_SAT_SYM && cast->is_signed ? -max : cast->min;
  int shift = cast->shift, up = 64 - cast->width;

  for (gsize i = 0; i < n; i++)
    {
      const gint64 *xi = x[i];
      gint64 wi = w[i];

      for (gsize b = 0; b < lanes; b++)
        {
          gint64 product = xi[b] * wi;

          product = overflow_one (round_one (product, shift, rounding), min, max, up, overflow);
          acc[b] = overflow_one (acc[b] + product, min, max, up, overflow);
        }
    }
}

#define STEPS(rounding, overflow)                                                                                     \
  case rounding * 4 + overflow:                                                                                       \
    if (lanes == NN_FIXED_LANES)                                                                                      \
      steps_in_order (acc, x, w, n, cast, NN_FIXED_LANES, rounding, overflow);                                        \
    else                                                                                                              \
      steps_in_order (acc, x, w, n, cast, lanes, rounding, overflow);                                                 \
    break;

#define STEPS_ALL(rounding)                                                                                           \
  STEPS (rounding, NN_OVERFLOW_WRAP)                                                                                  \
  STEPS (rounding, NN_OVERFLOW_SAT)                                                                                   \
  STEPS (rounding, NN_OVERFLOW_SAT_ZERO)                                                                              \
  STEPS (rounding, NN_OVERFLOW_SAT_SYM)

#define KERNELS(suffix, attributes)                                                                                   \
  attributes static void sum32_##suffix (gint32 *acc, const gint32 *const *x, const gint32 *w, gsize n, int shift,    \
                                         gsize lanes)                                                                 \
  {                                                                                                                   \
    BODY (sum32, suffix);                                                                                                   \
  }                                                                                                                   \
  attributes static void sum64_##suffix (gint64 *acc, const gint64 *const *x, const gint64 *w, gsize n, int shift,    \
                                         gsize lanes)                                                                 \
  {                                                                                                                   \
    BODY (sum64, suffix);                                                                                                   \
  }                                                                                                                   \
  attributes static void round_##suffix (gint64 *out, const gint64 *in, gsize n, const NnCast *cast)                  \
  {                                                                                                                   \
    if (cast->shift > 0)                                                                                              \
      round_column (out, in, n, cast->shift, cast->rounding);                                                         \
    else                                                                                                              \
      for (gsize k = 0; k < n; k++)                                                                                   \
        out[k] = (gint64) ((guint64) in[k] << -cast->shift);                                                          \
  }                                                                                                                   \
  attributes static void overflow_##suffix (const NnCast *cast, gint64 *v, gsize n)                                   \
  {                                                                                                                   \
    overflow_column (cast, v, n);                                                                                     \
  }                                                                                                                   \
  attributes static void clip_##suffix (gint64 *out, const gint64 *in, gint64 ceiling, gsize n)                       \
  {                                                                                                                   \
    clip_column (out, in, ceiling, n);                                                                                \
  }                                                                                                                   \
  attributes static void steps_##suffix (gint64 *acc, const gint64 *const *x, const gint64 *w, gsize n,               \
                                         const NnCast *cast, gsize lanes)                                             \
  {                                                                                                                   \
    switch (cast->rounding * 4 + cast->overflow)                                                                      \
      {                                                                                                               \
        STEPS_ALL (NN_ROUND_TRN)                                                                                      \
        STEPS_ALL (NN_ROUND_TRN_ZERO)                                                                                 \
        STEPS_ALL (NN_ROUND_RND)                                                                                      \
        STEPS_ALL (NN_ROUND_RND_ZERO)                                                                                 \
        STEPS_ALL (NN_ROUND_RND_INF)                                                                                  \
        STEPS_ALL (NN_ROUND_RND_MIN_INF)                                                                              \
        STEPS_ALL (NN_ROUND_RND_CONV)                                                                                 \
      default:                                                                                                        \
        g_assert_not_reached ();                                                                                      \
      }                                                                                                               \
  }                                                                                                                   \
  static const NnFixedKernels kernels_##suffix = { sum32_##suffix, sum64_##suffix, round_##suffix, overflow_##suffix, \
                                                   clip_##suffix, steps_##suffix };

KERNELS (plain, )
#if defined(__x86_64__)
KERNELS (avx2, __attribute__ ((target ("avx2"))))
KERNELS (avx512, __attribute__ ((target ("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"))))
#endif

static const NnFixedKernels *
choose (void)
{
#if defined(__x86_64__)
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512bw") &&
      __builtin_cpu_supports ("avx512vl"))
    return &kernels_avx512;
  if (__builtin_cpu_supports ("avx2"))
    return &kernels_avx2;
#endif
  return &kernels_plain;
}

const NnFixedKernels *
nn_fixed_kernels (void)
{
  static const NnFixedKernels *_Atomic chosen;
  const NnFixedKernels *kernels = atomic_load_explicit (&chosen, memory_order_relaxed);

  if (kernels == NULL)
    {
      kernels = choose ();
      atomic_store_explicit (&chosen, kernels, memory_order_relaxed);
    }
  return kernels;
}

/* The twin that every CPU runs. */
const NnFixedKernels *
nn_fixed_kernels_naive (void)
{
  return &kernels_plain;
}

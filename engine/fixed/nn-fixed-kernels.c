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
                                                                          const guint32 *at, const Type *w, gsize n,  \
                                                                          int shift, gsize first)                     \
  {                                                                                                                   \
    name##_uvector_##bytes a[PASS_VECTORS];                                                                           \
                                                                                                                      \
    for (int v = 0; v < PASS_VECTORS; v++)                                                                            \
      a[v] = ((name##_uvector_##bytes *) (acc + first))[v];                                                           \
    for (gsize i = 0; i < n; i++)                                                                                     \
      {                                                                                                               \
        const name##_uvector_##bytes *xi = (const name##_uvector_##bytes *) (x[at[i]] + first);                           \
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
                                                                          const guint32 *at, const Type *w, gsize n,  \
                                                                          int shift)                                  \
  {                                                                                                                   \
    enum { IN_PASS = PASS_VECTORS * bytes / sizeof (Type) };                                                          \
                                                                                                                      \
    G_STATIC_ASSERT (NN_FIXED_LANES % IN_PASS == 0);                                                                   \
    for (gsize first = 0; first < NN_FIXED_LANES; first += IN_PASS)                                                   \
      name##_pass_##bytes (acc, x, at, w, n, shift, first);                                                           \
  }

#define SUM_FEW(name, Type, UType)                                                                                    \
  static inline __attribute__ ((always_inline)) void name##_few (Type *acc, const Type *const *x, const guint32 *at,  \
                                                                 const Type *w, gsize n, int shift, gsize lanes)      \
  {                                                                                                                   \
    for (gsize i = 0; i < n; i++)                                                                                     \
      for (gsize b = 0; b < lanes; b++)                                                                               \
        acc[b] = (Type) ((UType) acc[b] + (UType) ((Type) ((UType) x[at[i]][b] * (UType) w[i]) >> shift));            \
  }

/* The plain twin walks lane by lane. */
#define sum32_full_plain(acc, x, at, w, n, shift) sum32_few (acc, x, at, w, n, shift, NN_FIXED_LANES)
#define sum64_full_plain(acc, x, at, w, n, shift) sum64_few (acc, x, at, w, n, shift, NN_FIXED_LANES)

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
    name##_full_##suffix (acc, x, at, w, n, 0);                                                                       \
  else if (lanes == NN_FIXED_LANES)                                                                                   \
    name##_full_##suffix (acc, x, at, w, n, shift);                                                                   \
  else                                                                                                                \
    name##_few (acc, x, at, w, n, shift, lanes)

#define ROUND_LOOP(mode)                                                                                              \
  case mode:                                                                                                          \
    for (gsize k = 0; k < n; k++)                                                                                     \
      out[k] = nn_round_one (in[k], shift, mode);                                                                     \
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

/* Rounds down or half up. Numbers near the end of 64 bits are left to others: this way of making an integer of a real, by adding
 * a number whose last bit is one, is exact to 2^51. */
#define LOAD_REACH 0x1p50
#define LOAD_MAGIC 0x1.8p52

static inline __attribute__ ((always_inline)) gboolean
load_column (gint64       *restrict out,
             const double *in,
             gsize         stride,
             gsize         n,
             double        scale,
             gboolean      half)
{
  double y[NN_FIXED_LANES];
  int far = 0;

  for (gsize k = 0; k < n; k++)
    y[k] = in[k * stride] * scale;
  for (gsize k = 0; k < n; k++)
    far |= !(__builtin_fabs (y[k]) < LOAD_REACH);
  if (far)
    return FALSE;
  for (gsize k = 0; k < n; k++)
    {
      double f = __builtin_floor (y[k]);
      union { double real; gint64 bits; } made = { .real = f + LOAD_MAGIC }, magic = { .real = LOAD_MAGIC };

      out[k] = made.bits - magic.bits + (half & (y[k] - f >= 0.5));
    }
  return TRUE;
}

static inline __attribute__ ((always_inline)) void
larger_column (gint64       *restrict out,
               const gint64 *in,
               gsize         n)
{
  for (gsize k = 0; k < n; k++)
    out[k] = in[k] > out[k] ? in[k] : out[k];
}

static inline __attribute__ ((always_inline)) void
affine_column (gint64       *restrict out,
               const gint64 *in,
               gint64        factor,
               gint64        offset,
               int           up,
               gsize         n)
{
  guint64 shifted = (guint64) factor << up;

  for (gsize k = 0; k < n; k++)
    out[k] = (gint64) ((guint64) in[k] * shifted + (guint64) offset);
}

#define COPY(name, Out, In)                                                                                           \
  static inline __attribute__ ((always_inline)) void name (Out *restrict out, const In *in, gsize n)                  \
  {                                                                                                                   \
    for (gsize k = 0; k < n; k++)                                                                                     \
      out[k] = (Out) in[k];                                                                                           \
  }

COPY (narrow16, gint16, gint64)
COPY (narrow32, gint32, gint64)
COPY (widen16, gint64, gint16)
COPY (widen32, gint64, gint32)

static inline __attribute__ ((always_inline)) void
pair_columns (gint16       *restrict out,
              const gint64 *first,
              const gint64 *second,
              gsize         n)
{
  for (gsize k = 0; k < n; k++)
    {
      out[2 * k] = (gint16) first[k];
      out[2 * k + 1] = (gint16) second[k];
    }
}

#define KERNELS(suffix, attributes, steps_suffix)                                                                     \
  attributes static void sum32_##suffix (gint32 *acc, const gint32 *const *x, const guint32 *at, const gint32 *w,     \
                                         gsize n, int shift, gsize lanes)                                             \
  {                                                                                                                   \
    BODY (sum32, suffix);                                                                                             \
  }                                                                                                                   \
  attributes static void sum64_##suffix (gint64 *acc, const gint64 *const *x, const guint32 *at, const gint64 *w,     \
                                         gsize n, int shift, gsize lanes)                                             \
  {                                                                                                                   \
    BODY (sum64, suffix);                                                                                             \
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
  attributes static void larger_##suffix (gint64 *out, const gint64 *in, gsize n)                                     \
  {                                                                                                                   \
    larger_column (out, in, n);                                                                                       \
  }                                                                                                                   \
  attributes static void affine_##suffix (gint64 *out, const gint64 *in, gint64 factor, gint64 offset, int up,        \
                                          gsize n)                                                                    \
  {                                                                                                                   \
    affine_column (out, in, factor, offset, up, n);                                                                   \
  }                                                                                                                   \
  attributes static void narrow16_##suffix (gint16 *out, const gint64 *in, gsize n)                                   \
  {                                                                                                                   \
    narrow16 (out, in, n);                                                                                            \
  }                                                                                                                   \
  attributes static void narrow32_##suffix (gint32 *out, const gint64 *in, gsize n)                                   \
  {                                                                                                                   \
    narrow32 (out, in, n);                                                                                            \
  }                                                                                                                   \
  attributes static void widen16_##suffix (gint64 *out, const gint16 *in, gsize n)                                    \
  {                                                                                                                   \
    widen16 (out, in, n);                                                                                             \
  }                                                                                                                   \
  attributes static void widen32_##suffix (gint64 *out, const gint32 *in, gsize n)                                    \
  {                                                                                                                   \
    widen32 (out, in, n);                                                                                             \
  }                                                                                                                   \
  attributes static void pair_##suffix (gint16 *out, const gint64 *first, const gint64 *second, gsize n)              \
  {                                                                                                                   \
    pair_columns (out, first, second, n);                                                                             \
  }                                                                                                                   \
  attributes static gboolean load_##suffix (gint64 *out, const double *in, gsize stride, gsize n, double scale,       \
                                            gboolean half)                                                            \
  {                                                                                                                   \
    return load_column (out, in, stride, n, scale, half);                                                             \
  }                                                                                                                   \
  static const NnFixedKernels kernels_##suffix = {                                                                    \
    .sum32 = sum32_##suffix, .sum64 = sum64_##suffix, .low16 = nn_low16_##steps_suffix,                               \
    .high16 = nn_high16_##steps_suffix, .pair16 = nn_pair16_##steps_suffix, .steps32 = nn_steps32_##steps_suffix,     \
    .steps64 = nn_steps64_##steps_suffix, .round = round_##suffix, .overflow = overflow_##suffix,                     \
    .clip = clip_##suffix, .larger = larger_##suffix, .affine = affine_##suffix,                                      \
    .narrow16 = narrow16_##suffix, .narrow32 = narrow32_##suffix,                                                     \
    .widen16 = widen16_##suffix, .widen32 = widen32_##suffix, .pair = pair_##suffix, .load = load_##suffix,           \
  };

KERNELS (plain, , naive)
#if defined(__x86_64__)
KERNELS (avx2, __attribute__ ((target ("avx2"))), avx2)
KERNELS (avx512, __attribute__ ((target ("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"))), avx2)
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

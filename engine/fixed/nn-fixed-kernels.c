/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner loops of the bit-accurate engine. */

#include "nn-fixed-kernels.h"

#include "nn-fixed-private.h"

/* Two's complement throughout: sums wrap. */
#define BODY(Type, UType)                                                                                             \
  if (lanes == NN_FIXED_LANES)                                                                                        \
    sum_##Type (acc, x, w, n, shift, NN_FIXED_LANES);                                                                 \
  else                                                                                                                \
    sum_##Type (acc, x, w, n, shift, lanes)

#define SUM(Type, UType)                                                                                              \
  static inline __attribute__ ((always_inline)) void sum_##Type (Type *restrict acc, const Type *const *x,            \
                                                                 const Type *w, gsize n, int shift, gsize lanes)      \
  {                                                                                                                   \
    if (shift == 0)                                                                                                   \
      for (gsize i = 0; i < n; i++)                                                                                   \
        {                                                                                                             \
          const Type *restrict xi = x[i];                                                                             \
          UType wi = (UType) w[i];                                                                                    \
                                                                                                                      \
          for (gsize b = 0; b < lanes; b++)                                                                           \
            acc[b] = (Type) ((UType) acc[b] + (UType) xi[b] * wi);                                                    \
        }                                                                                                             \
    else                                                                                                              \
      for (gsize i = 0; i < n; i++)                                                                                   \
        {                                                                                                             \
          const Type *restrict xi = x[i];                                                                             \
          UType wi = (UType) w[i];                                                                                    \
                                                                                                                      \
          for (gsize b = 0; b < lanes; b++)                                                                           \
            acc[b] = (Type) ((UType) acc[b] + (UType) ((Type) ((UType) xi[b] * wi) >> shift));                        \
        }                                                                                                             \
  }

SUM (gint32, guint32)
SUM (gint64, guint64)

#define KERNELS(suffix, attributes)                                                                                   \
  attributes static void sum32_##suffix (gint32 *acc, const gint32 *const *x, const gint32 *w, gsize n, int shift,    \
                                         gsize lanes)                                                                 \
  {                                                                                                                   \
    BODY (gint32, guint32);                                                                                           \
  }                                                                                                                   \
  attributes static void sum64_##suffix (gint64 *acc, const gint64 *const *x, const gint64 *w, gsize n, int shift,    \
                                         gsize lanes)                                                                 \
  {                                                                                                                   \
    BODY (gint64, guint64);                                                                                           \
  }                                                                                                                   \
  static const NnFixedKernels kernels_##suffix = { sum32_##suffix, sum64_##suffix };

KERNELS (plain, )
#if defined(__x86_64__)
KERNELS (avx2, __attribute__ ((target ("avx2"))))
KERNELS (avx512, __attribute__ ((target ("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"))))
#endif

const NnFixedKernels *
nn_fixed_kernels (void)
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

/* The twin that every CPU runs. */
const NnFixedKernels *
nn_fixed_kernels_naive (void)
{
  return &kernels_plain;
}

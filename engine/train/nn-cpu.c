/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which class of kernels this processor runs. */

#include "nn-layers.h"

static gint limit = NN_CPU_AVX512; /* atomic */

/**
 * nn_cpu_has:
 *
 * Returns: whether this processor can run the class
 */
gboolean
nn_cpu_has (NnCpu cpu)
{
#if defined(__x86_64__) || defined(__i386__)
  switch (cpu)
    {
    case NN_CPU_AVX512:
      return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512vl") &&
             __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512bw");
    case NN_CPU_AVX2:
      return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
    default:
      return TRUE;
    }
#else
  return cpu == NN_CPU_SSE2 || cpu == NN_CPU_DOUBLE;
#endif
}

/* The best class there is, or the one asked for by nn_cpu_limit(). */
NnCpu
nn_cpu (void)
{
  gint most = g_atomic_int_get (&limit);

  if (most == NN_CPU_DOUBLE)
    return NN_CPU_DOUBLE;
  while (most > NN_CPU_SSE2 && !nn_cpu_has (most))
    most--;
  return most;
}

/* For tests and benchmarks: nothing better than @cpu is used from now on. */
void
nn_cpu_limit (NnCpu cpu)
{
  g_atomic_int_set (&limit, cpu);
}

const NnLayers *
nn_layers_for (NnCpu cpu)
{
  switch (cpu)
    {
#if defined(__x86_64__) || defined(__i386__)
    case NN_CPU_AVX512:
      return &nn_layers_avx512;
    case NN_CPU_AVX2:
      return &nn_layers_avx2;
#endif
    case NN_CPU_DOUBLE:
      return &nn_layers_double;
    default:
      return &nn_layers_sse2;
    }
}

const char *
nn_cpu_name (NnCpu cpu)
{
  static const char *const names[NN_N_CPUS] = { "SSE2", "AVX2", "AVX-512", "double" };

  return names[cpu];
}

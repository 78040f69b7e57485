/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers that are the same on every machine. */

#include "nn-rng.h"

#include <math.h>

static guint64
splitmix64 (guint64 *state)
{
  guint64 z = (*state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static guint64
rotl (guint64 x,
      guint   k)
{
  return (x << k) | (x >> (64 - k));
}

void
nn_rng_init (NnRng   *rng,
             guint64  seed)
{
  for (guint i = 0; i < G_N_ELEMENTS (rng->s); i++)
    rng->s[i] = splitmix64 (&seed);
  rng->has_spare = FALSE;
  rng->spare = 0;
}

guint64
nn_rng_next (NnRng *rng)
{
  guint64 *s = rng->s;
  guint64 result = rotl (s[1] * 5, 7) * 9;
  guint64 t = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl (s[3], 45);
  return result;
}

/**
 * nn_rng_uniform:
 *
 * Returns: uniform in [0, 1), 53 bits
 */
double
nn_rng_uniform (NnRng *rng)
{
  return (nn_rng_next (rng) >> 11) * 0x1.0p-53;
}

/**
 * nn_rng_normal:
 *
 * Returns: standard normal, by Marsaglia's polar method
 */
double
nn_rng_normal (NnRng *rng)
{
  double u, v, s;

  if (rng->has_spare)
    {
      rng->has_spare = FALSE;
      return rng->spare;
    }
  do
    {
      u = 2 * nn_rng_uniform (rng) - 1;
      v = 2 * nn_rng_uniform (rng) - 1;
      s = u * u + v * v;
    }
  while (s >= 1 || s == 0);
  s = sqrt (-2 * log (s) / s);
  rng->spare = v * s;
  rng->has_spare = TRUE;
  return u * s;
}

/**
 * nn_rng_below:
 *
 * Returns: uniform in [0, @bound), without bias (rejection)
 */
guint64
nn_rng_below (NnRng   *rng,
              guint64  bound)
{
  guint64 threshold, x;

  g_assert (bound > 0);
  threshold = -bound % bound;
  do
    x = nn_rng_next (rng);
  while (x < threshold);
  return x % bound;
}

/* Fisher and Yates. */
void
nn_rng_shuffle (NnRng   *rng,
                guint32 *values,
                gsize    n)
{
  for (gsize i = n; i > 1; i--)
    {
      gsize j = nn_rng_below (rng, i);
      guint32 t = values[i - 1];

      values[i - 1] = values[j];
      values[j] = t;
    }
}

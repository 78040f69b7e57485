/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixed: the fast assignment, its wide twin and the assignment of reals agree; kernels agree with theirs. */

#include "nn-fixed-kernels.h"
#include "nn-fixed-private.h"

#include "nn-rng.h"

#include <math.h>

static NnType
random_type (NnRng *rng,
             int    most)
{
  NnType type = { .kind = NN_TYPE_FIXED };

  type.width = 1 + (int) nn_rng_below (rng, (guint64) most);
  type.integer = (int) nn_rng_below (rng, 40) - 8;
  type.is_signed = nn_rng_below (rng, 3) > 0;
  type.rounding = (NnRounding) nn_rng_below (rng, 7);
  type.overflow = (NnOverflow) nn_rng_below (rng, 4);
  return type;
}

/* Values of up to 40 bits are exact as doubles, so that nn_type_quantize() is the judge. */
static void
test_casts (void)
{
  NnRng rng;

  nn_rng_init (&rng, 7);
  for (guint round = 0; round < 20000; round++)
    {
      NnType to = random_type (&rng, 48);
      int bits = 2 + (int) nn_rng_below (&rng, 39), fraction = (int) nn_rng_below (&rng, 50) - 10;
      gint64 v[16], out[16];
      guint64 overflows = 0, expected = 0;
      NnCast cast;

      nn_cast_init (&cast, bits, TRUE, fraction, &to);
      for (guint k = 0; k < 16; k++)
        v[k] = (gint64) (nn_rng_next (&rng) << (64 - bits)) >> (64 - bits);
      nn_cast_column (&cast, out, v, 16, &overflows);
      for (guint k = 0; k < 16; k++)
        {
          gboolean over, wide_over;
          gint64 raw = nn_type_quantize (&to, ldexp ((double) v[k], -fraction), &over);

          g_assert_cmpint (nn_cast_wide (&cast, v[k], &wide_over), ==, raw);
          g_assert_true (wide_over == over);
          g_assert_cmpint (out[k], ==, raw);
          expected += over;
        }
      g_assert_cmpuint (overflows, ==, expected);
    }
}

/* Wide numbers: an assignment to a type that holds them, and back, loses nothing. */
static void
test_wide (void)
{
  static const NnType from = NN_FIXED (64, 10), to = { .kind = NN_TYPE_FIXED, .width = 64, .integer = 10, .is_signed = TRUE, .overflow = NN_OVERFLOW_SAT };
  NnRng rng;
  NnCast cast;
  gboolean over;

  nn_rng_init (&rng, 9);
  nn_cast_init (&cast, 64, TRUE, nn_type_fraction (&from), &to);
  for (guint round = 0; round < 1000; round++)
    {
      gint64 v = (gint64) nn_rng_next (&rng);

      g_assert_cmpint (nn_cast_wide (&cast, v, &over), ==, v);
      g_assert_false (over);
      g_assert_cmpint (nn_cast_wide (&cast, ((NnWide) 1 << 70) + (v & G_MAXINT64), &over), ==, G_MAXINT64);
      g_assert_true (over);
    }
}

static void
test_kernels (void)
{
  const NnFixedKernels *fast = nn_fixed_kernels (), *naive = nn_fixed_kernels_naive ();
  gint32 x[9][NN_FIXED_LANES], w[9], acc[2][NN_FIXED_LANES];
  gint64 x64[9][NN_FIXED_LANES], w64[9], acc64[2][NN_FIXED_LANES];
  const gint32 *columns[9];
  const gint64 *columns64[9];
  NnRng rng;

  nn_rng_init (&rng, 3);
  for (guint round = 0; round < 500; round++)
    {
      gsize lanes = round % 2 ? NN_FIXED_LANES : NN_FIXED_FEW_LANES, n = 1 + nn_rng_below (&rng, 9);
      int shift = (int) nn_rng_below (&rng, 20);

      for (guint i = 0; i < 9; i++)
        {
          columns[i] = x[i];
          columns64[i] = x64[i];
          w[i] = (gint32) nn_rng_next (&rng);
          w64[i] = (gint64) nn_rng_next (&rng);
          for (guint b = 0; b < NN_FIXED_LANES; b++)
            {
              x[i][b] = (gint32) nn_rng_next (&rng);
              x64[i][b] = (gint64) nn_rng_next (&rng);
            }
        }
      for (guint b = 0; b < NN_FIXED_LANES; b++)
        {
          acc[0][b] = acc[1][b] = (gint32) b;
          acc64[0][b] = acc64[1][b] = b;
        }
      fast->sum32 (acc[0], columns, w, n, shift, lanes);
      naive->sum32 (acc[1], columns, w, n, shift, lanes);
      fast->sum64 (acc64[0], columns64, w64, n, shift, lanes);
      naive->sum64 (acc64[1], columns64, w64, n, shift, lanes);
      g_assert_cmpmem (acc[0], sizeof acc[0], acc[1], sizeof acc[1]);
      g_assert_cmpmem (acc64[0], sizeof acc64[0], acc64[1], sizeof acc64[1]);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fixed/casts", test_casts);
  g_test_add_func ("/fixed/wide", test_wide);
  g_test_add_func ("/fixed/kernels", test_kernels);
  return g_test_run ();
}

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

#define N_COLUMNS 9

/* Columns of @bits bits and weights of @weight_bits, in every width that the kernels take, and the order of the columns. */
typedef struct {
  gint64        x64[N_COLUMNS][NN_FIXED_LANES], w64[N_COLUMNS];
  gint32        x32[N_COLUMNS][NN_FIXED_LANES], w32[N_COLUMNS];
  gint16        x16[N_COLUMNS][2 * NN_FIXED_LANES], w16[2 * N_COLUMNS];
  const gint64 *columns64[N_COLUMNS];
  const gint32 *columns32[N_COLUMNS];
  const gint16 *columns16[N_COLUMNS];
  guint32       at[N_COLUMNS];
  gsize         n, lanes;
} Operands;

static gint64
random_bits (NnRng *rng,
             int    bits)
{
  return (gint64) (nn_rng_next (rng) << (64 - bits)) >> (64 - bits);
}

static void
random_operands (NnRng    *rng,
                 Operands *o,
                 int       bits,
                 int       weight_bits)
{
  o->n = 1 + nn_rng_below (rng, N_COLUMNS);
  o->lanes = nn_rng_below (rng, 2) ? NN_FIXED_LANES : NN_FIXED_FEW_LANES;
  for (guint i = 0; i < N_COLUMNS; i++)
    {
      o->columns64[i] = o->x64[i];
      o->columns32[i] = o->x32[i];
      o->columns16[i] = o->x16[i];
      o->at[i] = (guint32) nn_rng_below (rng, N_COLUMNS);
      o->w64[i] = random_bits (rng, weight_bits);
      o->w32[i] = (gint32) o->w64[i];
      o->w16[2 * i] = (gint16) nn_rng_next (rng);
      o->w16[2 * i + 1] = (gint16) nn_rng_next (rng);
      for (guint b = 0; b < NN_FIXED_LANES; b++)
        {
          o->x64[i][b] = random_bits (rng, bits);
          o->x32[i][b] = (gint32) o->x64[i][b];
          o->x16[i][b] = (gint16) nn_rng_next (rng);
          o->x16[i][NN_FIXED_LANES + b] = nn_rng_below (rng, 4) ? (gint16) nn_rng_next (rng) : G_MININT16;
        }
    }
}

#define COMPARE(Type, call)                                                                                           \
  {                                                                                                                   \
    Type acc[2][NN_FIXED_LANES];                                                                                      \
                                                                                                                      \
    for (guint twin = 0; twin < 2; twin++)                                                                            \
      {                                                                                                               \
        const NnFixedKernels *k = twin == 0 ? nn_fixed_kernels () : nn_fixed_kernels_naive ();                        \
        Type *sum = acc[twin];                                                                                        \
                                                                                                                      \
        for (guint b = 0; b < NN_FIXED_LANES; b++)                                                                    \
          sum[b] = (Type) ((int) b - 20);                                                                             \
        call;                                                                                                         \
      }                                                                                                               \
    g_assert_cmpmem (acc[0], sizeof acc[0], acc[1], sizeof acc[1]);                                                   \
  }

static void
test_kernels (void)
{
  Operands o;
  NnRng rng;

  nn_rng_init (&rng, 3);
  for (guint round = 0; round < 500; round++)
    {
      int shift = (int) nn_rng_below (&rng, 20);

      random_operands (&rng, &o, 64, 64);
      COMPARE (gint32, k->sum32 (sum, o.columns32, o.at, o.w32, o.n, shift, o.lanes));
      COMPARE (gint64, k->sum64 (sum, o.columns64, o.at, o.w64, o.n, shift, o.lanes));
      COMPARE (gint16, k->low16 (sum, o.columns16, o.at, o.w16, o.n, o.lanes));
      COMPARE (gint16, k->high16 (sum, o.columns16, o.at, o.w16, o.n, o.lanes));
      COMPARE (gint32, k->pair16 (sum, o.columns16, o.at, o.w16, o.n, o.lanes));
      COMPARE (gint16, k->narrow16 (sum, o.x64[0], o.lanes));
      COMPARE (gint32, k->narrow32 (sum, o.x64[0], o.lanes));
      COMPARE (gint64, k->widen16 (sum, o.x16[0], o.lanes));
      COMPARE (gint64, k->widen32 (sum, o.x32[0], o.lanes));
      COMPARE (gint64, k->larger (sum, o.x64[0], o.lanes));
      COMPARE (gint64, k->affine (sum, o.x64[0], o.w64[0], o.w64[1], shift, o.lanes));
      COMPARE (gint64, k->clip (sum, o.x64[0], o.w64[0] & G_MAXINT64, o.lanes));
    }
}

/* All roundings and all limits, in the widths that the engine gives the kernels. */
static void
test_steps (void)
{
  Operands o;
  NnRng rng;

  nn_rng_init (&rng, 5);
  for (guint round = 0; round < 28 * 40; round++)
    {
      NnSteps steps = { .rounding = (NnRounding) (round % 7), .limit = (NnLimit) (round / 7 % 4) };
      int width = 2 + (int) nn_rng_below (&rng, 30), bits = 2 + (int) nn_rng_below (&rng, 28);

      steps.shift = (int) nn_rng_below (&rng, 31);
      steps.max = ((gint64) 1 << (width - 1)) - 1;
      steps.min = nn_rng_below (&rng, 3) == 0 ? 0 : nn_rng_below (&rng, 2) ? -steps.max : -steps.max - 1;
      random_operands (&rng, &o, bits, 31 - bits);
      COMPARE (gint32, k->steps32 (sum, o.columns32, o.at, o.w32, o.n, &steps, o.lanes));
      width = 2 + (int) nn_rng_below (&rng, 61);
      bits = 2 + (int) nn_rng_below (&rng, 59);
      steps.shift = (int) nn_rng_below (&rng, 61);
      steps.max = ((gint64) 1 << (width - 1)) - 1;
      steps.narrow = bits <= 32 && 62 - bits <= 32;
      random_operands (&rng, &o, bits, 62 - bits);
      COMPARE (gint64, k->steps64 (sum, o.columns64, o.at, o.w64, o.n, &steps, o.lanes));
    }
}

/* Reals near and far, ties and what is no number: what the kernel takes, it makes the integers that nn_type_quantize() does. */
static void
test_load (void)
{
  NnRng rng;

  nn_rng_init (&rng, 11);
  for (guint round = 0; round < 2000; round++)
    {
      NnType type = NN_FIXED (62, 40);
      double v[2 * NN_FIXED_LANES];
      gint64 out[NN_FIXED_LANES];

      type.rounding = round % 2 ? NN_ROUND_RND : NN_ROUND_TRN;
      for (guint k = 0; k < 2 * NN_FIXED_LANES; k++)
        v[k] = round % 3 == 0 ? ldexp ((double) random_bits (&rng, 30), -24) : ldexp (nn_rng_normal (&rng), (int) nn_rng_below (&rng, 26));
      if (round % 50 == 0)
        v[0] = round % 100 == 0 ? NAN : 0x1p60;
      if (!nn_fixed_kernels ()->load (out, v, 2, NN_FIXED_LANES, 0x1p22, round % 2))
        {
          g_assert_true (round % 50 == 0);
          continue;
        }
      g_assert_true (round % 50 != 0);
      for (guint k = 0; k < NN_FIXED_LANES; k++)
        g_assert_cmpint (out[k], ==, nn_type_quantize (&type, v[2 * k], NULL));
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
  g_test_add_func ("/fixed/steps", test_steps);
  g_test_add_func ("/fixed/load", test_load);
  return g_test_run ();
}

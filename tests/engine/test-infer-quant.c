/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: fake quantisers. Values worked out from the formulas of google/qkeras, qkeras/quantizers.py (0.9). */

#include "nn-quant.h"

#include <math.h>
#include <string.h>

static NnType
grid (int      width,
      int      integer,
      gboolean is_signed)
{
  return (NnType){ NN_TYPE_FIXED, width, integer, is_signed, NN_ROUND_RND_CONV, NN_OVERFLOW_SAT, 0 };
}

static void
check (const NnQuantizer *q,
       const double      *x,
       const double      *y,
       gsize              n)
{
  g_autofree double *values = g_memdup2 (x, n * sizeof *x);

  nn_quantize (q, &NN_SHAPE ((gint64) n), values);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (values[i], y[i], 1e-12);
}

#define CHECK(q, n, X, Y) check (&(q), (const double[]) X, (const double[]) Y, n)
#define LIST(...) { __VA_ARGS__ }

static void
test_bits (void)
{
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = grid (4, 1, TRUE) }; /* quantized_bits(4,0,alpha=1) */

  CHECK (q, 6, LIST (0.3, -0.3, 0.0625, 0.1875, 5, -5), LIST (0.25, -0.25, 0, 0.25, 0.875, -1));
  q.type.overflow = NN_OVERFLOW_SAT_SYM;
  CHECK (q, 2, LIST (5, -5), LIST (0.875, -0.875));
}

static void
test_relu (void)
{
  NnQuantizer q = { .kind = NN_QUANT_RELU, .type = grid (3, 1, FALSE) }; /* quantized_relu(3,1) */

  CHECK (q, 5, LIST (-1, 0.3, 0.375, 1.9, 9), LIST (0, 0.25, 0.5, 1.75, 1.75));
  q.max_value = 1;
  CHECK (q, 2, LIST (0.6, 9), LIST (0.5, 1));
  q = (NnQuantizer){ .kind = NN_QUANT_RELU, .type = grid (4, 1, TRUE), .negative_slope = 0.5 };
  CHECK (q, 3, LIST (-0.5, 0.5, -9), LIST (-0.25, 0.5, -1));
}

static void
test_curves (void)
{
  NnQuantizer tanh4 = { .kind = NN_QUANT_TANH, .type = grid (4, 1, TRUE) };
  NnQuantizer sigmoid4 = { .kind = NN_QUANT_SIGMOID, .type = grid (4, 0, FALSE) };

  CHECK (tanh4, 3, LIST (0.3, 2, -2), LIST (0.25, 0.875, -1));
  tanh4.use_real_function = TRUE;
  CHECK (tanh4, 2, LIST (0.3, -2), LIST (0.25, -1));
  CHECK (sigmoid4, 3, LIST (0, 9, -9), LIST (0.5, 0.9375, 0));
  sigmoid4.use_real_function = TRUE;
  CHECK (sigmoid4, 2, LIST (1, -1), LIST (0.75, 0.25));
}

static void
test_few (void)
{
  NnQuantizer binary = { .kind = NN_QUANT_BINARY, .type = { .kind = NN_TYPE_BINARY, .width = 1, .integer = 1 } };
  NnQuantizer ternary = { .kind = NN_QUANT_TERNARY, .type = { .kind = NN_TYPE_TERNARY, .width = 2, .integer = 2 }, .threshold = 0.33 };
  NnQuantizer zero_one = { .kind = NN_QUANT_BINARY, .type = grid (1, 1, FALSE) };

  CHECK (binary, 3, LIST (0, -0.1, 3), LIST (1, -1, 1));
  CHECK (zero_one, 3, LIST (0, -0.1, 3), LIST (1, 0, 1));
  CHECK (ternary, 4, LIST (0.33, 0.32, -0.5, 0), LIST (1, 0, -1, 0));
}

static void
test_power (void)
{
  /* quantized_po2(4): exponents -4 to 3 */
  NnQuantizer q = { .kind = NN_QUANT_POWER, .type = { .kind = NN_TYPE_POWER, .width = 4, .integer = 4, .is_signed = TRUE } };

  CHECK (q, 6, LIST (0.3, -0.3, 3, 100, 0.001, 0), LIST (0.25, -0.25, 4, 8, 0.0625, 0.0625));
  q.max_value = 1; /* no sign of the exponent: -8 to 0 */
  CHECK (q, 3, LIST (3, 0.3, 0.0001), LIST (1, 0.25, 0x1p-8));
}

static void
test_alpha (void)
{
  static const float alpha[] = { 0.5f, 2 };
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = grid (4, 4, TRUE), .alpha_mode = NN_ALPHA_FIXED, .alpha = alpha, .n_alpha = 2 };

  /* QKeras multiplies afterwards; ONNX divides before and multiplies afterwards */
  CHECK (q, 4, LIST (1.2, 1.2, 9, -3), LIST (0.5, 2, 3.5, -6));
  q.alpha_divides = TRUE;
  q.zero_point = 1;
  CHECK (q, 4, LIST (1.2, 1.2, 9, -30), LIST (1, 2, 3, -18));
}

/* Ties by the number, as ONNX's QuantizeLinear and TensorFlow Lite have them, and by the code, as QONNX has them. */
static void
test_zero_point (void)
{
  static const float alpha[] = { 1 };
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = grid (4, 4, TRUE), .alpha_mode = NN_ALPHA_FIXED, .alpha = alpha, .n_alpha = 1,
                    .alpha_divides = TRUE, .zero_point = 1 };

  q.type.rounding = NN_ROUND_RND_CONV;
  CHECK (q, 5, LIST (0.5, 1.5, -0.5, 5.5, 100), LIST (1, 1, -1, 5, 6));
  q.rounds_first = TRUE;
  CHECK (q, 5, LIST (0.5, 1.5, -0.5, 5.5, 100), LIST (0, 2, 0, 6, 6));
  q.zero_point = -3;
  q.type.rounding = NN_ROUND_RND_INF;
  CHECK (q, 5, LIST (0.5, 1.5, -0.5, 5.5, 100), LIST (1, 2, -1, 6, 10));
  q.rounds_first = FALSE;
  CHECK (q, 5, LIST (0.5, 1.5, -0.5, 5.5, 100), LIST (0, 1, -1, 6, 10));
}

/* Where no tie goes another way nothing is rounded twice, and a zero point in the middle is a sign. */
static void
test_simplify (void)
{
  static const float alpha[] = { 0.3f };
  const NnQuantizer plain = { .kind = NN_QUANT_FIXED, .type = grid (4, 4, TRUE), .alpha_mode = NN_ALPHA_FIXED, .alpha = alpha,
                              .n_alpha = 1, .alpha_divides = TRUE, .rounds_first = TRUE };
  static const struct {
    NnRounding rounding;
    double     zero;
    gboolean   rounds_first, is_signed;
    double     left;
  } cases[] = {
    { NN_ROUND_RND_CONV, 2, FALSE, TRUE, 2 },   { NN_ROUND_RND_CONV, 3, TRUE, TRUE, 3 },  { NN_ROUND_RND, 3, FALSE, TRUE, 3 },
    { NN_ROUND_RND_INF, 2, TRUE, TRUE, 2 },     { NN_ROUND_RND_INF, -8, FALSE, FALSE, 0 }, { NN_ROUND_RND_INF, 0, FALSE, TRUE, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      NnQuantizer q = plain, before;
      double values[] = { -2.4, -0.45, -0.15, 0.15, 0.45, 1.05, 2.4, 4.6 }, expected[G_N_ELEMENTS (values)];
      NnShape shape = NN_SHAPE (G_N_ELEMENTS (values));

      q.type.rounding = cases[i].rounding;
      q.zero_point = cases[i].zero;
      before = q;
      nn_quantizer_simplify (&q);
      g_assert_cmpint (q.rounds_first, ==, cases[i].rounds_first);
      g_assert_cmpint (q.type.is_signed, ==, cases[i].is_signed);
      g_assert_cmpfloat (q.zero_point, ==, cases[i].left);
      memcpy (expected, values, sizeof values);
      nn_quantize (&before, &shape, expected);
      nn_quantize (&q, &shape, values);
      for (guint k = 0; k < G_N_ELEMENTS (values); k++)
        g_assert_cmpfloat (values[k], ==, expected[k]);
    }
}

static void
test_per_element (void)
{
  const NnType types[] = { grid (4, 4, TRUE), grid (4, 2, TRUE), grid (0, 0, TRUE) };
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .per_element = types, .n_elements = 3 };

  CHECK (q, 6, LIST (1.3, 1.3, 1.3, -1.6, -1.6, -1.6), LIST (1, 1.25, 0, -2, -1.5, 0));
}

/* quantized_bits(4,0,symmetric,alpha="auto_po2") of one channel: the fit's fixed point is a power of two. */
static void
test_auto (void)
{
  static const double exact[] = { 0.25, -0.75, 1.75, 0.5, -1.25, 1 }; /* multiples of 1/4 up to 7/4 */
  static const double odd[] = { 0.3, -0.7, 2.1, 0.1 };
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = grid (4, 1, TRUE), .alpha_mode = NN_ALPHA_AUTO_PO2, .symmetric = TRUE };
  double values[6], scale;

  memcpy (values, exact, sizeof exact);
  nn_quantizer_scales (&q, &NN_SHAPE (6), values, &scale);
  g_assert_cmpfloat (scale, ==, 0.25);
  nn_quantize (&q, &NN_SHAPE (6), values);
  for (guint i = 0; i < 6; i++)
    g_assert_cmpfloat (values[i], ==, exact[i]);
  /* "auto": scale 2 max / levels = 4.2 / 14 */
  q.alpha_mode = NN_ALPHA_AUTO;
  memcpy (values, odd, sizeof odd);
  nn_quantize (&q, &NN_SHAPE (4), values);
  g_assert_cmpfloat_with_epsilon (values[0], 0.3, 1e-12);
  g_assert_cmpfloat_with_epsilon (values[1], -0.6, 1e-12);
  g_assert_cmpfloat_with_epsilon (values[2], 2.1, 1e-12);
  g_assert_cmpfloat_with_epsilon (values[3], 0, 1e-12);
  /* binary: the mean of |x|, channel by channel of the last axis */
  q = (NnQuantizer){ .kind = NN_QUANT_BINARY, .type = { .kind = NN_TYPE_BINARY, .width = 1 }, .alpha_mode = NN_ALPHA_AUTO };
  memcpy (values, (const double[]){ 1, -2, 3, 4 }, 4 * sizeof (double));
  nn_quantize (&q, &NN_SHAPE (2, 2), values);
  g_assert_cmpfloat_with_epsilon (values[0], 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (values[1], -3, 1e-6);
  g_assert_cmpfloat_with_epsilon (values[3], 3, 1e-6);
  /* ternary: small ones fall to 0 and the scale is the mean of what is left */
  q.kind = NN_QUANT_TERNARY;
  memcpy (values, (const double[]){ 1, -1.2, 0.1, 0.8 }, 4 * sizeof (double));
  nn_quantize (&q, &NN_SHAPE (4), values);
  g_assert_cmpfloat_with_epsilon (values[0], 1, 1e-6);
  g_assert_cmpfloat_with_epsilon (values[1], -1, 1e-6);
  g_assert_cmpfloat_with_epsilon (values[2], 0, 1e-6);
}

static void
test_none (void)
{
  double x[] = { 0.3, NAN };

  nn_quantize (NULL, &NN_SHAPE (2), x);
  g_assert_cmpfloat (x[0], ==, 0.3);
  nn_quantize (&(NnQuantizer){ .kind = NN_QUANT_FIXED, .type = grid (4, 1, TRUE) }, &NN_SHAPE (2), x);
  g_assert_cmpfloat (x[1], ==, 0); /* not a number becomes 0, as in an assignment to the type */
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quant/bits", test_bits);
  g_test_add_func ("/quant/relu", test_relu);
  g_test_add_func ("/quant/curves", test_curves);
  g_test_add_func ("/quant/few", test_few);
  g_test_add_func ("/quant/power", test_power);
  g_test_add_func ("/quant/alpha", test_alpha);
  g_test_add_func ("/quant/zero-point", test_zero_point);
  g_test_add_func ("/quant/simplify", test_simplify);
  g_test_add_func ("/quant/per-element", test_per_element);
  g_test_add_func ("/quant/auto", test_auto);
  g_test_add_func ("/quant/none", test_none);
  return g_test_run ();
}

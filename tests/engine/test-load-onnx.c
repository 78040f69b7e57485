/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's and QONNX's operators one by one, in files made here: each computes what its definition says. */

#include "nn-exec.h"

#include "nn-load-private.h"

#include "test-onnx.h"

#include <math.h>
#include <string.h>

static const float x4[] = { -1.3f, 0.2f, 0.9f, 3.7f };

/* From steps of 1/8 down to 3 bits in steps of 1/2, rounded down. */
static void
test_trunc (void)
{
  double want[4];

  begin ();
  number ("s", 0.125f);
  number ("z", 0);
  number ("in", 8);
  number ("so", 0.5f);
  number ("out", 3);
  node ("Trunc", "qonnx.custom_op.general", "x s z in so z out", "y", "rounding_mode=FLOOR signed=1 narrow=0");
  for (guint i = 0; i < 4; i++)
    want[i] = CLAMP (floor (nearbyint (x4[i] * 8) / 4), -4, 3) / 2;
  check (13, x4, 4, want, 4);
  begin ();
  number ("s", 0.125f);
  number ("z", 2);
  number ("in", 8);
  number ("so", 0.5f);
  number ("out", 4);
  node ("Trunc", "qonnx.custom_op.general", "x s z in so z out", "y", "rounding_mode=FLOOR signed=1 narrow=0");
  for (guint i = 0; i < 4; i++)
    want[i] = (CLAMP (floor ((nearbyint (x4[i] * 8) + 2) / 4), -8, 7) - 0.5) / 2;
  check (13, x4, 4, want, 4);
  /* as it was: from 8 bits to 6, the scale kept */
  begin ();
  number ("s", 0.125f);
  number ("z", 0);
  number ("in", 8);
  number ("out", 6);
  node ("Trunc", "qonnx.custom_op.general", "x s z in out", "y", "rounding_mode=FLOOR");
  for (guint i = 0; i < 4; i++)
    want[i] = floor (x4[i] * 8 / 4) * 0.125;
  check (13, x4, 4, want, 4);
}

/* Three thresholds at 0, 1, 2 for all channels. */
static void
test_multi_threshold (void)
{
  static const float thresholds[] = { 0, 1, 2 };
  static const double want[] = { -1, -0.5, -0.5, 0.5 };

  begin ();
  initializer ("t", 1, thresholds, sizeof thresholds, 1, 3);
  node ("MultiThreshold", "qonnx.custom_op.general", "x t", "y", "out_scale=0.5 out_bias=-1.0 out_dtype=UINT2");
  check (13, x4, 4, want, 4);
  /* at any distances, for each channel its own */
  {
    static const float rows[] = { -2, 0, 5, 0, 0.1f, 0.3f, 1, 2, 3, 3.5f, 3.6f, 3.8f };
    double counted[4];

    begin ();
    initializer ("t", 1, rows, sizeof rows, 4, 3);
    node ("MultiThreshold", "qonnx.custom_op.general", "x t", "y", "out_scale=0.5 out_bias=-1.0");
    for (guint i = 0; i < 4; i++)
      {
        counted[i] = -1;
        for (guint k = 0; k < 3; k++)
          counted[i] += x4[i] >= rows[3 * i + k] ? 0.5 : 0;
      }
    check (13, x4, 4, counted, 4);
  }
}

/* Every word of Quant: roundings, ranges, zero points, one bit. Source: qonnx, custom_op/general/quant.py. */
static void
test_quant (void)
{
  static const struct {
    const char *attributes;
    double      bits, zero, low, high;
    double    (*round) (double);
  } cases[] = { { "signed=1 narrow=0 rounding_mode=ROUND", 4, 0, -8, 7, nearbyint }, { "signed=1 narrow=1 rounding_mode=FLOOR", 3, 0, -3, 3, floor },
                { "signed=1 narrow=0 rounding_mode=CEIL", 4, 0, -8, 7, ceil },       { "signed=0 narrow=0 rounding_mode=ROUND", 4, 3, 0, 15, nearbyint },
                { "signed=0 narrow=1 rounding_mode=ROUND", 3, 2, 0, 6, nearbyint },  { "signed=0 narrow=0 rounding_mode=ceil", 3, 1, 0, 7, ceil },
                { "signed=1 narrow=0 rounding_mode=ROUND_TO_ZERO", 5, 0, -16, 15, trunc } };
  double want[4];

  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      begin ();
      number ("s", 0.375f);
      number ("z", (float) cases[c].zero);
      number ("b", (float) cases[c].bits);
      node ("Quant", "qonnx.custom_op.general", "x s z b", "y", cases[c].attributes);
      for (guint i = 0; i < 4; i++)
        want[i] = (CLAMP (cases[c].round (x4[i] / 0.375 + cases[c].zero), cases[c].low, cases[c].high) - cases[c].zero) * 0.375;
      check (13, x4, 4, want, 4);
    }
  begin ();
  number ("s", 0.5f);
  number ("z", 0);
  number ("b", 1);
  node ("Quant", "qonnx.custom_op.general", "x s z b", "y", "signed=1 narrow=0");
  for (guint i = 0; i < 4; i++)
    want[i] = x4[i] >= 0 ? 0.5 : -0.5;
  check (13, x4, 4, want, 4);
}

/* A weight that is quantised in the file, and a clip that makes 8 bits 4. */
static void
test_pairs (void)
{
  static const float w[] = { 0.31f, -0.7f, 0.9f, 5 };
  static const gint8 zero = 0;
  double want = 0;

  begin ();
  initializer ("w", 1, w, sizeof w, 4, 1);
  number ("s", 0.25f);
  initializer ("z", 3, &zero, 1, -1, -1);
  node ("QuantizeLinear", NULL, "w s z", "q", "");
  node ("DequantizeLinear", NULL, "q s z", "d", "");
  node ("QuantizeLinear", NULL, "x s z", "xq", "");
  node ("DequantizeLinear", NULL, "xq s z", "xd", "");
  node ("MatMul", NULL, "xd d", "y", "");
  for (guint i = 0; i < 4; i++)
    want += nearbyint (x4[i] * 4) / 4 * nearbyint (w[i] * 4) / 4;
  check (13, x4, 4, &want, 1);
}

static void
test_bounds (void)
{
  double want[4];

  begin ();
  number ("a", -0.5f);
  number ("b", 1.5f);
  node ("Clip", NULL, "x a b", "c", "");
  node ("Max", NULL, "c a", "m", "");
  node ("Neg", NULL, "m", "n", "");
  node ("Min", NULL, "n b", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = -CLAMP (x4[i], -0.5f, 1.5f);
  check (13, x4, 4, want, 4);
}

/* In two forms: the operator, and what exporters write before operator set 20. */
static void
test_gelu (void)
{
  double want[4];

  for (guint i = 0; i < 4; i++)
    want[i] = 0.5 * x4[i] * (1 + erf (x4[i] / M_SQRT2));
  begin ();
  node ("Gelu", NULL, "x", "y", "");
  check (20, x4, 4, want, 4);
  begin ();
  number ("root", (float) M_SQRT2);
  number ("one", 1);
  number ("half", 0.5f);
  node ("Div", NULL, "x root", "d", "");
  node ("Erf", NULL, "d", "e", "");
  node ("Add", NULL, "e one", "a", "");
  node ("Mul", NULL, "x a", "p", "");
  node ("Mul", NULL, "p half", "y", "");
  check (13, x4, 4, want, 4);
}

static void
test_curves (void)
{
  double want[4];

  begin ();
  node ("HardSwish", NULL, "x", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = x4[i] * CLAMP (x4[i] / 6.0 + 0.5, 0, 1);
  check (14, x4, 4, want, 4);
  begin ();
  node ("Reciprocal", NULL, "x", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = 1.0 / x4[i];
  check (13, x4, 4, want, 4);
}

static void
test_parts (void)
{
  static const gint64 starts[] = { -1 }, ends[] = { G_MININT32 }, axes[] = { 1 }, steps[] = { -1 }, times[] = { 1, 2 }, places[] = { 1, 3 };
  double want[8];

  begin ();
  initializer ("s", 7, starts, sizeof starts, 1, -1);
  initializer ("e", 7, ends, sizeof ends, 1, -1);
  initializer ("a", 7, axes, sizeof axes, 1, -1);
  initializer ("t", 7, steps, sizeof steps, 1, -1);
  initializer ("n", 7, times, sizeof times, 2, -1);
  node ("Slice", NULL, "x s e a t", "r", "");
  node ("Tile", NULL, "r n", "y", "");
  for (guint i = 0; i < 8; i++)
    want[i] = x4[3 - i % 4];
  check (13, x4, 4, want, 8);
  begin ();
  initializer ("p", 7, places, sizeof places, 2, -1);
  node ("Gather", NULL, "x p", "y", "axis=1");
  want[0] = x4[1];
  want[1] = x4[3];
  check (13, x4, 4, want, 2);
}

static void
test_einsum (void)
{
  static const float w[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  double want[2] = { 0 };

  begin ();
  initializer ("w", 1, w, sizeof w, 4, 2);
  /* the equation holds letters that the list of attributes keeps as a word */
  node ("Einsum", NULL, "x w", "y", "equation=bi,io->bo");
  for (guint i = 0; i < 4; i++)
    for (guint o = 0; o < 2; o++)
      want[o] += (double) x4[i] * w[2 * i + o];
  check (13, x4, 4, want, 2);
}

/* Products of vectors, rows of a table, constants beside data, norms along the first axis: read, and written again. */
static void
test_products (void)
{
  static const float w[] = { 1, 2, 3, 4, 5, 6, 7, 8 }, bias[] = { 0.5f, -0.5f }, places[] = { 0, 2, 1, 3 };
  static const float two[] = { 1, 4 }, none[] = { 0, 0 };
  static const gint64 one = 1, flat[] = { -1, 8 }, map[] = { -1, 2, 2 }, row[] = { -1, 4 };
  double want[8] = { 0.5, -0.5 };

  begin ();
  initializer ("w", 1, w, sizeof w, 4, 2);
  initializer ("b", 1, bias, sizeof bias, 2, -1);
  node ("Einsum", NULL, "x w", "e", "equation=bi,io->bo");
  node ("Add", NULL, "e b", "y", "");
  for (guint i = 0; i < 4; i++)
    for (guint o = 0; o < 2; o++)
      want[o] += (double) x4[i] * w[2 * i + o];
  check (13, x4, 4, want, 2);
  begin ();
  initializer ("a", 7, &one, sizeof one, 1, -1);
  node ("Einsum", NULL, "x x", "d", "equation=bi,bi->b");
  node ("Unsqueeze", NULL, "d a", "y", "");
  want[0] = 0;
  for (guint i = 0; i < 4; i++)
    want[0] += (double) x4[i] * x4[i];
  check (13, x4, 4, want, 1);
  begin ();
  initializer ("w", 1, w, sizeof w, 4, 2);
  initializer ("f", 7, flat, sizeof flat, 2, -1);
  node ("Cast", NULL, "x", "p", "to=7");
  node ("Gather", NULL, "w p", "g", "");
  node ("Reshape", NULL, "g f", "y", "");
  for (guint i = 0; i < 8; i++)
    want[i] = w[2 * (guint) places[i / 2] + i % 2];
  check (13, places, 4, want, 8);
  begin ();
  initializer ("c", 1, two, sizeof two, 1, 2);
  node ("Concat", NULL, "c x", "y", "axis=1");
  for (guint i = 0; i < 6; i++)
    want[i] = i < 2 ? two[i] : x4[i - 2];
  check (13, x4, 4, want, 6);
  begin ();
  initializer ("m", 7, map, sizeof map, 3, -1);
  initializer ("r", 7, row, sizeof row, 2, -1);
  initializer ("s", 1, two, sizeof two, 2, -1);
  initializer ("z", 1, none, sizeof none, 2, -1);
  node ("Reshape", NULL, "x m", "h", "");
  node ("BatchNormalization", NULL, "h s z z s", "n", "epsilon=0.00001");
  node ("Reshape", NULL, "n r", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = x4[i] * two[i / 2] / sqrt (two[i / 2] + 1e-5);
  check (13, x4, 4, want, 4);
}

/* Windows with gaps. */
static void
test_dilated_pool (void)
{
  static const gint64 map[] = { -1, 1, 4 }, row[] = { -1, 4 };
  double want[4];

  begin ();
  initializer ("m", 7, map, sizeof map, 3, -1);
  initializer ("r", 7, row, sizeof row, 2, -1);
  node ("Reshape", NULL, "x m", "h", "");
  node ("MaxPool", NULL, "h", "p", "kernel_shape=[2] dilations=[2] pads=[1;1]");
  node ("Reshape", NULL, "p r", "y", "");
  for (gint64 i = 0; i < 4; i++)
    want[i] = MAX (i > 0 ? x4[i - 1] : -INFINITY, i < 3 ? x4[i + 1] : -INFINITY);
  check (13, x4, 4, want, 4);
}

/* The largest number and its place. */
static void
test_winner (void)
{
  static const gint64 one = 1;
  double want[2] = { 0, 0 };

  for (guint i = 1; i < 4; i++)
    want[1] = x4[i] > x4[(guint) want[1]] ? i : want[1];
  want[0] = x4[(guint) want[1]];
  begin ();
  initializer ("k", 7, &one, sizeof one, 1, -1);
  node ("TopK", NULL, "x k", "v i", "axis=1");
  node ("Cast", NULL, "i", "f", "to=1");
  node ("Concat", NULL, "v f", "y", "axis=1");
  check (13, x4, 4, want, 2);
  begin ();
  node ("ArgMax", NULL, "x", "i", "axis=1 keepdims=1");
  node ("Cast", NULL, "i", "y", "to=1");
  check (13, x4, 4, want + 1, 1);
}

/* Twice as many steps, each the one at or before its middle. */
static void
test_resize_floor (void)
{
  static const gint64 map[] = { -1, 1, 4 }, row[] = { -1, 8 };
  static const float scales[] = { 1, 1, 2 };
  double want[8];

  begin ();
  initializer ("m", 7, map, sizeof map, 3, -1);
  initializer ("r", 7, row, sizeof row, 2, -1);
  initializer ("s", 1, scales, sizeof scales, 3, -1);
  node ("Reshape", NULL, "x m", "h", "");
  node ("Resize", NULL, "h  s", "p", "mode=nearest coordinate_transformation_mode=half_pixel nearest_mode=floor");
  node ("Reshape", NULL, "p r", "y", "");
  for (guint i = 0; i < 8; i++)
    want[i] = x4[(guint) MAX (floor ((i + 0.5) / 2 - 0.5), 0)];
  check (13, x4, 4, want, 8);
}

/* A kernel smaller than its stride leaves zeros between, and none at the end. */
static void
test_transposed_gaps (void)
{
  static const gint64 map[] = { -1, 1, 4 }, row[] = { -1, 7 };
  static const float kernel = 0.7f;
  GByteArray *w = g_byte_array_new ();
  double want[7] = { 0 };

  begin ();
  initializer ("m", 7, map, sizeof map, 3, -1);
  initializer ("r", 7, row, sizeof row, 2, -1);
  for (guint i = 0; i < 3; i++)
    put_int (w, 1, 1);
  put_int (w, 2, 1);
  put_text (w, 8, "w");
  put_bytes (w, 9, &kernel, sizeof kernel);
  put_message (graph, 5, w);
  node ("Reshape", NULL, "x m", "h", "");
  node ("ConvTranspose", NULL, "h w", "p", "strides=[2]");
  node ("Reshape", NULL, "p r", "y", "");
  for (guint i = 0; i < 4; i++)
    want[2 * i] = x4[i] * kernel;
  check (13, x4, 4, want, 7);
}

/* More bytes than stay in the message: read from where they lie in the file. */
static void
test_large (void)
{
  g_autofree float *w = g_new (float, 4 * 8192);
  double want = 0;
  static const gint64 axes[] = { 1 };

  for (guint i = 0; i < 4 * 8192; i++)
    w[i] = (float) (i % 97) / 97;
  begin ();
  initializer ("w", 1, w, 4 * 8192 * sizeof (float), 4, 8192);
  initializer ("a", 7, axes, sizeof axes, 1, -1);
  node ("MatMul", NULL, "x w", "m", "");
  node ("ReduceMean", NULL, "m a", "y", "keepdims=1");
  for (guint i = 0; i < 4 * 8192; i++)
    want += (double) x4[i / 8192] * w[i] / 8192;
  check (18, x4, 4, &want, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/onnx/trunc", test_trunc);
  g_test_add_func ("/load/onnx/multi-threshold", test_multi_threshold);
  g_test_add_func ("/load/onnx/quant", test_quant);
  g_test_add_func ("/load/onnx/pairs", test_pairs);
  g_test_add_func ("/load/onnx/bounds", test_bounds);
  g_test_add_func ("/load/onnx/gelu", test_gelu);
  g_test_add_func ("/load/onnx/curves", test_curves);
  g_test_add_func ("/load/onnx/parts", test_parts);
  g_test_add_func ("/load/onnx/einsum", test_einsum);
  g_test_add_func ("/load/onnx/products", test_products);
  g_test_add_func ("/load/onnx/dilated-pool", test_dilated_pool);
  g_test_add_func ("/load/onnx/winner", test_winner);
  g_test_add_func ("/load/onnx/resize-floor", test_resize_floor);
  g_test_add_func ("/load/onnx/transposed-gaps", test_transposed_gaps);
  g_test_add_func ("/load/onnx/large", test_large);
  return g_test_run ();
}

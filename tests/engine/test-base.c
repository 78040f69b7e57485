/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base: text, random numbers, arena, parallel for. */

#include "nn-arena.h"
#include "nn-parallel.h"
#include "nn-rng.h"
#include "nn-text.h"

#include <math.h>

static void
test_double_text (void)
{
  static const struct { double value; const char *text; } cases[] = {
    { 0, "0" }, { 0.1, "0.1" }, { -2.5, "-2.5" }, { 1e300, "1e+300" }, { 3.2e-25, "3.2e-25" }, { 1.0 / 3, "0.3333333333333333" },
    { INFINITY, "inf" }, { 10, "10" }, { -20, "-20" }, { 1e6, "1000000" }, { -0.0, "-0" }, { 1e15, "1e+15" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = nn_text_from_double (cases[i].value);
      double back;

      g_assert_cmpstr (text, ==, cases[i].text);
      g_assert_true (nn_text_to_double (text, &back));
      g_assert_true (back == cases[i].value);
    }
}

/* With one digit after the other, as one would look for the shortest by hand; whole numbers without an exponent. */
static void
check_shortest (double value)
{
  g_autofree char *text = nn_text_from_double (value);
  char wanted[G_ASCII_DTOSTR_BUF_SIZE], format[16];
  int digits = 0;

  do
    {
      g_snprintf (format, sizeof format, "%%.%dg", ++digits);
      g_ascii_formatd (wanted, sizeof wanted, format, value);
    }
  while (g_ascii_strtod (wanted, NULL) != value);
  if (fabs (value) < 1e15 && value == floor (value))
    g_ascii_formatd (wanted, sizeof wanted, "%.0f", value);
  g_assert_cmpstr (text, ==, wanted);
}

/* Fixed-point numbers, decimals of few digits, any bits, numbers near zero that have fewer. */
static void
test_shortest (void)
{
  static const double few[] = { -0.0, 100000, -1e6, 123456789012345678.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.30000000000000004 };
  NnRng rng;

  nn_rng_init (&rng, 5);
  for (guint i = 0; i < G_N_ELEMENTS (few); i++)
    check_shortest (few[i]);
  for (guint i = 0; i < 20000; i++)
    {
      guint64 bits = (guint64) nn_rng_below (&rng, G_GUINT64_CONSTANT (1) << 62) << (i % 3);
      double any;

      memcpy (&any, &bits, sizeof any);
      if (isfinite (any))
        check_shortest (i % 2 ? any : -any);
      check_shortest (ldexp ((double) nn_rng_below (&rng, 1 << 20) - 524288, -(int) nn_rng_below (&rng, 40)));
      check_shortest ((double) nn_rng_below (&rng, 100000) / 1000);
    }
}

/* As many decimals as asked for, to the last bit as text has them. */
static void
check_decimals (double value,
                guint  digits)
{
  char format[16], text[512];
  double got = nn_text_decimals (value, digits), wanted;

  g_snprintf (format, sizeof format, "%%.%uf", digits);
  wanted = g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, value), NULL);
  if (memcmp (&got, &wanted, sizeof got) != 0)
    g_error ("%.17g with %u decimals is %.17g, not %.17g", value, digits, wanted, got);
}

static void
test_decimals (void)
{
  static const double cases[] = { 0, 0.5, 1.5, 2.5, 0.125, 0.375, 0.0625, 1e-5, 5e-324, 1e22, 9007199254740993.0, 4503599627370497.5, 123456.789, 1e60 };
  NnRng rng;

  nn_rng_init (&rng, 7);
  for (guint digits = 0; digits <= 40; digits++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
        {
          check_decimals (cases[i], digits);
          check_decimals (-cases[i], digits);
        }
      for (guint i = 0; i < 2000; i++)
        {
          double scale = ldexp (1, (int) (i % 60) - 40);

          check_decimals (scale * nn_rng_normal (&rng), digits);
          check_decimals ((float) (scale * nn_rng_normal (&rng)), digits);
          check_decimals (rint (64 * nn_rng_normal (&rng)) * scale, digits); /* ties */
        }
    }
}

static void
test_not_numbers (void)
{
  double d;
  gint64 i;

  g_assert_false (nn_text_to_double ("1,5", &d));
  g_assert_false (nn_text_to_double ("", &d));
  g_assert_false (nn_text_to_int ("12x", &i));
  g_assert_true (nn_text_to_int (" 12 ", &i));
  g_assert_cmpint (i, ==, 12);
}

static void
test_identifier (void)
{
  g_autofree char *a = nn_text_identifier ("3 layer/a.b");
  g_autofree char *b = nn_text_identifier ("");

  g_assert_cmpstr (a, ==, "_3_layer_a_b");
  g_assert_cmpstr (b, ==, "_");
}

static void
test_nearest (void)
{
  static const char *const words[] = { "latency", "resource", "resource_unrolled", NULL };

  g_assert_cmpstr (nn_text_nearest ("Latencey", words), ==, "latency");
  g_assert_cmpstr (nn_text_nearest ("ressource", words), ==, "resource");
}

static void
test_rng (void)
{
  NnRng a, b;
  double sum = 0, squares = 0;
  const int n = 100000;

  nn_rng_init (&a, 7);
  nn_rng_init (&b, 7);
  for (int i = 0; i < 1000; i++)
    g_assert_cmpuint (nn_rng_next (&a), ==, nn_rng_next (&b));
  for (int i = 0; i < n; i++)
    {
      double x = nn_rng_normal (&a);

      sum += x;
      squares += x * x;
    }
  /* five standard errors */
  g_assert_cmpfloat (fabs (sum / n), <, 5 / sqrt (n));
  g_assert_cmpfloat (fabs (squares / n - 1), <, 5 * sqrt (2.0 / n));
  for (int i = 0; i < 1000; i++)
    g_assert_cmpuint (nn_rng_below (&a, 10), <, 10);
}

static void
test_arena (void)
{
  g_autoptr (NnArena) arena = nn_arena_new ();

  for (guint i = 1; i < 2000; i++)
    {
      guint8 *bytes = nn_arena_alloc (arena, i);

      g_assert_cmpuint (GPOINTER_TO_SIZE (bytes) % 16, ==, 0);
      for (guint k = 0; k < i; k++)
        {
          g_assert_cmpuint (bytes[k], ==, 0);
          bytes[k] = 0xff;
        }
    }
}

static void
add_square (gsize    chunk,
            gsize    n_chunks,
            gpointer data)
{
  ((guint64 *) data)[chunk] += (guint64) chunk * chunk;
}

static void
test_parallel (void)
{
  guint64 sums[777] = { 0 };

  for (guint threads = 1; threads <= 4; threads++)
    {
      nn_parallel_set_threads (threads);
      for (guint round = 0; round < 200; round++)
        nn_parallel_for (G_N_ELEMENTS (sums), add_square, sums);
    }
  for (guint64 i = 0; i < G_N_ELEMENTS (sums); i++)
    g_assert_cmpuint (sums[i], ==, 800 * i * i);
  nn_parallel_set_threads (0);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/text/double", test_double_text);
  g_test_add_func ("/base/text/shortest", test_shortest);
  g_test_add_func ("/base/text/decimals", test_decimals);
  g_test_add_func ("/base/text/not-numbers", test_not_numbers);
  g_test_add_func ("/base/text/identifier", test_identifier);
  g_test_add_func ("/base/text/nearest", test_nearest);
  g_test_add_func ("/base/rng", test_rng);
  g_test_add_func ("/base/arena", test_arena);
  g_test_add_func ("/base/parallel", test_parallel);
  return g_test_run ();
}

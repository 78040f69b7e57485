/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: number types. */

#include "nn-type.h"

#include "nn-error.h"

static void
test_parse (void)
{
  static const struct { const char *text; const char *back; } cases[] = {
    { "ap_fixed<16,6>", "fixed<16,6>" },
    { "fixed< 16 , 6 >", "fixed<16,6>" },
    { "ap_ufixed<8,0,AP_RND,AP_SAT>", "ufixed<8,0,RND,SAT>" },
    { "ap_fixed<10,4,AP_RND_MIN_INF,AP_WRAP>", "fixed<10,4,RND_MIN_INF,WRAP>" },
    { "int<4>", "fixed<4,4>" },
    { "ap_uint<1>", "ufixed<1,1>" },
    { "ac_fixed<16,6,true>", "fixed<16,6>" },
    { "ac_int<8,false>", "ufixed<8,8>" },
    { "fixed<8,-2,TRN,SAT_SYM,1>", "fixed<8,-2,TRN,SAT_SYM,1>" },
    { "auto", "auto" },
    { "float", "float" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;
      NnType type;

      nn_type_parse (cases[i].text, &type, &error);
      g_assert_no_error (error);
      text = nn_type_to_string (&type);
      g_assert_cmpstr (text, ==, cases[i].back);
    }
}

static void
test_parse_errors (void)
{
  static const char *const cases[] = { "", "fixed", "fixed<>", "fixed<16>", "fixed<0,0>", "fixed<65,3>", "fixed<8,4,RNDD>", "fix<8,4>", "fixed<8,4" };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      NnType type;

      g_assert_false (nn_type_parse (cases[i], &type, &error));
      g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
    }
}

/* fixed<4,3>: one bit after the point. Columns: TRN TRN_ZERO RND RND_ZERO RND_INF RND_MIN_INF RND_CONV. */
static void
test_rounding (void)
{
  static const struct { double value; int raw[7]; } cases[] = {
    { 0.25, { 0, 0, 1, 0, 1, 0, 0 } },   { -0.25, { -1, 0, 0, 0, -1, -1, 0 } }, { 0.75, { 1, 1, 2, 1, 2, 1, 2 } },
    { -0.75, { -2, -1, -1, -1, -2, -2, -2 } }, { 0.3, { 0, 0, 1, 1, 1, 1, 1 } }, { -0.3, { -1, 0, -1, -1, -1, -1, -1 } },
    { 1.0, { 2, 2, 2, 2, 2, 2, 2 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint mode = 0; mode < 7; mode++)
      {
        NnType type = NN_FIXED (4, 3);

        type.rounding = mode;
        g_assert_cmpint (nn_type_quantize (&type, cases[i].value, NULL), ==, cases[i].raw[mode]);
      }
}

static void
test_overflow (void)
{
  static const struct { double value; int raw[4]; } cases[] = {
    /* fixed<4,4>: -8..7; WRAP SAT SAT_ZERO SAT_SYM */
    { 8, { -8, 7, 0, 7 } }, { 9, { -7, 7, 0, 7 } }, { -9, { 7, -8, 0, -7 } }, { -8, { -8, -8, -8, -7 } }, { 100, { 4, 7, 0, 7 } },
    { 1e30, { 0, 7, 0, 7 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint mode = 0; mode < 4; mode++)
      {
        NnType type = NN_FIXED (4, 4);
        gboolean over;

        type.overflow = mode;
        g_assert_cmpint (nn_type_quantize (&type, cases[i].value, &over), ==, cases[i].raw[mode]);
        g_assert_true (over == (cases[i].value != -8));
      }
}

/* Wide words wrap in every bit: a real of 53 bits does not hold them. */
static void
test_wide_wrap (void)
{
  static const struct { int width; gboolean is_signed; double value; gint64 raw; } cases[] = {
    { 63, FALSE, -2, G_MAXINT64 - 1 }, { 64, FALSE, -3, -3 }, { 60, FALSE, -1, (G_GINT64_CONSTANT (1) << 60) - 1 },
    { 63, TRUE, 0x1p62, -(G_GINT64_CONSTANT (1) << 62) }, { 64, TRUE, 0x1.8p63, -(G_GINT64_CONSTANT (1) << 62) },
    { 64, FALSE, 0x1p64, 0 }, { 64, FALSE, -0x1p64, 0 }, { 64, FALSE, 0x1.8p63, (gint64) G_GUINT64_CONSTANT (0xc000000000000000) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      NnType type = NN_FIXED (cases[i].width, cases[i].width);

      type.is_signed = cases[i].is_signed;
      g_assert_cmpint (nn_type_quantize (&type, cases[i].value, NULL), ==, cases[i].raw);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/type/parse", test_parse);
  g_test_add_func ("/type/parse-errors", test_parse_errors);
  g_test_add_func ("/type/rounding", test_rounding);
  g_test_add_func ("/type/overflow", test_overflow);
  g_test_add_func ("/type/wide-wrap", test_wide_wrap);
  return g_test_run ();
}

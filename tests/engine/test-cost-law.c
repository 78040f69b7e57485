/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws of multipliers and memories on cases that can be checked by hand, and the catalogue of parts. */

#include "nn-error.h"
#include "nn-law.h"
#include "nn-part.h"
#include "test-shared.h"

#include <string.h>

static void
test_csd (void)
{
  static const struct { gint64 value; guint digits; } cases[] = {
    { 0, 0 }, { 1, 1 }, { -8, 1 }, { 3, 2 }, { 5, 2 }, { 6, 2 }, { 7, 2 }, { 9, 2 }, { -15, 2 }, { 11, 3 }, { 13, 3 },
    { 19, 3 }, { 21, 3 }, { 27, 3 }, { 43, 4 }, { 85, 4 }, { 0x5555, 8 }, { 0x7fff, 2 }, { G_MININT64, 1 }, { G_MAXINT64, 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (nn_csd_digits (cases[i].value), ==, cases[i].digits);
  /* the number of digits is that of the bits in which 3 v and v differ */
  for (gint64 v = 0; v < 5000; v++)
    {
      guint bits = 0;

      for (gint64 x = (3 * v) ^ v; x != 0; x >>= 1)
        bits += x & 1;
      g_assert_cmpuint (nn_csd_digits (v), ==, bits);
      g_assert_cmpuint (nn_csd_digits (-v), ==, bits);
    }
}

/* 3 inputs, 4 outputs. */
static const gint64 matrix[] = {
  0, 11, 11, 8,    /* one product of three digits, shared */
  43, 43, -43, 3,  /* two: the sign makes another; one of two digits */
  0, 0, 0, 0,
};

static void
test_count (void)
{
  NnWeightCount count = nn_law_count (matrix, 3, 4, FALSE), vivado = nn_law_count (matrix, 3, 4, TRUE);

  g_assert_cmpuint (count.n_nonzero, ==, 7);
  g_assert_cmpuint (count.n_products, ==, 5);
  g_assert_cmpuint (count.n_two_digit, ==, 1);
  g_assert_cmpuint (count.n_dsp, ==, 3);
  g_assert_cmpuint (count.max_fan_in, ==, 2);
  g_assert_cmpuint (vivado.n_dsp, ==, 2);
  g_assert_cmpuint (nn_latency_dsp (matrix, 3, 4), ==, 3);
}

/* DSP = number of rows of RF consecutive weights of the transposed matrix that are not all zero. */
static void
test_live (void)
{
  static const gint64 pruned[] = {
    1, 0, 0,
    0, 0, 0,
    0, 2, 0,
    0, 0, 0,
  }; /* transposed: 1000 0020 0000 */

  g_assert_cmpuint (nn_law_live_multipliers (pruned, 4, 3, 1), ==, 2);
  g_assert_cmpuint (nn_law_live_multipliers (pruned, 4, 3, 2), ==, 2);
  g_assert_cmpuint (nn_law_live_multipliers (pruned, 4, 3, 4), ==, 2);
  g_assert_cmpuint (nn_law_live_multipliers (pruned, 4, 3, 12), ==, 1);
}

static void
test_limit_and_memory (void)
{
  g_assert_cmpuint (nn_law_multiplier_limit (16, 64, 1, 165), ==, 1024 - 165);
  g_assert_cmpuint (nn_law_multiplier_limit (16, 64, 100, 165), ==, 11 - 1);
  g_assert_cmpuint (nn_law_multiplier_limit (2, 2, 100, 0), ==, 1);
  g_assert_cmpuint (nn_law_multiplier_limit (2, 2, 1, 4), ==, 1);
  g_assert_cmpuint (nn_law_rom_bram (512, 36), ==, 1);
  g_assert_cmpuint (nn_law_rom_bram (512, 37), ==, 2);
  g_assert_cmpuint (nn_law_rom_bram (513, 18), ==, 1);
  g_assert_cmpuint (nn_law_rom_bram (1024, 36), ==, 2);
  g_assert_cmpuint (nn_law_rom_bram (1280, 36), ==, 2 + 1);
  g_assert_cmpuint (nn_law_rom_bram (4, 0), ==, 0);
  g_assert_cmpuint (nn_law_rom_bram (0, 4), ==, 0);
}

/* The highest bits of the memory's word are the last multiplier's, and those that it never needs are not there. */
static void
test_last_bits (void)
{
  static const gint64 weights[] = {
    9, 1,
    -9, -4,
    0, 3,
  }; /* transposed: 9 -9 0, 1 -4 3 */

  g_assert_cmpuint (nn_law_last_bits (weights, 3, 2, 3), ==, 3);
  g_assert_cmpuint (nn_law_last_bits (weights, 3, 2, 6), ==, 5);
  g_assert_cmpuint (nn_law_last_bits (weights, 3, 2, 1), ==, 3);
  g_assert_false (nn_law_has_index_memory (160, 480)); /* 480 words of 2 bits */
  g_assert_true (nn_law_has_index_memory (128, 512));
  g_assert_false (nn_law_has_index_memory (256, 512)); /* two outputs: 1 bit */
  g_assert_false (nn_law_has_index_memory (64, 32));
}

static void
test_multiplier (void)
{
  const NnPart *e1 = nn_part_find ("xc7z020", NULL), *e2 = nn_part_find ("xcvu13p", NULL), *e58 = nn_part_find ("xcvc1902", NULL);
  const NnPart *intel = nn_part_find ("agilex7", NULL), *asic = nn_part_find ("asic-45nm", NULL);
  const NnPart *polarfire = nn_part_find ("mpf300", NULL);
  NnType w4 = NN_FIXED (4, 1), w16 = NN_FIXED (16, 6), w18 = NN_FIXED (18, 8), w24 = NN_FIXED (24, 8), w26 = NN_FIXED (26, 8);
  NnType u18 = NN_UFIXED (18, 8), binary = { .kind = NN_TYPE_BINARY, .width = 1 };

  g_assert_cmpuint (nn_multiplier_dsp (e1, &w16, &w16), ==, 1);
  g_assert_cmpuint (nn_multiplier_dsp (e1, &w16, &w26), ==, 2);
  g_assert_cmpuint (nn_multiplier_dsp (e2, &w16, &w26), ==, 1);
  g_assert_cmpuint (nn_multiplier_dsp (e1, &w18, &u18), ==, 1);
  g_assert_cmpuint (nn_multiplier_dsp (e1, &w24, &w24), ==, 2);
  g_assert_cmpuint (nn_multiplier_dsp (e58, &w24, &w26), ==, 1);
  g_assert_cmpuint (nn_multiplier_dsp (polarfire, &w24, &w24), ==, 4);
  g_assert_cmpuint (nn_multiplier_dsp (e2, &w16, &w4), ==, 0);
  g_assert_cmpuint (nn_multiplier_dsp (e2, &w16, &binary), ==, 0);
  g_assert_cmpuint (nn_multiplier_dsp (asic, &w16, &w16), ==, 0);
  g_assert_cmpuint (nn_multipliers_per_dsp (intel, &w16, &w18), ==, 2);
  g_assert_cmpuint (nn_multipliers_per_dsp (intel, &w16, &w26), ==, 1);
  g_assert_cmpuint (nn_multipliers_per_dsp (e2, &w16, &w16), ==, 1);
}

static void
test_catalogue (void)
{
  guint n, families[NN_N_FAMILIES] = { 0 };
  const NnPart *const *parts = nn_parts (&n);

  g_assert_cmpuint (n, >=, 40);
  for (guint i = 0; i < n; i++)
    {
      families[parts[i]->family]++;
      g_assert_cmpuint (strlen (parts[i]->source), >, 3);
      g_assert_true (i == 0 || strcmp (parts[i - 1]->name, parts[i]->name) < 0);
      g_assert_true (nn_part_find (parts[i]->name, NULL) == parts[i]);
    }
  for (guint f = 0; f < NN_FAMILY_OTHER; f++)
    g_assert_cmpuint (families[f], >, 0);
}

static void
test_find (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (nn_part_find ("xcvu9p-flga2104-2L-e", NULL)->name, ==, "xcvu9p");
  g_assert_cmpstr (nn_part_find ("xc7z020clg400-1", NULL)->name, ==, "xc7z020");
  g_assert_cmpstr (nn_part_find ("10AX115N2F45E1SG", NULL)->name, ==, "10ax115");
  g_assert_cmpstr (nn_part_find ("AGIB027R29A1E2VR3", NULL)->name, ==, "agib027");
  g_assert_cmpstr (nn_part_find ("1SX280HU2F50E1VG", NULL)->name, ==, "1sx280");
  g_assert_cmpstr (nn_part_find ("XCVU13P", NULL)->name, ==, "xcvu13p");
  g_assert_cmpstr (nn_part_find ("xcu25", NULL)->name, ==, "xcu250");
  g_assert_null (nn_part_find ("xc7z", &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "not unique"));
  g_clear_error (&error);
  g_assert_null (nn_part_find ("xcvu9x-flga", &error));
  g_assert_nonnull (strstr (error->message, "xcvu9p"));
}

static const struct { const char *text, *message; } bad[] = {
  { "", "" },
  { "{}", "\"parts\"" },
  { "{\"parts\": [1]}", "not an object" },
  { "{\"parts\": [{\"name\": \"a\"}]}", "source" },
  { "{\"parts\": [{\"name\": \"a\", \"source\": \"me\", \"family\": \"ultrascal\"}]}", "ultrascale" },
  { "{\"parts\": [{\"name\": \"a\", \"source\": \"me\", \"family\": \"7-series\", \"dsp\": 1e300}]}", "dsp" },
  { "{\"parts\": [{\"name\": \"a\", \"source\": \"me\", \"family\": \"7-series\", \"mult_a\": 0}]}", "multiplier" },
};

static void
test_own (void)
{
  g_autofree char *folder = test_folder ();
  g_autofree char *path = g_build_filename (folder, "parts.json", NULL);
  g_autofree char *json = NULL;
  g_autoptr (GError) error = NULL;
  NnPart part = { .name = "My-Board", .family = NN_FAMILY_LATTICE, .total = { { 7, -1, 100, 200, -1 } }, .mult_a = 18, .mult_b = 18 };
  guint before, after;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) local = NULL;

      g_assert_true (g_file_set_contents (path, bad[i].text, -1, NULL));
      g_assert_false (nn_parts_add_file (path, &local));
      g_assert_nonnull (local);
      g_assert_nonnull (strstr (local->message, bad[i].message));
    }
  nn_parts (&before);
  g_assert_true (nn_parts_add (&part, &error));
  nn_parts (&after);
  g_assert_cmpuint (after, ==, before + 1);
  g_assert_cmpfloat (nn_part_find ("my-board", NULL)->total.amount[NN_RESOURCE_DSP], ==, 7);
  json = nn_parts_own_to_json ();
  g_assert_true (g_file_set_contents (path, json, -1, NULL));
  g_assert_true (nn_parts_add_file (path, &error));
  g_assert_no_error (error);
  nn_parts (&after);
  g_assert_cmpuint (after, ==, before + 1);
  g_assert_cmpfloat (nn_part_find ("my-board", NULL)->total.amount[NN_RESOURCE_LUT], ==, 100);
  g_assert_cmpfloat (nn_part_find ("my-board", NULL)->total.amount[NN_RESOURCE_BRAM], <, 0);
}

/* Kept in the data folder, loaded by another run, taken back. */
static void
test_own_file (void)
{
  g_autofree char *path = nn_parts_own_path (), *text = NULL;
  g_autoptr (GError) error = NULL;
  NnPart part = { .name = "kept-board", .family = NN_FAMILY_7_SERIES, .total = { { 9, 10, 11, 12, 0 } }, .mult_a = 25, .mult_b = 18,
                  .ram_kbit = 18 };
  NnPart other = part, bad_name = part;
  double dsp = nn_part_find ("xc7z020", NULL)->total.amount[NN_RESOURCE_DSP];

  g_assert_true (g_str_has_prefix (path, g_get_user_data_dir ()));
  g_assert_true (nn_parts_load_own (&error)); /* no file yet */
  bad_name.name = "two words";
  g_assert_false (nn_parts_add (&bad_name, &error));
  g_assert_nonnull (strstr (error->message, "one word"));
  g_clear_error (&error);
  g_assert_true (nn_parts_add (&part, &error));
  other.name = "xc7z020"; /* in the place of a shipped one */
  g_assert_true (nn_parts_add (&other, &error));
  g_assert_true (nn_part_is_own (nn_part_find ("xc7z020", NULL)));
  g_assert_true (nn_parts_save_own (&error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "kept-board"));
  g_assert_true (nn_parts_remove ("KEPT-board"));
  g_assert_false (nn_parts_remove ("kept-board"));
  g_assert_null (nn_part_find ("kept-board", NULL));
  g_assert_true (nn_parts_remove ("xc7z020"));
  g_assert_cmpfloat (nn_part_find ("xc7z020", NULL)->total.amount[NN_RESOURCE_DSP], ==, dsp);
  g_assert_true (nn_parts_load_own (&error));
  g_assert_cmpfloat (nn_part_find ("kept-board", NULL)->total.amount[NN_RESOURCE_LUT], ==, 11);
  g_assert_true (g_file_set_contents (path, "{", -1, NULL));
  g_assert_false (nn_parts_load_own (&error));
  g_assert_nonnull (strstr (error->message, path));
  g_assert_true (nn_parts_remove ("kept-board"));
  g_assert_true (nn_parts_remove ("xc7z020"));
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *home = test_folder ();
  int status;

  g_setenv ("XDG_DATA_HOME", home, TRUE); /* GLib's own way of doing this leaks */
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cost/law/csd", test_csd);
  g_test_add_func ("/cost/law/count", test_count);
  g_test_add_func ("/cost/law/live", test_live);
  g_test_add_func ("/cost/law/limit-and-memory", test_limit_and_memory);
  g_test_add_func ("/cost/law/last-bits", test_last_bits);
  g_test_add_func ("/cost/law/multiplier", test_multiplier);
  g_test_add_func ("/cost/part/catalogue", test_catalogue);
  g_test_add_func ("/cost/part/find", test_find);
  g_test_add_func ("/cost/part/own", test_own);
  g_test_add_func ("/cost/part/own-file", test_own_file);
  status = g_test_run ();
  remove_folder (home);
  return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verb profile, and configure with data, from outside. */

#include "cli-run.h"
#include "test-shared.h"

#include <json-glib/json-glib.h>
#include <string.h>

static char *
run (int         wanted,
     const char *first,
     ...) G_GNUC_NULL_TERMINATED;

static char *
run (int         wanted,
     const char *first,
     ...)
{
  g_autofree char *err = NULL;
  char *out = NULL;
  va_list more;
  int status;

  va_start (more, first);
  status = cli_run_words (&out, &err, first, more);
  va_end (more);
  g_assert_cmpint (status, ==, wanted);
  return out;
}

static void
test_profile (void)
{
  static const char *const keys[] = { "name", "kind", "min", "q1", "median", "q3", "max", "type", "below_lsb", "overflow" };
  g_autofree char *folder = test_folder (), *model = g_build_filename (folder, "jets.h5", NULL);
  g_autofree char *data = g_build_filename (folder, "jets.npz", NULL), *config = g_build_filename (folder, "c.json", NULL);
  g_autofree char *sample = run (0, "sample", "jets", "--output", folder, NULL);
  g_autofree char *made = run (0, "configure", model, "--precision", "fixed<10,3>", "--output", config, NULL);
  g_autofree char *out = run (0, "profile", model, "--data", data, "--config", config, "--doctor", "--scan", "8:16:6", "--json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root = cli_parse (parser, out), *doctor;
  JsonArray *tensors = json_object_get_array_member (root, "tensors");

  g_assert_cmpuint (json_array_get_length (tensors), >, 10);
  for (guint i = 0; i < json_array_get_length (tensors); i++)
    for (guint k = 0; k < G_N_ELEMENTS (keys); k++)
      g_assert_true (json_object_has_member (json_array_get_object_element (tensors, i), keys[k]));
  doctor = json_object_get_object_member (root, "doctor");
  g_assert_cmpfloat (json_object_get_double_member (doctor, "fixed_score"), <, json_object_get_double_member (doctor, "float_score"));
  g_assert_cmpfloat (json_object_get_double_member (doctor, "repaired_score"), >, json_object_get_double_member (doctor, "fixed_score"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (doctor, "changes")), >, 0);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "scan")), ==, 9);
}

/* Integer bits chosen from data repair what ten bits with three before the point spoil. */
static void
test_observed (void)
{
  g_autofree char *folder = test_folder (), *model = g_build_filename (folder, "jets.h5", NULL);
  g_autofree char *data = g_build_filename (folder, "jets.npz", NULL), *config = g_build_filename (folder, "c.json", NULL);
  g_autofree char *sample = run (0, "sample", "jets", "--output", folder, NULL);
  g_autofree char *made = run (0, "configure", model, "--precision", "fixed<10,3>", "--data", data, "--output", config, NULL);
  g_autofree char *out = run (0, "profile", model, "--data", data, "--config", config, "--doctor", "--json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *doctor = json_object_get_object_member (cli_parse (parser, out), "doctor");

  g_assert_cmpfloat (json_object_get_double_member (doctor, "fixed_score"), >, json_object_get_double_member (doctor, "float_score") - 0.02);
}

#ifdef HAVE_CHARTS
static void
test_figure (void)
{
  static const struct { const char *name, *begins; } kinds[] = { { "f.svg", "<?xml" }, { "f.pdf", "%PDF" }, { "f.PNG", "\x89PNG" }, { "f.csv", "tensor,type" } };
  g_autofree char *folder = test_folder (), *model = g_build_filename (folder, "jets.h5", NULL);
  g_autofree char *data = g_build_filename (folder, "jets.npz", NULL), *config = g_build_filename (folder, "c.json", NULL);
  g_autofree char *sample = run (0, "sample", "jets", "--output", folder, NULL);
  g_autofree char *made = run (0, "configure", model, "--precision", "fixed<10,3>", "--output", config, NULL);

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      g_autofree char *path = g_build_filename (folder, kinds[k].name, NULL), *bytes = NULL;
      g_autofree char *out = run (0, "profile", model, "--data", data, "--config", config, "--figure", path, "--quiet", NULL);
      gsize n;

      g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
      g_assert_cmpuint (n, >, 500);
      g_assert_true (g_str_has_prefix (bytes, kinds[k].begins));
      if (k < 3)
        continue;
      g_assert_nonnull (strstr (bytes, "\nfc1.weight (before),,"));
      g_assert_nonnull (strstr (bytes, "\nfc1_relu (after),\"fixed<10,3>\","));
      g_assert_null (strstr (bytes, "\nfc1_relu (before)"));
    }
}
#endif

/* @head: the shape as numpy writes it. */
static char *
write_npy (const char  *folder,
           const char  *name,
           const char  *shape,
           const float *values,
           gsize        n)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *text = g_strdup_printf ("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape);
  guint16 length = GUINT16_TO_LE (118);
  char *path = g_build_filename (folder, name, NULL);

  g_byte_array_append (bytes, (const guint8 *) "\x93NUMPY\x01\x00", 8);
  g_byte_array_append (bytes, (const guint8 *) &length, 2);
  g_byte_array_append (bytes, (const guint8 *) text, strlen (text));
  while (bytes->len < 127)
    g_byte_array_append (bytes, (const guint8 *) " ", 1);
  g_byte_array_append (bytes, (const guint8 *) "\n", 1);
  g_byte_array_append (bytes, (const guint8 *) values, n * sizeof *values);
  g_assert_true (g_file_set_contents (path, (const char *) bytes->data, bytes->len, NULL));
  return path;
}

/* Vertices, and how many of them are real: a file for each input. */
static void
test_two_inputs (void)
{
  enum { N = 40, VERTICES = 128, FEATURES = 4 };
  g_autofree char *model = test_shared_path ("models/custom/garnet_1layer.h5"), *folder = NULL, *vertices = NULL, *counts = NULL, *out = NULL;
  g_autofree char *config = NULL, *too_few = NULL, *made = NULL;
  g_autofree float *values = g_new (float, N * VERTICES * FEATURES);
  g_autoptr (JsonParser) parser = json_parser_new ();
  float real[N];
  JsonObject *root;

  if (model == NULL)
    return;
  folder = test_folder ();
  config = g_build_filename (folder, "c.json", NULL);
  for (guint k = 0; k < N * VERTICES * FEATURES; k++)
    values[k] = (float) ((k * 7919) % 1000) / 500 - 1;
  for (guint k = 0; k < N; k++)
    real[k] = (float) (3 * k + 2);
  vertices = write_npy (folder, "x.npy", "(40, 128, 4)", values, N * VERTICES * FEATURES);
  counts = write_npy (folder, "n.npy", "(40, 1)", real, N);
  made = run (0, "configure", model, "--precision", "fixed<14,8>", "--output", config, NULL);
  out = run (0, "profile", model, "--inputs", vertices, "--inputs", counts, "--config", config, "--doctor", "--json", NULL);
  root = cli_parse (parser, out);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "before")), >, 3);
  g_assert_cmpfloat (json_object_get_double_member (json_object_get_object_member (root, "doctor"), "float_score"), ==, 1);
  too_few = run (1, "profile", model, "--inputs", vertices, NULL);
  g_assert_cmpstr (too_few, ==, "");
}

static void
test_usage (void)
{
  g_autofree char *nothing = run (2, "profile", "model.h5", NULL);
  g_autofree char *absent = run (1, "profile", "no-such-model.h5", "--data", "x.npz", NULL);

  g_assert_cmpstr (absent, ==, "");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/profile", test_profile);
  g_test_add_func ("/cli/configure-data", test_observed);
#ifdef HAVE_CHARTS
  g_test_add_func ("/cli/profile-figure", test_figure);
#endif
  g_test_add_func ("/cli/profile-two-inputs", test_two_inputs);
  g_test_add_func ("/cli/profile-usage", test_usage);
  return g_test_run ();
}

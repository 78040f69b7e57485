/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verb profile, and configure with data, from outside. */

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
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  char *out = NULL;
  va_list words;

  g_ptr_array_add (argv, (gpointer) g_getenv ("ESPALIER_CLI"));
  va_start (words, first);
  for (const char *word = first; word != NULL; word = va_arg (words, const char *))
    g_ptr_array_add (argv, (gpointer) word);
  va_end (words);
  g_ptr_array_add (argv, NULL);
  process = g_subprocess_newv ((const char *const *) argv->pdata, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &out, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, wanted);
  return out;
}

static JsonObject *
parse (JsonParser *parser,
       const char *text)
{
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, text, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (parser));
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
  JsonObject *root = parse (parser, out), *doctor;
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
  JsonObject *doctor = json_object_get_object_member (parse (parser, out), "doctor");

  g_assert_cmpfloat (json_object_get_double_member (doctor, "fixed_score"), >, json_object_get_double_member (doctor, "float_score") - 0.02);
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
  g_test_add_func ("/cli/profile-usage", test_usage);
  return g_test_run ();
}

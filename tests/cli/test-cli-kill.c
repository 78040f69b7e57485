/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run that is killed (SIGKILL) at random moments and resumed each time ends with the same bits as one that was not, and its
 * replay is the same; a branch leaves what was there beside it. */

#include "cli-run.h"
#include "test-shared.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>

static char *folder;

/* Runs to the end: what it says. */
static char *
run (const char *line,
     int         status)
{
  g_autoptr (GSubprocess) process = cli_start_line (line, folder);
  g_autofree char *err = NULL;
  char *out = NULL;

  if (cli_finish (process, &out, &err) != status)
    g_error ("%s: %s%s", line, out, err);
  return out;
}

static JsonObject *
object_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = json_from_string (text, &error);

  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (root));
}

/* The chosen network of a project, as a file's bytes. */
static char *
chosen (const char *project,
        gsize      *size)
{
  g_autofree char *line = g_strdup_printf ("export %s --model @/m.npz.h5 --quiet", project), *said = run (line, 0);
  g_autofree char *path = g_build_filename (folder, "m.npz.h5", NULL), *predict = NULL, *told = NULL;
  g_autofree char *y = g_build_filename (folder, "y.npy", NULL);
  char *bytes = NULL;

  told = run ("predict @/m.npz.h5 --inputs @/x.npy --output @/y.npy --quiet", 0);
  g_assert_true (g_file_get_contents (y, &bytes, size, NULL));
  g_unlink (path);
  g_unlink (y);
  return bytes;
}

#define OPTIONS "--objective dsp,lut --snap --max-steps 4 --epochs 1 --tolerance 0.05 --threads 2"

static void
test_kill (void)
{
  g_autofree char *whole_text = run ("prune @/jets.h5 --data @/jets.npz --config @/c.json " OPTIONS " --output @/whole.espalier --json --quiet", 0);
  g_autofree char *broken_text = NULL, *replay_text = NULL, *branch_text = NULL, *a = NULL, *b = NULL;
  g_autofree char *broken = g_build_filename (folder, "broken.espalier", NULL);
  g_autoptr (JsonObject) whole = object_of (whole_text), resumed = NULL, replay = NULL;
  JsonArray *first, *second;
  gsize a_size, b_size;
  guint kills = 0;
  GRand *rand = g_rand_new_with_seed (7);

  for (guint attempt = 0; attempt < 60; attempt++)
    {
      gboolean is_new = !g_file_test (broken, G_FILE_TEST_EXISTS);
      g_autoptr (GSubprocess) process =
          cli_start_line (is_new ? "prune @/jets.h5 --data @/jets.npz --config @/c.json " OPTIONS " --output @/broken.espalier --json --quiet"
                                 : "prune @/broken.espalier --resume --threads 2 --json --quiet", folder);
      g_autoptr (GError) error = NULL;
      g_autofree char *err = NULL;

      /* Sooner or later, so that loading, training and writing are all met. */
      if (attempt < 8)
        {
          g_usleep ((gulong) g_rand_int_range (rand, 20000, 1000000));
          g_subprocess_send_signal (process, SIGKILL);
        }
      g_free (broken_text);
      broken_text = NULL;
      g_subprocess_communicate_utf8 (process, NULL, NULL, &broken_text, &err, &error);
      g_assert_no_error (error);
      if (g_subprocess_get_if_exited (process))
        {
          if (g_subprocess_get_exit_status (process) != 0)
            g_error ("%s", err);
          break;
        }
      kills++;
    }
  g_rand_free (rand);
  g_test_message ("killed %u times", kills);
  g_assert_cmpuint (kills, >, 2);
  resumed = object_of (broken_text);
  first = json_object_get_array_member (whole, "steps");
  second = json_object_get_array_member (resumed, "steps");
  g_assert_cmpuint (json_array_get_length (first), ==, json_array_get_length (second));
  g_assert_cmpint (json_object_get_int_member (whole, "chosen"), ==, json_object_get_int_member (resumed, "chosen"));
  for (guint i = 0; i < json_array_get_length (first); i++)
    {
      JsonObject *x = json_array_get_object_element (first, i), *y = json_array_get_object_element (second, i);

      g_assert_cmpfloat (json_object_get_double_member (x, "accuracy"), ==, json_object_get_double_member (y, "accuracy"));
      g_assert_cmpfloat (json_object_get_double_member (x, "loss"), ==, json_object_get_double_member (y, "loss"));
      g_assert_cmpfloat (json_object_get_double_member (x, "value"), ==, json_object_get_double_member (y, "value"));
    }
  a = chosen ("@/whole.espalier", &a_size);
  b = chosen ("@/broken.espalier", &b_size);
  g_assert_cmpmem (a, a_size, b, b_size);
  replay_text = run ("prune @/broken.espalier --replay --threads 1 --json --quiet", 0);
  replay = object_of (replay_text);
  g_assert_cmpint (json_object_get_int_member (replay, "steps"), ==, json_object_get_int_member (replay, "identical"));
  g_assert_cmpint (json_object_get_int_member (replay, "steps"), ==, json_array_get_length (first) + 1);
  branch_text = run ("prune @/broken.espalier --resume --from-step 1 --threads 2 --json --quiet", 0);
  g_free (b);
  b = chosen ("@/broken.espalier", &b_size); /* the same options from there on: the same end */
  g_assert_cmpmem (a, a_size, b, b_size);
}

/* A branch takes other options, and its replay begins where it left the run. */
static void
test_course (void)
{
  g_autofree char *text = run ("prune @/broken.espalier --resume --from-step 1 --max-steps 3 --epochs 2 --json --quiet", 0);
  g_autofree char *replay_text = run ("prune @/broken.espalier --replay --json --quiet", 0);
  g_autoptr (JsonObject) branch = object_of (text), replay = object_of (replay_text);

  g_assert_cmpint (json_object_get_int_member (replay, "steps"), ==, json_object_get_int_member (replay, "identical"));
  g_assert_cmpint (json_object_get_int_member (replay, "steps"), ==, json_array_get_length (json_object_get_array_member (branch, "steps")) + 1);
}

/* Other data than the run's are refused. */
static void
test_other_data (void)
{
  g_autofree char *said = run ("prune @/broken.espalier --resume --data @/other.csv --json --quiet", 1);

  g_assert_cmpstr (said, ==, "");
}

static void
make_files (void)
{
  static const char config[] = "{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\","
                               "\"ReuseFactor\":1,\"Strategy\":\"Latency\"}}}";
  g_autofree char *path = g_build_filename (folder, "c.json", NULL), *x = g_build_filename (folder, "x.npy", NULL);
  g_autofree char *csv = g_build_filename (folder, "other.csv", NULL);
  g_autofree char *made = run ("sample jets --output @ --quiet", 0);
  g_autoptr (GString) table = g_string_new ("");
  g_autoptr (GString) npy = g_string_new_len ("\x93NUMPY\x01\x00\x76\x00", 10);
  const float numbers[8 * 16] = { 0.5f, -1, 2, 0.25f, [20] = 1, [40] = -2, [77] = 3, [100] = 0.125f };

  g_assert_true (g_file_set_contents (path, config, -1, NULL));
  g_string_append (npy, "{'descr': '<f4', 'fortran_order': False, 'shape': (8, 16), }");
  while (npy->len < 127)
    g_string_append_c (npy, ' ');
  g_string_append_c (npy, '\n');
  g_string_append_len (npy, (const char *) numbers, sizeof numbers);
  g_assert_true (g_file_set_contents (x, npy->str, (gssize) npy->len, NULL));
  for (guint c = 0; c < 16; c++)
    g_string_append_printf (table, "x%u,", c);
  g_string_append (table, "class\n");
  for (guint r = 0; r < 60; r++)
    {
      for (guint c = 0; c < 16; c++)
        g_string_append_printf (table, "%u,", (r * 7 + c * 3) % 11);
      g_string_append_printf (table, "c%u\n", r % 5);
    }
  g_assert_true (g_file_set_contents (csv, table->str, -1, NULL));
}

int
main (int    argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = test_folder ();
  make_files ();
  g_test_add_func ("/cli-kill/kill", test_kill);
  g_test_add_func ("/cli/kill/course", test_course);
  g_test_add_func ("/cli-kill/other-data", test_other_data);
  status = g_test_run ();
  remove_folder (folder);
  g_free (folder);
  return status;
}

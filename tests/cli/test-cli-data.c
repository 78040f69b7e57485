/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw data in a table, divided and standardised: what was learnt of the training part stays with the network and its project, and with
 * it the names of the classes. */

#include "cli-run.h"

#include "nn-dataset.h"
#include "nn-load.h"
#include "nn-project.h"

#include <glib/gstdio.h>

#define SAMPLES 250
#define FEATURES 16
#define LIMIT "200"
#define HOW "--data @/t.csv --label kind --max-samples " LIMIT " --test-split 0.25 --val-split 0.15"

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* Features far from zero and of different spread, of five kinds. */
static void
write_table (void)
{
  g_autofree char *path = in_folder ("t.csv");
  g_autoptr (GString) text = g_string_new ("kind");
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint k = 0; k < FEATURES; k++)
    g_string_append_printf (text, ",f%u", k);
  for (guint i = 0; i < SAMPLES; i++)
    {
      g_string_append_printf (text, "\nkind %c", 'a' + i % 5);
      for (guint k = 0; k < FEATURES; k++)
        {
          char number[G_ASCII_DTOSTR_BUF_SIZE];

          g_string_append_c (text, ',');
          g_string_append (text, g_ascii_dtostr (number, sizeof number, 1000 * k + (k + 1) * (g_rand_double (rand) + (i % 5 == k % 5))));
        }
    }
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
}

static char *
run (const char *line)
{
  g_autoptr (GSubprocess) process = cli_start_line (line, folder);
  g_autofree char *err = NULL;
  char *out = NULL;
  int status = cli_finish (process, &out, &err);

  if (status != 0)
    g_test_message ("%s", err);
  g_assert_cmpint (status, ==, 0);
  return out;
}

/* The mean of the training part alone, and the classes' names. */
static void
check_info (const NnModelInfo *info)
{
  g_autofree char *path = in_folder ("t.csv");
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) raw = NULL;
  NnDataOptions options;
  NnTensor *x;

  nn_data_options_init (&options);
  options.label = "kind";
  options.limit = 200;
  options.test = 0.25;
  options.validation = 0.15;
  raw = nn_dataset_load (path, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_dataset_n (raw, NN_SPLIT_TRAIN), ==, 120);
  g_assert_cmpuint (nn_dataset_n (raw, NN_SPLIT_VALIDATION), ==, 30);
  g_assert_cmpuint (nn_dataset_n (raw, NN_SPLIT_TEST), ==, 50);
  x = nn_dataset_x (raw, NN_SPLIT_TRAIN);
  g_assert_nonnull (info->input_mean);
  for (guint k = 0; k < FEATURES; k++)
    {
      double mean = 0;

      for (guint i = 0; i < 120; i++)
        mean += nn_tensor_get (x, i * FEATURES + k) / 120;
      g_assert_cmpfloat_with_epsilon (nn_tensor_get (info->input_mean, k), mean, 1e-6 * (1 + mean));
      g_assert_cmpfloat (nn_tensor_get (info->input_deviation, k), >, 0.1);
    }
  g_assert_cmpstr (info->class_names[0], ==, "kind a");
  g_assert_cmpstr (info->class_names[4], ==, "kind e");
}

static void
test_train (void)
{
  g_autofree char *done = run ("train @/jets.h5 " HOW " --standardize --epochs 40 --lr 0.01 --output @/s.h5 --quiet"), *out = NULL, *path = in_folder ("s.h5");
  g_autoptr (JsonParser) parser = json_parser_new (), raw = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, &error);
  JsonObject *object;

  g_assert_no_error (error);
  check_info (nn_model_info (model));
  out = run ("evaluate @/s.h5 " HOW " --split test --json");
  object = cli_parse (parser, out);
  g_assert_cmpint (json_object_get_int_member (object, "samples"), ==, 50);
  /* the kinds are told apart by raw numbers only as the network has learnt to scale them */
  g_assert_cmpfloat (json_object_get_double_member (object, "accuracy"), >, 0.8);
  g_free (out);
  out = run ("evaluate @/s.h5 " HOW " --split test --json --raw");
  g_assert_cmpfloat (json_object_get_double_member (cli_parse (raw, out), "accuracy"), <, 0.6);
}

static void
test_project (void)
{
  static const char *const lines[] = {
    "prune @/s.h5 " HOW " --objective parameters --max-steps 1 --epochs 1 --output @/p.espalier --quiet",
    "prune @/jets.h5 " HOW " --standardize --objective parameters --max-steps 1 --epochs 1 --output @/p.espalier --quiet",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *done = run (lines[i]), *path = in_folder ("p.espalier"), *again = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (NnProject) project = nn_project_load (path, &error);
      g_autoptr (JsonParser) parser = json_parser_new ();
      JsonObject *object;

      g_assert_no_error (error);
      check_info (nn_model_info (nn_project_model (project)));
      check_info (nn_model_info (nn_project_final (project)));
      again = run ("prune @/p.espalier --replay --json --quiet");
      object = cli_parse (parser, again);
      g_assert_cmpint (json_object_get_int_member (object, "steps"), ==, json_object_get_int_member (object, "identical"));
      g_unlink (path);
    }
}

int
main (int    argc,
      char **argv)
{
  static const char *const files[] = { "t.csv", "jets.h5", "jets.npz", "s.h5", NULL };
  g_autofree char *sample = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("espalier-data-XXXXXX", NULL);
  write_table ();
  sample = run ("sample jets --output @ --jets 500 --epochs 1 --quiet");
  g_test_add_func ("/cli-data/train", test_train);
  g_test_add_func ("/cli-data/project", test_project);
  status = g_test_run ();
  for (const char *const *name = files; *name != NULL; name++)
    {
      g_autofree char *path = in_folder (*name);

      g_unlink (path);
    }
  g_rmdir (folder);
  g_free (folder);
  return status;
}

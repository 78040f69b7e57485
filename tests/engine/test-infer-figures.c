/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: networks that were trained elsewhere reach on real data what their makers measured. */

#include "nn-exec.h"
#include "nn-load.h"
#include "nn-metrics.h"

#include "nn-dataset.h"

#include "test-shared.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

static double
accuracy (const NnModel *model,
          NnTensor      *x,
          NnTensor      *y)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnMetrics) metrics = NULL;
  NnTensor *inputs[] = { x, NULL }, **outputs;

  outputs = nn_predict (model, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  metrics = nn_metrics_new (outputs[0], y, TRUE, &error);
  g_assert_no_error (error);
  nn_tensors_free (outputs);
  g_test_message ("accuracy %d in 10 000 of %d samples", (int) (metrics->accuracy * 10000 + 0.5), (int) metrics->n);
  return metrics->accuracy;
}

static NnModel *
load_model (const char *name)
{
  g_autofree char *path = test_shared_path (name);
  g_autoptr (GError) error = NULL;
  NnModel *model;

  if (path == NULL)
    return NULL;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return model;
}

/* Figures of shared/data/README.md and of the reference's meta.json. */
static const struct {
  const char *model, *x, *y;
  double      divide;
  gsize       rows; /* 0 for all */
  double      low, high;
} cases[] = {
  { "models/keras_h5/breast_cancer_qkeras.h5", "uci_small/breast_cancer/X_test_sc.npy", "uci_small/breast_cancer/Y_test.npy", 1, 0, 0.99, 0.9905 },
  { "models/keras_h5/jets_tutorial_part1.kv211.h5", "jets/X_500.npy", "jets/y_500.npy", 1, 0, 0.75, 0.79 },
  { "models/qkeras/jets_model3_qkeras.kv211.h5", "jets/X_500.npy", "jets/y_500.npy", 1, 0, 0.75, 0.79 },
  { "models/keras3_zip/jets_baseline_0.7677.keras", "jets/X_500.npy", "jets/y_500.npy", 1, 0, 0.74, 0.79 },
  { "models/keras_h5/tiny_mnist.kv313.h5", "mnist/test3000-images-idx3-ubyte.gz", "mnist/test3000-labels-idx1-ubyte.gz", 255, 2000, 0.9465, 0.9465 },
  { "models/keras_h5/fashion_mlp.kv24.h5", "fashion_mnist/first2000-images-idx3-ubyte.gz", "fashion_mnist/first2000-labels-idx1-ubyte.gz", 255, 0, 0.8555, 0.8555 },
};

static void
test_figure (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (NnModel) model = load_model (cases[i].model);
  g_autofree char *x_name = g_strconcat ("data/", cases[i].x, NULL), *y_name = g_strconcat ("data/", cases[i].y, NULL);
  g_autofree char *x_path = NULL, *y_path = NULL, *spec = NULL;
  g_autoptr (NnDataset) set = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) x = NULL, y = NULL;
  NnDataOptions options;
  double reached;

  if (model == NULL)
    return;
  x_path = test_shared_path (x_name);
  y_path = test_shared_path (y_name);
  spec = g_strconcat (x_path, ",", y_path, NULL);
  nn_data_options_init (&options);
  options.validation = 0;
  options.divide = cases[i].divide;
  set = nn_dataset_load (spec, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  nn_dataset_read_batch (set, NN_SPLIT_TRAIN, NULL, 0, cases[i].rows > 0 ? cases[i].rows : nn_dataset_n (set, NN_SPLIT_TRAIN),
                         &x, &y);
  reached = accuracy (model, x, y);
  g_assert_cmpfloat (reached, >=, cases[i].low - 1e-9);
  g_assert_cmpfloat (reached, <=, cases[i].high + 1e-9);
}

#define N_PICTURES 200
#define PICTURE (32 * 32 * 3)

/* Pictures lie in the archive as raw bytes, and their classes in a table. */
static char *
read_pictures (const char *path,
               GHashTable *pictures)
{
  struct archive *tar = archive_read_new ();
  struct archive_entry *entry;
  char *labels = NULL;

  archive_read_support_format_tar (tar);
  g_assert_cmpint (archive_read_open_filename (tar, path, 65536), ==, ARCHIVE_OK);
  while (archive_read_next_header (tar, &entry) == ARCHIVE_OK)
    {
      gsize n = archive_entry_size (entry);
      char *bytes = g_malloc0 (n + 1), *name = g_path_get_basename (archive_entry_pathname (entry));

      g_assert_cmpint (archive_read_data (tar, bytes, n), ==, n);
      if (g_str_equal (name, "y_labels.csv"))
        {
          labels = bytes;
          g_free (name);
        }
      else
        g_hash_table_insert (pictures, name, bytes);
    }
  archive_read_free (tar);
  return labels;
}

static void
test_resnet (void)
{
  g_autoptr (NnModel) model = load_model ("models/mlperf_tiny/pretrainedResnet.kv24.h5");
  g_autoptr (GHashTable) pictures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *path = NULL, *labels = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (NnTensor) x = nn_tensor_new (NN_DTYPE_U8, &NN_SHAPE (N_PICTURES, 32, 32, 3));
  g_autoptr (NnTensor) y = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (N_PICTURES, 10));
  guint n = 0;

  if (model == NULL)
    return;
  path = test_shared_path ("data/mlperf_tiny/ic01.tar");
  labels = read_pictures (path, pictures);
  lines = g_strsplit (labels, "\n", -1);
  for (char **line = lines; *line != NULL && n < N_PICTURES; line++)
    {
      g_auto (GStrv) fields = g_strsplit (g_strstrip (*line), ",", -1);

      if (g_strv_length (fields) < 3)
        continue;
      g_assert_nonnull (g_hash_table_lookup (pictures, fields[0]));
      memcpy (nn_tensor_u8 (x) + (gsize) n * PICTURE, g_hash_table_lookup (pictures, fields[0]), PICTURE);
      nn_tensor_f32 (y)[10 * n + g_ascii_strtoll (fields[2], NULL, 10)] = 1;
      n++;
    }
  g_assert_cmpuint (n, ==, N_PICTURES);
  g_assert_cmpfloat_with_epsilon (accuracy (model, x, y), 0.855, 1e-9);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_path_get_basename (cases[i].model);
      g_autofree char *path = g_strconcat ("/figures/", name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_figure);
    }
  g_test_add_func ("/figures/resnet-8", test_resnet);
  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bundled sample. */

#include "nn-sample.h"

#include "nn-error.h"
#include "nn-jets.h"
#include "nn-load.h"
#include "nn-text.h"
#include "nn-trainer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define DEFAULT_JETS 60000
#define DEFAULT_EPOCHS 24
#define BATCH 256
#define LEARNING_RATE 3e-3
#define TEST_SHARE 5       /* one jet in so many is for testing */

/* The classic network of the field: J. Duarte et al., JINST 13 (2018) P07027. */
static const guint widths[] = { 64, 32, 32, NN_JETS_N_CLASSES };
static const char *const layer_names[] = { "fc1", "fc2", "fc3", "output" };

void
nn_sample_options_init (NnSampleOptions *options)
{
  *options = (NnSampleOptions){ .jets = DEFAULT_JETS, .epochs = DEFAULT_EPOCHS, .seed = 1 };
}

const char *const *
nn_sample_names (void)
{
  static const char *const names[] = { "jets", NULL };

  return names;
}

/* He's initialisation, IEEE ICCV (2015): normal with variance 2 / inputs. */
static NnTensor *
he_kernel (NnRng *rng,
           guint  n_in,
           guint  n_out)
{
  NnTensor *kernel = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n_in, n_out));

  for (gsize i = 0; i < kernel->n; i++)
    nn_tensor_f32 (kernel)[i] = sqrt (2.0 / n_in) * nn_rng_normal (rng);
  return kernel;
}

static NnModel *
untrained (guint64   seed,
           GError  **error)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  NnWeight weights[2 * G_N_ELEMENTS (widths)] = { 0 };
  NnModelInfo info = { .name = "jets", .format = "bundled sample", .class_names = nn_jets_class_names };
  NnNode *node = nn_graph_builder_add (builder, NN_OP_INPUT, "jet", NULL, NULL, 0);
  NnModel *model = NULL;
  NnRng rng;

  nn_rng_init (&rng, seed);
  node->shape = NN_SHAPE (NN_JETS_N_FEATURES);
  for (guint i = 0, n_in = NN_JETS_N_FEATURES; i < G_N_ELEMENTS (widths); n_in = widths[i++])
    {
      node = nn_graph_builder_add (builder, NN_OP_DENSE, layer_names[i], NULL, &(guint){ i }, 1);
      node->attrs.units = widths[i];
      node->attrs.use_bias = TRUE;
      node->attrs.act = i + 1 < G_N_ELEMENTS (widths) ? NN_ACT_RELU : NN_ACT_SOFTMAX;
      nn_graph_builder_weights (builder, node, (guint[]){ 2 * i, 2 * i + 1 }, 2);
      weights[2 * i] = (NnWeight){ "kernel", layer_names[i], NN_ROLE_KERNEL, TRUE, he_kernel (&rng, n_in, widths[i]), NULL };
      weights[2 * i + 1] =
        (NnWeight){ "bias", layer_names[i], NN_ROLE_BIAS, TRUE, nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (widths[i])), NULL };
    }
  graph = nn_graph_builder_seal (builder, error);
  if (graph != NULL)
    model = nn_model_new (graph, weights, G_N_ELEMENTS (weights), &info, error);
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    nn_tensor_unref (weights[i].values);
  return model;
}

static NnModel *
make_model (const NnDataset       *data,
            const NnSampleOptions *options,
            const NnProgress      *progress,
            GCancellable          *cancellable,
            GError               **error)
{
  g_autoptr (NnModel) start = untrained (options->seed, error);
  g_autoptr (NnTrainResult) result = NULL;
  NnTrainOptions train;

  if (start == NULL || options->epochs == 0)
    return g_steal_pointer (&start);
  nn_train_options_init (&train);
  train.epochs = options->epochs;
  train.batch = BATCH;
  train.optimizer = NN_OPTIMIZER_ADAM;
  train.learning_rate = LEARNING_RATE;
  train.schedule = NN_LR_COSINE;
  train.lr_factor = 0.01;
  train.keep_best = TRUE;
  train.patience = 0;
  train.seed = options->seed;
  if (!nn_train (start, data, &train, progress, cancellable, &result, error))
    return NULL;
  return nn_model_ref (result->model);
}

static gboolean
check_name (const char  *name,
            GError     **error)
{
  if (g_strv_contains (nn_sample_names (), name))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "there is no sample \"%s\"; there is \"%s\"", name,
               nn_text_nearest (name, nn_sample_names ()));
  return FALSE;
}

/* Makes the jets and writes them as NAME.npz: x_train, y_train, x_test, y_test. */
static gboolean
write_data (const char            *path,
            const NnSampleOptions *options,
            const NnProgress      *progress,
            GCancellable          *cancellable,
            GError               **error)
{
  static const char *const names[] = { "x_train", "y_train", "x_test", "y_test", NULL };
  gsize n_test = options->jets / TEST_SHARE, n_train = options->jets - n_test;
  g_autoptr (NnTensor) x = NULL, y = NULL;
  NnTensor *arrays[4];
  gboolean done;

  if (!nn_jets_make (options->jets, options->seed, progress, cancellable, &x, &y, error))
    return FALSE;
  arrays[0] = nn_tensor_rows (x, 0, n_train);
  arrays[1] = nn_tensor_rows (y, 0, n_train);
  arrays[2] = nn_tensor_rows (x, n_train, n_test);
  arrays[3] = nn_tensor_rows (y, n_train, n_test);
  done = nn_npz_write (path, names, arrays, nn_jets_class_names, error);
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    nn_tensor_unref (arrays[i]);
  return done;
}

/**
 * nn_sample_write:
 * @options: (nullable): defaults without it
 *
 * Errors: %NN_ERROR_UNSUPPORTED for a name there is not, %G_FILE_ERROR, %G_IO_ERROR_CANCELLED
 */
char **
nn_sample_write (const char            *name,
                 const char            *folder,
                 const NnSampleOptions *options,
                 const NnProgress      *progress,
                 GCancellable          *cancellable,
                 GError               **error)
{
  g_autofree char *data_path = g_strdup_printf ("%s/%s.npz", folder, name);
  g_autofree char *model_path = g_strdup_printf ("%s/%s.h5", folder, name);
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnModel) model = NULL;
  NnSampleOptions standard;
  NnDataOptions data_options;
  NnSubProgress making, training;

  if (!check_name (name, error))
    return NULL;
  if (options == NULL)
    {
      nn_sample_options_init (&standard);
      options = &standard;
    }
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      int code = errno;

      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code), "%s: %s", folder, g_strerror (code));
      return NULL;
    }
  nn_sub_progress_init (&making, progress, 0, 0.3);
  nn_sub_progress_init (&training, progress, 0.3, 1);
  if (!write_data (data_path, options, &making.inner, cancellable, error))
    return NULL;
  nn_data_options_init (&data_options);
  data_options.seed = options->seed;
  data = nn_dataset_load (data_path, &data_options, NULL, cancellable, error);
  if (data == NULL)
    return NULL;
  model = make_model (data, options, &training.inner, cancellable, error);
  if (model == NULL || !nn_model_save (model, model_path, error))
    return NULL;
  return g_strdupv ((char *[]){ model_path, data_path, NULL });
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of docs/benchmarks.md: how far resources fall on real networks and data. Data sets are those beside a checkout
 * (ESPALIER_SHARED); those that are not there are left out. Times are of the whole run, on the machine at hand. */

#include "nn-parallel.h"
#include "nn-project.h"
#include "nn-sample.h"
#include "nn-load.h"
#include "../engine/test-train-nets.h"

#include <glib/gstdio.h>

#define IMAGES 12000

typedef struct {
  const char *name;
  const char *strategy;
  guint       reuse;
  guint       objective;
  gboolean    snap;
  guint       epochs;
} Case;

static void
report (const Case    *c,
        const NnTrail *trail,
        double         seconds)
{
  const NnStep *a = nn_trail_step (trail, 0), *b = nn_trail_step (trail, nn_trail_chosen (trail));
  const double *ra = a->resources.amount, *rb = b->resources.amount;
  g_autofree char *objectives = g_strdup_printf ("DSP%s%s", (c->objective >> NN_OBJECTIVE_BRAM & 1) != 0 ? ", BRAM" : "",
                                                 (c->objective >> NN_OBJECTIVE_LUT & 1) != 0 ? ", LUT" : "");

  g_print ("| %s | %s, RF %u | %s%s | %.2f %% | %.2f %% | %.3f | %.3f | %.0f | %.0f (%+.0f %%) | %.0f | %.0f (%+.0f %%) | %.0f | %.0f (%+.0f %%) | %.0f | %.0f | %u | %.1f |\n",
           c->name, c->strategy, c->reuse, objectives, c->snap ? ", snap" : "", a->accuracy * 100, b->accuracy * 100, a->auc, b->auc, ra[NN_RESOURCE_DSP], rb[NN_RESOURCE_DSP],
           100 * (rb[NN_RESOURCE_DSP] / MAX (ra[NN_RESOURCE_DSP], 1) - 1), ra[NN_RESOURCE_BRAM], rb[NN_RESOURCE_BRAM],
           100 * (rb[NN_RESOURCE_BRAM] / MAX (ra[NN_RESOURCE_BRAM], 1) - 1), ra[NN_RESOURCE_LUT], rb[NN_RESOURCE_LUT],
           100 * (rb[NN_RESOURCE_LUT] / MAX (ra[NN_RESOURCE_LUT], 1) - 1), a->bops / 1000, b->bops / 1000,
           nn_trail_n_steps (trail) - 1, seconds);
}

/* The one that is asked for, counted through all data sets; every one where it is 0. */
static guint wanted_case, n_cases;

/* Whether the next @n cases are worth making their data and network for; passes over them if not. */
static gboolean
any_wanted (guint n)
{
  if (wanted_case == 0 || (wanted_case > n_cases && wanted_case <= n_cases + n))
    return TRUE;
  n_cases += n;
  return FALSE;
}

static void
run (const Case      *c,
     const NnModel   *model,
     const NnDataset *data)
{
  g_autofree char *text = g_strdup_printf ("{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":"
                                           "{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":%u,\"Strategy\":\"%s\"}}}",
                                           c->reuse, c->strategy);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = nn_config_parse (text, &error);
  g_autoptr (NnTrail) trail = NULL;
  NnPruneOptions options;
  gint64 started = g_get_monotonic_time ();

  if (++n_cases != wanted_case && wanted_case != 0)
    return;
  nn_prune_options_init (&options);
  options.objective = c->objective;
  options.snap = c->snap;
  options.fine_tune_epochs = c->epochs;
  trail = nn_prune (model, config, data, &options, NULL, NULL, &error);
  if (trail == NULL)
    g_error ("%s: %s", c->name, error->message);
  report (c, trail, (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC);
}

static NnModel *
train (TestNet         *net,
       const NnDataset *data,
       guint            epochs)
{
  g_autoptr (NnModel) model = net_seal (net);
  g_autoptr (NnTrainResult) result = NULL;
  g_autoptr (GError) error = NULL;
  NnTrainOptions options;

  nn_train_options_init (&options);
  options.epochs = epochs;
  options.schedule = NN_LR_COSINE;
  options.learning_rate = 2e-3;
  if (!nn_train (model, data, &options, NULL, NULL, &result, &error))
    g_error ("%s", error->message);
  return nn_model_ref (result->model);
}

static TestNet *
mlp (const NnShape *input,
     const gint64  *units,
     guint          n)
{
  TestNet *net = net_new (input, 1);
  gint64 last = (gint64) nn_shape_count (input);

  if (input->rank > 1)
    net_add (net, NN_OP_FLATTEN);
  for (guint i = 0; i < n; i++)
    {
      net_dense (net, last, units[i], i + 1 < n ? NN_ACT_RELU : NN_ACT_SOFTMAX);
      last = units[i];
    }
  return net;
}

static TestNet *
lenet (void)
{
  TestNet *net = net_new (&NN_SHAPE (28, 28, 1), 1);

  for (guint i = 0; i < 2; i++)
    {
      NnNode *pool;

      net_conv (net, 5, 5, i == 0 ? 1 : 6, i == 0 ? 6 : 16, 1, 1, 1, i == 0 ? NN_PADDING_SAME : NN_PADDING_VALID);
      net_act (net, NN_ACT_RELU);
      pool = net_add (net, NN_OP_MAX_POOL2D);
      pool->attrs.kernel[0] = pool->attrs.kernel[1] = pool->attrs.stride[0] = pool->attrs.stride[1] = 2;
    }
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 400, 120, NN_ACT_RELU);
  net_dense (net, 120, 84, NN_ACT_RELU);
  net_dense (net, 84, 10, NN_ACT_SOFTMAX);
  return net;
}

static char *
shared (const char *relative)
{
  const char *root = g_getenv ("ESPALIER_SHARED");
  char *path = g_build_filename (root != NULL ? root : "../shared", relative, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_free (path);
  return NULL;
}

static void
jets (void)
{
  static const Case cases[] = {
    { "jets 16-64-32-32-5", "Resource", 4, 1u << NN_OBJECTIVE_DSP, FALSE, 15 },
    { "jets 16-64-32-32-5", "Resource", 4, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM, FALSE, 15 },
    { "jets 16-64-32-32-5", "Resource", 2, 1u << NN_OBJECTIVE_DSP, FALSE, 15 },
    { "jets 16-64-32-32-5", "Latency", 1, 1u << NN_OBJECTIVE_DSP, FALSE, 15 },
    { "jets 16-64-32-32-5", "Latency", 1, 1u << NN_OBJECTIVE_DSP, TRUE, 15 },
    { "jets 16-64-32-32-5", "Latency", 1, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_LUT, TRUE, 15 },
  };
  g_autofree char *folder = g_dir_make_tmp ("espalier-bench-XXXXXX", NULL);
  NnSampleOptions sample;
  NnLoadOptions load;
  NnDataOptions wanted;
  g_auto (GStrv) files = NULL;
  g_autofree char *h5 = g_build_filename (folder, "jets.h5", NULL), *npz = g_build_filename (folder, "jets.npz", NULL);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDataset) raw = NULL, data = NULL;

  if (!any_wanted (G_N_ELEMENTS (cases)))
    return;
  nn_sample_options_init (&sample);
  files = nn_sample_write ("jets", folder, &sample, NULL, NULL, NULL);
  nn_load_options_init (&load);
  nn_data_options_init (&wanted);
  model = nn_model_load (h5, &load, NULL, NULL, NULL);
  raw = nn_dataset_load (npz, &wanted, NULL, NULL, NULL);
  g_assert_true (model != NULL && raw != NULL);
  data = nn_model_info (model)->input_mean != NULL
             ? nn_dataset_with_standard (raw, nn_model_info (model)->input_mean, nn_model_info (model)->input_deviation, NULL)
             : nn_dataset_ref (raw);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    run (&cases[i], model, data);
  for (guint i = 0; files != NULL && files[i] != NULL; i++)
    g_unlink (files[i]);
  g_rmdir (folder);
}

static void
dry_bean (void)
{
  static const Case cases[] = {
    { "Dry Bean 16-64-32-32-7", "Resource", 4, 1u << NN_OBJECTIVE_DSP, FALSE, 30 },
    { "Dry Bean 16-64-32-32-7", "Resource", 4, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM, FALSE, 30 },
    { "Dry Bean 16-64-32-32-7", "Latency", 1, 1u << NN_OBJECTIVE_DSP, TRUE, 30 },
  };
  const gint64 units[] = { 64, 32, 32, 7 };
  g_autofree char *path = shared ("data/drybean/dry_bean.csv");
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GError) error = NULL;
  NnDataOptions wanted;

  if (path == NULL || !any_wanted (G_N_ELEMENTS (cases)))
    return;
  nn_data_options_init (&wanted);
  wanted.label = "Class";
  wanted.standardize = TRUE;
  data = nn_dataset_load (path, &wanted, NULL, NULL, &error);
  if (data == NULL)
    g_error ("%s", error->message);
  model = train (mlp (&NN_SHAPE (16), units, 4), data, 60);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    run (&cases[i], model, data);
}

/* The first images, scaled to 0 ... 1. */
static NnDataset *
mnist (const NnShape *sample)
{
  g_autofree char *images = shared ("data/mnist/train-images-idx3-ubyte.gz"), *labels = shared ("data/mnist/train-labels-idx1-ubyte.gz");
  g_autofree char *spec = images != NULL && labels != NULL ? g_strdup_printf ("%s,%s", images, labels) : NULL;
  g_autoptr (NnDataset) all = NULL;
  g_autoptr (NnTensor) x = NULL, y = NULL;
  g_autoptr (GError) error = NULL;
  NnTensor *from = NULL, *to = NULL;
  NnShape shape = *sample;
  NnDataOptions wanted;
  float most = 0;
  NnDataset *data;

  if (spec == NULL)
    return NULL;
  nn_data_options_init (&wanted);
  all = nn_dataset_load (spec, &wanted, NULL, NULL, &error);
  if (all == NULL)
    g_error ("%s", error->message);
  nn_dataset_read_batch (all, NN_SPLIT_TRAIN, NULL, 0, IMAGES, &from, &to);
  for (guint d = shape.rank; d > 0; d--)
    shape.dims[d] = shape.dims[d - 1];
  shape.dims[0] = IMAGES;
  shape.rank++;
  x = nn_tensor_new (NN_DTYPE_F32, &shape);
  g_assert_cmpuint (x->n, ==, from->n);
  for (gsize i = 0; i < x->n; i++)
    most = MAX (most, nn_tensor_f32 (from)[i]);
  for (gsize i = 0; i < x->n; i++)
    nn_tensor_f32 (x)[i] = nn_tensor_f32 (from)[i] / most;
  y = to;
  nn_tensor_unref (from);
  data = nn_dataset_new (x, y, NULL, &wanted, &error);
  if (data == NULL)
    g_error ("%s", error->message);
  return data;
}

static void
images (void)
{
  static const Case dense[] = {
    { "MNIST dense 784-64-32-10", "Resource", 8, 1u << NN_OBJECTIVE_DSP, FALSE, 6 },
    { "MNIST dense 784-64-32-10", "Resource", 8, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM, FALSE, 6 },
  };
  static const Case conv[] = { { "MNIST LeNet-5", "Resource", 5, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM, FALSE, 3 } };
  const gint64 units[] = { 64, 32, 10 };
  g_autoptr (NnDataset) flat = NULL, square = NULL;
  g_autoptr (NnModel) mlp_model = NULL, lenet_model = NULL;

  if (any_wanted (G_N_ELEMENTS (dense)) && (flat = mnist (&NN_SHAPE (784))) != NULL)
    {
      mlp_model = train (mlp (&NN_SHAPE (784), units, 3), flat, 12);
      for (guint i = 0; i < G_N_ELEMENTS (dense); i++)
        run (&dense[i], mlp_model, flat);
    }
  if (any_wanted (G_N_ELEMENTS (conv)) && (square = mnist (&NN_SHAPE (28, 28, 1))) != NULL)
    {
      lenet_model = train (lenet (), square, 6);
      run (&conv[0], lenet_model, square);
    }
}

int
main (int    argc,
      char **argv)
{
  nn_parallel_set_threads (2);
  wanted_case = argc > 1 ? (guint) g_ascii_strtoull (argv[1], NULL, 10) : 0;
  if (wanted_case <= 1)
    g_print ("| network | hardware | falls | accuracy before | after | AUC before | after | DSP before | after | BRAM18 before | after | LUT before | after | "
             "kBOPs before | after | steps | seconds |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  jets ();
  dry_bean ();
  images ();
  return 0;
}

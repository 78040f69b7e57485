/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seven real networks: loss, gradients, and weights after one and three steps of Adam, against an independent float64 reference. */

#include "nn-dataset.h"
#include "nn-error.h"
#include "nn-load.h"
#include "nn-net.h"
#include "test-shared.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define TOLERANCE 1e-5
#define DOUBLE_TOLERANCE 1e-6 /* gradients come out as float32 */

typedef struct {
  char       *folder;
  NnModel    *model;
  NnTensor   *x, *y;
  double      loss;
  NnLoss      kind;
  gboolean    training;
} Case;

static void
case_clear (Case *c)
{
  g_free (c->folder);
  nn_model_unref (c->model);
  nn_tensor_unref (c->x);
  nn_tensor_unref (c->y);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static NnTensor *
read_array (const char *folder,
            const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  NnTensor *tensor = nn_npy_read (path, &error);

  g_assert_no_error (error);
  return tensor;
}

/* FALSE where the files are not here. */
static gboolean
case_load (Case       *c,
           const char *name)
{
  g_autofree char *relative = g_build_filename ("reference-float/GRADIENTS", name, NULL), *meta = NULL, *path = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *root;
  const char *loss;
  NnLoadOptions options;

  c->folder = test_shared_path (relative);
  if (c->folder == NULL)
    return FALSE;
  meta = g_build_filename (c->folder, "meta.json", NULL);
  g_assert_true (json_parser_load_from_file (parser, meta, NULL));
  root = json_node_get_object (json_parser_get_root (parser));
  path = test_shared_path (json_object_get_string_member (root, "model"));
  nn_load_options_init (&options);
  c->model = nn_model_load (path, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  c->x = read_array (c->folder, "input.npy");
  c->y = read_array (c->folder, "labels.npy");
  loss = json_object_get_string_member (root, "loss");
  c->kind = g_str_has_prefix (loss, "categorical") ? NN_LOSS_CATEGORICAL_CROSSENTROPY
            : g_str_has_prefix (loss, "binary")    ? NN_LOSS_BINARY_CROSSENTROPY
                                                   : NN_LOSS_MSE;
  c->loss = json_object_get_double_member (json_object_get_object_member (root, "loss_values"), "step0");
  c->training = json_object_get_boolean_member (root, "training_mode_bn");
  return TRUE;
}

/* LAYER__WEIGHT.npy, where a weight's name may carry its layer's and a number. */
static NnTensor *
reference_of (const Case     *c,
              const char     *part,
              const NnWeight *w)
{
  const char *slash = strrchr (w->name, '/'), *short_name = slash != NULL ? slash + 1 : w->name;
  g_autofree char *word = g_strdelimit (g_strdup (short_name), ":", '\0');
  const char *words[] = { word, nn_role_name (w->role) };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      g_autofree char *file = g_strdup_printf ("%s__%s.npy", w->layer, words[i]);
      g_autofree char *relative = g_build_filename (part, file, NULL), *path = g_build_filename (c->folder, relative, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return read_array (c->folder, relative);
    }
  return NULL;
}

static double
largest (const NnTensor *t)
{
  double most = 0;

  for (gsize i = 0; i < t->n; i++)
    most = MAX (most, fabs (nn_tensor_get (t, i)));
  return most;
}

static void
compare (const char     *what,
         const NnWeight *w,
         const NnTensor *have,
         const NnTensor *want,
         double          tolerance)
{
  const double scale = MAX (largest (want), 1);

  g_assert_cmpuint (have->n, ==, want->n);
  for (gsize i = 0; i < want->n; i++)
    if (!(fabs (nn_tensor_get (have, i) - nn_tensor_get (want, i)) <= tolerance * scale))
      g_error ("%s: %s %s [%" G_GSIZE_FORMAT "]: %.9g, reference %.9g", what, w->layer, w->name, i, nn_tensor_get (have, i),
               nn_tensor_get (want, i));
}

static void
check_gradients (const Case           *c,
                 const NnTrainOptions *options)
{
  const double tolerance = options->in_double ? DOUBLE_TOLERANCE : TOLERANCE;
  g_autoptr (GError) error = NULL;
  NnTensor **gradients;
  double loss;
  guint n_compared = 0;

  gradients = nn_gradients (c->model, c->x, c->y, options, &loss, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (loss, c->loss, tolerance * (1 + fabs (c->loss)));
  for (guint id = 0; id < nn_model_n_weights (c->model); id++)
    {
      const NnWeight *w = nn_model_weight (c->model, id);
      g_autoptr (NnTensor) want = reference_of (c, "grad", w);

      if (gradients[id] == NULL)
        continue;
      g_assert_nonnull (want);
      compare ("gradient", w, gradients[id], want, tolerance);
      n_compared++;
      nn_tensor_unref (gradients[id]);
    }
  g_free (gradients);
  g_assert_cmpuint (n_compared, >=, 4);
}

static void
check_weights (const Case     *c,
               NnNet          *net,
               const char     *part)
{
  g_autoptr (NnModel) model = nn_net_model (net, net->values);
  guint n_compared = 0;

  for (guint id = 0; id < nn_model_n_weights (model); id++)
    {
      const NnWeight *w = nn_model_weight (model, id);
      g_autoptr (NnTensor) want = reference_of (c, part, w);

      if (want == NULL)
        continue;
      compare (part, w, w->values, want, TOLERANCE);
      n_compared++;
    }
  g_assert_cmpuint (n_compared, >=, 4);
}

static void
check_steps (const Case           *c,
             const NnTrainOptions *options)
{
  const guint n = c->x->shape.dims[0];
  NnNetOptions net_options = { .layers_of = nn_layers_for (options->in_double ? NN_CPU_DOUBLE : nn_cpu ()), .batch = n,
                               .gradients = TRUE, .training = TRUE, .freeze_norm = options->freeze_norm,
                               .is_classes = c->kind != NN_LOSS_MSE, .loss = c->kind };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnNet) net = nn_net_new (c->model, &net_options, &error);
  g_autoptr (NnTensor) x = nn_tensor_convert (c->x, NN_DTYPE_F32), y = nn_tensor_convert (c->y, NN_DTYPE_F32);
  g_autofree guint32 *samples = g_new (guint32, n);
  NnBatch batch = { .x = nn_tensor_f32 (x), .t = nn_tensor_f32 (y), .samples = samples, .n = n };

  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    samples[i] = i;
  for (guint step = 1; step <= 3; step++)
    {
      NnLossSums sums = { 0 };

      g_assert_true (nn_net_run (net, &batch, &sums));
      nn_net_update (net, options, 1e-3);
      if (step == 1)
        check_weights (c, net, "weights_after_1");
    }
  check_weights (c, net, "weights_after_3");
}

static void
test_case (gconstpointer name)
{
  g_auto (Case) c = { 0 };
  NnTrainOptions options;

  if (!case_load (&c, name))
    return;
  nn_train_options_init (&options);
  options.loss = c.kind;
  options.freeze_norm = !c.training;
  for (guint in_double = 0; in_double < 2; in_double++)
    {
      options.in_double = in_double == 0;
      check_gradients (&c, &options);
      check_steps (&c, &options);
    }
}

int
main (int    argc,
      char **argv)
{
  static const char *const names[] = { "1_jet_mlp", "2_mlp_bn_training", "3_cnn_maxpool", "4_separable", "5_lstm", "6_gru",
                                       "7_cnn_bn_maxpool_training" };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_strdup_printf ("/train/reference/%s", names[i]);

      g_test_add_data_func (path, names[i], test_case);
    }
  return g_test_run ();
}

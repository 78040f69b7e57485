/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixed: with wide types the bit-accurate engine comes as near to float inference as its tables allow, on real networks. */

#include "nn-exec.h"
#include "nn-fixed-exec.h"

#include "nn-load.h"
#include "nn-rng.h"
#include "test-shared.h"

#include <math.h>

#define N_SAMPLES 6

/* Recurrent layers and layer normalisation look their functions up in tables whose inputs are cut. */
static const struct { const char *path; double tolerance; } cases[] = {
  { "models/json_weights/KERAS_3layer.json", 1e-2 },
  { "models/json_weights/KERAS_3layer_batch_norm.json", 1e-2 },
  { "models/json_weights/KERAS_conv1d.json", 1e-2 },
  { "models/json_weights/jetTagger_Conv2D_Small_NoBatchNorm.json", 1e-2 },
  { "models/keras_h5/separable_conv.h5", 1e-2 },
  { "models/keras_h5/deconv_conv1d_pool.h5", 1e-2 },
  { "models/keras_h5/toyadmos_ad03.h5", 1e-2 },
  { "models/keras_h5/fashion_mlp.kv24.h5", 1e-2 },
  { "models/keras_h5/svhn_pruned_cnn.kv214.h5", 1e-2 },
  { "models/keras_h5/jets_cnn1d.kv25.h5", 1e-2 },
  { "models/keras_h5/wbc_distilled_cnn64.h5", 1e-2 },
  { "models/keras3_zip/ftag_gru.keras", 3e-2 },
  { "models/keras3_zip/toptag_gru.keras", 3e-2 },
  { "models/micro/elu.h5", 1e-2 },
  { "models/micro/leaky_relu.h5", 1e-2 },
  { "models/micro/relu.h5", 1e-2 },
  { "models/micro/softmax.h5", 1e-2 },
  { "models/micro/thresholded_relu.h5", 1e-2 },
  { "models/micro/conv1d_1layer.h5", 1e-2 },
};

static const char wide[] =
  "{\"granularity\": \"model\", \"Model\": {\"Precision\": {\"default\": \"fixed<32,11,RND,SAT>\", \"table\": \"fixed<32,10,RND>\","
  "\"exp_table\": \"fixed<32,4,RND,SAT>\", \"inv_table\": \"fixed<32,4,RND,SAT>\", \"inv_inp\": \"ufixed<32,8,RND,SAT>\","
  "\"param\": \"fixed<32,8,RND>\"},"
  "\"ReuseFactor\": 1, \"TableSize\": 262144}}";

static NnTensor **
random_inputs (const NnModel *model)
{
  guint n;
  const guint *nodes = nn_graph_inputs (nn_model_graph (model), &n);
  NnTensor **inputs = g_new0 (NnTensor *, n + 1);
  NnRng rng;

  nn_rng_init (&rng, 11);
  for (guint k = 0; k < n; k++)
    {
      NnShape shape = nn_graph_node (nn_model_graph (model), nodes[k])->shape, batch = { .rank = shape.rank + 1, .dims = { N_SAMPLES } };

      for (guint d = 0; d < shape.rank; d++)
        batch.dims[d + 1] = shape.dims[d];
      inputs[k] = nn_tensor_new (NN_DTYPE_F64, &batch);
      for (gsize i = 0; i < inputs[k]->n; i++)
        nn_tensor_f64 (inputs[k])[i] = floor (0.5 * nn_rng_normal (&rng) * 1024) / 1024;
    }
  return inputs;
}

static void
test_near (gconstpointer data)
{
  guint which = GPOINTER_TO_UINT (data);
  g_autofree char *path = test_shared_path (cases[which].path);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (NnDesign) design = NULL;
  NnTensor **inputs, **reference, **outputs;
  double worst = 0;

  if (path == NULL)
    return;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  config = nn_config_parse (wide, &error);
  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  inputs = random_inputs (model);
  reference = nn_predict (model, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  outputs = nn_fixed_predict (design, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  for (guint k = 0; reference[k] != NULL; k++)
    for (gsize i = 0; i < reference[k]->n; i++)
      {
        double wanted = nn_tensor_get (reference[k], i), scale = MAX (1, fabs (wanted));

        worst = MAX (worst, fabs (wanted - nn_tensor_get (outputs[k], i)) / scale);
      }
  g_test_message ("%s: largest difference %.3g", cases[which].path, worst);
  g_assert_cmpfloat (worst, <, cases[which].tolerance);
  nn_tensors_free (inputs);
  nn_tensors_free (reference);
  nn_tensors_free (outputs);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strconcat ("/fixed/near-float/", cases[i].path, NULL);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_near);
    }
  return g_test_run ();
}

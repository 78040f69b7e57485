/* SPDX-License-Identifier: GPL-3.0-or-later */
/* precision: profile, doctor, scan and search of widths, on a small network whose faults are known. */

#include "nn-doctor.h"
#include "nn-profile.h"
#include "nn-widths.h"

#include "nn-rng.h"

#include <math.h>
#include <string.h>

#define N_SAMPLES 400

/* Two dense layers: the first makes numbers of about 20, the second tells their signs apart. */
static NnModel *
make_model_ending (gboolean softmax)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnTensor) first = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (2, 4)), second = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (4, 2));
  NnWeight weights[2] = { { .name = "kernel", .layer = "big", .role = NN_ROLE_KERNEL, .values = first },
                          { .name = "kernel", .layer = "out", .role = NN_ROLE_KERNEL, .values = second } };
  NnModel *model;
  guint input = 0;
  NnNode *node;

  memcpy (first->data, (float[]){ 8, -8, 0, 0, 0, 0, 8, -8 }, 8 * sizeof (float));
  memcpy (second->data, (float[]){ 0.0625f, 0, 0, 0.0625f, 0.03125f, 0, 0, 0.03125f }, 8 * sizeof (float));
  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (2);
  for (guint k = 0; k < 2; k++)
    {
      node = nn_graph_builder_add (builder, NN_OP_DENSE, k == 0 ? "big" : "out", NULL, &input, 1);
      node->attrs.units = k == 0 ? 4 : 2;
      nn_graph_builder_weights (builder, node, &k, 1);
      input = 1;
    }
  if (softmax)
    {
      node = nn_graph_builder_add (builder, NN_OP_ACTIVATION, "chances", NULL, &(guint){ 2 }, 1);
      node->attrs.act = NN_ACT_SOFTMAX;
      node->attrs.axis = -1;
    }
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, weights, 2, NULL, &error);
  g_assert_no_error (error);
  return model;
}

static NnModel *
make_model (void)
{
  return make_model_ending (FALSE);
}

static NnTensor *
make_input (void)
{
  NnTensor *input = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (N_SAMPLES, 2));
  NnRng rng;

  nn_rng_init (&rng, 4);
  for (gsize k = 0; k < input->n; k++)
    nn_tensor_f64 (input)[k] = 2 * nn_rng_normal (&rng);
  return input;
}

static NnConfig *
make_config (const char *precision)
{
  g_autofree char *text = g_strdup_printf ("{\"granularity\": \"model\", \"Model\": {\"Precision\": \"%s\", \"ReuseFactor\": 1}}", precision);
  g_autoptr (GError) error = NULL;
  NnConfig *config = nn_config_parse (text, &error);

  g_assert_no_error (error);
  return config;
}

static const NnProfileTensor *
find_tensor (const NnProfile *profile,
             const char      *name)
{
  for (guint i = 0; i < profile->n; i++)
    if (strcmp (profile->tensors[i].name, name) == 0)
      return &profile->tensors[i];
  return NULL;
}

static void
test_profile (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = make_model ();
  g_autoptr (NnTensor) input = make_input ();
  g_autoptr (NnConfig) config = make_config ("fixed<8,4>");
  g_autoptr (NnDesign) design = nn_design_new (model, config, &error);
  g_autoptr (NnProfile) profile = nn_profile (model, design, &input, NULL, NULL, &error);
  const NnProfileTensor *kernel, *out;

  g_assert_no_error (error);
  kernel = find_tensor (profile, "out.weight");
  g_assert_nonnull (kernel);
  g_assert_cmpfloat (kernel->min, ==, 0);
  g_assert_cmpfloat (kernel->max, ==, 0.0625);
  g_assert_cmpfloat (kernel->below_lsb, ==, 0.25); /* two of eight are a 32nd, below a 16th */
  g_assert_cmpfloat (kernel->q3, ==, 0.0390625);
  kernel = find_tensor (profile, "big.weight");
  g_assert_cmpfloat (kernel->overflow, ==, 0.25); /* 8 does not fit, -8 does */
  out = find_tensor (profile, "big");
  g_assert_true (out->kind == NN_PROFILE_ACTIVATION && out->has_type);
  g_assert_cmpuint (out->n, ==, 4 * N_SAMPLES);
  g_assert_cmpfloat (out->overflow, >, 0.4);
  g_assert_cmpfloat (out->q1, <=, out->median);
}

static void
test_doctor (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = make_model ();
  g_autoptr (NnTensor) input = make_input ();
  g_autoptr (NnConfig) config = make_config ("fixed<14,5>");
  g_autoptr (NnDesign) design = nn_design_new (model, config, &error);
  g_autoptr (NnDoctor) doctor = nn_doctor (design, &input, NULL, FALSE, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (doctor->float_score, ==, 1);
  g_assert_cmpfloat (doctor->fixed_score, <, 0.99);
  g_assert_cmpint (doctor->departs, ==, 1);
  g_assert_cmpstr (doctor->layers[1].name, ==, "big");
  g_assert_cmpuint (doctor->layers[0].overflows, ==, 0);
  g_assert_cmpuint (doctor->layers[1].overflows, >, 0);
  g_assert_cmpuint (doctor->n_changes, >, 0);
  g_assert_cmpstr (doctor->changes[0].layer, ==, "big");
  g_assert_cmpfloat (doctor->repaired_score, >=, 0.995);
  g_assert_nonnull (doctor->config);
}

/* Both layers need one bit more, and no change of one alone is enough: what is not needed is not changed. */
static void
test_repair_two (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = make_model ();
  g_autoptr (NnTensor) input = make_input ();
  g_autoptr (NnConfig) config = nn_config_parse ("{\"granularity\": \"model\", \"Model\": {\"Precision\": \"fixed<24,12>\"}, \"LayerName\": {"
                                                 "\"big\": {\"Precision\": {\"result\": \"fixed<12,5>\"}},"
                                                 "\"out\": {\"Precision\": {\"weight\": \"fixed<5,2>\"}}}}", &error);
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnDoctor) doctor = NULL;
  gboolean big = FALSE, out = FALSE;

  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  doctor = nn_doctor (design, &input, NULL, FALSE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (doctor->fixed_score, <, 0.99);
  g_assert_cmpfloat (doctor->repaired_score, >=, doctor->float_score - 0.005);
  g_assert_cmpfloat (doctor->repaired_cost, >=, doctor->cost);
  g_assert_cmpuint (doctor->n_changes, ==, 2);
  for (guint k = 0; k < 2; k++)
    {
      big |= strcmp (doctor->changes[k].layer, "big") == 0 && strcmp (doctor->changes[k].variable, "result") == 0;
      out |= strcmp (doctor->changes[k].layer, "out") == 0 && strcmp (doctor->changes[k].variable, "weight") == 0;
    }
  g_assert_true (big && out);
}

/* Inferred sums are wide; a softmax's table sees the top bits alone. */
static void
test_wide_softmax (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = make_model_ending (TRUE);
  g_autoptr (NnTensor) input = make_input ();
  g_autoptr (NnConfig) config = make_config ("fixed<16,6>");
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnDoctor) doctor = NULL;
  g_autofree char *why = NULL;

  nn_config_set_granularity (config, NN_GRANULARITY_NAME);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (nn_design_softmax_step (design, 3), >=, 1);
  g_assert_cmpfloat (nn_design_softmax_step (design, 2), ==, 0);
  g_assert_nonnull (nn_design_warnings (design)[0]);
  g_assert_nonnull (strstr (nn_design_warnings (design)[0], "\"chances\""));
  doctor = nn_doctor (design, &input, NULL, FALSE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (doctor->departs, ==, 3);
  g_assert_cmpint (doctor->cause, ==, NN_DOCTOR_COARSE_TABLE);
  g_assert_cmpstr (doctor->table.before, ==, "out");
  why = nn_doctor_why (doctor);
  g_assert_nonnull (strstr (why, "\"out\" needs a result with fewer integer bits"));
  g_assert_cmpfloat (doctor->fixed_score, <, 0.99);
  g_assert_cmpfloat (doctor->repaired_score, >=, 0.995);
  g_assert_cmpuint (doctor->n_changes, ==, 1);
  g_assert_cmpstr (doctor->changes[0].layer, ==, "out");
  g_assert_cmpint (doctor->changes[0].to.integer, <, doctor->changes[0].from.integer);
  g_assert_cmpfloat (doctor->repaired_cost, <=, doctor->cost);
}

static void
test_healthy (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = make_model ();
  g_autoptr (NnTensor) input = make_input ();
  g_autoptr (NnConfig) config = make_config ("fixed<32,12>");
  g_autoptr (NnDesign) design = nn_design_new (model, config, &error);
  g_autoptr (NnDoctor) doctor = nn_doctor (design, &input, NULL, FALSE, NULL, NULL, NULL, &error);
  g_autofree char *why = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (doctor->departs, ==, -1);
  g_assert_cmpuint (doctor->n_changes, ==, 0);
  g_assert_cmpint (doctor->cause, ==, NN_DOCTOR_SOUND);
  why = nn_doctor_why (doctor);
  g_assert_cmpstr (why, ==, "");
}

static void
test_scan (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = make_model ();
  g_autoptr (NnTensor) input = make_input ();
  g_autoptr (NnConfig) config = make_config ("fixed<16,8>");
  g_autoptr (NnWidthScan) scan = nn_width_scan (model, config, &input, NULL, FALSE, 9, 24, 8, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (scan->n, ==, 16);
  g_assert_cmpfloat (scan->points[0].score, <, 0.95);
  g_assert_cmpfloat (scan->points[15].score, >=, 0.99);
}

static void
test_propose (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = make_model ();
  g_autoptr (NnTensor) input = make_input ();
  g_autoptr (NnConfig) config = make_config ("fixed<16,8>");
  g_autoptr (NnWidthProposal) proposal = nn_propose_widths (model, config, &input, NULL, FALSE, 0.02, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (proposal->score, >=, proposal->float_score - 0.02);
  g_assert_cmpfloat (proposal->cost, <=, proposal->first_cost);
  g_assert_cmpint (proposal->first_width, <, 16);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/precision/profile", test_profile);
  g_test_add_func ("/precision/doctor", test_doctor);
  g_test_add_func ("/precision/repair-two", test_repair_two);
  g_test_add_func ("/precision/wide-softmax", test_wide_softmax);
  g_test_add_func ("/precision/healthy", test_healthy);
  g_test_add_func ("/precision/scan", test_scan);
  g_test_add_func ("/precision/propose", test_propose);
  return g_test_run ();
}

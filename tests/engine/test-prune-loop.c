/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every knob of the loop does what it says. */

#include "nn-error.h"
#include "nn-prune-schedule.h"
#include "nn-train-types.h"
#include "test-prune-nets.h"

static const NnStep *
last_step (const NnTrail *trail)
{
  return nn_trail_step (trail, nn_trail_n_steps (trail) - 1);
}

static const NnStep *
chosen_step (const NnTrail *trail)
{
  return nn_trail_step (trail, nn_trail_chosen (trail));
}

static gsize
live (const NnModel *model,
      guint          id)
{
  const NnTensor *values = nn_model_weight (model, id)->values;
  gsize n = 0;

  for (gsize k = 0; k < values->n; k++)
    n += nn_tensor_f32 (values)[k] != 0;
  return n;
}

/* All accepted: constant steps, steps that shrink, halves of what is left; a failure is approached again from below. */
static void
test_schedules (void)
{
  NnPruneOptions options;
  NnScheduler s;
  double t, before = 0, grown = 1;

  nn_prune_options_init (&options);
  options.first_target = 0.2;
  options.step = 0.1;
  options.max_target = 0.9;
  options.max_steps = 12;
  options.schedule = NN_SCHEDULE_CONSTANT;
  nn_scheduler_init (&s, &options);
  for (guint i = 0; i < 8; i++)
    {
      g_assert_true (nn_scheduler_next (&s, &t));
      g_assert_cmpfloat (fabs (t - (0.2 + 0.1 * i)), <, 1e-9);
      nn_scheduler_tell (&s, t, TRUE);
    }
  g_assert_false (nn_scheduler_next (&s, &t)); /* at its most */
  options.schedule = NN_SCHEDULE_BINARY;
  nn_scheduler_init (&s, &options);
  nn_scheduler_tell (&s, 0.2, TRUE);
  g_assert_true (nn_scheduler_next (&s, &t));
  g_assert_cmpfloat (t, ==, 0.55);
  nn_scheduler_tell (&s, t, FALSE);
  g_assert_true (nn_scheduler_next (&s, &t));
  g_assert_cmpfloat (t, ==, 0.375);
  options.schedule = NN_SCHEDULE_POLYNOMIAL;
  nn_scheduler_init (&s, &options);
  for (guint i = 0; nn_scheduler_next (&s, &t); i++)
    {
      if (i > 1)
        g_assert_cmpfloat (t - before, <=, grown + 1e-9);
      grown = t - before;
      before = t;
      nn_scheduler_tell (&s, t, TRUE);
    }
  g_assert_cmpfloat (before, ==, 0.9);
  options.schedule = NN_SCHEDULE_BUDGET;
  nn_scheduler_init (&s, &options);
  for (guint i = 1; i <= 12; i++)
    {
      g_assert_true (nn_scheduler_next (&s, &t));
      g_assert_cmpfloat (fabs (t - i / 12.0), <, 1e-9);
      nn_scheduler_tell (&s, t, FALSE); /* whatever accuracy does */
    }
  g_assert_false (nn_scheduler_next (&s, &t));
}

/* What no accuracy allows ends after as many bad trials as were granted, and nothing but the baseline is chosen. */
static void
test_cutoff (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 4);
  g_autoptr (NnTrail) trail = NULL;
  NnPruneOptions options;

  quick (&options);
  options.tolerance = 0;
  options.fine_tune_epochs = 0;
  options.first_target = options.max_target = 0.98;
  options.bad_trials = 3;
  trail = prune (model, config, data, &options);
  g_assert_cmpuint (nn_trail_n_steps (trail), ==, 1 + 3);
  g_assert_cmpuint (nn_trail_chosen (trail), ==, 0);
}

static void
test_regularizer (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 4);
  double sums[3] = { 0 };

  for (guint v = 0; v < 3; v++)
    {
      g_autoptr (NnTrail) trail = NULL;
      const NnStep *step;
      NnPruneOptions options;

      quick (&options);
      options.max_steps = 1;
      options.regularize = v == 0 ? 0 : v == 1 ? 5 : -1;
      trail = prune (model, config, data, &options);
      step = nn_trail_step (trail, 1);
      for (guint id = 0; id < 6; id += 2)
        for (gsize k = 0; k < nn_model_weight (step->model, id)->values->n; k++)
          sums[v] += fabsf (nn_tensor_f32 (nn_model_weight (step->model, id)->values)[k]);
      if (v == 0)
        g_assert_cmpfloat (step->strength, ==, 0);
      if (v == 2)
        g_assert_cmpfloat (step->strength, >, 0);
    }
  g_assert_cmpfloat (sums[1], <, 0.9 * sums[0]);
  g_assert_cmpfloat (sums[2], <, sums[0]);
}

/* Regrowth: what was cut may come back. Lottery ticket: what stays has its first value. */
static void
test_rewinding (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 4);
  g_autoptr (NnTrail) regrown = NULL, plain = NULL, ticket = NULL;
  NnPruneOptions options;
  guint back[2] = { 0 };

  quick (&options);
  options.max_steps = 3;
  options.tolerance = 1;
  options.schedule = NN_SCHEDULE_CONSTANT;
  options.step = 0.01;
  options.importance = NN_IMPORTANCE_RANDOM; /* so that what has grown back is as likely to stay as the rest */
  plain = prune (model, config, data, &options);
  options.rewind_epochs = 1;
  regrown = prune (model, config, data, &options);
  for (guint v = 0; v < 2; v++)
    for (guint i = 2; i < nn_trail_n_steps (v == 0 ? plain : regrown); i++)
      {
        const NnTrail *trail = v == 0 ? plain : regrown;
        const NnTensor *a = nn_model_weight (nn_trail_step (trail, i - 1)->model, 0)->mask;
        const NnTensor *b = nn_model_weight (nn_trail_step (trail, i)->model, 0)->mask;

        /* A rejected step is no base of the next. */
        for (gsize k = 0; nn_trail_step (trail, i - 1)->accepted && k < a->n; k++)
          back[v] += nn_tensor_u8 (a)[k] == 0 && nn_tensor_u8 (b)[k] != 0;
      }
  g_assert_cmpuint (back[0], ==, 0);
  g_assert_cmpuint (back[1], >, 0);
  options.rewind_epochs = 0;
  options.rewind_weights = TRUE;
  options.fine_tune_epochs = 0;
  options.max_steps = 2;
  ticket = prune (model, config, data, &options);
  for (guint id = 0; id < 6; id += 2)
    for (gsize k = 0; k < nn_model_weight (model, id)->values->n; k++)
      {
        float v = nn_tensor_f32 (nn_model_weight (last_step (ticket)->model, id)->values)[k];

        g_assert_true (v == 0 || v == nn_tensor_f32 (nn_model_weight (model, id)->values)[k]);
      }
}

/* Local: every layer falls alike. Structures by layer, layers left alone, groups kept and cut by hand. */
static void
test_choices (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 4);
  g_autoptr (NnTrail) local = NULL, mixed = NULL, pinned = NULL;
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gint8 *pins = NULL;
  g_auto (NnPruneOptions) options = { 0 };
  const char *leave[] = { "layer_3", NULL };

  quick (&options);
  options.max_steps = 1;
  options.tolerance = 0.5;
  options.local = TRUE;
  local = prune (model, config, data, &options);
  for (guint id = 0; id < 6; id += 2)
    {
      double share = (double) live (last_step (local)->model, id) / (double) nn_model_weight (model, id)->values->n;

      g_assert_cmpfloat (fabs (share - 0.5), <, 0.04);
    }
  options.local = FALSE;
  options.layer_structures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (options.layer_structures, g_strdup ("layer_1"), GINT_TO_POINTER (NN_STRUCTURE_NEURON));
  options.leave = leave;
  mixed = prune (model, config, data, &options);
  g_assert_cmpuint (live (last_step (mixed)->model, 4), ==, 64);
  for (gsize o = 0; o < 32; o++)
    {
      guint n = 0;

      for (gsize i = 0; i < 16; i++)
        n += nn_tensor_f32 (nn_model_weight (last_step (mixed)->model, 0)->values)[i * 32 + o] != 0;
      g_assert_true (n == 0 || n == 16);
    }
  options.leave = NULL;
  g_clear_pointer (&options.layer_structures, g_hash_table_unref);
  groups = nn_prune_options_groups (&options, model, config, &error);
  g_assert_no_error (error);
  pins = g_new0 (gint8, groups->n_groups);
  for (gsize g = 0; g < 40; g++)
    pins[g] = g % 2 == 0 ? 1 : -1;
  options.pins = pins;
  options.n_pins = groups->n_groups;
  pinned = prune (model, config, data, &options);
  for (gsize g = 0; g < 40; g++)
    for (guint k = 0; k < groups->groups[g].n; k++)
      {
        guint32 index = groups->indices[groups->groups[g].first + k];

        g_assert_cmpint (nn_tensor_u8 (nn_model_weight (last_step (pinned)->model, 0)->mask)[index], ==, g % 2 == 0);
      }
  options.n_pins--;
  g_assert_null (nn_prune (model, config, data, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
}

/* Each objective falls when it is the one asked for; limits bind while another falls; a weighted sum falls as a whole. */
static void
test_objectives (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) resource = make_config ("Resource", 4), latency = make_config ("Latency", 1);
  g_autoptr (NnTrail) under = NULL;
  const NnObjective each[] = { NN_OBJECTIVE_DSP, NN_OBJECTIVE_BRAM, NN_OBJECTIVE_LUT, NN_OBJECTIVE_FF, NN_OBJECTIVE_PARAMETERS,
                               NN_OBJECTIVE_BOPS, NN_OBJECTIVE_ENERGY, NN_OBJECTIVE_WEIGHTED };
  NnPruneOptions options;

  for (guint t = 0; t < G_N_ELEMENTS (each); t++)
    {
      g_autoptr (NnTrail) trail = NULL;
      const NnStep *a, *b;
      double before, after;

      quick (&options);
      options.max_steps = 2;
      options.tolerance = 0.05;
      options.objective = 1u << each[t];
      options.weights[NN_OBJECTIVE_DSP] = 1;
      options.weights[NN_OBJECTIVE_LUT] = 0.01;
      trail = prune (model, each[t] == NN_OBJECTIVE_BRAM ? resource : latency, data, &options);
      a = nn_trail_step (trail, 0);
      b = chosen_step (trail);
      before = (guint) each[t] < NN_N_RESOURCES            ? a->resources.amount[each[t]]
               : each[t] == NN_OBJECTIVE_BOPS      ? a->bops
               : each[t] == NN_OBJECTIVE_ENERGY    ? a->energy
               : each[t] == NN_OBJECTIVE_WEIGHTED  ? a->resources.amount[NN_RESOURCE_DSP] + 0.01 * a->resources.amount[NN_RESOURCE_LUT]
                                                   : (double) (live (a->model, 0) + live (a->model, 2) + live (a->model, 4));
      after = (guint) each[t] < NN_N_RESOURCES            ? b->resources.amount[each[t]]
              : each[t] == NN_OBJECTIVE_BOPS      ? b->bops
              : each[t] == NN_OBJECTIVE_ENERGY    ? b->energy
              : each[t] == NN_OBJECTIVE_WEIGHTED  ? b->resources.amount[NN_RESOURCE_DSP] + 0.01 * b->resources.amount[NN_RESOURCE_LUT]
                                                  : (double) (live (b->model, 0) + live (b->model, 2) + live (b->model, 4));
      g_test_message ("%s: %g of %g", nn_objective_name (each[t]), after, before);
      g_assert_cmpfloat (after, <, 0.75 * before);
    }
  quick (&options);
  options.objective = 1u << NN_OBJECTIVE_DSP;
  options.limits[NN_OBJECTIVE_BRAM] = 80;
  under = prune (model, resource, data, &options);
  g_assert_cmpfloat (chosen_step (under)->resources.amount[NN_RESOURCE_BRAM], <=, 80);
  g_assert_cmpfloat (chosen_step (under)->resources.amount[NN_RESOURCE_DSP], <, 0.5 * nn_trail_step (under, 0)->resources.amount[NN_RESOURCE_DSP]);
  quick (&options);
  options.objective = 1u << NN_OBJECTIVE_WEIGHTED;
  {
    g_autoptr (GError) error = NULL;

    g_assert_null (nn_prune (model, resource, data, &options, NULL, NULL, &error));
    g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
  }
}

/* Cycles fall, by the layers' depths; in the Resource strategy they follow from the reuse factor, and that is said. */
static void
test_latency (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  /* A short clock, at which the depth of a sum makes cycles. */
  g_autoptr (NnConfig) latency = nn_config_parse ("{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"ClockPeriod\":1.5,\"HLSConfig\":"
                                                  "{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1,\"Strategy\":\"Latency\"}}}",
                                                  NULL);
  g_autoptr (NnConfig) resource = make_config ("Resource", 4);
  g_autoptr (NnTrail) trail = NULL;
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (GError) error = NULL;
  const NnStep *last;
  NnPruneOptions options;
  double all = 0, left = 0;

  quick (&options);
  options.max_steps = 1;
  options.first_target = 0.9;
  options.tolerance = 1;
  options.objective = 1u << NN_OBJECTIVE_LATENCY;
  trail = prune (model, latency, data, &options);
  last = last_step (trail);
  groups = nn_prune_options_groups (&options, model, latency, &error);
  g_assert_no_error (error);
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];
      double cost = nn_group_cost (group, NN_OBJECTIVE_LATENCY);

      all += cost;
      if (nn_tensor_f32 (nn_model_weight (last->model, group->weight)->values)[groups->indices[group->first]] != 0)
        left += cost;
    }
  g_test_message ("%g of %g cycles", last->latency, nn_trail_step (trail, 0)->latency);
  g_assert_cmpfloat (all, >, 0);
  g_assert_cmpfloat (left, <=, 0.1 * all * (1 + 1e-9));
  g_assert_cmpfloat (last->latency, <, nn_trail_step (trail, 0)->latency);
  g_assert_null (nn_prune (model, resource, data, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
}

/* In Resource layers a multiplier whose weights nearly agree gets their mean as a constant; no other weight changes. */
static void
test_share (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 2);
  g_autoptr (NnTrail) trail = NULL;
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (GError) error = NULL;
  const NnStep *before, *after;
  NnPruneOptions options;
  guint n_shared = 0, n_other = 0;

  quick (&options);
  options.max_steps = 1;
  options.share = TRUE;
  options.tolerance = 0.1;
  trail = prune (model, config, data, &options);
  after = last_step (trail);
  before = nn_trail_step (trail, nn_trail_n_steps (trail) - 2);
  g_assert_cmpint (after->kind, ==, NN_STEP_SHARE);
  g_assert_true (after->accepted && before->accepted);
  groups = nn_prune_options_groups (&options, model, config, &error);
  g_assert_no_error (error);
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];
      const guint32 *at = groups->indices + group->first;
      const float *a = nn_tensor_f32 (nn_model_weight (before->model, group->weight)->values);
      const float *b = nn_tensor_f32 (nn_model_weight (after->model, group->weight)->values);

      g_assert_cmpuint (group->n, ==, 2);
      if (a[at[0]] == b[at[0]] && a[at[1]] == b[at[1]])
        {
          n_other++;
          continue;
        }
      g_assert_cmpfloat (b[at[0]], ==, b[at[1]]);
      g_assert_cmpfloat (fabs (b[at[0]] - (a[at[0]] + a[at[1]]) / 2.0), <, 1e-6);
      n_shared++;
    }
  g_test_message ("%u of %zu multipliers have one weight now", n_shared, groups->n_groups);
  g_assert_cmpuint (n_shared, >, 10);
  g_assert_cmpuint (n_other, >, 10);
}

/* A network with quantisers of its own keeps them: it is trained and measured with them on. */
static void
test_quantized (void)
{
  static NnQuantizer grid = { .kind = NN_QUANT_FIXED, .type = { .kind = NN_TYPE_FIXED, .width = 6, .integer = 1, .is_signed = TRUE } };
  g_autoptr (NnDataset) data = clouds ();
  TestNet *net = net_new (&NN_SHAPE (16), 3);
  g_autoptr (NnModel) model = NULL, ready = NULL;
  g_autoptr (NnConfig) config = make_config ("Latency", 1);
  g_autoptr (NnTrainResult) result = NULL;
  g_autoptr (NnMetrics) metrics = NULL;
  g_autoptr (NnTrail) trail = NULL;
  g_autoptr (GError) error = NULL;
  NnTrainOptions train;
  NnPruneOptions options;

  for (guint l = 0; l < 3; l++)
    {
      const gint64 units[] = { 16, 32, 16, 4 };
      NnNode *node = net_dense (net, units[l], units[l + 1], l < 2 ? NN_ACT_RELU : NN_ACT_SOFTMAX);

      node->attrs.role_quantizer[NN_ROLE_KERNEL] = &grid;
    }
  model = net_seal (net);
  nn_train_options_init (&train);
  train.epochs = 15;
  g_assert_true (nn_train (model, data, &train, NULL, NULL, &result, &error));
  ready = nn_model_ref (result->model);
  quick (&options);
  options.objective = 1u << NN_OBJECTIVE_BOPS;
  trail = prune (ready, config, data, &options);
  g_assert_cmpfloat (chosen_step (trail)->bops, <, 0.7 * nn_trail_step (trail, 0)->bops);
  g_assert_cmpfloat (chosen_step (trail)->auc, >, 0.9);
  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (ready)); i++)
    {
      const NnNode *a = nn_graph_node (nn_model_graph (ready), i), *b = nn_graph_node (nn_model_graph (chosen_step (trail)->model), i);

      g_assert_true ((a->attrs.role_quantizer[NN_ROLE_KERNEL] != NULL) == (b->attrs.role_quantizer[NN_ROLE_KERNEL] != NULL));
    }
  metrics = nn_evaluate (chosen_step (trail)->model, data, NN_SPLIT_VALIDATION, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (metrics->accuracy, ==, chosen_step (trail)->accuracy);
}

/* With the types of the configuration the loop judges as it trains, and what comes of it stands their few bits better. */
static void
test_types (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = nn_config_parse ("{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":"
                                                 "{\"Precision\":\"fixed<4,2,RND,SAT>\",\"ReuseFactor\":1,\"Strategy\":\"Latency\"}}}", NULL);
  g_autoptr (GArray) types = nn_train_types_new (config, model);
  const NnTrainType *first = &g_array_index (types, NnTrainType, 0);
  g_autoptr (NnTrail) plain = NULL, aware = NULL;
  g_autoptr (NnMetrics) before = NULL, after = NULL;
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
  g_auto (NnPruneOptions) again = { 0 };
  g_autoptr (GError) error = NULL;
  NnPruneOptions options;

  g_assert_cmpuint (types->len, ==, 8); /* three kernels, three biases, two results that are no softmax's */
  g_assert_cmpint (first->type.width, ==, 4);
  quick (&options);
  options.objective = 1u << NN_OBJECTIVE_BOPS;
  plain = prune (model, config, data, &options);
  options.quantized = TRUE;
  aware = prune (model, config, data, &options);
  before = nn_evaluate_as (chosen_step (plain)->model, data, NN_SPLIT_VALIDATION, first, types->len, NULL, &error);
  g_assert_no_error (error);
  after = nn_evaluate_as (chosen_step (aware)->model, data, NN_SPLIT_VALIDATION, first, types->len, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("in fixed point: %g of the float run, %g of the aware run", before->accuracy, after->accuracy);
  g_assert_cmpfloat (after->accuracy, ==, chosen_step (aware)->accuracy);
  g_assert_cmpfloat (after->accuracy, >, before->accuracy);
  g_assert_cmpfloat (nn_trail_step (aware, 0)->accuracy, !=, nn_trail_step (plain, 0)->accuracy);
  g_assert_true (nn_prune_options_from_json (&again, nn_trail_options (aware), hold, &error));
  g_assert_true (again.quantized);
}

/* Moved weights stay on their grid through a batch norm that hardware folds into them. */
static void
test_folded (void)
{
  g_autoptr (NnDataset) data = clouds ();
  TestNet *net = net_new (&NN_SHAPE (16), 3);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = nn_config_parse ("{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":"
                                                 "{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1,\"Strategy\":\"Latency\"},\"LayerName\":"
                                                 "{\"layer_1\":{\"Precision\":{\"result\":\"auto\",\"weight\":\"fixed<16,6>\"}}}}}", &error);
  g_autoptr (NnTrainResult) result = NULL;
  g_autoptr (NnTrail) trail = NULL;
  NnTrainOptions train;
  NnPruneOptions options;

  g_assert_no_error (error);
  net_dense (net, 16, 24, NN_ACT_LINEAR);
  net_batch_norm (net, 24);
  net_act (net, NN_ACT_RELU);
  net_dense (net, 24, 4, NN_ACT_SOFTMAX);
  model = net_seal (net);
  nn_train_options_init (&train);
  train.epochs = 15;
  g_assert_true (nn_train (model, data, &train, NULL, NULL, &result, &error));
  quick (&options);
  options.objective = 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_LUT;
  options.limits[NN_OBJECTIVE_DSP] = 12;
  options.limits[NN_OBJECTIVE_LUT] = 9000;
  options.max_steps = 3;
  options.snap = TRUE;
  trail = prune (result->model, config, data, &options);
  g_test_message ("dsp %g of %g, lut %g of %g, accuracy %g of %g", chosen_step (trail)->resources.amount[NN_RESOURCE_DSP],
                  nn_trail_step (trail, 0)->resources.amount[NN_RESOURCE_DSP], chosen_step (trail)->resources.amount[NN_RESOURCE_LUT],
                  nn_trail_step (trail, 0)->resources.amount[NN_RESOURCE_LUT], chosen_step (trail)->accuracy,
                  nn_trail_step (trail, 0)->accuracy);
  g_assert_cmpfloat (chosen_step (trail)->resources.amount[NN_RESOURCE_DSP], <=, 12);
  g_assert_cmpfloat (chosen_step (trail)->resources.amount[NN_RESOURCE_LUT], <=, 9000);
  g_assert_cmpfloat (chosen_step (trail)->accuracy, >, 0.85);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune-loop/schedules", test_schedules);
  g_test_add_func ("/prune-loop/cutoff", test_cutoff);
  g_test_add_func ("/prune-loop/regularizer", test_regularizer);
  g_test_add_func ("/prune-loop/rewinding", test_rewinding);
  g_test_add_func ("/prune-loop/choices", test_choices);
  g_test_add_func ("/prune-loop/objectives", test_objectives);
  g_test_add_func ("/prune-loop/latency", test_latency);
  g_test_add_func ("/prune-loop/share", test_share);
  g_test_add_func ("/prune-loop/quantized", test_quantized);
  g_test_add_func ("/prune-loop/types", test_types);
  g_test_add_func ("/prune-loop/folded", test_folded);
  return g_test_run ();
}

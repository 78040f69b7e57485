/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop: resources fall, accuracy holds, masks hold; cancelled and resumed runs; project files. */

#include "nn-error.h"
#include "nn-law.h"
#include "nn-project.h"
#include "nn-snap.h"
#include "test-prune-nets.h"
#include "test-shared.h"

#include <glib/gstdio.h>

static void
assert_same_trail (const NnTrail *a,
                   const NnTrail *b)
{
  g_assert_cmpuint (nn_trail_n_steps (a), ==, nn_trail_n_steps (b));
  g_assert_cmpuint (nn_trail_chosen (a), ==, nn_trail_chosen (b));
  for (guint i = 0; i < nn_trail_n_steps (a); i++)
    {
      const NnStep *sa = nn_trail_step (a, i), *sb = nn_trail_step (b, i);

      g_assert_cmpfloat (sa->target, ==, sb->target);
      g_assert_cmpfloat (sa->accuracy, ==, sb->accuracy);
      g_assert_cmpmem (&sa->resources, sizeof sa->resources, &sb->resources, sizeof sb->resources);
      g_assert_true (same_weights (sa->model, sb->model));
    }
}

static void
test_loop (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 4);
  g_autoptr (NnTrail) trail = NULL, again = NULL;
  const NnStep *baseline, *chosen;
  NnPruneOptions options;

  quick (&options);
  trail = prune (model, config, data, &options);
  baseline = nn_trail_step (trail, 0);
  chosen = nn_trail_step (trail, nn_trail_chosen (trail));
  g_assert_cmpfloat (baseline->accuracy, >, 0.85);
  g_assert_true (chosen->accepted);
  g_assert_cmpfloat (chosen->accuracy, >=, baseline->accuracy * 0.98);
  g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_DSP], <=, 0.5 * baseline->resources.amount[NN_RESOURCE_DSP]);
  g_assert_cmpint (chosen->status, ==, NN_KNAPSACK_OPTIMAL);
  for (guint i = 0; i < nn_model_n_weights (chosen->model); i++)
    {
      const NnWeight *w = nn_model_weight (chosen->model, i);

      for (gsize k = 0; w->mask != NULL && k < w->mask->n; k++)
        if (nn_tensor_u8 (w->mask)[k] == 0)
          g_assert_cmpfloat (nn_tensor_f32 (w->values)[k], ==, 0);
    }
  again = prune (model, config, data, &options);
  assert_same_trail (trail, again);
}

/* Each kind of loop makes progress and keeps its word. */
static void
test_variants (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) resource = make_config ("Resource", 4), latency = make_config ("Latency", 1);

  for (guint v = 0; v < 10; v++)
    {
      g_autoptr (NnTrail) trail = NULL;
      const NnConfig *config = v == 3 ? latency : resource;
      const char *leave[] = { "layer_1", NULL };
      const NnStep *chosen;
      NnPruneOptions options;

      quick (&options);
      options.max_steps = 3;
      options.tolerance = 0.05;
      options.schedule = v == 0 ? NN_SCHEDULE_CONSTANT : v == 1 ? NN_SCHEDULE_BINARY : NN_SCHEDULE_POLYNOMIAL;
      options.local = v == 2;
      options.rewind_epochs = v == 4 ? 1 : 0;
      options.rewind_weights = v == 5;
      options.leave = v == 6 ? leave : NULL;
      options.importance = v == 7 ? NN_IMPORTANCE_L1 : v == 8 ? NN_IMPORTANCE_FIRST_ORDER : NN_IMPORTANCE_SECOND_ORDER;
      if (v == 9)
        options.objective = 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM;
      trail = prune (model, config, data, &options);
      chosen = nn_trail_step (trail, nn_trail_chosen (trail));
      g_test_message ("variant %u: %u steps, dsp %g of %g, accuracy %g", v, nn_trail_n_steps (trail),
                      chosen->resources.amount[NN_RESOURCE_DSP], nn_trail_step (trail, 0)->resources.amount[NN_RESOURCE_DSP],
                      chosen->accuracy);
      g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_DSP], <, nn_trail_step (trail, 0)->resources.amount[NN_RESOURCE_DSP]);
      if (v == 6)
        g_assert_null (nn_model_weight (chosen->model, 0)->mask);
      if (v == 9)
        g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_BRAM], <, nn_trail_step (trail, 0)->resources.amount[NN_RESOURCE_BRAM]);
    }
}

static void
test_budget (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 4);
  g_autoptr (NnTrail) trail = NULL;
  const NnStep *chosen;
  NnPruneOptions options;

  quick (&options);
  options.limits[NN_OBJECTIVE_DSP] = 90;
  options.limits[NN_OBJECTIVE_BRAM] = 45;
  trail = prune (model, config, data, &options);
  chosen = nn_trail_step (trail, nn_trail_chosen (trail));
  g_assert_cmpuint (nn_trail_n_steps (trail), ==, 7);
  g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_DSP], <=, 90);
  g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_BRAM], <=, 45);
  g_assert_cmpfloat (chosen->accuracy, >, 0.7);
}

typedef struct {
  GCancellable *cancellable;
  guint         after;
  guint         seen;
} Stopper;

static void
stop_after (const NnStep *step,
            gpointer      data)
{
  Stopper *stopper = data;

  stopper->seen++;
  if (step->index == stopper->after)
    g_cancellable_cancel (stopper->cancellable);
}

/* A run that is broken off, written down, read and resumed ends with the same bits as one that was not. */
static void
test_resume (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Resource", 4);
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "run.espalier", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Stopper stopper = { cancellable, 2, 0 };
  g_autoptr (NnTrail) whole = NULL, broken = NULL, resumed = NULL;
  g_autoptr (NnProject) project = NULL;
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  NnPruneOptions options;
  g_auto (NnPruneOptions) read = { 0 };

  quick (&options);
  whole = prune (model, config, data, &options);
  options.checkpoint = path;
  options.on_step = stop_after;
  options.on_step_data = &stopper;
  broken = nn_prune (model, config, data, &options, NULL, cancellable, &error);
  g_assert_no_error (error);
  g_assert_true (nn_trail_was_cancelled (broken));
  g_assert_cmpuint (nn_trail_n_steps (broken), ==, 3);
  g_assert_cmpuint (stopper.seen, ==, 3);
  project = nn_project_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_project_n_trails (project), ==, 1);
  g_assert_cmpstr (nn_project_data_hash (project), ==, nn_dataset_hash (data));
  g_assert_true (nn_prune_options_from_json (&read, nn_trail_options (nn_project_trail (project, 0)), hold, &error));
  g_assert_no_error (error);
  read.resume = nn_project_trail (project, 0);
  resumed = prune (nn_project_model (project), nn_project_config (project), data, &read);
  assert_same_trail (whole, resumed);
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_project (void)
{
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "a.espalier", NULL);
  TestNet *net = net_new (&NN_SHAPE (8, 8, 3), 2);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = make_config ("Latency", 1);
  g_autoptr (NnProject) project = NULL, read = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *a = NULL, *b = NULL, *bytes = NULL;
  gsize size;

  net_conv (net, 3, 3, 3, 4, 2, 1, 1, NN_PADDING_SAME);
  net_batch_norm (net, 4);
  net_act (net, NN_ACT_LEAKY_RELU);
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 64, 5, NN_ACT_SOFTMAX);
  model = net_seal (net);
  project = nn_project_new (model, config, "data.npz", "abc", NULL, 0, "{\"page\":1}");
  g_assert_true (nn_project_save (project, path, &error));
  g_assert_no_error (error);
  g_assert_true (nn_project_is_project (path));
  read = nn_project_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (nn_project_data_spec (read), ==, "data.npz");
  g_assert_cmpstr (nn_project_notes (read), ==, "{\"page\":1}");
  a = nn_config_to_json (config);
  b = nn_config_to_json (nn_project_config (read));
  g_assert_cmpstr (a, ==, b);
  g_assert_true (same_weights (model, nn_project_model (read)));
  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (model)); i++)
    {
      const NnNode *x = nn_graph_node (nn_model_graph (model), i), *y = nn_graph_node (nn_model_graph (nn_project_model (read)), i);

      g_assert_cmpstr (x->name, ==, y->name);
      g_assert_cmpint (x->op, ==, y->op);
      g_assert_true (nn_shape_equal (&x->shape, &y->shape));
      g_assert_cmpmem (&x->attrs, sizeof x->attrs, &y->attrs, sizeof y->attrs);
    }
  /* Cut short at any place: an error, never a crash, and the file that was there stays. */
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize cut = 0; cut < size; cut += MAX (size / 40, 1))
    {
      g_autofree char *bad = g_build_filename (folder, "bad.espalier", NULL);
      g_autoptr (NnProject) none = NULL;

      g_assert_true (g_file_set_contents (bad, bytes, (gssize) cut, NULL));
      none = nn_project_load (bad, &error);
      g_assert_null (none);
      g_assert_nonnull (error);
      g_clear_error (&error);
      g_unlink (bad);
    }
  g_assert_false (nn_project_save (project, "/nowhere/at/all.espalier", &error));
  g_assert_nonnull (error);
  g_unlink (path);
  g_rmdir (folder);
}

/* Against trying every integer. */
static void
test_snap_values (void)
{
  const NnType type = NN_FIXED (11, 4);
  gint64 low, high;

  nn_type_raw_range (&type, &low, &high);
  for (gint64 raw = low; raw <= high; raw++)
    {
      gint64 got = nn_snap_raw (raw, &type), least = G_MAXINT64;

      for (gint64 v = low; v <= high; v++)
        if (nn_csd_digits (v) <= 2)
          least = MIN (least, ABS (v - raw));
      g_assert_cmpuint (nn_csd_digits (got), <=, 2);
      g_assert_cmpint (got, >=, low);
      g_assert_cmpint (got, <=, high);
      g_assert_cmpint (ABS (got - raw), ==, least);
    }
}

/* Latency: nearly no DSP is left and the weights that take none are what the hardware would hold. */
static void
test_snap (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Latency", 1);
  g_autoptr (NnTrail) trail = NULL, shared = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (GError) error = NULL;
  const NnStep *baseline, *chosen;
  NnPruneOptions options;

  quick (&options);
  options.snap = TRUE;
  trail = prune (model, config, data, &options);
  baseline = nn_trail_step (trail, 0);
  chosen = nn_trail_step (trail, nn_trail_chosen (trail));
  g_assert_cmpint (chosen->kind, ==, NN_STEP_SNAP);
  g_assert_cmpfloat (baseline->resources.amount[NN_RESOURCE_DSP], >, 500);
  g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_DSP], <=, 0.05 * baseline->resources.amount[NN_RESOURCE_DSP]);
  g_assert_cmpfloat (chosen->accuracy, >=, 0.98 * baseline->accuracy);
  g_assert_cmpuint (chosen->n_snapped, >, 500);
  design = nn_design_new (chosen->model, config, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (nn_design_model (design))); i++)
    {
      const NnTensor *raw = nn_design_raw (design, i, NN_ROLE_KERNEL);

      for (gsize k = 0; raw != NULL && k < raw->n; k++)
        g_assert_cmpuint (nn_csd_digits (((const gint64 *) raw->data)[k]), <=, 2);
    }
  options.snap = FALSE;
  options.share = TRUE;
  options.max_steps = 1;
  shared = prune (model, config, data, &options);
  g_assert_cmpint (nn_trail_step (shared, nn_trail_n_steps (shared) - 1)->kind, ==, NN_STEP_SHARE);
  g_assert_cmpfloat (nn_trail_step (shared, 2)->resources.amount[NN_RESOURCE_DSP], <=,
                     nn_trail_step (shared, 1)->resources.amount[NN_RESOURCE_DSP]);
}

/* Keep, move or cut, chosen at once: multipliers and logic both fall, and what moved stays on its grid through training. */
static void
test_joint (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Latency", 1);
  g_autoptr (NnTrail) joint = NULL, plain = NULL, again = NULL;
  const NnStep *baseline, *chosen, *cut;
  NnPruneOptions options;

  quick (&options);
  options.objective = 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_LUT;
  options.limits[NN_OBJECTIVE_DSP] = 12;
  options.limits[NN_OBJECTIVE_LUT] = 12000;
  options.max_steps = 4;
  plain = prune (model, config, data, &options);
  options.snap = TRUE;
  joint = prune (model, config, data, &options);
  baseline = nn_trail_step (joint, 0);
  chosen = nn_trail_step (joint, nn_trail_chosen (joint));
  cut = nn_trail_step (plain, nn_trail_chosen (plain));
  for (guint i = 0; i < nn_trail_n_steps (joint); i++)
    g_test_message ("step %u: %s, dsp %g, lut %g, accuracy %g, kept %zu, moved %zu, %s, gap %.2g, %.2f s", i,
                    nn_step_kind_name (nn_trail_step (joint, i)->kind), nn_trail_step (joint, i)->resources.amount[NN_RESOURCE_DSP],
                    nn_trail_step (joint, i)->resources.amount[NN_RESOURCE_LUT], nn_trail_step (joint, i)->accuracy,
                    nn_trail_step (joint, i)->n_kept, nn_trail_step (joint, i)->n_snapped,
                    nn_knapsack_status_name (nn_trail_step (joint, i)->status), nn_trail_step (joint, i)->gap,
                    nn_trail_step (joint, i)->seconds);
  g_test_message ("dsp %g of %g, lut %g of %g, accuracy %g of %g; only cut: dsp %g, lut %g, accuracy %g",
                  chosen->resources.amount[NN_RESOURCE_DSP], baseline->resources.amount[NN_RESOURCE_DSP],
                  chosen->resources.amount[NN_RESOURCE_LUT], baseline->resources.amount[NN_RESOURCE_LUT], chosen->accuracy,
                  baseline->accuracy, cut->resources.amount[NN_RESOURCE_DSP], cut->resources.amount[NN_RESOURCE_LUT], cut->accuracy);
  g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_DSP], <=, 12);
  g_assert_cmpfloat (chosen->resources.amount[NN_RESOURCE_LUT], <=, 12000);
  g_assert_cmpfloat (chosen->accuracy, >, cut->accuracy);
  g_assert_cmpfloat (chosen->accuracy, >=, 0.97 * baseline->accuracy);
  for (guint i = 1; i < nn_trail_n_steps (joint); i++)
    if (nn_trail_step (joint, i)->kind == NN_STEP_PRUNE)
      {
        g_assert_cmpuint (nn_trail_step (joint, i)->n_snapped, >, 0);
        g_assert_cmpfloat (nn_trail_step (joint, i)->gap, <=, 1e-3);
      }
  again = prune (model, config, data, &options);
  assert_same_trail (joint, again);
}

static void
test_nothing_to_gain (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = trained (data);
  g_autoptr (NnConfig) config = make_config ("Latency", 1);
  g_autoptr (GError) error = NULL;
  NnPruneOptions options;

  quick (&options);
  options.objective = 1u << NN_OBJECTIVE_BRAM;
  g_assert_null (nn_prune (model, config, data, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  options.objective = 0;
  g_assert_null (nn_prune (model, config, data, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/loop", test_loop);
  g_test_add_func ("/prune/variants", test_variants);
  g_test_add_func ("/prune/budget", test_budget);
  g_test_add_func ("/prune/resume", test_resume);
  g_test_add_func ("/prune/snap-values", test_snap_values);
  g_test_add_func ("/prune/snap", test_snap);
  g_test_add_func ("/prune/joint", test_joint);
  g_test_add_func ("/prune/nothing-to-gain", test_nothing_to_gain);
  g_test_add_func ("/project/round-trip", test_project);
  return g_test_run ();
}

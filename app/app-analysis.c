/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine says of one network under one configuration. */

#include "app-analysis.h"

#include <glib/gi18n.h>
#include <math.h>

/* Above this many weights groups are not listed: their outlines could not be seen. */
#define MAX_GROUPED_WEIGHTS 4000000

typedef struct {
  NnModel   *model;
  NnConfig  *config;
  NnDataset *data;
} Input;

static Input *
input_new (NnModel   *model,
           NnConfig  *config,
           NnDataset *data)
{
  Input *input = g_new0 (Input, 1);

  input->model = nn_model_ref (model);
  input->config = config != NULL ? nn_config_ref (config) : NULL;
  input->data = data != NULL ? nn_dataset_ref (data) : NULL;
  return input;
}

static void
input_free (Input *input)
{
  nn_model_unref (input->model);
  g_clear_pointer (&input->config, nn_config_unref);
  g_clear_pointer (&input->data, nn_dataset_unref);
  g_free (input);
}

static void
count_source (AppAnalysis *analysis)
{
  const NnGraph *graph = nn_model_graph (analysis->model);

  analysis->n_layers = nn_graph_n_nodes (graph);
  analysis->layers = g_new0 (AppLayer, MAX (analysis->n_layers, 1));
  for (guint i = 0; i < analysis->n_layers; i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      AppLayer *layer = &analysis->layers[i];

      layer->main = -1;
      layer->parameters = nn_model_parameters (analysis->model, node);
      layer->zeros = nn_model_zeros (analysis->model, node);
      layer->multiplications = nn_node_multiplications (analysis->model, node);
    }
}

static AppLayer *
layer_of (AppAnalysis  *analysis,
          const NnNode *node)
{
  guint i;

  if (nn_graph_find (nn_model_graph (analysis->model), node->origin != NULL ? node->origin : node->name, &i))
    return &analysis->layers[i];
  return NULL;
}

static void
count_hardware (AppAnalysis *analysis)
{
  const NnGraph *lowered = nn_model_graph (nn_design_model (analysis->design));

  for (guint i = 0; i < nn_graph_n_nodes (lowered); i++)
    {
      const NnNode *node = nn_graph_node (lowered, i);
      AppLayer *layer = layer_of (analysis, node);

      if (layer == NULL)
        continue;
      layer->n_parts++;
      if (node->n_weights > 0 && layer->main < 0)
        layer->main = i;
      if (analysis->estimate == NULL || i >= analysis->estimate->n_layers)
        continue;
      for (guint r = 0; r < NN_N_RESOURCES; r++)
        if (analysis->estimate->layers[i].resource[r].value > 0)
          layer->resource.amount[r] += analysis->estimate->layers[i].resource[r].value;
      if (analysis->estimate->layers[i].latency.value > 0)
        layer->latency += analysis->estimate->layers[i].latency.value;
    }
}

static void
count_groups (AppAnalysis *analysis)
{
  const NnGraph *lowered = nn_model_graph (nn_design_model (analysis->design));
  AppLayer *layer = NULL;

  for (gsize g = 0; g < analysis->groups->n_groups; g++)
    {
      const NnGroup *group = &analysis->groups->groups[g];

      if (g == 0 || group->node != group[-1].node)
        layer = layer_of (analysis, nn_graph_node (lowered, group->node));
      if (layer == NULL)
        continue;
      layer->n_groups++;
      layer->n_kept += group->kept ? 1 : 0;
    }
}

/* What the user's own syntheses said about earlier estimates. */
char *
app_calibration_path (void)
{
  return nn_calibration_own_path ();
}

static guint
calibrate (const NnConfig *config,
           NnEstimate     *estimate)
{
  g_autofree char *path = app_calibration_path ();
  g_autoptr (NnCalibration) calibration = g_file_test (path, G_FILE_TEST_EXISTS) ? nn_calibration_load (path, NULL) : NULL;

  return calibration != NULL ? nn_calibration_apply_all (calibration, config, NULL, estimate) : 0;
}

gboolean
app_calibration_learn (const AppAnalysis  *analysis,
                       const HlsReport    *report,
                       GError            **error)
{
  g_autofree char *path = app_calibration_path (), *folder = g_path_get_dirname (path);
  g_autoptr (NnCalibration) calibration = NULL;
  g_autoptr (NnEstimate) plain = nn_estimate (analysis->design, analysis->part, error);
  NnCalibrationEntry entry = { .source = report->path, .tool = report->tool, .version = report->version, .part = report->part,
                               .stage = report->stage, .measured = report->resources, .measured_latency = report->latency_max };

  if (plain == NULL)
    return FALSE;
  calibration = g_file_test (path, G_FILE_TEST_EXISTS) ? nn_calibration_load (path, error) : nn_calibration_new ();
  if (calibration == NULL)
    return FALSE;
  entry.estimated_latency = plain->total.latency.value;
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    entry.estimated.amount[r] = plain->total.resource[r].value;
  nn_calibration_add (calibration, &entry);
  g_mkdir_with_parents (folder, 0700);
  return nn_calibration_save (calibration, path, error);
}

/**
 * app_analysis_make_groups:
 * @objectives: bits of NnObjective; what of a group's logic, energy and time counts takes two estimates more
 *
 * Returns: (transfer full) (nullable): what the hardware shares, the larger weights the more important
 */
NnGroups *
app_analysis_make_groups (const AppAnalysis  *analysis,
                          guint               objectives,
                          GError            **error)
{
  NnGroupOptions options;
  NnGroups *groups;

  nn_group_options_init (&options);
  options.objectives = objectives;
  groups = nn_groups_new_full (analysis->design, &options, error);
  if (groups != NULL)
    nn_groups_score (groups, analysis->model, NN_IMPORTANCE_L1, NULL, 1);
  return groups;
}

static gpointer
analyse (AppJob           *job,
         gpointer          data,
         const NnProgress *progress,
         GCancellable     *cancellable,
         GError          **error)
{
  const Input *input = data;
  AppAnalysis *analysis = g_new0 (AppAnalysis, 1);
  g_autoptr (GError) problem = NULL;
  g_autoptr (NnConfig) pruned = NULL;
  gsize parameters = 0;

  g_atomic_ref_count_init (&analysis->ref_count);
  analysis->model = nn_model_ref (input->model);
  analysis->config = nn_config_ref (input->config);
  count_source (analysis);
  for (guint i = 0; i < analysis->n_layers; i++)
    parameters += analysis->layers[i].parameters;
  analysis->part = nn_part_find (nn_config_part (input->config), NULL);
  /* Layers that were pruned are built by the kernel that leaves out what is gone. */
  pruned = nn_config_for_pruned (input->config, input->model, NULL);
  analysis->design = nn_design_new (input->model, pruned != NULL ? pruned : input->config, &problem);
  if (analysis->design != NULL)
    analysis->estimate = nn_estimate (analysis->design, analysis->part, &problem);
  if (analysis->estimate != NULL)
    analysis->n_calibrations = calibrate (input->config, analysis->estimate);
  if (analysis->design != NULL)
    count_hardware (analysis);
  if (problem != NULL)
    analysis->problem = g_strdup (problem->message);
  if (analysis->design != NULL && parameters <= MAX_GROUPED_WEIGHTS && !g_cancellable_is_cancelled (cancellable))
    analysis->groups = app_analysis_make_groups (analysis, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM, NULL);
  if (analysis->groups != NULL)
    count_groups (analysis);
  return analysis;
}

AppJob *
app_analysis_job (NnModel  *model,
                  NnConfig *config)
{
  return app_job_new (_("Analysing"), analyse, input_new (model, config, NULL), (GDestroyNotify) input_free,
                      (GDestroyNotify) app_analysis_unref);
}

AppAnalysis *
app_analysis_ref (AppAnalysis *analysis)
{
  g_atomic_ref_count_inc (&analysis->ref_count);
  return analysis;
}

void
app_analysis_unref (AppAnalysis *analysis)
{
  if (!g_atomic_ref_count_dec (&analysis->ref_count))
    return;
  nn_model_unref (analysis->model);
  nn_config_unref (analysis->config);
  g_clear_pointer (&analysis->design, nn_design_unref);
  g_clear_pointer (&analysis->estimate, nn_estimate_free);
  g_clear_pointer (&analysis->groups, nn_groups_free);
  g_free (analysis->problem);
  g_free (analysis->layers);
  g_free (analysis);
}

double
app_analysis_total (const AppAnalysis *analysis,
                    NnResource         resource)
{
  if (analysis == NULL || analysis->estimate == NULL || analysis->estimate->total.resource[resource].value < 0)
    return NAN;
  return analysis->estimate->total.resource[resource].value;
}

/* The part kept apart for judging, where there is one. */
NnSplit
app_evaluation_split (const NnDataset *data)
{
  return nn_dataset_n (data, NN_SPLIT_TEST) > 0 ? NN_SPLIT_TEST
         : nn_dataset_n (data, NN_SPLIT_VALIDATION) > 0 ? NN_SPLIT_VALIDATION : NN_SPLIT_TRAIN;
}

static gpointer
evaluate (AppJob           *job,
          gpointer          data,
          const NnProgress *progress,
          GCancellable     *cancellable,
          GError          **error)
{
  const Input *input = data;
  NnSplit split = app_evaluation_split (input->data);
  g_autoptr (NnTensor) predictions = nn_predict_fast (input->model, nn_dataset_x (input->data, split), cancellable, error);
  AppEvaluation *evaluation;
  NnMetrics *metrics;

  if (predictions == NULL)
    return NULL;
  metrics = nn_metrics_new (predictions, nn_dataset_y (input->data, split), nn_dataset_is_classes (input->data), error);
  if (metrics == NULL)
    return NULL;
  evaluation = g_new0 (AppEvaluation, 1);
  g_atomic_ref_count_init (&evaluation->ref_count);
  evaluation->model = nn_model_ref (input->model);
  evaluation->metrics = metrics;
  evaluation->predictions = g_steal_pointer (&predictions);
  evaluation->split = split;
  return evaluation;
}

AppJob *
app_evaluation_job (NnModel   *model,
                    NnDataset *data)
{
  return app_job_new (_("Evaluating"), evaluate, input_new (model, NULL, data), (GDestroyNotify) input_free,
                      (GDestroyNotify) app_evaluation_unref);
}

AppEvaluation *
app_evaluation_ref (AppEvaluation *evaluation)
{
  g_atomic_ref_count_inc (&evaluation->ref_count);
  return evaluation;
}

void
app_evaluation_unref (AppEvaluation *evaluation)
{
  if (!g_atomic_ref_count_dec (&evaluation->ref_count))
    return;
  nn_model_unref (evaluation->model);
  nn_metrics_free (evaluation->metrics);
  g_clear_pointer (&evaluation->predictions, nn_tensor_unref);
  g_free (evaluation);
}

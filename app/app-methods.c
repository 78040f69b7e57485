/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The methods paragraph. In English whatever the language of the window: papers are. */

#include "espalier-config.h"

#include "app-methods.h"

#include "app-format.h"
#include "app-study.h"

#include <math.h>

static void
append_data (GString        *text,
             const AppState *state)
{
  g_autofree char *name = NULL;

  if (state->data == NULL)
    return;
  name = g_path_get_basename (nn_dataset_source (state->data));
  g_string_append_printf (text, "It was judged on %s (SHA-256 %.16s…; %" G_GSIZE_FORMAT " training, %" G_GSIZE_FORMAT " validation and %"
                          G_GSIZE_FORMAT " test samples). ", name, nn_dataset_hash (state->data),
                          nn_dataset_n (state->data, NN_SPLIT_TRAIN), nn_dataset_n (state->data, NN_SPLIT_VALIDATION),
                          nn_dataset_n (state->data, NN_SPLIT_TEST));
}

/* Of the run that is shown, and of those that differ from it in nothing else. */
static char *
seeds_of (const AppState *state)
{
  g_autoptr (GArray) members = app_study_members (state, state->run);
  const AppRun *shown = g_ptr_array_index (state->runs, state->run);
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "seed %" G_GUINT64_FORMAT, shown->seed);
  for (guint i = 0; members->len > 1 && i < members->len; i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : " of the seeds ",
                            ((const AppRun *) g_ptr_array_index (state->runs, g_array_index (members, guint, i)))->seed);
  return g_string_free (text, FALSE);
}

static void
append_run (GString        *text,
            const AppState *state)
{
  const NnStep *step = app_state_step (state);
  const AppRun *run;
  const NnStep *base;
  g_autofree char *tolerance = NULL, *before = NULL, *after = NULL, *seeds = NULL;

  if (step == NULL)
    return;
  run = g_ptr_array_index (state->runs, state->run);
  base = nn_trail_step (run->trail, 0);
  tolerance = app_format_percent (run->tolerance, 1);
  seeds = seeds_of (state);
  before = app_format_accuracy (base->accuracy, TRUE);
  after = app_format_accuracy (step->accuracy, TRUE);
  g_string_append_printf (text, "Groups of weights that share hardware were pruned by a knapsack over all layers with masked fine-tuning, "
                          "accepting a relative loss of %s on the validation part (%s); step %u of %u is reported: ",
                          tolerance, seeds, step->index, nn_trail_n_steps (run->trail) - 1);
  g_string_append_printf (text, "%s before and %s after, %.0f instead of %.0f DSP blocks", before, after,
                          step->resources.amount[NN_RESOURCE_DSP], base->resources.amount[NN_RESOURCE_DSP]);
  g_string_append_printf (text, " (the selection is %s against the importance scores; resources are estimates before synthesis). ",
                          step->gap == 0 ? "proven optimal" : "within its proven gap");
}

char *
app_methods_paragraph (AppDocument *document)
{
  const AppState *state = app_document_state (document);
  const AppAnalysis *analysis = app_document_analysis (document);
  GString *text = g_string_new (NULL);
  NnType type;

  if (state->model == NULL)
    return g_string_free (text, FALSE);
  type = nn_config_precision (state->config, NULL, NULL, "default");
  {
    g_autofree char *precision = nn_type_to_string (&type);

    g_string_append_printf (text, "The network (%s) was mapped to %s with the %s backend at a clock of %g ns, %s, default precision %s, "
                            "strategy %s, reuse factor %u. ", nn_model_info (state->model)->format, nn_config_part (state->config),
                            nn_backend_name (nn_config_backend (state->config)), nn_config_clock_ns (state->config),
                            nn_config_io_type (state->config) == NN_IO_STREAM ? "io_stream" : "io_parallel", precision,
                            nn_strategy_name (nn_config_strategy (state->config, NULL, NULL)), nn_config_reuse (state->config, NULL, NULL));
  }
  append_data (text, state);
  append_run (text, state);
  if (analysis != NULL && analysis->estimate != NULL)
    g_string_append_printf (text, "Estimated latency: %.0f cycles (%.0f ns). ", analysis->estimate->total.latency.value,
                            analysis->estimate->total.latency_ns);
  g_string_append (text, "Espalier " ESPALIER_VERSION ".");
  return g_string_free (text, FALSE);
}

char *
app_methods_comment (AppDocument *document)
{
  const AppState *state = app_document_state (document);
  GPtrArray *reports = app_document_reports (document);
  const HlsReport *report = reports->len > 0 ? g_ptr_array_index (reports, reports->len - 1) : NULL;
  g_autofree char *measured = report != NULL ? g_strdup_printf ("%s %s, %s", report->tool != NULL ? report->tool : "?",
                                                                report->version != NULL ? report->version : "?",
                                                                report->stage != NULL ? report->stage : "?") : NULL;
  g_autofree NnTrail **trails = g_new0 (NnTrail *, state->runs->len + 1);
  const NnProvenance of = { .model = state->model, .config = state->config, .data_spec = state->data_spec, .trails = trails,
                            .data_hash = state->data != NULL ? nn_dataset_hash (state->data) : NULL, .n_trails = state->runs->len,
                            .measured = measured };

  for (guint i = 0; i < state->runs->len; i++)
    trails[i] = ((AppRun *) g_ptr_array_index (state->runs, i))->trail;
  return nn_provenance_text (&of);
}

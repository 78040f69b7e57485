/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing the HLS project, and running tools on it; writing the network for other programs. */

#include "app-export.h"

#include <glib/gi18n.h>

#define N_VECTORS 64

typedef struct {
  AppAnalysis *analysis;
  NnDataset   *data;
  char        *folder, *tool, *settings, *queue;
  HlsStages    stages;
  AppBuildPlace place; /* but for its texts, which are above */
} Input;

static void
input_free (Input *input)
{
  g_clear_pointer (&input->analysis, app_analysis_unref);
  g_clear_pointer (&input->data, nn_dataset_unref);
  g_free (input->folder);
  g_free (input->tool);
  g_free (input->settings);
  g_free (input->queue);
  g_free (input);
}

/* Real inputs and what the bit-accurate engine makes of them; without data the writer makes some up. */
static HlsProject *
with_vectors (const Input      *input,
              const NnProgress *progress,
              GCancellable     *cancellable,
              GError          **error)
{
  NnSplit split = app_evaluation_split (input->data);
  gsize n = MIN (N_VECTORS, nn_dataset_n (input->data, split));
  g_autoptr (NnTensor) rows = nn_tensor_rows (nn_dataset_x (input->data, split), 0, n);
  g_autoptr (NnTensor) exact = nn_tensor_convert (rows, NN_DTYPE_F64);
  NnTensor *inputs[] = { exact, NULL };
  NnTensor **expected = nn_fixed_predict (input->analysis->design, inputs, NULL, progress, cancellable, error);
  HlsVectors vectors = { .inputs = inputs, .expected = expected, .n = n };
  HlsProject *project;

  if (expected == NULL)
    return NULL;
  project = hls_project_new (input->analysis->design, &vectors, error);
  nn_tensors_free (expected);
  return project;
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  g_autoptr (HlsProject) project = NULL;
  guint n_inputs = 0;

  if (input->analysis->design == NULL)
    {
      g_set_error_literal (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, input->analysis->problem);
      return NULL;
    }
  nn_graph_inputs (nn_model_graph (input->analysis->model), &n_inputs);
  project = input->data != NULL && n_inputs == 1 ? with_vectors (input, progress, cancellable, error)
                                                 : hls_project_new (input->analysis->design, NULL, error);
  if (project == NULL || (input->folder != NULL && !hls_project_write (project, input->folder, error)))
    return NULL;
  return g_steal_pointer (&project);
}

AppJob *
app_export_job (AppAnalysis *analysis,
                NnDataset   *data,
                const char  *folder)
{
  Input *input = g_new0 (Input, 1);

  input->analysis = app_analysis_ref (analysis);
  input->data = data != NULL ? nn_dataset_ref (data) : NULL;
  input->folder = g_strdup (folder);
  return app_job_new (_("Writing the HLS project"), work, input, (GDestroyNotify) input_free, (GDestroyNotify) hls_project_unref);
}

static void
on_line (const char *line,
         gpointer    data)
{
  app_job_post_line (data, line);
}

static gpointer
work_build (AppJob           *job,
            gpointer          data,
            const NnProgress *progress,
            GCancellable     *cancellable,
            GError          **error)
{
  const Input *input = data;
  g_autoptr (GError) problem = NULL;
  HlsBuildOptions options;
  HlsReport *report;

  hls_build_options_init (&options);
  options.stages = input->stages;
  options.tool = input->tool;
  options.settings = input->settings;
  options.cluster = input->place.cluster;
  options.follow = input->place.follow;
  options.job.queue = input->queue;
  options.job.cpus = MAX (input->place.cpus, 1);
  options.job.memory_mb = input->place.memory_mb;
  options.job.minutes = input->place.minutes;
  options.on_line = on_line;
  options.on_line_data = job;
  report = hls_build (input->folder, &options, progress, cancellable, &problem);
  if (g_error_matches (problem, HLS_ERROR, HLS_ERROR_TOOL_MISSING))
    g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, _("%s. Preferences, Vendor Tools, is where both can be given. The exported project can be "
                 "built on another computer as well: it has scripts of its own."), problem->message);
  else if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return report;
}

static char *
dup_text (const char *text)
{
  return text != NULL && *text != '\0' ? g_strdup (text) : NULL;
}

AppJob *
app_build_job (const char          *folder,
               HlsStages            stages,
               const AppBuildPlace *place)
{
  Input *input = g_new0 (Input, 1);
  AppJob *job;

  input->folder = g_strdup (folder);
  input->stages = stages;
  input->place = *place;
  input->tool = dup_text (place->tool);
  input->settings = dup_text (place->settings);
  input->queue = dup_text (place->queue);
  job = app_job_new (place->follow || (stages & HLS_STAGE_SYNTH) ? _("Synthesizing") : _("Running the test bench"), work_build, input,
                     (GDestroyNotify) input_free, (GDestroyNotify) hls_report_free);
  app_job_set_outlives (job, stages != HLS_STAGE_CSIM);
  return job;
}

typedef struct {
  NnModel *model;
  char    *path;
} SaveInput;

static void
save_input_free (SaveInput *input)
{
  nn_model_unref (input->model);
  g_free (input->path);
  g_free (input);
}

static gpointer
work_save (AppJob           *job,
           gpointer          data,
           const NnProgress *progress,
           GCancellable     *cancellable,
           GError          **error)
{
  const SaveInput *input = data;

  return GINT_TO_POINTER (nn_model_save (input->model, input->path, error));
}

AppJob *
app_save_network_job (NnModel    *model,
                      const char *path)
{
  SaveInput *input = g_new0 (SaveInput, 1);

  input->model = nn_model_ref (model);
  input->path = g_strdup (path);
  return app_job_new (_("Saving the network"), work_save, input, (GDestroyNotify) save_input_free, NULL);
}

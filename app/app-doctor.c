/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Float and fixed point side by side. */

#include "app-doctor.h"

#include "app-axis.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_ERROR_SAMPLES 256
#define N_WIDTH_SAMPLES 1000
/* Of a layer's result, what is drawn. */
#define MAX_TRACED 256
#define MAX_NAMED 32
/* Bars reach no further: beyond, nothing is left of the layer's values. */
#define MAX_ERROR 10

typedef struct {
  AppAnalysis *analysis;
  NnDataset   *data;
  gsize        sample;
  double       loss;
} Input;

static Input *
input_new (AppAnalysis *analysis,
           NnDataset   *data)
{
  Input *input = g_new0 (Input, 1);

  input->analysis = app_analysis_ref (analysis);
  input->data = nn_dataset_ref (data);
  return input;
}

static void
input_free (Input *input)
{
  app_analysis_unref (input->analysis);
  nn_dataset_unref (input->data);
  g_free (input);
}

NnTensor *
app_data_rows (NnDataset *data,
               gsize      first,
               gsize      wanted,
               gboolean   targets,
               gsize     *n)
{
  NnSplit split = app_evaluation_split (data);
  g_autoptr (NnTensor) rows = NULL;

  first = MIN (first, nn_dataset_n (data, split));
  *n = MIN (wanted, nn_dataset_n (data, split) - first);
  rows = nn_tensor_rows (targets ? nn_dataset_y (data, split) : nn_dataset_x (data, split), first, *n);
  return targets ? g_steal_pointer (&rows) : nn_tensor_convert (rows, NN_DTYPE_F64);
}

/* Hardware that takes the data's samples. */
static gboolean
check (const Input  *input,
       GError      **error)
{
  guint n = 0;

  nn_graph_inputs (nn_model_graph (input->analysis->model), &n);
  if (input->analysis->design == NULL)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, input->analysis->problem != NULL ? input->analysis->problem : "?");
  else if (n != 1)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, _("Samples of data go to one input; this network has several."));
  else
    return TRUE;
  return FALSE;
}

static NnDoctor *
examine (const Input      *input,
         gboolean          repair,
         gsize             n_samples,
         const NnProgress *progress,
         GCancellable     *cancellable,
         GError          **error)
{
  NnDoctorOptions options;
  gsize n;
  g_autoptr (NnTensor) x = NULL, y = NULL;
  NnTensor *inputs[] = { NULL, NULL };

  if (!check (input, error))
    return NULL;
  nn_doctor_options_init (&options);
  options.repair = repair;
  options.max_samples = MIN (options.max_samples, n_samples);
  x = app_data_rows (input->data, 0, options.max_samples, FALSE, &n);
  y = app_data_rows (input->data, 0, options.max_samples, TRUE, &n);
  inputs[0] = x;
  return nn_doctor (input->analysis->design, inputs, y, nn_dataset_is_classes (input->data), &options, progress, cancellable, error);
}

static double
relative_error (const NnDoctorLayer *layer)
{
  return layer->values > 0 && !isnan (layer->snr_db) ? pow (10, -layer->snr_db / 20) : NAN;
}

static gpointer
work_errors (AppJob           *job,
             gpointer          data,
             const NnProgress *progress,
             GCancellable     *cancellable,
             GError          **error)
{
  const Input *input = data;
  NnDoctor *doctor = examine (input, FALSE, N_ERROR_SAMPLES, progress, cancellable, error);
  const NnGraph *source = nn_model_graph (input->analysis->model), *lowered;
  AppErrors *errors;

  if (doctor == NULL)
    return NULL;
  lowered = nn_model_graph (nn_design_model (input->analysis->design));
  errors = g_new0 (AppErrors, 1);
  g_atomic_ref_count_init (&errors->ref_count);
  errors->analysis = app_analysis_ref (input->analysis);
  errors->data = nn_dataset_ref (input->data);
  errors->doctor = doctor;
  errors->n_layers = nn_graph_n_nodes (source);
  errors->layers = g_new (double, MAX (errors->n_layers, 1));
  for (guint i = 0; i < errors->n_layers; i++)
    errors->layers[i] = NAN;
  /* The last of the hardware layers that came from a layer computes its result. */
  for (guint i = 0; i < doctor->n_layers; i++)
    {
      const NnNode *node;
      guint at, k;

      if (!nn_graph_find (lowered, doctor->layers[i].name, &at))
        continue;
      node = nn_graph_node (lowered, at);
      if (nn_graph_find (source, node->origin != NULL ? node->origin : node->name, &k) && isfinite (relative_error (&doctor->layers[i])))
        errors->layers[k] = relative_error (&doctor->layers[i]);
    }
  return errors;
}

AppJob *
app_errors_job (AppAnalysis *analysis,
                NnDataset   *data)
{
  return app_job_new (_("Comparing with floating point"), work_errors, input_new (analysis, data), (GDestroyNotify) input_free,
                      (GDestroyNotify) app_errors_unref);
}

AppErrors *
app_errors_ref (AppErrors *errors)
{
  g_atomic_ref_count_inc (&errors->ref_count);
  return errors;
}

void
app_errors_unref (AppErrors *errors)
{
  if (!g_atomic_ref_count_dec (&errors->ref_count))
    return;
  app_analysis_unref (errors->analysis);
  nn_dataset_unref (errors->data);
  nn_doctor_free (errors->doctor);
  g_free (errors->layers);
  g_free (errors);
}

AppBars *
app_errors_bars (const AppErrors *errors)
{
  AppBars *bars = app_bars_new (_("Error against the size of the results"), NULL);

  for (guint i = 0; i < errors->doctor->n_layers; i++)
    {
      const NnDoctorLayer *layer = &errors->doctor->layers[i];
      double value = relative_error (layer);
      g_autofree char *percent = app_format_percent (value, 2), *overflows = app_format_count (layer->overflows);
      g_autofree char *text = layer->overflows > 0 ? g_strdup_printf (_("%s, %s overflows"), percent, overflows) : g_strdup (percent);

      if (isfinite (value))
        app_bars_set (app_bars_add (bars, layer->name, 0, NULL), 0, MIN (value, MAX_ERROR), 0, 0, text);
    }
  return bars;
}

/* nn_doctor_why() in the user's language. */
char *
app_errors_why (const AppErrors *errors)
{
  const NnDoctor *doctor = errors->doctor;
  const NnDoctorLayer *layer = doctor->departs >= 0 ? &doctor->layers[doctor->departs] : NULL;
  const NnDoctorTable *table = &doctor->table;
  gboolean is_table = doctor->cause == NN_DOCTOR_COARSE_TABLE;
  g_autofree char *type = layer != NULL ? app_format_type (is_table ? &table->input : &layer->result) : NULL;
  g_autofree char *number = is_table ? app_number (table->step, 4) : layer != NULL ? app_format_count (layer->overflows) : NULL;

  switch (doctor->cause)
    {
    case NN_DOCTOR_COARSE_TABLE:
      /* Translators: entries, layer, distance, number type, layer before it */
      return g_strdup_printf (_("The %u entries of the table of “%s” are %s apart, for its input is %s: “%s” needs a result with fewer "
                                "integer bits, or the table more entries."), table->entries, layer->name, number, type, table->before);
    case NN_DOCTOR_OVERFLOW:
      /* Translators: how many, layer, number type */
      return g_strdup_printf (_("%s sums or results of “%s” do not fit (its output is %s): it needs more integer bits."), number,
                              layer->name, type);
    case NN_DOCTOR_UNDERFLOW:
      /* Translators: percent, layer, number type */
      return g_strdup_printf (_("%u\u202f%% of the outputs of “%s” are rounded to zero by %s: it needs more bits after the point."),
                              nn_doctor_zeros (layer), layer->name, type);
    case NN_DOCTOR_ROUNDING:
      /* Translators: layer, number type */
      return g_strdup_printf (_("Rounding in and before “%s” (its output is %s) has grown to the size of its values."), layer->name, type);
    case NN_DOCTOR_SOUND:
    default:
      return NULL;
    }
}

static gpointer
work_doctor (AppJob           *job,
             gpointer          data,
             const NnProgress *progress,
             GCancellable     *cancellable,
             GError          **error)
{
  return examine (data, TRUE, N_WIDTH_SAMPLES, progress, cancellable, error);
}

AppJob *
app_doctor_job (AppAnalysis *analysis,
                NnDataset   *data)
{
  return app_job_new (_("Looking for a repair"), work_doctor, input_new (analysis, data), (GDestroyNotify) input_free,
                      (GDestroyNotify) nn_doctor_free);
}

static gpointer
work_widths (AppJob           *job,
             gpointer          data,
             const NnProgress *progress,
             GCancellable     *cancellable,
             GError          **error)
{
  const Input *input = data;
  gsize n;
  g_autoptr (NnTensor) x = NULL, y = NULL;
  NnTensor *inputs[] = { NULL, NULL };

  if (!check (input, error))
    return NULL;
  x = app_data_rows (input->data, 0, N_WIDTH_SAMPLES, FALSE, &n);
  y = app_data_rows (input->data, 0, N_WIDTH_SAMPLES, TRUE, &n);
  inputs[0] = x;
  return nn_propose_widths (input->analysis->model, input->analysis->config, inputs, y, nn_dataset_is_classes (input->data), input->loss,
                            progress, cancellable, error);
}

AppJob *
app_widths_job (AppAnalysis *analysis,
                NnDataset   *data,
                double       loss)
{
  Input *input = input_new (analysis, data);

  input->loss = loss;
  return app_job_new (_("Choosing widths"), work_widths, input, (GDestroyNotify) input_free, (GDestroyNotify) nn_width_proposal_free);
}

typedef struct {
  AppTrace  *trace;
  GPtrArray *values; /* where they go: of float or of fixed */
} Tracing;

static GArray *
first_values (const NnTensor *values)
{
  GArray *kept = g_array_new (FALSE, FALSE, sizeof (double));

  for (gsize k = 0; k < values->n && k < MAX_TRACED; k++)
    {
      double value = nn_tensor_get (values, k);

      g_array_append_val (kept, value);
    }
  return kept;
}

static void
on_values (const NnNode   *node,
           gsize           first,
           const NnTensor *values,
           gpointer        data)
{
  const Tracing *tracing = data;
  guint i;

  if (!g_ptr_array_find_with_equal_func (tracing->trace->names, node->name, g_str_equal, &i))
    return;
  g_clear_pointer ((GArray **) &tracing->values->pdata[i], g_array_unref);
  tracing->values->pdata[i] = first_values (values);
}

static void
values_free (gpointer values)
{
  if (values != NULL)
    g_array_unref (values);
}

static AppTrace *
trace_new (const NnGraph *graph,
           gsize          sample)
{
  AppTrace *trace = g_new0 (AppTrace, 1);

  trace->sample = sample;
  trace->names = g_ptr_array_new_with_free_func (g_free);
  trace->as_float = g_ptr_array_new_with_free_func (values_free);
  trace->as_fixed = g_ptr_array_new_with_free_func (values_free);
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    g_ptr_array_add (trace->names, g_strdup (nn_graph_node (graph, i)->name));
  g_ptr_array_set_size (trace->as_float, trace->names->len);
  g_ptr_array_set_size (trace->as_fixed, trace->names->len);
  return trace;
}

static gpointer
work_trace (AppJob           *job,
            gpointer          data,
            const NnProgress *progress,
            GCancellable     *cancellable,
            GError          **error)
{
  const Input *input = data;
  const NnDesign *design = input->analysis->design;
  g_autoptr (AppTrace) trace = NULL;
  g_autoptr (NnTensor) x = NULL;
  Tracing as_float, as_fixed;
  NnPredictOptions float_options = { .trace = on_values, .trace_data = &as_float };
  NnFixedOptions fixed_options = { .trace = on_values, .trace_data = &as_fixed };
  NnTensor *inputs[] = { NULL, NULL }, **outputs;
  gsize n;

  if (!check (input, error))
    return NULL;
  trace = trace_new (nn_model_graph (nn_design_model (design)), input->sample);
  as_float = (Tracing) { trace, trace->as_float };
  as_fixed = (Tracing) { trace, trace->as_fixed };
  x = app_data_rows (input->data, input->sample, 1, FALSE, &n);
  if (n == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, _("The data has no sample %zu."), input->sample);
      return NULL;
    }
  inputs[0] = x;
  outputs = nn_predict (nn_design_model (design), inputs, &float_options, NULL, cancellable, error);
  if (outputs == NULL)
    return NULL;
  nn_tensors_free (outputs);
  outputs = nn_fixed_predict (design, inputs, &fixed_options, progress, cancellable, error);
  if (outputs == NULL)
    return NULL;
  nn_tensors_free (outputs);
  return g_steal_pointer (&trace);
}

AppJob *
app_trace_job (AppAnalysis *analysis,
               NnDataset   *data,
               gsize        sample)
{
  Input *input = input_new (analysis, data);

  input->sample = sample;
  return app_job_new (_("Tracing"), work_trace, input, (GDestroyNotify) input_free, (GDestroyNotify) app_trace_free);
}

void
app_trace_free (AppTrace *trace)
{
  g_ptr_array_unref (trace->names);
  g_ptr_array_unref (trace->as_float);
  g_ptr_array_unref (trace->as_fixed);
  g_free (trace);
}

static void
add_values (AppPlot      *plot,
            const GArray *values,
            const char   *name,
            guint         colour)
{
  AppPlotSeries *series = app_plot_add_series (plot, name, colour);

  series->line = colour == 0;
  series->points = colour != 0;
  for (guint i = 0; values != NULL && i < values->len; i++)
    {
      g_autofree char *tip = g_strdup_printf ("%s, %u: %.6g", name, i, g_array_index (values, double, i));

      app_plot_add_point (series, i, g_array_index (values, double, i), -1, tip);
    }
}

/* Few values stand in places of their own. */
static void
name_few (AppPlot      *plot,
          const GArray *values)
{
  if (values == NULL || values->len > MAX_NAMED)
    return;
  plot->x_names = g_new0 (char *, values->len + 1);
  for (guint i = 0; i < values->len; i++)
    plot->x_names[i] = g_strdup_printf ("%u", i);
}

AppPlot *
app_trace_plot (const AppTrace *trace,
                guint           layer)
{
  AppPlot *plot = app_plot_new (_("Result"), _("Value"));

  plot->empty = g_strdup (_("Open data to see a sample go through the network."));
  if (trace == NULL || layer >= trace->names->len)
    return plot;
  name_few (plot, trace->as_float->pdata[layer]);
  add_values (plot, trace->as_float->pdata[layer], _("floating point"), 0);
  add_values (plot, trace->as_fixed->pdata[layer], _("fixed point"), 1);
  return plot;
}

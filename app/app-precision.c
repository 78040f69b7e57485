/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types against what they must hold. */

#include "app-precision.h"

#include "app-doctor.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>

#define N_SAMPLES 512
#define N_SCAN_SAMPLES 1000
#define MAX_KEPT 20000
#define SCAN_FROM 4
#define SCAN_TO 18

typedef struct {
  AppAnalysis *analysis;
  NnDataset   *data;
} Input;

static void
input_free (Input *input)
{
  app_analysis_unref (input->analysis);
  g_clear_pointer (&input->data, nn_dataset_unref);
  g_free (input);
}

static int
by_value (gconstpointer a,
          gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Five numbers of the sizes of what is not zero. */
static void
five_numbers (GArray  *sizes,
              AppSpan *span)
{
  const double *v = (const double *) sizes->data;
  guint n = sizes->len;

  if (n == 0)
    return;
  g_array_sort (sizes, by_value);
  span->low = v[0];
  span->q1 = v[n / 4];
  span->median = v[n / 2];
  span->q3 = v[n - 1 - n / 4];
  span->high = v[n - 1];
}

static void
judge (AppSpan      *span,
       const NnType *type,
       const GArray *sizes)
{
  guint below = 0, above = 0;
  g_autofree char *b = NULL, *a = NULL;

  span->type = nn_type_to_string (type);
  if (type->kind != NN_TYPE_FIXED)
    return;
  span->lsb = nn_type_lsb (type);
  span->max = nn_type_max (type);
  for (guint i = 0; i < sizes->len; i++)
    {
      double size = g_array_index (sizes, double, i);

      below += size < span->lsb / 2;
      above += size > span->max + span->lsb / 2;
    }
  if (sizes->len == 0)
    return;
  span->bad = above > 0;
  b = app_format_percent ((double) below / sizes->len, 2);
  a = app_format_percent ((double) above / sizes->len, 2);
  span->note = g_strdup_printf (_("%s below the smallest step, %s beyond the range"), b, a);
}

static void
keep_size (GArray *sizes,
           double  value)
{
  double size = fabs (value);

  if (size > 0 && isfinite (size))
    g_array_append_val (sizes, size);
}

static AppSpans *
profile_weights (const AppAnalysis *analysis)
{
  static const NnRole roles[] = { NN_ROLE_KERNEL, NN_ROLE_BIAS, NN_ROLE_RECURRENT_KERNEL, NN_ROLE_DEPTHWISE_KERNEL };
  AppSpans *spans = app_spans_new (_("Size of the weights"), _("what the type can hold"), _("half of the weights, and all"));
  const NnModel *model = nn_design_model (analysis->design);
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    for (guint r = 0; r < G_N_ELEMENTS (roles); r++)
      {
        const NnNode *node = nn_graph_node (graph, i);
        const NnWeight *weight = nn_model_node_weight (model, node, roles[r]);
        const NnLayerPlan *plan = nn_design_plan (analysis->design, i);
        g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (double));
        AppSpan span = { 0 };
        gsize stride;

        if (weight == NULL || weight->values->n == 0)
          continue;
        stride = MAX (1, weight->values->n / MAX_KEPT);
        for (gsize k = 0; k < weight->values->n; k += stride)
          keep_size (sizes, nn_tensor_get (weight->values, k));
        span.name = roles[r] == NN_ROLE_KERNEL ? g_strdup (node->name) : g_strdup_printf ("%s, %s", node->name, nn_role_name (roles[r]));
        judge (&span, roles[r] == NN_ROLE_BIAS ? &plan->bias : roles[r] == NN_ROLE_RECURRENT_KERNEL ? &plan->recurrent_weight
                                                                                                     : &plan->weight, sizes);
        five_numbers (sizes, &span);
        g_array_append_val (spans->spans, span);
      }
  return spans;
}

typedef struct {
  GPtrArray *sizes; /* GArray by node of the lowered graph */
  const NnGraph *graph;
} Trace;

static void
on_values (const NnNode   *node,
           gsize           first,
           const NnTensor *values,
           gpointer        data)
{
  Trace *trace = data;
  guint i;
  GArray *sizes;
  gsize stride = MAX (1, values->n / (MAX_KEPT / 8));

  if (!nn_graph_find (trace->graph, node->name, &i))
    return;
  sizes = g_ptr_array_index (trace->sizes, i);
  for (gsize k = 0; k < values->n && sizes->len < MAX_KEPT; k += stride)
    keep_size (sizes, nn_tensor_get (values, k));
}

static AppSpans *
profile_activations (const AppAnalysis *analysis,
                     const Trace       *trace)
{
  AppSpans *spans = app_spans_new (_("Size of the results"), _("what the type can hold"), _("half of the results, and all"));

  for (guint i = 0; i < nn_graph_n_nodes (trace->graph); i++)
    {
      GArray *sizes = g_ptr_array_index (trace->sizes, i);
      AppSpan span = { .name = g_strdup (nn_graph_node (trace->graph, i)->name) };

      judge (&span, &nn_design_plan (analysis->design, i)->result, sizes);
      five_numbers (sizes, &span);
      g_array_append_val (spans->spans, span);
    }
  return spans;
}

static double
accuracy_of (NnTensor        **outputs,
             const NnTensor   *targets,
             const NnDataset  *data)
{
  g_autoptr (NnTensor) flat = NULL;
  NnMetrics *metrics;
  double accuracy;

  if (outputs == NULL)
    return NAN;
  flat = nn_tensor_convert (outputs[0], NN_DTYPE_F32);
  metrics = nn_metrics_new (flat, targets, nn_dataset_is_classes (data), NULL);
  if (metrics == NULL)
    return NAN;
  accuracy = metrics->is_classes ? metrics->accuracy : -metrics->mse;
  nn_metrics_free (metrics);
  return accuracy;
}

static void
overflow_clear (AppOverflow *overflow)
{
  g_free (overflow->name);
}

static gboolean
profile_data (AppPrecision     *precision,
              const Input      *input,
              const NnProgress *progress,
              GCancellable     *cancellable,
              GError          **error)
{
  const NnDesign *design = input->analysis->design;
  g_autoptr (GPtrArray) sizes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  Trace trace = { .sizes = sizes, .graph = nn_model_graph (nn_design_model (design)) };
  guint n_nodes = nn_graph_n_nodes (trace.graph);
  g_autofree guint64 *overflows = g_new0 (guint64, n_nodes);
  NnPredictOptions float_options = { .trace = on_values, .trace_data = &trace };
  NnFixedOptions fixed_options = { .overflows = overflows };
  gsize n;
  g_autoptr (NnTensor) x = app_data_rows (input->data, 0, N_SAMPLES, FALSE, &n), y = app_data_rows (input->data, 0, N_SAMPLES, TRUE, &n);
  NnTensor *inputs[] = { x, NULL }, **outputs;

  for (guint i = 0; i < n_nodes; i++)
    g_ptr_array_add (sizes, g_array_new (FALSE, FALSE, sizeof (double)));
  outputs = nn_predict (nn_design_model (design), inputs, &float_options, NULL, cancellable, error);
  if (outputs == NULL)
    return FALSE;
  precision->float_accuracy = accuracy_of (outputs, y, input->data);
  nn_tensors_free (outputs);
  precision->activations = profile_activations (input->analysis, &trace);
  outputs = nn_fixed_predict (design, inputs, &fixed_options, progress, cancellable, error);
  if (outputs == NULL)
    return FALSE;
  precision->fixed_accuracy = accuracy_of (outputs, y, input->data);
  nn_tensors_free (outputs);
  precision->n_samples = n;
  for (guint i = 0; i < n_nodes; i++)
    {
      const NnNode *node = nn_graph_node (trace.graph, i);
      AppOverflow overflow = { g_strdup (node->name), overflows[i], n * nn_shape_count (&node->shape) };

      g_array_append_val (precision->overflows, overflow);
    }
  return TRUE;
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  g_autoptr (AppPrecision) precision = g_new0 (AppPrecision, 1);
  guint n_inputs = 0;

  precision->analysis = app_analysis_ref (input->analysis);
  precision->overflows = g_array_new (FALSE, FALSE, sizeof (AppOverflow));
  g_array_set_clear_func (precision->overflows, (GDestroyNotify) overflow_clear);
  precision->float_accuracy = precision->fixed_accuracy = NAN;
  if (input->analysis->design == NULL)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, input->analysis->problem);
      return NULL;
    }
  precision->weights = profile_weights (input->analysis);
  nn_graph_inputs (nn_model_graph (input->analysis->model), &n_inputs);
  if (input->data != NULL && n_inputs == 1 && !profile_data (precision, input, progress, cancellable, error))
    return NULL;
  return g_steal_pointer (&precision);
}

static Input *
input_new (AppAnalysis *analysis,
           NnDataset   *data)
{
  Input *input = g_new0 (Input, 1);

  input->analysis = app_analysis_ref (analysis);
  input->data = data != NULL ? nn_dataset_ref (data) : NULL;
  return input;
}

AppJob *
app_precision_job (AppAnalysis *analysis,
                   NnDataset   *data)
{
  return app_job_new (_("Profiling"), work, input_new (analysis, data), (GDestroyNotify) input_free, (GDestroyNotify) app_precision_free);
}

void
app_precision_free (AppPrecision *precision)
{
  g_clear_pointer (&precision->analysis, app_analysis_unref);
  g_clear_pointer (&precision->weights, app_spans_free);
  g_clear_pointer (&precision->activations, app_spans_free);
  g_clear_pointer (&precision->overflows, g_array_unref);
  g_free (precision);
}

/* The whole network at @width bits, integer bits as configured. */
static NnDesign *
at_width (const AppAnalysis *analysis,
          int                width,
          GError           **error)
{
  g_autoptr (NnConfig) config = nn_config_copy (analysis->config);
  NnType type = nn_config_precision (config, NULL, NULL, "default");

  type.width = width;
  type.integer = MIN (type.integer, width);
  g_hash_table_insert (nn_config_model (config)->precision, g_strdup ("default"), g_memdup2 (&type, sizeof type));
  return nn_design_new (analysis->model, config, error);
}

static gpointer
work_scan (AppJob           *job,
           gpointer          data,
           const NnProgress *progress,
           GCancellable     *cancellable,
           GError          **error)
{
  const Input *input = data;
  gsize n;
  g_autoptr (NnTensor) x = app_data_rows (input->data, 0, N_SCAN_SAMPLES, FALSE, &n), y = app_data_rows (input->data, 0, N_SCAN_SAMPLES, TRUE, &n);
  NnTensor *inputs[] = { x, NULL };

  for (int width = SCAN_TO; width >= SCAN_FROM; width--)
    {
      g_autoptr (NnDesign) design = at_width (input->analysis, width, error);
      NnTensor **outputs;
      AppScanPoint *point;

      nn_progress_report (progress, (SCAN_TO - width) / (double) (SCAN_TO - SCAN_FROM + 1), "scanning widths");
      if (design == NULL)
        return NULL;
      outputs = nn_fixed_predict (design, inputs, NULL, NULL, cancellable, error);
      if (outputs == NULL)
        return NULL;
      point = g_new (AppScanPoint, 1);
      point->width = width;
      point->accuracy = accuracy_of (outputs, y, input->data);
      nn_tensors_free (outputs);
      app_job_post (job, point, g_free);
    }
  return NULL;
}

AppJob *
app_scan_job (AppAnalysis *analysis,
              NnDataset   *data)
{
  return app_job_new (_("Scanning widths"), work_scan, input_new (analysis, data), (GDestroyNotify) input_free, NULL);
}

AppPlot *
app_scan_plot (const GArray *points,
               double        float_accuracy)
{
  AppPlot *plot = app_plot_new (_("Width (bits)"), _("Accuracy (%)"));
  AppPlotSeries *series = app_plot_add_series (plot, _("bit-accurate"), 0);

  plot->empty = g_strdup (_("Scan widths to see how many bits the network needs."));
  series->line = series->points = TRUE;
  for (guint i = 0; i < points->len; i++)
    {
      const AppScanPoint *point = &g_array_index (points, AppScanPoint, i);
      g_autofree char *accuracy = app_format_accuracy (point->accuracy, TRUE);
      g_autofree char *tip = g_strdup_printf (_("%d bits: %s"), point->width, accuracy);

      app_plot_add_point (series, point->width, point->accuracy >= 0 ? point->accuracy * 100 : -point->accuracy, point->width, tip);
    }
  if (isfinite (float_accuracy) && points->len > 0)
    app_plot_add_rule (plot, FALSE, float_accuracy >= 0 ? float_accuracy * 100 : -float_accuracy, APP_INK (GOOD), _("floating point"));
  return plot;
}

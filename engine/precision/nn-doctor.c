/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The precision doctor. */

#include "nn-doctor-private.h"

#include "nn-error.h"
#include "nn-exec.h"
#include "nn-fixed-exec.h"
#include "nn-passes.h"
#include "nn-score.h"
#include "nn-text.h"

#include <math.h>
#include <string.h>

#define TRACE_BYTES (256u << 20)

void
nn_doctor_options_init (NnDoctorOptions *options)
{
  *options = (NnDoctorOptions){ .tolerance = 0.005, .max_samples = 1024, .repair = TRUE };
}

/**
 * Comparing: float outputs of every layer, by name, and what the other side differs by.
 */
typedef struct {
  const NnDesign *design;
  GHashTable     *values; /* name → GArray of double */
  NnDoctorLayer  *layers;
  double         *signal, *noise;
} Comparing;

static void
keep_values (const NnNode   *node,
             gsize           first_sample,
             const NnTensor *values,
             gpointer        data)
{
  Comparing *comparing = data;
  GArray *kept = g_hash_table_lookup (comparing->values, node->name);

  if (kept == NULL)
    {
      kept = g_array_new (FALSE, FALSE, sizeof (double));
      g_hash_table_insert (comparing->values, g_strdup (node->name), kept);
    }
  for (gsize k = 0; k < values->n; k++)
    {
      double v = nn_tensor_get (values, k);

      g_array_append_val (kept, v);
    }
}

static void
compare_values (const NnNode   *node,
                gsize           first_sample,
                const NnTensor *values,
                gpointer        data)
{
  Comparing *comparing = data;
  GArray *kept = g_hash_table_lookup (comparing->values, node->name);
  gsize row = values->n / MAX ((gsize) values->shape.dims[0], 1), first = first_sample * row;
  NnDoctorLayer *layer;
  guint i;

  if (kept == NULL || !nn_graph_find (nn_model_graph (nn_design_model (comparing->design)), node->name, &i) ||
      first + values->n > kept->len)
    return;
  layer = &comparing->layers[i];
  for (gsize k = 0; k < values->n; k++)
    {
      double wanted = g_array_index (kept, double, first + k), have = nn_tensor_get (values, k), error = wanted - have;

      comparing->signal[i] += wanted * wanted;
      comparing->noise[i] += error * error;
      layer->underflows += have == 0 && wanted != 0;
      layer->max_error = MAX (layer->max_error, fabs (error));
    }
  layer->values += values->n;
}

static NnTensor **
first_rows (const NnModel    *model,
            NnTensor *const  *inputs,
            gsize             count)
{
  guint n;
  NnTensor **rows;

  nn_graph_inputs (nn_model_graph (model), &n);
  rows = g_new0 (NnTensor *, n + 1);
  for (guint k = 0; k < n; k++)
    rows[k] = nn_tensor_rows (inputs[k], 0, MIN (count, (gsize) inputs[k]->shape.dims[0]));
  return rows;
}

static gsize
samples_to_look_at (const NnDesign *design,
                    gsize           most)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  gsize values = 1;

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    values += nn_shape_count (&nn_graph_node (graph, i)->shape);
  return CLAMP (TRACE_BYTES / (values * sizeof (double)), 1, MAX (most, 1));
}

static void
finish_layers (NnDoctor        *doctor,
               const NnDesign  *design,
               const Comparing *comparing,
               const guint64   *overflows)
{
  for (guint i = 0; i < doctor->n_layers; i++)
    {
      NnDoctorLayer *layer = &doctor->layers[i];

      layer->name = g_strdup (nn_graph_node (nn_model_graph (nn_design_model (design)), i)->name);
      layer->result = nn_design_plan (design, i)->result;
      layer->overflows = overflows[i];
      layer->snr_db = comparing->noise[i] == 0 ? INFINITY : comparing->signal[i] == 0 ? -INFINITY
                                                                          : 10 * log10 (comparing->signal[i] / comparing->noise[i]);
    }
}

/* Both engines over the same samples. */
static gboolean
compare (NnDoctor         *doctor,
         const NnDesign   *design,
         NnTensor *const  *inputs,
         GCancellable     *cancellable,
         GError          **error)
{
  const char *const skip[] = { "merge-binary-tanh", NULL };
  g_autoptr (NnModel) lowered = nn_passes_run (nn_design_source (design), nn_design_config (design), skip, error);
  g_autofree double *signal = g_new0 (double, doctor->n_layers), *noise = g_new0 (double, doctor->n_layers);
  g_autofree guint64 *overflows = g_new0 (guint64, doctor->n_layers);
  g_autoptr (GHashTable) values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
  Comparing comparing = { .design = design, .values = values, .layers = doctor->layers, .signal = signal, .noise = noise };
  NnPredictOptions float_options = { .trace = keep_values, .trace_data = &comparing };
  NnFixedOptions fixed_options = { .trace = compare_values, .trace_data = &comparing, .overflows = overflows };
  NnTensor **outputs;

  if (lowered == NULL)
    return FALSE;
  outputs = nn_predict (lowered, inputs, &float_options, NULL, cancellable, error);
  if (outputs == NULL)
    return FALSE;
  nn_tensors_free (outputs);
  outputs = nn_fixed_predict (design, inputs, &fixed_options, NULL, cancellable, error);
  if (outputs == NULL)
    return FALSE;
  nn_tensors_free (outputs);
  finish_layers (doctor, design, &comparing, overflows);
  return TRUE;
}

/* What the tables of a softmax see of its input. */
static gboolean
has_coarse_table (const NnDesign *design,
                  guint           i,
                  NnDoctorTable  *table)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  const NnLayerPlan *plan = nn_design_plan (design, i);
  double step = nn_design_softmax_step (design, i);

  if (step < NN_SOFTMAX_COARSE_STEP)
    return FALSE;
  *table = (NnDoctorTable) { .before = g_strdup (nn_graph_node (graph, nn_graph_node (graph, i)->inputs[0])->name),
                             .input = plan->input, .entries = plan->exp_table_size, .step = step };
  return TRUE;
}

/* Finds the first layer that departs, and why. */
static void
explain (NnDoctor       *doctor,
         const NnDesign *design)
{
  const NnDoctorLayer *layer;

  doctor->departs = -1;
  for (guint i = 0; i < doctor->n_layers && doctor->departs < 0; i++)
    if (doctor->layers[i].values > 0 && doctor->layers[i].snr_db < NN_DOCTOR_DEPARTS_DB)
      doctor->departs = (int) i;
  if (doctor->departs < 0)
    return;
  layer = &doctor->layers[doctor->departs];
  if (has_coarse_table (design, (guint) doctor->departs, &doctor->table))
    doctor->cause = NN_DOCTOR_COARSE_TABLE;
  else if (layer->overflows > 0)
    doctor->cause = NN_DOCTOR_OVERFLOW;
  else
    doctor->cause = layer->underflows * 10 > layer->values ? NN_DOCTOR_UNDERFLOW : NN_DOCTOR_ROUNDING;
}

static gboolean
examine (NnDoctor              *doctor,
         const NnDesign        *design,
         NnTensor *const       *inputs,
         const NnTensor        *targets,
         gboolean               is_classes,
         const NnDoctorOptions *options,
         GCancellable          *cancellable,
         GError               **error)
{
  NnScoring scoring;
  gboolean done;

  if (!compare (doctor, design, inputs, cancellable, error) ||
      !nn_scoring_init (&scoring, nn_design_source (design), inputs, targets, is_classes, cancellable, error))
    return FALSE;
  doctor->float_score = scoring.float_score;
  done = nn_scoring_score (&scoring, nn_design_config (design), &doctor->fixed_score, &doctor->cost, cancellable, error);
  if (done)
    {
      explain (doctor, design);
      doctor->repaired_score = doctor->fixed_score;
      doctor->repaired_cost = doctor->cost;
      done = !options->repair || nn_doctor_repair (doctor, design, &scoring, options, cancellable, error);
    }
  nn_scoring_clear (&scoring);
  return done;
}

/**
 * nn_doctor:
 * @inputs: (array): one for each input of the network
 * @targets: (nullable): rows for the same samples
 * @options: (nullable)
 *
 * Runs @design in float and in fixed point side by side.
 *
 * Errors: those of nn_predict() and nn_fixed_predict()
 *
 * Returns: (transfer full): what was found
 */
NnDoctor *
nn_doctor (const NnDesign        *design,
           NnTensor *const       *inputs,
           const NnTensor        *targets,
           gboolean               is_classes,
           const NnDoctorOptions *options,
           const NnProgress      *progress,
           GCancellable          *cancellable,
           GError               **error)
{
  NnDoctorOptions standard;
  g_autoptr (NnDoctor) doctor = g_new0 (NnDoctor, 1);
  g_autoptr (NnTensor) wanted = NULL;
  gsize samples;
  NnTensor **rows;
  gboolean done;

  nn_doctor_options_init (&standard);
  if (options == NULL)
    options = &standard;
  nn_progress_report (progress, -1, "comparing float and fixed point");
  samples = samples_to_look_at (design, options->max_samples);
  rows = first_rows (nn_design_source (design), inputs, samples);
  if (targets != NULL)
    wanted = nn_tensor_rows (targets, 0, MIN (samples, (gsize) targets->shape.dims[0]));
  doctor->n_layers = nn_graph_n_nodes (nn_model_graph (nn_design_model (design)));
  doctor->layers = g_new0 (NnDoctorLayer, doctor->n_layers);
  done = examine (doctor, design, rows, wanted, is_classes, options, cancellable, error);
  nn_tensors_free (rows);
  return done ? g_steal_pointer (&doctor) : NULL;
}

void
nn_doctor_free (NnDoctor *doctor)
{
  if (doctor == NULL)
    return;
  for (guint i = 0; i < doctor->n_layers; i++)
    g_free (doctor->layers[i].name);
  for (guint i = 0; i < doctor->n_changes; i++)
    g_free (doctor->changes[i].layer);
  g_free (doctor->layers);
  g_free (doctor->changes);
  g_free (doctor->table.before);
  nn_config_unref (doctor->config);
  g_free (doctor);
}

/* How many percent of the outputs are zero though float's are not. */
guint
nn_doctor_zeros (const NnDoctorLayer *layer)
{
  return (guint) (100 * layer->underflows / layer->values);
}

/**
 * nn_doctor_why:
 *
 * The cause in plain words, untranslated.
 *
 * Returns: (transfer full): empty where nothing departs
 */
char *
nn_doctor_why (const NnDoctor *doctor)
{
  const NnDoctorLayer *layer = doctor->departs >= 0 ? &doctor->layers[doctor->departs] : NULL;
  const NnDoctorTable *table = &doctor->table;
  g_autofree char *type = layer != NULL ? nn_type_to_string (doctor->cause == NN_DOCTOR_COARSE_TABLE ? &table->input : &layer->result) : NULL;
  g_autofree char *step = nn_text_from_double (table->step);

  switch (doctor->cause)
    {
    case NN_DOCTOR_COARSE_TABLE:
      return g_strdup_printf ("the %u entries of the table of \"%s\" are %s apart, for its input is %s: \"%s\" needs a result with fewer integer "
                              "bits, or the table more entries", table->entries, layer->name, step, type, table->before);
    case NN_DOCTOR_OVERFLOW:
      return g_strdup_printf ("%" G_GUINT64_FORMAT " sums or results of \"%s\" do not fit (its output is %s): it needs more integer bits",
                              layer->overflows, layer->name, type);
    case NN_DOCTOR_UNDERFLOW:
      return g_strdup_printf ("%u %% of the outputs of \"%s\" are rounded to zero by %s: it needs more bits after the point",
                              nn_doctor_zeros (layer), layer->name, type);
    case NN_DOCTOR_ROUNDING:
      return g_strdup_printf ("rounding in and before \"%s\" (its output is %s) has grown to the size of its values", layer->name, type);
    case NN_DOCTOR_SOUND:
    default:
      return g_strdup ("");
    }
}

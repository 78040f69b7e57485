/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributions of weights and activations. */

#include "nn-profile.h"

#include "nn-exec.h"
#include "nn-passes.h"

#include <math.h>
#include <string.h>

#define KEPT_VALUES (1u << 18) /* for the quartiles */

/**
 * Collector: what is seen of one tensor.
 * @kept: (element-type double): every @stride-th value; thinned to half when it is full
 */
typedef struct {
  NnProfileTensor tensor;
  GArray         *kept;
  gsize           stride, below, outside;
} Collector;

static void
collector_init (Collector     *c,
                const char    *layer,
                const char    *variable,
                NnProfileKind  kind,
                const NnType  *type)
{
  *c = (Collector){ .stride = 1 };
  c->kept = g_array_new (FALSE, FALSE, sizeof (double));
  c->tensor.layer = g_strdup (layer);
  c->tensor.variable = variable;
  c->tensor.name = kind == NN_PROFILE_WEIGHT ? g_strdup_printf ("%s.%s", layer, variable) : g_strdup (layer);
  c->tensor.kind = kind;
  c->tensor.min = INFINITY;
  c->tensor.max = -INFINITY;
  c->tensor.has_type = type != NULL && type->kind != NN_TYPE_AUTO && type->kind != NN_TYPE_FLOAT;
  if (c->tensor.has_type)
    c->tensor.type = *type;
}

static void
thin (Collector *c)
{
  guint n = 0;

  for (guint k = 0; k < c->kept->len; k += 2)
    g_array_index (c->kept, double, n++) = g_array_index (c->kept, double, k);
  g_array_set_size (c->kept, n);
  c->stride *= 2;
}

static void
collect (Collector      *c,
         const NnTensor *values)
{
  double lsb = c->tensor.has_type ? nn_type_lsb (&c->tensor.type) : 0;
  double least = c->tensor.has_type ? nn_type_min (&c->tensor.type) : -INFINITY;
  double most = c->tensor.has_type ? nn_type_max (&c->tensor.type) : INFINITY;

  for (gsize k = 0; k < values->n; k++)
    {
      double v = nn_tensor_get (values, k);

      c->tensor.min = MIN (c->tensor.min, v);
      c->tensor.max = MAX (c->tensor.max, v);
      c->below += v != 0 && fabs (v) < lsb;
      c->outside += v < least || v >= most + (lsb > 0 ? lsb : 0);
      if ((c->tensor.n + k) % c->stride == 0)
        {
          g_array_append_val (c->kept, v);
          if (c->kept->len >= KEPT_VALUES)
            thin (c);
        }
    }
  c->tensor.n += values->n;
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Between the two neighbours, as numpy's default does. */
static double
quantile (const GArray *sorted,
          double        q)
{
  double at = q * (double) (sorted->len - 1);
  guint low = (guint) at;
  double a = g_array_index (sorted, double, low);

  return low + 1 < sorted->len ? a + (at - low) * (g_array_index (sorted, double, low + 1) - a) : a;
}

/* In place: the values are lost. */
static void
finish_sizes (GArray *kept,
              double *size)
{
  guint n = 0;

  for (guint k = 0; k < kept->len; k++)
    if (g_array_index (kept, double, k) != 0)
      g_array_index (kept, double, n++) = fabs (g_array_index (kept, double, k));
  g_array_set_size (kept, n);
  qsort (kept->data, n, sizeof (double), compare_doubles);
  for (guint k = 0; n > 0 && k < 5; k++)
    size[k] = quantile (kept, 0.25 * k);
}

static NnProfileTensor
collector_finish (Collector *c)
{
  NnProfileTensor *t = &c->tensor;

  if (c->kept->len > 0)
    {
      qsort (c->kept->data, c->kept->len, sizeof (double), compare_doubles);
      t->q1 = quantile (c->kept, 0.25);
      t->median = quantile (c->kept, 0.5);
      t->q3 = quantile (c->kept, 0.75);
      t->below_lsb = (double) c->below / (double) t->n;
      t->overflow = (double) c->outside / (double) t->n;
      finish_sizes (c->kept, t->size);
    }
  else
    t->min = t->max = 0;
  g_array_unref (c->kept);
  return *t;
}

static const char *
role_variable (NnRole role)
{
  switch (role)
    {
    case NN_ROLE_KERNEL:
      return "weight";
    case NN_ROLE_RECURRENT_KERNEL:
      return "recurrent_weight";
    default:
      return nn_role_name (role);
    }
}

static const NnType *
role_type (const NnLayerPlan *plan,
           NnRole             role)
{
  if (plan == NULL)
    return NULL;
  switch (role)
    {
    case NN_ROLE_BIAS:
      return &plan->bias;
    case NN_ROLE_SCALE:
      return &plan->scale;
    case NN_ROLE_RECURRENT_KERNEL:
      return &plan->recurrent_weight;
    case NN_ROLE_KERNEL:
      return &plan->weight;
    default:
      return NULL;
    }
}

/**
 * Profiling:
 * @plans: (nullable): by name of a layer of the design
 * @activations: (element-type Collector): by node of the traced network
 */
typedef struct {
  const NnDesign *design;
  GArray         *weights;
  GArray         *activations;
  GHashTable     *by_name;
} Profiling;

static const NnLayerPlan *
plan_of (const Profiling *profiling,
         const char      *name)
{
  guint i;

  if (profiling->design == NULL || !nn_graph_find (nn_model_graph (nn_design_model (profiling->design)), name, &i))
    return NULL;
  return nn_design_plan (profiling->design, i);
}

static void
add_weights (Profiling     *profiling,
             const NnModel *model)
{
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      for (guint k = 0; k < node->n_weights; k++)
        {
          const NnWeight *weight = nn_model_weight (model, node->weights[k]);
          Collector c;

          collector_init (&c, node->name, role_variable (weight->role), NN_PROFILE_WEIGHT,
                          role_type (plan_of (profiling, node->name), weight->role));
          collect (&c, weight->values);
          g_array_append_val (profiling->weights, c);
        }
    }
}

static void
see_values (const NnNode   *node,
            gsize           first_sample,
            const NnTensor *values,
            gpointer        data)
{
  Profiling *profiling = data;
  guint at = GPOINTER_TO_UINT (g_hash_table_lookup (profiling->by_name, node->name));

  if (at == 0)
    {
      const NnLayerPlan *plan = plan_of (profiling, node->name);
      Collector c;

      collector_init (&c, node->name, "result", NN_PROFILE_ACTIVATION, plan != NULL ? &plan->result : NULL);
      g_array_append_val (profiling->activations, c);
      at = profiling->activations->len;
      g_hash_table_insert (profiling->by_name, (gpointer) g_array_index (profiling->activations, Collector, at - 1).tensor.layer,
                           GUINT_TO_POINTER (at));
    }
  collect (&g_array_index (profiling->activations, Collector, at - 1), values);
}

static NnProfile *
finish (Profiling *profiling)
{
  NnProfile *profile = g_new0 (NnProfile, 1);

  profile->n = profiling->weights->len + profiling->activations->len;
  profile->tensors = g_new0 (NnProfileTensor, profile->n);
  for (guint i = 0; i < profiling->weights->len; i++)
    profile->tensors[i] = collector_finish (&g_array_index (profiling->weights, Collector, i));
  for (guint i = 0; i < profiling->activations->len; i++)
    profile->tensors[profiling->weights->len + i] = collector_finish (&g_array_index (profiling->activations, Collector, i));
  g_array_unref (profiling->weights);
  g_array_unref (profiling->activations);
  g_hash_table_unref (profiling->by_name);
  return profile;
}

/* The design's layers in float; thresholds stay activations, which float inference knows. */
static NnModel *
traced_model (const NnModel   *model,
              const NnDesign  *design,
              GError         **error)
{
  const char *const skip[] = { "merge-binary-tanh", NULL };

  if (design == NULL)
    return nn_model_ref ((NnModel *) model);
  return nn_passes_run (nn_design_source (design), nn_design_config (design), skip, error);
}

/**
 * nn_profile:
 * @design: (nullable): whose layers and types are to be shown, else those of @model
 *
 * Errors: those of nn_predict()
 *
 * Returns: (transfer full): weights in order of the layers, then activations
 *
 * Source: hls4ml paper (arXiv:2103.05579), Fig. 3
 */
NnProfile *
nn_profile (const NnModel     *model,
            const NnDesign    *design,
            NnTensor *const   *inputs,
            const NnProgress  *progress,
            GCancellable      *cancellable,
            GError           **error)
{
  g_autoptr (NnModel) traced = traced_model (model, design, error);
  Profiling profiling = { .design = design };
  NnPredictOptions options = { .trace = see_values, .trace_data = &profiling };
  NnTensor **outputs;
  NnProfile *profile;

  if (traced == NULL)
    return NULL;
  profiling.weights = g_array_new (FALSE, FALSE, sizeof (Collector));
  profiling.activations = g_array_new (FALSE, FALSE, sizeof (Collector));
  profiling.by_name = g_hash_table_new (g_str_hash, g_str_equal);
  add_weights (&profiling, traced);
  outputs = nn_predict (traced, inputs, &options, progress, cancellable, error);
  profile = finish (&profiling);
  if (outputs == NULL)
    {
      nn_profile_free (profile);
      return NULL;
    }
  nn_tensors_free (outputs);
  return profile;
}

void
nn_profile_free (NnProfile *profile)
{
  if (profile == NULL)
    return;
  for (guint i = 0; i < profile->n; i++)
    {
      g_free (profile->tensors[i].name);
      g_free (profile->tensors[i].layer);
    }
  g_free (profile->tensors);
  g_free (profile);
}

NnProfile *
nn_observe_ranges (const NnDesign    *design,
                   NnTensor *const   *inputs,
                   const NnProgress  *progress,
                   GCancellable      *cancellable,
                   GError           **error)
{
  return nn_profile (nn_design_source (design), design, inputs, progress, cancellable, error);
}

/* Integer bits, the sign included, that hold every number from @min to @max. */
int
nn_profile_integer_bits (double min,
                         double max)
{
  double magnitude = MAX (fabs (min), fabs (max));
  int bits = magnitude > 0 ? (int) floor (log2 (magnitude)) + 1 : 0;

  return CLAMP (bits, -30, 31) + (min < 0);
}

static void
set_type (NnConfig   *config,
          const char *layer,
          const char *variable,
          NnType      type)
{
  g_hash_table_insert (nn_config_layer (config, layer)->precision, g_strdup (variable), g_memdup2 (&type, sizeof type));
}

/**
 * nn_propose_types:
 * @observed: of nn_observe_ranges()
 * @width: bits of every type
 *
 * Writes a type into @config for every tensor that was seen: as many integer bits as its largest value needs, the rest
 * after the point, saturating. Values of later data may be larger than those seen.
 */
void
nn_propose_types (NnConfig         *config,
                  const NnProfile  *observed,
                  int               width)
{
  nn_config_set_granularity (config, NN_GRANULARITY_NAME);
  for (guint i = 0; i < observed->n; i++)
    {
      const NnProfileTensor *t = &observed->tensors[i];
      NnType type = NN_FIXED (width, 0);

      if (t->has_type && t->type.kind != NN_TYPE_FIXED)
        continue;
      if (t->kind == NN_PROFILE_WEIGHT && strcmp (t->variable, "weight") != 0 && strcmp (t->variable, "bias") != 0 &&
          strcmp (t->variable, "scale") != 0)
        continue;
      type.is_signed = t->min < 0;
      type.integer = nn_profile_integer_bits (t->min, t->max);
      type.rounding = NN_ROUND_RND;
      type.overflow = NN_OVERFLOW_SAT;
      set_type (config, t->layer, t->variable, type);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network as hardware: made once, then only read. */

#include "nn-design-trees-private.h"

#include "nn-config-private.h"
#include "nn-error.h"
#include "nn-passes.h"

#include <stdarg.h>
#include <string.h>

G_DEFINE_BOXED_TYPE (NnDesign, nn_design, nn_design_ref, nn_design_unref)

void
nn_design_warn (NnDesign   *design,
                const char *format,
                ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (design->warnings, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/*
 * HGQ trains a type for every tensor, so that what lies between two quantisers is computed without loss; networks of
 * other kinds can be asked for the same. Source: hls4ml, passes/bit_exact.py.
 */
static gboolean
is_exact (const NnDesign *design)
{
  const char *asked = nn_config_extra (design->config, NULL, NULL, "BitExact");
  const NnGraph *graph = nn_model_graph (design->source);

  if (asked != NULL && g_ascii_strcasecmp (asked, "null") != 0 && g_ascii_strcasecmp (asked, "none") != 0)
    return g_ascii_strcasecmp (asked, "true") == 0 || strcmp (asked, "1") == 0;
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnAttrs *a = &nn_graph_node (graph, i)->attrs;

      if (a->input_quantizer != NULL || a->sum_quantizer != NULL || (a->quantizer != NULL && a->quantizer->per_element != NULL))
        return TRUE;
    }
  return FALSE;
}

static gboolean
plan (NnDesign  *design,
      GError   **error)
{
  NnPlanning planning = { .design = design, .config = design->config, .model = design->model };
  const NnLayerConfig *top = nn_config_model (design->config);

  planning.graph = nn_model_graph (design->model);
  planning.by_name = nn_config_granularity (design->config) == NN_GRANULARITY_NAME;
  planning.exact = is_exact (design);
  planning.maximum = g_hash_table_lookup (top->precision, "maximum");
  planning.standard = nn_config_precision (design->config, NULL, NULL, "default");
  if (planning.standard.kind != NN_TYPE_FIXED)
    planning.standard = NN_FIXED (16, 6);
  for (guint i = 0; i < nn_graph_n_nodes (planning.graph); i++)
    if (!nn_plan_sizes (&planning, i, error) || !nn_plan_types (&planning, i, error) || !nn_plan_raw (&planning, i, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_supported (const NnModel  *model,
                 GError        **error)
{
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      if (node->op == NN_OP_UNSUPPORTED)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s) cannot become hardware: %s", node->name,
                       node->class_name, node->reason != NULL ? node->reason : "it is not supported");
          return FALSE;
        }
      if (!nn_shape_is_known (&node->shape))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                       "layer \"%s\": an axis of its output is left open; hardware needs every extent", node->name);
          return FALSE;
        }
    }
  return TRUE;
}

/* The passes that the configuration leaves out, by their own names. What we do not have (hls4ml has passes of its own) is told;
 * what hardware cannot do without is an error. (transfer full) */
static GPtrArray *
skipped_passes (NnDesign  *design,
                GError   **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_auto (GStrv) words = nn_config_skipped_passes (design->config);

  for (char **word = words; *word != NULL; word++)
    {
      const NnPass *pass = nn_pass_find (*word);

      if (pass != NULL && pass->needed)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "SkipOptimizers: the pass \"%s\" cannot be left out; \"inspect --passes\" "
                       "lists those that can", *word);
          return NULL;
        }
      if (pass != NULL)
        g_ptr_array_add (names, (gpointer) pass->name);
      else
        g_ptr_array_add (design->warnings, g_strdup_printf ("SkipOptimizers: there is no pass \"%s\"; it has no effect", *word));
    }
  g_ptr_array_add (names, NULL);
  return g_steal_pointer (&names);
}

/**
 * nn_design_new:
 * @source: the network as loaded or trained
 * @config: what is asked of the hardware
 *
 * Errors: %NN_ERROR_UNSUPPORTED for a layer that cannot become hardware, %NN_ERROR_FORMAT for settings of layers that
 * the network does not have, %NN_ERROR_SHAPE, %NN_ERROR_NUMERIC for weights that are not finite
 *
 * Returns: (transfer full): the design
 */
NnDesign *
nn_design_new (const NnModel   *source,
               const NnConfig  *config,
               GError         **error)
{
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (GPtrArray) skip = NULL;

  if (!check_supported (source, error) || !nn_config_check (config, source, error))
    return NULL;
  design = g_new0 (NnDesign, 1);
  g_atomic_ref_count_init (&design->ref_count);
  design->warnings = g_ptr_array_new_with_free_func (g_free);
  design->source = nn_model_ref ((NnModel *) source);
  design->config = nn_config_ref ((NnConfig *) config);
  skip = skipped_passes (design, error);
  design->passed = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  design->model = skip != NULL ? nn_passes_run_told (source, config, (const char *const *) skip->pdata, design->passed, error) : NULL;
  if (design->model == NULL)
    return NULL;
  design->plans = g_new0 (NnLayerPlan, nn_graph_n_nodes (nn_model_graph (design->model)));
  design->raw = g_new0 (NnTensor *, (gsize) nn_graph_n_nodes (nn_model_graph (design->model)) * NN_N_ROLES);
  design->trees = g_new0 (NnTreePlan *, nn_graph_n_nodes (nn_model_graph (design->model)));
  if (!plan (design, error))
    return NULL;
  nn_design_warn_unheeded (design);
  g_ptr_array_add (design->warnings, NULL);
  return g_steal_pointer (&design);
}

NnDesign *
nn_design_ref (NnDesign *design)
{
  g_atomic_ref_count_inc (&design->ref_count);
  return design;
}

void
nn_design_unref (NnDesign *design)
{
  if (design == NULL || !g_atomic_ref_count_dec (&design->ref_count))
    return;
  if (design->raw != NULL)
    for (gsize i = 0; i < (gsize) nn_graph_n_nodes (nn_model_graph (design->model)) * NN_N_ROLES; i++)
      nn_tensor_unref (design->raw[i]);
  for (guint i = 0; design->trees != NULL && i < nn_graph_n_nodes (nn_model_graph (design->model)); i++)
    nn_tree_plan_free (design->trees[i]);
  g_free (design->trees);
  g_free (design->raw);
  g_free (design->plans);
  nn_model_unref (design->model);
  nn_model_unref (design->source);
  nn_config_unref (design->config);
  g_ptr_array_unref (design->warnings);
  g_clear_pointer (&design->passed, g_ptr_array_unref);
  g_free (design);
}

const NnModel *
nn_design_source (const NnDesign *design)
{
  return design->source;
}

const NnModel *
nn_design_model (const NnDesign *design)
{
  return design->model;
}

const NnConfig *
nn_design_config (const NnDesign *design)
{
  return design->config;
}

const NnLayerPlan *
nn_design_plan (const NnDesign *design,
                guint           i)
{
  g_assert (i < nn_graph_n_nodes (nn_model_graph (design->model)));
  return &design->plans[i];
}

const NnTensor *
nn_design_raw (const NnDesign *design,
               guint           i,
               NnRole          role)
{
  g_assert (i < nn_graph_n_nodes (nn_model_graph (design->model)) && role < NN_N_ROLES);
  return design->raw[(gsize) i * NN_N_ROLES + role];
}

const char *const *
nn_design_warnings (const NnDesign *design)
{
  return (const char *const *) design->warnings->pdata;
}

const char *const *
nn_design_pass_layers (const NnDesign *design,
                       guint           i)
{
  g_assert (i < design->passed->len);
  return design->passed->pdata[i];
}

/**
 * nn_design_weight_index:
 * @f: place in the output-major order of the hardware, less than inputs times outputs
 *
 * Returns: where that weight stands in the layout of the model, (…, in, out); of transposed convolutions (…, out, in)
 *
 * Source: hls4ml, apply_resource_strategy: dense (in, out) becomes (out, in), convolutions (h, w, c, f) become (f, h, w, c)
 */
gsize
nn_design_weight_index (const NnDesign *design,
                        guint           i,
                        NnRole          role,
                        gsize           f)
{
  const NnLayerPlan *p = nn_design_plan (design, i);
  gsize n_in = role == NN_ROLE_RECURRENT_KERNEL ? p->recurrent_n_in : p->n_in;

  g_assert (n_in > 0 && f < n_in * p->n_out);
  if (role == NN_ROLE_KERNEL && nn_op_is_transposed (nn_graph_node (nn_model_graph (design->model), i)->op))
    {
      const NnGraph *graph = nn_model_graph (design->model);
      gsize channels = (gsize) nn_shape_last (&nn_graph_node (graph, nn_graph_node (graph, i)->inputs[0])->shape);
      gsize k = f % n_in;

      return (k / channels * p->n_out + f / n_in) * channels + k % channels;
    }
  return f % n_in * p->n_out + f / n_in;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a configuration asks for in vain is told: settings of hls4ml that change nothing here, and names that nothing has. */

#include "nn-design-private.h"

#include "nn-config-private.h"
#include "nn-text.h"

#include <json-glib/json-glib.h>

/* A setting that is kept and written back, but not acted on. */
typedef struct {
  const char *key;
  const char *standard[3]; /* values that ask for nothing, ended by NULL */
  const char *instead;
} Unheeded;

static const Unheeded of_layers[] = {
  { "ConvImplementation", { "LineBuffer" }, "convolutions slide line buffers over a stream, and gather patches in parallel" },
  { "Static", { "true", "1" }, "one recurrent cell serves all steps" },
  { "TimeStepLoopParallelism", { "Off", "0" }, "steps follow each other" },
  { "TableRangePower2", { "0" }, "the table spans the numbers from 0 to 1" },
  { "InputsChannelLast", { "false", "0" }, "inputs have the network's own order" },
  { "TransposeOutputs", { "false", "0" }, "outputs have the network's own order" },
};

static const Unheeded of_projects[] = {
  { "Flows", { "null" }, "\"inspect --passes\" lists the passes, and SkipOptimizers leaves out what it names" },
  { "Optimizers", { "null" }, "\"inspect --passes\" lists the passes, and SkipOptimizers leaves out what it names" },
  { "FIFO", { "null", "hls4ml_lib.mgc_pipe_mem" }, "channels are of the tool's own FIFO" },
  { "HyperoptHandshake", { "false", "0" }, "the component's handshake is the tool's own" },
};

/* What a number type can be given for; the last ones are hls4ml's, of layers that become several here. */
static const char *const variables[] = {
  "default", "maximum", "weight", "bias", "result", "accum", "scale", "table", "exp_table", "inv_table", "inv_inp", "inp_norm",
  "recurrent_weight", "recurrent_bias", "state", "embeddings", "param", "sub", "quotient", "depthwise", "pointwise", "alpha", "threshold", NULL,
};

static gboolean
asks (const Unheeded *u,
      const char     *value)
{
  for (guint k = 0; k < G_N_ELEMENTS (u->standard) && u->standard[k] != NULL; k++)
    if (g_ascii_strcasecmp (u->standard[k], value) == 0)
      return FALSE;
  return TRUE;
}

static gboolean
is_variable (const char *name)
{
  for (const char *const *v = variables; *v != NULL; v++)
    {
      const char *at = strstr (name, *v);

      if (at != NULL && at[strlen (*v)] == '\0' && (at == name || at[-1] == '_'))
        return TRUE;
    }
  return FALSE;
}

static void
warn_layer (NnDesign            *design,
            const char          *where,
            const NnLayerConfig *config)
{
  g_autoptr (GPtrArray) names = nn_config_sorted (config->precision);

  for (guint k = 0; k < G_N_ELEMENTS (of_layers); k++)
    {
      const char *value = g_hash_table_lookup (config->extra, of_layers[k].key);

      if (value != NULL && asks (&of_layers[k], value))
        nn_design_warn (design, "%s: %s: %s has no effect: %s", where, of_layers[k].key, value, of_layers[k].instead);
    }
  for (guint i = 0; i < names->len; i++)
    if (!is_variable (names->pdata[i]))
      nn_design_warn (design, "%s: Precision of \"%s\" has no effect: no layer has such numbers; did you mean \"%s\"?", where,
                      (char *) names->pdata[i], nn_text_nearest (names->pdata[i], variables));
}

/* hls4ml reads larger matrices through ports of the component, from memories outside. */
static void
warn_outside (NnDesign *design)
{
  const char *text = nn_config_extra (design->config, NULL, NULL, "BramFactor");
  double limit;
  gsize largest = 0;

  for (guint k = 0; k < nn_model_n_weights (design->source); k++)
    largest = MAX (largest, nn_model_weight (design->source, k)->values->n);
  if (text != NULL && nn_text_to_double (text, &limit) && limit < (double) largest)
    nn_design_warn (design, "Model: BramFactor: %s has no effect: weights are inside the component, whatever their number", text);
}

static gboolean
has_class (const NnModel *model,
           const char    *name)
{
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      if (g_str_equal (node->class_name, name) || g_str_equal (nn_op_info (node->op)->name, name))
        return TRUE;
    }
  return FALSE;
}

static void
warn_writer (NnDesign *design)
{
  g_autofree char *text = nn_config_setting (design->config, "WriterConfig"), *name = NULL;
  g_autoptr (JsonNode) node = text != NULL ? json_from_string (text, NULL) : NULL;
  JsonObject *object = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *value = object != NULL ? json_object_get_member (object, "Namespace") : NULL;

  if (value == NULL || JSON_NODE_HOLDS_NULL (value))
    return;
  name = json_to_string (value, FALSE);
  nn_design_warn (design, "WriterConfig: Namespace: %s has no effect: the network's function is in none, its kernels are in \"nnet\"", name);
}

static void
warn_layers (NnDesign   *design,
             const char *what,
             GHashTable *layers)
{
  g_autoptr (GPtrArray) names = nn_config_sorted (layers);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *where = g_strdup_printf ("%s %s", what, (char *) names->pdata[i]);

      warn_layer (design, where, g_hash_table_lookup (layers, names->pdata[i]));
    }
}

void
nn_design_warn_unheeded (NnDesign *design)
{
  const NnConfig *config = design->config;
  g_autoptr (GPtrArray) classes = nn_config_sorted (config->types);

  for (guint k = 0; k < G_N_ELEMENTS (of_projects); k++)
    {
      g_autofree char *value = nn_config_setting (config, of_projects[k].key);

      if (value != NULL && asks (&of_projects[k], value))
        nn_design_warn (design, "%s: %s has no effect: %s", of_projects[k].key, value, of_projects[k].instead);
    }
  warn_writer (design);
  warn_outside (design);
  warn_layer (design, "Model", config->model);
  warn_layers (design, "LayerType", config->types);
  warn_layers (design, "LayerName", config->layers);
  for (guint i = 0; i < classes->len; i++)
    if (!has_class (design->source, classes->pdata[i]) && !has_class (design->model, classes->pdata[i]))
      nn_design_warn (design, "LayerType %s has no effect: the network has no such layer", (char *) classes->pdata[i]);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a configuration: hls4ml's key words in JSON or YAML, in its full and in its reduced form. */

#include "nn-config-private.h"

#include "nn-error.h"
#include "nn-text.h"

#include <string.h>

/* Brackets nested deeper than this are no configuration; JSON is checked before it is parsed. */
#define MAX_DEPTH 32
/* Of the tables of a softmax, set apart. */
#define MAX_TABLE_SIZE (1 << 20)

/* What may stand at the top. Those not understood here are kept and written back. */
const char *const nn_config_top_keys[] = {
  "Backend", "Part", "XilinxPart", "FPGAPart", "Device", "Board", "ClockPeriod", "ClockUncertainty", "IOType", "HLSConfig",
  "ProjectName", "OutputDir", "Version", "InputData", "OutputPredictions", "WriterConfig", "Stamp", "Interface", "Driver",
  "KerasJson", "KerasH5", "KerasModel", "OnnxModel", "PytorchModel", "TensorFlowModel", "InputShape", "Platform", "AcceleratorConfig",
  "Technology", "ASICLibs", "FIFO", "UseOneAPI", "HyperoptHandshake",
  "Model", "LayerType", "LayerName", "Granularity", "Flows", "Optimizers", "SkipOptimizers", "ChannelsLastConversion", "Strategy", NULL,
};

const char *const nn_config_layer_keys[] = {
  "Precision", "ReuseFactor", "RecurrentReuseFactor", "Strategy", "TargetCycles", "ConvImplementation", "Compression",
  "ParallelizationFactor", "TableSize", "Implementation", "Skip", "Trace", "Static", "TimeStepLoopParallelism", "ExpTableSize",
  "InvTableSize", "PipelineStyle", "PipelineInterval", "BramFactor", "TraceOutput", "BitExact", "MaximumSize",
  "ChannelsLastConversion", "TransposeOutputs", "InputsChannelLast", "TableRangePower2", "UseHardActivation", "QuantizerRange",
  "Threshold", "Depth", "Factor", "Kernel", "Bias", "Accum", "Weight", "Result", NULL,
};

/* Keys are compared without case and underscores, so that `io_type` and `IOType`, `table_size` and `TableSize` are one. */
static gboolean
same_key (const char *a,
          const char *b)
{
  for (;; a++, b++)
    {
      while (*a == '_')
        a++;
      while (*b == '_')
        b++;
      if (g_ascii_tolower (*a) != g_ascii_tolower (*b))
        return FALSE;
      if (*a == '\0')
        return TRUE;
    }
}

static const char *
canonical (const char        *key,
           const char *const *keys)
{
  for (; *keys != NULL; keys++)
    if (same_key (key, *keys))
      return *keys;
  return NULL;
}

static gboolean
unknown (const char        *where,
         const char        *key,
         const char *const *keys,
         GError           **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: there is no setting \"%s\"; did you mean \"%s\"?", where, key,
               nn_text_nearest (key, keys));
  return FALSE;
}

static gboolean
bad_value (const char  *where,
           const char  *key,
           const char  *accepted,
           GError     **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: %s must be %s", where, key, accepted);
  return FALSE;
}

/* Any scalar as text; NULL for what is none. */
static char *
scalar_text (JsonNode *node)
{
  if (!JSON_NODE_HOLDS_VALUE (node))
    return NULL;
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      return g_strdup (json_node_get_string (node));
    case G_TYPE_BOOLEAN:
      return g_strdup (json_node_get_boolean (node) ? "true" : "false");
    case G_TYPE_INT64:
      return g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
    default:
      return nn_text_from_double (json_node_get_double (node));
    }
}

static gboolean
read_count (const char  *where,
            const char  *key,
            JsonNode    *node,
            guint       *count,
            GError     **error)
{
  g_autofree char *text = scalar_text (node);
  gint64 value;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (text == NULL || !nn_text_to_int (text, &value) || value < 0 || value > G_MAXINT)
    return bad_value (where, key, "a whole number, not negative", error);
  *count = value;
  return TRUE;
}

static gboolean
read_flag (const char  *where,
           const char  *key,
           JsonNode    *node,
           gint        *flag,
           GError     **error)
{
  g_autofree char *text = scalar_text (node);

  if (text != NULL && (g_ascii_strcasecmp (text, "true") == 0 || strcmp (text, "1") == 0))
    *flag = 1;
  else if (text != NULL && (g_ascii_strcasecmp (text, "false") == 0 || strcmp (text, "0") == 0))
    *flag = 0;
  else
    return bad_value (where, key, "true or false", error);
  return TRUE;
}

static gboolean
read_softmax (const char  *where,
              JsonNode    *node,
              NnSoftmax   *softmax,
              GError     **error)
{
  static const char *const names[] = { "", "stable", "latency", "legacy", "argmax", NULL };
  g_autofree char *text = scalar_text (node);

  for (guint i = 1; text != NULL && names[i] != NULL; i++)
    if (g_ascii_strcasecmp (text, names[i]) == 0)
      {
        *softmax = i;
        return TRUE;
      }
  return bad_value (where, "Implementation", "stable, latency, legacy or argmax", error);
}

static gboolean
read_type (const char    *where,
           const char    *variable,
           JsonNode      *node,
           NnLayerConfig *config,
           GError       **error)
{
  g_autofree char *text = scalar_text (node);
  NnType type;

  if (text == NULL)
    return bad_value (where, "Precision", "a number type, for example fixed<16,6>", error);
  if (!nn_type_parse (text, &type, error))
    {
      g_prefix_error (error, "%s: Precision of %s: ", where, variable);
      return FALSE;
    }
  g_hash_table_insert (config->precision, g_strdup (variable), g_memdup2 (&type, sizeof type));
  return TRUE;
}

static gboolean
read_precision (const char    *where,
                JsonNode      *node,
                NnLayerConfig *config,
                GError       **error)
{
  JsonObjectIter iter;
  const char *variable;
  JsonNode *value;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return read_type (where, "default", node, config, error);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &variable, &value))
    if (!JSON_NODE_HOLDS_NULL (value) && !read_type (where, variable, value, config, error))
      return FALSE;
  return TRUE;
}

/* `exp_table_t: fixed<18,8>` is the old way to say Precision: {exp_table: fixed<18,8>}. */
static gboolean
is_type_key (const char *key)
{
  return g_str_has_suffix (key, "_t") || g_str_has_suffix (key, "_T");
}

static gboolean
check_style (const char  *where,
             const char  *text,
             GError     **error)
{
  static const char *const styles[] = { "auto", "dataflow", "pipeline", NULL };

  for (const char *const *style = styles; text != NULL && *style != NULL; style++)
    if (g_ascii_strcasecmp (*style, text) == 0)
      return TRUE;
  return bad_value (where, "PipelineStyle", "auto, dataflow or pipeline", error);
}

static gboolean
check_interval (const char  *where,
                const char  *text,
                GError     **error)
{
  gint64 value;

  return (text != NULL && nn_text_to_int (text, &value) && value >= 1 && value <= G_MAXINT)
         || bad_value (where, "PipelineInterval", "a number of cycles above 0", error);
}

static gboolean
check_table (const char  *where,
             const char  *key,
             const char  *text,
             GError     **error)
{
  gint64 value;

  return (text != NULL && nn_text_to_int (text, &value) && value >= 2 && value <= MAX_TABLE_SIZE)
         || bad_value (where, key, "a number of entries from 2 to 1048576", error);
}

static gboolean
read_member (const char    *where,
             const char    *key,
             JsonNode      *node,
             NnLayerConfig *config,
             GError       **error)
{
  const char *name = canonical (key, nn_config_layer_keys);
  g_autofree char *text = NULL;

  if (name == NULL && is_type_key (key))
    {
      g_autofree char *variable = g_strndup (key, strlen (key) - 2);

      return read_type (where, variable, node, config, error);
    }
  if (name == NULL)
    return unknown (where, key, nn_config_layer_keys, error);
  if (strcmp (name, "Precision") == 0)
    return read_precision (where, node, config, error);
  if (strcmp (name, "ReuseFactor") == 0)
    return read_count (where, name, node, &config->reuse_factor, error);
  if (strcmp (name, "RecurrentReuseFactor") == 0)
    return read_count (where, name, node, &config->recurrent_reuse_factor, error);
  if (strcmp (name, "ParallelizationFactor") == 0)
    return read_count (where, name, node, &config->parallelization_factor, error);
  if (strcmp (name, "TableSize") == 0)
    return read_count (where, name, node, &config->table_size, error);
  if (strcmp (name, "TargetCycles") == 0)
    return read_count (where, name, node, &config->target_cycles, error);
  if (strcmp (name, "Implementation") == 0)
    return read_softmax (where, node, &config->softmax, error);
  if (strcmp (name, "Trace") == 0)
    return read_flag (where, name, node, &config->trace, error);
  if (strcmp (name, "Skip") == 0)
    return read_flag (where, name, node, &config->skip, error);
  text = scalar_text (node);
  if (strcmp (name, "PipelineStyle") == 0 && !check_style (where, text, error))
    return FALSE;
  if (strcmp (name, "PipelineInterval") == 0 && !check_interval (where, text, error))
    return FALSE;
  if ((strcmp (name, "ExpTableSize") == 0 || strcmp (name, "InvTableSize") == 0) && !check_table (where, name, text, error))
    return FALSE;
  if (strcmp (name, "Strategy") == 0)
    {
      if (text != NULL && nn_strategy_find (text, &config->strategy, error))
        return TRUE;
      if (text == NULL)
        return bad_value (where, name, "a word", error);
      g_prefix_error (error, "%s: ", where);
      return FALSE;
    }
  if (text == NULL)
    text = json_to_string (node, FALSE);
  g_hash_table_insert (config->extra, g_strdup (name), g_steal_pointer (&text));
  return TRUE;
}

static gboolean
read_layer (const char    *where,
            JsonNode      *node,
            NnLayerConfig *config,
            GError       **error)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return bad_value (where, "a layer's settings", "a mapping", error);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &value))
    if (!read_member (where, key, value, config, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_layers (const char    *what,
             JsonNode      *node,
             NnConfig      *config,
             NnLayerConfig *(*get) (NnConfig *config, const char *name),
             GError       **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return bad_value (what, "its value", "a mapping from names to settings", error);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      g_autofree char *where = g_strdup_printf ("%s %s", what, name);

      if (!read_layer (where, value, get (config, name), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_words (const char        *key,
            JsonNode          *node,
            const char *const *names,
            guint             *index,
            GError           **error)
{
  g_autofree char *text = scalar_text (node);
  g_autofree char *all = g_strjoinv (", ", (char **) names);

  for (guint i = 0; text != NULL && names[i] != NULL; i++)
    if (g_ascii_strcasecmp (text, names[i]) == 0)
      {
        *index = i;
        return TRUE;
      }
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: \"%s\" is not one of %s; did you mean \"%s\"?", key,
               text != NULL ? text : "", all, nn_text_nearest (text != NULL ? text : "", names));
  return FALSE;
}

/* A fraction, or hls4ml's "27%". */
static gboolean
read_uncertainty (JsonNode  *node,
                  NnConfig  *config,
                  GError   **error)
{
  g_autofree char *text = scalar_text (node);
  gsize n = text != NULL ? strlen (text) : 0;
  gboolean percent = n > 0 && text[n - 1] == '%';

  if (percent)
    text[n - 1] = '\0';
  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (text == NULL || !nn_text_to_double (text, &config->uncertainty) || !(config->uncertainty >= 0))
    return bad_value ("ClockUncertainty", "it", "a percentage (27%) or nanoseconds", error);
  config->uncertainty = percent ? config->uncertainty / 100 : config->uncertainty / config->clock_ns;
  if (config->uncertainty < 1)
    return TRUE;
  return bad_value ("ClockUncertainty", "it", "less than the clock's period", error);
}

static gboolean
read_clock (JsonNode  *node,
            NnConfig  *config,
            GError   **error)
{
  g_autofree char *text = scalar_text (node);

  if (text != NULL && nn_text_to_double (text, &config->clock_ns) && config->clock_ns > 0 && config->clock_ns < 1e6)
    return TRUE;
  return bad_value ("ClockPeriod", "it", "a number of nanoseconds above 0", error);
}

static gboolean
read_hls_config (JsonNode  *node,
                 NnConfig  *config,
                 GError   **error);

static gboolean
read_top (const char  *key,
          JsonNode    *node,
          NnConfig    *config,
          GError     **error);

/* hls4ml's backends for whole accelerators are its plain ones with an AXI wrapper. */
static gboolean
read_accelerator (JsonNode *node,
                  NnConfig *config)
{
  static const struct { const char *name; NnBackend backend; } accelerators[] = {
    { "VivadoAccelerator", NN_BACKEND_VIVADO }, { "VitisAccelerator", NN_BACKEND_VITIS }, { "VitisUnified", NN_BACKEND_VITIS },
  };
  const char *text = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;

  for (guint k = 0; text != NULL && k < G_N_ELEMENTS (accelerators); k++)
    if (g_ascii_strcasecmp (text, accelerators[k].name) == 0)
      {
        config->backend = accelerators[k].backend;
        if (!g_hash_table_contains (config->project_extra, "Interface"))
          g_hash_table_insert (config->project_extra, g_strdup ("Interface"), g_strdup ("\"axi_stream\""));
        return TRUE;
      }
  return FALSE;
}

/* A board stands for its part where none is named. Source: hls4ml, supported_boards.json; AMD's board files for the last. */
static void
read_board (const char *text,
            JsonNode   *node,
            NnConfig   *config)
{
  static const char *const boards[][2] = {
    { "pynq-z2", "xc7z020clg400-1" },           { "pynq-z1", "xc7z020clg400-1" },
    { "zcu102", "xczu9eg-ffvb1156-2-e" },       { "kv260", "xck26-sfvc784-2LV-c" },
    { "alveo-u50", "xcu50-fsvh2104-2-e" },      { "alveo-u200", "xcu200-fsgd2104-2-e" },
    { "alveo-u250", "xcu250-figd2104-2L-e" },   { "alveo-u280", "xcu280-fsvh2892-2L-e" },
  };

  for (guint k = 0; text != NULL && config->part == NULL && k < G_N_ELEMENTS (boards); k++)
    if (g_ascii_strcasecmp (text, boards[k][0]) == 0)
      nn_config_set_part (config, boards[k][1]);
  g_hash_table_insert (config->project_extra, g_strdup ("Board"), json_to_string (node, FALSE));
}

/* Its board, interface and platform mean what they mean at the top; the rest is kept and written back. */
static gboolean
read_accelerator_config (JsonNode  *node,
                         NnConfig  *config,
                         GError   **error)
{
  static const char *const keys[] = { "Board", "Interface", "Driver", "Platform" };
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  g_hash_table_insert (config->project_extra, g_strdup ("AcceleratorConfig"), json_to_string (node, FALSE));
  for (guint k = 0; object != NULL && k < G_N_ELEMENTS (keys); k++)
    if (json_object_has_member (object, keys[k]) && !read_top (keys[k], json_object_get_member (object, keys[k]), config, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_top (const char  *key,
          JsonNode    *node,
          NnConfig    *config,
          GError     **error)
{
  static const char *const io_types[] = { "io_parallel", "io_stream", NULL };
  static const char *const granularities[] = { "model", "type", "name", NULL };
  static const char *const backend_names[] = { "Vitis", "Vivado", "oneAPI", "Quartus", "Catapult", NULL };
  const char *name = canonical (key, nn_config_top_keys);
  g_autofree char *text = scalar_text (node);
  guint index;

  if (name == NULL)
    return unknown ("configuration", key, nn_config_top_keys, error);
  if (strcmp (name, "Backend") == 0)
    {
      if (read_accelerator (node, config))
        return TRUE;
      if (!read_words (name, node, backend_names, &index, error))
        return FALSE;
      config->backend = index;
    }
  else if (strcmp (name, "IOType") == 0)
    {
      if (!read_words (name, node, io_types, &index, error))
        return FALSE;
      config->io_type = index;
    }
  else if (strcmp (name, "Granularity") == 0)
    {
      if (!read_words (name, node, granularities, &index, error))
        return FALSE;
      config->granularity = index;
    }
  else if (strcmp (name, "Part") == 0 || strcmp (name, "XilinxPart") == 0 || strcmp (name, "FPGAPart") == 0 ||
           strcmp (name, "Device") == 0)
    nn_config_set_part (config, text);
  else if (strcmp (name, "ProjectName") == 0)
    nn_config_set_project (config, text);
  else if (strcmp (name, "ClockPeriod") == 0)
    return read_clock (node, config, error);
  else if (strcmp (name, "ClockUncertainty") == 0)
    return read_uncertainty (node, config, error);
  else if (strcmp (name, "HLSConfig") == 0)
    return read_hls_config (node, config, error);
  else if (strcmp (name, "AcceleratorConfig") == 0)
    return read_accelerator_config (node, config, error);
  else if (strcmp (name, "Board") == 0)
    read_board (text, node, config);
  else if (strcmp (name, "Model") == 0)
    {
      if (!read_layer ("Model", node, config->model, error))
        return FALSE;
      /* 0 tells none, which is left to the network by a layer, and by the network is one */
      config->model->reuse_factor = MAX (config->model->reuse_factor, 1);
    }
  else if (strcmp (name, "LayerType") == 0)
    return read_layers ("LayerType", node, config, nn_config_type, error);
  else if (strcmp (name, "LayerName") == 0)
    return read_layers ("LayerName", node, config, nn_config_layer, error);
  else
    g_hash_table_insert (config->project_extra, g_strdup (name), json_to_string (node, FALSE));
  return TRUE;
}

static gboolean
read_hls_config (JsonNode  *node,
                 NnConfig  *config,
                 GError   **error)
{
  static const char *const keys[] = { "Model", "LayerType", "LayerName", "Flows", "Optimizers", "SkipOptimizers", NULL };
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return bad_value ("HLSConfig", "it", "a mapping", error);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      const char *name = canonical (key, keys);

      if (name == NULL)
        return unknown ("HLSConfig", key, keys, error);
      if (!read_top (name, value, config, error))
        return FALSE;
    }
  return TRUE;
}

/* Members in the order of the table above, so that the clock is known before its uncertainty. */
static gboolean
read_root (JsonObject  *root,
           NnConfig    *config,
           GError     **error)
{
  g_autoptr (GList) keys = json_object_get_members (root);

  for (GList *l = keys; l != NULL; l = l->next)
    if (canonical (l->data, nn_config_top_keys) == NULL)
      return unknown ("configuration", l->data, nn_config_top_keys, error);
  for (const char *const *name = nn_config_top_keys; *name != NULL; name++)
    for (GList *l = keys; l != NULL; l = l->next)
      if (same_key (l->data, *name) && !read_top (*name, json_object_get_member (root, l->data), config, error))
        return FALSE;
  return TRUE;
}

static gboolean
too_deep (const char *text)
{
  guint depth = 0;
  gboolean quoted = FALSE;

  for (; *text != '\0'; text++)
    if (*text == '\\' && quoted && text[1] != '\0')
      text++;
    else if (*text == '"')
      quoted = !quoted;
    else if (!quoted && (*text == '{' || *text == '['))
      depth++;
    else if (!quoted && (*text == '}' || *text == ']') && depth > 0)
      depth--;
    else if (depth > MAX_DEPTH)
      return TRUE;
  return depth > MAX_DEPTH;
}

static JsonNode *
parse_json (const char  *text,
            GError     **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();

  if (too_deep (text))
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "nested too deeply");
      return NULL;
    }
  if (json_parser_load_from_data (parser, text, -1, error))
    return json_parser_steal_root (parser);
  return NULL;
}

/**
 * nn_config_parse:
 * @text: JSON when it begins with a brace, YAML otherwise
 *
 * Errors: %NN_ERROR_FORMAT for an unknown key or a misspelt value, with the nearest valid word
 *
 * Returns: (transfer full): the configuration
 */
NnConfig *
nn_config_parse (const char  *text,
                 GError     **error)
{
  g_autoptr (NnConfig) config = nn_config_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) own = NULL;
  const char *start = text;

  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "a configuration is text in UTF-8");
      return NULL;
    }
  while (g_ascii_isspace (*start))
    start++;
  root = *start == '{' ? parse_json (text, &own) : nn_yaml_parse (text, &own);
  if (root == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "neither JSON nor YAML: %s", own->message);
      return NULL;
    }
  if (!JSON_NODE_HOLDS_OBJECT (root))
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "a configuration is a mapping of settings");
      return NULL;
    }
  if (!read_root (json_node_get_object (root), config, error))
    return NULL;
  return g_steal_pointer (&config);
}

NnConfig *
nn_config_load (const char  *path,
                GError     **error)
{
  g_autofree char *text = NULL;
  NnConfig *config;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  config = nn_config_parse (text, error);
  if (config == NULL)
    g_prefix_error (error, "%s: ", path);
  return config;
}

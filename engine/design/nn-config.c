/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's settings for hardware: the value and its look-ups. */

#include "nn-config.h"

#include "nn-config-private.h"

#include "nn-error.h"
#include "nn-text.h"

#include <string.h>

/* hls4ml's own defaults, so that a file that leaves them out means the same here. */
#define DEFAULT_CLOCK_NS 5.0
#define DEFAULT_PROJECT "myproject"
/* hls4ml's key of the passes that are left out. */
#define SKIPPED "SkipOptimizers"

static const struct {
  const char *name;
  const char *part;
  double      uncertainty;
} backends[NN_N_BACKENDS] = {
  [NN_BACKEND_VITIS] = { "Vitis", "xcvu13p-flga2577-2-e", 0.27 },
  [NN_BACKEND_VIVADO] = { "Vivado", "xcvu13p-flga2577-2-e", 0.125 },
  [NN_BACKEND_ONEAPI] = { "oneAPI", "Agilex7", 0 },
  [NN_BACKEND_QUARTUS] = { "Quartus", "Arria10", 0 },
  [NN_BACKEND_CATAPULT] = { "Catapult", "xcku115-flvb2104-2-i", 0 },
};

static const char *const strategy_names[] = {
  [NN_STRATEGY_UNSET] = "",
  [NN_STRATEGY_LATENCY] = "Latency",
  [NN_STRATEGY_RESOURCE] = "Resource",
  [NN_STRATEGY_RESOURCE_UNROLLED] = "ResourceUnrolled",
  [NN_STRATEGY_DISTRIBUTED_ARITHMETIC] = "DistributedArithmetic",
  [NN_STRATEGY_COMPRESSED] = "Compressed",
};

G_DEFINE_BOXED_TYPE (NnConfig, nn_config, nn_config_ref, nn_config_unref)

NnLayerConfig *
nn_layer_config_new (void)
{
  NnLayerConfig *config = g_new0 (NnLayerConfig, 1);

  config->precision = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  config->extra = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  config->trace = -1;
  config->skip = -1;
  return config;
}

void
nn_layer_config_free (NnLayerConfig *config)
{
  g_hash_table_unref (config->precision);
  g_hash_table_unref (config->extra);
  g_free (config);
}

static NnLayerConfig *
layer_config_copy (const NnLayerConfig *config)
{
  NnLayerConfig *copy = nn_layer_config_new ();
  GHashTable *precision = copy->precision, *extra = copy->extra;
  GHashTableIter iter;
  gpointer key, value;

  *copy = *config;
  copy->precision = precision;
  copy->extra = extra;
  g_hash_table_iter_init (&iter, config->precision);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (precision, g_strdup (key), g_memdup2 (value, sizeof (NnType)));
  g_hash_table_iter_init (&iter, config->extra);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (extra, g_strdup (key), g_strdup (value));
  return copy;
}

static GHashTable *
layer_table_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) nn_layer_config_free);
}

/**
 * nn_config_new:
 *
 * Returns: (transfer full): fixed<16,6>, reuse factor 1, Latency, io_parallel, Vitis at 5 ns
 */
NnConfig *
nn_config_new (void)
{
  static const NnType fixed_16_6 = NN_FIXED (16, 6);
  NnConfig *config = g_new0 (NnConfig, 1);

  g_atomic_ref_count_init (&config->ref_count);
  config->clock_ns = DEFAULT_CLOCK_NS;
  config->uncertainty = -1;
  config->model = nn_layer_config_new ();
  config->model->reuse_factor = 1;
  config->model->strategy = NN_STRATEGY_LATENCY;
  g_hash_table_insert (config->model->precision, g_strdup ("default"), g_memdup2 (&fixed_16_6, sizeof (NnType)));
  config->types = layer_table_new ();
  config->layers = layer_table_new ();
  config->project_extra = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return config;
}

NnConfig *
nn_config_ref (NnConfig *config)
{
  g_atomic_ref_count_inc (&config->ref_count);
  return config;
}

void
nn_config_unref (NnConfig *config)
{
  if (config == NULL || !g_atomic_ref_count_dec (&config->ref_count))
    return;
  nn_layer_config_free (config->model);
  g_hash_table_unref (config->types);
  g_hash_table_unref (config->layers);
  g_hash_table_unref (config->project_extra);
  g_free (config->part);
  g_free (config->project);
  g_free (config);
}

static void
copy_layers (GHashTable *to,
             GHashTable *from)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (to, g_strdup (key), layer_config_copy (value));
}

NnConfig *
nn_config_copy (const NnConfig *config)
{
  NnConfig *copy = nn_config_new ();
  GHashTableIter iter;
  gpointer key, value;

  copy->backend = config->backend;
  copy->io_type = config->io_type;
  copy->granularity = config->granularity;
  copy->clock_ns = config->clock_ns;
  copy->uncertainty = config->uncertainty;
  copy->part = g_strdup (config->part);
  copy->project = g_strdup (config->project);
  nn_layer_config_free (copy->model);
  copy->model = layer_config_copy (config->model);
  copy_layers (copy->types, config->types);
  copy_layers (copy->layers, config->layers);
  g_hash_table_iter_init (&iter, config->project_extra);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (copy->project_extra, g_strdup (key), g_strdup (value));
  return copy;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
nn_config_sorted (GHashTable *table)
{
  GPtrArray *keys = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (keys, key);
  g_ptr_array_sort (keys, compare_names);
  return keys;
}

static gboolean
is_known_layer (const NnGraph *graph,
                const char    *name)
{
  if (nn_graph_find (graph, name, NULL))
    return TRUE;
  /* passes name what they split off after the layer it came from: fc1_relu, zp1d_conv_1, bn_Add_0, input_quantizer */
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const char *layer = nn_graph_node (graph, i)->name;
      const char *at = strstr (name, layer);

      if (at != NULL && (at == name || at[-1] == '_') && (at[strlen (layer)] == '\0' || at[strlen (layer)] == '_'))
        return TRUE;
    }
  return FALSE;
}

/**
 * nn_config_check:
 *
 * Errors: %NN_ERROR_FORMAT for a layer or class that the network does not have
 */
gboolean
nn_config_check (const NnConfig  *config,
                 const NnModel   *model,
                 GError         **error)
{
  const NnGraph *graph = nn_model_graph (model);
  g_autoptr (GPtrArray) names = nn_config_sorted (config->layers);
  g_autoptr (GPtrArray) known = g_ptr_array_new ();

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    g_ptr_array_add (known, (gpointer) nn_graph_node (graph, i)->name);
  g_ptr_array_add (known, NULL);
  for (guint i = 0; i < names->len; i++)
    if (!is_known_layer (graph, names->pdata[i]))
      {
        g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                     "LayerName: the network has no layer \"%s\"; did you mean \"%s\"?", (char *) names->pdata[i],
                     nn_text_nearest (names->pdata[i], (const char *const *) known->pdata));
        return FALSE;
      }
  return TRUE;
}

NnBackend
nn_config_backend (const NnConfig *config)
{
  return config->backend;
}

NnIoType
nn_config_io_type (const NnConfig *config)
{
  return config->io_type;
}

NnGranularity
nn_config_granularity (const NnConfig *config)
{
  return config->granularity;
}

const char *
nn_config_part (const NnConfig *config)
{
  return config->part != NULL ? config->part : backends[config->backend].part;
}

double
nn_config_clock_ns (const NnConfig *config)
{
  return config->clock_ns;
}

double
nn_config_uncertainty (const NnConfig *config)
{
  return config->uncertainty >= 0 ? config->uncertainty : backends[config->backend].uncertainty;
}

const char *
nn_config_project (const NnConfig *config)
{
  return config->project != NULL ? config->project : DEFAULT_PROJECT;
}

void
nn_config_set_backend (NnConfig  *config,
                       NnBackend  backend)
{
  g_return_if_fail (backend < NN_N_BACKENDS);
  config->backend = backend;
}

void
nn_config_set_io_type (NnConfig *config,
                       NnIoType  io_type)
{
  config->io_type = io_type;
}

void
nn_config_set_granularity (NnConfig      *config,
                           NnGranularity  granularity)
{
  config->granularity = granularity;
}

void
nn_config_set_part (NnConfig   *config,
                    const char *part)
{
  g_free (config->part);
  config->part = g_strdup (part);
}

void
nn_config_set_clock_ns (NnConfig *config,
                        double    ns)
{
  g_return_if_fail (ns > 0);
  config->clock_ns = ns;
}

void
nn_config_set_uncertainty (NnConfig *config,
                           double    fraction)
{
  config->uncertainty = fraction;
}

void
nn_config_set_project (NnConfig   *config,
                       const char *name)
{
  g_free (config->project);
  config->project = g_strdup (name);
}

/**
 * nn_config_set_setting:
 * @key: as nn_config_setting() takes it
 * @value: (nullable): a word; %NULL leaves the key away
 */
void
nn_config_set_setting (NnConfig   *config,
                       const char *key,
                       const char *value)
{
  g_autoptr (JsonNode) node = NULL;

  if (value == NULL)
    {
      g_hash_table_remove (config->project_extra, key);
      return;
    }
  node = json_node_init_string (json_node_alloc (), value);
  g_hash_table_insert (config->project_extra, g_strdup (key), json_to_string (node, FALSE));
}

/**
 * nn_config_set_extra:
 * @key: as nn_config_extra() takes it
 * @value: (nullable): its text; %NULL leaves the key away
 */
void
nn_config_set_extra (NnConfig   *config,
                     const char *key,
                     const char *value)
{
  if (value != NULL)
    g_hash_table_insert (config->model->extra, g_strdup (key), g_strdup (value));
  else
    g_hash_table_remove (config->model->extra, key);
}

NnLayerConfig *
nn_config_model (const NnConfig *config)
{
  return config->model;
}

static NnLayerConfig *
ensure (GHashTable *table,
        const char *name)
{
  NnLayerConfig *layer = g_hash_table_lookup (table, name);

  if (layer == NULL)
    {
      layer = nn_layer_config_new ();
      g_hash_table_insert (table, g_strdup (name), layer);
    }
  return layer;
}

NnLayerConfig *
nn_config_type (NnConfig   *config,
                const char *class_name)
{
  return ensure (config->types, class_name);
}

NnLayerConfig *
nn_config_layer (NnConfig   *config,
                 const char *layer)
{
  return ensure (config->layers, layer);
}

/* The levels at which something may be set, most specific first; NULL where there are no settings. */
static void
levels (const NnConfig      *config,
        const char          *layer,
        const char          *class_name,
        const NnLayerConfig *found[3])
{
  found[0] = layer != NULL ? g_hash_table_lookup (config->layers, layer) : NULL;
  found[1] = class_name != NULL ? g_hash_table_lookup (config->types, class_name) : NULL;
  found[2] = config->model;
}

/**
 * nn_config_has_precision:
 * @type: (out): what was set for @variable itself or for all variables, at the layer, its class, or for @variable at the model
 *
 * Returns: whether something more specific than the model's default was set
 */
gboolean
nn_config_has_precision (const NnConfig *config,
                         const char     *layer,
                         const char     *class_name,
                         const char     *variable,
                         NnType         *type)
{
  const NnLayerConfig *level[3];

  levels (config, layer, class_name, level);
  for (guint i = 0; i < G_N_ELEMENTS (level); i++)
    {
      const NnType *set = NULL;

      if (level[i] == NULL)
        continue;
      set = g_hash_table_lookup (level[i]->precision, variable);
      if (set == NULL && i < 2)
        set = g_hash_table_lookup (level[i]->precision, "default");
      if (set != NULL)
        {
          *type = *set;
          return TRUE;
        }
    }
  return FALSE;
}

/**
 * nn_config_precision:
 * @variable: `weight`, `bias`, `result`, `accum`, `table`, ...
 *
 * Returns: the type set; %NN_TYPE_AUTO where nothing is set and precisions are given by name, else the model's default
 */
NnType
nn_config_precision (const NnConfig *config,
                     const char     *layer,
                     const char     *class_name,
                     const char     *variable)
{
  const NnType *standard;
  NnType type;

  if (nn_config_has_precision (config, layer, class_name, variable, &type))
    return type;
  standard = g_hash_table_lookup (config->model->precision, "default");
  if (standard == NULL || (config->granularity == NN_GRANULARITY_NAME && g_strcmp0 (variable, "default") != 0))
    return (NnType){ .kind = NN_TYPE_AUTO };
  return *standard;
}

guint
nn_config_reuse (const NnConfig *config,
                 const char     *layer,
                 const char     *class_name)
{
  const NnLayerConfig *level[3];

  levels (config, layer, class_name, level);
  for (guint i = 0; i < G_N_ELEMENTS (level); i++)
    if (level[i] != NULL && level[i]->reuse_factor > 0)
      return level[i]->reuse_factor;
  return 1;
}

/* hls4ml's flag "Compression" makes Resource store what is left of a sparse matrix with its places. */
static gboolean
is_compressed (const NnConfig *config,
               const char     *layer,
               const char     *class_name)
{
  const char *flag = nn_config_extra (config, layer, class_name, "Compression");

  return flag != NULL && (g_ascii_strcasecmp (flag, "true") == 0 || g_str_equal (flag, "1"));
}

NnStrategy
nn_config_strategy (const NnConfig *config,
                    const char     *layer,
                    const char     *class_name)
{
  const NnLayerConfig *level[3];

  levels (config, layer, class_name, level);
  for (guint i = 0; i < G_N_ELEMENTS (level); i++)
    if (level[i] != NULL && level[i]->strategy == NN_STRATEGY_RESOURCE)
      return is_compressed (config, layer, class_name) ? NN_STRATEGY_COMPRESSED : NN_STRATEGY_RESOURCE;
    else if (level[i] != NULL && level[i]->strategy != NN_STRATEGY_UNSET)
      return level[i]->strategy;
  return NN_STRATEGY_LATENCY;
}

/**
 * nn_config_extra:
 * @key: as in the file: "TableSize", "ParallelizationFactor", "PipelineStyle", ...
 *
 * Returns: (nullable): its value as text
 */
const char *
nn_config_extra (const NnConfig *config,
                 const char     *layer,
                 const char     *class_name,
                 const char     *key)
{
  const NnLayerConfig *level[3];

  levels (config, layer, class_name, level);
  for (guint i = 0; i < G_N_ELEMENTS (level); i++)
    {
      const char *value = level[i] != NULL ? g_hash_table_lookup (level[i]->extra, key) : NULL;

      if (value != NULL)
        return value;
    }
  return NULL;
}

/**
 * nn_config_setting:
 * @key: a key of the top level that has no getter of its own: "Interface", "Driver", "Technology", ...
 *
 * Returns: (transfer full) (nullable): its value as text, a string without its quotes
 */
char *
nn_config_setting (const NnConfig *config,
                   const char     *key)
{
  const char *text = g_hash_table_lookup (config->project_extra, key);
  gsize n = text != NULL ? strlen (text) : 0;

  if (n >= 2 && text[0] == '"')
    return g_strndup (text + 1, n - 2);
  return g_strdup (text);
}

/**
 * nn_config_skipped_passes:
 *
 * Returns: (transfer full) (array zero-terminated=1): the names under `SkipOptimizers`, a list or one word
 */
char **
nn_config_skipped_passes (const NnConfig *config)
{
  const char *text = g_hash_table_lookup (config->project_extra, SKIPPED);
  g_autoptr (JsonNode) node = text != NULL ? json_from_string (text, NULL) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node))
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      {
        JsonNode *word = json_array_get_element (json_node_get_array (node), i);

        if (json_node_get_value_type (word) == G_TYPE_STRING)
          g_ptr_array_add (names, json_node_dup_string (word));
      }
  else if (node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    g_ptr_array_add (names, json_node_dup_string (node));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_steal (names, NULL);
}

/**
 * nn_config_skip_passes:
 * @names: (array zero-terminated=1): all that are left out; none to leave out nothing
 */
void
nn_config_skip_passes (NnConfig          *config,
                       const char *const *names)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  for (; *names != NULL; names++)
    json_array_add_string_element (array, *names);
  json_node_take_array (node, array);
  if (json_array_get_length (array) > 0)
    g_hash_table_insert (config->project_extra, g_strdup (SKIPPED), json_to_string (node, FALSE));
  else
    g_hash_table_remove (config->project_extra, SKIPPED);
}

const char *
nn_backend_name (NnBackend backend)
{
  g_return_val_if_fail (backend < NN_N_BACKENDS, "Vitis");
  return backends[backend].name;
}

gboolean
nn_backend_find (const char *name,
                 NnBackend  *backend)
{
  for (guint i = 0; i < NN_N_BACKENDS; i++)
    if (g_ascii_strcasecmp (backends[i].name, name) == 0)
      {
        *backend = i;
        return TRUE;
      }
  return FALSE;
}

const char *
nn_strategy_name (NnStrategy strategy)
{
  g_return_val_if_fail (strategy < G_N_ELEMENTS (strategy_names), "");
  return strategy_names[strategy];
}

/* hls4ml's spellings: Latency, Resource, Resource_unrolled, distributed_arithmetic, da, ...; and its documentation's. */
gboolean
nn_strategy_find (const char  *name,
                  NnStrategy  *strategy,
                  GError     **error)
{
  static const struct { const char *name; NnStrategy strategy; } others[] = {
    { "Unrolled", NN_STRATEGY_RESOURCE_UNROLLED }, { "da", NN_STRATEGY_DISTRIBUTED_ARITHMETIC },
  };
  g_auto (GStrv) words = g_strsplit (name, "_", -1);
  g_autofree char *joined = g_strjoinv ("", words);

  for (guint i = 1; i < G_N_ELEMENTS (strategy_names); i++)
    if (g_ascii_strcasecmp (strategy_names[i], joined) == 0)
      {
        *strategy = i;
        return TRUE;
      }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (g_ascii_strcasecmp (others[i].name, joined) == 0)
      {
        *strategy = others[i].strategy;
        return TRUE;
      }
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
               "there is no strategy \"%s\"; Latency, Resource, ResourceUnrolled, DistributedArithmetic and Compressed are", name);
  return FALSE;
}

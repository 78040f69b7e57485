/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a configuration, in hls4ml's full form. */

#include "nn-config-private.h"

#include "nn-text.h"

static const char *const io_types[] = { "io_parallel", "io_stream" };
static const char *const granularities[] = { "model", "type", "name" };
static const char *const softmaxes[] = { "", "stable", "latency", "legacy", "argmax" };

static void
add_count (JsonObject *object,
           const char *key,
           guint       value)
{
  if (value > 0)
    json_object_set_int_member (object, key, value);
}

static char *
type_text (const NnType *type)
{
  return nn_type_to_string (type);
}

static void
add_precision (JsonObject          *object,
               const NnLayerConfig *config)
{
  g_autoptr (GPtrArray) variables = nn_config_sorted (config->precision);
  JsonObject *types;

  if (variables->len == 0)
    return;
  if (variables->len == 1 && g_str_equal (variables->pdata[0], "default"))
    {
      g_autofree char *text = type_text (g_hash_table_lookup (config->precision, "default"));

      json_object_set_string_member (object, "Precision", text);
      return;
    }
  types = json_object_new ();
  for (guint i = 0; i < variables->len; i++)
    {
      g_autofree char *text = type_text (g_hash_table_lookup (config->precision, variables->pdata[i]));

      json_object_set_string_member (types, variables->pdata[i], text);
    }
  json_object_set_object_member (object, "Precision", types);
}

/* What came as a number or a flag goes out as one. */
static JsonNode *
extra_node (const char *text)
{
  gint64 integer;
  double real;
  JsonNode *node;

  if (g_str_equal (text, "true") || g_str_equal (text, "false"))
    return json_node_init_boolean (json_node_alloc (), g_str_equal (text, "true"));
  if (nn_text_to_int (text, &integer))
    return json_node_init_int (json_node_alloc (), integer);
  if (nn_text_to_double (text, &real) && real - real == 0)
    return json_node_init_double (json_node_alloc (), real);
  if ((*text == '{' || *text == '[') && (node = json_from_string (text, NULL)) != NULL)
    return node;
  return json_node_init_string (json_node_alloc (), text);
}

static JsonObject *
layer_tree (const NnLayerConfig *config)
{
  JsonObject *object = json_object_new ();
  g_autoptr (GPtrArray) extras = nn_config_sorted (config->extra);

  add_precision (object, config);
  add_count (object, "ReuseFactor", config->reuse_factor);
  add_count (object, "RecurrentReuseFactor", config->recurrent_reuse_factor);
  if (config->strategy != NN_STRATEGY_UNSET)
    json_object_set_string_member (object, "Strategy", nn_strategy_name (config->strategy));
  add_count (object, "ParallelizationFactor", config->parallelization_factor);
  add_count (object, "TableSize", config->table_size);
  add_count (object, "TargetCycles", config->target_cycles);
  if (config->softmax != NN_SOFTMAX_UNSET)
    json_object_set_string_member (object, "Implementation", softmaxes[config->softmax]);
  if (config->trace >= 0)
    json_object_set_boolean_member (object, "Trace", config->trace);
  if (config->skip >= 0)
    json_object_set_boolean_member (object, "Skip", config->skip);
  for (guint i = 0; i < extras->len; i++)
    json_object_set_member (object, extras->pdata[i], extra_node (g_hash_table_lookup (config->extra, extras->pdata[i])));
  return object;
}

static void
add_layers (JsonObject *object,
            const char *key,
            GHashTable *layers)
{
  g_autoptr (GPtrArray) names = nn_config_sorted (layers);
  JsonObject *all;

  if (names->len == 0)
    return;
  all = json_object_new ();
  for (guint i = 0; i < names->len; i++)
    json_object_set_object_member (all, names->pdata[i], layer_tree (g_hash_table_lookup (layers, names->pdata[i])));
  json_object_set_object_member (object, key, all);
}

JsonNode *
nn_config_tree (const NnConfig *config)
{
  JsonObject *root = json_object_new (), *hls = json_object_new ();
  g_autoptr (GPtrArray) extras = nn_config_sorted (config->project_extra);
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_object_set_string_member (root, "Backend", nn_backend_name (config->backend));
  json_object_set_string_member (root, "Part", nn_config_part (config));
  json_object_set_double_member (root, "ClockPeriod", config->clock_ns);
  if (config->uncertainty >= 0)
    {
      /* a percentage of at most nine digits, so that 0.27 comes back as 27 and not as 27.000000000000004 */
      g_autofree char *number = nn_text_from_double (((gint64) (config->uncertainty * 1e9 + 0.5)) / 1e7);
      g_autofree char *percent = g_strconcat (number, "%", NULL);

      json_object_set_string_member (root, "ClockUncertainty", percent);
    }
  json_object_set_string_member (root, "IOType", io_types[config->io_type]);
  if (config->project != NULL)
    json_object_set_string_member (root, "ProjectName", config->project);
  json_object_set_string_member (root, "Granularity", granularities[config->granularity]);
  for (guint i = 0; i < extras->len; i++)
    {
      JsonNode *extra = json_from_string (g_hash_table_lookup (config->project_extra, extras->pdata[i]), NULL);

      if (extra != NULL)
        json_object_set_member (root, extras->pdata[i], extra);
    }
  json_object_set_object_member (hls, "Model", layer_tree (config->model));
  add_layers (hls, "LayerType", config->types);
  add_layers (hls, "LayerName", config->layers);
  json_object_set_object_member (root, "HLSConfig", hls);
  json_node_take_object (node, root);
  return node;
}

/**
 * nn_config_to_json:
 *
 * Returns: (transfer full): text that nn_config_parse() reads back to the same settings; keys in a fixed order
 */
char *
nn_config_to_json (const NnConfig *config)
{
  g_autoptr (JsonNode) root = nn_config_tree (config);
  g_autofree char *text = json_to_string (root, TRUE);

  return g_strconcat (text, "\n", NULL);
}

char *
nn_config_to_yaml (const NnConfig *config)
{
  g_autoptr (JsonNode) root = nn_config_tree (config);

  return nn_yaml_generate (root);
}

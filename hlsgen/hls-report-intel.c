/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in the JSON of Intel's HLS compiler and of oneAPI: tables of estimates, blocks and loops, what Quartus fitted. */

#include "hls-report-json-private.h"

/* @offset: columns that name the row, which @data leaves out. */
static void
amounts_of_row (JsonArray   *data,
                JsonArray   *columns,
                guint        offset,
                NnResources *amounts)
{
  guint n_columns = json_array_get_length (columns);
  NnResource resource;

  for (guint i = 0; i < json_array_get_length (data) && i + offset < n_columns; i++)
    {
      JsonNode *title = json_array_get_element (columns, i + offset);

      if (JSON_NODE_HOLDS_VALUE (title) && json_node_get_value_type (title) == G_TYPE_STRING
          && hls_report_resource (json_node_get_string (title), &resource))
        amounts->amount[resource] = hls_report_or_unknown (hls_json_number (json_array_get_element (data, i)));
    }
}

/* "_ZN4nnet21dense_resource_streamI...E7config2EE..." is "dense_resource_stream config2"; NULL where it says neither. (transfer
 * full) */
static char *
layer_of_symbol (const char *symbol)
{
  static const char start[] = "_ZN4nnet";
  g_autofree char *function = NULL;
  const char *config = NULL;

  if (g_str_has_prefix (symbol, start))
    {
      char *name;
      guint64 n = g_ascii_strtoull (symbol + strlen (start), &name, 10);

      if (n > 0 && n <= strlen (name))
        function = g_strndup (name, n);
    }
  for (const char *at = strstr (symbol, "config"); at != NULL; at = strstr (at + 1, "config"))
    if (g_ascii_isdigit (at[strlen ("config")]))
      config = at;
  if (config == NULL)
    return NULL;
  return g_strdup_printf ("%s%sconfig%u", function != NULL ? function : "", function != NULL ? " " : "",
                          (guint) g_ascii_strtoull (config + strlen ("config"), NULL, 10));
}

/* Tasks of a oneAPI design go by the end of their C++ name, "bias_t)", which may be that of several. Their symbols stand in
 * the summary of kernels, in the same order as here. */
static char *
task_name (const char *name,
           GPtrArray  *tasks)
{
  for (guint i = 0; tasks != NULL && i + 1 < tasks->len; i += 2)
    if (tasks->pdata[i] != NULL && g_str_equal (tasks->pdata[i], name))
      {
        g_autofree char *layer = layer_of_symbol (tasks->pdata[i + 1]);

        g_clear_pointer (&tasks->pdata[i], g_free);
        return layer != NULL ? g_strdup_printf ("%s [%s]", name, layer) : g_strdup (name);
      }
  return g_strdup (name);
}

/* A row of "Estimated Resource Usage": the design's total, the device, or a function. */
void
hls_intel_read_estimate_row (HlsReport  *report,
                             JsonObject *row,
                             JsonArray  *columns,
                             GPtrArray  *tasks)
{
  const char *name = hls_json_member_string (row, "name");
  JsonArray *data = hls_json_member_array (row, "data");
  g_autofree char *full = name != NULL ? task_name (name, tasks) : NULL;
  HlsModule *module;

  if (name == NULL || data == NULL || columns == NULL)
    return;
  if (g_str_equal (name, "Total"))
    amounts_of_row (data, columns, 1, &report->resources);
  else if (g_str_equal (name, "Available"))
    amounts_of_row (data, columns, 1, &report->available);
  else if (!g_str_equal (name, "Kernel Subtotal") && (module = hls_report_add_module (report, full)) != NULL)
    amounts_of_row (data, columns, 1, &module->resources);
}

void
hls_intel_read_estimates (HlsReport  *report,
                          JsonObject *table)
{
  JsonArray *columns = hls_json_member_array (table, "columns");
  JsonArray *children = hls_json_member_array (table, "children");

  for (guint i = 0; children != NULL && i < json_array_get_length (children); i++)
    {
      JsonNode *node = json_array_get_element (children, i);

      if (JSON_NODE_HOLDS_OBJECT (node))
        hls_intel_read_estimate_row (report, json_node_get_object (node), columns, NULL);
    }
}

/* area.json: totals in the order of its columns, the first of which is the name. */
void
hls_intel_read_area (HlsReport  *report,
                     JsonObject *object)
{
  JsonArray *columns = hls_json_member_array (object, "columns");
  JsonArray *children = hls_json_member_array (object, "children");
  JsonArray *total = hls_json_member_array (object, "total");
  JsonArray *max = hls_json_member_array (object, "max_resources");

  if (columns == NULL || total == NULL || max == NULL)
    return;
  amounts_of_row (total, columns, 1, &report->resources);
  amounts_of_row (max, columns, 1, &report->available);
  for (guint i = 0; children != NULL && i < json_array_get_length (children); i++)
    {
      JsonNode *node = json_array_get_element (children, i);
      JsonArray *own;
      HlsModule *module;

      if (JSON_NODE_HOLDS_OBJECT (node) && (own = hls_json_member_array (json_node_get_object (node), "total_kernel_resources")) != NULL
          && hls_json_member_string (json_node_get_object (node), "name") != NULL
          && (module = hls_report_add_module (report, hls_json_member_string (json_node_get_object (node), "name"))) != NULL)
        amounts_of_row (own, columns, 1, &module->resources);
    }
}

void
hls_intel_read_basic_blocks (HlsReport  *report,
                             JsonObject *blocks)
{
  g_autoptr (GList) members = json_object_get_values (blocks);

  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonObject *block = JSON_NODE_HOLDS_OBJECT (l->data) ? json_node_get_object (l->data) : NULL;
      double mhz;

      if (block == NULL)
        continue;
      hls_report_worst_loop (report, hls_json_member_number (block, "latency"), hls_json_member_number (block, "achieved_ii"),
                             hls_json_member_number (block, "achieved_fmax"));
      mhz = hls_json_member_number (block, "target_fmax");
      if (mhz > 0)
        report->clock_target_ns = 1000 / mhz;
    }
}

/* {"data": ["Arria10, 10AS066H2F34I1SG"], "name": "Target Family, Device"} */
void
hls_intel_read_info (HlsReport *report,
                     JsonArray *rows)
{
  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonNode *node = json_array_get_element (rows, i);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *name = row != NULL ? hls_json_member_string (row, "name") : NULL;
      JsonArray *data = row != NULL ? hls_json_member_array (row, "data") : NULL;
      JsonNode *first = data != NULL && json_array_get_length (data) > 0 ? json_array_get_element (data, 0) : NULL;
      const char *text;

      if (name == NULL || first == NULL || !JSON_NODE_HOLDS_VALUE (first)
          || json_node_get_value_type (first) != G_TYPE_STRING)
        continue;
      text = json_node_get_string (first);
      if (g_str_equal (name, "Target Family, Device"))
        {
          const char *comma = strrchr (text, ',');

          hls_report_set_text (&report->part, comma != NULL ? comma + 1 : text, -1);
        }
      else if (g_str_has_suffix (name, "Version"))
        hls_report_set_text (&report->version, text, strcspn (text, " "));
    }
}

/* quartus.ndjson: what the fitter did. The system's row is the total. */
void
hls_intel_read_fit (HlsReport  *report,
                    JsonObject *summary)
{
  JsonArray *nodes = hls_json_member_array (summary, "nodes");

  for (guint i = 0; nodes != NULL && i < json_array_get_length (nodes); i++)
    {
      JsonNode *node = json_array_get_element (nodes, i);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *type = row != NULL ? hls_json_member_string (row, "type") : NULL;
      const char *name = row != NULL ? hls_json_member_string (row, "name") : NULL;
      NnResources *amounts = &report->resources;
      g_autoptr (GList) members = NULL;
      NnResource resource;

      if (type == NULL || name == NULL)
        continue;
      if (!g_str_equal (type, "system"))
        {
          HlsModule *module = hls_report_add_module (report, name);

          if (module == NULL)
            return;
          amounts = &module->resources;
        }
      else
        report->alms = hls_json_member_number (row, "alm");
      members = json_object_get_members (row);
      for (GList *l = members; l != NULL; l = l->next)
        if (hls_report_resource (l->data, &resource))
          amounts->amount[resource] = hls_report_or_unknown (hls_json_member_number (row, l->data));
    }
  hls_report_set_stage (report, "impl");
}

void
hls_intel_read_fit_clock (HlsReport  *report,
                          JsonObject *summary)
{
  JsonArray *nodes = hls_json_member_array (summary, "nodes");
  JsonNode *node = nodes != NULL && json_array_get_length (nodes) > 0 ? json_array_get_element (nodes, 0) : NULL;
  double mhz = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? hls_json_member_number (json_node_get_object (node), "clock fmax") : NAN;

  if (mhz > 0)
    report->clock_estimated_ns = 1000 / mhz;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON reports: Intel's HLS compiler (area.json, summary.json, fmax_ii.json, info.json and report_data.js), oneAPI
 * (.ndjson: one object a line), Quartus' fit summary, and what hls4ml itself writes of reports it has read.
 *
 * Traps: numbers are text or numbers; titles of columns end in blanks; hls4ml stores Vivado's tiles of 36 Kb under the
 * name of the halves.
 */

#include "hls-report-private.h"

#include <json-glib/json-glib.h>

/* json-glib 1.6 recurses; deeper text is refused before it sees it. */
#define MAX_DEPTH 64
#define M20K_KBIT 20

static gboolean
too_deep (const char *text,
          gsize       n)
{
  gboolean in_string = FALSE;
  guint depth = 0;

  for (gsize i = 0; i < n; i++)
    if (in_string)
      {
        if (text[i] == '\\')
          i++;
        else if (text[i] == '"')
          in_string = FALSE;
      }
    else if (text[i] == '"')
      in_string = TRUE;
    else if (text[i] == '{' || text[i] == '[')
      {
        if (++depth > MAX_DEPTH)
          return TRUE;
      }
    else if ((text[i] == '}' || text[i] == ']') && depth > 0)
      depth--;
  return FALSE;
}

static double
node_number (JsonNode *node)
{
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return NAN;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return hls_report_number (json_node_get_string (node));
  return json_node_get_double (node);
}

static double
member_number (JsonObject *object,
               const char *name)
{
  return node_number (json_object_get_member (object, name));
}

static const char *
member_string (JsonObject *object,
               const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
         ? json_node_get_string (node) : NULL;
}

static JsonArray *
member_array (JsonObject *object,
              const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static JsonObject *
member_object (JsonObject *object,
               const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

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
        amounts->amount[resource] = hls_report_or_unknown (node_number (json_array_get_element (data, i)));
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
static void
read_estimate_row (HlsReport  *report,
                   JsonObject *row,
                   JsonArray  *columns,
                   GPtrArray  *tasks)
{
  const char *name = member_string (row, "name");
  JsonArray *data = member_array (row, "data");
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

static void
read_estimates (HlsReport  *report,
                JsonObject *table)
{
  JsonArray *columns = member_array (table, "columns");
  JsonArray *children = member_array (table, "children");

  for (guint i = 0; children != NULL && i < json_array_get_length (children); i++)
    {
      JsonNode *node = json_array_get_element (children, i);

      if (JSON_NODE_HOLDS_OBJECT (node))
        read_estimate_row (report, json_node_get_object (node), columns, NULL);
    }
}

/* area.json: totals in the order of its columns, the first of which is the name. */
static void
read_area (HlsReport  *report,
           JsonObject *object)
{
  JsonArray *columns = member_array (object, "columns");
  JsonArray *children = member_array (object, "children");
  JsonArray *total = member_array (object, "total");
  JsonArray *max = member_array (object, "max_resources");

  if (columns == NULL || total == NULL || max == NULL)
    return;
  amounts_of_row (total, columns, 1, &report->resources);
  amounts_of_row (max, columns, 1, &report->available);
  for (guint i = 0; children != NULL && i < json_array_get_length (children); i++)
    {
      JsonNode *node = json_array_get_element (children, i);
      JsonArray *own;
      HlsModule *module;

      if (JSON_NODE_HOLDS_OBJECT (node) && (own = member_array (json_node_get_object (node), "total_kernel_resources")) != NULL
          && member_string (json_node_get_object (node), "name") != NULL
          && (module = hls_report_add_module (report, member_string (json_node_get_object (node), "name"))) != NULL)
        amounts_of_row (own, columns, 1, &module->resources);
    }
}

/* The worst of all loops and blocks counts: cycles of latency, interval, and the clock in MHz. */
static void
read_loop (HlsReport *report,
           double     latency,
           double     interval,
           double     mhz)
{
  report->latency_min = report->latency_max = fmax (report->latency_max, latency);
  report->interval_min = report->interval_max = fmax (report->interval_max, interval);
  if (mhz > 0)
    report->clock_estimated_ns = fmax (report->clock_estimated_ns, 1000 / mhz);
}

static void
read_basic_blocks (HlsReport  *report,
                   JsonObject *blocks)
{
  g_autoptr (GList) members = json_object_get_values (blocks);

  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonObject *block = JSON_NODE_HOLDS_OBJECT (l->data) ? json_node_get_object (l->data) : NULL;
      double mhz;

      if (block == NULL)
        continue;
      read_loop (report, member_number (block, "latency"), member_number (block, "achieved_ii"),
                 member_number (block, "achieved_fmax"));
      mhz = member_number (block, "target_fmax");
      if (mhz > 0)
        report->clock_target_ns = 1000 / mhz;
    }
}

/* {"data": ["Arria10, 10AS066H2F34I1SG"], "name": "Target Family, Device"} */
static void
read_info (HlsReport *report,
           JsonArray *rows)
{
  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonNode *node = json_array_get_element (rows, i);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *name = row != NULL ? member_string (row, "name") : NULL;
      JsonArray *data = row != NULL ? member_array (row, "data") : NULL;
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
static void
read_fit (HlsReport  *report,
          JsonObject *summary)
{
  JsonArray *nodes = member_array (summary, "nodes");

  for (guint i = 0; nodes != NULL && i < json_array_get_length (nodes); i++)
    {
      JsonNode *node = json_array_get_element (nodes, i);
      JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *type = row != NULL ? member_string (row, "type") : NULL;
      const char *name = row != NULL ? member_string (row, "name") : NULL;
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
        report->alms = member_number (row, "alm");
      members = json_object_get_members (row);
      for (GList *l = members; l != NULL; l = l->next)
        if (hls_report_resource (l->data, &resource))
          amounts->amount[resource] = hls_report_or_unknown (member_number (row, l->data));
    }
  hls_report_set_stage (report, "impl");
}

static void
read_fit_clock (HlsReport  *report,
                JsonObject *summary)
{
  JsonArray *nodes = member_array (summary, "nodes");
  JsonNode *node = nodes != NULL && json_array_get_length (nodes) > 0 ? json_array_get_element (nodes, 0) : NULL;
  double mhz = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? member_number (json_node_get_object (node), "clock fmax") : NAN;

  if (mhz > 0)
    report->clock_estimated_ns = 1000 / mhz;
}

/* What hls4ml's parse_vivado_report() returns, under the names of its keys. */
static void
read_hls4ml (HlsReport  *report,
             JsonObject *section,
             double      bram_scale)
{
  static const struct { const char *key; NnResource resource; } keys[] = {
    { "DSP", NN_RESOURCE_DSP }, { "DSP48E", NN_RESOURCE_DSP }, { "BRAM_18K", NN_RESOURCE_BRAM }, { "LUT", NN_RESOURCE_LUT },
    { "FF", NN_RESOURCE_FF }, { "URAM", NN_RESOURCE_URAM },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *available = g_strconcat ("Available", keys[i].key, NULL);
      double scale = keys[i].resource == NN_RESOURCE_BRAM ? bram_scale : 1;
      double used = scale * member_number (section, keys[i].key), have = scale * member_number (section, available);

      if (used >= 0)
        report->resources.amount[keys[i].resource] = used;
      if (have >= 0)
        report->available.amount[keys[i].resource] = have;
    }
  report->clock_target_ns = member_number (section, "TargetClockPeriod");
  report->clock_estimated_ns = member_number (section, "EstimatedClockPeriod");
  report->latency_min = member_number (section, json_object_has_member (section, "LatencyMin") ? "LatencyMin" : "BestLatency");
  report->latency_max = member_number (section, json_object_has_member (section, "LatencyMax") ? "LatencyMax" : "WorstLatency");
  report->interval_min = member_number (section, "IntervalMin");
  report->interval_max = member_number (section, "IntervalMax");
  report->ram_kbit = 18;
}

/* hls4ml's form of a oneAPI report: {"HLS": {"total": {...}, "available": {...}}, "Loop": {...}}. */
static void
read_hls4ml_oneapi (HlsReport  *report,
                    JsonObject *object)
{
  JsonObject *hls = member_object (object, "HLS"), *loop = member_object (object, "Loop");
  JsonObject *parts[2] = { hls != NULL ? member_object (hls, "total") : NULL,
                           hls != NULL ? member_object (hls, "available") : NULL };
  NnResources *amounts[2] = { &report->resources, &report->available };

  for (guint k = 0; k < 2; k++)
    {
      g_autoptr (GList) members = parts[k] != NULL ? json_object_get_members (parts[k]) : NULL;
      NnResource resource;

      for (GList *l = members; l != NULL; l = l->next)
        if (hls_report_resource (l->data, &resource))
          amounts[k]->amount[resource] = hls_report_or_unknown (member_number (parts[k], l->data));
    }
  if (loop != NULL)
    read_loop (report, member_number (loop, "worstLatency"), member_number (loop, "worstII"),
               member_number (loop, "worstFrequency"));
}

static void
set_tool (HlsReport  *report,
          const char *tool)
{
  g_free (report->tool);
  report->tool = g_strdup (tool);
}

/* rtl_sim_TOP_report.json, which newer scripts of hls4ml write of a co-simulation. */
static void
read_simulation (HlsReport  *report,
                 JsonObject *object)
{
  JsonObject *latency = member_object (object, "latency"), *interval = member_object (object, "initiation_interval");

  if (latency == NULL || interval == NULL)
    return;
  report->latency_min = member_number (latency, "min");
  report->latency_average = member_number (latency, "avg");
  report->latency_max = member_number (latency, "max");
  report->interval_min = member_number (interval, "min");
  report->interval_max = member_number (interval, "max");
  report->ram_kbit = NAN;
  hls_report_set_stage (report, "cosim");
  set_tool (report, "hls4ml");
}

/* What is remembered from line to line of a .ndjson: the columns of the table of estimates, and the tasks with their symbols
 * (name, symbol, name, ...). */
typedef struct {
  JsonArray *columns;
  GPtrArray *tasks;
} Memory;

static void
read_object (HlsReport  *report,
             JsonObject *object,
             Memory     *memory)
{
  const char *parent = member_string (object, "parent"), *summary = member_string (object, "summary_type");
  JsonObject *inner;

  if ((inner = member_object (object, "estimatedResources")) != NULL)
    read_estimates (report, inner);
  if ((inner = member_object (object, "basicblocks")) != NULL)
    read_basic_blocks (report, inner);
  if ((inner = member_object (object, "quartusFitClockSummary")) != NULL)
    read_fit_clock (report, inner);
  if ((inner = member_object (object, "quartusFitResourceUsageSummary")) != NULL)
    read_fit (report, inner);
  if ((inner = member_object (object, "report")) != NULL)
    read_hls4ml_oneapi (report, inner);
  if ((inner = member_object (object, "VivadoSynthReport")) != NULL)
    read_hls4ml (report, inner, 2);
  if ((inner = member_object (object, "CosimReport")) != NULL)
    read_hls4ml (report, inner, 1);
  if ((inner = member_object (object, "CSynthesisReport")) != NULL)
    read_hls4ml (report, inner, 1);
  if (report->ram_kbit == 18)
    set_tool (report, "hls4ml");
  read_simulation (report, object);
  if (member_array (object, "rows") != NULL)
    read_info (report, member_array (object, "rows"));
  read_area (report, object);
  if (summary != NULL && g_str_equal (summary, "estimatedResources"))
    memory->columns = member_array (object, "columns");
  else if (parent != NULL && g_str_equal (parent, "estimatedResources"))
    read_estimate_row (report, object, memory->columns, memory->tasks);
  else if (parent != NULL && g_str_equal (parent, "performanceSummary") && member_string (object, "name") != NULL
           && member_string (object, "compiler_name") != NULL)
    {
      g_ptr_array_add (memory->tasks, g_strdup (member_string (object, "name")));
      g_ptr_array_add (memory->tasks, g_strdup (member_string (object, "compiler_name")));
    }
  else if (member_string (object, "af") != NULL)
    read_loop (report, member_number (object, "lt"), member_number (object, "ii"), member_number (object, "af"));
}

static gboolean
has_content (const HlsReport *report)
{
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (report->resources.amount[r] >= 0)
      return TRUE;
  return !isnan (report->latency_max) || !isnan (report->clock_estimated_ns) || report->part != NULL;
}

/* The end of the object that begins at @p, behind its last brace; NULL where it is cut off. */
static const char *
end_of_object (const char *p)
{
  gboolean in_string = FALSE;
  guint depth = 0;

  for (; *p != '\0'; p++)
    if (in_string && *p == '\\' && p[1] != '\0')
      p++;
    else if (*p == '"')
      in_string = !in_string;
    else if (!in_string && *p == '{')
      depth++;
    else if (!in_string && *p == '}' && --depth == 0)
      return p + 1;
  return NULL;
}

/* report_data.js: "var areaJSON='{...}';", the text between the quotes, its escapes undone; or the object itself. NULL where
 * @variable is not set. */
static char *
unwrap_script (const char *text,
               const char *variable,
               gsize      *n)
{
  g_autofree char *pattern = g_strdup_printf ("(^|[^A-Za-z0-9_])%s *= *(['\"`{])", variable);
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  const char *p, *end;
  int start;
  GString *json;

  if (!g_regex_match (regex, text, 0, &match) || !g_match_info_fetch_pos (match, 2, &start, NULL))
    return NULL;
  p = text + start;
  if (*p == '{')
    {
      end = end_of_object (p);
      *n = end != NULL ? (gsize) (end - p) : strlen (p);
      return g_strndup (p, *n);
    }
  json = g_string_new (NULL);
  for (char quote = *p++; *p != '\0' && *p != quote; p++)
    {
      if (*p == '\\' && p[1] != '\0')
        p++;
      g_string_append_c (json, *p);
    }
  *n = json->len;
  return g_string_free (json, FALSE);
}

/* One text of JSON; FALSE where it is none. The parser must live as long as @memory. */
static gboolean
read_text (HlsReport  *report,
           JsonParser *parser,
           const char *text,
           gsize       n,
           Memory     *memory,
           GError    **error)
{
  JsonNode *root;

  if (too_deep (text, n))
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "it is nested deeper than %d", MAX_DEPTH);
      return FALSE;
    }
  if (!json_parser_load_from_data (parser, text, n, error))
    return FALSE;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    read_object (report, json_node_get_object (root), memory);
  return TRUE;
}

static gboolean
read_lines (HlsReport   *report,
            const char  *text,
            GPtrArray   *parsers,
            GError     **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_free);
  Memory memory = { NULL, tasks };

  for (guint i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0')
      {
        JsonParser *parser = json_parser_new ();

        g_ptr_array_add (parsers, parser);
        if (!read_text (report, parser, lines[i], strlen (lines[i]), &memory, error))
          {
            g_prefix_error (error, "line %u: ", i + 1);
            return FALSE;
          }
      }
  return TRUE;
}

static gboolean
read_script (HlsReport   *report,
             const char  *text,
             GPtrArray   *parsers,
             GError     **error)
{
  static const char *const variables[] = { "areaJSON", "summaryJSON", "fmax_iiJSON", "infoJSON", "quartusJSON" };
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_free);
  Memory memory = { NULL, tasks };

  for (guint v = 0; v < G_N_ELEMENTS (variables); v++)
    {
      gsize size;
      g_autofree char *json = unwrap_script (text, variables[v], &size);

      /* the summary repeats the modules of the area */
      if (json == NULL || (v == 1 && report->n_modules > 0))
        continue;
      g_ptr_array_add (parsers, json_parser_new ());
      if (!read_text (report, parsers->pdata[parsers->len - 1], json, size, &memory, error))
        {
          g_prefix_error (error, "%s: ", variables[v]);
          return FALSE;
        }
    }
  return TRUE;
}

/* Several objects, one a line: a .ndjson, whatever the file is called. */
static gboolean
is_lines (const char *text)
{
  const char *end = strchr (text, '\n');

  while (end != NULL && end > text && g_ascii_isspace (end[-1]))
    end--;
  return end != NULL && end > text && end[-1] == '}' && end[strspn (end, " \r\n\t")] == '{';
}

HlsReport *
hls_report_parse_json (const char *text,
                       gsize       n,
                       const char *path,
                       GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "csynth", "Intel HLS");
  g_autoptr (GPtrArray) parsers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) local = NULL;
  Memory memory = { NULL, tasks };
  gboolean done;

  report->ram_kbit = M20K_KBIT;
  if (g_str_has_suffix (path, ".ndjson") || is_lines (text))
    {
      set_tool (report, "oneAPI");
      done = read_lines (report, text, parsers, &local);
    }
  else if (*text != '{')
    done = read_script (report, text, parsers, &local);
  else
    {
      g_ptr_array_add (parsers, json_parser_new ());
      done = read_text (report, parsers->pdata[0], text, n, &memory, &local);
    }
  if (!done || !has_content (report))
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: %s", path,
                   !done                                        ? local->message
                   : strstr (text, "Run Quartus compile") != NULL ? "Quartus has not been run for it yet; the HLS compiler's figures are in "
                                                                    "summary.json and area.json beside it"
                                                                  : "this JSON holds no report that is known");
      return NULL;
    }
  return g_steal_pointer (&report);
}

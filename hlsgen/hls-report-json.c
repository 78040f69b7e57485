/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON reports: Intel's HLS compiler (area.json, summary.json, fmax_ii.json, info.json and report_data.js), oneAPI
 * (.ndjson: one object a line), Quartus' fit summary, and what hls4ml itself writes of reports it has read. Here a text becomes
 * objects; what is in them is hls-report-intel.c's and hls-report-hls4ml.c's.
 *
 * Traps: numbers are text or numbers; titles of columns end in blanks.
 */

#include "hls-report-json-private.h"

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

double
hls_json_number (JsonNode *node)
{
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return NAN;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return hls_report_number (json_node_get_string (node));
  return json_node_get_double (node);
}

double
hls_json_member_number (JsonObject *object,
                        const char *name)
{
  return hls_json_number (json_object_get_member (object, name));
}

const char *
hls_json_member_string (JsonObject *object,
                        const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
         ? json_node_get_string (node) : NULL;
}

JsonArray *
hls_json_member_array (JsonObject *object,
                       const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

JsonObject *
hls_json_member_object (JsonObject *object,
                        const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

void
hls_report_set_tool (HlsReport  *report,
                     const char *tool)
{
  g_free (report->tool);
  report->tool = g_strdup (tool);
}

void
hls_report_worst_loop (HlsReport *report,
                       double     latency,
                       double     interval,
                       double     mhz)
{
  report->latency_min = report->latency_max = fmax (report->latency_max, latency);
  report->interval_min = report->interval_max = fmax (report->interval_max, interval);
  if (mhz > 0)
    report->clock_estimated_ns = fmax (report->clock_estimated_ns, 1000 / mhz);
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
  const char *parent = hls_json_member_string (object, "parent"), *summary = hls_json_member_string (object, "summary_type");
  JsonObject *inner;

  if ((inner = hls_json_member_object (object, "estimatedResources")) != NULL)
    hls_intel_read_estimates (report, inner);
  if ((inner = hls_json_member_object (object, "basicblocks")) != NULL)
    hls_intel_read_basic_blocks (report, inner);
  if ((inner = hls_json_member_object (object, "quartusFitClockSummary")) != NULL)
    hls_intel_read_fit_clock (report, inner);
  if ((inner = hls_json_member_object (object, "quartusFitResourceUsageSummary")) != NULL)
    hls_intel_read_fit (report, inner);
  if ((inner = hls_json_member_object (object, "report")) != NULL)
    hls_hls4ml_read_oneapi (report, inner);
  if ((inner = hls_json_member_object (object, "VivadoSynthReport")) != NULL)
    hls_hls4ml_read_section (report, inner, 2);
  if ((inner = hls_json_member_object (object, "CosimReport")) != NULL)
    hls_hls4ml_read_section (report, inner, 1);
  if ((inner = hls_json_member_object (object, "CSynthesisReport")) != NULL)
    hls_hls4ml_read_section (report, inner, 1);
  if (report->ram_kbit == 18)
    hls_report_set_tool (report, "hls4ml");
  hls_hls4ml_read_simulation (report, object);
  if (hls_json_member_array (object, "rows") != NULL)
    hls_intel_read_info (report, hls_json_member_array (object, "rows"));
  hls_intel_read_area (report, object);
  if (summary != NULL && g_str_equal (summary, "estimatedResources"))
    memory->columns = hls_json_member_array (object, "columns");
  else if (parent != NULL && g_str_equal (parent, "estimatedResources"))
    hls_intel_read_estimate_row (report, object, memory->columns, memory->tasks);
  else if (parent != NULL && g_str_equal (parent, "performanceSummary") && hls_json_member_string (object, "name") != NULL
           && hls_json_member_string (object, "compiler_name") != NULL)
    {
      g_ptr_array_add (memory->tasks, g_strdup (hls_json_member_string (object, "name")));
      g_ptr_array_add (memory->tasks, g_strdup (hls_json_member_string (object, "compiler_name")));
    }
  else if (hls_json_member_string (object, "af") != NULL)
    hls_report_worst_loop (report, hls_json_member_number (object, "lt"), hls_json_member_number (object, "ii"), hls_json_member_number (object, "af"));
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
read_text (HlsReport   *report,
           JsonParser  *parser,
           const char  *text,
           gsize        n,
           Memory      *memory,
           GError     **error)
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
hls_report_parse_json (const char  *text,
                       gsize        n,
                       const char  *path,
                       GError     **error)
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
      hls_report_set_tool (report, "oneAPI");
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

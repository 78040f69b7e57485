/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding reports, telling what wrote them, and making one answer of those of a project. */

#include "hls-report-private.h"

#include <glib/gstdio.h>

/* Nothing that a tool writes for one design is larger. */
#define MAX_BYTES (256u << 20)
#define MAX_DEPTH 16
#define MAX_FILES 50000
/* What tells a format stands near its beginning; a simulator's log may come before it. */
#define MAX_PROBE (1u << 20)

typedef HlsReport *(*LineReader) (char **lines, const char *path, GError **error);

/* By a phrase that only this format has; the first that is found wins. Catapult's rtl.rpt has a "Timing Report" too. */
static const struct {
  const char *phrase;
  LineReader  read;
} formats[] = {
  { "== Synthesis Summary Report of", hls_report_parse_summary },
  { "HLS Report for '", hls_report_parse_csynth },
  { "== Utilization Estimates", hls_report_parse_csynth },
  { "Processes/Blocks in Design", hls_report_parse_catapult },
  { "Total Area Score:", hls_report_parse_catapult },
  { "TOTAL AREA (After Assignment)", hls_report_parse_catapult },
  { "Utilization Design Information", hls_report_parse_utilization },
  { "report_accelerator_utilization", hls_report_parse_utilization },
  { "Implementation tool:", hls_report_parse_export },
  { "Timing Report", hls_report_parse_timing },
  { "Timing Summary Report", hls_report_parse_timing },
  { "Design Timing Summary", hls_report_parse_timing },
  { "Site Type ", hls_report_parse_utilization },
  { "Total LUTs", hls_report_parse_utilization },
  { "Quartus Prime Version", hls_report_parse_quartus },
  { "Quartus II", hls_report_parse_quartus },
  { "Fitter Status", hls_report_parse_quartus },
  { "Fmax Summary", hls_report_parse_quartus },
  { "+   RTL    +  Status", hls_report_parse_cosim },
  { "|   RTL    |  Status", hls_report_parse_cosim },
  { "Cosimulation Report for '", hls_report_parse_cosim },
};

/* report_data.js of Intel's tools. */
static gboolean
is_script (const char *text)
{
  static const char *const starts[] = { "var ", "const ", "let ", "window." };

  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    if (g_str_has_prefix (text, starts[i]))
      return TRUE;
  return FALSE;
}

HlsReport *
hls_report_parse (const char *text,
                  gsize       n,
                  const char *path,
                  GError    **error)
{
  g_autofree char *copy = NULL;
  g_auto (GStrv) lines = NULL;
  const char *start = text;

  g_return_val_if_fail (text != NULL && path != NULL, NULL);
  if (memchr (text, '\0', n) != NULL)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: a binary file; a text, XML or JSON report is expected", path);
      return NULL;
    }
  copy = g_strndup (text, n);
  for (start = copy; g_ascii_isspace (*start); start++)
    ;
  if (*start == '<' && !g_str_has_prefix (start, "<!DOCTYPE html") && !g_str_has_prefix (start, "<html"))
    return hls_report_parse_xml (start, strlen (start), path, error);
  if (*start == '{' || is_script (start))
    return hls_report_parse_json (start, strlen (start), path, error);
  if (g_regex_match_simple ("^ *transaction +[0-9]+: +[0-9]+", start, G_REGEX_MULTILINE, 0))
    {
      lines = g_strsplit (copy, "\n", -1);
      return hls_report_parse_transactions (lines, path, error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_strstr_len (copy, MIN (n, MAX_PROBE), formats[i].phrase) != NULL)
      {
        lines = g_strsplit_set (copy, "\n", -1);
        for (guint l = 0; lines[l] != NULL; l++)
          lines[l][strcspn (lines[l], "\r")] = '\0';
        return formats[i].read (lines, path, error);
      }
  g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT,
               "%s: no report that is known: expected are reports of Vivado HLS, Vitis HLS, Vivado, Quartus, oneAPI or Catapult",
               path);
  return NULL;
}

static HlsReport *
read_file (const char *path,
           GError    **error)
{
  g_autofree char *text = NULL;
  gsize n;
  GStatBuf status;

  if (g_stat (path, &status) == 0 && (guint64) status.st_size > MAX_BYTES)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: larger than %u MB, which no report is", path, MAX_BYTES >> 20);
      return NULL;
    }
  if (!g_file_get_contents (path, &text, &n, error))
    return NULL;
  return hls_report_parse (text, n, path, error);
}

static gboolean
may_be_report (const char *name)
{
  static const char *const suffixes[] = { ".rpt", ".xml", ".json", ".ndjson", ".summary", "report_data.js" };

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (name, suffixes[i]))
      return TRUE;
  return FALSE;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Adds the reports below @folder in the order of their names; what is no report is passed over. */
static void
find_reports (const char *folder,
              guint       depth,
              guint      *n_files,
              GPtrArray  *reports)
{
  g_autoptr (GDir) dir = depth < MAX_DEPTH ? g_dir_open (folder, 0, NULL) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len && *n_files < MAX_FILES; i++)
    {
      g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);
      HlsReport *report;

      (*n_files)++;
      if (g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        continue;
      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        find_reports (path, depth + 1, n_files, reports);
      else if (may_be_report (path) && (report = read_file (path, NULL)) != NULL)
        g_ptr_array_add (reports, report);
    }
}

GPtrArray *
hls_reports_find (const char *path,
                  GError    **error)
{
  g_autoptr (GPtrArray) reports = g_ptr_array_new_with_free_func ((GDestroyNotify) hls_report_free);
  guint n_files = 0;

  g_return_val_if_fail (path != NULL, NULL);
  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      HlsReport *report = read_file (path, error);

      if (report == NULL)
        return NULL;
      g_ptr_array_add (reports, report);
      return g_steal_pointer (&reports);
    }
  find_reports (path, 0, &n_files, reports);
  if (reports->len == 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT,
                   "%s: no report in this folder; expected are *_csynth.xml, *.rpt, *.json or *.ndjson of a synthesis", path);
      return NULL;
    }
  return g_steal_pointer (&reports);
}

/* Whether one of @reports has @report's design as a module: then it is not of the whole. */
static gboolean
is_module (const HlsReport *report,
           GPtrArray       *reports)
{
  for (guint i = 0; report->top != NULL && i < reports->len; i++)
    {
      const HlsReport *other = reports->pdata[i];

      if (other == report || other->top == NULL || g_str_equal (other->top, report->top))
        continue;
      for (guint m = 0; m < other->n_modules; m++)
        if (g_str_equal (other->modules[m].name, report->top))
          return TRUE;
    }
  return FALSE;
}

static guint
rank (const HlsReport *report,
      GPtrArray       *reports)
{
  gboolean csynth = g_str_equal (report->stage, "csynth");

  /* of several, the HLS tool's, of the whole design, which has the numbers; the XML first as it tells most */
  return 8 * csynth + 4 * !is_module (report, reports) + 2 * (report->resources.amount[NN_RESOURCE_LUT] >= 0)
         + g_str_has_suffix (report->path, ".xml");
}

static gint64
written_at (const HlsReport *report)
{
  GStatBuf status;

  return g_stat (report->path, &status) == 0 ? (gint64) status.st_mtime : 0;
}

/* Of equal rank, the later run of the same design; then the larger design. */
static gboolean
is_better (const HlsReport *report,
           const HlsReport *than,
           GPtrArray       *reports)
{
  guint a = rank (report, reports), b = rank (than, reports);
  gint64 x, y;

  if (a != b)
    return a > b;
  if (report->top != NULL && g_strcmp0 (report->top, than->top) == 0 && (x = written_at (report)) != (y = written_at (than)))
    return x > y;
  return report->resources.amount[NN_RESOURCE_LUT] > than->resources.amount[NN_RESOURCE_LUT];
}

/* Whether one of the two lies in a folder of the other's: solution1 and solution2 are runs of their own. */
static gboolean
is_same_run (const HlsReport *a,
             const HlsReport *b)
{
  g_autofree char *x = g_path_get_dirname (a->path), *y = g_path_get_dirname (b->path);
  const char *shorter = strlen (x) < strlen (y) ? x : y, *longer = shorter == x ? y : x;
  gsize n = strlen (shorter);

  return g_str_has_prefix (longer, shorter) && (longer[n] == '\0' || longer[n] == '/' || g_str_equal (shorter, "."));
}

static double
first_known (double a,
             double b)
{
  return isnan (a) ? b : a;
}

/* What @report does not say is taken from another of the same tool, stage and design. */
static void
complete (HlsReport *report,
          HlsReport *other)
{
  if (other == report || !g_str_equal (report->stage, other->stage) || g_strcmp0 (report->tool, other->tool) != 0
      || !is_same_run (report, other)
      || (report->top != NULL && other->top != NULL && !g_str_equal (report->top, other->top)))
    return;
  report->clock_target_ns = first_known (report->clock_target_ns, other->clock_target_ns);
  report->clock_estimated_ns = first_known (report->clock_estimated_ns, other->clock_estimated_ns);
  report->clock_uncertainty_ns = first_known (report->clock_uncertainty_ns, other->clock_uncertainty_ns);
  report->area = first_known (report->area, other->area);
  report->latency_min = first_known (report->latency_min, other->latency_min);
  report->latency_average = first_known (report->latency_average, other->latency_average);
  report->latency_max = first_known (report->latency_max, other->latency_max);
  report->interval_min = first_known (report->interval_min, other->interval_min);
  report->interval_max = first_known (report->interval_max, other->interval_max);
  hls_report_set_text (&report->part, other->part != NULL ? other->part : "", -1);
  hls_report_set_text (&report->version, other->version != NULL ? other->version : "", -1);
  hls_report_set_text (&report->pipeline, other->pipeline != NULL ? other->pipeline : "", -1);
  report->latency_ns_min = first_known (report->latency_ns_min, other->latency_ns_min);
  report->latency_ns_max = first_known (report->latency_ns_max, other->latency_ns_max);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    {
      if (report->resources.amount[r] < 0)
        report->resources.amount[r] = other->resources.amount[r];
      if (report->available.amount[r] < 0)
        report->available.amount[r] = other->available.amount[r];
    }
  if (report->n_modules == 0)
    {
      report->modules = g_steal_pointer (&other->modules);
      report->n_modules = other->n_modules;
      other->n_modules = 0;
    }
}

HlsReport *
hls_report_read (const char *path,
                 GError    **error)
{
  g_autoptr (GPtrArray) reports = hls_reports_find (path, error);
  guint best = 0;
  HlsReport *report;

  if (reports == NULL)
    return NULL;
  for (guint i = 1; i < reports->len; i++)
    if (is_better (reports->pdata[i], reports->pdata[best], reports))
      best = i;
  report = g_ptr_array_steal_index (reports, best);
  for (guint i = 0; i < reports->len; i++)
    complete (report, reports->pdata[i]);
  if (g_strcmp0 (report->tool, "Catapult") == 0) /* cycles and clock stand in different files */
    {
      report->latency_ns_min = report->latency_min * report->clock_target_ns;
      report->latency_ns_max = report->latency_max * report->clock_target_ns;
    }
  return report;
}

/* The number of the layer in a module's name, "12" of "dense_latency_..._config12_s"; -1 where there is none. */
static int
number_of (const HlsModule *module)
{
  static const char word[] = "config";

  for (const char *at = strstr (module->name, word); at != NULL; at = strstr (at + 1, word))
    {
      const char *digits = at + strlen (word);

      if (g_ascii_isdigit (*digits) && (at == module->name || !g_ascii_isalpha (at[-1])))
        return (int) MIN (g_ascii_strtoull (digits, NULL, 10), G_MAXINT);
    }
  return -1;
}

static gboolean
has_word (const char        *name,
          const char *const *words)
{
  for (guint i = 0; words != NULL && words[i] != NULL; i++)
    if (strstr (name, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

/* Of several modules of one layer the one that holds the others. @words: (nullable): one of which its name must have */
static const HlsModule *
largest (const HlsReport   *report,
         guint              number,
         const char *const *words)
{
  const HlsModule *best = NULL;

  for (guint i = 0; i < report->n_modules; i++)
    {
      const HlsModule *module = &report->modules[i];

      if (number_of (module) == (int) number && (words == NULL || has_word (module->name, words))
          && (best == NULL || module->resources.amount[NN_RESOURCE_LUT] > best->resources.amount[NN_RESOURCE_LUT]))
        best = module;
    }
  return best;
}

const HlsModule *
hls_report_layer (const HlsReport *report,
                  guint            number)
{
  return largest (report, number, NULL);
}

/* What modules do, by words in their names. */
static const char *const matrix[] = { "dense", "conv", "einsum", "product", NULL };
static const char *const recurrent[] = { "lstm", "gru", "rnn", NULL };
static const char *const pool[] = { "pool", NULL };
static const char *const norm[] = { "norm", NULL };
static const char *const relu[] = { "relu", NULL };
static const char *const softmax[] = { "softmax", "argmax", NULL };
static const char *const *const kinds[] = { recurrent, matrix, pool, norm, relu, softmax };

/* NULL where any name will do. */
static const char *const *
words_of (const NnNode *node)
{
  switch (nn_op_info (node->op)->op_class)
    {
    case NN_OP_CLASS_MULTIPLY: return matrix;
    case NN_OP_CLASS_RECURRENT: return recurrent;
    case NN_OP_CLASS_POOL: return pool;
    case NN_OP_CLASS_NORM: return norm;
    case NN_OP_CLASS_ACTIVATION:
      return node->attrs.act == NN_ACT_RELU ? relu : node->attrs.act == NN_ACT_SOFTMAX ? softmax : NULL;
    default: return NULL;
    }
}

/* Whether every module does what our layer of its number does. Other writers number otherwise: hls4ml begins at 1 and counts
 * layers that it leaves out later. */
static gboolean
is_our_numbering (const HlsReport *report,
                  const NnGraph   *graph)
{
  for (guint i = 0; i < report->n_modules; i++)
    {
      const char *name = report->modules[i].name;
      int number = number_of (&report->modules[i]);
      const char *const *words;
      gboolean known = FALSE;

      for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
        known |= has_word (name, kinds[k]);
      if (number < 0 || !known)
        continue;
      if ((guint) number >= nn_graph_n_nodes (graph))
        return FALSE;
      words = words_of (nn_graph_node (graph, number));
      if (words != NULL && !has_word (name, words))
        return FALSE;
    }
  return TRUE;
}

static int
compare_numbers (gconstpointer a,
                 gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

/* The numbers of all modules that do this, each once, in order. */
static GArray *
numbers_of_kind (const HlsReport   *report,
                 const char *const *words)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (int));

  for (guint i = 0; i < report->n_modules; i++)
    {
      int number = number_of (&report->modules[i]);
      gboolean there = FALSE;

      for (guint k = 0; k < numbers->len; k++)
        there |= g_array_index (numbers, int, k) == number;
      if (number >= 0 && !there && has_word (report->modules[i].name, words))
        g_array_append_val (numbers, number);
    }
  g_array_sort (numbers, compare_numbers);
  return numbers;
}

const HlsModule *
hls_report_node (const HlsReport *report,
                 const NnGraph   *graph,
                 guint            i)
{
  const char *const *words = words_of (nn_graph_node (graph, i));
  g_autoptr (GArray) numbers = NULL;
  guint n = 0, before = 0;

  if (is_our_numbering (report, graph))
    return largest (report, i, words);
  if (words == NULL)
    return NULL;
  for (guint k = 0; k < nn_graph_n_nodes (graph); k++)
    if (words_of (nn_graph_node (graph, k)) == words)
      {
        n++;
        before += k < i;
      }
  numbers = numbers_of_kind (report, words);
  /* a kind of which some have no module of their own is not told apart */
  return numbers->len == n ? largest (report, g_array_index (numbers, int, before), words) : NULL;
}

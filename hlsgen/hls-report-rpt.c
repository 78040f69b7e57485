/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text reports of Vivado HLS and Vitis HLS: TOP_csynth.rpt, csynth.rpt (Vitis' summary, another format) and TOP_cosim.rpt.
 *
 * Traps: "undef" is "?" here; latencies have a column of absolute time or not; the tables of details repeat the titles of
 * the summary, so the first one counts; several regions of a chip (SLR) have rows of their own; a log may stand before.
 */

#include "hls-report-private.h"

/* "* Version:        2019.2 (Build ...)" */
static gboolean
header_value (const char *line,
              const char *key,
              char      **field)
{
  g_autofree char *start = g_strdup_printf ("* %s:", key);

  while (g_ascii_isspace (*line))
    line++;
  if (!g_str_has_prefix (line, start))
    return FALSE;
  line += strlen (start);
  hls_report_set_text (field, line, -1);
  if (*field != NULL && g_str_equal (key, "Version"))
    (*field)[strcspn (*field, " (")] = '\0';
  return TRUE;
}

static void
read_header (HlsReport  *report,
             const char *line)
{
  const char *quote = strstr (line, "Report");

  if (header_value (line, "Version", &report->version) || header_value (line, "Target device", &report->part))
    return;
  if (g_str_has_prefix (line, "== ") && quote != NULL && (quote = strchr (quote, '\'')) != NULL)
    hls_report_set_text (&report->top, quote + 1, strcspn (quote + 1, "'"));
}

/* Columns of a table of details: where each resource stands, -1 where it does not. */
typedef struct {
  int column[NN_N_RESOURCES];
} Columns;

static gboolean
read_columns (char   **cells,
              Columns *columns)
{
  gboolean found = FALSE;
  NnResource resource;

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    columns->column[r] = -1;
  for (guint i = 0; cells[i] != NULL; i++)
    if (hls_report_resource (cells[i], &resource))
      {
        columns->column[resource] = i;
        found = TRUE;
      }
  return found;
}

static void
read_amounts (char        **cells,
              const Columns *columns,
              NnResources  *amounts)
{
  int n = g_strv_length (cells);

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (columns->column[r] >= 0 && columns->column[r] < n)
      amounts->amount[r] = hls_report_or_zero (hls_report_number (cells[columns->column[r]]));
}

/* The figures of a row of latencies after its @skip titles: min and max of cycles, of time where given, of the interval. */
static gboolean
read_latency (char  **cells,
              guint   skip,
              double  figures[6])
{
  guint n = g_strv_length (cells);
  gboolean absolute = n == skip + 7;

  if (!absolute && n != skip + 5)
    return FALSE;
  /* a row of titles has words here */
  if (!g_ascii_isdigit (*cells[skip]) && *cells[skip] != '?' && !g_str_equal (cells[skip], "-"))
    return FALSE;
  figures[0] = hls_report_number (cells[skip]);
  figures[1] = hls_report_number (cells[skip + 1]);
  figures[2] = absolute ? hls_report_time_ns (cells[skip + 2]) : NAN;
  figures[3] = absolute ? hls_report_time_ns (cells[skip + 3]) : NAN;
  figures[4] = hls_report_number (cells[n - 3]);
  figures[5] = hls_report_number (cells[n - 2]);
  return TRUE;
}

/* Where a reader of TOP_csynth.rpt stands. */
typedef struct {
  HlsReport  *report;
  GHashTable *instances; /* name of an instance to the index of its module, plus one */
  Columns     columns;
  gboolean    have_clock, have_latency, have_total, have_available;
  enum { NOWHERE, TIMING, LATENCY, UTILIZATION } section;
  enum { SUMMARY, INSTANCES, OTHER } part;
} Csynth;

static HlsModule *
find_instance (Csynth     *self,
               const char *instance,
               const char *module)
{
  guint i = GPOINTER_TO_UINT (g_hash_table_lookup (self->instances, instance));
  HlsModule *found;

  if (i > 0)
    return &self->report->modules[i - 1];
  found = hls_report_add_module (self->report, module);
  if (found != NULL)
    g_hash_table_insert (self->instances, g_strdup (instance), GUINT_TO_POINTER (self->report->n_modules));
  return found;
}

static void
read_summary_row (Csynth *self,
                  char  **cells)
{
  HlsReport *report = self->report;
  double f[6];

  if (self->section == TIMING && !self->have_clock && g_strv_length (cells) == 4 && g_ascii_isdigit (*cells[1]))
    {
      report->clock_target_ns = hls_report_time_ns (cells[1]);
      report->clock_estimated_ns = hls_report_time_ns (cells[2]);
      report->clock_uncertainty_ns = hls_report_time_ns (cells[3]);
      self->have_clock = TRUE;
    }
  else if (self->section == LATENCY && !self->have_latency && read_latency (cells, 0, f))
    {
      report->latency_min = f[0];
      report->latency_max = f[1];
      report->latency_ns_min = f[2];
      report->latency_ns_max = f[3];
      report->interval_min = f[4];
      report->interval_max = f[5];
      hls_report_set_text (&report->pipeline, cells[g_strv_length (cells) - 1], -1);
      self->have_latency = TRUE;
    }
  else if (self->section == UTILIZATION && g_str_equal (cells[0], "Name"))
    read_columns (cells, &self->columns);
  else if (self->section == UTILIZATION && !self->have_total && g_str_equal (cells[0], "Total"))
    {
      read_amounts (cells, &self->columns, &report->resources);
      self->have_total = TRUE;
    }
  else if (self->section == UTILIZATION && !self->have_available && g_str_equal (cells[0], "Available"))
    {
      read_amounts (cells, &self->columns, &report->available);
      self->have_available = TRUE;
    }
}

static void
read_instance_row (Csynth *self,
                   char  **cells)
{
  HlsModule *module;
  double f[6];

  if (g_strv_length (cells) < 3 || g_str_equal (cells[0], "Total"))
    return;
  if (g_str_equal (cells[0], "Instance"))
    read_columns (cells, &self->columns);
  else if (self->section == LATENCY && *cells[0] != '\0' && read_latency (cells, 2, f))
    {
      if ((module = find_instance (self, cells[0], cells[1])) == NULL)
        return;
      module->latency_min = f[0];
      module->latency_max = f[1];
      module->interval_min = f[4];
      module->interval_max = f[5];
    }
  else if (self->section == UTILIZATION && *cells[0] != '\0' && *cells[1] != '\0'
           && (module = find_instance (self, cells[0], cells[1])) != NULL)
    read_amounts (cells, &self->columns, &module->resources);
}

/* Titles that begin with "+", "*" or "==" tell where we are. */
static void
read_title (Csynth     *self,
            const char *line)
{
  if (g_str_has_prefix (line, "== Utilization Estimates"))
    {
      self->section = UTILIZATION;
      self->part = SUMMARY;
    }
  else if (g_str_has_prefix (line, "== "))
    self->section = NOWHERE;
  else if (g_str_has_prefix (line, "+ Timing"))
    {
      self->section = TIMING;
      self->part = SUMMARY;
    }
  else if (g_str_has_prefix (line, "+ Latency"))
    {
      self->section = LATENCY;
      self->part = SUMMARY;
    }
  else if (g_str_has_prefix (line, "* Instance"))
    self->part = INSTANCES;
  else if (g_str_has_prefix (line, "* Summary"))
    self->part = SUMMARY;
  else if (g_str_has_prefix (line, "* ") || g_str_has_prefix (line, "+ "))
    self->part = OTHER;
}

HlsReport *
hls_report_parse_csynth (char      **lines,
                         const char *path,
                         GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "csynth", "Vitis HLS");
  g_autoptr (GHashTable) instances = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Csynth self = { .report = report, .instances = instances };

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " \t");
      g_auto (GStrv) cells = NULL;

      if (*line == '=' || *line == '*' || (*line == '+' && line[1] == ' '))
        {
          /* a simulation's report may follow in the same file */
          read_header (report, line);
          read_title (&self, line);
        }
      else if (g_str_has_prefix (line, "CO-SIMULATION RESULT"))
        break;
      else if (self.section != NOWHERE && (cells = hls_report_cells (line, '|')) != NULL)
        {
          if (self.part == SUMMARY)
            read_summary_row (&self, cells);
          else if (self.part == INSTANCES)
            read_instance_row (&self, cells);
        }
    }
  if (!self.have_total)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT,
                   "%s: the table \"Utilization Estimates\" has no row \"Total\"; the report is cut off", path);
      return NULL;
    }
  if (report->version != NULL && hls_report_is_vivado_hls (report->version))
    {
      g_free (report->tool);
      report->tool = g_strdup ("Vivado HLS");
    }
  report->ram_kbit = 18;
  return g_steal_pointer (&report);
}

/* Columns of Vitis' summary, by their titles, which stand one word above the other; -1 where a version has none. */
typedef struct {
  int   latency, latency_ns, interval, pipelined, resource[NN_N_RESOURCES];
  guint n;
} SummaryColumns;

/* @titles: both lines' words of each column, or NULL before the first line. */
static void
add_titles (GPtrArray *titles,
            char     **cells)
{
  for (guint i = 0; cells[i] != NULL; i++)
    {
      if (i == titles->len)
        g_ptr_array_add (titles, g_string_new (NULL));
      g_string_append_printf (titles->pdata[i], "%s%s", ((GString *) titles->pdata[i])->len > 0 ? " " : "", cells[i]);
      while (g_str_has_suffix (((GString *) titles->pdata[i])->str, " "))
        g_string_truncate (titles->pdata[i], ((GString *) titles->pdata[i])->len - 1);
    }
}

static void
find_summary_columns (GPtrArray      *titles,
                      SummaryColumns *columns)
{
  *columns = (SummaryColumns){ -1, -1, -1, -1, { -1, -1, -1, -1, -1 }, titles->len };
  for (guint i = 0; i < titles->len; i++)
    {
      const char *title = ((GString *) titles->pdata[i])->str;
      NnResource resource;

      if (g_str_equal (title, "Latency (cycles)"))
        columns->latency = i;
      else if (g_str_equal (title, "Latency (ns)"))
        columns->latency_ns = i;
      else if (g_str_equal (title, "Interval"))
        columns->interval = i;
      else if (g_str_equal (title, "Pipelined"))
        columns->pipelined = i;
      else if (hls_report_resource (title, &resource))
        columns->resource[resource] = i;
    }
}

/* "395", "10 ~ 20" or "-": the least and the most. */
static void
read_span (const char *cell,
           gboolean    time,
           double     *min,
           double     *max)
{
  const char *tilde = strchr (cell, '~');

  *min = *max = time ? hls_report_time_ns (cell) : hls_report_number (cell);
  if (tilde != NULL && !isnan (hls_report_number (tilde + 1)))
    *max = time ? hls_report_time_ns (tilde + 1) : hls_report_number (tilde + 1);
}

static const char *
summary_cell (char **cells,
              int    column)
{
  return column >= 0 ? cells[column] : "";
}

static void
read_summary_module (HlsReport            *report,
                     const SummaryColumns *columns,
                     char                **cells)
{
  char *name = cells[0] + 2;
  gboolean is_top = report->resources.amount[NN_RESOURCE_LUT] < 0;
  HlsModule read = { 0 };
  HlsModule *module;

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    read.resources.amount[r] = columns->resource[r] < 0 ? -1 : hls_report_or_zero (hls_report_number (cells[columns->resource[r]]));
  read_span (summary_cell (cells, columns->latency), FALSE, &read.latency_min, &read.latency_max);
  read_span (summary_cell (cells, columns->interval), FALSE, &read.interval_min, &read.interval_max);
  if (g_str_has_suffix (name, "*")) /* a dataflow region */
    name[strlen (name) - 1] = '\0';
  if (is_top)
    {
      report->resources = read.resources;
      report->latency_min = read.latency_min;
      report->latency_max = read.latency_max;
      read_span (summary_cell (cells, columns->latency_ns), TRUE, &report->latency_ns_min, &report->latency_ns_max);
      report->interval_min = read.interval_min;
      report->interval_max = read.interval_max;
      hls_report_set_text (&report->pipeline, summary_cell (cells, columns->pipelined), -1);
      hls_report_set_text (&report->top, name, -1);
    }
  else if ((module = hls_report_add_module (report, name)) != NULL)
    {
      read.name = module->name;
      *module = read;
    }
}

static void
free_title (gpointer title)
{
  g_string_free (title, TRUE);
}

HlsReport *
hls_report_parse_summary (char      **lines,
                          const char *path,
                          GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "csynth", "Vitis HLS");
  g_autoptr (GPtrArray) titles = g_ptr_array_new_with_free_func (free_title);
  SummaryColumns columns = { .n = 0 };
  gboolean in_table = FALSE;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " \t");
      g_auto (GStrv) cells = NULL;

      read_header (report, line);
      if (g_str_has_prefix (line, "+ Performance & Resource Estimates"))
        in_table = TRUE;
      else if (g_str_has_prefix (line, "== "))
        in_table = FALSE;
      else if (in_table && (cells = hls_report_cells (line, '|')) != NULL)
        {
          if (columns.n == 0 && !g_str_has_prefix (cells[0], "+ "))
            add_titles (titles, cells);
          else if (columns.n == 0)
            find_summary_columns (titles, &columns);
          if (columns.n > 0 && g_strv_length (cells) == columns.n && g_str_has_prefix (cells[0], "+ "))
            read_summary_module (report, &columns, cells);
        }
    }
  if (report->resources.amount[NN_RESOURCE_LUT] < 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT,
                   "%s: the table \"Performance & Resource Estimates\" has no row for the design", path);
      return NULL;
    }
  report->ram_kbit = 18;
  return g_steal_pointer (&report);
}

/* RTL, status, min avg max of latency, min avg max of the interval, total time (Vitis). Of two languages the one that failed
 * decides, and figures of one stand where the other has none. */
static void
read_cosim_row (HlsReport *report,
                char     **cells)
{
  double *const figures[] = { &report->latency_min, &report->latency_average, &report->latency_max, &report->interval_min, NULL,
                              &report->interval_max };

  if (report->status == NULL || g_ascii_strcasecmp (cells[1], "Pass") != 0)
    hls_report_set_status (report, cells[1]);
  for (guint i = 0; i < G_N_ELEMENTS (figures); i++)
    if (figures[i] != NULL && isnan (*figures[i]))
      *figures[i] = hls_report_number (cells[2 + i]);
  if (g_strv_length (cells) < 9)
    {
      g_free (report->tool);
      report->tool = g_strdup ("Vivado HLS");
    }
}

HlsReport *
hls_report_parse_cosim (char      **lines,
                        const char *path,
                        GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "cosim", "Vitis HLS");

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) cells = hls_report_cells (lines[i], '|');

      if (cells != NULL && g_strv_length (cells) >= 8 && !g_str_equal (cells[1], "NA") && !g_str_equal (cells[1], "Status")
          && *cells[0] != '\0')
        read_cosim_row (report, cells);
    }
  if (report->status == NULL)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: no language was simulated: every status is NA", path);
      return NULL;
    }
  return g_steal_pointer (&report);
}

/* TOP.performance.result.transaction.xml, which is no XML: "transaction 3: 41 8", latency and interval of each sample of a
 * co-simulation; the last one has no interval. */
HlsReport *
hls_report_parse_transactions (char      **lines,
                               const char *path,
                               GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "cosim", "Vitis HLS");
  g_autofree char *name = g_path_get_basename (path);
  const char *ending = strstr (name, ".performance.result.transaction");
  double sum = 0;
  guint n = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " \t"), *colon = strchr (line, ':');
      double latency, interval;

      if (!g_str_has_prefix (line, "transaction") || colon == NULL)
        continue;
      line = colon + 1 + strspn (colon + 1, " \t");
      latency = hls_report_number (line);
      line += strcspn (line, " \t");
      interval = hls_report_number (line);
      if (isnan (latency))
        continue;
      report->latency_min = fmin (report->latency_min, latency);
      report->latency_max = fmax (report->latency_max, latency);
      report->interval_min = fmin (report->interval_min, interval);
      report->interval_max = fmax (report->interval_max, interval);
      sum += latency;
      n++;
    }
  if (n == 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: no transaction has a latency", path);
      return NULL;
    }
  report->latency_average = sum / n;
  if (ending != NULL)
    hls_report_set_text (&report->top, name, ending - name);
  return g_steal_pointer (&report);
}

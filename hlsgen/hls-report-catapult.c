/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catapult's cycle.rpt (latency and throughput of each process) and rtl.rpt (area, components, critical path).
 *
 * Traps: -1 is unbounded; rtl.rpt has a section "Timing Report" as Vivado has; a design of several blocks has several scores,
 * of which that of the whole is the largest; the columns of the components depend on the library: those of an FPGA tell
 * DSP blocks and LUTs, those of an ASIC one score.
 */

#include "hls-report-private.h"

/* The @n numbers after the first word that ends in a name or a colon; what follows them is a comment. */
static gboolean
numbers_of_row (const char *line,
                guint       n,
                double     *numbers)
{
  g_autofree char *copy = g_strstrip (g_strdup (line));
  g_auto (GStrv) words = g_strsplit_set (copy, " \t", -1);
  guint found = 0;

  for (guint i = 1; words[i] != NULL && found < n; i++)
    {
      double number = hls_report_number (words[i]);

      if (!isnan (number))
        numbers[found++] = number;
      else if (found > 0 && *words[i] != '\0')
        return FALSE;
    }
  return found == n;
}

/* Process, operations, latency, throughput, length of reset, II: "Processes/Blocks in Design". -1 is unbounded. */
static void
read_process (HlsReport  *report,
              const char *line)
{
  double f[5];
  gboolean total = g_str_has_prefix (line, "Design Total:");

  if (!numbers_of_row (line, G_N_ELEMENTS (f), f))
    return;
  if (total)
    {
      report->latency_min = report->latency_max = f[1] >= 0 ? f[1] : NAN;
      report->interval_min = report->interval_max = f[2] >= 0 ? f[2] : NAN;
    }
  else
    {
      g_autofree char *name = g_strndup (line, strcspn (line, " \t"));
      HlsModule *module = hls_report_add_module (report, name);

      if (module == NULL)
        return;
      module->latency_min = module->latency_max = f[1] >= 0 ? f[1] : NAN;
      module->interval_min = module->interval_max = f[2] >= 0 ? f[2] : NAN;
      if (report->top == NULL && *name == '/')
        hls_report_set_text (&report->top, name + 1, strcspn (name + 1, "/"));
    }
}

/* "clk rising 3.330 20.00 0.000000 /top/run": the period is the first number. */
static void
read_clock (HlsReport  *report,
            const char *line)
{
  g_auto (GStrv) words = g_strsplit_set (line, " \t", -1);

  for (guint i = 1; words[i] != NULL; i++)
    if (g_ascii_isdigit (*words[i]))
      {
        if (isnan (report->clock_target_ns))
          report->clock_target_ns = hls_report_number (words[i]);
        return;
      }
}

/* The last number of a line: "Total Area Score:  560291.8  588659.5  586221.4", after scheduling, data path, assignment. */
static double
last_number (const char *line)
{
  g_auto (GStrv) words = g_strsplit_set (line, " \t", -1);
  double last = NAN;

  for (guint i = 0; words[i] != NULL; i++)
    if (!isnan (hls_report_number (words[i])))
      last = hls_report_number (words[i]);
  return last;
}

#define MAX_COLUMNS 8

/* What the columns after "Area Score" of the table of components count, as far as it is a resource; -1 otherwise. */
typedef struct {
  int    resource[MAX_COLUMNS];
  guint  n;
  double total; /* of the table: it counts where there is no score of the whole */
} Columns;

/* "Component Name   Area Score Area(DSP_BLOCKs) Area(LUTs) Area(MUX_CARRYs)   Delay ..." */
static void
read_component_titles (const char *line,
                       Columns    *columns)
{
  columns->n = 0;
  for (const char *at = strstr (line, "Area("); at != NULL && columns->n < MAX_COLUMNS; at = strstr (at + 1, "Area("))
    columns->resource[columns->n++] = g_str_has_prefix (at, "Area(DSP")   ? (int) NN_RESOURCE_DSP
                                      : g_str_has_prefix (at, "Area(LUT") ? (int) NN_RESOURCE_LUT
                                                                          : -1;
}

/* "TOTAL AREA (After Assignment):  1203.155  4.000  1203.000 ..." */
static void
read_component_total (HlsReport  *report,
                      Columns    *columns,
                      const char *line)
{
  const char *colon = strchr (line, ':');
  g_auto (GStrv) words = colon != NULL ? g_strsplit_set (colon + 1, " \t", -1) : NULL;
  guint column = 0;

  for (guint i = 0; words != NULL && words[i] != NULL && column <= columns->n; i++)
    if (*words[i] != '\0')
      {
        double number = hls_report_number (words[i]);
        double *amount = column > 0 && columns->resource[column - 1] >= 0
                         ? &report->resources.amount[columns->resource[column - 1]] : NULL;

        if (amount != NULL && number > *amount)
          *amount = number;
        if (column == 0)
          columns->total = fmax (columns->total, number);
        column++;
      }
}

/* Of the lines that stand outside the two tables of cycle.rpt. */
static void
read_other (HlsReport  *report,
            Columns    *columns,
            const char *line)
{
  const char *text = line + strspn (line, "- ");

  if (g_str_has_prefix (line, "Total Area Score:") && !isnan (last_number (line)))
    report->area = fmax (report->area, last_number (line));
  else if (g_str_has_prefix (line, "Component Name"))
    read_component_titles (line, columns);
  else if (g_str_has_prefix (line, "TOTAL AREA (After Assignment)"))
    read_component_total (report, columns, line);
  else if (g_str_has_prefix (line, "Max Delay:"))
    report->clock_estimated_ns = fmax (report->clock_estimated_ns, hls_report_time_ns (line + strlen ("Max Delay:")));
  else if (report->version == NULL && (g_str_has_prefix (text, "Version:") || g_str_has_prefix (text, "Catapult")))
    hls_report_set_text (&report->version, text + strcspn (text, "0123456789"), strcspn (text + strcspn (text, "0123456789"), " "));
}

HlsReport *
hls_report_parse_catapult (char      **lines,
                           const char *path,
                           GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "csynth", "Catapult");
  enum { NOWHERE, PROCESSES, CLOCK } section = NOWHERE;
  Columns columns = { .n = 0, .total = NAN };

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " \t");

      if (g_str_has_prefix (line, "Processes/Blocks in Design"))
        section = PROCESSES;
      else if (g_str_has_prefix (line, "Clock Information"))
        section = CLOCK;
      else if (*line == '\0')
        section = NOWHERE;
      else if (section == PROCESSES && (*line == '/' || g_str_has_prefix (line, "Design Total:")))
        read_process (report, line);
      else if (section == CLOCK && *line != '-' && !g_str_has_prefix (line, "Clock Signal"))
        read_clock (report, line);
      else if (section == NOWHERE || *line == 'T')
        read_other (report, &columns, line);
    }
  if (isnan (report->area))
    report->area = columns.total;
  if (isnan (report->latency_min) && isnan (report->interval_min) && isnan (report->area) && report->n_modules == 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: neither \"Design Total:\" nor \"Total Area Score:\" is in it", path);
      return NULL;
    }
  report->latency_ns_min = report->latency_ns_max = report->latency_min * report->clock_target_ns;
  return g_steal_pointer (&report);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Vivado's report_timing and report_timing_summary.
 *
 * Traps: with several clocks the one that matters is the one with the least slack; a clock without paths has empty cells, so
 * that columns are found by their dashes; paths of hold have slacks too, but ask for nothing; a design without constraints
 * has "NA" or "inf".
 */

#include "hls-report-private.h"

/* The worst clock, or path, so far. */
typedef struct {
  double      slack, period;
  double      design_slack; /* of the whole design, from the summary */
  gboolean    failed;       /* the report says so, of hold or pulse widths for example */
  char       *clock;
  GHashTable *periods;
} Timing;

static void
take_worse (Timing     *timing,
            double      slack,
            double      period,
            const char *clock)
{
  if (isnan (slack) || slack >= timing->slack)
    return;
  timing->slack = slack;
  timing->period = period;
  g_free (timing->clock);
  timing->clock = g_strdup (clock);
}

/* The cell of the column whose title has its dashes at @from to @to of the line below it. */
static double
cell_above (const char *line,
            gsize       from,
            gsize       to)
{
  if (strlen (line) < to || !g_ascii_isdigit (line[to - 1]))
    return NAN;
  while (from > 0 && line[from] != ' ')
    from--;
  return hls_report_number (line + from);
}

/* "Clock   WNS(ns)  TNS(ns) ...", dashes, and a row for each clock until an empty line. */
static void
read_clock_table (Timing *timing,
                  char  **lines)
{
  const char *title = strstr (lines[0], "WNS(ns)");
  gsize from = title - lines[0], to;

  if (lines[1] == NULL || strlen (lines[1]) <= from)
    return;
  to = from + strspn (lines[1] + from, "-");
  for (char **line = lines + 2; to > from && *line != NULL && (*line)[strspn (*line, " \t")] != '\0'; line++)
    {
      const char *start = *line + strspn (*line, " ");
      g_autofree char *clock = g_strndup (start, strcspn (start, " "));
      const double *period = g_hash_table_lookup (timing->periods, clock);

      take_worse (timing, cell_above (*line, from, to), period != NULL ? *period : NAN, clock);
    }
}

/* "Clock  Waveform(ns)  Period(ns)  Frequency(MHz)", dashes, and a row for each clock. */
static void
read_periods (Timing *timing,
              char  **lines)
{
  for (char **line = lines[1] != NULL ? lines + 2 : lines + 1; *line != NULL && strchr (*line, '}') != NULL; line++)
    {
      const char *start = *line + strspn (*line, " ");
      double *period = g_new (double, 1);

      *period = hls_report_number (strchr (*line, '}') + 1);
      g_hash_table_insert (timing->periods, g_strndup (start, strcspn (start, " ")), period);
    }
}

/* "Slack (VIOLATED) :  -0.250ns  (...)" and, lines below it, "Requirement:  5.000ns  (...)". */
static void
read_path (Timing *timing,
           char  **lines)
{
  const char *colon = strchr (lines[0], ':');
  const char *key = "Requirement:";

  for (char **line = lines + 1; colon != NULL && *line != NULL && (*line)[strspn (*line, " \t")] != '\0'; line++)
    {
      const char *found = strstr (*line, key);
      double requirement = found != NULL ? hls_report_number (found + strlen (key)) : NAN;

      if (requirement > 0) /* that of a path of hold is 0 */
        take_worse (timing, hls_report_number (colon + 1), requirement, NULL);
      if (found != NULL)
        return;
    }
}

static void
read_line (HlsReport *report,
           Timing    *timing,
           char     **lines)
{
  const char *line = lines[0] + strspn (lines[0], " \t");

  hls_report_vivado_header (report, lines[0]);
  if (g_str_has_prefix (line, "Slack"))
    read_path (timing, lines);
  else if (g_str_has_prefix (line, "WNS(ns)") && isnan (timing->design_slack) && lines[1] != NULL && lines[2] != NULL)
    timing->design_slack = hls_report_number (lines[2]);
  else if (g_str_has_prefix (line, "Clock ") && strstr (line, "Period(ns)") != NULL)
    read_periods (timing, lines);
  else if (g_str_has_prefix (line, "Clock ") && strstr (line, "WNS(ns)") != NULL)
    read_clock_table (timing, lines);
  else if (g_str_has_prefix (line, "Timing constraints are not met"))
    timing->failed = TRUE;
}

/* Of a single clock the period is known even where no path of it is in a table. */
static double
only_period (GHashTable *periods)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, periods);
  return g_hash_table_size (periods) == 1 && g_hash_table_iter_next (&iter, NULL, &value) ? *(double *) value : NAN;
}

HlsReport *
hls_report_parse_timing (char      **lines,
                         const char *path,
                         GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "timing", "Vivado");
  g_autoptr (GHashTable) periods = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Timing timing = { .slack = INFINITY, .period = NAN, .design_slack = NAN, .periods = periods };

  for (guint i = 0; lines[i] != NULL; i++)
    read_line (report, &timing, lines + i);
  g_free (timing.clock);
  if (!isnan (timing.design_slack))
    timing.slack = timing.design_slack;
  if (!isfinite (timing.slack))
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT,
                   "%s: no path has a slack: neither \"Slack\" nor a table with \"WNS(ns)\" says a number; is a clock constrained?", path);
      return NULL;
    }
  report->clock_target_ns = isnan (timing.period) ? only_period (periods) : timing.period;
  report->clock_estimated_ns = report->clock_target_ns - timing.slack;
  hls_report_set_stage (report, "timing");
  hls_report_judge_timing (report);
  if (timing.failed || timing.slack < 0)
    hls_report_set_status (report, HLS_REPORT_TIMING_FAILED);
  return g_steal_pointer (&report);
}

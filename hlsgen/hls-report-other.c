/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text reports of Quartus Prime (flow, fit and map summaries) and of Catapult (rtl.rpt, cycle.rpt). */

#include "hls-report-private.h"

/* M10K blocks of Cyclone V and Arria V; the newer families have M20K (Intel device handbooks). */
#define M10K_KBIT 10
#define M20K_KBIT 20

/* "15,839 / 32,070 ( 49 % )": what is used, and what there is. */
static void
used_of_available (const char *text,
                   double     *used,
                   double     *available)
{
  const char *slash = strchr (text, '/');

  *used = hls_report_or_unknown (hls_report_number (text));
  if (slash != NULL)
    *available = hls_report_or_unknown (hls_report_number (slash + 1));
}

static void
read_quartus_value (HlsReport  *report,
                    const char *key,
                    const char *value)
{
  static const struct { const char *key; NnResource resource; } rows[] = {
    { "Total registers", NN_RESOURCE_FF },
    { "Total RAM Blocks", NN_RESOURCE_BRAM },
    { "Total DSP Blocks", NN_RESOURCE_DSP },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (key, rows[i].key))
      used_of_available (value, &report->resources.amount[rows[i].resource], &report->available.amount[rows[i].resource]);
  if (g_str_equal (key, "Quartus Prime Version"))
    hls_report_set_text (&report->version, value, strcspn (value + strspn (value, " "), " ") + strspn (value, " "));
  else if (g_str_equal (key, "Device"))
    hls_report_set_text (&report->part, value, -1);
  else if (g_str_equal (key, "Top-level Entity Name"))
    hls_report_set_text (&report->top, value, -1);
  else if (g_str_equal (key, "Flow Status") || g_str_equal (key, "Fitter Status"))
    hls_report_set_text (&report->status, value, -1);
  else if (g_str_equal (key, "Family"))
    report->ram_kbit = strstr (value, " V") != NULL && strstr (value, "Stratix V") == NULL ? M10K_KBIT : M20K_KBIT;
}

/* Lines are "; Key ; value ;" in a .rpt and "Key : value" in a .summary. ALMs are no LUTs: what a report says of logic is
 * not taken over. */
HlsReport *
hls_report_parse_quartus (char      **lines,
                          const char *path,
                          GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "impl", "Quartus Prime");

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) cells = hls_report_cells (lines[i], ';');
      const char *colon = strstr (lines[i], " : ");

      if (cells != NULL && cells[1] != NULL && cells[2] == NULL)
        read_quartus_value (report, cells[0], cells[1]);
      else if (cells == NULL && colon != NULL)
        {
          g_autofree char *key = g_strstrip (g_strndup (lines[i], colon - lines[i]));

          read_quartus_value (report, key, colon + 3);
        }
    }
  if (report->resources.amount[NN_RESOURCE_FF] < 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: the line \"Total registers\" is missing", path);
      return NULL;
    }
  return g_steal_pointer (&report);
}

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

HlsReport *
hls_report_parse_catapult (char      **lines,
                           const char *path,
                           GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "csynth", "Catapult");
  enum { NOWHERE, PROCESSES, CLOCK } section = NOWHERE;
  double scores[3];

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
      else if (g_str_has_prefix (line, "Total Area Score:") && numbers_of_row (line, G_N_ELEMENTS (scores), scores))
        report->area = scores[2]; /* after assignment */
      else if (g_str_has_prefix (line, "Catapult") && report->version == NULL)
        hls_report_set_text (&report->version, line + strcspn (line, "0123456789"), -1);
    }
  if (isnan (report->latency_min) && isnan (report->interval_min) && isnan (report->area) && report->n_modules == 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: neither \"Design Total:\" nor \"Total Area Score:\" is in it",
                   path);
      return NULL;
    }
  report->latency_ns_min = report->latency_ns_max = report->latency_min * report->clock_target_ns;
  return g_steal_pointer (&report);
}

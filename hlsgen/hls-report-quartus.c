/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text reports of Quartus Prime: flow, map and fit (.rpt and .summary), and of its timing analyzer (.sta.rpt).
 *
 * Traps: ALMs are no LUTs, so they have a field of their own; a summary names the blocks of memory "Total RAM Blocks", the
 * tables of the fitter "M20K blocks"; what is not known yet is "N/A"; a clock has a row for each corner of the process.
 */

#include "hls-report-private.h"

/* M10K blocks of Cyclone V and Arria V, M9K of Cyclone IV, Arria II and MAX 10; the newer families and Stratix V have M20K (Intel
 * device handbooks). */
#define M9K_KBIT 9
#define M10K_KBIT 10
#define M20K_KBIT 20

/* "15,839 / 32,070 ( 49 % )": what is used, and what there is. The first that is known stays: tables repeat the summary. */
static void
used_of_available (const char *text,
                   double     *used,
                   double     *available)
{
  const char *slash = strchr (text, '/');
  double number = hls_report_number (text);

  if (!isnan (number) && !(*used >= 0))
    *used = number;
  if (slash != NULL && !isnan (number = hls_report_number (slash + 1)) && !(*available >= 0))
    *available = number;
}

static void
read_amount (HlsReport  *report,
             const char *key,
             const char *value)
{
  static const struct { const char *key; NnResource resource; double ram_kbit; } rows[] = {
    { "Total registers", NN_RESOURCE_FF, 0 },
    { "Total dedicated logic registers", NN_RESOURCE_FF, 0 },
    { "Dedicated logic registers", NN_RESOURCE_FF, 0 },
    { "Total RAM Blocks", NN_RESOURCE_BRAM, 0 },
    { "M20K blocks", NN_RESOURCE_BRAM, M20K_KBIT },
    { "M10K blocks", NN_RESOURCE_BRAM, M10K_KBIT },
    { "M9Ks", NN_RESOURCE_BRAM, M9K_KBIT },
    { "Total DSP Blocks", NN_RESOURCE_DSP, 0 },
    { "DSP Blocks Needed", NN_RESOURCE_DSP, 0 },
    { "DSP blocks needed", NN_RESOURCE_DSP, 0 },
    { "Combinational ALUT usage", NN_RESOURCE_LUT, 0 },
    { "Combinational ALUT usage for logic", NN_RESOURCE_LUT, 0 },
  };
  static const char *const alms[] = { "Logic utilization (in ALMs)", "Logic utilization (ALMs needed / total ALMs on device)",
                                      "ALMs needed", "Estimate of Logic utilization (ALMs needed)" };
  gsize length = strcspn (key, "[");

  while (length > 0 && key[length - 1] == ' ')
    length--;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strlen (rows[i].key) == length && strncmp (key, rows[i].key, length) == 0)
      {
        used_of_available (value, &report->resources.amount[rows[i].resource], &report->available.amount[rows[i].resource]);
        if (rows[i].ram_kbit > 0)
          report->ram_kbit = rows[i].ram_kbit;
      }
  for (guint i = 0; i < G_N_ELEMENTS (alms); i++)
    if (strlen (alms[i]) == length && strncmp (key, alms[i], length) == 0)
      used_of_available (value, &report->alms, &report->alms_available);
}

static double
ram_of_family (const char *family)
{
  if (strstr (family, "Cyclone V") != NULL || strstr (family, "Arria V") != NULL)
    return M10K_KBIT;
  if (strstr (family, "Cyclone IV") != NULL || strstr (family, "Arria II") != NULL || strstr (family, "MAX") != NULL)
    return M9K_KBIT;
  return M20K_KBIT;
}

static void
read_value (HlsReport  *report,
            const char *key,
            const char *value)
{
  static const struct { const char *key, *stage; } states[] = {
    { "Flow Status", "impl" }, { "Fitter Status", "impl" }, { "Analysis & Synthesis Status", "vsynth" },
    { "Synthesis Status", "vsynth" }, { "Timing Analyzer Status", "timing" },
  };

  read_amount (report, key, value);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    if (g_str_equal (key, states[i].key) && report->status == NULL)
      {
        hls_report_set_text (&report->status, value, -1);
        hls_report_set_stage (report, states[i].stage);
      }
  if (g_str_has_prefix (key, "Quartus") && g_str_has_suffix (key, "Version"))
    {
      const char *number = value + strcspn (value, "0123456789");

      hls_report_set_text (&report->version, number, strcspn (number, " "));
    }
  else if (g_str_equal (key, "Device") || g_str_equal (key, "Device Name"))
    hls_report_set_text (&report->part, value, -1);
  else if (g_str_equal (key, "Top-level Entity Name"))
    hls_report_set_text (&report->top, value, -1);
  else if (g_str_has_suffix (key, "Family") && isnan (report->ram_kbit))
    report->ram_kbit = ram_of_family (value);
}

/* Where a reader of a .sta.rpt stands: in which table, and the clock whose worst corner is the slowest. */
typedef struct {
  enum { NOWHERE, FMAX, CLOCKS, OTHER } table;
  GHashTable *periods; /* of the clocks, in ns: pointers to doubles */
  char       *slowest;
  double      fmax;
} Timing;

static void
read_timing_row (HlsReport *report,
                 Timing    *timing,
                 char     **cells)
{
  guint n = g_strv_length (cells);
  double number;

  if (n == 1)
    timing->table = g_str_has_suffix (cells[0], "Fmax Summary") ? FMAX : g_str_equal (cells[0], "Clocks") ? CLOCKS : OTHER;
  else if (timing->table == FMAX && n >= 3 && strstr (cells[0], "MHz") != NULL)
    {
      number = hls_report_number (cells[1]); /* what the block's own limits leave of it */
      if (!(number > 0) || (!isnan (timing->fmax) && number >= timing->fmax))
        return;
      timing->fmax = number;
      g_free (timing->slowest);
      timing->slowest = g_strdup (cells[2]);
    }
  else if (timing->table == CLOCKS && n >= 4 && (number = hls_report_number (cells[2])) > 0)
    {
      double *period = g_new (double, 1);

      *period = number;
      g_hash_table_insert (timing->periods, g_strdup (cells[0]), period);
    }
}

static void
finish_timing (HlsReport *report,
               Timing    *timing)
{
  const double *period = timing->slowest != NULL ? g_hash_table_lookup (timing->periods, timing->slowest) : NULL;

  if (timing->slowest == NULL)
    return;
  report->clock_estimated_ns = 1000 / timing->fmax;
  if (period != NULL)
    report->clock_target_ns = *period;
  hls_report_set_stage (report, "timing");
  hls_report_judge_timing (report);
}

/* Lines are "; Key ; value ;" in a .rpt and "Key : value" in a .summary. */
HlsReport *
hls_report_parse_quartus (char      **lines,
                          const char *path,
                          GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "impl", "Quartus Prime");
  g_autoptr (GHashTable) periods = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Timing timing = { .periods = periods, .fmax = NAN };

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) cells = hls_report_cells (lines[i], ';');
      const char *colon = strstr (lines[i], " : ");

      if (cells != NULL)
        {
          read_timing_row (report, &timing, cells);
          if (cells[1] != NULL)
            read_value (report, cells[0] + strspn (cells[0], " -"), cells[1]);
        }
      else if (colon != NULL)
        {
          g_autofree char *key = g_strstrip (g_strndup (lines[i], colon - lines[i]));

          read_value (report, key, colon + 3);
        }
    }
  finish_timing (report, &timing);
  g_free (timing.slowest);
  if (report->resources.amount[NN_RESOURCE_FF] < 0 && isnan (report->clock_estimated_ns))
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: neither the line \"Total registers\" nor a table \"Fmax Summary\" is in it",
                   path);
      return NULL;
    }
  return g_steal_pointer (&report);
}

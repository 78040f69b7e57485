/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Vivado's own reports: utilization (flat, by hierarchy, and of a Vitis platform's kernels) and the short one of an HLS export.
 *
 * Traps: a "Block RAM Tile" has 36 Kb, two of our halves, while the export report counts halves; LUTs are "CLB LUTs",
 * "Slice LUTs" with or without a "*"; Versal has plain "Registers" and "DSP Slices"; 2021 added a column, so columns are
 * found by their titles; a device's name lacks its dashes.
 */

#include "hls-report-private.h"

/* Rows of a hierarchy deeper than this are cells, not modules. */
#define MAX_LEVEL 5
#define INDENT 2

/* "| Device       : xcvu9pflgb2104-2" */
static gboolean
header_value (const char *line,
              const char *key,
              char      **field)
{
  if (!g_str_has_prefix (line, "| ") || !g_str_has_prefix (line + 2, key))
    return FALSE;
  line += 2 + strlen (key);
  line += strspn (line, " ");
  if (*line != ':')
    return FALSE;
  hls_report_set_text (field, line + 1, -1);
  return TRUE;
}

/* "Vivado v.2019.2 (lin64) Build 2708876 ..." */
static void
read_version (HlsReport  *report,
              const char *text)
{
  const char *v = strstr (text, "v.");

  if (v != NULL)
    hls_report_set_text (&report->version, v + 2, strcspn (v + 2, " \t"));
}

void
hls_report_vivado_header (HlsReport  *report,
                          const char *line)
{
  g_autofree char *tool = NULL;
  g_autofree char *state = NULL;

  if (header_value (line, "Tool Version", &tool) && tool != NULL)
    read_version (report, tool);
  else if (header_value (line, "Device", &report->part) || header_value (line, "Design State", &state))
    {
      /* "Fully Placed", "Routed", "Physopt postRoute" */
      if (state != NULL && (strstr (state, "Placed") != NULL || strstr (state, "Routed") != NULL || strstr (state, "post") != NULL))
        hls_report_set_stage (report, "impl");
    }
  else if (g_str_has_prefix (line, "| Design  "))
    header_value (line, "Design", &report->top);
}

/* Titles of rows, without the star that refers to a warning. */
static gboolean
row_resource (const char *title,
              NnResource *resource)
{
  static const struct { const char *title; NnResource resource; } titles[] = {
    { "CLB LUTs", NN_RESOURCE_LUT }, { "Slice LUTs", NN_RESOURCE_LUT },
    { "CLB Registers", NN_RESOURCE_FF }, { "Slice Registers", NN_RESOURCE_FF }, { "Registers", NN_RESOURCE_FF },
    { "Block RAM Tile", NN_RESOURCE_BRAM }, { "URAM", NN_RESOURCE_URAM },
    { "DSPs", NN_RESOURCE_DSP }, { "DSP Slices", NN_RESOURCE_DSP },
  };
  g_autofree char *plain = g_strdup (title);

  plain[strcspn (plain, "*")] = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    if (g_str_equal (plain, titles[i].title))
      {
        *resource = titles[i].resource;
        return TRUE;
      }
  return FALSE;
}

static void
read_flat_row (HlsReport *report,
               char     **cells,
               int        used,
               int        available)
{
  int n = g_strv_length (cells);
  NnResource resource;
  double scale;

  if (used < 0 || used >= n || !row_resource (cells[0], &resource) || report->resources.amount[resource] >= 0)
    return;
  scale = resource == NN_RESOURCE_BRAM ? 2 : 1; /* a tile is two halves */
  report->resources.amount[resource] = scale * hls_report_or_zero (hls_report_number (cells[used]));
  if (available >= 0 && available < n)
    {
      double number = hls_report_number (cells[available]);

      report->available.amount[resource] = isnan (number) ? -1 : scale * number;
    }
}

static int
find_title (char      **cells,
            const char *title)
{
  for (guint i = 0; cells[i] != NULL; i++)
    if (g_str_equal (cells[i], title))
      return i;
  return -1;
}

/* Columns of a report by hierarchy. */
typedef struct {
  int lut, ff, ramb36, ramb18, uram, dsp;
} Hierarchy;

static gboolean
read_hierarchy_titles (char     **cells,
                       Hierarchy *titles)
{
  titles->lut = find_title (cells, "Total LUTs");
  titles->ff = find_title (cells, "FFs");
  titles->ramb36 = find_title (cells, "RAMB36");
  titles->ramb18 = find_title (cells, "RAMB18");
  titles->uram = find_title (cells, "URAM");
  titles->dsp = -1;
  for (const char *const *title = (const char *const[]){ "DSP48 Blocks", "DSP Blocks", "DSP Slices", "DSPs", NULL }; *title != NULL; title++)
    titles->dsp = MAX (titles->dsp, find_title (cells, *title));
  return titles->lut > 0;
}

static double
hierarchy_amount (char **cells,
                  int    column)
{
  return column >= 0 && column < (int) g_strv_length (cells) ? hls_report_or_zero (hls_report_number (cells[column])) : -1;
}

static void
read_hierarchy_row (HlsReport       *report,
                    const char      *line,
                    char           **cells,
                    const Hierarchy *titles)
{
  const char *bar = strchr (line, '|');
  guint indent = strspn (bar + 1, " ");
  double ramb36 = hierarchy_amount (cells, titles->ramb36), ramb18 = hierarchy_amount (cells, titles->ramb18);
  NnResources amounts = { { 0 } };
  HlsModule *module;

  amounts.amount[NN_RESOURCE_LUT] = hierarchy_amount (cells, titles->lut);
  amounts.amount[NN_RESOURCE_FF] = hierarchy_amount (cells, titles->ff);
  amounts.amount[NN_RESOURCE_BRAM] = ramb36 < 0 || ramb18 < 0 ? -1 : 2 * ramb36 + ramb18;
  amounts.amount[NN_RESOURCE_URAM] = hierarchy_amount (cells, titles->uram);
  amounts.amount[NN_RESOURCE_DSP] = hierarchy_amount (cells, titles->dsp);
  if (report->resources.amount[NN_RESOURCE_LUT] < 0)
    report->resources = amounts;
  else if (indent <= 1 + INDENT * MAX_LEVEL && *cells[0] != '(' && (module = hls_report_add_module (report, cells[0])) != NULL)
    module->resources = amounts;
}

/* A row of report_accelerator_utilization: "|    Used Resources | 96775 [  6.28%] | ..."; LUT, LUTAsMem, REG, BRAM, URAM, DSP. Its
 * memories are tiles. What the platform itself takes is no part of the design. */
static void
read_kernel_row (HlsReport *report,
                 char     **cells)
{
  static const int columns[NN_N_RESOURCES] = {
    [NN_RESOURCE_LUT] = 1, [NN_RESOURCE_FF] = 3, [NN_RESOURCE_BRAM] = 4, [NN_RESOURCE_URAM] = 5, [NN_RESOURCE_DSP] = 6,
  };
  NnResources amounts;
  HlsModule *module;

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    amounts.amount[r] = hls_report_or_unknown (hls_report_number (cells[columns[r]]) * (r == NN_RESOURCE_BRAM ? 2 : 1));
  if (g_str_equal (cells[0], "Used Resources"))
    report->resources = amounts;
  else if (g_str_equal (cells[0], "User Budget"))
    report->available = amounts;
  else if (!g_str_equal (cells[0], "Platform") && !g_str_equal (cells[0], "Unused Resources") && amounts.amount[NN_RESOURCE_LUT] >= 0
           && (module = hls_report_add_module (report, cells[0])) != NULL)
    module->resources = amounts;
}

HlsReport *
hls_report_parse_utilization (char      **lines,
                              const char *path,
                              GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "vsynth", "Vivado");
  Hierarchy hierarchy = { .lut = -1 };
  int used = -1, available = -1;
  gboolean kernels = FALSE;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) cells = NULL;

      hls_report_vivado_header (report, lines[i]);
      if ((cells = hls_report_cells (lines[i], '|')) == NULL)
        continue;
      if (g_str_equal (cells[0], "Name") && find_title (cells, "LUTAsMem") == 2 && g_strv_length (cells) == 7)
        kernels = TRUE;
      else if (kernels && g_strv_length (cells) == 7)
        read_kernel_row (report, cells);
      else if (g_str_equal (cells[0], "Site Type"))
        {
          used = find_title (cells, "Used");
          available = find_title (cells, "Available");
        }
      else if (g_str_equal (cells[0], "Instance") && hierarchy.lut < 0)
        read_hierarchy_titles (cells, &hierarchy);
      else if (hierarchy.lut > 0 && g_strv_length (cells) > 2)
        read_hierarchy_row (report, lines[i], cells, &hierarchy);
      else
        read_flat_row (report, cells, used, available);
    }
  if (report->resources.amount[NN_RESOURCE_LUT] < 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT,
                   "%s: no table of utilization has a row \"CLB LUTs\" or \"Slice LUTs\"; the report is cut off or of something else", path);
      return NULL;
    }
  report->ram_kbit = 18;
  return g_steal_pointer (&report);
}

/* "LUT:          60776" and the like, after an HLS tool has run Vivado. */
HlsReport *
hls_report_parse_export (char      **lines,
                         const char *path,
                         GError    **error)
{
  g_autoptr (HlsReport) report = hls_report_new (path, "vsynth", "Vivado");

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " \t");
      const char *colon = strchr (line, ':');
      g_autofree char *key = colon != NULL ? g_strndup (line, colon - line) : NULL;
      NnResource resource;

      if (strstr (line, "Post-Implementation") != NULL)
        hls_report_set_stage (report, "impl");
      if (key == NULL)
        continue;
      if (g_str_equal (key, "Implementation tool"))
        read_version (report, colon);
      else if (g_str_equal (key, "Device target"))
        hls_report_set_text (&report->part, colon + 1, -1);
      else if (g_str_equal (key, "CP required"))
        report->clock_target_ns = hls_report_number (colon + 1);
      else if (g_str_has_prefix (key, "CP achieved"))
        report->clock_estimated_ns = hls_report_number (colon + 1);
      else if (hls_report_resource (key, &resource))
        report->resources.amount[resource] = hls_report_or_unknown (hls_report_number (colon + 1));
    }
  if (report->resources.amount[NN_RESOURCE_LUT] < 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: the line \"LUT:\" is missing", path);
      return NULL;
    }
  hls_report_judge_timing (report);
  report->ram_kbit = 18;
  return g_steal_pointer (&report);
}

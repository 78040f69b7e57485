/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers, cells and the report value itself. */

#include "hls-report-private.h"

#include "nn-text.h"

/* A number longer than this is no number. */
#define MAX_DIGITS 48

static NnResources
unknown_resources (void)
{
  NnResources unknown;

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    unknown.amount[r] = -1;
  return unknown;
}

HlsReport *
hls_report_new (const char *path,
                const char *stage,
                const char *tool)
{
  HlsReport *report = g_new0 (HlsReport, 1);

  report->path = g_strdup (path);
  report->stage = g_strdup (stage);
  report->tool = g_strdup (tool);
  report->clock_target_ns = report->clock_estimated_ns = report->clock_uncertainty_ns = NAN;
  report->latency_min = report->latency_average = report->latency_max = NAN;
  report->interval_min = report->interval_max = NAN;
  report->latency_ns_min = report->latency_ns_max = NAN;
  report->ram_kbit = report->area = report->alms = report->alms_available = NAN;
  report->resources = report->available = unknown_resources ();
  return report;
}

void
hls_report_free (HlsReport *report)
{
  if (report == NULL)
    return;
  for (guint i = 0; i < report->n_modules; i++)
    g_free (report->modules[i].name);
  g_free (report->modules);
  g_free (report->path);
  g_free (report->stage);
  g_free (report->status);
  g_free (report->pipeline);
  g_free (report->tool);
  g_free (report->version);
  g_free (report->part);
  g_free (report->top);
  g_free (report);
}

HlsModule *
hls_report_add_module (HlsReport  *report,
                       const char *name)
{
  HlsModule *module;

  if (report->n_modules >= HLS_REPORT_MAX_MODULES)
    return NULL;
  report->modules = g_renew (HlsModule, report->modules, report->n_modules + 1);
  module = &report->modules[report->n_modules++];
  module->name = g_utf8_make_valid (name, -1);
  module->resources = unknown_resources ();
  module->latency_min = module->latency_max = NAN;
  module->interval_min = module->interval_max = NAN;
  return module;
}

/* Sets @field to the trimmed, valid text; the first one that is not empty stays. */
void
hls_report_set_text (char      **field,
                     const char *text,
                     gssize      n)
{
  g_autofree char *copy = g_utf8_make_valid (text, n);

  g_strstrip (copy);
  if (*field == NULL && *copy != '\0')
    *field = g_steal_pointer (&copy);
}

/* Separators of thousands that tools write in some language: a comma, a point, an apostrophe, a blank or a fixed blank. */
static gsize
separator_length (const char *p)
{
  static const char *const blanks[] = { "\xc2\xa0", "\xe2\x80\xaf" };

  if (*p == ',' || *p == '.' || *p == '\'')
    return 1;
  for (guint i = 0; i < G_N_ELEMENTS (blanks); i++)
    if (g_str_has_prefix (p, blanks[i]))
      return strlen (blanks[i]);
  return 0;
}

/* How a number is written: its last separator, how often that one stands, and how many digits follow it. */
typedef struct {
  char  last;
  guint n_last, n_kinds, n_after;
} Separators;

static Separators
look_at_separators (const char *p)
{
  Separators found = { 0 };

  while (g_ascii_isdigit (*p) || (separator_length (p) > 0 && g_ascii_isdigit (p[separator_length (p)])))
    if (g_ascii_isdigit (*p))
      {
        found.n_after++;
        p++;
      }
    else
      {
        found.n_kinds += *p != found.last;
        found.n_last = *p == found.last ? found.n_last + 1 : 1;
        found.n_after = 0;
        found.last = *p;
        p += separator_length (p);
      }
  return found;
}

/* A point is one of decimals unless there are several; a comma is one of thousands unless it stands alone and not before
 * three digits; of two kinds the last one is that of decimals. */
static gboolean
is_decimal (const Separators *found)
{
  if (found->last != ',' && found->last != '.')
    return FALSE;
  if (found->n_last > 1)
    return FALSE;
  return found->n_kinds > 1 || found->last == '.' || found->n_after != 3;
}

/* Copies the digits of @cell, the separator of decimals as a point and the others left out; where they end. */
static const char *
copy_digits (const char *cell,
             char       *digits,
             gsize      *n)
{
  Separators separators = look_at_separators (cell);
  guint seen = 0;
  gsize length;

  if (*cell == '.' && g_ascii_isdigit (cell[1]))
    digits[(*n)++] = '0';
  while (*n < MAX_DIGITS)
    if (g_ascii_isdigit (*cell))
      digits[(*n)++] = *cell++;
    else if ((length = separator_length (cell)) > 0 && g_ascii_isdigit (cell[length]))
      {
        if (*cell == separators.last && ++seen == separators.n_last && is_decimal (&separators))
          digits[(*n)++] = '.';
        cell += length;
      }
    else
      break;
  return cell;
}

double
hls_report_number (const char *cell)
{
  char digits[2 * MAX_DIGITS + 1];
  gsize n = 0;
  double number;

  cell += strspn (cell, " \t<>~"); /* "< 1 %", "~0" */
  if (*cell == '-' || *cell == '+')
    digits[n++] = *cell++;
  if (!g_ascii_isdigit (*cell) && *cell != '.')
    return NAN;
  cell = copy_digits (cell, digits, &n);
  if ((*cell == 'e' || *cell == 'E') && (g_ascii_isdigit (cell[1]) || ((cell[1] == '-' || cell[1] == '+') && g_ascii_isdigit (cell[2]))))
    for (digits[n++] = *cell++; n < 2 * MAX_DIGITS && (g_ascii_isdigit (*cell) || *cell == '-' || *cell == '+'); cell++)
      digits[n++] = *cell;
  digits[n] = '\0';
  return nn_text_to_double (digits, &number) && isfinite (number) ? number : NAN;
}

void
hls_report_set_stage (HlsReport  *report,
                      const char *stage)
{
  g_free (report->stage);
  report->stage = g_strdup (stage);
}

void
hls_report_set_status (HlsReport  *report,
                       const char *status)
{
  g_free (report->status);
  report->status = g_strdup (status);
}

void
hls_report_judge_timing (HlsReport *report)
{
  if (!isnan (report->clock_target_ns) && !isnan (report->clock_estimated_ns))
    hls_report_set_status (report, report->clock_estimated_ns > report->clock_target_ns ? HLS_REPORT_TIMING_FAILED
                                                                                         : HLS_REPORT_TIMING_MET);
}

double
hls_report_time_ns (const char *cell)
{
  static const struct { const char *unit; double ns; } units[] = {
    { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "sec", 1e9 }, { "ps", 1e-3 },
  };
  double number = hls_report_number (cell);

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (strstr (cell, units[i].unit) != NULL)
      return number * units[i].ns;
  return number;
}

double
hls_report_or_unknown (double number)
{
  return number >= 0 ? number : -1;
}

double
hls_report_or_zero (double number)
{
  return number >= 0 ? number : 0;
}

gboolean
hls_report_is_vivado_hls (const char *version)
{
  guint64 year = g_ascii_strtoull (version, NULL, 10);

  return year > 0 && (year < 2020 || g_str_has_prefix (version, "2020.1"));
}

char **
hls_report_cells (const char *line,
                  char        bar)
{
  const char separator[2] = { bar, '\0' };
  g_auto (GStrv) parts = NULL;
  g_autoptr (GPtrArray) cells = NULL;
  guint n;

  while (g_ascii_isspace (*line))
    line++;
  if (*line != bar)
    return NULL;
  parts = g_strsplit (line, separator, -1);
  n = g_strv_length (parts);
  if (n < 3)
    return NULL;
  cells = g_ptr_array_new ();
  for (guint i = 1; i + 1 < n; i++)
    g_ptr_array_add (cells, g_strstrip (g_strdup (parts[i])));
  g_ptr_array_add (cells, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&cells), FALSE);
}

/* Titles of all tools. "RAMs" are Intel's memory blocks. */
gboolean
hls_report_resource (const char *title,
                     NnResource *resource)
{
  static const struct { const char *title; NnResource resource; } titles[] = {
    { "DSP", NN_RESOURCE_DSP }, { "DSP48E", NN_RESOURCE_DSP }, { "DSPs", NN_RESOURCE_DSP }, { "DSP48E1", NN_RESOURCE_DSP },
    { "DSP48E2", NN_RESOURCE_DSP }, { "DSP58", NN_RESOURCE_DSP }, { "DSP Blocks", NN_RESOURCE_DSP },
    { "BRAM_18K", NN_RESOURCE_BRAM }, { "BRAM", NN_RESOURCE_BRAM }, { "RAMs", NN_RESOURCE_BRAM }, { "ram", NN_RESOURCE_BRAM },
    { "LUT", NN_RESOURCE_LUT }, { "ALUTs", NN_RESOURCE_LUT }, { "alut", NN_RESOURCE_LUT },
    { "FF", NN_RESOURCE_FF }, { "FFs", NN_RESOURCE_FF }, { "reg", NN_RESOURCE_FF },
    { "URAM", NN_RESOURCE_URAM }, { "dsp", NN_RESOURCE_DSP },
  };
  g_autofree char *trimmed = g_strstrip (g_strdup (title));

  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    if (g_str_equal (trimmed, titles[i].title))
      {
        *resource = titles[i].resource;
        return TRUE;
      }
  return FALSE;
}

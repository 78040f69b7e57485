/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tool reports of all formats: told apart by their content, as files of a project's folder are. */

#include "fuzz.h"

#include "hls-report.h"

#include <math.h>
#include <string.h>

/* The name decides for JSON that has one object a line. */
static void
check (const char *text,
       gsize       n,
       const char *name)
{
  g_autoptr (HlsReport) report = hls_report_parse (text, n, name, NULL);

  if (report == NULL)
    return;
  g_assert_nonnull (report->stage);
  g_assert_nonnull (report->tool);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    g_assert_false (isnan (report->resources.amount[r]) || isnan (report->available.amount[r]));
  for (guint i = 0; i < report->n_modules; i++)
    g_assert_true (g_utf8_validate (report->modules[i].name, -1, NULL));
  g_assert_true (report->part == NULL || g_utf8_validate (report->part, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  check (text, size, "report.rpt");
  check (text, strlen (text), "report.ndjson");
  return 0;
}

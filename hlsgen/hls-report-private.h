/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers of the several formats share. */

#pragma once

#include "hls-report.h"

#include <math.h>
#include <string.h>

G_BEGIN_DECLS

/* More of anything than this is no report of a real design, and is left out. */
#define HLS_REPORT_MAX_MODULES 20000

/* What is said of a design by its slack. */
#define HLS_REPORT_TIMING_MET "timing met"
#define HLS_REPORT_TIMING_FAILED "timing failed"

HlsReport *hls_report_new        (const char *path,
                                  const char *stage,
                                  const char *tool);
/* The new module's figures are unknown; NULL when there are too many. It moves when the next one is added. */
HlsModule *hls_report_add_module (HlsReport  *report,
                                  const char *name);
void       hls_report_set_text   (char      **field,
                                  const char *text,
                                  gssize      n);

void       hls_report_set_stage  (HlsReport  *report,
                                  const char *stage);
void       hls_report_set_status (HlsReport  *report,
                                  const char *status);
/* Sets the status by the clock that was asked for and the one that was reached. */
void       hls_report_judge_timing (HlsReport *report);
/* One line of the head of a report of Vivado's: version, device, design, and whether it is placed. */
void       hls_report_vivado_header (HlsReport  *report,
                                     const char *line);

/* The number a cell begins with ("29 (~0%)", "5.00 ns", "15,839 / 32,070", "< 1"): NaN for "-", "?", "undef", "NA". */
double     hls_report_number     (const char *cell);
/* The same of a time with its unit, in ns; a bare number is in ns already. */
double     hls_report_time_ns    (const char *cell);
double     hls_report_or_unknown (double      number); /* -1 for NaN */
double     hls_report_or_zero    (double      number);

/* Vivado HLS became Vitis HLS with 2020.2. */
gboolean   hls_report_is_vivado_hls (const char *version);

/* Cells of "| a | b |", trimmed. (transfer full) (zero-terminated); NULL where @line is no row of a table. */
char     **hls_report_cells      (const char *line,
                                  char        bar);
/* Which resource a column's or element's title speaks of: "DSP48E", "BRAM_18K", "ALUTs ". */
gboolean   hls_report_resource   (const char *title,
                                  NnResource *resource);

/* One reader a format. They get the whole file, NUL-terminated, split into lines where it is text. */
HlsReport *hls_report_parse_xml         (const char *text, gsize n, const char *path, GError **error);
HlsReport *hls_report_parse_json        (const char *text, gsize n, const char *path, GError **error);
HlsReport *hls_report_parse_csynth      (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_summary     (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_cosim       (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_transactions (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_utilization (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_timing      (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_export      (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_quartus     (char **lines, const char *path, GError **error);
HlsReport *hls_report_parse_catapult    (char **lines, const char *path, GError **error);

G_END_DECLS

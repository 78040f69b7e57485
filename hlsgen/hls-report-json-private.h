/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers of the several JSON reports share. */

#pragma once

#include "hls-report-private.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Members of an object: NaN and NULL where there is none, or one of another kind. */
double hls_json_number (JsonNode *node);
double hls_json_member_number (JsonObject *object, const char *name);
const char *hls_json_member_string (JsonObject *object, const char *name);
JsonArray *hls_json_member_array (JsonObject *object, const char *name);
JsonObject *hls_json_member_object (JsonObject *object, const char *name);

void hls_report_set_tool (HlsReport *report, const char *tool);
/* The worst of all loops and blocks counts: cycles of latency, interval, and the clock in MHz. */
void hls_report_worst_loop (HlsReport *report, double latency, double interval, double mhz);

/* hls-report-intel.c */
void hls_intel_read_estimate_row (HlsReport *report, JsonObject *row, JsonArray *columns, GPtrArray *tasks);
void hls_intel_read_estimates (HlsReport *report, JsonObject *table);
void hls_intel_read_area (HlsReport *report, JsonObject *object);
void hls_intel_read_basic_blocks (HlsReport *report, JsonObject *blocks);
void hls_intel_read_info (HlsReport *report, JsonArray *rows);
void hls_intel_read_fit (HlsReport *report, JsonObject *summary);
void hls_intel_read_fit_clock (HlsReport *report, JsonObject *summary);

/* hls-report-hls4ml.c */
void hls_hls4ml_read_section (HlsReport *report, JsonObject *section, double bram_scale);
void hls_hls4ml_read_oneapi (HlsReport *report, JsonObject *object);
void hls_hls4ml_read_simulation (HlsReport *report, JsonObject *object);

G_END_DECLS

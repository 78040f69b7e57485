/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tools report, in one form: Vivado HLS, Vitis HLS, Vivado, Quartus, oneAPI, Catapult. */

#pragma once

#include "hls-error.h"
#include "nn-graph.h"
#include "nn-resources.h"

G_BEGIN_DECLS

/* Numbers are NaN (or negative in NnResources) where the report does not say. */
typedef struct {
  char       *name;
  NnResources resources;
  double      latency_min, latency_max;   /* cycles */
  double      interval_min, interval_max;
} HlsModule; /* one row of a report: name, and its figures where the report says them */

/**
 * HlsReport:
 * @stage: "csynth", "vsynth", "impl", "timing" or "cosim"
 * @status: (nullable): of a co-simulation: "Pass", "Fail"; of a Quartus run: its status line; of an analysis of the timing:
 *   "timing met", "timing failed"
 * @pipeline: (nullable): how the tool says the design works: "dataflow", "function", "yes", "no", "none"
 * @clock_uncertainty_ns: what the tool kept of the period for itself
 * @ram_kbit: size of what `resources` counts as BRAM: 18 (Xilinx), 20 or 10 (Intel's M20K and M10K), NaN where unknown
 * @area: of an ASIC library's own units (Catapult's score), NaN elsewhere
 * @alms: of Intel's parts, which Quartus counts logic in; NaN elsewhere
 */
typedef struct {
  char       *path;
  char       *stage;
  char       *status;
  char       *pipeline;
  char       *tool, *version;
  char       *part;
  char       *top;
  double      clock_target_ns, clock_estimated_ns, clock_uncertainty_ns;
  double      latency_min, latency_average, latency_max; /* cycles */
  double      interval_min, interval_max;
  double      latency_ns_min, latency_ns_max;
  NnResources resources;     /* BRAM in 18 Kb halves, whatever the report counts in (Intel: its own blocks) */
  NnResources available;
  double      ram_kbit;
  double      area;
  double      alms, alms_available;
  HlsModule  *modules;
  guint       n_modules;
} HlsReport;

HlsReport *hls_report_read   (const char *path, /* a file, or a folder in which the reports are looked for */
                              GError    **error) G_GNUC_WARN_UNUSED_RESULT;
/* Every report below a folder, or the one file. (transfer full) (element-type HlsReport) */
GPtrArray *hls_reports_find  (const char *path,
                              GError    **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same from memory; @path only names it. */
HlsReport *hls_report_parse  (const char *text,
                              gsize       n,
                              const char *path,
                              GError    **error) G_GNUC_WARN_UNUSED_RESULT;
/* The module of layer @number of an emitted project (the node's index in the lowered graph), by the name of its
 * configuration in the module's: "dense_latency_..._config5_s". Of several the one that holds the others. (nullable) */
const HlsModule *hls_report_layer (const HlsReport *report,
                                   guint            number);
/* The module of node @i of a design's lowered graph. Projects of other writers number otherwise: there the first dense layer
 * is the first, and so on, as long as there is a module for each layer of a kind. (nullable) */
const HlsModule *hls_report_node  (const HlsReport *report,
                                   const NnGraph   *graph,
                                   guint            i);
void       hls_report_free   (HlsReport  *report);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsReport, hls_report_free)

G_END_DECLS

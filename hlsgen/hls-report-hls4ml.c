/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What hls4ml writes of reports that it has read. It stores Vivado's tiles of 36 Kb under the name of the halves. */

#include "hls-report-json-private.h"

/* What hls4ml's parse_vivado_report() returns, under the names of its keys. */
void
hls_hls4ml_read_section (HlsReport  *report,
                         JsonObject *section,
                         double      bram_scale)
{
  static const struct { const char *key; NnResource resource; } keys[] = {
    { "DSP", NN_RESOURCE_DSP }, { "DSP48E", NN_RESOURCE_DSP }, { "BRAM_18K", NN_RESOURCE_BRAM }, { "LUT", NN_RESOURCE_LUT },
    { "FF", NN_RESOURCE_FF }, { "URAM", NN_RESOURCE_URAM },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *available = g_strconcat ("Available", keys[i].key, NULL);
      double scale = keys[i].resource == NN_RESOURCE_BRAM ? bram_scale : 1;
      double used = scale * hls_json_member_number (section, keys[i].key), have = scale * hls_json_member_number (section, available);

      if (used >= 0)
        report->resources.amount[keys[i].resource] = used;
      if (have >= 0)
        report->available.amount[keys[i].resource] = have;
    }
  report->clock_target_ns = hls_json_member_number (section, "TargetClockPeriod");
  report->clock_estimated_ns = hls_json_member_number (section, "EstimatedClockPeriod");
  report->latency_min = hls_json_member_number (section, json_object_has_member (section, "LatencyMin") ? "LatencyMin" : "BestLatency");
  report->latency_max = hls_json_member_number (section, json_object_has_member (section, "LatencyMax") ? "LatencyMax" : "WorstLatency");
  report->interval_min = hls_json_member_number (section, "IntervalMin");
  report->interval_max = hls_json_member_number (section, "IntervalMax");
  report->ram_kbit = 18;
}

/* hls4ml's form of a oneAPI report: {"HLS": {"total": {...}, "available": {...}}, "Loop": {...}}. */
void
hls_hls4ml_read_oneapi (HlsReport  *report,
                        JsonObject *object)
{
  JsonObject *hls = hls_json_member_object (object, "HLS"), *loop = hls_json_member_object (object, "Loop");
  JsonObject *parts[2] = { hls != NULL ? hls_json_member_object (hls, "total") : NULL,
                           hls != NULL ? hls_json_member_object (hls, "available") : NULL };
  NnResources *amounts[2] = { &report->resources, &report->available };

  for (guint k = 0; k < 2; k++)
    {
      g_autoptr (GList) members = parts[k] != NULL ? json_object_get_members (parts[k]) : NULL;
      NnResource resource;

      for (GList *l = members; l != NULL; l = l->next)
        if (hls_report_resource (l->data, &resource))
          amounts[k]->amount[resource] = hls_report_or_unknown (hls_json_member_number (parts[k], l->data));
    }
  if (loop != NULL)
    hls_report_worst_loop (report, hls_json_member_number (loop, "worstLatency"), hls_json_member_number (loop, "worstII"),
                           hls_json_member_number (loop, "worstFrequency"));
}

/* rtl_sim_TOP_report.json, which newer scripts of hls4ml write of a co-simulation. */
void
hls_hls4ml_read_simulation (HlsReport  *report,
                            JsonObject *object)
{
  JsonObject *latency = hls_json_member_object (object, "latency"), *interval = hls_json_member_object (object, "initiation_interval");

  if (latency == NULL || interval == NULL)
    return;
  report->latency_min = hls_json_member_number (latency, "min");
  report->latency_average = hls_json_member_number (latency, "avg");
  report->latency_max = hls_json_member_number (latency, "max");
  report->interval_min = hls_json_member_number (interval, "min");
  report->interval_max = hls_json_member_number (interval, "max");
  report->ram_kbit = NAN;
  hls_report_set_stage (report, "cosim");
  hls_report_set_tool (report, "hls4ml");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csynth.xml of Vivado HLS and Vitis HLS, 2018.2 to 2025.1; export_syn.xml and export_impl.xml, which they write when Vivado has run.
 *
 * Traps: the multiplier element is DSP48E up to 2020.1 and DSP after it; latencies may be "undef"; the interval of a
 * module is a number or a <range>; a loop's own name may be any element, so that elements are known by their whole path. Of an
 * export, memories are halves ("BRAM" counts RAMB18), modules have attributes, and an amount of 0 is left out.
 */

#include "hls-report-private.h"

/* Deeper than any report nests; a file that goes on is refused before it costs memory. */
#define MAX_DEPTH 64

typedef struct {
  HlsReport *report;
  GString   *path;                /* "AreaEstimates/Resources/LUT", the root left out */
  gsize      lengths[MAX_DEPTH];  /* of the path above each open element */
  guint      depth;
  GString   *text;
  GString   *module_name;
  HlsModule  module;              /* the one that is being read; its name is NULL */
} Reader;

static const char *
attribute (const char **names,
           const char **values,
           const char  *name)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], name))
      return values[i];
  return NULL;
}

/* What an export says of a module by attributes: <RtlModule CELL="inst/fc1" DEPTH="1" ORIG_REF_NAME="dense_config2_s"> and in it
 * <Resources LUT="12" FF="3"/>. The design itself, of depth 0, is no module. */
static void
read_attributes (Reader      *reader,
                 const char **names,
                 const char **values)
{
  const char *path = reader->path->str, *text;
  NnResource resource;

  if (g_str_equal (path, "RtlModules/RtlModule"))
    {
      text = attribute (names, values, "ORIG_REF_NAME");
      if (text == NULL)
        text = attribute (names, values, "CELL");
      if (text != NULL && g_strcmp0 (attribute (names, values, "DEPTH"), "0") != 0)
        g_string_assign (reader->module_name, text);
    }
  else if (g_str_equal (path, "RtlModules/RtlModule/Resources"))
    {
      for (NnResource r = 0; r < NN_N_RESOURCES; r++)
        reader->module.resources.amount[r] = 0;
      for (guint i = 0; names[i] != NULL; i++)
        if (hls_report_resource (names[i], &resource))
          reader->module.resources.amount[resource] = hls_report_or_zero (hls_report_number (values[i]));
    }
  else if (g_str_equal (path, "GeneralInfo/item") && g_strcmp0 (attribute (names, values, "NAME"), "Target device") == 0
           && (text = attribute (names, values, "VALUE")) != NULL)
    hls_report_set_text (&reader->report->part, text, -1);
}

static void
start_element (GMarkupParseContext *context,
               const char          *name,
               const char         **attributes,
               const char         **values,
               gpointer             data,
               GError             **error)
{
  Reader *reader = data;

  if (reader->depth >= MAX_DEPTH)
    {
      g_set_error (error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "elements are nested deeper than %d", MAX_DEPTH);
      return;
    }
  if (reader->depth == 0 && !g_str_equal (name, "profile"))
    {
      g_set_error (error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT,
                   "the root element is <%s>; only <profile> of a csynth report is known", name);
      return;
    }
  reader->lengths[reader->depth++] = reader->path->len;
  if (reader->depth > 1)
    g_string_append_printf (reader->path, "%s%s", reader->path->len > 0 ? "/" : "", name);
  read_attributes (reader, attributes, values);
  g_string_truncate (reader->text, 0);
}

/* Where the figures of a design and of a module are alike: @path is relative to either. */
static gboolean
read_figure (const char  *path,
             const char  *text,
             NnResources *resources,
             double      *latency_min,
             double      *latency_max,
             double      *interval_min,
             double      *interval_max)
{
  const char *latency = "PerformanceEstimates/SummaryOfOverallLatency/";
  const char *area = "AreaEstimates/Resources/";
  NnResource resource;

  if (g_str_has_prefix (path, area) && hls_report_resource (path + strlen (area), &resource))
    resources->amount[resource] = hls_report_or_unknown (hls_report_number (text));
  else if (g_str_has_prefix (path, latency))
    {
      const char *name = path + strlen (latency);
      double number = hls_report_number (text);

      if (g_str_equal (name, "Best-caseLatency"))
        *latency_min = number;
      else if (g_str_equal (name, "Worst-caseLatency"))
        *latency_max = number;
      else if (g_str_equal (name, "Interval-min") || g_str_equal (name, "PipelineInitiationInterval/range/min"))
        *interval_min = number;
      else if (g_str_equal (name, "Interval-max") || g_str_equal (name, "PipelineInitiationInterval/range/max"))
        *interval_max = number;
      else if (g_str_equal (name, "PipelineInitiationInterval") && isnan (*interval_min))
        *interval_min = *interval_max = number;
      else
        return FALSE;
    }
  else
    return FALSE;
  return TRUE;
}

/* Of an export: what Vivado was run for, and what came out. FALSE where @path is of something else. */
static gboolean
read_export (HlsReport  *report,
             const char *path,
             const char *text)
{
  const char *used = "AreaReport/Resources/", *available = "AreaReport/AvailableResources/";
  NnResource resource;

  if (g_str_has_prefix (path, used) && hls_report_resource (path + strlen (used), &resource))
    report->resources.amount[resource] = hls_report_or_unknown (hls_report_number (text));
  else if (g_str_has_prefix (path, available) && hls_report_resource (path + strlen (available), &resource))
    report->available.amount[resource] = hls_report_or_unknown (hls_report_number (text));
  else if (g_str_equal (path, "RunData/RUN_TYPE"))
    hls_report_set_stage (report, strstr (text, "impl") != NULL ? "impl" : "vsynth");
  else if (g_str_equal (path, "RunData/VIVADO_VERSION"))
    hls_report_set_text (&report->version, text + strcspn (text, "0123456789"), -1);
  else if (g_str_equal (path, "TimingReport/TargetClockPeriod"))
    report->clock_target_ns = hls_report_number (text);
  else if (g_str_equal (path, "TimingReport/AchievedClockPeriod"))
    report->clock_estimated_ns = hls_report_number (text);
  else
    return FALSE;
  return TRUE;
}

static void
read_design (Reader     *reader,
             const char *path,
             const char *text)
{
  HlsReport *report = reader->report;
  const char *available = "AreaEstimates/AvailableResources/";
  NnResource resource;

  if (read_figure (path, text, &report->resources, &report->latency_min, &report->latency_max, &report->interval_min,
                   &report->interval_max)
      || read_export (report, path, text))
    return;
  if (g_str_has_prefix (path, available) && hls_report_resource (path + strlen (available), &resource))
    report->available.amount[resource] = hls_report_or_unknown (hls_report_number (text));
  else if (g_str_equal (path, "ReportVersion/Version"))
    hls_report_set_text (&report->version, text, -1);
  else if (g_str_equal (path, "UserAssignments/Part"))
    hls_report_set_text (&report->part, text, -1);
  else if (g_str_equal (path, "UserAssignments/TopModelName"))
    hls_report_set_text (&report->top, text, -1);
  else if (g_str_equal (path, "UserAssignments/TargetClockPeriod"))
    report->clock_target_ns = hls_report_number (text);
  else if (g_str_equal (path, "UserAssignments/ClockUncertainty"))
    report->clock_uncertainty_ns = hls_report_number (text);
  else if (g_str_equal (path, "PerformanceEstimates/PipelineType"))
    hls_report_set_text (&report->pipeline, text, -1);
  else if (g_str_equal (path, "PerformanceEstimates/SummaryOfOverallLatency/Average-caseLatency"))
    report->latency_average = hls_report_number (text);
  else if (g_str_equal (path, "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"))
    report->clock_estimated_ns = hls_report_number (text);
  else if (g_str_equal (path, "PerformanceEstimates/SummaryOfOverallLatency/Best-caseRealTimeLatency"))
    report->latency_ns_min = hls_report_time_ns (text);
  else if (g_str_equal (path, "PerformanceEstimates/SummaryOfOverallLatency/Worst-caseRealTimeLatency"))
    report->latency_ns_max = hls_report_time_ns (text);
}

static void
module_clear (Reader *reader)
{
  g_string_truncate (reader->module_name, 0);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    reader->module.resources.amount[r] = -1;
  reader->module.latency_min = reader->module.latency_max = NAN;
  reader->module.interval_min = reader->module.interval_max = NAN;
}

static void
end_element (GMarkupParseContext *context,
             const char          *name,
             gpointer             data,
             GError             **error)
{
  Reader *reader = data;
  const char *in_module = "ModuleInformation/Module/";
  const char *path = reader->path->str;
  HlsModule *m = &reader->module;

  if (g_str_equal (path, "ModuleInformation/Module/Name"))
    g_string_assign (reader->module_name, reader->text->str);
  else if (g_str_has_prefix (path, in_module))
    read_figure (path + strlen (in_module), reader->text->str, &m->resources, &m->latency_min, &m->latency_max,
                 &m->interval_min, &m->interval_max);
  else if (g_str_equal (path, "ModuleInformation/Module") || g_str_equal (path, "RtlModules/RtlModule"))
    {
      /* Vitis lists the design itself among its modules */
      gboolean is_top = reader->module_name->len == 0 || g_strcmp0 (reader->report->top, reader->module_name->str) == 0;
      HlsModule *module = is_top ? NULL : hls_report_add_module (reader->report, reader->module_name->str);

      if (module != NULL)
        {
          char *own = module->name;

          *module = *m;
          module->name = own;
        }
      module_clear (reader);
    }
  else
    read_design (reader, path, reader->text->str);
  g_string_truncate (reader->path, reader->lengths[--reader->depth]);
  g_string_truncate (reader->text, 0);
}

static void
text_found (GMarkupParseContext *context,
            const char          *text,
            gsize                n,
            gpointer             data,
            GError             **error)
{
  g_string_append_len (((Reader *) data)->text, text, n);
}

HlsReport *
hls_report_parse_xml (const char *text,
                      gsize       n,
                      const char *path,
                      GError    **error)
{
  static const GMarkupParser parser = { .start_element = start_element, .end_element = end_element, .text = text_found };
  g_autoptr (HlsReport) report = hls_report_new (path, "csynth", "Vitis HLS");
  Reader reader = { .report = report };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, &reader, NULL);
  g_autoptr (GError) local = NULL;
  gboolean done;

  reader.path = g_string_new (NULL);
  reader.text = g_string_new (NULL);
  reader.module_name = g_string_new (NULL);
  module_clear (&reader);
  done = g_markup_parse_context_parse (context, text, n, &local) && g_markup_parse_context_end_parse (context, &local);
  g_string_free (reader.path, TRUE);
  g_string_free (reader.text, TRUE);
  g_string_free (reader.module_name, TRUE);
  if (!done)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT, "%s: %s", path, local->message);
      return NULL;
    }
  if (report->top == NULL && report->resources.amount[NN_RESOURCE_LUT] < 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_REPORT,
                   "%s: neither <TopModelName> nor <AreaEstimates> is in it; this is no csynth report", path);
      return NULL;
    }
  if (!g_str_equal (report->stage, "csynth"))
    {
      g_free (report->tool);
      report->tool = g_strdup ("Vivado");
      hls_report_judge_timing (report);
    }
  else if (report->version != NULL ? hls_report_is_vivado_hls (report->version) : strstr (text, "<DSP48E>") != NULL)
    {
      g_free (report->tool);
      report->tool = g_strdup ("Vivado HLS");
    }
  report->ram_kbit = 18;
  return g_steal_pointer (&report);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports of versions and families that the shared folder has none of, in their layout with numbers of our own, and what is
 * to be read from them. The layouts follow the vendors' manuals (UG835, UG906, UG1399, UG1393; Quartus Prime's and Catapult's
 * handbooks) and snippets of public projects.
 */

#include "hls-report.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* One figure or text of a report by a short name; a number that is unknown is "-". */
static char *
value_of (const HlsReport *report,
          const char      *key)
{
  static const struct { const char *key; gsize offset; } numbers[] = {
    { "target", G_STRUCT_OFFSET (HlsReport, clock_target_ns) }, { "reached", G_STRUCT_OFFSET (HlsReport, clock_estimated_ns) },
    { "lat", G_STRUCT_OFFSET (HlsReport, latency_min) }, { "latmax", G_STRUCT_OFFSET (HlsReport, latency_max) },
    { "latavg", G_STRUCT_OFFSET (HlsReport, latency_average) }, { "ii", G_STRUCT_OFFSET (HlsReport, interval_min) },
    { "iimax", G_STRUCT_OFFSET (HlsReport, interval_max) }, { "ns", G_STRUCT_OFFSET (HlsReport, latency_ns_max) },
    { "kbit", G_STRUCT_OFFSET (HlsReport, ram_kbit) }, { "area", G_STRUCT_OFFSET (HlsReport, area) },
    { "alms", G_STRUCT_OFFSET (HlsReport, alms) }, { "have_alms", G_STRUCT_OFFSET (HlsReport, alms_available) },
  };
  static const struct { const char *key; gsize offset; } texts[] = {
    { "tool", G_STRUCT_OFFSET (HlsReport, tool) }, { "version", G_STRUCT_OFFSET (HlsReport, version) },
    { "stage", G_STRUCT_OFFSET (HlsReport, stage) }, { "status", G_STRUCT_OFFSET (HlsReport, status) },
    { "part", G_STRUCT_OFFSET (HlsReport, part) }, { "top", G_STRUCT_OFFSET (HlsReport, top) },
    { "pipeline", G_STRUCT_OFFSET (HlsReport, pipeline) },
  };
  const NnResources *amounts = g_str_has_prefix (key, "have_") ? &report->available : &report->resources;
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  double number = NAN;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (key, texts[i].key))
      return g_strdup (G_STRUCT_MEMBER (char *, report, texts[i].offset));
  if (g_str_equal (key, "modules"))
    number = report->n_modules;
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (g_str_equal (key, numbers[i].key))
      number = G_STRUCT_MEMBER (double, report, numbers[i].offset);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (g_str_equal (amounts == &report->available ? key + strlen ("have_") : key, nn_resource_name (r)))
      number = amounts->amount[r] < 0 ? NAN : amounts->amount[r];
  return isnan (number) ? g_strdup ("-") : g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.7g", number));
}

/* @expected: "dsp=4|lut=100|...", or "error=..." with a part of the message. */
static void
check (const char *name,
       const char *path,
       const char *text,
       const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = hls_report_parse (text, strlen (text), path, &error);
  g_auto (GStrv) pairs = g_strsplit (expected, "|", -1);

  g_test_message ("%s", name);
  if (g_str_has_prefix (expected, "error="))
    {
      g_assert_null (report);
      g_assert_error (error, HLS_ERROR, HLS_ERROR_REPORT);
      if (strstr (error->message, expected + strlen ("error=")) == NULL)
        g_error ("%s: \"%s\" does not say \"%s\"", name, error->message, expected + strlen ("error="));
      return;
    }
  g_assert_no_error (error);
  for (guint i = 0; pairs[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);
      g_autofree char *seen = value_of (report, pair[0]);

      if (g_strcmp0 (seen, pair[1]) != 0)
        g_error ("%s: %s is %s, expected %s", name, pair[0], seen, pair[1]);
    }
}

typedef struct {
  const char *name, *path, *text, *expected;
} Variant;

static void
check_all (gconstpointer data)
{
  for (const Variant *v = data; v->name != NULL; v++)
    check (v->name, v->path, v->text, v->expected);
}

/* ---- Vivado: utilization ---- */

#define HEAD(version, device, state) \
  "Copyright 1986-2022 Xilinx, Inc. All Rights Reserved. Copyright 2022-2025 Advanced Micro Devices, Inc.\n" \
  "| Tool Version : Vivado v." version " (lin64) Build 6140274 Wed May 21 22:58:25 MDT 2025\n" \
  "| Command      : report_utilization -file util.rpt\n| Design       : myproject\n| Device       : " device "\n" \
  "| Design State : " state "\n\n"

static const Variant utilization[] = {
  { "Versal", "util.rpt",
    HEAD ("2025.1", "xcv80-lsva4737-2MHP-e-S", "Physopt postRoute")
    "Utilization Design Information\n\n1. Netlist Logic\n----------------\n"
    "|          Site Type         |  Used  | Fixed | Prohibited | Available | Util% |\n"
    "| Registers                  | 233693 | 34745 |          0 |   5148416 |  4.54 |\n"
    "|   Register as Flip Flop    | 233692 | 34745 |          0 |   5148416 |  4.54 |\n"
    "|   Register as Latch        |      1 |     0 |          0 |   5148416 | <0.01 |\n"
    "| CLB LUTs                   | 116420 | 22905 |          0 |   2574208 |  4.52 |\n"
    "|   LUT as Logic             |  99622 | 18725 |          0 |   2574208 |  3.87 |\n"
    "3. BLOCKRAM\n-----------\n"
    "|         Site Type        | Used | Fixed | Prohibited | Available | Util% |\n"
    "| Block RAM Tile           | 87.5 |     0 |          0 |      3741 |  2.34 |\n"
    "|   RAMB36E5               |   87 |     0 |          0 |      3741 |  2.33 |\n"
    "|   RAMB18E5               |    1 |     0 |          0 |      7482 |  0.01 |\n"
    "| URAM                     |    3 |     0 |          0 |      1925 |  0.16 |\n"
    "4. ARITHMETIC\n-------------\n"
    "|      Site Type     | Used | Fixed | Prohibited | Available | Util% |\n"
    "| DSP Slices         |   12 |     0 |          0 |     10848 |  0.11 |\n"
    "|   DSP58            |   10 |     0 |            |           |       |\n"
    "|   DSPFP32          |    2 |     0 |            |           |       |\n",
    "tool=Vivado|version=2025.1|stage=impl|part=xcv80-lsva4737-2MHP-e-S|top=myproject|dsp=12|bram=175|lut=116420|ff=233693|uram=3|"
    "have_dsp=10848|have_bram=7482|have_uram=1925|have_lut=2574208|kbit=18" },
  { "7 series, starred, without a column Prohibited", "util.rpt",
    HEAD ("2018.3", "7z020clg400-1", "Synthesized")
    "Utilization Design Information\n"
    "|          Site Type         | Used | Fixed | Available | Util% |\n"
    "| Slice LUTs*                | 1526 |     0 |     53200 |  2.87 |\n"
    "| Slice Registers            | 2428 |     0 |    106400 |  2.28 |\n"
    "| Block RAM Tile |  0.5 |     0 |       140 |  0.36 |\n"
    "| DSPs           |   66 |     0 |       220 | 30.00 |\n"
    "|   DSP48E1 only |   66 |       |           |       |\n",
    "stage=vsynth|version=2018.3|dsp=66|bram=1|lut=1526|ff=2428|uram=-|have_bram=280|have_dsp=220" },
  { "only the tables, no head", "util.rpt",
    "| Site Type | Used | Fixed | Prohibited | Available | Util% |\n| CLB LUTs* | 10 | 0 | 0 | 100 | 10.00 |\n| CLB Registers | 20 | 0 | 0 | 200 | 10.00 |\n",
    "stage=vsynth|lut=10|ff=20|dsp=-|have_lut=100" },
  { "no available LUTs: a part without a licence", "util.rpt",
    HEAD ("2022.2", "xcku115-flvb2104-2-i", "Optimized")
    "Utilization Design Information\n| Site Type | Used | Fixed | Prohibited | Available | Util% |\n| CLB LUTs | 7 | 0 | 0 | | |\n",
    "lut=7|have_lut=-|stage=vsynth" },
  { "cut off before the table", "util.rpt", HEAD ("2023.2", "xcvu9p", "Synthesized") "Utilization Design Information\n\n1. CLB Logic\n---",
    "error=cut off" },
  { "by hierarchy, Versal, with percentages", "hier.rpt",
    HEAD ("2024.2", "xcvc1902-vsva2197-2MP-e-S", "Routed")
    "Utilization Design Information\n1. Utilization by Hierarchy\n"
    "|     Instance     |   Module   |  Total LUTs |  Logic LUTs | LUTRAMs |   SRLs   |     FFs     |  RAMB36  |  RAMB18  |   URAM   | DSP Slices |\n"
    "| myproject        |      (top) | 1000(0.11%) |  900(0.10%) | 0(0.0%) | 100(0.1%)| 2000(0.11%) | 2(0.21%) | 3(0.16%) | 1(0.22%) |   4(0.20%) |\n"
    "|   (myproject)    |      (top) |    1(0.01%) |    1(0.01%) | 0(0.0%) |   0(0.0%)|    1(0.01%) | 0(0.00%) | 0(0.00%) | 0(0.00%) |   0(0.00%) |\n"
    "|   dense_config2  | dense_c2   |  999(0.11%) |  899(0.10%) | 0(0.0%) | 100(0.1%)| 1999(0.11%) | 2(0.21%) | 3(0.16%) | 1(0.22%) |   4(0.20%) |\n",
    "stage=impl|lut=1000|ff=2000|bram=7|uram=1|dsp=4|modules=1" },
  { "kernels of a Vitis platform", "kernel_util_routed.rpt",
    "| Tool Version : Vivado v.2022.2 (lin64) Build 3671981\n| Command      : report_accelerator_utilization -file kernel_util_routed.rpt\n"
    "| Design       : level0_wrapper\n| Device       : xcu250-figd2104-2L-e\n| Design State : Routed\n\n1. System Utilization\n"
    "| Name                | LUT               | LUTAsMem         | REG               | BRAM           | URAM           | DSP             |\n"
    "| Platform            |  184531 [ 10.69%] |  20000 [  2.53%] |  250000 [  7.23%] | 367 [ 13.65%]  |  10 [  0.78%]  |    13 [  0.11%] |\n"
    "| User Budget         | 1541677 [100.00%] | 770000 [100.00%] | 3200000 [100.00%] | 2321 [100.00%] | 1270 [100.00%] | 12275 [100.00%] |\n"
    "|    Used Resources   |   96775 [  6.28%] |   8000 [  1.04%] |  120000 [  3.75%] | 20.5 [  0.88%] |   4 [  0.31%]  |   512 [  4.17%] |\n"
    "|    Unused Resources | 1444902 [ 93.72%] | 762000 [ 98.96%] | 3080000 [ 96.25%] | 2300 [ 99.12%] | 1266 [ 99.69%] | 11763 [ 95.83%] |\n"
    "| myproject_kernel    |   96775 [  6.28%] |   8000 [  1.04%] |  120000 [  3.75%] | 20.5 [  0.88%] |   4 [  0.31%]  |   512 [  4.17%] |\n",
    "stage=impl|version=2022.2|lut=96775|ff=120000|bram=41|uram=4|dsp=512|have_bram=4642|have_dsp=12275|modules=1" },
  { NULL },
};

/* ---- Vivado, run by an HLS tool ---- */

#define EXPORT(type, achieved) \
  "<profile>\n<RunData>\n  <RUN_TYPE>" type "</RUN_TYPE>\n  <VIVADO_VERSION>v.2022.2</VIVADO_VERSION>\n</RunData>\n" \
  "<TimingReport>\n  <TargetClockPeriod>5.000</TargetClockPeriod>\n  <AchievedClockPeriod>" achieved "</AchievedClockPeriod>\n" \
  "  <CP_SYNTH>3.100</CP_SYNTH>\n</TimingReport>\n" \
  "<AreaReport>\n  <Resources>\n    <BRAM>3</BRAM>\n    <CLB>0</CLB>\n    <DSP>12</DSP>\n    <FF>868</FF>\n    <LUT>1200</LUT>\n    <SRL>7</SRL>\n" \
  "    <URAM>0</URAM>\n  </Resources>\n  <AvailableResources>\n    <BRAM>280</BRAM>\n    <DSP>220</DSP>\n    <FF>106400</FF>\n    <LUT>53200</LUT>\n" \
  "  </AvailableResources>\n</AreaReport>\n<RtlModules>\n  <RtlModule CELL=\"inst\" DEPTH=\"0\"><Resources LUT=\"1200\"/></RtlModule>\n" \
  "  <RtlModule CELL=\"inst/grp_fc1_U0\" DEPTH=\"1\" ORIG_REF_NAME=\"dense_config2_s\">\n    <SubModules count=\"1\">mul</SubModules>\n" \
  "    <Resources BRAM=\"2\" DSP=\"10\" LUT=\"900\"/>\n    <LocalResources LUT=\"1\"/>\n  </RtlModule>\n" \
  "  <RtlModule CELL=\"inst/empty\" DEPTH=\"1\"/>\n</RtlModules>\n" \
  "<GeneralInfo NAME=\"General Information\"><item NAME=\"Target device\" VALUE=\"xc7z020-clg400-1\"/></GeneralInfo>\n</profile>\n"

static const Variant export[] = {
  { "after logic synthesis", "export_syn.xml", EXPORT ("synth", "3.100"),
    "tool=Vivado|stage=vsynth|version=2022.2|part=xc7z020-clg400-1|target=5|reached=3.1|status=timing met|dsp=12|bram=3|ff=868|lut=1200|uram=0|"
    "have_bram=280|have_dsp=220|kbit=18|modules=2" },
  { "placed, and the clock missed", "export_impl.xml", EXPORT ("impl", "5.250"), "stage=impl|reached=5.25|status=timing failed|dsp=12" },
  { "no path between registers", "export_syn.xml", EXPORT ("synth", "NA"), "stage=vsynth|target=5|reached=-|lut=1200" },
  { "as text, with modules", "myproject_export.rpt",
    "\n\nImplementation tool: Xilinx Vivado v.2025.1\nProject:             myproject_prj\nSolution:            solution1\nDevice target:       xc7z007s-clg400-1\n"
    "Report date:         Sun Jan 18 18:55:09 CET 2026\n\n#=== Modules Info ===\nMODULE CELL\n  NAME=inst/fc1\n  RESOURCES:\n    LUT=7\n    FF=9\n\n"
    "#=== Post-Implementation Resource usage ===\nSLICE:           38\nLUT:            104\nFF:             131\nDSP:              0\nBRAM:             1\n"
    "URAM:             0\nLATCH:            0\nSRL:              0\nCLB:              0\n\n#=== Final timing ===\nCP required:                     8.000\n"
    "CP achieved post-synthesis:      7.127\nCP achieved post-implementation: 8.439\nTiming not met\n",
    "tool=Vivado|version=2025.1|stage=impl|part=xc7z007s-clg400-1|lut=104|ff=131|dsp=0|bram=1|uram=0|target=8|reached=8.439|status=timing failed" },
  { "cut off", "export_syn.xml", "<profile><RunData><RUN_TYPE>synth</RUN_TYPE></RunData>", "error=export_syn.xml" },
  { NULL },
};

/* ---- Vivado: timing ---- */

#define SUMMARY_TITLES \
  "Timing Summary Report\n| Design Timing Summary\n\n" \
  "    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)\n" \
  "    -------      -------  ---------------------  -------------------      -------\n"
#define CLOCKS \
  "Clock             Waveform(ns)       Period(ns)      Frequency(MHz)\n" \
  "-----             ------------       ----------      --------------\n" \
  "clk_pl_0          {0.000 5.000}      10.000          100.000         \n" \
  "  clk_out1        {0.000 1.667}      3.333           300.000         \n" \
  "  clk_fb          {0.000 25.000}     50.000          20.000          \n\n"

static const Variant timing[] = {
  { "several clocks, the second fails, one without paths", "timing.rpt",
    HEAD ("2023.1", "xczu7ev-ffvc1156-2-e", "Routed") SUMMARY_TITLES
    "     -0.250       -1.500                      6                 1234        0.050\n\n\nTiming constraints are not met.\n\n" CLOCKS
    "Clock             WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)     WPWS(ns)\n"
    "-----             -------      -------  ---------------------  -------------------      -------     --------\n"
    "clk_pl_0            2.034        0.000                      0                11034        0.036        4.725\n"
    "  clk_out1         -0.250       -1.500                      6                 1034        0.010        1.125\n"
    "  clk_fb                                                                                               48.50\n\n",
    "tool=Vivado|stage=timing|version=2023.1|target=3.333|reached=3.583|status=timing failed" },
  { "one clock, met", "timing.rpt",
    HEAD ("2019.2", "xcvu9p-flga2104", "Routed") SUMMARY_TITLES
    "      1.048        0.000                      0                 9999        0.031\n\n\nAll user specified timing constraints are met.\n\n"
    "Clock   Waveform(ns)       Period(ns)      Frequency(MHz)\n-----   ------------       ----------      --------------\n"
    "ap_clk  {0.000 2.500}      5.000           200.000\n\n",
    "target=5|reached=3.952|status=timing met" },
  { "setup is met but not hold", "timing.rpt",
    HEAD ("2021.2", "xcvu9p-flga2104", "Routed") SUMMARY_TITLES
    "      1.000        0.000                      0                 9999       -0.031\n\nTiming constraints are not met.\n\n"
    "Clock   Waveform(ns)       Period(ns)      Frequency(MHz)\n-----   ------------       ----------      --------------\n"
    "ap_clk  {0.000 2.500}      5.000           200.000\n\n",
    "target=5|reached=4|status=timing failed" },
  { "paths of two groups and one of hold", "timing.rpt",
    "| Tool Version      : Vivado v.2020.1 (lin64)\nTiming Report\n\n"
    "Slack (MET) :             0.500ns  (required time - arrival time)\n  Path Group:             fast\n  Requirement:            2.500ns  (x)\n\n"
    "Slack (VIOLATED) :        -0.300ns  (required time - arrival time)\n  Path Group:             ap_clk\n  Requirement:            5.000ns  (x)\n\n"
    "Slack (VIOLATED) :        -0.900ns  (arrival time - required time)\n  Path Type:              Hold (Min at Fast Process Corner)\n"
    "  Requirement:            0.000ns  (x)\n",
    "target=5|reached=5.3|status=timing failed" },
  { "no constraint", "timing.rpt",
    HEAD ("2022.1", "xcvu9p", "Routed") SUMMARY_TITLES
    "         NA           NA                     NA                   NA           NA\n", "error=is a clock constrained" },
  { "slack is infinite", "timing.rpt", "Timing Report\n\nSlack:                    inf\n  Source: a\n\n", "error=is a clock constrained" },
  { NULL },
};

/* ---- csynth ---- */

#define XML(version, dsp, latency, rest) \
  "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<profile>\n<section name=\"x\" level=\"0\"><item name=\"i\"/></section>\n" \
  "<ReportVersion><Version>" version "</Version></ReportVersion>\n" \
  "<UserAssignments><unit>ns</unit><ProductFamily>versalaicore</ProductFamily><Part>xcvc1902-vsva2197-2MP-e-S</Part>" \
  "<TopModelName>myproject</TopModelName><TargetClockPeriod>3.33</TargetClockPeriod><ClockUncertainty>0.90</ClockUncertainty>" \
  "<FlowTarget>vivado</FlowTarget></UserAssignments>\n" \
  "<PerformanceEstimates><PipelineType>no</PipelineType><SummaryOfTimingAnalysis><unit>ns</unit>" \
  "<EstimatedClockPeriod>2.431</EstimatedClockPeriod></SummaryOfTimingAnalysis><SummaryOfOverallLatency><unit>clock cycles</unit>" \
  latency "</SummaryOfOverallLatency></PerformanceEstimates>\n" \
  "<AreaEstimates><Resources><BRAM_18K>3</BRAM_18K><" dsp ">7</" dsp "><FF>70</FF><LUT>700</LUT><URAM>1</URAM></Resources>" \
  "<AvailableResources><BRAM_18K>1934</BRAM_18K><" dsp ">1968</" dsp "><FF>1799680</FF><LUT>899840</LUT><URAM>463</URAM>" \
  "</AvailableResources></AreaEstimates>\n" rest "</profile>\n"

#define UNDEF \
  "<Best-caseLatency>undef</Best-caseLatency><Average-caseLatency>undef</Average-caseLatency>" \
  "<Worst-caseLatency>undef</Worst-caseLatency><Interval-min>undef</Interval-min><Interval-max>undef</Interval-max>"

#define MODULES \
  "<ModuleInformation><Module><Name>dense_config2</Name><PerformanceEstimates><SummaryOfTimingAnalysis>" \
  "<EstimatedClockPeriod>2.4</EstimatedClockPeriod></SummaryOfTimingAnalysis><SummaryOfOverallLatency>" \
  "<Best-caseLatency>4</Best-caseLatency><Worst-caseLatency>9</Worst-caseLatency>" \
  "<PipelineInitiationInterval><range><min>1</min><max>8</max></range></PipelineInitiationInterval></SummaryOfOverallLatency>" \
  "<SummaryOfLoopLatency><LUT><TripCount>5</TripCount><Latency>5</Latency></LUT></SummaryOfLoopLatency></PerformanceEstimates>" \
  "<AreaEstimates><Resources><DSP>5</DSP><AVAIL_DSP>1968</AVAIL_DSP><UTIL_DSP>~0</UTIL_DSP><FF>50</FF><LUT>500</LUT></Resources></AreaEstimates></Module>" \
  "<Module><Name>relu_config3</Name><PerformanceEstimates><SummaryOfOverallLatency>" UNDEF \
  "</SummaryOfOverallLatency></PerformanceEstimates><AreaEstimates><Resources><FF>5</FF><LUT>60</LUT></Resources></AreaEstimates></Module>" \
  "<Module><Name>myproject</Name><AreaEstimates><Resources><LUT>700</LUT></Resources></AreaEstimates></Module></ModuleInformation>"

static const Variant csynth[] = {
  { "XML of 2025.1 for Versal", "csynth.xml",
    XML ("2025.1", "DSP", "<Best-caseLatency>10</Best-caseLatency><Average-caseLatency>12</Average-caseLatency>"
         "<Worst-caseLatency>14</Worst-caseLatency><Best-caseRealTimeLatency>33.300 ns</Best-caseRealTimeLatency>"
         "<Worst-caseRealTimeLatency>1.234 us</Worst-caseRealTimeLatency><Interval-min>1</Interval-min><Interval-max>3</Interval-max>", MODULES),
    "tool=Vitis HLS|version=2025.1|part=xcvc1902-vsva2197-2MP-e-S|dsp=7|bram=3|uram=1|ff=70|lut=700|lat=10|latavg=12|latmax=14|ii=1|iimax=3|"
    "ns=1234|target=3.33|reached=2.431|have_uram=463|modules=2|pipeline=no" },
  { "latencies undef", "csynth.xml", XML ("2023.2", "DSP", UNDEF, ""), "lat=-|latmax=-|ii=-|dsp=7|modules=0" },
  { "Vivado HLS' DSP48E", "csynth.xml", XML ("2019.1", "DSP48E", UNDEF, ""), "tool=Vivado HLS|dsp=7|have_dsp=1968" },
  { "cut off", "csynth.xml", "<profile><ReportVersion><Version>2022.1</Version></ReportVersion><AreaEstimates><Resources><LUT>70",
    "error=csynth.xml" },
  { "text of Vitis, latency in another unit, shares", "myproject_csynth.rpt",
    "================================================================\n== Vitis HLS Report for 'myproject'\n"
    "* Date:           Thu\n* Version:        2024.2 (Build 5238294 on Nov  8 2024)\n* Target device:  xcu50-fsvh2104-2-e\n"
    "== Performance Estimates\n+ Timing: \n    * Summary: \n    |  Clock |  Target | Estimated| Uncertainty|\n    |ap_clk  |  5.00 ns|  3.498 ns|     1.35 ns|\n"
    "+ Latency: \n    * Summary: \n"
    "    |  Latency (cycles) |  Latency (absolute) |  Interval | Pipeline|\n    |   min   |   max   |    min   |    max   | min | max |   Type  |\n"
    "    |        ?|        ?|         ?|         ?|    ?|    ?|       no|\n"
    "== Utilization Estimates\n* Summary: \n|       Name      | BRAM_18K|  DSP |   FF   |   LUT  | URAM|\n"
    "|DSP              |        -|     -|       -|       -|    -|\n|Total            |        2|    55|    1866|    1773|    0|\n"
    "|Available SLR    |     1344|  2976|  871680|  435840|  320|\n|Utilization SLR (%)|   ~0|     1|      ~0|      ~0|    0|\n"
    "|Available        |     2688|  5952| 1743360|  871680|  640|\n|Utilization (%)  |       ~0|    ~0|      ~0|      ~0|    0|\n",
    "version=2024.2|part=xcu50-fsvh2104-2-e|target=5|reached=3.498|lat=-|latmax=-|ii=-|dsp=55|bram=2|ff=1866|lut=1773|uram=0|have_dsp=5952" },
  { "text cut off in its tables", "myproject_csynth.rpt",
    "== Vitis HLS Report for 'myproject'\n* Version:        2024.2 (Build 1)\n== Utilization Estimates\n* Summary: \n|       Name      | BRAM_18K|  DSP |   FF",
    "error=cut off" },
  { "Vitis' summary with other columns, a dataflow with loops and spans", "csynth.rpt",
    "== Synthesis Summary Report of 'myproject'\n* Version:        2025.1 (Build 6135595)\n* Target device:  xczu7ev-ffvc1156-2-e\n"
    "+ Performance & Resource Estimates: \n"
    "    PS: '+' for module; 'o' for loop; '*' for dataflow\n"
    "    |  Modules  | Issue|      | Violation| Latency | Latency | Iteration|         | Trip |          |         |       |         |         |\n"
    "    |  & Loops  | Type | Slack| Distance | (cycles)|   (ns)  |  Latency | Interval| Count| Pipelined|   BRAM  |  DSP  |    FF   |   LUT   |\n"
    "    |+ myproject* |     - |  0.10| - |  10 ~ 20| 50.0 ~ 100.0|         -|        8|     -|  dataflow|  4 (~0%)|  9 (~0%)| 90 (~0%)| 900 (~0%)|\n"
    "    | + dense_config2|  II| -0.20| 1 |        9|   45.000|         -|        8|     -|       yes|        -|  9 (~0%)| 80 (~0%)| 800 (~0%)|\n"
    "    |  o Loop_1   |     - |  3.65| - |        8|   40.000|         1|        1|     8|       yes|        -|        -|        -|         -|\n",
    "version=2025.1|top=myproject|lat=10|latmax=20|ns=100|ii=8|dsp=9|bram=4|ff=90|lut=900|uram=-|modules=1|pipeline=dataflow" },
  { NULL },
};

/* ---- Co-simulation ---- */

#define COSIM \
  "+----------+----------+-----+\n|          |          |   Latency(Clock Cycles)   |   Interval(Clock Cycles)  | Total Execution Time |\n" \
  "+   RTL    +  Status  +-----+-----+    (Clock Cycles)    +\n|          |          | min | avg | max | min | avg | max |      |\n+----+\n"

static const Variant cosim[] = {
  { "passed, one transaction: no interval", "myproject_cosim.rpt",
    COSIM "|      VHDL|        NA|  NA| NA| NA| NA| NA| NA|  NA|\n|   Verilog|      Pass|  41| 41| 41| NA| NA| NA|  41|\n",
    "tool=Vitis HLS|stage=cosim|status=Pass|lat=41|latmax=41|ii=-" },
  { "one language passed and the other failed", "myproject_cosim.rpt",
    COSIM "|      VHDL|      Fail|  NA| NA| NA| NA| NA| NA|  NA|\n|   Verilog|      Pass|  41| 42| 43| 8| 9| 10|  91|\n",
    "status=Fail|lat=41|latavg=42|latmax=43|ii=8|iimax=10" },
  { "only VHDL, after a line of SystemC's", "myproject_cosim.rpt",
    COSIM "|   SystemC|        NA|  NA| NA| NA| NA| NA| NA|  NA|\n|      VHDL|      pass|  7| 7| 7| 1| 1| 1|  7|\n|   Verilog|        NA|  NA| NA| NA| NA| NA| NA|  NA|\n",
    "status=pass|lat=7|ii=1" },
  { "passed, figures not available", "myproject_cosim.rpt", COSIM "|   Verilog|      Pass|  NA| NA| NA| NA| NA| NA|  NA|\n", "status=Pass|lat=-|ii=-" },
  { "nothing was simulated", "myproject_cosim.rpt", COSIM "|   Verilog|        NA|  NA| NA| NA| NA| NA| NA|  NA|\n", "error=every status is NA" },
  { NULL },
};

/* ---- Quartus ---- */

static const Variant quartus[] = {
  { "fitter's report of Quartus Prime Pro", "myproject.fit.rpt",
    "Fitter report for myproject\n+---+\n; Fitter Summary ;\n+---+\n"
    "; Fitter Status                   ; Successful - Tue Oct 28 15:23:19 2025       ;\n"
    "; Quartus Prime Version           ; 23.4.0 Build 79 11/22/2023 SC Pro Edition ;\n"
    "; Top-level Entity Name           ; myproject                                     ;\n"
    "; Family                          ; Agilex 7                                   ;\n; Device                          ; AGFB014R24A3E3VR0                                 ;\n"
    "; Logic utilization (in ALMs)     ; 6,280 / 487,200 ( 1 % )                     ;\n"
    "; Total dedicated logic registers ; 14006                                       ;\n"
    "; Total pins                      ; 173 / 768 ( 23 % )                          ;\n"
    "; Total block memory bits         ; 1,824,256 / 145,612,800 ( 1 % )              ;\n"
    "; Total RAM Blocks                ; 123 / 7,110 ( 2 % )                         ;\n"
    "; Total DSP Blocks                ; 1,008 / 4,510 ( 22 % )                      ;\n"
    "; Fitter Resource Usage Summary                                  ;\n"
    "; Resource                                                    ; Usage              ; %     ;\n"
    "; Logic utilization (ALMs needed / total ALMs on device)      ; 6,280 / 487,200    ; 1 %   ;\n"
    "; ALMs needed [=A-B+C]                                        ; 6,280              ;       ;\n"
    ";     [A] ALMs used in final placement                        ; 7,000 / 487,200    ; 1 %   ;\n"
    "; Combinational ALUT usage                                    ; 10,500             ;       ;\n"
    ";     -- 7 input functions                                    ; 12                 ;       ;\n"
    "; M20K blocks                                                 ; 123 / 7,110        ; < 1 % ;\n"
    "; DSP Blocks Needed [=A+B+C-D]                                ; 1,008 / 4,510      ; 22 %  ;\n",
    "tool=Quartus Prime|version=23.4.0|stage=impl|part=AGFB014R24A3E3VR0|top=myproject|alms=6280|have_alms=487200|ff=14006|bram=123|have_bram=7110|"
    "dsp=1008|have_dsp=4510|lut=10500|kbit=20" },
  { "Cyclone V has M10K", "top.fit.summary",
    "Fitter Status : Successful\nQuartus Prime Version : 20.1.1 Build 720 11/11/2020 SJ Lite Edition\nFamily : Cyclone V\nDevice : 5CEBA4F23C8\n"
    "Logic utilization (in ALMs) : 6,280 / 18,480 ( 34 % )\nTotal registers : 14006\nTotal RAM Blocks : 282 / 308 ( 92 % )\nTotal DSP Blocks : 8 / 66 ( 12 % )\n",
    "kbit=10|bram=282|alms=6280|dsp=8|have_dsp=66|version=20.1.1" },
  { "synthesis: ALMs are not known yet", "top.map.summary",
    "Analysis & Synthesis Status : Successful - Sat\nQuartus Prime Version : 17.1.0 Build 590\nFamily : Stratix V\nLogic utilization (in ALMs) : N/A\n"
    "Total registers : 101\nTotal DSP Blocks : 0\n",
    "stage=vsynth|alms=-|ff=101|dsp=0|bram=-|kbit=20" },
  { "synthesis of the Pro edition: an estimate of the ALMs", "myproject.syn.rpt",
    "Synthesis report for myproject\n; Synthesis Summary ;\n; Synthesis Status ; Successful - Fri Nov 22 12:00:00 2024 ;\n; Quartus Prime Version ; 24.1.0 Build 115 03/21/2024 SC Pro Edition ;\n"
    "; Top-level Entity Name ; myproject ;\n; Family ; Agilex 5 ;\n; Synthesis Resource Usage Summary ;\n; Resource ; Usage ;\n; Estimate of Logic utilization (ALMs needed) ; 2,346 ;\n;  ; ;\n"
    "; Combinational ALUT usage for logic ; 3912 ;\n;     -- 7 input functions ; 2 ;\n; Dedicated logic registers ; 5,120 ;\n; Total MLAB memory bits ; 0 ;\n; Total DSP Blocks ; 16 ;\n",
    "stage=vsynth|version=24.1.0|alms=2346|lut=3912|ff=5120|dsp=16|kbit=20|top=myproject" },
  { "older, named Quartus II", "top.fit.summary",
    "Fitter Status : Successful\nQuartus II 64-Bit Version : 15.0.0 Build 145 04/22/2015 SJ Full Version\nFamily : Arria V\nTotal registers : 5\n",
    "version=15.0.0|ff=5|kbit=10" },
  { "timing of several clocks and corners", "myproject.sta.rpt",
    "Timing Analyzer report for myproject\n; Timing Analyzer Summary ;\n; Quartus Prime Version ; Version 22.1.0 Build 174 Pro Edition ;\n; Device Name ; 1SX280HN2F43E2VG ;\n"
    "; Clocks ;\n; Clock Name ; Type ; Period ; Frequency ; Rise ; Fall ;\n; clk ; Base ; 4.000 ; 250.0 MHz ; 0.000 ; 2.000 ;\n; slow ; Base ; 20.000 ; 50.0 MHz ; 0.000 ; 10.000 ;\n"
    "; Slow 900mV 100C Model Fmax Summary ;\n; Fmax ; Restricted Fmax ; Clock Name ; Note ;\n; 240.0 MHz ; 240.0 MHz ; clk ; ;\n; 900.0 MHz ; 600.0 MHz ; slow ; ;\n"
    "; Slow 900mV 0C Model Fmax Summary ;\n; Fmax ; Restricted Fmax ; Clock Name ; Note ;\n; 260.0 MHz ; 260.0 MHz ; clk ; ;\n",
    "stage=timing|target=4|reached=4.166667|status=timing failed|version=22.1.0" },
  { "failed before the fitter", "top.flow.rpt", "; Flow Status ; Flow Failed - Sat ;\n; Quartus Prime Version ; 20.1.0 Build 711 ;\n; Family ; Cyclone V ;\n",
    "error=Total registers" },
  { NULL },
};

/* ---- Intel HLS and oneAPI ---- */

static const Variant intel[] = {
  { "script with bare objects and modules", "report_data.js",
    "const areaJSON = {\"columns\":[\"\", \"ALUTs\", \"FFs\", \"RAMs\", \"DSPs\", \"MLABs\"], \"total\":[100, 200, 3, 4, 5], \"name\":\"It's {odd}\","
    "\"max_resources\":[1000, 2000, 30, 40, 50], \"children\":[{\"name\":\"myproject\", \"total_kernel_resources\":[90, 190, 2, 4, 5]}]};\n"
    "const infoJSON = {\"rows\":[{\"name\":\"Target Family, Device\", \"data\":[\"Agilex7, AGFB014R24A3E3VR0\"]},{\"name\":\"Quartus Version\", \"data\":[\"23.1.0 Build 115\"]}]};\n",
    "lut=100|ff=200|bram=3|dsp=4|have_lut=1000|modules=1|part=AGFB014R24A3E3VR0|version=23.1.0|kbit=20" },
  { "lines under another name; tasks by their symbols", "summary.json",
    "{\"name\":\"Kernel Summary\", \"summary_type\":\"performanceSummary\"}\n"
    "{\"name\":\"bias_t)\", \"compiler_name\":\"_ZN4nnet21dense_resource_streamI5Pipe1E7config2EEvT\", \"parent\":\"performanceSummary\"}\n"
    "{\"name\":\"bias_t)\", \"compiler_name\":\"_ZN4nnet21dense_resource_streamI5Pipe2E8config15EEvT\", \"parent\":\"performanceSummary\"}\n"
    "{\"name\":\"Estimated Resource Usage\", \"summary_type\":\"estimatedResources\", \"columns\":[\"Kernel Name\", \"ALUTs \", \"FFs  \", \"RAMs \", \"DSPs \"]}\n"
    "{\"name\":\"bias_t)\", \"parent\":\"estimatedResources\", \"data\":[10, 20, 1, 2]}\n{\"name\":\"bias_t)\", \"parent\":\"estimatedResources\", \"data\":[\"1,000\", \"30\", 1, 4]}\n"
    "{\"name\":\"Total\", \"parent\":\"estimatedResources\", \"data\":[1010, 50, 2, 6]}\n",
    "tool=oneAPI|lut=1010|ff=50|bram=2|dsp=6|modules=2" },
  { "Quartus has run for Intel HLS", "quartus.json",
    "{\"quartusFitClockSummary\":{\"name\":\"Quartus Fit Summary\",\"nodes\":[{\"name\":\"myproject\",\"type\":\"system\",\"clock fmax\":\"400\"}]},"
    "\"quartusFitResourceUsageSummary\":{\"nodes\":[{\"name\":\"Total\",\"type\":\"system\",\"alm\":\"812.5\",\"alut\":\"1000\",\"reg\":\"3000\",\"dsp\":\"8\",\"ram\":\"9\",\"mlab\":\"0\"}]}}",
    "stage=impl|reached=2.5|alms=812.5|lut=1000|ff=3000|dsp=8|bram=9" },
  { "cut off", "summary.ndjson", "{\"name\":\"Estimated Resource Usage\", \"summary_type\":\"estimatedResources\", \"columns\":[\"Kernel Name\"]}\n{\"name\":\"To", "error=line 2" },
  { NULL },
};

/* ---- Catapult ---- */

static const Variant catapult[] = {
  { "rtl.rpt of an FPGA library, with its own Timing Report", "rtl.rpt",
    "-- Catapult Ultra Synthesis: Report\n-- Version:      2023.1/1033555 Production Release\n\nSolution Settings: myproject.v1\n\n"
    "  Processes/Blocks in Design\n"
    "    Process         Real Operation(s) count Latency Throughput Reset Length II Comments\n    --------------- ----------------------- ------- ---------- ------------ -- --------\n"
    "    /myproject/core                     128      11          4            0  1\n    Design Total:                       128      11          4            1  1\n\n"
    "  Clock Information\n    Clock Signal Edge   Period Sharing Alloc (%) Uncertainty Used by Processes/Blocks\n"
    "    clk          rising  5.000             20.00    0.000000 /myproject/core\n\n"
    "  Bill Of Materials (Datapath)\n    Component Name                 Area Score Area(DSP_BLOCKs) Area(LUTs) Area(MUX_CARRYs)  Delay  Post Alloc Post Assign\n"
    "    mgc_mul_pipe(16,1,16,1,32)        665.000            1.000      0.000            0.000  2.100           8           8\n"
    "    TOTAL AREA (After Assignment):   5320.000            8.000    731.000           64.000\n\n"
    "  Area Scores\n                      Post-Scheduling   Post-DP & FSM   Post-Assignment\n"
    "    Total Area Score:   5,000.1        5,400.2        5,320.0\n\n"
    "  Timing Report\n    Critical Path\n      Max Delay:  3.735\n      Slack:      1.265\n",
    "tool=Catapult|version=2023.1/1033555|lat=11|ii=4|target=5|reached=3.735|area=5320|dsp=8|lut=731|ns=55|modules=1|top=myproject" },
  { "an ASIC library: no LUTs; of several blocks the whole", "rtl.rpt",
    "  Component Name   Area Score  Delay  Post Alloc Post Assign\n  TOTAL AREA (After Assignment):    1117.325             592.000 426.000\n\n"
    "  Total Area Score:   100.0  110.0  105.5\n\n  Total Area Score:   1000.0  1100.0  1055.5\n",
    "area=1055.5|dsp=-|lut=-" },
  { "no score, only the table of components", "rtl.rpt", "  TOTAL AREA (After Assignment):    1117.325             592.000 426.000\n", "area=1117.325" },
  { "unbounded", "cycle.rpt",
    "Processes/Blocks in Design\n  /top/run   12  -1  1  17  1\n  Design Total:  12  -1  1  17  1\n", "lat=-|ii=1|modules=1" },
  { NULL },
};

/* Numbers as tools and people write them. */
static void
test_numbers (void)
{
  static const struct { const char *text, *value; } cells[] = {
    { "1,234,567", "1234567" }, { "1.234.567", "1234567" }, { "1'234", "1234" }, { "1\xc2\xa0" "234", "1234" }, { "0,5", "0.5" },
    { "87.5", "87.5" }, { ".5", "0.5" }, { "1,234.5", "1234.5" }, { "1.234,5", "1234.5" }, { "< 1", "1" }, { "<0.01", "0.01" },
    { "~0", "0" }, { "12(3.4%)", "12" }, { "12 [  3%]", "12" }, { "-", "-" }, { "?", "-" }, { "NA", "-" }, { "", "-" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cells); i++)
    {
      g_autofree char *text = g_strdup_printf ("| Site Type | Used | Fixed | Prohibited | Available | Util%% |\n"
                                               "| CLB LUTs | 1 | 0 | 0 | %s | x |\n", cells[i].text);
      g_autofree char *expected = g_strdup_printf ("lut=1|have_lut=%s", cells[i].value);

      check (cells[i].text, "u.rpt", text, expected);
    }
}

/* Modules of the variants above that are looked up by the number of their layer. */
static void
test_tasks (void)
{
  g_autoptr (HlsReport) report = hls_report_parse (intel[1].text, strlen (intel[1].text), intel[1].path, NULL);

  g_assert_nonnull (report);
  g_assert_cmpstr (hls_report_layer (report, 2)->name, ==, "bias_t) [dense_resource_stream config2]");
  g_assert_cmpfloat (hls_report_layer (report, 15)->resources.amount[NN_RESOURCE_DSP], ==, 4);
  g_assert_null (hls_report_layer (report, 1));
}

static void
write_run (const char *folder,
           const char *run,
           const char *name,
           const char *text)
{
  g_autofree char *inside = g_build_filename (folder, run, NULL), *path = g_build_filename (inside, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (inside, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* Two solutions of one project: the later one counts, and nothing of the earlier one is mixed into it. */
static void
test_runs (void)
{
  g_autofree char *folder = g_dir_make_tmp ("espalier-runs-XXXXXX", NULL);
  g_autofree char *old_file = g_build_filename (folder, "solution1/syn/report/csynth.xml", NULL);
  g_autofree char *new_file = g_build_filename (folder, "solution2/syn/report/csynth.xml", NULL);
  static const char known[] = XML ("2024.1", "DSP", "<Best-caseLatency>10</Best-caseLatency><Worst-caseLatency>14</Worst-caseLatency>", MODULES);
  static const char later[] = XML ("2024.1", "DSP", UNDEF, "");
  g_autoptr (HlsReport) report = NULL;
  g_autoptr (GFile) old = g_file_new_for_path (old_file);

  write_run (folder, "solution1/syn/report", "csynth.xml", known);
  write_run (folder, "solution2/syn/report", "csynth.xml", later);
  g_assert_true (g_file_set_attribute_uint64 (old, G_FILE_ATTRIBUTE_TIME_MODIFIED, 1700000000, 0, NULL, NULL));
  report = hls_report_read (folder, NULL);
  g_assert_nonnull (report);
  g_assert_cmpstr (report->path, ==, new_file);
  g_assert_true (isnan (report->latency_max));
  g_assert_cmpuint (report->n_modules, ==, 0);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/report-variants/utilization", utilization, check_all);
  g_test_add_data_func ("/report-variants/export", export, check_all);
  g_test_add_data_func ("/report-variants/timing", timing, check_all);
  g_test_add_data_func ("/report-variants/csynth", csynth, check_all);
  g_test_add_data_func ("/report-variants/cosim", cosim, check_all);
  g_test_add_data_func ("/report-variants/quartus", quartus, check_all);
  g_test_add_data_func ("/report-variants/intel", intel, check_all);
  g_test_add_data_func ("/report-variants/catapult", catapult, check_all);
  g_test_add_func ("/report-variants/numbers", test_numbers);
  g_test_add_func ("/report-variants/tasks", test_tasks);
  g_test_add_func ("/report-variants/runs", test_runs);
  return g_test_run ();
}

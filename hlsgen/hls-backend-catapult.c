/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Siemens Catapult: FPGA and ASIC. */

#include "hls-backend.h"

#include "nn-text.h"

#include <string.h>

#define TCL_HEAD "# SPDX-License-Identifier: Apache-2.0\n"

static const char *const simulation[] = {
  "ac_channel.h", "ac_fixed.h", "ac_int.h", "espalier_channel.h", "espalier_fixed.h", NULL,
};

/* Source: Catapult's C++ reference, chapter on pragmas. */
static const char *const directives[] = {
  "hls_pipeline_init_interval #", "hls_unroll yes no #", "hls_design top block interface inline ccore", NULL,
};

static const char options[] =
  TCL_HEAD "# Which steps build_prj.tcl runs; Espalier writes this file before it starts the tool.\n"
           "array set opt {\n"
           "    reset 0\n    csim 1\n    synth 1\n    cosim 0\n    validation 0\n    export 0\n    vsynth 0\n"
           "}\n";

static const char head[] =
  TCL_HEAD "# Drives Catapult: lint, simulation with coverage, synthesis, co-simulation, logic synthesis. Steps are chosen in\n"
           "# build_opt.tcl; lines that begin with \"***** \" mark the phases.\n"
           "set tcldir [file dirname [info script]]\n"
           "source [file join $tcldir project.tcl]\n"
           "source [file join $tcldir build_opt.tcl]\n"
           "\n"
           "# What not every licence has is tried, and its absence told.\n"
           "proc attempt {what script} {\n"
           "    puts \"***** $what *****\"\n"
           "    if {[catch {uplevel #0 $script} message]} { puts \"WARNING: $what was not possible: $message\" }\n"
           "}\n"
           "\n"
           "options set Input/CppStandard c++14\n"
           "options set Input/CompilerFlags {-DNNET_SCVERIFY}\n"
           "options set Input/SearchPath {. firmware firmware/nnet_utils} -append\n"
           "options set Output/OutputVHDL [expr {$opt(vhdl) ? {true} : {false}}]\n"
           "options set Output/OutputVerilog [expr {$opt(verilog) ? {true} : {false}}]\n"
           "if {!$opt(reset) && [file exists ${project_name}_prj.ccs]} {\n"
           "    project load ${project_name}_prj.ccs\n"
           "    go new\n"
           "} else {\n"
           "    project new -name ${project_name}_prj\n"
           "}\n"
           "# Layers that stand beside one another in the top function are meant to.\n"
           "catch {options set Message/ErrorOverride HIER-10 -remove}\n"
           "catch {solution options set Message/ErrorOverride HIER-10 -remove}\n"
           "catch {flow package require /HLS4ML}\n"
           "flow package require /SCVerify\n"
           "flow package option set /SCVerify/USE_CCS_BLOCK true\n"
           "if {$opt(coverage)} { catch {flow package require /CCOV} }\n"
           "if {$opt(lint)} { catch {flow package require /CDesignChecker} }\n"
           "if {$opt(power)} { catch {flow package require /PowerAnalysis} }\n"
           "solution file add firmware/${project_name}.cpp -type C++\n"
           "solution file add ${project_name}_test.cpp -type C++ -exclude true\n"
           "directive set -RESET_CLEARS_ALL_REGS no\n"
           "# Weights and numbers between layers stay registers and logic; larger arrays become memories.\n"
           "directive set -MEM_MAP_THRESHOLD 32769\n"
           "go analyze\n"
           "solution design set $project_name -top\n"
           "if {$opt(lint)} {\n"
           "    attempt LINT {flow run /CDesignChecker/launch_cdesignchecker_sh ./cdesignchecker/hls_lint.tcl}\n"
           "}\n"
           "go compile\n"
           "if {$opt(csim)} {\n"
           "    puts \"***** C SIMULATION *****\"\n"
           "    flow run /SCVerify/launch_make ./scverify/Verify_orig_cxx_osci.mk {} SIMTOOL=osci sim\n"
           "    if {$opt(coverage)} { attempt COVERAGE {flow run /CCOV/run} }\n"
           "}\n"
           "if {!$opt(synth)} {\n"
           "    project save\n"
           "    exit\n"
           "}\n"
           "puts \"***** C/RTL SYNTHESIS *****\"\n";

/* The library of a part is asked of the tool; one that it does not know gets the library of its family by name. */
static const char libraries_fpga[] =
  "set entry /CONFIG/PARAMETERS/Vivado/PARAMETERS/Xilinx/PARAMETERS/*/PARAMETERS/*/PARAMETERS/$part/LIBRARIES/*/NAME\n"
  "set names {}\n"
  "catch {set names [library get $entry -match glob -ret v]}\n"
  "if {[llength $names] > 0} {\n"
  "    solution library add [lindex $names 0] -- -rtlsyntool Vivado -manufacturer Xilinx -family $family -speed $speed -part $part\n"
  "} else {\n"
  "    puts \"WARNING: the tool has no library for $part; that of $family is taken\"\n"
  "    solution library add mgc_Xilinx-$family${speed}_beh -- -rtlsyntool Vivado -manufacturer Xilinx -family $family -speed $speed -part $part\n"
  "}\n"
  "solution library add Xilinx_RAMS\n"
  "solution library add Xilinx_ROMS\n"
  "solution library add Xilinx_FIFO\n";

static const char libraries_asic[] =
  "foreach library $asic_libraries { solution library add $library -- -rtlsyntool $asic_synthesis }\n"
  "solution library add ccs_sample_mem\n"
  "solution library add ccs_sample_rom\n"
  "catch {solution library add hls4ml_lib}\n";

static const char tail[] =
  "go libraries\n"
  "directive set -CLOCKS [list clk [list -CLOCK_PERIOD $clock_period -CLOCK_EDGE rising -CLOCK_HIGH_TIME [expr {$clock_period / 2.0}] \\\n"
  "    -CLOCK_OFFSET 0.000000 -CLOCK_UNCERTAINTY $clock_uncertainty -RESET_KIND sync -RESET_SYNC_NAME rst -RESET_SYNC_ACTIVE high]]\n"
  "go assembly\n"
  "source [file join $tcldir directives.tcl]\n"
  "go architect\n"
  "go allocate\n"
  "go schedule\n"
  "go dpfsm\n"
  "go extract\n"
  "project save\n"
  "if {$opt(cosim) || $opt(validation)} {\n"
  "    puts \"***** C/RTL SIMULATION *****\"\n"
  "    if {$opt(verilog)} { flow run /SCVerify/launch_make ./scverify/Verify_rtl_v_msim.mk {} SIMTOOL=msim sim }\n"
  "    if {$opt(vhdl)} { flow run /SCVerify/launch_make ./scverify/Verify_rtl_vhdl_msim.mk {} SIMTOOL=msim sim }\n"
  "}\n"
  "if {$opt(power)} {\n"
  "    attempt \"POWER ANALYSIS\" {\n"
  "        go switching\n"
  "        if {$opt(verilog)} { flow run /PowerAnalysis/report_pre_pwropt_Verilog }\n"
  "        if {$opt(vhdl)} { flow run /PowerAnalysis/report_pre_pwropt_VHDL }\n"
  "    }\n"
  "}\n";

static const char synthesis_fpga[] =
  "if {$opt(export)} {\n"
  "    attempt \"EXPORT IP\" {flow run /Vivado/launch_package_ip -shell ./vivado_concat_v/concat_v_package_ip.tcl}\n"
  "}\n"
  "if {$opt(vsynth)} {\n"
  "    puts \"***** VIVADO SYNTHESIS *****\"\n"
  "    flow run /Vivado/synthesize -shell vivado_concat_v/concat_rtl.v.xv\n"
  "}\n"
  "catch {flow run /HLS4ML/collect_reports}\n"
  "project save\n"
  "exit\n";

static const char synthesis_asic[] =
  "if {$opt(vsynth)} {\n"
  "    puts \"***** LOGIC SYNTHESIS *****\"\n"
  "    flow run /$asic_synthesis/synthesize -shell ./[string tolower $asic_synthesis]_concat_v/concat_rtl.v.dc\n"
  "}\n"
  "catch {flow run /HLS4ML/collect_reports}\n"
  "project save\n"
  "exit\n";

/* Families as the tool names them, by the beginning of a part. */
static const char *
family_of (const char *part)
{
  static const struct { const char *prefix, *family; } families[] = {
    { "xcku", "KINTEX-u" },  { "xcvu1", "VIRTEX-uplus" }, { "xcvu", "VIRTEX-u" },   { "xczu", "ZYNQ-uplus" }, { "xcu", "VIRTEX-uplus" },
    { "xc7k", "KINTEX-7" },  { "xc7v", "VIRTEX-7" },      { "xc7z", "ZYNQ" },       { "xc7a", "ARTIX-7" },
  };
  gsize n = strlen (part);

  /* UltraScale+ devices end their number with a P */
  if ((g_str_has_prefix (part, "xcku") || g_str_has_prefix (part, "xcvu")) && memchr (part, 'p', strcspn (part, "-")) != NULL)
    return part[2] == 'k' ? "KINTEX-uplus" : "VIRTEX-uplus";
  for (guint k = 0; k < G_N_ELEMENTS (families); k++)
    if (n > 0 && g_str_has_prefix (part, families[k].prefix))
      return families[k].family;
  return "KINTEX-u";
}

/* "-2" of "xcku115-flvb2104-2-i": the first part that is one digit. */
static char *
speed_of (const char *part)
{
  g_auto (GStrv) words = g_strsplit (part, "-", -1);

  for (guint i = 0; words[i] != NULL; i++)
    if (g_ascii_isdigit (words[i][0]) && (words[i][1] == '\0' || !g_ascii_isdigit (words[i][1])) && strlen (words[i]) <= 2)
      return g_strdup_printf ("-%c", words[i][0]);
  return g_strdup ("-2");
}

static gboolean
is_asic (const NnConfig *config)
{
  g_autofree char *technology = nn_config_setting (config, "Technology");

  return technology != NULL && g_ascii_strcasecmp (technology, "asic") == 0;
}

static void
write_project (HlsEmit *emit)
{
  const NnConfig *config = nn_design_config (emit->design);
  g_autofree char *libraries = nn_config_setting (config, "ASICLibs");
  g_autofree char *speed = speed_of (nn_config_part (config));
  GString *text = g_string_new (TCL_HEAD "# What build_prj.tcl needs to know.\n");
  g_autofree char *clock = nn_text_from_double (nn_config_clock_ns (config));
  g_autofree char *uncertainty = nn_text_from_double (nn_config_clock_ns (config) * nn_config_uncertainty (config));

  g_string_append_printf (text,
                          "set project_name \"%s\"\nset part \"%s\"\nset clock_period %s\nset clock_uncertainty %s\n"
                          "set family \"%s\"\nset speed \"%s\"\nset asic_libraries {%s}\nset asic_synthesis DesignCompiler\n"
                          "# What the steps of build_opt.tcl do besides.\narray set opt {lint 1 coverage 1 verilog 1 vhdl 0 power 0}\n",
                          emit->name, nn_config_part (config), clock, uncertainty, family_of (nn_config_part (config)), speed,
                          libraries != NULL ? libraries : "nangate-45nm_beh");
  hls_project_add (emit->project, "project.tcl", text);
}

/* The channels of the top function as AXI4-Streams of the tool's library "amba": TDATA is a packet, that is all channels of a position
 * side by side, each as wide as its type. */
static void
write_axi_ports (const HlsEmit *emit,
                 GString       *text)
{
  GArray *list = hls_emit_ports (emit);

  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      g_string_append_printf (text, "directive set /%s/%s:rsc -MAP_TO_MODULE amba.ccs_axi4stream_%s\n", emit->name, port->name,
                              port->input ? "in" : "out");
    }
  hls_emit_ports_free (list);
}

/* Depths of FIFOs, ports and the interval, which Catapult takes as directives. */
static void
write_directives (HlsEmit *emit)
{
  GString *text = g_string_new (TCL_HEAD "# Directives of the top function; paths that a version of the tool names otherwise are passed over.\n");

  if (emit->dataflow)
    g_string_append_printf (text, "catch {directive set /%s/core -DESIGN_GOAL Latency}\n", emit->name);
  else
    g_string_append_printf (text, "catch {directive set /%s/core/main -PIPELINE_INIT_INTERVAL %u}\n", emit->name, emit->interval);
  if (emit->axi_ports)
    write_axi_ports (emit, text);
  g_string_append (text, emit->memories->str);
  hls_project_add (emit->project, "directives.tcl", text);
}

static void
scripts (HlsEmit *emit)
{
  GString *build = g_string_new (head);
  gboolean asic = is_asic (nn_design_config (emit->design));

  g_string_append (build, asic ? libraries_asic : libraries_fpga);
  if (emit->axi_ports)
    g_string_append (build, "solution library add amba\n");
  g_string_append (build, tail);
  g_string_append (build, asic ? synthesis_asic : synthesis_fpga);
  hls_project_add (emit->project, "build_prj.tcl", build);
  hls_project_add (emit->project, "build_opt.tcl", g_string_new (options));
  write_project (emit);
  write_directives (emit);
}

const HlsBackend hls_backend_catapult = {
  .backend = NN_BACKEND_CATAPULT,
  .name = "Siemens Catapult",
  .key = "catapult",
  .header = "backend/algorithmic.h",
  .tool = "backend/tool-catapult.h",
  .standard = "c++14",
  .simulation = simulation,
  .type = hls_type_ac,
  .scripts = scripts,
  .directives = directives,
  .by_hand = "`build_opt.tcl` and `project.tcl` say which steps run. Then `catapult -shell -file build_prj.tcl`.\n",
};

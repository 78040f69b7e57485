/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Siemens Catapult: FPGA and ASIC. */

#include "hls-backend.h"

#include "nn-text.h"

#define TCL_HEAD "# SPDX-License-Identifier: Apache-2.0\n"

static const char *const simulation[] = {
  "ac_channel.h", "ac_fixed.h", "ac_int.h", "espalier_channel.h", "espalier_fixed.h", NULL,
};

/* Source: Catapult's C++ reference, chapter on pragmas. */
static const char *const directives[] = {
  "hls_pipeline_init_interval", "hls_unroll yes no", "hls_design top inline ccore", NULL,
};

static const char options[] =
  TCL_HEAD "# Which steps build_prj.tcl runs; Espalier writes this file before it starts the tool.\n"
           "array set opt {\n"
           "    reset 0\n    csim 1\n    synth 1\n    cosim 0\n    validation 0\n    export 0\n    vsynth 0\n"
           "}\n";

static const char head[] =
  TCL_HEAD "# Drives Catapult: lint, simulation with coverage, synthesis, co-simulation, logic synthesis.\n"
           "set tcldir [file dirname [info script]]\n"
           "source [file join $tcldir project.tcl]\n"
           "source [file join $tcldir build_opt.tcl]\n"
           "array set extra {lint 1 coverage 1}\n"
           "\n"
           "options set Input/CppStandard c++14\n"
           "options set Input/CompilerFlags {-DMC_SIMULATOR}\n"
           "options set Input/SearchPath {. firmware firmware/nnet_utils} -append\n"
           "options set Output/OutputVHDL false\n"
           "project new -name ${project_name}_prj\n"
           "flow package require /SCVerify\n"
           "flow package option set /SCVerify/USE_CCS_BLOCK true\n"
           "solution file add firmware/${project_name}.cpp -type C++\n"
           "solution file add ${project_name}_test.cpp -type C++ -exclude true\n"
           "puts \"***** C SIMULATION *****\"\n"
           "if {$opt(csim)} {\n"
           "    if {$extra(coverage)} { catch {flow package require /CCOV; flow run /CCOV/run} }\n"
           "    flow run /SCVerify/launch_make ./scverify/Verify_orig_cxx_osci.mk {} SIMTOOL=osci sim\n"
           "}\n"
           "if {!$opt(synth)} { exit }\n"
           "puts \"***** C/RTL SYNTHESIS *****\"\n"
           "go analyze\n"
           "solution design set $project_name -top\n"
           "if {$extra(lint)} { catch {flow package require /CDesignChecker; flow run /CDesignChecker/launch_cdesignchecker_sh ./cdesignchecker/hls_lint.tcl} }\n"
           "go compile\n";

static const char libraries_fpga[] =
  "solution library add mgc_Xilinx-$family-$speed\\_beh -- -rtlsyntool Vivado -manufacturer Xilinx -part $part\n"
  "solution library add Xilinx_RAMS\n"
  "solution library add Xilinx_ROMS\n"
  "solution library add Xilinx_FIFO\n";

static const char libraries_asic[] =
  "foreach library $asic_libraries { solution library add $library -- -rtlsyntool OasysRTL }\n"
  "solution library add ccs_sample_mem\n"
  "solution library add ccs_sample_rom\n"
  "solution library add hls4ml_lib\n";

static const char tail[] =
  "go libraries\n"
  "directive set -CLOCKS \"clk {-CLOCK_PERIOD $clock_period -CLOCK_UNCERTAINTY $clock_uncertainty -CLOCK_HIGH_TIME [expr {$clock_period / 2.0}]}\"\n"
  "go assembly\n"
  "source [file join $tcldir directives.tcl]\n"
  "go architect\n"
  "go allocate\n"
  "go extract\n"
  "if {$opt(cosim)} {\n"
  "    puts \"***** C/RTL SIMULATION *****\"\n"
  "    flow run /SCVerify/launch_make ./scverify/Verify_concat_sim_rtl_v_msim.mk {} SIMTOOL=msim sim\n"
  "}\n"
  "if {$opt(vsynth)} {\n"
  "    puts \"***** VIVADO SYNTHESIS *****\"\n"
  "    flow run /Vivado/synthesize -shell vivado_concat_v/concat_rtl.v.xv\n"
  "}\n"
  "project save\n"
  "exit\n";

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
  GString *text = g_string_new (TCL_HEAD "# What build_prj.tcl needs to know.\n");
  g_autofree char *clock = nn_text_from_double (nn_config_clock_ns (config));
  g_autofree char *uncertainty = nn_text_from_double (nn_config_clock_ns (config) * nn_config_uncertainty (config));

  g_string_append_printf (text,
                          "set project_name \"%s\"\nset part \"%s\"\nset clock_period %s\nset clock_uncertainty %s\n"
                          "set family \"KINTEX-u\"\nset speed \"2\"\nset asic_libraries {%s}\n",
                          emit->name, nn_config_part (config), clock, uncertainty, libraries != NULL ? libraries : "nangate-45nm_beh");
  hls_project_add (emit->project, "project.tcl", text);
}

/* Depths of FIFOs and the interval, which Catapult takes as directives. */
static void
write_directives (HlsEmit *emit)
{
  GString *text = g_string_new (TCL_HEAD "# Directives of the top function; paths that a version of the tool names otherwise are passed over.\n");

  if (emit->dataflow)
    g_string_append_printf (text, "catch {directive set /%s/core -DESIGN_GOAL Latency}\n", emit->name);
  else
    g_string_append_printf (text, "catch {directive set /%s/core/main -PIPELINE_INIT_INTERVAL 1}\n", emit->name);
  g_string_append (text, emit->memories->str);
  hls_project_add (emit->project, "directives.tcl", text);
}

static void
scripts (HlsEmit *emit)
{
  GString *build = g_string_new (head);

  g_string_append (build, is_asic (nn_design_config (emit->design)) ? libraries_asic : libraries_fpga);
  g_string_append (build, tail);
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
  .simulation = simulation,
  .streams = TRUE,
  .type = hls_type_ac,
  .scripts = scripts,
  .directives = directives,
};

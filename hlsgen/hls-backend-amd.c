/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AMD's tools: Vitis HLS (2020.2 and newer) and Vivado HLS (to 2020.1). */

#include "hls-backend.h"

#include "nn-text.h"

#define TCL_HEAD "# SPDX-License-Identifier: Apache-2.0\n"

/* Of an array that is split into registers (hls4ml's key MaximumSize and its default). */
#define DEFAULT_MAXIMUM_SIZE 4096

static const char *const simulation[] = {
  "ap_axi_sdata.h", "ap_fixed.h", "ap_int.h", "espalier_channel.h", "espalier_fixed.h", "hls_stream.h", NULL,
};

#define PORTS "ap_none ap_stable ap_vld ap_ack ap_hs ap_ovld ap_fifo ap_memory bram axis s_axilite m_axi ap_ctrl_none ap_ctrl_hs ap_ctrl_chain "

/* Source: UG1399 2022.1 to 2024.2 (Vitis HLS), chapter on pragmas. The places of DATA_PACK and RESOURCE are taken by AGGREGATE and
 * BIND_STORAGE, that of enable_flush by style. */
static const char *const vitis_directives[] = {
  "HLS INLINE off recursive",
  "HLS PIPELINE II= rewind off style=stp|flp|frp",
  "HLS UNROLL factor= skip_exit_check off=true",
  "HLS DATAFLOW disable_start_propagation",
  "HLS ARRAY_PARTITION variable= type=complete|block|cyclic complete block cyclic factor= dim= off=true",
  "HLS ARRAY_RESHAPE variable= type=complete|block|cyclic complete block cyclic factor= dim= object",
  "HLS ALLOCATION operation function instances= limit=",
  "HLS STREAM variable= depth= type=fifo|pipo|shared|unsync",
  "HLS AGGREGATE variable= compact=bit|byte|none|auto",
  "HLS BIND_STORAGE variable= type=fifo|ram_1p|ram_1wnr|ram_2p|ram_s2p|ram_t2p|rom_1p|rom_2p|rom_np impl=auto|bram|lutram|uram|srl|memory latency=",
  "HLS INTERFACE mode= " PORTS "port= bundle= depth= offset=off|slave|direct register",
  NULL,
};

/* Source: UG902 2019.2 and 2020.1 (Vivado HLS), chapter on pragmas. */
static const char *const vivado_directives[] = {
  "HLS INLINE region recursive off",
  "HLS PIPELINE II= enable_flush rewind off",
  "HLS UNROLL factor= region skip_exit_check",
  "HLS DATAFLOW",
  "HLS ARRAY_PARTITION variable= complete block cyclic factor= dim=",
  "HLS ARRAY_RESHAPE variable= complete block cyclic factor= dim=",
  "HLS ALLOCATION instances= limit= operation function core",
  "HLS STREAM variable= depth= dim= off",
  "HLS DATA_PACK variable= instance= struct_level field_level",
  "HLS RESOURCE variable= core=RAM_1P|RAM_1P_BRAM|RAM_2P|RAM_2P_BRAM|ROM_1P|ROM_1P_BRAM|ROM_2P|ROM_2P_BRAM|ROM_nP|ROM_nP_BRAM|ROM_nP_LUTRAM latency=",
  "HLS INTERFACE " PORTS "port= bundle= depth= offset=off|slave|direct register",
  NULL,
};

static const char build_options[] =
  TCL_HEAD "# Which steps build_prj.tcl runs; Espalier writes this file before it starts the tool.\n"
           "array set opt {\n"
           "    reset 0\n"
           "    csim 1\n"
           "    synth 1\n"
           "    cosim 0\n"
           "    validation 0\n"
           "    export 0\n"
           "    vsynth 0\n"
           "}\n";

static const char build_head[] =
  TCL_HEAD "# Drives the HLS tool. Steps are chosen in build_opt.tcl; lines that begin with \"***** \" mark the phases.\n"
           "set tcldir [file dirname [info script]]\n"
           "source [file join $tcldir project.tcl]\n"
           "source [file join $tcldir build_opt.tcl]\n"
           "# As arguments too, where the tool hands them on (vitis-run does not).\n"
           "if {[info exists ::argv]} {\n"
           "    foreach word [split [join $::argv]] {\n"
           "        if {[regexp {^([a-z_]+)=([01])$} $word all key value]} { set opt($key) $value }\n"
           "    }\n"
           "}\n"
           "\n"
           "proc report_time {what start} {\n"
           "    puts \"***** $what COMPLETED IN [expr {([clock milliseconds] - $start) / 1000.0}] s *****\"\n"
           "}\n"
           "\n"
           "if {$opt(reset)} {\n"
           "    open_project -reset ${project_name}_prj\n"
           "} else {\n"
           "    open_project ${project_name}_prj\n"
           "}\n"
           "set_top $top_name\n"
           "add_files firmware/${project_name}.cpp -cflags \"-std=$standard\"\n"
           "if {$top_name != $project_name} { add_files firmware/$top_name.cpp -cflags \"-std=$standard\" }\n"
           "add_files -tb ${project_name}_test.cpp -cflags \"-std=$standard\"\n"
           "add_files -tb tb_data\n";

static const char build_tail[] =
  "catch {config_compile -name_max_length 80}\n"
  "set_part $part\n"
  "create_clock -period $clock_period -name default\n"
  "set_clock_uncertainty $clock_uncertainty default\n"
  "\n"
  "if {$opt(csim)} {\n"
  "    puts \"***** C SIMULATION *****\"\n"
  "    set start [clock milliseconds]\n"
  "    csim_design\n"
  "    report_time \"C SIMULATION\" $start\n"
  "}\n"
  "if {$opt(synth)} {\n"
  "    puts \"***** C/RTL SYNTHESIS *****\"\n"
  "    set start [clock milliseconds]\n"
  "    csynth_design\n"
  "    report_time \"C/RTL SYNTHESIS\" $start\n"
  "}\n"
  "if {$opt(cosim)} {\n"
  "    puts \"***** C/RTL SIMULATION *****\"\n"
  "    set start [clock milliseconds]\n"
  "    add_files -tb ${project_name}_test.cpp -cflags \"-std=$standard -DRTL_SIM\"\n"
  "    cosim_design -trace_level none\n"
  "    report_time \"C/RTL SIMULATION\" $start\n"
  "}\n"
  "if {$opt(validation)} {\n"
  "    puts \"***** VALIDATION *****\"\n"
  "    set simulated [glob -nocomplain ${project_name}_prj/solution1/csim/build/tb_data/csim_results.log]\n"
  "    set hardware [glob -nocomplain ${project_name}_prj/solution1/sim/wrapc*/tb_data/rtl_cosim_results.log]\n"
  "    set texts {}\n"
  "    foreach log [list {*}$simulated {*}$hardware] {\n"
  "        set file [open $log]\n"
  "        lappend texts [string trim [read $file]]\n"
  "        close $file\n"
  "    }\n"
  "    if {[llength $simulated] == 0 || [llength $hardware] == 0} {\n"
  "        puts \"ERROR: validation needs the steps csim and cosim\"\n"
  "        exit 1\n"
  "    }\n"
  "    if {[llength [lsort -unique $texts]] != 1} {\n"
  "        puts \"ERROR: Co-simulation failed: the RTL and the C++ give different results\"\n"
  "        exit 1\n"
  "    }\n"
  "    puts \"INFO: the RTL and the C++ give equal results\"\n"
  "}\n"
  "if {$opt(export)} {\n"
  "    puts \"***** EXPORT IP *****\"\n"
  "    set start [clock milliseconds]\n"
  "    export_design -format ip_catalog\n"
  "    report_time \"EXPORT IP\" $start\n"
  "}\n"
  "if {$opt(vsynth)} {\n"
  "    puts \"***** VIVADO SYNTHESIS *****\"\n"
  "    set start [clock milliseconds]\n"
  "    exec vivado -mode batch -source vivado_synth.tcl >@ stdout\n"
  "    report_time \"VIVADO SYNTHESIS\" $start\n"
  "}\n"
  "exit\n";

/* The multipliers of groups without weights are not there at all; what is constant in the memories goes here. */
static const char vivado_synthesis[] =
  TCL_HEAD "# Logic synthesis of the RTL out of context, with the project's clock.\n"
           "set tcldir [file dirname [info script]]\n"
           "source [file join $tcldir project.tcl]\n"
           "set rtl [glob -nocomplain ${project_name}_prj/solution1/syn/verilog/*.v]\n"
           "read_verilog $rtl\n"
           "foreach memory [glob -nocomplain ${project_name}_prj/solution1/syn/verilog/*.dat] { file copy -force $memory . }\n"
           "foreach ip [glob -nocomplain ${project_name}_prj/solution1/syn/verilog/*_ip.tcl] { source $ip }\n"
           "synth_design -top $top_name -part $part -mode out_of_context\n"
           "create_clock -period $clock_period [get_ports ap_clk]\n"
           "opt_design -retarget -propconst -sweep -bram_power_opt -shift_register_opt\n"
           "report_utilization -file vivado_synth.rpt\n"
           "report_timing_summary -file vivado_timing.rpt\n";

static void
write_project_tcl (HlsEmit *emit)
{
  const NnConfig *config = nn_design_config (emit->design);
  GString *text = g_string_new (TCL_HEAD "# What build_prj.tcl and vivado_synth.tcl need to know.\n");
  g_autofree char *clock = nn_text_from_double (nn_config_clock_ns (config));
  g_autofree char *uncertainty = nn_text_from_double (nn_config_clock_ns (config) * nn_config_uncertainty (config));
  g_autofree char *board = nn_config_setting (config, "Board");
  const char *size = nn_config_extra (config, NULL, NULL, "MaximumSize");
  gint64 maximum;

  if (size == NULL || !nn_text_to_int (size, &maximum) || maximum < 1)
    maximum = DEFAULT_MAXIMUM_SIZE;

  g_string_append_printf (text,
                          "set project_name \"%s\"\nset top_name \"%s%s\"\nset backend \"%s\"\nset part \"%s\"\nset clock_period %s\n"
                          "set clock_uncertainty %s\nset maximum_size %" G_GINT64_FORMAT "\nset standard \"%s\"\nset board \"%s\"\n",
                          emit->name, emit->name, emit->interface != HLS_INTERFACE_NONE ? "_axi" : "", emit->backend->key, nn_config_part (config), clock, uncertainty, maximum,
                          emit->backend->backend == NN_BACKEND_VIVADO ? "c++0x" : emit->backend->standard, board != NULL ? board : "");
  hls_project_add (emit->project, "project.tcl", text);
}

static void
scripts (HlsEmit *emit)
{
  gboolean vivado = emit->backend->backend == NN_BACKEND_VIVADO;
  GString *build = g_string_new (build_head);

  if (vivado)
    g_string_append (build, "open_solution -reset \"solution1\"\ncatch {config_array_partition -maximum_size $maximum_size}\n");
  else
    g_string_append (build, "open_solution -reset \"solution1\" -flow_target vivado\n"
                            "catch {config_schedule -enable_dsp_full_reg=false}\n"
                            "catch {config_compile -complex-mul-dsp=0}\n");
  g_string_append (build, build_tail);
  hls_project_add (emit->project, "build_prj.tcl", build);
  hls_project_add (emit->project, "build_opt.tcl", g_string_new (build_options));
  hls_project_add (emit->project, "vivado_synth.tcl", g_string_new (vivado_synthesis));
  write_project_tcl (emit);
}

const HlsBackend hls_backend_vitis = {
  .backend = NN_BACKEND_VITIS,
  .name = "Vitis HLS",
  .key = "vitis",
  .header = "backend/amd.h",
  .tool = "backend/tool-vitis.h",
  .standard = "c++14",
  .simulation = simulation,
  .type = hls_type_ap,
  .scripts = scripts,
  .directives = vitis_directives,
  .by_hand = "`build_opt.tcl` says which steps run. Then `vitis-run --mode hls --tcl build_prj.tcl`, or `vitis_hls -f build_prj.tcl` where the version still has it.\n",
};

const HlsBackend hls_backend_vivado = {
  .backend = NN_BACKEND_VIVADO,
  .name = "Vivado HLS",
  .key = "vivado",
  .header = "backend/amd.h",
  .tool = "backend/tool-vivado.h",
  .standard = "c++11", /* its front end is of 2012 */
  .simulation = simulation,
  .type = hls_type_ap,
  .scripts = scripts,
  .directives = vivado_directives,
  .by_hand = "`build_opt.tcl` says which steps run. Then `vivado_hls -f build_prj.tcl`, or with steps `vivado_hls -f build_prj.tcl \"csim=1 synth=1\"`.\n",
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scripts that drive the tools, run by tclsh with commands that only print themselves: they parse, every variable they
 * read is set, steps come in order and only where they are asked for, and failures are failures. */

#include "test-network.h"

/* Of Vitis HLS and Vivado HLS; the C and the RTL simulation leave their logs where the tools do. */
static const char amd_commands[] =
  "foreach command {open_project set_top add_files open_solution config_array_partition config_schedule config_compile set_part create_clock\n"
  "    set_clock_uncertainty csynth_design export_design} {\n"
  "    proc $command {args} \"puts \\\"$command \\$args\\\"\"\n"
  "}\n"
  "proc log {folder name text} {\n"
  "    file mkdir myproject_prj/solution1/$folder/tb_data\n"
  "    set file [open myproject_prj/solution1/$folder/tb_data/$name w]; puts $file $text; close $file\n"
  "}\n"
  "proc csim_design {args} { puts csim_design; log csim/build csim_results.log {1 2 3} }\n"
  "proc cosim_design {args} { puts cosim_design; log sim/wrapc rtl_cosim_results.log $::rtl }\n"
  "set rtl {1 2 3}\n";

/* Of Catapult: steps that a licence lacks fail. */
static const char catapult_commands[] =
  "foreach command {options project flow solution directive go logfile} {\n"
  "    proc $command {args} \"puts \\\"$command \\$args\\\"; if {\\[string match *CDesignChecker/launch* \\$args\\]} { error {no licence} }\"\n"
  "}\n"
  "proc library {args} { if {[string match *xcku115* $args]} { return mgc_Xilinx-KINTEX-u-2_beh }; return {} }\n";

typedef struct {
  const char *config;
  const char *commands;
  const char *steps;      /* of build_opt.tcl */
  const char *order[12];  /* what is printed, in this order */
  const char *absent[4];
  gboolean    fails;
} Case;

#define MODEL "\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":2,\"Strategy\":\"Resource\"}}}"
#define ALL "csim 1 synth 1 cosim 1 validation 1 export 1 vsynth 0 reset 1"

static const Case cases[] = {
  { "{\"Backend\":\"Vitis\",\"ClockPeriod\":4,\"ClockUncertainty\":\"12.5%\",\"Part\":\"xcu200-fsgd2104-2-e\"," MODEL, amd_commands, ALL,
    { "open_project -reset myproject_prj", "set_top myproject", "-std=c++14", "open_solution -reset solution1 -flow_target vivado",
      "set_part xcu200-fsgd2104-2-e", "create_clock -period 4 -name default", "set_clock_uncertainty 0.5 default", "csim_design", "csynth_design",
      "cosim_design", "equal results", "export_design -format ip_catalog" } },
  { "{\"Backend\":\"Vivado\"," MODEL, amd_commands, "csim 0 synth 1 cosim 0 validation 0 export 0 vsynth 0 reset 0",
    { "open_project myproject_prj", "-std=c++0x", "open_solution -reset solution1\n", "config_array_partition -maximum_size 4096", "***** C/RTL SYNTHESIS *****",
      "csynth_design", "C/RTL SYNTHESIS COMPLETED IN" }, { "csim_design", "cosim_design", "export_design" } },
  { "{\"Backend\":\"Vivado\",\"Interface\":\"axi_lite\"," MODEL, amd_commands, ALL, { "set_top myproject_axi", "firmware/myproject_axi.cpp", "csynth_design" } },
  /* the RTL differs from the C++ */
  { "{\"Backend\":\"Vitis\"," MODEL, "source amd.tcl\nset rtl {1 2 4}\n", ALL, { "csynth_design", "ERROR: Co-simulation failed" }, { "export_design" }, TRUE },
  { "{\"Backend\":\"Vitis\"," MODEL, amd_commands, "csim 0 synth 1 cosim 1 validation 1 export 0 vsynth 0 reset 1", { "ERROR: validation needs" }, { NULL }, TRUE },
  { "{\"Backend\":\"Catapult\"," MODEL, catapult_commands, "csim 1 synth 1 cosim 1 validation 0 export 1 vsynth 1 reset 1",
    { "flow package require /SCVerify", "go analyze", "solution design set myproject -top", "WARNING: LINT was not possible: no licence", "go compile",
      "SIMTOOL=osci", "flow run /CCOV/run", "mgc_Xilinx-KINTEX-u-2_beh -- -rtlsyntool Vivado", "-CLOCK_PERIOD 5", "go extract", "Verify_rtl_v_msim.mk",
      "flow run /Vivado/synthesize" }, { "vhdl_msim", "DesignCompiler" } },
  { "{\"Backend\":\"Catapult\",\"IOType\":\"io_stream\",\"Technology\":\"asic\",\"ASICLibs\":\"saed32rvt_tt0p78v125c_beh\"," MODEL, catapult_commands,
    "csim 0 synth 1 cosim 0 validation 0 export 0 vsynth 1 reset 1",
    { "solution library add saed32rvt_tt0p78v125c_beh -- -rtlsyntool DesignCompiler", "ccs_sample_mem", "go libraries", "go assembly", "go architect",
      "go extract", "***** LOGIC SYNTHESIS *****", "flow run /DesignCompiler/synthesize" }, { "SIMTOOL", "CCOV/run", "Xilinx" } },
  { "{\"Backend\":\"Catapult\",\"Part\":\"xczu9eg-ffvb1156-2-e\"," MODEL, catapult_commands, "csim 0 synth 0 cosim 0 validation 0 export 0 vsynth 0 reset 1",
    { "go compile", "project save" }, { "go extract" } },
};

static void
put (const char *folder,
     const char *name,
     const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* A dense network whose first matrix is pruned, so that memories and directives are written too. */
static void
write_project (const char *config,
               const char *target)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  TestNetwork n;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (4));
  network_dense (&n, "fc", 4, 6);
  network_prune (n.weights[0].values, 2, 2);
  model = network_end (&n);
  design = network_design (model, config);
  project = hls_project_new (design, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (hls_project_write (project, target, &error));
}

static void
run (const Case *c)
{
  const char *argv[] = { "tclsh", "try.tcl", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "p", NULL), *out = NULL, *messages = NULL;
  g_autofree char *steps = g_strdup_printf ("array set opt {%s}\n", c->steps);
  g_autofree char *text = g_strconcat (c->commands, "source build_prj.tcl\n", NULL);
  const char *at;
  int status;

  g_test_message ("%s", c->config);
  write_project (c->config, target);
  put (target, "amd.tcl", amd_commands);
  put (target, "build_opt.tcl", steps);
  put (target, "try.tcl", text);
  g_spawn_sync (target, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &messages, &status, &error);
  g_assert_no_error (error);
  if (*messages != '\0' || g_spawn_check_wait_status (status, NULL) == c->fails)
    g_error ("%s\n%s", out, messages);
  at = out;
  for (guint k = 0; k < G_N_ELEMENTS (c->order) && c->order[k] != NULL; k++)
    {
      const char *found = strstr (at, c->order[k]);

      if (found == NULL)
        g_error ("\"%s\" is not in the rest:\n%s", c->order[k], at);
      at = found;
    }
  for (guint k = 0; k < G_N_ELEMENTS (c->absent) && c->absent[k] != NULL; k++)
    if (strstr (out, c->absent[k]) != NULL)
      g_error ("\"%s\" was not asked for:\n%s", c->absent[k], out);
  remove_folder (folder);
}

static void
test_steps (void)
{
  g_autofree char *tcl = g_find_program_in_path ("tclsh");

  if (tcl == NULL)
    {
      g_test_skip ("tclsh is not here");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    run (&cases[i]);
}

/* What make would run. @compiler: (nullable): a word for make */
static char *
would_run (const char *folder,
           const char *target,
           const char *compiler)
{
  const char *argv[] = { "make", "-n", target, compiler, NULL };
  g_autoptr (GError) error = NULL;
  char *out;
  int status;

  g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  return out;
}

/* Makefiles of Intel's tools: every target is known, and calls the tool's compiler, or the one given, with the part and the clock. */
static void
test_targets (void)
{
  static const struct { const char *backend, *target, *compiler, *words; } targets[] = {
    { "oneAPI", "emulation", "icpx", "-fintelfpga -qactypes" }, { "oneAPI", "report", "icpx", "-Xstarget=Agilex7 -Xsclock=5ns" },
    { "oneAPI", "simulation", "icpx", "-Xssimulation" },        { "oneAPI", "hardware", "icpx", "-Xshardware" },
    { "Quartus", "emulation", "i++", "-march=x86-64" },         { "Quartus", "report", "i++", "-march=Arria10 --clock 5ns" },
    { "Quartus", "simulation", "i++", "./myproject-fpga" },     { "Quartus", "hardware", "i++", "quartus_sh --flow compile" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      g_autofree char *config = g_strdup_printf ("{\"Backend\":\"%s\"," MODEL, targets[i].backend), *folder = test_folder ();
      g_autofree char *target = g_build_filename (folder, "p", NULL), *alone = NULL, *given = NULL;

      write_project (config, target);
      alone = would_run (target, targets[i].target, NULL);
      given = would_run (target, targets[i].target, "CXX=the-compiler");
      g_assert_true (g_str_has_prefix (alone, targets[i].compiler));
      g_assert_nonnull (strstr (given, "the-compiler"));
      if (strstr (given, targets[i].words) == NULL)
        g_error ("%s %s: %s", targets[i].backend, targets[i].target, given);
      remove_folder (folder);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scripts/steps", test_steps);
  g_test_add_func ("/scripts/targets", test_targets);
  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which tool runs and how it is called: PATH, the usual folders, versions, settings scripts. */

#include "test-build-fixture.h"

/* The folder of a version that the environment names; the newest name of the tool first. */
static void
test_environment (Fixture       *f,
                  gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *bin = g_build_filename (f->folder, "Vitis", "bin", NULL), *program = g_build_filename (bin, "vitis-run", NULL);
  g_autofree char *path = NULL;

  g_assert_cmpint (g_mkdir_with_parents (bin, 0777), ==, 0);
  g_assert_true (g_file_set_contents_full (program, "#!/bin/sh\n", -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_setenv ("PATH", "/nowhere", TRUE);
  g_setenv ("XILINX_VITIS", f->folder, TRUE);
  path = hls_tool_find ("vitis", &error);
  g_unsetenv ("XILINX_VITIS");
  g_assert_no_error (error);
  g_assert_cmpstr (path, ==, program);
}

/* All that are there can be chosen from, each with its version. */
static void
check_list (void)
{
  static const struct { const char *title, *version; } expected[] = {
    { "Vitis", "2025.1" }, { "Vitis", "2023.2" }, { "Vitis", "2023.1" }, { "Vitis HLS", "2022.2" },
  };
  g_autoptr (GPtrArray) list = hls_tools_list ("vitis");

  g_assert_cmpuint (list->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < list->len; i++)
    {
      const HlsTool *tool = list->pdata[i];

      g_assert_cmpstr (tool->title, ==, expected[i].title);
      g_assert_cmpstr (tool->version, ==, expected[i].version);
      g_assert_true (hls_tool_fits (tool->path, "vitis"));
      g_assert_false (hls_tool_fits (tool->path, "catapult"));
    }
  g_assert_true (hls_tool_fits ("/home/me/run-vitis", "vitis"));
}

/* The newest version counts, in whichever of the layouts it is: "Vitis/2023.1" of before, "2025.1/Vitis" of now. */
static void
test_usual_folders (Fixture       *f,
                    gconstpointer  data)
{
  static const struct { const char *path, *backend; } installed[] = {
    { "Xilinx/Vitis_HLS/2022.2/bin/vitis_hls", NULL },
    { "Xilinx/Vitis/2023.1/bin/vitis-run", NULL },
    { "Xilinx/Vitis/2023.2/bin/vitis-run", NULL },
    { "Xilinx/2025.1/Vitis/bin/vitis-run", "vitis" },
    { "Xilinx/Vivado/2019.2/bin/vivado_hls", NULL },
    { "Xilinx/Vivado/2020.1/bin/vivado_hls", "vivado" },
    { "Xilinx/Vivado/2023.2/bin/vivado", NULL },
    { "Xilinx/2025.1/Vivado/bin/vivado", "vivado-synthesis" },
    { "intelFPGA_pro/23.4/hls/bin/i++", "quartus" },
    { "intel/oneapi/compiler/2024.2/bin/icpx", NULL },
    { "intel/oneapi/compiler/2025.0/bin/icpx", "oneapi" },
    { "siemens/catapult/2024.2/Mgc_home/bin/catapult", "catapult" },
  };

  /* the home of this program is fixed when it starts: another one asks */
  if (!g_test_subprocess ())
    {
      g_autofree char *old = g_strdup (g_getenv ("HOME"));

      for (guint i = 0; i < G_N_ELEMENTS (installed); i++)
        {
          g_autofree char *path = g_build_filename (f->folder, installed[i].path, NULL), *bin = g_path_get_dirname (path);

          g_assert_cmpint (g_mkdir_with_parents (bin, 0777), ==, 0);
          g_assert_true (g_file_set_contents_full (path, "#!/bin/sh\n", -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
        }
      g_setenv ("HOME", f->folder, TRUE);
      g_test_trap_subprocess (NULL, 0, 0);
      g_setenv ("HOME", old, TRUE);
      g_test_trap_assert_passed ();
      return;
    }
  g_setenv ("PATH", "/nowhere", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (installed); i++)
    {
      g_autofree char *expected = g_build_filename (g_get_home_dir (), installed[i].path, NULL);
      g_autofree char *path = installed[i].backend != NULL ? hls_tool_find (installed[i].backend, NULL) : NULL;

      if (installed[i].backend != NULL)
        g_assert_cmpstr (path, ==, expected);
    }
  check_list ();
}

/* The words that each tool is called with; steps of Intel's tools are targets of make. */
static void
test_commands (Fixture       *f,
               gconstpointer  data)
{
  static const struct { const char *tool, *words; } cases[] = {
    { "/x/vitis-run", "/x/vitis-run --mode hls --tcl build_prj.tcl" },
    { "/x/vitis_hls", "/x/vitis_hls -f build_prj.tcl" },
    { "/x/vivado_hls", "/x/vivado_hls -f build_prj.tcl" },
    { "/x/icpx", "make CXX=/x/icpx report simulation" },
    { "/x/i++", "make CXX=/x/i++ report simulation" },
    { "/x/catapult", "/x/catapult -shell -file build_prj.tcl" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) argv = hls_tool_command (cases[i].tool, NULL, HLS_STAGE_SYNTH | HLS_STAGE_COSIM);
      g_autofree char *words = g_strjoinv (" ", argv);

      g_assert_cmpstr (words, ==, cases[i].words);
    }
}

/* A settings script is what puts the tool on PATH. */
static void
test_settings (Fixture       *f,
               gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = NULL;
  g_autofree char *script = g_build_filename (f->folder, "settings64.sh", NULL);
  g_autofree char *text = g_strdup_printf ("echo talkative\nexport PATH=\"%s:$PATH\"\n", f->folder);
  HlsBuildOptions options;

  put (f, "mode", "ok");
  put (f, "settings64.sh", text);
  g_setenv ("PATH", f->old_path, TRUE);
  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH;
  options.settings = script; /* which of the tools it brings is found out */
  report = hls_build (f->project, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report->stage, ==, "csynth");
}

/* Settings scripts as they are met: with Windows' line ends, in a folder with blanks, one that takes the command line for its own
 * and ends with another status than 0, one that needs the command of environment modules. */
static void
test_settings_forms (Fixture       *f,
                     gconstpointer  data)
{
  static const char *const forms[] = {
    "if true\r\nthen\r\n  export PATH=\"%s:$PATH\"\r\nfi\r\n",
    "[ $# = 0 ] && export PATH=\"%s:$PATH\"\nreturn 3\n",
    "type module > /dev/null || exit 1\nmodule load vitis 2> /dev/null\nexport PATH=\"%s:$PATH\"\n",
  };
  g_autofree char *folder = g_build_filename (f->folder, "my tools", NULL), *script = g_build_filename (folder, "settings64.sh", NULL);
  HlsBuildOptions options;

  put (f, "mode", "ok");
  g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  g_setenv ("PATH", f->old_path, TRUE);
  g_setenv ("BASH_FUNC_module%%", "() { :; }", TRUE); /* as a login shell leaves it */
  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH;
  options.settings = script;
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlsReport) report = NULL;
      g_auto (GStrv) parts = g_strsplit (forms[i], "%s", 2);
      g_autofree char *text = g_strjoinv (f->folder, parts);

      g_test_message ("form %u", i);
      g_assert_true (g_file_set_contents (script, text, -1, NULL));
      report = hls_build (f->project, &options, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat (report->resources.amount[NN_RESOURCE_DSP], ==, 36);
    }
  g_unsetenv ("BASH_FUNC_module%%");
}

/* What cannot work is said before anything is started. */
static void
test_settings_wrong (Fixture       *f,
                     gconstpointer  data)
{
  static const struct { const char *settings, *tool, *text; } cases[] = {
    { "/nowhere/settings64.sh", NULL, "\"/nowhere/settings64.sh\" is not there" },
    { "/nowhere/settings64.csh", NULL, "for another shell" },
    { NULL, "/opt/siemens/catapult/2024.2/Mgc_home/bin/catapult", "no tool for the backend \"vitis\"" },
  };

  put (f, "mode", "ok");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      HlsBuildOptions options;

      hls_build_options_init (&options);
      options.stages = HLS_STAGE_SYNTH;
      options.settings = cases[i].settings;
      options.tool = cases[i].tool;
      g_assert_null (hls_build (f->project, &options, NULL, NULL, &error));
      g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING);
      g_assert_nonnull (strstr (error->message, cases[i].text));
    }
}

static void
test_missing (Fixture       *f,
              gconstpointer  data)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("PATH", "/nowhere", TRUE);
  g_assert_null (build (f, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING);
  g_assert_nonnull (strstr (error->message, "vitis-run or vitis_hls"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/tools/settings", Fixture, "vitis_hls", set_up, test_settings, tear_down);
  g_test_add ("/tools/settings-forms", Fixture, "vitis_hls", set_up, test_settings_forms, tear_down);
  g_test_add ("/tools/settings-wrong", Fixture, "vitis_hls", set_up, test_settings_wrong, tear_down);
  g_test_add ("/tools/environment", Fixture, "unused", set_up, test_environment, tear_down);
  g_test_add ("/tools/usual-folders", Fixture, "unused", set_up, test_usual_folders, tear_down);
  g_test_add ("/tools/commands", Fixture, "unused", set_up, test_commands, tear_down);
  g_test_add ("/tools/missing", Fixture, "unused", set_up, test_missing, tear_down);
  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vendors' tools. */

#include "hls-tool.h"

#include "hls-host.h"

#include <string.h>

/* Names in the order in which they are tried: newer tools first (Vitis: vitis-run from 2023.1, vitis_hls to 2024.1). */
typedef struct {
  const char *backend;
  const char *programs[3];
  const char *folders[12];  /* below which a folder for each version holds bin/PROGRAM */
  const char *variables[3]; /* of the environment, which name the folder of one version */
  const char *advice;
} Tool;

static const Tool tools[] = {
  { "vitis",
    { "vitis-run", "vitis_hls" },
    { "/tools/Xilinx/Vitis", "/tools/Xilinx/Vitis_HLS", "/opt/Xilinx/Vitis", "/opt/Xilinx/Vitis_HLS", "~/Xilinx/Vitis",
      "~/Xilinx/Vitis_HLS", "/tools/Xilinx", "/opt/Xilinx", "~/Xilinx", "/tools/AMD", "/opt/AMD" },
    { "XILINX_VITIS", "XILINX_HLS" },
    "install AMD Vitis (2020.2 or newer)" },
  { "vivado",
    { "vivado_hls" },
    { "/tools/Xilinx/Vivado", "/opt/Xilinx/Vivado", "~/Xilinx/Vivado", "/tools/Xilinx", "/opt/Xilinx", "~/Xilinx" },
    { "XILINX_VIVADO", "XILINX_HLS" },
    "install AMD Vivado HLS (2020.1 or older); for newer versions use the backend Vitis" },
  { "vivado-synthesis",
    { "vivado" },
    { "/tools/Xilinx/Vivado", "/opt/Xilinx/Vivado", "~/Xilinx/Vivado", "/tools/Xilinx", "/opt/Xilinx", "~/Xilinx" },
    { "XILINX_VIVADO" },
    "install AMD Vivado for logic synthesis" },
  { "oneapi", { "icpx" }, { "/opt/intel/oneapi/compiler", "~/intel/oneapi/compiler" }, { "CMPLR_ROOT" }, "install the Intel oneAPI base toolkit with FPGA support" },
  { "quartus", { "i++" }, { "/opt/intelFPGA_pro", "/opt/intelFPGA", "/opt/altera_pro", "/opt/altera", "~/intelFPGA_pro", "~/intelFPGA", "~/altera_pro" }, { "INTELFPGAOCLSDKROOT" }, "install Intel HLS (Quartus Prime Pro)" },
  { "catapult", { "catapult" }, { "/opt/siemens/catapult", "/opt/mentor/catapult", "/opt/catapult", "/tools/siemens/catapult", "/tools/mentor/catapult", "/eda/siemens/catapult", "~/siemens/catapult" },
    { "MGC_HOME", "CATAPULT_HOME" }, "install Siemens Catapult" },
};

/* Orders "2024.1" before "2023.2" and "2020.10" before "2020.9". */
static int
compare_versions (gconstpointer a,
                  gconstpointer b)
{
  g_autofree char *x = g_utf8_collate_key_for_filename (*(const char *const *) a, -1);
  g_autofree char *y = g_utf8_collate_key_for_filename (*(const char *const *) b, -1);

  return strcmp (y, x);
}

/* Where a version keeps its programs: its own layout, that of a unified installation, and Catapult's. */
static char *
find_inside (const char *version,
             const char *program)
{
  static const char *const inside[] = { "bin", "Vitis/bin", "Vivado/bin", "Vitis_HLS/bin", "hls/bin", "Mgc_home/bin", "linux/bin" };

  for (guint way = 0; way < G_N_ELEMENTS (inside); way++)
    {
      g_autofree char *path = g_build_filename (version, inside[way], program, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test (path, G_FILE_TEST_IS_DIR))
        return g_steal_pointer (&path);
    }
  return NULL;
}

/* A program below one of the usual folders, and the version whose folder it is in: "2025.1" of "/tools/Xilinx/2025.1/Vitis". */
typedef struct {
  char *path, *version;
} Found;

static void
found_clear (Found *found)
{
  g_clear_pointer (&found->path, g_free);
  g_clear_pointer (&found->version, g_free);
}

/* Whether @name is the newer version; of equal ones the first that was found stays. */
static gboolean
is_newer (const Found *found,
          const char  *name)
{
  return found->path == NULL || compare_versions (&name, &found->version) < 0;
}

static void
find_below (const char *name_of_folder,
            const char *program,
            Found      *found)
{
  g_autofree char *folder = g_str_has_prefix (name_of_folder, "~/") ? g_build_filename (g_get_home_dir (), name_of_folder + 2, NULL)
                                                                    : g_strdup (name_of_folder);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inside = g_build_filename (folder, name, NULL);
      char *path = is_newer (found, name) ? find_inside (inside, program) : NULL;

      if (path == NULL)
        continue;
      found_clear (found);
      *found = (Found){ path, g_strdup (name) };
    }
}

/* What is called when none was found: the name that newer versions have. (transfer none) (nullable) */
const char *
hls_tool_name (const char *backend)
{
  for (guint k = 0; k < G_N_ELEMENTS (tools); k++)
    if (g_str_equal (tools[k].backend, backend))
      return tools[k].programs[0];
  return NULL;
}

static const Tool *
find_row (const char  *backend,
          GError     **error)
{
  for (guint k = 0; k < G_N_ELEMENTS (tools); k++)
    if (g_str_equal (tools[k].backend, backend))
      return &tools[k];
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "\"%s\" is no backend", backend);
  return NULL;
}

/* On PATH, in the folder that the environment names, in the usual folders: there the newest version of any. */
static char *
search (const Tool *tool)
{
  Found found = { NULL, NULL };
  char *path = NULL;

  for (guint p = 0; path == NULL && tool->programs[p] != NULL; p++)
    path = g_find_program_in_path (tool->programs[p]);
  for (guint v = 0; path == NULL && tool->variables[v] != NULL; v++)
    for (guint p = 0; path == NULL && tool->programs[p] != NULL; p++)
      if (g_getenv (tool->variables[v]) != NULL)
        path = find_inside (g_getenv (tool->variables[v]), tool->programs[p]);
  for (guint p = 0; path == NULL && tool->programs[p] != NULL; p++)
    for (guint f = 0; tool->folders[f] != NULL; f++)
      find_below (tool->folders[f], tool->programs[p], &found);
  if (path == NULL)
    path = g_steal_pointer (&found.path);
  found_clear (&found);
  if (path == NULL && hls_host_sandboxed ())
    path = hls_host_find (tool->programs, tool->folders);
  return path;
}

static void
set_missing (const Tool  *tool,
             const char  *where,
             GError     **error)
{
  g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "%s%s%s was not found %s; %s, or give its path or its settings script",
               tool->programs[0], tool->programs[1] != NULL ? " or " : "", tool->programs[1] != NULL ? tool->programs[1] : "", where,
               tool->advice);
}

/**
 * hls_tool_find:
 * @backend: or "vivado-synthesis" for the logic synthesis of AMD's
 *
 * Inside a sandbox it is looked for outside too, where that is permitted.
 *
 * Errors: %HLS_ERROR_TOOL_MISSING, saying what was looked for and what to install
 */
char *
hls_tool_find (const char  *backend,
               GError     **error)
{
  const Tool *tool = find_row (backend, error);
  char *path = tool != NULL ? search (tool) : NULL;

  if (path == NULL && tool != NULL)
    set_missing (tool, "on PATH nor in the usual folders", error);
  return path;
}

/**
 * hls_tool_with_settings:
 *
 * Errors: %HLS_ERROR_TOOL_MISSING
 *
 * Returns: (transfer full): the newest of the backend's tools that is on PATH once @settings has been sourced
 */
char *
hls_tool_with_settings (const char  *backend,
                        const char  *settings,
                        GError     **error)
{
  const Tool *tool = find_row (backend, error);
  g_autofree char *script = g_canonicalize_filename (settings, NULL);

  for (guint p = 0; tool != NULL && tool->programs[p] != NULL; p++)
    {
      const char *argv[] = { "bash", "-c", "source \"$0\" >/dev/null 2>&1; command -v \"$1\"", script, tool->programs[p], NULL };
      g_auto (GStrv) outside = hls_host_sandboxed () ? hls_host_command (argv, NULL) : NULL;
      g_autofree char *out = NULL;
      int status;

      if (g_spawn_sync (NULL, outside != NULL ? outside : (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status, NULL) &&
          g_spawn_check_wait_status (status, NULL) && *g_strstrip (out) != '\0')
        return g_steal_pointer (&out);
    }
  if (tool != NULL)
    set_missing (tool, "on PATH, not even after the settings script", error);
  return NULL;
}

/* Of the Makefiles of Intel's projects; an IP is what the reports' step leaves. */
static const struct {
  HlsStages   stage;
  const char *target;
} targets[] = {
  { HLS_STAGE_CSIM, "emulation" },
  { HLS_STAGE_SYNTH | HLS_STAGE_EXPORT, "report" },
  { HLS_STAGE_COSIM, "simulation" },
  { HLS_STAGE_VSYNTH, "hardware" },
};

/* Sources a settings script first, as the vendors' manuals tell users to. */
static const char with_settings[] = "source \"$0\" >/dev/null && exec \"$@\"";

char **
hls_tool_command (const char *tool,
                  const char *settings,
                  HlsStages   stages)
{
  g_autofree char *name = g_path_get_basename (tool);
  GPtrArray *words = g_ptr_array_new ();

  if (settings != NULL)
    {
      g_ptr_array_add (words, g_strdup ("bash"));
      g_ptr_array_add (words, g_strdup ("-c"));
      g_ptr_array_add (words, g_strdup (with_settings));
      g_ptr_array_add (words, g_canonicalize_filename (settings, NULL));
    }
  if (g_str_equal (name, "icpx") || g_str_equal (name, "i++"))
    {
      g_ptr_array_add (words, g_strdup ("make"));
      g_ptr_array_add (words, g_strdup_printf ("CXX=%s", tool));
      for (guint k = 0; k < G_N_ELEMENTS (targets); k++)
        if (stages & targets[k].stage)
          g_ptr_array_add (words, g_strdup (targets[k].target));
    }
  else if (g_str_equal (name, "vivado"))
    for (const char *const *word = (const char *const[]){ tool, "-mode", "batch", "-nojournal", "-source", "vivado_synth.tcl", NULL }; *word != NULL; word++)
      g_ptr_array_add (words, g_strdup (*word));
  else
    {
      g_ptr_array_add (words, g_strdup (tool));
      if (g_str_has_prefix (name, "vitis-run"))
        {
          g_ptr_array_add (words, g_strdup ("--mode"));
          g_ptr_array_add (words, g_strdup ("hls"));
          g_ptr_array_add (words, g_strdup ("--tcl"));
        }
      else if (g_str_has_prefix (name, "catapult"))
        {
          g_ptr_array_add (words, g_strdup ("-shell"));
          g_ptr_array_add (words, g_strdup ("-file"));
        }
      else
        g_ptr_array_add (words, g_strdup ("-f"));
      g_ptr_array_add (words, g_strdup ("build_prj.tcl"));
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

typedef struct {
  const char *pattern;
  const char *name;
  double      fraction; /* of the stage it belongs to: a guess that only orders them */
} Phase;

/* As printed by build_prj.tcl, Vitis and Vivado HLS, Vivado and Catapult. */
static const Phase phases[] = {
  { "***** C SIMULATION *****", "C simulation", 0.05 },
  { "***** C/RTL SYNTHESIS *****", "C synthesis", 0.1 },
  { "Analyzing design file", "analysing the source", 0.12 },
  { "Starting code transformations", "transforming the code", 0.2 },
  { "Starting hardware synthesis", "scheduling", 0.4 },
  { "Starting scheduling", "scheduling", 0.45 },
  { "Generating all RTL models", "writing RTL", 0.7 },
  { "***** C/RTL SIMULATION *****", "co-simulation", 0.75 },
  { "***** EXPORT IP *****", "exporting", 0.85 },
  { "***** VIVADO SYNTHESIS *****", "logic synthesis", 0.87 },
  { "Starting RTL Elaboration", "logic synthesis: elaborating", 0.88 },
  { "Start Technology Mapping", "logic synthesis: mapping", 0.93 },
  { "Writing Synthesis Report", "logic synthesis: reports", 0.97 },
  { "# Run 'go assembly'", "assembly", 0.3 },
  { "# Run 'go architect'", "architecture", 0.5 },
  { "# Run 'go extract'", "writing RTL", 0.7 },
};

const char *
hls_tool_phase (const char *line,
                double     *fraction)
{
  for (guint k = 0; k < G_N_ELEMENTS (phases); k++)
    if (strstr (line, phases[k].pattern) != NULL)
      {
        *fraction = phases[k].fraction;
        return phases[k].name;
      }
  return NULL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the vendors' tools are, and of which versions. */

#include "hls-tool-private.h"

#include "hls-host.h"

#include <stdlib.h>
#include <string.h>

/* Where a settings script puts a program, on the last line. */
#define HLS_TOOL_ASK "program=$1\nset --\n{ " HLS_TOOL_SOURCE "} > /dev/null 2>&1\ncommand -v \"$program\"\n"

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

/* Of programs, by their names. */
static const struct { const char *program, *title; } titles[] = {
  { "vitis-run", "Vitis" }, { "vitis_hls", "Vitis HLS" }, { "vivado_hls", "Vivado HLS" }, { "vivado", "Vivado" }, { "icpx", "oneAPI" },
  { "i++", "Intel HLS" }, { "catapult", "Catapult" },
};

void
hls_tool_free (HlsTool *tool)
{
  g_free (tool->path);
  g_free (tool->version);
  g_free (tool);
}

/* "2023.2" of "/tools/Xilinx/Vitis/2023.2/bin/vitis-run", wherever links lead; "2024.1_1" of Catapult, "21.4" of Intel's. */
char *
hls_tool_version (const char *path)
{
  g_autofree char *real = realpath (path, NULL);
  g_auto (GStrv) words = g_strsplit (real != NULL ? real : path, "/", -1);

  for (guint i = g_strv_length (words); i > 0; i--)
    if (g_regex_match_simple ("^(19|20|)[0-9]{2}\\.[0-9](\\.[0-9]+)?([_-][0-9]+)?$", words[i - 1], 0, 0))
      return g_strdup (words[i - 1]);
  return NULL;
}

static void
add_tool (GPtrArray  *tools_found,
          const char *path)
{
  g_autofree char *name = path != NULL ? g_path_get_basename (path) : NULL;
  HlsTool *tool;

  for (guint i = 0; path != NULL && i < tools_found->len; i++)
    if (g_str_equal (((HlsTool *) tools_found->pdata[i])->path, path))
      return;
  if (path == NULL)
    return;
  tool = g_new0 (HlsTool, 1);
  tool->path = g_strdup (path);
  tool->version = hls_tool_version (path);
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    if (g_str_equal (titles[i].program, name))
      tool->title = titles[i].title;
  g_ptr_array_add (tools_found, tool);
}

/* A program below one of the usual folders, and the version whose folder it is in: "2025.1" of "/tools/Xilinx/2025.1/Vitis". */
typedef struct {
  char *path, *version;
} Found;

static void
found_free (gpointer data)
{
  Found *found = data;

  g_free (found->path);
  g_free (found->version);
  g_free (found);
}

/* The newest first; of equal ones that which was found first. */
static int
compare_found (gconstpointer a,
               gconstpointer b)
{
  const Found *x = *(const Found *const *) a, *y = *(const Found *const *) b;

  return compare_versions (&x->version, &y->version);
}

static void
find_below (const char *name_of_folder,
            const char *program,
            GPtrArray  *all)
{
  g_autofree char *folder = g_str_has_prefix (name_of_folder, "~/") ? g_build_filename (g_get_home_dir (), name_of_folder + 2, NULL)
                                                                    : g_strdup (name_of_folder);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inside = g_build_filename (folder, name, NULL);
      char *path = find_inside (inside, program);
      Found *found;

      if (path == NULL)
        continue;
      found = g_new (Found, 1);
      *found = (Found){ path, g_strdup (name) };
      g_ptr_array_add (all, found);
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

/* On PATH, in the folder that the environment names, in the usual folders: there the newest version of any first. */
static GPtrArray *
search (const Tool *tool)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) hls_tool_free);
  g_autoptr (GPtrArray) below = g_ptr_array_new_with_free_func (found_free);

  for (guint p = 0; tool->programs[p] != NULL; p++)
    {
      g_autofree char *path = g_find_program_in_path (tool->programs[p]);

      add_tool (all, path);
    }
  for (guint v = 0; tool->variables[v] != NULL; v++)
    for (guint p = 0; g_getenv (tool->variables[v]) != NULL && tool->programs[p] != NULL; p++)
      {
        g_autofree char *path = find_inside (g_getenv (tool->variables[v]), tool->programs[p]);

        add_tool (all, path);
      }
  for (guint p = 0; tool->programs[p] != NULL; p++)
    for (guint f = 0; tool->folders[f] != NULL; f++)
      find_below (tool->folders[f], tool->programs[p], below);
  g_ptr_array_sort (below, compare_found);
  for (guint i = 0; i < below->len; i++)
    add_tool (all, ((const Found *) below->pdata[i])->path);
  if (all->len == 0 && hls_host_sandboxed ())
    {
      g_autofree char *path = hls_host_find (tool->programs, tool->folders);

      add_tool (all, path);
    }
  return all;
}

/**
 * hls_tools_list:
 * @backend: as of hls_tool_find()
 *
 * Returns: (transfer full) (element-type HlsTool): all that are there; the first is the one that hls_tool_find() takes
 */
GPtrArray *
hls_tools_list (const char *backend)
{
  const Tool *tool = find_row (backend, NULL);

  return tool != NULL ? search (tool) : g_ptr_array_new_with_free_func ((GDestroyNotify) hls_tool_free);
}

/* Whether a program may be meant for @backend: it is unless its name is that of another backend's. */
gboolean
hls_tool_fits (const char *path,
               const char *backend)
{
  g_autofree char *name = g_path_get_basename (path);
  gboolean known = FALSE;

  for (guint k = 0; k < G_N_ELEMENTS (tools); k++)
    for (guint p = 0; tools[k].programs[p] != NULL; p++)
      if (g_str_equal (tools[k].programs[p], name))
        {
          if (g_str_equal (tools[k].backend, backend))
            return TRUE;
          known = TRUE;
        }
  return !known;
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
  g_autoptr (GPtrArray) all = tool != NULL ? search (tool) : NULL;

  if (all != NULL && all->len == 0)
    set_missing (tool, "on PATH nor in the usual folders", error);
  return all != NULL && all->len > 0 ? g_strdup (((const HlsTool *) all->pdata[0])->path) : NULL;
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
      const char *argv[] = { "bash", "-c", HLS_TOOL_ASK, script, tool->programs[p], NULL };
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

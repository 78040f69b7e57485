/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Flatpak sees neither the vendor's tools nor a compiler of the computer. Where the user permits it, flatpak-spawn starts them
 * outside (D-Bus name org.freedesktop.Flatpak); where not, the exact command is said. */

#include "hls-host.h"

#include "hls-error.h"

#include <string.h>

#define INFO "/.flatpak-info" /* there in every Flatpak sandbox, and nowhere else */

/* Platforms have it on PATH; Debian's package flatpak-xdg-utils keeps it here. */
#define SPAWN_DEBIAN "/usr/libexec/flatpak-xdg-utils/flatpak-spawn"

/* The first of the programs "$1 … --" on PATH, then the newest below the folders that follow: as hls_tool_find() inside. */
static const char find_script[] =
  "names=; while [ \"$1\" != -- ]; do p=$(command -v \"$1\") && { echo \"$p\"; exit 0; }; names=\"$names $1\"; shift; done; shift; "
  "for d in \"$@\"; do for n in $names; do p=$(ls -d \"$d\"/*/bin/\"$n\" \"$d\"/*/Vitis/bin/\"$n\" \"$d\"/*/hls/bin/\"$n\" 2>/dev/null "
  "| sort -V | tail -n 1); [ -n \"$p\" ] && { echo \"$p\"; exit 0; }; done; done; exit 127";

/* Tests have no sandbox: they name a folder with a flatpak-spawn of their own. */
gboolean
hls_host_sandboxed (void)
{
  return g_getenv ("ESPALIER_TEST_SANDBOX") != NULL || g_file_test (INFO, G_FILE_TEST_EXISTS);
}

static char *
spawner (void)
{
  const char *folder = g_getenv ("ESPALIER_TEST_SANDBOX");
  char *path = folder != NULL ? g_build_filename (folder, "flatpak-spawn", NULL) : g_find_program_in_path ("flatpak-spawn");

  if (path == NULL && g_file_test (SPAWN_DEBIAN, G_FILE_TEST_IS_EXECUTABLE))
    path = g_strdup (SPAWN_DEBIAN);
  return path;
}

/* What a short program outside prints; %NULL when it could not be started or failed. */
static char *
ask (const char *const *argv)
{
  g_auto (GStrv) words = hls_host_command (argv, NULL);
  g_autofree char *text = NULL;
  int status = -1;

  if (!g_spawn_sync (NULL, words, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &text, NULL, &status, NULL)
      || !g_spawn_check_wait_status (status, NULL))
    return NULL;
  return g_strstrip (g_steal_pointer (&text));
}

/* The portal does not tell a missing permission from a missing program: a program that is everywhere does. */
gboolean
hls_host_permitted (void)
{
  const char *argv[] = { "true", NULL };
  g_autofree char *text = ask (argv);

  return text != NULL;
}

gboolean
hls_host_needed (const char *program)
{
  g_autofree char *inside = hls_host_sandboxed () ? g_find_program_in_path (program) : NULL;

  return hls_host_sandboxed () && inside == NULL;
}

/**
 * hls_host_find:
 * @programs: (array zero-terminated=1): names in the order in which they are tried
 * @folders: (array zero-terminated=1): below which a folder for each version holds bin/PROGRAM
 *
 * Returns: (transfer full) (nullable): path outside the sandbox
 */
char *
hls_host_find (const char *const *programs,
               const char *const *folders)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  g_ptr_array_add (argv, (char *) "sh");
  g_ptr_array_add (argv, (char *) "-c");
  g_ptr_array_add (argv, (char *) find_script);
  g_ptr_array_add (argv, (char *) "sh");
  for (guint k = 0; programs[k] != NULL; k++)
    g_ptr_array_add (argv, (char *) programs[k]);
  g_ptr_array_add (argv, (char *) "--");
  for (guint k = 0; folders[k] != NULL; k++)
    g_ptr_array_add (argv, (char *) folders[k]);
  g_ptr_array_add (argv, NULL);
  return ask ((const char *const *) argv->pdata);
}

/**
 * hls_host_command:
 * @folder: (nullable): where the program works
 *
 * The child dies with us (--watch-bus): otherwise a cancelled synthesis would go on for hours outside.
 *
 * Returns: (transfer full) (array zero-terminated=1): @argv, started outside the sandbox
 */
char **
hls_host_command (const char *const *argv,
                  const char        *folder)
{
  GPtrArray *words = g_ptr_array_new ();
  char *spawn = spawner ();

  g_ptr_array_add (words, spawn != NULL ? spawn : g_strdup ("flatpak-spawn"));
  g_ptr_array_add (words, g_strdup ("--host"));
  g_ptr_array_add (words, g_strdup ("--watch-bus"));
  if (folder != NULL)
    g_ptr_array_add (words, g_strconcat ("--directory=", folder, NULL));
  for (guint k = 0; argv[k] != NULL; k++)
    g_ptr_array_add (words, g_strdup (argv[k]));
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

static gboolean
is_plain (const char *word)
{
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,";

  return *word != '\0' && strspn (word, safe) == strlen (word);
}

/* (transfer full): @argv as it would be typed. */
char *
hls_host_shell (const char *const *argv)
{
  GString *text = g_string_new (NULL);

  for (guint k = 0; argv[k] != NULL; k++)
    {
      g_autofree char *quoted = is_plain (argv[k]) ? g_strdup (argv[k]) : g_shell_quote (argv[k]);

      g_string_append_printf (text, "%s%s", k > 0 ? " " : "", quoted);
    }
  return g_string_free (text, FALSE);
}

/**
 * hls_host_check:
 * @folder: the project
 * @command: what would be run in it, as typed
 *
 * Errors: %HLS_ERROR_TOOL_MISSING with the command to be typed, where the sandbox may not start programs outside or
 * the program outside could not see @folder
 */
gboolean
hls_host_check (const char  *folder,
                const char  *command,
                GError     **error)
{
  const char *const here[] = { folder, NULL };
  g_autofree char *quoted = hls_host_shell (here);

  /* the document portal's paths mean nothing outside */
  if (g_str_has_prefix (folder, "/run/user/") || g_str_has_prefix (folder, "/run/flatpak/"))
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING,
                   "programs outside the sandbox cannot see \"%s\"; write the project into a folder within Documents or Downloads", folder);
      return FALSE;
    }
  if (hls_host_permitted ())
    return TRUE;
  g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING,
               "the sandbox may not start programs of this computer. In a terminal, run:\n  cd %s && %s\n"
               "or let Espalier do it from now on:\n  " HLS_HOST_PERMIT, quoted, command);
  return FALSE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real models and reference outputs that lie beside a checkout; tests that need them skip, saying so, where they are absent. */

#pragma once

#include <gio/gio.h>

/* Returns: (transfer full) (nullable): the path below the shared folder, or NULL after g_test_skip(). */
static inline char *
test_shared_path (const char *relative)
{
  const char *root = g_getenv ("ESPALIER_SHARED");
  g_autofree char *path = g_build_filename (root != NULL ? root : "../shared", relative, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_test_skip_printf ("shared/%s is not here", relative);
  return NULL;
}

/* A fresh folder for the test's files. (transfer full) */
static inline char *
test_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("espalier-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

static inline void
remove_folder (const char *folder)
{
  const char *argv[] = { "rm", "-rf", folder, NULL };

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

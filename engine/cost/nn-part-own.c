/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's own parts from one run to the next: a file in the data folder, the same for window and command line. */

#include "nn-part.h"

#include <gio/gio.h>

char *
nn_parts_own_path (void)
{
  return g_build_filename (g_get_user_data_dir (), "espalier", "parts.json", NULL);
}

gboolean
nn_parts_load_own (GError **error)
{
  g_autofree char *path = nn_parts_own_path ();

  return !g_file_test (path, G_FILE_TEST_EXISTS) || nn_parts_add_file (path, error);
}

gboolean
nn_parts_save_own (GError **error)
{
  g_autofree char *path = nn_parts_own_path (), *folder = g_path_get_dirname (path), *text = nn_parts_own_to_json ();
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  g_autoptr (GError) problem = NULL;

  if (!g_file_make_directory_with_parents (file, NULL, &problem) && !g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_EXISTS))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  return g_file_set_contents (path, text, -1, error);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An HLS project in memory, and how it reaches the disk: whole or not at all. */

#include "hls-project-private.h"

#include "hls-emit-private.h"
#include "nn-error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

struct _HlsProject {
  gatomicrefcount ref_count;
  GTree          *files; /* path → GBytes, sorted */
  GPtrArray      *names; /* of sealed projects; NULL-terminated */
  GPtrArray      *warnings;
};

G_DEFINE_BOXED_TYPE (HlsProject, hls_project, hls_project_ref, hls_project_unref)

static int
compare_paths (gconstpointer a,
               gconstpointer b,
               gpointer      data)
{
  return strcmp (a, b);
}

HlsProject *
hls_project_empty (void)
{
  HlsProject *project = g_new0 (HlsProject, 1);

  g_atomic_ref_count_init (&project->ref_count);
  project->files = g_tree_new_full (compare_paths, NULL, g_free, (GDestroyNotify) g_bytes_unref);
  project->warnings = g_ptr_array_new_with_free_func (g_free);
  return project;
}

/* Adds a file; a second one of the same path takes the first one's place. */
void
hls_project_add (HlsProject *project,
                 const char *path,
                 GString    *text)
{
  g_tree_insert (project->files, g_strdup (path), g_string_free_to_bytes (text));
}

void
hls_project_warn (HlsProject *project,
                  const char *text)
{
  /* NULL-terminated at all times */
  if (project->warnings->len > 0)
    g_ptr_array_set_size (project->warnings, (gint) project->warnings->len - 1);
  g_ptr_array_add (project->warnings, g_strdup (text));
  g_ptr_array_add (project->warnings, NULL);
}

static gboolean
collect (gpointer key,
         gpointer value,
         gpointer data)
{
  g_ptr_array_add (data, key);
  return FALSE;
}

void
hls_project_seal (HlsProject *project)
{
  project->names = g_ptr_array_new ();
  g_tree_foreach (project->files, collect, project->names);
  g_ptr_array_add (project->names, NULL);
}

HlsProject *
hls_project_ref (HlsProject *project)
{
  g_atomic_ref_count_inc (&project->ref_count);
  return project;
}

void
hls_project_unref (HlsProject *project)
{
  if (project == NULL || !g_atomic_ref_count_dec (&project->ref_count))
    return;
  g_clear_pointer (&project->names, g_ptr_array_unref);
  g_ptr_array_unref (project->warnings);
  g_tree_unref (project->files);
  g_free (project);
}

const char *const *
hls_project_files (const HlsProject *project)
{
  return (const char *const *) project->names->pdata;
}

/**
 * hls_project_warnings:
 *
 * Returns: (transfer none) (array zero-terminated=1): what the user should know: savings lost, kernels replaced
 */
const char *const *
hls_project_warnings (const HlsProject *project)
{
  static const char *const nothing[] = { NULL };

  return project->warnings->pdata != NULL ? (const char *const *) project->warnings->pdata : nothing;
}

const char *
hls_project_bytes (const HlsProject *project,
                   const char       *path,
                   gsize            *n)
{
  GBytes *bytes = g_tree_lookup (project->files, path);

  if (bytes == NULL)
    return NULL;
  return g_bytes_get_data (bytes, n);
}

/* Deletes a folder and what is in it; links are deleted, not followed. */
void
hls_folder_delete (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
      const char *name;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *child = g_build_filename (path, name, NULL);

          hls_folder_delete (child);
        }
    }
  g_remove (path);
}

static gboolean
fail (GError     **error,
      const char  *what,
      const char  *path)
{
  int number = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (number), "%s \"%s\": %s", what, path, g_strerror (number));
  return FALSE;
}

static gboolean
write_files (const HlsProject  *project,
             const char        *folder,
             GError           **error)
{
  for (guint i = 0; project->names->pdata[i] != NULL; i++)
    {
      const char *name = project->names->pdata[i];
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *parent = g_path_get_dirname (path);
      gsize n;
      const char *bytes = hls_project_bytes (project, name, &n);

      if (g_mkdir_with_parents (parent, 0777) != 0)
        return fail (error, "cannot make the folder", parent);
      if (!g_file_set_contents_full (path, bytes, n, G_FILE_SET_CONTENTS_NONE,
                                     g_str_has_suffix (name, ".sh") ? 0777 : 0666, error))
        return FALSE;
    }
  return TRUE;
}

/* Whether @folder may be replaced: it is not there, is empty, or is a project of ours. */
static gboolean
check_target (const char  *folder,
              GError     **error)
{
  g_autofree char *marker = g_build_filename (folder, HLS_PROJECT_MARKER, NULL);
  g_autoptr (GDir) dir = NULL;

  if (!g_file_test (folder, G_FILE_TEST_EXISTS))
    return TRUE;
  if (g_file_test (marker, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  dir = g_dir_open (folder, 0, error);
  if (dir == NULL)
    return FALSE;
  if (g_dir_read_name (dir) == NULL)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
               "\"%s\" holds other files and is no project of Espalier; choose a new or an empty folder", folder);
  return FALSE;
}

/* Puts @fresh in the place of @folder; if the second step fails, the first is undone. */
static gboolean
swap (const char  *fresh,
      const char  *folder,
      GError     **error)
{
  g_autofree char *old = g_strconcat (fresh, ".old", NULL);
  gboolean was_there = g_file_test (folder, G_FILE_TEST_EXISTS);

  if (was_there && g_rename (folder, old) != 0)
    return fail (error, "cannot replace", folder);
  if (g_rename (fresh, folder) != 0)
    {
      fail (error, "cannot write", folder);
      if (was_there)
        g_rename (old, folder);
      return FALSE;
    }
  if (was_there)
    hls_folder_delete (old);
  return TRUE;
}

/**
 * hls_project_write:
 * @folder: made with its parents; an older project of Espalier in it is replaced, and with it the results of tools
 *
 * Everything is written beside @folder first and then put in its place, so that @folder is never half a project.
 *
 * Errors: %G_FILE_ERROR; %G_FILE_ERROR_EXIST where @folder holds something else
 */
gboolean
hls_project_write (const HlsProject  *project,
                   const char        *folder,
                   GError           **error)
{
  g_autofree char *target = g_canonicalize_filename (folder, NULL);
  g_autofree char *parent = g_path_get_dirname (target);
  g_autofree char *name = g_path_get_basename (target);
  g_autofree char *hidden = g_strdup_printf (".%s.XXXXXX", name);
  g_autofree char *fresh = g_build_filename (parent, hidden, NULL);

  if (!check_target (target, error))
    return FALSE;
  if (g_mkdir_with_parents (parent, 0777) != 0)
    return fail (error, "cannot make the folder", parent);
  if (g_mkdtemp_full (fresh, 0755) == NULL)
    return fail (error, "cannot write in", parent);
  if (write_files (project, fresh, error) && swap (fresh, target, error))
    return TRUE;
  hls_folder_delete (fresh);
  return FALSE;
}

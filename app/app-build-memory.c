/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A key file in the user's state folder, with a group for each project's folder. */

#include "app-build-memory.h"

#include <glib/gstdio.h>

/* After so many of them the oldest is forgotten. */
#define MAX_KEPT 100

static char *
memory_path (void)
{
  return g_build_filename (g_get_user_state_dir (), "espalier", "builds.ini", NULL);
}

static GKeyFile *
load (void)
{
  GKeyFile *file = g_key_file_new ();
  g_autofree char *path = memory_path ();

  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);
  return file;
}

/* A loss would only mean that a build is not found again: nothing waits for the disk. */
static void
save (GKeyFile *file)
{
  g_autofree char *path = memory_path (), *folder = g_path_get_dirname (path), *text = g_key_file_to_data (file, NULL, NULL);

  g_unlink (path); /* what is written over an existing file may keep the end of the longer one */
  if (g_mkdir_with_parents (folder, 0700) == 0)
    g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

/* Folders may hold signs that a group's name cannot. */
static char *
group_of (const char *folder)
{
  return g_uri_escape_string (folder, "/ ", TRUE);
}

void
app_build_memory_keep (const AppBuild *build,
                       AppDocument    *document)
{
  g_autoptr (GKeyFile) file = load ();
  g_autofree char *group = group_of (build->folder), *title = app_document_dup_title (document);
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  if (g_strv_length (groups) >= MAX_KEPT)
    g_key_file_remove_group (file, groups[0], NULL);
  g_key_file_remove_group (file, group, NULL);
  g_key_file_set_string (file, group, "folder", build->folder);
  g_key_file_set_string (file, group, "title", build->title);
  g_key_file_set_string (file, group, "document", title);
  if (app_document_path (document) != NULL)
    g_key_file_set_string (file, group, "path", app_document_path (document));
  g_key_file_set_integer (file, group, "stages", build->stages);
  g_key_file_set_integer (file, group, "cluster", build->cluster);
  g_key_file_set_double_list (file, group, "estimate", (double *) build->estimate.amount, NN_N_RESOURCES);
  save (file);
}

void
app_build_memory_forget (const char *folder)
{
  g_autoptr (GKeyFile) file = load ();
  g_autofree char *group = group_of (folder);

  if (g_key_file_remove_group (file, group, NULL))
    save (file);
}

/* By the project's file; one that was never saved by its name. */
static gboolean
is_of (GKeyFile    *file,
       const char  *group,
       AppDocument *document)
{
  g_autofree char *path = g_key_file_get_string (file, group, "path", NULL), *title = g_key_file_get_string (file, group, "document", NULL);
  g_autofree char *own = app_document_dup_title (document);

  if (path != NULL && app_document_path (document) != NULL)
    return g_str_equal (path, app_document_path (document));
  return g_strcmp0 (title, own) == 0;
}

static AppBuild *
read_build (GKeyFile   *file,
            const char *group)
{
  AppBuild *build = g_new0 (AppBuild, 1);
  gsize n = 0;
  g_autofree double *estimate = g_key_file_get_double_list (file, group, "estimate", &n, NULL);

  build->folder = g_key_file_get_string (file, group, "folder", NULL);
  build->title = g_key_file_get_string (file, group, "title", NULL);
  build->stages = g_key_file_get_integer (file, group, "stages", NULL);
  build->cluster = g_key_file_get_integer (file, group, "cluster", NULL);
  for (gsize r = 0; r < NN_N_RESOURCES; r++)
    build->estimate.amount[r] = r < n ? estimate[r] : -1;
  build->exported = build->found = TRUE;
  return build;
}

void
app_build_memory_find (AppDocument *document,
                       GPtrArray   *builds)
{
  g_autoptr (GKeyFile) file = load ();
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    {
      AppBuild *build = is_of (file, groups[i], document) ? read_build (file, groups[i]) : NULL;
      HlsCluster cluster;
      g_autofree char *job = build != NULL && build->folder != NULL ? hls_cluster_last (build->folder, &cluster) : NULL;

      if (job != NULL && build->title != NULL)
        g_ptr_array_add (builds, build);
      else if (build != NULL)
        {
          if (build->folder != NULL)
            app_build_memory_forget (build->folder);
          app_build_free (build);
        }
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unsaved work is kept as SESSION-DOCUMENT.espalier beside SESSION.lock. The lock is held as long as the process lives, so what nobody
 * holds was left behind; the number of a process would not tell, as a sandbox gives everyone the same ones. */

#include "app-autosave.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ENDING ".espalier"
#define SESSION_LENGTH 36 /* a UUID as text */

static char *
autosave_folder (void)
{
  return g_build_filename (g_get_user_state_dir (), "espalier", "autosave", NULL);
}

static char *
lock_path (const char *folder,
           const char *session)
{
  g_autofree char *name = g_strdup_printf ("%.*s.lock", SESSION_LENGTH, session);

  return g_build_filename (folder, name, NULL);
}

/* This process's name, locked on first use; the lock is given back by the system, whatever ends us. */
static const char *
own_session (const char *folder)
{
  static char *session;
  static int fd = -1;

  if (session == NULL)
    session = g_uuid_string_random ();
  if (fd < 0)
    {
      g_autofree char *path = lock_path (folder, session);

      fd = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      if (fd >= 0)
        flock (fd, LOCK_EX | LOCK_NB);
    }
  return fd >= 0 ? session : NULL;
}

char *
app_autosave_new_path (void)
{
  g_autofree char *folder = autosave_folder (), *id = g_uuid_string_random (), *name = NULL;
  const char *session = g_mkdir_with_parents (folder, 0700) == 0 ? own_session (folder) : NULL;

  if (session == NULL)
    return NULL;
  name = g_strdup_printf ("%s-%s" ENDING, session, id);
  return g_build_filename (folder, name, NULL);
}

/* Whether a process holds the lock of a session. */
static gboolean
is_alive (const char *folder,
          const char *session)
{
  g_autofree char *path = lock_path (folder, session);
  int fd = g_open (path, O_RDWR | O_CLOEXEC, 0);
  gboolean alive;

  if (fd < 0)
    return FALSE;
  alive = flock (fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close (fd);
  return alive;
}

static void
collect (const char *folder,
         const char *name,
         GPtrArray  *paths)
{
  gboolean work = g_str_has_suffix (name, ENDING), lock = g_str_has_suffix (name, ".lock");

  if ((!work && !lock) || strlen (name) <= SESSION_LENGTH || is_alive (folder, name))
    return;
  if (work)
    g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  else
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_unlink (path); /* of a process that ended in peace, or whose work is found without it */
    }
}

static int
newest_first (gconstpointer a,
              gconstpointer b)
{
  GStatBuf x = { 0 }, y = { 0 };

  g_stat (*(const char *const *) a, &x);
  g_stat (*(const char *const *) b, &y);
  return x.st_mtime < y.st_mtime ? 1 : x.st_mtime > y.st_mtime ? -1 : 0;
}

GPtrArray *
app_autosave_left_behind (void)
{
  g_autofree char *folder = autosave_folder ();
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    collect (folder, name, paths);
  g_ptr_array_sort (paths, newest_first);
  return paths;
}

char *
app_autosave_adopt (const char *path)
{
  char *next = app_autosave_new_path ();

  if (next != NULL && g_rename (path, next) == 0)
    return next;
  g_free (next);
  return NULL;
}

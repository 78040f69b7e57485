/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vendor tools start trees of processes, some in process groups or even sessions of their own. They are found by our session,
 * and by a variable of the environment that all of them inherit. */

#include "hls-process.h"

#include "hls-error.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 100
#define GRACE_US (5 * G_USEC_PER_SEC)  /* between the request to end and the end */
#define DRAIN_US (2 * G_USEC_PER_SEC)  /* for output of children that outlive the program */

void
hls_process_enter_session (gpointer data)
{
  struct rlimit stack;
  sigset_t none;

  setsid ();
  /* simulations keep whole tensors on it */
  if (getrlimit (RLIMIT_STACK, &stack) == 0)
    {
      stack.rlim_cur = stack.rlim_max;
      setrlimit (RLIMIT_STACK, &stack);
    }
  dup2 (STDOUT_FILENO, STDERR_FILENO);
  /* a blocked signal would be handed on, and the program would not hear of its end */
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* The session of a process: the sixth word of its stat file, behind a name that may hold anything. */
static pid_t
session_of (const char *name)
{
  g_autofree char *path = g_build_filename ("/proc", name, "stat", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;
  const char *end;

  if (!g_ascii_isdigit (*name) || !g_file_get_contents (path, &text, NULL, NULL) || (end = strrchr (text, ')')) == NULL)
    return -1;
  words = g_strsplit (end + 1, " ", 7);
  return g_strv_length (words) > 5 ? (pid_t) g_ascii_strtoll (words[4], NULL, 10) : -1;
}

/* Whether a process, or one above it, was started with HLS_PROCESS_MARK set to @mark. Only those of our user tell. */
static gboolean
has_mark (const char *name,
          const char *mark)
{
  g_autofree char *path = g_build_filename ("/proc", name, "environ", NULL);
  g_autofree char *entry = g_strconcat (HLS_PROCESS_MARK "=", mark, NULL);
  g_autofree char *text = NULL;
  gsize n;

  if (!g_ascii_isdigit (*name) || !g_file_get_contents (path, &text, &n, NULL))
    return FALSE;
  for (const char *word = text; word < text + n; word += strlen (word) + 1)
    if (g_str_equal (word, entry))
      return TRUE;
  return FALSE;
}

/**
 * hls_process_signal:
 * @mark: (nullable): also those that carry it, whatever their session
 * @number: 0 to count only
 *
 * Sends a signal to every process of the session.
 *
 * Returns: how many there are
 */
guint
hls_process_signal (pid_t       session,
                    const char *mark,
                    int         number)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  const char *name;
  guint n = 0;

  if (dir == NULL)
    return kill (-session, number) == 0;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (session_of (name) == session || (mark != NULL && has_mark (name, mark)))
      {
        kill ((pid_t) g_ascii_strtoll (name, NULL, 10), number);
        n++;
      }
  return n;
}

/* Ends every process of the session, and those that carry the mark, gently first. */
void
hls_process_end (pid_t       session,
                 const char *mark)
{
  gint64 until = g_get_monotonic_time () + GRACE_US;
  int ignored;

  if (hls_process_signal (session, mark, SIGTERM) == 0)
    return;
  hls_process_signal (session, mark, SIGCONT);
  while (g_get_monotonic_time () < until)
    {
      /* the leader is a zombie of ours until it is reaped, and would count */
      waitpid (session, &ignored, WNOHANG);
      if (hls_process_signal (session, mark, 0) == 0)
        return;
      g_usleep (50 * 1000);
    }
  for (guint k = 0; k < 20 && hls_process_signal (session, mark, SIGKILL) > 0; k++)
    {
      waitpid (session, &ignored, WNOHANG);
      g_usleep (50 * 1000);
    }
}

/* FALSE at the end of the stream. */
static gboolean
read_some (HlsLines *lines,
           int       fd)
{
  char buffer[4096];
  gssize n = read (fd, buffer, sizeof buffer);

  if (n <= 0)
    return n < 0 && (errno == EINTR || errno == EAGAIN);
  hls_lines_feed (lines, buffer, (gsize) n);
  return TRUE;
}

/* Reads until the stream ends, the program has ended and is silent, or it is cancelled. */
static gboolean
follow (HlsLines     *lines,
        int           fd,
        pid_t         pid,
        GCancellable *cancellable,
        int          *status)
{
  gboolean ended = FALSE, open = TRUE;
  gint64 since = 0;

  while (!ended || open)
    {
      struct pollfd item = { .fd = open ? fd : -1, .events = POLLIN };
      int ready = poll (&item, 1, POLL_MS);

      if (g_cancellable_is_cancelled (cancellable))
        return FALSE;
      if (ready > 0)
        open = read_some (lines, fd);
      if (!ended && waitpid (pid, status, WNOHANG) == pid)
        {
          ended = TRUE;
          since = g_get_monotonic_time ();
        }
      if (ended && ready == 0 && g_get_monotonic_time () - since > DRAIN_US)
        break;
    }
  hls_lines_finish (lines);
  return TRUE;
}

/**
 * hls_process_run:
 * @on_line: (nullable): on the calling thread
 *
 * Errors: %HLS_ERROR_TOOL_MISSING; %G_IO_ERROR_CANCELLED, when nothing of the program is left running
 */
gboolean
hls_process_run (const char *const  *argv,
                 const char         *folder,
                 HlsLineFunc         on_line,
                 gpointer            data,
                 GCancellable       *cancellable,
                 int                *status,
                 GError            **error)
{
  static gint n_runs;
  g_autoptr (GError) inner = NULL;
  g_autofree char *mark = g_strdup_printf ("run-%d-%d", (int) getpid (), g_atomic_int_add (&n_runs, 1));
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), HLS_PROCESS_MARK, mark, TRUE);
  HlsLines lines;
  GPid pid;
  int fd, raw = 0;
  gboolean finished;

  if (!g_spawn_async_with_pipes (folder, (char **) argv, environment,
                                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, hls_process_enter_session,
                                 NULL, &pid, NULL, &fd, NULL, &inner))
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "cannot start \"%s\": %s", argv[0], inner->message);
      return FALSE;
    }
  hls_lines_init (&lines, on_line, data);
  finished = follow (&lines, fd, pid, cancellable, &raw);
  hls_process_end (pid, finished ? NULL : mark);
  close (fd);
  hls_lines_clear (&lines);
  if (!finished)
    {
      waitpid (pid, &raw, WNOHANG);
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
      return FALSE;
    }
  *status = WIFSIGNALED (raw) ? 128 + WTERMSIG (raw) : WEXITSTATUS (raw);
  return TRUE;
}

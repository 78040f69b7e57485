/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs: progress without a flood, items in order, cancel, pause, and no reference left on another thread. */

#include "app-job.h"

#include <stdio.h>

typedef struct {
  GMainLoop *loop;
  guint      progress, items, finished;
  guint      last_item;
} Seen;

static void
on_progress (AppJob *job,
             Seen   *seen)
{
  seen->progress++;
}

static void
on_item (AppJob *job,
         guint  *item,
         Seen   *seen)
{
  g_assert_cmpuint (*item, ==, seen->last_item + 1);
  seen->last_item = *item;
  seen->items++;
}

static void
on_finished (AppJob *job,
             Seen   *seen)
{
  seen->finished++;
  g_assert_false (app_job_is_running (job));
  g_main_loop_quit (seen->loop);
}

static AppJob *
make (AppJobFunc func,
      gpointer   input,
      Seen      *seen)
{
  AppJob *job = app_job_new ("test", func, input, NULL, g_free);

  seen->loop = g_main_loop_new (NULL, FALSE);
  g_signal_connect (job, "progress", G_CALLBACK (on_progress), seen);
  g_signal_connect (job, "item", G_CALLBACK (on_item), seen);
  g_signal_connect (job, "finished", G_CALLBACK (on_finished), seen);
  return job;
}

static gpointer
flood (AppJob           *job,
       gpointer          input,
       const NnProgress *progress,
       GCancellable     *cancellable,
       GError          **error)
{
  for (guint i = 1; i <= 20000; i++)
    {
      nn_progress_report (progress, i / 20000.0, "counting");
      if (i % 1000 == 0)
        app_job_post (job, g_memdup2 (&(guint) { i / 1000 }, sizeof (guint)), g_free);
      if (i % 200 == 0)
        g_usleep (1000);
    }
  return g_strdup ("done");
}

static void
test_progress (void)
{
  Seen seen = { 0 };
  AppJob *job = make (flood, NULL, &seen);
  gint64 start = g_get_monotonic_time ();
  g_autofree char *result = NULL;
  double seconds;

  app_job_start (job);
  g_main_loop_run (seen.loop);
  seconds = (g_get_monotonic_time () - start) / 1e6;
  result = app_job_steal_result (job);
  g_assert_cmpstr (result, ==, "done");
  g_assert_cmpuint (seen.finished, ==, 1);
  g_assert_cmpuint (seen.items, ==, 20);
  g_assert_cmpuint (seen.progress, >=, 1);
  g_assert_cmpfloat (seen.progress, <=, seconds * 31 + 2); /* at most 30 a second, and the last word */
  g_assert_cmpfloat (app_job_fraction (job), ==, 1);
  g_assert_cmpstr (app_job_what (job), ==, "counting");
  g_assert_finalize_object (job);
  g_main_loop_unref (seen.loop);
}

static gpointer
forever (AppJob           *job,
         gpointer          input,
         const NnProgress *progress,
         GCancellable     *cancellable,
         GError          **error)
{
  guint *count = input;

  while (!g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      g_atomic_int_inc ((gint *) count);
      nn_progress_report (progress, -1, NULL);
      g_usleep (500);
    }
  return NULL;
}

static gboolean
cancel (gpointer job)
{
  app_job_cancel (job);
  return G_SOURCE_REMOVE;
}

static void
test_cancel (void)
{
  guint count = 0;
  Seen seen = { 0 };
  AppJob *job = make (forever, &count, &seen);

  g_timeout_add (50, cancel, job);
  app_job_start (job);
  g_main_loop_run (seen.loop);
  g_assert_error (app_job_error (job), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (app_job_was_cancelled (job));
  g_assert_null (app_job_steal_result (job));
  g_assert_finalize_object (job);
  g_main_loop_unref (seen.loop);
}

typedef struct { AppJob *job; guint *count; guint at; } Pause;

static gboolean
check_paused (gpointer data)
{
  Pause *pause = data;

  g_assert_cmpuint (g_atomic_int_get ((gint *) pause->count), <=, pause->at + 1);
  g_assert_true (app_job_is_paused (pause->job));
  app_job_cancel (pause->job); /* also from within a pause */
  return G_SOURCE_REMOVE;
}

static gboolean
pause_now (gpointer data)
{
  Pause *pause = data;

  app_job_set_paused (pause->job, TRUE);
  pause->at = g_atomic_int_get ((gint *) pause->count) + 1;
  g_timeout_add (120, check_paused, pause);
  return G_SOURCE_REMOVE;
}

static void
test_pause (void)
{
  guint count = 0;
  Seen seen = { 0 };
  AppJob *job = make (forever, &count, &seen);
  Pause pause = { job, &count, 0 };

  g_timeout_add (40, pause_now, &pause);
  app_job_start (job);
  g_main_loop_run (seen.loop);
  g_assert_cmpuint (seen.finished, ==, 1);
  g_assert_finalize_object (job);
  g_main_loop_unref (seen.loop);
}

#define N_LINES 100000

static gpointer
talk (AppJob           *job,
      gpointer          input,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  for (guint i = 1; i <= N_LINES; i++)
    {
      g_autofree char *line = g_strdup_printf ("line %u \xff", i);

      app_job_post_line (job, line);
    }
  return NULL;
}

typedef struct {
  guint n, n_left_out;
  char *last;
} Lines;

static void
on_talk (AppJob     *job,
         const char *line,
         Lines      *lines)
{
  guint n_left_out;

  g_assert_true (g_utf8_validate (line, -1, NULL));
  if (sscanf (line, "\xe2\x80\xa6 %u", &n_left_out) == 1)
    {
      lines->n_left_out += n_left_out;
      return;
    }
  lines->n++;
  g_free (lines->last);
  lines->last = g_strdup (line);
}

static void
on_talked (AppJob    *job,
           GMainLoop *loop)
{
  g_main_loop_quit (loop);
}

/* However fast lines come, few wait, none is lost without a word, and the last one arrives. */
static void
test_lines (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  AppJob *job = app_job_new ("test", talk, NULL, NULL, NULL);
  Lines lines = { 0 };

  g_signal_connect (job, "item", G_CALLBACK (on_talk), &lines);
  g_signal_connect (job, "finished", G_CALLBACK (on_talked), loop);
  app_job_start (job);
  g_main_loop_run (loop);
  g_assert_true (g_str_has_prefix (lines.last, "line 100000 "));
  g_assert_cmpuint (lines.n + lines.n_left_out, ==, N_LINES);
  g_assert_cmpuint (lines.n_left_out, >, 0);
  g_assert_finalize_object (job);
  g_free (lines.last);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/job/progress", test_progress);
  g_test_add_func ("/job/cancel", test_cancel);
  g_test_add_func ("/job/pause", test_pause);
  g_test_add_func ("/job/lines", test_lines);
  return g_test_run ();
}

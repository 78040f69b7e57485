/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One verb on one thread. The worker owns no reference: the object stays alive because its end is awaited on the main
 * thread, so nothing is ever finalised elsewhere. Mutexes are pthread's, which the thread sanitizer can see. */

#include "app-job.h"

#include <glib/gi18n.h>
#include <pthread.h>
#ifdef __linux__
#include <sys/resource.h>
#include <unistd.h>
#endif

#define DRAIN_MS 33
#define MAX_WHAT 160
/* Lines that may wait to be shown; a tool can write them faster than anyone could. */
#define MAX_POSTED_LINES 2000
/* How much a job's threads give way to the window's, which must answer at once however busy the machine is. */
#define NICENESS 10

typedef struct {
  gpointer       item;
  GDestroyNotify free;
} Posted;

struct _AppJob {
  GObject parent;

  /* owned */
  char          *title;
  gpointer       input, result;
  GDestroyNotify input_free, result_free;
  GCancellable  *cancellable;
  GError        *error;
  GTimer        *timer;
  char          *what;

  AppJobFunc func;
  pthread_t  thread;
  guint      drain_id;
  gboolean   running, outlives;
  double     fraction;

  /* the mailbox, guarded by the mutex */
  pthread_mutex_t mutex;
  pthread_cond_t  resumed;
  GQueue          posted; /* Posted */
  guint           n_left_out; /* lines that came too fast */
  double          new_fraction;
  char            new_what[MAX_WHAT];
  gboolean        has_news, paused;
};

enum { SIGNAL_PROGRESS, SIGNAL_ITEM, SIGNAL_FINISHED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (AppJob, app_job, G_TYPE_OBJECT)

static void
posted_free (Posted *posted)
{
  if (posted->free != NULL && posted->item != NULL)
    posted->free (posted->item);
  g_free (posted);
}

/* On the job's thread: leaves the latest word in the mailbox; waits here while the job is paused. */
static void
report (double      fraction,
        const char *what,
        gpointer    data)
{
  AppJob *self = data;

  pthread_mutex_lock (&self->mutex);
  self->new_fraction = fraction;
  g_strlcpy (self->new_what, what != NULL ? what : "", sizeof self->new_what);
  self->has_news = TRUE;
  while (self->paused && !g_cancellable_is_cancelled (self->cancellable))
    pthread_cond_wait (&self->resumed, &self->mutex);
  pthread_mutex_unlock (&self->mutex);
}

static void
emit_left_out (AppJob *self,
               guint   n)
{
  g_autofree char *line = g_strdup_printf (ngettext ("… %u line is left out here", "… %u lines are left out here", n), n);

  g_signal_emit (self, signals[SIGNAL_ITEM], 0, line);
}

static gboolean
drain (gpointer data)
{
  AppJob *self = data;
  g_autoptr (AppJob) alive = g_object_ref (self);
  GQueue items = G_QUEUE_INIT;
  gboolean news;
  guint n_left_out;
  Posted *posted;

  pthread_mutex_lock (&self->mutex);
  news = self->has_news;
  self->has_news = FALSE;
  if (news)
    {
      self->fraction = self->new_fraction;
      g_free (self->what);
      self->what = g_utf8_make_valid (self->new_what, -1);
    }
  items = self->posted;
  g_queue_init (&self->posted);
  n_left_out = self->n_left_out;
  self->n_left_out = 0;
  pthread_mutex_unlock (&self->mutex);

  if (n_left_out > 0)
    emit_left_out (self, n_left_out);
  while ((posted = g_queue_pop_head (&items)) != NULL)
    {
      g_signal_emit (self, signals[SIGNAL_ITEM], 0, posted->item);
      posted_free (posted);
    }
  if (news)
    g_signal_emit (self, signals[SIGNAL_PROGRESS], 0);
  return G_SOURCE_CONTINUE;
}

static gboolean
finish (gpointer data)
{
  g_autoptr (AppJob) self = data; /* the reference of app_job_start() */

  pthread_join (self->thread, NULL);
  g_clear_handle_id (&self->drain_id, g_source_remove);
  drain (self);
  self->running = FALSE;
  g_timer_stop (self->timer);
  g_signal_emit (self, signals[SIGNAL_FINISHED], 0);
  return G_SOURCE_REMOVE;
}

/* Here alone a thread has a priority of its own; those it starts inherit it. */
static void
give_way (void)
{
#ifdef __linux__
  setpriority (PRIO_PROCESS, gettid (), NICENESS);
#endif
}

static void *
run (void *data)
{
  AppJob *self = data;
  NnProgress progress = { .report = report, .data = self };

  give_way ();
  self->result = self->func (self, self->input, &progress, self->cancellable, &self->error);
  g_idle_add_full (G_PRIORITY_DEFAULT, finish, self, NULL);
  return NULL;
}

static void
app_job_finalize (GObject *object)
{
  AppJob *self = APP_JOB (object);

  g_queue_clear_full (&self->posted, (GDestroyNotify) posted_free);
  if (self->input != NULL && self->input_free != NULL)
    self->input_free (self->input);
  if (self->result != NULL && self->result_free != NULL)
    self->result_free (self->result);
  g_clear_error (&self->error);
  g_clear_object (&self->cancellable);
  g_timer_destroy (self->timer);
  g_free (self->title);
  g_free (self->what);
  pthread_mutex_destroy (&self->mutex);
  pthread_cond_destroy (&self->resumed);
  G_OBJECT_CLASS (app_job_parent_class)->finalize (object);
}

static void
app_job_class_init (AppJobClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = app_job_finalize;
  signals[SIGNAL_PROGRESS] = g_signal_new ("progress", APP_TYPE_JOB, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_ITEM] = g_signal_new ("item", APP_TYPE_JOB, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[SIGNAL_FINISHED] = g_signal_new ("finished", APP_TYPE_JOB, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
app_job_init (AppJob *self)
{
  pthread_mutex_init (&self->mutex, NULL);
  pthread_cond_init (&self->resumed, NULL);
  g_queue_init (&self->posted);
  self->cancellable = g_cancellable_new ();
  self->timer = g_timer_new ();
  self->fraction = -1;
}

AppJob *
app_job_new (const char     *title,
             AppJobFunc      func,
             gpointer        input,
             GDestroyNotify  input_free,
             GDestroyNotify  result_free)
{
  AppJob *self = g_object_new (APP_TYPE_JOB, NULL);

  self->title = g_strdup (title);
  self->func = func;
  self->input = input;
  self->input_free = input_free;
  self->result_free = result_free;
  return self;
}

void
app_job_start (AppJob *self)
{
  g_return_if_fail (!self->running);
  self->running = TRUE;
  g_timer_start (self->timer);
  self->drain_id = g_timeout_add (DRAIN_MS, drain, self);
  g_object_ref (self);
  if (pthread_create (&self->thread, NULL, run, self) != 0)
    g_error ("no thread for \"%s\"", self->title);
}

void
app_job_post (AppJob         *self,
              gpointer        item,
              GDestroyNotify  item_free)
{
  Posted *posted = g_new (Posted, 1);

  posted->item = item;
  posted->free = item_free;
  pthread_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->posted, posted);
  pthread_mutex_unlock (&self->mutex);
}

void
app_job_post_line (AppJob     *self,
                   const char *line)
{
  Posted *posted = g_new (Posted, 1), *oldest = NULL;

  *posted = (Posted){ g_utf8_make_valid (line, -1), g_free };
  pthread_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->posted, posted);
  if (g_queue_get_length (&self->posted) > MAX_POSTED_LINES)
    {
      oldest = g_queue_pop_head (&self->posted);
      self->n_left_out++;
    }
  pthread_mutex_unlock (&self->mutex);
  if (oldest != NULL)
    posted_free (oldest);
}

void
app_job_cancel (AppJob *self)
{
  g_cancellable_cancel (self->cancellable);
  app_job_set_paused (self, FALSE);
}

void
app_job_set_paused (AppJob   *self,
                    gboolean  paused)
{
  pthread_mutex_lock (&self->mutex);
  self->paused = paused;
  pthread_cond_broadcast (&self->resumed);
  pthread_mutex_unlock (&self->mutex);
  if (paused && g_timer_is_active (self->timer))
    g_timer_stop (self->timer);
  else if (!paused && self->running && !g_timer_is_active (self->timer))
    g_timer_continue (self->timer);
}

void
app_job_set_outlives (AppJob   *self,
                      gboolean  outlives)
{
  self->outlives = outlives;
}

gboolean
app_job_outlives (AppJob *self)
{
  return self->outlives;
}

static void
release_program (AppJob       *self,
                 GApplication *application)
{
  g_application_release (application);
}

void
app_job_hold_program (AppJob *self)
{
  GApplication *application = g_application_get_default ();

  if (application == NULL)
    return;
  g_application_hold (application);
  g_signal_connect_object (self, "finished", G_CALLBACK (release_program), application, 0);
}

gboolean
app_job_is_paused (AppJob *self)
{
  gboolean paused;

  pthread_mutex_lock (&self->mutex);
  paused = self->paused;
  pthread_mutex_unlock (&self->mutex);
  return paused;
}

gboolean
app_job_is_running (AppJob *self)
{
  return self->running;
}

gboolean
app_job_was_cancelled (AppJob *self)
{
  return g_cancellable_is_cancelled (self->cancellable);
}

const char *
app_job_title (AppJob *self)
{
  return self->title;
}

double
app_job_fraction (AppJob *self)
{
  return self->fraction;
}

const char *
app_job_what (AppJob *self)
{
  return self->what != NULL ? self->what : "";
}

double
app_job_seconds_left (AppJob *self)
{
  double elapsed = g_timer_elapsed (self->timer, NULL);

  if (self->fraction < 0.02 || elapsed < 1 || self->outlives) /* the phases of foreign tools only have an order */
    return -1;
  return elapsed * (1 - self->fraction) / self->fraction;
}

gpointer
app_job_steal_result (AppJob *self)
{
  g_return_val_if_fail (!self->running, NULL);
  return g_steal_pointer (&self->result);
}

const GError *
app_job_error (AppJob *self)
{
  return self->running ? NULL : self->error;
}

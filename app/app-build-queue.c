/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variants waiting for a tool. */

#include "app-build-queue.h"

#include "app-build-memory.h"
#include "app-export.h"
#include "app-preferences.h"

#include <glib/gi18n.h>

struct _AppBuildQueue {
  GObject parent;

  /* owned */
  GPtrArray *builds; /* AppBuild */
  AppJob    *job;    /* nullable: of the active one */
  guint      idle_id;

  /* borrowed */
  AppDocument *document; /* nullable: weak */
  AppBuild    *active;   /* nullable */
};

enum { SIGNAL_CHANGED, SIGNAL_LINE, SIGNAL_PROGRESS, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (AppBuildQueue, app_build_queue, G_TYPE_OBJECT)

static void want_next (AppBuildQueue *self);

void
app_build_free (AppBuild *build)
{
  g_clear_pointer (&build->analysis, app_analysis_unref);
  g_free (build->title);
  g_free (build->folder);
  g_free (build->message);
  g_free (build->phase);
  g_free (build);
}

static void
set_state (AppBuildQueue *self,
           AppBuild      *build,
           AppBuildState  state)
{
  build->state = state;
  build->fraction = 0;
  g_clear_pointer (&build->phase, g_free);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/* The job at work has ended: so has its build. It is told once, whether or not somebody looks at the window. */
static void
finish (AppBuildQueue *self,
        gboolean       ok)
{
  AppBuild *build = g_steal_pointer (&self->active);
  g_autoptr (AppJob) job = g_steal_pointer (&self->job);
  const GError *error = app_job_error (job);
  gboolean stopped = !ok && (app_job_was_cancelled (job) || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_autofree char *text = NULL;

  if (!ok && !stopped)
    build->message = g_strdup (error->message);
  app_build_memory_forget (build->folder);
  set_state (self, build, ok ? APP_BUILD_DONE : stopped ? APP_BUILD_STOPPED : APP_BUILD_FAILED);
  want_next (self);
  if (stopped)
    return;
  text = g_strdup_printf (ok ? _("“%s” has finished") : _("“%s” has failed"), build->title);
  app_document_say (self->document, text, FALSE);
  g_signal_emit_by_name (self->document, "idle-done", app_job_title (job), text);
}

static void
on_line (AppJob        *job,
         const char    *line,
         AppBuildQueue *self)
{
  g_signal_emit (self, signals[SIGNAL_LINE], 0, line);
}

static void
on_progress (AppJob        *job,
             AppBuildQueue *self)
{
  guint i;

  if (self->active == NULL || app_job_was_cancelled (job) || !g_ptr_array_find (self->builds, self->active, &i))
    return;
  g_free (self->active->phase);
  self->active->phase = g_strdup (app_job_what (job));
  self->active->fraction = app_job_fraction (job);
  g_signal_emit (self, signals[SIGNAL_PROGRESS], 0, i);
}

static void
on_built (AppJob        *job,
          AppBuildQueue *self)
{
  HlsReport *report = app_job_steal_result (job);

  if (self->active == NULL || self->document == NULL)
    {
      g_clear_pointer (&report, hls_report_free);
      return;
    }
  self->active->report = report;
  if (report != NULL)
    g_ptr_array_add (app_document_reports (self->document), report);
  finish (self, report != NULL);
  if (report != NULL)
    g_signal_emit_by_name (self->document, "analysed");
}

static void
on_exported (AppJob        *job,
             AppBuildQueue *self)
{
  g_autoptr (HlsProject) project = app_job_steal_result (job);

  if (self->active == NULL || self->document == NULL)
    return;
  if (project == NULL)
    {
      finish (self, FALSE);
      return;
    }
  /* back in the queue, at its place */
  self->active->exported = TRUE;
  g_clear_object (&self->job);
  set_state (self, g_steal_pointer (&self->active), APP_BUILD_WAITING);
  want_next (self);
}

static guint
number_of (GSettings  *settings,
           const char *key)
{
  return settings != NULL ? g_settings_get_int (settings, key) : 0;
}

/* The program that the preferences name, unless it is that of another backend. Simulation needs a compiler instead. */
static gboolean
is_for (const char     *tool,
        const AppBuild *build)
{
  g_autofree char *backend = NULL;

  if (tool == NULL || *tool == '\0' || build->stages == HLS_STAGE_CSIM || build->analysis == NULL)
    return FALSE;
  backend = g_ascii_strdown (nn_backend_name (nn_config_backend (build->analysis->config)), -1);
  return hls_tool_fits (tool, backend);
}

static AppJob *
tool_job (const AppBuild *build)
{
  GSettings *settings = app_settings ();
  g_autofree char *tool = settings != NULL ? g_settings_get_string (settings, "tool") : NULL;
  g_autofree char *script = settings != NULL ? g_settings_get_string (settings, "tool-settings") : NULL;
  g_autofree char *queue = settings != NULL ? g_settings_get_string (settings, "cluster-queue") : NULL;
  AppBuildPlace place = { is_for (tool, build) ? tool : NULL, script, build->found, build->cluster, queue, number_of (settings, "cluster-cpus"),
                          1024 * number_of (settings, "cluster-memory"), number_of (settings, "cluster-minutes") };

  return app_build_job (build->folder, build->stages, &place);
}

static void
start_build (AppBuildQueue *self,
             AppBuild      *build)
{
  self->job = build->exported ? tool_job (build) : app_export_job (build->analysis, app_document_state (self->document)->data, build->folder);
  self->active = build;
  if (build->exported)
    g_signal_connect_object (self->job, "item", G_CALLBACK (on_line), self, 0);
  g_signal_connect_object (self->job, "progress", G_CALLBACK (on_progress), self, 0);
  g_signal_connect_object (self->job, "finished", build->exported ? G_CALLBACK (on_built) : G_CALLBACK (on_exported), self, 0);
  if (app_job_outlives (self->job) && !build->found)
    app_build_memory_keep (build, self->document);
  app_job_hold_program (self->job);
  app_job_start (self->job);
  set_state (self, build, build->exported ? APP_BUILD_RUNNING : APP_BUILD_EXPORTING);
}

static gboolean
next (gpointer data)
{
  AppBuildQueue *self = data;

  self->idle_id = 0;
  if (self->document == NULL || self->active != NULL)
    return G_SOURCE_REMOVE;
  for (guint i = 0; i < self->builds->len; i++)
    {
      AppBuild *build = g_ptr_array_index (self->builds, i);

      if (build->state == APP_BUILD_WAITING)
        {
          start_build (self, build);
          break;
        }
    }
  return G_SOURCE_REMOVE;
}

static void
want_next (AppBuildQueue *self)
{
  if (self->idle_id == 0)
    self->idle_id = g_idle_add (next, self);
}

/* Of a tool that goes on without its window. */
static void
on_left_behind (AppJob  *job,
                gpointer data)
{
  GApplication *application = g_application_get_default ();
  const GError *error = app_job_error (job);
  g_autoptr (GNotification) notification = g_notification_new (app_job_title (job));

  g_notification_set_body (notification, error != NULL ? error->message : _("The tool has finished"));
  if (application != NULL)
    g_application_send_notification (application, "job", notification);
}

/* A tool at work goes on, and the program with it; everything else ends. */
static void
leave (AppBuildQueue *self)
{
  if (self->job == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->job, self);
  if (app_job_outlives (self->job))
    g_signal_connect (self->job, "finished", G_CALLBACK (on_left_behind), NULL);
  else
    app_job_cancel (self->job);
  g_clear_object (&self->job);
}

static void
app_build_queue_dispose (GObject *object)
{
  AppBuildQueue *self = APP_BUILD_QUEUE (object);

  leave (self);
  g_clear_handle_id (&self->idle_id, g_source_remove);
  g_clear_weak_pointer (&self->document);
  G_OBJECT_CLASS (app_build_queue_parent_class)->dispose (object);
}

static void
app_build_queue_finalize (GObject *object)
{
  g_ptr_array_unref (APP_BUILD_QUEUE (object)->builds);
  G_OBJECT_CLASS (app_build_queue_parent_class)->finalize (object);
}

static void
app_build_queue_class_init (AppBuildQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = app_build_queue_dispose;
  G_OBJECT_CLASS (klass)->finalize = app_build_queue_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", APP_TYPE_BUILD_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_PROGRESS] = g_signal_new ("progress", APP_TYPE_BUILD_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[SIGNAL_LINE] = g_signal_new ("line", APP_TYPE_BUILD_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
app_build_queue_init (AppBuildQueue *self)
{
  self->builds = g_ptr_array_new_with_free_func ((GDestroyNotify) app_build_free);
}

AppBuildQueue *
app_build_queue_new (AppDocument *document)
{
  AppBuildQueue *self = g_object_new (APP_TYPE_BUILD_QUEUE, NULL);

  g_set_weak_pointer (&self->document, document);
  app_build_memory_find (document, self->builds);
  want_next (self);
  return self;
}

/* A folder's name that says what is in it, and that no other build has. */
static char *
folder_for (AppBuildQueue *self,
            const char    *base,
            const char    *title)
{
  g_autofree char *name = g_ascii_strdown (title, -1), *wanted = NULL;
  guint n = 1;

  g_strcanon (name, "abcdefghijklmnopqrstuvwxyz0123456789", '-');
  wanted = g_build_filename (base, name, NULL);
  for (guint i = 0; i < self->builds->len; i++)
    if (g_str_equal (((AppBuild *) g_ptr_array_index (self->builds, i))->folder, wanted))
      {
        g_autofree char *other = g_strdup_printf ("%s-%u", name, ++n);

        g_free (wanted);
        wanted = g_build_filename (base, other, NULL);
        i = -1; /* from the beginning */
      }
  return g_steal_pointer (&wanted);
}

void
app_build_queue_add (AppBuildQueue *self,
                     const char    *title,
                     AppAnalysis   *analysis,
                     HlsStages      stages,
                     const char    *folder,
                     gboolean       exported,
                     HlsCluster     cluster)
{
  AppBuild *build = g_new0 (AppBuild, 1);

  build->title = g_strdup (title);
  build->analysis = app_analysis_ref (analysis);
  for (NnResource r = 0; r < NN_N_RESOURCES; r++)
    build->estimate.amount[r] = app_analysis_total (analysis, r);
  build->stages = stages;
  build->folder = exported ? g_strdup (folder) : folder_for (self, folder, title);
  build->exported = exported;
  build->cluster = stages == HLS_STAGE_CSIM ? HLS_CLUSTER_NONE : cluster;
  g_ptr_array_add (self->builds, build);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  want_next (self);
}

guint
app_build_queue_n (AppBuildQueue *self)
{
  return self->builds->len;
}

const AppBuild *
app_build_queue_get (AppBuildQueue *self,
                     guint          i)
{
  return g_ptr_array_index (self->builds, i);
}

void
app_build_queue_remove (AppBuildQueue *self,
                        guint          i)
{
  AppBuild *build = g_ptr_array_index (self->builds, i);

  if (build == self->active)
    {
      if (self->job != NULL)
        app_job_cancel (self->job);
      g_free (build->phase); /* a tool may take some seconds to end */
      build->phase = g_strdup (_("stopping"));
      g_signal_emit (self, signals[SIGNAL_PROGRESS], 0, i);
      return;
    }
  g_ptr_array_remove_index (self->builds, i);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

const char *
app_build_state_title (AppBuildState state)
{
  switch (state)
    {
    case APP_BUILD_WAITING: return _("Waiting");
    case APP_BUILD_EXPORTING: return _("Writing the HLS project");
    case APP_BUILD_RUNNING: return _("Running");
    case APP_BUILD_DONE: return _("Done");
    case APP_BUILD_FAILED: return _("Failed");
    case APP_BUILD_STOPPED: return _("Stopped");
    default: return "?";
    }
}

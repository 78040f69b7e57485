/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One verb of the engine on one thread. The window hears of it at most 30 times a second, on its own thread. */

#pragma once

#include "nn.h"

G_BEGIN_DECLS

#define APP_TYPE_JOB (app_job_get_type ())
G_DECLARE_FINAL_TYPE (AppJob, app_job, APP, JOB, GObject)

/* Runs on the job's thread; must not touch @job but through app_job_post(). */
typedef gpointer (*AppJobFunc) (AppJob           *job,
                                gpointer          input,
                                const NnProgress *progress,
                                GCancellable     *cancellable,
                                GError          **error);

AppJob       *app_job_new          (const char     *title,
                                    AppJobFunc      func,
                                    gpointer        input,
                                    GDestroyNotify  input_free,
                                    GDestroyNotify  result_free);
/* Emits "progress" while it runs, "item" for what was posted, "finished" once, after the thread has been joined. */
void          app_job_start        (AppJob         *job);
void          app_job_post         (AppJob         *job, /* on the job's thread */
                                    gpointer        item,
                                    GDestroyNotify  item_free);
/* The same of a line of text; of those that come faster than they are shown the last ones stay. Not beside app_job_post(). */
void          app_job_post_line    (AppJob         *job,
                                    const char     *line);
void          app_job_cancel       (AppJob         *job);
void          app_job_set_paused   (AppJob         *job,
                                    gboolean        paused);
/* Its end is worth waiting for when the window that began it is closed. */
void          app_job_set_outlives (AppJob         *job,
                                    gboolean        outlives);
gboolean      app_job_outlives     (AppJob         *job);
/* The program does not end before it, even where the last window goes: what is written must be whole. Before it is started. */
void          app_job_hold_program (AppJob         *job);
gboolean      app_job_is_paused    (AppJob         *job);
gboolean      app_job_is_running   (AppJob         *job);
gboolean      app_job_was_cancelled (AppJob        *job);
const char   *app_job_title        (AppJob         *job);
double        app_job_fraction     (AppJob         *job); /* negative where unknown */
const char   *app_job_what         (AppJob         *job);
double        app_job_seconds_left (AppJob         *job); /* negative where unknown */
/* (transfer full) (nullable): once, after "finished" */
gpointer      app_job_steal_result (AppJob         *job);
const GError *app_job_error        (AppJob         *job);

G_END_DECLS

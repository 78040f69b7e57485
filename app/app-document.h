/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document: what is open, how it came to be, what is being done with it. Knows no widget. */

#pragma once

#include "app-doctor.h"
#include "app-optimise.h"
#include "app-state.h"

G_BEGIN_DECLS

#define APP_TYPE_DOCUMENT (app_document_get_type ())
G_DECLARE_FINAL_TYPE (AppDocument, app_document, APP, DOCUMENT, GObject)

/*
 * Signals: "changed" when state or selection changed; "analysed" when an analysis or an evaluation arrived; "job-changed";
 * "live" when a step of the running job finished; "failed" (title, message); "done" (message, undoable); "idle-done"
 * (title, message): a long job ended well; "opened" (path): a file was read; "saved" (path, problem): a project is on the disk, or could not be put there;
 * "choose-arrays" (path, array of NnDataEntry): which of them are inputs and labels?
 */
AppDocument    *app_document_new           (void);
const AppState *app_document_state         (AppDocument *document);
gboolean        app_document_is_empty      (AppDocument *document);
NnModel        *app_document_shown         (AppDocument *document);
/* Of the network shown, of the one loaded; %NULL while they are being made. */
AppAnalysis    *app_document_analysis      (AppDocument *document);
AppAnalysis    *app_document_baseline      (AppDocument *document);
AppEvaluation  *app_document_evaluation    (AppDocument *document);
AppEvaluation  *app_document_base_evaluation (AppDocument *document);
/* What fixed point does to the network shown; %NULL until app_document_want_errors() has made it ("analysed" tells). */
AppErrors      *app_document_errors        (AppDocument *document);
void            app_document_want_errors   (AppDocument *document);
GPtrArray      *app_document_reports       (AppDocument *document); /* HlsReport, measured */
GPtrArray      *app_document_live          (AppDocument *document); /* AppStepItem of the run in progress */
const AppOptimiseChoices *app_document_choices (AppDocument *document);
AppJob         *app_document_job           (AppDocument *document);
gboolean        app_document_is_optimising (AppDocument *document);

/* Edits: each is one step of undo. */
void            app_document_push          (AppDocument *document,
                                            AppState    *state); /* (transfer full) */
void            app_document_select        (AppDocument *document,
                                            int          run,
                                            guint        step);
gboolean        app_document_can_undo      (AppDocument *document);
gboolean        app_document_can_redo      (AppDocument *document);
void            app_document_undo          (AppDocument *document);
void            app_document_redo          (AppDocument *document);
guint           app_document_n_history     (AppDocument *document, /* and where in it we are */
                                            guint       *position);
const char     *app_document_history       (AppDocument *document,
                                            guint        i);
void            app_document_go_to         (AppDocument *document,
                                            guint        i);

/* Work on the job's thread. */
void            app_document_open          (AppDocument *document,
                                            const char  *path);
void            app_document_recover       (AppDocument *document,
                                            const char  *path);
void            app_document_open_data     (AppDocument *document,
                                            const char  *spec,
                                            const NnDataOptions *options);
void            app_document_choose_data   (AppDocument *document);
void            app_document_open_sample   (AppDocument *document);
void            app_document_optimise      (AppDocument *document,
                                            const AppOptimiseChoices *choices);
gboolean        app_document_can_branch    (AppDocument *document); /* from the step that is shown */
void            app_document_branch        (AppDocument *document,
                                            const AppOptimiseChoices *choices);
void            app_document_run           (AppDocument *document,
                                            AppJob      *job); /* (transfer full) */
void            app_document_fail          (AppDocument *document,
                                            const char  *title,
                                            const char  *message);
void            app_document_reanalyse     (AppDocument *document); /* after a calibration */
void            app_document_say           (AppDocument *document,
                                            const char  *message,
                                            gboolean     undoable);

/* Files. */
const char     *app_document_path          (AppDocument *document); /* of the project, (nullable) */
char           *app_document_dup_title     (AppDocument *document);
gboolean        app_document_is_modified   (AppDocument *document);
void            app_document_save          (AppDocument *document, /* "saved" tells the end */
                                            const char  *path);
gboolean        app_document_is_saving     (AppDocument *document);
void            app_document_forget_autosave (AppDocument *document);

G_END_DECLS

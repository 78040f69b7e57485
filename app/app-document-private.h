/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of a document, for its files of their own concern. */

#pragma once

#include "app-document.h"
#include "app-open.h"

G_BEGIN_DECLS

struct _AppDocument {
  GObject parent;

  /* owned */
  GPtrArray     *history; /* AppState; the one at `position` is current */
  guint          position;
  AppAnalysis   *analysis, *baseline;
  AppEvaluation *evaluation, *base_evaluation;
  AppJob        *job, *analysis_job, *baseline_job, *evaluation_job, *base_evaluation_job, *errors_job, *autosave_job, *save_job;
  AppErrors     *errors;
  AppAnalysis   *errors_for;    /* what they were last asked for about, */
  NnDataset     *errors_data;   /* and on what: compared, never followed */
  GPtrArray     *live;
  GPtrArray     *reports;
  char          *path, *name;
  char          *autosave_path;
  char          *saving_path, *save_next; /* being written; asked for meanwhile */

  AppOptimiseChoices choices;
  gboolean chosen;       /* by the user; until then they follow from what is open */
  gboolean optimising, recovering;
  guint    saved; /* position that is on disk, G_MAXUINT for none */
  guint    saving; /* the same once save_job has ended */
  guint    autosave_id;
};

AppState *app_document_current     (AppDocument *self);
void      app_document_drop_job    (AppDocument *self,
                                    AppJob     **job);
void      app_document_refresh     (AppDocument *self);
void      app_document_take_opened (AppDocument *self,
                                    AppOpened   *opened);
char     *app_document_make_notes  (AppDocument *self,
                                    gboolean     unsaved,
                                    gboolean     shown);
void      app_document_set_names   (AppDocument *self,
                                    const char  *path,
                                    gboolean     project);
void      app_document_leave_save  (AppDocument *self);
const char *app_document_need_autosave_path (AppDocument *self);
void      app_document_want_autosave (AppDocument *self);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever was dropped on the window, recognised and read. */

#pragma once

#include "app-job.h"
#include "hls.h"

G_BEGIN_DECLS

/* One of these is set (a sample: model, data and config). */
typedef struct {
  char      *path;
  NnProject *project;
  NnModel   *model;
  NnDataset *data;
  NnConfig  *config;
  GPtrArray *reports; /* HlsReport */
  GPtrArray *arrays;  /* NnDataEntry: the file holds data, but only the user can tell which arrays are what */
  char      *data_problem; /* (nullable): why a project's data is not there, or not what it was */
  NnDataOptions *reading; /* (nullable): how data were asked to be read */
  NnDataset *refit;   /* (nullable): data that were open already, standardised as this network wants them */
} AppOpened;

/* Whether a file holds a network or a project, by its name and, where that says too little, by its first look inside. */
gboolean app_open_is_network (const char *path);
/* Of files that were given together: the one at @next, or inputs and labels that are a file each, with a comma between; @next goes
 * on behind. (transfer full) (nullable) */
char *app_open_next (const char *const *paths,
                     guint             *next);
/* Result: AppOpened. @model and @data (nullable): what is open already; raw data are standardised as a network says that carries how. */
AppJob *app_open_job    (const char          *path,
                         NnModel             *model,
                         NnDataset           *data);
AppJob *app_open_data_job (const char          *spec,
                           const NnDataOptions *options,
                           NnModel             *model);
/* What the file holds, for the user to choose from. */
AppJob *app_open_arrays_job (const char        *spec);
AppJob *app_open_sample_job (void);
NnConfig *app_sample_config (void);
void    app_opened_free (AppOpened  *opened);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppOpened, app_opened_free)

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The project file, NAME.espalier: one HDF5 file with network, settings, runs and where the data came from. */

#pragma once

#include "nn-config.h"
#include "nn-pruner.h"

G_BEGIN_DECLS

typedef struct _NnProject NnProject; /* a sealed value */
#define NN_TYPE_PROJECT (nn_project_get_type ())
GType nn_project_get_type (void);

NnProject *nn_project_new    (const NnModel   *model,     /* as loaded */
                              const NnConfig  *config,
                              const char      *data_spec, /* (nullable) */
                              const char      *data_hash, /* (nullable) */
                              NnTrail *const  *trails,    /* (array length=n_trails) */
                              guint            n_trails,
                              const char      *notes);    /* (nullable): JSON of whoever writes it: view state, provenance */
NnProject *nn_project_ref    (NnProject       *project);
void       nn_project_unref  (NnProject       *project);
NnProject *nn_project_load   (const char      *path,
                              GError         **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean   nn_project_save   (const NnProject *project,
                              const char      *path,      /* replaced atomically */
                              GError         **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether a file bears a project's mark. */
gboolean   nn_project_is_project (const char   *path);
const NnModel  *nn_project_model     (const NnProject *project);
const NnModel  *nn_project_final     (const NnProject *project); /* chosen step of the last trail, else the model */
const NnConfig *nn_project_config    (const NnProject *project);
const char     *nn_project_data_spec (const NnProject *project);
const char     *nn_project_data_hash (const NnProject *project);
guint           nn_project_n_trails  (const NnProject *project);
NnTrail        *nn_project_trail     (const NnProject *project,
                                      guint            i);
const char     *nn_project_notes     (const NnProject *project);

/* What nn_prune() with these options writes down: its trail behind those that were there already. */
NnProject *nn_project_of_run (const NnModel        *model,
                              const NnConfig       *config,
                              const NnDataset      *data,
                              const NnPruneOptions *options,
                              NnTrail              *trail);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnProject, nn_project_unref)

G_END_DECLS

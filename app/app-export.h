/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing the HLS project, and running tools on it. */

#pragma once

#include "app-document.h"

G_BEGIN_DECLS

/* Result: HlsProject. @folder (nullable): written there too. */
AppJob *app_export_job (AppAnalysis *analysis,
                        NnDataset   *data,   /* (nullable): test vectors */
                        const char  *folder);
/* Posts lines (char *); result: HlsReport. */
AppJob *app_build_job  (const char  *folder,
                        HlsStages    stages,
                        const char  *tool,      /* (nullable) */
                        const char  *settings); /* (nullable) */

G_END_DECLS

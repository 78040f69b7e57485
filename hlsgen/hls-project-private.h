/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a project comes to be. */

#pragma once

#include "hls-project.h"

G_BEGIN_DECLS

/* The file that says that a folder is a project of ours, and which. */
#define HLS_PROJECT_MARKER "espalier-project.json"

HlsProject *hls_project_empty (void);
void        hls_project_seal  (HlsProject *project);
void        hls_folder_delete (const char *path);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a project comes to be. */

#pragma once

#include "hls-project.h"

G_BEGIN_DECLS

HlsProject *hls_project_empty (void);
void        hls_project_seal  (HlsProject *project);
void        hls_folder_delete (const char *path);

G_END_DECLS

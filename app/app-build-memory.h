/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which tools were begun for which document: a tool outlives the window and the program that began it, and is found again. */

#pragma once

#include "app-build-queue.h"

G_BEGIN_DECLS

/* Remembers a build whose tool is begun. */
void app_build_memory_keep   (const AppBuild *build,
                              AppDocument    *document);
void app_build_memory_forget (const char     *folder);
/* Adds those of a document (new AppBuild, waiting to be followed) to @builds; what is gone from the disk is forgotten. */
void app_build_memory_find   (AppDocument    *document,
                              GPtrArray      *builds);

G_END_DECLS

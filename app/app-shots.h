/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of the window for the documentation, taken by itself: ESPALIER_SHOTS=FOLDER. */

#pragma once

#include "app-window.h"

G_BEGIN_DECLS

/* Before the first window: the direction of the script, no introduction above the pages. */
void app_shots_startup (void);
void app_shots_maybe   (AppWindow *window);

G_END_DECLS

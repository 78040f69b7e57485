/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of the window for the documentation, taken by itself: ESPALIER_SHOTS=FOLDER. */

#pragma once

#include "app-window.h"

G_BEGIN_DECLS

void app_shots_maybe (AppWindow *window);

G_END_DECLS

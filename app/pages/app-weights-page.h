/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every weight: in the order of the tensor, or as the multipliers take them. */

#pragma once

#include "app-page.h"

G_BEGIN_DECLS

#define APP_TYPE_WEIGHTS_PAGE (app_weights_page_get_type ())
G_DECLARE_FINAL_TYPE (AppWeightsPage, app_weights_page, APP, WEIGHTS_PAGE, AppPage)

void app_weights_page_toggle_order (AppWeightsPage *page);

G_END_DECLS

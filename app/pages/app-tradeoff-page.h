/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracy against hardware: every step of every run, and the certified frontier. */

#pragma once

#include "app-page.h"

G_BEGIN_DECLS

#define APP_TYPE_TRADEOFF_PAGE (app_tradeoff_page_get_type ())
G_DECLARE_FINAL_TYPE (AppTradeoffPage, app_tradeoff_page, APP, TRADEOFF_PAGE, AppPage)

void app_tradeoff_page_toggle_frontier (AppTradeoffPage *page);

G_END_DECLS

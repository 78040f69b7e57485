/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network as a graph, and what is known and can be set of each layer. */

#pragma once

#include "app-page.h"

G_BEGIN_DECLS

#define APP_TYPE_NETWORK_PAGE (app_network_page_get_type ())
G_DECLARE_FINAL_TYPE (AppNetworkPage, app_network_page, APP, NETWORK_PAGE, AppPage)

void app_network_page_find (AppNetworkPage *page);

G_END_DECLS

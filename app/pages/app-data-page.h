/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data, and how well the network does on it. */

#pragma once

#include "app-page.h"

G_BEGIN_DECLS

#define APP_TYPE_DATA_PAGE (app_data_page_get_type ())
G_DECLARE_FINAL_TYPE (AppDataPage, app_data_page, APP, DATA_PAGE, AppPage)

G_END_DECLS

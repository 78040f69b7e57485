/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types: what they hold, what falls off, how many bits are needed. */

#pragma once

#include "app-page.h"

G_BEGIN_DECLS

#define APP_TYPE_PRECISION_PAGE (app_precision_page_get_type ())
G_DECLARE_FINAL_TYPE (AppPrecisionPage, app_precision_page, APP, PRECISION_PAGE, AppPage)

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the device needs, the project to be written, the tools to be run. */

#pragma once

#include "app-page.h"

G_BEGIN_DECLS

#define APP_TYPE_HARDWARE_PAGE (app_hardware_page_get_type ())
G_DECLARE_FINAL_TYPE (AppHardwarePage, app_hardware_page, APP, HARDWARE_PAGE, AppPage)

void app_hardware_page_export    (AppHardwarePage *page);
void app_hardware_page_export_to (AppHardwarePage *page,
                                  const char      *folder);

G_END_DECLS

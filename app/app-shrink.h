/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define APP_TYPE_SHRINK (app_shrink_get_type ())
G_DECLARE_FINAL_TYPE (AppShrink, app_shrink, APP, SHRINK, AdwBin)

/**
 * app_shrink_set_least:
 * @least: a width in pixels, or -1 for what the child needs
 *
 * How narrow the child may be made although it needs more. What does not fit is not painted, until whoever
 * gave the child its form gives it another.
 */
void app_shrink_set_least (AppShrink *self,
                           int        least);

/**
 * app_shrink_needs:
 *
 * Returns: the width in pixels the child needs as it is now
 */
int  app_shrink_needs     (AppShrink *self);

G_END_DECLS

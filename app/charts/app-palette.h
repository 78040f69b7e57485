/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours, light and dark: safe for the colour blind, never the only sign. */

#pragma once

#include "app-scene.h"

G_BEGIN_DECLS

typedef enum { APP_RAMP_CIVIDIS, APP_RAMP_VIRIDIS, APP_RAMP_GREY, APP_N_RAMPS } AppRamp;

typedef struct { float r, g, b, a; } AppColour;

typedef struct {
  gboolean dark;
  gboolean high_contrast;
  AppRamp  ramp;
} AppPalette;

AppColour app_palette_colour (const AppPalette *palette,
                              AppInk            ink);
/* Dark or light text, whichever reads better on @on. */
AppColour app_palette_text_on (const AppPalette *palette,
                               AppColour         on);
double    app_colour_luminance (AppColour        colour);
double    app_colour_contrast  (AppColour        a,
                                AppColour        b);

G_END_DECLS

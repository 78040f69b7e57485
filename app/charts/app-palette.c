/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Palette. Series: Okabe and Ito (2008), made a little darker or lighter for each background. Ramps: cividis (Nunez et
 * al. 2018) and viridis (Smith and van der Walt 2015), by nine stops; two-sided: blue to orange through the background. */

#include "app-palette.h"

#include <math.h>

static const guint32 light[] = {
  [APP_INK_TEXT] = 0x2e3436, [APP_INK_DIM] = 0x63686d, [APP_INK_RULE] = 0xdcdcdc, [APP_INK_SURFACE] = 0xffffff,
  [APP_INK_BACKGROUND] = 0xfafafa, [APP_INK_ACCENT] = 0x1c71d8, [APP_INK_GOOD] = 0x187a50, [APP_INK_WARN] = 0x905400,
  [APP_INK_BAD] = 0xc01c28,
};
static const guint32 dark[] = {
  [APP_INK_TEXT] = 0xf6f5f4, [APP_INK_DIM] = 0xb2b0b5, [APP_INK_RULE] = 0x4a4a4a, [APP_INK_SURFACE] = 0x363636,
  [APP_INK_BACKGROUND] = 0x242424, [APP_INK_ACCENT] = 0x78aeed, [APP_INK_GOOD] = 0x5bd19b, [APP_INK_WARN] = 0xf8c45a,
  [APP_INK_BAD] = 0xff8080,
};
static const guint32 series_light[] = { 0x0066a8, 0xc04d00, 0x007a5a, 0xa8578a, 0x7a6a00, 0x2f8fbd };
static const guint32 series_dark[] = { 0x5db0ec, 0xf79454, 0x2fc49a, 0xe29ac5, 0xe6d54a, 0x9ad4f5 };

static const guint32 ramps[APP_N_RAMPS][9] = {
  [APP_RAMP_CIVIDIS] = { 0x00224e, 0x123570, 0x3b496c, 0x575d6d, 0x707173, 0x8a8678, 0xa59c74, 0xc3b369, 0xfee838 },
  [APP_RAMP_VIRIDIS] = { 0x440154, 0x472c7a, 0x3b518b, 0x2c718e, 0x21908d, 0x27ad81, 0x5cc863, 0xaadc32, 0xfde725 },
  [APP_RAMP_GREY] = { 0x202020, 0x3a3a3a, 0x545454, 0x6e6e6e, 0x888888, 0xa2a2a2, 0xbcbcbc, 0xd6d6d6, 0xf0f0f0 },
};

/* From the middle outwards. */
static const guint32 blue_light[] = { 0xf7f7f7, 0xd1e5f0, 0x92c5de, 0x4393c3, 0x2166ac, 0x053061 };
static const guint32 orange_light[] = { 0xf7f7f7, 0xfee0b6, 0xfdb863, 0xe08214, 0xb35806, 0x7f3b08 };
static const guint32 blue_dark[] = { 0x2d2d2d, 0x24405c, 0x2464a0, 0x3f8fd6, 0x7ab8f0, 0xc4e2ff };
static const guint32 orange_dark[] = { 0x2d2d2d, 0x593d1e, 0x935a17, 0xd07d1a, 0xf5a94c, 0xffdcae };

static AppColour
from_hex (guint32 hex)
{
  return (AppColour) { ((hex >> 16) & 0xff) / 255.0f, ((hex >> 8) & 0xff) / 255.0f, (hex & 0xff) / 255.0f, 1 };
}

static AppColour
along (const guint32 *stops,
       guint          n,
       float          t)
{
  float at = CLAMP (isfinite (t) ? t : 0, 0, 1) * (n - 1);
  guint i = MIN ((guint) at, n - 2);
  AppColour a = from_hex (stops[i]), b = from_hex (stops[i + 1]);
  float f = at - i;

  return (AppColour) { a.r + f * (b.r - a.r), a.g + f * (b.g - a.g), a.b + f * (b.b - a.b), 1 };
}

static AppColour
plain (const AppPalette *palette,
       AppInkRole        role)
{
  if (palette->high_contrast && role == APP_INK_DIM)
    role = APP_INK_TEXT;
  if (palette->high_contrast && role == APP_INK_RULE)
    return from_hex (palette->dark ? 0x9a9a9a : 0x707070);
  return from_hex ((palette->dark ? dark : light)[role]);
}

AppColour
app_palette_colour (const AppPalette *palette,
                    AppInk            ink)
{
  AppColour colour;
  float t = ink.t;

  switch (ink.role)
    {
    case APP_INK_NONE:
      return (AppColour) { 0, 0, 0, 0 };
    case APP_INK_SERIES:
      colour = from_hex ((palette->dark ? series_dark : series_light)[(guint) MAX (t, 0) % G_N_ELEMENTS (series_light)]);
      break;
    case APP_INK_RAMP:
      colour = along (ramps[palette->ramp], 9, palette->dark ? t : 1 - t);
      break;
    case APP_INK_DIVERGE:
      colour = t < 0 ? along (palette->dark ? orange_dark : orange_light, 6, -t)
                     : along (palette->dark ? blue_dark : blue_light, 6, t);
      break;
    case APP_INK_TEXT: case APP_INK_DIM: case APP_INK_RULE: case APP_INK_SURFACE: case APP_INK_BACKGROUND:
    case APP_INK_ACCENT: case APP_INK_GOOD: case APP_INK_WARN: case APP_INK_BAD:
    default:
      colour = plain (palette, ink.role);
      break;
    }
  if (ink.alpha > 0)
    colour.a = ink.alpha;
  return colour;
}

/* Relative luminance and contrast ratio: WCAG 2.2, definitions. */
static double
linear (double c)
{
  return c <= 0.04045 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4);
}

double
app_colour_luminance (AppColour colour)
{
  return 0.2126 * linear (colour.r) + 0.7152 * linear (colour.g) + 0.0722 * linear (colour.b);
}

double
app_colour_contrast (AppColour a,
                     AppColour b)
{
  double la = app_colour_luminance (a), lb = app_colour_luminance (b);

  return (MAX (la, lb) + 0.05) / (MIN (la, lb) + 0.05);
}

AppColour
app_palette_text_on (const AppPalette *palette,
                     AppColour         on)
{
  AppColour black = { 0.08f, 0.08f, 0.08f, 1 }, white = { 1, 1, 1, 1 };

  return app_colour_contrast (black, on) >= app_colour_contrast (white, on) ? black : white;
}

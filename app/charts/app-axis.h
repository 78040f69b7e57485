/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Round numbers along an axis. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define APP_AXIS_MAX_TICKS 24
#define APP_MINUS "\u2212" /* of a number that is only looked at */

typedef struct {
  double   min, max; /* widened to whole steps */
  double   step;
  gboolean log;
  double   tick[APP_AXIS_MAX_TICKS];
  guint    n_ticks;
} AppAxis;

void   app_axis_init   (AppAxis *axis,
                        double   min,
                        double   max,
                        guint    wanted,
                        gboolean log);
double app_axis_at     (const AppAxis *axis, /* 0 to 1 */
                        double         value);
double app_axis_value  (const AppAxis *axis,
                        double         at);
char  *app_axis_label  (const AppAxis *axis,
                        double         value) G_GNUC_MALLOC;

/* A number for people, at most @digits significant digits, thousands apart. */
char  *app_number      (double         value,
                        guint          digits) G_GNUC_MALLOC;

G_END_DECLS

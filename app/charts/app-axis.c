/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Round numbers along an axis. */

#include "app-axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double
round_step (double rough)
{
  double power = pow (10, floor (log10 (rough)));
  double f = rough / power;

  return (f <= 1 ? 1 : f <= 2 ? 2 : f <= 2.5 ? 2.5 : f <= 5 ? 5 : 10) * power;
}

static void
init_log (AppAxis *axis,
          double   min,
          double   max)
{
  double lo = floor (log10 (MAX (min, 1e-12))), hi = ceil (log10 (MAX (max, 1e-12)));

  if (hi <= lo)
    hi = lo + 1;
  axis->min = pow (10, lo);
  axis->max = pow (10, hi);
  for (double e = lo; e <= hi && axis->n_ticks < APP_AXIS_MAX_TICKS; e += MAX (1, ceil ((hi - lo) / 8)))
    axis->tick[axis->n_ticks++] = pow (10, e);
}

void
app_axis_init (AppAxis *axis,
               double   min,
               double   max,
               guint    wanted,
               gboolean log)
{
  double first;

  memset (axis, 0, sizeof *axis);
  axis->log = log;
  if (!isfinite (min) || !isfinite (max) || min > max)
    min = 0, max = 1;
  if (log)
    {
      init_log (axis, min, max);
      return;
    }
  if (max - min < 1e-12 * MAX (1, fabs (max)))
    {
      double half = MAX (fabs (max) * 0.05, 1e-6);

      min -= half;
      max += half;
    }
  axis->step = round_step ((max - min) / MAX (wanted, 2));
  axis->min = floor (min / axis->step + 1e-9) * axis->step;
  axis->max = ceil (max / axis->step - 1e-9) * axis->step;
  first = axis->min;
  for (guint i = 0; first + i * axis->step <= axis->max + axis->step * 1e-6 && i < APP_AXIS_MAX_TICKS; i++)
    axis->tick[axis->n_ticks++] = first + i * axis->step;
}

double
app_axis_at (const AppAxis *axis,
             double         value)
{
  if (axis->log)
    return (log10 (MAX (value, 1e-12)) - log10 (axis->min)) / (log10 (axis->max) - log10 (axis->min));
  return (value - axis->min) / (axis->max - axis->min);
}

double
app_axis_value (const AppAxis *axis,
                double         at)
{
  if (axis->log)
    return pow (10, log10 (axis->min) + at * (log10 (axis->max) - log10 (axis->min)));
  return axis->min + at * (axis->max - axis->min);
}

char *
app_axis_label (const AppAxis *axis,
                double         value)
{
  int decimals;

  if (axis->log)
    return app_number (value, 3);
  decimals = CLAMP ((int) ceil (-log10 (axis->step) - 1e-9), 0, 9);
  if (axis->step * pow (10, decimals) - floor (axis->step * pow (10, decimals) + 1e-9) > 1e-6)
    decimals++;
  if (fabs (value) < axis->step * 1e-6)
    value = 0;
  if (fabs (value) >= 10000)
    return app_number (value, 6);
  return g_strdup_printf ("%s%.*f", value < 0 ? APP_MINUS : "", decimals, fabs (value));
}

/* U+202F keeps groups of three together and apart (ISO 80000-1, 7.3.1). */
static char *
group_thousands (const char *plain)
{
  const char *point = strpbrk (plain, ".,e");
  gsize digits = point != NULL ? (gsize) (point - plain) : strlen (plain);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < digits; i++)
    {
      gsize left = digits - i;

      g_string_append_c (text, plain[i]);
      if (left > 1 && left % 3 == 1 && g_ascii_isdigit (plain[i]))
        g_string_append (text, "\u202f");
    }
  if (point != NULL)
    g_string_append (text, point);
  return g_string_free (text, FALSE);
}

char *
app_number (double value,
            guint  digits)
{
  g_autofree char *plain = NULL;
  double size = fabs (value);
  int decimals;

  if (!isfinite (value))
    return g_strdup ("–");
  if (size != 0 && (size < 1e-4 || size >= 1e15))
    return g_strdup_printf ("%.*g", (int) digits, value);
  decimals = size == 0 ? 0 : CLAMP ((int) digits - 1 - (int) floor (log10 (size)), 0, 9);
  plain = g_strdup_printf ("%.*f", decimals, value);
  if (decimals > 0)
    {
      gsize n = strlen (plain);

      while (plain[n - 1] == '0')
        plain[--n] = '\0';
      if (plain[n - 1] == '.' || plain[n - 1] == ',')
        plain[n - 1] = '\0';
    }
  return size >= 10000 ? group_thousands (plain) : g_steal_pointer (&plain);
}

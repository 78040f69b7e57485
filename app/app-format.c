/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers for people. */

#include "app-format.h"

#include "app-axis.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

char *
app_format_count (double value)
{
  if (!isfinite (value) || value < 0)
    return g_strdup ("–");
  return app_number (value, fabs (value - round (value)) < 1e-9 || value >= 1000 ? 12 : 4);
}

char *
app_format_percent (double fraction,
                    int    decimals)
{
  if (!isfinite (fraction))
    return g_strdup ("–");
  /* Translators: a percentage; U+202F is a narrow space that does not break */
  return g_strdup_printf (_("%.*f\u202f%%"), decimals, fraction * 100);
}

char *
app_format_accuracy (double   accuracy,
                     gboolean with_unit)
{
  if (!isfinite (accuracy))
    return g_strdup ("–");
  if (accuracy >= 0)
    return app_format_percent (accuracy, 2);
  if (!with_unit)
    return app_number (-accuracy, 4);
  {
    g_autofree char *mse = app_number (-accuracy, 4);

    return g_strdup_printf (_("MSE %s"), mse);
  }
}

char *
app_format_duration (double seconds)
{
  if (!isfinite (seconds) || seconds < 0)
    return g_strdup ("–");
  if (seconds < 10)
    return g_strdup_printf (_("%.1f s"), seconds);
  if (seconds < 90)
    return g_strdup_printf (_("%.0f s"), seconds);
  if (seconds < 5400)
    return g_strdup_printf (_("%.0f min"), seconds / 60);
  return g_strdup_printf (_("%.1f h"), seconds / 3600);
}

char *
app_format_figure (const NnFigure *figure)
{
  g_autofree char *value = app_format_count (figure->value);
  g_autofree char *low = app_format_count (figure->low);
  g_autofree char *high = app_format_count (figure->high);

  if (!isfinite (figure->low) || !isfinite (figure->high) || figure->high <= figure->low)
    return g_steal_pointer (&value);
  return g_strdup_printf (_("%s (%s to %s)"), value, low, high);
}

char *
app_format_type (const NnType *type)
{
  return nn_type_to_string (type);
}

char *
app_format_shape (const NnShape *shape)
{
  GString *text = g_string_new (NULL);

  for (guint d = 0; d < shape->rank; d++)
    {
      if (d > 0)
        g_string_append (text, " × ");
      if (shape->dims[d] < 0)
        g_string_append (text, "?");
      else
        g_string_append_printf (text, "%" G_GINT64_FORMAT, shape->dims[d]);
    }
  return g_string_free (text, FALSE);
}

char *
app_format_change (double from,
                   double to)
{
  double change = from > 0 ? (to - from) / from * 100 : NAN;

  if (!isfinite (change))
    return g_strdup ("–");
  if (fabs (change) < 0.05)
    return g_strdup (_("unchanged"));
  return g_strdup_printf ("%s%.1f\u202f%%", change < 0 ? "−" : "+", fabs (change));
}

const char *
app_resource_title (NnResource resource)
{
  switch (resource)
    {
    case NN_RESOURCE_DSP: return "DSP";
    case NN_RESOURCE_BRAM: return _("BRAM (18 Kb)");
    case NN_RESOURCE_LUT: return "LUT";
    case NN_RESOURCE_FF: return "FF";
    case NN_RESOURCE_URAM: return "URAM";
    case NN_N_RESOURCES:
    default: return "?";
    }
}

char *
app_format_files (const char *paths)
{
  g_auto (GStrv) parts = g_strsplit (paths, ",", -1);

  for (char **part = parts; *part != NULL; part++)
    {
      char *name = g_path_get_basename (*part);

      g_free (*part);
      *part = name;
    }
  return g_strjoinv (", ", parts);
}

char *
app_format_status (const NnStep *step)
{
  g_autofree char *gap = app_format_percent (step->gap, 4);

  switch (step->status)
    {
    case NN_KNAPSACK_OPTIMAL:
      return g_strdup (_("Best possible selection for these importance scores (proven)"));
    case NN_KNAPSACK_GAP:
      return g_strdup_printf (_("Within %s of the best possible selection for these importance scores"), gap);
    case NN_KNAPSACK_TIME_LIMIT:
      return g_strdup_printf (_("Time limit reached; within %s of the best possible selection"), gap);
    case NN_KNAPSACK_CANCELLED:
      return g_strdup_printf (_("Stopped early; within %s of the best possible selection"), gap);
    case NN_KNAPSACK_INFEASIBLE:
      return g_strdup (_("What must be kept is already beyond the budget"));
    default:
      return g_strdup ("–");
    }
}

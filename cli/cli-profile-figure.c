/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The profile as a picture: by the window's own painter. */

#include "cli-profile.h"

#ifdef HAVE_CHARTS
#include "layout-bars.h"
#include "paint-file.h"

#define WIDTH 900
#define TEXT 12

static void
add_spans (AppSpans        *spans,
           const NnProfile *profile,
           const char      *when)
{
  for (guint i = 0; i < profile->n; i++)
    {
      const NnProfileTensor *t = &profile->tensors[i];
      AppSpan span = { .name = when != NULL ? g_strdup_printf ("%s (%s)", t->name, when) : g_strdup (t->name), .low = t->size[0],
                       .q1 = t->size[1], .median = t->size[2], .q3 = t->size[3], .high = t->size[4] };

      if (t->has_type)
        {
          span.type = nn_type_to_string (&t->type);
          span.lsb = nn_type_lsb (&t->type);
          span.max = nn_type_max (&t->type);
          span.bad = t->overflow > 0;
          span.note = g_strdup_printf ("%.2f %% below the last bit, %.2f %% do not fit", 100 * t->below_lsb, 100 * t->overflow);
        }
      g_array_append_val (spans->spans, span);
    }
}

gboolean
cli_profile_figure (const char       *path,
                    const NnProfile  *before,
                    const NnProfile  *after,
                    GError          **error)
{
  g_autoptr (AppSpans) spans = app_spans_new ("Size of the values", "what the type can hold", "half of the values, and all");
  AppView view = { .width = WIDTH, .text = TEXT };
  AppPalette palette = { .dark = FALSE };
  g_autoptr (AppScene) scene = NULL;
  g_autoptr (GByteArray) bytes = NULL;
  g_autofree char *lower = g_ascii_strdown (path, -1);

  if (before != NULL)
    add_spans (spans, before, "before");
  add_spans (spans, after, before != NULL ? "after" : NULL);
  if (g_str_has_suffix (lower, ".csv"))
    {
      g_autoptr (AppTable) table = app_spans_table (spans);
      g_autofree char *csv = app_table_to_csv (table, NULL);

      return g_file_set_contents (path, csv, -1, error);
    }
  view.height = app_spans_height (spans, TEXT);
  scene = app_spans_layout (spans, &view);
  bytes = paint_bytes (scene, &palette, paint_format (path));
  return g_file_set_contents (path, (const char *) bytes->data, bytes->len, error);
}

#else

gboolean
cli_profile_figure (const char       *path,
                    const NnProfile  *before,
                    const NnProfile  *after,
                    GError          **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: this build draws no pictures, for Cairo was not there", path);
  return FALSE;
}

#endif

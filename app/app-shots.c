/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of every page. ESPALIER_SHOTS names the folder, ESPALIER_SHOTS_SUFFIX what is added to the names,
 * ESPALIER_SHOTS_SIZE the size ("420x760"); ESPALIER_SHOTS_RUN runs Optimize first; ESPALIER_SHOTS_RTL shows all
 * from right to left; ESPALIER_SHOTS_TEXT ("1.5") enlarges text; then the program ends. */

#include "app-shots.h"

#include "app-preferences.h"

#include <stdio.h>
#include <glib/gstdio.h>

#define SETTLE_MS 900

typedef struct {
  AppWindow  *window;
  const char *folder;
  guint       next;
  gboolean    optimised;
  guint       wait; /* until the toast has gone */
} Shots;

static const char *const names[] = { "network", "weights", "weights-hardware", "weights-words", "tradeoff", "frontier", "precision", "hardware", "data" };

/* FALSE where the window was not painted since it changed: try again later. */
static gboolean
take (AppWindow  *window,
      const char *path)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (GTK_WIDGET (window));
  double w = gdk_paintable_get_intrinsic_width (paintable), h = gdk_paintable_get_intrinsic_height (paintable);
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;

  gdk_paintable_snapshot (paintable, GDK_SNAPSHOT (snapshot), w, h);
  node = gtk_snapshot_free_to_node (snapshot);
  if (node == NULL)
    return FALSE;
  texture = gsk_renderer_render_texture (gtk_native_get_renderer (GTK_NATIVE (window)), node, &GRAPHENE_RECT_INIT (0, 0, w, h));
  if (!gdk_texture_save_to_png (texture, path))
    g_printerr ("cannot write %s\n", path);
  return TRUE;
}

static gboolean
busy (AppWindow *window)
{
  AppDocument *document = app_window_document (window);
  const AppState *state = app_document_state (document);

  return app_document_job (document) != NULL
         || (state->model != NULL && (app_document_analysis (document) == NULL
                                      || (state->data != NULL && app_document_evaluation (document) == NULL)));
}

static gboolean
step (gpointer data)
{
  Shots *shots = data;
  const char *suffix = g_getenv ("ESPALIER_SHOTS_SUFFIX");
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;

  if (busy (shots->window))
    return G_SOURCE_CONTINUE;
  if (g_getenv ("ESPALIER_SHOTS_RUN") != NULL && !shots->optimised)
    {
      shots->optimised = TRUE;
      gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.optimise-now", NULL);
      return G_SOURCE_CONTINUE;
    }
  if (shots->optimised && shots->wait < 8)
    {
      shots->wait++;
      return G_SOURCE_CONTINUE;
    }
  if (shots->next > 0)
    {
      name = g_strdup_printf ("%s%s.png", app_document_is_empty (app_window_document (shots->window)) ? "welcome" : names[shots->next - 1],
                              suffix != NULL ? suffix : "");
      path = g_build_filename (shots->folder, name, NULL);
      if (!take (shots->window, path))
        return G_SOURCE_CONTINUE;
    }
  if (shots->next == G_N_ELEMENTS (names) || (shots->next > 0 && app_document_is_empty (app_window_document (shots->window))))
    {
      app_document_forget_autosave (app_window_document (shots->window));
      gtk_window_destroy (GTK_WINDOW (shots->window));
      g_free (shots);
      return G_SOURCE_REMOVE;
    }
  if (g_str_equal (names[shots->next], "weights-hardware") || (shots->next > 0 && g_str_equal (names[shots->next - 1], "weights-hardware")))
    gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.toggle-order", NULL);
  if (g_str_equal (names[shots->next], "frontier") || (shots->next > 0 && g_str_equal (names[shots->next - 1], "frontier")))
    gtk_widget_activate_action (GTK_WIDGET (shots->window), "win.frontier", NULL);
  app_window_show_page (shots->window, names[shots->next++]);
  return G_SOURCE_CONTINUE;
}

void
app_shots_startup (void)
{
  const char *text = g_getenv ("ESPALIER_SHOTS_TEXT");

  if (g_getenv ("ESPALIER_SHOTS") == NULL)
    return;
  if (app_settings () != NULL)
    g_settings_set_boolean (app_settings (), "introduced", TRUE);
  if (g_getenv ("ESPALIER_SHOTS_RTL") != NULL)
    gtk_widget_set_default_direction (GTK_TEXT_DIR_RTL);
  if (text != NULL)
    g_object_set (gtk_settings_get_default (), "gtk-xft-dpi", (int) (96 * 1024 * CLAMP (g_ascii_strtod (text, NULL), 0.5, 3)), NULL);
}

void
app_shots_maybe (AppWindow *window)
{
  const char *folder = g_getenv ("ESPALIER_SHOTS"), *size = g_getenv ("ESPALIER_SHOTS_SIZE");
  Shots *shots;
  int w, h;

  if (folder == NULL)
    return;
  if (size != NULL && sscanf (size, "%dx%d", &w, &h) == 2)
    gtk_window_set_default_size (GTK_WINDOW (window), w, h);
  if (g_getenv ("ESPALIER_SHOTS_SAMPLE") != NULL)
    app_document_open_sample (app_window_document (window));
  shots = g_new0 (Shots, 1);
  shots->window = window;
  shots->folder = folder;
  g_timeout_add (SETTLE_MS, step, shots);
}

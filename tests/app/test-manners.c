/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keyboard, drag and drop, clipboard: what a user of the desktop expects everywhere. Needs a display (run-ui.sh). */

#include "espalier-config.h"

#include "app-application.h"
#include "app-figure.h"
#include "app-window.h"
#include "pages/app-page.h"

#include <string.h>

#include "test-sample.h"
#include "test-shared.h"
#include "test-wait.h"

#define WAIT_FOR(condition) TEST_WAIT_FOR (240, condition)

static const char *const pages[] = { "network", "weights", "tradeoff", "precision", "hardware", "data" };

static GApplication *application;
static AppWindow *window;
static char *folder;

static AppDocument *
document (void)
{
  return app_window_document (window);
}

static void
settle (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  WAIT_FOR (g_get_monotonic_time () >= end);
}

typedef void (*Visit) (GtkWidget *widget, gpointer data);

static void
visit (GtkWidget *widget,
       Visit      func,
       gpointer   data)
{
  func (widget, data);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    visit (child, func, data);
}

static GtkEventController *
controller_of (GtkWidget *widget,
               GType      type)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (widget);
  GtkEventController *found = NULL;

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GObject) controller = g_list_model_get_item (controllers, i);

      if (G_TYPE_CHECK_INSTANCE_TYPE (controller, type))
        found = GTK_EVENT_CONTROLLER (controller);
    }
  return found;
}

/* A network and its data, dropped together, are opened one after the other; text is no file. */
static void
test_drop (void)
{
  GtkEventController *target = controller_of (GTK_WIDGET (window), GTK_TYPE_DROP_TARGET);
  g_autofree char *model = g_build_filename (folder, "jets.h5", NULL), *data = g_build_filename (folder, "jets.npz", NULL);
  g_autoptr (GFile) first = g_file_new_for_path (model), second = g_file_new_for_path (data);
  GFile *files[] = { first, second };
  g_auto (GValue) value = G_VALUE_INIT;
  gboolean taken = FALSE;

  g_assert_nonnull (target);
  g_assert_true (gdk_content_formats_contain_gtype (gtk_drop_target_get_formats (GTK_DROP_TARGET (target)), GDK_TYPE_FILE_LIST));
  g_value_init (&value, GDK_TYPE_FILE_LIST);
  g_value_take_boxed (&value, gdk_file_list_new_from_array (files, G_N_ELEMENTS (files)));
  g_signal_emit_by_name (target, "drop", &value, 10.0, 10.0, &taken);
  g_assert_true (taken);
  WAIT_FOR (app_document_job (document ()) == NULL && app_document_evaluation (document ()) != NULL);
  g_assert_nonnull (app_document_state (document ())->model);
  g_assert_nonnull (app_document_state (document ())->data);
}

/* Nothing before the window was painted since it last changed. */
static GskRenderNode *
painted (GdkPaintable *paintable)
{
  GtkSnapshot *snapshot = gtk_snapshot_new ();

  gdk_paintable_snapshot (paintable, GDK_SNAPSHOT (snapshot), gdk_paintable_get_intrinsic_width (paintable),
                          gdk_paintable_get_intrinsic_height (paintable));
  return gtk_snapshot_free_to_node (snapshot);
}

#define EDGE_WIDTH 40
#define EDGE_HEIGHT 60

/* What the window looks like at the edge of the pages, as bytes of colour. */
static GBytes *
edge_of_pages (void)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (GTK_WIDGET (window));
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;
  g_autofree guchar *pixels = NULL;
  guchar *edge = g_malloc (EDGE_WIDTH * EDGE_HEIGHT * 4);
  gsize stride, top;

  settle (300);
  WAIT_FOR ((node = painted (paintable)) != NULL);
  texture = gsk_renderer_render_texture (gtk_native_get_renderer (GTK_NATIVE (window)), node, NULL);
  stride = gdk_texture_get_width (texture) * 4;
  top = gdk_texture_get_height (texture) / 2;
  pixels = g_malloc (stride * gdk_texture_get_height (texture));
  gdk_texture_download (texture, pixels, stride);
  for (gsize i = 0; i < EDGE_HEIGHT; i++)
    memcpy (edge + i * EDGE_WIDTH * 4, pixels + (top + i) * stride, EDGE_WIDTH * 4);
  return g_bytes_new_take (edge, EDGE_WIDTH * EDGE_HEIGHT * 4);
}

/* Where something may be dropped is shown while it is dragged, and only then. */
static void
test_drop_highlight (void)
{
  g_autoptr (GBytes) before = edge_of_pages ();
  g_autoptr (GBytes) during = NULL, after = NULL;

  gtk_widget_set_state_flags (GTK_WIDGET (window), GTK_STATE_FLAG_DROP_ACTIVE, FALSE);
  during = edge_of_pages ();
  gtk_widget_unset_state_flags (GTK_WIDGET (window), GTK_STATE_FLAG_DROP_ACTIVE);
  after = edge_of_pages ();
  g_assert_false (g_bytes_equal (before, during));
  g_assert_true (g_bytes_equal (before, after));
}

/* Every control in sight is among what Tab comes to: itself, something within it, or what it is a part of. */
#define MOST_TABS 400

typedef struct {
  GHashTable *reached;
  guint       n_controls;
} Reach;

static gboolean
is_control (GtkWidget *widget)
{
  return (GTK_IS_BUTTON (widget) || GTK_IS_EDITABLE (widget) || GTK_IS_SWITCH (widget) || GTK_IS_DROP_DOWN (widget) || APP_IS_CHART (widget)
          || GTK_IS_EXPANDER (widget)) && gtk_widget_get_mapped (widget) && gtk_widget_is_sensitive (widget) && gtk_widget_get_can_focus (widget);
}

static gboolean
is_reached (GHashTable *reached,
            GtkWidget  *widget)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, reached);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (key == widget || gtk_widget_is_ancestor (key, widget))
      return TRUE;
  return FALSE;
}

static void
check_reached (GtkWidget *widget,
               gpointer   data)
{
  Reach *reach = data;
  GtkWidget *part_of = gtk_widget_get_ancestor (widget, GTK_TYPE_SPIN_BUTTON), *row = gtk_widget_get_ancestor (widget, GTK_TYPE_LIST_BOX_ROW);

  if (!is_control (widget) || gtk_widget_get_ancestor (widget, GTK_TYPE_POPOVER) != NULL || gtk_widget_get_ancestor (widget, GTK_TYPE_WINDOW_CONTROLS) != NULL)
    return;
  if (!gtk_widget_get_focusable (widget) && !GTK_IS_DROP_DOWN (widget) && !GTK_IS_SPIN_BUTTON (widget))
    return; /* a part, like the plus of a spin button */
  reach->n_controls++;
  if (is_reached (reach->reached, widget) || (part_of != NULL && is_reached (reach->reached, part_of)) || (row != NULL && is_reached (reach->reached, row)))
    return;
  g_test_message ("%s “%s” is not reached", G_OBJECT_TYPE_NAME (widget), gtk_widget_get_tooltip_text (widget));
  g_assert_not_reached ();
}

static void
test_tab (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_autoptr (GHashTable) reached = g_hash_table_new (NULL, NULL);
      Reach reach = { reached, 0 };

      app_window_show_page (window, pages[i]);
      settle (400);
      gtk_window_set_focus (GTK_WINDOW (window), NULL);
      for (guint k = 0; k < MOST_TABS; k++)
        {
          GtkWidget *focus;

          g_signal_emit_by_name (window, "move-focus", GTK_DIR_TAB_FORWARD);
          focus = gtk_window_get_focus (GTK_WINDOW (window));
          if (focus == NULL || !g_hash_table_add (reached, focus))
            break;
        }
      visit (GTK_WIDGET (window), check_reached, &reach);
      g_test_message ("%s: %u controls, %u stops", pages[i], reach.n_controls, g_hash_table_size (reached));
      g_assert_cmpuint (reach.n_controls, >=, 8);
    }
}

static void
find_figure (GtkWidget *widget,
             gpointer   data)
{
  AppFigure **figure = data;

  if (*figure == NULL && APP_IS_FIGURE (widget) && gtk_widget_get_mapped (widget))
    *figure = APP_FIGURE (widget);
}

static AppFigure *
figure_of (const char *page)
{
  AppFigure *figure = NULL;

  app_window_show_page (window, page);
  settle (400);
  visit (GTK_WIDGET (window), find_figure, &figure);
  return figure;
}

static void
on_text (GObject      *clipboard,
         GAsyncResult *result,
         gpointer      data)
{
  *(char **) data = gdk_clipboard_read_text_finish (GDK_CLIPBOARD (clipboard), result, NULL);
}

static void
on_texture (GObject      *clipboard,
            GAsyncResult *result,
            gpointer      data)
{
  *(GdkTexture **) data = gdk_clipboard_read_texture_finish (GDK_CLIPBOARD (clipboard), result, NULL);
}

static void
on_spliced (GObject      *memory,
            GAsyncResult *result,
            gpointer      data)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_splice_finish (G_OUTPUT_STREAM (memory), result, &error);
  g_assert_no_error (error);
  *(GBytes **) data = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static void
on_stream (GObject      *clipboard,
           GAsyncResult *result,
           gpointer      data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream = gdk_clipboard_read_finish (GDK_CLIPBOARD (clipboard), result, NULL, &error);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();

  g_assert_no_error (error);
  g_output_stream_splice_async (memory, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, G_PRIORITY_DEFAULT, NULL, on_spliced, data);
}

static char *
copied_as (GdkClipboard *clipboard,
           const char   *type)
{
  const char *types[] = { type, NULL };
  g_autoptr (GBytes) bytes = NULL;

  gdk_clipboard_read_async (clipboard, types, G_PRIORITY_DEFAULT, NULL, on_stream, &bytes);
  WAIT_FOR (bytes != NULL);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* Read as a table, it is copied as one. */
static void
check_table_copy (AppFigure    *figure,
                  GdkClipboard *clipboard)
{
  GdkContentFormats *formats;

  app_figure_show_table (figure, TRUE);
  gtk_widget_activate_action (GTK_WIDGET (figure), "figure.copy", NULL);
  formats = gdk_clipboard_get_formats (clipboard);
  g_assert_true (gdk_content_formats_contain_mime_type (formats, "text/csv"));
  g_assert_false (gdk_content_formats_contain_mime_type (formats, "image/png"));
  app_figure_show_table (figure, FALSE);
}

/* A copied figure is a picture for who wants pictures, sharp for who can draw it, and its table for who wants text or numbers. */
static void
test_clipboard (void)
{
  guint n_copied = 0;

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      AppFigure *figure = figure_of (pages[i]); /* none before there is a run */
      GdkClipboard *clipboard = gtk_widget_get_clipboard (GTK_WIDGET (window));
      g_autoptr (AppTable) table = figure != NULL ? app_chart_dup_table (app_figure_chart (figure)) : NULL;
      g_autoptr (GdkTexture) texture = NULL;
      g_autofree char *text = NULL, *svg = NULL, *csv = NULL, *expected = NULL;
      g_auto (GStrv) lines = NULL, titles = NULL;

      if (table == NULL || table->rows->len == 0)
        continue;
      n_copied++;
      gtk_widget_activate_action (GTK_WIDGET (figure), "figure.copy", NULL);
      gdk_clipboard_read_text_async (clipboard, NULL, on_text, &text);
      WAIT_FOR (text != NULL);
      lines = g_strsplit (text, "\n", -1);
      titles = g_strsplit (lines[0], "\t", -1);
      g_assert_cmpuint (g_strv_length (titles), ==, table->columns->len);
      g_assert_cmpstr (titles[table->columns->len - 1], ==, g_ptr_array_index (table->columns, table->columns->len - 1));
      g_assert_cmpuint (g_strv_length (lines), >=, table->rows->len + 1);
      g_assert_true (g_str_has_prefix (lines[1], ((char **) g_ptr_array_index (table->rows, 0))[0]));
      gdk_clipboard_read_texture_async (clipboard, NULL, on_texture, &texture);
      WAIT_FOR (texture != NULL);
      g_assert_cmpint (gdk_texture_get_width (texture), >=, 64);
      svg = copied_as (clipboard, "image/svg+xml");
      g_assert_nonnull (strstr (svg, "<svg"));
      g_assert_true (g_str_has_suffix (g_strchomp (svg), "</svg>"));
      csv = copied_as (clipboard, "text/csv");
      expected = app_table_to_csv (table, NULL);
      g_assert_cmpstr (csv, ==, expected);
      check_table_copy (figure, clipboard);
    }
  g_assert_cmpuint (n_copied, >=, 4);
}

/* Shortcuts of the view do what they say. */
static void
test_view (void)
{
  AppFigure *figure = figure_of ("network");
  GtkWidget *page = gtk_widget_get_ancestor (GTK_WIDGET (figure), APP_TYPE_PAGE), *sidebar;
  GtkWidget *root = GTK_WIDGET (window);
  AppView view;
  const AppAnalysis *before = app_document_analysis (document ());

  sidebar = GTK_WIDGET (gtk_widget_get_template_child (page, G_OBJECT_TYPE (page), "sidebar"));
  g_assert_true (gtk_widget_get_visible (sidebar));
  gtk_widget_activate_action (root, "win.sidebar", NULL);
  g_assert_false (gtk_widget_get_visible (sidebar));
  gtk_widget_activate_action (root, "win.sidebar", NULL);
  g_assert_true (gtk_widget_get_visible (sidebar));
  gtk_widget_activate_action (root, "win.zoom-in", NULL);
  settle (100);
  g_assert_true (app_chart_view_at (app_figure_chart (figure), &view));
  g_assert_cmpfloat (view.zoom, >, 0.1);
  gtk_widget_activate_action (root, "win.zoom-fit", NULL);
  settle (100);
  g_assert_true (app_chart_view_at (app_figure_chart (figure), &view));
  g_assert_cmpfloat (view.zoom, ==, 0);
  gtk_widget_activate_action (root, "win.refresh", NULL);
  WAIT_FOR (app_document_analysis (document ()) != NULL && app_document_analysis (document ()) != before);
}

/* What the shortcuts window lists by action has a key, and every key of the application is listed, by action or as written. */
static void
note_action (GtkWidget *widget,
             gpointer   data)
{
  g_autofree char *action = NULL;

  if (!GTK_IS_SHORTCUTS_SHORTCUT (widget))
    return;
  g_object_get (widget, "action-name", &action, NULL);
  if (action != NULL)
    g_hash_table_add (data, g_steal_pointer (&action));
}

static void
test_shortcuts (void)
{
  g_autoptr (GtkBuilder) builder = gtk_builder_new_from_resource ("/org/espalier/Espalier/gtk/help-overlay.ui");
  GtkWidget *overlay = GTK_WIDGET (gtk_builder_get_object (builder, "help_overlay"));
  g_autoptr (GHashTable) listed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) actions = gtk_application_list_action_descriptions (GTK_APPLICATION (application));
  GHashTableIter iter;
  gpointer key;

  visit (overlay, note_action, listed);
  g_assert_cmpuint (g_hash_table_size (listed), >=, 25);
  g_hash_table_iter_init (&iter, listed);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      g_auto (GStrv) accels = gtk_application_get_accels_for_action (GTK_APPLICATION (application), key);

      if (accels[0] == NULL)
        g_test_message ("%s has no key", (const char *) key);
      g_assert_nonnull (accels[0]);
    }
  for (guint i = 0; actions[i] != NULL; i++)
    {
      if (g_str_has_prefix (actions[i], "win.page")) /* Alt+1 to 6, one line */
        continue;
      if (!g_hash_table_contains (listed, actions[i]))
        g_test_message ("%s is not listed", actions[i]);
      g_assert_true (g_hash_table_contains (listed, actions[i]));
    }
  gtk_window_destroy (GTK_WINDOW (overlay));
}

int
main (int    argc,
      char **argv)
{
  GError *error = NULL;
  int status;

  gtk_test_init (&argc, &argv, NULL);
  if (gdk_display_get_default () == NULL)
    {
      g_print ("1..0 # SKIP no display\n");
      return 0;
    }
  adw_init ();
  application = app_application_new ();
  g_application_set_flags (application, g_application_get_flags (application) | G_APPLICATION_NON_UNIQUE);
  g_assert_true (g_application_register (application, NULL, &error));
  g_assert_no_error (error);
  folder = test_folder ();
  test_sample (folder, 1000, 2);
  window = APP_WINDOW (app_window_new (ADW_APPLICATION (application)));
  gtk_window_present (GTK_WINDOW (window));
  settle (100);
  g_test_add_func ("/manners/drop", test_drop);
  g_test_add_func ("/manners/drop-highlight", test_drop_highlight);
  g_test_add_func ("/manners/tab", test_tab);
  g_test_add_func ("/manners/clipboard", test_clipboard);
  g_test_add_func ("/manners/view", test_view);
  g_test_add_func ("/manners/shortcuts", test_shortcuts);
  status = g_test_run ();
  app_document_forget_autosave (document ());
  gtk_window_destroy (GTK_WINDOW (window));
  remove_folder (folder);
  g_free (folder);
  g_object_unref (application);
  return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a window offers to go to: recent files, its history, what is dropped on it. */

#include "app-window-private.h"

#include <glib/gi18n.h>

#define MAX_RECENT 12

static GtkWidget *
list_row (const char *text,
          const char *detail)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2), *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_box_append (GTK_BOX (box), label);
  if (detail != NULL)
    {
      GtkWidget *small = gtk_label_new (detail);

      gtk_label_set_xalign (GTK_LABEL (small), 0);
      gtk_label_set_ellipsize (GTK_LABEL (small), PANGO_ELLIPSIZE_START);
      gtk_widget_add_css_class (small, "caption");
      gtk_widget_add_css_class (small, "dim-label");
      gtk_box_append (GTK_BOX (box), small);
    }
  gtk_widget_set_margin_top (box, 4);
  gtk_widget_set_margin_bottom (box, 4);
  return box;
}

static gboolean
is_ours (GtkRecentInfo *info)
{
  return gtk_recent_info_has_application (info, g_get_application_name ()) && gtk_recent_info_is_local (info)
         && gtk_recent_info_exists (info);
}

void
app_window_fill_recent (AppWindow *self)
{
  GList *items = gtk_recent_manager_get_items (gtk_recent_manager_get_default ());
  guint n = 0;

  app_rows_clear (self->recent_list);
  for (GList *l = items; l != NULL && n < MAX_RECENT; l = l->next)
    if (is_ours (l->data))
      {
        g_autofree char *path = g_filename_from_uri (gtk_recent_info_get_uri (l->data), NULL, NULL);
        g_autofree char *folder = g_path_get_dirname (path);
        GtkWidget *row = gtk_list_box_row_new ();

        gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), list_row (gtk_recent_info_get_display_name (l->data), folder));
        g_object_set_data_full (G_OBJECT (row), "path", g_steal_pointer (&path), g_free);
        gtk_list_box_append (self->recent_list, row);
        n++;
      }
  if (n == 0)
    {
      GtkWidget *label = gtk_label_new (_("Nothing opened yet"));

      gtk_widget_add_css_class (label, "dim-label");
      gtk_widget_set_margin_top (label, 12);
      gtk_widget_set_margin_bottom (label, 12);
      gtk_list_box_append (self->recent_list, label);
    }
  g_list_free_full (items, (GDestroyNotify) gtk_recent_info_unref);
}

static void
on_recent (GtkListBox    *list,
           GtkListBoxRow *row,
           AppWindow     *self)
{
  const char *path = g_object_get_data (G_OBJECT (row), "path");

  gtk_popover_popdown (self->recent_popover);
  if (path != NULL)
    app_window_open (self, path);
}

void
app_window_fill_history (AppWindow *self)
{
  guint position, n = app_document_n_history (self->document, &position);

  app_rows_clear (self->history_list);
  for (guint i = n; i > 0; i--)
    {
      GtkWidget *row = gtk_list_box_row_new ();

      gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), list_row (app_document_history (self->document, i - 1),
                                                                    i - 1 == position ? _("now") : NULL));
      g_object_set_data (G_OBJECT (row), "position", GUINT_TO_POINTER (i - 1));
      gtk_list_box_append (self->history_list, row);
      if (i - 1 == position)
        gtk_list_box_select_row (self->history_list, GTK_LIST_BOX_ROW (row));
    }
}

static void
on_history (GtkListBox    *list,
            GtkListBoxRow *row,
            AppWindow     *self)
{
  gtk_popover_popdown (self->history_popover);
  app_document_go_to (self->document, GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (row), "position")));
}

static gboolean
on_drop (GtkDropTarget *target,
         const GValue  *value,
         double         x,
         double         y,
         AppWindow     *self)
{
  GSList *files = gdk_file_list_get_files (g_value_get_boxed (value));
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

  for (GSList *l = files; l != NULL; l = l->next)
    if (g_file_peek_path (l->data) != NULL)
      g_ptr_array_add (paths, g_file_get_path (l->data));
  g_slist_free (files);
  g_ptr_array_add (paths, NULL);
  app_window_open_files (self, (const char *const *) paths->pdata);
  return paths->len > 1;
}

void
app_window_dnd_init (AppWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  g_signal_connect (target, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_css_class (GTK_WIDGET (self), "drop-target"); /* and the style says where something may be dropped */
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
  g_signal_connect (self->recent_list, "row-activated", G_CALLBACK (on_recent), self);
  g_signal_connect (self->history_list, "row-activated", G_CALLBACK (on_history), self);
  g_signal_connect_swapped (self->recent_popover, "show", G_CALLBACK (app_window_fill_recent), self);
}

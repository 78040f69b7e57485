/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A menu of the tools of all backends, with their versions. They are looked for on a thread, as folders may be slow. */

#include "app-tool-menu.h"

#include "app-job.h"
#include "hls.h"

#include <glib/gi18n.h>

#define MAX_HEIGHT 320

typedef struct {
  AppToolFunc chosen;
  gpointer    data;
  GtkWidget  *popover;
  GtkListBox *list;
  GtkLabel   *says; /* while one looks, and where there is none */
  gboolean    asked;
} Menu;

static gpointer
work (AppJob           *job,
      gpointer          input,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  static const char *const backends[] = { "vitis", "vivado", "oneapi", "quartus", "catapult" };
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) hls_tool_free);

  for (guint i = 0; i < G_N_ELEMENTS (backends); i++)
    g_ptr_array_extend_and_steal (all, hls_tools_list (backends[i]));
  return all;
}

static GtkWidget *
tool_row (const HlsTool *tool)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *title = tool->version != NULL ? g_strdup_printf ("%s %s", tool->title, tool->version) : g_strdup (tool->title);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), tool->path);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data_full (G_OBJECT (row), "path", g_strdup (tool->path), g_free);
  return row;
}

static void
on_found (AppJob    *job,
          GtkWidget *popover)
{
  Menu *menu = g_object_get_data (G_OBJECT (popover), "menu");
  g_autoptr (GPtrArray) tools = app_job_steal_result (job);

  for (guint i = 0; tools != NULL && i < tools->len; i++)
    gtk_list_box_append (menu->list, tool_row (tools->pdata[i]));
  gtk_label_set_text (menu->says, _("No tool was found on PATH or in the usual folders."));
  gtk_widget_set_visible (GTK_WIDGET (menu->says), tools == NULL || tools->len == 0);
}

static void
on_show (Menu *menu)
{
  g_autoptr (AppJob) job = NULL;

  if (menu->asked)
    return;
  menu->asked = TRUE;
  job = app_job_new ("", work, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_found), menu->popover, 0);
  app_job_start (job);
}

static void
on_row (Menu          *menu,
        GtkListBoxRow *row)
{
  gtk_popover_popdown (GTK_POPOVER (menu->popover));
  menu->chosen (g_object_get_data (G_OBJECT (row), "path"), menu->data);
}

GtkWidget *
app_tool_menu_new (AppToolFunc chosen,
                   gpointer    data)
{
  GtkWidget *button = gtk_menu_button_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *scrolled = gtk_scrolled_window_new ();
  Menu *menu = g_new0 (Menu, 1);

  menu->chosen = chosen;
  menu->data = data;
  menu->popover = gtk_popover_new ();
  menu->list = GTK_LIST_BOX (gtk_list_box_new ());
  menu->says = GTK_LABEL (gtk_label_new (_("Looking for tools…")));
  gtk_list_box_set_selection_mode (menu->list, GTK_SELECTION_NONE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (menu->list), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Installed tools"), -1);
  g_object_set (menu->says, "wrap", TRUE, "max-width-chars", 32, "margin-start", 12, "margin-end", 12, "margin-top", 12, "margin-bottom", 12, NULL);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (menu->says));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (menu->list));
  g_object_set (scrolled, "child", box, "hscrollbar-policy", GTK_POLICY_NEVER, "propagate-natural-height", TRUE, "max-content-height", MAX_HEIGHT, NULL);
  gtk_popover_set_child (GTK_POPOVER (menu->popover), scrolled);
  g_object_set_data_full (G_OBJECT (menu->popover), "menu", menu, g_free);
  g_signal_connect_swapped (menu->popover, "show", G_CALLBACK (on_show), menu);
  g_signal_connect_swapped (menu->list, "row-activated", G_CALLBACK (on_row), menu);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (button), menu->popover);
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (button), "view-more-symbolic");
  gtk_widget_set_tooltip_text (button, _("Choose an Installed Tool"));
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  return button;
}

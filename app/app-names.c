/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for the screen reader. */

#include "espalier-config.h"

#include "app-names.h"

#include <glib/gi18n.h>
#include <string.h>

static char *
without_mnemonic (const char *label)
{
  g_auto (GStrv) parts = g_strsplit (label, "_", -1);

  return g_strjoinv (NULL, parts);
}

static void
set_name (GtkWidget  *widget,
          const char *name)
{
  g_autofree char *plain = without_mnemonic (name);

  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, plain, -1);
  /* What is pressed is a button within. */
  if (GTK_IS_MENU_BUTTON (widget) || GTK_IS_DROP_DOWN (widget))
    for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
      if (GTK_IS_BUTTON (child))
        gtk_accessible_update_property (GTK_ACCESSIBLE (child), GTK_ACCESSIBLE_PROPERTY_LABEL, plain, -1);
}

/* A list that drops down is called as what it belongs to. */
static void
name_list (GtkWidget *list)
{
  GtkWidget *drop_down = gtk_widget_get_ancestor (list, GTK_TYPE_DROP_DOWN), *row = gtk_widget_get_ancestor (list, ADW_TYPE_COMBO_ROW);
  const char *name = row != NULL ? adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row))
                                 : drop_down != NULL ? gtk_widget_get_tooltip_text (drop_down) : NULL;

  if (name != NULL)
    set_name (list, name);
}

/* Rows are a list of their own, called as what they belong to: rows of an expander, a group, or else the window. */
static void
name_rows (GtkWidget *list)
{
  GtkWidget *group = gtk_widget_get_ancestor (list, ADW_TYPE_PREFERENCES_GROUP), *row = gtk_widget_get_ancestor (list, ADW_TYPE_EXPANDER_ROW);
  GtkRoot *root = gtk_widget_get_root (list);
  const char *title = row != NULL ? adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)) : NULL;

  if (group == NULL && title == NULL)
    {
      if (gtk_widget_get_ancestor (list, ADW_TYPE_PREFERENCES_WINDOW) != NULL)
        set_name (list, _("Search"));
      return;
    }
  if (group != NULL && (title == NULL || *title == '\0'))
    title = adw_preferences_group_get_title (ADW_PREFERENCES_GROUP (group));
  if ((title == NULL || *title == '\0') && GTK_IS_WINDOW (root))
    title = gtk_window_get_title (GTK_WINDOW (root));
  if (title != NULL && *title != '\0')
    set_name (list, title);
}

static const char *
label_of (GtkWidget *widget)
{
  if (GTK_IS_BUTTON (widget))
    return gtk_button_get_label (GTK_BUTTON (widget));
  if (GTK_IS_EXPANDER (widget))
    return gtk_expander_get_label (GTK_EXPANDER (widget));
  return NULL;
}

void
app_names_apply (GtkWidget *root)
{
  const char *tooltip = gtk_widget_get_tooltip_text (root), *label = label_of (root);
  GtkWidget *above = gtk_widget_get_parent (root);

  if (GTK_IS_LIST_VIEW (root))
    name_list (root);
  else if (GTK_IS_LIST_BOX (root))
    name_rows (root);
  else if (GTK_IS_SEARCH_ENTRY (root))
    set_name (root, _("Search"));
  if (ADW_IS_SPLIT_BUTTON (above) && GTK_IS_MENU_BUTTON (root))
    set_name (root, adw_split_button_get_dropdown_tooltip (ADW_SPLIT_BUTTON (above)));
  else if (label != NULL)
    set_name (root, label);
  else if (tooltip != NULL && (GTK_IS_BUTTON (root) || GTK_IS_MENU_BUTTON (root) || GTK_IS_DROP_DOWN (root)))
    set_name (root, tooltip);
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL; child = gtk_widget_get_next_sibling (child))
    app_names_apply (child);
}

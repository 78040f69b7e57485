/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all pages share. */

#include "app-page.h"

typedef struct {
  AppDocument *document;
  gboolean     dirty;
  guint        update_id;
} AppPagePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (AppPage, app_page, ADW_TYPE_BIN)

static gboolean
update (gpointer data)
{
  AppPage *self = data;
  AppPagePrivate *priv = app_page_get_instance_private (self);

  priv->update_id = 0;
  if (!priv->dirty || !gtk_widget_get_mapped (GTK_WIDGET (self)) || priv->document == NULL)
    return G_SOURCE_REMOVE;
  priv->dirty = FALSE;
  APP_PAGE_GET_CLASS (self)->update (self);
  return G_SOURCE_REMOVE;
}

/* Several changes in a row cost one update. */
void
app_page_want_update (AppPage *self)
{
  AppPagePrivate *priv = app_page_get_instance_private (self);

  priv->dirty = TRUE;
  if (priv->update_id == 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    priv->update_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, update, self, NULL);
}

static void
app_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (app_page_parent_class)->map (widget);
  update (widget);
}

static void
app_page_dispose (GObject *object)
{
  AppPagePrivate *priv = app_page_get_instance_private (APP_PAGE (object));

  g_clear_handle_id (&priv->update_id, g_source_remove);
  if (priv->document != NULL)
    g_signal_handlers_disconnect_by_data (priv->document, object);
  g_clear_object (&priv->document);
  G_OBJECT_CLASS (app_page_parent_class)->dispose (object);
}

static void
app_page_class_init (AppPageClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = app_page_dispose;
  GTK_WIDGET_CLASS (klass)->map = app_page_map;
}

static void
app_page_init (AppPage *self)
{
}

AppDocument *
app_page_document (AppPage *self)
{
  AppPagePrivate *priv = app_page_get_instance_private (self);

  return priv->document;
}

/* Buttons side by side may have long words in other languages: they give way before the window must be wider than a telephone. */
static void
fit_buttons (GtkWidget *widget)
{
  GtkWidget *label = GTK_IS_BUTTON (widget) ? gtk_button_get_child (GTK_BUTTON (widget)) : NULL;

  if (label != NULL && GTK_IS_LABEL (label) && GTK_IS_BOX (gtk_widget_get_parent (widget)))
    gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    fit_buttons (child);
}

void
app_page_set_document (AppPage     *self,
                       AppDocument *document)
{
  AppPagePrivate *priv = app_page_get_instance_private (self);

  g_return_if_fail (priv->document == NULL);
  priv->document = g_object_ref (document);
  fit_buttons (GTK_WIDGET (self));
  g_signal_connect_swapped (document, "changed", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (document, "analysed", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (document, "live", G_CALLBACK (app_page_want_update), self);
  app_page_want_update (self);
}

void
app_page_set_narrow (AppPage  *self,
                     gboolean  narrow)
{
  if (APP_PAGE_GET_CLASS (self)->set_narrow != NULL)
    APP_PAGE_GET_CLASS (self)->set_narrow (self, narrow);
}

/* Every page's template has one of this name. */
void
app_page_set_sidebar (AppPage  *self,
                      gboolean  visible)
{
  gtk_widget_set_visible (GTK_WIDGET (gtk_widget_get_template_child (GTK_WIDGET (self), G_OBJECT_TYPE (self), "sidebar")), visible);
}

void
app_rows_clear (GtkListBox *list)
{
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child (GTK_WIDGET (list))) != NULL)
    gtk_list_box_remove (list, row);
}

#define MIN_VALUE_CHARS 9
#define MIN_TITLE_CHARS 10 /* beside a value of many lines a title would be broken into as many */

/* Numbers and signs alone read from left to right in every script; among letters of the other kind they would be turned round. */
static char *
keep_order (const char *value)
{
  gboolean letters = FALSE;

  for (const char *p = value; *p != '\0'; p = g_utf8_next_char (p))
    letters = letters || g_unichar_isalpha (g_utf8_get_char (p));
  if (!letters && gtk_widget_get_default_direction () == GTK_TEXT_DIR_RTL)
    return g_strdup_printf ("\u2066%s\u2069", value);
  return g_strdup (value);
}

/* Characters of the longest line. */
static int
longest_line (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  glong most = 0;

  for (char **line = lines; *line != NULL; line++)
    most = MAX (most, g_utf8_strlen (*line, -1));
  return (int) most;
}

GtkWidget *
app_rows_add (GtkListBox *list,
              const char *title,
              const char *value)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *name = gtk_label_new (title);
  g_autofree char *kept = keep_order (value);
  GtkWidget *says = gtk_label_new (kept);

  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_wrap (GTK_LABEL (name), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (name), PANGO_WRAP_WORD_CHAR);
  if (strchr (value, '\n') != NULL)
    gtk_label_set_width_chars (GTK_LABEL (name), MIN (longest_line (title), MIN_TITLE_CHARS));
  gtk_widget_set_valign (name, GTK_ALIGN_BASELINE);
  gtk_widget_add_css_class (name, "dim-label");
  gtk_label_set_xalign (GTK_LABEL (says), 1);
  gtk_label_set_justify (GTK_LABEL (says), GTK_JUSTIFY_RIGHT);
  gtk_label_set_wrap (GTK_LABEL (says), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (says), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_width_chars (GTK_LABEL (says), MIN (longest_line (value), MIN_VALUE_CHARS)); /* a number is not broken */
  gtk_label_set_selectable (GTK_LABEL (says), TRUE);
  gtk_widget_set_can_focus (says, FALSE);
  gtk_widget_set_hexpand (says, TRUE);
  gtk_widget_set_halign (says, GTK_ALIGN_END);
  gtk_widget_set_valign (says, GTK_ALIGN_BASELINE);
  gtk_widget_add_css_class (says, "numeric");
  gtk_widget_add_css_class (box, "fact");
  gtk_box_append (GTK_BOX (box), name);
  gtk_box_append (GTK_BOX (box), says);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  gtk_list_box_row_set_selectable (GTK_LIST_BOX_ROW (row), FALSE);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_RELATION_LABELLED_BY, name, says, NULL, -1);
  gtk_list_box_append (list, row);
  return row;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The help in a window of its own: it needs no other program, and is there in a sandbox too. */

#include "espalier-config.h"

#include "app-help.h"

#include "app-help-page.h"
#include "app-names.h"

#include <adwaita.h>
#include <glib/gi18n.h>

typedef struct {
  GtkWidget         *window, *back;
  AdwWindowTitle    *title;
  GtkScrolledWindow *scrolled;
  GQueue             trail; /* pages, the one shown at the end */
} Help;

static Help *help; /* while its window is open */

static void show_page (const char *id);

static gboolean
on_link (GtkLabel   *label,
         const char *target,
         gpointer    data)
{
  g_autofree char *id = g_strdup (target);

  g_queue_push_tail (&help->trail, g_strdup (id));
  show_page (id);
  return TRUE;
}

static GtkWidget *
block_label (const char *markup,
             gboolean    heading)
{
  GtkWidget *label = g_object_new (GTK_TYPE_LABEL, "accessible-role", heading ? GTK_ACCESSIBLE_ROLE_HEADING : GTK_ACCESSIBLE_ROLE_LABEL,
                                   "label", markup, "use-markup", TRUE, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR, "xalign", 0.0,
                                   "hexpand", TRUE, NULL);

  g_signal_connect (label, "activate-link", G_CALLBACK (on_link), NULL);
  return label;
}

/* A bullet or a number, and beside it the text. */
static GtkWidget *
item_widget (const AppHelpBlock *block)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  g_autofree char *mark = block->kind == APP_HELP_STEP ? g_strdup_printf ("%u.", block->number) : g_strdup ("•");
  GtkWidget *label = gtk_label_new (mark);

  gtk_widget_set_valign (label, GTK_ALIGN_START);
  gtk_widget_add_css_class (label, "numeric");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_label_set_width_chars (GTK_LABEL (label), 2);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), block_label (block->markup, FALSE));
  return box;
}

static GtkWidget *
block_widget (const AppHelpBlock *block)
{
  static const char *const classes[] = { "title-1", "title-3", NULL, NULL, NULL, "help-note" };
  GtkWidget *widget;

  if (block->kind == APP_HELP_STEP || block->kind == APP_HELP_BULLET)
    return item_widget (block);
  widget = block_label (block->markup, block->kind == APP_HELP_TITLE || block->kind == APP_HELP_HEADING);
  if (classes[block->kind] != NULL)
    gtk_widget_add_css_class (widget, classes[block->kind]);
  if (block->kind == APP_HELP_HEADING)
    gtk_widget_set_margin_top (widget, 12);
  return widget;
}

/* The first page lists all others. */
static void
append_topics (GtkBox *box)
{
  const char *const *ids = app_help_page_ids ();

  for (guint i = 0; ids[i] != NULL; i++)
    {
      g_autoptr (AppHelpPage) page = app_help_page_load (ids[i], NULL);
      g_autofree char *markup = NULL;

      if (page == NULL)
        continue;
      markup = g_strdup_printf ("<a href=\"%s\">%s</a>\n%s", ids[i], page->title, page->desc);
      gtk_box_append (box, block_label (markup, FALSE));
    }
}

static void
show_page (const char *id)
{
  GtkWidget *clamp = adw_clamp_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  g_autoptr (GError) error = NULL;
  g_autoptr (AppHelpPage) page = app_help_page_load (id, &error);

  if (page == NULL)
    gtk_box_append (GTK_BOX (box), gtk_label_new (error->message));
  for (guint i = 0; page != NULL && i < page->blocks->len; i++)
    gtk_box_append (GTK_BOX (box), block_widget (page->blocks->pdata[i]));
  if (g_str_equal (id, "index"))
    append_topics (GTK_BOX (box));
  gtk_widget_add_css_class (box, "help-page");
  adw_clamp_set_maximum_size (ADW_CLAMP (clamp), 640);
  adw_clamp_set_child (ADW_CLAMP (clamp), box);
  gtk_scrolled_window_set_child (help->scrolled, clamp);
  adw_window_title_set_subtitle (help->title, page != NULL && !g_str_equal (id, "index") ? page->title : "");
  gtk_widget_set_sensitive (help->back, g_queue_get_length (&help->trail) > 1);
}

static gboolean
on_back (GtkWidget *widget,
         GVariant  *arguments,
         gpointer   data)
{
  if (help == NULL || g_queue_get_length (&help->trail) < 2)
    return FALSE;
  g_free (g_queue_pop_tail (&help->trail));
  show_page (g_queue_peek_tail (&help->trail));
  return TRUE;
}

static void
on_back_clicked (void)
{
  on_back (NULL, NULL, NULL);
}

static void
on_contents (void)
{
  on_link (NULL, "index", NULL);
}

static void
on_destroyed (void)
{
  g_queue_clear_full (&help->trail, g_free);
  g_clear_pointer (&help, g_free);
}

static GtkWidget *
header_button (const char *icon,
               const char *tooltip,
               GCallback   clicked)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_set_tooltip_text (button, tooltip);
  g_signal_connect (button, "clicked", clicked, NULL);
  return button;
}

static void
add_keys (GtkWidget *window)
{
  GtkEventController *keys = gtk_shortcut_controller_new ();

  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys), gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("<Alt>Left|BackSpace"),
                                                                                         gtk_callback_action_new (on_back, NULL, NULL)));
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys), gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Escape|<Control>w"),
                                                                                         gtk_named_action_new ("window.close")));
  gtk_widget_add_controller (window, keys);
}

static void
make_window (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *bar = adw_header_bar_new (), *scrolled = gtk_scrolled_window_new ();

  help = g_new0 (Help, 1);
  help->window = adw_window_new ();
  help->title = ADW_WINDOW_TITLE (adw_window_title_new (_("Help"), NULL));
  help->back = header_button ("go-previous-symbolic", _("Back"), G_CALLBACK (on_back_clicked));
  help->scrolled = GTK_SCROLLED_WINDOW (scrolled);
  g_queue_init (&help->trail);
  adw_header_bar_set_title_widget (ADW_HEADER_BAR (bar), GTK_WIDGET (help->title));
  adw_header_bar_pack_start (ADW_HEADER_BAR (bar), help->back);
  adw_header_bar_pack_start (ADW_HEADER_BAR (bar), header_button ("view-list-symbolic", _("Contents"), G_CALLBACK (on_contents)));
  gtk_scrolled_window_set_policy (help->scrolled, GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_widget_set_vexpand (scrolled, TRUE);
  gtk_widget_set_focusable (scrolled, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (scrolled), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Help"), -1);
  gtk_box_append (GTK_BOX (box), bar);
  gtk_box_append (GTK_BOX (box), scrolled);
  adw_window_set_content (ADW_WINDOW (help->window), box);
  gtk_window_set_title (GTK_WINDOW (help->window), _("Help"));
  gtk_window_set_default_size (GTK_WINDOW (help->window), 620, 620);
  gtk_widget_set_size_request (help->window, 320, 300);
  app_names_apply (help->window);
  add_keys (help->window);
  g_signal_connect (help->window, "destroy", G_CALLBACK (on_destroyed), NULL);
}

void
app_help_present (GtkWindow  *parent,
                  const char *id)
{
  if (help == NULL)
    make_window ();
  if (parent != NULL)
    gtk_window_set_application (GTK_WINDOW (help->window), gtk_window_get_application (parent));
  if (g_queue_is_empty (&help->trail) || !g_str_equal (g_queue_peek_tail (&help->trail), id))
    g_queue_push_tail (&help->trail, g_strdup (id));
  show_page (id);
  gtk_window_present (GTK_WINDOW (help->window));
}

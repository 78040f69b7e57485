/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of parts, with what each has, and a search entry above it. */

#include "app-part-chooser.h"

#include "app-format.h"
#include "app-parts-dialog.h"

#include <glib/gi18n.h>
#include <string.h>

#define WIDTH 560
#define HEIGHT 640

typedef struct {
  AppDocument    *document;
  GtkWindow      *window;
  GtkListBox     *list;
  GtkSearchEntry *search;
  char          **words; /* (nullable): in lower case, all of which a part must have */
  guint           n_left;
} Chooser;

static void
chooser_free (gpointer data)
{
  Chooser *chooser = data;

  g_object_unref (chooser->document);
  g_strfreev (chooser->words);
  g_free (chooser);
}

static const NnPart *
part_of (GtkListBoxRow *row)
{
  return g_object_get_data (G_OBJECT (row), "part");
}

static gboolean
is_left (GtkListBoxRow *row,
         gpointer       data)
{
  const Chooser *chooser = data;
  const NnPart *part = part_of (row);
  g_autofree char *all = g_strdup_printf ("%s %s %s", part->name, part->title, nn_family_name (part->family));
  g_autofree char *text = g_utf8_strdown (all, -1);

  for (guint i = 0; chooser->words != NULL && chooser->words[i] != NULL; i++)
    if (strstr (text, chooser->words[i]) == NULL)
      return FALSE;
  return TRUE;
}

static void
on_search (Chooser *chooser)
{
  g_autofree char *text = g_utf8_strdown (gtk_editable_get_text (GTK_EDITABLE (chooser->search)), -1);

  g_strfreev (chooser->words);
  chooser->words = g_strsplit_set (text, " \t", -1);
  chooser->n_left = 0;
  for (GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (chooser->list)); row != NULL; row = gtk_widget_get_next_sibling (row))
    if (GTK_IS_LIST_BOX_ROW (row) && part_of (GTK_LIST_BOX_ROW (row)) != NULL && is_left (GTK_LIST_BOX_ROW (row), chooser))
      chooser->n_left++;
  gtk_list_box_invalidate_filter (chooser->list);
}

static void
take (Chooser      *chooser,
      const NnPart *part)
{
  const AppState *state = app_document_state (chooser->document);
  g_autoptr (NnConfig) config = nn_config_copy (state->config);
  AppState *next = app_state_copy (state, _("Part"));

  nn_config_set_part (config, part->name);
  app_state_set_config (next, config);
  app_document_push (chooser->document, next);
}

static void
on_row (GtkListBox    *list,
        GtkListBoxRow *row,
        Chooser       *chooser)
{
  if (part_of (row) != NULL && !app_document_is_optimising (chooser->document))
    take (chooser, part_of (row));
  gtk_window_close (chooser->window);
}

/* Enter in the entry takes the first that is left. */
static void
on_enter (Chooser *chooser)
{
  for (GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (chooser->list)); row != NULL; row = gtk_widget_get_next_sibling (row))
    if (GTK_IS_LIST_BOX_ROW (row) && part_of (GTK_LIST_BOX_ROW (row)) != NULL && is_left (GTK_LIST_BOX_ROW (row), chooser))
      {
        on_row (chooser->list, GTK_LIST_BOX_ROW (row), chooser);
        return;
      }
}

static void
add_part (Chooser      *chooser,
          const NnPart *part,
          gboolean      chosen)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *figures = app_parts_describe (part);
  g_autofree char *text = g_strdup_printf (nn_part_is_own (part) ? _("%s (your own)\n%s") : "%s\n%s", part->name, figures);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), part->title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data (G_OBJECT (row), "part", (gpointer) part);
  if (chosen)
    {
      GtkWidget *mark = gtk_image_new_from_icon_name ("object-select-symbolic");

      gtk_accessible_update_property (GTK_ACCESSIBLE (mark), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Chosen"), -1);
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), mark);
    }
  gtk_list_box_append (chooser->list, row);
  if (chosen)
    gtk_list_box_select_row (chooser->list, GTK_LIST_BOX_ROW (row));
}

static void
fill (Chooser *chooser)
{
  const char *name = nn_config_part (app_document_state (chooser->document)->config);
  const NnPart *now = name != NULL ? nn_part_find (name, NULL) : NULL;
  const NnPart *const *parts;
  guint n;

  parts = nn_parts (&n);
  for (guint i = 0; i < n; i++)
    add_part (chooser, parts[i], parts[i] == now);
  chooser->n_left = n;
}

static GtkWidget *
make_content (Chooser *chooser)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *header = adw_header_bar_new (), *scrolled = gtk_scrolled_window_new ();
  GtkWidget *clamp = adw_clamp_new (), *nothing = gtk_label_new (_("No part has these words. Your own parts are entered under Parts… of the main menu."));

  chooser->search = GTK_SEARCH_ENTRY (gtk_search_entry_new ());
  chooser->list = GTK_LIST_BOX (gtk_list_box_new ());
  g_object_set (chooser->search, "placeholder-text", _("Name, title or family"), NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (chooser->search), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Search parts"), -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (chooser->list), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Parts"), -1);
  gtk_widget_set_hexpand (GTK_WIDGET (chooser->search), TRUE);
  adw_header_bar_set_title_widget (ADW_HEADER_BAR (header), GTK_WIDGET (chooser->search));
  gtk_label_set_wrap (GTK_LABEL (nothing), TRUE);
  gtk_widget_add_css_class (nothing, "dim-label");
  gtk_widget_set_margin_top (nothing, 24);
  gtk_widget_set_margin_bottom (nothing, 24);
  gtk_list_box_set_placeholder (chooser->list, nothing);
  gtk_list_box_set_filter_func (chooser->list, is_left, chooser, NULL);
  gtk_widget_add_css_class (GTK_WIDGET (chooser->list), "boxed-list");
  gtk_widget_set_valign (GTK_WIDGET (chooser->list), GTK_ALIGN_START);
  gtk_widget_set_margin_top (clamp, 12);
  gtk_widget_set_margin_bottom (clamp, 12);
  gtk_widget_set_margin_start (clamp, 12);
  gtk_widget_set_margin_end (clamp, 12);
  adw_clamp_set_child (ADW_CLAMP (clamp), GTK_WIDGET (chooser->list));
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), clamp);
  gtk_widget_set_vexpand (scrolled, TRUE);
  gtk_box_append (GTK_BOX (box), header);
  gtk_box_append (GTK_BOX (box), scrolled);
  g_signal_connect_swapped (chooser->search, "search-changed", G_CALLBACK (on_search), chooser);
  g_signal_connect_swapped (chooser->search, "activate", G_CALLBACK (on_enter), chooser);
  g_signal_connect_swapped (chooser->search, "stop-search", G_CALLBACK (gtk_window_close), chooser->window);
  g_signal_connect (chooser->list, "row-activated", G_CALLBACK (on_row), chooser);
  return box;
}

guint
app_part_chooser_search (GtkWindow  *dialog,
                         const char *words)
{
  Chooser *chooser = g_object_get_data (G_OBJECT (dialog), "chooser");

  gtk_editable_set_text (GTK_EDITABLE (chooser->search), words);
  on_search (chooser);
  return chooser->n_left;
}

/**
 * app_part_chooser_present:
 *
 * Returns: (transfer none) (nullable): its window; %NULL where no network is open
 */
GtkWindow *
app_part_chooser_present (GtkWindow   *parent,
                          AppDocument *document)
{
  Chooser *chooser;

  if (app_document_state (document)->config == NULL)
    return NULL;
  chooser = g_new0 (Chooser, 1);
  chooser->document = g_object_ref (document);
  chooser->window = GTK_WINDOW (adw_window_new ());
  gtk_window_set_title (chooser->window, _("Choose a Part"));
  gtk_window_set_transient_for (chooser->window, parent);
  gtk_window_set_modal (chooser->window, TRUE);
  gtk_window_set_default_size (chooser->window, WIDTH, HEIGHT);
  adw_window_set_content (ADW_WINDOW (chooser->window), make_content (chooser));
  fill (chooser);
  gtk_search_entry_set_key_capture_widget (chooser->search, GTK_WIDGET (chooser->window));
  g_object_set_data_full (G_OBJECT (chooser->window), "chooser", chooser, chooser_free);
  gtk_window_set_focus (chooser->window, GTK_WIDGET (chooser->search));
  gtk_window_present (chooser->window);
  return chooser->window;
}

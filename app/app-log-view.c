/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log. A text view lays out what it is given in its own time; what must be bounded is how much it is given at once, and how
 * much it holds. */

#include "app-log-view.h"

#include "app-names.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_LINES 10000    /* shown at most */
#define FLUSH_MS 60
#define FLUSH_LINES 250    /* shown at a time: some two milliseconds of work */
#define HEIGHT 260

struct _AppLogView {
  GtkBox parent;

  /* owned */
  GQueue    pending; /* char *: lines that wait to be shown; a heading begins with HEADING */
  guint     flush_id;
  guint     n_lines;
  char     *path;

  /* children */
  GtkTextView     *view;
  GtkSearchEntry  *search;
  GtkToggleButton *follow;
  GtkWidget       *open;
};

#define HEADING '\001' /* a control that no line has: they are cleaned when they are read */

G_DEFINE_FINAL_TYPE (AppLogView, app_log_view, GTK_TYPE_BOX)

static GtkTextBuffer *
buffer_of (AppLogView *self)
{
  return gtk_text_view_get_buffer (self->view);
}

static void
scroll_to_end (AppLogView *self)
{
  GtkTextIter end;

  gtk_text_buffer_get_end_iter (buffer_of (self), &end);
  gtk_text_buffer_move_mark_by_name (buffer_of (self), "end", &end);
  gtk_text_view_scroll_to_mark (self->view, gtk_text_buffer_get_mark (buffer_of (self), "end"), 0, FALSE, 0, 1);
}

/* Lines that say that something failed are set in bold, as colour alone would not tell everyone. */
static const char *
tag_of (const char *line)
{
  if (*line == HEADING)
    return "heading";
  return strstr (line, "ERROR") != NULL || strstr (line, "Error:") != NULL || strstr (line, "FATAL") != NULL ? "error" : NULL;
}

static void
insert_line (AppLogView *self,
             const char *line)
{
  const char *tag = tag_of (line);
  GtkTextIter end;

  gtk_text_buffer_get_end_iter (buffer_of (self), &end);
  if (self->n_lines > 0)
    gtk_text_buffer_insert (buffer_of (self), &end, "\n", 1);
  gtk_text_buffer_insert_with_tags_by_name (buffer_of (self), &end, line + (*line == HEADING), -1, tag, NULL);
  self->n_lines++;
}

static void
drop_oldest (AppLogView *self)
{
  GtkTextIter start, until;

  if (self->n_lines <= MAX_LINES)
    return;
  gtk_text_buffer_get_start_iter (buffer_of (self), &start);
  gtk_text_buffer_get_iter_at_line (buffer_of (self), &until, self->n_lines - MAX_LINES);
  gtk_text_buffer_delete (buffer_of (self), &start, &until);
  self->n_lines = MAX_LINES;
}

static gboolean
flush (gpointer data)
{
  AppLogView *self = data;
  char *line;

  for (guint i = 0; i < FLUSH_LINES && (line = g_queue_pop_head (&self->pending)) != NULL; i++)
    {
      insert_line (self, line);
      g_free (line);
    }
  drop_oldest (self);
  if (gtk_toggle_button_get_active (self->follow))
    scroll_to_end (self);
  if (!g_queue_is_empty (&self->pending))
    return G_SOURCE_CONTINUE;
  self->flush_id = 0;
  return G_SOURCE_REMOVE;
}

static void
take_line (AppLogView *self,
           char       *line)
{
  g_queue_push_tail (&self->pending, line);
  if (g_queue_get_length (&self->pending) > MAX_LINES)
    g_free (g_queue_pop_head (&self->pending));
  if (self->flush_id == 0)
    self->flush_id = g_timeout_add (FLUSH_MS, flush, self);
}

void
app_log_view_append (AppLogView *self,
                     const char *line)
{
  take_line (self, g_strdup (line));
}

void
app_log_view_heading (AppLogView *self,
                      const char *title)
{
  take_line (self, g_strdup_printf ("%c%s", HEADING, title));
}

void
app_log_view_set_path (AppLogView *self,
                       const char *path)
{
  g_free (self->path);
  self->path = g_strdup (path);
  gtk_widget_set_sensitive (self->open, path != NULL);
}

gboolean
app_log_view_search (AppLogView *self,
                     const char *text,
                     gboolean    backward)
{
  GtkTextBuffer *buffer = buffer_of (self);
  GtkTextIter from, to, start, end;
  gboolean found;

  if (*text == '\0')
    return FALSE;
  gtk_text_buffer_get_selection_bounds (buffer, &from, &to);
  for (guint round = 0; round < 2; round++)
    {
      found = backward ? gtk_text_iter_backward_search (&from, text, GTK_TEXT_SEARCH_CASE_INSENSITIVE, &start, &end, NULL)
                       : gtk_text_iter_forward_search (&to, text, GTK_TEXT_SEARCH_CASE_INSENSITIVE, &start, &end, NULL);
      if (found)
        {
          gtk_toggle_button_set_active (self->follow, FALSE);
          gtk_text_buffer_select_range (buffer, &start, &end);
          gtk_text_view_scroll_to_iter (self->view, &start, 0.1, FALSE, 0, 0);
          return TRUE;
        }
      if (backward)
        gtk_text_buffer_get_end_iter (buffer, &from);
      else
        gtk_text_buffer_get_start_iter (buffer, &to);
    }
  return FALSE;
}

char *
app_log_view_dup_text (AppLogView *self)
{
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer_of (self), &start, &end);
  return gtk_text_buffer_get_text (buffer_of (self), &start, &end, FALSE);
}

/* What is typed, marked as wrong where it is not found. */
static void
search_on (AppLogView *self,
           gboolean    backward)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));

  if (*text == '\0' || app_log_view_search (self, text, backward))
    gtk_widget_remove_css_class (GTK_WIDGET (self->search), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->search), "error");
}

/* While one types the place that is found stays where it is as long as it fits. */
static void
on_search_changed (AppLogView *self)
{
  GtkTextIter start, end;

  if (gtk_text_buffer_get_selection_bounds (buffer_of (self), &start, &end))
    gtk_text_buffer_place_cursor (buffer_of (self), &start);
  search_on (self, FALSE);
}

static void
on_next (AppLogView *self)
{
  search_on (self, FALSE);
}

static void
on_previous (AppLogView *self)
{
  search_on (self, TRUE);
}

static void
on_follow (AppLogView *self)
{
  if (gtk_toggle_button_get_active (self->follow))
    scroll_to_end (self);
}

static void
on_wrap (GtkToggleButton *button,
         AppLogView      *self)
{
  gtk_text_view_set_wrap_mode (self->view, gtk_toggle_button_get_active (button) ? GTK_WRAP_WORD_CHAR : GTK_WRAP_NONE);
}

/* Who reads what came before does not want to be taken to the end. */
static gboolean
on_scroll (GtkEventControllerScroll *controller,
           double                    dx,
           double                    dy,
           AppLogView               *self)
{
  if (dy < 0)
    gtk_toggle_button_set_active (self->follow, FALSE);
  return FALSE;
}

static void
on_copy (AppLogView *self)
{
  GtkWidget *overlay = gtk_widget_get_ancestor (GTK_WIDGET (self), ADW_TYPE_TOAST_OVERLAY);
  g_autofree char *text = NULL;
  GtkTextIter start, end;

  if (gtk_text_buffer_get_selection_bounds (buffer_of (self), &start, &end))
    text = gtk_text_buffer_get_text (buffer_of (self), &start, &end, FALSE);
  else
    text = app_log_view_dup_text (self);
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text);
  if (overlay != NULL)
    adw_toast_overlay_add_toast (ADW_TOAST_OVERLAY (overlay), adw_toast_new (_("Log copied")));
}

static void
on_open (AppLogView *self)
{
  g_autofree char *uri = self->path != NULL ? g_filename_to_uri (self->path, NULL, NULL) : NULL;

  if (uri != NULL)
    gtk_show_uri (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), uri, GDK_CURRENT_TIME);
}

static void
app_log_view_dispose (GObject *object)
{
  g_clear_handle_id (&APP_LOG_VIEW (object)->flush_id, g_source_remove);
  G_OBJECT_CLASS (app_log_view_parent_class)->dispose (object);
}

static void
app_log_view_finalize (GObject *object)
{
  g_queue_clear_full (&APP_LOG_VIEW (object)->pending, g_free);
  g_free (APP_LOG_VIEW (object)->path);
  G_OBJECT_CLASS (app_log_view_parent_class)->finalize (object);
}

static void
app_log_view_class_init (AppLogViewClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = app_log_view_dispose;
  G_OBJECT_CLASS (klass)->finalize = app_log_view_finalize;
}

static GtkWidget *
add_button (GtkWidget  *box,
            GtkWidget  *button,
            const char *icon,
            const char *tooltip)
{
  gtk_button_set_icon_name (GTK_BUTTON (button), icon);
  gtk_widget_set_tooltip_text (button, tooltip);
  gtk_widget_add_css_class (button, "flat");
  gtk_box_append (GTK_BOX (box), button);
  return button;
}

static GtkWidget *
make_bar (AppLogView *self)
{
  GtkWidget *bar = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 2), *wrap;

  self->search = GTK_SEARCH_ENTRY (gtk_search_entry_new ());
  g_object_set (self->search, "placeholder-text", _("Search the log"), "hexpand", TRUE, NULL);
  gtk_editable_set_width_chars (GTK_EDITABLE (self->search), 6);
  g_signal_connect_swapped (self->search, "search-changed", G_CALLBACK (on_search_changed), self);
  g_signal_connect_swapped (self->search, "activate", G_CALLBACK (on_next), self);
  g_signal_connect_swapped (self->search, "next-match", G_CALLBACK (on_next), self);
  g_signal_connect_swapped (self->search, "previous-match", G_CALLBACK (on_previous), self);
  gtk_box_append (GTK_BOX (bar), GTK_WIDGET (self->search));
  g_signal_connect_swapped (add_button (bar, gtk_button_new (), "go-up-symbolic", _("Previous Match")), "clicked", G_CALLBACK (on_previous), self);
  g_signal_connect_swapped (add_button (bar, gtk_button_new (), "go-down-symbolic", _("Next Match")), "clicked", G_CALLBACK (on_next), self);
  self->follow = GTK_TOGGLE_BUTTON (add_button (bar, gtk_toggle_button_new (), "go-bottom-symbolic", _("Follow the Last Line")));
  gtk_toggle_button_set_active (self->follow, TRUE);
  g_signal_connect_swapped (self->follow, "toggled", G_CALLBACK (on_follow), self);
  wrap = add_button (bar, gtk_toggle_button_new (), "format-justify-left-symbolic", _("Wrap Long Lines"));
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (wrap), TRUE);
  g_signal_connect (wrap, "toggled", G_CALLBACK (on_wrap), self);
  g_signal_connect_swapped (add_button (bar, gtk_button_new (), "edit-copy-symbolic", _("Copy the Log, or What Is Selected of It")), "clicked",
                            G_CALLBACK (on_copy), self);
  self->open = add_button (bar, gtk_button_new (), "document-open-symbolic", _("Open the Whole Log"));
  gtk_widget_set_sensitive (self->open, FALSE);
  g_signal_connect_swapped (self->open, "clicked", G_CALLBACK (on_open), self);
  return bar;
}

static GtkWidget *
make_text (AppLogView *self)
{
  GtkWidget *scrolled = gtk_scrolled_window_new (), *view = gtk_text_view_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  GtkTextIter end;

  self->view = GTK_TEXT_VIEW (view);
  g_object_set (view, "editable", FALSE, "accepts-tab", FALSE, "monospace", TRUE, "wrap-mode", GTK_WRAP_WORD_CHAR, "left-margin", 8, "right-margin", 8,
                "top-margin", 8, "bottom-margin", 8, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Log of the tool"), -1);
  gtk_text_buffer_create_tag (buffer_of (self), "error", "weight", PANGO_WEIGHT_BOLD, NULL);
  gtk_text_buffer_create_tag (buffer_of (self), "heading", "weight", PANGO_WEIGHT_BOLD, "underline", PANGO_UNDERLINE_SINGLE, "pixels-above-lines", 6, NULL);
  gtk_text_buffer_get_end_iter (buffer_of (self), &end);
  gtk_text_buffer_create_mark (buffer_of (self), "end", &end, FALSE);
  gtk_event_controller_set_propagation_phase (scroll, GTK_PHASE_CAPTURE);
  g_signal_connect (scroll, "scroll", G_CALLBACK (on_scroll), self);
  gtk_widget_add_controller (scrolled, scroll);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), view);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scrolled), HEIGHT);
  gtk_widget_set_overflow (scrolled, GTK_OVERFLOW_HIDDEN); /* the card's corners are round */
  gtk_widget_add_css_class (scrolled, "card");
  return scrolled;
}

static void
app_log_view_init (AppLogView *self)
{
  GtkWidget *bar = make_bar (self);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 6);
  gtk_widget_set_margin_top (GTK_WIDGET (self), 6);
  gtk_box_append (GTK_BOX (self), bar);
  gtk_box_append (GTK_BOX (self), make_text (self));
  app_names_apply (GTK_WIDGET (self));
}

GtkWidget *
app_log_view_new (void)
{
  return g_object_new (APP_TYPE_LOG_VIEW, NULL);
}

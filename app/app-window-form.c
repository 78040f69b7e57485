/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of a window: what it leaves out, and puts elsewhere, as it gets narrower. */

#include "espalier-config.h"

#include "app-window-private.h"

#include "app-chart.h"
#include "app-figure.h"

#include <glib/gi18n.h>
#include <string.h>

/* The forms of a window: the pages are switched at the bottom, their columns stand below each other, history is in the
 * menu. A form is taken from this width on, if what it shows then fits. */
enum { FORM_WIDE, FORM_NARROW, FORM_COLUMN, FORM_SMALL, N_FORMS };
static const int form_from[N_FORMS] = { 1080, 760, 480, 0 };
#define LEAST_WIDTH 360 /* a telephone's */

G_STATIC_ASSERT (G_N_ELEMENTS (((AppWindow *) 0)->needs) == N_FORMS);

AppPage **
app_window_all_pages (AppWindow *self,
                      AppPage   *pages[7])
{
  pages[0] = self->network_page;
  pages[1] = self->weights_page;
  pages[2] = self->tradeoff_page;
  pages[3] = self->precision_page;
  pages[4] = self->hardware_page;
  pages[5] = self->data_page;
  pages[6] = NULL;
  return pages;
}

/* As wide as a telephone: the icon alone opens, and of the window's own buttons only the closing one is left. */
static void
set_small_header (AppWindow *self,
                  gboolean   small)
{
  g_autofree char *layout = NULL;
  g_autoptr (GString) kept = NULL;

  if (small == (adw_split_button_get_icon_name (self->open_button) != NULL))
    return;
  if (!small)
    {
      adw_header_bar_set_decoration_layout (self->header, NULL);
      adw_split_button_set_label (self->open_button, _("_Open"));
      return;
    }
  adw_split_button_set_icon_name (self->open_button, "document-open-symbolic");
  g_object_get (gtk_widget_get_settings (GTK_WIDGET (self)), "gtk-decoration-layout", &layout, NULL);
  kept = g_string_new (layout);
  g_string_replace (kept, "minimize", "", 0);
  g_string_replace (kept, "maximize", "", 0);
  adw_header_bar_set_decoration_layout (self->header, kept->str);
}

static void
set_figures (GtkWidget *widget,
             gboolean   small)
{
  if (APP_IS_FIGURE (widget))
    app_figure_set_narrow (APP_FIGURE (widget), small);
  else
    for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
      set_figures (child, small);
}

static void
set_form (AppWindow *self,
          guint      form)
{
  gboolean empty = app_document_is_empty (self->document);
  AppPage *pages[7];

  self->form = form;
  gtk_stack_set_visible_child (self->title_stack, form > FORM_WIDE || empty ? GTK_WIDGET (self->title) : GTK_WIDGET (self->switcher));
  adw_view_switcher_bar_set_reveal (self->switcher_bar, form > FORM_WIDE && !empty);
  gtk_widget_set_visible (GTK_WIDGET (self->history_button), form < FORM_COLUMN && !empty);
  gtk_widget_set_visible (GTK_WIDGET (self->undo_button), form < FORM_SMALL && !empty);
  gtk_widget_set_visible (GTK_WIDGET (self->redo_button), form < FORM_SMALL && !empty);
  gtk_widget_set_visible (GTK_WIDGET (self->optimise_button), !empty);
  set_small_header (self, form == FORM_SMALL);
  for (AppPage **page = app_window_all_pages (self, pages); *page != NULL; page++)
    {
      app_page_set_narrow (*page, form >= FORM_COLUMN);
      set_figures (GTK_WIDGET (*page), form == FORM_SMALL);
    }
}

/* Takes the widest form that fits. A form that once turned out too wide is not tried again before the window is as wide. */
void
app_window_fit (AppWindow *self)
{
  int width = gtk_widget_get_width (GTK_WIDGET (self->shrink));
  double scale = app_text_scale (GTK_WIDGET (self));

  if (scale != self->scale)
    memset (self->needs, 0, sizeof self->needs);
  self->scale = scale;
  for (guint form = 0; form < N_FORMS; form++)
    {
      if (form + 1 < N_FORMS && (width / MAX (1, scale) < form_from[form] || width < self->needs[form])) /* in columns of text, so to speak */
        continue;
      set_form (self, form);
      self->needs[form] = app_shrink_needs (self->shrink);
      if (self->needs[form] <= width)
        break;
    }
  app_shrink_set_least (self->shrink, self->form == FORM_SMALL ? -1 : LEAST_WIDTH);
}

static gboolean
fit_now (gpointer data)
{
  AppWindow *self = data;

  self->narrow_id = 0;
  app_window_fit (self);
  return G_SOURCE_REMOVE;
}

/* The same once the window has its size. */
void
app_window_fit_soon (AppWindow *self)
{
  if (self->narrow_id == 0)
    self->narrow_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, fit_now, self, NULL);
}

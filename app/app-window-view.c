/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a window is looked at: zoom, the pane at the side, figures brought up to date, what Escape puts away. */

#include "app-window-private.h"

#include "app-figure.h"

/* The first figure in sight that can be zoomed. */
static AppFigure *
zoomable_figure (GtkWidget *widget)
{
  AppFigure *found = NULL;

  if (!gtk_widget_get_mapped (widget))
    return NULL;
  if (APP_IS_FIGURE (widget))
    return app_figure_is_zoomable (APP_FIGURE (widget)) ? APP_FIGURE (widget) : NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL; child = gtk_widget_get_next_sibling (child))
    found = zoomable_figure (child);
  return found;
}

static void
action_zoom (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  AppFigure *figure = zoomable_figure (GTK_WIDGET (APP_WINDOW (widget)->pages));
  g_autofree char *name = g_strconcat ("figure", strchr (action, '.'), NULL);

  if (figure != NULL)
    gtk_widget_activate_action (GTK_WIDGET (figure), name, NULL);
}

static void
action_sidebar (GtkWidget  *widget,
                const char *action,
                GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);
  AppPage *pages[] = { self->network_page, self->weights_page, self->tradeoff_page, self->precision_page, self->hardware_page, self->data_page };

  self->no_sidebar = !self->no_sidebar;
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    app_page_set_sidebar (pages[i], !self->no_sidebar);
}

/* Parts and calibrations may have changed outside. */
static void
action_refresh (GtkWidget  *widget,
                const char *action,
                GVariant   *parameter)
{
  app_document_reanalyse (APP_WINDOW (widget)->document);
}

/* What lies above the pages goes, the last first. */
static void
action_put_away (GtkWidget  *widget,
                 const char *action,
                 GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  if (gtk_revealer_get_reveal_child (self->banner))
    gtk_revealer_set_reveal_child (self->banner, FALSE);
  else
    app_intro_end (self->intro);
}

void
app_window_install_view_actions (GtkWidgetClass *widget_class)
{
  gtk_widget_class_install_action (widget_class, "win.zoom-in", NULL, action_zoom);
  gtk_widget_class_install_action (widget_class, "win.zoom-out", NULL, action_zoom);
  gtk_widget_class_install_action (widget_class, "win.zoom-fit", NULL, action_zoom);
  gtk_widget_class_install_action (widget_class, "win.sidebar", NULL, action_sidebar);
  gtk_widget_class_install_action (widget_class, "win.refresh", NULL, action_refresh);
  gtk_widget_class_install_action (widget_class, "win.put-away", NULL, action_put_away);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "win.put-away", NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart with its title, its zoom, its table and its ways out. */

#include "app-figure.h"

#include "app-dialogs.h"
#include "app-methods.h"
#include "pages/app-page.h"

#include <glib/gi18n.h>

/* A row of a table as a list item. */
#define APP_TYPE_TABLE_ROW (app_table_row_get_type ())
G_DECLARE_FINAL_TYPE (AppTableRow, app_table_row, APP, TABLE_ROW, GObject)

struct _AppTableRow {
  GObject parent;
  GStrv   cells;
  gint64  id;
};

G_DEFINE_FINAL_TYPE (AppTableRow, app_table_row, G_TYPE_OBJECT)

static void
app_table_row_finalize (GObject *object)
{
  g_strfreev (APP_TABLE_ROW (object)->cells);
  G_OBJECT_CLASS (app_table_row_parent_class)->finalize (object);
}

static void
app_table_row_class_init (AppTableRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = app_table_row_finalize;
}

static void
app_table_row_init (AppTableRow *self)
{
}

#define TOOLS_BESIDE_TITLE 230 /* pixels that leave a title some room where a window is as wide as a telephone */

struct _AppFigure {
  AdwBin parent;

  /* template children */
  GtkLabel      *title_label, *subtitle_label;
  GtkBox        *bar, *tools, *controls, *zoom_box;
  GtkScrolledWindow *below;
  GtkStack      *stack;
  GtkWidget     *table_view;
  GtkColumnView *columns;
  AppChart      *chart;
  GtkMenuButton *menu_button;
};

static void app_figure_buildable_init (GtkBuildableIface *iface);
G_DEFINE_FINAL_TYPE_WITH_CODE (AppFigure, app_figure, ADW_TYPE_BIN, G_IMPLEMENT_INTERFACE (GTK_TYPE_BUILDABLE, app_figure_buildable_init))

static GtkBuildableIface *parent_buildable;

/* Children written into a figure in XML are its controls. */
static void
add_child (GtkBuildable *buildable,
           GtkBuilder   *builder,
           GObject      *child,
           const char   *type)
{
  AppFigure *self = APP_FIGURE (buildable);

  if (type != NULL && g_str_equal (type, "control"))
    gtk_box_append (self->controls, GTK_WIDGET (child));
  else
    parent_buildable->add_child (buildable, builder, child, type);
}

static void
app_figure_buildable_init (GtkBuildableIface *iface)
{
  parent_buildable = g_type_interface_peek_parent (iface);
  iface->add_child = add_child;
}

enum { PROP_TITLE = 1, PROP_ZOOMABLE, N_PROPS };

static void
app_figure_set_property (GObject      *object,
                         guint         id,
                         const GValue *value,
                         GParamSpec   *pspec)
{
  if (id == PROP_TITLE)
    app_figure_set_title (APP_FIGURE (object), g_value_get_string (value));
  else if (id == PROP_ZOOMABLE)
    app_figure_set_zoomable (APP_FIGURE (object), g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
on_setup (GtkSignalListItemFactory *factory,
          GtkListItem              *item,
          gpointer                  data)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_selectable (GTK_LABEL (label), FALSE);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_list_item_set_child (item, label);
}

static void
on_bind (GtkSignalListItemFactory *factory,
         GtkListItem              *item,
         gpointer                  column)
{
  AppTableRow *row = gtk_list_item_get_item (item);
  guint k = GPOINTER_TO_UINT (column);

  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)), k < g_strv_length (row->cells) ? row->cells[k] : "");
}

static void
add_column (AppFigure  *self,
            guint       k,
            const char *title)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkColumnViewColumn) column = NULL;

  g_signal_connect (factory, "setup", G_CALLBACK (on_setup), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (on_bind), GUINT_TO_POINTER (k));
  column = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_resizable (column, TRUE);
  gtk_column_view_column_set_expand (column, TRUE);
  gtk_column_view_append_column (self->columns, column);
}

static void
fill_table (AppFigure *self)
{
  g_autoptr (AppTable) table = app_chart_dup_table (self->chart);
  g_autoptr (GListStore) store = g_list_store_new (APP_TYPE_TABLE_ROW);
  GListModel *columns = gtk_column_view_get_columns (self->columns);
  GtkSingleSelection *selection;

  while (g_list_model_get_n_items (columns) > 0)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, 0);

      gtk_column_view_remove_column (self->columns, column);
    }
  for (guint k = 0; table != NULL && k < table->columns->len; k++)
    add_column (self, k, g_ptr_array_index (table->columns, k));
  for (guint i = 0; table != NULL && i < table->rows->len; i++)
    {
      g_autoptr (AppTableRow) row = g_object_new (APP_TYPE_TABLE_ROW, NULL);

      row->cells = g_strdupv (g_ptr_array_index (table->rows, i));
      row->id = g_array_index (table->ids, gint64, i);
      g_list_store_append (store, row);
    }
  selection = gtk_single_selection_new (G_LIST_MODEL (g_steal_pointer (&store)));
  gtk_single_selection_set_autoselect (selection, FALSE);
  gtk_column_view_set_model (self->columns, GTK_SELECTION_MODEL (selection));
  g_object_unref (selection);
}

/* A row of the table stands for a mark: choosing it is choosing the mark. */
static void
on_activate (GtkColumnView *view,
             guint          position,
             AppFigure     *self)
{
  g_autoptr (AppTableRow) row = g_list_model_get_item (G_LIST_MODEL (gtk_column_view_get_model (view)), position);

  if (row != NULL && row->id >= 0)
    g_signal_emit_by_name (self->chart, "picked", row->id);
}

gboolean
app_figure_shows_table (AppFigure *self)
{
  return gtk_stack_get_visible_child (self->stack) == self->table_view;
}

void
app_figure_show_table (AppFigure *self,
                       gboolean   table)
{
  if (table)
    fill_table (self);
  gtk_stack_set_visible_child (self->stack, table ? self->table_view : GTK_WIDGET (self->chart));
}

static void
toggle_table (GtkWidget  *widget,
              const char *action,
              GVariant   *parameter)
{
  AppFigure *self = APP_FIGURE (widget);
  gboolean table = !app_figure_shows_table (self);

  app_figure_show_table (self, table);
  gtk_widget_grab_focus (table ? GTK_WIDGET (self->columns) : GTK_WIDGET (self->chart));
}

static void
copy (GtkWidget  *widget,
      const char *action,
      GVariant   *parameter)
{
  gboolean table = app_figure_shows_table (APP_FIGURE (widget));

  app_chart_copy (APP_FIGURE (widget)->chart, !table);
  gtk_widget_activate_action (widget, "win.say", "s", table ? _("Table copied") : _("Figure copied"));
}

void
app_figure_export_to (AppFigure  *self,
                      const char *path)
{
  GtkWidget *page = gtk_widget_get_ancestor (GTK_WIDGET (self), APP_TYPE_PAGE);
  g_autofree char *comment = page != NULL ? app_methods_comment (app_page_document (APP_PAGE (page))) : NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  app_chart_set_comment (self->chart, comment);
  ok = app_chart_export (self->chart, path, FALSE, &error);
  gtk_widget_activate_action (GTK_WIDGET (self), ok ? "win.say" : "win.complain", "s", ok ? _("Figure exported") : error->message);
}

static void
on_export_path (const char *path,
                gpointer    object)
{
  app_figure_export_to (APP_FIGURE (object), path);
}

static void
export (GtkWidget  *widget,
        const char *action,
        GVariant   *parameter)
{
  AppFigure *self = APP_FIGURE (widget);
  g_autofree char *stem = g_strdelimit (g_strdup (app_chart_name (self->chart)), "/\\:", '-');
  g_autofree char *name = g_strconcat (stem, ".svg", NULL);
  const char *patterns[] = { _("Pictures and tables|*.svg;*.pdf;*.png;*.csv"), NULL };

  app_ask_save (widget, _("Export Figure"), name, patterns, on_export_path, self);
}

static void
zoom (GtkWidget  *widget,
      const char *action,
      GVariant   *parameter)
{
  double factor = g_str_has_suffix (action, "in") ? 1.25 : g_str_has_suffix (action, "out") ? 0.8 : 0;

  app_chart_zoom (APP_FIGURE (widget)->chart, factor);
}

static void
app_figure_dispose (GObject *object)
{
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_FIGURE);
  G_OBJECT_CLASS (app_figure_parent_class)->dispose (object);
}

static void
app_figure_class_init (AppFigureClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = app_figure_set_property;
  object_class->dispose = app_figure_dispose;
  g_object_class_install_property (object_class, PROP_TITLE,
                                   g_param_spec_string ("title", NULL, NULL, NULL, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object_class, PROP_ZOOMABLE,
                                   g_param_spec_boolean ("zoomable", NULL, NULL, FALSE, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  g_type_ensure (APP_TYPE_CHART);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-figure.ui");
  gtk_widget_class_bind_template_child (widget_class, AppFigure, title_label);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, subtitle_label);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, bar);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, tools);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, below);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, controls);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, zoom_box);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, stack);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, table_view);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, columns);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, chart);
  gtk_widget_class_bind_template_child (widget_class, AppFigure, menu_button);
  gtk_widget_class_install_action (widget_class, "figure.copy", NULL, copy);
  gtk_widget_class_install_action (widget_class, "figure.export", NULL, export);
  gtk_widget_class_install_action (widget_class, "figure.table", NULL, toggle_table);
  gtk_widget_class_install_action (widget_class, "figure.zoom-in", NULL, zoom);
  gtk_widget_class_install_action (widget_class, "figure.zoom-out", NULL, zoom);
  gtk_widget_class_install_action (widget_class, "figure.zoom-fit", NULL, zoom);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_c, GDK_CONTROL_MASK, "figure.copy", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_e, GDK_CONTROL_MASK | GDK_SHIFT_MASK, "figure.export", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F4, 0, "figure.table", NULL);
}

static void
app_figure_init (AppFigure *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self->columns, "activate", G_CALLBACK (on_activate), self);
}

AppChart *
app_figure_chart (AppFigure *self)
{
  return self->chart;
}

void
app_figure_set_source (AppFigure            *self,
                       const AppChartSource *source,
                       gpointer              data,
                       GDestroyNotify        destroy)
{
  app_chart_set_source (self->chart, source, data, destroy);
  if (app_figure_shows_table (self))
    fill_table (self);
}

void
app_figure_set_title (AppFigure  *self,
                      const char *title)
{
  gtk_label_set_text (self->title_label, title);
  app_chart_set_name (self->chart, title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->columns), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
}

void
app_figure_set_subtitle (AppFigure  *self,
                         const char *subtitle)
{
  gtk_label_set_text (self->subtitle_label, subtitle != NULL ? subtitle : "");
  gtk_widget_set_visible (GTK_WIDGET (self->subtitle_label), subtitle != NULL && *subtitle != '\0');
}

void
app_figure_set_zoomable (AppFigure *self,
                         gboolean   zoomable)
{
  app_chart_set_zoomable (self->chart, zoomable);
  gtk_widget_set_visible (GTK_WIDGET (self->zoom_box), zoomable);
}

void
app_figure_set_narrow (AppFigure *self,
                       gboolean   narrow)
{
  GtkWidget *tools = GTK_WIDGET (self->tools), *controls = GTK_WIDGET (self->controls);
  int needs, zoom;

  gtk_widget_measure (controls, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &needs, NULL, NULL);
  gtk_widget_measure (GTK_WIDGET (self->zoom_box), GTK_ORIENTATION_HORIZONTAL, -1, NULL, &zoom, NULL, NULL);
  narrow = narrow && needs + zoom > TOOLS_BESIDE_TITLE;
  if (narrow == gtk_widget_get_visible (GTK_WIDGET (self->below)))
    return;
  g_object_ref (controls);
  /* the page's own controls go below the title; what every figure has stays beside it */
  if (narrow)
    {
      gtk_box_remove (GTK_BOX (tools), controls);
      gtk_scrolled_window_set_child (self->below, controls);
    }
  else
    {
      gtk_scrolled_window_set_child (self->below, NULL);
      gtk_box_prepend (GTK_BOX (tools), controls);
    }
  g_object_unref (controls);
  gtk_widget_set_visible (GTK_WIDGET (self->below), narrow);
}

gboolean
app_figure_is_zoomable (AppFigure *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self->zoom_box));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A widget that shows a scene. */

#include "app-chart.h"

#include "app-chart-private.h"
#include "paint-scene.h"

#include <adwaita.h>

#define USUAL_TEXT 13.2 /* pixels */

enum { SIGNAL_PICKED, SIGNAL_CURSOR, SIGNAL_MOTION, N_SIGNALS };
static guint signals[N_SIGNALS];
static AppRamp shared_ramp = APP_RAMP_CIVIDIS;

G_DEFINE_FINAL_TYPE (AppChart, app_chart, GTK_TYPE_WIDGET)

/* How large the user wants text, 1 for the platform's usual 11 points at 96 dots an inch. */
double
app_text_scale (GtkWidget *widget)
{
  PangoContext *context = gtk_widget_get_pango_context (widget);
  const PangoFontDescription *font = pango_context_get_font_description (context);
  double size = pango_font_description_get_size (font) / (double) PANGO_SCALE;
  double dpi = pango_cairo_context_get_resolution (context);

  if (!pango_font_description_get_size_is_absolute (font))
    size *= (dpi > 0 ? dpi : 96) / 72.0;
  return CLAMP (size / (11 * 96 / 72.0), 0.5, 4);
}

static double
text_size (AppChart *chart)
{
  return CLAMP (app_text_scale (GTK_WIDGET (chart)) * USUAL_TEXT, 9, 40);
}

static AppPalette
palette_now (AppChart *chart)
{
  AdwStyleManager *manager = adw_style_manager_get_default ();

  return (AppPalette) { .dark = adw_style_manager_get_dark (manager), .high_contrast = adw_style_manager_get_high_contrast (manager),
                        .ramp = shared_ramp };
}

static AppView
view_now (AppChart *self)
{
  AppView view = { .width = gtk_widget_get_width (GTK_WIDGET (self)), .height = gtk_widget_get_height (GTK_WIDGET (self)),
                   .text = text_size (self), .zoom = self->zoom, .x = self->x, .y = self->y,
                   .rtl = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL };

  return view;
}

const AppScene *
app_chart_scene (AppChart *self)
{
  AppView view = view_now (self);

  if (self->source == NULL || view.width < 2 || view.height < 2)
    return NULL;
  if (self->scene == NULL)
    self->scene = self->source->layout (self->data, &view);
  return self->scene;
}

void
app_chart_drop_drawing (AppChart *self)
{
  g_clear_pointer (&self->scene, app_scene_free);
  g_clear_pointer (&self->node, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
drop_colours (AppChart *self)
{
  g_clear_pointer (&self->node, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static char *
tip_of (AppChart *self,
        gint64    id)
{
  const AppScene *scene = app_chart_scene (self);
  const AppMark *mark;

  if (id < 0 || scene == NULL)
    return NULL;
  if (self->source->tip != NULL)
    return self->source->tip (self->data, id);
  mark = app_scene_find (scene, id);
  return mark != NULL ? g_strdup (mark->tip) : NULL;
}

/* Tells the screen reader where the cursor is. */
static void
describe (AppChart *self)
{
  g_autofree char *tip = tip_of (self, self->cursor);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, tip != NULL ? tip : "", -1);
}

void
app_chart_set_cursor (AppChart *self,
                      gint64    id,
                      gboolean  by_key)
{
  if (self->cursor == id)
    return;
  self->cursor = id;
  self->cursor_by_key = by_key;
  describe (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (!by_key)
    gtk_widget_trigger_tooltip_query (GTK_WIDGET (self));
  g_signal_emit (self, signals[SIGNAL_CURSOR], 0, id);
}

static gboolean
on_tooltip (GtkWidget  *widget,
            int         x,
            int         y,
            gboolean    keyboard,
            GtkTooltip *tooltip)
{
  AppChart *self = APP_CHART (widget);
  const AppScene *scene = app_chart_scene (self);
  gint64 id = keyboard ? self->cursor : scene != NULL ? app_scene_pick (scene, x, y) : -1;
  g_autofree char *tip = tip_of (self, id);

  if (tip == NULL || *tip == '\0')
    return FALSE;
  gtk_tooltip_set_text (tooltip, tip);
  return TRUE;
}

/* The same in a bubble of the chart's own, where the cursor is moved by keys. */
static void
snapshot_key_tip (AppChart    *self,
                  GtkSnapshot *snapshot)
{
  double x, y, w, h;
  g_autofree char *tip = tip_of (self, self->cursor);
  g_autoptr (PangoLayout) layout = NULL;
  AppPalette palette = palette_now (self);
  int tw, th;
  cairo_t *cr;

  if (tip == NULL || !app_scene_locate (self->scene, self->cursor, &x, &y, &w, &h))
    return;
  layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), tip);
  pango_layout_get_pixel_size (layout, &tw, &th);
  x = CLAMP (x + w / 2 - tw / 2.0, 8, MAX (8, gtk_widget_get_width (GTK_WIDGET (self)) - tw - 20));
  y = y + h + th + 26 < gtk_widget_get_height (GTK_WIDGET (self)) ? y + h + 10 : MAX (4, y - th - 22);
  cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (x - 2, y - 2, tw + 24, th + 18));
  paint_source (cr, palette.dark ? (AppColour) { 0.05f, 0.05f, 0.05f, 0.95f } : (AppColour) { 0.12f, 0.12f, 0.12f, 0.93f });
  cairo_rectangle (cr, x, y, tw + 20, th + 14);
  cairo_fill (cr);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_move_to (cr, x + 10, y + 7);
  pango_cairo_show_layout (cr, layout);
  cairo_destroy (cr);
}

static void
app_chart_snapshot (GtkWidget   *widget,
                    GtkSnapshot *snapshot)
{
  AppChart *self = APP_CHART (widget);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget));
  const AppScene *scene = app_chart_scene (self);
  AppPalette palette = palette_now (self);
  cairo_t *cr;

  if (scene == NULL)
    return;
  if (self->node == NULL)
    {
      self->node = gsk_cairo_node_new (&bounds);
      cr = gsk_cairo_node_get_draw_context (self->node);
      paint_scene (scene, &palette, cr);
      cairo_destroy (cr);
    }
  gtk_snapshot_push_clip (snapshot, &bounds);
  gtk_snapshot_append_node (snapshot, self->node);
  if (self->selected >= 0 || self->cursor >= 0)
    {
      cr = gtk_snapshot_append_cairo (snapshot, &bounds);
      paint_highlight (scene, &palette, self->selected, TRUE, cr);
      if (self->cursor != self->selected)
        paint_highlight (scene, &palette, self->cursor, FALSE, cr);
      cairo_destroy (cr);
    }
  if (self->cursor_by_key && gtk_widget_has_visible_focus (widget))
    snapshot_key_tip (self, snapshot);
  gtk_snapshot_pop (snapshot);
}

static void
app_chart_size_allocate (GtkWidget *widget,
                         int        width,
                         int        height,
                         int        baseline)
{
  app_chart_drop_drawing (APP_CHART (widget));
}

static void
app_chart_measure (GtkWidget      *widget,
                   GtkOrientation  orientation,
                   int             for_size,
                   int            *minimum,
                   int            *natural,
                   int            *minimum_baseline,
                   int            *natural_baseline)
{
  AppChart *self = APP_CHART (widget);
  int height = self->natural_height * MAX (1, app_text_scale (widget)); /* rows grow with their text */

  self->text = app_text_scale (widget);
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : MAX (100, height);
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 340 : MAX (*minimum, height > 0 ? 0 : 280);
}

static void
app_chart_css_changed (GtkWidget         *widget,
                       GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (app_chart_parent_class)->css_changed (widget, change);
  if (APP_CHART (widget)->text != app_text_scale (widget))
    gtk_widget_queue_resize (widget);
  app_chart_drop_drawing (APP_CHART (widget));
}

static void
app_chart_direction_changed (GtkWidget        *widget,
                             GtkTextDirection  previous)
{
  GTK_WIDGET_CLASS (app_chart_parent_class)->direction_changed (widget, previous);
  app_chart_drop_drawing (APP_CHART (widget));
}

static void
app_chart_dispose (GObject *object)
{
  AppChart *self = APP_CHART (object);

  app_chart_set_source (self, NULL, NULL, NULL);
  G_OBJECT_CLASS (app_chart_parent_class)->dispose (object);
}

static void
app_chart_finalize (GObject *object)
{
  g_free (APP_CHART (object)->name);
  g_free (APP_CHART (object)->comment);
  G_OBJECT_CLASS (app_chart_parent_class)->finalize (object);
}

static void
app_chart_class_init (AppChartClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_chart_dispose;
  G_OBJECT_CLASS (klass)->finalize = app_chart_finalize;
  widget_class->snapshot = app_chart_snapshot;
  widget_class->size_allocate = app_chart_size_allocate;
  widget_class->measure = app_chart_measure;
  widget_class->css_changed = app_chart_css_changed;
  widget_class->direction_changed = app_chart_direction_changed;
  widget_class->query_tooltip = on_tooltip;
  gtk_widget_class_set_css_name (widget_class, "chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);

  /* Emitted when a mark was clicked, or chosen by Return; -1 for none. */
  signals[SIGNAL_PICKED] = g_signal_new ("picked", APP_TYPE_CHART, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
  /* Emitted when the pointer or the arrow keys came to another mark. */
  signals[SIGNAL_CURSOR] = g_signal_new ("cursor", APP_TYPE_CHART, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
  signals[SIGNAL_MOTION] = g_signal_new ("motion", APP_TYPE_CHART, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_DOUBLE,
                                         G_TYPE_DOUBLE);
}

static void
app_chart_init (AppChart *self)
{
  AdwStyleManager *manager = adw_style_manager_get_default ();

  self->selected = self->cursor = -1;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  app_chart_add_controllers (self);
  g_signal_connect_object (manager, "notify::dark", G_CALLBACK (drop_colours), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (manager, "notify::high-contrast", G_CALLBACK (drop_colours), self, G_CONNECT_SWAPPED);
}

GtkWidget *
app_chart_new (void)
{
  return g_object_new (APP_TYPE_CHART, NULL);
}

void
app_chart_set_source (AppChart             *self,
                      const AppChartSource *source,
                      gpointer              data,
                      GDestroyNotify        destroy)
{
  if (self->destroy != NULL)
    self->destroy (self->data);
  self->source = source;
  self->data = data;
  self->destroy = data != NULL ? destroy : NULL;
  self->cursor = -1;
  app_chart_drop_drawing (self);
}

gconstpointer
app_chart_data (AppChart *self)
{
  return self->data;
}

void
app_chart_set_zoomable (AppChart *self,
                        gboolean  zoomable)
{
  self->zoomable = zoomable;
}

void
app_chart_set_selected (AppChart *self,
                        gint64    id)
{
  if (self->selected == id)
    return;
  self->selected = id;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

gint64
app_chart_selected (AppChart *self)
{
  return self->selected;
}

gint64
app_chart_cursor (AppChart *self)
{
  return self->cursor;
}

void
app_chart_set_name (AppChart   *self,
                    const char *name)
{
  g_free (self->name);
  self->name = g_strdup (name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

void
app_chart_set_comment (AppChart   *self,
                       const char *comment)
{
  g_free (self->comment);
  self->comment = g_strdup (comment);
}

const char *
app_chart_name (AppChart *self)
{
  return self->name;
}

AppTable *
app_chart_dup_table (AppChart *self)
{
  return self->source != NULL && self->source->table != NULL ? self->source->table (self->data) : NULL;
}

void
app_chart_set_natural_height (AppChart *self,
                              int       height)
{
  if (self->natural_height == height)
    return;
  self->natural_height = height;
  gtk_widget_set_vexpand (GTK_WIDGET (self), height <= 0);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
app_chart_set_ramp (AppRamp ramp)
{
  shared_ramp = ramp;
}

AppRamp
app_chart_ramp (void)
{
  return shared_ramp;
}

gboolean
app_chart_view_at (AppChart *self,
                   AppView  *view)
{
  *view = view_now (self);
  return view->width > 1 && view->height > 1;
}

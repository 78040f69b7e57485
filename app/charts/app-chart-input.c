/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart under the pointer, the fingers and the keys: which mark the cursor is at, which is picked, what is seen. */

#include "app-chart-private.h"

#include <math.h>

static void
on_motion (GtkEventControllerMotion *controller,
           double                    x,
           double                    y,
           AppChart                 *self)
{
  const AppScene *scene = app_chart_scene (self);

  if (scene == NULL || (self->dragging))
    return;
  app_chart_set_cursor (self, app_scene_pick (scene, x, y), FALSE);
  g_signal_emit_by_name (self, "motion", x, y);
}

static void
on_leave (GtkEventControllerMotion *controller,
          AppChart                 *self)
{
  if (!self->cursor_by_key)
    app_chart_set_cursor (self, -1, FALSE);
  g_signal_emit_by_name (self, "motion", -1.0, -1.0);
}

static void
on_click (GtkGestureClick *gesture,
          int              n_press,
          double           x,
          double           y,
          AppChart        *self)
{
  const AppScene *scene = app_chart_scene (self);
  gint64 id = scene != NULL ? app_scene_pick (scene, x, y) : -1;

  gtk_widget_grab_focus (GTK_WIDGET (self));
  app_chart_set_cursor (self, id, FALSE);
  g_signal_emit_by_name (self, "picked", id);
}

static gboolean
on_scroll (GtkEventControllerScroll *controller,
           double                    dx,
           double                    dy,
           AppChart                 *self)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (controller));

  if (!self->zoomable)
    return GDK_EVENT_PROPAGATE;
  if (state & GDK_CONTROL_MASK)
    app_chart_zoom_at (self, pow (1.15, -dy), self->pointer_x, self->pointer_y);
  else if (state & GDK_SHIFT_MASK)
    app_chart_pan (self, -dy * 48, -dx * 48);
  else
    app_chart_pan (self, -dx * 48, -dy * 48);
  return GDK_EVENT_STOP;
}

static void
on_pointer (GtkEventControllerMotion *controller,
            double                    x,
            double                    y,
            AppChart                 *self)
{
  self->pointer_x = x;
  self->pointer_y = y;
}

static void
on_pinch (GtkGestureZoom *gesture,
          double          scale,
          AppChart       *self)
{
  double x, y;

  if (!gtk_gesture_get_bounding_box_center (GTK_GESTURE (gesture), &x, &y))
    return;
  app_chart_zoom_at (self, scale / self->pinch, x, y);
  self->pinch = scale;
}

static void
on_pinch_begin (GtkGesture       *gesture,
                GdkEventSequence *sequence,
                AppChart         *self)
{
  self->pinch = 1;
}

static void
on_drag_begin (GtkGestureDrag *gesture,
               double          x,
               double          y,
               AppChart       *self)
{
  self->drag_x = self->drag_y = 0;
}

static void
on_drag_update (GtkGestureDrag *gesture,
                double          dx,
                double          dy,
                AppChart       *self)
{
  if (!self->zoomable || (!self->dragging && hypot (dx, dy) < 6))
    return;
  self->dragging = TRUE;
  app_chart_pan (self, dx - self->drag_x, dy - self->drag_y);
  self->drag_x = dx;
  self->drag_y = dy;
}

static void
on_drag_end (GtkGestureDrag *gesture,
             double          dx,
             double          dy,
             AppChart       *self)
{
  self->dragging = FALSE;
}

static gboolean
walk (AppChart *self,
      int       dx,
      int       dy)
{
  const AppScene *scene = app_chart_scene (self);
  gint64 from = self->cursor >= 0 ? self->cursor : self->selected, to;

  if (scene == NULL)
    return FALSE;
  to = app_scene_neighbour (scene, from, dx, dy);
  if (to < 0)
    return from >= 0; /* at the border: stay, do not leave the chart */
  app_chart_set_cursor (self, to, TRUE);
  app_chart_reveal (self, to);
  return TRUE;
}

static gboolean
on_key (GtkEventControllerKey *controller,
        guint                  keyval,
        guint                  keycode,
        GdkModifierType        state,
        AppChart              *self)
{
  gboolean rtl = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;

  if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))
    return GDK_EVENT_PROPAGATE;
  switch (keyval)
    {
    case GDK_KEY_Left: return walk (self, rtl ? 1 : -1, 0);
    case GDK_KEY_Right: return walk (self, rtl ? -1 : 1, 0);
    case GDK_KEY_Up: return walk (self, 0, -1);
    case GDK_KEY_Down: return walk (self, 0, 1);
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
    case GDK_KEY_space:
      if (self->cursor < 0)
        return GDK_EVENT_PROPAGATE;
      g_signal_emit_by_name (self, "picked", self->cursor);
      return GDK_EVENT_STOP;
    case GDK_KEY_plus: case GDK_KEY_KP_Add: app_chart_zoom (self, 1.25); return self->zoomable;
    case GDK_KEY_minus: case GDK_KEY_KP_Subtract: app_chart_zoom (self, 0.8); return self->zoomable;
    case GDK_KEY_0: case GDK_KEY_KP_0: app_chart_zoom (self, 0); return self->zoomable;
    default: return GDK_EVENT_PROPAGATE;
    }
}

void
app_chart_add_controllers (AppChart *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkEventController *key = gtk_event_controller_key_new ();
  GtkGesture *click = gtk_gesture_click_new ();
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkGesture *pinch = gtk_gesture_zoom_new ();
  GtkWidget *widget = GTK_WIDGET (self);

  g_signal_connect (motion, "motion", G_CALLBACK (on_pointer), self);
  g_signal_connect (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect (motion, "leave", G_CALLBACK (on_leave), self);
  g_signal_connect (scroll, "scroll", G_CALLBACK (on_scroll), self);
  g_signal_connect (key, "key-pressed", G_CALLBACK (on_key), self);
  g_signal_connect (click, "released", G_CALLBACK (on_click), self);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (on_drag_begin), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (on_drag_update), self);
  g_signal_connect (drag, "drag-end", G_CALLBACK (on_drag_end), self);
  g_signal_connect (pinch, "begin", G_CALLBACK (on_pinch_begin), self);
  g_signal_connect (pinch, "scale-changed", G_CALLBACK (on_pinch), self);
  gtk_widget_add_controller (widget, motion);
  gtk_widget_add_controller (widget, scroll);
  gtk_widget_add_controller (widget, key);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (click));
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (pinch));
}

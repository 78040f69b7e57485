/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lets a window become narrower than its content's present form, so that the content can take another form. */

#include "app-shrink.h"

struct _AppShrink {
  AdwBin parent;

  int least;
};

G_DEFINE_FINAL_TYPE (AppShrink, app_shrink, ADW_TYPE_BIN)

static void
app_shrink_measure (GtkWidget      *widget,
                    GtkOrientation  orientation,
                    int             for_size,
                    int            *minimum,
                    int            *natural,
                    int            *minimum_baseline,
                    int            *natural_baseline)
{
  AppShrink *self = APP_SHRINK (widget);
  GtkWidget *child = adw_bin_get_child (ADW_BIN (self));

  *minimum = *natural = 0;
  if (child == NULL)
    return;
  if (orientation == GTK_ORIENTATION_VERTICAL && for_size >= 0)
    for_size = MAX (for_size, app_shrink_needs (self));
  gtk_widget_measure (child, orientation, for_size, minimum, natural, NULL, NULL);
  if (orientation == GTK_ORIENTATION_HORIZONTAL && self->least >= 0)
    *minimum = MIN (*minimum, self->least);
}

static void
app_shrink_size_allocate (GtkWidget *widget,
                          int        width,
                          int        height,
                          int        baseline)
{
  AppShrink *self = APP_SHRINK (widget);
  GtkWidget *child = adw_bin_get_child (ADW_BIN (self));
  int needs = app_shrink_needs (self), least;
  GtkAllocation place = { 0, 0, MAX (width, needs), height };

  if (child == NULL)
    return;
  if (gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL)
    place.x = width - place.width;
  gtk_widget_measure (child, GTK_ORIENTATION_VERTICAL, place.width, &least, NULL, NULL, NULL);
  place.height = MAX (height, least);
  gtk_widget_size_allocate (child, &place, baseline);
}

static void
app_shrink_class_init (AppShrinkClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->measure = app_shrink_measure;
  widget_class->size_allocate = app_shrink_size_allocate;
}

static void
app_shrink_init (AppShrink *self)
{
  self->least = -1;
  gtk_widget_set_layout_manager (GTK_WIDGET (self), NULL);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
}

void
app_shrink_set_least (AppShrink *self,
                      int        least)
{
  if (self->least == least)
    return;
  self->least = least;
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

int
app_shrink_needs (AppShrink *self)
{
  GtkWidget *child = adw_bin_get_child (ADW_BIN (self));
  int needs = 0;

  if (child != NULL)
    gtk_widget_measure (child, GTK_ORIENTATION_HORIZONTAL, -1, &needs, NULL, NULL, NULL);
  return needs;
}

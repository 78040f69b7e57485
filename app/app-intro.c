/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bar above the pages. It hides nothing and waits for nobody: the window is used while it speaks. */

#include "app-intro.h"

#include <glib/gi18n.h>

typedef struct {
  const char *page, *title, *text;
} Step;

static const Step steps[] = {
  { "network", N_("This Is the Network"),
    N_("Every box is a layer; its colour says what it costs. Choose one to see its properties and set its number type and reuse factor at the side.") },
  { "weights", N_("Weights Share Hardware"),
    N_("Outlines enclose the weights that use one multiplier. They live or die together: only then a multiplier is saved. Walk with the arrow keys.") },
  { "tradeoff", N_("Now Press Optimize"),
    N_("The defaults are sensible: just press Start. Each point that appears is a smaller network, fine-tuned and judged; choose one to see it on every page.") },
  { "precision", N_("Are the Number Types Wide Enough?"),
    N_("Grey bars are what a type can hold, boxes are what the layers compute. A clipped one is named, with the width that would do.") },
  { "hardware", N_("Does It Fit?"),
    N_("The estimate stands beside the device’s limits. Export writes a complete HLS project with its test bench.") },
  { "data", N_("What Did It Cost?"),
    N_("Accuracy for each class, before and after. Open your own network and data whenever you like; F1 explains every page.") },
};

struct _AppIntro {
  AdwBin parent;

  guint step;

  /* template children */
  GtkRevealer *revealer;
  GtkLabel    *title_label, *text_label, *count_label;
  GtkButton   *back_button, *next_button;
};

G_DEFINE_FINAL_TYPE (AppIntro, app_intro, ADW_TYPE_BIN)

enum { SIGNAL_PAGE, SIGNAL_CLOSED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
show_step (AppIntro *self,
           guint     step)
{
  g_autofree char *count = g_strdup_printf (_("%u of %u"), step + 1, (guint) G_N_ELEMENTS (steps));
  gboolean last = step + 1 == G_N_ELEMENTS (steps);

  self->step = step;
  gtk_label_set_text (self->title_label, _(steps[step].title));
  gtk_label_set_text (self->text_label, _(steps[step].text));
  gtk_label_set_text (self->count_label, count);
  gtk_widget_set_sensitive (GTK_WIDGET (self->back_button), step > 0);
  gtk_button_set_label (self->next_button, last ? _("_Done") : _("_Next"));
  g_signal_emit (self, signals[SIGNAL_PAGE], 0, steps[step].page);
}

static void
on_back (AppIntro *self)
{
  if (self->step > 0)
    show_step (self, self->step - 1);
}

static void
on_next (AppIntro *self)
{
  if (self->step + 1 < G_N_ELEMENTS (steps))
    show_step (self, self->step + 1);
  else
    app_intro_end (self);
}

static void
app_intro_dispose (GObject *object)
{
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_INTRO);
  G_OBJECT_CLASS (app_intro_parent_class)->dispose (object);
}

static void
app_intro_class_init (AppIntroClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_intro_dispose;
  signals[SIGNAL_PAGE] = g_signal_new ("page", APP_TYPE_INTRO, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_CLOSED] = g_signal_new ("closed", APP_TYPE_INTRO, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-intro.ui");
  gtk_widget_class_bind_template_child (widget_class, AppIntro, revealer);
  gtk_widget_class_bind_template_child (widget_class, AppIntro, title_label);
  gtk_widget_class_bind_template_child (widget_class, AppIntro, text_label);
  gtk_widget_class_bind_template_child (widget_class, AppIntro, count_label);
  gtk_widget_class_bind_template_child (widget_class, AppIntro, back_button);
  gtk_widget_class_bind_template_child (widget_class, AppIntro, next_button);
  gtk_widget_class_bind_template_callback (widget_class, on_back);
  gtk_widget_class_bind_template_callback (widget_class, on_next);
  gtk_widget_class_bind_template_callback (widget_class, app_intro_end);
}

static void
app_intro_init (AppIntro *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
app_intro_begin (AppIntro *self)
{
  gtk_revealer_set_reveal_child (self->revealer, TRUE);
  show_step (self, 0);
}

void
app_intro_end (AppIntro *self)
{
  if (!app_intro_is_running (self))
    return;
  gtk_revealer_set_reveal_child (self->revealer, FALSE);
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0);
}

gboolean
app_intro_is_running (AppIntro *self)
{
  return gtk_revealer_get_reveal_child (self->revealer);
}

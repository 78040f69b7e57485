/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done about number types: a repair that the doctor finds, the fewest bits that serve. */

#include "app-precision-page-private.h"

#include "app-format.h"
#include "app-sources.h"

#include <glib/gi18n.h>

/* Of the accuracy, that chosen widths may cost. */
#define WIDTH_LOSS 0.005

void
app_precision_page_show_repair (AppPrecisionPage *self)
{
  const NnDoctor *repair = self->repair;
  gboolean idle = app_document_job (app_page_document (APP_PAGE (self))) == NULL;
  gboolean possible = self->with_data != NULL && self->wanted != NULL && self->wanted->design != NULL && idle;

  app_rows_clear (self->changes);
  for (guint i = 0; repair != NULL && i < repair->n_changes; i++)
    {
      const NnDoctorChange *change = &repair->changes[i];
      g_autofree char *from = app_format_type (&change->from), *to = app_format_type (&change->to);
      g_autofree char *text = g_strdup_printf ("%s → %s", from, to), *name = g_strdup_printf ("%s, %s", change->layer, change->variable);

      app_rows_add (self->changes, name, text);
    }
  if (repair != NULL && repair->n_changes > 0)
    {
      g_autofree char *before = app_format_accuracy (repair->fixed_score, TRUE), *after = app_format_accuracy (repair->repaired_score, TRUE);
      g_autofree char *text = g_strdup_printf ("%s → %s", before, after);

      app_rows_add (self->changes, _("Fixed point, bit by bit"), text);
    }
  else if (repair != NULL)
    app_rows_add (self->changes, repair->departs < 0 ? _("Nothing needs to be repaired.") : _("No change of types was found that helps."), "");
  gtk_widget_set_visible (GTK_WIDGET (self->changes), repair != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->repair_title), repair != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->apply_button), repair != NULL && repair->n_changes > 0);
  gtk_widget_set_sensitive (GTK_WIDGET (self->repair_button), possible);
  gtk_widget_set_sensitive (GTK_WIDGET (self->widths_button), possible);
}

/* Jobs that the document shows: about what was wanted when they began. */
static gboolean
start_job (AppPrecisionPage *self,
           AppJob           *job,
           GCallback         on_finished)
{
  g_signal_connect_object (job, "finished", on_finished, self, 0);
  app_document_run (app_page_document (APP_PAGE (self)), job);
  app_precision_page_show_repair (self);
  return TRUE;
}

static gboolean
is_free (AppPrecisionPage *self)
{
  return self->wanted != NULL && self->with_data != NULL && app_document_job (app_page_document (APP_PAGE (self))) == NULL;
}

static void
on_repair_found (AppJob           *job,
                 AppPrecisionPage *self)
{
  g_clear_pointer (&self->repair, nn_doctor_free);
  self->repair = app_job_steal_result (job);
  app_precision_page_show_repair (self);
}

static void
on_repair (AppPrecisionPage *self)
{
  if (is_free (self))
    start_job (self, app_doctor_job (self->wanted, self->with_data), G_CALLBACK (on_repair_found));
}

static void
push_config (AppPrecisionPage *self,
             NnConfig         *config,
             const char       *label,
             const char       *message)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  AppState *next = app_state_copy (app_document_state (document), label);

  app_state_set_config (next, config);
  app_document_push (document, next);
  app_document_say (document, message, TRUE);
}

/* The changes alone: the rest of the configuration stays as the user wrote it. */
static void
on_apply (AppPrecisionPage *self)
{
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));
  g_autoptr (NnConfig) config = state->config != NULL ? nn_config_copy (state->config) : NULL;

  if (self->repair == NULL || config == NULL)
    return;
  for (guint i = 0; i < self->repair->n_changes; i++)
    {
      const NnDoctorChange *change = &self->repair->changes[i];

      g_hash_table_insert (nn_config_layer (config, change->layer)->precision, g_strdup (change->variable),
                           g_memdup2 (&change->to, sizeof change->to));
    }
  push_config (self, config, _("Repair types"), _("Types repaired"));
}

static void
on_widths_found (AppJob           *job,
                 AppPrecisionPage *self)
{
  NnWidthProposal *proposal = app_job_steal_result (job);
  g_autofree char *before = NULL, *after = NULL, *message = NULL;

  if (proposal == NULL)
    return;
  before = app_format_accuracy (proposal->float_score, TRUE);
  after = app_format_accuracy (proposal->score, TRUE);
  message = g_strdup_printf (_("Widths chosen: %s, %s in floating point"), after, before);
  push_config (self, proposal->config, _("Choose widths"), message);
  nn_width_proposal_free (proposal);
}

static void
on_widths (AppPrecisionPage *self)
{
  if (is_free (self))
    start_job (self, app_widths_job (self->wanted, self->with_data, WIDTH_LOSS), G_CALLBACK (on_widths_found));
}

void
app_precision_page_init_repair (AppPrecisionPage *self)
{
  g_signal_connect_swapped (self->repair_button, "clicked", G_CALLBACK (on_repair), self);
  g_signal_connect_swapped (self->apply_button, "clicked", G_CALLBACK (on_apply), self);
  g_signal_connect_swapped (self->widths_button, "clicked", G_CALLBACK (on_widths), self);
}

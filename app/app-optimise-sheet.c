/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The short sheet of choices before Optimize. */

#include "app-optimise-sheet.h"

#include "app-format.h"
#include "app-names.h"

#include <glib/gi18n.h>
#include <math.h>

struct _AppOptimiseSheet {
  AdwWindow parent;

  /* owned */
  AppDocument *document;

  /* borrowed: the parent, which outlives us */
  gpointer       data;
  AppChoicesFunc func;

  /* template children */
  AdwComboRow   *objective_row, *strategy_row, *structure_row, *importance_row, *schedule_row, *goal_row;
  GtkSpinButton *tolerance_spin, *epochs_spin, *steps_spin, *seed_spin, *seeds_spin, *budget_spin;
  AdwActionRow  *budget_row;
  AdwPreferencesGroup *main_group;
  GtkSwitch     *local_switch, *snap_switch;
  GtkButton     *start_button;
};

G_DEFINE_FINAL_TYPE (AppOptimiseSheet, app_optimise_sheet, ADW_TYPE_WINDOW)

static const guint objectives[] = { 1u << NN_RESOURCE_DSP, 1u << NN_RESOURCE_DSP | 1u << NN_RESOURCE_BRAM, 1u << NN_RESOURCE_BRAM,
                                    1u << NN_RESOURCE_LUT };
static const struct { NnStrategy strategy; guint reuse; } sharing[] = { { NN_STRATEGY_UNSET, 0 }, { NN_STRATEGY_RESOURCE_UNROLLED, 4 },
                                                                        { NN_STRATEGY_RESOURCE_UNROLLED, 2 }, { NN_STRATEGY_LATENCY, 1 } };

static void
read_choices (AppOptimiseSheet   *self,
              AppOptimiseChoices *choices)
{
  *choices = *app_document_choices (self->document);
  choices->objective = objectives[MIN (adw_combo_row_get_selected (self->objective_row), G_N_ELEMENTS (objectives) - 1)];
  choices->tolerance = gtk_spin_button_get_value (self->tolerance_spin) / 100;
  choices->structure = adw_combo_row_get_selected (self->structure_row);
  choices->importance = adw_combo_row_get_selected (self->importance_row);
  choices->schedule = adw_combo_row_get_selected (self->schedule_row);
  choices->snap = gtk_switch_get_active (self->snap_switch);
  choices->local = gtk_switch_get_active (self->local_switch);
  choices->epochs = gtk_spin_button_get_value_as_int (self->epochs_spin);
  choices->max_steps = gtk_spin_button_get_value_as_int (self->steps_spin);
  choices->goal = MIN (adw_combo_row_get_selected (self->goal_row), APP_N_GOALS - 1);
  choices->share = gtk_spin_button_get_value (self->budget_spin) / 100;
  app_optimise_choices_limit (choices, app_document_baseline (self->document));
  choices->n_seeds = gtk_spin_button_get_value_as_int (self->seeds_spin);
  choices->seed = gtk_spin_button_get_value_as_int (self->seed_spin);
}

static void
on_start (AppOptimiseSheet *self)
{
  NnConfig *config = app_document_state (self->document)->config;
  guint k = MIN (adw_combo_row_get_selected (self->strategy_row), G_N_ELEMENTS (sharing) - 1);
  g_autoptr (NnConfig) changed = NULL;
  AppOptimiseChoices choices;

  read_choices (self, &choices);
  if (sharing[k].strategy != NN_STRATEGY_UNSET)
    {
      changed = nn_config_copy (config);
      nn_config_model (changed)->strategy = sharing[k].strategy;
      nn_config_model (changed)->reuse_factor = sharing[k].reuse;
    }
  self->func (&choices, changed != NULL ? changed : config, self->data);
  gtk_window_close (GTK_WINDOW (self));
}

static void
app_optimise_sheet_dispose (GObject *object)
{
  g_clear_object (&APP_OPTIMISE_SHEET (object)->document);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_OPTIMISE_SHEET);
  G_OBJECT_CLASS (app_optimise_sheet_parent_class)->dispose (object);
}

static void
app_optimise_sheet_class_init (AppOptimiseSheetClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_optimise_sheet_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-optimise-sheet.ui");
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppOptimiseSheet, name)
  BIND (objective_row); BIND (strategy_row); BIND (structure_row); BIND (importance_row); BIND (schedule_row);
  BIND (goal_row); BIND (budget_row); BIND (budget_spin); BIND (seeds_spin); BIND (main_group);
  BIND (tolerance_spin); BIND (epochs_spin); BIND (steps_spin); BIND (seed_spin); BIND (local_switch); BIND (snap_switch); BIND (start_button);
#undef BIND
}

static void
set_names (AdwComboRow       *row,
           const char *const *names,
           guint              selected)
{
  g_autoptr (GtkStringList) list = gtk_string_list_new (names);

  adw_combo_row_set_model (row, G_LIST_MODEL (list));
  adw_combo_row_set_selected (row, selected);
}

/* With a budget the way there is given: it is kept at every step. */
static void
on_goal (AppOptimiseSheet *self)
{
  gboolean budget = adw_combo_row_get_selected (self->goal_row) != APP_GOAL_TOLERANCE;

  gtk_widget_set_visible (GTK_WIDGET (self->budget_row), budget);
  gtk_widget_set_sensitive (GTK_WIDGET (self->schedule_row), !budget);
}

static void
app_optimise_sheet_init (AppOptimiseSheet *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_window_set_default_widget (GTK_WINDOW (self), GTK_WIDGET (self->start_button));
  g_signal_connect_swapped (self->start_button, "clicked", G_CALLBACK (on_start), self);
  g_signal_connect_swapped (self->goal_row, "notify::selected", G_CALLBACK (on_goal), self);
}

static void
fill (AppOptimiseSheet *self)
{
  const AppOptimiseChoices *choices = app_document_choices (self->document);
  const AppState *state = app_document_state (self->document);
  g_autofree char *now = g_strdup_printf (_("As set: %s, reuse factor %u"), nn_strategy_name (nn_config_strategy (state->config, NULL, NULL)),
                                          nn_config_reuse (state->config, NULL, NULL));
  const char *what[] = { _("Multipliers (DSP)"), _("Multipliers and memories"), _("Memories (BRAM)"), _("Logic (LUT)"), NULL };
  const char *shares[] = { now, _("4 weights to one, pruned"), _("2 weights to one, pruned"), _("One for every weight"), NULL };
  const char *structures[] = { _("As the hardware shares"), _("Single weights"), _("Neurons and filters"), _("Multipliers"),
                               _("Memory words"), _("Blocks"), NULL };
  const char *importances[] = { _("Size (L1)"), _("Size (L2)"), _("Gradient"), _("Curvature"), _("Random"), NULL };
  const char *schedules[] = { _("Even steps"), _("Fast, then slow"), _("Halving"), NULL };
  const char *goals[] = { _("Smallest that is tolerable"), _("A share of what it uses now"), _("A share of the part"), NULL };
  const AppAnalysis *analysis = app_document_baseline (self->document);
  NnDataset *data = app_document_state (self->document)->data;
  g_autofree char *reason = NULL;
  AppOptimiseChoices proposed;
  guint sharing_wanted = 0, shared = 0;
  guint objective = 0;

  for (guint k = 0; k < G_N_ELEMENTS (objectives); k++)
    if (objectives[k] == choices->objective)
      objective = k;
  set_names (self->objective_row, what, objective);
  if (analysis != NULL && data != NULL)
    {
      app_optimise_choices_init (&proposed);
      reason = app_optimise_choices_for (&proposed, analysis, data, &sharing_wanted);
      adw_preferences_group_set_description (self->main_group, reason);
    }
  for (guint k = 1; k < G_N_ELEMENTS (sharing); k++)
    if (sharing_wanted > 1 && sharing[k].reuse == sharing_wanted)
      shared = k;
  set_names (self->goal_row, goals, choices->goal);
  set_names (self->strategy_row, shares, shared);
  set_names (self->structure_row, structures, choices->structure);
  set_names (self->importance_row, importances, choices->importance);
  set_names (self->schedule_row, schedules, MIN (choices->schedule, NN_SCHEDULE_BINARY));
  gtk_spin_button_set_value (self->tolerance_spin, choices->tolerance * 100);
  gtk_spin_button_set_value (self->epochs_spin, choices->epochs);
  gtk_spin_button_set_value (self->steps_spin, choices->max_steps);
  gtk_spin_button_set_value (self->seed_spin, choices->seed);
  gtk_spin_button_set_value (self->seeds_spin, choices->n_seeds);
  gtk_spin_button_set_value (self->budget_spin, choices->share * 100);
  on_goal (self);
  gtk_switch_set_active (self->local_switch, choices->local);
  gtk_switch_set_active (self->snap_switch, choices->snap);
}

void
app_optimise_sheet_present (GtkWindow      *parent,
                            AppDocument    *document,
                            AppChoicesFunc  func,
                            gpointer        data)
{
  AppOptimiseSheet *self = g_object_new (APP_TYPE_OPTIMISE_SHEET, "transient-for", parent, NULL);

  self->document = g_object_ref (document);
  self->func = func;
  self->data = data;
  fill (self);
  gtk_window_set_focus (GTK_WINDOW (self), GTK_WIDGET (self->start_button));
  app_names_apply (GTK_WIDGET (self));
  gtk_window_present (GTK_WINDOW (self));
}

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
  GHashTable  *layer_rows; /* name of a layer → AdwComboRow, borrowed */
  gboolean     branch;

  /* borrowed: the parent, which outlives us */
  gpointer       data;
  AppChoicesFunc func;

  /* template children */
  AdwComboRow   *objective_row, *strategy_row, *structure_row, *importance_row, *schedule_row, *goal_row;
  GtkSpinButton *tolerance_spin, *epochs_spin, *regrowth_spin, *steps_spin, *seed_spin, *seeds_spin, *budget_spin;
  AdwActionRow  *budget_row;
  AdwPreferencesGroup *main_group;
  GtkSwitch     *local_switch, *snap_switch, *merge_switch, *quantized_switch;
  AdwExpanderRow *weights_row, *layers_row;
  GtkSpinButton *weight_spins[NN_OBJECTIVE_WEIGHTED]; /* (nullable) */
  GtkButton     *start_button;
};

G_DEFINE_FINAL_TYPE (AppOptimiseSheet, app_optimise_sheet, ADW_TYPE_WINDOW)

static const guint objectives[] = { 1u << NN_OBJECTIVE_DSP, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM, 1u << NN_OBJECTIVE_BRAM,
                                    1u << NN_OBJECTIVE_LUT, 1u << NN_OBJECTIVE_FF, 1u << NN_OBJECTIVE_PARAMETERS, 1u << NN_OBJECTIVE_BOPS,
                                    1u << NN_OBJECTIVE_ENERGY, 1u << NN_OBJECTIVE_LATENCY, 1u << NN_OBJECTIVE_WEIGHTED };
/* What a layer's row offers; the first is what the whole network gets. */
static const NnStructure layer_structures[] = { NN_STRUCTURE_AUTO, NN_STRUCTURE_NONE, NN_STRUCTURE_UNSTRUCTURED, NN_STRUCTURE_NEURON,
                                                NN_STRUCTURE_MULTIPLIER, NN_STRUCTURE_BRAM_WORD, NN_STRUCTURE_BLOCK };
static const struct { NnStrategy strategy; guint reuse; } sharing[] = { { NN_STRATEGY_UNSET, 0 }, { NN_STRATEGY_RESOURCE_UNROLLED, 4 },
                                                                        { NN_STRATEGY_RESOURCE_UNROLLED, 2 }, { NN_STRATEGY_LATENCY, 1 } };

/* Layers that differ, %NULL where none does. */
static GHashTable *
read_layers (AppOptimiseSheet *self)
{
  g_autoptr (GHashTable) layers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name, row;

  g_hash_table_iter_init (&iter, self->layer_rows);
  while (g_hash_table_iter_next (&iter, &name, &row))
    {
      guint k = adw_combo_row_get_selected (row);

      if (k > 0 && k < G_N_ELEMENTS (layer_structures))
        g_hash_table_insert (layers, g_strdup (name), GINT_TO_POINTER (layer_structures[k]));
    }
  return g_hash_table_size (layers) > 0 ? g_steal_pointer (&layers) : NULL;
}

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
  choices->merge = gtk_switch_get_active (self->merge_switch);
  choices->quantized = gtk_switch_get_active (self->quantized_switch);
  choices->regrowth = gtk_spin_button_get_value_as_int (self->regrowth_spin);
  for (guint j = 0; j < NN_OBJECTIVE_WEIGHTED; j++)
    if (self->weight_spins[j] != NULL)
      choices->weights[j] = gtk_spin_button_get_value (self->weight_spins[j]);
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
  g_autoptr (GHashTable) layers = NULL;
  AppOptimiseChoices choices;

  read_choices (self, &choices);
  choices.layers = layers = read_layers (self);
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
  g_clear_pointer (&APP_OPTIMISE_SHEET (object)->layer_rows, g_hash_table_unref);
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
  BIND (merge_switch); BIND (quantized_switch); BIND (regrowth_spin); BIND (weights_row); BIND (layers_row);
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
on_objective (AppOptimiseSheet *self)
{
  guint k = MIN (adw_combo_row_get_selected (self->objective_row), G_N_ELEMENTS (objectives) - 1);

  gtk_widget_set_visible (GTK_WIDGET (self->weights_row), objectives[k] == 1u << NN_OBJECTIVE_WEIGHTED);
}

static const char *
objective_title (NnObjective objective)
{
  switch (objective)
    {
    case NN_OBJECTIVE_PARAMETERS: return _("Weights");
    case NN_OBJECTIVE_BOPS: return _("Bit operations");
    case NN_OBJECTIVE_ENERGY: return _("Energy (nJ)");
    case NN_OBJECTIVE_LATENCY: return _("Latency (cycles)");
    default: return app_resource_title ((NnResource) objective);
    }
}

#define MAX_WEIGHT 1e6
#define WEIGHT_DIGITS 4

static void
add_weights (AppOptimiseSheet         *self,
             const AppOptimiseChoices *choices)
{
  for (NnObjective j = 0; j < NN_OBJECTIVE_WEIGHTED; j++)
    {
      GtkWidget *row, *spin;

      if (j == NN_OBJECTIVE_URAM) /* no group takes any */
        continue;
      row = adw_action_row_new ();
      spin = gtk_spin_button_new_with_range (0, MAX_WEIGHT, 1);
      gtk_spin_button_set_digits (GTK_SPIN_BUTTON (spin), WEIGHT_DIGITS);
      gtk_spin_button_set_value (GTK_SPIN_BUTTON (spin), choices->weights[j]);
      gtk_widget_set_valign (spin, GTK_ALIGN_CENTER);
      gtk_accessible_update_property (GTK_ACCESSIBLE (spin), GTK_ACCESSIBLE_PROPERTY_LABEL, objective_title (j), -1);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), objective_title (j));
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), spin);
      adw_expander_row_add_row (self->weights_row, row);
      self->weight_spins[j] = GTK_SPIN_BUTTON (spin);
    }
}

static guint
chosen_structure (const AppOptimiseChoices *choices,
                  const char               *layer)
{
  gpointer structure;

  if (choices->layers == NULL || !g_hash_table_lookup_extended (choices->layers, layer, NULL, &structure))
    return 0;
  for (guint k = 1; k < G_N_ELEMENTS (layer_structures); k++)
    if (layer_structures[k] == (NnStructure) GPOINTER_TO_INT (structure))
      return k;
  return 0;
}

static void
add_layers (AppOptimiseSheet         *self,
            const AppOptimiseChoices *choices)
{
  const char *names[] = { _("As chosen for all"), _("Left alone"), _("Single weights"), _("Neurons and filters"), _("Multipliers"),
                          _("Memory words"), _("Blocks"), NULL };
  const NnGraph *graph = nn_model_graph (app_document_state (self->document)->model);
  g_autoptr (GtkStringList) list = gtk_string_list_new (names);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      GtkWidget *row;

      if (!nn_op_is_prunable (node->op))
        continue;
      row = adw_combo_row_new ();
      adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), node->name);
      adw_combo_row_set_model (ADW_COMBO_ROW (row), G_LIST_MODEL (list));
      adw_combo_row_set_selected (ADW_COMBO_ROW (row), chosen_structure (choices, node->name));
      adw_expander_row_add_row (self->layers_row, row);
      g_hash_table_insert (self->layer_rows, g_strdup (node->name), row);
    }
}

static void
app_optimise_sheet_init (AppOptimiseSheet *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->layer_rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_signal_connect_swapped (self->objective_row, "notify::selected", G_CALLBACK (on_objective), self);
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
  const char *what[] = { _("Multipliers (DSP)"), _("Multipliers and memories"), _("Memories (BRAM)"), _("Logic (LUT)"), _("Flip-flops (FF)"),
                         _("Weights"), _("Bit operations"), _("Energy"), _("Latency"), _("Weighted sum"), NULL };
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
  for (guint k = 1; k < G_N_ELEMENTS (sharing) && !self->branch; k++)
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
  gtk_switch_set_active (self->merge_switch, choices->merge);
  gtk_switch_set_active (self->quantized_switch, choices->quantized);
  gtk_spin_button_set_value (self->regrowth_spin, choices->regrowth);
  add_weights (self, choices);
  add_layers (self, choices);
  on_objective (self);
  /* a branch has the hardware of the run that it leaves */
  gtk_widget_set_visible (GTK_WIDGET (self->strategy_row), !self->branch);
}

GtkWindow *
app_optimise_sheet_present (GtkWindow      *parent,
                            AppDocument    *document,
                            gboolean        branch,
                            AppChoicesFunc  func,
                            gpointer        data)
{
  AppOptimiseSheet *self = g_object_new (APP_TYPE_OPTIMISE_SHEET, "transient-for", parent, NULL);
  g_autofree char *title = branch ? g_strdup_printf (_("Branch after Step %u"), app_document_state (document)->step) : NULL;

  if (title != NULL)
    gtk_window_set_title (GTK_WINDOW (self), title);
  self->branch = branch;
  self->document = g_object_ref (document);
  self->func = func;
  self->data = data;
  fill (self);
  app_names_apply (GTK_WIDGET (self));
  gtk_window_present (GTK_WINDOW (self));
  /* Not before: a window whose focus is set before it is shown has no role for a screen reader (GTK 4.8). */
  gtk_window_set_focus (GTK_WINDOW (self), GTK_WIDGET (self->start_button));
  return GTK_WINDOW (self);
}

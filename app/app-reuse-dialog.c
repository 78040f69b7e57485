/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every layer with a reuse factor has a row with the values that its kernel accepts; below, what the choice will cost. */

#include "app-reuse-dialog.h"

#include "app-analysis.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

/* More cycles than that are asked for by nobody. */
#define MAX_CYCLES 1e9

typedef struct {
  guint        node;    /* of the lowered graph */
  GArray      *options; /* NnReuseOption */
  AdwComboRow *row;
} Layer;

typedef struct {
  AppDocument          *document;
  AppAnalysis          *analysis;
  AdwPreferencesWindow *window;
  GPtrArray            *layers; /* of Layer */
  GtkSpinButton        *cycles;
  AdwActionRow         *answer;
} Choice;

static void
layer_free (gpointer data)
{
  Layer *layer = data;

  g_array_unref (layer->options);
  g_free (layer);
}

static void
choice_free (gpointer data)
{
  Choice *choice = data;

  g_object_unref (choice->document);
  app_analysis_unref (choice->analysis);
  g_ptr_array_unref (choice->layers);
  g_free (choice);
}

static Choice *
choice_of (GtkWindow *dialog)
{
  return g_object_get_data (G_OBJECT (dialog), "choice");
}

static const NnReuseOption *
chosen (const Layer *layer)
{
  guint i = adw_combo_row_get_selected (layer->row);

  return i < layer->options->len ? &g_array_index (layer->options, NnReuseOption, i) : NULL;
}

/* "12 DSP, 4 BRAM, 1 204 LUT, 16 cycles" */
static char *
forecast (const NnCost *cost)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *latency = app_format_figure (&cost->latency);

  for (guint r = 0; r < NN_RESOURCE_URAM; r++)
    {
      g_autofree char *figure = app_format_figure (&cost->resource[r]);

      g_string_append_printf (text, "%s %s, ", figure, app_resource_title (r));
    }
  g_string_append_printf (text, _("%s cycles"), latency);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
on_selected (AdwComboRow *row,
             GParamSpec  *property,
             Layer       *layer)
{
  const NnReuseOption *option = chosen (layer);
  g_autofree char *text = option != NULL ? forecast (&option->cost) : NULL;

  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text != NULL ? text : "");
}

static void
select_reuse (Layer *layer,
              guint  reuse)
{
  for (guint k = 0; k < layer->options->len; k++)
    if (g_array_index (layer->options, NnReuseOption, k).reuse == reuse)
      adw_combo_row_set_selected (layer->row, k);
}

static Layer *
make_layer (const AppAnalysis *analysis,
            guint              node)
{
  const NnPart *part = analysis->estimate != NULL ? analysis->estimate->part : analysis->part;
  g_autoptr (GArray) options = nn_reuse_options (analysis->design, node, part);
  g_autoptr (GtkStringList) words = gtk_string_list_new (NULL);
  Layer *layer;

  if (options->len == 0)
    return NULL;
  layer = g_new0 (Layer, 1);
  layer->node = node;
  layer->options = g_steal_pointer (&options);
  layer->row = ADW_COMBO_ROW (adw_combo_row_new ());
  for (guint k = 0; k < layer->options->len; k++)
    {
      g_autofree char *word = app_format_count (g_array_index (layer->options, NnReuseOption, k).reuse);

      gtk_string_list_append (words, word);
    }
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (layer->row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (layer->row), nn_graph_node (nn_model_graph (nn_design_model (analysis->design)), node)->name);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (layer->row), 0);
  g_signal_connect (layer->row, "notify::selected", G_CALLBACK (on_selected), layer);
  adw_combo_row_set_model (layer->row, G_LIST_MODEL (words));
  select_reuse (layer, nn_design_plan (analysis->design, node)->reuse_factor);
  on_selected (layer->row, NULL, layer);
  return layer;
}

/* What the solver found, with its proof. */
static char *
plan_text (const NnReusePlan *plan)
{
  g_autofree char *dsp = app_format_count (plan->dsp), *bound = app_format_count (plan->bound);
  g_autofree char *cycles = app_format_count (plan->latency), *gap = g_strdup_printf ("%.1f", 100 * plan->gap);

  switch (plan->status)
    {
    case NN_REUSE_OPTIMAL:
      return g_strdup_printf (_("%s DSP in %s cycles; fewer are not possible"), dsp, cycles);
    case NN_REUSE_GAP:
      return g_strdup_printf (_("%s DSP in %s cycles; at best %s (gap %s %%)"), dsp, cycles, bound, gap);
    case NN_REUSE_INFEASIBLE:
    default:
      return g_strdup_printf (_("Not possible: the fastest choice takes %s cycles and %s DSP"), cycles, dsp);
    }
}

char *
app_reuse_dialog_solve (GtkWindow *dialog,
                        double     cycles)
{
  Choice *choice = choice_of (dialog);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnReusePlan) plan = nn_reuse_solve (choice->analysis->design, choice->analysis->part, cycles, NULL, &error);

  if (plan == NULL)
    return g_strdup (error->message);
  for (guint l = 0; l < choice->layers->len; l++)
    {
      Layer *layer = choice->layers->pdata[l];

      if (plan->reuse[layer->node] > 0)
        select_reuse (layer, plan->reuse[layer->node]);
    }
  return plan_text (plan);
}

static void
on_solve (GtkButton *button,
          Choice    *choice)
{
  g_autofree char *text = app_reuse_dialog_solve (GTK_WINDOW (choice->window), gtk_spin_button_get_value (choice->cycles));

  adw_action_row_set_subtitle (choice->answer, text);
}

void
app_reuse_dialog_apply (GtkWindow *dialog)
{
  Choice *choice = choice_of (dialog);
  const AppState *state = app_document_state (choice->document);
  const NnGraph *graph = nn_model_graph (nn_design_model (choice->analysis->design));
  g_autoptr (NnConfig) config = nn_config_copy (state->config);
  AppState *next;

  for (guint l = 0; l < choice->layers->len; l++)
    {
      Layer *layer = choice->layers->pdata[l];
      const NnReuseOption *option = chosen (layer);

      if (option != NULL && option->reuse != nn_design_plan (choice->analysis->design, layer->node)->reuse_factor)
        nn_config_layer (config, nn_graph_node (graph, layer->node)->name)->reuse_factor = option->reuse;
    }
  next = app_state_copy (state, _("Reuse factors"));
  app_state_set_config (next, config);
  app_document_push (choice->document, next);
}

static void
on_apply (GtkButton *button,
          Choice    *choice)
{
  app_reuse_dialog_apply (GTK_WINDOW (choice->window));
  gtk_window_close (GTK_WINDOW (choice->window));
}

static GtkWidget *
make_target (Choice *choice)
{
  GtkWidget *row = adw_action_row_new (), *spin = gtk_spin_button_new_with_range (1, MAX_CYCLES, 1), *solve;
  const NnEstimate *estimate = choice->analysis->estimate;

  choice->answer = ADW_ACTION_ROW (row);
  choice->cycles = GTK_SPIN_BUTTON (spin);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _("Latency to meet (cycles)"));
  adw_action_row_set_subtitle_lines (choice->answer, 0);
  if (estimate != NULL)
    gtk_spin_button_set_value (choice->cycles, ceil (estimate->total.latency.value));
  gtk_widget_set_valign (spin, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (spin), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Latency to meet (cycles)"), -1);
  solve = gtk_button_new_with_mnemonic (_("_Fewest DSPs"));
  gtk_widget_set_valign (solve, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (solve, _("Choose All Factors at Once, With Proof"));
  g_signal_connect (solve, "clicked", G_CALLBACK (on_solve), choice);
  adw_action_row_add_suffix (choice->answer, spin);
  adw_action_row_add_suffix (choice->answer, solve);
  return row;
}

static AdwPreferencesPage *
make_page (Choice *choice)
{
  AdwPreferencesPage *page = ADW_PREFERENCES_PAGE (adw_preferences_page_new ());
  AdwPreferencesGroup *target = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());
  AdwPreferencesGroup *layers = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());
  GtkWidget *apply = gtk_button_new_with_mnemonic (_("_Apply"));

  adw_preferences_group_add (target, make_target (choice));
  adw_preferences_group_set_title (layers, _("Layers"));
  adw_preferences_group_set_description (layers, _("Only values that the layer's kernel accepts; below each, what it will cost."));
  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (nn_design_model (choice->analysis->design))); i++)
    {
      Layer *layer = make_layer (choice->analysis, i);

      if (layer == NULL)
        continue;
      g_ptr_array_add (choice->layers, layer);
      adw_preferences_group_add (layers, GTK_WIDGET (layer->row));
    }
  gtk_widget_add_css_class (apply, "suggested-action");
  gtk_widget_set_valign (apply, GTK_ALIGN_CENTER);
  g_signal_connect (apply, "clicked", G_CALLBACK (on_apply), choice);
  adw_preferences_group_set_header_suffix (layers, apply);
  adw_preferences_page_add (page, target);
  adw_preferences_page_add (page, layers);
  return page;
}

GtkWindow *
app_reuse_dialog_present (GtkWindow   *parent,
                          AppDocument *document)
{
  AppAnalysis *analysis = app_document_analysis (document);
  Choice *choice;

  if (analysis == NULL || analysis->design == NULL)
    return NULL;
  choice = g_new0 (Choice, 1);
  choice->document = g_object_ref (document);
  choice->analysis = app_analysis_ref (analysis);
  choice->layers = g_ptr_array_new_with_free_func (layer_free);
  choice->window = ADW_PREFERENCES_WINDOW (adw_preferences_window_new ());
  gtk_window_set_title (GTK_WINDOW (choice->window), _("Reuse Factors"));
  gtk_window_set_transient_for (GTK_WINDOW (choice->window), parent);
  gtk_window_set_modal (GTK_WINDOW (choice->window), TRUE);
  adw_preferences_window_set_search_enabled (choice->window, FALSE);
  adw_preferences_window_add (choice->window, make_page (choice));
  g_object_set_data_full (G_OBJECT (choice->window), "choice", choice, choice_free);
  gtk_window_present (GTK_WINDOW (choice->window));
  return GTK_WINDOW (choice->window);
}

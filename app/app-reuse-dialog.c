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
  AdwPreferencesGroup  *group;  /* of the layers' rows */
  GtkWidget            *apply, *solve;
  AppJob               *job;    /* (nullable) */
  GPtrArray            *layers; /* of Layer */
  GtkSpinButton        *cycles;
  AdwActionRow         *answer;
  char                 *text;   /* (nullable): the last answer */
} Choice;

/* What a job needs of it. */
typedef struct {
  AppAnalysis *analysis;
  double       cycles;
} Input;

static void
input_free (Input *input)
{
  app_analysis_unref (input->analysis);
  g_free (input);
}

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

  if (choice->job != NULL)
    {
      g_signal_handlers_disconnect_by_data (choice->job, choice);
      app_job_cancel (choice->job);
      g_object_unref (choice->job);
    }
  g_object_unref (choice->document);
  app_analysis_unref (choice->analysis);
  g_ptr_array_unref (choice->layers);
  g_free (choice->text);
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

/* By node of the lowered graph, (element-type GArray of NnReuseOption): an estimate for each value that a kernel accepts. */
static gpointer
work_options (AppJob           *job,
              gpointer          data,
              const NnProgress *progress,
              GCancellable     *cancellable,
              GError          **error)
{
  const AppAnalysis *analysis = ((Input *) data)->analysis;
  const NnPart *part = analysis->estimate != NULL ? analysis->estimate->part : analysis->part;
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);

  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (nn_design_model (analysis->design))); i++)
    if (!g_cancellable_is_cancelled (cancellable))
      g_ptr_array_add (all, nn_reuse_options (analysis->design, i, part));
  return all;
}

static gpointer
work_solve (AppJob           *job,
            gpointer          data,
            const NnProgress *progress,
            GCancellable     *cancellable,
            GError          **error)
{
  const Input *input = data;

  return nn_reuse_solve (input->analysis->design, input->analysis->part, input->cycles, cancellable, error);
}

static void
run_job (Choice         *choice,
         const char     *title,
         AppJobFunc      func,
         GDestroyNotify  result_free,
         double          cycles,
         GCallback       on_finished)
{
  Input *input = g_new (Input, 1);

  *input = (Input) { app_analysis_ref (choice->analysis), cycles };
  choice->job = app_job_new (title, func, input, (GDestroyNotify) input_free, result_free);
  g_signal_connect (choice->job, "finished", on_finished, choice);
  gtk_widget_set_sensitive (choice->solve, FALSE);
  app_job_start (choice->job);
}

static void
add_layer (Choice *choice,
           guint   node,
           GArray *options)
{
  const AppAnalysis *analysis = choice->analysis;
  g_autoptr (GtkStringList) words = gtk_string_list_new (NULL);
  Layer *layer;

  if (options->len == 0)
    return;
  layer = g_new0 (Layer, 1);
  layer->node = node;
  layer->options = g_array_ref (options);
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
  g_ptr_array_add (choice->layers, layer);
  adw_preferences_group_add (choice->group, GTK_WIDGET (layer->row));
}

static void
on_options (AppJob *job,
            Choice *choice)
{
  g_autoptr (GPtrArray) all = app_job_steal_result (job);

  for (guint i = 0; i < all->len; i++)
    add_layer (choice, i, all->pdata[i]);
  adw_preferences_group_set_description (choice->group, _("Only values that the layer's kernel accepts; below each, what it will cost."));
  gtk_widget_set_sensitive (choice->solve, TRUE);
  gtk_widget_set_sensitive (choice->apply, TRUE);
  g_clear_object (&choice->job);
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

static void
on_solved (AppJob *job,
           Choice *choice)
{
  const GError *error = app_job_error (job);
  g_autoptr (NnReusePlan) plan = app_job_steal_result (job);

  for (guint l = 0; plan != NULL && l < choice->layers->len; l++)
    {
      Layer *layer = choice->layers->pdata[l];

      if (plan->reuse[layer->node] > 0)
        select_reuse (layer, plan->reuse[layer->node]);
    }
  g_free (choice->text);
  choice->text = plan != NULL ? plan_text (plan) : g_strdup (error != NULL ? error->message : "");
  adw_action_row_set_subtitle (choice->answer, choice->text);
  gtk_widget_set_sensitive (choice->solve, TRUE);
  g_clear_object (&choice->job);
}

void
app_reuse_dialog_solve (GtkWindow *dialog,
                        double     cycles)
{
  Choice *choice = choice_of (dialog);

  if (choice->job != NULL)
    return;
  g_clear_pointer (&choice->text, g_free);
  adw_action_row_set_subtitle (choice->answer, _("Computing…"));
  run_job (choice, _("Reuse Factors"), work_solve, (GDestroyNotify) nn_reuse_plan_free, cycles, G_CALLBACK (on_solved));
}

gboolean
app_reuse_dialog_is_busy (GtkWindow *dialog)
{
  return choice_of (dialog)->job != NULL;
}

const char *
app_reuse_dialog_answer (GtkWindow *dialog)
{
  return choice_of (dialog)->text;
}

static void
on_solve (GtkButton *button,
          Choice    *choice)
{
  app_reuse_dialog_solve (GTK_WINDOW (choice->window), gtk_spin_button_get_value (choice->cycles));
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
  choice->solve = solve;
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
  adw_preferences_group_set_description (layers, _("Computing…"));
  choice->group = layers;
  choice->apply = apply;
  gtk_widget_set_sensitive (apply, FALSE);
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
  run_job (choice, _("Reuse Factors"), work_options, (GDestroyNotify) g_ptr_array_unref, 0, G_CALLBACK (on_options));
  gtk_window_present (GTK_WINDOW (choice->window));
  return GTK_WINDOW (choice->window);
}

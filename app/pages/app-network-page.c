/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network as a graph, with its inspector. */

#include "app-network-page.h"

#include "app-figures.h"
#include "app-format.h"
#include "app-layer-facts.h"
#include "app-passes-dialog.h"
#include "app-sources.h"
#include "app-variants.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_FORECASTS 24

struct _AppNetworkPage {
  AppPage parent;

  int      layer;   /* chosen, -1 for the network as a whole */
  gboolean filling; /* rows are being set by us */

  /* owned */
  AppJob  *reuse_job;   /* forecasts for the reuse factors in the list */

  /* template children */
  GtkBox            *split;
  AppFigure         *figure;
  GtkSearchBar      *search_bar;
  GtkSearchEntry    *search_entry;
  GtkToggleButton   *compare_button, *search_button;
  GtkDropDown       *metric_drop;
  GtkWidget         *sidebar;
  GtkLabel          *name_label, *kind_label, *warning_label;
  AdwPreferencesGroup *settings_group;
  AdwComboRow       *strategy_row, *reuse_row;
  AdwEntryRow       *precision_row, *bias_row, *accum_row, *result_row, *parallel_row, *part_row, *clock_row;
  AdwActionRow      *passes_row;
  GtkListBox        *facts, *properties, *source_list;
  GtkLabel          *properties_title;
  GtkExpander       *source_expander;
};

G_DEFINE_FINAL_TYPE (AppNetworkPage, app_network_page, APP_TYPE_PAGE)

static const NnStrategy strategies[] = { NN_STRATEGY_LATENCY, NN_STRATEGY_RESOURCE, NN_STRATEGY_RESOURCE_UNROLLED,
                                         NN_STRATEGY_DISTRIBUTED_ARITHMETIC };

static const NnNode *
chosen_node (AppNetworkPage *self)
{
  NnModel *model = app_document_shown (app_page_document (APP_PAGE (self)));

  if (model == NULL || self->layer < 0 || (guint) self->layer >= nn_graph_n_nodes (nn_model_graph (model)))
    return NULL;
  return nn_graph_node (nn_model_graph (model), self->layer);
}

static void
add_figure (AppNetworkPage *self,
            const char     *title,
            double          now,
            double          before,
            const char     *text)
{
  g_autofree char *change = isfinite (before) && before != now ? app_format_change (before, now) : NULL;
  g_autofree char *value = change != NULL ? g_strdup_printf ("%s  (%s)", text, change) : g_strdup (text);

  app_rows_add (self->facts, title, value);
}

/* What became of the layer on its way to the hardware. */
static void
add_passes (AppNetworkPage    *self,
            const AppAnalysis *analysis,
            const NnNode      *node)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *text = NULL;
  guint n;
  const NnPass *passes = nn_passes (&n);

  for (guint i = 0; i < n; i++)
    if (g_strv_contains (nn_design_pass_layers (analysis->design, i), node->name))
      g_ptr_array_add (names, (gpointer) passes[i].name);
  if (names->len == 0)
    return;
  g_ptr_array_add (names, NULL);
  text = g_strjoinv (", ", (char **) names->pdata);
  app_rows_add (self->facts, _("Graph passes"), text);
}

static void
fill_layer_facts (AppNetworkPage *self,
                  const NnNode   *node)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  const AppErrors *errors = app_document_errors (document);
  guint i = self->layer;
  g_autofree char *shape = app_format_shape (&node->shape);

  app_rows_add (self->facts, _("Output"), shape);
  if (analysis == NULL || i >= analysis->n_layers)
    return;
  for (AppMetric m = APP_METRIC_DSP; m < APP_METRIC_ERROR; m++)
    {
      double value = app_figures_value (analysis, i, m);
      double before = base != NULL && i < base->n_layers && m != APP_METRIC_PARAMETERS ? app_figures_value (base, i, m) : NAN;
      g_autofree char *text = m == APP_METRIC_SPARSITY ? app_format_percent (value, 1) : app_format_count (value);

      if (isfinite (value))
        add_figure (self, app_metric_title (m), value, m == APP_METRIC_SPARSITY ? NAN : before, text);
    }
  if (errors != NULL && i < errors->n_layers && isfinite (errors->layers[i]))
    {
      g_autofree char *text = app_format_percent (errors->layers[i], 3);

      app_rows_add (self->facts, _("Error of fixed point"), text);
    }
  if (analysis->layers[i].multiplications > 0)
    {
      g_autofree char *count = app_format_count (analysis->layers[i].multiplications);

      app_rows_add (self->facts, _("Multiplications"), count);
    }
  if (analysis->layers[i].n_groups > 0)
    {
      g_autofree char *kept = g_strdup_printf (_("%zu of %zu"), analysis->layers[i].n_kept, analysis->layers[i].n_groups);

      app_rows_add (self->facts, _("Groups kept"), kept);
    }
  if (analysis->design != NULL)
    add_passes (self, analysis, node);
  if (analysis->design != NULL && analysis->layers[i].main >= 0)
    {
      const NnLayerPlan *plan = nn_design_plan (analysis->design, analysis->layers[i].main);
      const struct { const char *title; const NnType *type; } types[] = {
        { _("Weight type"), &plan->weight }, { _("Bias type"), &plan->bias }, { _("Accumulator"), &plan->accum }, { _("Result"), &plan->result },
      };

      for (guint k = 0; k < G_N_ELEMENTS (types); k++)
        {
          g_autofree char *text = app_format_type (types[k].type);

          app_rows_add (self->facts, types[k].title, text);
        }
    }
}

static void
fill_network_facts (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  gsize parameters = 0, multiplications = 0;

  if (analysis == NULL)
    return;
  for (guint i = 0; i < analysis->n_layers; i++)
    {
      parameters += analysis->layers[i].parameters;
      multiplications += analysis->layers[i].multiplications;
    }
  {
    g_autofree char *p = app_format_count (parameters), *m = app_format_count (multiplications);
    g_autofree char *n = app_format_count (analysis->n_layers);

    app_rows_add (self->facts, _("Layers"), n);
    app_rows_add (self->facts, _("Parameters"), p);
    app_rows_add (self->facts, _("Multiplications"), m);
  }
  for (guint r = 0; analysis->estimate != NULL && r < NN_RESOURCE_URAM; r++)
    {
      double now = app_analysis_total (analysis, r), before = app_analysis_total (base, r);
      g_autofree char *text = app_format_count (now);

      add_figure (self, app_resource_title (r), now, before, text);
    }
  if (analysis->estimate != NULL)
    {
      g_autofree char *cycles = app_format_count (analysis->estimate->total.latency.value);
      g_autofree char *text = g_strdup_printf (_("%s cycles, %.0f ns"), cycles, analysis->estimate->total.latency_ns);

      app_rows_add (self->facts, _("Latency"), text);
    }
}

/* A forecast arrived: the entry of its reuse factor says what it would take. */
static void
on_forecast (AppJob           *job,
             const AppVariant *variant,
             AppNetworkPage   *self)
{
  GtkStringList *list = GTK_STRING_LIST (adw_combo_row_get_model (self->reuse_row));
  guint selected = adw_combo_row_get_selected (self->reuse_row);
  gboolean filling = self->filling;

  self->filling = TRUE;
  for (guint k = 0; k < g_list_model_get_n_items (G_LIST_MODEL (list)); k++)
    if (g_ascii_strtoull (gtk_string_list_get_string (list, k), NULL, 10) == variant->reuse)
      {
        g_autofree char *dsp = app_format_count (variant->resources.amount[NN_RESOURCE_DSP]);
        g_autofree char *lut = app_format_count (variant->resources.amount[NN_RESOURCE_LUT]), *cycles = app_format_count (variant->latency);
        g_autofree char *text = g_strdup_printf (variant->fits ? _("%u · %s DSP, %s LUT, %s cycles") : _("%u · %s DSP, %s LUT, %s cycles (too large)"),
                                                 variant->reuse, dsp, lut, cycles);

        gtk_string_list_splice (list, k, 1, (const char *[]) { text, NULL });
        break;
      }
  adw_combo_row_set_selected (self->reuse_row, selected);
  self->filling = filling;
}

static void
drop_forecasts (AppNetworkPage *self)
{
  if (self->reuse_job == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->reuse_job, self);
  app_job_cancel (self->reuse_job);
  g_clear_object (&self->reuse_job);
}

/* Each takes an estimate of the whole network: of long lists, some evenly taken. */
static void
want_forecasts (AppNetworkPage *self,
                const GArray   *reuses)
{
  AppAnalysis *analysis = app_document_analysis (app_page_document (APP_PAGE (self)));
  g_autoptr (GArray) some = g_array_new (FALSE, FALSE, sizeof (guint));

  drop_forecasts (self);
  if (analysis == NULL || analysis->design == NULL || analysis->model != app_document_shown (app_page_document (APP_PAGE (self))))
    return;
  for (guint k = 0; k < reuses->len; k += MAX (1, reuses->len / MAX_FORECASTS))
    g_array_append_val (some, g_array_index (reuses, guint, k));
  self->reuse_job = app_reuse_job (analysis, self->layer, some);
  g_signal_connect (self->reuse_job, "item", G_CALLBACK (on_forecast), self);
  app_job_start (self->reuse_job);
}

static void
fill_reuse (AppNetworkPage *self,
            const NnNode   *node)
{
  const AppAnalysis *analysis = app_document_analysis (app_page_document (APP_PAGE (self)));
  const AppLayer *layer = analysis != NULL && self->layer >= 0 && (guint) self->layer < analysis->n_layers ? &analysis->layers[self->layer] : NULL;
  const NnLayerPlan *plan = layer != NULL && layer->main >= 0 && analysis->design != NULL ? nn_design_plan (analysis->design, layer->main) : NULL;
  g_autoptr (GtkStringList) list = gtk_string_list_new (NULL);
  g_autoptr (GArray) valid = NULL;
  guint chosen = 0;

  if (plan != NULL && plan->n_in > 0 && plan->n_out > 0)
    valid = nn_reuse_valid (plan->n_in, plan->n_out);
  for (guint k = 0; valid != NULL && k < valid->len; k++)
    {
      guint reuse = g_array_index (valid, guint, k);
      guint multipliers = (plan->n_in * plan->n_out + reuse - 1) / reuse;
      g_autofree char *text = g_strdup_printf (_("%u · %u multipliers"), reuse, multipliers);

      gtk_string_list_append (list, text);
      if (reuse == plan->reuse_factor)
        chosen = k;
    }
  adw_combo_row_set_model (self->reuse_row, G_LIST_MODEL (list));
  adw_combo_row_set_selected (self->reuse_row, chosen);
  gtk_widget_set_visible (GTK_WIDGET (self->reuse_row), valid != NULL && valid->len > 0);
  if (valid != NULL && valid->len > 0)
    want_forecasts (self, valid);
  gtk_widget_set_visible (GTK_WIDGET (self->strategy_row), plan != NULL || node == NULL);
  if (plan != NULL)
    for (guint k = 0; k < G_N_ELEMENTS (strategies); k++)
      if (strategies[k] == plan->strategy)
        adw_combo_row_set_selected (self->strategy_row, k);
}

/* For the network as a whole: the usual powers of two. */
static void
fill_model_settings (AppNetworkPage *self,
                     const NnConfig *config)
{
  g_autoptr (GtkStringList) list = gtk_string_list_new (NULL);
  NnType type = nn_config_precision (config, NULL, NULL, "default");
  g_autofree char *precision = nn_type_to_string (&type);
  g_autofree char *clock = g_strdup_printf ("%g", nn_config_clock_ns (config));
  g_autofree char *passes = app_passes_summary (app_document_analysis (app_page_document (APP_PAGE (self))), config);
  guint reuse = nn_config_reuse (config, NULL, NULL);
  NnStrategy strategy = nn_config_strategy (config, NULL, NULL);
  g_autoptr (GArray) offered = g_array_new (FALSE, FALSE, sizeof (guint));
  guint chosen = GTK_INVALID_LIST_POSITION, k = 0;

  for (guint r = 1; r <= 1024; r *= 2, k++)
    {
      g_autofree char *text = g_strdup_printf ("%u", r);

      gtk_string_list_append (list, text);
      g_array_append_val (offered, r);
      if (r == reuse)
        chosen = k;
    }
  if (chosen == GTK_INVALID_LIST_POSITION)
    {
      g_autofree char *text = g_strdup_printf ("%u", reuse);

      gtk_string_list_append (list, text);
      g_array_append_val (offered, reuse);
      chosen = k;
    }
  adw_combo_row_set_model (self->reuse_row, G_LIST_MODEL (list));
  adw_combo_row_set_selected (self->reuse_row, chosen);
  gtk_widget_set_visible (GTK_WIDGET (self->reuse_row), TRUE);
  want_forecasts (self, offered);
  gtk_widget_set_visible (GTK_WIDGET (self->strategy_row), TRUE);
  for (k = 0; k < G_N_ELEMENTS (strategies); k++)
    if (strategies[k] == strategy)
      adw_combo_row_set_selected (self->strategy_row, k);
  gtk_editable_set_text (GTK_EDITABLE (self->precision_row), precision);
  gtk_editable_set_text (GTK_EDITABLE (self->part_row), nn_config_part (config));
  gtk_editable_set_text (GTK_EDITABLE (self->clock_row), clock);
  adw_action_row_set_subtitle (self->passes_row, passes);
}

/* What of the layer can have a type of its own, in the words of the configuration. */
static AdwEntryRow *
type_row (AppNetworkPage *self,
          guint           k,
          const char    **variable)
{
  const struct { const char *variable; AdwEntryRow *row; } rows[] = {
    { "weight", self->precision_row }, { "bias", self->bias_row }, { "accum", self->accum_row }, { "result", self->result_row },
  };

  if (k >= G_N_ELEMENTS (rows))
    return NULL;
  *variable = rows[k].variable;
  return rows[k].row;
}

static void
fill_types (AppNetworkPage *self,
            const NnNode   *node,
            const NnConfig *config)
{
  g_autoptr (NnConfig) own = nn_config_copy (config); /* asking for a layer's settings makes them */
  g_autofree char *parallel = g_strdup_printf ("%u", MAX (nn_config_layer (own, node->name)->parallelization_factor, 1));
  const char *variable;
  AdwEntryRow *row;

  for (guint k = 0; (row = type_row (self, k, &variable)) != NULL; k++)
    {
      NnType type = nn_config_precision (config, node->name, node->class_name, variable);
      g_autofree char *text = nn_type_to_string (&type);

      gtk_editable_set_text (GTK_EDITABLE (row), text);
      gtk_widget_remove_css_class (GTK_WIDGET (row), "error");
    }
  gtk_editable_set_text (GTK_EDITABLE (self->parallel_row), parallel);
}

static void
fill_properties (AppNetworkPage *self,
                 const NnNode   *node)
{
  NnModel *model = app_document_shown (app_page_document (APP_PAGE (self)));

  app_rows_clear (self->properties);
  app_rows_clear (self->source_list);
  gtk_widget_set_visible (GTK_WIDGET (self->properties), node != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->properties_title), node != NULL);
  if (node != NULL)
    app_layer_facts_add (self->properties, model, node);
  gtk_widget_set_visible (GTK_WIDGET (self->source_expander), node != NULL && app_layer_facts_source (self->source_list, node));
}

static void
fill_inspector (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  const AppAnalysis *analysis = app_document_analysis (document);
  const NnNode *node = chosen_node (self);
  g_autofree char *title = app_document_dup_title (document);
  gboolean weighted = node != NULL && node->n_weights > 0;

  self->filling = TRUE;
  app_rows_clear (self->facts);
  gtk_label_set_text (self->name_label, node != NULL ? node->name : title);
  gtk_label_set_text (self->kind_label, node != NULL ? node->class_name : nn_model_info (state->model)->format);
  fill_properties (self, node);
  gtk_widget_set_visible (GTK_WIDGET (self->bias_row), weighted);
  gtk_widget_set_visible (GTK_WIDGET (self->accum_row), weighted);
  gtk_widget_set_visible (GTK_WIDGET (self->result_row), weighted);
  gtk_widget_set_visible (GTK_WIDGET (self->parallel_row), weighted && node->attrs.kernel[0] > 0);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->precision_row), node != NULL ? _("Weight type") : _("Number type"));
  gtk_widget_set_visible (GTK_WIDGET (self->part_row), node == NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->clock_row), node == NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->passes_row), node == NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->settings_group), node == NULL || weighted);
  if (node != NULL)
    {
      fill_reuse (self, node);
      fill_types (self, node, state->config);
      fill_layer_facts (self, node);
    }
  else
    {
      fill_model_settings (self, state->config);
      fill_network_facts (self);
    }
  {
    const char *warning = node != NULL && node->reason != NULL ? node->reason : analysis != NULL ? analysis->problem : NULL;

    gtk_label_set_text (self->warning_label, warning != NULL ? warning : "");
    gtk_widget_set_visible (GTK_WIDGET (self->warning_label), warning != NULL);
  }
  self->filling = FALSE;
}

static void
fill_figure (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  AppMetric metric = gtk_drop_down_get_selected (self->metric_drop);
  gboolean error = metric == APP_METRIC_ERROR;
  AppNetwork *network = app_figures_network (document, metric, gtk_editable_get_text (GTK_EDITABLE (self->search_entry)),
                                             gtk_toggle_button_get_active (self->compare_button));
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  gint64 cursor = app_chart_selected (app_figure_chart (self->figure));

  if (error)
    app_document_want_errors (document);
  app_figure_set_subtitle (self->figure, !error ? NULL : app_document_state (document)->data == NULL
                                           ? _("Open data to see what fixed point does to each layer.")
                                           : _("What fixed point changes in each layer’s result, against its size."));
  app_figure_show_network (self->figure, network);
  app_chart_set_selected (app_figure_chart (self->figure), cursor);
  gtk_widget_set_visible (GTK_WIDGET (self->compare_button), base != NULL && analysis != base);
}

static void
app_network_page_update (AppPage *page)
{
  AppNetworkPage *self = APP_NETWORK_PAGE (page);

  if (app_document_is_empty (app_page_document (page)))
    return;
  if (chosen_node (self) == NULL)
    {
      self->layer = -1;
      app_chart_set_selected (app_figure_chart (self->figure), -1);
    }
  fill_figure (self);
  fill_inspector (self);
}

static void
app_network_page_set_narrow (AppPage  *page,
                             gboolean  narrow)
{
  AppNetworkPage *self = APP_NETWORK_PAGE (page);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->split), narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : 336, narrow ? 240 : -1);
}

static void
on_picked (AppChart       *chart,
           gint64          id,
           AppNetworkPage *self)
{
  self->layer = id;
  app_chart_set_selected (chart, id);
  fill_inspector (self);
}

static void
on_search (AppNetworkPage *self)
{
  const AppNetwork *network;

  fill_figure (self);
  network = app_chart_data (app_figure_chart (self->figure));
  if (network == NULL || *gtk_editable_get_text (GTK_EDITABLE (self->search_entry)) == '\0')
    return;
  for (guint i = 0; i < network->n_nodes; i++)
    if (!network->nodes[i].dimmed)
      {
        on_picked (app_figure_chart (self->figure), i, self);
        app_chart_reveal (app_figure_chart (self->figure), i);
        return;
      }
}

/* A copy of the configuration, changed by one of the rows and put in place as one step of undo. */
static void
commit (AppNetworkPage *self,
        NnConfig       *config,
        const char     *label)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  AppState *next = app_state_copy (app_document_state (document), label);

  app_state_set_config (next, config);
  nn_config_unref (config);
  app_document_push (document, next);
}

static NnLayerConfig *
settings_of (AppNetworkPage *self,
             NnConfig       *config)
{
  const NnNode *node = chosen_node (self);

  return node != NULL ? nn_config_layer (config, node->name) : nn_config_model (config);
}

static void
on_strategy (AppNetworkPage *self)
{
  guint k = adw_combo_row_get_selected (self->strategy_row);
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));
  NnConfig *config;

  if (self->filling || state->config == NULL || k >= G_N_ELEMENTS (strategies))
    return;
  config = nn_config_copy (state->config);
  settings_of (self, config)->strategy = strategies[k];
  commit (self, config, _("Strategy"));
}

static void
on_reuse (AppNetworkPage *self)
{
  GtkStringObject *item = adw_combo_row_get_selected_item (self->reuse_row);
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));
  NnConfig *config;
  guint reuse;

  if (self->filling || state->config == NULL || item == NULL)
    return;
  reuse = g_ascii_strtoull (gtk_string_object_get_string (item), NULL, 10);
  config = nn_config_copy (state->config);
  settings_of (self, config)->reuse_factor = reuse;
  commit (self, config, _("Reuse factor"));
}

/* The entry keeps what was written: nothing is lost by a mistake. */
static void
on_type (AdwEntryRow    *row,
         AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const char *variable = "default", *candidate;
  g_autoptr (GError) error = NULL;
  AdwEntryRow *other;
  NnConfig *config;
  NnType type;

  if (self->filling)
    return;
  if (!nn_type_parse (gtk_editable_get_text (GTK_EDITABLE (row)), &type, &error))
    {
      gtk_widget_add_css_class (GTK_WIDGET (row), "error");
      app_document_fail (document, _("That is not a number type"), error->message);
      return;
    }
  gtk_widget_remove_css_class (GTK_WIDGET (row), "error");
  for (guint k = 0; chosen_node (self) != NULL && (other = type_row (self, k, &candidate)) != NULL; k++)
    if (other == row)
      variable = candidate;
  config = nn_config_copy (app_document_state (document)->config);
  g_hash_table_insert (settings_of (self, config)->precision, g_strdup (variable), g_memdup2 (&type, sizeof type));
  commit (self, config, _("Precision"));
}

static void
on_parallel (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->parallel_row));
  guint64 factor;
  NnConfig *config;

  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &factor, NULL))
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->parallel_row), "error");
      app_document_fail (document, _("That is not a parallelization factor"), _("A whole number from 1 on is expected: how many positions are computed at once."));
      return;
    }
  gtk_widget_remove_css_class (GTK_WIDGET (self->parallel_row), "error");
  config = nn_config_copy (app_document_state (document)->config);
  settings_of (self, config)->parallelization_factor = factor;
  commit (self, config, _("Parallelization factor"));
}

static void
on_part (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->part_row));
  g_autoptr (GError) error = NULL;
  const NnPart *part = nn_part_find (name, &error);
  NnConfig *config;

  if (part == NULL)
    app_document_fail (document, _("This part is not in the catalogue"), error->message);
  config = nn_config_copy (app_document_state (document)->config);
  nn_config_set_part (config, part != NULL ? part->name : name);
  commit (self, config, _("Part"));
}

static void
on_clock (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  NnConfig *config;
  double ns;

  if (!nn_text_to_double (gtk_editable_get_text (GTK_EDITABLE (self->clock_row)), &ns) || !(ns > 0 && ns < 1e6))
    {
      app_document_fail (document, _("That is not a clock period"), _("A number of nanoseconds above 0 is expected, for example 5."));
      return;
    }
  config = nn_config_copy (app_document_state (document)->config);
  nn_config_set_clock_ns (config, ns);
  commit (self, config, _("Clock"));
}

static void
app_network_page_dispose (GObject *object)
{
  drop_forecasts (APP_NETWORK_PAGE (object));
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_NETWORK_PAGE);
  G_OBJECT_CLASS (app_network_page_parent_class)->dispose (object);
}

static void
app_network_page_class_init (AppNetworkPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_network_page_dispose;
  APP_PAGE_CLASS (klass)->update = app_network_page_update;
  APP_PAGE_CLASS (klass)->set_narrow = app_network_page_set_narrow;
  g_type_ensure (APP_TYPE_FIGURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-network-page.ui");
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppNetworkPage, name)
  BIND (split); BIND (figure); BIND (search_bar); BIND (search_entry); BIND (compare_button); BIND (search_button);
  BIND (metric_drop); BIND (sidebar); BIND (name_label); BIND (kind_label); BIND (warning_label); BIND (settings_group);
  BIND (strategy_row); BIND (reuse_row); BIND (precision_row); BIND (bias_row); BIND (accum_row); BIND (result_row); BIND (parallel_row);
  BIND (properties); BIND (properties_title); BIND (source_list); BIND (source_expander); BIND (part_row); BIND (clock_row); BIND (passes_row); BIND (facts);
#undef BIND
}

static void
app_network_page_init (AppNetworkPage *self)
{
  g_autoptr (GtkStringList) metrics = gtk_string_list_new (NULL), names = gtk_string_list_new (NULL);
  const char *variable;
  AdwEntryRow *row;

  gtk_widget_init_template (GTK_WIDGET (self));
  self->layer = -1;
  for (AppMetric m = 0; m < APP_N_METRICS; m++)
    gtk_string_list_append (metrics, app_metric_title (m));
  gtk_drop_down_set_model (self->metric_drop, G_LIST_MODEL (metrics));
  gtk_drop_down_set_selected (self->metric_drop, APP_METRIC_DSP);
  for (guint k = 0; k < G_N_ELEMENTS (strategies); k++)
    gtk_string_list_append (names, nn_strategy_name (strategies[k]));
  adw_combo_row_set_model (self->strategy_row, G_LIST_MODEL (names));
  gtk_search_bar_connect_entry (self->search_bar, GTK_EDITABLE (self->search_entry));
  g_signal_connect (app_figure_chart (self->figure), "picked", G_CALLBACK (on_picked), self);
  g_signal_connect_swapped (self->metric_drop, "notify::selected", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->compare_button, "toggled", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->search_entry, "search-changed", G_CALLBACK (on_search), self);
  g_signal_connect_swapped (self->strategy_row, "notify::selected", G_CALLBACK (on_strategy), self);
  g_signal_connect_swapped (self->reuse_row, "notify::selected", G_CALLBACK (on_reuse), self);
  for (guint k = 0; (row = type_row (self, k, &variable)) != NULL; k++)
    g_signal_connect (row, "apply", G_CALLBACK (on_type), self);
  g_signal_connect_swapped (self->parallel_row, "apply", G_CALLBACK (on_parallel), self);
  g_signal_connect_swapped (self->part_row, "apply", G_CALLBACK (on_part), self);
  g_signal_connect_swapped (self->clock_row, "apply", G_CALLBACK (on_clock), self);
}

void
app_network_page_find (AppNetworkPage *self)
{
  gtk_search_bar_set_search_mode (self->search_bar, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->search_entry));
}

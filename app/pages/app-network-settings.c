/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the inspector sets of a layer, or of the network as a whole: each change is one step of undo. */

#include "app-network-page-private.h"

#include "app-format.h"
#include "app-passes-dialog.h"
#include "app-variants.h"

#include <glib/gi18n.h>

#define MAX_FORECASTS 24

static const NnStrategy strategies[] = { NN_STRATEGY_LATENCY, NN_STRATEGY_RESOURCE, NN_STRATEGY_RESOURCE_UNROLLED,
                                         NN_STRATEGY_DISTRIBUTED_ARITHMETIC };

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

void
app_network_page_drop_forecasts (AppNetworkPage *self)
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

  app_network_page_drop_forecasts (self);
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

void
app_network_page_fill_settings (AppNetworkPage *self,
                                const NnNode   *node)
{
  const NnConfig *config = app_document_state (app_page_document (APP_PAGE (self)))->config;
  gboolean weighted = node != NULL && node->n_weights > 0;

  gtk_widget_set_visible (GTK_WIDGET (self->bias_row), weighted);
  gtk_widget_set_visible (GTK_WIDGET (self->accum_row), weighted);
  gtk_widget_set_visible (GTK_WIDGET (self->result_row), weighted);
  gtk_widget_set_visible (GTK_WIDGET (self->parallel_row), weighted && node->attrs.kernel[0] > 0);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->precision_row), node != NULL ? _("Weight type") : _("Number type"));
  gtk_widget_set_visible (GTK_WIDGET (self->part_row), node == NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->clock_row), node == NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->passes_row), node == NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->settings_group), node == NULL || weighted);
  if (node == NULL)
    {
      fill_model_settings (self, config);
      return;
    }
  fill_reuse (self, node);
  fill_types (self, node, config);
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
  const NnNode *node = app_network_page_chosen (self);

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
  for (guint k = 0; app_network_page_chosen (self) != NULL && (other = type_row (self, k, &candidate)) != NULL; k++)
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

void
app_network_page_init_settings (AppNetworkPage *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  const char *variable;
  AdwEntryRow *row;

  for (guint k = 0; k < G_N_ELEMENTS (strategies); k++)
    gtk_string_list_append (names, nn_strategy_name (strategies[k]));
  adw_combo_row_set_model (self->strategy_row, G_LIST_MODEL (names));
  g_signal_connect_swapped (self->strategy_row, "notify::selected", G_CALLBACK (on_strategy), self);
  g_signal_connect_swapped (self->reuse_row, "notify::selected", G_CALLBACK (on_reuse), self);
  for (guint k = 0; (row = type_row (self, k, &variable)) != NULL; k++)
    g_signal_connect (row, "apply", G_CALLBACK (on_type), self);
  g_signal_connect_swapped (self->parallel_row, "apply", G_CALLBACK (on_parallel), self);
  g_signal_connect_swapped (self->part_row, "apply", G_CALLBACK (on_part), self);
  g_signal_connect_swapped (self->clock_row, "apply", G_CALLBACK (on_clock), self);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the HLS project is asked for beyond backend and ports; the keys are those of the configuration file. */

#include "espalier-config.h"

#include "app-hls-settings.h"

#include "app-names.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define MAX_INTERVAL 1000000
#define MAX_PERCENT 90

/* In the order of the choices offered. */
static const char *const styles[] = { "auto", "dataflow", "pipeline" };
static const char *const wrappers[] = { "none", "axi_stream", "axi_lite", "axi_master" };

/* The rows are NULL until the expander is first opened: their first layout takes longer than the rest of the page's. */
typedef struct {
  AppDocument     *document;
  AdwExpanderRow  *expander;
  AdwComboRow     *style, *wrapper;
  GtkSpinButton   *interval, *uncertainty;
  gboolean         filling;
} Settings;

static guint
find_word (const char *const *words,
           guint              n,
           const char        *word)
{
  for (guint i = 0; word != NULL && i < n; i++)
    if (g_ascii_strcasecmp (words[i], word) == 0)
      return i;
  return 0;
}

static gboolean
has_wrappers (const NnConfig *config)
{
  const NnBackend backend = nn_config_backend (config);

  return backend == NN_BACKEND_VITIS || backend == NN_BACKEND_VIVADO || backend == NN_BACKEND_CATAPULT;
}

static guint
interval_of (const NnConfig *config)
{
  const char *text = nn_config_extra (config, NULL, NULL, "PipelineInterval");
  gint64 value;

  return text != NULL && nn_text_to_int (text, &value) && value > 0 && value <= MAX_INTERVAL ? (guint) value : 0;
}

static void
update (Settings *settings)
{
  const NnConfig *config = app_document_state (settings->document)->config;
  g_autofree char *wrapper = NULL;

  if (config == NULL || settings->style == NULL)
    return;
  wrapper = nn_config_setting (config, "Interface");
  settings->filling = TRUE;
  adw_combo_row_set_selected (settings->style, find_word (styles, G_N_ELEMENTS (styles), nn_config_extra (config, NULL, NULL, "PipelineStyle")));
  adw_combo_row_set_selected (settings->wrapper, find_word (wrappers, G_N_ELEMENTS (wrappers), wrapper));
  gtk_widget_set_sensitive (GTK_WIDGET (settings->wrapper), has_wrappers (config) || adw_combo_row_get_selected (settings->wrapper) > 0);
  gtk_spin_button_set_value (settings->interval, interval_of (config));
  gtk_spin_button_set_value (settings->uncertainty, 100 * nn_config_uncertainty (config));
  settings->filling = FALSE;
}

static NnConfig *
begin (const Settings *settings)
{
  const AppState *state = app_document_state (settings->document);

  return settings->filling || state->config == NULL ? NULL : nn_config_copy (state->config);
}

static void
finish (Settings   *settings,
        NnConfig   *config,
        const char *label)
{
  AppState *next = app_state_copy (app_document_state (settings->document), label);

  app_state_set_config (next, config);
  app_document_push (settings->document, next);
}

static void
on_style (Settings *settings)
{
  g_autoptr (NnConfig) config = begin (settings);
  guint chosen = adw_combo_row_get_selected (settings->style);

  if (config == NULL || chosen >= G_N_ELEMENTS (styles))
    return;
  nn_config_set_extra (config, "PipelineStyle", chosen > 0 ? styles[chosen] : NULL);
  finish (settings, config, _("Pipeline style"));
}

static void
on_wrapper (Settings *settings)
{
  g_autoptr (NnConfig) config = begin (settings);
  guint chosen = adw_combo_row_get_selected (settings->wrapper);

  if (config == NULL || chosen >= G_N_ELEMENTS (wrappers))
    return;
  nn_config_set_setting (config, "Interface", chosen > 0 ? wrappers[chosen] : NULL);
  finish (settings, config, _("Wrapper"));
}

static void
on_interval (Settings *settings)
{
  g_autoptr (NnConfig) config = begin (settings);
  int value = gtk_spin_button_get_value_as_int (settings->interval);
  g_autofree char *text = value > 0 ? g_strdup_printf ("%d", value) : NULL;

  if (config == NULL)
    return;
  nn_config_set_extra (config, "PipelineInterval", text);
  finish (settings, config, _("Interval"));
}

static void
on_uncertainty (Settings *settings)
{
  g_autoptr (NnConfig) config = begin (settings);

  if (config == NULL)
    return;
  nn_config_set_uncertainty (config, gtk_spin_button_get_value (settings->uncertainty) / 100);
  finish (settings, config, _("Clock uncertainty"));
}

static AdwComboRow *
add_combo (Settings          *settings,
           const char        *title,
           const char        *subtitle,
           const char *const *choices,
           GCallback          changed)
{
  AdwComboRow *row = ADW_COMBO_ROW (adw_combo_row_new ());
  g_autoptr (GtkStringList) model = gtk_string_list_new (choices);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  adw_combo_row_set_model (row, G_LIST_MODEL (model));
  g_signal_connect_swapped (row, "notify::selected", changed, settings);
  adw_expander_row_add_row (settings->expander, GTK_WIDGET (row));
  return row;
}

static GtkSpinButton *
add_number (Settings   *settings,
            const char *title,
            const char *subtitle,
            double      most,
            GCallback   changed)
{
  GtkWidget *row = adw_action_row_new (), *spin = gtk_spin_button_new_with_range (0, most, 1);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  gtk_widget_set_valign (spin, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (spin), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  g_signal_connect_swapped (spin, "value-changed", changed, settings);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), spin);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), spin);
  adw_expander_row_add_row (settings->expander, row);
  return GTK_SPIN_BUTTON (spin);
}

static void
settings_free (gpointer data)
{
  Settings *settings = data;

  g_object_unref (settings->document);
  g_free (settings);
}

static void
on_destroy (GtkWidget *widget,
            Settings  *settings)
{
  g_signal_handlers_disconnect_by_data (settings->document, settings);
}

static void
add_rows (Settings *settings)
{
  const char *const style_names[] = { _("Automatic"), _("Layers side by side"), _("One pipeline"), NULL };
  const char *const wrapper_names[] = { _("None"), _("AXI stream, PYNQ driver"), _("AXI registers, PYNQ driver"), _("AXI memory, Vitis kernel and host"), NULL };

  settings->filling = TRUE;
  settings->style = add_combo (settings, _("Pipeline style"), _("Side by side each layer has its own stage and buffers between."), style_names, G_CALLBACK (on_style));
  settings->interval = add_number (settings, _("Interval"), _("Cycles between two samples; 0 takes the largest reuse factor."), MAX_INTERVAL, G_CALLBACK (on_interval));
  settings->uncertainty = add_number (settings, _("Clock uncertainty"), _("Percent of the period that the tool keeps for wiring."), MAX_PERCENT, G_CALLBACK (on_uncertainty));
  settings->wrapper = add_combo (settings, _("Wrapper"), _("Around the network, with what runs it. Of Vitis and Vivado; Catapult has streams."), wrapper_names, G_CALLBACK (on_wrapper));
  settings->filling = FALSE;
  update (settings);
  app_names_apply (GTK_WIDGET (settings->expander));
}

static void
on_expanded (Settings *settings)
{
  if (settings->style == NULL && adw_expander_row_get_expanded (settings->expander))
    add_rows (settings);
}

GtkWidget *
app_hls_settings_new (AppDocument *document)
{
  Settings *settings = g_new0 (Settings, 1);

  settings->document = g_object_ref (document);
  settings->expander = ADW_EXPANDER_ROW (adw_expander_row_new ());
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (settings->expander), _("More settings"));
  g_signal_connect_swapped (settings->expander, "notify::expanded", G_CALLBACK (on_expanded), settings);
  g_signal_connect_swapped (document, "changed", G_CALLBACK (update), settings);
  g_signal_connect (settings->expander, "destroy", G_CALLBACK (on_destroy), settings);
  g_object_set_data_full (G_OBJECT (settings->expander), "settings", settings, settings_free);
  app_names_apply (GTK_WIDGET (settings->expander));
  return GTK_WIDGET (settings->expander);
}

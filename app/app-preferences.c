/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preferences. */

#include "espalier-config.h"

#include "app-preferences.h"

#include "app-chart.h"
#include "app-dialogs.h"
#include "app-names.h"
#include "app-tool-menu.h"
#include "hls.h"
#include "nn.h"

#include <glib/gi18n.h>

GSettings *
app_settings (void)
{
  static GSettings *settings;
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema = NULL;

  if (settings != NULL)
    return settings;
  schema = source != NULL ? g_settings_schema_source_lookup (source, APP_ID, TRUE) : NULL;
  settings = schema != NULL ? g_settings_new (APP_ID) : NULL;
  return settings;
}

void
app_preferences_apply (void)
{
  static const AdwColorScheme schemes[] = { ADW_COLOR_SCHEME_DEFAULT, ADW_COLOR_SCHEME_FORCE_LIGHT, ADW_COLOR_SCHEME_FORCE_DARK };
  GSettings *settings = app_settings ();
  guint threads;

  if (settings == NULL)
    return;
  app_chart_set_ramp (MIN ((guint) g_settings_get_int (settings, "ramp"), APP_N_RAMPS - 1));
  adw_style_manager_set_color_scheme (adw_style_manager_get_default (), schemes[CLAMP (g_settings_get_int (settings, "style"), 0, 2)]);
  threads = g_settings_get_int (settings, "threads");
  nn_parallel_set_threads (threads);
}

static void
on_combo (AdwComboRow *row,
          GParamSpec  *pspec,
          const char  *key)
{
  if (app_settings () != NULL)
    g_settings_set_int (app_settings (), key, adw_combo_row_get_selected (row));
  app_preferences_apply ();
}

static GtkWidget *
combo (const char        *title,
       const char        *subtitle,
       const char *const *choices,
       const char        *key)
{
  GtkWidget *row = adw_combo_row_new ();
  g_autoptr (GtkStringList) model = gtk_string_list_new (choices);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_combo_row_set_model (ADW_COMBO_ROW (row), G_LIST_MODEL (model));
  if (app_settings () != NULL)
    adw_combo_row_set_selected (ADW_COMBO_ROW (row), g_settings_get_int (app_settings (), key));
  g_signal_connect (row, "notify::selected", G_CALLBACK (on_combo), (gpointer) key);
  return row;
}

static void
on_number (GtkSpinButton *spin,
           const char    *key)
{
  if (app_settings () != NULL)
    g_settings_set_int (app_settings (), key, gtk_spin_button_get_value_as_int (spin));
  app_preferences_apply ();
}

static GtkWidget *
number (const char *title,
        const char *subtitle,
        const char *key,
        int         most)
{
  GtkWidget *row = adw_action_row_new (), *spin = gtk_spin_button_new_with_range (0, most, 1);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  gtk_widget_set_valign (spin, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (spin), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  if (app_settings () != NULL)
    gtk_spin_button_set_value (GTK_SPIN_BUTTON (spin), g_settings_get_int (app_settings (), key));
  g_signal_connect (spin, "value-changed", G_CALLBACK (on_number), (gpointer) key);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), spin);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), spin);
  return row;
}

static void
on_apply (AdwEntryRow *row,
          const char  *key)
{
  if (app_settings () != NULL)
    g_settings_set_string (app_settings (), key, gtk_editable_get_text (GTK_EDITABLE (row)));
}

static void
on_file (const char *path,
         gpointer    row)
{
  gtk_editable_set_text (GTK_EDITABLE (row), path);
  on_apply (ADW_ENTRY_ROW (row), g_object_get_data (row, "key"));
}

static void
on_browse (GtkButton *button,
           GtkWidget *row)
{
  app_ask_open (row, adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)), NULL, on_file, row);
}

static GtkWidget *
suffix_button (const char *icon,
               const char *tooltip)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_set_tooltip_text (button, tooltip);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  return button;
}

static GtkWidget *
entry (const char *title,
       const char *key,
       gboolean    is_file)
{
  GtkWidget *row = adw_entry_row_new (), *browse;

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  if (app_settings () != NULL)
    {
      g_autofree char *text = g_settings_get_string (app_settings (), key);

      gtk_editable_set_text (GTK_EDITABLE (row), text);
    }
  adw_entry_row_set_show_apply_button (ADW_ENTRY_ROW (row), TRUE);
  g_signal_connect (row, "apply", G_CALLBACK (on_apply), (gpointer) key);
  if (!is_file)
    return row;
  g_object_set_data (G_OBJECT (row), "key", (gpointer) key);
  browse = suffix_button ("document-open-symbolic", _("Choose a File"));
  g_signal_connect (browse, "clicked", G_CALLBACK (on_browse), row);
  adw_entry_row_add_suffix (ADW_ENTRY_ROW (row), browse);
  return row;
}

static void
on_copy_command (GtkButton *button,
                 gpointer   data)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (button)), HLS_HOST_PERMIT);
}

/* In a sandbox: whether tools of the computer may be started, and what lets them. */
static GtkWidget *
sandbox_row (void)
{
  GtkWidget *row = adw_action_row_new (), *copy;
  gboolean permitted = hls_host_permitted ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), permitted ? _("Tools of this computer may be started")
                                                                      : _("Tools of this computer may not be started"));
  if (permitted)
    return row;
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), HLS_HOST_PERMIT);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  copy = suffix_button ("edit-copy-symbolic", _("Copy the Command That Permits It"));
  g_signal_connect (copy, "clicked", G_CALLBACK (on_copy_command), NULL);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), copy);
  return row;
}

static GtkWidget *
group (const char *title,
       const char *description)
{
  GtkWidget *widget = adw_preferences_group_new ();

  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (widget), title);
  adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (widget), description);
  return widget;
}

/* The program can be chosen among those that are installed. */
static GtkWidget *
tool_entry (void)
{
  GtkWidget *row = entry (_("Program"), "tool", TRUE);

  adw_entry_row_add_suffix (ADW_ENTRY_ROW (row), app_tool_menu_new (on_file, row));
  return row;
}

/* What a job on the cluster that is there asks for. */
static GtkWidget *
cluster_group (HlsCluster cluster)
{
  g_autofree char *title = g_strdup_printf (_("Jobs on %s"), hls_cluster_name (cluster));
  AdwPreferencesGroup *jobs = ADW_PREFERENCES_GROUP (group (title, _("Left empty or 0, the cluster decides.")));

  adw_preferences_group_add (jobs, entry (cluster == HLS_CLUSTER_SLURM ? _("Partition") : _("Accounting group"), "cluster-queue", FALSE));
  adw_preferences_group_add (jobs, number (_("Processors"), NULL, "cluster-cpus", 1024));
  adw_preferences_group_add (jobs, number (_("Memory (GB)"), NULL, "cluster-memory", 4096));
  adw_preferences_group_add (jobs, number (_("Time at most (minutes)"), NULL, "cluster-minutes", 100000));
  return GTK_WIDGET (jobs);
}

void
app_preferences_present (GtkWindow *parent)
{
  GtkWidget *window = adw_preferences_window_new (), *page = adw_preferences_page_new ();
  GtkWidget *looks = group (_("Appearance"), NULL), *work = group (_("Work"), NULL);
  GtkWidget *tools = group (_("Vendor Tools"), _("Left empty, tools are looked for on PATH and in the usual folders."));
  const char *styles[] = { _("Follow the system"), _("Light"), _("Dark"), NULL };
  const char *ramps[] = { _("Cividis"), _("Viridis"), _("Grey"), NULL };

  adw_preferences_page_set_title (ADW_PREFERENCES_PAGE (page), _("Preferences"));
  adw_preferences_page_set_icon_name (ADW_PREFERENCES_PAGE (page), "preferences-system-symbolic");
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (looks), combo (_("Style"), NULL, styles, "style"));
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (looks),
                             combo (_("Colours"), _("All are readable with colour-blind eyes"), ramps, "ramp"));
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (work), number (_("Threads"), _("0: all of this computer. Results do not depend on it."), "threads", 256));
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (tools), tool_entry ());
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (tools), entry (_("Settings script, sourced before it"), "tool-settings", TRUE));
  if (hls_host_sandboxed ())
    adw_preferences_group_add (ADW_PREFERENCES_GROUP (tools), sandbox_row ());
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (looks));
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (work));
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (tools));
  if (hls_cluster_find () != HLS_CLUSTER_NONE)
    adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (cluster_group (hls_cluster_find ())));
  adw_preferences_window_add (ADW_PREFERENCES_WINDOW (window), ADW_PREFERENCES_PAGE (page));
  adw_preferences_window_set_search_enabled (ADW_PREFERENCES_WINDOW (window), FALSE);
  app_names_apply (window);
  gtk_window_set_default_size (GTK_WINDOW (window), 640, hls_host_sandboxed () ? 680 : 620);
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_set_modal (GTK_WINDOW (window), TRUE);
  gtk_window_present (GTK_WINDOW (window));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The graph passes: what each did to the network, and which are left out. Names and texts are the engine's. */

#include "espalier-config.h"

#include "app-passes-dialog.h"

#include <adwaita.h>
#include <glib/gi18n.h>

typedef struct {
  const NnPass *pass;
  AdwActionRow *row;
  GtkSwitch    *control;
} Row;

typedef struct {
  AppDocument         *document;
  AdwPreferencesGroup *optional;
  GArray              *rows; /* of Row */
  gboolean             filling;
} Choice;

static void
choice_free (gpointer data)
{
  Choice *choice = data;

  g_object_unref (choice->document);
  g_array_unref (choice->rows);
  g_free (choice);
}

/* Something else may hold the window for a while: its rows are gone all the same. */
static void
on_destroy (GtkWidget *window,
            Choice    *choice)
{
  g_signal_handlers_disconnect_by_data (choice->document, choice);
}

/* A word of the configuration may be our name of a pass or hls4ml's. */
gboolean
app_passes_is_on (const NnConfig *config,
                  const NnPass   *pass)
{
  g_auto (GStrv) words = nn_config_skipped_passes (config);

  for (char **word = words; *word != NULL; word++)
    if (nn_pass_find (*word) == pass)
      return FALSE;
  return TRUE;
}

/* Words that are no pass of ours stay where they are: another program wrote them. */
void
app_passes_switch (AppDocument  *document,
                   const NnPass *pass,
                   gboolean      on)
{
  const AppState *state = app_document_state (document);
  g_auto (GStrv) words = nn_config_skipped_passes (state->config);
  g_autoptr (GPtrArray) left_out = g_ptr_array_new ();
  g_autoptr (NnConfig) config = NULL;
  g_autofree char *label = g_strdup_printf (on ? _("Pass “%s” on") : _("Pass “%s” off"), pass->name);
  AppState *next;

  if (app_passes_is_on (state->config, pass) == on)
    return;
  for (char **word = words; *word != NULL; word++)
    if (nn_pass_find (*word) != pass)
      g_ptr_array_add (left_out, *word);
  if (!on)
    g_ptr_array_add (left_out, (gpointer) pass->name);
  g_ptr_array_add (left_out, NULL);
  config = nn_config_copy (state->config);
  nn_config_skip_passes (config, (const char *const *) left_out->pdata);
  next = app_state_copy (state, label);
  app_state_set_config (next, config);
  app_document_push (document, next);
}

static const char *const *
layers_of (const AppAnalysis *analysis,
           const NnPass      *pass)
{
  static const char *const none[] = { NULL };
  guint n;

  if (analysis == NULL || analysis->design == NULL)
    return none;
  return nn_design_pass_layers (analysis->design, pass - nn_passes (&n));
}

char *
app_passes_did (const AppAnalysis *analysis,
                const NnPass      *pass)
{
  guint n = g_strv_length ((char **) layers_of (analysis, pass));

  return n > 0 ? g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, pass->did[0], pass->did[1], n), n) : NULL;
}

char *
app_passes_summary (const AppAnalysis *analysis,
                    const NnConfig    *config)
{
  guint n, n_at_work = 0, n_off = 0;
  const NnPass *passes = nn_passes (&n);
  g_autofree char *at_work = NULL, *off = NULL;

  if (analysis != NULL && analysis->design == NULL)
    return g_strdup (_("The network cannot become hardware"));
  for (guint i = 0; i < n; i++)
    {
      n_at_work += layers_of (analysis, &passes[i])[0] != NULL;
      n_off += !app_passes_is_on (config, &passes[i]);
    }
  at_work = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u changed the network", "%u changed the network", n_at_work), n_at_work);
  off = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u is off", "%u are off", n_off), n_off);
  return n_off > 0 ? g_strdup_printf ("%s, %s", at_work, off) : g_steal_pointer (&at_work);
}

/* What it is for, and then what it did and where. */
static char *
subtitle_of (const AppAnalysis *analysis,
             const NnConfig    *config,
             const NnPass      *pass)
{
  g_autofree char *did = app_passes_did (analysis, pass), *names = NULL;

  if (!app_passes_is_on (config, pass))
    return g_strdup_printf ("%s\n%s", _(pass->description), _("Left out."));
  if (did == NULL)
    return g_strdup (_(pass->description));
  names = g_strjoinv (", ", (char **) layers_of (analysis, pass));
  return g_strdup_printf ("%s\n%s: %s", _(pass->description), did, names);
}

static void
update (Choice *choice)
{
  const AppState *state = app_document_state (choice->document);
  const AppAnalysis *analysis = app_document_analysis (choice->document);
  g_autofree char *problem = NULL;

  if (state->config == NULL)
    return;
  if (analysis != NULL && analysis->config != state->config)
    analysis = NULL; /* of other settings: the next is on its way */
  if (analysis != NULL && analysis->problem != NULL)
    problem = g_markup_escape_text (analysis->problem, -1);
  adw_preferences_group_set_description (choice->optional, problem != NULL ? problem : _("From the network as loaded to the network as hardware, in this order."));
  choice->filling = TRUE;
  for (guint i = 0; i < choice->rows->len; i++)
    {
      Row *row = &g_array_index (choice->rows, Row, i);
      g_autofree char *text = subtitle_of (analysis, state->config, row->pass);

      adw_action_row_set_subtitle (row->row, text);
      if (row->control != NULL)
        gtk_switch_set_active (row->control, app_passes_is_on (state->config, row->pass));
    }
  choice->filling = FALSE;
}

static void
on_switched (GtkSwitch  *control,
             GParamSpec *property,
             Choice     *choice)
{
  if (!choice->filling)
    app_passes_switch (choice->document, g_object_get_data (G_OBJECT (control), "pass"), gtk_switch_get_active (control));
}

static void
add_row (Choice              *choice,
         AdwPreferencesGroup *group,
         const NnPass        *pass)
{
  Row row = { pass, ADW_ACTION_ROW (adw_action_row_new ()), NULL };

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row.row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row.row), pass->name);
  adw_action_row_set_subtitle_lines (row.row, 0);
  if (!pass->needed)
    {
      row.control = GTK_SWITCH (gtk_switch_new ());
      gtk_widget_set_valign (GTK_WIDGET (row.control), GTK_ALIGN_CENTER);
      g_object_set_data (G_OBJECT (row.control), "pass", (gpointer) pass);
      gtk_accessible_update_property (GTK_ACCESSIBLE (row.control), GTK_ACCESSIBLE_PROPERTY_LABEL, pass->name, -1);
      g_signal_connect (row.control, "notify::active", G_CALLBACK (on_switched), choice);
      adw_action_row_add_suffix (row.row, GTK_WIDGET (row.control));
      adw_action_row_set_activatable_widget (row.row, GTK_WIDGET (row.control));
    }
  adw_preferences_group_add (group, GTK_WIDGET (row.row));
  g_array_append_val (choice->rows, row);
}

static AdwPreferencesPage *
make_page (Choice *choice)
{
  AdwPreferencesPage *page = ADW_PREFERENCES_PAGE (adw_preferences_page_new ());
  AdwPreferencesGroup *needed = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());
  guint n;
  const NnPass *passes = nn_passes (&n);

  choice->optional = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());
  adw_preferences_group_set_title (choice->optional, _("May Be Switched Off"));
  adw_preferences_group_set_title (needed, _("Needed by the Hardware"));
  for (guint i = 0; i < n; i++)
    if (!passes[i].optional)
      add_row (choice, passes[i].needed ? needed : choice->optional, &passes[i]);
  adw_preferences_page_add (page, choice->optional);
  adw_preferences_page_add (page, needed);
  return page;
}

GtkWindow *
app_passes_dialog_present (GtkWindow   *parent,
                           AppDocument *document)
{
  AdwPreferencesWindow *window;
  Choice *choice;

  if (app_document_is_empty (document))
    return NULL;
  choice = g_new0 (Choice, 1);
  choice->document = g_object_ref (document);
  choice->rows = g_array_new (FALSE, TRUE, sizeof (Row));
  window = ADW_PREFERENCES_WINDOW (adw_preferences_window_new ());
  gtk_window_set_title (GTK_WINDOW (window), _("Graph Passes"));
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_set_modal (GTK_WINDOW (window), TRUE);
  adw_preferences_window_set_search_enabled (window, FALSE);
  adw_preferences_window_add (window, make_page (choice));
  update (choice);
  g_signal_connect_swapped (document, "changed", G_CALLBACK (update), choice);
  g_signal_connect_swapped (document, "analysed", G_CALLBACK (update), choice);
  g_signal_connect (window, "destroy", G_CALLBACK (on_destroy), choice);
  g_object_set_data_full (G_OBJECT (window), "choice", choice, choice_free);
  gtk_window_present (GTK_WINDOW (window));
  return GTK_WINDOW (window);
}

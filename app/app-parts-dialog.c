/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A part that the catalogue lacks is told here; it is kept in the data folder, for the command line too. */

#include "app-parts-dialog.h"

#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

typedef struct {
  AppDocument         *document;
  AdwPreferencesWindow *window;
  AdwEntryRow         *name, *title;
  AdwComboRow         *family;
  AdwEntryRow         *figures[NN_N_RESOURCES];
  AdwPreferencesGroup *list;
  GPtrArray           *rows; /* of @list */
} Form;

static void
form_free (gpointer data)
{
  Form *form = data;

  g_object_unref (form->document);
  g_ptr_array_unref (form->rows);
  g_free (form);
}

static void
say (AdwPreferencesWindow *window,
     const char           *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  adw_preferences_window_add_toast (window, adw_toast_new (escaped));
}

/* Thousands may be set apart, as figures are shown. */
static gboolean
read_figure (const char *text,
             double     *figure,
             GError    **error)
{
  g_autoptr (GString) digits = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isdigit (c))
        g_string_append_printf (digits, "%d", g_unichar_digit_value (c));
      else if (!g_unichar_isspace (c) && c != ',' && c != '.' && c != '\'')
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, _("“%s” is not a number of blocks"), text);
          return FALSE;
        }
    }
  *figure = digits->len > 0 ? g_ascii_strtod (digits->str, NULL) : -1;
  return TRUE;
}

gboolean
app_parts_add_from_texts (const char        *name,
                          const char        *title,
                          NnFamily           family,
                          const char *const *figures,
                          GError           **error)
{
  g_autofree char *word = g_strstrip (g_strdup (name)), *words = g_strstrip (g_strdup (title));
  NnPart part = { .name = word, .title = *words != '\0' ? words : word, .family = family, .source = _("entered in Espalier") };

  nn_part_set_family (&part, family);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (!read_figure (figures[r], &part.total.amount[r], error))
      return FALSE;
  return nn_parts_add (&part, error) && nn_parts_save_own (error);
}

char *
app_parts_describe (const NnPart *part)
{
  g_autoptr (GString) text = g_string_new (nn_family_name (part->family));

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (part->total.amount[r] >= 0)
      {
        g_autofree char *count = app_format_count (part->total.amount[r]);

        g_string_append_printf (text, ", %s %s", count, app_resource_title (r));
      }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void fill_list (Form *form);

static void
on_remove (GtkButton *button,
           Form      *form)
{
  g_autoptr (GError) error = NULL;
  const char *name = g_object_get_data (G_OBJECT (button), "part");

  nn_parts_remove (name);
  if (!nn_parts_save_own (&error))
    say (form->window, error->message);
  app_document_reanalyse (form->document);
  fill_list (form);
}

static GtkWidget *
row_of (const char *title,
        const char *subtitle,
        const char *tooltip,
        GtkWidget **button)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  if (tooltip == NULL)
    return row;
  *button = gtk_button_new_from_icon_name ("user-trash-symbolic");
  gtk_widget_set_tooltip_text (*button, tooltip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (*button), GTK_ACCESSIBLE_PROPERTY_LABEL, tooltip, -1);
  gtk_widget_set_valign (*button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (*button, "flat");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), *button);
  return row;
}

static void
fill_list (Form *form)
{
  guint n;
  const NnPart *const *parts = nn_parts (&n);

  for (guint i = 0; i < form->rows->len; i++)
    adw_preferences_group_remove (form->list, form->rows->pdata[i]);
  g_ptr_array_set_size (form->rows, 0);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = NULL;
      GtkWidget *button = NULL, *row;

      if (!nn_part_is_own (parts[i]))
        continue;
      text = app_parts_describe (parts[i]);
      row = row_of (parts[i]->name, text, _("Take This Part Away"), &button);
      g_object_set_data_full (G_OBJECT (button), "part", g_strdup (parts[i]->name), g_free);
      g_signal_connect (button, "clicked", G_CALLBACK (on_remove), form);
      adw_preferences_group_add (form->list, row);
      g_ptr_array_add (form->rows, row);
    }
  gtk_widget_set_visible (GTK_WIDGET (form->list), form->rows->len > 0);
}

static void
on_add (GtkButton *button,
        Form      *form)
{
  const char *figures[NN_N_RESOURCES];
  g_autoptr (GError) error = NULL;

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    figures[r] = gtk_editable_get_text (GTK_EDITABLE (form->figures[r]));
  if (app_parts_add_from_texts (gtk_editable_get_text (GTK_EDITABLE (form->name)), gtk_editable_get_text (GTK_EDITABLE (form->title)),
                                adw_combo_row_get_selected (form->family), figures, &error))
    {
      say (form->window, _("The part is in the catalogue now"));
      app_document_reanalyse (form->document);
      fill_list (form);
    }
  else
    say (form->window, error->message);
}

static AdwEntryRow *
entry (AdwPreferencesGroup *group,
       const char          *title)
{
  GtkWidget *row = adw_entry_row_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_preferences_group_add (group, row);
  return ADW_ENTRY_ROW (row);
}

static AdwPreferencesGroup *
group_of (const char *title,
          const char *description)
{
  AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP (adw_preferences_group_new ());

  adw_preferences_group_set_title (group, title);
  adw_preferences_group_set_description (group, description);
  return group;
}

static AdwPreferencesGroup *
make_form (Form *form)
{
  AdwPreferencesGroup *group = group_of (_("New Part"), _("Figures of its data sheet; one left empty is not known, and no limit is drawn for it."));
  g_autoptr (GtkStringList) families = gtk_string_list_new (NULL);
  GtkWidget *add = gtk_button_new_with_mnemonic (_("_Add"));

  form->name = entry (group, _("Name, as the vendor's tool has it"));
  form->title = entry (group, _("Title"));
  form->family = ADW_COMBO_ROW (adw_combo_row_new ());
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (form->family), _("Family: decides multipliers, memories and speed"));
  for (guint f = 0; f < NN_N_FAMILIES; f++)
    gtk_string_list_append (families, nn_family_name (f));
  adw_combo_row_set_model (form->family, G_LIST_MODEL (families));
  adw_combo_row_set_selected (form->family, NN_FAMILY_ULTRASCALE_PLUS);
  adw_preferences_group_add (group, GTK_WIDGET (form->family));
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    form->figures[r] = entry (group, app_resource_title (r));
  gtk_widget_add_css_class (add, "suggested-action");
  gtk_widget_set_valign (add, GTK_ALIGN_CENTER);
  g_signal_connect (add, "clicked", G_CALLBACK (on_add), form);
  adw_preferences_group_set_header_suffix (group, add);
  return group;
}

/* A window of one page with @group; @data goes with it. */
static AdwPreferencesWindow *
window_of (GtkWindow  *parent,
           const char *title)
{
  GtkWidget *window = adw_preferences_window_new ();

  gtk_window_set_title (GTK_WINDOW (window), title);
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_set_modal (GTK_WINDOW (window), TRUE);
  adw_preferences_window_set_search_enabled (ADW_PREFERENCES_WINDOW (window), FALSE);
  return ADW_PREFERENCES_WINDOW (window);
}

GtkWindow *
app_parts_dialog_present (GtkWindow   *parent,
                          AppDocument *document)
{
  Form *form = g_new0 (Form, 1);
  AdwPreferencesPage *page = ADW_PREFERENCES_PAGE (adw_preferences_page_new ());

  form->document = g_object_ref (document);
  form->rows = g_ptr_array_new ();
  form->window = window_of (parent, _("Parts"));
  form->list = group_of (_("Your Own Parts"), _("A part of the same name takes the place of a shipped one."));
  adw_preferences_page_add (page, make_form (form));
  adw_preferences_page_add (page, form->list);
  adw_preferences_window_add (form->window, page);
  fill_list (form);
  g_object_set_data_full (G_OBJECT (form->window), "form", form, form_free);
  gtk_window_present (GTK_WINDOW (form->window));
  return GTK_WINDOW (form->window);
}

typedef struct {
  AppDocument          *document;
  AdwPreferencesWindow *window;
  AdwPreferencesGroup  *list;
  GPtrArray            *rows;
} Lessons;

static void
lessons_free (gpointer data)
{
  Lessons *lessons = data;

  g_object_unref (lessons->document);
  g_ptr_array_unref (lessons->rows);
  g_free (lessons);
}

static NnCalibration *
load (Lessons *lessons)
{
  g_autofree char *path = nn_calibration_own_path ();
  g_autoptr (GError) error = NULL;
  NnCalibration *calibration;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return nn_calibration_new ();
  calibration = nn_calibration_load (path, &error);
  if (calibration == NULL)
    say (lessons->window, error->message);
  return calibration != NULL ? calibration : nn_calibration_new ();
}

static void fill_lessons (Lessons *lessons);

/* By source and stage: the file may have changed since the list was filled. */
static void
on_forget (GtkButton *button,
           Lessons   *lessons)
{
  g_autoptr (NnCalibration) calibration = load (lessons);
  g_autofree char *path = nn_calibration_own_path ();
  g_autoptr (GError) error = NULL;
  const char *source = g_object_get_data (G_OBJECT (button), "source"), *stage = g_object_get_data (G_OBJECT (button), "stage");

  for (guint i = nn_calibration_n_entries (calibration); i > 0; i--)
    {
      const NnCalibrationEntry *e = nn_calibration_entry (calibration, i - 1);

      if (g_str_equal (e->source, source) && g_str_equal (e->stage, stage))
        nn_calibration_remove (calibration, i - 1);
    }
  if (!nn_calibration_save (calibration, path, &error))
    say (lessons->window, error->message);
  app_document_reanalyse (lessons->document);
  fill_lessons (lessons);
}

/* "LUT 41 200 estimated, 38 100 measured" */
static void
append_pair (GString    *text,
             const char *title,
             double      estimated,
             double      measured)
{
  g_autofree char *a = NULL, *b = NULL;

  if (!(estimated > 0) || !(measured > 0))
    return;
  a = app_format_count (estimated);
  b = app_format_count (measured);
  g_string_append_printf (text, _("\n%s: %s estimated, %s measured"), title, a, b);
}

static char *
lesson_text (const NnCalibrationEntry *e)
{
  g_autoptr (GString) text = g_string_new (e->source);

  append_pair (text, app_resource_title (NN_RESOURCE_LUT), e->estimated.amount[NN_RESOURCE_LUT], e->measured.amount[NN_RESOURCE_LUT]);
  append_pair (text, app_resource_title (NN_RESOURCE_FF), e->estimated.amount[NN_RESOURCE_FF], e->measured.amount[NN_RESOURCE_FF]);
  append_pair (text, _("Latency (cycles)"), e->estimated_latency, e->measured_latency);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
fill_lessons (Lessons *lessons)
{
  g_autoptr (NnCalibration) calibration = load (lessons);
  guint n = nn_calibration_n_entries (calibration);

  for (guint i = 0; i < lessons->rows->len; i++)
    adw_preferences_group_remove (lessons->list, lessons->rows->pdata[i]);
  g_ptr_array_set_size (lessons->rows, 0);
  for (guint i = 0; i < n; i++)
    {
      const NnCalibrationEntry *e = nn_calibration_entry (calibration, i);
      g_autofree char *title = g_strdup_printf ("%s %s, %s, %s", e->tool, e->version, e->part, e->stage), *text = lesson_text (e);
      GtkWidget *button = NULL, *row = row_of (title, text, _("Forget This Report"), &button);

      g_object_set_data_full (G_OBJECT (button), "source", g_strdup (e->source), g_free);
      g_object_set_data_full (G_OBJECT (button), "stage", g_strdup (e->stage), g_free);
      g_signal_connect (button, "clicked", G_CALLBACK (on_forget), lessons);
      adw_preferences_group_add (lessons->list, row);
      g_ptr_array_add (lessons->rows, row);
    }
  adw_preferences_group_set_description (lessons->list,
                                         n > 0 ? _("Estimates for the same tool, version and family of parts are corrected by these reports.")
                                               : _("None yet. Drop a report on the window and choose “Calibrate Estimates” on the page Hardware."));
}

GtkWindow *
app_calibration_dialog_present (GtkWindow   *parent,
                                AppDocument *document)
{
  Lessons *lessons = g_new0 (Lessons, 1);
  AdwPreferencesPage *page = ADW_PREFERENCES_PAGE (adw_preferences_page_new ());

  lessons->document = g_object_ref (document);
  lessons->rows = g_ptr_array_new ();
  lessons->window = window_of (parent, _("Calibration"));
  lessons->list = group_of (_("Learnt From Reports"), NULL);
  adw_preferences_page_add (page, lessons->list);
  adw_preferences_window_add (lessons->window, page);
  fill_lessons (lessons);
  g_object_set_data_full (G_OBJECT (lessons->window), "lessons", lessons, lessons_free);
  gtk_window_present (GTK_WINDOW (lessons->window));
  return GTK_WINDOW (lessons->window);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a data file is to be read: which arrays or columns are inputs and labels, how it is divided and scaled. Says at once what the
 * choice would give. */

#include "app-arrays-dialog.h"

#include "app-axis.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <string.h>

/* How much better inputs are that the network can take. */
#define FITS_THE_NETWORK 1e6
#define MOST_HEIGHT 420
#define MOST_PERCENT 90
/* The largest number of a byte. */
#define BYTES 255

typedef struct {
  char          *path;
  GPtrArray     *all;     /* owned: NnDataEntry */
  GPtrArray     *entries; /* owned: those of them that can be read */
  gboolean       table;   /* they are columns */
  gsize          n_inputs; /* of the network; 0 where there is none */
  AppArraysFunc  func;
  GObject       *object;
  AdwMessageDialog *dialog;
  AdwComboRow   *x_row;   /* nullable */
  AdwComboRow   *y_row;   /* nullable */
  AdwExpanderRow *columns; /* nullable: of a table */
  GPtrArray     *checks;  /* GtkCheckButton: of each column */
  GtkSpinButton *validation, *test, *limit;
  GtkSwitch     *standardize, *divide;
  GtkLabel      *preview;
} Question;

static void
question_free (Question *question)
{
  g_free (question->path);
  g_ptr_array_unref (question->entries);
  g_ptr_array_unref (question->all);
  g_ptr_array_unref (question->checks);
  g_object_unref (question->object);
  g_free (question);
}

static const NnDataEntry *
chosen (const Question *question,
        AdwComboRow    *row)
{
  guint i = row != NULL ? adw_combo_row_get_selected (row) : G_MAXUINT;

  return i < question->entries->len ? g_ptr_array_index (question->entries, i) : NULL;
}

static gboolean
is_input (const Question *question,
          guint           column)
{
  return question->entries->pdata[column] != chosen (question, question->y_row)
         && gtk_check_button_get_active (question->checks->pdata[column]);
}

/* Elements of one sample. */
static gsize
width (const NnDataEntry *entry)
{
  gsize n = 1;

  for (guint d = 1; d < entry->shape.rank; d++)
    n *= entry->shape.dims[d];
  return n;
}

/* Inputs of one sample as they are chosen. */
static gsize
chosen_width (const Question *question)
{
  gsize n = 0;

  if (!question->table)
    return chosen (question, question->x_row) != NULL ? width (chosen (question, question->x_row)) : 0;
  for (guint i = 0; i < question->entries->len; i++)
    n += is_input (question, i);
  return n;
}

static gboolean
fit (const NnDataEntry *x,
     const NnDataEntry *y)
{
  return x != NULL && y != NULL && x != y && x->shape.rank >= 1 && y->shape.rank >= 1 && x->shape.dims[0] > 0
         && x->shape.dims[0] == y->shape.dims[0];
}

/* "float32, 1 000 × 16", and what stands first in it: "0.12  −1.3  4 …" */
static char *
describe (const NnDataEntry *entry)
{
  g_autofree char *shape = app_format_shape (&entry->shape);
  GString *text = g_string_new (NULL);

  g_string_printf (text, "%s, %s", entry->type, shape);
  for (guint i = 0; i < entry->n_first; i++)
    {
      g_autofree char *value = entry->first != NULL ? app_number (entry->first[i], 4) : g_strdup (entry->first_texts[i]);

      g_string_append (text, i == 0 ? "\n" : "  ");
      g_string_append (text, value);
    }
  if (entry->n_first > 0 && (gsize) entry->n_first < nn_shape_count (&entry->shape))
    g_string_append (text, " …");
  return g_string_free (text, FALSE);
}

static void
show_row (const Question *question,
          AdwComboRow    *row)
{
  g_autofree char *text = chosen (question, row) != NULL ? describe (chosen (question, row)) : NULL;

  if (text == NULL)
    return;
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (row), chosen (question, row)->name); /* which may be long */
}

/* (nullable): what stands in the way */
static const char *
problem (const Question *question)
{
  const NnDataEntry *x = chosen (question, question->x_row), *y = chosen (question, question->y_row);

  if (gtk_spin_button_get_value (question->validation) + gtk_spin_button_get_value (question->test) > MOST_PERCENT)
    return _("Too little is left for training.");
  if (question->y_row == NULL)
    return NULL;
  if (question->table)
    return chosen_width (question) == 0 ? _("No column is left for the inputs.") : NULL;
  return x == y ? _("Inputs and labels are the same array.") : !fit (x, y) ? _("These two have different numbers of samples.") : NULL;
}

static char *
say (const Question *question)
{
  const NnDataEntry *y = chosen (question, question->y_row);
  g_autofree char *n = NULL, *inputs = NULL, *labels = NULL, *wanted = NULL;

  if (y == NULL)
    return g_strdup ("");
  n = app_format_count (y->shape.dims[0]);
  inputs = app_format_count (chosen_width (question));
  labels = app_format_count (width (y));
  wanted = app_format_count (question->n_inputs);
  if (question->n_inputs > 0 && question->n_inputs != chosen_width (question))
    return g_strdup_printf (_("%s samples, each of %s inputs; the network takes %s."), n, inputs, wanted);
  if (width (y) == 1)
    return g_strdup_printf (_("%s samples, each of %s inputs and one label"), n, inputs);
  return g_strdup_printf (_("%s samples, each of %s inputs and %s labels"), n, inputs, labels);
}

static void
show_choice (Question *question)
{
  const char *wrong = problem (question);
  g_autofree char *text = wrong != NULL ? g_strdup (wrong) : say (question), *columns = NULL;

  show_row (question, question->x_row);
  show_row (question, question->y_row);
  for (guint i = 0; i < question->checks->len; i++)
    gtk_widget_set_sensitive (question->checks->pdata[i], question->entries->pdata[i] != chosen (question, question->y_row));
  if (question->columns != NULL)
    {
      columns = g_strdup_printf (_("%u of %u columns"), (guint) chosen_width (question), question->entries->len);
      adw_expander_row_set_subtitle (question->columns, columns);
    }
  gtk_label_set_text (question->preview, text);
  gtk_widget_set_visible (GTK_WIDGET (question->preview), *text != '\0');
  adw_message_dialog_set_response_enabled (question->dialog, "open", wrong == NULL);
}

static AdwComboRow *
make_row (Question   *question,
          const char *title,
          guint       selected)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  AdwComboRow *row = ADW_COMBO_ROW (adw_combo_row_new ());

  for (guint i = 0; i < question->entries->len; i++)
    gtk_string_list_append (names, ((const NnDataEntry *) question->entries->pdata[i])->name);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
  adw_combo_row_set_selected (row, selected);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 2);
  return row;
}

static gboolean
called (const Question *question,
        guint           i,
        const char     *name)
{
  return name != NULL && strcmp (((const NnDataEntry *) question->entries->pdata[i])->name, name) == 0;
}

/* The pair that fits with most inputs, or as many as the network takes, and fewest labels. */
static void
guess (const Question *question,
       guint          *x,
       guint          *y)
{
  double best = 0;

  for (guint i = 0; i < question->entries->len; i++)
    for (guint k = 0; k < question->entries->len; k++)
      {
        const NnDataEntry *a = g_ptr_array_index (question->entries, i), *b = g_ptr_array_index (question->entries, k);
        double worth = fit (a, b) ? (double) width (a) / width (b) * a->shape.dims[0] : 0;

        if (question->n_inputs > 0 && width (a) == question->n_inputs)
          worth *= FITS_THE_NETWORK;

        if (worth > best)
          best = worth, *x = i, *y = k;
      }
}

/* The columns that are inputs now, with commas between; %NULL for all but the label. (transfer full) */
static char *
input_columns (const Question *question)
{
  GString *names = g_string_new (NULL);
  gboolean all = TRUE;

  for (guint i = 0; i < question->entries->len; i++)
    if (is_input (question, i))
      g_string_append_printf (names, "%s%s", names->len > 0 ? "," : "", ((const NnDataEntry *) question->entries->pdata[i])->name);
    else
      all = all && question->entries->pdata[i] == chosen (question, question->y_row);
  return g_string_free (names, all);
}

static void
answer (Question *question)
{
  const NnDataEntry *x = chosen (question, question->x_row), *y = chosen (question, question->y_row);
  g_autofree char *columns = question->table ? input_columns (question) : NULL;
  NnDataOptions reading;

  nn_data_options_init (&reading);
  reading.x = question->table ? columns : x != NULL ? x->name : NULL;
  reading.y = y != NULL ? y->name : NULL;
  reading.validation = gtk_spin_button_get_value (question->validation) / 100;
  reading.test = gtk_spin_button_get_value (question->test) / 100;
  reading.limit = (guint64) gtk_spin_button_get_value (question->limit);
  reading.standardize = gtk_switch_get_active (question->standardize);
  reading.divide = gtk_switch_get_active (question->divide) ? BYTES : 0;
  question->func (question->path, &reading, question->object);
}

static void
on_response (AdwMessageDialog *dialog,
             const char       *response,
             Question         *question)
{
  g_signal_handlers_disconnect_by_data (dialog, question);
  for (guint i = 0; i < question->checks->len; i++)
    g_signal_handlers_disconnect_by_data (question->checks->pdata[i], question);
  if (question->x_row != NULL)
    g_signal_handlers_disconnect_by_data (question->x_row, question);
  if (question->y_row != NULL)
    g_signal_handlers_disconnect_by_data (question->y_row, question);
  g_signal_handlers_disconnect_by_data (question->validation, question);
  g_signal_handlers_disconnect_by_data (question->test, question);
  if (g_str_equal (response, "open"))
    answer (question);
  question_free (question);
}

static GtkWidget *
make_list (const char *name)
{
  GtkWidget *list = gtk_list_box_new ();

  gtk_list_box_set_selection_mode (GTK_LIST_BOX (list), GTK_SELECTION_NONE);
  gtk_widget_add_css_class (list, "boxed-list");
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  return list;
}

static GtkWidget *
add_setting (GtkWidget  *list,
             const char *title,
             const char *subtitle,
             GtkWidget  *control)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  gtk_widget_set_valign (control, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (control), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), control);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), control);
  gtk_list_box_append (GTK_LIST_BOX (list), row);
  return control;
}

static GtkSpinButton *
make_spin (double most,
           double step,
           double value)
{
  GtkWidget *spin = gtk_spin_button_new_with_range (0, most, step);

  gtk_spin_button_set_value (GTK_SPIN_BUTTON (spin), value);
  gtk_editable_set_width_chars (GTK_EDITABLE (spin), 6);
  return GTK_SPIN_BUTTON (spin);
}

static GtkSwitch *
make_switch (gboolean active)
{
  GtkWidget *control = gtk_switch_new ();

  gtk_switch_set_active (GTK_SWITCH (control), active);
  return GTK_SWITCH (control);
}

/* The columns of a table, each with a mark. */
static void
add_columns (Question            *question,
             GtkWidget           *list,
             const NnDataOptions *reading)
{
  g_auto (GStrv) wanted = reading->x != NULL ? g_strsplit (reading->x, ",", -1) : NULL;

  question->columns = ADW_EXPANDER_ROW (adw_expander_row_new ());
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (question->columns), _("Inputs"));
  for (guint i = 0; i < question->entries->len; i++)
    {
      const NnDataEntry *entry = question->entries->pdata[i];
      GtkWidget *check = gtk_check_button_new (), *row = adw_action_row_new ();
      g_autofree char *text = describe (entry);
      gboolean on = wanted != NULL ? g_strv_contains ((const char *const *) wanted, entry->name) : !g_str_equal (entry->type, "text");

      gtk_check_button_set_active (GTK_CHECK_BUTTON (check), on);
      gtk_accessible_update_property (GTK_ACCESSIBLE (check), GTK_ACCESSIBLE_PROPERTY_LABEL, entry->name, -1);
      adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), entry->name);
      adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
      adw_action_row_add_prefix (ADW_ACTION_ROW (row), check);
      adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), check);
      adw_expander_row_add_row (question->columns, row);
      g_ptr_array_add (question->checks, check);
      g_signal_connect_swapped (check, "toggled", G_CALLBACK (show_choice), question);
    }
  gtk_list_box_append (GTK_LIST_BOX (list), GTK_WIDGET (question->columns));
}

static GtkWidget *
make_arrays (Question            *question,
             const NnDataOptions *reading)
{
  GtkWidget *list = make_list (question->table ? _("Columns") : _("Arrays"));
  const char *label = reading->label != NULL ? reading->label : reading->y;
  guint x = 0, y = question->table ? question->entries->len - 1 : 1;

  if (!question->table)
    guess (question, &x, &y);
  for (guint i = 0; i < question->entries->len; i++)
    {
      x = called (question, i, reading->x) ? i : x;
      if (label != NULL ? called (question, i, label) : ((const NnDataEntry *) question->entries->pdata[i])->is_label)
        y = i;
    }
  question->y_row = make_row (question, _("Labels"), y);
  if (question->table)
    add_columns (question, list, reading);
  else
    {
      question->x_row = make_row (question, _("Inputs"), x);
      gtk_list_box_append (GTK_LIST_BOX (list), GTK_WIDGET (question->x_row));
      g_signal_connect_swapped (question->x_row, "notify::selected", G_CALLBACK (show_choice), question);
    }
  gtk_list_box_append (GTK_LIST_BOX (list), GTK_WIDGET (question->y_row));
  g_signal_connect_swapped (question->y_row, "notify::selected", G_CALLBACK (show_choice), question);
  return list;
}

static GtkWidget *
make_settings (Question            *question,
               const NnDataOptions *reading)
{
  GtkWidget *list = make_list (_("Division and scale"));

  question->validation = make_spin (MOST_PERCENT, 5, reading->validation * 100);
  question->test = make_spin (MOST_PERCENT, 5, reading->test * 100);
  question->limit = make_spin (G_MAXINT32, 1000, (double) reading->limit);
  question->standardize = make_switch (reading->standardize);
  question->divide = make_switch (reading->divide == BYTES);
  add_setting (list, _("Validation (%)"), _("Of every class, where the file has no such part"), GTK_WIDGET (question->validation));
  add_setting (list, _("Test (%)"), _("The same"), GTK_WIDGET (question->test));
  add_setting (list, _("Most samples"), _("Chosen at random; 0 for all"), GTK_WIDGET (question->limit));
  add_setting (list, _("Standardize"), _("Mean and deviation of the training part stay with the network"), GTK_WIDGET (question->standardize));
  add_setting (list, _("Divide by 255"), _("For pictures of bytes"), GTK_WIDGET (question->divide));
  g_signal_connect_swapped (question->validation, "value-changed", G_CALLBACK (show_choice), question);
  g_signal_connect_swapped (question->test, "value-changed", G_CALLBACK (show_choice), question);
  return list;
}

static GtkWidget *
make_body (Question            *question,
           const NnDataOptions *reading)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *preview = gtk_label_new (NULL), *window = gtk_scrolled_window_new ();

  question->preview = GTK_LABEL (preview);
  gtk_label_set_wrap (question->preview, TRUE);
  gtk_widget_add_css_class (preview, "dim-label");
  if (question->entries->len > 0)
    gtk_box_append (GTK_BOX (box), make_arrays (question, reading));
  gtk_box_append (GTK_BOX (box), preview);
  gtk_box_append (GTK_BOX (box), make_settings (question, reading));
  /* within the frame of the lists */
  gtk_widget_set_margin_top (box, 2);
  gtk_widget_set_margin_bottom (box, 2);
  gtk_widget_set_margin_start (box, 2);
  gtk_widget_set_margin_end (box, 2);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (window), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (window), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (window), MOST_HEIGHT);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (window), box);
  return window;
}

/* Those that can be chosen. */
static GPtrArray *
readable (GPtrArray *entries)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < entries->len; i++)
    if (((const NnDataEntry *) entries->pdata[i])->problem == NULL)
      g_ptr_array_add (list, entries->pdata[i]);
  return list;
}

static gboolean
is_table (GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
    if (!((const NnDataEntry *) entries->pdata[i])->is_column)
      return FALSE;
  return entries->len > 0;
}

GtkWidget *
app_ask_arrays (GtkWidget           *parent,
                const char          *path,
                GPtrArray           *entries,
                const NnDataOptions *reading,
                gsize                n_inputs,
                AppArraysFunc        func,
                gpointer             object)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *body = NULL;
  Question *question = g_new0 (Question, 1);
  GtkWidget *dialog;
  NnDataOptions usual;

  nn_data_options_init (&usual);
  question->path = g_strdup (path);
  question->all = g_ptr_array_ref (entries);
  question->entries = readable (entries);
  question->checks = g_ptr_array_new ();
  question->table = is_table (question->entries);
  question->n_inputs = n_inputs;
  question->func = func;
  question->object = g_object_ref (object);
  if (question->entries->len == 0)
    body = g_strdup_printf (_("How is “%s” to be used?"), name);
  else if (question->table)
    body = g_strdup_printf (_("“%s” has %u columns. Which are the inputs of the network, and which the labels?"), name, question->entries->len);
  else
    body = g_strdup_printf (_("“%s” holds %u arrays. Which are the inputs of the network, and which the labels?"), name, question->entries->len);
  dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (parent)), question->table ? _("Choose Columns") : _("Choose Arrays"), body);
  question->dialog = ADW_MESSAGE_DIALOG (dialog);
  adw_message_dialog_add_responses (question->dialog, "cancel", _("_Cancel"), "open", _("_Open"), NULL);
  adw_message_dialog_set_response_appearance (question->dialog, "open", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (question->dialog, "open");
  adw_message_dialog_set_close_response (question->dialog, "cancel");
  adw_message_dialog_set_extra_child (question->dialog, make_body (question, reading != NULL ? reading : &usual));
  show_choice (question);
  g_signal_connect (dialog, "response", G_CALLBACK (on_response), question);
  gtk_window_present (GTK_WINDOW (dialog));
  return dialog;
}

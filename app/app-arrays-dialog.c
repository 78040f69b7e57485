/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which arrays of a data file are inputs and which labels? Says at once what the choice would give. */

#include "app-arrays-dialog.h"

#include "app-axis.h"
#include "app-format.h"

#include <glib/gi18n.h>

/* How much better inputs are that the network can take. */
#define FITS_THE_NETWORK 1e6

typedef struct {
  char          *path;
  GPtrArray     *entries; /* NnDataEntry */
  gsize          n_inputs; /* of the network; 0 where there is none */
  AppArraysFunc  func;
  GObject       *object;
  AdwMessageDialog *dialog;
  AdwComboRow   *x_row, *y_row;
  GtkLabel      *preview;
} Question;

static void
question_free (Question *question)
{
  g_free (question->path);
  g_ptr_array_unref (question->entries);
  g_object_unref (question->object);
  g_free (question);
}

static const NnDataEntry *
chosen (const Question *question,
        AdwComboRow    *row)
{
  guint i = adw_combo_row_get_selected (row);

  return i < question->entries->len ? g_ptr_array_index (question->entries, i) : NULL;
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
show_choice (Question *question)
{
  const NnDataEntry *x = chosen (question, question->x_row), *y = chosen (question, question->y_row);
  g_autofree char *as_x = describe (x), *as_y = describe (y), *text = NULL;
  gboolean ok = fit (x, y);

  adw_action_row_set_subtitle (ADW_ACTION_ROW (question->x_row), as_x);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (question->y_row), as_y);
  if (ok)
    {
      g_autofree char *n = app_format_count (x->shape.dims[0]), *inputs = app_format_count (width (x));
      g_autofree char *labels = app_format_count (width (y)), *wanted = app_format_count (question->n_inputs);

      if (question->n_inputs > 0 && question->n_inputs != width (x))
        text = g_strdup_printf (_("%s samples, each of %s inputs; the network takes %s."), n, inputs, wanted);
      else if (width (y) == 1)
        text = g_strdup_printf (_("%s samples, each of %s inputs and one label"), n, inputs);
      else
        text = g_strdup_printf (_("%s samples, each of %s inputs and %s labels"), n, inputs, labels);
    }
  else
    text = g_strdup (x == y ? _("Inputs and labels are the same array.") : _("These two have different numbers of samples."));
  gtk_label_set_text (question->preview, text);
  adw_message_dialog_set_response_enabled (question->dialog, "open", ok);
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
  return row;
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

static void
on_response (AdwMessageDialog *dialog,
             const char       *response,
             Question         *question)
{
  g_signal_handlers_disconnect_by_data (dialog, question);
  g_signal_handlers_disconnect_by_data (question->x_row, question);
  g_signal_handlers_disconnect_by_data (question->y_row, question);
  if (g_str_equal (response, "open"))
    question->func (question->path, chosen (question, question->x_row)->name, chosen (question, question->y_row)->name, question->object);
  question_free (question);
}

static GtkWidget *
make_body (Question *question)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *list = gtk_list_box_new (), *preview = gtk_label_new (NULL);
  guint x = 0, y = 1;

  guess (question, &x, &y);
  question->x_row = make_row (question, _("Inputs"), x);
  question->y_row = make_row (question, _("Labels"), y);
  question->preview = GTK_LABEL (preview);
  gtk_list_box_set_selection_mode (GTK_LIST_BOX (list), GTK_SELECTION_NONE);
  gtk_widget_add_css_class (list, "boxed-list");
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Arrays"), -1);
  gtk_list_box_append (GTK_LIST_BOX (list), GTK_WIDGET (question->x_row));
  gtk_list_box_append (GTK_LIST_BOX (list), GTK_WIDGET (question->y_row));
  gtk_label_set_wrap (question->preview, TRUE);
  gtk_widget_add_css_class (preview, "dim-label");
  gtk_widget_set_size_request (box, 360, -1);
  gtk_box_append (GTK_BOX (box), list);
  gtk_box_append (GTK_BOX (box), preview);
  return box;
}

GtkWidget *
app_ask_arrays (GtkWidget     *parent,
                const char    *path,
                GPtrArray     *entries,
                gsize          n_inputs,
                AppArraysFunc  func,
                gpointer       object)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *body = g_strdup_printf (_("“%s” holds %u arrays. Which are the inputs of the network, and which the labels?"), name,
                                           entries->len);
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (parent)), _("Choose Arrays"), body);
  Question *question = g_new0 (Question, 1);

  question->path = g_strdup (path);
  question->entries = g_ptr_array_ref (entries);
  question->n_inputs = n_inputs;
  question->func = func;
  question->object = g_object_ref (object);
  question->dialog = ADW_MESSAGE_DIALOG (dialog);
  adw_message_dialog_add_responses (question->dialog, "cancel", _("_Cancel"), "open", _("_Open"), NULL);
  adw_message_dialog_set_response_appearance (question->dialog, "open", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (question->dialog, "open");
  adw_message_dialog_set_close_response (question->dialog, "cancel");
  adw_message_dialog_set_extra_child (question->dialog, make_body (question));
  show_choice (question);
  g_signal_connect_swapped (question->x_row, "notify::selected", G_CALLBACK (show_choice), question);
  g_signal_connect_swapped (question->y_row, "notify::selected", G_CALLBACK (show_choice), question);
  g_signal_connect (dialog, "response", G_CALLBACK (on_response), question);
  gtk_window_present (GTK_WINDOW (dialog));
  return dialog;
}

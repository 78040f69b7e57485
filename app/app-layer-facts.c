/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every property of a layer, in words. */

#include "app-layer-facts.h"

#include "app-axis.h"
#include "app-format.h"
#include "pages/app-page.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

/* Longer values of a file are cut: lists of lists of numbers. */
#define MAX_VALUE 120

static void
take (GtkListBox *list,
      const char *title,
      char       *value)
{
  if (value != NULL && *value != '\0')
    app_rows_add (list, title, value);
  g_free (value);
}

static char *
two (const gint64 pair[2])
{
  if (pair[0] <= 0)
    return NULL;
  if (pair[1] <= 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT, pair[0]);
  return g_strdup_printf ("%" G_GINT64_FORMAT " × %" G_GINT64_FORMAT, pair[0], pair[1]);
}

static char *
input_names (const NnGraph *graph,
             const NnNode  *node)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < node->n_inputs; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", nn_graph_node (graph, node->inputs[i])->name);
  return g_string_free (text, FALSE);
}

static const char *
padding_words (NnPadding padding)
{
  switch (padding)
    {
    case NN_PADDING_SAME: return _("same");
    case NN_PADDING_VALID: return _("valid");
    case NN_PADDING_CAUSAL: return _("causal");
    case NN_PADDING_EXPLICIT: return _("explicit");
    default: return NULL;
    }
}

static void
add_window (GtkListBox   *list,
            const NnAttrs *attrs)
{
  if (attrs->kernel[0] <= 0)
    return;
  take (list, _("Window"), two (attrs->kernel));
  take (list, _("Stride"), two (attrs->stride));
  take (list, _("Padding"), g_strdup (padding_words (attrs->padding)));
  if (attrs->dilation[0] > 1 || attrs->dilation[1] > 1)
    take (list, _("Dilation"), two (attrs->dilation));
  if (attrs->groups > 1)
    take (list, _("Groups of channels"), g_strdup_printf ("%" G_GINT64_FORMAT, attrs->groups));
}

static void
add_quantisers (GtkListBox   *list,
                const NnAttrs *attrs)
{
  const struct { const char *title; const NnQuantizer *quantizer; } all[] = {
    { _("Quantizer of the result"), attrs->quantizer }, { _("Quantizer of the input"), attrs->input_quantizer },
    { _("Quantizer of the sum"), attrs->sum_quantizer }, { _("Quantizer of the gates"), attrs->recurrent_quantizer },
    { _("Quantizer of the state"), attrs->state_quantizer },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].quantizer != NULL)
      take (list, all[i].title, app_format_type (&all[i].quantizer->type));
  for (guint r = 0; r < NN_N_ROLES; r++)
    if (attrs->role_quantizer[r] != NULL)
      take (list, g_intern_string (nn_role_name (r)), app_format_type (&attrs->role_quantizer[r]->type));
}

void
app_layer_facts_add (GtkListBox    *list,
                     const NnModel *model,
                     const NnNode  *node)
{
  const NnAttrs *attrs = &node->attrs;

  take (list, node->n_inputs > 1 ? _("Inputs") : _("Input"), input_names (nn_model_graph (model), node));
  if (node->n_inputs > 0)
    take (list, _("Input shape"), app_format_shape (&nn_graph_node (nn_model_graph (model), node->inputs[0])->shape));
  if (attrs->units > 0)
    take (list, attrs->kernel[0] > 0 ? _("Filters") : _("Units"), g_strdup_printf ("%" G_GINT64_FORMAT, attrs->units));
  add_window (list, attrs);
  if (attrs->act != NN_ACT_LINEAR)
    take (list, _("Activation"), g_strdup (nn_act_name (attrs->act)));
  if (attrs->epsilon > 0)
    take (list, _("Epsilon"), app_number (attrs->epsilon, 4));
  if (attrs->rate > 0)
    take (list, _("Dropout rate"), app_number (attrs->rate, 3));
  add_quantisers (list, attrs);
  for (guint i = 0; i < node->n_weights; i++)
    {
      const NnWeight *weight = nn_model_weight (model, node->weights[i]);
      g_autofree char *shape = app_format_shape (&weight->values->shape);
      g_autofree char *title = g_strdup_printf (_("Weight “%s”"), weight->name);

      take (list, title, g_strdup_printf ("%s, %s", shape, nn_dtype_name (weight->values->dtype)));
    }
}

static char *
value_text (JsonNode *node)
{
  g_autofree char *text = NULL;

  if (JSON_NODE_HOLDS_NULL (node))
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  text = json_to_string (node, FALSE);
  if (g_utf8_strlen (text, -1) > MAX_VALUE)
    {
      g_autofree char *head = g_utf8_substring (text, 0, MAX_VALUE);

      return g_strconcat (head, "…", NULL);
    }
  return g_steal_pointer (&text);
}

gboolean
app_layer_facts_source (GtkListBox   *list,
                        const NnNode *node)
{
  g_autoptr (JsonNode) root = node->source != NULL ? json_from_string (node->source, NULL) : NULL;
  JsonObject *object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (object == NULL)
    return FALSE;
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    take (list, name, value_text (value));
  return TRUE;
}

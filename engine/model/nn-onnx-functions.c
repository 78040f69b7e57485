/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions that go along in an ONNX file: the operators that they are made of take the place of each call. Source: ONNX's IR,
 * FunctionProto. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <stdlib.h>
#include <string.h>

/* Functions that call functions, deeper than which none goes, but for one that calls itself. */
#define MAX_CALLS 32
/* Field of FunctionProto that schemas before ONNX 1.13 do not have: attributes with the values that they have unless told. */
#define FIELD_DEFAULTS 11

/* Whether our own readers take the operator: its function is for other runtimes. */
static gboolean
is_read (const Onnx__NodeProto *op)
{
  return g_strcmp0 (op->domain, NN_ONNX_OWN_DOMAIN) == 0 || nn_onnx_find_reader (op->domain, op->op_type) != NULL;
}

static const char *
plain_domain (const char *domain)
{
  return domain == NULL || g_str_equal (domain, "ai.onnx") ? "" : domain;
}

static const Onnx__FunctionProto *
find_function (const Onnx__ModelProto *model,
               const Onnx__NodeProto  *op)
{
  if (op->op_type == NULL || is_read (op))
    return NULL;
  for (gsize i = 0; i < model->n_functions; i++)
    if (g_strcmp0 (model->functions[i]->name, op->op_type) == 0 &&
        g_str_equal (plain_domain (model->functions[i]->domain), plain_domain (op->domain)))
      return model->functions[i];
  return NULL;
}

/* (transfer full): a message of its own */
static gpointer
copy_message (const ProtobufCMessage *message)
{
  gsize n = protobuf_c_message_get_packed_size (message);
  g_autofree guint8 *bytes = g_malloc (MAX (n, 1));

  protobuf_c_message_pack (message, bytes);
  return protobuf_c_message_unpack (message->descriptor, NULL, n, bytes);
}

/* The attribute @name as the function has it unless told. (transfer full) (nullable) */
static Onnx__AttributeProto *
default_attribute (const Onnx__FunctionProto *function,
                   const char                *name)
{
  for (guint i = 0; i < function->base.n_unknown_fields; i++)
    {
      const ProtobufCMessageUnknownField *field = &function->base.unknown_fields[i];
      const guint8 *at = field->data, *end = field->data + field->len;
      Onnx__AttributeProto *attribute;
      guint64 n;

      if (field->tag != FIELD_DEFAULTS || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED || !nn_onnx_varint (&at, end, &n) ||
          n > (guint64) (end - at) || !nn_onnx_check_wire (&onnx__attribute_proto__descriptor, at, (gsize) n, 0))
        continue;
      attribute = onnx__attribute_proto__unpack (NULL, (gsize) n, at);
      if (attribute != NULL && g_strcmp0 (attribute->name, name) == 0)
        return attribute;
      if (attribute != NULL)
        onnx__attribute_proto__free_unpacked (attribute, NULL);
    }
  return NULL;
}

static void
set_text (char       **text,
          const char  *to)
{
  if (*text != (char *) protobuf_c_empty_string)
    free (*text);
  *text = strdup (to);
}

/* Attributes that the function's operator refers to become what the call tells; those that it does not tell go. */
static void
bind_attributes (Onnx__NodeProto           *op,
                 const Onnx__FunctionProto *function,
                 Onnx__NodeProto           *call)
{
  gsize kept = 0;

  for (gsize i = 0; i < op->n_attribute; i++)
    {
      Onnx__AttributeProto *a = op->attribute[i], *told = NULL;

      if (a->ref_attr_name != NULL && a->ref_attr_name[0] != '\0')
        {
          Onnx__AttributeProto *given = nn_onnx_attribute (call, a->ref_attr_name);

          told = given != NULL ? copy_message (&given->base) : default_attribute (function, a->ref_attr_name);
          if (told != NULL)
            set_text (&told->name, a->name != NULL ? a->name : "");
          onnx__attribute_proto__free_unpacked (a, NULL);
          a = told;
        }
      if (a != NULL)
        op->attribute[kept++] = a;
    }
  op->n_attribute = kept;
}

/* What a name of the function is outside: an input or output of the call, or one of its own. @names: name → outside */
static void
bind_name (GHashTable  *names,
           char       **name,
           const char  *prefix)
{
  const char *outside;
  g_autofree char *own = NULL;

  if (*name == NULL || (*name)[0] == '\0')
    return;
  outside = g_hash_table_lookup (names, *name);
  if (outside == NULL)
    {
      own = g_strdup_printf ("%s/%s", prefix, *name);
      g_hash_table_insert (names, g_strdup (*name), g_strdup (own));
      outside = own;
    }
  set_text (name, outside);
}

/* Graphs within operators know the names around them, too. */
static void
bind_graph (Onnx__GraphProto *graph,
            GHashTable       *names,
            const char       *prefix)
{
  for (gsize i = 0; i < graph->n_initializer; i++)
    bind_name (names, &graph->initializer[i]->name, prefix);
  for (gsize i = 0; i < graph->n_output; i++)
    bind_name (names, &graph->output[i]->name, prefix);
  for (gsize i = 0; i < graph->n_node; i++)
    {
      Onnx__NodeProto *op = graph->node[i];

      for (gsize k = 0; k < op->n_input; k++)
        bind_name (names, &op->input[k], prefix);
      for (gsize k = 0; k < op->n_output; k++)
        bind_name (names, &op->output[k], prefix);
      for (gsize k = 0; k < op->n_attribute; k++)
        if (op->attribute[k]->g != NULL)
          bind_graph (op->attribute[k]->g, names, prefix);
    }
}

/* Appends the operators of one call to @to. */
static void
expand_call (const Onnx__FunctionProto *function,
             Onnx__NodeProto           *call,
             GPtrArray                 *to)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *prefix = g_strdup (nn_onnx_out (call, 0)[0] != '\0' ? nn_onnx_out (call, 0) : call->op_type);

  for (gsize i = 0; i < function->n_input; i++)
    g_hash_table_insert (names, g_strdup (function->input[i]), g_strdup (i < call->n_input ? call->input[i] : ""));
  for (gsize i = 0; i < function->n_output; i++)
    if (i < call->n_output && call->output[i][0] != '\0' && !g_hash_table_contains (names, function->output[i]))
      g_hash_table_insert (names, g_strdup (function->output[i]), g_strdup (call->output[i]));
  for (gsize i = 0; i < function->n_node; i++)
    {
      Onnx__NodeProto *op = copy_message (&function->node[i]->base);

      if (op == NULL)
        continue;
      for (gsize k = 0; k < op->n_input; k++)
        bind_name (names, &op->input[k], prefix);
      for (gsize k = 0; k < op->n_output; k++)
        bind_name (names, &op->output[k], prefix);
      bind_attributes (op, function, call);
      for (gsize k = 0; k < op->n_attribute; k++)
        if (op->attribute[k]->g != NULL)
          bind_graph (op->attribute[k]->g, names, prefix);
      g_ptr_array_add (to, op);
    }
}

/* One round: every call of the graph is replaced. */
static gboolean
expand_calls (Onnx__ModelProto *model,
              Onnx__GraphProto *graph)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  gboolean any = FALSE;

  for (gsize i = 0; i < graph->n_node; i++)
    {
      const Onnx__FunctionProto *function = find_function (model, graph->node[i]);

      if (function == NULL || nodes->len > NN_ONNX_MAX_NODES)
        {
          g_ptr_array_add (nodes, graph->node[i]);
          continue;
        }
      expand_call (function, graph->node[i], nodes);
      onnx__node_proto__free_unpacked (graph->node[i], NULL);
      any = TRUE;
    }
  if (!any)
    return FALSE;
  graph->node = realloc (graph->node, MAX (nodes->len, 1) * sizeof *graph->node);
  memcpy (graph->node, nodes->pdata, nodes->len * sizeof *graph->node);
  graph->n_node = nodes->len;
  return TRUE;
}

/**
 * nn_onnx_expand_functions:
 * @model: changed: its graph calls none of its functions afterwards, but for those whose operators have readers
 *
 * Errors: %NN_ERROR_LIMIT
 */
gboolean
nn_onnx_expand_functions (NnOnnx            *onnx,
                          Onnx__ModelProto  *model,
                          GError           **error)
{
  for (guint round = 0; round < MAX_CALLS && model->graph->n_node <= NN_ONNX_MAX_NODES; round++)
    if (!expand_calls (model, model->graph))
      return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_LIMIT,
               "%s: its functions call each other more than %d deep, or hold more than %d operators; one may call itself", onnx->file,
               MAX_CALLS, NN_ONNX_MAX_NODES);
  return FALSE;
}

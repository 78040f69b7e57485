/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML to and from the tree that a JSON parser makes. */

#include "nn-config-private.h"

#include "nn-error.h"
#include "nn-text.h"

#include <string.h>
#include <yaml.h>

/* Deeper than any configuration; a bound for hostile files. */
#define MAX_DEPTH 32

typedef struct {
  yaml_parser_t parser;
  guint         depth;
  GHashTable   *anchors; /* name → JsonNode */
} Reader;

static gboolean
next_event (Reader        *reader,
            yaml_event_t  *event,
            GError       **error)
{
  if (yaml_parser_parse (&reader->parser, event))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": %s", reader->parser.problem_mark.line + 1,
               reader->parser.problem != NULL ? reader->parser.problem : "not YAML");
  return FALSE;
}

static JsonNode *
scalar (const yaml_event_t *event)
{
  const char *text = (const char *) event->data.scalar.value;
  JsonNode *node = json_node_new (JSON_NODE_VALUE);
  gint64 integer;
  double real;

  if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
    json_node_set_string (node, text);
  else if (*text == '\0' || strcmp (text, "~") == 0 || g_ascii_strcasecmp (text, "null") == 0)
    {
      json_node_unref (node);
      node = json_node_new (JSON_NODE_NULL);
    }
  else if (g_ascii_strcasecmp (text, "true") == 0 || g_ascii_strcasecmp (text, "false") == 0)
    json_node_set_boolean (node, g_ascii_tolower (*text) == 't');
  else if (nn_text_to_int (text, &integer))
    json_node_set_int (node, integer);
  else if (g_ascii_strcasecmp (text, "nan") != 0 && g_ascii_strcasecmp (text, "inf") != 0 && nn_text_to_double (text, &real))
    json_node_set_double (node, real);
  else
    json_node_set_string (node, text);
  return node;
}

static JsonNode *read_node (Reader *reader, yaml_event_t *event, GError **error);

static JsonNode *
read_mapping (Reader  *reader,
              GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonNode *node;

  for (;;)
    {
      g_autofree char *key = NULL;
      yaml_event_t event;
      JsonNode *value;

      if (!next_event (reader, &event, error))
        return NULL;
      if (event.type == YAML_MAPPING_END_EVENT)
        {
          yaml_event_delete (&event);
          break;
        }
      if (event.type != YAML_SCALAR_EVENT)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": a key must be a plain word",
                       event.start_mark.line + 1);
          yaml_event_delete (&event);
          return NULL;
        }
      key = g_strdup ((const char *) event.data.scalar.value);
      yaml_event_delete (&event);
      if (!next_event (reader, &event, error))
        return NULL;
      value = read_node (reader, &event, error);
      yaml_event_delete (&event);
      if (value == NULL)
        return NULL;
      json_object_set_member (object, key, value);
    }
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_set_object (node, object);
  return node;
}

static JsonNode *
read_sequence (Reader  *reader,
               GError **error)
{
  g_autoptr (JsonArray) array = json_array_new ();
  JsonNode *node;

  for (;;)
    {
      yaml_event_t event;
      JsonNode *value;

      if (!next_event (reader, &event, error))
        return NULL;
      if (event.type == YAML_SEQUENCE_END_EVENT)
        {
          yaml_event_delete (&event);
          break;
        }
      value = read_node (reader, &event, error);
      yaml_event_delete (&event);
      if (value == NULL)
        return NULL;
      json_array_add_element (array, value);
    }
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_set_array (node, array);
  return node;
}

static JsonNode *
read_node (Reader        *reader,
           yaml_event_t  *event,
           GError       **error)
{
  JsonNode *node = NULL;
  const char *anchor = NULL;

  if (++reader->depth > MAX_DEPTH)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "nested too deeply");
      return NULL;
    }
  switch (event->type)
    {
    case YAML_SCALAR_EVENT:
      anchor = (const char *) event->data.scalar.anchor;
      node = scalar (event);
      break;
    case YAML_MAPPING_START_EVENT:
      anchor = (const char *) event->data.mapping_start.anchor;
      node = read_mapping (reader, error);
      break;
    case YAML_SEQUENCE_START_EVENT:
      anchor = (const char *) event->data.sequence_start.anchor;
      node = read_sequence (reader, error);
      break;
    case YAML_ALIAS_EVENT:
      node = g_hash_table_lookup (reader->anchors, event->data.alias.anchor);
      if (node != NULL)
        node = json_node_ref (node);
      break;
    default:
      break;
    }
  if (node == NULL && error != NULL && *error == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": a value is missing", event->start_mark.line + 1);
  if (node != NULL && anchor != NULL)
    g_hash_table_insert (reader->anchors, g_strdup (anchor), json_node_ref (node));
  reader->depth--;
  return node;
}

/**
 * nn_yaml_parse:
 *
 * Errors: %NN_ERROR_FORMAT with the line
 *
 * Returns: (transfer full): the first document's root
 */
JsonNode *
nn_yaml_parse (const char  *text,
               GError     **error)
{
  g_autoptr (GError) own = NULL;
  Reader reader = { 0 };
  JsonNode *root = NULL;
  gboolean more = TRUE;

  if (!yaml_parser_initialize (&reader.parser))
    g_error ("no memory for a YAML parser");
  reader.anchors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) json_node_unref);
  yaml_parser_set_input_string (&reader.parser, (const guint8 *) text, strlen (text));
  while (more && root == NULL && own == NULL)
    {
      yaml_event_t event;

      if (!next_event (&reader, &event, &own))
        break;
      more = event.type != YAML_STREAM_END_EVENT;
      if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT && more)
        root = read_node (&reader, &event, &own);
      yaml_event_delete (&event);
    }
  if (root == NULL && own == NULL)
    g_set_error_literal (&own, NN_ERROR, NN_ERROR_FORMAT, "empty");
  if (own != NULL)
    g_propagate_error (error, g_steal_pointer (&own));
  g_hash_table_unref (reader.anchors);
  yaml_parser_delete (&reader.parser);
  return root;
}

static gboolean
is_plain (const char *text)
{
  gint64 integer;
  double real;

  if (*text == '\0' || nn_text_to_int (text, &integer) || nn_text_to_double (text, &real) ||
      g_ascii_strcasecmp (text, "true") == 0 || g_ascii_strcasecmp (text, "false") == 0 ||
      g_ascii_strcasecmp (text, "null") == 0)
    return FALSE;
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("_-./<>", *c) == NULL && (*c != ',' || c == text))
      return FALSE;
  return *text != '-';
}

static void
write_scalar (GString  *out,
              JsonNode *node)
{
  g_autofree char *json = NULL;

  if (json_node_get_value_type (node) == G_TYPE_STRING && is_plain (json_node_get_string (node)))
    {
      g_string_append (out, json_node_get_string (node));
      return;
    }
  /* a JSON scalar is a YAML scalar */
  json = json_to_string (node, FALSE);
  g_string_append (out, json);
}

static void
write_node (GString  *out,
            JsonNode *node,
            guint     indent)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node) || json_object_get_size (json_node_get_object (node)) == 0)
    {
      g_autofree char *flow = NULL;

      g_string_append_c (out, ' ');
      if (JSON_NODE_HOLDS_VALUE (node))
        write_scalar (out, node);
      else
        {
          flow = json_to_string (node, FALSE);
          g_string_append (out, flow);
        }
      g_string_append_c (out, '\n');
      return;
    }
  if (indent > 0)
    g_string_append_c (out, '\n');
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &value))
    {
      g_string_append_printf (out, "%*s", indent, "");
      if (is_plain (key))
        g_string_append (out, key);
      else
        {
          g_autoptr (JsonNode) quoted = json_node_init_string (json_node_alloc (), key);

          write_scalar (out, quoted);
        }
      g_string_append_c (out, ':');
      write_node (out, value, indent + 2);
    }
}

char *
nn_yaml_generate (JsonNode *root)
{
  GString *out = g_string_new (NULL);

  write_node (out, root, 0);
  return g_string_free (out, FALSE);
}

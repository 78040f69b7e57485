/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading JSON that nobody vouches for. */

#include "nn-json.h"

#include "nn-error.h"
#include "nn-text.h"

#include <math.h>
#include <string.h>

/* Python writes these, JSON knows neither; what they stand for in a network's description is "no limit". */
static const char *const foreign[] = { "-Infinity", "Infinity", "NaN" };

/* A copy in which Python's own numbers are null, or %NULL with the depth that was too much. */
static char *
scan (const char *text,
      gsize       length,
      gboolean   *too_deep)
{
  char *copy = g_strndup (text, length);
  gboolean in_string = FALSE;
  guint depth = 0;

  length = strlen (copy);
  *too_deep = FALSE;
  for (gsize i = 0; i < length; i++)
    {
      char c = copy[i];

      if (in_string)
        {
          if (c == '\\')
            i++;
          else if (c == '"')
            in_string = FALSE;
          continue;
        }
      if (c == '"')
        in_string = TRUE;
      else if (c == '[' || c == '{')
        *too_deep |= ++depth > NN_JSON_MAX_DEPTH;
      else if ((c == ']' || c == '}') && depth > 0)
        depth--;
      for (guint k = 0; k < G_N_ELEMENTS (foreign); k++)
        if (c == foreign[k][0] && strncmp (copy + i, foreign[k], strlen (foreign[k])) == 0)
          {
            gsize n = strlen (foreign[k]);

            memset (copy + i, ' ', n);
            if (n == 3)
              copy[i] = '0'; /* NaN: too short for null */
            else
              memcpy (copy + i, "null", 4);
            i += n - 1;
            break;
          }
    }
  return copy;
}

/**
 * nn_json_parse:
 * @where: names the text in errors
 *
 * Errors: %NN_ERROR_FORMAT
 *
 * Returns: (transfer full): the root
 */
JsonNode *
nn_json_parse (const char  *text,
               gssize       length,
               const char  *where,
               GError     **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) inner = NULL;
  g_autofree char *copy = NULL;
  gsize n = length < 0 ? strlen (text) : (gsize) length;
  gboolean too_deep;

  if (!g_utf8_validate (text, n, NULL))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the JSON text is not UTF-8", where);
      return NULL;
    }
  copy = scan (text, n, &too_deep);
  if (too_deep)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the JSON text is nested deeper than %d levels", where,
                   NN_JSON_MAX_DEPTH);
      return NULL;
    }
  if (!json_parser_load_from_data (parser, copy, -1, &inner) || json_parser_get_root (parser) == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not valid JSON: %s", where,
                   inner != NULL ? inner->message : "it is empty");
      return NULL;
    }
  return json_node_ref (json_parser_get_root (parser));
}

static void
append_string (GString    *text,
               const char *value)
{
  g_string_append_c (text, '"');
  for (const char *c = value; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (text, "\\%c", *c);
    else if ((guchar) *c < 32)
      g_string_append_printf (text, "\\u%04x", *c);
    else
      g_string_append_c (text, *c);
  g_string_append_c (text, '"');
}

static void
append_value (GString  *text,
              JsonNode *node)
{
  double number;

  if (json_node_get_value_type (node) == G_TYPE_STRING)
    append_string (text, json_node_get_string (node));
  else if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    g_string_append (text, json_node_get_boolean (node) ? "true" : "false");
  else if (json_node_get_value_type (node) == G_TYPE_INT64)
    g_string_append_printf (text, "%" G_GINT64_FORMAT, json_node_get_int (node));
  else
    {
      gsize start = text->len;

      number = json_node_get_double (node);
      if (isfinite (number))
        nn_text_append_double (text, number);
      else
        g_string_append (text, "null");
      /* a real stays one */
      if (isfinite (number) && strpbrk (text->str + start, ".eE") == NULL)
        g_string_append (text, ".0");
    }
}

static void
append_node (GString  *text,
             JsonNode *node)
{
  JsonArray *array = nn_json_as_array (node);
  JsonObject *object = nn_json_as_object (node);

  if (array != NULL)
    {
      g_string_append_c (text, '[');
      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          g_string_append (text, i > 0 ? ", " : "");
          append_node (text, json_array_get_element (array, i));
        }
      g_string_append_c (text, ']');
    }
  else if (object != NULL)
    {
      g_autoptr (GList) members = json_object_get_members (object);

      g_string_append_c (text, '{');
      for (GList *l = members; l != NULL; l = l->next)
        {
          g_string_append (text, l != members ? ", " : "");
          append_string (text, l->data);
          g_string_append (text, ": ");
          append_node (text, json_object_get_member (object, l->data));
        }
      g_string_append_c (text, '}');
    }
  else if (JSON_NODE_HOLDS_VALUE (node))
    append_value (text, node);
  else
    g_string_append (text, "null");
}

/* json-glib 1.6 writes 1e-08 as "1e-08.0", which is no JSON; therefore not by its generator. */
char *
nn_json_text (JsonNode *node)
{
  GString *text = g_string_new (NULL);

  append_node (text, node);
  return g_string_free (text, FALSE);
}

JsonNode *
nn_json_get (JsonObject *object,
             const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

JsonObject *
nn_json_as_object (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
nn_json_as_array (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

const char *
nn_json_as_string (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
           ? json_node_get_string (node)
           : NULL;
}

gboolean
nn_json_as_double (JsonNode *node,
                   double   *value)
{
  GType type;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  type = json_node_get_value_type (node);
  if (type == G_TYPE_INT64)
    *value = (double) json_node_get_int (node);
  else if (type == G_TYPE_DOUBLE)
    *value = json_node_get_double (node);
  else
    return FALSE;
  return TRUE;
}

gboolean
nn_json_as_int (JsonNode *node,
                gint64   *value)
{
  double real;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    {
      *value = json_node_get_int (node);
      return TRUE;
    }
  if (!nn_json_as_double (node, &real) || real != floor (real) || fabs (real) > 9e15)
    return FALSE;
  *value = (gint64) real;
  return TRUE;
}

JsonObject *
nn_json_object (JsonObject *object,
                const char *name)
{
  return nn_json_as_object (nn_json_get (object, name));
}

JsonArray *
nn_json_array (JsonObject *object,
               const char *name)
{
  return nn_json_as_array (nn_json_get (object, name));
}

const char *
nn_json_string (JsonObject *object,
                const char *name)
{
  return nn_json_as_string (nn_json_get (object, name));
}

gboolean
nn_json_boolean (JsonObject *object,
                 const char *name,
                 gboolean    fallback)
{
  JsonNode *node = nn_json_get (object, name);
  gint64 number;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return json_node_get_boolean (node);
  return nn_json_as_int (node, &number) ? number != 0 : fallback;
}

double
nn_json_double (JsonObject *object,
                const char *name,
                double      fallback)
{
  double value;

  return nn_json_as_double (nn_json_get (object, name), &value) ? value : fallback;
}

gboolean
nn_json_int (JsonObject *object,
             const char *name,
             gint64     *value)
{
  return nn_json_as_int (nn_json_get (object, name), value);
}

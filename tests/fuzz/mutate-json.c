/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON changed as JSON: members taken away, repeated, exchanged; numbers and words that mean something to readers. */

#include "mutate.h"

#include "nn-keras.h"
#include "nn-rng.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* One in so many changes is of the bytes as they lie. */
#define OF_BYTES 8
#define MOST_CHANGES 3

static void
collect (JsonNode  *node,
         GPtrArray *all)
{
  g_ptr_array_add (all, node);
  if (JSON_NODE_HOLDS_ARRAY (node))
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      collect (json_array_get_element (json_node_get_array (node), i), all);
  else if (JSON_NODE_HOLDS_OBJECT (node))
    {
      g_autoptr (GList) members = json_object_get_values (json_node_get_object (node));

      for (GList *l = members; l != NULL; l = l->next)
        collect (l->data, all);
    }
}

/* To its leaves; json_node_copy() would share what an object holds, and a node could come to lie within itself. */
static JsonNode *
deep_copy (JsonNode *node)
{
  g_autofree char *text = json_to_string (node, FALSE);
  JsonNode *copy = json_from_string (text, NULL);

  return copy != NULL ? copy : json_node_new (JSON_NODE_NULL);
}

static JsonNode *
new_number (NnRng *rng)
{
  static const gint64 odd[] = { 0, 1, -1, 2, 3, 7, 255, 1000000, G_MAXINT32, G_MAXINT64, G_MININT64 };
  JsonNode *node = json_node_new (JSON_NODE_VALUE);

  switch (nn_rng_below (rng, 4))
    {
    case 0:
      json_node_set_double (node, nn_rng_normal (rng));
      break;
    case 1:
      json_node_set_double (node, nn_rng_below (rng, 2) == 0 ? 1e300 : -1e-300);
      break;
    case 2:
      json_node_set_int (node, odd[nn_rng_below (rng, G_N_ELEMENTS (odd))]);
      break;
    default:
      json_node_set_int (node, (gint64) nn_rng_below (rng, 10));
      break;
    }
  return node;
}

/* A word that is in the file already, or a class of Keras. */
static JsonNode *
new_word (GPtrArray *all,
          NnRng     *rng)
{
  static const char *const words[] = { "same", "valid", "causal", "relu", "softmax", "linear", "channels_first", "channels_last", "sum",
                                       "ave", "concat", "mul", "float32", "quantized_bits(8,0,1)", "quantized_relu(4)", "ternary",
                                       "binary(alpha=1)", "a", "bilinear", "nearest", "tanh", "hard_sigmoid", "ab,bc->ac", "None" };
  g_auto (GStrv) classes = nn_keras_class_names ();
  JsonNode *node = all->pdata[nn_rng_below (rng, all->len)], *word = json_node_new (JSON_NODE_VALUE);

  if (nn_rng_below (rng, 3) == 0 && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    json_node_set_string (word, json_node_get_string (node));
  else if (nn_rng_below (rng, 2) == 0)
    json_node_set_string (word, classes[nn_rng_below (rng, g_strv_length (classes))]);
  else
    json_node_set_string (word, words[nn_rng_below (rng, G_N_ELEMENTS (words))]);
  return word;
}

/* Something to stand where @old stands; most often of its kind. */
static JsonNode *
new_value (GPtrArray *all,
           JsonNode  *old,
           NnRng     *rng)
{
  gboolean is_text = JSON_NODE_HOLDS_VALUE (old) && json_node_get_value_type (old) == G_TYPE_STRING;
  JsonNode *node;

  switch (nn_rng_below (rng, 8))
    {
    case 0:
      return json_node_new (JSON_NODE_NULL);
    case 1:
      node = json_node_new (JSON_NODE_VALUE);
      json_node_set_boolean (node, nn_rng_below (rng, 2));
      return node;
    case 2:
      return deep_copy (all->pdata[1 + nn_rng_below (rng, all->len - 1)]);
    case 3:
      return is_text ? new_number (rng) : new_word (all, rng);
    default:
      return is_text ? new_word (all, rng) : new_number (rng);
    }
}

static void
change_array (JsonArray *array,
              GPtrArray *all,
              NnRng     *rng)
{
  guint n = json_array_get_length (array), i = nn_rng_below (rng, MAX (n, 1));

  if (n > 0 && nn_rng_below (rng, 4) == 0)
    json_array_remove_element (array, i);
  else if (n > 0 && nn_rng_below (rng, 3) == 0)
    json_array_add_element (array, deep_copy (json_array_get_element (array, i)));
  else if (n > 0)
    {
      JsonNode *value = new_value (all, json_array_get_element (array, i), rng);

      /* the array is made again, as none of its elements can be put in another's place */
      g_autoptr (JsonArray) copy = json_array_new ();

      for (guint k = 0; k < n; k++)
        json_array_add_element (copy, k == i ? value : deep_copy (json_array_get_element (array, k)));
      while (json_array_get_length (array) > 0)
        json_array_remove_element (array, 0);
      for (guint k = 0; k < n; k++)
        json_array_add_element (array, deep_copy (json_array_get_element (copy, k)));
    }
}

static void
change_object (JsonObject *object,
               GPtrArray  *all,
               NnRng      *rng)
{
  g_autoptr (GList) names = json_object_get_members (object);
  guint n = g_list_length (names);
  g_autofree char *name = n > 0 ? g_strdup (g_list_nth_data (names, nn_rng_below (rng, n))) : NULL;

  if (name == NULL)
    return;
  if (nn_rng_below (rng, 6) == 0)
    json_object_remove_member (object, name);
  else
    json_object_set_member (object, name, new_value (all, json_object_get_member (object, name), rng));
}

static void
change (JsonNode *root,
        NnRng    *rng)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();

  collect (root, all);
  for (guint tries = 0; tries < 16 && all->len > 1; tries++)
    {
      JsonNode *node = all->pdata[nn_rng_below (rng, all->len)];

      if (JSON_NODE_HOLDS_VALUE (node) || JSON_NODE_HOLDS_NULL (node))
        continue;
      if (JSON_NODE_HOLDS_ARRAY (node))
        change_array (json_node_get_array (node), all, rng);
      else
        change_object (json_node_get_object (node), all, rng);
      return;
    }
}

size_t
LLVMFuzzerCustomMutator (uint8_t     *data,
                         size_t       size,
                         size_t       max_size,
                         unsigned int seed)
{
  g_autofree char *text = g_strndup ((const char *) data, size), *changed = NULL;
  g_autoptr (JsonNode) root = NULL;
  NnRng rng;

  nn_rng_init (&rng, seed);
  if (nn_rng_below (&rng, OF_BYTES) == 0 || (root = nn_json_parse (text, -1, "mutant", NULL)) == NULL)
    return LLVMFuzzerMutate (data, size, max_size);
  for (guint64 n = 1 + nn_rng_below (&rng, MOST_CHANGES); n > 0; n--)
    change (root, &rng);
  changed = json_to_string (root, FALSE);
  if (changed == NULL || strlen (changed) > max_size)
    return LLVMFuzzerMutate (data, size, max_size);
  memcpy (data, changed, strlen (changed));
  return strlen (changed);
}

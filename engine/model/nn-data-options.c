/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How data are read: copied, and kept as text in projects and runs. */

#include "nn-dataset.h"

#include "nn-json.h"

#define DEFAULT_VALIDATION 0.2
/* Parts set aside of text that nobody vouches for: something is left for training. */
#define MOST_ASIDE 0.999

void
nn_data_options_init (NnDataOptions *options)
{
  *options = (NnDataOptions){ .validation = DEFAULT_VALIDATION, .seed = 1 };
}

NnDataOptions *
nn_data_options_copy (const NnDataOptions *options)
{
  NnDataOptions *copy;

  if (options == NULL)
    return NULL;
  copy = g_memdup2 (options, sizeof *options);
  copy->x = g_strdup (options->x);
  copy->y = g_strdup (options->y);
  copy->label = g_strdup (options->label);
  return copy;
}

void
nn_data_options_free (NnDataOptions *options)
{
  if (options == NULL)
    return;
  g_free ((char *) options->x);
  g_free ((char *) options->y);
  g_free ((char *) options->label);
  g_free (options);
}

char *
nn_data_options_to_json (const NnDataOptions *options)
{
  g_autoptr (JsonNode) root = json_node_init_object (json_node_alloc (), json_object_new ());
  JsonObject *object = json_node_get_object (root);

  json_object_unref (object); /* the node holds it */
  json_object_set_string_member (object, "x", options->x);
  json_object_set_string_member (object, "y", options->y);
  json_object_set_string_member (object, "label", options->label);
  json_object_set_double_member (object, "validation", options->validation);
  json_object_set_double_member (object, "test", options->test);
  json_object_set_int_member (object, "limit", (gint64) options->limit);
  json_object_set_double_member (object, "divide", options->divide);
  json_object_set_int_member (object, "standardize", options->standardize);
  return nn_json_text (root);
}

NnDataOptions *
nn_data_options_from_json (const char *json)
{
  g_autoptr (JsonNode) root = json != NULL ? nn_json_parse (json, -1, "data options", NULL) : NULL;
  JsonObject *object = root != NULL ? nn_json_as_object (root) : NULL;
  NnDataOptions options;
  gint64 limit = 0, standardize = 0;

  if (object == NULL)
    return NULL;
  nn_data_options_init (&options);
  options.x = nn_json_string (object, "x");
  options.y = nn_json_string (object, "y");
  options.label = nn_json_string (object, "label");
  options.validation = CLAMP (nn_json_double (object, "validation", options.validation), 0, MOST_ASIDE);
  options.test = CLAMP (nn_json_double (object, "test", 0), 0, MOST_ASIDE - options.validation);
  options.divide = MAX (nn_json_double (object, "divide", 0), 0);
  if (nn_json_int (object, "limit", &limit))
    options.limit = (guint64) MAX (limit, 0);
  options.standardize = nn_json_int (object, "standardize", &standardize) && standardize != 0;
  return nn_data_options_copy (&options);
}

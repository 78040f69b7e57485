/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How data are read, kept. */

#include "app-reading.h"

/* A part of everything is none. */
#define MOST_ASIDE 0.999

NnDataOptions *
app_reading_copy (const NnDataOptions *reading)
{
  NnDataOptions *copy;

  if (reading == NULL)
    return NULL;
  copy = g_memdup2 (reading, sizeof *reading);
  copy->x = g_strdup (reading->x);
  copy->y = g_strdup (reading->y);
  copy->label = g_strdup (reading->label);
  return copy;
}

void
app_reading_free (NnDataOptions *reading)
{
  if (reading == NULL)
    return;
  g_free ((char *) reading->x);
  g_free ((char *) reading->y);
  g_free ((char *) reading->label);
  g_free (reading);
}

static void
add_word (JsonBuilder *json,
          const char  *name,
          const char  *word)
{
  if (word == NULL)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, word);
}

static void
add_number (JsonBuilder *json,
            const char  *name,
            double       number)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, number);
}

void
app_reading_to_json (const NnDataOptions *reading,
                     JsonBuilder         *json)
{
  add_word (json, "x", reading->x);
  add_word (json, "y", reading->y);
  add_word (json, "label", reading->label);
  add_number (json, "validation", reading->validation);
  add_number (json, "test", reading->test);
  add_number (json, "divide", reading->divide);
  json_builder_set_member_name (json, "limit");
  json_builder_add_int_value (json, (gint64) reading->limit);
  json_builder_set_member_name (json, "standardize");
  json_builder_add_int_value (json, reading->standardize);
}

char *
app_reading_to_text (const NnDataOptions *reading)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  if (reading == NULL)
    return NULL;
  json_builder_begin_object (json);
  app_reading_to_json (reading, json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

static char *
word (JsonObject *object,
      const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
           ? g_strdup (json_node_get_string (node)) : NULL;
}

NnDataOptions *
app_reading_from_json (JsonObject *object)
{
  NnDataOptions usual;
  NnDataOptions *reading;

  nn_data_options_init (&usual);
  reading = app_reading_copy (&usual);
  reading->x = word (object, "x");
  reading->y = word (object, "y");
  reading->label = word (object, "label");
  reading->validation = CLAMP (json_object_get_double_member_with_default (object, "validation", usual.validation), 0, MOST_ASIDE);
  reading->test = CLAMP (json_object_get_double_member_with_default (object, "test", 0), 0, MOST_ASIDE - reading->validation);
  reading->divide = MAX (json_object_get_double_member_with_default (object, "divide", 0), 0);
  reading->limit = (guint64) MAX (json_object_get_int_member_with_default (object, "limit", 0), 0);
  reading->standardize = json_object_get_int_member_with_default (object, "standardize", 0) != 0;
  return reading;
}

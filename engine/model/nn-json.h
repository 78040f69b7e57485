/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading JSON that nobody vouches for: bounded depth, and look-ups that never complain about a wrong type. */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Objects and arrays nested deeper than this are refused before they reach a recursive parser. */
#define NN_JSON_MAX_DEPTH 128

JsonNode   *nn_json_parse    (const char  *text,
                              gssize       length,
                              const char  *where,
                              GError     **error) G_GNUC_WARN_UNUSED_RESULT;
char       *nn_json_text     (JsonNode    *node) G_GNUC_MALLOC;

/* A member, (transfer none); %NULL where it is missing, null, or of another type. */
JsonNode   *nn_json_get      (JsonObject  *object,
                              const char  *name);
JsonObject *nn_json_object   (JsonObject  *object,
                              const char  *name);
JsonArray  *nn_json_array    (JsonObject  *object,
                              const char  *name);
const char *nn_json_string   (JsonObject  *object,
                              const char  *name);
gboolean    nn_json_boolean  (JsonObject  *object,
                              const char  *name,
                              gboolean     fallback);
double      nn_json_double   (JsonObject  *object,
                              const char  *name,
                              double       fallback);
gboolean    nn_json_int      (JsonObject  *object,
                              const char  *name,
                              gint64      *value);
/* The node itself. */
JsonObject *nn_json_as_object (JsonNode   *node);
JsonArray  *nn_json_as_array  (JsonNode   *node);
const char *nn_json_as_string (JsonNode   *node);
gboolean    nn_json_as_int    (JsonNode   *node,
                               gint64     *value);
gboolean    nn_json_as_double (JsonNode   *node,
                               double     *value);

G_END_DECLS

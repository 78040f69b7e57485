/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How data are read: NnDataOptions whose words are their own, and as they are kept in projects. */

#pragma once

#include "nn.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* (nullable): %NULL of %NULL */
NnDataOptions *app_reading_copy      (const NnDataOptions *reading);
void           app_reading_free      (NnDataOptions       *reading);
/* Members of an object that is begun. */
void           app_reading_to_json   (const NnDataOptions *reading,
                                      JsonBuilder         *json);
/* The object as text; (nullable): %NULL of %NULL */
char          *app_reading_to_text   (const NnDataOptions *reading);
/* As the window wrote it, or the command line for a run; what is not there is as usual. */
NnDataOptions *app_reading_from_json (JsonObject          *object);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a project file as JSON. */

#pragma once

#include "nn-project.h"
#include "nn-trail-private.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Numbers that are none: NaN is null, infinities are strings. */
void       nn_put_double       (JsonBuilder   *json,
                                const char    *name,
                                double         value);
double     nn_get_double       (JsonObject    *object,
                                const char    *name,
                                double         fallback);
void       nn_put_int          (JsonBuilder   *json,
                                const char    *name,
                                gint64         value);
void       nn_put_string       (JsonBuilder   *json,
                                const char    *name,
                                const char    *value);
char      *nn_build_json       (JsonBuilder   *json);

/* What a file says must hold together: all three refuse what the rest of the program could stumble over. */
gboolean   nn_project_check_node  (const NnNode  *node,
                                   GError       **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean   nn_project_check_type  (const NnType  *type);
gboolean   nn_project_check_model (const NnModel *model,
                                   GError       **error) G_GNUC_WARN_UNUSED_RESULT;

char      *nn_graph_to_json    (const NnGraph *graph,
                                GError       **error);
/* @n_weights: ids beyond it are errors */
NnGraph   *nn_graph_from_json  (const char    *text,
                                guint          n_weights,
                                GError       **error);

char      *nn_steps_to_json    (const NnTrail *trail);
/* The steps without their models, as (element-type NnStep). */
GPtrArray *nn_steps_from_json  (const char    *text,
                                guint         *chosen,
                                gboolean      *cancelled,
                                GError       **error);

G_END_DECLS

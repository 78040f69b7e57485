/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The output shape of every operator; run once for each node, when a graph is sealed. */

#pragma once

#include "nn-graph.h"

G_BEGIN_DECLS

gboolean nn_infer_shape (NnNode         *node,
                         const NnNode  **inputs,
                         GError        **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a node that is being built, whose inputs are there. */
gboolean nn_infer_built_shape (NnGraphBuilder *builder,
                               NnNode         *node,
                               GError        **error) G_GNUC_WARN_UNUSED_RESULT;
gint64   nn_window_count (gint64         extent,
                          gint64         kernel,
                          gint64         stride,
                          gint64         dilation,
                          NnPadding      padding,
                          const gint64   pad[2]);
void     nn_window_pads  (gint64         extent,
                          gint64         kernel,
                          gint64         stride,
                          gint64         dilation,
                          NnPadding      padding,
                          const gint64   pad[2],
                          gint64        *before,
                          gint64        *after);
gboolean nn_shape_source (const NnNode  *node,
                          const NnShape *in,
                          const gint64  *at,
                          gint64        *from);

G_END_DECLS

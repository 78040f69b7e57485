/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writers of Keras 2's and of Keras 3's files share. Internal to the room. */

#pragma once

#include "nn-h5.h"
#include "nn-save-private.h"

G_BEGIN_DECLS

/**
 * NnKerasOut: one layer of the file: the nodes that came of it, the last being the one others read.
 * @calls: (element-type guint): the node of each call
 * @helpers: (element-type guint): nodes within it
 * @ids: (element-type guint): weights, in the file's order
 */
typedef struct {
  char   *name;
  GArray *calls;
  GArray *helpers;
  GArray *ids;
  guint   depth;
  guint   order;
} NnKerasOut;

/**
 * NnKerasWriter:
 * @layers: (element-type NnKerasOut): in Keras's order
 * @layer_of: node → layer
 * @call_of: node → which call of it
 * @keras3: whether the file is Keras 3's own
 */
typedef struct {
  const NnModel *model;
  const NnGraph *graph;
  GPtrArray     *layers;
  NnKerasOut   **layer_of;
  guint         *call_of;
  gboolean       keras3;
} NnKerasWriter;

typedef gboolean (*NnKerasPut) (NnKerasWriter  *writer,
                                const char     *path,
                                GError        **error);

/* Makes layers of the network's nodes and has them written. */
gboolean      nn_keras_write           (const NnModel        *source,
                                        const char           *path,
                                        gboolean              keras3,
                                        NnKerasPut            put,
                                        GError              **error);
/* The first node of a layer; NULL where none can be written. */
const NnNode *nn_keras_out_node        (const NnKerasWriter  *writer,
                                        const NnKerasOut     *layer,
                                        GError              **error);
/* (transfer full) (nullable): the configuration, wrapped where it works at every step. */
JsonObject   *nn_keras_out_config      (const NnKerasWriter  *writer,
                                        const NnKerasOut     *layer,
                                        const char          **class_name,
                                        GError              **error);
/* A weight with the pruned elements 0. */
gboolean      nn_keras_put_masked      (NnH5                 *h5,
                                        const char           *path,
                                        const NnWeight       *weight,
                                        GError              **error);
/* Of a factor and offset as a batch norm: gamma, beta, mean, variance. (transfer full) */
NnTensor     *nn_keras_scale_values    (const NnKerasWriter  *writer,
                                        const NnNode         *node,
                                        guint                 i);
gboolean      nn_keras_told_by_config  (const NnNode         *node);
/* Masks, class names and standardisation, which Keras does not look at. */
gboolean      nn_keras_put_mask        (NnH5                 *h5,
                                        const NnKerasOut     *layer,
                                        const NnWeight       *weight,
                                        GError              **error);
gboolean      nn_keras_put_info        (const NnKerasWriter  *writer,
                                        NnH5                 *h5,
                                        GError              **error);

/* A call of the layer that makes @node, as both of Keras's formats tell it: (layer, call, 0). */
JsonArray *nn_keras_reference (const NnKerasWriter *writer,
                               guint                node);

G_END_DECLS

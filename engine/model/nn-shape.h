/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of one sample of a tensor: a small value, without the batch axis. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NN_MAX_RANK 8

/* A dimension that the source left open (a recurrent network's number of steps). */
#define NN_DIM_UNKNOWN (-1)

/**
 * NnShape:
 * @rank: number of axes, 0 for a scalar
 * @dims: extents, channels last; %NN_DIM_UNKNOWN where open
 */
typedef struct {
  guint  rank;
  gint64 dims[NN_MAX_RANK];
} NnShape;

#define NN_SHAPE(...)                                                              \
  ((NnShape) { .rank = sizeof ((gint64[]) { __VA_ARGS__ }) / sizeof (gint64),      \
               .dims = { __VA_ARGS__ } })

gboolean nn_shape_equal    (const NnShape *a,
                            const NnShape *b);
gboolean nn_shape_is_known (const NnShape *shape);
gboolean nn_shape_size     (const NnShape *shape,
                            gsize         *size);
gsize    nn_shape_count    (const NnShape *shape);
gint64   nn_shape_last     (const NnShape *shape);
char    *nn_shape_to_string (const NnShape *shape) G_GNUC_MALLOC;

G_END_DECLS

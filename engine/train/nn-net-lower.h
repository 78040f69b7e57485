/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lowering functions by family of operators. Private to this room. */

#pragma once

#include "nn-net-build.h"

G_BEGIN_DECLS

const NnShape *nn_lower_input_shape (NnNetBuilder *b,
                                     const NnNode *node,
                                     guint         k);
gboolean nn_lower_window     (const NnNode  *node,
                              const NnShape *in,
                              guint          n_spatial,
                              gsize          channels_out,
                              NnWindow      *window,
                              GError       **error);
/* Which axis of @shape, counted from its first; sets how many elements lie inside it. */
gsize    nn_lower_axis       (const NnShape *shape,
                              gint           axis,
                              gsize         *inner);
gboolean nn_lower_move       (NnNetBuilder  *b,
                              const NnNode  *node,
                              guint          input,
                              guint         *output,
                              GError       **error);
gboolean nn_lower_pool       (NnNetBuilder  *b,
                              const NnNode  *node,
                              guint          input,
                              guint         *output,
                              GError       **error);
gboolean nn_lower_reduce     (NnNetBuilder  *b,
                              const NnNode  *node,
                              guint          input,
                              guint         *output);
gboolean nn_lower_product    (NnNetBuilder  *b,
                              const NnNode  *node,
                              const guint   *inputs,
                              guint         *output,
                              GError       **error);
gboolean nn_lower_transposed (NnNetBuilder  *b,
                              const NnNode  *node,
                              guint          input,
                              guint         *output,
                              GError       **error);
gboolean nn_lower_einsum     (NnNetBuilder  *b,
                              const NnNode  *node,
                              const guint   *inputs,
                              guint         *output,
                              GError       **error);

G_END_DECLS

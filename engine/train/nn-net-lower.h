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
/* A matrix over the last axis, at each position: from n_in to n_out. */
gboolean nn_lower_matrix     (NnNetBuilder  *b,
                              const NnNode  *node,
                              guint          input,
                              gsize          n_in,
                              gsize          n_out,
                              NnRole         kernel,
                              NnRole         bias,
                              guint         *output,
                              GError       **error);
/* An einsum of two activations whose axes are these letters, no batch among them. */
gboolean nn_lower_products   (NnNetBuilder  *b,
                              const NnNode  *node,
                              const guint   *inputs,
                              const char    *x,
                              const NnShape *x_shape,
                              const char    *w,
                              const NnShape *w_shape,
                              const char    *y,
                              guint         *output,
                              GError       **error);
/* All elements times the same. */
void     nn_lower_scaled     (NnNetBuilder  *b,
                              const NnNode  *node,
                              guint          input,
                              float          factor,
                              guint         *output);
gboolean nn_lower_attention  (NnNetBuilder  *b,
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

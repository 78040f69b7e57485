/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writers of layers share. */

#pragma once

#include "hls-emit-private.h"

G_BEGIN_DECLS

/* How an activation is computed. */
typedef struct {
  NnAct       act;
  const char *functor; /* of nnet_activation.h */
  guint       range;   /* numbers that its table spans, 0 where there is none */
} HlsFunction;

/* (nullable) */
const HlsFunction *hls_function_find (NnAct act);


void     hls_layer_stream (HlsEmit *emit,
                           const char *type,
                           const char *name,
                           gsize depth);
gboolean hls_write_constant (HlsEmit *emit,
                             HlsLayer *layer,
                             GError **error);
void     hls_layer_declare (HlsEmit *emit,
                            HlsLayer *layer);
void     hls_layer_copies (HlsEmit *emit,
                           HlsLayer *layer);
void     hls_layer_call (HlsEmit *emit,
                         HlsLayer *layer,
                         const char *function,
                         const char *functor,
                         const char *arguments);
void     hls_layer_field (HlsEmit *emit,
                          const char *name,
                          gsize value);
void     hls_layer_type_field (HlsEmit *emit,
                               const HlsLayer *layer,
                               const char *name);
void     hls_layer_begin (HlsEmit *emit,
                          const HlsLayer *layer);
void     hls_layer_end (HlsEmit *emit);
gsize    hls_layer_input_count (const HlsEmit *emit,
                                const HlsLayer *layer,
                                guint k);
gsize    hls_layer_channels (const HlsLayer *layer);
void     hls_layer_begin_array (HlsEmit *emit,
                                const HlsLayer *layer);
gboolean hls_layer_unsupported (const HlsLayer *layer,
                                const char *what,
                                GError **error);
gboolean hls_layer_has_bits (const HlsEmit *emit,
                             const HlsLayer *layer);
void     hls_layer_matrix (const HlsEmit *emit,
                           const HlsLayer *layer,
                           HlsMatrix *matrix);
gboolean hls_write_dense (HlsEmit *emit,
                          HlsLayer *layer,
                          GError **error);
void     hls_layer_constant (HlsEmit *emit,
                             const char *type,
                             const char *name,
                             double value);
gboolean hls_write_conv (HlsEmit *emit,
                         HlsLayer *layer,
                         GError **error);
gboolean hls_write_depthwise (HlsEmit *emit,
                              HlsLayer *layer,
                              GError **error);
gboolean hls_write_pool (HlsEmit *emit,
                         HlsLayer *layer,
                         GError **error);
gboolean hls_write_global_pool (HlsEmit *emit,
                                HlsLayer *layer,
                                GError **error);
gboolean hls_write_scale (HlsEmit *emit,
                          HlsLayer *layer,
                          GError **error);
gboolean hls_layer_table (HlsEmit *emit,
                          HlsLayer *layer,
                          const char *which,
                          const char *name,
                          GError **error);
gboolean hls_write_activation (HlsEmit *emit,
                               HlsLayer *layer,
                               GError **error);
gboolean hls_write_prelu (HlsEmit *emit,
                          HlsLayer *layer,
                          GError **error);
gboolean hls_write_recurrent (HlsEmit *emit,
                              HlsLayer *layer,
                              GError **error);
/* Numbers of the layer: an array LETTERn of the type TYPE_NAME and `static TYPE_NAME FUNCTION(unsigned i)`, which is @otherwise where
 * @raw is %NULL. */
gboolean hls_layer_row (HlsEmit *emit,
                        HlsLayer *layer,
                        const char *function,
                        const char *letter,
                        const char *type_name,
                        const NnType *type,
                        const gint64 *raw,
                        gsize n,
                        int otherwise,
                        GError **error);
gboolean hls_write_trees (HlsEmit *emit,
                          HlsLayer *layer,
                          GError **error);
gboolean hls_write_layer_norm (HlsEmit *emit,
                               HlsLayer *layer,
                               GError **error);
gboolean hls_write_embedding (HlsEmit *emit,
                              HlsLayer *layer,
                              GError **error);
gboolean hls_write_merge (HlsEmit *emit,
                          HlsLayer *layer,
                          GError **error);
gboolean hls_write_concatenate (HlsEmit *emit,
                                HlsLayer *layer,
                                GError **error);
gboolean hls_write_products (HlsEmit *emit,
                             HlsLayer *layer,
                             GError **error);
gboolean hls_write_lookup (HlsEmit *emit,
                           HlsLayer *layer,
                           GError **error);
gboolean hls_write_transposed (HlsEmit *emit,
                               HlsLayer *layer,
                               GError **error);
gboolean hls_write_move (HlsEmit *emit,
                         HlsLayer *layer,
                         GError **error);
gboolean hls_write_reshape (HlsEmit *emit,
                            HlsLayer *layer,
                            GError **error);

G_END_DECLS

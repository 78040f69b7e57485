/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ's layers: what their readers share. Internal to the room. */

#pragma once

#include "nn-keras.h"

G_BEGIN_DECLS

/* nn-keras-hgq.c: types from variables. */
int             nn_keras_as_bits        (const NnTensor     *tensor,
                                         gsize               i,
                                         int                 bound);
gboolean        nn_keras_find_rounding  (const char         *name,
                                         NnRounding         *rounding);
gboolean        nn_keras_find_overflow  (const char         *name,
                                         NnOverflow         *overflow);
NnType          nn_keras_kif            (int                 k,
                                         int                 i,
                                         int                 f,
                                         NnRounding          rounding,
                                         NnOverflow          overflow);
gboolean        nn_keras_fits_sample    (const NnShape      *shape,
                                         const NnShape      *full,
                                         gboolean            batch,
                                         NnShape            *sample);
NnQuantizer    *nn_keras_make_quantizer (NnKerasLayer       *layer,
                                         const NnType       *types,
                                         const NnShape      *shape,
                                         const NnShape      *full);
const NnWeight *nn_keras_taken          (NnKerasLayer       *layer,
                                         NnRole              role);

/**
 * NnHgq2Line: what a quantiser of data does besides rounding: x is divided by @scaler before and multiplied by it after, then
 * by @gain, and @offset is added
 */
typedef struct {
  double scaler, gain, offset;
} NnHgq2Line;

/* nn-keras-hgq2-quantizer.c. @conf: (nullable): of class QuantizerConfig or its kin; @sub: the variables' group; @batch: whether
 * they may have the batch's axis; @line: (out) (nullable): %NULL where only plain quantisers and scalers are accepted.
 * @quantizer: (out) (nullable): none where there is no @conf, or it is a dummy */
gboolean   nn_keras_hgq2_quantizer (NnKerasLayer      *layer,
                                    JsonObject        *conf,
                                    const char        *sub,
                                    const NnShape     *full,
                                    gboolean           batch,
                                    NnHgq2Line        *line,
                                    NnQuantizer      **quantizer,
                                    GError           **error);

/**
 * NnHgq2Softmax: one softmax by two tables
 * @name: of its nodes, before their suffixes; "" for a layer of its own
 * @sub: group of its variables, "" or with a slash at the end
 * @iq, @exp_iq, @exp_oq, @inv_iq, @inv_oq: (nullable): quantisers' configurations
 * @product: (nullable): suffix of the last node; %NULL for the layer's own name
 * @first, @until: axes of the sample it is taken over
 */
typedef struct {
  const char *name, *sub;
  JsonObject *iq, *exp_iq, *exp_oq, *inv_iq, *inv_oq;
  const char *product;
  gboolean    stable;
  double      scaler;
  gint        first, until;
} NnHgq2Softmax;

/* nn-keras-hgq2.c: nodes of a layer that becomes several. */
guint          nn_hgq2_last          (NnKerasLayer         *layer);
const NnShape *nn_hgq2_shape_of      (NnKerasLayer         *layer,
                                      guint                 node);
NnNode        *nn_hgq2_add           (NnKerasLayer         *layer,
                                      NnOp                  op,
                                      const char           *suffix,
                                      const guint          *inputs,
                                      guint                 n_inputs);
gboolean       nn_hgq2_add_quantizer (NnKerasLayer         *layer,
                                      JsonObject           *conf,
                                      const char           *sub,
                                      const char           *suffix,
                                      guint                 input,
                                      guint                *result,
                                      GError              **error);
JsonObject    *nn_hgq2_conf_of       (NnKerasLayer         *layer,
                                      const char           *name,
                                      const char           *enabled,
                                      gboolean              fallback);
gboolean       nn_hgq2_numbered      (NnKerasLayer         *layer,
                                      GError              **error);
gboolean       nn_hgq2_quantize_inputs (NnKerasLayer       *layer,
                                      guint                *inputs,
                                      GError              **error);
const char    *nn_hgq2_suffix_of     (NnKerasLayer         *layer,
                                      const char           *suffix);
NnTensor      *nn_hgq2_variable      (NnKerasLayer         *layer,
                                      const char           *sub,
                                      guint                 number,
                                      gsize                 n,
                                      GError              **error);
gboolean       nn_hgq2_add_softmax   (NnKerasLayer         *layer,
                                      const NnHgq2Softmax  *softmax,
                                      guint                 input,
                                      GError              **error);
gboolean       nn_hgq2_finish        (NnKerasLayer         *layer,
                                      GError              **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The network as hardware: layers after all passes, and for each of them every number type, strategy and reuse factor.
 * The bit-accurate engine, the estimator, the groups of pruning and the HLS writer all read this one value, so they
 * cannot speak of different hardware.
 */

#pragma once

#include "nn-config.h"
#include "nn-model.h"

G_BEGIN_DECLS

/* What multiplies: decided by the number types of data and weight (hls4ml nnet_mult.h). */
typedef enum {
  NN_PRODUCT_MULT,
  NN_PRODUCT_BOTH_BINARY,
  NN_PRODUCT_WEIGHT_BINARY,
  NN_PRODUCT_DATA_BINARY,
  NN_PRODUCT_WEIGHT_TERNARY,
  NN_PRODUCT_WEIGHT_EXPONENTIAL,
} NnProduct;

/**
 * NnLayerPlan:
 *
 * How one node of the lowered graph becomes hardware. Every type is resolved: none is %NN_TYPE_AUTO.
 */
typedef struct {
  NnType     input;        /* of its first input */
  NnType     result;
  NnType     weight, bias, accum;
  NnType     recurrent_weight, recurrent_bias, state; /* recurrent layers */
  NnType     scale;        /* batch norm: scale and bias */
  NnType     threshold;    /* of decision trees; %NN_TYPE_AUTO where they are only rounded to the input's grid, which changes no answer */
  NnType     table, exp_table, inv_table, inv_inp, inp_norm; /* activations by table, softmax */
  NnStrategy strategy;
  NnSoftmax  softmax;
  NnProduct  product;
  guint      table_size, exp_table_size, inv_table_size;
  guint      n_in, n_out;          /* of the matrix: a convolution's n_in is kernel elements times channels */
  guint      reuse_factor;         /* valid for the kernel; what was asked for is in `wanted_reuse_factor` */
  guint      wanted_reuse_factor;
  guint      block_factor;         /* multipliers at work at once: ceil (n_in * n_out / reuse_factor) */
  guint      recurrent_n_in, recurrent_reuse_factor, recurrent_block_factor;
  guint      parallelization;      /* output positions computed at once */
  guint      n_positions;          /* output positions of one sample */
  gboolean   skip;                 /* softmax left out */
} NnLayerPlan;

typedef struct _NnDesign NnDesign;

#define NN_TYPE_DESIGN (nn_design_get_type ())
GType nn_design_get_type (void);

NnDesign          *nn_design_new      (const NnModel     *source,
                                       const NnConfig    *config,
                                       GError           **error) G_GNUC_WARN_UNUSED_RESULT;
NnDesign          *nn_design_ref      (NnDesign          *design);
void               nn_design_unref    (NnDesign          *design);
const NnModel     *nn_design_source   (const NnDesign    *design); /* as loaded */
const NnModel     *nn_design_model    (const NnDesign    *design); /* after the passes: the layers below */
const NnConfig    *nn_design_config   (const NnDesign    *design);
const NnLayerPlan *nn_design_plan     (const NnDesign    *design,
                                       guint              i);
/* The integers that the hardware's memories hold: the weight of @role of node @i, quantised to its planned type, in
 * the layout of the model (not transposed). (transfer none); %NN_DTYPE_I64; %NULL where the node has none. */
const NnTensor    *nn_design_raw      (const NnDesign    *design,
                                       guint              i,
                                       NnRole             role);
/* The type of element @k of a quantiser that has one for each element; otherwise that of the layer's result. */
NnType             nn_design_element_type (const NnDesign *design,
                                       guint              i,
                                       gsize              k);
/* Warnings for the user: snapped reuse factors, settings without effect. (transfer none) (zero-terminated) */
const char *const *nn_design_warnings (const NnDesign    *design);

/* The layers that the pass at place @i of nn_passes() met, as they were called before it. (transfer none) (zero-terminated) */
const char *const *nn_design_pass_layers (const NnDesign *design,
                                          guint           i);

/* From which distance on the entries of a softmax's table are too far apart: e to its half is 13 %. */
#define NN_SOFTMAX_COARSE_STEP 0.25

/* How far apart, in the input's own numbers, the entries of the exponentials' table stand; 0 for other layers. */
double             nn_design_softmax_step (const NnDesign *design,
                                       guint              i);

/* The index map of the Resource kernels (hls4ml 5.2): weight f = o * n_in + i of the output-major tensor is multiplied
 * by multiplier f / reuse_factor in cycle f % reuse_factor. Flat index in the model's own layout of weight f: */
gsize              nn_design_weight_index (const NnDesign *design,
                                           guint           i,
                                           NnRole          role,
                                           gsize           f);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnDesign, nn_design_unref)

G_END_DECLS

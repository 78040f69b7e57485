/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One node made ready to compute one sample in double precision, and the kernels that do. */

#pragma once

#include "nn-exec.h"

G_BEGIN_DECLS

typedef struct _NnStep NnStep;

/* Computes one sample: @in one array an input, @scratch of `n_scratch` numbers. */
typedef void (*NnStepFunc) (const NnStep        *step,
                            const double *const *in,
                            double              *out,
                            double              *scratch);

/* Fills what the kernel needs; checks all that the kernel trusts. */
typedef gboolean (*NnPrepareFunc) (NnStep   *step,
                                   GError  **error);

/**
 * NnStep:
 * @node: its settings
 * @shape: of the output of one sample, every axis known
 * @n: numbers in it
 * @in_shape: (array length=n_inputs): shapes of the inputs
 * @in_n: (array length=n_inputs): numbers in them
 * @w: (array) (nullable): weights by role, masked and quantised
 * @w_shape: their shapes
 * @w_n: their sizes, 0 where the node has none
 * @others: (element-type NnTensor): weights of %NN_ROLE_OTHER, in order, %NN_DTYPE_F64
 * @n_scratch: numbers of scratch the kernel wants
 * @plan: (nullable): the kernel's own, freed with g_free()
 */
struct _NnStep {
  const NnNode *node;
  NnShape       shape;
  gsize         n;
  NnShape      *in_shape;
  gsize        *in_n;
  double       *w[NN_N_ROLES];
  NnShape       w_shape[NN_N_ROLES];
  gsize         w_n[NN_N_ROLES];
  GPtrArray    *others;
  GPtrArray    *other_names; /* borrowed strings */
  gsize         n_scratch;
  gpointer      plan;
  NnStepFunc    func;
};

/* One row of the table of kernels. */
typedef struct {
  NnPrepareFunc prepare; /* nullable */
  NnStepFunc    func;
} NnKernel;

/* (nullable): %NULL where the operator cannot be computed */
const NnKernel *nn_kernel         (NnOp          op);
gboolean        nn_step_fail      (const NnStep *step,
                                   const char   *what,
                                   GError      **error);
/* Whether the weight of @role is there with @n numbers. */
gboolean        nn_step_need      (const NnStep *step,
                                   NnRole        role,
                                   gsize         n,
                                   GError      **error);
gsize           nn_step_axis      (gint          axis,
                                   guint         rank);

/* A layer's own activation over one sample, in place. */
void nn_act_apply (const NnAttrs *attrs,
                   NnAct          act,
                   const NnShape *shape,
                   gint           axis,
                   double        *values);

#define NN_STEP_FUNC(name)                                                                         \
  void name (const NnStep *step, const double *const *in, double *out, double *scratch)
#define NN_PREPARE_FUNC(name) gboolean name (NnStep *step, GError **error)

NN_STEP_FUNC (nn_step_activation);
NN_STEP_FUNC (nn_step_prelu);
NN_PREPARE_FUNC (nn_prepare_prelu);
NN_PREPARE_FUNC (nn_prepare_conv);
NN_STEP_FUNC (nn_step_conv);
NN_PREPARE_FUNC (nn_prepare_depthwise);
NN_STEP_FUNC (nn_step_depthwise);
NN_PREPARE_FUNC (nn_prepare_separable);
NN_STEP_FUNC (nn_step_separable);
NN_PREPARE_FUNC (nn_prepare_transpose);
NN_STEP_FUNC (nn_step_transpose);
NN_PREPARE_FUNC (nn_prepare_pool);
NN_STEP_FUNC (nn_step_max_pool);
NN_STEP_FUNC (nn_step_avg_pool);
NN_STEP_FUNC (nn_step_global_pool);
NN_STEP_FUNC (nn_step_copy);
NN_PREPARE_FUNC (nn_prepare_constant);
NN_STEP_FUNC (nn_step_constant);
NN_PREPARE_FUNC (nn_prepare_dense);
NN_STEP_FUNC (nn_step_dense);
NN_PREPARE_FUNC (nn_prepare_batch_norm);
NN_PREPARE_FUNC (nn_prepare_scale);
NN_STEP_FUNC (nn_step_affine);
NN_PREPARE_FUNC (nn_prepare_layer_norm);
NN_STEP_FUNC (nn_step_layer_norm);
NN_PREPARE_FUNC (nn_prepare_embedding);
NN_STEP_FUNC (nn_step_embedding);
NN_PREPARE_FUNC (nn_prepare_merge);
NN_STEP_FUNC (nn_step_merge);
NN_PREPARE_FUNC (nn_prepare_dot);
NN_STEP_FUNC (nn_step_dot);
NN_PREPARE_FUNC (nn_prepare_matmul);
NN_STEP_FUNC (nn_step_matmul);
NN_PREPARE_FUNC (nn_prepare_einsum);
NN_PREPARE_FUNC (nn_prepare_einsum_dense);
NN_STEP_FUNC (nn_step_einsum);
NN_STEP_FUNC (nn_step_einsum_dense);
NN_PREPARE_FUNC (nn_prepare_attention);
NN_STEP_FUNC (nn_step_attention);
NN_PREPARE_FUNC (nn_prepare_garnet);
NN_STEP_FUNC (nn_step_garnet);
NN_PREPARE_FUNC (nn_prepare_lut);
NN_STEP_FUNC (nn_step_lut);
NN_PREPARE_FUNC (nn_prepare_trees);
NN_STEP_FUNC (nn_step_trees);
NN_PREPARE_FUNC (nn_prepare_rnn);
NN_STEP_FUNC (nn_step_rnn);
NN_STEP_FUNC (nn_step_permute);
NN_STEP_FUNC (nn_step_repeat);
NN_STEP_FUNC (nn_step_slice);
NN_STEP_FUNC (nn_step_reverse);
NN_STEP_FUNC (nn_step_pad);
NN_STEP_FUNC (nn_step_upsample);
NN_STEP_FUNC (nn_step_reduce);
NN_STEP_FUNC (nn_step_arg_max);
NN_STEP_FUNC (nn_step_concatenate);

G_END_DECLS

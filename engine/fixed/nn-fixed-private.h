/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of the bit-accurate engine. */

#pragma once

#include "nn-fixed-exec.h"

G_BEGIN_DECLS

/*
 * Samples are worked on in blocks. The values of a layer stand feature by feature, the block's samples side by side
 * (a column), so that every kernel's inner loop runs over samples whatever the layer is.
 */
#define NN_FIXED_LANES 64
#define NN_FIXED_FEW_LANES 8 /* of networks with very large layers */

__extension__ typedef __int128 NnWide;
__extension__ typedef unsigned __int128 NnUWide;

/**
 * NnCast: an assignment to a type, worked out once.
 * @shift: bits that fall off; negative where zeros come in
 * @wide: whether the 64-bit path does not hold every intermediate value
 * @nothing: whether only the shift to the left is left to do
 */
typedef struct {
  int        shift;
  NnRounding rounding;
  NnOverflow overflow;
  int        width;
  gboolean   is_signed;
  gint64     min, max;
  gboolean   wide;
  gboolean   from_unsigned; /* 64 bits without a sign */
  gboolean   nothing;
} NnCast;

/* @bits: of the values to be cast, a sign included; @is_signed: whether they may be negative. */
void   nn_cast_init   (NnCast         *cast,
                       int             bits,
                       gboolean        is_signed,
                       int             fraction,
                       const NnType   *to);
void   nn_cast_column (const NnCast   *cast,
                       gint64         *out,
                       const gint64   *in,
                       gsize           n,
                       guint64        *overflows);
gint64 nn_cast_wide   (const NnCast   *cast,
                       NnWide          value,
                       gboolean       *overflowed);
gint64 nn_cast_product (const NnCast  *cast,
                        gint64         x,
                        gboolean       x_unsigned,
                        gint64         w,
                        gboolean       w_unsigned,
                        gboolean      *overflowed);

/**
 * NnFixedInput: one input of a layer, as integers.
 * @bits: that hold every value, a sign included
 * @fraction: bits after the point
 * @is_binary: whether the stored 0 and 1 mean -1 and +1
 */
typedef struct {
  guint    node;
  gsize    n;
  NnShape  shape;
  NnType   type;
  int      bits;
  int      fraction;
  gboolean is_binary;
} NnFixedInput;

typedef struct _NnFixedLayer NnFixedLayer;
typedef struct _NnFixedRun NnFixedRun;
typedef void (*NnFixedFunc) (const NnFixedLayer *layer, NnFixedRun *run);

/**
 * NnFixedLayer: a layer made ready.
 * @run: computes the values of node @index from those of its inputs
 * @state: (nullable): the kernel's own
 */
struct _NnFixedLayer {
  const NnDesign    *design;
  const NnNode      *node;
  const NnLayerPlan *plan;
  guint              index;
  gsize              n;
  NnFixedInput      *inputs;
  NnFixedFunc        run;
  gpointer           state;
  GDestroyNotify     free_state;
  gsize              scratch; /* bytes that it needs while it runs */
};

/**
 * NnFixedRun: one thread's work on one block.
 * @lanes: samples in a column; all are computed
 * @active: of which so many are the caller's
 * @overflows: (nullable): one count a node
 */
struct _NnFixedRun {
  gint64 **values;
  guint8  *scratch;
  gsize    lanes;
  gsize    active;
  guint64 *overflows;
};

static inline gint64 *
nn_fixed_out (const NnFixedLayer *layer,
              NnFixedRun         *run)
{
  return run->values[layer->index];
}

static inline const gint64 *
nn_fixed_in (const NnFixedLayer *layer,
             NnFixedRun         *run,
             guint               k)
{
  return run->values[layer->inputs[k].node];
}

/* Lanes to be computed: only the caller's where overflows are counted. */
static inline gsize
nn_fixed_lanes (const NnFixedRun *run)
{
  return run->overflows != NULL ? run->active : run->lanes;
}

static inline guint64 *
nn_fixed_counter (const NnFixedLayer *layer,
                  NnFixedRun         *run)
{
  return run->overflows != NULL ? &run->overflows[layer->index] : NULL;
}

static inline int
nn_type_bits (const NnType *type)
{
  return type->kind == NN_TYPE_BINARY ? 2 : type->width + (type->is_signed ? 0 : 1);
}

/* hls4ml's recursive macro, which makes one address bit of one entry. */
static inline int
nn_ceil_log2_macro (guint64 n)
{
  return n <= 2 ? 1 : 64 - __builtin_clzll (n - 1);
}

static inline gint64
nn_fixed_number (const NnFixedInput *input,
                 gint64              raw)
{
  return input->is_binary ? 2 * raw - 1 : raw;
}

/* nn_cast_wide() that counts. @count: (nullable): grows by one where the value does not fit */
static inline gint64
nn_fixed_cast_one (const NnCast *cast,
                   NnWide        value,
                   guint64      *count)
{
  gboolean over;
  gint64 raw = nn_cast_wide (cast, value, &over);

  if (count != NULL)
    *count += over;
  return raw;
}

/* Kernels make themselves ready: each sets run, state and scratch, or fails naming the layer. */
gboolean nn_fixed_prepare_matrix     (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_scale      (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_activation (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_softmax    (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_pool       (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_merge      (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_shape      (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_layer_norm (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_recurrent  (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_constant   (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_embedding  (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_prepare_trees      (NnFixedLayer *layer, GError **error);
gboolean nn_fixed_unsupported        (const NnFixedLayer *layer, const char *what, GError **error);

/* Which entry of a table a value falls on: truncated (value * n / range) + offset, clamped. */
typedef struct {
  gint64 n;
  gint64 divisor; /* range shifted to the value's point */
  gint64 offset;
  gboolean wide;
  int    fraction;
  gint64 range;
} NnTableIndex;

void  nn_table_index_init (NnTableIndex *index, const NnFixedInput *input, gint64 n, gint64 range, gint64 offset);
gsize nn_table_index      (const NnTableIndex *index, gint64 value);

G_END_DECLS

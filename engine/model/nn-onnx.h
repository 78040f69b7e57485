/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX networks: what the readers of tensors, operators and quantisers share. Internal to the room.
 *
 * The graph is built channels last. A transpose of the file becomes no node: a value notes where each of its axes lies in
 * what is computed, and a real permutation is put in only where an operator needs another order. */

#pragma once

#include "nn-load-private.h"

#include <math.h>

G_BEGIN_DECLS

/* A number of a file as a whole one; 0 for what has none, as NaN. What is larger than any extent stays so, as the "to the end" of a
 * Slice, but leaves room to add to it. */
static inline gint64
nn_onnx_whole (double value)
{
  const double most = 4611686018427387904.0;

  if (isnan (value))
    return 0;
  return (gint64) CLAMP (value, -most, most);
}

/* Generated, onnx.pb-c.h. */
typedef struct ProtobufCMessageDescriptor ProtobufCMessageDescriptor;
typedef struct Onnx__AttributeProto Onnx__AttributeProto;
typedef struct Onnx__GraphProto Onnx__GraphProto;
typedef struct Onnx__ModelProto Onnx__ModelProto;
typedef struct Onnx__NodeProto Onnx__NodeProto;
typedef struct Onnx__SparseTensorProto Onnx__SparseTensorProto;
typedef struct Onnx__TensorProto Onnx__TensorProto;

/* The domain of operators that nn_save_onnx() writes. */
#define NN_ONNX_OWN_DOMAIN "espalier"
/* What its files tell of who made them. */
#define NN_ONNX_PRODUCER "Espalier"

/* Stands for the batch's open extent in shapes that a file computes: a prime that no real extent is a multiple of, so that
 * products, quotients and lists of extents still tell where the batch went. */
#define NN_ONNX_BATCH 1000003

/* An axis of extent 1 that the computed tensor does not have. */
#define NN_ONNX_VIRTUAL (-1)

/* Operators of a network. */
#define NN_ONNX_MAX_NODES 200000

/* Parts of which one axis may be put together again. */
#define NN_ONNX_MAX_PARTS 4096

/* A quantiser that stands at a constant: values stay as they are, the quantiser goes to the layer that uses them.
 * @scale: (nullable): shape broadcasts to the constant's; %NULL with @own
 * @own: (nullable): the quantiser itself, as a file of ours holds it
 * @frozen: with @own: what it makes of the constant */
typedef struct {
  gboolean   bipolar;
  gboolean   is_signed;
  gboolean   narrow;
  int        bits;
  NnRounding rounding;
  NnTensor  *scale;
  double     zero_point;
  gboolean   rounds_first; /* before the zero point is added: QuantizeLinear, not Quant */
  NnQuantizer *own;
  NnTensor    *frozen;
} NnOnnxQuant;

/**
 * NnOnnxValue: a tensor of the file
 * @constant: (nullable): its values, with all axes, F32 or I64
 * @type: of a constant: the file's, a TensorProto.DataType
 * @quant: (nullable): of a constant
 * @node: which computes it, where it is not constant
 * @dropped: nothing computes it, nor what depends on it: the winning class of a tree ensemble
 * @integral: whether its numbers are whole: classes
 * @rank: axes in the file, the batch's included
 * @dims: extents, open where not known
 * @batch: which axis is the batch's
 * @merged_before: whether the file sees the axis before the batch's as one with it
 * @merged_after: the same of the axis after it: heads that were folded into the batch
 * @at: for each axis but the batch's, in order: which axis of the computed sample it is
 * @order: (nullable): of a flattened value: the place in the computed sample of each element
 * @codes: (nullable): what QuantizeLinear said, of a value between it and DequantizeLinear
 */
typedef struct {
  const char  *name;
  NnTensor    *constant;
  int          type;
  NnOnnxQuant *quant;
  guint        node;
  gboolean     dropped;
  gboolean     integral;
  guint        rank;
  gint64       dims[NN_MAX_RANK + 1];
  guint        batch;
  gboolean     merged_before;
  gboolean     merged_after;
  int          at[NN_MAX_RANK + 1];
  guint       *order;
  gsize        n_order;
  NnOnnxQuant *codes;
  double       code_min;
  double       code_max;
} NnOnnxValue;

typedef struct {
  const char          *file;
  const NnLoadOptions *options;
  GCancellable        *cancellable;
  NnGraphBuilder      *builder;
  GHashTable          *values;    /* name → NnOnnxValue */
  GPtrArray           *all;       /* NnOnnxValue, owned: also those whose name another took */
  GHashTable          *uses;      /* name → GPtrArray of Onnx__NodeProto */
  GHashTable          *outputs;   /* names of the graph's */
  GHashTable          *fused;     /* set of Onnx__NodeProto already done */
  GHashTable          *shapes;    /* name → Onnx__TypeProto */
  GArray              *weights;   /* NnWeight */
  GStringChunk        *strings;   /* owned: text that lasts as long as the reading */
  int                  opset;
  GHashTable          *names;     /* set: of the graph's nodes */
  gboolean             quantized;
  gboolean             own;       /* whether nn_save_onnx() wrote the file */
  gboolean             lifted;    /* see nn_onnx_lift() */
  guint                depth;     /* of branches that are read */
  GHashTable          *external;  /* name of a file beside → GMappedFile */
  gsize                n_folded;  /* elements of constants that were computed */
  gsize                n_made;    /* see nn_onnx_made() */
  GArray              *large;     /* (nullable): NnOnnxLarge, raw data of initialisers that stay in the file */
} NnOnnx;

/* Reads one operator into the graph. */
typedef gboolean NnOnnxRead (NnOnnx           *onnx,
                             Onnx__NodeProto  *op,
                             GError          **error);
typedef NnOnnxRead *NnOnnxReader;

/* nn-onnx-value.c */
void         nn_onnx_value_free   (gpointer          data);
NnOnnxValue *nn_onnx_input        (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   guint             i);
NnOnnxValue *nn_onnx_new_value    (NnOnnx           *onnx,
                                   const char       *name);
NnOnnxValue *nn_onnx_alias        (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const NnOnnxValue *from);
void         nn_onnx_constant     (NnOnnx           *onnx,
                                   const char       *name,
                                   NnTensor         *tensor);
NnNode      *nn_onnx_node         (NnOnnx           *onnx,
                                   NnOp              op,
                                   const char       *name,
                                   const char       *class_name,
                                   const guint      *inputs,
                                   guint             n_inputs);
gboolean     nn_onnx_finish       (NnOnnx           *onnx,
                                   NnNode           *node,
                                   GError          **error);
void         nn_onnx_weight       (NnOnnx           *onnx,
                                   NnNode           *node,
                                   NnRole            role,
                                   const char       *name,
                                   NnTensor         *values);
/* The value that @node computes under the name of the operator's first output (or @name), its axes in the computed order
 * of @like; the caller sets what differs. */
NnOnnxValue *nn_onnx_result       (NnOnnx           *onnx,
                                   const char       *name,
                                   const NnOnnxValue *like);
Onnx__NodeProto *nn_onnx_only_use (NnOnnx           *onnx,
                                   const char       *name);
const char  *nn_onnx_out          (Onnx__NodeProto  *op,
                                   guint             i);
/* Attributes. */
gint64       nn_onnx_int          (Onnx__NodeProto  *op,
                                   const char       *name,
                                   gint64            fallback);
double       nn_onnx_float        (Onnx__NodeProto  *op,
                                   const char       *name,
                                   double            fallback);
const char  *nn_onnx_string       (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const char       *name,
                                   const char       *fallback);
const gint64 *nn_onnx_ints        (Onnx__NodeProto  *op,
                                   const char       *name,
                                   gsize            *n);
Onnx__AttributeProto *nn_onnx_attribute (Onnx__NodeProto *op,
                                         const char      *name);
/* Numbers from an attribute, or from a constant input (newer operator sets). */
gboolean     nn_onnx_numbers      (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const char       *name,
                                   guint             input,
                                   GArray           *numbers,
                                   gboolean         *found);
/* nn-onnx-layout.c */
guint        nn_onnx_sample_axis  (const NnOnnxValue *value,
                                   guint             axis);
gboolean     nn_onnx_axis         (const NnOnnxValue *value,
                                   gint64            axis,
                                   guint            *resolved);
gboolean     nn_onnx_is_natural   (const NnOnnxValue *value);
gboolean     nn_onnx_natural      (NnOnnx           *onnx,
                                   NnOnnxValue      *value,
                                   GError          **error);
gboolean     nn_onnx_channels_last (NnOnnx          *onnx,
                                    NnOnnxValue     *value,
                                    GError         **error);
gboolean     nn_onnx_arrange      (NnOnnx           *onnx,
                                   NnOnnxValue      *value,
                                   const int        *wanted,
                                   GError          **error);
gint64       nn_onnx_batch        (const NnOnnxValue *value);
const NnShape *nn_onnx_shape      (NnOnnx           *onnx,
                                   const NnOnnxValue *value);

/* nn-onnx-tensor.c */
NnTensor    *nn_onnx_tensor       (NnOnnx           *onnx,
                                   Onnx__TensorProto *proto,
                                   GError          **error) G_GNUC_WARN_UNUSED_RESULT;
/* Its elements in double precision; %NULL where it is damaged, in a file beside, or empty. */
double      *nn_onnx_reals        (NnOnnx           *onnx,
                                   Onnx__TensorProto *proto,
                                   gsize            *n) G_GNUC_WARN_UNUSED_RESULT;
NnTensor    *nn_onnx_initializer  (NnOnnx           *onnx,
                                   Onnx__TensorProto *proto,
                                   gsize             i,
                                   GError          **error) G_GNUC_WARN_UNUSED_RESULT;
/* From the indices and values that the file tells. */
NnTensor    *nn_onnx_sparse_tensor (NnOnnx           *onnx,
                                    Onnx__SparseTensorProto *proto,
                                    GError          **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean     nn_onnx_type_is_integer (int             type);

/* nn-onnx-external.c: bytes of a tensor that lie in a file beside. */
gboolean     nn_onnx_external     (NnOnnx           *onnx,
                                   const Onnx__TensorProto *proto,
                                   const guint8    **bytes,
                                   gsize            *n,
                                   GError          **error);

/* nn-onnx.c: whether the wire format of a message holds, and messages in it are not nested too deep. */
gboolean     nn_onnx_check_wire   (const ProtobufCMessageDescriptor *message,
                                   const guint8     *at,
                                   gsize             n,
                                   guint             depth);
/* nn-onnx-slim.c */
gboolean     nn_onnx_varint       (const guint8    **at,
                                   const guint8     *end,
                                   guint64          *value);

/* nn-onnx-fused.c: operators that are several of ONNX's, on reals or on quantised codes. */
NnOnnxRead nn_onnx_read_fused, nn_onnx_read_on_codes, nn_onnx_read_codes_concat;

/* nn-onnx-codes.c */
gboolean     nn_onnx_check_codes  (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   GError          **error);
void         nn_onnx_move_codes   (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op);
gboolean     nn_onnx_decode       (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   double            zero,
                                   GError          **error);
NnOnnxValue *nn_onnx_encode       (NnOnnx           *onnx,
                                   NnOnnxValue      *value,
                                   GError          **error);

/* nn-onnx-flow.c */
NnOnnxRead nn_onnx_read_if;
void         nn_onnx_note_uses    (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   guint             depth);

/* nn-onnx-functions.c */
gboolean     nn_onnx_expand_functions (NnOnnx           *onnx,
                                       Onnx__ModelProto *model,
                                       GError          **error);

/* nn-onnx-fold.c */
gboolean     nn_onnx_fold         (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   gboolean         *done,
                                   GError          **error);

/* nn-onnx-lift.c */
gboolean     nn_onnx_lift         (NnOnnx           *onnx,
                                   Onnx__GraphProto *graph);

/* nn-onnx-quant.c */
void         nn_onnx_quant_free   (NnOnnxQuant      *quant);
NnOnnxQuant *nn_onnx_quant_copy   (const NnOnnxQuant *quant,
                                   const guint      *axes,
                                   guint             rank);
gboolean     nn_onnx_scalar       (const NnOnnxValue *value,
                                   double           *number);
gboolean     nn_onnx_find_rounding (const char      *name,
                                    NnRounding      *rounding);
gboolean     nn_onnx_quant_is_scaled (const NnOnnxQuant *quant);
gboolean     nn_onnx_quantizer    (NnOnnx           *onnx,
                                   const NnOnnxQuant *quant,
                                   NnQuantizer     **quantizer);
double       nn_onnx_quant_value  (const NnOnnxQuant *quant,
                                   double            scale,
                                   double            x);
gboolean     nn_onnx_read_quant   (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   GError          **error);
gboolean     nn_onnx_read_linear  (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   GError          **error);

/* nn-onnx-order.c */
gboolean     nn_onnx_order        (NnOnnx           *onnx,
                                   Onnx__GraphProto *graph,
                                   GError          **error);

/* nn-onnx-graph.c */
gboolean     nn_onnx_read_op      (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   GError          **error);
gboolean     nn_onnx_read_initializers (NnOnnx           *onnx,
                                        Onnx__GraphProto *graph,
                                        const NnProgress *progress,
                                        GError          **error);
gboolean     nn_onnx_read_graph   (NnOnnx           *onnx,
                                   Onnx__GraphProto *graph,
                                   const NnProgress *progress,
                                   GError          **error);

/* nn-onnx-masks.c */
void         nn_onnx_read_masks   (NnOnnx           *onnx,
                                   Onnx__ModelProto *proto);

/* nn-onnx-own.c: operators that nn_save_onnx() writes. */
NnOnnxRead nn_onnx_read_own;

/* nn-onnx-weight.c */
NnTensor    *nn_onnx_baked         (const NnOnnxValue *value);
NnTensor    *nn_onnx_made          (NnOnnx            *onnx,
                                    const NnShape     *shape,
                                    GError           **error) G_GNUC_WARN_UNUSED_RESULT;
NnTensor    *nn_onnx_broadcast     (const NnTensor    *tensor,
                                    const NnShape     *shape);
gboolean     nn_onnx_is_channels_last (Onnx__NodeProto   *op);
NnTensor    *nn_onnx_prepare       (NnOnnx            *onnx,
                                    NnNode            *node,
                                    NnRole             role,
                                    const NnOnnxValue *value,
                                    const guint       *axes);
/* One axis of all its elements. @tensor: (transfer full) */
NnTensor    *nn_onnx_flat          (NnTensor          *tensor);
/* (nullable): where it is data, or missing */
const NnOnnxValue *nn_onnx_constant_input (NnOnnx          *onnx,
                                           Onnx__NodeProto *op,
                                           guint            i);
const NnOnnxValue *nn_onnx_following_bias (NnOnnx          *onnx,
                                           Onnx__NodeProto *op,
                                           gint64           units,
                                           gboolean         spatial,
                                           guint            rank,
                                           const char     **name);
NnTensor    *nn_onnx_by_channel    (NnTensor          *values,
                                    const NnOnnxValue *value);

/* nn-onnx-window.c, nn-onnx-dense.c, nn-onnx-norm.c, nn-onnx-scale.c, nn-onnx-recurrent.c, nn-onnx-trees.c */
NnOnnxRead nn_onnx_read_conv, nn_onnx_read_pool, nn_onnx_read_global_pool, nn_onnx_read_dense, nn_onnx_read_norm,
  nn_onnx_read_instance_norm, nn_onnx_read_scale, nn_onnx_read_recurrent, nn_onnx_read_trees, nn_onnx_read_newer_trees,
  nn_onnx_read_arg_max, nn_onnx_read_top_k;
/* nn-onnx-transposed.c */
gboolean     nn_onnx_read_conv_transpose (NnOnnx          *onnx,
                                          Onnx__NodeProto *op,
                                          NnOnnxValue     *value,
                                          const NnAttrs   *window,
                                          guint            n,
                                          GError         **error);
/* Data merged with one number, under @name. */
gboolean     nn_onnx_merge_number (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   NnOp              which,
                                   const char       *name,
                                   NnOnnxValue      *value,
                                   double            number,
                                   GError          **error);

/* nn-onnx-threshold.c */
NnOnnxRead nn_onnx_read_trunc, nn_onnx_read_multi_threshold;

/* nn-onnx-activation.c */
NnOnnxRead nn_onnx_read_gelu, nn_onnx_read_hard_swish, nn_onnx_read_erf, nn_onnx_read_activation,
  nn_onnx_read_clip, nn_onnx_read_prelu,
  nn_onnx_read_softmax, nn_onnx_read_identity, nn_onnx_read_cast;

/* nn-onnx-expand.c: operators that are made of others. */
NnOnnxRead nn_onnx_read_compare, nn_onnx_read_logic, nn_onnx_read_where, nn_onnx_read_log_softmax, nn_onnx_read_celu,
  nn_onnx_read_expand, nn_onnx_read_depth_to_space, nn_onnx_read_cum_sum;
/* The product along one axis with a constant matrix (to, from). */
gboolean     nn_onnx_mix          (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const char       *name,
                                   NnOnnxValue      *value,
                                   guint             axis,
                                   NnTensor         *matrix,
                                   GError          **error);
/* @before and @after elements of one number put beside the value @input along an axis. */
gboolean     nn_onnx_put_beside   (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const char       *name,
                                   const char       *input,
                                   guint             axis,
                                   gint64            before,
                                   gint64            after,
                                   double            number,
                                   GError          **error);

/* nn-onnx-run.c */
gboolean     nn_onnx_run_op       (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   GError          **error);
const char  *nn_onnx_middle       (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const char       *suffix);
gboolean     nn_onnx_run          (NnOnnx           *onnx,
                                   const char       *type,
                                   const char       *output,
                                   const char       *a,
                                   const char       *b,
                                   GError          **error);
gboolean     nn_onnx_run_along    (NnOnnx           *onnx,
                                   const char       *type,
                                   const char       *output,
                                   const char       *a,
                                   const gint64     *axes,
                                   guint             n_axes,
                                   GError          **error);
void         nn_onnx_number       (NnOnnx           *onnx,
                                   const char       *name,
                                   double            number);
/* nn-onnx-merge.c */
NnOnnxRead nn_onnx_read_unary, nn_onnx_read_merge, nn_onnx_read_concat, nn_onnx_read_pow;

/* nn-onnx-einsum.c */
NnOnnxRead nn_onnx_read_einsum;

/* nn-onnx-shape.c */
gboolean nn_onnx_reshape (NnOnnx *onnx,
                          Onnx__NodeProto *op,
                          NnOnnxValue *value,
                          const gint64 *dims,
                          guint n,
                          GError **error);
/* nn-onnx-regroup.c */
gboolean nn_onnx_regroup (NnOnnx *onnx,
                          Onnx__NodeProto *op,
                          NnOnnxValue *value,
                          const NnShape *target,
                          gboolean *done,
                          GError **error);
NnOnnxRead nn_onnx_read_transpose, nn_onnx_read_flatten, nn_onnx_read_reshape, nn_onnx_read_squeeze, nn_onnx_read_shape;

/* nn-onnx-part.c */
gboolean nn_onnx_slice (NnOnnx *onnx,
                        NnOnnxValue *value,
                        guint axis,
                        gint64 begin,
                        gint64 end,
                        gint64 step,
                        const char *name,
                        const char *type,
                        GError **error);
/* Elements @places of one axis, in that order. */
gboolean     nn_onnx_pick         (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const char       *name,
                                   NnOnnxValue      *value,
                                   guint             axis,
                                   const gint64     *places,
                                   gsize             n,
                                   GError          **error);
NnOnnxRead nn_onnx_read_tile, nn_onnx_read_slice, nn_onnx_read_split, nn_onnx_read_gather;

/* nn-onnx-resize.c, nn-onnx-pad.c, nn-onnx-reduce.c */
NnOnnxRead nn_onnx_read_resize, nn_onnx_read_pad, nn_onnx_read_reduce, nn_onnx_read_other_reduce;
gboolean     nn_onnx_read_winner  (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   const char       *name,
                                   gint64            along,
                                   gboolean          keep,
                                   GError          **error);

/* nn-onnx-ops.c */
NnOnnxValue *nn_onnx_data (NnOnnx *onnx,
                           Onnx__NodeProto *op,
                           GError **error);
NnNode *nn_onnx_like (NnOnnx *onnx,
                      Onnx__NodeProto *op,
                      NnOp which,
                      NnOnnxValue *value);
/* (nullable): where no operator of that domain and name is known */
NnOnnxReader nn_onnx_find_reader  (const char       *domain,
                                   const char       *type);
gboolean     nn_onnx_is_standard  (const Onnx__NodeProto *op);
gboolean     nn_onnx_no_reader    (const Onnx__NodeProto *op,
                                   GError         **error);
char       **nn_onnx_type_names   (void);

G_END_DECLS

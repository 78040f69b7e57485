/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras networks: what the readers of topology, layers, quantisers and weights share. Internal to the room. */

#pragma once

#include "nn-h5.h"
#include "nn-json.h"
#include "nn-load.h"

G_BEGIN_DECLS

/* Marks what a file left open and what was assumed, which the window says in the user's language. */
#define N_(text) (text)

/* Layers of a network, those of a nested model for each time that it is called. */
#define NN_KERAS_MAX_LAYERS 20000

/**
 * NnKerasVar: one variable of a layer, as the file holds it
 * @name: below the layer, `kernel`, `query/kernel`; in a numbered file (Keras 3) its place, `cell/0`
 * @path: of the data set
 */
typedef struct {
  char    *name;
  char    *path;
  char    *alias; /* (nullable): its name, where it has but a number */
  NnShape  shape;
  gboolean claimed;
} NnKerasVar;

/**
 * NnKeras: one load
 * @file: as errors name it
 * @h5: weights
 * @root: group that holds the layers' groups
 * @numbered: variables have numbers instead of names, below `layers/<class>_<n>/vars`
 * @weights: (element-type NnWeight): so far
 * @ids: layer name → GArray of weight ids: what a second call of a shared layer uses again
 * @turned: nodes that give channels last where the file has them first → the permutation after them, or 0
 * @masked: nodes some of whose steps a mask hides
 */
typedef struct {
  const char          *file;
  const NnLoadOptions *options;
  const NnProgress    *progress;
  GCancellable        *cancellable;
  NnGraphBuilder      *builder;
  NnH5                *h5;
  const char          *root;
  gboolean             numbered;
  int                  major;
  GArray              *weights;
  GStringChunk        *strings; /* names of weights, until the model has them */
  GHashTable          *ids;
  GHashTable          *turned;
  GHashTable          *masked;
  guint                n_layers;
  guint                n_done;
} NnKeras;

/**
 * NnKerasScope: where the layers of one (nested) model are found
 * @prefix: of their names in the graph, `outer__`
 * @group: of a named file: group of the outermost layer; %NULL at the top
 * @container: of a numbered file: group whose children are the layers
 * @vars: (nullable): of a named file inside a nested model: the variables of the whole
 * @suffix: of its nodes' names, where it is used once more
 * @time_distributed: layers work on every step
 */
typedef struct {
  const char *prefix;
  const char *group;
  const char *container;
  GPtrArray  *vars;
  const char *suffix; /* (nullable): of the nodes' names, where the model is used once more: `__node1` */
  GHashTable *used; /* class in snake case → count, for a numbered file */
  gboolean    time_distributed;
} NnKerasScope;

/**
 * NnKerasModel: one use of a model, the outermost or a layer of another
 * @json: with its class and its configuration
 * @scope: where its layers are found
 * @inputs: (nullable): nodes that it is given; %NULL for the outermost, whose inputs are its own
 * @outputs: (element-type guint): to be filled in: its nodes
 * @depth: models around it
 */
typedef struct {
  JsonObject         *json;
  const NnKerasScope *scope;
  const guint        *inputs;
  guint               n_inputs;
  GArray             *outputs;
  guint               depth;
} NnKerasModel;

/**
 * NnKerasLayer: one layer while it is read
 * @name: in the graph
 * @key: in the file
 * @inputs: node indices
 * @node: to be filled in; %NULL for readers that add nodes themselves
 */
typedef struct {
  NnKeras            *keras;
  const NnKerasScope *scope;
  const char         *class_name;
  gboolean            hgq2;
  gboolean            operation; /* of keras.ops, not a layer */
  gboolean            remade;    /* has become other layers, as which it is saved */
  JsonNode           *call;      /* the inbound node, nullable */
  const char         *name;
  const char         *node_name;
  const char         *key;
  JsonObject         *config;
  const guint        *inputs;
  guint               n_inputs;
  NnNode             *node;
  const NnShape      *in; /* of the first input */
  GPtrArray          *vars;
  GHashTable         *next; /* sub-path → next number */
  GArray             *ids;  /* weights read for this layer, or shared */
  GArray             *keys; /* guint: where Keras has each of them among the layer's weights */
  guint               n_shared;
  guint               shared_next;
  guint               out;  /* node whose output is the layer's */
  GArray             *more; /* guint: nodes of its further outputs, or %NN_KERAS_NO_OUTPUT */
} NnKerasLayer;

/* In NnKerasLayer.more: an output that the layer has in Keras, but not here; the last step of its first output. */
#define NN_KERAS_NO_OUTPUT G_MAXUINT
#define NN_KERAS_LAST_STEP (G_MAXUINT - 1)

/* Reads a layer's configuration and weights into its node, or into nodes that it adds itself. */
typedef gboolean NnKerasRead (NnKerasLayer *layer,
                              GError      **error);
typedef NnKerasRead *NnKerasReader;

/* nn-keras-store.c */
void       nn_keras_var_free      (gpointer            data);
GPtrArray *nn_keras_vars          (NnKeras            *keras,
                                   const NnKerasScope *scope,
                                   const char         *class_name,
                                   const char         *key,
                                   char              **group,
                                   GError            **error);
gboolean   nn_keras_take          (NnKerasLayer       *layer,
                                   NnRole              role,
                                   const char         *name,
                                   const char         *sub,
                                   const NnShape      *expected,
                                   GError            **error);
gboolean   nn_keras_add_weight    (NnKerasLayer       *layer,
                                   NnRole              role,
                                   const char         *name,
                                   NnTensor           *values,
                                   GError            **error);
/* A weight of a node that a reader added itself; @values: (transfer full) */
gboolean   nn_keras_give          (NnKerasLayer       *layer,
                                   NnNode             *node,
                                   NnRole              role,
                                   NnTensor           *values,
                                   GError            **error);
gboolean   nn_keras_take_rest     (NnKerasLayer       *layer,
                                   GError            **error);
void       nn_keras_sort_weights (NnKerasLayer        *layer);
NnTensor  *nn_keras_peek          (NnKerasLayer       *layer,
                                   const char         *name,
                                   const char         *sub,
                                   guint               number,
                                   GError            **error);
char      *nn_keras_snake_case    (const char         *class_name) G_GNUC_MALLOC;

/* nn-keras-layers.c */
gboolean nn_keras_get_count (NnKerasLayer *layer,
                             const char *name,
                             const char *old_name,
                             gint64 *value,
                             GError **error);
gboolean nn_keras_channels_last (NnKerasLayer *layer,
                                 GError **error);
gboolean   nn_keras_find_reader   (const char         *class_name,
                                   gboolean            hgq2,
                                   NnOp               *op,
                                   NnKerasReader      *reader);
char     **nn_keras_class_names   (void);
gboolean   nn_keras_get_ints      (JsonObject         *config,
                                   const char         *name,
                                   guint               n,
                                   gint64              fallback,
                                   gint64             *values);
gboolean   nn_keras_unsupported   (NnKerasLayer       *layer,
                                   GError            **error,
                                   const char         *format,
                                   ...) G_GNUC_PRINTF (3, 4);
gboolean   nn_keras_bad           (NnKerasLayer       *layer,
                                   GError            **error,
                                   const char         *format,
                                   ...) G_GNUC_PRINTF (3, 4);

/* nn-keras-multiply.c */
NnKerasRead nn_keras_take_quantizers, nn_keras_read_dense, nn_keras_read_binary_dense, nn_keras_read_conv,
  nn_keras_read_depthwise, nn_keras_read_separable, nn_keras_read_pool;

/* nn-keras-pointwise.c */
gboolean nn_keras_read_axis (NnKerasLayer *layer,
                             const char *name,
                             gint64 fallback,
                             gint *axis,
                             GError **error);
NnKerasRead nn_keras_read_activation, nn_keras_read_batch_norm, nn_keras_read_rescaling,
  nn_keras_read_normalization, nn_keras_read_activation_layer, nn_keras_read_relu, nn_keras_read_leaky_relu, nn_keras_read_thresholded_relu,
  nn_keras_read_elu, nn_keras_read_prelu, nn_keras_read_softmax, nn_keras_read_dropout;

/* nn-keras-shape.c */
NnKerasRead nn_keras_read_global_pool, nn_keras_read_flatten, nn_keras_read_reshape, nn_keras_read_permute,
  nn_keras_read_repeat, nn_keras_read_upsample, nn_keras_read_edges, nn_keras_read_merge, nn_keras_read_concatenate,
  nn_keras_read_dot, nn_keras_read_embedding, nn_keras_read_reverse;

/* nn-keras-recurrent.c, nn-keras-special.c, nn-keras-hgq.c */
NnKerasRead nn_keras_read_recurrent, nn_keras_read_bidirectional, nn_keras_read_rnn, nn_keras_read_attention, nn_keras_read_einsum_dense,
  nn_keras_read_garnet, nn_keras_read_garnet_stack, nn_keras_read_fixed_point, nn_keras_finish_hgq1, nn_keras_finish_hgq2;
gboolean   nn_keras_einsum_shape  (NnKerasLayer       *layer,
                                   const char         *equation,
                                   const NnTensor     *kernel,
                                   const NnShape      *in,
                                   NnShape            *shape,
                                   GError            **error);
/* nn-keras-hgq2.c: these add their nodes themselves. */
NnKerasRead nn_keras_read_hgq2_single, nn_keras_read_hgq2_merge, nn_keras_read_hgq2_batch_norm,
  nn_keras_read_hgq2_batch_norm_dense, nn_keras_read_hgq2_quantizer, nn_keras_read_hgq2_sum, nn_keras_read_hgq2_softmax;

/* nn-keras-hgq2-attention.c, nn-keras-hgq2-recurrent.c */
NnKerasRead nn_keras_read_hgq2_einsum, nn_keras_read_hgq2_einsum_batch_norm, nn_keras_read_hgq2_attention,
  nn_keras_read_hgq2_recurrent;

/* nn-keras-ops.c: functions in place of layers. */
NnKerasRead nn_keras_read_tf_op, nn_keras_read_operation;

/* nn-keras-qkeras.c: QKeras's pooling, which adds its nodes itself too. */
NnKerasRead nn_keras_read_quantized_pool;

/* nn-keras-activation.c, nn-keras-quantizer.c */
gboolean   nn_keras_activation    (NnKerasLayer       *layer,
                                   JsonNode           *json,
                                   NnAttrs            *attrs,
                                   GError            **error);
gboolean   nn_keras_quantizer     (NnKerasLayer       *layer,
                                   JsonNode           *json,
                                   NnQuantizer       **quantizer,
                                   GError            **error);

/* nn-keras-topology.c */
gboolean    nn_keras_build_model (NnKeras            *keras,
                                  const NnKerasModel *model,
                                  GError            **error);
gboolean    nn_keras_add_nested  (NnKeras            *keras,
                                  const NnKerasModel *outer,
                                  guint               call,
                                  const char         *key,
                                  const NnKerasModel *model,
                                  GError            **error);
gboolean    nn_keras_add_input   (NnKeras            *keras,
                                  const NnKerasScope *scope,
                                  const char         *key,
                                  JsonObject         *config,
                                  guint              *result,
                                  GError            **error);
gboolean    nn_keras_check_layer (NnKeras            *keras,
                                  JsonObject         *json,
                                  GError            **error);
const char *nn_keras_layer_key   (JsonObject         *json);
gboolean    nn_keras_is_model    (const char         *class_name);

/* nn-keras-functional.c */
gboolean    nn_keras_build_functional (NnKeras            *keras,
                                       const NnKerasModel *model,
                                       GError            **error);

/* nn-keras-layer.c */
gboolean nn_keras_bad_file (NnKeras *keras,
                            const char *layer,
                            const char *what,
                            GError **error);
const char *nn_keras_plain_class (const char *name);
gboolean nn_keras_add_layer (NnKeras *keras,
                             const NnKerasScope *scope,
                             JsonObject *json,
                             const char *key,
                             guint call,
                             JsonNode *inbound,
                             const guint *inputs,
                             guint n_inputs,
                             GArray *outputs,
                             GError **error);
NnNode    *nn_keras_add_node      (NnKerasLayer       *layer,
                                   NnOp                op,
                                   const char         *name,
                                   const guint        *inputs,
                                   guint               n_inputs);
gboolean   nn_keras_shape         (NnKeras            *keras,
                                   NnNode             *node,
                                   GError            **error);

/* nn-keras-norm.c: these add their nodes themselves. */
NnKerasRead nn_keras_read_layer_norm, nn_keras_read_group_norm;

/* nn-keras-mask.c */
NnKerasRead nn_keras_read_masking, nn_keras_check_mask;
void     nn_keras_hand_on_mask (NnKerasLayer *layer);

/* nn-keras-turn.c */
gboolean nn_keras_turn (NnKeras *keras,
                        const char *class_name,
                        gboolean hgq2,
                        const char *name,
                        JsonObject **config,
                        guint *inputs,
                        guint n_inputs);
guint    nn_keras_turn_back (NnKeras *keras,
                             guint node);
void     nn_keras_note_turned (NnKeras *keras,
                               guint node);

/* nn-keras.c */
NnModel   *nn_keras_load          (const char         *path,
                                   JsonNode           *architecture,
                                   const char         *version,
                                   const char         *container,
                                   NnH5               *h5,
                                   const char         *root,
                                   gboolean            numbered,
                                   const NnLoadOptions *options,
                                   const NnProgress   *progress,
                                   GCancellable       *cancellable,
                                   GError            **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS

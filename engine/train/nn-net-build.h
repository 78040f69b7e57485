/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How nodes of a graph become layers: what the lowering functions share. Private to this room. */

#pragma once

#include "nn-net.h"

G_BEGIN_DECLS

typedef struct {
  gsize    y, gy; /* in reals; NN_NOWHERE where there is no gradient */
  gsize    n;     /* elements of a sample */
  gboolean wanted; /* some parameter lies before it */
  guint    readers;
  gint     maker; /* layer, -1 for an input */
} NnBuffer;

struct _NnNetBuilder {
  NnNet  *net;
  GArray *layers;  /* NnLayer */
  GArray *buffers; /* NnBuffer */
  guint  *of_node; /* buffer of each node's output */
  gboolean *needed; /* nodes that lead to the output */
  GArray *quantized; /* NnQuantizedWeight */
  GArray *folds;   /* NnFold */
  gsize   tmp;     /* largest temporary, reals */
};

NnBuffer *nn_build_buffer  (NnNetBuilder *b,
                            guint         i);
guint     nn_build_new     (NnNetBuilder *b,
                            gsize         n);
/* A layer that reads @inputs and makes a new buffer of @n elements; returned until the next is added. */
NnLayer  *nn_build_layer   (NnNetBuilder *b,
                            NnLayerKind   kind,
                            const NnNode *node,
                            const guint  *inputs,
                            guint         n_inputs,
                            gsize         n,
                            guint        *output);
gsize     nn_build_scratch (NnNetBuilder *b,
                            gsize         n);
void      nn_build_tmp     (NnNetBuilder *b,
                            gsize         n);
gboolean  nn_build_weight  (NnNetBuilder *b,
                            NnLayer      *layer,
                            const NnNode *node,
                            NnRole        from,
                            NnRole        to);
const NnQuantizer *nn_build_quantizer (NnNetBuilder      *b,
                                       const NnNode      *node,
                                       const NnQuantizer *own,
                                       gint               role);
void      nn_build_weight_quantizer (NnNetBuilder *b,
                                     const NnNode *node,
                                     guint         id);
/* nn-net-fold.c */
gboolean  nn_build_has_fold (NnNetBuilder *b,
                             const NnNode *node);
gboolean  nn_build_fold    (NnNetBuilder *b,
                            const NnNode *node,
                            NnLayer      *layer,
                            GError      **error);
gboolean  nn_build_fail    (const NnNode *node,
                            GError      **error,
                            const char   *format,
                            ...) G_GNUC_PRINTF (3, 4);

/* nn-net-fuse.c; @out: the buffer of the network's output */
void      nn_build_find_pools (NnNetBuilder *b,
                               guint         out);
/* Each makes the layers of one node and names the buffer of its output. */
gboolean  nn_lower_node       (NnNetBuilder *b,
                               guint         i,
                               GError      **error);
gboolean  nn_lower_activation (NnNetBuilder *b,
                               const NnNode *node,
                               NnAct         act,
                               guint         input,
                               guint        *output,
                               GError      **error);

G_END_DECLS

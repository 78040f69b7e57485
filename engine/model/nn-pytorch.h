/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PyTorch's own files: a pickled nn.Sequential, whose order of layers is in the file. Internal to the room. */

#pragma once

#include "nn-load.h"
#include "nn-pickle.h"

G_BEGIN_DECLS

/**
 * NnPytorch:
 * @module: the pickled network
 * @zip: (nullable): the file as an archive, whose members @prefix "data/KEY" are the storages
 * @places: (nullable): of the older layout: key → place of a storage's first byte in @bytes, + 1
 */
typedef struct {
  const char          *file;
  const NnPickleValue *module;
  GBytes              *zip;
  char                *prefix;
  const guint8        *bytes;
  gsize                n;
  GHashTable          *places;
} NnPytorch;

/* nn-pytorch-file.c */
gboolean    nn_pytorch_open   (NnPytorch           *torch,
                               NnPickle            *pickle,
                               GBytes              *bytes,
                               const char          *path,
                               GError             **error);
void        nn_pytorch_clear  (NnPytorch           *torch);
const char *nn_pytorch_class  (const NnPickleValue *value);
NnTensor   *nn_pytorch_tensor (const NnPytorch     *torch,
                               const NnPickleValue *value,
                               GError             **error);

/* nn-pytorch.c */
char      **nn_pytorch_class_names (void);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NnPytorch, nn_pytorch_clear)

G_END_DECLS

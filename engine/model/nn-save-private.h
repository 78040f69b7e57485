/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writers of networks, internal to the room. */

#pragma once

#include "nn-json.h"
#include "nn-load.h"

G_BEGIN_DECLS

gboolean    nn_save_keras        (const NnModel *model,
                                  const char    *path,
                                  GError       **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean    nn_save_keras3       (const NnModel *model,
                                  const char    *path,
                                  GError       **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean    nn_save_onnx         (const NnModel *model,
                                  const char    *path,
                                  GError       **error) G_GNUC_WARN_UNUSED_RESULT;

/* A layer's configuration as Keras 2 has it, or for a file of Keras 3: (transfer full), %NULL with @error where Keras has no such layer.
 * @class_name: (out) (transfer none) */
JsonObject *nn_save_keras_config (const NnModel *model,
                                  const NnNode  *node,
                                  const char    *name,
                                  gboolean       keras3,
                                  const char   **class_name,
                                  GError       **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS

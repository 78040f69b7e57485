/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writers of networks, internal to the room. */

#pragma once

#include "nn-json.h"
#include "nn-load.h"

G_BEGIN_DECLS

gboolean    nn_save_keras        (const NnModel *model,
                                  const char    *path,
                                  GError       **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean    nn_save_onnx         (const NnModel *model,
                                  const char    *path,
                                  GError       **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keras 2's configuration of a layer: (transfer full), %NULL with @error where Keras has no such layer.
 * @class_name: (out) (transfer none) */
JsonObject *nn_save_keras_config (const NnModel *model,
                                  const NnNode  *node,
                                  const char    *name,
                                  const char   **class_name,
                                  GError       **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS

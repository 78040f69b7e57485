/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The readers of each format, by what they read from; for nn-load.c and for the fuzz targets. */

#pragma once

#include "nn-keras.h"
#include "nn-load.h"

G_BEGIN_DECLS

/* %NN_ERROR_UNSUPPORTED with this text; returns %FALSE, for a reader to return. */
gboolean nn_load_unsupported (GError             **error,
                              const char          *format,
                              ...) G_GNUC_PRINTF (2, 3);

NnModel *nn_load_h5_image   (GBytes              *image,
                             const char          *path,
                             const NnLoadOptions *options,
                             const NnProgress    *progress,
                             GCancellable        *cancellable,
                             GError             **error) G_GNUC_WARN_UNUSED_RESULT;

NnModel *nn_load_zip        (GBytes              *zip,
                             const char          *path,
                             const NnLoadOptions *options,
                             const NnProgress    *progress,
                             GCancellable        *cancellable,
                             GError             **error) G_GNUC_WARN_UNUSED_RESULT;

void     nn_load_release    (const guint8        *bytes,
                             gsize                n);

gboolean nn_onnx_is_onnx    (const guint8        *bytes,
                             gsize                n_bytes);
NnModel *nn_load_onnx       (GBytes              *bytes,
                             const char          *path,
                             const NnLoadOptions *options,
                             const NnProgress    *progress,
                             GCancellable        *cancellable,
                             GError             **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean nn_pytorch_is_pickle (const guint8      *bytes,
                               gsize              n_bytes);
NnModel *nn_load_pytorch     (GBytes              *bytes,
                              const char          *path,
                              const NnLoadOptions *options,
                              GError             **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean nn_tflite_is_tflite (const guint8       *bytes,
                             gsize                n_bytes);
NnModel *nn_load_tflite     (GBytes              *bytes,
                             const char          *path,
                             const NnLoadOptions *options,
                             const NnProgress    *progress,
                             GCancellable        *cancellable,
                             GError             **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS

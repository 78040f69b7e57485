/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 as this program needs it: strings, arrays of numbers and groups, by path. */

#pragma once

#include "nn-tensor.h"

G_BEGIN_DECLS

/**
 * NnH5:
 *
 * An open HDF5 file, on disk or in memory. Files are untrusted: links that lead out of the file, external storage and
 * sizes that the file cannot hold are errors.
 *
 * Threads: Debian's HDF5 library is not re-entrant. Every call here takes one process-wide recursive lock; whoever
 * calls HDF5 himself does it between nn_h5_lock() and nn_h5_unlock().
 */
typedef struct _NnH5 NnH5;

void      nn_h5_lock          (void);
void      nn_h5_unlock        (void);

gboolean  nn_h5_is_hdf5       (const guint8       *bytes,
                               gsize               n_bytes);
NnH5     *nn_h5_open          (const char         *path,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
/* What errors call the file from now on. */
void      nn_h5_set_path      (NnH5               *h5,
                               const char         *path);
NnH5     *nn_h5_open_image    (GBytes             *image,
                               const char         *path,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
NnH5     *nn_h5_create        (const char         *path,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean  nn_h5_finish        (NnH5               *h5,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
void      nn_h5_close         (NnH5               *h5);

gboolean  nn_h5_has           (NnH5               *h5,
                               const char         *path);
gboolean  nn_h5_is_group      (NnH5               *h5,
                               const char         *path);
char    **nn_h5_children      (NnH5               *h5,
                               const char         *path,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean  nn_h5_has_attribute (NnH5               *h5,
                               const char         *path,
                               const char         *name);
char    **nn_h5_strings       (NnH5               *h5,
                               const char         *path,
                               const char         *name,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
char     *nn_h5_string        (NnH5               *h5,
                               const char         *path,
                               const char         *name,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean  nn_h5_shape         (NnH5               *h5,
                               const char         *path,
                               NnShape            *shape,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
NnTensor *nn_h5_read          (NnH5               *h5,
                               const char         *path,
                               NnDtype             dtype,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean  nn_h5_put_group     (NnH5               *h5,
                               const char         *path,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean  nn_h5_put_string    (NnH5               *h5,
                               const char         *path,
                               const char         *name,
                               const char         *value,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean  nn_h5_put_strings   (NnH5               *h5,
                               const char         *path,
                               const char         *name,
                               const char *const  *values,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean  nn_h5_put           (NnH5               *h5,
                               const char         *path,
                               const NnTensor     *tensor,
                               GError            **error) G_GNUC_WARN_UNUSED_RESULT;

/* nn-h5-check.c */
gboolean nn_h5_check_image (const guint8 *bytes,
                            gsize         n);
gboolean nn_h5_check_file  (const char   *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnH5, nn_h5_close)

G_END_DECLS

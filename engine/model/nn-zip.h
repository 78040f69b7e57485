/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zip files: their members as bytes or as files, and new ones. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* nn-zip.c */
gboolean nn_zip_is_zip (const guint8  *bytes,
                        gsize          n_bytes);
GBytes  *nn_zip_member (GBytes        *zip,
                        const char    *member,
                        guint64        limit,
                        const char    *path,
                        GError       **error) G_GNUC_WARN_UNUSED_RESULT;
char    *nn_zip_find   (GBytes        *zip,
                        const char    *ending);
gboolean nn_zip_extract (GBytes       *zip,
                         const char   *member,
                         int           descriptor,
                         guint64       limit,
                         const char   *path,
                         GError      **error) G_GNUC_WARN_UNUSED_RESULT;

/* nn-zip-write.c */
typedef struct _NnZipWriter NnZipWriter;

NnZipWriter *nn_zip_create (const char   *path) G_GNUC_WARN_UNUSED_RESULT;
void         nn_zip_put    (NnZipWriter  *zip,
                            const char   *member,
                            const void   *bytes,
                            gsize         n);
gboolean     nn_zip_finish (NnZipWriter  *zip,
                            GError      **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS

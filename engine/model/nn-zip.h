/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members of a zip file as bytes or as files. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

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

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of the computer, from within a Flatpak. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What lets a sandbox start programs outside; the user decides. */
#define HLS_HOST_PERMIT "flatpak override --user --talk-name=org.freedesktop.Flatpak org.espalier.Espalier"

gboolean  hls_host_sandboxed (void);
gboolean  hls_host_permitted (void);
/* Whether @program has to be looked for outside: we are in a sandbox, and the sandbox has no such program. */
gboolean  hls_host_needed    (const char         *program);
char     *hls_host_find      (const char *const  *programs,
                              const char *const  *folders);
char    **hls_host_command   (const char *const  *argv,
                              const char         *folder);
char     *hls_host_shell     (const char *const  *argv);
gboolean  hls_host_check     (const char         *folder,
                              const char         *command,
                              GError            **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vendors' tools: where they are, how they are called, what their messages mean. */

#pragma once

#include "hls-build.h"

G_BEGIN_DECLS

/* One that is installed; its version is that of its folder, NULL where no folder is named by one. */
typedef struct {
  char       *path, *version;
  const char *title; /* (nullable): "Vitis HLS" */
} HlsTool;

/* The tool for a backend ("vitis", "vivado", "oneapi", "quartus", "catapult"): on PATH, then in the usual folders, the
 * newest version first. (transfer full) (nullable) */
char       *hls_tool_find    (const char  *backend,
                              GError     **error);
GPtrArray  *hls_tools_list   (const char  *backend);
void        hls_tool_free    (HlsTool     *tool);
char       *hls_tool_version (const char  *path);
gboolean    hls_tool_fits    (const char  *path,
                              const char  *backend);
const char *hls_tool_name    (const char  *backend);
/* The same where a settings script puts it on PATH. */
char       *hls_tool_with_settings (const char  *backend,
                                    const char  *settings,
                                    GError     **error);
/* Command line that makes @tool run a project. (transfer full) (zero-terminated) */
char      **hls_tool_command (const char  *tool,
                              const char  *settings,
                              HlsStages    stages);
/* What a line of a tool's log means for the user, and what to do. (transfer none) (nullable) */
const char *hls_tool_explain (const char  *line);
/* The phase that begins with a line of the log. (transfer none) (nullable) */
const char *hls_tool_phase   (const char  *line,
                              double      *fraction);

G_END_DECLS

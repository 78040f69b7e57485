/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The error domain of everything between a design and a tool's report. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define HLS_ERROR (hls_error_quark ())

typedef enum {
  HLS_ERROR_UNSUPPORTED,  /* a layer or setting that this backend has no kernel for */
  HLS_ERROR_TOOL_MISSING, /* no tool to run */
  HLS_ERROR_TOOL_FAILED,  /* it ran and failed */
  HLS_ERROR_REPORT,       /* a report that cannot be read */
} HlsError;

GQuark hls_error_quark (void);

G_END_DECLS

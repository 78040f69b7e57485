/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines out of the bytes that a program writes, as a terminal would show them. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef void (*HlsLineFunc) (const char *line,
                             gpointer    data);

/**
 * HlsLines: (initialise with hls_lines_init())
 * @text: of the line that has not ended
 * @on_line: (nullable): sees each complete line, without its end
 * @state: inside an escape sequence or not
 * @returned: the carriage is back at the beginning of the line
 */
typedef struct {
  GString    *text;
  HlsLineFunc on_line;
  gpointer    data;
  enum { HLS_LINES_TEXT, HLS_LINES_ESCAPE, HLS_LINES_SEQUENCE, HLS_LINES_STRING } state;
  gboolean    returned;
} HlsLines;

void hls_lines_init   (HlsLines    *self,
                       HlsLineFunc  on_line,
                       gpointer     data);
void hls_lines_feed   (HlsLines    *self,
                       const char  *bytes,
                       gsize        n);
/* A last line that has no end is one too. */
void hls_lines_finish (HlsLines    *self);
void hls_lines_clear  (HlsLines    *self);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines. Escape sequences are those of ECMA-48: ESC [ ... up to a letter, ESC ] ... up to BEL or the next ESC. */

#include "hls-lines.h"

#define ESCAPE '\033'
#define BELL '\a'
/* Longer lines are cut, so that no tool fills our memory. */
#define MAX_LINE 65536

void
hls_lines_init (HlsLines    *self,
                HlsLineFunc  on_line,
                gpointer     data)
{
  *self = (HlsLines){ .text = g_string_new (NULL), .on_line = on_line, .data = data };
}

static void
end_line (HlsLines *self)
{
  g_autofree char *line = g_utf8_make_valid (self->text->str, (gssize) self->text->len);

  g_string_truncate (self->text, 0);
  self->returned = FALSE;
  self->state = HLS_LINES_TEXT;
  if (self->on_line != NULL)
    self->on_line (line, self->data);
}

/* What a byte that is no end of a line does to the text: a carriage that has returned writes over it, as bars of progress
 * do, and a backspace takes the last one back. */
static void
take_text (HlsLines *self,
           char      byte)
{
  if (byte == ESCAPE)
    self->state = HLS_LINES_ESCAPE;
  else if (byte == '\r')
    self->returned = TRUE;
  else if (byte == '\b')
    g_string_truncate (self->text, self->text->len > 0 ? self->text->len - 1 : 0);
  else if ((guchar) byte >= ' ' || byte == '\t')
    {
      if (self->returned)
        g_string_truncate (self->text, 0);
      self->returned = FALSE;
      if (self->text->len < MAX_LINE)
        g_string_append_c (self->text, byte);
    }
}

static void
take (HlsLines *self,
      char      byte)
{
  switch (self->state)
    {
    case HLS_LINES_ESCAPE:
      self->state = byte == '[' ? HLS_LINES_SEQUENCE : byte == ']' ? HLS_LINES_STRING : HLS_LINES_TEXT;
      break;
    case HLS_LINES_SEQUENCE:
      if (byte < ' ' || byte >= '@') /* its last letter, or what belongs into none */
        self->state = HLS_LINES_TEXT;
      break;
    case HLS_LINES_STRING:
      if (byte == BELL || byte == ESCAPE)
        self->state = byte == BELL ? HLS_LINES_TEXT : HLS_LINES_ESCAPE;
      break;
    case HLS_LINES_TEXT:
    default:
      take_text (self, byte);
      break;
    }
}

void
hls_lines_feed (HlsLines   *self,
                const char *bytes,
                gsize       n)
{
  for (gsize i = 0; i < n; i++)
    if (bytes[i] == '\n')
      end_line (self);
    else
      take (self, bytes[i]);
}

void
hls_lines_finish (HlsLines *self)
{
  if (self->text->len > 0)
    end_line (self);
}

void
hls_lines_clear (HlsLines *self)
{
  g_string_free (self->text, TRUE);
  self->text = NULL;
}

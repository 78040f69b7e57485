/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tools write to a terminal, as lines of a log. */

#include "hls-lines.h"

#include <string.h>

static void
collect (const char *line,
         gpointer    data)
{
  g_assert_true (g_utf8_validate (line, -1, NULL));
  g_string_append_printf (data, "%s|", line);
}

/* @step: how many bytes come at a time; an end may fall anywhere. */
static char *
split (const char *bytes,
       gsize       n,
       gsize       step)
{
  GString *seen = g_string_new (NULL);
  HlsLines lines;

  hls_lines_init (&lines, collect, seen);
  for (gsize i = 0; i < n; i += step)
    hls_lines_feed (&lines, bytes + i, MIN (step, n - i));
  hls_lines_finish (&lines);
  hls_lines_clear (&lines);
  return g_string_free (seen, FALSE);
}

static void
test_forms (void)
{
  static const struct { const char *bytes, *lines; } cases[] = {
    { "", "" },
    { "one\ntwo\n", "one|two|" },
    { "one\n\ntwo", "one||two|" },
    { "one\r\ntwo\r\n", "one|two|" },
    { "  0%\r 50%\r100%\ndone\n", "100%|done|" },
    { "100%\r\r\nnext\n", "100%|next|" },
    { "\033[1;31mERROR:\033[0m no licence\033[K\n", "ERROR: no licence|" },
    { "\033]0;title\acolour\033[38;5;208mful\033]8;;x\033\\ end\n", "colourful end|" },
    { "cut \033[31\nnext\n", "cut |next|" },
    { "wait |\b/\b-\bok\n", "wait ok|" },
    { "a\tb\n", "a\tb|" },
    { "bell\a and form\f feed\n", "bell and form feed|" },
    { "caf\xe9 \xc3\xa9\n", "caf\xef\xbf\xbd \xc3\xa9|" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= 7; step++)
      {
        g_autofree char *seen = split (cases[i].bytes, strlen (cases[i].bytes), step);

        g_assert_cmpstr (seen, ==, cases[i].lines);
      }
}

/* Bytes of any kind make valid text, and a line without an end takes a bounded room. */
static void
test_anything (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autofree char *bytes = g_malloc (1 << 20);
  g_autofree char *seen = NULL, *endless = NULL;

  for (guint i = 0; i < 1 << 20; i++)
    bytes[i] = (char) g_rand_int_range (rand, 0, 256);
  seen = split (bytes, 1 << 20, 4096);
  g_assert_cmpuint (strlen (seen), >, 1 << 19);
  memset (bytes, 'x', 1 << 20);
  endless = split (bytes, 1 << 20, 4096);
  g_assert_cmpuint (strlen (endless), ==, 65536 + 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lines/forms", test_forms);
  g_test_add_func ("/lines/anything", test_anything);
  return g_test_run ();
}

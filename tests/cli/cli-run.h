/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line as a program of its own: begun with words, waited for, its streams read. ESPALIER_CLI names it. */

#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/* @words: (array zero-terminated=1): what follows the program's name */
static inline GSubprocess *
cli_start (const char *const *words)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_ptr_array_add (argv, (gpointer) g_getenv ("ESPALIER_CLI"));
  for (; *words != NULL; words++)
    g_ptr_array_add (argv, (gpointer) *words);
  g_ptr_array_add (argv, NULL);
  process = g_subprocess_newv ((const char *const *) argv->pdata, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_assert_no_error (error);
  return process;
}

/* @line: words with blanks between them, "@" for @folder */
static inline GSubprocess *
cli_start_line (const char *line,
                const char *folder)
{
  g_auto (GStrv) parts = g_strsplit (line, "@", -1);
  g_autofree char *filled = g_strjoinv (folder, parts);
  g_auto (GStrv) words = g_strsplit (filled, " ", -1);

  g_test_message ("%s", filled);
  return cli_start ((const char *const *) words);
}

/* Waits; its exit status. */
static inline int
cli_finish (GSubprocess *process,
            char       **out,
            char       **err)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_communicate_utf8 (process, NULL, NULL, out, err, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  return g_subprocess_get_exit_status (process);
}

/* Runs to the end with words up to a NULL. */
static inline int
cli_run_words (char      **out,
               char      **err,
               const char *first,
               va_list     more)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GSubprocess) process = NULL;

  for (const char *word = first; word != NULL; word = va_arg (more, const char *))
    g_ptr_array_add (words, (gpointer) word);
  g_ptr_array_add (words, NULL);
  process = cli_start ((const char *const *) words->pdata);
  return cli_finish (process, out, err);
}

/* The object of a text, as long as @parser lives. */
static inline JsonObject *
cli_parse (JsonParser *parser,
           const char *text)
{
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, text, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (parser));
}

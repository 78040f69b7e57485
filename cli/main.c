/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli VERB …: one table of verbs. */

#include "cli.h"

#include "espalier-config.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* In alphabetical order. */
static const CliVerb *const verbs[] = {
  &cli_build,
  &cli_configure,
  &cli_emit,
  &cli_estimate,
  &cli_evaluate,
  &cli_export,
  &cli_frontier,
  &cli_groups,
  &cli_inspect,
  &cli_parts,
  &cli_predict,
  &cli_prune,
  &cli_profile,
  &cli_report,
  &cli_sample,
  &cli_train,
};

static GCancellable *interrupted;

/* A second SIGINT ends the process at once. */
static void *
wait_for_sigint (void *data)
{
  sigset_t *set = data;
  int number;

  sigwait (set, &number);
  g_cancellable_cancel (interrupted);
  pthread_sigmask (SIG_UNBLOCK, set, NULL);
  sigwait (set, &number);
  _exit (CLI_CANCELLED);
  return NULL;
}

static void
catch_sigint (void)
{
  static sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGINT);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  g_thread_unref (g_thread_new ("sigint", wait_for_sigint, &set));
}

static void
print_usage (void (*print) (const char *format, ...))
{
  print ("usage: espalier-cli VERB [OPTION…] …\n\n");
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    print ("  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
  print ("\n\"espalier-cli VERB --help\" tells a verb's options.\n");
}

static int
unknown_verb (const char *word)
{
  const char *names[G_N_ELEMENTS (verbs) + 1] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    names[i] = verbs[i]->name;
  g_printerr ("espalier-cli: there is no verb \"%s\"; did you mean \"%s\"?\n", word, nn_text_nearest (word, names));
  return CLI_USAGE;
}

static void
put (const char *text)
{
  fputs (text, stdout);
  fflush (stdout);
}

static void
put_error (const char *text)
{
  fputs (text, stderr);
}

/* The POSIX locale has no characters beyond ASCII, and GLib would write question marks; those who never set one, as in a
 * container, have a terminal that shows UTF-8. */
static void
speak_utf8 (void)
{
  const char *charset;

  if (g_get_charset (&charset) || !g_str_equal (charset, "ANSI_X3.4-1968"))
    return;
  g_set_print_handler (put);
  g_set_printerr_handler (put_error);
}

int
main (int    argc,
      char **argv)
{
  Cli cli = { .seed = 1 };

  setlocale (LC_ALL, "");
  speak_utf8 ();
  if (argc < 2)
    {
      print_usage (g_printerr);
      return CLI_USAGE;
    }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 || strcmp (argv[1], "help") == 0)
    {
      print_usage (g_print);
      return CLI_DONE;
    }
  if (strcmp (argv[1], "--version") == 0)
    {
      g_print ("Espalier %s\n", ESPALIER_VERSION);
      return CLI_DONE;
    }
  cli.cancellable = interrupted = g_cancellable_new ();
  catch_sigint ();
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (strcmp (argv[1], verbs[i]->name) == 0)
      {
        g_autoptr (GError) problem = NULL;

        if (!nn_parts_load_own (&problem))
          g_printerr ("espalier-cli: your own parts were not read: %s\n", problem->message);
        return verbs[i]->run (&cli, argc - 1, argv + 1);
      }
  return unknown_verb (argv[1]);
}

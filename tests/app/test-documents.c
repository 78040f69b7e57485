/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Documents and the disk, without a display: autosave, what a killed process leaves behind, recovery; data that moved; the help. */

#include "app-autosave.h"
#include "app-document.h"
#include "app-help-page.h"
#include "app-open.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "test-sample.h"
#include "test-shared.h"
#include "test-wait.h"

static char *folder, *program;

#define WAIT_FOR(condition) TEST_WAIT_FOR (120, condition)

static AppDocument *
open_edited (const char *name)
{
  AppDocument *document = app_document_new ();
  g_autofree char *path = g_build_filename (folder, name, NULL);
  NnConfig *config;
  AppState *state;

  app_document_open (document, path);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_false (app_document_is_empty (document));
  config = nn_config_copy (app_document_state (document)->config);
  nn_config_model (config)->reuse_factor = 8;
  state = app_state_copy (app_document_state (document), "Reuse factor");
  app_state_set_config (state, config);
  nn_config_unref (config);
  app_document_push (document, state);
  return document;
}

static char *
autosave_folder (void)
{
  return g_build_filename (g_get_user_state_dir (), "espalier", "autosave", NULL);
}

static guint
n_autosaved (void)
{
  g_autofree char *path = autosave_folder ();
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, ".espalier");
  return n;
}

/* Another process, which edits a document and dies without a word. */
static int
die_with_changes (const char *name)
{
  AppDocument *document = open_edited (name);

  WAIT_FOR (n_autosaved () == 1);
  g_assert_nonnull (document);
  kill (getpid (), SIGKILL);
  return 0;
}

static void
run_and_die (const char *name)
{
  const char *argv[] = { program, "--die", folder, name, NULL };
  GError *error = NULL;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, 0, NULL, NULL, NULL, NULL, &status, &error));
  g_assert_no_error (error);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

/* What a killed process left is found; recovered it is unsaved, under its own name, and ours: it survives us too. */
static void
test_recovery (void)
{
  g_autoptr (GPtrArray) lost = NULL, again = NULL, after = NULL;
  g_autoptr (AppDocument) document = app_document_new ();
  g_autofree char *title = NULL, *path = g_build_filename (folder, "saved.espalier", NULL);
  GError *error = NULL;

  g_assert_cmpuint (n_autosaved (), ==, 0);
  run_and_die ("jets.h5");
  lost = app_autosave_left_behind ();
  g_assert_cmpuint (lost->len, ==, 1);
  app_document_recover (document, lost->pdata[0]);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_false (app_document_is_empty (document));
  g_assert_true (app_document_is_modified (document));
  g_assert_null (app_document_path (document));
  title = app_document_dup_title (document);
  g_assert_cmpstr (title, ==, "jets");
  g_assert_cmpuint (nn_config_model (app_document_state (document)->config)->reuse_factor, ==, 8);
  again = app_autosave_left_behind ();
  g_assert_cmpuint (again->len, ==, 0); /* ours, as long as we live */
  g_assert_cmpuint (n_autosaved (), ==, 1);
  g_assert_true (app_document_save (document, path, &error));
  g_assert_no_error (error);
  g_assert_false (app_document_is_modified (document));
  g_assert_cmpuint (n_autosaved (), ==, 0);
  after = app_autosave_left_behind ();
  g_assert_cmpuint (after->len, ==, 0);
}

/* A project of a file: recovered, it still is that file's, whose last saved state is untouched. */
static void
test_recovery_of_file (void)
{
  g_autoptr (GPtrArray) lost = NULL;
  g_autoptr (AppDocument) document = app_document_new ();
  g_autofree char *path = g_build_filename (folder, "saved.espalier", NULL);

  run_and_die ("saved.espalier");
  lost = app_autosave_left_behind ();
  g_assert_cmpuint (lost->len, ==, 1);
  app_document_recover (document, lost->pdata[0]);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_cmpstr (app_document_path (document), ==, path);
  g_assert_true (app_document_is_modified (document));
  app_document_forget_autosave (document);
  g_assert_cmpuint (n_autosaved (), ==, 0);
}

static void
on_failed (AppDocument *document,
           const char  *title,
           const char  *message,
           char       **seen)
{
  g_free (*seen);
  *seen = g_strdup (message);
}

/* A project finds data that moved with it, and says so where it is gone or another. */
static void
test_moved_data (void)
{
  g_autofree char *here = g_build_filename (folder, "moved", NULL), *data = g_build_filename (folder, "jets.npz", NULL);
  g_autofree char *project = g_build_filename (here, "p.espalier", NULL), *moved = g_build_filename (here, "jets.npz", NULL), *seen = NULL;
  g_autoptr (AppDocument) document = open_edited ("jets.h5"), reopened = app_document_new (), without = app_document_new ();
  GError *error = NULL;

  g_assert_cmpint (g_mkdir (here, 0700), ==, 0);
  app_document_open (document, data);
  WAIT_FOR (app_document_job (document) == NULL && app_document_state (document)->data != NULL);
  g_assert_true (app_document_save (document, project, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_rename (data, moved), ==, 0);
  g_signal_connect (reopened, "failed", G_CALLBACK (on_failed), &seen);
  app_document_open (reopened, project);
  WAIT_FOR (app_document_job (reopened) == NULL);
  g_assert_nonnull (app_document_state (reopened)->data);
  g_assert_null (seen);
  g_assert_cmpint (g_unlink (moved), ==, 0);
  g_signal_connect (without, "failed", G_CALLBACK (on_failed), &seen);
  app_document_open (without, project);
  WAIT_FOR (app_document_job (without) == NULL);
  g_assert_false (app_document_is_empty (without));
  g_assert_null (app_document_state (without)->data);
  g_assert_nonnull (seen);
}

static void
test_kinds (void)
{
  g_autofree char *model = g_build_filename (folder, "jets.h5", NULL), *config = g_build_filename (folder, "config.json", NULL);

  g_assert_true (g_file_set_contents (config, "{\"HLSConfig\":{\"Model\":{\"ReuseFactor\":1}}}", -1, NULL));
  g_assert_true (app_open_is_network (model));
  g_assert_true (app_open_is_network ("other.onnx"));
  g_assert_false (app_open_is_network (config));
  g_assert_false (app_open_is_network ("data.npz"));
}

/* Every page in every language: it is read, has a title, and its links lead to pages. */
static void
test_help (void)
{
  static const char *const languages[] = { "C", "de", "zh_CN" };
  const char *const *ids = app_help_page_ids ();

  for (guint l = 0; l < G_N_ELEMENTS (languages); l++)
    for (guint i = 0; i <= g_strv_length ((char **) ids); i++)
      {
        g_autofree char *path = g_strdup_printf ("/org/espalier/Espalier/help/%s/espalier/%s.page", languages[l], ids[i] != NULL ? ids[i] : "index");
        g_autoptr (GError) error = NULL;
        g_autoptr (GBytes) bytes = g_resources_lookup_data (path, 0, &error);
        g_autoptr (AppHelpPage) page = NULL;

        g_assert_no_error (error);
        page = app_help_page_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &error);
        g_assert_no_error (error);
        g_assert_true (page->title != NULL && *page->title != '\0' && page->desc != NULL && page->blocks->len >= 2);
        for (guint k = 0; k < page->links->len; k++)
          g_assert_true (g_strv_contains (ids, page->links->pdata[k]));
      }
}

static void
test_help_page (void)
{
  static const char xml[] = "<page id='x'><info><link type='guide' xref='index'/><desc>d &amp; e</desc></info><title>T</title>"
                            "<p>Press\n  <keyseq><key>Ctrl</key><key>S</key></keyseq> &lt;now&gt;.</p><steps><item><p>a</p></item><item><p>b</p></item></steps>"
                            "<section><title>S</title><note><p>See <link xref='y'>there</link></p></note></section></page>";
  g_autoptr (GError) error = NULL;
  g_autoptr (AppHelpPage) page = app_help_page_parse (xml, -1, &error);
  static const struct { AppHelpKind kind; guint number; const char *markup; } expected[] = {
    { APP_HELP_TITLE, 0, "T" }, { APP_HELP_TEXT, 0, "Press <b>Ctrl</b>+<b>S</b> &lt;now&gt;." }, { APP_HELP_STEP, 1, "a" },
    { APP_HELP_STEP, 2, "b" }, { APP_HELP_HEADING, 0, "S" }, { APP_HELP_NOTE, 0, "See <a href=\"y\">there</a>" },
  };

  g_assert_no_error (error);
  g_assert_cmpstr (page->desc, ==, "d &amp; e");
  g_assert_cmpuint (page->blocks->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < page->blocks->len; i++)
    {
      const AppHelpBlock *block = page->blocks->pdata[i];

      g_assert_cmpuint (block->kind, ==, expected[i].kind);
      g_assert_cmpuint (block->number, ==, expected[i].number);
      g_assert_cmpstr (block->markup, ==, expected[i].markup);
    }
  g_assert_cmpuint (page->links->len, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *state = NULL;
  int status;

  if (argc == 4 && g_str_equal (argv[1], "--die"))
    {
      folder = argv[2]; /* the state folder comes with the environment */
      return die_with_changes (argv[3]);
    }
  g_test_init (&argc, &argv, NULL);
  folder = test_folder ();
  program = argv[0];
  state = g_build_filename (folder, "state", NULL);
  g_setenv ("XDG_STATE_HOME", state, TRUE);
  test_sample (folder, 400, 1);
  g_test_add_func ("/documents/recovery", test_recovery);
  g_test_add_func ("/documents/recovery-of-file", test_recovery_of_file);
  g_test_add_func ("/documents/kinds", test_kinds);
  g_test_add_func ("/documents/moved-data", test_moved_data);
  g_test_add_func ("/documents/help", test_help);
  g_test_add_func ("/documents/help-page", test_help_page);
  status = g_test_run ();
  remove_folder (folder);
  g_free (folder);
  return status;
}

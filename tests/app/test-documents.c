/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Documents and the disk, without a display: autosave, what a killed process leaves behind, recovery; data that moved; the help. */

#include "app-autosave.h"
#include "app-document.h"
#include "app-format.h"
#include "app-help-page.h"
#include "app-open.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test-sample.h"
#include "test-save.h"
#include "test-shared.h"
#include "test-wait.h"

static char *folder, *program;

#define WAIT_FOR(condition) TEST_WAIT_FOR (120, condition)

static void
set_reuse (AppDocument *document,
           guint        reuse)
{
  NnConfig *config = nn_config_copy (app_document_state (document)->config);
  AppState *state = app_state_copy (app_document_state (document), "Reuse factor");

  nn_config_model (config)->reuse_factor = reuse;
  app_state_set_config (state, config);
  nn_config_unref (config);
  app_document_push (document, state);
}

static AppDocument *
open_edited (const char *name)
{
  AppDocument *document = app_document_new ();
  g_autofree char *path = g_build_filename (folder, name, NULL);

  app_document_open (document, path);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_false (app_document_is_empty (document));
  set_reuse (document, 8);
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

/* The same, while it saves: @delay microseconds after that has begun. */
static int
die_while_saving (const char *delay)
{
  AppDocument *document = open_edited ("saved.espalier");
  g_autofree char *path = g_build_filename (folder, "saved.espalier", NULL);

  set_reuse (document, 16);
  app_document_save (document, path);
  g_usleep (atoi (delay));
  kill (getpid (), SIGKILL);
  return 0;
}

static void
run_and_die (const char *how,
             const char *name)
{
  const char *argv[] = { program, how, folder, name, NULL };
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

  g_assert_cmpuint (n_autosaved (), ==, 0);
  run_and_die ("--die", "jets.h5");
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
  test_save_project (document, path);
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

  run_and_die ("--die", "saved.espalier");
  lost = app_autosave_left_behind ();
  g_assert_cmpuint (lost->len, ==, 1);
  app_document_recover (document, lost->pdata[0]);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_cmpstr (app_document_path (document), ==, path);
  g_assert_true (app_document_is_modified (document));
  app_document_forget_autosave (document);
  g_assert_cmpuint (n_autosaved (), ==, 0);
}

static guint
reuse_in (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnProject) project = nn_project_load (path, &error);

  g_assert_no_error (error);
  return nn_config_model ((NnConfig *) nn_project_config (project))->reuse_factor;
}

/* Whenever it comes, the end of the process leaves the whole file of before or the whole file of after. */
static void
test_killed_while_saving (void)
{
  static const char *const delays[] = { "0", "500", "1500", "4000", "10000", "300000" };
  g_autofree char *path = g_build_filename (folder, "saved.espalier", NULL);

  g_assert_cmpuint (reuse_in (path), ==, 8);
  for (guint i = 0; i < G_N_ELEMENTS (delays); i++)
    {
      guint reuse;

      run_and_die ("--die-saving", delays[i]);
      reuse = reuse_in (path);
      g_assert_true (reuse == 8 || reuse == 16);
      g_test_message ("killed after %s µs: reuse factor %u", delays[i], reuse);
    }
}

/* What is changed while a file is written is not in it, is still to be saved, and is kept meanwhile; a second wish is met after the first. */
static void
test_changed_while_saving (void)
{
  g_autoptr (AppDocument) document = open_edited ("jets.h5");
  g_autofree char *first = g_build_filename (folder, "first.espalier", NULL), *second = g_build_filename (folder, "second.espalier", NULL);

  app_document_save (document, first);
  g_assert_true (app_document_is_modified (document));
  set_reuse (document, 32);
  WAIT_FOR (!app_document_is_saving (document));
  g_assert_true (app_document_is_modified (document));
  g_assert_cmpuint (reuse_in (first), ==, 8);
  WAIT_FOR (n_autosaved () == 1);
  app_document_undo (document);
  g_assert_false (app_document_is_modified (document)); /* that is what was saved */
  app_document_redo (document);
  app_document_save (document, first);
  app_document_save (document, second);
  WAIT_FOR (!app_document_is_saving (document));
  g_assert_cmpuint (reuse_in (first), ==, 32);
  g_assert_cmpuint (reuse_in (second), ==, 32);
  g_assert_cmpstr (app_document_path (document), ==, second);
  g_assert_false (app_document_is_modified (document));
  g_assert_cmpuint (n_autosaved (), ==, 0);
}

/* Nothing is taken for saved that is not. */
static void
test_cannot_save (void)
{
  g_autoptr (AppDocument) document = open_edited ("jets.h5");
  g_autofree char *path = g_build_filename (folder, "no", "such", "folder.espalier", NULL), *told = test_try_save (document, path);

  g_assert_nonnull (strstr (told, "folder.espalier"));
  g_assert_true (app_document_is_modified (document));
  g_assert_null (app_document_path (document));
  app_document_forget_autosave (document);
}

/* A network that is opened meanwhile is not taken for what was saved. */
static void
test_opened_while_saving (void)
{
  g_autoptr (AppDocument) document = open_edited ("jets.h5");
  g_autofree char *path = g_build_filename (folder, "left.espalier", NULL), *model = g_build_filename (folder, "jets.h5", NULL);

  app_document_save (document, path);
  app_document_open (document, model);
  WAIT_FOR (app_document_job (document) == NULL && !app_document_is_saving (document));
  WAIT_FOR (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (reuse_in (path), ==, 8);
  app_document_forget_autosave (document);
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

/* Inputs and labels that are a file each are data together, in whatever order they are given; else a file is a file. */
static void
test_pairs (void)
{
  static const char *const paths[] = { "net.h5", "/d/y_test.npy", "/d/X_test.npy", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                       "table.csv", "alone.npy", "config.yml", NULL };
  static const char *const expected[] = { "net.h5", "/d/X_test.npy,/d/y_test.npy", "train-images-idx3-ubyte.gz,train-labels-idx1-ubyte.gz",
                                          "table.csv", "alone.npy", "config.yml" };
  g_autofree char *names = app_format_files (expected[1]), *none = NULL;
  guint next = 0;

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *spec = app_open_next (paths, &next);

      g_assert_cmpstr (spec, ==, expected[i]);
    }
  none = app_open_next (paths, &next);
  g_assert_null (none);
  g_assert_cmpstr (names, ==, "X_test.npy, y_test.npy");
}

/* A project finds data that moved with it, and says so where it is gone or another. */
static void
test_moved_data (void)
{
  g_autofree char *here = g_build_filename (folder, "moved", NULL), *data = g_build_filename (folder, "jets.npz", NULL);
  g_autofree char *project = g_build_filename (here, "p.espalier", NULL), *moved = g_build_filename (here, "jets.npz", NULL), *seen = NULL;
  g_autoptr (AppDocument) document = open_edited ("jets.h5"), reopened = app_document_new (), without = app_document_new ();

  g_assert_cmpint (g_mkdir (here, 0700), ==, 0);
  app_document_open (document, data);
  WAIT_FOR (app_document_job (document) == NULL && app_document_state (document)->data != NULL);
  test_save_project (document, project);
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

/* An array of 16 columns, or of classes, as NumPy writes it. */
static void
write_npy (const char *path,
           gboolean    labels)
{
  enum { ROWS = 40, COLUMNS = 16, CLASSES = 5 };
  g_autofree char *header = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (%d,%s), }", labels ? "|u1" : "<f4", ROWS,
                                             labels ? "" : " 16");
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint16 length = GUINT16_TO_LE (strlen (header));

  g_byte_array_append (bytes, (const guint8 *) "\x93NUMPY\1\0", 8);
  g_byte_array_append (bytes, (const guint8 *) &length, sizeof length);
  g_byte_array_append (bytes, (const guint8 *) header, (guint) strlen (header));
  for (guint i = 0; i < ROWS * (labels ? 1 : COLUMNS); i++)
    {
      guint8 class = i % CLASSES;
      float value = (float) i / ROWS;

      g_byte_array_append (bytes, labels ? &class : (const guint8 *) &value, labels ? sizeof class : sizeof value);
    }
  g_assert_true (g_file_set_contents (path, (const char *) bytes->data, bytes->len, NULL));
}

/* So is a pair of files, each of them. */
static void
test_moved_pair (void)
{
  g_autofree char *here = g_build_filename (folder, "pair", NULL), *project = g_build_filename (here, "p.espalier", NULL);
  g_autofree char *x = g_build_filename (folder, "X.npy", NULL), *y = g_build_filename (folder, "y.npy", NULL);
  g_autofree char *spec = g_strjoin (",", x, y, NULL), *seen = NULL;
  g_autofree char *moved_x = g_build_filename (here, "X.npy", NULL), *moved_y = g_build_filename (here, "y.npy", NULL);
  g_autoptr (AppDocument) document = open_edited ("jets.h5"), reopened = app_document_new ();

  g_assert_cmpint (g_mkdir (here, 0700), ==, 0);
  write_npy (x, FALSE);
  write_npy (y, TRUE);
  app_document_open (document, spec);
  WAIT_FOR (app_document_job (document) == NULL && app_document_state (document)->data != NULL);
  test_save_project (document, project);
  g_assert_cmpint (g_rename (x, moved_x), ==, 0);
  g_assert_cmpint (g_rename (y, moved_y), ==, 0);
  g_signal_connect (reopened, "failed", G_CALLBACK (on_failed), &seen);
  app_document_open (reopened, project);
  WAIT_FOR (app_document_job (reopened) == NULL);
  g_assert_null (seen);
  g_assert_nonnull (app_document_state (reopened)->data);
}

typedef struct { char *title, *message; } Complaint;

static void
on_complaint (AppDocument *document,
              const char  *title,
              const char  *message,
              Complaint   *complaint)
{
  g_free (complaint->title);
  g_free (complaint->message);
  complaint->title = g_strdup (title);
  complaint->message = g_strdup (message);
}

static void
count_opened (AppDocument *document,
              const char  *path,
              guint       *n)
{
  (*n)++;
}

/* What is no file of ours is refused with a title that says what failed, and a message with the file and what to do. */
static void
test_refused (void)
{
  static const struct { const char *name, *text, *words; } files[] = {
    { "empty.h5", "", "the file is empty" }, { "page.onnx", "<!DOCTYPE html><html>404</html>", "web page" },
    { "pointer.h5", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull" },
    { "picture.png", "\x89PNG", "Keras .h5" }, { "text.espalier", "hello", "text.espalier" }, { "cut.json", "{\"class_name\": ", "not valid JSON" },
    { "config.json", "{\"HLSConfig\": {\"Model\": {\"ReuseFaktor\": 1}}}", "ReuseFactor" }, { "bad.yml", "HLSConfig: [", "bad.yml" },
    { "table.csv", "a,b\n1,2\n3\n", "table.csv" }, { "saved/saved_model.pb", "x", "network.keras" }, { "nothing/here.txt", "x", "no report in this folder" },
  };
  g_autoptr (AppDocument) document = app_document_new ();
  Complaint complaint = { 0 };
  guint n_opened = 0;

  g_signal_connect (document, "failed", G_CALLBACK (on_complaint), &complaint);
  g_signal_connect (document, "opened", G_CALLBACK (count_opened), &n_opened);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (folder, "broken", files[i].name, NULL), *parent = g_path_get_dirname (path);
      const char *what = strchr (files[i].name, '/') != NULL ? parent : path;

      g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
      g_assert_true (g_file_set_contents (path, files[i].text, -1, NULL));
      app_document_open (document, what);
      WAIT_FOR (app_document_job (document) == NULL);
      g_assert_nonnull (complaint.message);
      g_test_message ("%s: %s", complaint.title, complaint.message);
      g_assert_true (g_str_has_suffix (complaint.title, " failed"));
      g_assert_nonnull (strstr (complaint.message, files[i].words));
      g_assert_true (app_document_is_empty (document));
      g_clear_pointer (&complaint.message, g_free);
    }
  g_assert_cmpuint (n_opened, ==, 0);
  g_free (complaint.title);
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

  if (argc == 4 && g_str_has_prefix (argv[1], "--die"))
    {
      folder = argv[2]; /* the state folder comes with the environment */
      return g_str_equal (argv[1], "--die") ? die_with_changes (argv[3]) : die_while_saving (argv[3]);
    }
  g_test_init (&argc, &argv, NULL);
  folder = test_folder ();
  program = argv[0];
  state = g_build_filename (folder, "state", NULL);
  g_setenv ("XDG_STATE_HOME", state, TRUE);
  test_sample (folder, 400, 1);
  g_test_add_func ("/documents/recovery", test_recovery);
  g_test_add_func ("/documents/recovery-of-file", test_recovery_of_file);
  g_test_add_func ("/documents/killed-while-saving", test_killed_while_saving);
  g_test_add_func ("/documents/changed-while-saving", test_changed_while_saving);
  g_test_add_func ("/documents/cannot-save", test_cannot_save);
  g_test_add_func ("/documents/opened-while-saving", test_opened_while_saving);
  g_test_add_func ("/documents/refused", test_refused);
  g_test_add_func ("/documents/kinds", test_kinds);
  g_test_add_func ("/documents/pairs", test_pairs);
  g_test_add_func ("/documents/moved-data", test_moved_data);
  g_test_add_func ("/documents/moved-pair", test_moved_pair);
  g_test_add_func ("/documents/help", test_help);
  g_test_add_func ("/documents/help-page", test_help_page);
  status = g_test_run ();
  remove_folder (folder);
  g_free (folder);
  return status;
}

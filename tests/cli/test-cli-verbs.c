/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each verb from outside: the JSON keys that scripts rely on, the exit status, where messages go, what SIGINT leaves behind. */

#include "cli-run.h"
#include "test-shared.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>

/* Made once: jets.h5, jets.npz, c.json (Resource, reuse 4), narrow.json (types that overflow), x.npy (four samples). */
static char *folder;

/* @line: words with blanks between them, "@" for the folder. (transfer full): the object on stdout, which has nothing else. */
static JsonObject *
json (const char *line)
{
  g_autofree char *all = g_strconcat (line, " --json --quiet", NULL), *out = NULL, *err = NULL;
  g_autoptr (GSubprocess) process = cli_start_line (all, folder);
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) error = NULL;
  int status = cli_finish (process, &out, &err);

  g_test_message ("%s", err);
  g_assert_cmpint (status, ==, 0);
  root = json_from_string (out, &error);
  g_assert_no_error (error);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (root));
  return json_object_ref (json_node_get_object (root));
}

/* @line ends with @status, says @says on stderr and nothing on stdout. */
static void
fails (const char *line,
       int         status,
       const char *says)
{
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GSubprocess) process = cli_start_line (line, folder);

  g_assert_cmpint (cli_finish (process, &out, &err), ==, status);
  g_assert_cmpstr (out, ==, "");
  g_test_message ("%s", err);
  g_assert_nonnull (strstr (err, says));
}

/* @keys: names with blanks between them. */
static void
has (JsonObject *object,
     const char *keys)
{
  g_auto (GStrv) names = g_strsplit (keys, " ", -1);

  for (guint i = 0; names[i] != NULL; i++)
    if (!json_object_has_member (object, names[i]))
      g_error ("the key \"%s\" is missing", names[i]);
}

static JsonObject *
first (JsonObject *object,
       const char *array)
{
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, array)), >, 0);
  return json_array_get_object_element (json_object_get_array_member (object, array), 0);
}

static gint64
overflows (JsonObject *object)
{
  JsonArray *array = json_object_get_array_member (object, "overflows");
  gint64 n = 0;

  g_assert_cmpuint (json_array_get_length (array), >, 0);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      has (json_array_get_object_element (array, i), "layer count");
      n += json_object_get_int_member (json_array_get_object_element (array, i), "count");
    }
  return n;
}

static void
test_predict (void)
{
  g_autoptr (JsonObject) real = json ("predict @/jets.h5 --inputs @/x.npy --output @/y.npy --trace @/trace");
  g_autoptr (JsonObject) fixed = json ("predict @/jets.h5 --inputs @/x.npy --config @/c.json --output @/z.npy");
  g_autoptr (JsonObject) narrow = json ("predict @/jets.h5 --inputs @/x.npy --config @/narrow.json");
  g_autofree char *y = g_build_filename (folder, "y.npy", NULL), *z = g_build_filename (folder, "z.npy", NULL), *bytes = NULL;
  g_autofree char *layer = g_build_filename (folder, "trace", "fc1.npy", NULL);
  gsize n;

  has (real, "samples seconds");
  g_assert_cmpint (json_object_get_int_member (real, "samples"), ==, 4);
  g_assert_false (json_object_has_member (real, "overflows"));
  has (fixed, "samples seconds overflows");
  g_assert_cmpint (overflows (fixed), ==, 0);
  g_assert_cmpint (overflows (narrow), >, 0);
  g_assert_true (g_file_test (y, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (layer, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_get_contents (z, &bytes, &n, NULL));
  g_assert_nonnull (g_strstr_len (bytes + 10, 118, "<f8"));
  fails ("predict @/jets.h5", 2, "--inputs");
  fails ("predict @/jets.h5 --inputs @/none.npy", 1, "none.npy");
  fails ("predict @/jets.h5 --inputs @/jets.h5", 1, "jets.h5");
  fails ("predict @/jets.h5 --inputs @/x.npy --config @/none.json", 1, "none.json");
  fails ("predict @/none.h5 --inputs @/x.npy", 1, "none.h5");
}

static void
test_evaluate (void)
{
  g_autoptr (JsonObject) real = json ("evaluate @/jets.h5 --data @/jets.npz");
  g_autoptr (JsonObject) fixed = json ("evaluate @/jets.h5 --data @/jets.npz --config @/c.json");
  g_autoptr (JsonObject) narrow = json ("evaluate @/jets.h5 --data @/jets.npz --config @/narrow.json");

  has (real, "samples loss accuracy auc confusion");
  has (fixed, "samples loss accuracy auc confusion overflows");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (real, "auc")), ==, 5);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (real, "confusion")), ==, 5);
  g_assert_cmpuint (json_array_get_length (json_array_get_array_element (json_object_get_array_member (real, "confusion"), 0)), ==, 5);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (real, "accuracy"), json_object_get_double_member (fixed, "accuracy"), 0.05);
  g_assert_cmpint (overflows (narrow), >, overflows (fixed));
  fails ("evaluate @/jets.h5", 2, "--data");
  fails ("evaluate @/jets.h5 --data @/none.npz", 1, "none.npz");
  fails ("evaluate @/jets.h5 --data @/x.npy", 1, "x.npy");
}

static void
test_groups (void)
{
  g_autoptr (JsonObject) root = json ("groups @/jets.h5 --config @/c.json --layer output");
  JsonObject *layer = first (root, "layers"), *group = first (layer, "groups");

  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "layers")), ==, 1);
  has (layer, "name structure reuse_factor groups");
  g_assert_cmpstr (json_object_get_string_member (layer, "name"), ==, "output");
  g_assert_cmpint (json_object_get_int_member (layer, "reuse_factor"), ==, 4);
  /* 160 weights by fours */
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (layer, "groups")), ==, 40);
  has (group, "id indices importance cost kept");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (group, "indices")), ==, 4);
  has (json_object_get_object_member (group, "cost"), "dsp bram lut ff");
  g_assert_true (json_object_get_boolean_member (group, "kept"));
  fails ("groups @/jets.h5 --config @/c.json --layer nope", 1, "nope");
  fails ("groups", 2, "usage");
}

static void
test_frontier (void)
{
  g_autoptr (JsonObject) root = json ("frontier @/jets.h5 --config @/c.json --objective dsp,bram --points 4");
  JsonArray *points = json_object_get_array_member (root, "points");
  double before = -1;

  g_assert_cmpuint (json_array_get_length (points), ==, 4);
  for (guint i = 0; i < 4; i++)
    {
      JsonObject *point = json_array_get_object_element (points, i);

      has (point, "budget value bound gap");
      has (json_object_get_object_member (point, "budget"), "dsp bram");
      g_assert_cmpfloat (json_object_get_double_member (point, "value"), <=, json_object_get_double_member (point, "bound"));
      g_assert_cmpfloat (json_object_get_double_member (point, "value"), >=, before);
      before = json_object_get_double_member (point, "value");
    }
  fails ("frontier @/jets.h5 --config @/c.json --objective dps", 1, "\"dsp\"");
}

static void
test_profile (void)
{
  g_autoptr (JsonObject) root = json ("profile @/jets.h5 --data @/jets.npz --config @/c.json --samples 100");

  has (first (root, "tensors"), "name kind min q1 median q3 max type below_lsb overflow");
  fails ("profile @/jets.h5", 2, "--data");
  fails ("profile @/jets.h5 --data @/none.npz", 1, "none.npz");
}

static void
test_emit (void)
{
  g_autoptr (JsonObject) root = json ("emit @/jets.h5 --config @/c.json --backend vitis --output @/hls");
  JsonArray *files = json_object_get_array_member (root, "files");

  g_assert_cmpuint (json_array_get_length (files), >, 10);
  for (guint i = 0; i < json_array_get_length (files); i++)
    {
      g_autofree char *path = g_build_filename (folder, "hls", json_array_get_string_element (files, i), NULL);

      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
    }
  has (first (root, "layers"), "name kernel multipliers removed");
  fails ("emit @/jets.h5 --config @/c.json", 2, "--output");
  fails ("emit @/jets.h5 --config @/c.json --backend vitsi --output @/no", 1, "vitis");
  fails ("emit @/jets.h5 --config @/jets.h5 --output @/no", 1, "jets.h5");
  fails ("emit @/none.h5 --output @/no", 1, "none.h5");
  fails ("build @/none --csim", 1, "none");
  fails ("build @ --csim", 1, "espalier-project.json");
  fails ("build @/hls --synth --tool @/no-such-tool", 1, "no-such-tool");
  fails ("build @/hls --no-such-stage", 2, "no-such-stage");
  fails ("build @/hls --detach", 2, "--synth");
  fails ("build @/hls --synth --cluster lsf", 1, "slurm");
  fails ("build", 2, "folder of a project is missing");
  fails ("build @/hls --follow", 1, "nothing has been begun");
}

/* Columns are as wide as what stands in them: no name is cut off, and figures stand under each other. */
static void
test_columns (void)
{
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GSubprocess) process = cli_start_line ("estimate @/jets.h5 --config @/c.json", folder);
  g_auto (GStrv) lines = NULL;
  glong width = 0;

  g_assert_cmpint (cli_finish (process, &out, &err), ==, 0);
  lines = g_strsplit (out, "\n", -1);
  for (guint i = 2; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_assert_true (width == 0 || width == g_utf8_strlen (lines[i], -1));
      width = g_utf8_strlen (lines[i], -1);
    }
  g_assert_cmpint (width, >, 40);
  g_assert_nonnull (strstr (out, "output_softmax"));
}

/* Without a locale, as in a container, nothing becomes a question mark. */
static void
test_no_locale (void)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *model = g_build_filename (folder, "jets.h5", NULL), *config = g_build_filename (folder, "c.json", NULL);
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C", TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, g_getenv ("ESPALIER_CLI"), "estimate", model, "--config", config, NULL);
  g_assert_no_error (error);
  g_assert_cmpint (cli_finish (process, &out, &err), ==, 0);
  g_assert_null (strchr (out, '?'));
}

/* One layer's groups in the table, as in JSON. */
static void
test_one_layer (void)
{
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GSubprocess) process = cli_start_line ("groups @/jets.h5 --config @/c.json --layer fc2", folder);

  g_assert_cmpint (cli_finish (process, &out, &err), ==, 0);
  g_assert_nonnull (strstr (out, "fc2"));
  g_assert_null (strstr (out, "fc1"));
}

/* A reuse factor that no kernel has is not changed in silence. */
static void
test_warning (void)
{
  g_autofree char *config = g_build_filename (folder, "seven.json", NULL);

  g_assert_true (g_file_set_contents (config, "{\"Model\": {\"Precision\": \"fixed<16,6>\", \"ReuseFactor\": 7, \"Strategy\": \"Resource\"}}",
                                      -1, NULL));
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *out = NULL, *err = NULL;
      g_autoptr (GSubprocess) process = cli_start_line (i == 0 ? "estimate @/jets.h5 --config @/seven.json --json --quiet"
                                                               : "emit @/jets.h5 --config @/seven.json --output @/seven --quiet", folder);

      g_assert_cmpint (cli_finish (process, &out, &err), ==, 0);
      g_assert_nonnull (strstr (err, "warning: layer \"fc1\": a reuse factor of 7"));
    }
}

/* A run that is interrupted after its first step: 130, the project there with what was finished, and able to go on. */
static void
test_prune (void)
{
  g_autofree char *project = g_build_filename (folder, "p.espalier", NULL), *out = NULL, *err = NULL;
  g_autoptr (GSubprocess) process = cli_start_line ("prune @/jets.h5 --data @/jets.npz --config @/c.json --objective dsp --schedule constant "
                                                    "--step 0.01 --first-target 0.01 --max-steps 90 --tolerance 0.9 --epochs 6 --output @/p.espalier "
                                                    "--json --quiet", folder);
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (JsonObject) resumed = NULL;
  JsonObject *object;
  int status;

  for (guint i = 0; i < 6000 && !g_file_test (project, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
  g_assert_true (g_file_test (project, G_FILE_TEST_EXISTS));
  g_subprocess_send_signal (process, SIGINT);
  status = cli_finish (process, &out, &err);
  g_test_message ("%s", err);
  g_assert_cmpint (status, ==, 130);
  root = json_from_string (out, NULL);
  g_assert_nonnull (root);
  object = json_node_get_object (root);
  has (object, "baseline steps chosen final");
  has (json_object_get_object_member (object, "baseline"), "accuracy resources");
  has (json_object_get_object_member (json_object_get_object_member (object, "baseline"), "resources"), "dsp bram lut ff");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, "steps")), <, 90);
  g_assert_true (g_file_test (project, G_FILE_TEST_EXISTS));
  resumed = json ("prune @/p.espalier --resume --from-step 0 --output @/q.espalier");
  has (first (resumed, "steps"), "target accuracy resources status gap seconds");
  g_assert_cmpint (json_object_get_int_member (resumed, "chosen"), >=, 0);
  fails ("prune @/jets.h5", 2, "--data");
  fails ("prune @/jets.h5 --data @/none.npz --output @/n.espalier", 1, "none.npz");
  fails ("prune @/jets.h5 --data @/jets.npz --output @/n.espalier --budget dsp=much", 1, "dsp=much");
  fails ("prune @/jets.h5 --data @/jets.npz --output @/n.espalier --objective dps", 1, "\"dsp\"");
  fails ("prune @/none.espalier --resume", 1, "none.espalier");
  fails ("prune @/q.espalier --resume --from-step 4711", 1, "no step 4711");
  fails ("prune @/q.espalier --from-step 0", 2, "--resume");
  fails ("prune @/q.espalier --resume --epochs 2", 2, "--epochs does not go with --resume");
  fails ("prune @/q.espalier --replay --objective lut", 2, "--objective does not go with --replay");
  fails ("prune @/q.espalier --resume --from-step 0 --config @/c.json", 2, "--config does not go with --resume");
}

/* The group of greatest or least importance of a network. */
static gint64
find_group (JsonObject *root,
            gboolean    greatest)
{
  JsonArray *layers = json_object_get_array_member (root, "layers");
  double best = greatest ? -1 : G_MAXDOUBLE;
  gint64 id = -1;

  for (guint l = 0; l < json_array_get_length (layers); l++)
    {
      JsonArray *groups = json_object_get_array_member (json_array_get_object_element (layers, l), "groups");

      for (guint g = 0; g < json_array_get_length (groups); g++)
        {
          JsonObject *group = json_array_get_object_element (groups, g);
          double importance = json_object_get_double_member (group, "importance");

          if (greatest ? importance > best : importance < best)
            {
              best = importance;
              id = json_object_get_int_member (group, "id");
            }
        }
    }
  return id;
}

static gboolean
is_kept (JsonObject *root,
         gint64      id)
{
  JsonArray *layers = json_object_get_array_member (root, "layers");

  for (guint l = 0; l < json_array_get_length (layers); l++)
    {
      JsonArray *groups = json_object_get_array_member (json_array_get_object_element (layers, l), "groups");

      for (guint g = 0; g < json_array_get_length (groups); g++)
        if (json_object_get_int_member (json_array_get_object_element (groups, g), "id") == id)
          return json_object_get_boolean_member (json_array_get_object_element (groups, g), "kept");
    }
  g_error ("there is no group %" G_GINT64_FORMAT, id);
}

#define ONE_STEP "prune @/jets.h5 --data @/jets.npz --epochs 0 --max-steps 1 --tolerance 1 --importance l2 --output @/one.espalier "

/* Groups are kept and cut by the numbers that the verb `groups` gives them, against what importance says. */
static void
test_by_hand (void)
{
  g_autoptr (JsonObject) groups = json ("groups @/jets.h5 --config @/c.json --importance l2");
  gint64 least = find_group (groups, FALSE), most = find_group (groups, TRUE);
  g_autofree char *pinned = g_strdup_printf (ONE_STEP "--config @/c.json --keep %d-%d --cut %d --model @/pinned.h5", (int) least, (int) least,
                                             (int) most);
  g_autoptr (JsonObject) a = json (ONE_STEP "--config @/c.json --model @/free.h5"), b = json (pinned);
  g_autoptr (JsonObject) freely = json ("groups @/free.h5 --config @/c.json"), by_hand = json ("groups @/pinned.h5 --config @/c.json");

  g_assert_cmpint (least, !=, most);
  g_assert_false (is_kept (freely, least));
  g_assert_true (is_kept (freely, most));
  g_assert_true (is_kept (by_hand, least));
  g_assert_false (is_kept (by_hand, most));
  fails (ONE_STEP "--config @/c.json --keep 7-", 1, "\"7-\"");
  fails (ONE_STEP "--config @/c.json --cut 1064", 1, "0 to 1063");
}

/* A sum is what falls: weights of what there is none of have nothing to gain; the rest of the words are checked. */
static void
test_weigh (void)
{
  g_autoptr (JsonObject) wide = json ("configure @/jets.h5 --output @/latency.json");
  g_autoptr (JsonObject) root = json (ONE_STEP "--config @/latency.json --weigh lut=1,ff=2"), other = NULL;
  JsonObject *before = json_object_get_object_member (json_object_get_object_member (root, "baseline"), "resources");
  JsonObject *after = json_object_get_object_member (json_object_get_object_member (root, "final"), "resources");
  double sum = json_object_get_double_member (before, "lut") + 2 * json_object_get_double_member (before, "ff");

  g_assert_cmpfloat (json_object_get_double_member (after, "lut") + 2 * json_object_get_double_member (after, "ff"), <, 0.6 * sum);
  other = json (ONE_STEP "--config @/latency.json --weigh dsp=1");
  g_assert_cmpint (json_object_get_int_member (json_object_get_object_member (root, "final"), "kept"), !=,
                   json_object_get_int_member (json_object_get_object_member (other, "final"), "kept"));
  fails (ONE_STEP "--config @/latency.json --weigh bram=1 --json", 1, "nothing to gain");
  fails (ONE_STEP "--config @/latency.json --weigh lut", 1, "\"lut\"");
  fails (ONE_STEP "--config @/latency.json --weigh lut=-1", 1, "0 or more");
}

/* For people: area under the curves and bit operations are in every line and in the last. */
static void
test_words (void)
{
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GSubprocess) process = cli_start_line (ONE_STEP "--config @/c.json --share --quiet", folder);
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  g_assert_cmpint (cli_finish (process, &out, &err), ==, 0);
  lines = g_strsplit (out, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "accuracy ") != NULL)
      {
        g_assert_nonnull (strstr (lines[i], "auc 0."));
        g_assert_nonnull (strstr (lines[i], "bops "));
        n++;
      }
  g_assert_cmpuint (n, ==, 4); /* baseline, one step, sharing, what was chosen */
  g_assert_nonnull (strstr (out, " share "));
}

/* After test_prune(): takes things out of its project. */
static void
test_export (void)
{
  static const char *const names[] = { "out.h5", "out.json", "figures" };
  static const char *const says[] = { "\n# data: ", "(SHA-256 ", "\n# part: ", "\n# clock: ", "\n# stage: estimates before synthesis\n", "\n# seed: ",
                                      "\n# program: Espalier ", "\nstep,kind,accepted," };
  g_autofree char *table = g_build_filename (folder, "figures", "run-1.csv", NULL), *text = NULL;
  g_autoptr (JsonObject) root = json ("export @/q.espalier --model @/out.h5 --config @/out.json --figures @/figures");
  g_autoptr (JsonObject) inspected = json ("inspect @/out.h5"), fits = json ("estimate @/out.h5 --config @/out.json");
  g_autoptr (JsonObject) again = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
    }
  g_assert_true (g_file_get_contents (table, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "# network: "));
  for (guint i = 0; i < G_N_ELEMENTS (says); i++)
    g_assert_nonnull (strstr (text, says[i]));
  has (inspected, "format layers parameters multiplications");
  has (first (inspected, "layers"), "name class inputs output_shape parameters multiplications zeros");
  has (json_object_get_object_member (fits, "total"), "dsp bram lut ff uram latency_cycles interval_cycles latency_ns bops");
  fails ("export @/q.espalier", 2, "--model");
  json_object_unref (json ("export @/jets.h5 --model @/same.onnx"));
  again = json ("inspect @/same.onnx");
  g_assert_cmpint (json_object_get_int_member (again, "multiplications"), ==, json_object_get_int_member (inspected, "multiplications"));
  fails ("export @/jets.h5 --config @/no.json", 1, "jets.h5");
  fails ("export @/none.espalier --model @/no.h5", 1, "No such file");
  fails ("export @/q.espalier --model @/no.h5 --step 4711", 1, "4711");
}

static void
write_samples (void)
{
  g_autofree char *path = g_build_filename (folder, "x.npy", NULL);
  char bytes[128 + 64 * sizeof (float)];
  float *values = g_new (float, 64);

  memset (bytes, ' ', 128);
  memcpy (bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
  memcpy (bytes + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 16), }", 60);
  bytes[127] = '\n';
  for (guint i = 0; i < 64; i++)
    values[i] = (float) ((int) (i * 37 % 19) - 9) / 3;
  memcpy (bytes + 128, values, 64 * sizeof *values);
  g_free (values);
  g_assert_true (g_file_set_contents (path, bytes, sizeof bytes, NULL));
}

static void
set_up (void)
{
  g_autoptr (JsonObject) sample = json ("sample jets --jets 1500 --epochs 1 --output @");
  g_autoptr (JsonObject) wide = json ("configure @/jets.h5 --strategy Resource --reuse 4 --output @/c.json");
  g_autoptr (JsonObject) narrow = json ("configure @/jets.h5 --precision fixed<8,1> --output @/narrow.json");

  has (sample, "files");
  write_samples ();
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        remove_all (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

int
main (int    argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = test_folder ();
  set_up ();
  g_test_add_func ("/cli/predict", test_predict);
  g_test_add_func ("/cli/evaluate", test_evaluate);
  g_test_add_func ("/cli/groups", test_groups);
  g_test_add_func ("/cli/frontier", test_frontier);
  g_test_add_func ("/cli/profile-keys", test_profile);
  g_test_add_func ("/cli/emit", test_emit);
  g_test_add_func ("/cli/prune", test_prune);
  g_test_add_func ("/cli/warning", test_warning);
  g_test_add_func ("/cli/columns", test_columns);
  g_test_add_func ("/cli/no-locale", test_no_locale);
  g_test_add_func ("/cli/one-layer", test_one_layer);
  g_test_add_func ("/cli/prune-by-hand", test_by_hand);
  g_test_add_func ("/cli/prune-weigh", test_weigh);
  g_test_add_func ("/cli/prune-words", test_words);
  g_test_add_func ("/cli/export", test_export);
  status = g_test_run ();
  remove_all (folder);
  g_free (folder);
  return status;
}

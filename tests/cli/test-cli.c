/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line from outside: exit status, streams, JSON, and the whole way from the sample to a compiled project. */

#include "cli-run.h"
#include "test-shared.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>

typedef struct {
  int   status;
  char *out;
  char *err;
} Run;

static void
run_clear (Run *run)
{
  g_free (run->out);
  g_free (run->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
finish (GSubprocess *process,
        Run         *run)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_communicate_utf8 (process, NULL, NULL, &run->out, &run->err, &error);
  g_assert_no_error (error);
  run->status = g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process)
                                                     : 128 + g_subprocess_get_term_sig (process);
}

/* Words are separated by blanks; none of the tests' words holds one. */
static void
cli (Run        *run,
     const char *format,
     ...) G_GNUC_PRINTF (2, 3);

static void
cli (Run        *run,
     const char *format,
     ...)
{
  g_autofree char *line = NULL;
  g_auto (GStrv) words = NULL;
  g_autoptr (GSubprocess) process = NULL;
  va_list arguments;

  va_start (arguments, format);
  line = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  words = g_strsplit (line, " ", -1);
  process = cli_start (*line != '\0' ? (const char *const *) words : (const char *const[]){ NULL });
  finish (process, run);
  g_test_message ("espalier-cli %s → %d\n%s", line, run->status, run->err);
}

static JsonObject *
json_of (const Run *run)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = json_from_string (run->out, &error);

  g_assert_no_error (error);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (root));
  return json_object_ref (json_node_get_object (root));
}

static void
assert_says (const char *text,
             const char *what)
{
  if (strstr (text, what) == NULL)
    g_error ("\"%s\" does not say \"%s\"", text, what);
}

static void
test_usage (void)
{
  static const struct { const char *line; int status; const char *says; } cases[] = {
    { "", 2, "usage" },
    { "inspekt x.h5", 2, "inspect" },
    { "inspect", 2, "usage" },
    { "inspect a b c", 2, "usage" },
    { "inspect --no-such-option x.h5", 2, "no-such-option" },
    { "inspect no-such-file.h5", 1, "no-such-file.h5" },
    { "sample no-such-sample", 1, "jets" },
    { "inspect x.h5 --threads -3", 2, "threads" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Run) run = { 0 };

      cli (&run, "%s", cases[i].line);
      g_assert_cmpint (run.status, ==, cases[i].status);
      g_assert_cmpstr (run.out, ==, "");
      assert_says (run.err, cases[i].says);
    }
}

static void
test_help (void)
{
  g_auto (Run) run = { 0 }, verb = { 0 }, version = { 0 };

  cli (&run, "--help");
  g_assert_cmpint (run.status, ==, 0);
  assert_says (run.out, "inspect");
  cli (&verb, "inspect --help");
  g_assert_cmpint (verb.status, ==, 0);
  assert_says (verb.out, "--json");
  cli (&version, "--version");
  g_assert_cmpint (version.status, ==, 0);
  assert_says (version.out, "Espalier");
}

/* Truncated, empty and random files: an error that names the file, never a crash. */
static void
test_bad_files (void)
{
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "bad.h5", NULL);
  static const char *const contents[] = { "", "x", "{", "{\"class_name\": \"Sequential\"}", "\211HDF\r\n\032\n", "PK\003\004garbage", "\b\a\022\aPyTorch" };

  for (guint i = 0; i < G_N_ELEMENTS (contents); i++)
    {
      g_auto (Run) run = { 0 };

      g_assert_true (g_file_set_contents (path, contents[i], -1, NULL));
      cli (&run, "inspect %s", path);
      g_assert_cmpint (run.status, ==, 1);
      g_assert_cmpstr (run.out, ==, "");
      assert_says (run.err, "bad.h5");
    }
}

/* The sample, written twice with one seed, is the same to the byte; and it can be inspected. */
static void
test_sample (void)
{
  static const char *const names[] = { "jets.h5", "jets.npz" };
  g_autofree char *first = test_folder (), *second = test_folder ();
  g_auto (Run) a = { 0 }, b = { 0 }, inspect = { 0 };
  g_autoptr (JsonObject) written = NULL, layers = NULL;

  cli (&a, "sample jets --output %s --jets 3000 --epochs 2 --json --quiet", first);
  g_assert_cmpint (a.status, ==, 0);
  written = json_of (&a);
  g_assert_cmpint (json_array_get_length (json_object_get_array_member (written, "files")), ==, 2);
  cli (&b, "sample jets --output %s --jets 3000 --epochs 2 --threads 1", second);
  g_assert_cmpint (b.status, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *pa = g_build_filename (first, names[i], NULL), *pb = g_build_filename (second, names[i], NULL);
      g_autofree char *ta = NULL, *tb = NULL;
      gsize na, nb;

      g_assert_true (g_file_get_contents (pa, &ta, &na, NULL));
      g_assert_true (g_file_get_contents (pb, &tb, &nb, NULL));
      g_assert_cmpmem (ta, na, tb, nb);
    }
  cli (&inspect, "inspect %s/jets.h5 --json", first);
  g_assert_cmpint (inspect.status, ==, 0);
  layers = json_of (&inspect);
  g_assert_cmpint (json_object_get_int_member (layers, "parameters"), ==, 4389);
  g_assert_cmpint (json_object_get_int_member (layers, "multiplications"), ==, 4256);
}

/* What configure writes is what it was told, reads back, and names valid reuse factors. */
static void
test_configure (void)
{
  g_autofree char *folder = test_folder ();
  g_auto (Run) sample = { 0 }, model = { 0 }, name = { 0 }, bad = { 0 };
  g_autoptr (JsonObject) root = NULL, by_name = NULL;
  JsonObject *config;
  JsonObject *layers;

  cli (&sample, "sample jets --output %s --jets 1000 --epochs 1", folder);
  g_assert_cmpint (sample.status, ==, 0);
  cli (&model, "configure %s/jets.h5 --reuse 4 --strategy resource --precision ap_fixed<12,4> --json", folder);
  g_assert_cmpint (model.status, ==, 0);
  root = json_of (&model);
  g_assert_cmpstr (json_object_get_string_member (root, "Backend"), ==, "Vitis");
  config = json_object_get_object_member (json_object_get_object_member (root, "HLSConfig"), "Model");
  g_assert_cmpstr (json_object_get_string_member (config, "Precision"), ==, "fixed<12,4>");
  g_assert_cmpint (json_object_get_int_member (config, "ReuseFactor"), ==, 4);
  cli (&name, "configure %s/jets.h5 --reuse 3 --strategy resource --granularity name", folder);
  g_assert_cmpint (name.status, ==, 0);
  assert_says (name.err, "2 is used");
  by_name = json_of (&name);
  layers = json_object_get_object_member (json_object_get_object_member (by_name, "HLSConfig"), "LayerName");
  g_assert_cmpint (json_object_get_int_member (json_object_get_object_member (layers, "fc1"), "ReuseFactor"), ==, 2);
  cli (&bad, "configure %s/jets.h5 --strategy Latencey", folder);
  g_assert_cmpint (bad.status, ==, 1);
  assert_says (bad.err, "Latency");
}

/* What is asked of the project reaches the tool's script; what is no word of it is told with those that are. */
static void
test_project_settings (void)
{
  static const struct { const char *file, *text; } written[] = {
    { "project.tcl", "set part \"xc7z020clg400-1\"" }, { "project.tcl", "set clock_period 10\n" },
    { "project.tcl", "set clock_uncertainty 2\n" }, { "firmware/defines.h", "#define PROJECT_INTERVAL 4\n" },
    { "firmware/myproject.cpp", "    NNET_DATAFLOW\n" }, { "firmware/myproject_axi.cpp", "s_axilite" }, { "pynq_driver.py", "class" },
  };
  g_autofree char *folder = test_folder ();
  g_auto (Run) sample = { 0 }, configure = { 0 }, emit = { 0 }, style = { 0 }, wrapper = { 0 }, interval = { 0 };

  cli (&sample, "sample jets --output %s --jets 1000 --epochs 1", folder);
  g_assert_cmpint (sample.status, ==, 0);
  cli (&configure, "configure %s/jets.h5 --clock 10 --uncertainty 20 --pipeline dataflow --interval 4 --interface axi_lite --part xc7z020clg400-1 "
                   "--output %s/p.json", folder, folder);
  g_assert_cmpint (configure.status, ==, 0);
  cli (&emit, "emit %s/jets.h5 --config %s/p.json --output %s/p", folder, folder, folder);
  g_assert_cmpint (emit.status, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (written); i++)
    {
      g_autofree char *path = g_build_filename (folder, "p", written[i].file, NULL), *text = NULL;

      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      assert_says (text, written[i].text);
    }
  cli (&style, "configure %s/jets.h5 --pipeline dataflo", folder);
  g_assert_cmpint (style.status, ==, 1);
  assert_says (style.err, "did you mean dataflow");
  cli (&wrapper, "configure %s/jets.h5 --interface axi-stream", folder);
  g_assert_cmpint (wrapper.status, ==, 1);
  assert_says (wrapper.err, "axi_stream");
  cli (&interval, "configure %s/jets.h5 --interval -3", folder);
  g_assert_cmpint (interval.status, ==, 1);
}

/* Training a little further makes it better; misspelt words are met with the nearest. */
static void
test_train (void)
{
  g_autofree char *folder = test_folder ();
  g_auto (Run) sample = { 0 }, train = { 0 }, evaluate = { 0 }, misspelt = { 0 }, wrong = { 0 };
  g_autoptr (JsonObject) history = NULL, quality = NULL;
  JsonArray *epochs;

  cli (&sample, "sample jets --output %s --jets 3000 --epochs 1 --quiet", folder);
  g_assert_cmpint (sample.status, ==, 0);
  cli (&train, "train %s/jets.h5 --data %s/jets.npz --epochs 6 --lr 0.003 --output %s/t.h5 --json --quiet", folder, folder, folder);
  g_assert_cmpint (train.status, ==, 0);
  history = json_of (&train);
  epochs = json_object_get_array_member (history, "epochs");
  g_assert_cmpint (json_array_get_length (epochs), ==, 6);
  g_assert_cmpfloat (json_object_get_double_member (json_array_get_object_element (epochs, 5), "train_loss"), <,
                     json_object_get_double_member (json_array_get_object_element (epochs, 0), "train_loss"));
  cli (&evaluate, "evaluate %s/t.h5 --data %s/jets.npz --json --quiet", folder, folder);
  g_assert_cmpint (evaluate.status, ==, 0);
  quality = json_of (&evaluate);
  g_assert_cmpfloat (json_object_get_double_member (quality, "accuracy"), >, 0.5);
  cli (&misspelt, "train %s/jets.h5 --data %s/jets.npz --optimizer adm --output %s/t.h5", folder, folder, folder);
  g_assert_cmpint (misspelt.status, ==, 2);
  assert_says (misspelt.err, "\"adam\"");
  cli (&wrong, "train %s/jets.h5 --data %s/jets.npz --class-weights 1,2 --output %s/t.h5", folder, folder, folder);
  g_assert_cmpint (wrong.status, ==, 1);
  assert_says (wrong.err, "class");
}

static double
accuracy_at (const char *folder,
             const char *model)
{
  g_auto (Run) evaluate = { 0 };
  g_autoptr (JsonObject) quality = NULL;

  cli (&evaluate, "evaluate %s/%s --data %s/jets.npz --config %s/narrow.json --json --quiet", folder, model, folder, folder);
  g_assert_cmpint (evaluate.status, ==, 0);
  quality = json_of (&evaluate);
  return json_object_get_double_member (quality, "accuracy");
}

/* Training that reckons with a configuration's narrow weights is better in hardware of that configuration. */
static void
test_train_types (void)
{
  g_autofree char *folder = test_folder (), *narrow = g_build_filename (folder, "narrow.json", NULL);
  g_auto (Run) sample = { 0 }, plain = { 0 }, aware = { 0 }, missing = { 0 };

  cli (&sample, "sample jets --output %s --jets 3000 --epochs 8 --quiet", folder);
  g_assert_cmpint (sample.status, ==, 0);
  g_assert_true (g_file_set_contents (narrow, "{\"Backend\": \"Vitis\", \"HLSConfig\": {\"Model\": {\"Precision\": "
                                      "{\"default\": \"fixed<16,6>\", \"weight\": \"fixed<3,1,RND_CONV,SAT>\"}, "
                                      "\"ReuseFactor\": 1, \"Strategy\": \"Latency\"}}}", -1, NULL));
  cli (&plain, "train %s/jets.h5 --data %s/jets.npz --epochs 8 --lr 0.003 --output %s/plain.h5 --quiet", folder, folder, folder);
  g_assert_cmpint (plain.status, ==, 0);
  cli (&aware, "train %s/jets.h5 --data %s/jets.npz --epochs 8 --lr 0.003 --config %s --output %s/aware.h5 --quiet", folder, folder,
       narrow, folder);
  g_assert_cmpint (aware.status, ==, 0);
  g_assert_cmpfloat (accuracy_at (folder, "aware.h5"), >, accuracy_at (folder, "plain.h5"));
  cli (&missing, "train %s/jets.h5 --data %s/jets.npz --config %s/none.json --output %s/t.h5", folder, folder, folder, folder);
  g_assert_cmpint (missing.status, ==, 1);
  assert_says (missing.err, "none.json");
}

static double
number (JsonObject *object,
        const char *member,
        const char *inner)
{
  JsonObject *child = json_object_get_object_member (object, member);

  g_assert_nonnull (child);
  return json_object_get_double_member (child, inner);
}

/* The sample, pruned, written as a project, emitted, compiled and run: every part speaks of the same hardware. */
static void
test_whole_way (void)
{
  g_autofree char *w = test_folder ();
  g_auto (Run) sample = { 0 }, configure = { 0 }, before = { 0 }, prune = { 0 }, after = { 0 }, emit = { 0 }, build = { 0 }, keras = { 0 };
  g_auto (Run) export = { 0 }, frontier = { 0 }, groups = { 0 };
  g_autoptr (JsonObject) first = NULL, run = NULL, last = NULL, curve = NULL, shared = NULL;
  JsonObject *final;
  double dsp_before, dsp_after;

  cli (&sample, "sample jets --output %s --jets 12000 --epochs 8 --quiet", w);
  g_assert_cmpint (sample.status, ==, 0);
  cli (&configure, "configure %s/jets.h5 --strategy Resource --reuse 4 --output %s/c.json", w, w);
  g_assert_cmpint (configure.status, ==, 0);
  cli (&before, "estimate %s/jets.h5 --config %s/c.json --json", w, w);
  g_assert_cmpint (before.status, ==, 0);
  first = json_of (&before);
  dsp_before = number (json_object_get_object_member (first, "total"), "dsp", "value");
  /* 4256 weights by fours, and what the softmax takes */
  g_assert_cmpfloat (dsp_before, >=, 1064);
  cli (&frontier, "frontier %s/jets.h5 --config %s/c.json --objective dsp --json --quiet", w, w);
  g_assert_cmpint (frontier.status, ==, 0);
  curve = json_of (&frontier);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (curve, "points")), >, 2);
  cli (&groups, "groups %s/jets.h5 --config %s/c.json --layer fc1 --json", w, w);
  g_assert_cmpint (groups.status, ==, 0);
  shared = json_of (&groups);
  cli (&prune, "prune %s/jets.h5 --data %s/jets.npz --config %s/c.json --objective dsp --tolerance 0.03 --output %s/p.espalier --json --quiet", w,
       w, w, w);
  g_assert_cmpint (prune.status, ==, 0);
  run = json_of (&prune);
  final = json_object_get_object_member (run, "final");
  dsp_after = json_object_get_double_member (json_object_get_object_member (final, "resources"), "dsp");
  g_assert_cmpfloat (dsp_after, <, 0.5 * dsp_before);
  cli (&after, "estimate %s/p.espalier --config %s/c.json --json", w, w);
  g_assert_cmpint (after.status, ==, 0);
  last = json_of (&after);
  g_assert_cmpfloat (number (json_object_get_object_member (last, "total"), "dsp", "value"), ==, dsp_after);
  cli (&emit, "emit %s/p.espalier --config %s/c.json --backend vitis --output %s/hls", w, w, w);
  g_assert_cmpint (emit.status, ==, 0);
  cli (&build, "build %s/hls --csim --quiet", w);
  g_assert_cmpint (build.status, ==, 0);
  cli (&export, "export %s/p.espalier --model %s/out.h5", w, w);
  g_assert_cmpint (export.status, ==, 0);
  cli (&keras, "inspect %s/out.h5 --json", w);
  g_assert_cmpint (keras.status, ==, 0);
}

/* A network's own file in another form, which says the same of itself. */
static void
test_export_model (void)
{
  g_autofree char *folder = test_folder ();
  g_auto (Run) sample = { 0 }, saved = { 0 }, before = { 0 }, after = { 0 }, refused = { 0 };
  g_autoptr (JsonObject) a = NULL, b = NULL;

  cli (&sample, "sample jets --output %s --jets 1000 --epochs 1 --quiet", folder);
  cli (&saved, "export %s/jets.h5 --model %s/jets.onnx", folder, folder);
  g_assert_cmpint (saved.status, ==, 0);
  cli (&before, "inspect %s/jets.h5 --json", folder);
  cli (&after, "inspect %s/jets.onnx --json", folder);
  g_assert_cmpint (after.status, ==, 0);
  a = json_of (&before);
  b = json_of (&after);
  g_assert_cmpint (json_object_get_int_member (a, "parameters"), ==, json_object_get_int_member (b, "parameters"));
  cli (&refused, "export %s/jets.h5 --model %s/jets.pb", folder, folder);
  g_assert_cmpint (refused.status, ==, 1);
  assert_says (refused.err, ".onnx");
  remove_folder (folder);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/usage", test_usage);
  g_test_add_func ("/cli/help", test_help);
  g_test_add_func ("/cli/bad-files", test_bad_files);
  g_test_add_func ("/cli/sample", test_sample);
  g_test_add_func ("/cli/configure", test_configure);
  g_test_add_func ("/cli/project-settings", test_project_settings);
  g_test_add_func ("/cli/whole-way", test_whole_way);
  g_test_add_func ("/cli/export-model", test_export_model);
  g_test_add_func ("/cli/train", test_train);
  g_test_add_func ("/cli/train-types", test_train_types);
  return g_test_run ();
}

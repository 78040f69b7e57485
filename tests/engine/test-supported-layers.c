/* SPDX-License-Identifier: GPL-3.0-or-later */
/* docs/supported-layers.md, made from the table of operators and from the readers' own lists, so that it cannot drift.
 * With --write FILE it writes the page; as a test it compares. */

#include "nn-keras.h"
#include "nn-ops.h"
#include "nn-onnx.h"
#include "nn-pytorch.h"
#include "nn-tflite.h"
#include "test-shared.h"

#include <string.h>

static const char *const families[] = {
  [NN_OP_CLASS_DATA] = "data",          [NN_OP_CLASS_MULTIPLY] = "multiplies", [NN_OP_CLASS_NORM] = "normalises",
  [NN_OP_CLASS_ACTIVATION] = "activation", [NN_OP_CLASS_POOL] = "pools",       [NN_OP_CLASS_MERGE] = "merges",
  [NN_OP_CLASS_SHAPE] = "moves data",   [NN_OP_CLASS_RECURRENT] = "recurrent", [NN_OP_CLASS_OTHER] = "other",
};

static void
append_names (GString            *text,
              const char *const  *names)
{
  for (guint i = 0; names[i] != NULL; i++)
    g_string_append_printf (text, "%s`%s`", i > 0 ? ", " : "", names[i]);
  g_string_append (text, "\n\n");
}

static char *
page (void)
{
  g_autoptr (GString) text = g_string_new ("# Supported layers\n\n"
                                           "This page is made from the program's own tables by "
                                           "`tests/engine/test-supported-layers.c`; a test compares.\n\n"
                                           "A layer that is not here is shown in the graph under its own name with the "
                                           "reason; everything that does not need it goes on working.\n\n"
                                           "## Keras 1, 2 and 3, QKeras, HGQ\n\n");
  g_auto (GStrv) keras = nn_keras_class_names ();
  g_auto (GStrv) onnx = nn_onnx_type_names ();
  g_auto (GStrv) tflite = nn_tflite_op_names ();
  g_auto (GStrv) pytorch = nn_pytorch_class_names ();

  append_names (text, (const char *const *) keras);
  g_string_append (text, "## ONNX and QONNX\n\n");
  append_names (text, (const char *const *) onnx);
  g_string_append (text, "## TensorFlow Lite\n\n");
  append_names (text, (const char *const *) tflite);
  g_string_append (text, "## PyTorch\n\nIn a pickled `nn.Sequential`; every other module by way of ONNX.\n\n");
  append_names (text, (const char *const *) pytorch);
  g_string_append (text, "## Operators\n\nWhat all of them become.\n\n| operator | family | inputs | weights | prunable |\n"
                         "|---|---|---|---|---|\n");
  for (guint op = NN_OP_UNSUPPORTED + 1; op < NN_N_OPS; op++)
    {
      const NnOpInfo *info = nn_op_info (op);

      g_string_append_printf (text, "| %s | %s | %u", info->name, families[info->op_class], info->min_inputs);
      if (info->max_inputs == G_MAXUINT)
        g_string_append (text, " or more");
      else if (info->max_inputs != info->min_inputs)
        g_string_append_printf (text, " to %u", info->max_inputs);
      g_string_append_printf (text, " | %s | %s |\n", info->has_weights ? "yes" : "no", nn_op_is_prunable (op) ? "yes" : "no");
    }
  g_string_append (text, "\n## Activations\n\n");
  for (guint act = 0; act < NN_N_ACTS; act++)
    g_string_append_printf (text, "%s`%s`", act > 0 ? ", " : "", nn_act_name (act));
  g_string_append (text, "\n");
  return g_strdup (text->str);
}

static void
test_page (void)
{
  g_autofree char *path = g_build_filename (g_test_get_dir (G_TEST_DIST), "..", "docs", "supported-layers.md", NULL);
  g_autofree char *is = NULL, *should = page ();

  if (!g_file_get_contents (path, &is, NULL, NULL) || !g_str_equal (is, should))
    {
      g_test_message ("write it anew: test-supported-layers --write docs/supported-layers.md");
      g_test_fail ();
    }
}

int
main (int    argc,
      char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--write"))
    {
      g_autofree char *text = page ();

      return g_file_set_contents (argv[2], text, -1, NULL) ? 0 : 1;
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/docs/supported-layers", test_page);
  return g_test_run ();
}

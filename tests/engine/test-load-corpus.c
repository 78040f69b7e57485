/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every real network opens; what no reader has stands in the graph by name. */

#include "nn-error.h"
#include "nn-load.h"
#include "test-shared.h"

#include <string.h>

static const char *const folders[] = { "attention", "custom",     "hgq",    "json_weights", "keras3_zip", "keras_h5",
                                       "micro",     "mlperf_tiny", "onnx", "other",        "qkeras",     "rnn" };

/* Every layer of every file has a reader. */
static void
check_file (const char *path,
            const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (model)); i++)
    {
      const NnNode *node = nn_graph_node (nn_model_graph (model), i);

      if (node->op == NN_OP_UNSUPPORTED)
        g_error ("%s: layer \"%s\" is not supported: %s", name, node->name, node->reason);
    }
}

static void
test_folder_of (gconstpointer data)
{
  g_autofree char *relative = g_strdup_printf ("models/%s", (const char *) data), *path = test_shared_path (relative);
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (path == NULL)
    return;
  dir = g_dir_open (path, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      if (g_str_has_suffix (name, ".yml") || (g_str_equal (data, "json_weights") && !g_str_has_suffix (name, ".json")))
        continue;
      check_file (file, name);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *name = g_strdup_printf ("/load/corpus/%s", folders[i]);

      g_test_add_data_func (name, folders[i], test_folder_of);
    }
  return g_test_run ();
}

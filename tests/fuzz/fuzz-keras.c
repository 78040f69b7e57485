/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras's description of a network, read against an HDF5 file that has the weights of a small one. */

#include "fuzz-model.h"

#include <glib/gstdio.h>

/* Weights of a layer called "a": of a kernel (3, 2), a bias (2), and what else layers ask for. */
static NnH5 *
weights (void)
{
  static const char *const names[] = { "a/kernel:0", "a/bias:0", "a/gamma:0", "a/moving_mean:0", "a/bits:0", NULL };
  static const char *const layers[] = { "a", NULL };
  g_autofree char *folder = g_dir_make_tmp ("espalier-fuzz-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "w.h5", NULL);
  NnH5 *h5 = nn_h5_create (path, NULL);
  gboolean ok = h5 != NULL && nn_h5_put_group (h5, "a", NULL) && nn_h5_put_strings (h5, "", "layer_names", layers, NULL) &&
                nn_h5_put_strings (h5, "a", "weight_names", names, NULL);

  for (guint i = 0; ok && names[i] != NULL; i++)
    {
      g_autofree char *at = g_strconcat ("a/", names[i], NULL);
      g_autoptr (NnTensor) tensor = i == 0 ? nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (3, 2))
                                           : nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (2));

      ok = nn_h5_put (h5, at, tensor, NULL);
    }
  ok = ok && nn_h5_finish (h5, NULL);
  g_assert_true (ok);
  nn_h5_close (h5);
  h5 = nn_h5_open (path, NULL);
  g_unlink (path);
  g_rmdir (folder);
  g_assert_nonnull (h5);
  return h5;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  static NnH5 *h5;
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) json = nn_json_parse (text, -1, "fuzz.json", &error);
  NnLoadOptions options;

  if (h5 == NULL)
    h5 = weights ();
  if (json == NULL)
    return 0;
  nn_load_options_init (&options);
  return fuzz_model (nn_keras_load ("fuzz.json", json, "2.11", "JSON", h5, "", FALSE, &options, NULL, NULL, &error), &error);
}

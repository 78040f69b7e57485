/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Keras 2 file of a few layers between two inputs of four numbers, made on the spot. */

#pragma once

#include "test-keras-zip.h"

static const float x8[] = { 0.3f, -1.07f, 5, -9, 0.06f, 0.19f, -0.7f, 2 };

/* Layers in JSON between inputs "a" and "b" of 4 numbers; their variables below model_weights, put by @fill. */
static inline NnModel *
load_h5 (const char *layers,
         const char *output,
         void      (*fill) (NnH5 *h5),
         GError    **error)
{
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "odd.h5", NULL);
  g_autofree char *config = g_strdup_printf (
      "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": ["
      "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], \"name\": \"a\"}, \"name\": \"a\", \"inbound_nodes\": []}, "
      "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], \"name\": \"b\"}, \"name\": \"b\", \"inbound_nodes\": []}, "
      "%s], \"input_layers\": [[\"a\", 0, 0], [\"b\", 0, 0]], \"output_layers\": [[\"%s\", 0, 0]]}}",
      layers, output);
  NnH5 *h5 = nn_h5_create (path, NULL);
  NnModel *model;

  g_assert_true (nn_h5_put_string (h5, "", "keras_version", "2.11.0", NULL));
  g_assert_true (nn_h5_put_string (h5, "", "model_config", config, NULL));
  g_assert_true (nn_h5_put_group (h5, "model_weights", NULL));
  if (fill != NULL)
    fill (h5);
  g_assert_true (nn_h5_finish (h5, NULL));
  nn_h5_close (h5);
  model = nn_model_load (path, NULL, NULL, NULL, error);
  g_unlink (path);
  g_rmdir (folder);
  return model;
}

static const float kernel8[] = { 0.5f, -1, 0.25f, 0.7f, 1, 0.1f, -0.3f, 0.9f }, bias2[] = { 0.2f, -0.6f };

static inline void
put_dense (NnH5       *h5,
           const char *layer,
           const char *below,
           gint64      n_in)
{
  const char *const names[] = { "kernel", "bias" };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *group = g_strdup_printf ("model_weights/%s", layer);

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s/%s:0", group, below, names[i]);

      put_shaped (h5, path, i == 0 ? kernel8 : bias2, i == 0 ? &NN_SHAPE (n_in, 2) : &NN_SHAPE (2));
      g_ptr_array_add (list, g_strdup_printf ("%s/%s:0", below, names[i]));
    }
  g_ptr_array_add (list, NULL);
  g_assert_true (nn_h5_put_strings (h5, group, "weight_names", (const char *const *) list->pdata, NULL));
}


/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Keras 3 file of one layer, made on the spot, and what it computes. */

#pragma once

#include "nn-error.h"
#include "nn-exec.h"
#include "nn-h5.h"
#include "nn-load.h"

#include "test-shared.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* "kif" with k = 1, i = 2, f = 3, saturating, half up: multiples of 1/8 from -4 to 4 - 1/8. */
#define KIF "{\"class_name\": \"QuantizerConfig\", \"config\": {\"q_type\": \"kif\", \"round_mode\": \"RND\", \"overflow_mode\": \"SAT\"}}"

static inline double
quantized (double x)
{
  return CLAMP (floor (x * 8 + 0.5) / 8, -4, 4 - 0.125);
}

static inline void
put_shaped (NnH5          *h5,
            const char    *path,
            const float   *values,
            const NnShape *shape)
{
  g_autoptr (NnTensor) tensor = nn_tensor_new (NN_DTYPE_F32, shape);
  g_autoptr (GError) error = NULL;

  memcpy (tensor->data, values, tensor->n * sizeof (float));
  g_assert_true (nn_h5_put (h5, path, tensor, &error));
  g_assert_no_error (error);
}

static inline void
put (NnH5         *h5,
     const char   *path,
     const float  *values,
     gint64        n)
{
  put_shaped (h5, path, values, n > 0 ? &NN_SHAPE (n) : &(NnShape){ 0 });
}

/* i, f, k of a saturating kif quantiser. */
static inline void
put_kif (NnH5       *h5,
         const char *group)
{
  static const float numbers[] = { 2, 3, 1 };

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/vars/%u", group, i);

      put (h5, path, &numbers[i], 0);
    }
}

static inline void
put_entry (struct archive *zip,
           const char     *name,
           const char     *bytes,
           gsize           n)
{
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, name);
  archive_entry_set_size (entry, (la_int64_t) n);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  g_assert_cmpint (archive_write_header (zip, entry), ==, ARCHIVE_OK);
  g_assert_cmpint (archive_write_data (zip, bytes, n), ==, (la_ssize_t) n);
  archive_entry_free (entry);
}

static const char *package G_GNUC_UNUSED = "hgq";

/* One layer after its inputs, whose shapes are told by "4", or one by one by "3, 4|1"; @fill puts its variables below layers/<snake>. */
static inline NnModel *
load_layer (const char *class_name,
            const char *config,
            guint       n_inputs,
            const char *shape,
            void      (*fill) (NnH5 *h5))
{
  g_autofree char *folder = test_folder (), *h5_path = g_build_filename (folder, "model.weights.h5", NULL);
  g_autofree char *path = g_build_filename (folder, "model.keras", NULL), *bytes = NULL;
  g_autoptr (GString) text = g_string_new ("{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [");
  g_autoptr (GString) inputs = g_string_new (NULL), tensors = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  NnH5 *h5 = nn_h5_create (h5_path, &error);
  struct archive *zip = archive_write_new ();
  g_auto (GStrv) shapes = g_strsplit (shape, "|", -1);
  NnModel *model;
  gsize n;

  g_assert_no_error (error);
  fill (h5);
  g_assert_true (nn_h5_finish (h5, &error));
  nn_h5_close (h5);
  for (guint i = 0; i < n_inputs; i++)
    {
      g_string_append_printf (text,
                              "{\"class_name\": \"InputLayer\", \"name\": \"in%u\", \"inbound_nodes\": [], \"config\": {\"name\": \"in%u\", \"batch_shape\": [null, %s]}}, ",
                              i, i, shapes[MIN (i, g_strv_length (shapes) - 1)]);
      g_string_append_printf (inputs, "%s[\"in%u\", 0, 0]", i > 0 ? ", " : "", i);
      g_string_append_printf (tensors, "%s{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"in%u\", 0, 0]}}",
                              i > 0 ? ", " : "", i);
    }
  g_string_append_printf (text,
                          "{\"class_name\": \"%s\", \"registered_name\": \"%s>%s\", \"name\": \"q\", \"config\": {\"name\": \"q\"%s}, "
                          "\"inbound_nodes\": [{\"args\": [%s%s%s], \"kwargs\": {}}]}], \"input_layers\": [%s], "
                          "\"output_layers\": [[\"q\", 0, 0]]}}",
                          class_name, package, class_name, config, n_inputs > 1 ? "[" : "", tensors->str, n_inputs > 1 ? "]" : "", inputs->str);
  archive_write_set_format_zip (zip);
  g_assert_cmpint (archive_write_open_filename (zip, path), ==, ARCHIVE_OK);
  put_entry (zip, "metadata.json", "{\"keras_version\": \"3.12.1\"}", strlen ("{\"keras_version\": \"3.12.1\"}"));
  put_entry (zip, "config.json", text->str, text->len);
  g_assert_true (g_file_get_contents (h5_path, &bytes, &n, NULL));
  put_entry (zip, "model.weights.h5", bytes, n);
  g_assert_cmpint (archive_write_close (zip), ==, ARCHIVE_OK);
  archive_write_free (zip);
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_unlink (h5_path);
  g_unlink (path);
  g_rmdir (folder);
  return model;
}

static inline void
compare (NnModel      *model,
         const float  *x,
         const NnShape *shape,
         const double *want,
         gsize         n)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  g_autoptr (GError) error = NULL;
  NnTensor **outputs;
  guint n_inputs;

  nn_graph_inputs (nn_model_graph (model), &n_inputs);
  for (guint i = 0; i < n_inputs; i++)
    {
      NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, shape);

      memcpy (tensor->data, x + i * tensor->n, tensor->n * sizeof (float));
      g_ptr_array_add (inputs, tensor);
    }
  g_ptr_array_add (inputs, NULL);
  outputs = nn_predict (model, (NnTensor **) inputs->pdata, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (outputs[0]->n, ==, n);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_get (outputs[0], i), want[i], 1e-6);
  nn_tensors_free (outputs);
  nn_model_unref (model);
}

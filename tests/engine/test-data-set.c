/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: data sets from tensors and files. */

#include "nn-dataset.h"

#include "nn-error.h"

#include "test-shared.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <hdf5.h>
#include <math.h>
#include <string.h>

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* n rows of 3 features; the class is the row modulo 3 */
static void
toy (gsize      n,
     NnTensor **x,
     NnTensor **y)
{
  *x = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n, 3));
  *y = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE ((gint64) n));
  for (gsize i = 0; i < n; i++)
    {
      for (guint k = 0; k < 3; k++)
        nn_tensor_f32 (*x)[3 * i + k] = k == 2 ? 5 : i * (k + 1.0);
      ((gint64 *) (*y)->data)[i] = i % 3;
    }
}

static void
write_npz (const char        *path,
           const char *const *names,
           NnTensor *const   *tensors,
           gboolean           deflate)
{
  struct archive *zip = archive_write_new ();

  archive_write_set_format_zip (zip);
  archive_write_set_options (zip, deflate ? "zip:compression=deflate" : "zip:compression=store");
  g_assert_cmpint (archive_write_open_filename (zip, path), ==, ARCHIVE_OK);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *npy = in_folder ("member.npy"), *member = g_strconcat (names[i], ".npy", NULL), *bytes = NULL;
      struct archive_entry *entry = archive_entry_new ();
      gsize n;

      g_assert_true (nn_npy_write (tensors[i], npy, NULL));
      g_assert_true (g_file_get_contents (npy, &bytes, &n, NULL));
      g_unlink (npy);
      archive_entry_set_pathname (entry, member);
      archive_entry_set_size (entry, n);
      archive_entry_set_filetype (entry, AE_IFREG);
      archive_entry_set_perm (entry, 0644);
      g_assert_cmpint (archive_write_header (zip, entry), ==, ARCHIVE_OK);
      g_assert_cmpint (archive_write_data (zip, bytes, n), ==, n);
      archive_entry_free (entry);
    }
  g_assert_cmpint (archive_write_close (zip), ==, ARCHIVE_OK);
  archive_write_free (zip);
}

static void
write_hdf5 (const char        *path,
            const char *const *names,
            NnTensor *const   *tensors,
            gboolean           chunked)
{
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

  for (guint i = 0; names[i] != NULL; i++)
    {
      hsize_t dims[NN_MAX_RANK], chunk[NN_MAX_RANK];
      hid_t plist = H5Pcreate (H5P_DATASET_CREATE), space, set;
      hid_t type = tensors[i]->dtype == NN_DTYPE_I64 ? H5T_NATIVE_INT64 : H5T_NATIVE_FLOAT;

      for (guint d = 0; d < tensors[i]->shape.rank; d++)
        {
          dims[d] = tensors[i]->shape.dims[d];
          chunk[d] = MIN (dims[d], 7);
        }
      space = H5Screate_simple (tensors[i]->shape.rank, dims, NULL);
      if (chunked)
        {
          H5Pset_chunk (plist, tensors[i]->shape.rank, chunk);
          H5Pset_shuffle (plist);
          H5Pset_deflate (plist, 4);
        }
      set = H5Dcreate2 (file, names[i], type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
      g_assert_cmpint (H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensors[i]->data), >=, 0);
      H5Dclose (set);
      H5Sclose (space);
      H5Pclose (plist);
    }
  H5Fclose (file);
}

static void
test_split (void)
{
  g_autoptr (NnTensor) x = NULL, y = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) data = NULL, again = NULL, other = NULL;
  NnDataOptions options;
  gsize counts[3] = { 0 };
  float last = -1;

  toy (300, &x, &y);
  nn_data_options_init (&options);
  data = nn_dataset_new (x, y, NULL, &options, &error);
  g_assert_no_error (error);
  g_assert_true (nn_dataset_is_classes (data));
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_TRAIN), ==, 240);
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_VALIDATION), ==, 60);
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_TEST), ==, 0);
  for (gsize i = 0; i < 60; i++)
    {
      const float *hot = nn_tensor_f32 (nn_dataset_y (data, NN_SPLIT_VALIDATION)) + 3 * i;
      float row = nn_tensor_f32 (nn_dataset_x (data, NN_SPLIT_VALIDATION))[3 * i];

      g_assert_cmpfloat (row, >, last); /* rows keep their order */
      last = row;
      g_assert_cmpfloat (hot[0] + hot[1] + hot[2], ==, 1);
      g_assert_cmpfloat (hot[(gsize) row % 3], ==, 1); /* inputs and targets stay together */
      counts[(gsize) row % 3]++;
    }
  for (guint c = 0; c < 3; c++)
    g_assert_cmpuint (counts[c], ==, 20); /* stratified */
  again = nn_dataset_new (x, y, NULL, &options, &error);
  g_assert_cmpmem (nn_dataset_x (data, NN_SPLIT_VALIDATION)->data, 60 * 12,
                   nn_dataset_x (again, NN_SPLIT_VALIDATION)->data, 60 * 12);
  g_assert_cmpstr (nn_dataset_hash (data), ==, nn_dataset_hash (again));
  options.seed = 2;
  other = nn_dataset_new (x, y, NULL, &options, &error);
  g_assert_cmpint (memcmp (nn_dataset_x (data, NN_SPLIT_VALIDATION)->data,
                           nn_dataset_x (other, NN_SPLIT_VALIDATION)->data, 60 * 12), !=, 0);
}

static void
test_standardize (void)
{
  g_autoptr (NnTensor) x = NULL, y = NULL, batch = NULL, targets = NULL;
  g_autoptr (NnDataset) data = NULL;
  NnDataOptions options;
  NnTensor *train;
  double mean = 0, square = 0;

  toy (300, &x, &y);
  nn_data_options_init (&options);
  options.standardize = TRUE;
  data = nn_dataset_new (x, y, NULL, &options, NULL);
  train = nn_dataset_x (data, NN_SPLIT_TRAIN);
  for (gsize i = 0; i < 240; i++)
    {
      mean += nn_tensor_f32 (train)[3 * i + 1] / 240;
      square += nn_tensor_f32 (train)[3 * i + 1] * nn_tensor_f32 (train)[3 * i + 1] / 240;
      g_assert_cmpfloat (nn_tensor_f32 (train)[3 * i + 2], ==, 0); /* the constant feature */
    }
  g_assert_cmpfloat_with_epsilon (mean, 0, 1e-6);
  g_assert_cmpfloat_with_epsilon (square, 1, 1e-5);
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_mean (data), 2), ==, 5);
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_deviation (data), 2), ==, 1);
  nn_dataset_read_batch (data, NN_SPLIT_TRAIN, (guint32[]){ 3, 0 }, 0, 2, &batch, &targets);
  g_assert_cmpmem (batch->data, 12, nn_tensor_f32 (train) + 9, 12);
  g_assert_cmpmem ((float *) batch->data + 3, 12, nn_tensor_f32 (train), 12);
  g_assert_true (nn_shape_equal (&targets->shape, &NN_SHAPE (2, 3)));
}

/* The same numbers from every container and through the mapped file give the same data set. */
static void
test_containers (void)
{
  static const char *const names[] = { "X", "y", NULL };
  g_autoptr (NnTensor) x = NULL, y = NULL;
  g_autoptr (NnDataset) memory = NULL;
  g_autofree char *npz = in_folder ("a.npz"), *h5 = in_folder ("a.h5"), *nx = in_folder ("x.npy"), *ny = in_folder ("y.npy");
  g_autofree char *pair = g_strconcat (nx, ",", ny, NULL);
  const char *specs[] = { npz, npz, h5, h5, pair };
  NnDataOptions options;

  toy (300, &x, &y);
  nn_data_options_init (&options);
  memory = nn_dataset_new (x, y, NULL, &options, NULL);
  g_assert_true (nn_npy_write (x, nx, NULL));
  g_assert_true (nn_npy_write (y, ny, NULL));
  for (guint i = 0; i < 2 * G_N_ELEMENTS (specs); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDataset) data = NULL;

      if (i % G_N_ELEMENTS (specs) < 2)
        write_npz (npz, names, (NnTensor *[]){ x, y }, i % 2);
      else
        write_hdf5 (h5, names, (NnTensor *[]){ x, y }, i % 2);
      options.memory_limit = i < G_N_ELEMENTS (specs) ? 0 : 1; /* the second time all of it is mapped */
      data = nn_dataset_load (specs[i % G_N_ELEMENTS (specs)], &options, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (nn_dataset_hash (data), ==, nn_dataset_hash (memory));
      for (guint s = 0; s < NN_N_SPLITS; s++)
        {
          g_assert_cmpmem (nn_dataset_x (data, s)->data, nn_dataset_x (data, s)->n * 4, nn_dataset_x (memory, s)->data,
                           nn_dataset_x (memory, s)->n * 4);
          g_assert_cmpmem (nn_dataset_y (data, s)->data, nn_dataset_y (data, s)->n * 4, nn_dataset_y (memory, s)->data,
                           nn_dataset_y (memory, s)->n * 4);
        }
    }
  g_unlink (npz);
  g_unlink (h5);
  g_unlink (nx);
  g_unlink (ny);
}

/* Rows that are wanted as they lie in a .npy file are not copied, and are the same. */
static void
test_in_place (void)
{
  g_autoptr (NnTensor) x = NULL, y = NULL;
  g_autoptr (NnDataset) copied = NULL, mapped = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *nx = in_folder ("x.npy"), *ny = in_folder ("y.npy"), *pair = g_strconcat (nx, ",", ny, NULL);
  NnDataOptions options;
  NnTensor *all;

  toy (300, &x, &y);
  g_assert_true (nn_npy_write (x, nx, NULL));
  g_assert_true (nn_npy_write (y, ny, NULL));
  nn_data_options_init (&options);
  options.validation = 0;
  copied = nn_dataset_load (pair, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  options.memory_limit = 1;
  mapped = nn_dataset_load (pair, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  all = nn_dataset_x (mapped, NN_SPLIT_TRAIN);
  g_assert_cmpstr (nn_dataset_hash (mapped), ==, nn_dataset_hash (copied));
  nn_tensor_release (all, 0, all->n);
  g_assert_cmpmem (all->data, all->n * 4, nn_dataset_x (copied, NN_SPLIT_TRAIN)->data, all->n * 4);
  g_unlink (nx);
  g_unlink (ny);
}

static void
test_parts (void)
{
  static const char *const names[] = { "x_train", "y_train", "X_test", "Y_test", "odd", NULL };
  g_autoptr (NnTensor) x = NULL, y = NULL, x2 = NULL, y2 = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) data = NULL, chosen = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autofree char *npz = in_folder ("parts.npz");
  NnDataOptions options;

  toy (30, &x, &y);
  toy (12, &x2, &y2);
  write_npz (npz, names, (NnTensor *[]){ x, y, x2, y2, x }, TRUE);
  nn_data_options_init (&options);
  data = nn_dataset_load (npz, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_TRAIN), ==, 24);
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_VALIDATION), ==, 6);
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_TEST), ==, 12);
  list = nn_data_list (npz, NULL, NULL, &error);
  g_assert_cmpuint (list->len, ==, 5);
  g_assert_cmpstr (((NnDataEntry *) list->pdata[4])->name, ==, "odd");
  g_assert_true (nn_shape_equal (&((NnDataEntry *) list->pdata[4])->shape, &NN_SHAPE (30, 3)));
  options.x = "odd";
  options.y = "y_train";
  options.validation = 0;
  chosen = nn_dataset_load (npz, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_dataset_n (chosen, NN_SPLIT_TRAIN), ==, 30);
  options.x = "od";
  g_assert_null (nn_dataset_load (npz, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "did you mean \"odd\""));
  g_unlink (npz);
}

static void
test_targets (void)
{
  static const struct { NnShape shape; double values[6]; gboolean is_classes; gint64 width; } cases[] = {
    { { 2, { 3, 2 } }, { 1, 0, 0, 1, 0, 1 }, TRUE, 2 },
    { { 2, { 3, 2 } }, { 1, 0, 0, 1, 1, 1 }, FALSE, 2 },
    { { 2, { 3, 1 } }, { 0, 1, 1 }, TRUE, 2 },
    { { 1, { 3 } }, { 2, 0, 1 }, TRUE, 3 },
    { { 1, { 3 } }, { 2, 0.5, 1 }, FALSE, 1 },
    { { 1, { 3 } }, { 200, 100, 300 }, FALSE, 1 },
    { { 1, { 3 } }, { -1, 1, 1 }, FALSE, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnTensor) x = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (3, 2));
      g_autoptr (NnTensor) y = nn_tensor_new (NN_DTYPE_F64, &cases[i].shape), one = NULL;
      g_autoptr (NnDataset) data = NULL;
      NnDataOptions options;

      memcpy (y->data, cases[i].values, y->n * sizeof (double));
      nn_data_options_init (&options);
      options.validation = 0;
      data = nn_dataset_new (x, y, NULL, &options, &error);
      g_assert_no_error (error);
      g_assert_true (nn_dataset_is_classes (data) == cases[i].is_classes);
      g_assert_cmpint (nn_dataset_y (data, NN_SPLIT_TRAIN)->shape.dims[1], ==, cases[i].width);
      one = nn_dataset_targets (nn_dataset_y (data, NN_SPLIT_TRAIN), cases[i].is_classes, 1, &error);
      if (cases[i].width == 1 || (cases[i].is_classes && cases[i].width == 2))
        g_assert_cmpint (nn_tensor_row_size (one), ==, 1);
      else
        g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
    }
}

static void
test_bad (void)
{
  static const char *const names[] = { "a", "b", NULL };
  g_autoptr (NnTensor) x = NULL, y = NULL, few = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *npz = in_folder ("bad.npz"), *bytes = NULL, *empty = in_folder ("empty.npz");
  gsize n;
  NnDataOptions options;

  toy (30, &x, &y);
  few = nn_tensor_rows (y, 0, 20);
  nn_data_options_init (&options);
  g_assert_null (nn_dataset_new (x, few, NULL, &options, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (nn_dataset_new (x, y, (const char *const[]){ "one", "two", NULL }, &options, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
  g_clear_error (&error);
  write_npz (npz, names, (NnTensor *[]){ x, y }, TRUE);
  g_assert_null (nn_dataset_load (npz, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "a 30 × 3, b 30"));
  g_clear_error (&error);
  options.x = "a";
  options.y = "b";
  nn_tensor_f32 (x)[7] = NAN;
  g_assert_null (nn_dataset_new (x, y, NULL, &options, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "sample 3, feature 2"));
  /* cut at every place: an error or, in the directory at the end, nothing lost */
  g_assert_true (g_file_get_contents (npz, &bytes, &n, NULL));
  for (gsize cut = 0; cut < n; cut += 13)
    {
      g_autoptr (GError) cut_error = NULL;
      g_autoptr (NnDataset) data = NULL;

      g_assert_true (g_file_set_contents (npz, bytes, cut, NULL));
      data = nn_dataset_load (npz, &options, NULL, NULL, &cut_error);
      g_assert_true ((data != NULL) != (cut_error != NULL));
    }
  g_assert_true (g_file_set_contents (empty, "", 0, NULL));
  g_clear_error (&error);
  g_assert_null (nn_dataset_load (empty, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
  g_unlink (empty);
  g_unlink (npz);
}

static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (NnTensor) x = NULL, y = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *nx = in_folder ("x.npy"), *ny = in_folder ("y.npy"), *pair = g_strconcat (nx, ",", ny, NULL);

  toy (30, &x, &y);
  g_assert_true (nn_npy_write (x, nx, NULL));
  g_assert_true (nn_npy_write (y, ny, NULL));
  g_cancellable_cancel (cancellable);
  g_assert_null (nn_dataset_load (pair, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_unlink (nx);
  g_unlink (ny);
}

/* How data are read comes back from text, numbers small enough for an exponent among them; text of nobody's is none, or within bounds. */
static void
test_options (void)
{
  NnDataOptions options;
  NnDataOptions *back;
  g_autofree char *text = NULL;

  nn_data_options_init (&options);
  options.x = "a,\"b\"";
  options.label = "y";
  options.validation = 0.125;
  options.test = 1e-8;
  options.limit = 77;
  options.divide = 255;
  options.standardize = TRUE;
  text = nn_data_options_to_json (&options);
  back = nn_data_options_from_json (text);
  g_assert_cmpstr (back->x, ==, options.x);
  g_assert_null (back->y);
  g_assert_cmpstr (back->label, ==, "y");
  g_assert_cmpfloat (back->validation, ==, 0.125);
  g_assert_cmpfloat (back->test, ==, 1e-8);
  g_assert_cmpuint (back->limit, ==, 77);
  g_assert_cmpfloat (back->divide, ==, 255);
  g_assert_true (back->standardize);
  nn_data_options_free (back);
  back = nn_data_options_from_json ("{\"x\": 3, \"validation\": 7, \"test\": 1, \"divide\": -2, \"limit\": -1}");
  g_assert_null (back->x);
  g_assert_cmpfloat (back->validation + back->test, <, 1);
  g_assert_cmpfloat (back->divide, ==, 0);
  g_assert_cmpuint (back->limit, ==, 0);
  nn_data_options_free (back);
  g_assert_null (nn_data_options_from_json ("[]"));
  g_assert_null (nn_data_options_from_json (NULL));
}

int
main (int    argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = test_folder ();
  g_test_add_func ("/data/split", test_split);
  g_test_add_func ("/data/standardize", test_standardize);
  g_test_add_func ("/data/containers", test_containers);
  g_test_add_func ("/data/in-place", test_in_place);
  g_test_add_func ("/data/parts", test_parts);
  g_test_add_func ("/data/targets", test_targets);
  g_test_add_func ("/data/bad", test_bad);
  g_test_add_func ("/data/cancel", test_cancel);
  g_test_add_func ("/data/options", test_options);
  status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: tables, IDX and MATLAB files as data sets. */

#include "nn-dataset.h"
#include "nn-h5.h"
#include "nn-h5-lzf.h"

#include "nn-error.h"

#include "test-matlab.h"
#include "test-shared.h"

#include <glib/gstdio.h>
#define H5_USE_18_API 1
#include <hdf5.h>
#include <string.h>
#include <zlib.h>

static char *folder;

static char *
write_file (const char *name,
            const char *bytes,
            gssize      n)
{
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (folder, name, NULL);

  g_file_set_contents (path, bytes, n, &error);
  g_assert_no_error (error);
  return path;
}

static NnDataset *
load (const char *spec,
      const char *label,
      GError    **error)
{
  NnDataOptions options;

  nn_data_options_init (&options);
  options.validation = 0;
  options.label = label;
  return nn_dataset_load (spec, &options, NULL, NULL, error);
}

static void
test_csv (void)
{
  static const struct { const char *text; const char *label; } cases[] = {
    { "a,b,kind\n1,2.5,cat\n-3e2,4,dog\n5,6,cat\n", NULL },
    { "a;kind;b\r\n1;cat;2.5\r\n\r\n-3e2;dog;4\r\n5;cat;6", "kind" },
    { "\xef\xbb\xbf\"kind\"\ta\tb\n\"cat\"\t 1 \t2.5\ndog\t-300\t4\ncat\t5\t\"6\"\n", "kind" },
    { "a,b,kind\n1,2.5,\"cat\"\n\"-300\",4,dog\n5,6,cat\n", "kind" },
  };
  static const float x[] = { 1, 2.5f, -300, 4, 5, 6 }, y[] = { 1, 0, 0, 1, 1, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = write_file ("table.csv", cases[i].text, -1);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDataset) data = load (path, cases[i].label, &error);

      g_assert_no_error (error);
      g_assert_true (nn_dataset_is_classes (data));
      g_assert_cmpstr (nn_dataset_class_names (data)[0], ==, "cat");
      g_assert_cmpstr (nn_dataset_class_names (data)[1], ==, "dog");
      g_assert_true (nn_shape_equal (&nn_dataset_x (data, NN_SPLIT_TRAIN)->shape, &NN_SHAPE (3, 2)));
      g_assert_cmpmem (nn_dataset_x (data, NN_SPLIT_TRAIN)->data, sizeof x, x, sizeof x);
      g_assert_cmpmem (nn_dataset_y (data, NN_SPLIT_TRAIN)->data, sizeof y, y, sizeof y);
      g_unlink (path);
    }
}

static void
test_csv_columns (void)
{
  g_autofree char *path = write_file ("table.csv", "\"a \"\"1\"\"\",note,b,y\n1,\"x;\ny\",2,0.5\n3,z,4,1.5\n", -1);
  g_autoptr (GPtrArray) list = nn_data_list (path, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) data = NULL;
  NnDataOptions options;

  g_assert_cmpuint (list->len, ==, 4);
  g_assert_cmpstr (((NnDataEntry *) list->pdata[0])->name, ==, "a \"1\"");
  g_assert_cmpstr (((NnDataEntry *) list->pdata[1])->type, ==, "text");
  g_assert_cmpstr (((NnDataEntry *) list->pdata[2])->type, ==, "number");
  g_assert_cmpint (((NnDataEntry *) list->pdata[2])->shape.dims[0], ==, 2);
  /* text cannot be an input */
  g_assert_null (load (path, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "line 2, column \"note\""));
  g_clear_error (&error);
  nn_data_options_init (&options);
  options.x = "b,a \"1\"";
  options.validation = 0;
  data = nn_dataset_load (path, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (nn_dataset_is_classes (data));
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_x (data, NN_SPLIT_TRAIN), 0), ==, 2);
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_x (data, NN_SPLIT_TRAIN), 1), ==, 1);
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_y (data, NN_SPLIT_TRAIN), 1), ==, 1.5);
  g_unlink (path);
}

/* Without a header columns are counted; remarks and blanks; names that are numbers. */
static void
test_csv_headers (void)
{
  static const struct { const char *text; const char *first; guint n_rows; } cases[] = {
    { "5.1,3.5,cat\n4.9,3,dog\n", "column_1", 2 },   { "1;2;0\n3;4;1\n5;6;0\n", "column_1", 3 },
    { "# made by hand\na,b,c\n#1,2,3\n1,2,x\n", "a", 1 }, { "1.5  2.5 0\n3.5 4.5  1\n", "column_1", 2 },
    { "0,1,2,y\n7,8,9,0\n7,8,9,1\n", "0", 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = write_file ("head.csv", cases[i].text, -1);
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) list = nn_data_list (path, NULL, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (((NnDataEntry *) list->pdata[0])->name, ==, cases[i].first);
      g_assert_cmpint (((NnDataEntry *) list->pdata[0])->shape.dims[0], ==, cases[i].n_rows);
      g_unlink (path);
    }
}

/* Literals, a copy that overlaps itself, a long copy; and what is damaged. */
static void
test_lzf (void)
{
  static const guint8 packed[] = { 2, 'a', 'b', 'c', 2 << 5, 2, 7 << 5, 3, 0 };
  guint8 to[64];
  gsize n = nn_lzf_unpack (packed, 6, to, sizeof to);

  g_assert_cmpmem (to, n, "abcabca", 7);
  n = nn_lzf_unpack (packed, sizeof packed, to, sizeof to);
  g_assert_cmpmem (to, n, "abcabcaaaaaaaaaaaaa", 19);
  g_assert_cmpuint (nn_lzf_unpack (packed, 3, to, sizeof to), ==, 0);
  g_assert_cmpuint (nn_lzf_unpack (packed, sizeof packed, to, 8), ==, 0);
  g_assert_cmpuint (nn_lzf_unpack ((const guint8[]){ 1 << 5, 0 }, 2, to, sizeof to), ==, 0);
}

/* Decimal commas where something else separates; the same numbers whatever it is. */
static void
test_csv_decimal (void)
{
  static const char *const texts[] = {
    "1,5;2,5;cat\n-300;4;dog\n", "a;b;kind\n1,5;2.5;cat\n-3e2;4,0;dog\n", "1,5\t2,5\tcat\n-300,0\t4\tdog\n",
    "\xef\xbb\xbf\"a\";\"b\";\"kind\"\r\n\"1,5\";2,5;cat\r\n-300;4;dog\r\n", "1,5 2,5 cat\n-300,0 4 dog\n",
  };
  static const float x[] = { 1.5f, 2.5f, -300, 4 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *path = write_file ("comma.csv", texts[i], -1);
      g_autoptr (NnDataset) data = load (path, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpmem (nn_dataset_x (data, NN_SPLIT_TRAIN)->data, sizeof x, x, sizeof x);
      g_unlink (path);
    }
  {
    g_autofree char *path = write_file ("comma.csv", "a;kind\n1.234,5;cat\n2;dog\n", -1);

    g_assert_null (load (path, NULL, &error));
    g_assert_nonnull (strstr (error->message, "line 2, column \"a\": \"1.234,5\" is no number"));
    g_unlink (path);
  }
}

static void
put_matrix (GByteArray    *file,
            const char    *name,
            const gint32  *dims,
            guint          rank,
            const double  *values,
            guint          n)
{
  g_autoptr (GByteArray) inner = g_byte_array_new ();
  const guint32 flags[2] = { 6, 0 };

  test_matlab_put (inner, 6, flags, sizeof flags);
  test_matlab_put (inner, 5, dims, rank * sizeof *dims);
  test_matlab_put (inner, 1, name, strlen (name));
  test_matlab_put (inner, 9, values, n * sizeof *values);
  test_matlab_put (file, 14, inner->data, inner->len);
}

/* Pictures whose samples are counted by the last axis, and one sample a column. */
static void
test_matlab_turned (void)
{
  static const gint32 pictures[] = { 2, 3, 4 }, columns[] = { 6, 4 }, labels[] = { 1, 4 };
  static const double y[] = { 0, 1, 1, 0 };
  double x[24];

  for (guint i = 0; i < 24; i++)
    x[i] = i;
  for (guint k = 0; k < 2; k++)
    {
      g_autoptr (GByteArray) file = g_byte_array_new ();
      g_autofree char *path = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDataset) data = NULL;
      char header[128];

      memset (header, ' ', sizeof header);
      memcpy (header, "MATLAB 5.0 MAT-file", 19);
      memcpy (header + 124, "\0\1IM", 4);
      g_byte_array_append (file, (const guint8 *) header, sizeof header);
      put_matrix (file, "X", k == 0 ? pictures : columns, k == 0 ? 3 : 2, x, 24);
      put_matrix (file, "y", labels, 2, y, 4);
      path = write_file ("turned.mat", (const char *) file->data, file->len);
      data = load (path, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (nn_dataset_n (data, NN_SPLIT_TRAIN), ==, 4);
      g_assert_true (nn_shape_equal (&nn_dataset_x (data, NN_SPLIT_TRAIN)->shape, k == 0 ? &NN_SHAPE (4, 2, 3) : &NN_SHAPE (4, 6)));
      /* sample 1, row 1, column 2 of the picture is at 1 + 2 * 2 + 6 */
      g_assert_cmpfloat (nn_tensor_get (nn_dataset_x (data, NN_SPLIT_TRAIN), k == 0 ? 6 + 1 * 3 + 2 : 6 + 5), ==, 11);
      g_assert_cmpfloat (nn_tensor_get (nn_dataset_y (data, NN_SPLIT_TRAIN), 3), ==, 1);
      g_unlink (path);
    }
}

typedef struct {
  float  v[2];
  gint32 kind;
  double more;
  char   word[4];
} Record;

/* A table of records in HDF5: its numbers side by side, single fields, and the label out of the same table. */
static void
test_hdf5_records (void)
{
  static const Record records[] = { { { 1, 2 }, 0, 3, "one" }, { { 4, 5 }, 1, 6, "two" } };
  static const struct { const char *x; const char *y; gint64 width; float last; } cases[] = {
    { "t", "t.kind", 3, 6 }, { "t.v", "t.word", 2, 5 }, { "t.more,kind", "t.word", 2, 1 }, { "t.v", "t.kind", 2, 5 },
  };
  g_autofree char *path = g_build_filename (folder, "records.h5", NULL);
  const hsize_t n[] = { 2 }, wide[] = { 2 };
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), type = H5Tcreate (H5T_COMPOUND, sizeof (Record));
  hid_t pair = H5Tarray_create2 (H5T_NATIVE_FLOAT, 1, wide), word = H5Tcopy (H5T_C_S1), space = H5Screate_simple (1, n, NULL), set;
  g_autoptr (GError) error = NULL;
  NnDataOptions options;

  H5Tset_size (word, 4);
  H5Tinsert (type, "v", HOFFSET (Record, v), pair);
  H5Tinsert (type, "kind", HOFFSET (Record, kind), H5T_NATIVE_INT32);
  H5Tinsert (type, "more", HOFFSET (Record, more), H5T_NATIVE_DOUBLE);
  H5Tinsert (type, "word", HOFFSET (Record, word), word);
  set = H5Dcreate2 (file, "t", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint (H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, records), >=, 0);
  H5Dclose (set);
  H5Sclose (space);
  H5Tclose (word);
  H5Tclose (pair);
  H5Tclose (type);
  H5Fclose (file);
  nn_data_options_init (&options);
  options.validation = 0;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (NnDataset) data = NULL;
      NnTensor *x;

      options.x = cases[i].x;
      options.y = cases[i].y;
      data = nn_dataset_load (path, &options, NULL, NULL, &error);
      g_assert_no_error (error);
      x = nn_dataset_x (data, NN_SPLIT_TRAIN);
      g_assert_true (nn_shape_equal (&x->shape, &NN_SHAPE (2, cases[i].width)));
      g_assert_cmpfloat (nn_tensor_get (x, x->n - 1), ==, cases[i].last);
      g_assert_true (nn_dataset_is_classes (data));
    }
  options.x = "t.nothing,more";
  g_assert_null (nn_dataset_load (path, &options, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "t.word 2"));
  g_unlink (path);
}

/* A heap, or a group, that points out of the file is an error; the library alone would end the program. */
static void
test_hdf5_heap (gconstpointer which)
{
  static const char group[] = "\x11\0\x10";
  gboolean of_group = GPOINTER_TO_UINT (which);
  g_autofree char *path = g_build_filename (folder, "heap.h5", NULL), *bytes = NULL;
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  g_autoptr (GError) error = NULL;
  char *heap;
  gsize n;

  H5Gclose (H5Gcreate2 (file, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Fclose (file);
  g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  g_assert_true (nn_h5_check_image ((const guint8 *) bytes, n));
  g_assert_true (nn_h5_check_file (path));
  heap = of_group ? memmem (bytes, n, group, sizeof group) : memmem (bytes, n, "HEAP", 4);
  g_assert_nonnull (heap);
  memset (heap + (of_group ? 16 : 24), 0xff, 8); /* the address of the group's heap, or of its data */
  g_assert_true (g_file_set_contents (path, bytes, (gssize) n, NULL));
  g_assert_false (nn_h5_check_image ((const guint8 *) bytes, n));
  g_assert_null (nn_data_list (path, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "not a readable HDF5 file"));
  g_unlink (path);
}

/* Looked at again and again while it is read: a table can be given up at once. */
static void
test_csv_cancelled (void)
{
  g_autofree char *path = write_file ("table.csv", "a,b\n1,0\n2,1\n", -1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (nn_data_list (path, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_unlink (path);
}

static void
test_csv_bad (void)
{
  static const struct { const char *text; const char *label; const char *says; } cases[] = {
    { "a,b\n1,0\n2,\n", "a", "line 3, column \"b\": a value is missing" },
    { "a,b\n1,0\nNA,1\n", "b", "line 3, column \"a\": a value is missing" },
    { "a,b\n1,0\n,1\n", "b", "line 3, column \"a\": a value is missing" },
    { "a,b\n1,0\n2\n", "b", "line 3: 1 values, but the first line has 2 columns" },
    { "a,b\n1,0\n2,\"x\n3,4\n", "b", "line 3: a quotation mark is not closed" },
    { "\n\n", NULL, "the table is empty" },
    { "a,b\n1,0\nred,1\n", "b", "\"red\" is no number" },
    { "a,kind\n1,x\n2,y\n", "kin", "did you mean \"kind\"" },
    { "kind\nx\ny\n", "kind", "no column besides the label" },
    { "a,b\n", "b", "no samples" },
    { "a,kind\n1,x\n2,\n", "kind", "line 3: the label is missing" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = write_file ("bad.csv", cases[i].text, -1);
      g_autoptr (GError) error = NULL;

      g_assert_null (load (path, cases[i].label, &error));
      g_assert_nonnull (error);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].says));
      g_assert_nonnull (strstr (error->message, "bad.csv"));
      g_unlink (path);
    }
}

static void
test_idx (void)
{
  static const guint8 images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 51, 102, 153, 204, 255, 0, 51 };
  static const guint8 labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 1, 0 };
  g_autofree char *x = write_file ("x.idx", (const char *) images, sizeof images);
  g_autofree char *y = g_build_filename (folder, "y.gz", NULL), *spec = g_strconcat (x, ",", y, NULL), *cut = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) data = NULL;
  NnDataOptions options;
  gzFile file = gzopen (y, "wb");

  g_assert_cmpint (gzwrite (file, labels, sizeof labels), ==, sizeof labels);
  gzclose (file);
  nn_data_options_init (&options);
  options.validation = 0;
  options.divide = 255;
  data = nn_dataset_load (spec, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (nn_shape_equal (&nn_dataset_x (data, NN_SPLIT_TRAIN)->shape, &NN_SHAPE (2, 2, 2)));
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_x (data, NN_SPLIT_TRAIN), 2), ==, 0.4f);
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_y (data, NN_SPLIT_TRAIN), 1), ==, 1);
  /* a header that promises more */
  g_free (x);
  x = write_file ("x.idx", (const char *) images, sizeof images - 1);
  g_assert_null (nn_dataset_load (spec, &options, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
  g_unlink (x);
  g_unlink (y);
}

/* Files that MATLAB's own library wrote: plain, packed, and as HDF5. */
static void
test_matlab (void)
{
  static const char *const names[] = { "v5.mat", "v5-packed.mat", "v73.mat" };
  static const float rows[] = { 1, 4, 2, 5, 3, 6 };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (g_getenv ("G_TEST_SRCDIR"), "fuzz", "corpus", "mat", names[i], NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDataset) data = NULL;
      g_autoptr (GPtrArray) list = nn_data_list (path, NULL, NULL, &error);
      gboolean found = FALSE;

      g_assert_no_error (error);
      for (guint k = 0; k < list->len; k++)
        {
          const NnDataEntry *entry = list->pdata[k];

          found |= g_str_equal (entry->name, "X") && nn_shape_equal (&entry->shape, &NN_SHAPE (3, 2));
        }
      g_assert_true (found);
      data = load (path, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (nn_shape_equal (&nn_dataset_x (data, NN_SPLIT_TRAIN)->shape, &NN_SHAPE (3, 2)));
      g_assert_cmpmem (nn_dataset_x (data, NN_SPLIT_TRAIN)->data, sizeof rows, rows, sizeof rows);
      g_assert_true (nn_dataset_is_classes (data));
      g_assert_cmpfloat (nn_tensor_get (nn_dataset_y (data, NN_SPLIT_TRAIN), 3), ==, 1);
      if (i < 2) /* text of version 7.3 is not read */
        {
          g_assert_cmpstr (nn_dataset_class_names (data)[0], ==, "cat");
          g_assert_cmpstr (nn_dataset_class_names (data)[1], ==, "dog");
        }
    }
}

/* Two and a half million numbers through a limit of one megabyte: nothing but the mapped file holds them. */
static void
test_larger_than_memory (void)
{
  enum { N = 40000, WIDTH = 64 };
  g_autofree char *x = g_build_filename (folder, "x.npy", NULL), *y = g_build_filename (folder, "y.npy", NULL);
  g_autofree char *spec = g_strconcat (x, ",", y, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) row = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, WIDTH));
  g_autoptr (NnTensor) labels = nn_tensor_new (NN_DTYPE_U8, &NN_SHAPE (N));
  g_autoptr (NnTensor) batch = NULL, targets = NULL;
  g_autoptr (NnDataset) data = NULL;
  NnNpyWriter *writer = nn_npy_writer_new (x, NN_DTYPE_F32, &NN_SHAPE (N, WIDTH), &error);
  NnDataOptions options;
  guint32 rows[] = { 7, 20000, 3 };

  for (guint i = 0; i < N; i++)
    {
      for (guint k = 0; k < WIDTH; k++)
        nn_tensor_f32 (row)[k] = i + k / 64.0f;
      nn_tensor_u8 (labels)[i] = i % 2;
      g_assert_true (nn_npy_writer_append (writer, row, &error));
    }
  g_assert_true (nn_npy_writer_close (writer, &error));
  nn_npy_writer_free (writer);
  g_assert_true (nn_npy_write (labels, y, &error));
  nn_data_options_init (&options);
  options.memory_limit = 1 << 20;
  options.validation = 0.25;
  data = nn_dataset_load (spec, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_TRAIN), ==, N - N / 4);
  nn_dataset_read_batch (data, NN_SPLIT_TRAIN, rows, 0, 3, &batch, &targets);
  for (guint i = 0; i < 3; i++)
    {
      float first = nn_tensor_f32 (batch)[i * WIDTH];

      g_assert_cmpfloat (first, ==, nn_tensor_f32 (nn_dataset_x (data, NN_SPLIT_TRAIN))[(gsize) rows[i] * WIDTH]);
      g_assert_cmpfloat (nn_tensor_f32 (batch)[i * WIDTH + 63] - first, ==, 63 / 64.0f);
      g_assert_cmpfloat (nn_tensor_f32 (targets)[2 * i + (gsize) first % 2], ==, 1);
    }
  g_unlink (x);
  g_unlink (y);
}

static void
test_shared_tables (void)
{
  g_autofree char *beans = test_shared_path ("data/drybean/dry_bean.csv"), *x = NULL, *y = NULL, *spec = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) data = NULL, digits = NULL;

  if (beans == NULL)
    return;
  data = load (beans, "Class", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_dataset_n (data, NN_SPLIT_TRAIN), ==, 13611);
  g_assert_cmpint (nn_shape_last (&nn_dataset_x (data, NN_SPLIT_TRAIN)->shape), ==, 16);
  g_assert_cmpuint (g_strv_length ((char **) nn_dataset_class_names (data)), ==, 7);
  x = test_shared_path ("data/mnist/test3000-images-idx3-ubyte.gz");
  y = test_shared_path ("data/mnist/test3000-labels-idx1-ubyte.gz");
  spec = g_strconcat (x, ",", y, NULL);
  digits = load (spec, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (nn_shape_equal (&nn_dataset_x (digits, NN_SPLIT_TRAIN)->shape, &NN_SHAPE (3000, 28, 28)));
  g_assert_cmpint (nn_shape_last (&nn_dataset_y (digits, NN_SPLIT_TRAIN)->shape), ==, 10);
}

int
main (int    argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = test_folder ();
  g_test_add_func ("/data-files/csv", test_csv);
  g_test_add_func ("/data-files/csv-columns", test_csv_columns);
  g_test_add_func ("/data-files/csv-decimal", test_csv_decimal);
  g_test_add_func ("/data-files/csv-cancelled", test_csv_cancelled);
  g_test_add_func ("/data-files/matlab-turned", test_matlab_turned);
  g_test_add_func ("/data-files/hdf5-records", test_hdf5_records);
  g_test_add_data_func ("/data-files/hdf5-heap", GUINT_TO_POINTER (FALSE), test_hdf5_heap);
  g_test_add_data_func ("/data-files/hdf5-group", GUINT_TO_POINTER (TRUE), test_hdf5_heap);
  g_test_add_func ("/data-files/csv-bad", test_csv_bad);
  g_test_add_func ("/data-files/csv-headers", test_csv_headers);
  g_test_add_func ("/data-files/lzf", test_lzf);
  g_test_add_func ("/data-files/idx", test_idx);
  g_test_add_func ("/data-files/matlab", test_matlab);
  g_test_add_func ("/data-files/larger-than-memory", test_larger_than_memory);
  g_test_add_func ("/data-files/shared-tables", test_shared_tables);
  status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: data files as other programs write them, and damaged ones: what is read is right, and what is not is told. */

#include "nn-dataset.h"

#include "nn-error.h"

#include "test-matlab.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

static char *folder;

static char *
write_file (const char *name,
            const void *bytes,
            gssize      n)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, n, NULL));
  return path;
}

static char *
write_packed (const char *name,
              const void *bytes,
              guint       n)
{
  char *path = g_build_filename (folder, name, NULL);
  gzFile file = gzopen (path, "wb");

  g_assert_cmpint (gzwrite (file, bytes, n), ==, n);
  g_assert_cmpint (gzclose (file), ==, Z_OK);
  return path;
}

static NnDataset *
load (const char *spec,
      const char *x,
      const char *y,
      GError    **error)
{
  NnDataOptions options;

  nn_data_options_init (&options);
  options.validation = 0;
  options.x = x;
  options.y = y;
  return nn_dataset_load (spec, &options, NULL, NULL, error);
}

/* The error is told with the file's name and these words. */
static void
assert_refused (const char *path,
                const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (path);

  g_assert_null (load (path, NULL, NULL, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, says));
  g_assert_nonnull (strstr (error->message, name));
}

/* Two features 1 2, 3 4, 5 6 of the classes 0, 1, 0, however they are written. */
static void
test_tables (void)
{
  static const struct { const char *text; const char *x; const char *y; } cases[] = {
    { "a,b,k\r1,2,0\r3,4,1\r5,6,0\r", NULL, NULL },                  /* lines of old */
    { "a|b|k\n1|2|0\n3|4|1\n5|6|0\n", NULL, NULL },
    { ",a,b,k\n0,1,2,0\n1,3,4,1\n2,5,6,0\n", NULL, NULL },             /* pandas numbers the rows */
    { "a,b,k,\n1,2,0,\n3,4,1,\n5,6,0,\n", NULL, NULL },                /* commas at the end */
    { "label,a,b\n0,1,2\n1,3,4\n0,5,6\n", NULL, NULL },                /* the label is called so */
    { "a,kind,b\n1,u,2\n3,v,4\n5,u,6\n", NULL, NULL },                 /* the only words are the labels */
    { "a,a,a\n1,2,0\n3,4,1\n5,6,0\n", NULL, NULL },                    /* three of one name */
    { "a,a,a\n1,2,0\n3,4,1\n5,6,0\n", "a,a_2", "a_3" },
    { "name,a,b,k\nx,1,2,0\ny,3,4,1\nz,5,6,0\n", "a,b", "k" },
    { "a,b,p,q\n1,2,1,0\n3,4,0,1\n5,6,1,0\n", NULL, "p,q" },           /* one-hot */
    { "  1 2 0\n 3  4 1 \n\t5 6 0\n", NULL, NULL },
    { "1, \"2\", 0\n3, \"4\", 1\n+5e0,60e-1,0.0\n", NULL, NULL },
    { "# made by\n\n# hand\na,b,k\n1,2,0\n# more\n3,4,1\n5,6,0", NULL, NULL },
  };
  static const float x[] = { 1, 2, 3, 4, 5, 6 }, y[] = { 1, 0, 0, 1, 1, 0 };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      const char *text = cases[i / 2].text;
      g_autofree char *path = i % 2 == 0 ? write_file ("t.csv", text, -1) : write_packed ("t.csv.gz", text, strlen (text));
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDataset) data = load (path, cases[i / 2].x, cases[i / 2].y, &error);

      g_test_message ("%s", text);
      g_assert_no_error (error);
      g_assert_true (nn_dataset_is_classes (data));
      g_assert_true (nn_shape_equal (&nn_dataset_x (data, NN_SPLIT_TRAIN)->shape, &NN_SHAPE (3, 2)));
      g_assert_cmpmem (nn_dataset_x (data, NN_SPLIT_TRAIN)->data, sizeof x, x, sizeof x);
      g_assert_cmpmem (nn_dataset_y (data, NN_SPLIT_TRAIN)->data, sizeof y, y, sizeof y);
      g_unlink (path);
    }
}

/* Numbers are read to the last bit, the fast way or not. */
static void
test_numbers (void)
{
  static const char *const numbers[] = { "0.1", "-2.2250738585072014e-308", "123456789012345678", "9007199254740993", "1e22", "1e23",
                                         "8.5e-23", "0.30000000000000004", "+.5", "5.", "-0", "1e-22", "3.4028234e+38" };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autofree char *text = g_strdup_printf ("a,b\n%s,0\n%s,1\n", numbers[i], numbers[i]), *path = write_file ("n.csv", text, -1);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDataset) data = load (path, NULL, NULL, &error);
      float expected = (float) g_ascii_strtod (numbers[i], NULL);

      g_assert_no_error (error);
      g_assert_cmpmem (nn_dataset_x (data, NN_SPLIT_TRAIN)->data, sizeof expected, &expected, sizeof expected);
      g_unlink (path);
    }
}

static void
test_refused (void)
{
  static const struct { const char *bytes; gssize n; const char *says; } cases[] = {
    { "\xff\xfe" "a\0,\0b\0\n\0", 10, "UTF-16" },
    { "{\"X\": [1, 2]}", -1, "JSON" },
    { "<html></html>", -1, "XML" },
    { "PAR1\0\0\0\0", 8, "Parquet" },
    { "root\0\0\xf3\xd5", 8, "ROOT" },
    { "\x80\4\x95\0\0\0", 6, "pickle" },
    { "\0\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0X\0", 22, "MATLAB file of version 4" },
    { "", 0, "the file is empty" },
    { "a,b\n1,0\n1e39,1\n", -1, "sample 2, feature 1 is too large for single precision" },
    { "a,b\n1,0\ninf,1\n", -1, "line 3, column \"a\": \"inf\" is not finite" },
    { "a,b\n1,0\nx,1\n", -1, "line 3, column \"a\": \"x\" is no number; inputs are columns of numbers" },
    { "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, "holds no array" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = write_file ("refused", cases[i].bytes, cases[i].n);

      assert_refused (path, cases[i].says);
      g_unlink (path);
    }
  {
    g_autofree char *path = write_packed ("refused.gz", "\x89HDF\r\n\x1a\n", 8);

    assert_refused (path, "packed with gzip as only tables and IDX may be");
    g_unlink (path);
  }
}

/* Adds an array of NumPy's to an archive, stored as it is. */
static void
add_array (struct archive *zip,
           const char     *name,
           const char     *descr,
           const char     *shape,
           gconstpointer   bytes,
           gsize           n)
{
  g_autofree char *header = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
  g_autofree char *padded = g_strdup_printf ("%-117s\n", header);
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_size (entry, (la_int64_t) (128 + n));
  g_assert_cmpint (archive_write_header (zip, entry), ==, ARCHIVE_OK);
  archive_write_data (zip, "\x93NUMPY\1\0\x76\0", 10);
  archive_write_data (zip, padded, 118);
  archive_write_data (zip, bytes, n);
  archive_entry_free (entry);
}

/* Stored numbers of which one is not as it was; an array of objects beside those that can be read. */
static void
test_archive (void)
{
  static const guint64 x[] = { 1, 2, G_MAXUINT64, 4 };
  static const guint8 y[] = { 1, 2 };
  g_autofree char *path = g_build_filename (folder, "a.npz", NULL), *bytes = NULL;
  struct archive *zip = archive_write_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnTensor) targets = NULL;
  char *number;
  gsize n;

  archive_write_set_format_zip (zip);
  archive_write_zip_set_compression_store (zip);
  g_assert_cmpint (archive_write_open_filename (zip, path), ==, ARCHIVE_OK);
  add_array (zip, "about.npy", "|O", "", "\x80\4.", 3);
  add_array (zip, "run/X.npy", "<u8", "2, 2", x, sizeof x);
  add_array (zip, "run/y.npy", "|u1", "2,", y, sizeof y);
  archive_write_free (zip);
  data = load (path, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_x (data, NN_SPLIT_TRAIN), 2), ==, 18446744073709551616.0);
  /* classes 1 and 2 for a network of two outputs, or one */
  targets = nn_dataset_targets (nn_dataset_y (data, NN_SPLIT_TRAIN), TRUE, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (nn_tensor_get (targets, 0), ==, 1);
  g_assert_cmpfloat (nn_tensor_get (targets, 3), ==, 1);
  g_clear_pointer (&targets, nn_tensor_unref);
  targets = nn_dataset_targets (nn_dataset_y (data, NN_SPLIT_TRAIN), TRUE, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (nn_tensor_get (targets, 0), ==, 0);
  g_assert_cmpfloat (nn_tensor_get (targets, 1), ==, 1);
  g_assert_null (load (path, "about", "run/y", &error));
  g_assert_nonnull (strstr (error->message, "\"about\": not a readable .npy array: it holds Python objects"));
  g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  number = memmem (bytes, n, x, sizeof x);
  g_assert_nonnull (number);
  number[8] ^= 1;
  g_assert_true (g_file_set_contents (path, bytes, (gssize) n, NULL));
  assert_refused (path, "the zip archive is damaged");
  g_unlink (path);
}

static void
test_idx (void)
{
  static const guint8 x[] = { 0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4 }, y[] = { 0, 0, 8, 1, 0, 0, 0, 2, 0, 1 };
  g_autofree char *images = write_packed ("x.gz", x, sizeof x), *labels = write_file ("y.idx", y, sizeof y), *bytes = NULL;
  g_autofree char *spec = g_strconcat (images, ",", labels, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDataset) data = load (spec, NULL, NULL, &error);
  gsize n;

  g_assert_no_error (error);
  g_assert_cmpfloat (nn_tensor_get (nn_dataset_x (data, NN_SPLIT_TRAIN), 3), ==, 4);
  g_assert_true (g_file_get_contents (images, &bytes, &n, NULL));
  bytes[n - 8] ^= 1; /* of the checksum */
  g_assert_true (g_file_set_contents (images, bytes, (gssize) n, NULL));
  g_assert_null (load (spec, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "x.gz: the gzip data are damaged"));
  g_unlink (images);
  g_unlink (labels);
}

static void
put_array (GByteArray   *to,
           guint32       kind,
           const char   *name,
           const gint32 *dims,
           GByteArray   *rest)
{
  g_autoptr (GByteArray) inner = g_byte_array_new ();
  const guint32 flags[2] = { kind, 0 };

  test_matlab_put (inner, 6, flags, sizeof flags);
  test_matlab_put (inner, 5, dims, 2 * sizeof *dims);
  test_matlab_put (inner, 1, name, strlen (name));
  g_byte_array_append (inner, rest->data, rest->len);
  test_matlab_put (to, 14, inner->data, inner->len);
}

/* The fields of a structure, packed or not; what is cut short, and a sum that does not fit. */
static void
test_matlab (void)
{
  static const gint32 one[] = { 1, 1 }, wide[] = { 3, 2 }, column[] = { 3, 1 }, length = 8;
  static const double x[] = { 1, 3, 5, 2, 4, 6 }, y[] = { 1, 2, 1 };
  g_autoptr (GByteArray) fields = g_byte_array_new (), numbers = g_byte_array_new (), labels = g_byte_array_new ();
  g_autoptr (GByteArray) plain = g_byte_array_new (), packed = g_byte_array_new ();
  uLongf n;
  g_autofree Bytef *bytes = NULL;
  char header[128];

  memset (header, ' ', sizeof header);
  memcpy (header, "MATLAB 5.0 MAT-file", 19);
  memcpy (header + 124, "\0\1IM", 4);
  test_matlab_put (numbers, 9, x, sizeof x);
  test_matlab_put (labels, 9, y, sizeof y);
  test_matlab_put (fields, 5, &length, sizeof length);
  test_matlab_put (fields, 1, "X\0\0\0\0\0\0\0y\0\0\0\0\0\0\0", 16);
  put_array (fields, 6, "", wide, numbers);
  put_array (fields, 6, "", column, labels);
  put_array (plain, 2, "data", one, fields);
  n = compressBound (plain->len);
  bytes = g_malloc (n);
  g_assert_cmpint (compress (bytes, &n, plain->data, plain->len), ==, Z_OK);
  test_matlab_put (packed, 15, bytes, n);
  for (guint i = 0; i < 2; i++)
    {
      GByteArray *file = i == 0 ? plain : packed;
      g_autofree char *path = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDataset) data = NULL;

      g_byte_array_prepend (file, (const guint8 *) header, sizeof header);
      path = write_file ("s.mat", file->data, file->len);
      data = load (path, NULL, NULL, &error);
      g_assert_no_error (error);
      for (guint k = 0; k < 6; k++)
        g_assert_cmpfloat (nn_tensor_get (nn_dataset_x (data, NN_SPLIT_TRAIN), k), ==, k + 1);
      g_unlink (path);
      g_free (g_steal_pointer (&path));
      if (i == 1)
        file->data[sizeof header + 8 + n - 1] ^= 1; /* of the checksum */
      path = write_file ("s.mat", file->data, i == 0 ? file->len - 60 : file->len);
      assert_refused (path, "damaged or cut short");
      g_unlink (path);
    }
}

int
main (int    argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("espalier-odd-XXXXXX", NULL);
  g_test_add_func ("/data-odd/tables", test_tables);
  g_test_add_func ("/data-odd/numbers", test_numbers);
  g_test_add_func ("/data-odd/refused", test_refused);
  g_test_add_func ("/data-odd/archive", test_archive);
  g_test_add_func ("/data-odd/idx", test_idx);
  g_test_add_func ("/data-odd/matlab", test_matlab);
  status = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return status;
}

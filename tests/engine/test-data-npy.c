/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: single arrays in NumPy's format. */

#include "nn-dataset.h"

#include "nn-error.h"

#include "test-shared.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* A file of version @version with the given header; @length is what the header says it is long, -1 for the truth. */
static GByteArray *
make (guint       version,
      const char *header,
      const void *data,
      gsize       n)
{
  GByteArray *bytes = g_byte_array_new ();
  gsize length = strlen (header);
  guint8 start[12] = { 0x93, 'N', 'U', 'M', 'P', 'Y', version, 0, length & 255, length >> 8 };

  g_byte_array_append (bytes, start, version == 1 ? 10 : 12);
  g_byte_array_append (bytes, (const guint8 *) header, length);
  g_byte_array_append (bytes, data, n);
  return bytes;
}

static void
test_types (void)
{
  static const struct {
    const char *descr;
    guint8      data[16];
    gsize       n;
    NnDtype     dtype;
    double      values[2];
  } cases[] = {
    { "<f4", { 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0 }, 8, NN_DTYPE_F32, { 1, -2 } },
    { ">f4", { 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0 }, 8, NN_DTYPE_F32, { 1, -2 } },
    { "<f8", { 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0 }, 16, NN_DTYPE_F64, { 1, -2 } },
    { "<f2", { 0, 0x3c, 1, 0 }, 4, NN_DTYPE_F32, { 1, 0x1p-24 } },
    { ">f2", { 0xfb, 0xff, 0x7c, 0x00 }, 4, NN_DTYPE_F32, { -65504, INFINITY } },
    { "|i1", { 0xff, 5 }, 2, NN_DTYPE_I32, { -1, 5 } },
    { "|u1", { 0xff, 5 }, 2, NN_DTYPE_U8, { 255, 5 } },
    { "|b1", { 1, 0 }, 2, NN_DTYPE_U8, { 1, 0 } },
    { "<i2", { 0xfe, 0xff, 1, 1 }, 4, NN_DTYPE_I32, { -2, 257 } },
    { ">u2", { 0xff, 0xff, 1, 1 }, 4, NN_DTYPE_I32, { 65535, 257 } },
    { "<i4", { 0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0 }, 8, NN_DTYPE_I32, { -2, 1 } },
    { "<u4", { 0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0 }, 8, NN_DTYPE_I64, { 4294967294.0, 1 } },
    { ">i8", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9 }, 16, NN_DTYPE_I64, { -3, 9 } },
    { "<u8", { 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 16, NN_DTYPE_I64, { 7, 0x1p56 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint version = 1; version <= 3; version++)
      {
        g_autoptr (GError) error = NULL;
        g_autofree char *header =
          g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (2,), }   \n", cases[i].descr);
        g_autoptr (GByteArray) bytes = make (version, header, cases[i].data, cases[i].n);
        g_autoptr (NnTensor) tensor = nn_npy_parse (bytes->data, bytes->len, &error);

        g_assert_no_error (error);
        g_assert_cmpuint (tensor->dtype, ==, cases[i].dtype);
        g_assert_true (nn_shape_equal (&tensor->shape, &NN_SHAPE (2)));
        g_assert_cmpfloat (nn_tensor_get (tensor, 0), ==, cases[i].values[0]);
        g_assert_cmpfloat (nn_tensor_get (tensor, 1), ==, cases[i].values[1]);
      }
}

static void
test_fortran (void)
{
  static const guint8 data[] = { 1, 4, 2, 5, 3, 6 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = make (1, "{\"shape\": (2L, 3L), 'fortran_order': True, 'descr': '|u1'}\n", data, 6);
  g_autoptr (NnTensor) tensor = nn_npy_parse (bytes->data, bytes->len, &error);

  g_assert_no_error (error);
  g_assert_true (nn_shape_equal (&tensor->shape, &NN_SHAPE (2, 3)));
  for (guint i = 0; i < 6; i++)
    g_assert_cmpfloat (nn_tensor_get (tensor, i), ==, i + 1);
}

static void
test_bad (void)
{
  static const char *const headers[] = {
    "",
    "{}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }",
    "{'descr': '<f4', 'fortran_order': maybe, 'shape': (2,), }",
    "{'descr': '<f3', 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f4', 'shape': (2,), }",
  };
  static const guint8 data[8] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GByteArray) bytes = make (1, headers[i], data, sizeof data);

      g_assert_null (nn_npy_parse (bytes->data, bytes->len, &error));
      g_assert_nonnull (error);
      g_assert_true (error->domain == NN_ERROR);
    }
}

/* Every file cut at every place is an error, never a crash. */
static void
test_truncated (void)
{
  static const guint8 data[24] = { 0 };
  g_autoptr (GByteArray) bytes = make (1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", data, 24);

  for (gsize n = 0; n < bytes->len; n++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree guint8 *copy = g_memdup2 (bytes->data, n);

      g_assert_null (nn_npy_parse (copy, n, &error));
      g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
    }
}

static void
test_round_trip (void)
{
  static const NnDtype dtypes[] = { NN_DTYPE_F32, NN_DTYPE_F64, NN_DTYPE_I64, NN_DTYPE_I32, NN_DTYPE_U8 };
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "a.npy", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    for (guint rank = 0; rank <= 3; rank++)
      {
        g_autoptr (GError) error = NULL;
        NnShape shape = { .rank = rank, .dims = { 3, 2, 4 } };
        g_autoptr (NnTensor) tensor = nn_tensor_new (dtypes[i], &shape), back = NULL;

        for (gsize b = 0; b < tensor->n * nn_dtype_size (tensor->dtype); b++)
          ((guint8 *) tensor->data)[b] = 17 * b + 3;
        g_assert_true (nn_npy_write (tensor, path, &error));
        g_assert_no_error (error);
        back = nn_npy_read (path, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (back->dtype, ==, dtypes[i]);
        g_assert_true (nn_shape_equal (&back->shape, &shape));
        g_assert_cmpmem (back->data, back->n * nn_dtype_size (back->dtype), tensor->data,
                         tensor->n * nn_dtype_size (tensor->dtype));
      }
  g_unlink (path);
  g_rmdir (folder);
}

/* Rows that are read a few at a time are those of the whole. */
static void
test_rows (void)
{
  g_autofree char *folder = g_dir_make_tmp ("espalier-XXXXXX", NULL), *path = g_build_filename (folder, "a.npy", NULL);
  g_autoptr (NnTensor) tensor = nn_tensor_new (NN_DTYPE_I32, &NN_SHAPE (7, 3));
  g_autoptr (NnNpyRows) rows = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 21; i++)
    ((gint32 *) tensor->data)[i] = (gint32) i - 4;
  g_assert_true (nn_npy_write (tensor, path, NULL));
  rows = nn_npy_rows_new (path, &error);
  g_assert_no_error (error);
  g_assert_true (nn_shape_equal (nn_npy_rows_shape (rows), &tensor->shape));
  for (guint first = 0; first < 7; first += 3)
    {
      gsize n = MIN (3, 7 - first);
      g_autoptr (NnTensor) piece = nn_npy_rows_read (rows, n, &error);

      g_assert_no_error (error);
      g_assert_cmpmem (piece->data, piece->n * 4, (gint32 *) tensor->data + 3 * first, n * 12);
    }
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_missing_file (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nn_npy_read ("no/such/file.npy", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "file.npy"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/npy/types", test_types);
  g_test_add_func ("/npy/fortran", test_fortran);
  g_test_add_func ("/npy/bad", test_bad);
  g_test_add_func ("/npy/truncated", test_truncated);
  g_test_add_func ("/npy/round-trip", test_round_trip);
  g_test_add_func ("/npy/rows", test_rows);
  g_test_add_func ("/npy/missing-file", test_missing_file);
  return g_test_run ();
}

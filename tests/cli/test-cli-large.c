/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data of 10 GB, most of them a hole in the file, and packed ones that memory should not hold are predicted and evaluated in a fraction of
 * their size. */

#include "nn-load.h"
#include "test-shared.h"
#include "test-train-nets.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#define FEATURES 3072
#define CHUNK_ROWS 256
#define ROWS (G_GUINT64_CONSTANT (10) * 1024 * 1024 * 1024 / (FEATURES * sizeof (float)) + 1)
/* Kilobytes that the program may take; the data are 10 million. */
#define ALLOWED 1000000

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* A header, then a hole of @bytes. */
static void
write_hole (const char *path,
            const char *type,
            const char *shape,
            guint64     bytes)
{
  g_autofree char *dictionary = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
  g_autofree char *padded = g_strdup_printf ("%-117s\n", dictionary);
  const char start[] = "\x93NUMPY\1\0\x76\0";
  int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, start, 10), ==, 10);
  g_assert_cmpint (write (fd, padded, 118), ==, 118);
  g_assert_cmpint (ftruncate (fd, (off_t) (128 + bytes)), ==, 0);
  close (fd);
}

static void
run (const char *verb,
     const char *network,
     const char *option,
     const char *data,
     const char *more)
{
  const char *argv[] = { g_getenv ("ESPALIER_CLI"), verb, network, option, data, more, "--quiet", NULL };
  g_autoptr (GError) error = NULL;
  struct rusage usage;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL, &status, &error));
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_assert_cmpint (getrusage (RUSAGE_CHILDREN, &usage), ==, 0);
  g_test_message ("%s: %ld kB at most", verb, usage.ru_maxrss);
  g_assert_cmpint (usage.ru_maxrss, <, ALLOWED);
}

static void
write_network (const char *path)
{
  TestNet *net = net_new (&NN_SHAPE (FEATURES), 3);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GError) error = NULL;

  net_dense (net, FEATURES, 2, NN_ACT_SIGMOID);
  model = net_seal (net);
  g_assert_true (nn_model_save (model, path, &error));
  g_assert_no_error (error);
}

static void
test_large (void)
{
  g_autofree char *x = in_folder ("x.npy"), *y = in_folder ("y.npy"), *network = in_folder ("net.onnx"), *pair = g_strconcat (x, ",", y, NULL);
  g_autofree char *shape = g_strdup_printf ("%" G_GUINT64_FORMAT ", %d", ROWS, FEATURES), *rows = g_strdup_printf ("%" G_GUINT64_FORMAT ",", ROWS);

  write_network (network);
  write_hole (x, "<f4", shape, ROWS * FEATURES * sizeof (float));
  write_hole (y, "|u1", rows, ROWS);
  run ("predict", network, "--inputs", x, "--quiet");
  run ("evaluate", network, "--data", pair, "--raw");
  g_unlink (x);
  g_unlink (y);
  g_unlink (network);
}

/* Rows of zeros just beyond what is kept in memory, packed chunk by chunk, in HDF5. */
static void
write_packed (const char *path,
              guint64     rows)
{
  const hsize_t extent[] = { rows, FEATURES }, chunk[] = { CHUNK_ROWS, FEATURES };
  g_autofree Bytef *zeros = g_malloc0 (CHUNK_ROWS * FEATURES * sizeof (float)), *packed = NULL;
  g_autofree guint8 *labels = g_malloc0 (rows);
  uLongf n = compressBound (CHUNK_ROWS * FEATURES * sizeof (float));
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate_simple (2, extent, NULL);
  hid_t settings = H5Pcreate (H5P_DATASET_CREATE), line = H5Screate_simple (1, extent, NULL), set;

  packed = g_malloc (n);
  g_assert_cmpint (compress2 (packed, &n, zeros, CHUNK_ROWS * FEATURES * sizeof (float), 1), ==, Z_OK);
  H5Pset_chunk (settings, 2, chunk);
  H5Pset_deflate (settings, 1);
  set = H5Dcreate2 (file, "X", H5T_IEEE_F32LE, space, H5P_DEFAULT, settings, H5P_DEFAULT);
  for (hsize_t first = 0; first < rows; first += CHUNK_ROWS)
    g_assert_cmpint (H5Dwrite_chunk (set, H5P_DEFAULT, 0, (const hsize_t[]){ first, 0 }, n, packed), >=, 0);
  H5Dclose (set);
  for (guint64 i = 0; i < rows; i++)
    labels[i] = i % 2;
  set = H5Dcreate2 (file, "y", H5T_STD_U8LE, line, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint (H5Dwrite (set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels), >=, 0);
  H5Dclose (set);
  H5Sclose (line);
  H5Sclose (space);
  H5Pclose (settings);
  H5Fclose (file);
}

/* Rows of which there are just more numbers than memory is to hold, in single precision. */
static guint64
many_rows (void)
{
  guint64 memory = (guint64) sysconf (_SC_PHYS_PAGES) * (guint64) sysconf (_SC_PAGESIZE);

  return (memory / 8 / (FEATURES * sizeof (float)) / CHUNK_ROWS + 1) * CHUNK_ROWS;
}

/* They are kept in a file meanwhile; where there is no room for it, nothing is shown. */
static gboolean
has_room (void)
{
  const char *cache = g_get_user_cache_dir ();
  g_autoptr (GFile) place = g_file_new_for_path (g_file_test (cache, G_FILE_TEST_IS_DIR) ? cache : g_get_home_dir ());
  g_autoptr (GFileInfo) info = g_file_query_filesystem_info (place, G_FILE_ATTRIBUTE_FILESYSTEM_FREE, NULL, NULL);
  guint64 wanted = 2 * many_rows () * FEATURES * sizeof (float);

  if (info != NULL && g_file_info_get_attribute_uint64 (info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE) >= wanted)
    return TRUE;
  g_test_skip ("the disk has no room for what memory is not to hold");
  return FALSE;
}

static void
put (gzFile        file,
     gconstpointer bytes,
     guint         n)
{
  g_assert_cmpint (gzwrite (file, bytes, n), ==, n);
}

/* IDX: two bytes that are zero, the type, the number of axes, extents with the high byte first. */
static void
write_idx (const char *path,
           const char *labels,
           guint64     rows)
{
  const guint32 extent[] = { GUINT32_TO_BE ((guint32) rows), GUINT32_TO_BE (FEATURES) };
  g_autofree guint8 *row = g_malloc0 (FEATURES);
  gzFile file = gzopen (path, "wb1");

  put (file, "\0\0\x08\2", 4);
  put (file, extent, sizeof extent);
  for (guint64 i = 0; i < rows; i++)
    put (file, row, FEATURES);
  g_assert_cmpint (gzclose (file), ==, Z_OK);
  file = gzopen (labels, "wb1");
  put (file, "\0\0\x08\1", 4);
  put (file, extent, sizeof *extent);
  for (guint64 i = 0; i < rows; i++)
    put (file, i % 2 == 0 ? "\0" : "\1", 1);
  g_assert_cmpint (gzclose (file), ==, Z_OK);
}

static void
write_table (const char *path,
             guint64     rows)
{
  g_autofree char *row = g_malloc (2 * FEATURES + 2);
  gzFile file = gzopen (path, "wb1");

  for (guint k = 0; k < FEATURES; k++)
    memcpy (row + 2 * k, "0,", 2);
  for (guint64 i = 0; i < rows; i++)
    {
      memcpy (row + 2 * FEATURES, i % 2 == 0 ? "0\n" : "1\n", 2);
      put (file, row, 2 * FEATURES + 2);
    }
  g_assert_cmpint (gzclose (file), ==, Z_OK);
}

/* Begins an array of NumPy's in an archive. */
static void
begin_array (struct archive *zip,
             const char     *name,
             const char     *descr,
             const char     *shape,
             guint64         bytes)
{
  g_autofree char *dictionary = g_strdup_printf ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
  g_autofree char *padded = g_strdup_printf ("%-117s\n", dictionary);
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_size (entry, (la_int64_t) (128 + bytes));
  g_assert_cmpint (archive_write_header (zip, entry), ==, ARCHIVE_OK);
  archive_write_data (zip, "\x93NUMPY\1\0\x76\0", 10);
  archive_write_data (zip, padded, 118);
  archive_entry_free (entry);
}

static void
write_archive (const char *path,
               guint64     rows)
{
  g_autofree char *shape = g_strdup_printf ("%" G_GUINT64_FORMAT ", %d", rows, FEATURES), *line = g_strdup_printf ("%" G_GUINT64_FORMAT ",", rows);
  g_autofree guint8 *zeros = g_malloc0 (FEATURES * sizeof (float));
  struct archive *zip = archive_write_new ();

  archive_write_set_format_zip (zip);
  archive_write_set_options (zip, "zip:compression-level=1");
  g_assert_cmpint (archive_write_open_filename (zip, path), ==, ARCHIVE_OK);
  begin_array (zip, "X.npy", "<f4", shape, rows * FEATURES * sizeof (float));
  for (guint64 i = 0; i < rows; i++)
    archive_write_data (zip, zeros, FEATURES * sizeof (float));
  begin_array (zip, "y.npy", "|u1", line, rows);
  for (guint64 i = 0; i < rows; i++)
    archive_write_data (zip, i % 2 == 0 ? "\0" : "\1", 1);
  g_assert_cmpint (archive_write_close (zip), ==, ARCHIVE_OK);
  archive_write_free (zip);
}

static void
test_formats (void)
{
  g_autofree char *x = in_folder ("x.idx.gz"), *y = in_folder ("y.idx.gz"), *table = in_folder ("x.csv.gz"), *zip = in_folder ("x.npz");
  g_autofree char *pair = g_strconcat (x, ",", y, NULL), *network = in_folder ("net.onnx");
  guint64 rows = many_rows ();

  if (!has_room ())
    return;
  write_network (network);
  write_idx (x, y, rows);
  run ("evaluate", network, "--data", pair, "--raw");
  write_archive (zip, rows);
  run ("evaluate", network, "--data", zip, "--raw");
  write_table (table, rows);
  run ("evaluate", network, "--data", table, "--raw");
  g_unlink (x);
  g_unlink (y);
  g_unlink (table);
  g_unlink (zip);
  g_unlink (network);
}

static void
test_packed (void)
{
  guint64 rows = many_rows ();
  g_autofree char *data = in_folder ("x.h5"), *network = in_folder ("net.onnx");

  if (!has_room ())
    return;
  write_network (network);
  write_packed (data, rows);
  run ("evaluate", network, "--data", data, "--raw");
  g_unlink (data);
  g_unlink (network);
}

int
main (int    argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("espalier-large-XXXXXX", NULL);
  g_test_add_func ("/cli/large-data", test_large);
  g_test_add_func ("/cli/large-packed", test_packed);
  g_test_add_func ("/cli/large-formats", test_formats);
  status = g_test_run ();
  g_rmdir (folder);
  return status;
}

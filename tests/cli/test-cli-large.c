/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data of 10 GB, most of them a hole in the file, and packed ones that memory should not hold are predicted and evaluated in a fraction of
 * their size. */

#include "nn-load.h"
#include "test-shared.h"
#include "test-train-nets.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <hdf5.h>
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

static void
test_packed (void)
{
  guint64 memory = (guint64) sysconf (_SC_PHYS_PAGES) * (guint64) sysconf (_SC_PAGESIZE);
  guint64 rows = (memory / 8 / (FEATURES * sizeof (float)) / CHUNK_ROWS + 1) * CHUNK_ROWS;
  g_autofree char *data = in_folder ("x.h5"), *network = in_folder ("net.onnx");

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
  status = g_test_run ();
  g_rmdir (folder);
  return status;
}

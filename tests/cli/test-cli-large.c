/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data of 10 GB, most of them a hole in the file, are predicted and evaluated in a fraction of that memory. */

#include "nn-load.h"
#include "test-shared.h"
#include "test-train-nets.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define FEATURES 3072
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
test_large (void)
{
  g_autofree char *x = in_folder ("x.npy"), *y = in_folder ("y.npy"), *network = in_folder ("net.onnx"), *pair = g_strconcat (x, ",", y, NULL);
  g_autofree char *shape = g_strdup_printf ("%" G_GUINT64_FORMAT ", %d", ROWS, FEATURES), *rows = g_strdup_printf ("%" G_GUINT64_FORMAT ",", ROWS);
  TestNet *net = net_new (&NN_SHAPE (FEATURES), 3);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GError) error = NULL;

  net_dense (net, FEATURES, 2, NN_ACT_SIGMOID);
  model = net_seal (net);
  g_assert_true (nn_model_save (model, network, &error));
  g_assert_no_error (error);
  write_hole (x, "<f4", shape, ROWS * FEATURES * sizeof (float));
  write_hole (y, "|u1", rows, ROWS);
  run ("predict", network, "--inputs", x, "--quiet");
  run ("evaluate", network, "--data", pair, "--raw");
  g_unlink (x);
  g_unlink (y);
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
  status = g_test_run ();
  g_rmdir (folder);
  return status;
}

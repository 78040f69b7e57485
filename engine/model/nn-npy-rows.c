/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of a .npy file, a few at a time: files larger than memory. */

#include "nn-data-private.h"

#include "nn-error.h"

struct _NnNpyRows {
  NnNpy    *npy;   /* owned */
  NnTensor *whole; /* owned, nullable: of an array that does not lie row after row */
  gsize     next;
};

/**
 * nn_npy_rows_new:
 *
 * Errors: as nn_npy_read(), and %NN_ERROR_SHAPE for a single number
 *
 * Returns: (transfer full): at the first row
 */
NnNpyRows *
nn_npy_rows_new (const char *path,
                 GError    **error)
{
  g_autoptr (NnNpyRows) rows = g_new0 (NnNpyRows, 1);

  rows->npy = nn_npy_open_file (path, error);
  if (rows->npy == NULL)
    return NULL;
  if (nn_npy_shape (rows->npy)->rank == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "%s: the array is a single number; rows of samples are needed", path);
      return NULL;
    }
  if (!nn_npy_is_rows (rows->npy))
    {
      rows->whole = nn_npy_tensor (rows->npy, error);
      if (rows->whole == NULL)
        {
          g_prefix_error (error, "%s: ", path);
          return NULL;
        }
    }
  return g_steal_pointer (&rows);
}

const NnShape *
nn_npy_rows_shape (const NnNpyRows *rows)
{
  return nn_npy_shape (rows->npy);
}

/**
 * nn_npy_rows_read:
 * @count: of rows, as many as there still are at most
 *
 * Returns: (transfer full): the next rows in the array's own type
 */
NnTensor *
nn_npy_rows_read (NnNpyRows *rows,
                  gsize      count,
                  GError   **error)
{
  g_return_val_if_fail (count <= (gsize) nn_npy_shape (rows->npy)->dims[0] - rows->next, NULL);
  rows->next += count;
  return rows->whole != NULL ? nn_tensor_rows (rows->whole, rows->next - count, count) : nn_npy_rows (rows->npy, count, error);
}

void
nn_npy_rows_free (NnNpyRows *rows)
{
  if (rows == NULL)
    return;
  nn_npy_free (rows->npy);
  nn_tensor_unref (rows->whole);
  g_free (rows);
}

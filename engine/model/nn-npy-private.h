/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about NumPy's .npy share. Source: NEP 1 and numpy/lib/format.py, versions 1 to 3. */

#pragma once

#include "nn-data-private.h"

G_BEGIN_DECLS

#define NN_NPY_MAGIC "\x93NUMPY"
#define NN_NPY_MAGIC_SIZE 6

struct _NnNpy {
  NnFetch        fetch;
  gpointer       source;      /* owned */
  GDestroyNotify free_source;
  NnShape        shape;
  char           kind;        /* f i u b U S */
  guint          item;        /* bytes an element */
  gboolean       swap;        /* byte order differs from the machine's */
  gboolean       fortran;
  guint64        data_at;     /* where the numbers begin in the stream */
  char          *path;        /* (nullable): the file, where it is one */
  guint64        left;        /* bytes of the array that are still to be read */
};

/* The stream's next @n bytes, or an error that it is cut short. */
gboolean nn_npy_fetch    (NnNpy         *npy,
                          guint8        *to,
                          gsize          n,
                          GError       **error);
/* The same of the array's own bytes: after the last of them the stream is found damaged where it is. */
gboolean nn_npy_fetch_data (NnNpy       *npy,
                          guint8        *to,
                          gsize          n,
                          GError       **error);
gboolean nn_npy_is_text  (const NnNpy   *npy);

/* The tensor's type that holds the array's numbers. */
NnDtype  nn_npy_dtype    (const NnNpy   *npy);
/* An unsigned integer of @n bytes at @p. */
guint64  nn_npy_bits     (const guint8  *p,
                          guint          n,
                          gboolean       swap);
/* All numbers in the file's order, in their own type. */
NnTensor *nn_npy_raw     (NnNpy         *npy,
                          GError       **error);
/* The stream's next @n numbers as @dtype. */
gboolean nn_npy_decode   (NnNpy         *npy,
                          gsize          n,
                          NnDtype        dtype,
                          guint8        *to,
                          GError       **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of one sample of a tensor. */

#include "nn-shape.h"

gboolean
nn_shape_equal (const NnShape *a,
                const NnShape *b)
{
  if (a->rank != b->rank)
    return FALSE;
  for (guint i = 0; i < a->rank; i++)
    if (a->dims[i] != b->dims[i])
      return FALSE;
  return TRUE;
}

gboolean
nn_shape_is_known (const NnShape *shape)
{
  for (guint i = 0; i < shape->rank; i++)
    if (shape->dims[i] < 0)
      return FALSE;
  return TRUE;
}

/**
 * nn_shape_size:
 * @size: (out): number of elements
 *
 * Returns: %FALSE when a dimension is open or the product does not fit
 */
gboolean
nn_shape_size (const NnShape *shape,
               gsize         *size)
{
  gsize n = 1;

  for (guint i = 0; i < shape->rank; i++)
    if (shape->dims[i] < 0 || !g_size_checked_mul (&n, n, (gsize) shape->dims[i]))
      return FALSE;
  *size = n;
  return TRUE;
}

/**
 * nn_shape_count:
 *
 * Returns: number of elements of a shape already known to be valid, open dimensions taken as 1
 */
gsize
nn_shape_count (const NnShape *shape)
{
  gsize n = 1;

  for (guint i = 0; i < shape->rank; i++)
    n *= shape->dims[i] < 0 ? 1 : (gsize) shape->dims[i];
  return n;
}

/* The channel axis's extent; 1 for a scalar. */
gint64
nn_shape_last (const NnShape *shape)
{
  return shape->rank > 0 ? shape->dims[shape->rank - 1] : 1;
}

/**
 * nn_shape_to_string:
 *
 * Returns: (transfer full): for example "28 × 28 × 1"; "?" for an open dimension
 */
char *
nn_shape_to_string (const NnShape *shape)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < shape->rank; i++)
    {
      if (i > 0)
        g_string_append (text, " × ");
      if (shape->dims[i] < 0)
        g_string_append_c (text, '?');
      else
        g_string_append_printf (text, "%" G_GINT64_FORMAT, shape->dims[i]);
    }
  return g_string_free (text, FALSE);
}

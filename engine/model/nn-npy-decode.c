/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of a .npy array as they come from its stream: any width, either byte order, C and Fortran order. */

#include "nn-npy-private.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

NnDtype
nn_npy_dtype (const NnNpy *npy)
{
  if (npy->kind == 'f')
    return npy->item == 8 ? NN_DTYPE_F64 : NN_DTYPE_F32;
  if (npy->item == 1 && npy->kind != 'i')
    return NN_DTYPE_U8;
  return npy->item == 8 || (npy->item == 4 && npy->kind == 'u') ? NN_DTYPE_I64 : NN_DTYPE_I32;
}

guint64
nn_npy_bits (const guint8 *p,
             guint         n,
             gboolean      swap)
{
  gboolean big = (G_BYTE_ORDER == G_BIG_ENDIAN) != swap;
  guint64 bits = 0;

  for (guint i = 0; i < n; i++)
    bits |= (guint64) p[big ? n - 1 - i : i] << 8 * i;
  return bits;
}

static gint64
load_int (const NnNpy  *npy,
          const guint8 *p)
{
  guint64 bits = nn_npy_bits (p, npy->item, npy->swap);

  if (npy->kind == 'i' && npy->item < 8 && bits >> (8 * npy->item - 1))
    bits |= ~G_GUINT64_CONSTANT (0) << 8 * npy->item;
  if (npy->kind == 'b')
    return bits != 0;
  return (gint64) bits;
}

static double
load_float (const NnNpy  *npy,
            const guint8 *p)
{
  guint64 bits = nn_npy_bits (p, npy->item, npy->swap);
  guint32 low = bits;
  double d;
  float f;

  switch (npy->item)
    {
    case 2:
      return nn_half_value ((guint16) bits);
    case 4:
      memcpy (&f, &low, sizeof f);
      return f;
    default:
      memcpy (&d, &bits, sizeof d);
      return d;
    }
}

static gboolean
decode (const NnNpy  *npy,
        const guint8 *bytes,
        gsize         n,
        NnDtype       dtype,
        void         *to,
        GError      **error)
{
  gsize item = npy->item;

  if (npy->kind == 'f' && !npy->swap && item == nn_dtype_size (dtype) &&
      (dtype == NN_DTYPE_F32 || dtype == NN_DTYPE_F64))
    {
      memcpy (to, bytes, n * item);
      return TRUE;
    }
  for (gsize i = 0; i < n; i++, bytes += item)
    {
      gint64 v = npy->kind == 'f' ? 0 : load_int (npy, bytes);

      if (npy->kind == 'u' && item == 8 && v < 0 && dtype == NN_DTYPE_F64)
        {
          ((double *) to)[i] = (double) (guint64) v;
          continue;
        }
      if (npy->kind == 'u' && item == 8 && v < 0)
        {
          g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "an unsigned integer is above 2^63 - 1");
          return FALSE;
        }
      switch (dtype)
        {
        case NN_DTYPE_F32:
          ((float *) to)[i] = npy->kind == 'f' ? load_float (npy, bytes) : v;
          break;
        case NN_DTYPE_F64:
          ((double *) to)[i] = npy->kind == 'f' ? load_float (npy, bytes) : v;
          break;
        case NN_DTYPE_I64:
          ((gint64 *) to)[i] = v;
          break;
        case NN_DTYPE_I32:
          ((gint32 *) to)[i] = v;
          break;
        case NN_DTYPE_U8:
        default:
          ((guint8 *) to)[i] = v;
          break;
        }
    }
  return TRUE;
}

gboolean
nn_npy_decode (NnNpy   *npy,
               gsize    n,
               NnDtype  dtype,
               guint8  *to,
               GError **error)
{
  g_autofree guint8 *buffer = g_malloc (MAX (MIN (n, NN_DATA_PIECE), 1) * npy->item);

  for (gsize done = 0; done < n;)
    {
      gsize piece = MIN (n - done, NN_DATA_PIECE);

      if (!nn_npy_fetch_data (npy, buffer, piece * npy->item, error) ||
          !decode (npy, buffer, piece, dtype, to + done * nn_dtype_size (dtype), error))
        return FALSE;
      done += piece;
    }
  return TRUE;
}

NnTensor *
nn_npy_raw (NnNpy   *npy,
            GError **error)
{
  g_autoptr (NnTensor) tensor = nn_data_tensor_new (nn_npy_dtype (npy), &npy->shape, error);

  if (tensor == NULL || !nn_npy_decode (npy, tensor->n, tensor->dtype, tensor->data, error))
    return NULL;
  return g_steal_pointer (&tensor);
}

/* All of the array, in its own type; once only. */
NnTensor *
nn_npy_tensor (NnNpy   *npy,
               GError **error)
{
  g_autoptr (NnTensor) tensor = NULL;
  guint axes[NN_MAX_RANK];

  if (nn_npy_is_text (npy))
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the array holds text where numbers are needed");
      return NULL;
    }
  tensor = nn_npy_raw (npy, error);
  if (tensor == NULL || !npy->fortran)
    return g_steal_pointer (&tensor);
  for (guint i = 0; i < npy->shape.rank; i++)
    {
      axes[i] = npy->shape.rank - 1 - i;
      tensor->shape.dims[i] = npy->shape.dims[npy->shape.rank - 1 - i];
    }
  return nn_tensor_transpose (tensor, axes);
}

/* Whether rows can be read one after the other: numbers, rows first. */
gboolean
nn_npy_is_rows (const NnNpy *npy)
{
  return !nn_npy_is_text (npy) && !npy->fortran && npy->shape.rank > 0;
}

NnTensor *
nn_npy_rows (NnNpy   *npy,
             gsize    count,
             GError **error)
{
  g_autoptr (NnTensor) tensor = NULL;
  NnShape shape = npy->shape;

  g_return_val_if_fail (nn_npy_is_rows (npy), NULL);
  shape.dims[0] = (gint64) count;
  tensor = nn_tensor_try_new (nn_npy_dtype (npy), &shape, error);
  if (tensor == NULL || !nn_npy_decode (npy, tensor->n, tensor->dtype, tensor->data, error))
    return NULL;
  return g_steal_pointer (&tensor);
}

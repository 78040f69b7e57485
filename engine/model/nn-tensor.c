/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dense array of numbers. */

#include "nn-tensor.h"

#include "nn-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A cache line, and the widest vector register (512 bits). */
#define ALIGNMENT 64

typedef struct {
  NnTensor        tensor;
  gatomicrefcount ref_count;
  gsize           mapped; /* bytes, where the data lie in a mapped file */
  gsize           before; /* bytes of the mapping that are not the tensor's */
} Counted;

G_DEFINE_BOXED_TYPE (NnTensor, nn_tensor, nn_tensor_ref, nn_tensor_unref)

static const struct {
  const char *name;
  gsize       size;
} dtypes[] = {
  [NN_DTYPE_F32] = { "float32", 4 },
  [NN_DTYPE_F64] = { "float64", 8 },
  [NN_DTYPE_I64] = { "int64", 8 },
  [NN_DTYPE_I32] = { "int32", 4 },
  [NN_DTYPE_U8] = { "uint8", 1 },
};

gsize
nn_dtype_size (NnDtype dtype)
{
  return dtypes[dtype].size;
}

const char *
nn_dtype_name (NnDtype dtype)
{
  return dtypes[dtype].name;
}

/**
 * nn_tensor_try_new:
 *
 * Like nn_tensor_new() for shapes that come from files.
 *
 * Errors: %NN_ERROR_LIMIT when there is no memory of this size, or a dimension is open
 *
 * Returns: (transfer full): a tensor of zeros
 */
NnTensor *
nn_tensor_try_new (NnDtype         dtype,
                   const NnShape  *shape,
                   GError        **error)
{
  Counted *counted;
  gsize n, bytes;
  gpointer data = NULL;

  if (nn_shape_size (shape, &n) && g_size_checked_mul (&bytes, n, nn_dtype_size (dtype)) &&
      bytes <= G_MAXSSIZE - ALIGNMENT)
    data = aligned_alloc (ALIGNMENT, (MAX (bytes, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  if (data == NULL)
    {
      g_autofree char *text = nn_shape_to_string (shape);

      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "a tensor of shape %s does not fit into memory", text);
      return NULL;
    }
  memset (data, 0, bytes);
  counted = g_new0 (Counted, 1);
  counted->tensor.shape = *shape;
  counted->tensor.dtype = dtype;
  counted->tensor.n = n;
  counted->tensor.data = data;
  g_atomic_ref_count_init (&counted->ref_count);
  return &counted->tensor;
}

/* A file without a name in the user's cache folder, with @bytes set aside on the disk. */
static int
open_spool (gsize    bytes,
            GError **error)
{
  g_autofree char *path = g_build_filename (g_get_user_cache_dir (), "espalier-XXXXXX", NULL);
  int fd, status;

  g_mkdir_with_parents (g_get_user_cache_dir (), 0700);
  fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  status = fd < 0 ? errno : 0;
  if (fd >= 0)
    {
      g_unlink (path);
      status = posix_fallocate (fd, 0, MAX (bytes, 1)); /* a full disk is noticed now, not when a page is written */
    }
  if (status == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (status),
               "no room for %" G_GSIZE_FORMAT " bytes of data in %s: %s", bytes, g_get_user_cache_dir (),
               g_strerror (status));
  return -1;
}

/**
 * nn_tensor_try_new_mapped:
 *
 * A tensor larger than memory: it lies in a temporary file without a name, of which the system keeps as much in memory
 * as there is room.
 *
 * Errors: %G_FILE_ERROR when the disk is full, %NN_ERROR_LIMIT
 *
 * Returns: (transfer full): a tensor of zeros
 */
NnTensor *
nn_tensor_try_new_mapped (NnDtype         dtype,
                          const NnShape  *shape,
                          GError        **error)
{
  Counted *counted;
  gsize n, bytes;
  gpointer data;
  int fd;

  if (!nn_shape_size (shape, &n) || !g_size_checked_mul (&bytes, n, nn_dtype_size (dtype)) || bytes > G_MAXSSIZE / 2)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "a tensor is too large");
      return NULL;
    }
  fd = open_spool (bytes, error);
  if (fd < 0)
    return NULL;
  data = mmap (NULL, MAX (bytes, 1), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close (fd);
  if (data == MAP_FAILED)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%" G_GSIZE_FORMAT " bytes cannot be mapped: %s", bytes,
                   g_strerror (errno));
      return NULL;
    }
  counted = g_new0 (Counted, 1);
  counted->tensor.shape = *shape;
  counted->tensor.dtype = dtype;
  counted->tensor.n = n;
  counted->tensor.data = data;
  counted->mapped = MAX (bytes, 1);
  g_atomic_ref_count_init (&counted->ref_count);
  return &counted->tensor;
}

/**
 * nn_tensor_try_map:
 * @fd: a file, which may be closed after
 * @offset: of the first element in it
 *
 * The numbers of a file as they lie there: nothing is read before it is looked at. Writing changes this tensor alone.
 *
 * Returns: (transfer full) (nullable): %NULL where the file cannot be mapped, or its numbers are not aligned
 */
NnTensor *
nn_tensor_try_map (int            fd,
                   guint64        offset,
                   NnDtype        dtype,
                   const NnShape *shape)
{
  gsize n, bytes, page = (gsize) sysconf (_SC_PAGESIZE), before = offset % page;
  Counted *counted;
  guint8 *data;

  if (!nn_shape_size (shape, &n) || !g_size_checked_mul (&bytes, n, nn_dtype_size (dtype)) || bytes == 0 ||
      bytes > G_MAXSSIZE / 2 || before % nn_dtype_size (dtype) != 0)
    return NULL;
  data = mmap (NULL, before + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, (off_t) (offset - before));
  if (data == MAP_FAILED)
    return NULL;
  counted = g_new0 (Counted, 1);
  counted->tensor.shape = *shape;
  counted->tensor.dtype = dtype;
  counted->tensor.n = n;
  counted->tensor.data = data + before;
  counted->mapped = before + bytes;
  counted->before = before;
  g_atomic_ref_count_init (&counted->ref_count);
  return &counted->tensor;
}

/**
 * nn_tensor_release:
 * @first: an element
 * @n: how many from there on
 *
 * Gives back the memory of elements that will not be looked at soon; of a tensor that lies in a file they are read from there
 * again. Does nothing for others.
 */
void
nn_tensor_release (const NnTensor *tensor,
                   gsize           first,
                   gsize           n)
{
  const Counted *counted = (const Counted *) tensor;
  gsize page = (gsize) sysconf (_SC_PAGESIZE), size = nn_dtype_size (tensor->dtype);
  guintptr from, to;

  if (counted->mapped == 0 || n == 0)
    return;
  from = ((guintptr) tensor->data + first * size) / page * page;
  to = ((guintptr) tensor->data + (first + n) * size) / page * page;
  if (to > from)
    madvise ((void *) from, to - from, MADV_DONTNEED);
}

/**
 * nn_tensor_new:
 *
 * Returns: (transfer full): a tensor of zeros; the process ends when there is no memory, as with g_malloc()
 */
NnTensor *
nn_tensor_new (NnDtype        dtype,
               const NnShape *shape)
{
  g_autoptr (GError) error = NULL;
  NnTensor *tensor = nn_tensor_try_new (dtype, shape, &error);

  if (tensor == NULL)
    g_error ("%s", error->message);
  return tensor;
}

NnTensor *
nn_tensor_ref (NnTensor *tensor)
{
  g_atomic_ref_count_inc (&((Counted *) tensor)->ref_count);
  return tensor;
}

void
nn_tensor_unref (NnTensor *tensor)
{
  if (tensor == NULL || !g_atomic_ref_count_dec (&((Counted *) tensor)->ref_count))
    return;
  if (((Counted *) tensor)->mapped > 0)
    munmap ((guint8 *) tensor->data - ((Counted *) tensor)->before, ((Counted *) tensor)->mapped);
  else
    free (tensor->data);
  g_free (tensor);
}

NnTensor *
nn_tensor_copy (const NnTensor *tensor)
{
  NnTensor *copy = nn_tensor_new (tensor->dtype, &tensor->shape);

  memcpy (copy->data, tensor->data, tensor->n * nn_dtype_size (tensor->dtype));
  return copy;
}

/**
 * nn_tensor_get:
 *
 * Returns: element @i in row-major order, whatever the type
 */
double
nn_tensor_get (const NnTensor *tensor,
               gsize           i)
{
  g_assert (i < tensor->n);
  switch (tensor->dtype)
    {
    case NN_DTYPE_F32:
      return ((const float *) tensor->data)[i];
    case NN_DTYPE_F64:
      return ((const double *) tensor->data)[i];
    case NN_DTYPE_I64:
      return ((const gint64 *) tensor->data)[i];
    case NN_DTYPE_I32:
      return ((const gint32 *) tensor->data)[i];
    case NN_DTYPE_U8:
      return ((const guint8 *) tensor->data)[i];
    default:
      g_assert_not_reached ();
    }
}

/**
 * nn_tensor_convert:
 *
 * Returns: (transfer full): @tensor with elements of @dtype (itself, when it has them already)
 */
NnTensor *
nn_tensor_convert (const NnTensor *tensor,
                   NnDtype         dtype)
{
  NnTensor *result;

  if (tensor->dtype == dtype)
    return nn_tensor_ref ((NnTensor *) tensor);
  result = nn_tensor_new (dtype, &tensor->shape);
  for (gsize i = 0; i < tensor->n; i++)
    {
      double v = nn_tensor_get (tensor, i);

      switch (dtype)
        {
        case NN_DTYPE_F32:
          ((float *) result->data)[i] = v;
          break;
        case NN_DTYPE_F64:
          ((double *) result->data)[i] = v;
          break;
        case NN_DTYPE_I64:
          ((gint64 *) result->data)[i] =
            tensor->dtype == NN_DTYPE_I32 ? ((const gint32 *) tensor->data)[i] : (gint64) v;
          break;
        case NN_DTYPE_I32:
          ((gint32 *) result->data)[i] = (gint32) v;
          break;
        case NN_DTYPE_U8:
          ((guint8 *) result->data)[i] = (guint8) v;
          break;
        default:
          g_assert_not_reached ();
        }
    }
  return result;
}

/* Elements of one sample: the product of all dimensions but the first. */
gsize
nn_tensor_row_size (const NnTensor *tensor)
{
  return tensor->shape.rank > 0 && tensor->shape.dims[0] > 0 ? tensor->n / (gsize) tensor->shape.dims[0] : 1;
}

/**
 * nn_tensor_rows:
 *
 * Returns: (transfer full): a copy of @count rows (samples) from @first
 */
NnTensor *
nn_tensor_rows (const NnTensor *tensor,
                gsize           first,
                gsize           count)
{
  NnShape shape = tensor->shape;
  gsize row = nn_tensor_row_size (tensor) * nn_dtype_size (tensor->dtype);
  NnTensor *result;

  g_assert (shape.rank > 0 && first + count <= (gsize) shape.dims[0]);
  shape.dims[0] = count;
  result = nn_tensor_new (tensor->dtype, &shape);
  memcpy (result->data, (const char *) tensor->data + first * row, count * row);
  return result;
}

/**
 * nn_tensor_transpose:
 * @axes: (array): for each axis of the result, the axis of @tensor it comes from
 *
 * Returns: (transfer full): the transposed copy
 */
NnTensor *
nn_tensor_transpose (const NnTensor *tensor,
                     const guint    *axes)
{
  guint rank = tensor->shape.rank;
  NnShape shape = { .rank = rank };
  gsize stride[NN_MAX_RANK], step[NN_MAX_RANK], size = nn_dtype_size (tensor->dtype);
  NnTensor *result;

  for (guint i = rank; i-- > 0;)
    stride[i] = i + 1 == rank ? 1 : stride[i + 1] * (gsize) tensor->shape.dims[i + 1];
  for (guint i = 0; i < rank; i++)
    {
      shape.dims[i] = tensor->shape.dims[axes[i]];
      step[i] = stride[axes[i]];
    }
  result = nn_tensor_new (tensor->dtype, &shape);
  for (gsize to = 0; to < result->n; to++)
    {
      gsize rest = to, from = 0;

      for (guint i = rank; i-- > 0;)
        {
          from += rest % (gsize) shape.dims[i] * step[i];
          rest /= (gsize) shape.dims[i];
        }
      memcpy ((char *) result->data + to * size, (const char *) tensor->data + from * size, size);
    }
  return result;
}

/* The number that the 16 bits of an IEEE 754 binary16 stand for. */
double
nn_half_value (guint16 bits)
{
  int exponent = bits >> 10 & 31;
  double fraction = bits & 1023;
  double value = exponent == 31  ? (fraction > 0 ? NAN : INFINITY)
                 : exponent == 0 ? ldexp (fraction, -24)
                                 : ldexp (fraction + 1024, exponent - 25);

  return bits & 0x8000 ? -value : value;
}

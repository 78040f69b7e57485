/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two layouts of torch.save() and the tensors in them. Source: torch/serialization.py, _save() and _legacy_save();
 * torch/_utils.py, _rebuild_tensor_v2(). */

#include "nn-pytorch.h"

#include "nn-error.h"
#include "nn-zip.h"

#include <string.h>

#define MAX_PICKLE_BYTES (256u << 20)
#define MAX_STORAGE_BYTES (16ull << 30)
/* Of the older layout: magic number, version, system, the object, keys of the storages: a pickle each. */
enum { LEGACY_MAGIC, LEGACY_VERSION, LEGACY_SYSTEM, LEGACY_OBJECT, LEGACY_KEYS, N_LEGACY };
/* The magic number, 0x1950a86a20f9469cfc6c, has more than 64 bits and is clipped. */
#define LEGACY_VERSION_NUMBER 1001

/* What a call or a class is named, "torch.nn.modules.linear.Linear"; "" for what is neither. The older layout has classes with
 * their source text. */
const char *
nn_pytorch_class (const NnPickleValue *value)
{
  const NnPickleValue *kind;

  if (value != NULL && value->kind == NN_PICKLE_CALL)
    value = value->callable;
  if (value != NULL && value->kind == NN_PICKLE_PERSISTENT)
    {
      kind = nn_pickle_item (value->arguments, 0);
      if (kind != NULL && kind->kind == NN_PICKLE_TEXT && g_str_equal (kind->text, "module"))
        value = nn_pickle_item (value->arguments, 1);
    }
  return value != NULL && value->kind == NN_PICKLE_GLOBAL ? value->text : "";
}

static guint
storage_size (const char *type)
{
  static const struct {
    const char *type;
    guint       size;
  } types[] = { { "torch.FloatStorage", 4 }, { "torch.DoubleStorage", 8 }, { "torch.HalfStorage", 2 }, { "torch.BFloat16Storage", 2 },
                { "torch.LongStorage", 8 },  { "torch.IntStorage", 4 },    { "torch.ShortStorage", 2 }, { "torch.CharStorage", 1 },
                { "torch.ByteStorage", 1 },  { "torch.BoolStorage", 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (types[i].type, type))
      return types[i].size;
  return 0;
}

/* Type and key of a storage: ("storage", type, key, device, elements, ...). */
static gboolean
read_storage (const NnPickleValue *value,
              const char         **type,
              const char         **key)
{
  const NnPickleValue *tuple = value != NULL && value->kind == NN_PICKLE_PERSISTENT ? value->arguments : NULL;
  const NnPickleValue *kind = nn_pickle_item (tuple, 0), *id = nn_pickle_item (tuple, 2);

  if (kind == NULL || kind->kind != NN_PICKLE_TEXT || !g_str_equal (kind->text, "storage") || id == NULL || id->kind != NN_PICKLE_TEXT)
    return FALSE;
  *type = nn_pytorch_class (nn_pickle_item (tuple, 1));
  *key = id->text;
  return TRUE;
}

/* Where each storage lies behind the pickles: its number of elements, then they. */
static gboolean
find_places (NnPytorch           *torch,
             GPtrArray           *storages,
             const NnPickleValue *keys,
             gsize                at)
{
  for (guint i = 0; i < nn_pickle_n_items (keys); i++)
    {
      const NnPickleValue *wanted = nn_pickle_item (keys, i);
      guint size = 0;
      guint64 n = 0;

      for (guint k = 0; k < storages->len && size == 0; k++)
        {
          const char *type, *key;

          if (wanted->kind == NN_PICKLE_TEXT && read_storage (storages->pdata[k], &type, &key) && g_str_equal (key, wanted->text))
            size = storage_size (type);
        }
      if (size == 0 || torch->n - at < 8)
        return FALSE;
      for (guint b = 8; b-- > 0;)
        n = n << 8 | torch->bytes[at + b];
      at += 8;
      if (n > (torch->n - at) / size)
        return FALSE;
      g_hash_table_insert (torch->places, g_strdup (wanted->text), GSIZE_TO_POINTER (at + 1));
      at += (gsize) n * size;
    }
  return TRUE;
}

static gboolean
open_legacy (NnPytorch  *torch,
             NnPickle   *pickle,
             GError    **error)
{
  const NnPickleValue *values[N_LEGACY];
  gsize at = 0, used;

  for (guint i = 0; i < N_LEGACY; i++)
    {
      values[i] = nn_pickle_read (pickle, torch->bytes + at, torch->n - at, &used, error);
      if (values[i] == NULL)
        {
          g_prefix_error (error, "%s: ", torch->file);
          return FALSE;
        }
      at += used;
      if ((i == LEGACY_MAGIC || i == LEGACY_VERSION) &&
          (values[i]->kind != NN_PICKLE_INT || values[i]->integer != (i == LEGACY_MAGIC ? G_MAXINT64 : LEGACY_VERSION_NUMBER)))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                       "%s: a pickled Python object that torch.save() did not write; export the network to ONNX", torch->file);
          return FALSE;
        }
    }
  torch->module = values[LEGACY_OBJECT];
  torch->places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (find_places (torch, nn_pickle_persistent (pickle), values[LEGACY_KEYS], at))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the weights behind the network are cut short or of an unknown type", torch->file);
  return FALSE;
}

static gboolean
open_zip (NnPytorch  *torch,
          NnPickle   *pickle,
          const char *member,
          GError    **error)
{
  g_autoptr (GBytes) text = nn_zip_member (torch->zip, member, MAX_PICKLE_BYTES, torch->file, error);
  gsize n, used;
  const guint8 *bytes;

  if (text == NULL)
    return FALSE;
  torch->prefix = g_strndup (member, strlen (member) - strlen ("data.pkl"));
  bytes = g_bytes_get_data (text, &n);
  torch->module = nn_pickle_read (pickle, bytes, n, &used, error);
  if (torch->module == NULL)
    g_prefix_error (error, "%s: ", torch->file);
  return torch->module != NULL;
}

/* Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED for a pickle that is not PyTorch's */
gboolean
nn_pytorch_open (NnPytorch  *torch,
                 NnPickle   *pickle,
                 GBytes     *bytes,
                 const char *path,
                 GError    **error)
{
  g_autofree char *member = NULL;

  torch->file = path;
  torch->bytes = g_bytes_get_data (bytes, &torch->n);
  if (!nn_zip_is_zip (torch->bytes, torch->n))
    return open_legacy (torch, pickle, error);
  torch->zip = g_bytes_ref (bytes);
  member = nn_zip_find (bytes, "/data.pkl");
  if (member != NULL)
    return open_zip (torch, pickle, member, error);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: no file of PyTorch: it holds no data.pkl", path);
  return FALSE;
}

void
nn_pytorch_clear (NnPytorch *torch)
{
  g_clear_pointer (&torch->zip, g_bytes_unref);
  g_clear_pointer (&torch->prefix, g_free);
  g_clear_pointer (&torch->places, g_hash_table_unref);
}

static double
element (const guint8 *bytes,
         const char   *type,
         guint         size)
{
  guint64 v = 0;

  for (guint i = size; i-- > 0;)
    v = v << 8 | bytes[i];
  if (g_str_equal (type, "torch.HalfStorage"))
    return nn_half_value ((guint16) v);
  if (g_str_equal (type, "torch.DoubleStorage"))
    {
      double value;

      memcpy (&value, &v, sizeof value);
      return value;
    }
  if (g_str_equal (type, "torch.FloatStorage") || g_str_equal (type, "torch.BFloat16Storage"))
    {
      guint32 bits = (guint32) (size == 2 ? v << 16 : v);
      float value;

      memcpy (&value, &bits, sizeof value);
      return value;
    }
  if (size == 1)
    return (double) v;
  return (double) ((gint64) (v << (64 - 8 * size)) >> (64 - 8 * size));
}

/* Extents or strides. */
static gboolean
read_ints (const NnPickleValue *list,
           gint64              *values,
           guint               *n)
{
  *n = nn_pickle_n_items (list);
  if (list == NULL || list->kind != NN_PICKLE_LIST || *n > NN_MAX_RANK)
    return FALSE;
  for (guint i = 0; i < *n; i++)
    {
      const NnPickleValue *item = nn_pickle_item (list, i);

      if (item->kind != NN_PICKLE_INT || item->integer < 0 || item->integer > G_MAXINT32)
        return FALSE;
      values[i] = item->integer;
    }
  return TRUE;
}

/* @last: (out): the largest place of an element in its storage */
static gboolean
read_view (const NnPickleValue  *arguments,
           NnShape              *shape,
           gint64               *stride,
           gsize                *first,
           gsize                *last,
           GError              **error)
{
  const NnPickleValue *offset = nn_pickle_item (arguments, 1);
  guint n_strides;

  if (offset == NULL || offset->kind != NN_PICKLE_INT || offset->integer < 0 || offset->integer > G_MAXINT32 ||
      !read_ints (nn_pickle_item (arguments, 2), shape->dims, &shape->rank) || !read_ints (nn_pickle_item (arguments, 3), stride, &n_strides) ||
      n_strides != shape->rank)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "a tensor has no shape");
      return FALSE;
    }
  *first = *last = (gsize) offset->integer;
  for (guint i = 0; i < shape->rank; i++)
    *last += (gsize) MAX (shape->dims[i] - 1, 0) * (gsize) stride[i];
  return TRUE;
}

static void
fill (NnTensor     *tensor,
      const gint64 *stride,
      gsize         first,
      const guint8 *bytes,
      const char   *type,
      guint         size)
{
  for (gsize to = 0; to < tensor->n; to++)
    {
      gsize rest = to, from = first;

      for (guint i = tensor->shape.rank; i-- > 0;)
        {
          from += rest % (gsize) tensor->shape.dims[i] * (gsize) stride[i];
          rest /= (gsize) tensor->shape.dims[i];
        }
      nn_tensor_f32 (tensor)[to] = (float) element (bytes + from * size, type, size);
    }
}

/**
 * nn_pytorch_tensor:
 * @value: a tensor or a parameter
 *
 * Errors: %NN_ERROR_FORMAT
 *
 * Returns: (transfer full): its numbers, F32
 */
NnTensor *
nn_pytorch_tensor (const NnPytorch      *torch,
                   const NnPickleValue  *value,
                   GError              **error)
{
  const char *name = nn_pytorch_class (value), *type, *key;
  g_autoptr (GBytes) member = NULL;
  NnShape shape = { 0 };
  gint64 stride[NN_MAX_RANK];
  const guint8 *bytes = NULL;
  gsize first, last, count, n = 0;
  NnTensor *tensor;
  guint size;

  if (g_str_equal (name, "torch.nn.parameter.Parameter") || g_str_equal (name, "torch._utils._rebuild_parameter"))
    {
      value = nn_pickle_item (value->arguments, 0);
      name = nn_pytorch_class (value);
    }
  if (!g_str_has_prefix (name, "torch._utils._rebuild_tensor") || !read_storage (nn_pickle_item (value->arguments, 0), &type, &key) ||
      (size = storage_size (type)) == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "a weight is no tensor of a known type");
      return NULL;
    }
  if (!read_view (value->arguments, &shape, stride, &first, &last, error))
    return NULL;
  if (torch->zip != NULL)
    {
      g_autofree char *path = g_strconcat (torch->prefix, "data/", key, NULL);

      member = nn_zip_member (torch->zip, path, MAX_STORAGE_BYTES, torch->file, NULL);
      bytes = member != NULL ? g_bytes_get_data (member, &n) : NULL;
    }
  else
    {
      gsize at = GPOINTER_TO_SIZE (g_hash_table_lookup (torch->places, key));

      bytes = at > 0 ? torch->bytes + at - 1 : NULL;
      n = at > 0 ? torch->n - (at - 1) : 0;
    }
  /* before there is room for it: a shape may ask for more than any file holds */
  if (!nn_shape_size (&shape, &count) || (count > 0 && (bytes == NULL || last >= n / size || count > n / size)))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the numbers of a weight are not in the file");
      return NULL;
    }
  tensor = nn_tensor_try_new (NN_DTYPE_F32, &shape, error);
  if (tensor != NULL)
    fill (tensor, stride, first, bytes, type, size);
  return tensor;
}

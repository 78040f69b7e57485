/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An ONNX file without its large constants, whose bytes stay where they lie in the file: unpacked with them, a message would hold
 * a network of 100 MB a second time. */

#include "nn-onnx-slim.h"

#include "nn-onnx.h"

/* Constants of more bytes than this stay in the file. */
#define MIN_BYTES 65536
/* Source: onnx.proto: ModelProto.graph, GraphProto.initializer, TensorProto.raw_data. */
#define FIELD_GRAPH 7
#define FIELD_INITIALIZER 5
#define FIELD_RAW_DATA 9

gboolean
nn_onnx_varint (const guint8 **at,
                const guint8  *end,
                guint64       *value)
{
  *value = 0;
  for (guint shift = 0; *at < end && shift < 64; shift += 7)
    {
      guint8 byte = *(*at)++;

      *value |= (guint64) (byte & 127) << shift;
      if (byte < 128)
        return TRUE;
    }
  return FALSE;
}

static void
put_varint (GByteArray *to,
            guint64     value)
{
  do
    {
      guint8 byte = (guint8) (value & 127) | (value > 127 ? 128 : 0);

      g_byte_array_append (to, &byte, 1);
      value >>= 7;
    }
  while (value > 0);
}

/* One field of a message whose wire format was checked. */
typedef struct {
  const guint8 *start; /* with its tag */
  const guint8 *body;  /* of a length-delimited one */
  gsize         n;     /* the body's bytes, otherwise those after the tag */
  guint64       tag;
} Field;

static gboolean
next_field (const guint8 **at,
            const guint8  *end,
            Field         *field)
{
  guint64 number = 0;

  field->start = *at;
  if (*at >= end || !nn_onnx_varint (at, end, &field->tag))
    return FALSE;
  field->body = *at;
  switch (field->tag & 7)
    {
    case 0:
      if (!nn_onnx_varint (at, end, &number))
        return FALSE;
      field->n = (gsize) (*at - field->body);
      return TRUE;
    case 1:
    case 5:
      field->n = (field->tag & 7) == 1 ? 8 : 4;
      break;
    case 2:
      if (!nn_onnx_varint (at, end, &number) || number > (guint64) (end - *at))
        return FALSE;
      field->body = *at;
      field->n = (gsize) number;
      break;
    default:
      return FALSE;
    }
  if (field->n > (gsize) (end - *at))
    return FALSE;
  *at += field->n;
  return TRUE;
}

static gboolean
is_bytes (const Field *field,
          guint        number)
{
  return field->tag == (guint64) (number << 3 | 2);
}

/* Appends the tensor, without its raw data where they are large; those go to @large. */
static void
slim_tensor (GByteArray   *to,
             const guint8 *at,
             gsize         n,
             NnOnnxLarge  *large)
{
  const guint8 *end = at + n;
  Field field;

  while (next_field (&at, end, &field))
    if (is_bytes (&field, FIELD_RAW_DATA) && field.n >= MIN_BYTES && large->bytes == NULL)
      *large = (NnOnnxLarge){ field.body, field.n };
    else
      g_byte_array_append (to, field.start, (guint) (at - field.start));
}

static void
put_message (GByteArray       *to,
             guint64           tag,
             const GByteArray *message)
{
  put_varint (to, tag);
  put_varint (to, message->len);
  g_byte_array_append (to, message->data, message->len);
}

static void
slim_graph (GByteArray   *to,
            const guint8 *at,
            gsize         n,
            GArray       *large)
{
  const guint8 *end = at + n;
  Field field;

  while (next_field (&at, end, &field))
    {
      NnOnnxLarge one = { 0 };

      if (!is_bytes (&field, FIELD_INITIALIZER))
        {
          g_byte_array_append (to, field.start, (guint) (at - field.start));
          continue;
        }
      if (field.n < MIN_BYTES)
        g_byte_array_append (to, field.start, (guint) (at - field.start));
      else
        {
          g_autoptr (GByteArray) tensor = g_byte_array_new ();

          slim_tensor (tensor, field.body, field.n, &one);
          put_message (to, field.tag, tensor);
        }
      g_array_append_val (large, one);
    }
}

/**
 * nn_onnx_slim:
 * @bytes: a ModelProto whose wire format was checked
 * @large: (element-type NnOnnxLarge): one for each initialiser, its bytes %NULL where they stay in the message
 *
 * Returns: (transfer full) (nullable): the message without what @large holds; %NULL where there is nothing to leave out, or the
 * parts would not go together again
 */
GByteArray *
nn_onnx_slim (const guint8 *bytes,
              gsize         n,
              GArray       *large)
{
  g_autoptr (GByteArray) model = g_byte_array_new ();
  const guint8 *at = bytes, *end = bytes + n;
  guint n_graphs = 0;
  gboolean any = FALSE;
  Field field;

  if (n > G_MAXUINT32)
    return NULL;
  while (next_field (&at, end, &field))
    if (is_bytes (&field, FIELD_GRAPH))
      {
        g_autoptr (GByteArray) graph = g_byte_array_new ();

        /* several would be merged */
        if (++n_graphs > 1)
          return NULL;
        slim_graph (graph, field.body, field.n, large);
        put_message (model, field.tag, graph);
      }
    else
      g_byte_array_append (model, field.start, (guint) (at - field.start));
  for (guint i = 0; i < large->len; i++)
    any |= g_array_index (large, NnOnnxLarge, i).bytes != NULL;
  return any ? g_steal_pointer (&model) : NULL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX networks: the file. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "nn-load-private.h"
#include "nn-onnx-slim.h"
#include "onnx.pb-c.h"

#include <string.h>

/* Messages within messages deeper than this are no network, and would overflow a recursive parser's stack. */
#define MAX_DEPTH 24

/* Whether the wire format holds, and messages are not nested too deep: protobuf-c recurses without a bound. */
gboolean
nn_onnx_check_wire (const ProtobufCMessageDescriptor *message,
                    const guint8                     *at,
                    gsize                             n,
                    guint                             depth)
{
  const guint8 *end = at + n;

  if (depth > MAX_DEPTH)
    return FALSE;
  while (at < end)
    {
      const ProtobufCFieldDescriptor *field;
      guint64 tag, length;

      if (!nn_onnx_varint (&at, end, &tag))
        return FALSE;
      switch (tag & 7)
        {
        case 0:
          if (!nn_onnx_varint (&at, end, &length))
            return FALSE;
          break;
        case 1:
        case 5:
          length = (tag & 7) == 1 ? 8 : 4;
          if ((guint64) (end - at) < length)
            return FALSE;
          at += length;
          break;
        case 2:
          if (!nn_onnx_varint (&at, end, &length) || length > (guint64) (end - at))
            return FALSE;
          field = protobuf_c_message_descriptor_get_field (message, (unsigned) (tag >> 3));
          if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE &&
              !nn_onnx_check_wire (field->descriptor, at, (gsize) length, depth + 1))
            return FALSE;
          at += length;
          break;
        default:
          return FALSE;
        }
    }
  return TRUE;
}

static void
clear_weight (gpointer data)
{
  NnWeight *weight = data;

  nn_tensor_unref (weight->values);
  nn_tensor_unref (weight->mask);
}

static NnModel *
read_model (Onnx__ModelProto     *proto,
            const char           *path,
            GArray               *large,
            const NnLoadOptions  *options,
            gboolean              lift,
            const NnProgress     *progress,
            GCancellable         *cancellable,
            GError              **error)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (nn_onnx_value_free);
  g_autoptr (GHashTable) values = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) uses = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GHashTable) outputs = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) fused = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) shapes = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) external = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_mapped_file_unref);
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  g_autoptr (GStringChunk) strings = g_string_chunk_new (1024);
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GError) inner = NULL;
  g_autofree char *format = NULL;
  NnOnnx onnx = { .file = path, .options = options, .cancellable = cancellable, .builder = builder, .values = values, .all = all,
                  .uses = uses, .outputs = outputs, .fused = fused, .shapes = shapes, .weights = weights, .strings = strings, .names = names, .external = external,
                   .opset = 1,
                  .own = g_strcmp0 (proto->producer_name, NN_ONNX_PRODUCER) == 0, .lifted = lift, .large = large };
  NnModelInfo info = { .name = proto->graph->name, .whole = lift };

  g_array_set_clear_func (weights, clear_weight);
  for (gsize i = 0; i < proto->n_opset_import; i++)
    if ((proto->opset_import[i]->domain == NULL || proto->opset_import[i]->domain[0] == '\0' ||
         g_str_equal (proto->opset_import[i]->domain, "ai.onnx")) &&
        proto->opset_import[i]->has_version)
      onnx.opset = (int) CLAMP (proto->opset_import[i]->version, 1, 1000);
  if (!nn_onnx_expand_functions (&onnx, proto, error))
    return NULL;
  if (lift && !nn_onnx_lift (&onnx, proto->graph))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: its first axis is not the batch's", path);
      return NULL;
    }
  if (!nn_onnx_read_graph (&onnx, proto->graph, progress, error))
    return NULL;
  graph = nn_graph_builder_seal (builder, &inner);
  if (graph == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&inner), "%s: ", path);
      return NULL;
    }
  nn_onnx_read_masks (&onnx, proto);
  nn_progress_report (progress, 1, NULL);
  format = g_strdup_printf ("%s opset %d", onnx.quantized ? "QONNX" : "ONNX", onnx.opset);
  info.format = format;
  return nn_model_new (graph, (const NnWeight *) (gpointer) weights->data, weights->len, &info, error);
}

static guint
count_unsupported (const NnModel *model)
{
  const NnGraph *graph = nn_model_graph (model);
  guint n = 0;

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    n += nn_graph_node (graph, i)->op == NN_OP_UNSUPPORTED;
  return n;
}

static NnModel *
read_bytes (GBytes              *bytes,
            const char          *path,
            const NnLoadOptions *options,
            gboolean             lift,
            const NnProgress    *progress,
            GCancellable        *cancellable,
            GError             **error)
{
  gsize n;
  const guint8 *data = g_bytes_get_data (bytes, &n);
  g_autoptr (GArray) large = g_array_new (FALSE, FALSE, sizeof (NnOnnxLarge));
  g_autoptr (GByteArray) slim = NULL;
  Onnx__ModelProto *proto = NULL;
  NnModel *model = NULL;

  if (data != NULL && nn_onnx_check_wire (&onnx__model_proto__descriptor, data, n, 0))
    {
      slim = nn_onnx_slim (data, n, large);
      proto = slim != NULL ? onnx__model_proto__unpack (NULL, slim->len, slim->data) : onnx__model_proto__unpack (NULL, n, data);
    }
  if (proto == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the ONNX file is damaged or incomplete", path);
  else if (proto->graph == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the ONNX file holds no network", path);
  else
    model = read_model (proto, path, slim != NULL ? large : NULL, options, lift, progress, cancellable, error);
  if (proto != NULL)
    onnx__model_proto__free_unpacked (proto, NULL);
  return model;
}

/* Whether the bytes begin like a ModelProto: field 1, a small number, the version of the format. */
gboolean
nn_onnx_is_onnx (const guint8 *bytes,
                 gsize         n_bytes)
{
  return n_bytes >= 4 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 64 && (bytes[2] & 7) == 2;
}

/**
 * nn_load_onnx:
 * @bytes: the whole file
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_SHAPE, %NN_ERROR_LIMIT
 */
NnModel *
nn_load_onnx (GBytes              *bytes,
              const char          *path,
              const NnLoadOptions *options,
              const NnProgress    *progress,
              GCancellable        *cancellable,
              GError             **error)
{
  g_autoptr (GError) inner = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnModel) whole = NULL;

  nn_progress_report (progress, 0, NULL);
  model = read_bytes (bytes, path, options, FALSE, progress, cancellable, &inner);
  /* where the first axis turns out not to be the batch's, the network is read again as one sample */
  if (model != NULL ? count_unsupported (model) > 0
                    : g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) || g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE))
    whole = read_bytes (bytes, path, options, TRUE, progress, cancellable, NULL);
  if (whole != NULL && count_unsupported (whole) == 0)
    return g_steal_pointer (&whole);
  if (model == NULL)
    g_propagate_error (error, g_steal_pointer (&inner));
  return g_steal_pointer (&model);
}

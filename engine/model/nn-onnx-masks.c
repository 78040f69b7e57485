/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masks of pruned weights in an ONNX file's metadata, both ways: "espalier.mask/LAYER/ROLE", its value one bit an element in base 64.
 * The layer and role are those under which the weight is read again. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

#define PREFIX "espalier.mask"

/* What a layer is written as that ONNX has as several: the part's name behind the layer's. */
static const char *
part_of (const NnNode *node,
         NnRole        role)
{
  switch (role)
    {
    case NN_ROLE_DEPTHWISE_KERNEL:
      return "__depthwise";
    case NN_ROLE_QUERY_KERNEL:
    case NN_ROLE_QUERY_BIAS:
      return "__query";
    case NN_ROLE_KEY_KERNEL:
    case NN_ROLE_KEY_BIAS:
      return "__key";
    case NN_ROLE_VALUE_KERNEL:
    case NN_ROLE_VALUE_BIAS:
      return "__value";
    default:
      return "";
    }
}

/* The role that the part's weight is read with. */
static NnRole
role_of_part (NnRole role)
{
  switch (role)
    {
    case NN_ROLE_DEPTHWISE_KERNEL:
    case NN_ROLE_POINTWISE_KERNEL:
    case NN_ROLE_QUERY_KERNEL:
    case NN_ROLE_KEY_KERNEL:
    case NN_ROLE_VALUE_KERNEL:
    case NN_ROLE_OUTPUT_KERNEL:
      return NN_ROLE_KERNEL;
    case NN_ROLE_QUERY_BIAS:
    case NN_ROLE_KEY_BIAS:
    case NN_ROLE_VALUE_BIAS:
    case NN_ROLE_OUTPUT_BIAS:
      return NN_ROLE_BIAS;
    default:
      return role;
    }
}

/* (transfer full) */
static char *
key (const char *layer,
     NnRole      role,
     const char *name)
{
  return g_strdup_printf ("%s/%s/%s%s%s", PREFIX, layer, nn_role_name (role), role == NN_ROLE_OTHER ? "/" : "", role == NN_ROLE_OTHER ? name : "");
}

/* @mask of a file, where it fits and says 0 of nothing that is not. (transfer full) (nullable) */
static NnTensor *
unpack (const char     *text,
        const NnTensor *values)
{
  gsize n;
  g_autofree guchar *bits = g_base64_decode (text, &n);
  g_autoptr (NnTensor) mask = NULL;

  if (n != values->n / 8 + 1)
    return NULL;
  mask = nn_tensor_new (NN_DTYPE_U8, &values->shape);
  for (gsize b = 0; b < mask->n; b++)
    {
      nn_tensor_u8 (mask)[b] = bits[b / 8] >> b % 8 & 1;
      if (!nn_tensor_u8 (mask)[b] && nn_tensor_f32 (values)[b] != 0)
        return NULL;
    }
  return g_steal_pointer (&mask);
}

/**
 * nn_onnx_read_masks:
 *
 * Gives the weights the masks that the file tells; one that does not fit its weight is not ours and is passed over.
 */
void
nn_onnx_read_masks (NnOnnx           *onnx,
                    Onnx__ModelProto *proto)
{
  g_autoptr (GHashTable) masks = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize k = 0; k < proto->n_metadata_props; k++)
    {
      const Onnx__StringStringEntryProto *entry = proto->metadata_props[k];

      if (entry->key != NULL && entry->value != NULL && g_str_has_prefix (entry->key, PREFIX))
        g_hash_table_insert (masks, entry->key, entry->value);
    }
  for (guint i = 0; g_hash_table_size (masks) > 0 && i < onnx->weights->len; i++)
    {
      NnWeight *weight = &g_array_index (onnx->weights, NnWeight, i);
      const char *end = g_str_has_suffix (weight->layer, "__linear") ? weight->layer + strlen (weight->layer) - strlen ("__linear")
                                                                     : weight->layer + strlen (weight->layer);
      g_autofree char *layer = g_strndup (weight->layer, (gsize) (end - weight->layer));
      g_autofree char *name = key (layer, weight->role, weight->name);
      const char *text = g_hash_table_lookup (masks, name);

      if (text != NULL && weight->mask == NULL && weight->values->dtype == NN_DTYPE_F32)
        weight->mask = unpack (text, weight->values);
    }
}

/**
 * nn_onnx_put_masks:
 * @properties: (element-type Onnx__StringStringEntryProto): they are added to; all lives in the writer's arena
 */
void
nn_onnx_put_masks (NnOnnxWriter *w,
                   GPtrArray    *properties)
{
  for (guint i = 0; i < nn_graph_n_nodes (w->graph); i++)
    {
      const NnNode *node = nn_graph_node (w->graph, i);

      for (guint k = 0; k < node->n_weights; k++)
        {
          const NnWeight *weight = nn_model_weight (w->model, node->weights[k]);
          Onnx__StringStringEntryProto *entry = nn_arena_new0 (w->arena, Onnx__StringStringEntryProto, 1);
          g_autofree char *layer = g_strconcat (node->origin, part_of (node, weight->role), NULL);
          g_autofree char *name = key (layer, role_of_part (weight->role), weight->name), *text = NULL;
          g_autofree guint8 *bits = NULL;

          if (weight->mask == NULL)
            continue;
          bits = g_malloc0 (weight->mask->n / 8 + 1);
          for (gsize b = 0; b < weight->mask->n; b++)
            bits[b / 8] |= (guint8) (nn_tensor_u8 (weight->mask)[b] != 0) << b % 8;
          text = g_base64_encode (bits, weight->mask->n / 8 + 1);
          onnx__string_string_entry_proto__init (entry);
          entry->key = nn_arena_strdup (w->arena, name);
          entry->value = nn_arena_strdup (w->arena, text);
          g_ptr_array_add (properties, entry);
        }
    }
}

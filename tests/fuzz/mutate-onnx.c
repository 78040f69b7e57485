/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks of ONNX changed as networks: other operators, other connections, attributes, extents and numbers. */

#include "mutate.h"

#include "nn-onnx.h"
#include "nn-rng.h"
#include "onnx.pb-c.h"

#include <stdlib.h>
#include <string.h>

/* One in so many changes is of the bytes as they lie. */
#define OF_BYTES 8
#define MOST_CHANGES 3

static gint64
any_int (NnRng *rng)
{
  static const gint64 odd[] = { 0, 1, -1, 2, 3, 4, 7, -2, 16, 255, G_MAXINT32, G_MININT32, G_MAXINT64, G_MININT64 };

  return nn_rng_below (rng, 2) == 0 ? odd[nn_rng_below (rng, G_N_ELEMENTS (odd))] : (gint64) nn_rng_below (rng, 9);
}

static float
any_float (NnRng *rng)
{
  static const float odd[] = { 0, -0.f, 1, -1, 0.5f, 1e-30f, 1e30f, G_MAXFLOAT };

  return nn_rng_below (rng, 3) == 0 ? (float) nn_rng_normal (rng) : odd[nn_rng_below (rng, G_N_ELEMENTS (odd))];
}

static void
set_text (char      **text,
          const char *to)
{
  if (*text != NULL && *text != protobuf_c_empty_string)
    free (*text);
  *text = strdup (to != NULL ? to : "");
}

static const char *
any_of (const char *const *words,
        NnRng             *rng)
{
  return words[nn_rng_below (rng, g_strv_length ((char **) words))];
}

/* Whatever a node can be connected to. */
static const char *
any_value (Onnx__GraphProto *graph,
           NnRng            *rng)
{
  Onnx__NodeProto *node = graph->node[nn_rng_below (rng, graph->n_node)];

  switch (nn_rng_below (rng, 4))
    {
    case 0:
      return graph->n_initializer > 0 ? graph->initializer[nn_rng_below (rng, graph->n_initializer)]->name : "";
    case 1:
      return graph->n_input > 0 ? graph->input[nn_rng_below (rng, graph->n_input)]->name : "";
    case 2:
      return node->n_output > 0 ? node->output[nn_rng_below (rng, node->n_output)] : "";
    default:
      return "";
    }
}

static void
change_attribute (Onnx__NodeProto *node,
                  NnRng           *rng)
{
  static const char *const words[] = { "VALID", "SAME_UPPER", "SAME_LOWER", "NOTSET", "nearest", "linear", "cubic", "constant",
                                       "reflect", "edge", "asymmetric", "half_pixel", "align_corners", "bidirectional", "reverse",
                                       "ij,jk->ik", "bij,bjk->bik", "ROUND", "FLOOR", "CRD", "DCR", "none", "tanh", NULL };
  static const char *const names[] = { "axis", "axes", "keepdims", "perm", "pads", "strides", "dilations", "group", "kernel_shape",
                                       "alpha", "beta", "transA", "transB", "mode", "auto_pad", "ceil_mode", "value", "to", "shape",
                                       "epsilon", "hidden_size", "direction", "signed", "narrow", "rounding_mode", "blocksize",
                                       "output_padding", "output_shape", "split", "num_outputs", "starts", "ends", "equation", NULL };
  Onnx__AttributeProto *attribute;
  gsize i;

  if (node->n_attribute == 0)
    return;
  i = nn_rng_below (rng, node->n_attribute);
  attribute = node->attribute[i];
  switch (nn_rng_below (rng, 6))
    {
    case 0:
      set_text (&attribute->name, any_of (names, rng));
      break;
    case 1:
      protobuf_c_message_free_unpacked (&attribute->base, NULL);
      node->attribute[i] = node->attribute[--node->n_attribute];
      break;
    default:
      attribute->i = any_int (rng);
      attribute->f = any_float (rng);
      for (gsize k = 0; k < attribute->n_ints; k++)
        if (nn_rng_below (rng, attribute->n_ints) == 0)
          attribute->ints[k] = any_int (rng);
      if (attribute->n_ints > 0 && nn_rng_below (rng, 4) == 0)
        attribute->n_ints--;
      if (attribute->has_s && attribute->s.data != NULL && nn_rng_below (rng, 2) == 0)
        {
          const char *word = any_of (words, rng);

          free (attribute->s.data);
          attribute->s.data = (guint8 *) strdup (word);
          attribute->s.len = strlen (word);
        }
      break;
    }
}

static void
change_node (Onnx__GraphProto *graph,
             NnRng            *rng)
{
  g_auto (GStrv) types = nn_onnx_type_names ();
  gsize i = nn_rng_below (rng, graph->n_node), k = nn_rng_below (rng, graph->n_node);
  Onnx__NodeProto *node = graph->node[i];

  switch (nn_rng_below (rng, 5))
    {
    case 0:
      set_text (&node->op_type, any_of ((const char *const *) types, rng));
      break;
    case 1:
      if (node->n_input > 0)
        set_text (&node->input[nn_rng_below (rng, node->n_input)], any_value (graph, rng));
      break;
    case 2:
      graph->node[i] = graph->node[k];
      graph->node[k] = node;
      break;
    case 3:
      if (node->n_input > 1)
        free (node->input[--node->n_input]);
      break;
    default:
      change_attribute (node, rng);
      break;
    }
}

static void
change_constant (Onnx__GraphProto *graph,
                 NnRng            *rng)
{
  static const int types[] = { 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16 };
  Onnx__TensorProto *tensor;

  if (graph->n_initializer == 0)
    return;
  tensor = graph->initializer[nn_rng_below (rng, graph->n_initializer)];
  switch (nn_rng_below (rng, 5))
    {
    case 0:
      tensor->data_type = types[nn_rng_below (rng, G_N_ELEMENTS (types))];
      break;
    case 1:
      if (tensor->n_dims > 0)
        tensor->dims[nn_rng_below (rng, tensor->n_dims)] = any_int (rng);
      break;
    case 2:
      if (tensor->n_dims > 0)
        tensor->n_dims--;
      break;
    case 3:
      for (gsize i = 0; i < tensor->n_int64_data; i++)
        tensor->int64_data[i] = any_int (rng);
      for (gsize i = 0; i < tensor->n_float_data; i++)
        tensor->float_data[i] = any_float (rng);
      break;
    default:
      if (tensor->has_raw_data && tensor->raw_data.len > 0)
        LLVMFuzzerMutate (tensor->raw_data.data, tensor->raw_data.len, tensor->raw_data.len);
      break;
    }
}

static void
change_input (Onnx__GraphProto *graph,
              NnRng            *rng)
{
  Onnx__ValueInfoProto *info = graph->n_input > 0 ? graph->input[nn_rng_below (rng, graph->n_input)] : NULL;
  Onnx__TensorShapeProto *shape = info != NULL && info->type != NULL && info->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
                                    ? info->type->tensor_type->shape : NULL;
  Onnx__TensorShapeProto__Dimension *dimension;

  if (shape == NULL || shape->n_dim == 0)
    return;
  dimension = shape->dim[nn_rng_below (rng, shape->n_dim)];
  if (nn_rng_below (rng, 4) == 0)
    protobuf_c_message_free_unpacked (&shape->dim[--shape->n_dim]->base, NULL);
  else if (dimension->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
    dimension->dim_value = any_int (rng);
}

static void
change (Onnx__ModelProto *model,
        NnRng            *rng)
{
  guint64 what = nn_rng_below (rng, 10);

  if (what < 6)
    change_node (model->graph, rng);
  else if (what < 8)
    change_constant (model->graph, rng);
  else if (what < 9)
    change_input (model->graph, rng);
  else if (model->n_opset_import > 0)
    model->opset_import[nn_rng_below (rng, model->n_opset_import)]->version = 1 + (gint64) nn_rng_below (rng, 23);
}

size_t
LLVMFuzzerCustomMutator (uint8_t     *data,
                         size_t       size,
                         size_t       max_size,
                         unsigned int seed)
{
  Onnx__ModelProto *model = NULL;
  size_t packed = 0;
  NnRng rng;

  nn_rng_init (&rng, seed);
  if (nn_rng_below (&rng, OF_BYTES) > 0)
    model = onnx__model_proto__unpack (NULL, size, data);
  if (model != NULL && model->graph != NULL && model->graph->n_node > 0)
    {
      for (guint64 n = 1 + nn_rng_below (&rng, MOST_CHANGES); n > 0; n--)
        change (model, &rng);
      packed = onnx__model_proto__get_packed_size (model);
      if (packed <= max_size)
        onnx__model_proto__pack (model, data);
    }
  if (model != NULL)
    onnx__model_proto__free_unpacked (model, NULL);
  return packed > 0 && packed <= max_size ? packed : LLVMFuzzerMutate (data, size, max_size);
}

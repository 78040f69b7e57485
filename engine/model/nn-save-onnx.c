/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network as ONNX, operator set 13 (17 where a layer normalisation needs it): plain operators for a float network, so
 * that any runtime computes the same; QONNX's Quant for a quantised one. Masks lie in the file's metadata. */

#include "nn-save-onnx.h"

#include "nn-error.h"
#include "nn-save-private.h"
#include "onnx.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The version of the format that came with these operator sets. */
#define IR_VERSION 8

const char *
nn_onnx_text (NnOnnxWriter *w,
              const char   *format,
              ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  return nn_arena_strdup (w->arena, text);
}

static Onnx__TensorProto *
new_tensor (NnOnnxWriter  *w,
            const char    *name,
            const NnShape *shape,
            int            type)
{
  Onnx__TensorProto *proto = nn_arena_new0 (w->arena, Onnx__TensorProto, 1);

  onnx__tensor_proto__init (proto);
  proto->name = (char *) name;
  proto->n_dims = shape->rank;
  proto->dims = nn_arena_memdup (w->arena, shape->dims, MAX (shape->rank, 1) * sizeof (gint64));
  proto->has_data_type = TRUE;
  proto->data_type = type;
  proto->has_raw_data = TRUE;
  return proto;
}

/* Floats, which all machines that this runs on keep as the file does; the tensor is shared, not copied. */
static Onnx__TensorProto *
floats (NnOnnxWriter *w,
        const char   *name,
        NnTensor     *tensor)
{
  Onnx__TensorProto *proto = new_tensor (w, name, &tensor->shape, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);

  g_ptr_array_add (w->kept, nn_tensor_ref (tensor));
  proto->raw_data.data = tensor->data;
  proto->raw_data.len = tensor->n * sizeof (float);
  return proto;
}

const char *
nn_onnx_put (NnOnnxWriter *w,
             const char   *name,
             NnTensor     *tensor)
{
  g_ptr_array_add (w->tensors, floats (w, name, tensor));
  return name;
}

const char *
nn_onnx_put_ints (NnOnnxWriter *w,
                  const char   *stem,
                  const gint64 *values,
                  guint         n)
{
  const char *name = nn_onnx_text (w, "%s__numbers", stem);
  Onnx__TensorProto *proto = new_tensor (w, name, &NN_SHAPE (n), ONNX__TENSOR_PROTO__DATA_TYPE__INT64);

  proto->raw_data.data = nn_arena_memdup (w->arena, values, n * sizeof *values);
  proto->raw_data.len = n * sizeof *values;
  g_ptr_array_add (w->tensors, proto);
  return name;
}

/* A whole number without axes. */
const char *
nn_onnx_put_int (NnOnnxWriter *w,
                 const char   *name,
                 gint64        value)
{
  Onnx__TensorProto *proto = new_tensor (w, name, &(NnShape){ 0 }, ONNX__TENSOR_PROTO__DATA_TYPE__INT64);

  proto->raw_data.data = nn_arena_memdup (w->arena, &value, sizeof value);
  proto->raw_data.len = sizeof value;
  g_ptr_array_add (w->tensors, proto);
  return name;
}

const char *
nn_onnx_put_real (NnOnnxWriter *w,
                  const char   *name,
                  double        value)
{
  float number = (float) value;
  Onnx__TensorProto *proto = new_tensor (w, name, &(NnShape){ 0 }, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);

  proto->raw_data.data = nn_arena_memdup (w->arena, &number, sizeof number);
  proto->raw_data.len = sizeof number;
  g_ptr_array_add (w->tensors, proto);
  return name;
}

Onnx__NodeProto *
nn_onnx_op (NnOnnxWriter *w,
            const char   *type,
            const char   *output,
            const char   *first,
            ...)
{
  Onnx__NodeProto *op = nn_arena_new0 (w->arena, Onnx__NodeProto, 1);
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  va_list args;

  va_start (args, first);
  for (const char *name = first; name != NULL; name = va_arg (args, const char *))
    g_ptr_array_add (inputs, (gpointer) name);
  va_end (args);
  onnx__node_proto__init (op);
  op->op_type = (char *) type;
  op->name = (char *) nn_onnx_text (w, "%s_%u", type, w->ops->len);
  op->n_input = inputs->len;
  op->input = inputs->len > 0 ? nn_arena_memdup (w->arena, inputs->pdata, inputs->len * sizeof (char *)) : NULL;
  op->n_output = 1;
  op->output = nn_arena_memdup (w->arena, &output, sizeof output);
  g_ptr_array_add (w->ops, op);
  return op;
}

static Onnx__AttributeProto *
add_attribute (NnOnnxWriter    *w,
               Onnx__NodeProto *op,
               const char      *name,
               int              type)
{
  Onnx__AttributeProto *a = nn_arena_new0 (w->arena, Onnx__AttributeProto, 1);
  Onnx__AttributeProto **list = nn_arena_new0 (w->arena, Onnx__AttributeProto *, op->n_attribute + 1);

  onnx__attribute_proto__init (a);
  a->name = (char *) name;
  a->has_type = TRUE;
  a->type = type;
  for (gsize i = 0; i < op->n_attribute; i++)
    list[i] = op->attribute[i];
  list[op->n_attribute++] = a;
  op->attribute = list;
  return a;
}

void
nn_onnx_set_int (NnOnnxWriter    *w,
                 Onnx__NodeProto *op,
                 const char      *name,
                 gint64           value)
{
  Onnx__AttributeProto *a = add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

  a->has_i = TRUE;
  a->i = value;
}

void
nn_onnx_set_real (NnOnnxWriter    *w,
                  Onnx__NodeProto *op,
                  const char      *name,
                  double           value)
{
  Onnx__AttributeProto *a = add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

  a->has_f = TRUE;
  a->f = (float) value;
}

void
nn_onnx_set_text (NnOnnxWriter    *w,
                  Onnx__NodeProto *op,
                  const char      *name,
                  const char      *value)
{
  Onnx__AttributeProto *a = add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

  a->has_s = TRUE;
  a->s.data = (guint8 *) nn_arena_strdup (w->arena, value);
  a->s.len = strlen (value);
}

void
nn_onnx_set_ints (NnOnnxWriter    *w,
                  Onnx__NodeProto *op,
                  const char      *name,
                  const gint64    *values,
                  guint            n)
{
  Onnx__AttributeProto *a = add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

  a->n_ints = n;
  a->ints = nn_arena_memdup (w->arena, values, n * sizeof *values);
}

void
nn_onnx_set_reals (NnOnnxWriter    *w,
                   Onnx__NodeProto *op,
                   const char      *name,
                   const double    *values,
                   guint            n)
{
  Onnx__AttributeProto *a = add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);

  a->n_floats = n;
  a->floats = nn_arena_alloc (w->arena, MAX (n, 1) * sizeof *a->floats);
  for (guint i = 0; i < n; i++)
    a->floats[i] = (float) values[i];
}

void
nn_onnx_set_texts (NnOnnxWriter      *w,
                   Onnx__NodeProto   *op,
                   const char        *name,
                   const char *const *values,
                   guint              n)
{
  Onnx__AttributeProto *a = add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);

  a->n_strings = n;
  a->strings = nn_arena_alloc (w->arena, MAX (n, 1) * sizeof *a->strings);
  for (guint i = 0; i < n; i++)
    {
      a->strings[i].data = (guint8 *) nn_arena_strdup (w->arena, values[i]);
      a->strings[i].len = strlen (values[i]);
    }
}

void
nn_onnx_set_tensor (NnOnnxWriter    *w,
                    Onnx__NodeProto *op,
                    const char      *name,
                    NnTensor        *tensor)
{
  Onnx__AttributeProto *a = add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);

  a->t = floats (w, nn_onnx_text (w, "%s", op->output[0]), tensor);
}

void
nn_onnx_refer (NnOnnxWriter    *w,
               Onnx__NodeProto *op,
               const char      *name,
               const char      *attribute)
{
  add_attribute (w, op, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT)->ref_attr_name = nn_arena_strdup (w->arena, attribute);
}

/* A node's value in a layout; a transpose makes it from the other where it is not there. */
const char *
nn_onnx_value (NnOnnxWriter *w,
               guint         node,
               NnOnnxLayout  layout)
{
  const NnNode *n = nn_graph_node (w->graph, node);
  guint rank = n->shape.rank;
  gint64 perm[NN_MAX_RANK + 1] = { 0 };
  const char *name;

  if (w->names[node][layout] != NULL)
    return w->names[node][layout];
  if (rank < 2)
    return w->names[node][layout] = w->names[node][!layout];
  name = nn_onnx_text (w, layout == NN_ONNX_FIRST ? "%s__first" : "%s", n->name);
  for (guint i = 1; i <= rank; i++)
    if (layout == NN_ONNX_FIRST)
      perm[i] = i == 1 ? rank : i - 1;
    else
      perm[i] = i == rank ? 1 : i + 1;
  nn_onnx_set_ints (w, nn_onnx_op (w, "Transpose", name, w->names[node][!layout], NULL), "perm", perm, rank + 1);
  return w->names[node][layout] = name;
}

static Onnx__ValueInfoProto *
value_info (NnOnnxWriter  *w,
            const char    *name,
            const NnShape *shape)
{
  Onnx__ValueInfoProto *info = nn_arena_new0 (w->arena, Onnx__ValueInfoProto, 1);
  Onnx__TypeProto *type = nn_arena_new0 (w->arena, Onnx__TypeProto, 1);
  Onnx__TypeProto__Tensor *tensor = nn_arena_new0 (w->arena, Onnx__TypeProto__Tensor, 1);
  Onnx__TensorShapeProto *dims = nn_arena_new0 (w->arena, Onnx__TensorShapeProto, 1);

  onnx__value_info_proto__init (info);
  onnx__type_proto__init (type);
  onnx__type_proto__tensor__init (tensor);
  onnx__tensor_shape_proto__init (dims);
  info->name = (char *) name;
  info->type = type;
  type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  type->tensor_type = tensor;
  tensor->has_elem_type = TRUE;
  tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  tensor->shape = dims;
  dims->n_dim = shape->rank + 1;
  dims->dim = nn_arena_new0 (w->arena, Onnx__TensorShapeProto__Dimension *, shape->rank + 1);
  for (guint i = 0; i <= shape->rank; i++)
    {
      Onnx__TensorShapeProto__Dimension *d = nn_arena_new0 (w->arena, Onnx__TensorShapeProto__Dimension, 1);

      onnx__tensor_shape_proto__dimension__init (d);
      if (i > 0 && shape->dims[i - 1] >= 0)
        {
          d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
          d->dim_value = shape->dims[i - 1];
        }
      else
        {
          d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
          d->dim_param = (char *) (i == 0 ? "N" : nn_onnx_text (w, "%s_%u", name, i));
        }
      dims->dim[i] = d;
    }
  return info;
}

/* Bytes of a message as they come, to a file. */
typedef struct {
  ProtobufCBuffer  base;
  FILE            *file;
  gboolean         failed;
} FileBuffer;

static void
append_to_file (ProtobufCBuffer *buffer,
                size_t           n,
                const uint8_t   *bytes)
{
  FileBuffer *to = (FileBuffer *) buffer;

  to->failed |= fwrite (bytes, 1, n, to->file) != n;
}

/* The file appears whole or not at all; weights go there from where they are. */
static gboolean
write_file (const Onnx__ModelProto  *model,
            const char              *path,
            GError                 **error)
{
  g_autofree char *temporary = g_strdup_printf ("%s.XXXXXX", path);
  int descriptor = g_mkstemp_full (temporary, O_WRONLY, 0666);
  FileBuffer buffer = { .base.append = append_to_file };
  gboolean ok = FALSE;
  int code;

  buffer.file = descriptor >= 0 ? fdopen (descriptor, "wb") : NULL;
  if (buffer.file != NULL)
    {
      onnx__model_proto__pack_to_buffer (model, &buffer.base);
      ok = fflush (buffer.file) == 0 && !buffer.failed && fsync (descriptor) == 0;
      ok = fclose (buffer.file) == 0 && ok && g_rename (temporary, path) == 0;
    }
  code = errno;
  if (!ok)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code), "%s: it cannot be written: %s", path, g_strerror (code));
      if (descriptor >= 0)
        g_unlink (temporary);
    }
  return ok;
}

static gboolean
write_model (NnOnnxWriter  *w,
             const char    *path,
             GError       **error)
{
  Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
  Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
  Onnx__OperatorSetIdProto sets[4], *set_list[4];
  const char *domains[] = { "", w->quantized || w->bipolar ? NN_ONNX_QONNX_DOMAIN : NULL, w->functions->len > 0 ? NN_ONNX_OWN_DOMAIN : NULL,
                            w->trees ? NN_ONNX_TREES_DOMAIN : NULL };
  g_autoptr (GPtrArray) inputs = g_ptr_array_new (), outputs = g_ptr_array_new (), properties = g_ptr_array_new ();
  guint n_inputs, n_outputs;
  const guint *in = nn_graph_inputs (w->graph, &n_inputs), *out = nn_graph_outputs (w->graph, &n_outputs);

  for (guint i = 0; i < n_inputs; i++)
    g_ptr_array_add (inputs, value_info (w, nn_onnx_value (w, in[i], NN_ONNX_LAST), &nn_graph_node (w->graph, in[i])->shape));
  for (guint i = 0; i < n_outputs; i++)
    g_ptr_array_add (outputs,
                     value_info (w, nn_onnx_value (w, out[i], NN_ONNX_LAST), &nn_graph_node (w->graph, out[i])->shape));
  nn_onnx_put_masks (w, properties);
  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    if (domains[i] != NULL)
      {
        Onnx__OperatorSetIdProto *set = &sets[model.n_opset_import];

        onnx__operator_set_id_proto__init (set);
        set->domain = (char *) domains[i];
        set->has_version = TRUE;
        set->version = i == 0 ? w->opset : 1;
        set_list[model.n_opset_import++] = set;
      }
  model.opset_import = set_list;
  model.n_functions = w->functions->len;
  model.functions = (Onnx__FunctionProto **) w->functions->pdata;
  graph.name = (char *) (nn_model_info (w->model)->name != NULL ? nn_model_info (w->model)->name : "model");
  graph.n_node = w->ops->len;
  graph.node = (Onnx__NodeProto **) w->ops->pdata;
  graph.n_initializer = w->tensors->len;
  graph.initializer = (Onnx__TensorProto **) w->tensors->pdata;
  graph.n_input = inputs->len;
  graph.input = (Onnx__ValueInfoProto **) inputs->pdata;
  graph.n_output = outputs->len;
  graph.output = (Onnx__ValueInfoProto **) outputs->pdata;
  model.has_ir_version = TRUE;
  model.ir_version = IR_VERSION;
  model.producer_name = (char *) NN_ONNX_PRODUCER;
  model.graph = &graph;
  model.n_metadata_props = properties->len;
  model.metadata_props = (Onnx__StringStringEntryProto **) properties->pdata;
  return write_file (&model, path, error);
}

/* A layer with quantisers before its sum's activation, or around it, as several nodes of one thing each; so are merges with an
 * activation, and a quantiser that goes by the last axis. The last node bears the layer's name. */
static gboolean
has_parts (const NnNode *node)
{
  const NnAttrs *a = &node->attrs;

  return a->sum_quantizer != NULL ||
         (a->quantizer != NULL && a->act != NN_ACT_QUANTIZED && node->op != NN_OP_QUANTIZE && !nn_op_is_recurrent (node->op)) ||
         (a->act != NN_ACT_LINEAR &&
          (nn_op_info (node->op)->op_class == NN_OP_CLASS_MERGE || nn_op_info (node->op)->op_class == NN_OP_CLASS_NORM ||
           node->op == NN_OP_EINSUM_DENSE)) ||
         (node->op != NN_OP_QUANTIZE && node->op != NN_OP_ACTIVATION && !nn_op_is_recurrent (node->op) &&
          nn_onnx_quant_layout (a->quantizer, NN_ONNX_FIRST) == NN_ONNX_LAST);
}

static void
add_part (NnGraphBuilder *builder,
          const NnNode   *layer,
          NnOp            op,
          const char     *suffix,
          NnQuantizer    *quantizer)
{
  guint input = nn_graph_builder_n_nodes (builder) - 1;
  g_autofree char *name = g_strconcat (layer->name, suffix, NULL);
  NnNode *node = nn_graph_builder_add (builder, op, name, layer->class_name, &input, 1);

  if (op == NN_OP_ACTIVATION)
    node->attrs = layer->attrs;
  node->attrs.quantizer = nn_graph_builder_quantizer (builder, quantizer);
  node->attrs.sum_quantizer = node->attrs.input_quantizer = NULL;
  node->shape = layer->shape;
}

static void
add_parts (NnGraphBuilder *builder,
           const NnNode   *node,
           const guint    *inputs)
{
  gboolean fused = node->attrs.act == NN_ACT_QUANTIZED;
  NnQuantizer *last = fused ? NULL : node->attrs.quantizer;
  g_autofree char *name = g_strconcat (node->name, "__linear", NULL);
  NnNode plain = *node, *copy;

  plain.name = name;
  copy = nn_graph_builder_add_copy (builder, &plain, inputs, node->n_inputs);
  copy->attrs.act = NN_ACT_LINEAR;
  copy->attrs.quantizer = copy->attrs.sum_quantizer = NULL;
  if (node->attrs.sum_quantizer != NULL)
    add_part (builder, node, NN_OP_QUANTIZE, node->attrs.act == NN_ACT_LINEAR && last == NULL ? "" : "__sum",
              node->attrs.sum_quantizer);
  if (node->attrs.act != NN_ACT_LINEAR)
    add_part (builder, node, NN_OP_ACTIVATION, last == NULL ? "" : "__activation", fused ? node->attrs.quantizer : NULL);
  if (last != NULL)
    add_part (builder, node, NN_OP_QUANTIZE, "", last);
}

/* (transfer full) */
static NnModel *
split_layers (const NnModel  *model,
              GError        **error)
{
  NnGraph *graph = nn_model_graph (model);
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) result = NULL;
  g_autofree guint *moved = g_new (guint, nn_graph_n_nodes (graph) + 1);
  g_autofree NnWeight *weights = g_new (NnWeight, nn_model_n_weights (model) + 1);
  guint n_outputs;
  const guint *outputs = nn_graph_outputs (graph, &n_outputs);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      g_autofree guint *inputs = g_new (guint, node->n_inputs + 1);
      NnNode *copy;

      for (guint k = 0; k < node->n_inputs; k++)
        inputs[k] = moved[node->inputs[k]];
      if (node->attrs.input_quantizer != NULL && node->n_inputs > 0)
        {
          g_autofree char *name = g_strconcat (node->name, "__input", NULL);

          copy = nn_graph_builder_add (builder, NN_OP_QUANTIZE, name, node->class_name, inputs, 1);
          copy->attrs.quantizer = nn_graph_builder_quantizer (builder, node->attrs.input_quantizer);
          copy->shape = nn_graph_node (graph, node->inputs[0])->shape;
          inputs[0] = nn_graph_builder_n_nodes (builder) - 1;
        }
      if (has_parts (node))
        add_parts (builder, node, inputs);
      else
        nn_graph_builder_add_copy (builder, node, inputs, node->n_inputs);
      moved[i] = nn_graph_builder_n_nodes (builder) - 1;
    }
  for (guint i = 0; i < n_outputs; i++)
    nn_graph_builder_output (builder, moved[outputs[i]]);
  result = nn_graph_builder_seal (builder, error);
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    weights[i] = *nn_model_weight (model, i);
  return result != NULL ? nn_model_new (result, weights, nn_model_n_weights (model), nn_model_info (model), error) : NULL;
}

gboolean
nn_save_onnx (const NnModel  *source,
              const char     *path,
              GError        **error)
{
  g_autoptr (NnModel) model = split_layers (source, error);
  const NnGraph *graph = model != NULL ? nn_model_graph (model) : NULL;
  g_autoptr (NnArena) arena = nn_arena_new ();
  g_autoptr (GPtrArray) ops = g_ptr_array_new (), tensors = g_ptr_array_new (), functions = g_ptr_array_new ();
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  NnOnnxWriter w = { .model = model, .graph = graph, .arena = arena, .ops = ops, .tensors = tensors, .kept = kept,
                     .functions = functions, .opset = NN_ONNX_OPSET };

  if (model == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  w.names = nn_arena_alloc (arena, MAX (nn_graph_n_nodes (graph), 1) * sizeof *w.names);
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    if (!nn_onnx_write_node (&w, i, error))
      {
        g_prefix_error (error, "%s: ", path);
        return FALSE;
      }
  return write_model (&w, path, error);
}

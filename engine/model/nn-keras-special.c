/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras layers of their own kind: attention, einsum, GarNet. */

#include "nn-keras.h"

#include "nn-einsum.h"
#include "nn-error.h"

#include <string.h>

/* (in, heads, dim) and (heads, dim). */
static gboolean
take_projection (NnKerasLayer  *layer,
                 const char    *name,
                 const char    *sub,
                 NnRole         kernel,
                 NnRole         bias,
                 const NnShape *kernel_shape,
                 const NnShape *bias_shape,
                 GError       **error)
{
  g_autofree char *kernel_name = g_strdup_printf ("%s/kernel", name), *bias_name = g_strdup_printf ("%s/bias", name);
  /* Keras 2's zip has an underscore before the part's name */
  g_autofree char *old = g_strdup_printf ("_%s/0", sub);

  for (guint i = 0; layer->keras->numbered && i < layer->vars->len; i++)
    if (g_str_equal (((NnKerasVar *) layer->vars->pdata[i])->name, old))
      {
        old[strlen (old) - 2] = '\0';
        sub = old;
        break;
      }
  return nn_keras_take (layer, kernel, kernel_name, sub, kernel_shape, error) &&
         (!layer->node->attrs.use_bias || nn_keras_take (layer, bias, bias_name, sub, bias_shape, error));
}

/* A class that no published QKeras has: its projections' weights are rounded by two quantisers, which its file tells. */
static gboolean
read_projection_quantizers (NnKerasLayer  *layer,
                            GError       **error)
{
  static const NnRole kernels[] = { NN_ROLE_QUERY_KERNEL, NN_ROLE_KEY_KERNEL, NN_ROLE_VALUE_KERNEL, NN_ROLE_OUTPUT_KERNEL };
  static const NnRole biases[] = { NN_ROLE_QUERY_BIAS, NN_ROLE_KEY_BIAS, NN_ROLE_VALUE_BIAS, NN_ROLE_OUTPUT_BIAS };
  NnAttrs *a = &layer->node->attrs;

  if (!g_str_equal (layer->class_name, "QMultiHeadAttention"))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++)
    if (!nn_keras_quantizer (layer, nn_json_get (layer->config, "kernel_quantizer"), &a->role_quantizer[kernels[i]], error) ||
        (a->use_bias && !nn_keras_quantizer (layer, nn_json_get (layer->config, "bias_quantizer"), &a->role_quantizer[biases[i]], error)))
      return FALSE;
  layer->node->reason = nn_graph_builder_strdup (layer->keras->builder,
                                                 N_("the class is none of QKeras's, so that only its weights are rounded, as its file "
                                                    "says; its scores and their softmax are taken as exact"));
  return TRUE;
}

gboolean
nn_keras_read_attention (NnKerasLayer  *layer,
                         GError       **error)
{
  NnAttrs *a = &layer->node->attrs;
  const NnShape *query = layer->in;
  const NnShape *value = &nn_graph_builder_node (layer->keras->builder, layer->inputs[layer->n_inputs > 1 ? 1 : 0])->shape;
  const NnShape *key = layer->n_inputs > 2 ? &nn_graph_builder_node (layer->keras->builder, layer->inputs[2])->shape : value;
  gint64 out = nn_shape_last (query);

  if (!nn_json_int (layer->config, "num_heads", &a->n_heads) || !nn_json_int (layer->config, "key_dim", &a->key_dim) ||
      a->n_heads < 1 || a->key_dim < 1 || a->n_heads > G_MAXINT16 || a->key_dim > G_MAXINT32)
    return nn_keras_bad (layer, error, "\"num_heads\" and \"key_dim\" must be positive");
  if (!nn_json_int (layer->config, "value_dim", &a->value_dim))
    a->value_dim = a->key_dim;
  if (a->value_dim < 1 || a->value_dim > G_MAXINT32)
    return nn_keras_bad (layer, error, "\"value_dim\" must be positive");
  if (query->rank != 2 || value->rank != 2 || key->rank != 2)
    return nn_keras_unsupported (layer, error, "attention over more than one axis is not supported");
  if (nn_json_get (layer->config, "output_shape") != NULL)
    {
      JsonArray *array = nn_json_array (layer->config, "output_shape");

      if (array != NULL && json_array_get_length (array) != 1)
        return nn_keras_unsupported (layer, error, "\"output_shape\" of more than one axis is not supported");
      if (!nn_json_as_int (array != NULL ? json_array_get_element (array, 0)
                                         : nn_json_get (layer->config, "output_shape"),
                           &out) ||
          out < 1 || out > G_MAXINT32)
        return nn_keras_bad (layer, error, "\"output_shape\" must be positive");
    }
  a->use_bias = nn_json_boolean (layer->config, "use_bias", TRUE);
  a->units = out;
  layer->node->shape = NN_SHAPE (query->dims[0], out);
  return take_projection (layer, "query", "query_dense", NN_ROLE_QUERY_KERNEL, NN_ROLE_QUERY_BIAS,
                          &NN_SHAPE (nn_shape_last (query), a->n_heads, a->key_dim), &NN_SHAPE (a->n_heads, a->key_dim),
                          error) &&
         take_projection (layer, "key", "key_dense", NN_ROLE_KEY_KERNEL, NN_ROLE_KEY_BIAS,
                          &NN_SHAPE (nn_shape_last (key), a->n_heads, a->key_dim), &NN_SHAPE (a->n_heads, a->key_dim),
                          error) &&
         take_projection (layer, "value", "value_dense", NN_ROLE_VALUE_KERNEL, NN_ROLE_VALUE_BIAS,
                          &NN_SHAPE (nn_shape_last (value), a->n_heads, a->value_dim), &NN_SHAPE (a->n_heads, a->value_dim),
                          error) &&
         take_projection (layer, "attention_output", "output_dense", NN_ROLE_OUTPUT_KERNEL, NN_ROLE_OUTPUT_BIAS,
                          &NN_SHAPE (a->n_heads, a->value_dim, out), &NN_SHAPE (out), error) &&
         read_projection_quantizers (layer, error);
}

/* What "abc,cd->abd" makes of a sample and a kernel. */
gboolean
nn_keras_einsum_shape (NnKerasLayer   *layer,
                       const char     *equation,
                       const NnTensor *kernel,
                       const NnShape  *in,
                       NnShape        *shape,
                       GError        **error)
{
  NnShape operands[2], out;

  if (in->rank >= NN_MAX_RANK)
    return nn_keras_unsupported (layer, error, "its input has too many axes");
  operands[0] = nn_einsum_batched (in);
  operands[1] = kernel->shape;
  if (equation == NULL || strstr (equation, "->") == NULL || !nn_einsum_shape (equation, operands, 2, &out) || out.dims[0] != 1)
    return nn_keras_bad (layer, error, "\"equation\" %s is not of the form \"abc,cd->abd\", or does not fit its input and kernel",
                         equation != NULL ? equation : "is missing:");
  shape->rank = out.rank - 1;
  memcpy (shape->dims, out.dims + 1, shape->rank * sizeof shape->dims[0]);
  return TRUE;
}

gboolean
nn_keras_read_einsum_dense (NnKerasLayer  *layer,
                            GError       **error)
{
  const char *equation = nn_json_string (layer->config, "equation"), *bias_axes = nn_json_string (layer->config, "bias_axes");
  NnAttrs *a = &layer->node->attrs;

  if (!nn_keras_take (layer, NN_ROLE_KERNEL, "kernel", "", NULL, error) ||
      !nn_keras_einsum_shape (layer, equation, g_array_index (layer->keras->weights, NnWeight, g_array_index (layer->ids, guint, 0)).values,
                              layer->in, &layer->node->shape, error))
    return FALSE;
  a->use_bias = bias_axes != NULL && bias_axes[0] != '\0';
  a->equation = nn_graph_builder_strdup (layer->keras->builder, equation);
  a->units = nn_shape_last (&layer->node->shape);
  return (!a->use_bias || nn_keras_take (layer, NN_ROLE_BIAS, "bias", "", NULL, error)) &&
         nn_keras_activation (layer, nn_json_get (layer->config, "activation"), a, error);
}

/* The number of sublayer @k: alone, or in a list. */
static gboolean
garnet_size (NnKerasLayer  *layer,
             const char    *name,
             guint          k,
             gint64        *value,
             GError       **error)
{
  JsonArray *list = nn_json_array (layer->config, name);
  gboolean found = list != NULL ? k < json_array_get_length (list) && nn_json_as_int (json_array_get_element (list, k), value)
                                : nn_json_int (layer->config, name, value);

  return (found && *value >= 1 && *value <= G_MAXINT16) ||
         nn_keras_bad (layer, error, "\"%s\" must be a positive number, or a list of one for each sublayer", name);
}

/*
 * What is rounded to -1, 0 and 1: quantize_transforms says no more, and stands in files of two versions of the class. The one
 * that hls4ml reads is taken. Source: jkiesele/caloGraphNN 6d1127d8, caloGraphNN_keras.py, ternary_1_05; hls4ml,
 * converters/keras/graph.py.
 */
static gboolean
garnet_quantizers (NnKerasLayer  *layer,
                   NnGarnet      *garnet,
                   GError       **error)
{
  g_autoptr (JsonNode) text = json_node_init_string (json_node_alloc (), "ternary(alpha=1.0,threshold=0.5)");

  return !nn_json_boolean (layer->config, "quantize_transforms", FALSE) ||
         (nn_keras_quantizer (layer, text, &garnet->feature_quantizer, error) &&
          nn_keras_quantizer (layer, text, &garnet->output_quantizer, error));
}

static gboolean
garnet_settings (NnKerasLayer  *layer,
                 NnGarnet      *garnet,
                 guint          k,
                 GError       **error)
{
  const char *collapse = nn_json_string (layer->config, "collapse"), *format = nn_json_string (layer->config, "input_format");

  if (!garnet_size (layer, "n_aggregators", k, &garnet->n_aggregators, error) ||
      !garnet_size (layer, "n_filters", k, &garnet->n_filters, error) ||
      !garnet_size (layer, "n_propagate", k, &garnet->n_propagate, error) || !garnet_quantizers (layer, garnet, error))
    return FALSE;
  if (format == NULL || !g_str_equal (format, "xn"))
    return nn_keras_unsupported (layer, error, "input_format \"%s\" is not supported; \"xn\" is", format != NULL ? format : "none");
  if (collapse != NULL && !g_str_equal (collapse, "mean") && !g_str_equal (collapse, "sum") && !g_str_equal (collapse, "max"))
    return nn_keras_unsupported (layer, error, "collapse \"%s\" is not supported; mean, sum and max are", collapse);
  garnet->simplified = nn_json_boolean (layer->config, "simplified", FALSE);
  garnet->mean_by_nvert = nn_json_boolean (layer->config, "mean_by_nvert", FALSE);
  garnet->collapse = collapse == NULL                 ? NN_COLLAPSE_NONE
                     : g_str_equal (collapse, "mean") ? NN_COLLAPSE_MEAN
                     : g_str_equal (collapse, "sum")  ? NN_COLLAPSE_SUM
                                                      : NN_COLLAPSE_MAX;
  return TRUE;
}

/* Weights, settings and shape of one layer, of a stack or alone. @in: of its vertices */
static gboolean
fill_garnet (NnKerasLayer  *layer,
             NnNode        *node,
             NnGarnet      *garnet,
             const NnShape *in,
             GError       **error)
{
  static const char *const parts[] = { "FLR", "S", "Fout" };
  gint64 features = nn_shape_last (in), carried = garnet->n_propagate + (garnet->simplified ? 0 : garnet->n_aggregators), n_in[3], n_out[3];

  n_in[0] = n_in[1] = features;
  n_in[2] = garnet->n_aggregators * carried * (garnet->simplified ? 1 : 2) + (garnet->simplified ? 0 : features + garnet->n_aggregators);
  n_out[0] = garnet->n_propagate;
  n_out[1] = garnet->n_aggregators;
  n_out[2] = garnet->n_filters;
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *kernel = g_strdup_printf ("%s%s_kernel", parts[i], garnet->part), *bias = g_strdup_printf ("%s%s_bias", parts[i], garnet->part);

      if (!nn_keras_take (layer, NN_ROLE_OTHER, kernel, "", &NN_SHAPE (n_in[i], n_out[i]), error) ||
          !nn_keras_take (layer, NN_ROLE_OTHER, bias, "", &NN_SHAPE (n_out[i]), error))
        return FALSE;
    }
  node->attrs.extra = garnet;
  node->shape = garnet->collapse == NN_COLLAPSE_NONE ? NN_SHAPE (in->dims[0], garnet->n_filters) : NN_SHAPE (garnet->n_filters);
  if (garnet->feature_quantizer != NULL)
    node->reason = nn_graph_builder_strdup (layer->keras->builder,
                                            N_("the file does not tell the bits of \"quantize_transforms\"; its features' and output's "
                                               "weights are taken as ternary (-1, 0, 1 by the threshold 0.5), as in hls4ml"));
  return nn_keras_activation (layer, nn_json_get (layer->config, "output_activation"), &node->attrs, error);
}

static NnGarnet *
new_garnet (NnKerasLayer *layer,
            const char   *part)
{
  NnGarnet *garnet = nn_graph_builder_alloc (layer->keras->builder, sizeof *garnet);

  memset (garnet, 0, sizeof *garnet);
  garnet->part = nn_graph_builder_strdup (layer->keras->builder, part);
  return garnet;
}

static gboolean
check_garnet_inputs (NnKerasLayer  *layer,
                     GError       **error)
{
  return (layer->n_inputs == 2 && layer->in->rank == 2) ||
         nn_keras_bad (layer, error, "its inputs must be vertices (n, features) and their number");
}

gboolean
nn_keras_read_garnet (NnKerasLayer  *layer,
                      GError       **error)
{
  NnGarnet *garnet = new_garnet (layer, "");

  return check_garnet_inputs (layer, error) && garnet_settings (layer, garnet, 0, error) &&
         fill_garnet (layer, layer->node, garnet, layer->in, error);
}

/* One after another, all with the same number of vertices; only the last collapses. */
gboolean
nn_keras_read_garnet_stack (NnKerasLayer  *layer,
                            GError       **error)
{
  guint inputs[2];
  gint64 n = 0;

  if (!check_garnet_inputs (layer, error) || !nn_keras_get_count (layer, "n_sublayers", NULL, &n, error))
    return FALSE;
  inputs[0] = layer->inputs[0];
  inputs[1] = layer->inputs[1];
  for (gint64 k = 0; k < n; k++)
    {
      const NnShape in = nn_graph_builder_node (layer->keras->builder, inputs[0])->shape;
      g_autofree char *part = g_strdup_printf ("%" G_GINT64_FORMAT, k);
      g_autofree char *name = k + 1 < n ? g_strdup_printf ("%s__%s", layer->node_name, part) : g_strdup (layer->node_name);
      guint first = layer->n_shared > 0 ? layer->shared_next : layer->ids->len;
      NnGarnet *garnet = new_garnet (layer, part);
      NnNode *node;

      if (!garnet_settings (layer, garnet, (guint) k, error))
        return FALSE;
      if (k + 1 < n)
        garnet->collapse = NN_COLLAPSE_NONE;
      node = nn_keras_add_node (layer, NN_OP_GARNET, name, inputs, 2);
      if (!fill_garnet (layer, node, garnet, &in, error))
        return FALSE;
      nn_graph_builder_weights (layer->keras->builder, node, &g_array_index (layer->ids, guint, first),
                                (layer->n_shared > 0 ? layer->shared_next : layer->ids->len) - first);
      inputs[0] = layer->out;
    }
  return TRUE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's layers without a kernel of their own, and those that fold a normalisation into it, as plain layers with quantisers as
 * layers around them. Source: calad0i/HGQ2 (0.1), hgq/layers: core/base.py for what is quantised when, and each layer's call. */

#include "nn-keras-hgq.h"

#include <math.h>
#include <string.h>

/* Source: HGQ 2, softmax.py: keras.backend.epsilon () below the fraction. */
#define SOFTMAX_EPSILON 1e-7

/* The last node, as an input of the next. */
guint
nn_hgq2_last (NnKerasLayer *layer)
{
  return nn_graph_builder_n_nodes (layer->keras->builder) - 1;
}

const NnShape *
nn_hgq2_shape_of (NnKerasLayer *layer,
          guint         node)
{
  return &nn_graph_builder_node (layer->keras->builder, node)->shape;
}

/* A node called NAME__suffix, or like the layer itself; its shape is found. (transfer none) (nullable) */
NnNode *
nn_hgq2_add (NnKerasLayer  *layer,
     NnOp           op,
     const char    *suffix,
     const guint   *inputs,
     guint          n_inputs)
{
  g_autofree char *name = suffix != NULL ? g_strdup_printf ("%s__%s", layer->node_name, suffix) : g_strdup (layer->node_name);

  NnNode *node = nn_keras_add_node (layer, op, name, inputs, n_inputs);

  /* where reading fails, what has the layer's name stands for it */
  if (suffix == NULL)
    layer->node = node;
  return node;
}

/* x * factor + offset under the suffix. */
static gboolean
add_factor (NnKerasLayer  *layer,
            const char    *suffix,
            double         factor,
            double         offset,
            GError       **error)
{
  guint input = nn_hgq2_last (layer);
  gint64 channels = MAX (nn_shape_last (nn_hgq2_shape_of (layer, input)), 1);
  NnNode *node = nn_hgq2_add (layer, NN_OP_SCALE, suffix, &input, 1);
  NnTensor *numbers[2];

  for (guint i = 0; i < 2; i++)
    {
      numbers[i] = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));
      for (gsize k = 0; k < numbers[i]->n; k++)
        nn_tensor_f32 (numbers[i])[k] = (float) (i == 0 ? factor : offset);
    }
  node->attrs.use_bias = TRUE;
  return nn_keras_give (layer, node, NN_ROLE_SCALE, numbers[0], error) && nn_keras_give (layer, node, NN_ROLE_BIAS, numbers[1], error) &&
         nn_keras_shape (layer->keras, node, error);
}

/* Puts a quantiser behind @input where @conf is one; @result: (out): what is quantised, @input itself where nothing is. */
gboolean
nn_hgq2_add_quantizer (NnKerasLayer  *layer,
               JsonObject    *conf,
               const char    *sub,
               const char    *suffix,
               guint          input,
               guint         *result,
               GError       **error)
{
  NnQuantizer *quantizer = NULL;
  const NnShape shape = *nn_hgq2_shape_of (layer, input);
  gboolean affine;
  NnHgq2Line line;
  NnNode *node;

  *result = input;
  if (conf == NULL)
    return TRUE;
  if (!nn_keras_hgq2_quantizer (layer, conf, sub, &shape, TRUE, &line, &quantizer, error))
    return FALSE;
  if (quantizer == NULL && suffix != NULL)
    return TRUE;
  affine = line.gain != 1 || line.offset != 0;
  node = nn_hgq2_add (layer, quantizer != NULL ? NN_OP_QUANTIZE : NN_OP_DROPOUT, affine && suffix == NULL ? "rounded" : suffix, &input, 1);
  node->attrs.quantizer = quantizer;
  *result = nn_hgq2_last (layer);
  if (!nn_keras_shape (layer->keras, node, error))
    return FALSE;
  if (affine)
    {
      g_autofree char *after = suffix != NULL ? g_strdup_printf ("%s_affine", suffix) : NULL;

      if (!add_factor (layer, after, line.gain, line.offset, error))
        return FALSE;
      *result = nn_hgq2_last (layer);
    }
  return TRUE;
}

JsonObject *
nn_hgq2_conf_of (NnKerasLayer *layer,
         const char   *name,
         const char   *enabled,
         gboolean      fallback)
{
  return enabled == NULL || nn_json_boolean (layer->config, enabled, fallback) ? nn_json_object (layer->config, name) : NULL;
}

/* The output's quantiser, under the layer's own name; without one the last node has that name already. */
gboolean
nn_hgq2_finish (NnKerasLayer  *layer,
        GError       **error)
{
  guint result;

  for (guint i = 0; i < layer->vars->len; i++)
    ((NnKerasVar *) layer->vars->pdata[i])->claimed = TRUE;
  layer->node = NULL;
  return nn_hgq2_add_quantizer (layer, nn_hgq2_conf_of (layer, "oq_conf", "enable_oq", FALSE), "oq/quantizer", NULL, nn_hgq2_last (layer), &result, error);
}

const char *
nn_hgq2_suffix_of (NnKerasLayer *layer,
           const char   *suffix)
{
  return nn_hgq2_conf_of (layer, "oq_conf", "enable_oq", FALSE) != NULL ? suffix : NULL;
}

gboolean
nn_hgq2_numbered (NnKerasLayer  *layer,
          GError       **error)
{
  return layer->keras->numbered || nn_keras_unsupported (layer, error, "HGQ 2 is supported in .keras files");
}

/* Activations, pooling: the plain layer between the quantisers of its input and output. */
gboolean
nn_keras_read_hgq2_single (NnKerasLayer  *layer,
                           GError       **error)
{
  const char *own = layer->class_name;
  const char *plain = g_str_equal (own, "QUnaryFunctionLUT") ? "Activation" : own + 1;
  NnKerasReader reader;
  guint input;
  NnOp op;

  if (!nn_hgq2_numbered (layer, error) ||
      !nn_hgq2_add_quantizer (layer, nn_hgq2_conf_of (layer, "iq_conf", "enable_iq", TRUE), "iq/quantizer", "iq", layer->inputs[0], &input, error))
    return FALSE;
  if (!nn_keras_find_reader (plain, FALSE, &op, &reader))
    return nn_keras_unsupported (layer, error, "there is no layer \"%s\"", plain);
  layer->node = nn_hgq2_add (layer, op, nn_hgq2_suffix_of (layer, "plain"), &input, 1);
  return (reader == NULL || reader (layer, error)) && nn_keras_shape (layer->keras, layer->node, error) && nn_hgq2_finish (layer, error);
}

/* Sub-group of the k-th input's quantiser: Keras numbers the members of a list from the second on. */
static char *
list_sub (guint k)
{
  return k == 0 ? g_strdup ("iq/quantizers/quantizer/quantizer") : g_strdup_printf ("iq/quantizers/quantizer_%u/quantizer", k);
}

gboolean
nn_hgq2_quantize_inputs (NnKerasLayer  *layer,
                 guint         *inputs,
                 GError       **error)
{
  JsonArray *list = nn_json_array (layer->config, "iq_confs");
  JsonObject *shared = nn_json_object (layer->config, "iq_confs");

  for (guint k = 0; k < layer->n_inputs; k++)
    {
      g_autofree char *sub = list_sub (k), *suffix = g_strdup_printf ("iq%u", k);
      JsonObject *conf = list != NULL && k < json_array_get_length (list) ? nn_json_as_object (json_array_get_element (list, k)) : shared;

      if (!nn_json_boolean (layer->config, "enable_iq", TRUE))
        conf = NULL;
      if (!nn_hgq2_add_quantizer (layer, conf, sub, suffix, layer->inputs[k], &inputs[k], error))
        return FALSE;
    }
  return TRUE;
}

/* Merges, each input quantised first. */
gboolean
nn_keras_read_hgq2_merge (NnKerasLayer  *layer,
                          GError       **error)
{
  gboolean power = g_str_equal (layer->class_name, "QAveragePow2");
  const char *plain = power ? "Add" : layer->class_name + 1;
  g_autofree guint *inputs = g_new (guint, layer->n_inputs + 1);
  NnKerasReader reader = NULL;
  NnOp op = NN_OP_MATMUL;

  if (!nn_hgq2_numbered (layer, error) || !nn_hgq2_quantize_inputs (layer, inputs, error))
    return FALSE;
  if (!g_str_equal (plain, "Matmul") && !nn_keras_find_reader (plain, FALSE, &op, &reader))
    return nn_keras_unsupported (layer, error, "there is no layer \"%s\"", plain);
  layer->node = nn_hgq2_add (layer, op, power ? "sum" : nn_hgq2_suffix_of (layer, "plain"), inputs, layer->n_inputs);
  if ((reader != NULL && !reader (layer, error)) || !nn_keras_shape (layer->keras, layer->node, error))
    return FALSE;
  layer->node = NULL;
  if (power && !add_factor (layer, nn_hgq2_suffix_of (layer, "plain"), exp2 (rint (log2 (1.0 / MAX (layer->n_inputs, 1)))), 0, error))
    return FALSE;
  return nn_hgq2_finish (layer, error);
}

/* A variable of the layer or of its part @sub by its number, of @n elements where that is not 0. (transfer full) (nullable) */
NnTensor *
nn_hgq2_variable (NnKerasLayer  *layer,
                  const char    *sub,
                  guint          number,
                  gsize          n,
                  GError       **error)
{
  g_autoptr (NnTensor) values = nn_keras_peek (layer, "?", sub, number, error);

  if (values == NULL || (n > 0 && values->n != n))
    {
      if (error == NULL || *error == NULL)
        nn_keras_bad (layer, error, "the variable %s%s%u is missing or of another shape", sub, sub[0] != '\0' ? "/" : "", number);
      return NULL;
    }
  return g_steal_pointer (&values);
}

/* What a batch normalisation comes to: factor and shift, each with its quantiser. */
gboolean
nn_keras_read_hgq2_batch_norm (NnKerasLayer  *layer,
                               GError       **error)
{
  double epsilon = nn_json_double (layer->config, "epsilon", 1e-3);
  gboolean scale = nn_json_boolean (layer->config, "scale", TRUE), center = nn_json_boolean (layer->config, "center", TRUE);
  const NnShape channels = NN_SHAPE (MAX (nn_shape_last (layer->in), 1));
  g_autoptr (NnTensor) gamma = NULL, beta = NULL, mean = NULL, variance = NULL;
  NnTensor *factor, *shift;
  guint input, number = 0;
  NnNode *node;
  gint axis;

  if (!nn_hgq2_numbered (layer, error) || !nn_keras_read_axis (layer, "axis", -1, &axis, error))
    return FALSE;
  if (axis != -1 && axis != (gint) layer->in->rank - 1)
    return nn_keras_unsupported (layer, error, "only the last axis is supported");
  if ((scale && (gamma = nn_hgq2_variable (layer, "", number++, (gsize) channels.dims[0], error)) == NULL) ||
      (center && (beta = nn_hgq2_variable (layer, "", number++, (gsize) channels.dims[0], error)) == NULL) ||
      (mean = nn_hgq2_variable (layer, "", number, (gsize) channels.dims[0], error)) == NULL ||
      (variance = nn_hgq2_variable (layer, "", number + 1, (gsize) channels.dims[0], error)) == NULL ||
      !nn_hgq2_add_quantizer (layer, nn_hgq2_conf_of (layer, "iq_conf", "enable_iq", TRUE), "iq/quantizer", "iq", layer->inputs[0], &input, error))
    return FALSE;
  node = nn_hgq2_add (layer, NN_OP_SCALE, nn_hgq2_suffix_of (layer, "plain"), &input, 1);
  node->attrs.use_bias = TRUE;
  factor = nn_tensor_new (NN_DTYPE_F32, &channels);
  shift = nn_tensor_new (NN_DTYPE_F32, &channels);
  for (gsize c = 0; c < factor->n; c++)
    {
      double f = (gamma != NULL ? nn_tensor_f32 (gamma)[c] : 1) / sqrt (nn_tensor_f32 (variance)[c] + epsilon);

      nn_tensor_f32 (factor)[c] = (float) f;
      nn_tensor_f32 (shift)[c] = (float) ((beta != NULL ? nn_tensor_f32 (beta)[c] : 0) - nn_tensor_f32 (mean)[c] * f);
    }
  if (!nn_keras_give (layer, node, NN_ROLE_SCALE, factor, error) || !nn_keras_give (layer, node, NN_ROLE_BIAS, shift, error) ||
      !nn_keras_hgq2_quantizer (layer, nn_hgq2_conf_of (layer, "kq_conf", NULL, TRUE), "kq/quantizer", &channels, FALSE, NULL,
                                &node->attrs.role_quantizer[NN_ROLE_SCALE], error) ||
      !nn_keras_hgq2_quantizer (layer, nn_hgq2_conf_of (layer, "bq_conf", NULL, TRUE), "bq/quantizer", &channels, FALSE, NULL,
                                &node->attrs.role_quantizer[NN_ROLE_BIAS], error) ||
      !nn_keras_shape (layer->keras, node, error))
    return FALSE;
  return nn_hgq2_finish (layer, error);
}

/* Dense after a normalisation of its input: kernel' = gamma / sqrt (variance + epsilon) * kernel by rows, bias' = bias - mean
 * kernel, as the source has it, before they are quantised. */
gboolean
nn_keras_read_hgq2_batch_norm_dense (NnKerasLayer  *layer,
                                     GError       **error)
{
  double epsilon = nn_json_double (layer->config, "epsilon", 1e-3);
  gboolean scale = nn_json_boolean (layer->config, "scale", TRUE), ebops = nn_json_boolean (layer->config, "enable_ebops", TRUE);
  gint64 in = nn_shape_last (layer->in), units = 0;
  guint input, number = scale ? 3 : 2;
  g_autoptr (NnTensor) raw_kernel = NULL, raw_bias = NULL, gamma = NULL, mean = NULL, variance = NULL;
  NnTensor *kernel, *bias;
  NnNode *node;

  if (!nn_hgq2_numbered (layer, error) || !nn_keras_get_count (layer, "units", NULL, &units, error))
    return FALSE;
  /* two more variables, beta and ebops, stand before the statistics */
  number += ebops ? 2 : 0;
  if (in < 1 || (raw_kernel = nn_hgq2_variable (layer, "", 0, (gsize) (in * units), error)) == NULL ||
      (raw_bias = nn_hgq2_variable (layer, "", 1, (gsize) units, error)) == NULL ||
      (scale && (gamma = nn_hgq2_variable (layer, "", 2, (gsize) in, error)) == NULL) ||
      (mean = nn_hgq2_variable (layer, "", number, (gsize) in, error)) == NULL ||
      (variance = nn_hgq2_variable (layer, "", number + 1, (gsize) in, error)) == NULL)
    return in >= 1 ? FALSE : nn_keras_bad (layer, error, "its input's last axis is open");
  if (!nn_hgq2_add_quantizer (layer, nn_hgq2_conf_of (layer, "iq_conf", "enable_iq", TRUE), "iq/quantizer", "iq", layer->inputs[0], &input, error))
    return FALSE;
  kernel = nn_tensor_copy (raw_kernel);
  bias = nn_tensor_copy (raw_bias);
  for (gint64 i = 0; i < in; i++)
    for (gint64 o = 0; o < units; o++)
      {
        float k = nn_tensor_f32 (raw_kernel)[i * units + o];

        nn_tensor_f32 (bias)[o] -= nn_tensor_f32 (mean)[i] * k;
        nn_tensor_f32 (kernel)[i * units + o] =
            (float) ((gamma != NULL ? nn_tensor_f32 (gamma)[i] : 1) / sqrt (nn_tensor_f32 (variance)[i] + epsilon) * k);
      }
  node = nn_hgq2_add (layer, NN_OP_DENSE, nn_hgq2_suffix_of (layer, "plain"), &input, 1);
  node->attrs.units = units;
  node->attrs.use_bias = TRUE;
  if (!nn_keras_give (layer, node, NN_ROLE_KERNEL, kernel, error) || !nn_keras_give (layer, node, NN_ROLE_BIAS, bias, error) ||
      !nn_keras_hgq2_quantizer (layer, nn_hgq2_conf_of (layer, "kq_conf", NULL, TRUE), "kq/quantizer", &NN_SHAPE (in, units), FALSE, NULL,
                                &node->attrs.role_quantizer[NN_ROLE_KERNEL], error) ||
      !nn_keras_hgq2_quantizer (layer, nn_hgq2_conf_of (layer, "bq_conf", NULL, TRUE), "bq/quantizer", &NN_SHAPE (units), FALSE, NULL,
                                &node->attrs.role_quantizer[NN_ROLE_BIAS], error) ||
      !nn_keras_activation (layer, nn_json_get (layer->config, "activation"), &node->attrs, error) ||
      !nn_keras_shape (layer->keras, node, error))
    return FALSE;
  return nn_hgq2_finish (layer, error);
}

/* The quantiser as a layer. */
gboolean
nn_keras_read_hgq2_quantizer (NnKerasLayer  *layer,
                              GError       **error)
{
  JsonObject *conf = nn_json_object (layer->config, "config");
  guint result;

  if (!nn_hgq2_numbered (layer, error))
    return FALSE;
  if (conf == NULL)
    return nn_keras_bad (layer, error, "\"config\" is missing");
  for (guint i = 0; i < layer->vars->len; i++)
    ((NnKerasVar *) layer->vars->pdata[i])->claimed = TRUE;
  return nn_hgq2_add_quantizer (layer, conf, "quantizer", NULL, layer->inputs[0], &result, error);
}

/* Axes of the sample, side by side; names are those of different versions. */
static gboolean
read_axes (NnKerasLayer  *layer,
           gint          *first,
           gint          *until,
           GError       **error)
{
  JsonNode *node = nn_json_get (layer->config, nn_json_get (layer->config, "axes") != NULL ? "axes" : "axis");
  JsonArray *array = nn_json_as_array (node);
  guint n = array != NULL ? json_array_get_length (array) : 1;
  gint rank = (gint) layer->in->rank;

  *first = rank;
  *until = -1;
  for (guint i = 0; i < n; i++)
    {
      gint64 axis = -1;

      if (node != NULL && !nn_json_as_int (array != NULL ? json_array_get_element (array, i) : node, &axis))
        return nn_keras_bad (layer, error, "\"axes\" holds something that is no axis");
      axis += axis < 0 ? rank + 1 : 0;
      if (axis < 1 || axis > rank)
        return nn_keras_unsupported (layer, error, "\"axes\" names the batch's axis, or none");
      *first = MIN (*first, (gint) axis - 1);
      *until = MAX (*until, (gint) axis - 1);
    }
  return n > 0 && *until - *first + 1 == (gint) n ? TRUE : nn_keras_unsupported (layer, error, "axes that do not lie side by side are not supported");
}

static gboolean
add_reduction (NnKerasLayer  *layer,
               NnOp           op,
               const char    *suffix,
               guint          input,
               gboolean       keep,
               GError       **error)
{
  NnNode *node = nn_hgq2_add (layer, op, suffix, &input, 1);

  node->attrs.keep_dims = keep;
  return read_axes (layer, &node->attrs.axis, &node->attrs.axis2, error) && nn_keras_shape (layer->keras, node, error);
}

/* QSum, QMeanPow2: a sum times a power of two. */
gboolean
nn_keras_read_hgq2_sum (NnKerasLayer  *layer,
                        GError       **error)
{
  double factor = nn_json_double (layer->config, "scale", 1);
  gint first, until;
  gsize n = 1;
  guint input;

  if (!nn_hgq2_numbered (layer, error) || !read_axes (layer, &first, &until, error) ||
      !nn_hgq2_add_quantizer (layer, nn_hgq2_conf_of (layer, "iq_conf", "enable_iq", TRUE), "iq/quantizer", "iq", layer->inputs[0], &input, error))
    return FALSE;
  for (gint i = first; i <= until; i++)
    n *= (gsize) MAX (layer->in->dims[i], 1);
  if (g_str_equal (layer->class_name, "QMeanPow2"))
    factor = exp2 (rint (log2 (1.0 / (double) n)));
  return add_reduction (layer, NN_OP_REDUCE_SUM, "sum", input, nn_json_boolean (layer->config, "keepdims", FALSE), error) &&
         add_factor (layer, nn_hgq2_suffix_of (layer, "plain"), factor, 0, error) && nn_hgq2_finish (layer, error);
}

/* A suffix behind the name of the part. */
static char *
part_of (const NnHgq2Softmax *softmax,
         const char          *suffix)
{
  return g_strconcat (softmax->name, suffix, NULL);
}

static gboolean
quantize_part (NnKerasLayer        *layer,
               const NnHgq2Softmax *softmax,
               JsonObject          *conf,
               const char          *place,
               const char          *suffix,
               guint                input,
               guint               *result,
               GError             **error)
{
  g_autofree char *sub = g_strdup_printf ("%s%s/quantizer", softmax->sub, place), *name = part_of (softmax, suffix);

  return nn_hgq2_add_quantizer (layer, conf, sub, name, input, result, error);
}

static gboolean
reduce_part (NnKerasLayer        *layer,
             const NnHgq2Softmax *softmax,
             NnOp                 op,
             const char          *suffix,
             guint                input,
             GError             **error)
{
  g_autofree char *name = part_of (softmax, suffix);
  NnNode *node = nn_hgq2_add (layer, op, name, &input, 1);

  node->attrs.keep_dims = TRUE;
  node->attrs.axis = softmax->first;
  node->attrs.axis2 = softmax->until;
  return nn_keras_shape (layer->keras, node, error);
}

/* 1 / (x + epsilon), between the quantisers of the table. */
static gboolean
add_inverse (NnKerasLayer        *layer,
             const NnHgq2Softmax *softmax,
             GError             **error)
{
  g_autofree char *above = part_of (softmax, "above_0"), *one_name = part_of (softmax, "one"), *name = part_of (softmax, "inverse");
  const NnShape one_shape = NN_SHAPE (1);
  NnTensor *one;
  guint inputs[2], result;
  NnNode *node;

  if (!quantize_part (layer, softmax, softmax->inv_iq, "inv_table/iq", "inv_iq", nn_hgq2_last (layer), &result, error) ||
      !add_factor (layer, above, 1, SOFTMAX_EPSILON, error))
    return FALSE;
  inputs[1] = nn_hgq2_last (layer);
  node = nn_hgq2_add (layer, NN_OP_CONSTANT, one_name, NULL, 0);
  node->shape = one_shape;
  one = nn_tensor_new (NN_DTYPE_F32, &one_shape);
  nn_tensor_f32 (one)[0] = 1;
  if (!nn_keras_give (layer, node, NN_ROLE_VALUE, one, error))
    return FALSE;
  inputs[0] = nn_hgq2_last (layer);
  node = nn_hgq2_add (layer, NN_OP_DIVIDE, name, inputs, 2);
  return nn_keras_shape (layer->keras, node, error) &&
         quantize_part (layer, softmax, softmax->inv_oq, "inv_table/oq", "inv_oq", nn_hgq2_last (layer), &result, error);
}

/* exp of what is scaled, between the quantisers of the table; stable: of the distance to the largest. @result: (out): its node */
static gboolean
add_exponents (NnKerasLayer        *layer,
               const NnHgq2Softmax *softmax,
               guint                input,
               guint               *result,
               GError             **error)
{
  g_autofree char *distance = part_of (softmax, "distance"), *scaled = part_of (softmax, "scaled"), *name = part_of (softmax, "exp");
  NnTensor *factor;
  guint inputs[2];
  NnNode *node;

  if (softmax->stable)
    {
      if (!reduce_part (layer, softmax, NN_OP_REDUCE_MAX, "max", input, error))
        return FALSE;
      inputs[0] = nn_hgq2_last (layer);
      inputs[1] = input;
      node = nn_hgq2_add (layer, NN_OP_SUBTRACT, distance, inputs, 2);
      if (!nn_keras_shape (layer->keras, node, error) ||
          !quantize_part (layer, softmax, softmax->exp_iq, "exp_table/iq", "exp_iq", nn_hgq2_last (layer), &input, error))
        return FALSE;
    }
  factor = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (MAX (nn_shape_last (nn_hgq2_shape_of (layer, input)), 1)));
  for (gsize i = 0; i < factor->n; i++)
    nn_tensor_f32 (factor)[i] = (float) (softmax->stable ? -softmax->scaler : softmax->scaler);
  node = nn_hgq2_add (layer, NN_OP_SCALE, scaled, &input, 1);
  if (!nn_keras_give (layer, node, NN_ROLE_SCALE, factor, error) || !nn_keras_shape (layer->keras, node, error))
    return FALSE;
  input = nn_hgq2_last (layer);
  node = nn_hgq2_add (layer, NN_OP_ACTIVATION, name, &input, 1);
  node->attrs.act = NN_ACT_EXPONENTIAL;
  return nn_keras_shape (layer->keras, node, error) &&
         quantize_part (layer, softmax, softmax->exp_oq, "exp_table/oq", "exp_oq", nn_hgq2_last (layer), result, error);
}

/* exp by a table, their sum's inverse by another, the product. */
gboolean
nn_hgq2_add_softmax (NnKerasLayer        *layer,
                     const NnHgq2Softmax *softmax,
                     guint                input,
                     GError             **error)
{
  guint inputs[2];
  NnNode *node;

  if (!quantize_part (layer, softmax, softmax->iq, "iq", "iq", input, &input, error) ||
      !add_exponents (layer, softmax, input, &inputs[0], error) ||
      !reduce_part (layer, softmax, NN_OP_REDUCE_SUM, "sum", inputs[0], error) || !add_inverse (layer, softmax, error))
    return FALSE;
  inputs[1] = nn_hgq2_last (layer);
  node = nn_hgq2_add (layer, NN_OP_MULTIPLY, softmax->product, inputs, 2);
  return nn_keras_shape (layer->keras, node, error);
}

gboolean
nn_keras_read_hgq2_softmax (NnKerasLayer  *layer,
                            GError       **error)
{
  NnHgq2Softmax softmax = {
    .name = "", .sub = "", .stable = nn_json_boolean (layer->config, "stable", TRUE),
    .scaler = nn_json_double (layer->config, "input_scaler", 1), .product = nn_hgq2_suffix_of (layer, "plain"),
    .iq = nn_hgq2_conf_of (layer, "iq_conf", "enable_iq", TRUE), .exp_iq = nn_hgq2_conf_of (layer, "exp_iq_conf", NULL, TRUE),
    .exp_oq = nn_hgq2_conf_of (layer, "exp_oq_conf", NULL, TRUE), .inv_iq = nn_hgq2_conf_of (layer, "inv_iq_conf", NULL, TRUE),
    .inv_oq = nn_hgq2_conf_of (layer, "inv_oq_conf", NULL, TRUE),
  };

  return nn_hgq2_numbered (layer, error) && read_axes (layer, &softmax.first, &softmax.until, error) &&
         nn_hgq2_add_softmax (layer, &softmax, layer->inputs[0], error) && nn_hgq2_finish (layer, error);
}

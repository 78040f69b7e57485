/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's Einstein sums and attention, as plain layers with quantisers between them. Source: calad0i/HGQ2 (0.1), hgq/layers:
 * ops/einsum.py, einsum_dense_batchnorm.py, attn/mha.py, attn/linformer.py; equations: Keras 3, multi_head_attention.py. */

#include "nn-keras-hgq.h"

#include "nn-einsum.h"

#include <math.h>
#include <string.h>

/* Source: Keras 3, keras.config.epsilon (): what QEinsumDenseBatchnorm adds to the variance, whatever its own epsilon. */
#define KERAS_EPSILON 1e-7

/* Einsum of nodes; @node has its inputs. */
static gboolean
give_equation (NnKerasLayer  *layer,
               NnNode        *node,
               const char    *equation,
               GError       **error)
{
  NnShape operands[NN_EINSUM_OPERANDS], out;

  if (node->n_inputs > NN_EINSUM_OPERANDS)
    return nn_keras_unsupported (layer, error, "more than %d inputs are not supported", NN_EINSUM_OPERANDS);
  for (guint k = 0; k < node->n_inputs; k++)
    {
      const NnShape *shape = nn_hgq2_shape_of (layer, node->inputs[k]);

      if (shape->rank >= NN_MAX_RANK)
        return nn_keras_unsupported (layer, error, "an input has too many axes");
      operands[k] = nn_einsum_batched (shape);
    }
  if (equation == NULL || strstr (equation, "->") == NULL || !nn_einsum_shape (equation, operands, node->n_inputs, &out) ||
      out.dims[0] != 1)
    return nn_keras_bad (layer, error, "\"equation\" %s is not of the form \"abc,acd->abd\", or does not fit its inputs",
                         equation != NULL ? equation : "is missing:");
  node->attrs.equation = nn_graph_builder_strdup (layer->keras->builder, equation);
  node->shape.rank = out.rank - 1;
  memcpy (node->shape.dims, out.dims + 1, node->shape.rank * sizeof out.dims[0]);
  return nn_keras_shape (layer->keras, node, error);
}

/* QEinsum: of several inputs, each quantised first. */
gboolean
nn_keras_read_hgq2_einsum (NnKerasLayer  *layer,
                           GError       **error)
{
  g_autofree guint *inputs = g_new (guint, layer->n_inputs + 1);
  NnNode *node;

  if (!nn_hgq2_numbered (layer, error) || !nn_hgq2_quantize_inputs (layer, inputs, error))
    return FALSE;
  node = nn_hgq2_add (layer, NN_OP_EINSUM, nn_hgq2_suffix_of (layer, "plain"), inputs, layer->n_inputs);
  return give_equation (layer, node, nn_json_string (layer->config, "equation"), error) && nn_hgq2_finish (layer, error);
}

/* Where the elements of @shape, whose last axes are those of @term, lie in a tensor over the letters @wanted alone. */
static gsize
place_among (const NnShape *shape,
             const char    *term,
             gsize          k,
             const char    *wanted,
             const gint64  *extents)
{
  const char *letters = term + strlen (term) - shape->rank;
  gint64 at[NN_MAX_RANK] = { 0 };
  gsize place = 0;

  for (guint i = shape->rank; i-- > 0;)
    {
      at[i] = (gint64) (k % (gsize) shape->dims[i]);
      k /= (gsize) shape->dims[i];
    }
  for (const char *c = wanted; *c != '\0'; c++)
    {
      const char *found = strchr (letters, *c);

      place = place * (gsize) extents[c - wanted] + (found != NULL ? (gsize) at[found - letters] : 0);
    }
  return place;
}

/* kernel' = gamma / sqrt (variance + epsilon) kernel, bias' = bias - mean gamma / sqrt (variance + epsilon), along the letters
 * that are normalised, in the kernel's order. */
static gboolean
fold_normalisation (NnKerasLayer  *layer,
                    const char    *equation,
                    NnTensor      *kernel,
                    const NnShape *out,
                    NnTensor      *bias,
                    GError       **error)
{
  const char *axes = nn_json_string (layer->config, "normalize_axes");
  gboolean scale = nn_json_boolean (layer->config, "scale", TRUE);
  guint ranks[2] = { layer->in->rank + 1, kernel->shape.rank }, first = nn_json_boolean (layer->config, "enable_ebops", TRUE) ? 2 : 0;
  g_auto (GStrv) terms = nn_einsum_terms (equation, ranks, 2, out->rank + 1);
  g_autoptr (NnTensor) gamma = NULL, mean = NULL, variance = NULL;
  g_autoptr (GString) letters = g_string_new (NULL);
  gint64 extents[NN_MAX_RANK];
  gsize n = 1;

  if (axes == NULL)
    axes = nn_json_string (layer->config, "bias_axes");
  for (guint i = 0; terms != NULL && i < kernel->shape.rank; i++)
    if (axes != NULL && strchr (axes, terms[1][i]) != NULL)
      {
        extents[letters->len] = kernel->shape.dims[i];
        n *= (gsize) kernel->shape.dims[i];
        g_string_append_c (letters, terms[1][i]);
      }
  if (letters->len == 0)
    return nn_keras_bad (layer, error, "\"normalize_axes\" %s names no axis of the kernel", axes != NULL ? axes : "is missing and");
  first += scale ? 3 : 2;
  if ((scale && (gamma = nn_hgq2_variable (layer, "", 2, n, error)) == NULL) ||
      (mean = nn_hgq2_variable (layer, "", first, n, error)) == NULL ||
      (variance = nn_hgq2_variable (layer, "", first + 1, n, error)) == NULL)
    return FALSE;
  for (gsize k = 0; k < kernel->n; k++)
    {
      gsize c = place_among (&kernel->shape, terms[1], k, letters->str, extents);

      nn_tensor_f32 (kernel)[k] *= (float) ((gamma != NULL ? nn_tensor_f32 (gamma)[c] : 1) / sqrt (nn_tensor_f32 (variance)[c] + KERAS_EPSILON));
    }
  for (gsize k = 0; k < bias->n; k++)
    {
      gsize c = place_among (&bias->shape, terms[2], k, letters->str, extents);

      nn_tensor_f32 (bias)[k] -= (float) (nn_tensor_f32 (mean)[c] * ((gamma != NULL ? nn_tensor_f32 (gamma)[c] : 1) /
                                                                      sqrt (nn_tensor_f32 (variance)[c] + KERAS_EPSILON)));
    }
  return TRUE;
}

/* Kernel, and bias where there is one, with their quantisers. Takes the tensors over. */
static gboolean
give_dense (NnKerasLayer  *layer,
            NnNode        *node,
            const char    *part,
            JsonObject    *kq,
            JsonObject    *bq,
            NnTensor      *kernel,
            NnTensor      *bias,
            GError       **error)
{
  g_autofree char *kernel_sub = g_strconcat (part, "kq/quantizer", NULL), *bias_sub = g_strconcat (part, "bq/quantizer", NULL);
  const NnShape kernel_shape = kernel->shape, bias_shape = bias != NULL ? bias->shape : (NnShape){ 0 };
  NnAttrs *a = &node->attrs;

  a->units = nn_shape_last (&node->shape);
  a->use_bias = bias != NULL;
  return nn_keras_give (layer, node, NN_ROLE_KERNEL, kernel, error) &&
         (bias == NULL || nn_keras_give (layer, node, NN_ROLE_BIAS, bias, error)) &&
         nn_keras_hgq2_quantizer (layer, kq, kernel_sub, &kernel_shape, FALSE, NULL, &a->role_quantizer[NN_ROLE_KERNEL], error) &&
         (bias == NULL || nn_keras_hgq2_quantizer (layer, bq, bias_sub, &bias_shape, FALSE, NULL, &a->role_quantizer[NN_ROLE_BIAS], error)) &&
         nn_keras_shape (layer->keras, node, error);
}

gboolean
nn_keras_read_hgq2_einsum_batch_norm (NnKerasLayer  *layer,
                                      GError       **error)
{
  const char *equation = nn_json_string (layer->config, "equation");
  g_autoptr (NnTensor) raw_kernel = NULL, raw_bias = NULL, kernel = NULL, bias = NULL;
  NnShape shape;
  guint input;
  NnNode *node;

  if (!nn_hgq2_numbered (layer, error) || (raw_kernel = nn_hgq2_variable (layer, "", 0, 0, error)) == NULL ||
      (raw_bias = nn_hgq2_variable (layer, "", 1, 0, error)) == NULL ||
      !nn_keras_einsum_shape (layer, equation, raw_kernel, layer->in, &shape, error))
    return FALSE;
  if (raw_bias->shape.rank > shape.rank)
    return nn_keras_bad (layer, error, "its bias has more axes than its output");
  kernel = nn_tensor_copy (raw_kernel);
  bias = nn_tensor_copy (raw_bias);
  if (!fold_normalisation (layer, equation, kernel, &shape, bias, error) ||
      !nn_hgq2_add_quantizer (layer, nn_hgq2_conf_of (layer, "iq_conf", "enable_iq", TRUE), "iq/quantizer", "iq", layer->inputs[0], &input,
                              error))
    return FALSE;
  node = nn_hgq2_add (layer, NN_OP_EINSUM_DENSE, nn_hgq2_suffix_of (layer, "plain"), &input, 1);
  node->shape = shape;
  node->attrs.equation = nn_graph_builder_strdup (layer->keras->builder, equation);
  return give_dense (layer, node, "", nn_hgq2_conf_of (layer, "kq_conf", NULL, TRUE), nn_hgq2_conf_of (layer, "bq_conf", NULL, TRUE),
                     g_steal_pointer (&kernel), g_steal_pointer (&bias), error) &&
         nn_keras_activation (layer, nn_json_get (layer->config, "activation"), &node->attrs, error) && nn_hgq2_finish (layer, error);
}

/**
 * Attention: one layer on its way
 * @axes: of the sample, that are attended over
 * @fuse: which of the projections have one input quantiser in common
 */
typedef struct {
  NnKerasLayer *layer;
  guint         rank; /* of query, key and value */
  gboolean      over[NN_MAX_RANK];
  guint         n_over;
  const char   *fuse;
} Attention;

static gboolean
has_part (NnKerasLayer *layer,
          const char   *part)
{
  for (guint i = 0; i < layer->vars->len; i++)
    if (g_str_has_prefix (((NnKerasVar *) layer->vars->pdata[i])->name, part))
      return TRUE;
  return FALSE;
}

/* Keras writes an object once, under the first name it meets: a quantiser that projections share. (transfer full) */
static char *
input_quantizer_place (const Attention *attention,
                       const char      *part)
{
  static const char *const parts[] = { "key_dense", "query_dense", "value_dense" };
  const char *fuse = attention->fuse;
  gboolean shared = fuse != NULL && (g_str_equal (fuse, "qkv") || (g_str_equal (fuse, "kv") && !g_str_equal (part, "query_dense")));
  char *own = g_strdup_printf ("%s/iq/quantizer", part);

  for (guint i = 0; shared && i < G_N_ELEMENTS (parts) && !has_part (attention->layer, own); i++)
    {
      if (!g_str_equal (parts[i], "query_dense") || g_str_equal (fuse, "qkv"))
        {
          g_free (own);
          own = g_strdup_printf ("%s/iq/quantizer", parts[i]);
        }
    }
  return own;
}

/* A dense layer of the attention, between its quantisers: @part names its group, @suffix its node where it is not the layer's
 * last, @named so itself. */
static gboolean
add_projection (Attention     *attention,
                const char    *part,
                const char    *suffix,
                gboolean       named,
                const char    *equation,
                guint          input,
                gboolean       quantize_input,
                gboolean       quantize_output,
                guint         *result,
                GError       **error)
{
  NnKerasLayer *layer = attention->layer;
  g_autofree char *iq = input_quantizer_place (attention, part), *oq = g_strdup_printf ("%s/oq/quantizer", part);
  g_autofree char *iq_name = g_strconcat (suffix, "_iq", NULL), *oq_name = g_strconcat (suffix, "_oq", NULL), *sub = g_strconcat (part, "/", NULL);
  g_autoptr (NnTensor) kernel = NULL, bias = NULL;
  NnShape shape;
  NnNode *node;

  if ((kernel = nn_hgq2_variable (layer, part, 0, 0, error)) == NULL ||
      !nn_hgq2_add_quantizer (layer, quantize_input || has_part (layer, iq) ? nn_hgq2_conf_of (layer, "qkvo_iq_conf", NULL, TRUE) : NULL, iq,
                              iq_name, input, &input, error) ||
      !nn_keras_einsum_shape (layer, equation, kernel, nn_hgq2_shape_of (layer, input), &shape, error))
    return FALSE;
  /* a bias is no single number as beta, which stands there otherwise */
  bias = nn_keras_peek (layer, "?", part, 1, error);
  if (bias != NULL && bias->shape.rank == 0)
    g_clear_pointer (&bias, nn_tensor_unref);
  node = nn_hgq2_add (layer, NN_OP_EINSUM_DENSE, named ? NULL : suffix, &input, 1);
  node->shape = shape;
  node->attrs.equation = nn_graph_builder_strdup (layer->keras->builder, equation);
  return give_dense (layer, node, sub, nn_hgq2_conf_of (layer, "qkvo_kq_conf", NULL, TRUE), nn_hgq2_conf_of (layer, "qkvo_bq_conf", NULL, TRUE),
                     g_steal_pointer (&kernel), g_steal_pointer (&bias), error) &&
         nn_hgq2_add_quantizer (layer, quantize_output || has_part (layer, oq) ? nn_hgq2_conf_of (layer, "qkvo_oq_conf", NULL, TRUE) : NULL, oq,
                                oq_name, nn_hgq2_last (layer), result, error);
}

/* "abc,cde->abde": the last @bound of @free + @bound axes for @made new ones. (transfer full) */
static char *
projection_equation (guint free,
                     guint bound,
                     guint made)
{
  g_autoptr (GString) in = g_string_new (NULL), kernel = g_string_new (NULL), out = g_string_new (NULL);

  for (guint i = 0; i < free + bound + made; i++)
    {
      if (i < free + bound)
        g_string_append_c (in, 'a' + i);
      if (i >= free)
        g_string_append_c (kernel, 'a' + i);
      if (i < free || i >= free + bound)
        g_string_append_c (out, 'a' + i);
    }
  return g_strdup_printf ("%s,%s->%s", in->str, kernel->str, out->str);
}

/* Of key and query with heads: "aecd,abcd->acbe", and of the scores with the value: "acbe,aecd->abcd". */
static void
attention_equations (const Attention *attention,
                     char           **scores,
                     char           **combine)
{
  /* with the batch in front, heads and width behind */
  guint rank = attention->rank + 2;
  g_autoptr (GString) target = g_string_new (NULL), source = g_string_new (NULL), product = g_string_new (NULL);
  char letter = 'a' + rank;

  for (guint i = 0; i < rank; i++)
    {
      gboolean over = i > 0 && i < attention->rank && attention->over[i - 1];

      g_string_append_c (target, 'a' + i);
      g_string_append_c (source, over ? letter++ : (char) ('a' + i));
      if (!over && i + 1 < rank)
        g_string_append_c (product, 'a' + i);
    }
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 1; i < attention->rank; i++)
      if (attention->over[i - 1])
        g_string_append_c (product, pass == 0 ? target->str[i] : source->str[i]);
  *scores = g_strdup_printf ("%s,%s->%s", source->str, target->str, product->str);
  *combine = g_strdup_printf ("%s,%s->%s", product->str, source->str, target->str);
}

/* "abc,bd->adc": the axes attended over for shorter ones. (transfer full) */
static char *
linformer_equation (const Attention *attention)
{
  guint rank = attention->rank + 1;
  g_autoptr (GString) in = g_string_new (NULL), kernel = g_string_new (NULL), made = g_string_new (NULL), out = g_string_new (NULL);

  for (guint i = 0; i < rank; i++)
    {
      gboolean over = i > 0 && i < attention->rank && attention->over[i - 1];

      g_string_append_c (in, 'a' + i);
      g_string_append_c (out, (char) (over ? 'a' + rank + made->len : 'a' + i));
      if (over)
        {
          g_string_append_c (kernel, 'a' + i);
          g_string_append_c (made, 'a' + rank + made->len);
        }
    }
  return g_strdup_printf ("%s,%s%s->%s", in->str, kernel->str, made->str, out->str);
}

static gboolean
read_attention_axes (Attention *attention,
                     GError   **error)
{
  NnKerasLayer *layer = attention->layer;
  JsonArray *axes = nn_json_array (layer->config, "attention_axes");

  for (guint i = 0; axes == NULL && i + 1 < attention->rank; i++, attention->n_over++)
    attention->over[i] = TRUE;
  for (guint i = 0; axes != NULL && i < json_array_get_length (axes); i++)
    {
      gint64 axis = 0;

      if (!nn_json_as_int (json_array_get_element (axes, i), &axis) || (axis += axis < 0 ? attention->rank + 1 : 0) < 1 ||
          axis >= attention->rank || attention->over[axis - 1])
        return nn_keras_bad (layer, error, "\"attention_axes\" holds something that is no axis between the batch and the features");
      attention->over[axis - 1] = TRUE;
      attention->n_over++;
    }
  return attention->n_over > 0 || nn_keras_bad (layer, error, "\"attention_axes\" is empty");
}

/* Scores between the quantisers of its tables. */
static gboolean
add_scores (Attention  *attention,
            const char *equation,
            guint       key,
            guint       query,
            guint      *result,
            GError    **error)
{
  NnKerasLayer *layer = attention->layer;
  gboolean enabled = nn_json_boolean (layer->config, "enable_iq", TRUE) || has_part (layer, "_softmax/iq/");
  guint inputs[2] = { key, query };
  NnNode *node = nn_hgq2_add (layer, NN_OP_EINSUM, "products", inputs, 2);
  gint64 key_dim = 1;
  NnHgq2Softmax softmax = {
    .name = "softmax_", .sub = "_softmax/", .product = "softmax", .stable = nn_json_boolean (layer->config, "stable_softmax", TRUE),
    .iq = enabled ? nn_hgq2_conf_of (layer, "softmax_iq_conf", NULL, TRUE) : NULL,
    .exp_iq = nn_hgq2_conf_of (layer, "softmax_exp_iq_conf", NULL, TRUE), .exp_oq = nn_hgq2_conf_of (layer, "softmax_exp_oq_conf", NULL, TRUE),
    .inv_iq = nn_hgq2_conf_of (layer, "softmax_inv_iq_conf", NULL, TRUE), .inv_oq = nn_hgq2_conf_of (layer, "softmax_inv_oq_conf", NULL, TRUE),
  };

  if (!nn_keras_get_count (layer, "key_dim", NULL, &key_dim, error) || !give_equation (layer, node, equation, error))
    return FALSE;
  softmax.scaler = 1 / sqrt ((double) key_dim);
  softmax.until = (gint) node->shape.rank - 1;
  softmax.first = (gint) (node->shape.rank - attention->n_over);
  return nn_hgq2_add_softmax (layer, &softmax, nn_hgq2_last (layer), error) &&
         nn_hgq2_add_quantizer (layer, nn_hgq2_conf_of (layer, "softmax_oq_conf", NULL, TRUE), "_softmax/oq/quantizer", "softmax_oq",
                                nn_hgq2_last (layer), result, error);
}

/* Linformer: key and value over fewer steps. */
static gboolean
shorten (Attention  *attention,
         guint      *key,
         guint      *value,
         GError    **error)
{
  gboolean shared = nn_json_boolean (attention->layer->config, "share_kv_proj", FALSE);
  gboolean enabled = nn_json_boolean (attention->layer->config, "enable_iq", TRUE);
  g_autofree char *equation = linformer_equation (attention);

  return add_projection (attention, "_lin_k_proj", "shorter_key", FALSE, equation, *key, enabled, FALSE, key, error) &&
         add_projection (attention, shared ? "_lin_k_proj" : "_lin_v_proj", "shorter_value", FALSE, equation, *value, enabled, FALSE, value, error);
}

static gboolean
start (Attention  *attention,
       guint       inputs[3],
       GError    **error)
{
  NnKerasLayer *layer = attention->layer;

  inputs[0] = layer->inputs[0];
  inputs[1] = layer->n_inputs > 1 ? layer->inputs[1] : inputs[0];
  inputs[2] = layer->n_inputs > 2 ? layer->inputs[2] : inputs[1];
  attention->rank = layer->in->rank;
  attention->fuse = nn_json_string (layer->config, "fuse");
  if (attention->rank < 2 || attention->rank + 2 >= NN_MAX_RANK)
    return nn_keras_unsupported (layer, error, "attention needs the axes steps, features, and not many more");
  for (guint i = 1; i < 3; i++)
    if (nn_hgq2_shape_of (layer, inputs[i])->rank != attention->rank)
      return nn_keras_unsupported (layer, error, "query, key and value must have as many axes");
  return read_attention_axes (attention, error);
}

/* QMultiHeadAttention, QLinformerAttention. */
gboolean
nn_keras_read_hgq2_attention (NnKerasLayer  *layer,
                              GError       **error)
{
  gboolean enabled = nn_json_boolean (layer->config, "enable_iq", TRUE), enabled_out = nn_json_boolean (layer->config, "enable_oq", FALSE);
  Attention attention = { .layer = layer };
  g_autofree char *in_equation = NULL, *out_equation = NULL, *scores = NULL, *combine = NULL;
  JsonNode *output = nn_json_get (layer->config, "output_shape");
  JsonArray *outputs = nn_json_as_array (output);
  guint inputs[3], query, key, value, result, pair[2];
  NnNode *node;

  if (!nn_hgq2_numbered (layer, error) || !start (&attention, inputs, error) ||
      (g_str_equal (layer->class_name, "QLinformerAttention") && !shorten (&attention, &inputs[2], &inputs[1], error)))
    return FALSE;
  in_equation = projection_equation (attention.rank, 1, 2);
  out_equation = projection_equation (attention.rank, 2, outputs != NULL ? json_array_get_length (outputs) : 1);
  attention_equations (&attention, &scores, &combine);
  if (!add_projection (&attention, "query_dense", "query", FALSE, in_equation, inputs[0], enabled, TRUE, &query, error) ||
      !add_projection (&attention, "key_dense", "key", FALSE, in_equation, inputs[2], enabled, TRUE, &key, error) ||
      !add_projection (&attention, "value_dense", "value", FALSE, in_equation, inputs[1], enabled, TRUE, &value, error) ||
      !add_scores (&attention, scores, key, query, &pair[0], error))
    return FALSE;
  pair[1] = value;
  node = nn_hgq2_add (layer, NN_OP_EINSUM, "context", pair, 2);
  return give_equation (layer, node, combine, error) &&
         add_projection (&attention, "output_dense", "output", nn_hgq2_suffix_of (layer, "output") == NULL, out_equation,
                         nn_hgq2_last (layer), TRUE, enabled_out, &result, error) &&
         nn_hgq2_finish (layer, error);
}

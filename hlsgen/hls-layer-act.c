/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers of one number in, one number out, and softmax. */

#include "hls-layer-private.h"

#include "nn-text.h"

#include <math.h>

static void
call_function (HlsEmit    *emit,
               HlsLayer   *layer,
               const char *functor)
{
  gboolean bit = layer->plan->input.kind == NN_TYPE_BINARY;
  g_autofree char *name = g_strdup_printf ("%snnet::%s%s", bit ? "nnet::from_bit<" : "", functor, bit ? ">" : "");

  hls_layer_call (emit, layer, "map", name, NULL);
}

gboolean
hls_write_scale (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  const NnLayerPlan *p = layer->plan;
  gsize n, n_bias;
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_SCALE, &n), *bias = hls_emit_raw (emit, layer, NN_ROLE_BIAS, &n_bias);
  g_autofree gint64 *zeros = NULL;
  g_autofree char *scales = g_strdup_printf ("s%u", layer->number), *biases = g_strdup_printf ("b%u", layer->number);

  if (raw == NULL || layer->count % n != 0)
    return hls_layer_unsupported (layer, "only one factor for each channel is supported", error);
  zeros = g_new0 (gint64, n);
  if (!hls_emit_typedef (emit, layer, "scale_t", &p->scale, error) || !hls_emit_typedef (emit, layer, "bias_t", &p->bias, error) ||
      !hls_emit_values (emit, layer, scales, "scale_t", layer->label, &p->scale, raw, n, error) ||
      !hls_emit_values (emit, layer, biases, "bias_t", layer->label, &p->bias, bias != NULL && n_bias == n ? bias : zeros, n, error))
    return FALSE;
  hls_layer_begin_array (emit, layer);
  hls_layer_field (emit, "n_channels", n);
  hls_layer_type_field (emit, layer, "scale_t");
  hls_layer_type_field (emit, layer, "bias_t");
  g_string_append_printf (emit->configs,
                          "    static scale_t factor(unsigned c) { return s%u[c]; }\n"
                          "    static bias_t offset(unsigned c) { return b%u[c]; }\n",
                          layer->number, layer->number);
  hls_layer_end (emit);
  layer->n_multipliers = emit->stream ? n : layer->count;
  call_function (emit, layer, "scale");
  return TRUE;
}

/* A table of the bit-accurate engine as data. @which as for nn_fixed_table(). */
gboolean
hls_layer_table (HlsEmit     *emit,
                 HlsLayer    *layer,
                 const char  *which,
                 const char  *name,
                 GError     **error)
{
  g_autofree gint64 *raw = NULL;
  g_autofree char *array = g_strdup_printf ("%s%u", name, layer->number), *type_name = g_strdup_printf ("%s_t", name);
  NnType type;
  guint n;

  raw = nn_fixed_table (layer->node, layer->plan, which, &n, &type);
  if (raw == NULL || n == 0)
    return hls_layer_unsupported (layer, "its function has no table", error);
  if (!hls_emit_typedef (emit, layer, type_name, &type, error) ||
      !hls_emit_values (emit, layer, array, type_name, layer->label, &type, raw, n, error))
    return FALSE;
  g_string_append_printf (emit->configs, "    static const unsigned %s_size = %u;\n", name, n);
  hls_layer_type_field (emit, layer, type_name);
  g_string_append_printf (emit->configs, "    static %s %s(unsigned i) { return %s[i]; }\n", type_name, name, array);
  return TRUE;
}

static gboolean
write_softmax (HlsEmit   *emit,
               HlsLayer  *layer,
               GError   **error)
{
  static const char *const names[] = { "stable", "stable", "latency", "legacy", "argmax" };
  const NnLayerPlan *p = layer->plan;

  if (layer->node->attrs.axis >= 0 && (guint) layer->node->attrs.axis + 1 != layer->node->shape.rank)
    return hls_layer_unsupported (layer, "softmax is supported along the last axis", error);
  hls_layer_begin_array (emit, layer);
  hls_layer_field (emit, "n_channels", hls_layer_channels (layer));
  g_string_append_printf (emit->configs, "    typedef nnet::softmax_%s implementation;\n", names[p->softmax]);
  if (p->softmax != NN_SOFTMAX_ARGMAX)
    {
      if (!hls_layer_table (emit, layer, "exp", "exp_table", error) || !hls_layer_table (emit, layer, "inv", "inv_table", error))
        return FALSE;
      if (p->softmax != NN_SOFTMAX_LEGACY)
        {
          if (!hls_emit_typedef (emit, layer, "accum_t", &p->accum, error) ||
              !hls_emit_typedef (emit, layer, "inv_inp_t", &p->inv_inp, error) ||
              !hls_emit_typedef (emit, layer, "inp_norm_t", &p->inp_norm, error))
            return FALSE;
          hls_layer_type_field (emit, layer, "accum_t");
          hls_layer_type_field (emit, layer, "inv_inp_t");
          hls_layer_type_field (emit, layer, "inp_norm_t");
        }
      else
        {
          if (!hls_emit_typedef (emit, layer, "table_t", &p->table, error))
            return FALSE;
          hls_layer_type_field (emit, layer, "table_t");
        }
    }
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "layer", "nnet::softmax", NULL);
  return TRUE;
}

/* Ranges: hls4ml, nnet_activation.h. */
static const HlsFunction functions[] = {
  { NN_ACT_LINEAR, "linear", 0 },
  { NN_ACT_QUANTIZED, "linear", 0 },
  { NN_ACT_RELU, "relu", 0 },
  { NN_ACT_LEAKY_RELU, "leaky_relu", 0 },
  { NN_ACT_THRESHOLDED_RELU, "thresholded_relu", 0 },
  { NN_ACT_ELU, "elu", 8 },
  { NN_ACT_SELU, "selu", 8 },
  { NN_ACT_SIGMOID, "table_function", 16 },
  { NN_ACT_TANH, "table_function", 8 },
  { NN_ACT_SOFTPLUS, "table_function", 16 },
  { NN_ACT_SOFTSIGN, "table_function", 16 },
  { NN_ACT_HARD_SIGMOID, "hard_sigmoid", 0 },
  { NN_ACT_HARD_TANH, "hard_tanh", 0 },
  { NN_ACT_TERNARY_TANH, "ternary_tanh", 0 },
  { NN_ACT_BINARY_TANH, "binary_tanh", 0 },
  { NN_ACT_GELU, "table_function", 16 },
  { NN_ACT_SWISH, "table_function", 16 },
  { NN_ACT_MISH, "table_function", 16 },
  { NN_ACT_EXPONENTIAL, "table_function", 16 },
  { NN_ACT_SIN, "table_function", 16 },
  { NN_ACT_COS, "table_function", 16 },
  { NN_ACT_TAN, "table_function", 16 },
  { NN_ACT_ATAN, "table_function", 16 },
  { NN_ACT_ABS, "table_function", 16 },
  { NN_ACT_SQRT, "table_function", 16 },
  { NN_ACT_LOG, "table_function", 16 },
  { NN_ACT_ERF, "table_function", 16 },
  { NN_ACT_SIGN, "table_function", 16 },
  { NN_ACT_FLOOR, "table_function", 16 },
  { NN_ACT_CEIL, "table_function", 16 },
  { NN_ACT_ROUND, "table_function", 16 },
  { NN_ACT_GELU_TANH, "table_function", 16 },
};

const HlsFunction *
hls_function_find (NnAct act)
{
  for (guint k = 0; k < G_N_ELEMENTS (functions); k++)
    if (functions[k].act == act)
      return &functions[k];
  return NULL;
}

/* A bound on the grid of the input: `static param_t NAME()`. FALSE where no input reaches it. */
static gboolean
bound (HlsEmit     *emit,
       HlsLayer    *layer,
       const char  *name,
       double       value,
       GError     **error)
{
  NnType type = layer->plan->input;
  double lsb = nn_type_lsb (&type);

  if (type.kind != NN_TYPE_FIXED)
    type = NN_FIXED (2, 2), lsb = 1;
  value = CLAMP (floor (value / lsb) * lsb, nn_type_min (&type) - lsb, nn_type_max (&type));
  type = (NnType){ .kind = NN_TYPE_FIXED, .width = MIN (type.width + 2, NN_TYPE_MAX_WIDTH), .is_signed = TRUE };
  type.integer = type.width - nn_type_fraction (&layer->plan->input);
  if (layer->plan->input.kind != NN_TYPE_FIXED)
    type.integer = type.width;
  if (!hls_emit_typedef (emit, layer, "param_t", &type, error))
    return FALSE;
  hls_layer_type_field (emit, layer, "param_t");
  hls_layer_constant (emit, "param_t", name, value);
  return TRUE;
}

static gboolean
slope (HlsEmit   *emit,
       HlsLayer  *layer,
       double     value,
       GError   **error)
{
  if (!hls_emit_typedef (emit, layer, "param_t", &layer->plan->weight, error))
    return FALSE;
  hls_layer_type_field (emit, layer, "param_t");
  hls_layer_constant (emit, "param_t", "alpha", value);
  return TRUE;
}

/* Slope and shift as the bit-accurate engine has them (hls4ml, hard_sigmoid). */
static gboolean
hard_parameters (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  const NnAttrs *attrs = &layer->node->attrs;
  gboolean half = attrs->slope == 0.5;
  NnType slope_type = half ? NN_UFIXED (2, 0) : NN_UFIXED (16, 0), shift_type = NN_FIXED (24, 8);

  if (!hls_emit_typedef (emit, layer, "slope_t", &slope_type, error) ||
      !hls_emit_typedef (emit, layer, "shift_t", &shift_type, error))
    return FALSE;
  hls_layer_type_field (emit, layer, "slope_t");
  hls_layer_type_field (emit, layer, "shift_t");
  hls_layer_constant (emit, "slope_t", "slope", attrs->slope != 0 ? attrs->slope : 0.2);
  hls_layer_constant (emit, "shift_t", "shift", attrs->slope != 0 ? attrs->shift : 0.5);
  return TRUE;
}

/* ReLU with Keras's parameters; what it becomes. */
static gboolean
relu_parameters (HlsEmit     *emit,
                 HlsLayer    *layer,
                 const char **functor,
                 GError     **error)
{
  const NnAttrs *attrs = &layer->node->attrs;

  if (attrs->alpha != 0 && (attrs->max_value != 0 || attrs->threshold != 0))
    return hls_layer_unsupported (layer, "a ReLU with a slope and a bound at once is not supported", error);
  if (attrs->threshold != 0 && attrs->max_value != 0)
    return hls_layer_unsupported (layer, "a ReLU with a threshold and a ceiling at once is not supported", error);
  if (attrs->alpha != 0)
    {
      *functor = "leaky_relu";
      return slope (emit, layer, attrs->alpha, error);
    }
  if (attrs->threshold != 0)
    {
      *functor = "thresholded_relu";
      return bound (emit, layer, "alpha", attrs->threshold, error);
    }
  if (attrs->max_value == 0)
    return TRUE;
  *functor = "relu_max";
  return bound (emit, layer, "maximum", attrs->max_value, error);
}

static gboolean
parameters (HlsEmit     *emit,
            HlsLayer    *layer,
            const char **functor,
            GError     **error)
{
  const NnAttrs *attrs = &layer->node->attrs;

  switch (layer->node->op == NN_OP_QUANTIZE ? NN_ACT_LINEAR : attrs->act)
    {
    case NN_ACT_RELU:
      return relu_parameters (emit, layer, functor, error);
    case NN_ACT_LEAKY_RELU:
      return slope (emit, layer, attrs->alpha, error);
    case NN_ACT_ELU:
      return slope (emit, layer, attrs->alpha != 0 ? attrs->alpha : 1, error);
    case NN_ACT_THRESHOLDED_RELU:
      return bound (emit, layer, "alpha", attrs->threshold, error);
    case NN_ACT_HARD_SIGMOID:
    case NN_ACT_HARD_TANH:
      return hard_parameters (emit, layer, error);
    case NN_ACT_BINARY_TANH:
      *functor = layer->plan->result.kind == NN_TYPE_BINARY ? "binary_sign" : "binary_tanh";
      return TRUE;
    default:
      return TRUE;
    }
}

/* Thresholds in place of a batch normalisation before a sign. */
static gboolean
write_thresholds (HlsEmit   *emit,
                  HlsLayer  *layer,
                  GError   **error)
{
  gboolean ternary = layer->node->attrs.act == NN_ACT_TERNARY_TANH;
  gsize n, n_low;
  const gint64 *high = hls_emit_raw (emit, layer, NN_ROLE_OTHER, &n), *low = hls_emit_raw (emit, layer, NN_ROLE_ALPHA, &n_low);
  g_autofree char *name = g_strdup_printf ("t%u", layer->number), *low_name = g_strdup_printf ("l%u", layer->number);
  /* thresholds are any code of the type, also one that its overflow mode would not give */
  NnType plain = layer->plan->weight, *type = &plain;

  plain.rounding = NN_ROUND_TRN;
  plain.overflow = NN_OVERFLOW_WRAP;
  if (high == NULL || (ternary && n_low != n))
    return hls_layer_unsupported (layer, "its thresholds are missing", error);
  if (!hls_emit_typedef (emit, layer, "param_t", type, error) ||
      !hls_emit_values (emit, layer, name, "param_t", "Thresholds", type, high, n, error) ||
      (ternary && !hls_emit_values (emit, layer, low_name, "param_t", "Lower thresholds", type, low, n, error)))
    return FALSE;
  hls_layer_begin_array (emit, layer);
  hls_layer_field (emit, "n_channels", n);
  hls_layer_type_field (emit, layer, "param_t");
  g_string_append_printf (emit->configs, "    static param_t threshold(unsigned c) { return %s[c]; }\n", name);
  if (ternary)
    g_string_append_printf (emit->configs, "    static param_t lower(unsigned c) { return %s[c]; }\n", low_name);
  hls_layer_end (emit);
  call_function (emit, layer, ternary ? "ternary_threshold" : "binary_threshold");
  return TRUE;
}

/* A function that picks the type of an element by its number; few of them are different. */
static gboolean
write_elements (HlsEmit   *emit,
                HlsLayer  *layer,
                GError   **error)
{
  gsize n = layer->node->attrs.quantizer->n_elements;
  g_autofree guint32 *kinds = g_new (guint32, n);
  g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (NnType));
  g_autofree char *name = g_strdup_printf ("kind%u", layer->number);

  for (gsize k = 0; k < n; k++)
    {
      NnType type = nn_design_element_type (emit->design, layer->number, k);

      for (kinds[k] = 0; kinds[k] < types->len && !nn_type_equal (&g_array_index (types, NnType, kinds[k]), &type); kinds[k]++)
        ;
      if (kinds[k] == types->len)
        g_array_append_val (types, type);
    }
  for (guint t = 0; t < types->len; t++)
    {
      g_autofree char *type_name = g_strdup_printf ("element%u_t", t);

      if (g_array_index (types, NnType, t).width > 0 && !hls_emit_typedef (emit, layer, type_name, &g_array_index (types, NnType, t), error))
        return FALSE;
    }
  hls_emit_indices (emit, name, layer->label, kinds, n);
  hls_layer_begin_array (emit, layer);
  g_string_append_printf (emit->configs,
                          "    template <class res_T, class data_T> static res_T element(const data_T &x, unsigned i) {\n"
                          "        switch (%s[i %% %" G_GSIZE_FORMAT "]) {\n",
                          name, n);
  for (guint t = 0; t < types->len; t++)
    if (g_array_index (types, NnType, t).width > 0)
      g_string_append_printf (emit->configs, "        case %u:\n            return res_T(layer%u_element%u_t(x));\n", t, layer->number, t);
  g_string_append (emit->configs, "        default:\n            return res_T(0);\n        }\n    }\n");
  hls_layer_end (emit);
  call_function (emit, layer, "elements");
  return TRUE;
}

/* The table of a file's own function, addressed by the bits of its input. */
gboolean
hls_write_lookup (HlsEmit   *emit,
                  HlsLayer  *layer,
                  GError   **error)
{
  gsize n;
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_VALUE, &n);
  g_autofree char *name = g_strdup_printf ("lut%u", layer->number);

  if (raw == NULL || layer->plan->input.kind != NN_TYPE_FIXED || layer->plan->input.width > 30 ||
      n != (gsize) 1 << layer->plan->input.width)
    return hls_layer_unsupported (layer, "its table does not have one entry for each word of its input", error);
  if (!hls_emit_typedef (emit, layer, "table_t", &layer->plan->weight, error) ||
      !hls_emit_values (emit, layer, name, "table_t", layer->label, &layer->plan->weight, raw, n, error))
    return FALSE;
  hls_layer_begin_array (emit, layer);
  g_string_append_printf (emit->configs, "    static layer%u_table_t table(unsigned i) { return %s[i]; }\n", layer->number, name);
  hls_layer_end (emit);
  call_function (emit, layer, "unary_lut");
  return TRUE;
}

gboolean
hls_write_activation (HlsEmit   *emit,
                      HlsLayer  *layer,
                      GError   **error)
{
  NnAct act = layer->node->op == NN_OP_QUANTIZE ? NN_ACT_LINEAR : layer->node->attrs.act;
  const HlsFunction *function;
  const char *functor;

  if (act == NN_ACT_SOFTMAX && !layer->plan->skip)
    return write_softmax (emit, layer, error);
  if (act == NN_ACT_SOFTMAX)
    act = NN_ACT_LINEAR;
  if (g_strcmp0 (layer->node->class_name, "BatchNormalizationQuantizedTanh") == 0)
    return write_thresholds (emit, layer, error);
  if ((act == NN_ACT_LINEAR || act == NN_ACT_QUANTIZED) && layer->node->attrs.quantizer != NULL &&
      layer->node->attrs.quantizer->per_element != NULL && layer->node->attrs.quantizer->n_elements > 0)
    return write_elements (emit, layer, error);
  function = hls_function_find (act);
  if (function == NULL)
    return hls_layer_unsupported (layer, "there is no kernel for this activation", error);
  functor = function->functor;
  hls_layer_begin_array (emit, layer);
  if (!parameters (emit, layer, &functor, error))
    return FALSE;
  if (function->range > 0)
    {
      if (!hls_layer_table (emit, layer, "table", "table", error))
        return FALSE;
      hls_layer_field (emit, "table_range", function->range);
    }
  hls_layer_end (emit);
  call_function (emit, layer, functor);
  return TRUE;
}

gboolean
hls_write_prelu (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  gsize n;
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_ALPHA, &n);
  g_autofree char *name = g_strdup_printf ("a%u", layer->number);

  if (raw == NULL || n == 0 || layer->count % n != 0)
    return hls_layer_unsupported (layer, "its slopes do not fit its shape", error);
  if (!hls_emit_typedef (emit, layer, "param_t", &layer->plan->weight, error) ||
      !hls_emit_values (emit, layer, name, "param_t", layer->label, &layer->plan->weight, raw, n, error))
    return FALSE;
  hls_layer_begin_array (emit, layer);
  hls_layer_type_field (emit, layer, "param_t");
  g_string_append_printf (emit->configs, "    static param_t alpha(unsigned i) { return a%u[i %% %" G_GSIZE_FORMAT "]; }\n",
                          layer->number, n);
  hls_layer_end (emit);
  call_function (emit, layer, "prelu");
  return TRUE;
}

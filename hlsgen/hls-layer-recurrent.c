/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recurrent layers, layer normalisation, embedding. */

#include "hls-layer-private.h"

/* The struct of one activation inside a recurrent layer; tables are shared by all units. */
static gboolean
write_gate (HlsEmit     *emit,
            HlsLayer    *layer,
            const char  *name,
            const char  *which,
            NnAct        act,
            double       slope_value,
            double       shift_value,
            GError     **error)
{
  gboolean half = slope_value == 0.5;
  g_autofree char *slope_name = g_strdup_printf ("%s_slope_t", name), *shift_name = g_strdup_printf ("%s_shift_t", name);
  NnType slope_type = half ? NN_UFIXED (2, 0) : NN_UFIXED (16, 0), shift_type = NN_FIXED (24, 8), type;
  const HlsFunction *function = hls_function_find (act);
  gboolean direct = act == NN_ACT_LINEAR || act == NN_ACT_RELU || act == NN_ACT_HARD_SIGMOID || act == NN_ACT_HARD_TANH;
  g_autofree gint64 *raw = NULL;
  g_autofree char *array = g_strdup_printf ("%s%u", name, layer->number), *table_name = g_strdup_printf ("%s_table_t", name);
  guint n;

  if (direct && function == NULL)
    return hls_layer_unsupported (layer, "there is no kernel for the activation of its gates", error);
  g_string_append_printf (emit->configs, "struct config%u_%s {\n    typedef nnet::%s function;\n", layer->number, name,
                          direct ? function->functor : "table_function"); /* as the bit-accurate engine: whatever else by a table */
  if (act == NN_ACT_HARD_SIGMOID || act == NN_ACT_HARD_TANH)
    {
      if (!hls_emit_typedef (emit, layer, slope_name, &slope_type, error) || !hls_emit_typedef (emit, layer, shift_name, &shift_type, error))
        return FALSE;
      g_string_append_printf (emit->configs, "    typedef layer%u_%s slope_t;\n    typedef layer%u_%s shift_t;\n", layer->number,
                              slope_name, layer->number, shift_name);
      hls_layer_constant (emit, "slope_t", "slope", slope_value);
      hls_layer_constant (emit, "shift_t", "shift", shift_value);
    }
  if (!direct)
    {
      raw = nn_fixed_table (layer->node, layer->plan, which, &n, &type);
      if (!hls_emit_typedef (emit, layer, table_name, &type, error) ||
          !hls_emit_values (emit, layer, array, table_name, layer->label, &type, raw, n, error))
        return FALSE;
      hls_layer_field (emit, "table_size", n);
      hls_layer_field (emit, "table_range", act == NN_ACT_TANH ? 8 : 16);
      g_string_append_printf (emit->configs, "    static layer%u_%s table(unsigned i) { return %s[i]; }\n", layer->number, table_name, array);
    }
  hls_layer_end (emit);
  return TRUE;
}

static gboolean
write_recurrent_matrices (HlsEmit   *emit,
                          HlsLayer  *layer,
                          GError   **error)
{
  const NnLayerPlan *p = layer->plan;
  g_autofree char *config = g_strdup_printf ("config%u_matrix", layer->number), *state = g_strdup_printf ("config%u_state", layer->number);
  g_autofree char *first = NULL;
  gsize n_bias;
  const gint64 *bias = hls_emit_raw (emit, layer, NN_ROLE_BIAS, &n_bias);
  HlsMatrix matrix;

  hls_layer_matrix (emit, layer, &matrix);
  if (!hls_emit_matrix (emit, layer, &matrix, config, error))
    return FALSE;
  first = g_steal_pointer (&layer->kernel);
  matrix.prefix = "recurrent_";
  matrix.raw = hls_emit_raw (emit, layer, NN_ROLE_RECURRENT_KERNEL, NULL);
  matrix.bias = n_bias == 2 * (gsize) p->n_out ? bias + p->n_out : NULL;
  matrix.input_type = &p->result;
  matrix.weight_type = &p->recurrent_weight;
  matrix.bias_type = &p->recurrent_bias;
  matrix.n_in = p->recurrent_n_in;
  matrix.reuse_factor = MAX (p->recurrent_reuse_factor, 1);
  if (!hls_emit_matrix (emit, layer, &matrix, state, error))
    return FALSE;
  if (first != NULL)
    {
      g_autofree char *second = layer->kernel;

      layer->kernel = g_strdup_printf ("%s; state: %s", first, second);
    }
  return TRUE;
}

gboolean
hls_write_recurrent (HlsEmit   *emit,
                     HlsLayer  *layer,
                     GError   **error)
{
  const NnAttrs *a = &layer->node->attrs;
  NnOp op = layer->node->op;
  const char *step = op == NN_OP_LSTM ? "nnet::lstm_step" : op == NN_OP_GRU ? (a->reset_after ? "nnet::gru_step" : "nnet::gru_before_step")
                                                                               : "nnet::simple_step";
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u, wr%u, br%u", layer->number, layer->number, layer->number, layer->number);

  if (hls_layer_has_bits (emit, layer) || layer->node->n_inputs != 1)
    return hls_layer_unsupported (layer, "one input of fixed point is supported", error);
  if (!write_recurrent_matrices (emit, layer, error) ||
      !write_gate (emit, layer, "gate", "recurrent", op == NN_OP_SIMPLE_RNN ? NN_ACT_LINEAR : a->recurrent_act,
                   a->recurrent_slope != 0 ? a->recurrent_slope : 0.2, a->recurrent_slope != 0 ? a->recurrent_shift : 0.5, error) ||
      !write_gate (emit, layer, "act", "table", a->act, 0.2, 0.5, error))
    return FALSE;
  hls_layer_begin_array (emit, layer);
  hls_layer_field (emit, "n_units", (gsize) a->units);
  hls_layer_field (emit, "n_steps", (gsize) nn_graph_node (emit->graph, layer->node->inputs[0])->shape.dims[0]);
  g_string_append_printf (emit->configs,
                          "    static const bool backwards = %s;\n    static const bool sequences = %s;\n"
                          "    typedef layer%u_accum_t accum_t;\n    typedef config%u_matrix matrix;\n"
                          "    typedef config%u_state state_matrix;\n    typedef config%u_gate gate_config;\n    typedef config%u_act act_config;\n",
                          a->go_backwards ? "true" : "false", a->return_sequences ? "true" : "false", layer->number, layer->number,
                          layer->number, layer->number, layer->number);
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "recurrent", step, arguments);
  return TRUE;
}

gboolean
hls_layer_row (HlsEmit       *emit,
               HlsLayer      *layer,
               const char    *function,
               const char    *letter,
               const char    *type_name,
               const NnType  *type,
               const gint64  *raw,
               gsize          n,
               int            otherwise,
               GError       **error)
{
  g_autofree char *array = g_strdup_printf ("%s%u", letter, layer->number);
  NnType bit = NN_UFIXED (1, 1);

  if (!hls_emit_typedef (emit, layer, type_name, raw != NULL ? type : &bit, error) ||
      (raw != NULL && !hls_emit_values (emit, layer, array, type_name, layer->label, type, raw, n, error)))
    return FALSE;
  hls_layer_type_field (emit, layer, type_name);
  if (raw != NULL)
    g_string_append_printf (emit->configs, "    static %s %s(unsigned i) { return %s[i]; }\n", type_name, function, array);
  else
    g_string_append_printf (emit->configs, "    static %s %s(unsigned) { return %s(%d); }\n", type_name, function, type_name, otherwise);
  return TRUE;
}

gboolean
hls_write_layer_norm (HlsEmit   *emit,
                      HlsLayer  *layer,
                      GError   **error)
{
  gsize n = hls_layer_channels (layer), n_scale = n, n_bias = n;
  const gint64 *gamma = hls_emit_raw (emit, layer, NN_ROLE_GAMMA, &n_scale), *beta = hls_emit_raw (emit, layer, NN_ROLE_BETA, &n_bias);

  if (gamma == NULL)
    gamma = hls_emit_raw (emit, layer, NN_ROLE_SCALE, &n_scale);
  if (beta == NULL)
    beta = hls_emit_raw (emit, layer, NN_ROLE_BIAS, &n_bias);
  if (hls_layer_has_bits (emit, layer) || (gamma != NULL && n_scale != n) || (beta != NULL && n_bias != n))
    return hls_layer_unsupported (layer, "normalising over the last axis of fixed-point numbers is supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  hls_layer_begin_array (emit, layer);
  hls_layer_field (emit, "n_channels", n);
  hls_layer_type_field (emit, layer, "accum_t");
  if (!hls_layer_table (emit, layer, "table", "table", error) ||
      !hls_layer_row (emit, layer, "factor", "s", "scale_t", &layer->plan->scale, gamma, n, 1, error) ||
      !hls_layer_row (emit, layer, "offset", "b", "bias_t", &layer->plan->bias, beta, n, 0, error))
    return FALSE;
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "layer", "nnet::layer_norm", NULL);
  return TRUE;
}

gboolean
hls_write_embedding (HlsEmit   *emit,
                     HlsLayer  *layer,
                     GError   **error)
{
  gsize n, units = hls_layer_channels (layer);
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_EMBEDDINGS, &n);

  if (raw == NULL || n % units != 0 || hls_layer_has_bits (emit, layer))
    return hls_layer_unsupported (layer, "its table is missing", error);
  hls_layer_begin_array (emit, layer);
  hls_layer_field (emit, "n_units", units);
  hls_layer_field (emit, "n_rows", n / units);
  if (!hls_layer_row (emit, layer, "row", "e", "weight_t", &layer->plan->weight, raw, n, 0, error))
    return FALSE;
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "layer", "nnet::embedding", NULL);
  return TRUE;
}

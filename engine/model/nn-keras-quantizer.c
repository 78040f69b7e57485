/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QKeras quantisers: written as an object or as a Python expression, `quantized_bits(6,0,alpha=1)`. */

#include "nn-keras.h"

#include "nn-error.h"
#include "nn-text.h"

#include <math.h>
#include <string.h>

/* QKeras's default of ternary without a threshold (qkeras/quantizers.py, ternary.default_threshold). */
#define TERNARY_THRESHOLD 0.33
#define MAX_BITS 64

/* Positional arguments of each, as in qkeras/quantizers.py. */
static const struct {
  const char *name;
  const char *arguments[8];
} signatures[] = {
  { "quantized_bits", { "bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding" } },
  { "quantized_linear", { "bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding" } },
  { "quantized_relu", { "bits", "integer", "use_sigmoid", "negative_slope", "use_stochastic_rounding",
                        "relu_upper_bound", "is_quantized_clip" } },
  { "quantized_tanh", { "bits", "use_stochastic_rounding", "symmetric", "use_real_tanh" } },
  { "quantized_sigmoid", { "bits", "symmetric", "use_real_sigmoid", "use_stochastic_rounding" } },
  { "quantized_ulaw", { "bits", "integer", "symmetric", "u" } },
  { "quantized_po2", { "bits", "max_value", "use_stochastic_rounding", "quadratic_approximation" } },
  { "quantized_relu_po2", { "bits", "max_value", "negative_slope", "use_stochastic_rounding",
                            "quadratic_approximation" } },
  { "binary", { "use_01", "alpha", "use_stochastic_rounding" } },
  { "stochastic_binary", { "alpha", "temperature", "use_real_sigmoid" } },
  { "ternary", { "alpha", "threshold", "use_stochastic_rounding", "number_of_unrolls" } },
  { "stochastic_ternary", { "alpha", "threshold", "temperature", "use_real_sigmoid", "number_of_unrolls" } },
};

static int
find_signature (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (signatures); i++)
    if (g_str_equal (signatures[i].name, name))
      return i;
  return -1;
}

static JsonNode *
literal (const char *text)
{
  JsonNode *node = json_node_alloc ();
  gsize n = strlen (text);
  double number;

  if (nn_text_to_double (text, &number))
    return json_node_init_double (node, number);
  if (g_str_equal (text, "True") || g_str_equal (text, "true"))
    return json_node_init_boolean (node, TRUE);
  if (g_str_equal (text, "False") || g_str_equal (text, "false"))
    return json_node_init_boolean (node, FALSE);
  if (n >= 2 && (text[0] == '\'' || text[0] == '"') && text[n - 1] == text[0])
    {
      g_autofree char *inner = g_strndup (text + 1, n - 2);

      return json_node_init_string (node, inner);
    }
  return json_node_init_null (node);
}

/* NAME(1, 2, key=value) as an object with the class's argument names; %NULL where it is not of this form. */
static JsonObject *
parse_expression (const char *text,
                  char      **name)
{
  const char *open = strchr (text, '('), *close = strrchr (text, ')');
  g_autofree char *inner = NULL;
  g_auto (GStrv) arguments = NULL;
  g_autoptr (JsonObject) config = NULL;
  int signature;

  *name = open != NULL ? g_strndup (text, open - text) : g_strdup (text);
  g_strstrip (*name);
  signature = find_signature (*name);
  if (signature < 0 || (open != NULL && (close == NULL || close < open)))
    return NULL;
  config = json_object_new ();
  if (open == NULL)
    return g_steal_pointer (&config);
  inner = g_strndup (open + 1, close - open - 1);
  arguments = g_strsplit (inner, ",", 32);
  for (guint i = 0; arguments[i] != NULL; i++)
    {
      char *equals = strchr (arguments[i], '=');
      const char *key = NULL;

      if (equals != NULL)
        {
          *equals = '\0';
          key = g_strstrip (arguments[i]);
        }
      else if (g_strstrip (arguments[i])[0] == '\0')
        continue;
      else if (i < G_N_ELEMENTS (signatures[signature].arguments))
        key = signatures[signature].arguments[i];
      if (key == NULL)
        return NULL;
      json_object_set_member (config, key, literal (g_strstrip (equals != NULL ? equals + 1 : arguments[i])));
    }
  return g_steal_pointer (&config);
}

/* alpha: nothing, a number, one for each channel, "auto", "auto_po2". */
static gboolean
read_alpha (NnKerasLayer  *layer,
            JsonObject    *config,
            NnQuantizer   *q,
            float        **numbers,
            GError       **error)
{
  JsonNode *node = nn_json_get (config, "alpha");
  JsonArray *array;
  const char *word = nn_json_as_string (node);
  double value;

  q->alpha_mode = NN_ALPHA_ONE;
  if (node == NULL)
    return TRUE;
  if (word != NULL && (g_str_equal (word, "auto") || g_str_equal (word, "auto_po2")))
    {
      q->alpha_mode = word[4] == '\0' ? NN_ALPHA_AUTO : NN_ALPHA_AUTO_PO2;
      return TRUE;
    }
  if (nn_json_as_double (node, &value))
    {
      if (value == 1)
        return TRUE;
      *numbers = g_new (float, 1);
      **numbers = (float) value;
      q->n_alpha = 1;
    }
  else
    {
      array = nn_json_as_array (node);
      if (array == NULL)
        array = nn_json_array (nn_json_object (nn_json_as_object (node), "config"), "value");
      if (array == NULL || json_array_get_length (array) == 0)
        return nn_keras_unsupported (layer, error,
                                     "a quantiser's \"alpha\" is not supported; a number, \"auto\" and \"auto_po2\" are");
      q->n_alpha = json_array_get_length (array);
      *numbers = g_new0 (float, q->n_alpha);
      for (guint i = 0; i < q->n_alpha; i++)
        {
          if (!nn_json_as_double (json_array_get_element (array, i), &value))
            return nn_keras_unsupported (layer, error, "a quantiser's \"alpha\" of more than one axis is not supported");
          (*numbers)[i] = (float) value;
        }
    }
  q->alpha_mode = NN_ALPHA_FIXED;
  q->alpha = *numbers;
  return TRUE;
}

static NnType
grid (gint64   bits,
      gint64   integer,
      gboolean is_signed,
      gboolean symmetric)
{
  return (NnType){
    .kind = NN_TYPE_FIXED,
    .width = (int) bits,
    .integer = (int) integer + (is_signed ? 1 : 0),
    .is_signed = is_signed,
    .rounding = NN_ROUND_RND_CONV, /* tf.round */
    .overflow = symmetric ? NN_OVERFLOW_SAT_SYM : NN_OVERFLOW_SAT,
  };
}

static void
read_fixed (const char  *name,
            JsonObject  *config,
            gint64       bits,
            gint64       integer,
            NnQuantizer *q)
{
  gboolean keep_negative = nn_json_boolean (config, "keep_negative", TRUE);

  q->symmetric = nn_json_boolean (config, "symmetric", g_str_equal (name, "quantized_linear"));
  q->kind = g_str_equal (name, "quantized_ulaw") ? NN_QUANT_ULAW : NN_QUANT_FIXED;
  if (q->kind == NN_QUANT_ULAW)
    q->threshold = nn_json_double (config, "u", 255);
  q->type = grid (bits, integer, keep_negative, q->symmetric);
  q->alpha_divides = g_str_equal (name, "quantized_linear");
  /* one bit with a sign is -1 or +1 */
  if (bits == 1 && keep_negative && q->alpha_mode != NN_ALPHA_AUTO && q->alpha_mode != NN_ALPHA_AUTO_PO2)
    {
      q->kind = NN_QUANT_BINARY;
      q->type = (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1, .is_signed = TRUE };
    }
}

static void
read_relu (JsonObject  *config,
           gint64       bits,
           gint64       integer,
           NnQuantizer *q)
{
  q->kind = NN_QUANT_RELU;
  q->negative_slope = nn_json_double (config, "negative_slope", 0);
  q->use_sigmoid = nn_json_boolean (config, "use_sigmoid", FALSE);
  if (!nn_json_boolean (config, "is_quantized_clip", TRUE) || nn_json_get (config, "is_quantized_clip") == NULL)
    q->max_value = nn_json_double (config, "relu_upper_bound", 0);
  q->type = grid (bits, integer, q->negative_slope != 0, FALSE);
}

static void
read_curve (const char  *name,
            JsonObject  *config,
            gint64       bits,
            NnQuantizer *q)
{
  gboolean is_tanh = g_str_equal (name, "quantized_tanh");

  q->kind = is_tanh ? NN_QUANT_TANH : NN_QUANT_SIGMOID;
  q->symmetric = nn_json_boolean (config, "symmetric", FALSE);
  q->use_real_function = nn_json_boolean (config, is_tanh ? "use_real_tanh" : "use_real_sigmoid", FALSE);
  q->type = grid (bits, 0, is_tanh, q->symmetric && is_tanh);
}

static gboolean
read_power (NnKerasLayer  *layer,
            const char    *name,
            JsonObject    *config,
            gint64         bits,
            NnQuantizer   *q,
            GError       **error)
{
  const char *rounding = nn_json_string (config, "log2_rounding");

  if (rounding != NULL && !g_str_equal (rounding, "rnd"))
    return nn_keras_unsupported (layer, error, "%s: \"log2_rounding\" \"%s\" is not supported; \"rnd\" is", name, rounding);
  q->kind = g_str_equal (name, "quantized_po2") ? NN_QUANT_POWER : NN_QUANT_POWER_RELU;
  q->max_value = nn_json_double (config, "max_value", 0);
  q->negative_slope = nn_json_double (config, "negative_slope", 0);
  q->type = (NnType){ .kind = NN_TYPE_POWER, .width = (int) bits, .integer = (int) bits,
                      .is_signed = q->kind == NN_QUANT_POWER || q->negative_slope != 0 };
  q->quadratic = nn_json_boolean (config, "quadratic_approximation", FALSE);
  return TRUE;
}

static void
read_few (const char  *name,
          JsonObject  *config,
          NnQuantizer *q)
{
  if (g_str_has_suffix (name, "ternary"))
    {
      q->kind = NN_QUANT_TERNARY;
      q->threshold = nn_json_double (config, "threshold", TERNARY_THRESHOLD);
      q->type = (NnType){ .kind = NN_TYPE_TERNARY, .width = 2, .integer = 2, .is_signed = TRUE };
      return;
    }
  q->kind = NN_QUANT_BINARY;
  q->type = (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1, .is_signed = TRUE };
  if (nn_json_boolean (config, "use_01", FALSE))
    q->type = (NnType){ .kind = NN_TYPE_FIXED, .width = 1, .integer = 1, .overflow = NN_OVERFLOW_SAT };
}

static gboolean
fill (NnKerasLayer  *layer,
      const char    *name,
      JsonObject    *config,
      NnQuantizer   *q,
      float        **numbers,
      GError       **error)
{
  gint64 bits = 8, integer = 0;

  nn_json_int (config, "bits", &bits);
  nn_json_int (config, "integer", &integer);
  if (bits < 1 || bits > MAX_BITS || integer < -256 || integer > 256)
    return nn_keras_bad (layer, error, "%s: \"bits\" must be 1 to %d and \"integer\" near them", name, MAX_BITS);
  if (nn_json_double (config, "qnoise_factor", 1) != 1)
    return nn_keras_unsupported (layer, error, "%s: \"qnoise_factor\" other than 1 is not supported", name);
  if (!read_alpha (layer, config, q, numbers, error))
    return FALSE;
  if (g_str_equal (name, "quantized_bits") || g_str_equal (name, "quantized_linear") ||
      g_str_equal (name, "quantized_ulaw"))
    read_fixed (name, config, bits, integer, q);
  else if (g_str_equal (name, "quantized_relu"))
    read_relu (config, bits, integer, q);
  else if (g_str_equal (name, "quantized_tanh") || g_str_equal (name, "quantized_sigmoid"))
    read_curve (name, config, bits, q);
  else if (g_str_equal (name, "quantized_po2") || g_str_equal (name, "quantized_relu_po2"))
    return read_power (layer, name, config, bits, q, error);
  else
    read_few (name, config, q);
  return TRUE;
}

/**
 * nn_keras_quantizer:
 * @json: (nullable): as in the configuration
 * @quantizer: (out) (nullable): lives with the graph; %NULL for none, or for the name `linear`
 *
 * Source: google/qkeras, qkeras/quantizers.py (0.9). At inference stochastic quantisers are their plain twins.
 *
 * Errors: %NN_ERROR_UNSUPPORTED, %NN_ERROR_FORMAT
 */
gboolean
nn_keras_quantizer (NnKerasLayer  *layer,
                    JsonNode      *json,
                    NnQuantizer  **quantizer,
                    GError       **error)
{
  JsonObject *object = nn_json_as_object (json);
  const char *text = nn_json_as_string (json);
  g_autoptr (JsonObject) config = NULL;
  g_autofree float *numbers = NULL;
  g_autofree char *name = NULL, *source = NULL;
  NnQuantizer q = { 0 };

  *quantizer = NULL;
  if (json == NULL || (text != NULL && (g_str_equal (text, "linear") || text[0] == '\0')))
    return TRUE;
  if (object != NULL)
    {
      const char *class_name = nn_json_string (object, "class_name");

      if (class_name == NULL)
        return nn_keras_bad (layer, error, "a quantiser has no \"class_name\"");
      name = g_strdup (strrchr (class_name, '>') != NULL ? strrchr (class_name, '>') + 1 : class_name);
      if (nn_json_object (object, "config") != NULL)
        config = json_object_ref (nn_json_object (object, "config"));
      else if (nn_json_string (object, "config") != NULL)
        {
          g_clear_pointer (&name, g_free);
          config = parse_expression (nn_json_string (object, "config"), &name);
        }
    }
  else if (text != NULL)
    config = parse_expression (text, &name);
  else
    return nn_keras_bad (layer, error, "a quantiser is neither text nor an object");
  if (config == NULL || find_signature (name) < 0)
    return nn_keras_unsupported (layer, error,
                                 "the activation or quantiser \"%s\" is not known; Keras's linear, relu, elu, selu, gelu, sigmoid, "
                                 "hard_sigmoid, tanh, softmax, softplus, softsign, exponential, swish and mish are, and QKeras's quantisers",
                                 text != NULL ? text : name);
  if (!fill (layer, name, config, &q, &numbers, error))
    return FALSE;
  source = nn_json_text (json);
  q.source = source;
  *quantizer = nn_graph_builder_quantizer (layer->keras->builder, &q);
  return TRUE;
}

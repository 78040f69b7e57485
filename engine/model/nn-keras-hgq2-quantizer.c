/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's quantisers: a type for each element from the trained bits. Source: calad0i/HGQ2 (0.1), hgq/quantizer. */

#include "nn-keras-hgq.h"

#include <math.h>

/* HardSigmoidConfig: [-2, 2) on [0, 1). Source: hgq/quantizer/config.py. */
#define HARD_SIGMOID_GAIN 0.25
#define HARD_SIGMOID_OFFSET 0.5

/* The modes a quantiser is told, or that its configuration's class stands for. */
static gboolean
read_modes (NnKerasLayer  *layer,
            JsonObject    *outer,
            gboolean      *kbi,
            NnRounding    *rounding,
            NnOverflow    *overflow,
            GError       **error)
{
  JsonObject *conf = nn_json_object (outer, "config");
  const char *type = nn_json_string (conf, "q_type"), *overflow_name = nn_json_string (conf, "overflow_mode");
  const char *class_name = nn_json_string (outer, "class_name");

  if (overflow_name == NULL && class_name != NULL && g_str_has_prefix (nn_keras_plain_class (class_name), "Hard"))
    overflow_name = "SAT";
  *kbi = type != NULL && g_str_equal (type, "kbi");
  if (type == NULL || (!*kbi && !g_str_equal (type, "kif")))
    return nn_keras_unsupported (layer, error, "the quantiser type \"%s\" is not supported; kbi and kif are",
                                 type != NULL ? type : "none");
  if (!nn_keras_find_rounding (nn_json_string (conf, "round_mode"), rounding) || !nn_keras_find_overflow (overflow_name, overflow))
    return nn_keras_unsupported (layer, error, "rounding \"%s\" or overflow \"%s\" is not supported",
                                 nn_json_string (conf, "round_mode"), overflow_name);
  return TRUE;
}

/* `scaler` and `affine`, a number and a pair. */
static gboolean
read_line (NnKerasLayer  *layer,
           JsonObject    *outer,
           NnHgq2Line    *line,
           GError       **error)
{
  JsonObject *conf = nn_json_object (outer, "config");
  const char *class_name = nn_json_string (outer, "class_name");
  JsonNode *affine = nn_json_get (conf, "affine");
  JsonArray *pair = nn_json_as_array (affine);

  *line = (NnHgq2Line){ nn_json_double (conf, "scaler", 1), 1, 0 };
  if (class_name != NULL && g_str_equal (nn_keras_plain_class (class_name), "HardSigmoidConfig"))
    *line = (NnHgq2Line){ line->scaler, HARD_SIGMOID_GAIN, HARD_SIGMOID_OFFSET };
  if (affine != NULL && (pair == NULL || json_array_get_length (pair) != 2 ||
                         !nn_json_as_double (json_array_get_element (pair, 0), &line->gain) ||
                         !nn_json_as_double (json_array_get_element (pair, 1), &line->offset)))
    return nn_keras_bad (layer, error, "\"affine\" of a quantiser is not a pair of numbers");
  if (line->scaler == 0 || !isfinite (line->scaler) || !isfinite (line->gain) || !isfinite (line->offset))
    return nn_keras_bad (layer, error, "\"scaler\" or \"affine\" of a quantiser is not a number that is allowed there");
  return TRUE;
}

/* `kbi` has trained bits and integer, `kif` integer and fraction; in a Keras 3 file trained variables come first. */
static NnType *
read_types (NnKerasLayer  *layer,
            const char    *sub,
            gboolean       kbi,
            NnRounding     rounding,
            NnOverflow     overflow,
            NnShape       *shape,
            GError       **error)
{
  gboolean wrap = overflow == NN_OVERFLOW_WRAP;
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  NnTensor *k_values, *i_values, *b_values;
  NnType *types;

  for (guint n = 0; n < 3; n++)
    {
      NnTensor *one = nn_keras_peek (layer, "?", sub, n, error);

      if (one == NULL)
        {
          if (error == NULL || *error == NULL)
            nn_keras_bad (layer, error, "the bit widths of \"%s\" are missing", sub);
          return NULL;
        }
      g_ptr_array_add (values, one);
    }
  k_values = values->pdata[wrap ? 1 : 2];
  i_values = values->pdata[wrap ? 2 : kbi ? 1 : 0];
  b_values = values->pdata[kbi || wrap ? 0 : 1];
  if (!nn_shape_equal (&k_values->shape, &i_values->shape) || !nn_shape_equal (&k_values->shape, &b_values->shape) || k_values->n == 0)
    {
      nn_keras_bad (layer, error, "the bit widths of \"%s\" are not of one shape", sub);
      return NULL;
    }
  *shape = k_values->shape;
  types = g_new0 (NnType, k_values->n);
  for (gsize n = 0; n < k_values->n; n++)
    {
      int k = nn_keras_as_bits (k_values, n, 1) != 0, i = nn_keras_as_bits (i_values, n, 63), b = nn_keras_as_bits (b_values, n, 63);

      types[n] = nn_keras_kif (k, i, kbi ? b - i : b, rounding, overflow);
    }
  return types;
}

gboolean
nn_keras_hgq2_quantizer (NnKerasLayer   *layer,
                         JsonObject     *outer,
                         const char     *sub,
                         const NnShape  *full,
                         gboolean        batch,
                         NnHgq2Line     *line,
                         NnQuantizer   **quantizer,
                         GError        **error)
{
  const char *type = nn_json_string (nn_json_object (outer, "config"), "q_type");
  g_autofree NnType *types = NULL;
  NnHgq2Line own;
  NnRounding rounding;
  NnOverflow overflow;
  NnShape found, shape;
  gboolean kbi;

  *quantizer = NULL;
  if (line != NULL)
    *line = (NnHgq2Line){ 1, 1, 0 };
  if (outer == NULL || (type != NULL && g_str_equal (type, "dummy")))
    return TRUE;
  if (!read_modes (layer, outer, &kbi, &rounding, &overflow, error) || !read_line (layer, outer, &own, error))
    return FALSE;
  if (line == NULL && (own.gain != 1 || own.offset != 0))
    return nn_keras_unsupported (layer, error, "\"affine\" is not supported for the quantiser \"%s\"", sub);
  types = read_types (layer, sub, kbi, rounding, overflow, &found, error);
  if (types == NULL)
    return FALSE;
  if (!nn_keras_fits_sample (&found, full, batch, &shape))
    return nn_keras_bad (layer, error, "the bit widths of \"%s\" do not fit what they are for", sub);
  *quantizer = nn_keras_make_quantizer (layer, types, &shape, full);
  if (own.scaler != 1)
    {
      float *alpha = nn_graph_builder_alloc (layer->keras->builder, sizeof *alpha);

      *alpha = (float) own.scaler;
      (*quantizer)->alpha_mode = NN_ALPHA_FIXED;
      (*quantizer)->alpha = alpha;
      (*quantizer)->n_alpha = 1;
      (*quantizer)->alpha_divides = TRUE;
    }
  if (line != NULL)
    *line = own;
  return TRUE;
}

/* QDense, QConv1D, QConv2D, QEinsumDense of HGQ 2, after the plain layer was read. */
gboolean
nn_keras_finish_hgq2 (NnKerasLayer  *layer,
                      GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  const NnWeight *kernel = nn_keras_taken (layer, NN_ROLE_KERNEL), *bias = nn_keras_taken (layer, NN_ROLE_BIAS);

  if (!layer->keras->numbered)
    return nn_keras_unsupported (layer, error, "HGQ 2 is supported in .keras files");
  if (!nn_keras_shape (layer->keras, layer->node, error))
    return FALSE;
  if (nn_json_boolean (layer->config, "enable_iq", TRUE) &&
      !nn_keras_hgq2_quantizer (layer, nn_json_object (layer->config, "iq_conf"), "iq/quantizer", layer->in, TRUE, NULL, &attrs->input_quantizer, error))
    return FALSE;
  if (nn_json_boolean (layer->config, "enable_oq", FALSE) &&
      !nn_keras_hgq2_quantizer (layer, nn_json_object (layer->config, "oq_conf"), "oq/quantizer", &layer->node->shape, TRUE, NULL, &attrs->quantizer, error))
    return FALSE;
  if (kernel != NULL && nn_json_object (layer->config, "kq_conf") != NULL &&
      !nn_keras_hgq2_quantizer (layer, nn_json_object (layer->config, "kq_conf"), "kq/quantizer", &kernel->values->shape, FALSE, NULL,
                       &attrs->role_quantizer[NN_ROLE_KERNEL], error))
    return FALSE;
  return bias == NULL || nn_json_object (layer->config, "bq_conf") == NULL ||
         nn_keras_hgq2_quantizer (layer, nn_json_object (layer->config, "bq_conf"), "bq/quantizer", &bias->values->shape, FALSE, NULL,
                         &attrs->role_quantizer[NN_ROLE_BIAS], error);
}

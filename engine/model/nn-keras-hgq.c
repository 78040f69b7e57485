/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ's layers: a number type for each element, told by variables. Source: calad0i/HGQ (0.2), calad0i/HGQ2 (0.1) and
 * calad0i/quantizers. */

#include "nn-keras-hgq.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

/* HGQ 1 notes no range for activations before it is converted; so many bits before the point never overflow in float32's
 * useful range. */
#define OPEN_INTEGER_BITS 24
#define MAX_FRACTION 32

int
nn_keras_as_bits (const NnTensor *tensor,
        gsize           i,
        int             bound)
{
  float value = tensor != NULL ? nn_tensor_f32 (tensor)[tensor->n == 1 ? 0 : i] : 0;

  return isfinite (value) ? (int) CLAMP (nearbyintf (value), -bound, bound) : 0;
}

gboolean
nn_keras_find_rounding (const char *name,
               NnRounding *rounding)
{
  static const char *const names[] = { "TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV" };

  if (name != NULL && g_str_has_prefix (name, "S_"))
    name += 2;
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *rounding = (NnRounding) i;
        return TRUE;
      }
  return FALSE;
}

gboolean
nn_keras_find_overflow (const char *name,
               NnOverflow *overflow)
{
  static const char *const names[] = { "WRAP", "SAT", "SAT_ZERO", "SAT_SYM" };

  if (name != NULL && g_str_equal (name, "SYM"))
    name = "SAT_SYM";
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *overflow = (NnOverflow) i;
        return TRUE;
      }
  return FALSE;
}

/* Spreads types of the shape @shape over a tensor of the shape @full, where axes of extent 1 are shared. Leading shared
 * axes stay shared: fewer types are repeated. */
NnQuantizer *
nn_keras_make_quantizer (NnKerasLayer  *layer,
                const NnType  *types,
                const NnShape *shape,
                const NnShape *full)
{
  NnQuantizer q = { .kind = NN_QUANT_FIXED };
  guint first = 0, rank = shape->rank;
  gsize n = 1;
  g_autofree NnType *all = NULL;

  while (first < rank && shape->dims[first] == 1)
    first++;
  for (guint i = first; i < rank; i++)
    n *= (gsize) full->dims[i];
  all = g_new0 (NnType, MAX (n, 1));
  for (gsize k = 0; k < n; k++)
    {
      gsize rest = k, index = 0, step = 1;

      for (guint i = rank; i > first; i--)
        {
          gsize at = rest % (gsize) full->dims[i - 1];

          rest /= (gsize) full->dims[i - 1];
          if (shape->dims[i - 1] > 1)
            index += at * step;
          step *= (gsize) shape->dims[i - 1];
        }
      all[k] = types[index];
    }
  q.type = all[0];
  /* the widest stands for the whole where one type is asked for */
  for (gsize k = 1; k < n; k++)
    {
      int fraction = MAX (nn_type_fraction (&q.type), nn_type_fraction (&all[k]));

      if (all[k].width == 0)
        continue;
      if (q.type.width == 0)
        {
          q.type = all[k];
          continue;
        }
      q.type.integer = MAX (q.type.integer, all[k].integer);
      q.type.is_signed |= all[k].is_signed;
      q.type.width = CLAMP (q.type.integer + fraction, 1, NN_TYPE_MAX_WIDTH);
    }
  q.symmetric = q.type.overflow == NN_OVERFLOW_SAT_SYM;
  if (n > 1)
    {
      q.per_element = all;
      q.n_elements = (guint) n;
    }
  return nn_graph_builder_quantizer (layer->keras->builder, &q);
}

/* A type from sign, bits before the point without it, and bits after it. */
NnType
nn_keras_kif (int        k,
     int        i,
     int        f,
     NnRounding rounding,
     NnOverflow overflow)
{
  NnType type = { .kind = NN_TYPE_FIXED, .is_signed = k != 0, .rounding = rounding, .overflow = overflow };

  i = MAX (i, -f);
  type.width = CLAMP (k + i + f, 0, NN_TYPE_MAX_WIDTH);
  type.integer = k + i;
  if (k + i + f <= 0)
    type.width = type.integer = 0;
  return type;
}

/* Without the batch axis; %FALSE where the shapes do not go together. */
gboolean
nn_keras_fits_sample (const NnShape *shape,
             const NnShape *full,
             gboolean       batch,
             NnShape       *sample)
{
  guint skip = batch && shape->rank == full->rank + 1 ? 1 : 0;

  if (skip > 0 && shape->dims[0] != 1)
    return FALSE;
  sample->rank = shape->rank - skip;
  for (guint i = 0; i < sample->rank; i++)
    sample->dims[i] = shape->dims[i + skip];
  if (nn_shape_count (sample) == 1)
    {
      sample->rank = 0;
      return TRUE;
    }
  if (sample->rank != full->rank)
    return FALSE;
  for (guint i = 0; i < full->rank; i++)
    if (full->dims[i] < 1 || (sample->dims[i] != 1 && sample->dims[i] != full->dims[i]))
      return FALSE;
  return TRUE;
}

/* HGQ 1's proxy: keep_negative, bits, integers. */
gboolean
nn_keras_read_fixed_point (NnKerasLayer  *layer,
                           GError       **error)
{
  g_autoptr (NnTensor) k = nn_keras_peek (layer, "keep_negative", "", 0, error);
  g_autoptr (NnTensor) b = k != NULL ? nn_keras_peek (layer, "bits", "", 1, error) : NULL;
  g_autoptr (NnTensor) i = b != NULL ? nn_keras_peek (layer, "integers", "", 2, error) : NULL;
  NnRounding rounding = NN_ROUND_TRN;
  NnOverflow overflow = NN_OVERFLOW_WRAP;
  g_autofree NnType *types = NULL;
  NnShape shape;

  if (i == NULL)
    return error != NULL && *error != NULL ? FALSE : nn_keras_bad (layer, error, "its bit widths are missing");
  if (!nn_keras_find_rounding (nn_json_string (layer->config, "RND"), &rounding) ||
      !nn_keras_find_overflow (nn_json_string (layer->config, "SAT"), &overflow))
    return nn_keras_unsupported (layer, error, "rounding \"%s\" or overflow \"%s\" is not known",
                                 nn_json_string (layer->config, "RND"), nn_json_string (layer->config, "SAT"));
  if (!nn_shape_equal (&k->shape, &b->shape) || !nn_shape_equal (&k->shape, &i->shape) || k->n == 0 ||
      !nn_keras_fits_sample (&b->shape, layer->in, TRUE, &shape))
    return nn_keras_bad (layer, error, "its bit widths do not fit its input's shape");
  types = g_new0 (NnType, b->n);
  for (gsize n = 0; n < b->n; n++)
    {
      int bits = nn_keras_as_bits (b, n, 127), integer = nn_keras_as_bits (i, n, 127), sign = nn_keras_as_bits (k, n, 1) != 0;

      types[n] = (NnType){ .kind = NN_TYPE_FIXED, .width = CLAMP (bits, 0, NN_TYPE_MAX_WIDTH), .integer = integer,
                           .is_signed = sign, .rounding = rounding, .overflow = overflow };
      if (bits <= 0)
        types[n].width = types[n].integer = 0;
    }
  layer->node->attrs.quantizer = nn_keras_make_quantizer (layer, types, &shape, layer->in);
  return TRUE;
}

/* Bits before the point that hold the quantised value, the sign included. */
static int
bits_before (double value)
{
  int exponent;

  if (value == 0)
    return 0;
  frexp (value, &exponent);
  /* -2^n needs no bit more than the numbers below 2^n */
  if (value < 0 && ldexp (-1, exponent - 1) == value)
    exponent--;
  return exponent + 1;
}

/* HGQ 1's weights: round to 2^-round(bw), no overflow; the width is what the values need. */
static NnQuantizer *
weight_quantizer (NnKerasLayer   *layer,
                  const NnTensor *bw,
                  const NnTensor *values,
                  NnRounding      rounding)
{
  g_autofree NnType *types = g_new0 (NnType, MAX (values->n, 1));

  for (gsize n = 0; n < values->n; n++)
    {
      gsize at = bw->n == values->n ? n : bw->n > 0 ? n % bw->n : 0;
      int f = nn_keras_as_bits (bw, at, MAX_FRACTION);
      double scaled = ldexp ((double) nn_tensor_f32 (values)[n], f);
      double q = ldexp (rounding == NN_ROUND_TRN ? floor (scaled) : floor (scaled + 0.5), -f);
      int before = bits_before (q);

      types[n] = (NnType){ .kind = NN_TYPE_FIXED, .width = CLAMP (before + f, 0, NN_TYPE_MAX_WIDTH), .integer = before,
                           .is_signed = TRUE, .rounding = rounding, .overflow = NN_OVERFLOW_SAT };
      if (q == 0 || before + f <= 0)
        types[n].width = types[n].integer = 0;
    }
  return nn_keras_make_quantizer (layer, types, &values->shape, &values->shape);
}

static NnRounding
strategy (JsonObject *conf,
          gboolean    bias_covers)
{
  const char *name = nn_json_string (conf, "rnd_strategy");
  gint64 number = -1;

  if (name == NULL && nn_json_int (conf, "rnd_strategy", &number))
    return number == 3 ? NN_ROUND_TRN : NN_ROUND_RND;
  if (name != NULL && g_str_equal (name, "auto"))
    return bias_covers ? NN_ROUND_RND : NN_ROUND_TRN;
  return name != NULL && g_str_equal (name, "floor") ? NN_ROUND_TRN : NN_ROUND_RND;
}

/* The quantiser before the activation. */
static gboolean
activation_quantizer (NnKerasLayer   *layer,
                      const NnTensor *bw,
                      const NnShape  *full,
                      NnRounding      rounding,
                      NnQuantizer   **quantizer,
                      GError        **error)
{
  g_autofree NnType *types = g_new0 (NnType, MAX (bw->n, 1));
  NnShape shape;

  if (bw->n == 0 || !nn_keras_fits_sample (&bw->shape, full, TRUE, &shape))
    return nn_keras_bad (layer, error, "\"activation_bw\" does not fit its output's shape");
  for (gsize n = 0; n < bw->n; n++)
    {
      int f = nn_keras_as_bits (bw, n, MAX_FRACTION);

      types[n] = nn_keras_kif (1, OPEN_INTEGER_BITS - 1, f, rounding, NN_OVERFLOW_SAT);
    }
  *quantizer = nn_keras_make_quantizer (layer, types, &shape, full);
  return TRUE;
}

const NnWeight *
nn_keras_taken (NnKerasLayer *layer,
       NnRole        role)
{
  for (guint i = 0; i < layer->ids->len; i++)
    {
      const NnWeight *weight = &g_array_index (layer->keras->weights, NnWeight, g_array_index (layer->ids, guint, i));

      if (weight->role == role)
        return weight;
    }
  return NULL;
}

/* HDense, HConv1D, HConv2D, HQuantize, HActivation, HAdd: after the plain layer was read. */
gboolean
nn_keras_finish_hgq1 (NnKerasLayer  *layer,
                      GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  const NnWeight *kernel = nn_keras_taken (layer, NN_ROLE_KERNEL), *bias = nn_keras_taken (layer, NN_ROLE_BIAS);
  g_autoptr (NnTensor) kernel_bw = NULL;
  g_autoptr (NnTensor) activation_bw = NULL;
  guint number = kernel != NULL ? (bias != NULL ? 3 : 2) : 0;
  NnRounding rounding;

  if (!nn_keras_shape (layer->keras, layer->node, error))
    return FALSE;
  activation_bw = nn_keras_peek (layer, "activation_bw", "", number, error);
  if (activation_bw == NULL)
    return error != NULL && *error != NULL ? FALSE : nn_keras_bad (layer, error, "\"activation_bw\" is missing");
  rounding = strategy (nn_json_object (layer->config, "paq_conf"), bias != NULL);
  if (!activation_quantizer (layer, activation_bw, &layer->node->shape, rounding,
                             layer->node->op == NN_OP_QUANTIZE ? &attrs->quantizer : &attrs->sum_quantizer, error))
    return FALSE;
  if (kernel == NULL)
    return TRUE;
  kernel_bw = nn_keras_peek (layer, "kernel_bw", "", number - 1, error);
  if (kernel_bw == NULL)
    return error != NULL && *error != NULL ? FALSE : nn_keras_bad (layer, error, "\"kernel_bw\" is missing");
  if (kernel_bw->n != kernel->values->n && kernel_bw->n != 1 &&
      (kernel_bw->n == 0 || kernel_bw->n != (gsize) nn_shape_last (&kernel->values->shape)))
    return nn_keras_unsupported (layer, error, "\"kernel_bw\" has neither the kernel's shape, nor one for each output, nor one");
  attrs->role_quantizer[NN_ROLE_KERNEL] = weight_quantizer (
      layer, kernel_bw, kernel->values, strategy (nn_json_object (layer->config, "kq_conf"), TRUE));
  if (bias != NULL)
    {
      /* the finest step of each channel's activations */
      g_autoptr (NnTensor) steps = nn_tensor_new (NN_DTYPE_F32, &bias->values->shape);

      for (gsize n = 0; n < steps->n; n++)
        {
          gsize channels = activation_bw->n % steps->n == 0 ? steps->n : 1;

          nn_tensor_f32 (steps)[n] = -MAX_FRACTION;
          for (gsize m = n % channels; m < activation_bw->n; m += channels)
            nn_tensor_f32 (steps)[n] = MAX (nn_tensor_f32 (steps)[n], nn_tensor_f32 (activation_bw)[m]);
        }
      attrs->role_quantizer[NN_ROLE_BIAS] = weight_quantizer (layer, steps, bias->values, rounding);
    }
  return TRUE;
}

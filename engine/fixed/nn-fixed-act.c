/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations, factors and offsets: one value in, one value out. */

#include "nn-fixed-kernels.h"
#include "nn-fixed-private.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

/* Source: hls4ml, nnet_activation.h, nnet_batchnorm.h. */

/**
 * Act:
 * @straight: of the value itself; @scaled: of the value times the parameter; @entry: of a table's entry
 * @parameter: raw, one or one an element
 */
typedef struct {
  NnCast       straight, scaled, entry;
  NnTableIndex index;
  gint64      *table;
  gint64      *parameter;
  gsize        n_parameters;
  int          parameter_fraction;
  gint64       constants[4];
  NnCast      *elements; /* of a quantiser with a type for each element: to it, and from it to the result's */
  gsize        n_elements;
} Act;

static void
act_free (gpointer data)
{
  Act *a = data;

  g_free (a->table);
  g_free (a->parameter);
  g_free (a->elements);
  g_free (a);
}

/* Calls @body for every column with x, out and the channel's parameter in reach. */
#define FOR_COLUMNS                                                                                                   \
  const Act *a = layer->state;                                                                                        \
  const NnFixedInput *input = &layer->inputs[0];                                                                      \
  gsize lanes = nn_fixed_lanes (run);                                                                                 \
  guint64 *count = nn_fixed_counter (layer, run);                                                                     \
  G_GNUC_UNUSED gint64 v[NN_FIXED_LANES];                                                                             \
                                                                                                                      \
  for (gsize f = 0; f < layer->n; f++)                                                                                \
    for (const gint64 *x = nn_fixed_in (layer, run, 0) + f * run->lanes, *once = x; once != NULL; once = NULL)        \
      for (gint64 *out = nn_fixed_out (layer, run) + f * run->lanes; out != NULL; out = NULL)

static void
run_linear (const NnFixedLayer *layer,
            NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      for (gsize b = 0; input->is_binary && b < lanes; b++)
        v[b] = nn_fixed_number (input, x[b]);
      nn_cast_column (&a->straight, out, input->is_binary ? v : x, lanes, count);
    }
}

/* Each element is assigned to its own type, and then stored in one that holds them all. */
static void
run_elements (const NnFixedLayer *layer,
              NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      const NnCast *own = &a->elements[2 * (f % a->n_elements)];

      if (own->width == 0)
        {
          memset (out, 0, lanes * sizeof *out);
          continue;
        }
      for (gsize b = 0; b < lanes; b++)
        v[b] = nn_fixed_number (input, x[b]);
      nn_cast_column (own, v, v, lanes, count);
      nn_cast_column (own + 1, out, v, lanes, count);
    }
}

/* The word itself is the address. */
static void
run_lookup (const NnFixedLayer *layer,
            NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      (void) input;
      for (gsize b = 0; b < lanes; b++)
        v[b] = a->parameter[(guint64) x[b] & (guint64) a->constants[0]];
      nn_cast_column (&a->entry, out, v, lanes, count);
    }
}

/* constants[0]: the ceiling in the input's last bits, or a value no input reaches. */
static void
run_relu (const NnFixedLayer *layer,
          NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      const gint64 *numbers = x;

      if (input->is_binary)
        {
          for (gsize b = 0; b < lanes; b++)
            v[b] = nn_fixed_number (input, x[b]);
          numbers = v;
        }
      nn_fixed_kernels ()->clip (v, numbers, a->constants[0], lanes);
      nn_cast_column (&a->straight, out, v, lanes, count);
    }
}

/* Leaky and parametric ReLU: below zero the value times the parameter. */
static void
run_leaky (const NnFixedLayer *layer,
           NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      gint64 p = a->parameter[a->n_parameters == 1 ? 0 : f % a->n_parameters];

      for (gsize b = 0; b < lanes; b++)
        {
          gint64 number = nn_fixed_number (input, x[b]);
          gboolean over;

          out[b] = number > 0 ? nn_cast_wide (&a->straight, number, &over) : nn_cast_wide (&a->scaled, (NnWide) number * p, &over);
          if (count != NULL)
            *count += over;
        }
    }
}

/* constants[0]: the threshold in the input's last bits. */
static void
run_thresholded (const NnFixedLayer *layer,
                 NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      for (gsize b = 0; b < lanes; b++)
        {
          gint64 number = nn_fixed_number (input, x[b]);

          v[b] = number > a->constants[0] ? number : 0;
        }
      nn_cast_column (&a->straight, out, v, lanes, count);
    }
}

static void
run_table (const NnFixedLayer *layer,
           NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      for (gsize b = 0; b < lanes; b++)
        v[b] = a->table[nn_table_index (&a->index, nn_fixed_number (input, x[b]))];
      nn_cast_column (&a->entry, out, v, lanes, count);
    }
}

/* ELU and SELU: a table below zero, at and above zero the value (times a parameter for SELU). */
static void
run_elu (const NnFixedLayer *layer,
         NnFixedRun         *run)
{
  gboolean selu = layer->node->attrs.act == NN_ACT_SELU;

  FOR_COLUMNS
    {
      for (gsize b = 0; b < lanes; b++)
        {
          gint64 number = nn_fixed_number (input, x[b]);
          gboolean over;

          if (number >= 0 && selu)
            out[b] = nn_cast_wide (&a->scaled, (NnWide) number * a->parameter[0], &over);
          else if (number >= 0)
            out[b] = nn_cast_wide (&a->straight, number, &over);
          else
            {
              gint64 entry = a->table[nn_table_index (&a->index, number)];

              out[b] = nn_cast_wide (&a->entry, selu ? (NnWide) entry : (NnWide) entry * a->parameter[0], &over);
            }
          if (count != NULL)
            *count += over;
        }
    }
}

/* slope * x + shift, clipped to [0, 1] in its own type; tanh is twice that less one. constants: slope, shift, one, left
 * shift that brings slope * x and shift to one point. */
static void
run_hard (const NnFixedLayer *layer,
          NnFixedRun         *run)
{
  gboolean tanh_wanted = layer->node->attrs.act == NN_ACT_HARD_TANH;

  FOR_COLUMNS
    {
      for (gsize b = 0; b < lanes; b++)
        {
          NnWide y = (NnWide) nn_fixed_number (input, x[b]) * a->constants[0];
          NnWide one = (NnWide) 1 << a->constants[2];
          gboolean over;

          y = ((NnWide) ((NnUWide) y << a->constants[3])) + a->constants[1];
          y = y > one ? one : y < 0 ? 0 : y;
          out[b] = nn_cast_wide (&a->straight, tanh_wanted ? 2 * y - one : y, &over);
          if (count != NULL)
            *count += over;
        }
    }
}

static void
run_binary_tanh (const NnFixedLayer *layer,
                 NnFixedRun         *run)
{
  gboolean bit = layer->plan->result.kind == NN_TYPE_BINARY;

  FOR_COLUMNS
    {
      for (gsize b = 0; b < lanes; b++)
        v[b] = nn_fixed_number (input, x[b]) >= 0 ? 1 : bit ? 0 : -1;
      if (bit)
        memcpy (out, v, lanes * sizeof *v);
      else
        nn_cast_column (&a->entry, out, v, lanes, count);
    }
}

/* constants[0]: a half in the input's last bits, doubled. */
static void
run_ternary_tanh (const NnFixedLayer *layer,
                  NnFixedRun         *run)
{
  FOR_COLUMNS
    {
      for (gsize b = 0; b < lanes; b++)
        {
          NnWide twice = (NnWide) nn_fixed_number (input, x[b]) * 4;

          v[b] = twice > a->constants[0] ? 1 : twice > -a->constants[0] ? 0 : -1;
        }
      nn_cast_column (&a->entry, out, v, lanes, count);
    }
}

/* Thresholds of merged batch normalisation: parameter holds the upper, then the lower ones. */
static void
run_thresholds (const NnFixedLayer *layer,
                NnFixedRun         *run)
{
  gboolean ternary = layer->node->attrs.act == NN_ACT_TERNARY_TANH;

  FOR_COLUMNS
    {
      gsize n = a->n_parameters, k = f % n;
      gint64 high = a->parameter[k], low = ternary ? a->parameter[n + k] : 0;

      (void) count;
      for (gsize b = 0; b < lanes; b++)
        {
          gint64 number = nn_fixed_number (input, x[b]);

          out[b] = !ternary ? number >= high : number > high ? 1 : number <= low ? -1 : 0;
        }
    }
}

static void
set_parameter (Act    *a,
               gint64  raw)
{
  a->parameter = g_new (gint64, 1);
  a->parameter[0] = raw;
  a->n_parameters = 1;
}

static gint64
saturated_shift (double       value,
                 int          fraction)
{
  double scaled = ldexp (value, fraction);

  return scaled >= 0x1p62 ? G_MAXINT64 : scaled <= -0x1p62 ? -G_MAXINT64 : (gint64) floor (scaled);
}

static gboolean
prepare_thresholds (NnFixedLayer  *layer,
                    Act           *a,
                    GError       **error)
{
  const NnTensor *high = nn_design_raw (layer->design, layer->index, NN_ROLE_OTHER);
  const NnTensor *low = nn_design_raw (layer->design, layer->index, NN_ROLE_ALPHA);

  if (high == NULL || (layer->node->attrs.act == NN_ACT_TERNARY_TANH && (low == NULL || low->n != high->n)))
    return nn_fixed_unsupported (layer, "its thresholds are missing", error);
  a->n_parameters = high->n;
  a->parameter = g_new0 (gint64, 2 * high->n);
  memcpy (a->parameter, high->data, high->n * sizeof (gint64));
  if (low != NULL)
    memcpy (a->parameter + high->n, low->data, low->n * sizeof (gint64));
  layer->run = run_thresholds;
  return TRUE;
}

static void
prepare_hard (NnFixedLayer *layer,
              Act          *a)
{
  const NnFixedInput *input = &layer->inputs[0];
  const NnAttrs *attrs = &layer->node->attrs;
  NnType slope_type = attrs->slope == 0.5 ? NN_UFIXED (2, 0) : NN_UFIXED (16, 0);
  int fraction;

  a->constants[0] = nn_type_quantize (&slope_type, attrs->slope != 0 ? attrs->slope : 0.2, NULL);
  fraction = MAX (input->fraction + nn_type_fraction (&slope_type), 16);
  a->constants[1] = saturated_shift (attrs->slope != 0 ? attrs->shift : 0.5, fraction);
  a->constants[2] = fraction;
  a->constants[3] = fraction - input->fraction - nn_type_fraction (&slope_type);
  nn_cast_init (&a->straight, 126, TRUE, fraction, &layer->plan->result);
  layer->run = run_hard;
}

static void
prepare_table (NnFixedLayer *layer,
               Act          *a)
{
  NnAct act = layer->node->attrs.act;
  gint64 n = layer->plan->table_size;
  NnType type;
  guint unused;

  a->table = nn_fixed_table (layer->node, layer->plan, "table", &unused, &type);
  if (act == NN_ACT_ELU || act == NN_ACT_SELU)
    {
      nn_table_index_init (&a->index, &layer->inputs[0], n, -8, 0);
      layer->run = run_elu;
    }
  else
    {
      gint64 range = act == NN_ACT_TANH ? 8 : 16;

      nn_table_index_init (&a->index, &layer->inputs[0], n, range, range / 2 * n / range);
      layer->run = run_table;
    }
  nn_cast_init (&a->entry, nn_type_bits (&type), type.is_signed, nn_type_fraction (&type), &layer->plan->result);
}

static void
prepare_elu_parameter (NnFixedLayer *layer,
                       Act          *a)
{
  const NnType *table = &layer->plan->table, *parameter = &layer->plan->weight;

  if (layer->node->attrs.act == NN_ACT_SELU)
    {
      NnType scale = NN_UFIXED (16, 1);

      set_parameter (a, nn_type_quantize (&scale, 1.0507009873554804934193349852946, NULL));
      nn_cast_init (&a->scaled, layer->inputs[0].bits + 17, TRUE, layer->inputs[0].fraction + 15, &layer->plan->result);
      return;
    }
  set_parameter (a, nn_type_quantize (parameter, layer->node->attrs.alpha != 0 ? layer->node->attrs.alpha : 1, NULL));
  nn_cast_init (&a->entry, nn_type_bits (table) + nn_type_bits (parameter), TRUE,
                nn_type_fraction (table) + nn_type_fraction (parameter), &layer->plan->result);
}

static gboolean
prepare_leaky (NnFixedLayer  *layer,
               Act           *a,
               GError       **error)
{
  const NnType *type = &layer->plan->weight;
  const NnTensor *slopes = nn_design_raw (layer->design, layer->index, NN_ROLE_ALPHA);

  layer->run = run_leaky;
  nn_cast_init (&a->scaled, MIN (layer->inputs[0].bits + nn_type_bits (type), 127), TRUE,
                layer->inputs[0].fraction + nn_type_fraction (type), &layer->plan->result);
  if (layer->node->op != NN_OP_PRELU)
    {
      set_parameter (a, nn_type_quantize (type, layer->node->attrs.alpha, NULL));
      return TRUE;
    }
  if (slopes == NULL || slopes->n == 0 || layer->n % slopes->n != 0)
    return nn_fixed_unsupported (layer, "its slopes do not fit its input", error);
  a->parameter = g_memdup2 (slopes->data, slopes->n * sizeof (gint64));
  a->n_parameters = slopes->n;
  return TRUE;
}

static void
prepare_elements (NnFixedLayer *layer,
                  Act          *a)
{
  const NnFixedInput *input = &layer->inputs[0];

  a->n_elements = layer->node->attrs.quantizer->n_elements;
  a->elements = g_new0 (NnCast, 2 * a->n_elements);
  for (gsize k = 0; k < a->n_elements; k++)
    {
      NnType type = nn_design_element_type (layer->design, layer->index, k);

      if (type.width == 0)
        continue;
      nn_cast_init (&a->elements[2 * k], input->bits, TRUE, input->fraction, &type);
      nn_cast_init (&a->elements[2 * k + 1], nn_type_bits (&type), TRUE, nn_type_fraction (&type), &layer->plan->result);
    }
  layer->run = run_elements;
}

static gboolean
prepare_lookup (NnFixedLayer  *layer,
                Act           *a,
                GError       **error)
{
  const NnTensor *values = nn_design_raw (layer->design, layer->index, NN_ROLE_VALUE);
  const NnType *type = &layer->plan->weight;
  int width = layer->inputs[0].type.width;

  if (values == NULL || layer->inputs[0].type.kind != NN_TYPE_FIXED || width > 30 || values->n != (gsize) 1 << width)
    return nn_fixed_unsupported (layer, "its table does not have one entry for each word of its input", error);
  a->parameter = g_memdup2 (values->data, values->n * sizeof (gint64));
  a->n_parameters = values->n;
  a->constants[0] = (gint64) values->n - 1;
  nn_cast_init (&a->entry, nn_type_bits (type), TRUE, nn_type_fraction (type), &layer->plan->result);
  layer->run = run_lookup;
  return TRUE;
}

static void
prepare_relu (NnFixedLayer *layer,
              Act          *a)
{
  double ceiling = layer->node->attrs.max_value;

  a->constants[0] = ceiling > 0 ? saturated_shift (ceiling, layer->inputs[0].fraction) : G_MAXINT64;
  layer->run = run_relu;
}

static gboolean
prepare_kind (NnFixedLayer  *layer,
              Act           *a,
              GError       **error)
{
  const NnAttrs *attrs = &layer->node->attrs;
  int fraction = layer->inputs[0].fraction;

  switch (attrs->act)
    {
    case NN_ACT_LINEAR:
    case NN_ACT_QUANTIZED:
      if (attrs->quantizer != NULL && attrs->quantizer->per_element != NULL && attrs->quantizer->n_elements > 0)
        prepare_elements (layer, a);
      else
        layer->run = run_linear;
      return TRUE;
    case NN_ACT_RELU:
      if (attrs->alpha != 0 && attrs->max_value == 0 && attrs->threshold == 0)
        return prepare_leaky (layer, a, error);
      if (attrs->alpha != 0 || (attrs->threshold != 0 && attrs->max_value != 0))
        return nn_fixed_unsupported (layer, "a ReLU with a slope or threshold and a ceiling at once", error);
      prepare_relu (layer, a);
      if (attrs->threshold == 0)
        return TRUE;
      G_GNUC_FALLTHROUGH;
    case NN_ACT_THRESHOLDED_RELU:
      a->constants[0] = saturated_shift (attrs->threshold, fraction);
      layer->run = run_thresholded;
      return TRUE;
    case NN_ACT_LEAKY_RELU:
      return prepare_leaky (layer, a, error);
    case NN_ACT_HARD_SIGMOID:
    case NN_ACT_HARD_TANH:
      prepare_hard (layer, a);
      return TRUE;
    case NN_ACT_BINARY_TANH:
      layer->run = run_binary_tanh;
      return TRUE;
    case NN_ACT_TERNARY_TANH:
      a->constants[0] = saturated_shift (2, fraction);
      layer->run = run_ternary_tanh;
      return TRUE;
    case NN_ACT_ELU:
    case NN_ACT_SELU:
      prepare_table (layer, a);
      prepare_elu_parameter (layer, a);
      return TRUE;
    default:
      prepare_table (layer, a);
      return TRUE;
    }
}

gboolean
nn_fixed_prepare_activation (NnFixedLayer  *layer,
                             GError       **error)
{
  const NnFixedInput *input = &layer->inputs[0];
  Act *a = g_new0 (Act, 1);

  layer->state = a;
  layer->free_state = act_free;
  nn_cast_init (&a->straight, input->bits, TRUE, input->fraction, &layer->plan->result);
  nn_cast_init (&a->entry, 2, TRUE, 0, &layer->plan->result);
  if (g_strcmp0 (layer->node->class_name, "BatchNormalizationQuantizedTanh") == 0)
    return prepare_thresholds (layer, a, error);
  if (layer->node->op == NN_OP_PRELU)
    return prepare_leaky (layer, a, error);
  if (layer->node->op == NN_OP_UNARY_LUT)
    return prepare_lookup (layer, a, error);
  return prepare_kind (layer, a, error);
}

/* One exact expression, x * scale + bias, then one cast. */
typedef struct {
  NnCast        result;
  const gint64 *scale, *bias; /* (nullable): one, zero */
  gsize         n;
  int           up;      /* brings the product to the sum's point */
  int           bias_up;
  gboolean      wide;
} Scale;

static void
run_scale (const NnFixedLayer *layer,
           NnFixedRun         *run)
{
  const Scale *s = layer->state;
  const NnFixedInput *input = &layer->inputs[0];
  gsize lanes = nn_fixed_lanes (run);
  guint64 *count = nn_fixed_counter (layer, run);

  for (gsize f = 0; f < layer->n; f++)
    {
      const gint64 *x = nn_fixed_in (layer, run, 0) + f * run->lanes;
      gint64 *out = nn_fixed_out (layer, run) + f * run->lanes, scale = s->scale != NULL ? s->scale[f % s->n] : 1;
      NnWide bias = (NnWide) ((NnUWide) (s->bias != NULL ? s->bias[f % s->n] : 0) << s->bias_up);
      gint64 v[NN_FIXED_LANES];

      if (!s->wide)
        {
          for (gsize b = 0; input->is_binary && b < lanes; b++)
            v[b] = nn_fixed_number (input, x[b]);
          nn_fixed_kernels ()->affine (out, input->is_binary ? v : x, scale, (gint64) bias, s->up, lanes);
          nn_cast_column (&s->result, out, out, lanes, count);
          continue;
        }
      for (gsize b = 0; b < lanes; b++)
        {
          gboolean over;

          out[b] = nn_cast_wide (&s->result, (NnWide) ((NnUWide) ((NnWide) nn_fixed_number (input, x[b]) * scale) << s->up) + bias, &over);
          if (count != NULL)
            *count += over;
        }
    }
}

gboolean
nn_fixed_prepare_scale (NnFixedLayer  *layer,
                        GError       **error)
{
  const NnLayerPlan *p = layer->plan;
  const NnTensor *scale = nn_design_raw (layer->design, layer->index, NN_ROLE_SCALE);
  const NnTensor *bias = nn_design_raw (layer->design, layer->index, NN_ROLE_BIAS);
  int product = layer->inputs[0].fraction + nn_type_fraction (&p->scale), fraction, bits;
  Scale *s = g_new0 (Scale, 1);

  layer->state = s;
  layer->free_state = g_free;
  layer->run = run_scale;
  s->scale = scale != NULL ? scale->data : NULL;
  s->bias = bias != NULL ? bias->data : NULL;
  s->n = scale != NULL ? scale->n : bias != NULL ? bias->n : 1;
  if (s->n == 0 || layer->n % s->n != 0 || (bias != NULL && bias->n != s->n))
    return nn_fixed_unsupported (layer, "its factors do not fit its input's channels", error);
  fraction = MAX (product, nn_type_fraction (&p->bias));
  s->up = fraction - product;
  s->bias_up = fraction - nn_type_fraction (&p->bias);
  bits = MAX (layer->inputs[0].bits + nn_type_bits (&p->scale) + s->up, nn_type_bits (&p->bias) + s->bias_up) + 1;
  s->wide = bits > 62;
  if (bits > 126)
    return nn_fixed_unsupported (layer, "factor, offset and input need more than 126 bits together", error);
  nn_cast_init (&s->result, bits, TRUE, fraction, &p->result);
  return TRUE;
}

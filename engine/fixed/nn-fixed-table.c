/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of functions, entry for entry as the hardware's initialisation computes them: in single precision. */

#include "nn-fixed-private.h"

#include <math.h>
#include <string.h>

/* Source of every formula and range here: hls4ml, nnet_activation.h, nnet_layernorm.h. */

#define SIGMOID_RANGE 16.0
#define TANH_RANGE 8.0
#define EXP_RANGE 8.0
#define LEGACY_INVERSE_RANGE 64.0
/* Hendrycks and Gimpel, Gaussian Error Linear Units, 2016. */
#define GELU_SLOPE 0.79788456080286535588
#define GELU_CUBE 0.044715
#define SELU_SCALE 1.0507009873554804934193349852946
#define SELU_ALPHA 1.6732632423543772848170429916717

static float
table_input (NnAct act,
             guint i,
             guint n)
{
  switch (act)
    {
    case NN_ACT_TANH:
      return (float) (TANH_RANGE * (i - (float) n / 2.0) / (float) n);
    case NN_ACT_ELU:
    case NN_ACT_SELU:
      return (float) (-EXP_RANGE * i / (float) n);
    default:
      return (float) (SIGMOID_RANGE * (i - (float) n / 2.0) / (float) n);
    }
}

static float
table_value (NnAct act,
             float x)
{
  switch (act)
    {
    case NN_ACT_SIGMOID:
      return (float) (1.0 / (1 + expf (-x)));
    case NN_ACT_TANH:
      return tanhf (x);
    case NN_ACT_SOFTPLUS:
      return (float) log (expf (x) + 1.);
    case NN_ACT_SOFTSIGN:
      return (float) (x / (fabsf (x) + 1.));
    case NN_ACT_ELU:
      return (float) (expf (x) - 1.);
    case NN_ACT_SELU:
      return (float) (SELU_SCALE * (SELU_ALPHA * (expf (x) - 1.)));
    case NN_ACT_GELU:
      return (float) (0.5 * x * (1.0 + erf (x * M_SQRT1_2)));
    case NN_ACT_SWISH:
      return (float) (x / (1 + expf (-x)));
    case NN_ACT_MISH:
      return (float) (x * tanh (log (1.0 + exp (x))));
    case NN_ACT_SIN:
      return sinf (x);
    case NN_ACT_COS:
      return cosf (x);
    case NN_ACT_TAN:
      return tanf (x);
    case NN_ACT_ATAN:
      return atanf (x);
    case NN_ACT_ABS:
      return fabsf (x);
    case NN_ACT_SQRT: /* 0 where there is none */
      return x > 0 ? sqrtf (x) : 0;
    case NN_ACT_LOG:
      return x > 0 ? logf (x) : -HUGE_VALF;
    case NN_ACT_ERF:
      return erff (x);
    case NN_ACT_SIGN:
      return (float) ((x > 0) - (x < 0));
    case NN_ACT_FLOOR:
      return floorf (x);
    case NN_ACT_CEIL:
      return ceilf (x);
    case NN_ACT_ROUND:
      return rintf (x);
    case NN_ACT_GELU_TANH:
      return (float) (0.5 * x * (1 + tanh (GELU_SLOPE * (x + GELU_CUBE * x * x * x))));
    case NN_ACT_EXPONENTIAL:
    case NN_ACT_SOFTMAX: /* legacy */
    default:
      return expf (x);
    }
}

/* The number that the @bits top bits of a word of @type stand for, the rest being zero. */
static float
top_bits_value (const NnType *type,
                guint64       i,
                guint         n)
{
  int address = nn_ceil_log2_macro (n), up = type->width - address;
  guint64 word = up >= 0 ? i << up : i >> -up;
  gint64 raw = (gint64) word;

  if (type->is_signed && type->width < 64)
    raw = (gint64) (word << (64 - type->width)) >> (64 - type->width);
  return (float) nn_type_real (type, raw);
}

static const NnType *
exp_address (const NnLayerPlan *plan)
{
  return plan->softmax == NN_SOFTMAX_STABLE ? &plan->inp_norm : &plan->input;
}

static gint64 *
exp_table (const NnLayerPlan *plan,
           guint              n)
{
  gint64 *table = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    {
      float x = top_bits_value (exp_address (plan), i, n);

      table[i] = nn_type_quantize (&plan->exp_table, expf (plan->softmax == NN_SOFTMAX_STABLE ? -x : x), NULL);
    }
  return table;
}

static gint64 *
inverse_table (const NnLayerPlan *plan,
               guint              n)
{
  gint64 *table = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    table[i] = nn_type_quantize (&plan->inv_table, 1 / top_bits_value (&plan->inv_inp, i, n), NULL);
  return table;
}

static gint64 *
legacy_inverse_table (const NnLayerPlan *plan,
                      guint              n)
{
  gint64 *table = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    {
      float x = (float) (LEGACY_INVERSE_RANGE * i / (float) n);

      table[i] = nn_type_quantize (&plan->table, x > 0.0f ? 1.0 / x : 0.0, NULL);
    }
  return table;
}

/* 1 / sqrt over [epsilon, 1 + epsilon), epsilon being a power of ten. */
static gint64 *
inverse_root_table (const NnNode      *node,
                    const NnLayerPlan *plan,
                    guint              n)
{
  gint64 *table = g_new (gint64, n);
  double power = node->attrs.epsilon > 0 ? round (log10 (node->attrs.epsilon)) : -3;
  float least = (float) pow (10, power), step = 1.0f / (float) n;

  for (guint i = 0; i < n; i++)
    table[i] = nn_type_quantize (&plan->table, 1.0 / sqrtf (least + step * (float) i), NULL);
  return table;
}

static gint64 *
act_table (NnAct         act,
           const NnType *type,
           guint         n)
{
  gint64 *table = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    table[i] = nn_type_quantize (type, table_value (act, table_input (act, i, n)), NULL);
  return table;
}

/**
 * nn_fixed_table:
 * @which: "table" of an activation, of layer normalisation or of the legacy softmax; "recurrent" of the gates of a
 *   recurrent layer; "exp" and "inv" of a softmax
 * @n: (out): entries
 * @type: (out): of the entries
 *
 * Returns: (transfer full) (array length=n): raw integers
 *
 * Source: hls4ml, nnet_activation.h
 */
gint64 *
nn_fixed_table (const NnNode      *node,
                const NnLayerPlan *plan,
                const char        *which,
                guint             *n,
                NnType            *type)
{
  *n = plan->table_size;
  *type = plan->table;
  if (node->op == NN_OP_LAYER_NORM)
    return inverse_root_table (node, plan, *n);
  if (strcmp (which, "recurrent") == 0)
    return act_table (node->attrs.recurrent_act, type, *n);
  if (node->op != NN_OP_ACTIVATION || node->attrs.act != NN_ACT_SOFTMAX)
    return act_table (node->attrs.act, type, *n);
  if (plan->softmax == NN_SOFTMAX_LEGACY)
    return strcmp (which, "inv") == 0 ? legacy_inverse_table (plan, *n) : act_table (NN_ACT_SOFTMAX, type, *n);
  *n = strcmp (which, "inv") == 0 ? plan->inv_table_size : plan->exp_table_size;
  *type = strcmp (which, "inv") == 0 ? plan->inv_table : plan->exp_table;
  return strcmp (which, "inv") == 0 ? inverse_table (plan, *n) : exp_table (plan, *n);
}

void
nn_table_index_init (NnTableIndex       *index,
                     const NnFixedInput *input,
                     gint64              n,
                     gint64              range,
                     gint64              offset)
{
  int up = MAX (input->fraction, 0);

  *index = (NnTableIndex){ .n = n, .offset = offset, .fraction = input->fraction, .range = range };
  index->wide = input->bits + 64 - __builtin_clzll ((guint64) n) + MAX (-input->fraction, 0) > 62 || up > 56;
  index->divisor = index->wide ? 0 : range * ((gint64) 1 << up);
}

static gint64
wide_index (const NnTableIndex *index,
            gint64              value)
{
  NnWide scaled = (NnWide) value * index->n / index->range; /* the rest is cut off below, towards zero too */
  int up = index->fraction;

  if (up > 120)
    return 0;
  if (up >= 0)
    {
      NnWide whole = (NnWide) value * index->n, divisor = (NnWide) ABS (index->range) << MIN (up, 120);

      whole = index->range < 0 ? -whole : whole;
      scaled = whole / divisor;
    }
  else
    scaled = -up > 60 ? (value != 0 ? (value > 0) == (index->range > 0) ? G_MAXINT32 : G_MININT32 : 0)
                      : ((NnWide) value << MIN (-up, 60)) * index->n / index->range;
  return (gint64) CLAMP (scaled, -(NnWide) (1 << 30), (NnWide) (1 << 30));
}

/* Truncated towards zero, as a conversion to int is. */
gsize
nn_table_index (const NnTableIndex *index,
                gint64              value)
{
  gint64 at;

  if (index->wide)
    at = wide_index (index, value);
  else if (index->fraction >= 0)
    at = value * index->n / index->divisor;
  else
    at = (gint64) ((guint64) value << -index->fraction) * index->n / index->divisor;
  return (gsize) CLAMP (at + index->offset, 0, index->n - 1);
}

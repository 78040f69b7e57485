/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The integers in the hardware's memories. */

#include "nn-design-trees-private.h"

#include "nn-error.h"
#include "nn-quant.h"
#include "nn-text.h"

#include <math.h>

#define MAX_DIGITS 64
#define MAX_WRITTEN 1e100

/*
 * The reference hands each weight on as text with as many decimal digits as its type has bits after the point, and
 * only then rounds it to the type; with few bits that text itself loses digits (hls4ml, types.py).
 */
static double
as_written (double value,
            int    digits)
{
  return ABS (value) > MAX_WRITTEN ? value : nn_text_decimals (value, CLAMP (digits, 0, MAX_DIGITS));
}

#define POWER_OF_ZERO (-64) /* an exponent that shifts every input out */

/* The exponent from bit 1 on, the sign in bit 0; as the kernels of exponential weights read it. */
static gint64
power_raw (double value)
{
  int exponent;
  double mantissa = frexp (ABS (value), &exponent);

  exponent = value == 0 ? POWER_OF_ZERO : mantissa > 0.70710678118654752 ? exponent : exponent - 1;
  return (gint64) exponent * 2 + (value < 0);
}

static gint64
raw_value (const NnType *type,
           double        value)
{
  if (type->kind == NN_TYPE_POWER)
    return power_raw (value);
  if (type->kind != NN_TYPE_FIXED)
    return nn_type_quantize (type, value, NULL);
  return nn_type_quantize (type, as_written (value, MAX (nn_type_fraction (type), 0)), NULL);
}

/* Values of a quantised weight, brought onto its grid as the framework does. */
static double *
framework_values (const NnQuantizer *quantizer,
                  const NnTensor    *tensor)
{
  double *values = g_new (double, MAX (tensor->n, 1));

  for (gsize k = 0; k < tensor->n; k++)
    values[k] = nn_tensor_f32 (tensor)[k];
  if (quantizer != NULL && quantizer->kind != NN_QUANT_NONE)
    nn_quantize (quantizer, &tensor->shape, values);
  return values;
}

static const NnType *
role_type (const NnNode      *node,
           const NnLayerPlan *p,
           NnRole             role)
{
  switch (role)
    {
    case NN_ROLE_BIAS:
      return &p->bias;
    case NN_ROLE_RECURRENT_KERNEL:
      return &p->recurrent_weight;
    case NN_ROLE_SCALE:
    case NN_ROLE_GAMMA:
      return &p->scale;
    case NN_ROLE_BETA:
      return &p->bias;
    case NN_ROLE_VALUE:
      return node->op == NN_OP_UNARY_LUT ? &p->weight : &p->result;
    default:
      return &p->weight;
    }
}

/* The second row of a recurrent layer's bias goes with its state (GRU with reset_after). */
static const NnType *
element_type (const NnNode      *node,
              const NnLayerPlan *p,
              const NnWeight    *weight,
              gsize              k)
{
  gboolean second = weight->role == NN_ROLE_BIAS && nn_op_is_recurrent (node->op) && p->n_out > 0 &&
                    weight->values->n == 2 * (gsize) p->n_out && k >= p->n_out;

  return second ? &p->recurrent_bias : role_type (node, p, weight->role);
}

static NnTensor *
quantize (const NnNode      *node,
          const NnLayerPlan *p,
          const NnWeight    *weight,
          GError           **error)
{
  const NnQuantizer *quantizer = node->attrs.role_quantizer[weight->role];
  g_autoptr (NnTensor) raw = nn_tensor_try_new (NN_DTYPE_I64, &weight->values->shape, error);
  g_autofree double *values = framework_values (quantizer, weight->values);
  const guint8 *mask = weight->mask != NULL ? nn_tensor_u8 (weight->mask) : NULL;
  gint64 *out;

  if (raw == NULL)
    return NULL;
  out = raw->data;
  for (gsize k = 0; k < raw->n; k++)
    {
      if (!isfinite (values[k]))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "layer \"%s\": weight %" G_GSIZE_FORMAT " of \"%s\" is not a finite number",
                       node->name, k, weight->name);
          return NULL;
        }
      out[k] = mask != NULL && mask[k] == 0 ? 0 : raw_value (element_type (node, p, weight, k), values[k]);
    }
  return g_steal_pointer (&raw);
}

/* Of sums of signs the thresholds are whole numbers, rounded down. */
static gboolean
is_threshold (const NnNode *node)
{
  return node->op == NN_OP_ACTIVATION;
}

static NnTensor *
quantize_threshold (const NnWeight *weight,
                    const NnType   *type)
{
  NnTensor *raw = nn_tensor_new (NN_DTYPE_I64, &weight->values->shape);
  NnType down = *type;

  down.rounding = NN_ROUND_TRN;
  down.overflow = NN_OVERFLOW_SAT;
  for (gsize k = 0; k < raw->n; k++)
    ((gint64 *) raw->data)[k] = nn_type_quantize (&down, nn_tensor_f32 (weight->values)[k], NULL);
  return raw;
}

gboolean
nn_plan_raw (NnPlanning  *planning,
             guint        i,
             GError     **error)
{
  const NnNode *node = nn_graph_node (planning->graph, i);
  const NnLayerPlan *p = &planning->design->plans[i];
  NnTensor **raw = planning->design->raw + (gsize) i * NN_N_ROLES;

  for (guint k = 0; k < node->n_weights; k++)
    {
      const NnWeight *weight = nn_model_weight (planning->model, node->weights[k]);
      const NnType *type = role_type (node, p, weight->role);

      if (raw[weight->role] != NULL)
        continue;
      raw[weight->role] = is_threshold (node) ? quantize_threshold (weight, type) : quantize (node, p, weight, error);
      if (raw[weight->role] == NULL)
        return FALSE;
    }
  return node->op != NN_OP_TREE_ENSEMBLE || nn_plan_trees (planning, i, error);
}

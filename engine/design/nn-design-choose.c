/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the type of a variable comes from: the configuration, a quantiser, the model's default; and types that hold what others do. */

#include "nn-design-types-private.h"

#include <math.h>

/* Source of all rules here: hls4ml, infer_precision.py. */

typedef enum {
  LOOKUP_NONE,
  LOOKUP_DEFAULT, /* one type for all variables of the layer or class */
  LOOKUP_EXACT,   /* for this very variable */
} Lookup;

static const NnType type_auto = { .kind = NN_TYPE_AUTO };

NnType
nn_plan_fixed (int            width,
               int            integer,
               gboolean       is_signed)
{
  return (NnType){ .kind = NN_TYPE_FIXED, .width = width, .integer = integer, .is_signed = is_signed };
}

static Lookup
lookup (const NnPlanning *planning,
        const NnNode     *node,
        const char       *variable,
        NnType           *type)
{
  for (guint level = 0; level < 3; level++)
    {
      const NnLayerConfig *c = nn_plan_level (planning, node, level);
      const NnType *set = c != NULL ? g_hash_table_lookup (c->precision, variable) : NULL;

      if (set == NULL && c != NULL && level < 2)
        {
          set = g_hash_table_lookup (c->precision, "default");
          if (set != NULL)
            {
              *type = *set;
              return LOOKUP_DEFAULT;
            }
        }
      if (set != NULL)
        {
          *type = *set;
          return LOOKUP_EXACT;
        }
    }
  return LOOKUP_NONE;
}

/* Holds either exactly; what concatenation, maximum and minimum give. */
NnType
nn_plan_union_type (NnType   a,
                    NnType   b,
                    gboolean keep_modes)
{
  gboolean is_signed = a.is_signed || b.is_signed;
  int integer = MAX (a.integer + (is_signed && !a.is_signed), b.integer + (is_signed && !b.is_signed));
  NnType type;

  if (nn_type_equal (&a, &b))
    return a;
  type = nn_plan_fixed (integer + MAX (nn_type_fraction (&a), nn_type_fraction (&b)), integer, is_signed);
  if (keep_modes)
    {
      type.rounding = a.rounding != NN_ROUND_TRN ? a.rounding : b.rounding;
      type.overflow = a.overflow != NN_OVERFLOW_WRAP ? a.overflow : b.overflow;
    }
  return type;
}

/* Holds what any element's own type holds. */
static NnType
hull_type (const NnQuantizer *quantizer)
{
  NnType hull = NN_UFIXED (1, 1);
  gboolean any = FALSE;

  for (guint k = 0; k < quantizer->n_elements; k++)
    if (quantizer->per_element[k].width > 0)
      {
        NnType type = quantizer->per_element[k];

        hull = any ? nn_plan_union_type (hull, type, TRUE) : type;
        any = TRUE;
      }
  return hull;
}

/* The hardware type of a quantiser's grid. Signs alone are one bit only where both factors are; see plan_product(). */
NnType
nn_plan_quantizer_type (const NnQuantizer *quantizer)
{
  switch (quantizer->kind)
    {
    case NN_QUANT_BINARY:
      return (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1 };
    case NN_QUANT_TERNARY:
      return NN_FIXED (2, 2);
    default:
      return quantizer->per_element != NULL ? hull_type (quantizer) : quantizer->type;
    }
}

/* What was asked for, else the quantiser's, else the model's; AUTO is to be inferred. */
NnType
nn_plan_choose (const NnPlanning  *planning,
                const NnNode      *node,
                const char        *variable,
                const NnQuantizer *quantizer)
{
  NnType type = type_auto;
  Lookup found = lookup (planning, node, variable, &type);

  if (found == LOOKUP_EXACT && type.kind != NN_TYPE_AUTO)
    return type;
  if (quantizer != NULL && quantizer->kind != NN_QUANT_NONE && nn_plan_quantizer_type (quantizer).kind != NN_TYPE_AUTO)
    return nn_plan_quantizer_type (quantizer);
  if (found != LOOKUP_NONE)
    return type;
  return planning->by_name || planning->exact ? type_auto : planning->standard;
}

NnType
nn_plan_choose_or (const NnPlanning *planning,
                   const NnNode     *node,
                   const char       *variable,
                   NnType            otherwise)
{
  NnType type = nn_plan_choose (planning, node, variable, NULL);

  return type.kind == NN_TYPE_AUTO ? otherwise : type;
}

/* Of variables with a standard of their own, which the model's default does not touch. */
NnType
nn_plan_table_type (const NnPlanning *planning,
                    const NnNode     *node,
                    const char       *variable,
                    NnType            otherwise)
{
  NnType type;

  return lookup (planning, node, variable, &type) != LOOKUP_NONE && type.kind != NN_TYPE_AUTO ? type : otherwise;
}

/* No type is wider than the engine's integers. */
NnType
nn_plan_fit (NnPlanning   *planning,
             const NnNode *node,
             NnType        type)
{
  if (type.width <= NN_TYPE_MAX_WIDTH)
    return type;
  nn_design_warn (planning->design,
                  "layer \"%s\": %d bits would hold every sum exactly; the last %d of them are left out, for no type is wider than %d",
                  node->name, type.width, type.width - NN_TYPE_MAX_WIDTH, NN_TYPE_MAX_WIDTH);
  type.width = NN_TYPE_MAX_WIDTH;
  return type;
}

/* Clips width and integer bits each for itself, as the reference does; that may move the point. */
NnType
nn_plan_limit (NnPlanning   *planning,
               const NnNode *node,
               NnType        type)
{
  const NnType *max = planning->maximum;

  if (max != NULL && max->kind == NN_TYPE_FIXED)
    {
      type.width = MIN (type.width, max->width);
      type.integer = MIN (type.integer, max->integer);
      type.is_signed = max->is_signed;
      if (max->rounding != NN_ROUND_TRN)
        type.rounding = max->rounding;
      if (max->overflow != NN_OVERFLOW_WRAP)
        type.overflow = max->overflow;
    }
  return nn_plan_fit (planning, node, type);
}

/* Holds a + b exactly. */
NnType
nn_plan_sum_type (NnType a,
                  NnType b)
{
  int integer = MAX (a.integer + (b.is_signed && !a.is_signed), b.integer + (a.is_signed && !b.is_signed)) + 1;
  int fraction = MAX (nn_type_fraction (&a), nn_type_fraction (&b));

  return nn_plan_fixed (integer + fraction, integer, a.is_signed || b.is_signed);
}

NnType
nn_plan_product_type (NnType a,
                      NnType b,
                      guint  n_terms)
{
  int extra = (int) nn_ceil_log2 (n_terms);

  return nn_plan_fixed (a.width + b.width + extra, a.integer + b.integer + extra, a.is_signed || b.is_signed);
}

const NnLayerPlan *
nn_plan_input (const NnPlanning *planning,
               const NnNode     *node,
               guint             k)
{
  return &planning->design->plans[node->inputs[k]];
}

/* As a number of fixed point: a sign alone is -1 or +1. */
NnType
nn_plan_as_fixed (NnType type)
{
  return type.kind == NN_TYPE_BINARY || type.kind == NN_TYPE_TERNARY ? NN_FIXED (2, 2) : type;
}

/* The fewest bits that hold a constant exactly, but no more than eight and a sign (hls4ml, _get_precision_from_constant). */
NnType
nn_plan_constant_type (double value)
{
  gboolean is_signed = value < 0;
  double magnitude = ABS (value);
  int integer = 0, fraction = 0;
  NnType type;

  if (value == 0)
    return NN_UFIXED (1, 1);
  while (integer < 30 && (double) (1u << integer) <= magnitude)
    integer++;
  while (integer <= 0 && integer > -30 && magnitude * (double) (1u << (1 - integer)) < 1)
    integer--;
  for (double rest = magnitude; fraction < 32 && rest != (double) (gint64) rest; rest *= 2)
    fraction++;
  type = nn_plan_fixed (MIN (integer + fraction, 8), integer, FALSE);
  if (type.width < 1)
    type.width = 1;
  if (is_signed)
    {
      type.is_signed = TRUE;
      type.width++;
      type.integer++;
    }
  return type;
}

/* The fewest bits that hold a number of single precision. */
NnType
nn_plan_exact_type (double value)
{
  int exponent, fraction = 0;
  double mantissa = frexp (fabs (value), &exponent);

  if (value == 0 || !isfinite (value))
    return NN_UFIXED (1, 1);
  while (fraction < 64 && mantissa != floor (mantissa))
    {
      mantissa *= 2;
      fraction++;
    }
  return nn_plan_fixed (MAX (fraction, 1) + (value < 0), exponent + (value < 0), value < 0);
}

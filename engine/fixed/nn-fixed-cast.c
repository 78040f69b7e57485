/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Assignment of an exact number to a fixed-point type: rounding, then overflow. */

#include "nn-fixed-kernels.h"
#include "nn-fixed-private.h"

#include <string.h>

/* Source of the rounding and overflow rules: reference ap_fixed (UG1399), as nn_type_quantize(). */

void
nn_cast_init (NnCast       *cast,
              int           bits,
              gboolean      is_signed,
              int           fraction,
              const NnType *to)
{
  NnType type = *to;
  int left, needed;

  if (type.kind == NN_TYPE_BINARY)
    type = NN_UFIXED (1, 1);
  else if (type.kind == NN_TYPE_TERNARY)
    type = NN_FIXED (2, 2);
  *cast = (NnCast){ .shift = fraction - nn_type_fraction (&type), .rounding = type.rounding, .overflow = type.overflow,
                    .width = type.width, .is_signed = type.is_signed };
  nn_type_raw_range (&type, &cast->min, &cast->max);
  left = MAX (-cast->shift, 0);
  needed = bits + left;
  cast->wide = needed > 63 || cast->shift > 62 || (!type.is_signed && type.width == 64);
  cast->from_unsigned = !is_signed && bits > 64;
  cast->nothing = cast->shift <= 0 && needed <= 63 && (is_signed ? type.is_signed && needed <= type.width
                                                                   : needed - 1 <= type.width - (type.is_signed ? 1 : 0));
  if (cast->nothing && is_signed && type.overflow == NN_OVERFLOW_SAT_SYM && needed == type.width)
    cast->nothing = FALSE;
}

static void
count_column (const NnCast *cast,
              const gint64 *v,
              gsize         n,
              guint64      *overflows)
{
  for (gsize k = 0; k < n; k++)
    *overflows += v[k] < cast->min || v[k] > cast->max;
}

/**
 * nn_cast_column:
 * @out: may be @in
 * @overflows: (nullable): counts the values that did not fit
 */
void
nn_cast_column (const NnCast *cast,
                gint64       *out,
                const gint64 *in,
                gsize         n,
                guint64      *overflows)
{
  if (cast->wide)
    {
      for (gsize k = 0; k < n; k++)
        {
          gboolean over;

          out[k] = nn_cast_wide (cast, cast->from_unsigned ? (NnWide) (guint64) in[k] : in[k], &over);
          if (overflows != NULL)
            *overflows += over;
        }
      return;
    }
  if (!cast->nothing || cast->shift != 0)
    nn_fixed_kernels ()->round (out, in, n, cast);
  else if (out != in)
    memcpy (out, in, n * sizeof *out);
  if (cast->nothing)
    return;
  if (overflows != NULL)
    count_column (cast, out, n, overflows);
  nn_fixed_kernels ()->overflow (cast, out, n);
}

static NnWide
round_wide (NnWide     v,
            int        shift,
            NnRounding mode)
{
  NnWide q = v >> shift, rest = v - (NnWide) ((NnUWide) q << shift), half = (NnWide) 1 << (shift - 1);
  gboolean up;

  switch (mode)
    {
    case NN_ROUND_TRN_ZERO:
      up = v < 0 && rest != 0;
      break;
    case NN_ROUND_RND:
      up = rest >= half;
      break;
    case NN_ROUND_RND_ZERO:
      up = rest > half || (rest == half && v < 0);
      break;
    case NN_ROUND_RND_INF:
      up = rest > half || (rest == half && v >= 0);
      break;
    case NN_ROUND_RND_MIN_INF:
      up = rest > half;
      break;
    case NN_ROUND_RND_CONV:
      up = rest > half || (rest == half && (q & 1));
      break;
    case NN_ROUND_TRN:
    default:
      up = FALSE;
      break;
    }
  return q + up;
}

static gint64
low_bits (const NnCast *cast,
          NnUWide       v)
{
  int up = 64 - cast->width;
  guint64 bits = (guint64) v << up;

  return cast->is_signed ? (gint64) bits >> up : (gint64) (bits >> up);
}

/* The naive twin of nn_cast_column(), for any width. */
gint64
nn_cast_wide (const NnCast *cast,
              NnWide        value,
              gboolean     *overflowed)
{
  NnWide max = cast->is_signed ? (NnWide) cast->max : ((NnWide) 1 << cast->width) - 1, min = cast->min;
  NnWide v = value;
  gboolean over, above = value > 0;

  if (cast->shift > 126)
    v = round_wide (value < 0 ? -1 : value > 0, 2, cast->rounding); /* far below a half, whatever it was */
  else if (cast->shift > 0)
    v = round_wide (value, cast->shift, cast->rounding);
  if (cast->shift >= 0)
    over = v > max || v < min;
  else if (-cast->shift > 120)
    over = v != 0;
  else
    over = v > max >> -cast->shift || v < -(-min >> -cast->shift);
  if (cast->shift < 0)
    v = -cast->shift > 127 ? 0 : (NnWide) ((NnUWide) v << -cast->shift);
  *overflowed = over;
  if (!over)
    return cast->overflow == NN_OVERFLOW_SAT_SYM && cast->is_signed && v < -max ? (gint64) -max : (gint64) v;
  switch (cast->overflow)
    {
    case NN_OVERFLOW_SAT:
      return (gint64) (above ? max : min);
    case NN_OVERFLOW_SAT_ZERO:
      return 0;
    case NN_OVERFLOW_SAT_SYM:
      return (gint64) (above ? max : cast->is_signed ? -max : 0);
    case NN_OVERFLOW_WRAP:
    default:
      return low_bits (cast, (NnUWide) v);
    }
}

/**
 * nn_cast_product:
 * @x, @w: two numbers of 64 bits, with a sign or without
 *
 * Assigns their product. That of two numbers without a sign may need 128 bits and none for a sign.
 */
gint64
nn_cast_product (const NnCast *cast,
                 gint64        x,
                 gboolean      x_unsigned,
                 gint64        w,
                 gboolean      w_unsigned,
                 gboolean     *overflowed)
{
  NnUWide product = (NnUWide) (x_unsigned ? (NnWide) (guint64) x : x) * (NnUWide) (w_unsigned ? (NnWide) (guint64) w : w);
  NnCast less = *cast;
  gint64 raw;

  if (!x_unsigned || !w_unsigned || product >> 127 == 0)
    return nn_cast_wide (cast, (NnWide) product, overflowed);
  if (cast->shift >= 3) /* one bit less; it stays known whether any that fell off was set */
    {
      less.shift--;
      return nn_cast_wide (&less, (NnWide) (product >> 1 | (product & 1)), overflowed);
    }
  raw = nn_cast_wide (cast, (NnWide) (product << 1 >> 1), overflowed); /* its low bits are the same */
  if (cast->overflow == NN_OVERFLOW_SAT || cast->overflow == NN_OVERFLOW_SAT_SYM)
    raw = cast->is_signed || cast->width < 64 ? cast->max : -1;
  else if (cast->overflow == NN_OVERFLOW_SAT_ZERO)
    raw = 0;
  *overflowed = TRUE;
  return raw;
}

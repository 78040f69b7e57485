/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types of the hardware, and the one place where a real becomes a fixed-point integer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  NN_TYPE_AUTO,    /* to be inferred */
  NN_TYPE_FLOAT,   /* not quantised */
  NN_TYPE_FIXED,   /* raw integer r of `width` bits, value r * 2^(integer - width) */
  NN_TYPE_BINARY,  /* one bit: 0 is -1, 1 is +1 */
  NN_TYPE_TERNARY, /* two bits: -1, 0, +1 */
  NN_TYPE_POWER,   /* sign and exponent: +-2^e */
} NnTypeKind;

/* How bits that fall off at the low end count: the names and meaning of ap_fixed and sc_fixed. */
typedef enum {
  NN_ROUND_TRN,
  NN_ROUND_TRN_ZERO,
  NN_ROUND_RND,
  NN_ROUND_RND_ZERO,
  NN_ROUND_RND_INF,
  NN_ROUND_RND_MIN_INF,
  NN_ROUND_RND_CONV,
} NnRounding;

typedef enum {
  NN_OVERFLOW_WRAP,
  NN_OVERFLOW_SAT,
  NN_OVERFLOW_SAT_ZERO,
  NN_OVERFLOW_SAT_SYM,
} NnOverflow;

/**
 * NnType:
 * @kind: which family
 * @width: total bits, 1 to 64
 * @integer: bits before the point, the sign included; may be negative or larger than @width
 * @is_signed: whether the top bit is a sign
 * @rounding: on assignment
 * @overflow: on assignment
 * @sat_bits: N of `ap_fixed<W,I,Q,O,N>`
 *
 * A value; copy it freely. Source: Xilinx UG902/UG1399, chapter on arbitrary precision; reference ap_fixed.
 */
typedef struct {
  NnTypeKind kind;
  int        width;
  int        integer;
  gboolean   is_signed;
  NnRounding rounding;
  NnOverflow overflow;
  int        sat_bits;
} NnType;

#define NN_TYPE_MAX_WIDTH 64

#define NN_FIXED(w, i) ((NnType) { .kind = NN_TYPE_FIXED, .width = (w), .integer = (i), .is_signed = TRUE })
#define NN_UFIXED(w, i) ((NnType) { .kind = NN_TYPE_FIXED, .width = (w), .integer = (i) })

static inline int
nn_type_fraction (const NnType *type)
{
  return type->width - type->integer;
}

gboolean nn_type_parse     (const char    *text,
                            NnType        *type,
                            GError       **error);
char    *nn_type_to_string (const NnType  *type) G_GNUC_MALLOC;
gboolean nn_type_equal     (const NnType  *a,
                            const NnType  *b);
void     nn_type_raw_range (const NnType  *type,
                            gint64        *min,
                            gint64        *max);
double   nn_type_lsb       (const NnType  *type);
double   nn_type_min       (const NnType  *type);
double   nn_type_max       (const NnType  *type);
gint64   nn_type_quantize  (const NnType  *type,
                            double         value,
                            gboolean      *overflowed);
double   nn_type_real      (const NnType  *type,
                            gint64         raw);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types of the hardware. */

#include "nn-type.h"

#include "nn-error.h"
#include "nn-text.h"

#include <math.h>
#include <string.h>

static const char *const rounding_names[] = {
  "TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV", NULL,
};

static const char *const overflow_names[] = {
  "WRAP", "SAT", "SAT_ZERO", "SAT_SYM", NULL,
};

static gboolean
find_mode (const char        *text,
           const char *const *names,
           guint             *mode,
           GError           **error)
{
  const char *nearest;

  for (const char *const *prefix = (const char *const[]){ "AP_", "AC_", "SC_", NULL }; *prefix != NULL; prefix++)
    if (g_str_has_prefix (text, *prefix))
      text += strlen (*prefix);
  for (*mode = 0; names[*mode] != NULL; (*mode)++)
    if (g_ascii_strcasecmp (text, names[*mode]) == 0)
      return TRUE;
  nearest = nn_text_nearest (text, names);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "\"%s\" is no rounding or overflow mode; did you mean %s?", text,
               nearest);
  return FALSE;
}

typedef struct {
  const char *name;
  gboolean    is_signed;
  gboolean    is_integer; /* only a width */
  gboolean    is_ac;      /* the third argument says whether it is signed */
} Family;

static const Family families[] = {
  { "ap_fixed", TRUE, FALSE, FALSE },  { "ap_ufixed", FALSE, FALSE, FALSE }, { "fixed", TRUE, FALSE, FALSE },
  { "ufixed", FALSE, FALSE, FALSE },   { "ap_int", TRUE, TRUE, FALSE },      { "ap_uint", FALSE, TRUE, FALSE },
  { "int", TRUE, TRUE, FALSE },        { "uint", FALSE, TRUE, FALSE },       { "ac_fixed", TRUE, FALSE, TRUE },
  { "ac_int", TRUE, TRUE, TRUE },
};

static const Family *
find_family (const char *text,
             gsize       length)
{
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    if (strlen (families[i].name) == length && g_ascii_strncasecmp (families[i].name, text, length) == 0)
      return &families[i];
  return NULL;
}

static gboolean
parse_arguments (const Family  *family,
                 char         **arguments,
                 NnType        *type,
                 GError       **error)
{
  guint n = g_strv_length (arguments), next = family->is_integer ? 1 : 2, mode;
  gint64 width, integer;

  type->kind = NN_TYPE_FIXED;
  type->is_signed = family->is_signed;
  if (n < next || !nn_text_to_int (arguments[0], &width) ||
      (!family->is_integer && !nn_text_to_int (arguments[1], &integer)))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s needs %s", family->name,
                   family->is_integer ? "its width" : "its width and its integer bits");
      return FALSE;
    }
  if (width < 1 || width > NN_TYPE_MAX_WIDTH)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "a width of %" G_GINT64_FORMAT " bits is not supported; 1 to %d are", width, NN_TYPE_MAX_WIDTH);
      return FALSE;
    }
  if (!family->is_integer && ABS (integer) > 4 * NN_TYPE_MAX_WIDTH)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%" G_GINT64_FORMAT " integer bits are out of range", integer);
      return FALSE;
    }
  type->width = (int) width;
  type->integer = family->is_integer ? type->width : (int) integer;
  if (family->is_ac && n > next)
    {
      type->is_signed = g_ascii_strcasecmp (arguments[next], "false") != 0 && strcmp (arguments[next], "0") != 0;
      next++;
    }
  if (n > next)
    {
      if (!find_mode (arguments[next], rounding_names, &mode, error))
        return FALSE;
      type->rounding = mode;
    }
  if (n > next + 1)
    {
      if (!find_mode (arguments[next + 1], overflow_names, &mode, error))
        return FALSE;
      type->overflow = mode;
    }
  if (n > next + 2)
    {
      gint64 bits;

      if (!nn_text_to_int (arguments[next + 2], &bits) || bits < 0 || bits > width)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "\"%s\" is no number of saturation bits", arguments[next + 2]);
          return FALSE;
        }
      type->sat_bits = (int) bits;
    }
  return TRUE;
}

static gboolean
parse_word (const char *text,
            NnType     *type)
{
  static const char *const floats[] = { "float", "double", "half", "bfloat16", NULL };

  if (g_ascii_strcasecmp (text, "auto") == 0)
    type->kind = NN_TYPE_AUTO;
  else if (g_strv_contains (floats, text) || g_str_has_prefix (text, "ap_float<") ||
           g_str_has_prefix (text, "ac_float<") || g_str_has_prefix (text, "ac_std_float"))
    type->kind = NN_TYPE_FLOAT;
  else if (g_ascii_strcasecmp (text, "binary") == 0)
    *type = (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1 };
  else if (g_ascii_strcasecmp (text, "ternary") == 0)
    *type = (NnType){ .kind = NN_TYPE_TERNARY, .width = 2, .integer = 2, .is_signed = TRUE };
  else
    return FALSE;
  return TRUE;
}

/**
 * nn_type_parse:
 * @text: `auto`, `float`, `fixed<16,6>`, `ap_fixed<16,6,AP_RND,AP_SAT>`, `ap_uint<3>`, `ac_fixed<16,6,true>`, ...
 * @type: (out): the type
 *
 * Errors: %NN_ERROR_FORMAT
 * Source: precision strings of hls4ml's configuration, fpga_backend.py
 */
gboolean
nn_type_parse (const char  *text,
               NnType      *type,
               GError     **error)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  const char *open = strchr (trimmed, '<');
  const Family *family;
  g_autofree char *inside = NULL;
  g_auto (GStrv) arguments = NULL;

  *type = (NnType){ 0 };
  if (parse_word (trimmed, type))
    return TRUE;
  family = open != NULL ? find_family (trimmed, open - trimmed) : NULL;
  if (family == NULL || !g_str_has_suffix (trimmed, ">"))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "\"%s\" is no number type; write for example fixed<16,6>, ufixed<8,0,RND,SAT>, int<4> or auto", text);
      return FALSE;
    }
  inside = g_strndup (open + 1, strlen (open) - 2);
  arguments = g_strsplit (inside, ",", -1);
  for (char **a = arguments; *a != NULL; a++)
    g_strstrip (*a);
  if (parse_arguments (family, arguments, type, error))
    return TRUE;
  g_prefix_error (error, "\"%s\": ", trimmed);
  return FALSE;
}

/**
 * nn_type_to_string:
 *
 * Returns: (transfer full): in the short form, as nn_type_parse() reads it; modes only where they are not TRN and WRAP
 */
char *
nn_type_to_string (const NnType *type)
{
  const char *sign = type->is_signed ? "" : "u";

  switch (type->kind)
    {
    case NN_TYPE_AUTO:
      return g_strdup ("auto");
    case NN_TYPE_FLOAT:
      return g_strdup ("float");
    case NN_TYPE_BINARY:
      return g_strdup ("binary");
    case NN_TYPE_TERNARY:
      return g_strdup ("ternary");
    case NN_TYPE_POWER:
      return g_strdup_printf ("power<%d,%d>", type->width, type->integer);
    case NN_TYPE_FIXED:
    default:
      break;
    }
  if (type->sat_bits > 0)
    return g_strdup_printf ("%sfixed<%d,%d,%s,%s,%d>", sign, type->width, type->integer,
                            rounding_names[type->rounding], overflow_names[type->overflow], type->sat_bits);
  if (type->rounding != NN_ROUND_TRN || type->overflow != NN_OVERFLOW_WRAP)
    return g_strdup_printf ("%sfixed<%d,%d,%s,%s>", sign, type->width, type->integer,
                            rounding_names[type->rounding], overflow_names[type->overflow]);
  return g_strdup_printf ("%sfixed<%d,%d>", sign, type->width, type->integer);
}

gboolean
nn_type_equal (const NnType *a,
               const NnType *b)
{
  return a->kind == b->kind && a->width == b->width && a->integer == b->integer && a->is_signed == b->is_signed &&
         a->rounding == b->rounding && a->overflow == b->overflow && a->sat_bits == b->sat_bits;
}

/**
 * nn_type_raw_range:
 * @min: (out): smallest raw integer
 * @max: (out): largest; that of an unsigned type of 64 bits is given as %G_MAXINT64
 */
void
nn_type_raw_range (const NnType *type,
                   gint64       *min,
                   gint64       *max)
{
  int bits = type->width - (type->is_signed ? 1 : 0);

  *max = bits >= 63 ? G_MAXINT64 : (G_GINT64_CONSTANT (1) << bits) - 1;
  *min = type->is_signed ? (bits >= 63 ? G_MININT64 : -(G_GINT64_CONSTANT (1) << bits)) : 0;
  if (type->kind == NN_TYPE_TERNARY)
    *min = -1, *max = 1;
}

double
nn_type_lsb (const NnType *type)
{
  return ldexp (1.0, -nn_type_fraction (type));
}

double
nn_type_min (const NnType *type)
{
  gint64 min, max;

  nn_type_raw_range (type, &min, &max);
  return type->kind == NN_TYPE_BINARY ? -1 : nn_type_real (type, min);
}

double
nn_type_max (const NnType *type)
{
  gint64 min, max;

  nn_type_raw_range (type, &min, &max);
  return nn_type_real (type, max);
}

/**
 * nn_type_real:
 *
 * Returns: the number that raw integer @raw stands for; exact up to 53 bits
 */
double
nn_type_real (const NnType *type,
              gint64        raw)
{
  if (type->kind == NN_TYPE_BINARY)
    return raw != 0 ? 1 : -1;
  return ldexp ((double) raw, -nn_type_fraction (type));
}

/* Whether the floor is to be raised by one; d is the part cut off, in [0, 1). */
static gboolean
rounds_up (NnRounding mode,
           double     floor_value,
           double     d)
{
  switch (mode)
    {
    case NN_ROUND_TRN:
      return FALSE;
    case NN_ROUND_TRN_ZERO:
      return d > 0 && floor_value < 0;
    case NN_ROUND_RND:
      return d >= 0.5;
    case NN_ROUND_RND_ZERO:
      return d > 0.5 || (d == 0.5 && floor_value < 0);
    case NN_ROUND_RND_INF:
      return d > 0.5 || (d == 0.5 && floor_value >= 0);
    case NN_ROUND_RND_MIN_INF:
      return d > 0.5;
    case NN_ROUND_RND_CONV:
      return d > 0.5 || (d == 0.5 && fmod (floor_value, 2) != 0);
    default:
      g_assert_not_reached ();
    }
}

/* The low @width bits of an integral @value, as a raw integer of the type. */
static gint64
wrap (const NnType *type,
      double        value)
{
  double low = fmod (value, ldexp (1.0, type->width)); /* exact, and less than 2^64 */
  guint64 bits = low < 0 ? -(guint64) -low : (guint64) low;

  if (type->width == 64)
    return (gint64) bits;
  bits &= (G_GUINT64_CONSTANT (1) << type->width) - 1;
  if (type->is_signed && (bits >> (type->width - 1)) & 1)
    bits |= ~G_GUINT64_CONSTANT (0) << type->width;
  return (gint64) bits;
}

/**
 * nn_type_quantize:
 * @value: any real, infinities included
 * @overflowed: (out) (optional): set to whether @value lay outside the type
 *
 * Assigns a real to the type: rounding first, overflow after it.
 *
 * Returns: the raw integer
 *
 * Source: reference ap_fixed; agrees with it for every mode (docs of hls4ml's numerics, 4.1)
 */
gint64
nn_type_quantize (const NnType *type,
                  double        value,
                  gboolean     *overflowed)
{
  gint64 min, max;
  double y, f;
  gboolean over;

  if (overflowed != NULL)
    *overflowed = FALSE;
  if (type->kind == NN_TYPE_BINARY)
    return value >= 0;
  if (type->kind == NN_TYPE_TERNARY)
    return value > 0.5 ? 1 : value < -0.5 ? -1 : 0;
  nn_type_raw_range (type, &min, &max);
  y = ldexp (value, nn_type_fraction (type));
  f = floor (y);
  if (isfinite (y) && rounds_up (type->rounding, f, y - f))
    f += 1;
  /* the largest of a wide word is no double, but the power of two above it is */
  over = isnan (f) || f < (double) min || f >= ldexp (1.0, MIN (type->width - type->is_signed, NN_TYPE_MAX_WIDTH - 1));
  if (overflowed != NULL)
    *overflowed = over;
  if (!over)
    {
      if (type->overflow == NN_OVERFLOW_SAT_SYM && type->is_signed && (gint64) f == min)
        return min + 1;
      return (gint64) f;
    }
  switch (type->overflow)
    {
    case NN_OVERFLOW_WRAP:
      return isfinite (f) ? wrap (type, f) : 0;
    case NN_OVERFLOW_SAT:
      return isnan (f) ? 0 : f > 0 ? max : min;
    case NN_OVERFLOW_SAT_ZERO:
      return 0;
    case NN_OVERFLOW_SAT_SYM:
      return isnan (f) ? 0 : f > 0 ? max : type->is_signed ? -max : 0;
    default:
      g_assert_not_reached ();
    }
}

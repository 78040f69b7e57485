/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types as the tools write them. */

#include "hls-emit-private.h"

#include "nn-error.h"

static const char *const rounding_names[] = {
  "TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV",
};

static const char *const overflow_names[] = { "WRAP", "SAT", "SAT_ZERO", "SAT_SYM" };

/* Numbers are compared with whole ones of 32 bits and a sign, in the simulation's 128. */
#define MAX_FRACTION 94

/**
 * hls_type_check:
 * @what: the variable of the layer, for the message
 *
 * Errors: %HLS_ERROR_UNSUPPORTED where no hardware type is meant
 */
gboolean
hls_type_check (const NnType  *type,
                const char    *layer,
                const char    *what,
                GError       **error)
{
  g_autofree char *text = NULL;

  if (type->kind == NN_TYPE_FIXED && nn_type_fraction (type) > MAX_FRACTION)
    {
      text = nn_type_to_string (type);
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED,
                   "layer \"%s\": its %s has the type %s; %d bits after the point are the most that an HLS project has", layer, what, text,
                   MAX_FRACTION);
      return FALSE;
    }
  if ((type->kind == NN_TYPE_FIXED && type->width >= 1) || type->kind == NN_TYPE_BINARY || type->kind == NN_TYPE_TERNARY)
    return TRUE;
  text = nn_type_to_string (type);
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED,
               "layer \"%s\": its %s has the type %s; an HLS project needs a fixed-point type such as fixed<16,6>", layer,
               what, text);
  return FALSE;
}

/* Types of AMD: `ap_fixed<16,6,AP_RND,AP_SAT,0>`; modes only where they are not the default ones. */
char *
hls_type_ap (const NnType *type)
{
  const char *sign = type->is_signed ? "" : "u";

  if (type->kind == NN_TYPE_BINARY)
    return g_strdup ("ap_uint<1>");
  if (type->kind == NN_TYPE_TERNARY)
    return g_strdup ("ap_int<2>");
  if (type->rounding == NN_ROUND_TRN && type->overflow == NN_OVERFLOW_WRAP)
    return g_strdup_printf ("ap_%sfixed<%d,%d>", sign, type->width, type->integer);
  return g_strdup_printf ("ap_%sfixed<%d,%d,AP_%s,AP_%s,%d>", sign, type->width, type->integer,
                          rounding_names[type->rounding], overflow_names[type->overflow], type->sat_bits);
}

/* Types of algorithmic C: `ac_fixed<16,6,true,AC_RND,AC_SAT>`. */
char *
hls_type_ac (const NnType *type)
{
  const char *sign = type->is_signed ? "true" : "false";

  if (type->kind == NN_TYPE_BINARY)
    return g_strdup ("ac_int<1,false>");
  if (type->kind == NN_TYPE_TERNARY)
    return g_strdup ("ac_int<2,true>");
  if (type->rounding == NN_ROUND_TRN && type->overflow == NN_OVERFLOW_WRAP)
    return g_strdup_printf ("ac_fixed<%d,%d,%s>", type->width, type->integer, sign);
  return g_strdup_printf ("ac_fixed<%d,%d,%s,AC_%s,AC_%s>", type->width, type->integer, sign,
                          rounding_names[type->rounding], overflow_names[type->overflow]);
}

gboolean
hls_emit_typedef (HlsEmit         *emit,
                  const HlsLayer  *layer,
                  const char      *suffix,
                  const NnType    *type,
                  GError         **error)
{
  g_autofree char *name = NULL;

  if (!hls_type_check (type, layer->node->name, suffix, error))
    return FALSE;
  name = emit->backend->type (type);
  g_string_append_printf (emit->types, "typedef %s layer%u_%s;\n", name, layer->number, suffix);
  return TRUE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays of numbers as C++ headers below firmware/weights. */

#include "hls-emit-private.h"

#include "nn-text.h"

#include <math.h>

#define VALUES_A_LINE 12
#define MANY_VALUES 2048
#define EXACT_BITS 53 /* of an IEEE double */

/**
 * hls_emit_raw:
 * @n: (out) (optional): number of elements
 *
 * Returns: (nullable): the integers of the layer's weight of @role
 */
const gint64 *
hls_emit_raw (const HlsEmit  *emit,
              const HlsLayer *layer,
              NnRole          role,
              gsize          *n)
{
  const NnTensor *raw = nn_design_raw (emit->design, layer->number, role);

  if (n != NULL)
    *n = raw != NULL ? raw->n : 0;
  return raw != NULL ? raw->data : NULL;
}

/* The number as C++ reads it: exact, since it has at most 53 significant bits. */
static gboolean
append_value (GString       *text,
              const NnType  *type,
              gint64         raw)
{
  double value;

  if (type->kind == NN_TYPE_BINARY || type->kind == NN_TYPE_TERNARY)
    {
      g_string_append_printf (text, "%d", (int) raw);
      return TRUE;
    }
  value = nn_type_real (type, raw);
  nn_text_append_double (text, value);
  return ldexp (value, nn_type_fraction (type)) == (double) raw && (ABS (raw) >> EXACT_BITS) == 0;
}

static void
begin (GString    *text,
       const char *name,
       const char *comment)
{
  g_autofree char *guard = g_ascii_strup (name, -1);

  g_string_append_printf (text,
                          "// SPDX-License-Identifier: Apache-2.0\n// %s\n#ifndef %s_H_\n#define %s_H_\n\n", comment, guard, guard);
}

static void
finish (HlsEmit    *emit,
        const char *name,
        const char *ending,
        GString    *text)
{
  g_autofree char *path = g_strdup_printf ("firmware/weights/%s.h", name);

  g_string_append_printf (text, "\n};\n%s\n#endif\n", ending);
  hls_project_add (emit->project, path, text);
  g_string_append_printf (emit->includes, "#include \"weights/%s.h\"\n", name);
}

/* Compilers need much time and memory for large arrays of class types; integers are easy, and become numbers at the start. */
static void
append_raw (GString        *text,
            const HlsLayer *layer,
            const char     *name,
            const char     *suffix,
            const gint64   *raw,
            gsize           n)
{
  g_string_append_printf (text, "#ifdef ESPALIER_FIXED_H_\nconst long long %s_raw[%" G_GSIZE_FORMAT "] = {", name, n);
  for (gsize i = 0; i < n; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT "%s", i % VALUES_A_LINE == 0 ? "\n    " : " ", raw[i], i + 1 < n ? "," : "");
  g_string_append_printf (text,
                          "\n};\nstatic layer%u_%s %s[%" G_GSIZE_FORMAT "];\n"
                          "static const bool %s_ready = espalier::fill(%s, %s_raw);\n#else\n",
                          layer->number, suffix, name, n, name, name, name);
}

/**
 * hls_emit_values:
 * @name: of the array and of its file
 * @suffix: of its type `layerN_SUFFIX`
 *
 * Errors: %HLS_ERROR_UNSUPPORTED where a value has more digits than C++ text carries
 */
gboolean
hls_emit_values (HlsEmit         *emit,
                 const HlsLayer  *layer,
                 const char      *name,
                 const char      *suffix,
                 const char      *comment,
                 const NnType    *type,
                 const gint64    *raw,
                 gsize            n,
                 GError         **error)
{
  GString *text = g_string_new (NULL);
  gboolean exact = TRUE;
  gboolean large = n > MANY_VALUES;
  gsize zeros = 0;

  begin (text, name, comment);
  for (gsize i = 0; i < n; i++)
    zeros += raw[i] == 0;
  g_string_append_printf (text, "// %" G_GSIZE_FORMAT " values, %" G_GSIZE_FORMAT " of them zero\n", n,
                          type->kind == NN_TYPE_BINARY ? 0 : zeros);
  if (large)
    append_raw (text, layer, name, suffix, raw, n);
  g_string_append_printf (text, "const layer%u_%s %s[%" G_GSIZE_FORMAT "] = {", layer->number, suffix, name, n);
  for (gsize i = 0; i < n; i++)
    {
      g_string_append (text, i % VALUES_A_LINE == 0 ? "\n    " : " ");
      exact &= append_value (text, type, raw[i]);
      g_string_append (text, i + 1 < n ? "," : "");
    }
  finish (emit, name, large ? "#endif\n" : "", text);
  if (exact)
    return TRUE;
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED,
               "layer \"%s\": a value of %s has more than 53 significant bits; use a narrower type", layer->node->name, name);
  return FALSE;
}

/* Indices that the tool resolves while it unrolls. */
void
hls_emit_indices (HlsEmit       *emit,
                  const char    *name,
                  const char    *comment,
                  const guint32 *values,
                  gsize          n)
{
  GString *text = g_string_new (NULL);

  begin (text, name, comment);
  g_string_append_printf (text, "const unsigned %s[%" G_GSIZE_FORMAT "] = {", name, n);
  for (gsize i = 0; i < n; i++)
    g_string_append_printf (text, "%s%u%s", i % VALUES_A_LINE == 0 ? "\n    " : " ", values[i], i + 1 < n ? "," : "");
  finish (emit, name, "", text);
}

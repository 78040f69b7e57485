/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A quantiser as JSON. */

#include "nn-quant-json.h"

/* Places of the point beyond this are no number type. */
#define MAX_INTEGER 512
/* Types or scales of one quantiser that are believed. */
#define MAX_ELEMENTS (1u << 24)

typedef enum {
  WHOLE,
  FLAG,
  REAL,
} FieldKind;

/* The members that are one number each, by where they lie in NnQuantizer. */
static const struct {
  const char *name;
  FieldKind   kind;
  gsize       offset;
  gint64      min, max;
} fields[] = {
  { "kind", WHOLE, G_STRUCT_OFFSET (NnQuantizer, kind), NN_QUANT_FIXED, NN_QUANT_POWER_RELU },
  { "type", WHOLE, G_STRUCT_OFFSET (NnQuantizer, type.kind), NN_TYPE_AUTO, NN_TYPE_POWER },
  { "width", WHOLE, G_STRUCT_OFFSET (NnQuantizer, type.width), 0, NN_TYPE_MAX_WIDTH },
  { "integer", WHOLE, G_STRUCT_OFFSET (NnQuantizer, type.integer), -MAX_INTEGER, MAX_INTEGER },
  { "signed", FLAG, G_STRUCT_OFFSET (NnQuantizer, type.is_signed), 0, 1 },
  { "rounding", WHOLE, G_STRUCT_OFFSET (NnQuantizer, type.rounding), NN_ROUND_TRN, NN_ROUND_RND_CONV },
  { "overflow", WHOLE, G_STRUCT_OFFSET (NnQuantizer, type.overflow), NN_OVERFLOW_WRAP, NN_OVERFLOW_SAT_SYM },
  { "sat_bits", WHOLE, G_STRUCT_OFFSET (NnQuantizer, type.sat_bits), 0, NN_TYPE_MAX_WIDTH },
  { "alpha_mode", WHOLE, G_STRUCT_OFFSET (NnQuantizer, alpha_mode), NN_ALPHA_ONE, NN_ALPHA_AUTO_PO2 },
  { "zero_point", REAL, G_STRUCT_OFFSET (NnQuantizer, zero_point), 0, 0 },
  { "threshold", REAL, G_STRUCT_OFFSET (NnQuantizer, threshold), 0, 0 },
  { "max_value", REAL, G_STRUCT_OFFSET (NnQuantizer, max_value), 0, 0 },
  { "negative_slope", REAL, G_STRUCT_OFFSET (NnQuantizer, negative_slope), 0, 0 },
  { "symmetric", FLAG, G_STRUCT_OFFSET (NnQuantizer, symmetric), 0, 1 },
  { "use_real_function", FLAG, G_STRUCT_OFFSET (NnQuantizer, use_real_function), 0, 1 },
  { "use_sigmoid", FLAG, G_STRUCT_OFFSET (NnQuantizer, use_sigmoid), 0, 1 },
  { "alpha_divides", FLAG, G_STRUCT_OFFSET (NnQuantizer, alpha_divides), 0, 1 },
  { "rounds_first", FLAG, G_STRUCT_OFFSET (NnQuantizer, rounds_first), 0, 1 },
  { "quadratic", FLAG, G_STRUCT_OFFSET (NnQuantizer, quadratic), 0, 1 },
};

static void
add_types (JsonObject        *object,
           const NnQuantizer *quantizer)
{
  JsonArray *widths = json_array_new (), *integers = json_array_new (), *signs = json_array_new ();

  for (guint i = 0; i < quantizer->n_elements; i++)
    {
      json_array_add_int_element (widths, quantizer->per_element[i].width);
      json_array_add_int_element (integers, quantizer->per_element[i].integer);
      json_array_add_int_element (signs, quantizer->per_element[i].is_signed);
    }
  json_object_set_array_member (object, "widths", widths);
  json_object_set_array_member (object, "integers", integers);
  json_object_set_array_member (object, "signs", signs);
}

char *
nn_quantizer_to_json (const NnQuantizer *quantizer)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (fields[i].kind == REAL)
      json_object_set_double_member (object, fields[i].name, G_STRUCT_MEMBER (double, quantizer, fields[i].offset));
    else
      json_object_set_int_member (object, fields[i].name, G_STRUCT_MEMBER (int, quantizer, fields[i].offset));
  if (quantizer->n_alpha > 0)
    {
      JsonArray *alpha = json_array_new ();

      for (guint i = 0; i < quantizer->n_alpha; i++)
        json_array_add_double_element (alpha, quantizer->alpha[i]);
      json_object_set_array_member (object, "alpha", alpha);
    }
  if (quantizer->n_elements > 0)
    add_types (object, quantizer);
  if (quantizer->source != NULL)
    json_object_set_string_member (object, "source", quantizer->source);
  root = json_node_init_object (json_node_alloc (), object);
  return nn_json_text (root);
}

static gboolean
whole_at (JsonArray *array,
          guint      i,
          gint64     min,
          gint64     max,
          int       *value)
{
  gint64 number;

  if (!nn_json_as_int (json_array_get_element (array, i), &number) || number < min || number > max)
    return FALSE;
  *value = (int) number;
  return TRUE;
}

/* @types: (out) (array) (nullable) (transfer full) */
static gboolean
read_types (JsonObject    *object,
            const NnType  *like,
            NnType       **types,
            guint         *n)
{
  JsonArray *widths = nn_json_array (object, "widths"), *integers = nn_json_array (object, "integers");
  JsonArray *signs = nn_json_array (object, "signs");
  g_autofree NnType *all = NULL;

  *n = widths != NULL ? json_array_get_length (widths) : 0;
  if (*n == 0)
    return widths == NULL;
  if (*n > MAX_ELEMENTS || integers == NULL || signs == NULL || json_array_get_length (integers) != *n ||
      json_array_get_length (signs) != *n)
    return FALSE;
  all = g_new (NnType, *n);
  for (guint i = 0; i < *n; i++)
    {
      all[i] = *like;
      if (!whole_at (widths, i, 0, NN_TYPE_MAX_WIDTH, &all[i].width) ||
          !whole_at (integers, i, -MAX_INTEGER, MAX_INTEGER, &all[i].integer) || !whole_at (signs, i, 0, 1, &all[i].is_signed))
        return FALSE;
    }
  *types = g_steal_pointer (&all);
  return TRUE;
}

static gboolean
read_alpha (JsonObject  *object,
            float      **alpha,
            guint       *n)
{
  JsonArray *array = nn_json_array (object, "alpha");

  *n = array != NULL ? json_array_get_length (array) : 0;
  if (*n == 0)
    return array == NULL;
  if (*n > MAX_ELEMENTS)
    return FALSE;
  *alpha = g_new (float, *n);
  for (guint i = 0; i < *n; i++)
    {
      double value;

      if (!nn_json_as_double (json_array_get_element (array, i), &value))
        return FALSE;
      (*alpha)[i] = (float) value;
    }
  return TRUE;
}

NnQuantizer *
nn_quantizer_from_json (NnGraphBuilder *builder,
                        const char     *text)
{
  g_autoptr (JsonNode) root = nn_json_parse (text, -1, "quantiser", NULL);
  JsonObject *object = nn_json_as_object (root);
  g_autofree NnType *types = NULL;
  g_autofree float *alpha = NULL;
  NnQuantizer q = { 0 };

  if (object == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gint64 number;

      if (fields[i].kind == REAL)
        G_STRUCT_MEMBER (double, &q, fields[i].offset) = nn_json_double (object, fields[i].name, 0);
      else if (!nn_json_int (object, fields[i].name, &number) || number < fields[i].min || number > fields[i].max)
        return NULL;
      else
        G_STRUCT_MEMBER (int, &q, fields[i].offset) = (int) number;
    }
  if (!read_alpha (object, &alpha, &q.n_alpha) || !read_types (object, &q.type, &types, &q.n_elements) ||
      (q.alpha_mode == NN_ALPHA_FIXED && q.n_alpha == 0))
    return NULL;
  q.alpha = alpha;
  q.per_element = types;
  q.source = nn_json_string (object, "source");
  return nn_graph_builder_quantizer (builder, &q);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX networks: values, attributes, and the nodes that are made of operators. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "nn-infer-shape.h"
#include "onnx.pb-c.h"

#include <string.h>

void
nn_onnx_value_free (gpointer data)
{
  NnOnnxValue *value = data;

  nn_tensor_unref (value->constant);
  nn_onnx_quant_free (value->quant);
  nn_onnx_quant_free (value->codes);
  g_free (value->order);
  g_free (value);
}

const char *
nn_onnx_out (Onnx__NodeProto *op,
             guint            i)
{
  return i < op->n_output ? op->output[i] : "";
}

NnOnnxValue *
nn_onnx_input (NnOnnx          *onnx,
               Onnx__NodeProto *op,
               guint            i)
{
  return i < op->n_input && op->input[i][0] != '\0' ? g_hash_table_lookup (onnx->values, op->input[i]) : NULL;
}

NnOnnxValue *
nn_onnx_new_value (NnOnnx     *onnx,
                   const char *name)
{
  NnOnnxValue *value = g_new0 (NnOnnxValue, 1);

  value->name = g_string_chunk_insert_const (onnx->strings, name);
  g_ptr_array_add (onnx->all, value);
  g_hash_table_insert (onnx->values, (gpointer) value->name, value);
  return value;
}

/* @tensor: (transfer full) */
void
nn_onnx_constant (NnOnnx     *onnx,
                  const char *name,
                  NnTensor   *tensor)
{
  NnOnnxValue *value = nn_onnx_new_value (onnx, name);

  value->constant = tensor;
  value->rank = tensor->shape.rank;
  for (guint i = 0; i < value->rank; i++)
    value->dims[i] = tensor->shape.dims[i];
}

NnOnnxValue *
nn_onnx_alias (NnOnnx            *onnx,
               Onnx__NodeProto   *op,
               const NnOnnxValue *from)
{
  NnOnnxValue *value = nn_onnx_new_value (onnx, nn_onnx_out (op, 0));
  const char *name = value->name;

  *value = *from;
  value->name = name;
  value->order = g_memdup2 (from->order, from->n_order * sizeof (guint));
  value->codes = from->codes != NULL ? nn_onnx_quant_copy (from->codes, NULL, 0) : NULL;
  return value;
}

NnOnnxValue *
nn_onnx_result (NnOnnx            *onnx,
                const char        *name,
                const NnOnnxValue *like)
{
  NnOnnxValue copy = *like, *value;

  copy.order = g_memdup2 (like->order, like->n_order * sizeof (guint));
  copy.codes = NULL;
  copy.constant = NULL;
  copy.quant = NULL;
  value = nn_onnx_new_value (onnx, name);
  copy.name = value->name;
  copy.node = nn_graph_builder_n_nodes (onnx->builder) - 1;
  *value = copy;
  return value;
}

/* The one operator that reads a value which is no output of the network. */
Onnx__NodeProto *
nn_onnx_only_use (NnOnnx     *onnx,
                  const char *name)
{
  GPtrArray *uses = g_hash_table_lookup (onnx->uses, name);

  return uses != NULL && uses->len == 1 && !g_hash_table_contains (onnx->outputs, name) ? uses->pdata[0] : NULL;
}

Onnx__AttributeProto *
nn_onnx_attribute (Onnx__NodeProto *op,
                   const char      *name)
{
  for (gsize i = 0; i < op->n_attribute; i++)
    if (op->attribute[i]->name != NULL && g_str_equal (op->attribute[i]->name, name))
      return op->attribute[i];
  return NULL;
}

gint64
nn_onnx_int (Onnx__NodeProto *op,
             const char      *name,
             gint64           fallback)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);

  return a != NULL && a->has_i ? a->i : fallback;
}

/* The decimal number with the fewest digits that is @value in single precision: what was meant, as 0.3, which a file of a
 * framework that has double precision held before. */
static double
as_told (float value)
{
  for (int digits = 6; digits < 9; digits++)
    {
      char format[8], text[G_ASCII_DTOSTR_BUF_SIZE];
      double d;

      g_snprintf (format, sizeof format, "%%.%dg", digits);
      d = g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, value), NULL);
      if ((float) d == value)
        return d;
    }
  return value;
}

double
nn_onnx_float (Onnx__NodeProto *op,
               const char      *name,
               double           fallback)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);

  return a != NULL && a->has_f ? as_told (a->f) : fallback;
}

/* For as long as the reading lasts. */
const char *
nn_onnx_string (NnOnnx          *onnx,
                Onnx__NodeProto *op,
                const char      *name,
                const char      *fallback)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);
  g_autofree char *text = NULL;

  if (a == NULL || !a->has_s)
    return fallback;
  text = g_strndup ((const char *) a->s.data, a->s.len);
  return g_string_chunk_insert_const (onnx->strings, g_utf8_validate (text, -1, NULL) ? text : "?");
}

const gint64 *
nn_onnx_ints (Onnx__NodeProto *op,
              const char      *name,
              gsize           *n)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);

  *n = a != NULL ? a->n_ints : 0;
  return a != NULL ? a->ints : NULL;
}

/* Places, extents and factors: none of them may be NaN, which every comparison with a bound lets pass. */
static gboolean
all_numbers (const GArray *numbers)
{
  for (guint i = 0; i < numbers->len; i++)
    if (isnan (g_array_index (numbers, double, i)))
      return FALSE;
  return TRUE;
}

gboolean
nn_onnx_numbers (NnOnnx          *onnx,
                 Onnx__NodeProto *op,
                 const char      *name,
                 guint            input,
                 GArray          *numbers,
                 gboolean        *found)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);
  NnOnnxValue *value = nn_onnx_input (onnx, op, input);

  *found = FALSE;
  if (a != NULL)
    {
      *found = TRUE;
      for (gsize i = 0; i < a->n_ints; i++)
        g_array_append_val (numbers, (double){ (double) a->ints[i] });
      for (gsize i = 0; i < a->n_floats; i++)
        g_array_append_val (numbers, (double){ (double) a->floats[i] });
      return all_numbers (numbers);
    }
  if (value == NULL)
    return input >= op->n_input || op->input[input][0] == '\0';
  if (value->constant == NULL || value->constant->n > 4096)
    return FALSE;
  *found = TRUE;
  for (gsize i = 0; i < value->constant->n; i++)
    g_array_append_val (numbers, (double){ nn_tensor_get (value->constant, i) });
  return all_numbers (numbers);
}

/* The layer's own name, where nn_save_onnx() told by a word within it in which layout its value lies. (transfer full) */
static char *
plain_name (const NnOnnx *onnx,
            const char   *name)
{
  static const char *const words[] = { "__first", "__raw" };
  GString *plain = g_string_new (name);

  for (guint i = 0; onnx->own && i < G_N_ELEMENTS (words); i++)
    {
      char *at = g_strrstr (plain->str, words[i]);

      if (at != NULL && at > plain->str && (at[strlen (words[i])] == '\0' || at[strlen (words[i])] == '_'))
        g_string_erase (plain, at - plain->str, (gssize) strlen (words[i]));
    }
  return g_string_free (plain, FALSE);
}

NnNode *
nn_onnx_node (NnOnnx      *onnx,
              NnOp         op,
              const char  *name,
              const char  *class_name,
              const guint *inputs,
              guint        n_inputs)
{
  g_autofree char *plain = plain_name (onnx, name[0] != '\0' ? name : class_name);
  g_autoptr (GString) unique = g_string_new (plain);
  gsize n = unique->len;

  /* names are the file's; what is put in between must not clash with them */
  for (guint k = 1; g_hash_table_contains (onnx->names, unique->str); k++)
    {
      g_string_truncate (unique, n);
      g_string_append_printf (unique, "__%u", k);
    }
  g_hash_table_add (onnx->names, g_strdup (unique->str));
  return nn_graph_builder_add (onnx->builder, op, unique->str, class_name, inputs, n_inputs);
}

gboolean
nn_onnx_finish (NnOnnx  *onnx,
                NnNode  *node,
                GError **error)
{
  return nn_infer_built_shape (onnx->builder, node, error);
}

/* @values: (transfer full) */
void
nn_onnx_weight (NnOnnx     *onnx,
                NnNode     *node,
                NnRole      role,
                const char *name,
                NnTensor   *values)
{
  NnWeight weight = {
    .name = g_string_chunk_insert_const (onnx->strings, name),
    .layer = g_string_chunk_insert_const (onnx->strings, node->name),
    .role = role,
    .trainable = role != NN_ROLE_MEAN && role != NN_ROLE_VARIANCE && role != NN_ROLE_OTHER && role != NN_ROLE_VALUE,
    .values = values,
  };

  nn_graph_builder_add_weight (onnx->builder, node, onnx->weights->len);
  g_array_append_val (onnx->weights, weight);
}

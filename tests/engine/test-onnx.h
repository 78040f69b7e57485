/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX files made by tests, field by field, and what they compute. Source: onnx.proto. */

#pragma once

#include "nn-exec.h"

#include "nn-load-private.h"

#include <glib/gstdio.h>
#include <string.h>

/* A protobuf message, field by field. */
static inline void
put_varint (GByteArray *to,
            guint64     value)
{
  do
    {
      guint8 byte = (guint8) (value & 127) | (value > 127 ? 128 : 0);

      g_byte_array_append (to, &byte, 1);
      value >>= 7;
    }
  while (value > 0);
}

static inline void
put_int (GByteArray *to,
         guint       field,
         guint64     value)
{
  put_varint (to, field << 3);
  put_varint (to, value);
}

static inline void
put_bytes (GByteArray   *to,
           guint         field,
           gconstpointer bytes,
           gsize         n)
{
  put_varint (to, field << 3 | 2);
  put_varint (to, n);
  g_byte_array_append (to, bytes, (guint) n);
}

static inline void
put_text (GByteArray *to,
          guint       field,
          const char *text)
{
  put_bytes (to, field, text, strlen (text));
}

/* (transfer full) @message */
static inline void
put_message (GByteArray *to,
             guint       field,
             GByteArray *message)
{
  put_bytes (to, field, message->data, message->len);
  g_byte_array_unref (message);
}

/* The graph so far, and what goes beside it: functions. */
static GByteArray *graph, *beside;

static inline void
initializer (const char   *name,
             int           type,
             gconstpointer values,
             gsize         bytes,
             gint64        d0,
             gint64        d1)
{
  GByteArray *tensor = g_byte_array_new ();

  if (d0 >= 0)
    put_int (tensor, 1, (guint64) d0);
  if (d1 >= 0)
    put_int (tensor, 1, (guint64) d1);
  put_int (tensor, 2, (guint64) type);
  put_text (tensor, 8, name);
  put_bytes (tensor, 9, values, bytes);
  put_message (graph, 5, tensor);
}

static inline void
number (const char *name,
        float       value)
{
  initializer (name, 1, &value, sizeof value, -1, -1);
}

/* A list as in attribute_of(), its first character the kind; the end is not written. */
static inline void
attribute_list (GByteArray *attribute,
                const char *value)
{
  g_auto (GStrv) list = g_strsplit (value + 1, ";", -1);
  g_autoptr (GArray) reals = g_array_new (FALSE, FALSE, sizeof (double));
  GByteArray *tensor = g_byte_array_new ();

  for (char **item = list; *item != NULL; item++)
    {
      double real = *value == '{' ? 0 : g_ascii_strtod (*item, NULL);
      float single = (float) real;

      g_array_append_val (reals, real);
      if (*value == '[')
        put_int (attribute, 8, (guint64) g_ascii_strtoll (*item, NULL, 10));
      else if (*value == '{')
        put_text (attribute, 9, *item);
      else if (*value == '(')
        {
          put_varint (attribute, 7 << 3 | 5);
          g_byte_array_append (attribute, (const guint8 *) &single, sizeof single);
        }
    }
  put_int (tensor, 1, reals->len);
  put_int (tensor, 2, 11);
  put_bytes (tensor, 9, reals->data, reals->len * sizeof (double));
  if (*value == '<')
    put_message (attribute, 5, tensor);
  else
    g_byte_array_unref (tensor);
  put_int (attribute, 20, *value == '[' ? 7 : *value == '{' ? 8 : *value == '(' ? 6 : 4);
}

/* "name=1" whole, "name=1.5" real, "name=WORD" text, "name=[1;2]" a list of whole numbers, "name=(1.5;2" of reals, "name={A;B" of
 * texts, "name=<1.5;2" a tensor of doubles, "name=@WORD" the attribute of the function that it is in. */
static inline GByteArray *
attribute_of (char *text)
{
  GByteArray *attribute = g_byte_array_new ();
  char *value = strchr (text, '=');
  float real;

  *value++ = '\0';
  put_text (attribute, 1, text);
  if (*value == '@')
    put_text (attribute, 21, value + 1);
  else if (strchr ("[({<", *value) != NULL)
    attribute_list (attribute, value);
  else if (g_ascii_isalpha (*value))
    {
      put_text (attribute, 4, value);
      put_int (attribute, 20, 3);
    }
  else if (strchr (value, '.') != NULL)
    {
      real = (float) g_ascii_strtod (value, NULL);
      put_varint (attribute, 2 << 3 | 5);
      g_byte_array_append (attribute, (const guint8 *) &real, 4);
      put_int (attribute, 20, 1);
    }
  else
    {
      put_int (attribute, 3, (guint64) g_ascii_strtoll (value, NULL, 10));
      put_int (attribute, 20, 2);
    }
  return attribute;
}

/* @inputs: with blanks between, none where empty; @attributes: as above, with blanks between. (transfer full) */
static inline GByteArray *
operator_of (const char *type,
             const char *domain,
             const char *inputs,
             const char *outputs,
             const char *attributes)
{
  GByteArray *op = g_byte_array_new ();
  g_auto (GStrv) names = g_strsplit (inputs, " ", -1), results = g_strsplit (outputs, " ", -1), list = g_strsplit (attributes, " ", -1);

  for (char **name = names; *name != NULL && inputs[0] != '\0'; name++)
    put_text (op, 1, *name);
  for (char **name = results; *name != NULL; name++)
    put_text (op, 2, *name);
  put_text (op, 4, type);
  for (char **a = list; *a != NULL && **a != '\0'; a++)
    put_message (op, 5, attribute_of (*a));
  if (domain != NULL)
    put_text (op, 7, domain);
  return op;
}

static inline void
node (const char *type,
      const char *domain,
      const char *inputs,
      const char *outputs,
      const char *attributes)
{
  put_message (graph, 1, operator_of (type, domain, inputs, outputs, attributes));
}

/* An input or output of (1, n). */
static inline GByteArray *
info (const char *name,
      gint64      n)
{
  GByteArray *value = g_byte_array_new (), *type = g_byte_array_new (), *tensor = g_byte_array_new (), *shape = g_byte_array_new ();
  const gint64 dims[] = { 1, n };

  for (guint i = 0; i < 2; i++)
    {
      GByteArray *d = g_byte_array_new ();

      put_int (d, 1, (guint64) dims[i]);
      put_message (shape, 1, d);
    }
  put_int (tensor, 1, 1);
  put_message (tensor, 2, shape);
  put_message (type, 1, tensor);
  put_text (value, 1, name);
  put_message (value, 2, type);
  return value;
}

static inline void
begin (void)
{
  graph = g_byte_array_new ();
  if (beside != NULL)
    g_byte_array_unref (beside);
  beside = g_byte_array_new ();
}

/* Ends the graph with x (1, n) and y (1, m): the file. (transfer full) */
static inline GBytes *
file_of (guint opset,
         gsize n,
         gsize m)
{
  g_autoptr (GByteArray) model = g_byte_array_new ();
  GByteArray *set = g_byte_array_new ();

  put_message (graph, 11, info ("x", (gint64) n));
  put_message (graph, 12, info ("y", (gint64) m));
  put_int (model, 1, 8);
  put_message (model, 7, graph);
  put_text (set, 1, "");
  put_int (set, 2, opset);
  put_message (model, 8, set);
  g_byte_array_append (model, beside->data, beside->len);
  g_clear_pointer (&beside, g_byte_array_unref);
  return g_bytes_new (model->data, model->len);
}

/* Written as ONNX and read again it answers @want, with the same bits. */
static inline void
check_written (const NnModel  *model,
               NnTensor      **inputs,
               const NnTensor *want)
{
  g_autofree char *folder = g_dir_make_tmp ("espalier-test-XXXXXX", NULL), *path = g_build_filename (folder, "again.onnx", NULL);
  g_autoptr (NnModel) back = NULL;
  g_autoptr (GError) error = NULL;
  NnTensor **outputs;

  g_assert_true (nn_model_save (model, path, &error));
  g_assert_no_error (error);
  back = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  outputs = nn_predict (back, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (outputs[0]->data, outputs[0]->n * nn_dtype_size (outputs[0]->dtype), want->data, want->n * nn_dtype_size (want->dtype));
  nn_tensors_free (outputs);
  g_remove (path);
  g_rmdir (folder);
}

/* Ends the graph, loads the file as @path, computes, compares; writes it, reads that and compares again. */
static inline void
check_at (const char   *path,
          guint         opset,
          const float  *x,
          gsize         n,
          const double *want,
          gsize         m)
{
  g_autoptr (GBytes) bytes = file_of (opset, n, m);
  g_autoptr (NnTensor) input = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, (gint64) n));
  NnTensor *inputs[] = { input, NULL }, **outputs;
  g_autoptr (NnModel) loaded = NULL;
  g_autoptr (GError) error = NULL;
  NnLoadOptions options;

  nn_load_options_init (&options);
  options.strict = TRUE;
  loaded = nn_load_onnx (bytes, path, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  memcpy (input->data, x, n * sizeof (float));
  outputs = nn_predict (loaded, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (outputs[0]->n, ==, m);
  for (gsize i = 0; i < m; i++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_get (outputs[0], i), want[i], 1e-6);
  check_written (loaded, inputs, outputs[0]);
  nn_tensors_free (outputs);
}

static inline void
check (guint         opset,
       const float  *x,
       gsize         n,
       const double *want,
       gsize         m)
{
  check_at ("made.onnx", opset, x, n, want, m);
}

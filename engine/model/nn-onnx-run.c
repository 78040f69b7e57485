/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators that the file does not hold, read in the place of one that is made of them. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

/* A constant of no axes under @name. */
void
nn_onnx_number (NnOnnx     *onnx,
                const char *name,
                double      number)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, &(NnShape){ 0 });

  nn_tensor_f32 (tensor)[0] = (float) number;
  nn_onnx_constant (onnx, name, tensor);
}

/* Reads an operator that the file does not hold; unlike one of the file's, it may not stay without a reader. */
gboolean
nn_onnx_run_op (NnOnnx           *onnx,
                Onnx__NodeProto  *op,
                GError          **error)
{
  NnOnnxReader reader = nn_onnx_find_reader (op->domain, op->op_type);
  gboolean done;

  for (guint i = 0; i < op->n_input; i++)
    if (nn_onnx_input (onnx, op, i) == NULL)
      return nn_load_unsupported (error, "an input is missing");
  if (!nn_onnx_fold (onnx, op, &done, error))
    return FALSE;
  return done || (reader != NULL && reader (onnx, op, error));
}

/**
 * nn_onnx_run:
 * @b: (nullable)
 *
 * Reads the operator @type of one or two values into @output.
 */
gboolean
nn_onnx_run (NnOnnx      *onnx,
             const char  *type,
             const char  *output,
             const char  *a,
             const char  *b,
             GError     **error)
{
  Onnx__NodeProto op;
  char *inputs[] = { (char *) a, (char *) b }, *outputs[] = { (char *) output };

  onnx__node_proto__init (&op);
  op.op_type = (char *) g_intern_string (type);
  op.input = inputs;
  op.n_input = b != NULL ? 2 : 1;
  op.output = outputs;
  op.n_output = 1;
  return nn_onnx_run_op (onnx, &op, error);
}

/* The same of one value along @axes, which stay: "axes" of a reduction, or the one "axis" of a softmax. */
gboolean
nn_onnx_run_along (NnOnnx        *onnx,
                   const char    *type,
                   const char    *output,
                   const char    *a,
                   const gint64  *axes,
                   guint          n_axes,
                   GError       **error)
{
  Onnx__NodeProto op;
  Onnx__AttributeProto list, one, *attributes[] = { &list, &one };
  char *inputs[] = { (char *) a }, *outputs[] = { (char *) output };

  onnx__attribute_proto__init (&list);
  list.name = (char *) "axes";
  list.n_ints = n_axes;
  list.ints = (gint64 *) axes;
  onnx__attribute_proto__init (&one);
  one.name = (char *) "axis";
  one.has_i = TRUE;
  one.i = n_axes > 0 ? axes[0] : -1;
  onnx__node_proto__init (&op);
  op.op_type = (char *) g_intern_string (type);
  op.input = inputs;
  op.n_input = 1;
  op.output = outputs;
  op.n_output = 1;
  op.attribute = attributes;
  op.n_attribute = 2;
  return nn_onnx_run_op (onnx, &op, error);
}

/* A name for what stands in the middle of @op, for as long as the reading lasts. */
const char *
nn_onnx_middle (NnOnnx          *onnx,
                Onnx__NodeProto *op,
                const char      *suffix)
{
  g_autofree char *name = g_strdup_printf ("%s__%s", nn_onnx_out (op, 0), suffix);

  return g_string_chunk_insert_const (onnx->strings, name);
}

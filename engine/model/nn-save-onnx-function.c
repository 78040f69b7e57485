/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a function of an ONNX file is written: its operators, its numbers, and what frames them. Source: ONNX's IR, FunctionProto. */

#include "nn-save-onnx-function.h"

#include "onnx.pb-c.h"

/* A new operator of the function that is being written; its output. @b: (nullable) */
const char *
nn_fn_op (NnOnnxWriter *w,
    const char   *type,
    const char   *a,
    const char   *b)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_op (w, type, output, a, b, NULL);
  return output;
}

/* Numbers within a function, which has no initialisers. @values: (transfer full) */
const char *
nn_fn_numbers (NnOnnxWriter *w,
         NnTensor     *values)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_set_tensor (w, nn_onnx_op (w, "Constant", output, NULL, NULL), "value", values);
  nn_tensor_unref (values);
  return output;
}

const char *
nn_fn_number (NnOnnxWriter *w,
        double        value)
{
  NnTensor *one = nn_tensor_new (NN_DTYPE_F32, &(NnShape){ 0 });

  nn_tensor_f32 (one)[0] = (float) value;
  return nn_fn_numbers (w, one);
}

const char *
nn_fn_whole_numbers (NnOnnxWriter *w,
               const gint64 *values,
               guint         n)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_set_ints (w, nn_onnx_op (w, "Constant", output, NULL, NULL), "value_ints", values, n);
  return output;
}

/* A whole-number attribute of the function's operator as a real. */
const char *
nn_fn_attribute (NnOnnxWriter *w,
           const char   *name)
{
  const char *whole = nn_onnx_text (w, "t%u", w->n_made++), *real = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_refer (w, nn_onnx_op (w, "Constant", whole, NULL, NULL), "value_int", name);
  nn_onnx_set_int (w, nn_onnx_op (w, "Cast", real, whole, NULL), "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
  return real;
}

const char *
nn_fn_clip (NnOnnxWriter *w,
      const char   *x,
      const char   *low,
      const char   *high)
{
  return nn_fn_op (w, "Min", nn_fn_op (w, "Max", x, low), high);
}

const char *
nn_fn_choose (NnOnnxWriter *w,
        const char   *condition,
        const char   *yes,
        const char   *no)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_op (w, "Where", output, condition, yes, no, NULL);
  return output;
}

/* Nodes go into a function between begin and end; the model's own list waits. */
GPtrArray *
nn_fn_begin (NnOnnxWriter *w)
{
  GPtrArray *outside = w->ops;

  w->ops = g_ptr_array_new ();
  return outside;
}

/* @outside: (transfer full): from nn_fn_begin() */
void
nn_fn_end (NnOnnxWriter       *w,
     GPtrArray          *outside,
     const char         *domain,
     const char         *name,
     const char *const  *inputs,
     const char *const  *attributes,
     const char         *result)
{
  static const char output[] = "y";
  Onnx__FunctionProto *function = nn_arena_new0 (w->arena, Onnx__FunctionProto, 1);
  Onnx__OperatorSetIdProto *set = nn_arena_new0 (w->arena, Onnx__OperatorSetIdProto, 1);
  char *result_name = nn_arena_strdup (w->arena, output);

  nn_onnx_op (w, "Identity", result_name, result, NULL);
  onnx__function_proto__init (function);
  onnx__operator_set_id_proto__init (set);
  set->domain = (char *) "";
  set->has_version = TRUE;
  set->version = NN_ONNX_OPSET;
  function->name = (char *) name;
  function->domain = (char *) domain;
  function->n_input = g_strv_length ((char **) inputs);
  function->input = nn_arena_memdup (w->arena, inputs, function->n_input * sizeof (char *));
  function->n_attribute = g_strv_length ((char **) attributes);
  function->attribute = nn_arena_memdup (w->arena, attributes, (function->n_attribute + 1) * sizeof (char *));
  function->n_output = 1;
  function->output = nn_arena_memdup (w->arena, &result_name, sizeof result_name);
  function->n_node = w->ops->len;
  function->node = nn_arena_memdup (w->arena, w->ops->pdata, w->ops->len * sizeof *function->node);
  function->n_opset_import = 1;
  function->opset_import = nn_arena_memdup (w->arena, &set, sizeof set);
  g_ptr_array_add (w->functions, function);
  g_ptr_array_unref (w->ops);
  w->ops = outside;
}

const char *
nn_fn_round (NnOnnxWriter *w,
          NnRounding    rounding,
          const char   *x)
{
  const char *half = nn_fn_number (w, 0.5), *size;

  switch (rounding)
    {
    case NN_ROUND_TRN:
      return nn_fn_op (w, "Floor", x, NULL);
    case NN_ROUND_RND:
      return nn_fn_op (w, "Floor", nn_fn_op (w, "Add", x, half), NULL);
    case NN_ROUND_RND_MIN_INF:
      return nn_fn_op (w, "Ceil", nn_fn_op (w, "Sub", x, half), NULL);
    case NN_ROUND_TRN_ZERO:
    case NN_ROUND_RND_ZERO:
    case NN_ROUND_RND_INF:
      size = nn_fn_op (w, "Abs", x, NULL);
      size = rounding == NN_ROUND_TRN_ZERO  ? nn_fn_op (w, "Floor", size, NULL)
             : rounding == NN_ROUND_RND_INF ? nn_fn_op (w, "Floor", nn_fn_op (w, "Add", size, half), NULL)
                                            : nn_fn_op (w, "Ceil", nn_fn_op (w, "Sub", size, half), NULL);
      return nn_fn_op (w, "Mul", nn_fn_op (w, "Sign", x, NULL), size);
    case NN_ROUND_RND_CONV:
    default:
      return nn_fn_op (w, "Round", x, NULL);
    }
}

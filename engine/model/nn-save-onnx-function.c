/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions that go along in an ONNX file: a runtime that knows neither QONNX's operators nor ours finds there what they are
 * in plain ones. Source: ONNX's IR, FunctionProto; qonnx, Quant and BipolarQuant; the quantisers as nn-quant.c has them. */

#include "nn-save-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Below it a power of two is the smallest. Source: Keras's epsilon, as in nn-quant.c. */
#define KERAS_EPSILON 1e-7

/* A new operator of the function that is being written; its output. @b: (nullable) */
static const char *
op (NnOnnxWriter *w,
    const char   *type,
    const char   *a,
    const char   *b)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_op (w, type, output, a, b, NULL);
  return output;
}

/* Numbers within a function, which has no initialisers. @values: (transfer full) */
static const char *
numbers (NnOnnxWriter *w,
         NnTensor     *values)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_set_tensor (w, nn_onnx_op (w, "Constant", output, NULL, NULL), "value", values);
  nn_tensor_unref (values);
  return output;
}

static const char *
number (NnOnnxWriter *w,
        double        value)
{
  NnTensor *one = nn_tensor_new (NN_DTYPE_F32, &(NnShape){ 0 });

  nn_tensor_f32 (one)[0] = (float) value;
  return numbers (w, one);
}

static const char *
clip (NnOnnxWriter *w,
      const char   *x,
      const char   *low,
      const char   *high)
{
  return op (w, "Min", op (w, "Max", x, low), high);
}

static const char *
choose (NnOnnxWriter *w,
        const char   *condition,
        const char   *yes,
        const char   *no)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_op (w, "Where", output, condition, yes, no, NULL);
  return output;
}

/* Nodes go into a function between begin and end; the model's own list waits. */
static GPtrArray *
begin (NnOnnxWriter *w)
{
  GPtrArray *outside = w->ops;

  w->ops = g_ptr_array_new ();
  return outside;
}

/* @outside: (transfer full): from begin() */
static void
end (NnOnnxWriter       *w,
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

static const char *
round_to (NnOnnxWriter *w,
          NnRounding    rounding,
          const char   *x)
{
  const char *half = number (w, 0.5), *size;

  switch (rounding)
    {
    case NN_ROUND_TRN:
      return op (w, "Floor", x, NULL);
    case NN_ROUND_RND:
      return op (w, "Floor", op (w, "Add", x, half), NULL);
    case NN_ROUND_RND_MIN_INF:
      return op (w, "Ceil", op (w, "Sub", x, half), NULL);
    case NN_ROUND_TRN_ZERO:
    case NN_ROUND_RND_ZERO:
    case NN_ROUND_RND_INF:
      size = op (w, "Abs", x, NULL);
      size = rounding == NN_ROUND_TRN_ZERO  ? op (w, "Floor", size, NULL)
             : rounding == NN_ROUND_RND_INF ? op (w, "Floor", op (w, "Add", size, half), NULL)
                                            : op (w, "Ceil", op (w, "Sub", size, half), NULL);
      return op (w, "Mul", op (w, "Sign", x, NULL), size);
    case NN_ROUND_RND_CONV:
    default:
      return op (w, "Round", x, NULL);
    }
}

/* Steps, and lowest and highest multiples of them, of one type or of one for each element. */
typedef struct {
  const char *step;
  const char *low;
  const char *high;
  const char *count;
} Grid;

static Grid
make_grid (NnOnnxWriter  *w,
           const NnType  *types,
           const NnShape *shape)
{
  NnTensor *all[4];
  Grid grid;

  for (guint i = 0; i < 4; i++)
    all[i] = nn_tensor_new (NN_DTYPE_F32, shape);
  for (gsize k = 0; k < all[0]->n; k++)
    {
      gint64 low = 0, high = 0;
      gboolean none = types[k].width < 1;

      if (!none)
        nn_type_raw_range (&types[k], &low, &high);
      nn_tensor_f32 (all[0])[k] = none ? 1 : (float) nn_type_lsb (&types[k]);
      nn_tensor_f32 (all[3])[k] = (float) ((double) high - (double) low + 1);
      if (types[k].overflow == NN_OVERFLOW_SAT_SYM && types[k].is_signed)
        low = -high;
      nn_tensor_f32 (all[1])[k] = (float) low;
      nn_tensor_f32 (all[2])[k] = (float) high;
    }
  grid.step = numbers (w, all[0]);
  grid.low = numbers (w, all[1]);
  grid.high = numbers (w, all[2]);
  grid.count = numbers (w, all[3]);
  return grid;
}

static const char *
to_grid (NnOnnxWriter *w,
         const Grid   *grid,
         NnRounding    rounding,
         NnOverflow    overflow,
         const char   *x)
{
  const char *r = round_to (w, rounding, op (w, "Div", x, grid->step)), *turns, *inside;

  if (overflow == NN_OVERFLOW_WRAP)
    {
      turns = op (w, "Floor", op (w, "Div", op (w, "Sub", r, grid->low), grid->count), NULL);
      r = op (w, "Sub", r, op (w, "Mul", turns, grid->count));
    }
  else
    {
      inside = clip (w, r, grid->low, grid->high);
      r = overflow == NN_OVERFLOW_SAT_ZERO ? choose (w, op (w, "Equal", r, inside), r, number (w, 0)) : inside;
    }
  return op (w, "Mul", r, grid->step);
}

static const char *
to_type (NnOnnxWriter *w,
         const NnType *type,
         const char   *x)
{
  Grid grid;

  if (type->kind != NN_TYPE_FIXED)
    return x;
  grid = make_grid (w, type, &(NnShape){ 0 });
  return to_grid (w, &grid, type->rounding, type->overflow, x);
}

/* quantized_relu */
static const char *
relu (NnOnnxWriter      *w,
      const NnQuantizer *q,
      const char        *x)
{
  double top = ldexp (1, q->type.integer - (q->type.is_signed ? 1 : 0));
  const char *zero = number (w, 0), *one = number (w, 1), *half = number (w, 0.5), *scale = number (w, top);
  NnType finer = q->type;

  if (q->use_sigmoid)
    {
      finer.width += 1;
      x = clip (w, op (w, "Add", op (w, "Mul", x, number (w, 0.5 / top)), half), zero, one);
      x = op (w, "Sub", op (w, "Mul", to_type (w, &finer, x), number (w, 2)), one);
      return clip (w, op (w, "Mul", x, scale), zero, number (w, nn_type_max (&q->type)));
    }
  x = choose (w, op (w, "Greater", x, zero), x, op (w, "Mul", x, number (w, q->negative_slope)));
  if (q->max_value > 0)
    x = op (w, "Min", x, number (w, q->max_value));
  return x;
}

/* The hard or the true curve of quantized_tanh and quantized_sigmoid. */
static const char *
curve (NnOnnxWriter      *w,
       const NnQuantizer *q,
       const char        *x)
{
  gboolean is_tanh = q->kind == NN_QUANT_TANH;
  const char *half;

  if (q->use_real_function)
    return op (w, is_tanh ? "Tanh" : "Sigmoid", x, NULL);
  half = number (w, 0.5);
  if (!is_tanh)
    x = op (w, "Add", op (w, "Mul", x, half), half);
  return clip (w, x, number (w, is_tanh ? -1 : 0), number (w, 1));
}

static const char *
ulaw (NnOnnxWriter      *w,
      const NnQuantizer *q,
      const char        *x)
{
  double mu = q->threshold > 0 ? q->threshold : 255;
  const char *one = number (w, 1), *size = op (w, "Min", op (w, "Abs", x, NULL), one);

  size = op (w, "Log", op (w, "Add", op (w, "Mul", size, number (w, mu)), one), NULL);
  return op (w, "Mul", op (w, "Sign", x, NULL), op (w, "Div", size, number (w, log1p (mu))));
}

static const char *
power (NnOnnxWriter      *w,
       const NnQuantizer *q,
       const char        *x)
{
  gboolean is_relu = q->kind == NN_QUANT_POWER_RELU, needs_sign = q->max_value <= 0 || q->max_value > 1;
  int bits = MAX (q->type.width - (is_relu ? 0 : 1) - (needs_sign ? 1 : 0), 0);
  const char *zero = number (w, 0), *one = number (w, 1), *low = number (w, -exp2 (bits));
  double highest = needs_sign ? exp2 (bits) - 1 : 0, step = q->quadratic ? 2 : 1;
  const char *high = number (w, q->quadratic ? 2 * floor (highest / 2) : highest), *epsilon = number (w, KERAS_EPSILON);
  const char *size = op (w, "Abs", x, NULL), *exponent, *result;

  if (is_relu)
    size = q->negative_slope > 0 ? op (w, "Max", x, op (w, "Mul", x, number (w, -q->negative_slope))) : op (w, "Max", x, zero);
  if (q->max_value > 0)
    size = op (w, "Min", size, number (w, q->max_value));
  exponent = op (w, "Div", op (w, "Log", op (w, "Max", size, epsilon), NULL), number (w, step * M_LN2));
  exponent = clip (w, op (w, "Round", exponent, NULL), low, high);
  if (q->quadratic)
    exponent = op (w, "Mul", exponent, number (w, step));
  exponent = choose (w, op (w, "Less", size, epsilon), low, exponent);
  result = op (w, "Pow", number (w, 2), exponent);
  if (is_relu && q->negative_slope == 0)
    return result;
  return op (w, "Mul", result, choose (w, op (w, "Less", x, zero), number (w, -1), one));
}

static const char *
signs (NnOnnxWriter      *w,
       const NnQuantizer *q,
       const char        *x)
{
  gboolean two = q->type.kind == NN_TYPE_BINARY || q->type.is_signed;
  const char *zero = number (w, 0);

  if (q->kind == NN_QUANT_BINARY)
    return choose (w, op (w, "Less", x, zero), number (w, two ? -1 : 0), number (w, 1));
  if (q->threshold <= 0)
    return op (w, "Sign", x, NULL);
  return choose (w, op (w, "Less", op (w, "Abs", x, NULL), number (w, q->threshold)), zero, op (w, "Sign", x, NULL));
}

/* @shape: of the tensor that is quantised, its last axes those of the types */
static const char *
quantized (NnOnnxWriter      *w,
           const NnQuantizer *q,
           const NnShape     *shape,
           const char        *x)
{
  NnShape part = { 0 };
  gsize n = 1;
  Grid grid;

  switch (q->kind)
    {
    case NN_QUANT_RELU:
      x = relu (w, q, x);
      if (q->use_sigmoid)
        return x;
      break;
    case NN_QUANT_TANH:
    case NN_QUANT_SIGMOID:
      x = curve (w, q, x);
      break;
    case NN_QUANT_ULAW:
      x = ulaw (w, q, x);
      break;
    case NN_QUANT_BINARY:
    case NN_QUANT_TERNARY:
      return signs (w, q, x);
    case NN_QUANT_POWER:
    case NN_QUANT_POWER_RELU:
      return power (w, q, x);
    case NN_QUANT_FIXED:
      break;
    case NN_QUANT_NONE:
    default:
      return x;
    }
  if (q->n_elements == 0)
    return to_type (w, &q->type, x);
  while (n < q->n_elements && part.rank < shape->rank)
    {
      memmove (part.dims + 1, part.dims, part.rank * sizeof part.dims[0]);
      part.dims[0] = shape->dims[shape->rank - 1 - part.rank];
      n *= (gsize) part.dims[0];
      part.rank++;
    }
  grid = make_grid (w, q->per_element, &part);
  return to_grid (w, &grid, q->per_element[0].rounding, q->per_element[0].overflow, x);
}

/* Whether the types of a quantiser differ in nothing but their places of the point and signs, and fill axes of @shape. */
static gboolean
is_uniform (const NnQuantizer *q,
            const NnShape     *shape)
{
  gsize n = 1;

  if (q->type.overflow == NN_OVERFLOW_WRAP && q->type.sat_bits > 0)
    return FALSE;
  for (guint i = 1; i < q->n_elements; i++)
    if (q->per_element[i].rounding != q->per_element[0].rounding || q->per_element[i].overflow != q->per_element[0].overflow)
      return FALSE;
  for (guint i = shape->rank; n < q->n_elements && i > 0; i--)
    n *= (gsize) MAX (shape->dims[i - 1], 0);
  return q->n_elements == 0 || n == q->n_elements;
}

/**
 * nn_onnx_put_own_quant:
 * @shape: of the sample, or of the weight
 * @last: whether channels are the last axis of @input, as they are in @shape
 *
 * A quantiser of an activation in an operator of our own domain, with the function that says what it computes.
 *
 * Returns: (nullable): @output; %NULL where the scale depends on the data, or types do not go by the last axes
 */
const char *
nn_onnx_put_own_quant (NnOnnxWriter      *w,
                       const NnQuantizer *q,
                       const NnShape     *shape,
                       const char        *input,
                       const char        *output)
{
  static const char *const inputs[] = { "x", NULL }, *const attributes[] = { "quantizer", NULL };
  const char *name = nn_onnx_text (w, "Quantizer_%u", w->functions->len), *x = "x", *alpha = NULL;
  g_autofree char *text = nn_quantizer_to_json (q);
  GPtrArray *outside;
  Onnx__NodeProto *node;

  if (q->alpha_mode >= NN_ALPHA_AUTO || !is_uniform (q, shape) || (q->n_alpha > 1 && q->n_alpha != (guint) nn_shape_last (shape)))
    return NULL;
  outside = begin (w);
  if (q->alpha_mode == NN_ALPHA_FIXED)
    {
      NnTensor *scale = nn_tensor_new (NN_DTYPE_F32, q->n_alpha == 1 ? &(NnShape){ 0 } : &NN_SHAPE (q->n_alpha));

      memcpy (scale->data, q->alpha, q->n_alpha * sizeof (float));
      alpha = numbers (w, scale);
    }
  if (q->alpha_divides)
    {
      const char *zero = number (w, q->zero_point);

      x = alpha != NULL ? op (w, "Div", x, alpha) : x;
      x = op (w, "Add", q->rounds_first ? round_to (w, q->type.rounding, x) : x, zero);
      x = op (w, "Sub", quantized (w, q, shape, x), zero);
    }
  else
    x = quantized (w, q, shape, x);
  end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, attributes, alpha != NULL ? op (w, "Mul", x, alpha) : x);
  node = nn_onnx_op (w, name, output, input, NULL);
  node->domain = (char *) NN_ONNX_OWN_DOMAIN;
  nn_onnx_set_text (w, node, "quantizer", text);
  return output;
}

/**
 * nn_onnx_put_frozen:
 * @values: of the weight, as trained
 * @used: what the quantiser makes of them
 *
 * A weight that is used as its quantiser leaves it, with the trained values beside: a runtime takes the former, we both.
 */
void
nn_onnx_put_frozen (NnOnnxWriter      *w,
                    const NnQuantizer *q,
                    NnTensor          *values,
                    NnTensor          *used,
                    const char        *output)
{
  static const char *const inputs[] = { "x", "quantized", NULL }, *const attributes[] = { "quantizer", NULL };
  static const char name[] = "QuantizedWeight";
  const char *trained = nn_onnx_put (w, nn_onnx_text (w, "%s__float", output), values);
  const char *taken = nn_onnx_put (w, nn_onnx_text (w, "%s__quantized", output), used);
  g_autofree char *text = nn_quantizer_to_json (q);
  Onnx__NodeProto *node = nn_onnx_op (w, name, output, trained, taken, NULL);

  node->domain = (char *) NN_ONNX_OWN_DOMAIN;
  nn_onnx_set_text (w, node, "quantizer", text);
  if (!w->frozen_function)
    {
      GPtrArray *outside = begin (w);

      end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, attributes, "quantized");
    }
  w->frozen_function = TRUE;
}

/* 0.5 x (1 + tanh (sqrt (2 / pi) (x + 0.044715 x^3))). Source: Hendrycks and Gimpel 2016. */
static const char *
gelu_tanh (NnOnnxWriter *w)
{
  const char *cube = op (w, "Mul", op (w, "Mul", op (w, "Mul", "x", "x"), "x"), number (w, 0.044715));
  const char *bent = op (w, "Tanh", op (w, "Mul", op (w, "Add", "x", cube), number (w, sqrt (2 / G_PI))), NULL);

  return op (w, "Mul", op (w, "Mul", "x", number (w, 0.5)), op (w, "Add", bent, number (w, 1)));
}

/* Activations that ONNX has no operator for in this operator set: signs, as BinaryNet for Keras has them, where 0 goes to -1; or
 * rounded after clipping; GELU by tanh. */
void
nn_onnx_put_own_activation (NnOnnxWriter *w,
                            NnAct         act,
                            const char   *input,
                            const char   *output)
{
  static const char *const inputs[] = { "x", NULL }, *const none[] = { NULL };
  const char *name = act == NN_ACT_BINARY_TANH ? "BinaryTanh" : act == NN_ACT_TERNARY_TANH ? "TernaryTanh" : "GeluTanh";
  gboolean *known = act == NN_ACT_BINARY_TANH    ? &w->binary_function
                    : act == NN_ACT_TERNARY_TANH ? &w->ternary_function
                                                 : &w->gelu_function;

  if (!*known)
    {
      GPtrArray *outside = begin (w);
      const char *result = act == NN_ACT_BINARY_TANH ? choose (w, op (w, "Greater", "x", number (w, 0)), number (w, 1), number (w, -1))
                           : act == NN_ACT_TERNARY_TANH
                             ? op (w, "Round", clip (w, "x", number (w, -1), number (w, 1)), NULL)
                             : gelu_tanh (w);

      end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, none, result);
    }
  *known = TRUE;
  nn_onnx_op (w, name, output, input, NULL)->domain = (char *) NN_ONNX_OWN_DOMAIN;
}

/* A whole-number attribute of the function's operator as a real. */
static const char *
attribute (NnOnnxWriter *w,
           const char   *name)
{
  const char *whole = nn_onnx_text (w, "t%u", w->n_made++), *real = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_refer (w, nn_onnx_op (w, "Constant", whole, NULL, NULL), "value_int", name);
  nn_onnx_set_int (w, nn_onnx_op (w, "Cast", real, whole, NULL), "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
  return real;
}

/* QONNX's BipolarQuant, and its Quant for the one rounding that this file uses it with. */
void
nn_onnx_put_qonnx_function (NnOnnxWriter *w,
                            gboolean      bipolar,
                            NnRounding    rounding)
{
  static const char *const quant_inputs[] = { "x", "scale", "zero", "bits", NULL }, *const bipolar_inputs[] = { "x", "scale", NULL };
  static const char *const quant_attributes[] = { "signed", "narrow", "rounding_mode", NULL }, *const none[] = { NULL };
  GPtrArray *outside = begin (w);
  const char *is_signed, *narrow, *top, *low, *r;

  if (bipolar)
    {
      r = choose (w, op (w, "Less", "x", number (w, 0)), number (w, -1), number (w, 1));
      end (w, outside, NN_ONNX_QONNX_DOMAIN, "BipolarQuant", bipolar_inputs, none, op (w, "Mul", r, "scale"));
      return;
    }
  is_signed = attribute (w, "signed");
  narrow = attribute (w, "narrow");
  top = op (w, "Pow", number (w, 2), op (w, "Sub", "bits", is_signed));
  low = op (w, "Mul", is_signed, op (w, "Sub", narrow, top));
  r = round_to (w, rounding, op (w, "Add", op (w, "Div", "x", "scale"), "zero"));
  r = clip (w, r, low, op (w, "Sub", top, number (w, 1)));
  end (w, outside, NN_ONNX_QONNX_DOMAIN, "Quant", quant_inputs, quant_attributes,
       op (w, "Mul", op (w, "Sub", r, "zero"), "scale"));
}

/* a * b + c by the last axis */
static const char *
affine (NnOnnxWriter *w,
        const char   *x,
        const char   *kernel,
        const char   *bias)
{
  return op (w, "Add", op (w, "MatMul", x, kernel), bias);
}

static const char *
whole_numbers (NnOnnxWriter *w,
               const gint64 *values,
               guint         n)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_set_ints (w, nn_onnx_op (w, "Constant", output, NULL, NULL), "value_ints", values, n);
  return output;
}

static const char *
with_axis (NnOnnxWriter *w,
           const char   *x,
           gint64        axis)
{
  return op (w, "Unsqueeze", x, whole_numbers (w, &axis, 1));
}

/* Over the vertices, the second axis: "Sum" or "Max". */
static const char *
over_vertices (NnOnnxWriter *w,
               gboolean      max,
               const char   *x)
{
  const gint64 axis = 1;
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);
  Onnx__NodeProto *node;

  if (max)
    {
      node = nn_onnx_op (w, "ReduceMax", output, x, NULL);
      nn_onnx_set_ints (w, node, "axes", &axis, 1);
    }
  else
    node = nn_onnx_op (w, "ReduceSum", output, x, whole_numbers (w, &axis, 1), NULL);
  nn_onnx_set_int (w, node, "keepdims", 0);
  return output;
}

static const char *
beside (NnOnnxWriter *w,
        const char   *a,
        const char   *b)
{
  const char *output = nn_onnx_text (w, "t%u", w->n_made++);

  nn_onnx_set_int (w, nn_onnx_op (w, "Concat", output, a, b, NULL), "axis", 2);
  return output;
}

/**
 * nn_onnx_put_garnet_function:
 * @act: an operator without parameters, or %NULL
 *
 * The function of one GarNet layer of @n_vertices, its inputs data, number of vertices, and the kernels and biases of features,
 * distances and output. Source: hls4ml contrib/garnet.py, as nn_step_garnet() computes it.
 */
void
nn_onnx_put_garnet_function (NnOnnxWriter   *w,
                             const char     *name,
                             const NnGarnet *g,
                             gint64          n_vertices,
                             const char     *act)
{
  static const char *const inputs[] = { "x", "n", "k0", "b0", "k1", "b1", "k2", "b2", NULL };
  static const char *const attributes[] = { "n_aggregators", "n_filters", "n_propagate", "simplified", "mean_by_nvert", "collapse",
                                            "activation", NULL };
  GPtrArray *outside = begin (w);
  NnTensor *places = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, n_vertices));
  const gint64 flat[] = { 0, n_vertices, g->n_aggregators * (g->simplified ? g->n_propagate : 2 * (g->n_propagate + g->n_aggregators)) };
  const char *mask = nn_onnx_text (w, "t%u", w->n_made++), *count, *features, *near, *all, *sums, *row, *y;

  for (gsize i = 0; i < places->n; i++)
    nn_tensor_f32 (places)[i] = (float) i;
  nn_onnx_set_int (w, nn_onnx_op (w, "Cast", mask, op (w, "Less", numbers (w, places), "n"), NULL), "to",
                   ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
  mask = with_axis (w, mask, 2);
  count = g->mean_by_nvert ? with_axis (w, "n", 2) : number (w, (double) n_vertices);
  features = affine (w, "x", "k0", "b0");
  near = affine (w, "x", "k1", "b1");
  near = op (w, "Mul", mask, op (w, "Exp", op (w, "Neg", op (w, "Mul", near, near), NULL), NULL));
  if (!g->simplified)
    features = beside (w, op (w, "Mul", features, mask), near);
  all = op (w, "Mul", with_axis (w, near, 3), with_axis (w, features, 2));
  sums = op (w, "Div", over_vertices (w, FALSE, all), count);
  if (!g->simplified)
    sums = beside (w, over_vertices (w, TRUE, all), sums);
  row = op (w, "Reshape", op (w, "Mul", with_axis (w, near, 3), with_axis (w, sums, 1)), whole_numbers (w, flat, 3));
  if (!g->simplified)
    row = beside (w, beside (w, "x", row), near);
  y = affine (w, row, "k2", "b2");
  y = op (w, "Mul", act != NULL ? op (w, act, y, NULL) : y, mask);
  if (g->collapse != NN_COLLAPSE_NONE)
    y = over_vertices (w, g->collapse == NN_COLLAPSE_MAX, y);
  if (g->collapse == NN_COLLAPSE_MEAN)
    y = op (w, "Div", y, g->mean_by_nvert ? "n" : count);
  end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, attributes, y);
}

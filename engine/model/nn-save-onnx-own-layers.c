/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations and layers as functions of an ONNX file, which has no operator for them. */

#include "nn-save-onnx-function.h"

#include "onnx.pb-c.h"

#include <math.h>

/* 0.5 x (1 + tanh (sqrt (2 / pi) (x + 0.044715 x^3))). Source: Hendrycks and Gimpel 2016. */
static const char *
gelu_tanh (NnOnnxWriter *w)
{
  const char *cube = nn_fn_op (w, "Mul", nn_fn_op (w, "Mul", nn_fn_op (w, "Mul", "x", "x"), "x"), nn_fn_number (w, 0.044715));
  const char *bent = nn_fn_op (w, "Tanh", nn_fn_op (w, "Mul", nn_fn_op (w, "Add", "x", cube), nn_fn_number (w, sqrt (2 / G_PI))), NULL);

  return nn_fn_op (w, "Mul", nn_fn_op (w, "Mul", "x", nn_fn_number (w, 0.5)), nn_fn_op (w, "Add", bent, nn_fn_number (w, 1)));
}

/* Of the function's input "x". */
static const char *
own_activation (NnOnnxWriter *w,
                NnAct         act)
{
  const char *one, *minus_one;

  if (act != NN_ACT_BINARY_TANH && act != NN_ACT_TERNARY_TANH)
    return gelu_tanh (w);
  one = nn_fn_number (w, 1);
  minus_one = nn_fn_number (w, -1);
  if (act == NN_ACT_TERNARY_TANH)
    return nn_fn_op (w, "Round", nn_fn_clip (w, "x", minus_one, one), NULL);
  return nn_fn_choose (w, nn_fn_op (w, "Greater", "x", nn_fn_number (w, 0)), one, minus_one);
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
      GPtrArray *outside = nn_fn_begin (w);

      nn_fn_end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, none, own_activation (w, act));
    }
  *known = TRUE;
  nn_onnx_op (w, name, output, input, NULL)->domain = (char *) NN_ONNX_OWN_DOMAIN;
}

/* a * b + c by the last axis */
static const char *
affine (NnOnnxWriter *w,
        const char   *x,
        const char   *kernel,
        const char   *bias)
{
  return nn_fn_op (w, "Add", nn_fn_op (w, "MatMul", x, kernel), bias);
}

static const char *
with_axis (NnOnnxWriter *w,
           const char   *x,
           gint64        axis)
{
  return nn_fn_op (w, "Unsqueeze", x, nn_fn_whole_numbers (w, &axis, 1));
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
    node = nn_onnx_op (w, "ReduceSum", output, x, nn_fn_whole_numbers (w, &axis, 1), NULL);
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
  GPtrArray *outside = nn_fn_begin (w);
  NnTensor *places = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, n_vertices));
  const gint64 flat[] = { 0, n_vertices, g->n_aggregators * (g->simplified ? g->n_propagate : 2 * (g->n_propagate + g->n_aggregators)) };
  const char *mask = nn_onnx_text (w, "t%u", w->n_made++), *count, *features, *near, *all, *sums, *row, *y;

  for (gsize i = 0; i < places->n; i++)
    nn_tensor_f32 (places)[i] = (float) i;
  nn_onnx_set_int (w, nn_onnx_op (w, "Cast", mask, nn_fn_op (w, "Less", nn_fn_numbers (w, places), "n"), NULL), "to",
                   ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
  mask = with_axis (w, mask, 2);
  count = g->mean_by_nvert ? with_axis (w, "n", 2) : nn_fn_number (w, (double) n_vertices);
  features = affine (w, "x", "k0", "b0");
  near = affine (w, "x", "k1", "b1");
  near = nn_fn_op (w, "Mul", mask, nn_fn_op (w, "Exp", nn_fn_op (w, "Neg", nn_fn_op (w, "Mul", near, near), NULL), NULL));
  if (!g->simplified)
    features = beside (w, nn_fn_op (w, "Mul", features, mask), near);
  all = nn_fn_op (w, "Mul", with_axis (w, near, 3), with_axis (w, features, 2));
  sums = nn_fn_op (w, "Div", over_vertices (w, FALSE, all), count);
  if (!g->simplified)
    sums = beside (w, over_vertices (w, TRUE, all), sums);
  row = nn_fn_op (w, "Reshape", nn_fn_op (w, "Mul", with_axis (w, near, 3), with_axis (w, sums, 1)), nn_fn_whole_numbers (w, flat, 3));
  if (!g->simplified)
    row = beside (w, beside (w, "x", row), near);
  y = affine (w, row, "k2", "b2");
  y = nn_fn_op (w, "Mul", act != NULL ? nn_fn_op (w, act, y, NULL) : y, mask);
  if (g->collapse != NN_COLLAPSE_NONE)
    y = over_vertices (w, g->collapse == NN_COLLAPSE_MAX, y);
  if (g->collapse == NN_COLLAPSE_MEAN)
    y = nn_fn_op (w, "Div", y, g->mean_by_nvert ? "n" : count);
  nn_fn_end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, attributes, y);
}

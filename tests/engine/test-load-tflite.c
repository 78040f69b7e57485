/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite's operators in files made here: each computes what its definition says, in real numbers and in integers. */

#include "nn-error.h"
#include "nn-exec.h"

#include "nn-load-private.h"
#include "test-shared.h"

#include <math.h>
#include <string.h>

#define SLOT 8        /* bytes kept for each field of a table */
#define MAX_TENSORS 32
#define MAX_OPS 16

/* BuiltinOperator and TensorType of the schema. */
enum { ADD = 0, AVERAGE_POOL = 1, CONCATENATION = 2, CONV = 3, DEPTHWISE = 4, DEQUANTIZE = 6, DENSE = 9, LRN = 13, MAX_POOL = 17, MUL = 18,
       RELU6 = 21, RESHAPE = 22, RESIZE_BILINEAR = 23, SOFTMAX = 25, PAD = 34, TRANSPOSE = 39, MEAN = 40, SUB = 41, STRIDED_SLICE = 45, PRELU = 54,
       SLICE = 65, TRANSPOSE_CONV = 67, NEAREST = 97, LEAKY_RELU = 98, QUANTIZE = 114, HARD_SWISH = 117, GELU = 150 };
enum { F32 = 0, F16 = 1, I32 = 2, I8 = 9 };

/* A FlatBuffer, written front to back: a field is linked when what it leads to is about to be written. */
static void
put (GByteArray *b,
     guint       at,
     guint64     value,
     guint       size)
{
  for (guint i = 0; i < size; i++)
    b->data[at + i] = (guint8) (value >> 8 * i);
}

static guint
room (GByteArray *b,
      guint       n)
{
  guint at = b->len;

  g_byte_array_set_size (b, at + n);
  memset (b->data + at, 0, n);
  return at;
}

static guint
table (GByteArray *b,
       guint       n_fields)
{
  guint vtable = room (b, 4 + 2 * n_fields), at = room (b, 4 + SLOT * n_fields);

  put (b, vtable, 4 + 2 * n_fields, 2);
  put (b, vtable + 2, 4 + SLOT * n_fields, 2);
  put (b, at, at - vtable, 4);
  return at;
}

/* The place of a field's value, which the table has from now on. */
static guint
slot (GByteArray *b,
      guint       at,
      guint       field)
{
  guint back = b->data[at] | b->data[at + 1] << 8, vtable = at - back;

  put (b, vtable + 4 + 2 * field, 4 + SLOT * field, 2);
  return at + 4 + SLOT * field;
}

static void
set_int (GByteArray *b,
         guint       at,
         guint       field,
         gint64      value)
{
  put (b, slot (b, at, field), (guint64) value, SLOT);
}

static void
set_float (GByteArray *b,
           guint       at,
           guint       field,
           float       value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  set_int (b, at, field, bits);
}

static void
lead (GByteArray *b,
      guint       from,
      guint       to)
{
  put (b, from, to - from, 4);
}

static guint
vector (GByteArray    *b,
        guint          at,
        guint          field,
        guint          n,
        guint          size,
        gconstpointer  values)
{
  guint from = slot (b, at, field), to = room (b, 4 + n * size);

  lead (b, from, to);
  put (b, to, n, 4);
  if (values != NULL)
    memcpy (b->data + to + 4, values, n * size);
  return to + 4;
}

/* A network in the making. */
typedef struct {
  const char *name;
  int         type;
  gint32      dims[4];
  guint       rank;
  gsize       n_bytes;
  gconstpointer data;
  float       scale[4];
  guint       n_scales;
  gint64      zero;
  int         axis;
} Tensor;

typedef struct {
  int    code;
  gint32 inputs[4];
  guint  n_inputs;
  gint32 output;
  gint64 options[8]; /* all but floats: by field, 0 left out */
  float  number;     /* the first option, where it is a real one */
} Op;

typedef struct {
  Tensor tensors[MAX_TENSORS];
  guint  n_tensors;
  Op     ops[MAX_OPS];
  guint  n_ops;
} Net;

static GBytes *
write_net (const Net *net)
{
  GByteArray *b = g_byte_array_new ();
  gint32 in = 0, out = net->ops[net->n_ops - 1].output;
  guint model, graph, codes, graphs, buffers, tensors, ops;

  room (b, 8);
  memcpy (b->data + 4, "TFL3", 4);
  model = table (b, 5);
  lead (b, 0, model);
  set_int (b, model, 0, 3);
  codes = vector (b, model, 1, net->n_ops, 4, NULL);
  graphs = vector (b, model, 2, 1, 4, NULL);
  buffers = vector (b, model, 4, net->n_tensors + 1, 4, NULL);
  for (guint i = 0; i < net->n_ops; i++)
    {
      guint code = table (b, 4);

      lead (b, codes + 4 * i, code);
      set_int (b, code, 0, MIN (net->ops[i].code, 127));
      set_int (b, code, 3, net->ops[i].code);
    }
  for (guint i = 0; i <= net->n_tensors; i++)
    {
      guint buffer = table (b, 1);

      lead (b, buffers + 4 * i, buffer);
      if (i > 0 && net->tensors[i - 1].data != NULL)
        vector (b, buffer, 0, (guint) net->tensors[i - 1].n_bytes, 1, net->tensors[i - 1].data);
    }
  graph = table (b, 5);
  lead (b, graphs, graph);
  tensors = vector (b, graph, 0, net->n_tensors, 4, NULL);
  vector (b, graph, 1, 1, 4, &in);
  vector (b, graph, 2, 1, 4, &out);
  ops = vector (b, graph, 3, net->n_ops, 4, NULL);
  for (guint i = 0; i < net->n_tensors; i++)
    {
      const Tensor *t = &net->tensors[i];
      guint at = table (b, 5);

      lead (b, tensors + 4 * i, at);
      set_int (b, at, 1, t->type);
      set_int (b, at, 2, i + 1);
      vector (b, at, 0, t->rank, 4, t->dims);
      vector (b, at, 3, (guint) strlen (t->name), 1, t->name);
      if (t->n_scales > 0)
        {
          guint quantization = 0;
          gint64 zeros[4] = { t->zero, t->zero, t->zero, t->zero };

          lead (b, slot (b, at, 4), b->len + 4 + 2 * 7);
          quantization = table (b, 7);
          vector (b, quantization, 2, t->n_scales, sizeof (float), t->scale);
          vector (b, quantization, 3, t->n_scales, sizeof (gint64), zeros);
          set_int (b, quantization, 6, t->axis);
        }
    }
  for (guint i = 0; i < net->n_ops; i++)
    {
      const Op *op = &net->ops[i];
      guint at = table (b, 5), options;

      lead (b, ops + 4 * i, at);
      set_int (b, at, 0, i);
      vector (b, at, 1, op->n_inputs, 4, op->inputs);
      vector (b, at, 2, 1, 4, &op->output);
      lead (b, slot (b, at, 4), b->len + 4 + 2 * 8);
      options = table (b, 8);
      for (guint k = 0; k < 8; k++)
        if (op->options[k] != 0)
          set_int (b, options, k, op->options[k]);
      if (op->number != 0)
        set_float (b, options, 0, op->number);
    }
  return g_byte_array_free_to_bytes (b);
}

static NnModel *
read_net (const Net  *net,
          GError    **error)
{
  g_autoptr (GBytes) bytes = write_net (net);
  NnLoadOptions options;

  nn_load_options_init (&options);
  return nn_load_tflite (bytes, "net.tflite", &options, NULL, NULL, error);
}

/* (transfer full) */
static NnTensor *
run (const Net    *net,
     const double *values,
     gsize         n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = read_net (net, &error);
  NnShape shape = { .rank = net->tensors[0].rank };
  NnTensor *input, *result, **outputs;

  g_assert_no_error (error);
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = net->tensors[0].dims[i];
  input = nn_tensor_new (NN_DTYPE_F64, &shape);
  g_assert_cmpuint (input->n, ==, n);
  memcpy (input->data, values, n * sizeof (double));
  outputs = nn_predict (model, &input, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  result = outputs[0];
  g_free (outputs);
  nn_tensor_unref (input);
  return result;
}

static void
expect (const Net    *net,
        const double *values,
        gsize         n,
        const double *expected,
        gsize         n_expected)
{
  g_autoptr (NnTensor) result = run (net, values, n);

  g_assert_cmpuint (result->n, ==, n_expected);
  for (gsize i = 0; i < n_expected; i++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_get (result, i), expected[i], 1e-6);
}

#define EXPECT(net, values, ...)                                                                                      \
  G_STMT_START                                                                                                        \
  {                                                                                                                   \
    const double expected_[] = { __VA_ARGS__ };                                                                       \
    expect (net, values, G_N_ELEMENTS (values), expected_, G_N_ELEMENTS (expected_));                                 \
  }                                                                                                                   \
  G_STMT_END

#define CONSTANT(array) .n_bytes = sizeof (array), .data = array

static void
test_dense (void)
{
  static const float w[] = { 1, 2, -3, 0.5f, 0, 1 }, bias[] = { 0.25f, -10 };
  static const double x[] = { 1, 2, 3 };
  Net net = { .n_tensors = 4, .n_ops = 1,
              .tensors = { { "serving_default_x:0", F32, { 1, 3 }, 2 },
                           { "model/first/MatMul", F32, { 2, 3 }, 2, CONSTANT (w) },
                           { "model/first/BiasAdd/ReadVariableOp", F32, { 2 }, 1, CONSTANT (bias) },
                           { "StatefulPartitionedCall:0", F32, { 1, 2 }, 2 } },
              .ops = { { DENSE, { 0, 1, 2 }, 3, 3, { 0 } } } };
  g_autoptr (NnModel) model = read_net (&net, NULL);

  EXPECT (&net, x, 1 + 4 - 9 + 0.25, 0.5 + 3 - 10);
  net.ops[0].options[0] = 1;
  EXPECT (&net, x, 0, 0);
  g_assert_cmpstr (nn_graph_node (nn_model_graph (model), 0)->name, ==, "serving_default_x");
  g_assert_cmpstr (nn_graph_node (nn_model_graph (model), 1)->name, ==, "first");
  g_assert_cmpstr (nn_model_info (model)->format, ==, "TensorFlow Lite");
}

/* Two positions of three numbers: as a dense layer sees them, and as one with an axis more than it makes. */
static void
test_dense_axes (void)
{
  static const float w[] = { 1, 0, 0, 0, 1, 1 };
  static const gint32 back[] = { 1, 2, 2 };
  static const double x[] = { 1, 2, 3, 4, 5, 6 };
  Net net = { .n_tensors = 5, .n_ops = 2,
              .tensors = { { "x", F32, { 1, 2, 3 }, 3 }, { "w", F32, { 2, 3 }, 2, CONSTANT (w) }, { "y", F32, { 2, 2 }, 2 },
                           { "back", I32, { 3 }, 1, CONSTANT (back) }, { "z", F32, { 1, 2, 2 }, 3 } },
              .ops = { { DENSE, { 0, 1, -1 }, 3, 2, { 0 } }, { RESHAPE, { 2, 3 }, 2, 4, { 0 } } } };

  EXPECT (&net, x, 1, 5, 4, 11);
}

static void
test_conv (void)
{
  /* (out, h, w, in) = (1, 2, 2, 1), data (3, 3) */
  static const float w[] = { 1, 2, 3, 4 }, bias[] = { 0.5f }, two[] = { 1, 0, 0, 0, 0, 0, 0, 2 };
  static const double x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
  Net net = { .n_tensors = 4, .n_ops = 1,
              .tensors = { { "x", F32, { 1, 3, 3, 1 }, 4 }, { "w", F32, { 1, 2, 2, 1 }, 4, CONSTANT (w) }, { "b", F32, { 1 }, 1, CONSTANT (bias) },
                           { "y", F32, { 1, 2, 2, 1 }, 4 } },
              .ops = { { CONV, { 0, 1, 2 }, 3, 3, { 1, 1, 1 } } } };

  EXPECT (&net, x, 37.5, 47.5, 67.5, 77.5);
  /* padding "same" adds below and to the right; stride 2 */
  net.ops[0] = (Op){ CONV, { 0, 1, 2 }, 3, 3, { 0, 2, 2 } };
  EXPECT (&net, x, 37.5, 3 + 18 + 0.5, 7 + 16 + 0.5, 9.5);
  /* depthwise, two from one channel: (1, h, w, in * multiplier) */
  net.tensors[1] = (Tensor){ "w", F32, { 1, 2, 2, 2 }, 4, CONSTANT (two) };
  net.tensors[3].dims[3] = 2;
  net.ops[0] = (Op){ DEPTHWISE, { 0, 1 }, 2, 3, { 1, 1, 1, 2 } };
  EXPECT (&net, x, 1, 10, 2, 12, 4, 16, 5, 18);
}

static void
test_transposed (void)
{
  static const gint32 shape[] = { 1, 4, 2, 1 };
  static const float w[] = { 1, 2 };
  static const double x[] = { 3, 5, 7, 11 };
  Net net = { .n_tensors = 4, .n_ops = 1,
              .tensors = { { "x", F32, { 1, 2, 2, 1 }, 4 }, { "shape", I32, { 4 }, 1, CONSTANT (shape) }, { "w", F32, { 1, 2, 1, 1 }, 4, CONSTANT (w) },
                           { "y", F32, { 1, 4, 2, 1 }, 4 } },
              .ops = { { TRANSPOSE_CONV, { 1, 2, 0 }, 3, 3, { 1, 1, 2 } } } };

  EXPECT (&net, x, 3, 5, 6, 10, 7, 11, 14, 22);
}

static void
test_small_ops (void)
{
  static const double x[] = { -4, -1, 0.5, 2, 3, 8 };
  static const float slopes[] = { 0.5f, 0.25f };
  static const gint32 order[] = { 0, 2, 1 }, edges[] = { 0, 0, 1, 0, 0, 0 }, axis[] = { 1 }, one_to_three[] = { 0, 1, 0 }, size[] = { -1, 1, 1 },
                      by[] = { 1, 1, 1 }, ends[] = { 1, 3, 2 };
  static const float factor[] = { 2 }, by_channel[] = { 1, 10 };
  Net net = { .n_tensors = 3, .n_ops = 1, .tensors = { { "x", F32, { 1, 3, 2 }, 3 }, { "c", F32 }, { "y", F32, { 1, 3, 2 }, 3 } } };

  net.ops[0] = (Op){ RELU6, { 0 }, 1, 2, { 0 } };
  EXPECT (&net, x, 0, 0, 0.5, 2, 3, 6);
  net.ops[0] = (Op){ LEAKY_RELU, { 0 }, 1, 2, { 0 }, 0.125f };
  EXPECT (&net, x, -0.5, -0.125, 0.5, 2, 3, 8);
  net.ops[0] = (Op){ HARD_SWISH, { 0 }, 1, 2, { 0 } };
  EXPECT (&net, x, 0, -1.0 / 3, 0.5 * 3.5 / 6, 2 * 5.0 / 6, 3, 8);
  net.ops[0] = (Op){ GELU, { 0 }, 1, 2, { 0 } };
  EXPECT (&net, x, -4 * 0.5 * erfc (4 / sqrt (2)), -0.5 * erfc (1 / sqrt (2)), 0.5 * 0.5 * erfc (-0.5 / sqrt (2)), erfc (-2 / sqrt (2)),
          1.5 * erfc (-3 / sqrt (2)), 8);

  net.tensors[1] = (Tensor){ "c", F32, { 1, 1, 2 }, 3, CONSTANT (slopes) };
  net.ops[0] = (Op){ PRELU, { 0, 1 }, 2, 2, { 0 } };
  EXPECT (&net, x, -2, -0.25, 0.5, 2, 3, 8);
  net.tensors[1] = (Tensor){ "c", F32, { 2 }, 1, CONSTANT (by_channel) };
  net.ops[0] = (Op){ SUB, { 1, 0 }, 2, 2, { 0 } };
  EXPECT (&net, x, 5, 11, 0.5, 8, -2, 2);
  net.tensors[1] = (Tensor){ "c", F32, { 1 }, 1, CONSTANT (factor) };
  net.ops[0] = (Op){ MUL, { 0, 1 }, 2, 2, { 1 } };
  EXPECT (&net, x, 0, 0, 1, 4, 6, 16);
  net.ops[0] = (Op){ ADD, { 0, 0 }, 2, 2, { 3 } };
  EXPECT (&net, x, 0, 0, 1, 4, 6, 6);

  net.tensors[2] = (Tensor){ "y", F32, { 1, 2, 3 }, 3 };
  net.tensors[1] = (Tensor){ "c", I32, { 3 }, 1, CONSTANT (order) };
  net.ops[0] = (Op){ TRANSPOSE, { 0, 1 }, 2, 2, { 0 } };
  EXPECT (&net, x, -4, 0.5, 3, -1, 2, 8);
  net.tensors[2] = (Tensor){ "y", F32, { 1, 4, 2 }, 3 };
  net.tensors[1] = (Tensor){ "c", I32, { 3, 2 }, 2, CONSTANT (edges) };
  net.ops[0] = (Op){ PAD, { 0, 1 }, 2, 2, { 0 } };
  EXPECT (&net, x, 0, 0, -4, -1, 0.5, 2, 3, 8);
  net.tensors[2] = (Tensor){ "y", F32, { 1, 2 }, 2 };
  net.tensors[1] = (Tensor){ "c", I32, { 1 }, 1, CONSTANT (axis) };
  net.ops[0] = (Op){ MEAN, { 0, 1 }, 2, 2, { 0 } };
  EXPECT (&net, x, -0.5 / 3, 3);

  net.n_tensors = 4;
  net.tensors[1] = (Tensor){ "begin", I32, { 3 }, 1, CONSTANT (one_to_three) };
  net.tensors[2] = (Tensor){ "y", F32, { 1, 1, 1 }, 3 };
  net.tensors[3] = (Tensor){ "size", I32, { 3 }, 1, CONSTANT (size) };
  net.ops[0] = (Op){ SLICE, { 0, 1, 3 }, 3, 2, { 0 } };
  EXPECT (&net, x, 0.5);
  net.tensors[2] = (Tensor){ "y", F32, { 1, 2, 2 }, 3 };
  net.tensors[3] = (Tensor){ "end", I32, { 3 }, 1, CONSTANT (ends) };
  net.n_tensors = 5;
  net.tensors[4] = (Tensor){ "by", I32, { 3 }, 1, CONSTANT (by) };
  net.ops[0] = (Op){ STRIDED_SLICE, { 0, 1, 3, 4 }, 4, 2, { 0 } };
  EXPECT (&net, x, 0.5, 2, 3, 8);
  /* the middle row alone, its axis gone */
  net.tensors[2] = (Tensor){ "y", F32, { 1, 2 }, 2 };
  net.ops[0] = (Op){ STRIDED_SLICE, { 0, 1, 3, 4 }, 4, 2, { 0, 0, 0, 0, 2 } };
  EXPECT (&net, x, 0.5, 2);
}

static void
test_pools (void)
{
  static const double x[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  static const gint32 size[] = { 4, 4 };
  Net net = { .n_tensors = 3, .n_ops = 1,
              .tensors = { { "x", F32, { 1, 2, 4, 1 }, 4 }, { "size", I32, { 2 }, 1, CONSTANT (size) }, { "y", F32, { 1, 1, 2, 1 }, 4 } },
              .ops = { { MAX_POOL, { 0 }, 1, 2, { 1, 2, 2, 2, 2 } } } };

  EXPECT (&net, x, 6, 8);
  net.ops[0].code = AVERAGE_POOL;
  EXPECT (&net, x, 3.5, 5.5);
  net.tensors[2] = (Tensor){ "y", F32, { 1, 4, 4, 1 }, 4 };
  net.ops[0] = (Op){ NEAREST, { 0, 1 }, 2, 2, { 0 } };
  EXPECT (&net, x, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8);
}

/* The mean is rounded by its codes: (3 + 3 + 3 + 1) / 4 is 3, which stands for 0; rounded by the number it were -1. */
static void
test_pool_of_codes (void)
{
  static const double x[] = { 0, 0, 0, -2 };
  Net net = { .n_tensors = 2, .n_ops = 1,
              .tensors = { { "x", I8, { 1, 2, 2, 1 }, 4, .scale = { 1 }, .n_scales = 1, .zero = 3 },
                           { "y", I8, { 1, 1, 1, 1 }, 4, .scale = { 1 }, .n_scales = 1, .zero = 3 } },
              .ops = { { AVERAGE_POOL, { 0 }, 1, 1, { 1, 2, 2, 2, 2 } } } };

  EXPECT (&net, x, 0);
}

/* Half precision weights, which an operator of the file brings to single. */
static void
test_half (void)
{
  static const guint16 w[] = { 0x3c00, 0xc000, 0x3555 }; /* 1, -2, 0.333251953125 */
  static const double x[] = { 1, 10, 1 };
  Net net = { .n_tensors = 4, .n_ops = 2,
              .tensors = { { "x", F32, { 1, 3 }, 2 }, { "w", F16, { 1, 3 }, 2, CONSTANT (w) }, { "w32", F32, { 1, 3 }, 2 }, { "y", F32, { 1, 1 }, 2 } },
              .ops = { { DEQUANTIZE, { 1 }, 1, 2, { 0 } }, { DENSE, { 0, 2 }, 2, 3, { 0 } } } };

  EXPECT (&net, x, 1 - 20 + 0.333251953125);
}

/* Integers with scales by the channel: every number falls on the grid that the file gives its tensor. */
static const gint8 quantized_kernel[] = { 64, -128, 127, 32 };
static const gint32 quantized_bias[] = { 100, -7 };

static const Net quantized = {
  .n_tensors = 5, .n_ops = 2,
  .tensors = { { "x", I8, { 1, 2 }, 2, .scale = { 0.5f }, .n_scales = 1, .zero = 3 },
               { "model/d/MatMul", I8, { 2, 2 }, 2, CONSTANT (quantized_kernel), .scale = { 0.01f, 0.03f }, .n_scales = 2 },
               { "model/d/BiasAdd", I32, { 2 }, 1, CONSTANT (quantized_bias), .scale = { 0.005f, 0.015f }, .n_scales = 2 },
               { "model/d/Relu", I8, { 1, 2 }, 2, .scale = { 0.25f }, .n_scales = 1, .zero = -128 },
               { "out", F32, { 1, 2 }, 2 } },
  .ops = { { DENSE, { 0, 1, 2 }, 3, 3, { 1 } }, { DEQUANTIZE, { 3 }, 1, 4, { 0 } } },
};

static double
on_grid (double x,
         double scale,
         double zero)
{
  double code = copysign (floor (fabs (x / scale) + 0.5), x) + zero;

  return scale * (CLAMP (code, -128, 127) - zero);
}

static void
test_quantized (void)
{
  static const double xs[][2] = { { 1.2, -3.9 }, { 100, 100 }, { -60, 61.8 }, { 0.3, 0.8 }, { -0.2, -0.8 } };
  const gint8 *w = quantized_kernel;
  g_autoptr (NnModel) model = read_net (&quantized, NULL);
  const NnGraph *graph = nn_model_graph (model);
  guint dense, relu;

  for (guint k = 0; k < G_N_ELEMENTS (xs); k++)
    {
      double a = on_grid (xs[k][0], 0.5, 3), b = on_grid (xs[k][1], 0.5, 3);
      double first = 0.01f * w[0] * a + 0.01f * w[1] * b + 100 * 0.005f, second = 0.03f * w[2] * a + 0.03f * w[3] * b - 7 * 0.015f;
      const double expected[] = { on_grid (MAX (first, 0), 0.25, -128), on_grid (MAX (second, 0), 0.25, -128) };

      expect (&quantized, xs[k], 2, expected, 2);
    }
  g_assert_true (nn_graph_find (graph, "d", &dense));
  g_assert_true (nn_graph_find (graph, "d_quantize", &relu));
  g_assert_cmpuint (nn_graph_node (graph, dense)->attrs.role_quantizer[NN_ROLE_KERNEL]->n_alpha, ==, 2);
  /* after ReLU the lowest code is 0: an unsigned type, whose scale of a quarter is a place of the point */
  g_assert_false (nn_graph_node (graph, relu)->attrs.quantizer->type.is_signed);
  g_assert_cmpint (nn_graph_node (graph, relu)->attrs.quantizer->type.width, ==, 8);
  g_assert_cmpint (nn_graph_node (graph, relu)->attrs.quantizer->type.integer, ==, 6);
  g_assert_cmpint (nn_graph_node (graph, relu)->attrs.quantizer->alpha_mode, ==, NN_ALPHA_ONE);
}

static void
test_unsupported (void)
{
  static const double x[] = { 1, 2 };
  Net net = { .n_tensors = 3, .n_ops = 2,
              .tensors = { { "x", F32, { 1, 2 }, 2 }, { "model/lrn/LRN", F32, { 1, 2 }, 2 }, { "y", F32, { 1, 2 }, 2 } },
              .ops = { { LRN, { 0 }, 1, 1, { 0 } }, { RELU6, { 1 }, 1, 2, { 0 } } } };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = read_net (&net, &error), softer = NULL;
  const NnNode *node;

  g_assert_no_error (error);
  node = nn_graph_node (nn_model_graph (model), 1);
  g_assert_cmpint (node->op, ==, NN_OP_UNSUPPORTED);
  g_assert_cmpstr (node->class_name, ==, "LOCAL_RESPONSE_NORMALIZATION");
  g_assert_cmpstr (node->name, ==, "lrn");
  g_assert_nonnull (strstr (node->reason, "does not have this operator"));
  /* what begins well and turns out not to be readable leaves nothing behind */
  net.ops[0] = (Op){ RESIZE_BILINEAR, { 0 }, 1, 1, { 0 } };
  softer = read_net (&net, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_graph_n_nodes (nn_model_graph (softer)), ==, 3);
  net.ops[0] = (Op){ SOFTMAX, { 0 }, 1, 1, { 0 }, 1 };
  EXPECT (&net, x, 1 / (1 + M_E), M_E / (1 + M_E));
}

static void
refuse (const Net  *net,
        const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = read_net (net, &error);

  g_assert_null (model);
  if (strstr (error->message, why) == NULL || strstr (error->message, "net.tflite") == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, why);
}

static void
test_broken (void)
{
  g_autoptr (GBytes) bytes = write_net (&quantized);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  Net net = quantized;
  NnLoadOptions options;

  nn_load_options_init (&options);
  /* cut anywhere, or any byte another: a network or an error, nothing else */
  for (gsize n = 0; n < g_bytes_get_size (bytes); n++)
    {
      g_autoptr (GBytes) part = g_bytes_new (data, n);
      g_autofree guint8 *copy = g_memdup2 (data, g_bytes_get_size (bytes));
      g_autoptr (GError) cut = NULL, other = NULL;
      g_autoptr (GBytes) changed = NULL;
      g_autoptr (NnModel) first = nn_load_tflite (part, "net.tflite", &options, NULL, NULL, &cut), second = NULL;

      copy[n] ^= 0xff;
      changed = g_bytes_new_static (copy, g_bytes_get_size (bytes));
      second = nn_load_tflite (changed, "net.tflite", &options, NULL, NULL, &other);
      g_assert_true ((first == NULL) == (cut != NULL));
      g_assert_true ((second == NULL) == (other != NULL));
    }
  net.tensors[1].n_bytes = 3;
  refuse (&net, "\"model/d/MatMul\" has 3 bytes");
  net = quantized;
  net.tensors[0].rank = 1;
  refuse (&net, "\"x\" has 1 axes");
  net = quantized;
  net.ops[0].inputs[0] = 4;
  refuse (&net, "reads \"out\", which nothing before it makes");
  net = quantized;
  net.tensors[1].n_scales = 3;
  refuse (&net, "has 3 scales");
}

/* Whole files of MLPerf Tiny; every tensor of the result is one of 256 codes. */
static void
test_real (void)
{
  static const struct {
    const char *name;
    guint       n_outputs;
    double      scale, zero;
  } files[] = { { "ad01_int8", 640, 0.36449846625328064, 96 }, { "ic01_int8", 10, 1.0 / 256, -128 }, { "kws01_int8", 12, 1.0 / 256, -128 } };

  for (guint k = 0; k < G_N_ELEMENTS (files); k++)
    {
      g_autofree char *relative = g_strdup_printf ("models/other/%s.tflite", files[k].name), *path = test_shared_path (relative);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnModel) model = NULL;
      g_autoptr (NnTensor) input = NULL, result = NULL;
      NnTensor **outputs;
      NnShape shape = { .rank = 1, .dims = { 1 } };

      if (path == NULL)
        return;
      model = nn_model_load (path, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      for (guint i = 0; i < nn_graph_node (nn_model_graph (model), 0)->shape.rank; i++)
        shape.dims[shape.rank++] = nn_graph_node (nn_model_graph (model), 0)->shape.dims[i];
      input = nn_tensor_new (NN_DTYPE_F64, &shape);
      for (gsize i = 0; i < input->n; i++)
        nn_tensor_f64 (input)[i] = sin ((double) i);
      outputs = nn_predict (model, &input, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      result = outputs[0];
      g_free (outputs);
      g_assert_cmpuint (result->n, ==, files[k].n_outputs);
      for (gsize i = 0; i < result->n; i++)
        {
          double code = nn_tensor_get (result, i) / files[k].scale + files[k].zero;

          g_assert_cmpfloat_with_epsilon (code, rint (code), 1e-3);
          g_assert_cmpfloat (code, >=, -128.001);
          g_assert_cmpfloat (code, <=, 127.001);
        }
    }
}

int
main (int    argc,
      char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--write")) /* a seed for the fuzzer */
    {
      g_autoptr (GBytes) bytes = write_net (&quantized);

      return g_file_set_contents (argv[2], g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes), NULL) ? 0 : 1;
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/tflite/dense", test_dense);
  g_test_add_func ("/load/tflite/dense-axes", test_dense_axes);
  g_test_add_func ("/load/tflite/conv", test_conv);
  g_test_add_func ("/load/tflite/transposed", test_transposed);
  g_test_add_func ("/load/tflite/small-ops", test_small_ops);
  g_test_add_func ("/load/tflite/pools", test_pools);
  g_test_add_func ("/load/tflite/pool-of-codes", test_pool_of_codes);
  g_test_add_func ("/load/tflite/half", test_half);
  g_test_add_func ("/load/tflite/quantized", test_quantized);
  g_test_add_func ("/load/tflite/unsupported", test_unsupported);
  g_test_add_func ("/load/tflite/broken", test_broken);
  g_test_add_func ("/load/tflite/real", test_real);
  return g_test_run ();
}

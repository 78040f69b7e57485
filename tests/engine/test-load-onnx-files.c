/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an ONNX file may hold besides a plain list of operators: functions, branches, numbers in other files, sparse numbers, fused
 * operators and operators on codes; and what is said of a file that is broken. */

#include "nn-error.h"

#include "test-onnx.h"
#include "test-shared.h"

#include <glib/gstdio.h>
#include <math.h>

static const float x4[] = { -1.3f, 0.2f, 0.9f, 3.7f };
static const float w8[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

/* As the program loads: what cannot be computed stays in the graph. (transfer full) */
static NnModel *
load (GBytes      *bytes,
      const char  *path,
      GError     **error)
{
  NnLoadOptions options;

  nn_load_options_init (&options);
  return nn_load_onnx (bytes, path, &options, NULL, NULL, error);
}

/* A function of the domain "pkg": @nodes are put into it. @inputs, @attributes: with blanks between */
static GByteArray *
function_of (const char *name,
             const char *inputs,
             const char *attributes)
{
  GByteArray *function = g_byte_array_new ();
  g_auto (GStrv) names = g_strsplit (inputs, " ", -1), list = g_strsplit (attributes, " ", -1);

  put_text (function, 1, name);
  for (char **n = names; *n != NULL; n++)
    put_text (function, 4, *n);
  put_text (function, 5, "out");
  for (char **n = list; *n != NULL && **n != '\0'; n++)
    put_text (function, 6, *n);
  put_text (function, 10, "pkg");
  return function;
}

static void
test_functions (void)
{
  GByteArray *inner, *outer;
  double want[4];
  char slope[] = "slope=0.5";

  begin ();
  inner = function_of ("act", "in", "slope");
  put_message (inner, 7, operator_of ("LeakyRelu", NULL, "in", "out", "alpha=@slope"));
  outer = function_of ("block", "in shift", "");
  /* a name of the function's own that the network has, too */
  put_message (outer, 7, operator_of ("Add", NULL, "in shift", "h", ""));
  put_message (outer, 7, operator_of ("act", "pkg", "h", "out", slope));
  put_message (beside, 25, inner);
  put_message (beside, 25, outer);
  number ("one", 1);
  node ("block", "pkg", "x one", "h", "");
  node ("block", "pkg", "h one", "y", "");
  for (guint i = 0; i < 4; i++)
    {
      double h = (double) x4[i] + 1;

      h = (h < 0 ? h / 2 : h) + 1;
      want[i] = h < 0 ? h / 2 : h;
    }
  check (17, x4, 4, want, 4);
}

/* The value that an attribute has unless the call tells it; the schema at hand may not know the field. */
static void
test_function_defaults (void)
{
  GByteArray *act = function_of ("act", "in", "");
  char slope[] = "slope=0.25";
  double want[4];

  begin ();
  put_message (act, 7, operator_of ("LeakyRelu", NULL, "in", "out", "alpha=@slope"));
  put_message (act, 11, attribute_of (slope));
  put_message (beside, 25, act);
  node ("act", "pkg", "x", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = x4[i] < 0 ? x4[i] / 4 : x4[i];
  check (17, x4, 4, want, 4);
}

static void
test_function_calls_itself (void)
{
  GByteArray *loop = function_of ("loop", "in", "");
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;

  begin ();
  put_message (loop, 7, operator_of ("loop", "pkg", "in", "h", ""));
  put_message (loop, 7, operator_of ("loop", "pkg", "h", "out", ""));
  put_message (beside, 25, loop);
  node ("loop", "pkg", "x", "y", "");
  bytes = file_of (17, 4, 4);
  model = load (bytes, "made.onnx", &error);
  g_assert_error (error, NN_ERROR, NN_ERROR_LIMIT);
  g_assert_null (model);
}

/* A branch that the file itself decides. */
static void
test_if (void)
{
  GByteArray *taken = g_byte_array_new (), *other = g_byte_array_new (), *op, *attribute, *info_;
  static const guint8 yes = 1;
  double want[4];

  begin ();
  initializer ("c", 9, &yes, 1, -1, -1);
  for (guint i = 0; i < 2; i++)
    {
      GByteArray *branch = i == 0 ? taken : other;

      put_message (branch, 1, operator_of (i == 0 ? "Relu" : "Neg", NULL, "x", i == 0 ? "a" : "b", ""));
      info_ = g_byte_array_new ();
      put_text (info_, 1, i == 0 ? "a" : "b");
      put_message (branch, 12, info_);
    }
  op = operator_of ("If", NULL, "c", "h", "");
  for (guint i = 0; i < 2; i++)
    {
      attribute = g_byte_array_new ();
      put_text (attribute, 1, i == 0 ? "then_branch" : "else_branch");
      put_message (attribute, 6, i == 0 ? taken : other);
      put_int (attribute, 20, 5);
      put_message (op, 5, attribute);
    }
  put_message (graph, 1, op);
  node ("Abs", NULL, "h", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = MAX (x4[i], 0);
  check (17, x4, 4, want, 4);
}

/* A tensor of (4, 2) whose numbers lie in @location. */
static void
external (const char *location,
          const char *offset,
          const char *length)
{
  GByteArray *tensor = g_byte_array_new ();
  const char *const keys[] = { "location", "offset", "length" };
  const char *const values[] = { location, offset, length };

  put_int (tensor, 1, 4);
  put_int (tensor, 1, 2);
  put_int (tensor, 2, 1);
  put_text (tensor, 8, "w");
  for (guint i = 0; i < 3; i++)
    {
      GByteArray *entry = g_byte_array_new ();

      put_text (entry, 1, keys[i]);
      put_text (entry, 2, values[i]);
      put_message (tensor, 13, entry);
    }
  put_int (tensor, 14, 1);
  put_message (graph, 5, tensor);
  node ("MatMul", NULL, "x w", "y", "");
}

static void
test_external (void)
{
  g_autofree char *folder = test_folder (), *data = g_build_filename (folder, "w.bin", NULL), *path = g_build_filename (folder, "m.onnx", NULL);
  guint8 bytes[4 + sizeof w8] = { 0 };
  double want[2] = { 0 };

  memcpy (bytes + 4, w8, sizeof w8);
  g_assert_true (g_file_set_contents (data, (const char *) bytes, sizeof bytes, NULL));
  begin ();
  external ("w.bin", "4", "32");
  for (guint i = 0; i < 4; i++)
    for (guint o = 0; o < 2; o++)
      want[o] += (double) x4[i] * w8[2 * i + o];
  check_at (path, 13, x4, 4, want, 2);
  remove_folder (folder);
}

static void
test_sparse (void)
{
  GByteArray *sparse = g_byte_array_new (), *values = g_byte_array_new (), *indices = g_byte_array_new ();
  static const float three[] = { 1.5f, -2, 3 };
  static const gint64 places[] = { 1, 2, 7 };
  double want[2] = { -2.0 * 0.2f, 1.5 * -1.3f + 3 * 3.7f };

  begin ();
  put_int (values, 1, 3);
  put_int (values, 2, 1);
  put_text (values, 8, "w");
  put_bytes (values, 9, three, sizeof three);
  put_int (indices, 1, 3);
  put_int (indices, 2, 7);
  put_bytes (indices, 9, places, sizeof places);
  put_message (sparse, 1, values);
  put_message (sparse, 2, indices);
  put_int (sparse, 3, 4);
  put_int (sparse, 3, 2);
  put_message (graph, 15, sparse);
  node ("MatMul", NULL, "x w", "y", "");
  check (13, x4, 4, want, 2);
}

/* "To the end" is the largest number there is, also where the file computes it; codes of four bits lie two in a byte. */
static void
test_numbers (void)
{
  static const gint64 most = G_MAXINT64, one = 1, two = 2, zero = 0;
  static const guint8 nibbles[] = { 0x2f, 0x81 }; /* -1, 2, 1, -8 */
  double want[4];

  begin ();
  initializer ("m", 7, &most, sizeof most, 1, -1);
  initializer ("s", 7, &two, sizeof two, 1, -1);
  initializer ("a", 7, &one, sizeof one, 1, -1);
  initializer ("z", 7, &zero, sizeof zero, 1, -1);
  node ("Add", NULL, "m z", "e", "");
  node ("Slice", NULL, "x s e a", "y", "");
  want[0] = x4[2];
  want[1] = x4[3];
  check (13, x4, 4, want, 2);
  begin ();
  node ("Constant", NULL, "", "f", "value_float=0.5");
  node ("Constant", NULL, "", "i", "value_ints=[-1;4]");
  node ("Mul", NULL, "x f", "h", "");
  node ("Reshape", NULL, "h i", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = x4[i] * 0.5;
  check (13, x4, 4, want, 4);
  begin ();
  initializer ("q", 22, nibbles, sizeof nibbles, 4, -1);
  number ("s", 0.5f);
  node ("DequantizeLinear", NULL, "q s", "w", "");
  node ("Mul", NULL, "x w", "y", "");
  want[0] = x4[0] * -0.5;
  want[1] = x4[1] * 1.0;
  want[2] = x4[2] * 0.5;
  want[3] = x4[3] * -4.0;
  check (21, x4, 4, want, 4);
}

/* A convolution's steps split in two, then its channels last, as networks that go on by sequences have it. */
static void
put_sequence (void)
{
  static const float w[] = { 1, 2, 3, 4, 5, 6 };
  static const gint64 map[] = { -1, 2, 6 }, split[] = { -1, 3, 2, 3 }, flat[] = { -1, 18 };

  begin ();
  initializer ("w", 1, w, sizeof w, 3, 2);
  initializer ("m", 7, map, sizeof map, 3, -1);
  initializer ("s", 7, split, sizeof split, 4, -1);
  initializer ("f", 7, flat, sizeof flat, 2, -1);
  node ("Unsqueeze", NULL, "w", "k", "axes=[2]");
  node ("Reshape", NULL, "x m", "r", "");
  node ("Conv", NULL, "r k", "c", "");
  node ("Reshape", NULL, "c s", "h", "");
  node ("Transpose", NULL, "h", "t", "perm=[0;2;3;1]");
  node ("Reshape", NULL, "t f", "y", "");
}

/* What is computed channels last is reshaped as it lies: the one permutation is that of the data. */
static void
test_regroup (void)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  float x[12];
  double want[18];
  guint permutations = 0;

  put_sequence ();
  bytes = file_of (11, 12, 18);
  model = load (bytes, "made.onnx", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (model)); i++)
    permutations += nn_graph_node (nn_model_graph (model), i)->op == NN_OP_PERMUTE;
  g_assert_cmpuint (permutations, ==, 1);
  for (guint i = 0; i < 12; i++)
    x[i] = (float) (i * i % 7) - 3;
  for (guint t = 0; t < 6; t++)
    for (guint o = 0; o < 3; o++)
      want[t * 3 + o] = (2 * o + 1) * x[t] + (2 * o + 2) * x[6 + t];
  put_sequence ();
  check (11, x, 12, want, 18);
}

/* Operators that do not stand in their order. */
static void
test_order (void)
{
  double want[4];

  begin ();
  node ("Abs", NULL, "b", "y", "");
  node ("Add", NULL, "a x", "b", "");
  node ("Neg", NULL, "c", "a", "");
  node ("Abs", NULL, "x", "c", "");
  for (guint i = 0; i < 4; i++)
    want[i] = fabs (x4[i] - fabs (x4[i]));
  check (13, x4, 4, want, 4);
}

/* onnxruntime's own operators, and those on codes. */
static void
test_fused (void)
{
  static const gint8 codes[] = { 10, -20, 30, -40, 50, -60, 70, -80 };
  static const guint8 hundred = 100, odd = 101;
  static const float ties[] = { 0.5f, 1.5f, -2.5f, 3.5f };
  static const gint8 none = 0;
  double want[4];

  begin ();
  initializer ("w", 1, w8, sizeof w8, 2, 4);
  node ("FusedMatMul", "com.microsoft", "x w", "y", "transB=1 alpha=0.5");
  for (guint o = 0; o < 2; o++)
    {
      want[o] = 0;
      for (guint i = 0; i < 4; i++)
        want[o] += 0.5 * x4[i] * w8[4 * o + i];
    }
  check (13, x4, 4, want, 2);
  begin ();
  node ("QuickGelu", "com.microsoft", "x", "y", "alpha=1.5");
  for (guint i = 0; i < 4; i++)
    want[i] = x4[i] / (1 + exp (-1.5 * x4[i]));
  check (13, x4, 4, want, 4);
  begin ();
  number ("s", 0.0625f);
  number ("t", 0.125f);
  number ("u", 1);
  initializer ("z", 2, &hundred, 1, -1, -1);
  initializer ("n", 3, &none, 1, -1, -1);
  initializer ("w", 3, codes, sizeof codes, 4, 2);
  node ("QuantizeLinear", NULL, "x s z", "q", "");
  node ("QLinearMatMul", NULL, "q s z w t n u z", "p", "");
  node ("DequantizeLinear", NULL, "p u z", "y", "");
  for (guint o = 0; o < 2; o++)
    {
      double sum = 0;

      for (guint i = 0; i < 4; i++)
        sum += nearbyint (x4[i] / 0.0625) * 0.0625 * codes[2 * i + o] * 0.125;
      want[o] = CLAMP (nearbyint (sum), -100, 155);
    }
  check (13, x4, 4, want, 2);
  /* codes as the network's answer */
  begin ();
  number ("s", 0.0625f);
  initializer ("z", 2, &hundred, 1, -1, -1);
  node ("QuantizeLinear", NULL, "x s z", "y", "");
  for (guint i = 0; i < 4; i++)
    want[i] = nearbyint (x4[i] / 0.0625) + 100;
  check (13, x4, 4, want, 4);
  /* a tie goes by the number, not by the code */
  begin ();
  number ("s", 1);
  initializer ("z", 2, &odd, 1, -1, -1);
  node ("QuantizeLinear", NULL, "x s z", "q", "");
  node ("DequantizeLinear", NULL, "q s z", "y", "");
  check (13, ties, 4, (double[]) { 0, 2, -2, 4 }, 4);
}

/* The message of a file that cannot be opened must hold every one of @parts, which bars divide. */
static void
refused (GBytes     *bytes,
         const char *path,
         const char *parts)
{
  g_auto (GStrv) list = g_strsplit (parts, "|", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = load (bytes, path, &error);

  g_assert_null (model);
  g_assert_nonnull (error);
  for (char **part = list; *part != NULL; part++)
    if (strstr (error->message, *part) == NULL)
      {
        g_test_message ("\"%s\" does not say \"%s\"", error->message, *part);
        g_test_fail ();
      }
}

static void
test_broken (void)
{
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "m.onnx", NULL), *data = g_build_filename (folder, "w.bin", NULL);
  GBytes *bytes, *half;

  begin ();
  node ("Relu", NULL, "x", "y", "");
  bytes = file_of (13, 4, 4);
  half = g_bytes_new_from_bytes (bytes, 0, g_bytes_get_size (bytes) / 2);
  refused (half, "half.onnx", "half.onnx|damaged or incomplete");
  g_bytes_unref (half);
  g_bytes_unref (bytes);

  begin ();
  node ("MatMul", NULL, "x w", "y", "");
  bytes = file_of (13, 4, 2);
  refused (bytes, "m.onnx", "m.onnx|\"y\" (MatMul)|\"w\"|nothing before it makes");
  g_bytes_unref (bytes);

  begin ();
  initializer ("w", 1, w8, sizeof w8, 4, 3);
  node ("MatMul", NULL, "x w", "y", "");
  bytes = file_of (13, 4, 3);
  refused (bytes, "m.onnx", "m.onnx|\"w\"|8 values|shape is 4");
  g_bytes_unref (bytes);

  begin ();
  initializer ("w", 8, w8, sizeof w8, 4, 2);
  node ("MatMul", NULL, "x w", "y", "");
  bytes = file_of (13, 4, 2);
  refused (bytes, "m.onnx", "\"w\"|text|floats, whole numbers");
  g_bytes_unref (bytes);

  begin ();
  external ("w.bin", "0", "32");
  bytes = file_of (13, 4, 2);
  refused (bytes, path, "m.onnx|\"w\"|w.bin|beside the network");
  g_assert_true (g_file_set_contents (data, "short", 5, NULL));
  refused (bytes, path, "\"w\"|bytes 0 to 32|w.bin|which has 5");
  g_bytes_unref (bytes);

  begin ();
  external ("../w.bin", "0", "32");
  bytes = file_of (13, 4, 2);
  refused (bytes, path, "\"w\"|../w.bin|own folder");
  g_bytes_unref (bytes);

  begin ();
  node ("Relu", NULL, "b", "a", "");
  node ("Relu", NULL, "a", "b", "");
  node ("Add", NULL, "x b", "y", "");
  bytes = file_of (13, 4, 4);
  refused (bytes, "m.onnx", "(Relu)|\"a\"|circle");
  g_bytes_unref (bytes);

  begin ();
  node ("Relu", NULL, "x", "h", "");
  node ("Neg", NULL, "x", "h", "");
  node ("Abs", NULL, "h", "y", "");
  bytes = file_of (13, 4, 4);
  refused (bytes, "m.onnx", "\"h\"|Relu|Neg|twice");
  g_bytes_unref (bytes);
  remove_folder (folder);
}

/* An operator that we do not have stands in the graph under its own name, with a reason that holds @part. */
static void
marked (const char *type,
        const char *domain,
        const char *attributes,
        guint       opset,
        const char *part)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  const NnNode *found = NULL;

  begin ();
  node ("Neg", NULL, "x", "a", "");
  node (type, domain, "a", "b", attributes);
  node ("Relu", NULL, "b", "y", "");
  bytes = file_of (opset, 4, 4);
  model = load (bytes, "made.onnx", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (model)); i++)
    if (nn_graph_node (nn_model_graph (model), i)->op == NN_OP_UNSUPPORTED)
      found = nn_graph_node (nn_model_graph (model), i);
  g_assert_nonnull (found);
  g_assert_cmpstr (found->class_name, ==, type);
  if (strstr (found->reason, part) == NULL)
    {
      g_test_message ("%s: \"%s\" does not say \"%s\"", type, found->reason, part);
      g_test_fail ();
    }
}

static void
test_marked (void)
{
  marked ("Hyperwarp", NULL, "", 13, "no operator \"Hyperwarp\"");
  marked ("Relu", "com.example", "", 13, "domain \"com.example\"");
  marked ("Hyperwarp", NULL, "", 90, "operator set 90");
  marked ("Loop", NULL, "", 13, "unrolled");
  marked ("TopK", NULL, "", 13, "sorting");
  marked ("DynamicQuantizeLinear", NULL, "", 13, "statically");
  marked ("Gelu", NULL, "approximate=cubic", 20, "\"none\" and \"tanh\"");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/onnx-files/functions", test_functions);
  g_test_add_func ("/load/onnx-files/function-defaults", test_function_defaults);
  g_test_add_func ("/load/onnx-files/function-calls-itself", test_function_calls_itself);
  g_test_add_func ("/load/onnx-files/if", test_if);
  g_test_add_func ("/load/onnx-files/external", test_external);
  g_test_add_func ("/load/onnx-files/sparse", test_sparse);
  g_test_add_func ("/load/onnx-files/numbers", test_numbers);
  g_test_add_func ("/load/onnx-files/regroup", test_regroup);
  g_test_add_func ("/load/onnx-files/order", test_order);
  g_test_add_func ("/load/onnx-files/fused", test_fused);
  g_test_add_func ("/load/onnx-files/broken", test_broken);
  g_test_add_func ("/load/onnx-files/marked", test_marked);
  return g_test_run ();
}

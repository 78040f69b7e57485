/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras layers in odd but real configurations, functions in place of layers, models used twice; and files that are broken, each
 * with a message that tells file, layer, property and what would do. */

#include "test-keras-h5.h"

static void
fill_nothing (NnH5 *h5)
{
  g_assert_true (nn_h5_put_group (h5, "layers", NULL));
}

static void
fill_base (NnH5 *h5)
{
  put_dense (h5, "base", "d", 4);
}

/* A model inside another is used twice: the difference of what it makes of both inputs. */
static void
test_twice (void)
{
  static const char layers[] =
      "{\"class_name\": \"Functional\", \"name\": \"base\", \"config\": {\"name\": \"base\", \"layers\": ["
      "{\"class_name\": \"InputLayer\", \"name\": \"i\", \"config\": {\"name\": \"i\", \"batch_input_shape\": [null, 4]}, \"inbound_nodes\": []}, "
      "{\"class_name\": \"Dense\", \"name\": \"d\", \"config\": {\"name\": \"d\", \"units\": 2, \"activation\": \"relu\"}, "
      "\"inbound_nodes\": [[[\"i\", 0, 0, {}]]]}], \"input_layers\": [[\"i\", 0, 0]], \"output_layers\": [[\"d\", 0, 0]]}, "
      "\"inbound_nodes\": [[[\"a\", 0, 0, {}]], [[\"b\", 0, 0, {}]]]}, "
      "{\"class_name\": \"Subtract\", \"name\": \"s\", \"config\": {\"name\": \"s\"}, \"inbound_nodes\": [[[\"base\", 0, 0, {}], [\"base\", 1, 0, {}]]]}";
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (layers, "s", fill_base, &error);
  double want[2], part[2][2];

  g_assert_no_error (error);
  for (guint k = 0; k < 2; k++)
    for (guint o = 0; o < 2; o++)
      {
        part[k][o] = bias2[o];
        for (guint i = 0; i < 4; i++)
          part[k][o] += x8[4 * k + i] * kernel8[2 * i + o];
        part[k][o] = MAX (part[k][o], 0);
      }
  for (guint o = 0; o < 2; o++)
    want[o] = part[0][o] - part[1][o];
  /* one set of weights for both */
  g_assert_cmpuint (nn_model_n_weights (model), ==, 2);
  compare (model, x8, &NN_SHAPE (1, 4), want, 2);
}

#define TF(name, function, inbound)                                                                                          \
  "{\"class_name\": \"TFOpLambda\", \"name\": \"" name "\", \"config\": {\"name\": \"" name "\", \"function\": \"" function "\"}, " \
  "\"inbound_nodes\": [" inbound "]}"

/* TensorFlow's functions, with tensors and with numbers. */
static void
test_tf_functions (void)
{
  static const char layers[] = TF ("sum", "__operators__.add", "[\"a\", 0, 0, {\"y\": [\"b\", 0, 0], \"name\": null}]") ", "
      TF ("twice", "math.multiply", "[\"sum\", 0, 0, {\"y\": 2.5, \"name\": null}]") ", "
      TF ("rest", "math.subtract", "[\"_CONSTANT_VALUE\", -1, 1.0, {\"y\": [\"twice\", 0, 0]}]") ", "
      TF ("out", "nn.relu", "[\"rest\", 0, 0, {\"name\": null}]");
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (layers, "out", NULL, &error);
  double want[4];

  g_assert_no_error (error);
  for (guint i = 0; i < 4; i++)
    want[i] = MAX (1 - 2.5 * ((double) x8[i] + x8[i + 4]), 0);
  compare (model, x8, &NN_SHAPE (1, 4), want, 4);
}

static void
fill_normalization (NnH5 *h5)
{
  static const float mean[] = { 1, 2, -1, 0.5f }, variance[] = { 4, 0.25f, 1, 0 }, count = 100;

  put (h5, "layers/normalization/vars/0", mean, 4);
  put (h5, "layers/normalization/vars/1", variance, 4);
  put (h5, "layers/normalization/vars/2", &count, 0);
}

/* By what was learnt, and by what the configuration says; a variance of 0 counts as 1e-14. */
static void
test_normalization (void)
{
  const float x[] = { 3, 2.5f, -2, 0.5f };
  const double learnt[] = { 1, 1, -1, 0 }, told[] = { 1, 0.75, -1.5, -0.25 };

  compare (load_layer ("Normalization", ", \"axis\": [-1], \"mean\": null, \"variance\": null", 1, "4", fill_normalization), x, &NN_SHAPE (1, 4),
           learnt, 4);
  compare (load_layer ("Normalization", ", \"axis\": -1, \"mean\": 1.0, \"variance\": [4, 4, 4, 4]", 1, "4", fill_nothing), x, &NN_SHAPE (1, 4), told,
           4);
}

static void
fill_norm (NnH5 *h5)
{
  static const float gamma[] = { 2, 3 }, beta[] = { 1, -1 }, mean[] = { 0.5f, -0.5f }, variance[] = { 1, 4 };

  put (h5, "layers/batch_normalization/vars/0", gamma, 2);
  put (h5, "layers/batch_normalization/vars/1", beta, 2);
  put (h5, "layers/batch_normalization/vars/2", mean, 2);
  put (h5, "layers/batch_normalization/vars/3", variance, 2);
}

/* Over the first axis of a sample, not the last, though both have the same extent. */
static void
test_norm_axis (void)
{
  const float x[] = { 1, 2, 3, 4 };
  double want[4];

  for (guint i = 0; i < 4; i++)
    want[i] = i < 2 ? (x[i] - 0.5) / sqrt (1 + 1e-3) * 2 + 1 : (x[i] + 0.5) / sqrt (4 + 1e-3) * 3 - 1;
  package = "keras";
  compare (load_layer ("BatchNormalization", ", \"axis\": 1, \"epsilon\": 0.001", 1, "2, 2", fill_norm), x, &NN_SHAPE (1, 2, 2), want, 4);
  package = "hgq";
}

/* Two matrices over their last axes. */
static void
test_dot (void)
{
  double want[4] = { 0 };

  for (guint i = 0; i < 4; i++)
    for (guint k = 0; k < 2; k++)
      want[i] += x8[i / 2 * 2 + k] * x8[4 + i % 2 * 2 + k];
  package = "keras";
  compare (load_layer ("Dot", ", \"axes\": [2, 2], \"normalize\": false", 2, "2, 2", fill_nothing), x8, &NN_SHAPE (1, 2, 2), want, 4);
  package = "hgq";
}

#define DENSE(rest, inbound) \
  "{\"class_name\": \"Dense\", \"name\": \"l\", \"config\": {\"name\": \"l\", " rest "}, \"inbound_nodes\": [[[\"" inbound "\", 0, 0, {}]]]}"
#define CONV(rest)                                                                                                             \
  "{\"class_name\": \"Reshape\", \"name\": \"r\", \"config\": {\"name\": \"r\", \"target_shape\": [2, 2, 1]}, "                  \
  "\"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}, "                                                                                 \
  "{\"class_name\": \"Conv2D\", \"name\": \"l\", \"config\": {\"name\": \"l\", \"filters\": 2, " rest "}, \"inbound_nodes\": [[[\"r\", 0, 0, {}]]]}"

static void
fill_dense (NnH5 *h5)
{
  put_dense (h5, "l", "l", 4);
}

static void
fill_narrow (NnH5 *h5)
{
  put_dense (h5, "l", "l", 3);
}

/* What is wrong, and words that the message must hold. */
static const struct {
  const char *name, *layers;
  void      (*fill) (NnH5 *h5);
  const char *words;
} broken[] = {
  { "units-word", DENSE ("\"units\": \"two\"", "a"), fill_dense, "\"l\" (Dense)|\"units\"|whole number" },
  { "units-zero", DENSE ("\"units\": 0", "a"), fill_dense, "\"units\" is 0|positive" },
  { "units-missing", DENSE ("\"activation\": \"relu\"", "a"), fill_dense, "\"units\" is missing" },
  { "no-weights", DENSE ("\"units\": 2", "a"), NULL, "\"l\" (Dense)|holds no weight \"kernel\"" },
  { "wrong-shape", DENSE ("\"units\": 2", "a"), fill_narrow, "\"kernel\" has the shape 3 × 2; 4 × 2 is expected" },
  { "activation-number", DENSE ("\"units\": 2, \"activation\": 7", "a"), fill_dense, "\"activation\" is neither a name nor an object" },
  { "bias-word", DENSE ("\"units\": 2, \"use_bias\": \"yes\"", "a"), fill_dense, "\"use_bias\" is neither true nor false" },
  { "not-there", DENSE ("\"units\": 2", "zzz"), fill_dense, "\"l\"|reads output 0 of call 0 of the layer \"zzz\", which there is not" },
  { "circle", DENSE ("\"units\": 4", "l"), fill_dense, "\"l\"|\"inbound_nodes\" go in a circle" },
  { "not-connected", "{\"class_name\": \"Dense\", \"name\": \"l\", \"config\": {\"name\": \"l\", \"units\": 2}, \"inbound_nodes\": []}", fill_dense,
    "\"l\"|\"inbound_nodes\" is empty" },
  { "no-config", "{\"class_name\": \"Dense\", \"name\": \"l\", \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}", fill_dense, "\"l\"|\"class_name\" and \"config\"" },
  { "no-object", "3", NULL, "\"class_name\" and \"config\"" },
  { "twice", DENSE ("\"units\": 2", "a") ", " DENSE ("\"units\": 2", "b"), fill_dense, "two layers are called \"l\"" },
  { "kernel-size", CONV ("\"kernel_size\": [3, 3, 3]"), NULL, "\"l\" (Conv2D)|\"kernel_size\" is not two numbers" },
  { "stride-zero", CONV ("\"kernel_size\": [1, 1], \"strides\": [0, 1]"), NULL, "strides|must be positive" },
  { "input-shape", "{\"class_name\": \"InputLayer\", \"name\": \"l\", \"config\": {\"name\": \"l\"}, \"inbound_nodes\": []}", NULL, "\"l\"" },
  { "reshape", "{\"class_name\": \"Reshape\", \"name\": \"l\", \"config\": {\"name\": \"l\", \"target_shape\": [3, 2]}, \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}",
    NULL, "\"l\" (Reshape)|does not hold its input (3 × 2 and 4)" },
  { "one-input", "{\"class_name\": \"Add\", \"name\": \"l\", \"config\": {\"name\": \"l\"}, \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}", NULL,
    "\"l\" (Add)|takes 2 inputs at the least and is given 1" },
  { "shapes-differ", "{\"class_name\": \"RepeatVector\", \"name\": \"v\", \"config\": {\"name\": \"v\", \"n\": 3}, \"inbound_nodes\": [[[\"b\", 0, 0, {}]]]}, "
                     "{\"class_name\": \"Cropping1D\", \"name\": \"c\", \"config\": {\"name\": \"c\", \"cropping\": [1, 0]}, \"inbound_nodes\": [[[\"v\", 0, 0, {}]]]}, "
                     "{\"class_name\": \"Concatenate\", \"name\": \"l\", \"config\": {\"name\": \"l\", \"axis\": -1}, \"inbound_nodes\": [[[\"v\", 0, 0, {}], [\"c\", 0, 0, {}]]]}",
    NULL, "\"l\" (Concatenate)|differ in shape (3 × 4 and 2 × 4)" },
  { "axis", "{\"class_name\": \"BatchNormalization\", \"name\": \"l\", \"config\": {\"name\": \"l\", \"axis\": 5}, \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}", NULL,
    "\"l\" (BatchNormalization)|\"axis\" is not one of its input's axes" },
  { "quantiser", "{\"class_name\": \"QDense\", \"name\": \"l\", \"config\": {\"name\": \"l\", \"units\": 2, \"kernel_quantizer\": \"quantized_bits(99)\"}, "
                 "\"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}",
    fill_dense, "\"l\" (QDense)|quantized_bits|\"bits\" must be 1 to 64" },
};

static void
test_broken (gconstpointer data)
{
  guint which = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = load_h5 (broken[which].layers, "l", broken[which].fill, &error);
  g_auto (GStrv) words = g_strsplit (broken[which].words, "|", -1);

  g_assert_null (model);
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "odd.h5"));
  for (guint i = 0; words[i] != NULL; i++)
    g_assert_nonnull (strstr (error->message, words[i]));
}

/* Layers that there are not stand in the graph by name, with the reason; before and beside them all goes on. */
static const struct {
  const char *name, *layer, *reason;
} unknown[] = {
  { "class", "{\"class_name\": \"GravNet\", \"name\": \"x\", \"config\": {\"name\": \"x\"}, \"inbound_nodes\": [[[\"d\", 0, 0, {}]]]}", "GravNet" },
  { "lambda", "{\"class_name\": \"Lambda\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"function\": [\"4wE=\", null, null]}, \"inbound_nodes\": [[[\"d\", 0, 0, {}]]]}",
    "Python code" },
  { "activation", "{\"class_name\": \"Activation\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"activation\": \"frobnicate\"}, \"inbound_nodes\": [[[\"d\", 0, 0, {}]]]}",
    "\"frobnicate\" is not known; Keras's linear" },
  { "property", "{\"class_name\": \"Softmax\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"axis\": [0, 1]}, \"inbound_nodes\": [[[\"d\", 0, 0, {}]]]}", "axis" },
  { "function", TF ("x", "linalg.inv", "[\"d\", 0, 0, {\"name\": null}]"), "the function \"inv\"" },
};

static void
fill_d (NnH5 *h5)
{
  put_dense (h5, "d", "d", 4);
}

static void
test_unknown (gconstpointer data)
{
  guint which = GPOINTER_TO_UINT (data), i;
  g_autofree char *layers = g_strdup_printf (
      "{\"class_name\": \"Dense\", \"name\": \"d\", \"config\": {\"name\": \"d\", \"units\": 2}, \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}, %s, "
      "{\"class_name\": \"Flatten\", \"name\": \"f\", \"config\": {\"name\": \"f\"}, \"inbound_nodes\": [[[\"x\", 0, 0, {}]]]}",
      unknown[which].layer);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = load_h5 (layers, "f", fill_d, &error);
  const NnGraph *graph;

  g_assert_no_error (error);
  graph = nn_model_graph (model);
  g_assert_true (nn_graph_find (graph, "x", &i));
  g_assert_cmpint (nn_graph_node (graph, i)->op, ==, NN_OP_UNSUPPORTED);
  g_assert_nonnull (strstr (nn_graph_node (graph, i)->reason, unknown[which].reason));
  g_assert_true (nn_graph_find (graph, "d", &i));
  g_assert_cmpuint (nn_model_parameters (model, nn_graph_node (graph, i)), ==, 10);
}

static void
fill_not_finite (NnH5 *h5)
{
  float kernel[8];

  memcpy (kernel, kernel8, sizeof kernel);
  kernel[3] = NAN;
  put_shaped (h5, "model_weights/l/l/kernel:0", kernel, &NN_SHAPE (4, 2));
  put (h5, "model_weights/l/l/bias:0", bias2, 2);
  g_assert_true (nn_h5_put_strings (h5, "model_weights/l", "weight_names", (const char *const[]){ "l/kernel:0", "l/bias:0", NULL }, NULL));
}

/* A diverged network opens, and says so. */
static void
test_not_finite (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = load_h5 (DENSE ("\"units\": 2", "a"), "l", fill_not_finite, &error);
  guint i;

  g_assert_no_error (error);
  g_assert_true (nn_graph_find (nn_model_graph (model), "l", &i));
  g_assert_nonnull (strstr (nn_graph_node (nn_model_graph (model), i)->reason, "1 of the 8 numbers of its weight \"kernel\""));
}

/* A model "n" that reads @from, with models of its kind within each other so deep, each called four times. */
static char *
calls_within (guint       depth,
              const char *from)
{
  g_autofree char *inner = depth > 0 ? calls_within (depth - 1, "i") : NULL;

  return g_strdup_printf (
      "{\"class_name\": \"Functional\", \"name\": \"n\", \"config\": {\"name\": \"n\", \"layers\": ["
      "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], \"name\": \"i\"}, \"name\": \"i\", \"inbound_nodes\": []}%s%s], "
      "\"input_layers\": [[\"i\", 0, 0]], \"output_layers\": [[\"%s\", 0, 0]]}, \"inbound_nodes\": "
      "[[[\"%s\", 0, 0, {}]], [[\"n\", 0, 0, {}]], [[\"n\", 1, 0, {}]], [[\"n\", 2, 0, {}]]]}",
      inner != NULL ? ", " : "", inner != NULL ? inner : "", inner != NULL ? "n" : "i", from);
}

/* A file of a few kilobytes that stands for 4^12 layers is refused, and soon; one of 4^2 is read. */
static void
test_calls_within (void)
{
  g_autofree char *few = calls_within (2, "a"), *many = calls_within (12, "a");
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) small = load_h5 (few, "n", NULL, &error);
  g_autoptr (NnModel) large = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (small);
  large = load_h5 (many, "n", NULL, &error);
  g_assert_null (large);
  g_assert_nonnull (strstr (error->message, "too many layers"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/odd/model-twice", test_twice);
  g_test_add_func ("/load/odd/tf-functions", test_tf_functions);
  g_test_add_func ("/load/odd/normalization", test_normalization);
  g_test_add_func ("/load/odd/norm-axis", test_norm_axis);
  g_test_add_func ("/load/odd/dot", test_dot);
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      g_autofree char *name = g_strconcat ("/load/broken/", broken[i].name, NULL);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_broken);
    }
  for (guint i = 0; i < G_N_ELEMENTS (unknown); i++)
    {
      g_autofree char *name = g_strconcat ("/load/unknown/", unknown[i].name, NULL);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_unknown);
    }
  g_test_add_func ("/load/odd/not-finite", test_not_finite);
  g_test_add_func ("/load/odd/calls-within", test_calls_within);
  return g_test_run ();
}

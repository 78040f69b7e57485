/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras layers against what their definitions say: channels first, masks, states, cells, norms over several axes. */

#include "test-keras-h5.h"

#define RESHAPE(shape) \
  "{\"class_name\": \"Reshape\", \"name\": \"r\", \"config\": {\"name\": \"r\", \"target_shape\": [" shape "]}, \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]}, "
#define LAYER(class_name, name, rest, inbound) \
  "{\"class_name\": \"" class_name "\", \"name\": \"" name "\", \"config\": {\"name\": \"" name "\"" rest "}, \"inbound_nodes\": [[[\"" inbound "\", 0, 0, {}]]]}"

static const float eight[] = { 0.4f, -0.7f, 0.3f, 0.9f, -0.2f, 0.6f, 0.8f, -0.5f, 0.1f, -0.9f };

static guint
count_ops (NnModel *model,
           NnOp     op)
{
  const NnGraph *graph = nn_model_graph (model);
  guint n = 0;

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    n += nn_graph_node (graph, i)->op == op;
  return n;
}

static void
put_list (NnH5               *h5,
          const char         *layer,
          const char *const  *names,
          const NnShape      *shapes,
          guint               n)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *group = g_strdup_printf ("model_weights/%s", layer);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s/%s:0", group, layer, names[i]);

      /* all begin at another place of the same numbers */
      put_shaped (h5, path, eight + i, &shapes[i]);
      g_ptr_array_add (list, g_strdup_printf ("%s/%s:0", layer, names[i]));
    }
  g_ptr_array_add (list, NULL);
  g_assert_true (nn_h5_put_strings (h5, group, "weight_names", (const char *const *) list->pdata, NULL));
}

/* As compare(); before that, written in both of Keras's formats and read again, it answers the same. */
static void
compare_saved (NnModel      *model,
               const double *want,
               gsize         n)
{
  static const char *const names[] = { "again.h5", "again.keras" };
  g_autofree char *folder = test_folder ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      g_autoptr (GError) error = NULL;
      NnModel *back;

      g_assert_true (nn_model_save (model, path, &error));
      g_assert_no_error (error);
      back = nn_model_load (path, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      g_unlink (path);
      compare (back, x8, &NN_SHAPE (1, 4), want, n);
    }
  g_rmdir (folder);
  compare (model, x8, &NN_SHAPE (1, 4), want, n);
}

static void
fill_conv (NnH5 *h5)
{
  put_list (h5, "c", (const char *const[]){ "kernel", "bias" }, (const NnShape[]){ NN_SHAPE (1, 1, 2, 2), NN_SHAPE (2) }, 2);
}

#define FIRST ", \"data_format\": \"channels_first\""

/* Two channels of one row and two columns: one permutation before the chain; what is flattened in the file's order has one more. */
static void
test_channels_first (void)
{
  static const char chain[] = RESHAPE ("2, 1, 2") LAYER ("Conv2D", "c", ", \"filters\": 2, \"kernel_size\": [1, 1]" FIRST, "r") ", "
      LAYER ("Activation", "act", ", \"activation\": \"relu\"", "c") ", ";
  static const char *const ends[] = { LAYER ("Flatten", "f", ", \"data_format\": \"channels_last\"", "act"), LAYER ("Flatten", "f", FIRST, "act") };

  for (guint end = 0; end < 2; end++)
    {
      g_autofree char *layers = g_strconcat (chain, ends[end], NULL);
      g_autoptr (GError) error = NULL;
      NnModel *model = load_h5 (layers, "f", fill_conv, &error);
      double want[4];

      g_assert_no_error (error);
      for (guint c = 0; c < 2; c++)
        for (guint w = 0; w < 2; w++)
          want[end == 0 ? 2 * c + w : 2 * w + c] = MAX (x8[w] * eight[c] + x8[2 + w] * eight[2 + c] + eight[1 + c], 0);
      g_assert_cmpuint (count_ops (model, NN_OP_PERMUTE), ==, end == 0 ? 2 : 1);
      compare_saved (model, want, 4);
    }
}

static void
fill_rnn (NnH5 *h5)
{
  put_list (h5, "l", (const char *const[]){ "kernel", "recurrent_kernel", "bias" },
            (const NnShape[]){ NN_SHAPE (2, 2), NN_SHAPE (2, 2), NN_SHAPE (2) }, 3);
}

/* Two steps of a simple recurrent layer whose weights begin at @w, in and out in place. */
static void
simple_rnn (double      *steps,
            const float *w,
            gboolean     back)
{
  double h[2] = { 0, 0 };

  for (guint k = 0; k < 2; k++)
    {
      double *x = steps + 2 * (back ? 1 - k : k), next[2];

      for (guint o = 0; o < 2; o++)
        next[o] = tanh (x[0] * w[o] + x[1] * w[2 + o] + h[0] * w[1 + o] + h[1] * w[3 + o] + w[2 + o]);
      memcpy (x, next, sizeof next);
      memcpy (h, next, sizeof next);
    }
}

static void
as_doubles (double *to)
{
  for (guint i = 0; i < 4; i++)
    to[i] = x8[i];
}

#define UNITS ", \"units\": 2, \"activation\": \"tanh\""

/* Within one call it is nothing that a layer keeps its state; the state is the last of its steps. */
static void
test_states (void)
{
  static const char layers[] = RESHAPE ("2, 2") LAYER ("SimpleRNN", "l", UNITS ", \"stateful\": true, \"return_sequences\": true, \"return_state\": true", "r") ", "
      "{\"class_name\": \"Activation\", \"name\": \"o\", \"config\": {\"name\": \"o\", \"activation\": \"linear\"}, \"inbound_nodes\": [[[\"l\", 0, 1, {}]]]}";
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (layers, "o", fill_rnn, &error);
  double want[4];

  g_assert_no_error (error);
  as_doubles (want);
  simple_rnn (want, eight, FALSE);
  compare_saved (model, want + 2, 2);
}

/* Two of them, the second's weights three numbers further on. */
static void
put_two (NnH5              *h5,
         const char *const *names)
{
  static const NnShape shapes[] = { { 2, { 2, 2 } }, { 2, { 2, 2 } }, { 1, { 2 } }, { 2, { 2, 2 } }, { 2, { 2, 2 } }, { 1, { 2 } } };

  put_list (h5, "l", names, shapes, 6);
}

static void
fill_stack (NnH5 *h5)
{
  put_two (h5, (const char *const[]){ "s/cell/kernel", "s/cell/recurrent_kernel", "s/cell/bias", "s/cell_1/kernel", "s/cell_1/recurrent_kernel", "s/cell_1/bias" });
}

static void
fill_both (NnH5 *h5)
{
  put_two (h5, (const char *const[]){ "forward_s/kernel", "forward_s/recurrent_kernel", "forward_s/bias", "backward_s/kernel", "backward_s/recurrent_kernel",
                                      "backward_s/bias" });
}

/* Both ways without a merge: two outputs, here their difference. */
static void
test_two_outputs (void)
{
  static const char layers[] = RESHAPE ("2, 2") LAYER ("Bidirectional", "l", ", \"merge_mode\": null, \"layer\": {\"class_name\": \"SimpleRNN\", \"config\": "
      "{\"name\": \"s\", \"return_sequences\": true" UNITS "}}", "r") ", "
      "{\"class_name\": \"Subtract\", \"name\": \"o\", \"config\": {\"name\": \"o\"}, \"inbound_nodes\": [[[\"l\", 0, 0, {}], [\"l\", 0, 1, {}]]]}";
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (layers, "o", fill_both, &error);
  double want[4], back[4];

  g_assert_no_error (error);
  as_doubles (want);
  as_doubles (back);
  simple_rnn (want, eight, FALSE);
  simple_rnn (back, eight + 3, TRUE);
  for (guint i = 0; i < 4; i++)
    want[i] -= back[i];
  compare (model, x8, &NN_SHAPE (1, 4), want, 4);
}

/* The cells of a stack, one after the other. */
static void
test_cells (void)
{
  static const char one[] = "{\"class_name\": \"SimpleRNNCell\", \"config\": {\"units\": 2, \"activation\": \"tanh\"}}";
  g_autofree char *layers = g_strdup_printf (
      RESHAPE ("2, 2") "{\"class_name\": \"RNN\", \"name\": \"l\", \"config\": {\"name\": \"l\", \"return_sequences\": true, \"cell\": "
                       "{\"class_name\": \"StackedRNNCells\", \"config\": {\"cells\": [%s, %s]}}}, \"inbound_nodes\": [[[\"r\", 0, 0, {}]]]}",
      one, one);
  g_autoptr (GError) error = NULL;
  NnModel *model;
  double want[4];

  model = load_h5 (layers, "l", fill_stack, &error);
  g_assert_no_error (error);
  as_doubles (want);
  simple_rnn (want, eight, FALSE);
  simple_rnn (want, eight + 3, FALSE);
  compare_saved (model, want, 4);
}

/* A mask changes nothing but what passes over its steps, which then is not computed. */
static void
test_mask (void)
{
  static const char before[] = RESHAPE ("2, 2") LAYER ("Masking", "m", ", \"mask_value\": 0.0", "r") ", ";
  g_autofree char *plain = g_strconcat (before, LAYER ("Flatten", "f", "", "m"), NULL), *passed = g_strconcat (before, LAYER ("SimpleRNN", "l", UNITS, "m"), NULL);
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (plain, "f", NULL, &error);
  double want[4];
  guint i;

  g_assert_no_error (error);
  as_doubles (want);
  compare (model, x8, &NN_SHAPE (1, 4), want, 4);
  model = load_h5 (passed, "l", fill_rnn, &error);
  g_assert_no_error (error);
  g_assert_true (nn_graph_find (nn_model_graph (model), "l", &i));
  g_assert_cmpint (nn_graph_node (nn_model_graph (model), i)->op, ==, NN_OP_UNSUPPORTED);
  g_assert_nonnull (strstr (nn_graph_node (nn_model_graph (model), i)->reason, "a mask hides"));
  nn_model_unref (model);
}

static void
fill_norm (NnH5 *h5)
{
  put_list (h5, "n", (const char *const[]){ "gamma", "beta" }, (const NnShape[]){ NN_SHAPE (2, 2), NN_SHAPE (2, 2) }, 2);
}

static void
fill_group (NnH5 *h5)
{
  put_list (h5, "n", (const char *const[]){ "gamma", "beta" }, (const NnShape[]){ NN_SHAPE (2), NN_SHAPE (2) }, 2);
}

/* @of: which numbers are normalised together */
static void
normalise (double      *x,
           const guint *of,
           guint        n)
{
  double mean = 0, variance = 0;

  for (guint i = 0; i < n; i++)
    mean += x[of[i]] / n;
  for (guint i = 0; i < n; i++)
    variance += (x[of[i]] - mean) * (x[of[i]] - mean) / n;
  for (guint i = 0; i < n; i++)
    x[of[i]] = (x[of[i]] - mean) / sqrt (variance + 0.01);
}

static void
test_norms (void)
{
  static const guint all[] = { 0, 1, 2, 3 }, groups[2][2] = { { 0, 2 }, { 1, 3 } };
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (RESHAPE ("2, 2") LAYER ("LayerNormalization", "n", ", \"axis\": [1, 2], \"epsilon\": 0.01", "r"), "n", fill_norm, &error);
  double want[4];

  g_assert_no_error (error);
  as_doubles (want);
  normalise (want, all, 4);
  for (guint i = 0; i < 4; i++)
    want[i] = want[i] * eight[i] + eight[1 + i];
  compare_saved (model, want, 4);
  model = load_h5 (RESHAPE ("2, 2") LAYER ("GroupNormalization", "n", ", \"axis\": -1, \"groups\": 2, \"epsilon\": 0.01", "r"), "n", fill_group, &error);
  g_assert_no_error (error);
  as_doubles (want);
  for (guint i = 0; i < 2; i++)
    normalise (want, groups[i], 2);
  for (guint i = 0; i < 4; i++)
    want[i] = want[i] * eight[i % 2] + eight[1 + i % 2];
  compare_saved (model, want, 4);
}

/* One number for each channel, and one mean for all. */
static void
test_scales (void)
{
  static const double factors[] = { 2, -1, 0.5, 3 }, offsets[] = { 1, 0, -2, 4 };
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (LAYER ("Rescaling", "s", ", \"scale\": [2, -1, 0.5, 3], \"offset\": [1, 0, -2, 4]", "a"), "s", NULL, &error);
  double want[4];

  g_assert_no_error (error);
  for (guint i = 0; i < 4; i++)
    want[i] = x8[i] * factors[i] + offsets[i];
  compare_saved (model, want, 4);
  model = load_h5 (LAYER ("Normalization", "s", ", \"axis\": null, \"mean\": 0.5, \"variance\": 4.0", "a"), "s", NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 4; i++)
    want[i] = (x8[i] - 0.5) / 2;
  compare_saved (model, want, 4);
}

/* What pictures are varied by in training is nothing afterwards. */
static void
test_augmentation (void)
{
  g_autoptr (GError) error = NULL;
  NnModel *model = load_h5 (RESHAPE ("2, 2, 1") LAYER ("RandomFlip", "f", ", \"mode\": \"horizontal\"", "r"), "f", NULL, &error);
  double want[4];

  g_assert_no_error (error);
  as_doubles (want);
  compare_saved (model, want, 4);
}

/* QKeras's powers of two: even exponents, found of the square root; leaky below zero; its own hard sigmoid. */
static void
test_qkeras (void)
{
  static const struct {
    const char *layers;
    double      want[4];
  } cases[] = {
    /* 0.3: log2 (sqrt (0.3)) is -0.87, so 4^-1; 5: 1.16, 4^1; what is not above 0 is the least, 2^-16 */
    { LAYER ("QActivation", "q", ", \"activation\": \"quantized_relu_po2(5,quadratic_approximation=True)\"", "a"), { 0.25, 1.0 / 65536, 4, 1.0 / 65536 } },
    { LAYER ("QActivation", "q", ", \"activation\": \"quantized_relu_po2(5,negative_slope=0.25)\"", "a"), { 0.25, -0.25, 4, -2 } },
    { LAYER ("QActivation", "q", ", \"activation\": \"hard_sigmoid\"", "a"), { 0.5 * 0.3f + 0.5, 0, 1, 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      NnModel *model = load_h5 (cases[i].layers, "q", NULL, &error);

      g_assert_no_error (error);
      compare_saved (model, cases[i].want, 4);
    }
}

/* An output that is not had is a node of its own, so that the rest of the network can be seen. */
static void
test_missing_output (void)
{
  static const char layers[] = LAYER ("GravNet", "g", "", "a") ", "
      "{\"class_name\": \"Activation\", \"name\": \"o\", \"config\": {\"name\": \"o\", \"activation\": \"relu\"}, \"inbound_nodes\": [[[\"g\", 0, 1, {}]]]}";
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = load_h5 (layers, "o", NULL, &error);
  guint i;

  g_assert_no_error (error);
  g_assert_true (nn_graph_find (nn_model_graph (model), "g__output1", &i));
  g_assert_nonnull (strstr (nn_graph_node (nn_model_graph (model), i)->reason, "output 1 of the layer \"g\" (GravNet)"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/layers/channels-first", test_channels_first);
  g_test_add_func ("/load/layers/states", test_states);
  g_test_add_func ("/load/layers/two-outputs", test_two_outputs);
  g_test_add_func ("/load/layers/cells", test_cells);
  g_test_add_func ("/load/layers/mask", test_mask);
  g_test_add_func ("/load/layers/norms", test_norms);
  g_test_add_func ("/load/layers/scales", test_scales);
  g_test_add_func ("/load/layers/augmentation", test_augmentation);
  g_test_add_func ("/load/layers/qkeras", test_qkeras);
  g_test_add_func ("/load/layers/missing-output", test_missing_output);
  return g_test_run ();
}

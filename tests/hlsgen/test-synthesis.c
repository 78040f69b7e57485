/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pruned hardware through an open synthesiser: the circuit that an emitted Resource layer describes - its multipliers, what
 * its memory holds, which input and output meet in which cycle - written out in Verilog from the project's own files and
 * given to yosys. As many DSP blocks come out as multipliers are left, and unpruned as many as there would be.
 *
 * It says nothing of what a vendor's HLS tool makes of the C++; that is for the vendor's tool.
 */

#include "test-network.h"

#include <stdlib.h>

#define N_IN 12 /* of a convolution: 3 taps of 4 channels */
#define N_OUT 8
#define TAPS 3
#define FRACTION 10 /* bits behind the point of fixed<16,6> */

typedef struct {
  guint   n_in, n_out, reuse, n_live;
  gint64 *weights; /* (multiplier, cycle), as integers */
  guint  *live;    /* number that each multiplier has in the unpruned matrix */
} Layer;

static const char *
text_of (const HlsProject *project,
         const char       *path)
{
  const char *text = hls_project_bytes (project, path, NULL);

  if (text == NULL)
    g_error ("%s is not in the project", path);
  return text;
}

static guint
constant (const char *parameters,
          const char *name)
{
  g_autofree char *word = g_strdup_printf ("static const unsigned %s = ", name);
  const char *at = strstr (parameters, word);

  g_assert_nonnull (at);
  return (guint) strtoul (at + strlen (word), NULL, 10);
}

/* The numbers between the braces of an array's header. */
static void
read_array (const char *text,
            guint       n,
            double     *values)
{
  const char *at = strchr (text, '{');

  g_assert_nonnull (at);
  for (guint i = 0; i < n; i++)
    {
      at += strspn (at, "{, \n");
      values[i] = g_ascii_strtod (at, (char **) &at);
    }
  g_assert_cmpint (at[strspn (at, " \n")], ==, '}');
}

static Layer
read_layer (const HlsProject *project)
{
  const char *parameters = text_of (project, "firmware/parameters.h");
  Layer layer = { constant (parameters, "n_in"), constant (parameters, "n_out"), constant (parameters, "reuse_factor"),
                  constant (parameters, "n_live"), NULL, NULL };
  guint n = layer.n_live * layer.reuse;
  g_autofree double *weights = g_new (double, n), *live = g_new (double, layer.n_live);

  layer.weights = g_new (gint64, n);
  layer.live = g_new (guint, layer.n_live);
  read_array (text_of (project, "firmware/weights/w1.h"), n, weights);
  if (hls_project_bytes (project, "firmware/weights/live1.h", NULL) != NULL)
    read_array (text_of (project, "firmware/weights/live1.h"), layer.n_live, live);
  else
    for (guint m = 0; m < layer.n_live; m++)
      live[m] = m;
  for (guint k = 0; k < n; k++)
    layer.weights[k] = (gint64) (weights[k] * (1 << FRACTION));
  for (guint m = 0; m < layer.n_live; m++)
    layer.live[m] = (guint) live[m];
  return layer;
}

/* What nnet_dense.h says of multiplier and cycle. */
static void
place_of (const Layer *layer,
          guint        multiplier,
          guint        cycle,
          guint       *input,
          guint       *output)
{
  if (layer->reuse <= layer->n_in)
    {
      guint per_output = layer->n_in / layer->reuse;

      *output = multiplier / per_output;
      *input = multiplier % per_output * layer->reuse + cycle;
      return;
    }
  *output = multiplier * (layer->reuse / layer->n_in) + cycle / layer->n_in;
  *input = cycle % layer->n_in;
}

static char *
verilog (const Layer *layer)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "module top(input clk, input [7:0] cycle, input [%u:0] x, output [%u:0] y);\n", 16 * layer->n_in - 1,
                          40 * layer->n_out - 1);
  for (guint m = 0; m < layer->n_live; m++)
    {
      g_string_append_printf (text, "  reg signed [15:0] w%u, i%u; reg signed [31:0] p%u; reg [7:0] o%u, q%u;\n  always @* case (cycle)\n", m, m, m, m, m);
      for (guint c = 0; c < layer->reuse; c++)
        {
          guint input, output;

          place_of (layer, layer->live[m], c, &input, &output);
          g_string_append_printf (text, "    %u: begin w%u = %s16'd%" G_GINT64_FORMAT "; i%u = x[%u:%u]; o%u = %u; end\n", c, m,
                                  layer->weights[m * layer->reuse + c] < 0 ? "-" : "", ABS (layer->weights[m * layer->reuse + c]), m,
                                  16 * input + 15, 16 * input, m, output);
        }
      g_string_append_printf (text, "    default: begin w%u = 16'bx; i%u = 16'bx; o%u = 8'bx; end\n  endcase\n"
                                    "  always @(posedge clk) begin p%u <= i%u * w%u; q%u <= o%u; end\n", m, m, m, m, m, m, m, m);
    }
  for (guint o = 0; o < layer->n_out; o++)
    {
      g_string_append_printf (text, "  reg signed [39:0] a%u; assign y[%u:%u] = a%u;\n  always @(posedge clk) a%u <= (cycle == 0 ? 40'sd0 : a%u)", o, 40 * o + 39,
                              40 * o, o, o, o);
      for (guint m = 0; m < layer->n_live; m++)
        {
          guint input, first, last;

          place_of (layer, layer->live[m], 0, &input, &first);
          place_of (layer, layer->live[m], layer->reuse - 1, &input, &last);
          if (o >= first && o <= last)
            g_string_append_printf (text, " + (q%u == %u ? p%u : 32'sd0)", m, o, m);
        }
      g_string_append (text, ";\n");
    }
  g_string_append (text, "endmodule\n");
  return g_string_free (text, FALSE);
}

static guint
cells_of (const char *statistics,
          const char *cell)
{
  g_autofree char *word = g_strdup_printf (" %s ", cell);
  const char *at = strstr (statistics, word);

  return at != NULL ? (guint) strtoul (at + strlen (word), NULL, 10) : 0;
}

static void
synthesise (const Layer *layer,
            guint       *dsp,
            guint       *lut)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "top.v", NULL), *text = verilog (layer), *out = NULL;
  const char *argv[] = { "yosys", "-q", "-p", "read_verilog top.v; synth_xilinx -family xc7 -top top -noiopad -flatten; tee -o stat.txt stat", NULL };
  g_autofree char *statistics = g_build_filename (folder, "stat.txt", NULL), *found = NULL;
  int status;

  g_assert_true (g_file_set_contents (path, text, -1, &error));
  g_assert_true (g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &out, &status, &error));
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("yosys: %s", out);
  g_assert_true (g_file_get_contents (statistics, &found, NULL, &error));
  *dsp = cells_of (found, "DSP48E1");
  *lut = cells_of (found, "LUT2") + cells_of (found, "LUT3") + cells_of (found, "LUT4") + cells_of (found, "LUT5") + cells_of (found, "LUT6");
  remove_folder (folder);
}

/* The same matrix as a dense layer, or under a window that moves. */
static void
add_matrix (TestNetwork *n,
            gboolean     conv)
{
  NnNode *node;
  guint ids[2];

  if (!conv)
    {
      network_input (n, "x", &NN_SHAPE (N_IN));
      network_dense (n, "fc", N_IN, N_OUT);
      return;
    }
  network_input (n, "x", &NN_SHAPE (6, N_IN / TAPS));
  node = network_add (n, NN_OP_CONV1D, "conv");
  node->attrs.kernel[0] = TAPS;
  node->attrs.stride[0] = node->attrs.dilation[0] = node->attrs.groups = 1;
  node->attrs.padding = NN_PADDING_VALID;
  node->attrs.units = N_OUT;
  node->attrs.use_bias = TRUE;
  ids[0] = network_weight (n, "conv", "kernel", NN_ROLE_KERNEL, &NN_SHAPE (TAPS, N_IN / TAPS, N_OUT), 0.5);
  ids[1] = network_weight (n, "conv", "bias", NN_ROLE_BIAS, &NN_SHAPE (N_OUT), 0.5);
  nn_graph_builder_weights (n->builder, node, ids, 2);
}

static void
count (const char *io,
       gboolean    conv,
       guint       reuse,
       gboolean    pruned,
       guint      *left,
       guint      *dsp,
       guint      *lut)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *config = g_strdup_printf ("{\"Backend\":\"Vitis\",\"IOType\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":%u,"
                                             "\"Strategy\":\"Resource\"}}}", io, reuse);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  TestNetwork n;
  Layer layer;

  network_begin (&n);
  add_matrix (&n, conv);
  if (pruned)
    network_prune (n.weights[0].values, reuse, 3);
  model = network_end (&n);
  design = network_design (model, config);
  project = hls_project_new (design, NULL, &error);
  g_assert_no_error (error);
  layer = read_layer (project);
  *left = layer.n_live;
  synthesise (&layer, dsp, lut);
  g_test_message ("%s, %s, reuse factor %u%s: %u multipliers, %u DSP48E1, %u LUT", conv ? "conv" : "dense", io, reuse, pruned ? ", pruned" : "", *left, *dsp, *lut);
  g_free (layer.weights);
  g_free (layer.live);
}

/* Below and above the number of inputs, dense and convolution, from projects in parallel and in streams. */
static void
test_multipliers (void)
{
  static const guint reuses[] = { 4, 24 };
  g_autofree char *yosys = g_find_program_in_path ("yosys");

  if (yosys == NULL)
    {
      g_test_skip ("yosys is not here");
      return;
    }
  for (guint i = 0; i < 4 * G_N_ELEMENTS (reuses); i++)
    {
      const char *io = i & 1 ? "io_stream" : "io_parallel";
      gboolean conv = (i & 2) != 0;
      guint reuse = reuses[i / 4];
      guint all, left, all_dsp, left_dsp, all_lut, left_lut;

      count (io, conv, reuse, FALSE, &all, &all_dsp, &all_lut);
      count (io, conv, reuse, TRUE, &left, &left_dsp, &left_lut);
      g_assert_cmpuint (all, ==, N_IN * N_OUT / reuse);
      g_assert_cmpuint (left, ==, (all + 2) / 3);
      g_assert_cmpuint (all_dsp, ==, all);
      g_assert_cmpuint (left_dsp, ==, left);
      g_assert_cmpuint (left_lut, <, all_lut);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/synthesis/multipliers", test_multipliers);
  return g_test_run ();
}

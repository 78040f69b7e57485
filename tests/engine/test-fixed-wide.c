/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fixed: sums of products in types of 1 to 64 bits, all roundings and overflows, beside a twin that knows nothing but the
 * rules: products of 128 bits, one assignment after the other.
 */

#include "nn-fixed-exec.h"
#include "nn-rng.h"

#include <math.h>
#include <string.h>

#define N_INPUTS 7
#define N_HIDDEN 5
#define N_OUTPUTS 4
#define N_SAMPLES 70 /* a full block and a part of one */
#define N_NETWORKS (28 * 40)

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UWide;

static const char *const roundings[] = { "TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV" };
static const char *const overflows[] = { "WRAP", "SAT", "SAT_ZERO", "SAT_SYM" };

/* Sign and magnitude, so that nothing is shared with the engine's way. */
typedef struct {
  gboolean negative;
  UWide    magnitude;
} Number;

static Number
number_of_wide (Wide v)
{
  return (Number){ .negative = v < 0, .magnitude = v < 0 ? -(UWide) v : (UWide) v };
}

/* The magnitude with @shift bits less. */
static UWide
twin_round (Number     v,
            int        shift,
            NnRounding mode)
{
  UWide q = shift < 128 ? v.magnitude >> shift : 0, rest = shift < 128 ? v.magnitude - (q << shift) : v.magnitude;
  int half = shift > 128 ? -1 : rest > (UWide) 1 << (shift - 1) ? 1 : rest == (UWide) 1 << (shift - 1) ? 0 : -1;

  switch (mode)
    {
    case NN_ROUND_TRN:
      return q + (v.negative && rest != 0);
    case NN_ROUND_RND:
      return q + (half > 0 || (half == 0 && !v.negative));
    case NN_ROUND_RND_ZERO:
      return q + (half > 0);
    case NN_ROUND_RND_INF:
      return q + (half >= 0);
    case NN_ROUND_RND_MIN_INF:
      return q + (half > 0 || (half == 0 && v.negative));
    case NN_ROUND_RND_CONV:
      return q + (half > 0 || (half == 0 && q % 2 == 1));
    case NN_ROUND_TRN_ZERO:
    default:
      return q;
    }
}

/* The number v / 2^fraction as the type holds it. */
static Wide
twin_assign (const NnType *type,
             Number        v,
             int           fraction)
{
  int shift = fraction - nn_type_fraction (type), spare = 128 - type->width;
  UWide max = ((UWide) 1 << (type->width - (type->is_signed ? 1 : 0))) - 1;
  UWide least = !type->is_signed ? 0 : type->overflow == NN_OVERFLOW_SAT_SYM ? max : max + 1, limit = v.negative ? least : max, q, bits;
  gboolean over;

  q = shift > 0 ? twin_round (v, shift, type->rounding) : shift <= -128 ? 0 : v.magnitude << -shift;
  over = shift > 0 ? q > limit : v.magnitude != 0 && (shift <= -128 || v.magnitude > limit >> -shift);
  bits = v.negative ? -q : q;
  if (type->overflow == NN_OVERFLOW_WRAP)
    return type->is_signed ? (Wide) (bits << spare) >> spare : (Wide) (bits << spare >> spare);
  if (over && type->overflow == NN_OVERFLOW_SAT_ZERO)
    return 0;
  return over ? (v.negative ? -(Wide) limit : (Wide) limit) : (Wide) bits;
}

/* What a number of the type is, given its 64 bits. */
static Wide
number_of (const NnType *type,
           gint64        raw)
{
  return type->is_signed ? (Wide) raw : (Wide) (guint64) raw;
}

static void
twin_dense (const NnDesign *design,
            guint           layer,
            const NnType   *in_type,
            const Wide     *x,
            gsize           n_in,
            Wide           *y,
            gsize           n_out)
{
  const NnLayerPlan *p = nn_design_plan (design, layer);
  const gint64 *w = nn_design_raw (design, layer, NN_ROLE_KERNEL)->data, *bias = nn_design_raw (design, layer, NN_ROLE_BIAS)->data;

  for (gsize o = 0; o < n_out; o++)
    {
      Wide acc = twin_assign (&p->accum, number_of_wide (number_of (&p->bias, bias[o])), nn_type_fraction (&p->bias));

      for (gsize i = 0; i < n_in; i++)
        {
          Number a = number_of_wide (x[i]), b = number_of_wide (number_of (&p->weight, w[i * n_out + o]));
          Number product = { .negative = a.negative != b.negative, .magnitude = a.magnitude * b.magnitude };

          if (product.magnitude == 0)
            continue;
          acc += twin_assign (&p->accum, product, nn_type_fraction (in_type) + nn_type_fraction (&p->weight));
          acc = twin_assign (&p->accum, number_of_wide (acc), nn_type_fraction (&p->accum));
        }
      y[o] = twin_assign (&p->result, number_of_wide (acc), nn_type_fraction (&p->accum));
    }
}

static NnTensor *
random_tensor (NnRng         *rng,
               const NnShape *shape,
               double         scale)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, shape);

  for (gsize i = 0; i < tensor->n; i++)
    nn_tensor_f32 (tensor)[i] = (float) (scale * nn_rng_normal (rng));
  return tensor;
}

static NnModel *
random_model (NnRng *rng)
{
  static const gint64 sizes[] = { N_INPUTS, N_HIDDEN, N_OUTPUTS };
  static const char *const names[] = { "x", "first", "second" };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = NULL;
  NnGraphBuilder *builder = nn_graph_builder_new ();
  NnWeight weights[4];
  NnModel *model;

  nn_graph_builder_add (builder, NN_OP_INPUT, "x", "InputLayer", NULL, 0)->shape = NN_SHAPE (N_INPUTS);
  for (guint k = 1; k < 3; k++)
    {
      guint input = k - 1, ids[] = { 2 * input, 2 * input + 1 };
      NnNode *node = nn_graph_builder_add (builder, NN_OP_DENSE, names[k], "Dense", &input, 1);

      node->attrs.units = sizes[k];
      node->attrs.use_bias = TRUE;
      weights[ids[0]] = (NnWeight){ .name = "kernel", .layer = node->name, .role = NN_ROLE_KERNEL,
                                    .values = random_tensor (rng, &NN_SHAPE (sizes[k - 1], sizes[k]), 0.8) };
      weights[ids[1]] = (NnWeight){ .name = "bias", .layer = node->name, .role = NN_ROLE_BIAS,
                                    .values = random_tensor (rng, &NN_SHAPE (sizes[k]), 0.4) };
      nn_graph_builder_weights (builder, node, ids, 2);
    }
  nn_graph_builder_output (builder, 2);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, weights, 4, &(NnModelInfo){ .name = "test", .format = "test" }, &error);
  g_assert_no_error (error);
  nn_graph_builder_free (builder);
  for (guint i = 0; i < 4; i++)
    nn_tensor_unref (weights[i].values);
  return model;
}

static char *
random_type (NnRng *rng,
             int    least,
             int    most,
             guint  mode)
{
  int width = least + (int) nn_rng_below (rng, (guint64) (most - least + 1)), integer = 1 + (int) nn_rng_below (rng, (guint64) MIN (width, 12));

  return g_strdup_printf ("%sfixed<%d,%d,%s,%s>", nn_rng_below (rng, 5) == 0 ? "u" : "", width, integer, roundings[mode % 7], overflows[mode / 7 % 4]);
}

/* Types around @most bits; the accumulators of both layers in the mode. */
static NnDesign *
random_design (NnRng         *rng,
               const NnModel *model,
               int            most,
               guint          mode)
{
  static const char *const variables[] = { "weight", "bias", "accum", "result" };
  g_autoptr (GString) text = g_string_new ("{\"Model\":{\"Precision\":\"fixed<32,8>\",\"Strategy\":\"Latency\"},\"LayerName\":{");
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autofree char *input = random_type (rng, MAX (most / 2, 2), most, (guint) nn_rng_below (rng, 28));
  NnDesign *design;

  g_string_append_printf (text, "\"x\":{\"Precision\":{\"result\":\"%s\"}}", input);
  for (guint k = 0; k < 2; k++)
    {
      g_string_append_printf (text, ",\"%s\":{\"Precision\":{", k == 0 ? "first" : "second");
      for (guint v = 0; v < G_N_ELEMENTS (variables); v++)
        {
          g_autofree char *type = random_type (rng, MAX (most / 2, 2), v == 3 && nn_rng_below (rng, 2) ? MAX (most / 2, 2) : most,
                                               v == 2 ? mode : (guint) nn_rng_below (rng, 28));

          g_string_append_printf (text, "%s\"%s\":\"%s\"", v > 0 ? "," : "", variables[v], type);
        }
      g_string_append (text, "}}");
    }
  g_string_append (text, "}}");
  config = nn_config_parse (text->str, &error);
  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  return design;
}

static void
compare_with_twin (const NnDesign *design,
                   const NnTensor *input,
                   const NnTensor *output)
{
  const NnType *types[3];

  for (guint k = 0; k < 3; k++)
    types[k] = &nn_design_plan (design, k)->result;
  for (gsize b = 0; b < N_SAMPLES; b++)
    {
      Wide x[N_INPUTS], hidden[N_HIDDEN], y[N_OUTPUTS];

      for (gsize i = 0; i < N_INPUTS; i++)
        x[i] = number_of (types[0], nn_type_quantize (types[0], nn_tensor_get (input, b * N_INPUTS + i), NULL));
      twin_dense (design, 1, types[0], x, N_INPUTS, hidden, N_HIDDEN);
      twin_dense (design, 2, types[1], hidden, N_HIDDEN, y, N_OUTPUTS);
      for (gsize o = 0; o < N_OUTPUTS; o++)
        g_assert_cmpfloat (nn_tensor_get (output, b * N_OUTPUTS + o), ==, nn_type_real (types[2], (gint64) y[o]));
    }
}

/* As it is, and counting overflows, which takes the slow way. */
static void
run_network (guint seed,
             int   most)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnTensor) input = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (N_SAMPLES, N_INPUTS));
  guint64 counts[3] = { 0 };
  NnFixedOptions options = { .overflows = counts };
  NnRng rng;

  nn_rng_init (&rng, seed);
  model = random_model (&rng);
  design = random_design (&rng, model, most, seed);
  for (gsize k = 0; k < input->n; k++)
    nn_tensor_f64 (input)[k] = nn_rng_normal (&rng) * (nn_rng_below (&rng, 4) == 0 ? 100 : 1);
  for (guint counting = 0; counting < 2; counting++)
    {
      g_autofree NnTensor **outputs = nn_fixed_predict (design, &input, counting ? &options : NULL, NULL, NULL, &error);

      g_assert_no_error (error);
      compare_with_twin (design, input, outputs[0]);
      nn_tensor_unref (outputs[0]);
    }
}

static void
test_widths (gconstpointer data)
{
  for (guint k = 0; k < N_NETWORKS; k++)
    run_network (k, GPOINTER_TO_INT (data));
}

int
main (int    argc,
      char **argv)
{
  static const int widths[] = { 9, 16, 24, 32, 48, 64 };

  g_test_init (&argc, &argv, NULL);
  for (guint k = 0; k < G_N_ELEMENTS (widths); k++)
    {
      g_autofree char *path = g_strdup_printf ("/fixed/sums-of-%d-bits", widths[k]);

      g_test_add_data_func (path, GINT_TO_POINTER (widths[k]), test_widths);
    }
  return g_test_run ();
}

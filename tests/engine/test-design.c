/* SPDX-License-Identifier: GPL-3.0-or-later */
/* design: passes, types, reuse factors, raw weights. */

#include "nn-design.h"

#include "nn-error.h"
#include "nn-passes.h"

#include <string.h>

static NnTensor *
ramp (const NnShape *shape,
      double         step)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, shape);

  for (gsize k = 0; k < tensor->n; k++)
    nn_tensor_f32 (tensor)[k] = (float) ((double) k * step - 1);
  return tensor;
}

typedef struct {
  NnGraphBuilder *builder;
  GArray         *weights;
} Maker;

static void
maker_init (Maker         *maker,
            const NnShape *input)
{
  maker->builder = nn_graph_builder_new ();
  maker->weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  nn_graph_builder_add (maker->builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = *input;
}

static guint
maker_weight (Maker      *maker,
              const char *layer,
              NnRole      role,
              NnTensor   *values)
{
  NnWeight weight = { .name = nn_role_name (role), .layer = layer, .role = role, .values = values };

  g_array_append_val (maker->weights, weight);
  return maker->weights->len - 1;
}

static NnNode *
maker_dense (Maker      *maker,
             const char *name,
             guint       input,
             gint64      n_in,
             gint64      n_out,
             NnAct       act)
{
  NnNode *node = nn_graph_builder_add (maker->builder, NN_OP_DENSE, name, NULL, &input, 1);
  guint ids[2] = { maker_weight (maker, name, NN_ROLE_KERNEL, ramp (&NN_SHAPE (n_in, n_out), 0.01)),
                   maker_weight (maker, name, NN_ROLE_BIAS, ramp (&NN_SHAPE (n_out), 0.1)) };

  node->attrs.units = n_out;
  node->attrs.use_bias = TRUE;
  node->attrs.act = act;
  nn_graph_builder_weights (maker->builder, node, ids, 2);
  return node;
}

static NnNode *
maker_batch_norm (Maker      *maker,
                  const char *name,
                  guint       input,
                  gint64      n)
{
  static const NnRole roles[] = { NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_MEAN, NN_ROLE_VARIANCE };
  NnNode *node = nn_graph_builder_add (maker->builder, NN_OP_BATCH_NORM, name, NULL, &input, 1);
  guint ids[4];

  for (guint k = 0; k < 4; k++)
    {
      NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n));

      for (gint64 c = 0; c < n; c++)
        nn_tensor_f32 (values)[c] = k == 0 ? 2 : k == 1 ? 0.5f : k == 2 ? 0.25f : 4;
      ids[k] = maker_weight (maker, name, roles[k], values);
    }
  nn_graph_builder_weights (maker->builder, node, ids, 4);
  return node;
}

static NnModel *
maker_finish (Maker *maker)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = nn_graph_builder_seal (maker->builder, &error);
  NnModel *model;

  g_assert_no_error (error);
  model = nn_model_new (graph, (NnWeight *) (gpointer) maker->weights->data, maker->weights->len, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < maker->weights->len; i++)
    nn_tensor_unref (g_array_index (maker->weights, NnWeight, i).values);
  g_array_unref (maker->weights);
  nn_graph_builder_free (maker->builder);
  return model;
}

static NnConfig *
config_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  NnConfig *config = nn_config_parse (text, &error);

  g_assert_no_error (error);
  return config;
}

static void
assert_type (const NnType *type,
             const char   *text)
{
  g_autofree char *have = nn_type_to_string (type);

  g_assert_cmpstr (have, ==, text);
}

static guint
index_of (const NnDesign *design,
          const char     *name)
{
  guint i = 0;

  g_assert_true (nn_graph_find (nn_model_graph (nn_design_model (design)), name, &i));
  return i;
}

static void
test_auto_types (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = config_of ("{\"granularity\": \"name\", \"Model\": {\"Precision\": \"fixed<16,6>\", \"ReuseFactor\": 1}}");
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  Maker maker;

  maker_init (&maker, &NN_SHAPE (16));
  maker_dense (&maker, "fc", 0, 16, 8, NN_ACT_RELU);
  model = maker_finish (&maker);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  assert_type (&nn_design_plan (design, index_of (design, "fc"))->accum, "fixed<37,17>");
  assert_type (&nn_design_plan (design, index_of (design, "fc"))->result, "fixed<37,17>");
  assert_type (&nn_design_plan (design, index_of (design, "fc_relu"))->result, "fixed<16,6>");
  g_assert_cmpstr (nn_graph_node (nn_model_graph (nn_design_model (design)), index_of (design, "fc_relu"))->origin, ==, "fc");
}

static void
test_maximum (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = config_of (
    "{\"granularity\": \"name\", \"Model\": {\"Precision\": {\"default\": \"fixed<16,6>\", \"maximum\": \"fixed<20,10>\"}, \"ReuseFactor\": 1}}");
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  Maker maker;

  maker_init (&maker, &NN_SHAPE (16));
  maker_dense (&maker, "fc", 0, 16, 8, NN_ACT_LINEAR);
  model = maker_finish (&maker);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  assert_type (&nn_design_plan (design, index_of (design, "fc"))->accum, "fixed<20,10>");
}

/* The text of two decimal digits turns 0.249 into 0.25 before fixed<4,2> sees it (reference, types.py). */
static void
test_raw (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = config_of ("{\"granularity\": \"model\", \"Model\": {\"Precision\": \"fixed<4,2>\", \"ReuseFactor\": 1}}");
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  const gint64 *raw;
  NnTensor *values;
  Maker maker;
  NnNode *node;
  guint input = 0, id;

  maker_init (&maker, &NN_SHAPE (1));
  node = nn_graph_builder_add (maker.builder, NN_OP_DENSE, "fc", NULL, &input, 1);
  values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, 4));
  memcpy (values->data, (float[]){ 0.249f, 0.2f, -0.1f, 5 }, 4 * sizeof (float));
  id = maker_weight (&maker, "fc", NN_ROLE_KERNEL, values);
  node->attrs.units = 4;
  nn_graph_builder_weights (maker.builder, node, &id, 1);
  model = maker_finish (&maker);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  raw = nn_design_raw (design, index_of (design, "fc"), NN_ROLE_KERNEL)->data;
  g_assert_cmpint (raw[0], ==, 1);
  g_assert_cmpint (raw[1], ==, 0);
  g_assert_cmpint (raw[2], ==, -1);
  g_assert_cmpint (raw[3], ==, 4); /* 20 wraps */
  g_assert_null (nn_design_raw (design, index_of (design, "fc"), NN_ROLE_BIAS));
}

/* Every weight exactly once, in the order of hls4ml's transposed matrix. */
static void
test_weight_index (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = config_of ("{\"Model\": {\"Precision\": \"fixed<16,6>\", \"ReuseFactor\": 5, \"Strategy\": \"Resource\"}}");
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  const NnLayerPlan *plan;
  gboolean seen[48] = { FALSE };
  Maker maker;

  maker_init (&maker, &NN_SHAPE (16));
  maker_dense (&maker, "fc", 0, 16, 3, NN_ACT_LINEAR);
  model = maker_finish (&maker);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  plan = nn_design_plan (design, index_of (design, "fc"));
  g_assert_cmpuint (plan->wanted_reuse_factor, ==, 5);
  g_assert_cmpuint (plan->reuse_factor, ==, 4);
  g_assert_cmpuint (plan->block_factor, ==, 12);
  g_assert_cmpuint (g_strv_length ((char **) nn_design_warnings (design)), ==, 1);
  for (gsize f = 0; f < 48; f++)
    {
      gsize at = nn_design_weight_index (design, index_of (design, "fc"), NN_ROLE_KERNEL, f);

      g_assert_cmpuint (at, ==, f % 16 * 3 + f / 16);
      g_assert_false (seen[at]);
      seen[at] = TRUE;
    }
}

/* Folded only where the result type is left open. */
static void
test_batch_norm (void)
{
  for (guint by_name = 0; by_name < 2; by_name++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnConfig) config = nn_config_new ();
      g_autoptr (NnModel) model = NULL;
      g_autoptr (NnDesign) design = NULL;
      const NnGraph *graph;
      const NnWeight *kernel;
      Maker maker;

      nn_config_set_granularity (config, by_name ? NN_GRANULARITY_NAME : NN_GRANULARITY_MODEL);
      maker_init (&maker, &NN_SHAPE (4));
      maker_dense (&maker, "fc", 0, 4, 3, NN_ACT_LINEAR);
      maker_batch_norm (&maker, "bn", 1, 3);
      model = maker_finish (&maker);
      design = nn_design_new (model, config, &error);
      g_assert_no_error (error);
      graph = nn_model_graph (nn_design_model (design));
      g_assert_cmpuint (nn_graph_n_nodes (graph), ==, by_name ? 2 : 3);
      kernel = nn_model_node_weight (nn_design_model (design), nn_graph_node (graph, 1), NN_ROLE_KERNEL);
      /* gamma / sqrt (variance) = 1 within single precision */
      g_assert_cmpfloat_with_epsilon (nn_tensor_f32 (kernel->values)[5], -0.95f, 1e-6);
      if (!by_name)
        g_assert_cmpint (nn_graph_node (graph, 2)->op, ==, NN_OP_SCALE);
    }
}

static void
test_passes_listed (void)
{
  const char *const skip[] = { "split-activations", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL, lowered = NULL, all = NULL;
  guint n;
  const NnPass *passes = nn_passes (&n);
  Maker maker;

  g_assert_cmpuint (n, >, 10);
  for (guint i = 0; i < n; i++)
    g_assert_true (strstr (passes[i].did[0], "%u") != NULL && strstr (passes[i].did[1], "%u") != NULL);
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < i; k++)
      g_assert_cmpstr (passes[i].name, !=, passes[k].name);
  maker_init (&maker, &NN_SHAPE (4));
  maker_dense (&maker, "fc", 0, 4, 3, NN_ACT_RELU);
  model = maker_finish (&maker);
  lowered = nn_passes_run (model, NULL, skip, &error);
  g_assert_no_error (error);
  all = nn_passes_run (model, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_graph_n_nodes (nn_model_graph (lowered)), ==, 2);
  g_assert_cmpuint (nn_graph_n_nodes (nn_model_graph (all)), ==, 3);
}

/* Which layer a pass met. */
static void
check_met (const NnDesign *design,
           const char     *pass,
           const char     *layer)
{
  guint n;
  const char *const *met = nn_design_pass_layers (design, nn_pass_find (pass) - nn_passes (&n));

  g_assert_cmpstr (met[0], ==, layer);
  g_assert_true (layer == NULL || met[1] == NULL);
}

/* A configuration leaves passes out, by our name or hls4ml's; what hardware needs stays. */
static void
test_passes_skipped (void)
{
  static const struct { const char *words; guint n_nodes; gboolean warns; } cases[] = {
    { "[]", 2, FALSE }, { "[\"fuse-batch-norm\"]", 3, FALSE }, { "[\"fuse_batch_normalization\"]", 3, FALSE },
    { "[\"reshape_stream\"]", 2, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases) + 1; i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"Model\": {\"Precision\": \"fixed<16,6>\", \"ReuseFactor\": 1}, \"Granularity\": \"name\", \"SkipOptimizers\": %s}",
                                               i < G_N_ELEMENTS (cases) ? cases[i].words : "[\"split-activations\"]");
      g_autoptr (NnConfig) config = config_of (text);
      g_autoptr (NnModel) model = NULL;
      g_autoptr (NnDesign) design = NULL;
      g_autoptr (GError) error = NULL;
      Maker maker;

      maker_init (&maker, &NN_SHAPE (4));
      maker_dense (&maker, "fc", 0, 4, 3, NN_ACT_LINEAR);
      maker_batch_norm (&maker, "bn", 1, 3);
      model = maker_finish (&maker);
      design = nn_design_new (model, config, &error);
      if (i == G_N_ELEMENTS (cases))
        {
          g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
          break;
        }
      g_assert_no_error (error);
      g_assert_cmpuint (nn_graph_n_nodes (nn_model_graph (nn_design_model (design))), ==, cases[i].n_nodes);
      g_assert_cmpint (nn_design_warnings (design)[0] != NULL, ==, cases[i].warns);
      check_met (design, "fuse-batch-norm", cases[i].n_nodes == 2 ? "bn" : NULL);
      check_met (design, "lower-batch-norm", "bn");
      check_met (design, "split-separable", NULL);
    }
}

static void
test_refused (void)
{
  static const struct { const char *text; int code; const char *word; } cases[] = {
    { "{\"Model\": {\"Precision\": \"float\", \"ReuseFactor\": 1}, \"LayerName\": {\"fc\": {\"Precision\": {\"weight\": \"float\"}}}}", NN_ERROR_UNSUPPORTED, "fc" },
    { "{\"Model\": {\"Precision\": \"fixed<8,3,TRN,WRAP,2>\", \"ReuseFactor\": 1}}", NN_ERROR_UNSUPPORTED, "saturation bits" },
    { "{\"Model\": {\"Precision\": \"fixed<8,3>\", \"ReuseFactor\": 1}, \"LayerName\": {\"fd\": {\"ReuseFactor\": 2}}}", NN_ERROR_FORMAT, "fc" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnConfig) config = config_of (cases[i].text);
      g_autoptr (NnModel) model = NULL;
      Maker maker;

      maker_init (&maker, &NN_SHAPE (4));
      maker_dense (&maker, "fc", 0, 4, 3, NN_ACT_RELU);
      model = maker_finish (&maker);
      g_assert_null (nn_design_new (model, config, &error));
      g_assert_error (error, NN_ERROR, cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].word));
    }
}

/* A network of one dense layer with softmax. */
static NnDesign *
classifier (const char *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = config_of (settings);
  g_autoptr (NnModel) model = NULL;
  NnDesign *design;
  Maker maker;

  maker_init (&maker, &NN_SHAPE (4));
  maker_dense (&maker, "fc", 0, 4, 3, NN_ACT_SOFTMAX);
  model = maker_finish (&maker);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  return design;
}

/* What is asked for in vain is told, once; what hls4ml writes by itself is not. */
static void
test_unheeded (void)
{
  static const struct { const char *text, *warning; } cases[] = {
    { "{\"Model\": {\"BramFactor\": 1000000000, \"ConvImplementation\": \"LineBuffer\", \"TraceOutput\": false, \"Static\": true}}", NULL },
    { "{\"Model\": {\"BramFactor\": 12}, \"WriterConfig\": {\"Namespace\": null, \"WriteTar\": false}, \"LayerType\": {\"Dense\": {}}}", NULL },
    { "{\"Model\": {\"BramFactor\": 11}}", "BramFactor: 11" },
    { "{\"Model\": {\"conv_implementation\": \"Encoded\"}}", "ConvImplementation: Encoded" },
    { "{\"Model\": {}, \"WriterConfig\": {\"Namespace\": \"mine\"}}", "Namespace: \"mine\"" },
    { "{\"Model\": {}, \"LayerType\": {\"Conv9D\": {\"ReuseFactor\": 2}}}", "LayerType Conv9D" },
    { "{\"Model\": {}, \"LayerName\": {\"fc\": {\"Precision\": {\"wieght\": \"fixed<8,3>\"}}}}", "did you mean \"weight\"" },
    { "{\"Model\": {}, \"LayerName\": {\"fc\": {\"Precision\": {\"weight\": \"fixed<8,3>\", \"pointwise_accum\": \"fixed<9,3>\"}}}}", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (NnDesign) design = classifier (cases[i].text);
      const char *const *warnings = nn_design_warnings (design);

      g_assert_cmpuint (g_strv_length ((char **) warnings), ==, cases[i].warning != NULL ? 1 : 0);
      if (cases[i].warning != NULL)
        g_assert_nonnull (strstr (warnings[0], cases[i].warning));
    }
}

/* Sizes of a softmax's tables: as many entries as the bits of their index can say, and as those of the word have. */
static void
test_softmax_tables (void)
{
  static const struct { const char *settings; guint exponentials, inverses; gboolean warns; } cases[] = {
    { "\"TableSize\": 512", 512, 512, FALSE },
    { "\"TableSize\": 1000", 1024, 1024, TRUE },
    { "\"TableSize\": 512, \"ExpTableSize\": 128, \"inv_table_size\": 64", 128, 64, FALSE },
    { "\"ExpTableSize\": 100, \"InvTableSize\": 1048576", 128, 1 << 18, TRUE },
    { "\"TableSize\": 1000, \"Implementation\": \"legacy\"", 1000, 1000, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"Model\": {\"Precision\": \"fixed<16,2>\"}, \"LayerType\": {\"Activation\": {%s},"
                                               " \"Softmax\": {%s}}}", cases[i].settings, cases[i].settings);
      g_autoptr (NnDesign) design = classifier (text);
      guint last = nn_graph_n_nodes (nn_model_graph (nn_design_model (design))) - 1;
      const NnLayerPlan *p = nn_design_plan (design, last);

      g_assert_cmpuint (p->exp_table_size, ==, cases[i].exponentials);
      g_assert_cmpuint (p->inv_table_size, ==, cases[i].inverses);
      g_assert_cmpint (nn_design_warnings (design)[0] != NULL, ==, cases[i].warns);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/design/auto-types", test_auto_types);
  g_test_add_func ("/design/maximum", test_maximum);
  g_test_add_func ("/design/raw", test_raw);
  g_test_add_func ("/design/weight-index", test_weight_index);
  g_test_add_func ("/design/batch-norm", test_batch_norm);
  g_test_add_func ("/design/passes-listed", test_passes_listed);
  g_test_add_func ("/design/passes-skipped", test_passes_skipped);
  g_test_add_func ("/design/refused", test_refused);
  g_test_add_func ("/design/unheeded", test_unheeded);
  g_test_add_func ("/design/softmax-tables", test_softmax_tables);
  return g_test_run ();
}

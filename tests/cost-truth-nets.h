/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole networks of published syntheses: rebuilt from their weights, or loaded, for estimates of the total. */

#pragma once

#include "cost-truth.h"
#include "nn-estimate.h"
#include "nn-load.h"

typedef struct {
  char       *name;
  gboolean    calibrated; /* its layers were used to set coefficients */
  gboolean    lawful;     /* its types and weights are those of the laws of multipliers */
  NnEstimate *estimate;
  double      measured[NN_N_RESOURCES], latency, interval;
} TruthNet;

static inline void
truth_net_free (gpointer data)
{
  TruthNet *net = data;

  g_free (net->name);
  nn_estimate_free (net->estimate);
  g_free (net);
}

/* Dense layers with relu between and softmax or nothing behind; the weights of layer l are rows[l]'s. */
static inline NnModel *
truth_mlp (GPtrArray *rows,
           NnAct last)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = NULL;
  g_autofree NnWeight *weights = g_new0 (NnWeight, 2 * rows->len);
  guint input = 0;
  NnModel *model;

  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (((TruthRow *) rows->pdata[0])->matrix.n_in);
  for (guint l = 0; l < rows->len; l++)
    {
      const NnMatrix *m = &((TruthRow *) rows->pdata[l])->matrix;
      char *name = g_strdup_printf ("fc%u", l);
      NnNode *node = nn_graph_builder_add (builder, NN_OP_DENSE, name, NULL, &input, 1);
      guint ids[2] = { 2 * l, 2 * l + 1 };

      node->attrs.units = m->n_out;
      node->attrs.use_bias = TRUE;
      node->attrs.act = l + 1 < rows->len ? NN_ACT_RELU : last;
      weights[2 * l] = (NnWeight) { .name = "kernel", .layer = name, .role = NN_ROLE_KERNEL,
                                    .values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (m->n_in, m->n_out)) };
      weights[2 * l + 1] = (NnWeight) { .name = "bias", .layer = name, .role = NN_ROLE_BIAS,
                                        .values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (m->n_out)) };
      for (gsize k = 0; k < m->n_in * m->n_out; k++)
        nn_tensor_f32 (weights[2 * l].values)[k] = (float) nn_type_real (&m->weight, m->raw[k]);
      for (gsize k = 0; k < m->n_out; k++)
        nn_tensor_f32 (weights[2 * l + 1].values)[k] = 0.5f;
      nn_graph_builder_weights (builder, node, ids, 2);
      input = nn_graph_builder_n_nodes (builder) - 1;
    }
  nn_graph_builder_output (builder, input);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, weights, 2 * rows->len, NULL, &error);
  g_assert_no_error (error);
  for (guint w = 0; w < 2 * rows->len; w++)
    nn_tensor_unref (weights[w].values);
  for (guint l = 0; l < rows->len; l++)
    g_free ((char *) weights[2 * l].layer);
  return model;
}

static inline void
truth_set_precision (NnLayerConfig *layer,
                     const char    *variable,
                     NnType         type)
{
  g_hash_table_insert (layer->precision, g_strdup (variable), g_memdup2 (&type, sizeof type));
}

/* The layers' own types; a relu in between hands on the next layer's input type. */
static inline NnDesign *
truth_mlp_design (GPtrArray   *rows,
                  NnAct last)
{
  g_autoptr (NnModel) model = truth_mlp (rows, last);
  g_autoptr (NnConfig) config = nn_config_new ();
  g_autoptr (GError) error = NULL;
  NnDesign *design;
  const NnMatrix *first = &((TruthRow *) rows->pdata[0])->matrix;

  nn_config_set_clock_ns (config, first->clock_ns);
  nn_config_set_uncertainty (config, first->uncertainty);
  nn_config_set_part (config, first->part->name);
  nn_config_model (config)->strategy = NN_STRATEGY_LATENCY;
  nn_config_model (config)->reuse_factor = first->reuse;
  truth_set_precision (nn_config_layer (config, "in"), "result", first->input);
  for (guint l = 0; l < rows->len; l++)
    {
      const NnMatrix *m = &((TruthRow *) rows->pdata[l])->matrix;
      g_autofree char *name = g_strdup_printf ("fc%u", l), *relu = g_strdup_printf ("fc%u_relu", l);
      NnLayerConfig *layer = nn_config_layer (config, name);

      layer->reuse_factor = m->reuse;
      truth_set_precision (layer, "weight", m->weight);
      truth_set_precision (layer, "bias", m->weight);
      truth_set_precision (layer, "accum", m->accum);
      truth_set_precision (layer, "result", m->accum);
      if (l + 1 < rows->len)
        truth_set_precision (nn_config_layer (config, relu), "result", ((TruthRow *) rows->pdata[l + 1])->matrix.input);
    }
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  return design;
}

static inline NnEstimate *
truth_mlp_estimate (GPtrArray   *rows,
                    NnAct last)
{
  g_autoptr (NnDesign) design = truth_mlp_design (rows, last);
  g_autoptr (GError) error = NULL;
  NnEstimate *estimate = nn_estimate (design, ((TruthRow *) rows->pdata[0])->matrix.part, &error);

  g_assert_no_error (error);
  return estimate;
}

static inline void
truth_net_add (GPtrArray  *nets,
               char       *name,
               gboolean    calibrated,
               NnEstimate *estimate,
               const double figures[6])
{
  static const NnResource order[4] = { NN_RESOURCE_DSP, NN_RESOURCE_BRAM, NN_RESOURCE_LUT, NN_RESOURCE_FF };
  TruthNet *net = g_new0 (TruthNet, 1);

  net->name = name;
  net->calibrated = calibrated;
  /* widths of HGQ's inputs are not published; the two CNNs were trained anew for their syntheses */
  net->lawful = !g_str_has_prefix (name, "jets by HGQ") && !g_str_has_prefix (name, "SVHN");
  net->estimate = estimate;
  for (guint k = 0; k < 4; k++)
    net->measured[order[k]] = figures[k];
  net->latency = figures[4];
  net->interval = figures[5];
  g_ptr_array_add (nets, net);
}

/* Rows of one network and reuse factor, in the order of its layers: each feeds the next. */
static inline GPtrArray *
truth_chain (GPtrArray  *rows,
             const char *set,
             const char *network,
             guint       reuse)
{
  GPtrArray *chain = g_ptr_array_new (), *own = g_ptr_array_new ();
  gsize n_in = 0;

  for (guint i = 0; i < rows->len; i++)
    {
      const TruthRow *row = rows->pdata[i];
      gboolean again = FALSE;

      if (!g_str_equal (row->set, set) || !g_str_equal (row->network, network) || row->matrix.reuse != reuse)
        continue;
      /* two projects hold the same layers */
      for (guint k = 0; k < own->len; k++)
        again = again || (((TruthRow *) own->pdata[k])->matrix.n_in == row->matrix.n_in
                          && ((TruthRow *) own->pdata[k])->matrix.n_out == row->matrix.n_out);
      if (!again)
        g_ptr_array_add (own, rows->pdata[i]);
    }
  /* the first layer is the one whose inputs no other one gives */
  for (guint i = 0; i < own->len; i++)
    {
      const NnMatrix *m = &((TruthRow *) own->pdata[i])->matrix;
      gboolean fed = FALSE;

      for (guint j = 0; j < own->len; j++)
        fed = fed || (i != j && ((TruthRow *) own->pdata[j])->matrix.n_out == m->n_in);
      if (!fed)
        n_in = m->n_in;
    }
  while (own->len > 0 && chain->len < 8)
    {
      guint found = own->len;

      for (guint i = 0; i < own->len && found == own->len; i++)
        if (((TruthRow *) own->pdata[i])->matrix.n_in == n_in)
          {
            /* of two that fit (32x5 and 32x32), the square one stands before */
            found = i;
            for (guint j = 0; j < own->len; j++)
              if (((TruthRow *) own->pdata[j])->matrix.n_in == n_in && ((TruthRow *) own->pdata[j])->matrix.n_out == n_in)
                found = j;
          }
      if (found == own->len)
        break;
      n_in = ((TruthRow *) own->pdata[found])->matrix.n_out;
      g_ptr_array_add (chain, g_ptr_array_steal_index (own, found));
    }
  g_ptr_array_unref (own);
  return chain;
}

/* The figures of a design as its row of a table has them. */
static inline void
truth_figures (GHashTable *cells,
               double      figures[6])
{
  static const char *const columns[6] = { "DSP", "BRAM_18K", "LUT", "FF", "Worst-caseLatency", "Interval-max" };

  for (guint k = 0; k < 6; k++)
    figures[k] = truth_number (cells, columns[k]);
}

/* Networks of argykokk_mlp; the normalisations of breast cancer, whose parameters are not published, are left out. */
static inline void
truth_argykokk_nets (GPtrArray  *nets,
                     GPtrArray  *rows,
                     const char *folder)
{
  g_autofree char *csv = g_build_filename (folder, "argykokk_mlp_vitis2021.1.csv", NULL);
  g_autoptr (GPtrArray) table = truth_csv (csv);

  for (guint i = 0; i < table->len; i++)
    {
      GHashTable *cells = table->pdata[i];
      const char *model = g_hash_table_lookup (cells, "model"), *config = g_hash_table_lookup (cells, "cfg");
      guint reuse = g_str_has_prefix (config, "DSP_reuse") ? (guint) g_ascii_strtoull (config + strlen ("DSP_reuse"), NULL, 10) : 0;
      g_autoptr (GPtrArray) chain = reuse > 0 ? truth_chain (rows, "argykokk", model, reuse) : g_ptr_array_new ();
      double figures[6];

      if (chain->len == 0)
        continue;
      truth_figures (cells, figures);
      truth_net_add (nets, g_strdup_printf ("%s, RF %u (Vitis HLS 2021.1)", model, reuse),
                     ((TruthRow *) chain->pdata[0])->part == TRUTH_CALIBRATION, truth_mlp_estimate (chain, NN_ACT_SOFTMAX), figures);
    }
}

/* The pruned jets (two projects hold the same) and those with a width for each weight, which end in no softmax. */
static inline void
truth_lrozzy_nets (GPtrArray  *nets,
                   GPtrArray  *rows,
                   const char *folder)
{
  g_autofree char *csv = g_build_filename (folder, "lrozzy_openml", "tops.csv", NULL);
  g_autoptr (GPtrArray) table = truth_csv (csv);

  for (guint i = 0; i < table->len; i++)
    {
      GHashTable *cells = table->pdata[i];
      const char *project = g_hash_table_lookup (cells, "project");
      gboolean mixed = g_str_has_prefix (project, "model_3"), again = g_str_has_prefix (project, "model_2.2");
      g_autoptr (GPtrArray) chain = again ? g_ptr_array_new () : truth_chain (rows, "lrozzy", mixed ? project : "model_2", 1);
      double figures[6];

      if (chain->len != 4)
        continue;
      truth_figures (cells, figures);
      truth_net_add (nets, g_strdup_printf ("%s%s (Vitis HLS 2024.1)", mixed ? "jets by HGQ, " : "pruned jets", mixed ? project : ""), !mixed,
                     truth_mlp_estimate (chain, mixed ? NN_ACT_LINEAR : NN_ACT_SOFTMAX), figures);
    }
}

/* hls4ml-tutorial's pruned CNNs in a stream, Vivado HLS 2020.1, 16 bits and 6 bits (QKeras): no part of them was used for
 * any coefficient but pooling's and relu's means, to which the first one's modules gave their share. */
static inline void
truth_cnn (GPtrArray *nets)
{
  static const struct { const char *name, *file; double figures[6]; } cases[] = {
    { "SVHN CNN, 50 % pruned, stream (Vivado HLS 2020.1)", "models/keras_h5/svhn_pruned_cnn.kv214.h5",
      { 5414, 100, 245466, 52549, 1044, 1028 } },
    { "SVHN CNN, 6 bits, 50 % pruned, stream (Vivado HLS 2020.1)", "models/qkeras/svhn_quantized_pruned_cnn.keras",
      { 340, 100, 263280, 43847, 1044, 1028 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = test_shared_path (cases[i].file);
      g_autoptr (NnModel) model = path != NULL ? nn_model_load (path, NULL, NULL, NULL, NULL) : NULL;
      g_autoptr (NnConfig) config = nn_config_new ();
      g_autoptr (NnDesign) design = NULL;

      nn_config_set_backend (config, NN_BACKEND_VIVADO);
      nn_config_set_io_type (config, NN_IO_STREAM);
      nn_config_set_part (config, "xcu250-figd2104-2L-e");
      nn_config_model (config)->strategy = NN_STRATEGY_LATENCY;
      nn_config_model (config)->reuse_factor = 1;
      design = model != NULL ? nn_design_new (model, config, NULL) : NULL;
      if (design != NULL)
        truth_net_add (nets, g_strdup (cases[i].name), FALSE, nn_estimate (design, NULL, NULL), cases[i].figures);
    }
}

/* Two GRU taggers of uw-acme/HLS4ML_VS_MANUAL, Resource, Vivado HLS 2019.2; reuse factors follow from their DSPs. */
static inline void
truth_gru (GPtrArray *nets)
{
  static const struct { const char *name, *file, *config; double figures[6]; } cases[] = {
    { "top tagger, GRU, RF 30/20 (Vivado HLS 2019.2)", "models/keras3_zip/toptag_gru.keras",
      "{\"Backend\": \"Vivado\", \"IOType\": \"io_parallel\", \"Part\": \"xcu250-figd2104-2L-e\", \"ClockPeriod\": 5, \"HLSConfig\": {\"Model\": "
      "{\"Precision\": \"ap_fixed<16,6>\", \"ReuseFactor\": 30, \"Strategy\": \"Resource\"}, \"LayerName\": {\"layer1\": {\"RecurrentReuseFactor\": 20}}}}",
      { 198, 93, 82840, 15194, 878, 822 } },
    { "flavour tagger, GRU, 4 bits, RF 30 (Vivado HLS 2019.2)", "models/keras3_zip/ftag_gru.keras",
      "{\"Backend\": \"Vivado\", \"IOType\": \"io_parallel\", \"Part\": \"xcu250-figd2104-2L-e\", \"ClockPeriod\": 5, \"HLSConfig\": {\"Model\": "
      "{\"Precision\": \"ap_fixed<4,2>\", \"ReuseFactor\": 30, \"Strategy\": \"Resource\"}, \"LayerName\": {\"gru\": {\"RecurrentReuseFactor\": 30}}}}",
      { 123, 374, 122749, 14906, 667, 572 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = test_shared_path (cases[i].file);
      g_autoptr (NnModel) model = path != NULL ? nn_model_load (path, NULL, NULL, NULL, NULL) : NULL;
      g_autoptr (NnConfig) config = nn_config_parse (cases[i].config, NULL);
      g_autoptr (NnDesign) design = model != NULL && config != NULL ? nn_design_new (model, config, NULL) : NULL;

      if (design != NULL)
        truth_net_add (nets, g_strdup (cases[i].name), TRUE, nn_estimate (design, NULL, NULL), cases[i].figures);
    }
}

static inline GPtrArray *
truth_nets (GPtrArray *rows)
{
  GPtrArray *nets = g_ptr_array_new_with_free_func (truth_net_free);
  g_autofree char *folder = test_shared_path ("resource-truth");

  if (folder != NULL)
    {
      truth_argykokk_nets (nets, rows, folder);
      truth_lrozzy_nets (nets, rows, folder);
    }
  truth_cnn (nets);
  truth_gru (nets);
  return nets;
}

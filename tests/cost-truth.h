/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrices of published syntheses beside a checkout (resource-truth), for the tests and the benchmark of the estimator. */

#pragma once

#include "nn-dataset.h"
#include "nn-matrix-cost.h"
#include "nn-rng.h"
#include "nn-text.h"
#include "test-shared.h"

#include <archive.h>
#include <archive_entry.h>
#include <math.h>
#include <string.h>

/* How a row was used: coefficients were calibrated on it; it was kept apart; its types are not those of the laws. */
typedef enum { TRUTH_CALIBRATION, TRUTH_HELD_OUT, TRUTH_MIXED } TruthPart;

typedef struct _TruthRow TruthRow;

struct _TruthRow {
  const char *set;      /* "argykokk", "lrozzy", "wa-hls4ml", "ECE226" */
  char       *network;  /* what must not be in both parts */
  TruthPart   part;
  NnMatrix    matrix;
  gint64     *raw;      /* owned */
  NnType     *inputs;   /* owned; of the matrix */
  gboolean    alone;    /* the whole design is this layer: its figures hold those of the interface */
  gsize       n_nonzero;
  double      measured[NN_N_RESOURCES], latency, interval;
  guint       order;    /* of the layer in its network */
  TruthRow   *before;
};

static inline void
truth_row_free (gpointer data)
{
  TruthRow *row = data;

  g_free (row->network);
  g_free (row->raw);
  g_free (row->inputs);
  g_free (row);
}

/* Rows of a .csv as tables by column; cells may be quoted. */
static inline GPtrArray *
truth_csv (const char *path)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autoptr (GPtrArray) head = g_ptr_array_new_with_free_func (g_free);

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return rows;
  lines = g_strsplit (text, "\n", -1);
  for (guint l = 0; lines[l] != NULL && *g_strstrip (lines[l]) != '\0'; l++)
    {
      GHashTable *row = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      g_autoptr (GString) cell = g_string_new (NULL);
      gboolean quoted = FALSE;
      guint column = 0;

      for (const char *p = lines[l];; p++)
        {
          if (*p == '"')
            quoted = !quoted;
          else if ((*p == ',' && !quoted) || *p == '\0')
            {
              if (l == 0)
                g_ptr_array_add (head, g_strdup (cell->str));
              else if (column < head->len)
                g_hash_table_insert (row, g_strdup (head->pdata[column]), g_strdup (cell->str));
              column++;
              g_string_truncate (cell, 0);
              if (*p == '\0')
                break;
            }
          else
            g_string_append_c (cell, *p);
        }
      if (l == 0)
        g_hash_table_unref (row);
      else
        g_ptr_array_add (rows, row);
    }
  return rows;
}

static inline double
truth_number (GHashTable *row,
              const char *column)
{
  const char *cell = g_hash_table_lookup (row, column);
  double number;

  return cell != NULL && nn_text_to_double (cell, &number) ? number : NAN;
}

/* "x, y, ..." as integers of @type; @round where the numbers are not on the grid yet. */
static inline gint64 *
truth_weights_text (const char   *path,
                    const NnType *type,
                    gsize         n)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) cells = NULL;
  gint64 *raw;
  gsize k = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  g_strdelimit (text, "\n", ',');
  cells = g_strsplit (text, ",", -1);
  raw = g_new0 (gint64, n);
  for (guint i = 0; cells[i] != NULL && k < n; i++)
    {
      double value;

      if (nn_text_to_double (cells[i], &value))
        raw[k++] = (gint64) floor (ldexp (value, nn_type_fraction (type)));
    }
  if (k != n)
    g_clear_pointer (&raw, g_free);
  return raw;
}

static inline TruthRow *
truth_row_new (const char *set,
               const char *network,
               TruthPart   part,
               GHashTable *row,
               const char *suffix)
{
  static const char *const columns[NN_N_RESOURCES] = { "DSP", "BRAM_18K", "LUT", "FF", "URAM" };
  TruthRow *truth = g_new0 (TruthRow, 1);

  truth->set = set;
  truth->network = g_strdup (network);
  truth->part = part;
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    {
      g_autofree char *column = g_strconcat (columns[r], suffix, NULL);

      truth->measured[r] = truth_number (row, column);
    }
  return truth;
}

static inline void
truth_add (GPtrArray *rows,
           TruthRow  *row)
{
  row->matrix.raw = row->raw;
  for (gsize i = 0; row->raw != NULL && i < row->matrix.n_in * row->matrix.n_out; i++)
    row->n_nonzero += row->raw[i] != 0;
  if (row->raw == NULL)
    row->n_nonzero = row->matrix.n_in * row->matrix.n_out;
  g_ptr_array_add (rows, row);
}

/* 6 MLPs of 8 bits, Vitis HLS 2021.1; its LUT variants multiply in logic by a directive that Espalier never writes. */
static inline void
truth_argykokk (GPtrArray  *rows,
                const char *folder)
{
  g_autofree char *csv = g_build_filename (folder, "argykokk_mlp_layers_vitis2021.1.csv", NULL);
  g_autoptr (GPtrArray) table = truth_csv (csv);

  for (guint i = 0; i < table->len; i++)
    {
      GHashTable *cells = table->pdata[i];
      const char *model = g_hash_table_lookup (cells, "model"), *config = g_hash_table_lookup (cells, "cfg");
      const char *layer = g_hash_table_lookup (cells, "layer");
      gboolean calibrated = g_str_equal (model, "mnist") || g_str_equal (model, "ARRYTHMIA");
      g_autofree char *name = g_strdup_printf ("w%s.txt", layer + strlen ("config"));
      g_autofree char *variant = g_strconcat (model, "-", config, NULL);
      g_autofree char *path = g_build_filename (folder, "argykokk_mlp", variant, name, NULL);
      TruthRow *row;

      if (g_str_has_prefix (config, "LUT"))
        continue;
      row = truth_row_new ("argykokk", model, calibrated ? TRUTH_CALIBRATION : TRUTH_HELD_OUT, cells, "");
      row->latency = truth_number (cells, "lat");
      row->interval = truth_number (cells, "ii");
      row->matrix = (NnMatrix) {
        .n_in = (gsize) truth_number (cells, "n_in"), .n_out = (gsize) truth_number (cells, "n_out"),
        .reuse = (guint) truth_number (cells, "rf"), .strategy = NN_STRATEGY_LATENCY, .input = NN_UFIXED (8, 0),
        .accum = NN_FIXED (16, 4), .clock_ns = truth_number (cells, "clk_target"), .uncertainty = 0.125,
        .part = nn_part_find ("xc7z007s", NULL), .biased = TRUE,
      };
      if (g_str_equal (layer, "config2"))
        row->matrix.input = NN_FIXED (8, 2);
      g_assert_true (nn_type_parse (g_hash_table_lookup (cells, "weight_t"), &row->matrix.weight, NULL));
      row->raw = truth_weights_text (path, &row->matrix.weight, row->matrix.n_in * row->matrix.n_out);
      if (row->raw != NULL)
        truth_add (rows, row);
      else
        truth_row_free (row);
    }
}

/* Inputs of a layer that are constants, as its weights say of the one before: no weight leads to them that is not zero. */
static inline void
truth_mark_constants (TruthRow       *row,
                      const TruthRow *before)
{
  const NnMatrix *b = &before->matrix;

  row->inputs = g_new (NnType, row->matrix.n_in);
  for (gsize i = 0; i < row->matrix.n_in; i++)
    {
      gboolean fed = FALSE;

      row->inputs[i] = row->matrix.input;
      for (gsize k = 0; k < b->n_in && !fed; k++)
        fed = b->raw[k * b->n_out + i] != 0 && (b->inputs == NULL || b->inputs[k].width > 0);
      if (!fed)
        row->inputs[i].width = 0;
    }
  row->matrix.inputs = row->inputs;
}

/* Layers of projects with a width for each weight, in the order of the network: each tells the next one's constants. */
static inline void
truth_chain_mixed (GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++)
    {
      TruthRow *row = rows->pdata[i], *best = NULL;

      if (row->part != TRUTH_MIXED)
        continue;
      for (guint j = 0; j < rows->len; j++)
        {
          TruthRow *other = rows->pdata[j];

          if (other->part == TRUTH_MIXED && g_str_equal (other->network, row->network) && other->order < row->order
              && other->matrix.n_out == row->matrix.n_in && (best == NULL || other->order > best->order))
            best = other;
        }
      if (best == NULL) /* the first: what the network was given */
        {
          row->matrix.input = NN_FIXED (16, 6);
          row->inputs = g_new (NnType, row->matrix.n_in);
          for (gsize k = 0; k < row->matrix.n_in; k++)
            row->inputs[k] = row->matrix.input;
          row->matrix.inputs = row->inputs;
        }
      row->before = best;
    }
  for (guint order = 0; order < 64; order++)
    for (guint i = 0; i < rows->len; i++)
      {
        TruthRow *row = rows->pdata[i];

        if (row->order == order && row->before != NULL)
          truth_mark_constants (row, row->before);
      }
}

/* The jets MLP, 75 % pruned, 16 bits (two copies), and five with a width for each weight (HGQ), Vitis HLS 2024.1. */
static inline void
truth_lrozzy (GPtrArray  *rows,
              const char *folder)
{
  g_autofree char *csv = g_build_filename (folder, "lrozzy_openml", "layers.csv", NULL);
  g_autoptr (GPtrArray) table = truth_csv (csv);

  for (guint i = 0; i < table->len; i++)
    {
      GHashTable *cells = table->pdata[i];
      const char *project = g_hash_table_lookup (cells, "project");
      g_autofree char *name = g_strdup_printf ("w%s.txt", (char *) g_hash_table_lookup (cells, "layer"));
      g_autofree char *path = g_build_filename (folder, "lrozzy_openml", project, name, NULL);
      gboolean mixed = g_str_has_prefix (project, "model_3");
      /* model_2.2 holds the same layers as model_2.1: one network */
      TruthRow *row = truth_row_new ("lrozzy", mixed ? project : "model_2", mixed ? TRUTH_MIXED : TRUTH_CALIBRATION, cells, "");

      row->latency = truth_number (cells, "Worst-caseLatency");
      row->interval = truth_number (cells, "Interval-max");
      row->matrix = (NnMatrix) {
        .n_in = (gsize) truth_number (cells, "n_in"), .n_out = (gsize) truth_number (cells, "n_out"),
        .reuse = 1, .strategy = NN_STRATEGY_LATENCY, .input = mixed ? NN_UFIXED (7, 0) : NN_FIXED (16, 6),
        .accum = NN_FIXED (16, 6), .clock_ns = 5, .uncertainty = 0.27, .part = nn_part_find ("xcu50", NULL), .biased = TRUE,
      };
      row->order = (guint) truth_number (cells, "layer");
      g_assert_true (nn_type_parse (g_hash_table_lookup (cells, "weight_t"), &row->matrix.weight, NULL));
      row->raw = truth_weights_text (path, &row->matrix.weight, row->matrix.n_in * row->matrix.n_out);
      if (row->raw != NULL)
        truth_add (rows, row);
      else
        truth_row_free (row);
    }
}

/* name -> NnTensor of all arrays of an .npz. */
static inline GHashTable *
truth_npz (const char *path)
{
  GHashTable *arrays = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) nn_tensor_unref);
  struct archive *archive = archive_read_new ();
  struct archive_entry *entry;

  archive_read_support_format_zip (archive);
  if (archive_read_open_filename (archive, path, 65536) == ARCHIVE_OK)
    while (archive_read_next_header (archive, &entry) == ARCHIVE_OK)
      {
        const char *name = archive_entry_pathname (entry);
        gsize n = archive_entry_size (entry);
        g_autofree guint8 *bytes = g_malloc (MAX (n, 1));
        NnTensor *tensor;

        if (archive_read_data (archive, bytes, n) == (la_ssize_t) n && (tensor = nn_npy_parse (bytes, n, NULL)) != NULL)
          g_hash_table_insert (arrays, g_strndup (name, strlen (name) - strlen (".npy")), tensor);
      }
  archive_read_free (archive);
  return arrays;
}

/* QKeras' quantized_bits (W, 0) has one bit before the point, the sign, and rounds. */
static inline gint64 *
truth_weights_tensor (const NnTensor *tensor,
                      int             width)
{
  gint64 *raw = g_new (gint64, tensor->n), limit = (gint64) 1 << (width - 1);

  for (gsize i = 0; i < tensor->n; i++)
    raw[i] = CLAMP ((gint64) rint (ldexp (nn_tensor_get (tensor, i), width - 1)), -limit, limit - 1);
  return raw;
}

/* Kernels that were not published are drawn as those that were had been: uniformly, to sqrt (3 / n_in), and wider where that
 * is less than a step. */
static inline gint64 *
truth_weights_drawn (gsize n_in,
                     gsize n,
                     int   width)
{
  gint64 *raw = g_new (gint64, n);
  double most = MAX (sqrt (3.0 / n_in), ldexp (1.16, 1 - width));
  NnRng rng;

  nn_rng_init (&rng, n);
  for (gsize i = 0; i < n; i++)
    raw[i] = (gint64) rint (ldexp (most * (2 * nn_rng_uniform (&rng) - 1), width - 1));
  return raw;
}

/* Single dense layers, 2 to 14 bits, Vivado HLS 2020.1. */
static inline void
truth_wa (GPtrArray  *rows,
          const char *folder)
{
  static const char *const files[] = { "results_latency.csv", "results_resource.csv" };
  g_autofree char *npz = g_build_filename (folder, "wa-hls4ml", "kernels_rf1_success.npz", NULL);
  g_autoptr (GHashTable) kernels = truth_npz (npz);

  for (guint f = 0; f < G_N_ELEMENTS (files); f++)
    {
      g_autofree char *csv = g_build_filename (folder, "wa-hls4ml", files[f], NULL);
      g_autoptr (GPtrArray) table = truth_csv (csv);

      for (guint i = 0; i < table->len; i++)
        {
          GHashTable *cells = table->pdata[i];
          const char *model = g_hash_table_lookup (cells, "model_name");
          gsize n_in = (gsize) truth_number (cells, "d_in"), n_out = (gsize) truth_number (cells, "d_out");
          int width = (int) truth_number (cells, "prec");
          NnTensor *kernel = g_hash_table_lookup (kernels, model);
          gboolean calibrated = n_in != 64 && n_in <= 128 && n_out <= 128;
          TruthRow *row;

          /* in the Latency kernel the values decide: without them nothing can be said */
          if (g_ascii_strcasecmp (g_hash_table_lookup (cells, "hls_synth_success"), "true") != 0 || (f == 0 && kernel == NULL))
            continue;
          row = truth_row_new ("wa-hls4ml", model, calibrated ? TRUTH_CALIBRATION : TRUTH_HELD_OUT, cells, "_hls");
          row->latency = truth_number (cells, "WorstLatency_hls");
          row->interval = truth_number (cells, "IntervalMax_hls");
          row->matrix = (NnMatrix) {
            .n_in = n_in, .n_out = n_out, .reuse = (guint) truth_number (cells, "rf"),
            .strategy = f == 0 ? NN_STRATEGY_LATENCY : NN_STRATEGY_RESOURCE, .input = NN_FIXED (16, 6),
            .weight = NN_FIXED (width, 1), .accum = NN_FIXED (16, 6), .clock_ns = 5, .uncertainty = 0.125, .vivado = TRUE,
            .part = nn_part_find ("xcvu13p", NULL),
          };
          /* the Resource kernel's design is a dataflow, whose channel its own formula has */
          row->alone = f == 0;
          if (kernel != NULL)
            row->raw = truth_weights_tensor (kernel, width);
          else
            row->raw = truth_weights_drawn (n_in, n_in * n_out, width);
          truth_add (rows, row);
        }
    }
}

/* A convolution and a dense layer of a streaming network, Vitis HLS 2024.1. */
static inline void
truth_ece226 (GPtrArray  *rows,
              const char *folder)
{
  static const struct { const char *file; gsize n_in, n_out; double dsp, lut, ff, latency, interval; } layers[] = {
    { "w2.txt", 27, 16, 370, 11420, 2287, 1, 1 },
    { "w6.txt", 16, 6, 91, 2447, 557, 1, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (layers); i++)
    {
      g_autofree char *path = g_build_filename (folder, "vitis-2024.1_ECE226-conv1d", layers[i].file, NULL);
      TruthRow *row = g_new0 (TruthRow, 1);

      row->set = "ECE226";
      row->network = g_strdup ("ECE226 conv1d");
      row->part = TRUTH_HELD_OUT;
      row->matrix = (NnMatrix) {
        .n_in = layers[i].n_in, .n_out = layers[i].n_out, .reuse = 1, .strategy = NN_STRATEGY_LATENCY,
        .input = NN_FIXED (16, 6), .weight = NN_FIXED (16, 6), .accum = NN_FIXED (16, 6), .clock_ns = 5, .uncertainty = 0.27,
        .part = nn_part_find ("xcu250", NULL), .biased = TRUE,
      };
      row->measured[NN_RESOURCE_DSP] = layers[i].dsp;
      row->measured[NN_RESOURCE_LUT] = layers[i].lut;
      row->measured[NN_RESOURCE_FF] = layers[i].ff;
      row->latency = layers[i].latency;
      row->interval = layers[i].interval;
      row->raw = truth_weights_text (path, &row->matrix.weight, row->matrix.n_in * row->matrix.n_out);
      if (row->raw != NULL)
        truth_add (rows, row);
      else
        truth_row_free (row);
    }
}

/* The estimate of a row's figures. */
static inline void
truth_cost (const TruthRow *row,
            NnCost         *cost)
{
  nn_matrix_cost (&row->matrix, cost);
  if (row->alone)
    cost->resource[NN_RESOURCE_FF] = nn_figure_add (cost->resource[NN_RESOURCE_FF],
                                                    nn_figure (nn_interface_ff (&row->matrix.input, row->matrix.n_in)));
}

/* All rows, or NULL after g_test_skip(). */
static inline GPtrArray *
truth_read (void)
{
  g_autofree char *folder = test_shared_path ("resource-truth");
  g_autofree char *reports = folder != NULL ? test_shared_path ("reports") : NULL;
  GPtrArray *rows;

  if (folder == NULL)
    return NULL;
  rows = g_ptr_array_new_with_free_func (truth_row_free);
  truth_argykokk (rows, folder);
  truth_lrozzy (rows, folder);
  truth_wa (rows, folder);
  if (reports != NULL)
    truth_ece226 (rows, reports);
  truth_chain_mixed (rows);
  return rows;
}

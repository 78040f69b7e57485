/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The laws of multipliers and memories against every published synthesis at hand: equal where synthesis is exact. */

#include "cost-truth-nets.h"

static double
measured (const TruthRow *row,
          NnResource      resource)
{
  return row->measured[resource];
}

/* DSP of the Latency kernel, and of the Resource kernel at RF 1: digits, shared products, hls4ml's limit. */
static void
test_latency_dsp (void)
{
  g_autoptr (GPtrArray) rows = truth_read ();
  guint exact = 0, checked = 0;

  if (rows == NULL)
    return;
  for (guint i = 0; i < rows->len; i++)
    {
      const TruthRow *row = rows->pdata[i];
      NnCost cost;

      if (row->part == TRUTH_MIXED || row->raw == NULL
          || (row->matrix.strategy == NN_STRATEGY_RESOURCE && row->matrix.reuse > 1))
        continue;
      truth_cost (row, &cost);
      checked++;
      if (cost.resource[NN_RESOURCE_DSP].value == measured (row, NN_RESOURCE_DSP))
        exact++;
      else
        g_test_message ("%s %s %" G_GSIZE_FORMAT "x%" G_GSIZE_FORMAT " rf %u: %g, measured %g", row->set, row->network,
                        row->matrix.n_in, row->matrix.n_out, row->matrix.reuse, cost.resource[NN_RESOURCE_DSP].value,
                        measured (row, NN_RESOURCE_DSP));
    }
  g_test_message ("%u of %u exact", exact, checked);
  g_assert_cmpuint (checked, >, 100);
  g_assert_cmpuint (exact, ==, checked);
}

/* DSP and BRAM of the Resource kernels. */
static void
test_resource (void)
{
  g_autoptr (GPtrArray) rows = truth_read ();
  guint dsp = 0, n_dsp = 0, bram = 0, n_bram = 0, near = 0;

  if (rows == NULL)
    return;
  for (guint i = 0; i < rows->len; i++)
    {
      const TruthRow *row = rows->pdata[i];
      const NnMatrix *m = &row->matrix;
      const NnFigure *r;
      NnCost cost;

      if (m->strategy != NN_STRATEGY_RESOURCE || m->reuse == 1)
        continue;
      nn_matrix_cost (m, &cost);
      r = cost.resource;
      /* bounds always hold */
      g_assert_cmpfloat (measured (row, NN_RESOURCE_DSP), >=, r[NN_RESOURCE_DSP].low);
      g_assert_cmpfloat (measured (row, NN_RESOURCE_DSP), <=, r[NN_RESOURCE_DSP].high);
      if (m->weight.width >= NN_LAW_DSP_WEIGHT_BITS || m->weight.width <= NN_LAW_LOGIC_WEIGHT_BITS)
        {
          n_dsp++;
          dsp += r[NN_RESOURCE_DSP].value == measured (row, NN_RESOURCE_DSP);
        }
      if (m->reuse <= 1024)
        {
          gsize block = (m->n_in * m->n_out + m->reuse - 1) / m->reuse;
          double law = nn_law_rom_bram (m->reuse, block * m->weight.width), seen = measured (row, NN_RESOURCE_BRAM);

          n_bram++;
          bram += seen == law || seen == law + 1;
          near += fabs (seen - r[NN_RESOURCE_BRAM].value) <= 1;
        }
    }
  g_test_message ("DSP %u of %u exact; BRAM law %u of %u, estimate within 1 in %u", dsp, n_dsp, bram, n_bram, near);
  g_assert_cmpuint (n_dsp, >, 400);
  g_assert_cmpuint (dsp, ==, n_dsp);
  g_assert_cmpuint (bram, ==, n_bram);
  g_assert_cmpuint (near, ==, n_bram);
}

/* Whole networks: multipliers and memories equal where all layers follow the laws, nearly all figures within bounds. */
static void
test_networks (void)
{
  g_autoptr (GPtrArray) rows = truth_read (), nets = NULL;
  guint n = 0, covered = 0, exact = 0, lawful = 0;

  if (rows == NULL)
    return;
  nets = truth_nets (rows);
  g_assert_cmpuint (nets->len, >=, 12);
  for (guint i = 0; i < nets->len; i++)
    {
      const TruthNet *net = nets->pdata[i];

      for (guint r = 0; r <= NN_RESOURCE_FF; r++)
        {
          const NnFigure *f = &net->estimate->total.resource[r];

          n++;
          covered += net->measured[r] >= f->low && net->measured[r] <= f->high;
        }
      lawful += net->lawful;
      exact += net->lawful && net->measured[NN_RESOURCE_DSP] == net->estimate->total.resource[NN_RESOURCE_DSP].value;
      g_test_message ("%s: DSP %g, measured %g", net->name, net->estimate->total.resource[NN_RESOURCE_DSP].value,
                      net->measured[NN_RESOURCE_DSP]);
    }
  g_assert_cmpuint (lawful, >=, 15);
  g_assert_cmpuint (exact, ==, lawful);
  g_assert_cmpuint (covered, >=, n * 90 / 100);
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* LUTs, FFs and cycles of the rows that no coefficient was set on: the median error, and how often bounds hold. */
static void
test_held_out (void)
{
  static const struct { gboolean resource; double lut, ff, latency; } most[] = { { FALSE, 0.08, 0.10, 0.02 }, { TRUE, 0.05, 0.06, 0.001 } };
  g_autoptr (GPtrArray) rows = truth_read ();

  if (rows == NULL)
    return;
  for (guint kernel = 0; kernel < G_N_ELEMENTS (most); kernel++)
    for (guint f = 0; f < 3; f++)
      {
        g_autoptr (GArray) errors = g_array_new (FALSE, FALSE, sizeof (double));
        double limit = f == 0 ? most[kernel].lut : f == 1 ? most[kernel].ff : most[kernel].latency;
        guint covered = 0;

        for (guint i = 0; i < rows->len; i++)
          {
            const TruthRow *row = rows->pdata[i];
            gboolean resource = row->matrix.strategy == NN_STRATEGY_RESOURCE && row->matrix.reuse > 1;
            double truth = f == 0 ? row->measured[NN_RESOURCE_LUT] : f == 1 ? row->measured[NN_RESOURCE_FF] : row->latency, error;
            NnFigure figure;
            NnCost cost;

            if (row->part != TRUTH_HELD_OUT || resource != most[kernel].resource)
              continue;
            truth_cost (row, &cost);
            figure = f == 2 ? cost.latency : cost.resource[f == 0 ? NN_RESOURCE_LUT : NN_RESOURCE_FF];
            error = truth > 0 ? fabs (figure.value - truth) / truth : figure.value > 0;
            covered += truth >= figure.low && truth <= figure.high;
            g_array_append_val (errors, error);
          }
        g_assert_cmpuint (errors->len, >, 30);
        g_array_sort (errors, compare_doubles);
        g_assert_cmpfloat (g_array_index (errors, double, errors->len / 2), <=, limit);
        g_assert_cmpuint (covered, >=, errors->len * 9 / 10);
      }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cost/truth/latency-dsp", test_latency_dsp);
  g_test_add_func ("/cost/truth/resource", test_resource);
  g_test_add_func ("/cost/truth/networks", test_networks);
  g_test_add_func ("/cost/truth/held-out", test_held_out);
  return g_test_run ();
}

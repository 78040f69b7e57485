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
      gboolean scheduled = g_str_equal (row->set, "wa-hls4ml") && row->matrix.reuse > 1;
      NnCost cost;

      if (row->part == TRUTH_MIXED || row->raw == NULL || scheduled
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
  guint n = 0, covered = 0, exact = 0;

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
      exact += net->measured[NN_RESOURCE_DSP] == net->estimate->total.resource[NN_RESOURCE_DSP].value;
      g_test_message ("%s: DSP %g, measured %g", net->name, net->estimate->total.resource[NN_RESOURCE_DSP].value,
                      net->measured[NN_RESOURCE_DSP]);
    }
  /* all but the two CNNs, whose normalisations were folded into the weights */
  g_assert_cmpuint (exact, ==, nets->len - 2);
  g_assert_cmpuint (covered, >=, n * 95 / 100);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cost/truth/latency-dsp", test_latency_dsp);
  g_test_add_func ("/cost/truth/resource", test_resource);
  g_test_add_func ("/cost/truth/networks", test_networks);
  return g_test_run ();
}

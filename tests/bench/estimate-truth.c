/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far estimates are from published syntheses, beside hls4ml's own formulas on the same rows.
 *
 * usage: bench-estimate-truth [--fit | --rows | FILE]: prints the section, or puts it between its marks in FILE (docs/benchmarks.md);
 * --fit prints by how much rows are off, kernel by kernel, which is what coefficients and bounds are set by; --rows prints
 * each of them.
 */

#include "cost-truth-nets.h"

#define BEGIN "<!-- estimates: begin -->"
#define END "<!-- estimates: end -->"

enum { DSP, BRAM, LUT, FF, LATENCY, INTERVAL, N_FIGURES };

static const char *const figure_names[N_FIGURES] = { "DSP", "BRAM (18 Kb)", "LUT", "FF", "latency (cycles)", "interval (cycles)" };
static const NnResource figure_resource[] = { NN_RESOURCE_DSP, NN_RESOURCE_BRAM, NN_RESOURCE_LUT, NN_RESOURCE_FF };

/* Groups of rows that are told apart. */
typedef enum { GROUP_CALIBRATION, GROUP_LATENCY, GROUP_RESOURCE, GROUP_UNTUNED, GROUP_MIXED, N_GROUPS } Group;

static const char *const group_names[N_GROUPS] = {
  "calibrated on (mnist, arrhythmia, pruned jets, layers of up to 128 x 128 but those with 64 inputs)",
  "held out: Latency (jets, breast cancer, layers with 64 inputs)",
  "held out: Resource (layers with 64 inputs, and with more than 128 inputs or outputs)",
  "held out: a tool, part and layer nothing was tuned on (convolution in a stream, Vitis HLS 2024.1, U250)",
  "held out: a width for each weight (HGQ), for which the laws are not stated",
};

static gboolean
is_resource (const TruthRow *row)
{
  return row->matrix.strategy == NN_STRATEGY_RESOURCE && row->matrix.reuse > 1;
}

static Group
group_of (const TruthRow *row)
{
  if (row->part == TRUTH_MIXED)
    return GROUP_MIXED;
  if (row->part == TRUTH_CALIBRATION)
    return GROUP_CALIBRATION;
  if (g_str_equal (row->set, "ECE226"))
    return GROUP_UNTUNED;
  return is_resource (row) ? GROUP_RESOURCE : GROUP_LATENCY;
}

static double
measured (const TruthRow *row,
          guint           figure)
{
  if (figure == LATENCY)
    return row->latency;
  return figure == INTERVAL ? row->interval : row->measured[figure_resource[figure]];
}

static NnFigure
estimated (const NnCost *cost,
           guint         figure)
{
  if (figure == LATENCY)
    return cost->latency;
  return figure == INTERVAL ? cost->interval : cost->resource[figure_resource[figure]];
}

/* hls4ml's objectives (optimization/dsp_aware_pruning/objectives/vivado_objectives.py): layers below 9 bits are not
 * counted at all; a multiplier for each weight that is left, or for RF of them; memories by their bits; registers of the
 * weights and outputs. It has none for LUTs and cycles. */
static double
hls4ml_formula (const TruthRow *row,
                guint           figure)
{
  const NnMatrix *m = &row->matrix;
  double n = (double) m->n_in * m->n_out, width = m->weight.width;

  switch (figure)
    {
    case DSP:
      return width < 9 ? 0 : is_resource (row) ? floor (n / m->reuse) : m->reuse == 1 ? (double) row->n_nonzero : floor (n / m->reuse);
    case BRAM:
      return is_resource (row) && width >= 9 ? ceil (n * width / (m->reuse * 36.0)) : 0;
    case FF:
      return is_resource (row) ? (double) m->n_out * m->accum.width : row->n_nonzero * width + (double) m->n_out * m->accum.width;
    default:
      return NAN;
    }
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
quantile (GArray *values,
          double  q)
{
  g_array_sort (values, compare_doubles);
  return values->len == 0 ? NAN : g_array_index (values, double, (guint) (q * (values->len - 1) + 0.5));
}

/* Zeros have no relative error: a difference from zero counts in full. */
static double
relative_error (double estimate,
                double truth)
{
  return truth == 0 ? (fabs (estimate) > 0 ? 1 : 0) : fabs (estimate - truth) / truth;
}

static void
append_percent (GString *text,
                double   share)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  if (isnan (share))
    g_string_append (text, " - |");
  else
    g_string_append_printf (text, " %s %% |", g_ascii_formatd (digits, sizeof digits, "%.1f", 100 * share));
}

static void
append_row (GString   *text,
            GPtrArray *rows,
            Group      group,
            guint      figure)
{
  g_autoptr (GArray) ours = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) theirs = g_array_new (FALSE, FALSE, sizeof (double));
  guint n = 0, exact = 0, covered = 0;
  gboolean has_theirs = FALSE;

  for (guint i = 0; i < rows->len; i++)
    {
      const TruthRow *row = rows->pdata[i];
      double truth = measured (row, figure), error, other;
      NnFigure f;
      NnCost cost;

      if (group_of (row) != group || isnan (truth))
        continue;
      truth_cost (row, &cost);
      f = estimated (&cost, figure);
      error = relative_error (f.value, truth);
      other = hls4ml_formula (row, figure);
      n++;
      exact += f.value == truth;
      covered += truth >= f.low && truth <= f.high;
      g_array_append_val (ours, error);
      if (!isnan (other))
        {
          has_theirs = TRUE;
          other = relative_error (other, truth);
          g_array_append_val (theirs, other);
        }
    }
  if (n == 0)
    return;
  g_string_append_printf (text, "| %s | %u |", figure_names[figure], n);
  append_percent (text, quantile (ours, 0.5));
  append_percent (text, quantile (ours, 0.9));
  append_percent (text, (double) exact / n);
  append_percent (text, (double) covered / n);
  append_percent (text, has_theirs ? quantile (theirs, 0.5) : NAN);
  g_string_append_c (text, '\n');
}

static void
append_figure (GString  *text,
               double    truth,
               NnFigure  f,
               guint    *covered,
               guint    *n)
{
  gboolean within = truth >= f.low && truth <= f.high;

  *n += 1;
  *covered += within;
  g_string_append_printf (text, " %" G_GINT64_FORMAT " / %" G_GINT64_FORMAT "%s |", (gint64) llround (truth), (gint64) llround (f.value),
                          within ? "" : " *");
}

/* Whole designs: what the user will compare with the first page of a report. */
static void
append_nets (GString   *text,
             GPtrArray *nets)
{
  GArray *errors[N_FIGURES];
  guint covered = 0, n = 0;

  for (guint f = 0; f < N_FIGURES; f++)
    errors[f] = g_array_new (FALSE, FALSE, sizeof (double));
  g_string_append (text, "\n### Whole networks: measured / estimated (* outside the stated bounds; (c): its layers set coefficients)\n\n| network |");
  for (guint f = 0; f < N_FIGURES; f++)
    g_string_append_printf (text, " %s |", figure_names[f]);
  g_string_append (text, "\n|---|---|---|---|---|---|---|\n");
  for (guint i = 0; i < nets->len; i++)
    {
      const TruthNet *net = nets->pdata[i];

      g_string_append_printf (text, "| %s%s |", net->name, net->calibrated ? " (c)" : "");
      for (guint f = 0; f < N_FIGURES; f++)
        {
          double truth = f == LATENCY ? net->latency : f == INTERVAL ? net->interval : net->measured[figure_resource[f]];
          double error = relative_error (estimated (&net->estimate->total, f).value, truth);

          append_figure (text, truth, estimated (&net->estimate->total, f), &covered, &n);
          g_array_append_val (errors[f], error);
        }
      g_string_append_c (text, '\n');
    }
  g_string_append (text, "| median error |");
  for (guint f = 0; f < N_FIGURES; f++)
    {
      append_percent (text, quantile (errors[f], 0.5));
      g_array_unref (errors[f]);
    }
  g_string_append_printf (text, "\n\n%u of %u figures lie within their bounds.\n", covered, n);
}

#define TIMED_RUNS 2000

static void
append_speed (GString   *text,
              GPtrArray *rows)
{
  g_autoptr (GPtrArray) chain = truth_chain (rows, "argykokk", "jet_tagging", 1);
  g_autoptr (NnDesign) design = chain->len > 0 ? truth_mlp_design (chain, NN_ACT_SOFTMAX) : NULL;
  gint64 start = g_get_monotonic_time ();

  for (guint k = 0; design != NULL && k < TIMED_RUNS; k++)
    {
      g_autoptr (NnEstimate) estimate = nn_estimate (design, NULL, NULL);

      g_assert_nonnull (estimate);
    }
  if (design != NULL)
    g_string_append_printf (text, "\nSpeed: %.0f estimates of the jets network a second, on one thread of the machine this was made on.\n",
                            TIMED_RUNS * 1e6 / (g_get_monotonic_time () - start));
}

static char *
make_section (GPtrArray *rows)
{
  GString *text = g_string_new (BEGIN "\n");

  g_string_append (text,
                   "## Estimates against published syntheses\n\n"
                   "Made by `tests/bench/estimate-truth.c` over the matrices of published Vivado HLS 2020.1 and Vitis HLS 2021.1 and 2024.1 "
                   "runs (csynth reports). No network is in both parts. Formulas count what a kernel is built of; their few coefficients were "
                   "set on the first group only (the form of the formulas was found with all rows in sight). \"Covered\" is the share of "
                   "rows whose figure lies within the stated bounds; \"hls4ml\" is the median error of the formulas in its optimization API, "
                   "which has none for LUTs and cycles. LUTs and FFs are those of the HLS tool; Vivado's synthesis leaves 1 of 1.7 "
                   "LUTs (median of 17 public designs).\n");
  for (Group g = 0; g < N_GROUPS; g++)
    {
      g_string_append_printf (text, "\n### %s\n\n", group_names[g]);
      g_string_append (text, "| figure | rows | median error | 90 % below | exact | covered | hls4ml |\n|---|---|---|---|---|---|---|\n");
      for (guint f = 0; f < N_FIGURES; f++)
        append_row (text, rows, g, f);
    }
  {
    g_autoptr (GPtrArray) nets = truth_nets (rows);

    append_nets (text, nets);
    append_speed (text, rows);
  }
  g_string_append (text, END "\n");
  return g_string_free (text, FALSE);
}

/* Kinds of kernels that are told apart: by how many rows and how they are built. */
static const char *
kernel_of (const TruthRow *row)
{
  const NnMatrix *m = &row->matrix;

  if (is_resource (row))
    return m->reuse > m->n_in ? "Resource, RF > n_in" : "Resource, RF <= n_in";
  if (m->strategy == NN_STRATEGY_RESOURCE)
    return "Resource, RF 1";
  return m->reuse > 1 ? "Latency, RF > 1" : "Latency, RF 1";
}

/* Measured / estimated, by group, set and kernel: what coefficients and bounds are set by. */
static void
print_fit (GPtrArray *rows)
{
  static const char *const sets[] = { "argykokk", "lrozzy", "wa-hls4ml", "ECE226" };
  static const char *const kernels[] = { "Latency, RF 1", "Latency, RF > 1", "Resource, RF 1", "Resource, RF <= n_in", "Resource, RF > n_in" };

  for (guint s = 0; s < G_N_ELEMENTS (sets); s++)
    for (guint kernel = 0; kernel < G_N_ELEMENTS (kernels); kernel++)
      for (guint f = LUT; f < N_FIGURES; f++)
        for (Group g = 0; g < N_GROUPS; g++)
          {
            g_autoptr (GArray) ratios = g_array_new (FALSE, FALSE, sizeof (double));
            guint covered = 0, n = 0;

            for (guint i = 0; i < rows->len; i++)
              {
                const TruthRow *row = rows->pdata[i];
                NnFigure figure;
                NnCost cost;
                double ratio, truth = measured (row, f);

                if (group_of (row) != g || !g_str_equal (row->set, sets[s]) || !g_str_equal (kernel_of (row), kernels[kernel]))
                  continue;
                truth_cost (row, &cost);
                figure = estimated (&cost, f);
                n++;
                covered += truth >= figure.low && truth <= figure.high;
                ratio = truth == figure.value ? 1 : truth / figure.value;
                if (isfinite (ratio))
                  g_array_append_val (ratios, ratio);
              }
            if (n > 0)
              g_print ("%-10s %-20s group %u %-18s n %3u  measured/estimated: least %.2f  5 %% %.2f  median %.3f  95 %% %.2f  most %.2f  covered %u\n",
                       sets[s], kernels[kernel], g, figure_names[f], n, quantile (ratios, 0), quantile (ratios, 0.05),
                       quantile (ratios, 0.5), quantile (ratios, 0.95), quantile (ratios, 1), covered);
          }
}

/* Every row with its figures. */
static void
print_rows (GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++)
    {
      const TruthRow *row = rows->pdata[i];
      NnCost cost;

      truth_cost (row, &cost);
      g_print ("%s %s g%u %" G_GSIZE_FORMAT "x%" G_GSIZE_FORMAT " RF %u w %d:", row->set, row->network, group_of (row), row->matrix.n_in,
               row->matrix.n_out, row->matrix.reuse, row->matrix.weight.width);
      for (guint f = 0; f < N_FIGURES; f++)
        {
          NnFigure figure = estimated (&cost, f);
          double truth = measured (row, f);

          g_print ("  %g/%g(%g-%g)%s", truth, figure.value, figure.low, figure.high, truth < figure.low || truth > figure.high ? "*" : "");
        }
      g_print ("\n");
    }
}

/* Puts @section in the place of the one that is there, or at the end. */
static gboolean
replace_section (const char *path,
                 const char *section,
                 GError    **error)
{
  g_autofree char *old = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  char *begin, *end;

  if (!g_file_get_contents (path, &old, NULL, NULL))
    old = g_strdup ("# Benchmarks\n\n");
  begin = strstr (old, BEGIN);
  end = begin != NULL ? strstr (begin, END) : NULL;
  if (end != NULL)
    {
      g_string_append_len (text, old, begin - old);
      g_string_append (text, section);
      g_string_append (text, end + strlen (END) + (end[strlen (END)] == '\n'));
    }
  else
    g_string_append_printf (text, "%s\n%s", old, section);
  return g_file_set_contents (path, text->str, text->len, error);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_autofree char *section = NULL;
  g_autoptr (GError) error = NULL;
  char *no_arguments[] = { argv[0], NULL };
  char **test_argv = no_arguments;
  int test_argc = 1;

  g_test_init (&test_argc, &test_argv, NULL);
  rows = truth_read ();
  if (rows == NULL)
    {
      g_printerr ("resource-truth is not here: set ESPALIER_SHARED to the folder that holds it\n");
      return 77;
    }
  if (argc > 1 && g_str_equal (argv[1], "--fit"))
    {
      print_fit (rows);
      return 0;
    }
  if (argc > 1 && g_str_equal (argv[1], "--rows"))
    {
      print_rows (rows);
      return 0;
    }
  section = make_section (rows);
  if (argc < 2)
    g_print ("%s", section);
  else if (!replace_section (argv[1], section, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counting what a matrix of constants makes of itself in the Latency kernel.
 *
 * Widths are those that HLS gives its operators (expression tables of the dense modules in
 * vitis-2022.2_alex-yang-kernel_wrapper and vitis-2023.2_CL2TaggerFirmware-JetTaggerNN): an addition is as wide as its
 * operands can be, not as the accumulator's type, and is charged its width and 7 LUTs.
 */

#include "nn-matrix-count.h"

#include <math.h>
#include <string.h>

#define ADD_LUT_OVERHEAD 7
/* Where one output has to be cut, so are those that a part of an addition more would lead into the next cycle. */
#define CUT_MARGIN 0.4
/* Additions of products of three digits and more go in a chain of about this many levels. */
#define LOGIC_PRODUCT_LEVELS 2

/* How a constant is multiplied. */
typedef struct {
  guint digits;  /* of its canonical signed-digit form */
  guint adds;    /* additions and negations in logic */
  guint span;    /* bits between its first and last digit */
  guint bits;    /* of its magnitude */
} Constant;

static Constant
constant_of (gint64 value)
{
  guint64 v = value < 0 ? -(guint64) value : (guint64) value;
  Constant c = { .digits = nn_csd_digits (value), .bits = v == 0 ? 0 : 64 - __builtin_clzll (v) };
  guint64 threefold = v <= G_MAXUINT64 / 3 ? 3 * v : v;
  /* where 3 v has a bit that v has not, the digit is +1; where v has one that 3 v has not, -1 */
  guint plus = __builtin_popcountll (threefold & ~v), minus = __builtin_popcountll (v & ~threefold);

  c.span = v == 0 ? 0 : c.bits - 1 - __builtin_ctzll (v);
  c.adds = c.digits > 0 ? c.digits - 1 : 0;
  if (c.digits > 0 && (value < 0 ? minus : plus) == 0) /* nothing to subtract from */
    c.adds++;
  return c;
}

/* Sums over the weights of one output. */
typedef struct {
  double n;        /* weights */
  double bits;     /* of the products, as they enter the tree */
  double leaves;   /* as many numbers at the start of the cycle would be added as late */
  double own;      /* those of them without a multiplier */
} Output;

typedef struct {
  const NnMatrix       *matrix;
  const NnMatrixDelays *delays;
  NnMatrixCount        *count;
  Output               *outputs;
  int                   fraction, accum_fraction;
  double                two_digit_leaves, logic_leaves, dsp_leaves;
} Counting;

static int
compare_int64 (gconstpointer a,
               gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

/* Whether a product of three digits and more has a multiplier. */
static gboolean
is_multiplied (const Counting *c,
               const NnType   *input,
               gint64          value,
               guint           bits)
{
  gboolean wide = input->width >= NN_LAW_NARROW_INPUT_BITS && bits >= NN_LAW_WIDE_CONSTANT_BITS;

  if ((input->width < NN_LAW_DSP_INPUT_BITS && !wide) || c->matrix->product != NN_PRODUCT_MULT)
    return FALSE;
  return !(c->matrix->vivado && (value == 11 || value == 13));
}

/* A product enters the tree without the bits below the accumulator's last. */
static double
product_width (const Counting *c,
               const NnType   *input,
               const Constant *constant)
{
  int dropped = MAX (0, nn_type_fraction (input) + c->fraction - c->accum_fraction);
  int width = input->width + (int) constant->bits + 1 - dropped;

  return CLAMP (width, 1, MAX (c->matrix->accum.width, 1));
}

/* One product, the first of its kind on this input. */
static void
count_product (Counting       *c,
               const NnType   *input,
               gint64          value,
               const Constant *constant)
{
  double adder = input->width + constant->span + 1 + ADD_LUT_OVERHEAD;

  if (constant->digits >= 3 && is_multiplied (c, input, value, constant->bits))
    {
      NnType type = { .kind = NN_TYPE_FIXED, .width = (int) constant->bits + 1, .integer = (int) constant->bits + 1, .is_signed = TRUE };

      c->count->n_dsp++;
      c->count->dsp_blocks += MAX (nn_multiplier_dsp (c->matrix->part, input, &type), 1);
      return;
    }
  if (constant->digits >= 3)
    c->count->n_logic++;
  else if (constant->digits == 2)
    c->count->n_two_digit++;
  c->count->product_bits += constant->adds * adder;
}

static void
count_weight (Counting       *c,
              Output         *output,
              const NnType   *input,
              gint64          value,
              const Constant *constant)
{
  gboolean dsp = constant->digits >= 3 && is_multiplied (c, input, value, constant->bits);
  double leaves = dsp ? c->dsp_leaves : constant->digits >= 3 ? c->logic_leaves : constant->digits == 2 ? c->two_digit_leaves : 1;

  output->n++;
  output->bits += product_width (c, input, constant);
  output->leaves += leaves;
  if (!dsp)
    output->own += leaves;
}

/* What the weight multiplies by: signs and shifts are no matter of their codes. */
static gint64
multiplier_of (const NnMatrix *matrix,
               gint64          raw)
{
  if (matrix->weight.kind == NN_TYPE_BINARY)
    return raw > 0 ? 1 : -1;
  return matrix->weight.kind == NN_TYPE_POWER && raw != 0 ? 1 : raw;
}

/* The weights of one input, equal ones together. */
static void
count_row (Counting     *c,
           const gint64 *row,
           gint64       *sorted,
           const NnType *input)
{
  gsize n_out = c->matrix->n_out, n = 0;
  gint64 last = 0;

  for (gsize o = 0; o < n_out; o++)
    {
      gint64 value = multiplier_of (c->matrix, row[o]);
      Constant constant;

      if (value == 0)
        continue;
      constant = constant_of (value);
      sorted[n++] = value;
      count_weight (c, &c->outputs[o], input, value, &constant);
    }
  qsort (sorted, n, sizeof *sorted, compare_int64);
  for (gsize k = 0; k < n; k++)
    if (sorted[k] != last)
      {
        Constant constant = constant_of (sorted[k]);

        count_product (c, input, sorted[k], &constant);
        last = sorted[k];
      }
}

/* A tree of additions: half as many at each level, one bit wider. */
static double
tree_bits (double n,
           double width,
           double most)
{
  double bits = 0;

  for (; n > 1; n /= 2, width += 1)
    {
      double adds = MIN (n / 2, n - 1);

      bits += adds * (MIN (width, most) + ADD_LUT_OVERHEAD);
    }
  return bits;
}

static void
count_output (Counting *c,
              Output   *output)
{
  const NnMatrixDelays *d = c->delays;
  double most = c->matrix->accum.width, bias = c->matrix->biased ? 1 : 0, delay, width;

  c->count->n_nonzero += output->n;
  c->count->max_fan_in = MAX (c->count->max_fan_in, output->n);
  if (output->n < 1)
    return;
  width = output->bits / output->n;
  c->count->add_bits += tree_bits (output->n + bias, width, most);
  delay = d->add * log2 (MAX (output->leaves + bias, 1));
  c->count->delay = MAX (c->count->delay, delay);
  if (d->cycle <= 0)
    return;
  for (double end = d->cycle; end < delay + CUT_MARGIN * d->add; end += d->cycle)
    {
      double left = exp2 (-end / d->add);

      c->count->cut_bits += most * MIN (output->leaves * left, output->n);
      c->count->own_bits += most * MIN (output->own * left, output->n);
      c->count->cut_outputs++;
    }
}

/* Weights that are not known: all of them there, and costly. */
static void
count_unknown (Counting *c)
{
  const NnMatrix *m = c->matrix;
  guint bits = MAX (m->weight.width - 1, 1);
  Constant constant = { .digits = MAX ((bits + 1) / 3, 1), .bits = bits, .span = bits - 1 };

  constant.adds = constant.digits - 1;
  for (gsize o = 0; o < m->n_out; o++)
    {
      Output output = { .n = m->n_in };

      output.bits = m->n_in * product_width (c, &m->input, &constant);
      output.leaves = m->n_in * (constant.digits >= 3 ? c->dsp_leaves : c->two_digit_leaves);
      count_output (c, &output);
    }
  if (constant.digits >= 3 && m->input.width >= NN_LAW_DSP_INPUT_BITS && m->product == NN_PRODUCT_MULT)
    {
      c->count->n_dsp = (double) m->n_in * m->n_out;
      c->count->dsp_blocks = c->count->n_dsp * MAX (nn_multiplier_dsp (m->part, &m->input, &m->weight), 1);
    }
  else
    c->count->product_bits = (double) m->n_in * m->n_out * constant.adds * (m->input.width + constant.span + 1 + ADD_LUT_OVERHEAD);
}

void
nn_matrix_count (const NnMatrix       *matrix,
                 const NnMatrixDelays *delays,
                 NnMatrixCount        *count)
{
  g_autofree gint64 *sorted = g_new (gint64, MAX (matrix->n_out, 1));
  g_autofree Output *outputs = g_new0 (Output, MAX (matrix->n_out, 1));
  Counting c = { .matrix = matrix, .delays = delays, .count = count, .outputs = outputs };

  *count = (NnMatrixCount) { 0 };
  c.fraction = nn_type_fraction (&matrix->weight);
  c.accum_fraction = nn_type_fraction (&matrix->accum);
  c.two_digit_leaves = 2;
  c.logic_leaves = exp2 (LOGIC_PRODUCT_LEVELS);
  c.dsp_leaves = delays->add > 0 ? exp2 (delays->multiply / delays->add) : 1;
  if (matrix->raw == NULL)
    {
      count_unknown (&c);
      return;
    }
  for (gsize i = 0; i < matrix->n_in; i++)
    {
      const NnType *input = matrix->inputs != NULL ? &matrix->inputs[i] : &matrix->input;

      if (input->width > 0)
        count_row (&c, matrix->raw + i * matrix->n_out, sorted, input);
    }
  for (gsize o = 0; o < matrix->n_out; o++)
    count_output (&c, &outputs[o]);
}

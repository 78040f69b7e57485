/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions: sums of products in the order of the hardware. */

#include "nn-fixed-private.h"

#include "nn-error.h"
#include "nn-fixed-kernels.h"
#include "nn-infer-shape.h"

#include <math.h>
#include <string.h>

/*
 * acc = (accum_t) bias; for each product: acc += (accum_t) (x * w); result = (result_t) acc.
 * Source: hls4ml nnet_dense_latency.h, nnet_dense_resource.h; docs of its numerics, 4.4.
 *
 * Where the accumulator wraps and truncates, or is wide enough that nothing ever overflows or rounds, the order of
 * the sum does not matter and integers that wrap themselves do (SUM_32, SUM_64). Otherwise every step is done in the
 * order of the kernel (SUM_STEPS), with 128 bits where 64 are not enough (SUM_WIDE).
 */
typedef enum {
  SUM_32,
  SUM_64,
  SUM_STEPS,
  SUM_WIDE,
} Sum;

/**
 * Matrix:
 * @n_in: products of one output
 * @group_out: outputs that share their inputs
 * @taps: (array): for each position and group, @n_in features of the input, -1 for padding
 * @live: (array): by output, the number of weights that are not zero, and
 * @live_at: (array): their places in the order, @n_in for each output
 * @order: (array length=n_in): which product is added when
 */
typedef struct {
  Sum      sum, counted_sum;
  gsize    n_in, n_out, n_groups, group_out, n_positions, n_features;
  gint32  *taps;
  guint32 *live;
  guint32 *live_at;
  guint32 *order;
  gint64  *w64;
  gint64  *shifted64; /* for the sums without order, zeros shifted in */
  gint32  *shifted32;
  gint64  *bias;
  int      shift;
  gboolean binary;
  gboolean exponential;
  gboolean fused; /* whether one loop does every step */
  gsize    list_bytes;
  NnCast   product, step, result, sign;
  int      accum_fraction;
  int      power_width; /* of the exponents' field and the input together */
  const NnFixedKernels *kernels;
} Matrix;

static void
matrix_free (gpointer data)
{
  Matrix *m = data;

  g_free (m->taps);
  g_free (m->live);
  g_free (m->live_at);
  g_free (m->order);
  g_free (m->w64);
  g_free (m->shifted64);
  g_free (m->shifted32);
  g_free (m->bias);
  g_free (m);
}

static void
init_columns (const NnFixedLayer *layer,
              NnFixedRun         *run,
              const Matrix       *m,
              gint64             *x64,
              gint32             *x32)
{
  const NnFixedInput *input = &layer->inputs[0];
  const gint64 *x = nn_fixed_in (layer, run, 0);
  gsize n = m->n_features * run->lanes;

  if (x32 != NULL && input->is_binary && !m->binary)
    for (gsize k = 0; k < n; k++)
      x32[k] = (gint32) (2 * x[k] - 1);
  else if (x32 != NULL)
    for (gsize k = 0; k < n; k++)
      x32[k] = (gint32) x[k];
  else
    for (gsize k = 0; k < n; k++)
      x64[k] = 2 * x[k] - 1;
}

/* 2 acc - n_in in ceil (log2 n_in) + 2 bits: what counts of equal signs become. */
static void
finish_binary (const Matrix *m,
               gint64       *acc,
               gsize         lanes)
{
  for (gsize b = 0; b < lanes; b++)
    {
      gint64 v = m->accum_fraction >= 0 ? acc[b] >> MIN (m->accum_fraction, 63) : (gint64) ((guint64) acc[b] << -m->accum_fraction);

      acc[b] = 2 * v - (gint64) m->n_in;
    }
  nn_cast_column (&m->sign, acc, acc, lanes, NULL);
}

static void
finish_output (const NnFixedLayer *layer,
               NnFixedRun         *run,
               const Matrix       *m,
               gint64             *acc,
               gint64             *out)
{
  gsize lanes = nn_fixed_lanes (run);

  if (m->binary)
    finish_binary (m, acc, lanes);
  nn_cast_column (&m->result, out, acc, lanes, nn_fixed_counter (layer, run));
}

/* The columns that one position of one group reads, in the order of the kernel. */
#define READ_COLUMNS(all, zero, x)                                                                                    \
  for (gsize k = 0; k < m->n_in; k++)                                                                                 \
    {                                                                                                                 \
      gint32 tap = m->taps[(position * m->n_groups + group) * m->n_in + m->order[k]];                                 \
                                                                                                                      \
      (all)[k] = tap < 0 ? (zero) : (x) + (gsize) tap * lanes;                                                        \
    }

/* Of these, the ones with a weight that is not zero. */
#define LIVE_COLUMNS(live, all, o)                                                                                    \
  (live) = m->live[o] == m->n_in ? (all) : (all) + m->n_in;                                                           \
  for (gsize k = 0; (live) != (all) && k < m->live[o]; k++)                                                           \
    (live)[k] = (all)[m->live_at[(o) * m->n_in + k]];

static void
run_sum32 (const NnFixedLayer *layer,
           NnFixedRun         *run)
{
  const Matrix *m = layer->state;
  gsize lanes = run->lanes;
  const gint32 **all = (const gint32 **) run->scratch, **live;
  gint32 *zero = (gint32 *) (run->scratch + m->list_bytes), *x32 = zero + NN_FIXED_LANES;
  gint32 acc[NN_FIXED_LANES];
  gint64 wide[NN_FIXED_LANES];

  memset (zero, 0, lanes * sizeof *zero);
  init_columns (layer, run, m, NULL, x32);
  for (gsize position = 0; position < m->n_positions; position++)
    for (gsize group = 0; group < m->n_groups; group++)
      {
        READ_COLUMNS (all, zero, x32);
        for (gsize o = group * m->group_out; o < (group + 1) * m->group_out; o++)
          {
            LIVE_COLUMNS (live, all, o);
            for (gsize b = 0; b < lanes; b++)
              acc[b] = (gint32) m->bias[o];
            m->kernels->sum32 (acc, live, m->shifted32 + o * m->n_in, m->live[o], MAX (m->shift, 0), lanes);
            for (gsize b = 0; b < lanes; b++)
              wide[b] = acc[b];
            nn_cast_column (&m->step, wide, wide, lanes, NULL);
            finish_output (layer, run, m, wide, nn_fixed_out (layer, run) + (position * m->n_out + o) * lanes);
          }
      }
}

static const gint64 *
columns64 (const NnFixedLayer *layer,
           NnFixedRun         *run,
           const Matrix       *m,
           gint64             *x64)
{
  if (!layer->inputs[0].is_binary || m->binary)
    return nn_fixed_in (layer, run, 0);
  init_columns (layer, run, m, x64, NULL);
  return x64;
}

static void
run_sum64 (const NnFixedLayer *layer,
           NnFixedRun         *run)
{
  const Matrix *m = layer->state;
  gsize lanes = run->lanes;
  const gint64 **all = (const gint64 **) run->scratch, **live;
  gint64 *zero = (gint64 *) (run->scratch + m->list_bytes);
  const gint64 *x = columns64 (layer, run, m, zero + NN_FIXED_LANES);
  gboolean in_order = m->sum == SUM_STEPS;
  gint64 acc[NN_FIXED_LANES];

  memset (zero, 0, lanes * sizeof *zero);
  for (gsize position = 0; position < m->n_positions; position++)
    for (gsize group = 0; group < m->n_groups; group++)
      {
        READ_COLUMNS (all, zero, x);
        for (gsize o = group * m->group_out; o < (group + 1) * m->group_out; o++)
          {
            LIVE_COLUMNS (live, all, o);
            for (gsize b = 0; b < lanes; b++)
              acc[b] = m->bias[o];
            if (in_order)
              m->kernels->steps (acc, live, m->w64 + o * m->n_in, m->live[o], &m->product, lanes);
            else
              m->kernels->sum64 (acc, live, m->shifted64 + o * m->n_in, m->live[o], MAX (m->shift, 0), lanes);
            nn_cast_column (&m->step, acc, acc, lanes, NULL);
            finish_output (layer, run, m, acc, nn_fixed_out (layer, run) + (position * m->n_out + o) * lanes);
          }
      }
}

/* Each step by itself, counting what does not fit. */
static void
run_steps (const NnFixedLayer *layer,
           NnFixedRun         *run)
{
  const Matrix *m = layer->state;
  gsize lanes = run->lanes, n = nn_fixed_lanes (run);
  const gint64 **all = (const gint64 **) run->scratch, **live;
  gint64 *zero = (gint64 *) (run->scratch + m->list_bytes);
  const gint64 *x = columns64 (layer, run, m, zero + NN_FIXED_LANES);
  guint64 *count = nn_fixed_counter (layer, run);
  gint64 acc[NN_FIXED_LANES], product[NN_FIXED_LANES];

  memset (zero, 0, lanes * sizeof *zero);
  for (gsize position = 0; position < m->n_positions; position++)
    for (gsize group = 0; group < m->n_groups; group++)
      {
        READ_COLUMNS (all, zero, x);
        for (gsize o = group * m->group_out; o < (group + 1) * m->group_out; o++)
          {
            LIVE_COLUMNS (live, all, o);
            for (gsize b = 0; b < n; b++)
              acc[b] = m->bias[o];
            for (gsize k = 0; k < m->live[o]; k++)
              {
                gint64 w = m->w64[o * m->n_in + k];

                if (live[k] == zero)
                  continue;
                for (gsize b = 0; b < n; b++)
                  product[b] = live[k][b] * w;
                nn_cast_column (&m->product, product, product, n, count);
                for (gsize b = 0; b < n; b++)
                  acc[b] += product[b];
                nn_cast_column (&m->step, acc, acc, n, count);
              }
            finish_output (layer, run, m, acc, nn_fixed_out (layer, run) + (position * m->n_out + o) * lanes);
          }
      }
}

/* (r_T) x << exponent, r_T having twice the bits of both: hls4ml, weight_exponential. */
static NnWide
exponential_product (const NnFixedInput *input,
                     int                 width,
                     gint64              x,
                     gint64              w)
{
  NnWide y = (NnWide) x << CLAMP (width - input->fraction, 0, 126 - input->bits);
  gint64 exponent = w >> 1;

  y = exponent >= 0 ? (NnWide) ((NnUWide) y << MIN (exponent, 127)) : y >> MIN (-exponent, 127);
  return w & 1 ? -y : y;
}

static NnWide
wide_product (const Matrix       *m,
              const NnFixedInput *input,
              gint64              raw,
              gint64              w)
{
  gboolean is_unsigned = input->type.width == 64 && !input->type.is_signed;

  if (m->binary)
    return raw == w;
  if (m->exponential)
    return exponential_product (input, m->power_width, nn_fixed_number (input, raw), w);
  return (is_unsigned ? (NnWide) (guint64) raw : (NnWide) nn_fixed_number (input, raw)) * w;
}

static void
run_wide (const NnFixedLayer *layer,
          NnFixedRun         *run)
{
  const Matrix *m = layer->state;
  const NnFixedInput *input = &layer->inputs[0];
  gsize lanes = run->lanes, n = nn_fixed_lanes (run);
  const gint64 *x = nn_fixed_in (layer, run, 0);
  guint64 *count = nn_fixed_counter (layer, run), unused = 0;
  gint64 acc[NN_FIXED_LANES];

  if (count == NULL)
    count = &unused;
  for (gsize position = 0; position < m->n_positions; position++)
    for (gsize o = 0; o < m->n_out; o++)
      {
        const gint32 *taps = m->taps + (position * m->n_groups + o / m->group_out) * m->n_in;
        const guint32 *at = m->live_at + o * m->n_in;

        for (gsize b = 0; b < n; b++)
          {
            acc[b] = m->bias[o];
            for (gsize k = 0; k < m->live[o]; k++)
              {
                gboolean over[2];
                gint64 product;

                if (taps[m->order[at[k]]] < 0)
                  continue;
                product = nn_cast_wide (&m->product, wide_product (m, input, x[(gsize) taps[m->order[at[k]]] * lanes + b], m->w64[o * m->n_in + k]), &over[0]);
                acc[b] = nn_cast_wide (&m->step, (NnWide) acc[b] + product, &over[1]);
                *count += (guint64) over[0] + over[1];
              }
          }
        finish_output (layer, run, m, acc, nn_fixed_out (layer, run) + (position * m->n_out + o) * lanes);
      }
}

static void
run_matrix (const NnFixedLayer *layer,
            NnFixedRun         *run)
{
  const Matrix *m = layer->state;

  switch (run->overflows != NULL ? m->counted_sum : m->sum)
    {
    case SUM_32:
      run_sum32 (layer, run);
      break;
    case SUM_64:
      run_sum64 (layer, run);
      break;
    case SUM_STEPS:
      if (run->overflows == NULL && m->fused)
        run_sum64 (layer, run);
      else
        run_steps (layer, run);
      break;
    case SUM_WIDE:
    default:
      run_wide (layer, run);
      break;
    }
}

/* Dense: one position that reads every feature. */
static void
dense_taps (Matrix *m)
{
  m->n_positions = m->n_groups = 1;
  m->taps = g_new (gint32, m->n_in);
  for (gsize i = 0; i < m->n_in; i++)
    m->taps[i] = (gint32) i;
}

typedef struct {
  gint64 in[2], out[2], kernel[2], stride[2], dilation[2], before[2];
  gint64 channels;
  gboolean transposed; /* every input is spread over the outputs under the kernel */
} Window;

static void
window_init (Window             *w,
             const NnFixedLayer *layer)
{
  const NnAttrs *a = &layer->node->attrs;
  const NnShape *in = &layer->inputs[0].shape, *out = &layer->node->shape;
  NnOp op = layer->node->op;
  gboolean flat = op == NN_OP_CONV1D || op == NN_OP_DEPTHWISE_CONV1D || op == NN_OP_CONV1D_TRANSPOSE;

  *w = (Window){ .in = { 1, 1 }, .out = { 1, 1 }, .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 } };
  w->channels = nn_shape_last (in);
  w->transposed = nn_op_is_transposed (op);
  for (guint d = flat ? 1 : 0, k = 0; d < 2; d++, k++)
    {
      gint64 after;

      w->in[d] = in->dims[in->rank - 3 + d];
      w->out[d] = out->dims[out->rank - 3 + d];
      w->kernel[d] = a->kernel[k];
      w->stride[d] = a->stride[k];
      w->dilation[d] = MAX (a->dilation[k], 1);
      if (!w->transposed)
        nn_window_pads (w->in[d], w->kernel[d], w->stride[d], w->dilation[d], a->padding, a->pad[k], &w->before[d], &after);
      else if (a->padding == NN_PADDING_SAME)
        w->before[d] = MAX ((w->kernel[d] - 1) * w->dilation[d] + 1 - w->stride[d], 0) / 2;
      else if (a->padding == NN_PADDING_EXPLICIT)
        w->before[d] = a->pad[k][0];
    }
}

/* Where the kernel meets the input along axis @d; -1 where it does not. */
static gint64
window_at (const Window *w,
           guint         d,
           gint64        output,
           gint64        k)
{
  gint64 at = output + w->before[d] - k * w->dilation[d];

  if (!w->transposed)
    return output * w->stride[d] + k * w->dilation[d] - w->before[d];
  return at < 0 || at % w->stride[d] != 0 ? -1 : at / w->stride[d];
}

static gint32
window_tap (const Window *w,
            gint64        row,
            gint64        column,
            gint64        kh,
            gint64        kw,
            gint64        channel)
{
  gint64 y = window_at (w, 0, row, kh), x = window_at (w, 1, column, kw);

  if (y < 0 || y >= w->in[0] || x < 0 || x >= w->in[1])
    return -1;
  return (gint32) ((y * w->in[1] + x) * w->channels + channel);
}

/* The order of the hardware's im2col: kernel row, kernel column, channel of the group. */
static gboolean
window_taps (Matrix        *m,
             const Window  *w,
             GError       **error)
{
  gint64 group_in = w->channels / (gint64) m->n_groups;
  gsize size;
  gint32 *tap;

  m->n_positions = (gsize) (w->out[0] * w->out[1]);
  if (!g_size_checked_mul (&size, m->n_positions, m->n_groups * m->n_in) || size > G_MAXINT32 / 2)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "it is too large");
      return FALSE;
    }
  tap = m->taps = g_new (gint32, size);
  for (gint64 row = 0; row < w->out[0]; row++)
    for (gint64 column = 0; column < w->out[1]; column++)
      for (gint64 group = 0; group < (gint64) m->n_groups; group++)
        for (gint64 kh = 0; kh < w->kernel[0]; kh++)
          for (gint64 kw = 0; kw < w->kernel[1]; kw++)
            for (gint64 c = 0; c < group_in; c++)
              *tap++ = window_tap (w, row, column, kh, kw, group * group_in + c);
  return TRUE;
}

static gboolean
prepare_taps (Matrix             *m,
              const NnFixedLayer *layer,
              GError            **error)
{
  Window window;
  NnOp op = layer->node->op;

  m->n_features = layer->inputs[0].n;
  if (op == NN_OP_DENSE)
    {
      m->group_out = m->n_out;
      if (m->n_in != m->n_features)
        return nn_fixed_unsupported (layer, "its input has more than one axis", error);
      dense_taps (m);
      return TRUE;
    }
  window_init (&window, layer);
  m->n_groups = (gsize) MAX (layer->node->attrs.groups, 1);
  if (op == NN_OP_DEPTHWISE_CONV1D || op == NN_OP_DEPTHWISE_CONV2D)
    m->n_groups = (gsize) window.channels;
  m->group_out = m->n_out / m->n_groups;
  if (m->group_out == 0 || m->n_out % m->n_groups != 0 || (gsize) window.channels % m->n_groups != 0 ||
      m->n_in != (gsize) (window.kernel[0] * window.kernel[1] * window.channels) / m->n_groups)
    return nn_fixed_unsupported (layer, "its kernel does not fit its input's channels", error);
  return window_taps (m, &window, error);
}

/* Resource kernels with several factors for one output start with the first weight of each (hls4ml, 5.2). Groups have a
 * kernel of their own, which does not. */
static gsize
order_at (const Matrix      *m,
          const NnLayerPlan *p,
          gsize              n_in,
          gsize              k)
{
  gsize reuse = p->reuse_factor, blocks;

  if (m->n_groups > 1 || p->strategy == NN_STRATEGY_LATENCY || p->strategy == NN_STRATEGY_DISTRIBUTED_ARITHMETIC || reuse >= n_in || reuse == 0 ||
      n_in % reuse != 0)
    return k;
  blocks = n_in / reuse;
  return k % blocks * reuse + k / blocks;
}

/* Product @k of output @o in the layout of the file. */
static gsize
weight_index (const Matrix       *m,
              const NnFixedLayer *layer,
              gsize               k,
              gsize               o)
{
  gsize channels = (gsize) nn_shape_last (&layer->inputs[0].shape);

  return nn_op_is_transposed (layer->node->op) ? (k / channels * m->n_out + o) * channels + k % channels : k * m->n_out + o;
}

static void
prepare_weights (Matrix             *m,
                 const NnFixedLayer *layer)
{
  const gint64 *raw = nn_design_raw (layer->design, layer->index, NN_ROLE_KERNEL)->data;

  m->w64 = g_new0 (gint64, m->n_in * m->n_out);
  m->shifted64 = g_new0 (gint64, m->n_in * m->n_out);
  m->shifted32 = g_new0 (gint32, m->n_in * m->n_out);
  m->live = g_new0 (guint32, m->n_out);
  m->live_at = g_new0 (guint32, m->n_in * m->n_out);
  m->order = g_new (guint32, m->n_in);
  for (gsize k = 0; k < m->n_in; k++)
    m->order[k] = (guint32) order_at (m, layer->plan, m->n_in, k);
  for (gsize o = 0; o < m->n_out; o++)
    for (gsize k = 0; k < m->n_in; k++)
      {
        gint64 w = raw[weight_index (m, layer, m->order[k], o)];

        if (w == 0 && !m->binary && !m->exponential)
          continue;
        m->live_at[o * m->n_in + m->live[o]] = (guint32) k;
        m->w64[o * m->n_in + m->live[o]++] = w;
      }
}

static void
prepare_bias (Matrix             *m,
              const NnFixedLayer *layer)
{
  const NnTensor *raw = nn_design_raw (layer->design, layer->index, NN_ROLE_BIAS);
  const NnType *type = &layer->plan->bias;
  NnCast cast;

  m->bias = g_new0 (gint64, m->n_out);
  if (raw == NULL)
    return;
  nn_cast_init (&cast, nn_type_bits (type), TRUE, nn_type_fraction (type), &layer->plan->accum);
  for (gsize o = 0; o < m->n_out && o < raw->n; o++)
    {
      gboolean over;

      m->bias[o] = nn_cast_wide (&cast, ((const gint64 *) raw->data)[o], &over);
    }
}

/* The largest sum that can stand in the accumulator at any time, in its own last bit; huge where it might not fit. */
static double
largest_sum (const Matrix       *m,
             const NnFixedLayer *layer)
{
  double x = ldexp (1, layer->inputs[0].bits - 1), largest = 0;

  for (gsize o = 0; o < m->n_out; o++)
    {
      double sum = 0;

      for (gsize k = 0; k < m->live[o]; k++)
        sum += ABS ((double) m->w64[o * m->n_in + k]);
      sum = ldexp (sum * x, MAX (-m->shift, 0)) + ABS ((double) m->bias[o]);
      largest = MAX (largest, sum);
    }
  return largest;
}

static int
weight_bits (const Matrix *m)
{
  guint64 largest = 0;

  for (gsize k = 0; k < m->n_in * m->n_out; k++)
    largest = MAX (largest, (guint64) ABS (m->w64[k]));
  return largest == 0 ? 1 : 65 - __builtin_clzll (largest);
}

static Sum
steps (int bits,
       int shift,
       int width)
{
  return bits + MAX (-shift, 0) <= 62 && width <= 62 ? SUM_STEPS : SUM_WIDE;
}

static void
choose_sum (Matrix             *m,
            const NnFixedLayer *layer)
{
  const NnType *accum = &layer->plan->accum;
  int width = nn_type_bits (accum), x_bits = layer->inputs[0].bits, bits = x_bits + weight_bits (m);
  double largest = largest_sum (m, layer);
  gboolean lossless = m->shift <= 0 && accum->is_signed && largest < ldexp (1, accum->width - 1) - 1;
  gboolean modular = lossless || (accum->overflow == NN_OVERFLOW_WRAP && (m->shift <= 0 || accum->rounding == NN_ROUND_TRN));
  gboolean fits32 = lossless ? largest < 0x1p31 && x_bits <= 32
                             : width <= 32 && (m->shift <= 0 || (bits <= 32 && m->shift <= 31));

  if (m->exponential || bits > 64)
    m->sum = m->counted_sum = SUM_WIDE;
  else if (m->binary)
    m->sum = m->counted_sum = SUM_WIDE;
  else
    {
      m->counted_sum = steps (bits, m->shift, width);
      m->sum = !modular ? m->counted_sum : fits32 ? SUM_32 : m->shift <= 62 ? SUM_64 : SUM_WIDE;
      if (lossless)
        m->counted_sum = m->sum;
    }
}

/* Zeros are shifted in where the accumulator is finer than the products: into the weights, once. */
static void
shift_weights (Matrix *m)
{
  int up = MAX (-m->shift, 0);

  for (gsize k = 0; k < m->n_in * m->n_out; k++)
    {
      m->shifted64[k] = up > 63 ? 0 : (gint64) ((guint64) m->w64[k] << up);
      m->shifted32[k] = (gint32) (guint32) (guint64) m->shifted64[k];
    }
}

static void
prepare_casts (Matrix             *m,
               const NnFixedLayer *layer)
{
  const NnLayerPlan *p = layer->plan;
  const NnFixedInput *input = &layer->inputs[0];
  int product_fraction = m->binary ? 0 : input->fraction + nn_type_fraction (&p->weight);
  int product_bits = m->binary ? 2 : MIN (input->bits + nn_type_bits (&p->weight), 127);
  NnType sign = NN_FIXED ((int) nn_ceil_log2_macro (m->n_in) + 2, (int) nn_ceil_log2_macro (m->n_in) + 2);

  if (m->exponential)
    {
      product_fraction = m->power_width;
      product_bits = 127;
    }
  m->accum_fraction = nn_type_fraction (&p->accum);
  m->shift = product_fraction - m->accum_fraction;
  nn_cast_init (&m->product, product_bits, TRUE, product_fraction, &p->accum);
  nn_cast_init (&m->step, MIN (nn_type_bits (&p->accum) + 1, 64), TRUE, m->accum_fraction, &p->accum);
  nn_cast_init (&m->sign, 64, TRUE, 0, &sign);
  if (m->binary)
    nn_cast_init (&m->result, sign.width, TRUE, 0, &p->result);
  else
    nn_cast_init (&m->result, nn_type_bits (&p->accum), p->accum.is_signed, m->accum_fraction, &p->result);
}

gboolean
nn_fixed_prepare_matrix (NnFixedLayer  *layer,
                         GError       **error)
{
  const NnLayerPlan *p = layer->plan;
  Matrix *m = g_new0 (Matrix, 1);

  layer->state = m;
  layer->free_state = matrix_free;
  layer->run = run_matrix;
  m->n_in = p->n_in;
  m->n_out = p->n_out;
  m->kernels = nn_fixed_kernels ();
  m->binary = p->product == NN_PRODUCT_BOTH_BINARY;
  m->exponential = p->product == NN_PRODUCT_WEIGHT_EXPONENTIAL;
  m->power_width = p->weight.width + layer->inputs[0].type.width;
  if (nn_design_raw (layer->design, layer->index, NN_ROLE_KERNEL) == NULL || m->n_in == 0 || m->n_out == 0)
    return nn_fixed_unsupported (layer, "it has no kernel", error);
  if (!prepare_taps (m, layer, error))
    {
      if (!g_error_matches (*error, NN_ERROR, NN_ERROR_UNSUPPORTED))
        g_prefix_error (error, "layer \"%s\": ", layer->node->name);
      return FALSE;
    }
  prepare_weights (m, layer);
  prepare_bias (m, layer);
  prepare_casts (m, layer);
  choose_sum (m, layer);
  shift_weights (m);
  m->fused = m->shift > 0 && !m->product.wide && !m->step.wide && (m->step.is_signed || m->step.overflow != NN_OVERFLOW_WRAP);
  m->list_bytes = (2 * m->n_in * sizeof (gpointer) + 63) & ~(gsize) 63;
  layer->scratch = m->list_bytes + (m->n_features + 1) * NN_FIXED_LANES * sizeof (gint64);
  return TRUE;
}

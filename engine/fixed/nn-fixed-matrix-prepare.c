/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions, before they run: where their inputs lie, their weights, and the fastest exact sum. */

#include "nn-fixed-matrix-private.h"

#include "nn-error.h"
#include "nn-infer-shape.h"

#include <math.h>
#include <string.h>

static void
rows16_clear (NnRows16 *rows)
{
  g_free (rows->n);
  g_free (rows->at);
  g_free (rows->w);
}

static void
matrix_free (gpointer data)
{
  NnFixedMatrix *m = data;

  g_free (m->taps);
  g_free (m->live);
  g_free (m->live_at);
  g_free (m->order);
  g_free (m->w64);
  g_free (m->shifted64);
  g_free (m->shifted32);
  g_free (m->bias);
  rows16_clear (&m->high);
  rows16_clear (&m->low);
  g_free (m);
}

/* Dense: one position that reads every feature. */
static void
dense_taps (NnFixedMatrix *m)
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
window_taps (NnFixedMatrix *m,
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
prepare_taps (NnFixedMatrix      *m,
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
order_at (const NnFixedMatrix *m,
          const NnLayerPlan   *p,
          gsize                n_in,
          gsize                k)
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
weight_index (const NnFixedMatrix *m,
              const NnFixedLayer  *layer,
              gsize                k,
              gsize                o)
{
  gsize channels = (gsize) nn_shape_last (&layer->inputs[0].shape);

  return nn_op_is_transposed (layer->node->op) ? (k / channels * m->n_out + o) * channels + k % channels : k * m->n_out + o;
}

static void
prepare_weights (NnFixedMatrix      *m,
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
prepare_bias (NnFixedMatrix      *m,
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

      m->bias[o] = nn_cast_product (&cast, ((const gint64 *) raw->data)[o], nn_type_is_unsigned_64 (type), 1, FALSE, &over);
    }
}

/**
 * Facts: what the choice of a sum rests on.
 * @bits: of a product, its sign included; @up: zeros shifted in behind it
 * @shift: bits of it that fall off, @truncated: and are forgotten
 * @largest: no sum is larger, in the accumulator's last bit; @product: no product
 * @modular: whether the sum may wrap at any width above the accumulator's
 */
typedef struct {
  int      x_bits, w_bits, bits, up, shift, width;
  gboolean truncated, bounded, modular;
  double   largest, product;
} Facts;

/* Sums of products no larger than these are sure to be right in doubles. */
#define BOUND_MARGIN (1 + 0x1p-20)

static void
largest_sums (const NnFixedMatrix *m,
              Facts               *f)
{
  double x = ldexp (1, f->x_bits - 1 - m->shift);

  for (gsize o = 0; o < m->n_out; o++)
    {
      double sum = ABS ((double) m->bias[o]);

      for (gsize k = 0; k < m->live[o]; k++)
        {
          double w = f->w_bits > 64 ? 0x1p64 : ABS ((double) m->w64[o * m->n_in + k]);
          double product = w * x + (f->shift > 0 ? 1 : 0);

          f->product = MAX (f->product, product * BOUND_MARGIN);
          sum += product;
        }
      f->largest = MAX (f->largest, sum * BOUND_MARGIN);
    }
}

static int
weight_bits (const NnFixedMatrix *m,
             gboolean             is_unsigned)
{
  guint64 largest = 0;

  for (gsize k = 0; is_unsigned && k < m->n_in * m->n_out; k++)
    if (m->w64[k] < 0)
      return 65;
  for (gsize k = 0; k < m->n_in * m->n_out; k++)
    largest = MAX (largest, m->w64[k] < 0 ? -(guint64) m->w64[k] : (guint64) m->w64[k]);
  return largest == 0 ? 1 : 65 - __builtin_clzll (largest);
}

static void
find_facts (const NnFixedMatrix *m,
            const NnFixedLayer  *layer,
            Facts               *f)
{
  const NnType *accum = &layer->plan->accum;

  *f = (Facts){ .x_bits = layer->inputs[0].bits, .w_bits = weight_bits (m, nn_type_is_unsigned_64 (&layer->plan->weight)), .up = MAX (-m->shift, 0), .shift = MAX (m->shift, 0),
                .width = nn_type_bits (accum) };
  f->bits = f->x_bits + f->w_bits;
  f->truncated = f->shift == 0 || accum->rounding == NN_ROUND_TRN;
  largest_sums (m, f);
  f->bounded = accum->is_signed && f->largest < ldexp (1, accum->width - 1) - 1;
  f->modular = f->bounded || accum->overflow == NN_OVERFLOW_WRAP;
}

/* Whether integers of @width bits hold the sum, or wrap where the accumulator does not see it. */
static gboolean
sum_fits (const Facts *f,
          int          width)
{
  return f->modular && (f->width <= width || f->largest < ldexp (1, width - 1));
}

static gboolean
pairs_fit (const NnFixedMatrix *m,
           const NnFixedLayer  *layer,
           const Facts         *f)
{
  return f->shift == 0 && sum_fits (f, 32) && f->x_bits <= 16 && f->w_bits + f->up <= 16 &&
         (layer->node->op == NN_OP_DENSE || (m->n_in % 2 == 0 && nn_shape_last (&layer->inputs[0].shape) / (gint64) m->n_groups % 2 == 0));
}

static NnSum
fastest_sum (const NnFixedMatrix *m,
             const NnFixedLayer  *layer,
             const Facts         *f)
{
  gboolean whole = f->shift == 0;

  if (m->exponential || (m->binary && !m->counts))
    return NN_SUM_SLOW;
  if (f->truncated && sum_fits (f, 16) && (whole || (f->shift <= 16 && f->x_bits <= 16)))
    return NN_SUM_16;
  if (pairs_fit (m, layer, f))
    return NN_SUM_PAIR;
  if (f->truncated && sum_fits (f, 32) && (whole || (f->bits <= 32 && f->shift <= 31)))
    return NN_SUM_32;
  if (f->bits + f->up <= 31 && f->shift <= 30 && (f->modular ? sum_fits (f, 32) : f->width <= 31))
    return NN_SUM_STEPS_32;
  if (f->modular && whole && (f->x_bits > 32 || f->w_bits + f->up > 32))
    return NN_SUM_64;
  if (f->bits + f->up <= 62 && f->shift <= 60 && (f->modular || f->width <= 62))
    return NN_SUM_STEPS_64;
  if (f->modular && f->truncated && (whole || (f->bits <= 64 && f->shift <= 62)))
    return NN_SUM_64;
  return m->shift >= 0 && m->shift <= 63 && f->x_bits <= 64 && f->w_bits <= 64 && f->bits <= 127 ? NN_SUM_STEPS_WIDE : NN_SUM_SLOW;
}

static gboolean
has_padding (const NnFixedMatrix *m)
{
  for (gsize k = 0; k < m->n_positions * m->n_groups * m->n_in; k++)
    if (m->taps[k] < 0)
      return TRUE;
  return FALSE;
}

/*
 * Bits that equal their weight are counted: x where the weight is 1, 1 - x where it is 0. As long as nothing overflows that
 * is a sum of products by 1 and -1 that starts with the number of zeros.
 */
static void
count_by_sums (NnFixedMatrix      *m,
               const NnFixedLayer *layer)
{
  const NnType *accum = &layer->plan->accum;
  double most = 0;

  for (gsize o = 0; o < m->n_out; o++)
    most = MAX (most, ABS (ldexp ((double) m->bias[o], -m->accum_fraction)));
  if (!m->binary || !accum->is_signed || m->accum_fraction < 0 || m->accum_fraction > 32 || has_padding (m) ||
      most + 4.0 * (double) m->n_in + 4 > ldexp (1, accum->integer - 1))
    return;
  m->counts = TRUE;
  for (gsize o = 0; o < m->n_out; o++)
    for (gsize k = 0; k < m->live[o]; k++)
      {
        gint64 *w = &m->w64[o * m->n_in + k];

        m->bias[o] += *w == 0 ? (gint64) 1 << m->accum_fraction : 0;
        *w = *w == 0 ? -1 : 1;
      }
}

static void
choose_sum (NnFixedMatrix      *m,
            const NnFixedLayer *layer)
{
  const NnType *accum = &layer->plan->accum;
  NnLimit limit = NN_LIMIT_NONE;
  Facts f;

  find_facts (m, layer, &f);
  m->sum = fastest_sum (m, layer, &f);
  m->counted_sum = f.bounded || m->sum == NN_SUM_SLOW ? m->sum : f.bits + f.up <= 62 && f.width <= 62 ? NN_SUM_COUNTED : NN_SUM_SLOW;
  m->wraps = !f.bounded && accum->overflow == NN_OVERFLOW_WRAP && accum->width != 64 &&
             !(m->sum == NN_SUM_16 && accum->is_signed && accum->width == 16);
  if (!f.modular && accum->overflow == NN_OVERFLOW_SAT_ZERO)
    limit = NN_LIMIT_ZERO;
  else if (!f.modular)
    limit = accum->is_signed && f.product < ldexp (1, accum->width - 1) - 1 ? NN_LIMIT_SUM : NN_LIMIT_BOTH;
  m->steps = (NnSteps){ .shift = f.shift, .rounding = accum->rounding, .limit = limit, .max = m->product.max,
                        .min = accum->overflow == NN_OVERFLOW_SAT_SYM && accum->is_signed ? -m->product.max : m->product.min,
                        .narrow = f.x_bits <= 32 && f.w_bits + f.up <= 32 };
  if (m->sum == NN_SUM_STEPS_WIDE && !nn_wide_steps_init (&m->wide_steps, &m->product, limit))
    m->sum = NN_SUM_SLOW;
}

/* Zeros are shifted in where the accumulator is finer than the products: into the weights, once. */
static void
shift_weights (NnFixedMatrix *m)
{
  int up = MAX (-m->shift, 0);

  for (gsize k = 0; k < m->n_in * m->n_out; k++)
    {
      m->shifted64[k] = up > 63 ? 0 : (gint64) ((guint64) m->w64[k] << up);
      m->shifted32[k] = (gint32) (guint32) (guint64) m->shifted64[k];
    }
}

static void
rows16_init (NnRows16 *rows,
             gsize     n_out,
             gsize     stride,
             gsize     each)
{
  rows->stride = stride;
  rows->n = g_new0 (guint32, n_out);
  rows->at = g_new (guint32, n_out * stride);
  rows->w = g_new (gint16, n_out * stride * each);
}

static void
rows16_add (NnRows16 *rows,
            gsize     o,
            gsize     at,
            gint16    w)
{
  gsize k = o * rows->stride + rows->n[o];

  if (w == 0)
    return;
  rows->at[k] = (guint32) at;
  rows->w[k] = w;
  rows->n[o]++;
}

/* w = high * 2^shift + low, low from -2^(shift-1) on; low stands at the upper end of its 16 bits. */
static void
split_weights (NnFixedMatrix *m)
{
  int shift = MAX (m->shift, 0);

  rows16_init (&m->high, m->n_out, m->n_in, 1);
  if (shift > 0)
    rows16_init (&m->low, m->n_out, m->n_in, 1);
  for (gsize o = 0; o < m->n_out; o++)
    for (gsize k = 0; k < m->live[o]; k++)
      {
        gsize at = m->live_at[o * m->n_in + k];
        gint64 w = m->shifted64[o * m->n_in + k], high = w;

        if (shift > 0)
          {
            high = (w >> shift) + (w >> (shift - 1) & 1);
            rows16_add (&m->low, o, at, (gint16) ((w - (gint64) ((guint64) high << shift)) * (1 << (16 - shift))));
          }
        rows16_add (&m->high, o, at, (gint16) high);
      }
}

static void
pair_weights (NnFixedMatrix *m)
{
  gsize n_pairs = (m->n_in + 1) / 2;
  g_autofree gint16 *row = g_new (gint16, 2 * n_pairs);

  rows16_init (&m->high, m->n_out, n_pairs, 2);
  for (gsize o = 0; o < m->n_out; o++)
    {
      memset (row, 0, 2 * n_pairs * sizeof *row);
      for (gsize k = 0; k < m->live[o]; k++)
        row[m->order[m->live_at[o * m->n_in + k]]] = (gint16) m->shifted32[o * m->n_in + k];
      for (gsize k = 0; k < n_pairs; k++)
        if (row[2 * k] != 0 || row[2 * k + 1] != 0)
          {
            gsize at = o * n_pairs + m->high.n[o]++;

            m->high.at[at] = (guint32) k;
            memcpy (m->high.w + 2 * at, row + 2 * k, 2 * sizeof *row);
          }
    }
}

static void
prepare_casts (NnFixedMatrix      *m,
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
nn_fixed_prepare_matrix (NnFixedLayer *layer,
                         GError      **error)
{
  const NnLayerPlan *p = layer->plan;
  NnFixedMatrix *m = g_new0 (NnFixedMatrix, 1);

  layer->state = m;
  layer->free_state = matrix_free;
  layer->run = nn_fixed_run_matrix;
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
  count_by_sums (m, layer);
  choose_sum (m, layer);
  shift_weights (m);
  if (m->sum == NN_SUM_16)
    split_weights (m);
  else if (m->sum == NN_SUM_PAIR)
    pair_weights (m);
  m->list_bytes = (m->n_in * sizeof (gpointer) + 63) & ~(gsize) 63;
  layer->scratch = m->list_bytes + (2 * m->n_features + 2) * NN_FIXED_LANES * sizeof (gint64);
  return TRUE;
}

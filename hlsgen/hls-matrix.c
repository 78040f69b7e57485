/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The choice of the kernel that multiplies by weights, and the memories it reads. */

#include "hls-emit-private.h"

/* From this share of zero weights on, a layer that cannot use them is worth a warning. */
#define NOTABLE_ZEROS 0.3

typedef enum { KERNEL_LATENCY, KERNEL_RESOURCE, KERNEL_PRUNED, KERNEL_COMPRESSED, KERNEL_ADDERS, KERNEL_BIAS } Kernel;

static const char *const kernel_names[] = {
  "dense_latency", "dense_resource", "dense_resource", "dense_compressed", "dense_adders", "dense_bias",
};

static gint64
weight_at (const HlsMatrix *matrix,
           gsize            f)
{
  return matrix->raw[f % matrix->n_in * matrix->n_out + f / matrix->n_in];
}

/* The multipliers that have at least one weight to work on. A binary weight is never zero. */
static GArray *
live_multipliers (const HlsMatrix *matrix)
{
  GArray *live = g_array_new (FALSE, FALSE, sizeof (guint32));
  gsize n = (gsize) matrix->n_in * matrix->n_out / matrix->reuse_factor;

  for (guint32 m = 0; m < n; m++)
    for (gsize k = 0; k < matrix->reuse_factor; k++)
      if (matrix->weight_type->kind == NN_TYPE_BINARY || weight_at (matrix, m * (gsize) matrix->reuse_factor + k) != 0)
        {
          g_array_append_val (live, m);
          break;
        }
  return live;
}

static gsize
count_zeros (const HlsMatrix *matrix)
{
  gsize zeros = 0;

  if (matrix->weight_type->kind != NN_TYPE_BINARY)
    for (gsize i = 0; i < (gsize) matrix->n_in * matrix->n_out; i++)
      zeros += matrix->raw[i] == 0;
  return zeros;
}

static char *
array_name (const HlsLayer  *layer,
            const HlsMatrix *matrix,
            const char      *letter)
{
  return g_strdup_printf ("%s%s%u", letter, *matrix->prefix != '\0' ? "r" : "", layer->number);
}

static gboolean
write_array (HlsEmit          *emit,
             const HlsLayer   *layer,
             const HlsMatrix  *matrix,
             const char       *letter,
             const char       *what,
             const char       *order,
             const NnType     *type,
             const gint64     *raw,
             gsize             n,
             GError          **error)
{
  g_autofree char *name = array_name (layer, matrix, letter);
  g_autofree char *suffix = g_strdup_printf ("%s%s_t", matrix->prefix, what);
  g_autofree char *comment = g_strdup_printf ("Layer \"%s\": %s%s%s", layer->label, matrix->prefix, what, order);

  return hls_emit_values (emit, layer, name, suffix, comment, type, raw, n, error);
}

/* Two bits hold -2 too, which is more than a sign. */
static gboolean
only_signs (const HlsMatrix *matrix)
{
  for (gsize i = 0; i < (gsize) matrix->n_in * matrix->n_out; i++)
    if (matrix->raw[i] < -1)
      return FALSE;
  return TRUE;
}

static void
write_common (HlsEmit         *emit,
              const HlsLayer  *layer,
              const HlsMatrix *matrix,
              const char      *config,
              gsize            n_weights)
{
  const char *product = "mult", *finish = "finish_cast";
  g_autofree char *cut = NULL;

  if (matrix->input_type->kind == NN_TYPE_BINARY && layer->plan->product != NN_PRODUCT_BOTH_BINARY)
    product = "data_binary";
  else switch (layer->plan->product)
    {
    case NN_PRODUCT_BOTH_BINARY:
      product = "both_binary", finish = "finish_agreements";
      break;
    case NN_PRODUCT_WEIGHT_BINARY:
      product = "weight_binary";
      break;
    case NN_PRODUCT_DATA_BINARY:
      product = "data_binary";
      break;
    case NN_PRODUCT_WEIGHT_TERNARY:
      product = only_signs (matrix) ? "weight_ternary" : "mult";
      break;
    case NN_PRODUCT_WEIGHT_EXPONENTIAL:
      if (matrix->kept == 0)
        break;
      cut = g_strdup_printf ("weight_power<%d, %d>", matrix->input_type->integer + matrix->weight_type->integer + matrix->kept,
                             matrix->input_type->integer + matrix->weight_type->integer);
      product = cut;
      break;
    case NN_PRODUCT_MULT:
    default:
      break;
    }
  g_string_append_printf (emit->configs,
                          "struct %s {\n"
                          "    static const unsigned n_in = %u;\n"
                          "    static const unsigned n_out = %u;\n"
                          "    static const unsigned reuse_factor = %u;\n"
                          "    static const unsigned n_weights = %" G_GSIZE_FORMAT ";\n"
                          "    typedef layer%u_%sweight_t weight_t;\n"
                          "    typedef layer%u_%sbias_t bias_t;\n"
                          "    typedef layer%u_%saccum_t accum_t;\n"
                          "    typedef nnet::product::%s product;\n"
                          "    typedef nnet::%s finish;\n",
                          config, matrix->n_in, matrix->n_out, matrix->reuse_factor, n_weights, layer->number, matrix->prefix,
                          layer->number, matrix->prefix, layer->number, matrix->prefix, product, finish);
}

static void
write_kernel (HlsEmit *emit,
              Kernel   kernel)
{
  g_string_append_printf (emit->configs,
                          "    template <class data_T, class res_T, class CONFIG_T>\n"
                          "    using kernel = nnet::%s<data_T, res_T, CONFIG_T>;\n"
                          "};\n\n",
                          kernel_names[kernel]);
}

static gboolean
write_latency (HlsEmit          *emit,
               HlsLayer         *layer,
               const HlsMatrix  *matrix,
               const char       *config,
               Kernel            kernel,
               GError          **error)
{
  gsize n = (gsize) matrix->n_in * matrix->n_out, zeros = count_zeros (matrix);
  gsize limit = (n - zeros + matrix->reuse_factor - 1) / matrix->reuse_factor;

  layer->n_multipliers += limit;
  layer->n_dropped += (n + matrix->reuse_factor - 1) / matrix->reuse_factor - limit;
  if (kernel == KERNEL_BIAS)
    layer->kernel = g_strdup ("bias only; every weight is zero");
  else
    layer->kernel = g_strdup_printf ("Latency, %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " products are left", n - zeros, n);
  g_string_append_printf (emit->configs, "// Layer \"%s\" (%s): %s\n", layer->label, layer->class_label, layer->kernel);
  write_common (emit, layer, matrix, config, n);
  g_string_append_printf (emit->configs, "    static const unsigned multiplier_limit = %" G_GSIZE_FORMAT ";\n", MAX (limit, 1));
  write_kernel (emit, kernel);
  return write_array (emit, layer, matrix, "w", "weight", ", (inputs, outputs)", matrix->weight_type, matrix->raw, n, error);
}

static char *
resource_reason (const HlsMatrix *matrix,
                 gsize            n,
                 gsize            n_live)
{
  const char *cycles = matrix->reuse_factor == 1 ? "cycle" : "cycles";

  if (n == n_live)
    return g_strdup_printf ("Resource, %" G_GSIZE_FORMAT " multipliers, each used in %u %s", n, matrix->reuse_factor, cycles);
  return g_strdup_printf ("pruned Resource, since %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
                          " multipliers would have had only zero weights; the other %" G_GSIZE_FORMAT
                          " are each used in %u %s",
                          n - n_live, n, n_live, matrix->reuse_factor, cycles);
}

static void
warn_of_lost_zeros (HlsEmit         *emit,
                    const HlsLayer  *layer,
                    const HlsMatrix *matrix,
                    gsize            n,
                    gsize            n_live)
{
  gsize zeros = count_zeros (matrix), total = (gsize) matrix->n_in * matrix->n_out;
  gsize used = (n - n_live) * matrix->reuse_factor;
  g_autofree char *text = NULL;

  if (matrix->reuse_factor == 1 || (double) (zeros - used) < NOTABLE_ZEROS * (double) total)
    return;
  text = g_strdup_printf ("layer \"%s\": %" G_GSIZE_FORMAT " of its %" G_GSIZE_FORMAT " weights are zero, but only %" G_GSIZE_FORMAT
                          " of %" G_GSIZE_FORMAT " multipliers, of %u weights each, have nothing but zeros; prune by multiplier groups, "
                          "or use the strategy Latency or Compressed, to save more",
                          layer->node->name, zeros, total, n - n_live, n, matrix->reuse_factor);
  hls_project_warn (emit->project, text);
}

/* A place for every weight and a choice among all inputs are dear where few weights are zero. */
static void
warn_of_few_zeros (HlsEmit         *emit,
                   const HlsLayer  *layer,
                   const HlsMatrix *matrix,
                   gsize            left)
{
  gsize total = (gsize) matrix->n_in * matrix->n_out;
  g_autofree char *text = NULL;

  if ((double) (total - left) >= NOTABLE_ZEROS * (double) total)
    return;
  text = g_strdup_printf ("layer \"%s\": compressed storage keeps the place of each of its %" G_GSIZE_FORMAT " weights, of which only %"
                          G_GSIZE_FORMAT " are zero; the strategy Resource is smaller",
                          layer->node->name, total, total - left);
  hls_project_warn (emit->project, text);
}

static gboolean
write_resource (HlsEmit          *emit,
                HlsLayer         *layer,
                const HlsMatrix  *matrix,
                const char       *config,
                GArray           *live,
                GError          **error)
{
  gsize n = (gsize) matrix->n_in * matrix->n_out / matrix->reuse_factor;
  g_autofree gint64 *packed = g_new (gint64, (gsize) live->len * matrix->reuse_factor);
  g_autofree char *table = array_name (layer, matrix, "live");
  g_autofree char *comment = g_strdup_printf ("Layer \"%s\": the multipliers that are left", layer->label);
  gboolean pruned = live->len < n;

  for (gsize m = 0; m < live->len; m++)
    for (gsize k = 0; k < matrix->reuse_factor; k++)
      packed[m * matrix->reuse_factor + k] =
        weight_at (matrix, g_array_index (live, guint32, m) * (gsize) matrix->reuse_factor + k);
  layer->n_multipliers += live->len;
  layer->n_dropped += n - live->len;
  layer->kernel = resource_reason (matrix, n, live->len);
  warn_of_lost_zeros (emit, layer, matrix, n, live->len);
  g_string_append_printf (emit->configs, "// Layer \"%s\" (%s): %s\n", layer->label, layer->class_label, layer->kernel);
  write_common (emit, layer, matrix, config, (gsize) live->len * matrix->reuse_factor);
  g_string_append_printf (emit->configs,
                          "    static const unsigned n_live = %u;\n"
                          "    static unsigned live(unsigned m) { return %s%s%s; }\n",
                          live->len, pruned ? table : "m", pruned ? "[m]" : "", "");
  write_kernel (emit, pruned ? KERNEL_PRUNED : KERNEL_RESOURCE);
  if (pruned)
    hls_emit_indices (emit, table, comment, (guint32 *) live->data, live->len);
  return write_array (emit, layer, matrix, "w", "weight", ", by multiplier and cycle", matrix->weight_type, packed,
                      (gsize) live->len * matrix->reuse_factor, error);
}

/* The order in which the Resource kernels add the products of one output. */
static guint
order_at (const HlsMatrix *matrix,
          guint            k)
{
  guint blocks = matrix->n_in / MIN (matrix->reuse_factor, matrix->n_in);

  return matrix->reuse_factor >= matrix->n_in ? k : k % blocks * matrix->reuse_factor + k / blocks;
}

static gboolean
write_compressed (HlsEmit          *emit,
                  HlsLayer         *layer,
                  const HlsMatrix  *matrix,
                  const char       *config,
                  GError          **error)
{
  gsize total = (gsize) matrix->n_in * matrix->n_out, left = total - count_zeros (matrix), k = 0;
  gsize n = (left + matrix->reuse_factor - 1) / matrix->reuse_factor * matrix->reuse_factor;
  gsize n_multipliers = n / matrix->reuse_factor;
  g_autofree gint64 *values = g_new0 (gint64, n);
  g_autofree guint32 *rows = g_new0 (guint32, n), *columns = g_new0 (guint32, n);
  g_autofree char *row_table = array_name (layer, matrix, "row"), *column_table = array_name (layer, matrix, "column");

  for (guint o = 0; o < matrix->n_out; o++)
    for (guint at = 0; at < matrix->n_in; at++)
      {
        guint i = order_at (matrix, at);
        gsize place = k % n_multipliers * matrix->reuse_factor + k / n_multipliers;

        if (matrix->raw[(gsize) i * matrix->n_out + o] == 0)
          continue;
        values[place] = matrix->raw[(gsize) i * matrix->n_out + o];
        rows[place] = i;
        columns[place] = o;
        k++;
      }
  layer->n_multipliers += n / matrix->reuse_factor;
  layer->n_dropped += (total + matrix->reuse_factor - 1) / matrix->reuse_factor - n / matrix->reuse_factor;
  layer->kernel = g_strdup_printf ("compressed, %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " weights stored with their places",
                                   left, total);
  warn_of_few_zeros (emit, layer, matrix, left);
  g_string_append_printf (emit->configs, "// Layer \"%s\" (%s): %s\n", layer->label, layer->class_label, layer->kernel);
  write_common (emit, layer, matrix, config, n);
  g_string_append_printf (emit->configs,
                          "    static unsigned row(unsigned k) { return %s[k]; }\n"
                          "    static unsigned column(unsigned k) { return %s[k]; }\n",
                          row_table, column_table);
  write_kernel (emit, KERNEL_COMPRESSED);
  hls_emit_indices (emit, row_table, "Inputs of the weights that are not zero", rows, n);
  hls_emit_indices (emit, column_table, "Outputs of the weights that are not zero", columns, n);
  return write_array (emit, layer, matrix, "w", "weight", ", zeros left out", matrix->weight_type, values, n, error);
}

static gboolean
write_adders (HlsEmit          *emit,
              HlsLayer         *layer,
              const HlsMatrix  *matrix,
              const char       *config,
              GError          **error)
{
  static const gint64 nothing = 0;

  gsize additions = hls_emit_adders (emit, layer, matrix, config);

  layer->n_dropped += (gsize) matrix->n_in * matrix->n_out - count_zeros (matrix);
  layer->kernel = g_strdup_printf ("distributed arithmetic, %" G_GSIZE_FORMAT " additions and no multiplier", additions);
  g_string_append_printf (emit->configs, "// Layer \"%s\" (%s): %s\n", layer->label, layer->class_label, layer->kernel);
  write_common (emit, layer, matrix, config, 1);
  g_string_append_printf (emit->configs,
                          "    typedef nnet::%s_sums sums;\n", config);
  write_kernel (emit, KERNEL_ADDERS);
  return write_array (emit, layer, matrix, "w", "weight", ": none, they are in the adder graph", matrix->weight_type, &nothing, 1,
                      error);
}

/* Adders make the whole sum before anything is rounded; the accumulator must not round or saturate on the way. */
static gboolean
sums_are_exact (HlsEmit         *emit,
                const HlsLayer  *layer,
                const HlsMatrix *matrix)
{
  const NnType *in = matrix->input_type, *accum = matrix->accum_type;
  int fraction = nn_type_fraction (in) + nn_type_fraction (matrix->weight_type), bits = 1;
  g_autofree char *text = NULL;

  for (guint n = 1; n < matrix->n_in + 1; n *= 2)
    bits++;
  if (in->kind == NN_TYPE_FIXED && nn_type_fraction (accum) >= fraction &&
      (accum->overflow == NN_OVERFLOW_WRAP || accum->integer >= in->integer + matrix->weight_type->integer + bits))
    return TRUE;
  text = g_strdup_printf ("layer \"%s\": distributed arithmetic needs an accumulator of at least %d bits after the point that does not "
                          "saturate; its products are kept as they are, in the strategy Latency",
                          layer->node->name, fraction);
  hls_project_warn (emit->project, text);
  return FALSE;
}

static gboolean
write_bias (HlsEmit          *emit,
            const HlsLayer   *layer,
            const HlsMatrix  *matrix,
            GError          **error)
{
  g_autofree gint64 *zeros = g_new0 (gint64, matrix->n_out);

  return write_array (emit, layer, matrix, "b", "bias", "", matrix->bias_type, matrix->bias != NULL ? matrix->bias : zeros,
                      matrix->n_out, error);
}

/* Powers of two (exponent from bit 1 on, sign in bit 0) as fixed-point numbers of just enough bits, whose products are the
 * same. @kept: (out): behind how many bits the reference cuts its products, 0 where that cuts nothing. */
static gint64 *
from_powers (const HlsLayer   *layer,
             const HlsMatrix  *matrix,
             NnType           *type,
             int              *kept,
             GError          **error)
{
  gsize n = (gsize) matrix->n_in * matrix->n_out;
  gint64 least = matrix->raw[0] >> 1, most = least;
  g_autofree gint64 *raw = g_new (gint64, n);

  for (gsize i = 0; i < n; i++)
    {
      least = MIN (least, matrix->raw[i] >> 1);
      most = MAX (most, matrix->raw[i] >> 1);
    }
  if (matrix->input_type->kind != NN_TYPE_FIXED || most - least > 50)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "layer \"%s\": its powers of two are too far from one another",
                   layer->node->name);
      return NULL;
    }
  *kept = matrix->weight_type->width + matrix->input_type->width;
  if (nn_type_fraction (matrix->input_type) - least <= *kept)
    *kept = 0;
  for (gsize i = 0; i < n; i++)
    raw[i] = (G_GINT64_CONSTANT (1) << ((matrix->raw[i] >> 1) - least)) * (matrix->raw[i] & 1 ? -1 : 1);
  *type = NN_FIXED ((int) (most - least) + 2, (int) most + 2);
  return g_steal_pointer (&raw);
}

/**
 * hls_emit_matrix:
 * @config: name of the struct that is written
 *
 * Chooses the kernel of a matrix from its strategy and its zeros, and writes its struct, weights and bias.
 */
gboolean
hls_emit_matrix (HlsEmit          *emit,
                 HlsLayer         *layer,
                 const HlsMatrix  *matrix,
                 const char       *config,
                 GError          **error)
{
  g_autofree char *weight = g_strconcat (matrix->prefix, "weight_t", NULL);
  g_autofree char *bias = g_strconcat (matrix->prefix, "bias_t", NULL);
  g_autofree char *accum = g_strconcat (matrix->prefix, "accum_t", NULL);
  g_autoptr (GArray) live = NULL;
  g_autofree gint64 *powers = NULL;
  HlsMatrix plain = *matrix;
  NnType power_type;
  NnStrategy strategy = layer->plan->strategy;
  gboolean fixed = layer->plan->product == NN_PRODUCT_MULT;

  g_clear_pointer (&layer->kernel, g_free);
  if (matrix->weight_type->kind == NN_TYPE_POWER)
    {
      powers = from_powers (layer, matrix, &power_type, &plain.kept, error);
      if (powers == NULL)
        return FALSE;
      plain.raw = powers;
      plain.weight_type = &power_type;
      matrix = &plain;
    }
  if (!hls_emit_typedef (emit, layer, weight, matrix->weight_type, error) ||
      !hls_emit_typedef (emit, layer, bias, matrix->bias_type, error) ||
      !hls_emit_typedef (emit, layer, accum, matrix->accum_type, error) || !write_bias (emit, layer, matrix, error))
    return FALSE;
  if (matrix->weight_type->kind != NN_TYPE_BINARY && count_zeros (matrix) == (gsize) matrix->n_in * matrix->n_out)
    return write_latency (emit, layer, matrix, config, KERNEL_BIAS, error);
  if (strategy == NN_STRATEGY_COMPRESSED && fixed)
    return write_compressed (emit, layer, matrix, config, error);
  if (strategy == NN_STRATEGY_DISTRIBUTED_ARITHMETIC && fixed && sums_are_exact (emit, layer, matrix))
    return write_adders (emit, layer, matrix, config, error);
  if (strategy == NN_STRATEGY_RESOURCE || strategy == NN_STRATEGY_RESOURCE_UNROLLED || strategy == NN_STRATEGY_COMPRESSED)
    {
      live = live_multipliers (matrix);
      return write_resource (emit, layer, matrix, config, live, error);
    }
  return write_latency (emit, layer, matrix, config, KERNEL_LATENCY, error);
}

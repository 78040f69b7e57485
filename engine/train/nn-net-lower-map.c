/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operators that become lists: shapes, pooling, reductions, products, transposed convolution, einsum. */

#include "nn-infer-shape.h"
#include "nn-net-lower.h"

#include <string.h>

/* Terms of one layer's list; beyond it memory and time would be lost anyhow. */
#define MAX_TERMS ((gsize) 1 << 27)

typedef struct {
  GArray *start, *index, *other, *factor;
} Draft;

static Draft
draft_new (void)
{
  Draft d = { g_array_new (FALSE, FALSE, sizeof (guint32)), g_array_new (FALSE, FALSE, sizeof (guint32)),
              g_array_new (FALSE, FALSE, sizeof (guint32)), g_array_new (FALSE, FALSE, sizeof (float)) };

  return d;
}

static void
draft_clear (Draft *d)
{
  g_array_unref (d->start);
  g_array_unref (d->index);
  g_array_unref (d->other);
  g_array_unref (d->factor);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Draft, draft_clear)

/* The terms added from now on belong to the next output. */
static void
draft_next (Draft *d)
{
  guint32 at = d->index->len;

  g_array_append_val (d->start, at);
}

static void
draft_add (Draft *d,
           gsize  index,
           gsize  other,
           float  factor)
{
  guint32 i = index, o = other;

  g_array_append_val (d->index, i);
  g_array_append_val (d->other, o);
  g_array_append_val (d->factor, factor);
}

static NnMap
draft_take (Draft   *d,
            NnArena *arena,
            gboolean other,
            gboolean factor)
{
  NnMap map = { .n_out = d->start->len };

  draft_next (d);
  map.start = nn_arena_memdup (arena, d->start->data, d->start->len * sizeof (guint32));
  map.index = nn_arena_memdup (arena, d->index->data, d->index->len * sizeof (guint32));
  if (other)
    map.other = nn_arena_memdup (arena, d->other->data, d->other->len * sizeof (guint32));
  if (factor)
    map.factor = nn_arena_memdup (arena, d->factor->data, d->factor->len * sizeof (float));
  return map;
}

/* The same terms sorted by @key (one of the map's columns): for each of @n keys the outputs, and the other column. */
static NnMap
invert (const NnMap   *map,
        NnArena       *arena,
        const guint32 *key,
        const guint32 *keep,
        gsize          n)
{
  const gsize terms = map->start[map->n_out];
  NnMap back = { .n_out = n };
  g_autofree guint32 *at = g_new0 (guint32, n + 1);

  back.start = nn_arena_new0 (arena, guint32, n + 1);
  back.index = nn_arena_new0 (arena, guint32, terms + 1);
  back.other = keep != NULL ? nn_arena_new0 (arena, guint32, terms + 1) : NULL;
  back.factor = map->factor != NULL ? nn_arena_new0 (arena, float, terms + 1) : NULL;
  for (gsize t = 0; t < terms; t++)
    back.start[key[t] + 1]++;
  for (gsize i = 0; i < n; i++)
    back.start[i + 1] += back.start[i];
  memcpy (at, back.start, n * sizeof (guint32));
  for (gsize e = 0; e < map->n_out; e++)
    for (guint32 t = map->start[e]; t < map->start[e + 1]; t++)
      {
        guint32 to = at[key[t]]++;

        if (keep != NULL)
          back.index[to] = keep[t], back.other[to] = e;
        else
          back.index[to] = e;
        if (back.factor != NULL)
          back.factor[to] = map->factor[t];
      }
  return back;
}

/* A list of sums: with the list for the way back. */
static gboolean
finish_sums (NnNetBuilder *b,
             const NnNode *node,
             guint         input,
             Draft        *d,
             guint        *output)
{
  const gsize n = nn_build_buffer (b, input)->n;
  gboolean plain = TRUE;
  NnLayer *layer = nn_build_layer (b, NN_LAYER_SUM_MAP, node, &input, 1, d->start->len, output);

  for (guint t = 0; t < d->factor->len; t++)
    plain = plain && g_array_index (d->factor, float, t) == 1;
  layer->map = draft_take (d, b->net->arena, FALSE, !plain);
  if (b->net->options.gradients)
    layer->back = invert (&layer->map, b->net->arena, layer->map.index, NULL, n);
  return TRUE;
}

/* Output index to its coordinates, last axis fastest. */
static void
unravel (const NnShape *shape,
         gsize          e,
         gint64         at[NN_MAX_RANK])
{
  for (guint i = shape->rank; i > 0; i--)
    {
      at[i - 1] = e % shape->dims[i - 1];
      e /= shape->dims[i - 1];
    }
}

/* Where the output's element at @at comes from along the axes; FALSE for a zero. */
static gboolean
source_of (const NnNode  *node,
           const NnShape *in,
           const gint64  *at,
           gint64        *from)
{
  const NnAttrs *a = &node->attrs;
  const guint spatial = in->rank >= 3 ? 2 : 1, first = in->rank - 1 - spatial;
  const guint axis = a->axis < 0 ? a->axis + in->rank : (guint) a->axis;

  if (node->op == NN_OP_REPEAT_VECTOR)
    {
      from[0] = at[1];
      return TRUE;
    }
  for (guint i = 0; node->op == NN_OP_PERMUTE && i < in->rank; i++)
    from[a->perm[i]] = at[i];
  if (node->op == NN_OP_PERMUTE)
    return TRUE;
  for (guint i = 0; i < in->rank; i++)
    {
      guint s = i - first;

      from[i] = at[i];
      if (node->op == NN_OP_SLICE && i == axis)
        from[i] = a->begin + at[i] * a->step;
      else if (node->op == NN_OP_REVERSE && i == axis)
        from[i] = in->dims[i] - 1 - at[i];
      else if (i >= first && i + 1 < in->rank && node->op == NN_OP_UPSAMPLE)
        from[i] = at[i] / MAX (a->size[s], 1);
      else if (i >= first && i + 1 < in->rank && node->op == NN_OP_CROP)
        from[i] = at[i] + a->pad[s][0];
      else if (i >= first && i + 1 < in->rank && node->op == NN_OP_ZERO_PAD)
        from[i] = at[i] - a->pad[s][0];
      if (from[i] < 0 || from[i] >= in->dims[i])
        return FALSE;
    }
  return TRUE;
}

static gsize
ravel (const NnShape *shape,
       const gint64  *at)
{
  gsize e = 0;

  for (guint i = 0; i < shape->rank; i++)
    e = e * shape->dims[i] + at[i];
  return e;
}

gboolean
nn_lower_move (NnNetBuilder *b,
               const NnNode *node,
               guint         input,
               guint        *output,
               GError      **error)
{
  const NnShape *in = nn_lower_input_shape (b, node, 0);
  g_auto (Draft) d = draft_new ();
  gint64 at[NN_MAX_RANK], from[NN_MAX_RANK];

  if (node->op == NN_OP_UPSAMPLE && node->attrs.interpolation != NN_INTERPOLATION_NEAREST)
    return nn_build_fail (node, error, "only nearest neighbour upsampling is");
  for (gsize e = 0; e < nn_shape_count (&node->shape); e++)
    {
      draft_next (&d);
      unravel (&node->shape, e, at);
      if (source_of (node, in, at, from))
        draft_add (&d, ravel (in, from), 0, 1);
    }
  return finish_sums (b, node, input, &d, output);
}

/* The window of output position (oy, ox): input positions inside the input. */
static void
pool_window (Draft          *d,
             const NnWindow *w,
             gsize           outer,
             gsize           oy,
             gsize           ox,
             gsize           c,
             gboolean        mean,
             gboolean        count_pad)
{
  const guint before = d->index->len;

  for (gsize ky = 0; ky < w->kh; ky++)
    for (gsize kx = 0; kx < w->kw; kx++)
      {
        gint64 y = (gint64) (oy * w->sh + ky * w->dh) - w->top, x = (gint64) (ox * w->sw + kx * w->dw) - w->left;

        if (y >= 0 && y < w->h && x >= 0 && x < w->w)
          draft_add (d, ((outer * w->h + y) * w->w + x) * w->c + c, 0, 1);
      }
  for (guint t = before; mean && t < d->factor->len; t++)
    g_array_index (d->factor, float, t) = 1.0f / (count_pad ? w->kh * w->kw : d->factor->len - before);
}

gboolean
nn_lower_pool (NnNetBuilder *b,
               const NnNode *node,
               guint         input,
               guint        *output,
               GError      **error)
{
  const gboolean mean = node->op == NN_OP_AVG_POOL1D || node->op == NN_OP_AVG_POOL2D;
  const guint n_spatial = node->op == NN_OP_AVG_POOL1D || node->op == NN_OP_MAX_POOL1D ? 1 : 2;
  const NnShape *in = nn_lower_input_shape (b, node, 0);
  g_auto (Draft) d = draft_new ();
  NnWindow w;

  if (!nn_lower_window (node, in, n_spatial, nn_shape_last (in), &w, error))
    return FALSE;
  if (nn_shape_count (&node->shape) * w.kh * w.kw > MAX_TERMS)
    return nn_build_fail (node, error, "its windows are too many");
  for (gsize outer = 0; outer < w.outer; outer++)
    for (gsize p = 0; p < (gsize) w.oh * w.ow; p++)
      for (gsize c = 0; c < w.c; c++)
        {
          guint before = d.index->len;

          draft_next (&d);
          pool_window (&d, &w, outer, p / w.ow, p % w.ow, c, mean, node->attrs.count_pad);
          if (!mean && d.index->len == before)
            return nn_build_fail (node, error, "a window lies in the padding altogether");
        }
  if (mean)
    return finish_sums (b, node, input, &d, output);
  nn_build_layer (b, NN_LAYER_MAX_MAP, node, &input, 1, d.start->len, output)->map = draft_take (&d, b->net->arena, FALSE, FALSE);
  return TRUE;
}

/* Axes first to last are reduced. */
static gboolean
reduce (NnNetBuilder *b,
        const NnNode *node,
        guint         input,
        guint         first,
        guint         last,
        gboolean      largest,
        gboolean      mean,
        guint        *output)
{
  const NnShape *in = nn_lower_input_shape (b, node, 0);
  gsize outer = 1, middle = 1, inner = 1;
  g_auto (Draft) d = draft_new ();

  for (guint i = 0; i < in->rank; i++)
    *(i < first ? &outer : i <= last ? &middle : &inner) *= in->dims[i];
  for (gsize o = 0; o < outer; o++)
    for (gsize i = 0; i < inner; i++)
      {
        draft_next (&d);
        for (gsize m = 0; m < middle; m++)
          draft_add (&d, (o * middle + m) * inner + i, 0, mean ? 1.0f / middle : 1);
      }
  if (!largest)
    return finish_sums (b, node, input, &d, output);
  nn_build_layer (b, NN_LAYER_MAX_MAP, node, &input, 1, d.start->len, output)->map = draft_take (&d, b->net->arena, FALSE, FALSE);
  return TRUE;
}

gboolean
nn_lower_reduce (NnNetBuilder *b,
                 const NnNode *node,
                 guint         input,
                 guint        *output)
{
  const NnShape *in = nn_lower_input_shape (b, node, 0);
  const gboolean global = node->op == NN_OP_GLOBAL_MAX_POOL || node->op == NN_OP_GLOBAL_AVG_POOL;
  guint first = node->attrs.axis < 0 ? node->attrs.axis + in->rank : (guint) node->attrs.axis;
  guint last = node->attrs.axis2 < 0 ? node->attrs.axis2 + in->rank : (guint) node->attrs.axis2;

  return reduce (b, node, input, global ? 0 : first, global ? in->rank - 2 : last,
                 node->op == NN_OP_GLOBAL_MAX_POOL || node->op == NN_OP_REDUCE_MAX,
                 node->op == NN_OP_GLOBAL_AVG_POOL || node->op == NN_OP_REDUCE_MEAN, output);
}

void
nn_lower_scaled (NnNetBuilder *b,
                 const NnNode *node,
                 guint         input,
                 float         factor,
                 guint        *output)
{
  const gsize n = nn_build_buffer (b, input)->n;
  g_auto (Draft) d = draft_new ();

  for (gsize e = 0; e < n; e++)
    {
      draft_next (&d);
      draft_add (&d, e, 0, factor);
    }
  finish_sums (b, node, input, &d, output);
}

/* Dot of equal axes, and matrices' product. */
gboolean
nn_lower_product (NnNetBuilder *b,
                  const NnNode *node,
                  const guint  *inputs,
                  guint        *output,
                  GError      **error)
{
  const NnShape *x = nn_lower_input_shape (b, node, 0), *y = nn_lower_input_shape (b, node, 1);
  g_auto (Draft) d = draft_new ();
  gsize rows, inner, columns, batches = 1, batches_y = 1;

  if (node->op == NN_OP_DOT)
    {
      if (x->rank != 1 || y->rank != 1 || x->dims[0] != y->dims[0] || node->attrs.normalize)
        return nn_build_fail (node, error, "only the plain product of two vectors is");
      draft_next (&d);
      for (gsize i = 0; i < (gsize) x->dims[0]; i++)
        draft_add (&d, i, i, 1);
    }
  else
    {
      rows = x->dims[x->rank - 2], inner = x->dims[x->rank - 1], columns = y->dims[y->rank - 1];
      for (guint i = 0; i + 2 < x->rank; i++)
        batches *= x->dims[i];
      for (guint i = 0; i + 2 < y->rank; i++)
        batches_y *= y->dims[i];
      if (batches_y != batches && batches_y != 1)
        return nn_build_fail (node, error, "its inputs' leading axes differ");
      if (batches * rows * columns * inner > MAX_TERMS)
        return nn_build_fail (node, error, "its products are too many");
      for (gsize e = 0; e < batches * rows * columns; e++)
        {
          gsize batch = e / (rows * columns), r = e / columns % rows, c = e % columns;

          draft_next (&d);
          for (gsize k = 0; k < inner; k++)
            draft_add (&d, (batch * rows + r) * inner + k, ((batches_y > 1 ? batch : 0) * inner + k) * columns + c, 1);
        }
    }
  nn_build_layer (b, NN_LAYER_PRODUCT_MAP, node, inputs, 2, d.start->len, output)->map =
      draft_take (&d, b->net->arena, TRUE, FALSE);
  return TRUE;
}

/* A layer of a weight list; bias_of names the bias element of each output, NULL where the layer has none. */
static gboolean
finish_weights (NnNetBuilder *b,
                const NnNode *node,
                guint         input,
                Draft        *d,
                guint32      *bias_of,
                guint        *output,
                GError      **error)
{
  NnArena *arena = b->net->arena;
  NnLayer *layer = nn_build_layer (b, NN_LAYER_WEIGHT_MAP, node, &input, 1, d->start->len, output);
  const NnWeight *kernel = nn_model_node_weight (b->net->model, node, NN_ROLE_KERNEL);

  if (!nn_build_weight (b, layer, node, NN_ROLE_KERNEL, NN_ROLE_KERNEL))
    return nn_build_fail (node, error, "it has no kernel");
  nn_build_weight (b, layer, node, NN_ROLE_BIAS, NN_ROLE_BIAS);
  layer->broadcast = nn_arena_new0 (arena, guint32 *, 1);
  layer->broadcast[0] = nn_arena_memdup (arena, bias_of, layer->n_y * sizeof (guint32));
  layer->map = draft_take (d, arena, TRUE, FALSE);
  if (b->net->options.gradients)
    layer->by_weight = invert (&layer->map, arena, layer->map.other, layer->map.index, kernel->values->n);
  return TRUE;
}

/* Kernel (k..., in, out) as the loaders hand it on; each input position is spread over the window. */
gboolean
nn_lower_transposed (NnNetBuilder *b,
                     const NnNode *node,
                     guint         input,
                     guint        *output,
                     GError      **error)
{
  const NnAttrs *a = &node->attrs;
  const NnShape *in = nn_lower_input_shape (b, node, 0);
  const guint n = node->op == NN_OP_CONV1D_TRANSPOSE ? 1 : 2;
  const gboolean flat = n == 1;
  const gsize kh = flat ? 1 : a->kernel[0], kw = flat ? a->kernel[0] : a->kernel[1];
  const gsize sh = flat ? 1 : a->stride[0], sw = flat ? a->stride[0] : a->stride[1];
  const gsize c_n = nn_shape_last (in), o_n = a->units;
  const gint64 h = flat ? 1 : in->dims[in->rank - 3], w = in->dims[in->rank - 2];
  const gint64 oh = flat ? 1 : node->shape.dims[node->shape.rank - 3], ow = node->shape.dims[node->shape.rank - 2];
  /* what `same` cuts off in front */
  const gint64 top = a->padding == NN_PADDING_SAME && !flat ? MAX ((gint64) kh - (gint64) sh, 0) / 2 : 0;
  const gint64 left = a->padding == NN_PADDING_SAME ? MAX ((gint64) kw - (gint64) sw, 0) / 2 : 0;
  g_autofree guint32 *bias_of = g_new (guint32, nn_shape_count (&node->shape));
  g_auto (Draft) d = draft_new ();

  if (in->rank != n + 1)
    return nn_build_fail (node, error, "its input has leading axes");
  if (nn_shape_count (&node->shape) * kh * kw * c_n > MAX_TERMS)
    return nn_build_fail (node, error, "its products are too many");
  for (gsize e = 0; e < (gsize) (oh * ow) * o_n; e++)
    {
      const gint64 oy = e / o_n / ow, ox = e / o_n % ow;

      draft_next (&d);
      bias_of[e] = e % o_n;
      for (gsize ky = 0; ky < kh; ky++)
        for (gsize kx = 0; kx < kw; kx++)
          {
            gint64 y = oy + top - (gint64) ky, x = ox + left - (gint64) kx;

            if (y < 0 || x < 0 || y % (gint64) sh != 0 || x % (gint64) sw != 0 || y / (gint64) sh >= h || x / (gint64) sw >= w)
              continue;
            for (gsize c = 0; c < c_n; c++)
              draft_add (&d, ((y / sh) * w + x / sw) * c_n + c, ((ky * kw + kx) * c_n + c) * o_n + e % o_n, 1);
          }
    }
  return finish_weights (b, node, input, &d, bias_of, output, error);
}

/* The letters of one operand, without the batch; "..." and spaces are not taken. */
static gboolean
read_letters (const char *text,
              gsize       length,
              char       *letters)
{
  gsize n = 0;

  for (gsize i = 0; i < length; i++)
    if (g_ascii_isalpha (text[i]) && n + 1 < 2 * NN_MAX_RANK)
      letters[n++] = text[i];
    else if (text[i] != ' ')
      return FALSE;
  letters[n] = '\0';
  return TRUE;
}

/* Splits "abc,cd->abd": with the batch letter leading the first operand and the result. */
static gboolean
read_equation (const char *equation,
               char        x[2 * NN_MAX_RANK],
               char        w[2 * NN_MAX_RANK],
               char        y[2 * NN_MAX_RANK])
{
  const char *comma = equation != NULL ? strchr (equation, ',') : NULL, *arrow = comma != NULL ? strstr (comma, "->") : NULL;

  return arrow != NULL && read_letters (equation, comma - equation, x) && read_letters (comma + 1, arrow - comma - 1, w) &&
         read_letters (arrow + 2, strlen (arrow + 2), y) && x[0] != '\0' && x[0] == y[0];
}

/* Extent of each letter; FALSE where two places disagree. */
static gboolean
set_extents (gint64         extent[128],
             const char    *letters,
             const NnShape *shape)
{
  if (strlen (letters) != shape->rank)
    return FALSE;
  for (guint i = 0; i < shape->rank; i++)
    {
      gint64 *e = &extent[(guchar) letters[i]];

      if (*e != 0 && *e != shape->dims[i])
        return FALSE;
      *e = shape->dims[i];
    }
  return TRUE;
}

static gsize
offset_of (const char   *letters,
           const gint64 *extent,
           const gint64 *at)
{
  gsize e = 0;

  for (; *letters != '\0'; letters++)
    e = e * extent[(guchar) *letters] + at[(guchar) *letters];
  return e;
}

/* Runs @letters through all their values. */
static gboolean
advance (const char   *letters,
         const gint64 *extent,
         gint64       *at)
{
  for (gsize i = strlen (letters); i > 0; i--)
    {
      guchar c = letters[i - 1];

      if (++at[c] < extent[c])
        return TRUE;
      at[c] = 0;
    }
  return FALSE;
}

/* Lists the terms of an einsum of two operands without their batch letters. */
static gboolean
einsum_terms (const char    *x,
              const char    *w,
              const char    *y,
              const NnShape *x_shape,
              const NnShape *w_shape,
              Draft         *d)
{
  gint64 extent[128] = { 0 }, at[128] = { 0 };
  char summed[4 * NN_MAX_RANK] = "";
  gsize n = 1;

  if (!set_extents (extent, x, x_shape) || !set_extents (extent, w, w_shape))
    return FALSE;
  for (const char *both[2] = { x, w }, **p = both; p < both + 2; p++)
    for (const char *c = *p; *c != '\0'; c++)
      if (strchr (y, *c) == NULL && strchr (summed, *c) == NULL)
        summed[strlen (summed)] = *c;
  for (const char *c = y; *c != '\0'; c++)
    n *= extent[(guchar) *c];
  for (const char *c = summed; *c != '\0'; c++)
    n *= extent[(guchar) *c];
  if (n == 0 || n > MAX_TERMS)
    return FALSE;
  do
    {
      draft_next (d);
      do
        draft_add (d, offset_of (x, extent, at), offset_of (w, extent, at), 1);
      while (advance (summed, extent, at));
    }
  while (advance (y, extent, at));
  return TRUE;
}

gboolean
nn_lower_products (NnNetBuilder  *b,
                   const NnNode  *node,
                   const guint   *inputs,
                   const char    *x,
                   const NnShape *x_shape,
                   const char    *w,
                   const NnShape *w_shape,
                   const char    *y,
                   guint         *output,
                   GError       **error)
{
  g_auto (Draft) d = draft_new ();

  if (!einsum_terms (x, w, y, x_shape, w_shape, &d))
    return nn_build_fail (node, error, "its products are too many, or do not fit its shapes");
  nn_build_layer (b, NN_LAYER_PRODUCT_MAP, node, inputs, 2, d.start->len, output)->map = draft_take (&d, b->net->arena, TRUE, FALSE);
  return TRUE;
}

gboolean
nn_lower_einsum (NnNetBuilder *b,
                 const NnNode *node,
                 const guint  *inputs,
                 guint        *output,
                 GError      **error)
{
  const gboolean dense = node->op == NN_OP_EINSUM_DENSE;
  const NnWeight *kernel = dense ? nn_model_node_weight (b->net->model, node, NN_ROLE_KERNEL) : NULL;
  const NnWeight *bias = dense ? nn_model_node_weight (b->net->model, node, NN_ROLE_BIAS) : NULL;
  char x[2 * NN_MAX_RANK], w[2 * NN_MAX_RANK], y[2 * NN_MAX_RANK];
  g_autofree guint32 *bias_of = NULL;
  g_auto (Draft) d = draft_new ();
  const char *second;

  if (!read_equation (node->attrs.equation, x, w, y) || (dense ? kernel == NULL : node->n_inputs != 2))
    return nn_build_fail (node, error, "its equation \"%s\" is not one of two operands with a leading batch",
                          node->attrs.equation != NULL ? node->attrs.equation : "");
  second = dense || w[0] != x[0] ? w : w + 1;
  if (!dense)
    return nn_lower_products (b, node, inputs, x + 1, nn_lower_input_shape (b, node, 0), second, nn_lower_input_shape (b, node, 1),
                              y + 1, output, error);
  if (!einsum_terms (x + 1, second, y + 1, nn_lower_input_shape (b, node, 0), &kernel->values->shape, &d))
    return nn_build_fail (node, error, "its equation \"%s\" does not fit its shapes", node->attrs.equation);
  bias_of = g_new0 (guint32, d.start->len);
  for (gsize e = 0; bias != NULL && e < d.start->len; e++)
    {
      const NnShape *shape = &bias->values->shape;
      gint64 at[NN_MAX_RANK];
      gsize to = 0;

      /* the bias's axes are the last of the output's, extents of 1 are shared */
      unravel (&node->shape, e, at);
      for (guint i = 0; i < shape->rank; i++)
        to = to * shape->dims[i] + (shape->dims[i] > 1 ? at[node->shape.rank - shape->rank + i] : 0);
      bias_of[e] = to;
    }
  return finish_weights (b, node, inputs[0], &d, bias_of, output, error);
}

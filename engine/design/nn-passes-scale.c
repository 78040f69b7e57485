/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes on factors and offsets: batch normalisation, constants, thresholds. */

#include "nn-passes-private.h"

#include "nn-quant.h"

#include <math.h>

static const float *
role_values (const NnRewrite *rewrite,
             const NnNode    *node,
             NnRole           role,
             gsize           *n)
{
  const NnWeight *weight = nn_model_node_weight (rewrite->model, node, role);

  *n = weight != NULL ? weight->values->n : 0;
  return weight != NULL ? nn_tensor_f32 (weight->values) : NULL;
}

/* A batch norm's numbers as its layer rounds them, QKeras's QBatchNormalization; else as they are. (transfer full) (nullable) */
static float *
rounded_values (const NnRewrite *rewrite,
                const NnNode    *node,
                NnRole           role,
                gsize           *n)
{
  const float *values = role_values (rewrite, node, role, n);
  const NnQuantizer *quantizer = node->attrs.role_quantizer[role];
  float *copy = values != NULL ? g_memdup2 (values, *n * sizeof *values) : NULL;
  g_autofree double *wide = NULL;

  if (copy == NULL || quantizer == NULL)
    return copy;
  wide = g_new (double, *n);
  for (gsize k = 0; k < *n; k++)
    wide[k] = values[k];
  nn_quantize (quantizer, &NN_SHAPE ((gint64) *n), wide);
  for (gsize k = 0; k < *n; k++)
    copy[k] = (float) wide[k];
  return copy;
}

static void
set_scale (NnRewrite *rewrite,
           NnNode    *node,
           NnTensor  *scale,
           NnTensor  *bias)
{
  nn_graph_builder_weights (rewrite->builder, node, NULL, 0);
  nn_rewrite_set_weight (rewrite, node, NN_ROLE_SCALE,
                         nn_rewrite_weight (rewrite, node->name, "scale", NN_ROLE_SCALE, scale, NULL));
  nn_rewrite_set_weight (rewrite, node, NN_ROLE_BIAS,
                         nn_rewrite_weight (rewrite, node->name, "bias", NN_ROLE_BIAS, bias, NULL));
}

static NnTensor *
constant_row (gsize n,
              float value)
{
  NnTensor *row = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));

  for (gsize k = 0; k < n; k++)
    nn_tensor_f32 (row)[k] = value;
  return row;
}

/* A factor alone gets an offset of zero, an offset alone a factor of one; neither needs more than a bit. */
static gboolean
complete_scale (NnRewrite *rewrite,
                guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnWeight *scale = nn_model_node_weight (rewrite->model, node, NN_ROLE_SCALE);
  const NnWeight *bias = nn_model_node_weight (rewrite->model, node, NN_ROLE_BIAS);
  NnQuantizer one = { .kind = NN_QUANT_FIXED, .type = NN_UFIXED (1, 1) };
  NnRole missing = scale == NULL ? NN_ROLE_SCALE : NN_ROLE_BIAS;
  NnNode *copy;

  if ((scale == NULL) == (bias == NULL))
    return FALSE;
  copy = nn_rewrite_copy (rewrite, i);
  nn_rewrite_set_weight (rewrite, copy, missing,
                         nn_rewrite_weight (rewrite, copy->name, nn_role_name (missing), missing,
                                            constant_row ((scale != NULL ? scale : bias)->values->n, scale == NULL), NULL));
  copy->attrs.role_quantizer[missing] = nn_graph_builder_quantizer (rewrite->builder, &one);
  return TRUE;
}

/* Single precision and this order of operations are the reference's. */
static gboolean
lower_batch_norm (NnRewrite *rewrite,
                  guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  gsize n_gamma, n_beta, n_mean, n_variance, n;
  g_autofree float *gamma = NULL, *beta = NULL, *mean = NULL, *variance = NULL;
  guint rank = node->shape.rank, index;
  gint axis = node->attrs.axis < 0 ? node->attrs.axis + (gint) rank : node->attrs.axis;
  gboolean turned;
  NnTensor *scale, *bias;
  NnNode *copy;

  if (node->op == NN_OP_SCALE)
    return complete_scale (rewrite, i);
  if (node->op != NN_OP_BATCH_NORM)
    return FALSE;
  gamma = rounded_values (rewrite, node, NN_ROLE_GAMMA, &n_gamma);
  beta = rounded_values (rewrite, node, NN_ROLE_BETA, &n_beta);
  mean = rounded_values (rewrite, node, NN_ROLE_MEAN, &n_mean);
  variance = rounded_values (rewrite, node, NN_ROLE_VARIANCE, &n_variance);
  n = MAX (MAX (n_gamma, n_beta), MAX (n_mean, n_variance));
  if (n == 0 || (n_gamma != 0 && n_gamma != n) || (n_beta != 0 && n_beta != n) || (n_mean != 0 && n_mean != n) ||
      (n_variance != 0 && n_variance != n))
    return FALSE;
  turned = axis >= 0 && axis + 1 < (gint) rank && node->shape.dims[axis] == (gint64) n;
  scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));
  bias = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));
  for (gsize k = 0; k < n; k++)
    {
      float g = gamma != NULL ? gamma[k] : 1, b = beta != NULL ? beta[k] : 0, m = mean != NULL ? mean[k] : 0;
      float root = sqrtf ((variance != NULL ? variance[k] : 1) + (float) node->attrs.epsilon);

      nn_tensor_f32 (scale)[k] = g / root;
      nn_tensor_f32 (bias)[k] = b - g * m / root;
    }
  /* hardware has it over the last axis */
  if (turned)
    {
      index = rewrite->map[node->inputs[0]];
      nn_rewrite_add_swap (rewrite, node, "turned", (guint) axis, rank, &index);
      copy = nn_graph_builder_add_copy (rewrite->builder, node, &index, 1);
      copy->attrs.axis = -1;
      copy->op = NN_OP_SCALE;
      set_scale (rewrite, copy, scale, bias);
      index = nn_graph_builder_n_nodes (rewrite->builder) - 1;
      nn_rewrite_add_swap (rewrite, node, "back", (guint) axis, rank, &index);
      rewrite->map[i] = index;
      return TRUE;
    }
  copy = nn_rewrite_copy (rewrite, i);
  copy->op = NN_OP_SCALE;
  set_scale (rewrite, copy, scale, bias);
  return TRUE;
}

NnModel *
nn_pass_lower_batch_norm (const NnModel   *model,
                          const NnConfig  *config,
                          GError         **error)
{
  return nn_rewrite_run (model, config, lower_batch_norm, error);
}

/* One number, or one for each channel. */
static const float *
constant_values (const NnRewrite *rewrite,
                 guint            i,
                 gsize            channels,
                 gsize           *n)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const float *values;

  if (node->op != NN_OP_CONSTANT)
    return NULL;
  values = role_values (rewrite, node, NN_ROLE_VALUE, n);
  return values != NULL && (*n == 1 || *n == channels) ? values : NULL;
}

static void
constant_scale (NnOp         op,
                gboolean     constant_first,
                const float *c,
                gsize        n,
                gsize        channels,
                NnTensor    *scale,
                NnTensor    *bias)
{
  for (gsize k = 0; k < channels; k++)
    {
      float x = c[n == 1 ? 0 : k];

      switch (op)
        {
        case NN_OP_ADD:
          nn_tensor_f32 (scale)[k] = 1;
          nn_tensor_f32 (bias)[k] = x;
          break;
        case NN_OP_SUBTRACT:
          nn_tensor_f32 (scale)[k] = constant_first ? -1 : 1;
          nn_tensor_f32 (bias)[k] = constant_first ? x : -x;
          break;
        case NN_OP_MULTIPLY:
          nn_tensor_f32 (scale)[k] = x;
          nn_tensor_f32 (bias)[k] = 0;
          break;
        default: /* divide */
          nn_tensor_f32 (scale)[k] = 1 / x;
          nn_tensor_f32 (bias)[k] = 0;
          break;
        }
    }
}

/* What its factor and offset need no more bits for; the rest is left to the configuration. */
static void
constant_types (NnRewrite *rewrite,
                NnNode    *node,
                NnOp       op,
                gboolean   constant_first)
{
  NnQuantizer one = { .kind = NN_QUANT_FIXED, .type = NN_UFIXED (1, 1) };

  if (op == NN_OP_ADD || (op == NN_OP_SUBTRACT && !constant_first))
    node->attrs.role_quantizer[NN_ROLE_SCALE] = nn_graph_builder_quantizer (rewrite->builder, &one);
  else if (op == NN_OP_SUBTRACT)
    {
      one.type = NN_FIXED (2, 2);
      node->attrs.role_quantizer[NN_ROLE_SCALE] = nn_graph_builder_quantizer (rewrite->builder, &one);
    }
  else
    node->attrs.role_quantizer[NN_ROLE_BIAS] = nn_graph_builder_quantizer (rewrite->builder, &one);
}

static gboolean
fold_constant (NnRewrite *rewrite,
               guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  gsize channels, n = 0;
  const float *c;
  gboolean first;
  guint other;
  g_autofree char *wanted = NULL;
  NnTensor *scale, *bias;
  NnNode *added;

  if ((node->op != NN_OP_ADD && node->op != NN_OP_SUBTRACT && node->op != NN_OP_MULTIPLY && node->op != NN_OP_DIVIDE) ||
      node->n_inputs != 2)
    return FALSE;
  channels = (gsize) nn_shape_last (&node->shape);
  c = constant_values (rewrite, node->inputs[1], channels, &n);
  first = c == NULL;
  if (first)
    c = constant_values (rewrite, node->inputs[0], channels, &n);
  other = node->inputs[first ? 1 : 0];
  if (c == NULL || (first && node->op == NN_OP_DIVIDE) ||
      !nn_shape_equal (&nn_graph_node (rewrite->graph, other)->shape, &node->shape))
    return FALSE;
  scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) channels));
  bias = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) channels));
  constant_scale (node->op, first, c, n, channels, scale, bias);
  wanted = g_strconcat ("bn_", node->name, NULL);
  added = nn_rewrite_add (rewrite, NN_OP_SCALE, nn_rewrite_name (rewrite, wanted), "ApplyAlpha", rewrite->map[other], node,
                          &rewrite->map[i]);
  set_scale (rewrite, added, scale, bias);
  constant_types (rewrite, added, node->op, first);
  return TRUE;
}

static gboolean
drop_unread_constant (NnRewrite *rewrite,
                      guint      i)
{
  guint n;

  if (nn_graph_node (rewrite->graph, i)->op != NN_OP_CONSTANT)
    return FALSE;
  nn_graph_consumers (rewrite->graph, i, &n);
  return n == 0;
}

NnModel *
nn_pass_fold_constants (const NnModel   *model,
                        const NnConfig  *config,
                        GError         **error)
{
  g_autoptr (NnModel) folded = nn_rewrite_run (model, config, fold_constant, error);

  return folded != NULL ? nn_rewrite_run (folded, config, drop_unread_constant, error) : NULL;
}

static gboolean
is_open (const NnRewrite *rewrite,
         const NnNode    *node)
{
  return rewrite->config == NULL ||
         nn_config_precision (rewrite->config, node->name, node->class_name, "result").kind == NN_TYPE_AUTO;
}

static gboolean
has_quantizers (const NnNode *node,
                NnRole        role)
{
  return node->attrs.quantizer != NULL || node->attrs.role_quantizer[role] != NULL ||
         node->attrs.role_quantizer[NN_ROLE_BIAS] != NULL;
}

static gboolean
is_scale (const NnNode *node)
{
  return node->op == NN_OP_SCALE && node->attrs.act == NN_ACT_LINEAR;
}

/* The first of the two is not built: its consumer takes both. */
static gboolean
fuse_scales (NnRewrite *rewrite,
             guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i), *before;
  gsize n, m;
  const float *s0, *b0, *s1, *b1;
  NnTensor *scale, *bias;
  NnNode *copy;
  guint only;

  if (!is_scale (node))
    return FALSE;
  before = nn_graph_node (rewrite->graph, node->inputs[0]);
  if (!is_scale (before) || !nn_rewrite_single (rewrite, node->inputs[0], &only) || !is_open (rewrite, before) ||
      has_quantizers (before, NN_ROLE_SCALE))
    return FALSE;
  s0 = role_values (rewrite, before, NN_ROLE_SCALE, &n);
  b0 = role_values (rewrite, before, NN_ROLE_BIAS, &m);
  s1 = role_values (rewrite, node, NN_ROLE_SCALE, &m);
  b1 = role_values (rewrite, node, NN_ROLE_BIAS, &m);
  if (s0 == NULL || b0 == NULL || s1 == NULL || b1 == NULL || m != n)
    return FALSE;
  scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));
  bias = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));
  for (gsize k = 0; k < n; k++)
    {
      nn_tensor_f32 (scale)[k] = s0[k] * s1[k];
      nn_tensor_f32 (bias)[k] = s1[k] * b0[k] + b1[k];
    }
  copy = nn_rewrite_copy (rewrite, i);
  copy->inputs[0] = nn_graph_builder_node (rewrite->builder, copy->inputs[0])->inputs[0];
  copy->attrs.role_quantizer[NN_ROLE_SCALE] = copy->attrs.role_quantizer[NN_ROLE_BIAS] = NULL;
  set_scale (rewrite, copy, scale, bias);
  return TRUE;
}

static gboolean
drop_unread_scale (NnRewrite *rewrite,
                   guint      i)
{
  guint n, n_outputs;
  const guint *outputs = nn_graph_outputs (rewrite->graph, &n_outputs);

  if (nn_graph_node (rewrite->graph, i)->op != NN_OP_SCALE)
    return FALSE;
  nn_graph_consumers (rewrite->graph, i, &n);
  for (guint k = 0; k < n_outputs; k++)
    if (outputs[k] == i)
      return FALSE;
  return n == 0;
}

NnModel *
nn_pass_fuse_scales (const NnModel   *model,
                     const NnConfig  *config,
                     GError         **error)
{
  g_autoptr (NnModel) fused = nn_rewrite_run (model, config, fuse_scales, error);

  return fused != NULL ? nn_rewrite_run (fused, config, drop_unread_scale, error) : NULL;
}

static gboolean
can_fuse (const NnRewrite *rewrite,
          const NnNode    *node,
          const NnNode    *parent)
{
  guint only;

  if (parent->op != NN_OP_DENSE && parent->op != NN_OP_CONV1D && parent->op != NN_OP_CONV2D)
    return FALSE;
  return nn_rewrite_single (rewrite, node->inputs[0], &only) && is_open (rewrite, parent) &&
         !has_quantizers (parent, NN_ROLE_KERNEL) && parent->attrs.act == NN_ACT_LINEAR;
}

static NnTensor *
scaled_rows (const NnTensor *values,
             const float    *scale,
             gsize           n)
{
  NnTensor *scaled = nn_tensor_copy (values);

  for (gsize k = 0; k < scaled->n; k++)
    nn_tensor_f32 (scaled)[k] *= scale[k % n];
  return scaled;
}

/* W' = W s, b' = b s + t: the scale's node stands for nothing more. */
static gboolean
fuse_batch_norm (NnRewrite *rewrite,
                 guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i), *parent;
  const NnWeight *kernel, *bias;
  gsize n = 0, m = 0;
  const float *s, *t;
  NnTensor *offsets;
  NnNode *built;

  if (!is_scale (node))
    return FALSE;
  parent = nn_graph_node (rewrite->graph, node->inputs[0]);
  kernel = nn_model_node_weight (rewrite->model, parent, NN_ROLE_KERNEL);
  bias = nn_model_node_weight (rewrite->model, parent, NN_ROLE_BIAS);
  s = role_values (rewrite, node, NN_ROLE_SCALE, &n);
  t = role_values (rewrite, node, NN_ROLE_BIAS, &m);
  if (kernel == NULL || s == NULL || t == NULL || n != (gsize) nn_shape_last (&kernel->values->shape) || m != n ||
      !can_fuse (rewrite, node, parent))
    return FALSE;
  built = nn_graph_builder_node (rewrite->builder, rewrite->map[node->inputs[0]]);
  offsets = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));
  for (gsize k = 0; k < n; k++)
    nn_tensor_f32 (offsets)[k] = (bias != NULL ? s[k] * nn_tensor_f32 (bias->values)[k] : 0) + t[k];
  nn_rewrite_set_weight (rewrite, built, NN_ROLE_KERNEL,
                         nn_rewrite_weight (rewrite, built->name, kernel->name, NN_ROLE_KERNEL,
                                            scaled_rows (kernel->values, s, n), kernel->mask));
  nn_rewrite_set_weight (rewrite, built, NN_ROLE_BIAS,
                         nn_rewrite_weight (rewrite, built->name, "bias", NN_ROLE_BIAS, offsets, NULL));
  built->attrs.use_bias = TRUE;
  rewrite->map[i] = rewrite->map[node->inputs[0]];
  return TRUE;
}

NnModel *
nn_pass_fuse_batch_norm (const NnModel   *model,
                         const NnConfig  *config,
                         GError         **error)
{
  return nn_rewrite_run (model, config, fuse_batch_norm, error);
}

/* Bits after the point of what the thresholds are compared with: they are rounded down to it. */
static int
fraction_before (const NnRewrite *rewrite,
                 const NnNode    *node)
{
  const NnNode *input = nn_graph_node (rewrite->graph, node->inputs[0]);
  NnType type = { .kind = NN_TYPE_AUTO };

  if (input->op == NN_OP_DENSE && rewrite->config != NULL)
    type = nn_config_precision (rewrite->config, input->name, input->class_name, "result");
  return type.kind == NN_TYPE_FIXED ? nn_type_fraction (&type) : 32;
}

static NnTensor *
thresholds (const float *scale,
            const float *bias,
            gsize        n,
            int          fraction,
            double       distance)
{
  NnTensor *t = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));

  for (gsize k = 0; k < n; k++)
    {
      double middle = -(double) bias[k] / scale[k];

      middle = ldexp (floor (ldexp (middle, fraction)), -fraction);
      nn_tensor_f32 (t)[k] = (float) ldexp (floor (ldexp (distance / scale[k] + middle, fraction)), -fraction);
    }
  return t;
}

static gboolean
all_positive (const float *scale,
              gsize        n)
{
  for (gsize k = 0; k < n; k++)
    if (!(scale[k] > 0))
      return FALSE;
  return n > 0;
}

/* Only with factors above zero: a negative one would turn the comparison around. */
static gboolean
merge_binary_tanh (NnRewrite *rewrite,
                   guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i), *scale;
  gboolean ternary = node->attrs.act == NN_ACT_TERNARY_TANH;
  gsize n = 0, m = 0;
  const float *s, *t;
  g_autofree char *wanted = NULL;
  NnNode *added;
  double half;
  int fraction;
  guint only;

  if (node->op != NN_OP_ACTIVATION || (!ternary && node->attrs.act != NN_ACT_BINARY_TANH))
    return FALSE;
  scale = nn_graph_node (rewrite->graph, node->inputs[0]);
  s = role_values (rewrite, scale, NN_ROLE_SCALE, &n);
  t = role_values (rewrite, scale, NN_ROLE_BIAS, &m);
  if (!is_scale (scale) || s == NULL || t == NULL || m != n || !nn_rewrite_single (rewrite, node->inputs[0], &only) ||
      !all_positive (s, n))
    return FALSE;
  fraction = fraction_before (rewrite, scale);
  half = node->attrs.threshold > 0 ? node->attrs.threshold : 0.5;
  wanted = g_strconcat ("bnbt_", scale->name, NULL);
  added = nn_rewrite_add (rewrite, NN_OP_ACTIVATION, nn_rewrite_name (rewrite, wanted), "BatchNormalizationQuantizedTanh",
                          nn_graph_builder_node (rewrite->builder, rewrite->map[node->inputs[0]])->inputs[0], node,
                          &rewrite->map[i]);
  added->attrs.act = node->attrs.act;
  nn_rewrite_set_weight (rewrite, added, NN_ROLE_OTHER,
                         nn_rewrite_weight (rewrite, added->name, ternary ? "threshold_hi" : "threshold", NN_ROLE_OTHER,
                                            thresholds (s, t, n, fraction, ternary ? half : 0), NULL));
  if (ternary)
    nn_rewrite_set_weight (rewrite, added, NN_ROLE_ALPHA,
                           nn_rewrite_weight (rewrite, added->name, "threshold_lo", NN_ROLE_ALPHA,
                                              thresholds (s, t, n, fraction, -half), NULL));
  return TRUE;
}

NnModel *
nn_pass_merge_binary_tanh (const NnModel   *model,
                           const NnConfig  *config,
                           GError         **error)
{
  g_autoptr (NnModel) merged = nn_rewrite_run (model, config, merge_binary_tanh, error);

  return merged != NULL ? nn_rewrite_run (merged, config, drop_unread_scale, error) : NULL;
}

static gboolean
split_bias (NnRewrite *rewrite,
            guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  g_autofree char *wanted = g_strconcat (node->name, "_bias", NULL);
  g_autofree guint *kept = g_new (guint, node->n_weights + 1);
  guint id, n = 0;
  NnNode *dense, *offset;

  if (node->op != NN_OP_DENSE || !nn_model_node_weight_id (rewrite->model, node, NN_ROLE_BIAS, &id))
    return FALSE;
  for (guint k = 0; k < node->n_weights; k++)
    if (node->weights[k] != id)
      kept[n++] = node->weights[k];
  dense = nn_rewrite_copy (rewrite, i);
  nn_graph_builder_weights (rewrite->builder, dense, kept, n);
  dense->attrs.use_bias = FALSE;
  dense->attrs.act = NN_ACT_LINEAR;
  offset = nn_rewrite_add (rewrite, NN_OP_SCALE, nn_rewrite_name (rewrite, wanted), "ApplyAlpha", rewrite->map[i], node,
                           &rewrite->map[i]);
  nn_graph_builder_weights (rewrite->builder, offset, &id, 1);
  offset->attrs.act = node->attrs.act;
  offset->attrs.role_quantizer[NN_ROLE_BIAS] = nn_graph_builder_quantizer (rewrite->builder, node->attrs.role_quantizer[NN_ROLE_BIAS]);
  return TRUE;
}

NnModel *
nn_pass_split_bias (const NnModel   *model,
                    const NnConfig  *config,
                    GError         **error)
{
  return nn_rewrite_run (model, config, split_bias, error);
}

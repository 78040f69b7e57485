/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's activations, and what changes no number. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

static const struct {
  const char *type;
  NnAct       act;
  double      alpha; /* ONNX's default */
} activations[] = {
  { "Relu", NN_ACT_RELU, 0 },         { "LeakyRelu", NN_ACT_LEAKY_RELU, 0.01 },
  { "Elu", NN_ACT_ELU, 1 },           { "Selu", NN_ACT_SELU, 0 },
  { "Sigmoid", NN_ACT_SIGMOID, 0 },   { "Tanh", NN_ACT_TANH, 0 },
  { "Softplus", NN_ACT_SOFTPLUS, 0 }, { "Softsign", NN_ACT_SOFTSIGN, 0 },
  { "Exp", NN_ACT_EXPONENTIAL, 0 },   { "Sin", NN_ACT_SIN, 0 },
  { "Cos", NN_ACT_COS, 0 },           { "Mish", NN_ACT_MISH, 0 },
  { "Swish", NN_ACT_SWISH, 0 },       { "Tan", NN_ACT_TAN, 0 },
  { "Atan", NN_ACT_ATAN, 0 },         { "Abs", NN_ACT_ABS, 0 },
  { "Sqrt", NN_ACT_SQRT, 0 },         { "Log", NN_ACT_LOG, 0 },
  { "Erf", NN_ACT_ERF, 0 },           { "Sign", NN_ACT_SIGN, 0 },
  { "Floor", NN_ACT_FLOOR, 0 },       { "Ceil", NN_ACT_CEIL, 0 },
  { "Round", NN_ACT_ROUND, 0 },       { "HardSigmoid", NN_ACT_HARD_SIGMOID, 0 },
  { "ThresholdedRelu", NN_ACT_THRESHOLDED_RELU, 0 },
};

/* What its curve has for parameters besides one that is called alpha for us, too. */
static void
set_parameters (Onnx__NodeProto *op,
                NnAttrs         *a)
{
  if (a->act == NN_ACT_HARD_SIGMOID)
    {
      a->slope = nn_onnx_float (op, "alpha", 0.2);
      /* PyTorch's, and that of HardSwish */
      if ((float) a->slope == (float) (1.0 / 6))
        a->slope = 1.0 / 6;
      a->shift = nn_onnx_float (op, "beta", 0.5);
    }
  else if (a->act == NN_ACT_THRESHOLDED_RELU)
    a->threshold = nn_onnx_float (op, "alpha", 1);
}

gboolean
nn_onnx_read_activation (NnOnnx           *onnx,
                         Onnx__NodeProto  *op,
                         GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  for (guint i = 0; i < G_N_ELEMENTS (activations); i++)
    if (g_str_equal (activations[i].type, op->op_type))
      {
        node->attrs.act = activations[i].act;
        if (activations[i].act != NN_ACT_HARD_SIGMOID && activations[i].act != NN_ACT_THRESHOLDED_RELU)
          node->attrs.alpha = nn_onnx_float (op, "alpha", activations[i].alpha);
      }
  set_parameters (op, &node->attrs);
  return nn_onnx_finish (onnx, node, error);
}

/* Any bounds: the larger of the data and the lower one, the smaller of that and the upper one. */
static gboolean
clip_by_constants (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   NnOnnxValue      *value,
                   const double     *bounds,
                   GError          **error)
{
  g_autofree char *middle = g_strdup_printf ("%s__above", nn_onnx_out (op, 0));
  gboolean both = bounds[0] > -3e38 && bounds[1] < 3e38;

  if (bounds[0] > -3e38)
    {
      if (!nn_onnx_merge_number (onnx, op, NN_OP_MAXIMUM, both ? middle : nn_onnx_out (op, 0), value, bounds[0], error))
        return FALSE;
      if (both)
        value = g_hash_table_lookup (onnx->values, middle);
    }
  return bounds[1] > 3e38 || nn_onnx_merge_number (onnx, op, NN_OP_MINIMUM, nn_onnx_out (op, 0), value, bounds[1], error);
}

gboolean
nn_onnx_read_clip (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  double bounds[2] = { nn_onnx_float (op, "min", -INFINITY), nn_onnx_float (op, "max", INFINITY) };
  NnNode *node;

  if (value == NULL)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      const NnOnnxValue *c = nn_onnx_input (onnx, op, i + 1);

      if (c != NULL && (c->constant == NULL || c->constant->n != 1))
        return nn_load_unsupported (error, "its bounds must be constants");
      if (c != NULL)
        bounds[i] = nn_tensor_get (c->constant, 0);
    }
  if (value->codes != NULL)
    {
      NnOnnxValue *codes = nn_onnx_alias (onnx, op, value);

      codes->code_min = MAX (codes->code_min, bounds[0]);
      codes->code_max = MIN (codes->code_max, bounds[1]);
      return TRUE;
    }
  if (bounds[0] < -3e38 && bounds[1] > 3e38)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (!(bounds[0] == 0 && bounds[1] > 0) && !(bounds[0] == -1 && bounds[1] == 1))
    return clip_by_constants (onnx, op, value, bounds, error);
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  node->attrs.act = bounds[0] == 0 ? NN_ACT_RELU : NN_ACT_HARD_TANH;
  node->attrs.max_value = bounds[0] == 0 && bounds[1] < 3e38 ? bounds[1] : 0;
  return nn_onnx_finish (onnx, node, error);
}

/* x * sigmoid (alpha * x) */
static gboolean
read_quick_gelu (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 GError          **error)
{
  double alpha = nn_onnx_float (op, "alpha", 1.702);
  const char *factor = nn_onnx_middle (onnx, op, "alpha"), *scaled = nn_onnx_middle (onnx, op, "scaled"), *gate = nn_onnx_middle (onnx, op, "gate");

  nn_onnx_number (onnx, factor, alpha);
  return nn_onnx_run (onnx, "Mul", scaled, op->input[0], factor, error) && nn_onnx_run (onnx, "Sigmoid", gate, scaled, NULL, error) &&
         nn_onnx_run (onnx, "Mul", nn_onnx_out (op, 0), op->input[0], gate, error);
}

/* Gelu, whose curve is the true one unless it says otherwise; onnxruntime's BiasGelu, FastGelu and QuickGelu: a second input is a
 * bias, which is added before. */
gboolean
nn_onnx_read_gelu (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const char *approximate = nn_onnx_string (onnx, op, "approximate", g_str_equal (op->op_type, "FastGelu") ? "tanh" : "none");
  const char *sum = nn_onnx_middle (onnx, op, "biased");
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (g_str_equal (op->op_type, "QuickGelu"))
    return read_quick_gelu (onnx, op, error);
  if (!g_str_equal (approximate, "none") && !g_str_equal (approximate, "tanh"))
    return nn_load_unsupported (error, "approximate \"%s\" is not supported; \"none\" and \"tanh\" are", approximate);
  if (op->n_input > 1 && op->input[1][0] != '\0')
    {
      if (!nn_onnx_run (onnx, "Add", sum, op->input[0], op->input[1], error))
        return FALSE;
      value = g_hash_table_lookup (onnx->values, sum);
    }
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  node->attrs.act = g_str_equal (approximate, "none") ? NN_ACT_GELU : NN_ACT_GELU_TANH;
  return nn_onnx_finish (onnx, node, error);
}

/* x * hard_sigmoid (x), its slope 1/6 and its shift 1/2. */
gboolean
nn_onnx_read_hard_swish (NnOnnx           *onnx,
                         Onnx__NodeProto  *op,
                         GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  g_autofree char *name = g_strdup_printf ("%s__gate", nn_onnx_out (op, 0));
  guint inputs[2];
  NnNode *node;

  if (value == NULL)
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_ACTIVATION, name, op->op_type, &value->node, 1);
  node->attrs.act = NN_ACT_HARD_SIGMOID;
  node->attrs.slope = 1.0 / 6;
  node->attrs.shift = 0.5;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  inputs[0] = value->node;
  inputs[1] = nn_graph_builder_n_nodes (onnx->builder) - 1;
  node = nn_onnx_node (onnx, NN_OP_MULTIPLY, nn_onnx_out (op, 0), op->op_type, inputs, 2);
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}

/* The one operator after @op's result, where it is of @type; its other input, or the same, in @other. */
static Onnx__NodeProto *
next_of (NnOnnx           *onnx,
         Onnx__NodeProto  *op,
         const char       *type,
         const char      **other)
{
  Onnx__NodeProto *next = nn_onnx_only_use (onnx, nn_onnx_out (op, 0));

  if (next == NULL || next->op_type == NULL || !g_str_equal (next->op_type, type) || next->n_input != 2)
    return NULL;
  *other = next->input[g_str_equal (next->input[0], nn_onnx_out (op, 0)) ? 1 : 0];
  return next;
}

static gboolean
is_number (NnOnnx     *onnx,
           const char *name,
           double      number)
{
  const NnOnnxValue *value = g_hash_table_lookup (onnx->values, name);

  return value != NULL && value->constant != NULL && value->constant->n == 1 &&
         fabs (nn_tensor_get (value->constant, 0) - number) <= 1e-6 * fabs (number);
}

/* Whether @value is the node @of times 1/2. */
static gboolean
is_half_of (NnOnnx            *onnx,
            const NnOnnxValue *value,
            guint              of)
{
  const NnNode *node = nn_graph_builder_node (onnx->builder, value->node);

  return node->op == NN_OP_SCALE && node->n_weights == 1 && node->inputs[0] == of &&
         nn_tensor_f32 (g_array_index (onnx->weights, NnWeight, node->weights[0]).values)[0] == 0.5f;
}

/* Erf is met mostly within 0.5 * x * (1 + erf (x / sqrt 2)), as exporters write it: x / sqrt 2 becomes a scale by 1 / sqrt 2, and
 * the factor 1/2 stands at either product. */
gboolean
nn_onnx_read_erf (NnOnnx           *onnx,
                  Onnx__NodeProto  *op,
                  GError          **error)
{
  NnOnnxValue *scaled = nn_onnx_data (onnx, op, error), *x, *half_of;
  const NnNode *scale;
  const NnWeight *factor;
  const char *one, *first, *second;
  Onnx__NodeProto *add, *product, *last;
  NnNode *node;

  if (scaled == NULL)
    return FALSE;
  scale = nn_graph_builder_node (onnx->builder, scaled->node);
  factor = scale->op == NN_OP_SCALE && scale->n_weights == 1 ? &g_array_index (onnx->weights, NnWeight, scale->weights[0]) : NULL;
  add = next_of (onnx, op, "Add", &one);
  product = add != NULL ? next_of (onnx, add, "Mul", &first) : NULL;
  last = product != NULL ? next_of (onnx, product, "Mul", &second) : NULL;
  if (factor == NULL || factor->role != NN_ROLE_SCALE || fabs (nn_tensor_f32 (factor->values)[0] - M_SQRT1_2) > 1e-6 ||
      product == NULL || !is_number (onnx, one, 1))
    return nn_onnx_read_activation (onnx, op, error);
  x = g_hash_table_lookup (onnx->values, first);
  half_of = x;
  if (last != NULL && is_number (onnx, second, 0.5))
    half_of = NULL;
  else
    last = product;
  if (x == NULL || x->constant != NULL || (half_of != NULL ? !is_half_of (onnx, x, scale->inputs[0]) : x->node != scale->inputs[0]))
    return nn_onnx_read_activation (onnx, op, error);
  node = nn_onnx_node (onnx, NN_OP_ACTIVATION, nn_onnx_out (last, 0), "Gelu", &scale->inputs[0], 1);
  node->attrs.act = NN_ACT_GELU;
  g_hash_table_add (onnx->fused, add);
  g_hash_table_add (onnx->fused, product);
  g_hash_table_add (onnx->fused, last);
  nn_onnx_result (onnx, nn_onnx_out (last, 0), scaled);
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_prelu (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const NnOnnxValue *slope = nn_onnx_input (onnx, op, 1);
  NnNode *node;
  NnTensor *alpha;
  NnShape shape;

  if (value == NULL)
    return FALSE;
  if (slope == NULL || slope->constant == NULL || value->order != NULL)
    return nn_load_unsupported (error, "its slopes must be constant");
  if (value->rank > 2 && !nn_onnx_channels_last (onnx, value, error))
    return FALSE;
  shape = *nn_onnx_shape (onnx, value);
  /* one, or one a channel: (channels, 1, 1) */
  if (slope->constant->n != 1 && slope->constant->n != (gsize) nn_shape_last (&shape))
    return nn_load_unsupported (error, "only one slope, or one for each channel, is supported");
  for (guint i = 0; i + 1 < shape.rank; i++)
    shape.dims[i] = 1;
  if (slope->constant->n == 1 && shape.rank > 0)
    shape.dims[shape.rank - 1] = 1;
  node = nn_onnx_like (onnx, op, NN_OP_PRELU, value);
  alpha = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < alpha->n; i++)
    nn_tensor_f32 (alpha)[i] = (float) nn_tensor_get (slope->constant, i);
  nn_onnx_weight (onnx, node, NN_ROLE_ALPHA, "alpha", alpha);
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_softmax (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  guint axis;
  NnNode *node;
  int lies;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_axis (value, nn_onnx_int (op, "axis", onnx->opset < 13 ? 1 : -1), &axis) || axis == value->batch)
    return nn_load_unsupported (error, "its axis is the batch's, or none");
  /* before operator set 13 all axes from the one told count as one */
  if (onnx->opset < 13 && axis != value->rank - 1)
    for (guint i = axis; i < value->rank; i++)
      if (value->dims[i] != 1 && i != axis)
        return nn_load_unsupported (error, "over more than one axis it is not supported");
  lies = value->at[nn_onnx_sample_axis (value, axis)];
  if (lies == NN_ONNX_VIRTUAL)
    {
      if (!nn_onnx_natural (onnx, value, error))
        return FALSE;
      lies = value->at[nn_onnx_sample_axis (value, axis)];
    }
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  node->attrs.act = NN_ACT_SOFTMAX;
  node->attrs.axis = lies == (int) nn_onnx_shape (onnx, value)->rank - 1 ? -1 : lies;
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_identity (NnOnnx           *onnx,
                       Onnx__NodeProto  *op,
                       GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (!g_str_equal (op->op_type, "Dropout"))
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  node = nn_onnx_like (onnx, op, NN_OP_DROPOUT, value);
  node->attrs.rate = nn_onnx_float (op, "ratio", 0.5);
  return nn_onnx_finish (onnx, node, error);
}

/* Whether a value is nothing but places in tables, which are whole numbers whatever their type is. */
static gboolean
only_places (NnOnnx     *onnx,
             const char *name)
{
  GPtrArray *uses = g_hash_table_lookup (onnx->uses, name);

  if (uses == NULL || uses->len == 0 || g_hash_table_contains (onnx->outputs, name))
    return FALSE;
  for (guint i = 0; i < uses->len; i++)
    {
      const Onnx__NodeProto *use = uses->pdata[i];

      if (use->op_type == NULL || !g_str_equal (use->op_type, "Gather") || use->n_input != 2 || g_strcmp0 (use->input[1], name) != 0)
        return FALSE;
    }
  return TRUE;
}

/* A cast between numbers that are reals for us changes nothing. */
gboolean
nn_onnx_read_cast (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gint64 to = nn_onnx_int (op, "to", 1);

  if (value == NULL)
    return FALSE;
  if (!value->integral && !only_places (onnx, nn_onnx_out (op, 0)) && to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT &&
      to != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE && to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 && to != ONNX__TENSOR_PROTO__DATA_TYPE__BOOL)
    return nn_load_unsupported (error, "a cast of data to whole numbers is not supported");
  nn_onnx_alias (onnx, op, value);
  return TRUE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's recurrent layers, step after step: their quantisers inside the cell have no place in a kernel of a whole layer. Source:
 * calad0i/HGQ2, hgq/layers/rnn: QSimpleRNNCell.call, QGRUCell.call. */

#include "nn-passes-private.h"

#include <string.h>

/* Longer sequences keep their layer, and lose the quantisers inside it: so many cells are no hardware. */
#define MAX_STEPS 256

/**
 * Unrolled: one layer on its way.
 * @sums: the input times its kernel, with the bias, of all steps
 * @kernel, @bias: the state's, for all gates or, where the reset comes first, for both gates
 * @last: the kernel of the candidate, where the reset comes first
 */
typedef struct {
  NnRewrite    *rewrite;
  const NnNode *node;
  gint64        steps, features, units, wide;
  guint         sums, t;
  guint         kernel, bias, last;
  NnQuantizer  *kernel_quantizer, *bias_quantizer, *last_quantizer;
  gboolean      has_bias;
} Unrolled;

static NnNode *
add (Unrolled    *u,
     NnOp         op,
     const char  *suffix,
     const guint *inputs,
     guint        n_inputs,
     guint       *index)
{
  g_autofree char *wanted = u->t == G_MAXUINT ? g_strdup_printf ("%s_%s", u->node->name, suffix)
                                              : g_strdup_printf ("%s_%s_%u", u->node->name, suffix, u->t);
  NnNode *node = nn_graph_builder_add (u->rewrite->builder, op, nn_rewrite_name (u->rewrite, wanted), nn_op_info (op)->name, inputs, n_inputs);

  *index = nn_graph_builder_n_nodes (u->rewrite->builder) - 1;
  node->origin = nn_graph_builder_strdup (u->rewrite->builder, u->node->origin);
  return node;
}

static guint
add_merge (Unrolled   *u,
           NnOp        op,
           const char *suffix,
           guint       a,
           guint       b)
{
  guint inputs[2] = { a, b }, index;

  add (u, op, suffix, inputs, 2, &index);
  return index;
}

static guint
add_quantizer (Unrolled          *u,
               const char        *suffix,
               const NnQuantizer *quantizer,
               guint              input)
{
  guint index;

  if (quantizer == NULL)
    return input;
  add (u, NN_OP_QUANTIZE, suffix, &input, 1, &index)->attrs.quantizer = nn_graph_builder_quantizer (u->rewrite->builder, quantizer);
  return index;
}

static guint
add_slice (Unrolled   *u,
           const char *suffix,
           guint       input,
           gint64      begin,
           gint64      end)
{
  guint index;
  NnNode *node = add (u, NN_OP_SLICE, suffix, &input, 1, &index);

  node->attrs.axis = 0;
  node->attrs.begin = begin;
  node->attrs.end = end;
  node->attrs.step = 1;
  return index;
}

static guint
add_reshape (Unrolled   *u,
             const char *suffix,
             guint       input,
             NnShape     shape)
{
  guint index;

  add (u, NN_OP_RESHAPE, suffix, &input, 1, &index)->attrs.target = shape;
  return index;
}

/* factor x + offset. */
static guint
add_line (Unrolled   *u,
          const char *suffix,
          guint       input,
          gint64      channels,
          double      factor,
          double      offset)
{
  guint index;
  NnNode *node = add (u, NN_OP_SCALE, suffix, &input, 1, &index);
  NnTensor *numbers[2];

  node->attrs.use_bias = TRUE;
  for (guint i = 0; i < 2; i++)
    {
      NnRole role = i == 0 ? NN_ROLE_SCALE : NN_ROLE_BIAS;

      numbers[i] = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));
      for (gsize k = 0; k < numbers[i]->n; k++)
        nn_tensor_f32 (numbers[i])[k] = (float) (i == 0 ? factor : offset);
      nn_rewrite_set_weight (u->rewrite, node, role,
                             nn_rewrite_weight (u->rewrite, node->name, nn_role_name (role), role, numbers[i], NULL));
    }
  return index;
}

static guint
add_activation (Unrolled   *u,
                const char *suffix,
                guint       input,
                gboolean    gate)
{
  const NnAttrs *a = &u->node->attrs;
  NnAct act = gate ? a->recurrent_act : a->act;
  guint index;
  NnNode *node;

  if (act == NN_ACT_LINEAR)
    return input;
  /* what is cut off outside its range is cut off by the type behind it */
  if (gate && act == NN_ACT_HARD_SIGMOID && a->recurrent_quantizer != NULL)
    return add_line (u, suffix, input, 2 * u->units, a->recurrent_slope, a->recurrent_shift);
  node = add (u, NN_OP_ACTIVATION, suffix, &input, 1, &index);
  node->attrs.act = act;
  node->attrs.slope = gate ? a->recurrent_slope : a->slope;
  node->attrs.shift = gate ? a->recurrent_shift : a->shift;
  node->attrs.alpha = gate ? 0 : a->alpha;
  node->attrs.max_value = gate ? 0 : a->max_value;
  node->attrs.threshold = gate ? 0 : a->threshold;
  return index;
}

/* Columns [@from, @to) of row @row and those after it, as a weight with the types that belong to them. */
static guint
part_of (Unrolled     *u,
         NnRole        role,
         gint64        row,
         gint64        rows,
         gint64        from,
         gint64        to,
         NnQuantizer **quantizer)
{
  const NnWeight *weight = nn_model_node_weight (u->rewrite->model, u->node, role);
  const NnQuantizer *q = u->node->attrs.role_quantizer[role];
  gint64 columns = to - from;
  NnShape shape = role == NN_ROLE_BIAS ? NN_SHAPE (columns) : NN_SHAPE (rows, columns);
  NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &shape), *mask = weight->mask != NULL ? nn_tensor_new (NN_DTYPE_U8, &shape) : NULL;
  g_autofree NnType *types = q != NULL && q->n_elements > 0 ? g_new (NnType, values->n) : NULL;
  g_autofree char *name = g_strdup_printf ("%s_%" G_GINT64_FORMAT, nn_role_name (role), row * u->wide + from);

  for (gint64 r = 0; r < rows; r++)
    for (gint64 c = 0; c < columns; c++)
      {
        gsize at = (gsize) (r * columns + c), of = (gsize) ((row + r) * u->wide + from + c);

        nn_tensor_f32 (values)[at] = nn_tensor_f32 (weight->values)[of];
        if (mask != NULL)
          nn_tensor_u8 (mask)[at] = nn_tensor_u8 (weight->mask)[of];
        if (types != NULL)
          types[at] = q->per_element[of % q->n_elements];
      }
  *quantizer = nn_graph_builder_quantizer (u->rewrite->builder, q);
  if (types != NULL)
    {
      NnQuantizer own = *q;

      own.per_element = types;
      own.n_elements = (guint) values->n;
      *quantizer = nn_graph_builder_quantizer (u->rewrite->builder, &own);
    }
  if (mask != NULL)
    g_ptr_array_add (u->rewrite->tensors, mask);
  return nn_rewrite_weight (u->rewrite, u->node->name, name, role == NN_ROLE_BIAS ? role : NN_ROLE_KERNEL, values, mask);
}

static guint
add_dense (Unrolled    *u,
           const char  *suffix,
           guint        input,
           gint64       units,
           guint        kernel,
           NnQuantizer *kernel_quantizer,
           const guint *bias,
           NnQuantizer *bias_quantizer)
{
  guint index;
  NnNode *node = add (u, NN_OP_DENSE, suffix, &input, 1, &index);

  node->attrs.units = units;
  node->attrs.use_bias = bias != NULL;
  nn_rewrite_set_weight (u->rewrite, node, NN_ROLE_KERNEL, kernel);
  node->attrs.role_quantizer[NN_ROLE_KERNEL] = kernel_quantizer;
  if (bias != NULL)
    {
      nn_rewrite_set_weight (u->rewrite, node, NN_ROLE_BIAS, *bias);
      node->attrs.role_quantizer[NN_ROLE_BIAS] = bias_quantizer;
    }
  return index;
}

/* One step of a GRU: h' = z h + (1 - z) candidate. */
static guint
gru_step (Unrolled *u,
          guint     x,
          guint     h)
{
  const NnAttrs *a = &u->node->attrs;
  gint64 n = u->units;
  guint inner = add_dense (u, "inner", h, a->reset_after ? 3 * n : 2 * n, u->kernel, u->kernel_quantizer, u->has_bias ? &u->bias : NULL,
                           u->bias_quantizer);
  guint gates = inner, z, r, candidate;

  if (a->reset_after)
    gates = add_slice (u, "inner_gates", inner, 0, 2 * n);
  gates = add_merge (u, NN_OP_ADD, "gate_sums", add_slice (u, "gates_in", x, 0, 2 * n), gates);
  gates = add_quantizer (u, "gates", a->recurrent_quantizer, add_activation (u, "gates_act", gates, TRUE));
  z = add_slice (u, "update", gates, 0, n);
  r = add_slice (u, "reset", gates, n, 2 * n);
  if (a->reset_after)
    candidate = add_merge (u, NN_OP_MULTIPLY, "kept", r,
                           add_quantizer (u, "inner_rounded", a->reset_quantizer, add_slice (u, "inner_last", inner, 2 * n, 3 * n)));
  else
    candidate = add_dense (u, "kept", add_quantizer (u, "reset_rounded", a->reset_quantizer, add_merge (u, NN_OP_MULTIPLY, "reset_state", r, h)),
                           n, u->last, u->last_quantizer, NULL, NULL);
  candidate = add_merge (u, NN_OP_ADD, "candidate_sum", add_slice (u, "candidate_in", x, 2 * n, 3 * n), candidate);
  candidate = add_quantizer (u, "candidate", a->quantizer, add_activation (u, "candidate_act", candidate, FALSE));
  return add_merge (u, NN_OP_ADD, "state", add_merge (u, NN_OP_MULTIPLY, "old", z, h),
                    add_merge (u, NN_OP_MULTIPLY, "new", add_line (u, "opposite", z, n, -1, 1), candidate));
}

static guint
simple_step (Unrolled *u,
             guint     x,
             guint     h)
{
  guint sum = add_merge (u, NN_OP_ADD, "sum", x, add_dense (u, "inner", h, u->units, u->kernel, u->kernel_quantizer, NULL, NULL));

  return add_quantizer (u, "state", u->node->attrs.quantizer,
                        add_activation (u, "act", add_quantizer (u, "sum_rounded", u->node->attrs.sum_quantizer, sum), FALSE));
}

/* What all steps share: the input's sums, and the weights of the state. */
static void
prepare (Unrolled *u)
{
  const NnAttrs *a = &u->node->attrs;
  gboolean gru = u->node->op == NN_OP_GRU, has_bias = nn_model_node_weight (u->rewrite->model, u->node, NN_ROLE_BIAS) != NULL;
  guint input = u->rewrite->map[u->node->inputs[0]], kernel, bias = 0;
  NnQuantizer *kernel_quantizer, *bias_quantizer = NULL;

  u->t = G_MAXUINT;
  input = add_quantizer (u, "iq", a->input_quantizer, input);
  kernel = part_of (u, NN_ROLE_KERNEL, 0, u->features, 0, u->wide, &kernel_quantizer);
  if (has_bias)
    bias = part_of (u, NN_ROLE_BIAS, 0, 1, 0, u->wide, &bias_quantizer);
  u->sums = add_dense (u, "inputs", input, u->wide, kernel, kernel_quantizer, has_bias ? &bias : NULL, bias_quantizer);
  u->kernel = part_of (u, NN_ROLE_RECURRENT_KERNEL, 0, u->units, 0, gru && !a->reset_after ? 2 * u->units : u->wide, &u->kernel_quantizer);
  u->has_bias = has_bias && a->reset_after;
  if (u->has_bias)
    u->bias = part_of (u, NN_ROLE_BIAS, 1, 1, 0, u->wide, &u->bias_quantizer);
  if (gru && !a->reset_after)
    u->last = part_of (u, NN_ROLE_RECURRENT_KERNEL, 0, u->units, 2 * u->units, u->wide, &u->last_quantizer);
}

static guint
start_state (Unrolled *u)
{
  NnTensor *zeros = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (u->units));
  guint index;
  NnNode *node = add (u, NN_OP_CONSTANT, "start", NULL, 0, &index);

  memset (zeros->data, 0, zeros->n * sizeof (float));
  node->shape = zeros->shape;
  nn_rewrite_set_weight (u->rewrite, node, NN_ROLE_VALUE, nn_rewrite_weight (u->rewrite, node->name, "value", NN_ROLE_VALUE, zeros, NULL));
  return index;
}

static gboolean
fits (const Unrolled *u)
{
  const NnWeight *kernel = nn_model_node_weight (u->rewrite->model, u->node, NN_ROLE_KERNEL);
  const NnWeight *recurrent = nn_model_node_weight (u->rewrite->model, u->node, NN_ROLE_RECURRENT_KERNEL);
  const NnWeight *bias = nn_model_node_weight (u->rewrite->model, u->node, NN_ROLE_BIAS);

  return u->steps > 0 && u->steps <= MAX_STEPS && u->units > 0 && kernel != NULL && recurrent != NULL &&
         kernel->values->n == (gsize) (u->features * u->wide) && recurrent->values->n == (gsize) (u->units * u->wide) &&
         (bias == NULL || bias->values->n == (gsize) (u->node->attrs.reset_after ? 2 * u->wide : u->wide));
}

static gboolean
unroll (NnRewrite *rewrite,
        guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnAttrs *a = &node->attrs;
  Unrolled u = { .rewrite = rewrite, .node = node, .units = a->units };
  g_autofree guint *states = NULL;
  const NnShape *in;
  guint h;

  if ((node->op != NN_OP_SIMPLE_RNN && node->op != NN_OP_GRU) ||
      (a->input_quantizer == NULL && a->sum_quantizer == NULL && a->reset_quantizer == NULL))
    return FALSE;
  in = &nn_graph_node (rewrite->graph, node->inputs[0])->shape;
  u.steps = in->rank == 2 ? in->dims[0] : 0;
  u.features = nn_shape_last (in);
  u.wide = (node->op == NN_OP_GRU ? 3 : 1) * u.units;
  if (!fits (&u))
    return FALSE;
  prepare (&u);
  h = start_state (&u);
  states = g_new (guint, (gsize) u.steps);
  for (u.t = 0; u.t < (guint) u.steps; u.t++)
    {
      gint64 at = a->go_backwards ? u.steps - 1 - u.t : u.t;
      guint x = add_reshape (&u, "step", add_slice (&u, "slice", u.sums, at, at + 1), NN_SHAPE (u.wide));

      h = add_quantizer (&u, "state_rounded", a->state_quantizer, h);
      h = node->op == NN_OP_GRU ? gru_step (&u, x, h) : simple_step (&u, x, h);
      states[u.t] = a->return_sequences ? add_reshape (&u, "row", h, NN_SHAPE (1, u.units)) : h;
    }
  u.t = G_MAXUINT;
  if (a->return_sequences)
    add (&u, NN_OP_CONCATENATE, "steps", states, (guint) u.steps, &h)->attrs.axis = 0;
  rewrite->map[i] = h;
  return TRUE;
}

NnModel *
nn_pass_unroll_recurrent (const NnModel   *model,
                          const NnConfig  *config,
                          GError         **error)
{
  return nn_rewrite_run (model, config, unroll, error);
}

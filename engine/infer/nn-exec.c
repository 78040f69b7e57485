/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Float inference in double precision: the graph walked for one sample after the other. */

#include "nn-exec-private.h"

#include "nn-error.h"
#include "nn-infer-shape.h"
#include "nn-parallel.h"
#include "nn-quant.h"

#include <math.h>
#include <string.h>

/* A batch is as large as its layers' outputs fit into so many bytes, within limits. */
#define BATCH_BYTES (64 << 20)
#define MAX_BATCH 512
/* Samples of a batch are shared out in so many pieces. */
#define MAX_CHUNKS 32

typedef struct {
  const NnGraph *graph;
  NnStep        *steps;     /* owned */
  guint          n_steps;
  NnTensor     **values;    /* owned: outputs of every node for the batch */
  NnTensor     **inputs;    /* owned: the caller's, as F64 */
  gsize          first;     /* sample of the batch */
  gsize          count;
  gsize          n_scratch;
  GCancellable  *cancellable;
} Run;

static const NnKernel kernels[NN_N_OPS] = {
  [NN_OP_INPUT] = { NULL, nn_step_copy },
  [NN_OP_CONSTANT] = { nn_prepare_constant, nn_step_constant },
  [NN_OP_DENSE] = { nn_prepare_dense, nn_step_dense },
  [NN_OP_BATCH_NORM] = { nn_prepare_batch_norm, nn_step_affine },
  [NN_OP_LAYER_NORM] = { nn_prepare_layer_norm, nn_step_layer_norm },
  [NN_OP_SCALE] = { nn_prepare_scale, nn_step_affine },
  [NN_OP_ACTIVATION] = { NULL, nn_step_activation },
  [NN_OP_PRELU] = { nn_prepare_prelu, nn_step_prelu },
  [NN_OP_QUANTIZE] = { NULL, nn_step_copy },
  [NN_OP_DROPOUT] = { NULL, nn_step_copy },
  [NN_OP_FLATTEN] = { NULL, nn_step_copy },
  [NN_OP_RESHAPE] = { NULL, nn_step_copy },
  [NN_OP_EINSUM_DENSE] = { nn_prepare_einsum_dense, nn_step_einsum_dense },
  [NN_OP_CONV1D] = { nn_prepare_conv, nn_step_conv },
  [NN_OP_CONV2D] = { nn_prepare_conv, nn_step_conv },
  [NN_OP_CONV1D_TRANSPOSE] = { nn_prepare_transpose, nn_step_transpose },
  [NN_OP_CONV2D_TRANSPOSE] = { nn_prepare_transpose, nn_step_transpose },
  [NN_OP_DEPTHWISE_CONV1D] = { nn_prepare_depthwise, nn_step_depthwise },
  [NN_OP_DEPTHWISE_CONV2D] = { nn_prepare_depthwise, nn_step_depthwise },
  [NN_OP_SEPARABLE_CONV1D] = { nn_prepare_separable, nn_step_separable },
  [NN_OP_SEPARABLE_CONV2D] = { nn_prepare_separable, nn_step_separable },
  [NN_OP_MAX_POOL1D] = { nn_prepare_pool, nn_step_max_pool },
  [NN_OP_MAX_POOL2D] = { nn_prepare_pool, nn_step_max_pool },
  [NN_OP_AVG_POOL1D] = { nn_prepare_pool, nn_step_avg_pool },
  [NN_OP_AVG_POOL2D] = { nn_prepare_pool, nn_step_avg_pool },
  [NN_OP_GLOBAL_MAX_POOL] = { NULL, nn_step_global_pool },
  [NN_OP_GLOBAL_AVG_POOL] = { NULL, nn_step_global_pool },
  [NN_OP_ADD] = { nn_prepare_merge, nn_step_merge },
  [NN_OP_SUBTRACT] = { nn_prepare_merge, nn_step_merge },
  [NN_OP_MULTIPLY] = { nn_prepare_merge, nn_step_merge },
  [NN_OP_DIVIDE] = { nn_prepare_merge, nn_step_merge },
  [NN_OP_AVERAGE] = { nn_prepare_merge, nn_step_merge },
  [NN_OP_MAXIMUM] = { nn_prepare_merge, nn_step_merge },
  [NN_OP_MINIMUM] = { nn_prepare_merge, nn_step_merge },
  [NN_OP_CONCATENATE] = { NULL, nn_step_concatenate },
  [NN_OP_DOT] = { nn_prepare_dot, nn_step_dot },
  [NN_OP_MATMUL] = { nn_prepare_matmul, nn_step_matmul },
  [NN_OP_EINSUM] = { nn_prepare_einsum, nn_step_einsum },
  [NN_OP_PERMUTE] = { NULL, nn_step_permute },
  [NN_OP_REPEAT_VECTOR] = { NULL, nn_step_repeat },
  [NN_OP_UPSAMPLE] = { NULL, nn_step_upsample },
  [NN_OP_ZERO_PAD] = { NULL, nn_step_pad },
  [NN_OP_CROP] = { NULL, nn_step_pad },
  [NN_OP_SLICE] = { NULL, nn_step_slice },
  [NN_OP_REVERSE] = { NULL, nn_step_reverse },
  [NN_OP_REDUCE_MEAN] = { NULL, nn_step_reduce },
  [NN_OP_REDUCE_SUM] = { NULL, nn_step_reduce },
  [NN_OP_REDUCE_MAX] = { NULL, nn_step_reduce },
  [NN_OP_ARG_MAX] = { NULL, nn_step_arg_max },
  [NN_OP_EMBEDDING] = { nn_prepare_embedding, nn_step_embedding },
  [NN_OP_SIMPLE_RNN] = { nn_prepare_rnn, nn_step_rnn },
  [NN_OP_LSTM] = { nn_prepare_rnn, nn_step_rnn },
  [NN_OP_GRU] = { nn_prepare_rnn, nn_step_rnn },
  [NN_OP_MULTI_HEAD_ATTENTION] = { nn_prepare_attention, nn_step_attention },
  [NN_OP_GARNET] = { nn_prepare_garnet, nn_step_garnet },
  [NN_OP_UNARY_LUT] = { nn_prepare_lut, nn_step_lut },
  [NN_OP_TREE_ENSEMBLE] = { nn_prepare_trees, nn_step_trees },
};

const NnKernel *
nn_kernel (NnOp op)
{
  return op < NN_N_OPS && kernels[op].func != NULL ? &kernels[op] : NULL;
}

gboolean
nn_step_fail (const NnStep *step,
              const char   *what,
              GError      **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "layer \"%s\" (%s): %s", step->node->name, step->node->class_name, what);
  return FALSE;
}

gboolean
nn_step_need (const NnStep *step,
              NnRole        role,
              gsize         n,
              GError      **error)
{
  g_autofree char *what = NULL;

  if (step->w[role] != NULL && step->w_n[role] == n)
    return TRUE;
  what = step->w[role] == NULL ? g_strdup_printf ("its %s is missing", nn_role_name (role))
                               : g_strdup_printf ("its %s has %" G_GSIZE_FORMAT " numbers where %" G_GSIZE_FORMAT
                                                  " are needed", nn_role_name (role), step->w_n[role], n);
  return nn_step_fail (step, what, error);
}

/* An axis that may count from the end; the last where it is none. */
gsize
nn_step_axis (gint  axis,
              guint rank)
{
  gint a = axis < 0 ? axis + (gint) rank : axis;

  return a < 0 || a >= (gint) rank ? (rank > 0 ? rank - 1 : 0) : (gsize) a;
}

/* Masked, as %NN_DTYPE_F64. */
static NnTensor *
masked_weight (const NnWeight *weight)
{
  NnTensor *values = nn_tensor_convert (weight->values, NN_DTYPE_F64);

  for (gsize i = 0; weight->mask != NULL && i < values->n; i++)
    if (nn_tensor_u8 (weight->mask)[i] == 0)
      nn_tensor_f64 (values)[i] = 0;
  return values;
}

static void
put_weight (NnStep     *step,
            NnRole      role,
            const char *name,
            NnTensor   *values)
{
  /* the first of a role stands in `w`; the array owns all of them */
  g_ptr_array_add (step->others, values);
  g_ptr_array_add (step->other_names, (gpointer) name);
  if (step->w[role] != NULL)
    return;
  step->w[role] = nn_tensor_f64 (values);
  step->w_shape[role] = values->shape;
  step->w_n[role] = values->n;
}

static gboolean
has_folded_norm (const NnStep *step)
{
  return step->node->op != NN_OP_BATCH_NORM && nn_op_info (step->node->op)->op_class == NN_OP_CLASS_MULTIPLY &&
         step->w[NN_ROLE_MEAN] != NULL && step->w[NN_ROLE_VARIANCE] != NULL;
}

/*
 * QConv2DBatchnorm and its kin: kernel' = kernel * inv, bias' = inv * (bias - mean) + beta with
 * inv = gamma / sqrt (variance + epsilon), before both are quantised. Source: QKeras qconv2d_batchnorm.py.
 */
static gboolean
fold_norm (NnStep  *step,
           GError **error)
{
  gsize n = step->w_n[NN_ROLE_MEAN];
  gboolean has_bias = step->w_n[NN_ROLE_BIAS] > 0;
  double *bias;

  if (n == 0 || step->w_n[NN_ROLE_KERNEL] % n != 0 || step->w_n[NN_ROLE_VARIANCE] != n ||
      (has_bias && step->w_n[NN_ROLE_BIAS] != n) ||
      (step->w_n[NN_ROLE_GAMMA] > 0 && step->w_n[NN_ROLE_GAMMA] != n) ||
      (step->w_n[NN_ROLE_BETA] > 0 && step->w_n[NN_ROLE_BETA] != n))
    return nn_step_fail (step, "its batch norm does not fit its kernel", error);
  if (!has_bias)
    put_weight (step, NN_ROLE_BIAS, "bias", nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE ((gint64) n)));
  bias = step->w[NN_ROLE_BIAS];
  for (gsize c = 0; c < n; c++)
    {
      double gamma = step->w_n[NN_ROLE_GAMMA] > 0 ? step->w[NN_ROLE_GAMMA][c] : 1;
      double inv = gamma / sqrt (step->w[NN_ROLE_VARIANCE][c] + step->node->attrs.epsilon);

      bias[c] = inv * (bias[c] - step->w[NN_ROLE_MEAN][c]) + (step->w_n[NN_ROLE_BETA] > 0 ? step->w[NN_ROLE_BETA][c] : 0);
      for (gsize i = c; i < step->w_n[NN_ROLE_KERNEL]; i += n)
        step->w[NN_ROLE_KERNEL][i] *= inv;
    }
  return TRUE;
}

static gboolean
take_weights (NnStep        *step,
              const NnModel *model,
              GError       **error)
{
  step->others = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  step->other_names = g_ptr_array_new ();
  for (guint k = 0; k < step->node->n_weights; k++)
    {
      const NnWeight *weight = nn_model_weight (model, step->node->weights[k]);

      put_weight (step, weight->role, weight->name, masked_weight (weight));
    }
  if (has_folded_norm (step) && !fold_norm (step, error))
    return FALSE;
  for (NnRole role = 0; role < NN_N_ROLES; role++)
    if (step->w[role] != NULL)
      nn_quantize (step->node->attrs.role_quantizer[role], &step->w_shape[role], step->w[role]);
  return TRUE;
}

/* Shapes are those of the graph, unless an input left an axis open: then they follow from the data. */
static gboolean
step_shapes (Run           *run,
             guint          i,
             const NnShape *given,
             GError       **error)
{
  NnStep *step = &run->steps[i];
  NnNode node = *step->node;
  g_autofree NnNode *sources = g_new0 (NnNode, node.n_inputs + 1);
  g_autofree const NnNode **inputs = g_new0 (const NnNode *, node.n_inputs + 1);
  gboolean open = !nn_shape_is_known (&node.shape);

  step->in_shape = g_new0 (NnShape, node.n_inputs + 1);
  step->in_n = g_new0 (gsize, node.n_inputs + 1);
  for (guint k = 0; k < node.n_inputs; k++)
    {
      sources[k] = *run->steps[node.inputs[k]].node;
      sources[k].shape = run->steps[node.inputs[k]].shape;
      inputs[k] = &sources[k];
      step->in_shape[k] = sources[k].shape;
      step->in_n[k] = nn_shape_count (&sources[k].shape);
    }
  if (node.op == NN_OP_INPUT)
    node.shape = *given;
  else if (open)
    {
      /* rules that leave the shape alone need the open axes filled from the first input */
      for (guint d = 0; node.n_inputs > 0 && d < node.shape.rank; d++)
        if (node.shape.dims[d] < 0 && d < sources[0].shape.rank)
          node.shape.dims[d] = sources[0].shape.dims[d];
      if (!nn_infer_shape (&node, inputs, error))
        return FALSE;
    }
  step->shape = node.shape;
  if (!nn_shape_is_known (&node.shape) || !nn_shape_size (&node.shape, &step->n))
    return nn_step_fail (step, "its output shape cannot be told from the inputs", error);
  return TRUE;
}

static gboolean
prepare_step (Run           *run,
              const NnModel *model,
              guint          i,
              GError       **error)
{
  NnStep *step = &run->steps[i];
  const NnKernel *kernel = nn_kernel (step->node->op);

  step->func = kernel->func;
  if (!take_weights (step, model, error))
    return FALSE;
  if (kernel->func == nn_step_copy && step->node->op != NN_OP_INPUT && step->n != step->in_n[0])
    return nn_step_fail (step, "its shape does not hold its input", error);
  if (kernel->prepare != NULL && !kernel->prepare (step, error))
    return FALSE;
  if (step->node->attrs.input_quantizer != NULL && step->node->n_inputs > 0)
    step->n_scratch += step->in_n[0];
  run->n_scratch = MAX (run->n_scratch, step->n_scratch);
  return TRUE;
}

/**
 * nn_predict_supported:
 *
 * Errors: %NN_ERROR_UNSUPPORTED; the message names the layer
 */
gboolean
nn_predict_supported (const NnModel *model,
                      GError       **error)
{
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      if (nn_kernel (node->op) != NULL)
        continue;
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s) cannot be computed%s%s", node->name,
                   node->class_name, node->reason != NULL ? ": " : "", node->reason != NULL ? node->reason : "");
      return FALSE;
    }
  return TRUE;
}

/* Axes of one element do not count. */
static gboolean
same_without_ones (const NnShape *a,
                   const NnShape *b)
{
  guint i = 0, j = 0;

  for (;;)
    {
      while (i < a->rank && a->dims[i] == 1)
        i++;
      while (j < b->rank && b->dims[j] == 1)
        j++;
      if (i == a->rank || j == b->rank)
        return i == a->rank && j == b->rank;
      if (a->dims[i++] != b->dims[j++])
        return FALSE;
    }
}

/* The shape that the data give to an input layer. Data may be flat, or with or without axes of one element. */
static gboolean
match_input (const NnNode   *node,
             const NnTensor *data,
             NnShape        *shape,
             GError        **error)
{
  g_autofree char *want = NULL, *have = NULL;
  NnShape sample = { .rank = data->shape.rank > 0 ? data->shape.rank - 1 : 0 };
  gboolean fits;

  for (guint i = 0; i < sample.rank; i++)
    sample.dims[i] = data->shape.dims[i + 1];
  *shape = node->shape;
  fits = data->shape.rank > 0 && sample.rank == shape->rank;
  for (guint i = 0; fits && i < shape->rank; i++)
    {
      if (shape->dims[i] < 0)
        shape->dims[i] = sample.dims[i];
      fits = shape->dims[i] == sample.dims[i];
    }
  if (!fits && data->shape.rank > 0 && nn_shape_is_known (&node->shape))
    {
      *shape = node->shape;
      fits = same_without_ones (shape, &sample) ||
             ((shape->rank <= 1 || sample.rank <= 1) && nn_shape_count (shape) == nn_shape_count (&sample));
    }
  if (fits)
    return TRUE;
  want = nn_shape_to_string (&node->shape);
  have = nn_shape_to_string (&sample);
  g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "input \"%s\" takes samples of shape %s, not %s", node->name, want, have);
  return FALSE;
}

static gboolean
check_inputs (const NnGraph   *graph,
              NnTensor *const *inputs,
              NnShape         *shapes,
              GError         **error)
{
  guint n;
  const guint *indices = nn_graph_inputs (graph, &n);

  for (guint k = 0; k < n; k++)
    {
      if (inputs[k] == NULL)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the network has %u inputs; data for \"%s\" are missing", n,
                       nn_graph_node (graph, indices[k])->name);
          return FALSE;
        }
      if (!match_input (nn_graph_node (graph, indices[k]), inputs[k], &shapes[indices[k]], error))
        return FALSE;
      if (inputs[k]->shape.dims[0] != inputs[0]->shape.dims[0])
        {
          g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "the inputs differ in the number of samples");
          return FALSE;
        }
    }
  return TRUE;
}

static void
run_clear (Run *run)
{
  for (guint i = 0; run->steps != NULL && i < run->n_steps; i++)
    {
      NnStep *step = &run->steps[i];

      g_free (step->in_shape);
      g_free (step->in_n);
      g_free (step->plan);
      g_clear_pointer (&step->others, g_ptr_array_unref);
      g_clear_pointer (&step->other_names, g_ptr_array_unref);
      if (run->values != NULL)
        nn_tensor_unref (run->values[i]);
    }
  g_free (run->steps);
  g_free (run->values);
}

static gboolean
run_init (Run              *run,
          const NnModel    *model,
          NnTensor *const  *inputs,
          GError          **error)
{
  g_autofree NnShape *given = NULL;

  run->graph = nn_model_graph (model);
  run->n_steps = nn_graph_n_nodes (run->graph);
  run->steps = g_new0 (NnStep, run->n_steps);
  given = g_new0 (NnShape, run->n_steps);
  if (!nn_predict_supported (model, error) || !check_inputs (run->graph, inputs, given, error))
    return FALSE;
  for (guint i = 0; i < run->n_steps; i++)
    {
      run->steps[i].node = nn_graph_node (run->graph, i);
      if (!step_shapes (run, i, &given[i], error) || !prepare_step (run, model, i, error))
        return FALSE;
    }
  return TRUE;
}

/* Room for the outputs of all nodes; more than one batch needs the same. */
static gboolean
allocate_batch (Run     *run,
                gsize    batch,
                GError **error)
{
  if (run->values == NULL)
    run->values = g_new0 (NnTensor *, run->n_steps);
  for (guint i = 0; i < run->n_steps; i++)
    {
      NnShape shape = { .rank = run->steps[i].shape.rank + 1, .dims = { batch } };

      if (run->values[i] != NULL && run->values[i]->shape.dims[0] == (gint64) batch)
        continue;
      if (shape.rank > NN_MAX_RANK)
        return nn_step_fail (&run->steps[i], "its output has too many axes", error);
      memcpy (shape.dims + 1, run->steps[i].shape.dims, run->steps[i].shape.rank * sizeof shape.dims[0]);
      nn_tensor_unref (run->values[i]);
      run->values[i] = nn_tensor_try_new (NN_DTYPE_F64, &shape, error);
      if (run->values[i] == NULL)
        return FALSE;
    }
  return TRUE;
}

static double *
value_of (const Run *run,
          guint      i,
          gsize      sample)
{
  return nn_tensor_f64 (run->values[i]) + sample * run->steps[i].n;
}

/* Operators whose own kernel deals with the activation. */
static gboolean
has_own_activation (NnOp op)
{
  return op == NN_OP_ACTIVATION || nn_op_is_recurrent (op) || op == NN_OP_GARNET;
}

static void
compute_step (const Run *run,
              guint      i,
              gsize      sample,
              double    *scratch)
{
  const NnStep *step = &run->steps[i];
  const NnAttrs *attrs = &step->node->attrs;
  const double *few[8], **in = few;
  double *out = value_of (run, i, sample);

  if (step->node->n_inputs > G_N_ELEMENTS (few))
    in = g_new (const double *, step->node->n_inputs);
  for (guint k = 0; k < step->node->n_inputs; k++)
    in[k] = value_of (run, step->node->inputs[k], sample);
  if (attrs->input_quantizer != NULL && step->node->n_inputs > 0)
    {
      memcpy (scratch, in[0], step->in_n[0] * sizeof *scratch);
      nn_quantize (attrs->input_quantizer, &step->in_shape[0], scratch);
      in[0] = scratch;
      scratch += step->in_n[0];
    }
  step->func (step, in, out, scratch);
  if (!nn_op_is_recurrent (step->node->op))
    nn_quantize (attrs->sum_quantizer, &step->shape, out);
  if (!has_own_activation (step->node->op))
    nn_act_apply (attrs, attrs->act, &step->shape, -1, out);
  if (!nn_op_is_recurrent (step->node->op))
    nn_quantize (attrs->quantizer, &step->shape, out);
  if (in != few)
    g_free (in);
}

static void
take_input (const Run *run,
            guint      k,
            guint      i,
            gsize      sample)
{
  gsize n = run->steps[i].n, first = (run->first + sample) * n;
  double *out = value_of (run, i, sample);

  for (gsize e = 0; e < n; e++)
    out[e] = nn_tensor_get (run->inputs[k], first + e);
  nn_quantize (run->steps[i].node->attrs.quantizer, &run->steps[i].shape, out);
}

static void
compute_chunk (gsize    chunk,
               gsize    n_chunks,
               gpointer data)
{
  const Run *run = data;
  gsize begin = run->count * chunk / n_chunks, end = run->count * (chunk + 1) / n_chunks;
  g_autofree double *scratch = g_new (double, run->n_scratch + 1);

  for (gsize sample = begin; sample < end; sample++)
    for (guint i = 0, k = 0; i < run->n_steps; i++)
      {
        if (g_cancellable_is_cancelled (run->cancellable))
          return;
        if (run->steps[i].node->op == NN_OP_INPUT)
          take_input (run, k++, i, sample);
        else
          compute_step (run, i, sample, scratch);
      }
}

static NnTensor **
allocate_outputs (Run     *run,
                  gsize    n,
                  GError **error)
{
  guint n_outputs;
  const guint *indices = nn_graph_outputs (run->graph, &n_outputs);
  NnTensor **outputs = g_new0 (NnTensor *, n_outputs + 1);

  for (guint k = 0; k < n_outputs; k++)
    {
      NnShape shape = run->values[indices[k]]->shape;

      shape.dims[0] = n;
      outputs[k] = nn_tensor_try_new (NN_DTYPE_F64, &shape, error);
      if (outputs[k] == NULL)
        {
          nn_tensors_free (outputs);
          return NULL;
        }
    }
  return outputs;
}

static void
hand_on (Run                    *run,
         const NnPredictOptions *options,
         NnTensor              **outputs)
{
  guint n_outputs;
  const guint *indices = nn_graph_outputs (run->graph, &n_outputs);

  for (guint i = 0; options != NULL && options->trace != NULL && i < run->n_steps; i++)
    {
      g_autoptr (NnTensor) part = NULL;

      if ((gsize) run->values[i]->shape.dims[0] != run->count)
        part = nn_tensor_rows (run->values[i], 0, run->count);
      options->trace (run->steps[i].node, run->first, part != NULL ? part : run->values[i], options->trace_data);
    }
  for (guint k = 0; k < n_outputs; k++)
    memcpy (nn_tensor_f64 (outputs[k]) + run->first * run->steps[indices[k]].n, value_of (run, indices[k], 0),
            run->count * run->steps[indices[k]].n * sizeof (double));
}

static gsize
choose_batch (const Run              *run,
              const NnPredictOptions *options,
              gsize                   n)
{
  double bytes = 0;

  if (options != NULL && options->batch > 0)
    return MIN (options->batch, MAX (n, 1));
  for (guint i = 0; i < run->n_steps; i++)
    bytes += 8.0 * run->steps[i].n;
  return MIN (MAX (n, 1), (gsize) CLAMP (BATCH_BYTES / MAX (bytes, 1), 1, MAX_BATCH));
}

static gboolean
run_all (Run                    *run,
         const NnPredictOptions *options,
         gsize                   n,
         const NnProgress       *progress,
         NnTensor             ***outputs,
         GError                **error)
{
  gsize batch = choose_batch (run, options, n);

  if (!allocate_batch (run, batch, error) || (*outputs = allocate_outputs (run, n, error)) == NULL)
    return FALSE;
  for (run->first = 0; run->first < n; run->first += batch)
    {
      run->count = MIN (batch, n - run->first);
      nn_parallel_for (MIN (run->count, MAX_CHUNKS), compute_chunk, run);
      if (nn_progress_cancelled (run->cancellable, error))
        return FALSE;
      hand_on (run, options, *outputs);
      nn_progress_report (progress, (double) (run->first + run->count) / n, "Predicting");
    }
  return TRUE;
}

/**
 * nn_predict:
 * @inputs: (array): one for each input of the graph; a sample may be flat, or lack or have axes of one element. Of a network
 *   whose file has no axis for the batch, they may be the file's arrays; so then are the results
 * @options: (nullable): what else is wanted
 *
 * Errors: %NN_ERROR_UNSUPPORTED, %NN_ERROR_SHAPE, %NN_ERROR_LIMIT, %G_IO_ERROR_CANCELLED
 *
 * Threads: samples are shared out; the result does not depend on how many threads there are
 *
 * Returns: (transfer full): one tensor for each output
 */
NnTensor **
nn_predict (const NnModel          *model,
            NnTensor *const        *inputs,
            const NnPredictOptions *options,
            const NnProgress       *progress,
            GCancellable           *cancellable,
            GError                **error)
{
  NnTensor **batch = nn_model_batch (model, inputs), **outputs = NULL;
  Run run = { .inputs = batch != NULL ? batch : (NnTensor **) inputs, .cancellable = cancellable };
  gsize n;

  if (run_init (&run, model, run.inputs, error))
    {
      n = run.inputs[0]->shape.dims[0];
      if (!run_all (&run, options, n, progress, &outputs, error))
        g_clear_pointer (&outputs, nn_tensors_free);
    }
  run_clear (&run);
  if (batch != NULL)
    nn_model_unbatch (outputs);
  nn_tensors_free (batch);
  return outputs;
}

void
nn_tensors_free (NnTensor **tensors)
{
  for (NnTensor **t = tensors; t != NULL && *t != NULL; t++)
    nn_tensor_unref (*t);
  g_free (tensors);
}

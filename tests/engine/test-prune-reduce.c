/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reduced network is smaller and computes the same. */

#include "nn-exec.h"
#include "nn-reduce.h"
#include "test-train-nets.h"

/* Zeroes the outputs [first, last) of weight @id, or with @inputs what is read of them. */
static NnModel *
cut (const NnModel *model,
     guint          id,
     gsize          first,
     gsize          last,
     gboolean       inputs)
{
  guint n = nn_model_n_weights (model);
  g_autofree NnTensor **values = g_new0 (NnTensor *, n);
  const NnShape *shape = &nn_model_weight (model, id)->values->shape;
  gsize n_out = (gsize) shape->dims[shape->rank - 1], n_in = (gsize) shape->dims[shape->rank - 2];
  NnModel *result;

  values[id] = nn_tensor_copy (nn_model_weight (model, id)->values);
  for (gsize k = 0; k < values[id]->n; k++)
    {
      gsize c = inputs ? k / n_out % n_in : k % n_out;

      if (c >= first && c < last)
        nn_tensor_f32 (values[id])[k] = 0;
    }
  result = nn_model_with_weights (model, values, NULL);
  nn_tensor_unref (values[id]);
  return result;
}

static void
check (const NnModel *model,
       const NnShape *input,
       gsize          expected)
{
  g_autoptr (GError) error = NULL;
  gsize removed;
  g_autoptr (NnModel) small = nn_model_reduce (model, &removed, &error);
  g_autoptr (NnTensor) x = NULL;
  NnTensor **a, **b;
  NnShape shape = *input;
  NnRng rng;

  g_assert_no_error (error);
  g_assert_cmpuint (removed, ==, expected);
  nn_rng_init (&rng, 4);
  for (guint d = shape.rank; d > 0; d--)
    shape.dims[d] = shape.dims[d - 1];
  shape.dims[0] = 7;
  shape.rank++;
  x = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < x->n; i++)
    nn_tensor_f32 (x)[i] = (float) nn_rng_normal (&rng);
  a = nn_predict (model, &x, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  b = nn_predict (small, &x, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (a[0]->n, ==, b[0]->n);
  for (gsize i = 0; i < a[0]->n; i++)
    g_assert_cmpfloat (fabs (nn_tensor_f64 (a[0])[i] - nn_tensor_f64 (b[0])[i]), <, 1e-5);
  nn_tensors_free (a);
  nn_tensors_free (b);
}

static void
test_dense (void)
{
  TestNet *net = net_new (&NN_SHAPE (6), 1);
  g_autoptr (NnModel) model = NULL, unread = NULL, constant = NULL;

  net_dense (net, 6, 10, NN_ACT_LINEAR);
  net_batch_norm (net, 10);
  net_act (net, NN_ACT_RELU);
  net_dense (net, 10, 8, NN_ACT_TANH);
  net_dense (net, 8, 3, NN_ACT_SOFTMAX);
  model = net_seal (net);
  check (model, &NN_SHAPE (6), 0);
  unread = cut (model, 6, 2, 5, TRUE); /* kernel of the second dense layer */
  check (unread, &NN_SHAPE (6), 3);
  constant = cut (unread, 6, 4, 8, FALSE); /* its last four outputs are constant then */
  check (constant, &NN_SHAPE (6), 3 + 4);
}

static void
test_conv (void)
{
  TestNet *net = net_new (&NN_SHAPE (6, 6, 2), 2);
  g_autoptr (NnModel) model = NULL, a = NULL, b = NULL;

  net_conv (net, 3, 3, 2, 5, 1, 1, 1, NN_PADDING_SAME);
  net_act (net, NN_ACT_RELU);
  net_conv (net, 3, 3, 5, 4, 1, 1, 1, NN_PADDING_VALID);
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 64, 3, NN_ACT_LINEAR);
  model = net_seal (net);
  a = cut (model, 2, 1, 3, TRUE);
  check (a, &NN_SHAPE (6, 6, 2), 2);
  {
    guint n = nn_model_n_weights (a);
    g_autofree NnTensor **values = g_new0 (NnTensor *, n);

    /* filter 3 of the second convolution, at all 16 places */
    values[4] = nn_tensor_copy (nn_model_weight (a, 4)->values);
    for (gsize k = 0; k < values[4]->n; k++)
      if (k / 3 % 4 == 3)
        nn_tensor_f32 (values[4])[k] = 0;
    b = nn_model_with_weights (a, values, NULL);
    nn_tensor_unref (values[4]);
  }
  check (b, &NN_SHAPE (6, 6, 2), 3);
}

/* Side by side: a channel goes when nobody reads it behind the joint, and stays while a reader before the joint wants it. */
static void
test_concatenation (void)
{
  TestNet *net = net_new (&NN_SHAPE (6), 5);
  g_autoptr (NnModel) model = NULL, unread = NULL, dead = NULL;
  guint a, b, ids[2];

  net_dense (net, 6, 4, NN_ACT_RELU); /* weights 0, 1 */
  a = net->last;
  net_dense (net, 4, 3, NN_ACT_TANH); /* 2, 3 */
  b = net->last;
  ids[0] = a;
  ids[1] = b;
  net_add_to (net, NN_OP_CONCATENATE, ids, 2);
  net_batch_norm (net, 7); /* 4 to 7 */
  net_dense (net, 7, 3, NN_ACT_LINEAR); /* 8, 9 */
  model = net_seal (net);
  check (model, &NN_SHAPE (6), 0);
  unread = cut (model, 8, 1, 5, TRUE); /* of the first layer 1 to 3, of the second its first */
  check (unread, &NN_SHAPE (6), 2); /* that and the joint's; 1 to 3 are read by the second layer */
  dead = cut (unread, 2, 0, 4, TRUE); /* the second layer reads nothing more and is constant */
  check (dead, &NN_SHAPE (6), 3 + 2 + 3 + 2); /* one output is left: a layer without any is none */
}

/* A filter without weights is its bias everywhere: through pooling and flattening into the next biases, where no border pads it. */
static void
test_dead_filters (void)
{
  for (guint t = 0; t < 2; t++)
    {
      TestNet *net = net_new (&NN_SHAPE (8, 8, 2), 6);
      g_autoptr (NnModel) model = NULL, dead = NULL, more = NULL;
      NnNode *pool;

      net_conv (net, 3, 3, 2, 5, 1, 1, 1, NN_PADDING_SAME); /* 0, 1 */
      net_batch_norm (net, 5); /* 2 to 5 */
      net_act (net, NN_ACT_TANH);
      net_conv (net, 3, 3, 5, 4, 1, 1, 1, t == 0 ? NN_PADDING_VALID : NN_PADDING_SAME); /* 6, 7 */
      net_act (net, NN_ACT_RELU);
      pool = net_add (net, NN_OP_MAX_POOL2D);
      pool->attrs.kernel[0] = pool->attrs.kernel[1] = pool->attrs.stride[0] = pool->attrs.stride[1] = 2;
      net_add (net, NN_OP_FLATTEN);
      net_dense (net, t == 0 ? 36 : 64, 3, NN_ACT_LINEAR); /* 8, 9 */
      model = net_seal (net);
      dead = cut (model, 0, 1, 3, FALSE);
      check (dead, &NN_SHAPE (8, 8, 2), t == 0 ? 2 : 0);
      more = cut (dead, 6, 0, 2, FALSE);
      check (more, &NN_SHAPE (8, 8, 2), t == 0 ? 4 : 2);
    }
}

/* Two layers that are added up lose a channel together, and keep it while either sum's reader wants it. */
static void
test_branches (void)
{
  TestNet *net = net_new (&NN_SHAPE (5), 3);
  g_autoptr (NnModel) model = NULL, a = NULL, b = NULL;
  guint first, sides[2];

  net_dense (net, 5, 6, NN_ACT_RELU);
  first = net->last;
  net_dense (net, 6, 6, NN_ACT_RELU);
  sides[0] = first;
  sides[1] = net->last;
  net_add_to (net, NN_OP_ADD, sides, 2);
  net_dense (net, 6, 3, NN_ACT_LINEAR);
  model = net_seal (net);
  a = cut (model, 4, 0, 2, TRUE);
  check (a, &NN_SHAPE (5), 0); /* the second layer still reads them of the first */
  b = cut (a, 2, 0, 2, TRUE);
  check (b, &NN_SHAPE (5), 2);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reduce/concatenation", test_concatenation);
  g_test_add_func ("/reduce/dead-filters", test_dead_filters);
  g_test_add_func ("/reduce/dense", test_dense);
  g_test_add_func ("/reduce/conv", test_conv);
  g_test_add_func ("/reduce/branches", test_branches);
  return g_test_run ();
}

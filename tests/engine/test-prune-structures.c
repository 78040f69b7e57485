/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of every structure in every kind of layer: recurrent, depthwise, separable, transposed, einsum; and in real networks. */

#include "nn-error.h"
#include "nn-load.h"
#include "nn-pruner.h"
#include "nn-reuse.h"
#include "test-shared.h"
#include "test-train-nets.h"

#include <math.h>

/* Networks above are left out, to save time. */
#define MOST_WEIGHTS 60000

static NnDesign *
try_design (const NnModel *model,
            const char    *strategy,
            guint          reuse,
            GError       **error)
{
  g_autofree char *text = g_strdup_printf ("{\"Backend\":\"Vitis\",\"IOType\":\"io_parallel\",\"Part\":\"xcvu13p-flga2577-2-e\","
                                           "\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":%u,\"Strategy\":\"%s\"}}}",
                                           reuse, strategy);
  g_autoptr (NnConfig) config = nn_config_parse (text, error);

  return config != NULL ? nn_design_new (model, config, error) : NULL;
}

static NnGroups *
make_groups (const NnModel *model,
             const char    *strategy,
             guint          reuse,
             NnStructure    structure)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDesign) design = try_design (model, strategy, reuse, &error);
  NnGroups *groups;

  g_assert_no_error (error);
  groups = nn_groups_new (design, structure, NULL, &error);
  g_assert_no_error (error);
  return groups;
}

/* No weight is in two groups of its tensor; all are in one where a layer has any. Returns the number of tensors seen. */
static guint
check_partition (const NnModel  *model,
                 const NnGroups *groups)
{
  guint n = nn_model_n_weights (model), seen = 0;
  g_autofree guint8 **marks = g_new0 (guint8 *, n + 1);

  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];
      gsize size = nn_model_weight (model, group->weight)->values->n;

      if (marks[group->weight] == NULL)
        marks[group->weight] = g_malloc0 (size);
      g_assert_cmpuint (group->n, >, 0);
      for (guint k = 0; k < group->n; k++)
        {
          guint32 index = groups->indices[group->first + k];

          g_assert_cmpuint (index, <, size);
          g_assert_cmpuint (marks[group->weight][index], ==, 0);
          marks[group->weight][index] = 1;
        }
      for (guint j = 0; j < NN_N_OBJECTIVES; j++)
        g_assert_true (nn_group_cost (group, (NnObjective) j) >= 0 && isfinite (nn_group_cost (group, (NnObjective) j)));
    }
  for (guint id = 0; id < n; id++)
    {
      seen += marks[id] != NULL;
      if (marks[id] != NULL)
        g_assert_null (memchr (marks[id], 0, nn_model_weight (model, id)->values->n));
      g_free (marks[id]);
    }
  return seen;
}

/* Group @g of a tensor holds exactly these. */
static void
check_group (const NnGroups *groups,
             guint           weight,
             guint           g,
             const guint32  *indices,
             guint           n)
{
  gsize first = 0;

  while (first < groups->n_groups && groups->groups[first].weight != weight)
    first++;
  g_assert_cmpuint (first + g, <, groups->n_groups);
  g_assert_cmpuint (groups->groups[first + g].weight, ==, weight);
  g_assert_cmpuint (groups->groups[first + g].n, ==, n);
  for (guint k = 0; k < n; k++)
    g_assert_cmpuint (groups->indices[groups->groups[first + g].first + k], ==, indices[k]);
}

static NnModel *
recurrent (NnOp op)
{
  TestNet *net = net_new (&NN_SHAPE (5, 3), 1);
  NnNode *node = net_add (net, op);
  gint64 gates = op == NN_OP_LSTM ? 4 : op == NN_OP_GRU ? 3 : 1;

  node->attrs.units = 2;
  node->attrs.act = NN_ACT_TANH;
  node->attrs.recurrent_act = NN_ACT_SIGMOID;
  node->attrs.reset_after = TRUE;
  net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (3, 2 * gates), -1, 1);
  net_weight (net, node, NN_ROLE_RECURRENT_KERNEL, &NN_SHAPE (2, 2 * gates), -1, 1);
  if (op == NN_OP_GRU) /* reset after: biases of both kernels */
    net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (2, 2 * gates), -1, 1);
  else
    net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (2 * gates), -1, 1);
  net_dense (net, 2, 3, NN_ACT_LINEAR);
  return net_seal (net);
}

/* Both kernels have groups, each with its own reuse factor; a unit is all its gates. */
static void
test_recurrent (void)
{
  const NnOp ops[] = { NN_OP_LSTM, NN_OP_GRU };

  for (guint t = 0; t < G_N_ELEMENTS (ops); t++)
    {
      g_autoptr (NnModel) model = recurrent (ops[t]);
      guint gates = ops[t] == NN_OP_LSTM ? 4 : 3;
      guint32 unit[12];
      g_autoptr (NnGroups) units = make_groups (model, "Latency", 1, NN_STRUCTURE_NEURON);
      g_autoptr (NnGroups) runs = make_groups (model, "Resource", 3, NN_STRUCTURE_MULTIPLIER);

      for (NnStructure s = NN_STRUCTURE_AUTO; s <= NN_STRUCTURE_BLOCK; s++)
        {
          g_autoptr (NnGroups) groups = make_groups (model, "Resource", 3, s);

          g_assert_cmpuint (check_partition (model, groups), ==, s == NN_STRUCTURE_NEURON ? 2 : 3);
        }
      for (guint gate = 0; gate < gates; gate++)
        for (guint i = 0; i < 3; i++)
          unit[gate * 3 + i] = i * 2 * gates + gate * 2 + 1;
      check_group (units, 0, 1, unit, 3 * gates);
      /* The second multiplier of three weights: output 1 of the kernel. */
      check_group (runs, 0, 1, (guint32[]) { 1, 2 * gates + 1, 4 * gates + 1 }, 3);
    }
}

/* Channels of a depthwise kernel; the two kernels of a separable convolution; transposed convolutions. */
static void
test_convolutions (void)
{
  TestNet *net = net_new (&NN_SHAPE (6, 6, 2), 2);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnGroups) channels = NULL;
  NnNode *node = net_add (net, NN_OP_DEPTHWISE_CONV2D);

  node->attrs.kernel[0] = node->attrs.kernel[1] = 2;
  node->attrs.stride[0] = node->attrs.stride[1] = 1;
  node->attrs.dilation[0] = node->attrs.dilation[1] = 1;
  node->attrs.depth_multiplier = 1;
  node->attrs.padding = NN_PADDING_VALID;
  net_weight (net, node, NN_ROLE_DEPTHWISE_KERNEL, &NN_SHAPE (2, 2, 2, 1), -1, 1);
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (2), -1, 1);
  net_conv (net, 3, 3, 2, 3, 1, 1, 1, NN_PADDING_SAME);
  model = net_seal (net);
  channels = make_groups (model, "Latency", 1, NN_STRUCTURE_NEURON);
  check_group (channels, 0, 0, (guint32[]) { 0, 2, 4, 6 }, 4);
  check_group (channels, 0, 1, (guint32[]) { 1, 3, 5, 7 }, 4);
  for (NnStructure s = NN_STRUCTURE_AUTO; s <= NN_STRUCTURE_BLOCK; s++)
    {
      g_autoptr (NnGroups) groups = make_groups (model, "Latency", 1, s);

      g_assert_cmpuint (check_partition (model, groups), ==, s == NN_STRUCTURE_NEURON ? 1 : 2);
    }
}

/* Weights of either sign, none so small that hardware rounds it to nothing. */
static void
net_kernel (TestNet       *net,
            NnNode        *node,
            NnRole         role,
            const NnShape *shape)
{
  NnTensor *values;

  net_weight (net, node, role, shape, 0.1, 0.6);
  values = g_array_index (net->weights, NnWeight, net->weights->len - 1).values;
  for (gsize k = 0; k < values->n; k += 2)
    nn_tensor_f32 (values)[k] *= -1;
}

static NnNode *
add_window (TestNet *net,
            NnOp     op,
            gint64   stride,
            gint64   units)
{
  NnNode *node = net_add (net, op);

  node->attrs.kernel[0] = node->attrs.kernel[1] = 2;
  node->attrs.stride[0] = node->attrs.stride[1] = stride;
  node->attrs.dilation[0] = node->attrs.dilation[1] = 1;
  node->attrs.depth_multiplier = 1;
  node->attrs.padding = NN_PADDING_VALID;
  node->attrs.units = units;
  return node;
}

/* Depthwise, separable, transposed, and an ordinary convolution that reads them. */
static NnModel *
windows (void)
{
  TestNet *net = net_new (&NN_SHAPE (6, 6, 2), 4);
  NnNode *node = add_window (net, NN_OP_DEPTHWISE_CONV2D, 1, 0);

  net_kernel (net, node, NN_ROLE_DEPTHWISE_KERNEL, &NN_SHAPE (2, 2, 2, 1));
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (2), -1, 1);
  node = add_window (net, NN_OP_SEPARABLE_CONV2D, 1, 3);
  net_kernel (net, node, NN_ROLE_DEPTHWISE_KERNEL, &NN_SHAPE (2, 2, 2, 1));
  net_kernel (net, node, NN_ROLE_POINTWISE_KERNEL, &NN_SHAPE (1, 1, 2, 3));
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (3), -1, 1);
  node = add_window (net, NN_OP_CONV2D_TRANSPOSE, 2, 2);
  net_kernel (net, node, NN_ROLE_KERNEL, &NN_SHAPE (2, 2, 3, 2));
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (2), -1, 1);
  node = add_window (net, NN_OP_CONV2D, 1, 2);
  node->attrs.groups = 1;
  net_kernel (net, node, NN_ROLE_KERNEL, &NN_SHAPE (2, 2, 2, 2));
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (2), -1, 1);
  return net_seal (net);
}

/* Every second group or so goes: exactly its weights do, in the model, in what hardware holds, and when groups are made again. */
static void
check_mask (const NnModel  *model,
            const NnGroups *groups,
            const char     *strategy,
            guint           reuse,
            NnStructure     structure)
{
  g_autofree guint8 *keep = g_malloc (groups->n_groups);
  g_autoptr (NnModel) cut = NULL;
  g_autoptr (NnGroups) again = NULL;
  NnRng rng;

  nn_rng_init (&rng, 9);
  for (gsize g = 0; g < groups->n_groups; g++)
    keep[g] = g == 0 ? 0 : (guint8) nn_rng_below (&rng, 2);
  cut = nn_groups_apply (groups, model, keep);
  again = make_groups (cut, strategy, reuse, structure);
  g_assert_cmpuint (again->n_groups, ==, groups->n_groups);
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];
      const NnWeight *now = nn_model_weight (cut, group->weight), *before = nn_model_weight (model, group->weight);

      g_assert_cmpint (again->groups[g].kept, ==, keep[g]);
      for (guint k = 0; k < group->n; k++)
        {
          guint32 index = groups->indices[group->first + k];

          g_assert_cmpint (now->mask == NULL || nn_tensor_u8 (now->mask)[index] != 0, ==, keep[g]);
          g_assert_cmpfloat (nn_tensor_f32 (now->values)[index], ==, keep[g] ? nn_tensor_f32 (before->values)[index] : 0);
        }
    }
  for (guint id = 0; id < nn_model_n_weights (cut); id++)
    if (nn_model_weight (cut, id)->role == NN_ROLE_BIAS)
      g_assert_null (nn_model_weight (cut, id)->mask);
}

static void
test_windows (void)
{
  g_autoptr (NnModel) model = windows ();
  g_autoptr (NnGroups) units = make_groups (model, "Latency", 1, NN_STRUCTURE_NEURON);
  g_autoptr (NnGroups) runs = make_groups (model, "Resource", 4, NN_STRUCTURE_MULTIPLIER);

  check_group (units, 2, 1, (guint32[]) { 1, 3, 5, 7 }, 4);                /* separable: a channel of its depthwise kernel */
  check_group (units, 3, 2, (guint32[]) { 2, 5 }, 2);                      /* an output of its pointwise one */
  check_group (units, 5, 1, (guint32[]) { 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23 }, 12); /* transposed: a filter */
  check_group (runs, 2, 1, (guint32[]) { 1, 3, 5, 7 }, 4);
  for (guint t = 0; t < 2; t++)
    for (NnStructure s = NN_STRUCTURE_AUTO; s <= NN_STRUCTURE_BLOCK; s++)
      {
        const char *strategy = t == 0 ? "Latency" : "Resource";
        g_autoptr (NnGroups) groups = make_groups (model, strategy, t == 0 ? 1 : 4, s);

        /* Two depthwise kernels, a pointwise, a transposed, and the last, whose filters stay. */
        g_assert_cmpuint (check_partition (model, groups), ==, s == NN_STRUCTURE_NEURON ? 4 : 5);
        check_mask (model, groups, strategy, t == 0 ? 1 : 4, s);
      }
}

/* An einsum's outputs, where its kernel has inputs first, as nearly all have. */
static void
test_einsum (void)
{
  for (guint t = 0; t < 2; t++)
    {
      TestNet *net = net_new (&NN_SHAPE (4, 3), 2);
      g_autoptr (NnModel) model = NULL;
      g_autoptr (NnGroups) outputs = NULL, runs = NULL;
      NnNode *node = net_add (net, NN_OP_EINSUM_DENSE);

      node->attrs.equation = t == 0 ? "abc,cd->abd" : "abc,dc->abd";
      node->attrs.units = 5;
      node->shape = NN_SHAPE (4, 5);
      net_weight (net, node, NN_ROLE_KERNEL, t == 0 ? &NN_SHAPE (3, 5) : &NN_SHAPE (5, 3), -1, 1);
      net_add (net, NN_OP_FLATTEN);
      net_dense (net, 20, 2, NN_ACT_LINEAR);
      model = net_seal (net);
      outputs = make_groups (model, "Latency", 1, NN_STRUCTURE_NEURON);
      runs = make_groups (model, "Latency", 1, NN_STRUCTURE_AUTO);
      /* Hardware holds the second in another order: it is left alone rather than cut in the wrong places. */
      g_assert_cmpuint (check_partition (model, outputs), ==, t == 0);
      g_assert_cmpuint (check_partition (model, runs), ==, t == 0 ? 2 : 1);
      if (t == 0)
        check_group (outputs, 0, 1, (guint32[]) { 1, 6, 11 }, 3);
    }
}

/* The four dense layers that attention is in hardware: what is cut in the network is gone in each. */
static void
test_attention (void)
{
  static const NnRole roles[] = { NN_ROLE_QUERY_KERNEL, NN_ROLE_KEY_KERNEL, NN_ROLE_VALUE_KERNEL, NN_ROLE_OUTPUT_KERNEL };
  static const char *const lowered[] = { "query", "key", "value", "output" };
  TestNet *net = net_new (&NN_SHAPE (4, 6), 2);
  NnNode *node = net_add (net, NN_OP_MULTI_HEAD_ATTENTION);
  g_autoptr (NnModel) model = NULL, cut = NULL;
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *keep = NULL;
  g_autofree char *name = g_strdup (node->name);

  node->attrs.n_heads = 2;
  node->attrs.key_dim = node->attrs.value_dim = 3;
  node->shape = NN_SHAPE (4, 6);
  for (guint k = 0; k < G_N_ELEMENTS (roles); k++)
    net_weight (net, node, roles[k], k < 3 ? &NN_SHAPE (6, 2, 3) : &NN_SHAPE (2, 3, 6), 0.5, 1);
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 24, 2, NN_ACT_LINEAR);
  model = net_seal (net);
  groups = make_groups (model, "Resource", 3, NN_STRUCTURE_MULTIPLIER);
  g_assert_cmpuint (check_partition (model, groups), ==, 5);
  g_assert_cmpuint (groups->n_groups, ==, 4 * 36 / 3 + 48 / 3);
  check_mask (model, groups, "Resource", 3, NN_STRUCTURE_MULTIPLIER);
  keep = g_malloc (groups->n_groups);
  memset (keep, 1, groups->n_groups);
  for (guint k = 0; k < 4; k++)
    keep[k * 12 + k] = 0; /* multiplier k of matrix k */
  cut = nn_groups_apply (groups, model, keep);
  design = try_design (cut, "Resource", 3, &error);
  g_assert_no_error (error);
  for (guint k = 0; k < 4; k++)
    {
      g_autofree char *dense = g_strdup_printf ("%s_%s", name, lowered[k]);
      const float *w;
      guint i;

      g_assert_true (nn_graph_find (nn_model_graph (nn_design_model (design)), dense, &i));
      w = nn_tensor_f32 (nn_model_node_weight (nn_design_model (design), nn_graph_node (nn_model_graph (nn_design_model (design)), i),
                                               NN_ROLE_KERNEL)->values);
      for (guint f = 0; f < 36; f++)
        g_assert_cmpint (w[f % 6 * 6 + f / 6] == 0, ==, f / 3 == k);
    }
}

/* Every valid reuse factor of a matrix: as many multipliers as there are, each with as many weights. */
static void
test_reuse (void)
{
  TestNet *net = net_new (&NN_SHAPE (12), 1);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GArray) valid = nn_reuse_valid (12, 10);

  net_dense (net, 12, 10, NN_ACT_RELU);
  model = net_seal (net);
  g_assert_cmpuint (valid->len, >, 5);
  for (guint k = 0; k < valid->len; k++)
    {
      guint reuse = g_array_index (valid, guint, k);
      g_autoptr (NnGroups) groups = make_groups (model, "Resource", reuse, NN_STRUCTURE_MULTIPLIER);

      g_assert_cmpuint (check_partition (model, groups), ==, 1);
      g_assert_cmpuint (groups->n_groups, ==, 120 / reuse);
      for (gsize g = 0; g < groups->n_groups; g++)
        for (guint i = 0; i < reuse; i++)
          {
            gsize f = g * reuse + i;

            g_assert_cmpuint (groups->indices[groups->groups[g].first + i], ==, f % 12 * 10 + f / 12);
          }
    }
}

static void
check_model (const char *path,
             guint      *n_checked)
{
  g_autoptr (NnModel) model = NULL;
  NnLoadOptions options;
  gsize weights = 0;

  nn_load_options_init (&options);
  model = nn_model_load (path, &options, NULL, NULL, NULL);
  for (guint id = 0; model != NULL && id < nn_model_n_weights (model); id++)
    weights += nn_model_weight (model, id)->values->n;
  if (model == NULL || weights > MOST_WEIGHTS)
    return;
  for (guint strategy = 0; strategy < 2; strategy++)
    {
      g_autoptr (NnDesign) design = try_design (model, strategy == 0 ? "Latency" : "Resource", strategy == 0 ? 1 : 4, NULL);

      for (NnStructure s = NN_STRUCTURE_AUTO; design != NULL && s <= NN_STRUCTURE_BLOCK; s++)
        {
          g_autoptr (GError) error = NULL;
          NnGroupOptions group_options;
          g_autoptr (NnGroups) groups = NULL;

          nn_group_options_init (&group_options);
          group_options.structure = s;
          group_options.objectives = 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM;
          groups = nn_groups_new_full (design, &group_options, &error);
          g_assert_no_error (error);
          check_partition (model, groups);
          if (s == NN_STRUCTURE_AUTO && strategy == 0)
            *n_checked += groups->n_groups > 0;
        }
    }
}

static void
test_real (void)
{
  static const char *const folders[] = { "models/keras_h5", "models/keras3_zip", "models/rnn", "models/qkeras", "models/attention", "models/onnx" };
  guint n_checked = 0;

  for (guint f = 0; f < G_N_ELEMENTS (folders); f++)
    {
      g_autofree char *folder = test_shared_path (folders[f]);
      GDir *dir = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
      const char *name;

      if (dir == NULL)
        return;
      while ((name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = g_build_filename (folder, name, NULL);

          check_model (path, &n_checked);
        }
      g_dir_close (dir);
    }
  g_test_message ("%u networks", n_checked);
  g_assert_cmpuint (n_checked, >, 20);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune-structures/recurrent", test_recurrent);
  g_test_add_func ("/prune-structures/convolutions", test_convolutions);
  g_test_add_func ("/prune-structures/windows", test_windows);
  g_test_add_func ("/prune-structures/einsum", test_einsum);
  g_test_add_func ("/prune-structures/attention", test_attention);
  g_test_add_func ("/prune-structures/reuse", test_reuse);
  g_test_add_func ("/prune-structures/real", test_real);
  return g_test_run ();
}

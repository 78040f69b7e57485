/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's ensembles of decision trees. Source: ONNX, ai.onnx.ml operators 1, 3 and 5. */

#include "nn-onnx-trees.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

/* (tree, node) → place in the lists + 1 */
static GHashTable *
index_nodes (const NnOnnxTrees *l)
{
  GHashTable *index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (gsize i = 0; i < l->n; i++)
    g_hash_table_insert (index, g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, l->tree[i], l->id[i]),
                         GSIZE_TO_POINTER (i + 1));
  return index;
}

static gboolean
find_node (GHashTable *index,
           gint64      tree,
           gint64      id,
           gsize      *at)
{
  char key[48];

  g_snprintf (key, sizeof key, "%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, tree, id);
  *at = GPOINTER_TO_SIZE (g_hash_table_lookup (index, key));
  return (*at)-- > 0;
}

/* Puts nodes in an order in which children come after their parents. @place: new place of each, + 1 */
static gboolean
order_nodes (const NnOnnxTrees  *l,
             GHashTable   *index,
             GArray       *order,
             guint32      *place,
             GArray       *roots,
             GError      **error)
{
  g_autofree guint8 *has_parent = g_new0 (guint8, l->n);

  for (gsize i = 0; i < l->n; i++)
    {
      gsize at;

      for (guint k = 0; l->test[i] != NN_TREE_LEAF && k < 2; k++)
        {
          if (!find_node (index, l->tree[i], k == 0 ? l->yes[i] : l->no[i], &at) || has_parent[at])
            return nn_load_unsupported (error, "a branch leads nowhere, or where another leads");
          has_parent[at] = 1;
        }
    }
  for (gsize i = 0; i < l->n; i++)
    if (!has_parent[i])
      {
        g_array_append_val (roots, (guint32){ order->len });
        for (guint first = order->len, next = (g_array_append_val (order, (guint32){ i }), first); next < order->len; next++)
          {
            guint32 from = g_array_index (order, guint32, next);
            gsize at;

            place[from] = next + 1;
            for (guint k = 0; l->test[from] != NN_TREE_LEAF && k < 2; k++)
              if (find_node (index, l->tree[from], k == 0 ? l->yes[from] : l->no[from], &at))
                g_array_append_val (order, (guint32){ at });
          }
      }
  return order->len == l->n || nn_load_unsupported (error, "its branches lead in a circle");
}

static gboolean
fill_nodes (NnOnnx          *onnx,
            const NnOnnxTrees     *l,
            gint64           n_features,
            NnTreeEnsemble  *trees,
            GError         **error)
{
  g_autoptr (GHashTable) index = index_nodes (l);
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) roots = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autofree guint32 *place = g_new0 (guint32, l->n);
  g_autofree guint32 *count = g_new0 (guint32, l->n + 1);
  NnTreeNode *nodes = nn_graph_builder_alloc (onnx->builder, l->n * sizeof *nodes);
  NnTreeWeight *weights = nn_graph_builder_alloc (onnx->builder, MAX (l->n_leaf, 1) * sizeof *weights);
  guint32 *root_array;
  gsize at;

  if (!order_nodes (l, index, order, place, roots, error))
    return FALSE;
  for (gsize i = 0; i < l->n; i++)
    {
      guint32 from = g_array_index (order, guint32, i);
      NnTreeNode *node = &nodes[i];

      memset (node, 0, sizeof *node);
      node->test = l->test[from];
      if (node->test == NN_TREE_LEAF)
        continue;
      if (l->feature[from] < 0 || (n_features >= 0 && l->feature[from] >= n_features) || l->feature[from] > G_MAXINT32)
        return nn_load_unsupported (error, "a branch looks at a feature that is not there");
      node->feature = (guint32) l->feature[from];
      node->threshold = l->threshold[from];
      node->nan_yes = l->nan_yes != NULL && l->nan_yes[from] != 0;
      find_node (index, l->tree[from], l->yes[from], &at);
      node->yes = place[at] - 1;
      find_node (index, l->tree[from], l->no[from], &at);
      node->no = place[at] - 1;
    }
  /* weights by leaf, in the order of the leaves */
  for (gsize i = 0; i < l->n_leaf; i++)
    {
      if (!find_node (index, l->leaf_tree[i], l->leaf_id[i], &at) || nodes[place[at] - 1].test != NN_TREE_LEAF ||
          l->leaf_target[i] < 0 || l->leaf_target[i] >= (gint64) trees->n_targets)
        return nn_load_unsupported (error, "a leaf, or what it votes for, is not there");
      nodes[place[at] - 1].n_leaf++;
    }
  for (gsize i = 0, first = 0; i < l->n; i++)
    {
      nodes[i].first_leaf = (guint32) first;
      first += nodes[i].n_leaf;
    }
  for (gsize i = 0; i < l->n_leaf; i++)
    {
      guint32 leaf;

      find_node (index, l->leaf_tree[i], l->leaf_id[i], &at);
      leaf = place[at] - 1;
      weights[nodes[leaf].first_leaf + count[leaf]++] =
          (NnTreeWeight){ (guint32) l->leaf_target[i], l->weight[i] };
    }
  root_array = nn_graph_builder_alloc (onnx->builder, MAX (roots->len, 1) * sizeof *root_array);
  memcpy (root_array, roots->data, roots->len * sizeof *root_array);
  trees->nodes = nodes;
  trees->n_nodes = (guint) l->n;
  trees->weights = weights;
  trees->n_weights = (guint) l->n_leaf;
  trees->roots = root_array;
  trees->n_roots = roots->len;
  return TRUE;
}

/* What the sums begin with, @shift added to each. */
static const double *
base_values (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             guint             n,
             double            shift)
{
  Onnx__AttributeProto *base = nn_onnx_attribute (op, "base_values"), *exact = nn_onnx_attribute (op, "base_values_as_tensor");
  gsize n_exact = 0;
  g_autofree double *reals = exact != NULL && exact->t != NULL ? nn_onnx_reals (onnx, exact->t, &n_exact) : NULL;
  double *numbers = nn_graph_builder_alloc (onnx->builder, n * sizeof *numbers);

  for (guint i = 0; i < n; i++)
    numbers[i] = (base != NULL && i < base->n_floats ? (double) base->floats[i] : i < n_exact ? reals[i] : 0) + shift;
  return numbers;
}

static gboolean
find_post (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           NnTreePost       *post,
           GError          **error)
{
  const char *name = nn_onnx_string (onnx, op, "post_transform", "NONE");

  *post = g_str_equal (name, "LOGISTIC") ? NN_TREE_POST_LOGISTIC
          : g_str_equal (name, "SOFTMAX") ? NN_TREE_POST_SOFTMAX
                                          : NN_TREE_POST_NONE;
  return *post != NN_TREE_POST_NONE || g_str_equal (name, "NONE") ||
         nn_load_unsupported (error, "post_transform \"%s\" is not supported", name);
}

static gboolean
add_node (NnOnnx                *onnx,
          Onnx__NodeProto       *op,
          const char            *name,
          const NnTreeEnsemble  *trees,
          NnOnnxValue           *input,
          GError               **error)
{
  NnTreeEnsemble *copy = nn_graph_builder_alloc (onnx->builder, sizeof *copy);
  NnNode *node = nn_onnx_node (onnx, NN_OP_TREE_ENSEMBLE, name, op->op_type, &input->node, 1);
  gint64 n = trees->post == NN_TREE_POST_LABEL ? 1 : trees->complement ? 2 : trees->n_targets;
  NnOnnxValue *value;

  *copy = *trees;
  node->attrs.extra = copy;
  node->shape = NN_SHAPE (n);
  value = nn_onnx_result (onnx, name, input);
  value->rank = trees->post == NN_TREE_POST_LABEL ? 1 : 2;
  value->integral = trees->post == NN_TREE_POST_LABEL;
  value->dims[1] = n;
  return nn_onnx_finish (onnx, node, error);
}

/* The winning class by its own number, where that is the place of the class, or there are two. */
static gboolean
add_label (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           NnTreeEnsemble    trees,
           NnOnnxValue      *input,
           GError          **error)
{
  gsize n;
  const gint64 *labels = nn_onnx_ints (op, "classlabels_int64s", &n);
  const char *name = op->output[0];
  gboolean places = labels != NULL, all_positive = TRUE;
  g_autofree char *inner = g_strdup_printf ("%s__place", name);
  NnOnnxValue *value;
  NnNode *node;
  NnTensor *numbers[2];

  for (gsize i = 0; places && i < n; i++)
    places = labels[i] == (gint64) i;
  if (!places && (labels == NULL || n != 2))
    {
      nn_onnx_new_value (onnx, name)->dropped = TRUE;
      return TRUE;
    }
  for (guint i = 0; i < trees.n_weights; i++)
    all_positive = all_positive && trees.weights[i].weight >= 0;
  /* of two classes the second wins from 0 up, or from 1/2 where all votes are probabilities */
  if (trees.complement && !all_positive)
    trees.base = base_values (onnx, op, trees.n_targets, 0.5);
  trees.post = NN_TREE_POST_LABEL;
  if (!add_node (onnx, op, places ? name : inner, &trees, input, error) || places)
    return places;
  value = g_hash_table_lookup (onnx->values, inner);
  node = nn_onnx_node (onnx, NN_OP_SCALE, name, op->op_type, &value->node, 1);
  for (guint i = 0; i < 2; i++)
    {
      numbers[i] = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1));
      nn_tensor_f32 (numbers[i])[0] = (float) (i == 0 ? (double) labels[1] - (double) labels[0] : (double) labels[0]);
    }
  nn_onnx_weight (onnx, node, NN_ROLE_SCALE, "scale", numbers[0]);
  nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", numbers[1]);
  node->attrs.use_bias = TRUE;
  nn_onnx_result (onnx, name, value);
  return nn_onnx_finish (onnx, node, error);
}

static gboolean
find_aggregate (NnOnnx           *onnx,
                Onnx__NodeProto  *op,
                NnTreeAggregate  *aggregate,
                GError          **error)
{
  static const char *const names[] = { [NN_TREE_SUM] = "SUM", [NN_TREE_AVERAGE] = "AVERAGE", [NN_TREE_MIN] = "MIN", [NN_TREE_MAX] = "MAX" };
  const char *name = nn_onnx_string (onnx, op, "aggregate_function", "SUM");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *aggregate = i;
        return TRUE;
      }
  return nn_load_unsupported (error, "aggregate_function \"%s\" is not supported", name);
}

/* A list of features a sample; %NULL with the error set. */
static NnOnnxValue *
features (NnOnnx           *onnx,
          Onnx__NodeProto  *op,
          GError          **error)
{
  NnOnnxValue *input = nn_onnx_input (onnx, op, 0);

  if (input != NULL && input->constant == NULL && input->rank == 2 && input->order == NULL && input->batch == 0)
    return input;
  nn_load_unsupported (error, "its data must be one list of features a sample");
  return NULL;
}

gboolean
nn_onnx_read_trees (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  gboolean classes = strstr (op->op_type, "Classifier") != NULL;
  const char *labels = nn_onnx_attribute (op, "classlabels_int64s") != NULL ? "classlabels_int64s" : "classlabels_strings";
  Onnx__AttributeProto *names = nn_onnx_attribute (op, labels);
  NnOnnxValue *input = features (onnx, op, error);
  gint64 n_targets = classes ? (names != NULL ? (gint64) (names->n_ints + names->n_strings) : 0)
                             : nn_onnx_int (op, "n_targets", 1), largest = 0;
  NnTreeEnsemble trees = { 0 };
  g_auto (NnOnnxTrees) lists = { 0 };

  if (input == NULL || !nn_onnx_trees_read (onnx, op, classes, &lists, error))
    return FALSE;
  if (n_targets < 1 || n_targets > G_MAXINT16)
    return nn_load_unsupported (error, "the number of its classes is missing or absurd");
  for (gsize i = 0; i < lists.n_leaf; i++)
    largest = MAX (largest, lists.leaf_target[i]);
  /* of two classes the leaves may tell but one: the second's */
  trees.complement = classes && n_targets == 2 && largest == 0;
  trees.n_targets = trees.complement ? 1 : (guint) n_targets;
  trees.base = base_values (onnx, op, trees.n_targets, 0);
  if (!find_aggregate (onnx, op, &trees.aggregate, error) || !find_post (onnx, op, &trees.post, error) ||
      !fill_nodes (onnx, &lists, nn_shape_last (nn_onnx_shape (onnx, input)), &trees, error))
    return FALSE;
  if (!classes)
    return add_node (onnx, op, nn_onnx_out (op, 0), &trees, input, error);
  if (op->output[0][0] != '\0' && !add_label (onnx, op, trees, input, error))
    return FALSE;
  return op->n_output < 2 || op->output[1][0] == '\0' || add_node (onnx, op, op->output[1], &trees, input, error);
}

/* TreeEnsemble of the fifth set, whose words are numbers. */
gboolean
nn_onnx_read_newer_trees (NnOnnx           *onnx,
                          Onnx__NodeProto  *op,
                          GError          **error)
{
  static const NnTreeAggregate aggregates[] = { NN_TREE_AVERAGE, NN_TREE_SUM, NN_TREE_MIN, NN_TREE_MAX };
  static const NnTreePost posts[] = { NN_TREE_POST_NONE, NN_TREE_POST_SOFTMAX, NN_TREE_POST_LOGISTIC };
  gint64 n_targets = nn_onnx_int (op, "n_targets", 1), aggregate = nn_onnx_int (op, "aggregate_function", 1);
  gint64 post = nn_onnx_int (op, "post_transform", 0);
  NnOnnxValue *input = features (onnx, op, error);
  NnTreeEnsemble trees = { .n_targets = (guint) n_targets };
  g_auto (NnOnnxTrees) lists = { 0 };

  if (input == NULL || !nn_onnx_trees_read_newer (onnx, op, &lists, error))
    return FALSE;
  if (n_targets < 1 || n_targets > G_MAXINT16)
    return nn_load_unsupported (error, "the number of its targets is missing or absurd");
  if (aggregate < 0 || aggregate >= (gint64) G_N_ELEMENTS (aggregates) || post < 0 || post >= (gint64) G_N_ELEMENTS (posts))
    return nn_load_unsupported (error, "aggregate_function %" G_GINT64_FORMAT " with post_transform %" G_GINT64_FORMAT " is not supported",
                                aggregate, post);
  trees.aggregate = aggregates[aggregate];
  trees.post = posts[post];
  return fill_nodes (onnx, &lists, nn_shape_last (nn_onnx_shape (onnx, input)), &trees, error) &&
         add_node (onnx, op, nn_onnx_out (op, 0), &trees, input, error);
}

/* The place of the largest sum of a tree ensemble, or of the two that one sum and its complement are: as nn_save_onnx() writes
 * a winning class. */
gboolean
nn_onnx_read_arg_max (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *input;
  const NnNode *node;
  NnTreeEnsemble trees;
  NnOnnxValue of = { 0 };
  gboolean complement;
  guint axis;

  if (value == NULL)
    return FALSE;
  node = nn_graph_builder_node (onnx->builder, value->node);
  complement = node->op == NN_OP_CONCATENATE && node->n_inputs == 2;
  if (complement)
    node = nn_graph_builder_node (onnx->builder, node->inputs[1]);
  if (nn_onnx_int (op, "select_last_index", 0) != 0)
    return nn_load_unsupported (error, "\"select_last_index\" is not supported");
  if (node->op != NN_OP_TREE_ENSEMBLE || !nn_onnx_axis (value, nn_onnx_int (op, "axis", 0), &axis) || axis != value->rank - 1)
    return nn_onnx_read_winner (onnx, op, nn_onnx_out (op, 0), nn_onnx_int (op, "axis", 0), nn_onnx_int (op, "keepdims", 1) != 0, error);
  of = *value;
  of.node = node->inputs[0];
  of.order = NULL;
  of.codes = NULL;
  input = &of;
  trees = *(const NnTreeEnsemble *) node->attrs.extra;
  if (complement && trees.n_targets != 1)
    return nn_load_unsupported (error, "only one sum has a complement");
  trees.complement = complement;
  trees.post = NN_TREE_POST_LABEL;
  if (!add_node (onnx, op, nn_onnx_out (op, 0), &trees, input, error))
    return FALSE;
  value = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
  if (nn_onnx_int (op, "keepdims", 1) != 0)
    {
      value->rank = 2;
      value->dims[1] = 1;
    }
  return TRUE;
}

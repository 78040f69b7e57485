/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PyTorch's layers in the order of an nn.Sequential. Source: torch/nn/modules, whose attributes a pickle holds under their names. */

#include "nn-pytorch.h"

#include "nn-error.h"
#include "nn-infer-shape.h"
#include "nn-load-private.h"

#include <string.h>

#define MAX_DEPTH 32
#define MAX_LAYERS 10000
#define MODULES "torch.nn.modules."

typedef struct {
  NnPytorch           *torch;
  NnGraphBuilder      *builder;
  GArray              *weights; /* NnWeight */
  const NnLoadOptions *options;
  guint                n_seen; /* layers and containers so far: a container may hold itself */
} Reader;

typedef struct {
  Reader              *reader;
  const NnPickleValue *module;
  const char          *class_name; /* without its package */
  NnNode              *node;
} Layer;

typedef gboolean ReadLayer (Layer *layer, GError **error);

static const NnPickleValue *
attribute (const NnPickleValue *module,
           const char          *name)
{
  return nn_pickle_get (module->state, name);
}

static double
real_attribute (const Layer *layer,
                const char  *name,
                double       fallback)
{
  const NnPickleValue *value = attribute (layer->module, name);

  if (value == NULL)
    return fallback;
  return value->kind == NN_PICKLE_REAL ? value->real : value->kind == NN_PICKLE_INT || value->kind == NN_PICKLE_BOOL ? (double) value->integer : fallback;
}

static const NnPickleValue *
parameter (const Layer *layer,
           const char  *name)
{
  static const char *const places[] = { "_parameters", "_buffers" };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      const NnPickleValue *value = nn_pickle_get (attribute (layer->module, places[i]), name);

      if (value != NULL && value->kind != NN_PICKLE_NONE)
        return value;
    }
  return NULL;
}

/* The weight that PyTorch calls @name, of @n numbers in @rank axes; nothing where it has none. */
static gboolean
take (Layer       *layer,
      NnRole       role,
      const char  *name,
      guint        rank,
      gsize        n,
      GError     **error)
{
  static const guint turned[] = { 1, 0 };
  NnNode *node = layer->node;
  const NnPickleValue *value = parameter (layer, name);
  g_autoptr (NnTensor) tensor = NULL;
  NnWeight weight = { .name = nn_role_name (role), .layer = node->name, .role = role,
                      .trainable = role != NN_ROLE_MEAN && role != NN_ROLE_VARIANCE && role != NN_ROLE_OTHER };

  if (value == NULL)
    return TRUE;
  tensor = nn_pytorch_tensor (layer->reader->torch, value, error);
  if (tensor == NULL)
    return FALSE;
  if (role != NN_ROLE_OTHER && (tensor->shape.rank != rank || tensor->n != n))
    return nn_load_unsupported (error, "its \"%s\" has not the shape that its settings ask for", name);
  weight.values = rank == 2 ? nn_tensor_transpose (tensor, turned) : nn_tensor_ref (tensor);
  nn_graph_builder_add_weight (layer->reader->builder, node, layer->reader->weights->len);
  g_array_append_val (layer->reader->weights, weight);
  return TRUE;
}

static gint64
features (const Layer *layer)
{
  return nn_shape_last (&nn_graph_builder_node (layer->reader->builder, layer->node->inputs[0])->shape);
}

static gboolean
read_linear (Layer   *layer,
             GError **error)
{
  gint64 in = (gint64) real_attribute (layer, "in_features", 0), out = (gint64) real_attribute (layer, "out_features", 0);

  if (in < 1 || out < 1 || in > G_MAXINT32 || out > G_MAXINT32 || (features (layer) > 0 && features (layer) != in))
    return nn_load_unsupported (error, "its in_features do not fit what it reads");
  layer->node->attrs.units = out;
  layer->node->attrs.use_bias = parameter (layer, "bias") != NULL;
  return take (layer, NN_ROLE_KERNEL, "weight", 2, (gsize) in * (gsize) out, error) && take (layer, NN_ROLE_BIAS, "bias", 1, (gsize) out, error);
}

static gboolean
read_batch_norm (Layer   *layer,
                 GError **error)
{
  gsize n = (gsize) CLAMP (real_attribute (layer, "num_features", 0), 0, G_MAXINT32);

  if (parameter (layer, "running_mean") == NULL || parameter (layer, "running_var") == NULL)
    return nn_load_unsupported (error, "without track_running_stats it depends on the batch");
  if (features (layer) > 0 && (gsize) features (layer) != n)
    return nn_load_unsupported (error, "its num_features do not fit what it reads");
  layer->node->attrs.axis = -1;
  layer->node->attrs.epsilon = real_attribute (layer, "eps", 1e-5);
  layer->node->attrs.momentum = 1 - real_attribute (layer, "momentum", 0.1);
  return take (layer, NN_ROLE_GAMMA, "weight", 1, n, error) && take (layer, NN_ROLE_BETA, "bias", 1, n, error) &&
         take (layer, NN_ROLE_MEAN, "running_mean", 1, n, error) && take (layer, NN_ROLE_VARIANCE, "running_var", 1, n, error);
}

static gboolean
read_layer_norm (Layer   *layer,
                 GError **error)
{
  const NnPickleValue *shape = attribute (layer->module, "normalized_shape"), *n = nn_pickle_item (shape, 0);

  if (nn_pickle_n_items (shape) != 1 || n->kind != NN_PICKLE_INT || n->integer < 1 || n->integer > G_MAXINT32)
    return nn_load_unsupported (error, "a normalized_shape of several axes is not supported");
  layer->node->attrs.axis = -1;
  layer->node->attrs.epsilon = real_attribute (layer, "eps", 1e-5);
  return take (layer, NN_ROLE_GAMMA, "weight", 1, (gsize) n->integer, error) && take (layer, NN_ROLE_BETA, "bias", 1, (gsize) n->integer, error);
}

static gboolean
read_prelu (Layer   *layer,
            GError **error)
{
  gsize n = (gsize) CLAMP (real_attribute (layer, "num_parameters", 1), 1, G_MAXINT32);

  if (n > 1 && (gint64) n != features (layer))
    return nn_load_unsupported (error, "its num_parameters do not fit what it reads");
  return take (layer, NN_ROLE_ALPHA, "weight", 1, n, error);
}

static gboolean
read_act (Layer   *layer,
          GError **error)
{
  static const struct {
    const char *name;
    NnAct       act;
  } acts[] = { { "ReLU", NN_ACT_RELU },        { "ReLU6", NN_ACT_RELU },       { "LeakyReLU", NN_ACT_LEAKY_RELU }, { "ELU", NN_ACT_ELU },
               { "SELU", NN_ACT_SELU },        { "GELU", NN_ACT_GELU },        { "Sigmoid", NN_ACT_SIGMOID },      { "Tanh", NN_ACT_TANH },
               { "Softmax", NN_ACT_SOFTMAX },  { "Hardtanh", NN_ACT_HARD_TANH }, { "Hardsigmoid", NN_ACT_HARD_SIGMOID },
               { "SiLU", NN_ACT_SWISH },       { "Mish", NN_ACT_MISH },        { "Softplus", NN_ACT_SOFTPLUS },    { "Softsign", NN_ACT_SOFTSIGN } };
  NnAttrs *a = &layer->node->attrs;
  const NnPickleValue *approximate = attribute (layer->module, "approximate");

  for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
    if (g_str_equal (acts[i].name, layer->class_name))
      a->act = acts[i].act;
  switch (a->act)
    {
    case NN_ACT_RELU:
      a->max_value = g_str_equal (layer->class_name, "ReLU6") ? 6 : 0;
      return TRUE;
    case NN_ACT_LEAKY_RELU:
      a->alpha = real_attribute (layer, "negative_slope", 0.01);
      return TRUE;
    case NN_ACT_ELU:
      a->alpha = real_attribute (layer, "alpha", 1);
      return TRUE;
    case NN_ACT_GELU:
      if (approximate != NULL && approximate->kind == NN_PICKLE_TEXT && g_str_equal (approximate->text, "tanh"))
        a->act = NN_ACT_GELU_TANH;
      return TRUE;
    case NN_ACT_HARD_SIGMOID:
      a->slope = 1.0 / 6;
      a->shift = 0.5;
      return TRUE;
    case NN_ACT_SOFTMAX:
      a->axis = -1;
      if (real_attribute (layer, "dim", -1) != -1 && real_attribute (layer, "dim", -1) != 1)
        return nn_load_unsupported (error, "over another axis than the last it is not supported");
      return TRUE;
    case NN_ACT_HARD_TANH:
      if (real_attribute (layer, "min_val", -1) != -1 || real_attribute (layer, "max_val", 1) != 1)
        return nn_load_unsupported (error, "with other limits than -1 and 1 it is not supported");
      return TRUE;
    case NN_ACT_SOFTPLUS:
      if (real_attribute (layer, "beta", 1) != 1)
        return nn_load_unsupported (error, "with another beta than 1 it is not supported");
      return TRUE;
    default:
      return TRUE;
    }
}

static gboolean
read_nothing (Layer   *layer,
              GError **error)
{
  return TRUE;
}

static const struct {
  const char *class_name;
  NnOp        op;
  ReadLayer  *read;
} rows[] = {
  { "AlphaDropout", NN_OP_DROPOUT, read_nothing },
  { "BatchNorm1d", NN_OP_BATCH_NORM, read_batch_norm },
  { "Dropout", NN_OP_DROPOUT, read_nothing },
  { "ELU", NN_OP_ACTIVATION, read_act },
  { "Flatten", NN_OP_FLATTEN, read_nothing },
  { "GELU", NN_OP_ACTIVATION, read_act },
  { "Hardsigmoid", NN_OP_ACTIVATION, read_act },
  { "Hardtanh", NN_OP_ACTIVATION, read_act },
  { "Identity", NN_OP_DROPOUT, read_nothing },
  { "LayerNorm", NN_OP_LAYER_NORM, read_layer_norm },
  { "LeakyReLU", NN_OP_ACTIVATION, read_act },
  { "Linear", NN_OP_DENSE, read_linear },
  { "Mish", NN_OP_ACTIVATION, read_act },
  { "PReLU", NN_OP_PRELU, read_prelu },
  { "ReLU", NN_OP_ACTIVATION, read_act },
  { "ReLU6", NN_OP_ACTIVATION, read_act },
  { "SELU", NN_OP_ACTIVATION, read_act },
  { "SiLU", NN_OP_ACTIVATION, read_act },
  { "Sigmoid", NN_OP_ACTIVATION, read_act },
  { "Softmax", NN_OP_ACTIVATION, read_act },
  { "Softplus", NN_OP_ACTIVATION, read_act },
  { "Softsign", NN_OP_ACTIVATION, read_act },
  { "Tanh", NN_OP_ACTIVATION, read_act },
};

/* Returns: (transfer full): names of all layers that are read; for the page of supported layers */
char **
nn_pytorch_class_names (void)
{
  char **names = g_new0 (char *, G_N_ELEMENTS (rows) + 1);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    names[i] = g_strdup (rows[i].class_name);
  return names;
}

static const char *
short_class (const NnPickleValue *module)
{
  const char *name = nn_pytorch_class (module), *dot = strrchr (name, '.');

  return g_str_has_prefix (name, MODULES) && dot != NULL ? dot + 1 : name;
}

/* A layer that cannot be read stands under its own name, with its weights; how many numbers it makes is not known. */
static void
add_unsupported (Layer      *layer,
                 const char *name,
                 const char *class_name,
                 guint       input,
                 const char *reason)
{
  static const char *const weights[] = { "weight", "bias" };
  NnGraphBuilder *builder = layer->reader->builder;

  layer->node = nn_graph_builder_add (builder, NN_OP_UNSUPPORTED, name, class_name, &input, 1);
  layer->node->reason = nn_graph_builder_strdup (builder, reason);
  layer->node->shape = NN_SHAPE (NN_DIM_UNKNOWN);
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    take (layer, NN_ROLE_OTHER, weights[i], 0, 0, NULL);
}

static gboolean
add_layer (Reader               *reader,
           const NnPickleValue  *module,
           const char           *path,
           GError              **error)
{
  Layer layer = { .reader = reader, .module = module, .class_name = short_class (module) };
  guint n_nodes = nn_graph_builder_n_nodes (reader->builder), n_weights = reader->weights->len, input = n_nodes - 1;
  g_autofree char *lower = g_ascii_strdown (layer.class_name, -1), *last = g_strdup (strrchr (path, '_') != NULL ? strrchr (path, '_') + 1 : path);
  g_autofree char *name = g_ascii_isdigit (last[0]) ? g_strdup_printf ("%s_%s", lower, path) : g_strdup (path);
  g_autoptr (GError) inner = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (rows[i].class_name, layer.class_name))
      {
        layer.node = nn_graph_builder_add (reader->builder, rows[i].op, name, layer.class_name, &input, 1);
        if (rows[i].read (&layer, &inner) && nn_infer_built_shape (reader->builder, layer.node, &inner))
          return TRUE;
      }
  if (inner == NULL)
    nn_load_unsupported (&inner, "%s of PyTorch %s; export the network to ONNX", layer.class_name,
                 strstr (layer.class_name, "Conv") != NULL || strstr (layer.class_name, "Pool") != NULL
                   ? "needs the height and width of its input, which are not in the file"
                   : "is a layer that Espalier does not read from a pickle");
  if (reader->options->strict || !(g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) || g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE)))
    {
      g_set_error (error, inner->domain, inner->code, "%s: layer \"%s\" (%s): %s", reader->torch->file, path, layer.class_name, inner->message);
      return FALSE;
    }
  nn_graph_builder_truncate (reader->builder, n_nodes);
  g_array_set_size (reader->weights, n_weights);
  add_unsupported (&layer, name, layer.class_name, input, inner->message);
  return TRUE;
}

/* All layers of a container, those of containers within it too. */
static gboolean
add_sequence (Reader               *reader,
              const NnPickleValue  *module,
              const char           *path,
              guint                 depth,
              GError              **error)
{
  const NnPickleValue *children = attribute (module, "_modules"), *key, *child;

  for (guint i = 0; i < nn_pickle_n_pairs (children); i++)
    {
      g_autofree char *own = NULL;

      if (!nn_pickle_pair (children, i, &key, &child) || key->kind != NN_PICKLE_TEXT || child->kind != NN_PICKLE_CALL)
        continue;
      if (depth > MAX_DEPTH || ++reader->n_seen > MAX_LAYERS)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: more than %d layers, or containers %d deep", reader->torch->file, MAX_LAYERS, MAX_DEPTH);
          return FALSE;
        }
      own = path[0] != '\0' ? g_strdup_printf ("%s_%s", path, key->text) : g_strdup (key->text);
      if (g_str_equal (short_class (child), "Sequential") ? !add_sequence (reader, child, own, depth + 1, error)
                                                          : !add_layer (reader, child, own, error))
        return FALSE;
    }
  return TRUE;
}

/* How many numbers the first layer that tells reads; open where layers of another kind come before it. */
static gint64
input_features (const NnPickleValue *module,
                guint                depth)
{
  static const char *const silent[] = { "Dropout", "Flatten", "Identity", "ReLU", "Sigmoid", "Tanh", NULL };
  const NnPickleValue *children = attribute (module, "_modules"), *key, *child;

  for (guint i = 0; depth < MAX_DEPTH && i < nn_pickle_n_pairs (children); i++)
    if (nn_pickle_pair (children, i, &key, &child) && child->kind == NN_PICKLE_CALL)
      {
        const char *class_name = short_class (child);
        const NnPickleValue *n = attribute (child, g_str_equal (class_name, "Linear") ? "in_features" : "num_features");

        if (g_str_equal (class_name, "Sequential"))
          return input_features (child, depth + 1);
        if ((g_str_equal (class_name, "Linear") || g_str_equal (class_name, "BatchNorm1d")) && n != NULL && n->kind == NN_PICKLE_INT &&
            n->integer > 0 && n->integer <= G_MAXINT32)
          return n->integer;
        if (!g_strv_contains (silent, class_name))
          break;
      }
  return NN_DIM_UNKNOWN;
}

static gboolean
check_root (const NnPytorch  *torch,
            GError          **error)
{
  const char *name = nn_pytorch_class (torch->module);

  if (g_str_equal (name, MODULES "container.Sequential") && torch->module->state != NULL)
    return TRUE;
  if (torch->module->kind == NN_PICKLE_DICT || g_str_equal (name, "collections.OrderedDict"))
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                 "%s: only weights of PyTorch (a state_dict), no network; load it into its module and export that to ONNX", torch->file);
  else if (g_str_has_prefix (name, "__torch__."))
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: a TorchScript program; export the network to ONNX by torch.onnx.export()", torch->file);
  else if (name[0] != '\0')
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                 "%s: a module of the class %s, whose order of layers is in its Python code and not in the file; an nn.Sequential can be opened, "
                 "others by torch.onnx.export()",
                 torch->file, name);
  else
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: a pickle of PyTorch, but no network; export the network to ONNX", torch->file);
  return FALSE;
}

static void
clear_weight (gpointer data)
{
  nn_tensor_unref (((NnWeight *) data)->values);
}

/* Whether the bytes begin like a pickle of protocol 2 to 5. */
gboolean
nn_pytorch_is_pickle (const guint8 *bytes,
                      gsize         n_bytes)
{
  return n_bytes >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
}

/**
 * nn_load_pytorch:
 * @bytes: the whole file, as torch.save() of an nn.Sequential wrote it
 *
 * No code of the file is run: its classes are only names here.
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_SHAPE, %NN_ERROR_LIMIT
 */
NnModel *
nn_load_pytorch (GBytes               *bytes,
                 const char           *path,
                 const NnLoadOptions  *options,
                 GError              **error)
{
  g_autoptr (NnPickle) pickle = nn_pickle_new ();
  g_auto (NnPytorch) torch = { 0 };
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GError) inner = NULL;
  Reader reader = { .torch = &torch, .builder = builder, .weights = weights, .options = options };
  const NnModelInfo info = { .format = "PyTorch" };

  g_array_set_clear_func (weights, clear_weight);
  if (!nn_pytorch_open (&torch, pickle, bytes, path, error) || !check_root (&torch, error))
    return NULL;
  nn_graph_builder_add (builder, NN_OP_INPUT, "input", "Input", NULL, 0)->shape = NN_SHAPE (input_features (torch.module, 0));
  if (!add_sequence (&reader, torch.module, "", 0, error))
    return NULL;
  nn_graph_builder_output (builder, nn_graph_builder_n_nodes (builder) - 1);
  graph = nn_graph_builder_seal (builder, &inner);
  if (graph == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&inner), "%s: ", path);
      return NULL;
    }
  return nn_model_new (graph, (const NnWeight *) (gpointer) weights->data, weights->len, &info, error);
}

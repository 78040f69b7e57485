/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where Keras keeps a layer's variables: by name in HDF5 files, by number in Keras 3's. */

#include "nn-keras.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

void
nn_keras_var_free (gpointer data)
{
  NnKerasVar *var = data;

  g_free (var->name);
  g_free (var->alias);
  g_free (var->path);
  g_free (var);
}

/* As keras.src.utils.naming.to_snake_case: an underscore before a capital that a small letter follows, and between a
 * small letter and a capital. */
char *
nn_keras_snake_case (const char *class_name)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (const char *c = class_name; *c != '\0'; c++)
    {
      if (!g_ascii_isalnum (*c) && *c != '_')
        continue;
      if (g_ascii_isupper (*c) && c != class_name &&
          (g_ascii_islower (c[1]) || g_ascii_islower (c[-1])) && text->len > 0 && text->str[text->len - 1] != '_')
        g_string_append_c (text, '_');
      g_string_append_c (text, g_ascii_tolower (*c));
    }
  return g_strdup (text->str);
}

/* The names of Keras 1 as those of Keras 2. */
static char *
modern_name (const char *name,
             const char *key)
{
  static const char *const pairs[][2] = {
    { "W", "kernel" }, { "b", "bias" },  { "running_mean", "moving_mean" },
    { "running_std", "moving_variance" }, { "U", "recurrent_kernel" }, { "W_regularizer", "kernel" },
  };
  const char *rest = name;

  if (strchr (name, '/') != NULL || !g_str_has_prefix (name, key) || name[strlen (key)] != '_')
    return g_strdup (name);
  rest = name + strlen (key) + 1;
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    if (g_str_equal (rest, pairs[i][0]))
      return g_strdup (pairs[i][1]);
  return g_strdup (rest);
}

static GPtrArray *
named_vars (NnKeras     *keras,
            const char  *key,
            GError     **error)
{
  g_autoptr (GPtrArray) vars = g_ptr_array_new_with_free_func (nn_keras_var_free);
  g_autofree char *group = g_strdup_printf ("%s/%s", keras->root, key);
  g_auto (GStrv) names = NULL;

  if (!nn_h5_has (keras->h5, group))
    return g_steal_pointer (&vars);
  names = nn_h5_strings (keras->h5, group, "weight_names", error);
  if (names == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL; i++)
    {
      NnKerasVar *var = g_new0 (NnKerasVar, 1);
      char *colon;

      g_ptr_array_add (vars, var);
      var->path = g_strdup_printf ("%s/%s", group, names[i]);
      if (!nn_h5_shape (keras->h5, var->path, &var->shape, error))
        return NULL;
      colon = strrchr (names[i], ':');
      if (colon != NULL)
        *colon = '\0';
      var->name = modern_name (names[i], key);
    }
  return g_steal_pointer (&vars);
}

/* All numbered variables below @group, at any depth: `0`, `cell/1`, `kq/quantizer/0`. */
static gboolean
collect_numbered (NnKeras     *keras,
                  const char  *group,
                  const char  *sub,
                  guint        depth,
                  GPtrArray   *vars,
                  GError     **error)
{
  g_auto (GStrv) children = NULL;

  if (depth > 8 || vars->len > 4096)
    return TRUE;
  children = nn_h5_children (keras->h5, group, error);
  if (children == NULL)
    return FALSE;
  for (guint i = 0; children[i] != NULL; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s", group, children[i]);
      g_autofree char *below = NULL;

      if (!nn_h5_is_group (keras->h5, path))
        {
          NnKerasVar *var = g_new0 (NnKerasVar, 1);

          g_ptr_array_add (vars, var);
          var->name = g_strdup_printf ("%s%s", sub, children[i]);
          var->path = g_steal_pointer (&path);
          if (!nn_h5_shape (keras->h5, var->path, &var->shape, error))
            return FALSE;
          continue;
        }
      /* the layers of a nested model and what only training needs are not this layer's */
      if (g_str_equal (children[i], "layers") || g_str_equal (children[i], "_layer_checkpoint_dependencies") ||
          g_str_equal (children[i], "last_layer") || g_str_equal (children[i], "metrics"))
        continue;
      below = g_str_equal (children[i], "vars") ? g_strdup (sub) : g_strdup_printf ("%s%s/", sub, children[i]);
      if (!collect_numbered (keras, path, below, depth + 1, vars, error))
        return FALSE;
    }
  return TRUE;
}

/* The group of a layer in a numbered file: by the name that newer files note, or by class and order. */
static char *
numbered_group (NnKeras            *keras,
                const NnKerasScope *scope,
                const char         *class_name,
                const char         *key)
{
  g_autofree char *snake = nn_keras_snake_case (class_name);
  g_autofree char *order = g_strdup_printf ("=%s", key);
  guint reserved = GPOINTER_TO_UINT (g_hash_table_lookup (scope->used, order));
  guint count = reserved > 0 ? reserved - 1 : GPOINTER_TO_UINT (g_hash_table_lookup (scope->used, snake));
  g_autofree char *group = count == 0 ? g_strdup_printf ("%s/%s", scope->container, snake)
                                      : g_strdup_printf ("%s/%s_%u", scope->container, snake, count);
  g_auto (GStrv) children = nn_h5_children (keras->h5, scope->container, NULL);

  if (reserved == 0)
    g_hash_table_insert (scope->used, g_strdup (snake), GUINT_TO_POINTER (count + 1));
  for (guint i = 0; children != NULL && children[i] != NULL; i++)
    {
      g_autofree char *vars = g_strdup_printf ("%s/%s/vars", scope->container, children[i]);
      g_autofree char *name = nn_h5_has_attribute (keras->h5, vars, "name") ? nn_h5_string (keras->h5, vars, "name", NULL)
                                                                            : NULL;

      if (name != NULL && g_str_equal (name, key))
        return g_strdup_printf ("%s/%s", scope->container, children[i]);
    }
  return g_steal_pointer (&group);
}

static gboolean
has_component (const char *path,
               const char *name)
{
  gsize n = strlen (name);

  for (const char *at = strstr (path, name); at != NULL; at = strstr (at + 1, name))
    if ((at == path || at[-1] == '/') && at[n] == '/')
      return TRUE;
  return FALSE;
}

/**
 * nn_keras_vars:
 * @group: (out): of a numbered file: the layer's own group
 *
 * Returns: (transfer full) (element-type NnKerasVar): the variables of the layer @key
 */
GPtrArray *
nn_keras_vars (NnKeras             *keras,
               const NnKerasScope  *scope,
               const char          *class_name,
               const char          *key,
               char               **group,
               GError             **error)
{
  g_autoptr (GPtrArray) vars = NULL;

  *group = NULL;
  if (keras->numbered)
    {
      vars = g_ptr_array_new_with_free_func (nn_keras_var_free);
      *group = numbered_group (keras, scope, class_name, key);
      if (nn_h5_is_group (keras->h5, *group) && !collect_numbered (keras, *group, "", 0, vars, error))
        return NULL;
      return g_steal_pointer (&vars);
    }
  if (scope->vars == NULL)
    return named_vars (keras, key, error);
  /* inside a nested model: those whose path goes through the layer's name, the claims being common */
  vars = g_ptr_array_new ();
  for (guint i = 0; i < scope->vars->len; i++)
    if (has_component (((NnKerasVar *) scope->vars->pdata[i])->name, key))
      g_ptr_array_add (vars, scope->vars->pdata[i]);
  if (vars->len == 0)
    for (guint i = 0; i < scope->vars->len; i++)
      g_ptr_array_add (vars, scope->vars->pdata[i]);
  return g_steal_pointer (&vars);
}

static gboolean
fits (const NnShape *shape,
      const NnShape *expected)
{
  if (expected == NULL)
    return TRUE;
  if (shape->rank != expected->rank)
    return FALSE;
  for (guint i = 0; i < shape->rank; i++)
    if (expected->dims[i] >= 0 && expected->dims[i] != shape->dims[i])
      return FALSE;
  return TRUE;
}

static gboolean
ends_with_name (const char *path,
                const char *name)
{
  gsize n = strlen (path), m = strlen (name);

  return n >= m && g_str_equal (path + n - m, name) && (n == m || path[n - m - 1] == '/');
}

static NnKerasVar *
find_var (NnKerasLayer  *layer,
          const char    *name,
          const char    *sub,
          const NnShape *expected)
{
  GPtrArray *vars = layer->vars;

  if (layer->keras->numbered)
    {
      guint number = GPOINTER_TO_UINT (g_hash_table_lookup (layer->next, sub));
      g_autofree char *place = g_strdup_printf ("%s%s%u", sub, sub[0] != '\0' ? "/" : "", number);

      g_hash_table_insert (layer->next, g_strdup (sub), GUINT_TO_POINTER (number + 1));
      for (guint i = 0; i < vars->len; i++)
        if (g_str_equal (((NnKerasVar *) vars->pdata[i])->name, place))
          return vars->pdata[i];
      return NULL;
    }
  for (guint i = 0; i < vars->len; i++)
    {
      NnKerasVar *var = vars->pdata[i];

      if (!var->claimed && ends_with_name (var->name, name) &&
          (layer->scope->vars == NULL || fits (&var->shape, expected)))
        return var;
    }
  /* another name, but nothing else it could be */
  for (guint i = 0; expected != NULL && expected->rank > 0 && i < vars->len; i++)
    {
      NnKerasVar *var = vars->pdata[i];

      if (!var->claimed && g_str_has_prefix (strrchr (var->name, '/') != NULL ? strrchr (var->name, '/') + 1 : var->name,
                                             "param_") &&
          fits (&var->shape, expected))
        return var;
    }
  return NULL;
}

gboolean
nn_keras_add_weight (NnKerasLayer  *layer,
                     NnRole         role,
                     const char    *name,
                     NnTensor      *values,
                     GError       **error)
{
  NnKeras *keras = layer->keras;
  NnWeight weight = {
    .name = g_string_chunk_insert_const (keras->strings, name),
    .layer = g_string_chunk_insert_const (keras->strings, layer->name),
    .role = role,
    .trainable = role != NN_ROLE_MEAN && role != NN_ROLE_VARIANCE && role != NN_ROLE_OTHER &&
                 nn_json_boolean (layer->config, "trainable", TRUE),
    .values = values,
  };

  g_array_append_val (keras->weights, weight);
  g_array_append_val (layer->ids, (guint){ keras->weights->len - 1 });
  g_array_append_val (layer->keys, (guint){ 0 });
  return TRUE;
}

/* In a named file the place in the list; in a numbered one Keras's rule: what is trained first, the layer's own before
 * that of its parts, in the order of creation. */
static void
set_key (NnKerasLayer *layer,
         guint         index,
         gboolean      own)
{
  guint last = layer->keys->len - 1;
  const NnWeight *weight = &g_array_index (layer->keras->weights, NnWeight, layer->keras->weights->len - 1);
  gboolean constant = weight->role == NN_ROLE_MEAN || weight->role == NN_ROLE_VARIANCE || weight->role == NN_ROLE_OTHER;

  g_array_index (layer->keys, guint, last) =
      layer->keras->numbered ? (constant ? 1u << 30 : 0) + (own ? 0 : 1u << 29) + last : index;
}

static guint
index_of (NnKerasLayer     *layer,
          const NnKerasVar *var)
{
  guint index = 0;

  g_ptr_array_find (layer->vars, var, &index);
  return index;
}

/* Brings the layer's weights into Keras's order. */
void
nn_keras_sort_weights (NnKerasLayer *layer)
{
  guint *ids = (guint *) (gpointer) layer->ids->data, *keys = (guint *) (gpointer) layer->keys->data;

  if (layer->n_shared > 0 || layer->keys->len != layer->ids->len)
    return;
  for (guint i = 1; i < layer->ids->len; i++)
    for (guint k = i; k > 0 && keys[k - 1] > keys[k]; k--)
      {
        guint id = ids[k], key = keys[k];

        ids[k] = ids[k - 1];
        keys[k] = keys[k - 1];
        ids[k - 1] = id;
        keys[k - 1] = key;
      }
}

/* A network that diverged opens, but says so. */
static void
tell_not_finite (NnKerasLayer *layer,
                 const char   *name)
{
  const NnTensor *values = g_array_index (layer->keras->weights, NnWeight, layer->keras->weights->len - 1).values;
  g_autofree char *text = NULL;
  gsize n = 0;

  for (gsize i = 0; i < values->n; i++)
    n += !isfinite (nn_tensor_f32 (values)[i]);
  if (n == 0 || layer->node == NULL || layer->node->reason != NULL)
    return;
  text = g_strdup_printf ("%" G_GSIZE_FORMAT " of the %" G_GSIZE_FORMAT " numbers of its weight \"%s\" are infinite or none (NaN); it has no "
                          "meaningful output", n, values->n, name);
  layer->node->reason = nn_graph_builder_strdup (layer->keras->builder, text);
}

/**
 * nn_keras_take:
 * @name: of the variable in a named file
 * @sub: in a numbered file: the part of the layer that owns it, "" for the layer; the next number there is taken
 * @expected: (nullable): its shape, open where not known
 *
 * Reads a variable and adds it to the layer's weights; a second call of a shared layer uses the first's.
 *
 * Errors: %NN_ERROR_FORMAT where it is missing, %NN_ERROR_SHAPE
 */
gboolean
nn_keras_take (NnKerasLayer  *layer,
               NnRole         role,
               const char    *name,
               const char    *sub,
               const NnShape *expected,
               GError       **error)
{
  const char *file = layer->keras->file;
  g_autoptr (NnTensor) values = NULL;
  NnKerasVar *var;

  if (layer->shared_next < layer->n_shared)
    {
      layer->shared_next++;
      return TRUE;
    }
  var = find_var (layer, name, sub, expected);
  if (var == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: layer \"%s\" (%s): the file holds no weight \"%s\" for it", file,
                   layer->name, layer->class_name, name);
      return FALSE;
    }
  if (!fits (&var->shape, expected))
    {
      g_autofree char *is = nn_shape_to_string (&var->shape), *should = nn_shape_to_string (expected);

      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                   "%s: layer \"%s\" (%s): the weight \"%s\" has the shape %s; %s is expected", file, layer->name,
                   layer->class_name, name, is, should);
      return FALSE;
    }
  var->claimed = TRUE;
  values = nn_h5_read (layer->keras->h5, var->path, NN_DTYPE_F32, error);
  if (values == NULL || !nn_keras_add_weight (layer, role, name, g_steal_pointer (&values), error))
    return FALSE;
  set_key (layer, index_of (layer, var), sub[0] == '\0');
  tell_not_finite (layer, name);
  return TRUE;
}

/**
 * nn_keras_peek:
 * @number: in a numbered file: which of @sub
 *
 * Returns: (transfer full) (nullable): a variable's values, without making it a weight; %NULL without @error where there
 * is none
 */
NnTensor *
nn_keras_peek (NnKerasLayer  *layer,
               const char    *name,
               const char    *sub,
               guint          number,
               GError       **error)
{
  g_autofree char *place = g_strdup_printf ("%s%s%u", sub, sub[0] != '\0' ? "/" : "", number);

  for (guint i = 0; i < layer->vars->len; i++)
    {
      NnKerasVar *var = layer->vars->pdata[i];

      if (!(layer->keras->numbered ? g_str_equal (var->name, place) : ends_with_name (var->name, name)))
        continue;
      if (var->alias == NULL && layer->keras->numbered && name[0] != '?')
        var->alias = g_strdup (name);
      return nn_h5_read (layer->keras->h5, var->path, NN_DTYPE_F32, error);
    }
  return NULL;
}

/* What belongs to training only and is made anew by it. */
static gboolean
is_bookkeeping (const char *name)
{
  static const char *const names[] = { "mask", "threshold", "pruning_step", "seed_generator_state" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (ends_with_name (name, names[i]))
      return TRUE;
  return strstr (name, "seed_generator") != NULL;
}

static char *
short_name (NnKerasLayer *layer,
            const char   *name)
{
  g_autofree char *start = g_strdup_printf ("%s/", layer->key);
  const char *rest = g_str_has_prefix (name, start) ? name + strlen (start) : name;

  return g_strdup (rest);
}

static NnRole
guess_role (const char *name)
{
  for (guint role = 0; role < NN_ROLE_OTHER; role++)
    if (ends_with_name (name, nn_role_name (role)))
      return role;
  return NN_ROLE_OTHER;
}

gboolean
nn_keras_give (NnKerasLayer  *layer,
               NnNode        *node,
               NnRole         role,
               NnTensor      *values,
               GError       **error)
{
  NnKeras *keras = layer->keras;
  NnWeight weight = {
    .name = nn_role_name (role),
    .layer = g_string_chunk_insert_const (keras->strings, node->name),
    .role = role,
    .trainable = role != NN_ROLE_VALUE && nn_json_boolean (layer->config, "trainable", TRUE),
    .values = values,
  };

  nn_graph_builder_add_weight (keras->builder, node, keras->weights->len);
  g_array_append_val (keras->weights, weight);
  return TRUE;
}

/* The variables that no reader asked for are kept too: for an unsupported layer, and for saving. */
gboolean
nn_keras_take_rest (NnKerasLayer  *layer,
                    GError       **error)
{
  gboolean unsupported = layer->node != NULL && layer->node->op == NN_OP_UNSUPPORTED;

  if (layer->n_shared > 0)
    return TRUE;
  for (guint i = 0; i < layer->vars->len; i++)
    {
      NnKerasVar *var = layer->vars->pdata[i];
      g_autofree char *name = short_name (layer, var->alias != NULL ? var->alias : var->name);
      NnTensor *values;

      if (var->claimed || is_bookkeeping (var->name))
        continue;
      /* in a nested model only what bears the layer's name is surely its own */
      if (layer->scope->vars != NULL && !has_component (var->name, layer->key))
        continue;
      var->claimed = TRUE;
      values = nn_h5_read (layer->keras->h5, var->path, NN_DTYPE_F32, error);
      if (values == NULL)
        return FALSE;
      nn_keras_add_weight (layer, unsupported ? guess_role (name) : NN_ROLE_OTHER, name, values, error);
      set_key (layer, i, strchr (var->name, '/') == NULL);
    }
  return TRUE;
}

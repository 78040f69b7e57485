/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph as JSON and back, to the last bit of every attribute: one table of fields serves both ways. */

#include "nn-project-private.h"

#include "nn-error.h"
#include "nn-json.h"

#include <math.h>
#include <string.h>

typedef enum { INT, UINT, I64, DOUBLE, TEXT, SHAPE, TYPE, QUANTIZER } Kind;

/* @n: elements that follow each other; @limit: an enumeration's or a boolean's count, 0 where any value will do */
typedef struct {
  const char *name;
  Kind        kind;
  gsize       offset;
  guint       n;
  gint64      limit;
} Field;

#define ATTR(f, kind, n, limit) { #f, kind, G_STRUCT_OFFSET (NnAttrs, f), n, limit }
#define GARNET(f, kind, limit) { #f, kind, G_STRUCT_OFFSET (NnGarnet, f), 1, limit }
#define QUANT(f, kind, limit) { #f, kind, G_STRUCT_OFFSET (NnQuantizer, f), 1, limit }
#define TYPE_FIELD(f, limit) { #f, INT, G_STRUCT_OFFSET (NnType, f), 1, limit }

static const Field type_fields[] = {
  TYPE_FIELD (kind, NN_TYPE_POWER + 1), TYPE_FIELD (width, 0),    TYPE_FIELD (integer, 0),
  TYPE_FIELD (is_signed, 2),            TYPE_FIELD (rounding, NN_ROUND_RND_CONV + 1),
  TYPE_FIELD (overflow, NN_OVERFLOW_SAT_SYM + 1),                 TYPE_FIELD (sat_bits, 0),
};

static const Field quantizer_fields[] = {
  QUANT (kind, INT, NN_QUANT_POWER_RELU + 1),
  QUANT (type, TYPE, 0),
  QUANT (alpha_mode, INT, NN_ALPHA_AUTO_PO2 + 1),
  QUANT (zero_point, DOUBLE, 0),
  QUANT (threshold, DOUBLE, 0),
  QUANT (max_value, DOUBLE, 0),
  QUANT (negative_slope, DOUBLE, 0),
  QUANT (symmetric, INT, 2),
  QUANT (use_real_function, INT, 2),
  QUANT (use_sigmoid, INT, 2),
  QUANT (alpha_divides, INT, 2),
  QUANT (rounds_first, INT, 2),
  QUANT (quadratic, INT, 2),
  QUANT (source, TEXT, 0),
};

static const Field attr_fields[] = {
  ATTR (units, I64, 1, 0),
  ATTR (use_bias, INT, 1, 2),
  ATTR (kernel, I64, 2, 0),
  ATTR (stride, I64, 2, 0),
  ATTR (dilation, I64, 2, 0),
  ATTR (groups, I64, 1, 0),
  ATTR (depth_multiplier, I64, 1, 0),
  ATTR (padding, INT, 1, NN_PADDING_EXPLICIT + 1),
  ATTR (pad, I64, 4, 0),
  ATTR (count_pad, INT, 1, 2),
  ATTR (keep_dims, INT, 1, 2),
  ATTR (size, I64, 2, 0),
  ATTR (interpolation, INT, 1, NN_INTERPOLATION_BILINEAR + 1),
  ATTR (axis, INT, 1, 0),
  ATTR (axis2, INT, 1, 0),
  ATTR (epsilon, DOUBLE, 1, 0),
  ATTR (momentum, DOUBLE, 1, 0),
  ATTR (normalize, INT, 1, 2),
  ATTR (act, INT, 1, NN_N_ACTS),
  ATTR (alpha, DOUBLE, 1, 0),
  ATTR (max_value, DOUBLE, 1, 0),
  ATTR (threshold, DOUBLE, 1, 0),
  ATTR (slope, DOUBLE, 1, 0),
  ATTR (shift, DOUBLE, 1, 0),
  ATTR (recurrent_act, INT, 1, NN_N_ACTS),
  ATTR (recurrent_slope, DOUBLE, 1, 0),
  ATTR (recurrent_shift, DOUBLE, 1, 0),
  ATTR (return_sequences, INT, 1, 2),
  ATTR (go_backwards, INT, 1, 2),
  ATTR (reset_after, INT, 1, 2),
  ATTR (time_distributed, INT, 1, 2),
  ATTR (target, SHAPE, 1, 0),
  ATTR (perm, UINT, NN_MAX_RANK, NN_MAX_RANK),
  ATTR (begin, I64, 1, 0),
  ATTR (end, I64, 1, 0),
  ATTR (step, I64, 1, 0),
  ATTR (equation, TEXT, 1, 0),
  ATTR (n_heads, I64, 1, 0),
  ATTR (key_dim, I64, 1, 0),
  ATTR (value_dim, I64, 1, 0),
  ATTR (rate, DOUBLE, 1, 0),
  ATTR (quantizer, QUANTIZER, 1, 0),
  ATTR (input_quantizer, QUANTIZER, 1, 0),
  ATTR (sum_quantizer, QUANTIZER, 1, 0),
  ATTR (recurrent_quantizer, QUANTIZER, 1, 0),
  ATTR (state_quantizer, QUANTIZER, 1, 0),
  ATTR (reset_quantizer, QUANTIZER, 1, 0),
  ATTR (role_quantizer, QUANTIZER, NN_N_ROLES, 0),
};

static const Field garnet_fields[] = {
  GARNET (n_aggregators, I64, 0),
  GARNET (n_filters, I64, 0),
  GARNET (n_propagate, I64, 0),
  GARNET (simplified, INT, 2),
  GARNET (mean_by_nvert, INT, 2),
  GARNET (collapse, INT, NN_COLLAPSE_MAX + 1),
  GARNET (part, TEXT, 0),
  GARNET (feature_quantizer, QUANTIZER, 0),
  GARNET (output_quantizer, QUANTIZER, 0),
};

#undef ATTR
#undef GARNET
#undef QUANT
#undef TYPE_FIELD

void
nn_put_double (JsonBuilder *json,
               const char  *name,
               double       value)
{
  if (name != NULL)
    json_builder_set_member_name (json, name);
  if (isnan (value))
    json_builder_add_null_value (json);
  else if (isinf (value))
    json_builder_add_string_value (json, value > 0 ? "inf" : "-inf");
  else
    json_builder_add_double_value (json, value);
}

static double
node_double (JsonNode *node,
             double    fallback)
{
  const char *text;
  double value;

  if (node == NULL)
    return fallback;
  if (JSON_NODE_HOLDS_NULL (node))
    return NAN;
  text = nn_json_as_string (node);
  if (text != NULL)
    return strcmp (text, "inf") == 0 ? INFINITY : strcmp (text, "-inf") == 0 ? -INFINITY : fallback;
  return nn_json_as_double (node, &value) ? value : fallback;
}

double
nn_get_double (JsonObject *object,
               const char *name,
               double      fallback)
{
  return json_object_has_member (object, name) ? node_double (json_object_get_member (object, name), fallback) : fallback;
}

void
nn_put_int (JsonBuilder *json,
            const char  *name,
            gint64       value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

void
nn_put_string (JsonBuilder *json,
               const char  *name,
               const char  *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

char *
nn_build_json (JsonBuilder *json)
{
  g_autoptr (JsonNode) root = json_builder_get_root (json);

  return json_to_string (root, FALSE);
}

static void put_fields (JsonBuilder *json, const Field *fields, guint n_fields, gconstpointer base);

static void
put_quantizer (JsonBuilder       *json,
               const NnQuantizer *q)
{
  if (q == NULL)
    {
      json_builder_add_null_value (json);
      return;
    }
  json_builder_begin_object (json);
  put_fields (json, quantizer_fields, G_N_ELEMENTS (quantizer_fields), q);
  if (q->alpha != NULL)
    {
      json_builder_set_member_name (json, "alpha");
      json_builder_begin_array (json);
      for (guint i = 0; i < q->n_alpha; i++)
        nn_put_double (json, NULL, q->alpha[i]);
      json_builder_end_array (json);
    }
  if (q->per_element != NULL)
    {
      json_builder_set_member_name (json, "per_element");
      json_builder_begin_array (json);
      for (guint i = 0; i < q->n_elements; i++)
        {
          json_builder_begin_object (json);
          put_fields (json, type_fields, G_N_ELEMENTS (type_fields), &q->per_element[i]);
          json_builder_end_object (json);
        }
      json_builder_end_array (json);
    }
  json_builder_end_object (json);
}

static void
put_shape (JsonBuilder   *json,
           const NnShape *shape)
{
  json_builder_begin_array (json);
  for (guint d = 0; d < shape->rank; d++)
    json_builder_add_int_value (json, shape->dims[d]);
  json_builder_end_array (json);
}

static void
put_one (JsonBuilder  *json,
         Kind          kind,
         gconstpointer at)
{
  switch (kind)
    {
    case INT:
      json_builder_add_int_value (json, *(const gint *) at);
      break;
    case UINT:
      json_builder_add_int_value (json, *(const guint *) at);
      break;
    case I64:
      json_builder_add_int_value (json, *(const gint64 *) at);
      break;
    case DOUBLE:
      nn_put_double (json, NULL, *(const double *) at);
      break;
    case TEXT:
      json_builder_add_string_value (json, *(const char *const *) at);
      break;
    case SHAPE:
      put_shape (json, at);
      break;
    case TYPE:
      json_builder_begin_object (json);
      put_fields (json, type_fields, G_N_ELEMENTS (type_fields), at);
      json_builder_end_object (json);
      break;
    case QUANTIZER:
      put_quantizer (json, *(NnQuantizer *const *) at);
      break;
    }
}

static gsize
kind_size (Kind kind)
{
  static const gsize sizes[] = { sizeof (gint), sizeof (guint), sizeof (gint64), sizeof (double), sizeof (char *),
                                 sizeof (NnShape), sizeof (NnType), sizeof (gpointer) };

  return sizes[kind];
}

/* Fields that are all zero are left out. */
static void
put_fields (JsonBuilder  *json,
            const Field  *fields,
            guint         n_fields,
            gconstpointer base)
{
  static const NnShape zeros[NN_N_ROLES];

  for (guint i = 0; i < n_fields; i++)
    {
      const Field *f = &fields[i];
      const char *at = (const char *) base + f->offset;
      gsize size = kind_size (f->kind);

      if (memcmp (at, zeros, size * f->n) == 0)
        continue;
      json_builder_set_member_name (json, f->name);
      if (f->n > 1)
        json_builder_begin_array (json);
      for (guint k = 0; k < f->n; k++)
        put_one (json, f->kind, at + k * size);
      if (f->n > 1)
        json_builder_end_array (json);
    }
}

char *
nn_graph_to_json (const NnGraph *graph,
                  GError       **error)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const guint *outputs;
  guint n_outputs;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "nodes");
  json_builder_begin_array (json);
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      if (node->attrs.extra != NULL && node->op != NN_OP_GARNET)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\": a %s cannot be kept in a project file yet", node->name,
                       node->class_name);
          return NULL;
        }
      json_builder_begin_object (json);
      nn_put_string (json, "name", node->name);
      nn_put_string (json, "class", node->class_name);
      nn_put_int (json, "op", node->op);
      nn_put_string (json, "origin", node->origin);
      nn_put_string (json, "reason", node->reason);
      nn_put_string (json, "source", node->source);
      json_builder_set_member_name (json, "shape");
      put_shape (json, &node->shape);
      json_builder_set_member_name (json, "inputs");
      json_builder_begin_array (json);
      for (guint k = 0; k < node->n_inputs; k++)
        json_builder_add_int_value (json, node->inputs[k]);
      json_builder_end_array (json);
      json_builder_set_member_name (json, "weights");
      json_builder_begin_array (json);
      for (guint k = 0; k < node->n_weights; k++)
        json_builder_add_int_value (json, node->weights[k]);
      json_builder_end_array (json);
      json_builder_set_member_name (json, "attrs");
      json_builder_begin_object (json);
      put_fields (json, attr_fields, G_N_ELEMENTS (attr_fields), &node->attrs);
      json_builder_end_object (json);
      if (node->op == NN_OP_GARNET)
        {
          json_builder_set_member_name (json, "garnet");
          json_builder_begin_object (json);
          put_fields (json, garnet_fields, G_N_ELEMENTS (garnet_fields), node->attrs.extra);
          json_builder_end_object (json);
        }
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  json_builder_set_member_name (json, "outputs");
  json_builder_begin_array (json);
  outputs = nn_graph_outputs (graph, &n_outputs);
  for (guint k = 0; k < n_outputs; k++)
    json_builder_add_int_value (json, outputs[k]);
  json_builder_end_array (json);
  json_builder_end_object (json);
  return nn_build_json (json);
}

static gboolean get_fields (NnGraphBuilder *builder, JsonObject *object, const Field *fields, guint n_fields, gpointer base);

static gboolean
get_shape (JsonNode *node,
           NnShape  *shape)
{
  JsonArray *array = nn_json_as_array (node);

  if (array == NULL || json_array_get_length (array) > NN_MAX_RANK)
    return FALSE;
  shape->rank = json_array_get_length (array);
  for (guint d = 0; d < shape->rank; d++)
    if (!nn_json_as_int (json_array_get_element (array, d), &shape->dims[d]) || shape->dims[d] < NN_DIM_UNKNOWN)
      return FALSE;
  return TRUE;
}

static gboolean
get_quantizer (NnGraphBuilder *builder,
               JsonNode       *node,
               NnQuantizer   **result)
{
  JsonObject *object = JSON_NODE_HOLDS_NULL (node) ? NULL : nn_json_as_object (node);
  JsonArray *alpha, *types;
  NnQuantizer *q;

  if (object == NULL)
    return JSON_NODE_HOLDS_NULL (node);
  q = nn_graph_builder_alloc (builder, sizeof *q);
  memset (q, 0, sizeof *q);
  if (!get_fields (builder, object, quantizer_fields, G_N_ELEMENTS (quantizer_fields), q))
    return FALSE;
  alpha = nn_json_array (object, "alpha");
  if (alpha != NULL && json_array_get_length (alpha) > 0)
    {
      float *a = nn_graph_builder_alloc (builder, sizeof *a * json_array_get_length (alpha));

      q->n_alpha = json_array_get_length (alpha);
      for (guint i = 0; i < q->n_alpha; i++)
        a[i] = (float) node_double (json_array_get_element (alpha, i), 1);
      q->alpha = a;
    }
  types = nn_json_array (object, "per_element");
  if (types != NULL && json_array_get_length (types) > 0)
    {
      NnType *t = nn_graph_builder_alloc (builder, sizeof *t * json_array_get_length (types));

      q->n_elements = json_array_get_length (types);
      memset (t, 0, sizeof *t * q->n_elements);
      for (guint i = 0; i < q->n_elements; i++)
        {
          JsonObject *type = nn_json_as_object (json_array_get_element (types, i));

          if (type == NULL || !get_fields (builder, type, type_fields, G_N_ELEMENTS (type_fields), &t[i]) ||
              !nn_project_check_type (&t[i]))
            return FALSE;
        }
      q->per_element = t;
    }
  *result = q;
  return TRUE;
}

static gboolean
get_one (NnGraphBuilder *builder,
         const Field    *field,
         JsonNode       *node,
         gpointer        at)
{
  gint64 value = 0;

  if (field->kind <= I64 &&
      (!nn_json_as_int (node, &value) || (field->limit > 0 && (value < 0 || value >= field->limit)) ||
       (field->kind == INT && (value < G_MININT || value > G_MAXINT)) || (field->kind == UINT && (value < 0 || value > G_MAXUINT))))
    return FALSE;
  switch (field->kind)
    {
    case INT:
      *(gint *) at = (gint) value;
      return TRUE;
    case UINT:
      *(guint *) at = (guint) value;
      return TRUE;
    case I64:
      *(gint64 *) at = value;
      return TRUE;
    case DOUBLE:
      *(double *) at = node_double (node, 0);
      return TRUE;
    case TEXT:
      if (nn_json_as_string (node) == NULL)
        return FALSE;
      *(const char **) at = nn_graph_builder_strdup (builder, nn_json_as_string (node));
      return TRUE;
    case SHAPE:
      return get_shape (node, at);
    case TYPE:
      return nn_json_as_object (node) != NULL &&
             get_fields (builder, nn_json_as_object (node), type_fields, G_N_ELEMENTS (type_fields), at) &&
             nn_project_check_type (at);
    case QUANTIZER:
      return get_quantizer (builder, node, at);
    }
  return FALSE;
}

static gboolean
get_fields (NnGraphBuilder *builder,
            JsonObject     *object,
            const Field    *fields,
            guint           n_fields,
            gpointer        base)
{
  for (guint i = 0; i < n_fields; i++)
    {
      const Field *f = &fields[i];
      char *at = (char *) base + f->offset;
      JsonNode *node;
      JsonArray *array;

      if (!json_object_has_member (object, f->name))
        continue;
      node = json_object_get_member (object, f->name);
      if (f->n == 1)
        {
          if (!get_one (builder, f, node, at))
            return FALSE;
          continue;
        }
      array = nn_json_as_array (node);
      if (array == NULL || json_array_get_length (array) > f->n)
        return FALSE;
      for (guint k = 0; k < json_array_get_length (array); k++)
        if (!get_one (builder, f, json_array_get_element (array, k), at + k * kind_size (f->kind)))
          return FALSE;
    }
  return TRUE;
}

/* Indices below @limit. */
static gboolean
get_indices (JsonObject *object,
             const char *name,
             guint       limit,
             GArray     *indices)
{
  JsonArray *array = nn_json_array (object, name);

  g_array_set_size (indices, 0);
  if (array == NULL)
    return FALSE;
  for (guint k = 0; k < json_array_get_length (array); k++)
    {
      gint64 value;
      guint index;

      if (!nn_json_as_int (json_array_get_element (array, k), &value) || value < 0 || value >= limit)
        return FALSE;
      index = (guint) value;
      g_array_append_val (indices, index);
    }
  return TRUE;
}

/* What a GarNet is told besides its weights. */
static gboolean
get_garnet (NnGraphBuilder *builder,
            JsonObject     *object,
            NnNode         *node)
{
  NnGarnet *garnet;

  if (node->op != NN_OP_GARNET)
    return TRUE;
  if (nn_json_object (object, "garnet") == NULL)
    return FALSE;
  garnet = nn_graph_builder_alloc (builder, sizeof *garnet);
  *garnet = (NnGarnet){ .part = "" };
  node->attrs.extra = garnet;
  return get_fields (builder, nn_json_object (object, "garnet"), garnet_fields, G_N_ELEMENTS (garnet_fields), garnet);
}

static gboolean
get_node (NnGraphBuilder *builder,
          JsonObject     *object,
          guint           i,
          guint           n_weights,
          GArray         *indices)
{
  const char *name = nn_json_string (object, "name"), *class_name = nn_json_string (object, "class");
  gint64 op;
  NnNode *node;
  JsonObject *attrs = nn_json_object (object, "attrs");
  const char *text;

  if (name == NULL || attrs == NULL || !nn_json_int (object, "op", &op) || op < 0 || op >= NN_N_OPS ||
      !get_indices (object, "inputs", i, indices))
    return FALSE;
  node = nn_graph_builder_add (builder, (NnOp) op, name, class_name, (const guint *) indices->data, indices->len);
  if ((text = nn_json_string (object, "origin")) != NULL)
    node->origin = nn_graph_builder_strdup (builder, text);
  if ((text = nn_json_string (object, "reason")) != NULL)
    node->reason = nn_graph_builder_strdup (builder, text);
  if ((text = nn_json_string (object, "source")) != NULL)
    node->source = nn_graph_builder_strdup (builder, text);
  if (nn_json_get (object, "shape") == NULL || !get_shape (nn_json_get (object, "shape"), &node->shape) ||
      !get_indices (object, "weights", n_weights, indices))
    return FALSE;
  nn_graph_builder_weights (builder, node, (const guint *) indices->data, indices->len);
  return get_fields (builder, attrs, attr_fields, G_N_ELEMENTS (attr_fields), &node->attrs) && get_garnet (builder, object, node);
}

NnGraph *
nn_graph_from_json (const char *text,
                    guint       n_weights,
                    GError    **error)
{
  g_autoptr (JsonNode) root = nn_json_parse (text, -1, "project", error);
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GArray) indices = g_array_new (FALSE, FALSE, sizeof (guint));
  JsonArray *nodes;

  if (root == NULL)
    return NULL;
  nodes = nn_json_as_object (root) != NULL ? nn_json_array (nn_json_as_object (root), "nodes") : NULL;
  for (guint i = 0; nodes != NULL && i < json_array_get_length (nodes); i++)
    {
      JsonObject *node = nn_json_as_object (json_array_get_element (nodes, i));

      if (node == NULL || !get_node (builder, node, i, n_weights, indices))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "layer %u of the project's network is damaged", i);
          return NULL;
        }
      if (!nn_project_check_node (nn_graph_builder_node (builder, i), error))
        return NULL;
    }
  if (nodes == NULL || !get_indices (nn_json_as_object (root), "outputs", json_array_get_length (nodes), indices))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the project's network is damaged");
      return NULL;
    }
  for (guint k = 0; k < indices->len; k++)
    nn_graph_builder_output (builder, g_array_index (indices, guint, k));
  return nn_graph_builder_seal (builder, error);
}

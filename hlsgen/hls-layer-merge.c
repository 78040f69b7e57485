/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers of several inputs. More than two are taken in one after the other, in types that hold every value between. */

#include "hls-layer-private.h"

#include "nn-product.h"

/* Wider than any sum or product that is worth a step of its own. */
#define MAX_BITS_BETWEEN 120
/* What the simulation's numbers of 128 bits hold with a sign and a comparison's borrow; products of two words of 64 fit besides. */
#define MAX_BITS_LAST 126
#define MAX_BITS_PRODUCT 129

/* One operand of a step: an input of the layer, or what the step before made. */
typedef struct {
  char       *value, *type; /* the variable, and the type of its elements */
  guint       packet;
  gsize       count;
  NnType      number;
} Operand;

static void
operand_clear (Operand *operand)
{
  g_free (operand->value);
  g_free (operand->type);
}

static void
operand_of_input (HlsEmit        *emit,
                  const HlsLayer *layer,
                  guint           k,
                  Operand        *operand)
{
  const HlsLayer *source = hls_emit_source (emit, layer->node->inputs[k]);

  *operand = (Operand){ .value = hls_emit_input (emit, layer, k),
                        .type = g_strdup (source->type),
                        .packet = source->packet,
                        .count = hls_layer_input_count (emit, layer, k),
                        .number = nn_design_plan (emit->design, layer->node->inputs[k])->result };
}

static gboolean
is_bit (const HlsEmit  *emit,
        const HlsLayer *layer,
        guint           k)
{
  return nn_design_plan (emit->design, layer->node->inputs[k])->result.kind == NN_TYPE_BINARY;
}

/* Whether the smaller input is repeated as a whole, its axes being the last ones. */
static gboolean
repeats (const HlsEmit  *emit,
         const HlsLayer *layer,
         guint           k)
{
  const NnShape *in = &nn_graph_node (emit->graph, layer->node->inputs[k])->shape, *out = &layer->node->shape;
  gboolean ended = FALSE;

  for (guint d = 0; d < in->rank; d++)
    {
      gint64 extent = in->dims[in->rank - 1 - d];

      if (d >= out->rank || (extent != out->dims[out->rank - 1 - d] && extent != 1))
        return FALSE;
      if (ended && extent != 1)
        return FALSE;
      ended |= extent != out->dims[out->rank - 1 - d];
    }
  return TRUE;
}

/* The type that holds every value of a step exactly. */
static NnType
exact_type (NnOp          op,
            const NnType *a,
            const NnType *b)
{
  gboolean is_signed = a->is_signed || b->is_signed || op == NN_OP_SUBTRACT;
  int above_a = a->integer + (is_signed && !a->is_signed), above_b = b->integer + (is_signed && !b->is_signed);
  int fraction = MAX (nn_type_fraction (a), nn_type_fraction (b)), integer = MAX (above_a, above_b);
  NnType type;

  if (op == NN_OP_MULTIPLY)
    {
      integer = above_a + above_b;
      fraction = nn_type_fraction (a) + nn_type_fraction (b);
    }
  else if (op != NN_OP_MAXIMUM && op != NN_OP_MINIMUM)
    integer++;
  type = NN_FIXED (integer + fraction, integer);
  type.is_signed = is_signed;
  return type;
}

static const char *
functor_of (NnOp op)
{
  static const struct { NnOp op; const char *functor; } kinds[] = {
    { NN_OP_ADD, "nnet::merge_add" },           { NN_OP_SUBTRACT, "nnet::merge_subtract" },
    { NN_OP_MULTIPLY, "nnet::merge_multiply" }, { NN_OP_AVERAGE, "nnet::merge_average" },
    { NN_OP_MAXIMUM, "nnet::merge_maximum" },   { NN_OP_MINIMUM, "nnet::merge_minimum" },
  };

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    if (kinds[k].op == op)
      return kinds[k].functor;
  return NULL;
}

/* A variable between two steps, and its types. */
static gboolean
declare_between (HlsEmit        *emit,
                 const HlsLayer *layer,
                 const Operand  *between,
                 GError        **error)
{
  g_autofree char *type = NULL;

  if (!hls_type_check (&between->number, layer->node->name, "value between", error))
    return FALSE;
  type = emit->backend->type (&between->number);
  g_string_append_printf (emit->types, "typedef %s %s;\n", type, between->type);
  if (emit->stream)
    {
      g_string_append_printf (emit->types, "typedef nnet::array<%s, %u> %s_packet;\n", between->type, between->packet, between->type);
      hls_layer_stream (emit, between->type, between->value, between->count / between->packet);
    }
  else
    g_string_append_printf (emit->calls, "    %s %s[%" G_GSIZE_FORMAT "];\n    NNET_PARTITION(%s)\n", between->type, between->value,
                            between->count, between->value);
  return TRUE;
}

/* Where the result of step @k goes: to the layer's own variable after the last one. */
static gboolean
result_of_step (HlsEmit        *emit,
                HlsLayer       *layer,
                guint           k,
                const NnType   *number,
                gsize           count,
                guint           packet,
                Operand        *result,
                GError        **error)
{
  int most = layer->node->op == NN_OP_MULTIPLY ? MAX_BITS_PRODUCT : MAX_BITS_LAST;

  if (k + 1 == layer->node->n_inputs && number->kind == NN_TYPE_FIXED && number->width > most)
    return hls_layer_unsupported (layer, "the points of its inputs are so far apart that their sum or difference has more than 126 bits", error);
  if (k + 1 == layer->node->n_inputs)
    {
      hls_layer_declare (emit, layer);
      *result = (Operand){ g_strdup (layer->value), g_strdup (layer->type), layer->packet, layer->count, layer->plan->result };
      return TRUE;
    }
  *result = (Operand){ g_strdup_printf ("layer%u_part%u", layer->number, k), g_strdup_printf ("layer%u_part%u_t", layer->number, k),
                       packet, count, *number };
  if (number->kind == NN_TYPE_FIXED && number->width > MAX_BITS_BETWEEN)
    return hls_layer_unsupported (layer, "so many inputs of so many bits need numbers wider than 120 bits", error);
  return declare_between (emit, layer, result, error);
}

static void
call_step (HlsEmit        *emit,
           const HlsLayer *layer,
           guint           k,
           const char     *function,
           const char     *functor,
           const Operand  *a,
           const Operand  *b,
           const Operand  *result)
{
  const char *packet = emit->stream ? "_packet" : "";

  g_string_append_printf (emit->calls, "    nnet::%s<%s%s%s%s, %s%s, %s%s, config%u_%u>(%s, %s, %s); // %s\n", function,
                          functor != NULL ? functor : "", functor != NULL ? ", " : "", a->type, packet, b->type, packet, result->type,
                          packet, layer->number, k, a->value, b->value, result->value, layer->label);
}

/* Whether the operands are bits that stand for signs; @pass: they stay bits. */
static void
write_bits (HlsEmit       *emit,
            const Operand *a,
            const Operand *b,
            gboolean       pass)
{
  const Operand *operands[2] = { a, b };

  for (guint k = 0; k < 2; k++)
    g_string_append_printf (emit->configs, "    static const bool bits%u = %s;\n", k + 1,
                            operands[k]->number.kind == NN_TYPE_BINARY && !pass ? "true" : "false");
}

static void
begin_step (HlsEmit        *emit,
            const HlsLayer *layer,
            guint           k,
            const Operand  *a,
            const Operand  *b,
            const Operand  *result)
{
  g_string_append_printf (emit->configs, "// Layer \"%s\" (%s)\nstruct config%u_%u {\n", layer->label, layer->class_label, layer->number, k);
  hls_layer_field (emit, "n_in1", a->count);
  hls_layer_field (emit, "n_in2", b->count);
  hls_layer_field (emit, "n_out", result->count);
}

/* Which element of operand @k each result of a step reads. @shape (nullable): to be broadcast as numpy does; else the operand
 * is repeated as a whole. */
static void
write_places (HlsEmit        *emit,
              const HlsLayer *layer,
              const Operand  *operand,
              const NnShape  *shape,
              guint           k)
{
  const NnShape *out = &layer->node->shape;
  g_autofree guint32 *from = shape != NULL ? g_new (guint32, MAX (layer->count, 1)) : NULL;
  g_autofree char *name = g_strdup_printf ("at%u_%u", k, layer->number);

  for (gsize i = 0; shape != NULL && i < layer->count; i++)
    {
      gsize rest = i, index = 0, step = 1;

      for (guint d = 0; d < shape->rank; d++)
        {
          gsize extent = (gsize) shape->dims[shape->rank - 1 - d], at = rest % (gsize) out->dims[out->rank - 1 - d];

          rest /= (gsize) out->dims[out->rank - 1 - d];
          index += extent == 1 ? 0 : at * step;
          step *= extent;
        }
      from[i] = (guint32) index;
    }
  if (shape != NULL)
    hls_emit_indices (emit, name, layer->label, from, layer->count);
  g_string_append_printf (emit->configs, "    static unsigned at%u(unsigned i) { return ", k);
  if (shape != NULL)
    g_string_append_printf (emit->configs, "%s[i]; }\n", name);
  else
    g_string_append_printf (emit->configs, "i %% %" G_GSIZE_FORMAT "; }\n", operand->count);
}

/* How a step reads its operands. Two inputs may be broadcast in any way; more are repeated as a whole. */
static void
write_operands (HlsEmit        *emit,
                const HlsLayer *layer,
                const Operand  *a,
                const Operand  *b,
                const Operand  *result)
{
  gboolean two = layer->node->n_inputs == 2;
  const Operand *operands[2] = { a, b };

  for (guint k = 0; k < 2; k++)
    {
      const NnShape *shape = two ? &nn_graph_node (emit->graph, layer->node->inputs[k])->shape : NULL;

      write_places (emit, layer, operands[k], two && !repeats (emit, layer, k) ? shape : NULL, k + 1);
    }
  g_string_append_printf (emit->configs, "    static const bool in_step = %s;\n",
                          a->count == b->count && a->count == result->count ? "true" : "false");
  write_bits (emit, a, b, FALSE);
}

static gboolean
merge_step (HlsEmit   *emit,
            HlsLayer  *layer,
            guint      k,
            Operand   *so_far,
            GError   **error)
{
  NnOp op = layer->node->op;
  gboolean mean = op == NN_OP_AVERAGE && layer->node->n_inputs != 2, last = k + 1 == layer->node->n_inputs;
  g_autofree char *divide = g_strdup_printf ("nnet::merge_mean<%u>", layer->node->n_inputs);
  const char *functor = mean ? (last ? divide : "nnet::merge_add") : functor_of (op);
  const Operand *larger;
  Operand b, result = { NULL };
  NnType number;
  gboolean done;

  operand_of_input (emit, layer, k, &b);
  number = exact_type (op, &so_far->number, &b.number);
  larger = b.count > so_far->count ? &b : so_far;
  done = result_of_step (emit, layer, k, &number, larger->count, larger->packet, &result, error);
  if (done)
    {
      begin_step (emit, layer, k, so_far, &b, &result);
      hls_layer_field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
      write_operands (emit, layer, so_far, &b, &result);
      hls_layer_end (emit);
      call_step (emit, layer, k, "merge", functor, so_far, &b, &result);
    }
  operand_clear (&b);
  operand_clear (so_far);
  *so_far = result;
  return done;
}

gboolean
hls_write_merge (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  gboolean done = TRUE;
  Operand so_far;

  if (functor_of (layer->node->op) == NULL || layer->node->n_inputs < 2)
    return hls_layer_unsupported (layer, "there is no kernel to merge its inputs", error);
  for (guint k = 0; k < layer->node->n_inputs; k++)
    if (layer->node->n_inputs > 2 ? !repeats (emit, layer, k) || is_bit (emit, layer, k)
                                  : nn_graph_node (emit->graph, layer->node->inputs[k])->shape.rank > layer->node->shape.rank)
      return hls_layer_unsupported (layer, "merging is supported for inputs of one shape, or one repeated along the first axes", error);
  operand_of_input (emit, layer, 0, &so_far);
  for (guint k = 1; k < layer->node->n_inputs && done; k++)
    done = merge_step (emit, layer, k, &so_far, error);
  operand_clear (&so_far);
  if (!done)
    return FALSE;
  hls_layer_copies (emit, layer);
  g_string_append_c (emit->calls, '\n');
  return TRUE;
}

/* @after: elements behind the axis; @along: extent of the axis in what has been joined so far, and of the next input. */
static gboolean
concatenate_step (HlsEmit   *emit,
                  HlsLayer  *layer,
                  guint      k,
                  gsize      after,
                  gsize     *along,
                  gsize      next,
                  Operand   *so_far,
                  GError   **error)
{
  gsize part1 = *along * after, part2 = next * after, count;
  gboolean last_axis = after == 1, done;
  const char *function = "layer2", *functor = "nnet::concatenate";
  Operand b, result = { NULL };

  operand_of_input (emit, layer, k, &b);
  count = so_far->count + b.count;
  done = result_of_step (emit, layer, k, &layer->plan->result, count, last_axis ? (guint) (part1 + part2) : so_far->packet, &result, error);
  if (done)
    {
      if (emit->stream && so_far->packet == part1 && b.packet == part2 && result.packet == part1 + part2)
        function = "join_channels", functor = NULL;
      else if (emit->stream && so_far->packet == b.packet && b.packet == result.packet && part1 % b.packet == 0 && part2 % b.packet == 0)
        function = "join_rows", functor = NULL;
      begin_step (emit, layer, k, so_far, &b, &result);
      hls_layer_field (emit, "n_part1", part1);
      hls_layer_field (emit, "n_part2", part2);
      write_bits (emit, so_far, &b, layer->plan->result.kind == NN_TYPE_BINARY);
      hls_layer_end (emit);
      call_step (emit, layer, k, function, functor, so_far, &b, &result);
    }
  operand_clear (&b);
  operand_clear (so_far);
  *so_far = result;
  *along += next;
  return done;
}

gboolean
hls_write_concatenate (HlsEmit   *emit,
                       HlsLayer  *layer,
                       GError   **error)
{
  const NnShape *out = &layer->node->shape;
  gint axis = layer->node->attrs.axis < 0 ? layer->node->attrs.axis + (gint) out->rank : layer->node->attrs.axis;
  gsize after = 1, along;
  gboolean done = TRUE;
  Operand so_far;

  if (layer->node->n_inputs < 2 || axis < 0 || axis >= (gint) out->rank)
    return hls_layer_unsupported (layer, "there is nothing to concatenate", error);
  for (guint d = (guint) axis + 1; d < out->rank; d++)
    after *= (gsize) out->dims[d];
  along = (gsize) nn_graph_node (emit->graph, layer->node->inputs[0])->shape.dims[axis];
  operand_of_input (emit, layer, 0, &so_far);
  for (guint k = 1; k < layer->node->n_inputs && done; k++)
    done = concatenate_step (emit, layer, k, after, &along,
                             (gsize) nn_graph_node (emit->graph, layer->node->inputs[k])->shape.dims[axis], &so_far, error);
  operand_clear (&so_far);
  if (!done)
    return FALSE;
  hls_layer_copies (emit, layer);
  g_string_append_c (emit->calls, '\n');
  return TRUE;
}

/* Where the products of input @k lie: of each output the first, and how far on the others are. */
static void
product_places (HlsEmit        *emit,
                const HlsLayer *layer,
                const NnEinsum *sum,
                guint           k)
{
  gsize n = nn_einsum_inner (sum);
  g_autofree guint32 *first = g_new (guint32, MAX (layer->count, 1)), *step = g_new (guint32, MAX (n, 1));
  g_autofree char *first_name = g_strdup_printf ("first%u_%u", k + 1, layer->number);
  g_autofree char *step_name = g_strdup_printf ("step%u_%u", k + 1, layer->number);

  for (gsize i = 0; i < layer->count; i++)
    first[i] = (guint32) nn_einsum_first (sum, k, i);
  for (gsize i = 0; i < n; i++)
    step[i] = (guint32) nn_einsum_offset (sum, k, i);
  hls_emit_indices (emit, first_name, layer->label, first, layer->count);
  hls_emit_indices (emit, step_name, layer->label, step, n);
  g_string_append_printf (emit->configs,
                          "    static unsigned first%u(unsigned o) { return %s[o]; }\n"
                          "    static unsigned step%u(unsigned k) { return %s[k]; }\n",
                          k + 1, first_name, k + 1, step_name);
}

/* Dot products, matrix products and Einstein sums of two activations. */
gboolean
hls_write_products (HlsEmit   *emit,
                    HlsLayer  *layer,
                    GError   **error)
{
  NnEinsum sum;

  if (layer->node->attrs.normalize || layer->node->n_inputs != 2 ||
      !nn_product_sum (layer->node, &nn_graph_node (emit->graph, layer->node->inputs[0])->shape,
                       &nn_graph_node (emit->graph, layer->node->inputs[1])->shape, &sum))
    return hls_layer_unsupported (layer, "only plain products of two inputs that fit are supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  hls_layer_begin (emit, layer);
  hls_layer_field (emit, "n_in1", hls_layer_input_count (emit, layer, 0));
  hls_layer_field (emit, "n_in2", hls_layer_input_count (emit, layer, 1));
  hls_layer_field (emit, "n_out", layer->count);
  hls_layer_field (emit, "n_summed", nn_einsum_inner (&sum));
  hls_layer_field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
  hls_layer_type_field (emit, layer, "accum_t");
  for (guint k = 0; k < 2; k++)
    g_string_append_printf (emit->configs, "    static const bool bits%u = %s;\n", k + 1, is_bit (emit, layer, k) ? "true" : "false");
  for (guint k = 0; k < 2; k++)
    product_places (emit, layer, &sum, k);
  hls_layer_end (emit);
  layer->n_multipliers = nn_einsum_inner (&sum);
  hls_layer_call (emit, layer, "layer2", "nnet::products", NULL);
  return TRUE;
}

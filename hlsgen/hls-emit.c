/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a design to a project: names, types, layers in order, then the files around them. */

#include "hls-emit-private.h"

#include "hls-project-private.h"
#include "nn-error.h"
#include "nn-rng.h"
#include "nn-text.h"

#include <string.h>

#define MADE_UP_VECTORS 8
#define MADE_UP_NUMBERS 1000000 /* of all inputs of all vectors, but for the first vector: a test bench must not become huge */
#define VECTOR_SEED 1

/* Words that a top function or a variable must not be called. */
static const char *const reserved[] = {
  "alignas", "alignof", "and", "asm", "auto", "bool", "break", "case", "catch", "char", "class", "component", "config", "const",
  "constexpr", "continue", "default", "delete", "do", "double", "else", "enum", "explicit", "export", "extern", "false",
  "float", "for", "friend", "goto", "hls", "if", "inline", "input_t", "int", "kernel", "long", "main", "mutable", "namespace",
  "new", "nnet", "not", "operator", "or", "private", "protected", "public", "register", "result_t", "return", "short",
  "signed", "sizeof", "static", "std", "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "typename",
  "union", "unsigned", "using", "virtual", "void", "volatile", "while", "xor",
  /* and variables of the test bench and of wrappers, where ports have the names they have inside */
  "batch", "c", "differences", "expectations", "expected", "features", "i", "in", "input_data", "inputs", "largest", "line", "log",
  "out", "output_data", "outputs", "packet", "samples", NULL,
};

static char *
identifier (const char *name)
{
  g_autofree char *id = nn_text_identifier (name);

  /* names that begin with an underscore, or are words of the language, are the compiler's */
  if (*id == '_' || g_strv_contains (reserved, id))
    return g_strdup_printf ("n_%s", id + (*id == '_'));
  return g_steal_pointer (&id);
}

/* Whether all that read node @i take in the whole sample before they begin, whatever its packets are. */
static gboolean
is_read_whole (const HlsEmit *emit,
               guint          i)
{
  guint n;
  const guint *readers = nn_graph_consumers (emit->graph, i, &n);

  for (guint k = 0; k < n; k++)
    {
      const NnNode *reader = nn_graph_node (emit->graph, readers[k]);

      if (reader->op == NN_OP_DROPOUT || reader->op == NN_OP_FLATTEN || reader->op == NN_OP_RESHAPE
            ? !is_read_whole (emit, readers[k])
            : reader->op != NN_OP_DENSE)
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_view (const HlsEmit *emit,
         const NnNode  *node,
         guint          i)
{
  const HlsLayer *source;

  if (node->op == NN_OP_DROPOUT)
    return TRUE;
  if (node->op != NN_OP_FLATTEN && node->op != NN_OP_RESHAPE)
    return FALSE;
  source = hls_emit_source (emit, node->inputs[0]);
  if (!emit->stream || (gsize) nn_shape_last (&node->shape) == source->packet)
    return TRUE;
  return node->shape.rank <= 1 && is_read_whole (emit, i);
}

static void
name_layer (HlsEmit  *emit,
            HlsLayer *layer,
            guint     n_inputs,
            guint     n_outputs)
{
  const HlsLayer *source;

  if (layer->node->op == NN_OP_INPUT)
    {
      layer->value = identifier (layer->node->name);
      layer->type = n_inputs == 1 ? g_strdup ("input_t") : g_strdup_printf ("input%u_t", layer->number);
    }
  else if (layer->alias != layer->number)
    {
      source = hls_emit_source (emit, layer->number);
      layer->value = g_strdup (source->value);
      layer->type = g_strdup (source->type);
      layer->packet = source->packet;
    }
  else
    {
      layer->value = g_strdup_printf ("layer%u_out", layer->number);
      layer->type = g_strdup_printf ("layer%u_t", layer->number);
    }
}

/* A name as it may stand in a comment or a table: one line, nothing that continues it or ends a cell. */
static char *
label (const char *name)
{
  char *text = g_utf8_make_valid (name, -1);

  for (char *c = text; *c != '\0'; c++)
    if ((guchar) *c < ' ' || *c == '\\' || *c == '|' || *c == '?' || *c == 127)
      *c = '_';
  return text;
}

/* Who reads what, once renamings are followed; a port is a reader too. */
static void
count_readers (HlsEmit *emit)
{
  guint n;
  const guint *outputs = nn_graph_outputs (emit->graph, &n);

  for (guint i = 0; i < emit->n_layers; i++)
    if (emit->layers[i].alias == i)
      for (guint k = 0; k < emit->layers[i].node->n_inputs; k++)
        ((HlsLayer *) hls_emit_source (emit, emit->layers[i].node->inputs[k]))->n_readers++;
  for (guint k = 0; k < n; k++)
    ((HlsLayer *) hls_emit_source (emit, outputs[k]))->n_readers++;
}

/* A port is either an input or one layer's output. */
static gboolean
check_outputs (const HlsEmit  *emit,
               GError        **error)
{
  guint n;
  const guint *outputs = nn_graph_outputs (emit->graph, &n);

  for (guint k = 0; k < n; k++)
    {
      const HlsLayer *source = hls_emit_source (emit, outputs[k]);

      if (source->node->op == NN_OP_INPUT)
        {
          g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "output \"%s\" is input \"%s\" itself: there is nothing to compute",
                       nn_graph_node (emit->graph, outputs[k])->name, source->node->name);
          return FALSE;
        }
      for (guint j = 0; j < k; j++)
        if (hls_emit_source (emit, outputs[j]) == source)
          {
            g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "outputs \"%s\" and \"%s\" are the same values; leave one of them out",
                         nn_graph_node (emit->graph, outputs[j])->name, nn_graph_node (emit->graph, outputs[k])->name);
            return FALSE;
          }
    }
  return TRUE;
}

static gboolean
make_layers (HlsEmit  *emit,
             GError  **error)
{
  guint n_inputs, n_outputs;

  nn_graph_inputs (emit->graph, &n_inputs);
  nn_graph_outputs (emit->graph, &n_outputs);
  emit->n_layers = nn_graph_n_nodes (emit->graph);
  emit->layers = g_new0 (HlsLayer, emit->n_layers);
  for (guint i = 0; i < emit->n_layers; i++)
    {
      HlsLayer *layer = &emit->layers[i];

      layer->number = i;
      layer->alias = i;
      layer->label = label (nn_graph_node (emit->graph, i)->name);
      layer->class_label = label (nn_graph_node (emit->graph, i)->class_name);
      layer->node = nn_graph_node (emit->graph, i);
      layer->plan = nn_design_plan (emit->design, i);
      layer->count = nn_shape_count (&layer->node->shape);
      layer->packet = (guint) MAX (nn_shape_last (&layer->node->shape), 1);
      if (is_view (emit, layer->node, i))
        layer->alias = layer->node->inputs[0];
      name_layer (emit, layer, n_inputs, n_outputs);
      if (layer->alias == i)
        {
          g_autofree char *type = NULL;

          if (!hls_type_check (&layer->plan->result, layer->node->name, "result", error))
            return FALSE;
          type = emit->backend->type (&layer->plan->result);
          g_string_append_printf (emit->types, "// %s (%s)\ntypedef %s %s;\n", layer->label, layer->class_label, type,
                                  layer->type);
          if (emit->stream)
            g_string_append_printf (emit->types, "typedef nnet::array<%s, %u> %s_packet;\n", layer->type, layer->packet, layer->type);
        }
    }
  count_readers (emit);
  return check_outputs (emit, error);
}

/* Two input layers whose names differ only in what an identifier cannot have, or that look like our own names. */
static void
tell_inputs_apart (HlsEmit *emit)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < emit->n_layers; i++)
    {
      HlsLayer *layer = &emit->layers[i];

      if (layer->node->op != NN_OP_INPUT)
        continue;
      if (g_str_has_prefix (layer->value, "layer") || g_str_equal (layer->value, emit->name) || !g_hash_table_add (seen, layer->value))
        {
          g_autofree char *old = layer->value;

          layer->value = g_strdup_printf ("%s_input%u", old, i);
          g_hash_table_add (seen, layer->value);
        }
    }
}

static void
free_vectors (NnTensor **tensors,
              guint      n)
{
  for (guint k = 0; k < n && tensors != NULL; k++)
    nn_tensor_unref (tensors[k]);
  g_free (tensors);
}

static gsize
n_made_up (const HlsEmit *emit)
{
  guint n;
  const guint *inputs = nn_graph_inputs (emit->graph, &n);
  gsize numbers = 0;

  for (guint k = 0; k < n; k++)
    numbers += nn_shape_count (&nn_graph_node (emit->graph, inputs[k])->shape);
  return CLAMP (MADE_UP_NUMBERS / MAX (numbers, 1), 1, MADE_UP_VECTORS);
}

/* Normally distributed numbers, which suit standardised data. */
static NnTensor **
make_up_inputs (const HlsEmit *emit,
                gsize          n_vectors)
{
  guint n;
  const guint *inputs = nn_graph_inputs (emit->graph, &n);
  NnTensor **tensors = g_new0 (NnTensor *, n);
  NnRng rng;

  nn_rng_init (&rng, VECTOR_SEED);
  for (guint k = 0; k < n; k++)
    {
      const NnShape *sample = &nn_graph_node (emit->graph, inputs[k])->shape;
      NnShape shape = { .rank = sample->rank + 1, .dims = { (gint64) n_vectors } };

      memcpy (shape.dims + 1, sample->dims, sample->rank * sizeof *sample->dims);
      tensors[k] = nn_tensor_new (NN_DTYPE_F64, &shape);
      for (gsize i = 0; i < tensors[k]->n; i++)
        nn_tensor_f64 (tensors[k])[i] = nn_rng_normal (&rng);
    }
  return tensors;
}

static gboolean
emit_vectors (HlsEmit           *emit,
              const HlsVectors  *vectors,
              GError           **error)
{
  guint n_inputs, n_outputs;
  HlsVectors made = { .n = n_made_up (emit) };
  NnTensor **inputs, **outputs;

  if (vectors != NULL)
    {
      hls_emit_test_bench (emit, vectors);
      return TRUE;
    }
  nn_graph_inputs (emit->graph, &n_inputs);
  nn_graph_outputs (emit->graph, &n_outputs);
  inputs = make_up_inputs (emit, made.n);
  outputs = nn_fixed_predict (emit->design, inputs, NULL, NULL, NULL, error);
  if (outputs != NULL)
    {
      made.inputs = inputs;
      made.expected = outputs;
      hls_emit_test_bench (emit, &made);
    }
  free_vectors (inputs, n_inputs);
  free_vectors (outputs, n_outputs);
  return outputs != NULL;
}

static gboolean
emit_all (HlsEmit           *emit,
          const HlsVectors  *vectors,
          GError           **error)
{
  if (!hls_interface_choose (emit, error) || !make_layers (emit, error))
    return FALSE;
  tell_inputs_apart (emit);
  hls_emit_style (emit);
  for (guint i = 0; i < emit->n_layers; i++)
    if (!hls_emit_layer (emit, &emit->layers[i], error))
      return FALSE;
  if (!hls_emit_firmware (emit, error) || !emit_vectors (emit, vectors, error))
    return FALSE;
  hls_interface_write (emit);
  emit->backend->scripts (emit);
  hls_emit_readme (emit);
  return TRUE;
}

static void
clear (HlsEmit *emit)
{
  for (guint i = 0; i < emit->n_layers; i++)
    {
      g_free (emit->layers[i].label);
      g_free (emit->layers[i].class_label);
      g_free (emit->layers[i].value);
      g_free (emit->layers[i].type);
      g_free (emit->layers[i].kernel);
    }
  g_free (emit->layers);
  g_free (emit->name);
  g_string_free (emit->types, TRUE);
  g_string_free (emit->configs, TRUE);
  g_string_free (emit->includes, TRUE);
  g_string_free (emit->calls, TRUE);
  g_string_free (emit->blocks, TRUE);
  g_string_free (emit->generated, TRUE);
  g_string_free (emit->memories, TRUE);
}

/**
 * hls_project_new:
 * @vectors: (nullable): for the test bench; %NULL to make some up and have the bit-accurate engine answer them
 *
 * Writes the whole project in memory. Equal designs give equal bytes.
 *
 * Errors: %HLS_ERROR_UNSUPPORTED for what the backend has no kernel for; those of nn_fixed_predict()
 *
 * Returns: (transfer full): the project
 */
HlsProject *
hls_project_new (const NnDesign    *design,
                 const HlsVectors  *vectors,
                 GError           **error)
{
  g_autoptr (HlsProject) project = hls_project_empty ();
  const NnConfig *config = nn_design_config (design);
  HlsEmit emit = { .project = project,
                   .design = design,
                   .model = nn_design_model (design),
                   .backend = hls_backend (nn_config_backend (config)),
                   .stream = nn_config_io_type (config) == NN_IO_STREAM,
                   .types = g_string_new (NULL),
                   .configs = g_string_new (NULL),
                   .includes = g_string_new (NULL),
                   .calls = g_string_new (NULL),
                   .blocks = g_string_new (NULL),
                   .generated = g_string_new (NULL),
                   .memories = g_string_new (NULL) };
  gboolean done;

  emit.graph = nn_model_graph (emit.model);
  emit.name = identifier (nn_config_project (config) != NULL ? nn_config_project (config) : "myproject");
  done = emit_all (&emit, vectors, error);
  if (done)
    {
      hls_project_seal (project);
      hls_lint_project (&emit);
    }
  clear (&emit);
  if (!done)
    return NULL;
  return g_steal_pointer (&project);
}

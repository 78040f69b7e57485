/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of an ONNX network's operators: each after those that make what it reads. Most files are written so. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

/* Which operator makes each value. %FALSE where two make one. */
static gboolean
find_makers (NnOnnx            *onnx,
             Onnx__GraphProto  *graph,
             GHashTable        *makers,
             GError           **error)
{
  for (gsize i = 0; i < graph->n_node; i++)
    for (gsize k = 0; k < graph->node[i]->n_output; k++)
      {
        const char *name = graph->node[i]->output[k];
        const Onnx__NodeProto *other;

        if (name[0] == '\0')
          continue;
        if (g_hash_table_contains (makers, name))
          {
            other = graph->node[GPOINTER_TO_SIZE (g_hash_table_lookup (makers, name))];
            g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                         "%s: the value \"%s\" is made twice, by the operators \"%s\" (%s) and \"%s\" (%s); each value needs a name of its own",
                         onnx->file, name, other->name != NULL ? other->name : "", other->op_type != NULL ? other->op_type : "?",
                         graph->node[i]->name != NULL ? graph->node[i]->name : "", graph->node[i]->op_type != NULL ? graph->node[i]->op_type : "?");
            return FALSE;
          }
        g_hash_table_insert (makers, (gpointer) name, GSIZE_TO_POINTER (i));
      }
  return TRUE;
}

/* The operator that makes what @op reads at @input. */
static gboolean
maker_of (GHashTable  *makers,
          const char  *input,
          gsize       *maker)
{
  gpointer found;

  if (input[0] == '\0' || !g_hash_table_lookup_extended (makers, input, NULL, &found))
    return FALSE;
  *maker = GPOINTER_TO_SIZE (found);
  return TRUE;
}

static gboolean
is_ordered (const Onnx__GraphProto *graph,
            GHashTable             *makers)
{
  gsize maker;

  for (gsize i = 0; i < graph->n_node; i++)
    for (gsize k = 0; k < graph->node[i]->n_input; k++)
      if (maker_of (makers, graph->node[i]->input[k], &maker) && maker >= i)
        return FALSE;
  return TRUE;
}

/* One operator after those before it, without recursion: a network may be deep. @state: 0 not met, 1 waits, 2 done */
static gboolean
place (NnOnnx            *onnx,
       Onnx__GraphProto  *graph,
       GHashTable        *makers,
       gsize              first,
       guint8            *state,
       GPtrArray         *ordered,
       GError           **error)
{
  g_autoptr (GArray) waiting = g_array_new (FALSE, FALSE, sizeof (gsize));

  g_array_append_val (waiting, first);
  while (waiting->len > 0)
    {
      gsize i = g_array_index (waiting, gsize, waiting->len - 1), maker = 0;
      Onnx__NodeProto *op = graph->node[i];
      gboolean ready = TRUE;

      state[i] = MAX (state[i], 1);
      for (gsize k = 0; ready && state[i] == 1 && k < op->n_input; k++)
        {
          if (!maker_of (makers, op->input[k], &maker) || state[maker] == 2)
            continue;
          if (state[maker] == 1)
            {
              g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                           "%s: the operator \"%s\" (%s) reads \"%s\", which is made of its own result: operators may not go in a circle",
                           onnx->file, nn_onnx_out (op, 0), op->op_type != NULL ? op->op_type : "?", op->input[k]);
              return FALSE;
            }
          g_array_append_val (waiting, maker);
          ready = FALSE;
        }
      if (!ready)
        continue;
      if (state[i] == 1)
        g_ptr_array_add (ordered, op);
      state[i] = 2;
      g_array_set_size (waiting, waiting->len - 1);
    }
  return TRUE;
}

/**
 * nn_onnx_order:
 * @graph: its operators are put into an order in which they can be read, where they are in none
 *
 * Errors: %NN_ERROR_FORMAT where operators go in a circle, or two make one value
 */
gboolean
nn_onnx_order (NnOnnx            *onnx,
               Onnx__GraphProto  *graph,
               GError           **error)
{
  g_autoptr (GHashTable) makers = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) ordered = g_ptr_array_new ();
  g_autofree guint8 *state = NULL;

  if (!find_makers (onnx, graph, makers, error))
    return FALSE;
  if (is_ordered (graph, makers))
    return TRUE;
  state = g_new0 (guint8, graph->n_node + 1);
  for (gsize i = 0; i < graph->n_node; i++)
    if (!place (onnx, graph, makers, i, state, ordered, error))
      return FALSE;
  memcpy (graph->node, ordered->pdata, graph->n_node * sizeof *graph->node);
  return TRUE;
}

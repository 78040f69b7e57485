/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's If, where the file itself decides which branch is taken: that is read in its place. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

/* Branches within branches. */
#define MAX_DEPTH 16

/* What a branch reads from outside of it counts as read by the operator around it. */
void
nn_onnx_note_uses (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   guint             depth)
{
  for (guint i = 0; i < op->n_input; i++)
    {
      GPtrArray *uses = g_hash_table_lookup (onnx->uses, op->input[i]);

      if (uses == NULL)
        {
          uses = g_ptr_array_new ();
          g_hash_table_insert (onnx->uses, op->input[i], uses);
        }
      g_ptr_array_add (uses, op);
    }
  for (guint i = 0; depth < MAX_DEPTH && i < op->n_attribute; i++)
    {
      Onnx__GraphProto *graph = op->attribute[i]->g;

      for (gsize k = 0; graph != NULL && k < graph->n_node; k++)
        nn_onnx_note_uses (onnx, graph->node[k], depth + 1);
      /* what a branch answers is no one operator's alone */
      for (gsize k = 0; graph != NULL && k < graph->n_output; k++)
        if (graph->output[k]->name != NULL)
          g_hash_table_add (onnx->outputs, graph->output[k]->name);
    }
}

static gboolean
read_branch (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             Onnx__GraphProto *branch,
             GError          **error)
{
  if (branch == NULL || branch->n_output < op->n_output)
    return nn_load_unsupported (error, "its branch is missing, or answers less than it should");
  if (!nn_onnx_read_initializers (onnx, branch, NULL, error))
    return FALSE;
  for (gsize i = 0; i < branch->n_node; i++)
    if (!nn_onnx_read_op (onnx, branch->node[i], error))
      return FALSE;
  for (gsize k = 0; k < op->n_output; k++)
    {
      const char *name = branch->output[k]->name;

      if (name == NULL || g_hash_table_lookup (onnx->values, name) == NULL)
        return nn_load_unsupported (error, "nothing in its branch makes \"%s\"", name != NULL ? name : "");
      if (!nn_onnx_run (onnx, "Identity", op->output[k], name, NULL, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
nn_onnx_read_if (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 GError          **error)
{
  const NnOnnxValue *condition = nn_onnx_input (onnx, op, 0);
  Onnx__AttributeProto *branch;
  gboolean ok;

  if (condition == NULL || condition->constant == NULL || condition->constant->n != 1)
    return nn_load_unsupported (error, "its condition depends on the data; export the network without control flow");
  branch = nn_onnx_attribute (op, nn_tensor_get (condition->constant, 0) != 0 ? "then_branch" : "else_branch");
  if (onnx->depth == MAX_DEPTH)
    return nn_load_unsupported (error, "branches are nested more than %d deep", MAX_DEPTH);
  onnx->depth++;
  ok = read_branch (onnx, op, branch != NULL ? branch->g : NULL, error);
  onnx->depth--;
  return ok;
}

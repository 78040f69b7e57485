/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks from bytes: either there is one, whose every node can be looked at, or an error that says why. */

#pragma once

#include "fuzz.h"

#include "nn-load-private.h"

static inline int
fuzz_model (NnModel *model, /* (transfer full) (nullable) */
            GError **error)
{
  g_assert_true ((model == NULL) == (*error != NULL));
  for (guint i = 0; model != NULL && i < nn_graph_n_nodes (nn_model_graph (model)); i++)
    {
      const NnNode *node = nn_graph_node (nn_model_graph (model), i);

      g_assert_nonnull (node->name);
      nn_model_parameters (model, node);
      nn_model_zeros (model, node);
      nn_node_multiplications (model, node);
    }
  nn_model_unref (model);
  return 0;
}

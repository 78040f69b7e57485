/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which groups to keep: a knapsack with several resources, solved to a proven gap. */

#pragma once

#include "nn-progress.h"

G_BEGIN_DECLS

#define NN_KNAPSACK_MAX_RESOURCES 8

typedef enum {
  NN_KNAPSACK_OPTIMAL,    /* gap 0 is proven */
  NN_KNAPSACK_GAP,        /* a gap is proven: the one asked for, or what was left when the search had gone as far as it goes */
  NN_KNAPSACK_TIME_LIMIT, /* best so far, with its gap */
  NN_KNAPSACK_CANCELLED,  /* the same */
  NN_KNAPSACK_INFEASIBLE, /* what must be kept is beyond the budget */
} NnKnapsackStatus;

/**
 * NnKnapsackProblem:
 * @n: items
 * @n_resources: 1 to %NN_KNAPSACK_MAX_RESOURCES
 * @values: (array length=n): what keeping an item is worth, >= 0
 * @costs: (array): n x n_resources, >= 0
 * @budget: (array length=n_resources)
 * @pin: (nullable) (array length=n): +1 in, -1 out, 0 free
 */
typedef struct {
  gsize         n;
  guint         n_resources;
  const double *values;
  const double *costs;
  const double *budget;
  const gint8  *pin;
} NnKnapsackProblem;

typedef struct {
  double gap;        /* relative, 0 for proven optimality */
  double time_limit; /* seconds, 0 for none */
} NnKnapsackOptions;

/**
 * NnKnapsackResult:
 * @keep: (array): one byte an item
 * @value: of the items kept
 * @bound: no selection is worth more
 * @gap: (bound - value) / bound
 * @price: shadow price of each resource: what one more unit is worth
 */
typedef struct {
  NnKnapsackStatus status;
  guint8          *keep;
  gsize            n_kept;
  double           value;
  double           bound;
  double           gap;
  double           used[NN_KNAPSACK_MAX_RESOURCES];
  double           price[NN_KNAPSACK_MAX_RESOURCES];
  double           seconds;
} NnKnapsackResult;

void              nn_knapsack_options_init (NnKnapsackOptions       *options);
NnKnapsackResult *nn_knapsack_solve        (const NnKnapsackProblem *problem,
                                            const NnKnapsackOptions *options,
                                            GCancellable            *cancellable,
                                            GError                 **error) G_GNUC_WARN_UNUSED_RESULT;
void              nn_knapsack_result_free  (NnKnapsackResult        *result);
const char       *nn_knapsack_status_name  (NnKnapsackStatus         status); /* "optimal", "gap", ... */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnKnapsackResult, nn_knapsack_result_free)

G_END_DECLS

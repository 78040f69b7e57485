/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of its options each item takes: a multiple-choice knapsack with several resources, solved to a proven gap. */

#pragma once

#include "nn-knapsack.h"

G_BEGIN_DECLS

/**
 * NnChoiceProblem:
 * @n: items; each takes exactly one of its options
 * @first: (array length=n+1): where an item's options begin; each has one at least
 * @n_resources: 1 to %NN_KNAPSACK_MAX_RESOURCES
 * @values: (array): of each option, >= 0
 * @costs: (array): options x n_resources, >= 0
 * @budget: (array length=n_resources)
 */
typedef struct {
  gsize         n;
  const gsize  *first;
  guint         n_resources;
  const double *values;
  const double *costs;
  const double *budget;
} NnChoiceProblem;

/**
 * NnChoiceResult:
 * @chosen: (array): index of each item's option, in the numbering of `first`
 * @value: of the options chosen
 * @bound: no choice is worth more
 * @gap: (bound - value) / bound
 * @price: shadow price of each resource
 */
typedef struct {
  NnKnapsackStatus status;
  gsize           *chosen;
  double           value;
  double           bound;
  double           gap;
  double           used[NN_KNAPSACK_MAX_RESOURCES];
  double           price[NN_KNAPSACK_MAX_RESOURCES];
  double           seconds;
} NnChoiceResult;

NnChoiceResult *nn_choice_solve       (const NnChoiceProblem   *problem,
                                       const NnKnapsackOptions *options,
                                       GCancellable            *cancellable,
                                       GError                 **error) G_GNUC_WARN_UNUSED_RESULT;
void            nn_choice_result_free (NnChoiceResult          *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnChoiceResult, nn_choice_result_free)

G_END_DECLS

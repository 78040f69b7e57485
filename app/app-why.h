/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a group of weights was kept or cut: what it was worth when that was decided, against the price of its hardware. */

#pragma once

#include "app-state.h"
#include "app-job.h"

G_BEGIN_DECLS

/**
 * AppWhy:
 * @kept: in the step shown
 * @step: in which it was decided: the one that cut it, or the one shown
 * @value: importance of the group when it was decided
 * @cost: what its hardware takes
 * @price: what that hardware was worth to the best use of it, in the same units
 */
typedef struct {
  gboolean    kept;
  guint       step;
  double      value, price;
  NnResources cost;
} AppWhy;

/* About the weight at @index of the tensor @weight, in the step that @state shows. Result: AppWhy. */
AppJob     *app_why_job  (const AppState *state,
                          guint           weight,
                          guint           index);
const char *app_why_text (const AppWhy   *why);

G_END_DECLS

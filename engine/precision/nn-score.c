/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scores of answers and of cost. */

#include "nn-score.h"

#include "nn-error.h"
#include "nn-exec.h"

#include <math.h>

static gsize
largest (const NnTensor *tensor,
         gsize           row,
         gsize           n)
{
  gsize best = 0;

  for (gsize k = 1; k < n; k++)
    if (nn_tensor_get (tensor, row * n + k) > nn_tensor_get (tensor, row * n + best))
      best = k;
  return best;
}

/* The class of a row: the largest output, or whether a single one is above a half. */
static gsize
row_class (const NnTensor *tensor,
           gsize           row,
           gsize           n)
{
  return n > 1 ? largest (tensor, row, n) : nn_tensor_get (tensor, row) >= 0.5;
}

static double
agreement (const NnTensor *outputs,
           const NnTensor *wanted)
{
  gsize rows = (gsize) outputs->shape.dims[0], n = outputs->n / rows, m = wanted->n / rows, equal = 0;

  for (gsize r = 0; r < rows; r++)
    equal += row_class (outputs, r, n) == row_class (wanted, r, m);
  return (double) equal / (double) rows;
}

static double
determination (const NnTensor *outputs,
               const NnTensor *wanted)
{
  double mean = 0, error = 0, deviation = 0;

  for (gsize k = 0; k < wanted->n; k++)
    mean += nn_tensor_get (wanted, k) / (double) wanted->n;
  for (gsize k = 0; k < wanted->n; k++)
    {
      double w = nn_tensor_get (wanted, k), e = nn_tensor_get (outputs, k) - w;

      error += e * e;
      deviation += (w - mean) * (w - mean);
    }
  return deviation > 0 ? 1 - error / deviation : error == 0;
}

double
nn_score_outputs (const NnScoring  *scoring,
                  NnTensor *const  *outputs)
{
  const NnTensor *out = outputs[0], *wanted = scoring->targets != NULL ? scoring->targets : scoring->reference[0];

  if (scoring->targets != NULL ? scoring->is_classes : nn_shape_last (&out->shape) > 1)
    return agreement (out, wanted);
  return determination (out, wanted);
}

gboolean
nn_scoring_init (NnScoring         *scoring,
                 const NnModel     *model,
                 NnTensor *const   *inputs,
                 const NnTensor    *targets,
                 gboolean           is_classes,
                 GCancellable      *cancellable,
                 GError           **error)
{
  *scoring = (NnScoring){ .model = model, .inputs = inputs, .targets = targets, .is_classes = is_classes };
  scoring->reference = nn_predict (model, inputs, NULL, NULL, cancellable, error);
  if (scoring->reference == NULL)
    return FALSE;
  if (scoring->reference[0] == NULL || scoring->reference[0]->n == 0 ||
      (targets != NULL && (targets->shape.dims[0] != scoring->reference[0]->shape.dims[0] ||
                           (!is_classes && targets->n != scoring->reference[0]->n))))
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "the targets do not fit the network's outputs");
      nn_scoring_clear (scoring);
      return FALSE;
    }
  scoring->float_score = nn_score_outputs (scoring, scoring->reference);
  return TRUE;
}

void
nn_scoring_clear (NnScoring *scoring)
{
  nn_tensors_free (scoring->reference);
  scoring->reference = NULL;
}

double
nn_score_cost (const NnDesign *design)
{
  static const NnResource counted[] = { NN_RESOURCE_DSP, NN_RESOURCE_BRAM, NN_RESOURCE_LUT, NN_RESOURCE_FF };
  g_autoptr (NnEstimate) estimate = nn_estimate (design, NULL, NULL);
  double cost = 0;

  if (estimate == NULL)
    return NAN;
  for (guint k = 0; k < G_N_ELEMENTS (counted); k++)
    {
      double have = estimate->part != NULL ? estimate->part->total.amount[counted[k]] : -1;

      if (have > 0)
        cost += estimate->total.resource[counted[k]].value / have / G_N_ELEMENTS (counted);
    }
  return cost;
}

gboolean
nn_scoring_score (const NnScoring   *scoring,
                  const NnConfig    *config,
                  double            *score,
                  double            *cost,
                  GCancellable      *cancellable,
                  GError           **error)
{
  g_autoptr (NnDesign) design = nn_design_new (scoring->model, config, error);
  NnTensor **outputs;

  if (design == NULL)
    return FALSE;
  outputs = nn_fixed_predict (design, scoring->inputs, NULL, NULL, cancellable, error);
  if (outputs == NULL)
    return FALSE;
  *score = nn_score_outputs (scoring, outputs);
  if (cost != NULL)
    *cost = nn_score_cost (design);
  nn_tensors_free (outputs);
  return TRUE;
}

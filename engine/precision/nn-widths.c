/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scan and search of widths. */

#include "nn-widths.h"

#include "nn-error.h"
#include "nn-profile.h"
#include "nn-score.h"

#include <math.h>
#include <string.h>

#define WIDEST 24
#define NARROWEST 2

static void
set_default (NnConfig *config,
             NnType    type)
{
  g_hash_table_insert (nn_config_model (config)->precision, g_strdup ("default"), g_memdup2 (&type, sizeof type));
}

/**
 * nn_width_scan:
 *
 * Source: hls4ml paper (arXiv:2103.05579), Fig. 4: accuracy after quantisation without training over the width
 *
 * Returns: (transfer full): one point a width
 */
NnWidthScan *
nn_width_scan (const NnModel     *model,
               const NnConfig    *config,
               NnTensor *const   *inputs,
               const NnTensor    *targets,
               gboolean           is_classes,
               int                first,
               int                last,
               int                integer,
               const NnProgress  *progress,
               GCancellable      *cancellable,
               GError           **error)
{
  g_autoptr (NnWidthScan) scan = g_new0 (NnWidthScan, 1);
  NnScoring scoring;
  gboolean done = TRUE;

  if (first < 1 || last > NN_TYPE_MAX_WIDTH || first > last)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "widths go from 1 to %d", NN_TYPE_MAX_WIDTH);
      return NULL;
    }
  if (!nn_scoring_init (&scoring, model, inputs, targets, is_classes, cancellable, error))
    return NULL;
  scan->float_score = scoring.float_score;
  scan->points = g_new0 (NnWidthPoint, (gsize) (last - first + 1));
  for (int width = first; done && width <= last; width++)
    {
      g_autoptr (NnConfig) trial = nn_config_copy (config);
      const NnType *old = g_hash_table_lookup (nn_config_model (config)->precision, "default");
      NnWidthPoint *point = &scan->points[scan->n];

      nn_progress_report (progress, (double) (width - first) / (last - first + 1), "scanning widths");
      point->type = old != NULL ? *old : NN_FIXED (16, 6);
      point->type.width = width;
      point->type.integer = integer;
      set_default (trial, point->type);
      done = nn_scoring_score (&scoring, trial, &point->score, &point->cost, cancellable, error);
      scan->n += done;
    }
  nn_scoring_clear (&scoring);
  return done ? g_steal_pointer (&scan) : NULL;
}

void
nn_width_scan_free (NnWidthScan *scan)
{
  if (scan == NULL)
    return;
  g_free (scan->points);
  g_free (scan);
}

/* What can be made narrower: one variable of one layer. */
typedef struct {
  char       *layer;
  const char *variable;
  NnType      type;
  gboolean    done;
} Knob;

static void
knob_clear (gpointer data)
{
  g_free (((Knob *) data)->layer);
}

static void
apply_knob (NnConfig   *config,
            const Knob *knob,
            int         less)
{
  NnType type = knob->type;

  type.width -= less;
  g_hash_table_insert (nn_config_layer (config, knob->layer)->precision, g_strdup (knob->variable), g_memdup2 (&type, sizeof type));
}

static GArray *
list_knobs (const NnConfig  *config,
            const NnProfile *observed)
{
  GArray *knobs = g_array_new (FALSE, FALSE, sizeof (Knob));

  g_array_set_clear_func (knobs, knob_clear);
  for (guint i = 0; i < observed->n; i++)
    {
      const NnProfileTensor *t = &observed->tensors[i];
      NnType type;

      if (!nn_config_has_precision (config, t->layer, NULL, t->variable, &type) || type.kind != NN_TYPE_FIXED ||
          strcmp (t->variable, "bias") == 0)
        continue;
      g_array_append_val (knobs, ((Knob){ .layer = g_strdup (t->layer), .variable = t->variable, .type = type }));
    }
  return knobs;
}

/* The narrowest common width that is good enough, from which the knobs are then turned one by one. */
static NnConfig *
common_width (const NnConfig    *config,
              const NnProfile   *observed,
              const NnScoring   *scoring,
              double             wanted,
              NnWidthProposal   *proposal,
              GCancellable      *cancellable,
              GError           **error)
{
  g_autoptr (NnConfig) best = NULL;
  int low = NARROWEST, high = WIDEST;

  while (low <= high)
    {
      int width = best == NULL ? high : (low + high) / 2;
      g_autoptr (NnConfig) trial = nn_config_copy (config);
      double score, cost;

      nn_propose_types (trial, observed, width);
      if (!nn_scoring_score (scoring, trial, &score, &cost, cancellable, error))
        return NULL;
      proposal->n_tried++;
      if (score >= wanted || best == NULL)
        {
          nn_config_unref (best);
          best = g_steal_pointer (&trial);
          proposal->first_width = width;
          proposal->first_score = score;
          proposal->first_cost = cost;
          high = width - 1;
          if (score < wanted)
            break; /* not even the widest is */
        }
      else
        low = width + 1;
    }
  return g_steal_pointer (&best);
}

/* One bit off the knob that saves most, again and again, while the answers stay good enough. */
static gboolean
turn_knobs (NnWidthProposal   *proposal,
            GArray            *knobs,
            const NnScoring   *scoring,
            double             wanted,
            const NnProgress  *progress,
            GCancellable      *cancellable,
            GError           **error)
{
  for (;;)
    {
      Knob *chosen = NULL;
      double chosen_cost = proposal->cost, chosen_score = 0;

      nn_progress_report (progress, -1, "narrowing one tensor after the other");
      for (guint k = 0; k < knobs->len; k++)
        {
          Knob *knob = &g_array_index (knobs, Knob, k);
          g_autoptr (NnConfig) trial = NULL;
          double score, cost;

          if (knob->done || knob->type.width <= NARROWEST)
            continue;
          trial = nn_config_copy (proposal->config);
          apply_knob (trial, knob, 1);
          if (!nn_scoring_score (scoring, trial, &score, &cost, cancellable, error))
            return FALSE;
          proposal->n_tried++;
          if (score < wanted)
            knob->done = TRUE; /* narrower still would hardly be better */
          else if (chosen == NULL || cost < chosen_cost)
            chosen = knob, chosen_cost = cost, chosen_score = score;
        }
      if (chosen == NULL)
        return TRUE;
      apply_knob (proposal->config, chosen, 1);
      chosen->type.width--;
      proposal->cost = chosen_cost;
      proposal->score = chosen_score;
    }
}

/**
 * nn_propose_widths:
 * @loss: of the score against float's that is allowed: 0.01 for a percent of accuracy
 *
 * Returns: (transfer full): found by search, with no claim that nothing is cheaper
 */
NnWidthProposal *
nn_propose_widths (const NnModel     *model,
                   const NnConfig    *config,
                   NnTensor *const   *inputs,
                   const NnTensor    *targets,
                   gboolean           is_classes,
                   double             loss,
                   const NnProgress  *progress,
                   GCancellable      *cancellable,
                   GError           **error)
{
  g_autoptr (NnWidthProposal) proposal = g_new0 (NnWidthProposal, 1);
  g_autoptr (NnConfig) by_name = nn_config_copy (config);
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnProfile) observed = NULL;
  g_autoptr (GArray) knobs = NULL;
  NnScoring scoring;
  gboolean done;

  nn_config_set_granularity (by_name, NN_GRANULARITY_NAME);
  design = nn_design_new (model, by_name, error);
  observed = design != NULL ? nn_observe_ranges (design, inputs, progress, cancellable, error) : NULL;
  if (observed == NULL || !nn_scoring_init (&scoring, model, inputs, targets, is_classes, cancellable, error))
    return NULL;
  proposal->float_score = scoring.float_score;
  proposal->config = common_width (by_name, observed, &scoring, scoring.float_score - loss, proposal, cancellable, error);
  proposal->score = proposal->first_score;
  proposal->cost = proposal->first_cost;
  done = proposal->config != NULL;
  if (done && proposal->score >= scoring.float_score - loss)
    {
      knobs = list_knobs (proposal->config, observed);
      done = turn_knobs (proposal, knobs, &scoring, scoring.float_score - loss, progress, cancellable, error);
    }
  nn_scoring_clear (&scoring);
  return done ? g_steal_pointer (&proposal) : NULL;
}

void
nn_width_proposal_free (NnWidthProposal *proposal)
{
  if (proposal == NULL)
    return;
  nn_config_unref (proposal->config);
  g_free (proposal);
}

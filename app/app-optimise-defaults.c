/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of Optimize suits a network, its data and its part. */

#include "app-optimise.h"

#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

/* A step should not take much longer than this, on a machine that trains at this pace (docs/benchmarks.md). */
#define STEP_SECONDS 8
#define MACS_PER_SECOND 2.5e9
/* Forward, and backward to the weights and to the inputs. */
#define PASSES 3
#define MIN_EPOCHS 1
#define MAX_EPOCHS 15
/* Whole memory words are coarser than multipliers: they are pruned only where memory is clearly what runs out. */
#define MUCH_SCARCER 1.5
/* Below this scatter of the validation accuracy (one standard deviation, relative) a tolerance of 1 % can be told from chance. */
#define TOLERANCE 0.01
#define MAX_TOLERANCE 0.05

/* Of the part, NaN where it is not known. */
static double
share_of (const AppAnalysis *analysis,
          NnResource         resource)
{
  double used = app_analysis_total (analysis, resource), all = analysis->part != NULL ? analysis->part->total.amount[resource] : -1;

  return all > 0 ? used / all : NAN;
}

/* Multipliers where there are any, memories with them where they are scarcer; logic where products are so narrow that they
 * need no multiplier. */
static guint
find_objective (const AppAnalysis *analysis)
{
  double dsp = app_analysis_total (analysis, NN_RESOURCE_DSP), bram = app_analysis_total (analysis, NN_RESOURCE_BRAM);

  if (!(dsp > 0))
    return bram > 0 && share_of (analysis, NN_RESOURCE_BRAM) > share_of (analysis, NN_RESOURCE_LUT) ? 1u << NN_RESOURCE_BRAM : 1u << NN_RESOURCE_LUT;
  if (bram > 0 && share_of (analysis, NN_RESOURCE_BRAM) > MUCH_SCARCER * share_of (analysis, NN_RESOURCE_DSP))
    return 1u << NN_RESOURCE_DSP | 1u << NN_RESOURCE_BRAM;
  return 1u << NN_RESOURCE_DSP;
}

static double
epoch_seconds (const AppAnalysis *analysis,
               const NnDataset   *data)
{
  double macs = 0;

  for (guint i = 0; i < analysis->n_layers; i++)
    macs += analysis->layers[i].multiplications;
  return PASSES * macs * nn_dataset_n (data, NN_SPLIT_TRAIN) / MACS_PER_SECOND;
}

/* A loss that the size of the validation part lets one see: two standard deviations of an accuracy of nine in ten. */
static double
find_tolerance (const NnDataset *data)
{
  gsize n = nn_dataset_n (data, NN_SPLIT_VALIDATION);
  double scatter = n > 0 ? sqrt (0.9 * 0.1 / n) / 0.9 : 0;

  return CLAMP (ceil (200 * scatter) / 100, TOLERANCE, MAX_TOLERANCE);
}

/* The fewest weights to one multiplier with which the network fits its part; 0 where it fits as it is, or never will. */
static guint
find_sharing (const AppAnalysis *analysis)
{
  double dsp = share_of (analysis, NN_RESOURCE_DSP);
  guint reuse = nn_config_reuse (analysis->config, NULL, NULL);

  if (!(dsp > 1) || reuse > 1)
    return 0;
  return dsp <= 2 ? 2 : 4;
}

static const char *
objective_words (guint objective)
{
  return objective == 1u << NN_RESOURCE_LUT ? _("logic") : objective == 1u << NN_RESOURCE_BRAM ? _("memories")
         : objective == 1u << NN_RESOURCE_DSP ? _("multipliers") : _("multipliers and memories");
}

static char *
find_reason (const AppOptimiseChoices *choices,
             const AppAnalysis        *analysis,
             const NnDataset          *data,
             guint                     sharing)
{
  NnResource first = choices->objective >> NN_RESOURCE_DSP & 1 ? NN_RESOURCE_DSP
                     : choices->objective >> NN_RESOURCE_BRAM & 1 ? NN_RESOURCE_BRAM : NN_RESOURCE_LUT;
  double share = share_of (analysis, first);
  g_autofree char *percent = isfinite (share) ? app_format_percent (share, 1) : NULL;
  g_autofree char *time = app_format_duration (MAX (choices->epochs * epoch_seconds (analysis, data), 1));
  g_autofree char *count = app_format_count (app_analysis_total (analysis, first));
  g_autofree char *use = percent != NULL ? g_strdup_printf (_("The network takes %s %s, %s of the part."), count, app_resource_title (first), percent)
                                         : g_strdup_printf (_("The network takes %s %s."), count, app_resource_title (first));
  g_autofree char *plan = g_strdup_printf (_("Proposed: save %s, fine-tune %u epochs a step (about %s)."), objective_words (choices->objective),
                                           choices->epochs, time);

  return g_strdup_printf ("%s %s%s%s", use, plan, sharing > 0 ? " " : "", sharing > 0 ? _("Multipliers are shared, as it does not fit otherwise.") : "");
}

char *
app_optimise_choices_for (AppOptimiseChoices *choices,
                          const AppAnalysis  *analysis,
                          const NnDataset    *data,
                          guint              *sharing)
{
  guint reuse = find_sharing (analysis);

  choices->objective = find_objective (analysis);
  choices->tolerance = find_tolerance (data);
  choices->epochs = CLAMP (floor (STEP_SECONDS / MAX (epoch_seconds (analysis, data), 1e-6)), MIN_EPOCHS, MAX_EPOCHS);
  if (sharing != NULL)
    *sharing = reuse;
  return find_reason (choices, analysis, data, reuse);
}

/* What the network uses of it now, negative where that is not known. */
static double
used_now (const AppAnalysis *analysis,
          NnObjective        objective)
{
  const NnEstimate *estimate = analysis->estimate;
  double used = 0;

  if (objective < NN_OBJECTIVE_PARAMETERS)
    return app_analysis_total (analysis, (NnResource) objective);
  for (guint i = 0; i < analysis->n_layers; i++)
    used += analysis->layers[i].parameters - analysis->layers[i].zeros;
  switch (objective)
    {
    case NN_OBJECTIVE_PARAMETERS: return used;
    case NN_OBJECTIVE_BOPS: return estimate != NULL ? estimate->total.bops : -1;
    case NN_OBJECTIVE_ENERGY: return estimate != NULL ? estimate->total.energy_nj.value : -1;
    case NN_OBJECTIVE_LATENCY: return estimate != NULL ? estimate->total.latency.value : -1;
    default: return -1;
    }
}

void
app_optimise_choices_limit (AppOptimiseChoices *choices,
                            const AppAnalysis  *analysis)
{
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    {
      gboolean wanted = choices->goal != APP_GOAL_TOLERANCE && (choices->objective >> j & 1) && analysis != NULL;
      double now = wanted ? used_now (analysis, j) : -1;
      double all = wanted && j < NN_N_RESOURCES && analysis->part != NULL ? analysis->part->total.amount[j] : -1;
      double whole = choices->goal == APP_GOAL_SHARE_OF_NOW ? now : all;

      choices->limits[j] = whole > 0 ? choices->share * whole : -1;
    }
}

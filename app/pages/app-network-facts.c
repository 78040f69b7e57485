/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the inspector tells of a layer, or of the network as a whole. */

#include "app-network-page-private.h"

#include "app-figures.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

static void
add_figure (AppNetworkPage *self,
            const char     *title,
            double          now,
            double          before,
            const char     *text)
{
  g_autofree char *change = isfinite (before) && before != now ? app_format_change (before, now) : NULL;
  g_autofree char *value = change != NULL ? g_strdup_printf ("%s  (%s)", text, change) : g_strdup (text);

  app_rows_add (self->facts, title, value);
}

/* What became of the layer on its way to the hardware. */
static void
add_passes (AppNetworkPage    *self,
            const AppAnalysis *analysis,
            const NnNode      *node)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *text = NULL;
  guint n;
  const NnPass *passes = nn_passes (&n);

  for (guint i = 0; i < n; i++)
    if (g_strv_contains (nn_design_pass_layers (analysis->design, i), node->name))
      g_ptr_array_add (names, (gpointer) passes[i].name);
  if (names->len == 0)
    return;
  g_ptr_array_add (names, NULL);
  text = g_strjoinv (", ", (char **) names->pdata);
  app_rows_add (self->facts, _("Graph passes"), text);
}

static void
fill_layer_facts (AppNetworkPage *self,
                  const NnNode   *node)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  const AppErrors *errors = app_document_errors (document);
  guint i = self->layer;
  g_autofree char *shape = app_format_shape (&node->shape);

  app_rows_add (self->facts, _("Output"), shape);
  if (analysis == NULL || i >= analysis->n_layers)
    return;
  for (AppMetric m = APP_METRIC_DSP; m < APP_METRIC_ERROR; m++)
    {
      double value = app_figures_value (analysis, i, m);
      double before = base != NULL && i < base->n_layers && m != APP_METRIC_PARAMETERS ? app_figures_value (base, i, m) : NAN;
      g_autofree char *text = m == APP_METRIC_SPARSITY ? app_format_percent (value, 1) : app_format_count (value);

      if (isfinite (value))
        add_figure (self, app_metric_title (m), value, m == APP_METRIC_SPARSITY ? NAN : before, text);
    }
  if (errors != NULL && i < errors->n_layers && isfinite (errors->layers[i]))
    {
      g_autofree char *text = app_format_percent (errors->layers[i], 3);

      app_rows_add (self->facts, _("Error of fixed point"), text);
    }
  if (analysis->layers[i].multiplications > 0)
    {
      g_autofree char *count = app_format_count (analysis->layers[i].multiplications);

      app_rows_add (self->facts, _("Multiplications"), count);
    }
  if (analysis->layers[i].n_groups > 0)
    {
      g_autofree char *kept = g_strdup_printf (_("%zu of %zu"), analysis->layers[i].n_kept, analysis->layers[i].n_groups);

      app_rows_add (self->facts, _("Groups kept"), kept);
    }
  if (analysis->design != NULL)
    add_passes (self, analysis, node);
  if (analysis->design != NULL && analysis->layers[i].main >= 0)
    {
      const NnLayerPlan *plan = nn_design_plan (analysis->design, analysis->layers[i].main);
      const struct { const char *title; const NnType *type; } types[] = {
        { _("Weight type"), &plan->weight }, { _("Bias type"), &plan->bias }, { _("Accumulator"), &plan->accum }, { _("Result"), &plan->result },
      };

      for (guint k = 0; k < G_N_ELEMENTS (types); k++)
        {
          g_autofree char *text = app_format_type (types[k].type);

          app_rows_add (self->facts, types[k].title, text);
        }
    }
}

static void
fill_network_facts (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  gsize parameters = 0, multiplications = 0;

  if (analysis == NULL)
    return;
  for (guint i = 0; i < analysis->n_layers; i++)
    {
      parameters += analysis->layers[i].parameters;
      multiplications += analysis->layers[i].multiplications;
    }
  {
    g_autofree char *p = app_format_count (parameters), *m = app_format_count (multiplications);
    g_autofree char *n = app_format_count (analysis->n_layers);

    app_rows_add (self->facts, _("Layers"), n);
    app_rows_add (self->facts, _("Parameters"), p);
    app_rows_add (self->facts, _("Multiplications"), m);
  }
  for (guint r = 0; analysis->estimate != NULL && r < NN_RESOURCE_URAM; r++)
    {
      double now = app_analysis_total (analysis, r), before = app_analysis_total (base, r);
      g_autofree char *text = app_format_count (now);

      add_figure (self, app_resource_title (r), now, before, text);
    }
  if (analysis->estimate != NULL)
    {
      g_autofree char *cycles = app_format_count (analysis->estimate->total.latency.value);
      g_autofree char *text = g_strdup_printf (_("%s cycles, %.0f ns"), cycles, analysis->estimate->total.latency_ns);

      app_rows_add (self->facts, _("Latency"), text);
    }
}

void
app_network_page_fill_facts (AppNetworkPage *self,
                             const NnNode   *node)
{
  app_rows_clear (self->facts);
  if (node != NULL)
    fill_layer_facts (self, node);
  else
    fill_network_facts (self);
}

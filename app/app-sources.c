/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages show in their figures. */

#include "app-sources.h"

/* Of ordinary text, which rows are laid out in. */
#define TEXT_PX 14.0
#define BARS_MARGIN 8

static AppScene *
layout_plot (gconstpointer  data,
             const AppView *view)
{
  return app_plot_layout (data, view);
}

static AppTable *
table_plot (gconstpointer data)
{
  return app_plot_table (data);
}

static AppScene *
layout_bars (gconstpointer  data,
             const AppView *view)
{
  return app_bars_layout (data, view);
}

static AppTable *
table_bars (gconstpointer data)
{
  return app_bars_table (data);
}

static AppScene *
layout_network (gconstpointer  data,
                const AppView *view)
{
  return app_network_layout (data, view);
}

static AppTable *
table_network (gconstpointer data)
{
  return app_network_table (data);
}

static AppScene *
layout_spans (gconstpointer  data,
              const AppView *view)
{
  return app_spans_layout (data, view);
}

static AppTable *
table_spans (gconstpointer data)
{
  return app_spans_table (data);
}

static const AppChartSource plot_source = { .layout = layout_plot, .table = table_plot };
static const AppChartSource bars_source = { .layout = layout_bars, .table = table_bars };
static const AppChartSource network_source = { .layout = layout_network, .table = table_network };
static const AppChartSource spans_source = { .layout = layout_spans, .table = table_spans };

void
app_figure_show_plot (AppFigure *figure,
                      AppPlot   *plot)
{
  app_figure_set_source (figure, plot != NULL ? &plot_source : NULL, plot, (GDestroyNotify) app_plot_free);
}

void
app_figure_show_bars (AppFigure *figure,
                      AppBars   *bars)
{
  if (bars != NULL)
    app_chart_set_natural_height (app_figure_chart (figure), app_bars_height (bars, TEXT_PX) + BARS_MARGIN);
  app_figure_set_source (figure, bars != NULL ? &bars_source : NULL, bars, (GDestroyNotify) app_bars_free);
}

void
app_figure_show_network (AppFigure  *figure,
                         AppNetwork *network)
{
  app_figure_set_source (figure, network != NULL ? &network_source : NULL, network, (GDestroyNotify) app_network_free);
}

void
app_figure_show_spans (AppFigure *figure,
                       AppSpans  *spans)
{
  gtk_widget_set_visible (GTK_WIDGET (figure), spans != NULL);
  if (spans != NULL)
    app_chart_set_natural_height (app_figure_chart (figure), app_spans_height (spans, TEXT_PX));
  app_figure_set_source (figure, spans != NULL ? &spans_source : NULL, spans, NULL);
}

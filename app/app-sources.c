/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages show in their figures. */

#include "app-sources.h"

/* Of ordinary text, which rows are laid out in. */
#define TEXT_PX 14.0
#define BARS_MARGIN 8

/* A chart's functions take their data as what they are; a source hands them on as a pointer to anything. */
#define DEFINE_SOURCE(chart)                                                                                               \
  static AppScene *chart##_layout (gconstpointer data, const AppView *view) { return app_##chart##_layout (data, view); } \
  static AppTable *chart##_table (gconstpointer data) { return app_##chart##_table (data); }                              \
  static const AppChartSource chart##_source = { .layout = chart##_layout, .table = chart##_table };

DEFINE_SOURCE (plot)
DEFINE_SOURCE (bars)
DEFINE_SOURCE (network)
DEFINE_SOURCE (spans)

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

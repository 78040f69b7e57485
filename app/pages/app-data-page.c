/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data, and how well the network does on it. */

#include "app-data-page.h"

#include "app-axis.h"
#include "app-format.h"
#include "app-sources.h"
#include "layout-heatmap.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_PREVIEW 24
#define MAX_FEATURES 64
#define MAX_ROC_POINTS 400
#define MAX_CLASSES 20
#define FIGURE_HEIGHT 320
#define PICTURE_ROWS 3
#define PICTURE_COLS 6
/* Smaller ones, or of more channels, are no pictures but tables. */
#define MIN_PICTURE 8
#define MAX_CHANNELS 4

struct _AppDataPage {
  AppPage parent;

  /* template children */
  GtkStack   *stack;
  GtkBox     *split;
  GtkFlowBox *flow;
  AppFigure  *confusion_figure, *roc_figure, *classes_figure, *preview_figure;
  GtkWidget  *sidebar;
  GtkLabel   *name_label;
  GtkListBox *facts, *quality;
};

G_DEFINE_FINAL_TYPE (AppDataPage, app_data_page, APP_TYPE_PAGE)

static AppScene *
layout_map (gconstpointer  data,
            const AppView *view)
{
  return app_heatmap_layout (data, view);
}

static AppTable *
table_map (gconstpointer data)
{
  const AppHeatmap *map = data;
  AppTable *table = app_table_new (map->y_title, NULL);

  for (gsize c = 0; c < map->grid->n_cols; c++)
    g_ptr_array_add (table->columns, map->x_names != NULL ? g_strdup (map->x_names[c]) : g_strdup_printf ("%zu", c));
  for (gsize r = 0; r < map->grid->n_rows; r++)
    {
      char **cells = g_new0 (char *, map->grid->n_cols + 2);

      cells[0] = map->y_names != NULL ? g_strdup (map->y_names[r]) : g_strdup_printf ("%zu", r);
      for (gsize c = 0; c < map->grid->n_cols; c++)
        cells[c + 1] = app_number (map->grid->values[r * map->grid->n_cols + c], 5);
      app_table_take_v (table, r * map->grid->n_cols, cells);
    }
  return table;
}

static char *
tip_map (gconstpointer data,
         gint64        id)
{
  const AppHeatmap *map = data;
  gsize r = id / map->grid->n_cols, c = id % map->grid->n_cols;
  g_autofree char *value = app_number (map->grid->values[id], 5);

  if (map->y_names != NULL && map->x_names != NULL)
    return g_strdup_printf (_("%s taken for %s: %s"), map->y_names[r], map->x_names[c], value);
  if (map->grid->block != NULL)
    return map->grid->block[id] < 0 ? NULL : g_strdup_printf (_("sample %d: %s"), map->grid->block[id], value);
  return g_strdup_printf (_("sample %zu, feature %zu: %s"), r, c, value);
}

static const AppChartSource map_source = { .layout = layout_map, .table = table_map, .tip = tip_map };

static char *
class_name (const NnDataset *data,
            guint            c)
{
  const char *const *names = nn_dataset_class_names (data);

  return names != NULL && c < g_strv_length ((char **) names) ? g_strdup (names[c]) : g_strdup_printf ("%u", c);
}

static char **
class_names (const NnDataset *data,
             guint            n)
{
  char **names = g_new0 (char *, n + 1);

  for (guint c = 0; c < n; c++)
    names[c] = class_name (data, c);
  return names;
}

static AppHeatmap *
confusion (const AppEvaluation *evaluation,
           const NnDataset     *data)
{
  guint n = evaluation->metrics->n_classes;
  AppGrid *grid = app_grid_new (n, n, FALSE, FALSE);
  AppHeatmap *map;

  for (guint k = 0; k < n * n; k++)
    grid->values[k] = evaluation->metrics->confusion[k];
  grid->sequential = TRUE;
  grid->counts = TRUE;
  app_grid_seal (grid);
  map = app_heatmap_new (grid, _("Predicted class"), _("True class"));
  map->x_names = class_names (data, n);
  map->y_names = class_names (data, n);
  map->max_cell = 64;
  return map;
}

static AppPlot *
roc (const AppEvaluation *evaluation,
     const NnDataset     *data)
{
  AppPlot *plot = app_plot_new (_("False positives (%)"), _("True positives (%)"));

  plot->empty = g_strdup (_("ROC curves need classes."));
  for (guint c = 0; evaluation != NULL && c < MIN (6, evaluation->metrics->n_classes); c++)
    {
      g_autofree char *name = class_name (data, c);
      g_autofree char *auc = g_strdup_printf ("%s (%.3f)", name, evaluation->metrics->auc[c]);
      g_autoptr (GArray) fpr = NULL, tpr = NULL;
      AppPlotSeries *series = app_plot_add_series (plot, auc, c);

      series->line = TRUE;
      series->dashed = c % 2 == 1;
      nn_roc_curve (evaluation->predictions, nn_dataset_y (data, evaluation->split), c, &fpr, &tpr);
      for (guint i = 0; fpr != NULL && i < fpr->len; i += MAX (1, fpr->len / MAX_ROC_POINTS))
        app_plot_add_point (series, g_array_index (fpr, double, i) * 100, g_array_index (tpr, double, i) * 100, -1, NULL);
      app_plot_add_point (series, 100, 100, -1, NULL);
    }
  return plot;
}

static double
recall (const NnMetrics *metrics,
        guint            c)
{
  gsize all = 0;

  for (guint k = 0; k < metrics->n_classes; k++)
    all += metrics->confusion[c * metrics->n_classes + k];
  return all > 0 ? (double) metrics->confusion[c * metrics->n_classes + c] / all : NAN;
}

/* How many of each class are found: now, and before. */
static AppBars *
by_class (const AppEvaluation *evaluation,
          const AppEvaluation *base,
          const NnDataset     *data)
{
  gboolean both = base != NULL && base != evaluation && base->metrics->n_classes == evaluation->metrics->n_classes;
  AppBars *bars = both ? app_bars_new (_("Found now"), _("As loaded"), NULL) : app_bars_new (_("Found"), NULL);

  for (guint c = 0; c < MIN (MAX_CLASSES, evaluation->metrics->n_classes); c++)
    {
      g_autofree char *name = class_name (data, c);
      AppBarRow *row = app_bars_add (bars, name, 0, NULL);

      for (guint s = 0; s < (both ? 2 : 1); s++)
        {
          double value = recall (s == 0 ? evaluation->metrics : base->metrics, c);
          g_autofree char *text = app_format_percent (value, 1);

          app_bars_set (row, s, value, 0, 0, text);
        }
    }
  return bars;
}

/* Pictures side by side, each a block of its own; channels are shown as their mean. */
static AppHeatmap *
pictures (const NnTensor *x)
{
  gsize h = x->shape.dims[1], w = x->shape.dims[2], channels = x->shape.rank > 3 ? x->shape.dims[3] : 1;
  gsize n = MIN (PICTURE_ROWS * PICTURE_COLS, (gsize) x->shape.dims[0]), cols = MIN (PICTURE_COLS, n), rows = (n + cols - 1) / cols;
  AppGrid *grid = app_grid_new (rows * h, cols * w, FALSE, FALSE);

  app_grid_want_blocks (grid);
  for (gsize k = 0; k < rows * h * cols * w; k++)
    {
      gsize r = k / (cols * w), c = k % (cols * w), picture = r / h * cols + c / w;
      double sum = 0;

      for (gsize q = 0; picture < n && q < channels; q++)
        sum += nn_tensor_get (x, ((picture * h + r % h) * w + c % w) * channels + q);
      grid->values[k] = sum / channels;
      grid->block[k] = picture < n ? (gint32) picture : -1;
    }
  app_grid_seal (grid);
  return app_heatmap_new (grid, _("Column"), _("Row"));
}

static AppHeatmap *
preview (const NnDataset *data)
{
  NnTensor *x = nn_dataset_x (data, NN_SPLIT_TRAIN);
  gsize width = x != NULL && nn_dataset_n (data, NN_SPLIT_TRAIN) > 0 ? nn_tensor_row_size (x) : 0;
  gsize rows = MIN (N_PREVIEW, nn_dataset_n (data, NN_SPLIT_TRAIN)), cols = MIN (MAX_FEATURES, width);
  AppGrid *grid;

  if (width > 0 && x->shape.rank >= 3 && x->shape.rank <= 4 && MIN (x->shape.dims[1], x->shape.dims[2]) >= MIN_PICTURE
      && (x->shape.rank == 3 || x->shape.dims[3] <= MAX_CHANNELS))
    return pictures (x);
  grid = app_grid_new (rows, cols, FALSE, FALSE);
  for (gsize r = 0; r < rows; r++)
    for (gsize c = 0; c < cols; c++)
      grid->values[r * cols + c] = nn_tensor_get (x, r * width + c);
  app_grid_seal (grid);
  return app_heatmap_new (grid, _("Feature"), _("Sample"));
}

static void
fill_facts (AppDataPage     *self,
            const NnDataset *data)
{
  static const NnSplit splits[] = { NN_SPLIT_TRAIN, NN_SPLIT_VALIDATION, NN_SPLIT_TEST };
  const char *titles[] = { _("Training"), _("Validation"), _("Test") };
  g_autofree char *name = app_format_files (nn_dataset_source (data));
  NnTensor *y = nn_dataset_y (data, NN_SPLIT_TRAIN);
  g_autofree char *features = app_format_count (nn_tensor_row_size (nn_dataset_x (data, NN_SPLIT_TRAIN)));
  g_autofree char *outputs = app_format_count (nn_tensor_row_size (y));

  gtk_label_set_text (self->name_label, name);
  app_rows_clear (self->facts);
  for (guint s = 0; s < G_N_ELEMENTS (splits); s++)
    {
      g_autofree char *n = app_format_count (nn_dataset_n (data, splits[s]));

      app_rows_add (self->facts, titles[s], n);
    }
  app_rows_add (self->facts, _("Features"), features);
  app_rows_add (self->facts, nn_dataset_is_classes (data) ? _("Classes") : _("Outputs"), outputs);
  app_rows_add (self->facts, _("Standardized"), nn_dataset_mean (data) != NULL ? _("yes") : _("no"));
}

static void
fill_quality (AppDataPage         *self,
              const AppEvaluation *evaluation,
              const AppEvaluation *base)
{
  const NnMetrics *metrics = evaluation->metrics;
  g_autofree char *accuracy = metrics->is_classes ? app_format_accuracy (metrics->accuracy, TRUE) : app_number (metrics->mse, 5);
  g_autofree char *before = base != NULL ? metrics->is_classes ? app_format_accuracy (base->metrics->accuracy, TRUE)
                                                                : app_number (base->metrics->mse, 5) : NULL;
  g_autofree char *loss = app_number (metrics->loss, 4), *n = app_format_count (metrics->n);

  app_rows_clear (self->quality);
  app_rows_add (self->quality, metrics->is_classes ? _("Accuracy") : _("Mean squared error"), accuracy);
  if (before != NULL && base != evaluation)
    app_rows_add (self->quality, _("As loaded"), before);
  app_rows_add (self->quality, _("Loss"), loss);
  app_rows_add (self->quality, _("Samples"), n);
  if (metrics->is_classes && metrics->auc != NULL)
    {
      double mean = 0;
      g_autofree char *text = NULL;

      for (guint c = 0; c < metrics->n_classes; c++)
        mean += metrics->auc[c] / metrics->n_classes;
      text = app_number (mean, 4);
      app_rows_add (self->quality, _("Mean area under ROC"), text);
    }
}

static void
show_child (AppFigure *figure,
            gboolean   shown)
{
  gtk_widget_set_visible (gtk_widget_get_parent (GTK_WIDGET (figure)), shown);
  app_chart_set_natural_height (app_figure_chart (figure), FIGURE_HEIGHT);
}

static void
app_data_page_update (AppPage *page)
{
  AppDataPage *self = APP_DATA_PAGE (page);
  AppDocument *document = app_page_document (page);
  const NnDataset *data = app_document_state (document)->data;
  const AppEvaluation *evaluation = app_document_evaluation (document), *base = app_document_base_evaluation (document);
  gboolean classes = evaluation != NULL && evaluation->metrics->is_classes;

  gtk_stack_set_visible_child_name (self->stack, data != NULL ? "data" : "empty");
  if (data == NULL)
    return;
  fill_facts (self, data);
  app_figure_set_source (self->preview_figure, &map_source, preview (data), (GDestroyNotify) app_heatmap_free);
  show_child (self->preview_figure, TRUE);
  show_child (self->confusion_figure, classes);
  show_child (self->roc_figure, classes);
  show_child (self->classes_figure, classes);
  if (evaluation == NULL)
    return;
  fill_quality (self, evaluation, base);
  if (!classes)
    return;
  app_figure_set_source (self->confusion_figure, &map_source, confusion (evaluation, data), (GDestroyNotify) app_heatmap_free);
  app_figure_show_plot (self->roc_figure, roc (evaluation, data));
  app_figure_show_bars (self->classes_figure, by_class (evaluation, base, data));
}

static void
app_data_page_set_narrow (AppPage  *page,
                          gboolean  narrow)
{
  AppDataPage *self = APP_DATA_PAGE (page);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->split), narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : 336, narrow ? 220 : -1);
  gtk_flow_box_set_max_children_per_line (self->flow, narrow ? 1 : 2);
}

static void
app_data_page_dispose (GObject *object)
{
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_DATA_PAGE);
  G_OBJECT_CLASS (app_data_page_parent_class)->dispose (object);
}

static void
app_data_page_class_init (AppDataPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_data_page_dispose;
  APP_PAGE_CLASS (klass)->update = app_data_page_update;
  APP_PAGE_CLASS (klass)->set_narrow = app_data_page_set_narrow;
  g_type_ensure (APP_TYPE_FIGURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-data-page.ui");
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppDataPage, name)
  BIND (stack); BIND (split); BIND (flow); BIND (confusion_figure); BIND (roc_figure); BIND (classes_figure);
  BIND (preview_figure); BIND (sidebar); BIND (name_label); BIND (facts); BIND (quality);
#undef BIND
}

static void
app_data_page_init (AppDataPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

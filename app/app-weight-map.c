/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A weight tensor as a matrix. */

#include "app-weight-map.h"

#include "app-axis.h"
#include "app-optimise.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_BINS 41
#define MAX_TABLE_ROWS 5000
/* A line of multipliers is about this many times as long as all lines are high. */
#define LINE_ASPECT 1.7

/* By cell of the tensor: the group it is in. */
static gint32 *
groups_of (const AppAnalysis *analysis,
           guint              weight,
           gsize              n)
{
  const NnGroups *groups = analysis->groups;
  gint32 *of = g_new (gint32, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    of[i] = -1;
  for (gsize g = 0; groups != NULL && g < groups->n_groups && g < G_MAXINT32; g++)
    for (guint k = 0; groups->groups[g].weight == weight && k < groups->groups[g].n; k++)
      {
        guint32 i = groups->indices[groups->groups[g].first + k];

        if (i < n)
          of[i] = g;
      }
  return of;
}

/* The layer of the hardware that multiplies by the weight; -1 where none does. */
static int
hardware_layer_of (const AppAnalysis *analysis,
                   guint              layer,
                   guint              weight)
{
  const NnGroups *groups = analysis->groups;

  /* Attention and the like are several layers in hardware: the groups know which. */
  for (gsize g = 0; groups != NULL && g < groups->n_groups; g++)
    if (groups->groups[g].weight == weight)
      return (int) groups->groups[g].node;
  return analysis->layers[layer].main;
}

static void
set_cell (AppWeightMap   *map,
          AppGrid        *grid,
          const NnWeight *weight,
          const gint32   *group,
          gsize           cell,
          gsize           i)
{
  float value = nn_tensor_f32 (weight->values)[i];
  gboolean masked = weight->mask != NULL && nn_tensor_u8 (weight->mask)[i] == 0;
  gboolean gone = group[i] >= 0 && !map->analysis->groups->groups[group[i]].kept;

  map->index[cell] = i;
  grid->values[cell] = value;
  grid->group[cell] = group[i];
  if (masked || gone || (weight->mask == NULL && value == 0 && group[i] >= 0))
    grid->state[cell] = APP_CELL_PRUNED;
  if (map->pins != NULL && group[i] >= 0)
    {
      g_autofree char *key = app_pin_key (map->analysis->groups, &map->analysis->groups->groups[group[i]]);

      if (g_hash_table_contains (map->pins, key))
        grid->state[cell] |= APP_CELL_PINNED;
    }
}

/* Rows are inputs (kernel positions times channels), columns outputs. */
static AppGrid *
tensor_order (AppWeightMap   *map,
              const NnWeight *weight,
              const gint32   *group)
{
  AppGrid *grid = app_grid_new (map->n_in, map->n_out, TRUE, TRUE);

  map->index = g_new (gint64, MAX (map->n_in * map->n_out, 1));
  for (gsize i = 0; i < map->n_in * map->n_out; i++)
    set_cell (map, grid, weight, group, i, i);
  return grid;
}

/* One column a multiplier, read downwards cycle by cycle; lines are wrapped like those of a text. */
static AppGrid *
hardware_order (AppWeightMap   *map,
                const NnWeight *weight,
                const gint32   *group,
                guint           reuse)
{
  gboolean words = map->order == APP_ORDER_WORDS;
  gsize n = map->n_in * map->n_out, multipliers = (n + reuse - 1) / reuse;
  gsize wanted = ((gsize) ceil (sqrt (LINE_ASPECT * multipliers * reuse)) + 7) / 8 * 8, a_line = CLAMP (wanted, 1, multipliers);
  gsize whole = words ? (a_line + map->in_word - 1) / map->in_word * map->in_word : a_line;
  gsize lines;
  AppGrid *grid;

  a_line = whole; /* no word is broken over two lines */
  lines = (multipliers + a_line - 1) / a_line;
  grid = app_grid_new (lines * reuse, a_line, TRUE, TRUE);
  if (words)
    app_grid_want_blocks (grid);
  map->index = g_new (gint64, lines * reuse * a_line);
  for (gsize k = 0; k < lines * reuse * a_line; k++)
    map->index[k] = -1;
  for (gsize f = 0; f < n; f++)
    {
      gsize m = f / reuse, cell = (m / a_line * reuse + f % reuse) * a_line + m % a_line;

      set_cell (map, grid, weight, group, cell,
                nn_design_weight_index (map->analysis->design, (guint) map->hardware,
                                        nn_role_is_projection (map->role) ? NN_ROLE_KERNEL : map->role, f));
      if (words)
        grid->block[cell] = m / map->in_word;
    }
  return grid;
}

/* A kernel's rows and columns; 0 x 0 for a tensor that is no convolution's. */
static void
kernel_size (const NnNode  *node,
             const NnShape *shape,
             gsize         *rows,
             gsize         *cols)
{
  gboolean one = node->op == NN_OP_CONV1D || node->op == NN_OP_DEPTHWISE_CONV1D || node->op == NN_OP_SEPARABLE_CONV1D;
  gboolean two = node->op == NN_OP_CONV2D || node->op == NN_OP_DEPTHWISE_CONV2D || node->op == NN_OP_SEPARABLE_CONV2D;

  *rows = one && shape->rank == 3 ? 1 : two && shape->rank == 4 ? shape->dims[0] : 0;
  *cols = one && shape->rank == 3 ? shape->dims[0] : two && shape->rank == 4 ? shape->dims[1] : 0;
}

/* Small multiples: input channels downwards, output channels to the right, each cell of that table a kernel. */
static AppGrid *
kernel_order (AppWeightMap   *map,
              const NnWeight *weight,
              const gint32   *group)
{
  gsize rows, cols, channels;
  AppGrid *grid;

  kernel_size (map->node, &weight->values->shape, &rows, &cols);
  channels = map->n_in / (rows * cols);
  grid = app_grid_new (channels * rows, map->n_out * cols, TRUE, TRUE);
  app_grid_want_blocks (grid);
  map->index = g_new (gint64, map->n_in * map->n_out);
  for (gsize i = 0; i < map->n_in * map->n_out; i++)
    {
      gsize o = i % map->n_out, c = i / map->n_out % channels, place = i / map->n_out / channels;
      gsize cell = (c * rows + place / cols) * grid->n_cols + o * cols + place % cols;

      set_cell (map, grid, weight, group, cell, i);
      grid->block[cell] = c * map->n_out + o;
    }
  return grid;
}

static AppHeatmap *
make_kernels (const NnWeight *weight,
              const NnNode   *node,
              AppGrid        *grid)
{
  gsize rows, cols;
  g_autofree char *x = NULL;
  AppHeatmap *heatmap;

  kernel_size (node, &weight->values->shape, &rows, &cols);
  x = g_strdup_printf (_("Output channel (a kernel of %zu × %zu for each pair)"), rows, cols);
  heatmap = app_heatmap_new (grid, x, _("Input channel"));
  heatmap->x_block = cols;
  heatmap->y_block = rows;
  return heatmap;
}

static AppHeatmap *
make_map (AppWeightMap   *map,
          const NnWeight *weight,
          AppGrid        *grid,
          guint           reuse)
{
  g_autofree char *x = NULL;
  AppHeatmap *heatmap;

  app_grid_seal (grid);
  if (map->order == APP_ORDER_TENSOR)
    heatmap = app_heatmap_new (grid, _("Output"), _("Input"));
  else if (map->order == APP_ORDER_KERNELS)
    heatmap = make_kernels (weight, map->node, grid);
  else if (map->order == APP_ORDER_WORDS)
    {
      x = g_strdup_printf (_("Multiplier (%zu a line; the weights of %u share a memory word of %u bits)"), grid->n_cols, map->in_word,
                           map->word_bits);
      heatmap = app_heatmap_new (grid, x, _("Clock cycle"));
    }
  else
    {
      x = g_strdup_printf (_("Multiplier (%zu a line; a column of %u is one multiplier's work)"), grid->n_cols, reuse);
      heatmap = app_heatmap_new (grid, x, _("Clock cycle"));
    }
  heatmap->pruned_label = g_strdup (_("pruned"));
  return heatmap;
}

/* What there is for this layer of the order asked for. */
static AppWeightOrder
possible_order (AppWeightMap      *map,
                const NnWeight    *weight,
                const NnLayerPlan *plan,
                guint              reuse,
                AppWeightOrder     order)
{
  gboolean hardware = reuse > 0 && (map->role == NN_ROLE_KERNEL || map->role == NN_ROLE_RECURRENT_KERNEL || nn_role_is_projection (map->role))
                      && plan->n_in * (gsize) plan->n_out == weight->values->n;
  gboolean in_memory = hardware && reuse > 1
                       && (plan->strategy == NN_STRATEGY_RESOURCE || plan->strategy == NN_STRATEGY_RESOURCE_UNROLLED);
  gsize rows, cols;

  if (in_memory)
    {
      const NnType *type = map->role == NN_ROLE_RECURRENT_KERNEL ? &plan->recurrent_weight : &plan->weight;

      map->in_word = type->width > 0 ? nn_bram_word (type->width, &map->word_bits) : 0;
    }
  kernel_size (map->node, &weight->values->shape, &rows, &cols);
  switch (order)
    {
    case APP_ORDER_WORDS: return map->in_word > 0 ? APP_ORDER_WORDS : hardware ? APP_ORDER_HARDWARE : APP_ORDER_TENSOR;
    case APP_ORDER_KERNELS: return rows * cols > 0 && map->n_in % (rows * cols) == 0 ? APP_ORDER_KERNELS : APP_ORDER_TENSOR;
    case APP_ORDER_HARDWARE: return hardware ? APP_ORDER_HARDWARE : APP_ORDER_TENSOR;
    case APP_ORDER_TENSOR:
    default: return APP_ORDER_TENSOR;
    }
}

AppWeightMap *
app_weight_map_new (AppAnalysis    *analysis,
                    guint           layer,
                    NnRole          role,
                    AppWeightOrder  order,
                    GHashTable     *pins)
{
  AppWeightMap *map = g_new0 (AppWeightMap, 1);
  const NnNode *node = nn_graph_node (nn_model_graph (analysis->model), layer);
  const NnWeight *weight = nn_model_node_weight (analysis->model, node, role);
  const NnLayerPlan *plan = NULL;
  g_autofree gint32 *group = NULL;
  guint reuse = 0;

  map->analysis = app_analysis_ref (analysis);
  map->node = node;
  map->role = role;
  nn_model_node_weight_id (analysis->model, node, role, &map->weight);
  map->hardware = hardware_layer_of (analysis, layer, map->weight);
  if (analysis->design != NULL && map->hardware >= 0)
    {
      plan = nn_design_plan (analysis->design, (guint) map->hardware);
      reuse = role == NN_ROLE_RECURRENT_KERNEL ? plan->recurrent_reuse_factor : plan->reuse_factor;
    }
  map->n_out = nn_role_is_projection (role) && plan != NULL && plan->n_out > 0 ? plan->n_out : nn_shape_last (&weight->values->shape);
  map->n_in = weight->values->n / MAX (map->n_out, 1);
  group = groups_of (analysis, map->weight, weight->values->n);
  map->order = possible_order (map, weight, plan, reuse, order);
  map->pins = pins;
  map->map = make_map (map, weight, map->order == APP_ORDER_TENSOR ? tensor_order (map, weight, group)
                                    : map->order == APP_ORDER_KERNELS ? kernel_order (map, weight, group)
                                    : hardware_order (map, weight, group, reuse), reuse);
  return map;
}

typedef struct {
  AppAnalysis   *analysis;
  guint          layer;
  NnRole         role;
  AppWeightOrder order;
  GHashTable    *pins;
} Input;

static void
input_free (Input *input)
{
  app_analysis_unref (input->analysis);
  g_clear_pointer (&input->pins, g_hash_table_unref);
  g_free (input);
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  AppWeightMap *map = app_weight_map_new (input->analysis, input->layer, input->role, input->order, input->pins);

  map->pins = NULL;
  return map;
}

AppJob *
app_weight_map_job (AppAnalysis    *analysis,
                    guint           layer,
                    NnRole          role,
                    AppWeightOrder  order,
                    GHashTable     *pins)
{
  Input *input = g_new (Input, 1);

  *input = (Input) { app_analysis_ref (analysis), layer, role, order, pins != NULL ? g_hash_table_ref (pins) : NULL };
  return app_job_new (_("Arranging weights"), work, input, (GDestroyNotify) input_free, (GDestroyNotify) app_weight_map_free);
}

void
app_weight_map_free (AppWeightMap *map)
{
  app_heatmap_free (map->map);
  app_analysis_unref (map->analysis);
  g_free (map->index);
  g_free (map);
}

const NnGroup *
app_weight_map_group (const AppWeightMap *map,
                      gint64              id)
{
  const AppGrid *grid = map->map->grid;

  if (id < 0 || (gsize) id >= grid->n_rows * grid->n_cols || grid->group[id] < 0 || map->analysis->groups == NULL)
    return NULL;
  return &map->analysis->groups->groups[grid->group[id]];
}

char *
app_weight_map_tip (const AppWeightMap *map,
                    gint64              id)
{
  const AppGrid *grid = map->map->grid;
  g_autofree char *value = NULL, *where = NULL, *worth = NULL;
  const NnGroup *group;
  gint64 i;

  if (id < 0 || (gsize) id >= grid->n_rows * grid->n_cols || map->index[id] < 0)
    return NULL;
  i = map->index[id];
  value = app_number (grid->values[id], 5);
  where = g_strdup_printf (_("%s: input %zu, output %zu"), map->node->name, (gsize) i / map->n_out, (gsize) i % map->n_out);
  group = app_weight_map_group (map, id);
  if (group == NULL)
    return g_strdup_printf ("%s\n%s", where, value);
  worth = app_number (group->value, 3);
  return g_strdup_printf (_("%s\nvalue %s\ngroup %d of %u weights, importance %s\n%s"), where, value, grid->group[id], group->n, worth,
                          grid->state[id] & APP_CELL_PRUNED ? _("pruned") : _("kept"));
}

/* Groups, not single weights: what one would read aloud. */
AppTable *
app_weight_map_table (const AppWeightMap *map)
{
  AppTable *table = app_table_new (_("group"), _("weights"), _("importance"), _("multipliers"), _("state"), NULL);
  const NnGroups *groups = map->analysis->groups;
  guint rows = 0;

  for (gsize g = 0; groups != NULL && g < groups->n_groups && rows < MAX_TABLE_ROWS; g++)
    {
      const NnGroup *group = &groups->groups[g];

      if (group->weight != map->weight)
        continue;
      app_table_take (table, -1, g_strdup_printf ("%zu", g), g_strdup_printf ("%u", group->n), app_number (group->value, 4),
                      app_number (MAX (0, group->cost.amount[NN_RESOURCE_DSP]), 4), g_strdup (group->kept ? _("kept") : _("pruned")), NULL);
      rows++;
    }
  return table;
}

AppPlot *
app_weight_map_histogram (const AppWeightMap *map)
{
  const AppGrid *grid = map->map->grid;
  AppPlot *plot = app_plot_new (_("Value"), _("Weights"));
  AppPlotSeries *series = app_plot_add_series (plot, _("kept"), 0);
  gsize count[N_BINS] = { 0 }, pruned = 0;
  double limit = grid->limit, width = 2 * limit / N_BINS;

  series->bars = TRUE;
  series->bar_width = width;
  for (gsize k = 0; k < grid->n_rows * grid->n_cols; k++)
    if (map->index[k] >= 0 && (grid->state[k] & APP_CELL_PRUNED))
      pruned++;
    else if (map->index[k] >= 0)
      count[CLAMP ((int) ((grid->values[k] + limit) / width), 0, N_BINS - 1)]++;
  for (guint b = 0; b < N_BINS; b++)
    {
      double at = -limit + (b + 0.5) * width;
      g_autofree char *from = app_number (at - width / 2, 3), *to = app_number (at + width / 2, 3);
      g_autofree char *tip = g_strdup_printf (_("%s to %s: %zu weights"), from, to, count[b]);

      app_plot_add_point (series, at, count[b], b, tip);
    }
  plot->y_zero = TRUE;
  return plot;
}

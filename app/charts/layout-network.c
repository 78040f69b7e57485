/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layered drawing: longest path for the ranks, barycentres for the order within (Sugiyama, Tagawa and Toda 1981). */

#include "layout-network.h"

#include "paint-scene.h"

#include <math.h>

#define USUAL_TEXT 13.2 /* pixels; cards are drawn for this, and larger where text is */
#define CARD_W 256.0
#define CARD_H 74.0
#define GAP_X 36.0
#define GAP_Y 34.0
#define SWEEPS 8
#define MINIMAP_FROM 3.0 /* shown where the drawing is this much larger than the view */

AppNetwork *
app_network_new (guint n_nodes)
{
  AppNetwork *network = g_new0 (AppNetwork, 1);

  network->nodes = g_new0 (AppNetworkNode, MAX (n_nodes, 1));
  network->n_nodes = n_nodes;
  return network;
}

void
app_network_free (AppNetwork *network)
{
  for (guint i = 0; i < network->n_nodes; i++)
    {
      g_free (network->nodes[i].name);
      g_free (network->nodes[i].detail);
      g_free (network->nodes[i].figure);
      g_free (network->nodes[i].metric_text);
      g_free (network->nodes[i].problem);
      g_free (network->nodes[i].inputs);
    }
  g_free (network->nodes);
  g_free (network->metric_title);
  g_free (network->changed_title);
  g_free (network->metric_max);
  g_free (network);
}

static guint
n_ranks (const AppNetwork *network)
{
  guint n = 0;

  for (guint i = 0; i < network->n_nodes; i++)
    n = MAX (n, network->nodes[i].rank + 1);
  return n;
}

/* Mean place of the nodes that feed @i (or that it feeds), -1 where there are none. */
static double
barycentre (const AppNetwork *network,
            guint             i,
            gboolean          downwards)
{
  const AppNetworkNode *node = &network->nodes[i];
  double sum = 0;
  guint n = 0;

  for (guint k = 0; downwards && k < node->n_inputs; k++, n++)
    sum += network->nodes[node->inputs[k]].order;
  for (guint j = i + 1; !downwards && j < network->n_nodes; j++)
    for (guint k = 0; k < network->nodes[j].n_inputs; k++)
      if (network->nodes[j].inputs[k] == i)
        {
          sum += network->nodes[j].order;
          n++;
        }
  return n > 0 ? sum / n : -1;
}

typedef struct { guint node; double key; } Place;

static int
by_key (gconstpointer a,
        gconstpointer b)
{
  const Place *p = a, *q = b;

  if (p->key != q->key)
    return p->key < q->key ? -1 : 1;
  return p->node < q->node ? -1 : p->node > q->node;
}

static void
order_rank (AppNetwork *network,
            guint       rank,
            gboolean    downwards)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (Place));

  for (guint i = 0; i < network->n_nodes; i++)
    if (network->nodes[i].rank == rank)
      {
        double key = barycentre (network, i, downwards);
        Place place = { i, key >= 0 ? key : network->nodes[i].order };

        g_array_append_val (places, place);
      }
  g_array_sort (places, by_key);
  for (guint k = 0; k < places->len; k++)
    network->nodes[g_array_index (places, Place, k).node].order = k;
}

void
app_network_arrange (AppNetwork *network)
{
  g_autofree guint *count = NULL;
  guint n;

  for (guint i = 0; i < network->n_nodes; i++)
    {
      AppNetworkNode *node = &network->nodes[i];

      node->rank = 0;
      for (guint k = 0; k < node->n_inputs; k++)
        node->rank = MAX (node->rank, network->nodes[node->inputs[k]].rank + 1);
    }
  n = n_ranks (network);
  count = g_new0 (guint, n + 1);
  for (guint i = 0; i < network->n_nodes; i++)
    network->nodes[i].order = count[network->nodes[i].rank]++;
  /* A large graph gets fewer sweeps: each costs edges times nodes. */
  for (guint s = 0; s < (network->n_nodes > 400 ? 2 : SWEEPS); s++)
    for (guint r = 0; r < n; r++)
      order_rank (network, s % 2 == 0 ? r : n - 1 - r, s % 2 == 0);
}

static double
card_x (const AppNetworkNode *node,
        const guint          *count)
{
  return (node->order - (count[node->rank] - 1) / 2.0) * (CARD_W + GAP_X);
}

static double
card_y (const AppNetworkNode *node)
{
  return node->rank * (CARD_H + GAP_Y);
}

static void
add_edges (AppScene         *scene,
           const AppNetwork *network,
           const guint      *count)
{
  for (guint i = 0; i < network->n_nodes; i++)
    for (guint k = 0; k < network->nodes[i].n_inputs; k++)
      {
        const AppNetworkNode *from = &network->nodes[network->nodes[i].inputs[k]], *to = &network->nodes[i];
        AppPoint points[2] = { { card_x (from, count) + CARD_W / 2, card_y (from) + CARD_H },
                               { card_x (to, count) + CARD_W / 2, card_y (to) - 1 } };
        AppMark *mark;

        /* A long edge leaves sideways, so that it does not run through the cards between. */
        if (to->rank > from->rank + 1 && fabs (points[0].x - points[1].x) < 1)
          {
            double aside = points[0].x - CARD_W / 2 - GAP_X * 0.55;
            AppPoint long_way[4] = { points[0], { aside, card_y (from) + CARD_H + GAP_Y }, { aside, card_y (to) - GAP_Y },
                                     points[1] };

            mark = app_scene_line (scene, APP_INK (DIM), 1.5, long_way, 4);
          }
        else
          mark = app_scene_line (scene, APP_INK (DIM), 1.5, points, 2);
        mark->curve = TRUE;
        mark->arrow = TRUE;
      }
}

static void
add_card (AppScene             *scene,
          const AppNetwork     *network,
          guint                 i,
          const guint          *count)
{
  const AppNetworkNode *node = &network->nodes[i];
  double x = card_x (node, count), y = card_y (node);
  gboolean tinted = isfinite (node->metric);
  float shade = node->dimmed ? 0.35f : 0;
  g_autofree char *tip = g_strjoin ("\n", node->name, node->detail, node->problem != NULL ? node->problem : node->figure,
                                    tinted ? node->metric_text : NULL, NULL);
  AppMark *card = app_scene_rect (scene, i, x, y, CARD_W, CARD_H, APP_INK (SURFACE));
  AppInk text = { .role = node->problem != NULL ? APP_INK_BAD : APP_INK_TEXT, .alpha = shade };
  AppInk dim = { .role = APP_INK_DIM, .alpha = shade };

  card->radius = 10;
  card->stroke = node->problem != NULL ? APP_INK (BAD) : node->changed ? APP_INK (ACCENT) : APP_INK (RULE);
  card->line_width = node->changed || node->problem != NULL ? 2 : 1;
  card->hatch = node->problem != NULL;
  app_scene_tip (scene, card, tip);
  if (tinted)
    app_scene_rect (scene, -1, x + 0.5, y + 0.5, CARD_W - 1, CARD_H - 1,
                    (AppInk) { .role = APP_INK_RAMP, .t = 0.35f + 0.6f * MIN (node->metric, 1), .alpha = 0.13f })->radius = 10;
  app_scene_text (scene, node->name, x + 14, y + 17, 14, 0, text)->bold = TRUE;
  g_array_index (scene->marks, AppMark, scene->marks->len - 1).w = CARD_W - (tinted ? 88 : 28);
  if (tinted)
    app_scene_text (scene, node->metric_text, x + CARD_W - 12, y + 17, 12.5, 1, text);
  app_scene_text (scene, node->detail, x + 14, y + 36, 12, 0, dim)->w = CARD_W - 26;
  app_scene_text (scene, node->problem != NULL ? node->problem : node->figure, x + 14, y + 53, 12, 0, dim)->w = CARD_W - 26;
  if (tinted)
    {
      app_scene_rect (scene, -1, x + 12, y + CARD_H - 9, CARD_W - 24, 4, APP_INK (RULE))->radius = 2;
      if (node->metric > 0.004)
        app_scene_rect (scene, -1, x + 12, y + CARD_H - 9, MAX (4, (CARD_W - 24) * MIN (node->metric, 1)), 4,
                        (AppInk) { .role = APP_INK_RAMP, .t = 0.35f + 0.6f * node->metric, .alpha = shade })->radius = 2;
    }
}

/* The whole drawing, small, in the corner, with what is seen of it. */
static void
add_minimap (AppScene *scene,
             guint     n_marks)
{
  double w = 130, h = CLAMP (w * scene->content_h / scene->content_w, 40, scene->height * 0.5), k;
  double x0 = scene->width - w - 16, y0 = 16;

  w = MIN (w, h * scene->content_w / scene->content_h);
  x0 = scene->width - w - 16;
  k = w / scene->content_w;
  app_scene_rect (scene, -1, x0 - 6, y0 - 6, w + 12, h + 12, (AppInk) { .role = APP_INK_SURFACE, .alpha = 0.9f })->stroke
    = APP_INK (RULE);
  for (guint i = 0; i < n_marks; i++)
    {
      AppMark mark = g_array_index (scene->marks, AppMark, i);

      if (mark.kind == APP_MARK_RECT && mark.id >= 0)
        app_scene_rect (scene, -1, x0 + (mark.x - scene->origin_x) / scene->scale * k,
                        y0 + (mark.y - scene->origin_y) / scene->scale * k, mark.w / scene->scale * k,
                        MAX (1, mark.h / scene->scale * k), APP_INK (DIM));
    }
  app_scene_rect (scene, -1, x0 + MAX (0, -scene->origin_x / scene->scale * k), y0 + MAX (0, -scene->origin_y / scene->scale * k),
                  MIN (w, scene->width / scene->scale * k), MIN (h, scene->height / scene->scale * k), APP_INK (NONE))->stroke
    = APP_INK (ACCENT);
}

static gboolean
any_changed (const AppNetwork *network)
{
  for (guint i = 0; i < network->n_nodes; i++)
    if (network->nodes[i].changed)
      return TRUE;
  return FALSE;
}

/* Beside the colours: what the outline of a card says. */
static void
add_changed_key (AppScene         *scene,
                 const AppNetwork *network,
                 const AppView    *view,
                 double            x,
                 double            y)
{
  double w = paint_text_width (network->changed_title, view->text * 0.88, FALSE);
  AppMark *key;

  app_scene_rect (scene, -1, x - 8, y - 28, w + 46, 46, (AppInk) { .role = APP_INK_BACKGROUND, .alpha = 0.85f })->radius = 8;
  key = app_scene_rect (scene, -1, x, y - 7, 22, 14, APP_INK (SURFACE));
  key->stroke = APP_INK (ACCENT);
  key->line_width = 2;
  key->radius = 4;
  app_scene_text (scene, network->changed_title, x + 30, y, view->text * 0.88, 0, APP_INK (TEXT));
}

static void
add_legend (AppScene         *scene,
            const AppNetwork *network,
            const AppView    *view)
{
  double w = 140, x = 16, y = view->height - 26;

  if (network->changed_title != NULL && view->width >= 480 && any_changed (network))
    add_changed_key (scene, network, view, network->metric_title != NULL ? x + w + 28 : x, y);
  if (network->metric_title == NULL || view->width < 480)
    return;
  app_scene_rect (scene, -1, x - 8, y - 28, w + 24, 46, (AppInk) { .role = APP_INK_BACKGROUND, .alpha = 0.85f })->radius = 8;
  for (guint i = 0; i < 35; i++)
    app_scene_rect (scene, -1, x + i * w / 35, y - 4, w / 35 + 0.5, 8, (AppInk) { .role = APP_INK_RAMP, .t = 0.35f + 0.6f * i / 34 });
  app_scene_text (scene, network->metric_title, x, y - 16, view->text * 0.88, 0, APP_INK (TEXT));
  app_scene_text (scene, "0", x, y + 12, view->text * 0.8, 0, APP_INK (DIM));
  app_scene_text (scene, network->metric_max, x + w, y + 12, view->text * 0.8, 1, APP_INK (DIM));
}

AppScene *
app_network_layout (const AppNetwork *network,
                    const AppView    *view)
{
  AppScene *scene = app_scene_new (view);
  guint n = n_ranks (network), widest = 1, n_marks;
  g_autofree guint *count = g_new0 (guint, n + 1);
  double fit, scale, dx, dy, large = MAX (1, view->text / USUAL_TEXT);

  for (guint i = 0; i < network->n_nodes; i++)
    {
      guint n_here = ++count[network->nodes[i].rank];

      widest = MAX (widest, n_here);
    }
  add_edges (scene, network, count);
  for (guint i = 0; i < network->n_nodes; i++)
    add_card (scene, network, i, count);
  scene->content_w = widest * (CARD_W + GAP_X);
  scene->content_h = n * (CARD_H + GAP_Y) - GAP_Y;
  /* A tall network is fitted no smaller than it can be read; the rest is reached by scrolling. */
  fit = MIN ((view->width - 40) / scene->content_w, (view->height - 48) / scene->content_h);
  scale = view->zoom > 0 ? view->zoom : CLAMP (fit, 0.62 * large, 1.15 * large);
  dx = view->zoom > 0 ? view->x : view->width / 2;
  dy = view->zoom > 0 ? view->y : MAX (24, (view->height - scene->content_h * scale) / 2);
  if (view->zoom <= 0)
    dx -= CARD_W / 2 * scale;
  app_scene_transform (scene, scale, dx, dy);
  if (view->rtl)
    app_scene_mirror (scene);
  n_marks = scene->marks->len;
  if (scene->content_h * scale > MINIMAP_FROM * view->height || scene->content_w * scale > MINIMAP_FROM * view->width)
    {
      double ox = scene->origin_x;

      scene->origin_x -= (widest - 1) / 2.0 * (CARD_W + GAP_X) * scale;
      add_minimap (scene, n_marks);
      scene->origin_x = ox;
    }
  add_legend (scene, network, view);
  return scene;
}

AppTable *
app_network_table (const AppNetwork *network)
{
  AppTable *table = app_table_new ("layer", "kind and shape", "hardware", network->metric_title != NULL ? network->metric_title : "metric",
                                   NULL);

  for (guint i = 0; i < network->n_nodes; i++)
    {
      const AppNetworkNode *node = &network->nodes[i];

      app_table_take (table, i, g_strdup (node->name), g_strdup (node->detail),
                      g_strdup (node->problem != NULL ? node->problem : node->figure),
                      g_strdup (node->metric_text != NULL ? node->metric_text : ""), NULL);
    }
  return table;
}

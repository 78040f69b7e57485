/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network as a layered graph: layers as cards, data flowing downwards. */

#pragma once

#include "app-scene.h"
#include "app-table.h"

G_BEGIN_DECLS

/**
 * AppNetworkNode:
 * @detail: second line: class and shape
 * @figure: third line: reuse factor, multipliers
 * @metric: 0 to 1, NaN where the metric does not apply
 * @metric_text: the metric in words
 * @changed: differs from the network it is compared with
 * @matched: found by the search; @dimmed: not found while searching
 * @problem: (nullable): why it is not supported
 */
typedef struct {
  char    *name, *detail, *figure, *metric_text, *problem;
  double   metric;
  gboolean changed, dimmed;
  guint   *inputs;
  guint    n_inputs;
  guint    rank, order; /* set by the layout */
} AppNetworkNode;

typedef struct {
  AppNetworkNode *nodes;
  guint           n_nodes;
  char           *metric_title; /* (nullable) */
  char           *metric_max;   /* the figure of a full colour */
  char           *changed_title; /* (nullable): what nodes with an outline are, for the legend */
} AppNetwork;

AppNetwork *app_network_new     (guint             n_nodes);
void        app_network_free    (AppNetwork       *network);
/* Ranks and orders; call once after the nodes are filled in. */
void        app_network_arrange (AppNetwork       *network);
AppScene   *app_network_layout  (const AppNetwork *network,
                                 const AppView    *view);
AppTable   *app_network_table   (const AppNetwork *network);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppNetwork, app_network_free)

G_END_DECLS

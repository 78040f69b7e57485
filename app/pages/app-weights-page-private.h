/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of the page, for its files of their own concern: what is told of a weight, what is done to its group. */

#pragma once

#include "app-weights-page.h"

#include "app-figure.h"
#include "app-weight-map.h"
#include "app-why.h"

G_BEGIN_DECLS

/* One entry of the list of layers. */
typedef struct { guint layer; NnRole role; } AppWeightChoice;

/* What a matrix is made of. */
typedef struct {
  AppAnalysis   *analysis;
  guint          layer;
  NnRole         role;
  AppWeightOrder order;
  GHashTable    *pins; /* (nullable) */
} AppWeightsWanted;

struct _AppWeightsPage {
  AppPage parent;

  /* owned */
  GArray *choices; /* AppWeightChoice */
  AppJob *why_job;
  AppWhy *why;     /* (nullable): about the weight @why_id */
  gint64  why_id;
  char   *listed;  /* names in the list, to see whether it must be made again */
  AppJob *map_job;
  AppWeightsWanted wanted; /* what is shown or being made; its analysis and pins are owned */

  /* template children */
  GtkBox      *split;
  AppFigure   *figure, *histogram;
  GtkDropDown *layer_drop, *order_drop;
  GtkWidget   *sidebar;
  GtkListBox  *facts, *layer_facts;
  GtkButton   *prune_button, *restore_button, *pin_button;
};

/* The matrix on the page; %NULL while it is being made. */
const AppWeightMap *app_weights_page_map (AppWeightsPage *self);

/* app-weights-facts.c */
void app_weights_page_fill_weight (AppWeightsPage     *self,
                                   gint64              id);
void app_weights_page_fill_layer  (AppWeightsPage     *self,
                                   const AppWeightMap *map);
void app_weights_page_ask_why     (AppWeightsPage     *self,
                                   gint64              id);
void app_weights_page_drop_why    (AppWeightsPage     *self);

/* app-weights-edit.c */
void app_weights_page_init_edit   (AppWeightsPage     *self);

G_END_DECLS

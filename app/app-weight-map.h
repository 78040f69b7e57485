/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A weight tensor as a matrix, in the order of the file or of the hardware, with the groups it is pruned by. */

#pragma once

#include "app-analysis.h"
#include "layout-heatmap.h"
#include "layout-plot.h"

G_BEGIN_DECLS

typedef enum {
  APP_ORDER_TENSOR,
  APP_ORDER_HARDWARE,
  APP_ORDER_WORDS,   /* the same, with the words of the memories outlined */
  APP_ORDER_KERNELS, /* of a convolution: a kernel for each input and output channel */
} AppWeightOrder;

/**
 * AppWeightMap:
 * @index: (array): flat index in the tensor of each cell, -1 for a cell that only fills the last line
 * @hardware: the layer of the design that multiplies by the weight, -1 where none does
 * @order: as asked for, or what there is of it for this layer
 * @in_word: multipliers whose weights share a word of memory, 0 where they lie in none
 */
typedef struct {
  AppAnalysis   *analysis;
  AppHeatmap    *map;
  gint64        *index;
  guint          weight;  /* id in the model */
  const NnNode  *node;    /* of the network as loaded */
  NnRole         role;
  int            hardware;
  AppWeightOrder order;
  gsize          n_in, n_out;
  guint          in_word, word_bits;
  GHashTable    *pins;    /* borrowed, while it is made */
} AppWeightMap;

AppWeightMap *app_weight_map_new   (AppAnalysis        *analysis,
                                    guint               layer,
                                    NnRole              role,
                                    AppWeightOrder      order,
                                    GHashTable         *pins); /* (nullable) */
/* Makes an AppWeightMap: a large matrix takes longer than a window may stand still. */
AppJob       *app_weight_map_job   (AppAnalysis        *analysis,
                                    guint               layer,
                                    NnRole              role,
                                    AppWeightOrder      order,
                                    GHashTable         *pins); /* (nullable) */
void          app_weight_map_free  (AppWeightMap       *map);
/* "fc1 [3, 17] = 0.125 …" */
char         *app_weight_map_tip   (const AppWeightMap *map,
                                    gint64              id);
/* (nullable): the group of a cell */
const NnGroup *app_weight_map_group (const AppWeightMap *map,
                                     gint64              id);
AppTable     *app_weight_map_table (const AppWeightMap *map);
AppPlot      *app_weight_map_histogram (const AppWeightMap *map);

G_END_DECLS

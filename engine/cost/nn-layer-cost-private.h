/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A layer as the rules of its operators see it. */

#pragma once

#include "nn-layer-cost.h"
#include "nn-matrix-cost.h"

G_BEGIN_DECLS

/* A look-up table of six inputs holds a shift register of this many bits (UG474, UG574). */
#define SHIFT_REGISTER_DEPTH 32

/* A layer and where it stands. */
typedef struct {
  const NnDesign    *design;
  const NnConfig    *config;
  const NnNode      *node;
  const NnLayerPlan *plan;
  const NnPart      *part;
  guint              i;
  gboolean           stream;
  gboolean           vivado;
  double             channels;   /* of the output */
  double             positions;  /* of the output: elements besides the channels */
  double             in_positions;
  double             elements;   /* that are computed at once: all, or one pixel's */
} NnCostedLayer;

/* LUTs and FFs, with bounds relative to them; registers may be none. */
void nn_layer_set_logic       (NnCost              *cost,
                               double               lut,
                               double               ff,
                               double               low,
                               double               high);
void nn_layer_add_line_buffer (const NnCostedLayer *l,
                               NnCost              *cost);
/* (nullable): a type for each of a matrix's @n inputs, where they differ. */
NnType *nn_layer_input_types  (const NnCostedLayer *l,
                               gsize                n);
NnType *nn_layer_element_types (const NnCostedLayer *l,
                               gsize                n);
double  nn_layer_output_bits  (const NnCostedLayer *l);
void nn_layer_dense_or_conv   (const NnCostedLayer *l,
                               NnCost              *cost);
void nn_layer_depthwise       (const NnCostedLayer *l,
                               NnCost              *cost);
void nn_layer_recurrent       (const NnCostedLayer *l,
                               NnCost              *cost);

G_END_DECLS

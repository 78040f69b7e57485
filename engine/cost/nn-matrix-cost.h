/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one matrix of weights times a vector costs: the core of dense, convolutional and recurrent layers. */

#pragma once

#include "nn-estimate.h"

G_BEGIN_DECLS

/**
 * NnMatrix:
 * @raw: (nullable) (array n_in, n_out): the weights' integers; without them all count as non-zero and costly
 * @inputs: (nullable) (array n_in): a type for each input; one of width 0 is a constant, and so are its products
 * @biased: whether an output has a bias that is not zero
 * @clock_ns: period, and the share of it that is kept back for routing
 * @uncertainty: share of the period kept back
 * @vivado: whether Vivado HLS and not Vitis HLS makes it
 */
typedef struct {
  gsize         n_in, n_out;
  const gint64 *raw;
  const NnType *inputs;
  gboolean      biased;
  NnType        input, weight, accum;
  NnStrategy    strategy;
  guint         reuse;
  NnProduct     product;
  double        clock_ns, uncertainty;
  gboolean      vivado;
  const NnPart *part; /* (nullable) */
} NnMatrix;

/* A figure that is known exactly. */
NnFigure nn_figure         (double          value);
/* @value with relative bounds. */
NnFigure nn_figure_between (double          value,
                            double          low,
                            double          high);
NnFigure nn_figure_add     (NnFigure        a,
                            NnFigure        b);
NnFigure nn_figure_max     (NnFigure        a,
                            NnFigure        b);
NnFigure nn_figure_scale   (NnFigure        a,
                            double          factor);
void     nn_cost_init      (NnCost         *cost);
/* Resources, cycles, bit operations of one product of the matrix with a vector. */
void     nn_matrix_cost    (const NnMatrix *matrix,
                            NnCost         *cost);
/* Vivado HLS keeps the inputs of a pipelined design in registers of its own while they are taken in: FFs of these. */
double   nn_interface_ff   (const NnType   *input,
                            double          n);
/* Levels of logic that fit a cycle are family matters: delays of an addition and a multiplication in ns. */
void     nn_family_delays  (NnFamily        family,
                            double         *add_ns,
                            double         *multiply_ns);

G_END_DECLS

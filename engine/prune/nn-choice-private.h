/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of the multiple-choice knapsack, for its files alone. */

#pragma once

#include "nn-choice.h"
#include "nn-knapsack-private.h"

G_BEGIN_DECLS

/* The problem in whole values; costs are what an option takes beyond the least of its item's. */
typedef struct {
  gsize        n;
  guint        m;
  gsize       *first;   /* (n + 1) */
  gsize       *option;  /* the caller's number */
  gint64      *value;
  double      *cost;    /* (options, m) */
  double       budget[NN_KNAPSACK_MAX_RESOURCES];
  double       lambda[NN_KNAPSACK_MAX_RESOURCES];
  long double  bound;   /* Lagrangian, at these prices */
  gsize       *top;     /* (n): the option worth most at the prices */
  long double *profit;  /* (n): its worth */
  gsize       *chosen;  /* (n): of the incumbent */
  gint64       best;    /* its value; -1 while there is none */
  gint64       upper;   /* no choice is worth more, as proven so far */
} NnChoice;

void         nn_choice_free   (NnChoice       *c);
/* What option @k of item @i loses against the best of its item at the prices. */
long double  nn_choice_loss   (const NnChoice *c,
                               gsize           i,
                               gsize           k);
/* A first incumbent, where one is found. */
void         nn_choice_greedy (NnChoice       *c);
/* Looks for the best choice worth more than @floor_value; PROVEN when it was found or there is none. With a @beam only so
 * many partial choices are followed at a time: quick, and rarely a proof. */
NnCoreResult nn_choice_search (NnChoice       *c,
                               gint64          floor_value,
                               guint           beam,
                               const NnLimits *limits);

/* Another option than the top one for an item, as branch and cut sees it. */
typedef struct {
  guint       item; /* among the open ones: 0, 1, ... in groups */
  gsize       i, k;
  long double loss;
  double      delta[NN_KNAPSACK_MAX_RESOURCES]; /* what it takes more than the top one */
} NnMove;

/* GLPK on @moves: @taken (array length=n): those of a choice that loses less than @gap with what is left of @room at the
 * prices, if there is one. PROVEN, STOPPED or FAILED. */
NnCoreResult nn_choice_glpk   (const NnChoice *c,
                               const NnMove   *moves,
                               guint           n,
                               const double   *room,
                               double          gap,
                               const NnLimits *limits,
                               guint8         *taken,
                               gboolean       *found);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnChoice, nn_choice_free)

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A jet as its particles. */

#pragma once

#include "nn-jets.h"

G_BEGIN_DECLS

/* pt in GeV; y (rapidity) and phi measured from the jet's axis; massless. */
typedef struct {
  double pt, y, phi;
} NnParticle;

#define NN_JET_MAX_PARTICLES 256

typedef struct {
  NnParticle particle[NN_JET_MAX_PARTICLES];
  guint      n;
} NnJet;

void nn_jet_shower   (NnJetClass   jet_class,
                      NnRng       *rng,
                      NnJet       *jet);
void nn_jet_features (const NnJet *jet,
                      double      *features);

G_END_DECLS

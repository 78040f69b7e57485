/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Toy jets: a small generator of the five-class problem that trigger networks are trained for. */

#pragma once

#include "nn-dataset.h"
#include "nn-progress.h"
#include "nn-rng.h"

G_BEGIN_DECLS

#define NN_JETS_N_FEATURES 16
#define NN_JETS_N_CLASSES 5

typedef enum { NN_JET_GLUON, NN_JET_QUARK, NN_JET_TOP, NN_JET_W, NN_JET_Z } NnJetClass;

extern const char *const nn_jets_class_names[NN_JETS_N_CLASSES + 1];
extern const char *const nn_jets_feature_names[NN_JETS_N_FEATURES + 1];

void      nn_jet_make   (NnJetClass         jet_class,
                         guint64            seed,
                         guint64            index,
                         double            *features);
/* Features (n, 16), standardised over all jets, and one-hot classes (n, 5), both float32. */
gboolean  nn_jets_make  (gsize              n,
                         guint64            seed,
                         const NnProgress  *progress,
                         GCancellable      *cancellable,
                         NnTensor         **x,
                         NnTensor         **y,
                         GError           **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS

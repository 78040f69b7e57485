/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Toy jets: many of them, standardised. */

#include "nn-jets.h"

#include "nn-jets-shower.h"
#include "nn-parallel.h"

#include <math.h>

/* Jets made between two looks at the cancellable. */
#define BLOCK 4096
#define CHUNK 64

const char *const nn_jets_class_names[NN_JETS_N_CLASSES + 1] = { "gluon", "quark", "top", "W", "Z", NULL };

/**
 * nn_jet_make:
 * @index: of the jet: every jet has its own random numbers, so that any number of threads makes the same jets
 * @features: (array fixed-size=16) (out caller-allocates): its observables, not standardised
 */
void
nn_jet_make (NnJetClass  jet_class,
             guint64     seed,
             guint64     index,
             double     *features)
{
  NnRng rng;
  NnJet jet;

  nn_rng_init (&rng, seed * G_GUINT64_CONSTANT (0x2545f4914f6cdd1d) + index);
  nn_jet_shower (jet_class, &rng, &jet);
  nn_jet_features (&jet, features);
}

typedef struct {
  guint64       seed;
  gsize         first, end;
  const guint8 *classes;
  double       *features;
} Block;

static void
make_chunk (gsize    chunk,
            gsize    n_chunks,
            gpointer data)
{
  const Block *block = data;

  for (gsize i = block->first + chunk * CHUNK; i < MIN (block->first + (chunk + 1) * CHUNK, block->end); i++)
    nn_jet_make (block->classes[i], block->seed, i, block->features + i * NN_JETS_N_FEATURES);
}

static void
standardise (const double *features,
             gsize         n,
             float        *x)
{
  for (guint f = 0; f < NN_JETS_N_FEATURES; f++)
    {
      double mean = 0, square = 0, deviation;

      for (gsize i = 0; i < n; i++)
        mean += features[i * NN_JETS_N_FEATURES + f];
      mean /= n;
      for (gsize i = 0; i < n; i++)
        square += pow (features[i * NN_JETS_N_FEATURES + f] - mean, 2);
      deviation = sqrt (square / n);
      for (gsize i = 0; i < n; i++)
        x[i * NN_JETS_N_FEATURES + f] = deviation > 0 ? (features[i * NN_JETS_N_FEATURES + f] - mean) / deviation : 0;
    }
}

/**
 * nn_jets_make:
 * @n: number of jets, all classes alike on average
 * @x: (out) (transfer full): observables (n, 16), standardised over all jets
 * @y: (out) (transfer full): classes (n, 5), one-hot
 */
gboolean
nn_jets_make (gsize              n,
              guint64            seed,
              const NnProgress  *progress,
              GCancellable      *cancellable,
              NnTensor         **x,
              NnTensor         **y,
              GError           **error)
{
  g_autofree double *features = g_new (double, n * NN_JETS_N_FEATURES);
  g_autofree guint8 *classes = g_new (guint8, n);
  Block block = { .seed = seed, .classes = classes, .features = features };
  NnRng rng;

  nn_rng_init (&rng, seed);
  for (gsize i = 0; i < n; i++)
    classes[i] = nn_rng_below (&rng, NN_JETS_N_CLASSES);
  for (gsize first = 0; first < n; first += BLOCK)
    {
      if (nn_progress_cancelled (cancellable, error))
        return FALSE;
      block.first = first;
      block.end = MIN (first + BLOCK, n);
      nn_parallel_for ((block.end - first + CHUNK - 1) / CHUNK, make_chunk, &block);
      nn_progress_report (progress, (double) block.end / n, "Making jets");
    }
  *x = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n, NN_JETS_N_FEATURES));
  *y = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n, NN_JETS_N_CLASSES));
  standardise (features, n, nn_tensor_f32 (*x));
  for (gsize i = 0; i < n; i++)
    nn_tensor_f32 (*y)[i * NN_JETS_N_CLASSES + classes[i]] = 1;
  return TRUE;
}

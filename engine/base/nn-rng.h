/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers that are the same on every machine. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* xoshiro256** 1.0 of D. Blackman and S. Vigna (public domain algorithm), seeded by splitmix64. */
typedef struct {
  guint64 s[4];
  double  spare; /* second normal deviate of the last pair */
  gboolean has_spare;
} NnRng;

void    nn_rng_init    (NnRng   *rng,
                        guint64  seed);
guint64 nn_rng_next    (NnRng   *rng);
double  nn_rng_uniform (NnRng   *rng);
double  nn_rng_normal  (NnRng   *rng);
guint64 nn_rng_below   (NnRng   *rng,
                        guint64  bound);
void    nn_rng_shuffle (NnRng   *rng,
                        guint32 *values,
                        gsize    n);

G_END_DECLS

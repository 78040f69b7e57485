/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A parallel for whose result does not depend on the number of threads. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Works on chunk @chunk of @n_chunks; chunks may run in any order and at once. */
typedef void (*NnParallelFunc) (gsize    chunk,
                                gsize    n_chunks,
                                gpointer data);

void  nn_parallel_set_threads (guint          n_threads);
guint nn_parallel_get_threads (void);
void  nn_parallel_for         (gsize          n_chunks,
                               NnParallelFunc func,
                               gpointer       data);

G_END_DECLS

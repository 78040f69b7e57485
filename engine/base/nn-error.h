/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's error domain. Outcomes (infeasible, gap reached, below target) are never errors. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NN_ERROR (nn_error_quark ())

/**
 * NnError:
 * @NN_ERROR_FORMAT: a file or text is not what it should be
 * @NN_ERROR_UNSUPPORTED: understood, but Espalier has no such layer, operator or option
 * @NN_ERROR_SHAPE: tensors, layers or data do not fit each other
 * @NN_ERROR_NUMERIC: NaN, infinity or divergence
 * @NN_ERROR_SOLVER: the optimiser failed (not: found the problem infeasible)
 * @NN_ERROR_LIMIT: a size or count is beyond what can be handled
 *
 * Cancellation is always %G_IO_ERROR_CANCELLED; the file system's own failures stay %G_FILE_ERROR or %G_IO_ERROR.
 */
typedef enum {
  NN_ERROR_FORMAT,
  NN_ERROR_UNSUPPORTED,
  NN_ERROR_SHAPE,
  NN_ERROR_NUMERIC,
  NN_ERROR_SOLVER,
  NN_ERROR_LIMIT,
} NnError;

GQuark nn_error_quark (void);

G_END_DECLS

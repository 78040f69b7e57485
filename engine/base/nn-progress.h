/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a long verb tells how far it is: one function pointer, called on the verb's own thread. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * NnProgress:
 * @report: called with the fraction done, 0 to 1 (negative where unknown), and what is being done, untranslated
 * @data: passed to @report
 *
 * Long verbs take a `const NnProgress *`, nullable. @report must return at once.
 */
typedef struct {
  void (*report) (double fraction, const char *what, gpointer data);
  gpointer data;
} NnProgress;

void     nn_progress_report       (const NnProgress *progress,
                                   double            fraction,
                                   const char       *what);
gboolean nn_progress_cancelled    (GCancellable     *cancellable,
                                   GError          **error) G_GNUC_WARN_UNUSED_RESULT;

/* A part of a larger job: maps [0, 1] of @inner onto [start, end] of @outer. */
typedef struct {
  NnProgress        inner;
  const NnProgress *outer;
  double            start;
  double            end;
} NnSubProgress;

void nn_sub_progress_init (NnSubProgress    *sub,
                           const NnProgress *outer,
                           double            start,
                           double            end);

G_END_DECLS

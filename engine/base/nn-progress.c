/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a long verb tells how far it is. */

#include "nn-progress.h"

/**
 * nn_progress_report:
 * @progress: (nullable): where to report
 *
 * Reports; does nothing without a @progress.
 */
void
nn_progress_report (const NnProgress *progress,
                    double            fraction,
                    const char       *what)
{
  if (progress != NULL && progress->report != NULL)
    progress->report (fraction, what, progress->data);
}

/**
 * nn_progress_cancelled:
 * @cancellable: (nullable): asked
 *
 * Returns: %TRUE, with @error set to %G_IO_ERROR_CANCELLED, when the work must stop
 */
gboolean
nn_progress_cancelled (GCancellable  *cancellable,
                       GError       **error)
{
  return g_cancellable_set_error_if_cancelled (cancellable, error);
}

static void
sub_report (double      fraction,
            const char *what,
            gpointer    data)
{
  NnSubProgress *sub = data;
  double f = fraction < 0 ? sub->start : sub->start + fraction * (sub->end - sub->start);

  nn_progress_report (sub->outer, f, what);
}

/**
 * nn_sub_progress_init:
 * @sub: to be initialised, on the caller's stack; must outlive the use of its `inner`
 * @outer: (nullable): the whole job's progress
 * @start: fraction of the whole at which the part begins
 * @end: fraction of the whole at which the part ends
 */
void
nn_sub_progress_init (NnSubProgress    *sub,
                      const NnProgress *outer,
                      double            start,
                      double            end)
{
  sub->inner.report = sub_report;
  sub->inner.data = sub;
  sub->outer = outer;
  sub->start = start;
  sub->end = end;
}

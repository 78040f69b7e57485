/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small sample for tests of the window: jets.h5 and jets.npz. */

#pragma once

#include "nn-sample.h"

/* Writes it into @folder. */
static inline void
test_sample (const char *folder,
             guint       jets,
             guint       epochs)
{
  NnSampleOptions options;
  GError *error = NULL;
  g_auto (GStrv) files = NULL;

  nn_sample_options_init (&options);
  options.jets = jets;
  options.epochs = epochs;
  files = nn_sample_write ("jets", folder, &options, NULL, NULL, &error);
  g_assert_no_error (error);
}

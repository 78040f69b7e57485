/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PyTorch networks: pickles and zips. */

#include "fuzz-model.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  NnLoadOptions options;

  nn_load_options_init (&options);
  return fuzz_model (nn_load_pytorch (bytes, "fuzz.pt", &options, &error), &error);
}

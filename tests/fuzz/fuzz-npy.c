/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's arrays: from memory, and as a file. */

#include "fuzz-data.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) tensor = nn_npy_parse (data, size, &error);

  g_assert_true ((tensor == NULL) == (error != NULL));
  return fuzz_data (data, size);
}

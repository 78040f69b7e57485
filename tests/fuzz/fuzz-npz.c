/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's zip archives. */

#include "fuzz-data.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  return fuzz_data (data, size);
}

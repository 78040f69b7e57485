/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MATLAB files. */

#include "fuzz-data.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  return fuzz_data (data, size);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes that keep a format readable, so that what is tried lies behind the parser and not before it. A target that has such a
 * mutator is linked with it, for libFuzzer as for the replay. */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's own change of bytes; the replay's driver has one of its own. */
size_t LLVMFuzzerMutate        (uint8_t     *data,
                                size_t       size,
                                size_t       max_size);
size_t LLVMFuzzerCustomMutator (uint8_t     *data,
                                size_t       size,
                                size_t       max_size,
                                unsigned int seed);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The error domain. */

#include "hls-error.h"

G_DEFINE_QUARK (hls-error-quark, hls_error)

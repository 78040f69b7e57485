/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The backends: one constant table each. */

#pragma once

#include "hls-emit-private.h"

G_BEGIN_DECLS

extern const HlsBackend hls_backend_vitis;
extern const HlsBackend hls_backend_vivado;
extern const HlsBackend hls_backend_oneapi;
extern const HlsBackend hls_backend_quartus;
extern const HlsBackend hls_backend_catapult;

G_END_DECLS

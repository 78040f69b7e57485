/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A quantiser as JSON: what a file of ours holds where the format has no words for it. Internal to the room. */

#pragma once

#include "nn-graph.h"
#include "nn-json.h"

G_BEGIN_DECLS

/* One object, all on one line. */
char        *nn_quantizer_to_json   (const NnQuantizer *quantizer) G_GNUC_MALLOC;
/* %NULL where it is not what nn_quantizer_to_json() wrote; the quantiser lives with the graph. */
NnQuantizer *nn_quantizer_from_json (NnGraphBuilder    *builder,
                                     const char        *text);

G_END_DECLS

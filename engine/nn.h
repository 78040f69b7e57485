/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's umbrella: the only engine header that cli/ and app/ include. */

#pragma once

#include "nn-arena.h"
#include "nn-error.h"
#include "nn-parallel.h"
#include "nn-progress.h"
#include "nn-rng.h"
#include "nn-text.h"

#include "nn-graph.h"
#include "nn-model.h"
#include "nn-ops.h"
#include "nn-shape.h"
#include "nn-tensor.h"
#include "nn-type.h"

#include "nn-dataset.h"
#include "nn-load.h"
#include "nn-resources.h"

#include "nn-config.h"
#include "nn-design.h"
#include "nn-passes.h"
#include "nn-reuse.h"

#include "nn-fixed-exec.h"

#include "nn-exec.h"
#include "nn-metrics.h"
#include "nn-quant.h"

#include "nn-trainer.h"

#include "nn-jets.h"
#include "nn-sample.h"

#include "nn-calibration.h"
#include "nn-estimate.h"
#include "nn-law.h"
#include "nn-part.h"

#include "nn-doctor.h"
#include "nn-profile.h"
#include "nn-score.h"
#include "nn-widths.h"
#include "nn-reuse-solver.h"

#include "nn-groups.h"
#include "nn-knapsack.h"
#include "nn-project.h"
#include "nn-provenance.h"
#include "nn-pruner.h"
#include "nn-reduce.h"
#include "nn-train-types.h"

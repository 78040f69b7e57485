/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How weights and activations are distributed, and what of them a number type can hold (the hls4ml paper's Fig. 3). */

#pragma once

#include "nn-design.h"
#include "nn-progress.h"

G_BEGIN_DECLS

typedef enum { NN_PROFILE_WEIGHT, NN_PROFILE_ACTIVATION } NnProfileKind;

/**
 * NnProfileTensor:
 * @name: layer, or layer.variable of a weight
 * @layer: its layer
 * @variable: key word of its type in a configuration: `result`, `weight`, `bias`, `scale`, ...
 * @min, @max: of all values
 * @q1, @median, @q3: quartiles; of at most 2^18 values evenly taken where there are more
 * @size: of the absolute values that are not zero: least, quartiles, largest; all 0 where there are none
 * @n: values seen
 * @has_type: whether it is known, with a design
 * @type: what it is held in
 * @below_lsb: fraction of the values that are not zero but smaller than the type's last bit
 * @overflow: fraction of the values outside the type
 */
typedef struct {
  char         *name;
  char         *layer;
  const char   *variable;
  NnProfileKind kind;
  double        min, q1, median, q3, max;
  double        size[5];
  gsize         n;
  gboolean      has_type;
  NnType        type;
  double        below_lsb, overflow;
} NnProfileTensor;

typedef struct {
  NnProfileTensor *tensors;
  guint            n;
} NnProfile;

/* Float values of the network as loaded, or of the layers of a design against their types. */
NnProfile *nn_profile       (const NnModel     *model,
                             const NnDesign    *design, /* (nullable) */
                             NnTensor *const   *inputs,
                             const NnProgress  *progress,
                             GCancellable      *cancellable,
                             GError           **error) G_GNUC_WARN_UNUSED_RESULT;
void       nn_profile_free  (NnProfile         *profile);

/* What data showed of every layer of @design: nn_profile() with it. */
NnProfile *nn_observe_ranges (const NnDesign   *design,
                             NnTensor *const   *inputs,
                             const NnProgress  *progress,
                             GCancellable      *cancellable,
                             GError           **error) G_GNUC_WARN_UNUSED_RESULT;
int        nn_profile_integer_bits (double      min,
                             double            max);
/* Types of @width bits whose integer bits hold what was seen, into @config's layers; `auto` accumulators stay. */
void       nn_propose_types (NnConfig          *config,
                             const NnProfile   *observed,
                             int                width);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnProfile, nn_profile_free)

G_END_DECLS

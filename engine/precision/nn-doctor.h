/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Float and fixed point side by side: which layer goes wrong, why, and the cheapest change that repairs it. */

#pragma once

#include "nn-design.h"
#include "nn-progress.h"

G_BEGIN_DECLS

/**
 * NnDoctorLayer:
 * @name: of a layer of the design
 * @result: its output's type
 * @overflows: assignments that did not fit their type: products, sums and results
 * @underflows: outputs that are zero though float's is not
 * @values: outputs compared; 0 where float inference has no such layer
 * @snr_db: 10 log10 (sum of float^2 / sum of error^2); infinite where nothing differs
 * @max_error: largest difference
 */
typedef struct {
  char   *name;
  NnType  result;
  guint64 overflows, underflows;
  gsize   values;
  double  snr_db, max_error;
} NnDoctorLayer;

/* Why a layer's output is no longer float's. */
typedef enum {
  NN_DOCTOR_SOUND,        /* it is */
  NN_DOCTOR_COARSE_TABLE, /* the entries of a softmax's table are too far apart */
  NN_DOCTOR_OVERFLOW,     /* products, sums or results do not fit */
  NN_DOCTOR_UNDERFLOW,    /* many results are rounded to zero */
  NN_DOCTOR_ROUNDING,     /* errors have grown, none of the layer's alone */
} NnDoctorCause;

/**
 * NnDoctorTable: of %NN_DOCTOR_COARSE_TABLE
 * @before: the layer whose result the softmax reads
 * @input: the type of that
 * @entries: of the table, @step apart
 */
typedef struct {
  char   *before;
  NnType  input;
  guint   entries;
  double  step;
} NnDoctorTable;

/**
 * NnDoctorChange: a type to be set.
 */
typedef struct {
  char       *layer;
  const char *variable;
  NnType      from, to;
} NnDoctorChange;

/**
 * NnDoctor:
 * @layers: (array length=n_layers)
 * @float_score: see nn_scoring_score(): accuracy, or agreement with float (then 1)
 * @fixed_score: of the design as it is
 * @departs: the first layer whose output is no longer float's (signal to noise below 20 dB), -1 for none
 * @cause: why it does; nn_doctor_why() says it in words
 * @table: about it
 * @changes: (array length=n_changes): the cheapest that were found to repair it, applied together; none where none are
 *   needed or none help
 * @repaired_score: with them
 * @cost: of the design, mean fraction of the part's DSP, BRAM, LUT and FF
 * @repaired_cost: with the changes
 * @config: (nullable): the configuration with the changes
 */
typedef struct {
  NnDoctorLayer  *layers;
  guint           n_layers;
  double          float_score, fixed_score;
  int             departs;
  NnDoctorCause   cause;
  NnDoctorTable   table;
  NnDoctorChange *changes;
  guint           n_changes;
  double          repaired_score, cost, repaired_cost;
  NnConfig       *config;
} NnDoctor;

/**
 * NnDoctorOptions:
 * @tolerance: loss of the score that is no fault (default 0.005)
 * @max_samples: samples looked at (default 1024)
 * @repair: whether to look for a repair (default %TRUE)
 */
typedef struct {
  double   tolerance;
  gsize    max_samples;
  gboolean repair;
} NnDoctorOptions;

void      nn_doctor_options_init (NnDoctorOptions       *options);
NnDoctor *nn_doctor              (const NnDesign        *design,
                                  NnTensor *const       *inputs,
                                  const NnTensor        *targets, /* (nullable) */
                                  gboolean               is_classes,
                                  const NnDoctorOptions *options,
                                  const NnProgress      *progress,
                                  GCancellable          *cancellable,
                                  GError               **error) G_GNUC_WARN_UNUSED_RESULT;
void      nn_doctor_free         (NnDoctor              *doctor);
guint     nn_doctor_zeros        (const NnDoctorLayer   *layer);
char     *nn_doctor_why          (const NnDoctor        *doctor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnDoctor, nn_doctor_free)

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user's own syntheses say about the estimator: pairs of estimate and measurement, with where they are from. */

#pragma once

#include "nn-estimate.h"

G_BEGIN_DECLS

/**
 * NnCalibrationEntry:
 * @source: the report's path
 * @tool: "Vitis HLS", ...
 * @version: "2024.1"
 * @part: as the report names it
 * @stage: "csynth", "vsynth", ...
 * @estimated: of the whole design
 * @measured: of the whole design; negative where the report does not say
 * @estimated_latency: cycles
 * @measured_latency: cycles; NaN where the report does not say
 */
typedef struct {
  char       *source, *tool, *version, *part, *stage;
  NnResources estimated, measured;
  double      estimated_latency, measured_latency;
} NnCalibrationEntry;

typedef struct _NnCalibration NnCalibration;

NnCalibration            *nn_calibration_new       (void);
NnCalibration            *nn_calibration_load      (const char                *path,
                                                    GError                   **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean                  nn_calibration_save      (const NnCalibration       *calibration,
                                                    const char                *path,
                                                    GError                   **error);
void                      nn_calibration_free      (NnCalibration             *calibration);
guint                     nn_calibration_n_entries (const NnCalibration       *calibration);
const NnCalibrationEntry *nn_calibration_entry     (const NnCalibration       *calibration,
                                                    guint                      i);
/* Texts are copied; one of the same source and stage is replaced. */
void                      nn_calibration_add       (NnCalibration             *calibration,
                                                    const NnCalibrationEntry  *entry);
/* Undoes an addition. */
void                      nn_calibration_remove    (NnCalibration             *calibration,
                                                    guint                      i);
/* Scales @estimate by what the entries of this stage say: those of the same tool, version and part family where there are
 * some, else of tool and family, else of the tool. "csynth": LUT, FF and latency; "vsynth", "impl": what is left after
 * synthesis, and then before "csynth", as entries speak of the estimate as it was. Returns how many entries were used. */
guint                     nn_calibration_apply     (const NnCalibration       *calibration,
                                                    const char                *tool,    /* (nullable): any */
                                                    const char                *version, /* (nullable): any */
                                                    const char                *stage,   /* (nullable): "csynth" */
                                                    NnEstimate                *estimate);

/* Applies the entries that speak of a design: of its backend's tool, or of any tool where there are none; what is left after
 * synthesis first. Returns how many entries were used. */
guint                     nn_calibration_apply_all (const NnCalibration       *calibration,
                                                    const NnConfig            *config,
                                                    const char                *version, /* (nullable): of the tool; any */
                                                    NnEstimate                *estimate);
/* Where the user's own calibration is kept: <data folder>/espalier/calibration.json. (transfer full) */
char                     *nn_calibration_own_path  (void) G_GNUC_MALLOC;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnCalibration, nn_calibration_free)

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the doctor and its repairs. */

#pragma once

#include "nn-doctor.h"
#include "nn-score.h"

G_BEGIN_DECLS

#define NN_DOCTOR_DEPARTS_DB 20.0 /* signal to noise below which an output is no longer float's */

/* Fills @doctor's changes, repaired score and cost, and configuration. */
gboolean nn_doctor_repair (NnDoctor               *doctor,
                           const NnDesign         *design,
                           const NnScoring        *scoring,
                           const NnDoctorOptions  *options,
                           GCancellable           *cancellable,
                           GError                **error);

G_END_DECLS

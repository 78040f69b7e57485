/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The making of trails. */

#pragma once

#include "nn-pruner.h"

G_BEGIN_DECLS

NnTrail *nn_trail_new           (const char    *options_json);
/* Takes @step, its model included. */
void     nn_trail_take          (NnTrail       *trail,
                                 NnStep        *step);
void     nn_trail_set_chosen    (NnTrail       *trail,
                                 guint          chosen);
void     nn_trail_set_options   (NnTrail       *trail,
                                 const char    *options_json);
void     nn_trail_set_cancelled (NnTrail       *trail,
                                 gboolean       cancelled);
void     nn_step_free           (NnStep        *step);

G_END_DECLS

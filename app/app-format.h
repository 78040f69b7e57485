/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers for people: the one formatter of the window. */

#pragma once

#include "hls.h"
#include "nn.h"

G_BEGIN_DECLS

char *app_format_count    (double             value) G_GNUC_MALLOC;
char *app_format_percent  (double             fraction,
                           int                decimals) G_GNUC_MALLOC;
char *app_format_accuracy (double             accuracy, /* minus the MSE of a regression is negative */
                           gboolean           with_unit) G_GNUC_MALLOC;
char *app_format_duration (double             seconds) G_GNUC_MALLOC;
char *app_format_figure   (const NnFigure    *figure) G_GNUC_MALLOC;
char *app_format_type     (const NnType      *type) G_GNUC_MALLOC;
char *app_format_shape    (const NnShape     *shape) G_GNUC_MALLOC;
/* "−75 %" */
char *app_format_change   (double             from,
                           double             to) G_GNUC_MALLOC;
/* BRAM is counted in halves of 18 Kb everywhere inside. */
const char *app_resource_title (NnResource    resource);
/* Names of files with a comma between, without their folders. */
char *app_format_files    (const char        *paths) G_GNUC_MALLOC;
/* What the solver can and cannot claim, in a sentence. */
char *app_format_status   (const NnStep      *step) G_GNUC_MALLOC;

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of the page, for its file of what is done about number types. */

#pragma once

#include "app-precision-page.h"

#include "app-doctor.h"
#include "app-figure.h"
#include "app-precision.h"

G_BEGIN_DECLS

struct _AppPrecisionPage {
  AppPage parent;

  /* owned */
  AppJob       *job;
  AppAnalysis  *wanted;    /* what the job is about */
  NnDataset    *with_data;
  AppPrecision *precision;
  GArray       *scan;      /* AppScanPoint */
  AppJob       *trace_job;
  AppTrace     *trace;
  NnDoctor     *repair;    /* what was found, for @wanted */

  /* template children */
  GtkBox     *split;
  AppFigure  *weights_figure, *activations_figure, *errors_figure, *trace_figure, *scan_figure;
  GtkButton  *scan_button, *repair_button, *apply_button, *widths_button;
  GtkDropDown *layer_drop;
  GtkSpinButton *sample_spin;
  GtkWidget  *sidebar;
  GtkLabel   *verdict_label, *advice_label, *overflow_title, *repair_title;
  GtkListBox *facts, *overflows, *changes;
};

/* app-precision-repair.c */
void app_precision_page_init_repair (AppPrecisionPage *self);
void app_precision_page_show_repair (AppPrecisionPage *self);

G_END_DECLS

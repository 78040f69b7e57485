/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of the page, for its files of their own concern: variants of the hardware, builds by the vendors' tools. */

#pragma once

#include "app-hardware-page.h"

#include "app-build-queue.h"
#include "app-figure.h"
#include "app-log-view.h"

G_BEGIN_DECLS

struct _AppHardwarePage {
  AppPage parent;

  /* owned */
  char          *folder;   /* of projects, */
  AppAnalysis   *exported; /* and what lies in it itself */
  HlsStages      wanted;   /* to be run once there is a folder, */
  AppAnalysis   *wanted_of; /* nullable: on this, a variant */
  char          *wanted_title;
  AppBuildQueue *queue;
  AppLogView    *log;         /* borrowed: made with the first line, as its first layout takes a while */
  const AppBuild *log_of;     /* borrowed: whose lines come */
  int            tools_of;    /* backend whose tools were looked for, -1 before */
  AppJob        *variants_job;
  AppAnalysis   *variants_of;
  GPtrArray     *variants; /* AppVariant */
  gboolean       filling;

  /* template children */
  GtkBox      *split;
  AppFigure   *device_figure, *layers_figure, *variants_figure;
  GtkDropDown *metric_drop, *resource_drop;
  GtkWidget   *sidebar;
  GtkLabel    *part_label, *warning_label, *measured_title;
  GtkListBox  *facts, *files, *measured;
  AdwPreferencesGroup *project_group;
  AdwComboRow *backend_row, *io_row, *place_row;
  GtkButton   *csim_button, *synth_button, *calibrate_button, *use_button, *queue_button;
  GtkListBox  *builds;
  GtkLabel    *builds_title;
  GtkExpander *files_expander, *log_expander;
  GtkLabel    *tool_label;
};

/* app-hardware-variants.c */
void app_hardware_page_init_variants (AppHardwarePage *self);
void app_hardware_page_want_variants (AppHardwarePage *self,
                                      AppAnalysis     *analysis);
void app_hardware_page_drop_variants (AppHardwarePage *self);

/* app-hardware-builds.c */
void app_hardware_page_init_builds   (AppHardwarePage *self);
/* Once the document is known. */
void app_hardware_page_begin_builds  (AppHardwarePage *self,
                                      AppDocument     *document);
/* Builds wait for their turn; without a folder one is asked for first. @variant: (nullable): instead of the network shown */
void app_hardware_page_want_stages   (AppHardwarePage *self,
                                      HlsStages        stages,
                                      AppAnalysis     *variant,
                                      const char      *title);

/* app-hardware-tool.c */
void app_hardware_page_init_tool     (AppHardwarePage *self);
/* Says which tool of the backend would be run. */
void app_hardware_page_tell_tool     (AppHardwarePage *self,
                                      NnBackend        backend);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variants waiting for a tool: each is exported to a folder of its own and built, one after the other. */

#pragma once

#include "app-document.h"

G_BEGIN_DECLS

typedef enum { APP_BUILD_WAITING, APP_BUILD_EXPORTING, APP_BUILD_RUNNING, APP_BUILD_DONE, APP_BUILD_FAILED, APP_BUILD_STOPPED } AppBuildState;

/**
 * AppBuild:
 * @title: what is built, in words
 * @folder: where its project is
 * @message: (nullable): why it failed
 * @phase: (nullable): what its tool is at, with @fraction
 * @analysis: (nullable): the network as hardware; %NULL for one that was found
 * @estimate: what it is expected to need, unknown where negative
 * @exported: the project is there already
 * @found: it was begun before, by a window that is closed
 * @cluster: where its tool runs
 * @report: (nullable): borrowed from the document
 */
typedef struct {
  char            *title, *folder, *message, *phase;
  double           fraction;
  AppAnalysis     *analysis;
  NnResources      estimate;
  HlsStages        stages;
  AppBuildState    state;
  gboolean         exported, found;
  HlsCluster       cluster;
  const HlsReport *report;
} AppBuild;

#define APP_TYPE_BUILD_QUEUE (app_build_queue_get_type ())
G_DECLARE_FINAL_TYPE (AppBuildQueue, app_build_queue, APP, BUILD_QUEUE, GObject)

/* Signals: "changed"; "progress" (index of the build at work); "line" (text): its tool says something. What was begun for this
 * document by a window that is closed is in the queue from the beginning. */
AppBuildQueue  *app_build_queue_new      (AppDocument     *document);
/* @folder: of all projects; the build gets one within, or it itself where @exported says that its project is there. A cluster is
 * for synthesis; simulations run here. */
void            app_build_queue_add      (AppBuildQueue   *queue,
                                          const char      *title,
                                          AppAnalysis     *analysis,
                                          HlsStages        stages,
                                          const char      *folder,
                                          gboolean         exported,
                                          HlsCluster       cluster);
guint           app_build_queue_n        (AppBuildQueue   *queue);
const AppBuild *app_build_queue_get      (AppBuildQueue   *queue,
                                          guint            i);
/* A build that waits or is over is taken out, one at work is stopped. */
void            app_build_queue_remove   (AppBuildQueue   *queue,
                                          guint            i);
void            app_build_free           (AppBuild        *build);
const char     *app_build_state_title    (AppBuildState    state);

G_END_DECLS

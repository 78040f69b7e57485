/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of the page, for its files of their own concern: what is told of a layer, what is set of it. */

#pragma once

#include "app-network-page.h"

#include "app-figure.h"
#include "app-job.h"

G_BEGIN_DECLS

struct _AppNetworkPage {
  AppPage parent;

  int      layer;   /* chosen, -1 for the network as a whole */
  gboolean filling; /* rows are being set by us */

  /* owned */
  AppJob  *reuse_job;   /* forecasts for the reuse factors in the list */

  /* template children */
  GtkBox            *split;
  AppFigure         *figure;
  GtkSearchBar      *search_bar;
  GtkSearchEntry    *search_entry;
  GtkToggleButton   *compare_button, *search_button;
  GtkDropDown       *metric_drop;
  GtkWidget         *sidebar;
  GtkLabel          *name_label, *kind_label, *warning_label;
  AdwPreferencesGroup *settings_group;
  AdwComboRow       *strategy_row, *reuse_row;
  AdwEntryRow       *precision_row, *bias_row, *accum_row, *result_row, *parallel_row, *part_row, *clock_row;
  AdwActionRow      *passes_row;
  GtkListBox        *facts, *properties, *source_list;
  GtkLabel          *properties_title;
  GtkExpander       *source_expander;
};

/* The layer chosen, %NULL for the network as a whole. */
const NnNode *app_network_page_chosen       (AppNetworkPage *self);

/* app-network-facts.c */
void          app_network_page_fill_facts   (AppNetworkPage *self,
                                             const NnNode   *node);

/* app-network-settings.c */
void          app_network_page_init_settings (AppNetworkPage *self);
void          app_network_page_fill_settings (AppNetworkPage *self,
                                              const NnNode   *node);
void          app_network_page_drop_forecasts (AppNetworkPage *self);

G_END_DECLS

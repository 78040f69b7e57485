/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of a window, for its files of one concern each. */

#pragma once

#include "app-intro.h"
#include "app-shrink.h"
#include "app-window.h"
#include "pages/app-page.h"

G_BEGIN_DECLS

struct _AppWindow {
  AdwApplicationWindow parent;

  /* owned */
  AppDocument *document;
  GSettings   *settings; /* nullable: where no schema is installed */
  guint        inhibit;
  gboolean     closing, close_when_saved, no_sidebar;
  guint        form;     /* how wide it is, 0 is the widest */
  int          needs[4]; /* pixels, by form, as last measured */
  double       scale;    /* of text, when they were measured */
  gboolean     introducing; /* wanted, as soon as the sample is there to speak of */
  gboolean     sample;      /* is what was opened last */
  guint        narrow_id;
  AdwToast    *undo_toast; /* (nullable): offers to undo what led to @toast_position */
  guint        toast_position;
  GQueue       waiting; /* paths dropped or given together, one after the other */

  /* template children */
  AppShrink          *shrink;
  AdwHeaderBar       *header;
  AdwViewStack       *pages;
  AdwViewSwitcher    *switcher;
  AdwViewSwitcherBar *switcher_bar;
  AdwWindowTitle     *title;
  GtkStack           *title_stack, *content;
  AdwToastOverlay    *toasts;
  AdwSplitButton     *open_button;
  GtkMenuButton      *menu_button, *history_button;
  GtkButton          *optimise_button, *undo_button, *redo_button;
  GtkListBox         *recent_list, *history_list;
  GtkPopover         *recent_popover, *history_popover;
  AppIntro           *intro;
  GtkRevealer        *banner, *job_bar;
  GtkLabel           *banner_title, *banner_text, *job_title, *job_what, *job_left, *status_label;
  GtkProgressBar     *job_progress;
  GtkToggleButton    *pause_button;
  GtkButton          *cancel_button;
  AppPage            *network_page, *weights_page, *tradeoff_page, *precision_page, *hardware_page, *data_page;
};

void app_window_install_actions (GtkWidgetClass *widget_class);
void app_window_install_file_actions (GtkWidgetClass *widget_class);
void app_window_install_view_actions (GtkWidgetClass *widget_class);
void app_window_update_actions  (AppWindow      *self);
void app_window_fill_recent     (AppWindow      *self);
void app_window_fill_history    (AppWindow      *self);
void app_window_dnd_init        (AppWindow      *self);
void app_window_save_and_close  (AppWindow      *self);

/* app-window-job.c */
void app_window_job_init        (AppWindow      *self);
void app_window_leave_job       (AppWindow      *self);

/* app-window-messages.c */
void app_window_messages_init   (AppWindow      *self);
void app_window_check_undo      (AppWindow      *self);
void app_window_notify          (GApplication   *application,
                                 const char     *title,
                                 const char     *message);

/* app-window-form.c */
AppPage **app_window_all_pages  (AppWindow      *self,
                                 AppPage        *pages[7]);
void app_window_fit             (AppWindow      *self);
void app_window_fit_soon        (AppWindow      *self);

G_END_DECLS

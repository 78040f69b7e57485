/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the window's test share: one window, and its tests in one order. */

#pragma once

#include "app-window.h"

#include "test-wait.h"

#define WAIT_FOR(condition) TEST_WAIT_FOR (240, condition)

extern AppWindow *window;
extern char *folder; /* with the sample's files */

AppDocument *document       (void);
void         settle         (guint       ms);
void         visit          (GtkWidget  *widget,
                             void      (*func) (GtkWidget *widget));

/* Of test-window-parts.c, after a network was optimised. */
void test_precision (void);
void test_variants (void);
void test_queue (void);
void test_outlives (void);
void test_trace (void);
void test_weight_map (void);
void test_why (void);
void test_kernel_map (void);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all pages share: a document, and being brought up to date only while they are seen. */

#pragma once

#include "app-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define APP_TYPE_PAGE (app_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (AppPage, app_page, APP, PAGE, AdwBin)

/**
 * AppPageClass:
 * @update: the document changed, or the page came into sight after it did
 * @set_narrow: (nullable): there is little or enough room for two columns
 */
struct _AppPageClass {
  AdwBinClass parent_class;
  void      (*update)     (AppPage *page);
  void      (*set_narrow) (AppPage *page, gboolean narrow);
};

AppDocument *app_page_document     (AppPage     *page);
void         app_page_set_document (AppPage     *page,
                                    AppDocument *document);
void         app_page_set_narrow   (AppPage     *page,
                                    gboolean     narrow);
/* The pane at the side: properties of what is chosen. */
void         app_page_set_sidebar  (AppPage     *page,
                                    gboolean     visible);
void         app_page_want_update  (AppPage     *page);

/* Rows of an inspector: a title and what it says. */
void         app_rows_clear        (GtkListBox  *list);
GtkWidget   *app_rows_add          (GtkListBox  *list,
                                    const char  *title,
                                    const char  *value);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page of the help, read from Mallard into what a window shows: blocks of marked-up text. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum { APP_HELP_TITLE, APP_HELP_HEADING, APP_HELP_TEXT, APP_HELP_BULLET, APP_HELP_STEP, APP_HELP_NOTE } AppHelpKind;

typedef struct {
  AppHelpKind kind;
  guint       number; /* of a step */
  char       *markup; /* Pango's; links name pages */
} AppHelpBlock;

typedef struct {
  char      *title, *desc;
  GPtrArray *blocks; /* AppHelpBlock */
  GPtrArray *links;  /* pages that are named */
} AppHelpPage;

AppHelpPage        *app_help_page_parse (const char   *xml,
                                         gssize        length,
                                         GError      **error);
/* Page @id in the user's language, or in English. */
AppHelpPage        *app_help_page_load  (const char   *id,
                                         GError      **error);
void                app_help_page_free  (AppHelpPage  *page);
/* All pages in the order in which they are listed, %NULL at the end. */
const char *const  *app_help_page_ids   (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppHelpPage, app_help_page_free)

G_END_DECLS

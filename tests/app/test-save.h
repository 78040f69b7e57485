/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Saving a project and awaiting its end. */

#pragma once

#include "app-document.h"

#include "test-wait.h"

static inline void
test_on_saved (AppDocument  *document,
               const char   *path,
               const char   *problem,
               char        **told)
{
  g_free (*told);
  *told = g_strdup (problem != NULL ? problem : "");
}

/* "" or what the problem was. (transfer full) */
static inline char *
test_try_save (AppDocument *document,
               const char  *path)
{
  char *told = NULL;
  gulong id = g_signal_connect (document, "saved", G_CALLBACK (test_on_saved), &told);

  app_document_save (document, path);
  g_assert_true (app_document_is_saving (document)); /* not on this thread */
  g_assert_null (told);
  TEST_WAIT_FOR (240, told != NULL && !app_document_is_saving (document));
  g_signal_handler_disconnect (document, id);
  return told;
}

static inline void
test_save_project (AppDocument *document,
                   const char  *path)
{
  g_autofree char *told = test_try_save (document, path);

  g_assert_cmpstr (told, ==, "");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The introduction: page by page, what is seen and what to do. */

#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define APP_TYPE_INTRO (app_intro_get_type ())
G_DECLARE_FINAL_TYPE (AppIntro, app_intro, APP, INTRO, AdwBin)

/* Emits "page" with the name of the page that is spoken of, "closed" at the end. */
void     app_intro_begin      (AppIntro *self);
void     app_intro_end        (AppIntro *self);
gboolean app_intro_is_running (AppIntro *self);

G_END_DECLS

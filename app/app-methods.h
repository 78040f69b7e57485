/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was done, as a paragraph for a paper. */

#pragma once

#include "app-document.h"

G_BEGIN_DECLS

char *app_methods_paragraph (AppDocument *document) G_GNUC_MALLOC;

G_END_DECLS

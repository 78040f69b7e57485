/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was done, as a paragraph for a paper. */

#pragma once

#include "app-document.h"

G_BEGIN_DECLS

char *app_methods_paragraph (AppDocument *document) G_GNUC_MALLOC;

/* What tables of the document's figures are of, in lines to go before them. */
char *app_methods_comment (AppDocument *document);

G_END_DECLS

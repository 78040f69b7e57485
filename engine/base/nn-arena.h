/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many small things that live and die together. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _NnArena NnArena;

NnArena *nn_arena_new    (void);
void     nn_arena_free   (NnArena    *arena);
gpointer nn_arena_alloc  (NnArena    *arena,
                          gsize       size);
char    *nn_arena_strdup (NnArena    *arena,
                          const char *text);
gpointer nn_arena_memdup (NnArena      *arena,
                          gconstpointer data,
                          gsize         size);

#define nn_arena_new0(arena, Type, n) ((Type *) nn_arena_alloc ((arena), sizeof (Type) * (gsize) (n)))

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnArena, nn_arena_free)

G_END_DECLS

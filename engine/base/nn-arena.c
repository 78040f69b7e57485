/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many small things that live and die together: blocks of memory, freed at once. */

#include "nn-arena.h"

#include <string.h>

#define BLOCK_SIZE ((gsize) 16 * 1024)
#define ALIGNMENT ((gsize) 16)

struct _NnArena {
  GPtrArray *blocks; /* owned */
  guint8    *free;   /* borrowed: into the last block */
  gsize      left;
};

NnArena *
nn_arena_new (void)
{
  NnArena *arena = g_new0 (NnArena, 1);

  arena->blocks = g_ptr_array_new_with_free_func (g_free);
  return arena;
}

void
nn_arena_free (NnArena *arena)
{
  if (arena == NULL)
    return;
  g_ptr_array_unref (arena->blocks);
  g_free (arena);
}

/**
 * nn_arena_alloc:
 *
 * Returns: (transfer none): @size zeroed bytes, aligned for any scalar, alive as long as @arena
 */
gpointer
nn_arena_alloc (NnArena *arena,
                gsize    size)
{
  gpointer result;

  g_assert (size <= G_MAXSIZE - ALIGNMENT);
  size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  if (size > arena->left || arena->free == NULL)
    {
      gsize block = MAX (size, BLOCK_SIZE);

      arena->free = g_malloc0 (block);
      arena->left = block;
      g_ptr_array_add (arena->blocks, arena->free);
    }
  result = arena->free;
  arena->free += size;
  arena->left -= size;
  return result;
}

gpointer
nn_arena_memdup (NnArena      *arena,
                 gconstpointer data,
                 gsize         size)
{
  gpointer copy = nn_arena_alloc (arena, size);

  if (size > 0)
    memcpy (copy, data, size);
  return copy;
}

char *
nn_arena_strdup (NnArena    *arena,
                 const char *text)
{
  return text != NULL ? nn_arena_memdup (arena, text, strlen (text) + 1) : NULL;
}

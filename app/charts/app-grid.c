/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A matrix to be shown, with coarser versions of itself so that any zoom costs the same. */

#include "app-scene.h"

#include <math.h>
#include <string.h>

/* Below this a matrix is no larger than a screen and needs no coarser version. */
#define COARSEST 256

AppGrid *
app_grid_new (gsize    n_rows,
              gsize    n_cols,
              gboolean has_state,
              gboolean has_group)
{
  AppGrid *grid = g_new0 (AppGrid, 1);
  gsize n;

  g_return_val_if_fail (g_size_checked_mul (&n, n_rows, n_cols), NULL);
  g_atomic_ref_count_init (&grid->ref_count);
  grid->n_rows = n_rows;
  grid->n_cols = n_cols;
  grid->values = g_new0 (float, MAX (n, 1));
  if (has_state)
    grid->state = g_new0 (guint8, MAX (n, 1));
  if (has_group)
    {
      grid->group = g_new (gint32, MAX (n, 1));
      memset (grid->group, 0xff, MAX (n, 1) * sizeof (gint32));
    }
  return grid;
}

AppGrid *
app_grid_ref (AppGrid *grid)
{
  g_atomic_ref_count_inc (&grid->ref_count);
  return grid;
}

void
app_grid_unref (AppGrid *grid)
{
  if (!g_atomic_ref_count_dec (&grid->ref_count))
    return;
  g_clear_pointer (&grid->level, app_grid_unref);
  g_free (grid->values);
  g_free (grid->state);
  g_free (grid->group);
  g_free (grid->block);
  g_free (grid);
}

void
app_grid_want_blocks (AppGrid *grid)
{
  gsize n = MAX (grid->n_rows * grid->n_cols, 1);

  g_return_if_fail (grid->block == NULL);
  grid->block = g_new (gint32, n);
  memset (grid->block, 0xff, n * sizeof (gint32));
}

/* The most telling of up to four cells: a pruned cell only shows when all are pruned. */
static void
reduce_cell (const AppGrid *fine,
             AppGrid       *coarse,
             gsize          r,
             gsize          c)
{
  float best = 0;
  guint8 state = 0xff;

  for (gsize i = 2 * r; i < MIN (2 * r + 2, fine->n_rows); i++)
    for (gsize j = 2 * c; j < MIN (2 * c + 2, fine->n_cols); j++)
      {
        gsize k = i * fine->n_cols + j;

        if (fabsf (fine->values[k]) >= fabsf (best))
          best = fine->values[k];
        if (fine->state != NULL)
          state &= fine->state[k];
      }
  coarse->values[r * coarse->n_cols + c] = best;
  if (coarse->state != NULL)
    coarse->state[r * coarse->n_cols + c] = state;
}

static void
make_level (AppGrid *grid)
{
  AppGrid *coarse;

  if (grid->n_rows <= COARSEST && grid->n_cols <= COARSEST)
    return;
  coarse = app_grid_new ((grid->n_rows + 1) / 2, (grid->n_cols + 1) / 2, grid->state != NULL, FALSE);
  for (gsize r = 0; r < coarse->n_rows; r++)
    for (gsize c = 0; c < coarse->n_cols; c++)
      reduce_cell (grid, coarse, r, c);
  coarse->limit = grid->limit;
  coarse->sequential = grid->sequential;
  grid->level = coarse;
  make_level (coarse);
}

void
app_grid_seal (AppGrid *grid)
{
  gsize n = grid->n_rows * grid->n_cols;

  if (grid->limit <= 0)
    for (gsize k = 0; k < n; k++)
      if (isfinite (grid->values[k]))
        grid->limit = MAX (grid->limit, fabsf (grid->values[k]));
  if (grid->limit <= 0)
    grid->limit = 1;
  if (grid->level == NULL)
    make_level (grid);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All calls of GLPK. It would abort the process on an internal error; here it jumps back instead. */

#include "nn-choice-private.h"

#include "nn-error.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>

typedef struct {
  jmp_buf jump;
} Guard;

static void
on_error (void *data)
{
  Guard *guard = data;

  longjmp (guard->jump, 1);
}

static int
no_output (void       *data,
           const char *text)
{
  return 1;
}

/* Everything GLPK allocated in this thread goes with its environment. */
static void
after_error (GError **error)
{
  glp_error_hook (NULL, NULL);
  glp_free_env ();
  g_set_error (error, NN_ERROR, NN_ERROR_SOLVER, "the integer programming library failed on the knapsack's core");
}

const char *
nn_solver_version (void)
{
  return glp_version ();
}

struct _NnPlanes {
  guint    m;
  glp_prob *lp; /* columns 1..m the point, m + 1 the height */
};

NnPlanes *
nn_planes_new (guint m)
{
  NnPlanes *planes = g_new0 (NnPlanes, 1);

  planes->m = m;
  glp_term_hook (no_output, NULL);
  planes->lp = glp_create_prob ();
  glp_set_obj_dir (planes->lp, GLP_MIN);
  glp_add_cols (planes->lp, m + 1);
  for (guint j = 0; j < m; j++)
    glp_set_col_bnds (planes->lp, j + 1, GLP_DB, 0, 1);
  glp_set_col_bnds (planes->lp, m + 1, GLP_FR, 0, 0);
  glp_set_obj_coef (planes->lp, m + 1, 1);
  return planes;
}

void
nn_planes_free (NnPlanes *planes)
{
  if (planes->lp != NULL)
    glp_delete_prob (planes->lp);
  g_free (planes);
}

static gboolean
minimise (NnPlanes *planes)
{
  Guard guard;
  glp_smcp parameters;
  int status;

  if (setjmp (guard.jump) != 0)
    {
      after_error (NULL);
      planes->lp = NULL;
      return FALSE;
    }
  glp_error_hook (on_error, &guard);
  glp_init_smcp (&parameters);
  parameters.msg_lev = GLP_MSG_OFF;
  parameters.meth = GLP_DUALP;
  status = glp_simplex (planes->lp, &parameters);
  glp_error_hook (NULL, NULL);
  return status == 0 && glp_get_status (planes->lp) == GLP_OPT;
}

gboolean
nn_planes_next (NnPlanes     *planes,
                double        value,
                const double *at,
                const double *gradient,
                double       *next,
                double       *model)
{
  int columns[NN_KNAPSACK_MAX_RESOURCES + 2];
  double coefficients[NN_KNAPSACK_MAX_RESOURCES + 2];
  double offset = value;
  int row;

  if (planes->lp == NULL)
    return FALSE;
  /* height - gradient . x >= value - gradient . at */
  for (guint j = 0; j < planes->m; j++)
    {
      columns[j + 1] = (int) j + 1;
      coefficients[j + 1] = -gradient[j];
      offset -= gradient[j] * at[j];
    }
  columns[planes->m + 1] = (int) planes->m + 1;
  coefficients[planes->m + 1] = 1;
  row = glp_add_rows (planes->lp, 1);
  glp_set_row_bnds (planes->lp, row, GLP_LO, offset, 0);
  glp_set_mat_row (planes->lp, row, (int) planes->m + 1, columns, coefficients);
  if (!minimise (planes))
    return FALSE;
  for (guint j = 0; j < planes->m; j++)
    next[j] = CLAMP (glp_get_col_prim (planes->lp, (int) j + 1), 0, 1);
  *model = glp_get_obj_val (planes->lp);
  return TRUE;
}

static void
on_node (glp_tree *tree,
         void     *data)
{
  const NnLimits *limits = data;

  if (nn_limits_stop (limits))
    glp_ios_terminate (tree);
}

/* Equal items of a class: 0 to @mult of them may be taken. */
typedef struct {
  gsize  k;
  guint  open;
  gint64 value; /* of one */
  double rc;    /* value - price */
  guint  mult;
} Block;

static GArray *
make_blocks (const NnCore *core)
{
  const NnClasses *c = core->classes;
  GArray *blocks = g_array_new (FALSE, FALSE, sizeof (Block));

  for (guint o = 0; o < core->n; o++)
    {
      const NnOpenClass *class = &core->open[o];
      const gint64 *value = c->value + c->start[class->k];

      for (gsize i = class->low; i < class->high;)
        {
          Block block = { .k = class->k, .open = o, .value = value[i], .rc = (double) value[i] - class->price };

          while (i < class->high && value[i] == block.value)
            {
              block.mult++;
              i++;
            }
          g_array_append_val (blocks, block);
        }
    }
  return blocks;
}

/* What a solution of the core loses besides the terms that depend on it. */
static double
constant_loss (const NnCore *core)
{
  long double loss = core->classes->bound - (long double) core->base;

  for (guint j = 0; j < core->classes->m; j++)
    loss -= (long double) core->classes->lambda[j] * core->room[j];
  return (double) loss;
}

/*
 * The core as loss against the Lagrangian bound, in units of the present gap: numbers near one, whatever the values, so
 * that GLPK's relative tolerances are fine steps. Columns: blocks, then the slack of each resource at its price.
 */
static glp_prob *
build (const NnCore *core,
       const Block  *blocks,
       guint         n)
{
  const NnClasses *c = core->classes;
  double gap = (double) (c->bound - (long double) core->best), loss = constant_loss (core);
  glp_prob *problem = glp_create_prob ();
  gsize n_elements = 0;
  int *rows = g_new (int, (n + c->m) * (c->m + 1) + 1), *columns = g_new (int, (n + c->m) * (c->m + 1) + 1);
  double *elements = g_new (double, (n + c->m) * (c->m + 1) + 1);

#define PUT(r, col, v) (n_elements++, rows[n_elements] = (int) (r), columns[n_elements] = (int) (col), elements[n_elements] = (v))
  glp_set_obj_dir (problem, GLP_MIN);
  glp_add_rows (problem, (int) c->m + 1);
  glp_add_cols (problem, (int) (n + c->m));
  for (guint i = 0; i < n; i++)
    {
      const Block *b = &blocks[i];

      glp_set_col_kind (problem, (int) i + 1, b->mult == 1 ? GLP_BV : GLP_IV);
      glp_set_col_bnds (problem, (int) i + 1, GLP_DB, 0, b->mult);
      glp_set_obj_coef (problem, (int) i + 1, -b->rc / gap);
      PUT (c->m + 1, i + 1, -b->rc / gap);
      for (guint j = 0; j < c->m; j++)
        if (c->cost[b->k * c->m + j] != 0)
          PUT (j + 1, i + 1, c->cost[b->k * c->m + j]);
    }
  for (guint j = 0; j < c->m; j++)
    {
      int col = (int) (n + j + 1);

      glp_set_col_bnds (problem, col, GLP_LO, 0, 0);
      glp_set_obj_coef (problem, col, c->lambda[j] / gap);
      PUT (j + 1, col, 1);
      PUT (c->m + 1, col, c->lambda[j] / gap);
      glp_set_row_bnds (problem, (int) j + 1, GLP_FX, core->room[j], core->room[j]);
    }
#undef PUT
  /* Only what is better than the incumbent by half a unit or more is of interest. */
  glp_set_obj_coef (problem, 0, loss / gap);
  glp_set_row_bnds (problem, (int) c->m + 1, GLP_UP, 0, (gap - 0.5 - loss) / gap);
  glp_load_matrix (problem, (int) n_elements, rows, columns, elements);
  g_free (rows);
  g_free (columns);
  g_free (elements);
  return problem;
}

static gboolean
take (NnCore      *core,
      glp_prob    *problem,
      const Block *blocks,
      guint        n)
{
  const NnClasses *c = core->classes;
  double used[NN_KNAPSACK_MAX_RESOURCES] = { 0 };
  gint64 value = core->base;

  for (guint o = 0; o < core->n; o++)
    core->open[o].count = core->open[o].low;
  for (guint i = 0; i < n; i++)
    {
      const Block *b = &blocks[i];
      guint x = (guint) CLAMP (lround (glp_mip_col_val (problem, (int) i + 1)), 0, (long) b->mult);

      core->open[b->open].count += x;
      for (guint j = 0; j < c->m; j++)
        used[j] += c->cost[b->k * c->m + j] * x;
    }
  for (guint j = 0; j < c->m; j++)
    if (used[j] > core->room[j])
      return FALSE;
  /* As many of the best of each class are worth at least as much. */
  for (guint o = 0; o < core->n; o++)
    value += nn_class_value (c, core->open[o].k, core->open[o].count) - nn_class_value (c, core->open[o].k, core->open[o].low);
  if (value > core->best)
    {
      core->best = value;
      core->found = TRUE;
      for (guint o = 0; o < core->n; o++)
        core->open[o].best = core->open[o].count;
    }
  return TRUE;
}

static void
set_parameters (glp_iocp       *parameters,
                const NnLimits *limits)
{
  glp_init_iocp (parameters);
  parameters->msg_lev = GLP_MSG_OFF;
  parameters->presolve = GLP_ON;
  parameters->br_tech = GLP_BR_DTH;
  parameters->bt_tech = GLP_BT_BLB;
  parameters->mir_cuts = GLP_ON;
  parameters->gmi_cuts = GLP_ON;
  parameters->cov_cuts = GLP_ON;
  parameters->tol_obj = 1e-11;
  parameters->cb_func = on_node;
  parameters->cb_info = (void *) limits;
}

NnCoreResult
nn_core_glpk (NnCore  *core,
              GError **error)
{
  NnCoreResult result;
  Guard guard;
  glp_iocp parameters;
  g_autoptr (GArray) array = make_blocks (core);
  const Block *blocks = (const Block *) array->data;
  glp_prob *problem;
  int status, found;

  if (setjmp (guard.jump) != 0)
    {
      after_error (error);
      return NN_CORE_FAILED;
    }
  glp_term_hook (no_output, NULL);
  glp_error_hook (on_error, &guard);
  problem = build (core, blocks, array->len);
  set_parameters (&parameters, core->limits);
  status = glp_intopt (problem, &parameters);
  found = status == GLP_ENOPFS || status == GLP_ENODFS ? GLP_NOFEAS : glp_mip_status (problem);
  result = status == 0 || status == GLP_ENOPFS ? NN_CORE_PROVEN : NN_CORE_STOPPED;
  if ((found == GLP_OPT || found == GLP_FEAS) && !take (core, problem, blocks, array->len))
    result = NN_CORE_STOPPED;
  glp_delete_prob (problem);
  glp_error_hook (NULL, NULL);
  return result;
}

/* Columns: moves, then the slack of each resource at its price. Rows: resources, the loss, one move an item. */
static glp_prob *
build_choice (const NnChoice *c,
              const NnMove   *moves,
              guint           n,
              const double   *room,
              double          gap)
{
  glp_prob *problem = glp_create_prob ();
  gsize n_elements = 0, most = (gsize) (n + c->m) * (c->m + 2) + 1;
  g_autofree int *rows = g_new (int, most), *columns = g_new (int, most);
  g_autofree double *elements = g_new (double, most);
  double unit = MAX (gap, 1e-300);
  int row = (int) c->m + 1;

#define PUT(r, col, v) (n_elements++, rows[n_elements] = (int) (r), columns[n_elements] = (int) (col), elements[n_elements] = (v))
  glp_set_obj_dir (problem, GLP_MIN);
  glp_add_rows (problem, row);
  glp_add_cols (problem, (int) (n + c->m));
  for (guint x = 0; x < n; x++)
    {
      glp_set_col_kind (problem, (int) x + 1, GLP_BV);
      glp_set_obj_coef (problem, (int) x + 1, (double) moves[x].loss / unit);
      PUT (c->m + 1, x + 1, (double) moves[x].loss / unit);
      for (guint j = 0; j < c->m; j++)
        if (moves[x].delta[j] != 0)
          PUT (j + 1, x + 1, moves[x].delta[j]);
      if (x == 0 || moves[x].item != moves[x - 1].item)
        {
          row = glp_add_rows (problem, 1);
          glp_set_row_bnds (problem, row, GLP_UP, 0, 1);
        }
      PUT (row, x + 1, 1);
    }
  for (guint j = 0; j < c->m; j++)
    {
      int col = (int) (n + j + 1);

      glp_set_col_bnds (problem, col, GLP_LO, 0, 0);
      glp_set_obj_coef (problem, col, c->lambda[j] / unit);
      PUT (j + 1, col, 1);
      PUT (c->m + 1, col, c->lambda[j] / unit);
      glp_set_row_bnds (problem, (int) j + 1, GLP_FX, room[j], room[j]);
    }
#undef PUT
  /* @gap is what a whole unit above the floor may lose: half a unit more is nothing new. */
  glp_set_row_bnds (problem, (int) c->m + 1, GLP_UP, 0, (gap + 0.5) / unit);
  glp_load_matrix (problem, (int) n_elements, rows, columns, elements);
  return problem;
}

NnCoreResult
nn_choice_glpk (const NnChoice *c,
                const NnMove   *moves,
                guint           n,
                const double   *room,
                double          gap,
                const NnLimits *limits,
                guint8         *taken,
                gboolean       *found)
{
  Guard guard;
  glp_iocp parameters;
  glp_prob *problem;
  int status, kind;

  *found = FALSE;
  if (setjmp (guard.jump) != 0)
    {
      after_error (NULL);
      return NN_CORE_FAILED;
    }
  glp_term_hook (no_output, NULL);
  glp_error_hook (on_error, &guard);
  problem = build_choice (c, moves, n, room, gap);
  set_parameters (&parameters, limits);
  status = glp_intopt (problem, &parameters);
  kind = status == GLP_ENOPFS || status == GLP_ENODFS ? GLP_NOFEAS : glp_mip_status (problem);
  if (kind == GLP_OPT || kind == GLP_FEAS)
    {
      *found = TRUE;
      for (guint x = 0; x < n; x++)
        taken[x] = glp_mip_col_val (problem, (int) x + 1) > 0.5;
    }
  glp_delete_prob (problem);
  glp_error_hook (NULL, NULL);
  return status == 0 || status == GLP_ENOPFS ? NN_CORE_PROVEN : NN_CORE_STOPPED;
}

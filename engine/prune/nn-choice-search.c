/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The multiple-choice knapsack's incumbent and its core. */

#include "nn-choice-private.h"

#include <math.h>

/* Partial choices of one item's layer, and of all, after which branch and cut takes over. */
#define MAX_LAYER 400000
#define MAX_STATES 4000000
/* Passes of the greedy repair. */
#define REPAIRS 8

typedef struct {
  double key;
  gsize  i, k;
} Ranked;

static int
by_key (gconstpointer a,
        gconstpointer b)
{
  const Ranked *ra = a, *rb = b;

  if (ra->key != rb->key)
    return ra->key < rb->key ? -1 : 1;
  return ra->k < rb->k ? -1 : ra->k > rb->k;
}

static gboolean
is_over (const NnChoice *c,
         const double   *room)
{
  for (guint j = 0; j < c->m; j++)
    if (room[j] < 0)
      return TRUE;
  return FALSE;
}

static void
change (const NnChoice *c,
        gsize          *chosen,
        double         *room,
        gsize           i,
        gsize           k)
{
  for (guint j = 0; j < c->m; j++)
    room[j] += c->cost[chosen[i] * c->m + j] - c->cost[k * c->m + j];
  chosen[i] = k;
}

static void
room_of (const NnChoice *c,
         const gsize    *chosen,
         double         *room)
{
  memcpy (room, c->budget, sizeof *room * c->m);
  for (gsize i = 0; i < c->n; i++)
    for (guint j = 0; j < c->m; j++)
      room[j] -= c->cost[chosen[i] * c->m + j];
}

/* By how much @k instead of @from relieves what is overdrawn, as shares of the budgets. */
static double
relief (const NnChoice *c,
        const double   *room,
        gsize           from,
        gsize           k)
{
  double sum = 0;

  for (guint j = 0; j < c->m; j++)
    if (room[j] < 0)
      sum += MIN (c->cost[from * c->m + j] - c->cost[k * c->m + j], -room[j]) / MAX (c->budget[j], 1e-300);
  return sum;
}

static void
repair (const NnChoice *c,
        gsize          *chosen,
        double         *room)
{
  g_autoptr (GArray) moves = g_array_new (FALSE, FALSE, sizeof (Ranked));

  for (guint pass = 0; pass < REPAIRS && is_over (c, room); pass++)
    {
      g_array_set_size (moves, 0);
      for (gsize i = 0; i < c->n; i++)
        for (gsize k = c->first[i]; k < c->first[i + 1]; k++)
          {
            double r = relief (c, room, chosen[i], k);
            Ranked move = { .i = i, .k = k };

            if (r <= 0)
              continue;
            move.key = (double) (nn_choice_loss (c, i, k) - nn_choice_loss (c, i, chosen[i])) / r;
            g_array_append_val (moves, move);
          }
      g_array_sort (moves, by_key);
      for (guint t = 0; t < moves->len && is_over (c, room); t++)
        {
          const Ranked *move = &g_array_index (moves, Ranked, t);

          if (relief (c, room, chosen[move->i], move->k) > 0)
            change (c, chosen, room, move->i, move->k);
        }
    }
}

/* Options worth more that still fit, those that lose least at the prices first. */
static void
fill (const NnChoice *c,
      gsize          *chosen,
      double         *room)
{
  g_autoptr (GArray) moves = g_array_new (FALSE, FALSE, sizeof (Ranked));

  for (gsize i = 0; i < c->n; i++)
    for (gsize k = c->first[i]; k < c->first[i + 1]; k++)
      if (c->value[k] > c->value[chosen[i]])
        {
          Ranked move = { (double) nn_choice_loss (c, i, k), i, k };

          g_array_append_val (moves, move);
        }
  g_array_sort (moves, by_key);
  for (guint t = 0; t < moves->len; t++)
    {
      const Ranked *move = &g_array_index (moves, Ranked, t);
      gboolean fits = c->value[move->k] > c->value[chosen[move->i]];

      for (guint j = 0; j < c->m && fits; j++)
        fits = c->cost[move->k * c->m + j] - c->cost[chosen[move->i] * c->m + j] <= room[j];
      if (fits)
        change (c, chosen, room, move->i, move->k);
    }
}

static void
take (NnChoice    *c,
      const gsize *chosen)
{
  double room[NN_KNAPSACK_MAX_RESOURCES];
  gint64 value = 0;

  room_of (c, chosen, room);
  for (gsize i = 0; i < c->n; i++)
    value += c->value[chosen[i]];
  if (is_over (c, room) || value <= c->best)
    return;
  c->best = value;
  memcpy (c->chosen, chosen, sizeof *chosen * c->n);
}

void
nn_choice_greedy (NnChoice *c)
{
  g_autofree gsize *chosen = g_memdup2 (c->top, sizeof (gsize) * MAX (c->n, 1));
  double room[NN_KNAPSACK_MAX_RESOURCES];

  room_of (c, chosen, room);
  repair (c, chosen, room);
  if (is_over (c, room))
    return;
  fill (c, chosen, room);
  take (c, chosen);
}

/* An item some of whose other options are open: those with less loss than the gap. */
typedef struct {
  gsize       i;
  guint       first, n; /* in the list of options */
  long double next;     /* least loss of another option than the top */
} Open;

/* A partial choice: what it leaves, what it is worth, and where it came from. */
typedef struct {
  gint64  value;
  guint32 parent;
  guint32 option; /* in the list of options */
} State;

typedef struct {
  NnChoice       *c;
  const NnLimits *limits;
  gint64          floor;
  GArray         *open;     /* Open */
  GArray         *options;  /* gsize: numbers in @c */
  long double    *rest_gain; /* (open + 1): most at the prices from here on */
  double         *rest_most; /* (open + 1, m): most that they take */
  double         *rest_least;
  double          room[NN_KNAPSACK_MAX_RESOURCES]; /* with the closed items taken */
  gint64          base;
  GArray         *states;   /* State: all layers */
  GArray         *left;     /* double: (states of the two layers at work, m) */
} Search;

static int
by_next (gconstpointer a,
         gconstpointer b)
{
  const Open *oa = a, *ob = b;

  if (oa->next != ob->next)
    return oa->next < ob->next ? -1 : 1;
  return oa->i < ob->i ? -1 : oa->i > ob->i;
}

static void
open_items (Search      *s,
            long double  gap)
{
  const NnChoice *c = s->c;

  memcpy (s->room, c->budget, sizeof s->room);
  for (gsize i = 0; i < c->n; i++)
    {
      Open open = { .i = i, .first = s->options->len, .next = INFINITY };

      for (gsize k = c->first[i]; k < c->first[i + 1]; k++)
        {
          long double loss = nn_choice_loss (c, i, k);

          if (k != c->top[i] && loss > gap)
            continue;
          if (k != c->top[i])
            open.next = MIN (open.next, loss);
          g_array_append_val (s->options, k);
          open.n++;
        }
      if (open.n > 1)
        {
          g_array_append_val (s->open, open);
          continue;
        }
      g_array_set_size (s->options, open.first);
      s->base += c->value[c->top[i]];
      for (guint j = 0; j < c->m; j++)
        s->room[j] -= c->cost[c->top[i] * c->m + j];
    }
  g_array_sort (s->open, by_next);
}

static void
sum_up (Search *s)
{
  const NnChoice *c = s->c;
  guint m = c->m;

  s->rest_gain = g_new0 (long double, s->open->len + 1);
  s->rest_most = g_new0 (double, (gsize) (s->open->len + 1) * m);
  s->rest_least = g_new0 (double, (gsize) (s->open->len + 1) * m);
  for (guint t = s->open->len; t-- > 0;)
    {
      const Open *open = &g_array_index (s->open, Open, t);

      s->rest_gain[t] = s->rest_gain[t + 1] + c->profit[open->i];
      for (guint j = 0; j < m; j++)
        {
          double most = 0, least = INFINITY;

          for (guint x = 0; x < open->n; x++)
            {
              double cost = c->cost[g_array_index (s->options, gsize, open->first + x) * m + j];

              most = MAX (most, cost);
              least = MIN (least, cost);
            }
          s->rest_most[t * m + j] = s->rest_most[(t + 1) * m + j] + most;
          s->rest_least[t * m + j] = s->rest_least[(t + 1) * m + j] + least;
        }
    }
}

static gboolean
is_hopeful (const Search *s,
            guint         t,
            gint64        value,
            const double *left)
{
  const NnChoice *c = s->c;
  long double bound = (long double) value + s->rest_gain[t];

  for (guint j = 0; j < c->m; j++)
    {
      if (left[j] < s->rest_least[t * c->m + j] * (1 - 1e-12))
        return FALSE;
      bound += (long double) c->lambda[j] * MIN (left[j], s->rest_most[t * c->m + j]);
    }
  return bound >= (long double) s->floor + 1 - NN_CLASSES_ROUNDING;
}

static guint
hash_left (const double *left,
           guint         m)
{
  guint64 h = 0x9e3779b97f4a7c15u;

  for (guint j = 0; j < m; j++)
    {
      guint64 bits;
      double v = left[j] + 0.0;

      memcpy (&bits, &v, sizeof bits);
      h = (h ^ bits) * 0xbf58476d1ce4e5b9u;
      h ^= h >> 29;
    }
  return (guint) (h ^ (h >> 32));
}

typedef struct {
  guint32 *slot; /* index of a state of the layer + 1 */
  gsize    size;
} Table;

/* Adds a state to the layer that begins at @first, or improves the one with the same left. */
static void
put_state (Search       *s,
           Table        *table,
           guint         first,
           GArray       *next_left,
           const State  *state,
           const double *left)
{
  guint m = s->c->m, n = s->states->len - first;
  gsize at = hash_left (left, m) & (table->size - 1);

  for (; table->slot[at] != 0; at = (at + 1) & (table->size - 1))
    {
      guint known = table->slot[at] - 1;

      if (memcmp (&g_array_index (next_left, double, (gsize) known * m), left, sizeof *left * m) == 0)
        {
          State *old = &g_array_index (s->states, State, first + known);

          if (state->value > old->value)
            *old = *state;
          return;
        }
    }
  g_array_append_vals (s->states, state, 1);
  g_array_append_vals (next_left, left, m);
  table->slot[at] = n + 1;
  if ((gsize) (n + 2) * 2 < table->size)
    return;
  table->size *= 2;
  g_free (table->slot);
  table->slot = g_new0 (guint32, table->size);
  for (guint known = 0; known <= n; known++)
    {
      at = hash_left (&g_array_index (next_left, double, (gsize) known * m), m) & (table->size - 1);
      while (table->slot[at] != 0)
        at = (at + 1) & (table->size - 1);
      table->slot[at] = known + 1;
    }
}

/* All partial choices with one item more. FALSE when they are too many or time is up. */
static gboolean
add_layer (Search *s,
           guint   t,
           guint  *first)
{
  const NnChoice *c = s->c;
  const Open *open = &g_array_index (s->open, Open, t);
  guint m = c->m, from = *first, to = s->states->len;
  GArray *next_left = g_array_new (FALSE, FALSE, sizeof (double));
  Table table = { g_new0 (guint32, 64), 64 };
  gboolean good = TRUE;

  for (guint p = from; p < to && good; p++)
    {
      gint64 value = g_array_index (s->states, State, p).value;

      for (guint x = 0; x < open->n; x++)
        {
          gsize k = g_array_index (s->options, gsize, open->first + x);
          State state = { value + c->value[k], p, open->first + x };
          double left[NN_KNAPSACK_MAX_RESOURCES];

          for (guint j = 0; j < m; j++)
            left[j] = g_array_index (s->left, double, (gsize) (p - from) * m + j) - c->cost[k * m + j] + 0.0;
          if (is_hopeful (s, t + 1, state.value, left))
            put_state (s, &table, to, next_left, &state, left);
        }
      if ((p & 255) == 0)
        good = s->states->len - to <= MAX_LAYER && s->states->len <= MAX_STATES && !nn_limits_stop (s->limits);
    }
  g_free (table.slot);
  g_array_unref (s->left);
  s->left = next_left;
  *first = to;
  return good;
}

typedef struct {
  long double hope;
  guint       at;
} Hope;

static int
by_hope (gconstpointer a,
         gconstpointer b)
{
  const Hope *ha = a, *hb = b;

  if (ha->hope != hb->hope)
    return ha->hope > hb->hope ? -1 : 1;
  return ha->at < hb->at ? -1 : 1;
}

/* Leaves the @beam most hopeful states of the layer that begins at @first. */
static void
thin_out (Search *s,
          guint   t,
          guint   first,
          guint   beam)
{
  guint n = s->states->len - first, m = s->c->m;
  g_autofree Hope *hopes = g_new (Hope, n);
  GArray *left = g_array_new (FALSE, FALSE, sizeof (double)), *states = g_array_new (FALSE, FALSE, sizeof (State));

  for (guint p = 0; p < n; p++)
    {
      const double *room = &g_array_index (s->left, double, (gsize) p * m);

      hopes[p] = (Hope) { (long double) g_array_index (s->states, State, first + p).value, p };
      for (guint j = 0; j < m; j++)
        hopes[p].hope += (long double) s->c->lambda[j] * MIN (room[j], s->rest_most[(t + 1) * m + j]);
    }
  qsort (hopes, n, sizeof *hopes, by_hope);
  for (guint p = 0; p < beam; p++)
    {
      g_array_append_vals (states, &g_array_index (s->states, State, first + hopes[p].at), 1);
      g_array_append_vals (left, &g_array_index (s->left, double, (gsize) hopes[p].at * m), m);
    }
  g_array_set_size (s->states, first);
  g_array_append_vals (s->states, states->data, states->len);
  g_array_unref (states);
  g_array_unref (s->left);
  s->left = left;
}

/* The choice behind a state of the last layer. */
static void
trace (const Search *s,
       guint         at,
       gsize        *chosen)
{
  for (guint t = s->open->len; t-- > 0;)
    {
      const State *state = &g_array_index (s->states, State, at);

      chosen[g_array_index (s->open, Open, t).i] = g_array_index (s->options, gsize, state->option);
      at = state->parent;
    }
}

static NnCoreResult
search_states (Search *s,
               guint   beam)
{
  gboolean whole = TRUE;
  const State root = { .value = s->base };
  guint first = 0, best = G_MAXUINT;
  g_autofree gsize *chosen = NULL;

  if (!is_hopeful (s, 0, s->base, s->room))
    return NN_CORE_PROVEN;
  g_array_append_val (s->states, root);
  g_array_append_vals (s->left, s->room, s->c->m);
  for (guint t = 0; t < s->open->len; t++)
    {
      if (!add_layer (s, t, &first))
        return NN_CORE_STOPPED;
      if (beam > 0 && s->states->len - first > beam)
        {
          thin_out (s, t, first, beam);
          whole = FALSE;
        }
    }
  for (guint p = first; p < s->states->len; p++)
    if (best == G_MAXUINT || g_array_index (s->states, State, p).value > g_array_index (s->states, State, best).value)
      best = p;
  if (best == G_MAXUINT)
    return whole ? NN_CORE_PROVEN : NN_CORE_STOPPED;
  chosen = g_memdup2 (s->c->top, sizeof (gsize) * MAX (s->c->n, 1));
  trace (s, best, chosen);
  take (s->c, chosen);
  return whole ? NN_CORE_PROVEN : NN_CORE_STOPPED;
}

static NnCoreResult
search_glpk (Search      *s,
             long double  gap)
{
  NnChoice *c = s->c;
  g_autoptr (GArray) moves = g_array_new (FALSE, TRUE, sizeof (NnMove));
  g_autofree guint8 *taken = NULL;
  g_autofree gsize *chosen = g_memdup2 (c->top, sizeof (gsize) * MAX (c->n, 1));
  double room[NN_KNAPSACK_MAX_RESOURCES];
  gboolean found = FALSE;
  gint64 before = c->best;
  NnCoreResult result;

  room_of (c, c->top, room);
  for (guint t = 0; t < s->open->len; t++)
    {
      const Open *open = &g_array_index (s->open, Open, t);

      for (guint x = 0; x < open->n; x++)
        {
          NnMove move = { .item = t, .i = open->i, .k = g_array_index (s->options, gsize, open->first + x) };

          if (move.k == c->top[open->i])
            continue;
          move.loss = nn_choice_loss (c, move.i, move.k);
          for (guint j = 0; j < c->m; j++)
            move.delta[j] = c->cost[move.k * c->m + j] - c->cost[c->top[move.i] * c->m + j];
          g_array_append_val (moves, move);
        }
    }
  taken = g_malloc0 (moves->len + 1);
  result = nn_choice_glpk (c, (const NnMove *) moves->data, moves->len, room, (double) gap, s->limits, taken, &found);
  for (guint x = 0; found && x < moves->len; x++)
    if (taken[x])
      chosen[g_array_index (moves, NnMove, x).i] = g_array_index (moves, NnMove, x).k;
  if (found)
    take (c, chosen);
  /* A choice that was announced and does not hold proves nothing. */
  return result == NN_CORE_PROVEN && found && c->best == before ? NN_CORE_STOPPED : result;
}

NnCoreResult
nn_choice_search (NnChoice       *c,
                  gint64          floor_value,
                  guint           beam,
                  const NnLimits *limits)
{
  long double gap = c->bound - (long double) (floor_value + 1) + NN_CLASSES_ROUNDING;
  Search s = { .c = c, .limits = limits, .floor = floor_value };
  NnCoreResult result;

  if (nn_limits_stop (limits))
    return NN_CORE_STOPPED;
  s.open = g_array_new (FALSE, FALSE, sizeof (Open));
  s.options = g_array_new (FALSE, FALSE, sizeof (gsize));
  s.states = g_array_new (FALSE, FALSE, sizeof (State));
  s.left = g_array_new (FALSE, FALSE, sizeof (double));
  open_items (&s, gap);
  sum_up (&s);
  result = search_states (&s, beam);
  /* Branch and cut knows no limit but the clock. */
  if (beam == 0 && result == NN_CORE_STOPPED && !nn_limits_stop (limits) && (limits->deadline > 0 || c->best < 0))
    result = search_glpk (&s, gap);
  if (result == NN_CORE_FAILED)
    result = NN_CORE_STOPPED;
  g_array_unref (s.open);
  g_array_unref (s.options);
  g_array_unref (s.states);
  g_array_unref (s.left);
  g_free (s.rest_gain);
  g_free (s.rest_most);
  g_free (s.rest_least);
  return result;
}

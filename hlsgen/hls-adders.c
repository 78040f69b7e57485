/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributed arithmetic: sums of shifted inputs instead of products, common parts computed once. */

#include "hls-emit-private.h"

#include <string.h>

/* One signed digit: +-2^shift times value `id`. */
typedef struct {
  guint32 id;
  gint16  shift;
  gint16  sign;
} Term;

/* value `id` = a + sign * 2^shift * b */
typedef struct {
  guint32 a, b;
  int     shift, sign;
} Step;

typedef struct {
  guint32 a, b;
  gint16  shift, sign;
} Pair;

/*
 * @rows: of GArray of Term, one an output
 * @steps: of Step; values before n_in are the inputs
 * @counts: how often each Pair stands in all rows, counted with overlaps
 * @ranked: those that stand more than once, the most common first
 */
typedef struct {
  GArray     *rows;
  GArray     *steps;
  guint       n_in;
  GHashTable *counts;
  GTree      *ranked;
} Graph;

typedef struct {
  guint count;
  Pair  pair;
} Rank;

/* The canonical signed digits of @w (no two neighbours are both set). */
static void
append_digits (GArray  *row,
               guint32  id,
               gint64   w)
{
  for (gint16 shift = 0; w != 0; shift++, w /= 2) /* even, or made even: no rounding */
    {
      Term term = { id, shift, 0 };

      if ((w & 1) == 0)
        continue;
      term.sign = (gint16) (((w % 4) + 4) % 4 == 3 ? -1 : 1);
      w -= term.sign;
      g_array_append_val (row, term);
    }
}

static guint
pair_hash (gconstpointer p)
{
  const Pair *k = p;

  return k->a * 2654435761u ^ k->b * 40503u ^ (guint) (k->shift * 7919) ^ (guint) (k->sign * 31);
}

static gboolean
pair_equal (gconstpointer p,
            gconstpointer q)
{
  return memcmp (p, q, sizeof (Pair)) == 0;
}

/* Two digits as a pattern that does not depend on where it stands or on its sign as a whole. */
static Pair
pattern (const Term *x,
         const Term *y)
{
  const Term *first = x, *second = y;

  if (x->shift > y->shift || (x->shift == y->shift && x->id > y->id))
    first = y, second = x;
  return (Pair){ first->id, second->id, (gint16) (second->shift - first->shift), (gint16) (first->sign * second->sign) };
}

/* The most common first; of equally common ones an order that depends on nothing else. */
static int
compare_ranks (gconstpointer p,
               gconstpointer q,
               gpointer      data)
{
  const Rank *x = p, *y = q;

  if (x->count != y->count)
    return x->count > y->count ? -1 : 1;
  if (x->pair.a != y->pair.a)
    return x->pair.a < y->pair.a ? -1 : 1;
  if (x->pair.b != y->pair.b)
    return x->pair.b < y->pair.b ? -1 : 1;
  if (x->pair.shift != y->pair.shift)
    return x->pair.shift < y->pair.shift ? -1 : 1;
  return x->pair.sign - y->pair.sign;
}

/* One more, or one less, of a pair. */
static void
count_pair (Graph      *graph,
            const Term *x,
            const Term *y,
            int         change)
{
  Rank rank = { 0, pattern (x, y) };

  rank.count = GPOINTER_TO_UINT (g_hash_table_lookup (graph->counts, &rank.pair));
  if (rank.count > 1)
    g_tree_remove (graph->ranked, &rank);
  rank.count += (guint) change;
  if (rank.count == 0)
    g_hash_table_remove (graph->counts, &rank.pair);
  else
    g_hash_table_insert (graph->counts, g_memdup2 (&rank.pair, sizeof rank.pair), GUINT_TO_POINTER (rank.count));
  if (rank.count > 1)
    g_tree_insert (graph->ranked, g_memdup2 (&rank, sizeof rank), NULL);
}

/* All pairs of term @i of a row, but that with term @besides. */
static void
count_term (Graph  *graph,
            GArray *row,
            guint   i,
            guint   besides,
            int     change)
{
  for (guint k = 0; k < row->len; k++)
    if (k != i && k != besides)
      count_pair (graph, &g_array_index (row, Term, i), &g_array_index (row, Term, k), change);
}

static void
count_all (Graph *graph)
{
  for (guint o = 0; o < graph->rows->len; o++)
    {
      GArray *row = g_array_index (graph->rows, GArray *, o);

      for (guint i = 0; i < row->len; i++)
        for (guint j = i + 1; j < row->len; j++)
          count_pair (graph, &g_array_index (row, Term, i), &g_array_index (row, Term, j), 1);
    }
}

/* Terms @i and @j of a row become one, value @id. */
static void
join (Graph   *graph,
      GArray  *row,
      guint    i,
      guint    j,
      guint32  id)
{
  Term *x = &g_array_index (row, Term, i), *y = &g_array_index (row, Term, j);
  Term *first = x->shift > y->shift || (x->shift == y->shift && x->id > y->id) ? y : x;
  Term sum = { id, first->shift, first->sign };

  count_term (graph, row, i, j, -1);
  count_term (graph, row, j, G_MAXUINT, -1);
  *x = sum;
  g_array_remove_index (row, j);
  count_term (graph, row, i, G_MAXUINT, 1);
}

static void
replace (Graph      *graph,
         const Pair *pair)
{
  Step step = { pair->a, pair->b, pair->shift, pair->sign };
  guint32 id = graph->n_in + graph->steps->len;

  for (guint o = 0; o < graph->rows->len; o++)
    {
      GArray *row = g_array_index (graph->rows, GArray *, o);

      for (guint i = 0; i < row->len; i++)
        for (guint j = i + 1; j < row->len; j++)
          {
            const Term *x = &g_array_index (row, Term, i), *y = &g_array_index (row, Term, j);
            Pair key;

            if ((x->id != pair->a || y->id != pair->b) && (x->id != pair->b || y->id != pair->a))
              continue;
            key = pattern (x, y);
            if (!pair_equal (&key, pair))
              continue;
            join (graph, row, i, j, id);
            break;
          }
    }
  g_array_append_val (graph->steps, step);
}

/* Memory grows with the square of the digits of an output; beyond this, sharing is left to the tool. */
#define MAX_PAIRS 1500000

static gboolean
is_small (const Graph *graph)
{
  gsize pairs = 0;

  for (guint o = 0; o < graph->rows->len; o++)
    {
      gsize n = g_array_index (graph->rows, GArray *, o)->len;

      pairs += n * n / 2;
    }
  return pairs <= MAX_PAIRS;
}

/* Pairs become values of their own as long as one stands twice; those that overlap may leave only one of two. */
static void
share (Graph *graph)
{
  GTreeNode *best;

  graph->counts = g_hash_table_new_full (pair_hash, pair_equal, g_free, NULL);
  graph->ranked = g_tree_new_full (compare_ranks, NULL, g_free, NULL);
  count_all (graph);
  while ((best = g_tree_node_first (graph->ranked)) != NULL)
    {
      Pair pair = ((const Rank *) g_tree_node_key (best))->pair;

      replace (graph, &pair);
    }
  g_tree_unref (graph->ranked);
  g_hash_table_unref (graph->counts);
}

static void
append_term (GString    *text,
             const Term *term,
             guint       n_in)
{
  g_autofree char *name = term->id < n_in ? g_strdup_printf ("x[%u]", term->id) : g_strdup_printf ("t%u", term->id - n_in);

  if (term->shift == 0)
    g_string_append (text, name);
  else
    g_string_append_printf (text, "scaled<%d>(%s)", term->shift, name);
}

static void
append_sum (GString *text,
            GArray  *row,
            guint    first,
            guint    n,
            guint    n_in)
{
  /* a balanced tree; a difference where the second half begins with a minus is left to the terms themselves */
  if (n == 1)
    {
      const Term *term = &g_array_index (row, Term, first);

      g_string_append (text, term->sign < 0 ? "(-" : "");
      append_term (text, term, n_in);
      g_string_append (text, term->sign < 0 ? ")" : "");
      return;
    }
  g_string_append_c (text, '(');
  append_sum (text, row, first, n / 2, n_in);
  g_string_append (text, " + ");
  append_sum (text, row, first + n / 2, n - n / 2, n_in);
  g_string_append_c (text, ')');
}

/* From here on simulation adds integers. */
#define MANY_ADDITIONS 250

static gsize
additions_of (const Graph *graph)
{
  gsize additions = graph->steps->len;

  for (guint o = 0; o < graph->rows->len; o++)
    additions += MAX (g_array_index (graph->rows, GArray *, o)->len, 1) - 1;
  return additions;
}

static void
append_output (GString     *text,
               const Graph *graph,
               guint        o,
               int          shift)
{
  GArray *row = g_array_index (graph->rows, GArray *, o);

  g_string_append_printf (text, "        sum[%u] = ", o);
  if (row->len == 0)
    g_string_append (text, "0");
  else
    {
      g_string_append_printf (text, "placed<%d>(", shift);
      append_sum (text, row, 0, row->len, graph->n_in);
      g_string_append_c (text, ')');
    }
  g_string_append (text, ";\n");
}

static void
write_graph (HlsEmit         *emit,
             const Graph     *graph,
             const HlsMatrix *matrix,
             const char      *config,
             guint            width,
             int              fraction)
{
  GString *text = emit->generated;
  NnType sum = NN_FIXED ((int) width, (int) width - fraction);
  g_autofree char *type = emit->backend->type (&sum);
  int shift = nn_type_fraction (matrix->weight_type);
  gboolean apart = graph->steps->len == 0; /* compilers' time grows faster than a function */

  g_string_append_printf (text, "struct %s_sums {\n    typedef %s sum_t;\n    static const bool many = %s;\n", config, type,
                          additions_of (graph) > MANY_ADDITIONS ? "true" : "false");
  for (guint o = 0; o < graph->rows->len && apart; o++)
    {
      g_string_append_printf (text, "    template <class data_T, class sum_T> static void output%u(const data_T *x, sum_T *sum) {\n        NNET_INLINE\n", o);
      append_output (text, graph, o, shift);
      g_string_append (text, "        (void)x;\n    }\n");
    }
  g_string_append (text, "    template <class data_T, class sum_T> static void run(const data_T *x, sum_T *sum) {\n        NNET_INLINE\n");
  for (guint k = 0; k < graph->steps->len; k++)
    {
      const Step *step = &g_array_index (graph->steps, Step, k);
      Term a = { step->a, 0, 1 }, b = { step->b, (gint16) step->shift, 1 };

      g_string_append_printf (text, "        const auto t%u = ", k);
      append_term (text, &a, graph->n_in);
      g_string_append (text, step->sign < 0 ? " - " : " + ");
      append_term (text, &b, graph->n_in);
      g_string_append (text, ";\n");
    }
  for (guint o = 0; o < graph->rows->len; o++)
    {
      if (apart)
        g_string_append_printf (text, "        output%u(x, sum);\n", o);
      else
        append_output (text, graph, o, shift);
    }
  g_string_append (text, "        (void)x;\n    }\n};\n\n");
}

/**
 * hls_emit_adders:
 *
 * Writes the adder graph of a matrix: canonical signed digits of the weights, the pairs that stand most often made
 * into values of their own, one after the other (Hartley's method).
 *
 * Returns: additions of the graph
 *
 * Source: R. I. Hartley, IEEE Trans. Circuits Syst. II 43 (1996) 677
 */
gsize
hls_emit_adders (HlsEmit         *emit,
                 const HlsLayer  *layer,
                 const HlsMatrix *matrix,
                 const char      *config)
{
  Graph graph = { g_array_new (FALSE, FALSE, sizeof (GArray *)), g_array_new (FALSE, FALSE, sizeof (Step)), matrix->n_in, NULL, NULL };
  const NnType *input = matrix->input_type;
  guint width = (guint) (input->width + matrix->weight_type->width + 2);
  gsize additions;

  for (guint o = 0; o < matrix->n_out; o++)
    {
      GArray *row = g_array_new (FALSE, FALSE, sizeof (Term));

      for (guint i = 0; i < matrix->n_in; i++)
        append_digits (row, i, matrix->raw[(gsize) i * matrix->n_out + o]);
      g_array_append_val (graph.rows, row);
    }
  if (is_small (&graph))
    share (&graph);
  for (guint n = 1; n < matrix->n_in; n *= 2)
    width++;
  write_graph (emit, &graph, matrix, config, MIN (width, 120), nn_type_fraction (input) + nn_type_fraction (matrix->weight_type));
  additions = additions_of (&graph);
  for (guint o = 0; o < graph.rows->len; o++)
    g_array_free (g_array_index (graph.rows, GArray *, o), TRUE);
  g_array_free (graph.rows, TRUE);
  g_array_free (graph.steps, TRUE);
  return additions;
}

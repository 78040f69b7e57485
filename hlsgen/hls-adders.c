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
  GArray *rows;  /* of GArray of Term, one an output */
  GArray *steps; /* of Step; values before n_in are the inputs */
  guint   n_in;
} Graph;

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

typedef struct {
  guint32 a, b;
  gint16  shift, sign;
} Pair;

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

/* The pattern that stands most often, counted with overlaps; its count. */
static guint
most_common (const Graph *graph,
             Pair        *best)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (pair_hash, pair_equal, g_free, NULL);
  guint most = 1;

  for (guint o = 0; o < graph->rows->len; o++)
    {
      GArray *row = g_array_index (graph->rows, GArray *, o);

      for (guint i = 0; i < row->len; i++)
        for (guint j = i + 1; j < row->len; j++)
          {
            Pair key = pattern (&g_array_index (row, Term, i), &g_array_index (row, Term, j));
            guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, &key)) + 1;

            g_hash_table_insert (counts, g_memdup2 (&key, sizeof key), GUINT_TO_POINTER (n));
            /* of equally common ones the first seen, so that the result does not depend on the table's order */
            if (n > most)
              {
                most = n;
                *best = key;
              }
          }
    }
  return most;
}

static guint
replace (Graph      *graph,
         const Pair *pair)
{
  Step step = { pair->a, pair->b, pair->shift, pair->sign };
  guint32 id = graph->n_in + graph->steps->len;
  guint replaced = 0;

  for (guint o = 0; o < graph->rows->len; o++)
    {
      GArray *row = g_array_index (graph->rows, GArray *, o);

      for (guint i = 0; i < row->len; i++)
        for (guint j = i + 1; j < row->len; j++)
          {
            Term *x = &g_array_index (row, Term, i), *y = &g_array_index (row, Term, j), *first;
            Pair key = pattern (x, y);
            Term sum = { id, 0, 0 };

            if (!pair_equal (&key, pair))
              continue;
            first = x->shift > y->shift || (x->shift == y->shift && x->id > y->id) ? y : x;
            sum.shift = first->shift;
            sum.sign = first->sign;
            *x = sum;
            g_array_remove_index (row, j);
            replaced++;
            break;
          }
    }
  if (replaced > 0)
    g_array_append_val (graph->steps, step);
  return replaced;
}

/* Work grows with the square of the digits of an output; beyond this, sharing is left to the tool. */
#define MAX_PAIRS 4000000

static gboolean
is_small (const Graph *graph)
{
  gsize pairs = 0;

  for (guint o = 0; o < graph->rows->len; o++)
    {
      gsize n = g_array_index (graph->rows, GArray *, o)->len;

      pairs += n * n / 2;
    }
  return pairs * (graph->rows->len + 8) < (gsize) MAX_PAIRS * 8;
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

  g_string_append_printf (text,
                          "struct %s_sums {\n    typedef %s sum_t;\n"
                          "    template <class data_T> static void run(const data_T *x, sum_t *sum) {\n        NNET_INLINE\n",
                          config, type);
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
      GArray *row = g_array_index (graph->rows, GArray *, o);

      g_string_append_printf (text, "        sum[%u] = ", o);
      if (row->len == 0)
        g_string_append (text, "0");
      else
        {
          g_string_append_printf (text, "scaled<%d>(", -shift);
          append_sum (text, row, 0, row->len, graph->n_in);
          g_string_append_c (text, ')');
        }
      g_string_append (text, ";\n");
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
  Graph graph = { g_array_new (FALSE, FALSE, sizeof (GArray *)), g_array_new (FALSE, FALSE, sizeof (Step)), matrix->n_in };
  const NnType *input = matrix->input_type;
  guint width = (guint) (input->width + matrix->weight_type->width + 2);
  gsize additions = 0;
  Pair best;

  for (guint o = 0; o < matrix->n_out; o++)
    {
      GArray *row = g_array_new (FALSE, FALSE, sizeof (Term));

      for (guint i = 0; i < matrix->n_in; i++)
        append_digits (row, i, matrix->raw[(gsize) i * matrix->n_out + o]);
      g_array_append_val (graph.rows, row);
    }
  while (is_small (&graph) && most_common (&graph, &best) >= 2 && replace (&graph, &best) > 0)
    ;
  for (guint n = 1; n < matrix->n_in; n *= 2)
    width++;
  write_graph (emit, &graph, matrix, config, MIN (width, 120), nn_type_fraction (input) + nn_type_fraction (matrix->weight_type));
  additions = graph.steps->len;
  for (guint o = 0; o < graph.rows->len; o++)
    {
      GArray *row = g_array_index (graph.rows, GArray *, o);

      additions += row->len > 0 ? row->len - 1 : 0;
      g_array_free (row, TRUE);
    }
  g_array_free (graph.rows, TRUE);
  g_array_free (graph.steps, TRUE);
  return additions;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Einstein sums. */

#include "nn-einsum.h"

#include <string.h>

/* "..." stands for the axes that have no letter; they get letters of their own, aligned at the end. */
static char *
spell_out (const char *term,
           guint       rank)
{
  const char *dots = strstr (term, "...");
  GString *text = g_string_new (NULL);
  guint letters = strlen (term) - (dots != NULL ? 3 : 0), open = rank > letters ? rank - letters : 0;

  if (dots == NULL)
    return g_string_free (g_string_append (text, term), FALSE);
  g_string_append_len (text, term, dots - term);
  for (guint i = 0; i < MIN (open, NN_MAX_RANK); i++)
    g_string_append_c (text, '0' + NN_MAX_RANK - MIN (open, NN_MAX_RANK) + i);
  g_string_append (text, dots + 3);
  return g_string_free (text, FALSE);
}

char **
nn_einsum_terms (const char  *equation,
                 const guint *ranks,
                 guint        n,
                 guint        out_rank)
{
  g_autofree char *plain = g_strdup (equation != NULL ? equation : "");
  g_auto (GStrv) sides = NULL, terms = NULL;
  char **result;

  for (char *from = plain, *put = plain;; from++)
    if (*from != ' ' && (*put++ = *from) == '\0')
      break;
  sides = g_strsplit (plain, "->", 2);
  if (g_strv_length (sides) != 2)
    return NULL;
  terms = g_strsplit (sides[0], ",", -1);
  if (g_strv_length (terms) != n)
    return NULL;
  result = g_new0 (char *, n + 2);
  for (guint k = 0; k <= n; k++)
    {
      guint rank = k < n ? ranks[k] : out_rank;

      result[k] = spell_out (k < n ? terms[k] : sides[1], rank);
      if (strlen (result[k]) != rank)
        {
          g_strfreev (result);
          return NULL;
        }
    }
  return result;
}

/* Axes of the output: its letters, and what "..." stands for in the operands. */
static guint
output_rank (const char    *equation,
             const NnShape *shapes,
             guint          n)
{
  guint k = 0, letters = 0, dots = 0, open = 0;

  for (const char *c = equation;; c++)
    {
      gboolean arrow = strncmp (c, "->", 2) == 0;

      if (*c == ',' || arrow || *c == '\0')
        {
          if (k < n && dots > 0 && shapes[k].rank > letters)
            open = MAX (open, shapes[k].rank - letters);
          if (*c == '\0')
            return letters + (dots > 0 ? open : 0);
          letters = dots = 0;
          k++;
          c += arrow;
        }
      else if (*c == '.')
        dots++;
      else if (*c != ' ')
        letters++;
    }
}

gboolean
nn_einsum_shape (const char    *equation,
                 const NnShape *shapes,
                 guint          n,
                 NnShape       *to)
{
  guint ranks[NN_EINSUM_OPERANDS];
  g_auto (GStrv) terms = NULL;
  gint64 extent[128];

  if (n > NN_EINSUM_OPERANDS || equation == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (extent); i++)
    extent[i] = G_MININT64;
  for (guint k = 0; k < n; k++)
    ranks[k] = shapes[k].rank;
  to->rank = output_rank (equation, shapes, n);
  if (to->rank == 0 || to->rank > NN_MAX_RANK || !g_str_is_ascii (equation) ||
      (terms = nn_einsum_terms (equation, ranks, n, to->rank)) == NULL)
    return FALSE;
  for (guint k = 0; k < n; k++)
    for (guint i = 0; i < ranks[k]; i++)
      {
        gint64 *at = &extent[(guchar) terms[k][i]], dim = shapes[k].dims[i];

        if (*at > 1 && dim > 1 && *at != dim)
          return FALSE;
        *at = MAX (*at, dim);
      }
  for (guint i = 0; i < to->rank; i++)
    if ((to->dims[i] = extent[(guchar) terms[n][i]]) == G_MININT64)
      return FALSE;
  return TRUE;
}

/* The batch letter of a sample's operand has extent 1. */
static gboolean
give_letters (NnEinsum      *sum,
              char         **terms,
              const NnShape *shapes,
              GString       *letters)
{
  sum->n_outer = letters->len;
  for (guint k = 0; k < sum->n_operands; k++)
    {
      gsize stride = 1;

      for (const char *c = terms[k]; *c != '\0'; c++)
        if (strchr (letters->str, *c) == NULL)
          g_string_append_c (letters, *c);
      if (letters->len > NN_EINSUM_LETTERS)
        return FALSE;
      for (guint i = shapes[k].rank; i-- > 0;)
        {
          guint l = strchr (letters->str, terms[k][i]) - letters->str;
          gsize extent = shapes[k].dims[i];

          if (sum->extent[l] > 1 && extent > 1 && sum->extent[l] != extent)
            return FALSE;
          sum->extent[l] = MAX (sum->extent[l], extent);
          sum->stride[k][l] += extent == 1 ? 0 : stride;
          stride *= extent;
        }
    }
  sum->n_letters = letters->len;
  for (guint l = 0; l < sum->n_letters; l++)
    if (sum->extent[l] == 0)
      return FALSE;
  return TRUE;
}

gboolean
nn_einsum_init (NnEinsum      *sum,
                const char    *equation,
                const NnShape *shapes,
                guint          n,
                const NnShape *to)
{
  guint ranks[NN_EINSUM_OPERANDS];
  g_auto (GStrv) terms = NULL;
  g_autoptr (GString) letters = NULL;
  gsize size = 1;

  memset (sum, 0, sizeof *sum);
  sum->n_operands = n;
  if (n > NN_EINSUM_OPERANDS)
    return FALSE;
  for (guint k = 0; k < n; k++)
    ranks[k] = shapes[k].rank;
  terms = nn_einsum_terms (equation, ranks, n, to->rank);
  if (terms == NULL)
    return FALSE;
  letters = g_string_new (terms[n]);
  if (!give_letters (sum, terms, shapes, letters))
    return FALSE;
  for (guint l = 0; l < sum->n_outer; l++)
    size *= sum->extent[l];
  return size == nn_shape_count (to);
}

NnShape
nn_einsum_batched (const NnShape *shape)
{
  NnShape with = { .rank = MIN (shape->rank, NN_MAX_RANK - 1) + 1, .dims = { 1 } };

  memcpy (with.dims + 1, shape->dims, (with.rank - 1) * sizeof with.dims[0]);
  return with;
}

static gsize
walk (const NnEinsum *sum,
      guint           operand,
      guint           first,
      guint           end,
      gsize           i)
{
  gsize at = 0;

  for (guint l = end; l-- > first;)
    {
      at += i % sum->extent[l] * sum->stride[operand][l];
      i /= sum->extent[l];
    }
  return at;
}

gsize
nn_einsum_inner (const NnEinsum *sum)
{
  gsize n = 1;

  for (guint l = sum->n_outer; l < sum->n_letters; l++)
    n *= sum->extent[l];
  return n;
}

gsize
nn_einsum_first (const NnEinsum *sum,
                 guint           operand,
                 gsize           i)
{
  return walk (sum, operand, 0, sum->n_outer, i);
}

gsize
nn_einsum_offset (const NnEinsum *sum,
                  guint           operand,
                  gsize           k)
{
  return walk (sum, operand, sum->n_outer, sum->n_letters, k);
}

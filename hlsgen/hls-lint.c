/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every directive in a project must be one that its tool knows: a misspelt one is passed over in silence by some tools. */

#include "hls-emit-private.h"

#include "hls-project-private.h"

#include <string.h>

static gboolean
is_value (const char *word)
{
  return g_ascii_isdigit (*word) || g_str_has_suffix (word, "_");
}

/* One directive against the table: the first words name it, the others are options, each perhaps with a value. */
static gboolean
is_known (const char *const *known,
          const char        *directive,
          const char       **culprit)
{
  g_autofree char *spaced = g_strdup (directive);
  g_auto (GStrv) words = NULL;
  guint n = 0, first;

  for (char *c = spaced; *c != '\0'; c++)
    if (*c == ',' || *c == '\t')
      *c = ' ';
  words = g_strsplit (g_strstrip (spaced), " ", -1);
  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      words[n++] = words[i];
    else
      g_free (words[i]);
  words[n] = NULL;
  first = n > 0 && g_str_equal (words[0], "HLS") ? 2 : 1;
  *culprit = directive;
  for (; n >= first && *known != NULL; known++)
    {
      g_auto (GStrv) entry = g_strsplit (*known, " ", -1);
      gboolean same = g_strv_length (entry) >= first;

      for (guint i = 0; same && i < first; i++)
        same = g_str_equal (entry[i], words[i]);
      if (!same)
        continue;
      for (guint i = first; i < n; i++)
        {
          if (g_str_equal (words[i], "="))
            i++; /* its value */
          else if (entry[first] != NULL && !is_value (words[i]) && !g_strv_contains ((const char *const *) entry + first, words[i]))
            return FALSE;
        }
      return TRUE;
    }
  return FALSE;
}

static void
check (const char        *path,
       const char        *directive,
       const char *const *known,
       GPtrArray         *findings)
{
  const char *culprit;

  if (!is_known (known, directive, &culprit))
    g_ptr_array_add (findings, g_strdup_printf ("%s: \"%s\" is no directive that the tool knows", path, culprit));
}

/**
 * hls_lint_text:
 * @known: (array zero-terminated=1): HlsBackend.directives
 * @findings: (element-type utf8): one text for each directive that is not known is added
 *
 * Looks at `NNET_PRAGMA (…)` and at pragmas of the language.
 */
void
hls_lint_text (const char        *path,
               const char        *text,
               const char *const *known,
               GPtrArray         *findings)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *at = lines[i], *pragma = g_strstrip (lines[i]);

      if (g_str_has_prefix (pragma, "#pragma "))
        check (path, pragma + strlen ("#pragma "), known, findings);
      while ((at = strstr (at, "NNET_PRAGMA(")) != NULL)
        {
          const char *open = at + strlen ("NNET_PRAGMA("), *close = strchr (open, ')');
          g_autofree char *inside = close != NULL ? g_strndup (open, close - open) : NULL;

          at = open;
          if (inside != NULL && !g_str_equal (inside, "x"))
            check (path, inside, known, findings);
        }
    }
}

void
hls_lint_project (HlsEmit *emit)
{
  g_autoptr (GPtrArray) findings = g_ptr_array_new_with_free_func (g_free);
  const char *const *files = hls_project_files (emit->project);

  for (; *files != NULL; files++)
    if (g_str_has_suffix (*files, ".h") || g_str_has_suffix (*files, ".cpp"))
      {
        gsize n;
        const char *bytes = hls_project_bytes (emit->project, *files, &n);
        g_autofree char *text = g_strndup (bytes, n);

        hls_lint_text (*files, text, emit->backend->directives, findings);
      }
  for (guint i = 0; i < findings->len; i++)
    hls_project_warn (emit->project, findings->pdata[i]);
}

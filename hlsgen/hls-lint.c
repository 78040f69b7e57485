/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every directive in a project must be one that its tool knows: a misspelt one is passed over in silence by some tools. */

#include "hls-emit-private.h"

#include "hls-project-private.h"

#include <string.h>

/* A number, or what a macro puts in the place of its parameter. */
static gboolean
is_number (const char *word)
{
  return g_ascii_isdigit (*word) || g_str_has_suffix (word, "_") || strstr (word, "::") != NULL || g_str_equal (word, "PROJECT_INTERVAL");
}

/* The words of a directive, each sign of equality one of them. */
static char **
split (const char *directive)
{
  g_autoptr (GString) spaced = g_string_new (directive);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = NULL;

  g_string_replace (spaced, ",", " ", 0);
  g_string_replace (spaced, "\t", " ", 0);
  g_string_replace (spaced, "=", " = ", 0);
  words = g_strsplit (spaced->str, " ", -1);
  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_strv_builder_add (builder, words[i]);
  return g_strv_builder_end (builder);
}

/* @allowed: values after the sign of equality, with bars between them; empty for any */
static gboolean
is_allowed (const char *allowed,
            const char *value)
{
  g_auto (GStrv) values = g_strsplit (allowed, "|", -1);
  gboolean found = *allowed == '\0' || g_str_has_suffix (value, "_");

  for (guint i = 0; values[i] != NULL && !found; i++)
    found = g_ascii_strcasecmp (values[i], value) == 0;
  return found;
}

/* One option of a directive: a word, "word=" with a value, or "#" for a number that stands alone. */
static gboolean
knows_option (const char *const *options,
              const char        *word,
              const char        *value)
{
  for (; *options != NULL; options++)
    {
      const char *equals = strchr (*options, '=');
      gsize length = equals != NULL ? (gsize) (equals - *options) : strlen (*options);

      if (value == NULL && g_str_equal (*options, "#") && is_number (word))
        return TRUE;
      if (strlen (word) == length && strncmp (word, *options, length) == 0 && (equals != NULL) == (value != NULL) &&
          (value == NULL || is_allowed (equals + 1, value)))
        return TRUE;
    }
  return FALSE;
}

/* What is wrong with a directive: (transfer full) (nullable) */
static char *
find_fault (const char *const *known,
            const char        *directive)
{
  g_auto (GStrv) words = split (directive);
  guint n = g_strv_length (words), first = n > 0 && g_str_equal (words[0], "HLS") ? 2 : 1;

  for (; n >= first && *known != NULL; known++)
    {
      g_auto (GStrv) entry = g_strsplit (*known, " ", -1);

      if (g_strv_length (entry) < first || !g_str_equal (entry[0], words[0]) || !g_str_equal (entry[first - 1], words[first - 1]))
        continue;
      for (guint i = first; i < n; i++)
        {
          gboolean has_value = i + 2 < n && g_str_equal (words[i + 1], "=");
          const char *value = has_value ? words[i + 2] : NULL;

          if (!knows_option ((const char *const *) entry + first, words[i], value))
            return has_value ? g_strdup_printf ("%s = %s", words[i], value) : g_strdup (words[i]);
          i += has_value ? 2 : 0;
        }
      return NULL;
    }
  return g_strdup (n > 0 ? words[MIN (first, n) - 1] : "");
}

static void
check (const char        *path,
       const char        *directive,
       const char *const *known,
       GPtrArray         *findings)
{
  g_autofree char *fault = find_fault (known, directive);

  if (fault != NULL)
    g_ptr_array_add (findings, g_strdup_printf ("%s: directive \"%s\": the tool does not know \"%s\"", path, directive, fault));
}

/* Intel's attributes: [[intel::name(…)]], and hls_name(…) before a component. */
static void
check_attributes (const char        *path,
                  const char        *line,
                  const char *const *known,
                  GPtrArray         *findings)
{
  static const char *const prefixes[] = { "intel::", "hls_" };

  for (guint k = 0; k < G_N_ELEMENTS (prefixes); k++)
    for (const char *at = strstr (line, prefixes[k]); at != NULL; at = strstr (at, prefixes[k]))
      {
        const char *end = at + strlen (prefixes[k]);
        gboolean inside = at > line && (g_ascii_isalnum (at[-1]) || at[-1] == '_' || at[-1] == ':');

        while (g_ascii_isalnum (*end) || *end == '_')
          end++;
        if (!inside && (*end == '(' || (at > line && at[-1] == '[')))
          {
            g_autofree char *name = g_strndup (at, (gsize) (end - at));

            check (path, name, known, findings);
          }
        at = end;
      }
}

/**
 * hls_lint_text:
 * @known: (array zero-terminated=1): HlsBackend.directives
 * @findings: (element-type utf8): one text for each directive that is not known is added
 *
 * Looks at `NNET_PRAGMA (…)`, at pragmas of the language and at Intel's attributes: names, options, and values of those
 * options that have few.
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

      if (g_str_has_prefix (pragma, "//"))
        continue;
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
      check_attributes (path, pragma, known, findings);
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

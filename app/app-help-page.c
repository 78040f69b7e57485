/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As much of Mallard (projectmallard.org) as the help uses. */

#include "app-help-page.h"

#include <string.h>

typedef struct {
  AppHelpPage *page;
  GString     *text;
  AppHelpKind  kind;  /* of the block that is open */
  guint        depth; /* of sections */
  guint        step;
  gboolean     in_info, in_desc, in_keys, any_key;
} Reader;

/* Elements within text, and what Pango calls them; a link is written by itself. */
static const struct { const char *element, *tag; } inlines[] = {
  { "gui", "b" }, { "em", "i" }, { "key", "b" }, { "file", "tt" }, { "cmd", "tt" }, { "code", "tt" },
};

static const char *
inline_tag (const char *element)
{
  for (guint i = 0; i < G_N_ELEMENTS (inlines); i++)
    if (g_str_equal (inlines[i].element, element))
      return inlines[i].tag;
  return NULL;
}

static const char *
attribute (const char **names,
           const char **values,
           const char  *name)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], name))
      return values[i];
  return NULL;
}

static void
block_free (gpointer data)
{
  AppHelpBlock *block = data;

  g_free (block->markup);
  g_free (block);
}

/* Line breaks of the file are spaces. */
static char *
take_text (Reader *reader)
{
  g_auto (GStrv) words = g_strsplit_set (reader->text->str, " \t\n", -1);
  GString *text = g_string_new (NULL);

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", words[i]);
  g_string_truncate (reader->text, 0);
  return g_string_free (text, FALSE);
}

static void
begin_link (Reader     *reader,
            const char *target)
{
  if (target == NULL)
    target = "index";
  g_ptr_array_add (reader->page->links, g_strdup (target));
  g_string_append_printf (reader->text, "<a href=\"%s\">", target);
}

static void
on_start (GMarkupParseContext  *context,
          const char           *element,
          const char          **names,
          const char          **values,
          gpointer              data,
          GError              **error)
{
  Reader *reader = data;
  const char *tag = inline_tag (element);

  if (g_str_equal (element, "info"))
    reader->in_info = TRUE;
  else if (g_str_equal (element, "desc"))
    reader->in_desc = TRUE;
  else if (g_str_equal (element, "section"))
    reader->depth++;
  else if (g_str_equal (element, "steps"))
    reader->kind = APP_HELP_STEP, reader->step = 0;
  else if (g_str_equal (element, "list"))
    reader->kind = APP_HELP_BULLET;
  else if (g_str_equal (element, "note"))
    reader->kind = APP_HELP_NOTE;
  else if (g_str_equal (element, "item"))
    reader->step++;
  else if (g_str_equal (element, "keyseq"))
    reader->in_keys = TRUE, reader->any_key = FALSE;
  else if (g_str_equal (element, "link") && !reader->in_info)
    begin_link (reader, attribute (names, values, "xref"));
  else if (g_str_equal (element, "title") || (g_str_equal (element, "p") && !reader->in_info))
    g_string_truncate (reader->text, 0);
  else if (tag != NULL)
    {
      if (reader->in_keys && reader->any_key)
        g_string_append_c (reader->text, '+');
      reader->any_key = TRUE;
      g_string_append_printf (reader->text, "<%s>", tag);
    }
}

static void
add_block (Reader      *reader,
           AppHelpKind  kind)
{
  AppHelpBlock *block = g_new0 (AppHelpBlock, 1);

  block->kind = kind;
  block->number = kind == APP_HELP_STEP ? reader->step : 0;
  block->markup = take_text (reader);
  if (kind == APP_HELP_TITLE)
    reader->page->title = g_strdup (block->markup);
  g_ptr_array_add (reader->page->blocks, block);
}

static void
on_end (GMarkupParseContext  *context,
        const char           *element,
        gpointer              data,
        GError              **error)
{
  Reader *reader = data;
  const char *tag = inline_tag (element);

  if (g_str_equal (element, "info"))
    reader->in_info = FALSE;
  else if (g_str_equal (element, "desc"))
    {
      reader->in_desc = FALSE;
      reader->page->desc = take_text (reader);
    }
  else if (g_str_equal (element, "section"))
    reader->depth--;
  else if (g_str_equal (element, "steps") || g_str_equal (element, "list") || g_str_equal (element, "note"))
    reader->kind = APP_HELP_TEXT;
  else if (g_str_equal (element, "keyseq"))
    reader->in_keys = FALSE;
  else if (g_str_equal (element, "link") && !reader->in_info)
    g_string_append (reader->text, "</a>");
  else if (g_str_equal (element, "title"))
    add_block (reader, reader->depth > 0 ? APP_HELP_HEADING : APP_HELP_TITLE);
  else if (g_str_equal (element, "p"))
    add_block (reader, reader->kind);
  else if (tag != NULL)
    g_string_append_printf (reader->text, "</%s>", tag);
}

static void
on_text (GMarkupParseContext  *context,
         const char           *text,
         gsize                 length,
         gpointer              data,
         GError              **error)
{
  Reader *reader = data;
  g_autofree char *escaped = g_markup_escape_text (text, length);

  if ((!reader->in_info || reader->in_desc) && !reader->in_keys)
    g_string_append (reader->text, escaped);
  else if (reader->in_keys && *g_strstrip (escaped) != '\0')
    g_string_append (reader->text, escaped);
}

AppHelpPage *
app_help_page_parse (const char  *xml,
                     gssize       length,
                     GError     **error)
{
  static const GMarkupParser parser = { on_start, on_end, on_text, NULL, NULL };
  g_autoptr (AppHelpPage) page = g_new0 (AppHelpPage, 1);
  Reader reader = { .page = page, .text = g_string_new (NULL), .kind = APP_HELP_TEXT };
  GMarkupParseContext *context = g_markup_parse_context_new (&parser, 0, &reader, NULL);
  gboolean ok;

  page->blocks = g_ptr_array_new_with_free_func (block_free);
  page->links = g_ptr_array_new_with_free_func (g_free);
  ok = g_markup_parse_context_parse (context, xml, length, error) && g_markup_parse_context_end_parse (context, error);
  g_markup_parse_context_free (context);
  g_string_free (reader.text, TRUE);
  return ok ? g_steal_pointer (&page) : NULL;
}

AppHelpPage *
app_help_page_load (const char  *id,
                    GError     **error)
{
  const char *const *languages = g_get_language_names ();

  for (guint i = 0; languages[i] != NULL; i++)
    {
      const char *language = g_str_equal (languages[i], "C") || g_str_has_prefix (languages[i], "en") ? "C" : languages[i];
      g_autofree char *path = g_strdup_printf ("/org/espalier/Espalier/help/%s/espalier/%s.page", language, id);
      g_autoptr (GBytes) bytes = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

      if (bytes != NULL)
        return app_help_page_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), error);
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the help has no page \"%s\"", id);
  return NULL;
}

void
app_help_page_free (AppHelpPage *page)
{
  g_free (page->title);
  g_free (page->desc);
  g_clear_pointer (&page->blocks, g_ptr_array_unref);
  g_clear_pointer (&page->links, g_ptr_array_unref);
  g_free (page);
}

const char *const *
app_help_page_ids (void)
{
  static const char *const ids[] = { "start", "network", "weights", "tradeoff", "proof", "precision", "hardware", "data", "documents",
                                     "keyboard", NULL };

  return ids;
}

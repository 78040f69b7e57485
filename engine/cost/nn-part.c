/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part catalogue: resources/parts.json, linked in, and the user's own. */

#include "nn-part.h"

#include "nn-error.h"
#include "nn-parts-data.h"
#include "nn-text.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* Larger numbers of anything are no part. */
#define MAX_AMOUNT 1e9
#define MAX_FILE_BYTES (16u << 20)
#define MAX_OPERAND 128
#define MAX_RAM_KBIT 1000000

static const struct {
  const char *name;
  int         mult_a, mult_b; /* UG479, UG579, AM004; Intel and Microchip DSP guides; Lattice FPGA-TN-02205 */
  double      ram_kbit;
} families[NN_N_FAMILIES] = {
  [NN_FAMILY_7_SERIES] = { "7-series", 25, 18, 18 },
  [NN_FAMILY_ULTRASCALE] = { "ultrascale", 27, 18, 18 },
  [NN_FAMILY_ULTRASCALE_PLUS] = { "ultrascale+", 27, 18, 18 },
  [NN_FAMILY_VERSAL] = { "versal", 27, 24, 18 },
  [NN_FAMILY_ARRIA10] = { "arria10", 27, 27, 20 },
  [NN_FAMILY_STRATIX10] = { "stratix10", 27, 27, 20 },
  [NN_FAMILY_AGILEX] = { "agilex", 27, 27, 20 },
  [NN_FAMILY_POLARFIRE] = { "polarfire", 18, 18, 20 },
  [NN_FAMILY_LATTICE] = { "lattice", 18, 18, 18 },
  [NN_FAMILY_ASIC] = { "asic", 64, 64, 0 },
  [NN_FAMILY_OTHER] = { "other", 25, 18, 18 },
};

G_LOCK_DEFINE_STATIC (parts);
static GPtrArray *catalogue; /* of NnPart, sorted by name; parts are never freed, as they are handed out */
static GPtrArray *shipped_parts; /* as the catalogue was */
static GPtrArray *own;       /* those of them that were added */
static GPtrArray *retired;   /* catalogues before them */

const char *
nn_family_name (NnFamily family)
{
  g_return_val_if_fail (family < NN_N_FAMILIES, "other");
  return families[family].name;
}

void
nn_part_set_family (NnPart   *part,
                    NnFamily  family)
{
  g_return_if_fail (family < NN_N_FAMILIES);
  part->family = family;
  part->mult_a = families[family].mult_a;
  part->mult_b = families[family].mult_b;
  part->ram_kbit = families[family].ram_kbit;
}

gboolean
nn_family_find (const char *name,
                NnFamily   *family)
{
  for (guint f = 0; f < NN_N_FAMILIES; f++)
    if (g_ascii_strcasecmp (families[f].name, name) == 0)
      {
        *family = f;
        return TRUE;
      }
  return FALSE;
}

static int
compare_parts (gconstpointer a,
               gconstpointer b)
{
  return strcmp ((*(NnPart *const *) a)->name, (*(NnPart *const *) b)->name);
}

/* A later part of the same name takes the place of an earlier one. */
static void
insert_part (GPtrArray *list,
             NnPart    *part)
{
  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((NnPart *) list->pdata[i])->name, part->name))
      {
        list->pdata[i] = part;
        return;
      }
  g_ptr_array_add (list, part);
}

static double
member_number (JsonObject *object,
               const char *name,
               double      otherwise)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) != G_TYPE_STRING
         ? json_node_get_double (node) : otherwise;
}

static const char *
member_string (JsonObject *object,
               const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
         ? json_node_get_string (node) : NULL;
}

static gboolean
check_part (const NnPart *part,
            GError      **error)
{
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (!isfinite (part->total.amount[r]) || part->total.amount[r] > MAX_AMOUNT)
      {
        g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "part \"%s\": %s is not between 0 and a billion", part->name,
                     nn_resource_name (r));
        return FALSE;
      }
  if (*part->name == '\0' || strpbrk (part->name, " \t\n/\\\"") != NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "part \"%s\": a part's name is one word, as the vendor's tool has it", part->name);
      return FALSE;
    }
  if (!(part->ram_kbit >= 0 && part->ram_kbit <= MAX_RAM_KBIT))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "part \"%s\": \"ram_kbit\" is not between 0 and %d", part->name, MAX_RAM_KBIT);
      return FALSE;
    }
  if (part->mult_a < 1 || part->mult_b < 1 || part->mult_a > MAX_OPERAND || part->mult_b > part->mult_a)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "part \"%s\": a multiplier of %d x %d bits; the wider operand comes first, of 1 to %d bits", part->name,
                   part->mult_a, part->mult_b, MAX_OPERAND);
      return FALSE;
    }
  return TRUE;
}

static NnPart *
parse_part (JsonObject *object,
            GError    **error)
{
  static const char *const keys[NN_N_RESOURCES] = { "dsp", "bram", "lut", "ff", "uram" };
  const char *name = member_string (object, "name"), *family = member_string (object, "family");
  const char *title = member_string (object, "title"), *source = member_string (object, "source");
  g_autofree NnPart *part = g_new0 (NnPart, 1);

  if (name == NULL || *name == '\0' || source == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "part \"%s\": a part needs \"name\", \"family\" and \"source\"",
                   name != NULL ? name : "");
      return NULL;
    }
  if (family == NULL || !nn_family_find (family, &part->family))
    {
      const char *names[NN_N_FAMILIES + 1] = { NULL };

      for (guint f = 0; f < NN_N_FAMILIES; f++)
        names[f] = families[f].name;
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "part \"%s\": family \"%s\" is not known; the nearest is \"%s\"", name,
                   family != NULL ? family : "", nn_text_nearest (family != NULL ? family : "", names));
      return NULL;
    }
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    part->total.amount[r] = member_number (object, keys[r], -1);
  part->ram_kbit = member_number (object, "ram_kbit", families[part->family].ram_kbit);
  part->mult_a = (int) CLAMP (member_number (object, "mult_a", families[part->family].mult_a), -1, MAX_OPERAND + 1);
  part->mult_b = (int) CLAMP (member_number (object, "mult_b", families[part->family].mult_b), -1, MAX_OPERAND + 1);
  part->area_mult_bit2 = member_number (object, "area_mult_bit2", 0);
  part->area_add_bit = member_number (object, "area_add_bit", 0);
  part->area_register_bit = member_number (object, "area_register_bit", 0);
  part->area_rom_bit = member_number (object, "area_rom_bit", 0);
  part->name = name;
  if (!check_part (part, error))
    return NULL;
  part->name = g_ascii_strdown (name, -1);
  part->title = g_strdup (title != NULL ? title : name);
  part->source = g_strdup (source);
  return g_steal_pointer (&part);
}

static void
part_free (gpointer data)
{
  NnPart *part = data;

  g_free ((char *) part->name);
  g_free ((char *) part->title);
  g_free ((char *) part->source);
  g_free (part);
}

/* All parts of {"parts": [...]}, or none of them. The parts are the caller's. */
static GPtrArray *
parse_parts (const char *text,
             gsize       n,
             GError    **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (part_free);
  JsonNode *root, *parts_node = NULL;
  JsonArray *array;

  /* a list of flat objects: nothing in it nests */
  for (gsize i = 0, depth = 0; i < n; i++)
    {
      depth += text[i] == '{' || text[i] == '[';
      depth -= depth > 0 && (text[i] == '}' || text[i] == ']');
      if (depth > 16)
        {
          g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the list of parts is nested too deeply");
          return NULL;
        }
    }
  if (!json_parser_load_from_data (parser, text, n, error))
    return NULL;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    parts_node = json_object_get_member (json_node_get_object (root), "parts");
  if (parts_node == NULL || !JSON_NODE_HOLDS_ARRAY (parts_node))
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "a list of parts is an object with an array \"parts\"");
      return NULL;
    }
  array = json_node_get_array (parts_node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      NnPart *part;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "part %u of the list is not an object", i + 1);
          return NULL;
        }
      part = parse_part (json_node_get_object (node), error);
      if (part == NULL)
        return NULL;
      g_ptr_array_add (list, part);
    }
  g_ptr_array_set_free_func (list, NULL);
  return g_steal_pointer (&list);
}

/* With the lock held. */
static void
load_catalogue (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) shipped = NULL;

  if (catalogue != NULL)
    return;
  shipped = parse_parts (nn_parts_data, strlen (nn_parts_data), &error);
  if (shipped == NULL)
    g_error ("resources/parts.json: %s", error->message); /* ours: a test reads it */
  catalogue = g_ptr_array_new ();
  shipped_parts = g_ptr_array_new ();
  own = g_ptr_array_new ();
  retired = g_ptr_array_new ();
  for (guint i = 0; i < shipped->len; i++)
    {
      insert_part (catalogue, shipped->pdata[i]);
      insert_part (shipped_parts, shipped->pdata[i]);
    }
  g_ptr_array_sort (catalogue, compare_parts);
}

static void
add_own (NnPart *part)
{
  GPtrArray *changed = g_ptr_array_copy (catalogue, NULL, NULL);

  /* the old array may be in somebody's hands: it stays as it is, and is kept */
  g_ptr_array_add (retired, catalogue);
  insert_part (changed, part);
  g_ptr_array_sort (changed, compare_parts);
  catalogue = changed;
  insert_part (own, part);
}

/* Parts that were taken back. */
static GPtrArray *
retired_parts (void)
{
  static GPtrArray *list;

  if (list == NULL)
    list = g_ptr_array_new ();
  return list;
}

static NnPart *
named (GPtrArray  *list,
       const char *name,
       guint      *index)
{
  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((NnPart *) list->pdata[i])->name, name))
      {
        *index = i;
        return list->pdata[i];
      }
  return NULL;
}

gboolean
nn_parts_remove (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);
  NnPart *found, *before;
  guint at = 0;

  G_LOCK (parts);
  load_catalogue ();
  found = named (own, lower, &at);
  if (found != NULL)
    {
      GPtrArray *changed = g_ptr_array_copy (catalogue, NULL, NULL);

      g_ptr_array_remove_index (own, at); /* the part itself is kept: it may be in somebody's hands */
      g_ptr_array_add (retired, catalogue);
      g_ptr_array_add (retired_parts (), found);
      before = named (shipped_parts, lower, &at);
      if (before != NULL)
        insert_part (changed, before);
      else if (named (changed, lower, &at) != NULL)
        g_ptr_array_remove_index (changed, at);
      catalogue = changed;
    }
  G_UNLOCK (parts);
  return found != NULL;
}

gboolean
nn_part_is_own (const NnPart *part)
{
  gboolean found = FALSE;

  G_LOCK (parts);
  load_catalogue ();
  for (guint i = 0; i < own->len && !found; i++)
    found = own->pdata[i] == part;
  G_UNLOCK (parts);
  return found;
}

const NnPart *const *
nn_parts (guint *n)
{
  const NnPart *const *list;

  G_LOCK (parts);
  load_catalogue ();
  *n = catalogue->len;
  list = (const NnPart *const *) catalogue->pdata;
  G_UNLOCK (parts);
  return list;
}

gboolean
nn_parts_add_file (const char *path,
                   GError    **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GPtrArray) list = NULL;
  gsize n;

  if (!g_file_get_contents (path, &text, &n, error))
    return FALSE;
  if (n > MAX_FILE_BYTES)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: larger than %u MB, which no list of parts is", path,
                   MAX_FILE_BYTES >> 20);
      return FALSE;
    }
  list = parse_parts (text, n, error);
  if (list == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  G_LOCK (parts);
  load_catalogue ();
  for (guint i = 0; i < list->len; i++)
    add_own (list->pdata[i]);
  G_UNLOCK (parts);
  return TRUE;
}

gboolean
nn_parts_add (const NnPart *part,
              GError      **error)
{
  NnPart *copy;

  g_return_val_if_fail (part != NULL && part->name != NULL && part->family < NN_N_FAMILIES, FALSE);
  if (!check_part (part, error))
    return FALSE;
  copy = g_memdup2 (part, sizeof *part);
  copy->name = g_ascii_strdown (part->name, -1);
  copy->title = g_strdup (part->title != NULL ? part->title : part->name);
  copy->source = g_strdup (part->source != NULL ? part->source : "the user");
  G_LOCK (parts);
  load_catalogue ();
  add_own (copy);
  G_UNLOCK (parts);
  return TRUE;
}

static void
add_number (JsonBuilder *json,
            const char  *name,
            double       value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_text (JsonBuilder *json,
          const char  *name,
          const char  *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

char *
nn_parts_own_to_json (void)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "parts");
  json_builder_begin_array (json);
  G_LOCK (parts);
  load_catalogue ();
  for (guint i = 0; i < own->len; i++)
    {
      const NnPart *part = own->pdata[i];

      json_builder_begin_object (json);
      add_text (json, "name", part->name);
      add_text (json, "title", part->title);
      add_text (json, "family", nn_family_name (part->family));
      add_text (json, "source", part->source);
      for (guint r = 0; r < NN_N_RESOURCES; r++)
        if (part->total.amount[r] >= 0)
          add_number (json, nn_resource_name (r), part->total.amount[r]);
      add_number (json, "ram_kbit", part->ram_kbit);
      add_number (json, "mult_a", part->mult_a);
      add_number (json, "mult_b", part->mult_b);
      if (part->family == NN_FAMILY_ASIC)
        {
          add_number (json, "area_mult_bit2", part->area_mult_bit2);
          add_number (json, "area_add_bit", part->area_add_bit);
          add_number (json, "area_register_bit", part->area_register_bit);
          add_number (json, "area_rom_bit", part->area_rom_bit);
        }
      json_builder_end_object (json);
    }
  G_UNLOCK (parts);
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  return json_generator_to_data (generator, NULL);
}

/* How well @name fits: 3 the same, 2 the part's name is the device of @name ("xcvu9p" of "xcvu9p-flga2104-2l-e"), 1 @name
 * begins the part's. */
static guint
match (const NnPart *part,
       const char   *name)
{
  gsize n = strlen (part->name);

  if (g_str_equal (part->name, name))
    return 3;
  /* a package follows: "xcvu9p-flga2104", "xc7z020clg400"; others write it all in one word: "10ax115n2f45e1sg" */
  if (g_str_has_prefix (name, part->name)
      && (name[n] == '-' || (g_str_has_prefix (name, "xc7") && g_ascii_isalpha (name[n]))
          || (!g_str_has_prefix (name, "xc") && g_ascii_isalnum (name[n]))))
    return 2;
  return g_str_has_prefix (part->name, name) ? 1 : 0;
}

const NnPart *
nn_part_find (const char *name,
              GError    **error)
{
  guint n, best = 0, ties = 0;
  const NnPart *const *list = nn_parts (&n);
  const NnPart *found = NULL;
  g_autofree char *lower = g_ascii_strdown (name, -1);
  g_autofree const char **names = g_new0 (const char *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      guint fit = match (list[i], lower);
      gboolean longer = found != NULL && fit == 2 && strlen (list[i]->name) > strlen (found->name);

      names[i] = list[i]->name;
      if (fit == 0 || fit < best)
        continue;
      ties = fit > best || longer ? 1 : ties + (fit == best);
      if (fit > best || longer)
        found = list[i];
      best = fit;
    }
  if (found != NULL && (best > 1 || ties == 1))
    return found;
  if (found != NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "part \"%s\" is not unique: %u parts begin so, \"%s\" is one", name,
                 ties, found->name);
  else
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                 "part \"%s\" is not in the catalogue; the nearest is \"%s\"; parts of your own can be added", name,
                 n > 0 ? nn_text_nearest (lower, names) : "");
  return NULL;
}

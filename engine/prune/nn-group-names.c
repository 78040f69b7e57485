/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words for structures, measures of importance and objectives. */

#include "nn-groups.h"

#include "nn-error.h"
#include "nn-text.h"

static const char *const structure_names[] = { "auto", "unstructured", "neuron", "multiplier", "bram-word", "block", "none", NULL };
static const char *const importance_names[] = { "l1", "l2", "first-order", "second-order", "random", NULL };
static const char *const objective_names[] = { "dsp", "bram", "lut", "ff", "uram", "parameters", "bops", "energy", "latency", "weighted", NULL };

static gboolean
find_name (const char *const *names,
           const char        *name,
           guint             *i)
{
  for (*i = 0; names[*i] != NULL; (*i)++)
    if (g_ascii_strcasecmp (names[*i], name) == 0)
      return TRUE;
  return FALSE;
}

/* The name of a member of an enumeration, and the member of a name. */
#define DEFINE_NAMES(Type, type)                                            \
  const char *nn_##type##_name (Type type)                                  \
  {                                                                         \
    g_return_val_if_fail ((guint) type < G_N_ELEMENTS (type##_names) - 1, NULL); \
    return type##_names[type];                                              \
  }                                                                         \
  gboolean nn_##type##_find (const char *name, Type *type)                  \
  {                                                                         \
    guint i;                                                                \
                                                                            \
    if (!find_name (type##_names, name, &i))                                \
      return FALSE;                                                         \
    *type = (Type) i;                                                       \
    return TRUE;                                                            \
  }

DEFINE_NAMES (NnStructure, structure)
DEFINE_NAMES (NnImportance, importance)
DEFINE_NAMES (NnObjective, objective)

gboolean
nn_objectives_parse (const char *text,
                     guint      *set,
                     GError    **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  NnObjective objective;

  *set = 0;
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (!nn_objective_find (g_strstrip (words[i]), &objective))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                       "there is no objective \"%s\"; did you mean \"%s\"? Objectives are dsp, bram, lut, ff, uram, parameters, "
                       "bops, energy and latency",
                       words[i], nn_text_nearest (words[i], objective_names));
          return FALSE;
        }
      *set |= 1u << objective;
    }
  return TRUE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a pickle's lists and dictionaries hold. Anything else, and no value, hold nothing. */

#include "nn-pickle.h"

guint
nn_pickle_n_items (const NnPickleValue *value)
{
  return value != NULL && value->kind == NN_PICKLE_LIST ? value->items->len : 0;
}

/* Returns: (nullable): of a list */
const NnPickleValue *
nn_pickle_item (const NnPickleValue *value,
                guint                i)
{
  return i < nn_pickle_n_items (value) ? value->items->pdata[i] : NULL;
}

/* An ordered dictionary is a call whose pairs were set afterwards, or are its one argument. */
static const NnPickleValue *
listed_pairs (const NnPickleValue *value)
{
  return value->kind == NN_PICKLE_CALL && value->items == NULL ? nn_pickle_item (value->arguments, 0) : NULL;
}

guint
nn_pickle_n_pairs (const NnPickleValue *value)
{
  if (value == NULL || (value->kind != NN_PICKLE_DICT && value->kind != NN_PICKLE_CALL))
    return 0;
  return value->items != NULL ? value->items->len / 2 : nn_pickle_n_items (listed_pairs (value));
}

/* @i: below nn_pickle_n_pairs() */
gboolean
nn_pickle_pair (const NnPickleValue  *value,
                guint                 i,
                const NnPickleValue **key,
                const NnPickleValue **item)
{
  if (value->items != NULL)
    {
      *key = value->items->pdata[2 * i];
      *item = value->items->pdata[2 * i + 1];
      return TRUE;
    }
  *key = nn_pickle_item (nn_pickle_item (listed_pairs (value), i), 0);
  *item = nn_pickle_item (nn_pickle_item (listed_pairs (value), i), 1);
  return *key != NULL && *item != NULL;
}

/* Returns: (nullable): of a dictionary, ordered or not: the value of a text */
const NnPickleValue *
nn_pickle_get (const NnPickleValue *value,
               const char          *key)
{
  const NnPickleValue *found, *item;

  for (guint i = nn_pickle_n_pairs (value); i-- > 0;)
    if (nn_pickle_pair (value, i, &found, &item) && found->kind == NN_PICKLE_TEXT && g_str_equal (found->text, key))
      return item;
  return NULL;
}

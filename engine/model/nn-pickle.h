/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Python's pickles as trees of values. Nothing is imported and nothing is called: a class or function is its name, a call is a
 * value that tells what was to be called with what. Internal to the room. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  NN_PICKLE_NONE,
  NN_PICKLE_BOOL,       /* integer */
  NN_PICKLE_INT,        /* integer, clipped to 64 bits */
  NN_PICKLE_REAL,       /* real */
  NN_PICKLE_TEXT,       /* text */
  NN_PICKLE_LIST,       /* items: a list, tuple or set */
  NN_PICKLE_DICT,       /* items: key, value, key, value ... */
  NN_PICKLE_GLOBAL,     /* text: "module.name" */
  NN_PICKLE_CALL,       /* callable, arguments, state; items as of a dict where some were set */
  NN_PICKLE_PERSISTENT, /* arguments: what stands for something outside of the pickle */
} NnPickleKind;

typedef struct _NnPickleValue NnPickleValue;
struct _NnPickleValue {
  NnPickleKind         kind;
  gint64               integer;
  double               real;
  char                *text;
  GPtrArray           *items; /* borrowed values */
  const NnPickleValue *callable, *arguments, *state;
};

/* Owns all values that were read. */
typedef struct _NnPickle NnPickle;

NnPickle            *nn_pickle_new      (void);
void                 nn_pickle_free     (NnPickle            *pickle);
const NnPickleValue *nn_pickle_read     (NnPickle            *pickle,
                                         const guint8        *bytes,
                                         gsize                n,
                                         gsize               *used,
                                         GError             **error);
GPtrArray           *nn_pickle_persistent (NnPickle          *pickle);

/* nn-pickle-value.c */
const NnPickleValue *nn_pickle_item     (const NnPickleValue *value,
                                         guint                i);
guint                nn_pickle_n_items  (const NnPickleValue *value);
const NnPickleValue *nn_pickle_get      (const NnPickleValue *value,
                                         const char          *key);
guint                nn_pickle_n_pairs  (const NnPickleValue *value);
gboolean             nn_pickle_pair     (const NnPickleValue *value,
                                         guint                i,
                                         const NnPickleValue **key,
                                         const NnPickleValue **item);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnPickle, nn_pickle_free)

G_END_DECLS

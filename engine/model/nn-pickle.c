/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: Python's Lib/pickletools.py, which says of every opcode what it takes and leaves; protocols 0 to 5 as torch.save() uses
 * them: the binary opcodes of 2 and later. */

#include "nn-pickle.h"

#include "nn-error.h"

#include <string.h>

#define MAX_VALUES 20000000

struct _NnPickle {
  GPtrArray *values;     /* owned */
  GPtrArray *persistent; /* borrowed */
};

/* The machine: a stack of values, places where a mark stands, what was memorised. */
typedef struct {
  NnPickle     *pickle;
  const guint8 *at, *end;
  GPtrArray    *stack;
  GArray       *marks; /* guint: lengths of the stack */
  GHashTable   *memo;
} Machine;

static void
free_value (gpointer data)
{
  NnPickleValue *value = data;

  g_free (value->text);
  if (value->items != NULL)
    g_ptr_array_unref (value->items);
  g_free (value);
}

NnPickle *
nn_pickle_new (void)
{
  NnPickle *pickle = g_new (NnPickle, 1);

  pickle->values = g_ptr_array_new_with_free_func (free_value);
  pickle->persistent = g_ptr_array_new ();
  return pickle;
}

void
nn_pickle_free (NnPickle *pickle)
{
  if (pickle == NULL)
    return;
  g_ptr_array_unref (pickle->values);
  g_ptr_array_unref (pickle->persistent);
  g_free (pickle);
}

/* Returns: (transfer none): all values so far that stand for something outside */
GPtrArray *
nn_pickle_persistent (NnPickle *pickle)
{
  return pickle->persistent;
}

static NnPickleValue *
new_value (Machine      *m,
           NnPickleKind  kind)
{
  NnPickleValue *value = g_new0 (NnPickleValue, 1);

  value->kind = kind;
  if (kind == NN_PICKLE_LIST || kind == NN_PICKLE_DICT)
    value->items = g_ptr_array_new ();
  g_ptr_array_add (m->pickle->values, value);
  return value;
}

static void
push (Machine       *m,
      NnPickleValue *value)
{
  g_ptr_array_add (m->stack, value);
}

static NnPickleValue *
pop (Machine *m)
{
  guint floor = m->marks->len > 0 ? g_array_index (m->marks, guint, m->marks->len - 1) : 0;
  NnPickleValue *value;

  if (m->stack->len <= floor)
    return NULL;
  value = m->stack->pdata[m->stack->len - 1];
  g_ptr_array_set_size (m->stack, (gint) m->stack->len - 1);
  return value;
}

static gboolean
number (Machine *m,
        guint    size,
        guint64 *value)
{
  if ((gsize) (m->end - m->at) < size)
    return FALSE;
  *value = 0;
  for (guint i = size; i-- > 0;)
    *value = *value << 8 | m->at[i];
  m->at += size;
  return TRUE;
}

static gboolean
push_int (Machine *m,
          guint    size,
          gboolean is_signed)
{
  NnPickleValue *value = new_value (m, NN_PICKLE_INT);
  guint64 v;

  if (!number (m, size, &v))
    return FALSE;
  value->integer = is_signed ? (gint64) (v << (64 - 8 * size)) >> (64 - 8 * size) : (gint64) v;
  push (m, value);
  return TRUE;
}

/* How many bytes follow, told by @size bytes. */
static gboolean
length (Machine *m,
        guint    size,
        guint64 *n)
{
  return number (m, size, n) && *n <= (guint64) (m->end - m->at);
}

/* An integer of any length, which stands before it in @size bytes. */
static gboolean
push_long (Machine *m,
           guint    size)
{
  NnPickleValue *value = new_value (m, NN_PICKLE_INT);
  gboolean negative;
  guint64 n, v = 0;

  if (!length (m, size, &n))
    return FALSE;
  negative = n > 0 && m->at[n - 1] >= 128;
  for (guint64 i = MIN (n, 8); i-- > 0;)
    v = v << 8 | m->at[i];
  if (n > 0 && n < 8 && negative)
    v |= ~(guint64) 0 << 8 * n;
  value->integer = n > 8 ? (negative ? G_MININT64 : G_MAXINT64) : (gint64) v;
  m->at += n;
  push (m, value);
  return TRUE;
}

static gboolean
push_text (Machine *m,
           guint    size)
{
  NnPickleValue *value = new_value (m, NN_PICKLE_TEXT);
  guint64 n;

  if (!length (m, size, &n))
    return FALSE;
  value->text = g_utf8_validate ((const char *) m->at, (gssize) n, NULL) ? g_strndup ((const char *) m->at, n) : g_strdup ("");
  m->at += n;
  push (m, value);
  return TRUE;
}

static gboolean
push_real (Machine *m)
{
  NnPickleValue *value = new_value (m, NN_PICKLE_REAL);
  guint64 bits = 0;

  if (m->end - m->at < 8)
    return FALSE;
  for (guint i = 0; i < 8; i++) /* big-endian */
    bits = bits << 8 | m->at[i];
  memcpy (&value->real, &bits, sizeof bits);
  m->at += 8;
  push (m, value);
  return TRUE;
}

static char *
line (Machine *m)
{
  const guint8 *end = memchr (m->at, '\n', (gsize) (m->end - m->at));
  char *text;

  if (end == NULL || !g_utf8_validate ((const char *) m->at, end - m->at, NULL))
    return NULL;
  text = g_strndup ((const char *) m->at, (gsize) (end - m->at));
  m->at = end + 1;
  return text;
}

static gboolean
push_global (Machine *m)
{
  g_autofree char *module = line (m), *name = module != NULL ? line (m) : NULL;
  NnPickleValue *value = new_value (m, NN_PICKLE_GLOBAL);

  if (name == NULL)
    return FALSE;
  value->text = g_strdup_printf ("%s.%s", module, name);
  push (m, value);
  return TRUE;
}

static gboolean
stack_global (Machine *m)
{
  const NnPickleValue *name = pop (m), *module = pop (m);
  NnPickleValue *value = new_value (m, NN_PICKLE_GLOBAL);

  if (name == NULL || module == NULL || name->kind != NN_PICKLE_TEXT || module->kind != NN_PICKLE_TEXT)
    return FALSE;
  value->text = g_strdup_printf ("%s.%s", module->text, name->text);
  push (m, value);
  return TRUE;
}

/* The last @n values as a list; all since the mark where @n is negative. */
static gboolean
push_list (Machine *m,
           int      n)
{
  NnPickleValue *list = new_value (m, NN_PICKLE_LIST);
  guint floor = m->marks->len > 0 ? g_array_index (m->marks, guint, m->marks->len - 1) : 0, first;

  if (n < 0 ? m->marks->len == 0 : m->stack->len < floor + (guint) n)
    return FALSE;
  first = n < 0 ? floor : m->stack->len - (guint) n;
  for (guint i = first; i < m->stack->len; i++)
    g_ptr_array_add (list->items, m->stack->pdata[i]);
  g_ptr_array_set_size (m->stack, (gint) first);
  if (n < 0)
    g_array_set_size (m->marks, m->marks->len - 1);
  push (m, list);
  return TRUE;
}

/* Adds what @list holds to the value below it: to a list, or as pairs to a dict or an object. */
static gboolean
extend (Machine  *m,
        gboolean  pairs)
{
  const NnPickleValue *list = pop (m);
  NnPickleValue *to = list != NULL ? pop (m) : NULL;

  if (to == NULL || (to->kind != NN_PICKLE_CALL && to->kind != (pairs ? NN_PICKLE_DICT : NN_PICKLE_LIST)) ||
      (pairs && list->items->len % 2 != 0))
    return FALSE;
  if (to->items == NULL)
    to->items = g_ptr_array_new ();
  for (guint i = 0; i < list->items->len; i++)
    g_ptr_array_add (to->items, list->items->pdata[i]);
  push (m, to);
  return TRUE;
}

static gboolean
as_dict (Machine *m)
{
  NnPickleValue *list;

  if (!push_list (m, -1))
    return FALSE;
  list = m->stack->pdata[m->stack->len - 1];
  list->kind = NN_PICKLE_DICT;
  return list->items->len % 2 == 0;
}

static gboolean
push_call (Machine  *m,
           gboolean  keywords)
{
  const NnPickleValue *names = keywords ? pop (m) : NULL, *arguments = pop (m), *callable = arguments != NULL ? pop (m) : NULL;
  NnPickleValue *call = new_value (m, NN_PICKLE_CALL);

  if (callable == NULL || (keywords && names == NULL))
    return FALSE;
  call->callable = callable;
  call->arguments = arguments;
  push (m, call);
  return TRUE;
}

static gboolean
build (Machine *m)
{
  const NnPickleValue *state = pop (m);
  NnPickleValue *object = state != NULL ? pop (m) : NULL;

  if (object == NULL)
    return FALSE;
  object->state = state;
  push (m, object);
  return TRUE;
}

static gboolean
persistent (Machine *m)
{
  NnPickleValue *value = new_value (m, NN_PICKLE_PERSISTENT);

  value->arguments = pop (m);
  if (value->arguments == NULL)
    return FALSE;
  g_ptr_array_add (m->pickle->persistent, value);
  push (m, value);
  return TRUE;
}

static gboolean
memorise (Machine *m,
          guint64  key)
{
  if (m->stack->len == 0)
    return FALSE;
  g_hash_table_insert (m->memo, GSIZE_TO_POINTER ((gsize) key + 1), m->stack->pdata[m->stack->len - 1]);
  return TRUE;
}

static gboolean
recall (Machine *m,
        guint    size)
{
  NnPickleValue *value;
  guint64 key;

  if (!number (m, size, &key) || (value = g_hash_table_lookup (m->memo, GSIZE_TO_POINTER ((gsize) key + 1))) == NULL)
    return FALSE;
  push (m, value);
  return TRUE;
}

static gboolean
push_simple (Machine      *m,
             NnPickleKind  kind,
             gint64        integer)
{
  NnPickleValue *value = new_value (m, kind);

  value->integer = integer;
  push (m, value);
  return TRUE;
}

static gboolean
drop (Machine *m)
{
  if (pop (m) != NULL)
    return TRUE;
  if (m->marks->len == 0)
    return FALSE;
  g_array_set_size (m->marks, m->marks->len - 1);
  return TRUE;
}

static gboolean
step (Machine *m,
      guint8   opcode)
{
  guint64 v;
  NnPickleValue *last;

  switch (opcode)
    {
    case 0x80: return number (m, 1, &v);                                     /* PROTO */
    case 0x95: return number (m, 8, &v);                                     /* FRAME */
    case '(': return g_array_append_val (m->marks, m->stack->len) != NULL;   /* MARK */
    case '0': return drop (m);                                               /* POP */
    case '1': return push_list (m, -1) && pop (m) != NULL;                   /* POP_MARK */
    case '2':                                                                /* DUP */
      last = pop (m);
      if (last == NULL)
        return FALSE;
      push (m, last);
      push (m, last);
      return TRUE;
    case 'N': return push_simple (m, NN_PICKLE_NONE, 0);
    case 0x88: return push_simple (m, NN_PICKLE_BOOL, 1);                    /* NEWTRUE */
    case 0x89: return push_simple (m, NN_PICKLE_BOOL, 0);                    /* NEWFALSE */
    case 'J': return push_int (m, 4, TRUE);                                  /* BININT */
    case 'K': return push_int (m, 1, FALSE);                                 /* BININT1 */
    case 'M': return push_int (m, 2, FALSE);                                 /* BININT2 */
    case 0x8a: return push_long (m, 1);                                      /* LONG1 */
    case 0x8b: return push_long (m, 4);                                      /* LONG4 */
    case 'G': return push_real (m);                                          /* BINFLOAT */
    case 'X': case 'T': case 'B': return push_text (m, 4);                   /* BINUNICODE, BINSTRING, BINBYTES */
    case 'U': case 'C': case 0x8c: return push_text (m, 1);                  /* SHORT_BINSTRING, SHORT_BINBYTES, SHORT_BINUNICODE */
    case 0x8d: case 0x8e: return push_text (m, 8);                           /* BINUNICODE8, BINBYTES8 */
    case ']': case ')': case 0x8f: return push_list (m, 0);                  /* EMPTY_LIST, EMPTY_TUPLE, EMPTY_SET */
    case '}': return push_simple (m, NN_PICKLE_DICT, 0);                     /* EMPTY_DICT */
    case 't': case 'l': case 0x91: return push_list (m, -1);                 /* TUPLE, LIST, FROZENSET */
    case 0x85: return push_list (m, 1);                                      /* TUPLE1 */
    case 0x86: return push_list (m, 2);                                      /* TUPLE2 */
    case 0x87: return push_list (m, 3);                                      /* TUPLE3 */
    case 'd': return as_dict (m);                                            /* DICT */
    case 'a': return push_list (m, 1) && extend (m, FALSE);                  /* APPEND */
    case 'e': case 0x90: return push_list (m, -1) && extend (m, FALSE);      /* APPENDS, ADDITEMS */
    case 's': return push_list (m, 2) && extend (m, TRUE);                   /* SETITEM */
    case 'u': return push_list (m, -1) && extend (m, TRUE);                  /* SETITEMS */
    case 'c': return push_global (m);                                        /* GLOBAL */
    case 0x93: return stack_global (m);                                      /* STACK_GLOBAL */
    case 'R': case 0x81: return push_call (m, FALSE);                        /* REDUCE, NEWOBJ */
    case 0x92: return push_call (m, TRUE);                                   /* NEWOBJ_EX */
    case 'b': return build (m);                                              /* BUILD */
    case 'Q': return persistent (m);                                         /* BINPERSID */
    case 'q': return number (m, 1, &v) && memorise (m, v);                   /* BINPUT */
    case 'r': return number (m, 4, &v) && memorise (m, v);                   /* LONG_BINPUT */
    case 0x94: return memorise (m, g_hash_table_size (m->memo));             /* MEMOIZE */
    case 'h': return recall (m, 1);                                          /* BINGET */
    case 'j': return recall (m, 4);                                          /* LONG_BINGET */
    default: return FALSE;
    }
}

/**
 * nn_pickle_read:
 * @used: (out): bytes of @n that the pickle has
 *
 * Errors: %NN_ERROR_FORMAT where it is damaged or cut, or has opcodes that torch.save() does not write
 *
 * Returns: (transfer none): lives with @pickle
 */
const NnPickleValue *
nn_pickle_read (NnPickle      *pickle,
                const guint8  *bytes,
                gsize          n,
                gsize         *used,
                GError       **error)
{
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GHashTable) memo = g_hash_table_new (NULL, NULL);
  Machine m = { .pickle = pickle, .at = bytes, .end = bytes + n, .stack = stack, .marks = marks, .memo = memo };

  while (m.at < m.end && pickle->values->len < MAX_VALUES)
    {
      guint8 opcode = *m.at++;

      if (opcode == '.')
        {
          *used = (gsize) (m.at - bytes);
          if (stack->len != 1)
            break;
          return stack->pdata[0];
        }
      if (!step (&m, opcode))
        break;
    }
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "its pickle is damaged or incomplete at byte %zu", (gsize) (m.at - bytes));
  return NULL;
}

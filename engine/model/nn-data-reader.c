/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays that give their rows in order: what readers share, and those over memory. */

#include "nn-data-private.h"

#include <string.h>
#include <unistd.h>

void
nn_array_reader_free (NnArrayReader *reader)
{
  if (reader != NULL)
    reader->free (reader);
}

/* Numbers in a row. */
gsize
nn_array_reader_row (const NnArrayReader *reader)
{
  gsize n = 1;

  for (guint i = 1; i < reader->shape.rank; i++)
    n *= (gsize) reader->shape.dims[i];
  return n;
}

typedef struct {
  NnArrayReader reader;
  NnTensor     *tensor; /* owned, or: */
  char        **texts;  /* owned */
  gsize         next;
} MemoryReader;

static gboolean
memory_read (NnArrayReader *reader,
             gsize          count,
             double        *values,
             GError       **error)
{
  MemoryReader *memory = (MemoryReader *) reader;
  gsize n = count * nn_array_reader_row (reader);

  for (gsize i = 0; i < n; i++)
    values[i] = nn_tensor_get (memory->tensor, memory->next++);
  return TRUE;
}

static gboolean
memory_read_text (NnArrayReader *reader,
                  gsize          count,
                  char         **values,
                  GError       **error)
{
  MemoryReader *memory = (MemoryReader *) reader;

  for (gsize i = 0; i < count; i++)
    values[i] = g_strdup (memory->texts[memory->next++]);
  return TRUE;
}

static void
memory_free (NnArrayReader *reader)
{
  MemoryReader *memory = (MemoryReader *) reader;

  nn_tensor_unref (memory->tensor);
  g_strfreev (memory->texts);
  g_free (memory);
}

NnArrayReader *
nn_array_reader_tensor (NnTensor *tensor)
{
  MemoryReader *memory = g_new0 (MemoryReader, 1);

  memory->reader.shape = tensor->shape;
  memory->reader.read = memory_read;
  memory->reader.free = memory_free;
  memory->tensor = nn_tensor_ref (tensor);
  return &memory->reader;
}

NnArrayReader *
nn_array_reader_texts (char **texts)
{
  MemoryReader *memory = g_new0 (MemoryReader, 1);

  memory->reader.shape = NN_SHAPE (g_strv_length (texts));
  memory->reader.is_text = TRUE;
  memory->reader.read_text = memory_read_text;
  memory->reader.free = memory_free;
  memory->texts = texts;
  return &memory->reader;
}

NnDataEntry *
nn_data_entry_new (const char    *name,
                   const NnShape *shape,
                   const char    *type)
{
  NnDataEntry *entry = g_new0 (NnDataEntry, 1);

  entry->name = g_strdup (name);
  entry->shape = *shape;
  entry->type = type;
  return entry;
}

NnDataEntry *
nn_data_entry_unreadable (const char *name,
                          const char *problem)
{
  NnDataEntry *entry = nn_data_entry_new (name, &(NnShape){ 0 }, "unreadable");

  entry->problem = g_strdup (problem);
  return entry;
}

void
nn_data_entry_free (NnDataEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->name);
  g_free (entry->first);
  g_strfreev (entry->first_texts);
  g_free (entry->problem);
  g_free (entry);
}

guint64
nn_data_memory_limit (const NnDataOptions *options)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);

  if (options->memory_limit > 0)
    return options->memory_limit;
  return pages > 0 && size > 0 ? (guint64) pages * size / 8 : G_GUINT64_CONSTANT (1) << 30;
}

NnTensor *
nn_data_tensor_new (NnDtype        dtype,
                    const NnShape *shape,
                    GError       **error)
{
  const NnDataOptions defaults = { 0 };
  gsize n;

  if (nn_shape_size (shape, &n) && (double) n * nn_dtype_size (dtype) > nn_data_memory_limit (&defaults))
    return nn_tensor_try_new_mapped (dtype, shape, error);
  return nn_tensor_try_new (dtype, shape, error);
}

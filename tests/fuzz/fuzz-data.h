/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data files: listed, and every array in them read to its end. */

#pragma once

#include "fuzz-file.h"

#include "nn-data-private.h"

static inline void
fuzz_read_all (NnArrayReader *reader)
{
  size_t row = nn_array_reader_row (reader), n = reader->shape.dims[0];
  size_t piece = MIN (MAX (NN_DATA_PIECE / MAX (row, 1), 1), MAX (n, 1));
  g_autofree double *values = row < 1 << 24 ? g_new (double, piece * row + 1) : NULL;
  gboolean good = reader->is_text || values != NULL;

  for (size_t first = 0; good && row > 0 && first < n; first += piece)
    {
      size_t count = MIN (piece, n - first);
      g_autofree char **texts = g_new0 (char *, count + 1);

      good = reader->is_text ? reader->read_text (reader, count, texts, NULL) : reader->read (reader, count, values, NULL);
      for (size_t i = 0; i < count; i++)
        g_free (texts[i]);
    }
}

/* Whatever the file says: what it lists can be asked for, and an error comes with a message. */
static inline int
fuzz_data (const uint8_t *data,
           size_t         size)
{
  int fd = fuzz_file (data, size);
  g_autofree char *path = fuzz_file_path (fd);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = nn_data_list (path, NULL, NULL, &error);

  g_assert_true ((entries == NULL) == (error != NULL));
  for (guint i = 0; entries != NULL && i < MIN (entries->len, 8); i++)
    {
      const NnDataEntry *entry = entries->pdata[i];
      g_autoptr (GError) failure = NULL;
      g_autoptr (NnArrayReader) reader = nn_data_open (path, *entry->name != '\0' ? entry->name : NULL, &failure);

      g_assert_true ((reader == NULL) == (failure != NULL));
      if (reader != NULL)
        fuzz_read_all (reader);
    }
  close (fd);
  return 0;
}

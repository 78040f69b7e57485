/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replays a corpus as an ordinary test: every file as it is, cut short at many places, with bytes changed, and changed as its format
 * is, where the target has a mutator. */

#include "fuzz.h"
#include "mutate.h"

#include "nn-rng.h"

#include <stdio.h>
#include <string.h>

/* Changed copies of each file, and places it is cut at: enough to be a test, few enough to be quick. */
#define N_CUTS 64
#define N_CHANGES 128
#define N_MUTANTS 64
/* Bytes that a mutant of a file of n may have. */
#define ROOM(n) (2 * (n) + 1024)

size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed) __attribute__ ((weak));

/* libFuzzer has a better one. */
size_t
LLVMFuzzerMutate (uint8_t *data,
                  size_t   size,
                  size_t   max_size)
{
  static gboolean begun;
  static NnRng rng;

  if (!begun)
    nn_rng_init (&rng, 1);
  begun = TRUE;
  if (size == 0)
    return 0;
  data[nn_rng_below (&rng, size)] = nn_rng_next (&rng);
  return size;
}

/* Eight generations at a time. */
static void
replay_mutants (const guint8 *bytes,
                gsize         n)
{
  g_autofree guint8 *mutant = g_malloc (ROOM (n));
  gsize length = n;

  for (guint i = 0; i < N_MUTANTS; i++)
    {
      g_autofree guint8 *copy = NULL;

      if (i % 8 == 0)
        {
          memcpy (mutant, bytes, n);
          length = n;
        }
      length = LLVMFuzzerCustomMutator (mutant, length, ROOM (n), i);
      /* of its own size, so that reading beyond it is seen */
      copy = g_memdup2 (mutant, MAX (length, 1));
      LLVMFuzzerTestOneInput (copy, length);
    }
}

static void
replay (const guint8 *bytes,
        gsize         n,
        NnRng        *rng)
{
  LLVMFuzzerTestOneInput (bytes, n);
  for (guint i = 0; i < N_CUTS && n > 0; i++)
    {
      gsize cut = n <= N_CUTS ? i % n : nn_rng_below (rng, n);
      g_autofree guint8 *copy = g_memdup2 (bytes, cut > 0 ? cut : 1);

      LLVMFuzzerTestOneInput (copy, cut);
    }
  for (guint i = 0; i < N_CHANGES && n > 0; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (bytes, n);

      for (guint k = 0; k <= i % 4; k++)
        copy[nn_rng_below (rng, n)] = nn_rng_next (rng);
      LLVMFuzzerTestOneInput (copy, n);
    }
  if (LLVMFuzzerCustomMutator != NULL)
    replay_mutants (bytes, n);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) folder = g_dir_open (argv[argc - 1], 0, &error);
  const char *name;
  guint n_files = 0;
  NnRng rng;

  if (folder == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (argv[argc - 1], name, NULL);
      g_autofree char *bytes = NULL;
      gsize n;

      if (!g_file_get_contents (path, &bytes, &n, &error))
        {
          fprintf (stderr, "%s\n", error->message);
          return 1;
        }
      nn_rng_init (&rng, 1);
      replay ((const guint8 *) bytes, n, &rng);
      n_files++;
    }
  printf ("%u files replayed\n", n_files);
  return n_files == 0;
}

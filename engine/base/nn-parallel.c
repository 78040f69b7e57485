/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A parallel for: the caller fixes the chunks, so the result is the same for any number of threads. */

#include "nn-parallel.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * A small pool of helper threads sleeps on one condition, after having looked for new work for a moment: a training step
 * is a dozen short loops, one soon after the other, and to wake a thread takes longer than some of them. The calling thread
 * works too, so with one thread nothing is ever woken. Only one parallel-for runs on the pool at a time; a nested or concurrent one runs on its own thread.
 * pthreads rather than GMutex, so that ThreadSanitizer can see the locks.
 */

#define MAX_THREADS 256
/* Looks at a variable before sleeping: some 20 microseconds. */
#define LOOKS 500

typedef struct {
  NnParallelFunc func;
  gpointer       data;
  gsize          n_chunks;
  atomic_size_t  next;
} Work;

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_wake = PTHREAD_COND_INITIALIZER;
static pthread_cond_t pool_done = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t user_lock = PTHREAD_MUTEX_INITIALIZER;
static Work *pool_work;       /* guarded by pool_lock */
static atomic_uint pool_generation; /* written under pool_lock */
static atomic_uint pool_busy;       /* written under pool_lock */
static guint pool_size;       /* guarded by user_lock */
static atomic_uint wanted_threads;

static void
work_run (Work *work)
{
  gsize chunk;

  while ((chunk = atomic_fetch_add (&work->next, 1)) < work->n_chunks)
    work->func (chunk, work->n_chunks, work->data);
}

/* For a moment, until the variable has (or, with @until false, has not) this value; in vain where threads share a processor. */
static void
look (atomic_uint *variable,
      guint        value,
      gboolean     until)
{
  for (guint i = 0; i < LOOKS && (atomic_load_explicit (variable, memory_order_relaxed) == value) != until; i++)
    {
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause ();
#endif
    }
}

static void *
helper_main (void *data)
{
  guint seen = GPOINTER_TO_UINT (data);

  pthread_mutex_lock (&pool_lock);
  for (;;)
    {
      Work *work;

      while (pool_generation == seen || pool_work == NULL)
        {
          seen = pool_work == NULL ? pool_generation : seen;
          pthread_cond_wait (&pool_wake, &pool_lock);
        }
      seen = pool_generation;
      work = pool_work;
      pool_busy++;
      pthread_mutex_unlock (&pool_lock);
      work_run (work);
      pthread_mutex_lock (&pool_lock);
      if (--pool_busy == 0)
        pthread_cond_signal (&pool_done);
      pthread_mutex_unlock (&pool_lock);
      look (&pool_generation, seen, FALSE);
      pthread_mutex_lock (&pool_lock);
    }
  return NULL;
}

static void
ensure_helpers (guint n)
{
  while (pool_size < n)
    {
      pthread_t thread;
      guint generation;

      pthread_mutex_lock (&pool_lock);
      generation = pool_generation;
      pthread_mutex_unlock (&pool_lock);
      if (pthread_create (&thread, NULL, helper_main, GUINT_TO_POINTER (generation)) != 0)
        return;
      pthread_detach (thread);
      pool_size++;
    }
}

/**
 * nn_parallel_set_threads:
 * @n_threads: how many threads may work at once, 0 for one a processor
 */
void
nn_parallel_set_threads (guint n_threads)
{
  atomic_store (&wanted_threads, MIN (n_threads, MAX_THREADS));
}

guint
nn_parallel_get_threads (void)
{
  guint n = atomic_load (&wanted_threads);

  return n > 0 ? n : MIN (g_get_num_processors (), MAX_THREADS);
}

/**
 * nn_parallel_for:
 * @func: called once for each chunk
 *
 * Returns when every chunk is done. Reductions belong to the caller: one result a chunk, added up in chunk order.
 */
void
nn_parallel_for (gsize          n_chunks,
                 NnParallelFunc func,
                 gpointer       data)
{
  Work work = { .func = func, .data = data, .n_chunks = n_chunks };
  guint n_helpers = MIN (nn_parallel_get_threads (), MAX (n_chunks, 1)) - 1;

  if (n_helpers == 0 || pthread_mutex_trylock (&user_lock) != 0)
    {
      work_run (&work);
      return;
    }
  ensure_helpers (n_helpers);
  pthread_mutex_lock (&pool_lock);
  pool_work = &work;
  pool_generation++;
  for (guint i = 0; i < n_helpers; i++)
    pthread_cond_signal (&pool_wake);
  pthread_mutex_unlock (&pool_lock);
  work_run (&work);
  pthread_mutex_lock (&pool_lock);
  pool_work = NULL;
  pthread_mutex_unlock (&pool_lock);
  look (&pool_busy, 0, TRUE);
  pthread_mutex_lock (&pool_lock);
  while (pool_busy > 0)
    pthread_cond_wait (&pool_done, &pool_lock);
  pthread_mutex_unlock (&pool_lock);
  pthread_mutex_unlock (&user_lock);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running the main loop until something is so, and telling for how long it did not come round. */

#pragma once

#include <glib.h>
#include <stdio.h>
#include <time.h>

static inline gboolean
test_tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the main loop until @condition holds; fails after @seconds. */
#define TEST_WAIT_FOR(seconds, condition)                                          \
  G_STMT_START {                                                                   \
    gint64 wait_end = g_get_monotonic_time () + (seconds) * G_USEC_PER_SEC;        \
    guint wait_id = g_timeout_add (10, test_tick, NULL);                           \
    while (!(condition))                                                           \
      {                                                                            \
        g_assert_cmpint (g_get_monotonic_time (), <, wait_end);                    \
        g_main_context_iteration (NULL, TRUE);                                     \
      }                                                                            \
    g_source_remove (wait_id);                                                     \
  } G_STMT_END

#define TEST_TICK_MS 5
/* Promised by the issue of the desktop application, for a machine where nobody else is at work. */
#define TEST_MAX_STALL 50000
/* Processor time is the longer, too, where another program shares the core and its caches: the same work took 33 to 83 ms beside builds. */
#define TEST_MAX_BUSY_WORK 200000
/* Locks, files and the display server, which other programs keep waiting: 0.8 s was seen. A lock held through a run is longer. */
#define TEST_MAX_BUSY_WAIT (5 * G_USEC_PER_SEC)

/**
 * TestStalls: how long the main loop was away, a ticker being the witness. All in microseconds.
 * @longest: by the clock on the wall
 * @own: without the time in which this thread was ready to run and another program had the processor
 * @work: of the processor, used by this thread without a break
 */
typedef struct {
  gint64 longest, own, work;
  gint64 last_tick, last_work, last_wait;
  guint  id;
} TestStalls;

static inline gint64
test_thread_work (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* For how long this thread was ready to run and another program had the processor: the machine's fault, not the window's. */
static inline gint64
test_thread_wait (void)
{
  g_autofree char *text = NULL;
  guint64 ran, waited;

  if (!g_file_get_contents ("/proc/thread-self/schedstat", &text, NULL, NULL)
      || sscanf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &ran, &waited) != 2)
    return 0;
  return waited / 1000;
}

static inline gboolean
test_stalls_tick (gpointer data)
{
  TestStalls *stalls = data;
  gint64 now = g_get_monotonic_time (), work = test_thread_work (), wait = test_thread_wait ();
  gint64 away = now - stalls->last_tick - TEST_TICK_MS * 1000;

  stalls->longest = MAX (stalls->longest, away);
  stalls->own = MAX (stalls->own, away - (wait - stalls->last_wait));
  stalls->work = MAX (stalls->work, work - stalls->last_work);
  stalls->last_tick = now;
  stalls->last_work = work;
  stalls->last_wait = wait;
  return G_SOURCE_CONTINUE;
}

static inline void
test_stalls_begin (TestStalls *stalls)
{
  *stalls = (TestStalls) { .last_tick = g_get_monotonic_time (), .last_work = test_thread_work (), .last_wait = test_thread_wait () };
  stalls->id = g_timeout_add_full (G_PRIORITY_HIGH, TEST_TICK_MS, test_stalls_tick, stalls, NULL);
}

static inline void
test_stalls_end (TestStalls *stalls,
                 const char *where)
{
  g_source_remove (stalls->id);
  test_stalls_tick (stalls);
  g_test_message ("%s: the main loop was away for %.1f ms at the most, %.1f ms of it not for want of a processor; longest work without a break %.1f ms",
                  where, stalls->longest / 1000.0, stalls->own / 1000.0, stalls->work / 1000.0);
}

/* What the window does itself without a break, and what it waits for, are its own fault on any machine, though longer on a busy
 * one; the promise is asked for where nobody else is at work. */
static inline void
test_stalls_check (const TestStalls *stalls)
{
  g_assert_cmpint (stalls->work, <, TEST_MAX_BUSY_WORK);
  g_assert_cmpint (stalls->own, <, TEST_MAX_BUSY_WAIT);
  if (g_getenv ("ESPALIER_BENCH") != NULL)
    g_assert_cmpint (stalls->longest, <, TEST_MAX_STALL);
}

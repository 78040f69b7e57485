/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes as a file, for readers that take a name: in memory, for a disk would be all that the time goes to. */

#pragma once

#include "fuzz.h"

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file without a name that holds the bytes. */
static inline int
fuzz_file (const uint8_t *data,
           size_t         size)
{
  int fd = memfd_create ("fuzz", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  for (size_t done = 0; done < size;)
    {
      ssize_t n = write (fd, data + done, size - done);

      g_assert_cmpint (n, >, 0);
      done += n;
    }
  lseek (fd, 0, SEEK_SET);
  return fd;
}

/* (transfer full): a name under which the file can be opened */
static inline char *
fuzz_file_path (int fd)
{
  return g_strdup_printf ("/proc/self/fd/%d", fd);
}

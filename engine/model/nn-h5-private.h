/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What reading and writing of HDF5 share. Functions of one version of the interface are named, so that any library from
 * 1.10 on will do. */

#pragma once

#define H5_USE_18_API 1

#include "nn-h5.h"

#include <hdf5.h>

G_BEGIN_DECLS

struct _NnH5 {
  hid_t    file;
  char    *path;      /* as errors name it */
  char    *temporary; /* where it is written, until finished */
  gboolean writing;
  gboolean finished;
};

gboolean nn_h5_fail (NnH5        *h5,
                     const char  *where,
                     const char  *what,
                     GError     **error);

G_END_DECLS

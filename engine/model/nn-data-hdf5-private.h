/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about data in HDF5 share. Called between nn_h5_lock() and nn_h5_unlock(). */

#pragma once

#include "nn-data-private.h"

/* The interface of 1.8, which every later library still offers. */
#ifndef H5_USE_18_API
#define H5_USE_18_API 1
#endif
#include <hdf5.h>

G_BEGIN_DECLS

/* Where fields of a record go: numbers one after the other, each as a double. */
typedef struct {
  hid_t   record;  /* of the file */
  hid_t   as;      /* of memory */
  gsize   n;       /* numbers so far */
  NnShape shape;   /* of the last field */
  hid_t   text;    /* of the only field that is text, or -1 */
} NnHdf5Fields;

hid_t    nn_hdf5_open_file      (const char        *path,
                                 GError           **error);
/* Of a type that is a record: its members one by one. (transfer full) in @type and @name. */
gboolean nn_hdf5_next_field     (hid_t              record,
                                 guint              i,
                                 char             **name,
                                 hid_t             *type);
/* What a field of a record holds: a number, a small array of them, or text. FALSE for anything else. */
gboolean nn_hdf5_describe_field (hid_t              type,
                                 NnShape           *shape,
                                 const char       **name);
/* Type and shape of an open data set; FALSE where it is no array of numbers or text, and no table. */
gboolean nn_hdf5_describe       (hid_t              set,
                                 NnShape           *shape,
                                 const char       **type);
/* Why a data set is neither. */
const char *nn_hdf5_problem     (hid_t              set);
/* As one string is read: of the file's own length, or as a pointer. (transfer full) */
hid_t    nn_hdf5_type_of_text   (hid_t              type);
/* The fields called @names, in that order, or all that are numbers. */
gboolean nn_hdf5_choose_fields  (NnHdf5Fields      *fields,
                                 const char *const *names,
                                 const char        *table,
                                 GError           **error);

G_END_DECLS

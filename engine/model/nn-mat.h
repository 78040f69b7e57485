/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What MATLAB files of version 5 consist of: elements, of which some are arrays. Source: MathWorks, MAT-File Format (level 5). */

#pragma once

#include "nn-data-private.h"

G_BEGIN_DECLS

#define NN_MAT_MAX_NAME 4096

/* Types of data elements. */
enum { MI_INT8 = 1, MI_UINT8, MI_INT16, MI_UINT16, MI_INT32, MI_UINT32, MI_SINGLE, MI_DOUBLE = 9, MI_INT64 = 12,
       MI_UINT64, MI_MATRIX, MI_COMPRESSED, MI_UTF8, MI_UTF16, MI_UTF32 };
/* Classes of arrays. */
enum { MX_CELL = 1, MX_STRUCT, MX_OBJECT, MX_CHAR, MX_SPARSE, MX_DOUBLE, MX_SINGLE, MX_INT8, MX_UINT8, MX_INT16, MX_UINT16, MX_INT32, MX_UINT32,
       MX_INT64, MX_UINT64 };
#define FLAG_COMPLEX 0x0800

/* A stretch of bytes that is read from its start. */
typedef struct {
  const guint8 *at;
  gsize         left;
  gboolean      swap;
  gboolean      cut;  /* only the start of what an element says it has is there */
} NnMatBytes;

typedef struct {
  guint32 type;
  NnMatBytes data;
} NnMatElement;

/* An array: its header, and where its numbers or cells begin. */
typedef struct {
  char    name[NN_MAT_MAX_NAME];
  guint   class_type;
  gboolean is_complex;
  NnShape shape;
  NnMatBytes body;
  GMappedFile *file;  /* borrowed: where the body lies, or: */
  NnTensor    *plain; /* borrowed, nullable */
} NnMatArray;

/* Each array of the file is shown to @see until it says that it has seen enough. */
typedef gboolean (*NnMatSeeFunc) (const NnMatArray *array,
                                  gpointer          data);

/* @name: (nullable): only the array of this name is shown, and all of it; without, the arrays' headers are. Fields of a structure are
 * arrays called STRUCTURE/FIELD. The error names the file. */
gboolean nn_mat_each_array   (const char         *path,
                              const char         *name,
                              NnMatSeeFunc        see,
                              gpointer            data,
                              GError            **error);
/* The next element; small ones lie within their tag. FALSE at the end, or where nothing sensible follows. */
gboolean nn_mat_next_element (NnMatBytes         *bytes,
                              NnMatElement       *element);
/* Flags, extents and name: what stands at the start of every array. */
gboolean nn_mat_read_array   (const NnMatElement *matrix,
                              NnMatArray         *array);
/* Bytes of one number, 0 where the element has none. */
guint    nn_mat_item_size    (guint32             type);
double   nn_mat_load_number  (const NnMatElement *element,
                              gsize               i);

G_END_DECLS

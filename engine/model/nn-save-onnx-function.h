/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions that go along in an ONNX file: a runtime that knows neither QONNX's operators nor ours finds there what they are in
 * plain ones. Each of these is an operator of the function that is being written; its output. Internal to the room. */

#pragma once

#include "nn-save-onnx.h"

G_BEGIN_DECLS

GPtrArray  *nn_fn_begin         (NnOnnxWriter      *w);
void        nn_fn_end           (NnOnnxWriter      *w,
                                 GPtrArray         *outside,
                                 const char        *domain,
                                 const char        *name,
                                 const char *const *inputs,
                                 const char *const *attributes,
                                 const char        *result);
const char *nn_fn_op            (NnOnnxWriter      *w,
                                 const char        *type,
                                 const char        *a,
                                 const char        *b);
const char *nn_fn_number        (NnOnnxWriter      *w,
                                 double             value);
const char *nn_fn_numbers       (NnOnnxWriter      *w,
                                 NnTensor          *values);
const char *nn_fn_whole_numbers (NnOnnxWriter      *w,
                                 const gint64      *values,
                                 guint              n);
const char *nn_fn_attribute     (NnOnnxWriter      *w,
                                 const char        *name);
const char *nn_fn_clip          (NnOnnxWriter      *w,
                                 const char        *x,
                                 const char        *low,
                                 const char        *high);
const char *nn_fn_choose        (NnOnnxWriter      *w,
                                 const char        *condition,
                                 const char        *yes,
                                 const char        *no);
const char *nn_fn_round         (NnOnnxWriter      *w,
                                 NnRounding         rounding,
                                 const char        *x);

G_END_DECLS

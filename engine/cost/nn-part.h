/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FPGA parts and what they have. */

#pragma once

#include "nn-resources.h"

G_BEGIN_DECLS

typedef enum { NN_FAMILY_7_SERIES, NN_FAMILY_ULTRASCALE, NN_FAMILY_ULTRASCALE_PLUS, NN_FAMILY_VERSAL,
               NN_FAMILY_ARRIA10, NN_FAMILY_STRATIX10, NN_FAMILY_AGILEX, NN_FAMILY_POLARFIRE, NN_FAMILY_LATTICE, NN_FAMILY_ASIC,
               NN_FAMILY_OTHER } NnFamily;

/* Operand widths of a hardware multiplier: (a, b), signed. 25x18 DSP48E1, 27x18 DSP48E2, 27x24 DSP58, 18x19 or 27x27 Intel. */
typedef struct {
  const char *name;      /* full part name, lower case: "xcvu13p-flga2577-2-e" */
  const char *title;     /* for people: "Virtex UltraScale+ VU13P" */
  NnFamily    family;
  NnResources total;     /* negative where not confirmed */
  int         mult_a, mult_b;
  const char *source;    /* where the figures are from */
} NnPart;

/* The catalogue: shipped parts (a resource) and the user's own. All (transfer none), alive for the process. */
const NnPart *const *nn_parts          (guint       *n);
const NnPart        *nn_part_find      (const char  *name,  /* exact, or a unique prefix */
                                        GError     **error);
gboolean             nn_parts_add_file (const char  *path,  /* JSON of the user's own parts */
                                        GError     **error);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FPGA parts and what they have. */

#pragma once

#include "nn-resources.h"

G_BEGIN_DECLS

typedef enum { NN_FAMILY_7_SERIES, NN_FAMILY_ULTRASCALE, NN_FAMILY_ULTRASCALE_PLUS, NN_FAMILY_VERSAL,
               NN_FAMILY_ARRIA10, NN_FAMILY_STRATIX10, NN_FAMILY_AGILEX, NN_FAMILY_POLARFIRE, NN_FAMILY_LATTICE, NN_FAMILY_ASIC,
               NN_FAMILY_OTHER, NN_N_FAMILIES } NnFamily;

/**
 * NnPart:
 * @name: full part name, lower case: "xcvu13p-flga2577-2-e"; a device ("xcvu13p") where all its packages are alike inside
 * @title: for people: "Virtex UltraScale+ VU13P"
 * @family: which decides multipliers, memories and speed
 * @total: what it has; negative where not confirmed. BRAM in 18 Kb halves, or blocks of @ram_kbit
 * @ram_kbit: size of a memory block: 18 (AMD), 20 (Intel M20K, PolarFire LSRAM)
 * @mult_a: wider operand of its multiplier, signed: 25x18 DSP48E1, 27x18 DSP48E2, 27x24 DSP58, 27x27 Intel, 18x18 PolarFire
 * @mult_b: narrower operand
 * @source: where the figures are from
 * @area_mult_bit2: µm² of a multiplier for each bit of one operand times each of the other; 0 where it is no ASIC
 * @area_add_bit: µm² of an adder's bit
 * @area_register_bit: µm² of a flip-flop
 * @area_rom_bit: µm² of a bit of a memory
 */
typedef struct {
  const char *name;
  const char *title;
  NnFamily    family;
  NnResources total;
  double      ram_kbit;
  int         mult_a, mult_b;
  const char *source;
  double      area_mult_bit2, area_add_bit, area_register_bit, area_rom_bit;
} NnPart;

/* The catalogue: shipped parts and the user's own. All (transfer none), alive for the process, sorted by name. */
const NnPart *const *nn_parts            (guint       *n);
const NnPart        *nn_part_find        (const char  *name,  /* exact, a full name of a device, or a unique prefix */
                                          GError     **error);
gboolean             nn_parts_add_file   (const char  *path,  /* JSON of the user's own parts */
                                          GError     **error);
/* One of the user's own, from a dialog; it replaces one of the same name. */
gboolean             nn_parts_add        (const NnPart *part,
                                          GError     **error);
/* JSON for nn_parts_add_file() of all parts that were added. */
char                *nn_parts_own_to_json (void) G_GNUC_MALLOC;
/* Takes one of the user's own back; where it stood in the place of a shipped one, that is there again. FALSE if there is
 * none of this name. */
gboolean             nn_parts_remove     (const char  *name);
/* Whether a part is one of the user's own. */
gboolean             nn_part_is_own      (const NnPart *part);
/* Where the user's own parts are kept: <data folder>/espalier/parts.json. (transfer full) */
char                *nn_parts_own_path   (void) G_GNUC_MALLOC;
/* Reads that file; none is no error. */
gboolean             nn_parts_load_own   (GError     **error);
gboolean             nn_parts_save_own   (GError     **error);
/* The family's multiplier and memory block. */
void                 nn_part_set_family  (NnPart       *part,
                                          NnFamily      family);
const char          *nn_family_name      (NnFamily     family);
gboolean             nn_family_find      (const char  *name,
                                          NnFamily    *family);

G_END_DECLS

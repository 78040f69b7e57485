/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What hardware costs: one small value, made by the estimator and by the report reader alike. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  NN_RESOURCE_DSP,
  NN_RESOURCE_BRAM, /* in 18 Kb halves everywhere inside; a tile of 36 Kb is two */
  NN_RESOURCE_LUT,
  NN_RESOURCE_FF,
  NN_RESOURCE_URAM,
  NN_N_RESOURCES
} NnResource;

typedef struct {
  double amount[NN_N_RESOURCES]; /* negative where unknown */
} NnResources;

const char *nn_resource_name    (NnResource         resource);
gboolean    nn_resource_find    (const char        *name,
                                 NnResource        *resource);
NnResources nn_resources_add    (NnResources        a,
                                 NnResources        b);
NnResources nn_resources_scale  (NnResources        a,
                                 double             factor);
gboolean    nn_resources_fit    (const NnResources *need,
                                 const NnResources *have);

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of a configuration, for its reader and its writer. */

#pragma once

#include "nn-config.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

struct _NnConfig {
  gatomicrefcount ref_count;
  NnBackend       backend;
  NnIoType        io_type;
  NnGranularity   granularity;
  char           *part;
  char           *project;
  double          clock_ns;
  double          uncertainty; /* negative: the backend's default */
  NnLayerConfig  *model;
  GHashTable     *types;       /* class name → NnLayerConfig */
  GHashTable     *layers;      /* layer name → NnLayerConfig */
  GHashTable     *project_extra; /* other top-level keys → JSON text, written back as they came */
};

NnLayerConfig *nn_layer_config_new  (void);
void           nn_layer_config_free (NnLayerConfig *config);
GPtrArray     *nn_config_sorted     (GHashTable    *table); /* keys, borrowed */

/* YAML as the same tree that a JSON parser makes. Anchors and tags are read over. */
JsonNode      *nn_yaml_parse        (const char    *text,
                                     GError       **error);
char          *nn_yaml_generate     (JsonNode      *root);
JsonNode      *nn_config_tree       (const NnConfig *config);

extern const char *const nn_config_top_keys[];
extern const char *const nn_config_layer_keys[];

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's settings for hardware, in hls4ml's own key words: read, written, looked up. */

#pragma once

#include "nn-model.h"

G_BEGIN_DECLS

typedef enum { NN_BACKEND_VITIS, NN_BACKEND_VIVADO, NN_BACKEND_ONEAPI, NN_BACKEND_QUARTUS, NN_BACKEND_CATAPULT, NN_N_BACKENDS } NnBackend;
typedef enum { NN_IO_PARALLEL, NN_IO_STREAM } NnIoType;
/* RESOURCE_UNROLLED is the pruned Resource kernel: one statement for each weight that is left. */
typedef enum { NN_STRATEGY_UNSET, NN_STRATEGY_LATENCY, NN_STRATEGY_RESOURCE, NN_STRATEGY_RESOURCE_UNROLLED,
               NN_STRATEGY_DISTRIBUTED_ARITHMETIC, NN_STRATEGY_COMPRESSED } NnStrategy;
typedef enum { NN_SOFTMAX_UNSET, NN_SOFTMAX_STABLE, NN_SOFTMAX_LATENCY, NN_SOFTMAX_LEGACY, NN_SOFTMAX_ARGMAX } NnSoftmax;
typedef enum { NN_GRANULARITY_MODEL, NN_GRANULARITY_TYPE, NN_GRANULARITY_NAME } NnGranularity;

/**
 * NnLayerConfig: settings of the whole model, of a class of layers or of one layer.
 * @precision: (element-type utf8 NnType): by variable: `default`, `weight`, `bias`, `result`, `accum`, `table`,
 *   `exp_table`, `inv_table`, `inv_inp`, `scale`, `maximum`, ...
 * @reuse_factor: 0 where not set
 * @extra: (element-type utf8 utf8): every other key, as text
 */
typedef struct {
  GHashTable *precision;
  guint       reuse_factor;
  guint       recurrent_reuse_factor;
  guint       parallelization_factor;
  guint       table_size;
  guint       target_cycles;
  NnStrategy  strategy;
  NnSoftmax   softmax;
  gint        trace;   /* -1 where not set */
  gint        skip;    /* -1 where not set */
  GHashTable *extra;
} NnLayerConfig;

typedef struct _NnConfig NnConfig;

#define NN_TYPE_CONFIG (nn_config_get_type ())
GType nn_config_get_type (void);

NnConfig      *nn_config_new        (void); /* hls4ml's defaults for Vitis: fixed<16,6>, RF 1, Latency, io_parallel */
NnConfig      *nn_config_load       (const char      *path,
                                     GError         **error) G_GNUC_WARN_UNUSED_RESULT;
NnConfig      *nn_config_parse      (const char      *text, /* JSON or YAML */
                                     GError         **error) G_GNUC_WARN_UNUSED_RESULT;
char          *nn_config_to_json    (const NnConfig  *config) G_GNUC_MALLOC;
char          *nn_config_to_yaml    (const NnConfig  *config) G_GNUC_MALLOC;
NnConfig      *nn_config_ref        (NnConfig        *config);
void           nn_config_unref      (NnConfig        *config);
NnConfig      *nn_config_copy       (const NnConfig  *config); /* to be changed, then shared */

/* Names of layers and classes that the network does not have are errors with the nearest one that it has. */
gboolean       nn_config_check      (const NnConfig  *config,
                                     const NnModel   *model,
                                     GError         **error) G_GNUC_WARN_UNUSED_RESULT;

NnBackend      nn_config_backend    (const NnConfig  *config);
NnIoType       nn_config_io_type    (const NnConfig  *config);
NnGranularity  nn_config_granularity (const NnConfig *config);
const char    *nn_config_part       (const NnConfig  *config);
double         nn_config_clock_ns   (const NnConfig  *config);
double         nn_config_uncertainty (const NnConfig *config); /* fraction of the clock */
const char    *nn_config_project    (const NnConfig  *config);
void           nn_config_set_backend     (NnConfig *config, NnBackend backend);
void           nn_config_set_io_type     (NnConfig *config, NnIoType io_type);
void           nn_config_set_granularity (NnConfig *config, NnGranularity granularity);
void           nn_config_set_part        (NnConfig *config, const char *part);
void           nn_config_set_clock_ns    (NnConfig *config, double ns);
void           nn_config_set_uncertainty (NnConfig *config, double fraction);
void           nn_config_set_project     (NnConfig *config, const char *name);
/* A key of the top level that has no setter of its own; NULL takes it away. */
void           nn_config_set_setting     (NnConfig *config, const char *key, const char *value);
/* A key of all layers ("PipelineStyle", ...); NULL takes it away. */
void           nn_config_set_extra       (NnConfig *config, const char *key, const char *value);

/* The settings themselves; (transfer none), made on demand so that they can be changed before the config is shared. */
NnLayerConfig *nn_config_model      (const NnConfig  *config);
NnLayerConfig *nn_config_type       (NnConfig        *config,
                                     const char      *class_name);
NnLayerConfig *nn_config_layer      (NnConfig        *config,
                                     const char      *layer);

/* Looking up: layer, then class, then model; a missing precision is %NN_TYPE_AUTO with granularity `name`, the model's default otherwise. */
NnType         nn_config_precision  (const NnConfig  *config,
                                     const char      *layer,
                                     const char      *class_name,
                                     const char      *variable);
gboolean       nn_config_has_precision (const NnConfig *config,
                                     const char      *layer,
                                     const char      *class_name,
                                     const char      *variable,
                                     NnType          *type);
guint          nn_config_reuse      (const NnConfig  *config,
                                     const char      *layer,
                                     const char      *class_name);
NnStrategy     nn_config_strategy   (const NnConfig  *config,
                                     const char      *layer,
                                     const char      *class_name);
const char    *nn_config_extra      (const NnConfig  *config,
                                     const char      *layer,
                                     const char      *class_name,
                                     const char      *key);

/* Any other key of the top level, as text. (transfer full) (nullable) */
char          *nn_config_setting    (const NnConfig  *config,
                                     const char      *key);

/* Graph passes that are left out, hls4ml's `SkipOptimizers`: a pass's name, or hls4ml's for it. (transfer full) */
char         **nn_config_skipped_passes (const NnConfig *config);
void           nn_config_skip_passes (NnConfig      *config,
                                     const char *const *names);

const char    *nn_backend_name      (NnBackend        backend);
gboolean       nn_backend_find      (const char      *name,
                                     NnBackend       *backend);
const char    *nn_strategy_name     (NnStrategy       strategy); /* "Latency", "Resource", ... */
gboolean       nn_strategy_find     (const char      *name,      /* any case, with or without _ */
                                     NnStrategy      *strategy,
                                     GError         **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnConfig, nn_config_unref)

G_END_DECLS

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a project is written: one pass over the lowered graph, one writer a layer, one table a backend. */

#pragma once

#include "hls-project.h"
#include "nn-fixed-exec.h"

G_BEGIN_DECLS

typedef struct _HlsEmit HlsEmit;

/**
 * HlsLayer: one node of the lowered graph on its way out.
 * @number: its own, as in `layer3_out`, `config3`, `w3`
 * @alias: (nullable): the layer whose array or stream this one only renames
 * @label: its name as it may stand in a comment
 * @value: variable that holds its output
 * @type: C++ type of one element
 * @packet: elements of one packet of its stream
 * @kernel: (nullable): what was chosen for its multiplications, and why: for people
 * @n_multipliers: those it has at work at once, 0 where it does not multiply by weights
 * @n_dropped: those it would have without pruning, besides
 */
typedef struct {
  guint              number;
  const NnNode      *node;
  const NnLayerPlan *plan;
  gsize              count;
  guint              alias;
  char              *label;
  char              *class_label;
  char              *value;
  char              *type;
  guint              packet;
  guint              n_readers;
  guint              next_reader;
  char              *kernel;
  gsize              n_multipliers;
  gsize              n_dropped;
} HlsLayer;

/**
 * HlsBackend: what one tool wants otherwise than the others.
 * @name: for people
 * @key: on the command line
 * @header: of the runtime: `backend/amd.h` or `backend/algorithmic.h`
 * @tool: the part of it that is the tool's own
 * @standard: of C++ that the tool reads
 * @simulation: (array zero-terminated): runtime files that stand in for the vendor's headers
 * @type: C++ name of a number type
 * @directives: (array zero-terminated): what may stand in a pragma
 * @by_hand: how the tool is started without Espalier, for the README
 * @scripts: every file that drives the tool
 */
typedef struct {
  NnBackend          backend;
  const char        *name;
  const char        *key;
  const char        *header;
  const char        *tool;
  const char        *standard;
  const char *const *simulation;
  char            *(*type) (const NnType *type);
  void             (*scripts) (HlsEmit *emit);
  const char *const *directives;
  const char        *by_hand;
} HlsBackend;

typedef enum { HLS_INTERFACE_NONE, HLS_INTERFACE_AXI_STREAM, HLS_INTERFACE_AXI_LITE, HLS_INTERFACE_AXI_MASTER } HlsInterface;

struct _HlsEmit {
  HlsProject       *project;
  const NnDesign   *design;
  const NnModel    *model;
  const NnGraph    *graph;
  const HlsBackend *backend;
  gboolean          stream;
  gboolean          dataflow;
  gboolean          split;     /* a variable may be read once only: streams, and arrays between layers side by side */
  guint             interval;  /* cycles between two samples, where the layers are one pipeline */
  HlsInterface      interface;
  gboolean          axi_ports; /* the channels of the top function are AXI4-Streams by the tool's own library */
  char             *name;    /* of the project and of the top function */
  HlsLayer         *layers;
  guint             n_layers;
  GString          *types;     /* defines.h */
  GString          *configs;   /* parameters.h */
  GString          *includes;  /* of the weights, in parameters.h */
  GString          *calls;     /* body of the top function */
  GString          *blocks;    /* functions before it, for tools that want each layer as one */
  GString          *generated; /* adder graphs */
  GPtrArray        *notes;     /* for the README, and warnings */
  GString          *memories;  /* directives for tools that take them apart from the source */
};

const HlsBackend *hls_backend          (NnBackend         backend);
void              hls_project_add      (HlsProject       *project,
                                        const char       *path,
                                        GString          *text); /* (transfer full) */
void              hls_project_add_runtime (HlsProject    *project,
                                        const char       *path,
                                        const char       *resource);
char             *hls_runtime_text     (const char       *resource) G_GNUC_MALLOC;
void              hls_project_warn     (HlsProject       *project,
                                        const char       *text);

/* Types. */
gboolean          hls_type_check       (const NnType     *type,
                                        const char       *layer,
                                        const char       *what,
                                        GError          **error);
char             *hls_type_ap          (const NnType     *type) G_GNUC_MALLOC;
char             *hls_type_ac          (const NnType     *type) G_GNUC_MALLOC;
/* Writes `typedef TYPE layerN_SUFFIX;` */
gboolean          hls_emit_typedef     (HlsEmit          *emit,
                                        const HlsLayer   *layer,
                                        const char       *suffix,
                                        const NnType     *type,
                                        GError          **error);

/* Weights. */
gboolean          hls_emit_values      (HlsEmit          *emit,
                                        const HlsLayer   *layer,
                                        const char       *name,
                                        const char       *suffix,
                                        const char       *comment,
                                        const NnType     *type,
                                        const gint64     *raw,
                                        gsize             n,
                                        GError          **error);
void              hls_emit_indices     (HlsEmit          *emit,
                                        const char       *name,
                                        const char       *comment,
                                        const guint32    *values,
                                        gsize             n);
const gint64     *hls_emit_raw         (const HlsEmit    *emit,
                                        const HlsLayer   *layer,
                                        NnRole            role,
                                        gsize            *n);

/**
 * HlsMatrix: a matrix of weights on its way to a kernel.
 * @prefix: "" or "recurrent_", of its types and arrays
 * @bias: (nullable): zeros where there is none
 * @kept: bits behind the point that products with powers of two keep; 0 where they keep all
 */
typedef struct {
  const char   *prefix;
  const gint64 *raw;       /* (n_in, n_out) */
  const gint64 *bias;
  const NnType *input_type, *weight_type, *bias_type, *accum_type;
  guint         n_in, n_out, reuse_factor;
  int           kept;
} HlsMatrix;

gboolean          hls_emit_matrix      (HlsEmit          *emit,
                                        HlsLayer         *layer,
                                        const HlsMatrix  *matrix,
                                        const char       *config,
                                        GError          **error);
gsize             hls_emit_adders      (HlsEmit          *emit,
                                        const HlsLayer   *layer,
                                        const HlsMatrix  *matrix,
                                        const char       *config);
gboolean          hls_emit_layer       (HlsEmit          *emit,
                                        HlsLayer         *layer,
                                        GError          **error);
char             *hls_emit_input       (HlsEmit          *emit,
                                        const HlsLayer   *layer,
                                        guint             k) G_GNUC_MALLOC;
const HlsLayer   *hls_emit_source      (const HlsEmit    *emit,
                                        guint             node);
char             *hls_emit_stream_type (const HlsEmit    *emit,
                                        const HlsLayer   *layer) G_GNUC_MALLOC;
void              hls_emit_style       (HlsEmit          *emit);
gboolean          hls_emit_firmware    (HlsEmit          *emit,
                                        GError          **error);
void              hls_emit_test_bench  (HlsEmit          *emit,
                                        const HlsVectors *vectors);
/* Directives that the tool does not know. */
void              hls_lint_text        (const char       *path,
                                        const char       *text,
                                        const char *const *known,
                                        GPtrArray        *findings);
void              hls_lint_project     (HlsEmit          *emit);

/**
 * HlsPort: an argument of the top function.
 * @name: of the argument: the layer's variable, or of its copy for outside
 */
typedef struct {
  const HlsLayer *layer;
  char           *name;
  gboolean        input;
} HlsPort;

const char       *hls_emit_port_suffix (const HlsEmit    *emit,
                                        const HlsLayer   *source);
void              hls_emit_append_call (const HlsEmit    *emit,
                                        const char       *open,
                                        const char       *close,
                                        GString          *text);
/* Whether the ports are members of the structs `input_data` and `output_data`. */
gboolean        hls_emit_in_structs  (const HlsEmit    *emit);
GArray           *hls_emit_ports       (const HlsEmit    *emit);
void              hls_emit_ports_free  (GArray           *list);
gsize             hls_emit_ports_count (const GArray     *list,
                                        gboolean          input);

/* AXI wrappers, and what runs them. */
/* Whether the wrapper has streams of words as ports. */
gboolean          hls_emit_axi_streams (const HlsEmit    *emit);
gboolean          hls_interface_choose (HlsEmit          *emit,
                                        GError          **error);
void              hls_interface_write  (HlsEmit          *emit);
void              hls_interface_test   (const HlsEmit    *emit,
                                        GString          *text);
void              hls_interface_write_host (HlsEmit      *emit,
                                        const GArray     *list);
void              hls_emit_readme      (HlsEmit          *emit);

G_END_DECLS

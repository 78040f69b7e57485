/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An HLS project as a set of files in memory; the disk is touched once, at the end. */

#pragma once

#include "hls-error.h"
#include "nn-design.h"

G_BEGIN_DECLS

/* The file that says that a folder is a project of ours, and which kernels its layers have. */
#define HLS_PROJECT_MARKER "espalier-project.json"

typedef struct _HlsProject HlsProject;
#define HLS_TYPE_PROJECT (hls_project_get_type ())
GType hls_project_get_type (void);

/**
 * HlsVectors: test vectors for the test bench.
 * @inputs: (array): by input of the graph, (n, input shape)
 * @expected: (array): by output, (n, output shape): what the bit-accurate engine computed
 */
typedef struct {
  NnTensor *const *inputs;
  NnTensor *const *expected;
  gsize            n;
} HlsVectors;

HlsProject        *hls_project_new   (const NnDesign    *design,
                                      const HlsVectors  *vectors, /* (nullable): a few are made up */
                                      GError           **error) G_GNUC_WARN_UNUSED_RESULT;
HlsProject        *hls_project_ref   (HlsProject        *project);
void               hls_project_unref (HlsProject        *project);
/* Paths relative to the project's folder, sorted. (transfer none) (zero-terminated) */
const char *const *hls_project_files (const HlsProject  *project);
const char        *hls_project_bytes (const HlsProject  *project,
                                      const char        *path,
                                      gsize             *n);
/* What the user should know: kernels replaced, savings that a setting loses. (transfer none) (zero-terminated) */
const char *const *hls_project_warnings (const HlsProject *project);
gboolean           hls_project_write (const HlsProject  *project,
                                      const char        *folder,
                                      GError           **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsProject, hls_project_unref)

G_END_DECLS

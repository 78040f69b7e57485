/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Directives against what each tool and version knows: what is right passes, what is misspelt or of another tool does not. */

#include "hls-backend.h"

#include <glib.h>

typedef struct {
  NnBackend   backend;
  const char *line, *fault; /* fault: %NULL where the line is right */
} Case;

static const Case cases[] = {
  { NN_BACKEND_VITIS, "#pragma HLS PIPELINE II = 1 rewind", NULL },
  { NN_BACKEND_VITIS, "#pragma HLS PIPELINE II=4 style=frp", NULL },
  { NN_BACKEND_VITIS, "#pragma HLS PIPELINE II=4 style=fast", "style = fast" },
  { NN_BACKEND_VITIS, "#pragma HLS PIPELINE II=1 enable_flush", "enable_flush" },
  { NN_BACKEND_VITIS, "#pragma HLS PIPELIN II=1", "PIPELIN" },
  { NN_BACKEND_VITIS, "NNET_PRAGMA(HLS BIND_STORAGE variable = array_ type = ROM_NP impl = BRAM)", NULL },
  { NN_BACKEND_VITIS, "NNET_PRAGMA(HLS BIND_STORAGE variable = array_ type = ROM_XP impl = BRAM)", "type = ROM_XP" },
  { NN_BACKEND_VITIS, "NNET_PRAGMA(HLS RESOURCE variable = array_ core = ROM_nP_BRAM)", "RESOURCE" },
  { NN_BACKEND_VITIS, "NNET_PRAGMA(HLS DATA_PACK variable = type_)", "DATA_PACK" },
  { NN_BACKEND_VITIS, "NNET_PRAGMA(HLS STREAM variable = stream_ depth)", "depth" },
  { NN_BACKEND_VITIS, "  NNET_PRAGMA(HLS UNROLL factr = 2)", "factr = 2" },
  { NN_BACKEND_VITIS, "// NNET_PRAGMA(HLS NOTHING) in a comment", NULL },
  { NN_BACKEND_VIVADO, "NNET_PRAGMA(HLS RESOURCE variable = array_ core = ROM_nP_BRAM)", NULL },
  { NN_BACKEND_VIVADO, "NNET_PRAGMA(HLS RESOURCE variable = array_ core = ROM_9P)", "core = ROM_9P" },
  { NN_BACKEND_VIVADO, "NNET_PRAGMA(HLS AGGREGATE variable = type_)", "AGGREGATE" },
  { NN_BACKEND_VIVADO, "#pragma HLS ARRAY_PARTITION variable=a type=complete", "type = complete" },
  { NN_BACKEND_VIVADO, "#pragma HLS PIPELINE II=1 style=frp", "style = frp" },
  { NN_BACKEND_VIVADO, "#pragma HLS INTERFACE s_axilite port=return bundle=control", NULL },
  { NN_BACKEND_ONEAPI, "[[intel::initiation_interval(1)]] for (;;) {", NULL },
  { NN_BACKEND_ONEAPI, "[[intel::initiation_intervals(1)]] for (;;) {", "intel::initiation_intervals" },
  { NN_BACKEND_ONEAPI, "[[intel::fpga_registers]] int x;", "intel::fpga_registers" },
  { NN_BACKEND_ONEAPI, "#pragma unroll", NULL },
  { NN_BACKEND_ONEAPI, "#pragma ii 1", "ii" },
  { NN_BACKEND_ONEAPI, "#include <sycl/ext/intel/fpga_extensions.hpp>", NULL },
  { NN_BACKEND_QUARTUS, "#pragma ii 1", NULL },
  { NN_BACKEND_QUARTUS, "#pragma unroll 4", NULL },
  { NN_BACKEND_QUARTUS, "hls_max_concurrency(0) hls_component_ii(ii_) component", NULL },
  { NN_BACKEND_QUARTUS, "hls_max_concurency(0) component", "hls_max_concurency" },
  { NN_BACKEND_QUARTUS, "[[intel::initiation_interval(1)]]", "intel::initiation_interval" },
  { NN_BACKEND_CATAPULT, "#pragma hls_unroll yes", NULL },
  { NN_BACKEND_CATAPULT, "#pragma hls_unroll maybe", "maybe" },
  { NN_BACKEND_CATAPULT, "#pragma hls_design top", NULL },
  { NN_BACKEND_CATAPULT, "#pragma hls_pipeline_init_interval 1", NULL },
  { NN_BACKEND_CATAPULT, "#pragma unroll", "unroll" },
};

static void
test_lines (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) findings = g_ptr_array_new_with_free_func (g_free);
      g_autofree char *quoted = g_strdup_printf ("does not know \"%s\"", cases[i].fault);

      hls_lint_text ("a.h", cases[i].line, hls_backend (cases[i].backend)->directives, findings);
      g_test_message ("%s: %s", cases[i].line, findings->len > 0 ? (char *) findings->pdata[0] : "right");
      g_assert_cmpuint (findings->len, ==, cases[i].fault != NULL);
      if (cases[i].fault != NULL)
        {
          g_assert_true (g_str_has_prefix (findings->pdata[0], "a.h: "));
          g_assert_nonnull (strstr (findings->pdata[0], quoted));
        }
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lint/lines", test_lines);
  return g_test_run ();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of backends, and the files that all of them have: README, marker, library script, configuration. */

#include "hls-backend.h"

#include "hls-project-private.h"
#include "hls-runtime-resource.h"
#include "nn-text.h"

#include <json-glib/json-glib.h>

static const HlsBackend *const backends[NN_N_BACKENDS] = {
  [NN_BACKEND_VITIS] = &hls_backend_vitis,
  [NN_BACKEND_VIVADO] = &hls_backend_vivado,
  [NN_BACKEND_ONEAPI] = &hls_backend_oneapi,
  [NN_BACKEND_QUARTUS] = &hls_backend_quartus,
  [NN_BACKEND_CATAPULT] = &hls_backend_catapult,
};

const HlsBackend *
hls_backend (NnBackend backend)
{
  g_assert (backend < NN_N_BACKENDS);
  return backends[backend];
}

/* A file of the runtime, which is part of the library. */
char *
hls_runtime_text (const char *resource)
{
  g_autofree char *path = g_strdup_printf ("/org/espalier/runtime/%s", resource);
  g_autoptr (GBytes) bytes = g_resource_lookup_data (hls_runtime_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_assert (bytes != NULL);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

void
hls_project_add_runtime (HlsProject *project,
                         const char *path,
                         const char *resource)
{
  g_autofree char *text = hls_runtime_text (resource);

  hls_project_add (project, path, g_string_new (text));
}

static void
write_marker (HlsEmit *emit)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  const NnConfig *config = nn_design_config (emit->design);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "espalier-project");
  json_builder_add_int_value (json, 1);
  json_builder_set_member_name (json, "name");
  json_builder_add_string_value (json, emit->name);
  json_builder_set_member_name (json, "backend");
  json_builder_add_string_value (json, emit->backend->key);
  json_builder_set_member_name (json, "io_type");
  json_builder_add_string_value (json, emit->stream ? "io_stream" : "io_parallel");
  json_builder_set_member_name (json, "wrapper");
  json_builder_add_boolean_value (json, emit->interface != HLS_INTERFACE_NONE);
  json_builder_set_member_name (json, "part");
  json_builder_add_string_value (json, nn_config_part (config));
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (guint i = 0; i < emit->n_layers; i++)
    if (emit->layers[i].kernel != NULL)
      {
        json_builder_begin_object (json);
        json_builder_set_member_name (json, "name");
        json_builder_add_string_value (json, emit->layers[i].node->name);
        json_builder_set_member_name (json, "kernel");
        json_builder_add_string_value (json, emit->layers[i].kernel);
        json_builder_set_member_name (json, "multipliers");
        json_builder_add_int_value (json, (gint64) emit->layers[i].n_multipliers);
        json_builder_set_member_name (json, "removed");
        json_builder_add_int_value (json, (gint64) emit->layers[i].n_dropped);
        json_builder_end_object (json);
      }
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  hls_project_add (emit->project, HLS_PROJECT_MARKER, g_string_new (text));
}

static void
write_library_script (HlsEmit *emit)
{
  GString *text = g_string_new ("#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"
                                "# Compiles the test bench with an ordinary compiler and the headers in firmware/ap_types, and runs it;\n"
                                "# with the word lib makes a library of the network for C or Python instead.\n"
                                "set -e\ncd \"$(dirname \"$0\")\"\n");

  g_string_append_printf (text,
                          "flags=\"-std=%s -O1 -Wall -Wextra -I firmware/ap_types -I firmware -I firmware/nnet_utils\"\n"
                          "if [ \"$1\" = lib ]; then\n"
                          "    ${CXX:-g++} $flags -fPIC -shared %s_bridge.cpp firmware/%s.cpp -o firmware/%s.so\n"
                          "    exit\nfi\n"
                          "ulimit -s \"$(ulimit -H -s)\" # whole tensors are on the stack\n"
                          "${CXX:-g++} $flags %s_test.cpp firmware/%s*.cpp -o %s_csim\n./%s_csim\n",
                          emit->backend->standard, emit->name, emit->name, emit->name, emit->name, emit->name, emit->name, emit->name);
  hls_project_add (emit->project, "build_lib.sh", text);
}

/* @type: nothing where the layer has no such number */
static char *
type_of (const HlsLayer *layer,
         const NnType   *type)
{
  return layer->kernel != NULL && type->width > 0 ? nn_type_to_string (type) : g_strdup ("");
}

static void
describe_layers (const HlsEmit *emit,
                 GString       *text)
{
  g_string_append (text, "| layer | class | output | type | weights | accumulator | reuse factor | kernel |\n|---|---|---|---|---|---|---|---|\n");
  for (guint i = 0; i < emit->n_layers; i++)
    {
      const HlsLayer *layer = &emit->layers[i];
      g_autofree char *shape = nn_shape_to_string (&layer->node->shape);
      g_autofree char *type = nn_type_to_string (&layer->plan->result), *weight = type_of (layer, &layer->plan->weight);
      g_autofree char *accum = type_of (layer, &layer->plan->accum);
      g_autofree char *reuse = layer->kernel != NULL && layer->plan->n_in > 0 ? g_strdup_printf ("%u", layer->plan->reuse_factor) : g_strdup ("");

      g_string_append_printf (text, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", layer->label, layer->class_label, shape, type,
                              weight, accum, reuse, layer->kernel != NULL ? layer->kernel : "");
    }
}

/* Where things are, and how to do by hand what Espalier does. */
static void
describe_files (const HlsEmit *emit,
                GString       *text)
{
  g_string_append_printf (text,
                          "\n## Files\n\n"
                          "- `firmware/%s.cpp`: the network, one call a layer; `firmware/defines.h`: its number types; `firmware/parameters.h`: what each layer is told\n"
                          "- `firmware/weights`: numbers, packed as the kernels read them; `firmware/nnet_utils`: the kernels, and in `nnet_backend.h` what is this tool's own\n"
                          "- `tb_data`: inputs and expected outputs of the test bench, a vector a line\n"
                          "- `hls4ml_config.yml`: the configuration; `espalier-project.json`: what Espalier knows the project by\n\n"
                          "## By hand\n\n%s",
                          emit->name, emit->backend->by_hand);
}

/* Everything that goes with a project of any backend. */
void
hls_emit_readme (HlsEmit *emit)
{
  const NnConfig *config = nn_design_config (emit->design);
  g_autofree char *clock = nn_text_from_double (nn_config_clock_ns (config));
  GString *text = g_string_new ("<!-- SPDX-License-Identifier: Apache-2.0 -->\n");
  g_autofree char *yaml = nn_config_to_yaml (config);

  g_string_append_printf (text,
                          "# %s\n\nAn HLS project for %s, written by Espalier. Part %s, clock %s ns, %s.\n\n"
                          "- `espalier-cli build . --csim` simulates it with an ordinary C++ compiler, without a vendor's tool; so does `sh build_lib.sh`.\n"
                          "- `espalier-cli build . --synth` runs the vendor's tool and reads its reports.\n"
                          "- The test bench `%s_test.cpp` compares every output with `tb_data`, bit by bit.\n"
                          "- `sh build_lib.sh lib` makes `firmware/%s.so`, which C or Python calls (`%s_float`, `%s_double`, a sample a call).\n\n"
                          "`firmware/ap_types` stands in for the vendor's headers in simulation only and is on no include path of the vendor's tool.\n\n"
                          "## Layers\n\n",
                          emit->name, emit->backend->name, nn_config_part (config), clock,
                          emit->stream ? "io_stream" : "io_parallel", emit->name, emit->name, emit->name, emit->name);
  describe_layers (emit, text);
  describe_files (emit, text);
  if (emit->interface != HLS_INTERFACE_NONE)
    g_string_append_printf (text, "\n## System\n\nThe top function is `%s_axi`, which moves 32-bit floats. %s\n", emit->name,
                            emit->interface == HLS_INTERFACE_AXI_MASTER
                              ? "`make kernel PLATFORM=…` makes a Vitis kernel of it and `make host` the program `src/host.cpp`, which runs the vectors of `tb_data` on a card."
                              : "After the step `export`, `vivado -mode batch -source design.tcl` makes a board's system around it; `pynq_driver.py` runs that.");
  if (emit->axi_ports)
    g_string_append (text, "\n## System\n\nInputs and outputs are AXI4-Streams by Catapult's library `amba` (`directives.tcl`). A transfer is a packet: all channels of a position "
                           "side by side in TDATA, each a fixed-point number of its type (`firmware/defines.h`).\n");
  hls_project_add (emit->project, "README.md", text);
  hls_project_add (emit->project, "hls4ml_config.yml", g_string_new (yaml));
  write_library_script (emit);
  write_marker (emit);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the vendors' tools are called, and the phases that their logs tell of. */

#include "hls-tool-private.h"

#include <string.h>

/* Of the Makefiles of Intel's projects; an IP is what the reports' step leaves. */
static const struct {
  HlsStages   stage;
  const char *target;
} targets[] = {
  { HLS_STAGE_CSIM, "emulation" },
  { HLS_STAGE_SYNTH | HLS_STAGE_EXPORT, "report" },
  { HLS_STAGE_COSIM, "simulation" },
  { HLS_STAGE_VSYNTH, "hardware" },
};

/* Sources a settings script first, as the vendors' manuals tell users to. The command is kept aside, as a script would take it
 * for its own arguments. A script that was sourced before may end with another status than 0 (Intel's setvars.sh does): whether
 * the tool is there shows it better. */
static const char with_settings[] =
  "command=(\"$@\")\n"
  "set --\n"
  HLS_TOOL_SOURCE
  "exec \"${command[@]}\"\n";

char **
hls_tool_command (const char *tool,
                  const char *settings,
                  HlsStages   stages)
{
  g_autofree char *name = g_path_get_basename (tool);
  GPtrArray *words = g_ptr_array_new ();

  if (settings != NULL)
    {
      g_ptr_array_add (words, g_strdup ("bash"));
      g_ptr_array_add (words, g_strdup ("-c"));
      g_ptr_array_add (words, g_strdup (with_settings));
      g_ptr_array_add (words, g_canonicalize_filename (settings, NULL));
    }
  if (g_str_equal (name, "icpx") || g_str_equal (name, "i++"))
    {
      g_ptr_array_add (words, g_strdup ("make"));
      g_ptr_array_add (words, g_strdup_printf ("CXX=%s", tool));
      for (guint k = 0; k < G_N_ELEMENTS (targets); k++)
        if (stages & targets[k].stage)
          g_ptr_array_add (words, g_strdup (targets[k].target));
    }
  else if (g_str_equal (name, "vivado"))
    for (const char *const *word = (const char *const[]){ tool, "-mode", "batch", "-nojournal", "-source", "vivado_synth.tcl", NULL }; *word != NULL; word++)
      g_ptr_array_add (words, g_strdup (*word));
  else
    {
      g_ptr_array_add (words, g_strdup (tool));
      if (g_str_has_prefix (name, "vitis-run"))
        {
          g_ptr_array_add (words, g_strdup ("--mode"));
          g_ptr_array_add (words, g_strdup ("hls"));
          g_ptr_array_add (words, g_strdup ("--tcl"));
        }
      else if (g_str_has_prefix (name, "catapult"))
        {
          g_ptr_array_add (words, g_strdup ("-shell"));
          g_ptr_array_add (words, g_strdup ("-file"));
        }
      else
        g_ptr_array_add (words, g_strdup ("-f"));
      g_ptr_array_add (words, g_strdup ("build_prj.tcl"));
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

typedef struct {
  const char *pattern;
  const char *name;
  double      fraction; /* of the stage it belongs to: a guess that only orders them */
} Phase;

/* As printed by build_prj.tcl, Vitis and Vivado HLS, Vivado and Catapult. */
static const Phase phases[] = {
  { " waits on Slurm", "waiting for a machine", 0.01 },
  { " waits on HTCondor", "waiting for a machine", 0.01 },
  { "***** C SIMULATION *****", "C simulation", 0.05 },
  { "***** C/RTL SYNTHESIS *****", "C synthesis", 0.1 },
  { "Analyzing design file", "analysing the source", 0.12 },
  { "Starting code transformations", "transforming the code", 0.2 },
  { "Starting hardware synthesis", "scheduling", 0.4 },
  { "Starting scheduling", "scheduling", 0.45 },
  { "Generating all RTL models", "writing RTL", 0.7 },
  { "***** C/RTL SIMULATION *****", "co-simulation", 0.75 },
  { "***** EXPORT IP *****", "exporting", 0.85 },
  { "***** VIVADO SYNTHESIS *****", "logic synthesis", 0.87 },
  { "Starting RTL Elaboration", "logic synthesis: elaborating", 0.88 },
  { "Start Technology Mapping", "logic synthesis: mapping", 0.93 },
  { "Writing Synthesis Report", "logic synthesis: reports", 0.97 },
  { "# Run 'go assembly'", "assembly", 0.3 },
  { "# Run 'go architect'", "architecture", 0.5 },
  { "# Run 'go extract'", "writing RTL", 0.7 },
};

const char *
hls_tool_phase (const char *line,
                double     *fraction)
{
  for (guint k = 0; k < G_N_ELEMENTS (phases); k++)
    if (strstr (line, phases[k].pattern) != NULL)
      {
        *fraction = phases[k].fraction;
        return phases[k].name;
      }
  return NULL;
}

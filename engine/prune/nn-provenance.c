/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a table of figures is of: network, data, part, clock, stage, seeds, program. */

#include "nn-provenance.h"

#include "espalier-config.h"

#include "nn-text.h"

static void
append_seeds (GString            *text,
              const NnProvenance *p)
{
  for (guint i = 0; i < p->n_trails; i++)
    {
      g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
      g_auto (NnPruneOptions) options = { 0 };

      if (nn_prune_options_from_json (&options, nn_trail_options (p->trails[i]), hold, NULL))
        g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : p->n_trails > 1 ? "seeds: " : "seed: ", options.seed);
    }
  if (p->n_trails > 0)
    g_string_append_c (text, '\n');
}

static void
append_hardware (GString        *text,
                 const NnConfig *config)
{
  g_autofree char *clock = nn_text_from_double (nn_config_clock_ns (config));

  g_string_append_printf (text, "part: %s\nclock: %s ns\nbackend: %s, %s\n", nn_config_part (config) != NULL ? nn_config_part (config) : "not given",
                          clock, nn_backend_name (nn_config_backend (config)),
                          nn_config_io_type (config) == NN_IO_STREAM ? "io_stream" : "io_parallel");
}

/**
 * nn_provenance_text:
 *
 * Returns: (transfer full): lines of "what: which", the same wherever a table is written
 */
char *
nn_provenance_text (const NnProvenance *p)
{
  GString *text = g_string_new (NULL);
  const NnModelInfo *info = p->model != NULL ? nn_model_info (p->model) : NULL;

  if (info != NULL)
    g_string_append_printf (text, "network: %s (%s)\n", info->name != NULL ? info->name : "without a name", info->format);
  if (p->data_spec != NULL)
    g_string_append_printf (text, p->data_hash != NULL ? "data: %s (SHA-256 %s)\n" : "data: %s\n", p->data_spec, p->data_hash);
  if (p->config != NULL)
    append_hardware (text, p->config);
  g_string_append_printf (text, p->measured != NULL ? "stage: estimates before synthesis; measured: %s\n" : "stage: estimates before synthesis\n",
                          p->measured);
  append_seeds (text, p);
  g_string_append (text, "program: Espalier " ESPALIER_VERSION "\n");
  return g_string_free (text, FALSE);
}

/**
 * nn_provenance_csv:
 *
 * Returns: (transfer full): the same as comments, to go before a table's titles
 */
char *
nn_provenance_csv (const NnProvenance *p)
{
  g_autofree char *text = nn_provenance_text (p);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *csv = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      g_string_append_printf (csv, "# %s\n", lines[i]);
  return g_string_free (csv, FALSE);
}

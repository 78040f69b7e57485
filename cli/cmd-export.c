/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli export PROJECT.espalier: takes networks, configurations and figures out of a project. */

#include "cli-prune.h"

#include <glib/gstdio.h>
#include <math.h>

/* Shortest text of a number that a spreadsheet reads; nothing where there is none. */
static void
append_cell (GString *text,
             double   value)
{
  g_string_append_c (text, ',');
  if (isfinite (value))
    nn_text_append_double (text, value);
}

static char *
trail_to_csv (const NnProject *project,
              NnTrail         *trail)
{
  const NnProvenance of = { .model = nn_project_model (project), .config = nn_project_config (project), .trails = &trail, .n_trails = 1,
                            .data_spec = nn_project_data_spec (project), .data_hash = nn_project_data_hash (project) };
  g_autofree char *comment = nn_provenance_csv (&of);
  GString *text = g_string_new (comment);

  g_string_append (text, "step,kind,accepted,target,accuracy,loss,auc,dsp,bram_18k,lut,ff,uram,latency_cycles,bops,energy_nj,"
                                "groups,kept,status,value,bound,gap,seconds\n");

  for (guint i = 0; i < nn_trail_n_steps (trail); i++)
    {
      const NnStep *s = nn_trail_step (trail, i);
      const double cells[] = { s->target, s->accuracy, s->loss, s->auc, s->resources.amount[NN_RESOURCE_DSP],
                               s->resources.amount[NN_RESOURCE_BRAM], s->resources.amount[NN_RESOURCE_LUT],
                               s->resources.amount[NN_RESOURCE_FF], s->resources.amount[NN_RESOURCE_URAM], s->latency, s->bops,
                               s->energy, (double) s->n_groups, (double) s->n_kept };

      g_string_append_printf (text, "%u,%s,%d", s->index, nn_step_kind_name (s->kind), s->accepted);
      for (guint k = 0; k < G_N_ELEMENTS (cells); k++)
        append_cell (text, cells[k]);
      g_string_append_printf (text, ",%s", nn_knapsack_status_name (s->status));
      append_cell (text, s->value);
      append_cell (text, s->bound);
      append_cell (text, s->gap);
      append_cell (text, s->seconds);
      g_string_append_c (text, '\n');
    }
  return g_string_free (text, FALSE);
}

#define WIDTH 640
#define HEIGHT 400
#define MARGIN 60

/* Accuracy against a resource, one mark a step; accepted ones are full, the chosen one has a ring. */
static char *
trail_to_svg (const NnTrail *trail,
              NnResource     resource)
{
  GString *svg = g_string_new (NULL);
  double most = 1, low = INFINITY, high = -INFINITY;

  for (guint i = 0; i < nn_trail_n_steps (trail); i++)
    {
      const NnStep *s = nn_trail_step (trail, i);

      most = MAX (most, s->resources.amount[resource]);
      low = MIN (low, s->accuracy);
      high = MAX (high, s->accuracy);
    }
  if (!(high > low))
    high = low + 1e-3;
  g_string_append_printf (svg,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
                          "<title>Accuracy against %s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
                          "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"black\"/>\n",
                          WIDTH, HEIGHT, nn_resource_name (resource), MARGIN, MARGIN / 2, HEIGHT - MARGIN, WIDTH - MARGIN / 2);
  for (guint i = 0; i < nn_trail_n_steps (trail); i++)
    {
      const NnStep *s = nn_trail_step (trail, i);
      int x = MARGIN + (int) lround (s->resources.amount[resource] / most * (WIDTH - 1.5 * MARGIN));
      int y = HEIGHT - MARGIN - (int) lround ((s->accuracy - low) / (high - low) * (HEIGHT - 1.5 * MARGIN));

      if (i == nn_trail_chosen (trail))
        g_string_append_printf (svg, "<circle cx=\"%d\" cy=\"%d\" r=\"9\" fill=\"none\" stroke=\"#1a5fb4\"/>\n", x, y);
      g_string_append_printf (svg, "<circle cx=\"%d\" cy=\"%d\" r=\"5\" fill=\"%s\" stroke=\"#1a5fb4\"><title>step %u</title></circle>\n", x,
                              y, s->accepted ? "#1a5fb4" : "white", i);
    }
  for (guint tick = 0; tick <= 4; tick++)
    {
      g_string_append_printf (svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.0f</text>\n",
                              MARGIN + (int) (tick / 4.0 * (WIDTH - 1.5 * MARGIN)), HEIGHT - MARGIN + 18, most * tick / 4);
      g_string_append_printf (svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d.%04d</text>\n", MARGIN - 6,
                              HEIGHT - MARGIN - (int) (tick / 4.0 * (HEIGHT - 1.5 * MARGIN)),
                              (int) (low + (high - low) * tick / 4),
                              abs ((int) lround ((low + (high - low) * tick / 4 - (int) (low + (high - low) * tick / 4)) * 10000)));
    }
  g_string_append_printf (svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", WIDTH / 2, HEIGHT - 16, nn_resource_name (resource));
  g_string_append_printf (svg, "<text x=\"16\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 16 %d)\">accuracy</text>\n</svg>\n",
                          HEIGHT / 2, HEIGHT / 2);
  return g_string_free (svg, FALSE);
}

static gboolean
write_figures (const NnProject *project,
               const char      *folder,
               GError         **error)
{
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: it cannot be made", folder);
      return FALSE;
    }
  if (nn_project_n_trails (project) == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the project holds no run to be drawn");
      return FALSE;
    }
  for (guint t = 0; t < nn_project_n_trails (project); t++)
    {
      NnTrail *trail = nn_project_trail (project, t);
      g_autofree char *csv = trail_to_csv (project, trail), *csv_name = g_strdup_printf ("run-%u.csv", t + 1);
      g_autofree char *csv_path = g_build_filename (folder, csv_name, NULL);

      if (!g_file_set_contents (csv_path, csv, -1, error))
        return FALSE;
      for (NnResource r = NN_RESOURCE_DSP; r <= NN_RESOURCE_FF; r++)
        {
          g_autofree char *svg = trail_to_svg (trail, r), *name = g_strdup_printf ("run-%u-%s.svg", t + 1, nn_resource_name (r));
          g_autofree char *path = g_build_filename (folder, name, NULL);

          if (!g_file_set_contents (path, svg, -1, error))
            return FALSE;
        }
    }
  return TRUE;
}

/* The configuration with which what was pruned is realised: Resource becomes the kernel that leaves multipliers out. */
static gboolean
write_config (const NnProject *project,
              const char      *path,
              GError         **error)
{
  g_autoptr (NnConfig) config = nn_config_for_pruned (nn_project_config (project), nn_project_final (project), error);
  g_autofree char *text = NULL;

  if (config == NULL)
    return FALSE;
  text = g_str_has_suffix (path, ".yml") || g_str_has_suffix (path, ".yaml") ? nn_config_to_yaml (config)
                                                                                   : nn_config_to_json (config);
  return g_file_set_contents (path, text, -1, error);
}

/* A network's own file: written in another form. */
static int
convert (Cli        *cli,
         const char *path,
         const char *to)
{
  GError *error = NULL;
  g_autoptr (NnModel) model = cli_open_model (cli, path, NULL, NULL, &error);

  if (model == NULL || !nn_model_save (model, to, &error))
    return cli_fail (&cli_export, error);
  if (cli->json)
    {
      g_autoptr (JsonBuilder) json = json_builder_new ();

      json_builder_begin_object (json);
      cli_json_string (json, "model", to);
      json_builder_end_object (json);
      cli_print_json (json);
    }
  return CLI_DONE;
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_autofree char *model = NULL, *config = NULL, *figures = NULL;
  gint step = -1;
  gboolean reduce = FALSE;
  GOptionEntry entries[] = {
    { "model", 0, 0, G_OPTION_ARG_FILENAME, &model, "Write the chosen network, or the one of the file (.h5, .keras or .onnx)", "M.h5" },
    { "reduce", 0, 0, G_OPTION_ARG_NONE, &reduce, "Take dead neurons and filters out of it", NULL },
    { "step", 0, 0, G_OPTION_ARG_INT, &step, "Another step's network than the chosen one", "N" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &config, "Write the configuration (.json or .yml)", "C.json" },
    { "figures", 0, 0, G_OPTION_ARG_FILENAME, &figures, "Write the steps of every run as table and figures", "DIR" },
    { NULL },
  };
  g_autoptr (NnProject) project = NULL;
  g_autoptr (NnModel) reduced = NULL;
  const NnModel *chosen;
  gsize n_removed = 0;
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_export, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (model == NULL && config == NULL && figures == NULL)
    {
      g_printerr ("espalier-cli export: --model M.h5, --config C.json or --figures DIR is needed\n");
      return CLI_USAGE;
    }
  if (!g_str_has_suffix (argv[1], ".espalier") && config == NULL && figures == NULL && step < 0 && !reduce)
    return convert (cli, argv[1], model);
  project = nn_project_load (argv[1], &error);
  if (project == NULL)
    return cli_fail (&cli_export, error);
  chosen = nn_project_final (project);
  if (step >= 0)
    {
      const NnTrail *trail = nn_project_n_trails (project) > 0 ? nn_project_trail (project, nn_project_n_trails (project) - 1) : NULL;

      if (trail == NULL || (guint) step >= nn_trail_n_steps (trail))
        return cli_fail (&cli_export, g_error_new (NN_ERROR, NN_ERROR_FORMAT, "%s: there is no step %d", argv[1], step));
      chosen = nn_trail_step (trail, (guint) step)->model;
    }
  if (reduce && (reduced = nn_model_reduce (chosen, &n_removed, &error)) == NULL)
    return cli_fail (&cli_export, error);
  if (reduced != NULL)
    chosen = reduced;
  if ((model != NULL && !nn_model_save (chosen, model, &error)) || (config != NULL && !write_config (project, config, &error)) ||
      (figures != NULL && !write_figures (project, figures, &error)))
    return cli_fail (&cli_export, error);
  if (cli->json)
    {
      g_autoptr (JsonBuilder) json = json_builder_new ();

      json_builder_begin_object (json);
      cli_json_string (json, "model", model);
      cli_json_string (json, "config", config);
      cli_json_string (json, "figures", figures);
      cli_json_int (json, "removed", (gint64) n_removed);
      json_builder_end_object (json);
      cli_print_json (json);
    }
  return CLI_DONE;
}

const CliVerb cli_export = {
  .name = "export",
  .arguments = "PROJECT.espalier|MODEL --model M.h5 | --config C.json | --figures DIR",
  .summary = "Takes networks, configurations and figures out of a project",
  .run = run,
};

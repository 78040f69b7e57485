/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli report PATH: what tools have reported, of a file or of a project's folder. */

#include "cli.h"
#include "cli-table.h"

#include <math.h>

/* Blocks of another size than the halves of Xilinx are not told under the name of those. */
static void
add_resources (JsonBuilder       *json,
               const char        *name,
               const NnResources *resources,
               double             ram_kbit)
{
  gboolean halves = !(ram_kbit > 0) || ram_kbit == 18;

  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    {
      double amount = resources->amount[r] < 0 ? NAN : resources->amount[r];

      if (r == NN_RESOURCE_BRAM)
        {
          cli_json_double (json, "bram_18k", halves ? amount : NAN);
          if (!halves)
            cli_json_double (json, "ram_blocks", amount);
        }
      else
        cli_json_double (json, nn_resource_name (r), amount);
    }
  if (!halves)
    cli_json_double (json, "ram_block_kbit", ram_kbit);
  json_builder_end_object (json);
}

static void
add_range (JsonBuilder *json,
           const char  *name,
           double       min,
           double       max)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  cli_json_double (json, "min", min);
  cli_json_double (json, "max", max);
  json_builder_end_object (json);
}

static void
add_summary (JsonBuilder     *json,
             const HlsReport *report)
{
  cli_json_string (json, "path", report->path);
  cli_json_string (json, "stage", report->stage);
  if (report->status != NULL)
    cli_json_string (json, "status", report->status);
  json_builder_set_member_name (json, "tool");
  json_builder_begin_object (json);
  cli_json_string (json, "name", report->tool);
  cli_json_string (json, "version", report->version);
  json_builder_end_object (json);
  cli_json_string (json, "part", report->part);
  cli_json_string (json, "top", report->top);
  if (report->pipeline != NULL)
    cli_json_string (json, "pipeline", report->pipeline);
  json_builder_set_member_name (json, "clock");
  json_builder_begin_object (json);
  cli_json_double (json, "target_ns", report->clock_target_ns);
  cli_json_double (json, "estimated_ns", report->clock_estimated_ns);
  cli_json_double (json, "uncertainty_ns", report->clock_uncertainty_ns);
  json_builder_end_object (json);
  json_builder_set_member_name (json, "latency_cycles");
  json_builder_begin_object (json);
  cli_json_double (json, "min", report->latency_min);
  cli_json_double (json, "average", report->latency_average);
  cli_json_double (json, "max", report->latency_max);
  json_builder_end_object (json);
  add_range (json, "interval_cycles", report->interval_min, report->interval_max);
  add_range (json, "latency_ns", report->latency_ns_min, report->latency_ns_max);
  add_resources (json, "resources", &report->resources, report->ram_kbit);
  add_resources (json, "available", &report->available, report->ram_kbit);
  if (!isnan (report->area))
    cli_json_double (json, "area", report->area);
  if (!isnan (report->alms))
    {
      json_builder_set_member_name (json, "alms");
      json_builder_begin_object (json);
      cli_json_double (json, "used", report->alms);
      cli_json_double (json, "available", report->alms_available);
      json_builder_end_object (json);
    }
}

void
cli_json_report (JsonBuilder     *json,
                 const HlsReport *report)
{
  add_summary (json, report);
  json_builder_set_member_name (json, "modules");
  json_builder_begin_array (json);
  for (guint i = 0; i < report->n_modules; i++)
    {
      const HlsModule *module = &report->modules[i];

      json_builder_begin_object (json);
      cli_json_string (json, "name", module->name);
      add_resources (json, "resources", &module->resources, report->ram_kbit);
      add_range (json, "latency_cycles", module->latency_min, module->latency_max);
      add_range (json, "interval_cycles", module->interval_min, module->interval_max);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static char *
amount_text (double amount)
{
  return amount < 0 || isnan (amount) ? g_strdup ("-") : nn_text_thousands (llround (amount));
}

static void
add_row (CliTable          *table,
         const char        *name,
         const NnResources *resources,
         double             latency,
         double             interval)
{
  cli_table_add (table, "%s", name);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    cli_table_take (table, amount_text (resources->amount[r]));
  cli_table_take (table, amount_text (latency));
  cli_table_take (table, amount_text (interval));
}

static void
print_report (const HlsReport *report)
{
  const char *titles[] = { "module", "DSP", report->ram_kbit == 18 ? "BRAM 18K" : "RAM", "LUT", "FF", "URAM", "latency", "interval", NULL };
  g_autoptr (CliTable) table = cli_table_new (titles, 1);

  g_print ("%s%s%s, %s, part %s%s%s\n", report->tool, report->version != NULL ? " " : "",
           report->version != NULL ? report->version : "", report->stage, report->part != NULL ? report->part : "unknown",
           report->status != NULL ? ": " : "", report->status != NULL ? report->status : "");
  if (!isnan (report->clock_target_ns))
    g_print ("clock %.3f ns asked", report->clock_target_ns);
  if (!isnan (report->clock_target_ns) && !isnan (report->clock_estimated_ns))
    g_print (", %.3f ns reached", report->clock_estimated_ns);
  if (!isnan (report->clock_target_ns))
    g_print ("\n");
  if (!isnan (report->area))
    g_print ("area %.1f of the library's units\n", report->area);
  if (!isnan (report->alms))
    g_print ("%.1f ALMs of %.0f\n", report->alms, report->alms_available);
  add_row (table, report->top != NULL ? report->top : "total", &report->resources, report->latency_max, report->interval_max);
  add_row (table, "available", &report->available, NAN, NAN);
  for (guint i = 0; i < report->n_modules; i++)
    add_row (table, report->modules[i].name, &report->modules[i].resources, report->modules[i].latency_max,
             report->modules[i].interval_max);
  g_print ("\n");
  cli_table_print (table);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  gboolean all = FALSE, folder;
  GOptionEntry entries[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &all, "Every report below the folder, not only the one of the whole design", NULL },
    { NULL },
  };
  g_autoptr (HlsReport) report = NULL;
  g_autoptr (GPtrArray) reports = NULL;
  g_autoptr (JsonBuilder) json = json_builder_new ();
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_report, entries, 1, 1, &argc, &argv, &status))
    return status;
  report = hls_report_read (argv[1], &error);
  folder = g_file_test (argv[1], G_FILE_TEST_IS_DIR);
  if (report == NULL || ((all || folder) && (reports = hls_reports_find (argv[1], &error)) == NULL))
    return cli_fail (&cli_report, error);
  if (!cli->json)
    {
      if (!all)
        print_report (report);
      for (guint i = 0; all && i < reports->len; i++)
        {
          const HlsReport *one = reports->pdata[i];

          g_print ("%s%s\n", i > 0 ? "\n" : "", one->path);
          print_report (one);
        }
      return CLI_DONE;
    }
  json_builder_begin_object (json);
  cli_json_report (json, report);
  if (reports != NULL)
    {
      json_builder_set_member_name (json, "reports");
      json_builder_begin_array (json);
      for (guint i = 0; i < reports->len; i++)
        {
          json_builder_begin_object (json);
          (all ? cli_json_report : add_summary) (json, reports->pdata[i]);
          json_builder_end_object (json);
        }
      json_builder_end_array (json);
    }
  json_builder_end_object (json);
  cli_print_json (json);
  return CLI_DONE;
}

const CliVerb cli_report = {
  .name = "report",
  .arguments = "PATH",
  .summary = "What tools have reported: a file, or a project's folder",
  .run = run,
};

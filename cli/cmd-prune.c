/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli prune MODEL --data DATA --config C.json --output P.espalier: the whole of Optimize. */

#include "cli-data.h"
#include "cli-prune-options.h"

#include <math.h>
#include <string.h>

static NnDataOptions
wanted_data (const CliPruneOptions *o,
             guint64                seed)
{
  NnDataOptions wanted;

  nn_data_options_init (&wanted);
  CLI_DATA_TAKE (wanted, *o);
  CLI_PARTS_TAKE (wanted, *o);
  wanted.standardize = o->standardize;
  wanted.seed = seed;
  return wanted;
}

/* How the data are read, so that a run can go on with the same; "raw" is the command line's own. */
static char *
data_options (const CliPruneOptions *o)
{
  NnDataOptions wanted = wanted_data (o, 0);
  g_autofree char *text = nn_data_options_to_json (&wanted);
  g_autoptr (JsonNode) root = json_from_string (text, NULL);

  json_object_set_int_member (json_node_get_object (root), "raw", o->raw);
  return json_to_string (root, FALSE);
}

/* What data_options() wrote, where the command line says nothing else; projects of the window and older ones have none. */
static void
take_data_options (CliPruneOptions *o,
                   const char      *text)
{
  g_autoptr (JsonNode) root = text != NULL ? json_from_string (text, NULL) : NULL;
  NnDataOptions *kept = nn_data_options_from_json (text);

  if (kept == NULL || root == NULL)
    return;
  if (o->x == NULL)
    o->x = g_strdup (kept->x);
  if (o->y == NULL)
    o->y = g_strdup (kept->y);
  if (o->label == NULL)
    o->label = g_strdup (kept->label);
  o->validation = kept->validation;
  if (o->test == 0)
    o->test = kept->test;
  if (o->limit == 0)
    o->limit = (gint64) kept->limit;
  if (o->divide == 0)
    o->divide = kept->divide;
  o->standardize = o->standardize || kept->standardize;
  o->raw = o->raw || json_object_get_int_member_with_default (json_node_get_object (root), "raw", 0) != 0;
  nn_data_options_free (kept);
}

static NnDataset *
load_data (Cli           *cli,
           const CliPruneOptions *o,
           const char    *spec,
           NnModel      **model,
           guint64        seed,
           GError       **error)
{
  NnDataOptions wanted = wanted_data (o, seed);

  return cli_read_data (cli, spec, &wanted, o->raw, model, error);
}

static void
print_step (const NnStep *step,
            gpointer      data)
{
  const Cli *cli = data;
  g_autofree char *auc = isnan (step->auc) ? g_strdup ("") : g_strdup_printf ("  auc %.4f", step->auc);

  if (cli->json)
    return;
  g_print ("%3u %-9s target %5.1f %%  accuracy %.5f%s  bops %9.0f  dsp %6.0f  bram %5.0f  lut %8.0f  kept %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
           "  %s, gap %.2g in %.2f s  %.1f s  %s\n",
           step->index, nn_step_kind_name (step->kind), step->target * 100, step->accuracy, auc, step->bops,
           step->resources.amount[NN_RESOURCE_DSP],
           step->resources.amount[NN_RESOURCE_BRAM], step->resources.amount[NN_RESOURCE_LUT], step->n_kept, step->n_groups,
           nn_knapsack_status_name (step->status), step->gap, step->choice_seconds, step->seconds, step->accepted ? "accepted" : "rejected");
}

static void
add_step (JsonBuilder  *json,
          const NnStep *step)
{
  cli_json_string (json, "kind", nn_step_kind_name (step->kind));
  cli_json_double (json, "target", step->target);
  cli_json_double (json, "accuracy", step->accuracy);
  cli_json_double (json, "loss", step->loss);
  cli_json_double (json, "auc", step->auc);
  cli_json_resources (json, "resources", &step->resources);
  cli_json_double (json, "latency_cycles", step->latency);
  cli_json_double (json, "bops", step->bops);
  cli_json_double (json, "energy_nj", step->energy);
  cli_json_string (json, "status", nn_knapsack_status_name (step->status));
  cli_json_double (json, "value", step->value);
  cli_json_double (json, "bound", step->bound);
  cli_json_double (json, "gap", step->gap);
  cli_json_int (json, "groups", (gint64) step->n_groups);
  cli_json_int (json, "kept", (gint64) step->n_kept);
  cli_json_int (json, "snapped", (gint64) step->n_snapped);
  cli_json_double (json, "choice_seconds", step->choice_seconds);
  cli_json_double (json, "seconds", step->seconds);
  json_builder_set_member_name (json, "accepted");
  json_builder_add_boolean_value (json, step->accepted);
}

static void
report (Cli           *cli,
        const NnTrail *trail)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const NnStep *chosen = nn_trail_step (trail, nn_trail_chosen (trail)), *baseline = nn_trail_step (trail, 0);

  if (!cli->json)
    {
      g_autofree char *auc = isnan (chosen->auc) ? g_strdup ("") : g_strdup_printf ("auc %.4f of %.4f, ", chosen->auc, baseline->auc);

      g_print ("\nstep %u chosen: accuracy %.5f of %.5f, %sbops %.0f of %.0f, dsp %.0f of %.0f, bram %.0f of %.0f\n",
               nn_trail_chosen (trail), chosen->accuracy, baseline->accuracy, auc, chosen->bops, baseline->bops,
               chosen->resources.amount[NN_RESOURCE_DSP], baseline->resources.amount[NN_RESOURCE_DSP],
               chosen->resources.amount[NN_RESOURCE_BRAM], baseline->resources.amount[NN_RESOURCE_BRAM]);
      g_print ("(proven is each choice of groups against the importance scores, not the accuracy)\n");
      return;
    }
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "baseline");
  json_builder_begin_object (json);
  add_step (json, baseline);
  json_builder_end_object (json);
  json_builder_set_member_name (json, "steps");
  json_builder_begin_array (json);
  for (guint i = 1; i < nn_trail_n_steps (trail); i++)
    {
      json_builder_begin_object (json);
      add_step (json, nn_trail_step (trail, i));
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  cli_json_int (json, "chosen", nn_trail_chosen (trail));
  json_builder_set_member_name (json, "final");
  json_builder_begin_object (json);
  add_step (json, chosen);
  json_builder_end_object (json);
  json_builder_set_member_name (json, "cancelled");
  json_builder_add_boolean_value (json, nn_trail_was_cancelled (trail));
  json_builder_end_object (json);
  cli_print_json (json);
}

/* A run goes on with the data that it was begun with. */
static gboolean
check_hash (const NnDataset *data,
            const char      *spec,
            const char      *hash,
            GError         **error)
{
  if (hash == NULL || hash[0] == '\0' || strcmp (hash, nn_dataset_hash (data)) == 0)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
               "%s: these are not the data of the run, or they are not read as they were then; without --resume they make a run of "
               "their own",
               spec);
  return FALSE;
}

/* Runs, writes the project and what else was asked for, reports. */
static int
prune (Cli            *cli,
       const CliPruneOptions  *o,
       const NnModel  *given,
       const NnConfig *config,
       const char     *spec,
       const char     *hash,
       NnPruneOptions *p)
{
  g_autoptr (NnModel) model = nn_model_ref ((NnModel *) given);
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnTrail) trail = NULL;
  g_autoptr (NnProject) project = NULL;
  g_autofree char *how = data_options (o);
  GError *error = NULL;

  p->checkpoint = o->output;
  p->data_spec = spec;
  p->data_options = how;
  p->on_step = print_step;
  p->on_step_data = cli;
  data = load_data (cli, o, spec, &model, p->seed, &error);
  if (data == NULL || !check_hash (data, spec, hash, &error) ||
      (trail = nn_prune (model, config, data, p, &cli->progress, cli->cancellable, &error)) == NULL)
    {
      cli_name_data (&error, spec);
      return cli_fail (&cli_prune, error);
    }
  project = nn_project_of_run (model, config, data, p, trail);
  if (!nn_project_save (project, o->output, &error) ||
      (o->model_out != NULL && !nn_model_save (nn_project_final (project), o->model_out, &error)))
    return cli_fail (&cli_prune, error);
  report (cli, trail);
  return nn_trail_was_cancelled (trail) ? CLI_CANCELLED : CLI_DONE;
}

/* A project's last run: its trail, options and where its data are. */
typedef struct {
  NnProject     *project;
  NnTrail       *trail; /* borrowed */
  GPtrArray     *hold;
  NnPruneOptions options;
  const char    *spec;
} Kept;

static void
kept_clear (Kept *kept)
{
  nn_prune_options_clear (&kept->options);
  g_clear_pointer (&kept->hold, g_ptr_array_unref);
  g_clear_pointer (&kept->project, nn_project_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Kept, kept_clear)

static gboolean
open_kept (Kept       *kept,
           CliPruneOptions    *o,
           const char *path,
           GError    **error)
{
  kept->project = nn_project_load (path, error);
  if (kept->project == NULL)
    return FALSE;
  kept->hold = g_ptr_array_new_with_free_func (g_free);
  kept->spec = o->data != NULL ? o->data : nn_project_data_spec (kept->project);
  if (nn_project_n_trails (kept->project) == 0 || kept->spec == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: it holds no run that could go on", path);
      return FALSE;
    }
  kept->trail = nn_project_trail (kept->project, nn_project_n_trails (kept->project) - 1);
  if (!nn_prune_options_from_json (&kept->options, nn_trail_options (kept->trail), kept->hold, error))
    return FALSE;
  take_data_options (o, kept->options.data_options);
  return TRUE;
}

static const NnPart *
part_of (const NnPruneOptions *p,
         const NnConfig       *config)
{
  return p->part != NULL ? nn_part_find (p->part, NULL) : nn_estimate_part (config);
}

/* What the run of a branch does otherwise than the run it leaves. */
static gboolean
change_course (Kept                  *kept,
               const CliPruneOptions *o,
               const char            *path,
               GError               **error)
{
  NnPruneOptions *p = &kept->options;

  if ((guint) o->from_step >= nn_trail_n_steps (kept->trail))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: its run has the steps 0 to %u; there is no step %d to branch from", path,
                   nn_trail_n_steps (kept->trail) - 1, o->from_step);
      return FALSE;
    }
  p->branch = (guint) o->from_step + 1;
  return cli_prune_options_take (o, p, error) &&
         (o->budget == NULL || cli_parse_budget (o->budget, part_of (p, nn_project_config (kept->project)), p->limits, error));
}

/* Goes on with the run of a project, from its last step or, as a branch beside it, from the one asked for. */
static int
resume (Cli     *cli,
        CliPruneOptions *o,
        char    *path)
{
  g_auto (Kept) kept = { 0 };
  g_autoptr (NnTrail) head = NULL;
  g_autofree NnTrail **beside = NULL;
  gboolean branches = o->from_step >= 0;
  GError *error = NULL;
  guint n;

  if (!open_kept (&kept, o, path, &error) || (branches && !change_course (&kept, o, path, &error)))
    return cli_fail (&cli_prune, error);
  n = nn_project_n_trails (kept.project) - (branches ? 0 : 1);
  beside = g_new (NnTrail *, n + 1);
  for (guint i = 0; i < n; i++)
    beside[i] = nn_project_trail (kept.project, i);
  head = nn_trail_head (kept.trail, branches ? (guint) o->from_step + 1 : nn_trail_n_steps (kept.trail));
  kept.options.resume = head;
  kept.options.beside = beside;
  kept.options.n_beside = n;
  kept.options.notes = nn_project_notes (kept.project);
  if (o->output == NULL)
    o->output = g_strdup (path);
  return prune (cli, o, nn_project_model (kept.project), nn_project_config (kept.project), kept.spec,
                nn_project_data_hash (kept.project), &kept.options);
}

static gboolean
same_weights (const NnModel *a,
              const NnModel *b)
{
  gboolean same = nn_model_n_weights (a) == nn_model_n_weights (b);

  for (guint i = 0; same && i < nn_model_n_weights (a); i++)
    {
      const NnTensor *va = nn_model_weight (a, i)->values, *vb = nn_model_weight (b, i)->values;

      same = va->n == vb->n && memcmp (va->data, vb->data, va->n * nn_dtype_size (va->dtype)) == 0;
    }
  return same;
}

/* Makes the run of a project anew and compares every step, bit by bit. */
static int
replay (Cli        *cli,
        CliPruneOptions    *o,
        const char *path)
{
  g_auto (Kept) kept = { 0 };
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnTrail) again = NULL, head = NULL;
  g_autoptr (JsonBuilder) json = json_builder_new ();
  GError *error = NULL;
  guint n, same = 0;

  if (!open_kept (&kept, o, path, &error))
    return cli_fail (&cli_prune, error);
  /* What another run made before a branch is taken as it is. */
  if (kept.options.branch > 0)
    kept.options.resume = head = nn_trail_head (kept.trail, kept.options.branch);
  kept.options.on_step = print_step;
  kept.options.on_step_data = cli;
  model = nn_model_ref ((NnModel *) nn_project_model (kept.project));
  data = load_data (cli, o, kept.spec, &model, kept.options.seed, &error);
  if (data == NULL || !check_hash (data, kept.spec, nn_project_data_hash (kept.project), &error) ||
      (again = nn_prune (model, nn_project_config (kept.project), data, &kept.options, &cli->progress, cli->cancellable, &error)) == NULL)
    return cli_fail (&cli_prune, error);
  n = nn_trail_n_steps (kept.trail);
  while (same < MIN (n, nn_trail_n_steps (again)) &&
         same_weights (nn_trail_step (kept.trail, same)->model, nn_trail_step (again, same)->model))
    same++;
  if (!cli->json)
    g_print ("\n%u of %u steps have the same bits\n", same, n);
  json_builder_begin_object (json);
  cli_json_int (json, "steps", n);
  cli_json_int (json, "identical", same);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  return nn_trail_was_cancelled (again) ? CLI_CANCELLED : same == n ? CLI_DONE : CLI_FAILED;
}

/* Groups kept or cut by hand. */
static gint8 *
make_pins (const CliPruneOptions  *o,
           NnPruneOptions *p,
           const NnModel  *model,
           const NnConfig *config,
           GError        **error)
{
  g_autoptr (NnGroups) groups = nn_prune_options_groups (p, model, config, error);
  g_autofree gint8 *pins = NULL;

  if (groups == NULL)
    return NULL;
  pins = g_new0 (gint8, groups->n_groups + 1);
  if ((o->keep != NULL && !cli_parse_pins (o->keep, 1, pins, groups->n_groups, error)) ||
      (o->cut != NULL && !cli_parse_pins (o->cut, -1, pins, groups->n_groups, error)))
    return NULL;
  p->pins = pins;
  p->n_pins = groups->n_groups;
  return g_steal_pointer (&pins);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_auto (CliPruneOptions) o = cli_prune_defaults;
  GOptionEntry entries[] = {
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &o.data, "Labelled data", "DATA" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &o.config, "Configuration of the hardware", "C.json" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output, "Project file, kept up to date step by step", "P.espalier" },
    { "model", 0, 0, G_OPTION_ARG_FILENAME, &o.model_out, "Write the chosen network here too", "M.h5" },
    { "objective", 0, 0, G_OPTION_ARG_STRING, &o.objective,
      "What should fall as far as accuracy allows: dsp, bram, lut, ff, parameters, bops, energy, latency, with commas between (dsp)", "LIST" },
    { "weigh", 0, 0, G_OPTION_ARG_STRING, &o.weigh, "A weighted sum that should fall: dsp=1,lut=0.02", "LIST" },
    { "budget", 0, 0, G_OPTION_ARG_STRING, &o.budget,
      "What must not be exceeded: dsp=175,bram=2% (of the part); with --objective that one falls besides", "LIST" },
    { "keep", 0, 0, G_OPTION_ARG_STRING, &o.keep, "Groups that must stay, by the numbers `groups` gives them: 3,17-20", "LIST" },
    { "cut", 0, 0, G_OPTION_ARG_STRING, &o.cut, "Groups that must go", "LIST" },
    { "part", 0, 0, G_OPTION_ARG_STRING, &o.part, "Part, instead of the configuration's", "NAME" },
    { "tolerance", 0, 0, G_OPTION_ARG_DOUBLE, &o.tolerance, "Loss of accuracy that is accepted, relative (0.01)", "F" },
    { "structure", 0, 0, G_OPTION_ARG_STRING, &o.structure, "auto, unstructured, neuron, multiplier, bram-word or block (auto)", "S" },
    { "layer-structure", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.layer_structure, "The same for one layer", "LAYER=S" },
    { "block", 0, 0, G_OPTION_ARG_STRING, &o.block, "Inputs x outputs of a block (4x4)", "HxW" },
    { "importance", 0, 0, G_OPTION_ARG_STRING, &o.importance, "l1, l2, first-order, second-order or random (second-order)", "I" },
    { "schedule", 0, 0, G_OPTION_ARG_STRING, &o.schedule, "constant, polynomial, binary or budget (polynomial)", "S" },
    { "first-target", 0, 0, G_OPTION_ARG_DOUBLE, &o.first, "Fraction to be gone at the first step (0.5)", "F" },
    { "max-target", 0, 0, G_OPTION_ARG_DOUBLE, &o.max_target, "Fraction to be gone at most (0.98)", "F" },
    { "step", 0, 0, G_OPTION_ARG_DOUBLE, &o.step, "Of the constant schedule (0.05)", "F" },
    { "max-steps", 0, 0, G_OPTION_ARG_INT, &o.max_steps, "Steps at most (20)", "N" },
    { "bad-trials", 0, 0, G_OPTION_ARG_INT, &o.bad_trials, "Rejected steps in a row that end the run (3)", "N" },
    { "epochs", 0, 0, G_OPTION_ARG_INT, &o.epochs, "Fine-tuning epochs a step (15)", "N" },
    { "rewind-epochs", 0, 0, G_OPTION_ARG_INT, &o.rewind, "Epochs without masks before each choice (0)", "N" },
    { "lottery", 0, 0, G_OPTION_ARG_NONE, &o.lottery, "Fine-tune from the weights as given", NULL },
    { "quantized", 0, 0, G_OPTION_ARG_NONE, &o.quantized, "Fine-tune and judge with the configuration's number types (quantisation-aware)", NULL },
    { "regularize", 0, 0, G_OPTION_ARG_DOUBLE, &o.regularize, "Group regulariser, relative to the loss; negative for automatic (-1)", "F" },
    { "local", 0, 0, G_OPTION_ARG_NONE, &o.local, "Every layer falls alike", NULL },
    { "leave", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.leave, "A layer to be left alone", "LAYER" },
    { "snap", 0, 0, G_OPTION_ARG_NONE, &o.snap, "Keep, move or cut: weights of the Latency strategy may move to values that need no DSP", NULL },
    { "share", 0, 0, G_OPTION_ARG_NONE, &o.share, "Weights that are nearly equal become their mean", NULL },
    { "batch", 0, 0, G_OPTION_ARG_INT, &o.batch, "Samples a training step (128)", "N" },
    { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &o.rate, "Learning rate of fine-tuning (0.002)", "RATE" },
    { "gap", 0, 0, G_OPTION_ARG_DOUBLE, &o.gap, "Gap of the choice that is good enough (0)", "F" },
    { "time-limit", 0, 0, G_OPTION_ARG_DOUBLE, &o.time_limit, "Seconds for a choice (10)", "S" },
    { "resume", 0, 0, G_OPTION_ARG_NONE, &o.resume, "Go on with the run of the project given instead of a model", NULL },
    { "from-step", 0, 0, G_OPTION_ARG_INT, &o.from_step, "With --resume: branch after this step, with the options given besides; what there was stays beside it", "N" },
    { "replay", 0, 0, G_OPTION_ARG_NONE, &o.replay, "Make the run of the project anew and compare it bit by bit", NULL },
    { "val-split", 0, 0, G_OPTION_ARG_DOUBLE, &o.validation, "Fraction for validation where the data have no such part (0.2)", "F" },
    { "standardize", 0, 0, G_OPTION_ARG_NONE, &o.standardize, "Learn mean and deviation of the inputs and keep them with the network", NULL },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &o.raw, "Do not apply the standardisation that the network carries", NULL },
    CLI_DATA_ENTRIES (o),
    CLI_PARTS_ENTRIES (o),
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &o.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL, own = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autofree gint8 *pins = NULL;
  g_auto (NnPruneOptions) p = { 0 };
  GError *error = NULL;
  int status;

  nn_prune_options_init (&p);
  if (!cli_parse (cli, &cli_prune, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (!cli_prune_options_check (&o, entries))
    return CLI_USAGE;
  if (o.resume)
    return resume (cli, &o, argv[1]);
  if (o.replay)
    return replay (cli, &o, argv[1]);
  nn_prune_options_init (&p);
  p.seed = (guint64) cli->seed;
  if (!cli_prune_options_take (&o, &p, &error) || (model = cli_open_model (cli, argv[1], o.weights, &own, &error)) == NULL ||
      (config = own != NULL && o.config == NULL ? nn_config_ref (own) : cli_open_config (o.config, model, &error)) == NULL)
    return cli_fail (&cli_prune, error);
  if (o.part != NULL && nn_part_find (o.part, &error) == NULL)
    return cli_fail (&cli_prune, error);
  if (o.budget != NULL && !cli_parse_budget (o.budget, part_of (&p, config), p.limits, &error))
    return cli_fail (&cli_prune, error);
  if ((o.keep != NULL || o.cut != NULL) && (pins = make_pins (&o, &p, model, config, &error)) == NULL)
    return cli_fail (&cli_prune, error);
  design = nn_design_new (model, config, &error);
  if (design == NULL)
    return cli_fail (&cli_prune, error);
  cli_warn (nn_design_warnings (design));
  return prune (cli, &o, model, config, o.data, NULL, &p);
}

const CliVerb cli_prune = {
  .name = "prune",
  .arguments = "MODEL --data DATA --config C.json --output PROJECT.espalier",
  .summary = "Prunes a network by what its hardware shares, as deep as accuracy allows",
  .run = run,
};

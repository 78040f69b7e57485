/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli train MODEL --data DATA --output M.h5: training or fine-tuning. */

#include "cli-data.h"

#include <math.h>
#include <string.h>

typedef struct {
  char    *data, *weights, *x, *y, *label, *output, *config;
  char    *loss, *optimizer, *schedule, *class_weights;
  double   validation, test, divide;
  gint64   limit;
  double   rate, momentum, decay, lr_factor, min_delta;
  gint     epochs, batch, patience, lr_every;
  gboolean nesterov, freeze_norm, keep_last, standardize, raw;
} Options;

static void
options_clear (Options *o)
{
  char **texts[] = { &o->data, &o->weights, &o->x, &o->y, &o->label, &o->output, &o->config, &o->loss, &o->optimizer, &o->schedule,
                     &o->class_weights };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (*texts[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static const char *const losses[] = { "auto", "categorical_crossentropy", "binary_crossentropy", "mse", "mae", "huber", NULL };
static const char *const optimizers[] = { "sgd", "adam", "adamw", "nadam", NULL };
static const char *const schedules[] = { "constant", "step", "cosine", "plateau", NULL };

/* The place of @word in @words, which is the value of its enumeration. */
static gboolean
choose (const char        *option,
        const char        *word,
        const char *const *words,
        guint             *value)
{
  if (word == NULL)
    return TRUE;
  for (guint i = 0; words[i] != NULL; i++)
    if (g_ascii_strcasecmp (word, words[i]) == 0)
      {
        *value = i;
        return TRUE;
      }
  if (g_str_equal (option, "loss") && g_ascii_strcasecmp (word, "sparse_categorical_crossentropy") == 0)
    {
      *value = NN_LOSS_CATEGORICAL_CROSSENTROPY; /* labels become one-hot when data are read */
      return TRUE;
    }
  g_printerr ("espalier-cli train: --%s \"%s\" is not known; did you mean \"%s\"?\n", option, word, nn_text_nearest (word, words));
  return FALSE;
}

static gboolean
check_ranges (const Options *o)
{
  const char *wrong = NULL;

  if (o->data == NULL)
    wrong = "--data DATA is needed";
  else if (o->output == NULL)
    wrong = "--output M.h5 is needed";
  else if (o->epochs < 1)
    wrong = "--epochs must be 1 or more";
  else if (o->batch < 1)
    wrong = "--batch must be 1 or more";
  else if (o->patience < 0 || o->lr_every < 1)
    wrong = "--patience must be 0 or more and --lr-every 1 or more";
  else if (!(o->rate > 0) || !isfinite (o->rate))
    wrong = "--lr must be positive";
  else if (!(o->momentum >= 0 && o->momentum < 1))
    wrong = "--momentum must be from 0 to below 1";
  else if (!(o->decay >= 0))
    wrong = "--weight-decay must not be negative";
  else if (!(o->validation >= 0 && o->validation < 1))
    wrong = "--val-split must be from 0 to below 1";
  if (wrong != NULL)
    g_printerr ("espalier-cli train: %s\n", wrong);
  return wrong == NULL;
}

/* "1,2.5,1": one factor a class. */
static gboolean
read_class_weights (const char *text,
                    GArray     *weights)
{
  g_auto (GStrv) words = text != NULL ? g_strsplit (text, ",", -1) : NULL;

  for (guint i = 0; words != NULL && words[i] != NULL; i++)
    {
      double value;

      if (!nn_text_to_double (g_strstrip (words[i]), &value) || !(value >= 0) || !isfinite (value))
        {
          g_printerr ("espalier-cli train: --class-weights takes numbers with commas between them, not \"%s\"\n", words[i]);
          return FALSE;
        }
      g_array_append_val (weights, value);
    }
  return TRUE;
}

static gboolean
to_train_options (const Options  *o,
                  const Cli      *cli,
                  NnTrainOptions *t)
{
  guint loss = NN_LOSS_AUTO, optimizer = NN_OPTIMIZER_ADAM, schedule = NN_LR_CONSTANT;

  if (!choose ("loss", o->loss, losses, &loss) || !choose ("optimizer", o->optimizer, optimizers, &optimizer) ||
      !choose ("schedule", o->schedule, schedules, &schedule))
    return FALSE;
  nn_train_options_init (t);
  t->epochs = o->epochs;
  t->batch = o->batch;
  t->loss = loss;
  t->optimizer = optimizer;
  t->schedule = schedule;
  t->learning_rate = o->rate;
  t->momentum = o->momentum;
  t->nesterov = o->nesterov;
  t->weight_decay = o->decay;
  t->lr_factor = o->lr_factor;
  t->lr_every = o->lr_every;
  t->patience = o->patience;
  t->min_delta = o->min_delta;
  t->freeze_norm = o->freeze_norm;
  t->keep_best = !o->keep_last;
  t->seed = cli->seed;
  return TRUE;
}

/* Standardised as the network says, or as the training part asks for. */
static NnDataset *
load_data (Cli           *cli,
           const Options *o,
           NnModel      **model,
           GError       **error)
{
  NnDataOptions wanted;

  nn_data_options_init (&wanted);
  CLI_DATA_TAKE (wanted, *o);
  CLI_PARTS_TAKE (wanted, *o);
  wanted.standardize = o->standardize;
  wanted.seed = cli->seed;
  return cli_read_data (cli, o->data, &wanted, o->raw, model, error);
}

static void
print_epoch (const NnEpoch *e,
             gpointer       data)
{
  const Cli *cli = data;

  if (!cli->json && !cli->quiet)
    g_print ("epoch %3u  train loss %.6f  validation loss %.6f  %s %.5f  lr %.3g  %.2f s\n", e->epoch + 1, e->train_loss,
             e->val_loss, e->val_accuracy < 0 ? "-mse" : "accuracy", e->val_accuracy, e->learning_rate, e->seconds);
}

static void
report (const Cli           *cli,
        const Options       *o,
        const NnTrainResult *result,
        gboolean             complete)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  if (!cli->json)
    return;
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "epochs");
  json_builder_begin_array (json);
  for (guint i = 0; i < result->epochs->len; i++)
    {
      const NnEpoch *e = &g_array_index (result->epochs, NnEpoch, i);

      json_builder_begin_object (json);
      cli_json_int (json, "epoch", e->epoch + 1);
      cli_json_double (json, "train_loss", e->train_loss);
      cli_json_double (json, "val_loss", e->val_loss);
      cli_json_double (json, "val_accuracy", e->val_accuracy);
      cli_json_double (json, "learning_rate", e->learning_rate);
      cli_json_double (json, "seconds", e->seconds);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  json_builder_set_member_name (json, "stopped_early");
  json_builder_add_boolean_value (json, result->stopped_early);
  json_builder_set_member_name (json, "complete");
  json_builder_add_boolean_value (json, complete);
  cli_json_string (json, "output", o->output);
  json_builder_end_object (json);
  cli_print_json (json);
}

/* What was reached is saved also when the run was cancelled or broke down. */
static int
train (Cli                  *cli,
       const Options        *o,
       const NnTrainOptions *options,
       guint                 n_class_weights,
       NnModel             **model)
{
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnTrainResult) result = NULL;
  GError *error = NULL, *save_error = NULL;
  gboolean complete;

  data = load_data (cli, o, model, &error);
  if (data == NULL)
    return cli_fail (&cli_train, error);
  if (n_class_weights > 0 && nn_dataset_n (data, NN_SPLIT_TRAIN) > 0 &&
      nn_tensor_row_size (nn_dataset_y (data, NN_SPLIT_TRAIN)) != n_class_weights)
    return cli_fail (&cli_train, g_error_new (NN_ERROR, NN_ERROR_SHAPE, "--class-weights needs one number a class"));
  complete = nn_train (*model, data, options, &cli->progress, cli->cancellable, &result, &error);
  if (result != NULL && (complete || result->epochs->len > 0))
    {
      if (!nn_model_save (result->model, o->output, &save_error))
        {
          g_clear_error (&error);
          return cli_fail (&cli_train, save_error);
        }
      report (cli, o, result, complete);
    }
  if (!complete)
    cli_name_data (&error, o->data);
  return complete ? CLI_DONE : cli_fail (&cli_train, error);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_auto (Options) o = { .validation = 0.2, .rate = 1e-3, .lr_factor = 0.1, .epochs = 10, .batch = 128, .lr_every = 10 };
  GOptionEntry entries[] = {
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &o.data, "Labelled data", "DATA" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output, "Where the trained network goes", "M.h5" },
    { "epochs", 0, 0, G_OPTION_ARG_INT, &o.epochs, "Rounds through the data (10)", "N" },
    { "batch", 0, 0, G_OPTION_ARG_INT, &o.batch, "Samples a step (128)", "N" },
    { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &o.rate, "Learning rate (0.001)", "RATE" },
    { "optimizer", 0, 0, G_OPTION_ARG_STRING, &o.optimizer, "sgd, adam, adamw or nadam (adam)", "NAME" },
    { "momentum", 0, 0, G_OPTION_ARG_DOUBLE, &o.momentum, "Of sgd (0)", "M" },
    { "nesterov", 0, 0, G_OPTION_ARG_NONE, &o.nesterov, "Nesterov's momentum", NULL },
    { "weight-decay", 0, 0, G_OPTION_ARG_DOUBLE, &o.decay, "Decay of the weights (0)", "D" },
    { "schedule", 0, 0, G_OPTION_ARG_STRING, &o.schedule, "Learning rate: constant, step, cosine or plateau (constant)", "NAME" },
    { "lr-factor", 0, 0, G_OPTION_ARG_DOUBLE, &o.lr_factor, "Factor of the schedule (0.1)", "F" },
    { "lr-every", 0, 0, G_OPTION_ARG_INT, &o.lr_every, "Epochs of a step or of a plateau's patience (10)", "N" },
    { "patience", 0, 0, G_OPTION_ARG_INT, &o.patience, "Stop after so many epochs without a better validation loss (never)", "N" },
    { "min-delta", 0, 0, G_OPTION_ARG_DOUBLE, &o.min_delta, "What counts as better (0)", "D" },
    { "loss", 0, 0, G_OPTION_ARG_STRING, &o.loss, "auto, categorical_crossentropy (sparse_… is the same), binary_crossentropy, mse, mae or huber (auto)", "NAME" },
    { "class-weights", 0, 0, G_OPTION_ARG_STRING, &o.class_weights, "A factor for each class", "W,W,..." },
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &o.config, "Reckon with this configuration's number types (quantisation-aware)", "C.json" },
    { "freeze-norm", 0, 0, G_OPTION_ARG_NONE, &o.freeze_norm, "Batch norm keeps its moving statistics", NULL },
    { "keep-last", 0, 0, G_OPTION_ARG_NONE, &o.keep_last, "Write the last epoch's weights, not the best", NULL },
    { "standardize", 0, 0, G_OPTION_ARG_NONE, &o.standardize, "Learn mean and deviation of the inputs and keep them with the network", NULL },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &o.raw, "Do not apply the standardisation that the network carries", NULL },
    { "val-split", 0, 0, G_OPTION_ARG_DOUBLE, &o.validation, "Fraction for validation where the data have no such part (0.2)", "F" },
    CLI_DATA_ENTRIES (o),
    CLI_PARTS_ENTRIES (o),
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &o.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (GArray) class_weights = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (GArray) types = NULL;
  NnTrainOptions options;
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_train, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (!check_ranges (&o) || !to_train_options (&o, cli, &options) || !read_class_weights (o.class_weights, class_weights))
    return CLI_USAGE;
  if (class_weights->len > 0)
    options.class_weights = (const double *) (gpointer) class_weights->data;
  options.on_epoch = print_epoch;
  options.on_epoch_data = cli;
  model = cli_open_model (cli, argv[1], o.weights, NULL, &error);
  if (model == NULL || (o.config != NULL && (config = cli_open_config (o.config, model, &error)) == NULL))
    return cli_fail (&cli_train, error);
  if (config != NULL)
    {
      types = nn_train_types_new (config, model);
      options.types = (const NnTrainType *) (gpointer) types->data;
      options.n_types = types->len;
    }
  return train (cli, &o, &options, class_weights->len, &model);
}

const CliVerb cli_train = {
  .name = "train",
  .arguments = "MODEL --data DATA --output M.h5",
  .summary = "Trains a network, or tunes a trained one further",
  .run = run,
};

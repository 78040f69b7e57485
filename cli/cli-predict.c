/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What predict and evaluate share. */

#include "cli-predict.h"

#include <string.h>

gboolean
cli_predictor_load (CliPredictor  *predictor,
                    Cli           *cli,
                    const char    *path,
                    const char    *weights,
                    const char    *config_path,
                    GError       **error)
{
  g_autoptr (NnConfig) config = NULL;
  predictor->model = cli_open_model (cli, path, weights, NULL, error);
  if (predictor->model == NULL || config_path == NULL)
    return predictor->model != NULL;
  config = cli_open_config (config_path, predictor->model, error);
  if (config == NULL)
    return FALSE;
  predictor->design = nn_design_new (predictor->model, config, error);
  if (predictor->design != NULL)
    cli_warn (nn_design_warnings (predictor->design));
  return predictor->design != NULL;
}

/* DIR/<layer>.npy; a slash in the layer's name becomes two underscores. */
static char *
trace_path (const char *folder,
            const char *layer)
{
  g_auto (GStrv) parts = g_strsplit (layer, "/", -1);
  g_autofree char *safe = g_strjoinv ("__", parts);
  g_autofree char *name = g_strconcat (safe, ".npy", NULL);

  return g_build_filename (folder, name, NULL);
}

static NnNpyWriter *
open_writer (CliPredictor   *predictor,
             const NnNode   *node,
             const NnTensor *values)
{
  g_autofree char *path = trace_path (predictor->trace, node->name);
  NnShape shape = values->shape;

  shape.dims[0] = predictor->n_samples;
  return nn_npy_writer_new (path, NN_DTYPE_F64, &shape, &predictor->error);
}

static void
trace_layer (const NnNode   *node,
             gsize           first_sample,
             const NnTensor *values,
             gpointer        data)
{
  CliPredictor *predictor = data;
  NnNpyWriter *writer;

  if (predictor->error != NULL)
    return;
  first_sample += predictor->first;
  if (first_sample == 0)
    g_hash_table_insert (predictor->writers, (gpointer) node, open_writer (predictor, node, values));
  writer = g_hash_table_lookup (predictor->writers, node);
  if (writer != NULL && nn_npy_writer_append (writer, values, &predictor->error) &&
      first_sample + values->shape.dims[0] == predictor->n_samples && nn_npy_writer_close (writer, &predictor->error))
    g_hash_table_remove (predictor->writers, node);
}

/* In the contract's order: the layers that overflowed, as the design has them. */
void
cli_predictor_overflows (const CliPredictor *predictor,
                         JsonBuilder        *json)
{
  const NnGraph *graph;

  if (predictor->design == NULL || predictor->overflows == NULL)
    return;
  graph = nn_model_graph (nn_design_model (predictor->design));
  json_builder_set_member_name (json, "overflows");
  json_builder_begin_array (json);
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      json_builder_begin_object (json);
      cli_json_string (json, "layer", nn_graph_node (graph, i)->name);
      cli_json_int (json, "count", predictor->overflows[i]);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

/* Numbers that a piece of the samples may hold in all its layers together. */
#define PIECE_NUMBERS (1u << 23)
/* A piece is a multiple of this: what is worked on at once. */
#define PIECE_STEP 256

gsize
cli_predictor_piece (const CliPredictor *predictor,
                     gsize               row)
{
  const NnGraph *graph = nn_model_graph (predictor->model);
  gsize most = row;

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      gsize n;

      if (nn_shape_size (&nn_graph_node (graph, i)->shape, &n))
        most = MAX (most, n);
    }
  return MAX (PIECE_NUMBERS / MAX (most, 1) / PIECE_STEP, 1) * PIECE_STEP;
}

gboolean
cli_predictor_begin (CliPredictor  *predictor,
                     gsize          n_samples,
                     GError       **error)
{
  if (predictor->trace != NULL && g_mkdir_with_parents (predictor->trace, 0777) != 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", predictor->trace, g_strerror (errno));
      return FALSE;
    }
  g_clear_pointer (&predictor->writers, g_hash_table_unref);
  predictor->writers = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) nn_npy_writer_free);
  predictor->n_samples = n_samples;
  predictor->first = 0;
  g_clear_pointer (&predictor->overflows, g_free);
  if (predictor->design != NULL)
    predictor->overflows = g_new0 (guint64, nn_graph_n_nodes (nn_model_graph (nn_design_model (predictor->design))) + 1);
  return TRUE;
}

/* Bit-accurate where there is a design, in double precision otherwise. */
static NnTensor **
predict (CliPredictor     *predictor,
         Cli              *cli,
         NnTensor *const  *inputs,
         const NnProgress *progress,
         GError          **error)
{
  NnPredictOptions options = { .trace = predictor->trace != NULL ? trace_layer : NULL, .trace_data = predictor };
  NnFixedOptions fixed = { .trace = options.trace, .trace_data = predictor, .overflows = predictor->overflows };

  if (predictor->design == NULL)
    return nn_predict (predictor->model, inputs, &options, progress, cli->cancellable, error);
  return nn_fixed_predict (predictor->design, inputs, &fixed, progress, cli->cancellable, error);
}

NnTensor **
cli_predictor_part (CliPredictor    *predictor,
                    Cli             *cli,
                    NnTensor *const *inputs,
                    GError         **error)
{
  gsize n = inputs[0] != NULL && inputs[0]->shape.rank > 0 ? (gsize) inputs[0]->shape.dims[0] : 0;
  double all = MAX ((double) predictor->n_samples, 1);
  NnTensor **outputs;
  NnSubProgress part;

  nn_sub_progress_init (&part, &cli->progress, (double) predictor->first / all, (double) (predictor->first + n) / all);
  outputs = predict (predictor, cli, inputs, &part.inner, error);
  predictor->first += n;
  if (outputs != NULL && predictor->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&predictor->error));
      g_clear_pointer (&outputs, nn_tensors_free);
    }
  return outputs;
}

NnTensor **
cli_predictor_run (CliPredictor    *predictor,
                   Cli             *cli,
                   NnTensor *const *inputs,
                   GError         **error)
{
  NnTensor **outputs = NULL, **batch = nn_model_batch (predictor->model, inputs);

  inputs = batch != NULL ? batch : inputs;
  if (cli_predictor_begin (predictor, inputs[0] != NULL && inputs[0]->shape.rank > 0 ? (gsize) inputs[0]->shape.dims[0] : 0, error))
    outputs = cli_predictor_part (predictor, cli, inputs, error);
  if (batch != NULL && outputs != NULL)
    nn_model_unbatch (outputs);
  nn_tensors_free (batch);
  return outputs;
}

void
cli_predictor_clear (CliPredictor *predictor)
{
  g_clear_pointer (&predictor->design, nn_design_unref);
  g_clear_pointer (&predictor->model, nn_model_unref);
  g_clear_pointer (&predictor->overflows, g_free);
  g_clear_pointer (&predictor->writers, g_hash_table_unref);
  g_clear_pointer (&predictor->trace, g_free);
  g_clear_error (&predictor->error);
}

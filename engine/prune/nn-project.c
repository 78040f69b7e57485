/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Project files: one HDF5 file, written beside itself and put in place when it is complete. */

#include "nn-project-private.h"

#include "nn-error.h"
#include "nn-h5.h"
#include "nn-json.h"

#include <string.h>

/* Layout: texts are arrays of bytes (attributes are limited in size); weights that a step has not changed are not
 * written again. A reader refuses versions beyond its own. */
#define MARK "espalier_project"
#define VERSION 1
#define MAX_TRAILS 10000
#define MAX_WEIGHTS 1000000

struct _NnProject {
  gatomicrefcount ref_count;
  NnModel        *model;
  NnConfig       *config;
  char           *data_spec;
  char           *data_hash;
  char           *notes;
  GPtrArray      *trails;
};

G_DEFINE_BOXED_TYPE (NnProject, nn_project, nn_project_ref, nn_project_unref)

NnProject *
nn_project_new (const NnModel  *model,
                const NnConfig *config,
                const char     *data_spec,
                const char     *data_hash,
                NnTrail *const *trails,
                guint           n_trails,
                const char     *notes)
{
  NnProject *project = g_new0 (NnProject, 1);

  g_atomic_ref_count_init (&project->ref_count);
  project->model = nn_model_ref ((NnModel *) model);
  project->config = nn_config_ref ((NnConfig *) config);
  project->data_spec = g_strdup (data_spec);
  project->data_hash = g_strdup (data_hash);
  project->notes = g_strdup (notes);
  project->trails = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_trail_unref);
  for (guint i = 0; i < n_trails; i++)
    g_ptr_array_add (project->trails, nn_trail_ref (trails[i]));
  return project;
}

NnProject *
nn_project_of_run (const NnModel        *model,
                   const NnConfig       *config,
                   const NnDataset      *data,
                   const NnPruneOptions *options,
                   NnTrail              *trail)
{
  NnProject *project = nn_project_new (model, config, options->data_spec, nn_dataset_hash (data), options->beside, options->n_beside,
                                       options->notes);

  g_ptr_array_add (project->trails, nn_trail_ref (trail));
  return project;
}

NnProject *
nn_project_ref (NnProject *project)
{
  g_atomic_ref_count_inc (&project->ref_count);
  return project;
}

void
nn_project_unref (NnProject *project)
{
  if (project == NULL || !g_atomic_ref_count_dec (&project->ref_count))
    return;
  nn_model_unref (project->model);
  nn_config_unref (project->config);
  g_free (project->data_spec);
  g_free (project->data_hash);
  g_free (project->notes);
  g_ptr_array_unref (project->trails);
  g_free (project);
}

static gboolean
put_text (NnH5       *h5,
          const char *path,
          const char *text,
          GError    **error)
{
  g_autoptr (NnTensor) bytes = NULL;

  if (text == NULL || text[0] == '\0')
    return TRUE;
  bytes = nn_tensor_new (NN_DTYPE_U8, &NN_SHAPE ((gint64) strlen (text)));
  memcpy (bytes->data, text, bytes->n);
  return nn_h5_put (h5, path, bytes, error);
}

static char *
get_text (NnH5       *h5,
          const char *path,
          GError    **error)
{
  g_autoptr (NnTensor) bytes = nn_h5_read (h5, path, NN_DTYPE_U8, error);
  char *text;

  if (bytes == NULL)
    return NULL;
  text = g_strndup (bytes->data, bytes->n);
  if (g_utf8_validate (text, -1, NULL))
    return text;
  g_free (text);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "\"%s\" of the project is not text", path);
  return NULL;
}

/* Optional texts are not errors where they are missing. */
static char *
get_optional (NnH5       *h5,
              const char *path)
{
  return nn_h5_has (h5, path) ? get_text (h5, path, NULL) : NULL;
}

static gboolean
same_bits (const NnTensor *a,
           const NnTensor *b)
{
  return a == b || (a != NULL && b != NULL && a->dtype == b->dtype && nn_shape_equal (&a->shape, &b->shape) &&
                    memcmp (a->data, b->data, a->n * nn_dtype_size (a->dtype)) == 0);
}

/* Weights below @path, but those that @base (nullable) has with the same bits. */
static gboolean
put_weights (NnH5          *h5,
             const char    *path,
             const NnModel *model,
             const NnModel *base,
             GError       **error)
{
  if (!nn_h5_put_group (h5, path, error))
    return FALSE;
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    {
      const NnWeight *w = nn_model_weight (model, i), *b = base != NULL ? nn_model_weight (base, i) : NULL;
      g_autofree char *values = g_strdup_printf ("%s/%u/values", path, i), *mask = g_strdup_printf ("%s/%u/mask", path, i);

      if ((b == NULL || !same_bits (w->values, b->values)) && !nn_h5_put (h5, values, w->values, error))
        return FALSE;
      if (w->mask != NULL && (b == NULL || !same_bits (w->mask, b->mask)) && !nn_h5_put (h5, mask, w->mask, error))
        return FALSE;
    }
  return TRUE;
}

static char *
info_to_json (const NnModel *model)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const NnModelInfo *info = nn_model_info (model);

  json_builder_begin_object (json);
  nn_put_string (json, "name", info->name);
  nn_put_string (json, "format", info->format);
  if (info->class_names != NULL)
    {
      json_builder_set_member_name (json, "class_names");
      json_builder_begin_array (json);
      for (guint i = 0; info->class_names[i] != NULL; i++)
        json_builder_add_string_value (json, info->class_names[i]);
      json_builder_end_array (json);
    }
  json_builder_set_member_name (json, "weights");
  json_builder_begin_array (json);
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    {
      const NnWeight *w = nn_model_weight (model, i);

      json_builder_begin_object (json);
      nn_put_string (json, "name", w->name);
      nn_put_string (json, "layer", w->layer);
      nn_put_int (json, "role", w->role);
      nn_put_int (json, "trainable", w->trainable);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  return nn_build_json (json);
}

static gboolean
put_trail (NnH5            *h5,
           const NnProject *project,
           guint            t,
           GError         **error)
{
  const NnTrail *trail = g_ptr_array_index (project->trails, t);
  g_autofree char *path = g_strdup_printf ("trails/%u", t), *options = g_strdup_printf ("%s/options", path);
  g_autofree char *list = g_strdup_printf ("%s/list", path), *steps = nn_steps_to_json (trail);

  if (!put_text (h5, list, steps, error) || !put_text (h5, options, nn_trail_options (trail), error))
    return FALSE;
  for (guint i = 0; i < nn_trail_n_steps (trail); i++)
    {
      g_autofree char *weights = g_strdup_printf ("%s/steps/%u", path, i);

      if (!put_weights (h5, weights, nn_trail_step (trail, i)->model, project->model, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * nn_project_save:
 *
 * Errors: %G_FILE_ERROR; %NN_ERROR_UNSUPPORTED for a layer that cannot be kept
 */
gboolean
nn_project_save (const NnProject *project,
                 const char      *path,
                 GError         **error)
{
  g_autofree char *graph = nn_graph_to_json (nn_model_graph (project->model), error);
  g_autofree char *config = nn_config_to_json (project->config), *info = info_to_json (project->model);
  const NnModelInfo *i = nn_model_info (project->model);
  g_autofree char *version = g_strdup_printf ("%d", VERSION);
  g_autoptr (NnH5) h5 = NULL;

  if (graph == NULL || (h5 = nn_h5_create (path, error)) == NULL || !nn_h5_put_string (h5, "/", MARK, version, error) ||
      !put_text (h5, "graph", graph, error) || !put_text (h5, "info", info, error) || !put_text (h5, "config", config, error) ||
      !put_text (h5, "data_spec", project->data_spec, error) || !put_text (h5, "data_hash", project->data_hash, error) ||
      !put_text (h5, "notes", project->notes, error) || !put_weights (h5, "weights", project->model, NULL, error))
    return FALSE;
  if ((i->input_mean != NULL && !nn_h5_put (h5, "input_mean", i->input_mean, error)) ||
      (i->input_deviation != NULL && !nn_h5_put (h5, "input_deviation", i->input_deviation, error)))
    return FALSE;
  for (guint t = 0; t < project->trails->len; t++)
    if (!put_trail (h5, project, t, error))
      return FALSE;
  return nn_h5_finish (h5, error);
}

static gboolean
is_marked (NnH5 *h5)
{
  return nn_h5_has_attribute (h5, "/", MARK);
}

gboolean
nn_project_is_project (const char *path)
{
  g_autoptr (NnH5) h5 = nn_h5_open (path, NULL);

  return h5 != NULL && is_marked (h5);
}

static gboolean
is_mask (const NnTensor *mask,
         const NnShape  *shape)
{
  gboolean good = nn_shape_equal (&mask->shape, shape);

  for (gsize i = 0; good && i < mask->n; i++)
    good = nn_tensor_u8 (mask)[i] <= 1;
  return good;
}

/* The weights of the network as loaded: the list is in the info, the values below "weights". */
static NnModel *
get_model (NnH5    *h5,
           GError **error)
{
  g_autofree char *text = get_text (h5, "info", error), *graph_text = NULL;
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GArray) weights = g_array_new (FALSE, TRUE, sizeof (NnWeight));
  g_autoptr (NnTensor) mean = NULL, deviation = NULL;
  g_autoptr (NnModel) model = NULL;
  NnModelInfo info = { 0 };
  JsonObject *object;
  JsonArray *array;

  if (text == NULL || (graph_text = get_text (h5, "graph", error)) == NULL ||
      (root = nn_json_parse (text, -1, "project", error)) == NULL)
    return NULL;
  object = nn_json_as_object (root);
  array = object != NULL ? nn_json_array (object, "weights") : NULL;
  if (array == NULL || json_array_get_length (array) > MAX_WEIGHTS)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the project's list of weights is damaged");
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *w = nn_json_as_object (json_array_get_element (array, i));
      g_autofree char *values = g_strdup_printf ("weights/%u/values", i), *mask = g_strdup_printf ("weights/%u/mask", i);
      NnWeight weight = { 0 };
      gint64 role = -1;

      if (w == NULL || (weight.name = nn_json_string (w, "name")) == NULL || (weight.layer = nn_json_string (w, "layer")) == NULL ||
          !nn_json_int (w, "role", &role) || role < 0 || role >= NN_N_ROLES)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "weight %u of the project is damaged", i);
          return NULL;
        }
      weight.role = (NnRole) role;
      weight.trainable = nn_json_int (w, "trainable", &role) && role != 0;
      weight.values = nn_h5_read (h5, values, NN_DTYPE_F32, error);
      if (weight.values == NULL)
        return NULL;
      g_ptr_array_add (hold, weight.values);
      if (nn_h5_has (h5, mask))
        {
          weight.mask = nn_h5_read (h5, mask, NN_DTYPE_U8, error);
          if (weight.mask == NULL)
            return NULL;
          g_ptr_array_add (hold, weight.mask);
          if (!is_mask (weight.mask, &weight.values->shape))
            {
              g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the mask of weight %u of the project does not fit", i);
              return NULL;
            }
        }
      g_array_append_val (weights, weight);
    }
  graph = nn_graph_from_json (graph_text, weights->len, error);
  if (graph == NULL)
    return NULL;
  info.name = nn_json_string (object, "name");
  info.format = nn_json_string (object, "format");
  array = nn_json_array (object, "class_names");
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    if (nn_json_as_string (json_array_get_element (array, i)) != NULL)
      g_ptr_array_add (names, (gpointer) nn_json_as_string (json_array_get_element (array, i)));
  g_ptr_array_add (names, NULL);
  info.class_names = names->len > 1 ? (const char *const *) names->pdata : NULL;
  if (nn_h5_has (h5, "input_mean") && nn_h5_has (h5, "input_deviation"))
    {
      info.input_mean = mean = nn_h5_read (h5, "input_mean", NN_DTYPE_F64, error);
      info.input_deviation = deviation = mean != NULL ? nn_h5_read (h5, "input_deviation", NN_DTYPE_F64, error) : NULL;
      if (deviation == NULL)
        return NULL;
    }
  if (mean != NULL && mean->n != deviation->n)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the project's means and deviations of the inputs differ in number");
      return NULL;
    }
  model = nn_model_new (graph, (const NnWeight *) weights->data, weights->len, &info, error);
  return model != NULL && nn_project_check_model (model, error) ? g_steal_pointer (&model) : NULL;
}

/* A step's network: the project's with what the step changed. */
static NnModel *
get_step_model (NnH5          *h5,
                const char    *path,
                const NnModel *base,
                GError       **error)
{
  guint n = nn_model_n_weights (base);
  g_autofree NnTensor **values = g_new0 (NnTensor *, MAX (n, 1)), **masks = g_new0 (NnTensor *, MAX (n, 1));
  NnModel *model = NULL;
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < n; i++)
    {
      g_autofree char *v = g_strdup_printf ("%s/%u/values", path, i), *m = g_strdup_printf ("%s/%u/mask", path, i);
      const NnShape *shape = &nn_model_weight (base, i)->values->shape;

      if (nn_h5_has (h5, v))
        ok = (values[i] = nn_h5_read (h5, v, NN_DTYPE_F32, error)) != NULL;
      if (ok && nn_h5_has (h5, m))
        ok = (masks[i] = nn_h5_read (h5, m, NN_DTYPE_U8, error)) != NULL;
      if (ok && ((values[i] != NULL && !nn_shape_equal (&values[i]->shape, shape)) ||
                 (masks[i] != NULL && !is_mask (masks[i], shape))))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: weight %u does not fit the network", path, i);
          ok = FALSE;
        }
    }
  if (ok)
    model = nn_model_with_weights (base, values, masks);
  for (guint i = 0; i < n; i++)
    {
      g_clear_pointer (&values[i], nn_tensor_unref);
      g_clear_pointer (&masks[i], nn_tensor_unref);
    }
  return model;
}

static NnTrail *
get_trail (NnH5          *h5,
           guint          t,
           const NnModel *base,
           GError       **error)
{
  g_autofree char *path = g_strdup_printf ("trails/%u", t), *list = g_strdup_printf ("%s/list", path);
  g_autofree char *options_path = g_strdup_printf ("%s/options", path), *options = get_optional (h5, options_path);
  g_autofree char *text = get_text (h5, list, error);
  g_autoptr (GPtrArray) steps = NULL;
  g_autoptr (NnTrail) trail = nn_trail_new (options);
  guint chosen;
  gboolean cancelled;

  if (text == NULL || (steps = nn_steps_from_json (text, &chosen, &cancelled, error)) == NULL)
    return NULL;
  for (guint i = 0; i < steps->len; i++)
    {
      g_autofree char *weights = g_strdup_printf ("%s/steps/%u", path, i);
      NnModel *model = get_step_model (h5, weights, base, error);
      NnStep *step;

      if (model == NULL)
        return NULL;
      step = g_memdup2 (g_ptr_array_index (steps, i), sizeof *step);
      step->model = model;
      nn_trail_take (trail, step);
    }
  nn_trail_set_chosen (trail, chosen);
  nn_trail_set_cancelled (trail, cancelled);
  return g_steal_pointer (&trail);
}

static NnProject *
load (NnH5       *h5,
      const char *path,
      GError    **error)
{
  g_autofree char *version = nn_h5_string (h5, "/", MARK, NULL), *config_text = NULL;
  g_autofree char *data_spec = get_optional (h5, "data_spec"), *data_hash = get_optional (h5, "data_hash");
  g_autofree char *notes = get_optional (h5, "notes");
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (NnProject) project = NULL;

  if (version == NULL || g_ascii_strtoll (version, NULL, 10) > VERSION)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "it is not an Espalier project, or one of a newer Espalier (%s; this one reads %d)",
                   version != NULL ? version : "no version", VERSION);
      return NULL;
    }
  if ((config_text = get_text (h5, "config", error)) == NULL || (config = nn_config_parse (config_text, error)) == NULL ||
      (model = get_model (h5, error)) == NULL)
    return NULL;
  project = nn_project_new (model, config, data_spec, data_hash, NULL, 0, notes);
  for (guint t = 0; t < MAX_TRAILS; t++)
    {
      g_autofree char *trail_path = g_strdup_printf ("trails/%u", t);
      NnTrail *trail;

      if (!nn_h5_has (h5, trail_path))
        break;
      trail = get_trail (h5, t, model, error);
      if (trail == NULL)
        return NULL;
      g_ptr_array_add (project->trails, trail);
    }
  return g_steal_pointer (&project);
}

/**
 * nn_project_load:
 *
 * Errors: %G_FILE_ERROR, %NN_ERROR_FORMAT, both naming the file; %NN_ERROR_UNSUPPORTED for a file that is no project or newer, %NN_ERROR_LIMIT
 */
NnProject *
nn_project_load (const char *path,
                 GError    **error)
{
  g_autoptr (NnH5) h5 = nn_h5_open (path, error);
  g_autoptr (GError) inner = NULL;
  NnProject *project;

  if (h5 == NULL)
    return NULL;
  project = load (h5, path, &inner);
  if (project != NULL)
    return project;
  if (!g_str_has_prefix (inner->message, path))
    g_prefix_error (&inner, "%s: ", path);
  /* a project that was written whole cannot have these: it is the file that is damaged */
  if (g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE) || g_error_matches (inner, NN_ERROR, NN_ERROR_NUMERIC))
    inner->code = NN_ERROR_FORMAT;
  g_propagate_error (error, g_steal_pointer (&inner));
  return NULL;
}

const NnModel *
nn_project_model (const NnProject *project)
{
  return project->model;
}

const NnModel *
nn_project_final (const NnProject *project)
{
  const NnTrail *trail;

  if (project->trails->len == 0)
    return project->model;
  trail = g_ptr_array_index (project->trails, project->trails->len - 1);
  return nn_trail_n_steps (trail) > 0 ? nn_trail_step (trail, nn_trail_chosen (trail))->model : project->model;
}

const NnConfig *
nn_project_config (const NnProject *project)
{
  return project->config;
}

const char *
nn_project_data_spec (const NnProject *project)
{
  return project->data_spec;
}

const char *
nn_project_data_hash (const NnProject *project)
{
  return project->data_hash;
}

guint
nn_project_n_trails (const NnProject *project)
{
  return project->trails->len;
}

NnTrail *
nn_project_trail (const NnProject *project,
                  guint            i)
{
  g_return_val_if_fail (i < project->trails->len, NULL);
  return g_ptr_array_index (project->trails, i);
}

const char *
nn_project_notes (const NnProject *project)
{
  return project->notes;
}

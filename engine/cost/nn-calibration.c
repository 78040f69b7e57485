/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's own syntheses: kept with their provenance, applied as factors, taken back one by one. */

#include "nn-calibration.h"

#include "nn-error.h"
#include "nn-matrix-cost.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* A factor beyond this says that report and design are not of one network. */
#define MAX_FACTOR 20.0
/* One design pulls the factor half-way, many all the way: as if there were one more that the estimate fits. */
#define PRIOR_WEIGHT 0.5
/* With at least this many, their own scatter replaces the bounds; at this many standard deviations. */
#define MIN_FOR_BOUNDS 4
#define SCATTER 2.0
#define MAX_FILE_BYTES (64u << 20)

struct _NnCalibration {
  GPtrArray *entries; /* of NnCalibrationEntry */
};

static void
entry_free (gpointer data)
{
  NnCalibrationEntry *entry = data;

  g_free (entry->source);
  g_free (entry->tool);
  g_free (entry->version);
  g_free (entry->part);
  g_free (entry->stage);
  g_free (entry);
}

NnCalibration *
nn_calibration_new (void)
{
  NnCalibration *calibration = g_new0 (NnCalibration, 1);

  calibration->entries = g_ptr_array_new_with_free_func (entry_free);
  return calibration;
}

void
nn_calibration_free (NnCalibration *calibration)
{
  if (calibration == NULL)
    return;
  g_ptr_array_unref (calibration->entries);
  g_free (calibration);
}

guint
nn_calibration_n_entries (const NnCalibration *calibration)
{
  return calibration->entries->len;
}

const NnCalibrationEntry *
nn_calibration_entry (const NnCalibration *calibration,
                      guint                i)
{
  g_return_val_if_fail (i < calibration->entries->len, NULL);
  return calibration->entries->pdata[i];
}

void
nn_calibration_add (NnCalibration            *calibration,
                    const NnCalibrationEntry *entry)
{
  NnCalibrationEntry *copy = g_memdup2 (entry, sizeof *entry);

  copy->source = g_strdup (entry->source != NULL ? entry->source : "");
  copy->tool = g_strdup (entry->tool != NULL ? entry->tool : "");
  copy->version = g_strdup (entry->version != NULL ? entry->version : "");
  copy->part = g_strdup (entry->part != NULL ? entry->part : "");
  copy->stage = g_strdup (entry->stage != NULL ? entry->stage : "csynth");
  for (guint i = 0; i < calibration->entries->len; i++)
    {
      const NnCalibrationEntry *old = calibration->entries->pdata[i];

      if (g_str_equal (old->source, copy->source) && g_str_equal (old->stage, copy->stage))
        {
          g_ptr_array_remove_index (calibration->entries, i);
          break;
        }
    }
  g_ptr_array_add (calibration->entries, copy);
}

void
nn_calibration_remove (NnCalibration *calibration,
                       guint          i)
{
  g_return_if_fail (i < calibration->entries->len);
  g_ptr_array_remove_index (calibration->entries, i);
}

/* Which figures are scaled: multipliers and memories follow laws. */
enum { SCALE_LUT, SCALE_FF, SCALE_LATENCY, N_SCALES };

static double
log_factor (const NnCalibrationEntry *entry,
            guint                     scale)
{
  NnResource resource = scale == SCALE_LUT ? NN_RESOURCE_LUT : NN_RESOURCE_FF;
  double estimated = scale == SCALE_LATENCY ? entry->estimated_latency : entry->estimated.amount[resource];
  double measured = scale == SCALE_LATENCY ? entry->measured_latency : entry->measured.amount[resource];

  if (!(estimated > 0) || !(measured > 0) || measured / estimated > MAX_FACTOR || estimated / measured > MAX_FACTOR)
    return NAN;
  return log (measured / estimated);
}

static gboolean
family_of (const char *part,
           NnFamily   *family)
{
  const NnPart *found = nn_part_find (part, NULL);

  if (found != NULL)
    *family = found->family;
  return found != NULL;
}

/* 3: same tool, version and family; 2: tool and family; 1: tool; 0: another tool or stage. */
static guint
likeness (const NnCalibrationEntry *entry,
          const char               *tool,
          const char               *version,
          const char               *stage,
          const NnPart             *part)
{
  NnFamily family;
  gboolean same_family = part != NULL && family_of (entry->part, &family) && family == part->family;

  if (!g_str_equal (entry->stage, stage) || (tool != NULL && g_ascii_strcasecmp (entry->tool, tool) != 0))
    return 0;
  if (!same_family)
    return 1;
  return version == NULL || g_str_equal (entry->version, version) ? 3 : 2;
}

static void
scale_figure (NnFigure *figure,
              double    factor,
              double    low,
              double    high)
{
  double value = figure->value;

  *figure = nn_figure_scale (*figure, factor);
  if (low > 0) /* the user's own scatter */
    {
      figure->low = floor (value * low);
      figure->high = ceil (value * high);
    }
}

static void
scale_cost (NnCost *cost,
            guint   scale,
            double  factor,
            double  low,
            double  high)
{
  if (scale == SCALE_LATENCY)
    {
      cost->latency_ns *= factor;
      scale_figure (&cost->latency, factor, low, high);
    }
  else
    scale_figure (&cost->resource[scale == SCALE_LUT ? NN_RESOURCE_LUT : NN_RESOURCE_FF], factor, low, high);
}

/* The HLS tool's figures go to the total and the layers, Vivado's to what is left of the total. */
static void
scale_estimate (NnEstimate *estimate,
                gboolean    synthesis,
                guint       scale,
                double      factor,
                double      low,
                double      high)
{
  NnResource resource = scale == SCALE_LUT ? NN_RESOURCE_LUT : NN_RESOURCE_FF;

  if (synthesis)
    {
      if (scale == SCALE_LATENCY)
        return;
      estimate->synthesised[resource] = estimate->total.resource[resource];
      scale_figure (&estimate->synthesised[resource], factor, low, high);
      estimate->synthesis_calibrated = TRUE;
      return;
    }
  scale_cost (&estimate->total, scale, factor, low, high);
  for (guint i = 0; i < estimate->n_layers; i++)
    scale_cost (&estimate->layers[i], scale, factor, 0, 0);
  if (scale != SCALE_LATENCY && !estimate->synthesis_calibrated)
    estimate->synthesised[resource] = nn_figure_scale (estimate->synthesised[resource], factor);
}

guint
nn_calibration_apply (const NnCalibration *calibration,
                      const char          *tool,
                      const char          *version,
                      const char          *stage,
                      NnEstimate          *estimate)
{
  const char *wanted = stage != NULL ? stage : "csynth";
  guint best = 0, used = 0;

  for (guint i = 0; i < calibration->entries->len; i++)
    best = MAX (best, likeness (calibration->entries->pdata[i], tool, version, wanted, estimate->part));
  if (best == 0)
    return 0;
  for (guint scale = 0; scale < N_SCALES; scale++)
    {
      double sum = 0, squares = 0, mean, deviation, factor, low = 0, high = 0;
      guint n = 0;

      for (guint i = 0; i < calibration->entries->len; i++)
        {
          const NnCalibrationEntry *entry = calibration->entries->pdata[i];
          double f = log_factor (entry, scale);

          if (likeness (entry, tool, version, wanted, estimate->part) != best || isnan (f))
            continue;
          n++;
          sum += f;
          squares += f * f;
        }
      used = MAX (used, n);
      if (n == 0)
        continue;
      mean = sum / n;
      deviation = n > 1 ? sqrt (MAX (0, (squares - n * mean * mean) / (n - 1))) : 0;
      factor = exp (sum / (n + PRIOR_WEIGHT));
      if (n >= MIN_FOR_BOUNDS)
        {
          low = factor * exp (-SCATTER * deviation);
          high = factor * exp (SCATTER * deviation);
        }
      scale_estimate (estimate, !g_str_equal (wanted, "csynth"), scale, factor, low, high);
    }
  return used;
}

/* As report readers name the HLS tools. */
static const char *
tool_of (NnBackend backend)
{
  static const char *const tools[NN_N_BACKENDS] = {
    [NN_BACKEND_VITIS] = "Vitis HLS", [NN_BACKEND_VIVADO] = "Vivado HLS", [NN_BACKEND_ONEAPI] = "oneAPI",
    [NN_BACKEND_QUARTUS] = "Intel HLS", [NN_BACKEND_CATAPULT] = "Catapult",
  };

  return tools[backend];
}

guint
nn_calibration_apply_all (const NnCalibration *calibration,
                          const NnConfig      *config,
                          const char          *version,
                          NnEstimate          *estimate)
{
  guint left = nn_calibration_apply (calibration, NULL, version, "vsynth", estimate), used;

  used = nn_calibration_apply (calibration, tool_of (nn_config_backend (config)), version, "csynth", estimate);
  if (used == 0)
    used = nn_calibration_apply (calibration, NULL, version, "csynth", estimate);
  return left + used;
}

char *
nn_calibration_own_path (void)
{
  return g_build_filename (g_get_user_data_dir (), "espalier", "calibration.json", NULL);
}

static void
add_text (JsonBuilder *json,
          const char  *name,
          const char  *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
add_number (JsonBuilder *json,
            const char  *name,
            double       value)
{
  if (isnan (value) || value < 0)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_figures (JsonBuilder       *json,
             const char        *name,
             const NnResources *resources,
             double             latency)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    add_number (json, nn_resource_name (r), resources->amount[r]);
  add_number (json, "latency_cycles", latency);
  json_builder_end_object (json);
}

gboolean
nn_calibration_save (const NnCalibration *calibration,
                     const char          *path,
                     GError             **error)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "calibration");
  json_builder_begin_array (json);
  for (guint i = 0; i < calibration->entries->len; i++)
    {
      const NnCalibrationEntry *entry = calibration->entries->pdata[i];

      json_builder_begin_object (json);
      add_text (json, "source", entry->source);
      add_text (json, "tool", entry->tool);
      add_text (json, "version", entry->version);
      add_text (json, "part", entry->part);
      add_text (json, "stage", entry->stage);
      add_figures (json, "estimated", &entry->estimated, entry->estimated_latency);
      add_figures (json, "measured", &entry->measured, entry->measured_latency);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  return g_file_set_contents (path, text, -1, error);
}

static double
read_number (JsonObject *object,
             const char *name,
             double      otherwise)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;
  double number;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) == G_TYPE_STRING)
    return otherwise;
  number = json_node_get_double (node);
  return isfinite (number) ? number : otherwise;
}

static const char *
read_text (JsonObject *object,
           const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
         ? json_node_get_string (node) : "";
}

static JsonObject *
read_object (JsonObject *object,
             const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gboolean
read_entry (NnCalibration *calibration,
            JsonNode      *node,
            GError       **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonObject *estimated = object != NULL ? read_object (object, "estimated") : NULL;
  JsonObject *measured = object != NULL ? read_object (object, "measured") : NULL;
  NnCalibrationEntry entry;

  if (estimated == NULL || measured == NULL)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "an entry needs the objects \"estimated\" and \"measured\"");
      return FALSE;
    }
  entry = (NnCalibrationEntry) {
    .source = (char *) read_text (object, "source"), .tool = (char *) read_text (object, "tool"),
    .version = (char *) read_text (object, "version"), .part = (char *) read_text (object, "part"),
    .stage = (char *) read_text (object, "stage"),
    .estimated_latency = read_number (estimated, "latency_cycles", NAN),
    .measured_latency = read_number (measured, "latency_cycles", NAN),
  };
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    {
      entry.estimated.amount[r] = read_number (estimated, nn_resource_name (r), -1);
      entry.measured.amount[r] = read_number (measured, nn_resource_name (r), -1);
    }
  nn_calibration_add (calibration, &entry);
  return TRUE;
}

NnCalibration *
nn_calibration_load (const char *path,
                     GError    **error)
{
  g_autoptr (NnCalibration) calibration = nn_calibration_new ();
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *text = NULL;
  JsonNode *root, *list = NULL;
  gsize n;

  if (!g_file_get_contents (path, &text, &n, error))
    return NULL;
  for (gsize i = 0, depth = 0; i < n; i++)
    {
      depth += text[i] == '{' || text[i] == '[';
      depth -= depth > 0 && (text[i] == '}' || text[i] == ']');
      if (depth > 16 || n > MAX_FILE_BYTES)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a calibration: it is too large or nests too deeply", path);
          return NULL;
        }
    }
  if (!json_parser_load_from_data (parser, text, n, error))
    {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    list = json_object_get_member (json_node_get_object (root), "calibration");
  if (list == NULL || !JSON_NODE_HOLDS_ARRAY (list))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a calibration: an object with an array \"calibration\" is expected", path);
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (list)); i++)
    if (!read_entry (calibration, json_array_get_element (json_node_get_array (list), i), error))
      {
        g_prefix_error (error, "%s: entry %u: ", path, i + 1);
        return NULL;
      }
  return g_steal_pointer (&calibration);
}

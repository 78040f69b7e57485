/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's Resize and Upsample. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

/* Elements of one axis before or after. */
#define MAX_EXTENT 65536

/* What the attributes say. Source: ONNX, Resize. */
typedef struct {
  const char *mode;
  const char *coordinates;
  const char *rounding;
  double      cubic;
  gboolean    exclude_outside;
} Resize;

/* Where element @i of the result stands in the data. */
static double
origin (const Resize *resize,
        gint64        i,
        double        scale,
        gint64        from,
        gint64        to)
{
  if (g_str_equal (resize->coordinates, "asymmetric"))
    return (double) i / scale;
  if (g_str_equal (resize->coordinates, "align_corners"))
    return to > 1 ? (double) i * (double) (from - 1) / (double) (to - 1) : 0;
  if (g_str_equal (resize->coordinates, "pytorch_half_pixel") && to <= 1)
    return 0;
  return ((double) i + 0.5) / scale - 0.5;
}

static double
nearest (const Resize *resize,
         double        x)
{
  if (g_str_equal (resize->rounding, "floor"))
    return floor (x);
  if (g_str_equal (resize->rounding, "ceil"))
    return ceil (x);
  return g_str_equal (resize->rounding, "round_prefer_ceil") ? floor (x + 0.5) : ceil (x - 0.5);
}

/* Source: R. Keys, Cubic convolution interpolation for digital image processing, 1981, equation 4 with its free parameter. */
static double
cubic (double a,
       double x)
{
  x = fabs (x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static void
fill_row (const Resize *resize,
          float        *row,
          gint64        from,
          double        x)
{
  gboolean linear = g_str_equal (resize->mode, "linear");
  double sum = 0;

  if (g_str_equal (resize->mode, "nearest"))
    {
      row[(gint64) CLAMP (nearest (resize, x), 0, (double) from - 1)] = 1;
      return;
    }
  for (gint64 k = (gint64) floor (x) - (linear ? 0 : 1); k <= (gint64) floor (x) + (linear ? 1 : 2); k++)
    {
      double weight = linear ? 1 - fabs (x - (double) k) : cubic (resize->cubic, x - (double) k);

      if (resize->exclude_outside && (k < 0 || k >= from))
        continue;
      sum += weight;
      row[CLAMP (k, 0, from - 1)] += (float) weight;
    }
  for (gint64 k = 0; resize->exclude_outside && sum != 0 && k < from; k++)
    row[k] = (float) (row[k] / sum);
}

static NnTensor *
matrix (NnOnnx        *onnx,
        const Resize  *resize,
        gint64         from,
        gint64         to,
        double         scale,
        GError       **error)
{
  NnTensor *tensor = nn_onnx_made (onnx, &NN_SHAPE (to, from), error);

  for (gint64 i = 0; tensor != NULL && i < to; i++)
    fill_row (resize, nn_tensor_f32 (tensor) + i * from, from, origin (resize, i, scale, from, to));
  return tensor;
}

/**
 * resize_by_matrix:
 * @scales: one factor for each axis of the file
 * @sizes: the new extents where the file told those, otherwise empty
 */
static gboolean
resize_by_matrix (NnOnnx           *onnx,
                  Onnx__NodeProto  *op,
                  NnOnnxValue      *value,
                  const GArray     *scales,
                  const GArray     *sizes,
                  GError          **error)
{
  gboolean old = g_str_equal (op->op_type, "Upsample") || onnx->opset < 11;
  Resize resize = { nn_onnx_string (onnx, op, "mode", "nearest"),
                    nn_onnx_string (onnx, op, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
                    nn_onnx_string (onnx, op, "nearest_mode", old ? "floor" : "round_prefer_floor"), nn_onnx_float (op, "cubic_coeff_a", -0.75),
                    nn_onnx_int (op, "exclude_outside", 0) != 0 };
  static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
  static const char *const places[] = { "asymmetric", "align_corners", "half_pixel", "pytorch_half_pixel", NULL };
  const char *name = op->input[0];

  if (!g_strv_contains (modes, resize.mode) || !g_strv_contains (places, resize.coordinates))
    return nn_load_unsupported (error, "mode \"%s\" with \"%s\" is not supported; nearest, linear and cubic are, with half_pixel, "
                                "pytorch_half_pixel, align_corners and asymmetric", resize.mode, resize.coordinates);
  for (guint axis = 0, n = value->rank; axis < n; axis++)
    {
      double scale = g_array_index (scales, double, axis);
      gint64 from = value->dims[axis], to;
      g_autofree char *next = g_strdup_printf ("%s__axis_%u", nn_onnx_out (op, 0), axis);
      NnTensor *kernel;

      if (scale == 1)
        continue;
      if (axis == value->batch || from < 1 || !(scale > 0) || scale * (double) from > MAX_EXTENT || from > MAX_EXTENT)
        return nn_load_unsupported (error, "the batch's and open axes keep their extent");
      to = sizes->len == n ? nn_onnx_whole (g_array_index (sizes, double, axis)) : (gint64) floor (scale * (double) from);
      if (to < 1)
        return nn_load_unsupported (error, "nothing is left of an axis");
      kernel = matrix (onnx, &resize, from, to, scale, error);
      if (kernel == NULL || !nn_onnx_mix (onnx, op, next, value, axis, kernel, error))
        return FALSE;
      value = g_hash_table_lookup (onnx->values, next);
      name = value->name;
    }
  return nn_onnx_run (onnx, "Identity", nn_onnx_out (op, 0), name, NULL, error);
}

/* Whether it is what an upsampling layer does: whole factors, nearest or linear, the channels left alone. */
static gboolean
is_upsampling (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               const GArray     *scales,
               guint             rank,
               gboolean          last)
{
  gboolean upsample = g_str_equal (op->op_type, "Upsample"), old = upsample || onnx->opset < 11;
  const char *mode = nn_onnx_string (onnx, op, "mode", "nearest");
  const char *coordinates = nn_onnx_string (onnx, op, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const char *rounding = nn_onnx_string (onnx, op, "nearest_mode", old ? "floor" : "round_prefer_floor");

  for (guint i = 0; i < scales->len; i++)
    {
      double s = g_array_index (scales, double, i);

      if (s < 1 || s != floor (s) || s > 1024 || (i == 0 && s != 1))
        return FALSE;
    }
  if (!last && g_array_index (scales, double, 1) != 1)
    return FALSE;
  if (g_str_equal (mode, "linear"))
    return g_str_equal (coordinates, "half_pixel") || g_str_equal (coordinates, "pytorch_half_pixel");
  return g_str_equal (mode, "nearest") && (g_str_equal (coordinates, "asymmetric") ? g_str_equal (rounding, "floor")
                                           : (g_str_equal (coordinates, "half_pixel") || g_str_equal (coordinates, "pytorch_half_pixel")) &&
                                               g_str_has_prefix (rounding, "round_"));
}

gboolean
nn_onnx_read_resize (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  g_autoptr (GArray) scales = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean upsample = g_str_equal (op->op_type, "Upsample"), found = FALSE, last;
  const char *mode = nn_onnx_string (onnx, op, "mode", "nearest");
  guint input = upsample || onnx->opset < 11 ? 1 : 2;
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (nn_onnx_attribute (op, "axes") != NULL || nn_onnx_int (op, "antialias", 0) != 0)
    return nn_load_unsupported (error, "\"axes\" and \"antialias\" are not supported");
  if (!nn_onnx_numbers (onnx, op, "scales", input, scales, &found) ||
      (!upsample && scales->len == 0 && !nn_onnx_numbers (onnx, op, "sizes", 3, sizes, &found)))
    return nn_load_unsupported (error, "its scales must be constant");
  for (guint i = 0; i < sizes->len && sizes->len == value->rank; i++)
    g_array_append_val (scales, (double){ i == value->batch ? 1 : g_array_index (sizes, double, i) / value->dims[i] });
  if (scales->len != value->rank || value->rank < 3 || value->rank > 4 || value->batch != 0)
    return nn_load_unsupported (error, "only data of one or two axes with channels are supported");
  last = g_array_index (scales, double, value->rank - 1) == 1 && g_array_index (scales, double, 1) != 1;
  if (!is_upsampling (onnx, op, scales, value->rank, last))
    return resize_by_matrix (onnx, op, value, scales, sizes, error);
  if (last ? !nn_onnx_natural (onnx, value, error) : !nn_onnx_channels_last (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_UPSAMPLE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.interpolation = g_str_equal (mode, "nearest") ? NN_INTERPOLATION_NEAREST : NN_INTERPOLATION_BILINEAR;
  for (guint i = 0; i + 2 < value->rank; i++)
    node->attrs.size[i] = nn_onnx_whole (g_array_index (scales, double, last ? i + 1 : i + 2));
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[value->at[i]];
  return TRUE;
}

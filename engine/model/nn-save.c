/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which writer serves: decided by the name's ending. */

#include "nn-save-private.h"

#include "nn-error.h"

/**
 * nn_model_save:
 * @path: ends in `.h5` or `.hdf5`, in `.keras`, or in `.onnx`
 *
 * Writes the network, its weights, masks, class names and standardisation. The file appears whole or not at all.
 *
 * Errors: %NN_ERROR_UNSUPPORTED for another ending, or a layer that the format lacks; %G_FILE_ERROR
 */
gboolean
nn_model_save (const NnModel  *model,
               const char     *path,
               GError        **error)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);

  if (g_str_has_suffix (lower, ".h5") || g_str_has_suffix (lower, ".hdf5"))
    return nn_save_keras (model, path, error);
  if (g_str_has_suffix (lower, ".keras"))
    return nn_save_keras3 (model, path, error);
  if (g_str_has_suffix (lower, ".onnx"))
    return nn_save_onnx (model, path, error);
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: networks are saved as Keras 2 and 3 (.h5), Keras 3 (.keras) or ONNX (.onnx)", path);
  return FALSE;
}

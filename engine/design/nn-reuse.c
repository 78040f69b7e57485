/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reuse factors. */

#include "nn-reuse.h"

/**
 * nn_reuse_is_valid:
 * @n_in: inputs of one output (of a convolution: kernel elements times channels)
 * @n_out: outputs (of a convolution: filters)
 * @reuse: weights that share one multiplier
 *
 * Returns: whether the Resource kernels accept @reuse
 *
 * Source: hls4ml, fpga_backend.py; equal to: a divisor of @n_in, or @n_in times a divisor of @n_out
 */
gboolean
nn_reuse_is_valid (guint n_in,
                   guint n_out,
                   guint reuse)
{
  if (reuse == 0 || n_in == 0 || n_out == 0)
    return FALSE;
  return reuse <= n_in ? n_in % reuse == 0 : reuse % n_in == 0 && n_out % (reuse / n_in) == 0;
}

/**
 * nn_reuse_valid:
 *
 * Returns: (transfer full) (element-type guint): all valid reuse factors, increasing
 */
GArray *
nn_reuse_valid (guint n_in,
                guint n_out)
{
  GArray *valid = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint d = 1; d <= n_in; d++)
    if (n_in % d == 0)
      g_array_append_val (valid, d);
  for (guint k = 2; k <= n_out; k++)
    if (n_out % k == 0)
      {
        guint reuse = n_in * k;

        g_array_append_val (valid, reuse);
      }
  return valid;
}

/* The valid value nearest to @reuse; of two as near, the smaller. */
guint
nn_reuse_nearest (guint n_in,
                  guint n_out,
                  guint reuse)
{
  g_autoptr (GArray) valid = nn_reuse_valid (n_in, n_out);
  guint best = 1;

  for (guint i = 0; i < valid->len; i++)
    {
      guint v = g_array_index (valid, guint, i);

      if (ABS ((gint64) v - reuse) < ABS ((gint64) best - reuse))
        best = v;
    }
  return best;
}

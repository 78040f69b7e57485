/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What hardware costs. */

#include "nn-resources.h"

static const char *const names[NN_N_RESOURCES] = { "dsp", "bram", "lut", "ff", "uram" };

/* The name used in JSON, in configurations and on the command line. */
const char *
nn_resource_name (NnResource resource)
{
  g_return_val_if_fail (resource < NN_N_RESOURCES, "dsp");
  return names[resource];
}

gboolean
nn_resource_find (const char *name,
                  NnResource *resource)
{
  for (guint i = 0; i < NN_N_RESOURCES; i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      {
        *resource = i;
        return TRUE;
      }
  return FALSE;
}

/* Unknown plus anything is unknown. */
NnResources
nn_resources_add (NnResources a,
                  NnResources b)
{
  for (guint i = 0; i < NN_N_RESOURCES; i++)
    a.amount[i] = a.amount[i] < 0 || b.amount[i] < 0 ? -1 : a.amount[i] + b.amount[i];
  return a;
}

NnResources
nn_resources_scale (NnResources a,
                    double      factor)
{
  for (guint i = 0; i < NN_N_RESOURCES; i++)
    a.amount[i] = a.amount[i] < 0 ? -1 : a.amount[i] * factor;
  return a;
}

/* Whether what is needed is there; an unknown amount on either side does not count against it. */
gboolean
nn_resources_fit (const NnResources *need,
                  const NnResources *have)
{
  for (guint i = 0; i < NN_N_RESOURCES; i++)
    if (need->amount[i] >= 0 && have->amount[i] >= 0 && need->amount[i] > have->amount[i])
      return FALSE;
  return TRUE;
}

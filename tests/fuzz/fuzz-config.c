/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configurations: JSON and YAML. What is read must be written and read back to the same text. */

#include "fuzz.h"

#include "nn-config.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (NnConfig) config = nn_config_parse (text, NULL);
  g_autoptr (NnConfig) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL, *second = NULL;

  if (config == NULL)
    return 0;
  json = nn_config_to_json (config);
  again = nn_config_parse (json, &error);
  if (again == NULL)
    g_error ("%s\n%s", error->message, json);
  second = nn_config_to_json (again);
  g_assert_cmpstr (json, ==, second);
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Project files: what loads can be looked at, saved network and chosen step alike. */

#include "fuzz-file.h"
#include "fuzz-model.h"

#include "nn-project.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  int fd = fuzz_file (data, size);
  g_autofree char *path = fuzz_file_path (fd);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnProject) project = nn_project_load (path, &error);

  g_assert_true ((project == NULL) == (error != NULL));
  g_assert_true (error == NULL || g_str_has_prefix (error->message, path));
  if (project != NULL)
    {
      fuzz_model (nn_model_ref ((NnModel *) nn_project_model (project)), &error);
      fuzz_model (nn_model_ref ((NnModel *) nn_project_final (project)), &error);
    }
  close (fd);
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of the user's own parts, and calibrations: JSON that people write by hand. */

#include "fuzz-file.h"

#include "nn-calibration.h"

#include <glib/gstdio.h>

/* What was loaded must be saved, and loaded again. */
static void
save_again (const NnCalibration *calibration)
{
  const char *quick = "/dev/shm";
  g_autofree char *path = g_strdup_printf ("%s/espalier-fuzz-%d.json", g_file_test (quick, G_FILE_TEST_IS_DIR) ? quick : g_get_tmp_dir (), getpid ());
  g_autoptr (NnCalibration) again = NULL;
  g_autoptr (GError) error = NULL;

  if (nn_calibration_save (calibration, path, &error))
    again = nn_calibration_load (path, &error);
  g_unlink (path);
  if (again == NULL)
    g_error ("a calibration that was loaded cannot be saved and loaded again: %s", error->message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  int fd = fuzz_file (data, size);
  g_autofree char *path = fuzz_file_path (fd);
  g_autoptr (NnCalibration) calibration = NULL;

  nn_parts_add_file (path, NULL);
  calibration = nn_calibration_load (path, NULL);
  if (calibration != NULL)
    save_again (calibration);
  close (fd);
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of the user's own parts, and calibrations: JSON that people write by hand. */

#include "fuzz.h"

#include "nn-calibration.h"

#include <glib/gstdio.h>
#include <unistd.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  g_autofree char *path = NULL;
  g_autoptr (NnCalibration) calibration = NULL;
  int file = g_file_open_tmp ("espalier-fuzz-XXXXXX", &path, NULL);

  if (file < 0)
    return 0;
  if (write (file, data, size) == (ssize_t) size)
    {
      nn_parts_add_file (path, NULL);
      calibration = nn_calibration_load (path, NULL);
      if (calibration != NULL && !nn_calibration_save (calibration, path, NULL))
        g_error ("cannot save what was loaded");
    }
  close (file);
  g_unlink (path);
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier [FILE…] */

#include "espalier-config.h"

#include "app-application.h"

#include <glib/gi18n.h>
#include <locale.h>

int
main (int    argc,
      char **argv)
{
  g_autoptr (GApplication) application = NULL;
  const char *localedir = g_getenv ("ESPALIER_LOCALEDIR"); /* of a build that is not installed */

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, localedir != NULL ? localedir : LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  application = app_application_new ();
  return g_application_run (application, argc, argv);
}

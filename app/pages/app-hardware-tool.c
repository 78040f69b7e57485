/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which tool the page would run, or that there is none. */

#include "app-hardware-page-private.h"

#include "app-preferences.h"

#include <glib/gi18n.h>

/* A list of tools is looked for in folders that may be those of a slow server. */
static gpointer
work_tools (AppJob           *job,
            gpointer          backend,
            const NnProgress *progress,
            GCancellable     *cancellable,
            GError          **error)
{
  return hls_tools_list (backend);
}

static char *
tool_text (const char *backend,
           GPtrArray  *tools)
{
  const HlsTool *tool = tools->len > 0 ? tools->pdata[0] : NULL;
  GSettings *settings = app_settings ();
  g_autofree char *given = settings != NULL ? g_settings_get_string (settings, "tool") : g_strdup ("");
  g_autofree char *script = settings != NULL ? g_settings_get_string (settings, "tool-settings") : g_strdup ("");
  g_autofree char *key = g_ascii_strdown (backend, -1), *text = NULL;

  if (*given != '\0' && hls_tool_fits (given, key))
    text = g_strdup_printf (_("Synthesizes with %s."), given);
  else if (*script != '\0')
    text = g_strdup_printf (_("Synthesizes with what %s brings."), script);
  else if (tool == NULL)
    return g_markup_printf_escaped (_("No tool for %s was found on this computer. The test bench needs none, and the exported project can be synthesized elsewhere. "
                                      "A tool in another place is named in <a href=\"preferences\">Preferences</a>."), backend);
  else if (tool->version == NULL)
    text = g_strdup_printf (_("Synthesizes with %s."), tool->path);
  else
    text = g_strdup_printf (_("Synthesizes with %s %s."), tool->title, tool->version);
  if (tools->len > 1)
    return g_markup_printf_escaped (ngettext ("%s %u is installed; <a href=\"preferences\">Preferences</a> name another.",
                                              "%s %u are installed; <a href=\"preferences\">Preferences</a> name another.", tools->len), text, tools->len);
  return g_markup_escape_text (text, -1);
}

static void
on_tools (AppJob          *job,
          AppHardwarePage *self)
{
  g_autoptr (GPtrArray) tools = app_job_steal_result (job);
  g_autofree char *text = tools != NULL ? tool_text (nn_backend_name (self->tools_of), tools) : NULL;

  if (text == NULL)
    return;
  gtk_label_set_markup (self->tool_label, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->tool_label), tools->len > 0 ? ((const HlsTool *) tools->pdata[0])->path : NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->tool_label), TRUE);
}

void
app_hardware_page_tell_tool (AppHardwarePage *self,
                             NnBackend        backend)
{
  g_autoptr (AppJob) job = NULL;

  if (self->tools_of == (int) backend)
    return;
  self->tools_of = backend;
  job = app_job_new ("", work_tools, g_ascii_strdown (nn_backend_name (backend), -1), g_free, (GDestroyNotify) g_ptr_array_unref);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_tools), self, 0);
  app_job_start (job);
}

static gboolean
on_tool_link (GtkLabel        *label,
              const char      *uri,
              AppHardwarePage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "app.preferences", NULL);
  return TRUE;
}

/* What the preferences name may have been changed. */
static void
on_tool_setting (AppHardwarePage *self)
{
  int backend = self->tools_of;

  self->tools_of = -1;
  if (backend >= 0)
    app_hardware_page_tell_tool (self, backend);
}

void
app_hardware_page_init_tool (AppHardwarePage *self)
{
  GSettings *settings = app_settings ();

  self->tools_of = -1;
  g_signal_connect (self->tool_label, "activate-link", G_CALLBACK (on_tool_link), self);
  if (settings == NULL)
    return;
  g_signal_connect_object (settings, "changed::tool", G_CALLBACK (on_tool_setting), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "changed::tool-settings", G_CALLBACK (on_tool_setting), self, G_CONNECT_SWAPPED);
}

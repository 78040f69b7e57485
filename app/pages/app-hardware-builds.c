/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The project written, the vendors' tools run on it one build after the other, their log. */

#include "app-hardware-page-private.h"

#include "app-dialogs.h"
#include "app-export.h"
#include "app-figures.h"
#include "app-format.h"
#include "app-study.h"

#include <glib/gi18n.h>
#include <string.h>

/* "93 DSP (91 measured) · ..." */
static char *
build_figures (const AppBuild *build)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (NnResource r = NN_RESOURCE_DSP; r <= NN_RESOURCE_FF; r++)
    {
      double measured = build->report != NULL ? build->report->resources.amount[r] : -1;
      g_autofree char *estimate = app_format_count (build->estimate.amount[r]);
      g_autofree char *count = measured >= 0 ? app_format_count (measured) : NULL;
      g_autofree char *part = count != NULL ? g_strdup_printf (_("%s %s (%s measured)"), estimate, app_resource_title (r), count)
                                            : g_strdup_printf ("%s %s", estimate, app_resource_title (r));

      if (build->estimate.amount[r] >= 0)
        g_string_append_printf (text, "%s%s", text->len > 0 ? " · " : "", part);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Where it is, what its tool is at, or why it failed; the end of the log that an error quotes is in the log already. */
static char *
build_says (const AppBuild *build)
{
  const char *state = app_build_state_title (build->state), *quoted = build->message != NULL ? strstr (build->message, "\nIts last words:") : NULL;
  g_autofree char *place = build->cluster != HLS_CLUSTER_NONE ? g_strdup_printf (_("%s on %s"), state, hls_cluster_name (build->cluster)) : g_strdup (state);

  if (build->message != NULL)
    {
      char *text = g_strndup (build->message, quoted != NULL ? (gsize) (quoted - build->message) : strlen (build->message));

      *text = g_ascii_toupper (*text);
      return text;
    }
  if (build->phase != NULL && *build->phase != '\0')
    return g_strdup_printf ("%s: %s", place, build->phase);
  return g_steal_pointer (&place);
}

static gboolean
is_at_work (const AppBuild *build)
{
  return build->state == APP_BUILD_RUNNING || build->state == APP_BUILD_EXPORTING;
}

static void
on_remove_build (GtkButton       *button,
                 AppHardwarePage *self)
{
  app_build_queue_remove (self->queue, GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "build")));
}

static GtkWidget *
row_label (GtkWidget  *box,
           const char *css_class)
{
  GtkWidget *label = gtk_label_new (NULL);

  g_object_set (label, "xalign", 0.0, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR, NULL);
  gtk_widget_set_hexpand (label, TRUE);
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

/* The parts of a row that change while its tool works. */
static void
update_row (GtkWidget      *row,
            const AppBuild *build)
{
  GtkProgressBar *bar = g_object_get_data (G_OBJECT (row), "bar");
  g_autofree char *says = build_says (build);

  gtk_label_set_text (g_object_get_data (G_OBJECT (row), "says"), says);
  gtk_widget_set_visible (GTK_WIDGET (bar), is_at_work (build));
  gtk_progress_bar_set_fraction (bar, CLAMP (build->fraction, 0, 1));
}

static GtkWidget *
build_row (AppHardwarePage *self,
           guint            i)
{
  const AppBuild *build = app_build_queue_get (self->queue, i);
  gboolean at_work = is_at_work (build);
  GtkWidget *row = adw_preferences_row_new (), *across = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *button = gtk_button_new_from_icon_name (at_work ? "process-stop-symbolic" : "list-remove-symbolic"), *bar = gtk_progress_bar_new ();
  g_autofree char *figures = build_figures (build), *name = g_strdup_printf (at_work ? _("Stop “%s”") : _("Remove “%s”"), build->title);
  GtkWidget *label;

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), build->title);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  g_object_set (across, "margin-start", 12, "margin-end", 6, "margin-top", 8, "margin-bottom", 8, NULL);
  gtk_label_set_text (GTK_LABEL (row_label (box, NULL)), build->title);
  label = row_label (box, "caption");
  if (build->state == APP_BUILD_FAILED)
    gtk_widget_add_css_class (label, "error");
  g_object_set_data (G_OBJECT (row), "says", label);
  g_object_set_data (G_OBJECT (row), "bar", bar);
  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (bar), 0);
  gtk_accessible_update_property (GTK_ACCESSIBLE (bar), GTK_ACCESSIBLE_PROPERTY_LABEL, build->title, -1);
  gtk_box_append (GTK_BOX (box), bar);
  label = row_label (box, "caption");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_label_set_text (GTK_LABEL (label), figures);
  gtk_widget_set_visible (label, *figures != '\0');
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_object_set_data (G_OBJECT (button), "build", GUINT_TO_POINTER (i));
  g_signal_connect (button, "clicked", G_CALLBACK (on_remove_build), self);
  gtk_box_append (GTK_BOX (across), box);
  gtk_box_append (GTK_BOX (across), button);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), across);
  update_row (row, build);
  return row;
}

static void
fill_builds (AppHardwarePage *self)
{
  guint n = app_build_queue_n (self->queue);

  app_rows_clear (self->builds);
  for (guint i = 0; i < n; i++)
    gtk_list_box_append (self->builds, build_row (self, i));
  gtk_widget_set_visible (GTK_WIDGET (self->builds), n > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->builds_title), n > 0);
}

static void
on_progress (AppBuildQueue   *queue,
             guint            i,
             AppHardwarePage *self)
{
  GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->builds, i);

  if (row != NULL)
    update_row (GTK_WIDGET (row), app_build_queue_get (queue, i));
}

/* The build whose tool says something. */
static const AppBuild *
build_at_work (AppBuildQueue *queue)
{
  for (guint i = 0; i < app_build_queue_n (queue); i++)
    if (app_build_queue_get (queue, i)->state == APP_BUILD_RUNNING)
      return app_build_queue_get (queue, i);
  return NULL;
}

static void
on_line (AppBuildQueue   *queue,
         const char      *line,
         AppHardwarePage *self)
{
  const AppBuild *build = build_at_work (queue);
  gboolean first = self->log == NULL;

  if (first)
    {
      self->log = APP_LOG_VIEW (app_log_view_new ());
      gtk_expander_set_child (self->log_expander, GTK_WIDGET (self->log));
      gtk_widget_set_visible (GTK_WIDGET (self->log_expander), TRUE);
      gtk_expander_set_expanded (self->log_expander, TRUE);
    }
  if (build != NULL && (first || build != self->log_of))
    {
      g_autofree char *path = build->stages != HLS_STAGE_CSIM ? g_build_filename (build->folder, "espalier-job.log", NULL) : NULL;

      app_log_view_heading (self->log, build->title);
      app_log_view_set_path (self->log, path);
    }
  self->log_of = build;
  app_log_view_append (self->log, line);
}

/* What waits for a folder goes to the queue; the network shown is in the folder itself where it was exported there. */
static gboolean
queue_wanted (gpointer data)
{
  AppHardwarePage *self = data;
  AppAnalysis *analysis = self->wanted_of != NULL ? self->wanted_of : app_document_analysis (app_page_document (APP_PAGE (self)));

  if (self->wanted != 0 && self->folder != NULL && analysis != NULL)
    app_build_queue_add (self->queue, self->wanted_title, analysis, self->wanted, self->folder, analysis == self->exported,
                         adw_combo_row_get_selected (self->place_row) == 1 ? hls_cluster_find () : HLS_CLUSTER_NONE);
  self->wanted = 0;
  g_clear_pointer (&self->wanted_of, app_analysis_unref);
  g_object_unref (self);
  return G_SOURCE_REMOVE;
}

static void
on_exported (AppJob          *job,
             AppHardwarePage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  g_autoptr (HlsProject) project = app_job_steal_result (job);
  const char *const *files;

  if (project == NULL)
    return;
  app_rows_clear (self->files);
  files = hls_project_files (project);
  for (guint i = 0; files[i] != NULL; i++)
    {
      gsize n = 0;
      g_autofree char *size = NULL;

      hls_project_bytes (project, files[i], &n);
      size = g_format_size (n);
      app_rows_add (self->files, files[i], size);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->files_expander), TRUE);
  gtk_expander_set_expanded (self->files_expander, self->wanted == 0);
  app_document_say (document, _("HLS project written"), FALSE);
  g_idle_add (queue_wanted, g_object_ref (self));
}

static void
on_folder (const char *folder,
           gpointer    object)
{
  app_hardware_page_export_to (object, folder);
}

void
app_hardware_page_export_to (AppHardwarePage *self,
                             const char      *folder)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  AppAnalysis *analysis = app_document_analysis (document);
  AppJob *job;

  if (analysis == NULL || app_document_job (document) != NULL)
    return;
  g_free (self->folder);
  self->folder = g_strdup (folder);
  g_clear_pointer (&self->exported, app_analysis_unref);
  self->exported = app_analysis_ref (analysis);
  job = app_export_job (analysis, app_document_state (document)->data, folder);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_exported), self, 0);
  app_document_run (document, job);
}

void
app_hardware_page_export (AppHardwarePage *self)
{
  app_ask_folder (GTK_WIDGET (self), _("Folder for the HLS Project"), on_folder, self);
}

static void
on_queue_folder (const char *folder,
                 gpointer    object)
{
  AppHardwarePage *self = object;

  g_free (self->folder);
  self->folder = g_strdup (folder);
  queue_wanted (g_object_ref (self));
}

void
app_hardware_page_want_stages (AppHardwarePage *self,
                               HlsStages        stages,
                               AppAnalysis     *variant,
                               const char      *title)
{
  self->wanted = stages;
  g_clear_pointer (&self->wanted_of, app_analysis_unref);
  self->wanted_of = variant != NULL ? app_analysis_ref (variant) : NULL;
  g_free (self->wanted_title);
  self->wanted_title = g_strdup (title);
  if (self->folder != NULL)
    queue_wanted (g_object_ref (self));
  else if (variant != NULL)
    app_ask_folder (GTK_WIDGET (self), _("Folder for the HLS Projects"), on_queue_folder, self);
  else
    app_hardware_page_export (self);
}

/* What is shown and on what hardware, in a line. */
static char *
shown_title (AppHardwarePage *self)
{
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));
  g_autofree char *run = app_state_step (state) != NULL ? app_study_run_title (state, state->run) : NULL;
  g_autofree char *step = run != NULL ? g_strdup_printf (_("%s, step %u"), run, state->step) : g_strdup (_("As loaded"));

  return g_strdup_printf (_("%s: %s, reuse factor %u"), step, nn_strategy_name (nn_config_strategy (state->config, NULL, NULL)),
                          nn_config_reuse (state->config, NULL, NULL));
}

static void
on_build (AppHardwarePage *self,
          HlsStages        stages)
{
  g_autofree char *title = NULL;

  if (app_document_analysis (app_page_document (APP_PAGE (self))) == NULL)
    return;
  title = shown_title (self);
  app_hardware_page_want_stages (self, stages, NULL, title);
}

static void
on_csim (AppHardwarePage *self)
{
  on_build (self, HLS_STAGE_CSIM);
}

static void
on_synth (AppHardwarePage *self)
{
  on_build (self, HLS_STAGE_SYNTH);
}

/* A cluster is offered where its commands are. */
static void
fill_places (AppHardwarePage *self)
{
  HlsCluster cluster = hls_cluster_find ();
  const char *names[] = { _("This computer"), hls_cluster_name (cluster), NULL };
  g_autoptr (GtkStringList) places = gtk_string_list_new (names);

  adw_combo_row_set_model (self->place_row, G_LIST_MODEL (places));
  gtk_widget_set_visible (GTK_WIDGET (self->place_row), cluster != HLS_CLUSTER_NONE);
  /* beside a subtitle there would be no room for the choice itself */
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->place_row), _("Jobs on a cluster go on when this window is closed; the project must lie where its machines see it"));
}

void
app_hardware_page_init_builds (AppHardwarePage *self)
{
  fill_places (self);
  g_signal_connect_swapped (self->csim_button, "clicked", G_CALLBACK (on_csim), self);
  g_signal_connect_swapped (self->synth_button, "clicked", G_CALLBACK (on_synth), self);
  app_hardware_page_init_tool (self);
}

void
app_hardware_page_begin_builds (AppHardwarePage *self,
                                AppDocument     *document)
{
  self->queue = app_build_queue_new (document);
  g_signal_connect_object (self->queue, "changed", G_CALLBACK (fill_builds), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->queue, "progress", G_CALLBACK (on_progress), self, 0);
  g_signal_connect_object (self->queue, "line", G_CALLBACK (on_line), self, 0);
  fill_builds (self);
}

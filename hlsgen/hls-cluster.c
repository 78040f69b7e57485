/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same job on this machine, on Slurm or on HTCondor: a script that leaves its log and its status in the project. */

#include "hls-cluster-private.h"

#include "hls-process.h"
#include "hls-tool.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

void
hls_job_options_init (HlsJobOptions *options)
{
  *options = (HlsJobOptions){ .name = "espalier", .cpus = 1 };
}

static gboolean
on_path (const char *program)
{
  g_autofree char *path = g_find_program_in_path (program);

  return path != NULL;
}

/**
 * hls_cluster_find:
 *
 * Returns: the scheduler whose commands are on the PATH, Slurm before HTCondor
 */
HlsCluster
hls_cluster_find (void)
{
  if (on_path ("sbatch") && on_path ("squeue"))
    return HLS_CLUSTER_SLURM;
  if (on_path ("condor_submit") && on_path ("condor_q"))
    return HLS_CLUSTER_HTCONDOR;
  return HLS_CLUSTER_NONE;
}

const char *
hls_cluster_name (HlsCluster cluster)
{
  static const char *const names[] = { "none", "Slurm", "HTCondor", "this machine" };

  g_return_val_if_fail (cluster < G_N_ELEMENTS (names), "none");
  return names[cluster];
}

/**
 * hls_cluster_find_named:
 * @name: "slurm", "htcondor", or "auto" for the one that is there
 *
 * Errors: %HLS_ERROR_UNSUPPORTED for another name, %HLS_ERROR_TOOL_MISSING where it is not there
 */
HlsCluster
hls_cluster_find_named (const char  *name,
                        GError     **error)
{
  HlsCluster cluster = g_ascii_strcasecmp (name, "slurm") == 0      ? HLS_CLUSTER_SLURM
                       : g_ascii_strcasecmp (name, "htcondor") == 0 ? HLS_CLUSTER_HTCONDOR
                                                                    : HLS_CLUSTER_NONE;
  gboolean automatic = g_ascii_strcasecmp (name, "auto") == 0;

  if (cluster == HLS_CLUSTER_NONE && !automatic)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "\"%s\" is no cluster; slurm, htcondor and auto are", name);
      return HLS_CLUSTER_NONE;
    }
  if (automatic)
    cluster = hls_cluster_find ();
  if ((cluster == HLS_CLUSTER_SLURM && on_path ("sbatch")) || (cluster == HLS_CLUSTER_HTCONDOR && on_path ("condor_submit")))
    return cluster;
  g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "no cluster: %s is not on the PATH",
               cluster == HLS_CLUSTER_SLURM ? "sbatch (Slurm)" : cluster == HLS_CLUSTER_HTCONDOR ? "condor_submit (HTCondor)"
               : "neither sbatch (Slurm) nor condor_submit (HTCondor)");
  return HLS_CLUSTER_NONE;
}

static void
append_command (GString            *text,
                const char *const  *command)
{
  for (const char *const *word = command; *word != NULL; word++)
    {
      g_autofree char *quoted = g_shell_quote (*word);

      g_string_append (text, quoted);
      if (word[1] != NULL)
        g_string_append_c (text, ' ');
    }
}

/**
 * hls_cluster_script:
 * @command: (array zero-terminated=1): program and arguments
 *
 * Returns: (transfer full): the job as a shell script; for Slurm with its wishes as comments
 */
char *
hls_cluster_script (HlsCluster           cluster,
                    const char *const   *command,
                    const HlsJobOptions *options)
{
  GString *text = g_string_new ("#!/usr/bin/env bash\n");

  if (cluster == HLS_CLUSTER_SLURM)
    {
      g_string_append_printf (text, "#SBATCH --job-name=%s\n#SBATCH --output=%s\n", options->name, HLS_JOB_LOG);
      if (options->cpus > 0)
        g_string_append_printf (text, "#SBATCH --cpus-per-task=%u\n", options->cpus);
      if (options->memory_mb > 0)
        g_string_append_printf (text, "#SBATCH --mem=%uM\n", options->memory_mb);
      if (options->minutes > 0)
        g_string_append_printf (text, "#SBATCH --time=%u\n", options->minutes);
      if (options->queue != NULL)
        g_string_append_printf (text, "#SBATCH --partition=%s\n", options->queue);
    }
  if (cluster == HLS_CLUSTER_LOCAL) /* its own number, which is that of the job: what it starts can be found by it */
    g_string_append (text, HLS_PROCESS_MARK "=$$\nexport " HLS_PROCESS_MARK "\n");
  append_command (text, command);
  g_string_append_c (text, '\n');
  if (options->then != NULL)
    {
      g_string_append (text, "status=$?\nif [ $status = 0 ]; then\n");
      if (options->then_title != NULL)
        {
          g_autofree char *title = g_shell_quote (options->then_title);

          g_string_append_printf (text, "echo %s\n", title);
        }
      append_command (text, options->then);
      g_string_append (text, "\nelse\n(exit $status)\nfi\n");
    }
  g_string_append (text, "status=$?\necho $status > " HLS_JOB_STATUS ".new && mv " HLS_JOB_STATUS ".new " HLS_JOB_STATUS "\nexit $status\n");
  return g_string_free (text, FALSE);
}

static char *
condor_submit_file (const HlsJobOptions *options)
{
  GString *text = g_string_new ("universe = vanilla\nexecutable = " HLS_JOB_SCRIPT "\noutput = " HLS_JOB_LOG "\nerror = " HLS_JOB_LOG
                                "\nlog = espalier-job.events\nshould_transfer_files = NO\ngetenv = True\nstream_output = True\n");

  g_string_append_printf (text, "batch_name = %s\n", options->name);
  if (options->cpus > 0)
    g_string_append_printf (text, "request_cpus = %u\n", options->cpus);
  if (options->memory_mb > 0)
    g_string_append_printf (text, "request_memory = %uM\n", options->memory_mb);
  if (options->minutes > 0) /* HTCondor's own word, and that of CERN's pools; a version that does not know one leaves it out */
    g_string_append_printf (text, "allowed_job_duration = %u\n+MaxRuntime = %u\n", options->minutes * 60, options->minutes * 60);
  if (options->queue != NULL)
    g_string_append_printf (text, "accounting_group = %s\n", options->queue);
  g_string_append (text, "queue\n");
  return g_string_free (text, FALSE);
}

char *
hls_cluster_ask (const char        *folder,
                 const char *const *argv,
                 GError           **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
    g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *out = NULL, *err = NULL;

  if (folder != NULL)
    g_subprocess_launcher_set_cwd (launcher, folder);
  process = g_subprocess_launcher_spawnv (launcher, argv, error);
  if (process == NULL || !g_subprocess_communicate_utf8 (process, NULL, NULL, &out, &err, error))
    return NULL;
  if (g_subprocess_get_successful (process))
    return g_strdup (g_strstrip (out));
  g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED, "%s: %s", argv[0], g_strstrip (err));
  return NULL;
}

static gboolean
write_file (const char *folder,
            const char *name,
            const char *text,
            int         mode,
            GError    **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, error);
}

/* Slurm prints "17" or "17;cluster"; HTCondor's terse form "17.0 - 17.0". */
static char *
job_id (const char *printed)
{
  gsize n = strspn (printed, "0123456789.");

  return n > 0 ? g_strndup (printed, n) : NULL;
}

/* Begins the script in a session of its own, which goes on when we end. Other shells than bash do not hand on functions, of which
 * "module" of environment modules is one. */
static char *
start_here (const char  *folder,
            GError     **error)
{
  g_autofree char *path = g_build_filename (folder, HLS_JOB_LOG, NULL);
  const char *argv[] = { on_path ("bash") ? "bash" : "sh", HLS_JOB_SCRIPT, NULL };
  int log = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  gboolean begun;
  GPid pid;

  if (log < 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED, "cannot write \"%s\"", path);
      return NULL;
    }
  begun = g_spawn_async_with_fds (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                  hls_process_enter_session, NULL, &pid, -1, log, log, error);
  close (log);
  return begun ? g_strdup_printf ("%d", (int) pid) : NULL;
}

/**
 * hls_cluster_last:
 * @cluster: (out): where it runs or ran
 *
 * Returns: (transfer full) (nullable): the id of the job that was begun last in @folder
 */
char *
hls_cluster_last (const char *folder,
                  HlsCluster *cluster)
{
  g_autofree char *path = g_build_filename (folder, HLS_JOB_ID, NULL), *text = NULL;
  g_auto (GStrv) words = NULL;

  *cluster = HLS_CLUSTER_NONE;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  words = g_strsplit (g_strstrip (text), " ", 2);
  if (g_strv_length (words) != 2 || *words[1] == '\0' || strspn (words[1], "0123456789.") != strlen (words[1]))
    return NULL;
  *cluster = g_str_equal (words[0], "slurm")      ? HLS_CLUSTER_SLURM
             : g_str_equal (words[0], "htcondor") ? HLS_CLUSTER_HTCONDOR
             : g_str_equal (words[0], "local")    ? HLS_CLUSTER_LOCAL
                                                  : HLS_CLUSTER_NONE;
  return *cluster != HLS_CLUSTER_NONE ? g_strdup (words[1]) : NULL;
}

/* When the job of @folder was begun, in seconds since 1970; 0 where there is none. */
gint64
hls_cluster_begun (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, HLS_JOB_SCRIPT, NULL);
  GStatBuf status;

  return g_stat (path, &status) == 0 ? (gint64) status.st_mtime : 0;
}

static gboolean
remember (HlsCluster   cluster,
          const char  *folder,
          const char  *job,
          GError     **error)
{
  static const char *const words[] = { "none", "slurm", "htcondor", "local" };
  g_autofree char *text = g_strdup_printf ("%s %s\n", words[cluster], job);

  return write_file (folder, HLS_JOB_ID, text, 0644, error);
}

/* Hands the script that is written to the scheduler; the job's id, or NULL with what it said and, where it is known, what to do. */
static char *
ask_for_job (HlsCluster   cluster,
             const char  *folder,
             GError     **error)
{
  static const char *const sbatch[] = { "sbatch", "--parsable", HLS_JOB_SCRIPT, NULL };
  static const char *const condor[] = { "condor_submit", "-terse", HLS_JOB_SUBMIT, NULL };
  g_autoptr (GError) inner = NULL;
  g_autofree char *printed = hls_cluster_ask (folder, cluster == HLS_CLUSTER_SLURM ? sbatch : condor, &inner);
  const char *advice = inner != NULL ? hls_tool_explain (inner->message) : NULL;
  char *id = printed != NULL ? job_id (printed) : NULL;

  if (printed == NULL)
    g_set_error (error, inner->domain, inner->code, "%s%s%s", inner->message, advice != NULL ? "\n" : "", advice != NULL ? advice : "");
  else if (id == NULL)
    g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED, "%s answered \"%s\" instead of a job's number", hls_cluster_name (cluster), printed);
  return id;
}

/**
 * hls_cluster_submit:
 * @folder: the project's; the job runs in it, and it must be one that the cluster's machines see
 * @command: (array zero-terminated=1): program and arguments
 * @options: (nullable): defaults without it
 *
 * Errors: %HLS_ERROR_TOOL_MISSING without a scheduler, %HLS_ERROR_TOOL_FAILED with what it said and what that means,
 * %HLS_ERROR_UNSUPPORTED for a queue that no name can be
 *
 * Returns: (transfer full): the job's id
 */
char *
hls_cluster_submit (HlsCluster           cluster,
                    const char          *folder,
                    const char *const   *command,
                    const HlsJobOptions *options,
                    GError             **error)
{
  g_autofree char *script = NULL, *submit = NULL, *id = NULL;
  HlsJobOptions standard;

  if (cluster == HLS_CLUSTER_NONE)
    {
      g_set_error_literal (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING,
                           "no cluster: neither sbatch (Slurm) nor condor_submit (HTCondor) is on the PATH");
      return NULL;
    }
  if (options == NULL)
    {
      hls_job_options_init (&standard);
      options = &standard;
    }
  if (options->queue != NULL && strpbrk (options->queue, " \t\r\n\"'#") != NULL)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "\"%s\" cannot be the name of a partition or a group", options->queue);
      return NULL;
    }
  for (const char *const *old = (const char *const[]){ HLS_JOB_STATUS, HLS_JOB_LOG, HLS_JOB_ID, NULL }; *old != NULL; old++)
    {
      g_autofree char *path = g_build_filename (folder, *old, NULL);

      g_unlink (path);
    }
  script = hls_cluster_script (cluster, command, options);
  submit = condor_submit_file (options);
  if (!write_file (folder, HLS_JOB_SCRIPT, script, 0755, error) ||
      (cluster == HLS_CLUSTER_HTCONDOR && !write_file (folder, HLS_JOB_SUBMIT, submit, 0644, error)))
    return NULL;
  if (cluster == HLS_CLUSTER_LOCAL)
    id = start_here (folder, error);
  else
    id = ask_for_job (cluster, folder, error);
  if (id == NULL || !remember (cluster, folder, id, error))
    return NULL;
  return g_steal_pointer (&id);
}

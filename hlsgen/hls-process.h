/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One foreign program with all its children: started in a session of its own, read line by line, ended as a whole. */

#pragma once

#include "hls-lines.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* Runs @argv in @folder until it ends; its output and its errors are one stream of lines. FALSE with an error when it
 * could not be started or was cancelled; its exit status (or 128 and the signal) is in @status otherwise. */
gboolean hls_process_run (const char *const  *argv,
                          const char         *folder,
                          HlsLineFunc         on_line,
                          gpointer            data,
                          GCancellable       *cancellable,
                          int                *status,
                          GError            **error) G_GNUC_WARN_UNUSED_RESULT;

/* A variable of the environment that tells the processes of one run, also those that left its session. */
#define HLS_PROCESS_MARK "ESPALIER_JOB"

/* For what starts programs itself: between fork and exec. */
void     hls_process_enter_session  (gpointer    data);
guint    hls_process_signal         (pid_t       session,
                                     const char *mark,
                                     int         number);
void     hls_process_end            (pid_t       session,
                                     const char *mark);

G_END_DECLS

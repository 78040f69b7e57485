/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every verb of the command line shares. One file a verb; the table of verbs is in main.c. */

#pragma once

#include "hls.h"
#include "nn.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Exit status (docs/cli.md). */
#define CLI_DONE 0
#define CLI_FAILED 1
#define CLI_USAGE 2
#define CLI_CANCELLED 130

/**
 * Cli: options that all verbs understand, and what goes with them.
 * @json: print one JSON object on stdout and nothing else there
 * @quiet: no progress
 * @seed: --seed
 * @cancellable: cancelled by SIGINT
 * @progress: to be handed to long verbs
 */
typedef struct {
  gboolean      json;
  gboolean      quiet;
  gint64        seed;
  gint          threads;
  GCancellable *cancellable;
  NnProgress    progress;
} Cli;

/**
 * CliVerb:
 * @name: as typed
 * @arguments: what follows it, for the usage line
 * @summary: one line
 * @run: gets the arguments after the verb, argv[0] being the verb; returns an exit status
 */
typedef struct {
  const char *name;
  const char *arguments;
  const char *summary;
  int       (*run) (Cli *cli, int argc, char **argv);
} CliVerb;

extern const CliVerb cli_build;
extern const CliVerb cli_configure;
extern const CliVerb cli_emit;
extern const CliVerb cli_evaluate;
extern const CliVerb cli_estimate;
extern const CliVerb cli_export;
extern const CliVerb cli_frontier;
extern const CliVerb cli_groups;
extern const CliVerb cli_inspect;
extern const CliVerb cli_parts;
extern const CliVerb cli_predict;
extern const CliVerb cli_prune;
extern const CliVerb cli_profile;
extern const CliVerb cli_report;
extern const CliVerb cli_sample;
extern const CliVerb cli_train;

/* Parses @entries and the common options from argv, in place; what is left are the positional arguments, which must be
 * @min to @max in number. On failure prints a message and returns FALSE with the exit status in @status (also for --help). */
gboolean cli_parse       (Cli                *cli,
                          const CliVerb      *verb,
                          const GOptionEntry *entries,
                          int                 min,
                          int                 max,
                          int                *argc,
                          char             ***argv,
                          int                *status);
/* Prints "espalier-cli VERB: message" to stderr; the status that fits the error. Frees @error. */
int      cli_fail        (const CliVerb      *verb,
                          GError             *error);
/* Puts the data's name before an error of shapes, which tells only how data and network do not fit. */
void     cli_name_data   (GError            **error,
                          const char         *data);
/* What a design does otherwise than asked, on standard error. */
void     cli_warn_model  (const NnModel      *model);
void     cli_warn        (const char *const  *warnings);
/* Prints the builder's root object to stdout. */
void     cli_print_json  (JsonBuilder        *builder);
void     cli_json_double (JsonBuilder        *builder,
                          const char         *name,
                          double              value); /* null where not finite */
void     cli_json_int    (JsonBuilder        *builder,
                          const char         *name,
                          gint64              value);
void     cli_json_string (JsonBuilder        *builder,
                          const char         *name,
                          const char         *value); /* null for NULL */
/* The members of a report (docs/cli.md), into the object that is open. */
void     cli_json_report (JsonBuilder        *builder,
                          const HlsReport    *report);

/* A model file, or the chosen network of a project (then @config, when given and still %NULL, is the project's). */
NnModel  *cli_open_model       (Cli                *cli,
                                const char         *path,
                                const char         *weights,
                                NnConfig          **config,
                                GError            **error);
/* --config FILE, hls4ml's defaults without it; names of layers are checked. */
NnConfig *cli_open_config      (const char         *path,
                                const NnModel      *model,
                                GError            **error);

G_END_DECLS

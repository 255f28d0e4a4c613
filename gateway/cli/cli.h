/* cli.h - the command line: one table of commands, read by the dispatcher, `--help`, the manual's
 * test and completion.
 *
 * A command gets a `struct cli` with what its row asks for (the configuration, an open store,
 * rules) and returns NULL or a fault; a fault's kind is the exit code. "Done, but something needs
 * attention" is cli->attention (exit 1).
 */
#ifndef TASKFERRY_CLI_H
#define TASKFERRY_CLI_H

#include <stdio.h>

#include <jansson.h>

#include "base/log.h"
#include "gateway/sync/edit.h"
#include "gateway/sync/sync.h"
#include "model/files.h"

#define CLI_ARGS_MAX 64 /* words behind a command */
#define CLI_OPTIONS_MAX 8

/* What a command needs before it runs; each includes those before it. */
enum cli_needs { CLI_NOTHING, CLI_CONF, CLI_STORE, CLI_RULES };

struct cli_option {
	const char *name;     /* "--json" */
	const char *argument; /* "FILE", or NULL: none */
	const char *help;
};

struct cli;
typedef struct fault *cli_run(struct cli *cli);

struct cli_command {
	const char *name;       /* "task" */
	const char *second;     /* "list", or NULL */
	const char *usage;      /* words behind it, "ASSIGNMENT FIELD=VALUE..." */
	int args_min, args_max; /* positional words; -1: any number */
	enum cli_needs needs;
	cli_run *run;
	const char *help;                           /* one sentence */
	struct cli_option options[CLI_OPTIONS_MAX]; /* ended by a NULL name */
};

struct cli {
	TALLOC_CTX *mem; /* lives as long as the command */
	const struct cli_command *command;
	const char *conf_path;
	bool verbose;
	struct conf *conf;
	struct store *store;
	struct rules *rules;
	struct clock *clock;
	struct points *points;
	struct log *log;
	FILE *out, *err;
	const char *args[CLI_ARGS_MAX]; /* positional */
	int arg_count;
	const char
		*option_values[CLI_OPTIONS_MAX]; /* "" for one without argument, NULL: not given */
	bool attention;                          /* exit 1 */
	int exit_code;                           /* a command's own, when not 0 */
};

/* All commands; the table is in cli_table.c. */
const struct cli_command *cli_commands(size_t *count_r);

/* Runs ARGV; returns the exit code. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

/* The value of an option of this command: NULL not given, "" given without argument. */
const char *cli_option(const struct cli *cli, const char *name);
static inline bool cli_has(const struct cli *cli, const char *name)
{
	return cli_option(cli, name) != NULL;
}

/* A line for people on standard error that needs attention: printed, exit 1. */
void cli_attention(struct cli *cli, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Prints a JSON document on standard output and drops the reference. */
void cli_json(struct cli *cli, json_t *document);

/* JSON values: a string or null; an id as a string; a time (0: null); a set value of a field or
 * null; an attachment as an object. */
json_t *cli_json_text(const char *text);
json_t *cli_json_id(int64_t id);
json_t *cli_json_time(TALLOC_CTX *mem, int64_t us);
json_t *cli_json_file(const struct file *file);
json_t *cli_json_value(TALLOC_CTX *mem, enum field field, const struct value *value);

/* The edit environment of this process: author "project:USER". */
struct edit_env cli_edit_env(struct cli *cli);
struct sync_env cli_sync_env(struct cli *cli);

/* The database's own id: a service that works on another one shall not answer. NULL: not known. */
const char *cli_instance(struct cli *cli);

/* The database was changed and committed: a running service is told. Unless QUIET, prints what comes
 * next. */
void cli_carry(struct cli *cli, bool quiet);

/* Found by what people type, or a DATA fault that names the command that lists them. */
struct fault *cli_project(struct cli *cli, const char *code,
			  struct project **project_r) ATTR_MUST_CHECK;
struct fault *cli_resource(struct cli *cli, const char *key,
			   struct resource **resource_r) ATTR_MUST_CHECK;
struct fault *cli_assignment(struct cli *cli, const char *id,
			     struct assignment **assignment_r) ATTR_MUST_CHECK;

/* The commands. */
cli_run cmd_init, cmd_check, cmd_doctor, cmd_import, cmd_publish, cmd_sync, cmd_run, cmd_status;
cli_run cmd_project_list, cmd_project_show, cmd_project_archive;
cli_run cmd_task_list, cmd_task_show, cmd_task_set;
cli_run cmd_task_attach, cmd_task_detach, cmd_task_files;
cli_run cmd_resource_list, cmd_resource_show, cmd_resource_set;
cli_run cmd_history, cmd_revisions, cmd_revision_show, cmd_revision_decide;
cli_run cmd_queue, cmd_queue_retry;

#endif

#include "config.h"

#include "gateway/cli/cli.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/daemon/control.h"

#define DEFAULT_CONF "/etc/taskferry/taskferry.ini"
#define EXIT_ATTENTION 1
#define HELP_COLUMN 34

/* ---- help ---- */

static char *synopsis(TALLOC_CTX *mem, const struct cli_command *command)
{
	char *text = mem_printf(mem, "%s%s%s", command->name, command->second ? " " : "",
				command->second ? command->second : "");

	if (command->usage[0])
		text = mem_printf(mem, "%s %s", text, command->usage);
	for (const struct cli_option *o = command->options;
	     o < command->options + CLI_OPTIONS_MAX && o->name; o++)
		text = mem_printf(mem, "%s [%s%s%s]", text, o->name, o->argument ? " " : "",
				  o->argument ? o->argument : "");
	return text;
}

static void print_help(struct cli *cli)
{
	size_t count;
	const struct cli_command *commands = cli_commands(&count);

	fprintf(cli->out,
		"taskferry brings a project's tasks to the people who do them, in the accounts "
		"that they have, and their "
		"progress back.\n\n"
		"usage: taskferry [-c FILE] [-v] COMMAND ...\n\n"
		"  -c FILE     the configuration; default $TASKFERRY_CONFIG, else " DEFAULT_CONF
		"\n"
		"  -v          say more on standard error\n"
		"  --help      this text; behind a command, that command's\n"
		"  --version   the version\n\n"
		"First steps: write a configuration, then: check, init, import plan.xml, doctor, "
		"publish CODE, sync.\n\n"
		"commands:\n");
	for (size_t i = 0; i < count; i++) {
		char *words = mem_printf(
			cli->mem, "%s%s%s %s", commands[i].name, commands[i].second ? " " : "",
			commands[i].second ? commands[i].second : "", commands[i].usage);

		fprintf(cli->out, "  %-*s %s%s\n", HELP_COLUMN, words,
			strlen(words) > HELP_COLUMN ? "\n    " : "", commands[i].help);
	}
	fprintf(cli->out, "\nExit: 0 done; 1 done, but something needs attention; otherwise as in "
			  "sysexits.h.\n"
			  "The manual: taskferry(1), taskferry.ini(5), taskferry-rules(7), "
			  "taskferry-sync(7), taskferry-servers(7).\n");
}

static void print_command_help(struct cli *cli, const struct cli_command *command)
{
	fprintf(cli->out, "usage: taskferry %s\n\n%s\n", synopsis(cli->mem, command),
		command->help);
	if (command->options[0].name)
		fprintf(cli->out, "\n");
	for (const struct cli_option *o = command->options;
	     o < command->options + CLI_OPTIONS_MAX && o->name; o++)
		fprintf(cli->out, "  %-28s %s\n",
			mem_printf(cli->mem, "%s%s%s", o->name, o->argument ? " " : "",
				   o->argument ? o->argument : ""),
			o->help);
}

/* Hidden: what the torture runner reads. */
static void print_points(struct cli *cli)
{
	for (int i = 0; i < POINTS; i++)
		fprintf(cli->out, "%s\t%s\n", point_name((enum point)i),
			point_words((enum point)i));
}

/* ---- words ---- */

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

static struct fault *unknown_command(struct cli *cli, const char *word)
{
	const struct cli_command *commands, *best = NULL;
	size_t count, distance, least = 4;

	commands = cli_commands(&count);
	for (size_t i = 0; i < count; i++) {
		distance = text_distance(word, commands[i].name);
		if (distance < least) {
			least = distance;
			best = &commands[i];
		}
	}
	return fault_new(cli->mem, FAULT_USAGE,
			 "there is no command '%s'%s%s%s; see: taskferry --help", word,
			 best ? " (did you mean '" : "", best ? best->name : "", best ? "'?)" : "");
}

static char *second_words(struct cli *cli, const char *first)
{
	const struct cli_command *commands;
	char *text = mem_strdup(cli->mem, "");
	size_t count;

	commands = cli_commands(&count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(commands[i].name, first) && commands[i].second)
			text = mem_printf(cli->mem, "%s%s%s", text, *text ? ", " : "",
					  commands[i].second);
	return text;
}

/* The command that the words name; a second word that belongs to it is consumed. */
static struct fault *find_command(struct cli *cli, char **words, int count, int *used_r)
{
	const struct cli_command *commands, *plain = NULL;
	bool family = false;
	size_t n;

	commands = cli_commands(&n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(commands[i].name, words[0]))
			continue;
		if (commands[i].second && count > 1 && !strcmp(commands[i].second, words[1])) {
			cli->command = &commands[i];
			*used_r = 2;
			return NULL;
		}
		if (commands[i].second)
			family = true;
		else
			plain = &commands[i];
	}
	if (!plain && family)
		return fault_new(cli->mem, FAULT_USAGE, "'%s' takes a second word: %s", words[0],
				 second_words(cli, words[0]));
	if (!plain)
		return unknown_command(cli, words[0]);
	cli->command = plain;
	*used_r = 1;
	return NULL;
}

static struct fault *take_option(struct cli *cli, char **words, int count, int *i)
{
	const struct cli_option *options = cli->command->options;
	const char *equals = strchr(words[*i], '=');
	size_t len = equals ? (size_t)(equals - words[*i]) : strlen(words[*i]);

	for (int o = 0; o < CLI_OPTIONS_MAX && options[o].name; o++) {
		if (strlen(options[o].name) != len || strncmp(options[o].name, words[*i], len))
			continue;
		if (!options[o].argument && equals)
			return fault_new(cli->mem, FAULT_USAGE, "%s takes no value",
					 options[o].name);
		if (!options[o].argument)
			cli->option_values[o] = "";
		else if (equals)
			cli->option_values[o] = equals + 1;
		else if (*i + 1 < count)
			cli->option_values[o] = words[++*i];
		else
			return fault_new(cli->mem, FAULT_USAGE, "%s needs %s", options[o].name,
					 options[o].argument);
		return NULL;
	}
	return fault_new(cli->mem, FAULT_USAGE, "'%s' does not take %s; usage: taskferry %s",
			 cli->command->name, words[*i], synopsis(cli->mem, cli->command));
}

static struct fault *take_words(struct cli *cli, char **words, int count)
{
	bool only_words = false;

	for (int i = 0; i < count; i++) {
		if (!only_words && !strcmp(words[i], "--")) {
			only_words = true;
		} else if (!only_words && words[i][0] == '-' && words[i][1]) {
			FAULT_TRY(take_option(cli, words, count, &i));
		} else if (cli->arg_count == CLI_ARGS_MAX) {
			return fault_new(cli->mem, FAULT_USAGE, "more than %d words", CLI_ARGS_MAX);
		} else {
			cli->args[cli->arg_count++] = words[i];
		}
	}
	if (cli->arg_count < cli->command->args_min ||
	    (cli->command->args_max >= 0 && cli->arg_count > cli->command->args_max))
		return fault_new(cli->mem, FAULT_USAGE, "usage: taskferry %s",
				 synopsis(cli->mem, cli->command));
	return NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
	for (int o = 0; o < CLI_OPTIONS_MAX && cli->command->options[o].name; o++)
		if (!strcmp(cli->command->options[o].name, name))
			return cli->option_values[o];
	return NULL;
}

/* ---- what a command needs ---- */

static struct fault *open_conf(struct cli *cli)
{
	struct conf_report *report = NULL;
	enum log_level level;

	FAULT_TRY(conf_read(cli->mem, cli->conf_path, &cli->conf, &report));
	if (!cli->conf) {
		conf_report_print(report, cli->err);
		return fault_new(cli->mem, FAULT_CONFIG, "%s: %zu %s; nothing was done",
				 cli->conf_path, report->errors,
				 report->errors == 1 ? "error" : "errors");
	}
	if (log_level_from_name(cli->conf->log_level, &level))
		log_set_level(cli->log, cli->verbose ? LOG_LEVEL_DEBUG : level);
	return zone_use(cli->mem, cli->conf->site.timezone);
}

static struct fault *open_rules(struct cli *cli)
{
	struct conf_report *report = MEM_NEW(cli->mem, struct conf_report);

	report->path = cli->conf_path;
	cli->rules = rules_new(cli->mem, cli->conf, report);
	if (cli->rules)
		return NULL;
	conf_report_print(report, cli->err);
	return fault_new(cli->mem, FAULT_CONFIG, "%s: a rule is not accepted; nothing was done",
			 cli->conf_path);
}

static struct fault *prepare(struct cli *cli)
{
	if (cli->command->needs >= CLI_CONF)
		FAULT_TRY(open_conf(cli));
	if (cli->command->needs >= CLI_STORE)
		FAULT_TRY(
			store_open(cli->mem, cli->conf->dsn, cli->clock, cli->points, &cli->store));
	if (cli->command->needs >= CLI_RULES)
		FAULT_TRY(open_rules(cli));
	return NULL;
}

/* ---- main ---- */

static struct fault *take_globals(struct cli *cli, int argc, char **argv, int *first_r)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-c") && i + 1 < argc)
			cli->conf_path = argv[++i];
		else if (!strcmp(argv[i], "-v"))
			cli->verbose = true;
		else if (!strcmp(argv[i], "-c"))
			return fault_new(cli->mem, FAULT_USAGE, "-c needs a file");
		else
			break;
	}
	*first_r = i;
	return NULL;
}

static struct fault *run(struct cli *cli, int argc, char **argv)
{
	int first = 1, used = 0;

	FAULT_TRY(take_globals(cli, argc, argv, &first));
	if (first >= argc)
		return fault_new(cli->mem, FAULT_USAGE, "which command? see: taskferry --help");
	if (is_help(argv[first])) {
		print_help(cli);
		return NULL;
	}
	if (!strcmp(argv[first], "--version")) {
		fprintf(cli->out, "taskferry " PACKAGE_VERSION "\n");
		return NULL;
	}
	if (!strcmp(argv[first], "--fault-points")) {
		print_points(cli);
		return NULL;
	}
	FAULT_TRY(find_command(cli, argv + first, argc - first, &used));
	first += used;
	for (int i = first; i < argc && strcmp(argv[i], "--"); i++) {
		if (strcmp(argv[i], "--help") && strcmp(argv[i], "-h"))
			continue;
		print_command_help(cli, cli->command);
		return NULL;
	}
	FAULT_TRY(take_words(cli, argv + first, argc - first));
	FAULT_TRY(prepare(cli));
	return cli->command->run(cli);
}

static int finish(struct cli *cli, struct fault *fault)
{
	int code = fault            ? fault_exit(fault)
		   : cli->exit_code ? cli->exit_code
		   : cli->attention ? EXIT_ATTENTION
				    : 0;

	bool lost;

	/* before the fault: both may go to one file. A reader that had enough (`| head`) is none. */
	lost = (fflush(cli->out) || ferror(cli->out)) && errno != EPIPE;
	if (fault)
		fprintf(cli->err, "taskferry: %s\n", fault->text);
	if (lost && !code) {
		fprintf(cli->err, "taskferry: standard output could not be written\n");
		code = 74;
	}
	talloc_free(cli->mem);
	return code;
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	const char *path = getenv("TASKFERRY_CONFIG");
	struct cli cli = { .mem = MEM_CONTEXT(NULL),
			   .out = out,
			   .err = err,
			   .conf_path = path && *path ? path : DEFAULT_CONF };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error like a full disk, not an end */
	umask(077);
	cli.clock = clock_system(cli.mem);
	cli.points =
		points_new(cli.mem, getenv("TASKFERRY_KILL_AT"), getenv("TASKFERRY_POINT_LOG"));
	cli.log = log_new(cli.mem, err, LOG_LEVEL_INFO);
	return finish(&cli, run(&cli, argc, argv));
}

/* ---- helpers of the commands ---- */

void cli_attention(struct cli *cli, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(cli->mem, fmt, ap);
	va_end(ap);
	fprintf(cli->err, "%s\n", text);
	cli->attention = true;
}

void cli_json(struct cli *cli, json_t *document)
{
	json_dumpf(document, cli->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', cli->out);
	json_decref(document);
}

json_t *cli_json_text(const char *text)
{
	json_t *value;

	if (!text)
		return json_null();
	value = json_string(text);
	return value ? value : json_null(); /* what is no UTF-8 cannot be said in JSON */
}

json_t *cli_json_id(int64_t id)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)id);
	return json_string(text);
}

json_t *cli_json_time(TALLOC_CTX *mem, int64_t us)
{
	return us ? cli_json_text(clock_rfc3339(mem, us)) : json_null();
}

json_t *cli_json_file(const struct file *file)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(file->name));
	json_object_set_new(object, "type", cli_json_text(file->type));
	json_object_set_new(object, "size",
			    file->digest ? json_integer(file->size) : json_null());
	json_object_set_new(object, "digest", cli_json_text(file->digest));
	json_object_set_new(object, "uri", cli_json_text(file->uri));
	return object;
}

static json_t *files_json(TALLOC_CTX *mem, const char *lines)
{
	struct files *files = files_read(mem, lines);
	json_t *array = json_array();

	for (size_t i = 0; i < files->count; i++)
		json_array_append_new(array, cli_json_file(&files->list[i]));
	return array;
}

json_t *cli_json_value(TALLOC_CTX *mem, enum field field, const struct value *value)
{
	if (value->presence != SET)
		return json_null();
	switch (field_table[field].type) {
	case FIELD_NUMBER:
	case FIELD_EFFORT:
		return json_integer(value->number);
	case FIELD_FLAG:
		return json_boolean(value->number != 0);
	case FIELD_FILES:
		return files_json(mem, value->text);
	default:
		break;
	}
	if (field_table[field].type == FIELD_LIST) {
		char *lines = mem_strdup(mem, value->text), *save = NULL;
		json_t *array = json_array();

		for (char *line = strtok_r(lines, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			json_array_append_new(array, cli_json_text(line));
		return array;
	}
	return cli_json_text(value_text(mem, field, value));
}

struct edit_env cli_edit_env(struct cli *cli)
{
	const struct passwd *user = getpwuid(geteuid());
	char number[24];

	snprintf(number, sizeof number, "%ld", (long)geteuid());
	return (struct edit_env){ .conf = cli->conf,
				  .store = cli->store,
				  .clock = cli->clock,
				  .points = cli->points,
				  .rules = cli->rules,
				  .author = mem_printf(cli->mem, "project:%s",
						       user ? user->pw_name : number) };
}

struct sync_env cli_sync_env(struct cli *cli)
{
	return (struct sync_env){ .conf = cli->conf, .clock = cli->clock, .points = cli->points };
}

const char *cli_instance(struct cli *cli)
{
	char *instance = NULL;
	struct fault *fault = store_meta(cli->store, cli->mem, "instance", &instance);

	return fault ? NULL : instance;
}

void cli_carry(struct cli *cli, bool quiet)
{
	bool heard = control_poke(cli->conf->control_socket, cli_instance(cli));

	if (!quiet)
		fprintf(cli->out, heard ? "The service is at it.\n" : "Next: taskferry sync\n");
}

struct fault *cli_project(struct cli *cli, const char *code, struct project **project_r)
{
	struct project *project = NULL;

	FAULT_TRY(project_by_code(cli->store, cli->mem, code, &project));
	if (!project)
		return fault_new(cli->mem, FAULT_DATA,
				 "there is no project '%s'; `taskferry project list` shows all",
				 code);
	*project_r = project;
	return NULL;
}

struct fault *cli_resource(struct cli *cli, const char *key, struct resource **resource_r)
{
	struct resource *resource = NULL;

	FAULT_TRY(project_resource_by_key(cli->store, cli->mem, text_lower(cli->mem, key),
					  &resource));
	if (!resource)
		return fault_new(cli->mem, FAULT_DATA,
				 "there is no person '%s'; `taskferry resource list` shows all",
				 key);
	*resource_r = resource;
	return NULL;
}

struct fault *cli_assignment(struct cli *cli, const char *id, struct assignment **assignment_r)
{
	struct assignment *assignment = NULL;
	int64_t number;

	if (text_to_int(id, &number))
		FAULT_TRY(project_assignment(cli->store, cli->mem, number, &assignment));
	if (!assignment)
		return fault_new(cli->mem, FAULT_DATA,
				 "there is no assignment '%s'; `taskferry task list` shows all",
				 id);
	*assignment_r = assignment;
	return NULL;
}

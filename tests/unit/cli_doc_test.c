/* The table of commands and the manual say the same. TF_SRCDIR is the root of the source tree.
 *
 * The manual has, for each row of the table and in its order, a line `.It Ic COMMAND ...` as made
 * by heading() here, and below it the row's help; then, for each option but --json, `.It Fl OPTION`
 * and its help. --json is described once. Everything else in the manual that looks like a command
 * or an option has to be one. */
#include "config.h"

#include "gateway/cli/cli.h"

#include <ctype.h>

#include "manual.h"

#define MANUAL TF_SRCDIR "/doc/taskferry.1"
#define COMPLETION TF_SRCDIR "/contrib/completions/taskferry.bash"

/* The lines of text at the beginning, up to the first macro, as one line. */
static char *first_words(TALLOC_CTX *mem, const char *at)
{
	struct buf *words = buf_new(mem);
	char *line;

	while ((line = manual_line(mem, &at)) && *line != '.') {
		if (words->len)
			buf_putc(words, ' ');
		buf_puts(words, line);
	}
	return buf_steal(&words, mem, NULL);
}

/* What stands below LINE in TEXT; NULL when there is no such line, or more than one. */
static const char *below(TALLOC_CTX *mem, const char *text, const char *line)
{
	char *whole = mem_printf(mem, "\n%s\n", line);
	const char *found = strstr(text, whole);

	if (!found || strstr(found + 1, whole))
		return NULL;
	return found + strlen(whole);
}

static char *option_words(TALLOC_CTX *mem, const struct cli_option *option)
{
	return mem_printf(mem, "Fl %s%s%s", option->name + 1, option->argument ? " Ar " : "",
			  option->argument ? option->argument : "");
}

static char *command_words(TALLOC_CTX *mem, const struct cli_command *command)
{
	return mem_printf(mem, "%s%s%s", command->name, command->second ? " " : "",
			  command->second ? command->second : "");
}

/* The line that describes a command: usage `[X]` is `Oo Ar X Oc`. */
static char *heading(TALLOC_CTX *mem, const struct cli_command *command)
{
	char *line = mem_printf(mem, ".It Ic %s", command_words(mem, command));
	size_t len = strlen(command->usage);

	if (len > 2 && *command->usage == '[')
		line = mem_printf(mem, "%s Oo Ar %.*s Oc", line, (int)len - 2, command->usage + 1);
	else if (len)
		line = mem_printf(mem, "%s Ar %s", line, command->usage);
	for (const struct cli_option *o = command->options;
	     o < command->options + CLI_OPTIONS_MAX && o->name; o++)
		line = mem_printf(mem, "%s Oo %s Oc", line, option_words(mem, o));
	return line;
}

static void expect_help(const char *what, const char *words, const char *help)
{
	cr_expect(text_starts(words, help), "%s\n  expected: %s\n  the manual: %s", what, help,
		  words);
}

/* ---- the table in the manual ---- */

static void expect_options(TALLOC_CTX *mem, const struct cli_command *command, const char *entry)
{
	for (const struct cli_option *o = command->options;
	     o < command->options + CLI_OPTIONS_MAX && o->name; o++) {
		char *line = mem_printf(mem, ".It %s", option_words(mem, o));
		const char *at = below(mem, entry, line);

		if (!strcmp(o->name, "--json"))
			continue;
		cr_expect_not_null(at, "'%s' lacks the line: %s", command_words(mem, command),
				   line);
		if (at)
			expect_help(line, first_words(mem, at), o->help);
	}
}

Test(cli_doc, every_command_and_option_stands_in_the_manual)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const struct cli_command *commands;
	const char *text = manual_part(mem, manual_load(mem, MANUAL), ".Sh COMMANDS");
	size_t count;

	commands = cli_commands(&count);
	cr_assert_gt(count, 20);
	for (size_t i = 0; i < count; i++) {
		char *line = heading(mem, &commands[i]);
		const char *at = below(mem, text, line), *end;

		cr_expect_not_null(at, "not there, or twice: %s", line);
		if (!at)
			continue;
		expect_help(line, first_words(mem, at), commands[i].help);
		end = strstr(at, "\n.It Ic ");
		expect_options(
			mem, &commands[i],
			mem_strndup(mem, at - 1, end ? (size_t)(end - at) + 2 : strlen(at - 1)));
	}
	talloc_free(mem);
}

Test(cli_doc, json_is_described_once)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const struct cli_command *commands;
	const char *manual = manual_load(mem, MANUAL),
		   *json = manual_part(mem, manual, ".Sh JSON OUTPUT");
	const char *at = below(mem, manual, ".It Fl -json");
	size_t count, seen = 0;

	cr_assert_not_null(at);
	commands = cli_commands(&count);
	for (size_t i = 0; i < count; i++)
		for (const struct cli_option *o = commands[i].options;
		     o < commands[i].options + CLI_OPTIONS_MAX && o->name; o++) {
			if (strcmp(o->name, "--json"))
				continue;
			seen++;
			expect_help("--json", first_words(mem, at), o->help);
			cr_expect_not_null(below(mem, json,
						 mem_printf(mem, ".It Ic %s",
							    command_words(mem, &commands[i]))),
					   "the JSON of '%s' is not described",
					   command_words(mem, &commands[i]));
		}
	cr_assert_gt(seen, 8);
	talloc_free(mem);
}

/* ---- the manual in the table ---- */

static bool is_heading(TALLOC_CTX *mem, const char *line)
{
	const struct cli_command *commands;
	size_t count;

	commands = cli_commands(&count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(line, heading(mem, &commands[i])))
			return true;
	return false;
}

Test(cli_doc, no_other_command_is_described)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *at = manual_part(mem, manual_load(mem, MANUAL), ".Sh COMMANDS");
	char *line;

	while ((line = manual_line(mem, &at)))
		if (text_starts(line, ".It Ic"))
			cr_expect(is_heading(mem, line), "the table has no such command: %s", line);
	talloc_free(mem);
}

/* True when "--X" is an option of some command, or of the program. */
static bool is_option(const char *name, size_t len)
{
	static const char *const globals[] = { "--help", "--version" };
	const struct cli_command *commands;
	size_t count;

	for (size_t i = 0; i < COUNT_OF(globals); i++)
		if (strlen(globals[i]) == len && !strncmp(globals[i], name, len))
			return true;
	commands = cli_commands(&count);
	for (size_t i = 0; i < count; i++)
		for (const struct cli_option *o = commands[i].options;
		     o < commands[i].options + CLI_OPTIONS_MAX && o->name; o++)
			if (strlen(o->name) == len && !strncmp(o->name, name, len))
				return true;
	return false;
}

static size_t word_length(const char *word)
{
	size_t n = 0;

	while (islower((unsigned char)word[n]) || (n && word[n] == '-'))
		n++;
	return n;
}

Test(cli_doc, no_other_option_is_named)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *manual = manual_load(mem, MANUAL);
	size_t seen = 0;

	for (const char *at = manual; (at = strstr(at, "Fl -")); at++) {
		char *name = mem_printf(mem, "--%.*s", (int)word_length(at + 4), at + 4);

		cr_expect(is_option(name, strlen(name)), "no command takes %s", name);
		seen++;
	}
	for (const char *at = manual; (at = strstr(at, " --")); at++) {
		cr_expect(is_option(at + 1, 2 + word_length(at + 3)), "no command takes %.20s",
			  at + 1);
		seen++;
	}
	cr_assert_gt(seen, 30);
	talloc_free(mem);
}

/* True when NAME is a command by itself, or has that second word. */
static bool is_command(const char *name, const char *second, size_t len)
{
	const struct cli_command *commands;
	bool found = false, plain = false;
	size_t count;

	commands = cli_commands(&count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(commands[i].name, name))
			continue;
		plain |= !commands[i].second;
		found |= commands[i].second && strlen(commands[i].second) == len &&
			 !strncmp(commands[i].second, second, len);
	}
	return plain || found;
}

/* In examples and in running text: "taskferry task list ..." */
Test(cli_doc, every_command_that_is_mentioned_is_one)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *manual = manual_load(mem, MANUAL);
	size_t seen = 0;

	for (const char *at = manual; (at = strstr(at, "taskferry ")); at++) {
		size_t first = word_length(at + 10), second;
		const char *rest = at + 10 + first;

		if (!first || (at > manual && at[-1] == '/'))
			continue;
		second = *rest == ' ' ? word_length(rest + 1) : 0;
		cr_expect(is_command(mem_strndup(mem, at + 10, first), rest + 1, second),
			  "no such command: %.40s", at);
		seen++;
	}
	cr_assert_gt(seen, 15);
	talloc_free(mem);
}

/* ---- the rest of the contract ---- */

Test(cli_doc, every_exit_code_stands_in_the_manual)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *text = manual_part(mem, manual_load(mem, MANUAL), ".Sh EXIT STATUS");

	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		int code = fault_exit(fault_new(mem, (enum fault_kind)kind, "x"));

		cr_expect_not_null(below(mem, text, mem_printf(mem, ".It %d", code)),
				   "exit code %d of %s is missing", code,
				   fault_kind_name((enum fault_kind)kind));
	}
	cr_expect_not_null(below(mem, text, ".It 0"));
	cr_expect_not_null(below(mem, text, ".It 1"));
	talloc_free(mem);
}

/* ---- completion ---- */

/* Every first and second word of the table is offered: it stands in some list of words. */
static void expect_offered(TALLOC_CTX *mem, const char *text, const char *word)
{
	const char *at = text;
	bool offered = false;
	char *line;

	while (word && (line = manual_line(mem, &at))) {
		const char *list = strstr(line, "words=\"");
		char *words = list ? mem_printf(mem, " %s ", list + 7) : NULL;

		for (char *quote = words; quote && (quote = strchr(quote, '"'));)
			*quote = ' ';
		offered |= words && strstr(words, mem_printf(mem, " %s ", word));
	}
	cr_expect(!word || offered, "completion does not offer '%s'", word);
}

Test(cli_doc, completion_knows_the_same_commands_and_options)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *text = manual_load(mem, COMPLETION);
	const struct cli_command *commands;
	size_t count, rows = 0;

	commands = cli_commands(&count);
	for (size_t i = 0; i < count; i++) {
		char *words = mem_strdup(mem, "");

		for (const struct cli_option *o = commands[i].options;
		     o < commands[i].options + CLI_OPTIONS_MAX && o->name; o++)
			words = mem_printf(mem, "%s%s%s", words, *words ? " " : "", o->name);
		words = mem_printf(mem, "\t\"%s\") words=\"%s\" ;;",
				   command_words(mem, &commands[i]), words);
		cr_expect_not_null(below(mem, text, words), "completion lacks the line: %s", words);
		expect_offered(mem, text, commands[i].name);
		expect_offered(mem, text, commands[i].second);
	}
	for (const char *at = text; (at = strstr(at, "\") words=\"")); at++)
		rows++;
	cr_expect_eq(rows, count, "completion has %zu commands, the table %zu", rows, count);
	talloc_free(mem);
}

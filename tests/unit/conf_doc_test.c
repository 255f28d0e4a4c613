/* The table of keys, the sample and the manual say the same. TF_SRCDIR is the root of the source
 * tree. */
#include "config.h"

#include "conf/conf.h"

#include <stdlib.h>

#include "conf/conf_private.h"
#include "manual.h"

#define SAMPLE TF_SRCDIR "/etc/taskferry.ini"
#define MANUAL TF_SRCDIR "/doc/taskferry.ini.5"

#define WORD_BYTES "abcdefghijklmnopqrstuvwxyz_."

static void expect_no_findings(TALLOC_CTX *mem, const char *what, const char *text,
			       struct conf **conf_r)
{
	struct conf_report *report = NULL;
	struct fault *fault = conf_parse(mem, what, text, strlen(text), 0600, conf_r, &report);

	cr_assert_null(fault);
	for (size_t i = 0; i < report->count; i++)
		cr_expect_fail("%s:%ld: %s", what, report->findings[i].line,
			       report->findings[i].text);
	cr_assert_not_null(*conf_r);
}

/* ---- the table ---- */

/* A default is read by the code that reads files, so every one must be a value that a file could
 * say. */
Test(conf_doc, defaults_are_values)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *text = buf_new(mem);
	const char *section = "";
	struct conf *conf = NULL;
	size_t count, defaults = 0;
	const struct conf_key_info *keys = conf_keys(&count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(section, keys[i].section)) {
			section = keys[i].section;
			buf_printf(text, "[%s]\n",
				   text_starts(section, "account")     ? "account NAME ana"
				   : text_starts(section, "rule NAME") ? "rule done-agrees"
								       : section);
			if (!strcmp(section, "replies"))
				buf_puts(text, "address = t+%{token}@example.com\nserver = NAME\n"
					       "account = ana\nsecret_file = /x\n"
					       "authserv_id = mx\n");
		}
		if (!strcmp(keys[i].key, "url"))
			buf_printf(text, "url = %s\n",
				   strcmp(section, "site") ? "memory:/x" : "https://x");
		else if (!strcmp(keys[i].key, "type"))
			buf_puts(text, "type = memory\n");
		else if (keys[i].value)
			buf_printf(text, "%s = %s\n", keys[i].key, keys[i].value);
		defaults += keys[i].value != NULL;
	}
	expect_no_findings(mem, "defaults", text->data, &conf);
	cr_expect_eq(defaults, 33, "expected 33, actual %zu", defaults);
	talloc_free(mem);
}

Test(conf_doc, rows_are_in_order)
{
	size_t count;
	const struct conf_key_info *keys = conf_keys(&count);

	cr_assert_eq(count, CONF_KEYS);
	for (size_t i = 0; i < count; i++) {
		enum conf_kind kind = conf_key_table[i].kind;

		cr_assert_not_null(keys[i].key, "row %zu", i);
		cr_expect_str_eq(keys[i].section, conf_kind_table[kind].form);
		cr_expect_eq(conf_key_find(kind, keys[i].key), i, "[%s] %s is there twice",
			     keys[i].section, keys[i].key);
		cr_expect_neq(keys[i].help[strlen(keys[i].help) - 1], '.', "%s", keys[i].help);
	}
}

/* The text of choices and the words that are compared are the same. */
Test(conf_doc, choices_are_words)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	for (enum conf_key_id id = 0; id < CONF_KEYS; id++) {
		const struct conf_choice_info *choice =
			&conf_choice_table[conf_key_table[id].choice];
		struct buf *text = buf_new(mem);

		cr_expect_eq(!strcmp(conf_key_infos[id].type, "choice"),
			     conf_key_table[id].choice != CONF_CHOICE_NONE, "%s",
			     conf_key_infos[id].key);
		for (size_t i = 0; i < choice->count; i++)
			buf_printf(text, "%s%s", i ? " | " : "", choice->words[i]);
		if (choice->count)
			cr_expect_str_eq(conf_key_infos[id].choices, text->data);
	}
	talloc_free(mem);
}

Test(conf_doc, groups_are_choices)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *text = buf_new(mem);

	for (enum field_group group = 0; group < GROUPS; group++)
		if (group != GROUP_CLIENT)
			buf_printf(text, "%s | ", field_group_name(group));
	buf_puts(text, "none");
	cr_expect_str_eq(conf_key_infos[CONF_KEY_RIGHTS_ASSIGNEE].choices, text->data);
	talloc_free(mem);
}

/* ---- the sample ---- */

/* The sample with the `#` before keys and sections taken away; remarks have a blank behind it. */
static char *uncommented(TALLOC_CTX *mem, const char *sample)
{
	struct buf *text = buf_new(mem);
	char *line;

	while ((line = manual_line(mem, &sample))) {
		size_t word = strspn(line + (*line == '#'), WORD_BYTES);
		bool is_key = word && text_starts(line + (*line == '#') + word, " = ");

		if (*line == '#' && (line[1] == '[' || is_key))
			line++;
		buf_printf(text, "%s\n", line);
	}
	return buf_steal(&text, mem, NULL);
}

Test(conf_doc, sample_has_no_findings)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *sample = manual_load(mem, SAMPLE);
	struct conf_report *report = NULL;
	struct conf *conf = NULL;

	cr_assert_null(conf_parse(mem, SAMPLE, sample, strlen(sample), 0644, &conf, &report));
	cr_expect_eq(report->count, 0);
	cr_assert_not_null(conf);
	cr_expect_eq(conf->server_count, 0, "the sample alone logs in nowhere");
	expect_no_findings(mem, "uncommented sample", uncommented(mem, sample), &conf);
	cr_expect_eq(conf->server_count, 11);
	cr_expect_eq(conf->account_count, 8);
	cr_expect_eq(conf->rule_count, 1);
	talloc_free(mem);
}

/* The row of a key in a section that begins with WORD. */
static enum conf_key_id row_of(const char *word, const char *key)
{
	enum conf_kind kind = conf_kind_find(word);

	return kind == CONF_KINDS ? CONF_KEYS : conf_key_find(kind, key);
}

Test(conf_doc, sample_has_every_key)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *at = uncommented(mem, manual_load(mem, SAMPLE));
	bool seen[CONF_KEYS] = { false };
	char *line, *word = NULL;

	while ((line = manual_line(mem, &at))) {
		char *equals = strstr(line, " = ");
		enum conf_key_id id;

		if (*line == '[')
			word = mem_strndup(mem, line + 1, strcspn(line + 1, " ]"));
		if (!strchr(WORD_BYTES, *line) || !*line || !equals)
			continue;
		id = row_of(word, mem_strndup(mem, line, (size_t)(equals - line)));
		cr_assert_neq(id, CONF_KEYS, "unknown in the sample: %s", line);
		seen[id] = true;
		if (conf_key_infos[id].value)
			cr_expect_str_eq(equals + 3, conf_key_infos[id].value, "[%s] %s", word,
					 line);
	}
	for (enum conf_key_id id = 0; id < CONF_KEYS; id++)
		cr_expect(seen[id], "not in the sample: [%s] %s", conf_key_infos[id].section,
			  conf_key_infos[id].key);
	talloc_free(mem);
}

/* ---- the manual ---- */

/* What the manual says of one key. */
struct entry {
	char *section, *key, *type, *choices, *value;
};

/* "Cm a | b | Ar C ." as "a | b | C". */
static char *plain_choices(TALLOC_CTX *mem, const char *text)
{
	struct buf *buf = buf_new(mem);

	for (; *text; text++) {
		if (text_starts(text, "Cm ") || text_starts(text, "Ar "))
			text += strlen("Cm ");
		buf_putc(buf, *text);
	}
	if (text_ends(buf->data, " ."))
		buf->data[buf->len - strlen(" .")] = '\0';
	return buf_steal(&buf, mem, NULL);
}

/* TEXT without END, which it must have. */
static char *without(TALLOC_CTX *mem, const char *text, const char *end)
{
	cr_assert(text_ends(text, end), "'%s' does not end with '%s'", text, end);
	return mem_strndup(mem, text, strlen(text) - strlen(end));
}

/* The lines from below `.It Ic KEY` to `.Pp`. */
static void read_paragraph(TALLOC_CTX *mem, const char **at, struct entry *entry)
{
	char *line = manual_line(mem, at);

	cr_assert(text_starts(line, "Type: "), "%s: %s", entry->key, line);
	entry->type = line + strlen("Type: ");
	line = manual_line(mem, at);
	if (text_starts(line, ".Pq ")) {
		entry->choices = plain_choices(mem, line + strlen(".Pq "));
		line = manual_line(mem, at);
	} else {
		entry->type = without(mem, entry->type, ".");
	}
	if (strcmp(line, "Default: none.")) {
		cr_assert_str_eq(line, "Default:");
		line = manual_line(mem, at);
		cr_assert(text_starts(line, ".Ql "), "%s: %s", entry->key, line);
		entry->value = without(mem, line + strlen(".Ql "), " .");
	}
	line = manual_line(mem, at);
	cr_assert_str_eq(line, ".Pp", "%s: %s", entry->key, line);
}

static void expect_row(const struct entry *entry, const struct conf_key_info *info)
{
	cr_expect_str_eq(entry->type, info->type, "[%s] %s", entry->section, entry->key);
	cr_expect(text_same(entry->choices, info->choices), "[%s] %s: manual %s, table %s",
		  entry->section, entry->key, entry->choices, info->choices);
	cr_expect(text_same(entry->value, info->value), "[%s] %s: manual %s, table %s",
		  entry->section, entry->key, entry->value, info->value);
}

Test(conf_doc, manual_has_every_key)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *at = manual_load(mem, MANUAL);
	bool seen[CONF_KEYS] = { false };
	char *line, *section = NULL;

	while ((line = manual_line(mem, &at))) {
		struct entry entry = { .section = section };
		enum conf_key_id id;

		if (text_starts(line, ".Ss ["))
			section = without(mem, line + strlen(".Ss ["), "]");
		if (!text_starts(line, ".It Ic "))
			continue;
		entry.key = line + strlen(".It Ic ");
		cr_assert_not_null(section);
		id = row_of(mem_strndup(mem, section, strcspn(section, " ")), entry.key);
		cr_assert_neq(id, CONF_KEYS, "unknown in the manual: [%s] %s", section, entry.key);
		cr_expect_str_eq(section, conf_key_infos[id].section);
		cr_expect_not(seen[id], "twice in the manual: [%s] %s", section, entry.key);
		seen[id] = true;
		read_paragraph(mem, &at, &entry);
		expect_row(&entry, &conf_key_infos[id]);
	}
	for (enum conf_key_id id = 0; id < CONF_KEYS; id++)
		cr_expect(seen[id], "not in the manual: [%s] %s", conf_key_infos[id].section,
			  conf_key_infos[id].key);
	talloc_free(mem);
}

Test(conf_doc, manual_has_every_field_and_type)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *manual = manual_load(mem, MANUAL);
	const char *rules = strstr(manual, "\n.Sh RULES\n");
	const char *types = strstr(manual, "\n.Ss Types of values\n");

	cr_assert_not_null(rules);
	cr_assert_not_null(types);
	for (enum field field = 0; field < FIELDS; field++)
		cr_expect(strstr(rules, mem_printf(mem, "\n.Cm %s ,", field_table[field].name)) ||
				  strstr(rules,
					 mem_printf(mem, "\n.Cm %s .", field_table[field].name)) ||
				  strstr(rules,
					 mem_printf(mem, "\n.Cm %s\n", field_table[field].name)),
			  "not in the manual: %s", field_table[field].name);
	for (enum conf_key_id id = 0; id < CONF_KEYS; id++)
		cr_expect(strstr(types, mem_printf(mem, "\n.It %s\n", conf_key_infos[id].type)) !=
				  NULL,
			  "not in the manual: %s", conf_key_infos[id].type);
	talloc_free(mem);
}

/* Every literal block below EXAMPLES is a configuration, and all of them together are one. */
Test(conf_doc, manual_examples_have_no_findings)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *examples = manual_part(mem, manual_load(mem, MANUAL), ".Sh EXAMPLES");
	struct conf *conf = NULL;

	expect_no_findings(mem, "examples", manual_blocks(mem, examples, ""), &conf);
	cr_expect_eq(conf->server_count, 2);
	cr_expect_eq(conf->rule_count, 2);
	talloc_free(mem);
}

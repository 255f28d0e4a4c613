/* Bytes -> sections.
 *
 * The text is copied once, cut into lines and unquoted in place; keys, values and names point into
 * the copy, which is wiped when it is freed, because a password may stand in it (N8). For the same
 * reason no finding repeats a line: even a line without '=' may be one.
 *
 * A line that cannot be read is reported and skipped, and the rest is read on, so that all findings
 * come at once. What follows a broken section header is checked for form only.
 */
#include "config.h"

#include "conf/conf_private.h"

#include <string.h>

#include "base/text.h"

struct reader {
	struct conf_ini *ini;
	struct conf_report *report;
	long line;
	bool skipping; /* below a header that could not be read */
	size_t section_space, entry_space;
};

static int wipe(char *bytes)
{
	volatile char *p = bytes;

	for (size_t n = talloc_get_size(bytes); n; n--)
		*p++ = 0;
	return 0;
}

char *conf_ini_buffer(TALLOC_CTX *mem, size_t n)
{
	char *buffer = mem_must(talloc_zero_size(mem, n + 1));

	talloc_set_destructor(buffer, wipe);
	return buffer;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts blanks off both ends of a text, in place. */
static char *trim(char *text)
{
	size_t n;

	while (is_blank(*text))
		text++;
	for (n = strlen(text); n && is_blank(text[n - 1]); n--)
		text[n - 1] = '\0';
	return text;
}

static struct conf_ini_section *current(struct reader *reader)
{
	size_t count = reader->ini->count;

	return count && !reader->skipping ? &reader->ini->sections[count - 1] : NULL;
}

/* A line must be text before anything else is asked of it. */
static bool is_sound(struct reader *reader, const char *text, size_t n)
{
	if (n > CONF_LINE_MAX) {
		conf_report_error(reader->report, reader->line, "line longer than %zu bytes",
				  CONF_LINE_MAX);
		return false;
	}
	if (!text_is_utf8(text, n)) {
		conf_report_error(reader->report, reader->line,
				  "this line is not UTF-8: save the file in that encoding");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			conf_report_error(reader->report, reader->line,
					  "control character 0x%02x in this line", c);
			return false;
		}
	}
	return true;
}

static struct conf_ini_section *add_section(struct reader *reader)
{
	struct conf_ini *ini = reader->ini;

	if (ini->count == reader->section_space) {
		reader->section_space = reader->section_space ? 2 * reader->section_space : 16;
		ini->sections = MEM_GROW(ini, ini->sections, struct conf_ini_section,
					 reader->section_space);
	}
	reader->entry_space = 0;
	ini->sections[ini->count] = (struct conf_ini_section){ .line = reader->line };
	return &ini->sections[ini->count++];
}

static void add_entry(struct reader *reader, const char *key, const char *value)
{
	struct conf_ini_section *section = current(reader);

	if (!section)
		return;
	if (section->count == reader->entry_space) {
		reader->entry_space = reader->entry_space ? 2 * reader->entry_space : 8;
		section->entries = MEM_GROW(reader->ini, section->entries, struct conf_ini_entry,
					    reader->entry_space);
	}
	section->entries[section->count++] =
		(struct conf_ini_entry){ .key = key, .value = value, .line = reader->line };
}

static void split_words(struct conf_ini_section *section, char *text)
{
	while (*text) {
		if (section->word_count < CONF_INI_WORDS)
			section->words[section->word_count] = text;
		section->word_count++;
		while (*text && !is_blank(*text))
			text++;
		while (is_blank(*text))
			*text++ = '\0';
	}
}

/* `[word name name]`, TEXT begins behind the bracket. */
static void read_header(struct reader *reader, char *text)
{
	char *end = strchr(text, ']');

	reader->skipping = true;
	if (!end) {
		conf_report_error(reader->report, reader->line,
				  "unterminated section header: ']' is missing");
		return;
	}
	if (end[1]) {
		conf_report_error(reader->report, reader->line,
				  "text after ']': a comment needs a line of its own");
		return;
	}
	*end = '\0';
	text = trim(text);
	if (!*text) {
		conf_report_error(reader->report, reader->line,
				  "section header without a name: write, for example, [site]");
		return;
	}
	split_words(add_section(reader), text);
	reader->skipping = false;
}

/* Takes the quotes off, in place; NULL: not well-formed. */
static char *unquote(struct reader *reader, char *value)
{
	char *to = value;
	const char *from = value + 1;
	bool closed = false;

	if (*value != '"')
		return value;
	for (; *from && !closed; from++) {
		if (*from == '"' && from[1] == '"')
			*to++ = *from++;
		else if (*from == '"')
			closed = true;
		else
			*to++ = *from;
	}
	if (!closed)
		conf_report_error(reader->report, reader->line, "the closing '\"' is missing");
	else if (*from)
		conf_report_error(
			reader->report, reader->line,
			"text after the closing '\"': a quote inside of quotes is written twice");
	if (!closed || *from)
		return NULL;
	*to = '\0';
	return value;
}

static void read_entry(struct reader *reader, char *text)
{
	char *equals = strchr(text, '=');
	char *key, *value;

	if (!reader->ini->count && !reader->skipping) {
		conf_report_error(reader->report, reader->line,
				  "key before any section: begin with [site] or another section");
		return;
	}
	if (!equals) {
		conf_report_error(
			reader->report, reader->line,
			"no '=' in this line: write KEY = VALUE; a comment begins with '#' or ';'");
		return;
	}
	*equals = '\0';
	key = trim(text);
	value = trim(equals + 1);
	if (!*key) {
		conf_report_error(reader->report, reader->line, "no key before '='");
		return;
	}
	add_entry(reader, key, unquote(reader, value));
}

static void read_line(struct reader *reader, char *text, size_t n)
{
	if (n && text[n - 1] == '\r')
		n--;
	text[n] = '\0';
	if (!is_sound(reader, text, n)) {
		if (current(reader))
			current(reader)->damaged = true;
		return;
	}
	text = trim(text);
	if (*text == '[')
		read_header(reader, text + 1);
	else if (*text && *text != '#' && *text != ';')
		read_entry(reader, text);
}

struct conf_ini *conf_ini_read(TALLOC_CTX *mem, const char *text, size_t len,
			       struct conf_report *report)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct conf_ini *ini = MEM_NEW(mem, struct conf_ini);
	struct reader reader = { .ini = ini, .report = report };
	char *at, *end;

	ini->text = conf_ini_buffer(ini, len);
	if (len)
		memcpy(ini->text, text, len);
	at = ini->text;
	end = at + len;
	if (len >= strlen(bom) && !memcmp(at, bom, strlen(bom)))
		at += strlen(bom);
	while (at < end && !conf_report_full(report)) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline ? newline : end) - at);

		reader.line++;
		read_line(&reader, at, n);
		at += n + 1;
	}
	return ini;
}

char *conf_ini_title(TALLOC_CTX *mem, const struct conf_ini_section *section)
{
	char *title = mem_strdup(mem, section->words[0]);
	char *line;

	for (size_t i = 1; i < section->word_count && i < CONF_INI_WORDS; i++) {
		char *longer = mem_printf(mem, "%s %s", title, section->words[i]);

		talloc_free(title);
		title = longer;
	}
	line = conf_quote(mem, title);
	talloc_free(title);
	return line;
}

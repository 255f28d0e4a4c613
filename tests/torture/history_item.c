#include "config.h"

#include "history_item.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"

#define SEPARATOR "--- taskferry ---"
#define MARK "\xe2\x9c\x93 " /* a check mark */
#define ZONE_S 3600          /* Europe/Berlin in winter, where all of a history's dates lie */

static const char *const names[] = { "status",   "percent", "completed_at", "due",
				     "priority", "notes",   "subject" };
_Static_assert(COUNT_OF(names) == SAIDS, "one name per value");

static const char *const properties[] = { "STATUS",   "PERCENT-COMPLETE", "COMPLETED", "DUE",
					  "PRIORITY", "DESCRIPTION",      "SUMMARY" };
_Static_assert(COUNT_OF(properties) == SAIDS, "one property per value");

/* Besides those above: what is ours, or every client's to write. */
static const char *const ordinary[] = {
	"BEGIN",
	"END",
	"VERSION",
	"PRODID",
	"UID",
	"DTSTAMP",
	"CREATED",
	"LAST-MODIFIED",
	"SEQUENCE",
	"DTSTART",
	"CATEGORIES",
	"RELATED-TO",
	"CLASS",
	"ESTIMATED-DURATION",
	"X-TASKFERRY-EDITION",
	"CALSCALE",
	"X-TASKFERRY-ACTUAL-WORK",
	"X-MEMORY-REWRITTEN",
};

const char *history_item_name(enum said what)
{
	return names[what];
}

/* 20261205, 20261205T110000Z, 2026-12-05T11:00:00Z ... */
static char *day(TALLOC_CTX *mem, const char *text)
{
	char digits[32];
	size_t n = 0;
	struct tm tm = { .tm_isdst = 0 };
	time_t at;

	for (; *text && *text != 'T' && *text != ' ' && n < 8; text++)
		if (isdigit((unsigned char)*text))
			digits[n++] = *text;
	digits[n] = '\0';
	if (n < 8 || (*text != 'T' && *text != ' ') || text[strlen(text) - 1] != 'Z')
		return mem_strdup(mem, digits);
	sscanf(digits, "%4d%2d%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	if (sscanf(text + 1, "%2d:%2d:%2d", &tm.tm_hour, &tm.tm_min, &tm.tm_sec) < 2)
		sscanf(text + 1, "%2d%2d%2d", &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	at = timegm(&tm) + ZONE_S;
	gmtime_r(&at, &tm);
	snprintf(digits, sizeof digits, "%04d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday);
	return mem_strdup(mem, digits);
}

/* Notes without the marks of lines that were booked. */
static char *unmarked(char *text)
{
	for (char *mark; (mark = strstr(text, MARK));)
		memmove(mark, mark + strlen(MARK), strlen(mark + strlen(MARK)) + 1);
	return text;
}

static char *trimmed(TALLOC_CTX *mem, const char *text)
{
	size_t n = strlen(text);

	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	while (n && isspace((unsigned char)*text)) {
		text++;
		n--;
	}
	return mem_strndup(mem, text, n);
}

char *history_item_normal(TALLOC_CTX *mem, enum said what, const char *text)
{
	char *out = trimmed(mem, text ? text : "");
	long number = strtol(out, NULL, 10);

	switch (what) {
	case SAID_STATUS:
		for (char *c = out; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		return *out ? out : mem_strdup(mem, "needs-action");
	case SAID_PERCENT:
		return mem_printf(mem, "%ld", number);
	case SAID_PRIORITY:
		return mem_printf(mem, "%d",
				  number == 0   ? 0
				  : number < 5  ? 1
				  : number == 5 ? 5
						: 9);
	case SAID_DUE:
	case SAID_COMPLETED:
		return day(mem, out);
	case SAID_NOTES:
		return unmarked(out);
	default:
		return out;
	}
}

static char *unescaped(TALLOC_CTX *mem, const char *text)
{
	struct buf *out = buf_new(mem);

	for (; *text; text++) {
		if (*text != '\\' || !text[1])
			buf_putc(out, *text);
		else if (*++text == 'n' || *text == 'N')
			buf_putc(out, '\n');
		else
			buf_putc(out, *text);
	}
	return buf_steal(&out, mem, NULL);
}

static char *without_trailer(char *text)
{
	char *separator = strstr(text, SEPARATOR);

	if (separator)
		*separator = '\0';
	return text;
}

static void add_foreign(struct history_item *item, const char *line)
{
	item->foreign = MEM_GROW(item, item->foreign, char *, item->foreign_count + 1);
	item->foreign[item->foreign_count++] = mem_strdup(item, line);
}

static bool is_ordinary(const char *line, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(ordinary); i++)
		if (strlen(ordinary[i]) == len && !strncmp(line, ordinary[i], len))
			return true;
	return false;
}

static void read_line(struct history_item *item, const char *line)
{
	size_t len = strcspn(line, ":;");
	const char *value = strchr(line, ':');

	for (int i = 0; i < SAIDS && value; i++)
		if (strlen(properties[i]) == len && !strncmp(line, properties[i], len)) {
			item->said[i] = i == SAID_NOTES
						? without_trailer(unescaped(item, value + 1))
						: mem_strdup(item, value + 1);
			return;
		}
	if (!is_ordinary(line, len))
		add_foreign(item, line);
}

static struct history_item *make(TALLOC_CTX *mem)
{
	struct history_item *item = MEM_NEW(mem, struct history_item);

	for (int i = 0; i < SAIDS; i++)
		item->said[i] = mem_strdup(item, "");
	return item;
}

struct history_item *history_item_read(TALLOC_CTX *mem, const char *text)
{
	struct history_item *item = make(mem);
	char *copy = mem_strdup(item, text), *save = NULL;
	bool alarm = false;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		alarm = alarm || !strcmp(line, "BEGIN:VALARM");
		if (alarm)
			add_foreign(item, line);
		else
			read_line(item, line);
		alarm = alarm && strcmp(line, "END:VALARM") != 0;
	}
	for (int i = 0; i < SAIDS; i++)
		item->said[i] = trimmed(item, item->said[i]);
	return item;
}

/* A card's word for a status or a value, in a to-do's. */
static char *word_of_card(TALLOC_CTX *mem, enum said what, const char *text)
{
	static const char *const words[][2] = { { "done", "completed" },
						{ "not started", "needs-action" },
						{ "in process", "in-process" } };

	for (size_t i = 0; i < COUNT_OF(words) && what == SAID_STATUS; i++)
		if (!strcmp(text, words[i][0]))
			return mem_strdup(mem, words[i][1]);
	return mem_strdup(mem, strcmp(text, "-") ? text : "");
}

struct history_item *history_item_read_card(TALLOC_CTX *mem, const char *card)
{
	static const char *const keys[] = { "Status:", "Percent:",  "Completed:",
					    "Due:",    "Priority:", NULL };
	struct history_item *item = make(mem);
	char *copy = mem_strdup(item, card), *blank = strstr(copy, "\n\n"), *save = NULL;

	if (blank)
		item->said[SAID_NOTES] = trimmed(item, without_trailer(blank));
	if (blank)
		*blank = '\0';
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		for (int i = 0; i < SAID_NOTES; i++)
			if (text_starts(line, keys[i]))
				item->said[i] = word_of_card(item, (enum said)i,
							     trimmed(item, line + strlen(keys[i])));
	return item;
}

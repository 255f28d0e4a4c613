#include "config.h"

#include "conf/conf_private.h"

#include <string.h>

#include "base/text.h"

#define FINDING_CHARS 400 /* code points; a longer one repeats something that it should not */

static const char too_many[] = "too many findings: only the first ones are shown";

struct conf_report *conf_report_new(TALLOC_CTX *mem, const char *path)
{
	struct conf_report *report = MEM_NEW(mem, struct conf_report);

	report->path = mem_strdup(report, path);
	report->findings = MEM_ARRAY(report, struct conf_finding, CONF_FINDINGS_MAX + 1);
	return report;
}

bool conf_report_full(const struct conf_report *report)
{
	return report->errors && report->count > CONF_FINDINGS_MAX;
}

/* Keeps the order by line, for whoever adds; equal lines in the order of adding. */
static void insert(struct conf_report *report, bool warning, long line, const char *text)
{
	size_t at = report->count;

	while (at > 0 && report->findings[at - 1].line > line) {
		report->findings[at] = report->findings[at - 1];
		at--;
	}
	report->findings[at] =
		(struct conf_finding){ .warning = warning, .line = line, .text = text };
	report->count++;
}

static void add(struct conf_report *report, bool warning, long line, const char *fmt, va_list ap)
	ATTR_PRINTF(4, 0);

static void add(struct conf_report *report, bool warning, long line, const char *fmt, va_list ap)
{
	char *text;

	if (!warning)
		report->errors++;
	if (report->count > CONF_FINDINGS_MAX) {
		for (size_t i = 0; !warning && i < report->count; i++)
			if (report->findings[i].text == too_many)
				report->findings[i].warning = false;
		return;
	}
	if (report->count == CONF_FINDINGS_MAX) {
		insert(report, warning, 0, too_many);
		return;
	}
	text = mem_vprintf(report, fmt, ap);
	insert(report, warning, line, text_one_line(report, text, FINDING_CHARS));
	talloc_free(text);
}

void conf_report_error(struct conf_report *report, long line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(report, false, line, fmt, ap);
	va_end(ap);
}

void conf_report_warning(struct conf_report *report, long line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(report, true, line, fmt, ap);
	va_end(ap);
}

void conf_report_print(const struct conf_report *report, FILE *out)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct conf_finding *finding = &report->findings[i];

		fputs(report->path, out);
		if (finding->line)
			fprintf(out, ":%ld", finding->line);
		fprintf(out, ": %s: %s\n", finding->warning ? "warning" : "error", finding->text);
	}
}

/* How many slips a word of that length may have and still be recognised; nobody misspells half of a
 * word. */
static size_t near_limit(const char *word)
{
	size_t n = strlen(word);

	return n <= 3 ? 1 : n <= 8 ? 2 : 3;
}

void conf_near_start(struct conf_near *near, const char *word)
{
	*near = (struct conf_near){ .word = word, .distance = near_limit(word) + 1 };
}

void conf_near_try(struct conf_near *near, const char *candidate)
{
	size_t distance = text_distance(near->word, candidate);

	if (distance < near->distance) {
		near->best = candidate;
		near->distance = distance;
	}
}

char *conf_quote(TALLOC_CTX *mem, const char *text)
{
	return text_one_line(mem, text, CONF_QUOTE_CHARS);
}

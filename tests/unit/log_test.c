#include "config.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"

#define FFFD "\xef\xbf\xbd"

/* A log into a file of its own, and what stands in that file. */
struct paper {
	void *mem;
	FILE *file;
	struct log *log;
};

static struct paper paper_new(enum log_level level)
{
	struct paper paper = { .mem = talloc_new(NULL), .file = tmpfile() };

	cr_assert(paper.file);
	paper.log = log_new(paper.mem, paper.file, level);
	return paper;
}

static char *paper_read(struct paper *paper)
{
	long n = (fseek(paper->file, 0, SEEK_END), ftell(paper->file));
	char *text = MEM_ARRAY(paper->mem, char, (size_t)n + 1);

	rewind(paper->file);
	cr_assert(fread(text, 1, (size_t)n, paper->file) == (size_t)n);
	return text;
}

/* Compares everything written so far, then begins anew. */
static void paper_expect(struct paper *paper, const char *expected)
{
	const char *got = paper_read(paper);

	cr_expect(!strcmp(got, expected), "expected:\n%sgot:\n%s", expected, got);
	fclose(paper->file);
	talloc_free(paper->mem);
}

Test(log, levels)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };

	cr_assert(COUNT_OF(names) == LOG_LEVELS);
	for (int i = 0; i < LOG_LEVELS; i++) {
		enum log_level level = LOG_LEVELS;

		cr_expect_str_eq(log_level_name((enum log_level)i), names[i]);
		cr_expect(log_level_from_name(names[i], &level) && (int)level == i, "%s", names[i]);
	}
	for (int i = 0; i < LOG_LEVELS; i++) { /* what is written at level i */
		struct paper paper = paper_new((enum log_level)i);
		char *expected = mem_strdup(paper.mem, "");

		for (int j = 0; j < LOG_LEVELS; j++) {
			log_line(paper.log, (enum log_level)j, "line %d", j);
			cr_expect(log_is_on(paper.log, (enum log_level)j) == (j <= i));
			if (j <= i)
				expected = mem_printf(paper.mem, "%s%s line %d\n", expected,
						      names[j], j);
		}
		paper_expect(&paper, expected);
	}
}

Test(log, unknown_level_is_refused)
{
	static const char *const names[] = { "", "Error", "errors", "warn", "notice", "info " };
	enum log_level level = LOG_LEVEL_DEBUG;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		cr_expect(!log_level_from_name(names[i], &level) && level == LOG_LEVEL_DEBUG,
			  "'%s'", names[i]);
	cr_expect(!log_level_from_name(NULL, &level));
}

Test(log, set_level_reaches_the_family)
{
	struct paper paper = paper_new(LOG_LEVEL_ERROR);
	struct log *child = log_with(paper.mem, paper.log, "account", "a");

	log_line(child, LOG_LEVEL_INFO, "too low");
	log_set_level(paper.log, LOG_LEVEL_INFO);
	log_line(child, LOG_LEVEL_INFO, "now");
	log_line(child, LOG_LEVEL_DEBUG, "too low");
	paper_expect(&paper, "info now account=a\n");
}

/* Each value as it stands behind `key=`. */
Test(log, values)
{
	static const struct {
		const char *value, *written;
	} rows[] = {
		{ "plain", "plain" },
		{ "cal/ana@example.com", "cal/ana@example.com" },
		{ "100%", "100%" },
		{ "M\xc3\xbcller", "M\xc3\xbcller" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "say\"hi", "\"say\\\"hi\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"hi\"", "\"say \\\"hi\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "a\nerror forged line", "\"a\\nerror forged line\"" },
		{ "a\r\n\tb", "\"a\\r\\n\\tb\"" },
		{ "\x1b[31m\x07\x7f", "\"\\x1b[31m\\x07\\x7f\"" },
		{ "a\xff"
		  "b\xc2\x9b",
		  "a" FFFD "b" FFFD },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct paper paper = paper_new(LOG_LEVEL_INFO);
		struct log_pair pair = { "key", rows[i].value };

		log_pairs(paper.log, LOG_LEVEL_INFO, &pair, 1, "message");
		paper_expect(&paper,
			     mem_printf(paper.mem, "info message key=%s\n", rows[i].written));
	}
}

Test(log, message_is_one_line)
{
	struct paper paper = paper_new(LOG_LEVEL_INFO);

	log_line(paper.log, LOG_LEVEL_INFO, "a %s", "b\nerror forged\r\x1b[0m\x01 \"quoted\" c\\d");
	paper_expect(&paper, "info a b\\nerror forged\\r\\x1b[0m\\x01 \"quoted\" c\\d\n");
}

Test(log, context_stands_before_the_pairs)
{
	struct paper paper = paper_new(LOG_LEVEL_INFO);
	struct log *account = log_with(paper.mem, paper.log, "account", "cal/ana");
	struct log *folder = log_with(paper.mem, account, "folder", "a b");
	const struct log_pair pairs[] = { { "read", "3" }, { "left_out", NULL }, { "sent", "1" } };

	log_pairs(folder, LOG_LEVEL_INFO, pairs, COUNT_OF(pairs), "round done");
	log_line(account, LOG_LEVEL_WARNING, "slow");
	log_line(log_with(paper.mem, account, "folder", NULL), LOG_LEVEL_INFO, "none");
	paper_expect(&paper, "info round done account=cal/ana folder=\"a b\" read=3 sent=1\n"
			     "warning slow account=cal/ana\n"
			     "info none account=cal/ana\n");
}

Test(log, fault)
{
	struct paper paper = paper_new(LOG_LEVEL_INFO);
	struct fault *fault = fault_new(paper.mem, FAULT_BUSY, "dav: 503 \"later\"");

	log_fault(paper.log, LOG_LEVEL_WARNING, fault, "push of %d failed", 2);
	fault->maybe_done = true;
	log_fault(paper.log, LOG_LEVEL_ERROR, fault, "again");
	log_fault(paper.log, LOG_LEVEL_DEBUG, fault, "not written");
	paper_expect(
		&paper,
		"warning push of 2 failed error=\"dav: 503 \\\"later\\\"\" kind=BUSY scope=server "
		"next=retry\n"
		"error again error=\"dav: 503 \\\"later\\\"\" kind=BUSY scope=server next=retry "
		"maybe_done=yes\n");
}

static void hide(struct paper *paper, const char *text)
{
	struct secret *secret = secret_new(NULL, text, strlen(text));

	log_hide(paper->log, secret);
	talloc_free(secret); /* the log has a copy */
}

Test(log, secrets_are_masked_everywhere)
{
	struct paper paper = paper_new(LOG_LEVEL_INFO);
	const struct log_pair pairs[] = { { "answer", "LOGIN ana hunter2" },
					  { "other", "q\"x\ny" } };
	struct log *child;

	log_line(paper.log, LOG_LEVEL_INFO, "before hunter2");
	hide(&paper, "hunter2");
	hide(&paper, "hunter2");
	hide(&paper, "hunter2345");
	hide(&paper, "q\"x\ny"); /* would be escaped */
	hide(&paper, "");
	log_hide(paper.log, NULL);
	child = log_with(paper.mem, paper.log, "login", "ana:hunter2");
	log_pairs(child, LOG_LEVEL_INFO, pairs, COUNT_OF(pairs), "said %s and %s", "hunter2345",
		  "q\"x\ny");
	paper_expect(&paper,
		     "info before hunter2\n"
		     "info said *** and *** login=ana:*** answer=\"LOGIN ana ***\" other=***\n");
}

Test(log, long_text_is_cut_behind_the_masking)
{
	struct paper paper = paper_new(LOG_LEVEL_INFO);
	char *flood = MEM_ARRAY(paper.mem, char, 2 * LOG_TEXT_MAX + 1), *got;

	/* the secret lies over the cut, and 2-byte letters after it */
	memset(flood, 'x', 2 * LOG_TEXT_MAX);
	memcpy(flood + LOG_TEXT_MAX - 3, "hunter2", 7);
	hide(&paper, "hunter2");
	log_line(paper.log, LOG_LEVEL_INFO, "%s", flood);
	got = paper_read(&paper);
	cr_expect(!strstr(got, "hun"), "half a secret");
	cr_expect(strlen(got) == strlen("info ") + LOG_TEXT_MAX + strlen("\xe2\x80\xa6\n"),
		  "%zu bytes", strlen(got));
	cr_expect(strstr(got, "x***\xe2\x80\xa6\n") != NULL);
	paper_expect(&paper, got);
}

Test(log, no_log_is_quiet)
{
	struct log_pair pair = { "key", "value" };

	log_line(NULL, LOG_LEVEL_ERROR, "nothing");
	log_pairs(NULL, LOG_LEVEL_ERROR, &pair, 1, "nothing");
	log_set_level(NULL, LOG_LEVEL_DEBUG);
	log_hide(NULL, NULL);
	cr_expect(!log_is_on(NULL, LOG_LEVEL_ERROR));
	cr_expect(log_with(NULL, NULL, "key", "value") == NULL);
}

/* sd-daemon(3): err 3, warning 4, info 6, debug 7; only where the stream is the journal's. */
Test(log, journal_prefix)
{
	struct paper paper = paper_new(LOG_LEVEL_DEBUG);
	struct stat stat;
	char stream[64];

	cr_assert(fstat(fileno(paper.file), &stat) == 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)stat.st_dev,
		 (unsigned long long)stat.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	paper.log = log_new(paper.mem, paper.file, LOG_LEVEL_DEBUG);
	for (int i = 0; i < LOG_LEVELS; i++)
		log_line(paper.log, (enum log_level)i, "line");
	setenv("JOURNAL_STREAM", "8:1", 1); /* another's: our parent's, say */
	paper.log = log_new(paper.mem, paper.file, LOG_LEVEL_DEBUG);
	log_line(paper.log, LOG_LEVEL_INFO, "elsewhere");
	unsetenv("JOURNAL_STREAM");
	paper_expect(
		&paper,
		"<3>error line\n<4>warning line\n<6>info line\n<7>debug line\ninfo elsewhere\n");
}

#define THREADS 4
#define LINES 100

static void *chatter(void *data)
{
	struct log *log = log_with(NULL, data, "thread", "x");
	struct secret *secret;
	char text[32];

	snprintf(text, sizeof text, "secret%p", (void *)log);
	secret = secret_new(NULL, text, strlen(text));
	log_hide(log, secret);
	for (int i = 0; i < LINES; i++)
		log_line(log, LOG_LEVEL_INFO, "line of %s", text);
	talloc_free(secret);
	talloc_free(log);
	return NULL;
}

Test(log, threads_write_whole_lines)
{
	struct paper paper = paper_new(LOG_LEVEL_INFO);
	char *expected = mem_strdup(paper.mem, "");
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		cr_assert(pthread_create(&threads[i], NULL, chatter, paper.log) == 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < (size_t)THREADS * LINES; i++)
		expected = talloc_strdup_append_buffer(expected, "info line of *** thread=x\n");
	paper_expect(&paper, expected);
}

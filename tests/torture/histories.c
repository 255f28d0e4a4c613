/* histories.c - random histories, played in processes of their own, and made small when one fails.
 *
 *     histories [--seconds N | --count N] [--seed S] [--messages | --vtodo] [--keep-going]
 *               [--whole] [--jobs N] [--tap] [--replay FILE] [--show]
 *
 * The history of a seed is always the same for the same program. A history that fails is made
 * smaller (lines are left out while it fails in the same way) and printed; it can be saved as a
 * *.scenario file, and replayed by --replay or by the scenarios' test. */
#define _XOPEN_SOURCE 700 /* nftw() */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "history_make.h"

#define BATCH 200     /* histories that one process plays: a fresh one costs about as much as one */
#define LINES_MAX 512 /* of a history */
#define HANGS_AFTER_S 120    /* one batch */
#define SHRINK_RUNS_MAX 3000 /* plays of a failing history, each some 10 ms */
#define DEFAULT_COUNT 1000
#define JOBS_MAX 256 /* processes */

/* What a process that plays tells the one that started it. */
struct telling {
	uint64_t seed;
	uint64_t done;  /* histories that were played to the end */
	uint64_t lines; /* and their lines */
	bool messages;
	int count;
	char line[LINES_MAX][1024];
	char kind[64]; /* "": it went well so far */
	char words[16384];
};

/* Where history_fail() tells it: the one thing that no caller can hand down. */
static struct telling *telling;

void history_fail(const char *kind, const char *fmt, ...)
{
	va_list ap;

	if (!telling->kind[0]) {
		const char *slash = strrchr(kind, '/');

		snprintf(telling->kind, sizeof telling->kind, "%s", slash ? slash + 1 : kind);
		va_start(ap, fmt);
		vsnprintf(telling->words, sizeof telling->words, fmt, ap);
		va_end(ap);
	}
	_exit(1);
}

struct job {
	int form; /* 0: by the seed; 1: VTODO; 2: messages */
	const char *directory, *template;
	bool hush;
	bool whole; /* what fails is not made small */
};

static bool form_of(const struct job *job, uint64_t seed)
{
	return job->form ? job->form == 2 : history_make_messages(seed);
}

static void begin(uint64_t seed, bool messages)
{
	telling->seed = seed;
	telling->messages = messages;
	telling->count = 0;
	telling->kind[0] = '\0';
}

static void tell(void *data, const char *line)
{
	(void)data;
	if (telling->count < LINES_MAX)
		snprintf(telling->line[telling->count++], sizeof telling->line[0], "%s", line);
}

/* ---- processes ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Runs PLAY in a process; what it did not tell itself is made of how it ended. */
static void in_process(const struct job *job, void (*play)(const struct job *, void *), void *data)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		int null = job->hush ? open("/dev/null", O_WRONLY) : -1;

		if (null >= 0)
			dup2(null, STDERR_FILENO);
		alarm(HANGS_AFTER_S);
		play(job, data);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("histories: fork");
		exit(70);
	}
	if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || telling->kind[0])
		return;
	snprintf(telling->kind, sizeof telling->kind, "crash");
	snprintf(telling->words, sizeof telling->words, "%s %d",
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void make_template(const struct job *job, void *data)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct store *store = NULL;
	bool created;

	(void)data;
	WORLD_OK(store_init(mem, mem_printf(mem, "sqlite:%s", job->template), clock_system(mem),
			    NULL, &created));
	WORLD_OK(store_open(mem, mem_printf(mem, "sqlite:%s", job->template), clock_system(mem),
			    NULL, &store));
	talloc_free(mem);
}

struct batch {
	uint64_t seed;
	uint64_t count;
};

static void play_batch(const struct job *job, void *data)
{
	const struct batch *batch = data;

	for (uint64_t i = 0; i < batch->count; i++) {
		bool messages = form_of(job, batch->seed + i);
		struct history *history;

		begin(batch->seed + i, messages);
		history = history_new(messages, job->template);
		history_make(history, batch->seed + i, tell, NULL);
		history_free(history);
		telling->done++;
		telling->lines += (uint64_t)telling->count;
	}
}

/* ---- a history made small ---- */

struct lines {
	char **line;
	bool *played;
	int count;
	bool messages;
};

static void play_lines(const struct job *job, void *data)
{
	struct lines *lines = data;
	struct history *history;

	begin(telling->seed, lines->messages);
	history = history_new(lines->messages, job->template);
	for (int i = 0; i < lines->count; i++) {
		tell(NULL, lines->line[i]);
		if (!history_play(history, lines->line[i]))
			telling->count--;
	}
	history_finish(history);
	history_free(history);
}

/* Whether LINES without FROM .. TO - 1 still fail as KIND; then they become so. */
static bool still_fails(const struct job *job, struct lines *lines, int from, int to,
			const char *kind)
{
	struct lines less = { .line = calloc((size_t)lines->count + 1, sizeof *less.line),
			      .messages = lines->messages };
	bool fails;

	for (int i = 0; i < lines->count; i++)
		if (i < from || i >= to)
			less.line[less.count++] = lines->line[i];
	in_process(job, play_lines, &less);
	fails = !strcmp(telling->kind, kind);
	if (fails) {
		memcpy(lines->line, less.line, (size_t)less.count * sizeof *less.line);
		lines->count = less.count;
	}
	free(less.line);
	return fails;
}

static void shrink(const struct job *job, struct lines *lines, const char *kind)
{
	int runs = 0;
	bool any = true;

	while (any && runs < SHRINK_RUNS_MAX) {
		any = false;
		for (int size = lines->count / 2; size >= 1; size /= 2)
			for (int at = lines->count - size; at >= 0; at -= size) {
				runs++;
				if (still_fails(job, lines, at, at + size, kind))
					any = true;
				if (at > lines->count)
					at = lines->count;
			}
	}
	/* its words, and only the lines that were played */
	still_fails(job, lines, 0, 0, kind);
}

/* BEFORE stands before each line. */
static void print_failure(const char *before)
{
	printf("%s# seed %" PRIu64 ": %s\n", before, telling->seed, telling->kind);
	for (char *save = NULL, *word = strtok_r(telling->words, "\n", &save); word;
	     word = strtok_r(NULL, "\n", &save))
		printf("%s#   %s\n", before, word);
	if (telling->messages)
		printf("%s# messages: only\n", before);
	for (int i = 0; i < telling->count; i++)
		printf("%s%s\n", before, telling->line[i]);
	printf("%s# then: publish, sync every hour until nothing waits, and twice more\n", before);
	fflush(stdout);
}

static void make_small(struct job *job)
{
	struct lines lines = { .messages = telling->messages, .count = telling->count };
	char *kind = strdup(telling->kind), *words = strdup(telling->words);

	lines.line = calloc((size_t)lines.count + 1, sizeof *lines.line);
	for (int i = 0; i < lines.count; i++)
		lines.line[i] = strdup(telling->line[i]);
	job->hush = true;
	if (still_fails(job, &lines, 0, 0, kind)) {
		shrink(job, &lines, kind);
	} else { /* only as it was made up: shown whole */
		snprintf(telling->kind, sizeof telling->kind, "%s", kind);
		snprintf(telling->words, sizeof telling->words, "%s\n(not when played again)",
			 words);
		telling->count = lines.count;
		for (int i = 0; i < lines.count; i++)
			snprintf(telling->line[i], sizeof telling->line[i], "%s", lines.line[i]);
	}
	job->hush = false;
	free(kind);
	free(words);
}

/* ---- the program ---- */

struct arguments {
	uint64_t seed, count, seconds, jobs;
	bool keep_going, tap;
	const char *replay;
	bool show;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What a process that plays its share of the seeds has done. */
struct totals {
	uint64_t done, lines, failures;
};

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("histories: mmap");
		exit(70);
	}
	return memory;
}

static bool has_failed(const struct totals *totals, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (totals[i].failures)
			return true;
	return false;
}

static bool is_over(const struct arguments *arguments, double began, uint64_t at)
{
	if (arguments->seconds)
		return now_s() - began >= (double)arguments->seconds;
	return at >= arguments->seed + arguments->count;
}

static uint64_t batch_size(const struct arguments *arguments, uint64_t at)
{
	uint64_t left = arguments->seed + arguments->count - at;

	if (arguments->seconds)
		return BATCH / 10;
	return left < BATCH ? left : BATCH;
}

static void tell_failure(struct job *job, const struct arguments *arguments)
{
	if (!job->whole)
		make_small(job);
	if (arguments->tap)
		printf("not ok 1 - random histories\n");
	print_failure(arguments->tap ? "# " : "");
}

/* The batches of one worker: every JOBS-th. */
static void work(struct job *job, const struct arguments *arguments, uint64_t worker,
		 struct totals *all)
{
	uint64_t size = batch_size(arguments, arguments->seed);
	struct totals *totals = &all[worker];
	double began = now_s();

	for (uint64_t at = arguments->seed + worker * size;
	     !is_over(arguments, began, at) &&
	     (arguments->keep_going || !has_failed(all, arguments->jobs));
	     at += arguments->jobs * size) {
		struct batch batch = { .seed = at, .count = batch_size(arguments, at) };

		while (batch.count &&
		       (arguments->keep_going || !has_failed(all, arguments->jobs))) {
			telling->kind[0] = '\0';
			in_process(job, play_batch, &batch);
			if (!telling->kind[0])
				break;
			batch.count -= telling->seed + 1 - batch.seed;
			batch.seed = telling->seed + 1;
			totals->failures++;
			tell_failure(job, arguments);
		}
		totals->done = telling->done;
		totals->lines = telling->lines;
	}
}

static int play_all(struct job *job, const struct arguments *arguments)
{
	struct totals *totals = shared(arguments->jobs * sizeof *totals), all = { .done = 0 };
	double began = now_s(), spent;

	for (uint64_t worker = 0; worker < arguments->jobs; worker++)
		if (fork() == 0) {
			telling = shared(sizeof *telling);
			work(job, arguments, worker, totals);
			fflush(stdout);
			_exit(0);
		}
	while (wait(NULL) > 0 || errno == EINTR)
		continue;
	spent = now_s() - began;
	for (uint64_t worker = 0; worker < arguments->jobs; worker++) {
		all.done += totals[worker].done;
		all.lines += totals[worker].lines;
		all.failures += totals[worker].failures;
	}
	printf("# %" PRIu64 " histories from seed %" PRIu64 " on, %" PRIu64
	       " lines, %.1f s, %.0f histories/s, %" PRIu64 " failed\n",
	       all.done, arguments->seed, all.lines, spent, (double)all.done / spent, all.failures);
	if (arguments->tap && !all.failures)
		printf("%s 1 - %" PRIu64 " random histories, %.0f a second\n",
		       all.done ? "ok" : "not ok", all.done, (double)all.done / spent);
	if (arguments->tap)
		printf("1..1\n");
	return all.failures > 0;
}

static int replay(struct job *job, const char *path)
{
	struct lines lines = { .line = calloc(LINES_MAX, sizeof *lines.line) };
	FILE *file = fopen(path, "r");
	char text[4096];

	if (!file) {
		perror(path);
		return 66;
	}
	while (fgets(text, sizeof text, file) && lines.count < LINES_MAX) {
		text[strcspn(text, "\n")] = '\0';
		if (text_starts(text, "# messages: only"))
			lines.messages = true;
		lines.line[lines.count++] = strdup(text);
	}
	fclose(file);
	in_process(job, play_lines, &lines);
	if (telling->kind[0])
		print_failure("");
	else
		printf("# went well\n");
	return telling->kind[0] != '\0';
}

static int usage(void)
{
	fputs("usage: histories [--seconds N | --count N] [--seed S] [--messages | --vtodo]\n"
	      "                 [--keep-going] [--whole] [--jobs N] [--tap] [--show] "
	      "[--replay FILE]\n",
	      stderr);
	return 64;
}

static bool read_number(char **argv, int *i, const char *name, uint64_t *number_r)
{
	if (strcmp(argv[*i], name) != 0 || !argv[*i + 1])
		return false;
	*number_r = strtoull(argv[++*i], NULL, 10);
	return true;
}

static bool read_arguments(char **argv, struct arguments *arguments, struct job *job)
{
	for (int i = 1; argv[i]; i++) {
		if (read_number(argv, &i, "--seconds", &arguments->seconds) ||
		    read_number(argv, &i, "--count", &arguments->count) ||
		    read_number(argv, &i, "--jobs", &arguments->jobs) ||
		    read_number(argv, &i, "--seed", &arguments->seed))
			continue;
		if (!strcmp(argv[i], "--messages"))
			job->form = 2;
		else if (!strcmp(argv[i], "--vtodo"))
			job->form = 1;
		else if (!strcmp(argv[i], "--keep-going"))
			arguments->keep_going = true;
		else if (!strcmp(argv[i], "--whole"))
			job->whole = true;
		else if (!strcmp(argv[i], "--tap"))
			arguments->tap = true;
		else if (!strcmp(argv[i], "--show"))
			arguments->show = true;
		else if (!strcmp(argv[i], "--replay") && argv[i + 1])
			arguments->replay = argv[++i];
		else
			return false;
	}
	return arguments->jobs > 0 && arguments->jobs <= JOBS_MAX;
}

static int show(struct job *job, uint64_t seed)
{
	struct batch batch = { .seed = seed, .count = 1 };

	in_process(job, play_batch, &batch);
	print_failure("");
	return telling->kind[0] != '\0';
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .seed = 1, .count = DEFAULT_COUNT, .jobs = 1 };
	struct job job = { .form = 0 };
	TALLOC_CTX *mem = talloc_new(NULL);
	char *directory;
	int code;

	(void)argc;
	if (!read_arguments(argv, &arguments, &job))
		return usage();
	/* nothing of it has to survive a power cut */
	directory = mem_printf(mem, "%s/histories-XXXXXX",
			       access("/dev/shm", W_OK) == 0 ? "/dev/shm"
			       : getenv("TMPDIR")            ? getenv("TMPDIR")
							     : "/tmp");
	telling = shared(sizeof *telling);
	if (!mkdtemp(directory)) {
		perror("histories");
		return 73;
	}
	setenv("TMPDIR", directory, 1);
	job.directory = directory;
	job.template = mem_printf(mem, "%s/template.db", directory);
	in_process(&job, make_template, NULL);
	if (telling->kind[0])
		print_failure("");
	code = telling->kind[0]   ? 70
	       : arguments.replay ? replay(&job, arguments.replay)
	       : arguments.show   ? show(&job, arguments.seed)
				  : play_all(&job, &arguments);
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	talloc_free(mem);
	return code;
}

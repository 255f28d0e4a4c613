/* engine_bench.c - how many items one core decides: decode + merge, rights, rules + patch, by whole
 * seconds of CPU time.
 *
 * usage: engine_bench [SECONDS]; prints one line per step. Nothing is asserted: figures belong into
 * a report. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decide/item.h"
#include "mappers/vtodo.h"

#define NOW_US INT64_C(1795252800000000) /* 2026-11-21T08:00:00Z */

struct bench {
	struct rules *rules;
	struct vector *project;
	char *published; /* what we wrote */
	char *edited;    /* the same, ticked off by a client */
	size_t published_len, edited_len;
	char *description;
};

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const struct fault *fault)
{
	if (!fault)
		return;
	fprintf(stderr, "engine_bench: %s\n", fault->text);
	exit(1);
}

static struct bench *prepare(TALLOC_CTX *mem)
{
	struct bench *bench = MEM_NEW(mem, struct bench);
	struct conf_report *report = MEM_NEW(mem, struct conf_report);
	struct conf *conf = MEM_NEW(mem, struct conf);
	struct vtodo_publish publish = { .uid = "0960146d-50c1-5503-863b-2d94d9fd6cb7",
					 .edition = 1,
					 .edition_hash = "1e048276",
					 .now_us = NOW_US };
	struct trailer trailer = { .project = "Bench" };
	struct vtodo *decoded = NULL;
	const char *status;

	bench->rules = rules_new(mem, conf, report);
	bench->project = vector_new(mem);
	vector_text(bench->project, FIELD_subject, "Schiffskiste für den Umzug packen");
	vector_when(bench->project, FIELD_due, when_date(20900));
	vector_number(bench->project, FIELD_status, STATUS_NEEDS_ACTION);
	vector_number(bench->project, FIELD_total_work, 480);
	trailer.values = publish.values = bench->project;
	publish.trailer = trailer_text(mem, &trailer);
	die(vtodo_encode(mem, &publish, &bench->published, &bench->published_len));
	status = strstr(bench->published, "STATUS:NEEDS-ACTION\r\n");
	bench->edited = mem_printf(mem, "%.*sSTATUS:COMPLETED\r\nPERCENT-COMPLETE:100\r\n%s",
				   (int)(status - bench->published), bench->published,
				   status + strlen("STATUS:NEEDS-ACTION\r\n"));
	bench->edited_len = strlen(bench->edited);
	die(vtodo_decode(mem, bench->published, bench->published_len, NULL, &decoded));
	bench->description = mem_strdup(mem, decoded->description);
	return bench;
}

static struct vtodo *decode(TALLOC_CTX *mem, const struct bench *bench, const char *text,
			    size_t len)
{
	struct vtodo *vtodo = NULL;

	die(vtodo_decode(mem, text, len, bench->description, &vtodo));
	return vtodo;
}

static struct item_decision *decide(TALLOC_CTX *mem, const struct bench *bench,
				    const struct vector *seen, const struct vector *item)
{
	static const int64_t at_us[FIELDS];
	static const bool assignee[GROUPS] = { [GROUP_PROGRESS] = true, [GROUP_NOTES] = true };
	struct rules_context context = { .actor = "mailbox", .now_us = NOW_US };
	struct item_input input = { .project = bench->project,
				    .project_at_us = at_us,
				    .want = seen,
				    .seen = seen,
				    .item = item,
				    .assignee = assignee,
				    .rules = bench->rules,
				    .context = &context,
				    .times = { .changed_us = NOW_US } };

	return item_decide(mem, &input);
}

static void patch(TALLOC_CTX *mem, const struct bench *bench, const struct vector *want)
{
	struct vtodo_publish publish = { .values = want,
					 .edition = 2,
					 .edition_hash = "881f4666",
					 .trailer = "Project: Bench\n",
					 .now_us = NOW_US };
	char *text = NULL;
	size_t len = 0;

	die(vtodo_patch(mem, bench->edited, bench->edited_len, &publish, &text, &len));
}

/* Steps: 1 decode, 2 and decide, 3 and patch. */
static void run(const struct bench *bench, int steps, double seconds, const char *what)
{
	struct vtodo *seen = decode(NULL, bench, bench->published, bench->published_len);
	double start = cpu_s(), spent = 0;
	long n = 0;

	while (spent < seconds) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct vtodo *item = decode(mem, bench, bench->edited, bench->edited_len);

		if (steps > 1) {
			struct item_decision *decision =
				decide(mem, bench, seen->values, item->values);

			if (steps > 2)
				patch(mem, bench, decision->want);
		}
		talloc_free(mem);
		n++;
		spent = cpu_s() - start;
	}
	printf("%-28s %10.0f items/s of one core (%ld in %.2f s CPU)\n", what, (double)n / spent, n,
	       spent);
	talloc_free(seen);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 2;
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct bench *bench;

	die(zone_use(mem, "Europe/Berlin"));
	bench = prepare(mem);
	run(bench, 1, seconds, "decode");
	run(bench, 2, seconds, "decode + merge");
	run(bench, 3, seconds, "decode + merge + encode");
	talloc_free(mem);
	return 0;
}

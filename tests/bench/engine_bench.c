/* engine_bench.c - how many items one core decodes, decides and writes, and where the time goes: for
 * both forms of an item, by CPU time.
 *
 * usage: engine_bench [SECONDS]; SECONDS per line. Nothing is asserted: figures belong into a
 * report. The item is one that a client ticked off after we published it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "decide/item.h"
#include "gateway/sync/codec.h"
#include "model/ids.h"
#include "model/trailer.h"

#define NOW_US INT64_C(1795252800000000) /* 2026-11-21T08:00:00Z */
#define INI "[site]\nurl = https://pm.example.com/web\n[store]\ndsn = sqlite:/bench.db\n"
#define CLOCK_EVERY 16 /* items between two looks at the clock */

struct bench {
	enum endpoint_form form;
	struct rules *rules, *no_rules;
	struct vector *project;
	struct codec_publish publish;
	char *published; /* what we wrote */
	char *edited;    /* the same, ticked off by a client */
	size_t published_len, edited_len;
	struct decoded *seen, *item;
	struct vector *want;
	char *stored; /* a vector as the database has it */
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

/* ---- the steps ---- */

static void decode(TALLOC_CTX *mem, const struct bench *bench)
{
	struct decoded *decoded = NULL;

	die(codec_decode(mem, bench->form, bench->edited, bench->edited_len, bench->published,
			 bench->seen->values, &decoded));
}

static struct item_decision *decide_by(TALLOC_CTX *mem, const struct bench *bench,
				       struct rules *rules)
{
	static const int64_t at_us[FIELDS];
	static const bool assignee[GROUPS] = { [GROUP_PROGRESS] = true, [GROUP_NOTES] = true };
	struct rules_context context = { .actor = "mailbox", .now_us = NOW_US };
	struct item_input input = { .project = bench->project,
				    .project_at_us = at_us,
				    .want = bench->seen->values,
				    .seen = bench->seen->values,
				    .item = bench->item->values,
				    .assignee = assignee,
				    .rules = rules,
				    .context = &context,
				    .times = { .changed_us = NOW_US } };

	return item_decide(mem, &input);
}

static void decide(TALLOC_CTX *mem, const struct bench *bench)
{
	(void)decide_by(mem, bench, bench->rules);
}

static void merge(TALLOC_CTX *mem, const struct bench *bench)
{
	(void)decide_by(mem, bench, bench->no_rules);
}

static void encode_over(TALLOC_CTX *mem, const struct bench *bench, const char *old)
{
	struct codec_publish publish = bench->publish;
	char *text = NULL;
	size_t len = 0;

	publish.values = bench->want;
	publish.edition = 2;
	die(codec_encode(mem, bench->form, old, &publish, &text, &len));
}

static void patch(TALLOC_CTX *mem, const struct bench *bench)
{
	encode_over(mem, bench, bench->edited);
}

static void encode(TALLOC_CTX *mem, const struct bench *bench)
{
	encode_over(mem, bench, NULL);
}

static void all(TALLOC_CTX *mem, const struct bench *bench)
{
	decode(mem, bench);
	decide(mem, bench);
	patch(mem, bench);
}

static void ids(TALLOC_CTX *mem, const struct bench *bench)
{
	(void)ids_of_vector(mem, CODEC_VERSION, bench->item->values);
}

static void store_text(TALLOC_CTX *mem, const struct bench *bench)
{
	(void)vector_encode(mem, bench->item->values);
}

static void load_text(TALLOC_CTX *mem, const struct bench *bench)
{
	struct vector *vector = NULL;

	die(vector_decode(mem, bench->stored, &vector));
}

static const struct {
	const char *name;
	void (*run)(TALLOC_CTX *mem, const struct bench *bench);
} steps[] = {
	{ "decode, decide, patch", all },
	{ "  decode", decode },
	{ "  decide: merge, rights, rules", decide },
	{ "    without any rule", merge },
	{ "  patch", patch },
	{ "encode a new item", encode },
	{ "change ids of an item", ids },
	{ "a vector to the database", store_text },
	{ "  and back", load_text },
};

/* ---- the item ---- */

/* What a client makes of it: one line in the VTODO. */
static void tick_off(TALLOC_CTX *mem, struct bench *bench)
{
	const char *line = "STATUS:NEEDS-ACTION\r\n";
	char *status = strstr(bench->published, line);

	if (!status) {
		fprintf(stderr, "engine_bench: the item has no status to tick off\n");
		exit(1);
	}
	bench->edited = mem_printf(mem, "%.*sSTATUS:COMPLETED\r\nPERCENT-COMPLETE:100\r\n%s",
				   (int)(status - bench->published), bench->published,
				   status + strlen(line));
	bench->edited_len = strlen(bench->edited);
}

static struct rules *rules_of(TALLOC_CTX *mem, const char *ini)
{
	struct conf_report *report = NULL;
	struct conf *conf = NULL;

	die(conf_parse(mem, "bench.ini", ini, strlen(ini), 0600, &conf, &report));
	if (!conf) {
		fprintf(stderr, "engine_bench: %s\n", report->findings[0].text);
		exit(1);
	}
	return rules_new(mem, conf, report);
}

/* Each of the built-in rules off. */
static char *without_rules(TALLOC_CTX *mem)
{
	struct buf *ini = buf_new(mem);

	buf_puts(ini, INI);
	for (const char *at = rules_builtin_text(); (at = strstr(at, "[rule ")); at++)
		if (at[-1] == '\n')
			buf_printf(ini, "%.*s\nenabled = no\n", (int)strcspn(at, "\n"), at);
	return buf_steal(&ini, mem, NULL);
}

static struct bench *prepare(TALLOC_CTX *mem, enum endpoint_form form)
{
	struct bench *bench = MEM_NEW(mem, struct bench);
	struct trailer trailer = { .project = "Bench" };

	bench->form = form;
	bench->rules = rules_of(mem, INI);
	bench->no_rules = rules_of(mem, without_rules(mem));
	bench->project = vector_new(mem);
	vector_text(bench->project, FIELD_subject, "Schiffskiste packen und abholen");
	vector_when(bench->project, FIELD_due, when_date(20900));
	vector_number(bench->project, FIELD_status, STATUS_NEEDS_ACTION);
	vector_number(bench->project, FIELD_total_work, 480);
	trailer.values = bench->project;
	bench->publish = (struct codec_publish){ .values = bench->project,
						 .uid = "0960146d-50c1-5503-863b-2d94d9fd6cb7",
						 .edition = 1,
						 .edition_hash = "1e048276",
						 .now_us = NOW_US,
						 .trailer = trailer_text(mem, &trailer),
						 .site_host = "pm.example.com",
						 .project = "Bench" };
	die(codec_encode(mem, form, NULL, &bench->publish, &bench->published,
			 &bench->published_len));
	tick_off(mem, bench);
	die(codec_decode(mem, form, bench->published, bench->published_len, NULL, NULL,
			 &bench->seen));
	die(codec_decode(mem, form, bench->edited, bench->edited_len, bench->published,
			 bench->seen->values, &bench->item));
	bench->want = decide_by(mem, bench, bench->rules)->want;
	bench->stored = vector_encode(mem, bench->item->values);
	return bench;
}

static void measure(const struct bench *bench, size_t step, double seconds)
{
	double start = cpu_s(), spent = 0;
	long n = 0;

	while (spent < seconds) {
		for (int i = 0; i < CLOCK_EVERY; i++, n++) {
			TALLOC_CTX *mem = MEM_CONTEXT(NULL);

			steps[step].run(mem, bench);
			talloc_free(mem);
		}
		spent = cpu_s() - start;
	}
	printf("  %-32s%10.0f items/s of one core %10.1f us each\n", steps[step].name,
	       (double)n / spent, spent * 1e6 / (double)n);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	die(zone_use(mem, "Europe/Berlin"));
	for (int form = ENDPOINT_VTODO; form <= ENDPOINT_MESSAGE; form++) {
		struct bench *bench = prepare(mem, (enum endpoint_form)form);

		printf("%s, %zu bytes:\n", form == ENDPOINT_VTODO ? "VTODO" : "message",
		       bench->edited_len);
		for (size_t step = 0; step < COUNT_OF(steps); step++)
			measure(bench, step, seconds);
	}
	talloc_free(mem);
	return 0;
}

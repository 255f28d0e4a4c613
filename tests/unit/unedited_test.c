/* An item that nobody edited is as it was published, whatever its texts hold, and whoever kept it:
 * found by a database that does not know it, it changes nothing in the project. */
#include "config.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "decide/item.h"
#include "decide/publish.h"
#include "gateway/sync/codec.h"
#include "spec.h"

#define ITEMS 400
#define CARRIED 14 /* messages that another program writes anew */
#define NOW_US (INT64_C(1795000000) * CLOCK_SECOND_US)
#define DAY_US (24 * 3600 * CLOCK_SECOND_US)
#define LONG_PIECES 1200 /* of a text, rarely */

static const enum endpoint_form forms[] = { ENDPOINT_VTODO, ENDPOINT_MESSAGE };

static TALLOC_CTX *mem;
static struct rules *rules;
static const struct conf *conf;

static void begin(void)
{
	static const char ini[] = "[site]\nurl = https://pm.example.com/\n";
	struct conf_report *report = NULL;
	struct conf *made = NULL;

	mem = talloc_new(NULL);
	cr_assert_null(zone_use(mem, "Europe/Berlin"));
	cr_assert_null(conf_parse(mem, "test.ini", ini, strlen(ini), 0600, &made, &report));
	cr_assert_not_null(made);
	rules = rules_new(mem, made, report);
	conf = made;
}

static void end(void)
{
	talloc_free(mem);
}

TestSuite(unedited, .init = begin, .fini = end);

/* Numbers that are the same in every run. */
static uint32_t next(uint64_t *state, uint32_t bound)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % bound;
}

/* ---- projects ---- */

static const char *const pieces[] = {
	/* words, blanks */
	"Paint the fence",
	"a",
	" ",
	"  ",
	"\t",
	"\u00a0",
	"\u2009",
	"\u202f",
	"k\u00f6nnen",
	"e\u0301",
	"\u00e9",
	"\U0001f600",
	"The quick brown fox jumps over the lazy dog, and runs away to the harbour, slowly. ",
	/* line ends, and what some take for such */
	"\n",
	"\n\n",
	"\r\n",
	"\r",
	"\r\r\n",
	"\n \n",
	"\t\n",
	" \n",
	"\v",
	"\f",
	"\xc2\x85",
	"\u2028",
	"\u2029",
	/* control characters, what is not UTF-8, what is not seen */
	"\x01",
	"\x07",
	"\x1b",
	"\x7f",
	"\xc2\x9b",
	"\xff",
	"\xc3",
	"\xed\xa0\x80",
	"\ufffd",
	"\ufeff",
	"\ufffe",
	"\u202e",
	"\u2066",
	"\u200b",
	"\u00ad",
	/* what means something in iCalendar, mail, HTML */
	"\\n",
	"\\N",
	"\\",
	",",
	";",
	":",
	"\"",
	"%",
	"\nBEGIN:VTODO\n",
	"\nEND:VCALENDAR\n",
	"\nFrom me\n",
	"\n.\n",
	"\n.. ",
	"=20",
	"=\n",
	"=3D",
	"\n--=_",
	"\n-- \n",
	"\n--taskferry",
	"\n> ",
	"=?utf-8?q?x?=",
	"<b>",
	"&amp;",
	/* on a card, and in a trailer */
	"-",
	"--",
	"---",
	"\u2013",
	"\u2014",
	"none",
	"Task:",
	"\nTask: other\n",
	"\nStatus: done\n",
	"Percent: 70\n",
	"Notes:",
	"\nNotes: n\n",
	"Due: -\n",
	"+2h review\n",
	"taskferry",
	"--- taskferry",
	"\n--- taskferry ---\n",
	"\n\\taskferry\n",
	"\n-- taskferry\n| x",
	"\n|",
	"\n| Project: x\n",
	"\nTick it off or set the percentage; write notes above the line.\n",
};

static char *text_of(uint64_t *state, uint32_t most)
{
	struct buf *text = buf_new(mem);
	uint32_t n = 1 + next(state, most), few = COUNT_OF(pieces);

	if (!next(state, 40)) {
		n = next(state, LONG_PIECES);
		few = 3;
	}
	for (; n > 0; n--)
		buf_puts(text, pieces[next(state, few)]);
	return text->data;
}

static struct when when_of(uint64_t *state, int32_t day)
{
	day += (int32_t)next(state, 300);
	switch (next(state, 5)) {
	case 0:
		return when_from_local(day, 23, 59, 59, NULL);
	case 1:
		return when_from_local(day, 0, 0, 0, NULL);
	case 2:
		return when_instant(day * DAY_US + next(state, 2000000000) * INT64_C(43),
				    "America/New_York");
	default:
		return when_date(day);
	}
}

/* As a project has it: what is coupled agrees. */
static void put_progress(struct vector *values, uint64_t *state)
{
	uint32_t percent = next(state, 5) ? next(state, 99) + 1 : 0;

	switch (next(state, 4)) {
	case 0:
		vector_number(values, FIELD_status, STATUS_COMPLETED);
		vector_number(values, FIELD_percent, 100);
		vector_when(values, FIELD_completed_at, when_of(state, 20000));
		return;
	case 1:
		vector_number(values, FIELD_status, STATUS_CANCELLED);
		break;
	case 2:
		return;
	default:
		vector_number(values, FIELD_status,
			      percent ? STATUS_IN_PROCESS : STATUS_NEEDS_ACTION);
		break;
	}
	vector_number(values, FIELD_percent, percent);
}

static struct vector *project_of(uint64_t *state)
{
	struct vector *values = vector_new(mem);
	struct buf *names = buf_new(mem);

	if (next(state, 8))
		vector_text(values, FIELD_subject, text_of(state, 4));
	if (next(state, 4))
		vector_text(values, FIELD_notes, text_of(state, next(state, 5) ? 6 : 40));
	for (uint32_t i = next(state, 4); i > 0; i--)
		buf_join(names, text_of(state, 3), "\n", NULL);
	vector_list(values, FIELD_categories, names->data);
	if (next(state, 2))
		vector_when(values, FIELD_start, when_of(state, 20600));
	if (next(state, 2))
		vector_when(values, FIELD_due, when_of(state, 20700));
	if (next(state, 2))
		vector_number(values, FIELD_priority, next(state, 10));
	if (next(state, 2))
		vector_number(values, FIELD_total_work, next(state, 3000));
	if (next(state, 2))
		vector_number(values, FIELD_actual_work, next(state, 3000));
	put_progress(values, state);
	return values;
}

/* ---- one item ---- */

struct item {
	uint64_t seed;
	enum endpoint_form form;
	enum conf_dates dates;
	struct vector *project, *want;
	struct codec_publish publish;
	char *text;
	struct decoded *foreseen; /* NULL: only reading tells */
	struct decoded *read;
};

/* For messages of failures. */
static char *label(const struct item *item, const char *way)
{
	return mem_printf(mem, "seed %d, %s, %s", (int)item->seed,
			  item->form == ENDPOINT_MESSAGE ? "message" : "VTODO", way);
}

static struct decoded *decode(const struct item *item, const char *text, const char *last,
			      const struct vector *seen)
{
	struct decoded *decoded = NULL;
	struct fault *fault =
		codec_decode(mem, item->form, text, strlen(text), last, seen, &decoded);

	cr_assert_null(fault, "%s: %s\n%s", label(item, "decode"), fault ? fault->text : "", text);
	return decoded;
}

static char *patched(const struct item *item, const char *old)
{
	char *text = NULL;

	cr_assert_null(codec_encode(mem, item->form, old, &item->publish, &text, NULL));
	return text;
}

/* SEED: everything about the item. RAW: as nobody does, the values were not made to be published. */
static struct item item_of(uint64_t seed, enum endpoint_form form, bool raw)
{
	uint64_t state = seed;
	struct item item = { .seed = seed, .form = form };
	struct fault *fault;

	item.dates = next(&state, 2) ? DATES_DAY : DATES_TIME;
	item.project = project_of(&state);
	item.want =
		raw ? item.project
		    : publish_vector(mem, item.project, item.dates, next(&state, 2) ? "p-1" : NULL);
	item.publish = (struct codec_publish){
		.values = item.want,
		.uid = "0b8a9f7e-1111-5222-8333-444455556666",
		.edition = 1,
		.edition_hash = codec_hash(mem, item.want),
		.trailer = "Project: Harbour\n\n" TRAILER_HOW_TO_REPORT "\n",
		.now_us = NOW_US,
		.site_host = "pm.example.com",
		.project = "Harbour",
		.to_name = "Ana",
		.to_email = "ana@example.com",
	};
	fault = codec_encode_new(mem, mem, form, &item.publish, &item.text, NULL, &item.foreseen);
	cr_assert_null(fault, "%s: %s", label(&item, "encode"), fault ? fault->text : "");
	item.read = decode(&item, item.text, NULL, NULL);
	return item;
}

/* Of what is read from items, nothing but what is absent differs. */
static void expect_same(const struct item *item, const struct vector *a, const struct vector *b,
			const char *way)
{
	for (int f = 0; f < FIELDS; f++)
		if (field_table[f].owner == OWNER_BOTH && b->value[f].presence != ABSENT)
			cr_expect(value_same((enum field)f, &a->value[f], &b->value[f]),
				  "%s: %s\n%s\n%s", label(item, way), field_table[f].name,
				  vector_encode(mem, a), vector_encode(mem, b));
}

/* M6: a database that does not know the item meets it. */
static void expect_adopted(const struct item *item, const struct decoded *read, const char *way)
{
	struct rules_context context = { .task_key = "1",
					 .project_code = "p",
					 .project_name = "P",
					 .project_state = "published",
					 .resource_key = "ana@example.com",
					 .actor = "mailbox",
					 .now_us = NOW_US };
	int64_t at_us[FIELDS] = { 0 };
	struct item_input input = { .project_at_us = at_us,
				    .dates = item->dates,
				    .assignee = conf->rights.assignee,
				    .rules = rules,
				    .context = &context,
				    .project = item->project,
				    .item = read->values,
				    .writer = read->writer,
				    .times = { .changed_us = NOW_US } };
	struct item_decision *decision = item_decide(mem, &input);

	cr_expect_str_eq(vector_encode(mem, decision->project), vector_encode(mem, item->project),
			 "%s", label(item, way));
	cr_expect_eq(decision->revision_count, 0, "%s: %s", label(item, way),
		     decision->revision_count ? decision->revisions[0]->message : "");
	expect_same(item, item->want, read->values, way);
	cr_expect_null(read->beaten, "%s", label(item, way));
}

static void expect_foreseen(const struct item *item)
{
	if (item->foreseen)
		cr_expect_str_eq(vector_encode(mem, item->foreseen->values),
				 vector_encode(mem, item->read->values), "%s",
				 label(item, "foreseen"));
	cr_expect_str_eq(codec_hash(mem, item->read->values), item->publish.edition_hash, "%s",
			 label(item, "hash"));
	cr_expect(!item->read->uneven, "%s", label(item, "halves"));
	cr_expect(vtodo_same(item->want, item->read->values), "%s", label(item, "to be written"));
}

/* ---- tests ---- */

Test(unedited, adopted)
{
	int foreseen = 0;

	for (size_t i = 0; i < ITEMS * COUNT_OF(forms); i++) {
		struct item item = item_of(i / 2, forms[i % 2], false);
		char *again = patched(&item, item.text);

		foreseen += item.foreseen != NULL;
		expect_foreseen(&item);
		expect_adopted(&item, item.read, "adopted");
		expect_adopted(&item, decode(&item, item.text, NULL, item.want), "an old copy");
		expect_adopted(&item, decode(&item, item.text, item.text, item.read->values),
			       "read again");
		cr_expect(!publish_differs(item.want, NULL, item.read->values), "%s",
			  label(&item, "differs"));
		cr_expect_str_eq(again, item.text, "%s", label(&item, "patched"));
	}
	cr_expect_gt(foreseen, ITEMS, "%d", foreseen);
}

/* Values of links that older versions made, too. */
Test(unedited, not_made_to_be_published)
{
	for (size_t i = 0; i < ITEMS * COUNT_OF(forms); i++) {
		struct item item = item_of(i / 2, forms[i % 2], true);

		expect_foreseen(&item);
	}
}

/* ---- as other programs keep them ---- */

static char *contents(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf *text = buf_new(mem);
	char chunk[4096];
	size_t n;

	cr_assert(file, "%s", path);
	while ((n = fread(chunk, 1, sizeof chunk, file)))
		buf_add(text, chunk, n);
	(void)fclose(file);
	return text->data;
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");

	cr_assert(file, "%s", path);
	cr_assert(fputs(text, file) >= 0 && fclose(file) == 0);
}

static void expect_carried(const struct item *item, const char *text, const char *way)
{
	struct decoded *read = decode(item, text, NULL, NULL);

	if (read->card_only) /* as round_check_adoption() does */
		read = decode(item, text, NULL, item->want);
	else
		cr_expect_str_eq(codec_hash(mem, read->values), item->publish.edition_hash, "%s",
				 label(item, way));
	cr_expect_eq(read->uneven, read->card_only, "%s", label(item, way));
	expect_adopted(item, read, way);
	read = decode(item, text, item->text, item->read->values);
	expect_same(item, item->read->values, read->values, label(item, way));
	cr_expect_null(read->beaten, "%s", label(item, way));
}

/* As servers do that keep what libical makes of an item. A name with one of these signs it takes for
 * two, and blanks before a text it takes away. */
static bool libical_keeps(const struct item *item)
{
	const char *names = vector_str(item->want, FIELD_categories);
	const char *notes = vector_str(item->want, FIELD_notes);

	return !(names && strpbrk(names, ",;\\")) && !(notes && strspn(notes, " \t"));
}

Test(unedited, as_libical_writes_it_anew)
{
	int kept = 0;

	for (size_t i = 0; i < ITEMS; i++) {
		struct item item = item_of(i, ENDPOINT_VTODO, false);
		icalcomponent *component = icalparser_parse_string(item.text);
		char *text;

		cr_assert(component, "%s", label(&item, "libical"));
		text = icalcomponent_as_ical_string_r(component);
		if (libical_keeps(&item)) {
			expect_carried(&item, text, "libical");
			kept++;
		}
		icalmemory_free_buffer(text);
		icalcomponent_free(component);
	}
	cr_expect_gt(kept, ITEMS / 2);
}

static void remove_all(const char *folder)
{
	DIR *dir = opendir(folder);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		(void)unlink(mem_printf(mem, "%s/%s", folder, entry->d_name));
	if (dir)
		(void)closedir(dir);
	(void)rmdir(folder);
}

Test(unedited, as_python_writes_it_anew)
{
	static const char *const ways[] = { "kept",	    "quoted",	  "base64",
					    "8bit",	    "flowed",	  "lf",
					    "no-calendar", "plain-only", "calendar-only" };
	const char *tmp = getenv("TMPDIR");
	char *folder = mem_printf(mem, "%s/unedited_XXXXXX", tmp ? tmp : "/tmp");
	struct item items[CARRIED];

	if (access("/usr/bin/python3", X_OK))
		cr_skip_test("/usr/bin/python3 is not there: no other writer was asked");
	cr_assert(mkdtemp(folder));
	for (size_t i = 0; i < CARRIED; i++) {
		items[i] = item_of(i, ENDPOINT_MESSAGE, false);
		put_file(mem_printf(mem, "%s/%zu", folder, i), items[i].text);
	}
	cr_assert_eq(
		system(mem_printf(mem, "/usr/bin/python3 '%s/tests/unit/message_carrier.py' '%s'",
				  TF_SRCDIR, folder)),
		0);
	for (size_t i = 0; i < CARRIED * COUNT_OF(ways); i++) {
		size_t item = i / COUNT_OF(ways);
		const char *way = ways[i % COUNT_OF(ways)];

		expect_carried(&items[item],
			       contents(mem_printf(mem, "%s/%zu.%s", folder, item, way)), way);
	}
	remove_all(folder);
}

/* What a message is left with when its calendar is dropped still says what was edited. */
Test(unedited, but_a_card_alone_can_be)
{
	struct item item = { .form = ENDPOINT_MESSAGE };
	static const char text[] =
		"X-Taskferry-UID: u-1\r\nContent-Type: text/plain\r\n\r\n"
		"Task: Ship crate\r\nStatus: not started\r\nPercent: 0\r\nDue: 2026-12-01\r\n\r\n";
	struct vector *seen =
		spec_vector(mem, "subject=Ship  crate; status=in-process; percent=40; "
				 "due=2026-12-01; notes=Two.");
	struct decoded *read = decode(&item, text, NULL, NULL);

	cr_expect(read->card_only && read->uneven);
	cr_expect_str_eq(spec_text(mem, read->values, true),
			 "subject=Ship crate; due=2026-12-01; status=needs-action; percent=0");
	read = decode(&item, text, NULL, seen);
	cr_expect_str_eq(spec_text(mem, read->values, true),
			 "subject=Ship  crate; due=2026-12-01; status=needs-action; percent=0");
}

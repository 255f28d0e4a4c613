/* vector_test.c - values: what means the same, their texts, the lines of the database, the hash. */
#include "config.h"

#include "model/vector.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static TALLOC_CTX *mem;

static void begin(void)
{
	mem = talloc_new(NULL);
	cr_assert_null(zone_use(mem, "Europe/Berlin"));
}

static void end(void)
{
	talloc_free(mem);
}

TestSuite(vector, .init = begin, .fini = end);
TestSuite(value, .init = begin, .fini = end);

#define ABSENT_TEXT "(absent)"

/* A value from a text; "" is cleared. */
static struct value value_of(enum field field, const char *text)
{
	struct value value = { .presence = ABSENT };
	struct fault *fault;

	if (!strcmp(text, ABSENT_TEXT))
		return value;
	if (field_table[field].type == FIELD_TEXT && *text) /* also blanks */
		return (struct value){ .presence = SET, .text = text };
	fault = value_parse(mem, field, text, &value);
	cr_assert_null(fault, "%s", fault->text);
	return value;
}

static const struct pair {
	enum field field;
	const char *a, *b;
	bool same, identical;
} pairs[] = {
	/* absent, cleared, nothing */
	{ FIELD_subject, ABSENT_TEXT, "", true, true },
	{ FIELD_subject, "", "", true, true },
	{ FIELD_subject, "", "A", false, false },
	{ FIELD_subject, ABSENT_TEXT, " \n", true, false },
	{ FIELD_due, ABSENT_TEXT, "", true, true },
	{ FIELD_due, ABSENT_TEXT, "2026-11-21", false, false },
	{ FIELD_percent, ABSENT_TEXT, "0", true, false },
	{ FIELD_percent, "", "0", true, false },
	{ FIELD_percent, ABSENT_TEXT, "1", false, false },
	{ FIELD_status, ABSENT_TEXT, "needs-action", true, false },
	{ FIELD_status, "", "in-process", false, false },
	{ FIELD_milestone, "", "false", true, false },
	{ FIELD_milestone, ABSENT_TEXT, "true", false, false },
	{ FIELD_total_work, ABSENT_TEXT, "", true, true },
	{ FIELD_total_work, ABSENT_TEXT, "0", false, false },
	/* numbers */
	{ FIELD_percent, "60", "60", true, true },
	{ FIELD_percent, "60", "61", false, false },
	{ FIELD_percent, "140", "100", false, false },
	{ FIELD_total_work, "90", "1.5h", true, true },
	{ FIELD_status, "completed", "COMPLETED", true, true },
	{ FIELD_status, "completed", "cancelled", false, false },
	/* priorities by bands */
	{ FIELD_priority, ABSENT_TEXT, "0", true, false },
	{ FIELD_priority, "1", "4", true, false },
	{ FIELD_priority, "4", "5", false, false },
	{ FIELD_priority, "5", "6", false, false },
	{ FIELD_priority, "6", "9", true, false },
	{ FIELD_priority, "9", "10", false, false },
	{ FIELD_priority, "0", "-1", false, false },
	{ FIELD_priority, "0", "9", false, false },
	/* dates in Berlin */
	{ FIELD_due, "2026-11-21", "2026-11-21", true, true },
	{ FIELD_due, "2026-11-21", "2026-11-22", false, false },
	{ FIELD_due, "2026-11-21", "2026-11-20T23:00:00Z", true, false },
	{ FIELD_due, "2026-11-21", "2026-11-21T22:59:59Z", true, false },
	{ FIELD_due, "2026-11-21", "2026-11-21T23:00:00Z", false, false },
	{ FIELD_due, "2026-11-21", "2026-11-20T22:59:59Z", false, false },
	{ FIELD_due, "2026-07-21", "2026-07-20T22:00:00Z", true, false },
	{ FIELD_due, "2026-11-21T08:00:00Z", "2026-11-21T09:00:00+01:00", true, true },
	{ FIELD_due, "2026-11-21T08:00:00Z", "2026-11-21T08:00:01Z", true, false },
	{ FIELD_due, "2026-11-21T08:00:00Z", "2026-11-21T08:00:59.999999Z", true, false },
	{ FIELD_due, "2026-11-21T08:00:00Z", "2026-11-21T08:01:00Z", false, false },
	{ FIELD_due, "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", false, false },
	{ FIELD_due, "1969-12-31T23:59:00Z", "1969-12-31T23:59:59Z", true, false },
	/* texts */
	{ FIELD_notes, "a\nb", "a\r\nb\r\n", true, false },
	{ FIELD_notes, "a\nb", "a \t\nb\n\n \n", true, false },
	{ FIELD_notes, "a\nb", "a\rb", true, false },
	{ FIELD_notes, "a", "a\xc2\xa0", true, false },
	{ FIELD_notes, "a\nb", "a\n\nb", false, false },
	{ FIELD_notes, "a", " a", false, false },
	{ FIELD_notes, "a", "A", false, false },
	{ FIELD_notes, "a b", "a  b", false, false },
	/* sets */
	{ FIELD_categories, "a\nb", "b\na", true, true },
	{ FIELD_categories, "a\nb", "b\na\na\n\n", true, true },
	{ FIELD_categories, "a", "a\nb", false, false },
	{ FIELD_categories, "a", "A", false, false },
	{ FIELD_categories, "", " \n ", true, true },
};

Test(value, same_and_identical)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		const struct pair *p = &pairs[i];
		struct value a = value_of(p->field, p->a), b = value_of(p->field, p->b);
		const char *name = field_table[p->field].name;

		cr_expect_eq(value_same(p->field, &a, &b), p->same, "%s: \"%s\" same \"%s\"", name,
			     p->a, p->b);
		cr_expect_eq(value_same(p->field, &b, &a), p->same, "%s: \"%s\" same \"%s\"", name,
			     p->b, p->a);
		cr_expect_eq(value_identical(p->field, &a, &b), p->identical,
			     "%s: \"%s\" identical \"%s\"", name, p->a, p->b);
		cr_expect(value_same(p->field, &a, &a) && value_identical(p->field, &a, &a),
			  "%s: \"%s\"", name, p->a);
	}
}

/* What means the same has one hash; what does not has another, but for times of one day. */
Test(vector, hash_goes_by_meaning)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		const struct pair *p = &pairs[i];
		struct value a = value_of(p->field, p->a), b = value_of(p->field, p->b);
		struct vector *x = vector_new(mem), *y = vector_new(mem);
		bool published = field_table[p->field].vtodo != NULL;
		bool one_day = field_table[p->field].type == FIELD_WHEN && a.presence == SET &&
			       b.presence == SET &&
			       when_local_day(&a.when) == when_local_day(&b.when);

		vector_put(x, p->field, &a);
		vector_put(y, p->field, &b);
		cr_expect_eq(!strcmp(vector_hash(mem, x), vector_hash(mem, y)),
			     p->same || one_day || !published, "%s: \"%s\" \"%s\"",
			     field_table[p->field].name, p->a, p->b);
	}
}

Test(vector, hash_is_eight_digits_of_published_fields_only)
{
	struct vector *vector = vector_new(mem);
	char *empty = vector_hash(mem, vector), *subject;

	cr_expect_eq(strlen(empty), 8);
	cr_expect_eq(strspn(empty, "0123456789abcdef"), 8);
	vector_text(vector, FIELD_description, "not in a VTODO");
	vector_number(vector, FIELD_milestone, 1);
	cr_expect_str_eq(vector_hash(mem, vector), empty);
	vector_text(vector, FIELD_subject, "A");
	subject = vector_hash(mem, vector);
	cr_expect_str_neq(subject, empty);
	vector_clear(vector, FIELD_subject);
	vector_text(vector, FIELD_notes, "A");
	cr_expect_str_neq(vector_hash(mem, vector), subject, "another field is another hash");
	vector_text(vector, FIELD_subject, "A\nnotes B");
	vector_clear(vector, FIELD_notes);
	subject = vector_hash(mem, vector);
	vector_text(vector, FIELD_subject, "A");
	vector_text(vector, FIELD_notes, "B");
	cr_expect_str_neq(vector_hash(mem, vector), subject, "a text cannot pose as a field");
}

Test(value, parse)
{
	static const struct {
		enum field field;
		const char *text;
		const char *canonical; /* NULL: refused; "" cleared */
	} rows[] = {
		{ FIELD_percent, "60", "60" },
		{ FIELD_percent, " 60 ", "60" },
		{ FIELD_percent, "60%", "60" },
		{ FIELD_percent, "60 %", "60" },
		{ FIELD_percent, "140", "140" },
		{ FIELD_percent, "-5", "-5" },
		{ FIELD_percent, "", "" },
		{ FIELD_percent, "  ", "" },
		{ FIELD_percent, NULL, "" },
		{ FIELD_percent, "60.5", NULL },
		{ FIELD_percent, "sixty", NULL },
		{ FIELD_percent, "%", NULL },
		{ FIELD_percent, "99999999999999999999", NULL },
		{ FIELD_priority, "5", "5" },
		{ FIELD_priority, "5%", NULL },
		{ FIELD_status, "in-process", "in-process" },
		{ FIELD_status, "IN-PROCESS", "in-process" },
		{ FIELD_status, " In Process ", "in-process" },
		{ FIELD_status, "needs_action", "needs-action" },
		{ FIELD_status, "done", NULL },
		{ FIELD_milestone, "true", "true" },
		{ FIELD_milestone, "No", "false" },
		{ FIELD_milestone, "1", "true" },
		{ FIELD_milestone, "2", NULL },
		{ FIELD_total_work, "90", "90" },
		{ FIELD_total_work, "1.5h", "90" },
		{ FIELD_total_work, "2h 30m", "150" },
		{ FIELD_total_work, "PT2H", "120" },
		{ FIELD_total_work, "-60", "-60" },
		{ FIELD_total_work, "2d", NULL },
		{ FIELD_total_work, "lots", NULL },
		{ FIELD_due, "2026-11-21", "2026-11-21" },
		{ FIELD_due, "2026-11-21T08:00:00+01:00", "2026-11-21T07:00:00Z" },
		{ FIELD_due, "2026-11-21T08:00", "2026-11-21T07:00:00Z" },
		{ FIELD_due, "2026-02-31", NULL },
		{ FIELD_due, "3000-01-01", NULL },
		{ FIELD_due, "soon", NULL },
		{ FIELD_subject, " A  b ", " A  b " },
		{ FIELD_subject, "\xc3\xbc", "\xc3\xbc" },
		{ FIELD_subject, "\xc3", NULL },
		{ FIELD_categories, "b\n a \n\nb", "a\nb" },
		{ FIELD_categories, "\n", "" },
		{ FIELD_categories, "\xff", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *name = field_table[rows[i].field].name;
		struct value value = { .presence = ABSENT };
		struct fault *fault = value_parse(mem, rows[i].field, rows[i].text, &value);
		const char *text = fault ? NULL : value_text(mem, rows[i].field, &value);

		cr_expect_eq(!fault, rows[i].canonical != NULL, "%s: \"%s\": %s", name,
			     rows[i].text, fault ? fault->text : text);
		if (fault) {
			cr_expect_eq(fault->kind, FAULT_DATA);
			cr_expect(text_starts(fault->text, name), "%s", fault->text);
			cr_expect_eq(value.presence, ABSENT, "untouched");
			continue;
		}
		cr_expect_eq(value.presence, *rows[i].canonical ? SET : CLEARED, "%s: \"%s\"", name,
			     rows[i].text);
		cr_expect_str_eq(text ? text : "", rows[i].canonical,
				 "%s: \"%s\": expected \"%s\", actual \"%s\"", name, rows[i].text,
				 rows[i].canonical, text);
	}
}

Test(vector, setters_and_getters)
{
	struct vector *vector = vector_new(mem), *copy;
	char text[] = "Ship";

	for (int i = 0; i < FIELDS; i++)
		cr_expect_eq(vector->value[i].presence, ABSENT);
	cr_expect_eq(vector_get(vector, FIELD_percent, 7), 7);
	cr_expect_null(vector_str(vector, FIELD_subject));
	vector_number(vector, FIELD_percent, 60);
	vector_number(vector, FIELD_milestone, 5);
	vector_text(vector, FIELD_subject, text);
	vector_list(vector, FIELD_categories, "b\na\nb\n");
	vector_when(vector, FIELD_due, when_instant(5, "Europe/Berlin"));
	memset(text, 'x', strlen(text));
	copy = vector_copy(mem, vector);
	talloc_free(vector);
	cr_expect_eq(vector_get(copy, FIELD_percent, 7), 60);
	cr_expect_eq(vector_get(copy, FIELD_milestone, 7), 1);
	cr_expect_str_eq(vector_str(copy, FIELD_subject), "Ship");
	cr_expect_str_eq(vector_str(copy, FIELD_categories), "a\nb");
	cr_expect_str_eq(copy->value[FIELD_due].when.zone, "Europe/Berlin");
	vector_clear(copy, FIELD_percent);
	cr_expect_eq(copy->value[FIELD_percent].presence, CLEARED);
	cr_expect_eq(vector_get(copy, FIELD_percent, 7), 7);
	vector_text(copy, FIELD_subject, "");
	cr_expect_eq(copy->value[FIELD_subject].presence, CLEARED);
	vector_list(copy, FIELD_categories, NULL);
	cr_expect_eq(copy->value[FIELD_categories].presence, CLEARED);
}

Test(vector, a_view_is_changed_alone)
{
	struct vector *vector = vector_new(mem), *view;

	vector_text(vector, FIELD_subject, "Ship");
	vector_number(vector, FIELD_percent, 60);
	view = vector_view(mem, vector);
	cr_expect_eq(vector_str(view, FIELD_subject), vector_str(vector, FIELD_subject));
	vector_clear(view, FIELD_percent);
	vector_text(view, FIELD_subject, "Crate");
	cr_expect_eq(vector_get(vector, FIELD_percent, 7), 60);
	cr_expect_str_eq(vector_str(vector, FIELD_subject), "Ship");
	talloc_free(view);
	cr_expect_str_eq(vector_str(vector, FIELD_subject), "Ship");
}

/* Its texts lie in a copy of what was read, which it owns. */
Test(vector, a_decoded_one_lives_without_its_text)
{
	char text[] = "subject a\\nb\\\\\n"
		      "due 2026-11-21T08:00:00Z/2026-11-21 Asia/Tokyo\n"
		      "categories b\\na\n";
	struct vector *vector = NULL, *copy;

	cr_assert_null(vector_decode(mem, text, &vector));
	memset(text, 'x', strlen(text));
	copy = vector_copy(mem, vector);
	talloc_free(vector);
	cr_expect_str_eq(vector_str(copy, FIELD_subject), "a\nb\\");
	cr_expect_str_eq(vector_str(copy, FIELD_categories), "a\nb");
	cr_expect_str_eq(copy->value[FIELD_due].when.zone, "Asia/Tokyo");
	cr_expect_neq(copy->value[FIELD_due].when.wall_day, 0);
}

Test(vector, encode_writes_the_lines_of_its_contract)
{
	struct vector *vector = vector_new(mem);

	cr_expect_str_eq(vector_encode(mem, vector), "");
	vector_text(vector, FIELD_subject, "Ship\\crate\n\xc3\xbc");
	vector_when(vector, FIELD_start, when_date(20778));
	vector_when(vector, FIELD_due, when_instant(0, "Europe/Berlin"));
	vector_when(vector, FIELD_deadline, when_instant(0, NULL));
	vector_clear(vector, FIELD_priority);
	vector_list(vector, FIELD_categories, "b\na");
	vector_number(vector, FIELD_milestone, 1);
	vector_number(vector, FIELD_total_work, 720);
	vector_number(vector, FIELD_status, STATUS_IN_PROCESS);
	vector_number(vector, FIELD_percent, -3);
	cr_expect_str_eq(vector_encode(mem, vector),
			 "subject Ship\\\\crate\\n\xc3\xbc\nstart 2026-11-21\ndue "
			 "1970-01-01T00:00:00Z Europe/Berlin\n"
			 "deadline 1970-01-01T00:00:00Z\npriority!\ncategories a\\nb\nmilestone "
			 "true\ntotal_work 720\n"
			 "status in-process\npercent -3\n");
}

Test(vector, decode_skips_unknown_names)
{
	struct vector *vector = NULL;

	cr_assert_null(vector_decode(mem, "colour red\npercent 60\nshape!\nx2_y \\q\n", &vector));
	cr_expect_str_eq(vector_encode(mem, vector), "percent 60\n");
	cr_assert_null(vector_decode(mem, "", &vector));
	cr_expect_str_eq(vector_encode(mem, vector), "");
	cr_assert_null(vector_decode(mem, NULL, &vector));
}

Test(vector, decode_refuses_malformed_lines)
{
	static const char *const bad[] = {
		"percent",          "percent 60",
		"percent\n",        "percent sixty\n",
		"percent \n",       "\n",
		" percent 60\n",    "percent=60\n",
		"percent!60\n",     "Percent 60\n",
		"subject a\\x\n",   "subject a\\\n",
		"due 2026-02-31\n", "due 2026-11-21 UTC\n",
		"status done\n",    "percent 60\nsubject",
		"percent 60\n\n",   "!\n",
		"subject \n",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct vector *vector = NULL;
		struct fault *fault = vector_decode(mem, bad[i], &vector);

		cr_expect(fault && fault->kind == FAULT_DATA, "\"%s\"", bad[i]);
		cr_expect_null(vector, "untouched by \"%s\"", bad[i]);
	}
}

static char *random_text(unsigned *seed)
{
	static const char *const pieces[] = { "a",
					      "\n",
					      "\\",
					      "\\n",
					      "\r\n",
					      " ",
					      "\t",
					      "\xc3\xbc",
					      "\xe2\x80\x94",
					      "!",
					      "\xf0\x9f\x9a\xa2",
					      "percent 60",
					      "\n\n",
					      "\x01",
					      "=" };
	char *text = mem_strdup(mem, "");

	for (int n = rand_r(seed) % 10; n >= 0; n--)
		text = talloc_strdup_append(text, pieces[(size_t)rand_r(seed) % COUNT_OF(pieces)]);
	return text;
}

static struct when random_when(unsigned *seed)
{
	static const char *const zones[] = { NULL,
					     "UTC",
					     "Europe/Berlin",
					     "America/Argentina/Buenos_Aires",
					     "",
					     "Odd zone\nwith \\" };
	int64_t n = (((int64_t)rand_r(seed) << 31) ^ rand_r(seed)) % INT64_C(30000000000000000);
	struct when when = when_instant(n, zones[(size_t)rand_r(seed) % COUNT_OF(zones)]);

	if (rand_r(seed) % 2)
		return when_date((int32_t)(n % 300000));
	if (rand_r(seed) % 2)
		when.wall_day = when_local_day(&when) - 1;
	return when;
}

static void put_random(struct vector *vector, enum field field, unsigned *seed)
{
	int64_t number = ((int64_t)rand_r(seed) << 32) - ((int64_t)rand_r(seed) << 31);

	switch (field_table[field].type) {
	case FIELD_TEXT:
		vector_text(vector, field, random_text(seed));
		break;
	case FIELD_LIST:
		vector_list(vector, field, random_text(seed));
		break;
	case FIELD_FILES:
		vector_text(vector, field,
			    rand_r(seed) % 2 ? "https://x.example/a - - a b"
					     : "https://x.example/b - - b\nhttps://x.example/c - - c");
		break;
	case FIELD_WHEN:
		vector_when(vector, field, random_when(seed));
		break;
	case FIELD_STATUS:
		vector_number(vector, field, rand_r(seed) % STATUSES);
		break;
	case FIELD_NUMBER:
	case FIELD_EFFORT:
	case FIELD_FLAG:
	case FIELD_TYPES:
		vector_number(vector, field, number);
		break;
	}
}

static struct vector *random_vector(unsigned *seed)
{
	struct vector *vector = vector_new(mem);

	for (int i = 0; i < FIELDS; i++) {
		int presence = rand_r(seed) % 4;

		if (presence > 1)
			put_random(vector, (enum field)i, seed);
		else if (presence)
			vector_clear(vector, (enum field)i);
	}
	return vector;
}

/* Zones never decide equality, but the database keeps them. */
static bool same_zone(const struct value *a, const struct value *b)
{
	return a->presence != SET ||
	       (text_same(a->when.zone, b->when.zone) && a->when.wall_day == b->when.wall_day);
}

Test(vector, encode_and_decode_round_trip_to_the_letter)
{
	unsigned seed = 20261121;

	for (int i = 0; i < 3000; i++) {
		struct vector *vector = random_vector(&seed), *back = NULL;
		char *text = vector_encode(mem, vector);
		struct fault *fault = vector_decode(mem, text, &back);

		cr_assert_null(fault, "round %d: %s\n%s", i, fault->text, text);
		cr_assert_str_eq(vector_encode(mem, back), text);
		cr_assert_str_eq(vector_hash(mem, back), vector_hash(mem, vector));
		for (int k = 0; k < FIELDS; k++) {
			const struct value *a = &vector->value[k], *b = &back->value[k];

			cr_assert(a->presence == b->presence &&
					  value_identical((enum field)k, a, b) &&
					  value_same((enum field)k, a, b) && same_zone(a, b),
				  "round %d, %s\n%s", i, field_table[k].name, text);
		}
		talloc_free_children(mem);
	}
}

Test(value, text_and_parse_round_trip)
{
	unsigned seed = 9;

	for (int i = 0; i < 1000; i++) {
		struct vector *vector = random_vector(&seed);

		for (int k = 0; k < FIELDS; k++) {
			struct value back = { .presence = ABSENT };
			char *text = value_text(mem, (enum field)k, &vector->value[k]);
			struct fault *fault = value_parse(mem, (enum field)k, text, &back);

			cr_assert_null(fault, "%s", fault->text);
			cr_assert(value_identical((enum field)k, &vector->value[k], &back),
				  "%s: \"%s\"", field_table[k].name, text ? text : "NULL");
		}
		talloc_free_children(mem);
	}
}

/* Whatever stands in the database: a vector or a fault, and no crash. */
Test(vector, decode_of_anything)
{
	static const char *const pieces[] = {
		"percent",    "due",        "subject", " ",  "!", "\n",   "\n",           "60",
		"2026-11-21", "T08:00:00Z", "\\n",     "\\", "x", "\xff", "percent 60\n", "due!\n"
	};
	unsigned seed = 3;
	int good = 0;

	for (int i = 0; i < 20000; i++) {
		char *text = mem_strdup(mem, "");
		struct vector *vector = NULL;
		struct fault *fault;

		for (int n = rand_r(&seed) % 8; n >= 0; n--)
			text = talloc_strdup_append(
				text, pieces[(size_t)rand_r(&seed) % COUNT_OF(pieces)]);
		fault = vector_decode(mem, text, &vector);
		cr_assert_eq(fault == NULL, vector != NULL);
		good += vector != NULL;
		talloc_free_children(mem);
	}
	cr_expect_gt(good, 200, "too few good ones to tell anything: %d", good);
}

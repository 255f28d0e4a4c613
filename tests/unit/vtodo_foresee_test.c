#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "mappers/vtodo.h"

/* Whatever the values are: what is foreseen is what reading finds. */

#define ITEMS 3000
#define DAY_US (24 * 3600 * CLOCK_SECOND_US)

static void in_berlin(void)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_null(zone_use(mem, "Europe/Berlin"));
	talloc_free(mem);
}

TestSuite(vtodo_foresee, .init = in_berlin);

/* Numbers that are the same in every run. */
static uint32_t next(uint64_t *state, uint32_t bound)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % bound;
}

static const char *const pieces[] = {
	"Paint the fence",
	"k\u00f6nnen",
	" ",
	"  ",
	"\n",
	"\n\n",
	"\t",
	"\\n",
	"\\",
	",",
	";",
	"-",
	"\u00a0",
	"\u2014",
	"\U0001f600",
	"\xc2\x85",
	"\r\n",
	"\r",
	"\x01",
	"\xff",
	"\ufffd",
	"\n--- taskferry ---\n",
	"taskferry",
	"\n\\taskferry\n",
	"--- taskferry",
	"\n| Project: x\n",
	"\n|",
	"> ",
	"---",
	"\nTick it off or set the percentage; write notes above the line.\n",
	"The quick brown fox jumps over the lazy dog, and runs away to the harbour of the town.",
};

/* HOSTILE: any bytes; else what people write. */
static char *text_of(TALLOC_CTX *mem, uint64_t *state, bool hostile, uint32_t most)
{
	struct buf *text = buf_new(mem);

	for (uint32_t i = 0, n = 1 + next(state, most); i < n; i++)
		buf_puts(text, pieces[next(state, hostile ? COUNT_OF(pieces) : 15)]);
	return text->data;
}

static struct when when_of(uint64_t *state)
{
	static const char *const zones[] = { NULL, "UTC", "America/New_York" };
	int32_t day = (int32_t)next(state, 30000);
	struct when when;

	switch (next(state, 6)) {
	case 0:
		return when_date(day);
	case 1:
		return when_from_local(day, 23, 59, 59, NULL);
	case 2:
		return when_from_local(day, 0, 0, 0, NULL);
	case 3:
		return next(state, 2) ? when_instant(INT64_MAX, NULL)
				      : when_instant(INT64_MIN, NULL);
	case 4:
		return next(state, 2) ? when_date(INT32_MAX) : when_date(INT32_MIN);
	default:
		when = when_instant(day * DAY_US + next(state, 2000000000) * INT64_C(43),
				    zones[next(state, COUNT_OF(zones))]);
		when.wall_day = next(state, 2) ? day : 0;
		return when;
	}
}

static void set(struct vector *values, enum field field, uint64_t *state, bool hostile)
{
	struct buf *names = buf_new(values);

	switch (field_table[field].type) {
	case FIELD_TEXT:
		vector_text(values, field,
			    text_of(values, state, hostile, next(state, 9) ? 5 : 40));
		break;
	case FIELD_LIST:
		for (uint32_t i = next(state, 4); i < 4; i++)
			buf_join(names, text_of(names, state, hostile, 2), "\n", NULL);
		vector_list(values, field, names->data);
		break;
	case FIELD_WHEN:
		vector_when(values, field, when_of(state));
		break;
	case FIELD_STATUS:
		vector_number(values, field, next(state, STATUSES));
		break;
	case FIELD_FILES:
		break;
	default:
		vector_number(values, field,
			      (int64_t)next(state, 160) - 10 +
				      (next(state, 9) ? 0 : INT64_C(1) << 40));
		break;
	}
}

static struct vector *values_of(TALLOC_CTX *mem, uint64_t *state, bool hostile)
{
	struct vector *values = vector_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		uint32_t choice = next(state, 4);

		if (choice > 1)
			set(values, (enum field)f, state, hostile);
		else if (choice)
			vector_clear(values, (enum field)f);
	}
	return values;
}

static void expect_same(const struct vtodo *foreseen, const struct vtodo *read, const char *text)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_str_eq(vector_encode(mem, foreseen->values), vector_encode(mem, read->values),
			 "%s", text);
	cr_assert(text_same(foreseen->uid, read->uid), "%s", text);
	cr_assert(text_same(foreseen->edition_hash, read->edition_hash), "%s", text);
	cr_assert(text_same(foreseen->prodid, read->prodid), "%s", text);
	cr_assert_eq(foreseen->edition, read->edition, "%s", text);
	cr_assert_eq(foreseen->last_modified_us, read->last_modified_us, "%s", text);
	cr_assert_eq(foreseen->elapsed_s, read->elapsed_s, "%s", text);
	cr_assert_eq(foreseen->recurring, read->recurring, "%s", text);
	cr_assert_eq(foreseen->files, read->files, "%s", text);
	talloc_free(mem);
}

/* True when it was foreseen. */
static bool check(uint64_t seed, bool hostile)
{
	static const char *const trailers[] = {
		"Project: Harbour\nWork: 2 h of 8 h\n\nTick it off; notes above the line.\n",
		"taskferry\n--- taskferry ---\n| x\n",
		"",
		NULL,
		"\n \n",
		" x\n",
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	uint64_t state = seed;
	struct vtodo_publish publish = {
		.values = values_of(mem, &state, hostile),
		.uid = next(&state, 9) ? "0b8a9f7e-1111-5222-8333-444455556666"
				       : text_of(mem, &state, hostile, 2),
		.edition = next(&state, 3),
		.edition_hash = next(&state, 3)   ? "9f86d081"
				: next(&state, 2) ? NULL
						  : " 9",
		.trailer = trailers[next(&state, 2) ? 0 : next(&state, COUNT_OF(trailers))],
		.now_us = INT64_C(1795000000123456) * next(&state, 18) / 9,
	};
	struct vtodo *foreseen = vtodo_foresee(mem, &publish), *read = NULL;
	struct fault *fault;
	char *text = NULL;
	size_t len = 0;

	fault = vtodo_encode(mem, &publish, &text, &len);
	if (!fault)
		fault = vtodo_decode(mem, text, len, NULL, &read);
	cr_assert_null(fault, "%s", fault ? fault->text : "");
	if (foreseen)
		expect_same(foreseen, read, text);
	talloc_free(mem);
	return foreseen;
}

Test(vtodo_foresee, what_is_foreseen_is_what_is_read)
{
	int plain = 0, hostile = 0;

	for (uint64_t seed = 0; seed < ITEMS; seed++) {
		plain += check(seed, false);
		hostile += check(seed, true);
	}
	cr_assert_gt(plain, ITEMS / 4, "%d", plain);
	cr_assert_gt(hostile, ITEMS / 4, "%d", hostile);
}

/* What is published every day is never read again. */
Test(vtodo_foresee, an_everyday_item_is_foreseen)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *values = vector_new(mem);
	struct vtodo_publish publish = { .values = values,
					 .uid = "0b8a9f7e-1111-5222-8333-444455556666",
					 .edition = 1,
					 .edition_hash = "9f86d081",
					 .trailer = "Project: Harbour\n",
					 .now_us = INT64_C(1795000000) * CLOCK_SECOND_US };

	vector_text(values, FIELD_subject, "Ship crate");
	vector_when(values, FIELD_due, when_date(20788));
	cr_assert_not_null(vtodo_foresee(mem, &publish));
	publish.file_count = 1;
	cr_assert_null(vtodo_foresee(mem, &publish), "files are read");
	talloc_free(mem);
}

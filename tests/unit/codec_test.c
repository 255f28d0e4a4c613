#include "config.h"

#include <criterion/criterion.h>

#include "gateway/sync/codec.h"
#include "mappers/message.h"
#include "spec.h"

#define WANT                                                                                       \
	"subject=Ship crate; due=2026-12-01; status=in-process; percent=40; total_work=480; "      \
	"notes=Two crates."

static const char trailer[] = "Project: Harbour\nWork: 2 h of 8 h\n"
			      "Tick it off or set the percentage; write notes above the line.\n";

static struct codec_publish publish_of(TALLOC_CTX *mem, const char *spec, int64_t edition)
{
	return (struct codec_publish){ .values = spec_vector(mem, spec),
				       .uid = "0b8a9f7e-1111-5222-8333-444455556666",
				       .edition = edition,
				       .edition_hash = codec_hash(mem, spec_vector(mem, spec)),
				       .trailer = trailer,
				       .now_us = 1795000000 * CLOCK_SECOND_US,
				       .site_host = "pm.example.com",
				       .project = "Harbour",
				       .to_name = "Ana",
				       .to_email = "ana@example.com" };
}

static char *encode(TALLOC_CTX *mem, enum endpoint_form form, const char *old, const char *spec)
{
	struct codec_publish publish = publish_of(mem, spec, old ? 2 : 1);
	struct fault *fault;
	char *text = NULL;
	size_t len = 0;

	fault = codec_encode(mem, form, old, &publish, &text, &len);
	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_assert_eq(len, strlen(text));
	return text;
}

static struct vector *seen_of(TALLOC_CTX *mem, enum endpoint_form form, const char *text)
{
	struct decoded *decoded = NULL;
	struct fault *fault = codec_decode(mem, form, text, strlen(text), NULL, NULL, &decoded);

	cr_assert_null(fault);
	return decoded->values;
}

static struct decoded *decode(TALLOC_CTX *mem, enum endpoint_form form, const char *text,
			      const char *last)
{
	struct decoded *decoded = NULL;
	struct fault *fault = codec_decode(mem, form, text, strlen(text), last,
					   last ? seen_of(mem, form, last) : NULL, &decoded);

	cr_assert_null(fault, "%s\n%s", fault ? fault->text : "", text);
	return decoded;
}

/* TEXT with the first FROM replaced; FROM may be NULL. */
static char *replaced(TALLOC_CTX *mem, char *text, const char *from, const char *to)
{
	char *at = from ? strstr(text, from) : NULL;

	if (!from)
		return text;
	cr_assert_not_null(at, "no '%s' in\n%s", from, text);
	return mem_printf(mem, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static char *edited(TALLOC_CTX *mem, char *text, const char *card_from, const char *card_to,
		    const char *ics_from, const char *ics_to)
{
	return replaced(mem, replaced(mem, text, card_from, card_to), ics_from, ics_to);
}

static const enum endpoint_form forms[] = { ENDPOINT_VTODO, ENDPOINT_MESSAGE };

Test(codec, says_what_was_written)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		char *text = encode(mem, forms[i], NULL, WANT), *again;
		struct decoded *first = decode(mem, forms[i], text, NULL);
		struct decoded *second = decode(mem, forms[i], text, text);

		cr_expect_str_eq(spec_text(mem, first->values, true),
				 spec_text(mem, spec_vector(mem, WANT), true));
		cr_expect_str_eq(spec_text(mem, second->values, true),
				 spec_text(mem, first->values, true));
		cr_expect_str_eq(first->uid, "0b8a9f7e-1111-5222-8333-444455556666");
		cr_expect_eq(first->edition, 1);
		cr_expect_null(first->beaten);
		again = encode(mem, forms[i], text,
			       "subject=Ship crate; due=2026-12-24; status=in-process; percent=60; "
			       "total_work=480; notes=Two crates.");
		second = decode(mem, forms[i], again, text);
		cr_expect_eq(second->edition, 2);
		cr_expect_eq(vector_get(second->values, FIELD_percent, -1), 60);
		cr_expect_str_eq(vector_str(second->values, FIELD_notes), "Two crates.");
	}
	talloc_free(mem);
}

static const char *const wanted[] = {
	WANT,
	"subject=Ship crate",
	"subject=  two  blanks  ; status=needs-action; percent=0",
	("subject=\u00dcnic\u00f6de \u4efb\u52a1; start=2026-11-02; due=2026-12-01; priority=3; "
	 "parent=x-1"),
	"subject=Over; status=completed; percent=100; completed_at=2026-12-01T10:00:00Z",
	"subject=Odd; status=completed; percent=30; start=2026-12-05; due=2026-12-01",
	"subject=Percent: 70; notes=Status: completed\nPercent: 20\n-- \n; percent=10",
	"subject=a; notes=---\nWork: 9 h; total_work=1; priority=99",
	"subject=b; status=cancelled; percent=140",
};

/* A new item is what it will be read as, without reading it. */
Test(codec, knows_what_a_new_one_is_read_as)
{
	for (size_t i = 0; i < COUNT_OF(forms) * COUNT_OF(wanted); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		enum endpoint_form form = forms[i % COUNT_OF(forms)];
		const char *spec = wanted[i / COUNT_OF(forms)];
		struct codec_publish publish = publish_of(mem, spec, 1);
		struct decoded *own = NULL, *read = NULL;
		char *text = NULL;
		size_t len = 0;

		cr_assert_null(codec_encode_new(mem, mem, form, &publish, &text, &len, &own), "%s",
			       spec);
		cr_assert_not_null(own, "%s", spec);
		read = decode(mem, form, text, NULL);
		cr_expect_str_eq(vector_encode(mem, own->values), vector_encode(mem, read->values),
				 "%s", spec);
		cr_expect_str_eq(own->uid, read->uid);
		cr_expect_eq(own->edition, read->edition);
		cr_expect_eq(own->files, read->files);
		cr_expect_not(read->uneven, "%s", spec);
		talloc_free(mem);
	}
}

Test(codec, halves_of_a_message)
{
	static const struct {
		const char *what, *card_from, *card_to, *ics_from, *ics_to;
		int64_t percent;
		int64_t beaten; /* -1: nothing */
	} rows[] = {
		{ "neither", NULL, NULL, NULL, NULL, 40, -1 },
		{ "the card", "Percent: 40", "Percent: 60", NULL, NULL, 60, -1 },
		{ "the to-do", NULL, NULL, "PERCENT-COMPLETE:40", "PERCENT-COMPLETE:70", 70, -1 },
		{ "both to the same", "Percent: 40", "Percent: 60", "PERCENT-COMPLETE:40",
		  "PERCENT-COMPLETE:60", 60, -1 },
		{ "both, differently", "Percent: 40", "Percent: 60", "PERCENT-COMPLETE:40",
		  "PERCENT-COMPLETE:70", 60, 70 },
		{ "a line of the card is gone", "Percent: 40\r\n", "", NULL, NULL, 40, -1 },
		{ "the to-do is not readable", "Percent: 40", "Percent: 60", "BEGIN:VTODO",
		  "BEGIN:VBROKEN", 60, -1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		char *last = encode(mem, ENDPOINT_MESSAGE, NULL, WANT);
		char *text = edited(mem, last, rows[i].card_from, rows[i].card_to, rows[i].ics_from,
				    rows[i].ics_to);
		struct decoded *decoded = decode(mem, ENDPOINT_MESSAGE, text, last);

		cr_expect_eq(vector_get(decoded->values, FIELD_percent, -1), rows[i].percent,
			     "%s: %lld instead of %lld", rows[i].what,
			     (long long)vector_get(decoded->values, FIELD_percent, -1),
			     (long long)rows[i].percent);
		cr_expect_eq(decoded->beaten ? vector_get(decoded->beaten, FIELD_percent, -1) : -1,
			     rows[i].beaten, "%s", rows[i].what);
		if (!rows[i].ics_to || strcmp(rows[i].ics_to, "BEGIN:VBROKEN"))
			cr_expect_str_eq(vector_str(decoded->values, FIELD_notes), "Two crates.",
					 "%s", rows[i].what);
		cr_expect_str_eq(decoded->uid, "0b8a9f7e-1111-5222-8333-444455556666");
		talloc_free(mem);
	}
}

Test(codec, no_task_in_it)
{
	static const char *const texts[] = {
		"From: a@example.com\r\nSubject: lunch?\r\n\r\nAt noon.\r\n",
		"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar\r\n\r\nBEGIN:",
		"",
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct decoded *decoded = NULL;
		struct fault *fault = codec_decode(mem, ENDPOINT_MESSAGE, texts[i],
						   strlen(texts[i]), NULL, NULL, &decoded);

		cr_expect_not_null(fault, "%s", texts[i]);
		cr_expect_null(decoded);
		if (fault)
			cr_expect_eq(fault->kind, FAULT_DATA, "%s", fault_kind_name(fault->kind));
	}
	talloc_free(mem);
}

/* It is held then, and the text is all that people see of that. */
Test(codec, a_calendar_that_cannot_be_read_is_not_written_over)
{
	static const char *const names[] = { "VEVENT", "VBROKEN" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct codec_publish publish = publish_of(mem, WANT, 2);
		char *old = encode(mem, ENDPOINT_MESSAGE, NULL, WANT), *text = NULL;
		struct fault *fault;

		old = replaced(mem, old, "BEGIN:VTODO", mem_printf(mem, "BEGIN:%s", names[i]));
		old = replaced(mem, old, "END:VTODO", mem_printf(mem, "END:%s", names[i]));
		fault = codec_encode(mem, ENDPOINT_MESSAGE, old, &publish, &text, NULL);
		cr_assert_not_null(fault, "%s", names[i]);
		cr_expect_null(text);
		cr_expect_eq(fault->kind, FAULT_DATA);
		cr_expect_eq(fault->scope, FAULT_SCOPE_ITEM);
		cr_expect_eq(fault->next, FAULT_NEXT_HOLD);
		cr_expect_not_null(strstr(fault->text, "no VTODO in it"), "%s", fault->text);
		cr_expect_not_null(strstr(fault->text, "take that part"), "%s", fault->text);
		cr_expect_not_null(strstr(fault->text, "taskferry queue retry --all"), "%s",
				   fault->text);
		/* as Thunderbird takes out a part */
		old = replaced(mem, old, "Content-Type: text/calendar",
			       "Content-Type: text/x-moz-deleted");
		text = encode(mem, ENDPOINT_MESSAGE, old, WANT);
		cr_expect_eq(vector_get(decode(mem, ENDPOINT_MESSAGE, text, NULL)->values,
					FIELD_percent, -1),
			     40);
		cr_expect_not_null(strstr(text, "BEGIN:VTODO"), "%s", text);
		talloc_free(mem);
	}
}

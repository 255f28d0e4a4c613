#include "config.h"

#include <criterion/criterion.h>

#include "base/text.h"
#include "model/carried.h"

static const struct {
	const char *text, *subject, *notes;
} cases[] = {
	{ "Ship crate", "Ship crate", "Ship crate" },
	{ "k\u00f6nnen\n\U0001f600", "k\u00f6nnen\n\U0001f600", "k\u00f6nnen\n\U0001f600" },
	{ "a\x01"
	  "b",
	  "a\ufffd"
	  "b",
	  "a\ufffd"
	  "b" },
	{ "k\u00f6 \xff\xc2\x85", "k\u00f6 \ufffd\ufffd", "k\u00f6 \ufffd\ufffd" },
	{ "a\r\nb\rc", "a\nb\nc", "a\nb\nc" },
	{ "a \n\n", "a \n\n", "a" },
	{ "a\u00a0", "a\u00a0", "a" },
	{ " \n", " \n", NULL },
	{ "\r", NULL, NULL },
	{ " a\tb", " a\tb", " a\tb" },
};

Test(carried, what_an_item_gives_back)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vector *values = vector_new(mem);

		vector_text(values, FIELD_subject, cases[i].text);
		vector_text(values, FIELD_notes, cases[i].text);
		for (int twice = 0; twice < 2; twice++) {
			carried_texts(values);
			cr_expect(text_same(vector_str(values, FIELD_subject), cases[i].subject),
				  "%zu", i);
			cr_expect(text_same(vector_str(values, FIELD_notes), cases[i].notes), "%zu",
				  i);
		}
	}
	talloc_free(mem);
}

Test(carried, of_every_text_and_list_of_an_item)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *values = vector_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		enum field_type type = field_table[f].type;
		const char *text;

		if (type != FIELD_TEXT && type != FIELD_LIST)
			continue;
		vector_text(values, (enum field)f, "a\x01");
		text = vector_str(values, (enum field)f);
		carried_texts(values);
		if (field_table[f].vtodo)
			cr_expect_str_eq(vector_str(values, (enum field)f), "a\ufffd", "%s",
					 field_table[f].name);
		else
			cr_expect_eq(vector_str(values, (enum field)f), text, "%s",
				     field_table[f].name);
	}
	talloc_free(mem);
}

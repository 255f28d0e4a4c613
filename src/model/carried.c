#include "config.h"

#include "model/carried.h"

#include <string.h>

#include "base/text.h"
#include "model/trailer.h"

/* All that items carry; this is asked several times for each item. */
static const enum field texts[] = { FIELD_subject, FIELD_categories, FIELD_parent, FIELD_notes };

#define HARD_BLANK "\u00a0"

/* Notes end where the trailer begins. */
static bool ends_well(const char *text, size_t len)
{
	size_t hard = sizeof HARD_BLANK - 1;

	return (unsigned char)text[len - 1] > ' ' &&
	       (len < hard || memcmp(text + len - hard, HARD_BLANK, hard) != 0);
}

static bool comes_back(enum field field, const char *text, size_t len)
{
	size_t odd = text_printable(text, len);

	return (odd == len || (text_is_clean(text + odd, len - odd) &&
			       !memchr(text + odd, '\r', len - odd))) &&
	       (field != FIELD_notes || ends_well(text, len));
}

static void carry(struct vector *values, enum field field)
{
	const char *text = vector_str(values, field);
	size_t len = text ? strlen(text) : 0;
	char *clean, *plain;

	if (!len || comes_back(field, text, len))
		return;
	clean = text_to_utf8(values, text, len);
	plain = trailer_notes(values, clean);
	vector_text(values, field, plain);
	talloc_free(clean);
	talloc_free(plain);
}

void carried_texts(struct vector *values)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (values->value[texts[i]].presence == SET)
			carry(values, texts[i]);
}

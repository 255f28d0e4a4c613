#include "config.h"

#include "model/carried.h"

#include <string.h>

#include "base/text.h"
#include "model/trailer.h"

#define HARD_BLANK "\u00a0"

/* Notes end where the trailer begins. */
static bool ends_well(const char *text, size_t len)
{
	size_t hard = sizeof HARD_BLANK - 1;

	return (unsigned char)text[len - 1] > ' ' &&
	       (len < hard || memcmp(text + len - hard, HARD_BLANK, hard) != 0);
}

static void carry(struct vector *values, enum field field)
{
	const char *text = vector_str(values, field);
	size_t len = text ? strlen(text) : 0;
	char *clean, *plain;

	if (!len || (text_is_clean(text, len) && !memchr(text, '\r', len) &&
		     (field != FIELD_notes || ends_well(text, len))))
		return;
	clean = text_to_utf8(values, text, len);
	plain = trailer_notes(values, clean);
	vector_text(values, field, plain);
	talloc_free(clean);
	talloc_free(plain);
}

void carried_texts(struct vector *values)
{
	for (int f = 0; f < FIELDS; f++)
		if (field_table[f].vtodo &&
		    (field_table[f].type == FIELD_TEXT || field_table[f].type == FIELD_LIST))
			carry(values, (enum field)f);
}

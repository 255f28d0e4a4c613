#include "config.h"

#include "model/cardline.h"

#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "model/trailer.h"

#define KEY_MAX 40 /* bytes before the colon: more than the longest key with blanks in it */

static const char *const blanks[] = { " ", "\t", "\v", "\f", "\u00a0", "\u202f", "\u2009" };

size_t cardline_blank(const char *text)
{
	if (*text > ' ' && *text <= '~')
		return 0;
	for (size_t i = 0; i < COUNT_OF(blanks); i++)
		if (text_starts(text, blanks[i]))
			return strlen(blanks[i]);
	return 0;
}

const char *cardline_skip_blanks(const char *text)
{
	for (size_t n; (n = cardline_blank(text));)
		text += n;
	return text;
}

/* A key without blanks, in lower case. */
static void plain_key(const char *text, size_t len, char *out)
{
	for (const char *c = text; c < text + len;) {
		size_t blank = cardline_blank(c);

		if (!blank)
			*out++ = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
		c += blank ? blank : 1;
	}
	*out = '\0';
}

static bool has_key(enum field field)
{
	const struct field_info *info = &field_table[field];

	return info->owner == OWNER_BOTH && info->vtodo && info->card;
}

enum field cardline_field(const char *line, const char **value_r)
{
	char key[KEY_MAX + 1], known[KEY_MAX + 1];
	const char *begin = cardline_skip_blanks(line);
	size_t len = strcspn(begin, ":\n");
	int field = 0;

	if (begin[len] != ':' || len > KEY_MAX)
		return FIELDS;
	plain_key(begin, len, key);
	for (; field < FIELDS; field++) {
		if (!has_key((enum field)field))
			continue;
		plain_key(field_table[field].card, strlen(field_table[field].card), known);
		if (!strcmp(key, known))
			break;
	}
	if (field < FIELDS && value_r)
		*value_r = begin + len + 1;
	return (enum field)field;
}

bool cardline_is_separator(TALLOC_CTX *mem, const char *line)
{
	char *notes;
	bool gone;

	if (!text_glob("*taskferry*", line))
		return false;
	notes = trailer_split(mem, line, NULL);
	gone = !*notes;
	talloc_free(notes);
	return gone;
}

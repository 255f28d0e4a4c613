#include "config.h"

#include "model/ids.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"

#define FIRST_IDS 60   /* bytes of most ids */
#define FIRST_TEXT 255 /* and of most groups */

char *ids_of_vector(TALLOC_CTX *mem, int64_t decoder, const struct vector *values)
{
	struct buf out = buf_of(mem, FIRST_IDS), text = buf_of(mem, FIRST_TEXT);

	buf_number(&out, decoder, 0);
	buf_putc(&out, ':');
	for (int group = 0; group < GROUPS; group++) {
		buf_clear(&text);
		vector_put_group(&text, values, (enum field_group)group);
		buf_puts(&out, group ? " " : "");
		if (text.len)
			digest_put(&out, text.data, text.len, IDS_HASH_CHARS);
		else
			buf_putc(&out, '-');
	}
	talloc_free(text.data);
	return out.data;
}

char *ids_of_changes(TALLOC_CTX *mem, const int64_t seq[FIELDS])
{
	struct buf out = buf_of(mem, FIRST_IDS);

	for (int group = 0; group < GROUPS; group++) {
		int64_t newest = 0;

		for (int f = 0; f < FIELDS; f++)
			if ((int)field_table[f].group == group && seq[f] > newest)
				newest = seq[f];
		buf_puts(&out, group ? " " : "");
		buf_number(&out, newest, 0);
	}
	return out.data;
}

/* Takes the next word of a line; its length is 0 at the end. */
static size_t next_word(const char **rest, const char **word_r)
{
	size_t len;

	*rest += strspn(*rest, " ");
	*word_r = *rest;
	len = strcspn(*rest, " ");
	*rest += len;
	return len;
}

bool ids_moved(const char *before, const char *now, bool moved_r[GROUPS])
{
	const char *a = before, *b = now;
	bool any = false, comparable = before && now;

	if (comparable && strchr(before, ':') && strchr(now, ':')) {
		a = strchr(before, ':') + 1;
		b = strchr(now, ':') + 1;
		comparable = a - before == b - now && !memcmp(before, now, (size_t)(a - before));
	}
	for (int group = 0; group < GROUPS; group++) {
		const char *old = NULL, *new = NULL;
		size_t old_len = comparable ? next_word(&a, &old) : 0,
		       new_len = comparable ? next_word(&b, &new) : 0;

		moved_r[group] = !old_len || old_len != new_len || memcmp(old, new, old_len);
		any = any || moved_r[group];
	}
	return any;
}

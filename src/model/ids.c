#include "config.h"

#include "model/ids.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"

char *ids_of_vector(TALLOC_CTX *mem, int64_t decoder, const struct vector *values)
{
	struct buf *out = buf_new(mem), *text = buf_new(out);

	buf_number(out, decoder, 0);
	buf_putc(out, ':');
	for (int group = 0; group < GROUPS; group++) {
		const char *id = "-";

		buf_clear(text);
		vector_put_group(text, values, (enum field_group)group);
		if (text->len)
			id = digest_short(text, text->data, text->len, IDS_HASH_CHARS);
		buf_join(out, group ? " " : "", id, NULL);
	}
	return buf_steal(&out, mem, NULL);
}

char *ids_of_changes(TALLOC_CTX *mem, const int64_t seq[FIELDS])
{
	struct buf *out = buf_new(mem);

	for (int group = 0; group < GROUPS; group++) {
		int64_t newest = 0;

		for (int f = 0; f < FIELDS; f++)
			if ((int)field_table[f].group == group && seq[f] > newest)
				newest = seq[f];
		buf_puts(out, group ? " " : "");
		buf_number(out, newest, 0);
	}
	return buf_steal(&out, mem, NULL);
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

#include "config.h"

#include "gateway/caldav/caldav_token.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define WRITTEN "\nw"
#define HASH_DIGITS 40    /* of SHA-1 */
#define SECONDS_DIGITS 11 /* of a time in seconds, since any epoch in use */

static bool read_mark(TALLOC_CTX *mem, const char *text, struct caldav_mark *mark_r)
{
	char *end = (char *)text + 1;
	int64_t since_s = 0;

	if (*text != CALDAV_MARK_CTAG && *text != CALDAV_MARK_TOKEN)
		return false;
	if (*end == '@')
		since_s = strtoll(end + 1, &end, 10);
	if (*end != ':')
		return false;
	*mark_r = (struct caldav_mark){ .kind = *text,
					.text = mem_strdup(mem, end + 1),
					.since_s = since_s };
	return true;
}

bool caldav_token_read(TALLOC_CTX *mem, const char *text, struct caldav_token *token_r)
{
	struct caldav_token token = { .sync = NULL };
	size_t len = strcspn(text, "\n");

	if (!text_starts(text, "s:")) {
		if (!read_mark(mem, text, &token.mark))
			return false;
	} else {
		token.sync = mem_strndup(mem, text + 2, len - 2);
		token.written = !strcmp(text + len, WRITTEN);
		if (text[len])
			(void)read_mark(mem, text + len + 1, &token.mark); /* of a later version */
	}
	*token_r = token;
	return true;
}

bool caldav_token_is_content(const char *sync)
{
	return strlen(sync) == HASH_DIGITS && strspn(sync, "0123456789abcdef") == HASH_DIGITS;
}

static char *mark_text(TALLOC_CTX *mem, const struct caldav_mark *mark)
{
	if (!mark->text || !*mark->text || strchr(mark->text, '\n'))
		return NULL;
	if (mark->since_s)
		return mem_printf(mem, "%c@%" PRId64 ":%s", mark->kind, mark->since_s, mark->text);
	return mem_printf(mem, "%c:%s", mark->kind, mark->text);
}

char *caldav_token_text(TALLOC_CTX *mem, const struct caldav_token *token)
{
	char *mark = mark_text(mem, &token->mark);

	if (!token->sync)
		return mark;
	if (token->written)
		return mem_printf(mem, "s:%s" WRITTEN, token->sync);
	if (!mark || strchr(token->sync, '\n'))
		return mem_printf(mem, "s:%s", token->sync);
	return mem_printf(mem, "s:%s\n%s", token->sync, mark);
}

static bool is_same(const struct caldav_mark *a, const struct caldav_mark *b)
{
	return a->text && b->text && *a->text && a->kind == b->kind && !strcmp(a->text, b->text);
}

bool caldav_mark_stands(const struct caldav_mark *before, const struct caldav_mark *now)
{
	return is_same(before, now) && !before->since_s;
}

struct caldav_mark caldav_mark_next(const struct caldav_mark *before, const struct caldav_mark *now,
				    bool fine, int64_t now_s)
{
	struct caldav_mark next = { .kind = now->kind, .text = now->text, .since_s = now_s };
	bool same = is_same(before, now);

	if (fine || (same && !before->since_s))
		next.since_s = 0;
	else if (same && before->since_s <= now_s) /* else the clock was set back */
		next.since_s = now_s - before->since_s >= CALDAV_MARK_RIPE_S ? 0 : before->since_s;
	return next;
}

bool caldav_mark_is_coarse(const char *text)
{
	size_t digits;

	text += strspn(text, "\"-");
	digits = strspn(text, "0123456789");
	return digits && digits <= SECONDS_DIGITS && !text[digits + strspn(text + digits, "\"")];
}

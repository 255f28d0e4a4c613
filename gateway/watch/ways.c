#include "config.h"

#include "gateway/watch/ways.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define RANGE_CHARS 64 /* the longest group of one range */

static int same_way(const struct ways_account *a, const struct ways_account *b)
{
	int order = strcmp(a->how, b->how);

	if (order)
		return order;
	return (a->every_s > b->every_s) - (a->every_s < b->every_s);
}

static int by_way(const void *left, const void *right)
{
	const struct ways_account *a = left, *b = right;
	int order = same_way(a, b);

	return order ? order : (a->account > b->account) - (a->account < b->account);
}

/* How many from LIST on follow one another and are watched in the same way. */
static size_t range_of(const struct ways_account *list, size_t count)
{
	size_t n = 1;

	while (n < count && !same_way(list, &list[n]) && list[n].account == list[n - 1].account + 1)
		n++;
	return n;
}

char *ways_text(TALLOC_CTX *mem, struct ways_account *list, size_t count, size_t max)
{
	struct buf *text = buf_new(mem);

	qsort(list, count, sizeof *list, by_way);
	for (size_t i = 0, n; i < count && text->len + RANGE_CHARS < max; i += n) {
		n = range_of(list + i, count - i);
		if (i && !same_way(&list[i - 1], &list[i]))
			buf_puts(text, ",");
		else if (list[i].every_s)
			buf_printf(text, "%s%s+%" PRId64 ":", i ? " " : "", list[i].how,
				   list[i].every_s);
		else
			buf_printf(text, "%s%s:", i ? " " : "", list[i].how);
		buf_printf(text, "%" PRId64, list[i].account);
		if (n > 1)
			buf_printf(text, "-%" PRId64, list[i + n - 1].account);
	}
	return buf_steal(&text, mem, NULL);
}

static bool is_in(const char *ranges, int64_t account)
{
	char *end;

	for (; *ranges && *ranges != ' '; ranges = end + (*end == ',')) {
		int64_t first = strtoll(ranges, &end, 10), last = first;

		if (end == ranges)
			return false;
		if (*end == '-')
			last = strtoll(end + 1, &end, 10);
		if (first <= account && account <= last)
			return true;
		if (*end && *end != ',' && *end != ' ')
			return false;
	}
	return false;
}

bool ways_find(TALLOC_CTX *mem, const char *text, int64_t account, struct ways_account *way_r)
{
	while (*text) {
		size_t how = strcspn(text, "+: ");
		const char *ranges = strchr(text, ':');

		if (!ranges)
			return false;
		if (is_in(ranges + 1, account)) {
			way_r->account = account;
			way_r->how = mem_strndup(mem, text, how);
			way_r->every_s = text[how] == '+' ? strtoll(text + how + 1, NULL, 10) : 0;
			return true;
		}
		text = ranges + strcspn(ranges, " ");
		text += *text == ' ';
	}
	return false;
}

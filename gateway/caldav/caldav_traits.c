#include "config.h"

#include "gateway/caldav/caldav_traits.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define ITEM_MAX "item-max"

static const char *const trait_names[] = {
	"create-guard", "replace-guard", "remove-guard", "strong-etag",   "fine-etag",
	"keeps-bytes",  "sync",          "sync-data",    "token-refused", "pages",
	"ctag",         "multiget",      "components",   "one-uid",       "one-uid-home",
	"move",         "managed",       "whole-put",    "privileges",    "keeps-open",
	"own-time",
};
_Static_assert(COUNT_OF(trait_names) == CALDAV_TRAITS, "one name per trait");

static const char *const answer_names[] = { "unknown", "no", "yes" };
_Static_assert(COUNT_OF(answer_names) == CALDAV_YES + 1, "one name per answer");

const char *caldav_trait_name(enum caldav_trait trait)
{
	return trait_names[trait];
}

const char *caldav_answer_name(enum caldav_answer answer)
{
	return answer_names[answer];
}

char *caldav_traits_text(TALLOC_CTX *mem, const struct caldav_traits *traits)
{
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < CALDAV_TRAITS; i++)
		if (traits->answer[i] != CALDAV_UNKNOWN)
			buf_printf(out, "%s%s=%s", out->len ? " " : "", trait_names[i],
				   answer_names[traits->answer[i]]);
	if (traits->item_max)
		buf_printf(out, "%s" ITEM_MAX "=%lld", out->len ? " " : "",
			   (long long)traits->item_max);
	return buf_steal(&out, mem, NULL);
}

/* NAME of LEN bytes, with what stands behind its "=". */
static void read_pair(const char *name, size_t len, const char *value, size_t value_len,
		      struct caldav_traits *traits)
{
	if (len == strlen(ITEM_MAX) && !memcmp(name, ITEM_MAX, len)) {
		long long size = strtoll(value, NULL, 10);

		traits->item_max = size > 0 ? size : 0;
		return;
	}
	for (size_t i = 0; i < CALDAV_TRAITS; i++) {
		if (len != strlen(trait_names[i]) || memcmp(name, trait_names[i], len))
			continue;
		for (unsigned char a = CALDAV_NO; a <= CALDAV_YES; a++)
			if (value_len == strlen(answer_names[a]) &&
			    !memcmp(value, answer_names[a], value_len))
				traits->answer[i] = a;
	}
}

void caldav_traits_read(const char *text, struct caldav_traits *traits_r)
{
	*traits_r = (struct caldav_traits){ 0 };
	while (text && *text) {
		size_t len = strcspn(text, " "), name = strcspn(text, "= ");

		if (name < len)
			read_pair(text, name, text + name + 1, len - name - 1, traits_r);
		text += len;
		text += strspn(text, " ");
	}
}

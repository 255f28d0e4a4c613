#include "config.h"

#include "gateway/caldav/caldav_traits.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define ITEM_MAX "item-max"
#define PRODUCT "product"
#define CUT "cut"

static const char *const trait_names[] = {
	"create-guard", "replace-guard", "remove-guard",  "strong-etag", "fine-etag", "keeps-bytes",
	"sync",         "sync-data",     "token-refused", "pages",       "ctag",      "multiget",
	"components",   "one-uid",       "one-uid-home",  "move",        "managed",   "whole-put",
	"privileges",   "keeps-open",    "times",         "keeps-lines",
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

void caldav_traits_name(struct caldav_traits *traits, const char *server)
{
	size_t n = 0;

	for (const char *c = server ? server : ""; *c && n < CALDAV_PRODUCT_MAX; c++)
		traits->product[n++] = *c > ' ' && *c <= '~' ? *c : '_';
	traits->product[n] = '\0';
}

static void put(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s%s=%s", out->len ? " " : "", name, value);
}

char *caldav_traits_news(TALLOC_CTX *mem, const struct caldav_traits *before,
			 const struct caldav_traits *after)
{
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < CALDAV_TRAITS; i++)
		if (after->answer[i] != before->answer[i] && after->answer[i] != CALDAV_UNKNOWN)
			put(out, trait_names[i], answer_names[after->answer[i]]);
	if (after->item_max != before->item_max)
		put(out, ITEM_MAX, mem_printf(out, "%lld", (long long)after->item_max));
	if (after->cut != before->cut)
		put(out, CUT, answer_names[after->cut ? CALDAV_YES : CALDAV_NO]);
	if (*after->product && strcmp(after->product, before->product))
		put(out, PRODUCT, after->product);
	return buf_steal(&out, mem, NULL);
}

char *caldav_traits_text(TALLOC_CTX *mem, const struct caldav_traits *traits)
{
	static const struct caldav_traits nothing;

	return caldav_traits_news(mem, &nothing, traits);
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

static void read_answer(const char *name, size_t len, const char *value, size_t value_len,
			struct caldav_traits *traits)
{
	for (size_t i = 0; i < CALDAV_TRAITS; i++) {
		if (!is_word(name, len, trait_names[i]))
			continue;
		for (unsigned char a = CALDAV_NO; a <= CALDAV_YES; a++)
			if (is_word(value, value_len, answer_names[a]))
				traits->answer[i] = a;
	}
}

/* NAME of LEN bytes, with what stands behind its "=". */
static void read_pair(const char *name, size_t len, const char *value, size_t value_len,
		      struct caldav_traits *traits)
{
	if (is_word(name, len, ITEM_MAX)) {
		long long size = strtoll(value, NULL, 10);

		traits->item_max = size > 0 ? size : 0;
	} else if (is_word(name, len, CUT)) {
		traits->cut = is_word(value, value_len, answer_names[CALDAV_YES]);
	} else if (is_word(name, len, PRODUCT)) {
		char product[CALDAV_PRODUCT_MAX + 1] = "";

		memcpy(product, value,
		       value_len < CALDAV_PRODUCT_MAX ? value_len : CALDAV_PRODUCT_MAX);
		caldav_traits_name(traits, product);
	} else {
		read_answer(name, len, value, value_len, traits);
	}
}

void caldav_traits_take(struct caldav_traits *traits, const char *news)
{
	while (news && *news) {
		size_t len = strcspn(news, " "), name = strcspn(news, "= ");

		if (name < len)
			read_pair(news, name, news + name + 1, len - name - 1, traits);
		news += len;
		news += strspn(news, " ");
	}
}

void caldav_traits_read(const char *text, struct caldav_traits *traits_r)
{
	*traits_r = (struct caldav_traits){ 0 };
	caldav_traits_take(traits_r, text);
}

#include "config.h"

#include "gateway/sync/traits.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "gateway/caldav/caldav_traits.h"

/* Only CalDAV servers have traits so far. */

const char *traits_name(TALLOC_CTX *mem, const struct conf_server *server,
			const struct resource *resource)
{
	const char *at = resource->email ? strrchr(resource->email, '@') : NULL;

	if (strcmp(server->url, CONF_URL_OF_PERSON) || !at)
		return server->name;
	return mem_printf(mem, "%s %s", server->name, text_lower(mem, at + 1));
}

bool traits_are_due(const struct conf_server *server, const struct server_traits *kept,
		    int64_t now_us)
{
	return server->probe && (!kept || now_us >= kept->due_us);
}

/* The same for a server each time. */
static int64_t spread_us(const char *server)
{
	char *digits = digest_short(NULL, server, strlen(server), 8);
	int64_t share = (int64_t)(strtoull(digits, NULL, 16) & 0xffff);

	talloc_free(digits);
	return share * TRAITS_SPREAD_US / 0x10000;
}

static int64_t due_after_probe_us(const char *server, const struct caldav_traits *traits,
				  int64_t now_us)
{
	return now_us + (traits->cut ? TRAITS_SOON_US : TRAITS_AGAIN_US + spread_us(server));
}

/* It calls itself otherwise: tried again, but not at every change of a name that goes to and fro. */
static int64_t due_soon_us(const struct server_traits *kept, int64_t now_us)
{
	int64_t soon = kept->probed_us + TRAITS_SOON_US;

	soon = soon > now_us ? soon : now_us;
	return soon < kept->due_us ? soon : kept->due_us;
}

bool traits_merge(TALLOC_CTX *mem, const char *server, const struct server_traits *kept,
		  const char *news, bool probed, int64_t now_us, struct server_traits *traits_r,
		  char **words_r)
{
	struct server_traits traits = { .server = server };
	struct caldav_traits before, after;
	bool renamed;
	char *text;

	if (kept)
		traits = *kept;
	caldav_traits_read(traits.traits, &before);
	after = before;
	caldav_traits_take(&after, news);
	renamed = *before.product && strcmp(before.product, after.product) != 0;
	if (!probed) /* the product is that of the last probe */
		memcpy(after.product, before.product, sizeof after.product);
	text = caldav_traits_text(mem, &after);
	*words_r = caldav_traits_difference(mem, &before, &after);
	if (*words_r) {
		traits.earlier = traits.traits;
		traits.changed_us = now_us;
	}
	if (probed) {
		traits.probed_us = now_us;
		traits.due_us = due_after_probe_us(server, &after, now_us);
	} else if (kept && renamed) {
		traits.due_us = due_soon_us(kept, now_us);
	}
	traits.traits = text;
	*traits_r = traits;
	return probed || !kept || strcmp(text, kept->traits) || traits.due_us != kept->due_us;
}

char *traits_last_change(TALLOC_CTX *mem, const struct server_traits *kept)
{
	struct caldav_traits before, after;

	if (!kept->earlier)
		return NULL;
	caldav_traits_read(kept->earlier, &before);
	caldav_traits_read(kept->traits, &after);
	return caldav_traits_difference(mem, &before, &after);
}

static struct fault *merge_and_put(struct store *store, TALLOC_CTX *mem, const char *server,
				   const char *news, bool probed, char **words_r)
{
	struct server_traits *kept = NULL, traits;

	FAULT_TRY(server_traits(store, mem, server, &kept));
	if (!traits_merge(mem, server, kept, news, probed, clock_now_us(store->clock), &traits,
			  words_r))
		return NULL;
	FAULT_TRY(server_traits_put(store, &traits));
	point_reach(store->points, POINT_TRAITS_STAGED);
	FAULT_TRY(store_commit(store));
	point_reach(store->points, POINT_TRAITS_DONE);
	return NULL;
}

struct fault *traits_keep(struct store *store, TALLOC_CTX *mem, const char *server,
			  const char *news, bool probed, char **words_r)
{
	struct fault *fault;
	char *words = NULL;

	FAULT_TRY(store_begin(store));
	fault = merge_and_put(store, mem, server, news, probed, &words);
	store_rollback(store);
	if (!fault)
		*words_r = words;
	return fault;
}

#include "config.h"

#include "gateway/sync/homes.h"

#include <string.h>

#include "base/text.h"
#include "gateway/sync/delivery.h"
#include "store/link.h"
#include "store/place.h"
#include "store/project.h"

struct fault *homes_load(struct store *store, TALLOC_CTX *mem, int64_t account,
			 struct endpoint_place **place_r)
{
	struct place *kept = NULL;
	struct endpoint_place *place = NULL;

	FAULT_TRY(place_get(store, mem, account, &kept));
	if (kept) {
		place = MEM_NEW(mem, struct endpoint_place);
		*place = (struct endpoint_place){ .asked = kept->asked,
						  .origin = kept->origin,
						  .home = kept->home,
						  .principal = kept->principal,
						  .how = kept->how,
						  .found_us = kept->found_us };
	}
	*place_r = place;
	return NULL;
}

struct fault *homes_renew(struct store *store, int64_t account, const struct endpoint_place *place)
{
	struct place kept = { .account_id = account,
			      .asked = place->asked,
			      .origin = place->origin,
			      .home = place->home,
			      .principal = place->principal,
			      .how = place->how,
			      .found_us = place->found_us };

	return place_set(store, &kept);
}

static bool is_same(const struct place *kept, const struct endpoint_place *place)
{
	return kept && !strcmp(kept->asked, place->asked) && !strcmp(kept->origin, place->origin) &&
	       !strcmp(kept->home, place->home) && text_same(kept->principal, place->principal) &&
	       kept->found_us == place->found_us;
}

struct fault *homes_account(struct store *store, TALLOC_CTX *mem, const struct conf *conf,
			    int64_t id, const char **name_r)
{
	const struct conf_server **servers =
		MEM_ARRAY(mem, const struct conf_server *, conf->server_count);
	struct resource *resource = NULL;
	struct account *account = NULL;
	size_t count = 0;

	*name_r = NULL;
	FAULT_TRY(link_account_by_id(store, mem, id, &account));
	if (account)
		FAULT_TRY(project_resource(store, mem, account->resource_id, &resource));
	if (resource)
		count = delivery_servers(conf, resource, servers);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(servers[i]->name, account->server))
			*name_r = mem_printf(mem, "%s/%s", account->server, resource->key);
	return NULL;
}

static struct fault *keep(struct store *store, TALLOC_CTX *mem, const struct conf *conf,
			  int64_t account, const struct endpoint_place *place)
{
	struct place wanted = { .account_id = account,
				.origin = place->origin,
				.home = place->home };
	struct place *others = NULL, *kept = NULL;
	const char *other = NULL;
	size_t count = 0;

	FAULT_TRY(place_same(store, mem, &wanted, &others, &count));
	for (size_t i = 0; i < count && !other; i++)
		FAULT_TRY(homes_account(store, mem, conf, others[i].account_id, &other));
	if (other)
		return fault_reaches(
			fault_new(mem, FAULT_CONFIG,
				  "its calendar home, %s on %s, is that of the account %s already, and "
				  "two people's items do not go into one folder: give each a `login` or "
				  "a `home` of their own, or leave one of them out of `resources`",
				  place->home, place->origin, other),
			FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
	FAULT_TRY(place_get(store, mem, account, &kept));
	return is_same(kept, place) ? NULL : homes_renew(store, account, place);
}

struct fault *homes_keep(struct store *store, TALLOC_CTX *mem, const struct conf *conf,
			 int64_t account, const struct endpoint_place *place)
{
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = keep(store, mem, conf, account, place);
	point_reach(store->points, POINT_PLACE_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(store->points, POINT_PLACE_DONE);
	return fault;
}

/* round_whole_test.c - a folder that is made with all its items: not in a home that is another account's. */
#include "config.h"

#include <criterion/criterion.h>

#include "gateway/sync/homes.h"
#include "round_world.h"

static struct endpoint_place home = { .asked = "asked",
				      .origin = "https://dav.example.com:443",
				      .home = "/ana/",
				      .how = "the login" };

static struct fault *place(struct endpoint *endpoint, TALLOC_CTX *mem, bool find,
			   struct endpoint_place **place_r)
{
	(void)endpoint;
	(void)mem;
	(void)find;
	*place_r = &home;
	return NULL;
}

static struct fault *whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
				const struct endpoint_folder *folder, char **address_r)
{
	(void)endpoint;
	(void)folder;
	*address_r = mem_strdup(mem, ROUND_WORLD_FOLDER);
	return NULL;
}

static struct fault *whole_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				const struct endpoint_put *puts, size_t count, bool *made_r)
{
	(void)mem;
	(void)address;
	for (size_t i = 0; i < count; i++)
		round_world_store((struct round_world_server *)endpoint, puts[i].address,
				  puts[i].text);
	*made_r = true;
	return NULL;
}

static struct endpoint_ops whole_ops(void)
{
	struct endpoint_ops ops = round_world_ops;

	ops.place = place;
	ops.whole_site = whole_site;
	ops.whole_make = whole_make;
	return ops;
}

/* Bob's account is there already, and has the home of all. */
static void add_bob(struct round_world *world)
{
	struct resource bob = { .key = "bob@example.com",
				.name = "Bob",
				.email = "bob@example.com" };
	struct account *account = NULL;
	int64_t person = 0;

	round_world_must(store_begin(world->store));
	round_world_must(project_resource_add(world->store, &bob, &person));
	round_world_must(link_account(world->store, world->mem, world->conf->servers[0].name,
				      person, true, &account));
	round_world_must(homes_renew(world->store, account->id, &home));
	round_world_must(store_commit(world->store));
}

static struct fault *first_round(struct round_world *world)
{
	struct round_env env = { .conf = world->conf,
				 .store = world->store,
				 .clock = world->clock,
				 .rules = world->rules };
	struct round_options options = { .ensure = true };

	return round_run(world, &env, &world->conf->servers[0], &world->server->endpoint,
			 world->account, world->project, &options, round_report_new(world));
}

Test(round_whole, nothing_is_made_in_the_home_of_another_account)
{
	struct round_world *world = round_world_new(3);
	struct endpoint_ops ops = whole_ops();
	struct folder *folder = NULL;
	struct fault *fault;

	world->server->endpoint.ops = &ops;
	add_bob(world);
	fault = first_round(world);
	cr_assert(fault);
	cr_assert_eq(fault->scope, FAULT_SCOPE_ACCOUNT);
	cr_assert(strstr(fault->text, "s/bob@example.com"), "%s", fault->text);
	cr_assert_eq(HASH_COUNT(world->server->items), 0);
	round_world_must(link_folder(world->store, world, world->account->id, world->project->id,
				     false, &folder));
	cr_assert_null(folder->address);
	round_world_free(world);
}

Test(round_whole, a_home_of_its_own_is_remembered_before_anything_is_made)
{
	struct round_world *world = round_world_new(3);
	struct endpoint_ops ops = whole_ops();
	struct endpoint_place *kept = NULL;

	world->server->endpoint.ops = &ops;
	round_world_must(first_round(world));
	cr_assert_eq(HASH_COUNT(world->server->items), 3);
	round_world_must(homes_load(world->store, world, world->account->id, &kept));
	cr_assert_str_eq(kept->home, "/ana/");
	round_world_free(world);
}

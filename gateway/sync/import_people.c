/* import_people.c - a resource's key is its address in lower case where it has one, else a slug of
 * its name. The file's own key is remembered per project, so that a person who gets an address
 * later stays the same person. */
#include "config.h"

#include "gateway/sync/import_private.h"

#include "base/text.h"
#include "gateway/sync/delivery.h"

#define KEY_SLUG_MAX 60 /* bytes */

/* The --resources line for a person of the file, by key, else by name. */
static const struct person *person_for(const struct import *import,
				       const struct projfile_resource *row)
{
	for (size_t i = 0; i < import->options->people_count; i++) {
		const struct person *person = &import->options->people[i];

		if (person->key ? text_same(person->key, row->key)
				: text_same(person->name, row->name))
			return person;
	}
	return NULL;
}

static const char *email_for(const struct import *import, const struct projfile_resource *row)
{
	const struct person *person = person_for(import, row);

	return person && person->email ? person->email : row->email;
}

/* Somebody known under the slug of the name gets an address: the key follows, unless another person
 * has it. */
static struct fault *learn_address(struct import *import, struct resource *resource,
				   const char *email)
{
	struct resource *other = NULL;

	FAULT_TRY(project_resource_by_key(import->env.store, import->mem, email, &other));
	if (other && other->id != resource->id) {
		import_note(import, "%s: %s belongs to %s already; not changed", resource->key,
			    email, other->name ? other->name : other->key);
		import->result->attention = true;
		return NULL;
	}
	resource->key = resource->email = email;
	return project_resource_set(import->env.store, resource);
}

/* Somebody without name and address is nobody of another project. */
static char *nameless(struct import *import, const struct projfile_resource *row)
{
	return mem_printf(import->mem, "%s person %s", import->result->project->code, row->key);
}

static struct fault *find_person(struct import *import, const struct projfile_resource *row,
				 const char *email, struct resource **resource_r)
{
	struct store *store = import->env.store;
	char *key = email ? mem_strdup(import->mem, email)
			  : text_slug(import->mem, row->name ? row->name : nameless(import, row),
				      KEY_SLUG_MAX);
	struct resource *resource = NULL;
	int64_t id = 0;

	FAULT_TRY(project_alias(store, import->result->project->id, row->key, &id));
	if (id)
		FAULT_TRY(project_resource(store, import->mem, id, &resource));
	/* the file's key now stands for somebody else: believe the address */
	if (resource && email && resource->email && !text_same(resource->email, email))
		resource = NULL;
	if (!resource)
		FAULT_TRY(project_resource_by_key(store, import->mem, key, &resource));
	if (!resource) {
		resource = MEM_NEW(import->mem, struct resource);
		*resource = (struct resource){ .key = key, .name = row->name, .email = email };
		FAULT_TRY(project_resource_add(store, resource, &resource->id));
		import->result->people_new++;
	} else if (email && !resource->email) {
		FAULT_TRY(learn_address(import, resource, email));
	}
	*resource_r = resource;
	return project_alias_put(store, import->result->project->id, row->key, resource->id);
}

struct fault *import_people(struct import *import)
{
	for (size_t i = 0; i < import->file->resource_count; i++) {
		const struct projfile_resource *row = &import->file->resources[i];
		struct resource *resource = NULL;

		FAULT_TRY(find_person(import, row, email_for(import, row), &resource));
		import->result->people++;
		import_key_add(import, &import->people, row->key, resource);
	}
	return NULL;
}

/* ---- who is not published to ---- */

static bool has_active(const struct import *import, int64_t person)
{
	for (size_t i = 0; i < import->assignment_count; i++)
		if (import->assignments[i].resource_id == person &&
		    import->assignments[i].state != ASSIGNMENT_WITHDRAWN)
			return true;
	return false;
}

/* While no server is configured, only an address can be missed: nobody has an account yet. */
static void count_nowhere(struct import *import, const struct resource *person)
{
	const struct conf *conf = import->env.conf;
	const struct conf_server **servers =
		MEM_ARRAY(import->mem, const struct conf_server *, conf->server_count);

	if (conf->server_count && delivery_servers(conf, person, servers))
		return;
	if ((person->email && !conf->server_count) || !has_active(import, person->id))
		return;
	if (person->email)
		import->result->without_account++;
	else
		import->result->without_address++;
}

void import_people_missed(struct import *import)
{
	struct keyed *entry, *next;

	HASH_ITER(hh, import->people, entry, next)
	{
		count_nowhere(import, entry->row);
	}
}

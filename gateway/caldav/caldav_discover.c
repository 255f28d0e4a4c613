#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/text.h"

/* Discovery (RFC 6764 section 6, RFC 5397, RFC 4791 section 6.2.1). The configured URL may be the
 * server, the principal, the home or a calendar; it is asked first, then /.well-known/caldav, then
 * the root. The first that names a home wins, directly or by way of the principal. Where nobody
 * names one, a URL that is a plain collection is the home itself, and beside one that is a calendar
 * folders are made: a calendar that a person has made is never filled with tasks of ours.
 *
 * Of several homes the one counts that belongs to the principal (DAV:owner): a server may list
 * those of others too, who let it write there. A root that refuses the login is not the last word:
 * another program may answer there. */

static const char what_is_there[] = CALDAV_XML
	"<D:propfind " CALDAV_NS "><D:prop><D:resourcetype/><D:current-user-principal/><D:owner/>"
	"<D:principal-collection-set/><C:calendar-home-set/></D:prop></D:propfind>\n";

struct looking {
	TALLOC_CTX *mem;
	struct caldav *caldav;
	struct caldav_found *found;
};

/* Where something is to be looked for. */
struct start {
	const char *path, *words;
	bool configured;
};

static struct multistatus_list normalise_all(const struct looking *looking,
					     const struct multistatus_list *hrefs)
{
	struct multistatus_list list = { MEM_ARRAY(looking->mem, const char *, hrefs->count), 0 };

	for (size_t i = 0; i < hrefs->count; i++) {
		char *address = href_normalise(looking->mem, looking->found->path,
					       looking->caldav->host, hrefs->items[i]);
		bool known = !address;

		for (size_t j = 0; address && j < list.count; j++)
			known = known || href_place(list.items[j], address) == HREF_SELF;
		if (!known)
			list.items[list.count++] = address;
	}
	return list;
}

/* The server's own name for the host, where it is not the one that is asked: often only what a
 * proxy hides, so that the path counts; sometimes meant. */
static char *named_elsewhere(const struct looking *looking, const struct multistatus_list *homes)
{
	struct http_url url;

	if (!homes->count || !strstr(homes->items[0], "://") ||
	    !http_url_parse(looking->mem, homes->items[0], &url) ||
	    !strcmp(url.host, looking->caldav->at.host))
		return NULL;
	return mem_strdup(looking->mem, homes->items[0]);
}

static struct fault *take_found(void *context, const struct multistatus_response *response)
{
	struct looking *looking = context;
	struct caldav_found *found = looking->found;
	const char *host = looking->caldav->host;

	if (found->any) /* Depth 0: the first is what was asked */
		return NULL;
	found->any = true;
	found->principal = href_normalise(looking->mem, found->path, host, response->principal);
	found->owner = href_normalise(looking->mem, found->path, host, response->owner);
	found->homes = normalise_all(looking, &response->homes);
	found->elsewhere = named_elsewhere(looking, &response->homes);
	found->collections = normalise_all(looking, &response->collections);
	found->collection = response->collection;
	found->calendar = response->calendar;
	return NULL;
}

struct fault *caldav_look_at(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
			     struct caldav_found *found_r)
{
	struct caldav_found found = { 0 };
	struct looking looking = { mem, caldav, &found };

	for (int hops = 0; hops <= CALDAV_REDIRECTS_MAX; hops++) {
		struct http_request request =
			caldav_request(mem, "PROPFIND", path, "0", what_is_there);

		caldav_send(caldav, mem, &request, 1);
		if (!request.fault && request.status >= 300 && request.status < 400) {
			FAULT_TRY(caldav_where_redirected(caldav, mem, &request, &path));
			continue;
		}
		if (request.fault || request.status >= 400)
			return caldav_fault(mem, &request);
		if (request.status != 207)
			return fault_new(mem, FAULT_PROTOCOL,
					 "PROPFIND %s: status %d, not a CalDAV server; if it has "
					 "one, write the path into `url`, such as /SOGo/dav/",
					 path,
					 request.status);
		found.path = path;
		FAULT_TRY(multistatus_read(mem, request.answer, request.answer_len, take_found,
					   &looking, NULL));
		if (request.dav && !caldav->dav)
			caldav->dav = mem_strdup(caldav, request.dav);
		*found_r = found;
		return NULL;
	}
	return fault_new(mem, FAULT_PROTOCOL, "PROPFIND %s: more than %d redirects", path,
			 CALDAV_REDIRECTS_MAX);
}

/* ---- whose home ---- */

static bool is_same(const char *a, const char *b)
{
	return a && b && href_place(a, b) == HREF_SELF;
}

struct fault *caldav_choose_home(struct caldav *caldav, TALLOC_CTX *mem,
				 const struct multistatus_list *homes, const char *principal,
				 const char *hint, const char **home_r)
{
	const char *untold = NULL;

	for (size_t i = 0; i < homes->count; i++)
		if (homes->count == 1 ||
		    (hint && href_place(homes->items[i], hint) != HREF_OUTSIDE)) {
			*home_r = homes->items[i];
			return NULL;
		}
	for (size_t i = 0; i < homes->count && i < CALDAV_HOMES_MAX; i++) {
		struct caldav_found found = { 0 };
		struct fault *fault = caldav_look_at(caldav, mem, homes->items[i], &found);

		if (fault && caldav_is_wide(fault))
			return fault;
		if (!fault && is_same(principal, found.owner)) {
			*home_r = homes->items[i];
			return NULL;
		}
		if (!fault && !found.owner && !untold)
			untold = homes->items[i];
	}
	if (untold) {
		*home_r = untold;
		return NULL;
	}
	return fault_reaches(fault_new(mem, FAULT_REFUSED,
				       "the server names %zu calendar homes, and none of them "
				       "belongs to %s; write "
				       "the one that is meant into `home`",
				       homes->count, principal ? principal : "the login"),
			     FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

struct fault *caldav_is_foreign(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
				const char *owner, bool *foreign_r)
{
	struct caldav_found home = { 0 };
	char *who = href_normalise(mem, path, caldav->host, owner);

	*foreign_r = false;
	if (!who || !caldav->home || href_place(caldav->home, path) == HREF_OUTSIDE ||
	    is_same(who, caldav->principal))
		return NULL;
	if (!caldav->owner) { /* servers have more than one address for the same principal */
		struct fault *fault = caldav_look_at(caldav, mem, caldav->home, &home);

		if (fault && caldav_is_wide(fault))
			return fault;
		caldav->owner = mem_strdup(caldav, home.owner ? home.owner : "");
	}
	*foreign_r = *caldav->owner && !is_same(who, caldav->owner);
	return NULL;
}

/* ---- the ways to a home ---- */

static void settle(struct caldav *caldav, const char *principal, const char *home, const char *how)
{
	caldav->principal = principal ? href_collection(caldav, principal) : NULL;
	caldav->home = href_collection(caldav, home);
	caldav->how = mem_printf(caldav, "%s%s%s", caldav->located, *how ? ", " : "", how);
	caldav->found_us = clock_now_us(caldav->clock);
	caldav->discovered = true;
}

/* Looks at one address and at the principal that it names. */
static struct fault *try_address(struct caldav *caldav, TALLOC_CTX *mem, const struct start *start,
				 struct caldav_found *found_r)
{
	struct caldav_found found = { 0 }, principal = { 0 };
	const char *home = NULL;

	FAULT_TRY(caldav_look_at(caldav, mem, start->path, &found));
	if (!found.homes.count && found.principal && !is_same(found.principal, found.path)) {
		FAULT_TRY(caldav_look_at(caldav, mem, found.principal, &principal));
		found.homes = principal.homes;
		found.elsewhere = principal.elsewhere;
		if (!found.collections.count)
			found.collections = principal.collections;
	}
	if (found.homes.count && !caldav->person) {
		FAULT_TRY(caldav_choose_home(caldav, mem, &found.homes, found.principal,
					     start->configured ? found.path : NULL, &home));
		caldav->elsewhere = mem_strdup(caldav, found.elsewhere);
		settle(caldav, found.principal, home, start->words);
	}
	*found_r = found;
	return NULL;
}

/* Some servers name the asker's own home as everybody's: it is nobody else's. */
static struct fault *not_theirs(const struct caldav *caldav, TALLOC_CTX *mem, const char *home)
{
	return fault_reaches(
		fault_new(mem, FAULT_REFUSED,
			  "the server names the login's own calendar home, %s, as that of %s, and so "
			  "the login does not get at theirs by `principal_search`",
			  home, caldav->person),
		FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

/* Another's home: by the address. */
static struct fault *try_person(struct caldav *caldav, TALLOC_CTX *mem,
				const struct caldav_found *login)
{
	struct caldav_found found = { 0 };
	const char *home = NULL;

	FAULT_TRY(caldav_search(caldav, mem, &login->collections, caldav->person, &found));
	FAULT_TRY(caldav_choose_home(caldav, mem, &found.homes, found.principal, NULL, &home));
	for (size_t i = 0; i < login->homes.count; i++)
		if (is_same(login->homes.items[i], home) &&
		    !is_same(login->principal, found.principal))
			return not_theirs(caldav, mem, home);
	settle(caldav, found.principal, home,
	       mem_printf(mem, "the principal with the address %s", caldav->person));
	return NULL;
}

/* Another's home: by the configured path. */
static struct fault *try_home(struct caldav *caldav, TALLOC_CTX *mem)
{
	struct caldav_found found = { 0 };
	struct fault *fault = caldav_look_at(caldav, mem, caldav->home_path, &found);

	if (fault && fault->kind == FAULT_GONE)
		return fault_reaches(fault_prefix(fault, "there is no calendar home %s (`home`): ",
						  caldav->home_path),
				     FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
	if (fault)
		return caldav_widen(fault, FAULT_SCOPE_ACCOUNT);
	if (found.calendar || (found.any && !found.collection))
		return fault_reaches(
			fault_new(mem, FAULT_REFUSED,
				  "%s (`home`) is %s, and not the collection in which a "
				  "person's calendars stand",
				  caldav->home_path,
				  found.calendar ? "a calendar" : "no collection"),
			FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
	settle(caldav, found.owner, found.path, "`home`");
	return NULL;
}

static char *parent_of(TALLOC_CTX *mem, const char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	while (len && path[len - 1] != '/')
		len--;
	return len ? mem_strndup(mem, path, len) : mem_strdup(mem, "/");
}

/* A collection that nobody calls a home. */
static void take_plain(struct caldav *caldav, TALLOC_CTX *mem, const struct caldav_found *found)
{
	if (found->calendar)
		settle(caldav, found->owner, parent_of(mem, found->path),
		       "the collection in which that calendar stands");
	else
		settle(caldav, NULL, found->path, "that collection itself");
}

static size_t list_starts(struct caldav *caldav, TALLOC_CTX *mem, struct start *starts)
{
	char *own = caldav->domain ? caldav->context
				   : href_normalise(mem, "/", caldav->host, caldav->at.path);
	const struct start all[] = {
		{ own, caldav->domain ? "the path in its TXT record" : "", !caldav->domain },
		{ "/.well-known/caldav", "/.well-known/caldav", false },
		{ "/", "/", false },
	};
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i].path && (!count || strcmp(all[i].path, starts[0].path) != 0))
			starts[count++] = all[i];
	return count;
}

/* A login that the root refuses may be good elsewhere on that host; one that is refused twice is
 * not offered again. */
static bool ends_search(const struct start *start, const struct fault *fault,
			const struct fault *first)
{
	if (fault->kind == FAULT_LOGIN)
		return first || strcmp(start->path, "/") != 0;
	return caldav_is_wide(fault) || fault->kind == FAULT_CONFIG;
}

static struct fault *not_found(struct caldav *caldav, TALLOC_CTX *mem, struct fault *first)
{
	if (first && (first->kind == FAULT_BUSY || first->kind == FAULT_LOGIN))
		return caldav_widen(first, FAULT_SCOPE_ACCOUNT);
	return fault_reaches(
		fault_new(mem, FAULT_PROTOCOL, "no calendar home found%s%s%s%s%s",
			  first ? ": " : "", first ? first->text : "",
			  caldav->plain ? "; DNS names " : "", caldav->plain ? caldav->plain : "",
			  caldav->plain ? " as a server without TLS, where a password must not go"
					: "; write the path where a person's calendars stand, which is in "
					  "the server's manual, into `home` (SOGo: "
					  "/SOGo/dav/%{local}/Calendar/)"),
		FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

static struct fault *try_starts(struct caldav *caldav, TALLOC_CTX *mem)
{
	struct start starts[3];
	size_t count = list_starts(caldav, mem, starts);
	struct caldav_found plain = { 0 };
	struct fault *first = NULL;

	for (size_t i = 0; i < count && !caldav->discovered; i++) {
		struct caldav_found found = { 0 };
		struct fault *fault = try_address(caldav, mem, &starts[i], &found);

		if (!fault && caldav->person && found.collections.count)
			return try_person(caldav, mem, &found);
		if (fault && ends_search(&starts[i], fault, first))
			return fault;
		if (fault && !first)
			first = fault;
		if (!fault && starts[i].configured && found.collection && !caldav->person)
			plain = found;
	}
	if (!caldav->discovered && plain.any)
		take_plain(caldav, mem, &plain);
	return caldav->discovered ? NULL : not_found(caldav, mem, first);
}

struct fault *caldav_discover(struct caldav *caldav, TALLOC_CTX *mem)
{
	if (caldav->discovered)
		return NULL;
	FAULT_TRY(caldav_where(caldav, mem));
	return caldav->home_path ? try_home(caldav, mem) : try_starts(caldav, mem);
}

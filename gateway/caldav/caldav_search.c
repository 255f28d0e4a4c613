#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Principal search (RFC 3744 section 9.4). A server compares as it likes, mostly by "contains", so
 * what it finds is compared again, as a whole: joana@example.com is not ana@example.com, and nobody
 * gets another's tasks. Two properties hold addresses: calendar-user-address-set (RFC 6638), and
 * email-address-set, which some servers can search by when they cannot by the first. */

#define COLLECTIONS_MAX 4 /* of principals; servers have one or two */
#define MAILTO "mailto:"

static const struct {
	const char *property, *prefix;
} ways[] = {
	{ "<C:calendar-user-address-set/>", MAILTO },
	{ "<S:email-address-set/>", "" },
};

struct search {
	TALLOC_CTX *mem;
	struct caldav *caldav;
	const char *path, *person;
	struct multistatus_list principals; /* with that very address */
	size_t others;                      /* that the server found beside it */
};

static bool has_address(const struct multistatus_response *response, const char *person)
{
	for (size_t i = 0; i < response->addresses.count; i++) {
		const char *address = response->addresses.items[i];

		if (!strncasecmp(address, MAILTO, strlen(MAILTO)))
			address += strlen(MAILTO);
		if (!strcasecmp(address, person))
			return true;
	}
	return false;
}

static struct fault *take_principal(void *context, const struct multistatus_response *response)
{
	struct search *search = context;
	struct multistatus_list *list = &search->principals;
	char *address =
		href_normalise(search->mem, search->path, search->caldav->host, response->href);

	if (!address || response->status >= 400)
		return NULL;
	if (!has_address(response, search->person)) {
		search->others++;
		return NULL;
	}
	for (size_t i = 0; i < list->count; i++)
		if (href_place(list->items[i], address) == HREF_SELF)
			return NULL;
	list->items = MEM_GROW(search->mem, list->items, const char *, list->count + 1);
	list->items[list->count++] = address;
	return NULL;
}

static struct fault *ask(struct search *search, const char *collection, size_t way)
{
	TALLOC_CTX *mem = search->mem;
	char *body = mem_printf(
		mem,
		CALDAV_XML "<D:principal-property-search " CALDAV_NS
			   "><D:property-search><D:prop>%s"
			   "</D:prop><D:match>%s%s</D:match></D:property-search><D:prop>"
			   "<C:calendar-user-address-set/><S:email-address-set/></D:prop>"
			   "</D:principal-property-search>\n",
		ways[way].property, ways[way].prefix, caldav_xml(mem, search->person));
	struct http_request request = caldav_request(mem, "REPORT", collection, "0", body);

	search->path = collection;
	return caldav_ask(search->caldav, mem, &request, take_principal, search, NULL);
}

static struct fault *refuse(const struct search *search, const struct fault *fault)
{
	const char *count =
		search->principals.count
			? mem_printf(search->mem, "%zu principals have", search->principals.count)
			: "no principal of the server has";

	return fault_reaches(
		fault_new(search->mem, FAULT_REFUSED,
			  "%s the address %s, and there must be one (`principal_search`)%s%s%s",
			  count, search->person,
			  search->others ? mem_printf(search->mem, "; %zu have a similar one",
						      search->others)
					 : "",
			  fault ? ": " : "", fault ? fault->text : ""),
		FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

struct fault *caldav_search(struct caldav *caldav, TALLOC_CTX *mem,
			    const struct multistatus_list *collections, const char *person,
			    struct caldav_found *found_r)
{
	struct search search = { .mem = mem, .caldav = caldav, .person = person };
	struct caldav_found found = { 0 };
	struct fault *first = NULL;

	for (size_t way = 0; way < COUNT_OF(ways) && !search.principals.count; way++) {
		search.others = 0;
		for (size_t i = 0; i < collections->count && i < COLLECTIONS_MAX; i++) {
			struct fault *fault = ask(&search, collections->items[i], way);

			if (fault && caldav_is_wide(fault))
				return fault;
			if (fault && !first)
				first = fault;
		}
	}
	if (search.principals.count != 1)
		return refuse(&search, search.principals.count ? NULL : first);
	FAULT_TRY(caldav_look_at(caldav, mem, search.principals.items[0], &found));
	if (!found.homes.count)
		return fault_reaches(
			fault_new(mem, FAULT_REFUSED,
				  "the server does not tell where the calendars of %s are; write "
				  "`home` in place of `principal_search`",
				  person),
			FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
	found.principal = mem_strdup(mem, search.principals.items[0]);
	*found_r = found;
	return NULL;
}

#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/text.h"

/* A project's folder. Look first, write only what differs (N3). A folder is made by MKCALENDAR, and
 * by extended MKCOL (RFC 5689) where the server refuses that; whoever gets "exists already" looks
 * again, because another process may have been first. What stands there and is no calendar for
 * tasks is never touched: a person has to decide. */

static const char what_is_folder[] =
	CALDAV_XML "<D:propfind " CALDAV_NS "><D:prop><D:resourcetype/><D:displayname/><D:owner/>"
		   "<C:supported-calendar-component-set/></D:prop></D:propfind>\n";

/* How a folder is made; %s is the display name. */
static const struct {
	const char *method, *before, *after;
} makers[] = {
	{ "MKCALENDAR", CALDAV_XML "<C:mkcalendar " CALDAV_NS "><D:set><D:prop><D:displayname>",
	  "</D:displayname><C:supported-calendar-component-set><C:comp name=\"VTODO\"/>"
	  "</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>\n" },
	{ "MKCOL",
	  CALDAV_XML "<D:mkcol " CALDAV_NS
		     "><D:set><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
		     "<D:displayname>",
	  "</D:displayname><C:supported-calendar-component-set><C:comp name=\"VTODO\"/>"
	  "</C:supported-calendar-component-set></D:prop></D:set></D:mkcol>\n" },
};

struct state {
	TALLOC_CTX *mem;
	bool any, calendar, tasks;
	int status;
	char *display, *owner;
};

static struct fault *take_state(void *context, const struct multistatus_response *response)
{
	struct state *state = context;

	if (state->any)
		return NULL;
	state->any = true;
	state->status = response->status;
	state->calendar = response->calendar;
	state->tasks = !response->components || response->todo;
	state->display = mem_strdup(state->mem, response->displayname);
	state->owner = mem_strdup(state->mem, response->owner);
	return NULL;
}

/* What stands at PATH; GONE with folder scope if nothing does. */
static struct fault *look(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
			  struct state *state_r)
{
	struct http_request request = caldav_request(mem, "PROPFIND", path, "0", what_is_folder);
	struct state state = { .mem = mem };
	struct fault *fault = caldav_ask(caldav, mem, &request, take_state, &state, NULL);

	if (!fault && !state.any)
		fault = caldav_lacks(mem, &request);
	else if (!fault && (state.status == 404 || state.status == 410))
		fault = fault_new(mem, FAULT_GONE, "PROPFIND %s: there is no such folder", path);
	if (fault)
		return caldav_widen(fault, FAULT_SCOPE_FOLDER);
	*state_r = state;
	return NULL;
}

struct fault *caldav_folder_check(struct caldav *caldav, TALLOC_CTX *mem, const char *folder)
{
	struct state state;

	return look(caldav, mem, folder, &state);
}

static struct fault *usable(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
			    const struct state *state)
{
	const char *lack = !state->calendar ? "is not a calendar"
			   : !state->tasks  ? "does not take tasks"
					    : NULL;
	bool foreign = false;

	if (!lack) {
		FAULT_TRY(caldav_is_foreign(caldav, mem, path, state->owner, &foreign));
		lack = foreign ? mem_printf(mem, "belongs to %s, not to this person", state->owner)
			       : NULL;
	}
	if (!lack)
		return NULL;
	return fault_reaches(
		fault_new(mem, FAULT_REFUSED, "%s stands there already and %s", path, lack),
		FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
}

/* ---- the display name ---- */

static bool was_named(struct caldav *caldav, const char *path)
{
	for (size_t i = 0; i < caldav->named_count; i++)
		if (!strcmp(caldav->named[i], path))
			return true;
	caldav->named = MEM_GROW(caldav, caldav->named, const char *, caldav->named_count + 1);
	caldav->named[caldav->named_count++] = mem_strdup(caldav, path);
	return false;
}

/* True for a calendar that came into being with its items: it takes everything, and is called after
 * its place, until it is told. */
static bool is_raw(const struct caldav *caldav, const char *path, const char *display)
{
	size_t len = display ? strlen(display) : 0;

	if (!caldav_does(caldav, CALDAV_TRAIT_WHOLE_PUT))
		return false;
	return !len || (strlen(path) == len + 2 && !strncmp(path + 1, display, len));
}

static struct fault *set_display(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
				 const char *display, bool raw)
{
	const char *tasks_only =
		raw ? "<C:supported-calendar-component-set><C:comp name=\"VTODO\"/>"
		      "</C:supported-calendar-component-set>"
		    : "";
	char *body = mem_printf(mem,
				CALDAV_XML "<D:propertyupdate " CALDAV_NS
					   "><D:set><D:prop><D:displayname>%s</D:displayname>%s"
					   "</D:prop></D:set></D:propertyupdate>\n",
				caldav_xml(mem, display), tasks_only);
	struct http_request request = caldav_request(mem, "PROPPATCH", path, NULL, body);
	struct caldav_verdict verdict;

	request.writes = true;
	caldav_run(caldav, mem, &request, 1);
	verdict = caldav_judge(mem, &request);
	/* a name is for the eye only: a server that does not take it still keeps the items */
	return verdict.outcome == CALDAV_OUTCOME_LEAVE ? NULL : verdict.fault;
}

static struct fault *adopt(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
			   const char *display, const struct state *state)
{
	FAULT_TRY(usable(caldav, mem, path, state));
	if (text_same(display, state->display) || !display || was_named(caldav, path))
		return NULL;
	return set_display(caldav, mem, path, display, is_raw(caldav, path, state->display));
}

/* ---- making it ---- */

/* A name that XML escapes: one product keeps it as it was escaped, and is told again. What cannot be
 * looked at now is named by the next ensure. */
static struct fault *check_display(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
				   const char *display)
{
	struct state state;

	if (!display || !strpbrk(display, "&<>\""))
		return NULL;
	if (look(caldav, mem, path, &state))
		return NULL;
	return adopt(caldav, mem, path, display, &state);
}

/* By one of the makers. *OTHER_R: the next one may be able to. */
static struct fault *make_by(struct caldav *caldav, TALLOC_CTX *mem, size_t maker, const char *path,
			     const char *display, bool *created_r, bool *other_r)
{
	char *body = mem_printf(mem, "%s%s%s", makers[maker].before,
				caldav_xml(mem, display ? display : ""), makers[maker].after);
	struct http_request request = caldav_request(mem, makers[maker].method, path, NULL, body);
	struct caldav_verdict verdict;
	struct fault *missing;
	struct state state;

	request.writes = true;
	caldav_run(caldav, mem, &request, 1);
	verdict = caldav_judge(mem, &request);
	if (!verdict.fault && request.status == 201) {
		*created_r = true;
		return check_display(caldav, mem, path, display);
	}
	if (verdict.fault && (request.fault || caldav_is_wide(verdict.fault)))
		return verdict.fault;
	missing = look(caldav, mem, path, &state);
	if (!missing) { /* a moment ago it was not: whoever made it, it is a new one */
		*created_r = true;
		return adopt(caldav, mem, path, display, &state);
	}
	if (missing->kind != FAULT_GONE)
		return missing;
	*other_r = !verdict.fault || verdict.outcome == CALDAV_OUTCOME_OTHER_WAY;
	if (verdict.fault)
		return caldav_widen(verdict.fault, FAULT_SCOPE_FOLDER);
	return caldav_widen(fault_new(mem, FAULT_PROTOCOL, "%s was made, and is not there", path),
			    FAULT_SCOPE_FOLDER);
}

static struct fault *make(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
			  const char *display, bool *created_r)
{
	struct fault *fault = NULL;
	bool other = true;

	for (size_t i = 0; i < COUNT_OF(makers) && other; i++) {
		other = false;
		fault = make_by(caldav, mem, i, path, display, created_r, &other);
	}
	return fault;
}

static char *site(const struct caldav *caldav, TALLOC_CTX *mem,
		  const struct endpoint_folder *folder)
{
	return mem_printf(mem, "%s%s/", caldav->home, href_segment(mem, folder->path));
}

struct fault *caldav_folder_site(struct caldav *caldav, TALLOC_CTX *mem,
				 const struct endpoint_folder *folder, char **address_r)
{
	FAULT_TRY(caldav_discover(caldav, mem));
	*address_r = site(caldav, mem, folder);
	return NULL;
}

/* A folder of that name in the home, found or made. */
static struct fault *ensure_at_home(struct caldav *caldav, TALLOC_CTX *mem,
				    const struct endpoint_folder *folder, const char *known,
				    const char **path_r, bool *created_r)
{
	char *path = site(caldav, mem, folder);
	struct state state;
	struct fault *fault;

	*path_r = path;
	if (!known || strcmp(known, path)) {
		fault = look(caldav, mem, path, &state);
		if (!fault) {
			*created_r = false;
			return adopt(caldav, mem, path, folder->display, &state);
		}
		if (fault->kind != FAULT_GONE)
			return fault;
	}
	fault = make(caldav, mem, path, folder->display, created_r);
	if (fault && !caldav_is_wide(fault) && caldav->elsewhere)
		fault_prefix(fault,
			     "the server says that the calendar home is %s, which is another host, "
			     "where the password does not go by itself; if that is right, write it "
			     "into `url`: ",
			     caldav->elsewhere);
	return fault;
}

static char *home_of(const struct caldav *caldav, TALLOC_CTX *mem)
{
	return mem_printf(mem, "%s%s", caldav->origin ? caldav->origin : "", caldav->home);
}

static struct fault *ensure(struct caldav *caldav, TALLOC_CTX *mem,
			    const struct endpoint_folder *folder, const char *known,
			    const char **path_r, bool *created_r)
{
	struct state state;
	struct fault *fault;
	const char *before;

	if (known) {
		fault = look(caldav, mem, known, &state);
		if (!fault) {
			*path_r = known;
			*created_r = false;
			return adopt(caldav, mem, known, folder->display, &state);
		}
		if (fault->kind != FAULT_GONE)
			return fault;
	}
	FAULT_TRY(caldav_discover(caldav, mem));
	before = caldav->remembered ? home_of(caldav, mem) : NULL;
	fault = ensure_at_home(caldav, mem, folder, known, path_r, created_r);
	if (!fault || !before || fault->kind == FAULT_BUSY || caldav_is_wide(fault))
		return fault;
	if (caldav->remembered) /* it may be over; else a redirect has said so already */
		caldav_where_forget(caldav);
	FAULT_TRY(caldav_discover(caldav, mem));
	if (!strcmp(before, home_of(caldav, mem)))
		return fault;
	return ensure_at_home(caldav, mem, folder, known, path_r, created_r);
}

struct fault *caldav_folder_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				   const struct endpoint_folder *folder, const char *known,
				   char **address_r, bool *created_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	const char *path = NULL;
	bool created = false;
	struct fault *fault =
		ensure((struct caldav *)endpoint, work, folder, known, &path, &created);

	talloc_steal(mem, fault);
	if (!fault) {
		*address_r = mem_strdup(mem, path);
		*created_r = created;
	}
	talloc_free(work);
	return fault;
}

/* ---- taking one away that was ours alone ---- */

struct members {
	TALLOC_CTX *mem;
	const struct caldav *caldav;
	const char *folder;
	char **addresses;
	size_t count;
};

static struct fault *take_member(void *context, const struct multistatus_response *response)
{
	struct members *members = context;
	char *address = href_normalise(members->mem, members->folder, members->caldav->host,
				       response->href);

	if (!address || href_place(members->folder, address) != HREF_CHILD)
		return NULL;
	members->addresses = MEM_GROW(members->mem, members->addresses, char *, members->count + 1);
	members->addresses[members->count++] = address;
	return NULL;
}

/* True when it is not there any more. */
static bool remove_one(struct caldav *caldav, TALLOC_CTX *mem, const char *address)
{
	struct http_request request = { .method = "DELETE", .url = address, .writes = true };

	caldav_send(caldav, mem, &request, 1);
	if (request.fault)
		return false;
	talloc_free(caldav_fault(mem, &request)); /* the status inside of a 207 */
	return (request.status >= 200 && request.status < 300) || request.status == 404;
}

static bool remove_emptied(struct caldav *caldav, TALLOC_CTX *mem, const char *address)
{
	struct http_request list = caldav_request(mem, "PROPFIND", address, "1", what_is_folder);
	struct members members = { .mem = mem, .caldav = caldav, .folder = address };
	struct fault *fault = caldav_ask(caldav, mem, &list, take_member, &members, NULL);

	if (fault || !members.count)
		return false;
	for (size_t i = 0; i < members.count; i++)
		if (!remove_one(caldav, mem, members.addresses[i]))
			return false;
	return remove_one(caldav, mem, address);
}

bool caldav_folder_remove(struct caldav *caldav, TALLOC_CTX *mem, const char *address)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	bool gone = remove_one(caldav, work, address) || remove_emptied(caldav, work, address);

	talloc_free(work);
	return gone;
}

#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/text.h"

/* Creating, replacing and removing, each on its condition (RFC 4791 section 5.3.2, N7).
 *
 *   PUT    If-None-Match: *  or  If-Match: VERSION
 *   DELETE If-Match: VERSION
 *
 * 1. A server that is not known to honour a condition is looked at first: what does not hold by then
 * is not sent.
 * 2. A 412 to If-Match does not tell "changed" from "gone", nor from a condition that never holds; one
 * to If-None-Match does not tell "exists" from a text that the server does not like; and nobody reads
 * back what was removed: a look tells (LOOK_ITEM).
 * 3. A PUT that fails as if something around it were missing is followed by a look at the folder
 * (LOOK_FOLDER): GONE with folder scope.
 * 4. What was not answered while the server answers others is the item's (UNANSWERED, N6). Repeating
 * it is safe: its condition does not hold any more if it was carried out.
 * 5. A version is believed from the answer to a PUT only where caldav_vouch.c says so. It is told in
 * any case, for whoever reads back.
 */

struct write {
	const char *address;
	const char *if_version;  /* NULL: must not exist */
	enum caldav_trait guard; /* what has to be known of the server for its condition to do */
	struct http_request request;
	enum caldav_outcome outcome;
	struct fault *fault;
};

static const char *condition(TALLOC_CTX *mem, const char *if_version)
{
	if (!if_version)
		return "If-None-Match: *";
	/* the strong comparison of RFC 9110 never holds for a weak tag; its opaque part may */
	return mem_printf(mem, "If-Match: %s",
			  text_starts(if_version, "W/") ? if_version + 2 : if_version);
}

static struct http_request look_request(TALLOC_CTX *mem, const char *address)
{
	struct http_request request = caldav_request(mem, "GET", address, NULL, NULL);

	request.body_max = CALDAV_ITEM_MAX;
	return request;
}

/* What a look at the item says about its condition: NULL, it holds. */
static struct fault *judge(TALLOC_CTX *mem, const struct write *write, struct http_request *look)
{
	struct fault *fault = caldav_fault(mem, look);
	char *version;

	if (fault && fault->kind == FAULT_GONE)
		return write->if_version ? fault : NULL;
	if (fault)
		return fault;
	if (!write->if_version)
		return fault_new(mem, FAULT_CHANGED, "%s exists already", write->address);
	version = caldav_version(mem, look->etag);
	if (!version || strcmp(version, write->if_version))
		return fault_new(mem, FAULT_CHANGED, "%s is another version", write->address);
	return NULL;
}

/* Looks at all that are marked by WHICH; LOOKS_R gets the answers in their places. */
static struct http_request *look_at(struct caldav *caldav, TALLOC_CTX *mem,
				    const struct write *writes, const bool *which, size_t count)
{
	struct http_request *looks = MEM_ARRAY(mem, struct http_request, count);
	size_t *back = MEM_ARRAY(mem, size_t, count), n = 0;
	struct http_request *results = MEM_ARRAY(mem, struct http_request, count);

	for (size_t i = 0; i < count; i++) {
		if (!which[i])
			continue;
		back[n] = i;
		looks[n++] = look_request(mem, writes[i].address);
	}
	if (n)
		caldav_run(caldav, mem, looks, n);
	for (size_t i = 0; i < n; i++)
		results[back[i]] = looks[i];
	return results;
}

/* (1) */
static void look_first(struct caldav *caldav, TALLOC_CTX *mem, struct write *writes, size_t count)
{
	bool *which = MEM_ARRAY(mem, bool, count);
	struct http_request *looks;

	for (size_t i = 0; i < count; i++)
		which[i] = !writes[i].fault && !caldav_does(caldav, writes[i].guard);
	looks = look_at(caldav, mem, writes, which, count);
	for (size_t i = 0; i < count; i++) {
		if (!which[i])
			continue;
		writes[i].outcome = caldav_judge(mem, &looks[i]).outcome;
		writes[i].fault = judge(mem, &writes[i], &looks[i]);
	}
}

static bool was_taken(const struct write *write)
{
	return write->request.status >= 200 && write->request.status < 300;
}

/* It is there, in the version that was named: then the answer was neither "done" nor "changed". */
static struct fault *disbelieved(TALLOC_CTX *mem, const struct write *write)
{
	int status = write->request.status;

	if (!write->if_version)
		return fault_new(mem, FAULT_REFUSED,
				 "%s %s: status %d, though nothing is there; the server does not "
				 "like the text",
				 write->request.method, write->address, status);
	if (was_taken(write))
		return fault_new(mem, FAULT_PROTOCOL, "%s %s: status %d, and it is still there",
				 write->request.method, write->address, status);
	if (status == 404 || status == 410 || status == 412)
		return fault_new(mem, FAULT_REFUSED,
				 "%s %s: status %d, though it is there in the very version that "
				 "was named; the server's conditions do not work for it, or it "
				 "does not like the text",
				 write->request.method, write->address, status);
	write->fault->maybe_done = false;
	return write->fault;
}

/* What a look after the answer says; NULL: it is done. */
static struct fault *looked(TALLOC_CTX *mem, const struct write *write, struct http_request *look)
{
	struct fault *fault = judge(mem, write, look);

	if (!fault)
		return disbelieved(mem, write);
	if (fault->kind == FAULT_GONE && was_taken(write))
		return NULL;
	return fault->kind == FAULT_GONE || fault->kind == FAULT_CHANGED ? fault : write->fault;
}

/* (2) */
static void settle_items(struct caldav *caldav, TALLOC_CTX *mem, struct write *writes, size_t count)
{
	bool *which = MEM_ARRAY(mem, bool, count);
	struct http_request *looks;

	for (size_t i = 0; i < count; i++)
		which[i] = writes[i].fault && writes[i].outcome == CALDAV_OUTCOME_LOOK_ITEM;
	looks = look_at(caldav, mem, writes, which, count);
	for (size_t i = 0; i < count; i++)
		if (which[i])
			writes[i].fault = looked(mem, &writes[i], &looks[i]);
}

/* (3) */
static void settle_folder(struct caldav *caldav, TALLOC_CTX *mem, const char *folder,
			  struct write *writes, size_t count)
{
	struct fault *missing = NULL;
	bool looked = false;

	for (size_t i = 0; i < count; i++) {
		if (!writes[i].fault || (writes[i].outcome != CALDAV_OUTCOME_LOOK_FOLDER &&
					 writes[i].fault->kind != FAULT_GONE))
			continue;
		if (!looked)
			missing = caldav_folder_check(caldav, mem, folder);
		looked = true;
		if (missing && missing->kind == FAULT_GONE)
			writes[i].fault =
				caldav_widen(fault_new(mem, FAULT_GONE, "%s", missing->text),
					     FAULT_SCOPE_FOLDER);
	}
}

static bool is_unsent(const struct write *write)
{
	return write->fault && write->outcome == CALDAV_OUTCOME_AS_TOLD &&
	       write->fault->kind == FAULT_UNREACHABLE;
}

/* (4), and what was not sent because of such a one */
static void settle_unanswered(struct caldav *caldav, const char *folder, struct write *writes,
			      size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any = any || (writes[i].fault && writes[i].outcome == CALDAV_OUTCOME_UNANSWERED);
	if (!any || !caldav_answers(caldav, folder))
		return;
	for (size_t i = 0; i < count; i++)
		if (is_unsent(&writes[i]) ||
		    (writes[i].fault && writes[i].outcome == CALDAV_OUTCOME_UNANSWERED))
			writes[i].fault->scope = FAULT_SCOPE_ITEM;
}

/* Writes under way. */
struct endpoint_putting {
	struct caldav *caldav;
	TALLOC_CTX *work;
	const char *folder;
	struct endpoint_put *puts; /* NULL: no puts */
	struct write *writes;
	size_t count;
	struct http_request *requests; /* of those that were sent */
	size_t *back;                  /* which of `writes` each is of */
	size_t sent;
	struct caldav_sending *sending;
};

static void send_all(struct endpoint_putting *putting)
{
	struct caldav *caldav = putting->caldav;

	putting->requests = MEM_ARRAY(putting->work, struct http_request, putting->count);
	putting->back = MEM_ARRAY(putting->work, size_t, putting->count);
	look_first(caldav, putting->work, putting->writes, putting->count);
	for (size_t i = 0; i < putting->count; i++) {
		if (putting->writes[i].fault)
			continue;
		putting->back[putting->sent] = i;
		putting->requests[putting->sent++] = putting->writes[i].request;
	}
	if (putting->sent)
		putting->sending =
			caldav_begin(caldav, putting->work, putting->requests, putting->sent);
}

static void wait_all(struct endpoint_putting *putting)
{
	TALLOC_CTX *work = putting->work;

	if (putting->sending)
		caldav_end(putting->sending, work);
	putting->sending = NULL;
	for (size_t i = 0; i < putting->sent; i++) {
		struct write *write = &putting->writes[putting->back[i]];
		struct caldav_verdict verdict;

		write->request = putting->requests[i];
		verdict = caldav_judge(work, &write->request);
		write->outcome = verdict.outcome;
		write->fault = verdict.fault;
	}
	settle_unanswered(putting->caldav, putting->folder, putting->writes, putting->count);
	settle_items(putting->caldav, work, putting->writes, putting->count);
}

static struct fault *address_refused(TALLOC_CTX *mem, const char *folder, const char *address)
{
	if (href_place(folder, address) == HREF_CHILD && !text_ends(address, "/"))
		return NULL;
	return fault_new(mem, FAULT_REFUSED, "%s is not an item of %s", address, folder);
}

static void prepare_put(TALLOC_CTX *mem, const char *folder, const struct endpoint_put *put,
			struct write *write)
{
	const char **headers = MEM_ARRAY(mem, const char *, 3);

	headers[0] = condition(mem, put->if_version);
	headers[1] = "Content-Type: text/calendar; charset=utf-8";
	write->address = put->address;
	write->if_version = put->if_version;
	write->guard = put->if_version ? CALDAV_TRAIT_REPLACE_GUARD : CALDAV_TRAIT_CREATE_GUARD;
	write->request = (struct http_request){
		.method = "PUT",
		.url = put->address,
		.headers = headers,
		.body = put->text,
		.body_len = put->len,
		.writes = true,
		.body_max = CALDAV_ITEM_MAX,
	};
	write->fault = address_refused(mem, folder, put->address);
	if (!write->fault && put->len > CALDAV_ITEM_MAX)
		write->fault = fault_new(mem, FAULT_REFUSED,
					 "%s is longer than %zu bytes, and was not sent",
					 put->address, CALDAV_ITEM_MAX);
}

/* ---- puts ---- */

struct fault *caldav_write_begin(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_put *puts, size_t count,
				 struct endpoint_putting **putting_r)
{
	struct endpoint_putting *putting = MEM_NEW(mem, struct endpoint_putting);

	putting->caldav = (struct caldav *)endpoint;
	putting->work = putting;
	putting->folder = mem_strdup(putting, folder);
	putting->puts = puts;
	putting->writes = MEM_ARRAY(putting, struct write, count);
	putting->count = count;
	for (size_t i = 0; i < count; i++)
		prepare_put(putting->work, putting->folder, &puts[i], &putting->writes[i]);
	send_all(putting);
	*putting_r = putting;
	return NULL;
}

struct fault *caldav_write_end(struct endpoint_putting *putting, TALLOC_CTX *mem)
{
	struct caldav *caldav = putting->caldav;
	struct write *writes = putting->writes;
	size_t count = putting->count;

	wait_all(putting);
	settle_folder(caldav, putting->work, putting->folder, writes, count);
	for (size_t i = 0; i < count; i++) {
		struct endpoint_put *put = &putting->puts[i];

		put->fault = talloc_steal(mem, writes[i].fault);
		put->version = NULL;
		put->answered = put->fault ? NULL : caldav_version(mem, writes[i].request.etag);
		if (!put->fault)
			caldav_found_put(caldav, &writes[i].request, !put->if_version,
					 put->answered);
	}
	caldav_vouch(caldav, putting->work, putting->folder, putting->puts, count);
	talloc_free(putting);
	return NULL;
}

struct fault *caldav_write_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       struct endpoint_put *puts, size_t count)
{
	struct endpoint_putting *putting = NULL;

	FAULT_TRY(caldav_write_begin(endpoint, mem, folder, puts, count, &putting));
	return caldav_write_end(putting, mem);
}

static void prepare_remove(TALLOC_CTX *mem, const char *folder,
			   const struct endpoint_remove *remove, struct write *write)
{
	const char **headers = MEM_ARRAY(mem, const char *, 2);

	headers[0] = condition(mem, remove->if_version);
	write->address = remove->address;
	write->if_version = remove->if_version;
	write->guard = CALDAV_TRAIT_REMOVE_GUARD;
	write->request = (struct http_request){
		.method = "DELETE",
		.url = remove->address,
		.headers = headers,
		.writes = true,
		.body_max = CALDAV_ITEM_MAX,
	};
	write->fault = address_refused(mem, folder, remove->address);
	if (!write->fault && !remove->if_version)
		write->fault =
			fault_new(mem, FAULT_REFUSED, "%s: nothing is removed without its version",
				  remove->address);
}

struct fault *caldav_write_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  struct endpoint_remove *removes, size_t count)
{
	struct endpoint_putting removing = { .caldav = (struct caldav *)endpoint,
					     .folder = folder,
					     .count = count };

	removing.work = MEM_CONTEXT(mem);
	removing.writes = MEM_ARRAY(removing.work, struct write, count);
	for (size_t i = 0; i < count; i++)
		prepare_remove(removing.work, folder, &removes[i], &removing.writes[i]);
	send_all(&removing);
	wait_all(&removing);
	for (size_t i = 0; i < count; i++)
		removes[i].fault = talloc_steal(mem, removing.writes[i].fault);
	talloc_free(removing.work);
	return NULL;
}

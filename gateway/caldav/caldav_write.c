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
 * 2. A 412 to If-Match does not tell "changed" from "gone", nor from a condition that never holds; a
 * look does (LOOK_ITEM).
 * 3. A PUT that fails as if something around it were missing is followed by a look at the folder
 * (LOOK_FOLDER): GONE with folder scope.
 * 4. What was not answered while the server answers others is the item's (UNANSWERED, N6). Repeating
 * it is safe: its condition does not hold any more if it was carried out.
 * 5. No version is believed from the answer to a PUT (caldav.h); it is told, for whoever reads back.
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

/* It is there, in the version that was named: then the answer was no "changed". */
static struct fault *disbelieved(TALLOC_CTX *mem, const struct write *write)
{
	int status = write->request.status;

	if (status == 404 || status == 410 || status == 412)
		return fault_new(mem, FAULT_REFUSED,
				 "%s %s: status %d, though it is there in the very version that "
				 "was named; the server's conditions do not work for it, or it "
				 "does not like the text",
				 write->request.method, write->address, status);
	write->fault->maybe_done = false;
	return write->fault;
}

/* (2) */
static void settle_items(struct caldav *caldav, TALLOC_CTX *mem, struct write *writes, size_t count)
{
	bool *which = MEM_ARRAY(mem, bool, count);
	struct http_request *looks;

	for (size_t i = 0; i < count; i++)
		which[i] = writes[i].fault && writes[i].outcome == CALDAV_OUTCOME_LOOK_ITEM;
	looks = look_at(caldav, mem, writes, which, count);
	for (size_t i = 0; i < count; i++) {
		struct fault *fault = which[i] ? judge(mem, &writes[i], &looks[i]) : NULL;

		if (!which[i])
			continue;
		if (!fault)
			writes[i].fault = disbelieved(mem, &writes[i]);
		else if (fault->kind == FAULT_GONE || fault->kind == FAULT_CHANGED)
			writes[i].fault = fault;
	}
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

static void send_all(struct caldav *caldav, TALLOC_CTX *mem, const char *folder,
		     struct write *writes, size_t count)
{
	struct http_request *requests = MEM_ARRAY(mem, struct http_request, count);
	size_t *back = MEM_ARRAY(mem, size_t, count), n = 0;

	look_first(caldav, mem, writes, count);
	for (size_t i = 0; i < count; i++) {
		if (writes[i].fault)
			continue;
		back[n] = i;
		requests[n++] = writes[i].request;
	}
	if (n)
		caldav_run(caldav, mem, requests, n);
	for (size_t i = 0; i < n; i++) {
		struct write *write = &writes[back[i]];
		struct caldav_verdict verdict;

		write->request = requests[i];
		verdict = caldav_judge(mem, &write->request);
		write->outcome = verdict.outcome;
		write->fault = verdict.fault;
	}
	settle_unanswered(caldav, folder, writes, count);
	settle_items(caldav, mem, writes, count);
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

struct fault *caldav_write_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       struct endpoint_put *puts, size_t count)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct write *writes = MEM_ARRAY(work, struct write, count);

	for (size_t i = 0; i < count; i++)
		prepare_put(work, folder, &puts[i], &writes[i]);
	send_all(caldav, work, folder, writes, count);
	settle_folder(caldav, work, folder, writes, count);
	for (size_t i = 0; i < count; i++) {
		puts[i].fault = talloc_steal(mem, writes[i].fault);
		puts[i].version = NULL; /* (5) */
		puts[i].answered =
			puts[i].fault ? NULL : caldav_version(mem, writes[i].request.etag);
		if (!puts[i].fault)
			caldav_found_put(caldav, &writes[i].request, !puts[i].if_version,
					 puts[i].answered);
	}
	talloc_free(work);
	return NULL;
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
	struct caldav *caldav = (struct caldav *)endpoint;
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct write *writes = MEM_ARRAY(work, struct write, count);

	for (size_t i = 0; i < count; i++)
		prepare_remove(work, folder, &removes[i], &writes[i]);
	send_all(caldav, work, folder, writes, count);
	for (size_t i = 0; i < count; i++)
		removes[i].fault = talloc_steal(mem, writes[i].fault);
	talloc_free(work);
	return NULL;
}

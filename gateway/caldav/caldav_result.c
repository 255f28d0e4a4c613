#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* From a request and its answer to what the table says (caldav_outcome.h). The operation is read
 * off the request itself, so that no caller can name another one than it has sent. */

#define HREF_SHOWN_MAX 512 /* bytes of an address in a message */
#define ANSWERS_MS                                                                                 \
	10000 /* for the look by which a server that answers is told from one that hangs */

/* ---- what was asked ---- */

static bool has_header(const struct http_request *request, const char *line)
{
	for (const char *const *header = request->headers; header && *header; header++)
		if (text_starts(*header, line))
			return true;
	return false;
}

/* Reports are ours, so that a word in them tells which one it is. */
static enum caldav_op report_of(const struct http_request *request)
{
	const char *body = request->body ? request->body : "";

	if (strstr(body, "<C:calendar-multiget"))
		return CALDAV_OP_MULTIGET;
	if (!strstr(body, "<D:sync-collection"))
		return CALDAV_OP_LIST;
	return strstr(body, "<D:sync-token></D:sync-token>") ? CALDAV_OP_START : CALDAV_OP_CHANGES;
}

enum caldav_op caldav_op_of(const struct http_request *request)
{
	static const struct {
		const char *method, *header;
		enum caldav_op op;
	} ops[] = {
		{ "PROPFIND", "Depth: 1", CALDAV_OP_LIST },
		{ "PROPFIND", "Depth: infinity", CALDAV_OP_LIST },
		{ "PROPFIND", NULL, CALDAV_OP_LOOK },
		{ "GET", NULL, CALDAV_OP_GET },
		{ "PUT", "If-None-Match:", CALDAV_OP_CREATE },
		{ "PUT", NULL, CALDAV_OP_REPLACE },
		{ "DELETE", NULL, CALDAV_OP_REMOVE },
		{ "MKCALENDAR", NULL, CALDAV_OP_MKCALENDAR },
		{ "MKCOL", NULL, CALDAV_OP_MKCOL },
		{ "PROPPATCH", NULL, CALDAV_OP_NAME },
		{ "OPTIONS", NULL, CALDAV_OP_OPTIONS },
		{ "POST", NULL, CALDAV_OP_ATTACH },
	};

	if (!strcmp(request->method, "REPORT"))
		return report_of(request);
	for (size_t i = 0; i < COUNT_OF(ops); i++)
		if (!strcmp(request->method, ops[i].method) &&
		    (!ops[i].header || has_header(request, ops[i].header)))
			return ops[i].op;
	return CALDAV_OP_OTHER;
}

/* ---- what came back ---- */

struct inner {
	TALLOC_CTX *mem;
	int status; /* the worst of all lines; 0: there is none */
	char *condition;
};

static struct fault *take_inner(void *context, const struct multistatus_response *response)
{
	struct inner *inner = context;
	int status = response->status ? response->status : response->refused;

	if (!status)
		status = 200; /* properties only: they are there */
	if (inner->status < 300 || status > inner->status)
		inner->status = status;
	if (response->error && !inner->condition)
		inner->condition = mem_strdup(inner->mem, response->error);
	return NULL;
}

/* A 207 to a write: the status inside counts, and becomes the request's. */
static enum caldav_said said_inside(TALLOC_CTX *mem, struct http_request *request,
				    char **condition_r)
{
	struct inner inner = { .mem = mem };
	struct fault *fault = multistatus_read(mem, request->answer, request->answer_len,
					       take_inner, &inner, NULL);

	if (fault) {
		talloc_free(fault);
		return CALDAV_SAID_BROKEN;
	}
	if (!inner.status)
		return CALDAV_SAID_WITHOUT;
	request->status = inner.status;
	*condition_r = inner.condition;
	return CALDAV_SAID_STATUS;
}

static bool is_page(const struct http_request *request)
{
	const char *text = request->answer;
	bool item = caldav_op_of(request) == CALDAV_OP_GET;

	if (!strncmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (isspace((unsigned char)*text))
		text++;
	return !strncasecmp(text, "<!doctype html", 14) || !strncasecmp(text, "<html", 5) ||
	       (item && *text == '<');
}

/* An item that begins as one and does not end as one. */
static bool is_half(const struct http_request *request)
{
	static const char begin[] = "BEGIN:VCALENDAR", end[] = "END:VCALENDAR";
	size_t len = request->answer_len;

	while (len && isspace((unsigned char)request->answer[len - 1]))
		len--;
	return !strncasecmp(request->answer, begin, strlen(begin)) &&
	       (len < strlen(end) ||
		strncasecmp(request->answer + len - strlen(end), end, strlen(end)) != 0);
}

static enum caldav_said said_of_item(TALLOC_CTX *mem, const struct http_request *request)
{
	if (is_half(request))
		return CALDAV_SAID_HALF;
	return caldav_version(mem, request->etag) ? CALDAV_SAID_STATUS : CALDAV_SAID_UNTAGGED;
}

static enum caldav_said said_of(TALLOC_CTX *mem, struct http_request *request, char **condition_r)
{
	if (request->fault && !request->sent)
		return CALDAV_SAID_UNSENT;
	if (request->fault)
		return request->fault->kind == FAULT_PROTOCOL      ? CALDAV_SAID_NONSENSE
		       : request->fault->kind == FAULT_UNREACHABLE ? CALDAV_SAID_SILENCE
								   : CALDAV_SAID_UNSENT;
	if (request->status < 200 || request->status > 599)
		return CALDAV_SAID_NONSENSE;
	if (request->status == 207 && request->writes)
		return said_inside(mem, request, condition_r);
	if (request->status == 200 && is_page(request))
		return CALDAV_SAID_PAGE;
	if (request->status == 200 && caldav_op_of(request) == CALDAV_OP_GET)
		return said_of_item(mem, request);
	if (request->status >= 300)
		*condition_r = multistatus_error(mem, request->answer, request->answer_len);
	return CALDAV_SAID_STATUS;
}

/* ---- what it leads to ---- */

/* A UID that stands at another place: where, and what to do. */
static const char *conflict_words(TALLOC_CTX *mem, const struct http_request *request,
				  const char *condition)
{
	bool is_uid = !strcmp(condition, "no-uid-conflict") ||
		      !strcmp(condition, "unique-scheduling-object-resource");
	char *href = is_uid ? multistatus_conflict(mem, request->answer, request->answer_len) : NULL;

	if (!is_uid)
		return "";
	return mem_printf(mem,
			  "; the person has an item of this UID already%s%.*s; delete that one, or "
			  "move it back to this folder",
			  href ? ": " : " in another place", HREF_SHOWN_MAX,
			  href ? href : "");
}

static struct fault *make_fault(TALLOC_CTX *mem, const struct http_request *request,
				enum caldav_said said, const char *condition)
{
	struct fault *fault = request->fault;

	if (!fault && said == CALDAV_SAID_STATUS)
		fault = http_status_fault(mem, request);
	if (!fault && said == CALDAV_SAID_STATUS)
		return fault_new(mem, FAULT_PROTOCOL,
				 "%s %s: status %d, which is no answer to that", request->method,
				 request->url, request->status);
	if (!fault)
		return fault_new(mem, FAULT_PROTOCOL, "%s %s: %s", request->method, request->url,
				 caldav_said_words(said));
	if (condition)
		fault->text = mem_printf(fault, "%s (%s)%s", fault->text, condition,
					 conflict_words(fault, request, condition));
	return fault;
}

struct caldav_verdict caldav_judge(TALLOC_CTX *mem, struct http_request *request)
{
	char *condition = NULL;
	enum caldav_said said = said_of(mem, request, &condition);
	const struct caldav_outcome_row *row =
		caldav_outcome_of(caldav_op_of(request), said, request->status, condition);
	struct caldav_verdict verdict = { .outcome = row->outcome, .condition = condition };

	if (caldav_outcome_good(row->outcome))
		return verdict;
	verdict.fault = make_fault(mem, request, said, condition);
	if (!request->fault || said == CALDAV_SAID_NONSENSE)
		verdict.fault->maybe_done = row->maybe && request->writes;
	caldav_outcome_shape(verdict.fault, row->outcome);
	return verdict;
}

struct fault *caldav_lacks(TALLOC_CTX *mem, const struct http_request *request)
{
	enum caldav_op op = caldav_op_of(request);
	struct fault *fault = fault_new(mem, FAULT_PROTOCOL, "%s %s: %s", request->method,
					request->url, caldav_said_words(CALDAV_SAID_WITHOUT));

	return caldav_outcome_shape(fault,
				    caldav_outcome_of(op, CALDAV_SAID_WITHOUT, 0, NULL)->outcome);
}

struct fault *caldav_fault(TALLOC_CTX *mem, struct http_request *request)
{
	return caldav_judge(mem, request).fault;
}

static const char what_is_it[] =
	CALDAV_XML "<D:propfind " CALDAV_NS "><D:prop><D:resourcetype/></D:prop></D:propfind>\n";

bool caldav_answers(struct caldav *caldav, const char *folder)
{
	TALLOC_CTX *work = MEM_CONTEXT(NULL);
	struct http_request look = caldav_request(work, "PROPFIND", folder, "0", what_is_it);
	bool answers;

	look.deadline_ms = caldav->deadline_ms && caldav->deadline_ms < ANSWERS_MS
				   ? caldav->deadline_ms
				   : ANSWERS_MS;
	caldav_send(caldav, work, &look, 1);
	answers = !look.fault && look.status < 500;
	talloc_free(work);
	return answers;
}

struct fault *caldav_widen(struct fault *fault, enum fault_scope scope)
{
	if (fault->scope < scope)
		fault->scope = scope;
	return fault;
}

bool caldav_is_wide(const struct fault *fault)
{
	return fault->scope >= FAULT_SCOPE_ACCOUNT;
}

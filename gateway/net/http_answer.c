#include "config.h"

#include "gateway/net/http_private.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* What came back, read on the caller's thread: header fields by one table, the meaning of a status
 * by another. A field whose value is not printable ASCII counts as not sent: versions and times are
 * kept in databases and sent back. */

#define HTTP_PATH_SHOWN 200 /* bytes of a path in a fault's text */

static const struct head_field {
	const char *name;
	size_t offset;
	bool list; /* lines of that name are one list */
} head_fields[] = {
#define FIELD(name, member, list)                                                                  \
	{                                                                                          \
		name, offsetof(struct http_request, member), list                                  \
	}
	FIELD("ETag", etag, false),
	FIELD("Last-Modified", last_modified, false),
	FIELD("Location", location, false),
	FIELD("DAV", dav, true),
	FIELD("Allow", allow, true),
	FIELD("Server", server, false),
	FIELD("Content-Type", content_type, false),
	FIELD("WWW-Authenticate", authenticate, true),
#undef FIELD
};

static const char **field_of(struct http_request *request, const struct head_field *field)
{
	return (const char **)((char *)request + field->offset);
}

static bool is_printable(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if ((*c < 0x20 && *c != '\t') || *c > 0x7e)
			return false;
	return true;
}

int64_t http_date_us(const char *text)
{
	time_t seconds = curl_getdate(text, NULL);

	return seconds > 0 ? (int64_t)seconds * CLOCK_SECOND_US : 0;
}

/* Retry-After is a number of seconds, or a date by the server's own clock. */
static int32_t retry_after(const char *text, int64_t server_us, int64_t own_us)
{
	int64_t seconds;

	if (!text_to_int(text, &seconds)) {
		int64_t at = http_date_us(text);

		seconds = at ? (at - (server_us ? server_us : own_us)) / CLOCK_SECOND_US : 0;
	}
	return (int32_t)(seconds < 0                        ? 0
			 : seconds > HTTP_RETRY_AFTER_MAX_S ? HTTP_RETRY_AFTER_MAX_S
							    : seconds);
}

static void take_field(TALLOC_CTX *mem, struct http_request *request, const char *name,
		       const char *value)
{
	for (size_t i = 0; i < COUNT_OF(head_fields); i++) {
		const char **member = field_of(request, &head_fields[i]);

		if (strcasecmp(head_fields[i].name, name))
			continue;
		if (!*member)
			*member = mem_strdup(mem, value);
		else if (head_fields[i].list)
			*member = mem_printf(mem, "%s, %s", *member, value);
	}
}

static void clear_fields(struct http_request *request)
{
	for (size_t i = 0; i < COUNT_OF(head_fields); i++)
		*field_of(request, &head_fields[i]) = NULL;
	request->date_us = request->last_modified_us = 0;
	request->retry_after_s = 0;
}

void http_answer_head(TALLOC_CTX *mem, struct http_request *request, const char *bytes, size_t len)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	char *head = mem_bytes(work, bytes, len);
	char *save = NULL, *retry = NULL;

	clear_fields(request);
	for (char *line = strtok_r(head, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		char *colon = strchr(line, ':'), *value;

		if (!colon || *line == ' ' || *line == '\t')
			continue;
		*colon = '\0';
		value = text_trim(work, colon + 1);
		if (!*value || !is_printable(value))
			continue;
		if (!strcasecmp(line, "Date"))
			request->date_us = http_date_us(value);
		else if (!strcasecmp(line, "Retry-After"))
			retry = value;
		else
			take_field(mem, request, line, value);
	}
	if (request->last_modified)
		request->last_modified_us = http_date_us(request->last_modified);
	if (retry)
		request->retry_after_s = retry_after(retry, request->date_us, request->answered_us);
	talloc_free(work);
}

const char *http_answer_path(TALLOC_CTX *mem, const char *url)
{
	const char *authority = strstr(url, "://");
	const char *path = authority ? strchr(authority + 3, '/') : url;
	size_t len;

	if (!path)
		return "/";
	len = strcspn(path, "?#");
	return mem_strndup(mem, path, len < HTTP_PATH_SHOWN ? len : HTTP_PATH_SHOWN);
}

/* ---- what a status means ---- */

static const struct status_row {
	int from, to;
	enum fault_kind kind;
	enum fault_scope scope;
	bool maybe_done; /* a proxy or a crash in the middle: the write may stand */
} status_rows[] = {
	{ 401, 401, FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, false },
	{ 404, 404, FAULT_GONE, FAULT_SCOPE_ITEM, false },
	{ 407, 407, FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, false },
	{ 408, 408, FAULT_BUSY, FAULT_SCOPE_SERVER, true },
	{ 410, 410, FAULT_GONE, FAULT_SCOPE_ITEM, false },
	{ 412, 412, FAULT_CHANGED, FAULT_SCOPE_ITEM, false },
	{ 423, 423, FAULT_LOCKED, FAULT_SCOPE_ITEM, false },
	{ 429, 429, FAULT_BUSY, FAULT_SCOPE_ACCOUNT, false },
	{ 400, 499, FAULT_REFUSED, FAULT_SCOPE_ITEM, false },
	{ 501, 501, FAULT_REFUSED, FAULT_SCOPE_ITEM, false },
	{ 503, 503, FAULT_BUSY, FAULT_SCOPE_SERVER, false },
	{ 507, 507, FAULT_FULL, FAULT_SCOPE_ACCOUNT, false },
	{ 502, 504, FAULT_BUSY, FAULT_SCOPE_SERVER, true },
	{ 500, 599, FAULT_BUSY, FAULT_SCOPE_ITEM, true },
};

struct fault *http_status_fault(TALLOC_CTX *mem, const struct http_request *request)
{
	struct status_row row = { 0, 0, FAULT_PROTOCOL, FAULT_SCOPE_ITEM,
				  false }; /* 3xx, and what is no status at all */
	struct fault *fault;

	if (request->status >= 200 && request->status < 300)
		return NULL;
	for (size_t i = COUNT_OF(status_rows); i-- > 0;)
		if (request->status >= status_rows[i].from && request->status <= status_rows[i].to)
			row = status_rows[i];
	fault = fault_new(mem, row.kind, "%s %s: status %d, %s", request->method,
			  http_answer_path(mem, request->url), request->status,
			  fault_kind_words(row.kind));
	fault->scope = row.scope;
	fault->maybe_done = row.maybe_done && request->writes;
	fault->retry_after_s = request->retry_after_s;
	return fault;
}

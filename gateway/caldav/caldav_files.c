/* caldav_files.c - managed attachments (RFC 8607): a file is POSTed to its item, on the item's
 * version, and is fetched by the URI of its ATTACH line. Removing one takes no request of its own:
 * an item that is PUT without the line has it no more.
 *
 * A URI that stands in an item was written by anybody, so only its path is used, and only where it
 * names this host: our login goes nowhere else. */
#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

#define TRANSFER_DEADLINE_MS 300000 /* 100 MB at 350 kB/s */

/* Where nothing is known of the server, it says so itself (section 3.1); once. */
struct fault *caldav_files_attaches(struct endpoint *endpoint, TALLOC_CTX *mem, bool *attaches_r)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	unsigned char *known = &caldav->traits.answer[CALDAV_TRAIT_MANAGED];

	if (*known == CALDAV_UNKNOWN) {
		TALLOC_CTX *work = MEM_CONTEXT(mem);
		struct http_request options;
		struct fault *fault = caldav_discover(caldav, work);

		if (fault) {
			talloc_steal(mem, fault);
			talloc_free(work);
			return fault;
		}
		options = caldav_request(work, "OPTIONS", caldav->home, NULL, NULL);
		caldav_run(caldav, work, &options, 1);
		if (options.fault && caldav_is_wide(options.fault))
			return talloc_steal(mem, options.fault);
		if (!options.fault && options.status / 100 == 2)
			*known = options.dav && strstr(options.dav, "calendar-managed-attachments")
					 ? CALDAV_YES
					 : CALDAV_NO;
		talloc_free(work);
	}
	*attaches_r = *known == CALDAV_YES;
	return NULL;
}

/* RFC 6266: a plain name for those who know no other, and the name itself. */
static char *disposition(TALLOC_CTX *mem, const char *name)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	struct buf *out = buf_new(mem);
	bool odd = false;

	buf_puts(out, "Content-Disposition: attachment; filename=\"");
	for (const char *c = name; *c; c++) {
		bool ascii = (unsigned char)*c < 0x80;

		odd = odd || !ascii;
		buf_putc(out, ascii && *c != '"' && *c != '\\' && *c >= ' ' ? *c : '_');
	}
	buf_putc(out, '"');
	if (odd) {
		buf_puts(out, "; filename*=UTF-8''");
		for (const char *c = name; *c; c++)
			if (strchr(plain, *c))
				buf_putc(out, *c);
			else
				buf_printf(out, "%%%02X", (unsigned char)*c);
	}
	return buf_steal(&out, mem, NULL);
}

struct fault *caldav_files_attach(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const struct endpoint_attach *attach)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	/* of a weak tag its opaque part, as in caldav_write.c */
	const char *headers[] = {
		mem_printf(work, "If-Match: %s",
			   attach->if_version + (text_starts(attach->if_version, "W/") ? 2 : 0)),
		mem_printf(work, "Content-Type: %s", attach->type), disposition(work, attach->name),
		NULL
	};
	struct http_request request = {
		.method = "POST",
		.url = mem_printf(work, "%s?action=attachment-add", attach->address),
		.headers = headers,
		.body = attach->bytes,
		.body_len = attach->len,
		.writes = true,
		.body_max = CALDAV_ITEM_MAX,
		.deadline_ms = TRANSFER_DEADLINE_MS,
	};
	struct caldav_verdict verdict;
	struct fault *fault = NULL;

	if (href_place(folder, attach->address) != HREF_CHILD) {
		fault = fault_new(mem, FAULT_REFUSED, "%s is not an item of %s", attach->address,
				  folder);
	} else {
		caldav_run(caldav, work, &request, 1);
		verdict = caldav_judge(work, &request);
		fault = talloc_steal(mem, verdict.fault);
		if (fault &&
		    verdict.outcome == CALDAV_OUTCOME_OTHER_WAY) /* no such file, or none */
			fault = fault_reaches(fault_new(mem, FAULT_REFUSED, "%s", fault->text),
					      FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
		if (fault && verdict.outcome == CALDAV_OUTCOME_UNANSWERED &&
		    caldav_answers(caldav, folder))
			fault->scope = FAULT_SCOPE_ITEM;
	}
	talloc_free(work);
	return fault;
}

/* Not worth another try. Of the address neither a login nor a query is shown: they may be secret. */
static struct fault *not_ours(TALLOC_CTX *mem, const struct http_url *at, const char *why)
{
	return fault_reaches(fault_new(mem, FAULT_DATA, "%s%s: %s",
				       at->host ? at->host : "its address",
				       at->host ? at->path : "", why),
			     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

/* Where to ask for URI: path and query. A login that gets at more than this person's calendars fetches
 * nothing from outside of them: the person wrote the address, and would get the file. */
static struct fault *find_file(struct caldav *caldav, TALLOC_CTX *mem, const char *uri,
			       struct http_url *at_r, const char **target_r)
{
	struct http_url at = { .host = NULL };
	const char *path, *normal;

	if (!http_url_parse(mem, uri, &at) || !caldav->at.host ||
	    strcmp(at.host, caldav->at.host) != 0)
		return not_ours(mem, &at, "it is not on this server");
	path = strstr(uri, "://") + strlen("://");
	path += strcspn(path, "/?#");
	normal = href_normalise(mem, "/", caldav->host, at.path);
	if (caldav->home_path || caldav->person) {
		FAULT_TRY(caldav_discover(caldav, mem));
		if (!normal || href_place(caldav->home, normal) == HREF_OUTSIDE)
			return not_ours(mem, &at, "it is not among this person's calendars");
	}
	*at_r = at;
	*target_r =
		mem_printf(mem, "%s%.*s", *path == '/' ? "" : "/", (int)strcspn(path, "#"), path);
	return NULL;
}

/* A file is what it is, also without an ETag, and where it is XML. Only a page for people in its place
 * is none. */
static bool is_file(const struct http_request *request, const char *path)
{
	const char *type = request->content_type ? request->content_type : "";

	return !request->fault && request->status == 200 &&
	       (strncasecmp(type, "text/html", strlen("text/html")) != 0 ||
		text_ends(path, ".html") || text_ends(path, ".htm"));
}

/* The server seems not to answer, and has not said how long to wait. */
static bool is_of_server(const struct fault *fault)
{
	return caldav_is_wide(fault) && !fault->retry_after_s &&
	       (fault->kind == FAULT_UNREACHABLE || fault->kind == FAULT_BUSY);
}

static struct fault *download(struct caldav *caldav, TALLOC_CTX *mem, const char *folder,
			      const char *uri, size_t max, struct http_request *request_r)
{
	struct http_url at = { .host = NULL };
	const char *target = NULL;
	struct fault *fault;

	FAULT_TRY(find_file(caldav, mem, uri, &at, &target));
	*request_r = caldav_request(mem, "GET", target, NULL, NULL);
	request_r->body_max = max;
	request_r->deadline_ms = TRANSFER_DEADLINE_MS;
	caldav_run(caldav, mem, request_r, 1);
	if (is_file(request_r, at.path))
		return NULL;
	fault = caldav_fault(mem, request_r);
	if (!fault) /* a page that does not begin as one */
		return not_ours(mem, &at, "a page for people");
	if (fault->scope == FAULT_SCOPE_ITEM &&
	    (fault->kind == FAULT_GONE || fault->kind == FAULT_REFUSED ||
	     fault->kind == FAULT_PROTOCOL))
		return not_ours(mem, &at, fault->text);
	if (is_of_server(fault) && caldav_answers(caldav, folder))
		fault->scope = FAULT_SCOPE_ITEM; /* a file is no reason to leave it alone */
	return fault;
}

struct fault *caldav_files_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *uri, size_t max, char **bytes_r, size_t *len_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct http_request request = { .method = NULL };
	struct fault *fault = download((struct caldav *)endpoint, work, folder, uri, max, &request);

	talloc_steal(mem, fault);
	if (!fault) {
		*bytes_r = mem_bytes(mem, request.answer, request.answer_len);
		*len_r = request.answer_len;
	}
	talloc_free(work);
	return fault;
}

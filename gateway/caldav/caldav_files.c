/* caldav_files.c - managed attachments (RFC 8607): a file is POSTed to its item, on the item's
 * version, and is fetched by the URI of its ATTACH line. Removing one takes no request of its own:
 * an item that is PUT without the line has it no more.
 *
 * A URI that stands in an item was written by anybody, so only its path is used, and only where it
 * names this host: our login goes nowhere else. */
#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

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

		if (fault)
			return fault;
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
	const char *headers[] = { mem_printf(work, "If-Match: %s", attach->if_version),
				  mem_printf(work, "Content-Type: %s", attach->type),
				  disposition(work, attach->name), NULL };
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
		if (fault && verdict.outcome == CALDAV_OUTCOME_OTHER_WAY) /* no such file, or none */
			fault = fault_reaches(fault_new(mem, FAULT_REFUSED, "%s", fault->text),
					      FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
		if (fault && verdict.outcome == CALDAV_OUTCOME_UNANSWERED &&
		    caldav_answers(caldav, folder))
			fault->scope = FAULT_SCOPE_ITEM;
	}
	talloc_free(work);
	return fault;
}

/* Not worth another try. */
static struct fault *not_ours(TALLOC_CTX *mem, const char *uri, const char *why)
{
	return fault_reaches(fault_new(mem, FAULT_DATA, "%s: %s", uri, why), FAULT_SCOPE_ITEM,
			     FAULT_NEXT_HOLD);
}

/* The server seems not to answer, and has not said how long to wait. */
static bool is_of_server(const struct fault *fault)
{
	return fault && caldav_is_wide(fault) && !fault->retry_after_s &&
	       (fault->kind == FAULT_UNREACHABLE || fault->kind == FAULT_BUSY);
}

struct fault *caldav_files_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *uri, size_t max, char **bytes_r, size_t *len_r)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct http_url at;
	struct http_request request;
	struct fault *fault = NULL;

	if (!http_url_parse(work, uri, &at) || !caldav->at.host ||
	    strcmp(at.host, caldav->at.host) != 0)
		fault = not_ours(mem, uri, "it is not on this server");
	if (!fault) {
		request = caldav_request(work, "GET", at.path, NULL, NULL);
		request.body_max = max;
		request.deadline_ms = TRANSFER_DEADLINE_MS;
		caldav_run(caldav, work, &request, 1);
		fault = talloc_steal(mem, caldav_fault(work, &request));
		if (fault && fault->scope == FAULT_SCOPE_ITEM &&
		    (fault->kind == FAULT_GONE || fault->kind == FAULT_REFUSED ||
		     fault->kind == FAULT_PROTOCOL))
			fault = not_ours(mem, uri, fault->text);
		if (is_of_server(fault) && caldav_answers(caldav, folder))
			fault->scope = FAULT_SCOPE_ITEM; /* a file is no reason to leave it alone */
	}
	if (!fault) {
		*bytes_r = mem_bytes(mem, request.answer, request.answer_len);
		*len_r = request.answer_len;
	}
	talloc_free(work);
	return fault;
}

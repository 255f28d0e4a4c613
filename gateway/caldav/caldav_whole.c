#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/text.h"

/* A new folder with all its items by one PUT of the whole calendar: what takes one of the known
 * servers a time that grows with the square of the number of items otherwise.
 *
 * 1. Such a PUT replaces a calendar that stands there, with all that is in it. So it is sent only for
 * what was looked for and not found, and with If-None-Match: * besides, to a server that has been
 * seen to honour that for a whole calendar (CALDAV_TRAIT_WHOLE_PUT).
 * 2. The server takes the calendar apart by UID. Items with a time zone in them are not sent so: a
 * zone belongs to the calendar then, and whether each item gets its own is not known.
 * 3. Nothing of the answer is believed but that the calendar is there now. */

#define WHOLE_BYTES_MAX ((size_t)32 << 20) /* in memory, here and there */
#define BEGIN_ITEM "BEGIN:VTODO\r\n"
#define END_ITEM "\r\nEND:VTODO\r\n"
#define BEGIN_ZONE "\r\nBEGIN:VTIMEZONE"

static const char begin_whole[] = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//" PACKAGE_NAME
				  "//" PACKAGE_NAME " " PACKAGE_VERSION "//EN\r\n";
static const char end_whole[] = "END:VCALENDAR\r\n";

/* The one VTODO of TEXT. False: there is none, or not alone. */
static bool find_item(const char *text, const char **item_r, size_t *len_r)
{
	const char *begin = strstr(text, "\r\n" BEGIN_ITEM);
	const char *end = begin ? strstr(begin, END_ITEM) : NULL;

	if (!end || strstr(text, BEGIN_ZONE) || strstr(end, "\r\n" BEGIN_ITEM))
		return false;
	*item_r = begin + 2;
	*len_r = (size_t)(end - *item_r) + strlen(END_ITEM);
	return true;
}

/* Returns its end. */
static char *append(char *at, const char *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

/* All in one, of exactly the size that it takes: there may be many. False: these cannot be sent so. */
static bool whole_text(TALLOC_CTX *mem, const struct endpoint_put *puts, size_t count,
		       char **text_r, size_t *len_r)
{
	size_t size = strlen(begin_whole) + strlen(end_whole), len;
	const char *item;
	char *text, *at;

	for (size_t i = 0; i < count; i++) {
		if (!find_item(puts[i].text, &item, &len) || len > WHOLE_BYTES_MAX - size)
			return false;
		size += len;
	}
	at = text = MEM_ARRAY(mem, char, size + 1);
	at = append(at, begin_whole, strlen(begin_whole));
	for (size_t i = 0; i < count; i++)
		if (find_item(puts[i].text, &item, &len))
			at = append(at, item, len);
	memcpy(at, end_whole, strlen(end_whole) + 1);
	*text_r = text;
	*len_r = size;
	return true;
}

struct fault *caldav_whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
				const struct endpoint_folder *folder, char **address_r)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct fault *fault = NULL;
	char *address = NULL;

	*address_r = NULL;
	if (caldav_does(caldav, CALDAV_TRAIT_WHOLE_PUT))
		fault = caldav_folder_site(caldav, work, folder, &address);
	if (!fault && address)
		fault = caldav_folder_check(caldav, work, address);
	if (fault && fault->kind == FAULT_GONE) {
		*address_r = mem_strdup(mem, address);
		fault = NULL;
	}
	talloc_steal(mem, fault);
	talloc_free(work);
	return fault;
}

static struct fault *make(struct caldav *caldav, TALLOC_CTX *mem, const char *address,
			  const char *text, size_t len, bool *made_r)
{
	static const char *const headers[] = { "If-None-Match: *",
					       "Content-Type: text/calendar; charset=utf-8", NULL };
	struct http_request request = caldav_request(mem, "PUT", address, NULL, NULL);
	struct caldav_verdict verdict;

	request.headers = headers;
	request.body = text;
	request.body_len = len;
	request.writes = true;
	request.deadline_ms = HTTP_BATCH_DEADLINE_MS; /* it is a batch */
	caldav_run(caldav, mem, &request, 1);
	verdict = caldav_judge(mem, &request);
	if (!verdict.fault) {
		*made_r = true;
		return NULL;
	}
	if (request.fault || caldav_is_wide(verdict.fault))
		return caldav_widen(verdict.fault, FAULT_SCOPE_FOLDER);
	if (verdict.fault->kind != FAULT_CHANGED && verdict.fault->kind != FAULT_BUSY)
		caldav_found(caldav, CALDAV_TRAIT_WHOLE_PUT, false);
	*made_r = false;
	return NULL;
}

struct fault *caldav_whole_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				const struct endpoint_put *puts, size_t count, bool *made_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct caldav *caldav = (struct caldav *)endpoint;
	struct fault *fault = NULL;
	bool made = false;
	char *text;
	size_t len;

	if (caldav_does(caldav, CALDAV_TRAIT_WHOLE_PUT) && /* (1) */
	    whole_text(work, puts, count, &text, &len))
		fault = make(caldav, work, address, text, len, &made);
	talloc_steal(mem, fault);
	talloc_free(work);
	if (!fault)
		*made_r = made;
	return fault;
}

/* multistatus.h - reads a WebDAV multistatus (RFC 4918 section 13) as a stream, one response at a
 * time, while it arrives: memory is that of one response, whatever the length of the whole.
 *
 * Nothing in the text is trusted: a DOCTYPE is refused, depth, number and sizes are bounded,
 * unknown elements are passed over with all that is in them, and only properties that were given
 * with a 2xx status are believed.
 */
#ifndef TASKFERRY_MULTISTATUS_H
#define TASKFERRY_MULTISTATUS_H

#include <stddef.h>

#include "base/fault.h"

#define MULTISTATUS_DEPTH_MAX 64         /* elements; access control lists are some 12 deep */
#define MULTISTATUS_RESPONSES_MAX 500000 /* of one answer */
#define MULTISTATUS_HREFS_MAX 1000       /* of one response that has no properties */
#define MULTISTATUS_LIST_MAX 100 /* of one property; what is over is not kept */
#define MULTISTATUS_TEXT_MAX                                                                       \
	((size_t)8 << 10)                      /* bytes of an address, a name, a token, a version  \
						*/
#define MULTISTATUS_DATA_MAX ((size_t)1 << 20) /* bytes of one item (DESIGN section 11) */

/* Texts of a property that has several, as the server wrote them. */
struct multistatus_list {
	const char **items;
	size_t count;
};

/* One response. All strings live until the callback returns; NULL: not given. */
struct multistatus_response {
	const char *href;  /* as the server wrote it, without blanks around */
	int status;        /* of the response as a whole; 0: none, see the properties */
	int refused;       /* the first status of properties that is not 2xx; 0: none */
	const char *error; /* the name of the first precondition: "valid-sync-token" */

	const char *etag, *last_modified, *displayname, *ctag, *sync_token;
	const char *principal, *owner; /* the first address in current-user-principal, owner */
	struct multistatus_list homes,
		collections, /* principal-collection-set */
		addresses;   /* calendar-user-address-set, and email-address-set without "mailto:" */
	const char *data; /* calendar-data; line ends as XML leaves them */
	size_t data_len;
	bool data_over; /* longer than MULTISTATUS_DATA_MAX: `data` is not set */

	bool collection, calendar, addressbook; /* resourcetype */
	const char *max_size;                   /* max-resource-size */
	bool components, todo; /* supported-calendar-component-set was given; has VTODO in it */
	bool others;           /* ... and others */
	bool reports, reports_sync,
		reports_multiget; /* supported-report-set was given; has these in it */
	bool privileges,
		may_read; /* current-user-privilege-set was given; has DAV:read or DAV:all in it */
};

/* A fault ends the reading and becomes its result. */
typedef struct fault *multistatus_each(void *context, const struct multistatus_response *response);

/* A reading. Calls EACH (may be NULL) for every response in order, from within feed and end.
 *
 * multistatus_feed() takes the next bytes, cut anywhere. PROTOCOL fault, of folder scope: not
 * well-formed, not a multistatus, over a bound; EACH may have been called for a part by then. A
 * fault belongs to the reading, and every later call returns it again.
 * multistatus_end() says that there are no more, and that is when a whole one is known: *TOKEN_R
 * (may be NULL) becomes the multistatus's own sync-token, owned by MEM as the fault is, or NULL if
 * there is none. After it the reading can only be freed (talloc). */
struct multistatus;
struct multistatus *multistatus_new(TALLOC_CTX *mem, multistatus_each *each, void *context);
struct fault *multistatus_feed(struct multistatus *reading, const char *xml,
			       size_t len) ATTR_MUST_CHECK;
struct fault *multistatus_end(struct multistatus *reading, TALLOC_CTX *mem,
			      char **token_r) ATTR_MUST_CHECK;

/* All of that for a text that is there already. */
struct fault *multistatus_read(TALLOC_CTX *mem, const char *xml, size_t len, multistatus_each *each,
			       void *context, char **token_r) ATTR_MUST_CHECK;

/* The name of the first condition in a DAV:error document (RFC 4918 section 16), or NULL: for texts
 * and for telling one 403 from another. At most 64 bytes of [A-Za-z0-9-]. */
char *multistatus_error(TALLOC_CTX *mem, const char *xml, size_t len);

/* The address of the item that has the UID already, where a DAV:error document names it (RFC 4791
 * section 5.3.2.1, RFC 6638 section 3.2.4.1), as the server wrote it; else NULL. */
char *multistatus_conflict(TALLOC_CTX *mem, const char *xml, size_t len);

#endif

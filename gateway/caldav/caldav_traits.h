/* caldav_traits.h - what a server has been seen to do, as opposed to what it says (or its product is
 * known for).
 *
 * Found by caldav_probe (in a collection of its own) and by ordinary work; kept in the database as
 * text, with a date, one set per server. Pure.
 */
#ifndef TASKFERRY_CALDAV_TRAITS_H
#define TASKFERRY_CALDAV_TRAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum caldav_trait {
	CALDAV_TRAIT_CREATE_GUARD,  /* PUT honours If-None-Match: * */
	CALDAV_TRAIT_REPLACE_GUARD, /* PUT honours If-Match */
	CALDAV_TRAIT_REMOVE_GUARD,  /* DELETE honours If-Match */
	CALDAV_TRAIT_STRONG_ETAG, /* ETags are strong, and PUT answers with the one that GET gives */
	CALDAV_TRAIT_FINE_ETAG,   /* two writes within a second have different ETags */
	CALDAV_TRAIT_KEEPS_BYTES, /* GET returns what was PUT, byte for byte */
	CALDAV_TRAIT_SYNC,        /* sync-collection (RFC 6578) */
	CALDAV_TRAIT_SYNC_DATA,   /* ... with calendar-data in it */
	CALDAV_TRAIT_TOKEN_REFUSED, /* an unknown sync-token is refused (else: a silent full listing) */
	CALDAV_TRAIT_PAGES,         /* DAV:limit is honoured, the answer ends with 507 */
	CALDAV_TRAIT_CTAG,          /* getctag, and it moves with each write */
	CALDAV_TRAIT_MULTIGET,      /* calendar-multiget finds what is there */
	CALDAV_TRAIT_COMPONENTS,   /* supported-calendar-component-set is kept as asked for */
	CALDAV_TRAIT_ONE_UID,      /* a second item of the same UID in a collection is refused */
	CALDAV_TRAIT_ONE_UID_HOME, /* ... in any collection of the person */
	CALDAV_TRAIT_MOVE,         /* MOVE within a collection */
	CALDAV_TRAIT_MANAGED,      /* managed attachments (RFC 8607) */
	CALDAV_TRAIT_WHOLE_PUT, /* PUT of a VCALENDAR to a new collection's path makes it with its items,
				 * and with If-None-Match: * never replaces one */
	CALDAV_TRAIT_PRIVILEGES, /* current-user-privilege-set */
	CALDAV_TRAIT_KEEPS_OPEN, /* connections serve more than one request */
	CALDAV_TRAIT_TIMES, /* calendar-multiget tells when an item was changed (by the server's clock,
			     * not the DTSTAMP that its writer gave it) */
	CALDAV_TRAIT_KEEPS_LINES, /* GET returns the content lines that were PUT, in whatever order,
				   * folding and grouping of categories: nothing lost, nothing added */
	CALDAV_TRAITS
};

enum caldav_answer { CALDAV_UNKNOWN, CALDAV_NO, CALDAV_YES };

#define CALDAV_PRODUCT_MAX 63 /* bytes of what a server calls itself that are kept */

struct caldav_traits {
	unsigned char answer[CALDAV_TRAITS]; /* enum caldav_answer */
	int64_t item_max; /* bytes of one item that the server says to take; 0: it does not say */
	bool cut;         /* the last probe did not come to its end */
	char product[CALDAV_PRODUCT_MAX +
		     1]; /* the Server field of then, blanks as '_'; "": none */
};

/* "create-guard"; the names stand in the database, so none may change. */
const char *caldav_trait_name(enum caldav_trait trait);

/* "yes", "no", "unknown" */
const char *caldav_answer_name(enum caldav_answer answer);

/* Sets `product` from a Server field; NULL: none. */
void caldav_traits_name(struct caldav_traits *traits, const char *server);

/* "create-guard=yes sync=no item-max=1048576": what is known. */
char *caldav_traits_text(TALLOC_CTX *mem, const struct caldav_traits *traits);

/* What is not understood is passed over: it may be of another version. NULL: nothing is known. */
void caldav_traits_read(const char *text, struct caldav_traits *traits_r);

/* The same of what AFTER knows otherwise than BEFORE; "": nothing. */
char *caldav_traits_news(TALLOC_CTX *mem, const struct caldav_traits *before,
			 const struct caldav_traits *after);

/* What NEWS (a text) knows, in place of what TRAITS knew of it. */
void caldav_traits_take(struct caldav_traits *traits, const char *news);

/* ---- for people ---- */

/* What an answer means to them. */
struct caldav_trait_words {
	const char *label;              /* "creating on a condition" */
	const char *yes, *no, *unknown; /* what follows; one sentence each */
	bool lack;                      /* "no" is worth a warning: it touches what people wrote */
};
const struct caldav_trait_words *caldav_trait_words(enum caldav_trait trait);

/* "items by multiget: no (was yes); ..." for all that was known and is otherwise by now; NULL:
 * nothing. */
char *caldav_traits_difference(TALLOC_CTX *mem, const struct caldav_traits *before,
			       const struct caldav_traits *after);

#endif

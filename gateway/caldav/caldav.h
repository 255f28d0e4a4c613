/* caldav.h - the CalDAV endpoint (RFC 4791, 6578, 6764, 4918). */
#ifndef TASKFERRY_CALDAV_H
#define TASKFERRY_CALDAV_H

#include "gateway/endpoint.h"
#include "gateway/net/http.h"

#define CALDAV_MULTIGET_MAX 100 /* items per REPORT, as the careful clients do */
#define CALDAV_REDIRECTS_MAX                                                                       \
	5 /* DESIGN section 11; same scheme or better, same host for credentials */
#define CALDAV_ITEM_MAX ((size_t)1 << 20) /* bytes of one item */

#define CALDAV_HOMES_MAX 8 /* of one principal that are looked at */

struct resolve_dns;

struct caldav_account {
	/* of the server, or of a principal, or of a calendar home, or of a calendar; or in place of
	 * a URL a host name or an e-mail address, whose domain is looked up (RFC 6764) */
	const char *url;
	const char
		*home; /* the path of the calendar home, when it is not to be found out; or NULL */
	const char *person; /* the e-mail address whose principal is to be searched for, when it is
			       not the login's own; or NULL */
	const char *user;
	const struct secret *password; /* or token */
	enum http_auth auth;
	http_renew *renew; /* of struct http_site */
	void *renew_context;
	const char *tls_ca, *tls_cert, *tls_key, *tls_pin;
	int32_t deadline_ms; /* of one request; 0: HTTP_DEADLINE_MS */
	const struct endpoint_place *place; /* what an earlier endpoint has found, or NULL */
	const struct resolve_dns *dns;      /* for tests; NULL: the system's name servers */
	struct points *points;              /* of the probe; may be NULL */
};

/* Nothing is sent yet: discovery (current-user-principal, well-known, calendar-home-set) happens at
 * the first operation that needs it (probe, the making of a folder, a redirect) and is remembered
 * by the endpoint, and by who gives endpoint_place() to the next one. A name in place of a URL is
 * looked up by the first operation. A wrong URL is a CONFIG fault of the first operation. CLOCK, HTTP
 * and the password outlive the endpoint.
 *
 * Addresses are paths in one spelling (href.h), versions are ETags with their quotes, tokens
 * are a sync-token, a CTag, or both (caldav_token.h). Three of five servers
 * rewrite what they get and send a strong ETag all the same (RFC 4791 section 5.3.4 forbids it), so put
 * vouches for the version of a new item only while samples, read back, are to the byte what was sent
 * (caldav_vouch.c). Item text comes back with the CR LF that XML takes away. A display
 * name that the server refuses is left as it is, and not tried again by the same endpoint.
 *
 * What the server does is known by traits (caldav_traits.h): endpoint_know() and endpoint_learn().
 * What is not known is taken for the worse: an item is looked at before it is written. */
struct endpoint *caldav_new(TALLOC_CTX *mem, struct http *http, struct clock *clock,
			    const struct caldav_account *account);

#endif

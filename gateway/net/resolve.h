/* resolve.h - which hosts offer a service (RFC 2782, RFC 6763 section 6): SRV and TXT records.
 *
 * What DNS says is not authenticated: whether a host that it names may be trusted is the caller's
 * question (RFC 6764 section 8). Addresses of hosts are looked up by whoever connects.
 */
#ifndef TASKFERRY_RESOLVE_H
#define TASKFERRY_RESOLVE_H

#include <stddef.h>

#include "base/fault.h"

#define RESOLVE_DEADLINE_MS 10000 /* one look-up, absolute */
#define RESOLVE_TARGETS_MAX 16    /* records that are looked at; nobody has as many servers */
#define RESOLVE_HOST_MAX 253      /* bytes, RFC 1035 section 2.3.4 without the last dot */

/* Whom to ask; for tests. NULL: as /etc/resolv.conf says. */
struct resolve_dns {
	const char *servers; /* "127.0.0.1:5353", more behind commas */
	int32_t deadline_ms; /* 0: RESOLVE_DEADLINE_MS */
};

struct resolve_target {
	const char *host; /* in lower case, without a dot at its end */
	int port, priority, weight;
};

struct resolve_service {
	struct resolve_target *targets; /* in the order in which they are to be tried */
	size_t count;
	bool refused;     /* the one record says that the service is decidedly not there (".") */
	const char *path; /* of the TXT record's `path=`; NULL: none. As written */
};

/* The SRV records of NAME ("_caldavs._tcp.example.com") and, if there are any, its TXT record. No
 * such name or no such record: COUNT is 0, and no fault. UNREACHABLE fault of the server: the name
 * servers do not answer in time, or not with sense. A record that is no host and port is passed
 * over. Any thread; blocks for the deadline at most. */
struct fault *resolve_service(TALLOC_CTX *mem, const char *name, const struct resolve_dns *dns,
			      struct resolve_service *service_r) ATTR_MUST_CHECK;

/* Puts targets into the order of RFC 2782: the lowest priority first, among those of one priority
 * at random by their weights. RANDOM gives a number below BOUND. Pure but for that. */
void resolve_order(struct resolve_target *targets, size_t count,
		   uint64_t (*random)(void *context, uint64_t bound), void *context);

/* True when HOST is DOMAIN or stands below it; without regard to case or to a dot at the end. */
bool resolve_is_within(const char *host, const char *domain);

#endif

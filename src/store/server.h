/* server.h - what is kept of the servers themselves: what they have been seen to do. */
#ifndef TASKFERRY_STORE_SERVER_H
#define TASKFERRY_STORE_SERVER_H

#include "store/store.h"

struct server_traits {
	const char *server;  /* its name in the configuration */
	const char *traits;  /* a text of its kind of endpoint (endpoint_traits()) */
	const char *earlier; /* what stood there before it became otherwise; NULL: it never did */
	int64_t changed_us;  /* when that was */
	int64_t probed_us;   /* when all of it was tried last; 0: never */
	int64_t due_us;      /* when to try again */
};

/* NULL: nothing is kept of that server. */
struct fault *server_traits(struct store *store, TALLOC_CTX *mem, const char *server,
			    struct server_traits **traits_r) ATTR_MUST_CHECK;

struct fault *server_traits_put(struct store *store,
				const struct server_traits *traits) ATTR_MUST_CHECK;

#endif

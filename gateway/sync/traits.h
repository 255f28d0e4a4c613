/* traits.h - what servers have been seen to do: kept in the database, one row per server, and given to
 * every endpoint of that server.
 *
 * All of it is tried at first contact, and again when TRAITS_AGAIN_US are over, or when the server
 * calls itself otherwise (a new version); ordinary work corrects it at once. */
#ifndef TASKFERRY_TRAITS_H
#define TASKFERRY_TRAITS_H

#include "conf/conf.h"
#include "gateway/endpoint.h"
#include "store/project.h"
#include "store/server.h"

#define TRAITS_DAY_US (24 * 3600 * CLOCK_SECOND_US)
#define TRAITS_AGAIN_US (30 * TRAITS_DAY_US) /* servers are upgraded every few months */
#define TRAITS_SPREAD_US                                                                           \
	(3 * TRAITS_DAY_US) /* so that not all servers of a site are tried at once */
#define TRAITS_SOON_US                                                                             \
	TRAITS_DAY_US /* after a probe that was cut short; and no server is tried more often by    \
			 itself, whatever it calls itself */

/* By what name a server is kept that RESOURCE's account is on: the section's, and where the URL is made of
 * each person's address, so that the section is many servers, the domain besides. Pure. */
const char *traits_name(TALLOC_CTX *mem, const struct conf_server *server,
			const struct resource *resource);

/* Whether it is time to try SERVER (KEPT NULL: nothing is known). Pure. */
bool traits_are_due(const struct conf_server *server, const struct server_traits *kept,
		    int64_t now_us);

/* What becomes of KEPT (NULL: nothing) by NEWS of endpoint_traits(); NEWS may be NULL. PROBED: all was
 * tried just now. *WORDS_R: for people, what is otherwise than was known; NULL: nothing is. False: KEPT
 * stands as it is. Pure. */
bool traits_merge(TALLOC_CTX *mem, const char *server, const struct server_traits *kept,
		  const char *news, bool probed, int64_t now_us, struct server_traits *traits_r,
		  char **words_r);

/* What became otherwise when it did last; NULL: nothing ever. Pure. */
char *traits_last_change(TALLOC_CTX *mem, const struct server_traits *kept);

/* Merges and writes, in one transaction. TRY_LATER: the database is busy; the news are lost, and found
 * again some time. */
struct fault *traits_keep(struct store *store, TALLOC_CTX *mem, const char *server,
			  const char *news, bool probed, char **words_r) ATTR_MUST_CHECK;

#endif

/* caldav_private.h - what the files of the CalDAV endpoint share. */
#ifndef TASKFERRY_CALDAV_PRIVATE_H
#define TASKFERRY_CALDAV_PRIVATE_H

#include "base/clock.h"
#include "gateway/caldav/caldav.h"
#include "gateway/caldav/caldav_outcome.h"
#include "gateway/caldav/caldav_token.h"
#include "gateway/caldav/caldav_traits.h"
#include "gateway/caldav/href.h"
#include "gateway/caldav/multistatus.h"

#define CALDAV_XML "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
#define CALDAV_NS                                                                                  \
	"xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" "                              \
	"xmlns:S=\"http://calendarserver.org/ns/\""

/* What a sweep has told of a folder. */
struct caldav_kept {
	char *folder;
	struct caldav_mark mark;
};

struct caldav {
	struct endpoint endpoint; /* first */
	struct clock *clock;
	struct http *http;
	struct http_site site;
	struct http_stats stats;
	const char *url; /* as configured */
	int32_t deadline_ms;
	/* where: from the URL; a redirect to the same host may change it */
	struct http_url at;
	char *origin; /* "https://dav.example.com:443"; NULL: the URL is wrong */
	char *host;   /* "dav.example.com:443" */
	/* what discovery found */
	bool discovered;
	char *principal; /* NULL: none, the URL is the home itself */
	char *home;
	struct caldav_traits traits; /* what is known of this server */
	/* what answers have told */
	char *server, *dav; /* header fields, or NULL */
	bool careless;      /* see caldav_is_careless() */
	bool no_sync, no_multiget;
	bool no_times;      /* multiget does not tell when an item was changed */
	bool timeless;      /* nor does GET */
	struct caldav_kept *kept; /* caldav_sweep.c */
	size_t kept_count;
	bool no_sweep, no_ctag;
	int vain; /* sweeps that saved nothing, one after the other */
	const char **named; /* folders whose display name has been tried */
	size_t named_count;
};

/* ---- caldav.c: requests ---- */

/* A request with Depth (NULL: none) and an XML body (NULL: none). The path is an address. */
struct http_request caldav_request(TALLOC_CTX *mem, const char *method, const char *path,
				   const char *depth, const char *body);

/* Sends requests whose `url` is an address, exactly these. */
void caldav_send(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *requests,
		 size_t count);

/* The same; a redirect before discovery leads to discovery, and then to one more try of what was
 * redirected. */
void caldav_run(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *requests,
		size_t count);

/* A multistatus that is read while it arrives. */
struct caldav_reading {
	struct multistatus *multistatus;   /* the caller frees it */
	const struct http_request *answer; /* while EACH is called: its head is there */
	struct fault *fault;
};

/* Makes REQUEST one whose 207 is read so. READING stays where it is until its end. */
void caldav_read(struct caldav_reading *reading, TALLOC_CTX *mem, struct http_request *request,
		 multistatus_each *each, void *context);

/* After the request: its fault, or why the text could not be read to its end; in that case the
 * request counts as answered with 207. */
struct fault *caldav_read_end(struct caldav_reading *reading, TALLOC_CTX *mem,
			      struct http_request *request, char **token_r) ATTR_MUST_CHECK;

/* Runs one request and reads its multistatus while it arrives: EACH is called for a part of it even
 * where there is a fault in the end. A fault when there is none; caldav_judge() of the same request
 * tells more. */
struct fault *caldav_ask(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *request,
			 multistatus_each *each, void *context, char **token_r) ATTR_MUST_CHECK;

/* True for a server known to overwrite and delete whatever condition a request has: look first (N1,
 * N7). */
bool caldav_is_careless(const struct caldav *caldav, const char *path);

/* An ETag as it is compared, kept and sent: trimmed, quoted. NULL for NULL. */
char *caldav_version(TALLOC_CTX *mem, const char *etag);

/* Text for an XML body. */
char *caldav_xml(TALLOC_CTX *mem, const char *text);

/* ---- caldav_result.c: what an answer leads to ---- */

struct caldav_verdict {
	enum caldav_outcome outcome;
	struct fault *fault; /* shaped by the outcome; NULL: DONE or READ */
};

enum caldav_op caldav_op_of(const struct http_request *request);

/* What the table says of an answered or unanswered request, with the name of the violated condition
 * in the fault's text. The status inside of a 207 to a write counts, and becomes the request's. */
struct caldav_verdict caldav_judge(TALLOC_CTX *mem, struct http_request *request);

/* Its fault alone. */
struct fault *caldav_fault(TALLOC_CTX *mem, struct http_request *request);

/* The fault of a multistatus without what was asked for. */
struct fault *caldav_lacks(TALLOC_CTX *mem, const struct http_request *request);

/* UNANSWERED: true when the server answers a look at FOLDER. */
bool caldav_answers(struct caldav *caldav, const char *folder);

/* Widens an item's fault to the folder or account that it was asked for. */
struct fault *caldav_widen(struct fault *fault, enum fault_scope scope);

/* True for what all further requests of this account would meet as well. */
bool caldav_is_wide(const struct fault *fault);

/* ---- caldav_discover.c ---- */

/* Finds the home, once. */
struct fault *caldav_discover(struct caldav *caldav, TALLOC_CTX *mem) ATTR_MUST_CHECK;
struct fault *caldav_discover_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
				    struct endpoint_probe **probe_r);

/* ---- caldav_folder.c, caldav_notice.c, caldav_sweep.c, caldav_fetch.c, caldav_write.c: the operations of
 * endpoint.h ---- */

struct fault *caldav_folder_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				   const struct endpoint_folder *folder, const char *known,
				   char **address_r, bool *created_r);

/* GONE with folder scope if it is not there; NULL if it is. */
struct fault *caldav_folder_check(struct caldav *caldav, TALLOC_CTX *mem,
				  const char *folder) ATTR_MUST_CHECK;

struct fault *caldav_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
			   struct endpoint_sweep *folders, size_t count);
struct fault *caldav_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *text, char **token_r);

/* The mark of the last sweep, for the token of the first notice after it; of kind 0: none. EMPTY: that
 * told of no change. */
struct caldav_mark caldav_sweep_mark(struct caldav *caldav, TALLOC_CTX *mem, const char *folder,
				     bool empty);

struct fault *caldav_may_read(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder);
struct fault *caldav_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			    const char *token, struct endpoint_notice **notice_r);
struct fault *caldav_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   const char *const *addresses, size_t count,
			   struct endpoint_item **items_r);
struct fault *caldav_read_back(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       const char *const *addresses, size_t count,
			       struct endpoint_item **items_r);
struct fault *caldav_write_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       struct endpoint_put *puts, size_t count);
struct fault *caldav_write_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  struct endpoint_remove *removes, size_t count);

#endif

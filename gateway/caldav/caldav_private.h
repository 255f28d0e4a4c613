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
#include "gateway/net/resolve.h"

#define CALDAV_XML "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
#define CALDAV_NS                                                                                  \
	"xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" "                              \
	"xmlns:S=\"http://calendarserver.org/ns/\""

/* What a sweep has told of a folder. */
struct caldav_kept {
	char *folder;
	struct caldav_mark mark;
};

#define CALDAV_SHAPES_MAX 256 /* of lines of our own texts; what is beyond is read back */

struct caldav_shapes {
	uint64_t list[CALDAV_SHAPES_MAX];
	size_t count;
};

#define CALDAV_WRITTEN_MAX 16 /* writes that are remembered: a spot check, see caldav_evidence.c */

/* A write, to see what becomes of it. */
struct caldav_written {
	char *address, *version, *digest; /* all NULL: none */
};

struct caldav {
	struct endpoint endpoint; /* first */
	struct http *http;
	struct points *points;
	struct http_site site;
	struct http_stats stats;
	struct clock *clock;
	const char *url; /* as configured */
	char *asked;     /* endpoint_place.asked */
	int32_t deadline_ms;
	/* where: from the URL, or by name; a redirect to a host that is trusted may change it */
	char *domain; /* the name that stands in place of a URL; NULL: a URL */
	const struct resolve_dns *dns;
	struct resolve_target *targets; /* of the domain's records, the trusted ones */
	size_t target_count, target;
	char *context; /* the path that the records name, or NULL */
	char *plain;   /* a host that the records name without TLS; NULL: none */
	struct http_url at;
	char *origin; /* "https://dav.example.com:443"; NULL: not known yet, or the URL is wrong */
	char *host;   /* "dav.example.com:443" */
	char *last;   /* ORIGIN as it is remembered, for when names cannot be looked up */
	const char *located; /* how ORIGIN was found, for people */
	/* whose home it is, where it is not the login's own */
	const char *home_path; /* NULL: by its principal */
	const char *person;    /* whose principal to search for; NULL: the login's own */
	/* what discovery found, or an earlier endpoint */
	bool discovered, remembered;
	int64_t found_us;
	char *principal; /* NULL: none, the URL is the home itself */
	char *home;
	char *how;       /* for people */
	char *elsewhere; /* the origin that the server itself names for the home, when it is not this
			    host; NULL: none */
	char *owner;     /* of the home, once it was asked for; "": not told */
	struct caldav_traits traits; /* what is known of this server */
	struct caldav_shapes shapes; /* caldav_vouch.c: of lines that the server keeps */
	size_t sample;
	bool no_vouching; /* it keeps none */
	struct caldav_traits told;   /* what the endpoint's maker knows of it */
	/* what answers have told */
	char *server, *dav;       /* header fields, or NULL */
	bool timeless;            /* neither multiget nor GET tells when an item was changed */
	struct caldav_kept *kept; /* caldav_sweep.c */
	size_t kept_count;
	bool no_sweep, no_ctag;
	int vain;           /* sweeps that saved nothing, one after the other */
	const char **named; /* folders whose display name has been tried */
	size_t named_count;
	struct caldav_written written[CALDAV_WRITTEN_MAX];
	size_t written_next;
	char *left; /* a collection that a probe made and could not remove, or NULL */
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

/* caldav_run() in two halves: what is sent here goes behind what is asked meanwhile. REQUESTS get
 * their results in caldav_end(), which frees the sending; freeing it waits, too. */
struct caldav_sending;
struct caldav_sending *caldav_begin(struct caldav *caldav, TALLOC_CTX *mem,
				    struct http_request *requests, size_t count);
void caldav_end(struct caldav_sending *sending, TALLOC_CTX *mem);

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

/* What is known of the server: that it does, that it does not. Neither: unknown. */
bool caldav_does(const struct caldav *caldav, enum caldav_trait trait);
bool caldav_does_not(const struct caldav *caldav, enum caldav_trait trait);

/* An ETag as it is compared, kept and sent: trimmed, quoted. NULL for NULL. */
char *caldav_version(TALLOC_CTX *mem, const char *etag);

/* Text for an XML body. */
char *caldav_xml(TALLOC_CTX *mem, const char *text);

/* ---- caldav_where.c: which host ---- */

/* Sees to it that `origin` is set: a name in place of a URL is looked up now (RFC 6764). */
struct fault *caldav_where(struct caldav *caldav, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* The host does not answer: true when there is another one to try, which `origin` is then. */
bool caldav_where_next(struct caldav *caldav, TALLOC_CTX *mem);

/* Where a redirect leads, or a fault when we do not go there. */
struct fault *caldav_where_redirected(struct caldav *caldav, TALLOC_CTX *mem,
				      const struct http_request *request,
				      const char **path_r) ATTR_MUST_CHECK;

/* The configured URL or name, and what was remembered of it, become the endpoint's. */
void caldav_where_init(struct caldav *caldav, const struct caldav_account *account);

/* What was remembered is believed no more. */
void caldav_where_forget(struct caldav *caldav);

struct fault *caldav_place(struct endpoint *endpoint, TALLOC_CTX *mem, bool find,
			   struct endpoint_place **place_r);

/* ---- caldav_result.c: what an answer leads to ---- */

struct caldav_verdict {
	enum caldav_outcome outcome;
	struct fault *fault; /* shaped by the outcome; NULL: DONE or READ */
	const char *condition; /* that the answer says is violated; NULL: it names none */
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

/* ---- caldav_vouch.c: what need not be read back ---- */

/* Sets `version` of those PUTS, carried out and answered, of which it is certain enough that the server
 * keeps them as they were sent. */
void caldav_vouch(struct caldav *caldav, TALLOC_CTX *mem, const char *folder,
		  struct endpoint_put *puts, size_t count);

/* ---- caldav_evidence.c: what ordinary work shows of the server ---- */

/* It does, or it does not. */
void caldav_found(struct caldav *caldav, enum caldav_trait trait, bool does);

/* A PUT that was carried out, as its answer says (VERSION NULL: it does not say). */
void caldav_found_put(struct caldav *caldav, const struct http_request *request, bool created,
		      const char *version);

/* An item as it was read. */
void caldav_found_item(struct caldav *caldav, const char *address, const char *version,
		       const char *text, size_t len);

/* ---- caldav_content.c ---- */

/* Whether two texts have the same content lines, in whatever order, folding and grouping of
 * categories. */
bool caldav_same_content(const char *a, const char *b);

/* ---- caldav_sample.c ---- */

/* A VTODO with all that ours have, another one by UID and EDITION. */
char *caldav_sample_todo(TALLOC_CTX *mem, const char *uid, int edition);

/* A VCALENDAR with TODOS in it. */
char *caldav_sample_calendar(TALLOC_CTX *mem, const char *todos);

/* ---- caldav_probe.c ---- */

struct fault *caldav_probe_learn(struct endpoint *endpoint, TALLOC_CTX *mem);

/* ---- caldav_doctor.c ---- */

struct fault *caldav_doctor_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
				  struct endpoint_probe **probe_r);

/* ---- caldav_discover.c ---- */

/* One address, as the server describes it. All addresses are normalised, lists without doubles. */
struct caldav_found {
	const char *path; /* in the end, after redirects */
	char *principal, *owner;
	struct multistatus_list homes, collections;
	char *elsewhere; /* the origin that stands in the first home; NULL: none or this one */
	bool collection, calendar, any;
};

/* Looks at PATH, and where it redirects to. */
struct fault *caldav_look_at(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
			     struct caldav_found *found_r) ATTR_MUST_CHECK;

/* Of several homes the one that belongs to PRINCIPAL. HINT: an address; the home that it stands in
 * is the one that is meant. NULL: none is given. */
struct fault *caldav_choose_home(struct caldav *caldav, TALLOC_CTX *mem,
				 const struct multistatus_list *homes, const char *principal,
				 const char *hint, const char **home_r) ATTR_MUST_CHECK;

/* Finds the home, once. */
struct fault *caldav_discover(struct caldav *caldav, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* True when OWNER, as a server wrote it at PATH, is somebody else than the person whose home this
 * is. A server that tells no owner, or the same one for the home, is believed. */
struct fault *caldav_is_foreign(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
				const char *owner, bool *foreign_r) ATTR_MUST_CHECK;

/* ---- caldav_search.c ---- */

/* The one principal with the e-mail address PERSON, among those that stand in COLLECTIONS (RFC 3744
 * section 9.4), and its homes. REFUSED fault of the account, held: none, or several. */
struct fault *caldav_search(struct caldav *caldav, TALLOC_CTX *mem,
			    const struct multistatus_list *collections, const char *person,
			    struct caldav_found *found_r) ATTR_MUST_CHECK;

/* ---- caldav_folder.c, caldav_whole.c, caldav_notice.c, caldav_sweep.c, caldav_fetch.c, caldav_write.c: the operations of
 * endpoint.h ---- */

struct fault *caldav_folder_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				   const struct endpoint_folder *folder, const char *known,
				   char **address_r, bool *created_r);

/* GONE with folder scope if it is not there; NULL if it is. */
struct fault *caldav_folder_check(struct caldav *caldav, TALLOC_CTX *mem,
				  const char *folder) ATTR_MUST_CHECK;

/* Removes a folder with all that is in it, whatever has changed: for what nobody else writes to. Where
 * the server fails over that, the items go first: Cyrus 3.6 cannot remove a calendar in which an item
 * has a managed attachment. False: it may still be there. */
bool caldav_folder_remove(struct caldav *caldav, TALLOC_CTX *mem, const char *address);

/* Where the person's folder of that name stands, or would. */
struct fault *caldav_folder_site(struct caldav *caldav, TALLOC_CTX *mem,
				 const struct endpoint_folder *folder,
				 char **address_r) ATTR_MUST_CHECK;

struct fault *caldav_whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
				const struct endpoint_folder *folder, char **address_r);
struct fault *caldav_whole_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				const struct endpoint_put *puts, size_t count, bool *made_r);

struct fault *caldav_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
			   struct endpoint_sweep *folders, size_t count);
struct fault *caldav_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *text, char **token_r);
char *caldav_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *text);

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
struct fault *caldav_write_begin(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_put *puts, size_t count,
				 struct endpoint_putting **putting_r);
struct fault *caldav_write_end(struct endpoint_putting *putting, TALLOC_CTX *mem);
struct fault *caldav_write_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  struct endpoint_remove *removes, size_t count);

/* ---- caldav_files.c ---- */

struct fault *caldav_files_attaches(struct endpoint *endpoint, TALLOC_CTX *mem, bool *attaches_r);
struct fault *caldav_files_attach(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const struct endpoint_attach *attach);
struct fault *caldav_files_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *uri, size_t max, char **bytes_r, size_t *len_r);

#endif

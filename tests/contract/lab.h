/* lab.h - HTTP and a CalDAV account against a scripted server, with deadlines that a test can wait
 * for. */
#ifndef TASKFERRY_LAB_H
#define TASKFERRY_LAB_H

#include "gateway/caldav/caldav.h"
#include "scripted.h"

#define LAB_SHORT_MS 300  /* a request's deadline where it is the point */
#define LAB_LONG_MS 60000 /* and where it is not: nothing here comes near, on a busy machine too */
#define LAB_SOON_MS 30000 /* what does not wait for ever ends within */

struct lab {
	struct http *http;
	struct clock *clock;
	struct http_site site; /* ana, with a password that no text may show */
	struct scripted *server;
	int32_t deadline_ms; /* of accounts */
};

/* CONTEXT, and what the answers point to, may hang from the lab: its server ends first. */
struct lab *lab_new(scripted_reply *reply, void *context);

/* What is known of a server without surprises. */
#define LAB_TRAITS                                                                                 \
	"create-guard=yes replace-guard=yes remove-guard=yes strong-etag=yes fine-etag=yes "       \
	"ctag=yes"

/* An account on the scripted server, which is known to be LAB_TRAITS; with long deadlines. */
struct endpoint *lab_account(struct lab *lab, const char *path);

/* The deadline of requests from now on, of that account and of those made later. */
void lab_deadline(struct lab *lab, struct endpoint *account, int32_t ms);

/* A scripted_reply whose context is the one answer to everything. */
scripted_reply lab_always;

/* A server told by a table of requests: the first that fits is the answer, else 404. */
struct lab_exchange {
	const char *method, *path;
	const char *has;    /* in the request, or NULL */
	const char *status; /* "207 x", with more header lines if wanted */
	const char *body;
};

struct lab_plan {
	const struct lab_exchange *exchanges;
	size_t count;
};

/* A scripted_reply whose context is a struct lab_plan. */
scripted_reply lab_play;

/* A lab named LAB whose server answers so. */
#define LAB_PLAY(lab, ...)                                                                         \
	static const struct lab_exchange exchanges_[] = { __VA_ARGS__ };                           \
	static struct lab_plan play_ = { exchanges_, COUNT_OF(exchanges_) };                       \
	struct lab *lab = lab_new(lab_play, &play_)

/* Fails the test unless there is a fault of that kind, of one line and without the password. */
void lab_expect(const struct fault *fault, enum fault_kind kind, const char *what);

/* Puts an item whose text is "text" into /home/p/, on that condition; its result. */
struct endpoint_put lab_put(struct lab *lab, struct endpoint *endpoint, const char *address,
			    const char *if_version);

/* Monotonic. */
int64_t lab_now_ms(void);

#endif

#include "config.h"

#include "gateway/imap/imap_session_private.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* IDLE (RFC 2177).
 *
 *   awake --IDLE--> asked --`+`--> idle --DONE--> ending --answer--> awake
 *
 * A server may end it by itself: the answer comes, the session is awake, and says that it was
 * woken, so that somebody looks and asks again.
 */

#define IDLE_READS 64 /* of IMAP_IN_KEPT bytes at once: one server's flood is not all that we do */

enum idle_wait { WAIT_PLUS, WAIT_ANSWER };

/* One response while IDLE is under way; *PLUS_R, *ANSWERED_R: it was that. */
static struct fault *idle_take(struct imap_session *session, const struct imap_response *response,
			       bool *plus_r, bool *answered_r, struct imap_answer *answer_r)
{
	char tag[16];

	if (response->kind == IMAP_UNTAGGED)
		return imap_session_note(session, response, false);
	if (response->kind == IMAP_CONTINUE) {
		if (session->idle)
			return imap_session_out_of_step(session, "a \"+\" that nobody waits for");
		*plus_r = true;
		return NULL;
	}
	(void)snprintf(tag, sizeof tag, "T%u", session->idle_tag);
	if (strcmp(response->tag, tag) || !imap_session_answer(session, response, answer_r))
		return imap_session_out_of_step(session,
						"an answer to something that was not asked");
	*answered_r = true;
	return NULL;
}

/* Waits for the `+` of IDLE, or for the answer. The answer belongs to *RESPONSE_R. */
static struct fault *idle_wait(struct imap_session *session, enum idle_wait what, bool *answered_r,
			       struct imap_answer *answer_r, struct imap_response **response_r)
{
	bool plus = false, answered = false;

	while (!answered && !(plus && what == WAIT_PLUS)) {
		talloc_free(*response_r);
		*response_r = NULL;
		FAULT_TRY(imap_session_next(session, session, false, response_r));
		FAULT_TRY(idle_take(session, *response_r, &plus, &answered, answer_r));
	}
	*answered_r = answered;
	return NULL;
}

static struct fault *send_now(struct imap_session *session, const char *text)
{
	imap_session_arm(session);
	FAULT_TRY(imap_session_put(session, text, strlen(text)));
	return imap_session_flush(session);
}

static struct fault *idle_begin(struct imap_session *session, bool *answered_r,
				struct imap_answer *answer_r, struct imap_response **response_r)
{
	char line[32];

	session->idle_tag = ++session->last_tag;
	session->idle_left = false;
	session->commands++;
	(void)snprintf(line, sizeof line, "T%u IDLE\r\n", session->idle_tag);
	FAULT_TRY(send_now(session, line));
	return idle_wait(session, WAIT_PLUS, answered_r, answer_r, response_r);
}

struct fault *imap_session_idle(struct imap_session *session, bool *woken_r)
{
	uint64_t before = session->selected.changes;
	struct imap_response *response = NULL;
	struct imap_answer answer;
	struct fault *fault;
	bool answered = false, woken = false;

	FAULT_TRY(imap_session_sound(session, session));
	assert(!session->idle);
	fault = idle_begin(session, &answered, &answer, &response);
	if (fault) {
		talloc_free(response);
		return imap_session_break(session, session, fault);
	}
	if (answered && answer.status != IMAP_OK)
		fault = imap_answer_fault(session, &answer, FAULT_SCOPE_ACCOUNT, "IDLE");
	talloc_free(response);
	if (fault)
		return fault;
	session->idle = !answered;
	imap_session_shrink(session, IMAP_IN_KEPT);
	if (session->idle)
		FAULT_TRY(imap_session_idle_ready(session, &woken));
	*woken_r = woken || answered || session->selected.changes != before;
	return NULL;
}

struct listener {
	imap_each *each; /* NULL: it idles, or did a moment ago */
	void *context;
};

/* What comes while no command is under way is untagged. */
static struct fault *take_told(struct imap_session *session, const struct listener *listener,
			       const struct imap_response *response)
{
	if (response->kind != IMAP_UNTAGGED)
		return imap_session_out_of_step(session,
						"an answer to something that was not asked");
	FAULT_TRY(imap_session_note(session, response, false));
	return listener->each ? listener->each(listener->context, response) : NULL;
}

/* All whole responses that have been read. */
static struct fault *take_all(struct imap_session *session, const struct listener *listener)
{
	struct imap_response *response;
	struct imap_answer answer;
	struct fault *fault = NULL;
	bool plus = false, answered = false;

	while (!fault) {
		FAULT_TRY(imap_session_next(session, session, true, &response));
		if (!response)
			break;
		if (!session->idle)
			fault = take_told(session, listener, response);
		else
			fault = idle_take(session, response, &plus, &answered, &answer);
		session->idle = session->idle && !answered;
		talloc_free(response);
	}
	return fault;
}

static struct fault *read_all(struct imap_session *session, const struct listener *listener)
{
	char bytes[IMAP_IN_KEPT];
	size_t n = 1;

	FAULT_TRY(take_all(session, listener));
	for (int i = 0; i < IDLE_READS && n; i++) {
		FAULT_TRY(stream_read_ready(session->stream, bytes, sizeof bytes, &n));
		buf_add(session->in, bytes, n);
		FAULT_TRY(take_all(session, listener));
	}
	return NULL;
}

struct fault *imap_session_idle_ready(struct imap_session *session, bool *woken_r)
{
	const struct listener idler = { .each = NULL };
	uint64_t before = session->selected.changes;
	struct fault *fault;

	FAULT_TRY(imap_session_sound(session, session));
	assert(session->idle);
	fault = read_all(session, &idler);
	if (fault)
		return imap_session_break(session, session, fault);
	imap_session_shrink(session, IMAP_IN_KEPT);
	*woken_r = session->selected.changes != before || !session->idle;
	return NULL;
}

struct fault *imap_session_ready(struct imap_session *session, imap_each *each, void *context)
{
	const struct listener listener = { each, context };
	struct fault *fault;

	FAULT_TRY(imap_session_sound(session, session));
	assert(!session->idle);
	fault = read_all(session, &listener);
	if (fault)
		return imap_session_break(session, session, fault);
	imap_session_shrink(session, IMAP_IN_KEPT);
	return NULL;
}

struct fault *imap_session_idle_put_done(struct imap_session *session)
{
	static const char done[] = "DONE\r\n";

	if (!session->idle || session->idle_left)
		return NULL;
	session->idle_left = true;
	return imap_session_put(session, done, strlen(done));
}

/* The answer is for imap_session_idle_end(), or whoever reads before it. */
struct fault *imap_session_idle_leave(struct imap_session *session)
{
	struct fault *fault;

	FAULT_TRY(imap_session_sound(session, session));
	imap_session_arm(session);
	fault = imap_session_idle_put_done(session);
	if (!fault)
		fault = imap_session_flush(session);
	return fault ? imap_session_break(session, session, fault) : NULL;
}

struct fault *imap_session_idle_end(struct imap_session *session)
{
	struct imap_response *response = NULL;
	struct imap_answer answer;
	struct fault *fault;
	bool answered = false;

	FAULT_TRY(imap_session_sound(session, session));
	if (!session->idle)
		return NULL;
	FAULT_TRY(imap_session_idle_leave(session));
	imap_session_arm(session);
	fault = idle_wait(session, WAIT_ANSWER, &answered, &answer, &response);
	talloc_free(response);
	if (fault)
		return imap_session_break(session, session, fault);
	session->idle = false;
	return NULL;
}

bool imap_session_is_idle(const struct imap_session *session)
{
	return session->idle;
}

bool imap_session_is_drained(struct imap_session *session)
{
	struct imap_frame frame = session->frame;
	struct fault *fault;
	size_t len = 0;

	if (stream_has_input(session->stream))
		return false;
	fault = imap_response_frame_on(session, &frame, session->in->data + session->used,
				       session->in->len - session->used, &len);
	if (fault) {
		talloc_free(fault);
		return false; /* whoever takes it will be told */
	}
	session->frame = frame;
	return len == 0;
}

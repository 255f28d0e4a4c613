#include "config.h"

#include "gateway/imap/imap_session_private.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Commands under way.
 *
 *   fill    lines go out until the window is full; one with a literal that the server must be asked
 *           for goes alone
 *   take    one response: untagged ones to the session and to the caller, an answer to its line
 *
 * The window is refilled when half of it has been answered, so that commands and acknowledgements
 * travel in large pieces. Answers may come in any order. Deadlines: each answer gives the next one
 * `command_ms`, all together IMAP_BATCH_MS; untagged responses, however many, give no time.
 */

struct run {
	struct imap_session *session;
	TALLOC_CTX *mem;
	struct imap_line *const *lines;
	size_t count;
	imap_each *each;
	void *context;
	struct fault *stopped; /* EACH has had enough */
	struct imap_answer *answers;
	bool *answered;
	unsigned base;    /* tag of the first */
	size_t sent;      /* lines put out, the last one perhaps in part */
	size_t gone;      /* of them, those that may have reached the server whole */
	size_t done;      /* answers */
	size_t bytes;     /* of lines under way */
	size_t fetching;  /* lines under way that make FETCH responses */
	bool waits, told; /* for a `+`; it came */
};

struct imap_sent {
	struct run run;
	struct imap_sent *next;
	struct fault *fault; /* it could not be sent, or not all of it */
};

/* Goes with its session, and tells those that outlive it. */
struct imap_waiting {
	struct imap_sent *first; /* the oldest */
};

static struct imap_sent *first_sent(const struct imap_session *session)
{
	return session->waiting ? session->waiting->first : NULL;
}

static struct fault *flush(struct run *run)
{
	return imap_session_flush(run->session);
}

static bool is_under_way(const struct run *run, size_t i)
{
	return i < run->sent && !run->answered[i];
}

/* "T12" to its line; false: it is nobody's. */
static bool find_tag(const struct run *run, const char *tag, size_t *i_r)
{
	char *end;
	unsigned long number;

	if (*tag != 'T' || tag[1] < '1' || tag[1] > '9' || strlen(tag) > 11)
		return false;
	number = strtoul(tag + 1, &end, 10);
	if (*end || number < run->base || !is_under_way(run, number - run->base))
		return false;
	*i_r = number - run->base;
	return true;
}

/* Whose tag it is: RUN's, or of what was sent before; NULL: nobody's. */
static struct run *find_run(struct run *run, const char *tag, size_t *i_r)
{
	struct imap_sent *sent = first_sent(run->session);

	if (find_tag(run, tag, i_r))
		return run;
	while (sent && !find_tag(&sent->run, tag, i_r))
		sent = sent->next;
	return sent ? &sent->run : NULL;
}

static struct fault *take_answer(struct run *run, struct imap_response *response)
{
	struct imap_session *session = run->session;
	const struct imap_line *line;
	size_t i;

	run = find_run(run, response->tag, &i);
	if (!run)
		return imap_session_out_of_step(session,
						"an answer to something that was not asked");
	if (!imap_session_answer(session, response, &run->answers[i]))
		return imap_session_out_of_step(session, "an answer that is none");
	talloc_steal(run->mem, response);
	line = run->lines[i];
	run->answered[i] = true;
	run->done++;
	run->bytes -= line->size;
	run->fetching -= line->fetches;
	if (run->answers[i].status == IMAP_OK)
		imap_session_note_code(session, response->code, response->code_args);
	if (line->writes)
		point_reach(session->points, POINT_IMAP_ANSWERED);
	imap_session_arm(session);
	return NULL;
}

static struct fault *take_untagged(struct run *run, const struct imap_response *response)
{
	FAULT_TRY(imap_session_note(run->session, response, run->fetching > 0));
	if (run->each && !run->stopped)
		run->stopped = run->each(run->context, response);
	return NULL;
}

static struct fault *take_one(struct run *run)
{
	struct imap_response *response;
	struct fault *fault = imap_session_next(run->session, run->session, false, &response);

	if (fault)
		return fault;
	switch (response->kind) {
	case IMAP_TAGGED:
		fault = take_answer(run, response);
		break;
	case IMAP_UNTAGGED:
		fault = take_untagged(run, response);
		break;
	case IMAP_CONTINUE:
		if (!run->waits || run->told)
			fault = imap_session_out_of_step(run->session,
							 "a \"+\" that nobody waits for");
		run->told = true;
		break;
	}
	if (response->kind != IMAP_TAGGED || fault)
		talloc_free(response);
	return fault;
}

/* Waits for the server's `+`; an answer may come in its place. */
static struct fault *wait_for_go(struct run *run)
{
	size_t i = run->sent - 1;

	FAULT_TRY(flush(run));
	run->waits = true;
	run->told = false;
	while (!run->told && !run->answered[i])
		FAULT_TRY(take_one(run));
	run->waits = false;
	return NULL;
}

/* ---- sending ---- */

static bool needs_go(const struct imap_session *session, const struct imap_piece *piece)
{
	if (piece->kind != IMAP_PIECE_LITERAL)
		return piece->kind == IMAP_PIECE_REPLY;
	if (imap_session_can(session, IMAP_CAP_LITERAL_PLUS))
		return false;
	return !imap_session_can(session, IMAP_CAP_LITERAL_MINUS) ||
	       piece->bytes.len > IMAP_LITERAL_MINUS_MAX;
}

static bool line_needs_go(const struct imap_session *session, const struct imap_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		if (needs_go(session, &line->pieces[i]))
			return true;
	return false;
}

/* What stands before the bytes of a piece. */
static struct fault *put_announcement(struct run *run, const struct imap_piece *piece, bool go)
{
	char text[32] = "\r\n";

	if (piece->kind == IMAP_PIECE_LITERAL)
		(void)snprintf(text, sizeof text, "{%zu%s}\r\n", piece->bytes.len, go ? "" : "+");
	return imap_session_put(run->session, text, strlen(text));
}

static struct fault *put_piece(struct run *run, const struct imap_piece *piece)
{
	bool go = needs_go(run->session, piece);

	if (piece->kind != IMAP_PIECE_TEXT)
		FAULT_TRY(put_announcement(run, piece, go));
	if (go)
		FAULT_TRY(wait_for_go(run));
	if (run->answered[run->sent - 1])
		return NULL;
	return imap_session_put(run->session, piece->bytes.data, piece->bytes.len);
}

static struct fault *put_line(struct run *run)
{
	struct imap_session *session = run->session;
	const struct imap_line *line = run->lines[run->sent];
	char tag[16];

	if (line->writes)
		point_reach(session->points, POINT_IMAP_SENDING);
	session->commands++;
	session->writes += line->writes;
	(void)snprintf(tag, sizeof tag, "T%u ", run->base + (unsigned)run->sent);
	run->sent++;
	run->bytes += line->size;
	run->fetching += line->fetches;
	FAULT_TRY(imap_session_put(session, tag, strlen(tag)));
	for (size_t i = 0; i < line->count && !run->answered[run->sent - 1]; i++)
		FAULT_TRY(put_piece(run, &line->pieces[i]));
	if (run->answered[run->sent - 1])
		return NULL;
	run->gone = run->sent; /* in the worst case it is flushed by the next */
	return imap_session_put(session, "\r\n", 2);
}

static size_t under_way(const struct run *run)
{
	return run->sent - run->done;
}

static struct fault *fill(struct run *run)
{
	if (run->stopped || under_way(run) > IMAP_WINDOW / 2)
		return NULL;
	while (run->sent < run->count && under_way(run) < IMAP_WINDOW) {
		const struct imap_line *line = run->lines[run->sent];
		bool alone = line_needs_go(run->session, line);

		if (under_way(run) && (alone || run->bytes + line->size > IMAP_WINDOW_BYTES))
			break;
		FAULT_TRY(put_line(run));
		if (alone)
			break;
	}
	return flush(run);
}

static struct fault *go_through(struct run *run)
{
	imap_session_arm(run->session);
	while (run->done < run->sent || (run->sent < run->count && !run->stopped)) {
		FAULT_TRY(fill(run));
		if (run->done < run->sent)
			FAULT_TRY(take_one(run));
	}
	return NULL;
}

/* ---- the contract ---- */

static struct fault *refused(TALLOC_CTX *mem, struct imap_line *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (lines[i]->refused)
			return fault_reaches(
				fault_new(mem, FAULT_DATA, "IMAP: %s", lines[i]->refused),
				FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
	return NULL;
}

static size_t size_of(struct imap_line *const *lines, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += lines[i]->size;
	return size;
}

/* A write without an answer, all of which may have reached the server. */
static bool maybe_done(const struct run *run)
{
	for (size_t i = 0; i < run->gone; i++)
		if (run->lines[i]->writes && !run->answered[i])
			return true;
	return false;
}

static size_t answered_first(const struct run *run)
{
	size_t n = 0;

	while (n < run->count && run->answered[n])
		n++;
	return n;
}

static struct fault *wait_for_sent(struct imap_session *session, TALLOC_CTX *mem)
{
	imap_session_arm(session); /* the sender may have done something else for long */
	for (struct imap_sent *sent = first_sent(session); sent; sent = sent->next)
		while (sent->run.done < sent->run.sent) {
			struct fault *fault = take_one(&sent->run);

			if (fault)
				return imap_session_break(session, mem, fault);
		}
	return NULL;
}

struct fault *imap_session_run_all(struct imap_session *session, TALLOC_CTX *mem,
				   struct imap_line *const *lines, size_t count, imap_each *each,
				   void *context, struct imap_answer *answers, size_t *answered_r)
{
	struct run run = { .session = session,
			   .mem = mem,
			   .lines = lines,
			   .count = count,
			   .each = each,
			   .context = context,
			   .answers = answers };
	int64_t until = session->until_ms;
	struct fault *fault;

	*answered_r = 0;
	FAULT_TRY(imap_session_sound(session, mem));
	FAULT_TRY(refused(mem, lines, count));
	assert(!session->idle && count < UINT_MAX / 2);
	FAULT_TRY(imap_compress_if_it_pays(session, mem, size_of(lines, count)));
	run.base = session->last_tag + 1;
	if (!until)
		session->until_ms = imap_session_now_ms() + IMAP_BATCH_MS;
	FAULT_TRY(wait_for_sent(session, mem));
	run.base = session->last_tag + 1;
	run.answered = MEM_ARRAY(session, bool, count);
	session->last_tag += (unsigned)count;
	fault = go_through(&run);
	session->until_ms = until;
	*answered_r = answered_first(&run);
	if (fault) {
		fault->maybe_done = maybe_done(&run);
		fault = imap_session_break(session, mem, fault);
	}
	talloc_free(run.answered);
	imap_session_shrink(session, IMAP_IN_BUSY);
	if (!run.stopped)
		return fault;
	run.stopped->maybe_done = fault && fault->maybe_done;
	return run.stopped;
}

struct fault *imap_session_run(struct imap_session *session, TALLOC_CTX *mem,
			       const struct imap_line *line, imap_each *each, void *context,
			       struct imap_answer *answer_r)
{
	struct imap_line *lines[1] = { (struct imap_line *)(uintptr_t)line };
	struct imap_answer answer;
	size_t answered;

	FAULT_TRY(imap_session_run_all(session, mem, lines, 1, each, context, &answer, &answered));
	*answer_r = answer;
	return NULL;
}

/* ---- sent now, answered later ---- */

bool imap_session_sends(const struct imap_session *session, struct imap_line *const *lines,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (line_needs_go(session, lines[i]))
			return false;
	return true;
}

bool imap_session_awaits(const struct imap_session *session)
{
	for (const struct imap_sent *sent = first_sent(session); sent; sent = sent->next)
		if (sent->run.done < sent->run.sent && !session->broken)
			return true;
	return false;
}

static int waiting_end(struct imap_waiting *waiting)
{
	for (struct imap_sent *sent = waiting->first; sent; sent = sent->next)
		sent->run.session = NULL;
	return 0;
}

static void sent_add(struct imap_session *session, struct imap_sent *sent)
{
	struct imap_sent **last;

	if (!session->waiting) {
		session->waiting = MEM_NEW(session, struct imap_waiting);
		talloc_set_destructor(session->waiting, waiting_end);
	}
	for (last = &session->waiting->first; *last; last = &(*last)->next)
		;
	*last = sent;
}

static void sent_remove(struct imap_session *session, const struct imap_sent *sent)
{
	struct imap_sent **at = &session->waiting->first;

	while (*at != sent)
		at = &(*at)->next;
	*at = sent->next;
}

static struct fault *wait_for_all(struct imap_sent *sent)
{
	struct imap_session *session = sent->run.session;
	int64_t until = session->until_ms;
	struct fault *fault = NULL;

	FAULT_TRY(imap_session_sound(session, sent));
	FAULT_TRY(imap_session_idle_end(session));
	if (!until)
		session->until_ms = imap_session_now_ms() + IMAP_BATCH_MS;
	imap_session_arm(session);
	while (sent->run.done < sent->run.sent && !fault)
		fault = take_one(&sent->run);
	session->until_ms = until;
	if (fault)
		return imap_session_break(session, sent, fault);
	if (!session->idle && !imap_session_awaits(session))
		imap_session_shrink(session, IMAP_IN_BUSY);
	return NULL;
}

static int sent_end(struct imap_sent *sent)
{
	struct imap_session *session = sent->run.session;

	if (session) {
		talloc_free(wait_for_all(sent));
		sent_remove(session, sent);
	}
	return 0;
}

static struct fault *put_lines(struct run *run)
{
	while (run->sent < run->count)
		FAULT_TRY(put_line(run));
	return flush(run);
}

struct fault *imap_session_send(struct imap_session *session, TALLOC_CTX *mem,
				struct imap_line *const *lines, size_t count, imap_each *each,
				void *context, struct imap_sent **sent_r)
{
	struct imap_sent *sent;
	struct fault *fault;

	FAULT_TRY(imap_session_sound(session, mem));
	FAULT_TRY(refused(mem, lines, count));
	assert(count < UINT_MAX / 2);
	sent = MEM_NEW(mem, struct imap_sent);
	sent->run = (struct run){ .session = session,
				  .mem = sent,
				  .lines = lines,
				  .count = count,
				  .each = each,
				  .context = context,
				  .answers = MEM_ARRAY(sent, struct imap_answer, count),
				  .answered = MEM_ARRAY(sent, bool, count),
				  .base = session->last_tag + 1 };
	session->last_tag += (unsigned)count;
	imap_session_arm(session);
	fault = imap_session_idle_put_done(session);
	if (!fault)
		fault = put_lines(&sent->run);
	if (fault)
		sent->fault = imap_session_break(session, sent, fault);
	sent_add(session, sent);
	talloc_set_destructor(sent, sent_end);
	*sent_r = sent;
	return NULL;
}

struct fault *imap_session_receive(struct imap_sent *sent, TALLOC_CTX *mem,
				   struct imap_answer *answers, size_t *answered_r, size_t *gone_r)
{
	struct run *run = &sent->run;
	struct fault *fault = sent->fault;

	if (!fault && run->done < run->count)
		fault = run->session ? wait_for_all(sent)
				     : fault_new(sent, FAULT_UNREACHABLE,
						 "the connection ended before the answer");
	*answered_r = answered_first(run);
	*gone_r = run->gone;
	for (size_t i = 0; i < *answered_r; i++)
		answers[i] = run->answers[i];
	if (!fault)
		return NULL;
	fault->maybe_done = maybe_done(run);
	return talloc_steal(mem, fault);
}

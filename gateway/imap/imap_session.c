#include "config.h"

#include "gateway/imap/imap_session.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "gateway/imap/imap_outcome.h"
#include "gateway/imap/imap_session_private.h"

/* The design.
 *
 *   imap_session_open.c   greeting, TLS, capabilities, namespace
 *   imap_auth.c           the login
 *   imap_compress.c       DEFLATE, where it pays
 *   imap_session.c        bytes in and out, what any response tells, how a session ends
 *   imap_session_run.c    commands: windows, literals, answers
 *   imap_session_select.c the selected mailbox
 *   imap_idle.c           IDLE and DONE
 *   imap_line.c           commands as lists of pieces
 *
 * 1. A session is sound or broken; the fault that broke it is the answer to everything after.
 * 2. A response is taken whole or not at all, and looked at in the order in which it came.
 * 3. A `+` that nobody waits for, or a tag that is nobody's, breaks the session: whatever would
 *    come next could be taken for something else.
 * 4. Every text of the server goes through imap_session_hide() before anybody else has it (N8).
 */

#define CHUNK 16384    /* bytes read at once: a TLS record */
#define LAST_READS 4   /* chunks looked through for a BYE when a write failed */
#define LOGOUT_MS 1000 /* imap_session_close(): contract */
#define BLOB_SHOWN 8   /* characters of base64 by which what was sent is known again */

int64_t imap_session_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void imap_session_arm(struct imap_session *session)
{
	int64_t ms = session->command_ms;

	if (session->until_ms) {
		int64_t left = session->until_ms - imap_session_now_ms();

		ms = left < ms ? left : ms;
	}
	stream_deadline(session->stream, ms);
}

/* ---- faults ---- */

static struct fault *fault_copy(TALLOC_CTX *mem, const struct fault *fault)
{
	return fault_reaches(fault_new(mem, fault->kind, "%s", fault->text), fault->scope,
			     fault->next);
}

struct fault *imap_session_break(struct imap_session *session, TALLOC_CTX *mem, struct fault *fault)
{
	if (!session->broken)
		session->broken = fault_copy(session, fault);
	session->idle = false;
	return talloc_steal(mem, fault);
}

struct fault *imap_session_sound(struct imap_session *session, TALLOC_CTX *mem)
{
	return session->broken ? fault_copy(mem, session->broken) : NULL;
}

struct fault *imap_session_out_of_step(struct imap_session *session, const char *words)
{
	return fault_reaches(fault_new(session, FAULT_PROTOCOL, "IMAP: out of step: %s", words),
			     FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY);
}

char *imap_session_hide(const struct imap_session *session, TALLOC_CTX *mem, const char *text)
{
	const char *password = secret_reveal(session->password), *at;
	char begin[BLOB_SHOWN + 1] = "";

	/* a server that quotes our line may cut it: the first characters are enough to know it */
	strncpy(begin, secret_reveal(session->blob), BLOB_SHOWN);
	at = strlen(begin) == BLOB_SHOWN ? strstr(text, begin) : NULL;
	if (at)
		text = mem_printf(mem, "%.*s***", (int)(at - text), text);
	return *password && strstr(text, password) ? secret_mask(mem, session->password, text)
						   : mem_strdup(mem, text);
}

static const struct {
	const char *code;
	enum fault_kind kind;
} bye_codes[] = {
	{ "UNAVAILABLE", FAULT_BUSY },
	{ "INUSE", FAULT_BUSY },
	{ "LIMIT", FAULT_CROWDED },
	{ "AUTHENTICATIONFAILED", FAULT_LOGIN },
	{ "AUTHORIZATIONFAILED", FAULT_LOGIN },
	{ "EXPIRED", FAULT_LOGIN },
};

struct fault *imap_session_bye(struct imap_session *session, const struct imap_response *response)
{
	enum fault_kind kind = FAULT_UNREACHABLE;
	const char *text = imap_session_hide(session, session, response->text);

	for (size_t i = 0; i < COUNT_OF(bye_codes); i++)
		if (session->logging_in && response->code &&
		    !strcmp(response->code, bye_codes[i].code))
			kind = bye_codes[i].kind;
	return fault_new(session, kind, "the server ended the session: %s",
			 *text ? text : "BYE, without a reason");
}

/* ---- bytes ---- */

/* Drops what has been taken. */
static void compact(struct imap_session *session)
{
	struct buf *in = session->in;

	if (!session->used)
		return;
	memmove(in->data, in->data + session->used, in->len - session->used + 1);
	in->len -= session->used;
	session->used = 0;
}

static struct fault *read_more(struct imap_session *session)
{
	char bytes[CHUNK];
	size_t n;

	compact(session);
	FAULT_TRY(stream_read(session->stream, bytes, sizeof bytes, &n));
	buf_add(session->in, bytes, n);
	return NULL;
}

struct fault *imap_session_next(struct imap_session *session, TALLOC_CTX *mem, bool take_only,
				struct imap_response **response_r)
{
	size_t len;

	for (;;) {
		const char *p = session->in->data + session->used;

		FAULT_TRY(imap_response_frame_on(mem, &session->frame, p,
						 session->in->len - session->used, &len));
		if (len)
			break;
		if (take_only) {
			*response_r = NULL;
			return NULL;
		}
		FAULT_TRY(read_more(session));
	}
	FAULT_TRY(imap_response_parse(mem, session->in->data + session->used, len, response_r));
	session->used += len;
	session->frame = (struct imap_frame){ 0 };
	if (session->used == session->in->len) {
		buf_clear(session->in);
		session->used = 0;
	}
	return NULL;
}

/* A write failed: perhaps the server had said why. */
static struct fault *last_words(struct imap_session *session, struct fault *fault)
{
	struct imap_response *response = NULL;
	char bytes[CHUNK];
	size_t n = 1;

	if (fault->kind != FAULT_UNREACHABLE)
		return fault;
	for (int i = 0; i < LAST_READS && n; i++) {
		if (stream_read_ready(session->stream, bytes, sizeof bytes, &n))
			break;
		buf_add(session->in, bytes, n);
	}
	do {
		if (imap_session_next(session, session, true, &response))
			return fault;
		if (response && !strcmp(response->name, "BYE"))
			return imap_session_bye(session, response);
	} while (response);
	return fault;
}

static struct fault *send_bytes(struct imap_session *session, const char *bytes, size_t n)
{
	struct fault *fault;

	compact(session);
	fault = stream_write(session->stream, bytes, n, session->in, IMAP_INPUT_MAX);
	return fault ? last_words(session, fault) : NULL;
}

struct fault *imap_session_flush(struct imap_session *session)
{
	size_t n = session->out_len;
	struct fault *fault;

	if (!n)
		return NULL;
	session->out_len = 0;
	fault = send_bytes(session, session->out, n);
	explicit_bzero(session->out, n);
	return fault;
}

/* A password may be among what was gathered. */
static void out_resize(struct imap_session *session, size_t size)
{
	char *out = MEM_ARRAY(session, char, size);

	if (session->out_len) {
		memcpy(out, session->out, session->out_len);
		explicit_bzero(session->out, session->out_len);
	}
	talloc_free(session->out);
	session->out = out;
	session->out_size = size;
}

struct fault *imap_session_put(struct imap_session *session, const char *bytes, size_t n)
{
	if (!session->out)
		out_resize(session, IMAP_OUT_SIZE);
	if (n > session->out_size - session->out_len && session->out_size < IMAP_OUT_MOST)
		out_resize(session, IMAP_OUT_MOST);
	if (n > session->out_size - session->out_len)
		FAULT_TRY(imap_session_flush(session));
	if (n > session->out_size)
		return send_bytes(session, bytes, n);
	memcpy(session->out + session->out_len, bytes, n);
	session->out_len += n;
	return NULL;
}

void imap_session_shrink(struct imap_session *session, size_t keep)
{
	TALLOC_FREE(session->out);
	session->out_len = session->out_size = 0;
	stream_rest(session->stream);
	if (session->in->len == 0 && session->in->size > keep) {
		talloc_free(session->in);
		session->in = buf_new(session);
	}
}

/* ---- what responses tell ---- */

static const char *const cap_words[] = {
#define X(id, word) [IMAP_CAP_##id] = (word),
	CONF_IMAP_TABLE(X)
#undef X
};
_Static_assert(IMAP_CAPS <= 64, "a bit of uint64_t each");

const char *imap_cap_word(enum imap_cap cap)
{
	return cap_words[cap];
}

bool imap_session_has(const struct imap_session *session, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = session->caps; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		if (len == n && !strncasecmp(at, word, n))
			return true;
		at += len;
	}
	return false;
}

char *imap_session_words(TALLOC_CTX *mem, const struct imap_node *words)
{
	struct buf *text = buf_new(mem);
	char *copy;

	for (; words; words = words->next)
		if (words->kind == IMAP_ATOM && text->len + words->len < IMAP_WORDS_MAX)
			buf_printf(text, "%s%s", text->len ? " " : "", words->text);
	copy = mem_strdup(mem, text->data);
	talloc_free(text);
	return copy;
}

void imap_session_set_caps(struct imap_session *session, const struct imap_node *words)
{
	talloc_free(session->caps);
	session->caps = imap_session_words(session, words);
	session->can = 0;
	for (enum imap_cap cap = 0; cap < IMAP_CAPS; cap++)
		if (imap_session_has(session, cap_words[cap]))
			session->can |= UINT64_C(1) << cap;
	session->can &= ~session->without;
}

void imap_session_note_code(struct imap_session *session, const char *code,
			    const struct imap_node *args)
{
	struct imap_response response = { .kind = IMAP_UNTAGGED,
					  .name = "OK",
					  .code = code,
					  .code_args = (struct imap_node *)args,
					  .text = "" };

	if (!code)
		return;
	if (!strcmp(code, "CAPABILITY"))
		imap_session_set_caps(session, args);
	else
		imap_session_note_selected(session, &response, false);
}

struct fault *imap_session_note(struct imap_session *session, const struct imap_response *response,
				bool asked)
{
	if (!strcmp(response->name, "BYE"))
		return session->leaving ? NULL : imap_session_bye(session, response);
	if (!strcmp(response->name, "CAPABILITY"))
		imap_session_set_caps(session, response->args);
	else if (!strcmp(response->name, "OK"))
		imap_session_note_code(session, response->code, response->code_args);
	else
		imap_session_note_selected(session, response, asked);
	return NULL;
}

bool imap_session_answer(struct imap_session *session, const struct imap_response *response,
			 struct imap_answer *answer_r)
{
	struct imap_answer answer = { .status = IMAP_OK };

	if (!strcmp(response->name, "NO"))
		answer.status = IMAP_NO;
	else if (!strcmp(response->name, "BAD"))
		answer.status = IMAP_BAD;
	else if (strcmp(response->name, "OK"))
		return false;
	answer.code = response->code;
	answer.code_args = response->code_args;
	answer.text = imap_session_hide(session, (void *)(uintptr_t)response, response->text);
	*answer_r = answer;
	return true;
}

struct fault *imap_answer_fault(TALLOC_CTX *mem, const struct imap_answer *answer,
				enum fault_scope scope, const char *what)
{
	const struct imap_outcome_row *row =
		imap_outcome_of(imap_command_of(what), answer->status, answer->code);

	if (row->outcome == IMAP_OUTCOME_DONE)
		return NULL;
	return imap_outcome_shape(
		fault_new(mem, FAULT_REFUSED, "%s: %s", what,
			  *answer->text ? answer->text
					: "refused by the server, without a reason"),
		row->outcome, scope);
}

/* ---- the end, and questions ---- */

void imap_session_close(struct imap_session **session)
{
	struct imap_session *s = *session;
	struct imap_answer answer;

	*session = NULL;
	if (!s)
		return;
	s->until_ms = imap_session_now_ms() + LOGOUT_MS;
	if (!s->broken && !imap_session_idle_end(s)) {
		s->leaving = true;
		/* it is only a courtesy: the session goes whatever the server says */
		(void)!imap_session_run(s, s, imap_line_new(s, "LOGOUT", false), NULL, NULL,
					&answer);
	}
	talloc_free(s);
}

bool imap_session_can(const struct imap_session *session, enum imap_cap cap)
{
	return session->can >> cap & 1;
}

const char *imap_session_caps(const struct imap_session *session)
{
	return session->caps;
}

const char *imap_session_server(const struct imap_session *session)
{
	return session->server;
}

bool imap_session_is_compressed(const struct imap_session *session)
{
	return stream_is_compressed(session->stream);
}

const char *imap_session_login(const struct imap_session *session)
{
	return session->login;
}

const char *imap_session_prefix(const struct imap_session *session)
{
	return session->prefix;
}

char imap_session_delimiter(const struct imap_session *session)
{
	return session->delimiter;
}

bool imap_session_guess_prefix(struct imap_session *session)
{
	if (imap_session_can(session, IMAP_CAP_NAMESPACE) || !session->delimiter ||
	    *session->prefix)
		return false;
	talloc_free(session->prefix);
	session->prefix = mem_printf(session, "INBOX%c", session->delimiter);
	return true;
}

struct imap_stats imap_session_stats(const struct imap_session *session)
{
	struct stream_stats stream = stream_stats(session->stream);
	struct imap_stats stats = { .commands = session->commands,
				    .writes = session->writes,
				    .sent_bytes = stream.sent_bytes,
				    .received_bytes = stream.received_bytes };

	return stats;
}

int imap_session_fd(const struct imap_session *session)
{
	return stream_fd(session->stream);
}

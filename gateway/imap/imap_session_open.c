#include "config.h"

#include "gateway/imap/imap_session_private.h"

#include <string.h>

#include "base/text.h"
#include "gateway/imap/imap_name.h"

/* The beginning of a session.
 *
 *   connect -> greeting -> capabilities -> [STARTTLS -> capabilities anew]
 *           -> login (imap_auth.c) -> capabilities anew -> namespace
 *
 * 1. What was said in the clear is forgotten when TLS begins, what was said before the login when
 *    it is over: both may have come from somebody else, or change.
 * 2. All of it together takes no longer than OPEN_COMMANDS commands may.
 */

#define OPEN_COMMANDS 2  /* times the deadline of one: a slow login, and the rest */
#define SERVER_CHARS 200 /* of what a server says about itself */
#define LIST_DELIMITER "LIST \"\" \"\"" /* RFC 3501 section 6.3.8 */
#define PREFIX_MAX 200   /* bytes of a namespace's prefix: more is no use for names */

static struct fault *hold(struct fault *fault)
{
	return fault_reaches(fault, FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
}

/* A command of ours that a server has no reason to refuse; else a fault of that kind. */
static struct fault *run_must(struct imap_session *session, TALLOC_CTX *work, const char *words,
			      enum fault_kind kind, enum fault_scope scope)
{
	struct imap_line *line = imap_line_new(work, words, false);
	struct imap_answer answer;
	struct fault *fault = imap_session_run(session, work, line, NULL, NULL, &answer);

	if (!fault && answer.status != IMAP_OK)
		fault = fault_reaches(
			fault_new(session, kind, "%s: refused: %s", words, answer.text), scope,
			FAULT_NEXT_RETRY);
	return fault;
}

/* What the server says that it is. */
static void set_server(struct imap_session *session, const char *text)
{
	char *hidden = imap_session_hide(session, NULL, text);

	talloc_free(session->server);
	session->server = text_one_line(session, hidden, SERVER_CHARS);
	talloc_free(hidden);
}

/* ---- before the login ---- */

/* A port of another protocol, or of TLS, mostly says nothing at all. */
static struct fault *no_greeting(struct fault *fault, bool tls)
{
	if (fault->kind != FAULT_UNREACHABLE)
		return fault;
	return fault_prefix(fault,
			    tls ? "waiting for the server's greeting: "
				: "waiting for the server's greeting (where TLS comes first, "
				  "write imaps://): ");
}

static struct fault *read_greeting(struct imap_session *session, bool tls, bool *preauth_r)
{
	struct imap_response *greeting;
	struct fault *fault;

	imap_session_arm(session);
	fault = imap_session_next(session, session, false, &greeting);
	if (fault)
		return no_greeting(fault, tls);
	if (greeting->kind != IMAP_UNTAGGED)
		return imap_session_out_of_step(session, "no greeting");
	if (!strcmp(greeting->name, "BYE"))
		return imap_session_bye(session, greeting);
	if (strcmp(greeting->name, "OK") && strcmp(greeting->name, "PREAUTH"))
		return imap_session_out_of_step(session, "no greeting");
	*preauth_r = !strcmp(greeting->name, "PREAUTH");
	set_server(session, greeting->text);
	imap_session_note_code(session, greeting->code, greeting->code_args);
	talloc_free(greeting);
	return NULL;
}

static struct fault *need_caps(struct imap_session *session, TALLOC_CTX *work)
{
	return *session->caps
		       ? NULL
		       : run_must(session, work, "CAPABILITY", FAULT_PROTOCOL, FAULT_SCOPE_ACCOUNT);
}

static struct fault *start_tls(struct imap_session *session, TALLOC_CTX *work, bool preauth)
{
	if (preauth || !imap_session_has(session, "STARTTLS"))
		return fault_new(
			session, FAULT_TLS,
			preauth ? "logged in by the server before TLS: nobody knows who it is"
				: "the server offers no STARTTLS");
	FAULT_TRY(run_must(session, work, "STARTTLS", FAULT_TLS, FAULT_SCOPE_SERVER));
	FAULT_TRY(stream_start_tls(session->stream, session->in->len - session->used));
	imap_session_set_caps(session, NULL);
	return need_caps(session, work);
}

/* ---- after the login ---- */

static char delimiter_of(const struct imap_node *node)
{
	return node && node->kind == IMAP_STRING && node->len == 1 && node->text[0] > ' ' &&
			       node->text[0] <= '~'
		       ? node->text[0]
		       : '\0';
}

/* `* NAMESPACE (("INBOX." ".")) NIL NIL`: the first of the personal ones. */
static void take_namespace(struct imap_session *session, const struct imap_node *personal)
{
	const struct imap_node *first =
		personal && personal->kind == IMAP_LIST ? personal->first : NULL;
	const struct imap_node *prefix = first && first->kind == IMAP_LIST ? first->first : NULL;
	char *name;

	if (!prefix || (prefix->kind != IMAP_STRING && prefix->kind != IMAP_ATOM))
		return;
	name = prefix->len <= PREFIX_MAX ? imap_name_decode(session, prefix->text) : NULL;
	if (name) {
		talloc_free(session->prefix);
		session->prefix = name;
		session->delimiter = delimiter_of(prefix->next);
	}
}

/* `* ID ("name" "Dovecot" "version" "2.3")` */
static void take_id(struct imap_session *session, const struct imap_node *list)
{
	const struct imap_node *pairs = list && list->kind == IMAP_LIST ? list->first : NULL;
	const struct imap_node *name = imap_node_after(pairs, "name");
	const struct imap_node *version = imap_node_after(pairs, "version");
	char *text;

	if (!name || !*name->text)
		return;
	text = mem_printf(NULL, "%s%s%s", name->text, version && *version->text ? " " : "",
			  version ? version->text : "");
	set_server(session, text);
	talloc_free(text);
}

static struct fault *take_about(void *context, const struct imap_response *response)
{
	struct imap_session *session = context;
	const struct imap_node *args = response->args;

	if (!strcmp(response->name, "NAMESPACE"))
		take_namespace(session, args);
	else if (!strcmp(response->name, "LIST") && args && !session->delimiter)
		session->delimiter = delimiter_of(args->next);
	else if (!strcmp(response->name, "ID"))
		take_id(session, args);
	else if (!strcmp(response->name, "ENABLED"))
		for (const struct imap_node *node = args; node; node = node->next)
			session->resyncs = session->resyncs || imap_node_is(node, "QRESYNC");
	return NULL;
}

/* What a server says to these is worth knowing; that it says no is no reason to go. Each answer counts:
 * where nothing has changed, they are most of what a session gets. */
static struct fault *ask_about(struct imap_session *session, TALLOC_CTX *work)
{
	bool has_namespace = imap_session_can(session, IMAP_CAP_NAMESPACE);
	struct imap_line *lines[2];
	struct imap_answer answers[COUNT_OF(lines)];
	size_t n = 0, answered;

	if (imap_session_can(session, IMAP_CAP_QRESYNC) &&
	    imap_session_can(session, IMAP_CAP_CONDSTORE) &&
	    imap_session_can(session, IMAP_CAP_ENABLE))
		lines[n++] = imap_line_new(work, "ENABLE QRESYNC", false);
	lines[n++] = imap_line_new(work, has_namespace ? "NAMESPACE" : LIST_DELIMITER, false);
	FAULT_TRY(imap_session_run_all(session, work, lines, n, take_about, session, answers,
				       &answered));
	if (session->delimiter || !has_namespace)
		return NULL;
	return imap_session_run(session, work, imap_line_new(work, LIST_DELIMITER, false),
				take_about, session, answers);
}

struct fault *imap_session_ask_server(struct imap_session *session, TALLOC_CTX *mem)
{
	struct imap_line *line = imap_line_new(mem, "ID ", false);
	struct imap_answer answer;

	if (!imap_session_can(session, IMAP_CAP_ID))
		return NULL;
	imap_line_add(line, "(\"name\" \"%s\" \"version\" \"%s\")", PACKAGE_NAME,
		      PACKAGE_VERSION);
	return imap_session_run(session, mem, line, take_about, session, &answer);
}

/* ---- the contract ---- */

static struct fault *is_safe(const struct imap_session *session,
			     const struct imap_session_options *options)
{
	if (stream_is_safe(session->stream) || options->starttls)
		return NULL;
	return hold(
		fault_new(session->stream, FAULT_CONFIG,
			  "a password goes over TLS or to loopback only: imaps://, or starttls"));
}

/* The server has let us in without a login. Whom, it can know by our certificate only; whoever it
 * takes us for else would be the same for all people. */
static struct fault *let_in(struct imap_session *session,
			    const struct imap_session_options *options)
{
	if (options->auth == IMAP_AUTH_CERTIFICATE && !options->authorize)
		return NULL;
	return hold(fault_new(session->stream, FAULT_LOGIN,
			      "the server lets in without a login (PREAUTH), and nobody knows "
			      "whose mailbox that is: only with auth = certificate, and without "
			      "authorize"));
}

/* WORK is for what is needed until the session is open. */
static struct fault *get_in(struct imap_session *session, TALLOC_CTX *work,
			    const struct imap_session_options *options)
{
	bool preauth = false;

	FAULT_TRY(is_safe(session, options));
	FAULT_TRY(read_greeting(session, options->tls, &preauth));
	FAULT_TRY(need_caps(session, work));
	if (options->starttls)
		FAULT_TRY(start_tls(session, work, preauth));
	FAULT_TRY(preauth ? let_in(session, options) : imap_auth_login(session, work, options));
	FAULT_TRY(need_caps(session, work));
	return ask_about(session, work);
}

static struct imap_session *session_new(TALLOC_CTX *mem, const struct imap_session_options *options)
{
	struct imap_session *session = MEM_NEW(mem, struct imap_session);
	const char *password = options->password ? secret_reveal(options->password) : "";

	session->points = options->points;
	session->command_ms = options->command_ms ? options->command_ms : IMAP_COMMAND_MS;
	session->until_ms = imap_session_now_ms() + OPEN_COMMANDS * (int64_t)session->command_ms;
	session->without = options->without;
	session->compress_after = INT64_MAX; /* until it is open */
	session->in = buf_new(session);
	session->caps = mem_strdup(session, "");
	session->server = mem_strdup(session, "");
	session->prefix = mem_strdup(session, "");
	session->password = secret_new(session, password, strlen(password));
	session->blob = secret_new(session, "", 0);
	session->login = "the server knew who it is";
	return session;
}

/* "host:port: " once: what the stream says has it already. */
static struct fault *with_peer(struct fault *fault, const struct imap_session_options *options)
{
	char *peer = mem_printf(fault, "%s:%d: ", options->host, options->port);

	return text_starts(fault->text, peer) ? fault : fault_prefix(fault, "%s", peer);
}

struct fault *imap_session_open(TALLOC_CTX *mem, const struct imap_session_options *options,
				struct imap_session **session_r)
{
	struct imap_session *session = session_new(mem, options);
	const struct stream_options stream = { .host = options->host,
					       .port = options->port,
					       .tls = options->tls,
					       .tls_ca = options->tls_ca,
					       .tls_cert = options->tls_cert,
					       .tls_key = options->tls_key,
					       .tls_pin = options->tls_pin,
					       .trusts = options->trusts,
					       .stop_fd = options->stop_fd,
					       .deadline_ms = session->command_ms };
	struct fault *fault = stream_open(session, &stream, &session->stream);
	TALLOC_CTX *work = MEM_CONTEXT(session);

	if (!fault)
		fault = get_in(session, work, options);
	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(session);
		return with_peer(fault, options);
	}
	talloc_free(work);
	session->until_ms = 0;
	session->compress_after = options->compress_after;
	if (!session->compress_after)
		session->compress_after =
			stream_is_loopback(session->stream) ? INT64_MAX : IMAP_COMPRESS_AFTER;
	imap_session_shrink(session, IMAP_IN_KEPT);
	*session_r = session;
	return NULL;
}

#include "config.h"

#include "gateway/imap/imap_session_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/net/sasl.h"

/* The login.
 *
 *   choose    by what the configuration wants and the server offers: a row of `ways`
 *   converse  AUTHENTICATE, challenges and messages, the answer
 *   or        the LOGIN command, where nothing else is there
 *
 * 1. A way is never left for a weaker one after a refusal: whoever is between us and the server could
 *    ask for that.
 * 2. OK is not believed from a server that had to prove something and did not.
 * 3. Nothing is sent behind a login before it is answered: Courier drops it.
 * 4. Messages are secrets until the stream has them. */

#define CAP_CHARS 40
#define MASTER_PAUSE_S 1200 /* DESIGN section 8: three refused logins an hour, for all together */
#define OFFERED_MAX 300     /* bytes of a list for people */

/* In order of preference. */
static const struct way {
	enum imap_auth auth; /* as which it may be taken */
	enum sasl_mech mech;
	bool command; /* the LOGIN command, and no mechanism */
} ways[] = {
	{ IMAP_AUTH_PASSWORD, SASL_SCRAM_SHA_256, false },
	{ IMAP_AUTH_PASSWORD, SASL_PLAIN, false },
	{ IMAP_AUTH_PASSWORD, SASL_LOGIN, true },
	{ IMAP_AUTH_PASSWORD, SASL_LOGIN, false },
	{ IMAP_AUTH_SCRAM, SASL_SCRAM_SHA_256, false },
	{ IMAP_AUTH_PLAIN, SASL_PLAIN, false },
	{ IMAP_AUTH_LOGIN, SASL_LOGIN, true },
	{ IMAP_AUTH_LOGIN, SASL_LOGIN, false },
	{ IMAP_AUTH_BEARER, SASL_OAUTHBEARER, false },
	{ IMAP_AUTH_BEARER, SASL_XOAUTH2, false },
	{ IMAP_AUTH_CERTIFICATE, SASL_EXTERNAL, false },
};

/* What a refusal by it may come from. */
static const char *const advice[] = {
	[SASL_SCRAM_SHA_256] = "if the password is right, auth = plain may help",
	[SASL_PLAIN] = "look at login and password",
	[SASL_LOGIN] = "look at login and password",
	[SASL_OAUTHBEARER] = "look at login, and for whom and which service the token is made",
	[SASL_XOAUTH2] = "look at login, and for whom and which service the token is made",
	[SASL_EXTERNAL] = "look at tls_cert, and at whose certificate the server takes it for",
};
_Static_assert(COUNT_OF(advice) == SASL_MECHS, "one row per mechanism");

struct conversation {
	struct imap_session *session;
	const struct imap_session_options *options;
	const struct way *way;
	struct sasl *sasl;
	struct imap_answer answer;
	bool answered;
};

/* ---- choosing ---- */

static bool offers(const struct imap_session *session, enum sasl_mech mech)
{
	char word[CAP_CHARS];

	(void)snprintf(word, sizeof word, "AUTH=%s", sasl_mech_name(mech));
	return imap_session_has(session, word);
}

static bool is_possible(const struct imap_session *session,
			const struct imap_session_options *options, const struct way *way)
{
	if (way->auth != options->auth || (options->authorize && !sasl_mech_authorizes(way->mech)))
		return false;
	return way->command ? !imap_session_has(session, "LOGINDISABLED")
			    : offers(session, way->mech);
}

/* Dovecot compares a login that acts for somebody with that person's password, where it has to look a
 * password up: such a login sends it, as long as it may choose. */
static bool is_last_choice(const struct imap_session_options *options, const struct way *way)
{
	return way->mech == SASL_SCRAM_SHA_256 && (options->master || options->authorize);
}

static const struct way *choose(const struct imap_session *session,
				const struct imap_session_options *options)
{
	const struct way *last = NULL;

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		if (!is_possible(session, options, &ways[i]))
			continue;
		if (!is_last_choice(options, &ways[i]))
			return &ways[i];
		last = &ways[i];
	}
	return last;
}

/* "SCRAM-SHA-256, PLAIN, LOGIN", as the server has said. */
static char *offered(const struct imap_session *session, TALLOC_CTX *mem)
{
	struct buf *text = buf_new(mem);
	bool login = !imap_session_has(session, "LOGINDISABLED");

	for (const char *at = session->caps; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n > 5 && !strncasecmp(at, "AUTH=", 5) && text->len + n < OFFERED_MAX)
			buf_printf(text, "%s%.*s", text->len ? ", " : "", (int)n - 5, at + 5);
		at += n;
	}
	if (login)
		buf_printf(text, "%sthe LOGIN command", text->len ? ", " : "");
	return text->len ? buf_steal(&text, mem, NULL) : mem_strdup(mem, "nothing");
}

static const char *const auth_words[] = {
	[IMAP_AUTH_PASSWORD] = "a password",
	[IMAP_AUTH_SCRAM] = "SCRAM-SHA-256",
	[IMAP_AUTH_PLAIN] = "PLAIN",
	[IMAP_AUTH_LOGIN] = "LOGIN",
	[IMAP_AUTH_BEARER] = "OAUTHBEARER or XOAUTH2",
	[IMAP_AUTH_CERTIFICATE] = "EXTERNAL",
};
_Static_assert(COUNT_OF(auth_words) == IMAP_AUTHS, "one row per way");

static struct fault *no_way(struct imap_session *session,
			    const struct imap_session_options *options)
{
	const char *hint = "; choose another auth";

	if (!stream_is_tls(session->stream))
		hint = "; perhaps it wants TLS (starttls = yes, or imaps://)";
	else if (options->authorize)
		hint = "; authorize needs one of SCRAM-SHA-256 and PLAIN";
	return fault_reaches(fault_new(session, FAULT_LOGIN,
				       "the server takes no login by %s here, it offers %s%s",
				       auth_words[options->auth], offered(session, session), hint),
			     FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
}

/* ---- the conversation ---- */

/* What a text of the server may not show; SCRAM shows nothing. */
static void remember(struct conversation *talk, const struct secret *message)
{
	struct imap_session *session = talk->session;
	const char *text = secret_reveal(message);

	if (!*text || talk->way->mech == SASL_SCRAM_SHA_256)
		return;
	talloc_free(session->blob);
	session->blob = secret_new(session, text, strlen(text));
}

static struct fault *put_text(struct imap_session *session, const char *text)
{
	return imap_session_put(session, text, strlen(text));
}

/* CHALLENGE NULL: the first message; IN_LINE: it goes out with the command. */
static struct fault *put_message(struct conversation *talk, const char *challenge, bool in_line)
{
	struct imap_session *session = talk->session;
	struct secret *message = NULL;
	const char *text;

	FAULT_TRY(sasl_step(talk->sasl, session, challenge, &message));
	remember(talk, message);
	text = secret_reveal(message);
	if (in_line)
		FAULT_TRY(put_text(session, " "));
	FAULT_TRY(put_text(session, in_line && !*text ? "=" : text)); /* RFC 4959 section 3 */
	talloc_free(message);
	return put_text(session, "\r\n");
}

static struct fault *take_challenge(struct conversation *talk, const struct imap_response *response,
				    bool *began)
{
	struct imap_session *session = talk->session;
	bool first = !*began && sasl_mech_begins(talk->way->mech);

	if (!sasl_goes_on(talk->sasl))
		return imap_session_out_of_step(session, "a \"+\" that nobody waits for");
	*began = true;
	FAULT_TRY(put_message(talk, first ? NULL : response->text, false));
	return imap_session_flush(session);
}

static struct fault *take_one(struct conversation *talk, const char *tag, bool *began)
{
	struct imap_session *session = talk->session;
	struct imap_response *response;
	struct fault *fault;

	FAULT_TRY(imap_session_next(session, session, false, &response));
	if (response->kind != IMAP_TAGGED) {
		fault = response->kind == IMAP_UNTAGGED
				? imap_session_note(session, response, false)
				: take_challenge(talk, response, began);
		talloc_free(response);
		return fault;
	}
	talloc_steal(talk->sasl, response); /* the answer is needed until the end */
	if (strcmp(response->tag, tag))
		return imap_session_out_of_step(session,
						"an answer to something that was not asked");
	if (!imap_session_answer(session, response, &talk->answer))
		return imap_session_out_of_step(session, "an answer that is none");
	talk->answered = true;
	return NULL;
}

static struct fault *converse(struct conversation *talk)
{
	struct imap_session *session = talk->session;
	bool began = imap_session_has(session, "SASL-IR") && sasl_mech_begins(talk->way->mech);
	char tag[16], *line;

	(void)snprintf(tag, sizeof tag, "T%u", ++session->last_tag);
	session->commands++;
	imap_session_arm(session);
	line = mem_printf(session, "%s AUTHENTICATE %s", tag, sasl_mech_name(talk->way->mech));
	FAULT_TRY(put_text(session, line));
	talloc_free(line);
	FAULT_TRY(began ? put_message(talk, NULL, true) : put_text(session, "\r\n"));
	FAULT_TRY(imap_session_flush(session));
	while (!talk->answered)
		FAULT_TRY(take_one(talk, tag, &began));
	return NULL;
}

static struct fault *login_command(struct conversation *talk, TALLOC_CTX *work)
{
	struct imap_line *line = imap_line_new(work, "LOGIN ", false);
	struct fault *fault;

	imap_line_string(line, talk->options->user);
	imap_line_add(line, " ");
	imap_line_secret(line, secret_reveal(talk->session->password));
	fault = imap_session_run(talk->session, work, line, NULL, NULL, &talk->answer);
	talloc_free(line);
	return fault;
}

/* ---- the answer ---- */

static const struct {
	const char *code;
	enum fault_kind kind;
} busy_codes[] = {
	{ "UNAVAILABLE", FAULT_BUSY },
	{ "INUSE", FAULT_BUSY },
	{ "LIMIT", FAULT_CROWDED },
};

/* FAULT_LOGIN: it is the login that was refused. */
static enum fault_kind refusal_kind(const struct imap_answer *answer)
{
	for (size_t i = 0; i < COUNT_OF(busy_codes); i++)
		if (answer->code && !strcmp(answer->code, busy_codes[i].code))
			return busy_codes[i].kind;
	return FAULT_LOGIN;
}

/* One login for many people; RFC 5530 has a code for "who you are is right, but you may not". */
static bool is_everybodys(const struct conversation *talk)
{
	const char *code = talk->answer.code;

	return talk->options->master && !(code && !strcmp(code, "AUTHORIZATIONFAILED"));
}

static const char *way_name(const struct way *way)
{
	return way->command ? "the LOGIN command" : sasl_mech_name(way->mech);
}

/* "as ana for mei, ": what a template made of it may be wrong. Nobody is named where the login is
 * everybody's. */
static char *who(const struct conversation *talk, TALLOC_CTX *work)
{
	const char *authorize = talk->options->authorize;

	if (is_everybodys(talk))
		return mem_strdup(work, "");
	return mem_printf(work, "as %s%s%s, ",
			  imap_session_hide(talk->session, work, talk->options->user),
			  authorize ? " for " : "", authorize ? authorize : "");
}

static struct fault *login_refused(struct conversation *talk, TALLOC_CTX *work)
{
	struct imap_session *session = talk->session;
	const struct imap_answer *answer = &talk->answer;
	const char *complaint = talk->sasl ? sasl_complaint(talk->sasl) : NULL;
	struct fault *fault;

	if (refusal_kind(answer) != FAULT_LOGIN)
		return fault_new(session, refusal_kind(answer), "login: %s", answer->text);
	fault = fault_new(
		session, FAULT_LOGIN, "login: %s%s%s (%sby %s; %s; the server offers %s)",
		*answer->text ? answer->text : "refused by the server, without a reason",
		complaint ? ", " : "", complaint ? imap_session_hide(session, work, complaint) : "",
		who(talk, work), way_name(talk->way),
		talk->options->master ? "look at the one login for everybody, and whether it may "
					"act for this person"
				      : advice[talk->way->mech],
		offered(session, work));
	if (!is_everybodys(talk))
		return fault;
	fault->retry_after_s = MASTER_PAUSE_S;
	return fault_reaches(fault, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
}

static struct fault *not_proven(struct imap_session *session)
{
	return fault_reaches(fault_new(session, FAULT_PROTOCOL,
				       "login: the server has not proved that it knows the "
				       "password, and cannot be the one that it should be"),
			     FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
}

static struct fault *log_in(struct conversation *talk, TALLOC_CTX *work)
{
	struct imap_session *session = talk->session;
	const struct imap_answer *answer = &talk->answer;

	FAULT_TRY(talk->way->command ? login_command(talk, work) : converse(talk));
	if (answer->status != IMAP_OK)
		return login_refused(talk, work);
	if (talk->sasl && !sasl_is_proven(talk->sasl))
		return not_proven(session);
	imap_session_set_caps(session, answer->code && !strcmp(answer->code, "CAPABILITY")
					       ? answer->code_args
					       : NULL);
	return NULL;
}

struct fault *imap_auth_login(struct imap_session *session, TALLOC_CTX *work,
			      const struct imap_session_options *options)
{
	const struct sasl_login login = { .user = options->user,
					  .authorize = options->authorize,
					  .secret = session->password,
					  .host = options->host,
					  .port = options->port };
	struct conversation talk = { .session = session,
				     .options = options,
				     .way = choose(session, options) };
	struct fault *fault;

	if (!talk.way)
		return no_way(session, options);
	if (!talk.way->command)
		talk.sasl = sasl_new(work, talk.way->mech, &login);
	session->logging_in = true;
	fault = log_in(&talk, work);
	session->logging_in = false;
	if (fault)
		return talloc_steal(session, fault);
	session->login = way_name(talk.way);
	return NULL;
}

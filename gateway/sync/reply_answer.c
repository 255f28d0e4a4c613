/* reply_answer.c - what a person reads about a reply that was not, or not wholly, taken: a message that is put
 * into their own inbox, by their own account. No mail is sent: an answer to a forged sender would hit somebody
 * else, and two machines could answer each other for ever. */
#include "config.h"

#include "gateway/sync/replies_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/sync/delivery.h"
#include "mappers/message_answer.h"
#include "queue/queue.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)

static bool is_told(const struct reply_mail *mail)
{
	switch (mail->outcome) {
	case REPLY_EXPIRED:
	case REPLY_EMPTY:
	case REPLY_PROPOSED:
		return true;
	case REPLY_APPLIED:
	case REPLY_REFUSED:
		return mail->complaints->len > 0;
	case REPLY_MACHINE:
	case REPLY_FOREIGN:
	case REPLY_FORGED:
	case REPLY_TWICE:
	case REPLY_TOO_MANY:
	case REPLY_OLDER:
	case REPLY_MALFORMED:
	case REPLY_UNREADABLE:
	case REPLY_OUTCOMES:
		break;
	}
	return false;
}

/* Only who says to be the person: else anybody who has a token could fill that inbox. */
static bool is_from_person(const struct reply_mail *mail)
{
	return mail->resource && mail->resource->email && mail->mail->from.count == 1 &&
	       text_equal_nocase(mail->mail->from.list[0], mail->resource->email);
}

static bool has_inbox(const struct conf_server *server)
{
	return server->type == SERVER_IMAP ||
	       (server->type == SERVER_MEMORY && text_ends(server->url, "?append"));
}

/* The person's first account with an inbox; 0: none. */
static struct fault *find_account(TALLOC_CTX *mem, const struct reply_mail *mail,
				  int64_t *account_r)
{
	const struct round_env *env = mail->replies->env;
	const struct conf_server **servers =
		MEM_ARRAY(mem, const struct conf_server *, env->conf->server_count);
	size_t count = delivery_servers(env->conf, mail->resource, servers), ids = 0;
	int64_t *accounts = NULL;

	FAULT_TRY(delivery_accounts(mem, env->conf, env->store, mail->resource, &accounts, &ids));
	for (size_t i = 0; i < count && i < ids && !*account_r; i++)
		if (has_inbox(servers[i]))
			*account_r = accounts[i];
	return NULL;
}

static char *words(TALLOC_CTX *mem, const struct reply_mail *mail)
{
	struct buf *out = buf_new(mem);

	if (mail->outcome == REPLY_APPLIED)
		buf_puts(out, "Your reply was read. Not all of it could be taken as it is:\n\n");
	else if (mail->outcome == REPLY_PROPOSED)
		buf_puts(out, "Your reply was read, and the project manager has to accept it:\n\n");
	else
		buf_puts(out, "Your reply changed nothing:\n\n");
	if (mail->why)
		buf_printf(out, "%s\n", mail->why);
	buf_puts(out, mail->complaints->data);
	buf_puts(out, "\nWhat a reply can say, each on a line of its own above the quoted text:\n\n"
		      "    Percent: 60\n    Status: done\n    Due: 2026-12-31\n"
		      "    +1h 30m what was done\n\nAll other lines become a note.\n");
	return out->data;
}

/* "a@b" of the field that the text has; in another field no line begins so. */
static char *id_of(TALLOC_CTX *mem, const char *text)
{
	static const char field[] = "\r\nMessage-ID: <";
	const char *at = strstr(text, field) + strlen(field);

	return mem_strndup(mem, at, strcspn(at, ">"));
}

static char *host(TALLOC_CTX *mem, const struct conf *conf)
{
	const char *bare = strstr(conf->site.url, "://");

	bare = bare ? bare + strlen("://") : conf->site.url;
	return mem_strndup(mem, bare, strcspn(bare, ":/"));
}

static struct fault *put(TALLOC_CTX *mem, const struct reply_mail *mail, int64_t account)
{
	const struct round_env *env = mail->replies->env;
	struct message_publish envelope = { .uid = mem_printf(mem, "answer-%s", mail->key),
					    .edition = 1,
					    .site_host = host(mem, env->conf),
					    .to_name = mail->resource->name,
					    .to_email = mail->resource->email,
					    .now_us = mail->at_us,
					    .card = words(mem, mail) };
	struct project *project = NULL;
	struct stamped *stamped = NULL;
	const char *subject;
	char *text;
	size_t len;

	FAULT_TRY(project_by_id(env->store, mem, mail->assignment->project_id, &project));
	FAULT_TRY(project_values(env->store, mem, mail->assignment, &stamped));
	subject = vector_str(stamped->values, FIELD_subject);
	envelope.from_name = project ? project->name : "taskferry";
	envelope.subject = mem_printf(mem, "Re: %s", subject ? subject : "");
	text = message_answer(mem, &envelope, mail->mail->message_id, &len);
	FAULT_TRY(replies_answer(env->store, account, id_of(mem, text), text, mail->at_us));
	mail->replies->changed = true;
	return queue_add(env->store, JOB_PULL, account, 0, mail->at_us, NULL);
}

struct fault *reply_answer(TALLOC_CTX *mem, const struct reply_mail *mail)
{
	int64_t account = 0, count = 0;

	if (!mail->replies->env->conf->replies.answers || !is_told(mail) || !is_from_person(mail))
		return NULL;
	FAULT_TRY(find_account(mem, mail, &account));
	if (account)
		FAULT_TRY(replies_answers_since(mail->replies->env->store, account,
						mail->at_us - HOUR_US, &count));
	return account && count < REPLIES_ANSWERS_MAX ? put(mem, mail, account) : NULL;
}

/* ---- telling ---- */

static struct fault *note(struct store *store, struct fault *(*write)(struct store *, int64_t),
			  int64_t id)
{
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = write(store, id);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

/* A crash between the two notes leaves an answer that was tried: then it is looked for first. */
static struct fault *tell(TALLOC_CTX *mem, const struct round_env *env, struct endpoint *endpoint,
			  const struct answer *answer, struct round_report *report)
{
	struct fault *fault;

	if (!answer->tried)
		FAULT_TRY(note(env->store, replies_answer_tried, answer->id));
	point_reach(env->points, POINT_ANSWER_STARTING);
	fault = endpoint_tell(endpoint, mem, answer->message_id, answer->text, strlen(answer->text),
			      answer->tried);
	if (fault && (fault->scope > FAULT_SCOPE_ACCOUNT || fault->next == FAULT_NEXT_RETRY))
		return fault;
	if (fault) /* no reason to leave the account's tasks alone */
		round_note(report, "an answer to a reply could not be put into the inbox: %s",
			   fault->text);
	point_reach(env->points, POINT_ANSWER_TOLD);
	return note(env->store, replies_answer_done, answer->id);
}

struct fault *replies_tell(TALLOC_CTX *mem, const struct round_env *env, int64_t account,
			   struct endpoint *endpoint, struct round_report *report)
{
	struct answer *answers = NULL;
	size_t count = 0;

	if (!env->conf->replies.address || !endpoint_can_tell(endpoint))
		return NULL;
	FAULT_TRY(replies_answers(env->store, mem, account, &answers, &count));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(tell(mem, env, endpoint, &answers[i], report));
	return NULL;
}

#include "config.h"

#include "gateway/sync/replies_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "gateway/sync/edit.h"
#include "model/reply_token.h"

#define SHOWN_CHARS 100 /* of an address in the log */
#define KEY_CHARS 32    /* of the digest of a Message-ID */

/* ---- whose is it ---- */

/* Who wrote it, for people; nothing of it is proven. */
static const char *sender(TALLOC_CTX *mem, const struct message_mail *mail)
{
	return mail->from.count ? text_one_line(mem, mail->from.list[0], SHOWN_CHARS) : "nobody";
}

/* The address itself, with a token or without ("tasks@example.com"). */
static bool is_ours(const struct conf *conf, TALLOC_CTX *mem, const struct message_mail *mail)
{
	char *bare = reply_token_address(mem, conf->replies.address, ""), *at = strrchr(bare, '@');

	if (at > bare && strchr("+-", at[-1]))
		memmove(at - 1, at, strlen(at) + 1);
	for (size_t i = 0; i < mail->from.count; i++)
		if (reply_token_of(mem, conf->replies.address, mail->from.list[i]) ||
		    text_equal_nocase(mail->from.list[i], bare))
			return true;
	return false;
}

static void find_token(TALLOC_CTX *mem, struct reply_mail *mail)
{
	const char *template = mail->replies->env->conf->replies.address;

	for (size_t i = 0; i < mail->mail->to.count && !mail->token; i++)
		mail->token = reply_token_of(mem, template, mail->mail->to.list[i]);
}

static struct fault *find_assignment(TALLOC_CTX *mem, struct reply_mail *mail)
{
	struct store *store = mail->replies->env->store;
	const char *secret = secret_reveal(mail->replies->env->reply_secret);
	struct when now = when_instant(mail->at_us, "UTC");
	struct assignment *assignment = NULL;
	struct resource *resource = NULL;
	struct reply_token token;

	mail->outcome = REPLY_FORGED;
	if (!reply_token_read(mem, mail->token, &token))
		return NULL;
	FAULT_TRY(project_assignment_by_uid(store, mem, token.uid, &assignment));
	if (assignment)
		FAULT_TRY(project_resource(store, mem, assignment->resource_id, &resource));
	if (!resource)
		return NULL;
	switch (reply_token_check(mem, &(struct reply_token_secret){ secret, strlen(secret) },
				  mail->token, assignment->uid, resource->key,
				  when_local_day(&now))) {
	case REPLY_TOKEN_EXPIRED:
		mail->outcome = REPLY_EXPIRED;
		mail->why = "the message that was answered is too old to be answered: answer the "
			    "newer one in your folder, or, if there is none, report by that message "
			    "itself, with a tag or by editing it";
		break;
	case REPLY_TOKEN_GOOD:
		mail->outcome = REPLY_EMPTY;
		break;
	case REPLY_TOKEN_FORGED:
		return NULL;
	}
	mail->assignment = assignment;
	mail->resource = resource;
	return NULL;
}

const char *reply_doubt(TALLOC_CTX *mem, const struct reply_mail *mail)
{
	const struct message_mail *m = mail->mail;
	const char *email = mail->resource->email, *domain;

	if (m->from.count != 1)
		return "it does not have exactly one sender";
	if (!email || !text_equal_nocase(m->from.list[0], email))
		return mem_printf(mem, "it was sent by %s, and the task is %s's", sender(mem, m),
				  mail->resource->key);
	if (!mail->replies->env->conf->replies.authserv_id)
		return "no authserv_id is configured, so nothing tells who sent it";
	domain = strrchr(m->from.list[0], '@');
	if (!m->dmarc_domain || !domain || !text_equal_nocase(domain + 1, m->dmarc_domain))
		return "DMARC did not pass, so it is not known who sent it";
	return NULL;
}

/* A mail that the person wrote to somebody else says nothing about a task, though that one passes it on
 * to the task's address with all its signatures. */
static bool is_to_task(TALLOC_CTX *mem, const struct reply_mail *mail)
{
	const char *template = mail->replies->env->conf->replies.address;
	const struct message_words *to = &mail->mail->only_to;

	for (size_t i = 0; i < to->count; i++) {
		const char *token = reply_token_of(mem, template, to->list[i]);

		if (token && text_equal_nocase(token, mail->token))
			return true;
	}
	return false;
}

static const char *doubt(TALLOC_CTX *mem, const struct reply_mail *mail)
{
	const char *why = reply_doubt(mem, mail);

	if (!why && !is_to_task(mem, mail))
		why = "the task's address is not the one in its To, so somebody else may have "
		      "passed it on";
	return why;
}

/* ---- one mail ---- */

static struct fault *judge_known(TALLOC_CTX *mem, struct reply_mail *mail)
{
	bool met = false;

	if (mail->outcome == REPLY_EXPIRED)
		return NULL;
	FAULT_TRY(replies_met(mail->replies->env->store, mail->assignment->id, mail->key, &met));
	if (met) {
		mail->outcome = REPLY_TWICE;
		return NULL;
	}
	mail->said = card_reply_read(mem, mail->mail->text ? mail->mail->text : "");
	if (mail->said->any)
		return reply_apply(mem, mail, doubt(mem, mail));
	mail->why = "nothing stands above the quoted text";
	return NULL;
}

static struct fault *judge(TALLOC_CTX *mem, struct reply_mail *mail)
{
	if (mail->mail->machine || is_ours(mail->replies->env->conf, mem, mail->mail)) {
		mail->outcome = REPLY_MACHINE;
		mail->why =
			mail->mail->machine ? mail->mail->machine : "it is from our own address";
		return NULL;
	}
	if (mail->mail->reply)
		return reply_itip(mem, mail);
	find_token(mem, mail);
	if (!mail->token) {
		mail->outcome = REPLY_FOREIGN;
		return NULL;
	}
	FAULT_TRY(find_assignment(mem, mail));
	return mail->assignment ? judge_known(mem, mail) : NULL;
}

/* A person has to look at these. */
static bool is_grave(enum reply_outcome outcome)
{
	return outcome == REPLY_PROPOSED || outcome == REPLY_TOO_MANY ||
	       outcome == REPLY_UNREADABLE;
}

static void tell(TALLOC_CTX *mem, const struct reply_mail *mail, const char *address)
{
	struct replies *replies = mail->replies;
	const char *assignment = mail->assignment ? mem_printf(mem, ", assignment %lld",
							       (long long)mail->assignment->id)
						  : "";
	char *line = mem_printf(replies->report, "reply of %s (%s): %s%s%s%s",
				mail->mail ? sender(mem, mail->mail) : "nobody", address,
				reply_outcome_name(mail->outcome), assignment,
				mail->why ? ": " : "", mail->why ? mail->why : "");

	replies->lines = MEM_GROW(replies->report, replies->lines, char *, replies->line_count + 1);
	replies->lines[replies->line_count++] = line;
	if (is_grave(mail->outcome))
		round_note(replies->report, "%s", line);
}

/* Everything that follows from one mail, in one transaction. */
static struct fault *take(TALLOC_CTX *mem, struct replies *replies,
			  const struct endpoint_item *item)
{
	struct store *store = replies->env->store;
	struct reply_mail mail = { .replies = replies,
				   .at_us = clock_now_us(replies->env->clock),
				   .came_us = item->modified_us,
				   .outcome = REPLY_UNREADABLE };
	struct message_mail *read = NULL;
	struct fault *fault = item->fault;

	if (!fault)
		fault = message_mail_read(mem, item->text, item->len,
					  replies->env->conf->replies.authserv_id, &read);
	if (mail.came_us <= 0 || mail.came_us > mail.at_us)
		mail.came_us = mail.at_us;
	mail.mail = read;
	mail.complaints = buf_new(mem);
	if (fault) {
		mail.why = fault->text;
	} else {
		mail.key = read->message_id ? digest_short(mem, read->message_id,
							   strlen(read->message_id), KEY_CHARS)
					    : digest_short(mem, item->text, item->len, KEY_CHARS);
		FAULT_TRY(judge(mem, &mail));
		if (mail.assignment)
			FAULT_TRY(reply_answer(mem, &mail));
	}
	FAULT_TRY(replies_add(
		store,
		&(struct replies_row){ .account_id = replies->account,
				       .address = item->address,
				       .message_id = mail.key,
				       .assignment_id = mail.assignment ? mail.assignment->id : 0,
				       .outcome = mail.outcome,
				       .at_us = mail.at_us }));
	tell(mem, &mail, item->address);
	replies->report->read++;
	return NULL;
}

static struct fault *take_one(TALLOC_CTX *mem, struct replies *replies,
			      const struct endpoint_item *item)
{
	struct store *store = replies->env->store;
	struct fault *fault;
	bool has = false;

	FAULT_TRY(store_begin(store));
	fault = replies_has(store, replies->account, item->address, &has);
	if (!fault && !has)
		fault = take(mem, replies, item);
	point_reach(replies->env->points, POINT_REPLY_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(replies->env->points, POINT_REPLY_DONE);
	return fault;
}

/* ---- many ---- */

/* Those that nobody has read, and that are there. */
static struct fault *unread(TALLOC_CTX *mem, struct replies *replies,
			    const struct endpoint_notice *notice, const char ***list_r,
			    size_t *count_r)
{
	const char **list = MEM_ARRAY(mem, const char *, notice->count);
	size_t count = 0;

	for (size_t i = 0; i < notice->count; i++) {
		const struct endpoint_change *change = &notice->changes[i];
		bool has = false;

		if (change->removed || !change->version)
			continue;
		FAULT_TRY(
			replies_has(replies->env->store, replies->account, change->address, &has));
		if (!has)
			list[count++] = change->address;
	}
	*list_r = list;
	*count_r = count;
	return NULL;
}

/* What wants to be tried again: a mail is read when the server gives it. */
static bool is_for_later(const struct fault *fault)
{
	return fault && fault->kind != FAULT_DATA && fault->kind != FAULT_REFUSED;
}

static struct fault *read_lot(TALLOC_CTX *mem, struct replies *replies, const char *const *list,
			      size_t count)
{
	struct endpoint_item *items = NULL;

	FAULT_TRY(endpoint_fetch(replies->endpoint, mem, replies->mailbox, list, count, &items));
	for (size_t i = 0; i < count; i++) {
		TALLOC_CTX *work = MEM_CONTEXT(mem);

		if (items[i].fault && items[i].fault->kind == FAULT_GONE)
			continue;
		if (is_for_later(items[i].fault)) {
			if (items[i].fault->scope > FAULT_SCOPE_ITEM)
				return items[i].fault;
			replies->later = true; /* the others go on (N6), the token waits */
			continue;
		}
		FAULT_TRY(take_one(work, replies, &items[i]));
		replies->moved = true;
		talloc_free(work);
	}
	return NULL;
}

/* One lot after another: their texts are not there all at once, however many have come. */
static struct fault *read_lots(TALLOC_CTX *mem, struct replies *replies, const char *const *list,
			       size_t count)
{
	struct fault *fault = NULL;

	for (size_t i = 0; i < count && !fault; i += REPLIES_FETCH) {
		TALLOC_CTX *lot = MEM_CONTEXT(mem);

		fault = read_lot(lot, replies, list + i,
				 count - i < REPLIES_FETCH ? count - i : REPLIES_FETCH);
		talloc_steal(mem, fault);
		talloc_free(lot);
	}
	return fault;
}

static struct fault *file_away(TALLOC_CTX *mem, struct replies *replies)
{
	struct store *store = replies->env->store;
	struct fault *fault = NULL;
	char **list = NULL;
	size_t count = 0;

	FAULT_TRY(replies_unfiled(store, mem, replies->account, ROUND_BATCH, &list, &count));
	if (!count)
		return NULL;
	FAULT_TRY(endpoint_shelve(replies->endpoint, mem, replies->mailbox,
				  (const char *const *)list, count,
				  replies->env->conf->replies.processed));
	point_reach(replies->env->points, POINT_REPLY_FILED);
	FAULT_TRY(store_begin(store));
	for (size_t i = 0; i < count && !fault; i++)
		fault = replies_filed(store, replies->account, list[i]);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

static struct fault *advance(struct replies *replies, const char *token)
{
	const struct conf *conf = replies->env->conf;
	int64_t before_us = clock_now_us(replies->env->clock) - 2 * conf->replies.expires_us;
	struct store *store = replies->env->store;
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = replies_token_set(store, replies->account, token);
	if (!fault && conf->replies.processed)
		fault = replies_purge(store, replies->account, before_us);
	if (!fault)
		fault = replies_answers_purge(store, before_us);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

static struct fault *notice(TALLOC_CTX *mem, struct replies *replies, const char *token,
			    struct endpoint_notice **notice_r)
{
	struct fault *fault =
		endpoint_notice(replies->endpoint, mem, replies->mailbox, token, notice_r);

	if (!fault || fault->kind != FAULT_TOKEN || !token)
		return fault;
	return endpoint_notice(replies->endpoint, mem, replies->mailbox, NULL, notice_r);
}

/* A fault of the mailbox is one of its account: there is only the one. */
static struct fault *of_account(struct fault *fault)
{
	return fault && fault->scope < FAULT_SCOPE_ACCOUNT
		       ? fault_reaches(fault, FAULT_SCOPE_ACCOUNT, fault->next)
		       : fault;
}

static struct fault *run(TALLOC_CTX *mem, struct replies *replies)
{
	struct endpoint_notice *noticed = NULL;
	const char **list = NULL;
	char *token = NULL, *mailbox = NULL;
	size_t count = 0;

	FAULT_TRY(endpoint_mailbox(replies->endpoint, mem, replies->env->conf->replies.folder,
				   &mailbox));
	replies->mailbox = mailbox;
	FAULT_TRY(replies_token(replies->env->store, mem, replies->account, &token));
	FAULT_TRY(notice(mem, replies, token, &noticed));
	FAULT_TRY(unread(mem, replies, noticed, &list, &count));
	FAULT_TRY(read_lots(mem, replies, list, count));
	FAULT_TRY(file_away(mem, replies));
	replies->token = replies->later ? token : noticed->token;
	return text_same(token, replies->token) ? NULL : advance(replies, replies->token);
}

struct fault *replies_run(TALLOC_CTX *mem, struct replies *replies)
{
	return of_account(run(mem, replies));
}

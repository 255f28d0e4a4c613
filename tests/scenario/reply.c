#include "config.h"

#include "reply.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "client.h"
#include "gateway/sync/delivery.h"
#include "gateway/sync/replies.h"
#include "store/replies.h"

#define BOX "tasks"

void reply_configure(struct world *world)
{
	const char *path = mem_printf(world->mem, "%s/secret", world->directory);
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file, "%s", path);
	fputs("a secret that nobody knows\n", file);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path, 0600), 0);
	buf_printf(world->rules, REPLY_CONF, world->directory);
}

/* The value of a header field of a message, unfolded; NULL: it has none. */
static char *field(struct world *world, const char *raw, const char *name)
{
	const char *at = strstr(raw, mem_printf(world->mem, "\n%s: ", name)), *end;
	struct buf *value = buf_new(world->mem);

	if (!at)
		return NULL;
	at += strlen(name) + 3;
	do {
		end = at + strcspn(at, "\r\n");
		buf_add(value, at, (size_t)(end - at));
		at = end + strspn(end, "\r\n");
	} while (*at == ' ');
	return value->data;
}

static bool has(const char *how, const char *word)
{
	return strstr(how, word) != NULL;
}

static char *quoted(struct world *world, const char *card)
{
	struct buf *out = buf_new(world->mem);

	while (*card) {
		size_t len = strcspn(card, "\n");

		buf_printf(out, "> %.*s\r\n", (int)len, card);
		card += len + (card[len] == '\n');
	}
	return out->data;
}

static char *sender(struct world *world, const char *how, const char *who)
{
	const char *by = strstr(how, "by=");

	return by ? mem_strndup(world->mem, by + 3, strcspn(by + 3, "+"))
		  : mem_printf(world->mem, "%s@example.com", who);
}

static char *lines(struct world *world, const char *text)
{
	struct buf *out = buf_new(world->mem);

	for (; *text; text++)
		if (text[0] == '\\' && text[1] == 'n') {
			buf_puts(out, "\r\n");
			text++;
		} else {
			buf_putc(out, *text);
		}
	return out->data;
}

static struct endpoint *mailbox(struct world *world, const char *user)
{
	return memory_new(world->mem, world_server_url(world, "a"), user, world->clock, NULL);
}

static void deliver(struct world *world, const char *mail)
{
	struct endpoint *endpoint = mailbox(world, BOX);
	struct endpoint_put put = { .text = mail, .len = strlen(mail) };
	char *address = NULL;

	WORLD_OK(endpoint_mailbox(endpoint, world->mem, "INBOX", &address));
	WORLD_OK(endpoint_put(endpoint, world->mem, address, &put, 1));
	WORLD_OK(put.fault);
}

/* A letter in the middle of the token is another one. */
static char *forge(struct world *world, const char *to)
{
	char *other = mem_strdup(world->mem, to), *at = strchr(other, '+');

	at[30] = at[30] == 'a' ? 'b' : 'a';
	return other;
}

static char *compose(struct world *world, const char *how, const char *who, const char *title,
		     const char *text)
{
	struct client_item *item = client_find(world, who, title);
	const char *from = sender(world, how, who), *to, *id;
	struct buf *mail = buf_new(world->mem);
	const char *other = "Eve <eve@example.com>";

	cr_assert_not_null(item, "%s has no item '%s'", who, title);
	to = field(world, item->raw, "Reply-To");
	id = field(world, item->raw, "Message-ID");
	cr_assert_not_null(to, "no Reply-To:\n%s", item->raw);
	if (has(how, "bounce"))
		buf_puts(mail, "Return-Path: <>\r\n");
	if (!has(how, "unproven"))
		buf_printf(mail,
			   "Authentication-Results: mx.example.com; dmarc=pass header.from=%s\r\n",
			   strchr(from, '@') + 1);
	if (has(how, "passed"))
		buf_printf(mail, "Delivered-To: %s\r\nCc: %s\r\n", to, to);
	if (!has(how, "nameless"))
		buf_printf(mail, "Message-ID: <%lld@example.com>\r\n",
			   (long long)clock_now_us(world->clock));
	buf_printf(
		mail,
		"From: <%s>\r\nTo: %s\r\nSubject: Re: %s\r\n"
		"In-Reply-To: %s\r\nReferences: %s\r\n%s\r\n%s\r\n\r\nOn Monday, Test wrote:\r\n%s",
		from,
		has(how, "forged")   ? forge(world, to)
		: has(how, "passed") ? other
				     : to,
		title, id, id, has(how, "auto") ? "Auto-Submitted: auto-replied\r\n" : "",
		lines(world, text), quoted(world, item->card));
	return mail->data;
}

static char *stamp(struct world *world)
{
	time_t seconds = (time_t)(clock_now_us(world->clock) / CLOCK_SECOND_US);
	char text[sizeof "20261122T080000Z"];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
	return mem_strdup(world->mem, text);
}

/* What a task program sends to an organizer. TEXT: a PARTSTAT, then properties. */
static char *compose_itip(struct world *world, const char *how, const char *who, const char *title,
			  const char *text)
{
	struct client_item *item = client_find(world, who, title);
	const char *from = sender(world, how, who), *properties = strstr(text, "\\n");
	struct buf *mail = buf_new(world->mem);
	size_t part = properties ? (size_t)(properties - text) : strlen(text);

	cr_assert_not_null(item, "%s has no item '%s'", who, title);
	if (!has(how, "unproven"))
		buf_printf(mail,
			   "Authentication-Results: mx.example.com; dmarc=pass header.from=%s\r\n",
			   strchr(from, '@') + 1);
	buf_printf(mail,
		   "From: <%s>\r\nTo: tasks@example.com\r\nSubject: Answer: %s\r\n"
		   "Message-ID: <%lld@example.com>\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
		   "Percent: 99\r\n--b\r\nContent-Type: text/calendar; charset=utf-8;\r\n"
		   " method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VTODO\r\n"
		   "UID:%s\r\nATTENDEE;PARTSTAT=%.*s:MAILTO:%s@example.com\r\n",
		   from, title, (long long)clock_now_us(world->clock),
		   has(how, "stray") ? "nobody-knows-it"
				     : field(world, item->raw, "X-Taskferry-UID"),
		   (int)part, text, has(how, "other") ? "eve" : who);
	if (!strstr(text, "DTSTAMP"))
		buf_printf(mail, "DTSTAMP:%s\r\n", stamp(world));
	if (properties)
		buf_printf(mail, "%s\r\n", lines(world, properties + 2));
	buf_puts(mail, "END:VTODO\r\nEND:VCALENDAR\r\n--b--\r\n");
	return mail->data;
}

void reply_send(struct world *world, const char *how, const char *who, const char *title,
		const char *text)
{
	if (has(how, "imip"))
		world->sent = compose_itip(world, how, who, title, text);
	else if (!has(how, "twice"))
		world->sent = compose(world, how, who, title, text);
	cr_assert_not_null(world->sent);
	deliver(world, world->sent);
}

void reply_read_all(struct world *world, struct round_env *env)
{
	struct replies replies = { .env = env, .report = world->report };
	struct secret *secret = NULL;
	struct fault *fault;

	if (!world->conf->replies.address)
		return;
	WORLD_OK(delivery_reply_secret(world->mem, world->conf, &secret));
	env->reply_secret = secret;
	WORLD_OK(store_begin(world->store));
	WORLD_OK(replies_account(world->store, world->mem, "a", true, &replies.account));
	WORLD_OK(store_commit(world->store));
	replies.endpoint = memory_new(world->mem, world_server_url(world, "a"), BOX, world->clock,
				      world->points);
	fault = replies_run(world->mem, &replies);
	if (fault)
		round_note(world->report, "replies: %s", fault->text);
}

int64_t reply_count(struct world *world, const char *user, const char *name, const char *text)
{
	struct endpoint *endpoint = mailbox(world, user);
	struct endpoint_notice *notice = NULL;
	int64_t count = 0;
	char *address = NULL;

	WORLD_OK(endpoint_mailbox(endpoint, world->mem, name, &address));
	WORLD_OK(endpoint_notice(endpoint, world->mem, address, NULL, &notice));
	for (size_t i = 0; i < notice->count; i++) {
		struct endpoint_item *items = NULL;

		WORLD_OK(endpoint_fetch(endpoint, world->mem, address, &notice->changes[i].address,
					1, &items));
		count += items[0].text && strstr(items[0].text, text);
	}
	return count;
}

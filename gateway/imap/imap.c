#include "config.h"

#include "gateway/imap/imap_private.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "gateway/imap/imap_session_private.h"

/* The endpoint and its connection.
 *
 * There is one session at most, opened by the first operation and kept. Whatever an operation needs
 * to know of the server it asks for in that operation, so that it can begin anew with another
 * session: when the connection turns out to be broken (a server ends one that was quiet for long)
 * before the operation has written anything, it is connected and tried again, once; so it is when a
 * new one has ended at what is not asked again (imap_afar.c). What has been written without an answer
 * is the caller's to find out (M7). */

#define IMAP_PORT 143
#define IMAPS_PORT 993
#define RENEW_MIN_US (60 * CLOCK_SECOND_US) /* between two new tokens of an account: more do not help */

/* ---- where ---- */

static bool read_port(const char *text, int *port_r)
{
	int64_t port;

	if (!text_to_int(text, &port) || *text == '-' || *text == '+' || port < 1 || port > 65535)
		return false;
	*port_r = (int)port;
	return true;
}

static bool is_host(const char *host, bool bracketed)
{
	struct in6_addr address;

	if (bracketed)
		return inet_pton(AF_INET6, host, &address) == 1;
	return *host && *host != '-' && *host != '.' &&
	       !host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789.-_")];
}

bool imap_url_read(TALLOC_CTX *mem, const char *url, struct imap_url *url_r)
{
	bool tls = text_starts(url, "imaps://"), bracketed;
	const char *at = url + strlen(tls ? "imaps://" : "imap://"), *end;
	struct imap_url read = { .tls = tls, .port = tls ? IMAPS_PORT : IMAP_PORT };
	char *rest, *behind;

	if (!tls && !text_starts(url, "imap://"))
		return false;
	rest = mem_strndup(mem, at, strlen(at) - (text_ends(at, "/") ? 1 : 0));
	bracketed = *rest == '[';
	end = bracketed ? strchr(rest, ']') : rest + strcspn(rest, ":");
	if (!end)
		return false;
	read.host = mem_strndup(mem, rest + bracketed, (size_t)(end - rest) - bracketed);
	behind = rest + (end - rest) + bracketed;
	if (!is_host(read.host, bracketed))
		return false;
	if (*behind && (*behind != ':' || !read_port(behind + 1, &read.port)))
		return false;
	*url_r = read;
	return true;
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	return text_equal_nocase(host, "localhost") || !strcmp(host, "::1") ||
	       (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

/* ---- the session ---- */

bool imap_is_connected(struct imap *imap)
{
	struct fault *broken = imap->session ? imap_session_sound(imap->session, imap) : NULL;
	bool sound = imap->session && !broken;

	talloc_free(broken);
	return sound;
}

static void add_stats(struct imap_stats *sum, const struct imap_stats *more)
{
	sum->commands += more->commands;
	sum->writes += more->writes;
	sum->sent_bytes += more->sent_bytes;
	sum->received_bytes += more->received_bytes;
}

void imap_disconnect(struct imap *imap)
{
	struct imap_stats stats;

	TALLOC_FREE(imap->notify);
	imap->notify_refused = imap->notify_worked = false;
	imap->notify_quiet = 0;
	imap_rights_forget(imap);
	imap_afar_forget(imap);
	if (!imap->session)
		return;
	stats = imap_session_stats(imap->session);
	add_stats(&imap->past, &stats);
	imap_session_close(&imap->session);
	TALLOC_FREE(imap->ahead); /* not before: it would wait for answers */
}

bool imap_starts_tls(const struct imap *imap)
{
	return !imap->at.tls && (imap->account.starttls || !is_loopback(imap->at.host));
}

/* True when there is another token than the one that was refused. */
static bool renew(struct imap *imap)
{
	struct imap_account *account = &imap->account;
	const struct secret *now = NULL;
	const char *text;
	int64_t at = clock_now_us(imap->clock);

	if (!account->renew || (imap->renewed_us && at - imap->renewed_us < RENEW_MIN_US))
		return false;
	imap->renewed_us = at;
	talloc_free(account->renew(account->renew_context, &now));
	text = now ? secret_reveal(now) : "";
	if (!now || !strcmp(text, secret_reveal(account->password)))
		return false;
	talloc_free((void *)account->password); /* imap_new() made it: wiped */
	account->password = secret_new(imap, text, strlen(text));
	return true;
}

static struct fault *connect_once(struct imap *imap, TALLOC_CTX *mem)
{
	const struct imap_account *account = &imap->account;
	struct imap_session_options options = {
		.host = imap->at.host,
		.port = imap->at.port,
		.tls = imap->at.tls,
		.tls_ca = account->tls_ca,
		.tls_cert = account->tls_cert,
		.tls_key = account->tls_key,
		.tls_pin = account->tls_pin,
		.trusts = account->trusts,
		.stop_fd = account->stop_fd,
		.auth = account->auth,
		.user = account->user,
		.authorize = account->authorize,
		.master = account->master,
		.password = account->password,
		.clock = imap->clock,
		.points = imap->points,
		.command_ms = account->command_ms,
		.compress_after = account->compress_after,
		.without = account->without,
	};
	struct fault *fault;

	if (!imap->at.host)
		return fault_reaches(fault_new(mem, FAULT_CONFIG, "not the URL of an IMAP server"),
				     FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
	options.starttls = imap_starts_tls(imap);
	imap->connections++;
	fault = imap_session_open(imap, &options, &imap->session);
	return talloc_steal(mem, fault);
}

static struct fault *connect_now(struct imap *imap, TALLOC_CTX *mem)
{
	struct fault *fault = connect_once(imap, mem);

	if (!fault || fault->kind != FAULT_LOGIN || imap->account.auth != IMAP_AUTH_BEARER ||
	    !renew(imap))
		return fault;
	talloc_free(fault);
	return connect_once(imap, mem);
}

static struct fault *connect_if_need_be(struct imap *imap, TALLOC_CTX *mem)
{
	imap->is_new = !imap_is_connected(imap);
	if (!imap->is_new)
		return NULL;
	imap_disconnect(imap);
	return connect_now(imap, mem);
}

int64_t imap_writes(const struct imap *imap)
{
	return imap->past.writes + (imap->session ? imap_session_stats(imap->session).writes : 0);
}

static struct fault *attempt(struct imap *imap, TALLOC_CTX *results, imap_operation *operation,
			     void *context)
{
	TALLOC_CTX *work = MEM_CONTEXT(results);
	struct fault *fault = connect_if_need_be(imap, work);

	if (!fault && operation != imap_notice_do)
		fault = imap_ahead_drop(imap);
	if (!fault)
		fault = operation(imap, work, context);
	talloc_steal(results, fault);
	talloc_free(work);
	return fault;
}

struct fault *imap_do(struct imap *imap, TALLOC_CTX *results, imap_operation *operation,
		      void *context)
{
	bool was_connected = imap_is_connected(imap), was_refused = imap->afar_refused;
	int64_t writes = imap_writes(imap);
	struct fault *fault = attempt(imap, results, operation, context);

	if (!fault || imap_is_connected(imap) || imap_writes(imap) != writes)
		return fault;
	if ((fault->kind != FAULT_UNREACHABLE || !was_connected) &&
	    imap->afar_refused == was_refused) /* else the second time goes without UNSELECT */
		return fault;
	talloc_free(fault);
	return attempt(imap, results, operation, context);
}

struct fault *imap_run(struct imap *imap, TALLOC_CTX *mem, const struct imap_line *line,
		       imap_each *each, void *context, enum fault_scope scope, const char *what)
{
	struct imap_answer answer;

	FAULT_TRY(imap_session_run(imap->session, mem, line, each, context, &answer));
	return imap_answer_fault(mem, &answer, scope, what);
}

struct fault *imap_noop(struct imap *imap, TALLOC_CTX *mem)
{
	return imap_run(imap, mem, imap_line_new(mem, "NOOP", false), NULL, NULL,
			FAULT_SCOPE_FOLDER, "NOOP");
}

struct fault *imap_fault_copy(TALLOC_CTX *mem, const struct fault *fault)
{
	struct fault *copy = fault_new(mem, fault->kind, "%s", fault->text);

	copy->maybe_done = fault->maybe_done;
	copy->retry_after_s = fault->retry_after_s;
	return fault_reaches(copy, fault->scope, fault->next);
}

/* ---- the endpoint ---- */

static void stats(struct endpoint *endpoint, struct endpoint_stats *stats_r)
{
	const struct imap *imap = (const struct imap *)endpoint;
	struct imap_stats sum = imap->past, now = { .commands = 0 };

	if (imap->session)
		now = imap_session_stats(imap->session);
	add_stats(&sum, &now);
	*stats_r = (struct endpoint_stats){ .requests = sum.commands,
					    .writes = sum.writes,
					    .connections = imap->connections,
					    .sent_bytes = sum.sent_bytes,
					    .received_bytes = sum.received_bytes };
}

static char *no_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			const char *uid)
{
	(void)endpoint;
	(void)mem;
	(void)folder;
	(void)uid;
	return NULL;
}

static const struct endpoint_ops imap_ops = {
	.kind = "imap",
	.form = ENDPOINT_MESSAGE,
	.appends = true,
	.probe = imap_doctor_probe,
	.ensure = imap_folder_ensure,
	.notice = imap_notice,
	.fetch = imap_fetch,
	.put = imap_write_put,
	.put_begin = imap_write_begin,
	.put_end = imap_write_end,
	.remove = imap_remove,
	.address = no_address,
	.locate = imap_locate,
	.beside = imap_done_beside,
	.beside_make = imap_done_beside_make,
	.download = imap_parts_download,
	.advance = imap_notice_advance,
	.doubt = imap_token_doubt,
	.sweep = imap_sweep,
	.listen = imap_listen,
	.heard = imap_listen_heard,
	.hush = imap_listen_hush,
	.follow = imap_listen_follow,
	.rest = imap_listen_rest,
	.mailbox = imap_mailbox,
	.shelve = imap_mailbox_shelve,
	.tell = imap_mailbox_tell,
	.stats = stats,
};

static int imap_end(struct imap *imap)
{
	imap_session_close(&imap->session);
	return 0;
}

struct endpoint *imap_new(TALLOC_CTX *mem, struct clock *clock, struct points *points,
			  const struct imap_account *account)
{
	struct imap *imap = MEM_NEW(mem, struct imap);
	const char *password = account->password ? secret_reveal(account->password) : "";

	imap->endpoint.ops = &imap_ops;
	imap->clock = clock;
	imap->points = points;
	imap->account = *account;
	imap->account.url = mem_strdup(imap, account->url);
	imap->account.user = mem_strdup(imap, account->user);
	imap->account.password = secret_new(imap, password, strlen(password));
	imap->account.authorize = mem_strdup(imap, account->authorize);
	imap->account.tls_ca = mem_strdup(imap, account->tls_ca);
	imap->account.done_folder =
		account->done_folder ? mem_strdup(imap, account->done_folder) : NULL;
	imap->account.tls_cert = mem_strdup(imap, account->tls_cert);
	imap->account.tls_key = mem_strdup(imap, account->tls_key);
	imap->account.tls_pin = mem_strdup(imap, account->tls_pin);
	(void)imap_url_read(imap, imap->account.url, &imap->at);
	talloc_set_destructor(imap, imap_end);
	return &imap->endpoint;
}

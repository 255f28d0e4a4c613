/* kind_real.c - Radicale, Dovecot and others as servers of a world.
 *
 * Rounds and clients reach them as the service does (gateway/sync/delivery.h), each over an endpoint
 * of their own, in real time, while the world's clock stands until it is turned. So every endpoint
 * stands in a wrapper, which keeps a journal of the writes (what was written when, by both clocks):
 * the server's time of a text is checked against the moment in which it was really written, and then
 * told as the world's time of that moment. */
#include "config.h"

#include "kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "gateway/imap/imap_flags.h"
#include "gateway/imap/imap_session.h"
#include "gateway/sync/delivery.h"
#include "orders.h"
#include "world.h"

#define PASSWORD "secret"
/* A server tells whole seconds, and a slow answer shifts them by what it took; a wrong zone is more. */
#define TIME_TOLERANCE_US (60 * CLOCK_SECOND_US)

static const char *const people[] = { "ana", "bob", "cy", "dan", "eve" }; /* who has an account */

/* One text that was written. */
struct entry {
	const char *email, *address, *version;
	int64_t begun_us, done_us; /* real */
	int64_t world_us;
};

struct real_folder {
	const char *email, *address;
};

struct told {
	struct endpoint endpoint;
	struct endpoint_ops ops;
	struct endpoint *inner;
	struct world *world;
	const char *email;
	bool is_round; /* not a client's */
};

/* A text that was sent and is to land later. */
struct late {
	const char *folder;
	struct endpoint_put put;
};

struct real {
	const struct kind *kind;
	const char *url;
	size_t number;
	struct clock *clock; /* the system's */
	struct http *http;
	struct trusts *trusts;
	struct entry *entries;
	size_t entry_count;
	struct real_folder *folders;
	size_t folder_count;
	struct told **tolds;
	size_t told_count;
	struct orders orders;
	struct late *late;
	int64_t writes;
	int64_t filed_us; /* when a mail client last moved a message, in the world's time */
};

/* ---- the journal ---- */

static void take_put(struct told *told, const struct endpoint_put *put, int64_t begun_us)
{
	struct real *real = told->world->real;
	const char *version = put->version    ? put->version
			      : put->answered ? put->answered
					      : put->placed;
	struct entry *entry;

	cr_assert_not_null(version, "the server names no version of what it took");
	real->entries = MEM_GROW(real, real->entries, struct entry, real->entry_count + 1);
	entry = &real->entries[real->entry_count++];
	entry->email = told->email;
	entry->address = mem_strdup(real, put->placed ? put->placed : put->address);
	entry->version = mem_strdup(real, version);
	entry->begun_us = begun_us;
	entry->done_us = clock_now_us(real->clock);
	entry->world_us = clock_now_us(told->world->clock);
}

/* Marks stand behind a blank in a version (endpoint.h). */
static bool is_same_text(const char *a, const char *b)
{
	size_t n = strcspn(a, " ");

	return n == strcspn(b, " ") && !strncmp(a, b, n);
}

/* The last write of that text. */
static const struct entry *find_entry(const struct told *told, const struct endpoint_item *item)
{
	const struct real *real = told->world->real;

	for (size_t i = real->entry_count; i-- > 0;)
		if (!strcmp(real->entries[i].address, item->address) &&
		    is_same_text(real->entries[i].version, item->version) &&
		    !strcmp(real->entries[i].email, told->email))
			return &real->entries[i];
	return NULL;
}

/* What a mail client moved stands elsewhere since. */
static const struct entry *add_filed(struct told *told, const struct endpoint_item *item)
{
	struct endpoint_put put = { .address = item->address, .version = item->version };
	struct entry *entry;

	if (!told->world->real->filed_us)
		return NULL;
	take_put(told, &put, clock_now_us(told->world->real->clock));
	entry = &told->world->real->entries[told->world->real->entry_count - 1];
	entry->world_us = told->world->real->filed_us;
	return entry;
}

static void tell_time(struct told *told, struct endpoint_item *item, bool asked)
{
	const struct entry *entry = find_entry(told, item);

	if (!entry)
		entry = add_filed(told, item);
	cr_assert_not_null(entry, "nobody has written %s %s:\n%s", item->address, item->version,
			   item->text);
	if (asked && item->modified_us) /* some never tell */
		cr_assert(item->modified_us >= entry->begun_us - TIME_TOLERANCE_US &&
				  item->modified_us <= entry->done_us + TIME_TOLERANCE_US,
			  "%s was written at %" PRId64 ", the server says %" PRId64, item->address,
			  entry->done_us, item->modified_us);
	item->modified_us = entry->world_us;
}

/* ---- the wrapper ---- */

static struct told *told_of(struct world *world, const char *server, const struct resource *person,
			    bool is_round);

static struct endpoint *inner_of(struct endpoint *endpoint)
{
	return ((struct told *)endpoint)->inner;
}

static const char *known_folder(const struct world *world, const char *email)
{
	const struct real *real = world->real;

	for (size_t i = 0; i < real->folder_count; i++)
		if (!strcmp(real->folders[i].email, email))
			return real->folders[i].address;
	return NULL;
}

static void take_folder(struct told *told, const char *address)
{
	struct real *real = told->world->real;
	const char *known = known_folder(told->world, told->email);

	if (known) {
		cr_assert_str_eq(known, address, "another folder of the same project");
		return;
	}
	real->folders = MEM_GROW(real, real->folders, struct real_folder, real->folder_count + 1);
	real->folders[real->folder_count++] =
		(struct real_folder){ told->email, mem_strdup(real, address) };
}

static struct fault *told_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				 const struct endpoint_folder *folder, const char *known,
				 char **address_r, bool *created_r)
{
	struct told *told = (struct told *)endpoint;
	struct fault *fault =
		endpoint_ensure(told->inner, mem, folder, known, address_r, created_r);

	if (fault)
		return fault;
	take_folder(told, *address_r);
	told->world->real->writes += *created_r;
	return NULL;
}

static const char *ordered(const struct told *told, const char *operation)
{
	return told->is_round ? orders_next(&told->world->real->orders, operation) : NULL;
}

static struct fault *told_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 const char *token, struct endpoint_notice **notice_r)
{
	struct told *told = (struct told *)endpoint;

	FAULT_TRY(orders_fault(mem, ordered(told, "notice")));
	return endpoint_notice(told->inner, mem, folder, token, notice_r);
}

/* What is ordered for a listed item takes the place of what the server answered for it. */
static struct fault *take_items(struct told *told, TALLOC_CTX *mem, bool timed, size_t count,
				struct endpoint_item *items)
{
	for (size_t i = 0; i < count; i++) {
		struct fault *fault = orders_fault(mem, ordered(told, "fetch"));

		if (fault && fault->scope != FAULT_SCOPE_ITEM)
			return fault;
		if (fault)
			items[i] = (struct endpoint_item){ .address = items[i].address,
							   .fault = fault };
		else if (!items[i].fault && (timed || items[i].modified_us))
			tell_time(told, &items[i], timed);
	}
	return NULL;
}

static struct fault *told_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				const char *const *addresses, size_t count,
				struct endpoint_item **items_r)
{
	FAULT_TRY(endpoint_fetch(inner_of(endpoint), mem, folder, addresses, count, items_r));
	return take_items((struct told *)endpoint, mem, true, count, *items_r);
}

static struct fault *told_read_back(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *const *addresses, size_t count,
				    struct endpoint_item **items_r)
{
	FAULT_TRY(endpoint_read_back(inner_of(endpoint), mem, folder, addresses, count, items_r));
	return take_items((struct told *)endpoint, mem, false, count, *items_r);
}

static struct fault *put_now(struct told *told, TALLOC_CTX *mem, const char *folder,
			     struct endpoint_put *put)
{
	int64_t begun_us = clock_now_us(told->world->real->clock);
	struct fault *fault = endpoint_put(told->inner, mem, folder, put, 1);

	if (!fault && !put->fault)
		take_put(told, put, begun_us);
	return fault;
}

static void keep_late(struct told *told, const char *folder, const struct endpoint_put *put)
{
	struct real *real = told->world->real;

	cr_assert(told->ops.appends, "what is put at an address cannot come late");
	cr_assert_null(real->late, "one is late already");
	real->late = MEM_NEW(real, struct late);
	real->late->folder = mem_strdup(real->late, folder);
	real->late->put.text = mem_bytes(real->late, put->text, put->len);
	real->late->put.len = put->len;
}

/* What was on its way lands, before anything else is put; the connection that it was sent on has
 * broken. */
static struct fault *land(struct told *told, TALLOC_CTX *mem)
{
	struct late *late = told->world->real->late;
	struct resource person = { .key = told->email, .email = told->email };

	if (!late)
		return NULL;
	FAULT_TRY(
		put_now(told_of(told->world, "a", &person, false), mem, late->folder, &late->put));
	WORLD_OK(late->put.fault);
	TALLOC_FREE(told->world->real->late);
	return NULL;
}

/* A trailing property that is not ours, as a server in memory adds it. */
static void rewrite(TALLOC_CTX *mem, struct endpoint_put *put)
{
	const char *end = strstr(put->text, "END:VTODO");

	put->text = mem_printf(mem, "%.*sX-MEMORY-REWRITTEN:1\r\n%s", (int)(end - put->text),
			       put->text, end);
	put->len = strlen(put->text);
}

/* One item of which something is ordered. */
static struct fault *put_ordered(struct told *told, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_put *put, const char *word)
{
	const struct endpoint_put asked = *put;

	put->fault = orders_denied(word) ? NULL : orders_fault(mem, word);
	if (put->fault)
		return NULL;
	if (!strcmp(word, "late")) {
		keep_late(told, folder, put);
		put->fault = orders_lost(mem);
		return NULL;
	}
	if (!strcmp(word, "rewrite"))
		rewrite(mem, put);
	FAULT_TRY(put_now(told, mem, folder, put));
	put->text = asked.text;
	put->len = asked.len;
	if (!strcmp(word, "lost") || (orders_denied(word) && !put->fault)) {
		*put = asked;
		put->fault = orders_denied(word) ? orders_fault(mem, orders_denied(word))
						 : orders_lost(mem);
	}
	return NULL;
}

/* Up to the next item of which something is ordered, at once. */
static struct fault *told_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			      struct endpoint_put *puts, size_t count)
{
	struct told *told = (struct told *)endpoint;
	struct real *real = told->world->real;
	int64_t begun_us = clock_now_us(real->clock);

	FAULT_TRY(land(told, mem));
	if (told->is_round)
		real->writes += (int64_t)count;
	for (size_t from = 0, n; from < count; from += n) {
		const char *word = NULL;

		for (n = 0; from + n < count && !(word = ordered(told, "put"));)
			n++;
		if (n)
			FAULT_TRY(endpoint_put(told->inner, mem, folder, puts + from, n));
		for (size_t i = from; i < from + n; i++)
			if (!puts[i].fault)
				take_put(told, &puts[i], begun_us);
		if (word)
			FAULT_TRY(put_ordered(told, mem, folder, &puts[from + n++], word));
	}
	return NULL;
}

static struct fault *remove_ordered(struct told *told, TALLOC_CTX *mem, const char *folder,
				    struct endpoint_remove *remove, const char *word)
{
	remove->fault = orders_denied(word) ? NULL : orders_fault(mem, word);
	if (remove->fault)
		return NULL;
	FAULT_TRY(endpoint_remove(told->inner, mem, folder, remove, 1));
	if (word && !strcmp(word, "lost"))
		remove->fault = orders_lost(mem);
	if (orders_denied(word) && !remove->fault)
		remove->fault = orders_fault(mem, orders_denied(word));
	return NULL;
}

static struct fault *told_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_remove *removes, size_t count)
{
	struct told *told = (struct told *)endpoint;
	struct orders *orders = &told->world->real->orders;

	if (!told->is_round)
		return endpoint_remove(told->inner, mem, folder, removes, count);
	told->world->real->writes += (int64_t)count;
	if (!orders->count)
		return endpoint_remove(told->inner, mem, folder, removes, count);
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(remove_ordered(told, mem, folder, &removes[i],
					 orders_next(orders, "remove")));
	return NULL;
}

static char *told_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  const char *uid)
{
	return endpoint_address(inner_of(endpoint), mem, folder, uid);
}

static struct fault *told_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const char *token, char **token_r)
{
	return endpoint_advance(inner_of(endpoint), mem, folder, token, token_r);
}

static char *told_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *token)
{
	return endpoint_doubt(inner_of(endpoint), mem, token);
}

static struct fault *told_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				   const char *uri, size_t max, char **bytes_r, size_t *len_r)
{
	return endpoint_download(inner_of(endpoint), mem, folder, uri, max, bytes_r, len_r);
}

static const struct endpoint_ops told_ops = {
	.ensure = told_ensure,
	.notice = told_notice,
	.fetch = told_fetch,
	.read_back = told_read_back,
	.put = told_put,
	.remove = told_remove,
	.address = told_address,
	.advance = told_advance,
	.doubt = told_doubt,
	.download = told_download,
};

static bool is_known(const char *email)
{
	for (size_t i = 0; i < COUNT_OF(people); i++)
		if (text_starts(email, people[i]) && email[strlen(people[i])] == '@')
			return true;
	return false;
}

static struct told *told_new(struct world *world, const struct conf_server *server,
			     const struct resource *person, bool is_round)
{
	struct real *real = world->real;
	struct delivery delivery = { .http = real->http,
				     .clock = real->clock,
				     .conf = world->conf,
				     .trusts = real->trusts,
				     .stop_fd = -1 };
	struct told *told = MEM_NEW(real, struct told);

	cr_assert(is_known(person->email), "%s is not among the people of kind_real.c",
		  person->email);
	WORLD_OK(delivery_endpoint(told, &delivery, server, person, &told->inner));
	told->ops = told_ops;
	told->ops.kind = told->inner->ops->kind;
	told->ops.form = told->inner->ops->form;
	told->ops.appends = told->inner->ops->appends;
	told->endpoint.ops = &told->ops;
	told->world = world;
	told->email = mem_strdup(real, person->email);
	told->is_round = is_round;
	return told;
}

static struct told *told_of(struct world *world, const char *server, const struct resource *person,
			    bool is_round)
{
	struct real *real = world->real;

	for (size_t i = 0; i < real->told_count; i++)
		if (!strcmp(real->tolds[i]->email, person->email) &&
		    real->tolds[i]->is_round == is_round)
			return real->tolds[i];
	real->tolds = MEM_GROW(real, real->tolds, struct told *, real->told_count + 1);
	real->tolds[real->told_count] =
		told_new(world, conf_server_find(world->conf, server), person, is_round);
	return real->tolds[real->told_count++];
}

/* ---- the kind ---- */

static void section(struct world *world, const char *server, struct buf *ini)
{
	struct real *real = world->real;

	(void)server;
	buf_printf(
		ini, "type = %s\nurl = %s\nlogin = %%{local}-%zu\npassword = " PASSWORD "\n",
		real->kind->messages ? "imap" : "caldav",
		mem_printf(world->mem, "%s%s", real->url, real->kind->root ? real->kind->root : ""),
		real->number);
}

static struct endpoint *account(struct world *world, const struct conf_server *server,
				const struct resource *person)
{
	return &told_of(world, server->name, person, true)->endpoint;
}

static struct kind_account client(struct world *world, const char *server,
				  const struct resource *person, const struct endpoint_folder *name)
{
	struct kind_account account;

	(void)name;
	account.endpoint = &told_of(world, server, person, false)->endpoint;
	account.folder = known_folder(world, person->email);
	return account;
}

static void order(struct world *world, const char *operation, int64_t from_now, const char *word)
{
	orders_add(&world->real->orders, operation, from_now, word);
}

static int64_t writes(struct world *world, const char *server)
{
	(void)server;
	return world->real->writes;
}

/* The next `sync` connects anew, as the command does; clients stay. */
static int64_t rest(struct world *world)
{
	struct real *real = world->real;
	size_t kept = 0;
	int64_t requests = 0;

	for (size_t i = 0; i < real->told_count; i++) {
		struct told *told = real->tolds[i];

		if (!told->is_round) {
			real->tolds[kept++] = told;
			continue;
		}
		requests += endpoint_stats(told->inner).writes;
		talloc_free(told);
	}
	real->told_count = kept;
	return requests;
}

static char *login_of(struct world *world, const struct resource *person)
{
	return mem_printf(world->mem, "%.*s-%zu", (int)strcspn(person->email, "@"), person->email,
			  world->real->number);
}

static void drop_collection(struct world *world, const char *server, const struct resource *person,
			    const char *folder)
{
	struct real *real = world->real;
	struct http_site site = { .user = login_of(world, person),
				  .password = secret_new(world->mem, PASSWORD, strlen(PASSWORD)) };
	struct http_request request = { .method = "DELETE", .writes = true };

	(void)server;
	request.url =
		mem_printf(world->mem, "%.*s%s", (int)strlen(real->url) - 1, real->url, folder);
	http_run(real->http, world->mem, &site, &request, 1);
	WORLD_OK(request.fault);
	cr_assert(request.status == 200 || request.status == 204, "DELETE %s: status %d",
		  request.url, request.status);
}

/* A connection of the person's own mail client. */
static struct imap_session *log_in(struct world *world, const struct resource *person)
{
	struct real *real = world->real;
	struct imap_session_options options = {
		.host = "127.0.0.1",
		.port = (int)strtol(strrchr(real->url, ':') + 1, NULL, 10),
		.trusts = real->trusts,
		.stop_fd = -1,
		.user = login_of(world, person),
		.password = secret_new(world->mem, PASSWORD, strlen(PASSWORD)),
		.clock = real->clock
	};
	struct imap_session *session = NULL;

	WORLD_OK(imap_session_open(world->mem, &options, &session));
	return session;
}

static void say(struct world *world, struct imap_session *session, const struct imap_line *line)
{
	struct imap_answer answer;

	WORLD_OK(imap_session_run(session, world->mem, line, NULL, NULL, &answer));
	cr_assert_eq((int)answer.status, IMAP_OK, "%s", answer.text);
}

/* The mailbox for what is done stands below the folder's; an address in it begins with "d"
 * (gateway/imap/imap.h). */
static char *mailbox_of(struct world *world, const struct imap_session *session, const char *folder,
			bool done)
{
	char *below = mem_printf(world->mem, "%s%cDone", folder, imap_session_delimiter(session));

	return done ? below : mem_strdup(world->mem, folder);
}

/* Whether it could be deleted. */
static bool delete_mailbox(struct world *world, struct imap_session *session, const char *name)
{
	struct imap_line *line = imap_line_new(world->mem, "DELETE ", true);
	struct imap_answer answer;

	imap_line_mailbox(line, name);
	WORLD_OK(imap_session_run(session, world->mem, line, NULL, NULL, &answer));
	return answer.status == IMAP_OK;
}

static void drop_mailbox(struct world *world, const char *server, const struct resource *person,
			 const char *folder)
{
	struct imap_session *session = log_in(world, person);

	(void)server;
	(void)delete_mailbox(world, session, mailbox_of(world, session, folder, true));
	cr_assert(delete_mailbox(world, session, folder), "DELETE %s", folder);
	imap_session_close(&session);
}

/* "UID STORE 7 " on the message of that ADDRESS, in its selected mailbox. */
static struct imap_line *about(struct world *world, struct imap_session *session,
			       const char *folder, const char *address, const char *command)
{
	struct imap_line *line = imap_line_new(world->mem, command, true);
	struct imap_answer answer;

	WORLD_OK(imap_session_select(session, world->mem,
				     mailbox_of(world, session, folder, *address == 'd'), false,
				     &answer));
	cr_assert_eq((int)answer.status, IMAP_OK, "%s", answer.text);
	imap_line_add(line, "%ld ", strtol(strchr(address, '.') + 1, NULL, 10));
	return line;
}

static void flag(struct world *world, const struct resource *person, const struct client_item *item,
		 const char *flags, bool set)
{
	struct imap_session *session = log_in(world, person);
	struct imap_line *line = about(world, session, known_folder(world, person->email),
				       item->address, "UID STORE ");

	imap_line_add(line, "%cFLAGS.SILENT (%s)", set ? '+' : '-', flags);
	say(world, session, line);
	imap_session_close(&session);
}

struct flags_told {
	TALLOC_CTX *mem;
	const char *text;
};

static struct fault *take_flags(void *context, const struct imap_response *response)
{
	struct flags_told *told = context;
	const struct imap_node *items = response->args ? response->args->first : NULL;
	const struct imap_node *list = imap_node_after(items, "FLAGS");

	if (!strcmp(response->name, "FETCH") && list)
		told->text = imap_flags_text(told->mem, imap_flags_of_list(told->mem, list));
	return NULL;
}

static const char *flags(struct world *world, const struct resource *person,
			 const struct client_item *item)
{
	struct imap_session *session = log_in(world, person);
	struct imap_line *line = about(world, session, known_folder(world, person->email),
				       item->address, "UID FETCH ");
	struct flags_told told = { world->mem, "" };
	struct imap_answer answer;

	imap_line_add(line, "(FLAGS)");
	WORLD_OK(imap_session_run(session, world->mem, line, take_flags, &told, &answer));
	imap_session_close(&session);
	return told.text;
}

static void file(struct world *world, const struct resource *person, const char *folder,
		 const struct client_item *item, bool done, bool keep)
{
	struct imap_session *session = log_in(world, person);
	bool moves = !keep && imap_session_can(session, IMAP_CAP_MOVE);
	struct imap_line *line =
		about(world, session, folder, item->address, moves ? "UID MOVE " : "UID COPY ");

	imap_line_mailbox(line, mailbox_of(world, session, folder, done));
	say(world, session, line);
	if (!keep && !moves) {
		line = about(world, session, folder, item->address, "UID STORE ");
		imap_line_add(line, "+FLAGS.SILENT (\\Deleted)");
		say(world, session, line);
		say(world, session, imap_line_new(world->mem, "EXPUNGE", true));
	}
	imap_session_close(&session);
	world->real->filed_us = clock_now_us(world->clock);
}

const struct kind kind_radicale = {
	.name = "radicale",
	.script = "radicale",
	.one_of_a_uid = true,
	.required_plays = 45,
	.section = section,
	.account = account,
	.client = client,
	.drop_folder = drop_collection,
	.order = order,
	.writes = writes,
	.rest = rest,
};

#define CALENDARS(name_, root_, one_of_a_uid_)                                                     \
	const struct kind kind_##name_ = {                                                         \
		.name = #name_,                                                                    \
		.script = #name_,                                                                  \
		.root = root_,                                                                     \
		.adds_users = true,                                                                \
		.one_of_a_uid = one_of_a_uid_,                                                     \
		.required_plays = 45,                                                              \
		.section = section,                                                                \
		.account = account,                                                                \
		.client = client,                                                                  \
		.drop_folder = drop_collection,                                                    \
		.order = order,                                                                    \
		.writes = writes,                                                                  \
		.rest = rest,                                                                      \
	}

CALENDARS(cyrus, "dav/", true);
CALENDARS(davical, "caldav.php/", false);
CALENDARS(xandikos, "", true);
CALENDARS(sogo, "SOGo/dav/", false);

const struct kind kind_dovecot = {
	.name = "dovecot",
	.script = "dovecot",
	.messages = true,
	.required_plays = 50,
	.section = section,
	.account = account,
	.client = client,
	.drop_folder = drop_mailbox,
	.flag = flag,
	.flags = flags,
	.file = file,
	.order = order,
	.writes = writes,
	.rest = rest,
};

/* What depends on the server of messages itself: everything else is the same over Dovecot. */
static const char *const chosen[] = {
	"percent-number.", /* the first: not over Courier, which takes no keyword of digits only */
	"adoption.",
	"brought-back.",
	"delete-decline.",
	"flag-only.",
	"folder-gone.",
	"folder-renamed.",
	"foreign.",
	"lost-answer.",
	"mark-",
	"message-",
	"moved-marked.",
	"newer-mailbox.",
	"progress.",
	"renamed.",
	"renumbered.",
	"sweep.",
	"token-lost.",
	"withdrawn.",
	"withdrawn-marked.",
	"written-together.",
	NULL
};

const struct kind kind_cyrus_imap = {
	.name = "cyrus-imap",
	.script = "cyrus",
	.command = "start-imap",
	.messages = true,
	.adds_users = true,
	.chosen = chosen,
	.required_plays = 20,
	.section = section,
	.account = account,
	.client = client,
	.drop_folder = drop_mailbox,
	.flag = flag,
	.flags = flags,
	.file = file,
	.order = order,
	.writes = writes,
	.rest = rest,
};

const struct kind kind_courier = {
	.name = "courier",
	.script = "courier",
	.messages = true,
	.adds_users = true,
	.chosen = chosen + 1,
	.required_plays = 20,
	.section = section,
	.account = account,
	.client = client,
	.drop_folder = drop_mailbox,
	.flag = flag,
	.flags = flags,
	.file = file,
	.order = order,
	.writes = writes,
	.rest = rest,
};

void kind_real_use(struct world *world, const struct kind *kind, const char *url, size_t number)
{
	struct real *real = MEM_NEW(world->mem, struct real);

	cr_assert_lt(number, (size_t)KIND_REAL_WORLDS);
	real->kind = kind;
	real->orders.mem = real;
	real->url = mem_strdup(real, url);
	real->number = number;
	real->clock = clock_system(real);
	real->trusts = trusts_new(real);
	WORLD_OK(http_new(real, real->clock, NULL, &real->http));
	world->kind = kind;
	world->messages = kind->messages;
	world->real = real;
}

bool kind_real_add_users(const struct kind *kind, const char *dir)
{
	char *path = mem_printf(NULL, "%s/users", dir);
	FILE *file = fopen(path, "a");

	talloc_free(path);
	if (!file)
		return false;
	for (size_t i = 0; i < KIND_REAL_WORLDS; i++)
		for (size_t p = 0; p < COUNT_OF(people); p++)
			fprintf(file, "%s-%zu:" PASSWORD "%s\n", people[p], i,
				kind->messages ? "::::::" : "");
	return fclose(file) == 0;
}

void kind_real_name_users(const char *text, size_t number, struct buf *lines)
{
	for (size_t p = 0; p < COUNT_OF(people); p++)
		if (strstr(text, people[p]))
			buf_printf(lines, "%s-%zu\n", people[p], number);
}

/* Endpoints before what they were made with. */
void kind_real_end(struct world *world)
{
	struct real *real = world->real;

	if (!real)
		return;
	for (size_t i = 0; i < real->told_count; i++)
		talloc_free(real->tolds[i]);
	TALLOC_FREE(real->http);
	TALLOC_FREE(world->real);
}

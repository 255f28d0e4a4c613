/* imap_kit.h - real Dovecots, one for each way in which mailboxes are kept on disk, or a Cyrus and a
 * Courier; an account on them, and another client of the same account: for tests of the IMAP endpoint.
 *
 * Every test has an account of its own: Dovecot says "Mailbox already exists" now and then while
 * two sessions make different ones at once. */
#ifndef TASKFERRY_TESTS_IMAP_KIT_H
#define TASKFERRY_TESTS_IMAP_KIT_H

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "endpoint_contract.h"
#include "fixture.h"
#include "gateway/imap/imap.h"
#include "gateway/imap/imap_session.h"

#define SERVER_MISSING "missing" /* in place of a folder */
#define WAIT_MS 60000            /* for something that comes within a second */

enum { DOT, SLASH, FS, SDBOX, CYRUS, COURIER, PLUGINS };

/* Of which a program makes use: from which one on, and how many. */
#ifndef IMAP_KIT_FIRST
#define IMAP_KIT_FIRST DOT
#endif
#ifndef IMAP_KIT_KINDS
#define IMAP_KIT_KINDS 4
#endif

static const struct kind {
	const char *name, *variable, *script, *command, *layout, *separator;
} kinds[] = {
	[DOT] = { "Dovecot", "IMAP_CONTRACT_DOT", "dovecot", "start", "maildir", "." },
	[SLASH] = { "Dovecot", "IMAP_CONTRACT_SLASH", "dovecot", "start", "maildir", "/" },
	[FS] = { "Dovecot", "IMAP_CONTRACT_FS", "dovecot", "start", "fs", "/" },
	[SDBOX] = { "Dovecot", "IMAP_CONTRACT_SDBOX", "dovecot", "start", "sdbox", "/" },
	[CYRUS] = { "Cyrus", "IMAP_CONTRACT_CYRUS", "cyrus", "start-imap", "", "/" },
	[COURIER] = { "Courier", "IMAP_CONTRACT_COURIER", "courier", "start", "", "." },
	[PLUGINS] = { "Dovecot", "IMAP_CONTRACT_PLUGINS", "dovecot", "start", "maildir", "/" },
};

/* Of a hash, in hex: 4096 accounts for some hundred tests; Courier takes 5 ms to make one, and has few
 * tests. */
static inline int user_digits(int kind)
{
	return kind == COURIER ? 2 : 3;
}

static inline char *user_of(TALLOC_CTX *mem, int kind, const char *test)
{
	return mem_printf(mem, "t%s",
			  digest_short(mem, test, strlen(test), (size_t)user_digits(kind)));
}

/* Before the first login: Dovecot reads the file again when it has changed, but not at once. */
static inline bool add_users(const struct fixture *fixture, int kind)
{
	char *path = mem_printf(NULL, "%s/users", fixture->dir);
	bool dovecot = !strcmp(kinds[kind].script, "dovecot");
	char *command = mem_printf(NULL, "exec sh '%s' add '%s'", fixture->script, fixture->dir);
	FILE *file = dovecot ? fopen(path, "a") : popen(command, "w");

	talloc_free(path);
	talloc_free(command);
	if (!file)
		return false;
	for (int i = 0; i < 1 << 4 * user_digits(kind); i++)
		fprintf(file, "t%0*x:secret%s\n", user_digits(kind), (unsigned)i,
			dovecot ? "::::::" : "");
	return (dovecot ? fclose(file) : pclose(file)) == 0;
}

static struct fixture *fixtures[COUNT_OF(kinds)]; /* of the runner's process */

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana", NULL };

	(void)tests;
	for (int i = IMAP_KIT_FIRST; i < IMAP_KIT_FIRST + IMAP_KIT_KINDS; i++) {
		setenv("DOVECOT_LAYOUT", kinds[i].layout, 1);
		setenv("DOVECOT_SEP", kinds[i].separator, 1);
		setenv("DOVECOT_PLUGINS", i == PLUGINS ? "yes" : "", 1);
		fixtures[i] = fixture_start(NULL, kinds[i].script, kinds[i].command, users);
		if (fixtures[i]->result == FIXTURE_NOT_INSTALLED)
			setenv(kinds[i].variable, SERVER_MISSING, 1);
		if (fixtures[i]->url && add_users(fixtures[i], i))
			setenv(kinds[i].variable, fixtures[i]->dir, 1);
	}
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		fixture_close(fixtures[i], stats->tests_failed);
}

/* ---- the world ---- */

struct lab {
	struct contract_world world; /* first */
	struct clock *clock;
	struct trusts *trusts;
	const char *url, *tls_url, *ca, *user;
	int port;
	struct points *points;      /* NULL, or the test's */
	const char *done_folder;    /* of accounts that are made from now on */
	struct imap_session *other; /* another client of the same account */
};

static inline char *first_line(TALLOC_CTX *mem, const char *path)
{
	char line[256] = "";
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file, "%s", path);
	cr_assert_not_null(fgets(line, sizeof line, file), "%s is empty", path);
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return mem_strdup(mem, line);
}

static inline struct endpoint *account(struct lab *lab, const char *url, const char *password,
				       uint64_t without)
{
	struct imap_account one = { .url = url,
				    .user = lab->user,
				    .trusts = lab->trusts,
				    .stop_fd = -1,
				    .done_folder = lab->done_folder,
				    .without = without };

	one.password = secret_new(lab, password, strlen(password));
	if (text_starts(url, "imaps:"))
		one.tls_ca = lab->ca;
	return imap_new(lab, lab->clock, lab->points, &one);
}

static inline int64_t count_writes(struct contract_world *world)
{
	return endpoint_stats(world->endpoint).writes;
}

/* ---- the other client ---- */

static inline struct imap_session *other(struct lab *lab)
{
	struct imap_session_options options = { .host = "127.0.0.1",
						.port = lab->port,
						.trusts = lab->trusts,
						.stop_fd = -1,
						.user = lab->user,
						.password = secret_new(lab, "secret", 6),
						.clock = lab->clock };
	struct fault *fault = lab->other ? NULL : imap_session_open(lab, &options, &lab->other);

	cr_assert_null(fault, "the other client: %s", fault ? fault->text : "");
	return lab->other;
}

static inline struct imap_answer say_line(struct lab *lab, const struct imap_line *line,
					  imap_each *each, void *context)
{
	struct imap_answer answer;
	struct fault *fault = imap_session_run(other(lab), lab, line, each, context, &answer);

	cr_assert_null(fault, "the other client: %s", fault ? fault->text : "");
	return answer;
}

/* WORDS, with NAME behind them where it is given; it must be carried out. */
static inline void say(struct lab *lab, const char *words, const char *name)
{
	struct imap_line *line = imap_line_new(lab, words, true);
	struct imap_answer answer;

	if (name)
		imap_line_mailbox(line, name);
	answer = say_line(lab, line, NULL, NULL);
	cr_assert_eq((int)answer.status, IMAP_OK, "%s%s: %s", words, name ? name : "", answer.text);
}

struct heard {
	const char *name; /* of responses */
	char *text;       /* what they hold, as text */
};

static inline void add_node(struct heard *heard, const struct imap_node *node)
{
	for (; node; node = node->next) {
		heard->text = talloc_asprintf_append(heard->text, " %s",
						     node->kind == IMAP_LIST ? "(" : node->text);
		add_node(heard, node->first);
		if (node->kind == IMAP_LIST)
			heard->text = talloc_asprintf_append(heard->text, " )");
	}
}

static inline struct fault *take_heard(void *context, const struct imap_response *response)
{
	struct heard *heard = context;

	if (!strcmp(response->name, heard->name))
		add_node(heard, response->args);
	return NULL;
}

/* What the responses NAME to a command hold, in one line. */
static inline char *ask(struct lab *lab, const char *words, const char *mailbox, const char *name)
{
	struct heard heard = { name, mem_strdup(lab, "") };
	struct imap_line *line = imap_line_new(lab, words, false);

	if (mailbox)
		imap_line_mailbox(line, mailbox);
	(void)say_line(lab, line, take_heard, &heard);
	return heard.text;
}

static inline void select_there(struct lab *lab, const char *folder)
{
	struct imap_answer answer;
	struct fault *fault = imap_session_select(other(lab), lab, folder, true, &answer);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_assert_eq((int)answer.status, IMAP_OK, "%s: %s", folder, answer.text);
}

static inline void append_there(struct lab *lab, const char *folder, const char *flags,
				const char *date, const char *text)
{
	struct imap_line *line = imap_line_new(lab, "APPEND ", true);

	imap_line_mailbox(line, folder);
	imap_line_add(line, " (%s) ", flags);
	if (date)
		imap_line_add(line, "\"%s\" ", date);
	imap_line_literal(line, text, strlen(text));
	cr_assert_eq((int)say_line(lab, line, NULL, NULL).status, IMAP_OK);
}

static inline void drop_folder(struct contract_world *world, const char *folder)
{
	say((struct lab *)world, "DELETE ", folder);
}

/* ---- labs ---- */

/* ACCOUNT: one of a few thousand, by any name. */
static inline struct lab *lab_as(int kind, uint64_t without, const char *account_name,
				 const char *path)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);
	const char *dir = getenv(kinds[kind].variable);

	if (text_same(dir, SERVER_MISSING))
		cr_skip_test("%s is not installed", kinds[kind].name);
	cr_assert_not_null(dir, "%s did not start", kinds[kind].name);
	lab->world.mem = lab;
	lab->clock = clock_system(lab);
	lab->trusts = trusts_new(NULL);
	lab->url = first_line(lab, mem_printf(lab, "%s/url", dir));
	lab->tls_url = first_line(lab, mem_printf(lab, "%s/tls-url", dir));
	lab->ca = mem_printf(lab, "%s/ca.pem", dir);
	lab->port = atoi(strrchr(lab->url, ':') + 1);
	lab->world.path = mem_strdup(lab, path);
	lab->user = user_of(lab, kind, account_name);
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	lab->world.unknown_token = "1 1 0";
	lab->world.writes = count_writes;
	lab->world.drop_folder = drop_folder;
	return lab;
}

/* The rest is the name of the test's folder, and of its account. */
ATTR_PRINTF(3, 4)
static inline struct lab *lab_new(int kind, uint64_t without, const char *fmt, ...)
{
	struct lab *lab;
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = mem_vprintf(NULL, fmt, ap);
	va_end(ap);
	lab = lab_as(kind, without, path, path);
	talloc_free(path);
	return lab;
}

/* Connections go before what they stand on. */
static inline void lab_end(struct lab *lab)
{
	struct trusts *trusts = lab->trusts;

	talloc_free(lab);
	talloc_free(trusts);
}

/* ---- small steps ---- */

#define TOP "https://pm.example.com/web?site=1&x=~2"

static inline void fine(const struct fault *fault, const char *what)
{
	cr_assert_null(fault, "%s: expected success, got %s: %s", what,
		       fault_kind_name(fault->kind), fault->text);
}

static inline void expect(const struct fault *fault, enum fault_kind kind, enum fault_scope scope,
			  const char *what)
{
	cr_assert_not_null(fault, "%s: expected %s, got success", what, fault_kind_name(kind));
	cr_assert_eq(fault->kind, kind, "%s: expected %s, got %s (%s)", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_assert_eq(fault->scope, scope, "%s: expected scope %s, got %s", what,
		     fault_scope_name(scope), fault_scope_name(fault->scope));
	cr_assert_null(strstr(fault->text, "secret"), "%s: %s", what, fault->text);
}

static inline char *ensure(struct lab *lab, const char *sub, const char *known, bool *created_r)
{
	struct endpoint_folder folder = { .top = TOP, .sub = sub };
	char *address = NULL;

	fine(endpoint_ensure(lab->world.endpoint, lab, &folder, known, &address, created_r), sub);
	return address;
}

static inline char *new_folder(struct lab *lab)
{
	bool created = false;
	char *folder = ensure(lab, lab->world.path, NULL, &created);

	cr_assert(created, "%s was there before", folder);
	return folder;
}

static inline char *message(struct lab *lab, const char *id)
{
	return mem_printf(lab,
			  "From: a@example.com\r\nSubject: %s\r\nMessage-ID: <%s@x>\r\n\r\n%s\r\n",
			  id, id, id);
}

/* Stores a new one, or one in place of OLD. */
static inline struct endpoint_put put(struct lab *lab, const char *folder, const char *id,
				      const char *old)
{
	struct endpoint_put one = { .address = old, .if_version = old, .text = message(lab, id) };

	one.len = strlen(one.text);
	fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), id);
	fine(one.fault, id);
	return one;
}

static inline struct fault *drop(struct lab *lab, const char *folder, const char *address,
				 const char *if_version, const char *successor)
{
	struct endpoint_remove one = { .address = address,
				       .if_version = if_version,
				       .successor = successor };

	fine(endpoint_remove(lab->world.endpoint, lab, folder, &one, 1), "remove");
	return one.fault;
}

static inline struct fault *fetch(struct lab *lab, const char *folder, const char *address)
{
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->world.endpoint, lab, folder, &address, 1, &items), "fetch");
	return items[0].fault;
}

static inline struct endpoint_notice *notice(struct lab *lab, const char *folder, const char *token)
{
	struct endpoint_notice *made = NULL;

	fine(endpoint_notice(lab->world.endpoint, lab, folder, token, &made), "notice");
	return made;
}

static inline unsigned uid_of(const char *address)
{
	return (unsigned)strtoul(strchr(address, '.') + 1, NULL, 10);
}

/* What the other client sees of a message: "(UID 7 FLAGS (\Seen))" in its own order. */
static inline char *look(struct lab *lab, const char *folder, const char *address,
			 const char *items)
{
	select_there(lab, folder);
	return ask(lab, mem_printf(lab, "UID FETCH %u (%s)", uid_of(address), items), NULL,
		   "FETCH");
}

/* The other client's STORE. */
static inline void store(struct lab *lab, const char *folder, const char *address,
			 const char *flags)
{
	select_there(lab, folder);
	say(lab, mem_printf(lab, "UID STORE %u %s", uid_of(address), flags), NULL);
}

static inline void expect_words(const char *text, const char *words, bool there)
{
	cr_assert_eq(strstr(text, words) != NULL, there, "%s \"%s\":%s",
		     there ? "expected" : "not expected", words, text);
}

/* ---- the contract without an extension: in one test and one account ---- */

static const struct body {
	const char *name;
	void (*run)(struct contract_world *world);
} bodies[] = {
#define X(name) { #name, endpoint_contract_##name },
	ENDPOINT_CONTRACT(X)
#undef X
};

/* What the server says of itself, before anything is taken away. */
static inline bool has(int kind, enum imap_cap cap)
{
	struct lab *lab = lab_new(kind, 0, "has");
	bool can = imap_session_can(other(lab), cap);

	imap_session_close(&lab->other);
	lab_end(lab);
	return can;
}

/* What no single extension can change. */
static inline bool is_plain(const char *body)
{
	static const char *const plain[] = { "ensure_creates_once",
					     "ensure_repeated_writes_nothing",
					     "empty_folder_is_a_full_listing",
					     "create_twice_is_refused",
					     "replace_of_missing_is_refused",
					     "fetch_keeps_order_and_tells_gone",
					     "fetch_nothing",
					     "token_again_shows_nothing",
					     "unknown_token_is_told",
					     "folder_gone_is_not_empty",
					     "awkward_text_survives",
					     "whole_folder_only_where_nothing_stands" };

	for (size_t i = 0; i < COUNT_OF(plain); i++)
		if (!strcmp(body, plain[i]))
			return true;
	return false;
}

static inline void contract(int kind, uint64_t without, bool whole, const char *account)
{
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct lab *lab;

		if (!whole && is_plain(bodies[i].name))
			continue;
		lab = lab_as(kind, without, account, bodies[i].name);
		bodies[i].run(&lab->world);
		imap_session_close(&lab->other);
		lab_end(lab);
	}
}

/* An extension that the server does not have would be a test of nothing. */
static inline void contract_without(int kind, enum imap_cap cap)
{
	cr_assert(has(kind, cap), "%s has no %s", kinds[kind].name, imap_cap_word(cap));
	contract(kind, UINT64_C(1) << cap, false, imap_cap_word(cap));
}

#define ON_ALL(kind) for (int kind = IMAP_KIT_FIRST; kind < IMAP_KIT_FIRST + IMAP_KIT_KINDS; kind++)

#endif

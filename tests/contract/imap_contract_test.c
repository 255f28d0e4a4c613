#include "config.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "endpoint_contract.h"
#include "fixture.h"
#include "gateway/imap/imap.h"
#include "gateway/imap/imap_session.h"

/* The endpoint contract over real Dovecots, one for each way in which mailboxes are kept on disk,
 * and over one that does without a capability; and what only a server of messages can show: flags,
 * names, what another client does meanwhile. All tests share one account; every test has a folder
 * of its own. */

#define SERVER_MISSING "IMAP_CONTRACT_MISSING"
#define WAIT_MS 10000 /* for something that comes within a second */

static const struct kind {
	const char *variable, *layout, *separator;
} kinds[] = {
	{ "IMAP_CONTRACT_DOT", "maildir", "." },
	{ "IMAP_CONTRACT_SLASH", "maildir", "/" },
	{ "IMAP_CONTRACT_FS", "fs", "/" },
	{ "IMAP_CONTRACT_SDBOX", "sdbox", "/" },
};

enum { DOT, SLASH, FS, SDBOX };

#define USER_DIGITS 3 /* of a hash, in hex: 4096 accounts for some hundred tests */

static char *user_of(TALLOC_CTX *mem, const char *test)
{
	return mem_printf(mem, "t%s", digest_short(mem, test, strlen(test), USER_DIGITS));
}

/* Before the first login: Dovecot reads the file again when it has changed, but not at once. */
static bool add_users(const struct fixture *fixture)
{
	char *path = mem_printf(NULL, "%s/users", fixture->dir);
	FILE *file = fopen(path, "a");

	talloc_free(path);
	if (!file)
		return false;
	for (int i = 0; i < 1 << 4 * USER_DIGITS; i++)
		fprintf(file, "t%0*x:secret::::::\n", USER_DIGITS, (unsigned)i);
	return fclose(file) == 0;
}

static struct fixture *fixtures[COUNT_OF(kinds)]; /* of the runner's process */

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana", NULL };

	(void)tests;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		setenv("DOVECOT_LAYOUT", kinds[i].layout, 1);
		setenv("DOVECOT_SEP", kinds[i].separator, 1);
		fixtures[i] = fixture_start(NULL, "dovecot", "start", users);
		if (fixtures[i]->result == FIXTURE_NOT_INSTALLED)
			setenv(SERVER_MISSING, "1", 1);
		if (fixtures[i]->url && add_users(fixtures[i]))
			setenv(kinds[i].variable, fixtures[i]->dir, 1);
	}
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	(void)stats;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (fixtures[i])
			fixture_end(fixtures[i]);
		talloc_free(fixtures[i]);
	}
}

/* ---- the world ---- */

struct lab {
	struct contract_world world; /* first */
	struct clock *clock;
	struct trusts *trusts;
	const char *url, *tls_url, *ca, *user;
	int port;
	struct points *points;      /* NULL, or the test's */
	struct imap_session *other; /* another client of the same account */
};

static char *first_line(TALLOC_CTX *mem, const char *path)
{
	char line[256] = "";
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file, "%s", path);
	cr_assert_not_null(fgets(line, sizeof line, file), "%s is empty", path);
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return mem_strdup(mem, line);
}

static struct endpoint *account(struct lab *lab, const char *url, const char *password,
				unsigned without)
{
	struct imap_account one = { .url = url,
				    .user = lab->user,
				    .trusts = lab->trusts,
				    .stop_fd = -1,
				    .without = without };

	one.password = secret_new(lab, password, strlen(password));
	if (text_starts(url, "imaps:"))
		one.tls_ca = lab->ca;
	return imap_new(lab, lab->clock, lab->points, &one);
}

static int64_t count_writes(struct contract_world *world)
{
	return endpoint_stats(world->endpoint).writes;
}

/* ---- the other client ---- */

static struct imap_session *other(struct lab *lab)
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

static struct imap_answer say_line(struct lab *lab, const struct imap_line *line, imap_each *each,
				   void *context)
{
	struct imap_answer answer;
	struct fault *fault = imap_session_run(other(lab), lab, line, each, context, &answer);

	cr_assert_null(fault, "the other client: %s", fault ? fault->text : "");
	return answer;
}

/* WORDS, with NAME behind them where it is given; it must be carried out. */
static void say(struct lab *lab, const char *words, const char *name)
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

static void add_node(struct heard *heard, const struct imap_node *node)
{
	for (; node; node = node->next) {
		heard->text = talloc_asprintf_append(heard->text, " %s",
						     node->kind == IMAP_LIST ? "(" : node->text);
		add_node(heard, node->first);
		if (node->kind == IMAP_LIST)
			heard->text = talloc_asprintf_append(heard->text, " )");
	}
}

static struct fault *take_heard(void *context, const struct imap_response *response)
{
	struct heard *heard = context;

	if (!strcmp(response->name, heard->name))
		add_node(heard, response->args);
	return NULL;
}

/* What the responses NAME to a command hold, in one line. */
static char *ask(struct lab *lab, const char *words, const char *mailbox, const char *name)
{
	struct heard heard = { name, mem_strdup(lab, "") };
	struct imap_line *line = imap_line_new(lab, words, false);

	if (mailbox)
		imap_line_mailbox(line, mailbox);
	(void)say_line(lab, line, take_heard, &heard);
	return heard.text;
}

static void select_there(struct lab *lab, const char *folder)
{
	struct imap_answer answer;
	struct fault *fault = imap_session_select(other(lab), lab, folder, true, &answer);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_assert_eq((int)answer.status, IMAP_OK, "%s: %s", folder, answer.text);
}

static void append_there(struct lab *lab, const char *folder, const char *flags, const char *date,
			 const char *text)
{
	struct imap_line *line = imap_line_new(lab, "APPEND ", true);

	imap_line_mailbox(line, folder);
	imap_line_add(line, " (%s) ", flags);
	if (date)
		imap_line_add(line, "\"%s\" ", date);
	imap_line_literal(line, text, strlen(text));
	cr_assert_eq((int)say_line(lab, line, NULL, NULL).status, IMAP_OK);
}

static void drop_folder(struct contract_world *world, const char *folder)
{
	say((struct lab *)world, "DELETE ", folder);
}

/* ---- labs ---- */

/* The rest is the name of the test's folder. */
ATTR_PRINTF(3, 4)
static struct lab *lab_new(int kind, unsigned without, const char *fmt, ...)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);
	va_list ap;
	const char *dir = getenv(kinds[kind].variable);

	if (getenv(SERVER_MISSING))
		cr_skip_test("Dovecot is not installed");
	cr_assert_not_null(dir, "Dovecot did not start");
	lab->world.mem = lab;
	lab->clock = clock_system(lab);
	lab->trusts = trusts_new(NULL);
	lab->url = first_line(lab, mem_printf(lab, "%s/url", dir));
	lab->tls_url = first_line(lab, mem_printf(lab, "%s/tls-url", dir));
	lab->ca = mem_printf(lab, "%s/ca.pem", dir);
	lab->port = atoi(strrchr(lab->url, ':') + 1);
	va_start(ap, fmt);
	lab->world.path = mem_vprintf(lab, fmt, ap);
	va_end(ap);
	lab->user = user_of(lab, lab->world.path);
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	lab->world.unknown_token = "1 1 0";
	lab->world.writes = count_writes;
	lab->world.drop_folder = drop_folder;
	return lab;
}

/* Connections go before what they stand on. */
static void lab_end(struct lab *lab)
{
	struct trusts *trusts = lab->trusts;

	talloc_free(lab);
	talloc_free(trusts);
}

static void run(int kind, unsigned without, const char *name,
		void body(struct contract_world *world))
{
	struct lab *lab = lab_new(kind, without, "%s %u", name, without);

	body(&lab->world);
	lab_end(lab);
}

#define CONTRACT(suite, kind, without, name)                                                       \
	Test(suite, name)                                                                          \
	{                                                                                          \
		run(kind, without, #name, endpoint_contract_##name);                               \
	}

#define X(name)                                                                                    \
	CONTRACT(imap_maildir_dot, DOT, 0, name)                                                   \
	CONTRACT(imap_maildir_slash, SLASH, 0, name)                                               \
	CONTRACT(imap_fs, FS, 0, name)                                                             \
	CONTRACT(imap_sdbox, SDBOX, 0, name)                                                       \
	CONTRACT(imap_without_uidplus, DOT, 1U << IMAP_CAP_UIDPLUS, name)                          \
	CONTRACT(imap_without_condstore, DOT, 1U << IMAP_CAP_CONDSTORE, name)                      \
	CONTRACT(imap_without_literal_plus, DOT, 1U << IMAP_CAP_LITERAL_PLUS, name)                \
	CONTRACT(imap_without_multiappend, DOT, 1U << IMAP_CAP_MULTIAPPEND, name)                  \
	CONTRACT(imap_without_esearch, DOT, 1U << IMAP_CAP_ESEARCH, name)                          \
	CONTRACT(imap_without_savedate, DOT, 1U << IMAP_CAP_SAVEDATE, name)                        \
	CONTRACT(imap_without_anything, DOT, ~0U, name)
ENDPOINT_CONTRACT(X)
#undef X

/* ---- small steps ---- */

#define TOP "https://pm.example.com/web?site=1&x=~2"

static void fine(const struct fault *fault, const char *what)
{
	cr_assert_null(fault, "%s: expected success, got %s: %s", what,
		       fault_kind_name(fault->kind), fault->text);
}

static void expect(const struct fault *fault, enum fault_kind kind, enum fault_scope scope,
		   const char *what)
{
	cr_assert_not_null(fault, "%s: expected %s, got success", what, fault_kind_name(kind));
	cr_assert_eq(fault->kind, kind, "%s: expected %s, got %s (%s)", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_assert_eq(fault->scope, scope, "%s: expected scope %s, got %s", what,
		     fault_scope_name(scope), fault_scope_name(fault->scope));
	cr_assert_null(strstr(fault->text, "secret"), "%s: %s", what, fault->text);
}

static char *ensure(struct lab *lab, const char *sub, const char *known, bool *created_r)
{
	struct endpoint_folder folder = { .top = TOP, .sub = sub };
	char *address = NULL;

	fine(endpoint_ensure(lab->world.endpoint, lab, &folder, known, &address, created_r), sub);
	return address;
}

static char *new_folder(struct lab *lab)
{
	bool created = false;
	char *folder = ensure(lab, lab->world.path, NULL, &created);

	cr_assert(created, "%s was there before", folder);
	return folder;
}

static char *message(struct lab *lab, const char *id)
{
	return mem_printf(lab,
			  "From: a@example.com\r\nSubject: %s\r\nMessage-ID: <%s@x>\r\n\r\n%s\r\n",
			  id, id, id);
}

/* Stores a new one, or one in place of OLD. */
static struct endpoint_put put(struct lab *lab, const char *folder, const char *id, const char *old)
{
	struct endpoint_put one = { .address = old, .if_version = old, .text = message(lab, id) };

	one.len = strlen(one.text);
	fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), id);
	fine(one.fault, id);
	return one;
}

static struct fault *drop(struct lab *lab, const char *folder, const char *address,
			  const char *if_version, const char *successor)
{
	struct endpoint_remove one = { .address = address,
				       .if_version = if_version,
				       .successor = successor };

	fine(endpoint_remove(lab->world.endpoint, lab, folder, &one, 1), "remove");
	return one.fault;
}

static struct fault *fetch(struct lab *lab, const char *folder, const char *address)
{
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->world.endpoint, lab, folder, &address, 1, &items), "fetch");
	return items[0].fault;
}

static struct endpoint_notice *notice(struct lab *lab, const char *folder, const char *token)
{
	struct endpoint_notice *made = NULL;

	fine(endpoint_notice(lab->world.endpoint, lab, folder, token, &made), "notice");
	return made;
}

static unsigned uid_of(const char *address)
{
	return (unsigned)strtoul(strchr(address, '.') + 1, NULL, 10);
}

/* What the other client sees of a message: "(UID 7 FLAGS (\Seen))" in its own order. */
static char *look(struct lab *lab, const char *folder, const char *address, const char *items)
{
	select_there(lab, folder);
	return ask(lab, mem_printf(lab, "UID FETCH %u (%s)", uid_of(address), items), NULL,
		   "FETCH");
}

/* The other client's STORE. */
static void store(struct lab *lab, const char *folder, const char *address, const char *flags)
{
	select_there(lab, folder);
	say(lab, mem_printf(lab, "UID STORE %u %s", uid_of(address), flags), NULL);
}

static void expect_words(const char *text, const char *words, bool there)
{
	cr_assert_eq(strstr(text, words) != NULL, there, "%s \"%s\":%s",
		     there ? "expected" : "not expected", words, text);
}

#define ON_ALL(kind) for (int kind = DOT; kind <= SDBOX; kind++)

/* ---- folders ---- */

static const char *const awkward_names[] = {
	"Ship crate",
	"100% \"sure\" \\ back",
	"a/b.c//d..e",
	"..",
	".",
	".hid",
	"~",
	"~root",
	"INBOX",
	"inbox",
	"*",
	"%",
	"&",
	"&AOQ-",
	"#news.x",
	"-dash",
	"  blanks   inside ",
	"tab\tand\nline",
	"cur",
	"new",
	"tmp",
	"dbox-Mails",
	"{}()[]<>|^;,'`!$",
	"\xc3\x9c"
	"nic\xc3\xb6"
	"de \xe4\xbb\xbb\xe5\x8a\xa1 \xf0\x9f\x9a\xa2",
	"\xe2\x80\xae"
	"right to left",
	"not UTF-8 \xff\xfe",
	"",
	"a very long name of a project that goes on and on, over all bounds that a server could "
	"have, and then still a little further, until somebody cuts it off at last",
	"\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5"
	"\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb"
	"\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1"
	"\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5"
	"\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1",
};

static void try_names(int kind)
{
	struct lab *lab = lab_new(kind, 0, "names");

	for (size_t i = 0; i < COUNT_OF(awkward_names); i++) {
		bool created = false, again = true;
		char *folder = ensure(lab, awkward_names[i], NULL, &created), *same;
		int64_t before = count_writes(&lab->world);

		cr_assert(created, "%s: %s was there before", awkward_names[i], folder);
		same = ensure(lab, awkward_names[i], NULL, &again);
		cr_assert(!again && !strcmp(same, folder), "%s: made as %s, found as %s",
			  awkward_names[i], folder, same);
		(void)ensure(lab, awkward_names[i], folder, &again);
		cr_assert_eq(count_writes(&lab->world), before, "%s: found, and written to",
			     awkward_names[i]);
		cr_assert_neq(*ask(lab, "LSUB \"\" ", folder, "LSUB"), '\0', "%s: not subscribed",
			      folder);
		(void)put(lab, folder, "uid-1", NULL);
		cr_assert_eq(notice(lab, folder, NULL)->count, 1, "%s", folder);
	}
	lab_end(lab);
}

Test(imap_folders, awkward_names_are_made_and_found_again)
{
	ON_ALL(kind)
	try_names(kind);
}

/* Both levels are subscribed, also the upper one that is no mailbox. */
Test(imap_folders, a_person_sees_both_levels)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "levels");
		char *folder = new_folder(lab), *parent = mem_strdup(lab, folder);

		*strrchr(parent, *kinds[kind].separator) = '\0';
		cr_assert_neq(*ask(lab, "LSUB \"\" ", folder, "LSUB"), '\0', "%s", folder);
		cr_assert_neq(*ask(lab, "LIST \"\" ", parent, "LIST"), '\0', "%s", parent);
		lab_end(lab);
	}
}

/* A sub-folder made by somebody else: ours is in the tree, and is no mailbox yet. */
Test(imap_folders, a_name_without_a_mailbox_becomes_one)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "noselect");
		bool created = false;
		char *folder = new_folder(lab), *child;

		child = mem_printf(lab, "%s%sx", folder, kinds[kind].separator);
		say(lab, "CREATE ", child);
		say(lab, "DELETE ", folder);
		if (kind != DOT && kind != SLASH) /* Dovecot lists it there as if it were one */
			expect_words(ask(lab, "LIST \"\" ", folder, "LIST"), "\\Noselect", true);
		cr_assert_str_eq(ensure(lab, lab->world.path, folder, &created), folder);
		cr_assert(created);
		cr_assert_eq(notice(lab, folder, NULL)->count, 0);
		lab_end(lab);
	}
}

Test(imap_folders, a_renamed_project_keeps_its_items_and_addresses)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "renamed");
		char *folder = new_folder(lab), *renamed;
		struct endpoint_put one = put(lab, folder, "uid-1", NULL);
		bool created = true;
		int64_t before;

		(void)notice(lab, folder, NULL); /* it is selected */
		renamed = ensure(lab, "renamed to this", folder, &created);
		cr_assert(!created && strcmp(renamed, folder) != 0, "%s", renamed);
		fine(fetch(lab, renamed, one.placed), "after the renaming");
		expect(fetch(lab, folder, one.placed), FAULT_GONE, FAULT_SCOPE_FOLDER, folder);
		cr_assert_str_eq(ask(lab, "LSUB \"\" ", folder, "LSUB"), "", "still subscribed");
		cr_assert_str_neq(ask(lab, "LSUB \"\" ", renamed, "LSUB"), "", "not subscribed");
		before = count_writes(&lab->world);
		cr_assert_str_eq(ensure(lab, "renamed to this", renamed, &created), renamed);
		cr_assert_eq(count_writes(&lab->world), before);
		lab_end(lab);
	}
}

/* The new name is taken: the items stay where they are, and nothing is tried again. */
Test(imap_folders, a_name_that_is_taken_leaves_the_folder_as_it_is)
{
	struct lab *lab = lab_new(DOT, 0, "taken");
	char *folder = new_folder(lab), *foreign;
	bool created;
	int64_t before;

	foreign = ensure(lab, "taken by another", NULL, &created);
	before = count_writes(&lab->world);
	cr_assert_str_eq(ensure(lab, "taken by another", folder, &created), folder);
	cr_assert_not(created);
	cr_assert_eq(count_writes(&lab->world), before);
	cr_assert_str_neq(foreign, folder);
	lab_end(lab);
}

/* A person who does not want to see it. */
Test(imap_folders, unsubscribed_stays_unsubscribed)
{
	struct lab *lab = lab_new(DOT, 0, "unsubscribed");
	char *folder = new_folder(lab);
	bool created;

	say(lab, "UNSUBSCRIBE ", folder);
	(void)ensure(lab, "unsubscribed", folder, &created);
	cr_assert_str_eq(ask(lab, "LSUB \"\" ", folder, "LSUB"), "");
	(void)ensure(lab, "unsubscribed", NULL, &created);
	cr_assert_str_neq(ask(lab, "LSUB \"\" ", folder, "LSUB"), "",
			  "a folder that is new to us is subscribed");
	lab_end(lab);
}

Test(imap_folders, another_uidvalidity_is_another_folder)
{
	struct lab *lab = lab_new(DOT, 0, "validity");
	char *folder = new_folder(lab);
	struct endpoint_put one = put(lab, folder, "uid-1", NULL), again = { 0 };
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct fault *fault;

	say(lab, "DELETE ", folder);
	say(lab, "CREATE ", folder);
	append_there(lab, folder, "", NULL, message(lab, "foreign"));
	fault = endpoint_notice(lab->world.endpoint, lab, folder, made->token, &made);
	expect(fault, FAULT_TOKEN, FAULT_SCOPE_FOLDER, "notice");
	expect(fetch(lab, folder, one.placed), FAULT_GONE, FAULT_SCOPE_ITEM, "fetch");
	expect(drop(lab, folder, one.placed, one.placed, NULL), FAULT_GONE, FAULT_SCOPE_ITEM,
	       "remove");
	again.address = again.if_version = one.placed;
	again.text = one.text;
	again.len = one.len;
	fine(endpoint_put(lab->world.endpoint, lab, folder, &again, 1), "put");
	expect(again.fault, FAULT_CHANGED, FAULT_SCOPE_ITEM, "put");
	cr_assert_eq(notice(lab, folder, NULL)->count, 1, "what is not ours was touched");
	lab_end(lab);
}

/* ---- noticing ---- */

Test(imap_notice, what_is_new_is_listed_alone)
{
	struct lab *lab = lab_new(DOT, 0, "alone");
	char *folder = new_folder(lab);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct endpoint_put one;

	for (int i = 0; i < 5; i++) {
		one = put(lab, folder, "uid", NULL);
		append_there(lab, folder, "\\Deleted", NULL, message(lab, "foreign"));
		made = notice(lab, folder, made->token);
		cr_assert(!made->full && made->count == 2, "look %d: %zu lines, full %d", i,
			  made->count, made->full);
		cr_assert_str_eq(made->changes[0].address, one.placed);
		cr_assert_str_eq(made->changes[0].version, one.placed);
	}
	lab_end(lab);
}

/* Nothing changed: a look at a selected folder is one NOOP. */
Test(imap_notice, a_look_that_finds_nothing_is_cheap)
{
	struct lab *lab = lab_new(DOT, 0, "cheap");
	char *folder = new_folder(lab);
	struct endpoint_put one = put(lab, folder, "uid-1", NULL);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	int64_t before = endpoint_stats(lab->world.endpoint).requests;

	for (int i = 0; i < 10; i++)
		made = notice(lab, folder, made->token);
	cr_assert_eq(endpoint_stats(lab->world.endpoint).requests, before + 10);
	store(lab, folder, one.placed, "+FLAGS (\\Flagged)");
	cr_assert_eq(notice(lab, folder, made->token)->count, 0, "a flag is no change of an item");
	lab_end(lab);
}

/* Two that do not know of each other. */
Test(imap_notice, two_sessions_see_each_others_work)
{
	struct lab *lab = lab_new(DOT, 0, "two");
	struct endpoint *mine = lab->world.endpoint, *theirs = account(lab, lab->url, "secret", 0);
	char *folder = new_folder(lab);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct endpoint_put one;

	lab->world.endpoint = theirs;
	one = put(lab, folder, "uid-1", NULL);
	lab->world.endpoint = mine;
	made = notice(lab, folder, made->token);
	cr_assert_eq(made->count, 1);
	cr_assert_str_eq(made->changes[0].address, one.placed);
	fine(drop(lab, folder, one.placed, one.placed, NULL), "mine");
	lab->world.endpoint = theirs;
	expect(drop(lab, folder, one.placed, one.placed, NULL), FAULT_GONE, FAULT_SCOPE_ITEM,
	       "theirs");
	made = notice(lab, folder, made->token);
	cr_assert(made->full && !made->count, "%zu lines, full %d", made->count, made->full);
	lab_end(lab);
}

/* ---- what belongs to the message and not to its text ---- */

static const unsigned ways[] = { 0,
				 1U << IMAP_CAP_CONDSTORE,
				 1U << IMAP_CAP_MULTIAPPEND,
				 1U << IMAP_CAP_LITERAL_PLUS,
				 1U << IMAP_CAP_UIDPLUS,
				 ~0U };

#define ITEMS "FLAGS INTERNALDATE"
#define DATE "03-Feb-2024 04:05:06 +0000"

Test(imap_flags, flags_keywords_and_date_are_carried_over)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct lab *lab = lab_new(DOT, ways[i], "carried %u", ways[i]);
		char *folder = new_folder(lab), *seen;
		struct endpoint_notice *made;
		struct endpoint_put two;
		const char *one;

		append_there(lab, folder, "\\Seen \\Flagged \\Deleted work $Tag-1", DATE,
			     message(lab, "uid-1"));
		made = notice(lab, folder, NULL);
		one = made->changes[0].address;
		two = put(lab, folder, "uid-2", one);
		seen = look(lab, folder, two.placed, ITEMS);
		expect_words(seen, "\\Seen", true);
		expect_words(seen, "\\Flagged", true);
		expect_words(seen, "\\Deleted", false);
		expect_words(seen, "work", true);
		expect_words(seen, "$Tag-1", true);
		expect_words(seen, DATE, true);
		expect_words(look(lab, folder, one, ITEMS), "\\Flagged", true);
		lab_end(lab);
	}
}

/* A person stars the old one while the new one is already there: with the version that put told,
 * and without one, as after a crash. */
Test(imap_flags, late_flags_go_to_the_successor)
{
	for (size_t i = 0; i < 2 * COUNT_OF(ways); i++) {
		unsigned without = ways[i / 2];
		struct lab *lab = lab_new(DOT, without, "late %zu", i);
		char *folder = new_folder(lab), *seen;
		const char *one = put(lab, folder, "uid-1", NULL).placed;
		struct endpoint_put two = put(lab, folder, "uid-2", one);

		store(lab, folder, one, "+FLAGS (\\Flagged late)");
		store(lab, folder, two.placed, "+FLAGS (\\Answered own)");
		fine(drop(lab, folder, one, i % 2 ? NULL : two.replaced, two.placed), "remove");
		expect(fetch(lab, folder, one), FAULT_GONE, FAULT_SCOPE_ITEM, "the old one");
		seen = look(lab, folder, two.placed, "FLAGS");
		expect_words(seen, "\\Flagged", true);
		expect_words(seen, "late", true);
		expect_words(seen, "\\Answered", true);
		expect_words(seen, "own", true);
		expect_words(seen, "\\Deleted", false);
		lab_end(lab);
	}
}

/* A flag that was on both, and that the person has taken from the new one since, does not come
 * back. */
Test(imap_flags, what_did_not_change_on_the_old_one_is_not_carried)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct lab *lab = lab_new(DOT, ways[i], "taken away %zu", i);
		char *folder = new_folder(lab);
		const char *one;
		struct endpoint_put two;

		append_there(lab, folder, "\\Flagged star", NULL, message(lab, "uid-1"));
		one = notice(lab, folder, NULL)->changes[0].address;
		two = put(lab, folder, "uid-2", one);
		store(lab, folder, two.placed, "-FLAGS (\\Flagged star)");
		fine(drop(lab, folder, one, two.replaced, two.placed), "remove");
		expect_words(look(lab, folder, two.placed, "FLAGS"), "tar", false);
		expect_words(look(lab, folder, two.placed, "FLAGS"), "\\Flagged", false);
		lab_end(lab);
	}
}

Test(imap_flags, a_successor_that_has_gone_keeps_nothing_alive)
{
	struct lab *lab = lab_new(DOT, 0, "orphan");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed;
	struct endpoint_put two = put(lab, folder, "uid-2", one);

	store(lab, folder, one, "+FLAGS (\\Flagged)");
	fine(drop(lab, folder, two.placed, two.placed, NULL), "the new one");
	fine(drop(lab, folder, one, two.replaced, two.placed), "the old one");
	cr_assert_eq(notice(lab, folder, NULL)->count, 0);
	lab_end(lab);
}

/* ---- removing ---- */

Test(imap_remove, exactly_that_message_goes)
{
	struct lab *lab = lab_new(DOT, 0, "exactly");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed,
		   *two = put(lab, folder, "uid-2", NULL).placed;

	store(lab, folder, two, "+FLAGS (\\Deleted)");
	fine(drop(lab, folder, one, one, NULL), "remove");
	expect(fetch(lab, folder, one), FAULT_GONE, FAULT_SCOPE_ITEM, "the removed one");
	fine(fetch(lab, folder, two), "the other one");
	expect_words(look(lab, folder, two, "FLAGS"), "\\Deleted", true);
	lab_end(lab);
}

/* Without UIDPLUS: nothing is removed, marked or written while another message is marked. */
Test(imap_remove, without_uidplus_others_are_waited_for)
{
	struct lab *lab = lab_new(DOT, 1U << IMAP_CAP_UIDPLUS, "waits");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed,
		   *two = put(lab, folder, "uid-2", NULL).placed;
	int64_t before = count_writes(&lab->world);
	struct fault *fault;

	store(lab, folder, two, "+FLAGS (\\Deleted)");
	fault = drop(lab, folder, one, one, NULL);
	expect(fault, FAULT_LOCKED, FAULT_SCOPE_ITEM, "while another is marked");
	cr_assert_eq(fault->next, FAULT_NEXT_RETRY);
	cr_assert_eq(count_writes(&lab->world), before);
	expect_words(look(lab, folder, one, "FLAGS"), "\\Deleted", false);
	store(lab, folder, two, "-FLAGS (\\Deleted)");
	fine(drop(lab, folder, one, one, NULL), "afterwards");
	fine(fetch(lab, folder, two), "the other one");
	lab_end(lab);
}

/* The log of the fault points is a pipe with room for one report: the endpoint reports that it is
 * about to write, and waits at its next report until the pipe is emptied. Meanwhile another client
 * marks another message. */
struct gate {
	int fds[2], size;
	struct lab *theirs;
	const char *folder, *address;
};

#define REPORT "IMAP_SENDING\n"

static void gate_new(struct gate *gate, struct lab *lab)
{
	char blank = ' ';

	cr_assert_eq(pipe(gate->fds), 0);
	cr_assert_eq(fcntl(gate->fds[1], F_SETFL, O_NONBLOCK), 0);
	for (gate->size = 0; write(gate->fds[1], &blank, 1) == 1; gate->size++)
		;
	for (int i = 0; i < gate->size; i++)
		cr_assert_eq(read(gate->fds[0], &blank, 1), 1);
	for (int i = 0; i < gate->size - (int)strlen(REPORT); i++)
		cr_assert_eq(write(gate->fds[1], &blank, 1), 1);
	lab->points = points_new(lab, NULL, mem_printf(lab, "/proc/self/fd/%d", gate->fds[1]));
}

static int gate_fill(const struct gate *gate)
{
	int n = -1;

	cr_assert_eq(ioctl(gate->fds[0], FIONREAD, &n), 0);
	return n;
}

static void *mark_another(void *context)
{
	struct gate *gate = context;
	char bytes[4096];

	for (int ms = 0; ms < WAIT_MS && gate_fill(gate) < gate->size; ms++)
		(void)poll(NULL, 0, 1);
	store(gate->theirs, gate->folder, gate->address, "+FLAGS (\\Deleted)");
	while (gate_fill(gate) > 0)
		cr_assert_gt(read(gate->fds[0], bytes, sizeof bytes), 0);
	return NULL;
}

/* Ours is taken back, what the other has marked stays, and nothing is removed. */
Test(imap_remove, without_uidplus_a_mark_that_comes_between_is_seen)
{
	struct lab *lab = lab_new(DOT, 1U << IMAP_CAP_UIDPLUS, "between marks"),
		   *theirs = lab_new(DOT, 0, "between marks");
	struct gate gate = { .theirs = theirs };
	struct endpoint *plain = lab->world.endpoint;
	const char *one, *two;
	pthread_t thread;

	gate.folder = new_folder(lab);
	one = put(lab, gate.folder, "uid-1", NULL).placed;
	two = gate.address = put(lab, gate.folder, "uid-2", NULL).placed;
	(void)other(theirs);
	gate_new(&gate, lab);
	lab->world.endpoint = account(lab, lab->url, "secret", 1U << IMAP_CAP_UIDPLUS);
	cr_assert_eq(pthread_create(&thread, NULL, mark_another, &gate), 0);
	expect(drop(lab, gate.folder, one, one, NULL), FAULT_LOCKED, FAULT_SCOPE_ITEM, "remove");
	pthread_join(thread, NULL);
	lab->world.endpoint = plain;
	fine(fetch(lab, gate.folder, one), "ours");
	fine(fetch(lab, gate.folder, two), "theirs");
	expect_words(look(lab, gate.folder, one, "FLAGS"), "\\Deleted", false);
	expect_words(look(lab, gate.folder, two, "FLAGS"), "\\Deleted", true);
	close(gate.fds[0]);
	close(gate.fds[1]);
	lab_end(theirs);
	lab_end(lab);
}

/* An old one that the person, or we before a crash, have marked already. */
Test(imap_remove, what_is_marked_already_is_removed)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct lab *lab = lab_new(DOT, ways[i], "marked %zu", i);
		char *folder = new_folder(lab);
		const char *one = put(lab, folder, "uid-1", NULL).placed;
		struct endpoint_put two = put(lab, folder, "uid-2", one);

		store(lab, folder, one, "+FLAGS (\\Deleted)");
		fine(drop(lab, folder, one, two.replaced, two.placed), "remove");
		expect(fetch(lab, folder, one), FAULT_GONE, FAULT_SCOPE_ITEM, "the old one");
		expect_words(look(lab, folder, two.placed, "FLAGS"), "\\Deleted", false);
		lab_end(lab);
	}
}

/* ---- sizes ---- */

Test(imap_items, the_bound_is_one_items_affair)
{
	struct lab *lab = lab_new(DOT, 0, "bound");
	char *folder = new_folder(lab), *text = MEM_ARRAY(lab, char, IMAP_ITEM_MAX + 2);
	const char *addresses[3];
	struct endpoint_item *items = NULL;
	struct endpoint_put puts[3] = { { .len = IMAP_ITEM_MAX },
					{ .len = IMAP_ITEM_MAX + 1 },
					{ .text = "x\r\n", .len = 3 } };
	static const char head[] = "Subject: x\r\n\r\n";

	memset(text, 'x', IMAP_ITEM_MAX + 1);
	memcpy(text, head, strlen(head));
	puts[0].text = puts[1].text = text;
	fine(endpoint_put(lab->world.endpoint, lab, folder, puts, 3), "put");
	fine(puts[0].fault, "as long as may be");
	expect(puts[1].fault, FAULT_REFUSED, FAULT_SCOPE_ITEM, "too long to send");
	fine(puts[2].fault, "short");
	append_there(lab, folder, "", NULL, text);
	addresses[0] = puts[0].placed;
	addresses[1] = notice(lab, folder, NULL)->changes[2].address;
	addresses[2] = puts[2].placed;
	fine(endpoint_fetch(lab->world.endpoint, lab, folder, addresses, 3, &items), "fetch");
	fine(items[0].fault, "as long as may be");
	cr_assert(items[0].len == IMAP_ITEM_MAX && !memcmp(items[0].text, text, IMAP_ITEM_MAX));
	expect(items[1].fault, FAULT_DATA, FAULT_SCOPE_ITEM, "too long to read");
	cr_assert_eq(items[1].fault->next, FAULT_NEXT_HOLD);
	fine(items[2].fault, "short");
	lab_end(lab);
}

Test(imap_items, one_message_can_be_asked_for_twice)
{
	struct lab *lab = lab_new(DOT, 0, "twice");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed;
	const char *addresses[] = { one, "not an address", one, "0000000001.0000000000" };
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->world.endpoint, lab, folder, addresses, 4, &items), "fetch");
	for (size_t i = 0; i < 4; i += 2) {
		fine(items[i].fault, "the same");
		cr_assert_str_eq(items[i].text, message(lab, "uid-1"));
		expect(items[i + 1].fault, FAULT_GONE, FAULT_SCOPE_ITEM, addresses[i + 1]);
	}
	lab_end(lab);
}

Test(imap_items, modified_time_is_the_servers)
{
	struct lab *lab = lab_new(DOT, 0, "time");
	char *folder = new_folder(lab);
	int64_t before = clock_now_us(lab->clock), after;
	struct endpoint_item *items = NULL;
	const char *one = put(lab, folder, "uid-1", NULL).placed;

	fine(endpoint_fetch(lab->world.endpoint, lab, folder, &one, 1, &items), "fetch");
	after = clock_now_us(lab->clock);
	cr_assert(items[0].modified_us >= before - 2 * CLOCK_SECOND_US &&
			  items[0].modified_us <= after,
		  "between %lld and %lld: %lld", (long long)before, (long long)after,
		  (long long)items[0].modified_us);
	lab_end(lab);
}

/* ---- listening ---- */

static bool becomes_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, WAIT_MS) == 1;
}

/* Waits until it has heard of a change. */
static void expect_heard(struct lab *lab, int fd)
{
	bool changed = false;

	while (!changed) {
		cr_assert(becomes_readable(fd), "nothing came");
		fine(endpoint_heard(lab->world.endpoint, &changed), "heard");
	}
	fine(endpoint_hush(lab->world.endpoint), "hush");
}

static int listen_to(struct lab *lab, const char *folder, bool expect_changed)
{
	int fd = -2;
	bool changed = !expect_changed;

	fine(endpoint_listen(lab->world.endpoint, folder, &fd, &changed), "listen");
	cr_assert_eq(changed, expect_changed, "changed: expected %d, got %d", expect_changed,
		     changed);
	cr_assert_eq(fd < 0, expect_changed, "descriptor %d", fd);
	return fd;
}

Test(imap_listen, another_clients_message_wakes)
{
	struct lab *lab = lab_new(DOT, 0, "wakes");
	char *folder = new_folder(lab);
	const char *token;
	int fd;

	cr_assert(endpoint_can_listen(lab->world.endpoint));
	(void)listen_to(lab, folder, true); /* nobody has looked yet */
	token = notice(lab, folder, NULL)->token;
	for (int i = 0; i < 3; i++) {
		struct endpoint_notice *made;

		fd = listen_to(lab, folder, false);
		append_there(lab, folder, "", NULL, message(lab, "foreign"));
		expect_heard(lab, fd);
		(void)listen_to(lab, folder, true); /* until somebody has looked */
		made = notice(lab, folder, token);
		cr_assert_eq(made->count, 1);
		token = made->token;
	}
	lab_end(lab);
}

Test(imap_listen, what_came_between_is_not_missed)
{
	struct lab *lab = lab_new(DOT, 0, "between");
	char *folder = new_folder(lab);
	const char *one;

	(void)notice(lab, folder, NULL);
	append_there(lab, folder, "", NULL, message(lab, "foreign"));
	(void)listen_to(lab, folder, true);
	(void)notice(lab, folder, NULL);
	one = put(lab, folder, "uid-1", NULL).placed; /* our own counts as well */
	(void)listen_to(lab, folder, true);
	(void)notice(lab, folder, NULL);
	store(lab, folder, one, "+FLAGS (\\Deleted)");
	say(lab, "EXPUNGE", NULL);
	(void)listen_to(lab, folder, true);
	(void)notice(lab, folder, NULL);
	(void)listen_to(lab, folder, false);
	fine(endpoint_hush(lab->world.endpoint), "hush");
	fine(endpoint_hush(lab->world.endpoint), "hush again");
	cr_assert_eq(notice(lab, folder, NULL)->count, 1);
	lab_end(lab);
}

/* As many as before, and not the same: the numbers of the next SELECT tell. */
Test(imap_listen, one_that_came_and_went_is_noticed)
{
	struct lab *lab = lab_new(DOT, 0, "came and went");
	char *folder = new_folder(lab), *second;
	bool created;

	second = ensure(lab, "came and went, second", NULL, &created);
	(void)notice(lab, folder, NULL);
	select_there(lab, folder);
	append_there(lab, folder, "\\Deleted", NULL, message(lab, "foreign"));
	say(lab, "EXPUNGE", NULL);
	(void)notice(lab, second, NULL);
	(void)listen_to(lab, folder, true);
	lab_end(lab);
}

/* Another folder's notice, and another session, leave what is known of the first one. */
Test(imap_listen, folders_are_kept_apart)
{
	struct lab *lab = lab_new(DOT, 0, "apart");
	char *folder = new_folder(lab), *second;
	bool created;

	second = ensure(lab, "apart, second", NULL, &created);
	(void)notice(lab, folder, NULL);
	(void)notice(lab, second, NULL);
	(void)put(lab, second, "uid-1", NULL);
	(void)listen_to(lab, folder, false);
	fine(endpoint_hush(lab->world.endpoint), "hush");
	(void)listen_to(lab, second, true);
	(void)listen_to(lab, folder, false);
	fine(endpoint_hush(lab->world.endpoint), "hush");
	lab_end(lab);
}

Test(imap_listen, a_server_without_idle_is_polled)
{
	struct lab *lab = lab_new(DOT, 1U << IMAP_CAP_IDLE, "polled");
	char *folder = new_folder(lab);
	int fd = -2;
	bool changed = true;

	fine(endpoint_listen(lab->world.endpoint, folder, &fd, &changed), "listen");
	cr_assert(fd == -1 && !changed, "descriptor %d, changed %d", fd, changed);
	lab_end(lab);
}

/* ---- accounts ---- */

static struct fault *probe_at(struct lab *lab, struct endpoint *endpoint)
{
	struct endpoint_probe *probe = NULL;

	return endpoint_probe(endpoint, lab, &probe);
}

Test(imap_account, a_wrong_password_is_a_login_fault_without_the_password)
{
	struct lab *lab = lab_new(DOT, 0, "wrong");
	struct fault *fault = probe_at(lab, account(lab, lab->url, "wr0ng-secret", 0));

	expect(fault, FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, "probe");
	cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
	lab_end(lab);
}

Test(imap_account, a_server_that_is_down_is_unreachable)
{
	struct lab *lab = lab_new(DOT, 0, "down");
	struct fault *fault = probe_at(lab, account(lab, "imap://127.0.0.1:1", "secret", 0));

	expect(fault, FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "probe");
	cr_assert_not(fault->maybe_done);
	lab_end(lab);
}

static const char *const wrong_urls[] = {
	"",
	"imap",
	"imap:",
	"imap://",
	"imap:///",
	"http://127.0.0.1",
	"IMAP//127.0.0.1",
	"imap://ana@127.0.0.1",
	"imap://ana:secret@127.0.0.1",
	"imap://127.0.0.1:",
	"imap://127.0.0.1:0",
	"imap://127.0.0.1:65536",
	"imap://127.0.0.1:-143",
	"imap://127.0.0.1:+143",
	"imap://127.0.0.1:143x",
	"imap://127.0.0.1:143/INBOX",
	"imap://127.0.0.1//",
	"imap://::1",
	"imap://[::1",
	"imap://[::1]x",
	"imap://[127.0.0.1]",
	"imap://[::1]:",
	"imap://-host",
	"imap://.host",
	"imap://a b",
	"imap://a\r\nb",
	"imap://host?x",
	"imap://host#x",
	"imaps://*",
};

Test(imap_account, a_wrong_url_is_configuration)
{
	struct lab *lab = lab_new(DOT, 0, "urls");

	for (size_t i = 0; i < COUNT_OF(wrong_urls); i++) {
		struct fault *fault = probe_at(lab, account(lab, wrong_urls[i], "secret", 0));

		expect(fault, FAULT_CONFIG, FAULT_SCOPE_SERVER, wrong_urls[i]);
		cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
	}
	lab_end(lab);
}

Test(imap_account, only_the_right_certificate_will_do)
{
	struct lab *lab = lab_new(DOT, 0, "tls");
	struct imap_account one = { .user = lab->user, .trusts = lab->trusts, .stop_fd = -1 };
	const char *other_ca =
		mem_printf(lab, "%.*sother-ca.pem", (int)strlen(lab->ca) - 6, lab->ca);
	const char *name = mem_printf(lab, "imaps://localhost%s/", strrchr(lab->tls_url, ':'));
	const struct {
		const char *what, *url, *ca;
		bool starttls, good;
	} cases[] = {
		{ "right CA", lab->tls_url, lab->ca, false, true },
		{ "right CA, by name", name, lab->ca, false, true },
		{ "STARTTLS", lab->url, lab->ca, true, true },
		{ "another CA", lab->tls_url, other_ca, false, false },
		{ "STARTTLS, another CA", lab->url, other_ca, true, false },
		{ "the system's CAs", lab->tls_url, NULL, false, false },
	};

	one.password = secret_new(lab, "secret", 6);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault *fault;

		one.url = cases[i].url;
		one.tls_ca = cases[i].ca;
		one.starttls = cases[i].starttls;
		fault = probe_at(lab, imap_new(lab, lab->clock, NULL, &one));
		if (cases[i].good)
			fine(fault, cases[i].what);
		else
			expect(fault, FAULT_TLS, FAULT_SCOPE_SERVER, cases[i].what);
	}
	lab_end(lab);
}

static const struct {
	const char *probe, *result, *without;
} findings[] = {
	{ "login", "yes", "yes" },
	{ "tls", "loopback", "loopback" },
	{ "IDLE", "yes", "no" },
	{ "CONDSTORE", "yes", "no" },
	{ "UIDPLUS", "yes", "no" },
	{ "MULTIAPPEND", "yes", "no" },
	{ "LITERAL+", "yes", "no" },
	{ "SAVEDATE", "yes", "no" },
	{ "namespace", "none", "none" },
	{ "delimiter", ".", "." },
	{ "keywords", "not tried", "not tried" },
};

static void check_findings(unsigned without)
{
	struct lab *lab = lab_new(DOT, without, "probe");
	struct endpoint_probe *probe = NULL;

	fine(endpoint_probe(lab->world.endpoint, lab, &probe), "probe");
	for (size_t i = 0; i < COUNT_OF(findings); i++) {
		const char *result = NULL,
			   *expected = without ? findings[i].without : findings[i].result;

		for (size_t j = 0; j < probe->count; j++)
			if (!strcmp(probe->findings[j].probe, findings[i].probe))
				result = probe->findings[j].result;
		cr_assert(text_same(result, expected), "%s: expected %s, got %s", findings[i].probe,
			  expected, result ? result : "nothing");
	}
	cr_assert_eq(probe->caps.modified_time, !without);
	cr_assert_eq(count_writes(&lab->world), 0);
	lab_end(lab);
}

Test(imap_account, probe_tells_what_there_is)
{
	check_findings(0);
	check_findings(~0U);
}

Test(imap_account, what_it_took_is_counted)
{
	struct lab *lab = lab_new(DOT, 0, "counted");
	struct endpoint_stats before, after;
	char *folder;

	before = endpoint_stats(lab->world.endpoint);
	cr_assert(!before.requests && !before.connections, "something was sent before it was used");
	folder = new_folder(lab);
	(void)put(lab, folder, "uid-1", NULL);
	after = endpoint_stats(lab->world.endpoint);
	cr_assert(after.connections == 1 && after.requests > 3 && after.writes >= 3 &&
			  after.sent_bytes > 100 && after.received_bytes > 100,
		  "connections %lld, requests %lld, writes %lld", (long long)after.connections,
		  (long long)after.requests, (long long)after.writes);
	lab_end(lab);
}

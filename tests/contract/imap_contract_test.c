#include "config.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct fixture *fixtures[COUNT_OF(kinds)]; /* of the runner's process */

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana", "bob:geheim", NULL };

	(void)tests;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		setenv("DOVECOT_LAYOUT", kinds[i].layout, 1);
		setenv("DOVECOT_SEP", kinds[i].separator, 1);
		fixtures[i] = fixture_start(NULL, "dovecot", "start", users);
		if (fixtures[i]->result == FIXTURE_NOT_INSTALLED)
			setenv(SERVER_MISSING, "1", 1);
		if (fixtures[i]->url)
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
	const char *url, *tls_url, *ca;
	int port;
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
	struct imap_account one = {
		.url = url, .user = "ana", .trusts = lab->trusts, .stop_fd = -1, .without = without
	};

	one.password = secret_new(lab, password, strlen(password));
	if (text_starts(url, "imaps:"))
		one.tls_ca = lab->ca;
	return imap_new(lab, lab->clock, NULL, &one);
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
						.user = "ana",
						.password = secret_new(lab, "secret", 6),
						.clock = lab->clock };
	struct fault *fault =
		lab->other ? NULL : imap_session_open(lab, &options, &lab->other);

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
	char *text;	  /* what they hold, as text */
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

static void append_there(struct lab *lab, const char *folder, const char *flags, const char *text)
{
	struct imap_line *line = imap_line_new(lab, "APPEND ", true);

	imap_line_mailbox(line, folder);
	imap_line_add(line, " (%s) ", flags);
	imap_line_literal(line, text, strlen(text));
	cr_assert_eq((int)say_line(lab, line, NULL, NULL).status, IMAP_OK);
}

static void drop_folder(struct contract_world *world, const char *folder)
{
	say((struct lab *)world, "DELETE ", folder);
}

/* ---- labs ---- */

static struct lab *lab_new(int kind, const char *name, unsigned without)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);
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
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	lab->world.path = name;
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
	struct lab *lab = lab_new(kind, mem_printf(NULL, "%s %u", name, without), without);

	talloc_steal(lab, lab->world.path);
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
	struct lab *lab = lab_new(kind, "names", 0);

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
		expect_words(ask(lab, "LSUB \"\" ", folder, "LSUB"), "", true);
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
		struct lab *lab = lab_new(kind, "levels", 0);
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
		struct lab *lab = lab_new(kind, "noselect", 0);
		bool created = false;
		char *folder = new_folder(lab), *child;

		child = mem_printf(lab, "%s%sx", folder, kinds[kind].separator);
		say(lab, "CREATE ", child);
		say(lab, "DELETE ", folder);
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
		struct lab *lab = lab_new(kind, "renamed", 0);
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
	struct lab *lab = lab_new(DOT, "taken", 0);
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
	struct lab *lab = lab_new(DOT, "unsubscribed", 0);
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
	struct lab *lab = lab_new(DOT, "validity", 0);
	char *folder = new_folder(lab);
	struct endpoint_put one = put(lab, folder, "uid-1", NULL), again = { 0 };
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct fault *fault;

	say(lab, "DELETE ", folder);
	say(lab, "CREATE ", folder);
	append_there(lab, folder, "", message(lab, "foreign"));
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
	struct lab *lab = lab_new(DOT, "alone", 0);
	char *folder = new_folder(lab);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct endpoint_put one;

	for (int i = 0; i < 5; i++) {
		one = put(lab, folder, "uid", NULL);
		append_there(lab, folder, "\\Deleted", message(lab, "foreign"));
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
	struct lab *lab = lab_new(DOT, "cheap", 0);
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
	struct lab *lab = lab_new(DOT, "two", 0);
	struct endpoint *mine = lab->world.endpoint,
			*theirs = account(lab, lab->url, "secret", 0);
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

static const unsigned ways[] = { 0, 1U << IMAP_CAP_CONDSTORE, 1U << IMAP_CAP_MULTIAPPEND,
				 1U << IMAP_CAP_LITERAL_PLUS, 1U << IMAP_CAP_UIDPLUS, ~0U };

#define ITEMS "FLAGS INTERNALDATE"
#define DATE "03-Feb-2024 04:05:06 +0000"

Test(imap_flags, flags_keywords_and_date_are_carried_over)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct lab *lab = lab_new(DOT, mem_printf(NULL, "carried %u", ways[i]), ways[i]);
		char *folder = new_folder(lab), *seen;
		struct endpoint_notice *made;
		struct endpoint_put two;
		const char *one;

		say(lab,
		    mem_printf(lab,
			       "APPEND \"%s\" (\\Seen \\Flagged \\Deleted work $Tag-1) \"" DATE
			       "\" {5+}\r\nhello",
			       "x") == NULL
			    ? ""
			    : "NOOP",
		    NULL);
		append_there(lab, folder, "\\Seen \\Flagged \\Deleted work $Tag-1) \"" DATE "\" (",
			     message(lab, "uid-1"));
		made = notice(lab, folder, NULL);
		one = made->changes[0].address;
		two = put(lab, folder, "uid-2", one);
		seen = look(lab, folder, two.placed, ITEMS);
		expect_words(seen, "\\Seen", true);
		expect_words(seen, "\\Flagged", true);
		expect_words(seen, "\\Deleted", true);
		expect_words(seen, "work", true);
		expect_words(seen, "$Tag-1", true);
		expect_words(seen, DATE, true);
		expect_words(look(lab, folder, one, ITEMS), "\\Flagged", true);
		lab_end(lab);
	}
}

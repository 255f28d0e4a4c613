/* imap_listen_test.c - listening on real Dovecots.
 *
 * waits: yes
 */
#include "config.h"

#include "imap_kit.h"

#include <poll.h>

/* Listening, on real Dovecots: to one folder by IDLE, to several by NOTIFY. Names of folders are such
 * that they are not the same in UTF-8 and in modified UTF-7. */

/* ---- listening ---- */

static bool becomes_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, WAIT_MS) == 1;
}

static void wait_until_heard(struct lab *lab, int fd)
{
	bool changed = false;

	while (!changed) {
		cr_assert(becomes_readable(fd), "nothing came");
		fine(endpoint_heard(lab->world.endpoint, &changed), "heard");
	}
}

/* Waits until it has heard of a change. */
static void expect_heard(struct lab *lab, int fd)
{
	wait_until_heard(lab, fd);
	fine(endpoint_hush(lab->world.endpoint), "hush");
}

static int listen_to(struct lab *lab, const char *folder, bool expect_changed)
{
	const struct endpoint_sweep place = { .folder = folder };
	struct endpoint_ear ear = { .fd = -2 };

	fine(endpoint_listen(lab->world.endpoint, &place, 1, &ear), "listen");
	cr_assert_eq(ear.changed, expect_changed, "changed: expected %d, got %d", expect_changed,
		     ear.changed);
	cr_assert_eq(ear.fd < 0, expect_changed, "descriptor %d", ear.fd);
	if (!expect_changed)
		cr_assert_str_eq(ear.how, "idle");
	return ear.fd;
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

/* The look that follows has been asked for already; one by another token is right all the same. */
Test(imap_listen, a_look_that_follows_asks_nothing_more)
{
	struct lab *lab = lab_new(DOT, 0, "follows");
	char *folder = new_folder(lab);
	const char *first = notice(lab, folder, NULL)->token, *token = first;
	const char *const tokens[] = { NULL, NULL, first };

	for (size_t i = 0; i < COUNT_OF(tokens); i++) {
		int fd = listen_to(lab, folder, false);
		struct endpoint_notice *made;
		int64_t asked;

		append_there(lab, folder, "", NULL, message(lab, "foreign"));
		wait_until_heard(lab, fd);
		asked = endpoint_stats(lab->world.endpoint).requests;
		fine(endpoint_follow(lab->world.endpoint, true), "follow");
		made = notice(lab, folder, tokens[i] ? tokens[i] : token);
		cr_expect_eq(made->count, tokens[i] ? i + 1 : 1, "%zu: %zu", i, made->count);
		if (!tokens[i])
			cr_expect_eq(endpoint_stats(lab->world.endpoint).requests, asked);
		token = made->token;
	}
	lab_end(lab);
}

/* Nothing was heard: DONE, STATUS and NOOP go out together, and what has just come is told all the same. */
Test(imap_listen, a_look_that_nothing_was_heard_before_asks_nothing_more)
{
	struct lab *lab = lab_new(DOT, 0, "unheard");
	char *folder = new_folder(lab);
	const char *token = notice(lab, folder, NULL)->token;
	int64_t asked;

	for (size_t come = 0; come < 3; come++) {
		struct endpoint_notice *made;

		(void)listen_to(lab, folder, false);
		if (come)
			append_there(lab, folder, "", NULL, message(lab, "foreign"));
		asked = endpoint_stats(lab->world.endpoint).requests;
		fine(endpoint_follow(lab->world.endpoint, false), "follow");
		made = notice(lab, folder, token);
		cr_expect_eq(made->count, come ? 1 : 0, "%zu: %zu", come, made->count);
		if (!come)
			cr_expect_eq(endpoint_stats(lab->world.endpoint).requests, asked + 1);
		token = made->token;
	}
	lab_end(lab);
}

/* What was asked when something was heard is of then. */
Test(imap_listen, a_look_that_comes_late_asks_anew)
{
	struct lab *lab = lab_new(DOT, 0, "late");
	char *folder = new_folder(lab);
	const char *token = notice(lab, folder, NULL)->token;
	int fd = listen_to(lab, folder, false);

	append_there(lab, folder, "", NULL, message(lab, "foreign"));
	wait_until_heard(lab, fd);
	append_there(lab, folder, "", NULL, message(lab, "foreign"));
	fine(endpoint_follow(lab->world.endpoint, false), "follow");
	cr_expect_eq(notice(lab, folder, token)->count, 2);
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
	const struct endpoint_sweep place = { .folder = folder };
	struct endpoint_ear ear = { .fd = -2, .changed = true };

	fine(endpoint_listen(lab->world.endpoint, &place, 1, &ear), "listen");
	cr_assert(ear.fd == -1 && !ear.changed, "descriptor %d, changed %d", ear.fd, ear.changed);
	lab_end(lab);
}

/* ---- several folders ---- */

#define FOLDERS 3

static void new_folders(struct lab *lab, struct endpoint_sweep *places)
{
	for (int i = 0; i < FOLDERS; i++) {
		bool created;

		places[i].folder =
			ensure(lab, mem_printf(lab, "%s, %d \xc3\xa4", lab->world.path, i), NULL,
			       &created);
		places[i].token = notice(lab, places[i].folder, NULL)->token;
	}
}

static struct endpoint_ear listen_to_all(struct endpoint *endpoint,
					 const struct endpoint_sweep *places)
{
	struct endpoint_ear ear = { .fd = -2 };

	fine(endpoint_listen(endpoint, places, FOLDERS, &ear), "listen");
	return ear;
}

static int expect_notify(struct lab *lab, const struct endpoint_sweep *places)
{
	struct endpoint_ear ear = listen_to_all(lab->world.endpoint, places);

	cr_assert(!ear.changed && ear.fd >= 0, "descriptor %d, changed %d", ear.fd, ear.changed);
	cr_assert_str_eq(ear.how, "notify");
	cr_assert_eq(ear.count, FOLDERS);
	return ear.fd;
}

static void expect_change(struct lab *lab, const struct endpoint_sweep *places)
{
	struct endpoint_ear ear = listen_to_all(lab->world.endpoint, places);

	cr_assert(ear.changed && ear.fd == -1, "descriptor %d, changed %d", ear.fd, ear.changed);
}

/* Another client's changes in each of them. */
Test(imap_notify, one_connection_tells_of_all_folders)
{
	struct lab *lab = lab_new(DOT, 0, "notify");
	struct endpoint_sweep places[FOLDERS] = { { .folder = NULL } };
	const char *one;

	new_folders(lab, places);
	for (int i = FOLDERS - 1; i >= 0; i--) {
		int fd = expect_notify(lab, places);

		append_there(lab, "INBOX", "", NULL, message(lab, "not ours"));
		append_there(lab, places[i].folder, "", NULL, message(lab, "foreign"));
		expect_heard(lab, fd);
		expect_change(lab, places); /* until somebody has looked */
		one = notice(lab, places[i].folder, NULL)->changes[0].address;
		fd = expect_notify(lab, places);
		store(lab, places[i].folder, one, "+FLAGS (\\Flagged)");
		expect_heard(lab, fd);
		(void)notice(lab, places[i].folder, NULL);
		fd = expect_notify(lab, places);
		store(lab, places[i].folder, one, "+FLAGS (\\Deleted)");
		say(lab, "EXPUNGE", NULL);
		expect_heard(lab, fd);
		(void)notice(lab, places[i].folder, NULL);
	}
	lab_end(lab);
}

Test(imap_notify, what_came_between_is_not_missed)
{
	struct lab *lab = lab_new(DOT, 0, "notify between");
	struct endpoint_sweep places[FOLDERS] = { { .folder = NULL } };
	const char *one;

	new_folders(lab, places);
	append_there(lab, places[1].folder, "", NULL, message(lab, "foreign"));
	expect_change(lab, places);
	one = notice(lab, places[1].folder, NULL)->changes[0].address;
	store(lab, places[1].folder, one, "+FLAGS (work)");
	expect_change(lab, places);
	(void)notice(lab, places[1].folder, NULL);
	(void)expect_notify(lab, places);
	fine(endpoint_hush(lab->world.endpoint), "hush");
	fine(endpoint_hush(lab->world.endpoint), "hush again");
	(void)put(lab, places[2].folder, "uid-1", NULL);
	expect_change(lab, places);
	lab_end(lab);
}

/* What another process has noticed is known by the tokens. */
Test(imap_notify, a_new_connection_knows_by_the_tokens)
{
	struct lab *lab = lab_new(DOT, 0, "notify tokens");
	struct endpoint_sweep places[FOLDERS] = { { .folder = NULL } };
	struct endpoint *second;

	new_folders(lab, places);
	second = account(lab, lab->url, "secret", 0);
	cr_assert_str_eq(listen_to_all(second, places).how, "notify");
	endpoint_rest(second); /* the connection goes, what is known stays */
	cr_assert_str_eq(listen_to_all(second, places).how, "notify");
	cr_assert_eq(endpoint_stats(second).connections, 2);
	fine(endpoint_hush(second), "hush");
	append_there(lab, places[2].folder, "", NULL, message(lab, "foreign"));
	second = account(lab, lab->url, "secret", 0);
	cr_assert(listen_to_all(second, places).changed);
	places[0].token = NULL;
	second = account(lab, lab->url, "secret", 0);
	cr_assert(listen_to_all(second, places).changed, "nobody has looked into it");
	lab_end(lab);
}

/* What others do to mailboxes that nobody listens to. Dovecot 2.3 mostly tells of nothing more, for ever, when
 * one is renamed, and loses what comes with one that is made and removed within half a second, if it was
 * asked to tell of their names. */
Test(imap_notify, mailboxes_beside_come_and_go)
{
	struct lab *lab = lab_new(DOT, 0, "notify beside");
	struct endpoint_sweep places[FOLDERS] = { { .folder = NULL } };
	static const char *const beside[][2] = {
		{ "CREATE fleeting", "DELETE fleeting" },
		{ "CREATE old", NULL },
		{ "RENAME old new", NULL },
		{ "CREATE old", "RENAME old older" },
		{ "DELETE older", "CREATE older" },
	};

	new_folders(lab, places);
	for (size_t i = 0; i < COUNT_OF(beside); i++)
		for (size_t turn = 0; turn < 2; turn++) {
			const char *folder = places[(i + turn) % FOLDERS].folder;
			int fd = expect_notify(lab, places);

			append_there(lab, folder, "", NULL, message(lab, "foreign"));
			for (size_t k = 0; turn == 0 && k < 2 && beside[i][k]; k++)
				say(lab, beside[i][k], NULL);
			expect_heard(lab, fd);
			(void)notice(lab, folder, NULL);
		}
	lab_end(lab);
}

/* One that has gone is nothing that can be listened to; the others are asked. */
Test(imap_notify, a_folder_that_has_gone_and_appears)
{
	struct lab *lab = lab_new(DOT, 0, "notify gone");
	struct endpoint_sweep places[FOLDERS] = { { .folder = NULL } };
	struct endpoint_ear ear;
	int fd;

	new_folders(lab, places);
	fd = expect_notify(lab, places);
	append_there(lab, places[2].folder, "", NULL, message(lab, "foreign"));
	wait_until_heard(lab, fd);
	fine(endpoint_hush(lab->world.endpoint), "hush");
	say(lab, "DELETE ", places[2].folder);
	expect_change(lab, places);
	ear = listen_to_all(lab->world.endpoint, places);
	cr_assert_str_eq(ear.how, "idle");
	cr_assert_eq(ear.count, 1);
	append_there(lab, places[0].folder, "", NULL, message(lab, "foreign"));
	expect_heard(lab, ear.fd);
	say(lab, "CREATE ", places[2].folder);
	for (int i = 0; i < FOLDERS; i++)
		(void)notice(lab, places[i].folder, NULL);
	endpoint_rest(lab->world.endpoint);
	(void)expect_notify(lab, places);
	lab_end(lab);
}

static const struct {
	const char *what;
	unsigned without;
} lacks[] = {
	{ "NOTIFY", 1U << IMAP_CAP_NOTIFY },
	{ "CONDSTORE", 1U << IMAP_CAP_CONDSTORE },
	{ "UNSELECT", 1U << IMAP_CAP_UNSELECT },
};

Test(imap_notify, without_it_one_folder_is_listened_to)
{
	for (size_t i = 0; i < COUNT_OF(lacks); i++) {
		struct lab *lab = lab_new(DOT, lacks[i].without, "without %s", lacks[i].what);
		struct endpoint_sweep places[FOLDERS] = { { .folder = NULL } };
		struct endpoint_ear ear;

		new_folders(lab, places);
		ear = listen_to_all(lab->world.endpoint, places);
		cr_assert_str_eq(ear.how, "idle", "%s", lacks[i].what);
		cr_assert_eq(ear.count, 1);
		append_there(lab, places[0].folder, "", NULL, message(lab, "foreign"));
		expect_heard(lab, ear.fd);
		lab_end(lab);
	}
}

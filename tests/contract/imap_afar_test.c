/* imap_afar_test.c - many new messages are stored into a mailbox that is not selected meanwhile.
 *
 * timeout: 200
 */
#include "config.h"

#define IMAP_KIT_FIRST SDBOX
#define IMAP_KIT_KINDS 3
#include "imap_kit.h"

/* On a real Dovecot and a Cyrus, and on a Courier, whose clients cannot leave a mailbox. */

#define MANY 25 /* messages: more than what leaving is worth for */
#define MOST (2 * MANY + 3)

struct afar {
	struct lab *lab;
	char *folder;
	const char *token; /* of before */
	struct endpoint_put puts[MOST];
};

static struct afar *afar_new(int kind, uint64_t without, const char *name)
{
	struct lab *lab = lab_new(kind, without, "afar %s %d %d", name, kind, without != 0);
	struct afar *it = MEM_NEW(lab, struct afar);

	it->lab = lab;
	it->folder = new_folder(lab);
	it->token = notice(lab, it->folder, NULL)->token;
	for (size_t i = 0; i < MOST; i++) {
		it->puts[i].text = message(lab, mem_printf(lab, "uid-%zu", i));
		it->puts[i].len = strlen(it->puts[i].text);
	}
	return it;
}

static void put_many(struct afar *it)
{
	fine(endpoint_put(it->lab->world.endpoint, it->lab, it->folder, it->puts, MANY), "put");
	for (size_t i = 0; i < MANY; i++)
		fine(it->puts[i].fault, it->puts[i].text);
}

/* The token behind our own writes. */
static const char *advanced(struct afar *it)
{
	char *token = NULL;

	fine(endpoint_advance(it->lab->world.endpoint, it->lab, it->folder, it->token, &token),
	     "advance");
	return token;
}

static struct endpoint_put *find_put(struct afar *it, const char *address)
{
	for (size_t i = 0; i < MOST; i++)
		if (text_same(it->puts[i].placed, address))
			return &it->puts[i];
	cr_assert_fail("%s was not put", address);
	return NULL;
}

static bool leaves(int kind, uint64_t without)
{
	return kind != COURIER && !(without & UINT64_C(1) << IMAP_CAP_UNSELECT);
}

/* Each in the version that the put told; and then nothing more. */
static void try_met(int kind, uint64_t without)
{
	struct afar *it = afar_new(kind, without, "met");
	struct endpoint_notice *made;
	const char *token;

	put_many(it);
	token = advanced(it);
	cr_assert_eq(!strcmp(token, it->token), leaves(kind, without), "%s", token);
	made = notice(it->lab, it->folder, token);
	cr_assert_eq(made->count, leaves(kind, without) ? MANY : 0);
	for (size_t i = 0; i < made->count; i++)
		cr_assert_str_eq(made->changes[i].version,
				 find_put(it, made->changes[i].address)->version);
	cr_assert_eq(notice(it->lab, it->folder, made->token)->count, 0);
	lab_end(it->lab);
}

Test(imap_afar, the_next_look_meets_them_as_ours)
{
	ON_ALL(kind) {
		try_met(kind, 0);
		try_met(kind, UINT64_C(1) << IMAP_CAP_UNSELECT);
	}
}

/* What a person marks between our storing and our look is news. */
Test(imap_afar, a_mark_that_comes_before_the_look_is_seen)
{
	ON_ALL(kind) {
		struct afar *it = afar_new(kind, 0, "mark");
		struct endpoint_notice *made;
		const struct endpoint_change *marked = NULL;

		put_many(it);
		store(it->lab, it->folder, it->puts[7].placed, "+FLAGS (\\Flagged)");
		made = notice(it->lab, it->folder, advanced(it));
		for (size_t i = 0; i < made->count; i++)
			if (!strcmp(made->changes[i].address, it->puts[7].placed))
				marked = &made->changes[i];
		cr_assert_not_null(marked, "%s: it is no news", kinds[kind].name);
		expect_words(marked->marks, "\\Flagged", true);
		cr_assert_str_neq(marked->version, it->puts[7].version);
		lab_end(it->lab);
	}
}

static bool in_span(const struct endpoint_notice *notice, const char *address)
{
	for (size_t i = 0; i < notice->span_count; i++)
		if (strcmp(address, notice->spans[i].from) >= 0 &&
		    strcmp(address, notice->spans[i].to) <= 0)
			return true;
	return false;
}

/* Removed before the look: all that came is told, and it is not among that. */
Test(imap_afar, one_that_is_removed_before_the_look_is_missing)
{
	ON_ALL(kind) {
		struct afar *it = afar_new(kind, 0, "removed");
		struct endpoint_notice *made;

		put_many(it);
		store(it->lab, it->folder, it->puts[3].placed, "+FLAGS (\\Deleted)");
		say(it->lab, "EXPUNGE", NULL);
		made = notice(it->lab, it->folder, advanced(it));
		for (size_t i = 0; i < made->count; i++)
			cr_assert(made->changes[i].removed ||
					  strcmp(made->changes[i].address, it->puts[3].placed) != 0,
				  "%s: it is there", kinds[kind].name);
		cr_assert(made->full || in_span(made, it->puts[3].placed), "%s: nobody tells",
			  kinds[kind].name);
		cr_assert(made->full || in_span(made, it->puts[4].placed));
		expect(fetch(it->lab, it->folder, it->puts[3].placed), FAULT_GONE, FAULT_SCOPE_ITEM,
		       "the removed one");
		lab_end(it->lab);
	}
}

static void remove_behind_first(struct afar *it)
{
	select_there(it->lab, it->folder);
	say(it->lab, "STORE 2:* +FLAGS (\\Deleted)", NULL);
	say(it->lab, "EXPUNGE", NULL);
}

/* The last of the folder, so that all is as it was before: also of few, where the mailbox was not left, and
 * where UIDNEXT is what is behind the last message. */
static void try_last_removed(int kind, size_t count)
{
	struct afar *it = afar_new(kind, 0, count == 1 ? "last" : "last many");
	struct endpoint_notice *made;

	(void)put(it->lab, it->folder, "old", NULL);
	it->token = notice(it->lab, it->folder, NULL)->token;
	fine(endpoint_put(it->lab->world.endpoint, it->lab, it->folder, it->puts, count), "put");
	remove_behind_first(it);
	made = notice(it->lab, it->folder, advanced(it));
	for (size_t i = 0; i < count; i++)
		cr_expect(made->full || in_span(made, it->puts[i].placed),
			  "%s: nobody tells of %zu of %zu", kinds[kind].name, i, count);
	lab_end(it->lab);
}

Test(imap_afar, the_last_ones_that_are_removed_before_the_look_are_missing)
{
	ON_ALL(kind) {
		try_last_removed(kind, 1);
		try_last_removed(kind, MANY);
	}
}

/* Where the server counts what it has stored, nothing has to be looked for. */
Test(imap_afar, a_quiet_look_tells_of_nothing_that_came)
{
	ON_ALL(kind) {
		struct afar *it = afar_new(kind, 0, "quiet");

		(void)put(it->lab, it->folder, "old", NULL);
		it->token = notice(it->lab, it->folder, NULL)->token;
		cr_expect_eq(notice(it->lab, it->folder, it->token)->span_count,
			     kind == COURIER ? 1 : 0, "%s", kinds[kind].name);
		lab_end(it->lab);
	}
}

static bool listens(struct afar *it, const char *token)
{
	const struct endpoint_sweep place = { .folder = it->folder, .token = token };
	struct endpoint_ear ear = { .fd = -1 };

	fine(endpoint_listen(it->lab->world.endpoint, &place, 1, &ear), "listen");
	fine(endpoint_hush(it->lab->world.endpoint), "hush");
	return !ear.changed;
}

/* Before listening begins, all are removed: somebody has to look, once. */
static void try_listened(int kind, size_t count)
{
	struct afar *it = afar_new(kind, UINT64_C(1) << IMAP_CAP_CONDSTORE,
				   count == 1 ? "hear" : "hear many");
	struct endpoint_notice *made;

	(void)put(it->lab, it->folder, "old", NULL);
	it->token = notice(it->lab, it->folder, NULL)->token;
	cr_expect(listens(it, it->token), "%s", kinds[kind].name);
	fine(endpoint_put(it->lab->world.endpoint, it->lab, it->folder, it->puts, count), "put");
	remove_behind_first(it);
	it->token = advanced(it);
	cr_expect(!listens(it, it->token), "%s: nobody looks, of %zu", kinds[kind].name, count);
	made = notice(it->lab, it->folder, it->token);
	cr_expect(made->full || in_span(made, it->puts[0].placed), "%s", kinds[kind].name);
	cr_expect(listens(it, made->token), "%s: again", kinds[kind].name);
	lab_end(it->lab);
}

Test(imap_afar, what_came_and_went_before_it_listens_is_looked_for)
{
	ON_ALL(kind) {
		try_listened(kind, 1);
		try_listened(kind, MANY);
	}
}

static struct endpoint_putting *begin(struct afar *it, size_t first, size_t count)
{
	struct endpoint_putting *putting = NULL;

	fine(endpoint_put_begin(it->lab->world.endpoint, it->lab, it->folder, &it->puts[first], count,
				&putting),
	     "begin");
	return putting;
}

static void end(struct afar *it, struct endpoint_putting *putting)
{
	fine(endpoint_put_end(it->lab->world.endpoint, putting, it->lab), "end");
}

/* Two of many, and the rest, which are few, each begun before the last has ended. */
Test(imap_afar, one_follows_the_other)
{
	ON_ALL(kind) {
		struct afar *it = afar_new(kind, 0, "follow");
		struct endpoint_putting *first = begin(it, 0, MANY), *second, *rest;

		second = begin(it, MANY, MANY);
		end(it, first);
		rest = begin(it, 2 * MANY, MOST - 2 * MANY);
		end(it, second);
		end(it, rest);
		for (size_t i = 0; i < MOST; i++) {
			fine(it->puts[i].fault, it->puts[i].text);
			for (size_t j = 0; j < i; j++)
				cr_assert_str_neq(it->puts[i].placed, it->puts[j].placed);
		}
		cr_assert_eq(notice(it->lab, it->folder, NULL)->count, MOST);
		lab_end(it->lab);
	}
}

/* One that replaces another comes among them: that one is looked at, as ever. */
Test(imap_afar, a_replacement_among_them_looks_at_the_old_one)
{
	ON_ALL(kind) {
		struct afar *it = afar_new(kind, 0, "replace");
		struct endpoint_putting *first, *second;
		struct endpoint_put *replacing = &it->puts[MANY + 5];
		struct endpoint_put old = put(it->lab, it->folder, "old", NULL);

		store(it->lab, it->folder, old.placed, "+FLAGS (\\Flagged)");
		replacing->address = replacing->if_version = old.placed;
		first = begin(it, 0, MANY);
		second = begin(it, MANY, MANY);
		end(it, first);
		end(it, second);
		for (size_t i = 0; i < 2 * MANY; i++)
			fine(it->puts[i].fault, it->puts[i].text);
		expect_words(look(it->lab, it->folder, replacing->placed, "FLAGS"), "\\Flagged",
			     true);
		fine(drop(it->lab, it->folder, old.placed, replacing->replaced, replacing->placed),
		     "drop");
		cr_assert_eq(notice(it->lab, it->folder, NULL)->count, 2 * MANY);
		lab_end(it->lab);
	}
}

/* Another makes the folder anew behind them: the next ones go into the new one. */
Test(imap_afar, a_folder_that_is_made_anew_is_selected_anew)
{
	ON_ALL(kind) {
		struct afar *it = afar_new(kind, 0, "anew");

		put_many(it);
		if (kind == COURIER) /* the same second is the same UIDVALIDITY */
			clock_sleep(it->lab->clock, 2 * CLOCK_SECOND_US);
		say(it->lab, "DELETE ", it->folder);
		say(it->lab, "CREATE ", it->folder);
		end(it, begin(it, MANY, MANY));
		for (size_t i = MANY; i < 2 * MANY; i++)
			fine(it->puts[i].fault, it->puts[i].text);
		cr_assert_eq(notice(it->lab, it->folder, NULL)->count, MANY);
		lab_end(it->lab);
	}
}

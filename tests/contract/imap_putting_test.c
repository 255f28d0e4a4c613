#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "gateway/imap/imap_session.h"
#include "imap_scripted.h"

/* Puts of which one is on its way while the next is begun: over a scripted server. */

#define APPEND_A "APPEND \"" FOLDER "\" {21" /* the message of "a" */
#define APPEND_B "APPEND \"" FOLDER "\" {22" /* that of "bb" */

struct two {
	struct lab *lab;
	struct endpoint_put puts[2];
	struct endpoint_putting *putting[2];
};

static void begin(struct two *two, const struct imap_script_row *rows, size_t count,
		  const char *caps)
{
	two->lab = lab_new(rows, count, caps);
	two->puts[0] = text_of(two->lab, "a");
	two->puts[1] = text_of(two->lab, "bb");
	for (size_t i = 0; i < 2; i++)
		fine(endpoint_put_begin(two->lab->endpoint, two->lab, FOLDER, &two->puts[i], 1,
					&two->putting[i]),
		     "begin");
}

static void end(struct two *two)
{
	for (size_t i = 0; i < 2; i++)
		fine(endpoint_put_end(two->lab->endpoint, two->putting[i], two->lab), "end");
}

static const struct imap_script_row two_places[] = {
	{ .when = APPEND_B, .say = "* 5 EXISTS\r\n$T OK [APPENDUID 77 11] done\r\n" },
};

/* With every way to send, and what the server says in between is understood. */
Test(imap_putting, two_are_under_way)
{
	static const char *const caps[] = { NULL, "IMAP4rev1 UIDPLUS LITERAL+",
					    "IMAP4rev1 UIDPLUS LITERAL-", "IMAP4rev1 UIDPLUS" };

	for (size_t i = 0; i < COUNT_OF(caps); i++) {
		struct two two;

		begin(&two, two_places, COUNT_OF(two_places), caps[i]);
		end(&two);
		for (size_t j = 0; j < 2; j++)
			fine(two.puts[j].fault, caps[i]);
		cr_assert_str_eq(two.puts[0].placed, "0000000077.0000000010");
		cr_assert_str_eq(two.puts[1].placed, "0000000077.0000000011");
		lab_end(two.lab);
	}
}

/* The second is sent without a word to the server about the folder in between. */
Test(imap_putting, the_second_needs_no_look_at_the_folder)
{
	struct two two;

	begin(&two, two_places, COUNT_OF(two_places), NULL);
	end(&two);
	cr_assert_eq(heard_times(two.lab, "SELECT"), 1);
	cr_assert_eq(heard_times(two.lab, "NOOP"), 0);
	lab_end(two.lab);
}

Test(imap_putting, one_place_holds_one_message)
{
	struct two two;

	begin(&two, NULL, 0, NULL);
	end(&two);
	fine(two.puts[0].fault, "the first");
	expect(two.puts[1].fault, FAULT_PROTOCOL, FAULT_SCOPE_ITEM, "the second");
	cr_assert(two.puts[1].fault->maybe_done);
	lab_end(two.lab);
}

/* Another command in between takes the answers, and each still gets its own. */
Test(imap_putting, other_commands_wait_for_the_answers)
{
	struct endpoint_item *items = NULL;
	const char *address = "0000000077.0000000007";
	struct two two;

	begin(&two, two_places, COUNT_OF(two_places), NULL);
	fine(endpoint_fetch(two.lab->endpoint, two.lab, FOLDER, &address, 1, &items), "fetch");
	fine(items[0].fault, "the item");
	end(&two);
	fine(two.puts[1].fault, "the second");
	cr_assert_str_eq(two.puts[0].placed, "0000000077.0000000010");
	cr_assert_str_eq(two.puts[1].placed, "0000000077.0000000011");
	lab_end(two.lab);
}

/* Another folder is selected in between: numbers are the folder's own. */
Test(imap_putting, two_folders_have_the_same_numbers)
{
	struct endpoint_putting *putting = NULL;
	struct lab *lab = lab_new(NULL, 0, NULL);
	struct endpoint_put one = text_of(lab, "a"), two = text_of(lab, "bb");

	fine(endpoint_put_begin(lab->endpoint, lab, FOLDER, &one, 1, &putting), "begin");
	fine(endpoint_put(lab->endpoint, lab, "INBOX.q", &two, 1), "put");
	fine(two.fault, "the second");
	fine(endpoint_put_end(lab->endpoint, putting, lab), "end");
	fine(one.fault, "the first");
	cr_assert_str_eq(one.placed, two.placed);
	lab_end(lab);
}

/* Who does not say where it stands is asked in the folder that it was put into. */
Test(imap_putting, a_message_is_found_in_its_own_folder)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID FETCH 10:*",
		  .say = "* 4 FETCH (UID 10 BODY[HEADER.FIELDS (MESSAGE-ID)] "
			 "\"Message-ID: <a@x>\")\r\n$T OK done\r\n" },
	};
	struct endpoint_putting *putting = NULL;
	struct endpoint_item *items = NULL;
	struct lab *lab = lab_new(rows, COUNT_OF(rows), "IMAP4rev1 LITERAL+");
	struct endpoint_put one = text_of(lab, "a");
	const char *address = "0000000077.0000000007", *asked, *last = NULL;

	fine(endpoint_put_begin(lab->endpoint, lab, FOLDER, &one, 1, &putting), "begin");
	fine(endpoint_fetch(lab->endpoint, lab, "INBOX.q", &address, 1, &items), "fetch");
	fine(endpoint_put_end(lab->endpoint, putting, lab), "end");
	fine(one.fault, "the message");
	asked = strstr(imap_server_heard(lab->server, lab, NULL), "SELECT");
	for (const char *at = asked; at && at < strstr(asked, "UID FETCH 10:*");
	     at = strstr(at + 1, "SELECT"))
		last = at;
	cr_assert(last && text_starts(last, "SELECT \"" FOLDER "\""), "%.20s", last);
	lab_end(lab);
}

/* The connection ends before the answer to either. */
static const struct imap_script_row cuts[][2] = {
	{ { .when = APPEND_A, .say = "", .then = IMAP_SCRIPT_CLOSE } },
	{ { .when = APPEND_A, .say = "* BYE no\r\n", .then = IMAP_SCRIPT_CLOSE } },
	{ { .when = APPEND_A, .say = "T9999 OK whose\r\n" } },
	{ { .when = APPEND_B, .say = "", .then = IMAP_SCRIPT_CLOSE } },
	{ { .when = APPEND_A, .say = "$T OK [APPENDUID 77 10] done\r\n* garbage (\r\n" } },
};

Test(imap_putting, what_is_not_answered_may_be_done)
{
	for (size_t i = 0; i < COUNT_OF(cuts); i++) {
		bool first = i < 3;
		struct two two;

		begin(&two, cuts[i], 1, NULL);
		end(&two);
		for (size_t j = 0; j < 2; j++) {
			const struct fault *fault = two.puts[j].fault;

			if (j == 0 && !first) {
				fine(fault, "the first");
				continue;
			}
			cr_assert(fault && fault->maybe_done, "%zu.%zu: %s", i, j,
				  fault ? fault->text : "done");
			cr_assert_null(two.puts[j].placed);
		}
		lab_end(two.lab);
	}
}

/* A new connection may be made before the end: what was sent over the old one is not its own. */
Test(imap_putting, a_new_connection_knows_nothing_of_the_old)
{
	static const struct imap_script_row rows[] = {
		{ .when = APPEND_A, .say = "", .then = IMAP_SCRIPT_CLOSE },
	};
	struct endpoint_notice *notice = NULL;
	struct two two;

	begin(&two, rows, COUNT_OF(rows), NULL);
	for (int i = 0; i < 2; i++)
		talloc_free(endpoint_notice(two.lab->endpoint, two.lab, FOLDER, NULL, &notice));
	end(&two);
	for (size_t j = 0; j < 2; j++)
		cr_assert(two.puts[j].fault && two.puts[j].fault->maybe_done, "%zu", j);
	lab_end(two.lab);
}

/* Its answers have come, then the connection ends, and the server with it. */
Test(imap_putting, answers_outlive_their_connection)
{
	static const char *const caps[] = { NULL, "IMAP4rev1 LITERAL+" };

	for (size_t i = 0; i < COUNT_OF(caps); i++) {
		const char *address = "0000000077.0000000007";
		struct endpoint_item *items = NULL;
		struct two two;

		begin(&two, two_places, COUNT_OF(two_places), caps[i]);
		fine(endpoint_fetch(two.lab->endpoint, two.lab, FOLDER, &address, 1, &items),
		     "fetch");
		TALLOC_FREE(two.lab->server);
		expect(endpoint_fetch(two.lab->endpoint, two.lab, FOLDER, &address, 1, &items),
		       FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "fetch again");
		end(&two);
		for (size_t j = 0; j < 2 && !caps[i]; j++)
			cr_assert(!two.puts[j].fault && two.puts[j].placed, "%zu", j);
		for (size_t j = 0; j < 2 && caps[i]; j++)
			cr_assert(two.puts[j].fault && two.puts[j].fault->maybe_done, "%zu", j);
		lab_end(two.lab);
	}
}

/* Who does not want to know waits all the same, and the session is in step behind that. */
Test(imap_putting, what_is_given_up_leaves_the_session_sound)
{
	struct endpoint_put more;
	struct two two;

	begin(&two, two_places, COUNT_OF(two_places), NULL);
	talloc_free(two.putting[0]);
	talloc_free(two.putting[1]);
	more = text_of(two.lab, "a");
	fine(endpoint_put(two.lab->endpoint, two.lab, FOLDER, &more, 1), "put");
	fine(more.fault, "the next");
	cr_assert_eq(endpoint_stats(two.lab->endpoint).connections, 1);
	lab_end(two.lab);
}

/* Refused together, while the next is under way already: one by one, behind it. */
Test(imap_putting, a_refused_pair_is_sent_again_one_by_one)
{
	static const struct imap_script_row rows[] = {
		{ .when = "APPEND \"" FOLDER "\" {24", .say = "$T NO [LIMIT] it is bad\r\n" },
		{ .when = APPEND_A, .say = "$T OK [APPENDUID 77 13] done\r\n" },
		{ .when = APPEND_B, .say = "$T OK [APPENDUID 77 12] done\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	struct endpoint_put pair[2] = { text_of(lab, "xxxx"), text_of(lab, "a") },
			    next = text_of(lab, "bb");
	struct endpoint_putting *first = NULL, *second = NULL;

	fine(endpoint_put_begin(lab->endpoint, lab, FOLDER, pair, 2, &first), "begin");
	fine(endpoint_put_begin(lab->endpoint, lab, FOLDER, &next, 1, &second), "begin");
	fine(endpoint_put_end(lab->endpoint, first, lab), "end");
	fine(endpoint_put_end(lab->endpoint, second, lab), "end");
	fine(pair[1].fault, "the good one");
	cr_assert_str_eq(pair[1].placed, "0000000077.0000000013");
	expect(pair[0].fault, FAULT_BUSY, FAULT_SCOPE_ITEM, "the bad one");
	fine(next.fault, "the next");
	cr_assert_str_eq(next.placed, "0000000077.0000000012");
	lab_end(lab);
}

/* ---- many: the mailbox is left (imap_afar.c) ---- */

#define MANY 20

static const struct imap_script_row many_places[] = {
	{ .when = "APPEND", .say = "$T OK [APPENDUID 77 10:29] done\r\n" },
	{ .when = "APPEND", .say = "$T OK [APPENDUID 77 30:49] done\r\n" },
};

static size_t put_many(struct lab *lab, size_t count)
{
	struct endpoint_put puts[2 * MANY];
	size_t good = 0;

	for (size_t i = 0; i < count; i++)
		puts[i] = text_of(lab, mem_printf(lab, "%zu", i));
	for (size_t i = 0; i < count; i += MANY)
		fine(endpoint_put(lab->endpoint, lab, FOLDER, &puts[i],
				  count - i < MANY ? count - i : MANY),
		     "put");
	for (size_t i = 0; i < count; i++)
		good += puts[i].placed != NULL;
	return good;
}

/* Before each time that nothing is under way it is selected: it may be another by then. */
Test(imap_putting, the_mailbox_is_left_for_many)
{
	static const struct {
		const char *caps;
		size_t count, left;
	} rows[] = {
		{ "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND UNSELECT", MANY, 1 },
		{ "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND UNSELECT", 2 * MANY, 2 },
		{ "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND UNSELECT", MANY - 1, 0 },
		{ "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND", MANY, 0 },
		{ "IMAP4rev1 LITERAL+ MULTIAPPEND UNSELECT", MANY, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct lab *lab = lab_new(many_places, COUNT_OF(many_places), rows[i].caps);

		(void)put_many(lab, rows[i].count);
		cr_assert_eq(heard_times(lab, "UNSELECT"), rows[i].left, "row %zu", i);
		lab_end(lab);
	}
}

/* A server that does not let go of it is not asked again, and the messages are stored all the same. */
Test(imap_putting, who_may_not_leave_stays)
{
	static const char *const says[] = { "$T NO not now\r\n", "$T BAD what\r\n" };

	for (size_t i = 0; i < COUNT_OF(says); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "UNSELECT", .say = says[i] },
			{ .when = "APPEND", .say = "$T OK [APPENDUID 77 10:29] done\r\n", .times = 1 },
			{ .when = "APPEND", .say = "$T OK [APPENDUID 77 30:49] done\r\n" },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows),
					  "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND UNSELECT");

		cr_expect_eq(put_many(lab, 2 * MANY), 2 * MANY, "%s", says[i]);
		cr_expect_eq(heard_times(lab, "UNSELECT"), 1, "%s", says[i]);
		lab_end(lab);
	}
}

/* A server whose connection ends at it, however: a new endpoint, which need not have said anything
 * before, delivers all the same, and does not ask again. */
static const struct imap_script_row ends[] = {
	{ .when = "UNSELECT", .say = "", .then = IMAP_SCRIPT_CLOSE },
	{ .when = "UNSELECT", .say = "* BYE bug\r\n", .then = IMAP_SCRIPT_CLOSE },
	{ .when = "UNSELECT", .say = "T9999 OK whose\r\n" },
};

static void try_ended(size_t i, bool known)
{
	const struct imap_script_row rows[] = {
		ends[i],
		{ .when = "APPEND", .say = "$T OK [APPENDUID 77 10:29] done\r\n", .times = 1 },
		{ .when = "APPEND", .say = "$T OK [APPENDUID 77 30:49] done\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows),
				  "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND UNSELECT");
	const char *address = "0000000077.0000000007";
	struct endpoint_item *items = NULL;

	if (known)
		fine(endpoint_fetch(lab->endpoint, lab, FOLDER, &address, 1, &items), "fetch");
	cr_expect_eq(put_many(lab, 2 * MANY), 2 * MANY, "%zu", i);
	cr_expect_eq(heard_times(lab, "UNSELECT"), 1, "%zu", i);
	cr_expect_eq(heard_times(lab, "APPEND"), 2, "%zu: each once", i);
	lab_end(lab);
}

Test(imap_putting, who_is_cut_off_at_leaving_comes_back_and_stays)
{
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		try_ended(i, true);
		try_ended(i, false);
	}
}

/* Numbers of another mailbox, those that were there before, and those that are taken already. */
Test(imap_putting, what_is_stored_from_afar_is_not_believed_at_any_price)
{
	static const struct {
		const char *answer;
		size_t placed;
	} rows[] = {
		{ "$T OK [APPENDUID 77 10:29] done\r\n", MANY },
		{ "$T OK [APPENDUID 78 10:29] done\r\n", 0 },
		{ "$T OK [APPENDUID 77 9:28] done\r\n", 0 },
		{ "$T OK [APPENDUID 77 10:28] done\r\n", 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct imap_script_row row = { .when = "APPEND", .say = rows[i].answer };
		struct lab *lab = lab_new(&row, 1, "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND UNSELECT");

		cr_assert_eq(put_many(lab, MANY), rows[i].placed, "row %zu", i);
		lab_end(lab);
	}
}

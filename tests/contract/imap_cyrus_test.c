/* imap_cyrus_test.c - the contract on a real Cyrus.
 *
 * takes: 20
 * timeout: 400
 */
#include "config.h"

#define IMAP_KIT_FIRST CYRUS
#define IMAP_KIT_KINDS 1
#include "imap_rights_kit.h"
#include "imap_sweep_kit.h"

/* The endpoint contract over a real Cyrus: with everything that it has, without each extension whose
 * absence leads another way through the server, and without any; what is only a matter of ours is taken
 * away from Dovecot alone (imap_contract_test.c). */

#define WITHOUT_CYRUS(X)                                                                           \
	X(CONDSTORE)                                                                               \
	X(LITERAL_PLUS)                                                                            \
	X(MOVE)                                                                                    \
	X(MULTIAPPEND)                                                                             \
	X(OBJECTID)                                                                                \
	X(QRESYNC)                                                                                 \
	X(UIDPLUS)
#define X(id)                                                                                      \
	Test(imap_cyrus_without, id)                                                               \
	{                                                                                          \
		contract_without(CYRUS, IMAP_CAP_##id);                                            \
	}
WITHOUT_CYRUS(X)
#undef X

Test(imap_cyrus, with_all)
{
	contract(CYRUS, 0, true, "with all");
}

Test(imap_cyrus, without_any)
{
	contract(CYRUS, UINT64_MAX, true, "without any");
}

Test(imap_cyrus, two_hundred_folders_by_one_command)
{
	try_many_folders(CYRUS);
}

/* ---- a full mailbox, of which Cyrus says NO without a code ---- */

#define QUOTA_KIB 20
#define LARGE (6 << 10) /* bytes: three of them go in, four do not */

static void set_quota(struct lab *lab, const char *limits)
{
	struct imap_session *admin = administrator(lab);
	struct imap_line *line = imap_line_new(lab, "SETQUOTA ", true);
	struct imap_answer answer;

	imap_line_add(line, "user/%s (%s)", lab->user, limits);
	fine(imap_session_run(admin, lab, line, NULL, NULL, &answer), "SETQUOTA");
	cr_assert_eq((int)answer.status, IMAP_OK, "%s", answer.text);
	imap_session_close(&admin);
}

static struct endpoint_put large(struct lab *lab, const char *id)
{
	struct endpoint_put one = { .text = message(lab, id) };
	char *text = talloc_asprintf(lab, "%s%*s\r\n", one.text, LARGE, ".");

	for (size_t i = 78; i + 2 < strlen(text); i += 78)
		if (i > strlen(one.text) + 2)
			memcpy(text + i, "\r\n", 2);
	one.text = text;
	one.len = strlen(text);
	return one;
}

static void try_full(uint64_t without)
{
	struct lab *lab = lab_new(CYRUS, without, "full %llx", (unsigned long long)without);
	char *folder = new_folder(lab);
	struct endpoint_put puts[5];
	size_t stored = 0;

	set_quota(lab, mem_printf(lab, "STORAGE %d", QUOTA_KIB));
	for (size_t i = 0; i < COUNT_OF(puts); i++)
		puts[i] = large(lab, mem_printf(lab, "uid-%zu", i));
	fine(endpoint_put(lab->world.endpoint, lab, folder, puts, COUNT_OF(puts)), "put");
	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		stored += !puts[i].fault;
		if (puts[i].fault)
			expect(puts[i].fault, FAULT_FULL, FAULT_SCOPE_ACCOUNT, "no room");
	}
	cr_assert_lt(stored, COUNT_OF(puts), "there was room");
	cr_assert_eq(notice(lab, folder, NULL)->count, stored);
	set_quota(lab, "");
	for (size_t i = 0; i < COUNT_OF(puts); i++)
		if (puts[i].fault)
			fine(endpoint_put(lab->world.endpoint, lab, folder, &puts[i], 1), "again");
	for (size_t i = 0; i < COUNT_OF(puts); i++)
		fine(puts[i].fault, "with room");
	cr_assert_eq(notice(lab, folder, NULL)->count, COUNT_OF(puts));
	set_quota(lab, "MESSAGE 5");
	puts[0] = (struct endpoint_put){ .text = message(lab, "one-more") };
	puts[0].len = strlen(puts[0].text);
	fine(endpoint_put(lab->world.endpoint, lab, folder, puts, 1), "one more");
	expect(puts[0].fault, FAULT_FULL, FAULT_SCOPE_ACCOUNT, "too many messages");
	set_quota(lab, "");
	lab_end(lab);
}

Test(imap_cyrus, a_full_mailbox_is_the_accounts_affair)
{
	try_full(0);
	try_full(UINT64_C(1) << IMAP_CAP_MULTIAPPEND);
}

/* ---- rights; the owner keeps `l`, `k`, `x` and `a`, whatever is taken ---- */

static const struct right_row rights[] = {
	{ "lr", "only read", "\"t\"", false, false },
	{ "lrswi", "not deleted", "\"t\"", true, false },
	{ "lrswit", "marked as deleted, and not expunged", "missing: \"e\" (expunge);", true, false },
	{ "lrsite", "not flagged", "missing: \"w\" (flag);", true, false },
	{ "lrswte", "not inserted", "missing: \"i\" (insert);", false, false },
	{ "lrswite", "all that it takes", "", true, true },
};

Test(imap_cyrus, rights_are_told_beforehand)
{
	for (size_t i = 0; i < COUNT_OF(rights); i++)
		try_rights(CYRUS, &rights[i]);
}

/* Cyrus says NO to their APPEND, and no code. */
Test(imap_cyrus, new_ones_without_the_right_are_the_folders_affair)
{
	try_new_ones(CYRUS, 0, FAULT_SCOPE_FOLDER);
	try_new_ones(CYRUS, UINT64_C(1) << IMAP_CAP_MULTIAPPEND, FAULT_SCOPE_FOLDER);
	try_new_ones(CYRUS, UINT64_C(1) << IMAP_CAP_QUOTA, FAULT_SCOPE_FOLDER);
	try_new_ones(CYRUS, UINT64_C(1) << IMAP_CAP_ACL, FAULT_SCOPE_ITEM);
	try_new_ones(CYRUS, UINT64_MAX, FAULT_SCOPE_ITEM);
}

Test(imap_cyrus, only_a_refusal_asks_for_rights)
{
	try_questions(CYRUS);
}

/* What has no room by the server's numbers has not got the right either. */
Test(imap_cyrus, a_missing_right_goes_before_room)
{
	struct lab *lab = lab_new(CYRUS, 0, "right and room");
	char *folder = new_folder(lab);
	struct endpoint_put one = large(lab, "uid-1");

	set_quota(lab, "STORAGE 1");
	set_rights(lab, CYRUS, folder, "lrswte");
	fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), "put");
	expect(one.fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, "no right, no room");
	set_rights(lab, CYRUS, folder, "lrswite");
	fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), "put");
	expect(one.fault, FAULT_FULL, FAULT_SCOPE_ACCOUNT, "no room");
	set_quota(lab, "");
	lab_end(lab);
}

/* A person has removed the mailbox for tasks that are done. */
Test(imap_cyrus, rights_of_the_folder_are_told_where_there_is_no_mailbox_for_done_tasks)
{
	try_without_done(CYRUS);
}

/* One of that name that somebody makes later has rights of its own, which the connection does not know. */
Test(imap_cyrus, rights_of_another_mailbox_for_done_tasks_are_asked_for)
{
	struct endpoint_put first, next;
	char *folder, *done;
	struct lab *lab = lab_without_done(CYRUS, "another", "lrswite", 0, &folder, &first);
	struct fault *fault;

	fine(put_done(lab, folder, &first, &next), "into the folder itself");
	done = mem_printf(lab, "%s/Done", folder);
	say(lab, "CREATE ", done);
	set_rights(lab, CYRUS, done, "lrsite");
	fault = put_done(lab, folder, &next, &first);
	expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, "another one");
	expect_words(fault->text, "Done: rights are missing: \"w\" (flag);", true);
	lab_end(lab);
}

Test(imap_cyrus, doctor_tells_of_rights)
{
	try_probe(CYRUS, 0, "yes");
	try_probe(CYRUS, UINT64_C(1) << IMAP_CAP_ACL, "no");
}

Test(imap_cyrus, a_removal_without_the_right_leaves_all_as_it_is)
{
	static const char *const without[] = { "lr", "lrswi", "lrswit" };

	for (size_t i = 0; i < COUNT_OF(without); i++)
		try_kept(CYRUS, without[i]);
}

/* A right that is missing is asked for again by the next that needs it, on the same connection. */
Test(imap_cyrus, a_right_that_was_given_is_seen_at_once)
{
	struct lab *lab = lab_new(CYRUS, 0, "rights given");
	char *folder = new_folder(lab);
	struct endpoint_put first = put(lab, folder, "uid-1", NULL);
	struct endpoint_put next = { .address = first.placed, .if_version = first.placed };

	next.text = first.text;
	next.len = first.len;
	set_rights(lab, CYRUS, folder, "lrswit");
	expect(endpoint_put(lab->world.endpoint, lab, folder, &next, 1), FAULT_REFUSED,
	       FAULT_SCOPE_FOLDER, "missing");
	set_rights(lab, CYRUS, folder, "lrswite");
	next = put(lab, folder, "uid-1", first.placed);
	fine(drop(lab, folder, first.placed, next.replaced, next.placed), "removal");
	cr_assert_eq(endpoint_stats(lab->world.endpoint).connections, 1);
	lab_end(lab);
}

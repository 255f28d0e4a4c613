/* imap_mailbox_test.c - a mailbox that others write into.
 *
 * timeout: 200
 */
#include "config.h"

#define IMAP_KIT_FIRST SDBOX
#define IMAP_KIT_KINDS 3
#include "imap_kit.h"

/* endpoint_mailbox(), endpoint_shelve() and endpoint_tell() on a real Dovecot, a Cyrus and a Courier:
 * with all that they have, without MOVE, without UIDPLUS, and without anything. */

static const uint64_t ways[] = { 0, UINT64_C(1) << IMAP_CAP_MOVE,
				 UINT64_C(1) << IMAP_CAP_MOVE | UINT64_C(1) << IMAP_CAP_UIDPLUS,
				 UINT64_MAX };

/* On Courier all stands below INBOX. */
static char *name_of(struct lab *lab, int kind, const char *name)
{
	return kind == COURIER ? mem_printf(lab, "INBOX.%s", name) : mem_strdup(lab, name);
}

static char *inbox_of(struct lab *lab)
{
	char *address = NULL;

	fine(endpoint_mailbox(lab->world.endpoint, lab, "INBOX", &address), "mailbox");
	return address;
}

static struct endpoint_notice *arrive(struct lab *lab, const char *inbox, size_t count)
{
	struct endpoint_notice *made;

	for (size_t i = 0; i < count; i++)
		append_there(lab, "INBOX", "", NULL, message(lab, mem_printf(lab, "reply-%zu", i)));
	made = notice(lab, inbox, NULL);
	cr_assert(made->full && made->count == count, "%zu of %zu", made->count, count);
	return made;
}

/* How many messages stand in a mailbox. */
static size_t there(struct lab *lab, const char *mailbox, const char *criteria)
{
	char *found;
	size_t n = 0;

	select_there(lab, mailbox);
	found = ask(lab, mem_printf(lab, "UID SEARCH %s", criteria), NULL, "SEARCH");
	for (char *at = found; *at; at++)
		n += *at == ' ';
	return n;
}

static void shelve(struct lab *lab, const char *inbox, const char *const *addresses, size_t count,
		   const char *into)
{
	fine(endpoint_shelve(lab->world.endpoint, lab, inbox, addresses, count, into), "shelve");
}

/* What has been read is marked and moved, once, however often it is said; the rest stays. */
static void try_shelving(int kind, size_t way)
{
	struct lab *lab = lab_new(kind, ways[way], "shelved %zu", way);
	char *inbox = inbox_of(lab), *into = name_of(lab, kind, "Taken &c");
	struct endpoint_notice *made = arrive(lab, inbox, 4);
	const char *read[] = { made->changes[0].address, made->changes[2].address,
			       "0000000009.0000000001", "no address" };
	bool expunges = !(ways[way] >> IMAP_CAP_UIDPLUS & 1) || !(ways[way] >> IMAP_CAP_MOVE & 1);

	fine(fetch(lab, inbox, read[0]), "it can be read");
	shelve(lab, inbox, read, 1, NULL);
	cr_assert_eq(there(lab, "INBOX", "SEEN"), 1, "not marked");
	cr_assert_eq(there(lab, "INBOX", "ALL"), 4, "it was to stay");
	for (int again = 0; again < 2; again++) {
		shelve(lab, inbox, read, COUNT_OF(read), into);
		cr_assert_eq(there(lab, into, "SEEN"), 2);
		cr_assert_eq(there(lab, into, "ALL"), 2, "twice there");
		cr_assert_eq(there(lab, "INBOX", "UNDELETED"), 2);
		cr_assert_eq(there(lab, "INBOX", "UNSEEN"), 2);
		if (expunges)
			cr_assert_eq(there(lab, "INBOX", "ALL"), 2);
	}
	shelve(lab, inbox, NULL, 0, into);
	lab_end(lab);
}

static void try_all(int kind)
{
	for (size_t way = 0; way < COUNT_OF(ways); way++)
		try_shelving(kind, way);
}

Test(imap_mailbox, what_was_read_is_shelved_on_Dovecot)
{
	try_all(SDBOX);
}

Test(imap_mailbox, what_was_read_is_shelved_on_Cyrus)
{
	try_all(CYRUS);
}

Test(imap_mailbox, what_was_read_is_shelved_on_Courier)
{
	try_all(COURIER);
}

/* Unread, in the inbox; what may have been told before is not told twice. */
static void try_telling(int kind, uint64_t without)
{
	struct lab *lab = lab_new(kind, without, "told %d", without != 0);
	const char *text = message(lab, "answer-1");

	cr_assert(endpoint_can_tell(lab->world.endpoint));
	for (int again = 0; again < 3; again++) {
		fine(endpoint_tell(lab->world.endpoint, lab, "answer-1@x", text, strlen(text),
				   again > 0),
		     "tell");
		cr_assert_eq(there(lab, "INBOX", "UNSEEN"), 1, "%s: time %d", kinds[kind].name,
			     again);
	}
	text = message(lab, "answer-2");
	fine(endpoint_tell(lab->world.endpoint, lab, "answer-2@x", text, strlen(text), true),
	     "another");
	cr_assert_eq(there(lab, "INBOX", "UNSEEN"), 2);
	lab_end(lab);
}

Test(imap_mailbox, an_answer_is_told_once)
{
	ON_ALL(kind)
	{
		try_telling(kind, 0);
		try_telling(kind, UINT64_MAX);
	}
}

Test(imap_mailbox, a_mailbox_that_is_not_there_is_said_to_be_gone)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "absent");
		struct endpoint_notice *made = NULL;
		const char *one = "0000000001.0000000001";
		char *address = NULL, *absent = name_of(lab, kind, "absent");

		fine(endpoint_mailbox(lab->world.endpoint, lab, absent, &address), "mailbox");
		expect(endpoint_notice(lab->world.endpoint, lab, address, NULL, &made), FAULT_GONE,
		       FAULT_SCOPE_FOLDER, "notice");
		expect(endpoint_shelve(lab->world.endpoint, lab, address, &one, 1, NULL),
		       FAULT_GONE, FAULT_SCOPE_FOLDER, "shelve");
		lab_end(lab);
	}
}

/* imap_rights_kit.h - a real server that takes rights away (ACL, RFC 4314). */
#ifndef TASKFERRY_TESTS_IMAP_RIGHTS_KIT_H
#define TASKFERRY_TESTS_IMAP_RIGHTS_KIT_H

#include "imap_kit.h"

struct right_row {
	const char *rights, *why;
	const char *words;    /* of the fault */
	bool create, replace; /* can be done */
};

/* Of Cyrus. */
static inline struct imap_session *administrator(struct lab *lab)
{
	struct imap_session_options options = { .host = "127.0.0.1",
						.port = lab->port,
						.trusts = lab->trusts,
						.stop_fd = -1,
						.user = "cyrus",
						.password = secret_new(lab, "cyruskey", 8),
						.clock = lab->clock };
	struct imap_session *admin = NULL;

	fine(imap_session_open(lab, &options, &admin), "administrator");
	return admin;
}

/* An owner cannot do that on Cyrus. */
static inline void set_rights(struct lab *lab, int kind, const char *folder, const char *rights)
{
	struct imap_session *who = kind == CYRUS ? administrator(lab) : other(lab);
	const char *top = kind == CYRUS ? mem_printf(lab, "user/%s/", lab->user) : "";
	struct imap_line *line = imap_line_new(lab, "SETACL ", true);
	struct imap_answer answer;

	imap_line_mailbox(line, mem_printf(lab, "%s%s", top, folder));
	imap_line_add(line, " %s %s", lab->user, rights);
	fine(imap_session_run(who, lab, line, NULL, NULL, &answer), "SETACL");
	cr_assert_eq((int)answer.status, IMAP_OK, "%s: %s", rights, answer.text);
	if (who != lab->other)
		imap_session_close(&who);
}

/* While the endpoint is connected: Dovecot has looked, and for half a minute does not look again. */
static inline void give_rights(struct lab *lab, int kind, const char *folder, const char *rights,
			       uint64_t without)
{
	set_rights(lab, kind, folder, rights);
	if (kind != CYRUS)
		lab->world.endpoint = account(lab, lab->url, "secret", without);
}

/* What is to be replaced is told before the first byte, what is new by its refusal; both by name, and of the
 * folder; nothing is stored that would have to stay. */
static inline void try_rights(int kind, const struct right_row *row)
{
	struct lab *lab = lab_new(kind, 0, "rights %s", row->rights);
	char *folder = new_folder(lab);
	struct endpoint_put first = put(lab, folder, "uid-1", NULL), puts[2];
	struct fault *fault;
	size_t there = 1;

	set_rights(lab, kind, folder, row->rights);
	lab->world.endpoint = account(lab, lab->url, "secret", 0);
	for (size_t j = 0; j < COUNT_OF(puts); j++) {
		bool can = j ? row->replace : row->create;

		puts[j] = (struct endpoint_put){ .text = message(lab, "uid-2") };
		puts[j].len = strlen(puts[j].text);
		if (j)
			puts[j].address = puts[j].if_version = first.placed;
		fault = endpoint_put(lab->world.endpoint, lab, folder, &puts[j], 1);
		fault = fault ? fault : puts[j].fault;
		there += can;
		if (can)
			fine(fault, row->why);
		else
			expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, row->why);
		if (!can)
			expect_words(fault->text, row->words, true);
	}
	cr_assert_eq(notice(lab, folder, NULL)->count, there, "%s", row->why);
	lab_end(lab);
}

/* Several new ones without the right to insert: the folder is held by one message, nothing is sent twice,
 * and all are stored when the right is given. Where rights are not asked for, what the
 * server SAYS stays as it is. */
static inline void try_new_ones(int kind, uint64_t without, enum fault_scope says)
{
	static const char words[] = ": rights are missing: \"i\" (insert); give this account";
	bool asks = !(without >> IMAP_CAP_ACL & 1);
	struct lab *lab = lab_new(kind, 0, "new ones %llx", (unsigned long long)without);
	char *folder = new_folder(lab);
	struct endpoint_put puts[3];
	int64_t writes;

	set_rights(lab, kind, folder, "lrswte");
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		puts[i] = (struct endpoint_put){ .text = message(lab, "new") };
		puts[i].len = strlen(puts[i].text);
	}
	fine(endpoint_put(lab->world.endpoint, lab, folder, puts, COUNT_OF(puts)), "put");
	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		expect(puts[i].fault, FAULT_REFUSED, asks ? FAULT_SCOPE_FOLDER : says, "new");
		cr_assert_eq(puts[i].fault->next, FAULT_NEXT_HOLD);
		cr_assert_not(puts[i].fault->maybe_done);
		expect_words(puts[i].fault->text, words, asks);
		cr_assert_str_eq(puts[i].fault->text, puts[0].fault->text, "one message");
	}
	writes = count_writes(&lab->world);
	if (asks)
		cr_assert_eq(writes, without >> IMAP_CAP_MULTIAPPEND & 1 ? 3 : 1, "one by one");
	give_rights(lab, kind, folder, "lrswite", without);
	fine(endpoint_put(lab->world.endpoint, lab, folder, puts, COUNT_OF(puts)), "again");
	for (size_t i = 0; i < COUNT_OF(puts); i++)
		fine(puts[i].fault, "with the right");
	cr_assert_eq(notice(lab, folder, NULL)->count, COUNT_OF(puts));
	lab_end(lab);
}

/* Commands of a put after the first one of a connection; *FAULT_R: what came of it. */
static inline int64_t put_requests(struct lab *lab, const char *folder, uint64_t without,
				   struct fault **fault_r)
{
	struct endpoint_put one;
	int64_t begun = 0;

	lab->world.endpoint = account(lab, lab->url, "secret", without);
	for (size_t i = 0; i < 2; i++) {
		begun = endpoint_stats(lab->world.endpoint).requests;
		one = (struct endpoint_put){ .text = message(lab, "new") };
		one.len = strlen(one.text);
		fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), "put");
	}
	*fault_r = one.fault;
	return endpoint_stats(lab->world.endpoint).requests - begun;
}

/* What is stored asks for nothing, a refusal for rights by one command. */
static inline void try_questions(int kind)
{
	struct lab *lab = lab_new(kind, 0, "questions");
	char *folder = new_folder(lab);
	uint64_t blind = UINT64_C(1) << IMAP_CAP_ACL;
	struct fault *fault = NULL;
	int64_t plain = put_requests(lab, folder, blind, &fault);

	cr_assert_eq(put_requests(lab, folder, 0, &fault), plain, "asked before it was refused");
	fine(fault, "put");
	set_rights(lab, kind, folder, "lrswte");
	plain = put_requests(lab, folder, blind, &fault);
	cr_assert_eq(put_requests(lab, folder, 0, &fault), plain + 1);
	expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, "new");
	lab_end(lab);
}

/* A folder whose mailbox for tasks that are done has been removed, so that the message goes to the folder
 * itself. */
static inline struct lab *lab_without_done(int kind, const char *name, const char *rights,
					   uint64_t without, char **folder_r,
					   struct endpoint_put *first_r)
{
	struct lab *lab = lab_new(kind, 0, "%s", name);

	lab->done_folder = "Done";
	lab->world.endpoint = account(lab, lab->url, "secret", 0);
	*folder_r = new_folder(lab);
	*first_r = put(lab, *folder_r, "uid-1", NULL);
	say(lab, "DELETE ", mem_printf(lab, "%s/Done", *folder_r));
	set_rights(lab, kind, *folder_r, rights);
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	return lab;
}

static inline struct fault *put_done(struct lab *lab, const char *folder,
				     const struct endpoint_put *old, struct endpoint_put *next_r)
{
	struct fault *fault;

	*next_r = (struct endpoint_put){ .text = old->text,
					 .len = old->len,
					 .address = old->placed,
					 .if_version = old->placed,
					 .marks_add = "/Done" };
	fault = endpoint_put(lab->world.endpoint, lab, folder, next_r, 1);
	fault = fault ? fault : next_r->fault;
	if (!fault)
		cr_assert_neq(next_r->placed[0], 'd', "%s", next_r->placed);
	return fault;
}

/* Nothing is stored where a right is missing; it is when it was given. */
static inline void try_without_done(int kind)
{
	static const struct {
		const char *name, *rights, *words; /* NULL: it may */
		uint64_t without;
	} rows[] = {
		{ "no flag", "lrsite", "no flag: rights are missing: \"w\" (flag);", 0 },
		{ "no new", "lrswte", "no new: rights are missing: \"i\" (insert);", 0 },
		{ "has all", "lrswite", NULL, 0 },
		{ "not asked", "lrsite", NULL, UINT64_C(1) << IMAP_CAP_ACL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct endpoint_put first, next;
		char *folder;
		struct lab *lab = lab_without_done(kind, rows[i].name, rows[i].rights,
						   rows[i].without, &folder, &first);
		struct fault *fault = put_done(lab, folder, &first, &next);

		if (!rows[i].words) {
			fine(fault, rows[i].name);
			lab_end(lab);
			continue;
		}
		expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, rows[i].name);
		expect_words(fault->text, rows[i].words, true);
		cr_assert_eq(count_writes(&lab->world), 0, "something was sent");
		give_rights(lab, kind, folder, "lrswite", 0);
		fine(put_done(lab, folder, &first, &next), "with the right");
		lab_end(lab);
	}
}

/* `taskferry doctor` */
static inline void try_probe(int kind, uint64_t without, const char *result)
{
	struct lab *lab = lab_new(kind, without, "probe");
	struct endpoint_probe *probe = NULL;
	size_t told = 0;

	fine(endpoint_probe(lab->world.endpoint, lab, &probe), "probe");
	for (size_t i = 0; i < probe->count; i++) {
		if (strcmp(probe->findings[i].probe, "ACL") != 0)
			continue;
		told++;
		cr_assert_str_eq(probe->findings[i].result, result);
		cr_assert_eq(probe->findings[i].level, FINDING_INFO);
	}
	cr_assert_eq(told, 1);
	lab_end(lab);
}

/* Nothing is removed, nothing is marked as deleted, and it is said why. */
static inline void try_kept(int kind, const char *without)
{
	struct lab *lab = lab_new(kind, 0, "kept %s", without);
	char *folder = new_folder(lab);
	struct endpoint_put first = put(lab, folder, "uid-1", NULL);
	struct endpoint_remove one = { .address = first.placed, .if_version = first.version };
	struct fault *fault;

	set_rights(lab, kind, folder, without);
	lab->world.endpoint = account(lab, lab->url, "secret", 0);
	fault = endpoint_remove(lab->world.endpoint, lab, folder, &one, 1);
	expect(fault ? fault : one.fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, without);
	fine(fetch(lab, folder, first.placed), "it is still there");
	expect_words(look(lab, folder, first.placed, "FLAGS"), "Deleted", false);
	lab_end(lab);
}

#endif

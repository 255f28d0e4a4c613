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

/* It is told before the first byte, by name, and of the folder; nothing is stored that would have to
 * stay. */
static inline void try_rights(int kind, const struct right_row *row)
{
	struct lab *lab = lab_new(kind, 0, "rights %s", row->rights);
	char *folder = new_folder(lab);
	struct endpoint_put first = put(lab, folder, "uid-1", NULL), puts[2];
	/* Nobody asks before what is new, and Cyrus says NO to its APPEND without a code. */
	enum fault_scope refused = kind == CYRUS ? FAULT_SCOPE_ITEM : FAULT_SCOPE_FOLDER;
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
			expect(fault, FAULT_REFUSED, j ? FAULT_SCOPE_FOLDER : refused, row->why);
		if (j && !can)
			expect_words(fault->text, row->words, true);
	}
	cr_assert_eq(notice(lab, folder, NULL)->count, there, "%s", row->why);
	lab_end(lab);
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

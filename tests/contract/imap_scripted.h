/* imap_scripted.h - an IMAP endpoint over a scripted server, for the tests of what lies and refuses. */
#ifndef TASKFERRY_TESTS_IMAP_SCRIPTED_H
#define TASKFERRY_TESTS_IMAP_SCRIPTED_H

#include <criterion/criterion.h>
#include <string.h>

#include "gateway/imap/imap.h"
#include "imap_script.h"

#define FOLDER "INBOX.p"
#define SELECTED(uidnext, exists, flags)                                                           \
	"* " exists " EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n" uidnext                              \
	"* OK [PERMANENTFLAGS (" flags ")] ok\r\n* OK [HIGHESTMODSEQ 900] ok\r\n"                  \
	"$T OK [READ-WRITE] done\r\n"
#define UIDNEXT "* OK [UIDNEXT 10] ok\r\n"

struct lab {
	struct imap_server *server;
	struct endpoint *endpoint;
	struct trusts *trusts;
};

static inline struct lab *lab_new_done(const struct imap_script_row *rows, size_t count,
				       const char *caps, const char *done_folder)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);
	struct imap_script script = { .caps = caps, .rows = rows, .count = count };
	struct imap_account account = {
		.user = "ana", .stop_fd = -1, .done_folder = done_folder
	};

	lab->server = imap_server_new(lab, &script);
	lab->trusts = trusts_new(lab);
	account.url = mem_printf(lab, "imap://127.0.0.1:%d", imap_server_port(lab->server));
	account.trusts = lab->trusts;
	account.password = secret_new(lab, "s3cret", 6);
	lab->endpoint = imap_new(lab, clock_system(lab), NULL, &account);
	return lab;
}

static inline struct lab *lab_new(const struct imap_script_row *rows, size_t count,
				  const char *caps)
{
	return lab_new_done(rows, count, caps, NULL);
}

/* The connection goes before its server. */
static inline void lab_end(struct lab *lab)
{
	talloc_free(lab->endpoint);
	talloc_free(lab);
}

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
}

static inline bool heard(struct lab *lab, const char *words)
{
	return strstr(imap_server_heard(lab->server, lab, NULL), words) != NULL;
}

static inline size_t heard_times(struct lab *lab, const char *words)
{
	size_t n = 0;

	for (const char *at = imap_server_heard(lab->server, lab, NULL); (at = strstr(at, words));
	     at++)
		n++;
	return n;
}

static inline struct endpoint_put text_of(TALLOC_CTX *mem, const char *id)
{
	struct endpoint_put put = { .text = mem_printf(mem, "Message-ID: <%s@x>\r\n\r\n", id) };

	put.len = strlen(put.text);
	return put;
}

#endif

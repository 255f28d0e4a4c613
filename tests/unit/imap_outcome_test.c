/* The table of an IMAP server's answers: no answer without an end, no row that nothing meets, and the
 * manual says the same. */
#include "config.h"

#include "gateway/imap/imap_outcome.h"

#include "manual.h"

#define MANUAL TF_SRCDIR "/doc/taskferry-servers.7"

static const struct {
	const char *command;
	enum imap_result status;
	const char *code;
	enum fault_kind kind;   /* FAULT_KINDS: none */
	enum fault_scope scope; /* asked for: ITEM */
	enum fault_next next;
} answers[] = {
	{ "APPEND", IMAP_OK, "APPENDUID", FAULT_KINDS, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "APPEND", IMAP_OK, NULL, FAULT_KINDS, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "APPEND", IMAP_BAD, "OVERQUOTA", FAULT_PROTOCOL, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "APPEND", IMAP_NO, "OVERQUOTA", FAULT_FULL, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY },
	{ "CREATE", IMAP_NO, "OVERQUOTA", FAULT_FULL, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY },
	{ "APPEND", IMAP_NO, "NOPERM", FAULT_REFUSED, FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD },
	{ "STORE", IMAP_NO, "READ-ONLY", FAULT_REFUSED, FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD },
	{ "SELECT", IMAP_NO, "CONTACTADMIN", FAULT_REFUSED, FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD },
	{ "APPEND", IMAP_NO, "TRYCREATE", FAULT_GONE, FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY },
	{ "SELECT", IMAP_NO, "NONEXISTENT", FAULT_GONE, FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY },
	{ "COPY", IMAP_NO, "TRYCREATE", FAULT_GONE, FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY },
	{ "FETCH", IMAP_NO, "NONEXISTENT", FAULT_GONE, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "CREATE", IMAP_NO, "ALREADYEXISTS", FAULT_CHANGED, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "FETCH", IMAP_NO, "EXPUNGEISSUED", FAULT_CHANGED, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "STORE", IMAP_NO, "MODIFIED", FAULT_CHANGED, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "APPEND", IMAP_NO, "TOOBIG", FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD },
	{ "STORE", IMAP_NO, "CANNOT", FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD },
	{ "APPEND", IMAP_NO, "INUSE", FAULT_BUSY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "APPEND", IMAP_NO, "LIMIT", FAULT_BUSY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "EXPUNGE", IMAP_NO, "UNAVAILABLE", FAULT_BUSY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "APPEND", IMAP_NO, "SERVERBUG", FAULT_BUSY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "FETCH", IMAP_NO, "CORRUPTION", FAULT_BUSY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "SELECT", IMAP_NO, "EXPIRED", FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD },
	{ "LIST", IMAP_NO, "AUTHORIZATIONFAILED", FAULT_LOGIN, FAULT_SCOPE_ACCOUNT,
	  FAULT_NEXT_HOLD },
	{ "X", IMAP_NO, "AUTHENTICATIONFAILED", FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD },
	{ "X", IMAP_NO, "PRIVACYREQUIRED", FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD },
	{ "X", IMAP_NO, "TRYCREATE", FAULT_GONE, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY },
	{ "FETCH", IMAP_NO, "MODIFIED", FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD },
	{ "APPEND", IMAP_NO, "WHAT-NOBODY-KNOWS", FAULT_REFUSED, FAULT_SCOPE_ITEM,
	  FAULT_NEXT_HOLD },
	{ "APPEND", IMAP_NO, NULL, FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD },
};

Test(imap_outcome, each_answer_has_its_end_and_each_row_is_met)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t count;
	const struct imap_outcome_row *rows = imap_outcome_rows(&count);
	bool *met = MEM_ARRAY(mem, bool, count);

	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		const struct imap_outcome_row *row = imap_outcome_of(
			imap_command_of(answers[i].command), answers[i].status, answers[i].code);
		struct imap_answer answer = { .status = answers[i].status,
					      .code = answers[i].code,
					      .text = "no" };
		struct fault *fault =
			imap_answer_fault(mem, &answer, FAULT_SCOPE_ITEM, answers[i].command);

		met[row - rows] = true;
		if (answers[i].kind == FAULT_KINDS) {
			cr_expect_null(fault, "%s %zu", answers[i].command, i);
			continue;
		}
		cr_assert_not_null(fault);
		cr_expect(fault->kind == answers[i].kind && fault->scope == answers[i].scope &&
				  fault->next == answers[i].next,
			  "%s [%s]: %s, %s, %s", answers[i].command, answers[i].code,
			  fault_kind_name(fault->kind), fault_scope_name(fault->scope),
			  fault_next_name(fault->next));
	}
	for (size_t i = 0; i < count; i++)
		cr_expect(met[i], "row %zu (%s): nothing comes to it", i,
			  rows[i].code ? rows[i].code : "");
	talloc_free(mem);
}

/* What reaches a whole folder is never taken back to one item. */
Test(imap_outcome, what_was_asked_for_a_folder_stays_a_folders)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct imap_answer answer = { .status = answers[i].status,
					      .code = answers[i].code,
					      .text = "no" };
		struct fault *fault =
			imap_answer_fault(mem, &answer, FAULT_SCOPE_FOLDER, answers[i].command);

		if (fault)
			cr_expect_geq(fault->scope, FAULT_SCOPE_FOLDER, "%s [%s]",
				      answers[i].command, answers[i].code);
	}
	talloc_free(mem);
}

static char *answer_text(TALLOC_CTX *mem, const struct imap_outcome_row *row)
{
	static const char *const words[] = { "OK", "NO", "BAD" };

	return row->code ? mem_strdup(mem, row->code) : mem_strdup(mem, words[row->status]);
}

static char *commands_text(TALLOC_CTX *mem, unsigned commands)
{
	struct buf *out = buf_new(mem);

	if (commands == (1u << IMAP_COMMANDS) - 1)
		return mem_strdup(mem, "anything");
	for (int c = 0; c < IMAP_COMMANDS; c++)
		if (commands & 1u << c)
			buf_printf(out, "%s%s", out->len ? ", " : "",
				   imap_command_words((enum imap_command)c));
	return buf_steal(&out, mem, NULL);
}

Test(imap_outcome, the_manual_shows_the_same)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *part = manual_part(mem, manual_load(mem, MANUAL),
				 ".Sh WHAT AN ANSWER OF AN IMAP SERVER LEADS TO");
	struct buf *table = buf_new(mem), *outcomes = buf_new(mem);
	size_t count;
	const struct imap_outcome_row *rows = imap_outcome_rows(&count);

	for (size_t i = 0; i < count; i++)
		buf_printf(table, ".It %s Ta %s Ta %s\n", answer_text(mem, &rows[i]),
			   imap_outcome_words(rows[i].outcome),
			   commands_text(mem, rows[i].commands));
	for (int o = 0; o < IMAP_OUTCOMES; o++)
		buf_printf(outcomes, ".It Em %s\n%s.\n", imap_outcome_words((enum imap_outcome)o),
			   imap_outcome_meaning((enum imap_outcome)o));
	cr_expect(strstr(part, mem_printf(mem, "\n%s.El\n", table->data)),
		  "the table:\n%sthe manual:\n%s", table->data, part);
	cr_expect(strstr(part, mem_printf(mem, "\n%s.El\n", outcomes->data)),
		  "the outcomes:\n%sthe manual:\n%s", outcomes->data, part);
	talloc_free(mem);
}

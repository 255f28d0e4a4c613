#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "liar_drive.h"

/* Every row of the table of outcomes, told to the endpoint by a server that is honest but for that
 * one answer: what comes out of the operation, how far it reaches, and that everything goes on once
 * the server says the truth again. */

#define ANY FAULT_KINDS

struct expected {
	bool fault;
	enum fault_kind kind; /* ANY */
	enum fault_scope scope;
	enum fault_next next;
};

#define NOTHING                                                                                    \
	(struct expected)                                                                          \
	{                                                                                          \
		false, ANY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY                                     \
	}
#define FAULT(kind, scope, next)                                                                   \
	(struct expected)                                                                          \
	{                                                                                          \
		true, kind, FAULT_SCOPE_##scope, FAULT_NEXT_##next                                 \
	}

static bool is_of_item(enum caldav_op op)
{
	return op == CALDAV_OP_GET || op == CALDAV_OP_CREATE || op == CALDAV_OP_REPLACE ||
	       op == CALDAV_OP_REMOVE;
}

static bool is_write(enum caldav_op op)
{
	return op >= CALDAV_OP_CREATE && op <= CALDAV_OP_NAME;
}

/* A look finds the item as it was: nothing has been carried out. */
static struct expected looked(const struct caldav_outcome_row *row, int status)
{
	if (row->said == CALDAV_SAID_STATUS && status >= 300)
		return FAULT(FAULT_REFUSED, ITEM, HOLD);
	return FAULT(ANY, ITEM, RETRY);
}

static struct expected unanswered(enum caldav_op op)
{
	if (op == CALDAV_OP_MULTIGET)
		return NOTHING;
	return is_of_item(op) ? FAULT(ANY, ITEM, RETRY) : FAULT(ANY, FOLDER, RETRY);
}

static struct expected expected_of(enum caldav_op op, const struct caldav_outcome_row *row,
				   int status)
{
	switch (row->outcome) {
	case CALDAV_OUTCOME_CHANGED:
		return FAULT(FAULT_CHANGED, ITEM, RETRY);
	case CALDAV_OUTCOME_GONE:
		return FAULT(FAULT_GONE, ITEM, RETRY);
	case CALDAV_OUTCOME_NO_FOLDER:
		return FAULT(FAULT_GONE, FOLDER, RETRY);
	case CALDAV_OUTCOME_LOOK_ITEM:
		return looked(row, status);
	case CALDAV_OUTCOME_LOOK_FOLDER:
	case CALDAV_OUTCOME_HOLD_ITEM:
		return FAULT(FAULT_REFUSED, ITEM, HOLD);
	case CALDAV_OUTCOME_FORGET_TOKEN:
		return FAULT(FAULT_TOKEN, FOLDER, RETRY);
	case CALDAV_OUTCOME_HOLD_FOLDER:
		return FAULT(FAULT_REFUSED, FOLDER, HOLD);
	case CALDAV_OUTCOME_RETRY_ITEM:
		return FAULT(ANY, ITEM, RETRY);
	case CALDAV_OUTCOME_RETRY_FOLDER:
		return FAULT(ANY, FOLDER, RETRY);
	case CALDAV_OUTCOME_FULL:
		return FAULT(FAULT_FULL, ACCOUNT, RETRY);
	case CALDAV_OUTCOME_WAIT:
		return FAULT(FAULT_BUSY, ACCOUNT, RETRY);
	case CALDAV_OUTCOME_LOGIN:
		return FAULT(FAULT_LOGIN, ACCOUNT, HOLD);
	case CALDAV_OUTCOME_PAUSE:
	case CALDAV_OUTCOME_AS_TOLD:
		return FAULT(ANY, SERVER, RETRY);
	case CALDAV_OUTCOME_UNANSWERED:
		return unanswered(op);
	default:
		return NOTHING;
	}
}

/* ---- telling it ---- */

static char *status_answer(TALLOC_CTX *mem, int status, const char *condition)
{
	const char *body =
		condition
			? mem_printf(mem, "<D:error xmlns:D=\"DAV:\"><D:%s/></D:error>", condition)
			: "";

	return liar_answer(mem, mem_printf(mem, "%d x\r\nRetry-After: 9", status), body);
}

static struct liar_lie lie_of(TALLOC_CTX *mem, enum caldav_op op,
			      const struct caldav_outcome_row *row, int status)
{
	struct liar_lie lie = { .op = op, .undone = true, .manner = SCRIPTED_ANSWER };

	switch (row->said) {
	case CALDAV_SAID_STATUS:
		lie.answer = status_answer(mem, status, row->condition);
		break;
	case CALDAV_SAID_SILENCE:
		lie.manner = SCRIPTED_CUT;
		break;
	case CALDAV_SAID_NONSENSE:
		lie.answer = "* OK IMAP4rev1 ready\r\n";
		break;
	case CALDAV_SAID_PAGE:
		lie.answer = liar_answer(mem, "200 OK\r\nETag: \"1\"",
					 "\n<!DOCTYPE html><html><form>Log in</form></html>");
		break;
	case CALDAV_SAID_BROKEN:
		lie.answer = liar_answer(mem, "207 x", "<multistatus xmlns=\"DAV:\"><respon");
		break;
	case CALDAV_SAID_WITHOUT:
		lie.answer = liar_answer(mem, "207 x", "<multistatus xmlns=\"DAV:\"/>");
		break;
	case CALDAV_SAID_UNTAGGED:
		lie.answer = liar_answer(mem, "200 x", drive_a);
		break;
	case CALDAV_SAID_HALF:
		lie.answer = liar_answer(mem, "200 x\r\nETag: \"1\"", "BEGIN:VCALENDAR\r\nEND:V");
		break;
	default:
		cr_assert_fail("%s cannot be told", caldav_said_words(row->said));
	}
	return lie;
}

static void check(enum caldav_op op, const struct caldav_outcome_row *row, int status)
{
	struct drive drive = drive_new();
	struct liar_lie lie = lie_of(drive.lab, op, row, status);
	struct expected expected = expected_of(op, row, status);
	char *what = mem_printf(
		drive.lab, "%s, %s %d %s: %s", caldav_op_words(op), caldav_said_words(row->said),
		status, row->condition ? row->condition : "", caldav_outcome_words(row->outcome));
	struct fault *fault;

	liar_tell(drive.liar, &lie);
	fault = drive_once(&drive, op);
	cr_assert_eq(fault != NULL, expected.fault, "%s: %s", what,
		     fault ? fault->text : "no fault");
	if (fault) {
		if (expected.kind != ANY)
			lab_expect(fault, expected.kind, what);
		cr_assert_eq(fault->scope, expected.scope, "%s: scope %s: %s", what,
			     fault_scope_name(fault->scope), fault->text);
		cr_assert_eq(fault->next, expected.next, "%s: next %s", what,
			     fault_next_name(fault->next));
		if (row->outcome != CALDAV_OUTCOME_LOOK_ITEM)
			cr_assert_eq(fault->maybe_done, row->maybe && is_write(op),
				     "%s: maybe done", what);
		if (row->outcome == CALDAV_OUTCOME_PAUSE || row->outcome == CALDAV_OUTCOME_WAIT)
			cr_assert_eq(fault->retry_after_s, 9, "%s: Retry-After", what);
		if (row->condition && fault->kind != FAULT_TOKEN)
			cr_assert_not_null(strstr(fault->text, row->condition), "%s: %s", what,
					   fault->text);
	}
	liar_tell(drive.liar, NULL);
	fault = drive_once(&drive, op);
	cr_assert(!fault || (op == CALDAV_OP_GET && fault->kind == FAULT_GONE) ||
			  /* it is remembered that there are no lists of changes */
			  (op == CALDAV_OP_CHANGES && row->outcome == CALDAV_OUTCOME_OTHER_WAY &&
			   fault->kind == FAULT_TOKEN),
		  "%s: and afterwards: %s", what, fault ? fault->text : "");
	talloc_free(drive.lab);
	talloc_free(drive.liar);
}

/* What the liar cannot be made to say so, or what is no lie. */
static bool is_told(enum caldav_op op, const struct caldav_outcome_row *row, int status)
{
	bool made = op == CALDAV_OP_MKCALENDAR || op == CALDAV_OP_MKCOL;
	bool of_item = row->said == CALDAV_SAID_UNTAGGED || row->said == CALDAV_SAID_HALF;

	if (row->said == CALDAV_SAID_UNSENT || (of_item && op != CALDAV_OP_GET))
		return false;
	if (row->said == CALDAV_SAID_STATUS && status < 200)
		return false;
	if (row->outcome == CALDAV_OUTCOME_READ || (made && row->outcome == CALDAV_OUTCOME_DONE))
		return false;
	if ((row->said == CALDAV_SAID_WITHOUT || row->said == CALDAV_SAID_BROKEN) &&
	    op == CALDAV_OP_GET)
		return false;
	if (made && row->said == CALDAV_SAID_WITHOUT)
		return false;
	return !(op == CALDAV_OP_GET && row->outcome == CALDAV_OUTCOME_DONE);
}

static void check_row(enum caldav_op op, const struct caldav_outcome_row *row)
{
	const int statuses[] = { row->from, row->from + 1, (row->from + row->to) / 2, row->to };

	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		int status = statuses[i];
		bool again = i && status == statuses[i - 1];

		if (again || status > row->to || status == 207 || !is_told(op, row, status))
			continue;
		if (caldav_outcome_of(op, row->said, status, row->condition) == row)
			check(op, row, status);
	}
}

static void check_operations(unsigned ops)
{
	size_t count;
	const struct caldav_outcome_row *rows = caldav_outcome_rows(&count);

	for (int op = 0; op < CALDAV_OPS; op++)
		for (size_t i = 0; i < count && (ops & 1u << op); i++)
			if (rows[i].ops & 1u << op)
				check_row((enum caldav_op)op, &rows[i]);
}

Test(caldav_lies, about_folders, .timeout = 300)
{
	check_operations(1u << CALDAV_OP_LOOK | 1u << CALDAV_OP_LIST);
}

Test(caldav_lies, about_changes, .timeout = 300)
{
	check_operations(1u << CALDAV_OP_START | 1u << CALDAV_OP_CHANGES);
}

Test(caldav_lies, about_items_that_are_read, .timeout = 300)
{
	check_operations(1u << CALDAV_OP_MULTIGET | 1u << CALDAV_OP_GET);
}

Test(caldav_lies, about_items_that_are_put, .timeout = 300)
{
	check_operations(1u << CALDAV_OP_CREATE | 1u << CALDAV_OP_REPLACE);
}

Test(caldav_lies, about_items_that_are_removed, .timeout = 300)
{
	check_operations(1u << CALDAV_OP_REMOVE);
}

Test(caldav_lies, about_folders_that_are_made_and_named, .timeout = 300)
{
	check_operations(1u << CALDAV_OP_MKCALENDAR | 1u << CALDAV_OP_MKCOL | 1u << CALDAV_OP_NAME);
}

/* The table of a CalDAV server's answers: no answer without an end, no row that nothing meets, and
 * the manual says the same. */
#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include "manual.h"

#define MANUAL TF_SRCDIR "/doc/taskferry-servers.7"

static const char *const conditions[] = { NULL,
					  "valid-sync-token",
					  "number-of-matches-within-limits",
					  "no-uid-conflict",
					  "unique-scheduling-object-resource",
					  "supported-calendar-component",
					  "supported-calendar-data",
					  "valid-calendar-data",
					  "valid-calendar-object-resource",
					  "max-resource-size",
					  "max-attachment-size",
					  "need-privileges",
					  "quota-not-exceeded",
					  "sufficient-disk-space",
					  "calendar-collection-location-ok",
					  "what-nobody-has-heard-of" };

typedef void visit_fn(void *context, enum caldav_op op, enum caldav_said said, int status,
		      const char *condition);

/* Every operation with everything that may come back. */
static void for_all(visit_fn *visit, void *context)
{
	for (int op = 0; op < CALDAV_OPS; op++)
		for (int said = 0; said < CALDAV_SAIDS; said++)
			for (int status = 100; status < 600; status++) {
				for (size_t c = 0; c < COUNT_OF(conditions); c++)
					visit(context, (enum caldav_op)op, (enum caldav_said)said,
					      status, conditions[c]);
				if (said != CALDAV_SAID_STATUS)
					break;
			}
}

struct met {
	size_t count;
	const struct caldav_outcome_row *rows;
	bool *met;
};

static void meet(void *context, enum caldav_op op, enum caldav_said said, int status,
		 const char *condition)
{
	struct met *met = context;
	const struct caldav_outcome_row *row = caldav_outcome_of(op, said, status, condition);

	cr_assert(row >= met->rows && row < met->rows + met->count);
	cr_assert_eq(row->said, said, "%s, %d: taken for nonsense", caldav_op_words(op), status);
	met->met[row - met->rows] = true;
}

Test(caldav_outcome, everything_meets_a_row_and_every_row_is_met)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct met met = { 0 };

	met.rows = caldav_outcome_rows(&met.count);
	met.met = MEM_ARRAY(mem, bool, met.count);
	for_all(meet, &met);
	for (size_t i = 0; i < met.count; i++)
		cr_expect(met.met[i], "row %zu, %s %d to %d %s: nothing comes to it", i,
			  caldav_said_words(met.rows[i].said), met.rows[i].from, met.rows[i].to,
			  met.rows[i].condition ? met.rows[i].condition : "");
	talloc_free(mem);
}

static struct fault *shaped(TALLOC_CTX *mem, enum caldav_outcome outcome)
{
	return caldav_outcome_shape(fault_new(mem, FAULT_PROTOCOL, "x"), outcome);
}

/* N6: what one item says stops no other, what one folder says no other account; only what is true
 * for a login or a server reaches that far. */
static void check_reach(void *context, enum caldav_op op, enum caldav_said said, int status,
			const char *condition)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	enum caldav_outcome outcome = caldav_outcome_of(op, said, status, condition)->outcome;
	bool one = op == CALDAV_OP_GET || op == CALDAV_OP_CREATE || op == CALDAV_OP_REPLACE ||
		   op == CALDAV_OP_REMOVE || op == CALDAV_OP_ATTACH;
	enum fault_scope scope = shaped(mem, outcome)->scope;

	(void)context;
	if (said == CALDAV_SAID_UNSENT || said == CALDAV_SAID_SILENCE)
		cr_assert(outcome == CALDAV_OUTCOME_AS_TOLD ||
			  outcome == CALDAV_OUTCOME_UNANSWERED);
	else if (one && status == 500 && said == CALDAV_SAID_STATUS)
		cr_assert(scope == FAULT_SCOPE_ITEM || outcome == CALDAV_OUTCOME_FULL ||
				  outcome == CALDAV_OUTCOME_HOLD_FOLDER,
			  "%s: a 500 for one item", caldav_op_words(op));
	else if (scope == FAULT_SCOPE_SERVER)
		cr_assert(status == 407 || status == 408 || status == 511 ||
				  (status >= 502 && status <= 504),
			  "%s %d: stops the server", caldav_op_words(op), status);
	talloc_free(mem);
}

Test(caldav_outcome, nothing_reaches_further_than_it_has_to)
{
	for_all(check_reach, NULL);
}

/* N5: nothing but a plain 404 or 410 for that very item says that it is gone. */
static void check_gone(void *context, enum caldav_op op, enum caldav_said said, int status,
		       const char *condition)
{
	(void)context;
	if (caldav_outcome_of(op, said, status, condition)->outcome == CALDAV_OUTCOME_GONE)
		cr_assert(said == CALDAV_SAID_STATUS && (status == 404 || status == 410) &&
				  (op == CALDAV_OP_GET || op == CALDAV_OP_REMOVE ||
				   op == CALDAV_OP_OTHER),
			  "%s %d", caldav_op_words(op), status);
}

Test(caldav_outcome, only_404_and_410_say_gone)
{
	for_all(check_gone, NULL);
}

/* N11: a write counts as done by a 2xx that can be one, and by nothing else. */
static void check_done(void *context, enum caldav_op op, enum caldav_said said, int status,
		       const char *condition)
{
	(void)context;
	if (caldav_outcome_of(op, said, status, condition)->outcome == CALDAV_OUTCOME_DONE)
		cr_assert((said == CALDAV_SAID_STATUS && status >= 200 && status < 300) ||
				  said == CALDAV_SAID_WITHOUT,
			  "%s %s %d", caldav_op_words(op), caldav_said_words(said), status);
}

Test(caldav_outcome, done_is_said_by_2xx_only)
{
	for_all(check_done, NULL);
}

Test(caldav_outcome, the_operation_is_read_off_the_request)
{
	static const char *const when_new[] = { "If-None-Match: *", NULL };
	static const char *const when_same[] = { "If-Match: \"1\"", NULL };
	static const char *const deep[] = { "Depth: 1", NULL };
	static const char *const flat[] = { "Depth: 0", NULL };
	static const struct {
		const char *method;
		const char *const *headers;
		const char *body;
		enum caldav_op op;
	} cases[] = {
		{ "PROPFIND", flat, "x", CALDAV_OP_LOOK },
		{ "PROPFIND", deep, "x", CALDAV_OP_LIST },
		{ "REPORT", flat, "<D:sync-collection><D:sync-token></D:sync-token>",
		  CALDAV_OP_START },
		{ "REPORT", flat, "<D:sync-collection><D:sync-token>t</D:sync-token>",
		  CALDAV_OP_CHANGES },
		{ "REPORT", deep, "<C:calendar-multiget>", CALDAV_OP_MULTIGET },
		{ "REPORT", deep, "<C:calendar-query>", CALDAV_OP_LIST },
		{ "GET", NULL, NULL, CALDAV_OP_GET },
		{ "PUT", when_new, "x", CALDAV_OP_CREATE },
		{ "PUT", when_same, "x", CALDAV_OP_REPLACE },
		{ "DELETE", when_same, NULL, CALDAV_OP_REMOVE },
		{ "MKCALENDAR", NULL, "x", CALDAV_OP_MKCALENDAR },
		{ "MKCOL", NULL, "x", CALDAV_OP_MKCOL },
		{ "PROPPATCH", NULL, "x", CALDAV_OP_NAME },
		{ "OPTIONS", NULL, NULL, CALDAV_OP_OPTIONS },
		{ "POST", NULL, "x", CALDAV_OP_ATTACH },
		{ "MOVE", NULL, NULL, CALDAV_OP_OTHER },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_request request = { .method = cases[i].method,
						.headers = cases[i].headers,
						.body = cases[i].body };

		cr_expect_eq(caldav_op_of(&request), cases[i].op, "%s %s", cases[i].method,
			     cases[i].body ? cases[i].body : "");
	}
}

/* The manual's words for several together; its columns are narrow. */
#define OP(name) (1u << CALDAV_OP_##name)
#define OPS_LISTS (OP(LIST) | OP(START) | OP(CHANGES))
#define OPS_PUTS (OP(CREATE) | OP(REPLACE) | OP(REMOVE) | OP(ATTACH))
#define OPS_MAKES (OP(MKCALENDAR) | OP(MKCOL))

static const struct {
	unsigned ops;
	const char *words;
} several[] = {
	{ (1u << CALDAV_OPS) - 1, "anything" },
	{ OPS_LISTS | OP(MULTIGET) | OP(GET) | OPS_PUTS, "in a folder" },
	{ OPS_PUTS | OPS_MAKES, "writes" },
	{ OPS_LISTS, "lists" },
	{ OP(START) | OP(CHANGES), "all changes" },
	{ OPS_MAKES, "any make" },
};

static char *ops_text(TALLOC_CTX *mem, unsigned ops)
{
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < COUNT_OF(several); i++)
		if (ops == several[i].ops)
			return mem_strdup(mem, several[i].words);
	if (ops == (OP(LOOK) | OPS_LISTS))
		return mem_strdup(mem, "look, lists");
	for (int op = 0; op < CALDAV_OPS; op++)
		if (ops & 1u << op)
			buf_printf(out, "%s%s", out->len ? ", " : "",
				   caldav_op_words((enum caldav_op)op));
	return buf_steal(&out, mem, NULL);
}

static char *answer_text(TALLOC_CTX *mem, const struct caldav_outcome_row *row)
{
	if (row->condition)
		return mem_strdup(mem, row->condition);
	if (row->said != CALDAV_SAID_STATUS)
		return mem_strdup(mem, caldav_said_words(row->said));
	if (row->from == row->to)
		return mem_printf(mem, "%d", row->from);
	return mem_printf(mem, "%d to %d", row->from, row->to);
}

Test(caldav_outcome, the_manual_shows_the_same)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *part = manual_part(mem, manual_load(mem, MANUAL),
				 ".Sh WHAT AN ANSWER OF A CALDAV SERVER LEADS TO");
	struct buf *table = buf_new(mem), *outcomes = buf_new(mem);
	size_t count;
	const struct caldav_outcome_row *rows = caldav_outcome_rows(&count);

	for (size_t i = 0; i < count; i++)
		buf_printf(table, ".It %s Ta %s%s Ta %s\n", answer_text(mem, &rows[i]),
			   caldav_outcome_words(rows[i].outcome), rows[i].maybe ? " *" : "",
			   ops_text(mem, rows[i].ops));
	for (int o = 0; o < CALDAV_OUTCOMES; o++)
		buf_printf(outcomes, ".It Em %s\n%s.\n",
			   caldav_outcome_words((enum caldav_outcome)o),
			   caldav_outcome_meaning((enum caldav_outcome)o));
	cr_expect(strstr(part, mem_printf(mem, "\n%s.El\n", table->data)),
		  "the table:\n%sthe manual:\n%s", table->data, part);
	cr_expect(strstr(part, mem_printf(mem, "\n%s.El\n", outcomes->data)),
		  "the outcomes:\n%sthe manual:\n%s", outcomes->data, part);
	talloc_free(mem);
}

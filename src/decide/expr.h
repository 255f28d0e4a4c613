/* expr.h - one SQL expression over bound names in a locked-down SQLite: compile, evaluate.
 *
 * The text is untrusted. It passes two walls, each of which is tested alone.
 *
 * The scanner knows every word that may stand in an expression: the names below, operators,
 * keywords that need no table, and the functions of one list with their number of values.
 * Everything else is refused with a hint: statements, subqueries, aggregates, window functions,
 * comments, parameters, semicolons, quotes other than '...', bytes that are not UTF-8. Names become
 * numbered parameters.
 *
 * The lock is a private in-memory connection that compiles `SELECT (text\n)`: an authorizer that
 * allows one SELECT and the functions of the same list, limits, no schema, no extension, no
 * double-quoted strings; the result must be one statement, read-only, of one column.
 *
 * An evaluation has a budget: RULES_STEPS_MAX virtual machine steps and RULES_WORK_MAX byte
 * comparisons within the functions that search (like, glob, instr, replace). No function knows the
 * time or any state.
 */
#ifndef TASKFERRY_EXPR_H
#define TASKFERRY_EXPR_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "model/field.h"

/* Names that are not fields. Upper and lower case are the same in all names. */
#define EXPR_CONTEXT_TABLE(X)                                                                      \
	X(TASK_KEY, "task.key")                                                                    \
	X(TASK_MILESTONE, "task.milestone")                                                        \
	X(TASK_SUMMARY, "task.summary")                                                            \
	X(TASK_PREDECESSORS_OPEN, "task.predecessors_open")                                        \
	X(PROJECT_CODE, "project.code")                                                            \
	X(PROJECT_NAME, "project.name")                                                            \
	X(PROJECT_STATE, "project.state")                                                          \
	X(PROJECT_CLOSED_UNTIL, "project.closed_until")                                            \
	X(RESOURCE_KEY, "resource.key")                                                            \
	X(RESOURCE_NAME, "resource.name")                                                          \
	X(RESOURCE_EMAIL, "resource.email")                                                        \
	X(ACTOR, "actor")                                                                          \
	X(ACTOR_KEY, "actor.key")                                                                  \
	X(TODAY, "today")                                                                          \
	X(NOW, "now")

/* What an expression can name: EXPR_NEW + field, EXPR_OLD + field, and the rows above. */
enum expr_name {
	EXPR_NEW = 0,
	EXPR_OLD = EXPR_NEW + FIELDS,
	EXPR_LAST_FIELD = EXPR_OLD + FIELDS - 1,
#define X(name, text) EXPR_##name,
	EXPR_CONTEXT_TABLE(X)
#undef X
		EXPR_NAMES
};

enum expr_type { EXPR_NULL, EXPR_INTEGER, EXPR_REAL, EXPR_TEXT, EXPR_TYPES };

struct expr_value {
	enum expr_type type;
	int64_t integer;
	double real;
	const char *text; /* NUL-terminated */
	bool truth;       /* of a result: SQL's notion of true; NULL is false */
};

struct expr_engine;
struct expr;

/* A locked connection; INTERNAL when this SQLite cannot be locked. For one thread at a time. */
struct fault *expr_engine_new(TALLOC_CTX *mem, struct expr_engine **engine_r) ATTR_MUST_CHECK;

/* Compiles LEN bytes of text. CONFIG fault, in words for the author of the rule, when it is
 * refused. An expression must not be evaluated after its engine is freed. */
struct fault *expr_compile(TALLOC_CTX *mem, struct expr_engine *engine, const char *text,
			   size_t len, struct expr **expr_r) ATTR_MUST_CHECK;

/* The lock alone, without the scanner (and so without names): for the test that it holds by itself.
 */
struct fault *expr_compile_unscanned(TALLOC_CTX *mem, struct expr_engine *engine, const char *text,
				     struct expr **expr_r) ATTR_MUST_CHECK;

/* Evaluates with VALUES bound (only those that the expression names are read); NULL: nothing is
 * set. The texts of VALUES are not copied, the text of the result is, under MEM. DATA fault of
 * scope item, next hold, when evaluation fails: an overflow, a value larger than RULES_LENGTH_MAX,
 * the budget. */
struct fault *expr_evaluate(TALLOC_CTX *mem, struct expr *expr,
			    const struct expr_value values[EXPR_NAMES],
			    struct expr_value *result_r) ATTR_MUST_CHECK;

/* True if the expression names it. */
bool expr_uses(const struct expr *expr, enum expr_name name);

/* "new.percent", "today". */
const char *expr_name_text(enum expr_name name);

/* "null", "integer", "real", "text". */
const char *expr_type_name(enum expr_type type);

#endif

/* expr_private.h - what the files of the evaluator share.
 *
 *   expr_scan.c      untrusted text -> SQL without names; knows no SQLite
 *   expr_function.c  the one list of functions, and those that are ours
 *   expr.c           the locked connection, compiling, evaluating
 */
#ifndef TASKFERRY_EXPR_PRIVATE_H
#define TASKFERRY_EXPR_PRIVATE_H

#include "decide/expr.h"

struct sqlite3;
struct sqlite3_stmt;

#define EXPR_ARGUMENTS_MAX 32 /* of coalesce, min, max */

struct expr_engine {
	struct sqlite3 *db;
	int selects;        /* of the statement that is being compiled */
	int64_t steps_left; /* of this evaluation */
	int64_t work_left;  /* likewise */
};

struct expr {
	struct expr_engine *engine;
	struct sqlite3_stmt *stmt;
	enum expr_name parameter[EXPR_NAMES]; /* what ?1, ?2 ... stand for */
	int parameters;
};

/* ---- expr_function.c ---- */

/* The I-th function of the list; NULL behind the last. */
const char *expr_function_name(size_t i);

/* Its index; -1: there is no such function. */
int expr_function_find(const char *name);

/* How many values it takes. */
void expr_function_args(int function, int *min_r, int *max_r);

/* Registers what is ours, and refusals in place of the forms that we do not want. An SQLite result
 * code. */
int expr_function_register(struct expr_engine *engine);

/* ---- expr_scan.c ---- */

/* Rewrites TEXT: names become ?1, ?2 ... and are noted in EXPR. CONFIG fault when it is refused. */
struct fault *expr_scan(TALLOC_CTX *mem, struct expr *expr, const char *text,
			char **sql_r) ATTR_MUST_CHECK;

#endif

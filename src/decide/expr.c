#include "config.h"

#include "decide/expr_private.h"

#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "decide/rules.h"

/* Invariants:
 *
 * E1. One table of functions serves the scanner, the authorizer and the registration. All are
 *     deterministic: the two that know dates read what they are given, and refuse 'now', modifiers
 *     that move between zones, and whatever else is not a date.
 *
 * E2. What is superlinear in SQLite is ours and counted (like, glob, instr, replace), or refused
 *     (trim with two values). An expression cannot loop, so steps are few; the step budget is there
 *     in case one can.
 *
 * E3. Names reach SQLite as ?N only; no text of the author but strings, numbers, operators,
 *     keywords and function names of the lists does.
 *
 * E4. Parentheses balance within the text, and no comma stands outside of them, so the wrapping
 *     parenthesis cannot be left.
 *
 * E5. The lock refuses by itself whatever is not a pure expression; the scanner only refuses more,
 *     and explains better.
 */

#define STEP_SLICE 1000 /* virtual machine steps between two looks at the budget */

/* clang-format off */
static const char *const name_texts[] = {
#define X(name, type, scope, group, owner, merge, vtodo, card, mspdi) "new." #name,
	FIELD_TABLE(X)
#undef X
#define X(name, type, scope, group, owner, merge, vtodo, card, mspdi) "old." #name,
	FIELD_TABLE(X)
#undef X
#define X(name, text) text,
	EXPR_CONTEXT_TABLE(X)
#undef X
};
/* clang-format on */
_Static_assert(COUNT_OF(name_texts) == EXPR_NAMES, "one text per name");

static const char *const type_names[] = { "null", "integer", "real", "text" };
_Static_assert(COUNT_OF(type_names) == EXPR_TYPES, "one name per type");

const char *expr_name_text(enum expr_name name)
{
	return name_texts[name];
}

const char *expr_type_name(enum expr_type type)
{
	return type_names[type];
}

/* ---- the lock (E5) ---- */

static const struct {
	int id, value;
} limits[] = {
	{ SQLITE_LIMIT_LENGTH, RULES_LENGTH_MAX },
	{ SQLITE_LIMIT_SQL_LENGTH, RULES_EXPRESSION_MAX + 32 },
	{ SQLITE_LIMIT_COLUMN, 1 },
	{ SQLITE_LIMIT_EXPR_DEPTH, RULES_DEPTH_MAX },
	{ SQLITE_LIMIT_COMPOUND_SELECT, 1 },
	{ SQLITE_LIMIT_VDBE_OP, RULES_OPS_MAX },
	{ SQLITE_LIMIT_FUNCTION_ARG, EXPR_ARGUMENTS_MAX },
	{ SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, RULES_LIKE_MAX },
	{ SQLITE_LIMIT_VARIABLE_NUMBER, EXPR_NAMES },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 0 },
	{ SQLITE_LIMIT_WORKER_THREADS, 0 },
};

static const struct {
	int id, value;
} switches[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	{ SQLITE_DBCONFIG_DQS_DML, 0 },
	{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
	{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
	{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
};

static int authorize(void *arg, int action, const char *a, const char *b, const char *c,
		     const char *d)
{
	struct expr_engine *engine = arg;

	(void)a;
	(void)c;
	(void)d;
	if (action == SQLITE_SELECT && engine->selects++ == 0)
		return SQLITE_OK;
	return action == SQLITE_FUNCTION && b && expr_function_find(b) >= 0 ? SQLITE_OK
									    : SQLITE_DENY;
}

static int progress(void *arg)
{
	struct expr_engine *engine = arg;

	engine->steps_left -= STEP_SLICE;
	return engine->steps_left < 0;
}

static void refill(struct expr_engine *engine)
{
	engine->steps_left = RULES_STEPS_MAX;
	engine->work_left = RULES_WORK_MAX;
}

static int engine_close(struct expr_engine *engine)
{
	(void)sqlite3_close_v2(engine->db); /* goes when the last of its expressions is finalized */
	return 0;
}

static int engine_lock(struct expr_engine *engine)
{
	int rc = expr_function_register(engine);

	for (size_t i = 0; i < COUNT_OF(limits); i++)
		(void)sqlite3_limit(engine->db, limits[i].id, limits[i].value);
	for (size_t i = 0; i < COUNT_OF(switches) && rc == SQLITE_OK; i++) {
		int now = -1;

		rc = sqlite3_db_config(engine->db, switches[i].id, switches[i].value, &now);
		if (rc == SQLITE_OK && now != switches[i].value)
			rc = SQLITE_ERROR;
	}
	sqlite3_progress_handler(engine->db, STEP_SLICE, progress, engine);
	return rc == SQLITE_OK ? sqlite3_set_authorizer(engine->db, authorize, engine) : rc;
}

struct fault *expr_engine_new(TALLOC_CTX *mem, struct expr_engine **engine_r)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
			  SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	struct expr_engine *engine = MEM_NEW(mem, struct expr_engine);
	int rc = sqlite3_open_v2(":memory:", &engine->db, flags, NULL);

	talloc_set_destructor(engine, engine_close);
	if (rc == SQLITE_OK)
		rc = engine_lock(engine);
	if (rc != SQLITE_OK) {
		talloc_free(engine);
		return fault_new(mem, FAULT_INTERNAL, "the rule evaluator cannot be set up: %s",
				 sqlite3_errstr(rc));
	}
	refill(engine);
	*engine_r = engine;
	return NULL;
}

static int expr_close(struct expr *expr)
{
	(void)sqlite3_finalize(expr->stmt); /* repeats an old error, if any */
	return 0;
}

/* SQLite's message with the names put back where it says ?N. */
static char *with_names(TALLOC_CTX *mem, const struct expr *expr, const char *message)
{
	struct buf *out = buf_new(mem);

	while (*message) {
		size_t digits = *message == '?' ? strspn(message + 1, "0123456789") : 0;
		int64_t n = 0;

		if (digits && text_to_int(mem_strndup(out, message + 1, digits), &n) && n > 0 &&
		    n <= expr->parameters) {
			buf_puts(out, expr_name_text(expr->parameter[n - 1]));
			message += 1 + digits;
		} else {
			buf_putc(out, *message++);
		}
	}
	return buf_steal(&out, mem, NULL);
}

static struct fault *not_compiled(TALLOC_CTX *mem, const struct expr *expr, int rc)
{
	/* SQLite says NOMEM when a program grows over its limit. */
	if (rc == SQLITE_NOMEM || rc == SQLITE_TOOBIG)
		return fault_new(mem, FAULT_CONFIG, "the expression is too long");
	return fault_new(mem, FAULT_CONFIG, "%s",
			 with_names(mem, expr, sqlite3_errmsg(expr->engine->db)));
}

static struct fault *prepare(TALLOC_CTX *mem, struct expr *expr, const char *text)
{
	char *sql = mem_printf(mem, "SELECT (%s\n)", text);
	const char *tail = "";
	int rc;

	expr->engine->selects = 0;
	refill(expr->engine);
	rc = sqlite3_prepare_v3(expr->engine->db, sql, -1,
				SQLITE_PREPARE_PERSISTENT | SQLITE_PREPARE_NO_VTAB, &expr->stmt,
				&tail);
	if (rc != SQLITE_OK)
		return not_compiled(mem, expr, rc);
	if (!expr->stmt || tail[strspn(tail, " \t\r\n")])
		return fault_new(mem, FAULT_CONFIG, "not one expression");
	if (sqlite3_column_count(expr->stmt) != 1 || !sqlite3_stmt_readonly(expr->stmt) ||
	    sqlite3_stmt_isexplain(expr->stmt))
		return fault_new(mem, FAULT_CONFIG, "not one expression");
	if (sqlite3_bind_parameter_count(expr->stmt) != expr->parameters)
		return fault_new(mem, FAULT_CONFIG, "parameters are not allowed");
	return NULL;
}

static struct expr *expr_start(TALLOC_CTX *mem, struct expr_engine *engine)
{
	struct expr *expr = MEM_NEW(mem, struct expr);

	expr->engine = engine;
	talloc_set_destructor(expr, expr_close);
	return expr;
}

/* The end of both ways to compile: EXPR or the fault survives SCRATCH. */
static struct fault *expr_finish(TALLOC_CTX *mem, TALLOC_CTX *scratch, struct expr *expr,
				 struct fault *fault, struct expr **expr_r)
{
	if (fault)
		talloc_steal(mem, fault);
	else
		*expr_r = talloc_steal(mem, expr);
	talloc_free(scratch);
	return fault;
}

struct fault *expr_compile(TALLOC_CTX *mem, struct expr_engine *engine, const char *text,
			   size_t len, struct expr **expr_r)
{
	TALLOC_CTX *scratch;
	struct expr *expr;
	struct fault *fault;
	char *sql;

	if (len > RULES_EXPRESSION_MAX)
		return fault_new(mem, FAULT_CONFIG, "the expression is longer than %d bytes",
				 RULES_EXPRESSION_MAX);
	if (!text_is_utf8(text, len))
		return fault_new(mem, FAULT_CONFIG, "the expression is not UTF-8");
	scratch = MEM_CONTEXT(mem);
	expr = expr_start(scratch, engine);
	fault = expr_scan(scratch, expr, mem_bytes(scratch, text, len), &sql);
	if (!fault)
		fault = prepare(scratch, expr, sql);
	return expr_finish(mem, scratch, expr, fault, expr_r);
}

struct fault *expr_compile_unscanned(TALLOC_CTX *mem, struct expr_engine *engine, const char *text,
				     struct expr **expr_r)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(mem);
	struct expr *expr = expr_start(scratch, engine);

	return expr_finish(mem, scratch, expr, prepare(scratch, expr, text), expr_r);
}

bool expr_uses(const struct expr *expr, enum expr_name name)
{
	for (int i = 0; i < expr->parameters; i++)
		if (expr->parameter[i] == name)
			return true;
	return false;
}

/* ---- evaluation ---- */

static int bind(sqlite3_stmt *stmt, int i, const struct expr_value *value)
{
	switch (value->type) {
	case EXPR_INTEGER:
		return sqlite3_bind_int64(stmt, i, value->integer);
	case EXPR_REAL:
		return sqlite3_bind_double(stmt, i, value->real);
	case EXPR_TEXT:
		return sqlite3_bind_text64(stmt, i, value->text, strlen(value->text), SQLITE_STATIC,
					   SQLITE_UTF8);
	case EXPR_NULL:
	case EXPR_TYPES:
		break;
	}
	return sqlite3_bind_null(stmt, i);
}

static struct expr_value result(TALLOC_CTX *mem, sqlite3_stmt *stmt)
{
	struct expr_value value = { .type = EXPR_NULL };

	switch (sqlite3_column_type(stmt, 0)) {
	case SQLITE_INTEGER:
		value.type = EXPR_INTEGER;
		value.integer = sqlite3_column_int64(stmt, 0);
		break;
	case SQLITE_FLOAT:
		value.type = EXPR_REAL;
		value.real = sqlite3_column_double(stmt, 0);
		break;
	case SQLITE_NULL:
		break;
	default:
		value.type = EXPR_TEXT;
		value.text = mem_strdup(mem, (const char *)sqlite3_column_text(stmt, 0));
	}
	value.truth = sqlite3_column_double(stmt, 0) != 0.0;
	return value;
}

static struct fault *not_evaluated(TALLOC_CTX *mem, const struct expr *expr, int rc)
{
	const char *why = rc == SQLITE_INTERRUPT ? "it takes too many steps"
			  : rc == SQLITE_TOOBIG  ? "a value is too long"
						 : sqlite3_errmsg(expr->engine->db);

	return fault_reaches(fault_new(mem, FAULT_DATA, "%s", why), FAULT_SCOPE_ITEM,
			     FAULT_NEXT_HOLD);
}

struct fault *expr_evaluate(TALLOC_CTX *mem, struct expr *expr,
			    const struct expr_value values[EXPR_NAMES], struct expr_value *result_r)
{
	struct fault *fault = NULL;
	int rc = SQLITE_OK;

	refill(expr->engine);
	for (int i = 0; values && i < expr->parameters && rc == SQLITE_OK; i++)
		rc = bind(expr->stmt, i + 1, &values[expr->parameter[i]]);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(expr->stmt);
	if (rc == SQLITE_ROW)
		*result_r = result(mem, expr->stmt);
	else
		fault = not_evaluated(mem, expr, rc);
	(void)sqlite3_reset(expr->stmt); /* repeats the error of the step */
	(void)sqlite3_clear_bindings(expr->stmt);
	return fault;
}

/* rules.h - business rules: SQL expressions judged on a change of values. Pure: no clock but the
 * bound one, no I/O but what the caller's context does when it is asked.
 *
 * An expression is compiled once by `SELECT (expression\n)` on a locked-down in-memory SQLite
 * connection: an authorizer that allows one SELECT and the functions of a list, nothing else; the
 * limits of the constants below; DEFENSIVE, untrusted schema, no double-quoted strings, no
 * extension, a budget of steps. The dotted names are parameters: new.FIELD, old.FIELD (every field
 * of the field table) and those of EXPR_CONTEXT_TABLE. A value is NULL when not set, else: text and
 * lists text, numbers and effort integers, flags 0/1, status its name, dates their JSON text.
 * doc/taskferry-rules.7 tells all of this to those who write rules.
 *
 * The functions: abs coalesce ifnull iif instr length like glob lower upper ltrim rtrim trim (one
 * value) max min (two values and more) nullif replace round sign substr substring typeof, CAST;
 * date(X [, '+7 days']), the site's local day of a date or an instant, and julianday(X), for
 * distances; these two know no 'now' and no other modifier.
 *
 * A rule runs only when a field that its `when` names as new.FIELD differs between OLD and NEW
 * (value_identical()), never on standing values (N3). NULL is "does not fire"; an evaluation error
 * is `hold`. Rules run in order; after a correction all run again, at most RULES_PASSES_MAX passes,
 * then `hold`. The set lines of one rule are applied in file order, each sees those before it.
 */
#ifndef TASKFERRY_RULES_H
#define TASKFERRY_RULES_H

#include "conf/conf.h"
#include "model/vector.h"

#define RULES_EXPRESSION_MAX 4096 /* bytes */
#define RULES_LENGTH_MAX 65536    /* bytes of any value */
#define RULES_DEPTH_MAX 64        /* of an expression */
#define RULES_OPS_MAX 2000        /* instructions of one program */
#define RULES_LIKE_MAX 200        /* bytes of a pattern: LIKE is quadratic */
#define RULES_STEPS_MAX 100000    /* virtual machine steps of one evaluation: about a millisecond */
#define RULES_WORK_MAX (16 << 20) /* byte comparisons of one evaluation: about 20 milliseconds */
#define RULES_PASSES_MAX 4

struct rules;

/* Who and what a change is about. Texts may be NULL. */
struct rules_context {
	const char *task_key;
	bool milestone, summary;
	const char *project_code, *project_name, *project_state;
	const char *closed_until; /* YYYY-MM-DD: up to this day the project's periods are closed */
	const char *resource_key, *resource_name, *resource_email; /* whose assignment it is */
	const char *actor;     /* "project", "mailbox", "import" */
	const char *actor_key; /* whose account the change came from; NULL: from none */
	int64_t now_us;
	int32_t today; /* the site's local day */

	/* How many of the task's predecessors are not done; NULL: not known. Finding out costs, so
	 * it is asked for when a rule that names it runs, at most once per judgement. What it
	 * allocates goes to MEM. With a fault the rule is one that could not be evaluated. */
	struct fault *(*predecessors_open)(TALLOC_CTX *mem, void *asked, int64_t *open_r);
	void *asked;

	/* A rule whose word the project manager has heard and overruled: it does not judge exactly
	 * these values, whatever else changes beside them. NULL: none. */
	const char *overruled;
	const struct vector *overruled_values; /* what it spoke about; other fields absent */
};

enum rules_verdict { RULES_ACCEPT, RULES_CORRECTED, RULES_REJECTED, RULES_HELD };

/* One rule that had something to say, in the order of firing. */
struct rules_hit {
	const char *rule;
	enum conf_rule_action action;
	const char *message;
	bool field[FIELDS]; /* that it changed (correct) or judged (its new.* names that had
			       changed) */
};

struct rules_result {
	enum rules_verdict verdict; /* the strongest: held > rejected > corrected > accept */
	struct vector *values;      /* NEW with corrections; rejected and held fields as in OLD */
	struct rules_hit *hits;
	size_t hit_count;
};

/* Compiles the built-in rules (a rule of the same name in CONF switches one off, or stands in its
 * place) and behind them those of CONF. REPORT gets a finding per expression that is refused, or
 * that fails even with nothing set, with its line; NULL when any was. */
struct rules *rules_new(TALLOC_CTX *mem, const struct conf *conf, struct conf_report *report);

/* Judges the step from OLD to NEW. A rejecting rule takes back the fields that it names in new.*
 * and that changed (for a coupled field the whole coupled group); so does a holding one. The result
 * is what the rules make of NEW without these: a correction that followed from a refused value is
 * not in it. Warnings are about the values that come out. Hits: first the refusals, then
 * corrections and warnings, each in the order of firing, one per rule. Judged again, as (result,
 * result) or (OLD, result), nothing is corrected any more. Not to be called from two threads at
 * once. */
struct rules_result *rules_judge(TALLOC_CTX *mem, struct rules *rules,
				 const struct rules_context *context, const struct vector *old,
				 const struct vector *new);

/* True for a built-in rule that the site has not replaced by one of its own. */
bool rules_is_builtin(struct rules *rules, const char *name);

/* The built-in rules as ini text (etc/rules.ini is the same text; a test compares them). */
const char *rules_builtin_text(void);

/* Compiles one expression and evaluates it with nothing set: for tests and `check`. NULL when it is
 * allowed. */
struct fault *rules_try(TALLOC_CTX *mem, const char *expression) ATTR_MUST_CHECK;

#endif

#include "config.h"

#include "decide/rules.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "decide/expr.h"

/* Judging one step.
 *
 * `given` is NEW without what was taken back so far. A run starts from a copy of it, `values`, and
 * lets the rules pass over the copy until a pass changes nothing:
 *
 *	given --copy--> pass --changed nothing--> done
 *	  ^             |  ^ |
 *	  |     corrected  +-+   (at most RULES_PASSES_MAX, then it is a hold)
 *	  |             |
 *	  |             +--rejects or holds--> given := OLD in those fields
 *	  |                                              |
 *	  +--------------- start again ------------------+
 *
 * J1. The result is what the rules make of NEW without the refused fields: a correction that
 *     followed from a refused value is gone with it, because the run started again.
 *
 * J2. Every start has at least one field less in `given` that differs from OLD, so this ends. A
 *     rule looks at a field only if it differs from OLD: in `given` already, or by a correction of
 *     this run, which looked at such a field itself; `cause` knows which.
 *
 * J3. A warning is about the values that come out: those of the last pass count.
 *
 * J4. A correction that changes nothing is none, so the result is a fixed point: judged again,
 *     nothing happens.
 *
 * J5. Coupled fields are taken back together.
 */

struct rule_set {
	enum field field;
	struct expr *value;
};

struct rule {
	const char *name;
	const char *message;
	enum conf_rule_action action;
	bool builtin;
	struct expr *when;
	bool watches[FIELDS]; /* named by `when` as new.FIELD */
	bool asks;            /* names task.predecessors_open, in any expression */
	struct rule_set *sets;
	size_t set_count;
};

struct rules {
	bool later; /* the built-in rules are all, and are not compiled before they are needed */
	struct expr_engine *engine;
	struct rule *rules;
	size_t count;
	bool uses[EXPR_NAMES]; /* by any expression */
};

/* What people read where a rule has no message. */
static const char *const action_sentences[] = {
	[RULE_CORRECT] = "The value was corrected",
	[RULE_REJECT] = "The change is not allowed",
	[RULE_HOLD] = "The change waits for the project manager",
	[RULE_WARN] = "The change is unusual",
};
_Static_assert(COUNT_OF(action_sentences) == RULE_WARN + 1, "one sentence per action");

/* ---- compiling ---- */

/* Compiles, and evaluates with nothing set: what fails then fails always, such as date('now'). */
static struct expr *compile(struct rules *rules, struct conf_report *report, const char *rule,
			    const char *key, const char *text, long line)
{
	struct expr *expr = NULL;
	struct expr_value value;
	TALLOC_CTX *scratch = MEM_CONTEXT(rules);
	struct fault *fault = expr_compile(scratch, rules->engine, text, strlen(text), &expr);

	if (!fault)
		fault = expr_evaluate(scratch, expr, NULL, &value);
	if (fault) {
		conf_report_error(report, line, "rule %s: %s: %s", rule, key, fault->text);
		expr = NULL;
	} else {
		talloc_steal(rules, expr);
		for (int i = 0; i < EXPR_NAMES; i++)
			rules->uses[i] |= expr_uses(expr, (enum expr_name)i);
	}
	talloc_free(scratch);
	return expr;
}

static void compile_sets(struct rules *rules, struct rule *rule, const struct conf_rule *from,
			 struct conf_report *report)
{
	rule->sets = MEM_ARRAY(rules, struct rule_set, from->set_count);
	rule->set_count = from->set_count;
	for (size_t i = 0; i < from->set_count; i++) {
		const struct conf_rule_set *set = &from->sets[i];
		char *key = mem_printf(rules, "set.%s", field_table[set->field].name);

		rule->sets[i].field = set->field;
		rule->sets[i].value =
			compile(rules, report, rule->name, key, set->expression, set->line);
		talloc_free(key);
	}
}

static bool names_predecessors(const struct expr *expr)
{
	return expr && expr_uses(expr, EXPR_TASK_PREDECESSORS_OPEN);
}

static void add_rule(struct rules *rules, const struct conf_rule *from, struct conf_report *report)
{
	struct rule *rule;
	bool watches = false;

	rules->rules = MEM_GROW(rules, rules->rules, struct rule, rules->count + 1);
	rule = &rules->rules[rules->count++];
	*rule = (struct rule){ .name = mem_strdup(rules, from->name), .action = from->action };
	rule->message = from->message ? mem_strdup(rules, from->message)
				      : mem_printf(rules, "%s (rule %s).",
						   action_sentences[from->action], from->name);
	rule->when = compile(rules, report, rule->name, "when", from->when, from->when_line);
	for (int i = 0; rule->when && i < FIELDS; i++) {
		rule->watches[i] = expr_uses(rule->when, (enum expr_name)(EXPR_NEW + i));
		watches |= rule->watches[i];
	}
	if (rule->when && !watches)
		conf_report_warning(report, from->when_line,
				    "rule %s: when names no new.FIELD, so the rule never runs",
				    rule->name);
	compile_sets(rules, rule, from, report);
	rule->asks = names_predecessors(rule->when);
	for (size_t i = 0; i < rule->set_count; i++)
		rule->asks |= names_predecessors(rule->sets[i].value);
}

static const struct conf_rule *conf_rule_find(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->rule_count; i++)
		if (!strcmp(conf->rules[i].name, name))
			return &conf->rules[i];
	return NULL;
}

/* A built-in rule applies unless the site switches it off, or has one of the same name, which then
 * stands in its place: the order among them matters. A rule that is switched off is not compiled, a
 * site may keep one that it cannot use yet. */
static void add_builtins(struct rules *rules, const struct conf *builtin, const struct conf *conf,
			 struct conf_report *report)
{
	for (size_t i = 0; i < builtin->rule_count; i++) {
		const struct conf_rule *own = conf_rule_find(conf, builtin->rules[i].name);

		if (own && !own->enabled)
			continue;
		add_rule(rules, own && own->when ? own : &builtin->rules[i], report);
		rules->rules[rules->count - 1].builtin = !own || !own->when;
	}
}

static void add_own(struct rules *rules, const struct conf *builtin, const struct conf *conf,
		    struct conf_report *report)
{
	for (size_t i = 0; i < conf->rule_count; i++)
		if (conf->rules[i].when && conf->rules[i].enabled &&
		    !conf_rule_find(builtin, conf->rules[i].name))
			add_rule(rules, &conf->rules[i], report);
}

/* The built-in rules, read as any file. */
static struct conf *read_builtin(TALLOC_CTX *mem, struct conf_report *report)
{
	const char *text = rules_builtin_text();
	struct conf *conf = NULL;
	struct conf_report *own = NULL;
	struct fault *fault = conf_parse(mem, "rules.ini", text, strlen(text), 0600, &conf, &own);

	if (fault)
		conf_report_error(report, 0, "built-in rules: %s", fault->text);
	for (size_t i = 0; !fault && i < own->count; i++)
		if (!own->findings[i].warning)
			conf_report_error(report, 0, "built-in rules: line %ld: %s",
					  own->findings[i].line, own->findings[i].text);
	return conf;
}

static void compile_all(struct rules *rules, const struct conf *conf, struct conf_report *report)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(rules);
	struct conf *builtin = read_builtin(scratch, report);

	if (builtin) {
		add_builtins(rules, builtin, conf, report);
		add_own(rules, builtin, conf, report);
	}
	talloc_free(scratch);
}

/* What nobody has written cannot be wrong (the unit test compiles it). */
static void compile_later(struct rules *rules)
{
	const struct conf none = { .rule_count = 0 };
	struct conf_report *report = MEM_NEW(rules, struct conf_report);

	compile_all(rules, &none, report);
	assert(!report->errors);
	talloc_free(report);
	rules->later = false;
}

struct rules *rules_new(TALLOC_CTX *mem, const struct conf *conf, struct conf_report *report)
{
	struct rules *rules = MEM_NEW(mem, struct rules);
	size_t errors = report->errors;
	struct fault *fault = expr_engine_new(rules, &rules->engine);

	rules->later = !conf->rule_count;
	if (fault)
		conf_report_error(report, 0, "%s", fault->text);
	else if (!rules->later)
		compile_all(rules, conf, report);
	if (report->errors == errors)
		return rules;
	talloc_free(rules);
	return NULL;
}

bool rules_is_builtin(struct rules *rules, const char *name)
{
	if (rules->later)
		compile_later(rules);
	for (size_t i = 0; i < rules->count; i++)
		if (rules->rules[i].builtin && !strcmp(rules->rules[i].name, name))
			return true;
	return false;
}

/* ---- judging ---- */

struct judgement {
	TALLOC_CTX *mem; /* freed at the end */
	struct rules *rules;
	const struct rules_context *context;
	const struct vector *old;
	struct vector *given;  /* NEW without what was taken back */
	struct vector *values; /* of this run */
	struct expr_value bound[EXPR_NAMES];
	bool asked;                 /* the context, for what costs */
	bool cause[FIELDS][FIELDS]; /* what the corrections of a field looked at, in this run, from
				       the first on */
	bool recent[FIELDS];        /* what the corrections of this pass looked at */
	struct rules_hit *refused;  /* rejected and held, of all runs */
	size_t refused_count;
	struct rules_hit *fired; /* corrected and warned, of this run */
	size_t fired_count;
};

enum pass { PASS_QUIET, PASS_CORRECTED, PASS_REFUSED };

static struct expr_value integer_value(int64_t number)
{
	return (struct expr_value){ .type = EXPR_INTEGER, .integer = number };
}

static struct expr_value text_value(const char *text)
{
	return (struct expr_value){ .type = text ? EXPR_TEXT : EXPR_NULL, .text = text };
}

static struct expr_value bound_value(TALLOC_CTX *mem, enum field field, const struct value *value)
{
	if (value->presence != SET)
		return (struct expr_value){ .type = EXPR_NULL };
	switch (field_table[field].type) {
	case FIELD_NUMBER:
	case FIELD_EFFORT:
	case FIELD_FLAG:
		return integer_value(value->number);
	case FIELD_TEXT:
	case FIELD_LIST:
	case FIELD_FILES:
		return text_value(value->text);
	case FIELD_WHEN:
	case FIELD_STATUS:
	case FIELD_TYPES:
		break;
	}
	return text_value(value_text(mem, field, value));
}

static void bind_field(struct judgement *j, int base, int field, const struct vector *vector)
{
	if (j->rules->uses[base + field])
		j->bound[base + field] =
			bound_value(j->mem, (enum field)field, &vector->value[field]);
}

static void bind_context(struct judgement *j, const struct rules_context *context)
{
	struct when today = when_date(context->today);

	j->bound[EXPR_TASK_KEY] = text_value(context->task_key);
	j->bound[EXPR_TASK_MILESTONE] = integer_value(context->milestone);
	j->bound[EXPR_TASK_SUMMARY] = integer_value(context->summary);
	j->bound[EXPR_PROJECT_CODE] = text_value(context->project_code);
	j->bound[EXPR_PROJECT_NAME] = text_value(context->project_name);
	j->bound[EXPR_PROJECT_STATE] = text_value(context->project_state);
	j->bound[EXPR_PROJECT_CLOSED_UNTIL] = text_value(context->closed_until);
	j->bound[EXPR_RESOURCE_KEY] = text_value(context->resource_key);
	j->bound[EXPR_RESOURCE_NAME] = text_value(context->resource_name);
	j->bound[EXPR_RESOURCE_EMAIL] = text_value(context->resource_email);
	j->bound[EXPR_ACTOR] = text_value(context->actor);
	j->bound[EXPR_ACTOR_KEY] = text_value(context->actor_key);
	j->bound[EXPR_TODAY] = text_value(when_text(j->mem, &today));
	j->bound[EXPR_NOW] = text_value(clock_rfc3339(j->mem, context->now_us));
}

/* Binds what is bound only for a rule that names it. */
static struct fault *bind_asked(struct judgement *j, const struct rule *rule)
{
	int64_t open = 0;

	if (!rule->asks || j->asked || !j->context->predecessors_open)
		return NULL;
	FAULT_TRY(j->context->predecessors_open(j->mem, j->context->asked, &open));
	j->bound[EXPR_TASK_PREDECESSORS_OPEN] = integer_value(open);
	j->asked = true;
	return NULL;
}

static bool differs(const struct judgement *j, const struct vector *vector, int field)
{
	return !value_identical((enum field)field, &vector->value[field], &j->old->value[field]);
}

/* The fields that a rule looks at and that differ from OLD; false: there are none. */
static bool looked_at(const struct judgement *j, const struct rule *rule, bool field_r[FIELDS])
{
	bool any = false;

	for (int i = 0; i < FIELDS; i++) {
		field_r[i] = rule->watches[i] && differs(j, j->values, i);
		any |= field_r[i];
	}
	return any;
}

static void add_fields(bool to[FIELDS], const bool from[FIELDS])
{
	for (int i = 0; i < FIELDS; i++)
		to[i] |= from[i];
}

/* Notes that a rule had something to say; once per rule. */
static void note(TALLOC_CTX *mem, struct rules_hit **hits, size_t *count,
		 const struct rules_hit *hit)
{
	for (size_t i = 0; i < *count; i++)
		if ((*hits)[i].action == hit->action && !strcmp((*hits)[i].rule, hit->rule)) {
			add_fields((*hits)[i].field, hit->field);
			return;
		}
	*hits = MEM_GROW(mem, *hits, struct rules_hit, *count + 1);
	(*hits)[(*count)++] = *hit;
}

static bool coupled(int a, int b)
{
	return field_table[a].merge == MERGE_COUPLED && field_table[b].merge == MERGE_COUPLED &&
	       field_table[a].group == field_table[b].group;
}

/* Gives the fields of `given`, and what is coupled with them, their old values. False: they had
 * them already. */
static bool restore(struct judgement *j, const bool fields[FIELDS])
{
	bool moved = false;

	for (int i = 0; i < FIELDS; i++) {
		bool wanted = fields[i];

		for (int k = 0; k < FIELDS && !wanted; k++)
			wanted = fields[k] && coupled(i, k);
		if (wanted && differs(j, j->given, i)) {
			vector_put(j->given, (enum field)i, &j->old->value[i]);
			moved = true;
		}
	}
	return moved;
}

/* Refuses a change. What a rule refuses may differ from OLD by a correction only: then its causes
 * go back (J2). */
static enum pass take_back(struct judgement *j, const char *rule, const char *message,
			   enum conf_rule_action action, const bool fields[FIELDS])
{
	struct rules_hit hit = { .rule = rule, .message = message, .action = action };
	bool moved;

	add_fields(hit.field, fields);
	moved = restore(j, fields);
	if (!moved) {
		for (int i = 0; i < FIELDS; i++)
			if (fields[i])
				add_fields(hit.field, j->cause[i]);
		moved = restore(j, hit.field);
	}
	assert(moved);
	(void)moved;
	note(j->mem, &j->refused, &j->refused_count, &hit);
	return PASS_REFUSED;
}

static enum pass hold_failed(struct judgement *j, const struct rule *rule, const char *why,
			     const bool fields[FIELDS])
{
	const char *message = mem_printf(
		j->mem,
		"The rule %s could not be applied (%s); the change waits for the project manager.",
		rule->name, why);

	return take_back(j, rule->name, message, RULE_HOLD, fields);
}

/* A result as a field's text; NULL clears. Whole reals are numbers: round() returns such. */
static const char *result_text(TALLOC_CTX *mem, const struct expr_value *result)
{
	const double exact = 9007199254740992.0; /* 2^53: whole numbers up to here are themselves */

	switch (result->type) {
	case EXPR_INTEGER:
		return mem_printf(mem, "%" PRId64, result->integer);
	case EXPR_REAL:
		if (result->real > -exact && result->real < exact &&
		    (double)(int64_t)result->real == result->real)
			return mem_printf(mem, "%" PRId64, (int64_t)result->real);
		return mem_printf(mem, "%.15g", result->real);
	case EXPR_TEXT:
		return result->text;
	case EXPR_NULL:
	case EXPR_TYPES:
		break;
	}
	return NULL;
}

/* Carries out one set line; *CHANGED is set when the value became another. */
static struct fault *apply_set(struct judgement *j, const struct rule_set *set, bool *changed)
{
	struct expr_value result;
	struct value value;

	FAULT_TRY(expr_evaluate(j->mem, set->value, j->bound, &result));
	FAULT_TRY(value_parse(j->mem, set->field, result_text(j->mem, &result), &value));
	if (value_identical(set->field, &value, &j->values->value[set->field]))
		return NULL;
	vector_put(j->values, set->field, &value);
	bind_field(j, EXPR_NEW, (int)set->field, j->values);
	*changed = true;
	return NULL;
}

/* FIELD was corrected because of these. */
static void note_cause(struct judgement *j, enum field field, const bool fields[FIELDS])
{
	add_fields(j->cause[field], fields);
	for (int i = 0; i < FIELDS; i++)
		if (fields[i])
			add_fields(j->cause[field], j->cause[i]);
}

static enum pass correct(struct judgement *j, const struct rule *rule, const bool fields[FIELDS])
{
	struct rules_hit hit = { .rule = rule->name,
				 .message = rule->message,
				 .action = RULE_CORRECT };
	bool any = false;

	for (size_t i = 0; i < rule->set_count; i++) {
		bool changed = false;
		struct fault *fault = apply_set(j, &rule->sets[i], &changed);

		if (fault)
			return hold_failed(j, rule, fault->text, fields);
		if (changed)
			note_cause(j, rule->sets[i].field, fields);
		hit.field[rule->sets[i].field] |= changed;
		any |= changed;
	}
	if (!any)
		return PASS_QUIET;
	add_fields(j->recent, fields);
	note(j->mem, &j->fired, &j->fired_count, &hit);
	return PASS_CORRECTED;
}

/* True when all that a rule looks at, of what it is overruled in, is as it was then. */
static bool is_overruled(const struct judgement *j, const struct rule *rule,
			 const bool fields[FIELDS])
{
	bool any = false;

	if (!j->context->overruled || strcmp(j->context->overruled, rule->name) != 0)
		return false;
	for (int i = 0; i < FIELDS; i++) {
		const struct value *value = &j->context->overruled_values->value[i];

		if (!fields[i] || value->presence == ABSENT)
			continue;
		if (!value_identical((enum field)i, value, &j->values->value[i]))
			return false;
		any = true;
	}
	return any;
}

static enum pass apply_rule(struct judgement *j, const struct rule *rule)
{
	struct rules_hit hit = { .rule = rule->name,
				 .message = rule->message,
				 .action = rule->action };
	struct expr_value fires;
	struct fault *fault;

	if (!looked_at(j, rule, hit.field) || is_overruled(j, rule, hit.field))
		return PASS_QUIET;
	fault = bind_asked(j, rule);
	if (!fault)
		fault = expr_evaluate(j->mem, rule->when, j->bound, &fires);
	if (fault)
		return hold_failed(j, rule, fault->text, hit.field);
	if (!fires.truth)
		return PASS_QUIET;
	switch (rule->action) {
	case RULE_CORRECT:
		return correct(j, rule, hit.field);
	case RULE_REJECT:
	case RULE_HOLD:
		return take_back(j, rule->name, rule->message, rule->action, hit.field);
	case RULE_WARN:
		note(j->mem, &j->fired, &j->fired_count, &hit);
		break;
	}
	return PASS_QUIET;
}

/* Forgets the warnings: they are asked for again (J3). */
static void drop_warnings(struct judgement *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->fired_count; i++)
		if (j->fired[i].action != RULE_WARN)
			j->fired[kept++] = j->fired[i];
	j->fired_count = kept;
}

/* One pass of all rules; *LAST_R is the last that corrected. */
static enum pass pass(struct judgement *j, const struct rule **last_r)
{
	enum pass outcome = PASS_QUIET;

	drop_warnings(j);
	memset(j->recent, 0, sizeof j->recent);
	for (size_t i = 0; i < j->rules->count; i++) {
		enum pass one = apply_rule(j, &j->rules->rules[i]);

		if (one == PASS_REFUSED)
			return one;
		if (one == PASS_CORRECTED) {
			outcome = one;
			*last_r = &j->rules->rules[i];
		}
	}
	return outcome;
}

static enum pass hold_endless(struct judgement *j, const struct rule *last)
{
	const char *message =
		mem_printf(j->mem,
			   "Rules correct each other without an end, the last one is %s; "
			   "the change waits for the project manager.",
			   last->name);

	return take_back(j, last->name, message, RULE_HOLD, j->recent);
}

/* One run from `given` on. False: something was taken back, start again. */
static bool run(struct judgement *j)
{
	const struct rule *last = NULL;
	enum pass outcome = PASS_CORRECTED;

	j->values = vector_copy(j->mem, j->given);
	j->fired_count = 0;
	memset(j->cause, 0, sizeof j->cause);
	for (int i = 0; i < FIELDS; i++)
		bind_field(j, EXPR_NEW, i, j->values);
	for (int i = 0; i < RULES_PASSES_MAX && outcome == PASS_CORRECTED; i++)
		outcome = pass(j, &last);
	if (outcome == PASS_CORRECTED)
		outcome = hold_endless(j, last);
	return outcome == PASS_QUIET;
}

static enum rules_verdict verdict_of(const struct rules_hit *hit)
{
	static const enum rules_verdict verdicts[] = {
		[RULE_CORRECT] = RULES_CORRECTED,
		[RULE_REJECT] = RULES_REJECTED,
		[RULE_HOLD] = RULES_HELD,
		[RULE_WARN] = RULES_ACCEPT,
	};
	_Static_assert(COUNT_OF(verdicts) == RULE_WARN + 1, "one verdict per action");

	return verdicts[hit->action];
}

static void add_hits(struct rules_result *result, const struct rules_hit *hits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct rules_hit *hit = &result->hits[result->hit_count++];

		*hit = hits[i];
		hit->rule = mem_strdup(result, hits[i].rule);
		hit->message = mem_strdup(result, hits[i].message);
		if (verdict_of(hit) > result->verdict)
			result->verdict = verdict_of(hit);
	}
}

struct rules_result *rules_judge(TALLOC_CTX *mem, struct rules *rules,
				 const struct rules_context *context, const struct vector *old,
				 const struct vector *new)
{
	struct rules_result *result = MEM_NEW(mem, struct rules_result);
	struct judgement *j = MEM_NEW(result, struct judgement);

	if (rules->later)
		compile_later(rules);
	j->mem = j;
	j->rules = rules;
	j->context = context;
	j->old = vector_copy(j, old); /* in the form in which it is put back */
	j->given = vector_copy(j, new);
	for (int i = 0; i < FIELDS; i++)
		bind_field(j, EXPR_OLD, i, j->old);
	bind_context(j, context);
	while (!run(j))
		continue;
	result->values = vector_copy(result, j->values);
	result->hits = MEM_ARRAY(result, struct rules_hit, j->refused_count + j->fired_count);
	add_hits(result, j->refused, j->refused_count);
	add_hits(result, j->fired, j->fired_count);
	talloc_free(j);
	return result;
}

struct fault *rules_try(TALLOC_CTX *mem, const char *expression)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(mem);
	struct expr_engine *engine;
	struct expr *expr = NULL;
	struct expr_value value;
	struct fault *fault = expr_engine_new(scratch, &engine);

	if (!fault)
		fault = expr_compile(scratch, engine, expression, strlen(expression), &expr);
	if (!fault)
		fault = expr_evaluate(scratch, expr, NULL, &value);
	if (fault)
		talloc_steal(mem, fault);
	talloc_free(scratch);
	return fault;
}

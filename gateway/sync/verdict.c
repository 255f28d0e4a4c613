#include "config.h"

#include "gateway/sync/verdict.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/revisions.h"

static const struct {
	const char *name, *done;
	enum revision_state to;
	bool sets;                  /* `theirs` becomes the project's value */
	bool decides_anew;          /* also what was decided before */
	bool from[REVISION_STATES]; /* what it may be given on */
} verdicts[] = {
	[VERDICT_ACCEPT] = { "accept",
			     "accepted",
			     REVISION_ACCEPTED,
			     true,
			     false,
			     { [REVISION_PROPOSED] = true } },
	[VERDICT_REJECT] = { "reject",
			     "rejected",
			     REVISION_REJECTED,
			     false,
			     false,
			     { [REVISION_PROPOSED] = true } },
	[VERDICT_RESTORE] = { "restore",
			      "restored",
			      REVISION_ACCEPTED,
			      true,
			      true,
			      { [REVISION_LOSING] = true,
				[REVISION_CORRECTED] = true,
				[REVISION_REJECTED] = true,
				[REVISION_DISMISSED] = true } },
	[VERDICT_DISMISS] = { "dismiss",
			      "dismissed",
			      REVISION_DISMISSED,
			      false,
			      false,
			      { [REVISION_LOSING] = true,
				[REVISION_CORRECTED] = true,
				[REVISION_REJECTED] = true,
				[REVISION_PROPOSED] = true } },
};
_Static_assert(COUNT_OF(verdicts) == VERDICTS, "one row per verdict");

/* What is worked on, inside the transaction. */
struct work {
	const struct edit_env *env;
	enum verdict verdict;
	struct revision *revision;
	struct assignment *assignment;
	struct vector *asked; /* the project's values with those of the revision */
	struct verdict_result *result;
};

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].name;
}

enum verdict verdict_find(const char *name)
{
	for (int i = 0; i < VERDICTS; i++)
		if (!strcmp(verdicts[i].name, name))
			return (enum verdict)i;
	return VERDICTS;
}

/* ---- may it be given ---- */

bool verdict_is_possible(enum verdict verdict, const struct revision *revision)
{
	return verdicts[verdict].from[revision->state] &&
	       (verdicts[verdict].decides_anew || !revision->decided_us);
}

static struct fault *not_allowed(TALLOC_CTX *mem, enum verdict verdict,
				 const struct revision *revision)
{
	struct buf *words = buf_new(mem);

	for (int v = 0; v < VERDICTS; v++)
		if (verdict_is_possible((enum verdict)v, revision))
			buf_printf(words, "%staskferry revision %s %lld",
				   words->len ? ", " : "; possible is: ", verdicts[v].name,
				   (long long)revision->id);
	if (!words->len)
		buf_printf(words, "; to change the value: taskferry task set %lld FIELD=VALUE",
			   (long long)revision->assignment_id);
	return fault_new(mem, FAULT_DATA, "revision %lld cannot be %s: it is %s%s%s%s%s",
			 (long long)revision->id, verdicts[verdict].done,
			 revision_state_name(revision->state),
			 revision->rule ? ", by the rule " : "",
			 revision->rule ? revision->rule : "",
			 revision->decided_us ? ", and decided" : "", words->data);
}

static struct fault *check_comment(TALLOC_CTX *mem, const char *comment)
{
	size_t len = comment ? strlen(comment) : 0;

	if (len && !text_is_utf8(comment, len))
		return fault_new(mem, FAULT_DATA, "the comment is no UTF-8 text");
	if (len && comment[text_prefix_chars(comment, VERDICT_COMMENT_CHARS)])
		return fault_new(mem, FAULT_DATA,
				 "the comment is longer than %d characters; the person reads it "
				 "in one line",
				 VERDICT_COMMENT_CHARS);
	return NULL;
}

/* Where values cannot be set any more. */
static struct fault *check_place(struct work *work, TALLOC_CTX *mem)
{
	const struct revision *revision = work->revision;
	struct project *project = NULL;

	if (work->assignment->state == ASSIGNMENT_WITHDRAWN)
		return fault_new(
			mem, FAULT_DATA,
			"revision %lld cannot be %s: assignment %lld was withdrawn; import a "
			"project file that has it again, or: taskferry revision dismiss %lld",
			(long long)revision->id, verdicts[work->verdict].done,
			(long long)work->assignment->id, (long long)revision->id);
	FAULT_TRY(project_by_id(work->env->store, mem, work->assignment->project_id, &project));
	if (project && project->state == PROJECT_ARCHIVED)
		return fault_new(mem, FAULT_DATA,
				 "revision %lld cannot be %s: project %s is archived; to open it "
				 "again: taskferry publish %s",
				 (long long)revision->id, verdicts[work->verdict].done,
				 project->code, project->code);
	return NULL;
}

/* ---- its values ---- */

static void add_message(struct edit_result *edit, const char *words)
{
	edit->messages = MEM_GROW(edit, edit->messages, const char *, edit->message_count + 1);
	edit->messages[edit->message_count++] = mem_strdup(edit, words);
	edit->attention = true;
}

/* The work of a revision is what it adds or takes away. */
static void ask_work(struct work *work, const struct revision_field *field)
{
	int64_t base = field->base.presence == SET ? field->base.number : 0;
	int64_t theirs = field->theirs.presence == SET ? field->theirs.number : 0;

	if (theirs != base)
		vector_number(work->asked, FIELD_actual_work,
			      vector_get(work->asked, FIELD_actual_work, 0) + theirs - base);
}

static void ask(struct work *work)
{
	struct edit_result *edit = work->result->edit;

	work->asked = vector_copy(edit, edit->before);
	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &work->revision->field[f];

		if (!work->revision->has[f])
			continue;
		if (f == FIELD_actual_work) {
			ask_work(work, field);
		} else if (edit_is_structure((enum field)f)) {
			add_message(edit, mem_printf(edit, "%s stays: it comes from the plan",
						     field_table[f].name));
		} else {
			work->result->moved[f] =
				!value_same((enum field)f, &field->ours, &edit->before->value[f]);
			if (field->theirs.presence == SET)
				vector_put(work->asked, (enum field)f, &field->theirs);
			else
				vector_clear(work->asked, (enum field)f);
		}
	}
}

/* A manager's word stands against one rule: one that asked for it, or one of the site's own that
 * refused. A built-in one says what makes no sense, and a correction would be made again. */
static bool overrules(const struct work *work)
{
	const struct revision *revision = work->revision;

	if (!revision->rule)
		return false;
	return revision->origin == REVISION_PROPOSED ||
	       (revision->origin == REVISION_REJECTED &&
		!rules_is_builtin(work->env->rules, revision->rule));
}

static struct vector *theirs_of(TALLOC_CTX *mem, const struct revision *revision)
{
	struct vector *vector = vector_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		if (!revision->has[f])
			continue;
		if (revision->field[f].theirs.presence == SET)
			vector_put(vector, (enum field)f, &revision->field[f].theirs);
		else
			vector_clear(vector, (enum field)f);
	}
	return vector;
}

static struct fault *judge(struct work *work, TALLOC_CTX *mem)
{
	struct edit_result *edit = work->result->edit;
	bool asked = false, left = false;
	struct rules_context context;

	FAULT_TRY(
		edit_context(mem, work->env, work->assignment, edit->before, "project", &context));
	if (overrules(work)) {
		context.overruled = work->revision->rule;
		context.overruled_values = theirs_of(mem, work->revision);
	}
	edit->after = work->asked;
	FAULT_TRY(edit_judge(mem, work->env, &context, verdicts[work->verdict].done, edit));
	for (int f = 0; f < FIELDS; f++) {
		const struct value *before = &edit->before->value[f];

		if (value_identical((enum field)f, before, &work->asked->value[f]))
			continue;
		asked = true;
		left = left || !value_identical((enum field)f, before, &edit->after->value[f]);
	}
	if (asked && !left)
		return fault_new(
			mem, FAULT_DATA,
			"not %s: nothing of it would be left (%s); change the rule, or what it "
			"goes by, and try again",
			verdicts[work->verdict].done,
			edit->message_count ? edit->messages[0] : "a rule corrects it");
	return NULL;
}

static char *cause_of(TALLOC_CTX *mem, const struct work *work)
{
	const char *comment = work->revision->comment;

	return mem_printf(mem, "revision %lld %s%s%s", (long long)work->revision->id,
			  verdicts[work->verdict].done, comment ? ": " : "",
			  comment ? comment : "");
}

static struct fault *book(struct work *work, const char *cause)
{
	struct edit_result *edit = work->result->edit;
	struct when now = when_instant(clock_now_us(work->env->clock), "UTC");
	struct project_booking booking = {
		.day = when_local_day(&now),
		.minutes = vector_get(edit->after, FIELD_actual_work, 0) -
			   vector_get(edit->before, FIELD_actual_work, 0),
		.text = cause,
		.source_key = mem_printf(edit, "revision:%lld", (long long)work->revision->id),
		.author = work->env->author,
	};

	if (!booking.minutes)
		return NULL;
	return project_book(work->env->store, work->assignment, &booking,
			    &edit->changed[FIELD_actual_work]);
}

static struct fault *set_values(struct work *work, TALLOC_CTX *mem)
{
	struct edit_result *edit = MEM_NEW(work->result, struct edit_result);
	const char *cause = cause_of(edit, work);
	struct stamped *stamped = NULL;

	work->result->edit = edit;
	FAULT_TRY(check_place(work, mem));
	FAULT_TRY(project_values(work->env->store, edit, work->assignment, &stamped));
	edit->before = stamped->values;
	ask(work);
	FAULT_TRY(judge(work, mem));
	if (work->assignment->state == ASSIGNMENT_DECLINED)
		add_message(edit, "the assignment is declined: its person does not see the value");
	FAULT_TRY(edit_write(work->env, work->assignment, edit->before, edit->after, cause,
			     edit->changed));
	FAULT_TRY(book(work, cause));
	return edit_carry(mem, work->env, work->assignment->project_id);
}

/* ---- the decision ---- */

static struct fault *keep(struct work *work)
{
	struct revision *revision = work->revision;
	const char *was = revision_state_name(revision->state);

	revision->state = verdicts[work->verdict].to;
	revision->decided_us = clock_now_us(work->env->clock);
	revision->decided_by = work->env->author;
	FAULT_TRY(revisions_decide(work->env->store, revision));
	return project_log(
		work->env->store, work->assignment,
		mem_printf(work->result, CHANGE_REVISION "%lld", (long long)revision->id), was,
		revision_state_name(revision->state), work->env->author, revision->comment);
}

static struct fault *decide(struct work *work, TALLOC_CTX *mem, int64_t id, const char *comment)
{
	struct store *store = work->env->store;
	struct revision *revision = NULL;

	FAULT_TRY(revisions_get(store, work->result, id, &revision));
	if (!revision)
		return fault_new(mem, FAULT_DATA,
				 "there is no revision %lld; `taskferry revisions` shows all",
				 (long long)id);
	work->revision = work->result->revision = revision;
	if (revision->decided_us && revision->state == verdicts[work->verdict].to) {
		work->result->again = true;
		return NULL;
	}
	if (!verdict_is_possible(work->verdict, revision))
		return not_allowed(mem, work->verdict, revision);
	FAULT_TRY(project_assignment(store, work->result, revision->assignment_id,
				     &work->assignment));
	if (!work->assignment)
		return fault_new(mem, FAULT_INTERNAL, "revision %lld is of no assignment",
				 (long long)id);
	revision->comment = comment && *comment ? mem_strdup(revision, comment) : NULL;
	if (verdicts[work->verdict].sets)
		FAULT_TRY(set_values(work, mem));
	return keep(work);
}

struct fault *verdict_give(TALLOC_CTX *mem, const struct edit_env *env, int64_t revision,
			   enum verdict verdict, const char *comment,
			   struct verdict_result **result_r)
{
	struct work work = { .env = env, .verdict = verdict };
	struct fault *fault;

	FAULT_TRY(check_comment(mem, comment));
	work.result = MEM_NEW(mem, struct verdict_result);
	FAULT_TRY(store_begin(env->store));
	fault = decide(&work, mem, revision, comment);
	point_reach(env->points, POINT_VERDICT_STAGED);
	if (!fault && !work.result->again)
		fault = store_commit(env->store);
	store_rollback(env->store);
	if (fault)
		return fault;
	point_reach(env->points, POINT_VERDICT_DONE);
	*result_r = work.result;
	return NULL;
}

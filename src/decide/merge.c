#include "config.h"

#include "decide/merge.h"

#include <string.h>

#include "base/buf.h"
#include "model/files.h"

static bool is_merged(enum field field)
{
	return field_table[field].owner == OWNER_BOTH && field_table[field].vtodo;
}

static bool is_coupled(enum field field)
{
	return field_table[field].merge == MERGE_COUPLED;
}

/* What a side's value is compared with. */
static const struct value *base_value(const struct version side[SIDES], enum side which,
				      enum field field)
{
	bool report = field_table[field].group != GROUP_PLAN;

	if (side[which].base)
		return &side[which].base->value[field];
	/* first contact: the plan counts as the project's change, what people report as the
	 * mailbox' */
	return report ? &side[PROJECT].values->value[field] : &side[MAILBOX].values->value[field];
}

static bool moved(const struct version side[SIDES], enum side which, enum field field)
{
	const struct value *now = &side[which].values->value[field];

	if (side[which].moved && !side[which].moved[field_table[field].group])
		return false;
	if (which == MAILBOX && now->presence == ABSENT)
		return false;
	return !value_same(field, base_value(side, which, field), now);
}

static bool same_now(const struct version side[SIDES], enum field field)
{
	return value_same(field, &side[PROJECT].values->value[field],
			  &side[MAILBOX].values->value[field]);
}

/* Decides a set of fields as one: those of the coupled group, or a single field. */
static void decide(const struct version side[SIDES], const bool in_set[FIELDS], struct merge *out)
{
	bool any[SIDES] = { false, false }, same = true;
	int64_t newest[SIDES] = { 0, 0 };
	enum merge_from from;

	for (int f = 0; f < FIELDS; f++) {
		if (!in_set[f])
			continue;
		same = same && same_now(side, (enum field)f);
		for (int s = 0; s < SIDES; s++) {
			if (!moved(side, (enum side)s, (enum field)f))
				continue;
			any[s] = true;
			if (side[s].changed_us[f] > newest[s])
				newest[s] = side[s].changed_us[f];
		}
	}
	if (any[PROJECT] && any[MAILBOX])
		from = same                                ? MERGE_FROM_BOTH
		       : newest[PROJECT] > newest[MAILBOX] ? MERGE_FROM_PROJECT
							   : MERGE_FROM_MAILBOX;
	else
		from = any[PROJECT]   ? MERGE_FROM_PROJECT
		       : any[MAILBOX] ? MERGE_FROM_MAILBOX
				      : MERGE_FROM_NEITHER;
	for (int f = 0; f < FIELDS; f++) {
		const struct vector *winner =
			side[from == MERGE_FROM_MAILBOX ? MAILBOX : PROJECT].values;

		if (!in_set[f])
			continue;
		out->from[f] = from;
		out->lost[f] =
			any[PROJECT] && any[MAILBOX] && !same && !same_now(side, (enum field)f);
		/* an absent value says nothing, also as a member of a winning group */
		if (winner->value[f].presence == ABSENT)
			winner = side[PROJECT].values;
		vector_put(out->values, (enum field)f, &winner->value[f]);
	}
}

static bool has_line(const char *lines, const char *line, size_t len)
{
	while (lines && *lines) {
		size_t n = strcspn(lines, "\n");

		if (n == len && !memcmp(lines, line, len))
			return true;
		lines += n + (lines[n] == '\n');
	}
	return false;
}

/* Adds the lines of FROM that are in neither of the others. */
static void add_lines(struct buf *out, const char *from, const char *not_in, const char *nor_in)
{
	while (from && *from) {
		size_t n = strcspn(from, "\n");

		if (n && !has_line(not_in, from, n) && !has_line(nor_in, from, n))
			buf_printf(out, "%.*s\n", (int)n, from);
		from += n + (from[n] == '\n');
	}
}

static const char *lines_of(const struct value *value)
{
	return value->presence == SET ? value->text : NULL;
}

/* The project's members, with what the mailbox added and without what it removed. */
static void decide_set(const struct version side[SIDES], enum field field, struct merge *out)
{
	const char *base = lines_of(base_value(side, MAILBOX, field)),
		   *theirs = lines_of(&side[MAILBOX].values->value[field]),
		   *ours = lines_of(&side[PROJECT].values->value[field]);
	bool by_project = moved(side, PROJECT, field);
	struct buf *lines, *gone;

	if (!moved(side, MAILBOX, field)) {
		out->from[field] = by_project ? MERGE_FROM_PROJECT : MERGE_FROM_NEITHER;
		return;
	}
	lines = buf_new(out);
	gone = buf_new(out);
	add_lines(gone, base, theirs, NULL);
	add_lines(lines, ours, gone->data, NULL);
	add_lines(lines, theirs, base, ours);
	vector_list(out->values, field, lines->data);
	out->from[field] = by_project && value_same(field, &side[PROJECT].values->value[field],
						    &out->values->value[field])
				   ? MERGE_FROM_BOTH
				   : MERGE_FROM_MAILBOX;
	talloc_free(lines);
	talloc_free(gone);
}

/* The same for files, which are the same when their contents are. At first contact nothing that is
 * not on the item was taken away there. */
static void decide_files(const struct version side[SIDES], enum field field, struct merge *out)
{
	const char *base = side[MAILBOX].base ? lines_of(&side[MAILBOX].base->value[field]) : NULL,
		   *theirs = lines_of(&side[MAILBOX].values->value[field]),
		   *ours = lines_of(&side[PROJECT].values->value[field]);
	bool by_project = moved(side, PROJECT, field);
	char *gone, *added;

	if (!moved(side, MAILBOX, field)) {
		out->from[field] = by_project ? MERGE_FROM_PROJECT : MERGE_FROM_NEITHER;
		return;
	}
	gone = files_without(out, base, theirs);
	added = files_without(out, theirs, base);
	vector_text(out->values, field, files_join(out, files_without(out, ours, gone), added));
	out->from[field] = value_same(field, &side[PROJECT].values->value[field],
				      &out->values->value[field])
				   ? by_project ? MERGE_FROM_BOTH : MERGE_FROM_NEITHER
				   : MERGE_FROM_MAILBOX;
}

struct merge *merge_item(TALLOC_CTX *mem, const struct version side[SIDES])
{
	struct merge *out = MEM_NEW(mem, struct merge);
	bool coupled[FIELDS] = { false };
	bool has_coupled = false;

	out->values = vector_copy(out, side[PROJECT].values);
	for (int f = 0; f < FIELDS; f++) {
		bool alone[FIELDS] = { false };

		if (!is_merged((enum field)f))
			continue;
		if (is_coupled((enum field)f)) {
			coupled[f] = has_coupled = true;
			continue;
		}
		if (field_table[f].type == FIELD_FILES) {
			decide_files(side, (enum field)f, out);
			continue;
		}
		if (field_table[f].merge == MERGE_SET) {
			decide_set(side, (enum field)f, out);
			continue;
		}
		alone[f] = true;
		decide(side, alone, out);
	}
	if (has_coupled)
		decide(side, coupled, out);
	return out;
}

static bool in_window(const struct merge_times *times, int64_t us)
{
	return us && us >= times->unchanged_us && us <= times->changed_us;
}

int64_t merge_mailbox_time(const struct merge_times *times)
{
	if (in_window(times, times->server_us))
		return times->server_us;
	if (times->last_modified_us != times->last_modified_seen_us &&
	    in_window(times, times->last_modified_us))
		return times->last_modified_us;
	return times->changed_us;
}

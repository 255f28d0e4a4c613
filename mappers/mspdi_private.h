/* mspdi_private.h - what the files of the Project XML reader share.
 *
 * mspdi_source.c reads the bytes inside of bounds. mspdi_walk.c knows libxml2 and nothing of
 * projects: it walks the elements that a table of contexts names and hands over their texts, one
 * row per element. mspdi_plan.c has these tables and makes values of the rows; mspdi_link.c joins
 * them by UID at the end of the file; mspdi_value.c reads the single value.
 */
#ifndef TASKFERRY_MSPDI_PRIVATE_H
#define TASKFERRY_MSPDI_PRIVATE_H

#include "base/buf.h"
#include "mappers/mspdi.h"

/* Bounds beside those of mspdi.h. A node is counted as written: a full value may be mostly escapes.
 * libxml2 is quadratic in the length of a tag and in the number of different names. */
#define MSPDI_DEPTH_MAX 32                    /* elements in elements; real files have 9 */
#define MSPDI_NAMES_MAX 10000                 /* different names; real files have 230 */
#define MSPDI_PROLOG_MAX ((int64_t)64 << 10)  /* bytes before the first element */
#define MSPDI_NODE_MAX ((int64_t)8 << 20)     /* bytes of one text or comment */
#define MSPDI_TAG_MAX ((int64_t)4 << 10)      /* characters of one tag; real ones have 100 */
#define MSPDI_LINKS_MAX (4 * MSPDI_TASKS_MAX) /* predecessor links of a file */
#define MSPDI_WARNINGS_MAX ((size_t)1000)     /* nobody reads more; the rest is counted */

/* ---- bytes ---- */

/* Why no more bytes were fed. */
enum mspdi_stop {
	MSPDI_STOP_NONE,
	MSPDI_STOP_FILE,   /* larger than MSPDI_FILE_MAX */
	MSPDI_STOP_NODE,   /* larger than MSPDI_NODE_MAX */
	MSPDI_STOP_TAG,    /* larger than MSPDI_TAG_MAX */
	MSPDI_STOP_PROLOG, /* larger than MSPDI_PROLOG_MAX */
	MSPDI_STOP_DOCTYPE,
	MSPDI_STOP_IO,
	MSPDI_STOPS
};

enum mspdi_in {
	MSPDI_IN_TEXT,
	MSPDI_IN_TAG,
	MSPDI_IN_COMMENT,
	MSPDI_IN_CDATA,
	MSPDI_IN_PI,
	MSPDI_IN_DOCTYPE,
	MSPDI_INS
};

/* What the bytes are inside of, as far as the length of tags needs it. */
struct mspdi_scan {
	enum mspdi_in in;
	uint32_t before[2]; /* the last two characters */
	uint32_t quote;     /* of the attribute's value that we are in, or 0 */
	int64_t tag;        /* characters behind the last '<' that began something */
	int width;          /* bytes of a character unit: 1, 2; 0: not known yet */
	bool big_endian, half;
	uint32_t unit; /* the first half */
};

/* Where the bytes come from: a descriptor, or memory when FD is negative. */
struct mspdi_source {
	const char *name; /* for messages */
	int fd;
	const char *text;
	int64_t total; /* 0: not known */
	int64_t done;
	mspdi_progress *progress;
	void *data;
	/* the rest is mspdi_source.c's */
	bool rooted;     /* the first element was seen */
	int64_t node_at; /* `done` at the last node */
	int64_t told_at; /* `done` at the last progress */
	enum mspdi_stop stop;
	int stop_errno;
	struct mspdi_scan scan;
};

/* Reads up to LEN bytes of SOURCE (a struct mspdi_source): how many, 0 at the end, -1 when `stop`
 * says why. */
int mspdi_source_feed(void *source, char *to, int len);

/* The parser has come to a node: the bounds of one node start again; progress is told. */
void mspdi_source_node(struct mspdi_source *source, bool is_element);

/* The fault of `stop`, which is not NONE. */
struct fault *mspdi_source_fault(TALLOC_CTX *mem, const struct mspdi_source *source,
				 long line) ATTR_MUST_CHECK;

/* ---- elements ---- */

#define MSPDI_TEXTS_MAX 16 /* per context */

struct mspdi_context;

/* One element as read: the texts of those children that its context names. */
struct mspdi_row {
	const struct mspdi_context *context;
	long line;
	struct buf *texts;          /* one behind the other, each with a NUL */
	size_t at[MSPDI_TEXTS_MAX]; /* place in `texts`, plus one; 0: the file has no such child */
};

/* The text of a child; NULL when the file has none. Valid until the row is done. */
static inline const char *mspdi_row_text(const struct mspdi_row *row, size_t slot)
{
	return row->at[slot] ? row->texts->data + row->at[slot] - 1 : NULL;
}

struct mspdi_plan;

/* An element that means something to us. All others are skipped with everything in them. */
struct mspdi_context {
	const char *name;
	const char *const *texts; /* children whose text is taken; a slot is a place in here */
	size_t text_count;
	const struct mspdi_context *const *children;
	size_t child_count;
	/* At the element's end; NULL: it only holds others. */
	struct fault *(*done)(struct mspdi_plan *plan, const struct mspdi_row *row);
};

/* Walks the document. DATA and IO faults as mspdi_read_file(); what `done` returns ends
 * the walk. */
struct fault *mspdi_walk(TALLOC_CTX *mem, struct mspdi_source *source,
			 const struct mspdi_context *root, struct mspdi_plan *plan) ATTR_MUST_CHECK;

/* ---- values ---- */

/* A date that may be missing. */
struct mspdi_when {
	bool set;
	struct when when;
};

/* "2026-12-01T08:00:00" in the site's zone, or with a zone of its own; nothing, "NA" and the first
 * day of 1984 (the programs' "no date") leave *WHEN_R unset. False: not a date; *WHEN_R untouched.
 */
bool mspdi_value_when(const char *text, struct mspdi_when *when_r);

/* 0, 1, true, false. */
bool mspdi_value_flag(const char *text, bool *flag_r);

/* 0..1000 -> ours: 500, which every new task has, is none (0); else nine bands of 111 from 1000 = 1
 * to 0 = 9. */
int64_t mspdi_value_priority(int64_t priority);

/* Lines end by LF only. */
char *mspdi_value_lines(TALLOC_CTX *mem, const char *text);

/* ---- the plan: rows on their way to a projfile ---- */

#define MSPDI_NO_PERCENT (-1)

struct mspdi_task {
	struct projfile_task out;
	int64_t uid, parent_uid;
	bool has_parent;
	int64_t percent; /* or MSPDI_NO_PERCENT */
	struct mspdi_when actual_finish;
	size_t link_first, link_count; /* of mspdi_plan.links */
};

struct mspdi_resource {
	struct projfile_resource out;
	int64_t uid;
};

struct mspdi_assignment {
	struct projfile_assignment out;
	int64_t uid, task_uid, resource_uid;
	bool has_uid;
	bool has_work_percent; /* PercentWorkComplete says something: there is work */
	/* what mspdi_link() finds */
	bool skipped;   /* by rule, or of something unknown */
	bool again;     /* the same UID, task and resource as an earlier one */
	bool same_uid;  /* as an earlier one of another task or resource */
	bool same_pair; /* as an earlier one of another UID */
	int64_t percent;
	struct mspdi_when actual_finish;
};

/* A UID that the file has, kept or skipped by rule. */
struct mspdi_uid {
	int64_t uid;
	bool skipped;
	size_t place; /* in tasks or resources when kept */
};

struct mspdi_uids {
	struct mspdi_uid *list; /* sorted by mspdi_link() */
	size_t count, size;
};

/* The summary tasks that are open at this point of the file, outermost first. */
struct mspdi_outline {
	int64_t level, uid;
	char *number; /* OutlineNumber, or NULL */
};

struct mspdi_plan {
	TALLOC_CTX *mem;       /* of faults */
	const char *name;      /* of the file, for messages */
	struct projfile *file; /* owns all values; its arrays are filled by mspdi_link() */
	struct mspdi_task *tasks;
	size_t task_count, task_size;
	struct mspdi_resource *resources;
	size_t resource_count, resource_size;
	struct mspdi_assignment *assignments;
	size_t assignment_count, assignment_size;
	int64_t *links; /* UIDs of predecessors */
	size_t link_count, link_size, link_taken;
	struct mspdi_uids task_uids, resource_uids;
	struct mspdi_outline *outline;
	size_t outline_count, outline_size;
	size_t warnings_size, warnings_more;
};

/* The table of contexts, from the root. */
extern const struct mspdi_context mspdi_plan_root;

struct mspdi_plan *mspdi_plan_new(TALLOC_CTX *mem, const char *name);

void mspdi_plan_warn(struct mspdi_plan *plan, long line, const char *fmt, ...) ATTR_PRINTF(3, 4);

/* ARRAY with room for one element more than COUNT; zeroed. */
void *mspdi_plan_room(TALLOC_CTX *mem, void *array, size_t element, size_t count, size_t *size);

/* Joins by UID what was read and moves it to MEM. */
struct projfile *mspdi_link(TALLOC_CTX *mem, struct mspdi_plan *plan);

#endif

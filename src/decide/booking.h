/* booking.h - what work a person reported by an item that was read: exactly once, however often and
 * in whatever stale form the item is read again. Pure.
 *
 * What makes it once is the source key, which the database keeps (project_book()):
 *
 *     note:LINE#N                 the N-th line of that meaning in the notes (booking_line_canonical())
 *     title:ITEM.EDITION:+MIN#N   a suffix that was written to the title of that edition
 *     elapsed:ITEM.SECONDS        a timer's value; booked is the increase over the largest known
 *     child:UID                   a small task of its own (booking_child())
 *
 * Lines of the notes are a multiset. A line is booked when the item has more of it than were ever
 * booked and more than stood in what the person edited. A booked line that the person removed is
 * asked about, and so is one that comes back after that: nobody can tell whether it is meant to
 * count again. Both leave a key of their own, so that it is asked once:
 *
 *     note-gone:LINE#N   note-back:LINE#N   child-now:UID=MINUTES#N
 *     elapsed-down:ITEM.SECONDS#N   elapsed-up:ITEM.SECONDS#N
 */
#ifndef TASKFERRY_BOOKING_H
#define TASKFERRY_BOOKING_H

#include "decide/booking_line.h"

/* Lines that are booked from one item at once; the others are asked about as one sum. Nobody
 * reports more by hand; ten thousand lines are a slip or an attack. */
#define BOOKING_LINES_MAX 200

/* Bytes of notes that get marks: longer ones could become longer than a line of a VTODO may be. */
#define BOOKING_MARKED_MAX 32768

#define BOOKING_TITLES_MAX 4                        /* suffixes of one title */
#define BOOKING_ELAPSED_MAX (INT64_C(10000) * 3600) /* seconds: 10,000 hours on one task */

/* Changes of one timer or task that are asked about: who fights is not heard. */
#define BOOKING_CHANGES_MAX 8

/* A source that was met before: booked, or, with no minutes, refused or asked about. Oldest first. */
struct booking_known {
	const char *key;
	int64_t minutes;
};

struct booking_input {
	const char *notes;              /* as read; NULL: the item does not tell its notes */
	const char *base_notes;         /* what the person edited; never NULL */
	const char *title, *base_title; /* likewise; NULL: not told */
	const char *own_title;          /* the project's, as an item shows it */
	const char *item;               /* one of the assignment's items; no `.` in it */
	const char *edition;            /* of the item, for the key */
	int64_t elapsed_s;              /* -1: not told */
	bool latest; /* of the edition that the person had: what is less there was taken away */
	bool first;  /* first contact */
	int32_t day; /* the local day of the change */
	const struct booking_known *known;
	size_t known_count;
};

struct booking {
	int32_t day;
	int64_t minutes;
	const char *text, *key; /* TEXT may be NULL */
};

enum booking_why { BOOKING_GONE, BOOKING_BACK, BOOKING_MORE, BOOKING_WHYS };

/* Work that is for the project manager to decide on. */
struct booking_ask {
	enum booking_why why;
	int64_t minutes; /* what actual work would change by */
	const char *key; /* NULL: none is left */
	const char *text;
};

struct booking_plan {
	struct booking *bookings;
	size_t count;
	int64_t minutes; /* their sum */
	struct booking_ask *asks;
	size_t ask_count;
	char *notes;    /* the item's notes, all booked lines marked; NULL where the item's are */
	char *unmarked; /* the same if what is planned here is not booked */
	char *title, *base_title; /* without what is work; NULL likewise */
};

struct booking_plan *booking_decide(TALLOC_CTX *mem, const struct booking_input *input);

/* False: nothing in the item or in what was known of it is about work, so that nothing has to be
 * asked of the database. */
bool booking_concerns(const struct booking_input *input);

/* A task below one of the person's own whose title is an amount, or was. KNOWN: the sources of the
 * assignment. What is due in the days to come is a plan. False: it is no such task. */
struct booking_child {
	const char *uid, *title;
	int32_t day, today;
};
bool booking_child(TALLOC_CTX *mem, const struct booking_child *child,
		   const struct booking_known *known, size_t known_count,
		   struct booking_plan **plan_r);

/* What people read about the asks of one kind: the revision's message. */
char *booking_words(TALLOC_CTX *mem, const struct booking_plan *plan, enum booking_why why);

/* What is to be booked, in a few words: "3 h review, 1 h and 4 more". */
char *booking_named(TALLOC_CTX *mem, const struct booking_plan *plan);

/* The kind of a source, for people: "note", "title", "timer", "task", "import", "set", "rule",
 * "revision", "other". */
const char *booking_kind(const char *key);

#endif

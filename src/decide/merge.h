/* merge.h - what two sides made of one item, field by field.
 *
 * There are two bases, one per side: what the project side was when it was last published (`want`),
 * and what the mailbox side was when it was last read (`seen`). After an undisturbed push they are
 * the same and this is the ordinary three-way merge; when a push is still on its way, or was
 * refused, each side is still compared with its own past, so a correction on its way out is never
 * taken for an edit, nor an edit for a standing value.
 */
#ifndef TASKFERRY_MERGE_H
#define TASKFERRY_MERGE_H

#include "model/vector.h"

enum side { PROJECT, MAILBOX, SIDES };

struct version {
	const struct vector *
		base; /* what this side was at the last agreement; NULL: first contact, see below */
	const struct vector *values; /* what it is now */
	int64_t changed_us[FIELDS]; /* when each field got its value; only compared where both sides
				       changed */
	const bool *moved; /* [GROUPS] the groups in which this side can have changed (model/ids.h);
			      NULL: any of them */
};

enum merge_from {
	MERGE_FROM_NEITHER, /* neither side moved: the project's value stands */
	MERGE_FROM_PROJECT,
	MERGE_FROM_MAILBOX,
	MERGE_FROM_BOTH /* both moved to the same (M2) */
};

struct merge {
	struct vector *values;
	enum merge_from from[FIELDS];
	bool lost[FIELDS]; /* both moved, differently (M3): the other side's value became none */
};

/* Merges the fields that items carry (OWNER_BOTH with a VTODO property); of all others the
 * project's value is taken.
 *
 * M1 a field changed on one side only is taken from that side. M2 changed on both to the same
 * value: no conflict. M3 otherwise the newer change wins; at the same microsecond the mailbox does,
 * for a person's edit cannot be made again by a machine. Coupled fields (status, percent, completed
 * at) are decided as one: the side whose newest change of any of them is newer gives all three.
 * Sets are merged by their members: the project's, with what the mailbox added and without what it
 * removed; nothing is lost there. Files are members by their contents.
 *
 * First contact (a base is NULL): for progress and notes the project's values are the mailbox'
 * base, so what is found on an adopted item counts as a mailbox change (M6); for all else the
 * item's own values are, so the plan wins; of files none, so those of both sides are kept. Absent values of the mailbox never count as changed.
 * Pure: no I/O, no clock. */
struct merge *merge_item(TALLOC_CTX *mem, const struct version side[SIDES]);

/* The time of a mailbox change (M3): the server's time for the item where it knows one, else
 * LAST-MODIFIED if it moved since `seen`, in both cases only inside the window from "last seen
 * unchanged" to "seen changed", else "seen changed". A client's clock can therefore never win or
 * lose beyond that window. 0: not known. */
struct merge_times {
	int64_t server_us;             /* of the item, in our clock */
	int64_t last_modified_us;      /* the item's LAST-MODIFIED now */
	int64_t last_modified_seen_us; /* and the one of `seen` */
	int64_t unchanged_us;          /* when it was last seen unchanged */
	int64_t changed_us;            /* when the change was noticed */
};
int64_t merge_mailbox_time(const struct merge_times *times);

#endif

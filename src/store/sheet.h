/* sheet.h - many assignments at once, as they are published: each with its task, all values, and whether
 * a folder knows it. */
#ifndef TASKFERRY_SHEET_H
#define TASKFERRY_SHEET_H

#include "store/project.h"

struct sheet_row {
	struct assignment assignment;
	struct task task;
	struct stamped *stamped;
	bool linked; /* it has a link in the folder */
};

struct sheet_of {
	int64_t project, resource, folder;
	int64_t first, last; /* assignments with ids from FIRST to LAST */
};

struct sheet {
	struct sheet_row *rows; /* in the order of their ids */
	size_t count;
	bool strays; /* the folder has foreign items that bear a UID */
};

/* By a few statements however many there are; of one moment, so inside a transaction. */
struct fault *sheet_read(struct store *store, TALLOC_CTX *mem, const struct sheet_of *of,
			 struct sheet **sheet_r) ATTR_MUST_CHECK;

/* NULL: it is not on the sheet. */
struct sheet_row *sheet_find(struct sheet *sheet, int64_t assignment);

#endif

/* publish.h - the project's values as an item shows them: pure. */
#ifndef TASKFERRY_PUBLISH_H
#define TASKFERRY_PUBLISH_H

#include "conf/conf.h"
#include "model/vector.h"

/* The vector of an item: every field that has a VTODO property is set or cleared, every other
 * absent, and attachments where there never were any. A planned time is shown as its local date
 * (`[site] dates = day`), the parent as PARENT_UID (NULL: none in this folder), the subject as one
 * line without blanks at its ends, which some servers do not keep, texts as items carry them
 * (model/carried.h). */
struct vector *publish_vector(TALLOC_CTX *mem, const struct vector *project, enum conf_dates dates,
			      const char *parent_uid);

/* True when an item that holds SEEN does not show WANT. A field that the item says nothing about (a
 * client dropped it, or it only goes out: parent, actual work) differs only when WANT is not what
 * was wanted BEFORE (NULL: nothing was), so that a client's habits are never a reason to write. */
bool publish_differs(const struct vector *want, const struct vector *before,
		     const struct vector *seen);

#endif

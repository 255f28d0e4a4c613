/* verdict.h - the project manager's decision on a revision: `revision accept`, `reject`, `restore`,
 * `dismiss`.
 *
 *              losing  corrected  rejected  proposed  dismissed  becomes
 *     accept                                   x                 accepted
 *     reject                                   x                 rejected
 *     restore    x         x         x                   x       accepted
 *     dismiss    x         x         x         x                 dismissed, unless decided before
 *
 * A decision that stands already is harmless when it is made again.
 */
#ifndef TASKFERRY_VERDICT_H
#define TASKFERRY_VERDICT_H

#include "gateway/sync/edit.h"
#include "model/revision.h"

enum verdict { VERDICT_ACCEPT, VERDICT_REJECT, VERDICT_RESTORE, VERDICT_DISMISS, VERDICTS };

#define VERDICT_COMMENT_CHARS                                                                      \
	500 /* code points: as long as a line that a person reads in an item */

struct verdict_result {
	struct revision *revision; /* as it is kept now */
	bool again;                /* decided so before: nothing was done */
	bool moved[FIELDS];        /* the project's value was not `ours` any more */
	struct edit_result *edit;  /* what it did to the values; NULL: nothing */
};

/* "accept", "reject", "restore", "dismiss"; VERDICTS if there is none of that name. */
const char *verdict_name(enum verdict verdict);
enum verdict verdict_find(const char *name);

/* True when it may be given on a revision as it is. */
bool verdict_is_possible(enum verdict verdict, const struct revision *revision);

/* Decides on a revision, in one transaction, with the change of the project's values that follows
 * and jobs for the accounts that show them. Rules judge that change as any of the project manager's;
 * but the rule that held these values, or a rule of the site's own that refused them, is overruled
 * by an accept or a restore of exactly these. Actual work in a revision is a difference (theirs less
 * base): it is booked once, under the source key "revision:ID". COMMENT may be NULL or empty.
 *
 * DATA fault, and nothing is changed: no such revision, not to be decided so (the text says how
 * else), a project that is archived, an assignment that is withdrawn, a rule that refuses, a rule
 * that would correct all of it back, a comment that is too long or no UTF-8. */
struct fault *verdict_give(TALLOC_CTX *mem, const struct edit_env *env, int64_t revision,
			   enum verdict verdict, const char *comment,
			   struct verdict_result **result_r) ATTR_MUST_CHECK;

#endif

/* round.h - one pass over one folder: notice, settle, read, decide, commit, push, record, token
 * (DESIGN section 5).
 *
 * A round may be killed at any point and repeated: what it decided stands in the database before
 * anything is sent, what it sent is recognised when it is met again, and the folder's token
 * advances last.
 */
#ifndef TASKFERRY_ROUND_H
#define TASKFERRY_ROUND_H

#include "decide/rules.h"
#include "gateway/endpoint.h"
#include "store/link.h"
#include "store/project.h"

#define ROUND_BATCH 500         /* items in one write transaction: DESIGN section 5 */
#define ROUND_PUSH_BATCH 100    /* items sent before what the server confirmed is recorded */
#define ROUND_PASSES 3          /* an item that changes under our hands this often is held */
#define ROUND_CORRECTIONS_MAX 5 /* pushed back per item and hour (M8), then it is held */
#define ROUND_BRAKE_ITEMS 3     /* one or two deletions at once are an ordinary gesture */
#define ROUND_FIRST_RETRY_US                                                                       \
	(5 * CLOCK_SECOND_US) /* of one item; doubles per attempt up to an hour */

/* What all rounds of one worker share. All outlive the round. */
struct round_env {
	const struct conf *conf;
	struct store *store;
	struct clock *clock;
	struct points *points;
	struct rules *rules;
	const struct secret *reply_secret; /* of the addresses that messages are answered to; NULL:
					      they are not ([replies]) */
};

struct round_options {
	bool ensure;  /* look whether the folder is there and bears the right name (publish) */
	bool full;    /* forget the token: list everything */
	bool reconcile; /* afterwards compare everything, not only what is said to have changed */
	bool dry_run; /* decide and tell, write nothing anywhere */
	void (*progress)(void *data, int64_t done, int64_t total); /* items pushed; may be NULL */
	void *data;
};

/* What happened, for the summary line; lines that a person should read. */
struct round_report {
	int64_t read, changed, created, updated, removed, adopted;
	int64_t corrected, rejected, proposed, losing;
	int64_t foreign, undecodable, declined, restored, held, waiting;
	int64_t compared, folders, amiss; /* by full comparisons: items, folders, findings */
	int64_t due_us; /* when something of this folder is to be looked at again; INT64_MAX:
			   nothing waits */
	const char *why; /* of an item that waits: why it could not be written; may be NULL */
	char **notes;
	size_t note_count;
};

struct round_report *round_report_new(TALLOC_CTX *mem);
void round_note(struct round_report *report, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Adds B's counts, notes and due time to A. */
void round_report_add(struct round_report *a, const struct round_report *b);

/* Runs a round for one person's folder of one project. A fault is of the folder, the account or the
 * server; what had been done until then stands, REPORT tells it. */
struct fault *round_run(TALLOC_CTX *mem, const struct round_env *env,
			const struct conf_server *server, struct endpoint *endpoint,
			const struct account *account, const struct project *project,
			const struct round_options *options,
			struct round_report *report) ATTR_MUST_CHECK;

/* The folder of a project on a CalDAV server: path and display name (DESIGN section 7, Folders);
 * pure. */
void round_folder_name(TALLOC_CTX *mem, const struct conf *conf, const struct project *project,
		       struct endpoint_folder *folder_r);

/* The UID of an assignment's item (M6). ORDINAL 0; 1, 2 ... for further assignments of the same
 * person to the same task. */
char *round_uid(TALLOC_CTX *mem, const char *site_url, const char *project_key,
		const char *task_key, const char *resource_key, int ordinal);

#endif

/* point.h - fault points: named places between two steps that write, at which a test kills the
 * process.
 *
 * Every step that writes (database, server, file) stands between two points. The torture runner
 * reads the names from `taskferry --fault-points`, kills the real program at each of them, runs it
 * again and compares.
 */
#ifndef TASKFERRY_POINT_H
#define TASKFERRY_POINT_H

#include <stdbool.h>

#include "base/mem.h"

/* name, what was just done */
#define POINT_TABLE(X)                                                                             \
	X(INIT_MIGRATED, "init: schema made, not committed")                                       \
	X(INIT_DONE, "init: committed")                                                            \
	X(IMPORT_STAGED, "import: everything written, not committed")                              \
	X(IMPORT_DONE, "import: committed")                                                        \
	X(PUBLISH_STAGED, "publish: jobs written, not committed")                                  \
	X(PUBLISH_DONE, "publish: committed")                                                      \
	X(SET_STAGED, "task set: written, not committed")                                          \
	X(SET_DONE, "task set: committed")                                                         \
	X(VERDICT_STAGED, "revision: decision written, not committed")                             \
	X(VERDICT_DONE, "revision: committed")                                                     \
	X(JOB_ADDED, "queue: jobs of this run committed")                                          \
	X(JOB_LEASED, "queue: job leased")                                                         \
	X(JOB_FINISHING, "queue: work done, job not yet marked")                                   \
	X(JOB_FINISHED, "queue: job marked")                                                       \
	X(PLACE_STAGED, "round: where folders are made is written, not committed")                 \
	X(PLACE_DONE, "round: where folders are made is committed")                                \
	X(FOLDER_CREATING, "round: about to create the folder")                                    \
	X(FOLDER_CREATED, "round: folder created on the server, not recorded")                     \
	X(FOLDER_RECORDED, "round: folder recorded")                                               \
	X(ROUND_NOTICED, "round: changes listed")                                                  \
	X(ROUND_READ, "round: changed items read")                                                 \
	X(FILE_STAGED, "files: an attachment's bytes written, not committed")                      \
	X(FILE_STORED, "files: bytes committed, nothing decided")                                  \
	X(COMMIT_STAGED, "commit: decisions written, not committed")                               \
	X(COMMIT_DONE, "commit: committed, nothing sent")                                          \
	X(PUSH_STARTING, "push: about to send a batch")                                            \
	X(PUSH_SENT, "push: batch answered, nothing recorded")                                     \
	X(ATTACH_STARTING, "files: about to give one to the server")                               \
	X(ATTACH_SENT, "files: answered, nothing recorded")                                        \
	X(RECORD_STAGED, "record: what the server confirmed written, not committed")               \
	X(RECORD_DONE, "record: committed")                                                        \
	X(REMOVE_STARTING, "remove: about to remove items")                                        \
	X(REMOVE_SENT, "remove: answered, nothing recorded")                                       \
	X(SWEEP_STARTING, "sweep: about to remove items that others stand in place of")            \
	X(SWEEP_SENT, "sweep: answered, nothing recorded")                                         \
	X(SWEEP_DONE, "sweep: committed")                                                          \
	X(REPLY_STAGED, "replies: what a mail says written, not committed")                        \
	X(REPLY_DONE, "replies: committed, the mail as it was")                                    \
	X(ANSWER_STARTING, "replies: an answer is about to be put into an inbox")                  \
	X(ANSWER_TOLD, "replies: it is there, not recorded")                                       \
	X(REPLY_FILED, "replies: mails marked as read, not recorded")                              \
	X(TOKEN_STAGED, "token: written, not committed")                                           \
	X(TOKEN_DONE, "token: committed")                                                          \
	X(PROBE_MADE, "probe: collection for trying made on the server, nothing tried")            \
	X(PROBE_TRIED, "probe: everything tried, collection not removed")                          \
	X(PROBE_CLEARED, "probe: collection removed, nothing recorded")                            \
	X(TRAITS_STAGED, "traits: what a server does written, not committed")                      \
	X(TRAITS_DONE, "traits: committed")                                                        \
	X(HTTP_SENDING, "net: a request that writes is about to be sent")                          \
	X(HTTP_ANSWERED, "net: a request that writes was answered")                                \
	X(IMAP_SENDING, "imap: a command that writes is about to be sent")                         \
	X(IMAP_ANSWERED, "imap: a command that writes was answered")

enum point {
#define X(name, words) POINT_##name,
	POINT_TABLE(X)
#undef X
		POINTS
};

/* What a process does at its points; made once in main. */
struct points;

/* KILL is "NAME" or "NAME:N" (the N-th time), or NULL; LOG a file that gets the name of each point
 * passed, or NULL. In the program both come from TASKFERRY_KILL_AT and TASKFERRY_POINT_LOG. */
struct points *points_new(TALLOC_CTX *mem, const char *kill, const char *log);

/* True when somebody keeps the log or waits for a point: then it matters what stands between two.
 */
bool points_watched(const struct points *points);

/* Passes a point: writes the log, then ends the process by SIGKILL if this is the one. POINTS may
 * be NULL. */
void point_reach(struct points *points, enum point point);

const char *point_name(enum point point);
const char *point_words(enum point point);

#endif

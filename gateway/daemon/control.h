/* control.h - how commands talk to a running service: the protocol, and the commands' side of it.
 *
 * A Unix stream socket. Each side sends lines of one JSON object, at most CONTROL_LINE_MAX bytes.
 * A command's line is one of
 *
 *     {"command": "poke", "instance": ID}         something changed in the database: look
 *     {"command": "status", "instance": ID}
 *     {"command": "sync", "instance": ID, "account": "SERVER/RESOURCE", "account_id": "7",
 *      "project": "CODE", "project_id": "3", "full": false}      null: all
 *
 * and each is answered by any number of lines {"progress": {"what": W, "done": N, "total": N}} and
 * one of {"result": {...}} or {"error": {"kind": K, "text": T, "exit": N}}. A `sync` that was
 * accepted is answered at once by a progress of 0 of 0, so that a command knows that it was heard.
 * Names are looked up by the command, which knows the database: the service's loop does no SQL.
 * The answer of the service is believed when it belongs to the same user, or to root, and the other
 * way round.
 */
#ifndef TASKFERRY_CONTROL_H
#define TASKFERRY_CONTROL_H

#include "gateway/sync/engine.h"

#define CONTROL_LINE_MAX ((size_t)64 << 10)  /* bytes: a result with all its notes */
#define CONTROL_WAYS_MAX ((size_t)32 << 10)  /* bytes of how accounts are watched */
#define CONTROL_NOTES_MAX ((size_t)60 << 10) /* bytes of notes in a result; the rest is counted */
#define CONTROL_ANSWER_MS                                                                          \
	10000 /* for the first line of an answer: the service's loop never waits */

enum control_command { CONTROL_POKE, CONTROL_STATUS, CONTROL_SYNC, CONTROL_COMMANDS };

struct control_request {
	enum control_command command;
	const char *instance; /* of the database that is meant; NULL: whichever it is */
	/* of CONTROL_SYNC */
	const char *account, *project;  /* names; NULL: all */
	int64_t account_id, project_id; /* 0: all */
	bool full;
};

struct control_status {
	int64_t pid;
	const char *version;
	int64_t started_us;
	int64_t watched, listening; /* accounts */
	int64_t workers, busy;
	const char *ways; /* how accounts are watched: ways.h; NULL: not told */
};

enum control_kind { CONTROL_PROGRESS, CONTROL_RESULT, CONTROL_ERROR };

struct control_answer {
	enum control_kind kind;
	const char *what; /* CONTROL_PROGRESS */
	int64_t done, total;
	struct fault *fault;           /* CONTROL_ERROR */
	struct sync_result *sync;      /* CONTROL_RESULT of CONTROL_SYNC, without outcomes */
	struct control_status *status; /* CONTROL_RESULT of CONTROL_STATUS */
};

const char *control_command_name(enum control_command command);

/* ---- lines, with their line end ---- */

char *control_request_line(TALLOC_CTX *mem, const struct control_request *request);
char *control_progress_line(TALLOC_CTX *mem, const char *what, int64_t done, int64_t total);
char *control_poke_line(TALLOC_CTX *mem);
char *control_status_line(TALLOC_CTX *mem, const struct control_status *status);
char *control_sync_line(TALLOC_CTX *mem, const struct sync_result *result);
char *control_fault_line(TALLOC_CTX *mem, const struct fault *fault);

/* And back. USAGE fault: not JSON, or not what the protocol knows. */
struct fault *control_request_parse(TALLOC_CTX *mem, const char *line, size_t len,
				    struct control_request *request_r) ATTR_MUST_CHECK;
struct fault *control_answer_parse(TALLOC_CTX *mem, enum control_command command, const char *line,
				   size_t len, struct control_answer *answer_r) ATTR_MUST_CHECK;

/* ---- the commands' side: SOCKET is [control] socket; all of these block ---- */

/* True when a service has heard it. */
bool control_poke(const char *socket, const char *instance);

/* True when the other end of a connected socket belongs to the same user, or to root. */
bool control_trusts(int fd);

/* NULL: no service answers. */
struct control_status *control_ask_status(TALLOC_CTX *mem, const char *socket,
					  const char *instance);

/* Hands a `sync` to the service and waits for its result. UNREACHABLE: nobody answers there; any
 * other fault is the service's own. */
struct fault *control_hand_over(TALLOC_CTX *mem, const char *socket,
				const struct control_request *request,
				void (*progress)(void *data, const char *what, int64_t done,
						 int64_t total),
				void *data, struct sync_result **result_r) ATTR_MUST_CHECK;

#endif

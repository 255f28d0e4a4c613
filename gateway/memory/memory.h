/* memory.h - the endpoint for tests and for trying out: a server that is a file.
 *
 * `url = memory:PATH`: all accounts of the server live in the file PATH, written anew (and renamed
 * into place) after every change, so that a process that is killed leaves what a server would have
 * kept. Its faults are scripted by the file PATH.faults: lines `OPERATION NUMBER FAULT`: at the
 * NUMBER-th item of that operation since the file was made (or FIRST-LAST: at all of them), FAULT
 * happens instead. OPERATION: probe
 * ensure notice fetch put remove rights sweep. FAULT: a name of fault.h in lower case (changed, gone, refused,
 * busy, crowded, unreachable, login, full, locked, token, protocol), or `denied-` and such a name: done, and
 * answered by that fault all the same, or `lost`: done, but no answer came, or `rewrite`: kept, but
 * another way than it was sent. A notice can also lie: `empty` (a complete listing of nothing), `open`
 * (one without completed tasks), `blind` (nothing has changed).
 *
 * `url = memory:PATH?append`: a server of messages: what is put over something becomes a new item
 * behind the others, and the old one stays until it is removed (endpoint.h, `appends`). There a
 * put can also end `late`: no answer came, and the item lands only before the next put. Its folders
 * keep an object_id when they are renamed, and its messages' numbers bear a generation (`validity N`
 * in the file, as UIDVALIDITY), with which tokens end too. Messages have flags there, which go with a
 * replacement, and their folders a sub-folder for what is done.
 *
 * `url = memory:PATH?whole`: a server that makes a folder with all its items by one request; for the
 * script of faults that is an `ensure`.
 *
 * `url = memory:PATH?push`: a server that tells of changes (endpoint_listen(); by the tokens only).
 *
 * `url = memory:PATH?managed`: a server that keeps files beside items (RFC 8607); OPERATION also:
 * attach download.
 */
#ifndef TASKFERRY_MEMORY_H
#define TASKFERRY_MEMORY_H

#include "base/clock.h"
#include "gateway/endpoint.h"

#define MEMORY_FILE_MAX ((size_t)256 << 20) /* bytes */

/* The account of USER on the server in the file PATH; "NAME~OWNER" is another name of OWNER's, which
 * endpoint_place() does not see through. CLOCK and POINTS outlive it. */
struct endpoint *memory_new(TALLOC_CTX *mem, const char *path, const char *user,
			    struct clock *clock, struct points *points);

/* What a person does in a mail client, on `?append`: gives flags to the message at ADDRESS and takes
 * some away (blank-separated; NULL: none); looks at them; moves it into the sub-folder for what is done or back, or
 * copies it there (KEEP). GONE fault: it is not there. */
struct fault *memory_mark(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
			  const char *add, const char *drop) ATTR_MUST_CHECK;
struct fault *memory_flags(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
			   char **flags_r) ATTR_MUST_CHECK;
struct fault *memory_move(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  const char *address, bool done, bool keep) ATTR_MUST_CHECK;

/* How many items an operation has seen in all. */
struct fault *memory_count(TALLOC_CTX *mem, const char *path, const char *operation,
			   int64_t *count_r) ATTR_MUST_CHECK;

/* How many requests that write the server has seen in all: for fixpoint tests. */
struct fault *memory_writes(TALLOC_CTX *mem, const char *path, int64_t *writes_r) ATTR_MUST_CHECK;

#endif

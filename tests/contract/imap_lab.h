/* imap_lab.h - sessions against a scripted IMAP server, with deadlines that a test can wait for. */
#ifndef TASKFERRY_IMAP_LAB_H
#define TASKFERRY_IMAP_LAB_H

#include "gateway/imap/imap_session.h"
#include "imap_script.h"

#define IMAP_LAB_SHORT_MS 300  /* a command's deadline where it is the point */
#define IMAP_LAB_LONG_MS 60000 /* and where it is not */
#define IMAP_LAB_SOON_MS 60000 /* what does not wait for ever ends within */
#define IMAP_LAB_PASSWORD "s3cr3t-pa55"
#define IMAP_LAB_BLOB "AGFuYQBzM2NyM3QtcGE1NQ==" /* NUL ana NUL IMAP_LAB_PASSWORD, in base64 */

struct imap_lab {
	struct imap_server *server;
	struct imap_session_options options; /* ana, with that password, long deadlines */
	struct imap_session *session;
};

struct imap_lab *imap_lab_new(const struct imap_script *script);

/* The session goes before its server and its trusts. */
void imap_lab_end(struct imap_lab *lab);

/* Fails the test unless it works. */
void imap_lab_open(struct imap_lab *lab);

/* Fails the test unless there is a fault of that kind, of one line and without the password. */
void imap_lab_fault(const struct fault *fault, enum fault_kind kind, const char *what);

/* Fails the test if there is a fault. */
void imap_lab_none(const struct fault *fault, const char *what);

/* "APPEND box (\Seen) ..." */
struct imap_line *imap_lab_append(TALLOC_CTX *mem, const char *body, size_t n);

/* Monotonic. */
int64_t imap_lab_now_ms(void);

#endif

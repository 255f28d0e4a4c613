#include "config.h"

#include "gateway/imap/imap_session_private.h"

/* COMPRESS=DEFLATE (RFC 4978), where it pays.
 *
 * Not to loopback, where a byte costs less than its compression. Not from the start: a round in which
 * nothing has changed moves less than a kilobyte, and a session that only listens shall be small. So
 * it begins when much has been moved, or is about to be; passwords have gone before, and so are never
 * compressed together with what others wrote.
 */

static bool pays(const struct imap_session *session, size_t size)
{
	struct stream_stats stats = stream_stats(session->stream);
	int64_t moved = stats.sent_bytes + stats.received_bytes;

	return session->compress_after != INT64_MAX &&
	       imap_session_can(session, IMAP_CAP_COMPRESS) &&
	       moved + (int64_t)size >= session->compress_after;
}

/* What has been read behind the OK is compressed already. */
static struct fault *begin(struct imap_session *session)
{
	struct buf *in = session->in;

	if (!stream_compress(session->stream, in->data + session->used, in->len - session->used))
		return imap_session_out_of_step(session, "zlib does not work");
	buf_clear(in);
	session->used = 0;
	return NULL;
}

struct fault *imap_compress_if_it_pays(struct imap_session *session, TALLOC_CTX *mem, size_t size)
{
	struct imap_answer answer;
	struct imap_line *line;
	struct fault *fault;

	if (!pays(session, size))
		return NULL;
	session->compress_after = INT64_MAX; /* whatever comes of it */
	line = imap_line_new(mem, "COMPRESS DEFLATE", false);
	FAULT_TRY(imap_session_run(session, mem, line, NULL, NULL, &answer));
	talloc_free(line);
	if (answer.status != IMAP_OK)
		return NULL;
	fault = begin(session);
	return fault ? imap_session_break(session, mem, fault) : NULL;
}

#include "config.h"

#include "gateway/imap/imap_private.h"

#include "base/text.h"

/* Listening is IDLE (RFC 2177) on the folder's mailbox.
 *
 * Between the last notice and IDLE something may have come that no IDLE will tell: so the mailbox
 * is looked at first, and compared with what that notice found. What comes between the look and the
 * server's `+` the session tells as woken. Whatever wakes is a reason to look again, no more: \Seen
 * wakes as well, and changes nothing that a notice tells. */

struct listening {
	const char *folder;
	int fd;
	bool changed;
};

static struct fault *listen_to(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct listening *listening = context;
	bool woken = false;

	listening->fd = -1;
	listening->changed = false;
	if (!imap_session_can(imap->session, IMAP_CAP_IDLE))
		return NULL;
	FAULT_TRY(imap_folder_open(imap, mem, listening->folder, true));
	if (!imap_notice_is_current(imap, listening->folder)) {
		listening->changed = true;
		return NULL;
	}
	FAULT_TRY(imap_session_idle(imap->session, &woken));
	if (woken || !imap_session_is_drained(imap->session)) {
		listening->changed = true;
		return imap_session_idle_end(imap->session);
	}
	listening->fd = imap_session_fd(imap->session);
	return NULL;
}

struct fault *imap_listen(struct endpoint *endpoint, const char *folder, int *fd_r, bool *changed_r)
{
	struct listening listening = { .folder = folder };
	struct imap *imap = (struct imap *)endpoint;

	if (imap->session && imap_session_is_compressed(imap->session))
		imap_disconnect(imap); /* imap_session.h: why */
	FAULT_TRY(imap_do(imap, imap, listen_to, &listening));
	*fd_r = listening.fd;
	*changed_r = listening.changed;
	return NULL;
}

/* A part of a response that stays in the buffer is no loss: its rest makes the descriptor readable.
 */
struct fault *imap_listen_heard(struct endpoint *endpoint, bool *changed_r)
{
	struct imap *imap = (struct imap *)endpoint;
	bool woken = false;

	FAULT_TRY(imap_session_idle_ready(imap->session, &woken));
	*changed_r = woken;
	return NULL;
}

struct fault *imap_listen_hush(struct endpoint *endpoint)
{
	struct imap *imap = (struct imap *)endpoint;

	if (!imap->session || !imap_session_is_idle(imap->session))
		return NULL;
	return imap_session_idle_end(imap->session);
}

#include "config.h"

#include "gateway/imap/imap_private.h"

#include "base/text.h"

/* Listening is NOTIFY (imap_notify.c) to all folders, else IDLE (RFC 2177) on the mailbox of the
 * first one; it does not tell of its mailbox for done tasks.
 *
 * Between the last notice and IDLE something may have come that no IDLE will tell: so the mailbox
 * is looked at first, and compared with what that notice found. What comes between the look and the
 * server's `+` the session tells as woken. Whatever wakes is a reason to look again, no more: \Seen
 * wakes as well, and changes nothing that a notice tells. */

#define IDLE_AGAIN_US (3600 * CLOCK_SECOND_US) /* a setting of the server, or it has too many */

struct listening {
	const struct endpoint_sweep *folders;
	size_t count;
	struct endpoint_ear ear;
};

/* A server that offers IDLE and says no to it is asked for changes, as one that does not offer it. */
static struct fault *refused(struct imap *imap, struct fault *fault)
{
	talloc_free(fault);
	imap->idle_again_us = clock_now_us(imap->clock) + IDLE_AGAIN_US;
	return NULL;
}

static struct fault *idle_on(struct imap *imap, TALLOC_CTX *mem, const char *folder,
			     struct endpoint_ear *ear)
{
	bool woken = false, current = false;
	struct fault *fault;

	if (!imap_session_can(imap->session, IMAP_CAP_IDLE) ||
	    clock_now_us(imap->clock) < imap->idle_again_us)
		return NULL;
	FAULT_TRY(imap_folder_open(imap, mem, folder, true));
	FAULT_TRY(imap_notice_again(imap, mem, folder, &current));
	/* what came with the look is told by nothing after it */
	if (!current || imap_session_selected(imap->session)->changes != imap->changes) {
		ear->changed = true;
		return NULL;
	}
	fault = imap_session_idle(imap->session, &woken);
	if (fault && imap_is_connected(imap))
		return refused(imap, fault);
	if (fault)
		return fault;
	if (woken || !imap_session_is_drained(imap->session)) {
		ear->changed = true;
		return imap_session_idle_end(imap->session);
	}
	*ear = (struct endpoint_ear){ .fd = imap_session_fd(imap->session),
				      .count = imap_done_mailbox(imap, mem, folder) ? 0 : 1,
				      .how = "idle" };
	return NULL;
}

static struct fault *listen_to(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct listening *listening = context;
	struct endpoint_ear *ear = &listening->ear;

	*ear = (struct endpoint_ear){ .fd = -1 };
	for (size_t i = 0; i < listening->count; i++)
		imap_notice_believe(imap, mem, listening->folders[i].folder,
				    listening->folders[i].token);
	FAULT_TRY(imap_notify_begin(imap, mem, listening->folders, listening->count, ear));
	if (ear->changed || ear->fd >= 0)
		return NULL;
	return idle_on(imap, mem, listening->folders[0].folder, ear);
}

struct fault *imap_listen(struct endpoint *endpoint, const struct endpoint_sweep *folders,
			  size_t count, struct endpoint_ear *ear_r)
{
	struct listening listening = { .folders = folders, .count = count };
	struct imap *imap = (struct imap *)endpoint;

	imap->listens = count;
	if (imap->session && imap_session_is_compressed(imap->session))
		imap_disconnect(imap); /* imap_session.h: why */
	FAULT_TRY(imap_do(imap, imap, listen_to, &listening));
	if (listening.ear.missed)
		listening.ear.missed = imap_notify_missed(imap);
	*ear_r = listening.ear;
	return NULL;
}

/* A part of a response that stays in the buffer is no loss: its rest makes the descriptor readable.
 */
struct fault *imap_listen_heard(struct endpoint *endpoint, bool *changed_r)
{
	struct imap *imap = (struct imap *)endpoint;
	bool woken = false, asked = false;

	if (imap->notify)
		return imap_notify_heard(imap, changed_r);
	FAULT_TRY(imap_session_idle_ready(imap->session, &woken));
	woken = woken || !imap_session_is_drained(imap->session);
	if (woken && imap->listens == 1) /* a job follows, and looks by this session */
		FAULT_TRY(imap_ahead_ask(imap, imap_session_selected(imap->session)->mailbox, NULL,
					 0, &asked));
	if (woken && !asked)
		FAULT_TRY(imap_session_idle_leave(imap->session));
	*changed_r = woken;
	return NULL;
}

static struct fault *end(struct imap *imap)
{
	if (imap->session && imap->notify)
		return imap_notify_end(imap);
	if (!imap->session || !imap_session_is_idle(imap->session))
		return NULL;
	return imap_session_idle_end(imap->session);
}

struct fault *imap_listen_hush(struct endpoint *endpoint)
{
	struct imap *imap = (struct imap *)endpoint;

	FAULT_TRY(end(imap));
	return imap_ahead_drop(imap);
}

/* What was asked when something was heard, and not at once followed, tells of then. */
struct fault *imap_listen_follow(struct endpoint *endpoint, bool heard)
{
	struct imap *imap = (struct imap *)endpoint;
	bool idles = imap->session && !imap->notify && imap_session_is_idle(imap->session);

	if (heard)
		return end(imap);
	if (imap->ahead)
		return imap_listen_hush(endpoint);
	if (idles && imap->listens == 1)
		FAULT_TRY(imap_ahead_ask_still(imap));
	return end(imap);
}

void imap_listen_rest(struct endpoint *endpoint)
{
	imap_disconnect((struct imap *)endpoint);
}

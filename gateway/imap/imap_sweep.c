#include "config.h"

#include "gateway/imap/imap_private.h"

/* All folders of an account by the numbers that STATUS tells: one command where the server has
 * LIST-STATUS. It tells of flags by HIGHESTMODSEQ only, so that without CONDSTORE it cannot be told
 * whether a folder has moved, and nobody is asked. */

struct sweeping {
	struct endpoint_sweep *folders;
	size_t count;
};

/* Each folder's own mailbox, and behind them all those for tasks that are done. */
static size_t name_all(struct imap *imap, TALLOC_CTX *mem, const struct sweeping *sweeping,
		       struct imap_status *list)
{
	size_t n = sweeping->count;

	for (size_t i = 0; i < sweeping->count; i++) {
		list[i].mailbox = sweeping->folders[i].folder;
		list[n].mailbox = imap_done_mailbox(imap, mem, list[i].mailbox);
		n += list[n].mailbox != NULL;
	}
	return n;
}

static struct fault *sweep(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct sweeping *sweeping = context;
	struct imap_status *list = MEM_ARRAY(mem, struct imap_status, 2 * sweeping->count);
	size_t n;

	if (!imap_session_can(imap->session, IMAP_CAP_CONDSTORE))
		return NULL;
	n = name_all(imap, mem, sweeping, list);
	FAULT_TRY(imap_status(imap, mem, list, n));
	for (size_t i = 0; i < sweeping->count; i++) {
		struct endpoint_sweep *folder = &sweeping->folders[i];
		const struct imap_status *done =
			n > sweeping->count ? &list[sweeping->count + i] : NULL;
		enum imap_moved moved = imap_notice_moved(mem, folder->token, &list[i], done);

		folder->asked = moved != IMAP_MOVED_UNKNOWN;
		folder->moved = moved != IMAP_STILL;
	}
	return NULL;
}

struct fault *imap_sweep(struct endpoint *endpoint, TALLOC_CTX *mem, struct endpoint_sweep *folders,
			 size_t count)
{
	struct sweeping sweeping = { folders, count };

	if (!count)
		return NULL;
	return imap_do((struct imap *)endpoint, mem, sweep, &sweeping);
}

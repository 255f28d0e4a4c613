#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

/* What a look asks goes out with the words that end listening, in one piece, so that the answers are on
 * their way while the job is made:
 *
 *   DONE, or NOTIFY NONE and what it is without
 *   STATUS of the mailbox for tasks that are done
 *   SELECT folder (QRESYNC (uidvalidity modseq))
 *
 * A look that nothing was heard before will hardly find that anything has changed: it asks STATUS and NOOP.
 *
 * 1. SELECT goes by the numbers of the last notice, and only where the server has QRESYNC. A notice by
 *    another token has no use for the answers.
 * 2. They tell of the moment at which they were asked for: nobody but the look that follows at once
 *    (endpoint_follow()) may take them for now.
 * 3. Whoever has a use for them or not: they are taken before anything else is said, and from then on
 *    the mailbox is selected, anew if that was asked for. */

#define LINES_MAX 4

struct imap_ahead {
	const char *folder;
	bool still;  /* nothing was heard: it is not selected anew */
	bool warned; /* by an untagged NO or BAD, which may mean that it was made anew */
	struct imap_counts since;
	struct imap_line *lines[LINES_MAX];
	size_t count;
	struct imap_sent *sent;
	struct imap_status done; /* `mailbox` NULL: it was not asked for */
	struct imap_changes changes;
	struct imap_resync resync;
};

static struct fault *take(void *context, const struct imap_response *response)
{
	struct imap_ahead *ahead = context;

	if (ahead->done.mailbox)
		imap_status_take(&ahead->done, response);
	ahead->warned = ahead->warned || imap_folder_is_warning(response);
	return ahead->resync.each ? ahead->resync.each(ahead->resync.context, response) : NULL;
}

static void add(struct imap_ahead *ahead, struct imap_line *line)
{
	ahead->lines[ahead->count++] = line;
}

static struct imap_ahead *ahead_new(struct imap *imap, const char *folder)
{
	struct imap_ahead *ahead = MEM_NEW(imap, struct imap_ahead);

	ahead->folder = mem_strdup(ahead, folder);
	return ahead;
}

static void add_done(struct imap *imap, struct imap_ahead *ahead)
{
	ahead->done.mailbox = imap_done_mailbox(imap, ahead, ahead->folder);
	if (ahead->done.mailbox)
		add(ahead, imap_status_line(imap, ahead, ahead->done.mailbox));
}

/* *ASKED_R false: the lines cannot be sent without waiting, AHEAD is no more. */
static struct fault *ask(struct imap *imap, struct imap_ahead *ahead, bool *asked_r)
{
	struct fault *fault;

	*asked_r = false;
	if (!imap_session_sends(imap->session, ahead->lines, ahead->count)) {
		talloc_free(ahead);
		return NULL;
	}
	fault = imap_session_send(imap->session, ahead, ahead->lines, ahead->count, take, ahead,
				  &ahead->sent);
	if (fault) {
		talloc_steal(imap->session, fault);
		talloc_free(ahead);
		return fault;
	}
	imap->ahead = ahead;
	*asked_r = true;
	return NULL;
}

struct fault *imap_ahead_ask(struct imap *imap, const char *folder, struct imap_line *const *before,
			     size_t count, bool *asked_r)
{
	const struct imap_noticed *last = folder ? imap_notice_last(imap, folder) : NULL;
	struct imap_ahead *ahead;

	*asked_r = false;
	if (!last || last->counts.sign != IMAP_SIGN_MODSEQ || !imap_session_resyncs(imap->session))
		return NULL; /* (1) */
	ahead = ahead_new(imap, folder);
	ahead->since = last->counts;
	for (size_t i = 0; i < count; i++)
		add(ahead, talloc_steal(ahead, before[i]));
	add_done(imap, ahead);
	ahead->changes.mem = ahead;
	imap_listing_resync(&ahead->changes, &ahead->since, &ahead->resync);
	add(ahead, imap_session_select_line(imap->session, ahead, folder, &ahead->resync));
	return ask(imap, ahead, asked_r);
}

struct fault *imap_ahead_ask_still(struct imap *imap)
{
	const char *folder = imap_session_selected(imap->session)->mailbox;
	struct imap_ahead *ahead;
	bool asked;

	if (imap->ahead || !folder || !imap_notice_last(imap, folder))
		return NULL;
	ahead = ahead_new(imap, folder);
	ahead->still = true;
	add_done(imap, ahead);
	add(ahead, imap_line_new(ahead, "NOOP", false));
	return ask(imap, ahead, &asked);
}

/* (3) */
static struct fault *receive(struct imap *imap, TALLOC_CTX *mem, struct imap_ahead *ahead,
			     struct imap_answer *answer_r)
{
	struct imap_answer answers[LINES_MAX];
	size_t answered, gone;

	FAULT_TRY(imap_session_receive(ahead->sent, mem, answers, &answered, &gone));
	*answer_r = answers[ahead->count - 1];
	if (ahead->still)
		return NULL;
	return imap_session_select_done(imap->session, mem, &ahead->resync, answer_r);
}

struct fault *imap_ahead_take(struct imap *imap, TALLOC_CTX *mem, struct imap_ahead **ahead_r)
{
	struct imap_ahead *ahead = imap->ahead;
	struct imap_answer answer;

	*ahead_r = NULL;
	if (!ahead)
		return NULL;
	imap->ahead = NULL;
	talloc_steal(mem, ahead);
	FAULT_TRY(receive(imap, mem, ahead, &answer));
	if (!ahead->still)
		FAULT_TRY(imap_folder_selected(imap, mem, ahead->folder, &answer));
	ahead->warned = ahead->warned || answer.status != IMAP_OK;
	*ahead_r = ahead;
	return NULL;
}

struct fault *imap_ahead_drop(struct imap *imap)
{
	struct imap_ahead *ahead = imap->ahead;
	struct imap_answer answer;
	struct fault *fault;

	if (!ahead)
		return NULL;
	imap->ahead = NULL;
	fault = receive(imap, imap->session, ahead, &answer);
	imap->selection += !ahead->still;
	talloc_free(ahead);
	return fault;
}

bool imap_ahead_done(const struct imap_ahead *ahead, struct imap_status *status)
{
	if (!ahead || !ahead->done.mailbox || strcmp(ahead->done.mailbox, status->mailbox) != 0)
		return false;
	status->told = ahead->done.told;
	status->counts = ahead->done.counts;
	return true;
}

bool imap_ahead_is_still(const struct imap_ahead *ahead, const char *mailbox)
{
	return ahead && ahead->still && !ahead->warned && !strcmp(ahead->folder, mailbox);
}

bool imap_ahead_changes(struct imap *imap, struct imap_ahead *ahead, const char *mailbox,
			const struct imap_counts *since, struct imap_changes *changes_r)
{
	if (!ahead || !ahead->resync.told || !since || strcmp(ahead->folder, mailbox) != 0 ||
	    ahead->since.uidvalidity != since->uidvalidity || ahead->since.flags != since->flags ||
	    since->sign != IMAP_SIGN_MODSEQ || !imap_folder_is_selected(imap, mailbox))
		return false;
	*changes_r = ahead->changes;
	return true;
}

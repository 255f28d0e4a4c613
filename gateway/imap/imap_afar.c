#include "config.h"

#include "gateway/imap/imap_private.h"

#include "base/text.h"

/* Storing into a mailbox that is not selected.
 *
 * A server whose client looks on does more for each message that is stored: Dovecot brings the view of
 * the session up to date behind each command, which costs a fifth of the whole; and then all that was
 * stored is to be looked at again. So before many new messages are stored the mailbox is left. What
 * SELECT told of it is kept, and is good as long as answers to what was stored are still to come: with
 * these the numbers of the messages come, and show whether it is still the same mailbox.
 *
 * 1. Nobody looks behind such a storing at once: the token stays as it was, and the next look meets the
 *    messages as ours, by their versions. */

#define MANY 20 /* messages: for fewer, leaving and coming back costs more than it saves */

bool imap_afar_is(const struct imap *imap, const char *mailbox)
{
	return imap->session && !imap_session_selected(imap->session)->mailbox &&
	       imap->afar.mailbox && text_same(imap->afar.mailbox, mailbox);
}

bool imap_afar_pays(const struct imap *imap, size_t count)
{
	return count >= MANY && !imap->afar_refused &&
	       imap_session_can(imap->session, IMAP_CAP_UNSELECT) &&
	       imap_session_can(imap->session, IMAP_CAP_UIDPLUS) &&
	       !imap_session_awaits(imap->session);
}

struct fault *imap_afar_leave(struct imap *imap, TALLOC_CTX *mem)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);
	struct fault *fault;
	char *mailbox;

	imap_afar_forget(imap);
	imap->afar_mem = MEM_CONTEXT(imap);
	imap->afar = *selected;
	imap->afar.mailbox = mem_strdup(imap->afar_mem, selected->mailbox);
	imap->afar.mailbox_id = mem_strdup(imap->afar_mem, selected->mailbox_id);
	imap->afar.permanent_flags = mem_strdup(imap->afar_mem, selected->permanent_flags);
	imap->selection++;
	fault = imap_session_unselect(imap->session, mem);
	imap->afar_refused = fault != NULL; /* also if the connection ended: imap_do() */
	if (!fault || !imap_is_connected(imap))
		return fault;
	talloc_free(fault); /* it saves time, and nothing depends on it */
	mailbox = mem_strdup(mem, imap->afar.mailbox);
	imap_afar_forget(imap);
	return imap_folder_open(imap, mem, mailbox, true);
}

void imap_afar_forget(struct imap *imap)
{
	imap->afar = (struct imap_selected){ .mailbox = NULL };
	TALLOC_FREE(imap->afar_mem);
}

const struct imap_selected *imap_afar_selected(const struct imap *imap, const char *mailbox)
{
	return imap_afar_is(imap, mailbox) ? &imap->afar : imap_session_selected(imap->session);
}

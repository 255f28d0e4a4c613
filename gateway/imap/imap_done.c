#include "config.h"

#include "gateway/imap/imap_private.h"

#include <stdint.h>

#include "gateway/imap/imap_name.h"

/* The mailbox for tasks that are done stands below the folder's, because that is where a person finds
 * it. It is made when the folder is made or first taken (a process may have died between the two), once
 * for a folder that was made before there was one (endpoint_beside_make()), and never again: who removed
 * it meant it, and who makes one of that name has it. */

char *imap_done_mailbox(struct imap *imap, TALLOC_CTX *mem, const char *folder)
{
	char delimiter = imap_session_delimiter(imap->session);

	if (!imap->account.done_folder || !delimiter)
		return NULL;
	return mem_printf(mem, "%s%c%s", folder, delimiter,
			  imap_name_level(mem, imap->account.done_folder, NULL));
}

struct fault *imap_done_make(struct imap *imap, TALLOC_CTX *mem, const char *folder)
{
	char *mailbox = imap_done_mailbox(imap, mem, folder);
	bool there = false;

	if (!mailbox)
		return NULL;
	FAULT_TRY(imap_folder_is_there(imap, mem, mailbox, &there));
	if (there)
		return NULL;
	return imap_folder_wishes(
		imap, mem,
		(struct imap_wish[]){ { "CREATE ", mailbox }, { "SUBSCRIBE ", mailbox } }, 2);
}

const char *imap_done_beside(const struct endpoint *endpoint)
{
	return ((const struct imap *)endpoint)->account.done_folder;
}

static struct fault *beside_make(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	return imap_done_make(imap, mem, context);
}

struct fault *imap_done_beside_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder)
{
	return imap_do((struct imap *)endpoint, mem, beside_make, (void *)(uintptr_t)folder);
}

#include "config.h"

#include "gateway/imap/imap_private.h"

/* `\*` speaks of keywords: Dovecot says it, and drops \Deleted where the right `t` is missing. */
static bool keeps_deleted(TALLOC_CTX *mem, const struct imap_selected *selected)
{
	const char *permanent = selected->permanent_flags;

	return !permanent || imap_flags_have(imap_flags_of_text(mem, permanent), "\\Deleted");
}

struct fault *imap_rights_fault(TALLOC_CTX *mem, const char *folder, const char *what)
{
	return fault_reaches(fault_new(mem, FAULT_REFUSED,
				       "%s: %s; give this account the rights to insert, flag and "
				       "delete messages there (ACL \"lrswite\")",
				       folder, what),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
}

struct fault *imap_rights_check(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				bool removes)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);

	if (selected->read_only)
		return imap_rights_fault(mem, folder, "the server lets it be read only");
	if (removes && !keeps_deleted(mem, selected))
		return imap_rights_fault(mem, folder, "messages cannot be marked as deleted");
	return NULL;
}

#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

/* What the server can do, as it says itself after the login. Nothing is written and no mailbox is
 * opened for a test: even that would change what a person's own client shows as new. */

static const struct {
	enum imap_cap cap;
	const char *with, *without;
} told[] = {
	{ IMAP_CAP_IDLE, "Changes are noticed at once.",
	  "Changes are noticed at the next look only; see `poll`." },
	{ IMAP_CAP_NOTIFY, "One connection hears of changes in all folders of an account.",
	  "One folder of an account is heard at once; changes in the others are noticed at the "
	  "next look; see `poll`." },
	{ IMAP_CAP_CONDSTORE, "A flag set while an item is being replaced is always carried over.",
	  "A flag set in the moment in which an item is replaced may be lost." },
	{ IMAP_CAP_UIDPLUS,
	  "Exactly the replaced item is removed, whatever else is marked as deleted.",
	  "A replaced item is removed only while nothing else in its folder is marked as deleted; "
	  "until then both are shown." },
	{ IMAP_CAP_MULTIAPPEND, "Many items are stored by one command.",
	  "Items are stored one by one, which is slower." },
	{ IMAP_CAP_LITERAL_PLUS, "Items are sent without waiting for the server.",
	  "The server is waited for before each item, which is slower." },
	{ IMAP_CAP_SAVEDATE, "The server's own time decides which of two edits is the newer one.",
	  "Which of two edits is the newer one is decided by the time of noticing it." },
	{ IMAP_CAP_COMPRESS, "A connection that moves much is compressed, but not to this machine.",
	  "Nothing is compressed on the way." },
	{ IMAP_CAP_OBJECTID, "A folder that a person renames is found again.",
	  "A folder that a person renames is held until it has its name back." },
	{ IMAP_CAP_ACL,
	  "Rights that are missing in a folder are named, and before an item is replaced.",
	  "The server tells no rights: one that is missing shows when something is refused." },
};

static void add_finding(struct endpoint_probe *probe, int level, const char *name,
			const char *result, const char *meaning)
{
	struct endpoint_finding *finding;

	probe->findings =
		MEM_GROW(probe, probe->findings, struct endpoint_finding, probe->count + 1);
	finding = &probe->findings[probe->count++];
	finding->probe = name;
	finding->result = mem_strdup(probe, result);
	finding->meaning = meaning;
	finding->level = level;
}

static void find_account(const struct imap *imap, struct endpoint_probe *probe)
{
	const char *server = imap_session_server(imap->session);
	bool tls = imap->at.tls || imap_starts_tls(imap);

	add_finding(probe, FINDING_INFO, "login", "yes", "The server accepts the login.");
	add_finding(probe, FINDING_INFO, "login by", imap_session_login(imap->session),
		    "How the account is known to the server; see `auth`.");
	add_finding(probe, FINDING_INFO, "tls",
		    imap->at.tls ? "verified"
		    : tls        ? "verified (STARTTLS)"
				 : "loopback",
		    tls ? "The certificate is valid for this host."
			: "The server is on this machine.");
	add_finding(probe, FINDING_INFO, "server", *server ? server : "not told",
		    "The product, as the server names it.");
}

static void find_caps(const struct imap *imap, struct endpoint_probe *probe)
{
	for (size_t i = 0; i < COUNT_OF(told); i++) {
		bool can = imap_session_can(imap->session, told[i].cap);
		bool matters = told[i].cap == IMAP_CAP_UIDPLUS;

		const char *without = told[i].without;

		if (told[i].cap == IMAP_CAP_NOTIFY &&
		    !imap_session_can(imap->session, IMAP_CAP_IDLE))
			without = "Changes are noticed at the next look only; see `poll`.";
		add_finding(probe, can || !matters ? FINDING_INFO : FINDING_WARNING,
			    imap_cap_word(told[i].cap), can ? "yes" : "no",
			    can ? told[i].with : without);
	}
}

static void find_names(const struct imap *imap, struct endpoint_probe *probe)
{
	const char *prefix = imap_session_prefix(imap->session);
	const char delimiter[] = { imap_session_delimiter(imap->session), '\0' };

	add_finding(probe, FINDING_INFO, "namespace", *prefix ? prefix : "none",
		    *prefix ? "What the names of all folders begin with on this server."
			    : "Folders stand at the top.");
	add_finding(probe, FINDING_INFO, "delimiter", *delimiter ? delimiter : "none",
		    *delimiter ? "What stands between the site's folder and the project's."
			       : "Folders cannot stand in folders; site and project share one "
				 "name.");
}

static void find_keywords(const struct imap *imap, struct endpoint_probe *probe)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);
	bool any = selected->any_keyword || !selected->permanent_flags;

	if (!selected->mailbox || selected->read_only)
		add_finding(probe, FINDING_INFO, "keywords", "not tried",
			    "Whether tags are kept is seen when the first folder is opened.");
	else
		add_finding(probe, any ? FINDING_INFO : FINDING_WARNING, "keywords",
			    any ? "yes" : "no",
			    any ? "Tags that a person sets on an item are kept when it changes."
				: "The server keeps no tags but its own; others are lost when an "
				  "item changes.");
}

static void set_caps(const struct imap *imap, struct endpoint_caps *caps)
{
	caps->sync_token = caps->ctag = true;
	caps->strong_version = caps->keeps_bytes = true;
	caps->replace_guard = true;
	caps->modified_time = imap_session_can(imap->session, IMAP_CAP_SAVEDATE);
}

static void find_room(struct endpoint_probe *probe, const struct imap_quota *quota)
{
	for (size_t i = 0; i < quota->count; i++) {
		const struct imap_quota_row *row = &quota->rows[i];
		bool full = row->used >= row->limit;

		add_finding(probe, full ? FINDING_WARNING : FINDING_INFO, "quota",
			    mem_printf(probe, "%" PRIu64 " of %" PRIu64 " %s", row->used, row->limit,
				       imap_quota_unit(row)),
			    full ? "The mailbox is full; make room in it, or raise its quota."
				 : "How much of its room the account uses.");
	}
}

struct probing {
	TALLOC_CTX *mem;
	struct imap_quota quota;
};

/* The server is asked, so that a session that has been open for long is one. */
static struct fault *probe_it(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct probing *probing = context;

	FAULT_TRY(imap_session_ask_server(imap->session, mem));
	FAULT_TRY(imap_quota_ask(imap, probing->mem, "INBOX", &probing->quota));
	return imap_noop(imap, mem);
}

struct fault *imap_doctor_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
				struct endpoint_probe **probe_r)
{
	struct imap *imap = (struct imap *)endpoint;
	struct probing probing = { .mem = mem };
	struct endpoint_probe *probe;

	FAULT_TRY(imap_do(imap, mem, probe_it, &probing));
	probe = MEM_NEW(mem, struct endpoint_probe);
	find_account(imap, probe);
	find_caps(imap, probe);
	find_names(imap, probe);
	find_keywords(imap, probe);
	find_room(probe, &probing.quota);
	set_caps(imap, &probe->caps);
	*probe_r = probe;
	return NULL;
}

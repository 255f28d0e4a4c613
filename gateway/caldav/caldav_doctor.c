#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

/* What the server says of itself, and what is known of it. */

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

static const char what_is_home[] =
	CALDAV_XML "<D:propfind " CALDAV_NS
		   "><D:prop><D:resourcetype/><D:sync-token/><S:getctag/><D:supported-report-set/>"
		   "<C:supported-calendar-component-set/></D:prop></D:propfind>\n";

struct seen {
	size_t calendars, todo, sync;
};

static struct fault *take_seen(void *context, const struct multistatus_response *response)
{
	struct seen *seen = context;

	if (!response->calendar)
		return NULL;
	seen->calendars++;
	seen->todo += !response->components || response->todo;
	seen->sync += response->reports_sync || response->sync_token;
	return NULL;
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void find_account(const struct caldav *caldav, struct endpoint_probe *probe)
{
	bool plain = !caldav->at.tls;

	add_finding(probe, FINDING_INFO, "login", "yes", "The server accepts the login.");
	if (plain && !http_is_loopback(caldav->origin))
		add_finding(probe, FINDING_WARNING, "tls", "no",
			    "Tasks go over the network unencrypted.");
	else
		add_finding(probe, FINDING_INFO, "tls", plain ? "loopback" : "verified",
			    plain ? "The server is on this machine."
				  : "The certificate is valid for this host.");
	add_finding(probe, FINDING_INFO, "server", caldav->server ? caldav->server : "not told",
		    "The product, as the server names it.");
	add_finding(probe, FINDING_INFO, "principal",
		    caldav->principal ? caldav->principal : "none",
		    caldav->principal ? "The person's own address on the server."
				      : "The configured URL is taken as the calendar home.");
	add_finding(probe, FINDING_INFO, "home", caldav->home, "Folders are made here.");
	add_finding(probe, FINDING_INFO, "found by", caldav->how, "How the home was found.");
}

static void find_access(const struct caldav *caldav, struct endpoint_probe *probe)
{
	bool access = caldav->dav && strstr(caldav->dav, "calendar-access");

	add_finding(
		probe, access ? FINDING_INFO : FINDING_WARNING, "calendar-access", yes_no(access),
		access ? "The server says that it speaks CalDAV."
		       : "The server does not say that it speaks CalDAV; folders may not work.");
}

static void find_tasks(const struct seen *seen, struct endpoint_probe *probe)
{
	if (seen->calendars && !seen->todo)
		add_finding(probe, FINDING_WARNING, "tasks", "no",
			    "No calendar of this account takes tasks; the server may not support "
			    "them.");
}

static void find_trait(const struct caldav_traits *traits, enum caldav_trait trait,
		       struct endpoint_probe *probe)
{
	const struct caldav_trait_words *words = caldav_trait_words(trait);

	switch ((enum caldav_answer)traits->answer[trait]) {
	case CALDAV_YES:
		add_finding(probe, FINDING_INFO, words->label, "yes", words->yes);
		break;
	case CALDAV_NO:
		add_finding(probe, words->lack ? FINDING_WARNING : FINDING_INFO, words->label, "no",
			    words->no);
		break;
	case CALDAV_UNKNOWN:
		add_finding(probe, FINDING_INFO, words->label, "not known", words->unknown);
		break;
	}
}

static void find_size(const struct caldav_traits *traits, struct endpoint_probe *probe)
{
	const char *size = traits->item_max
				   ? mem_printf(probe, "%lld bytes", (long long)traits->item_max)
				   : "not told";

	add_finding(probe, FINDING_INFO, "size of an item", size,
		    traits->item_max ? "The server refuses what is longer."
				     : "The server names no limit; one shows by a refusal.");
}

static void find_caps(const struct caldav_traits *traits, struct endpoint_caps *caps)
{
	caps->sync_token = traits->answer[CALDAV_TRAIT_SYNC] == CALDAV_YES;
	caps->ctag = traits->answer[CALDAV_TRAIT_CTAG] == CALDAV_YES;
	caps->strong_version = traits->answer[CALDAV_TRAIT_STRONG_ETAG] == CALDAV_YES;
	caps->create_guard = traits->answer[CALDAV_TRAIT_CREATE_GUARD] == CALDAV_YES;
	caps->replace_guard = traits->answer[CALDAV_TRAIT_REPLACE_GUARD] == CALDAV_YES;
	caps->keeps_bytes = traits->answer[CALDAV_TRAIT_KEEPS_BYTES] == CALDAV_YES;
	caps->modified_time = true; /* by multiget, or by GET */
}

/* SAYS_SYNC: it says that it has sync-collection; believed where that was not tried. */
static void find_traits(const struct caldav *caldav, bool says_sync, struct endpoint_probe *probe)
{
	struct caldav_traits traits = caldav->traits;

	if (says_sync && traits.answer[CALDAV_TRAIT_SYNC] == CALDAV_UNKNOWN)
		traits.answer[CALDAV_TRAIT_SYNC] = CALDAV_YES;
	for (int i = 0; i < CALDAV_TRAITS; i++)
		find_trait(&traits, (enum caldav_trait)i, probe);
	find_size(&traits, probe);
	if (caldav->left)
		add_finding(probe, FINDING_WARNING, "folder left behind", caldav->left,
			    "It was made for trying and could not be removed; it may be deleted "
			    "by hand.");
	find_caps(&traits, &probe->caps);
}

struct fault *caldav_doctor_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
				  struct endpoint_probe **probe_r)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct fault *fault = caldav_discover(caldav, work);
	struct endpoint_probe *probe;
	struct seen seen = { 0 };

	if (!fault) {
		struct http_request options =
			caldav_request(work, "OPTIONS", caldav->home, NULL, NULL);
		struct http_request list =
			caldav_request(work, "PROPFIND", caldav->home, "1", what_is_home);

		caldav_run(caldav, work, &options, 1);
		if (!options.fault && options.dav)
			caldav->dav = mem_strdup(caldav, options.dav);
		fault = options.fault ? options.fault
				      : caldav_ask(caldav, work, &list, take_seen, &seen, NULL);
	}
	if (fault) {
		fault = caldav_widen(talloc_steal(mem, fault), FAULT_SCOPE_ACCOUNT);
		talloc_free(work);
		return fault;
	}
	talloc_free(work);
	probe = MEM_NEW(mem, struct endpoint_probe);
	find_account(caldav, probe);
	find_access(caldav, probe);
	find_tasks(&seen, probe);
	find_traits(caldav, seen.sync > 0, probe);
	*probe_r = probe;
	return NULL;
}

#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Discovery (RFC 6764 section 6, RFC 5397, RFC 4791 section 6.2.1). The configured URL may be the
 * server, the principal or the home; it is asked first, then /.well-known/caldav, then the root.
 * The first that names a home wins, directly or by way of the principal. Where nobody names one, a
 * URL that is a plain collection is the home itself.
 *
 * A redirect is followed to the same host only, never from https to http, and to another port only
 * with the step from http to https: the password goes nowhere else. */

static const char what_is_there[] =
	CALDAV_XML "<D:propfind " CALDAV_NS "><D:prop><D:resourcetype/><D:current-user-principal/>"
		   "<C:calendar-home-set/></D:prop></D:propfind>\n";

struct found {
	TALLOC_CTX *mem;
	struct caldav *caldav;
	const char *path; /* in the end, after redirects */
	char *principal, *home;
	bool collection, calendar, any;
};

static struct fault *take_found(void *context, const struct multistatus_response *response)
{
	struct found *found = context;

	if (found->any) /* Depth 0: the first is what was asked */
		return NULL;
	found->any = true;
	found->principal =
		href_normalise(found->mem, found->path, found->caldav->host, response->principal);
	found->home = href_normalise(found->mem, found->path, found->caldav->host, response->home);
	found->collection = response->collection;
	found->calendar = response->calendar;
	return NULL;
}

static void move_to(struct caldav *caldav, const struct http_url *url)
{
	caldav->at = *url;
	caldav->at.host = mem_strdup(caldav, url->host);
	caldav->at.path = mem_strdup(caldav, url->path);
	caldav->host = mem_printf(caldav, "%s:%d", url->host, url->port);
	caldav->origin = mem_printf(caldav, "%s://%s", url->tls ? "https" : "http", caldav->host);
}

/* Where a redirect leads, or a fault when we do not go there. */
static struct fault *redirected(struct caldav *caldav, TALLOC_CTX *mem,
				const struct http_request *request, const char **path_r)
{
	const char *location = request->location ? request->location : "";
	struct http_url url;
	bool absolute =
		!strncasecmp(location, "http://", 7) || !strncasecmp(location, "https://", 8);

	if (absolute && http_url_parse(mem, location, &url)) {
		bool better = url.tls && !caldav->at.tls;

		if (strcmp(url.host, caldav->at.host) || (caldav->at.tls && !url.tls) ||
		    (url.port != caldav->at.port && !better))
			return fault_reaches(fault_new(mem, FAULT_PROTOCOL,
						       "%s is redirected to %s://%s:%d, where the "
						       "password must not go",
						       request->url, url.tls ? "https" : "http",
						       url.host, url.port),
					     FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
		if (better)
			move_to(caldav, &url);
	}
	*path_r = href_normalise(mem, request->url, caldav->host, location);
	if (!*path_r)
		return fault_new(mem, FAULT_PROTOCOL, "%s is redirected to nowhere", request->url);
	return NULL;
}

static struct fault *look_at(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
			     struct found *found_r)
{
	struct found found = { .mem = mem, .caldav = caldav };

	for (int hops = 0; hops <= CALDAV_REDIRECTS_MAX; hops++) {
		struct http_request request =
			caldav_request(mem, "PROPFIND", path, "0", what_is_there);

		caldav_send(caldav, mem, &request, 1);
		if (!request.fault && request.status >= 300 && request.status < 400) {
			FAULT_TRY(redirected(caldav, mem, &request, &path));
			continue;
		}
		if (request.fault || request.status >= 400)
			return caldav_fault(mem, &request);
		if (request.status != 207)
			return fault_new(mem, FAULT_PROTOCOL,
					 "PROPFIND %s: status %d, not a CalDAV server", path,
					 request.status);
		found.path = path;
		FAULT_TRY(multistatus_read(mem, request.answer, request.answer_len, take_found,
					   &found, NULL));
		if (request.dav && !caldav->dav)
			caldav->dav = mem_strdup(caldav, request.dav);
		*found_r = found;
		return NULL;
	}
	return fault_new(mem, FAULT_PROTOCOL, "PROPFIND %s: more than %d redirects", path,
			 CALDAV_REDIRECTS_MAX);
}

static void settle(struct caldav *caldav, const char *principal, const char *home)
{
	caldav->principal = principal ? href_collection(caldav, principal) : NULL;
	caldav->home = href_collection(caldav, home);
	caldav->discovered = true;
}

/* Looks at one address and at the principal that it names. */
static struct fault *try_address(struct caldav *caldav, TALLOC_CTX *mem, const char *path,
				 struct found *found_r)
{
	struct found found = { 0 }, principal = { 0 };

	FAULT_TRY(look_at(caldav, mem, path, &found));
	if (!found.home && found.principal && strcmp(found.principal, found.path)) {
		FAULT_TRY(look_at(caldav, mem, found.principal, &principal));
		found.home = principal.home;
	}
	if (found.home)
		settle(caldav, found.principal, found.home);
	*found_r = found;
	return NULL;
}

struct fault *caldav_discover(struct caldav *caldav, TALLOC_CTX *mem)
{
	const char *paths[3] = { "/", "/.well-known/caldav", "/" };
	struct fault *first = NULL;
	const char *plain = NULL;

	if (caldav->discovered)
		return NULL;
	if (caldav->origin)
		paths[0] = href_normalise(mem, "/", caldav->host, caldav->at.path);
	for (size_t i = 0; i < COUNT_OF(paths) && !caldav->discovered; i++) {
		struct found found = { 0 };
		struct fault *fault;

		if (!paths[i] || (i && !strcmp(paths[i], paths[0])))
			continue;
		fault = try_address(caldav, mem, paths[i], &found);
		if (fault && (caldav_is_wide(fault) || fault->kind == FAULT_CONFIG))
			return fault;
		if (fault && !first)
			first = fault;
		if (!fault && !i && found.collection && !found.calendar)
			plain = found.path;
	}
	if (!caldav->discovered && plain)
		settle(caldav, NULL, plain);
	if (caldav->discovered)
		return NULL;
	if (first && first->kind == FAULT_BUSY)
		return caldav_widen(first, FAULT_SCOPE_ACCOUNT);
	return fault_reaches(fault_new(mem, FAULT_PROTOCOL, "no calendar home found%s%s",
				       first ? ": " : "", first ? first->text : ""),
			     FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

/* ---- doctor ---- */

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

	caldav_finding(probe, FINDING_INFO, "login", "yes", "The server accepts the login.");
	if (plain && !http_is_loopback(caldav->origin))
		caldav_finding(probe, FINDING_WARNING, "tls", "no",
			       "Tasks go over the network unencrypted.");
	else
		caldav_finding(probe, FINDING_INFO, "tls", plain ? "loopback" : "verified",
			       plain ? "The server is on this machine."
				     : "The certificate is valid for this host.");
	caldav_finding(probe, FINDING_INFO, "server", caldav->server ? caldav->server : "not told",
		       "The product, as the server names it.");
	caldav_finding(probe, FINDING_INFO, "principal",
		       caldav->principal ? caldav->principal : "none",
		       caldav->principal ? "The person's own address on the server."
					 : "The configured URL is taken as the calendar home.");
	caldav_finding(probe, FINDING_INFO, "home", caldav->home, "Folders are made here.");
}

static void find_access(const struct caldav *caldav, struct endpoint_probe *probe)
{
	bool access = caldav->dav && strstr(caldav->dav, "calendar-access");

	caldav_finding(
		probe, access ? FINDING_INFO : FINDING_WARNING, "calendar-access", yes_no(access),
		access ? "The server says that it speaks CalDAV."
		       : "The server does not say that it speaks CalDAV; folders may not work.");
}

static void find_tasks(const struct seen *seen, struct endpoint_probe *probe)
{
	if (seen->calendars && !seen->todo)
		caldav_finding(
			probe, FINDING_WARNING, "tasks", "no",
			"No calendar of this account takes tasks; the server may not support "
			"them.");
}

struct fault *caldav_discover_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
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
	caldav_doctor_traits(caldav, seen.sync > 0, probe);
	*probe_r = probe;
	return NULL;
}

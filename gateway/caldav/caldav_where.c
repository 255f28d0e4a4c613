#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Which host is asked, and gets the password.
 *
 *   a URL        that host, nothing else
 *   a name       SRV _caldavs._tcp.NAME (RFC 6764 section 3), else the name itself, always by https.
 *                DNS is not authenticated: a host outside of the name is not trusted by it (section
 *                8), a person has to write it into `url`. What is offered without TLS
 *                (_caldav._tcp) is only told.
 *   a redirect   to the same host, never from https to http, and to another port only with the step
 *                from http to https; where a name was configured, also to a host within that name,
 *                by https.
 *   remembered   as found before for the same words of the configuration. A host that was found by
 *                name is looked up again after a day, and when it does not answer.
 */

#define HTTPS_PORT 443
#define PLACE_MAX_US (24 * 3600 * CLOCK_SECOND_US) /* records change seldom, and not unannounced */
#define HOST_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

static void move_to(struct caldav *caldav, const struct http_url *url)
{
	caldav->at = *url;
	caldav->at.host = mem_strdup(caldav, url->host);
	caldav->at.path = mem_strdup(caldav, url->path);
	caldav->host = mem_printf(caldav, "%s:%d", url->host, url->port);
	caldav->origin = mem_printf(caldav, "%s://%s", url->tls ? "https" : "http", caldav->host);
}

static struct fault *of_account(struct fault *fault)
{
	return fault_reaches(fault, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

static struct fault *no_url(TALLOC_CTX *mem)
{
	return fault_reaches(fault_new(mem, FAULT_CONFIG, "not the URL of a CalDAV server"),
			     FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
}

/* As a person would write it into `url`. */
static char *written(TALLOC_CTX *mem, const char *host, int port, const char *path)
{
	char *at = port == HTTPS_PORT ? mem_strdup(mem, "") : mem_printf(mem, ":%d", port);

	return mem_printf(mem, "https://%s%s%s", host, at, path && *path == '/' ? path : "/");
}

/* ---- by name ---- */

static void use_target(struct caldav *caldav, size_t i)
{
	struct http_url url = { .tls = true, .path = "/" };

	caldav->target = i;
	url.host = caldav->targets[i].host;
	url.port = caldav->targets[i].port;
	move_to(caldav, &url);
}

static void use_itself(struct caldav *caldav)
{
	struct http_url url = { .tls = true, .path = "/", .port = HTTPS_PORT };

	url.host = text_lower(caldav, caldav->domain);
	move_to(caldav, &url);
	caldav->located = mem_printf(caldav, "%s itself (it has no SRV record)", caldav->domain);
}

static struct fault *take_service(struct caldav *caldav, TALLOC_CTX *mem,
				  const struct resolve_service *service)
{
	const struct resolve_target *first = service->targets;

	if (service->refused)
		return of_account(
			fault_new(mem, FAULT_CONFIG,
				  "the SRV record of %s says that there is no CalDAV service",
				  caldav->domain));
	caldav->targets = MEM_ARRAY(caldav, struct resolve_target, service->count);
	caldav->target_count = 0;
	for (size_t i = 0; i < service->count; i++) {
		struct resolve_target *target = &caldav->targets[caldav->target_count];

		if (!resolve_is_within(service->targets[i].host, caldav->domain))
			continue;
		*target = service->targets[i];
		target->host = mem_strdup(caldav, target->host);
		caldav->target_count++;
	}
	if (!caldav->target_count)
		return of_account(fault_new(
			mem, FAULT_CONFIG,
			"the SRV record of %s names %s, outside of %s, where no password goes on the "
			"word of DNS alone; to trust it, write url = %s",
			caldav->domain, first->host, caldav->domain,
			written(mem, first->host, first->port, service->path)));
	if (service->path)
		caldav->context = href_normalise(caldav, "/", "", service->path);
	caldav->located = mem_printf(caldav, "SRV record of %s", caldav->domain);
	use_target(caldav, 0);
	return NULL;
}

/* There is no record for TLS; what there is without it is told when nothing else is found. */
static void look_for_plain(struct caldav *caldav, TALLOC_CTX *mem)
{
	struct resolve_service service = { 0 };
	struct fault *fault = resolve_service(
		mem, mem_printf(mem, "_caldav._tcp.%s", caldav->domain), caldav->dns, &service);

	if (!fault && service.count)
		caldav->plain = mem_printf(caldav, "%s:%d", service.targets[0].host,
					   service.targets[0].port);
	talloc_free(fault);
}

static bool is_domain(const char *name)
{
	size_t len = strlen(name);

	return len && len <= RESOLVE_HOST_MAX && strspn(name, HOST_CHARS) == len && *name != '-' &&
	       *name != '.' && !strstr(name, "..");
}

/* Numbers have no records, and what is on this machine needs none. */
static bool has_records(const char *domain)
{
	return strcasecmp(domain, "localhost") != 0 &&
	       strspn(domain, "0123456789.") != strlen(domain);
}

static struct fault *look_up(struct caldav *caldav, TALLOC_CTX *mem)
{
	struct resolve_service service = { 0 };

	if (!is_domain(caldav->domain))
		return no_url(mem);
	if (!has_records(caldav->domain)) {
		use_itself(caldav);
		caldav->located = "the host name itself";
		return NULL;
	}
	FAULT_TRY(resolve_service(mem, mem_printf(mem, "_caldavs._tcp.%s", caldav->domain),
				  caldav->dns, &service));
	if (service.count || service.refused)
		return take_service(caldav, mem, &service);
	look_for_plain(caldav, mem);
	use_itself(caldav);
	return NULL;
}

struct fault *caldav_where(struct caldav *caldav, TALLOC_CTX *mem)
{
	struct http_url last;
	struct fault *fault;

	if (caldav->origin)
		return NULL;
	if (!caldav->domain)
		return no_url(mem);
	fault = look_up(caldav, mem);
	if (!fault)
		caldav->found_us = clock_now_us(caldav->clock);
	if (!fault || fault->kind == FAULT_CONFIG || !caldav->last ||
	    !http_url_parse(mem, caldav->last, &last))
		return fault;
	move_to(caldav, &last); /* better than nothing */
	talloc_free(fault);
	return NULL;
}

bool caldav_where_next(struct caldav *caldav, TALLOC_CTX *mem)
{
	const char *before = caldav->origin;
	struct fault *fault;

	if (caldav->target + 1 < caldav->target_count) {
		use_target(caldav, caldav->target + 1);
		return true;
	}
	if (!caldav->domain || caldav->targets || !caldav->remembered)
		return false;         /* looked up already */
	fault = look_up(caldav, mem); /* the records may name another one by now */
	talloc_free(fault);
	return !fault && strcmp(before, caldav->origin);
}

/* ---- redirects ---- */

static bool is_trusted(const struct caldav *caldav, const struct http_url *url)
{
	bool better = url->tls && !caldav->at.tls;

	if (caldav->domain && url->tls && resolve_is_within(url->host, caldav->domain))
		return true;
	return !strcmp(url->host, caldav->at.host) && (url->tls || !caldav->at.tls) &&
	       (url->port == caldav->at.port || better);
}

struct fault *caldav_where_redirected(struct caldav *caldav, TALLOC_CTX *mem,
				      const struct http_request *request, const char **path_r)
{
	const char *location = request->location ? request->location : "";
	struct http_url url;
	bool absolute =
		!strncasecmp(location, "http://", 7) || !strncasecmp(location, "https://", 8);

	if (absolute && http_url_parse(mem, location, &url)) {
		if (!is_trusted(caldav, &url))
			return of_account(fault_new(
				mem, FAULT_PROTOCOL,
				"%s is redirected to %s://%s:%d, where the password must not "
				"go%s%s",
				request->url, url.tls ? "https" : "http", url.host, url.port,
				url.tls ? "; if that is right, write url = " : "",
				url.tls ? written(mem, url.host, url.port, url.path) : ""));
		if (strcmp(url.host, caldav->at.host) || url.port != caldav->at.port ||
		    url.tls != caldav->at.tls)
			move_to(caldav, &url);
	}
	*path_r = href_normalise(mem, request->url, caldav->host, location);
	if (!*path_r)
		return fault_new(mem, FAULT_PROTOCOL, "%s is redirected to nowhere", request->url);
	return NULL;
}

/* ---- what is remembered ---- */

static void use_configured(struct caldav *caldav)
{
	const char *at = strrchr(caldav->url, '@');
	struct http_url url;

	caldav->origin = caldav->host = NULL;
	if (!strchr(caldav->url, '/')) {
		caldav->domain = mem_strdup(caldav, at ? at + 1 : caldav->url);
		return;
	}
	caldav->located = "the URL";
	if (http_url_parse(caldav, caldav->url, &url))
		move_to(caldav, &url);
}

static void use_place(struct caldav *caldav, const struct endpoint_place *place)
{
	struct http_url url;

	if (!http_url_parse(caldav, place->origin, &url))
		return;
	if (!caldav->domain || clock_now_us(caldav->clock) - place->found_us < PLACE_MAX_US)
		move_to(caldav, &url);
	caldav->last = mem_strdup(caldav, place->origin);
	caldav->home = mem_strdup(caldav, place->home);
	caldav->principal = mem_strdup(caldav, place->principal);
	caldav->how = mem_strdup(caldav, place->how);
	caldav->found_us = place->found_us;
	caldav->discovered = caldav->remembered = true;
}

void caldav_where_init(struct caldav *caldav, const struct caldav_account *account)
{
	caldav->url = mem_strdup(caldav, account->url);
	caldav->dns = account->dns;
	caldav->home_path = href_normalise(caldav, "/", "", account->home);
	caldav->person = mem_strdup(caldav, account->person);
	caldav->asked = mem_printf(caldav, "%s\n%s\n%s\n%s", account->url, account->user,
				   account->home ? account->home : "-",
				   account->person ? account->person : "-");
	use_configured(caldav);
	if (account->place && !strcmp(account->place->asked, caldav->asked))
		use_place(caldav, account->place);
}

void caldav_where_forget(struct caldav *caldav)
{
	caldav->discovered = caldav->remembered = false;
	caldav->principal = caldav->home = caldav->how = caldav->owner = NULL;
	use_configured(caldav);
}

static struct fault *find_place(struct caldav *caldav, TALLOC_CTX *mem)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct fault *fault = caldav_discover(caldav, work);

	if (!fault)
		fault = caldav_where(caldav, work);
	if (fault)
		fault = caldav_widen(talloc_steal(mem, fault), FAULT_SCOPE_ACCOUNT);
	talloc_free(work);
	return fault;
}

struct fault *caldav_place(struct endpoint *endpoint, TALLOC_CTX *mem, bool find,
			   struct endpoint_place **place_r)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	struct endpoint_place *place = NULL;

	if (find)
		FAULT_TRY(find_place(caldav, mem));
	if (caldav->discovered && caldav->origin) {
		place = MEM_NEW(mem, struct endpoint_place);
		place->asked = mem_strdup(place, caldav->asked);
		place->origin = mem_strdup(place, caldav->origin);
		place->home = mem_strdup(place, caldav->home);
		place->principal = mem_strdup(place, caldav->principal);
		place->how = mem_strdup(place, caldav->how);
		place->found_us = caldav->found_us;
	}
	*place_r = place;
	return NULL;
}

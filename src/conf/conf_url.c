#include "config.h"

#include "conf/conf_private.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

#define PORT_MAX 65535
#define HOST_MAX 253 /* bytes, RFC 1035 section 2.3.4 without the last dot */

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define HEX "0123456789ABCDEFabcdef"

static const struct {
	const char *scheme;
	long port;
} default_ports[] = { { "http", 80 }, { "https", 443 } };

static bool read_port(const char *text, long *port_r)
{
	int64_t port;

	if (strspn(text, "0123456789") != strlen(text) || !text_to_int(text, &port) || port < 1 ||
	    port > PORT_MAX)
		return false;
	*port_r = (long)port;
	return true;
}

/* A host name, an address in numbers, or an IPv6 address in brackets. */
static bool is_host(TALLOC_CTX *mem, const char *host)
{
	struct in6_addr address;
	size_t n = strlen(host);

	if (*host == '[')
		return n > 2 && host[n - 1] == ']' &&
		       inet_pton(AF_INET6, mem_strndup(mem, host + 1, n - 2), &address) == 1;
	return n && n <= HOST_MAX && strspn(host, ALNUM ".-_") == n && *host != '-' &&
	       *host != '.' && !strstr(host, "..");
}

/* Where "host:port" has its colon; NULL: no port. */
static char *port_colon(char *authority)
{
	char *bracket = strrchr(authority, ']');

	return strchr(bracket ? bracket : authority, ':');
}

static bool read_authority(TALLOC_CTX *mem, char *authority, struct conf_url *url,
			   const char **why_r)
{
	char *colon = port_colon(authority);

	if (strchr(authority, '@')) {
		*why_r = "a login or password does not belong into a URL";
		return false;
	}
	if (colon) {
		*colon = '\0';
		if (!read_port(colon + 1, &url->port)) {
			*why_r = "the port is no number from 1 to 65535";
			return false;
		}
	}
	if (!is_host(mem, authority)) {
		*why_r = *authority ? "the host is no name or address" : "there is no host";
		return false;
	}
	url->host = text_lower(mem, authority);
	return true;
}

/* RFC 3986 section 3.3; what is outside of it must be written as %XX. */
static bool is_path(const char *path)
{
	for (; *path; path++) {
		if (*path == '%' &&
		    (!path[1] || !strchr(HEX, path[1]) || !path[2] || !strchr(HEX, path[2])))
			return false;
		if (!strchr(ALNUM "-._~!$&'()*+,;=:@/%", *path))
			return false;
	}
	return true;
}

static bool read_memory(TALLOC_CTX *mem, const char *rest, struct conf_url *url, const char **why_r)
{
	if (*rest != '/') {
		*why_r = "write memory:/PATH with an absolute path";
		return false;
	}
	url->path = mem_strdup(mem, rest);
	return true;
}

bool conf_url_read(TALLOC_CTX *mem, const char *text, struct conf_url *url_r, const char **why_r)
{
	size_t n = strspn(text, ALNUM "+-.");
	struct conf_url url = { .port = 0 };
	const char *rest = text + n;
	char *path;

	*why_r = "it must begin with a scheme such as https://";
	if (!n || *rest++ != ':')
		return false;
	url.scheme = text_lower(mem, mem_strndup(mem, text, n));
	if (!strcmp(url.scheme, "memory")) {
		if (!read_memory(mem, rest, &url, why_r))
			return false;
		*url_r = url;
		return true;
	}
	if (!text_starts(rest, "//"))
		return false;
	rest += 2;
	n = strcspn(rest, "/?#");
	if (!read_authority(mem, mem_strndup(mem, rest, n), &url, why_r))
		return false;
	path = mem_strdup(mem, rest + n);
	url.more = path[strcspn(path, "?#")] != '\0';
	path[strcspn(path, "?#")] = '\0';
	if (strstr(path, "%{")) {
		*why_r = "names such as %{email} are not put into a URL";
		return false;
	}
	if (!is_path(path)) {
		*why_r = "a character of its path must be written as %XX";
		return false;
	}
	url.path = path;
	*url_r = url;
	return true;
}

bool conf_url_is_name(TALLOC_CTX *mem, const char *text)
{
	const char *at = strrchr(text, '@');
	const char *host = at ? at + 1 : text;

	if (!strcmp(text, CONF_URL_OF_PERSON))
		return true;
	return (!at || text_is_address(text)) && *host != '[' && is_host(mem, host);
}

bool conf_url_is_loopback(const char *host)
{
	struct in_addr address;

	if (!host)
		return false;
	if (!strcmp(host, "localhost") || !strcmp(host, "[::1]"))
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

char *conf_url_canonical(TALLOC_CTX *mem, const struct conf_url *url)
{
	size_t n = strlen(url->path);
	long port = url->port;

	for (size_t i = 0; i < COUNT_OF(default_ports); i++)
		if (!strcmp(url->scheme, default_ports[i].scheme) && port == default_ports[i].port)
			port = 0;
	while (n && url->path[n - 1] == '/')
		n--;
	if (port)
		return mem_printf(mem, "%s://%s:%ld%.*s", url->scheme, url->host, port, (int)n,
				  url->path);
	return mem_printf(mem, "%s://%s%.*s", url->scheme, url->host, (int)n, url->path);
}

static bool is_listen_host(TALLOC_CTX *mem, const char *host)
{
	struct in_addr address;

	return !strcmp(host, "localhost") || inet_pton(AF_INET, host, &address) == 1 ||
	       (*host == '[' && is_host(mem, host));
}

bool conf_url_listen(TALLOC_CTX *mem, const char *text, char **host_r)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(mem);
	char *host = mem_strdup(scratch, text);
	char *colon = port_colon(host);
	bool good;
	long port;

	if (colon)
		*colon = '\0';
	good = colon && read_port(colon + 1, &port) && is_listen_host(scratch, host);
	if (good)
		*host_r = talloc_steal(mem, host);
	talloc_free(scratch);
	return good;
}

bool conf_url_has_password(const char *dsn)
{
	const char *authority = strstr(dsn, "://");
	size_t n;

	if (!authority || text_starts(dsn, "sqlite:"))
		return false;
	authority += 3;
	n = strcspn(authority, "/?#");
	if (strstr(dsn, "password="))
		return true;
	return memchr(authority, '@', n) && strcspn(authority, ":") < strcspn(authority, "@");
}

#include "config.h"

#include "gateway/caldav/href.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/text.h"

static const char *const place_names[] = { "self", "child", "deeper", "outside" };
_Static_assert(COUNT_OF(place_names) == HREF_PLACES, "one name per place");

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef",
		   *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The next byte of an escaped segment. A `%` without two digits is itself: some servers escape
 * nothing. */
static unsigned char next_byte(const char **text, size_t *left)
{
	const char *c = *text;

	if (*c == '%' && *left >= 3 && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0) {
		*text += 3;
		*left -= 3;
		return (unsigned char)(hex_digit(c[1]) << 4 | hex_digit(c[2]));
	}
	*text += 1;
	*left -= 1;
	return (unsigned char)*c;
}

static void add_byte(struct buf *out, unsigned char c)
{
	if ((c < 0x80 && isalnum(c)) || (c && strchr("-._~", c)))
		buf_putc(out, (char)c);
	else
		buf_printf(out, "%%%02X", c);
}

/* Adds "/SEGMENT" to OUT, or follows it where it is a dot segment. */
static void add_segment(struct buf *out, const char *text, size_t len)
{
	size_t before = out->len;

	buf_putc(out, '/');
	while (len)
		add_byte(out, next_byte(&text, &len));
	if (strcmp(out->data + before, "/.") && strcmp(out->data + before, "/..") &&
	    strcmp(out->data + before, "/"))
		return;
	if (!strcmp(out->data + before, "/..")) {
		out->data[before] = '\0';
		before =
			strrchr(out->data, '/') ? (size_t)(strrchr(out->data, '/') - out->data) : 0;
	}
	out->len = before;
	out->data[out->len] = '\0';
}

static void add_path(struct buf *out, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		add_segment(out, path, len);
		path += len + (path[len] == '/');
	}
}

static bool ends_as_collection(const char *path)
{
	return text_ends(path, "/") || text_ends(path, "/.") || text_ends(path, "/..") ||
	       !strcmp(path, ".") || !strcmp(path, "..");
}

/* True when TEXT begins with HOST ("name:port") or its name alone, as a whole segment. */
static bool names_host(const char *text, const char *host)
{
	size_t segment = strcspn(text, "/"), name = strcspn(host, ":");

	if (*host == '[' && strchr(host, ']'))
		name = (size_t)(strchr(host, ']') - host) + 1;
	return (segment == strlen(host) && !strncasecmp(text, host, segment)) ||
	       (segment == name && !strncasecmp(text, host, name));
}

/* The path of a URL; of what only looks like one (one server writes "http:/host:port/path"); else
 * HREF itself. */
static const char *path_of(const char *href, const char *host)
{
	static const char *const schemes[] = { "http:", "https:", "" };
	const char *rest = NULL;
	size_t authority;

	for (size_t i = 0; i < COUNT_OF(schemes) && !rest; i++)
		if (!strncasecmp(href, schemes[i], strlen(schemes[i])) &&
		    href[strlen(schemes[i])] == '/')
			rest = href + strlen(schemes[i]);
	if (!rest)
		return href;
	authority = strspn(rest, "/");
	if ((rest != href && authority == 2) ||
	    (authority <= 2 && names_host(rest + authority, host)))
		rest += authority + strcspn(rest + authority, "/");
	return *rest ? rest : "/";
}

char *href_normalise(TALLOC_CTX *mem, const char *base, const char *host, const char *href)
{
	struct buf *out;
	const char *path;

	if (!href || !*href || strlen(href) > HREF_MAX)
		return NULL;
	path = path_of(href, host);
	out = buf_new(mem);
	if (*path != '/') {
		const char *slash = strrchr(base, '/');
		char *parent = slash ? mem_strndup(out, base, (size_t)(slash - base)) : NULL;

		add_path(out, parent ? parent : "");
	}
	add_path(out, path);
	if (ends_as_collection(path) || !out->len)
		buf_putc(out, '/');
	return buf_steal(&out, mem, NULL);
}

char *href_segment(TALLOC_CTX *mem, const char *text)
{
	struct buf *out = buf_new(mem);

	for (const char *c = text; *c; c++)
		add_byte(out, (unsigned char)*c);
	return buf_steal(&out, mem, NULL);
}

char *href_collection(TALLOC_CTX *mem, const char *address)
{
	return text_ends(address, "/") ? mem_strdup(mem, address) : mem_printf(mem, "%s/", address);
}

enum href_place href_place(const char *folder, const char *address)
{
	size_t len = strlen(folder);
	const char *rest, *slash;

	while (len && folder[len - 1] == '/')
		len--;
	if (strncmp(folder, address, len) || (address[len] && address[len] != '/'))
		return HREF_OUTSIDE;
	rest = address + len + (address[len] == '/');
	slash = strchr(rest, '/');
	if (!*rest)
		return HREF_SELF;
	return slash && slash[1] ? HREF_DEEPER : HREF_CHILD;
}

const char *href_place_name(enum href_place place)
{
	return place_names[place];
}

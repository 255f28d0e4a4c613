#include "config.h"

#include "gateway/imap/imap_name.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

/* Modified UTF-7: printable ASCII stands for itself ('&' as "&-"), everything else as UTF-16 in a
 * base64 of its own between '&' and '-'. There is one encoding of each text: what does not come out
 * the same when it is encoded again is not strict. */

#define ELLIPSIS "\xe2\x80\xa6"
#define HASH_CHARS 6  /* behind a cut name: one in 16 million */
#define SUFFIX_MAX 32 /* bytes: something of the name must be left */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* The next code point of well-formed UTF-8. */
static uint32_t take_code(const char **at)
{
	const unsigned char *s = (const unsigned char *)*at;
	int tails = *s < 0x80 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;
	uint32_t code = tails ? *s & (0x3fU >> tails) : *s;

	for (int i = 1; i <= tails; i++)
		code = code << 6 | (s[i] & 0x3fU);
	*at += tails + 1;
	return code;
}

static void put_code(struct buf *out, uint32_t code)
{
	if (code < 0x80) {
		buf_putc(out, (char)code);
		return;
	}
	if (code < 0x800) {
		buf_putc(out, (char)(0xc0 | code >> 6));
	} else if (code < 0x10000) {
		buf_putc(out, (char)(0xe0 | code >> 12));
		buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		buf_putc(out, (char)(0xf0 | code >> 18));
		buf_putc(out, (char)(0x80 | (code >> 12 & 0x3f)));
		buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	buf_putc(out, (char)(0x80 | (code & 0x3f)));
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* ---- modified UTF-7 ---- */

struct bits {
	uint32_t value;
	int count;
};

static void put_unit(struct buf *out, struct bits *bits, uint32_t unit)
{
	bits->value = (bits->value & 0x3f) << 16 | unit;
	bits->count += 16;
	while (bits->count >= 6) {
		bits->count -= 6;
		buf_putc(out, base64[bits->value >> bits->count & 0x3f]);
	}
}

static void put_utf16(struct buf *out, struct bits *bits, uint32_t code)
{
	if (code >= 0x10000) {
		put_unit(out, bits, 0xd800 + ((code - 0x10000) >> 10));
		code = 0xdc00 + ((code - 0x10000) & 0x3ff);
	}
	put_unit(out, bits, code);
}

static void end_base64(struct buf *out, struct bits *bits)
{
	if (bits->count)
		buf_putc(out, base64[bits->value << (6 - bits->count) & 0x3f]);
	buf_putc(out, '-');
	*bits = (struct bits){ 0 };
}

char *imap_name_encode(TALLOC_CTX *mem, const char *utf8)
{
	struct bits bits = { 0 };
	bool inside = false;
	struct buf *out;

	if (!text_is_utf8(utf8, strlen(utf8)))
		return NULL;
	out = buf_new(mem);
	while (*utf8) {
		uint32_t code = take_code(&utf8);

		if (is_control(code)) {
			talloc_free(out);
			return NULL;
		}
		if (inside && code < 0x80)
			end_base64(out, &bits);
		if (!inside && code >= 0x80)
			buf_putc(out, '&');
		inside = code >= 0x80;
		if (inside)
			put_utf16(out, &bits, code);
		else
			buf_puts(out, code == '&' ? "&-" : (char[]){ (char)code, '\0' });
	}
	if (inside)
		end_base64(out, &bits);
	return buf_steal(&out, mem, NULL);
}

/* One UTF-16 unit more; the first half of a pair waits in *HIGH. */
static bool take_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	bool low = unit >= 0xdc00 && unit < 0xe000;

	if (low != (*high != 0))
		return false;
	if (low) {
		put_code(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
	} else if (unit >= 0xd800 && unit < 0xdc00) {
		*high = unit;
	} else if (!is_control(unit)) {
		put_code(out, unit);
	} else {
		return false;
	}
	return true;
}

/* From behind the '&' to the '-'; NULL: not base64 of UTF-16. */
static const char *take_base64(struct buf *out, const char *at)
{
	struct bits bits = { 0 };
	uint32_t high = 0;

	for (; *at && *at != '-'; at++) {
		const char *digit = strchr(base64, *at);

		if (!digit)
			return NULL;
		bits.value = bits.value << 6 | (uint32_t)(digit - base64);
		bits.count += 6;
		if (bits.count < 16)
			continue;
		bits.count -= 16;
		if (!take_unit(out, bits.value >> bits.count & 0xffff, &high))
			return NULL;
		bits.value &= (1U << bits.count) - 1;
	}
	return *at && !high ? at + 1 : NULL;
}

char *imap_name_decode(TALLOC_CTX *mem, const char *mutf7)
{
	struct buf *out = buf_new(mem);
	const char *at = mutf7;
	char *text, *again;
	bool strict;

	while (at && *at) {
		if (*at != '&') {
			buf_putc(out, *at++);
		} else if (at[1] == '-') {
			buf_putc(out, '&');
			at += 2;
		} else {
			at = take_base64(out, at + 1);
		}
	}
	text = buf_steal(&out, mem, NULL);
	again = at ? imap_name_encode(mem, text) : NULL;
	strict = again && !strcmp(again, mutf7);
	talloc_free(again);
	if (!strict)
		TALLOC_FREE(text);
	return text;
}

char *imap_name_told(TALLOC_CTX *mem, const char *told)
{
	char *name = imap_name_decode(mem, told);

	return name ? name : mem_strdup(mem, told);
}

/* ---- levels ---- */

static const struct {
	char ascii;
	uint32_t code;
} look_alikes[] = {
	{ '/', 0x2215 }, { '.', 0x2024 }, { '%', 0x066a }, { '*', 0x2217 }, { '\\', 0x2216 },
	{ '"', 0x201d }, { '|', 0x2223 }, { '<', 0x2039 }, { '>', 0x203a }, { '~', 0x223c },
};

/* Names that mean something to servers: on Dovecot with LAYOUT=fs they are files of its own. */
static const char *const reserved[] = {
	"INBOX",
	"cur",
	"new",
	"tmp",
	"dbox-Mails",
	"subscriptions",
	"maildirfolder",
	"dovecot-uidlist",
	"dovecot-acl",
	"dovecot-keywords",
	"dovecot-acl-list",
};

static bool is_reserved(const char *level)
{
	for (size_t i = 0; i < COUNT_OF(reserved); i++)
		if (text_equal_nocase(level, reserved[i]))
			return true;
	return false;
}

static bool is_kept_ascii(uint32_t code)
{
	return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
	       (code >= '0' && code <= '9') || (code && strchr(" _@:+=#?&-", (int)code));
}

/* What changes the direction or the order of the text around it, and is not seen. */
static bool is_direction_mark(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static uint32_t look_alike(uint32_t code)
{
	for (size_t i = 0; i < COUNT_OF(look_alikes); i++)
		if ((uint32_t)look_alikes[i].ascii == code)
			return look_alikes[i].code;
	return code - '!' + 0xff01;
}

static void put_safe(struct buf *out, uint32_t code)
{
	if (code == ' ' && (!out->len || out->data[out->len - 1] == ' '))
		return;
	if (is_direction_mark(code))
		return;
	if (is_control(code) || code == 0x2028 || code == 0x2029)
		buf_putc(out, '_');
	else if (code >= 0x80 || is_kept_ascii(code))
		put_code(out, code);
	else
		put_code(out, look_alike(code));
}

static void trim_end(struct buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

/* Control characters have to be gone before the rest is repaired: that makes no difference between
 * them and what is not UTF-8. */
static char *safe_text(TALLOC_CTX *mem, const char *text)
{
	char *copy = mem_strdup(mem, text);
	struct buf *out = buf_new(mem);
	char *repaired;

	for (char *c = copy; *c; c++)
		if (is_control((unsigned char)*c) && (unsigned char)*c < 0x80)
			*c = '_';
	repaired = text_to_utf8(mem, copy, strlen(copy));
	for (const char *at = repaired; *at;)
		put_safe(out, take_code(&at));
	trim_end(out);
	talloc_free(copy);
	talloc_free(repaired);
	return buf_steal(&out, mem, NULL);
}

static bool fits(TALLOC_CTX *mem, const char *text, const char *tail)
{
	char *both = mem_printf(mem, "%s%s", text, tail), *encoded = imap_name_encode(mem, both);
	bool ok = strlen(both) <= IMAP_NAME_COMPONENT_MAX &&
		  strlen(encoded) <= IMAP_NAME_COMPONENT_MAX;

	talloc_free(both);
	talloc_free(encoded);
	return ok;
}

/* The longest beginning of SAFE that fits, with a mark and TAIL behind it. */
static char *cut(TALLOC_CTX *mem, char *safe, const char *text, const char *tail)
{
	char *end = mem_printf(mem, ELLIPSIS "%s%s",
			       digest_short(mem, text, strlen(text), HASH_CHARS), tail);
	size_t n = text_prefix_bytes(safe, IMAP_NAME_COMPONENT_MAX);

	for (safe[n] = '\0'; n && !fits(mem, safe, end); safe[n] = '\0')
		n = text_prefix_bytes(safe, n - 1);
	while (n && safe[n - 1] == ' ')
		safe[--n] = '\0';
	return mem_printf(mem, "%s%s", safe, end);
}

char *imap_name_level(TALLOC_CTX *mem, const char *text, const char *suffix)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	char *safe = safe_text(work, text), *level;
	const char *tail = suffix ? mem_printf(work, " \xef\xbc\x88%s\xef\xbc\x89", suffix) : "";

	assert(!suffix || strlen(suffix) <= SUFFIX_MAX);
	if (!*safe)
		safe = mem_strdup(work, "_");
	else if (is_reserved(safe))
		safe = mem_printf(work, "%s_", safe);
	level = fits(work, safe, tail) ? mem_printf(mem, "%s%s", safe, tail)
				       : talloc_steal(mem, cut(work, safe, text, tail));
	talloc_free(work);
	return level;
}

/* ---- mailboxes ---- */

static char *without(TALLOC_CTX *mem, const char *level, char delimiter)
{
	char *copy = mem_strdup(mem, level);

	for (char *c = copy; delimiter && *c; c++)
		if (*c == delimiter)
			*c = delimiter == '_' ? '-' : '_';
	return copy;
}

char *imap_name_join(TALLOC_CTX *mem, const char *prefix, char delimiter, const char *top,
		     const char *sub)
{
	const char between[] = { delimiter, '\0' };
	char *above = without(mem, top, delimiter), *below = without(mem, sub, delimiter);
	char *name = mem_printf(mem, "%s%s%s%s", prefix, above, delimiter ? between : " - ", below);

	talloc_free(above);
	talloc_free(below);
	return name;
}

char *imap_name_parent(TALLOC_CTX *mem, const char *prefix, char delimiter, const char *top)
{
	char *above = delimiter ? without(mem, top, delimiter) : NULL, *name;

	if (!above)
		return NULL;
	name = mem_printf(mem, "%s%s", prefix, above);
	talloc_free(above);
	return name;
}

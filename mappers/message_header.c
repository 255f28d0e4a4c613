#include "config.h"

#include "mappers/message_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "model/field.h"
#include "model/when.h"

/* Every text that gets into a header is made one line first: what would end it, control characters
 * and line separators, became a blank, so no text can add a field.
 *
 * A text goes as it is when every reader gives it back: ASCII, words of bounded length with single
 * blanks between them (where it is folded), nothing that looks like an encoded word. Else all of it
 * goes as encoded words (RFC 2047), in the shorter of the two encodings.
 */

#define WORD_MAX 60        /* characters of a plain word; longer ones would make a line too long */
#define NAME_MAX_CHARS 200 /* of a person's or project's name */
#define ENCODED_MAX 75     /* characters of an encoded word, RFC 2047 section 2 */
#define ENCODED_FRAME 12   /* "=?UTF-8?Q?" and "?=" */
#define ID_MAX 255         /* bytes of a UID that stands in a Message-ID as it is */
#define HOST_MAX 253       /* bytes of a host name, RFC 1035 */
#define DAY_S 86400
#define FIRST_SEED 80 /* bytes of most seeds of a boundary */

static const char *const names[] = {
	[MESSAGE_FROM] = "From",
	[MESSAGE_TO] = "To",
	[MESSAGE_REPLY_TO] = "Reply-To",
	[MESSAGE_SUBJECT] = "Subject",
	[MESSAGE_DATE] = "Date",
	[MESSAGE_ID] = "Message-ID",
	[MESSAGE_REFERENCES] = "References",
	[MESSAGE_UID] = MESSAGE_UID_FIELD,
	[MESSAGE_EDITION] = MESSAGE_EDITION_FIELD,
	[MESSAGE_VERSION] = "MIME-Version",
};
_Static_assert(COUNT_OF(names) == MESSAGE_OWNS, "a name for every field");

const char *message_header_name(enum message_own own)
{
	return names[own];
}

/* A header that is being written, and how far its line has got. */
struct line {
	struct buf *out;
	size_t column;
};

static struct line begin(struct buf *out, const char *name)
{
	size_t from = out->len;

	buf_puts(out, name);
	buf_putc(out, ':');
	return (struct line){ .out = out, .column = out->len - from };
}

static void end(struct line *line)
{
	buf_puts(line->out, "\r\n");
}

static void fold(struct line *line)
{
	buf_puts(line->out, "\r\n ");
	line->column = 1;
}

/* A blank and N characters, on the next line if they do not fit. */
static void add(struct line *line, const char *text, size_t n)
{
	if (line->column + 1 + n > MESSAGE_HEADER_LINE && line->column > 1) {
		fold(line);
	} else {
		buf_putc(line->out, ' ');
		line->column++;
	}
	buf_add(line->out, text, n);
	line->column += n;
}

/* Encoded words */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What stands for itself in Q everywhere, also in a name (RFC 2047 section 5). */
static bool is_safe(char c)
{
	return is_alnum(c) || (c && strchr("!*+-/", c));
}

/* True when all of TEXT are letters, digits and A and B. */
static bool holds_only(const char *text, char a, char b)
{
	while (is_alnum(*text) || (*text && (*text == a || *text == b)))
		text++;
	return !*text;
}

static size_t q_length(const char *text, size_t n)
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++)
		length += is_safe(text[i]) || text[i] == ' ' ? 1 : 3;
	return length;
}

static size_t b_length(size_t n)
{
	return (n + 2) / 3 * 4;
}

static void add_q(struct buf *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_safe(text[i]))
			buf_putc(out, text[i]);
		else if (text[i] == ' ')
			buf_putc(out, '_');
		else
			buf_printf(out, "=%02X", (unsigned char)text[i]);
}

/* The bytes of the longest beginning of TEXT whose encoding has at most ROOM characters; never in
 * the middle of a character. */
static size_t fitting(const char *text, bool q, size_t room)
{
	size_t n = 0, next;

	while (text[n]) {
		next = n + text_prefix_chars(text + n, 1);
		if ((q ? q_length(text, next) : b_length(next)) > room)
			break;
		n = next;
	}
	return n;
}

static void add_encoded(struct line *line, const char *text)
{
	bool q = q_length(text, strlen(text)) <= b_length(strlen(text));
	struct buf word = buf_of(NULL, ENCODED_MAX);

	while (*text) {
		size_t used = line->column + 1 + ENCODED_FRAME, n = 0;

		if (used < MESSAGE_HEADER_LINE)
			n = fitting(text, q, MESSAGE_HEADER_LINE - used);
		if (!n)
			n = fitting(text, q, ENCODED_MAX - ENCODED_FRAME);
		buf_clear(&word);
		buf_puts(&word, q ? "=?UTF-8?Q?" : "=?UTF-8?B?");
		if (q)
			add_q(&word, text, n);
		else
			message_body_base64(&word, text, n);
		buf_puts(&word, "?=");
		add(line, word.data, word.len);
		text += n;
	}
	talloc_free(word.data);
}

static bool is_ascii(const char *text)
{
	size_t len = strlen(text);

	return text_printable(text, len) == len;
}

static bool has_longer_word(const char *text, size_t max)
{
	for (size_t len; *text; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		if (len > max)
			return true;
	}
	return false;
}

/* TEXT is one line, without blanks at its ends. */
static bool is_plain(const char *text)
{
	return is_ascii(text) && !strstr(text, "=?") && !strstr(text, "  ") &&
	       !has_longer_word(text, WORD_MAX);
}

/* Words with single blanks between them; folded at its blanks, which are then the reader's too. */
static void add_words(struct line *line, const char *text, size_t n)
{
	size_t len;

	if (line->column + 1 + n <= MESSAGE_HEADER_LINE) {
		if (n)
			add(line, text, n);
		return;
	}
	for (; *text; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		add(line, text, len);
	}
}

static void add_text(struct line *line, const char *text)
{
	if (is_plain(text))
		add_words(line, text, strlen(text));
	else
		add_encoded(line, text);
}

/* Names and addresses */

/* False, and nothing added: NAME cannot go as it is. */
static bool add_quoted(TALLOC_CTX *tmp, struct line *line, const char *name)
{
	struct buf quoted;
	size_t n;

	if (!is_plain(name))
		return false;
	quoted = buf_of(tmp, strlen(name) + 2);
	buf_putc(&quoted, '"');
	for (; (n = strcspn(name, "\"\\")), name[n]; name += n + 1) {
		buf_add(&quoted, name, n);
		buf_add(&quoted, (char[]){ '\\', name[n] }, 2);
	}
	buf_puts(&quoted, name);
	buf_putc(&quoted, '"');
	if (has_longer_word(quoted.data, MESSAGE_HEADER_LINE - 1)) /* of backslashes */
		return false;
	add_words(line, quoted.data, quoted.len);
	return true;
}

static void add_mailbox(TALLOC_CTX *tmp, struct line *line, const char *name, const char *address)
{
	const char *shown = name ? text_trim_line(tmp, name, NAME_MAX_CHARS) : NULL;
	const char *angle = mem_join(tmp, "<", address, ">", NULL);

	if (shown && *shown && !add_quoted(tmp, line, shown))
		add_encoded(line, shown);
	add(line, angle, strlen(angle));
}

/* A host as it can stand in an address: one that cannot (an IPv6 address, letters beyond ASCII)
 * becomes a name that is as stable. */
const char *message_header_host(TALLOC_CTX *mem, const char *host)
{
	size_t len = strlen(host);

	if (len && len <= HOST_MAX && holds_only(host, '.', '-') && !strchr(".-", host[0]) && !strchr(".-", host[len - 1]) && !strstr(host, ".."))
		return host;
	return text_slug(mem, host, WORD_MAX);
}

/* A UID as it can stand in a Message-ID: those that we make can. */
static const char *id_of(TALLOC_CTX *mem, const char *uid)
{
	size_t len = strlen(uid);

	if (len && len <= ID_MAX && holds_only(uid, '-', '_'))
		return uid;
	return digest_short(mem, uid, len, 32);
}

/* RFC 5322 section 3.3. */
static void add_date(struct buf *out, int64_t us)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t s = us / CLOCK_SECOND_US - (us % CLOCK_SECOND_US < 0);
	int64_t day = s / DAY_S - (s % DAY_S < 0);
	int second = (int)(s - day * DAY_S), weekday = (int)((day % 7 + 7) % 7);
	int year, month, month_day;

	when_day_to_civil((int32_t)day, &year, &month, &month_day);
	buf_putc(out, ' ');
	buf_add(out, days + (size_t)3 * (size_t)weekday, 3);
	buf_puts(out, ", ");
	buf_number(out, month_day, 2);
	buf_putc(out, ' ');
	buf_add(out, months + (size_t)3 * (size_t)(month - 1), 3);
	buf_putc(out, ' ');
	buf_number(out, year, 4);
	buf_putc(out, ' ');
	buf_number(out, second / 3600, 2);
	buf_putc(out, ':');
	buf_number(out, second / 60 % 60, 2);
	buf_putc(out, ':');
	buf_number(out, second % 60, 2);
	buf_puts(out, " +0000");
}

/* Fields */

static bool says(enum message_own own, const struct message_publish *publish)
{
	if (own == MESSAGE_TO)
		return publish->to_email && is_ascii(publish->to_email) &&
		       text_is_address(publish->to_email);
	if (own == MESSAGE_REFERENCES)
		return publish->thread != NULL;
	if (own == MESSAGE_EDITION)
		return publish->edition > 0;
	if (own == MESSAGE_REPLY_TO)
		return publish->reply_to != NULL;
	return true;
}

static char *edition_of(TALLOC_CTX *mem, const struct message_publish *publish)
{
	const char *hash = publish->edition_hash;
	struct buf edition = buf_of(mem, sizeof "1000000000-9f86d081");

	buf_number(&edition, publish->edition, 0);
	if (hash)
		buf_join(&edition, "-", hash, NULL);
	return edition.data;
}

bool message_header_add(TALLOC_CTX *tmp, struct buf *out, enum message_own own,
			const struct message_publish *publish)
{
	const char *host = NULL;
	struct line line;

	if (!says(own, publish))
		return false;
	line = begin(out, names[own]);
	if (own == MESSAGE_FROM || own == MESSAGE_ID || own == MESSAGE_REFERENCES)
		host = message_header_host(tmp, publish->site_host);
	switch (own) {
	case MESSAGE_FROM:
		add_mailbox(tmp, &line, publish->from_name, mem_join(tmp, "taskferry@", host, NULL));
		break;
	case MESSAGE_TO:
		add_mailbox(tmp, &line, publish->to_name, publish->to_email);
		break;
	case MESSAGE_REPLY_TO:
		add_mailbox(tmp, &line, publish->from_name, publish->reply_to);
		break;
	case MESSAGE_SUBJECT:
		add_text(&line, text_trim_line(tmp, publish->subject, SUBJECT_MAX_CHARS));
		break;
	case MESSAGE_UID:
		add_text(&line, text_trim_line(tmp, publish->uid, strlen(publish->uid)));
		break;
	case MESSAGE_EDITION: {
		const char *edition = edition_of(tmp, publish);

		add_text(&line, text_trim_line(tmp, edition, strlen(edition)));
		break;
	}
	case MESSAGE_ID:
		buf_join(out, " <", id_of(tmp, publish->uid), ".", NULL);
		buf_number(out, publish->edition, 0);
		buf_join(out, "@", host, ">", NULL);
		break;
	case MESSAGE_REFERENCES: /* a message that never was, as all editions refer to it */
		buf_join(out, " <project.", id_of(tmp, publish->thread), "@", host, ">\r\n <",
			 id_of(tmp, publish->uid), "@", host, ">", NULL);
		break;
	case MESSAGE_DATE:
		add_date(out, publish->now_us);
		break;
	default:
		buf_puts(out, " 1.0");
		break;
	}
	end(&line);
	return true;
}

/* Multiparts */

void message_header_multipart(struct buf *out, const char *subtype, const char *boundary)
{
	buf_join(out, "Content-Type: multipart/", subtype, ";\r\n boundary=\"", boundary, "\"\r\n",
		 NULL);
}

static bool occurs(const struct buf *word, const struct message_slice *slice)
{
	const char *at = slice->text, *past = slice->text + slice->len;

	while ((at = memchr(at, *word->data, (size_t)(past - at)))) {
		if ((size_t)(past - at) >= word->len && memcmp(at, word->data, word->len) == 0)
			return true;
		at++;
	}
	return false;
}

/* "=_" occurs neither in quoted-printable nor in base64. The first choice is made of what anybody
 * may know; where somebody has put it into a text, the texts go into the next one, which nobody can
 * put into them. */
char *message_header_boundary(TALLOC_CTX *mem, const struct message_publish *publish,
			      const char *within, const struct message_slice *texts, size_t count)
{
	struct buf seed = buf_of(mem, FIRST_SEED), boundary = buf_of(mem, FIRST_SEED);
	bool taken;

	buf_puts(&seed, publish->uid);
	buf_putc(&seed, '\n');
	buf_number(&seed, publish->edition, 0);
	buf_putc(&seed, '\n');
	buf_puts(&seed, within);
	do {
		buf_clear(&boundary);
		buf_puts(&boundary, "=_taskferry-");
		digest_put(&boundary, seed.data, seed.len, 16);
		taken = false;
		for (size_t i = 0; i < count && !taken; i++)
			taken = occurs(&boundary, &texts[i]);
		for (size_t i = 0; i < count && taken; i++)
			digest_put(&seed, texts[i].text, texts[i].len, DIGEST_HEX);
	} while (taken);
	talloc_free(seed.data);
	return boundary.data;
}

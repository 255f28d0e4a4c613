#include "config.h"

#include "gateway/imap/imap_session_private.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "gateway/imap/imap_name.h"

/* A command is a list of pieces: text of ours, literals, replies. Only what this file has checked
 * gets into a text piece, so no argument can end a line and begin a command of its own. */

#define SOME_PIECES 4   /* more than most lines have */
#define FIRST_TEXT 60   /* bytes of most texts between literals */
#define QUOTED_MAX 1000 /* bytes: servers limit lines, literals less so */

static bool is_plain(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return true;
}

static bool is_quotable(const char *text)
{
	return strlen(text) <= QUOTED_MAX && is_plain(text) && !strpbrk(text, "\"\\");
}

static int bytes_wipe(char *bytes)
{
	explicit_bzero(bytes, talloc_get_size(bytes));
	return 0;
}

static struct imap_piece *piece_add(struct imap_line *line, enum imap_piece_kind kind,
				    struct buf bytes)
{
	struct imap_piece *piece;

	if (line->count % SOME_PIECES == 0)
		line->pieces =
			MEM_GROW(line, line->pieces, struct imap_piece, line->count + SOME_PIECES);
	piece = &line->pieces[line->count++];
	*piece = (struct imap_piece){ .kind = kind, .bytes = bytes };
	return piece;
}

static struct buf *open_text(struct imap_line *line)
{
	struct imap_piece *last = line->count ? &line->pieces[line->count - 1] : NULL;

	if (!last || last->kind != IMAP_PIECE_TEXT || last->secret)
		last = piece_add(line, IMAP_PIECE_TEXT, buf_of(line, FIRST_TEXT));
	return &last->bytes;
}

static bool says_fetches(const char *words)
{
	return !strncasecmp(words, "UID FETCH", strlen("UID FETCH")) ||
	       !strncasecmp(words, "UID STORE", strlen("UID STORE"));
}

struct imap_line *imap_line_new(TALLOC_CTX *mem, const char *words, bool writes)
{
	struct imap_line *line = MEM_NEW(mem, struct imap_line);

	line->writes = writes;
	line->fetches = says_fetches(words);
	imap_line_add(line, "%s", words);
	return line;
}

static void add_plain(struct imap_line *line, const char *text)
{
	assert(is_plain(text));
	buf_puts(open_text(line), text);
	line->size += strlen(text);
}

void imap_line_add(struct imap_line *line, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (strchr(fmt, '%'))
		text = mem_vprintf(line, fmt, ap);
	va_end(ap);
	add_plain(line, text ? text : fmt);
	talloc_free(text);
}

void imap_line_borrow(struct imap_line *line, const char *bytes, size_t n)
{
	if (memchr(bytes, '\0', n))
		line->refused = "a NUL character cannot be sent";
	(void)piece_add(line, IMAP_PIECE_LITERAL,
			(struct buf){ .data = (char *)(uintptr_t)bytes, .len = n });
	line->size += n;
}

void imap_line_literal(struct imap_line *line, const char *bytes, size_t n)
{
	imap_line_borrow(line, mem_bytes(line, bytes, n), n);
}

void imap_line_string(struct imap_line *line, const char *text)
{
	if (is_quotable(text))
		imap_line_add(line, "\"%s\"", text);
	else
		imap_line_literal(line, text, strlen(text));
}

void imap_line_mailbox(struct imap_line *line, const char *name)
{
	char *encoded = imap_name_encode(line, name);

	if (!encoded)
		line->refused = "not the name of a mailbox";
	imap_line_string(line, encoded ? encoded : "");
	talloc_free(encoded);
}

/* The bytes have their size from the start: what grows leaves copies behind. */
void imap_line_secret_bytes(struct imap_line *line, enum imap_piece_kind kind, const char *bytes,
			    size_t n)
{
	char *copy = mem_bytes(line, bytes, n);

	talloc_set_destructor(copy, bytes_wipe);
	piece_add(line, kind, (struct buf){ .data = copy, .len = n })->secret = true;
	line->secret = true;
	line->size += n;
}

void imap_line_secret(struct imap_line *line, const char *text)
{
	if (!is_quotable(text)) {
		imap_line_secret_bytes(line, IMAP_PIECE_LITERAL, text, strlen(text));
		return;
	}
	imap_line_add(line, "\"");
	imap_line_secret_bytes(line, IMAP_PIECE_TEXT, text, strlen(text));
	imap_line_add(line, "\"");
}

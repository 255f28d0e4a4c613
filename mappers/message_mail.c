#include "config.h"

#include "mappers/message_mail.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mappers/message_private.h"

/* ---- fields ---- */

struct header {
	TALLOC_CTX *mem;
	const struct message_tree *tree;
	struct message_mail *mail;
};

/* The value of a field as one line: folds are blanks. */
static char *value_of(TALLOC_CTX *mem, const struct message_tree *tree,
		      const struct message_field *field)
{
	char *value = mem_strndup(mem, tree->text + field->value, field->to - field->value);

	for (char *c = value; *c; c++)
		if (*c == '\r' || *c == '\n' || *c == '\t')
			*c = ' ';
	return value;
}

static void add_word(TALLOC_CTX *mem, struct message_words *words, size_t most, const char *word)
{
	if (words->count == most)
		return;
	words->list = MEM_GROW(mem, words->list, const char *, words->count + 1);
	words->list[words->count++] = word;
}

/* Behind a quoted string or a comment that begins at AT; the end of the text where it has none. */
static const char *past_quoted(const char *at)
{
	bool quote = *at == '"';
	int depth = 1;

	for (at++; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (!quote && *at == '(')
			depth++;
		else if (*at == (quote ? '"' : ')') && !--depth)
			return at + 1;
	}
	return at;
}

/* An address of a list (RFC 5322 section 3.4): what stands in < >, else what is left without comments
 * and quoted names. */
static void add_address(struct header *header, struct message_words *words, const char *bare,
			const char *angle)
{
	char *text = text_trim(header->mem, angle ? angle : bare);

	if (*text)
		add_word(header->mail, words, MESSAGE_MAIL_ADDRESSES_MAX,
			 text_lower(header->mail, text));
}

static void add_addresses(struct header *header, struct message_words *words, const char *value)
{
	struct buf *bare = buf_new(header->mem);
	char *angle = NULL;

	while (*value) {
		if (*value == '"' || *value == '(') {
			value = past_quoted(value);
			continue;
		}
		if (*value == '<') {
			size_t n = strcspn(value + 1, ">");

			angle = mem_strndup(header->mem, value + 1, n);
			value += n + 1 + (value[n + 1] == '>');
			continue;
		}
		if (*value == ',' || *value == ';') {
			add_address(header, words, bare->data, angle);
			buf_clear(bare);
			angle = NULL;
		} else if (*value == ':') {
			buf_clear(bare); /* a group's name */
		} else {
			buf_putc(bare, *value);
		}
		value++;
	}
	add_address(header, words, bare->data, angle);
}

/* "<a@b> <c@d>"; the last one is the nearest. */
static void add_references(struct header *header, const char *value)
{
	size_t len = strlen(value);

	while (len) {
		const char *open, *close;

		while (len && value[len - 1] != '>')
			len--;
		close = value + len - 1;
		while (len && value[len - 1] != '<')
			len--;
		open = value + len;
		if (len)
			add_word(header->mail, &header->mail->refs, MESSAGE_MAIL_REFS_MAX,
				 mem_strndup(header->mail, open, (size_t)(close - open)));
	}
}

/* ---- who wrote it ---- */

/* The first word of a value, in lower case. */
static char *first_word(TALLOC_CTX *mem, const char *value)
{
	value += strspn(value, " ");
	return text_lower(mem, mem_strndup(mem, value, strcspn(value, " ;,(")));
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

/* Fields that only machines write, and what their values must be for that (NULL: anything). */
static bool is_by_machine(TALLOC_CTX *mem, const char *name, const char *value)
{
	static const char *const marks[] = {
		"x-auto-response-suppress", "x-autoreply", "x-autorespond",
		"x-failed-recipients",      "list-id",     "list-unsubscribe",
		MESSAGE_UID_FIELD,          NULL
	};
	static const char *const precedences[] = { "bulk", "junk", "list", "auto_reply", NULL };
	const char *word = first_word(mem, value);

	for (size_t i = 0; marks[i]; i++)
		if (!strcasecmp(name, marks[i]))
			return true;
	if (!strcasecmp(name, "auto-submitted"))
		return strcmp(word, "no") != 0;
	if (!strcasecmp(name, "precedence"))
		return is_one_of(word, precedences);
	return !strcasecmp(name, "return-path") && !strcmp(text_trim(mem, value), "<>");
}

static void see_sender(struct message_mail *mail)
{
	for (size_t i = 0; i < mail->from.count && !mail->machine; i++)
		if (text_starts(mail->from.list[i], "mailer-daemon@") ||
		    text_starts(mail->from.list[i], "postmaster@"))
			mail->machine = "it is from a mail server";
}

/* ---- Authentication-Results ---- */

/* Without comments and quotes. */
static char *without_comments(TALLOC_CTX *mem, const char *value)
{
	struct buf *out = buf_new(mem);

	while (*value) {
		const char *past = *value == '(' || *value == '"' ? past_quoted(value) : NULL;

		if (past && *value == '"')
			for (const char *c = value + 1; c < past - 1; c++)
				buf_putc(out, *c == ';' ? ' ' : *c);
		else if (past)
			buf_putc(out, ' ');
		else
			buf_putc(out, *value);
		value = past ? past : value + 1;
	}
	return text_lower(mem, out->data);
}

/* The value behind `NAME =` in a clause, as a word of its own; NULL: it does not stand there. */
static char *property(TALLOC_CTX *mem, const char *clause, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = clause; (at = strstr(at, name)); at += len) {
		const char *behind = at + len + strspn(at + len, " ");

		if ((at != clause && at[-1] != ' ') || *behind != '=')
			continue;
		behind++;
		behind += strspn(behind, " ");
		return mem_strndup(mem, behind, strcspn(behind, " "));
	}
	return NULL;
}

/* What the fields of one server come to. */
struct verdict {
	bool said, failed;
	const char *domain;
};

static void judge(TALLOC_CTX *mem, char *clauses, struct verdict *verdict)
{
	char *save = NULL;

	for (char *clause = strtok_r(clauses, ";", &save); clause;
	     clause = strtok_r(NULL, ";", &save)) {
		const char *result = NULL, *domain;

		clause += strspn(clause, " ");
		if (text_starts(clause, "dmarc"))
			result = property(mem, clause, "dmarc");
		if (!result)
			continue;
		domain = property(mem, clause, "header.from");
		verdict->said = true;
		if (strcmp(result, "pass") != 0 || !domain ||
		    (verdict->domain && strcmp(verdict->domain, domain) != 0))
			verdict->failed = true;
		verdict->domain = domain;
	}
}

/* False: the field is of another server. */
static bool is_of(TALLOC_CTX *mem, const char *value, const char *authserv, char **clauses_r)
{
	char *plain = without_comments(mem, value), *end = strchr(plain, ';');
	char *id = first_word(mem, plain);

	if (!end || strcasecmp(id, authserv) != 0)
		return false;
	*clauses_r = end + 1;
	return true;
}

static void read_results(struct header *header, const char *authserv)
{
	const struct message_tree *tree = header->tree;
	const struct message_part *top = &tree->parts[0];
	struct verdict verdict = { .said = false };
	struct message_field field;
	bool begun = false;

	for (size_t at = top->from;
	     authserv && message_field_read(tree->text, at, top->body, &field); at = field.to) {
		char *clauses = NULL;
		bool of =
			message_field_is(tree->text, &field, "Authentication-Results") &&
			is_of(header->mem, value_of(header->mem, tree, &field), authserv, &clauses);

		if (of)
			judge(header->mem, clauses, &verdict);
		else if (begun)
			break;
		begun = begun || of;
	}
	if (verdict.said && !verdict.failed)
		header->mail->dmarc_domain = mem_strdup(header->mail, verdict.domain);
}

/* ---- the header ---- */

static const char *const recipients[] = { "X-Original-To", "Delivered-To", "Envelope-To",
					  "X-Envelope-To", "To",           "Cc" };

static void read_fields(struct header *header)
{
	const struct message_tree *tree = header->tree;
	const struct message_part *top = &tree->parts[0];
	struct message_mail *mail = header->mail;
	struct message_field field;
	int tos = 0;

	for (size_t at = top->from; message_field_read(tree->text, at, top->body, &field);
	     at = field.to) {
		const char *value = value_of(header->mem, tree, &field);
		char *name = mem_strndup(header->mem, tree->text + field.from, field.name_len);

		if (!strcasecmp(name, "From"))
			add_addresses(header, &mail->from, value);
		if (!strcasecmp(name, "To") && !tos++)
			add_addresses(header, &mail->only_to, value);
		if (!strcasecmp(name, "In-Reply-To"))
			add_references(header, value);
		if (!mail->machine && is_by_machine(header->mem, name, value))
			mail->machine = mem_printf(mail, "it has the field %s", name);
	}
	if (tos > 1)
		mail->only_to.count = 0;
	see_sender(mail);
}

static void read_named(struct header *header, const char *name,
		       void (*take)(struct header *header, const char *value))
{
	const struct message_tree *tree = header->tree;
	const struct message_part *top = &tree->parts[0];
	struct message_field field;

	for (size_t at = top->from; message_field_read(tree->text, at, top->body, &field);
	     at = field.to)
		if (message_field_is(tree->text, &field, name))
			take(header, value_of(header->mem, tree, &field));
}

static void take_recipients(struct header *header, const char *value)
{
	add_addresses(header, &header->mail->to, value);
}

static void take_id(struct header *header, const char *value)
{
	const char *open = strchr(value, '<'), *close = open ? strchr(open, '>') : NULL;

	if (close && !header->mail->message_id)
		header->mail->message_id =
			mem_strndup(header->mail, open + 1, (size_t)(close - open - 1));
}

/* ---- the body ---- */

static const struct message_part *find_part(const struct message_tree *tree, const char *type)
{
	for (uint32_t i = 0; i < tree->count; i++)
		if (!strcmp(tree->parts[i].kind.type, type) && !tree->parts[i].kind.file &&
		    tree->parts[i].kind.encoding != MESSAGE_OPAQUE)
			return &tree->parts[i];
	return NULL;
}

static const char *html_text(TALLOC_CTX *mem, const struct message_tree *tree)
{
	const struct message_part *part = find_part(tree, "text/html");
	char *bytes, *converted;
	size_t len = 0, plain_len = 0;
	bool clean;

	if (!part)
		return NULL;
	bytes = message_body_decode(mem, tree, part, &len);
	converted = part->kind.charset ? message_body_convert(mem, part->kind.charset, bytes, len,
							      &plain_len, &clean)
				       : NULL;
	return message_mail_plain(mem, converted ? message_body_plain(mem, converted, plain_len)
						 : message_body_plain(mem, bytes, len));
}

/* ---- an answer by a task program ---- */

static bool is_reply(TALLOC_CTX *mem, const struct message_tree *tree,
		     const struct message_part *part)
{
	char *type, *method;

	if (strcmp(part->kind.type, "text/calendar") != 0 || part->kind.encoding == MESSAGE_OPAQUE)
		return false;
	type = message_mime_value(mem, tree->text, part->from, part->body, "Content-Type");
	method = type ? message_param(mem, type, "method") : NULL;
	return method && text_equal_nocase(method, "REPLY");
}

static void read_reply(const struct header *header)
{
	const struct message_tree *tree = header->tree;
	struct message_mail *mail = header->mail;

	for (uint32_t i = 0; i < tree->count && !mail->reply; i++) {
		const struct message_part *part = &tree->parts[i];
		size_t len = 0;
		bool clean = true;
		char *text;

		if (!is_reply(header->mem, tree, part))
			continue;
		mail->reply = message_body_decode(mail, tree, part, &mail->reply_len);
		text = part->kind.charset
			       ? message_body_convert(mail, part->kind.charset, mail->reply,
						      mail->reply_len, &len, &clean)
			       : NULL;
		if (text && clean) {
			mail->reply = text;
			mail->reply_len = len;
		}
	}
}

static struct fault *read_mail(TALLOC_CTX *mem, const char *text, size_t len, const char *authserv,
			       struct message_mail *mail)
{
	struct header header = { .mem = mem, .mail = mail };
	struct message_tree *tree = NULL;
	struct message *message = NULL;

	FAULT_TRY(message_tree_parse(mem, text, len, &tree));
	FAULT_TRY(message_parse(mem, text, len, &message));
	header.tree = tree;
	if (text_starts(tree->parts[0].kind.type, "multipart/report"))
		mail->machine = "it is a report of a mail server";
	for (size_t i = 0; i < COUNT_OF(recipients); i++)
		read_named(&header, recipients[i], take_recipients);
	read_fields(&header);
	read_named(&header, "References", add_references);
	read_named(&header, "Message-ID", take_id);
	read_results(&header, authserv);
	mail->text = talloc_steal(mail, message->card);
	if (!mail->text)
		mail->text = mem_strdup(mail, html_text(mem, tree));
	mail->calendar = talloc_steal(mail, message->calendar);
	mail->calendar_len = message->calendar_len;
	read_reply(&header);
	return NULL;
}

struct fault *message_mail_read(TALLOC_CTX *mem, const char *text, size_t len, const char *authserv,
				struct message_mail **mail_r)
{
	struct message_mail *mail = MEM_NEW(mem, struct message_mail);
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct fault *fault = read_mail(work, text, len, authserv, mail);

	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(mail);
	} else {
		*mail_r = mail;
	}
	talloc_free(work);
	return fault;
}

/* ---- HTML ---- */

#define ENTITY_MAX 10 /* characters between & and ; */
#define TAG_MAX 16

static const struct {
	const char *name;
	const char *text;
} entities[] = { { "nbsp", " " }, { "amp", "&" },   { "lt", "<" },
		 { "gt", ">" },   { "quot", "\"" }, { "apos", "'" } };

static void put_code_point(struct buf *out, unsigned long c)
{
	if (c < ' ' || c == 0xa0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		buf_putc(out, ' ');
	} else if (c < 0x80) {
		buf_putc(out, (char)c);
	} else if (c < 0x800) {
		buf_putc(out, (char)(0xc0 | c >> 6));
		buf_putc(out, (char)(0x80 | (c & 63)));
	} else {
		if (c < 0x10000) {
			buf_putc(out, (char)(0xe0 | c >> 12));
		} else {
			buf_putc(out, (char)(0xf0 | c >> 18));
			buf_putc(out, (char)(0x80 | (c >> 12 & 63)));
		}
		buf_putc(out, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(out, (char)(0x80 | (c & 63)));
	}
}

/* Behind the entity at AT, or behind the & where it is none. */
static const char *put_entity(struct buf *out, const char *at)
{
	size_t n = strcspn(at + 1, "; \n<&");
	unsigned long code;

	if (n && n <= ENTITY_MAX && at[n + 1] == ';') {
		for (size_t i = 0; i < COUNT_OF(entities); i++)
			if (strlen(entities[i].name) == n &&
			    !strncasecmp(at + 1, entities[i].name, n)) {
				buf_puts(out, entities[i].text);
				return at + n + 2;
			}
		if (at[1] == '#') {
			bool is_hex = at[2] == 'x' || at[2] == 'X';

			code = strtoul(at + 2 + is_hex, NULL, is_hex ? 16 : 10);
			put_code_point(out, code);
			return at + n + 2;
		}
	}
	buf_putc(out, '&');
	return at + 1;
}

/* Lines end at blocks; what is quoted begins with a line `>`. */
static void put_tag(struct buf *out, const char *name)
{
	static const char *const blocks[] = { "br",  "p",  "/p",  "div",  "/div",  "tr",
					      "/tr", "li", "/li", "h1",   "/h1",   "h2",
					      "/h2", "hr", "pre", "/pre", "table", NULL };

	if (is_one_of(name, blocks) && out->len && out->data[out->len - 1] != '\n')
		buf_putc(out, '\n');
	else if (!strcmp(name, "br") || !strcmp(name, "/p"))
		buf_putc(out, '\n');
	if (!strcmp(name, "blockquote"))
		buf_puts(out, "\n>\n");
}

/* Elements whose content nobody sees: behind their end. */
static const char *past_hidden(const char *name, const char *at)
{
	static const char *const hidden[] = { "head", "style", "script", "title", NULL };
	size_t len = strlen(name);

	if (!is_one_of(name, hidden))
		return at;
	for (; *at; at++)
		if (at[0] == '<' && at[1] == '/' && !strncasecmp(at + 2, name, len))
			return at;
	return at;
}

static const char *past_tag(struct buf *out, const char *at)
{
	char name[TAG_MAX + 1] = "";
	size_t n = at[1] == '/' ? 1 + strcspn(at + 2, " \t\r\n>") : strcspn(at + 1, " \t\r\n/>");
	const char *end;

	if (text_starts(at, "<!--")) {
		end = strstr(at, "-->");
		return end ? end + 3 : at + strlen(at);
	}
	if (n <= TAG_MAX)
		for (size_t i = 0; i < n; i++)
			name[i] = at[1 + i] >= 'A' && at[1 + i] <= 'Z'
					  ? (char)(at[1 + i] - 'A' + 'a')
					  : at[1 + i];
	put_tag(out, name);
	end = strchr(at, '>');
	return end ? past_hidden(name, end + 1) : at + strlen(at);
}

char *message_mail_plain(TALLOC_CTX *mem, const char *html)
{
	struct buf *out = buf_new(mem);

	while (*html) {
		if (*html == '<') {
			html = past_tag(out, html);
		} else if (*html == '&') {
			html = put_entity(out, html);
		} else if (*html == '\n' || *html == '\r' || *html == '\t' || *html == ' ') {
			if (out->len && out->data[out->len - 1] != ' ' &&
			    out->data[out->len - 1] != '\n')
				buf_putc(out, ' ');
			html++;
		} else {
			buf_putc(out, *html++);
		}
	}
	return buf_steal(&out, mem, NULL);
}

#include "config.h"

#include "gateway/imap/imap_response.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* The design.
 *
 *   framing    memchr() from line end to line end, over literals; each byte is looked at once
 *   parsing    one walk over a copy, with a stack of open lists and no recursion; texts stay where
 *              they are in the copy and get their NUL at the end, when nothing is read any more
 *
 * 1. Both stop at the limits of the header, whatever the bytes say.
 * 2. Values have something between them (blank, bracket or quote), so the byte behind a text is
 *    never part of another text.
 * 3. A response that framing took for one stays one: the parser never asks for more bytes.
 */

#define BLOCK_FIRST 8U /* nodes: most responses have few */
#define BLOCK_MOST 4096U

/* Names of untagged responses whose arguments we may have to understand. Of any other, arguments
 * that are not well-formed are dropped instead of ending the session. */
static const char *const known_names[] = {
	"CAPABILITY", "ENABLED", "ESEARCH",  "EXISTS",    "EXPUNGE", "FETCH",  "FLAGS",  "ID",
	"LIST",       "LSUB",    "METADATA", "NAMESPACE", "RECENT",  "SEARCH", "STATUS", "VANISHED",
};

static const char *const status_names[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" };

static struct fault *not_understood(TALLOC_CTX *mem, const char *words)
{
	return fault_reaches(fault_new(mem, FAULT_PROTOCOL, "IMAP: %s", words), FAULT_SCOPE_ACCOUNT,
			     FAULT_NEXT_RETRY);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool name_in(const char *const *names, size_t count, const char *text, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == n && !strncasecmp(names[i], text, n))
			return true;
	return false;
}

static bool is_status_name(const char *text, size_t n)
{
	return name_in(status_names, COUNT_OF(status_names), text, n);
}

/* The word at P, up to a blank, a '[' or the line's end. */
static size_t word_length(const char *p, size_t n)
{
	size_t len = 0;

	while (len < n && p[len] != ' ' && p[len] != '[' && p[len] != '\r' && p[len] != '\n')
		len++;
	return len;
}

/* ---- framing ---- */

/* The length of a line without its end. */
static size_t line_content(const char *line, size_t n)
{
	if (n && line[n - 1] == '\n')
		n--;
	if (n && line[n - 1] == '\r')
		n--;
	return n;
}

/* True when the N bytes at P, without a line end, end with "{SIZE}" or "{SIZE+}". *SIZE_R is
 * SIZE_MAX for a number that is too large. */
static bool literal_announced(const char *p, size_t n, size_t *size_r)
{
	size_t digits, size = 0;

	if (n < 3 || p[n - 1] != '}')
		return false;
	n -= p[n - 2] == '+' ? 2 : 1;
	for (digits = 0; digits < n && is_digit(p[n - digits - 1]); digits++)
		;
	if (!digits || digits == n || p[n - digits - 1] != '{')
		return false;
	for (size_t i = n - digits; i < n; i++)
		if (size != SIZE_MAX)
			size = size > IMAP_RESPONSE_MAX ? SIZE_MAX
							: size * 10 + (size_t)(p[i] - '0');
	*size_r = size;
	return true;
}

/* True while the brackets of a code are open at the end of the N bytes. */
static bool code_is_open(const char *p, size_t n)
{
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			quoted = !quoted;
		else if (p[i] == ']' && !quoted)
			return false;
	}
	return true;
}

/* What the first line says about those that follow. */
static int first_line_state(const char *line, size_t n)
{
	size_t at = 0, len;

	if (n && line[0] == '+') {
		at = 1;
	} else {
		len = word_length(line, n);
		at = len < n ? len + 1 : len;
		len = word_length(line + at, n - at);
		if (n && line[0] == '*' && !is_status_name(line + at, len))
			return IMAP_FRAME_DATA;
		at += len;
	}
	while (at < n && line[at] == ' ')
		at++;
	return at < n && line[at] == '[' ? IMAP_FRAME_CODE : IMAP_FRAME_TEXT;
}

/* One whole line of LEN bytes; *ENDS_R: the response ends with it. */
static struct fault *frame_line(TALLOC_CTX *mem, struct imap_frame *frame, const char *line,
				size_t len, bool *ends_r)
{
	size_t n = line_content(line, len), size = 0;

	frame->lines += len;
	if (frame->lines > IMAP_LINE_MAX)
		return not_understood(mem, "a response line is longer than allowed");
	if (frame->state == IMAP_FRAME_NEW)
		frame->state = first_line_state(line, n);
	if (frame->state == IMAP_FRAME_CODE && !code_is_open(line, n))
		frame->state = IMAP_FRAME_TEXT;
	*ends_r = frame->state == IMAP_FRAME_TEXT || !literal_announced(line, n, &size);
	if (*ends_r)
		size = 0;
	if (size > IMAP_LITERAL_MAX)
		return not_understood(mem, "a literal is longer than allowed");
	if (frame->line + len + size > IMAP_RESPONSE_MAX)
		return not_understood(mem, "a response is longer than allowed");
	if (!*ends_r) {
		frame->line += len + size;
		frame->at = frame->line;
	}
	return NULL;
}

struct fault *imap_response_frame_on(TALLOC_CTX *mem, struct imap_frame *frame, const char *p,
				     size_t n, size_t *len_r)
{
	while (frame->at < n) {
		const char *end = memchr(p + frame->at, '\n', n - frame->at);
		size_t len;
		bool ends = false;

		if (!end) {
			frame->at = n;
			if (n - frame->line > IMAP_LINE_MAX - frame->lines)
				return not_understood(mem,
						      "a response line is longer than allowed");
			break;
		}
		len = (size_t)(end - p) + 1 - frame->line;
		FAULT_TRY(frame_line(mem, frame, p + frame->line, len, &ends));
		if (!ends)
			continue;
		*len_r = frame->line + len;
		return NULL;
	}
	*len_r = 0;
	return NULL;
}

struct fault *imap_response_frame(TALLOC_CTX *mem, const char *p, size_t n, size_t *len_r)
{
	struct imap_frame frame = { 0 };

	return imap_response_frame_on(mem, &frame, p, n, len_r);
}

/* ---- parsing ---- */

struct block {
	struct block *next;
	unsigned used, size;
	struct imap_node nodes[];
};

struct parser {
	struct imap_response *response; /* owns all */
	char *p, *end;                  /* end: the last line's end, a NUL */
	bool in_code;                   /* a ']' ends it, outside of all lists */
	bool no_brackets;               /* no ']' is left for a '[' in an atom */
	struct block *blocks;           /* newest first */
	unsigned nodes;
	struct imap_node *open[IMAP_DEPTH_MAX]; /* lists, innermost last */
	struct imap_node **tails[IMAP_DEPTH_MAX + 1];
	size_t depth;
};

static struct imap_node *node_new(struct parser *parser, enum imap_node_kind kind)
{
	struct block *block = parser->blocks;
	struct imap_node *node;

	if (++parser->nodes > IMAP_NODES_MAX)
		return NULL;
	if (!block || block->used == block->size) {
		unsigned size = !block                      ? BLOCK_FIRST
				: block->size >= BLOCK_MOST ? BLOCK_MOST
							    : block->size * 2;

		block = mem_must(talloc_zero_size(parser->response,
						  sizeof *block + size * sizeof block->nodes[0]));
		block->size = size;
		block->next = parser->blocks;
		parser->blocks = block;
	}
	node = &block->nodes[block->used++];
	node->kind = kind;
	node->text = "";
	*parser->tails[parser->depth] = node;
	parser->tails[parser->depth] = &node->next;
	return node;
}

static bool text_node(struct parser *parser, enum imap_node_kind kind, char *text, char *end)
{
	struct imap_node *node = node_new(parser, kind);

	if (!node)
		return false;
	node->text = text;
	node->len = (size_t)(end - text);
	return true;
}

/* The NULs behind the texts (2). */
static void end_texts(struct parser *parser)
{
	for (struct block *block = parser->blocks; block; block = block->next)
		for (unsigned i = 0; i < block->used; i++)
			if (block->nodes[i].kind <= IMAP_STRING)
				((char *)block->nodes[i].text)[block->nodes[i].len] = '\0';
}

static bool parse_quoted(struct parser *parser)
{
	char *from = ++parser->p, *to = from, *start = from;

	for (; from < parser->end && *from != '"'; from++) {
		if (*from == '\\')
			from++;
		if (from >= parser->end || *from == '\r' || *from == '\n' || !*from)
			return false;
		*to++ = *from;
	}
	if (from >= parser->end)
		return false;
	parser->p = from + 1;
	return text_node(parser, IMAP_STRING, start, to);
}

/* "{5}" and its line end at P: where its bytes begin, and how many; false: it is not a literal. */
static bool literal_here(const struct parser *parser, char *p, char **start_r, size_t *size_r)
{
	char *close = p + 1;

	while (close < parser->end && (is_digit(*close) || *close == '+'))
		close++;
	if (close >= parser->end || *close != '}' ||
	    !literal_announced(p, (size_t)(close + 1 - p), size_r))
		return false;
	close++;
	if (close < parser->end && *close == '\r')
		close++;
	if (close >= parser->end || *close != '\n' || *size_r > (size_t)(parser->end - close - 1))
		return false;
	*start_r = close + 1;
	return true;
}

static bool ends_value(const struct parser *parser, char c)
{
	return c == ' ' || c == '(' || c == ')' || c == '"' ||
	       (c == ']' && parser->in_code && !parser->depth);
}

static bool parse_literal(struct parser *parser, char *start, size_t size)
{
	parser->p = start + size;
	if (parser->p < parser->end && !ends_value(parser, *parser->p))
		return false;
	return text_node(parser, IMAP_STRING, start, parser->p);
}

/* Behind the ']' that belongs to the '[' at FROM; NULL: there is none, or a NUL before it. */
static char *behind_brackets(struct parser *parser, char *from)
{
	bool quoted = false;
	char *p;

	for (p = from; p < parser->end; p++) {
		char *start;
		size_t size;

		if (*p == ']' && !quoted)
			break;
		if (quoted && *p == '\\')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '{' && !quoted && literal_here(parser, p, &start, &size))
			p = start + size - 1;
	}
	if (p < parser->end && !memchr(from, '\0', (size_t)(p - from)))
		return p + 1;
	parser->no_brackets = true;
	return NULL;
}

/* `BODY[...]`, `BINARY[...]`: a '[' behind letters holds more than an atom may. */
static bool opens_brackets(const struct parser *parser, const char *atom, const char *p)
{
	if (parser->in_code || parser->no_brackets || p == atom)
		return false;
	for (; atom < p; atom++)
		if (!is_letter(*atom) && !is_digit(*atom) && *atom != '.' && *atom != '-')
			return false;
	return true;
}

static bool ends_atom(const struct parser *parser, char c)
{
	return c == ' ' || c == '(' || c == ')' || c == '\r' || c == '\n' || !c ||
	       (c == ']' && parser->in_code && !parser->depth);
}

static bool parse_atom(struct parser *parser)
{
	char *start = parser->p, *p = start;

	while (p < parser->end && !ends_atom(parser, *p)) {
		char *behind = *p == '[' && opens_brackets(parser, start, p)
				       ? behind_brackets(parser, p)
				       : NULL;

		p = behind ? behind : p + 1;
	}
	if (p == start)
		return false;
	parser->p = p;
	if (p - start == 3 && !strncasecmp(start, "NIL", 3))
		return node_new(parser, IMAP_NIL) != NULL;
	return text_node(parser, IMAP_ATOM, start, p);
}

static bool open_list(struct parser *parser)
{
	struct imap_node *list;

	if (parser->depth == IMAP_DEPTH_MAX)
		return false;
	list = node_new(parser, IMAP_LIST);
	if (!list)
		return false;
	parser->open[parser->depth++] = list;
	parser->tails[parser->depth] = &list->first;
	parser->p++;
	return true;
}

static bool parse_value(struct parser *parser)
{
	char *p = parser->p, *start;
	size_t size;

	if (*p == '(')
		return open_list(parser);
	if (*p == ')') {
		parser->p++;
		return parser->depth-- > 0;
	}
	if (*p == '"')
		return parse_quoted(parser);
	p += *p == '~' && p + 1 < parser->end && p[1] == '{';
	if (*p == '{' && literal_here(parser, p, &start, &size))
		return parse_literal(parser, start, size);
	return parse_atom(parser);
}

/* All values from P to the end, or to the ']' of a code. */
static bool parse_values(struct parser *parser, struct imap_node **first_r)
{
	struct imap_node *first = NULL;

	parser->depth = 0;
	parser->tails[0] = &first;
	while (parser->p < parser->end) {
		if (*parser->p == ' ')
			parser->p++;
		else if (parser->in_code && !parser->depth && *parser->p == ']')
			break;
		else if (!parse_value(parser))
			return false;
	}
	if (parser->depth || (parser->in_code && parser->p == parser->end))
		return false;
	end_texts(parser);
	*first_r = first;
	return true;
}

static char *upper(TALLOC_CTX *mem, const char *text, size_t n)
{
	char *copy = mem_bytes(mem, text, n);

	for (char *c = copy; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	return copy;
}

/* A parser of its own copy of the bytes, so that what it cannot read stays as it was. */
static struct parser parser_of(struct imap_response *response, const char *p, const char *end)
{
	size_t n = (size_t)(end - p);
	struct parser parser = { .response = response };

	parser.p = mem_bytes(response, p, n);
	parser.end = parser.p + n;
	return parser;
}

/* `[CODE ...] text`, each of both may be missing. NUL in the text: false. */
static bool parse_status(struct imap_response *response, const char *p, const char *end)
{
	const char *cut = memchr(p, '\0', (size_t)(end - p));
	const char *text = p;

	while (text < end && *text == ' ')
		text++;
	if (text < end && *text == '[') {
		struct parser parser = parser_of(response, text, end);
		char *name = ++parser.p;

		parser.in_code = true;
		while (parser.p < parser.end && !ends_atom(&parser, *parser.p))
			parser.p++;
		response->code = upper(response, name, (size_t)(parser.p - name));
		if (parse_values(&parser, &response->code_args)) {
			text += (parser.p + 1) - (name - 1);
			cut = memchr(text, '\0', (size_t)(end - text));
		} else {
			const char *close = memchr(text, ']', (size_t)(end - text));

			text = close ? close + 1 : text;
		}
	}
	if (cut)
		return false;
	while (text < end && *text == ' ')
		text++;
	for (cut = text; cut < end && *cut != '\r' && *cut != '\n';)
		cut++;
	response->text = text_to_utf8(response, text, (size_t)(cut - text));
	return true;
}

/* Behind the name of an untagged response. NUL outside of literals: false. */
static bool parse_args(struct imap_response *response, const char *p, const char *end)
{
	struct parser parser = parser_of(response, p, end);

	if (parse_values(&parser, &response->args))
		return true;
	return !name_in(known_names, COUNT_OF(known_names), response->name, strlen(response->name));
}

/* `12 EXISTS`: the number. False: too large. */
static bool take_number(const char **p, const char *end, uint32_t *number_r)
{
	const char *c = *p;
	uint64_t number = 0;

	while (c < end && is_digit(*c) && number <= UINT32_MAX)
		number = number * 10 + (uint64_t)(*c++ - '0');
	if (number > UINT32_MAX)
		return false;
	if (c == *p || c == end || *c != ' ')
		return true;
	*number_r = (uint32_t)number;
	*p = c + 1;
	return true;
}

/* A tag, or a name, in upper case: printable ASCII, nothing else. NULL: it is none. */
static const char *take_word(struct imap_response *response, const char **p, const char *end,
			     bool is_tag)
{
	size_t n = word_length(*p, (size_t)(end - *p));
	const char *word = *p;

	for (size_t i = 0; i < n; i++)
		if (word[i] <= ' ' || word[i] > '~' || strchr("(){\"", word[i]))
			return NULL;
	if (!n)
		return NULL;
	*p += n;
	if (is_tag && *p < end && **p == ' ')
		(*p)++;
	return is_tag ? mem_bytes(response, word, n) : upper(response, word, n);
}

static bool parse_response(struct imap_response *response, const char *p, const char *end)
{
	if (p < end && *p == '+') {
		response->kind = IMAP_CONTINUE;
		return parse_status(response, p + 1, end);
	}
	response->kind = end - p >= 2 && !memcmp(p, "* ", 2) ? IMAP_UNTAGGED : IMAP_TAGGED;
	if (response->kind == IMAP_UNTAGGED)
		p += 2;
	else
		response->tag = take_word(response, &p, end, true);
	if (response->kind == IMAP_TAGGED && !response->tag)
		return false;
	if (response->kind == IMAP_UNTAGGED && !take_number(&p, end, &response->number))
		return false;
	response->name = take_word(response, &p, end, false);
	if (!response->name)
		return false;
	if (!response->number && is_status_name(response->name, strlen(response->name)))
		return parse_status(response, p, end);
	return response->kind == IMAP_UNTAGGED && parse_args(response, p, end);
}

struct fault *imap_response_parse(TALLOC_CTX *mem, const char *p, size_t n,
				  struct imap_response **response_r)
{
	struct imap_response *response = MEM_NEW(mem, struct imap_response);

	response->name = "";
	response->text = "";
	if (!parse_response(response, p, p + line_content(p, n))) {
		talloc_free(response);
		return not_understood(mem, "not a response, or one that we cannot read");
	}
	*response_r = response;
	return NULL;
}

/* ---- looking at trees ---- */

bool imap_node_is(const struct imap_node *node, const char *word)
{
	return node && (node->kind == IMAP_ATOM || node->kind == IMAP_STRING) &&
	       node->len == strlen(word) && !strcasecmp(node->text, word);
}

bool imap_node_has(const struct imap_node *list, const char *word)
{
	for (const struct imap_node *node = list->first; node; node = node->next)
		if (imap_node_is(node, word))
			return true;
	return false;
}

const struct imap_node *imap_node_after(const struct imap_node *first, const char *word)
{
	for (const struct imap_node *node = first; node && node->next; node = node->next->next)
		if (imap_node_is(node, word))
			return node->next;
	return NULL;
}

bool imap_node_u64(const struct imap_node *node, uint64_t *value_r)
{
	uint64_t value = 0;

	if (!node || node->kind != IMAP_ATOM || !node->len)
		return false;
	for (size_t i = 0; i < node->len; i++) {
		uint64_t digit = (uint64_t)(node->text[i] - '0');

		if (!is_digit(node->text[i]) || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_r = value;
	return true;
}

bool imap_node_u32(const struct imap_node *node, uint32_t *value_r)
{
	uint64_t value;

	if (!imap_node_u64(node, &value) || value > UINT32_MAX)
		return false;
	*value_r = (uint32_t)value;
	return true;
}

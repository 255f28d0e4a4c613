#include "config.h"

#include "decide/expr_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "decide/rules.h"

/* A scanner over an allow-list (E3, E4): every token is a blank, a string, a number, an operator, a
 * parenthesis, a comma, or a word of the lists. SQLite's parser judges the order of the tokens.
 */

#define HINT_DISTANCE 3 /* edits between a word and what may have been meant */
#define WORD_MAX 64     /* bytes: no word that we know is longer */
#define BLANKS " \t\r\n"

struct scan {
	TALLOC_CTX *mem; /* for faults */
	struct expr *expr;
	struct buf *sql;
	const char *at; /* NUL-terminated */
	struct {
		int function; /* whose arguments stand here; -1: none */
		int commas;
		bool filled; /* something stands here */
	} open[RULES_DEPTH_MAX];
	int depth;
	int called; /* the function whose name was just read, its parenthesis follows; -1: none */
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

/* Longest first. */
static const char *const operators[] = { "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "=", "<",
					 ">",  "+",  "-",  "*",  "/",  "%",  "&",  "|",  "~" };

static const char *const keywords[] = { "and",     "between", "binary",  "case",   "cast",
					"collate", "else",    "end",     "as",     "escape",
					"false",   "glob",    "in",      "int",    "integer",
					"is",      "isnull",  "like",    "nocase", "not",
					"notnull", "null",    "numeric", "or",     "real",
					"text",    "then",    "true",    "when" };

/* What begins like something else but is refused, with the reason. */
static const struct {
	const char *begin, *why;
} refusals[] = {
	{ "--", "comments are not allowed (for minus a negative number write - -1 with a blank)" },
	{ "/*", "comments are not allowed" },
	{ "->", "the JSON operators are not allowed" },
	{ "\"", "double quotes are not allowed; a text is written '...'" },
	{ "`", "backticks are not allowed; a text is written '...'" },
	{ "[", "brackets are not allowed" },
	{ "]", "brackets are not allowed" },
	{ ";", "a rule is one expression; a semicolon is not allowed" },
	{ "?", "parameters are not allowed; write new.FIELD or old.FIELD" },
	{ ":", "parameters are not allowed; write new.FIELD or old.FIELD" },
	{ "@", "parameters are not allowed; write new.FIELD or old.FIELD" },
	{ "$", "parameters are not allowed; write new.FIELD or old.FIELD" },
};

static struct fault *refuse(struct scan *scan, const char *why)
{
	return fault_new(scan->mem, FAULT_CONFIG, "%s", why);
}

static bool keyword_find(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(keywords); i++)
		if (text_equal_nocase(keywords[i], word))
			return true;
	return false;
}

/* Takes SUGGESTION for *BEST when CANDIDATE is nearer to WORD than *LEAST. */
static void nearer(const char *word, const char *candidate, const char *suggestion, size_t *least,
		   const char **best)
{
	size_t distance = text_distance(word, candidate);

	if (distance < *least) {
		*least = distance;
		*best = suggestion;
	}
}

/* The nearest word that we know, to be suggested; NULL if none is near. */
static const char *nearest(const char *word)
{
	size_t least = strlen(word) / 3 + 1;
	const char *best = NULL;

	if (least > HINT_DISTANCE + 1)
		least = HINT_DISTANCE + 1;
	for (int i = 0; i < EXPR_NAMES; i++)
		nearer(word, expr_name_text((enum expr_name)i), expr_name_text((enum expr_name)i),
		       &least, &best);
	for (int i = 0; i < FIELDS; i++)
		nearer(word, field_table[i].name, expr_name_text((enum expr_name)(EXPR_NEW + i)),
		       &least, &best);
	for (size_t i = 0; expr_function_name(i); i++)
		nearer(word, expr_function_name(i), expr_function_name(i), &least, &best);
	for (size_t i = 0; i < COUNT_OF(keywords); i++)
		nearer(word, keywords[i], keywords[i], &least, &best);
	return best;
}

static struct fault *unknown(struct scan *scan, const char *word)
{
	const char *low = text_lower(scan->mem, word), *near;

	if (strlen(word) > WORD_MAX)
		return refuse(scan, "a word of this length is not known in a rule");
	if (field_find(low) < FIELDS)
		return fault_new(scan->mem, FAULT_CONFIG, "%s: write new.%s or old.%s", word, low,
				 low);
	near = nearest(low);
	if (near)
		return fault_new(scan->mem, FAULT_CONFIG,
				 "%s is not known in a rule; did you mean %s?", word, near);
	return fault_new(scan->mem, FAULT_CONFIG, "%s is not known in a rule", word);
}

/* Something that is not a parenthesis or a comma was read. */
static void filled(struct scan *scan)
{
	if (scan->depth)
		scan->open[scan->depth - 1].filled = true;
}

static void put_name(struct scan *scan, enum expr_name name)
{
	struct expr *expr = scan->expr;
	int i = 0;

	while (i < expr->parameters && expr->parameter[i] != name)
		i++;
	if (i == expr->parameters)
		expr->parameter[expr->parameters++] = name;
	buf_printf(scan->sql, "?%d", i + 1);
}

static enum expr_name name_find(const char *word)
{
	int i = 0;

	while (i < EXPR_NAMES && !text_equal_nocase(expr_name_text((enum expr_name)i), word))
		i++;
	return (enum expr_name)i;
}

/* A word, with dots: a function if a parenthesis follows, a keyword, or a name. */
static struct fault *scan_word(struct scan *scan)
{
	size_t len = strspn(scan->at, LETTERS DIGITS ".");
	const char *word = mem_strndup(scan->mem, scan->at, len);
	bool called = scan->at[len + strspn(scan->at + len, BLANKS)] == '(';
	int function = expr_function_find(word);
	enum expr_name name = name_find(word);

	scan->at += len;
	filled(scan);
	if (name < EXPR_NAMES) {
		put_name(scan, name);
		return NULL;
	}
	if (!keyword_find(
		    word)) { /* LIKE ( ... is the operator; SQLite counts the values of like() */
		if (function < 0)
			return unknown(scan, word);
		if (!called)
			return fault_new(scan->mem, FAULT_CONFIG, "%s is a function: write %s(...)",
					 word, word);
		scan->called = function;
	}
	buf_puts(scan->sql, word);
	return NULL;
}

static struct fault *scan_string(struct scan *scan)
{
	const char *end = scan->at + 1;

	while (*end && (*end != '\'' || end[1] == '\''))
		end += *end == '\'' ? 2 : 1;
	if (!*end)
		return refuse(scan, "a text '...' is not closed");
	buf_add(scan->sql, scan->at, (size_t)(end + 1 - scan->at));
	scan->at = end + 1;
	filled(scan);
	return NULL;
}

static struct fault *scan_number(struct scan *scan)
{
	const char *end = scan->at;

	if (end[0] == '0' && (end[1] == 'x' || end[1] == 'X')) {
		end += 2 + strspn(end + 2, HEX_DIGITS);
	} else {
		end += strspn(end, DIGITS);
		if (*end == '.')
			end += 1 + strspn(end + 1, DIGITS);
		if (*end == 'e' || *end == 'E') {
			const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');

			end = exponent + strspn(exponent, DIGITS);
		}
	}
	if (*end && strchr(LETTERS DIGITS ".", *end))
		return refuse(scan, "a number is not written that way");
	buf_add(scan->sql, scan->at, (size_t)(end - scan->at));
	scan->at = end;
	filled(scan);
	return NULL;
}

static struct fault *scan_open(struct scan *scan)
{
	filled(scan);
	if (scan->depth == RULES_DEPTH_MAX)
		return refuse(scan, "too many parentheses within each other");
	scan->open[scan->depth].function = scan->called;
	scan->open[scan->depth].commas = 0;
	scan->open[scan->depth].filled = false;
	scan->depth++;
	scan->called = -1;
	buf_putc(scan->sql, *scan->at++);
	return NULL;
}

/* Has the function as many values as it takes? */
static struct fault *check_args(struct scan *scan, int function, int args)
{
	int min, max;

	expr_function_args(function, &min, &max);
	if (args >= min && args <= max)
		return NULL;
	return fault_new(scan->mem, FAULT_CONFIG, "%s() takes %s%d value%s, not %d",
			 expr_function_name((size_t)function),
			 min == max   ? ""
			 : args < min ? "at least "
				      : "at most ",
			 args < min ? min : max, (args < min ? min : max) == 1 ? "" : "s", args);
}

static struct fault *scan_close(struct scan *scan)
{
	int function, args;

	if (!scan->depth)
		return refuse(scan, "a closing parenthesis without an opening one");
	scan->depth--;
	function = scan->open[scan->depth].function;
	args = scan->open[scan->depth].filled ? scan->open[scan->depth].commas + 1 : 0;
	if (function >= 0)
		FAULT_TRY(check_args(scan, function, args));
	buf_putc(scan->sql, *scan->at++);
	return NULL;
}

static struct fault *scan_comma(struct scan *scan)
{
	if (!scan->depth)
		return refuse(scan, "a rule is one expression, not a list");
	scan->open[scan->depth - 1].commas++;
	buf_putc(scan->sql, *scan->at++);
	return NULL;
}

static struct fault *scan_operator(struct scan *scan)
{
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		if (text_starts(scan->at, refusals[i].begin))
			return refuse(scan, refusals[i].why);
	for (size_t i = 0; i < COUNT_OF(operators); i++)
		if (text_starts(scan->at, operators[i])) {
			buf_puts(scan->sql, operators[i]);
			scan->at += strlen(operators[i]);
			filled(scan);
			return NULL;
		}
	if ((unsigned char)*scan->at >= 0x80)
		return refuse(scan, "letters outside of ASCII are allowed within '...' only");
	if ((unsigned char)*scan->at < 0x20 || *scan->at == 0x7f)
		return refuse(scan, "a control character is not allowed");
	return fault_new(scan->mem, FAULT_CONFIG, "%c is not allowed", *scan->at);
}

static struct fault *scan_token(struct scan *scan)
{
	char c = *scan->at;

	if (strchr(BLANKS, c)) {
		buf_putc(scan->sql, *scan->at++);
		return NULL;
	}
	if (c == '\'')
		return scan_string(scan);
	if (strchr(DIGITS, c) || (c == '.' && scan->at[1] && strchr(DIGITS, scan->at[1])))
		return scan_number(scan);
	if (strchr(LETTERS, c))
		return scan_word(scan);
	if (c == '(')
		return scan_open(scan);
	if (c == ')')
		return scan_close(scan);
	if (c == ',')
		return scan_comma(scan);
	return scan_operator(scan);
}

struct fault *expr_scan(TALLOC_CTX *mem, struct expr *expr, const char *text, char **sql_r)
{
	struct scan scan = {
		.mem = mem, .expr = expr, .at = text, .sql = buf_new(mem), .called = -1
	};

	if (!text[strspn(text, BLANKS)])
		return refuse(&scan, "the expression is empty");
	while (*scan.at)
		FAULT_TRY(scan_token(&scan));
	if (scan.depth)
		return refuse(&scan, "a parenthesis is not closed");
	*sql_r = buf_steal(&scan.sql, mem, NULL);
	return NULL;
}

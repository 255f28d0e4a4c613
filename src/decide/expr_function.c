#include "config.h"

#include "decide/expr_private.h"

#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "decide/rules.h"
#include "model/when.h"

/* One list serves the scanner, the authorizer and the registration (E1). What is superlinear in
 * SQLite is replaced and counted (like, glob, instr, replace), or refused (trim with a set of
 * characters); what knows the time is replaced by functions that only read what they are given
 * (date, julianday); what would be an aggregate is refused (max of one).
 */

#define DATE_TEXT_MAX 64       /* bytes: no date is longer */
#define DAYS_MAX 999999        /* a distance in days: all years that we know, both ways */
#define JULIAN_EPOCH 2440587.5 /* the Julian day of 1970-01-01T00:00:00Z */
#define US_PER_DAY 86400e6

/* Takes COST off the budget; false, with the error set, when it is used up. */
static bool work(sqlite3_context *ctx, int64_t cost)
{
	struct expr_engine *engine = sqlite3_user_data(ctx);

	engine->work_left -= cost;
	if (engine->work_left >= 0)
		return true;
	sqlite3_result_error(ctx, "searching through so much text takes too long", -1);
	return false;
}

/* The text of a value and its length; NULL for NULL. */
static const char *text_of(sqlite3_value *value, size_t *len_r)
{
	const char *text = (const char *)sqlite3_value_text(value);

	*len_r = text ? (size_t)sqlite3_value_bytes(value) : 0;
	return text;
}

/* The first place of NEEDLE (not empty) in HAY; NULL if there is none. */
static const char *find(const char *hay, size_t n, const char *needle, size_t m)
{
	const char *end = hay + n;

	while ((size_t)(end - hay) >= m) {
		hay = memchr(hay, needle[0], (size_t)(end - hay) - m + 1);
		if (!hay || !memcmp(hay, needle, m))
			return hay;
		hay++;
	}
	return NULL;
}

/* Pattern and text of like() and glob(), with the limits looked at; false: NULL or refused, the
 * result is set. */
static bool pattern_args(sqlite3_context *ctx, sqlite3_value **argv, const char **pattern_r,
			 const char **text_r)
{
	size_t n, m;
	const char *pattern = text_of(argv[0], &m);
	const char *text = text_of(argv[1], &n);

	if (!pattern || !text)
		return false;
	if (m > RULES_LIKE_MAX) {
		sqlite3_result_error(ctx, "the pattern is too long", -1);
		return false;
	}
	*pattern_r = pattern;
	*text_r = text;
	return work(ctx, (int64_t)(n + 1) * (int64_t)(m + 1));
}

static void function_like(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *pattern, *text, *escape = "";
	size_t len;

	if (argc == 3) {
		escape = text_of(argv[2], &len);
		if (!escape)
			return;
		if (len != 1 || (unsigned char)*escape >= 0x80) {
			sqlite3_result_error(ctx, "ESCAPE takes one ASCII character", -1);
			return;
		}
	}
	if (pattern_args(ctx, argv, &pattern, &text))
		sqlite3_result_int(ctx, !sqlite3_strlike(pattern, text, (unsigned char)*escape));
}

static void function_glob(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *pattern, *text;

	(void)argc;
	if (pattern_args(ctx, argv, &pattern, &text))
		sqlite3_result_int(ctx, !sqlite3_strglob(pattern, text));
}

static void function_instr(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	size_t n, m;
	const char *text = text_of(argv[0], &n);
	const char *needle = text_of(argv[1], &m);
	const char *found;
	int chars = 1;

	(void)argc;
	if (!text || !needle || !work(ctx, (int64_t)(n + 1) * (int64_t)(m + 1)))
		return;
	found = m ? find(text, n, needle, m) : text;
	for (const char *c = text; found && c < found; c++)
		chars += ((unsigned char)*c & 0xc0) != 0x80;
	sqlite3_result_int(ctx, found ? chars : 0);
}

static void function_replace(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	size_t n, m, k;
	const char *text = text_of(argv[0], &n);
	const char *old = text_of(argv[1], &m);
	const char *new = text_of(argv[2], &k);
	const char *end = text ? text + n : NULL;
	struct buf *out;

	(void)argc;
	if (!text || !old || !new || !work(ctx, (int64_t)(n + 1) * (int64_t)(m + 1)))
		return;
	out = buf_new(sqlite3_user_data(ctx));
	for (const char *hit; m && (hit = find(text, (size_t)(end - text), old, m));
	     text = hit + m) {
		buf_add(out, text, (size_t)(hit - text));
		buf_add(out, new, k);
		if (out->len > RULES_LENGTH_MAX)
			break;
	}
	buf_add(out, text, (size_t)(end - text));
	if (out->len > RULES_LENGTH_MAX)
		sqlite3_result_error_toobig(ctx);
	else
		sqlite3_result_text(ctx, out->data, (int)out->len, SQLITE_TRANSIENT);
	talloc_free(out);
}

/* "+7 days", "-1 day" as a number of days. */
static bool days_from_text(TALLOC_CTX *mem, const char *text, int64_t *days_r)
{
	const char *digits = text + (*text == '+' || *text == '-');
	size_t len = strspn(digits, "0123456789");
	int64_t days;

	if (!text_same(digits + len, " days") && !text_same(digits + len, " day"))
		return false;
	if (!text_to_int(mem_strndup(mem, digits, len), &days) || days > DAYS_MAX)
		return false;
	*days_r = *text == '-' ? -days : days;
	return true;
}

/* The date or instant in an argument; false: NULL or refused, the result is set. */
static bool when_arg(sqlite3_context *ctx, TALLOC_CTX *mem, sqlite3_value *value,
		     struct when *when_r)
{
	size_t len;
	const char *text = text_of(value, &len);

	if (!text)
		return false;
	if (len <= DATE_TEXT_MAX && !when_parse(mem, text, when_r))
		return true;
	sqlite3_result_error(ctx, "not a date; the present is `today` or `now`, without quotes",
			     -1);
	return false;
}

/* date(X), date(X, '+7 days'): the site's local day of a date or an instant, that many days later.
 */
static void function_date(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	TALLOC_CTX *mem = MEM_CONTEXT(sqlite3_user_data(ctx));
	struct when when;
	int64_t days = 0;
	size_t len;
	const char *shift = argc == 2 ? text_of(argv[1], &len) : "+0 days";

	if (shift && when_arg(ctx, mem, argv[0], &when)) {
		if (!days_from_text(mem, shift, &days)) {
			sqlite3_result_error(ctx, "not a distance such as '+7 days'", -1);
		} else {
			days += when_local_day(&when);
			when = when_date((int32_t)days);
			if (when.day != days) /* when_date() stays within the years that we know */
				sqlite3_result_error(ctx, "the date is outside of all calendars",
						     -1);
			else
				sqlite3_result_text(ctx, when_text(mem, &when), -1,
						    SQLITE_TRANSIENT);
		}
	}
	talloc_free(mem);
}

/* julianday(X): days, with a fraction for an instant; for distances. */
static void function_julianday(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	TALLOC_CTX *mem = MEM_CONTEXT(sqlite3_user_data(ctx));
	struct when when;

	(void)argc;
	if (when_arg(ctx, mem, argv[0], &when)) {
		double days = when.kind == WHEN_DATE ? when.day : (double)when.us / US_PER_DAY;

		sqlite3_result_double(ctx, JULIAN_EPOCH + days);
	}
	talloc_free(mem);
}

/* Stands where SQLite has a form that we do not want. */
static void function_refused(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	(void)argv;
	sqlite3_result_error(ctx, "wrong number of values for this function", -1);
}

typedef void function_body(sqlite3_context *, int, sqlite3_value **);

#define ANY (-1) /* SQLite: any number of arguments for which nothing else is registered */

struct function {
	const char *name;
	int min, max;        /* number of arguments */
	function_body *body; /* NULL: SQLite's own */
	int refused_args; /* SQLite has a form with so many arguments that we refuse; 0: none; ANY:
			     all others */
};

static const struct function functions[] = {
	{ "abs", 1, 1, NULL, 0 },
	{ "coalesce", 2, EXPR_ARGUMENTS_MAX, NULL, 0 },
	{ "date", 1, 2, function_date, ANY },
	{ "glob", 2, 2, function_glob, 0 },
	{ "ifnull", 2, 2, NULL, 0 },
	{ "iif", 3, 3, NULL, 0 },
	{ "instr", 2, 2, function_instr, 0 },
	{ "julianday", 1, 1, function_julianday, ANY },
	{ "length", 1, 1, NULL, 0 },
	{ "like", 2, 3, function_like, 0 },
	{ "lower", 1, 1, NULL, 0 },
	{ "ltrim", 1, 1, NULL, 2 },
	{ "max", 2, EXPR_ARGUMENTS_MAX, NULL, 1 },
	{ "min", 2, EXPR_ARGUMENTS_MAX, NULL, 1 },
	{ "nullif", 2, 2, NULL, 0 },
	{ "replace", 3, 3, function_replace, 0 },
	{ "round", 1, 2, NULL, 0 },
	{ "rtrim", 1, 1, NULL, 2 },
	{ "sign", 1, 1, NULL, 0 },
	{ "substr", 2, 3, NULL, 0 },
	{ "substring", 2, 3, NULL, 0 },
	{ "trim", 1, 1, NULL, 2 },
	{ "typeof", 1, 1, NULL, 0 },
	{ "upper", 1, 1, NULL, 0 },
};

const char *expr_function_name(size_t i)
{
	return i < COUNT_OF(functions) ? functions[i].name : NULL;
}

int expr_function_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++)
		if (text_equal_nocase(functions[i].name, name))
			return (int)i;
	return -1;
}

void expr_function_args(int function, int *min_r, int *max_r)
{
	*min_r = functions[function].min;
	*max_r = functions[function].max;
}

int expr_function_register(struct expr_engine *engine)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	int rc = SQLITE_OK;

	for (size_t i = 0; i < COUNT_OF(functions) && rc == SQLITE_OK; i++) {
		const struct function *f = &functions[i];

		for (int args = f->min; f->body && args <= f->max && rc == SQLITE_OK; args++)
			rc = sqlite3_create_function_v2(engine->db, f->name, args, flags, engine,
							f->body, NULL, NULL, NULL);
		if (f->refused_args && rc == SQLITE_OK)
			rc = sqlite3_create_function_v2(engine->db, f->name, f->refused_args, flags,
							engine, function_refused, NULL, NULL, NULL);
	}
	return rc;
}

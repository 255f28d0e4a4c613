/* One entry -> one member, by the type in the key's row.
 *
 * A reader looks at the text, and either stores the value and returns true, or adds one finding and
 * returns false with the member as it was. Findings repeat words and numbers, which help, but never
 * a URL, a path, a template or a command: somebody may have put a password there (N8). Defaults
 * come through here as well, so a default cannot be one that a file could not say.
 */
#include "config.h"

#include "conf/conf_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/zone.h"
#include "conf/conf_imap.h"

#define DATE_MIN "1900-01-01" /* the years of model/when.h */
#define DATE_MAX "2999-12-31"
#define CREDENTIAL_MAX 255 /* bytes: a file name */

#define CONF_NONE "none"
#define KEYWORD_MAX 255 /* bytes; servers take less */
#define FOLDER_MAX 60   /* bytes: with what stands above it a name that servers take */

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const char *example(const struct conf_value *v)
{
	const char *text = conf_key_infos[v->id].value;

	return text ? text : v->id == CONF_KEY_GESTURES_FLAG_DUE ? "1d" : "1";
}

static void *member(const struct conf_value *v)
{
	return (char *)v->object + conf_key_table[v->id].offset;
}

static bool put_text(const struct conf_value *v, const char *text)
{
	*(const char **)member(v) = mem_strdup(v->conf, text);
	return true;
}

static bool bad(const struct conf_value *v, const char *fmt, ...) ATTR_PRINTF(2, 3);

static bool bad(const struct conf_value *v, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(v->report, fmt, ap);
	va_end(ap);
	conf_report_error(v->report, v->line, "'%s' %s", v->key, text);
	talloc_free(text);
	return false;
}

static bool read_TEXT(const struct conf_value *v)
{
	return put_text(v, v->text);
}

static bool read_ZONE(const struct conf_value *v)
{
	if (!zone_is_known(v->text))
		return bad(v, "is no time zone of this system: '%s'; names are like Europe/Berlin",
			   conf_quote(v->report, v->text));
	return put_text(v, v->text);
}

/* A day as rules compare it: the one form of a date, of the years that the model knows. */
static bool read_DATE(const struct conf_value *v)
{
	char *midnight = mem_printf(v->report, "%sT00:00:00Z", v->text);
	int64_t us;
	bool good = clock_from_rfc3339(midnight, &us);

	talloc_free(midnight);
	if (!good || strcmp(v->text, DATE_MIN) < 0 || strcmp(v->text, DATE_MAX) > 0)
		return bad(v, "must be a day such as 2026-11-21");
	return put_text(v, v->text);
}

static bool read_DSN(const struct conf_value *v)
{
	if (text_starts(v->text, "sqlite:") && v->text[strlen("sqlite:")] != '/')
		return bad(v, "needs an absolute path: write sqlite:/PATH");
	if (!text_starts(v->text, "sqlite:") && !text_starts(v->text, "postgresql://") &&
	    !text_starts(v->text, "postgres://"))
		return bad(v, "must be sqlite:/PATH or postgresql://USER@HOST/NAME");
	return put_text(v, v->text);
}

/* Any URL that we take: no user, no query. */
static bool read_url(const struct conf_value *v, TALLOC_CTX *scratch, struct conf_url *url_r)
{
	const char *why;

	if (!conf_url_read(scratch, v->text, url_r, &why))
		return bad(v, "is no URL that can be used: %s", why);
	if (url_r->more)
		return bad(v, "is no URL that can be used: there is a '?' or '#' in it");
	return true;
}

static bool read_SITE_URL(const struct conf_value *v)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	struct conf_url url;
	bool good = read_url(v, scratch, &url);

	if (good && strcmp(url.scheme, "http") && strcmp(url.scheme, "https"))
		good = bad(v, "of the site begins with https:// or http://, not with %s:",
			   conf_quote(scratch, url.scheme));
	if (good)
		*(const char **)member(v) = conf_url_canonical(v->conf, &url);
	talloc_free(scratch);
	return good;
}

/* Which scheme goes with which type is for the checks. */
static bool read_SERVER_URL(const struct conf_value *v)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	struct conf_url url;
	bool good = (conf_url_is_name(scratch, v->text) || read_url(v, scratch, &url)) &&
		    put_text(v, v->text);

	talloc_free(scratch);
	return good;
}

static bool read_PATH(const struct conf_value *v)
{
	if (*v->text != '/')
		return bad(v, "must be an absolute path: it begins with '/'");
	return put_text(v, v->text);
}

static bool read_SOCKET(const struct conf_value *v)
{
	if (strlen(v->text) > CONF_SOCKET_MAX)
		return bad(v, "is too long for a socket: at most %d bytes", CONF_SOCKET_MAX);
	return read_PATH(v);
}

/* True when the names in a template are those that there are. */
static bool has_good_names(const struct conf_value *v)
{
	static const struct secret_names anybody = {
		.email = "ana@example.com", .local = "ana", .name = "Ana", .key = "ana"
	};
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	struct fault *fault;
	char *text;

	fault = secret_expand(scratch, v->text, &anybody, &text);
	if (fault)
		bad(v, "is no template: %s", fault->text);
	talloc_free(scratch);
	return !fault;
}

static bool read_NAMED_PATH(const struct conf_value *v)
{
	return has_good_names(v) && read_PATH(v);
}

static bool read_TEMPLATE(const struct conf_value *v)
{
	return has_good_names(v) && put_text(v, v->text);
}

/* The end of the first word as secret_command() splits; NULL: a quote is not closed before it. */
static const char *word_end(const char *text)
{
	for (; *text && *text != ' ' && *text != '\t'; text++)
		if (*text == '\'' || *text == '"') {
			text = strchr(text + 1, *text);
			if (!text)
				return NULL;
		}
	return text;
}

static bool read_COMMAND(const struct conf_value *v)
{
	const char *name = strstr(v->text, "%{");
	const char *end = word_end(v->text);

	if (end && name && name < end)
		return bad(v, "must name its program: a name such as %%{key} is for its arguments");
	while (end && *end)
		end = word_end(end + strspn(end, " \t"));
	if (!end)
		return bad(v, "has a quote that is not closed");
	return has_good_names(v) && put_text(v, v->text);
}

static bool read_CREDENTIAL(const struct conf_value *v)
{
	size_t n = strlen(v->text);

	if (n > CREDENTIAL_MAX || strspn(v->text, LETTERS DIGITS "._:@-") != n || *v->text == '.')
		return bad(v, "must be the name of a credential, without a path, for example "
			      "dav-password");
	return put_text(v, v->text);
}

static bool read_SECRET(const struct conf_value *v)
{
	*(const struct secret **)member(v) = secret_new(v->conf, v->text, strlen(v->text));
	return true;
}

/* The next word of a list, in MEM; NULL at its end. */
static char *next_word(TALLOC_CTX *mem, const char **at)
{
	size_t n;
	char *word;

	*at += strspn(*at, CONF_SEPARATORS);
	n = strcspn(*at, CONF_SEPARATORS);
	word = n ? mem_strndup(mem, *at, n) : NULL;
	*at += n;
	return word;
}

static bool read_GLOBS(const struct conf_value *v)
{
	if (v->text[strspn(v->text, CONF_SEPARATORS)] == '\0')
		return bad(v, "names nobody: write patterns such as *@example.com");
	return put_text(v, v->text);
}

static bool bad_group(const struct conf_value *v, const char *word)
{
	struct conf_near near;

	conf_near_start(&near, word);
	for (enum field_group group = 0; group < GROUPS; group++)
		conf_near_try(&near, field_group_name(group));
	if (near.best)
		return bad(v, "has no group '%s'; did you mean '%s'?", word, near.best);
	return bad(v, "has no group '%s'; there are %s", conf_quote(v->report, word),
		   conf_key_infos[v->id].choices);
}

/* One word of the list of groups. */
#define PIN_MARK "sha256//"
#define PIN_BYTES 44 /* of Base64, its '=' included: 32 bytes */

static bool is_pin(const char *word)
{
	const char *hash = word + strlen(PIN_MARK);

	return text_starts(word, PIN_MARK) && strlen(hash) == PIN_BYTES &&
	       strspn(hash, LETTERS DIGITS "+/") == PIN_BYTES - 1 && hash[PIN_BYTES - 1] == '=';
}

/* Kept as curl takes them: with ';' between. */
static bool read_PINS(const struct conf_value *v)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	char *text = mem_strdup(scratch, v->text), *save = NULL, *pins = mem_strdup(scratch, "");
	bool ok = true;

	for (char *word = strtok_r(text, CONF_SEPARATORS ";", &save); word && ok;
	     word = strtok_r(NULL, CONF_SEPARATORS ";", &save)) {
		ok = is_pin(word);
		pins = mem_printf(scratch, "%s%s%s", pins, *pins ? ";" : "", word);
	}
	ok = ok && *pins ? put_text(v, pins)
			 : bad(v, "is a list of public keys, each of them sha256// and the 44 "
				  "characters of a hash in Base64");
	talloc_free(scratch);
	return ok;
}

/* Words of a list with one blank between two; NULL for "none". False: one of them is not GOOD. */
static bool read_words(const struct conf_value *v, bool (*good)(const char *word))
{
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	const char *at = v->text, *word, *words = NULL;
	bool ok = true;

	while (strcmp(v->text, CONF_NONE) != 0 && ok && (word = next_word(scratch, &at))) {
		ok = good(word);
		words = words ? mem_printf(scratch, "%s %s", words, word) : word;
	}
	if (ok)
		*(const char **)member(v) = words ? mem_strdup(v->conf, words) : NULL;
	talloc_free(scratch);
	return ok;
}

/* An IMAP keyword (RFC 9051 section 9: an atom), of N bytes. */
static bool is_keyword(const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word[i] <= 0x20 || word[i] >= 0x7f || strchr("(){%*\"\\]", word[i]))
			return false;
	return n > 0 && n <= KEYWORD_MAX;
}

static bool is_whole_keyword(const char *word)
{
	return is_keyword(word, strlen(word));
}

static bool read_KEYWORDS(const struct conf_value *v)
{
	return read_words(v, is_whole_keyword) ||
	       bad(v, "is a list of tags as mail servers keep them: printable ASCII without "
		      "blanks, brackets, quotes, %%, * and \\");
}

/* KEYWORD=MEANING */
static bool is_label(const char *word)
{
	const char *meaning = strrchr(word, '=');
	int64_t percent = -1;

	if (!meaning || !is_keyword(word, (size_t)(meaning - word)))
		return false;
	meaning++;
	return !strcmp(meaning, "started") || !strcmp(meaning, "done") ||
	       (text_to_int(meaning, &percent) && percent >= 0 && percent <= 100);
}

static bool read_LABELS(const struct conf_value *v)
{
	return read_words(v, is_label) ||
	       bad(v, "is a list of KEYWORD=started, KEYWORD=done or KEYWORD=PERCENT, for "
		      "example $label4=started");
}

/* One level of a mailbox name that every server takes literally. */
static bool read_FOLDER(const struct conf_value *v)
{
	if (!strcmp(v->text, CONF_NONE)) {
		*(const char **)member(v) = NULL;
		return true;
	}
	if (strlen(v->text) > FOLDER_MAX || v->text[strcspn(v->text, "/.%*\\\"")])
		return bad(v,
			   "is the name of one folder, without / . %% * \\ and quotes, of at "
			   "most %d bytes",
			   FOLDER_MAX);
	return put_text(v, v->text);
}

#define EVERY_EXTENSION "all"

static bool bad_extension(const struct conf_value *v, const char *word)
{
	struct conf_near near;

	conf_near_start(&near, word);
#define X(id, name) conf_near_try(&near, name);
	CONF_IMAP_TABLE(X)
#undef X
	if (near.best)
		return bad(v, "has '%s', which is no extension that is used; did you mean '%s'?",
			   conf_quote(v->report, word), near.best);
	return bad(v,
		   "has '%s', which is no extension that is used; write it as the server does in "
		   "CAPABILITY, for example CONDSTORE",
		   conf_quote(v->report, word));
}

static bool take_extension(const struct conf_value *v, const char *word, uint64_t *without)
{
	static const char *const words[] = {
#define X(id, name) name,
		CONF_IMAP_TABLE(X)
#undef X
	};
	bool every = text_equal_nocase(word, EVERY_EXTENSION), known = every;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (every || text_equal_nocase(word, words[i])) {
			*without |= UINT64_C(1) << i;
			known = true;
		}
	return known || bad_extension(v, word);
}

static bool read_EXTENSIONS(const struct conf_value *v)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	const char *at = v->text, *word;
	uint64_t without = 0;
	bool good = true;

	while (good && (word = next_word(scratch, &at)))
		good = take_extension(v, word, &without);
	talloc_free(scratch);
	if (good)
		*(uint64_t *)member(v) = without;
	return good;
}

static bool take_group(const struct conf_value *v, const char *word, bool groups[GROUPS])
{
	enum field_group group = field_group_find(word);

	if (group == GROUPS)
		return bad_group(v, word);
	if (group == GROUP_CLIENT)
		conf_report_warning(
			v->report, v->line,
			"'%s': the group 'client' never enters the project, with or without this",
			v->key);
	groups[group] = true;
	return true;
}

static bool read_GROUPS(const struct conf_value *v)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	bool groups[GROUPS] = { false };
	const char *at = v->text, *word;
	size_t count = 0;
	bool good = true;

	if (!strcmp(v->text, "none"))
		count = 1;
	for (; good && !count && (word = next_word(scratch, &at));)
		good = take_group(v, word, groups);
	talloc_free(scratch);
	if (good)
		memcpy(member(v), groups, sizeof groups);
	return good;
}

static const struct {
	const char *unit;
	int64_t us;
} units[] = {
	{ "d", 24 * 60 * 60 * CLOCK_SECOND_US }, { "h", 60 * 60 * CLOCK_SECOND_US },
	{ "m", 60 * CLOCK_SECOND_US },           { "s", CLOCK_SECOND_US },
	{ "ms", CLOCK_SECOND_US / 1000 },
};

/* A duration as a person would write it; zero in seconds. */
static char *duration_text(TALLOC_CTX *mem, int64_t us)
{
	size_t i = 0;

	while (us ? us % units[i].us : strcmp(units[i].unit, "s"))
		i++;
	return mem_printf(mem, "%lld%s", (long long)(us / units[i].us), units[i].unit);
}

/* Digits and a unit; what does not fit into the type is as wrong as what is out of range. */
static bool duration_read(TALLOC_CTX *mem, const char *text, int64_t max, int64_t *us_r)
{
	size_t digits = strspn(text, DIGITS), i = 0;
	int64_t number;

	while (i < COUNT_OF(units) && strcmp(text + digits, units[i].unit))
		i++;
	if (!digits || i == COUNT_OF(units))
		return false;
	if (!text_to_int(mem_strndup(mem, text, digits), &number) || number > max / units[i].us)
		number = max / units[i].us + 1;
	*us_r = number * units[i].us;
	return true;
}

static bool read_DURATION(const struct conf_value *v)
{
	const struct conf_key *key = &conf_key_table[v->id];
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	int64_t us;
	bool good = duration_read(scratch, v->text, key->max, &us);

	if (!good)
		bad(v, "must be a number with ms, s, m, h or d, for example %s", example(v));
	else if (us < key->min || us > key->max)
		good = bad(v, "must lie between %s and %s", duration_text(scratch, key->min),
			   duration_text(scratch, key->max));
	if (good)
		*(int64_t *)member(v) = us;
	talloc_free(scratch);
	return good;
}

static bool read_NUMBER(const struct conf_value *v)
{
	const struct conf_key *key = &conf_key_table[v->id];
	int64_t number;

	if (!text_to_int(v->text, &number) || number < key->min || number > key->max)
		return bad(v, "must be a whole number from %lld to %lld, for example %s",
			   (long long)key->min, (long long)key->max, example(v));
	*(int64_t *)member(v) = number;
	return true;
}

static const struct {
	const char *unit;
	int64_t bytes;
} size_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 }, { "k", 1 << 10 }, { "", 1 } };

static char *size_text(TALLOC_CTX *mem, int64_t bytes)
{
	size_t i = 0;

	while (bytes ? bytes % size_units[i].bytes : *size_units[i].unit)
		i++;
	return mem_printf(mem, "%lld%s", (long long)(bytes / size_units[i].bytes),
			  size_units[i].unit);
}

/* Bytes, or with k, M or G. */
static bool read_SIZE(const struct conf_value *v)
{
	const struct conf_key *key = &conf_key_table[v->id];
	TALLOC_CTX *scratch = MEM_CONTEXT(v->report);
	size_t digits = strspn(v->text, DIGITS), i = 0;
	int64_t number = 0;
	bool good;

	while (i < COUNT_OF(size_units) && strcmp(v->text + digits, size_units[i].unit))
		i++;
	good = digits && i < COUNT_OF(size_units) &&
	       text_to_int(mem_strndup(scratch, v->text, digits), &number);
	if (!good)
		bad(v, "must be a number of bytes, or with k, M or G, for example %s", example(v));
	else if (number > key->max / size_units[i].bytes || number * size_units[i].bytes < key->min)
		good = bad(v, "must lie between %s and %s", size_text(scratch, key->min),
			   size_text(scratch, key->max));
	if (good)
		*(int64_t *)member(v) = number * size_units[i].bytes;
	talloc_free(scratch);
	return good;
}

static bool read_PERCENT(const struct conf_value *v)
{
	const struct conf_key *key = &conf_key_table[v->id];
	size_t digits = strspn(v->text, DIGITS);
	char *text = mem_strndup(v->report, v->text, digits);
	int64_t number;
	bool good = !strcmp(v->text + digits, "%") && text_to_int(text, &number) &&
		    number >= key->min && number <= key->max;

	talloc_free(text);
	if (!good)
		return bad(v, "must be a share from %lld%% to %lld%%, for example %s",
			   (long long)key->min, (long long)key->max, example(v));
	*(int *)member(v) = (int)number;
	return true;
}

/* The index of the value among WORDS, COUNT when it is none of them (with a finding). */
static size_t read_word(const struct conf_value *v, const char *const *words, size_t count)
{
	const char *choices = conf_key_infos[v->id].choices;
	struct conf_near near;
	size_t i = 0;

	while (i < count && strcmp(words[i], v->text))
		i++;
	if (i < count)
		return i;
	conf_near_start(&near, v->text);
	for (size_t k = 0; k < count; k++)
		conf_near_try(&near, words[k]);
	if (near.best)
		bad(v, "is %s, not '%s'; did you mean '%s'?", choices, v->text, near.best);
	else
		bad(v, "is %s, not '%s'", choices, conf_quote(v->report, v->text));
	return count;
}

static bool read_CHOICE(const struct conf_value *v)
{
	const struct conf_choice_info *choice = &conf_choice_table[conf_key_table[v->id].choice];
	size_t i = read_word(v, choice->words, choice->count);

	if (i == choice->count)
		return false;
	*(unsigned *)member(v) = (unsigned)i;
	return true;
}
_Static_assert(sizeof(enum conf_dates) == sizeof(unsigned), "enums are stored as unsigned");

static bool read_CHOICE_NAME(const struct conf_value *v)
{
	const struct conf_choice_info *choice = &conf_choice_table[conf_key_table[v->id].choice];
	size_t i = read_word(v, choice->words, choice->count);

	if (i == choice->count)
		return false;
	*(const char **)member(v) = choice->words[i];
	return true;
}

static bool read_YES_NO(const struct conf_value *v)
{
	static const char *const words[] = { "no", "yes" };
	size_t i = read_word(v, words, COUNT_OF(words));

	if (i == COUNT_OF(words))
		return false;
	*(bool *)member(v) = i == 1;
	return true;
}

static bool read_EXPRESSION(const struct conf_value *v)
{
	struct conf_rule *rule = v->object;

	rule->when_line = v->line;
	return put_text(v, v->text);
}

static bool bad_field(const struct conf_value *v, const char *name)
{
	struct conf_near near;

	conf_near_start(&near, name);
	for (enum field field = 0; field < FIELDS; field++)
		conf_near_try(&near, field_table[field].name);
	if (near.best)
		conf_report_error(v->report, v->line,
				  "no field '%s'; did you mean '" CONF_SET_PREFIX "%s'?", name,
				  near.best);
	else
		conf_report_error(v->report, v->line,
				  "no field '%s'; the fields are listed in taskferry.ini(5)",
				  conf_quote(v->report, name));
	return false;
}

static bool read_SET(const struct conf_value *v)
{
	struct conf_rule *rule = v->object;
	const char *name = v->key + strlen(CONF_SET_PREFIX);
	enum field field = field_find(name);

	if (field == FIELDS)
		return bad_field(v, name);
	for (size_t i = 0; i < rule->set_count; i++)
		if (rule->sets[i].field == field)
			return bad(v, "was already given in line %ld", rule->sets[i].line);
	rule->sets = MEM_GROW(v->conf, rule->sets, struct conf_rule_set, rule->set_count + 1);
	rule->sets[rule->set_count++] = (struct conf_rule_set){
		.field = field, .expression = mem_strdup(v->conf, v->text), .line = v->line
	};
	return true;
}

static bool read_LISTEN(const struct conf_value *v)
{
	char *host;

	if (!conf_url_listen(v->report, v->text, &host))
		return bad(v, "must be ADDRESS:PORT, for example 127.0.0.1:8463 or [::1]:8463");
	talloc_free(host);
	return put_text(v, v->text);
}

static bool (*const readers[])(const struct conf_value *v) = {
#define X(id) [CONF_TYPE_##id] = read_##id,
	CONF_TYPE_TABLE(X)
#undef X
};
_Static_assert(COUNT_OF(readers) == CONF_TYPES, "one reader per type");

bool conf_value_read(const struct conf_value *value)
{
	return readers[conf_key_table[value->id].type](value);
}

#include "config.h"

#include "model/effort.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"

/* Both readers add up micro-units so that "1.5h" and "PT0.5S" are exact: a duration in
 * microseconds, a text in millionths of a minute. */
#define MICRO INT64_C(1000000)
#define FIRST_TEXT 20 /* bytes of most efforts */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits with an optional fraction behind `.` or `,`, as millionths; what lies beyond the sixth
 * digit is dropped. MAX bounds the whole part, so that nothing overflows. */
static bool take_decimal(const char **text, int64_t max, int64_t *micro_r)
{
	const char *c = *text;
	int64_t number = 0;

	if (!is_digit(*c))
		return false;
	for (; is_digit(*c); c++) {
		number = number * 10 + (*c - '0');
		if (number > max)
			return false;
	}
	number *= MICRO;
	if ((*c == '.' || *c == ',') && is_digit(c[1])) {
		c++;
		for (int64_t unit = MICRO / 10; is_digit(*c); c++, unit /= 10)
			number += unit * (*c - '0');
	}
	*text = c;
	*micro_r = number;
	return true;
}

static const struct iso_unit {
	char letter;
	bool time; /* stands behind the T */
	int64_t seconds;
} iso_units[] = {
	{ 'W', false, 7 * 86400 }, { 'D', false, 86400 }, { 'H', true, 3600 },
	{ 'M', true, 60 },         { 'S', true, 1 },
};

/* The unit of that letter behind those already used; COUNT_OF(iso_units) if there is none. */
static size_t find_iso_unit(char letter, bool time, size_t from)
{
	while (from < COUNT_OF(iso_units) &&
	       (iso_units[from].letter != letter || iso_units[from].time != time))
		from++;
	return from;
}

bool effort_from_iso(const char *text, int64_t *minutes_r)
{
	const int64_t max = EFFORT_MAX_MIN * 60;
	int64_t micro, total = 0;
	size_t next = 0, parts = 0;
	bool time = false;

	if (!text)
		return false;
	text += *text == '+';
	if (*text++ != 'P')
		return false;
	for (; *text; parts++) {
		if (*text == 'T') {
			if (time)
				return false;
			time = true;
			text++;
		}
		if (!take_decimal(&text, max, &micro))
			return false;
		next = find_iso_unit(*text, time, next);
		if (next == COUNT_OF(iso_units) || micro > max * MICRO / iso_units[next].seconds)
			return false;
		total += micro * iso_units[next++].seconds;
		text++;
	}
	total = (total + 30 * MICRO) / (60 * MICRO);
	if (!parts || total > EFFORT_MAX_MIN)
		return false;
	*minutes_r = total;
	return true;
}

/* Hours, minutes and the sign of an effort. */
struct parts {
	const char *sign;
	uint64_t hours, minutes;
};

static struct parts parts_of(int64_t minutes)
{
	uint64_t n = minutes < 0 ? -(uint64_t)minutes : (uint64_t)minutes;

	return (struct parts){ minutes < 0 ? "-" : "", n / 60, n % 60 };
}

void effort_put_iso(struct buf *out, int64_t minutes)
{
	struct parts p = parts_of(minutes);

	buf_join(out, p.sign, "PT", NULL);
	if (p.hours) {
		buf_number(out, (int64_t)p.hours, 0);
		buf_putc(out, 'H');
	}
	if (p.minutes || !p.hours) {
		buf_number(out, (int64_t)p.minutes, 0);
		buf_putc(out, 'M');
	}
}

enum unit { UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNITS };

static const struct {
	const char *word;
	enum unit unit;
} unit_words[] = {
	{ "d", UNIT_DAY },          { "day", UNIT_DAY },     { "days", UNIT_DAY },
	{ "h", UNIT_HOUR },         { "hr", UNIT_HOUR },     { "hrs", UNIT_HOUR },
	{ "hour", UNIT_HOUR },      { "hours", UNIT_HOUR },  { "m", UNIT_MINUTE },
	{ "min", UNIT_MINUTE },     { "mins", UNIT_MINUTE }, { "minute", UNIT_MINUTE },
	{ "minutes", UNIT_MINUTE },
};

static void skip_blanks(const char **text)
{
	while (**text == ' ' || **text == '\t')
		(*text)++;
}

/* A word that names a unit; UNITS, and nothing taken, if there is none. */
static enum unit take_unit(const char **text)
{
	size_t len = 0;

	while (((*text)[len] >= 'a' && (*text)[len] <= 'z') ||
	       ((*text)[len] >= 'A' && (*text)[len] <= 'Z'))
		len++;
	for (size_t i = 0; i < COUNT_OF(unit_words); i++)
		if (strlen(unit_words[i].word) == len &&
		    !strncasecmp(unit_words[i].word, *text, len)) {
			*text += len;
			return unit_words[i].unit;
		}
	return UNITS;
}

/* "3:15", the cursor at the colon, HOURS already read. */
static bool take_clock(const char **text, int64_t hours, int64_t *micro_r)
{
	const char *c = *text + 1;

	if (hours % MICRO || !is_digit(c[0]) || !is_digit(c[1]) || is_digit(c[2]) || c[0] > '5')
		return false;
	*text = c + 2;
	*micro_r = hours * 60 + ((c[0] - '0') * 10 + (c[1] - '0')) * MICRO;
	return true;
}

/* Number and unit, again and again, in falling order; a bare number is minutes, alone or behind
 * hours ("2h30"). */
static bool take_parts(const char *text, int64_t day_min, int64_t *micro_r)
{
	const int64_t unit_min[UNITS] = { day_min, 60, 1 };
	int64_t number, total = 0;
	int last = -1;

	for (; *text; skip_blanks(&text)) {
		enum unit unit;

		if (!take_decimal(&text, EFFORT_MAX_MIN, &number))
			return false;
		skip_blanks(&text);
		if (*text == ':' && last < 0) {
			if (!take_clock(&text, number, &total) || *text)
				return false;
			break;
		}
		unit = take_unit(&text);
		if (unit == UNITS) {
			if (*text || number % MICRO || (last >= 0 && last != UNIT_HOUR))
				return false;
			unit = UNIT_MINUTE;
		}
		if ((int)unit <= last || unit_min[unit] <= 0)
			return false;
		if (number > EFFORT_MAX_MIN * MICRO / unit_min[unit])
			return false;
		total += number * unit_min[unit];
		last = (int)unit;
	}
	*micro_r = total;
	return true;
}

bool effort_from_text(const char *text, int64_t day_min, int64_t *minutes_r)
{
	char copy[64]; /* longer than any effort that a person writes */
	int64_t micro;
	size_t len;

	if (!text)
		return false;
	skip_blanks(&text);
	len = strlen(text);
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (!len || len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!take_parts(copy, day_min, &micro))
		return false;
	micro = (micro + MICRO / 2) / MICRO;
	if (micro > EFFORT_MAX_MIN)
		return false;
	*minutes_r = micro;
	return true;
}

char *effort_to_text(TALLOC_CTX *mem, int64_t minutes)
{
	struct parts p = parts_of(minutes);
	struct buf text = buf_of(mem, FIRST_TEXT);

	buf_puts(&text, p.sign);
	if (p.hours || !p.minutes) {
		buf_number(&text, (int64_t)p.hours, 0);
		buf_puts(&text, " h");
	}
	if (p.minutes) {
		buf_puts(&text, p.hours ? " " : "");
		buf_number(&text, (int64_t)p.minutes, 0);
		buf_puts(&text, " min");
	}
	return text.data;
}

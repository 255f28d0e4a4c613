#include "config.h"

#include "decide/booking_line.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "model/when.h"

#define NUMBER_DIGITS 4          /* 9999 minutes are more than a day */
#define VARIATION "\xef\xb8\x8f" /* U+FE0F: phones put it behind a check mark */

struct scan {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && is_blank(*scan->at))
		scan->at++;
}

static bool take(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len || strncasecmp(scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

/* The word ends here: nothing, a blank, or a mark of punctuation with one of these behind it. */
static bool is_end(const struct scan *scan)
{
	const char *c = scan->at;

	if (c < scan->end && strchr(",;:", *c) && *c)
		c++;
	return c == scan->end || is_blank(*c);
}

/* At most MAX digits, and not one more behind them. */
static int digits(struct scan *scan, int max, int64_t *number_r)
{
	struct scan now = *scan;
	int64_t number = 0;
	int count = 0;

	for (; count < max && now.at < now.end && is_digit(*now.at); count++)
		number = number * 10 + (*now.at++ - '0');
	if (!count || (now.at < now.end && is_digit(*now.at)))
		return 0;
	*scan = now;
	*number_r = number;
	return count;
}

/* "3", "1.5", "1,25": in hundredths. */
static bool decimal(struct scan *scan, int64_t *hundredths_r)
{
	struct scan now = *scan;
	int64_t whole, part = 0;
	int count;

	if (!digits(&now, NUMBER_DIGITS, &whole))
		return false;
	if (now.at < now.end && (*now.at == '.' || *now.at == ',')) {
		now.at++;
		count = digits(&now, 2, &part);
		if (!count)
			return false;
		if (count == 1)
			part *= 10;
	}
	*scan = now;
	*hundredths_r = whole * 100 + part;
	return true;
}

static bool minutes_unit(struct scan *scan)
{
	struct scan now = *scan;

	if ((take(&now, "min") && is_end(&now)) || (now = *scan, take(&now, "m") && is_end(&now))) {
		*scan = now;
		return true;
	}
	return false;
}

/* "30m", behind hours. */
static void more_minutes(struct scan *scan, int64_t *minutes)
{
	struct scan now = *scan;
	int64_t number;

	skip_blanks(&now);
	if (!digits(&now, 2, &number) || number >= 60)
		return;
	skip_blanks(&now);
	if (!minutes_unit(&now))
		return;
	*minutes += number;
	*scan = now;
}

static bool with_unit(struct scan *scan, int64_t *minutes_r)
{
	struct scan now = *scan;
	int64_t hundredths, minutes;

	if (!decimal(&now, &hundredths))
		return false;
	skip_blanks(&now);
	if (minutes_unit(&now)) {
		minutes = (hundredths + 50) / 100;
	} else if (take(&now, "h")) {
		minutes = (hundredths * 60 + 50) / 100;
		if (hundredths % 100 == 0)
			more_minutes(&now, &minutes);
	} else {
		return false;
	}
	if (!is_end(&now))
		return false;
	*scan = now;
	*minutes_r = minutes;
	return true;
}

/* "1:30"; HOURS: how many digits the hours may have. */
static bool with_colon(struct scan *scan, int hours, int64_t *minutes_r)
{
	struct scan now = *scan;
	int64_t hour, minute;

	if (!digits(&now, hours, &hour) || now.at == now.end || *now.at++ != ':')
		return false;
	if (digits(&now, 2, &minute) != 2 || minute >= 60 || !is_end(&now))
		return false;
	*scan = now;
	*minutes_r = hour * 60 + minute;
	return true;
}

static bool amount(struct scan *scan, int hours, int64_t *minutes_r)
{
	struct scan now = *scan;
	int64_t minutes;

	if (!with_unit(&now, &minutes) && !with_colon(&now, hours, &minutes))
		return false;
	if (minutes < 1 || minutes > BOOKING_MINUTES_MAX)
		return false;
	*scan = now;
	*minutes_r = minutes;
	return true;
}

/* "2026-03-02" and a blank. */
static bool date(struct scan *scan, int32_t *day_r)
{
	struct scan now = *scan;
	int64_t year, month, day;

	if (digits(&now, 4, &year) != 4 || !take(&now, "-") || digits(&now, 2, &month) != 2 ||
	    !take(&now, "-") || digits(&now, 2, &day) != 2)
		return false;
	if (now.at == now.end || !is_blank(*now.at) ||
	    !when_day_from_civil((int)year, (int)month, (int)day, day_r))
		return false;
	*scan = now;
	return true;
}

static void rest(const struct scan *scan, const char **text_r, size_t *len_r)
{
	struct scan now = *scan;

	while (now.at < now.end && (is_blank(*now.at) || strchr(",;:", *now.at)))
		now.at++;
	while (now.end > now.at && is_blank(now.end[-1]))
		now.end--;
	*text_r = now.at;
	*len_r = (size_t)(now.end - now.at);
}

bool booking_line_read(const char *line, size_t len, struct booking_line *line_r)
{
	struct booking_line out = { .marked = false };
	struct scan scan = { line, line + len };
	int hours = 2;

	if (len > BOOKING_LINE_MAX || memchr(line, '\0', len))
		return false;
	skip_blanks(&scan);
	if (take(&scan, BOOKING_MARK)) {
		out.marked = true;
		take(&scan, VARIATION);
		skip_blanks(&scan);
	}
	if (take(&scan, "+")) {
		skip_blanks(&scan);
	} else if (take(&scan, "work:")) {
		skip_blanks(&scan);
		take(&scan, "+");
	} else if (date(&scan, &out.day)) {
		out.has_day = true;
		hours = 1;
		skip_blanks(&scan);
		if (take(&scan, "+"))
			hours = 2;
	} else {
		return false;
	}
	if (!amount(&scan, hours, &out.minutes))
		return false;
	rest(&scan, &out.text, &out.text_len);
	*line_r = out;
	return true;
}

char *booking_line_canonical(TALLOC_CTX *mem, const struct booking_line *line)
{
	struct buf *out = buf_new(mem);
	int year, month, day;
	bool gap = true;

	if (line->has_day) {
		when_day_to_civil(line->day, &year, &month, &day);
		buf_printf(out, "%04d-%02d-%02d ", year, month, day);
	}
	buf_printf(out, "%lld", (long long)line->minutes);
	for (size_t i = 0; i < line->text_len; i++) {
		if (is_blank(line->text[i])) {
			gap = true;
			continue;
		}
		if (gap)
			buf_putc(out, ' ');
		gap = false;
		buf_putc(out, line->text[i]);
	}
	return buf_steal(&out, mem, NULL);
}

bool booking_line_suffix(const char *title, size_t len, size_t *cut_r, int64_t *minutes_r)
{
	for (size_t plus = len; plus-- > 1;) {
		struct scan scan = { title + plus + 1, title + len };
		size_t cut = plus;
		int64_t minutes;

		if (title[plus] != '+')
			continue;
		if (!is_blank(title[plus - 1]) || !with_unit(&scan, &minutes) ||
		    scan.at != scan.end || minutes < 1 || minutes > BOOKING_MINUTES_MAX)
			return false;
		while (cut > 0 && is_blank(title[cut - 1]))
			cut--;
		if (!cut)
			return false;
		*cut_r = cut;
		*minutes_r = minutes;
		return true;
	}
	return false;
}

bool booking_line_title(const char *title, int64_t *minutes_r, const char **text_r)
{
	struct scan scan = { title, title + strlen(title) };
	bool sign;
	size_t len;

	skip_blanks(&scan);
	sign = take(&scan, "+");
	skip_blanks(&scan);
	if (!amount(&scan, sign ? 2 : 1, minutes_r))
		return false;
	rest(&scan, text_r, &len);
	return true;
}

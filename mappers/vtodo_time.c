#include "config.h"

#include "mappers/vtodo_private.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

/* Texts are scanned here, strictly by their digits (a value that is "almost" a date is none), and
 * put on the time line by the zone that they name:
 *
 *   20261121                  a date, with or without VALUE=DATE
 *   20261121T080000Z          UTC, whatever TZID says
 *   TZID=X:20261121T080000    X, by its VTIMEZONE or as an IANA name; else as without TZID
 *   20261121T080000           the site's zone
 */

#define DAY_SECONDS 86400
#define DURATION_DIGITS_MAX 7 /* of one number: more than a hundred years of minutes */

static bool scan_digits(const char **text, int count, int *number_r)
{
	int number = 0;

	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		number = number * 10 + (**text - '0');
	}
	*number_r = number;
	return true;
}

static bool scan_date(const char **text, bool early, int32_t *day_r)
{
	int year, month, day;

	if (!scan_digits(text, 4, &year) || !scan_digits(text, 2, &month) ||
	    !scan_digits(text, 2, &day))
		return false;
	if (early && year < WHEN_YEAR_MIN) {
		year = WHEN_YEAR_MIN;
		day = month == 2 && day == 29 ? 28 : day;
	}
	return when_day_from_civil(year, month, day, day_r);
}

/* A leap second counts as the second before (RFC 5545 section 3.3.12). */
static bool scan_time(const char **text, int32_t *second_r)
{
	int hour, minute, second = 0;

	if (!scan_digits(text, 2, &hour) || !scan_digits(text, 2, &minute))
		return false;
	if (**text >= '0' && **text <= '9' && !scan_digits(text, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	if (**text == '.' || **text == ',')
		*text += 1 + strspn(*text + 1, "0123456789");
	*second_r = hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
	return true;
}

bool vtodo_time_scan(const char *text, bool early, int32_t *day_r, int32_t *second_r, bool *timed_r,
		     bool *utc_r)
{
	int32_t day, second = 0;
	bool timed = false, utc = false;

	if (!scan_date(&text, early, &day))
		return false;
	if (*text == 'T' || *text == 't') {
		text++;
		if (!scan_time(&text, &second))
			return false;
		timed = true;
		utc = *text == 'Z' || *text == 'z';
		text += utc;
	}
	if (*text)
		return false;
	*day_r = day;
	*second_r = second;
	*timed_r = timed;
	*utc_r = utc;
	return true;
}

/* Puts the wall time on the time line. */
static void resolve(TALLOC_CTX *mem, const struct icaltext *ical, struct vtodo_time *time)
{
	int64_t wall = (int64_t)time->day * DAY_SECONDS + time->second;
	const char *name = NULL;
	int32_t offset = 0;

	if (time->written == WHEN_DATE) {
		time->when = when_date(time->day);
		return;
	}
	if (time->utc || (time->tzid && vtodo_zone_offset(mem, ical, time->tzid, time->day,
							  time->second, &offset, &name))) {
		time->when =
			when_instant((wall - offset) * CLOCK_SECOND_US, time->utc ? "UTC" : name);
		time->when.wall_day = time->utc ? 0 : time->day;
		return;
	}
	if (time->tzid)
		time->problem = mem_printf(mem, "time zone not known: %s; read as the site's time",
					   text_one_line(mem, time->tzid, VTODO_SHOWN_CHARS));
	time->when = when_from_local(time->day, time->second / 3600, time->second / 60 % 60,
				     time->second % 60, NULL);
}

void vtodo_time_read(TALLOC_CTX *mem, const struct icaltext *ical, const struct icaltext_line *line,
		     struct vtodo_time *time_r)
{
	char *text = vtodo_text_word(mem, line);
	char *type = line->params[0] ? icaltext_param(mem, line, "VALUE") : NULL;
	bool timed;

	*time_r = (struct vtodo_time){ .known = false };
	if (!vtodo_time_scan(text, false, &time_r->day, &time_r->second, &timed, &time_r->utc)) {
		time_r->problem = mem_printf(mem, "no such date: %s",
					     text_one_line(mem, text, VTODO_SHOWN_CHARS));
		return;
	}
	if (type && text_equal_nocase(type, "DATE"))
		timed = false;
	time_r->known = true;
	time_r->written = timed ? WHEN_INSTANT : WHEN_DATE;
	if (timed && !time_r->utc && line->params[0])
		time_r->tzid = icaltext_param(mem, line, "TZID");
	if (time_r->tzid && !time_r->tzid[0])
		time_r->tzid = NULL;
	resolve(mem, ical, time_r);
}

void vtodo_time_whole_day(struct vtodo_time *time)
{
	int32_t day = time->day;

	if (!time->known || time->written != WHEN_INSTANT)
		return;
	if (time->utc) {
		struct when end;

		day = when_local_day(&time->when);
		end = when_from_local(day, 23, 59, 59, NULL);
		if (end.us == time->when.us)
			time->when = when_date(day);
	} else if (time->second == DAY_SECONDS - 1) {
		time->when = when_date(day);
	}
}

/* "P15DT5H0M20S", "P7W", also with a `+`; no fractions, no years, no months. */
static bool scan_duration(const char *text, int64_t *days_r, int64_t *seconds_r)
{
	static const struct unit {
		char letter;
		bool time;
		int64_t days, seconds;
	} units[] = { { 'W', false, 7, 0 },
		      { 'D', false, 1, 0 },
		      { 'H', true, 0, 3600 },
		      { 'M', true, 0, 60 },
		      { 'S', true, 0, 1 } };
	size_t next = 0, parts = 0;
	bool time = false;

	*days_r = *seconds_r = 0;
	text += *text == '+';
	if (*text != 'P' && *text != 'p')
		return false;
	for (text++; *text; text++, parts++) {
		size_t digits;
		int number;

		if (!time && (*text == 'T' || *text == 't')) {
			time = true;
			text++;
		}
		digits = strspn(text, "0123456789");
		if (digits == 0 || digits > DURATION_DIGITS_MAX ||
		    !scan_digits(&text, (int)digits, &number))
			return false;
		while (next < COUNT_OF(units) &&
		       (units[next].time != time || strncasecmp(&units[next].letter, text, 1) != 0))
			next++;
		if (next == COUNT_OF(units))
			return false;
		*days_r += number * units[next].days;
		*seconds_r += number * units[next++].seconds;
	}
	return parts > 0;
}

void vtodo_time_add(TALLOC_CTX *mem, const struct icaltext *ical, const struct vtodo_time *start,
		    const struct icaltext_line *line, struct vtodo_time *time_r)
{
	char *text = vtodo_text_word(mem, line);
	int64_t days, seconds, day;
	int year, month, month_day;
	int32_t same;

	*time_r = *start;
	time_r->known = false;
	if (!scan_duration(text, &days, &seconds)) {
		time_r->problem = mem_printf(mem, "no such duration: %s",
					     text_one_line(mem, text, VTODO_SHOWN_CHARS));
		return;
	}
	if (start->written == WHEN_DATE)
		days += seconds / DAY_SECONDS;
	day = start->day + days;
	if (day < INT32_MAX)
		when_day_to_civil((int32_t)day, &year, &month, &month_day);
	if (day >= INT32_MAX || !when_day_from_civil(year, month, month_day, &same)) {
		time_r->problem = mem_printf(mem, "duration too long: %s", text);
		return;
	}
	time_r->day = (int32_t)day;
	time_r->known = true;
	resolve(mem, ical, time_r);
	if (start->written == WHEN_INSTANT)
		time_r->when = when_instant(time_r->when.us + seconds * CLOCK_SECOND_US,
					    time_r->when.zone);
}

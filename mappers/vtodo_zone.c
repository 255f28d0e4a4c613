#include "config.h"

#include "mappers/vtodo_private.h"

#include <libical/ical.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Two ways to know a zone.
 *
 * A VTIMEZONE of the object says it (RFC 5545 section 3.6.5): the observance with the latest onset
 * at or before the wall time holds. Its rules are evaluated here and not by libical, which expands
 * every onset since the first year: a millisecond for an ordinary rule, two seconds for a hostile
 * one (BYDAY=MO,TU,...). Here one rule costs at most two years of days. A rule that no time zone
 * has (not yearly, COUNT, BYHOUR ...) makes the VTIMEZONE unusable.
 *
 * An IANA name is looked up in the system's zones by libical. Its table of zones, its error mode
 * and its prefix belong to the process and are filled when first used, which races
 * (facts/libraries.md section 2): this file sets them up once and does every look-up under one
 * lock. These two are the only static objects of the mapper, because what they guard is static too.
 * Names are checked against a strict grammar first, since libical opens a file by them.
 */

static pthread_once_t zones_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;

#define ZONE_NAME_MAX 64 /* bytes; the longest IANA name has 32 */
#define DAY_SECONDS 86400
#define OBSERVANCES_MAX 200 /* of one VTIMEZONE; the longest histories have some 180 */
#define RULE_NAMES_MAX 32   /* list entries of one rule part */

/* Libical's table */

static void set_up_libical(void)
{
	icalerror_set_errors_are_fatal(false);
	icaltimezone_set_tzid_prefix("");
}

/* IANA names begin with a capital; "localtime", "right/..." and the like are of this machine. */
static bool is_zone_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > ZONE_NAME_MAX ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789_+-/") != len)
		return false;
	return name[0] >= 'A' && name[0] <= 'Z' && name[len - 1] != '/' && !strstr(name, "//");
}

static struct icaltimetype wall_time(int32_t day, int32_t second)
{
	struct icaltimetype wall = icaltime_null_time();

	when_day_to_civil(day, &wall.year, &wall.month, &wall.day);
	wall.hour = second / 3600;
	wall.minute = second / 60 % 60;
	wall.second = second % 60;
	return wall;
}

static int offset_at_utc(icaltimezone *zone, int64_t utc)
{
	int64_t day = utc / DAY_SECONDS - (utc % DAY_SECONDS < 0);
	struct icaltimetype time = wall_time((int32_t)day, (int32_t)(utc - day * DAY_SECONDS));

	return icaltimezone_get_utc_offset_of_utc_time(zone, &time, NULL);
}

/* As when_from_local(): the offset of a day before decides in gaps and overlaps. */
static int offset_at_wall(icaltimezone *zone, int64_t wall)
{
	int before = offset_at_utc(zone, wall - DAY_SECONDS);
	int after = offset_at_utc(zone, wall + DAY_SECONDS);

	if (offset_at_utc(zone, wall - before) != before &&
	    offset_at_utc(zone, wall - after) == after)
		return after;
	return before;
}

/* With OFFSET_R NULL only tells whether there is such a zone. */
static bool iana_offset(const char *name, int64_t wall, int32_t *offset_r)
{
	icaltimezone *zone;

	if (!is_zone_name(name))
		return false;
	(void)pthread_once(&zones_once, set_up_libical);
	(void)pthread_mutex_lock(&zones_lock);
	zone = icaltimezone_get_builtin_timezone(name);
	if (zone && offset_r)
		*offset_r = offset_at_wall(zone, wall);
	icalerror_clear_errno();
	(void)pthread_mutex_unlock(&zones_lock);
	return zone;
}

/* The IANA name within TZID: all of it, or what stands behind a prefix such as
 * /freeassociation.sourceforge.net/. */
static const char *iana_name(const char *tzid)
{
	for (const char *name = tzid; name; name = strchr(name, '/')) {
		name += *name == '/';
		if (iana_offset(name, 0, NULL))
			return name;
		if (tzid[0] != '/')
			break;
	}
	return NULL;
}

/* VTIMEZONE */

/* A yearly rule; a mask or list that is empty does not restrict. */
struct rule {
	unsigned months; /* bit 1 to 12 */
	int month_days[RULE_NAMES_MAX];
	size_t month_day_count;
	struct {
		int nth;     /* 0: every one; -1: the last */
		int weekday; /* 0: Sunday */
	} days[RULE_NAMES_MAX];
	size_t day_count;
	bool has_until;
	int64_t until; /* as UTC, or as wall time when UNTIL has no Z */
	bool until_utc;
};

struct observance {
	int64_t first;    /* DTSTART as wall time, in seconds since 1970 */
	int32_t from, to; /* offsets */
};

static bool scan_number(const char **text, long min, long max, int *number_r)
{
	char *end;
	long number = strtol(*text, &end, 10);

	if (end == *text || number < min || number > max)
		return false;
	*text = end;
	*number_r = (int)number;
	return true;
}

static bool rule_months(struct rule *rule, const char *text)
{
	int month;

	do {
		text += *text == ',';
		if (!scan_number(&text, 1, 12, &month))
			return false;
		rule->months |= 1U << month;
	} while (*text == ',');
	return !*text;
}

static bool rule_month_days(struct rule *rule, const char *text)
{
	do {
		text += *text == ',';
		if (rule->month_day_count == RULE_NAMES_MAX ||
		    !scan_number(&text, -31, 31, &rule->month_days[rule->month_day_count++]))
			return false;
	} while (*text == ',');
	return !*text;
}

static bool rule_days(struct rule *rule, const char *text)
{
	static const char names[][3] = { "SU", "MO", "TU", "WE", "TH", "FR", "SA" };

	do {
		int nth = 0, weekday = 0;

		text += *text == ',';
		if (!scan_number(&text, -5, 5, &nth) && (*text == '+' || *text == '-'))
			return false;
		while (weekday < 7 && strncasecmp(text, names[weekday], 2) != 0)
			weekday++;
		if (weekday == 7 || rule->day_count == RULE_NAMES_MAX)
			return false;
		rule->days[rule->day_count].nth = nth;
		rule->days[rule->day_count++].weekday = weekday;
		text += 2;
	} while (*text == ',');
	return !*text;
}

static bool rule_until(struct rule *rule, const char *text)
{
	int32_t day, second;
	bool timed;

	rule->has_until = true;
	if (!vtodo_time_scan(text, true, &day, &second, &timed, &rule->until_utc))
		return false;
	rule->until = (int64_t)day * DAY_SECONDS + (timed ? second : DAY_SECONDS - 1);
	return true;
}

static bool rule_yearly(struct rule *rule, const char *text)
{
	(void)rule;
	return text_equal_nocase(text, "YEARLY");
}

static bool rule_one(struct rule *rule, const char *text)
{
	(void)rule;
	return strcmp(text, "1") == 0;
}

static bool rule_any(struct rule *rule, const char *text)
{
	(void)rule;
	(void)text;
	return true;
}

static const struct rule_part {
	const char *name;
	bool (*read)(struct rule *rule, const char *text);
} rule_parts[] = {
	{ "FREQ", rule_yearly },    { "INTERVAL", rule_one },
	{ "BYMONTH", rule_months }, { "BYMONTHDAY", rule_month_days },
	{ "BYDAY", rule_days },     { "UNTIL", rule_until },
	{ "WKST", rule_any },
};

/* False: a rule that we do not evaluate. */
static bool rule_read(TALLOC_CTX *mem, const struct icaltext_line *line, struct rule *rule)
{
	char *part = vtodo_text_word(mem, line), *next, *value;

	*rule = (struct rule){ .has_until = false };
	for (; part; part = next) {
		size_t i = 0;

		next = strchr(part, ';');
		if (next)
			*next++ = '\0';
		if (!*part)
			continue;
		value = strchr(part, '=');
		if (!value)
			return false;
		*value++ = '\0';
		while (i < COUNT_OF(rule_parts) && !text_equal_nocase(part, rule_parts[i].name))
			i++;
		if (i == COUNT_OF(rule_parts) || !rule_parts[i].read(rule, value))
			return false;
	}
	/* "the second Sunday of the year" is no rule of a time zone */
	return rule->months || !(rule->day_count || rule->month_day_count);
}

static int days_of_month(int year, int month)
{
	int32_t first, next;

	if (!when_day_from_civil(year, month, 1, &first) ||
	    !when_day_from_civil(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1,
				 &next))
		return 31; /* December of the last year */
	return next - first;
}

static bool rule_matches(const struct rule *rule, int32_t day, int month_day, int month_length)
{
	int weekday = (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
	bool found = rule->month_day_count == 0;

	for (size_t i = 0; i < rule->month_day_count && !found; i++)
		found = rule->month_days[i] == month_day ||
			rule->month_days[i] == month_day - month_length - 1;
	if (!found || rule->day_count == 0)
		return found;
	for (size_t i = 0; i < rule->day_count; i++) {
		int nth = rule->days[i].nth;

		if (weekday == rule->days[i].weekday &&
		    (nth == 0 || nth == (month_day - 1) / 7 + 1 ||
		     nth == -((month_length - month_day) / 7 + 1)))
			return true;
	}
	return false;
}

/* The latest onset in MONTH of YEAR at or before LIMIT, or false. TIME is the onset's time of day.
 */
static bool last_in_month(const struct rule *rule, int year, int month, int32_t time, int64_t limit,
			  int64_t *onset_r)
{
	int length = days_of_month(year, month);
	int32_t first;

	if (!when_day_from_civil(year, month, 1, &first))
		return false;
	for (int month_day = length; month_day > 0; month_day--) {
		int64_t onset = (int64_t)(first + month_day - 1) * DAY_SECONDS + time;

		if (onset <= limit &&
		    rule_matches(rule, first + month_day - 1, month_day, length)) {
			*onset_r = onset;
			return true;
		}
	}
	return false;
}

static int64_t floor_days(int64_t seconds)
{
	return seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
}

/* The latest onset of RULE at or before WALL, as if the rule had no first one. */
static bool last_onset(const struct rule *given, const struct observance *observance, int64_t wall,
		       int64_t *onset_r)
{
	struct rule rule = *given;
	int64_t limit = wall, first_day = floor_days(observance->first);
	int32_t time = (int32_t)(observance->first - first_day * DAY_SECONDS);
	int year, month, month_day;

	if (rule.has_until && rule.until + (rule.until_utc ? observance->from : 0) < limit)
		limit = rule.until + (rule.until_utc ? observance->from : 0);
	when_day_to_civil((int32_t)first_day, &year, &month, &month_day);
	if (!rule.months)
		rule.months = 1U << month;
	if (!rule.day_count && !rule.month_day_count)
		rule.month_days[rule.month_day_count++] = month_day;
	when_day_to_civil((int32_t)floor_days(limit), &year, &month, &month_day);
	for (int back = 0; back < 2; back++)
		for (month = 12; month > 0; month--)
			if (rule.months & 1U << month &&
			    last_in_month(&rule, year - back, month, time, limit, onset_r))
				return true;
	return false;
}

/* "+0100", "-0330", "+013020" */
static bool read_offset(TALLOC_CTX *mem, const struct icaltext_line *line, int32_t *offset_r)
{
	char *text = line ? vtodo_text_word(mem, line) : NULL;
	size_t digits = text && (*text == '+' || *text == '-') ? strspn(text + 1, "0123456789") : 0;
	long n;

	if ((digits != 4 && digits != 6) || text[1 + digits])
		return false;
	n = strtol(text + 1, NULL, 10);
	if (digits == 4)
		n *= 100;
	n = n / 10000 * 3600 + n / 100 % 100 * 60 + n % 100;
	*offset_r = (int32_t)(*text == '-' ? -n : n);
	return n < DAY_SECONDS;
}

static bool read_wall(const char *text, int64_t *wall_r)
{
	int32_t day, second;
	bool timed, utc;

	if (!vtodo_time_scan(text, true, &day, &second, &timed, &utc) || !timed || utc)
		return false;
	*wall_r = (int64_t)day * DAY_SECONDS + second;
	return true;
}

/* The latest RDATE of a line at or before WALL, if it is later than what is found already. */
static void later_rdate(TALLOC_CTX *mem, const struct icaltext_line *line, int64_t wall,
			bool *found_r, int64_t *onset_r)
{
	char *text = vtodo_text_word(mem, line), *next;
	int64_t at;

	for (; text; text = next) {
		next = strchr(text, ',');
		if (next)
			*next++ = '\0';
		if (read_wall(text, &at) && at <= wall && (!*found_r || at > *onset_r)) {
			*onset_r = at;
			*found_r = true;
		}
	}
}

static bool read_observance(TALLOC_CTX *mem, const struct icaltext *ical, uint32_t component,
			    struct observance *observance)
{
	const struct icaltext_line *start = icaltext_find(ical, component, "DTSTART", NULL);

	return start && read_wall(vtodo_text_word(mem, start), &observance->first) &&
	       read_offset(mem, icaltext_find(ical, component, "TZOFFSETFROM", NULL),
			   &observance->from) &&
	       read_offset(mem, icaltext_find(ical, component, "TZOFFSETTO", NULL),
			   &observance->to);
}

/* The latest onset of an observance at or before WALL; *FOUND_R false when there is none. Returns
 * false when a rule of it is beyond us. */
static bool observance_onset(TALLOC_CTX *mem, const struct icaltext *ical, uint32_t component,
			     const struct observance *observance, int64_t wall, bool *found_r,
			     int64_t *onset_r)
{
	const struct icaltext_line *line = NULL;
	struct rule rule;
	int64_t onset;

	*found_r = observance->first <= wall;
	*onset_r = observance->first;
	while ((line = icaltext_find(ical, component, "RRULE", line))) {
		if (!rule_read(mem, line, &rule))
			return false;
		if (*found_r && last_onset(&rule, observance, wall, &onset) && onset > *onset_r)
			*onset_r = onset;
	}
	while ((line = icaltext_find(ical, component, "RDATE", line)))
		later_rdate(mem, line, wall, found_r, onset_r);
	return true;
}

/* What is found while going through the observances of a VTIMEZONE. */
struct search {
	int64_t wall;
	bool any, found;
	int64_t first; /* the earliest DTSTART of all, for times before it */
	int32_t before_first;
	int64_t onset; /* the latest onset at or before the wall time */
	int32_t offset;
};

static bool search_observance(TALLOC_CTX *mem, const struct icaltext *ical, uint32_t component,
			      struct search *search)
{
	struct observance observance;
	int64_t onset;
	bool found;

	if (!read_observance(mem, ical, component, &observance) ||
	    !observance_onset(mem, ical, component, &observance, search->wall, &found, &onset))
		return false;
	if (!search->any || observance.first < search->first) {
		search->first = observance.first;
		search->before_first = observance.from;
		search->any = true;
	}
	if (found && (!search->found || onset > search->onset)) {
		/* within the hour that the change skips, the offset before it holds */
		bool gap = search->wall < onset + observance.to - observance.from;

		search->onset = onset;
		search->offset = gap ? observance.from : observance.to;
		search->found = true;
	}
	return true;
}

static bool vtimezone_offset(TALLOC_CTX *mem, const struct icaltext *ical, uint32_t vtimezone,
			     int64_t wall, int32_t *offset_r)
{
	struct search search = { .wall = wall };
	size_t count = 0;

	for (uint32_t i = vtimezone + 1; i < ical->component_count; i++) {
		const struct icaltext_component *component = &ical->components[i];

		if (component->begin > ical->components[vtimezone].end)
			break;
		if (component->parent != vtimezone ||
		    (!text_equal_nocase(component->name, "STANDARD") &&
		     !text_equal_nocase(component->name, "DAYLIGHT")))
			continue;
		if (++count > OBSERVANCES_MAX || !search_observance(mem, ical, i, &search))
			return false;
	}
	if (!search.any)
		return false;
	*offset_r = search.found ? search.offset : search.before_first;
	return true;
}

static uint32_t find_vtimezone(TALLOC_CTX *mem, const struct icaltext *ical, const char *tzid)
{
	for (uint32_t i = 0; i < ical->component_count; i++) {
		const struct icaltext_line *line;

		if (!text_equal_nocase(ical->components[i].name, "VTIMEZONE"))
			continue;
		line = icaltext_find(ical, i, "TZID", NULL);
		if (line && strcmp(vtodo_text_word(mem, line), tzid) == 0)
			return i;
	}
	return ICALTEXT_NONE;
}

bool vtodo_zone_offset(TALLOC_CTX *mem, const struct icaltext *ical, const char *tzid, int32_t day,
		       int32_t second, int32_t *offset_r, const char **name_r)
{
	int64_t wall = (int64_t)day * DAY_SECONDS + second;
	uint32_t vtimezone = find_vtimezone(mem, ical, tzid);
	const char *name = iana_name(tzid);
	int32_t offset;

	if (vtimezone != ICALTEXT_NONE && vtimezone_offset(mem, ical, vtimezone, wall, &offset)) {
		*offset_r = offset;
		*name_r = name;
		return true;
	}
	if (!name || !iana_offset(name, wall, &offset))
		return false;
	*offset_r = offset;
	*name_r = name;
	return true;
}

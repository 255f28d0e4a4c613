#include "config.h"

#include "mappers/mspdi_private.h"

#include <string.h>

#include "base/text.h"

/* The least date of the programs that write the format; they use it for "none". */
#define NO_DATE_YEAR 1984

#define PRIORITY_NONE 500
#define PRIORITY_STEPS 1001 /* values from 0 to 1000 */

/* N digits at *TEXT, which moves behind them. */
static bool take_digits(const char **text, int n, int *number_r)
{
	int number = 0;

	for (int i = 0; i < n; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		number = number * 10 + (**text - '0');
	}
	*number_r = number;
	return true;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* Behind the seconds: nothing, or a fraction, which is dropped. */
static bool take_fraction(const char **text)
{
	if (**text != '.')
		return true;
	(*text)++;
	if (!strspn(*text, "0123456789"))
		return false;
	*text += strspn(*text, "0123456789");
	return true;
}

struct civil {
	int year, month, day, hour, minute, second;
};

static bool civil_from_text(const char *text, struct civil *civil)
{
	return take_digits(&text, 4, &civil->year) && take_char(&text, '-') &&
	       take_digits(&text, 2, &civil->month) && take_char(&text, '-') &&
	       take_digits(&text, 2, &civil->day) && take_char(&text, 'T') &&
	       take_digits(&text, 2, &civil->hour) && take_char(&text, ':') &&
	       take_digits(&text, 2, &civil->minute) && take_char(&text, ':') &&
	       take_digits(&text, 2, &civil->second) && take_fraction(&text) && *text == '\0';
}

static bool civil_is_time(const struct civil *civil)
{
	if (civil->hour == 24) /* the end of the day, as XML Schema has it */
		return civil->minute == 0 && civil->second == 0;
	return civil->hour < 24 && civil->minute < 60 && civil->second < 60;
}

static bool when_from_civil(const struct civil *civil, struct when *when_r)
{
	int32_t day;

	if (!civil_is_time(civil) ||
	    !when_day_from_civil(civil->year, civil->month, civil->day, &day))
		return false;
	if (civil->hour == 24)
		*when_r = when_from_local(day + 1, 0, 0, 0, NULL);
	else
		*when_r = when_from_local(day, civil->hour, civil->minute, civil->second, NULL);
	return true;
}

/* Forms that the programs do not write but XML Schema allows: with a zone. */
static bool when_from_other(const char *text, struct when *when_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(NULL);
	struct fault *fault = when_parse(work, text, when_r);

	talloc_free(work);
	return !fault;
}

static bool when_from_text(const char *text, struct mspdi_when *when_r)
{
	struct civil civil;
	struct when when;

	if (*text == '\0' || strcmp(text, "NA") == 0)
		return true;
	if (!civil_from_text(text, &civil)) {
		if (!when_from_other(text, &when))
			return false;
	} else {
		if (!when_from_civil(&civil, &when))
			return false;
		if (civil.year == NO_DATE_YEAR && civil.month == 1 && civil.day == 1)
			return true;
	}
	when_r->set = true;
	when_r->when = when;
	return true;
}

bool mspdi_value_when(const char *text, struct mspdi_when *when_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(NULL);
	bool ok = when_from_text(text_trim(work, text), when_r);

	talloc_free(work);
	return ok;
}

bool mspdi_value_flag(const char *text, bool *flag_r)
{
	static const struct {
		const char *text;
		bool flag;
	} forms[] = { { "0", false }, { "1", true }, { "false", false }, { "true", true } };

	for (size_t i = 0; i < COUNT_OF(forms); i++)
		if (text_equal_nocase(text, forms[i].text)) {
			*flag_r = forms[i].flag;
			return true;
		}
	return false;
}

int64_t mspdi_value_priority(int64_t priority)
{
	if (priority == PRIORITY_NONE)
		return 0;
	return PRIORITY_MAX - priority * PRIORITY_MAX / PRIORITY_STEPS;
}

char *mspdi_value_lines(TALLOC_CTX *mem, const char *text)
{
	char *copy = mem_strdup(mem, text), *to = copy;

	for (const char *from = copy; *from; from++) {
		if (from[0] == '\r' && from[1] == '\n')
			continue;
		*to++ = *from == '\r' ? '\n' : *from;
	}
	*to = '\0';
	return copy;
}

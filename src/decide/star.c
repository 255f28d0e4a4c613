#include "config.h"

#include "decide/star.h"

#include "base/text.h"

static bool is_open(const struct vector *want)
{
	int64_t status = vector_get(want, FIELD_status, STATUS_NEEDS_ACTION);

	return status == STATUS_NEEDS_ACTION || status == STATUS_IN_PROCESS;
}

struct star star_decide(TALLOC_CTX *mem, const struct star_input *input)
{
	const struct value *due = &input->want->value[FIELD_due];
	struct star star = { STAR_STAYS, input->starred };
	int32_t day;
	struct when date;
	char *text;

	if (due->presence != SET || !is_open(input->want)) {
		star.what = input->starred ? STAR_DROP : STAR_STAYS;
		star.starred = NULL;
		return star;
	}
	day = when_local_day(&due->when);
	date = when_date(day);
	text = when_text(mem, &date);
	if (text_same(text, input->starred))
		return star;
	date = when_from_local(day + 1, 0, 0, 0, NULL);
	if (input->before_us && input->now_us >= date.us - input->before_us)
		return (struct star){ STAR_ADD, text };
	return (struct star){ input->starred ? STAR_DROP : STAR_STAYS, NULL };
}

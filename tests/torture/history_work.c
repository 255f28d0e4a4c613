#include "config.h"

#include "history_work.h"

#include <string.h>

#include "base/text.h"
#include "history_item.h"

void history_work_check(struct world *world, TALLOC_CTX *mem, const struct history_work *work)
{
	struct booked *list = NULL;
	size_t count = 0;
	int64_t sum = 0;

	WORLD_OK(project_booked(world->store, mem, work->assignment, &list, &count));
	for (size_t i = 0; i < count; i++) {
		sum += list[i].minutes;
		for (size_t k = 0; k < i; k++)
			if (text_same(list[i].text, list[k].text))
				history_fail("work", "'%s' of %s: '%s' is booked twice",
					     work->title, work->who, list[i].text);
	}
	if (sum != work->says)
		history_fail("work", "'%s' of %s: %lld minutes are booked, it says %lld",
			     work->title, work->who, (long long)sum, (long long)work->says);
	if (count > work->count)
		history_fail("work", "'%s' of %s: %zu lines were written, %zu are booked",
			     work->title, work->who, work->count, count);
}

void history_work_check_item(struct world *world, TALLOC_CTX *mem, const struct history_work *work,
			     const struct client_item *item)
{
	struct history_item *read = history_item_read(mem, item->text);
	struct booked *list = NULL;
	size_t count = 0;

	WORLD_OK(project_booked(world->store, mem, work->assignment, &list, &count));
	for (size_t w = 0; w < work->count; w++) {
		bool booked = !strstr(read->said[SAID_NOTES], work->lines[w]);

		for (size_t i = 0; i < count && !booked; i++)
			booked = list[i].text && strstr(work->lines[w], list[i].text);
		if (!booked)
			history_fail("work", "'%s' of %s: '%s' stands there and is not booked",
				     work->title, work->who, work->lines[w]);
	}
}

/* round_first.c - messages at first contact: in which order they are judged.
 *
 * The newest of several messages of one item is adopted, and the others are judged by it; the other way
 * round this database would look older than the world (M10). Which is the newest is known when all have
 * been read. A folder of more than ROUND_BATCH messages, which is one that was filled under another
 * database, is therefore read twice: for the order, of which a few bytes each are kept, and, in that
 * order and piece by piece, to be judged. Memory does not follow the folder's size by its texts. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <stdlib.h>
#include <string.h>

#include "decide/mark.h"

struct place {
	const char *address;
	int64_t edition;
	bool is_done; /* in the sub-folder for what is done: put there by somebody, last */
};

static struct place place_of(const struct found *found)
{
	return (struct place){ .address = found->address,
			       .edition = found->decoded ? found->decoded->edition : 0,
			       .is_done = mark_is_in_folder(found->item->marks) };
}

/* The highest edition first, then as they arrived. */
static int by_edition(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	if (one->edition != other->edition)
		return one->edition > other->edition ? -1 : 1;
	if (one->is_done != other->is_done)
		return one->is_done ? 1 : -1;
	return strcmp(one->address, other->address);
}

static int found_by_edition(const void *a, const void *b)
{
	struct place one = place_of(a), other = place_of(b);

	return by_edition(&one, &other);
}

static bool is_first(const struct round *round)
{
	return round->endpoint->ops->appends && !round->folder->last_round_us;
}

void round_first_sort(const struct round *round, struct found *found, size_t count)
{
	if (is_first(round) && count)
		qsort(found, count, sizeof *found, found_by_edition);
}

struct fault *round_first_order(struct round *round, const char **addresses, size_t count)
{
	struct place *places;

	if (!is_first(round) || count <= ROUND_BATCH)
		return NULL;
	places = MEM_ARRAY(round->mem, struct place, count);
	for (size_t done = 0; done < count;) {
		TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
		size_t left = count - done, n = left < ROUND_BATCH ? left : ROUND_BATCH;
		struct found *found = NULL;

		FAULT_TRY(round_fetch(round, mem, addresses + done, n, &found));
		round->report->read -= (int64_t)n; /* they are read again */
		for (size_t i = 0; i < n; i++) {
			places[done + i] = place_of(&found[i]);
			places[done + i].address = addresses[done + i];
		}
		talloc_free(mem);
		done += n;
	}
	qsort(places, count, sizeof *places, by_edition);
	for (size_t i = 0; i < count; i++)
		addresses[i] = places[i].address;
	talloc_free(places);
	return NULL;
}

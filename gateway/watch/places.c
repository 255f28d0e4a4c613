#include "config.h"

#include "gateway/watch/places.h"

#include <string.h>

struct places {
	struct endpoint_sweep *folders;
	size_t count;
	uint64_t *told; /* per folder, hash of the last answer that said something; 0: none */
};

/* What was told of that folder before. */
static uint64_t told_of(const struct places *places, const char *folder)
{
	for (size_t i = 0; places && i < places->count; i++)
		if (!strcmp(places->folders[i].folder, folder))
			return places->told[i];
	return 0;
}

void places_take(TALLOC_CTX *spot, struct places **places, const struct endpoint_sweep *folders,
		 size_t count)
{
	struct places *before = *places, *taken;

	*places = NULL;
	if (folders && count) {
		*places = taken = MEM_NEW(spot, struct places);
		taken->count = count;
		taken->folders = MEM_ARRAY(taken, struct endpoint_sweep, count);
		taken->told = MEM_ARRAY(taken, uint64_t, count);
		for (size_t i = 0; i < count; i++) {
			taken->folders[i].folder = mem_strdup(taken->folders, folders[i].folder);
			taken->folders[i].token = mem_strdup(taken->folders, folders[i].token);
			taken->told[i] = told_of(before, folders[i].folder);
		}
	}
	talloc_free(before);
}

/* FNV-1a, with the end of the text */
static uint64_t add(uint64_t hash, const char *text)
{
	const char *c = text ? text : "";

	do
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	while (*c++);
	return hash;
}

/* What an answer said, and to which question. */
static uint64_t hash_of(const struct endpoint_sweep *folder, const struct endpoint_notice *notice)
{
	uint64_t hash = add(add(UINT64_C(0xcbf29ce484222325), folder->folder), folder->token);

	for (size_t i = 0; i < notice->count; i++)
		hash = add(add(hash, notice->changes[i].address), notice->changes[i].version);
	return hash;
}

/* Of a folder that a sweep does not tell of: asked by itself. */
static bool has_moved(struct places *places, size_t i, struct endpoint *endpoint, TALLOC_CTX *mem)
{
	const struct endpoint_sweep *folder = &places->folders[i];
	struct endpoint_notice *notice = NULL;
	struct fault *fault =
		endpoint_notice(endpoint, mem, folder->folder, folder->token, &notice);
	uint64_t told;

	if (fault || notice->full)
		return true;
	if (!notice->count)
		return false;
	told = hash_of(folder, notice);
	if (told == places->told[i])
		return false;
	places->told[i] = told;
	return true;
}

const struct endpoint_sweep *places_folders(const struct places *places, size_t *count_r)
{
	*count_r = places->count;
	return places->folders;
}

bool places_moved(struct places *places, size_t first, struct endpoint *endpoint)
{
	TALLOC_CTX *mem = MEM_CONTEXT(places);
	size_t count = first < places->count ? places->count - first : 0;
	struct endpoint_sweep *folders = MEM_ARRAY(mem, struct endpoint_sweep, count);
	struct fault *fault;
	bool moved = false;

	for (size_t i = 0; i < count; i++)
		folders[i] = places->folders[first + i];
	if (!count) {
		talloc_free(mem);
		return false;
	}
	fault = endpoint_sweep(endpoint, mem, folders, count);
	moved = fault != NULL;
	for (size_t i = 0; i < count && !moved; i++)
		moved = folders[i].moved && folders[i].asked;
	for (size_t i = 0; i < count && !moved; i++)
		moved = !folders[i].asked && has_moved(places, first + i, endpoint, mem);
	talloc_free(mem);
	return moved;
}

#include "config.h"

#include "store/rows.h"

#include <string.h>

struct fault *rows_all(struct db_cursor *cursor, TALLOC_CTX *mem, rows_read *read, size_t size,
		       void *list_r, size_t *count_r)
{
	size_t count = 0, room = 16;
	char *list = MEM_ARRAY(mem, char, size *room);
	struct fault *fault;

	while (db_next(cursor)) {
		if (count == room) {
			room *= 2;
			list = MEM_GROW(mem, list, char, size *room);
		}
		memset(list + count * size, 0, size);
		read(cursor, list, list + count * size);
		count++;
	}
	fault = db_close(&cursor);
	if (fault) {
		talloc_free(list);
		return fault;
	}
	*(void **)list_r = list;
	*count_r = count;
	return NULL;
}

struct fault *rows_one(struct db_cursor *cursor, TALLOC_CTX *mem, rows_read *read, size_t size,
		       void *element_r)
{
	void *element = NULL;

	if (db_next(cursor)) {
		element = mem_must(talloc_zero_size(mem, size));
		read(cursor, element, element);
	}
	FAULT_TRY(db_close(&cursor));
	*(void **)element_r = element;
	return NULL;
}

struct fault *rows_int(struct db_cursor *cursor, int64_t otherwise, int64_t *number_r)
{
	int64_t number = otherwise;

	if (db_next(cursor))
		number = db_int(cursor, 0);
	FAULT_TRY(db_close(&cursor));
	*number_r = number;
	return NULL;
}

int rows_name(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (name && !strcmp(names[i], name))
			return i;
	return count - 1;
}

#include "config.h"

#include "decide/shown.h"

char *shown_files(TALLOC_CTX *mem, const char *value, const char *there,
		  const struct shown_room *room)
{
	TALLOC_CTX *scratch;
	struct files *all, *standing, *refused, *shown;
	int64_t total = 0, most = room && room->total_max ? room->total_max : SHOWN_INLINE_TOTAL;
	char *text;

	if (!value)
		return NULL;
	if (!room)
		return mem_strdup(mem, value);
	scratch = MEM_CONTEXT(mem);
	all = files_read(scratch, value);
	standing = files_read(scratch, there);
	refused = files_read(scratch, room->refused);
	shown = MEM_NEW(scratch, struct files);
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].digest && files_find(standing, all->list[i].digest))
			total += all->list[i].size;
	for (size_t i = 0; i < all->count; i++) {
		const struct file *file = &all->list[i];
		bool stands = files_find(standing, files_id(file)) != NULL;
		bool fits = !room->managed && file->size <= room->inline_max &&
			    total + file->size <= most &&
			    !files_find(refused, files_id(file));

		if (file->digest && !stands && !fits)
			continue;
		if (file->digest && !stands)
			total += file->size;
		files_add(shown, file);
	}
	text = files_write(mem, shown);
	talloc_free(scratch);
	return text;
}

/* attach.h - what scenarios say about attachments. */
#ifndef TASKFERRY_TESTS_ATTACH_H
#define TASKFERRY_TESTS_ATTACH_H

#include "world.h"

/* SIZE bytes of LETTER. */
char *attach_bytes(TALLOC_CTX *mem, size_t size, char letter);

/* As `task attach` with such a file, and `task detach`. */
void attach_put(struct world *world, const char *title, const char *person, const char *name,
		size_t size, char letter);
void attach_drop(struct world *world, const char *title, const char *person, const char *name);

/* "a.txt, b.txt": the assignment's attachments, whose bytes are all in the store. */
char *attach_names(struct world *world, const char *title, const char *person);

/* The ATTACH line of such a file as a client may write it. */
char *attach_line(TALLOC_CTX *mem, const char *name, size_t size, char letter);

#endif

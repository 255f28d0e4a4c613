/* attach.h - what scenarios say about attachments. */
#ifndef TASKFERRY_TESTS_ATTACH_H
#define TASKFERRY_TESTS_ATTACH_H

#include "world.h"

/* As `task attach` with such a file, and `task detach`. */
void attach_put(struct world *world, const char *title, const char *person, const char *name,
		size_t size, char letter);
void attach_drop(struct world *world, const char *title, const char *person, const char *name);

/* "a.txt, b.txt": the assignment's attachments, whose bytes are all in the store. */
char *attach_names(struct world *world, const char *title, const char *person);

/* A client of the person adds such a file to the item: in its text, or by the server that keeps
 * files. */
void attach_enclose(struct world *world, const char *who, const char *title, const char *name,
		    size_t size, char letter);

/* A client removes the file of that name from the item. */
void attach_strip(struct world *world, const char *who, const char *title, const char *name);

/* "a.txt, b.txt": the files that the item shows, or NULL: there is no such item. */
char *attach_shown(struct world *world, const char *who, const char *title);

/* How many files went to the server ("attach") or came from it ("download"), since it was last
 * asked; what clients did is counted too. */
int64_t attach_transfers(struct world *world, const char *operation);

#endif

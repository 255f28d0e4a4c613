/* scenario.h - the language of the *.scenario files, for other programs that play stories. */
#ifndef TASKFERRY_TESTS_SCENARIO_H
#define TASKFERRY_TESTS_SCENARIO_H

#include "world.h"

/* Plays one line. WHERE (it and TEXT live as long as WORLD) stands before what it complains of. */
void scenario_line(struct world *world, const char *where, const char *text);

#endif

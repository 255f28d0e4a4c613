/* history_item.h - what a to-do or a card says, read by code of its own: the model must not believe
 * the mappers that it judges. */
#ifndef TASKFERRY_TESTS_HISTORY_ITEM_H
#define TASKFERRY_TESTS_HISTORY_ITEM_H

#include <stdbool.h>

#include "base/mem.h"

enum said {
	SAID_STATUS,
	SAID_PERCENT,
	SAID_COMPLETED,
	SAID_DUE,
	SAID_PRIORITY,
	SAID_NOTES,
	SAID_TITLE,
	SAIDS
};

struct history_item {
	char *said[SAIDS]; /* "": nothing */
	char **foreign;    /* lines of properties and alarms that are not ours */
	size_t foreign_count;
};

/* TEXT: a to-do, unfolded, with LF. CARD: of a message, or NULL; what it says stands in card_said.
 */
struct history_item *history_item_read(TALLOC_CTX *mem, const char *text);

/* The same of a card. */
struct history_item *history_item_read_card(TALLOC_CTX *mem, const char *card);

/* A value as the model compares it: days as YYYYMMDD in the site's zone (winter), priorities by
 * band, statuses in small letters, no number as "0". */
char *history_item_normal(TALLOC_CTX *mem, enum said what, const char *text);

const char *history_item_name(enum said what);

#endif

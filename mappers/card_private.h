/* card_private.h - what the files of the card mapper share. Not for others. */
#ifndef TASKFERRY_CARD_PRIVATE_H
#define TASKFERRY_CARD_PRIVATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "mappers/card.h"

/* One line without blanks at its ends; runs of blanks, also hard and narrow ones, are one. */
char *card_squeeze(TALLOC_CTX *mem, const char *text, size_t len);

/* Behind the lines at the beginning of TEXT that hold nothing but blanks. */
const char *card_skip_blank_lines(const char *text);

/* True for no text and for "-", as it is typed, and as typing turns it. */
bool card_is_nothing(const char *text);

/* The value that TEXT, which is squeezed, says; false: it is not understood. FIELD has a key. */
bool card_value(TALLOC_CTX *mem, enum field field, const char *text, struct value *value_r);

/* The statuses' and priorities' names on a card. The first of each number is the one written; the
 * others are read only. */
struct card_word {
	int64_t number;
	const char *word; /* lower case, blanks for `-` and `_` */
};

const char *card_status_word(enum status status);
bool card_status_find(TALLOC_CTX *mem, const char *word, int64_t *number_r);

/* Of a priority from 1 to 9, by its band. */
const char *card_priority_word(int64_t priority);
bool card_priority_find(TALLOC_CTX *mem, const char *word, int64_t *number_r);

#endif

/* cardline.h - what one line of a card (mappers/card.h) is: for the card's own mapper, and for that of
 * messages, which puts lines together that a mail program has broken.
 *
 * A line ends at its newline, or with the text.
 */
#ifndef TASKFERRY_CARDLINE_H
#define TASKFERRY_CARDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "model/field.h"

/* Bytes of the blank that TEXT begins with, 0: none. Blanks are also hard ones, which editors of HTML
 * and French typing leave behind. */
size_t cardline_blank(const char *text);

/* Behind the blanks that TEXT begins with. */
const char *cardline_skip_blanks(const char *text);

/* The field of a key line `KEY: value`, without regard to case and blanks in the key, and where its
 * value begins; FIELDS: it is none. VALUE_R may be NULL. */
enum field cardline_field(const char *line, const char **value_r);

/* True for a separator, by the judgement of trailer_split(): nothing is left of it. LINE is the
 * whole text. */
bool cardline_is_separator(TALLOC_CTX *mem, const char *line);

#endif

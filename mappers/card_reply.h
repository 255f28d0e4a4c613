/* card_reply.h - what a person says on top of a reply: key lines of the card, and words. Pure.
 *
 *     Percent: 60                        a key line of the card (mappers/card.h), any number of them
 *     Work: 3h                           left in the note, for decide/booking_line.h, as is "+2h review"
 *     the paint had to dry               all else is a note
 *
 *     On Monday the office wrote:        from here on nothing counts
 *     > Percent: 40
 *
 * The first line may be a value alone: "done", "60%". It ends at the first line that begins with `>`,
 * at a signature ("-- "), at the line by which a client introduces what it quotes, in the languages that
 * are listed in card_reply.c, at the header block that Outlook puts there, and at our own card (a line
 * "Task:", or its separator).
 */
#ifndef TASKFERRY_CARD_REPLY_H
#define TASKFERRY_CARD_REPLY_H

#include "model/vector.h"

#define CARD_REPLY_LINES_MAX 200  /* of a person's own text; what is below is not read */
#define CARD_REPLY_NOTE_MAX 16384 /* bytes of a note */

struct card_reply {
	struct vector *values; /* what key lines say; notes is absent */
	const char *note; /* lines that are no key lines, and those not understood; "" for none */
	const char *
		*problems; /* key lines that are not understood: `Percent: "x" is not understood` */
	size_t problem_count;
	bool any; /* a value or a note */
};

/* Never fails. */
struct card_reply *card_reply_read(TALLOC_CTX *mem, const char *text);

#endif

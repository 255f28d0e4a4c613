/* card_html.h - a card for programs that show HTML: the same words, easier to look at.
 *
 * It is only written. What people edit or answer is the card itself (card.h); a message's HTML is
 * made anew with each card.
 */
#ifndef TASKFERRY_CARD_HTML_H
#define TASKFERRY_CARD_HTML_H

#include "base/mem.h"

/* CARD as card_write() gives it: the key block line by line, the notes' paragraphs, the trailer below
 * a rule. Nothing of it is taken for markup; no links, pictures, styles or scripts. Never fails:
 * what is no card is shown as it stands. */
char *card_html(TALLOC_CTX *mem, const char *card);

#endif

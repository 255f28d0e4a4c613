#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

/* "UIDVALIDITY UIDNEXT EXISTS SIGN" of the folder's own mailbox, and of that for tasks that are done behind
 * a slash; what they mean stands in imap_notice.c. */

#define DOUBTED UINT64_MAX /* a digest that no marks have, but one in 2^64 */

static const char *const sign_words[IMAP_SIGNS] = { "", "m", "d" };

/* Digits without zeros in front. */
static bool read_number(const char **at, char end, uint64_t max, uint64_t *value_r)
{
	size_t n = strspn(*at, "0123456789");
	uint64_t value = 0;

	if (!n || (n > 1 && **at == '0') || (*at)[n] != end)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint64_t digit = (uint64_t)((*at)[i] - '0');

		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*at += n + (end != '\0');
	*value_r = value;
	return true;
}

static bool read_count(const char **at, char end, uint32_t *value_r)
{
	uint64_t value;

	if (!read_number(at, end, UINT32_MAX, &value))
		return false;
	*value_r = (uint32_t)value;
	return true;
}

static bool read_sign(const char *at, struct imap_counts *counts)
{
	for (int i = IMAP_SIGN_MODSEQ; i < IMAP_SIGNS; i++) {
		const char *number = at + strlen(sign_words[i]);

		if (text_starts(at, sign_words[i]) &&
		    read_number(&number, '\0', UINT64_MAX, &counts->flags)) {
			counts->sign = (enum imap_sign)i;
			return true;
		}
	}
	return false;
}

#define DONE_BEHIND " / "
#define DONE_ABSENT "-"

static bool read_counts(const char *token, struct imap_counts *counts_r)
{
	struct imap_counts counts = { .sign = IMAP_SIGN_NONE };

	if (!read_count(&token, ' ', &counts.uidvalidity) ||
	    !read_count(&token, ' ', &counts.uidnext) || !counts.uidvalidity || !counts.uidnext)
		return false;
	if (!read_count(&token, ' ', &counts.exists) || !read_sign(token, &counts))
		return false; /* imap_notice.c (6) */
	*counts_r = counts;
	return true;
}

bool imap_token_read(TALLOC_CTX *mem, const char *text, struct imap_token *token_r)
{
	const char *behind = strstr(text, DONE_BEHIND);
	char *first = mem_strndup(mem, text, behind ? (size_t)(behind - text) : strlen(text));
	struct imap_token token = { .knows_done = behind != NULL };

	if (behind)
		behind += strlen(DONE_BEHIND);
	token.has_done = behind && strcmp(behind, DONE_ABSENT) != 0;
	if (!read_counts(first, &token.counts) ||
	    (token.has_done && !read_counts(behind, &token.done)))
		return false;
	*token_r = token;
	return true;
}

static char *write_counts(TALLOC_CTX *mem, const struct imap_counts *counts)
{
	return mem_printf(mem, "%" PRIu32 " %" PRIu32 " %" PRIu32 " %s%" PRIu64,
			  counts->uidvalidity, counts->uidnext, counts->exists,
			  sign_words[counts->sign], counts->flags);
}

char *imap_token_write(TALLOC_CTX *mem, const struct imap_token *token)
{
	char *first = write_counts(mem, &token->counts);

	if (!token->counts.uidnext || (token->has_done && !token->done.uidnext))
		return NULL;
	if (!token->knows_done)
		return first;
	return mem_printf(mem, "%s" DONE_BEHIND "%s", first,
			  token->has_done ? write_counts(mem, &token->done) : DONE_ABSENT);
}

/* Where there are mod-sequences nothing comes back: they only grow. */
static void doubt(struct imap_counts *counts)
{
	if (counts->sign == IMAP_SIGN_DIGEST)
		counts->flags = DOUBTED;
}

char *imap_token_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *text)
{
	struct imap_token token;
	char *doubted;

	(void)endpoint;
	if (!imap_token_read(mem, text, &token))
		return mem_strdup(mem, text);
	doubt(&token.counts);
	doubt(&token.done);
	doubted = imap_token_write(mem, &token);
	return doubted ? doubted : mem_strdup(mem, text);
}

#include "config.h"

#include "mappers/message_answer.h"

#include <string.h>

#include "mappers/message_private.h"

#define ID_MAX 900 /* bytes: with its name in front, less than a line may have */

static bool is_id(const char *id)
{
	size_t len = id ? strlen(id) : 0;

	for (size_t i = 0; i < len; i++)
		if (id[i] <= ' ' || id[i] > '~' || id[i] == '<' || id[i] == '>')
			return false;
	return len && len <= ID_MAX;
}

char *message_answer(TALLOC_CTX *mem, const struct message_publish *envelope,
		     const char *in_reply_to, size_t *len_r)
{
	static const enum message_own fields[] = { MESSAGE_FROM, MESSAGE_TO, MESSAGE_SUBJECT,
						   MESSAGE_DATE, MESSAGE_ID };
	struct buf *out = buf_new(mem);
	TALLOC_CTX *tmp = MEM_CONTEXT(out);

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		(void)message_header_add(tmp, out, fields[i], envelope);
	if (is_id(in_reply_to))
		buf_printf(out, "In-Reply-To: <%s>\r\nReferences: <%s>\r\n", in_reply_to,
			   in_reply_to);
	buf_puts(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
	message_body_card(out, envelope, NULL);
	buf_puts(out, "\r\n");
	return buf_steal(&out, mem, len_r);
}

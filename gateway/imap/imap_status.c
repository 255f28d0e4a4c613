#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

#include "gateway/imap/imap_name.h"

/* STATUS of many mailboxes. LIST (names) RETURN (STATUS (...)) answers for all of them at once; names
 * are patterns there, so that one with a wildcard finds others too, which nobody looks for. Who has no
 * answer is not there, or is not ours to look into. */

#define LIST_NAMES_MAX 500  /* names in one command */
#define LIST_BYTES_MAX 24000 /* of names in one command, in UTF-8: on the wire at most 60,000, and servers
				end a longer line at 64 kB or so */

struct asking {
	TALLOC_CTX *mem;
	struct imap_status *list;
	size_t count;
};

static struct imap_counts counts_of(const struct imap_node *items)
{
	struct imap_counts counts = { .sign = IMAP_SIGN_NONE };

	(void)imap_node_u32(imap_node_after(items, "UIDVALIDITY"), &counts.uidvalidity);
	(void)imap_node_u32(imap_node_after(items, "UIDNEXT"), &counts.uidnext);
	(void)imap_node_u32(imap_node_after(items, "MESSAGES"), &counts.exists);
	(void)imap_node_u64(imap_node_after(items, "HIGHESTMODSEQ"), &counts.flags);
	if (counts.flags)
		counts.sign = IMAP_SIGN_MODSEQ;
	return counts;
}

/* `* STATUS name (UIDVALIDITY 7 UIDNEXT 10 MESSAGES 3 HIGHESTMODSEQ 900)` */
static struct fault *take_status(void *context, const struct imap_response *response)
{
	struct asking *asking = context;
	const struct imap_node *name = response->args, *items = name ? name->next : NULL;
	char *mailbox;

	if (strcmp(response->name, "STATUS") != 0 || !items || items->kind != IMAP_LIST ||
	    (name->kind != IMAP_ATOM && name->kind != IMAP_STRING) ||
	    !imap_node_after(items->first, "MESSAGES"))
		return NULL;
	mailbox = imap_name_decode(asking->mem, name->text);
	for (size_t i = 0; i < asking->count; i++) {
		struct imap_status *status = &asking->list[i];

		if (strcmp(status->mailbox, mailbox ? mailbox : name->text) != 0)
			continue;
		status->counts = counts_of(items->first);
		status->told = status->counts.uidvalidity != 0;
	}
	talloc_free(mailbox);
	return NULL;
}

static void add_items(const struct imap *imap, struct imap_line *line)
{
	imap_line_add(line, "(UIDVALIDITY UIDNEXT MESSAGES%s)",
		      imap_session_can(imap->session, IMAP_CAP_CONDSTORE) ? " HIGHESTMODSEQ" : "");
}

void imap_status_take(struct imap_status *status, const struct imap_response *response)
{
	struct asking asking = { MEM_CONTEXT(NULL), status, 1 };

	(void)take_status(&asking, response); /* never a fault */
	talloc_free(asking.mem);
}

struct imap_line *imap_status_line(const struct imap *imap, TALLOC_CTX *mem, const char *mailbox)
{
	struct imap_line *line = imap_line_new(mem, "STATUS ", false);

	imap_line_mailbox(line, mailbox);
	imap_line_add(line, " ");
	add_items(imap, line);
	return line;
}

/* As many of LIST from *AT on as go into one line. */
static struct imap_line *list_line(const struct imap *imap, TALLOC_CTX *mem,
				   const struct asking *asking, size_t *at)
{
	struct imap_line *line = imap_line_new(mem, "LIST \"\" (", false);
	size_t first = *at, bytes = 0;

	while (*at < asking->count && *at - first < LIST_NAMES_MAX && bytes < LIST_BYTES_MAX) {
		if (*at > first)
			imap_line_add(line, " ");
		imap_line_mailbox(line, asking->list[*at].mailbox);
		bytes += strlen(asking->list[(*at)++].mailbox);
	}
	imap_line_add(line, ") RETURN (STATUS ");
	add_items(imap, line);
	imap_line_add(line, ")");
	return line;
}

static struct fault *ask(struct imap *imap, TALLOC_CTX *mem, struct imap_status *list,
			 size_t count, bool together)
{
	struct asking asking = { mem, list, count };
	struct imap_line **lines = MEM_ARRAY(mem, struct imap_line *, count);
	struct imap_answer *answers = MEM_ARRAY(mem, struct imap_answer, count);
	size_t n = 0, at = 0, answered;

	for (size_t i = 0; i < count; i++)
		list[i].told = false;
	while (at < count)
		lines[n++] = together ? list_line(imap, mem, &asking, &at)
				      : imap_status_line(imap, mem, list[at++].mailbox);
	FAULT_TRY(imap_session_run_all(imap->session, mem, lines, n, take_status, &asking, answers,
				       &answered));
	for (size_t i = 0; together && i < n; i++)
		FAULT_TRY(imap_answer_fault(mem, &answers[i], FAULT_SCOPE_ACCOUNT, "LIST"));
	return NULL;
}

struct fault *imap_status(struct imap *imap, TALLOC_CTX *mem, struct imap_status *list,
			  size_t count)
{
	return ask(imap, mem, list, count,
		   count > 1 && imap_session_can(imap->session, IMAP_CAP_LIST_STATUS) &&
			   imap_session_can(imap->session, IMAP_CAP_LIST_EXTENDED));
}

struct fault *imap_status_each(struct imap *imap, TALLOC_CTX *mem, struct imap_status *list,
			       size_t count)
{
	return ask(imap, mem, list, count, false);
}

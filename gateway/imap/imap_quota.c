#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* Room, as the server counts it (RFC 9208, before it RFC 2087). Usage may have been rounded down to
 * whole KiB, as Cyrus does: a message that would fit only into what was cut off does not fit. */

#define STORAGE_UNIT 1024 /* octets (RFC 9208 section 5.1) */
#define ROWS_MAX 100      /* resources of all quota roots of a mailbox: there are some five */

static bool is_storage(const struct imap_quota_row *row)
{
	return !strcasecmp(row->resource, "STORAGE");
}

static void add_row(struct imap_quota *quota, TALLOC_CTX *mem, const struct imap_node *name)
{
	struct imap_quota_row row = { .resource = NULL };

	if (name->kind != IMAP_ATOM || quota->count == ROWS_MAX ||
	    !imap_node_u64(name->next, &row.used) || !imap_node_u64(name->next->next, &row.limit))
		return;
	row.resource = mem_strdup(mem, name->text);
	if (!is_storage(&row) && strcasecmp(row.resource, "MESSAGE") != 0)
		return;
	quota->rows = MEM_GROW(mem, quota->rows, struct imap_quota_row, quota->count + 1);
	quota->rows[quota->count++] = row;
}

const char *imap_quota_unit(const struct imap_quota_row *row)
{
	return is_storage(row) ? "KiB" : "messages";
}

struct imap_line *imap_quota_line(TALLOC_CTX *mem, const char *mailbox)
{
	struct imap_line *line = imap_line_new(mem, "GETQUOTAROOT ", false);

	imap_line_mailbox(line, mailbox);
	return line;
}

/* `* QUOTA "root" (STORAGE 10 512 MESSAGE 3 100)` */
void imap_quota_take(struct imap_quota *quota, TALLOC_CTX *mem,
		     const struct imap_response *response)
{
	const struct imap_node *list = response->args ? response->args->next : NULL;

	if (strcmp(response->name, "QUOTA") != 0 || !list || list->kind != IMAP_LIST)
		return;
	for (const struct imap_node *node = list->first; node && node->next && node->next->next;
	     node = node->next->next->next)
		add_row(quota, mem, node);
}

struct asking {
	TALLOC_CTX *mem;
	struct imap_quota quota;
};

static struct fault *take_quota(void *context, const struct imap_response *response)
{
	struct asking *asking = context;

	imap_quota_take(&asking->quota, asking->mem, response);
	return NULL;
}

struct fault *imap_quota_ask(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
			     struct imap_quota *quota_r)
{
	struct asking asking = { .mem = mem };
	struct imap_answer answer;

	if (imap_session_can(imap->session, IMAP_CAP_QUOTA))
		FAULT_TRY(imap_session_run(imap->session, mem, imap_quota_line(mem, mailbox),
					   take_quota, &asking, &answer));
	*quota_r = asking.quota; /* a refusal says nothing */
	return NULL;
}

static bool is_tight(const struct imap_quota_row *row, size_t size)
{
	if (row->used >= row->limit)
		return true;
	return is_storage(row) && size &&
	       (size - 1) / STORAGE_UNIT + 1 > row->limit - row->used - 1;
}

static const struct imap_quota_row *tight(const struct imap_quota *quota, size_t size)
{
	for (size_t i = 0; i < quota->count; i++)
		if (is_tight(&quota->rows[i], size))
			return &quota->rows[i];
	return NULL;
}

/* The same words for all that finds no room: without how much is used. */
struct fault *imap_quota_fault(TALLOC_CTX *mem, const struct imap_quota *quota, size_t size,
			       const char *said)
{
	const struct imap_quota_row *row = tight(quota, size);

	if (!row)
		return NULL;
	return fault_new(mem, FAULT_FULL,
			 "APPEND: %s (the mailbox is full: its quota is %" PRIu64
			 " %s; make room in it, or raise its quota)",
			 said, row->limit, imap_quota_unit(row));
}

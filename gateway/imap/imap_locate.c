#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

#include "base/text.h"
#include "gateway/imap/imap_name.h"

/* A mailbox by the identity that it keeps under any name (OBJECTID, RFC 8474 section 4): all names
 * are listed, and asked for theirs, LOCATE_BATCH at a time. That costs a command per mailbox, once
 * after a person has renamed one. Or by what we have noted on it (imap_metadata.c), once before a
 * folder is made. */

#define LOCATE_MAX 2000 /* mailboxes of an account that are looked through */
#define LOCATE_BATCH IMAP_WINDOW
#define LOCATE_NAME_MAX 1000 /* bytes of a name on the wire; servers take less */

struct locating {
	TALLOC_CTX *mem;       /* of the names */
	const char *object_id; /* or: */
	const char *url;
	const char **names;
	size_t count;
	const char *address; /* NULL: not found */
};

/* `* LIST (\HasNoChildren) "." name` */
static struct fault *take_name(void *context, const struct imap_response *response)
{
	struct locating *locating = context;
	const struct imap_node *attributes = response->args, *name;

	if (strcmp(response->name, "LIST") != 0 || !attributes || attributes->kind != IMAP_LIST ||
	    !attributes->next || !attributes->next->next)
		return NULL;
	name = attributes->next->next;
	if ((name->kind != IMAP_ATOM && name->kind != IMAP_STRING) ||
	    imap_node_has(attributes, "\\Noselect") || imap_node_has(attributes, "\\NonExistent") ||
	    locating->count == LOCATE_MAX || name->len > LOCATE_NAME_MAX)
		return NULL;
	locating->names =
		MEM_GROW(locating->mem, locating->names, const char *, locating->count + 1);
	locating->names[locating->count++] = imap_name_told(locating->mem, name->text);
	return NULL;
}

/* `* STATUS name (MAILBOXID (F2212ea87))` */
static struct fault *take_status(void *context, const struct imap_response *response)
{
	struct locating *locating = context;
	const struct imap_node *name = response->args, *items = name ? name->next : NULL, *id;

	if (strcmp(response->name, "STATUS") != 0 || !items || items->kind != IMAP_LIST ||
	    (name->kind != IMAP_ATOM && name->kind != IMAP_STRING))
		return NULL;
	id = imap_node_after(items->first, "MAILBOXID");
	if (id && id->kind == IMAP_LIST && id->first &&
	    !strcmp(id->first->text, locating->object_id))
		locating->address = imap_name_told(locating->mem, name->text);
	return NULL;
}

static struct fault *take_metadata(void *context, const struct imap_response *response)
{
	struct locating *locating = context;
	const struct imap_node *name = response->args;
	const char *url = imap_metadata_url(response);

	if (url && !strcmp(url, locating->url) && !locating->address)
		locating->address = imap_name_told(locating->mem, name->text);
	return NULL;
}

static struct imap_line *question(TALLOC_CTX *mem, const struct locating *locating,
				  const char *name)
{
	struct imap_line *line;

	if (locating->url)
		return imap_metadata_question(mem, name);
	line = imap_line_new(mem, "STATUS ", false);
	imap_line_mailbox(line, name);
	imap_line_add(line, " (MAILBOXID)");
	return line;
}

static struct fault *ask(struct imap *imap, TALLOC_CTX *mem, struct locating *locating,
			 size_t first, size_t count)
{
	struct imap_line **lines = MEM_ARRAY(mem, struct imap_line *, count);
	struct imap_answer *answers = MEM_ARRAY(mem, struct imap_answer, count);
	size_t answered;

	for (size_t i = 0; i < count; i++)
		lines[i] = question(mem, locating, locating->names[first + i]);
	/* one that cannot be looked into is not ours */
	return imap_session_run_all(imap->session, mem, lines, count,
				    locating->url ? take_metadata : take_status, locating, answers,
				    &answered);
}

static struct fault *look_through(struct imap *imap, TALLOC_CTX *mem, struct locating *locating)
{
	FAULT_TRY(imap_run(imap, mem, imap_line_new(mem, "LIST \"\" \"*\"", false), take_name,
			   locating, FAULT_SCOPE_ACCOUNT, "LIST"));
	for (size_t i = 0; i < locating->count && !locating->address; i += LOCATE_BATCH) {
		size_t left = locating->count - i;

		FAULT_TRY(ask(imap, mem, locating, i, left < LOCATE_BATCH ? left : LOCATE_BATCH));
	}
	return NULL;
}

static struct fault *locate(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct locating *locating = context;

	locating->count = 0;
	locating->address = NULL;
	if (!imap_session_can(imap->session, IMAP_CAP_OBJECTID))
		return NULL;
	return look_through(imap, mem, locating);
}

struct fault *imap_locate_noted(struct imap *imap, TALLOC_CTX *mem, const char *url,
				const char **mailbox_r)
{
	struct locating locating = { .mem = mem, .url = url };

	if (imap_session_can(imap->session, IMAP_CAP_METADATA))
		FAULT_TRY(look_through(imap, mem, &locating));
	*mailbox_r = locating.address;
	return NULL;
}

struct fault *imap_locate(struct endpoint *endpoint, TALLOC_CTX *mem, const char *object_id,
			  char **address_r)
{
	struct locating locating = { .mem = MEM_CONTEXT(mem), .object_id = object_id };
	struct fault *fault = imap_do((struct imap *)endpoint, mem, locate, &locating);

	if (!fault)
		*address_r = locating.address ? mem_strdup(mem, locating.address) : NULL;
	talloc_free(locating.mem);
	return fault;
}

#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "gateway/imap/imap_name.h"

/* A mailbox under any name. All names are listed, and these are tried, the cheaper way first:
 *
 *   identity   which it keeps under any name (OBJECTID, RFC 8474 section 4): a STATUS for each mailbox
 *   note       what we have noted on it (imap_metadata.c): a GETMETADATA for each
 *   items      where most of those are that stood in it (imap_seek.c)
 *
 * That is done once after a person has renamed one, and by note before a folder is made. What stands in
 * the trash or below it was thrown away, and is not found: clients delete a folder by moving it there. */

#define LOCATE_MAX 2000 /* mailboxes of an account that are looked through */
#define LOCATE_BATCH IMAP_WINDOW
#define LOCATE_NAME_MAX 1000 /* bytes of a name on the wire; servers take less */
#define TRASHES_MAX 8        /* an account has one */

struct locating {
	TALLOC_CTX *mem; /* of the names */
	const struct endpoint_trace *trace;
	const char *url; /* looked for by note; NULL: by identity */
	char delimiter;
	const char **names;
	size_t count;
	const char *trashes[TRASHES_MAX];
	size_t trash_count;
	const char *address; /* NULL: not found */
};

/* `* LIST (\HasNoChildren) "." name` */
static struct fault *take_name(void *context, const struct imap_response *response)
{
	struct locating *locating = context;
	const struct imap_node *attributes = response->args, *name;
	const char *told;

	if (strcmp(response->name, "LIST") != 0 || !attributes || attributes->kind != IMAP_LIST ||
	    !attributes->next || !attributes->next->next)
		return NULL;
	name = attributes->next->next;
	if ((name->kind != IMAP_ATOM && name->kind != IMAP_STRING) || name->len > LOCATE_NAME_MAX)
		return NULL;
	told = imap_name_told(locating->mem, name->text);
	if (imap_node_has(attributes, "\\Trash") && locating->trash_count < TRASHES_MAX)
		locating->trashes[locating->trash_count++] = told;
	if (imap_node_has(attributes, "\\Noselect") || imap_node_has(attributes, "\\NonExistent") ||
	    locating->count == LOCATE_MAX)
		return NULL;
	locating->names =
		MEM_GROW(locating->mem, locating->names, const char *, locating->count + 1);
	locating->names[locating->count++] = told;
	return NULL;
}

/* As servers and clients call it, where it is not told by its use (RFC 6154). */
static bool is_trash_name(const char *level, size_t len)
{
	static const char *const names[] = {
		"Trash",
		"Bin",
		"Deleted Items",
		"Deleted Messages",
		"Gel\303\266schte Elemente",
		"Papierkorb",
		"Gel\303\266schte Objekte",
		"Corbeille",
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strlen(names[i]) == len && !strncasecmp(names[i], level, len))
			return true;
	return false;
}

static bool is_below(const char *name, const char *other, char delimiter)
{
	size_t len = strlen(other);

	return !strncmp(name, other, len) && (!name[len] || (delimiter && name[len] == delimiter));
}

static bool is_thrown_away(const struct locating *locating, const char *name)
{
	const char delimiter[] = { locating->delimiter, '\0' };

	for (size_t i = 0; i < locating->trash_count; i++)
		if (is_below(name, locating->trashes[i], locating->delimiter))
			return true;
	while (*name) {
		size_t len = strcspn(name, delimiter);

		if (is_trash_name(name, len))
			return true;
		name += len + (name[len] != '\0');
	}
	return false;
}

static void drop_thrown_away(struct locating *locating)
{
	size_t n = 0;

	for (size_t i = 0; i < locating->count; i++)
		if (!is_thrown_away(locating, locating->names[i]))
			locating->names[n++] = locating->names[i];
	locating->count = n;
}

static struct fault *list_names(struct imap *imap, TALLOC_CTX *mem, struct locating *locating)
{
	bool uses = imap_session_can(imap->session, IMAP_CAP_SPECIAL_USE) &&
		    imap_session_can(imap->session, IMAP_CAP_LIST_EXTENDED);

	locating->count = locating->trash_count = 0;
	locating->address = NULL;
	locating->delimiter = imap_session_delimiter(imap->session);
	FAULT_TRY(imap_run(
		imap, mem,
		imap_line_new(mem,
			      uses ? "LIST \"\" \"*\" RETURN (SPECIAL-USE)" : "LIST \"\" \"*\"",
			      false),
		take_name, locating, FAULT_SCOPE_ACCOUNT, "LIST"));
	drop_thrown_away(locating);
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
	    !strcmp(id->first->text, locating->trace->object_id))
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

/* URL NULL: by identity. */
static struct fault *look_through(struct imap *imap, TALLOC_CTX *mem, struct locating *locating,
				  const char *url)
{
	locating->url = url;
	for (size_t i = 0; i < locating->count && !locating->address; i += LOCATE_BATCH) {
		size_t left = locating->count - i;

		FAULT_TRY(ask(imap, mem, locating, i, left < LOCATE_BATCH ? left : LOCATE_BATCH));
	}
	return NULL;
}

static struct fault *locate(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct locating *locating = context;
	const struct endpoint_trace *trace = locating->trace;
	bool by_id = trace->object_id && imap_session_can(imap->session, IMAP_CAP_OBJECTID);
	bool by_note = trace->url && imap_session_can(imap->session, IMAP_CAP_METADATA);

	locating->address = NULL;
	if (!by_id && !by_note && !trace->known_count)
		return NULL;
	FAULT_TRY(list_names(imap, mem, locating));
	if (by_id)
		FAULT_TRY(look_through(imap, mem, locating, NULL));
	if (by_note && !locating->address)
		FAULT_TRY(look_through(imap, mem, locating, trace->url));
	if (locating->address || !trace->known_count)
		return NULL;
	return imap_seek(imap, mem, locating->names, locating->count, trace, &locating->address);
}

struct fault *imap_locate_noted(struct imap *imap, TALLOC_CTX *mem, const char *url,
				const char **mailbox_r)
{
	struct locating locating = { .mem = mem };

	if (imap_session_can(imap->session, IMAP_CAP_METADATA)) {
		FAULT_TRY(list_names(imap, mem, &locating));
		FAULT_TRY(look_through(imap, mem, &locating, url));
	}
	*mailbox_r = locating.address;
	return NULL;
}

struct fault *imap_locate(struct endpoint *endpoint, TALLOC_CTX *mem,
			  const struct endpoint_trace *trace, char **address_r)
{
	struct locating locating = { .mem = MEM_CONTEXT(mem), .trace = trace };
	struct fault *fault = imap_do((struct imap *)endpoint, mem, locate, &locating);

	if (!fault)
		*address_r = locating.address ? mem_strdup(mem, locating.address) : NULL;
	talloc_free(locating.mem);
	return fault;
}

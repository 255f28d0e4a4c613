#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "gateway/imap/imap_name.h"

/* A mailbox under any name. All names are listed, and these are tried:
 *
 *   identity   which it keeps under any name (OBJECTID, RFC 8474 section 4): a STATUS for each mailbox
 *   stay       it is where it was as long as any of its items is there (imap_seek.c); nothing is listed
 *   note       what we have noted on it (imap_metadata.c): a GETMETADATA for each
 *   items      where those are that stood in it (imap_seek.c)
 *
 * By note that is also done before a folder is made. What stands in the trash or below it was thrown away,
 * and is not found: clients delete a folder by moving it there. What is known as another folder of the
 * account is found by identity only: items may be moved into it. */

#define LOCATE_MAX 2000 /* mailboxes of an account that are looked through */
#define LOCATE_BATCH IMAP_WINDOW
#define LOCATE_NAME_MAX 1000 /* bytes of a name on the wire; servers take less */
#define TRASHES_MAX 8        /* an account has one */

struct locating {
	TALLOC_CTX *mem; /* of the names */
	struct imap *imap;
	const struct endpoint_trace *trace;
	const char *url; /* looked for by note; NULL: by identity */
	char delimiter;
	const char *prefix;
	struct imap_seek_name *names;
	size_t count;
	bool listed; /* all of them, by this session */
	const char *trashes[TRASHES_MAX];
	size_t trash_count;
	const char **others; /* the account's other folders; some NULL */
	size_t other_count;
	const char *address; /* NULL: not found */
};

/* RFC 6154, RFC 8457 */
static bool is_special(const struct imap_node *attributes)
{
	static const char *const uses[] = { "\\All",  "\\Archive",   "\\Drafts", "\\Flagged",
					    "\\Junk", "\\Important", "\\Sent",   "\\Trash" };

	for (size_t i = 0; i < COUNT_OF(uses); i++)
		if (imap_node_has(attributes, uses[i]))
			return true;
	return false;
}

/* A server may list without end: of what is not looked into nothing is kept. */
static void keep(struct locating *locating, const struct imap_node *attributes, const char *text)
{
	bool trash = imap_node_has(attributes, "\\Trash") && locating->trash_count < TRASHES_MAX;
	bool holds = !imap_node_has(attributes, "\\Noselect") &&
		     !imap_node_has(attributes, "\\NonExistent") && locating->count < LOCATE_MAX;
	const char *told = trash || holds ? imap_name_told(locating->mem, text) : NULL;

	if (trash)
		locating->trashes[locating->trash_count++] = told;
	if (!holds)
		return;
	if (!locating->names)
		locating->names = MEM_ARRAY(locating->mem, struct imap_seek_name, LOCATE_MAX);
	locating->names[locating->count++] =
		(struct imap_seek_name){ told, is_special(attributes) };
}

/* `* LIST (\HasNoChildren) "." name` */
static struct fault *take_name(void *context, const struct imap_response *response)
{
	struct locating *locating = context;
	const struct imap_node *attributes = response->args, *name;

	if (strcmp(response->name, "LIST") != 0 || !attributes || attributes->kind != IMAP_LIST ||
	    !attributes->next || !attributes->next->next)
		return NULL;
	name = attributes->next->next;
	if ((name->kind != IMAP_ATOM && name->kind != IMAP_STRING) || name->len > LOCATE_NAME_MAX)
		return NULL;
	keep(locating, attributes, name->text);
	return NULL;
}

/* As servers and clients call it in their languages (the last four: Russian, Japanese, Chinese), where it
 * is not told by its use (RFC 6154). */
static bool is_trash_name(const char *level, size_t len)
{
	static const char *const names[] = {
		"Trash",
		"Bin",
		"Deleted",
		"Deleted Items",
		"Deleted Messages",
		"Gel\303\266schte Elemente",
		"Gel\303\266schte Objekte",
		"Papierkorb",
		"Corbeille",
		"\303\211l\303\251ments supprim\303\251s",
		"Papelera",
		"Elementos eliminados",
		"Itens Exclu\303\255dos",
		"Itens Eliminados",
		"Lixeira",
		"Lixo",
		"Cestino",
		"Posta eliminata",
		"Prullenbak",
		"Verwijderde items",
		"Kosz",
		"Elementy usuni\304\231te",
		"Ko\305\241",
		"Papirkurv",
		"Slettet post",
		"Papperskorgen",
		"Borttaget",
		"Roskakori",
		"\303\207\303\266p Kutusu",
		"\320\232\320\276\321\200\320\267\320\270\320\275\320\260",
		"\320\243\320\264\320\260\320\273\320\265\320\275\320\275\321\213\320\265",
		"\343\201\224\343\201\277\347\256\261",
		"\345\267\262\345\210\240\351\231\244\351\202\256\344\273\266",
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

static const char *last_level(const struct locating *locating, const char *name)
{
	const char *last = locating->delimiter ? strrchr(name, locating->delimiter) : NULL;

	return last ? last + 1 : name;
}

/* LEVEL is the folder's own name: projects may be called anything. At the top it says what it says. */
static bool is_own_name(const struct locating *locating, const char *top, const char *level)
{
	const char *folder = locating->trace ? locating->trace->folder : NULL;

	return folder && level > top && level == last_level(locating, level) &&
	       !strcmp(level, last_level(locating, folder));
}

static bool is_thrown_away(const struct locating *locating, const char *name)
{
	const char delimiter[] = { locating->delimiter, '\0' };
	const char *top =
		text_starts(name, locating->prefix) ? name + strlen(locating->prefix) : name;

	for (size_t i = 0; i < locating->trash_count; i++)
		if (is_below(name, locating->trashes[i], locating->delimiter))
			return true;
	for (const char *level = top; *level;) {
		size_t len = strcspn(level, delimiter);

		if (is_trash_name(level, len) && !is_own_name(locating, top, level))
			return true;
		level += len + (level[len] != '\0');
	}
	return false;
}

static bool is_of_another(const struct locating *locating, const char *name)
{
	for (size_t i = 0; i < locating->other_count; i++)
		if (text_same(name, locating->others[i]))
			return true;
	return false;
}

/* The account's other folders, and what is below them for done tasks. */
static void name_others(struct locating *locating)
{
	const struct endpoint_trace *trace = locating->trace;

	locating->others = MEM_ARRAY(locating->mem, const char *, 2 * trace->other_count);
	locating->other_count = 2 * trace->other_count;
	for (size_t i = 0; i < trace->other_count; i++) {
		locating->others[2 * i] = trace->others[i];
		locating->others[2 * i + 1] =
			imap_done_mailbox(locating->imap, locating->mem, trace->others[i]);
	}
}

static void drop(struct locating *locating,
		 bool (*is)(const struct locating *locating, const char *name))
{
	size_t n = 0;

	for (size_t i = 0; i < locating->count; i++)
		if (!is(locating, locating->names[i].text))
			locating->names[n++] = locating->names[i];
	locating->count = n;
}

static struct fault *list_names(struct imap *imap, TALLOC_CTX *mem, struct locating *locating)
{
	bool uses = imap_session_can(imap->session, IMAP_CAP_SPECIAL_USE) &&
		    imap_session_can(imap->session, IMAP_CAP_LIST_EXTENDED);

	if (locating->listed)
		return NULL;
	locating->count = locating->trash_count = 0;
	locating->address = NULL;
	locating->delimiter = imap_session_delimiter(imap->session);
	locating->prefix = imap_session_prefix(imap->session);
	FAULT_TRY(imap_run(
		imap, mem,
		imap_line_new(mem,
			      uses ? "LIST \"\" \"*\" RETURN (SPECIAL-USE)" : "LIST \"\" \"*\"",
			      false),
		take_name, locating, FAULT_SCOPE_ACCOUNT, "LIST"));
	drop(locating, is_thrown_away);
	locating->listed = true;
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
	if (id && id->kind == IMAP_LIST && id->first && !locating->address &&
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
		lines[i] = question(mem, locating, locating->names[first + i].text);
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

static struct fault *locate_by_id(struct imap *imap, TALLOC_CTX *mem, struct locating *locating)
{
	if (!locating->trace->object_id || !imap_session_can(imap->session, IMAP_CAP_OBJECTID))
		return NULL;
	FAULT_TRY(list_names(imap, mem, locating));
	return look_through(imap, mem, locating, NULL);
}

static struct fault *locate_otherwise(struct imap *imap, TALLOC_CTX *mem, struct locating *locating)
{
	const struct endpoint_trace *trace = locating->trace;
	bool by_note = trace->url && imap_session_can(imap->session, IMAP_CAP_METADATA);
	bool stays = false;

	if (trace->known_count)
		FAULT_TRY(imap_seek_stays(imap, mem, trace, &stays));
	if (stays)
		locating->address = trace->folder;
	if (stays || (!by_note && !trace->known_count))
		return NULL;
	FAULT_TRY(list_names(imap, mem, locating));
	name_others(locating);
	drop(locating, is_of_another);
	if (by_note)
		FAULT_TRY(look_through(imap, mem, locating, trace->url));
	if (locating->address || !trace->known_count)
		return NULL;
	return imap_seek(imap, mem, locating->names, locating->count, trace, &locating->address);
}

static struct fault *locate(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct locating *locating = context;

	locating->address = NULL;
	locating->listed = false;
	FAULT_TRY(locate_by_id(imap, mem, locating));
	return locating->address ? NULL : locate_otherwise(imap, mem, locating);
}

struct fault *imap_locate_noted(struct imap *imap, TALLOC_CTX *mem, const char *url,
				const char **mailbox_r)
{
	struct locating locating = { .mem = mem, .imap = imap };

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
	struct locating locating = { .mem = MEM_CONTEXT(mem),
				     .imap = (struct imap *)endpoint,
				     .trace = trace };
	struct fault *fault = imap_do(locating.imap, mem, locate, &locating);

	if (!fault)
		*address_r = locating.address ? mem_strdup(mem, locating.address) : NULL;
	talloc_free(locating.mem);
	return fault;
}

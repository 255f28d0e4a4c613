#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "gateway/imap/imap_name.h"

/* Folders: mailboxes by their name in UTF-8.
 *
 * ensure looks first (LIST and LSUB of exactly the names in question, STATUS of the wanted one) and
 * writes only what is needed:
 *
 *   wanted   known          what is done
 *   there    the same       nothing
 *   there    another, gone  it is taken; subscribed
 *   there    another, there the known one stays: its items are in it
 *   missing  another, there renamed; the new name subscribed, the old one unsubscribed
 *   missing  otherwise      created, after its parent where the server wants that; both subscribed
 *
 * Where mailboxes bear notes (METADATA) they count for more than names: one without a known name is
 * first looked for by what is noted on it, and a wanted one that is another project's by its note gets
 * a suffix.
 *
 * 1. Only a folder that is new to us is subscribed: a person who unsubscribed from one meant it.
 * 2. A name that exists and holds no messages is created all the same, as RFC 3501 section 6.3.4
 *    allows; only where the server refuses that it needs a person.
 * 3. A renaming or subscription that the server refuses is not asked for again by this endpoint:
 *    the items are no worse for it.
 * 4. A list may be wrong: Dovecot lists a Maildir++ mailbox as before when it was removed and a
 *    mailbox below it was not. So what is listed and cannot be looked into is created all the same;
 *    the server knows better.
 * 5. SELECT may be refused for many reasons; that a folder is gone is believed when the server says
 *    so in a response code, or when it does not list it either (N5).
 * 6. A server without NAMESPACE may take folders below INBOX only: it is tried when it refuses one at
 *    the top, and taken from the folder's name where that is known. */

#define SELECT_AGE_US                                                                              \
	(600 * CLOCK_SECOND_US) /* a server may not tell when a mailbox was replaced */

#define SUFFIX_CHARS 6 /* of a digest: for few projects of one look */

enum { WANTED, PARENT, KNOWN, PLACES };

struct place {
	const char *name; /* NULL: there is none */
	bool there, holds, subscribed;
	bool opens; /* the server can look into it; of the wanted one only */
};

/* ---- looking ---- */

struct looking {
	TALLOC_CTX *mem;
	struct place *places;
	size_t count;
};

/* `* LIST (\HasNoChildren) "." name` */
static struct fault *take_place(void *context, const struct imap_response *response)
{
	struct looking *looking = context;
	bool list = !strcmp(response->name, "LIST"), lsub = !strcmp(response->name, "LSUB");
	const struct imap_node *attributes = response->args, *name;
	bool holds;
	char *utf8;

	if ((!list && !lsub) || !attributes || attributes->kind != IMAP_LIST || !attributes->next)
		return NULL;
	name = attributes->next->next;
	if (!name || (name->kind != IMAP_ATOM && name->kind != IMAP_STRING) ||
	    imap_node_has(attributes, "\\NonExistent"))
		return NULL;
	utf8 = imap_name_told(looking->mem, name->text);
	holds = !imap_node_has(attributes, "\\Noselect");
	for (size_t i = 0; i < looking->count; i++) {
		struct place *place = &looking->places[i];

		if (!place->name || strcmp(place->name, utf8) != 0)
			continue;
		place->there = place->there || list;
		place->holds = place->holds || (list && holds);
		place->subscribed = place->subscribed || (lsub && holds);
	}
	talloc_free(utf8);
	return NULL;
}

static struct imap_line *name_line(TALLOC_CTX *mem, const char *words, const char *name,
				   bool writes)
{
	struct imap_line *line = imap_line_new(mem, words, writes);

	imap_line_mailbox(line, name);
	return line;
}

/* Where a name has a `*` or `%` in it the server lists others too, which nobody looks for. */
static struct fault *look(struct imap *imap, TALLOC_CTX *mem, struct place *places, size_t count)
{
	struct looking looking = { mem, places, count };
	struct imap_line **lines = MEM_ARRAY(mem, struct imap_line *, 2 * count);
	struct imap_answer *answers = MEM_ARRAY(mem, struct imap_answer, 2 * count);
	size_t n = 0, answered;

	for (size_t i = 0; i < count; i++) {
		places[i].there = places[i].holds = places[i].subscribed = false;
		if (!places[i].name)
			continue;
		lines[n++] = name_line(mem, "LIST \"\" ", places[i].name, false);
		lines[n++] = name_line(mem, "LSUB \"\" ", places[i].name, false);
	}
	FAULT_TRY(imap_session_run_all(imap->session, mem, lines, n, take_place, &looking, answers,
				       &answered));
	for (size_t i = 0; i < n; i++)
		FAULT_TRY(imap_answer_fault(mem, &answers[i], FAULT_SCOPE_FOLDER,
					    i % 2 ? "LSUB" : "LIST"));
	return NULL;
}

static struct fault *look_into(struct imap *imap, TALLOC_CTX *mem, struct place *place)
{
	struct imap_line *line = name_line(mem, "STATUS ", place->name, false);
	struct imap_answer answer;

	place->opens = false;
	if (!place->there || !place->holds)
		return NULL;
	imap_line_add(line, " (UIDVALIDITY)");
	FAULT_TRY(imap_session_run(imap->session, mem, line, NULL, NULL, &answer));
	place->opens = answer.status == IMAP_OK;
	return NULL;
}

struct fault *imap_folder_is_there(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				   bool *there_r)
{
	struct place place = { .name = mailbox };

	FAULT_TRY(look(imap, mem, &place, 1));
	*there_r = place.there && place.holds;
	return NULL;
}

/* ---- selecting ---- */

static struct fault *folder_gone(TALLOC_CTX *mem, const char *folder)
{
	return fault_reaches(fault_new(mem, FAULT_GONE, "%s: there is no such folder", folder),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
}

/* A session can be wrong about a mailbox for as long as it lives: Dovecot's says "Mailbox was deleted
 * under us" of one that was made anew since. The fault makes imap_do() try with another session. */
static struct fault *begin_anew(struct imap *imap, TALLOC_CTX *mem, const struct fault *why)
{
	imap_disconnect(imap);
	return fault_new(mem, FAULT_UNREACHABLE, "%s", why->text);
}

/* (5) */
static struct fault *not_selected(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				  const struct imap_answer *answer)
{
	struct place place = { .name = folder };
	struct fault *fault = imap_answer_fault(mem, answer, FAULT_SCOPE_FOLDER, "SELECT");

	if (fault->kind == FAULT_REFUSED || text_same(answer->code, "SERVERBUG")) {
		FAULT_TRY(look(imap, mem, &place, 1));
		if (!place.there || !place.holds)
			return folder_gone(mem, folder);
		if (!imap->is_new)
			return begin_anew(imap, mem, fault);
	}
	return fault->kind == FAULT_GONE ? folder_gone(mem, folder)
					 : fault_prefix(fault, "%s: ", folder);
}

static struct fault *take_selected(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				   const struct imap_answer *answer)
{
	if (answer->status != IMAP_OK)
		return not_selected(imap, mem, folder, answer);
	imap_afar_forget(imap);
	imap->selection++;
	imap->selected_us = clock_now_us(imap->clock);
	if (!imap_session_selected(imap->session)->uidvalidity)
		return fault_reaches(fault_new(mem, FAULT_PROTOCOL,
					       "%s: the server gives its messages no lasting "
					       "numbers (UIDVALIDITY)",
					       folder),
				     FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
	return NULL;
}

static struct fault *select_it(struct imap *imap, TALLOC_CTX *mem, const char *folder, bool again,
			       struct imap_resync *resync)
{
	struct imap_answer answer;

	FAULT_TRY(imap_session_select_since(imap->session, mem, folder, again, resync, &answer));
	return take_selected(imap, mem, folder, &answer);
}

bool imap_folder_is_selected(const struct imap *imap, const char *folder)
{
	return text_same(imap_session_selected(imap->session)->mailbox, folder);
}

bool imap_folder_is_warning(const struct imap_response *response)
{
	return !strcmp(response->name, "NO") || !strcmp(response->name, "BAD");
}

static struct fault *take_warning(void *context, const struct imap_response *response)
{
	bool *warned = context;

	*warned = *warned || imap_folder_is_warning(response);
	return NULL;
}

/* A NOOP brings what is new; UIDNEXT comes with SELECT only, so that any change needs one, and what was
 * told already needs no NOOP. A server that
 * does not tell it (Courier) says OK to NOOP in a mailbox that is gone, too. */
static struct fault *bring_up_to_date(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				      bool asked, struct imap_resync *resync)
{
	int64_t age = clock_now_us(imap->clock) - imap->selected_us;
	bool warned = false;

	if (age < 0 || age >= SELECT_AGE_US || imap->writes != imap_writes(imap) ||
	    imap_session_selected(imap->session)->changes != imap->changes ||
	    imap_session_selected(imap->session)->uidnext_found)
		return select_it(imap, mem, folder, true, resync);
	if (!asked)
		FAULT_TRY(imap_run(imap, mem, imap_line_new(mem, "NOOP", false), take_warning,
				   &warned, FAULT_SCOPE_FOLDER, "NOOP"));
	if (!warned && imap_session_selected(imap->session)->changes == imap->changes)
		return NULL;
	return select_it(imap, mem, folder, true, resync);
}

/* What is known of the selected mailbox is not older than now. */
static void is_as_now(struct imap *imap)
{
	imap->changes = imap_session_selected(imap->session)->changes;
	imap->writes = imap_writes(imap);
}

/* What is wanted of a mailbox that is selected. */
enum upto {
	UPTO_ANY, /* what is known of it will do */
	UPTO_NOW,
	UPTO_ASKED, /* likewise, and a NOOP has been answered */
};

static struct fault *open_it(struct imap *imap, TALLOC_CTX *mem, const char *folder, enum upto upto,
			     struct imap_resync *resync)
{
	if (imap_folder_is_selected(imap, folder)) {
		if (upto == UPTO_ANY && imap->writes == imap_writes(imap))
			return NULL;
		FAULT_TRY(bring_up_to_date(imap, mem, folder, upto == UPTO_ASKED, resync));
	} else {
		FAULT_TRY(select_it(imap, mem, folder, false, resync));
	}
	is_as_now(imap);
	return NULL;
}

struct fault *imap_folder_selected(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				   const struct imap_answer *answer)
{
	FAULT_TRY(take_selected(imap, mem, folder, answer));
	is_as_now(imap);
	return NULL;
}

struct fault *imap_folder_open(struct imap *imap, TALLOC_CTX *mem, const char *folder, bool now)
{
	return open_it(imap, mem, folder, now ? UPTO_NOW : UPTO_ANY, NULL);
}

struct fault *imap_folder_open_since(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				     bool asked, struct imap_resync *resync)
{
	return open_it(imap, mem, folder, asked ? UPTO_ASKED : UPTO_NOW, resync);
}

/* ---- making ---- */

/* What is asked for once only (3). */
static bool was_refused(const struct imap *imap, const char *what)
{
	for (size_t i = 0; i < imap->refused_count; i++)
		if (!strcmp(imap->refused[i], what))
			return true;
	return false;
}

static void set_refused(struct imap *imap, const char *what)
{
	imap->refused = MEM_GROW(imap, imap->refused, const char *, imap->refused_count + 1);
	imap->refused[imap->refused_count++] = mem_strdup(imap, what);
}

struct fault *imap_folder_wishes(struct imap *imap, TALLOC_CTX *mem, const struct imap_wish *wishes,
				 size_t count)
{
	struct imap_line **lines = MEM_ARRAY(mem, struct imap_line *, count);
	struct imap_answer *answers = MEM_ARRAY(mem, struct imap_answer, count);
	const char **sent = MEM_ARRAY(mem, const char *, count);
	size_t n = 0, answered;

	for (size_t i = 0; i < count; i++) {
		const struct imap_wish *wish = &wishes[i];
		char *what = mem_printf(mem, "%s%s", wish->words, wish->name);

		if (was_refused(imap, what))
			continue;
		lines[n] = name_line(mem, wish->words, wish->name, true);
		sent[n++] = what;
	}
	FAULT_TRY(
		imap_session_run_all(imap->session, mem, lines, n, NULL, NULL, answers, &answered));
	for (size_t i = 0; i < n; i++)
		if (answers[i].status != IMAP_OK)
			set_refused(imap, sent[i]);
	return NULL;
}

static struct fault *create_once(struct imap *imap, TALLOC_CTX *mem, const char *name,
				 bool *exists_r)
{
	struct imap_answer answer;
	struct fault *fault;

	FAULT_TRY(imap_session_run(imap->session, mem, name_line(mem, "CREATE ", name, true), NULL,
				   NULL, &answer));
	fault = imap_answer_fault(mem, &answer, FAULT_SCOPE_FOLDER, "CREATE");
	*exists_r = fault && fault->kind == FAULT_CHANGED;
	return *exists_r ? NULL : fault;
}

/* (2) A server that does not make parents by itself gets the parent first. */
static struct fault *create(struct imap *imap, TALLOC_CTX *mem, struct place *places,
			    bool *created_r)
{
	const char *name = places[WANTED].name;
	bool exists = false, parent_exists;
	struct fault *fault = create_once(imap, mem, name, &exists);

	if (!imap_is_connected(imap))
		return fault;
	if (fault && places[PARENT].name && !places[PARENT].there) {
		FAULT_TRY(create_once(imap, mem, places[PARENT].name, &parent_exists));
		fault = create_once(imap, mem, name, &exists);
	}
	if (fault || exists) {
		FAULT_TRY(look(imap, mem, places, PLACES));
		if (places[WANTED].there && !places[WANTED].holds)
			return fault_reaches(
				fault_new(mem, FAULT_REFUSED,
					  "%s stands there already and cannot hold messages", name),
				FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
		if (fault && places[WANTED].there)
			fault = NULL; /* another was quicker */
		*created_r = false;
		return fault ? fault_prefix(fault, "%s: ", name) : NULL;
	}
	*created_r = true;
	return NULL;
}

static struct fault *rename_once(struct imap *imap, TALLOC_CTX *mem, const struct place *places,
				 struct imap_answer *answer_r)
{
	struct imap_line *line = name_line(mem, "RENAME ", places[KNOWN].name, true);

	imap_line_add(line, " ");
	imap_line_mailbox(line, places[WANTED].name);
	return imap_session_run(imap->session, mem, line, NULL, NULL, answer_r);
}

/* Courier renames no mailbox that is open: SELECT of one that is not there closes it (RFC 3501 section
 * 6.3.1). */
static struct fault *rename_closed(struct imap *imap, TALLOC_CTX *mem, const struct place *places,
				   struct imap_answer *answer_r)
{
	struct imap_answer closed;

	FAULT_TRY(rename_once(imap, mem, places, answer_r));
	if (answer_r->status == IMAP_OK || !imap_folder_is_selected(imap, places[KNOWN].name))
		return NULL;
	FAULT_TRY(imap_session_select(imap->session, mem, places[WANTED].name, true, &closed));
	return rename_once(imap, mem, places, answer_r);
}

/* *RENAMED_R false: the server does not want to. */
static struct fault *rename_known(struct imap *imap, TALLOC_CTX *mem, const struct place *places,
				  bool *renamed_r)
{
	char *what = mem_printf(mem, "RENAME %s\n%s", places[KNOWN].name, places[WANTED].name);
	struct imap_answer answer;
	bool exists;

	*renamed_r = false;
	if (was_refused(imap, what))
		return NULL;
	FAULT_TRY(rename_closed(imap, mem, places, &answer));
	if (answer.status != IMAP_OK && places[PARENT].name && !places[PARENT].there) {
		FAULT_TRY(create_once(imap, mem, places[PARENT].name, &exists));
		FAULT_TRY(rename_once(imap, mem, places, &answer));
	}
	*renamed_r = answer.status == IMAP_OK;
	if (!*renamed_r)
		set_refused(imap, what);
	return NULL;
}

struct ensuring {
	const struct endpoint_folder *asked, *folder;
	const char *known;
	const char *address; /* the result; belongs to MEM */
	TALLOC_CTX *mem;
	bool created, noted;
};

static void make_places(struct imap *imap, TALLOC_CTX *mem, const struct ensuring *ensuring,
			struct place *places)
{
	const struct endpoint_folder *folder = ensuring->folder;
	const char *prefix = imap_session_prefix(imap->session);
	char delimiter = imap_session_delimiter(imap->session);
	char *top = imap_name_level(mem, folder->top, NULL),
	     *sub = imap_name_level(mem, folder->sub, folder->suffix);

	places[WANTED].name = imap_name_join(mem, prefix, delimiter, top, sub);
	places[PARENT].name = imap_name_parent(mem, prefix, delimiter, top);
	places[KNOWN].name = ensuring->known && strcmp(ensuring->known, places[WANTED].name) != 0
				     ? ensuring->known
				     : NULL;
}

static struct fault *look_at_places(struct imap *imap, TALLOC_CTX *mem,
				    const struct ensuring *ensuring, struct place *places)
{
	memset(places, 0, PLACES * sizeof *places);
	make_places(imap, mem, ensuring, places);
	FAULT_TRY(look(imap, mem, places, PLACES));
	return look_into(imap, mem, &places[WANTED]);
}

/* What notes say about the wanted one. *FOUND_R: it stands there, under another name. */
static struct fault *heed_notes(struct imap *imap, TALLOC_CTX *mem, struct ensuring *ensuring,
				struct place *places, const char **found_r)
{
	struct endpoint_folder *other = MEM_NEW(mem, struct endpoint_folder);
	const char *url = NULL;

	*found_r = NULL;
	if (ensuring->known || !ensuring->folder->url ||
	    !imap_session_can(imap->session, IMAP_CAP_METADATA))
		return NULL;
	if (places[WANTED].opens)
		FAULT_TRY(imap_metadata_get(imap, mem, places[WANTED].name, &url));
	ensuring->noted = url && !strcmp(url, ensuring->folder->url);
	if (places[WANTED].opens && (!url || ensuring->noted))
		return NULL;
	FAULT_TRY(imap_locate_noted(imap, mem, ensuring->folder->url, found_r));
	if (*found_r || !places[WANTED].opens)
		return NULL;
	*other = *ensuring->folder;
	other->suffix = digest_short(mem, other->url, strlen(other->url), SUFFIX_CHARS);
	ensuring->folder = other;
	return look_at_places(imap, mem, ensuring, places);
}

/* What a folder that is new to us gets besides, all in one piece. Nothing can stand below one that was
 * just made, so that nobody looks. */
static struct fault *equip(struct imap *imap, TALLOC_CTX *mem, const struct ensuring *ensuring,
			   const struct place *places)
{
	const struct place *wanted = &places[WANTED], *parent = &places[PARENT];
	char *done = imap_done_mailbox(imap, mem, ensuring->address);
	struct imap_wish wishes[4];
	size_t n = 0;

	if (!wanted->subscribed) { /* with its parent, as far as the server wants to */
		wishes[n++] = (struct imap_wish){ "SUBSCRIBE ", wanted->name };
		if (parent->name && !parent->subscribed)
			wishes[n++] = (struct imap_wish){ "SUBSCRIBE ", parent->name };
	}
	if (ensuring->created && done) {
		wishes[n++] = (struct imap_wish){ "CREATE ", done };
		wishes[n++] = (struct imap_wish){ "SUBSCRIBE ", done };
	}
	FAULT_TRY(imap_folder_wishes(imap, mem, wishes, n));
	return ensuring->created || ensuring->known ? NULL
						    : imap_done_make(imap, mem, ensuring->address);
}

/* Renames it, or makes it, if need be. */
static struct fault *bring_about(struct imap *imap, TALLOC_CTX *mem, struct ensuring *ensuring,
				 struct place *places)
{
	bool has = places[WANTED].opens /* (4) */, renamed = false;
	bool had = places[KNOWN].there && places[KNOWN].holds;

	if (!has && had)
		FAULT_TRY(rename_known(imap, mem, places, &renamed));
	ensuring->address =
		mem_strdup(ensuring->mem, places[had && !renamed ? KNOWN : WANTED].name);
	if ((had && !renamed) || (has && ensuring->known && !places[KNOWN].name))
		return NULL; /* (1) */
	if (!has && !renamed)
		FAULT_TRY(create(imap, mem, places, &ensuring->created));
	FAULT_TRY(equip(imap, mem, ensuring, places));
	if (renamed && places[KNOWN].subscribed)
		FAULT_TRY(imap_folder_wishes(
			imap, mem, &(struct imap_wish){ "UNSUBSCRIBE ", places[KNOWN].name }, 1));
	return ensuring->noted ? NULL
			       : imap_metadata_set(imap, mem, ensuring->address, ensuring->folder);
}

static struct fault *ensure_once(struct imap *imap, TALLOC_CTX *mem, struct ensuring *ensuring)
{
	struct place places[PLACES];
	const char *found = NULL;

	ensuring->created = ensuring->noted = false;
	ensuring->folder = ensuring->asked;
	FAULT_TRY(look_at_places(imap, mem, ensuring, places));
	FAULT_TRY(heed_notes(imap, mem, ensuring, places, &found));
	if (!found)
		return bring_about(imap, mem, ensuring, places);
	ensuring->address = mem_strdup(ensuring->mem, found);
	return NULL;
}

/* (6) */
static struct fault *ensure(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	const char below_inbox[] = { 'I', 'N', 'B', 'O', 'X', imap_session_delimiter(imap->session),
				     '\0' };
	struct ensuring *ensuring = context;
	struct fault *fault;

	if (ensuring->known && text_starts(ensuring->known, below_inbox))
		(void)imap_session_guess_prefix(imap->session);
	fault = ensure_once(imap, mem, ensuring);
	if (fault && fault->kind == FAULT_REFUSED && !ensuring->known && imap_is_connected(imap) &&
	    imap_session_guess_prefix(imap->session))
		return ensure_once(imap, mem, ensuring);
	return fault;
}

struct fault *imap_folder_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				 const struct endpoint_folder *folder, const char *known,
				 char **address_r, bool *created_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct ensuring ensuring = { .asked = folder, .known = known, .mem = work };
	struct fault *fault = imap_do((struct imap *)endpoint, mem, ensure, &ensuring);

	if (!fault) {
		*address_r = mem_strdup(mem, ensuring.address);
		*created_r = ensuring.created;
	}
	talloc_free(work);
	return fault;
}

#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/imap/imap_outcome.h"
#include "mappers/message.h"

/* Creating and replacing: both are APPEND. A replacement carries over what belongs to the message
 * and not to its text: flags, keywords, INTERNALDATE (N4); the old message stays (M7).
 *
 *   look      the old ones: there at all? Their flags, date and mod-sequence
 *   parcels   one APPEND each: with MULTIAPPEND many messages, of IMAP_APPEND_BATCH_BYTES at most
 *   send      all parcels, pipelined where literals need not be waited for
 *   again     a parcel is refused as a whole: its messages one by one, so that the one that the
 *             server does not want stops no other (N6)
 *   find      where an answer did not name the UIDs: by Message-ID among all that is new
 *
 * Puts from or into the mailbox for tasks that are done go behind the others, those of one way together:
 * the old ones are looked at where they stand, then the mailbox that they go to is selected.
 *
 * 1. A message has one end: placed, or a fault. The fault says maybe_done when its bytes may have
 *    reached the server and no answer told what became of them.
 * 2. UIDs of an answer are believed if they can be: of this mailbox, as many as messages, ascending,
 *    not known before, each once. Else the message is somewhere: PROTOCOL, maybe_done. */

/* Messages puts[which[0 .. count - 1]] in one command. */
struct parcel {
	size_t *which;
	size_t count, bytes;
};

struct parcels {
	struct parcel *list;
	struct imap_line **lines;
	struct imap_answer *answers;
	size_t count;
	size_t answered, gone; /* so many of the first */
};

/* True: the mailbox for tasks that are done. */
struct way {
	bool from, to;
};

/* Puts under way. What was sent is answered while others are prepared and recorded. */
struct endpoint_putting {
	struct imap *imap;
	TALLOC_CTX *results, *mem;
	const char *folder; /* as the caller says */
	struct way way;
	const char *mailbox; /* where they go */
	struct endpoint_put *puts;
	size_t count;
	bool mixed; /* they go several ways: one after the other, at the end */
	uint32_t old_uidvalidity;
	uint32_t uidvalidity, uidnext; /* before anything was sent */
	bool names_places, any_keyword; /* of the server and of MAILBOX: the connection may end */
	const char *permanent_flags;
	struct imap_messages olds;
	struct imap_body *bodies; /* what is sent of each */
	bool *lost; /* stored, but the answer does not say where */
	struct imap_refusal *refusals; /* what is to be asked about them */
	struct parcels parcels;
	struct imap_sent *sent; /* NULL: answered already, or nothing was sent */
	struct fault *fault;    /* that has ended the session */
};

/* ---- before sending ---- */

static struct fault *unfit(struct endpoint_putting *write, const struct endpoint_put *put)
{
	if (put->len > MESSAGE_WHOLE_MAX)
		return fault_new(write->results, FAULT_REFUSED,
				 "a message is longer than %zu bytes, and was not sent",
				 MESSAGE_WHOLE_MAX);
	if (!put->len || memchr(put->text, '\0', put->len))
		return fault_new(write->results, FAULT_REFUSED,
				 "a message is empty or has a NUL in it, and was not sent");
	return NULL;
}

/* Which way a put goes. */
static struct way way_of(TALLOC_CTX *mem, const struct endpoint_put *put)
{
	struct imap_spot old = { .done = false };
	struct way way;

	way.from = put->if_version && imap_set_spot_read(put->if_version, &old) && old.done;
	way.to = way.from;
	if (put->marks_add)
		way.to = way.to ||
			 imap_flags_have(imap_flags_of_text(mem, put->marks_add), IMAP_DONE_MARK);
	if (put->marks_drop && way.to)
		way.to = !imap_flags_have(imap_flags_of_text(mem, put->marks_drop), IMAP_DONE_MARK);
	return way;
}

/* The UID of the one that is replaced; 0: it cannot be there. */
static uint32_t old_uid(const struct endpoint_putting *write, const struct endpoint_put *put)
{
	struct imap_spot old;

	return put->if_version && imap_set_spot_read(put->if_version, &old) &&
			       old.done == write->way.from &&
			       old.uidvalidity == write->old_uidvalidity
		       ? old.uid
		       : 0;
}

static struct imap_message *old_of(const struct endpoint_putting *write,
				   const struct endpoint_put *put)
{
	uint32_t uid = old_uid(write, put);

	return uid ? imap_look_find(&write->olds, uid) : NULL;
}

/* Marks may be others by now: they go with it, and are not what is replaced. */
static bool is_of(const char *version, const char *address)
{
	return address && strcspn(version, " ") == strlen(address) && text_starts(version, address);
}

static struct fault *look_at_olds(struct endpoint_putting *write)
{
	struct imap_uids uids = { 0 };

	write->old_uidvalidity = imap_session_selected(write->imap->session)->uidvalidity;
	for (size_t i = 0; i < write->count; i++)
		if (!write->puts[i].fault && old_uid(write, &write->puts[i]))
			imap_set_add(write->mem, &uids, old_uid(write, &write->puts[i]));
	FAULT_TRY(imap_rights_look_replaced(write->imap, write->mem, write->folder, write->way.to,
					    &uids, &write->olds));
	for (size_t i = 0; i < write->count; i++) {
		struct endpoint_put *put = &write->puts[i];
		const struct imap_message *old = old_of(write, put);

		if (!put->fault && put->if_version &&
		    (!old || !old->there || !is_of(put->if_version, put->address)))
			put->fault = fault_new(write->results, FAULT_CHANGED,
					       "%s is not there any more, or another version",
					       put->address);
	}
	return NULL;
}

/* Nothing is replaced. */
static bool is_all_new(const struct endpoint_putting *write)
{
	for (size_t i = 0; i < write->count; i++)
		if (write->puts[i].if_version)
			return false;
	return true;
}

/* What the session knows of the mailbox is good enough while puts of ours are under way in it, and for
 * what replaces nothing: if it was made anew since the round's look, the UIDVALIDITY of the answer shows
 * it, and the next look meets what was stored. */
static struct fault *open_mailbox(struct endpoint_putting *write, const char *mailbox)
{
	struct imap *imap = write->imap;

	if (imap_session_awaits(imap->session) &&
	    (imap_folder_is_selected(imap, mailbox) ||
	     (imap_afar_is(imap, mailbox) && is_all_new(write))))
		return NULL;
	imap->placed.count = 0;
	return imap_folder_open(imap, write->mem, mailbox, !is_all_new(write));
}

/* That for tasks that are done may be none, or have been removed by a person: then the folder itself
 * has to do. */
static struct fault *open_target(struct endpoint_putting *write, const char *done)
{
	struct fault *fault = NULL;

	if (write->way.to && !done)
		write->way.to = false;
	if (write->way.to) {
		fault = open_mailbox(write, done);
		write->mailbox = done;
	}
	if (fault && fault->kind != FAULT_GONE)
		return fault;
	if (write->way.to && !fault)
		return NULL;
	write->way.to = false;
	write->mailbox = write->folder;
	FAULT_TRY(open_mailbox(write, write->folder));
	if (fault && write->olds.count)
		return imap_rights_fall_back(write->imap, write->mem, done, write->folder);
	return NULL;
}

/* A fault of the session ends all. */
static struct fault *prepare_bodies(struct endpoint_putting *write)
{
	write->bodies = MEM_ARRAY(write->mem, struct imap_body, write->count);
	for (size_t i = 0; i < write->count; i++) {
		struct fault *fault;

		if (write->puts[i].fault)
			continue;
		fault = imap_catenate_prepare(write->imap, write->mem, write->folder, &write->puts[i],
					      &write->bodies[i]);
		if (fault && !imap_is_connected(write->imap))
			return fault;
		write->puts[i].fault = fault ? imap_fault_copy(write->results, fault) : NULL;
	}
	return NULL;
}

/* Rights that are missing (RFC 4314) are told before anything is stored: a message that replaces
 * another, which then cannot be removed, would be a second item (N2). */
static struct fault *check_rights(const struct endpoint_putting *write)
{
	return imap_rights_check(write->imap, write->mem, write->folder, !is_all_new(write));
}

static struct fault *look_before(struct endpoint_putting *write)
{
	const char *done = imap_done_mailbox(write->imap, write, write->folder);

	if (write->way.from && !done)
		return fault_new(write->mem, FAULT_CHANGED,
				 "there is no mailbox for tasks that are done any more");
	FAULT_TRY(open_mailbox(write, write->way.from ? done : write->folder));
	FAULT_TRY(check_rights(write));
	FAULT_TRY(look_at_olds(write));
	write->mailbox = write->folder;
	if (!write->way.from && !write->way.to)
		return NULL;
	FAULT_TRY(open_target(write, done));
	return check_rights(write);
}

static struct fault *prepare(struct endpoint_putting *write)
{
	const struct imap_selected *selected;

	for (size_t i = 0; i < write->count; i++) {
		struct endpoint_put *put = &write->puts[i];

		put->version = put->answered = put->placed = put->replaced = NULL;
		put->fault = unfit(write, put);
	}
	FAULT_TRY(look_before(write));
	if (is_all_new(write) && !write->way.to && imap_afar_pays(write->imap, write->count))
		FAULT_TRY(imap_afar_leave(write->imap, write->mem));
	selected = imap_afar_selected(write->imap, write->mailbox);
	write->uidvalidity = selected->uidvalidity;
	write->uidnext = selected->uidnext;
	write->names_places = imap_session_can(write->imap->session, IMAP_CAP_UIDPLUS);
	write->any_keyword = selected->any_keyword;
	write->permanent_flags = mem_strdup(write->mem, selected->permanent_flags);
	return prepare_bodies(write);
}

/* ---- commands ---- */

static void add_message(const struct endpoint_putting *write, struct imap_line *line,
			const struct endpoint_put *put)
{
	const struct imap_message *old = old_of(write, put);
	const struct imap_flags_wish wish = { put->marks_add, put->marks_drop, put->quiet };
	const struct imap_flags *flags =
		imap_flags_wished(line, old ? old->flags : NULL, &wish, write->any_keyword,
				  write->permanent_flags);

	if (flags->count)
		imap_line_add(line, " (%s)", imap_flags_text(line, flags));
	if (old && old->date)
		imap_line_add(line, " \"%s\"", old->date);
	imap_line_add(line, " ");
	imap_catenate_add(line, &write->bodies[put - write->puts]);
}

static struct imap_line *append_line(const struct endpoint_putting *write,
				     const struct parcel *parcel)
{
	struct imap_line *line = imap_line_new(write->mem, "APPEND ", true);

	imap_line_mailbox(line, write->mailbox);
	for (size_t i = 0; i < parcel->count; i++)
		add_message(write, line, &write->puts[parcel->which[i]]);
	return line;
}

/* A message that the server puts together goes alone. */
static bool is_full(const struct endpoint_putting *write, const struct parcel *parcel, size_t next,
		    bool many)
{
	size_t more = write->bodies[next].len;

	return parcel->count && (!many || parcel->bytes + more > IMAP_APPEND_BATCH_BYTES ||
				 write->bodies[next].count ||
				 write->bodies[parcel->which[0]].count);
}

/* The messages of WHICH; MANY: several to a parcel. */
static struct parcels pack(struct endpoint_putting *write, const size_t *which, size_t count,
			   bool many)
{
	struct parcels parcels = { .list = MEM_ARRAY(write->mem, struct parcel, count),
				   .count = count > 0 };
	struct parcel *parcel = parcels.list;

	for (size_t i = 0; i < count; i++) {
		if (is_full(write, parcel, which[i], many)) {
			parcel++;
			parcels.count++;
		}
		if (!parcel->count)
			parcel->which = MEM_ARRAY(write->mem, size_t, many ? count - i : 1);
		parcel->which[parcel->count++] = which[i];
		parcel->bytes += write->bodies[which[i]].len;
	}
	parcels.lines = MEM_ARRAY(write->mem, struct imap_line *, parcels.count);
	parcels.answers = MEM_ARRAY(write->mem, struct imap_answer, parcels.count);
	for (size_t i = 0; i < parcels.count; i++)
		parcels.lines[i] = append_line(write, &parcels.list[i]);
	return parcels;
}

/* Sends them, and waits where the server must be asked before each. */
static void send_parcels(struct endpoint_putting *write, struct parcels *parcels, bool later)
{
	struct imap_session *session = write->imap->session;
	int64_t before = imap_writes(write->imap);

	if (!parcels->count)
		return;
	if (later && imap_session_sends(session, parcels->lines, parcels->count)) {
		write->fault = imap_session_send(session, write->mem, parcels->lines,
						 parcels->count, NULL, NULL, &write->sent);
		return;
	}
	write->fault = imap_session_run_all(session, write->mem, parcels->lines, parcels->count,
					    NULL, NULL, parcels->answers, &parcels->answered);
	parcels->gone = (size_t)(imap_writes(write->imap) - before);
}

/* ---- what came of it ---- */

/* The new message has the marks that the caller knows of, and those that it wants, as far as they are
 * kept. If it got more of them from the old one, the next notice tells, because this is not its version
 * then: no mark is lost unread. */
static char *vouched(const struct endpoint_putting *write, const char *address,
		     const struct endpoint_put *put)
{
	const char *marks = put->if_version ? strchr(put->if_version, ' ') : NULL;
	const struct imap_flags *known = imap_flags_of_text(write->mem, marks ? marks : "");
	struct imap_flags_wish wish = { .add = put->marks_add };

	if (!marks && !put->marks_add && !write->way.to)
		return imap_notice_version(write->results, address, NULL);
	wish.drop = mem_printf(write->mem, "%s " IMAP_DONE_MARK,
			       put->marks_drop ? put->marks_drop : "");
	known = imap_flags_wished(write->mem, known, &wish, write->any_keyword,
				  write->permanent_flags);
	return imap_notice_version(
		write->results, address,
		imap_flags_marks(write->mem, known, write->way.to ? IMAP_DONE_MARK : NULL));
}

static void set_placed(struct endpoint_putting *write, struct endpoint_put *put, uint32_t uid)
{
	const struct imap_spot spot = { write->way.to, write->uidvalidity, uid };
	const struct imap_message *old = old_of(write, put);
	char *address = MEM_ARRAY(write->results, char, IMAP_ADDRESS_SIZE);

	imap_set_spot_write(address, &spot);
	put->placed = address;
	put->version = vouched(write, address, put);
	if (old)
		put->replaced = mem_printf(
			write->results, "%sFLAGS (%s)",
			old->modseq ? mem_printf(write->mem, "MODSEQ %" PRIu64 " ", old->modseq)
				    : "",
			imap_flags_text(write->mem, old->flags));
}

/* Something else may have been looked at since it was sent. */
static bool is_selected(const struct endpoint_putting *write)
{
	return write->imap->session && imap_folder_is_selected(write->imap, write->mailbox);
}

static bool is_still_known(const struct endpoint_putting *write)
{
	return is_selected(write) || imap_afar_is(write->imap, write->mailbox);
}

/* (2) */
static bool is_credible(const struct endpoint_putting *write, const struct parcel *parcel,
			uint32_t uidvalidity, const struct imap_uids *uids)
{
	if (uidvalidity != write->uidvalidity || uids->count != parcel->count)
		return false;
	for (size_t i = 0; i < uids->count; i++) {
		if (uids->uid[i] < write->uidnext || (i && uids->uid[i] <= uids->uid[i - 1]))
			return false;
		if (is_still_known(write) && imap_set_has(&write->imap->placed, uids->uid[i]))
			return false;
	}
	return true;
}

static void take_not_credible(struct endpoint_putting *write, const struct parcel *parcel)
{
	for (size_t i = 0; i < parcel->count; i++) {
		struct fault *fault =
			fault_new(write->results, FAULT_PROTOCOL,
				  "APPEND: the server names a place that cannot be (APPENDUID)");

		fault->maybe_done = true;
		write->puts[parcel->which[i]].fault = fault;
	}
}

/* `[APPENDUID 38505 3955:3957]` (RFC 4315 section 3) */
static void take_stored(struct endpoint_putting *write, const struct parcel *parcel,
			const struct imap_answer *answer)
{
	const struct imap_uids *placed = &write->imap->placed;
	const struct imap_node *args = answer->code_args;
	struct imap_uids uids = { 0 };
	uint32_t uidvalidity;
	bool is_last;

	if (!answer->code || strcmp(answer->code, "APPENDUID") != 0 || !write->names_places) {
		for (size_t i = 0; i < parcel->count; i++)
			write->lost[parcel->which[i]] = true;
		return;
	}
	if (!imap_node_u32(args, &uidvalidity) || !args->next ||
	    !imap_set_read(write->mem, args->next->text, parcel->count, &uids) ||
	    !is_credible(write, parcel, uidvalidity, &uids)) {
		take_not_credible(write, parcel);
		return;
	}
	is_last = !placed->count || placed->uid[placed->count - 1] < uids.uid[0];
	for (size_t i = 0; i < parcel->count; i++) {
		if (is_still_known(write))
			imap_set_add(write->imap, &write->imap->placed, uids.uid[i]);
		set_placed(write, &write->puts[parcel->which[i]], uids.uid[i]);
	}
	if (!is_last)
		(void)imap_set_sort(&write->imap->placed);
}

/* It is true for each message by itself: one by one would only be refused as often. */
static bool is_about_folder(const struct imap_answer *answer)
{
	enum imap_outcome outcome =
		imap_outcome_of(IMAP_COMMAND_APPEND, answer->status, answer->code)->outcome;

	return outcome == IMAP_OUTCOME_NO_FOLDER || outcome == IMAP_OUTCOME_HOLD_FOLDER ||
	       outcome == IMAP_OUTCOME_LOGIN;
}

static void take_refused(struct endpoint_putting *write, const struct parcel *parcel,
			 const struct imap_answer *answer)
{
	for (size_t i = 0; i < parcel->count; i++)
		write->puts[parcel->which[i]].fault =
			imap_answer_fault(write->results, answer, FAULT_SCOPE_ITEM, "APPEND");
}

static void note_refusal(struct endpoint_putting *write, const struct parcel *parcel,
			 const struct imap_answer *answer)
{
	for (size_t i = 0; i < parcel->count; i++)
		write->refusals[parcel->which[i]] = imap_refusal_of(answer);
}

static void take_unanswered(struct endpoint_putting *write, const struct parcel *parcel,
			    const struct fault *fault, bool sent)
{
	for (size_t i = 0; i < parcel->count; i++) {
		struct fault *copy = imap_fault_copy(write->results, fault);

		copy->maybe_done = sent;
		write->puts[parcel->which[i]].fault = copy;
	}
}

/* AGAIN gets the messages of those that were refused as a whole. */
static void take_parcels(struct endpoint_putting *write, const struct parcels *parcels,
			 size_t *again, size_t *again_count)
{
	for (size_t i = 0; i < parcels->count; i++) {
		const struct parcel *parcel = &parcels->list[i];
		const struct imap_answer *answer = &parcels->answers[i];

		if (i < parcels->answered)
			note_refusal(write, parcel, answer);
		if (i >= parcels->answered)
			take_unanswered(write, parcel, write->fault, i < parcels->gone);
		else if (answer->status == IMAP_OK)
			take_stored(write, parcel, answer);
		else if ((parcel->count == 1 && !write->bodies[parcel->which[0]].count) ||
			 is_about_folder(answer))
			take_refused(write, parcel, answer);
		else
			for (size_t j = 0; j < parcel->count; j++)
				again[(*again_count)++] = parcel->which[j];
	}
}

static struct parcels pack_all(struct endpoint_putting *write)
{
	const struct imap_session *session = write->imap->session;
	bool many = imap_session_can(session, IMAP_CAP_MULTIAPPEND) &&
		    imap_session_can(session, IMAP_CAP_LITERAL_PLUS);
	size_t *which = MEM_ARRAY(write->mem, size_t, write->count), n = 0;

	for (size_t i = 0; i < write->count; i++)
		if (!write->puts[i].fault)
			which[n++] = i;
	return pack(write, which, n, many);
}

/* Where the server did not put a message together: with the bytes of all its parts. */
static size_t fill_bodies(struct endpoint_putting *write, size_t *which, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count && !write->fault; i++) {
		struct imap_body *body = &write->bodies[which[i]];
		struct fault *fault =
			body->count ? imap_catenate_fill(write->imap, write->mem, write->folder, body) : NULL;

		if (!fault)
			which[n++] = which[i];
		else if (imap_is_connected(write->imap))
			write->puts[which[i]].fault = imap_fault_copy(write->results, fault);
		else
			write->fault = fault;
	}
	return write->fault ? count : n;
}

static struct fault *made_anew(const struct endpoint_putting *write)
{
	return fault_new(write->mem, FAULT_CHANGED,
			 "%s was made anew while messages were stored in it", write->mailbox);
}

/* Refused together: one by one. */
static void send_again(struct endpoint_putting *write, size_t *again, size_t count)
{
	struct parcels parcels;
	size_t none = 0;

	if (!write->fault)
		write->fault = imap_folder_open(write->imap, write->mem, write->mailbox, false);
	if (!write->fault &&
	    imap_session_selected(write->imap->session)->uidvalidity != write->uidvalidity)
		write->fault = made_anew(write);
	count = fill_bodies(write, again, count);
	for (size_t i = 0; i < count && write->fault; i++)
		take_unanswered(write, &(struct parcel){ &again[i], 1, 0 }, write->fault,
				false);
	if (write->fault)
		return;
	parcels = pack(write, again, count, false);
	send_parcels(write, &parcels, false);
	take_parcels(write, &parcels, NULL, &none);
}

/* ---- without APPENDUID ---- */

#define FOUND_MAX 100000 /* messages that are new: far more than puts are under way at once */
#define ID_MAX 1000      /* bytes of a Message-ID: a line of a header has no more */

struct found {
	uint32_t uid;
	const char *id;
	bool taken;
};

struct finding {
	struct endpoint_putting *write;
	struct found *list;
	size_t count;
};

/* "a@b" of a header's field `Message-ID: <a@b>`, folded or not; NULL: it has none. */
static char *message_id(TALLOC_CTX *mem, const char *text, size_t len)
{
	static const char name[] = "Message-ID:";
	const char *end = text + len;

	for (const char *line = text; line < end && *line != '\r' && *line != '\n';) {
		const char *next = memchr(line, '\n', (size_t)(end - line)), *open, *close;

		while (next && next + 1 < end && (next[1] == ' ' || next[1] == '\t'))
			next = memchr(next + 1, '\n', (size_t)(end - next - 1));
		next = next ? next + 1 : end;
		if ((size_t)(next - line) > strlen(name) &&
		    !strncasecmp(line, name, strlen(name))) {
			open = memchr(line, '<', (size_t)(next - line));
			close = open ? memchr(open, '>', (size_t)(next - open)) : NULL;
			return close ? mem_strndup(mem, open + 1, (size_t)(close - open - 1))
				     : NULL;
		}
		line = next;
	}
	return NULL;
}

/* Servers write the name of the item in ways of their own. */
static const struct imap_node *header_of(const struct imap_node *items)
{
	for (const struct imap_node *node = items; node && node->next; node = node->next->next)
		if (node->kind == IMAP_ATOM && !strncasecmp(node->text, "BODY[HEADER", 11))
			return node->next;
	return NULL;
}

static struct fault *take_found(void *context, const struct imap_response *response)
{
	struct finding *finding = context;
	const struct imap_node *items = response->args ? response->args->first : NULL;
	const struct imap_node *header;
	TALLOC_CTX *mem = finding->write->mem;
	char *id;
	uint32_t uid;

	if (strcmp(response->name, "FETCH") != 0 ||
	    !imap_node_u32(imap_node_after(items, "UID"), &uid) || uid < finding->write->uidnext)
		return NULL;
	header = header_of(items);
	id = header && header->kind == IMAP_STRING ? message_id(mem, header->text, header->len)
						   : NULL;
	if (!id || strlen(id) > ID_MAX || finding->count == FOUND_MAX) {
		talloc_free(id);
		return NULL;
	}
	finding->list = MEM_GROW(mem, finding->list, struct found, finding->count + 1);
	finding->list[finding->count++] = (struct found){ uid, id, false };
	return NULL;
}

/* The last one that nobody has yet: what stood there before is older. */
static struct found *find_last(struct finding *finding, const struct endpoint_put *put)
{
	const struct imap_message *old = old_of(finding->write, put);
	char *id = message_id(finding->write->mem, put->text, put->len);
	struct found *last = NULL;

	for (size_t i = 0; id && i < finding->count; i++) {
		struct found *found = &finding->list[i];

		if (!found->taken &&
		    (!old || finding->write->way.from != finding->write->way.to ||
		     found->uid > old->uid) &&
		    !strcmp(found->id, id) && (!last || found->uid > last->uid))
			last = found;
	}
	return last;
}

static struct fault *ask_where(struct endpoint_putting *write, struct finding *finding)
{
	struct imap_line *line = imap_line_new(write->mem, "UID FETCH ", false);

	if (is_selected(write))
		FAULT_TRY(imap_noop(write->imap, write->mem));
	else
		FAULT_TRY(imap_folder_open(write->imap, write->mem, write->mailbox, true));
	if (imap_session_selected(write->imap->session)->uidvalidity != write->uidvalidity)
		return made_anew(write);
	imap_line_add(line, "%" PRIu32 ":* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
		      write->uidnext ? write->uidnext : 1);
	return imap_run(write->imap, write->mem, line, take_found, finding, FAULT_SCOPE_FOLDER,
			"FETCH");
}

static void find_places(struct endpoint_putting *write)
{
	struct finding finding = { .write = write };
	struct fault *fault = NULL;
	bool asked = false;

	for (size_t i = write->count; i-- > 0;) {
		struct endpoint_put *put = &write->puts[i];
		struct found *found;

		if (!write->lost[i])
			continue;
		if (!asked)
			fault = ask_where(write, &finding);
		asked = true;
		found = fault ? NULL : find_last(&finding, put);
		if (found) {
			found->taken = true;
			set_placed(write, put, found->uid);
			continue;
		}
		put->fault = fault ? imap_fault_copy(write->results, fault)
				   : fault_new(write->results, FAULT_PROTOCOL,
					       "APPEND: stored, but it cannot be found again");
		put->fault->maybe_done = true;
	}
}

/* ---- the contract ---- */

static struct fault *begin_all(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct endpoint_putting *write = context;
	struct fault *fault;

	write->imap = imap;
	talloc_free(write->mem); /* of a first try */
	write->mem = MEM_CONTEXT(write);
	fault = prepare(write);
	if (fault)
		return talloc_steal(mem, fault);
	write->parcels = pack_all(write);
	send_parcels(write, &write->parcels, true);
	return NULL;
}

/* What is sent needs its lines. */
static int putting_end(struct endpoint_putting *write)
{
	TALLOC_FREE(write->sent);
	return 0;
}

static struct endpoint_putting *putting_new(struct imap *imap, TALLOC_CTX *mem, const char *folder,
					    struct endpoint_put *puts, size_t count)
{
	struct endpoint_putting *write = MEM_NEW(mem, struct endpoint_putting);

	write->imap = imap;
	write->results = write;
	write->folder = mem_strdup(write, folder);
	write->puts = puts;
	write->count = count;
	write->lost = MEM_ARRAY(write, bool, count);
	write->refusals = MEM_ARRAY(write, struct imap_refusal, count);
	talloc_set_destructor(write, putting_end);
	return write;
}

struct fault *imap_write_begin(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       struct endpoint_put *puts, size_t count,
			       struct endpoint_putting **putting_r)
{
	struct endpoint_putting *write =
		putting_new((struct imap *)endpoint, mem, folder, puts, count);
	struct fault *fault = NULL;

	for (size_t i = 0; i < count; i++) {
		struct way way = way_of(write, &puts[i]);

		write->mixed = write->mixed || way.from || way.to;
	}
	if (count && !write->mixed)
		fault = imap_do((struct imap *)endpoint, mem, begin_all, write);
	if (fault) {
		for (size_t i = 0; i < count; i++)
			puts[i].fault = NULL;
		talloc_free(write);
		return fault;
	}
	*putting_r = write;
	return NULL;
}

/* What was refused without a reason may have found no room, or a right may be missing: that is not its
 * own fault. */
static void judge_refusals(struct endpoint_putting *write)
{
	if (!write->fault)
		write->fault = imap_refusal_judge_puts(write->imap, write->results, write->mailbox,
						       write->puts, write->refusals, write->count);
}

static size_t drop_judged(const struct endpoint_putting *write, size_t *which, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (!write->puts[which[i]].fault)
			which[n++] = which[i];
	return n;
}

static void take_all(struct endpoint_putting *write)
{
	size_t *again = MEM_ARRAY(write->mem, size_t, write->count), again_count = 0;
	struct parcels *parcels = &write->parcels;

	if (write->sent)
		write->fault = imap_session_receive(write->sent, write->mem, parcels->answers,
						    &parcels->answered, &parcels->gone);
	take_parcels(write, parcels, again, &again_count);
	if (!write->fault && !imap_is_connected(write->imap))
		write->fault = fault_new(write->mem, FAULT_UNREACHABLE,
					 "the connection ended behind the answer");
	judge_refusals(write);
	again_count = drop_judged(write, again, again_count);
	if (again_count)
		send_again(write, again, again_count);
	judge_refusals(write);
	for (size_t i = 0; i < write->count && write->fault; i++)
		if (write->lost[i] && !imap_is_connected(write->imap)) {
			take_unanswered(write, &(struct parcel){ &i, 1, 0 }, write->fault, true);
			write->lost[i] = false;
		}
	find_places(write);
}

/* The results belong to MEM. */
static void end_one_way(struct endpoint_putting *write, TALLOC_CTX *mem)
{
	uint32_t appended = 0;

	write->results = mem;
	take_all(write);
	for (size_t i = 0; i < write->count; i++) {
		(void)talloc_steal(mem, write->puts[i].fault);
		appended += write->puts[i].placed != NULL;
		if (write->puts[i].placed)
			imap_notice_placed(write->imap, write->mailbox, write->puts[i].version);
		if (write->puts[i].placed && write->bodies[i].large)
			write->puts[i].version = NULL;
	}
	imap_notice_wrote(write->imap, write->mailbox, appended, 0);
}

/* Those of ALL that go WAY. */
static void put_one_way(struct endpoint_putting *all, TALLOC_CTX *mem, struct way way)
{
	struct endpoint_put *puts = MEM_ARRAY(all, struct endpoint_put, all->count);
	size_t *back = MEM_ARRAY(all, size_t, all->count), count = 0;
	struct endpoint_putting *write;
	struct fault *fault;

	for (size_t i = 0; i < all->count; i++) {
		struct way its = way_of(all, &all->puts[i]);

		if (its.from != way.from || its.to != way.to)
			continue;
		back[count] = i;
		puts[count++] = all->puts[i];
	}
	if (!count)
		return;
	write = putting_new(all->imap, all, all->folder, puts, count);
	write->way = way;
	fault = imap_do(all->imap, mem, begin_all, write);
	if (!fault)
		end_one_way(write, mem);
	for (size_t i = 0; i < count; i++) {
		if (fault)
			puts[i].fault = imap_fault_copy(mem, fault);
		all->puts[back[i]] = puts[i];
	}
	talloc_free(write);
}

struct fault *imap_write_end(struct endpoint_putting *write, TALLOC_CTX *mem)
{
	static const struct way ways[] = {
		{ false, false }, { false, true }, { true, true }, { true, false }
	};

	if (write->mixed)
		for (size_t i = 0; i < COUNT_OF(ways); i++)
			put_one_way(write, mem, ways[i]);
	else if (write->count)
		end_one_way(write, mem);
	talloc_free(write);
	return NULL;
}

struct fault *imap_write_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     struct endpoint_put *puts, size_t count)
{
	struct endpoint_putting *write = NULL;

	if (!count)
		return NULL;
	FAULT_TRY(imap_write_begin(endpoint, mem, folder, puts, count, &write));
	return imap_write_end(write, mem);
}

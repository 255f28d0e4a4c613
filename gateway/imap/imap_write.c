#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

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
 * 1. A message has one end: placed, or a fault. The fault says maybe_done when its bytes may have
 *    reached the server and no answer told what became of them.
 * 2. UIDs of an answer are believed if they can be: of this mailbox, as many as messages, ascending,
 *    not known before, each once. Else the message is somewhere: PROTOCOL, maybe_done. */

struct write {
	struct imap *imap;
	TALLOC_CTX *results, *mem;
	const char *folder;
	struct endpoint_put *puts;
	size_t count;
	uint32_t uidvalidity, uidnext; /* before anything was sent */
	struct imap_messages olds;
	bool *lost;              /* stored, but the answer does not say where */
	struct imap_uids placed; /* all that an answer has named */
};

/* Messages puts[which[0 .. count - 1]] in one command. */
struct parcel {
	size_t *which;
	size_t count, bytes;
};

struct parcels {
	struct parcel *list;
	size_t count;
};

/* ---- before sending ---- */

static struct fault *unfit(struct write *write, const struct endpoint_put *put)
{
	if (put->len > IMAP_ITEM_MAX)
		return fault_new(write->results, FAULT_REFUSED,
				 "a message is longer than %zu bytes, and was not sent",
				 IMAP_ITEM_MAX);
	if (!put->len || memchr(put->text, '\0', put->len))
		return fault_new(write->results, FAULT_REFUSED,
				 "a message is empty or has a NUL in it, and was not sent");
	return NULL;
}

static struct imap_message *old_of(const struct write *write, const struct endpoint_put *put)
{
	uint32_t validity, uid;

	if (!put->if_version || !imap_set_version_read(put->if_version, &validity, &uid) ||
	    validity != write->uidvalidity)
		return NULL;
	return imap_look_find(&write->olds, uid);
}

/* Marks may be others by now: they go with it, and are not what is replaced. */
static bool is_of(const char *version, const char *address)
{
	return address && strcspn(version, " ") == strlen(address) && text_starts(version, address);
}

static struct fault *look_at_olds(struct write *write)
{
	struct imap_uids uids = { 0 };
	uint32_t validity, uid;

	for (size_t i = 0; i < write->count; i++)
		if (!write->puts[i].fault && write->puts[i].if_version &&
		    imap_set_version_read(write->puts[i].if_version, &validity, &uid) &&
		    validity == write->uidvalidity)
			imap_set_add(write->mem, &uids, uid);
	FAULT_TRY(imap_look(write->imap, write->mem, &uids, &write->olds));
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

static struct fault *prepare(struct write *write)
{
	const struct imap_selected *selected;

	FAULT_TRY(imap_folder_open(write->imap, write->mem, write->folder, true));
	selected = imap_session_selected(write->imap->session);
	write->uidvalidity = selected->uidvalidity;
	write->uidnext = selected->uidnext;
	for (size_t i = 0; i < write->count; i++) {
		struct endpoint_put *put = &write->puts[i];

		put->version = put->answered = put->placed = put->replaced = NULL;
		put->fault = unfit(write, put);
	}
	return look_at_olds(write);
}

/* ---- commands ---- */

static void add_message(const struct write *write, struct imap_line *line,
			const struct endpoint_put *put)
{
	const struct imap_selected *selected = imap_session_selected(write->imap->session);
	const struct imap_message *old = old_of(write, put);
	const struct imap_flags_wish wish = { put->marks_add, put->marks_drop, put->quiet };
	const struct imap_flags *flags =
		imap_flags_wished(line, old ? old->flags : NULL, &wish, selected->any_keyword,
				  selected->permanent_flags);

	if (flags->count)
		imap_line_add(line, " (%s)", imap_flags_text(line, flags));
	if (old && old->date)
		imap_line_add(line, " \"%s\"", old->date);
	imap_line_add(line, " ");
	imap_line_literal(line, put->text, put->len);
}

static struct imap_line *append_line(const struct write *write, const struct parcel *parcel)
{
	struct imap_line *line = imap_line_new(write->mem, "APPEND ", true);

	imap_line_mailbox(line, write->folder);
	for (size_t i = 0; i < parcel->count; i++)
		add_message(write, line, &write->puts[parcel->which[i]]);
	return line;
}

static bool is_full(const struct parcel *parcel, size_t more, bool many)
{
	return parcel->count && (!many || parcel->bytes + more > IMAP_APPEND_BATCH_BYTES);
}

/* The messages of WHICH; MANY: several to a parcel. */
static struct parcels pack(struct write *write, const size_t *which, size_t count, bool many)
{
	struct parcels parcels = { MEM_ARRAY(write->mem, struct parcel, count), count > 0 };
	struct parcel *parcel = parcels.list;

	for (size_t i = 0; i < count; i++) {
		size_t len = write->puts[which[i]].len;

		if (is_full(parcel, len, many)) {
			parcel++;
			parcels.count++;
		}
		if (!parcel->count)
			parcel->which = MEM_ARRAY(write->mem, size_t, many ? count - i : 1);
		parcel->which[parcel->count++] = which[i];
		parcel->bytes += len;
	}
	return parcels;
}

/* ---- what came of it ---- */

/* The new message has the marks that the caller knows of. If it got more of them from the old one,
 * the next notice tells, because this is not its version then: no mark is lost unread. */
static char *vouched(const struct write *write, const char *address,
		     const struct endpoint_put *put)
{
	const char *marks = put->if_version ? strchr(put->if_version, ' ') : NULL;

	return imap_notice_version(write->results, address, marks ? marks + 1 : NULL);
}

static void set_placed(struct write *write, struct endpoint_put *put, uint32_t uid)
{
	const struct imap_message *old = old_of(write, put);
	char *address = imap_set_address(write->results, write->uidvalidity, uid);

	put->placed = address;
	put->version = vouched(write, address, put);
	if (old)
		put->replaced = mem_printf(
			write->results, "%sFLAGS (%s)",
			old->modseq ? mem_printf(write->mem, "MODSEQ %" PRIu64 " ", old->modseq)
				    : "",
			imap_flags_text(write->mem, old->flags));
}

/* (2) */
static bool is_credible(const struct write *write, const struct parcel *parcel,
			uint32_t uidvalidity, const struct imap_uids *uids)
{
	if (uidvalidity != write->uidvalidity || uids->count != parcel->count)
		return false;
	for (size_t i = 0; i < uids->count; i++) {
		if (uids->uid[i] < write->uidnext || (i && uids->uid[i] <= uids->uid[i - 1]))
			return false;
		for (size_t j = 0; j < write->placed.count; j++)
			if (write->placed.uid[j] == uids->uid[i])
				return false;
	}
	return true;
}

static void take_not_credible(struct write *write, const struct parcel *parcel)
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
static void take_stored(struct write *write, const struct parcel *parcel,
			const struct imap_answer *answer)
{
	const struct imap_node *args = answer->code_args;
	struct imap_uids uids = { 0 };
	uint32_t uidvalidity;

	if (!answer->code || strcmp(answer->code, "APPENDUID") != 0 ||
	    !imap_session_can(write->imap->session, IMAP_CAP_UIDPLUS)) {
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
	for (size_t i = 0; i < parcel->count; i++) {
		imap_set_add(write->mem, &write->placed, uids.uid[i]);
		set_placed(write, &write->puts[parcel->which[i]], uids.uid[i]);
	}
}

static bool says_folder_is_gone(const struct imap_answer *answer)
{
	return answer->status == IMAP_NO && answer->code &&
	       (!strcmp(answer->code, "TRYCREATE") || !strcmp(answer->code, "NONEXISTENT"));
}

static void take_refused(struct write *write, const struct parcel *parcel,
			 const struct imap_answer *answer)
{
	enum fault_scope scope =
		says_folder_is_gone(answer) ? FAULT_SCOPE_FOLDER : FAULT_SCOPE_ITEM;

	for (size_t i = 0; i < parcel->count; i++)
		write->puts[parcel->which[i]].fault =
			imap_answer_fault(write->results, answer, scope, "APPEND");
}

static void take_unanswered(struct write *write, const struct parcel *parcel,
			    const struct fault *fault, bool sent)
{
	for (size_t i = 0; i < parcel->count; i++) {
		struct fault *copy = imap_fault_copy(write->results, fault);

		copy->maybe_done = sent;
		write->puts[parcel->which[i]].fault = copy;
	}
}

/* Sends PARCELS; AGAIN gets the messages of those that were refused as a whole. Returns the fault
 * that has ended the session, which all concerned have as well. */
static struct fault *send_parcels(struct write *write, const struct parcels *parcels, size_t *again,
				  size_t *again_count)
{
	struct imap *imap = write->imap;
	struct imap_line **lines = MEM_ARRAY(write->mem, struct imap_line *, parcels->count);
	struct imap_answer *answers = MEM_ARRAY(write->mem, struct imap_answer, parcels->count);
	int64_t before = imap_writes(imap);
	size_t answered = 0, sent;
	struct fault *fault;

	for (size_t i = 0; i < parcels->count; i++)
		lines[i] = append_line(write, &parcels->list[i]);
	fault = imap_session_run_all(imap->session, write->mem, lines, parcels->count, NULL, NULL,
				     answers, &answered);
	sent = (size_t)(imap_writes(imap) - before);
	for (size_t i = 0; i < parcels->count; i++) {
		const struct parcel *parcel = &parcels->list[i];

		talloc_free(lines[i]);
		if (i >= answered)
			take_unanswered(write, parcel, fault, i < sent);
		else if (answers[i].status == IMAP_OK)
			take_stored(write, parcel, &answers[i]);
		else if (parcel->count == 1 || says_folder_is_gone(&answers[i]))
			take_refused(write, parcel, &answers[i]);
		else
			for (size_t j = 0; j < parcel->count; j++)
				again[(*again_count)++] = parcel->which[j];
	}
	return fault;
}

static struct fault *send_all(struct write *write)
{
	const struct imap_session *session = write->imap->session;
	bool many = imap_session_can(session, IMAP_CAP_MULTIAPPEND) &&
		    imap_session_can(session, IMAP_CAP_LITERAL_PLUS);
	size_t *which = MEM_ARRAY(write->mem, size_t, write->count),
	       *again = MEM_ARRAY(write->mem, size_t, write->count);
	size_t n = 0, again_count = 0, none = 0;
	struct parcels parcels;
	struct fault *fault;

	for (size_t i = 0; i < write->count; i++)
		if (!write->puts[i].fault)
			which[n++] = i;
	if (!n)
		return NULL;
	parcels = pack(write, which, n, many);
	fault = send_parcels(write, &parcels, again, &again_count);
	if (!again_count)
		return fault;
	parcels = pack(write, again, again_count, false);
	if (!fault)
		return send_parcels(write, &parcels, NULL, &none);
	for (size_t i = 0; i < parcels.count; i++)
		take_unanswered(write, &parcels.list[i], fault, false);
	return fault;
}

/* ---- without APPENDUID ---- */

struct found {
	uint32_t uid;
	const char *id;
	bool taken;
};

struct finding {
	struct write *write;
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
	if (!id)
		return NULL;
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

		if (!found->taken && (!old || found->uid > old->uid) && !strcmp(found->id, id) &&
		    (!last || found->uid > last->uid))
			last = found;
	}
	return last;
}

static struct fault *ask_where(struct write *write, struct finding *finding)
{
	struct imap_line *line = imap_line_new(write->mem, "UID FETCH ", false);

	FAULT_TRY(imap_noop(write->imap, write->mem));
	imap_line_add(line, "%" PRIu32 ":* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
		      write->uidnext ? write->uidnext : 1);
	return imap_run(write->imap, write->mem, line, take_found, finding, FAULT_SCOPE_FOLDER,
			"FETCH");
}

static void find_places(struct write *write)
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

static struct fault *put_all(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct write *write = context;
	struct fault *fault;

	write->imap = imap;
	write->mem = mem;
	write->lost = MEM_ARRAY(mem, bool, write->count);
	FAULT_TRY(prepare(write));
	fault = send_all(write);
	if (fault && !imap_is_connected(imap)) {
		for (size_t i = 0; i < write->count; i++)
			if (write->lost[i])
				take_unanswered(write, &(struct parcel){ &i, 1, 0 }, fault, true);
		return NULL;
	}
	find_places(write);
	return NULL;
}

struct fault *imap_write_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     struct endpoint_put *puts, size_t count)
{
	struct write write = { .results = mem, .folder = folder, .puts = puts, .count = count };
	struct imap *imap = (struct imap *)endpoint;
	uint32_t appended = 0;

	if (!count)
		return NULL;
	FAULT_TRY(imap_do(imap, mem, put_all, &write));
	for (size_t i = 0; i < count; i++) {
		appended += puts[i].placed != NULL;
		if (puts[i].placed)
			imap_notice_placed(imap, folder, puts[i].version);
	}
	imap_notice_wrote(imap, folder, appended, 0);
	return NULL;
}

#include "config.h"

#include "gateway/memory/memory_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "decide/mark.h"
#include "mappers/message_elide.h"

#define MEMORY_APPEND "?append"
#define MEMORY_WHOLE "?whole"
#define MEMORY_PUSH "?push"
#define MEMORY_MANAGED "?managed"
#define MEMORY_DENIED "denied-"

/* ---- the script ---- */

static const char *const kind_words[FAULT_KINDS] = {
	[FAULT_CHANGED] = "changed",
	[FAULT_GONE] = "gone",
	[FAULT_REFUSED] = "refused",
	[FAULT_BUSY] = "busy",
	[FAULT_CROWDED] = "crowded",
	[FAULT_UNREACHABLE] = "unreachable",
	[FAULT_LOGIN] = "login",
	[FAULT_FULL] = "full",
	[FAULT_LOCKED] = "locked",
	[FAULT_TOKEN] = "token",
	[FAULT_PROTOCOL] = "protocol",
};

static void apply_word(TALLOC_CTX *mem, const char *word, struct memory_outcome *outcome)
{
	outcome->denied = text_starts(word, MEMORY_DENIED);
	if (outcome->denied)
		word += strlen(MEMORY_DENIED);
	outcome->lost = !strcmp(word, "lost");
	outcome->rewrite = !strcmp(word, "rewrite");
	outcome->late = !strcmp(word, "late");
	outcome->empty = !strcmp(word, "empty");
	outcome->open = !strcmp(word, "open");
	outcome->blind = !strcmp(word, "blind");
	for (int k = 0; k < FAULT_KINDS; k++)
		if (kind_words[k] && !strcmp(kind_words[k], word))
			outcome->fault = fault_new(mem, (enum fault_kind)k,
						   "memory server: scripted fault '%s'", word);
}

struct fault *memory_next_outcome(struct memory_endpoint *memory, TALLOC_CTX *mem,
				  struct memory_state *state, enum memory_operation operation,
				  struct memory_outcome *outcome)
{
	char *path = mem_printf(state, "%s.faults", memory->path), *text = NULL, *save_line = NULL;
	int64_t number = ++state->counts[operation];
	size_t len = 0;

	memset(outcome, 0, sizeof *outcome);
	state->changed = true;
	FAULT_TRY(memory_read_file(state, path, &text, &len));
	for (char *line = strtok_r(text, "\n", &save_line); line;
	     line = strtok_r(NULL, "\n", &save_line)) {
		char name[16], word[32];
		long long first, last;
		int read = sscanf(line, "%15s %lld-%lld %31s", name, &first, &last, word);

		if (read == 2 && sscanf(line, "%*s %*d %31s", word) == 1) {
			last = first;
			read = 4;
		}
		if (read == 4 && first <= number && number <= last &&
		    !strcmp(name, memory_operation_names[operation]))
			apply_word(mem, word, outcome);
	}
	return NULL;
}

/* ---- the operations ---- */

static struct memory_item *find_item(struct memory_state *state, const char *address)
{
	for (size_t i = 0; i < state->item_count; i++)
		if (!state->items[i].late && !strcmp(state->items[i].address, address))
			return &state->items[i];
	return NULL;
}

struct memory_folder *memory_find_folder(struct memory_state *state, const char *address)
{
	for (size_t i = 0; i < state->folder_count; i++)
		if (!strcmp(state->folders[i].address, address))
			return &state->folders[i];
	return NULL;
}

static struct fault *no_folder(TALLOC_CTX *mem, const char *folder)
{
	return fault_reaches(fault_new(mem, FAULT_GONE, "the folder %s is not there", folder),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
}

static struct fault *probe(struct endpoint *endpoint, TALLOC_CTX *mem,
			   struct endpoint_probe **probe_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct endpoint_probe *result = MEM_NEW(mem, struct endpoint_probe);
	struct memory_outcome outcome = { .fault = NULL };
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	if (!fault)
		fault = memory_next_outcome(memory, mem, state, OP_PROBE, &outcome);
	FAULT_TRY(memory_finish(memory, mem, state, fault ? fault : outcome.fault));
	result->caps = (struct endpoint_caps){ .sync_token = true,
					       .create_guard = true,
					       .replace_guard = true,
					       .keeps_bytes = true,
					       .strong_version = true,
					       .modified_time = true };
	result->findings = MEM_ARRAY(result, struct endpoint_finding, 1);
	result->findings[0].probe = "memory";
	result->findings[0].result = mem_strdup(result, memory->path);
	result->findings[0].meaning = "a server in a file, for tests and for trying out";
	result->count = 1;
	*probe_r = result;
	return NULL;
}

/* A new folder is empty, whatever stood at its address before. */
void memory_make_folder(struct memory_state *state, const char *address, const char *display)
{
	for (size_t i = 0; i < state->item_count; i++) {
		if (state->items[i].gone || !text_starts(state->items[i].address, address))
			continue;
		state->items[i].gone = true;
		state->items[i].version = ++state->seq;
	}
	memory_add_folder(state, address, display,
			  mem_printf(state, "F%" PRId64, state->counts[OP_WRITES]));
}

static struct fault *ensure_in(struct memory_endpoint *memory, TALLOC_CTX *mem,
			       struct memory_state *state, const struct endpoint_folder *folder,
			       const char *address, bool *created)
{
	struct memory_folder *found = memory_find_folder(state, address);
	struct memory_outcome outcome;

	FAULT_TRY(memory_next_outcome(memory, mem, state, OP_ENSURE, &outcome));
	if (outcome.fault && !outcome.denied)
		return outcome.fault;
	if (found && !strcmp(found->display, folder->display))
		return NULL;
	point_reach(memory->points, POINT_HTTP_SENDING);
	state->counts[OP_WRITES]++;
	if (found)
		found->display = mem_strdup(state, folder->display);
	else
		memory_make_folder(state, address, folder->display);
	*created = !found;
	if (outcome.lost) {
		struct fault *lost = fault_new(mem, FAULT_UNREACHABLE, "memory server: no answer");

		lost->maybe_done = true;
		return lost;
	}
	return outcome.fault;
}

static struct fault *ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
			    const struct endpoint_folder *folder, const char *known,
			    char **address_r, bool *created_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	char *address = known ? mem_strdup(mem, known)
			      : mem_printf(mem, "/%s/%s/", memory->user, folder->path);
	struct memory_state *state = NULL;
	bool created = false;
	struct fault *fault = memory_load(memory, mem, &state);

	if (!fault)
		fault = ensure_in(memory, mem, state, folder, address, &created);
	fault = memory_finish(memory, mem, state, fault);
	if (fault)
		return fault;
	point_reach(memory->points, POINT_HTTP_ANSWERED);
	*address_r = address;
	*created_r = created;
	return NULL;
}

/* "SEQ.VALIDITY" */
bool memory_read_token(const struct memory_state *state, const char *token, int64_t *since_r)
{
	int64_t since = -1, validity = -1;
	char rest;

	if (sscanf(token, "%" SCNd64 ".%" SCNd64 "%c", &since, &validity, &rest) != 2)
		return false;
	*since_r = since;
	return since >= 0 && since <= state->seq && validity == state->validity;
}

static bool is_noticed(const struct memory_item *item, const char *folder, const char *token,
		       int64_t since, const struct memory_outcome *outcome)
{
	if (!text_starts(item->address, folder) || item->late)
		return false;
	if (outcome->empty || (outcome->blind && token))
		return false;
	if (outcome->open && (item->gone || strstr(item->text, "STATUS:COMPLETED")))
		return false;
	return token ? item->version > since || item->touched > since : !item->gone;
}

static struct fault *notice_in(struct memory_endpoint *memory, TALLOC_CTX *mem,
			       struct memory_state *state, const char *folder, const char *token,
			       struct endpoint_notice *notice)
{
	int64_t since = 0;
	struct memory_outcome outcome;

	FAULT_TRY(memory_next_outcome(memory, mem, state, OP_NOTICE, &outcome));
	if (outcome.fault)
		return outcome.fault;
	if (!memory_find_folder(state, folder))
		return no_folder(mem, folder);
	if (token && !memory_read_token(state, token, &since))
		return fault_new(mem, FAULT_TOKEN, "memory server: the token is not known");
	if (outcome.empty || outcome.open)
		token = NULL;
	notice->full = !token;
	notice->token = mem_printf(notice, "%" PRId64 ".%" PRId64, state->seq, state->validity);
	if (memory->appends)
		notice->object_id =
			mem_strdup(notice, memory_find_folder(state, folder)->object_id);
	notice->changes = MEM_ARRAY(notice, struct endpoint_change, state->item_count);
	for (size_t i = 0; i < state->item_count; i++) {
		const struct memory_item *item = &state->items[i];
		struct endpoint_change *change = &notice->changes[notice->count];

		if (!is_noticed(item, folder, token, since, &outcome))
			continue;
		change->address = mem_strdup(notice, item->address);
		change->removed = item->gone;
		change->version = item->gone ? NULL : memory_version(notice, item);
		if (memory->appends && !item->gone)
			change->marks = memory_marks(notice, item);
		notice->count++;
	}
	return NULL;
}

static struct fault *notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			    const char *token, struct endpoint_notice **notice_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct endpoint_notice *result = MEM_NEW(mem, struct endpoint_notice);
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	if (!fault)
		fault = notice_in(memory, mem, state, folder, token, result);
	fault = memory_finish(memory, mem, state, fault);
	if (!fault)
		*notice_r = result;
	return fault;
}

static struct fault *may_read(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_outcome outcome = { .fault = NULL };
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	(void)folder;
	if (!fault)
		fault = memory_next_outcome(memory, mem, state, OP_RIGHTS, &outcome);
	if (outcome.fault)
		fault_reaches(outcome.fault, FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
	return memory_finish(memory, mem, state, fault ? fault : outcome.fault);
}

static struct fault *fetch_one(struct memory_endpoint *memory, TALLOC_CTX *mem,
			       struct memory_state *state, const char *folder,
			       struct endpoint_item *out)
{
	struct memory_item *item = find_item(state, out->address);
	struct memory_outcome outcome;

	FAULT_TRY(memory_next_outcome(memory, mem, state, OP_FETCH, &outcome));
	if (outcome.fault && outcome.fault->scope != FAULT_SCOPE_ITEM)
		return outcome.fault;
	if (outcome.fault) {
		out->fault = outcome.fault;
		return NULL;
	}
	if (!item || item->gone || !memory_find_folder(state, folder)) {
		out->fault = fault_new(mem, FAULT_GONE, "%s is not there", out->address);
		return NULL;
	}
	out->version = memory_version(mem, item);
	if (memory->appends)
		out->marks = memory_marks(mem, item);
	out->len = item->len;
	if (memory->appends && item->len >= (size_t)MESSAGE_ELIDE_MIN)
		out->text = message_elide_all(mem, item->text, item->len, item->address,
					      MESSAGE_ELIDE_MIN, &out->len);
	else
		out->text = mem_bytes(mem, item->text, item->len);
	out->modified_us = item->modified_us;
	return NULL;
}

static struct fault *fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   const char *const *addresses, size_t count,
			   struct endpoint_item **items_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct endpoint_item *items = MEM_ARRAY(mem, struct endpoint_item, count);
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	for (size_t i = 0; i < count && !fault; i++) {
		items[i].address = mem_strdup(items, addresses[i]);
		fault = fetch_one(memory, items, state, folder, &items[i]);
	}
	fault = memory_finish(memory, mem, state, fault);
	if (!fault)
		*items_r = items;
	return fault;
}

/* A trailing property that is not ours: what servers that rewrite do. */
static void keep_another_way(struct memory_state *state, struct memory_item *item)
{
	char *end = strstr(item->text, "END:VTODO");

	if (!end)
		return;
	item->text = mem_printf(state, "%.*sX-MEMORY-REWRITTEN:1\r\n%s", (int)(end - item->text),
				item->text, end);
	item->len = strlen(item->text);
}

void memory_store_item(struct memory_endpoint *memory, struct memory_state *state,
		       const char *address, const char *text, size_t len)
{
	struct memory_item *item = find_item(state, address);

	if (!item) {
		item = memory_add_item(state);
		item->address = mem_strdup(state, address);
	}
	item->gone = !text;
	item->text = text ? mem_bytes(state, text, len) : NULL;
	item->len = len;
	item->version = ++state->seq;
	item->modified_us = clock_now_us(memory->clock);
	state->changed = true;
}

/* The fault of a condition that does not hold, or NULL. */
static struct fault *condition(TALLOC_CTX *mem, const struct memory_item *item,
			       const char *if_version)
{
	char *end;

	if (!if_version)
		return item && !item->gone
			       ? fault_new(mem, FAULT_CHANGED, "%s exists", item->address)
			       : NULL;
	if (!item || item->gone)
		return fault_new(mem, FAULT_GONE, "the item is not there");
	if (strtoll(if_version, &end, 10) != item->version || (*end && *end != ' '))
		return fault_new(mem, FAULT_CHANGED, "%s is another version", item->address);
	return NULL;
}

struct fault *memory_lost_answer(TALLOC_CTX *mem)
{
	struct fault *fault = fault_new(mem, FAULT_UNREACHABLE, "memory server: no answer came");

	fault->maybe_done = true;
	return fault;
}

char *memory_next_address(TALLOC_CTX *mem, const struct memory_state *state, const char *folder)
{
	return mem_printf(mem, "%s%010" PRId64 ".%010" PRId64, folder, state->validity,
			  state->seq + 1);
}

/* What was on its way lands. */
static void land(struct memory_endpoint *memory, struct memory_state *state)
{
	for (size_t i = 0; i < state->item_count; i++) {
		struct memory_item *item = &state->items[i];
		const char *address, *done;

		if (!item->late)
			continue;
		done = text_ends(item->address, MARK_DONE_FOLDER) ? MARK_DONE_FOLDER : "";
		address = mem_strndup(state, item->address,
				      strlen(item->address) - 21 - strlen(done));
		item->address = mem_printf(state, "%s%s",
					   memory_next_address(state, state, address), done);
		item->version = ++state->seq;
		item->modified_us = clock_now_us(memory->clock);
		item->late = false;
	}
}

static struct fault *append_one(struct memory_endpoint *memory, TALLOC_CTX *mem,
				struct memory_state *state, const char *folder,
				struct endpoint_put *put)
{
	struct memory_item *old = put->if_version ? find_item(state, put->address) : NULL;
	char *address = memory_place_of(mem, memory_next_address(mem, state, folder), old, put);
	struct memory_outcome outcome;
	const char *version;
	char *text = NULL;
	size_t len = 0;

	FAULT_TRY(memory_next_outcome(memory, mem, state, OP_PUT, &outcome));
	state->counts[OP_WRITES]++;
	put->fault = outcome.denied ? NULL : outcome.fault;
	if (!put->fault && put->if_version)
		put->fault = condition(mem, find_item(state, put->address), put->if_version);
	if (put->fault)
		return NULL;
	put->fault = memory_parts_fill(mem, state, put->text, put->len, &text, &len);
	if (put->fault)
		return NULL;
	memory_store_item(memory, state, address, text, len);
	/* the array may have moved */
	old = put->if_version ? find_item(state, put->address) : NULL;
	version = memory_carry(state, find_item(state, address), old, put);
	find_item(state, address)->late = outcome.late;
	put->fault = outcome.lost || outcome.late ? memory_lost_answer(mem) : outcome.fault;
	if (put->fault)
		return NULL;
	put->placed = address;
	if (len < (size_t)MESSAGE_ELIDE_MIN) /* else it reads otherwise than it was put */
		put->version = mem_strdup(mem, version);
	put->replaced = put->if_version;
	return NULL;
}

static struct fault *put_one(struct memory_endpoint *memory, TALLOC_CTX *mem,
			     struct memory_state *state, struct endpoint_put *put)
{
	struct memory_outcome outcome;

	FAULT_TRY(memory_next_outcome(memory, mem, state, OP_PUT, &outcome));
	state->counts[OP_WRITES]++;
	put->fault = outcome.fault && !outcome.denied
			     ? outcome.fault
			     : condition(mem, find_item(state, put->address), put->if_version);
	if (put->fault)
		return NULL;
	memory_store_item(memory, state, put->address, put->text, put->len);
	put->fault = outcome.lost ? memory_lost_answer(mem) : outcome.fault;
	if (put->fault)
		return NULL;
	put->answered = mem_printf(mem, "%" PRId64, state->seq);
	if (outcome.rewrite)
		keep_another_way(state, find_item(state, put->address));
	else
		put->version = put->answered;
	return NULL;
}

/* A server keeps item by item what it answers; here that matters only where somebody watches the
 * points, and costs a file each. */
static struct fault *answered(struct memory_endpoint *memory, TALLOC_CTX *mem,
			      struct memory_state *state)
{
	if (!points_watched(memory->points))
		return NULL;
	FAULT_TRY(memory_save(memory, mem, state));
	point_reach(memory->points, POINT_HTTP_ANSWERED);
	return NULL;
}

static struct fault *put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			 struct endpoint_put *puts, size_t count)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	if (!fault && !memory_find_folder(state, folder))
		fault = no_folder(mem, folder);
	if (!fault)
		land(memory, state);
	for (size_t i = 0; i < count && !fault; i++) {
		point_reach(memory->points, POINT_HTTP_SENDING);
		fault = memory->appends ? append_one(memory, mem, state, folder, &puts[i])
					: put_one(memory, mem, state, &puts[i]);
		if (!fault)
			fault = answered(memory, mem, state);
	}
	return memory_finish(memory, mem, state, fault);
}

static struct fault *remove_one(struct memory_endpoint *memory, TALLOC_CTX *mem,
				struct memory_state *state, struct endpoint_remove *remove)
{
	struct memory_item *item = find_item(state, remove->address);
	struct memory_outcome outcome;

	FAULT_TRY(memory_next_outcome(memory, mem, state, OP_REMOVE, &outcome));
	state->counts[OP_WRITES]++;
	if (outcome.fault && !outcome.denied)
		remove->fault = outcome.fault;
	else if (!item || item->gone)
		remove->fault = fault_new(mem, FAULT_GONE, "%s is not there", remove->address);
	else if (remove->if_version || !memory->appends)
		remove->fault = condition(mem, item, remove->if_version);
	if (!remove->fault && memory->appends && remove->if_version && !remove->successor &&
	    !memory_bears(state, item, remove->if_version))
		remove->fault = fault_new(mem, FAULT_CHANGED, "%s bears other marks", item->address);
	if (remove->fault)
		return NULL;
	if (memory->appends)
		memory_hand_over(state, item, find_item(state, remove->successor ? remove->successor : ""),
				 remove->if_version);
	memory_store_item(memory, state, remove->address, NULL, 0);
	remove->fault = outcome.lost ? memory_lost_answer(mem) : outcome.fault;
	return NULL;
}

static struct fault *remove_items(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  struct endpoint_remove *removes, size_t count)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	(void)folder;
	for (size_t i = 0; i < count && !fault; i++) {
		point_reach(memory->points, POINT_HTTP_SENDING);
		fault = remove_one(memory, mem, state, &removes[i]);
		if (!fault)
			fault = answered(memory, mem, state);
	}
	return memory_finish(memory, mem, state, fault);
}

static char *address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
		     const char *uid)
{
	(void)endpoint;
	return mem_printf(mem, "%s%s.ics", folder, uid);
}

static struct fault *memory_place(struct endpoint *endpoint, TALLOC_CTX *mem, bool find,
				  struct endpoint_place **place_r)
{
	const struct memory_endpoint *memory = (const struct memory_endpoint *)endpoint;
	struct endpoint_place *place = MEM_NEW(mem, struct endpoint_place);

	(void)find; /* it is known without asking */
	place->origin = mem_printf(place, "memory:%s", memory->path);
	place->home = mem_strdup(place, memory->login);
	place->asked = mem_printf(place, "%s\n%s", place->origin, place->home);
	place->how = "the login";
	*place_r = place;
	return NULL;
}

static const struct endpoint_ops memory_ops = {
	.kind = "memory",
	.probe = probe,
	.ensure = ensure,
	.whole_site = memory_whole_site,
	.whole_make = memory_whole_make,
	.notice = notice,
	.fetch = fetch,
	.put = put,
	.remove = remove_items,
	.may_read = may_read,
	.sweep = memory_sweep,
	.place = memory_place,
	.address = address,
	.attaches = memory_files_attaches,
	.attach = memory_files_attach,
	.download = memory_files_download,
};

static char *no_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			const char *uid)
{
	(void)endpoint;
	(void)mem;
	(void)folder;
	(void)uid;
	return NULL;
}

static struct fault *locate(struct endpoint *endpoint, TALLOC_CTX *mem,
			    const struct endpoint_trace *trace, char **address_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);
	char *address = NULL;

	for (size_t i = 0; !fault && i < state->folder_count; i++)
		if (trace->object_id && !strcmp(state->folders[i].object_id, trace->object_id))
			address = mem_strdup(mem, state->folders[i].address);
	fault = memory_finish(memory, mem, state, fault);
	if (!fault)
		*address_r = address;
	return fault;
}

static const struct endpoint_ops memory_append_ops = {
	.kind = "memory",
	.form = ENDPOINT_MESSAGE,
	.appends = true,
	.probe = probe,
	.ensure = ensure,
	.notice = notice,
	.fetch = fetch,
	.put = put,
	.remove = remove_items,
	.may_read = may_read,
	.sweep = memory_sweep,
	.place = memory_place,
	.address = no_address,
	.locate = locate,
	.download = memory_parts_download,
	.mailbox = memory_mailbox,
	.shelve = memory_shelve,
	.tell = memory_tell,
};

static int memory_close(struct memory_endpoint *memory)
{
	memory_rest(&memory->endpoint);
	memory_unlock(memory);
	return 0;
}

struct endpoint *memory_new(TALLOC_CTX *mem, const char *path, const char *user,
			    struct clock *clock, struct points *points)
{
	struct memory_endpoint *memory = MEM_NEW(mem, struct memory_endpoint);

	memory->appends = text_ends(path, MEMORY_APPEND);
	memory->managed = text_ends(path, MEMORY_MANAGED);
	memory->whole = text_ends(path, MEMORY_WHOLE);
	memory->endpoint.ops = memory->appends ? &memory_append_ops : &memory_ops;
	if (text_ends(path, MEMORY_PUSH)) {
		memory->push_ops = memory_ops;
		memory->push_ops.listen = memory_listen;
		memory->push_ops.heard = memory_heard;
		memory->push_ops.hush = memory_hush;
		memory->push_ops.rest = memory_rest;
		memory->endpoint.ops = &memory->push_ops;
	}
	memory->path = mem_strndup(memory, path, strcspn(path, "?"));
	memory->login = mem_strdup(memory, user ? user : "anybody");
	memory->user = strchr(memory->login, '~') ? strchr(memory->login, '~') + 1 : memory->login;
	memory->clock = clock;
	memory->points = points;
	memory->lock_fd = memory->push_fd = -1;
	talloc_set_destructor(memory, memory_close);
	return &memory->endpoint;
}

struct fault *memory_count(TALLOC_CTX *mem, const char *path, const char *operation,
			   int64_t *count_r)
{
	struct memory_endpoint *memory =
		(struct memory_endpoint *)memory_new(mem, path, NULL, NULL, NULL);
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	for (int i = 0; i < MEMORY_OPERATIONS && !fault; i++)
		if (!strcmp(memory_operation_names[i], operation))
			*count_r = state->counts[i];
	memory_unlock(memory);
	talloc_free(memory);
	return fault;
}

struct fault *memory_writes(TALLOC_CTX *mem, const char *path, int64_t *writes_r)
{
	return memory_count(mem, path, memory_operation_names[OP_WRITES], writes_r);
}
